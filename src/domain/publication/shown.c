/* Whether a publication may be seen now, and what it shows: asked anew at each look, so that nothing stays up that a
 * withdrawal, an objection, an erasure or a term has ended. */
#include "domain/publication/shown.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "domain/person/keeping.h"
#include "domain/person/person.h"
#include "domain/person/record.h"

bool publication_is_shown(const struct category *cat) { return cat->public_for >= 0 && !cat->transient; }

bool publication_takes_files(const struct ctx *c, const struct category *cat)
{
    const struct node *n = node_get(node_at(c->policy->root, TEXT("categories")), cat->name);
    return text_eq(node_text(n, TEXT("files")), TEXT("true"));
}

enum err publication_category(struct ctx *c, text name, const struct category **out)
{
    int index = policy_category(c->policy, name);
    *out = index >= 0 ? &c->policy->categories[index] : NULL;
    return *out && publication_is_shown(*out)
               ? OK
               : say_clause(c->arena, ERR_NOT_FOUND, *out ? &(*out)->clause : &c->policy->categories_clause,
                            "the policy lets no such data be shown in public");
}

enum err shown_none(struct ctx *c)
{
    return say(c->arena, ERR_NOT_FOUND, "there is no such publication, or it is no longer public");
}

enum err shown_find(struct ctx *c, text id, struct shown *out)
{
    *out = (struct shown){ .state = WAITING };
    if (!id_parse(id, &out->id))
        return shown_none(c);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_PUBLICATION_FIND, ARGS(V_TEXT(c->tenant), V_ID(out->id)));
    if (!query_next(&q))
        return q.status == OK ? shown_none(c) : q.status;
    memcpy(&out->subject, query_get(&q, PUBLICATION_FIND, subject).p, sizeof out->subject);
    out->category = arena_copy(c->arena, query_get(&q, PUBLICATION_FIND, category));
    out->purpose = arena_copy(c->arena, query_get(&q, PUBLICATION_FIND, purpose));
    out->item = query_get(&q, PUBLICATION_FIND, item);
    out->version = query_get(&q, PUBLICATION_FIND, version);
    out->state = query_get(&q, PUBLICATION_FIND, state);
    out->at = query_get(&q, PUBLICATION_FIND, at);
    out->decided = query_null(&q, PUBLICATION_FIND, decided) ? 0 : query_get(&q, PUBLICATION_FIND, decided);
    out->has_file = !query_null(&q, PUBLICATION_FIND, file);
    if (out->has_file) {
        memcpy(&out->file, query_get(&q, PUBLICATION_FIND, file).p, sizeof out->file);
        out->type = arena_copy(c->arena, query_get(&q, PUBLICATION_FIND, type));
    }
    return q.status;
}

/* Its term is over, whether or not the sweep came by. */
static enum err is_over(struct ctx *c, struct db *db, const struct shown *s, msec at, bool *over)
{
    struct keeping k;
    TRY(keeping_load(db, c->arena, c->tenant, s->subject, c->now, &k));
    const struct kept_thing thing = { s->category, false, at != 0, at, at };
    const struct keeping_end e = keeping_end(c->policy, &k, &thing);
    *over = (e.own && e.own <= c->now) || (e.archived && e.archived <= c->now);
    return OK;
}

/* The record as it was sent in; *fields NULL: it is changed, archived, over or gone. */
static enum err load_record(struct ctx *c, const struct shown *s, const struct person *p, int category,
                            const struct json **fields)
{
    struct record r = { .category = category, .item = s->item, .version = s->version };
    bool over;
    *fields = NULL;
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_PUBLICATION_RECORD,
                    ARGS(V_TEXT(c->tenant), V_ID(s->subject), V_TEXT(s->category), V_INT(s->item), V_INT(s->version)));
        if (!query_next(&q))
            return q.status;
        r.sealed.bytes = arena_copy(c->arena, query_get(&q, PUBLICATION_RECORD, sealed).bytes);
        r.key_class = (uint32_t)query_get(&q, PUBLICATION_RECORD, class);
        r.at = query_get(&q, PUBLICATION_RECORD, at);
        TRY(q.status);
        TRY(is_over(c, db, s, r.at, &over));
    }
    if (over)
        return OK;
    TRY(record_open(c, p, &r));
    *fields = r.fields;
    return OK;
}

static enum err is_ended(struct ctx *c, const struct shown *s, msec since, bool *ended)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO withdrawn, objected;
    query_start(&withdrawn, db, SQL_PUBLICATION_ENDED,
                ARGS(V_TEXT(c->tenant), V_ID(s->subject), V_TEXT(s->purpose), V_INT(since)));
    *ended = query_next(&withdrawn);
    TRY(withdrawn.status);
    query_start(&objected, db, SQL_OBJECTION_LAST, ARGS(V_TEXT(c->tenant), V_ID(s->subject), V_TEXT(s->purpose)));
    if (query_next(&objected)) {
        text decision = query_get(&objected, OBJECTION_LAST, decision);
        *ended = *ended || text_eq(decision, TEXT("objected")) || text_eq(decision, TEXT("upheld"));
    }
    return objected.status;
}

enum err shown_open(struct ctx *c, const struct shown *s, msec since, struct person *p, const struct json **fields,
                    bool *live)
{
    struct why kept = c->arena->why;
    struct bits consents;
    bool ended;
    int index = policy_category(c->policy, s->category), purpose = policy_purpose(c->policy, s->purpose);
    *live = false;
    *fields = NULL;
    if (index < 0 || purpose < 0 || c->policy->categories[index].public_for != purpose ||
        c->policy->purposes[purpose].never)
        return OK; /* the policy says so no longer */
    struct ctx server = *c; /* shown to everybody alike: who looks is in reach of nobody, and that is no refusal */
    server.actor = actor_server();
    server.session = NULL;
    enum err status = person_open_anyway(&server, id_print(c->arena, s->subject), p);
    if (status == ERR_NOT_FOUND || status == ERR_ERASED) {
        c->arena->why = kept;
        return OK;
    }
    TRY(status);
    if (p->state != PERSON_ACTIVE || p->restricted)
        return OK;
    TRY(person_consents(c, p, &consents));
    TRY(is_ended(c, s, since, &ended));
    if (ended || !bits_has(&consents, (unsigned)purpose))
        return OK;
    TRY(load_record(c, s, p, index, fields));
    *live = *fields != NULL;
    return OK;
}

void shown_put(struct ctx *c, const struct shown *s, const struct json *fields, struct json_out *w)
{
    int index = policy_category(c->policy, s->category);
    const struct category *cat = &c->policy->categories[index];
    json_pair(w, TEXT("id"), id_print(c->arena, s->id));
    json_pair(w, TEXT("at"), time_print(c->arena, s->decided ? s->decided : s->at));
    json_name(w, TEXT("fields"));
    json_open(w, '{');
    JSON_EACH(f, fields)
        if (f->first && f->first->kind != J_NULL) {
            json_name(w, f->key);
            json_put(w, f->first);
        }
    json_close(w, '}');
    json_name(w, TEXT("titles"));
    json_open(w, '{');
    JSON_EACH(f, fields)
        json_pair(w, f->key, doc_field(c, cat, f->key));
    json_close(w, '}');
    if (!s->has_file)
        return;
    text where = arena_print(c->arena, "/publications/%.*s/%.*s/file", T(s->category), T(id_print(c->arena, s->id)));
    json_pair(w, TEXT("file"), where);
    json_pair(w, TEXT("type"), s->type);
}

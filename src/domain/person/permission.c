/* What a person permitted at a source of the policy: rows of the ledger of consents under a channel of their own. */
#include "domain/person/permission.h"
#include "domain/core/actor.h"
#include "domain/core/decided.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/person/change.h"
#include "domain/person/consent.h"
#include "domain/person/person.h"

enum { FIELDS_MAX_SAID = 256, BY_MAX = 256 };

static const struct source *declared(const struct ctx *c, text name)
{
    for (unsigned i = 0; i < c->policy->source_count; i++)
        if (text_eq(c->policy->sources[i].name, name))
            return &c->policy->sources[i];
    return NULL;
}

static const struct clause *clause_of(const struct ctx *c, const struct source *s)
{
    text path = arena_print(c->arena, "sources.%.*s.permission", T(s->name));
    const struct clause *own = policy_clause(c->policy, path);
    return own ? own : &s->clause;
}

static bool comes_from(const struct ctx *c, const struct category *cat, const struct source *s)
{
    return cat->sources >> (s - c->policy->sources) & 1;
}

/* ---- The row in force. ---- */

struct standing {
    int64_t seq, times; /* seq 0: none */
    msec at, last;
    text decision, actor, kept; /* kept: the evidence in clear */
    const struct json *evidence;
};

static enum err open_kept(struct ctx *c, const struct person *p, text source, sealed kept, struct standing *out)
{
    if (!kept.bytes.n)
        return OK;
    TRY(consent_unseal(c, p, source, kept, &out->kept));
    return json_parse(c->arena, out->kept, &out->evidence);
}

/* `open`: with what it says, which only the person's key opens; inside a write the decision alone counts. */
static enum err load(struct ctx *c, const struct person *p, text source, bool open, struct standing *out)
{
    sealed kept = { { NULL, 0 } };
    *out = (struct standing){ .seq = 0 };
    {
        READ_AUTO db = NULL;
        TRY(decided_read(c, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_PERMISSION_LAST, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(source)));
        if (query_next(&q)) {
            out->seq = query_get(&q, PERMISSION_LAST, seq);
            out->decision = arena_copy(c->arena, query_get(&q, PERMISSION_LAST, decision));
            out->at = query_get(&q, PERMISSION_LAST, at);
            out->times = query_null(&q, PERMISSION_LAST, times) ? 1 : query_get(&q, PERMISSION_LAST, times);
            out->last = query_null(&q, PERMISSION_LAST, last) ? out->at : query_get(&q, PERMISSION_LAST, last);
            out->actor = arena_copy(c->arena, query_get(&q, PERMISSION_LAST, actor));
            if (!query_null(&q, PERMISSION_LAST, evidence))
                kept.bytes = arena_copy(c->arena, query_get(&q, PERMISSION_LAST, evidence).bytes);
        }
        TRY(q.status);
    }
    return open ? open_kept(c, p, source, kept, out) : OK;
}

static bool given(const struct standing *s) { return text_eq(s->decision, TEXT("given")); }

static enum err say_ended(struct ctx *c, const struct source *s)
{
    return say_clause(c->arena, ERR_CONSENT, clause_of(c, s),
                      "the person ended what comes from \"%.*s\": only a new permission opens it again", T(s->name));
}

static enum err refused(struct ctx *c, const struct person *p, enum err status)
{
    bool on_record = status == ERR_CONSENT || status == ERR_UNDECLARED || status == ERR_CARD_NUMBER;
    return on_record ? write_refusal(c, p, TEXT(""), TEXT("")) : status;
}

/* Ended between the look and the write: nothing comes in. */
static enum err still_open(struct ctx *c, const struct decided *d)
{
    struct standing now;
    const struct source *s = declared(c, d->name);
    TRY(load(c, &d->person, d->name, false, &now));
    if (!s || !text_eq(now.decision, TEXT("withdrawn")))
        return OK;
    say_ended(c, s);
    return refused(c, &d->person, ERR_CONSENT);
}

/* ---- What is said to be permitted. ---- */

static enum err bad_fields(struct ctx *c, const struct source *s, text name)
{
    return say_clause(c->arena, ERR_UNDECLARED, clause_of(c, s), "\"%.*s\" is nothing that comes from \"%.*s\"",
                      T(value_shown(name)), T(s->name));
}

/* "category" or "category.field", of those that the policy lets come from there. */
static enum err check_name(struct ctx *c, const struct source *s, text name)
{
    text field = name, category = text_cut(&field, '.');
    int index = policy_category(c->policy, category);
    if (index < 0 || !comes_from(c, &c->policy->categories[index], s))
        return bad_fields(c, s, name);
    return field.p && policy_field(&c->policy->categories[index], field) < 0 ? bad_fields(c, s, name) : OK;
}

static enum err put_fields(struct ctx *c, const struct source *s, const struct json *list, struct json_out *w)
{
    if (list->kind != J_ARRAY || !list->count || list->count > FIELDS_MAX_SAID)
        return say(c->arena, ERR_VALUE, "\"fields\" is a list of 1 to %d categories, or category.field",
                   FIELDS_MAX_SAID);
    JSON_EACH(one, list) {
        text name = one->kind == J_TEXT ? one->value : TEXT("");
        TRY(check_name(c, s, name));
        json_put_text(w, name);
    }
    return OK;
}

static void put_sent(struct ctx *c, text category, const struct json *fields, struct json_out *w)
{
    if (!fields)
        json_put_text(w, category);
    JSON_EACH(f, fields)
        json_put_text(w, arena_print(c->arena, "%.*s.%.*s", T(category), T(f->key)));
}

/* What arrives; without an arrival, all that the policy lets come from there. */
static void put_all(struct ctx *c, const struct source *s, const struct arrival *in, struct json_out *w)
{
    JSON_EACH(sent, in ? in->data : NULL)
        put_sent(c, sent->key, sent, w);
    if (in && !in->data)
        put_sent(c, in->category, in->fields, w);
    for (unsigned i = 0; !in && i < c->policy->category_count; i++)
        if (comes_from(c, &c->policy->categories[i], s))
            json_put_text(w, c->policy->categories[i].name);
}

/* Its members, and when it was permitted: a moment that has been. */
static enum err check_members(struct ctx *c, const struct source *s, const struct json *said, bool arrives, msec *at)
{
    text moment = json_text(said, TEXT("at"));
    if (said && said->kind != J_OBJECT)
        return say(c->arena, ERR_VALUE, "a permission is {\"at\", \"fields\", \"by\"}");
    JSON_EACH(member, said)
        if (!text_eq(member->key, TEXT("at")) && !text_eq(member->key, TEXT("fields")) &&
            !text_eq(member->key, TEXT("by")))
            return say_clause(c->arena, ERR_UNDECLARED, clause_of(c, s),
                              "a permission has the members at, fields and by alone");
    *at = c->now;
    if (!moment.n && arrives)
        return say_clause(c->arena, ERR_MISSING, clause_of(c, s), "\"at\" says when the person permitted it");
    if (moment.n && (!value_moment(c, moment, false, at) || *at > c->now))
        return say(c->arena, ERR_VALUE, "\"at\" is the time, as in RFC 3339, at which the person permitted it");
    if (json_text(said, TEXT("by")).n > BY_MAX)
        return say(c->arena, ERR_VALUE, "\"by\" has at most %d bytes", BY_MAX);
    return value_no_card(c, TEXT("by"), json_text(said, TEXT("by")));
}

/* *out: {"by", "permitted": {"at", "fields"}}, as it is sealed. */
static enum err make_kept(struct ctx *c, const struct source *s, const struct json *said, const struct arrival *in,
                          text *out)
{
    const struct json *fields = json_get(said, TEXT("fields"));
    text by = json_text(said, TEXT("by"));
    BUF_AUTO b = buf_make(1 << 18);
    struct json_out w = json_out(&b);
    msec at;
    TRY(check_members(c, s, said, in != NULL, &at));
    json_open(&w, '{');
    json_pair(&w, TEXT("by"), by.n ? by : TEXT("person"));
    json_name(&w, TEXT("permitted"));
    json_open(&w, '{');
    json_pair(&w, TEXT("at"), time_print(c->arena, at));
    json_name(&w, TEXT("fields"));
    json_open(&w, '[');
    if (fields)
        TRY(put_fields(c, s, fields, &w));
    else
        put_all(c, s, in, &w);
    json_close(&w, ']');
    json_close(&w, '}');
    json_close(&w, '}');
    return buf_take(c->arena, &b, out);
}

/* ---- Whether it covers what arrives. ---- */

static bool covers(const struct json *fields, text category, text field)
{
    JSON_EACH(one, fields) {
        text of = one->value, own = text_cut(&of, '.');
        if (text_eq(own, category) && (!of.p || (field.p && text_eq(of, field))))
            return true;
    }
    return false;
}

static enum err check_one(struct ctx *c, const struct source *s, const struct json *permitted, text category,
                          const struct json *fields)
{
    bool all = fields || covers(permitted, category, (text){ NULL, 0 });
    JSON_EACH(f, fields)
        all = all && covers(permitted, category, f->key);
    return all ? OK
               : say_clause(c->arena, ERR_CONSENT, clause_of(c, s),
                            "what arrives of \"%.*s\" goes beyond what the person permitted at \"%.*s\"", T(category),
                            T(s->name));
}

static enum err check_covered(struct ctx *c, const struct source *s, const struct json *evidence,
                              const struct arrival *in)
{
    const struct json *permitted = json_get(json_get(evidence, TEXT("permitted")), TEXT("fields"));
    if (!in->data)
        return check_one(c, s, permitted, in->category, in->fields);
    JSON_EACH(sent, in->data)
        TRY(check_one(c, s, permitted, sent->key, sent));
    return OK;
}

/* ---- An arrival. ---- */

static enum err take(struct ctx *c, struct person *p, bool fresh, const struct source *s, const struct json *said,
                     const struct arrival *in, struct permission *out)
{
    struct standing now = { .seq = 0 };
    const struct json *evidence;
    text kept;
    if (!fresh)
        TRY(load(c, p, s->name, true, &now));
    if (text_eq(now.decision, TEXT("withdrawn")))
        return say_ended(c, s);
    if (!said && !given(&now)) {
        say_clause(c->arena, ERR_MISSING, clause_of(c, s),
                   "\"permission\" says when the person permitted \"%.*s\" to give this", T(s->name));
        snprintf(c->arena->why.field, sizeof c->arena->why.field, "permission");
        return ERR_MISSING;
    }
    kept = now.kept;
    if (said)
        TRY(make_kept(c, s, said, in, &kept));
    TRY(json_parse(c->arena, kept, &evidence));
    TRY(check_covered(c, s, evidence, in));
    bool same = given(&now) && text_eq(kept, now.kept);
    *out = (struct permission){ .source = s->name,
                                .decision = TEXT("given"),
                                .method = TEXT("permission"),
                                .actor = c->actor.name,
                                .seq = same ? now.seq : 0,
                                .asked = true };
    if (!same)
        TRY(consent_seal(c, p, s->name, kept, &out->kept));
    return fresh ? OK : decided_add(c, (struct decided){ .again = still_open, .name = s->name }, p);
}

enum err permission_take(struct ctx *c, struct person *p, bool fresh, struct source_taken source,
                         const struct json *said, const struct arrival *in, struct permission *out)
{
    const struct source *s = declared(c, source.name);
    *out = (struct permission){ .asked = false };
    if (s && s->permission)
        return refused(c, fresh ? NULL : p, take(c, p, fresh, s, said, in, out));
    if (!said)
        return OK;
    say_clause(c->arena, ERR_UNDECLARED, s ? &s->clause : &c->policy->categories_clause,
               "the policy asks no permission for what comes from \"%.*s\"", T(value_shown(source.name)));
    return refused(c, fresh ? NULL : p, ERR_UNDECLARED);
}

enum err permission_said(struct ctx *c, text at, const struct json **out)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    *out = NULL;
    if (!at.n)
        return OK;
    json_open(&w, '{');
    json_pair(&w, TEXT("at"), at);
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

enum err permission_run(struct db *db, text tenant, struct subject_id subject, text policy, msec now,
                        const struct permission *p)
{
    int64_t changed;
    if (!p->asked)
        return OK;
    if (!p->seq)
        return db_run(db, SQL_CONSENT_ADD, NULL,
                      ARGS(V_TEXT(tenant), V_ID(subject), V_TEXT(p->source), V_TEXT(PERMISSION_CHANNEL),
                           V_TEXT(p->decision), V_INT(now), V_TEXT(policy), V_NULL, V_TEXT(p->method),
                           V_TEXT(p->actor), p->kept.bytes.n ? V_SEALED(p->kept) : V_NULL));
    TRY(db_run(db, SQL_PERMISSION_AGAIN, &changed,
               ARGS(V_TEXT(tenant), V_ID(subject), V_TEXT(p->source), V_INT(p->seq), V_INT(now))));
    return changed ? OK : say(db_arena(db), ERR_CONFLICT, "the permission changed meanwhile");
}

/* ---- Given and ended. ---- */

/* The purpose in whose name somebody else than the person speaks of it: one that the source serves, for which they may
 * record consents; else the first. */
static text purpose_of(const struct ctx *c, const struct source *s)
{
    text first = TEXT("");
    for (unsigned i = 0; i < c->policy->purpose_count; i++)
        for (unsigned k = 0; k < c->policy->category_count; k++) {
            const struct purpose *of = &c->policy->purposes[i];
            const struct ask ask = actor_ask(c, (int)i, -1, ACT_CONSENT);
            if (!bits_has(&of->categories, k) || !comes_from(c, &c->policy->categories[k], s))
                continue;
            if (policy_decide(c->policy, &ask).verdict == ALLOWED)
                return of->name;
            first = first.n ? first : of->name;
        }
    return first;
}

static enum err find(struct ctx *c, text name, const struct source **out)
{
    *out = declared(c, name);
    if (*out && (*out)->permission)
        return OK;
    const struct clause *clause = *out ? &(*out)->clause : policy_clause(c->policy, TEXT("sources"));
    return say_clause(c->arena, ERR_UNDECLARED, clause ? clause : &c->policy->categories_clause,
                      "the policy has no source \"%.*s\" that needs a permission", T(value_shown(name)));
}

static enum err begin(struct ctx *c, text id, text name, bool ends, struct person *p, const struct source **out,
                      struct change *ch)
{
    TRY(person_open(c, id, false, p));
    TRY(write_refused(c, p, find(c, name, out)));
    TRY(person_may_record(c, p, purpose_of(c, *out), ends));
    TRY(change_begin(c, p, 0, ch));
    ch->permission = (struct permission){ .source = (*out)->name,
                                          .decision = ends ? TEXT("withdrawn") : TEXT("given"),
                                          .method = TEXT("request"),
                                          .actor = c->actor.name,
                                          .asked = true };
    return OK;
}

static struct event named(struct ctx *c, const struct person *p, const struct source *s, text act)
{
    struct event e = event_of(c, p, act);
    e.clause = clause_of(c, s)->path;
    return e;
}

enum err permission_set(struct ctx *c, text id, text source, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct change ch;
    const struct source *s;
    text kept;
    (void)out;
    TRY(begin(c, id, source, false, &p, &s, &ch));
    TRY(refused(c, &p, make_kept(c, s, in, NULL, &kept)));
    TRY(consent_seal(c, &p, s->name, kept, &ch.permission.kept));
    return change_write(c, &ch, named(c, &p, s, TEXT("source.permitted")), NULL);
}

enum err permission_end(struct ctx *c, text id, text source, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct change ch;
    struct standing now;
    const struct source *s;
    (void)out;
    TRY(begin(c, id, source, true, &p, &s, &ch));
    TRY(load(c, &p, s->name, false, &now));
    if (!given(&now))
        return say(c->arena, ERR_NOT_FOUND, "nothing is permitted to come from that source");
    ch.urgent = true;
    return change_write(c, &ch, named(c, &p, s, TEXT("source.ended")), NULL);
}

/* ---- The access answer. ---- */

static void put_row(struct ctx *c, const struct source *s, const struct standing *now, struct json_out *w)
{
    const struct json *permitted = json_get(now->evidence, TEXT("permitted"));
    text by = json_text(now->evidence, TEXT("by"));
    json_open(w, '{');
    json_pair(w, TEXT("source"), s->name);
    json_pair(w, TEXT("title"), doc_source(c, s->name));
    json_pair(w, TEXT("decision"), now->decision);
    json_pair(w, TEXT("at"), time_print(c->arena, now->at));
    if (permitted) {
        json_name(w, TEXT("permitted"));
        json_put(w, permitted);
    }
    json_pair(w, TEXT("by"), by.n ? by : now->actor);
    json_pair_int(w, TEXT("times"), now->times);
    json_pair(w, TEXT("last_at"), time_print(c->arena, now->last));
    json_close(w, '}');
}

/* Evidence that cannot be opened hides no decision. */
static enum err put_permissions(struct ctx *c, const struct person *p, struct json_out *w)
{
    json_open(w, '[');
    for (unsigned i = 0; i < c->policy->source_count; i++) {
        struct standing now;
        enum err e = load(c, p, c->policy->sources[i].name, true, &now);
        if (e != OK && !record_unreadable(e))
            return e;
        if (now.seq)
            put_row(c, &c->policy->sources[i], &now, w);
    }
    json_close(w, ']');
    return OK;
}

const struct feature permission_feature = {
    .name = TEXT_INIT("person"),
    .member = TEXT_INIT("permissions"),
    .put = put_permissions,
};

/* The board's look into what is sealed: whether each thing held opens under its keys and parses, named by where it
 * stands, without values. */
#include "domain/board/board_inside.h"
#include "domain/core/block.h"
#include "domain/core/feature.h"
#include "domain/core/id.h"
#include "domain/person/record.h"

void opener_end(struct opener *o) { key_wipe(&o->key); }

/* Neighbours share their keys: the last one is kept. */
static enum err key_of(struct opener *o, const struct thing *t, uint32_t key_class)
{
    bool same = o->known && o->key_class == key_class && text_eq(o->tenant, t->place.tenant) &&
                memcmp(&o->subject, &t->place.subject, sizeof o->subject) == 0;
    if (same)
        return o->status;
    o->known = false;
    o->tenant = arena_copy(o->c->arena, t->place.tenant);
    TRY_PTR(o->tenant.p);
    o->subject = t->place.subject;
    o->key_class = key_class;
    o->status = store_key(ctx_store(o->c), o->c->arena, o->tenant, o->subject, key_class, &o->key);
    o->known = o->status == OK || o->status == ERR_ERASED || record_unreadable(o->status);
    return o->status;
}

/* What is written under the person's key goes with it, or stays as a mere proof: with that key gone there is nothing to
 * read. A key of its own that is gone leaves what it was for unreadable. */
static const struct source *needs_permission(const struct policy *p, text name)
{
    for (unsigned i = 0; i < p->source_count; i++)
        if (p->sources[i].permission && text_eq(p->sources[i].name, name))
            return &p->sources[i];
    return NULL;
}

/* A record's values are {field: [value, source, time]}. */
static void look_at_sources(const struct policy *p, const struct json *fields, struct sources_seen *out)
{
    JSON_EACH(field, fields) {
        const struct json *name = field->first ? field->first->next : NULL, *time = name ? name->next : NULL;
        const struct source *s = time ? needs_permission(p, name->value) : NULL;
        int64_t at = 0;
        unsigned i = 0;
        if (!s || !text_int(time->value, &at))
            continue;
        while (i < out->count && (out->of[i].source != s || out->of[i].at != at))
            i++;
        if (i == FIELDS_MAX)
            return; /* no category has more */
        if (i == out->count)
            out->of[out->count++] = (struct came){ .source = s, .at = at };
        out->of[i].values++;
    }
}

static enum err look_at_block(const struct policy *p, struct arena *a, text clear, struct sources_seen *out)
{
    struct block b;
    struct block_event e;
    TRY(block_read(a, clear, &b));
    for (unsigned i = 0; i < b.count; i++) {
        TRY(block_event(a, &b, i, &e));
        look_at_sources(p, e.fields, out);
    }
    return OK;
}

enum err opener_look(struct opener *o, const struct thing *t, bool *readable, struct sources_seen *sources)
{
    ARENA_AUTO room = arena_make(OPENER_MEMORY);
    KEY_AUTO key = { { 0 } };
    const struct json *parsed;
    text clear = { NULL, 0 };
    *readable = true;
    sources->count = 0;
    enum err e = key_of(o, t, t->key_class);
    if (e == ERR_ERASED && !t->key_class)
        return OK;
    if (e == OK && t->key_class)
        key = o->key;
    else if (e == OK)
        key_derive(&o->key, t->derive, &key);
    if (e == OK)
        e = seal_open(&room, &key, &t->place, t->sealed, &clear);
    if (e == OK && t->block)
        e = look_at_block(o->c->policy, &room, clear, sources);
    else if (e == OK)
        e = json_parse(&room, clear, &parsed);
    *readable = e == OK;
    if (e == OK && !t->block && text_eq(t->kind, TEXT("record")))
        look_at_sources(o->c->policy, parsed, sources);
    return e == ERR_ERASED || record_unreadable(e) ? OK : e;
}

/* ---- What the walks' rows hold. The columns are those of their statements in sql.def. ---- */

static struct thing of_record(struct arena *a, struct query *q)
{
    text category = arena_copy(a, query_get(q, LOOK_RECORDS, category));
    return (struct thing){ .kind = TEXT("record"),
                           .category = category,
                           .derive = category,
                           .key_class = (uint32_t)query_get(q, LOOK_RECORDS, class),
                           .item = arena_print(a, "%lld", (long long)query_get(q, LOOK_RECORDS, item)),
                           .sealed = query_get(q, LOOK_RECORDS, sealed),
                           .block = text_eq(query_get(q, LOOK_RECORDS, source), BLOCK_SOURCE),
                           .place = { .table = TEXT("record"),
                                      .field = category,
                                      .version = (uint64_t)query_get(q, LOOK_RECORDS, version) } };
}

static struct thing of_former(struct arena *a, struct query *q)
{
    text category = arena_copy(a, query_get(q, LOOK_FORMERS, category));
    return (struct thing){ .kind = TEXT("former"),
                           .category = category,
                           .derive = TEXT("former"),
                           .key_class = (uint32_t)query_get(q, LOOK_FORMERS, class),
                           .sealed = query_get(q, LOOK_FORMERS, sealed),
                           .item = arena_print(a, "%lld", (long long)query_get(q, LOOK_FORMERS, version)),
                           .place = { .table = TEXT("former"),
                                      .field = category,
                                      .version = (uint64_t)query_get(q, LOOK_FORMERS, version) } };
}

static struct thing of_attachment(struct arena *a, struct query *q)
{
    struct subject_id id = { { 0 } };
    text category = arena_copy(a, query_get(q, LOOK_ATTACHMENTS, category)), bytes = query_get(q, LOOK_ATTACHMENTS, id);
    if (bytes.n == sizeof id)
        memcpy(&id, bytes.p, sizeof id);
    text name = id_print(a, id);
    return (struct thing){ .kind = TEXT("attachment"),
                           .category = category,
                           .derive = category,
                           .key_class = (uint32_t)query_get(q, LOOK_ATTACHMENTS, class),
                           .item = name,
                           .sealed = query_get(q, LOOK_ATTACHMENTS, meta),
                           .place = { .table = TEXT("attachment"), .field = name } };
}

static struct thing of_consent(struct arena *a, struct query *q)
{
    text purpose = arena_copy(a, query_get(q, LOOK_CONSENTS, purpose));
    return (struct thing){ .kind = TEXT("consent"),
                           .category = purpose,
                           .derive = TEXT("consent"),
                           .sealed = query_get(q, LOOK_CONSENTS, evidence),
                           .item = arena_print(a, "%lld", (long long)query_get(q, LOOK_CONSENTS, seq)),
                           .place = { .table = TEXT("consent"), .field = purpose } };
}

static struct thing of_feature(struct arena *a, const struct ctx *c, const struct feature_walk *walk, struct query *q)
{
    struct held_row row = { 0 };
    walk->row(a, c->policy, q, &row);
    return (struct thing){ .kind = row.kind,
                           .category = row.category,
                           .derive = row.derive,
                           .sealed = row.sealed,
                           .item = row.item,
                           .place = row.place };
}

enum err thing_of(struct arena *a, const struct board_step *s, struct query *q, struct thing *out)
{
    const struct feature_walk *own = board_feature(s->c, s->job);
    static struct thing (*const of[JOBS])(struct arena *, struct query *) = {
        [JOB_RECORDS] = of_record,
        [JOB_FORMERS] = of_former,
        [JOB_ATTACHMENTS] = of_attachment,
        [JOB_CONSENTS] = of_consent,
    };
    *out = (struct thing){ 0 };
    if (!own && !of[s->job])
        return OK;
    *out = own ? of_feature(a, s->c, own, q) : of[s->job](a, q);
    text subject = query_get(q, LOOK_RECORDS, subject);
    if (subject.n != sizeof out->place.subject)
        return say(a, ERR_INTEGRITY, "a row has a subject of %zu bytes", subject.n);
    memcpy(&out->place.subject, subject.p, sizeof out->place.subject);
    out->place.tenant = arena_copy(a, query_get(q, LOOK_RECORDS, tenant));
    return out->place.tenant.p && out->category.p && out->item.p && out->place.field.p ? OK : ERR_MEMORY;
}

/* ---- Where they stand. ---- */

void fact_unreadable(struct facts *f, const struct thing *t)
{
    fact_bad(f, PROBE_readable, 1);
    if (f->unread_count == UNREAD_NAMED)
        return; /* counted, and the list says how many there are */
    if (f->unread_count == f->unread_room) {
        unsigned room = f->unread_room ? 2 * f->unread_room : 16;
        struct unread *grown = realloc(f->unread, room * sizeof *grown);
        if (!grown)
            return;
        f->unread = grown;
        f->unread_room = room;
    }
    struct unread *u = &f->unread[f->unread_count++];
    *u = (struct unread){ .subject = t->place.subject };
    text_cstr(text_upto(t->kind, sizeof u->kind - 1), u->kind, sizeof u->kind);
    text_cstr(text_upto(t->place.tenant, sizeof u->tenant - 1), u->tenant, sizeof u->tenant);
    text_cstr(text_upto(t->category, sizeof u->category - 1), u->category, sizeof u->category);
    text_cstr(text_upto(t->item, sizeof u->item - 1), u->item, sizeof u->item);
}

bool board_stored(const struct ctx *c, text tenant)
{
    const struct tenant *t = policy_tenant(c->policy, tenant);
    return t && t->stored;
}

enum err board_unreadable(struct ctx *c, struct answer *out)
{
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    struct board *board = c->app->board;
    int64_t all = 0;
    json_open(&w, '{');
    json_name(&w, TEXT("unreadable"));
    json_open(&w, '[');
    pthread_mutex_lock(&board->lock);
    for (unsigned j = 0; j < JOBS; j++) {
        const struct facts *f = &board->jobs[j].last;
        all += f->of[PROBE_readable].bad;
        for (unsigned i = 0; i < f->unread_count; i++) {
            const struct unread *u = &f->unread[i];
            json_open(&w, '{');
            json_pair(&w, TEXT("tenant"), text_of(u->tenant));
            bool stored = board_stored(c, text_of(u->tenant)); /* that there is one, and not of whom */
            json_pair(&w, TEXT("person"), stored ? (text){ NULL, 0 } : id_print(c->arena, u->subject));
            json_pair(&w, TEXT("kind"), text_of(u->kind));
            json_pair(&w, TEXT("category"), text_of(u->category));
            json_pair(&w, TEXT("item"), stored ? TEXT("") : text_of(u->item));
            json_close(&w, '}');
        }
    }
    json_close(&w, ']');
    json_pair_int(&w, TEXT("all"), all);
    board_put_altered(c, &w);
    pthread_mutex_unlock(&board->lock);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

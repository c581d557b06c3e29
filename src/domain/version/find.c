/* Versions of the policy, found and read. */
#include "domain/version/acknowledge.h"
#include "domain/version/find.h"
#include "domain/core/instance.h"

static void read_row(struct ctx *c, struct query *q, struct version *out)
{
    *out = (struct version){ .hash = arena_copy(c->arena, query_get(q, POLICY_VERSION_LIST, hash)),
                             .id = arena_copy(c->arena, query_get(q, POLICY_VERSION_LIST, id)),
                             .version = arena_copy(c->arena, query_get(q, POLICY_VERSION_LIST, version)),
                             .date = arena_copy(c->arena, query_get(q, POLICY_VERSION_LIST, date)),
                             .at = query_get(q, POLICY_VERSION_LIST, at),
                             .acknowledged = query_get(q, POLICY_VERSION_LIST, acknowledged) };
    out->current = text_eq(out->hash, text_of(c->policy->hash));
    out->state = out->current ? VERSION_ENTERED : (enum version_state)query_get(q, POLICY_VERSION_LIST, state);
}

enum err version_list(struct ctx *c, struct version **out, unsigned *count)
{
    unsigned room = 0;
    *out = NULL;
    *count = 0;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_VERSION_LIST, ARGS(V_TEXT(c->tenant)));
    while (query_next(&q)) {
        if (*count == room) {
            struct version *old = *out;
            TRY_PTR(*out = NEW_ARRAY(c->arena, struct version, room = room ? room * 2 : 16));
            if (old)
                memcpy(*out, old, *count * sizeof **out);
        }
        read_row(c, &q, &(*out)[(*count)++]);
    }
    return q.status;
}

bool version_is_hash(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return s.n == 64;
}

enum err version_open(struct ctx *c, text hash, struct version *out)
{
    bool found = false;
    if (version_is_hash(hash)) {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_POLICY_VERSION_GET, ARGS(V_TEXT(c->tenant), V_TEXT(hash)));
        if ((found = query_next(&q))) {
            read_row(c, &q, out);
            out->source = arena_copy(c->arena, query_get(&q, POLICY_VERSION_GET, text));
        }
        TRY(q.status);
    }
    if (!found)
        return say(c->arena, ERR_NOT_FOUND, "this instance published no such version of the policy");
    struct findings f = { 0 };
    TRY_PTR(out->source.p);
    enum err status = node_read(c->arena, out->source, &f, &out->root);
    return out->root ? OK : status;
}

/* The document as it was read then; versions published before that was kept are read again. */
static enum err put_document(struct ctx *c, struct json_out *w, const struct version *v)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_COMPILED_GET, ARGS(V_TEXT(v->hash)));
    json_name(w, TEXT("document"));
    if (query_next(&q))
        json_put_raw(w, query_get(&q, POLICY_COMPILED_GET, document));
    else
        node_json(w, v->root);
    return q.status;
}

enum err version_get(struct ctx *c, text hash, struct answer *out)
{
    struct version v;
    TRY(version_open(c, hash, &v));
    BUF_AUTO b = buf_make(16 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("hash"), v.hash);
    json_pair(&w, TEXT("version"), v.version);
    json_pair(&w, TEXT("date"), v.date);
    json_pair(&w, TEXT("published"), time_print(c->arena, v.at));
    json_pair_bool(&w, TEXT("in_force"), v.current);
    json_pair(&w, TEXT("state"), version_word(&v));
    json_pair(&w, TEXT("source"), v.source);
    TRY(put_document(c, &w, &v));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* The one in force, `count` when it is not among them; and the one that was in force before that one of the list. */
unsigned version_index_in_force(const struct version *all, unsigned count)
{
    unsigned i = 0;
    while (i < count && !all[i].current)
        i++;
    return i;
}

const struct version *version_before(const struct version *all, unsigned count, unsigned i)
{
    for (i++; i < count; i++)
        if (all[i].state == VERSION_ENTERED)
            return &all[i];
    return NULL;
}

/* Accounts as the store has them, links that work once, teams. */
#include "domain/core/budget.h"
#include "domain/person/account.h"
#include "domain/core/instance.h"

static text copied(struct ctx *c, struct query *q, struct col column)
{
    text bytes = query_bytes(q, column);
    return bytes.p ? arena_copy(c->arena, bytes) : (text){ NULL, 0 };
}

enum err account_load(struct ctx *c, struct subject_id id, struct account *out)
{
    *out = (struct account){ 0 };
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ACCOUNT_GET, ARGS(V_TEXT(c->tenant), V_ID(id)));
    out->there = query_next(&q);
    TRY(q.status);
    if (!out->there)
        return OK;
    out->state = copied(c, &q, COL(ACCOUNT_GET, state));
    out->role = copied(c, &q, COL(ACCOUNT_GET, role));
    out->language = copied(c, &q, COL(ACCOUNT_GET, language));
    out->password = (sealed){ copied(c, &q, COL(ACCOUNT_GET, password)) };
    out->password_at = query_get(&q, ACCOUNT_GET, password_at);
    out->factor = (sealed){ copied(c, &q, COL(ACCOUNT_GET, factor)) };
    out->factor_at = query_get(&q, ACCOUNT_GET, factor_at);
    out->opened = query_get(&q, ACCOUNT_GET, opened);
    out->opened_by = copied(c, &q, COL(ACCOUNT_GET, opened_by));
    out->last_visit = query_get(&q, ACCOUNT_GET, last_visit);
    out->agreement = query_get(&q, ACCOUNT_GET, agreement);
    return c->arena->why.code == ERR_MEMORY ? ERR_MEMORY : OK;
}

/* ---- Sealing. ---- */

static struct place place_of(const struct ctx *c, const struct person *p, text field, uint64_t version)
{
    return (struct place){
        .tenant = c->tenant, .subject = p->id, .table = TEXT("account"), .field = field, .version = version
    };
}

enum err account_seal(struct ctx *c, const struct person *p, text field, uint64_t version, text clear, sealed *out)
{
    KEY_AUTO key;
    struct place place = place_of(c, p, field, version);
    key_derive(&p->key, TEXT("accounts"), &key);
    return seal(c->arena, &key, &place, clear, out);
}

enum err account_open(struct ctx *c, const struct person *p, text field, uint64_t version, sealed in, text *clear)
{
    KEY_AUTO key;
    struct place place = place_of(c, p, field, version);
    key_derive(&p->key, TEXT("accounts"), &key);
    return seal_open(c->arena, &key, &place, in, clear);
}

/* ---- Secrets and links. ---- */

struct digest secret_digest(const struct ctx *c, text use, text secret)
{
    struct digest d;
    digest_identifier(store_index_key(ctx_store(c)), TEXT(""), use, secret, &d);
    return d;
}

text secret_make(struct ctx *c, text use, struct digest *digest)
{
    uint8_t random[32];
    BUF_AUTO b = buf_make(64);
    crypt_random(random, sizeof random);
    buf_base64url(&b, TEXT_BYTES(random));
    text secret = buf_made(c->arena, &b);
    *digest = secret_digest(c, use, secret);
    return secret;
}

msec ticket_until(const struct ctx *c)
{
    struct term term;
    if (!term_parse(node_text(node_at(c->policy->root, TEXT("accounts")), TEXT("invitation")), &term))
        term = (struct term){ 72, TERM_HOURS };
    return term_end(c->now, term, 1);
}

enum err ticket_make(struct ctx *c, const struct person *p, text kind, text detail, msec expires,
                     struct ticket_put *out)
{
    *out = (struct ticket_put){
        .tenant = c->tenant, .kind = kind, .subject = p->id, .created = c->now, .expires = expires
    };
    out->secret = secret_make(c, TEXT("ticket"), &out->digest);
    TRY_PTR(out->secret.p);
    return detail.n ? account_seal(c, p, TEXT("ticket"), (uint64_t)c->now, detail, &out->detail) : OK;
}

enum err ticket_run_put(struct db *db, const struct ticket_put *t, bool alone)
{
    if (alone)
        TRY(db_run(db, SQL_TICKET_REPLACE, NULL, ARGS(V_TEXT(t->tenant), V_ID(t->subject), V_TEXT(t->kind))));
    TRY(db_run(db, SQL_TICKET_TRIM, NULL,
               ARGS(V_TEXT(t->tenant), V_ID(t->subject), V_INT(budget_row(BUDGET_links)->limit - 1))));
    return db_run(db, SQL_TICKET_ADD, NULL,
                  ARGS(V_BYTES(TEXT_BYTES(t->digest)), V_TEXT(t->tenant), V_ID(t->subject), V_TEXT(t->kind),
                       V_INT(t->created), V_INT(t->expires), t->detail.bytes.n ? V_SEALED(t->detail) : V_NULL));
}

enum err ticket_find(struct ctx *c, text secret, text kind, struct ticket *out)
{
    *out = (struct ticket){ .digest = secret_digest(c, TEXT("ticket"), secret) };
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TICKET_GET, ARGS(V_BYTES(TEXT_BYTES(out->digest)), V_TEXT(kind), V_INT(c->now)));
    bool found = secret.n == SECRET_TEXT && query_next(&q);
    TRY(q.status);
    if (!found || query_get(&q, TICKET_GET, subject).n != SUBJECT_ID)
        return say(c->arena, ERR_NOT_FOUND, "this link is not valid, or no longer");
    out->tenant = copied(c, &q, COL(TICKET_GET, tenant));
    c->tenant = out->tenant;
    memcpy(&out->subject, query_get(&q, TICKET_GET, subject).p, SUBJECT_ID);
    out->created = query_get(&q, TICKET_GET, created);
    out->expires = query_get(&q, TICKET_GET, expires);
    out->detail = (sealed){ copied(c, &q, COL(TICKET_GET, detail)) };
    return out->tenant.p ? OK : ERR_MEMORY;
}

enum err ticket_fate(struct ctx *c, text secret, text kind, enum link_fate *out, struct ticket *of)
{
    *of = (struct ticket){ .digest = secret_digest(c, TEXT("ticket"), secret) };
    *out = LINK_UNKNOWN;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TICKET_FATE, ARGS(V_BYTES(TEXT_BYTES(of->digest))));
    bool found = secret.n == SECRET_TEXT && query_next(&q) && query_get(&q, TICKET_FATE, subject).n == SUBJECT_ID;
    TRY(q.status);
    if (!found)
        return OK;
    text fate = query_get(&q, TICKET_FATE, kind);
    if (!text_eq(text_cut(&fate, ' '), kind))
        return OK;
    of->expires = query_get(&q, TICKET_FATE, expires);
    of->tenant = copied(c, &q, COL(TICKET_FATE, tenant));
    memcpy(&of->subject, query_get(&q, TICKET_FATE, subject).p, SUBJECT_ID);
    if (fate.n)
        *out = text_eq(fate, TEXT("used")) ? LINK_USED : LINK_REPLACED;
    else
        *out = of->expires > c->now ? LINK_VALID : LINK_EXPIRED;
    return of->tenant.p ? OK : ERR_MEMORY;
}

/* ---- What became of other links. ---- */

static const text fates[] = {
    [LINK_USED] = TEXT_INIT("used"), [LINK_REPLACED] = TEXT_INIT("replaced"), [LINK_EXPIRED] = TEXT_INIT("expired")
};

enum err link_run_over(struct db *db, const struct ctx *c, const struct digest *digest, text kind, enum link_fate fate,
                       text about)
{
    return db_run(db, SQL_LINK_OVER_ADD, NULL,
                  ARGS(V_BYTES(TEXT_BYTES(*digest)), V_TEXT(c->tenant), V_TEXT(kind), V_TEXT(fates[fate]),
                       V_TEXT(about), V_INT(c->now + LINK_REMEMBERED)));
}

enum err link_over_find(struct ctx *c, const struct digest *digest, text kind, enum link_fate *out, text *about)
{
    *out = LINK_UNKNOWN;
    *about = TEXT("");
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_LINK_OVER_GET, ARGS(V_BYTES(TEXT_BYTES(*digest)), V_TEXT(kind), V_INT(c->now)));
    if (!query_next(&q))
        return q.status;
    for (enum link_fate fate = LINK_USED; fate <= LINK_EXPIRED; fate++)
        if (text_eq(fates[fate], query_get(&q, LINK_OVER_GET, fate)))
            *out = fate;
    c->tenant = copied(c, &q, COL(LINK_OVER_GET, tenant));
    *about = copied(c, &q, COL(LINK_OVER_GET, about));
    return q.status == OK ? arena_whole(c->arena) : q.status;
}

/* ---- Tickets, used. ---- */

enum err ticket_detail(struct ctx *c, const struct person *p, const struct ticket *t, const struct json **out)
{
    text clear;
    *out = NULL;
    if (!t->detail.bytes.n)
        return OK;
    TRY(account_open(c, p, TEXT("ticket"), (uint64_t)t->created, t->detail, &clear));
    return json_parse(c->arena, clear, out);
}

enum err ticket_run_use(struct db *db, const struct ticket *t)
{
    int64_t gone;
    TRY(db_run(db, SQL_TICKET_END, &gone, ARGS(V_BYTES(TEXT_BYTES(t->digest)), V_TEXT(TEXT("used")))));
    return gone ? OK : say(db_arena(db), ERR_NOT_FOUND, "this link is not valid, or no longer");
}

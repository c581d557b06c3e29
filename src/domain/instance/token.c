/* Tokens of programs: made, listed and revoked. */
#include "domain/person/account.h"
#include "domain/core/actor.h"
#include "domain/core/decided.h"
#include "domain/instance/app.h"
#include "domain/instance/token.h"
#include "domain/core/instance.h"
#include "base/decode.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/id.h"
#include "domain/core/write.h"

struct token_row {
    struct ctx *c;
    struct digest digest;
    text name, actor, tenant;
    msec expires;
    struct subject_id holder;
    bool has_holder;
};

/* Asked again inside the write: whoever was erased, closed or given another role meanwhile holds no token. */
static enum err holder_still(struct db *db, const struct token_row *t)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOKEN_HOLDER_STILL, ARGS(V_TEXT(t->tenant), V_ID(t->holder), V_TEXT(t->actor)));
    if (query_next(&q))
        return OK;
    return q.status != OK ? q.status
                          : say(db_arena(db), ERR_VALUE, "\"holder\" is no account in the role \"%.*s\"", T(t->actor));
}

static enum err run_token(struct db *db, struct write *w)
{
    const struct token_row *t = w->arg;
    int64_t added;
    if (t->has_holder)
        TRY(holder_still(db, t));
    TRY(db_run(db, SQL_TOKEN_ADD, &added,
               ARGS(V_BYTES(TEXT_BYTES(t->digest)), V_TEXT(t->tenant), V_TEXT(t->name), V_TEXT(t->actor),
                    V_INT(t->c->now), t->expires ? V_INT(t->expires) : V_NULL)));
    if (!added)
        return say(db_arena(db), ERR_CONFLICT, "a token of that name exists");
    return t->has_holder ? db_run(db, SQL_TOKEN_HOLDER_ADD, NULL,
                                  ARGS(V_BYTES(TEXT_BYTES(t->digest)), V_TEXT(t->tenant), V_ID(t->holder)))
                         : OK;
}

static bool token_name_valid(text name)
{
    bool plain = name.n >= 1 && name.n <= 64;
    for (size_t i = 0; plain && i < name.n; i++) {
        char c = name.p[i];
        plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                c == '-';
    }
    return plain;
}

static enum err take_holder(struct ctx *c, text holder, struct token_row *row)
{
    struct ctx there = *c;
    struct account account;
    if (!holder.n)
        return OK;
    there.tenant = row->tenant;
    if (!id_parse(holder, &row->holder))
        return say(c->arena, ERR_VALUE, "\"holder\" is the id of an account");
    TRY(account_load(&there, row->holder, &account));
    row->has_holder = account.there && text_eq(account.role, row->actor) && !text_eq(account.state, ACCOUNT_REFUSED);
    return row->has_holder ? OK
                           : say(c->arena, ERR_VALUE, "\"holder\" is no account in the role \"%.*s\"", T(row->actor));
}

enum err token_create(struct ctx *c, text name, text actor, text tenant, text holder, msec expires, text *token)
{
    uint8_t random[TOKEN_BYTES];
    struct token_row row = { .c = c, .name = name, .actor = actor, .tenant = c->tenant, .expires = expires };
    if (!token_name_valid(name))
        return say(c->arena, ERR_VALUE, "a token's name has at most 64 letters, digits, '.', '_' and '-'");
    if (policy_actor(c->policy, actor) < 0 || text_eq(actor, TEXT("operator")))
        return say(c->arena, ERR_UNDECLARED, "the policy has no system, role or recipient \"%.*s\"",
                   T(value_shown(actor)));
    if (tenant.n && !actor_known_tenant(c->policy, tenant, &row.tenant))
        return say(c->arena, ERR_NOT_FOUND, "there is no such tenant");
    const struct tenant *t = policy_tenant(c->policy, row.tenant);
    const struct actor_class *class = &c->policy->actors[policy_actor(c->policy, actor)];
    bool has = policy_tenant_has(c->policy, t, policy_actor(c->policy, actor));
    if (!has && class->kind == ACTOR_SYSTEM)
        return say_clause(c->arena, ERR_FORBIDDEN, &class->clause, "the system \"%.*s\" does not serve \"%.*s\"",
                          T(actor), T(row.tenant));
    if (!has)
        return say_clause(c->arena, ERR_FORBIDDEN, &t->clause, "the staff of \"%.*s\" has no role \"%.*s\"",
                          T(row.tenant), T(actor));
    TRY(take_holder(c, holder, &row));
    BUF_AUTO b = buf_make(256);
    crypt_random(random, sizeof random);
    buf_add(&b, TEXT("garant_"));
    buf_base64url(&b, TEXT_BYTES(random));
    TRY(buf_take(c->arena, &b, token));
    digest_identifier(store_lookup_key(ctx_store(c)), TEXT(""), TEXT("token"), *token, &row.digest);
    struct write w = { .run = run_token, .arg = &row, .event = event_of(c, NULL, TEXT("token.create")) };
    w.event.tenant = row.tenant;
    return write_do(c, &w, NULL);
}

static enum err run_revoke(struct db *db, struct write *w)
{
    const struct token_row *t = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_TOKEN_REVOKE, &changed, ARGS(V_TEXT(t->tenant), V_TEXT(t->name), V_INT(t->c->now))));
    return changed ? OK : say(db_arena(db), ERR_NOT_FOUND, "there is no such token");
}

enum err token_revoke(struct ctx *c, text name)
{
    struct token_row row = { .c = c, .name = name, .tenant = c->tenant };
    struct write w = { .run = run_revoke, .arg = &row, .event = event_of(c, NULL, TEXT("token.revoke")) };
    return write_do(c, &w, NULL);
}

/* ---- The list. ---- */

/* A moment, or null when the column is. */
static void put_moment(struct ctx *c, struct json_out *w, const char *name, bool none, msec at)
{
    json_pair(w, text_of(name), none ? (text){ NULL, 0 } : time_print(c->arena, at));
}

static void put_token(struct ctx *c, struct query *q, struct json_out *w)
{
    bool ends = !query_null(q, TOKEN_LIST, expires), revoked = !query_null(q, TOKEN_LIST, revoked);
    bool over = ends && query_get(q, TOKEN_LIST, expires) <= c->now;
    bool waits = query_null(q, TOKEN_LIST, accepted) && policy_tenant(c->policy, c->tenant)->stored;
    text usable = waits ? TEXT("waits") : TEXT("valid");
    text state = over ? TEXT("expired") : usable;
    json_open(w, '{');
    json_pair(w, TEXT("name"), query_get(q, TOKEN_LIST, name));
    json_pair(w, TEXT("actor"), query_get(q, TOKEN_LIST, actor));
    json_pair(w, TEXT("state"), revoked ? TEXT("revoked") : state);
    if (!query_null(q, TOKEN_LIST, subject))
        json_pair(w, TEXT("holder"), id_column(c->arena, q, COL(TOKEN_LIST, subject)));
    put_moment(c, w, "created", false, query_get(q, TOKEN_LIST, created));
    put_moment(c, w, "expires", !ends, query_get(q, TOKEN_LIST, expires));
    put_moment(c, w, "revoked", !revoked, query_get(q, TOKEN_LIST, revoked));
    json_close(w, '}');
}

/* "created.digest" of the row that q stands on: where the page after begins. */
static text place_of(struct ctx *c, struct query *q)
{
    BUF_AUTO b = buf_make(256);
    buf_print(&b, "%lld.", (long long)query_get(q, TOKEN_LIST, created));
    buf_hex(&b, query_get(q, TOKEN_LIST, digest));
    return buf_made(c->arena, &b);
}

enum err token_list(struct ctx *c, const struct paging *asked, struct answer *out)
{
    text after = asked->after, place = { NULL, 0 };
    struct digest from = { 0 };
    int64_t created = -1, rows = 0;
    bool more;
    if (after.n && (!paging_number(&after, &created) || !decode_hex(after, &from, sizeof from)))
        return paging_unknown(c);
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOKEN_LIST,
                ARGS(V_TEXT(c->tenant), V_INT(asked->limit + 1), V_INT(created), V_BYTES(TEXT_BYTES(from))));
    json_open(&w, '{');
    json_name(&w, TEXT("tokens"));
    json_open(&w, '[');
    while (paging_row(asked, &q, &rows, &more)) {
        put_token(c, &q, &w);
        if (rows == asked->limit)
            place = place_of(c, &q);
    }
    TRY(q.status);
    json_close(&w, ']');
    TRY(paging_end(c, more, place, &w, out));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- By the tenant whose data is only stored. ---- */

static enum err own_staff(struct ctx *c)
{
    const struct tenant *t = policy_tenant(c->policy, c->tenant);
    bool own = t && t->stored && c->actor.index >= 0 && bits_has(&t->roles, (unsigned)c->actor.index);
    if (own && (!c->session || !c->session->closed.n))
        return OK;
    say_clause(c->arena, ERR_FORBIDDEN, t ? &t->clause : &c->policy->rights_clause,
               "that is for the own staff of a tenant whose data is only stored");
    return actor_refused(c);
}

static enum err own_staff_again(struct ctx *c, const struct decided *d)
{
    (void)d; /* whoever decides is asked about before: session, token, role */
    return own_staff(c);
}

enum err token_tenant_list(struct ctx *c, const struct paging *asked, struct answer *out)
{
    TRY(own_staff(c));
    return token_list(c, asked, out);
}

static enum err run_accept(struct db *db, struct write *w)
{
    const struct token_row *t = w->arg;
    int64_t added;
    TRY(db_run(db, SQL_TOKEN_ACCEPT, &added, ARGS(V_TEXT(t->tenant), V_TEXT(t->name), V_INT(t->c->now))));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOKEN_NAMED, ARGS(V_TEXT(t->tenant), V_TEXT(t->name)));
    bool there = query_next(&q);
    TRY(q.status);
    return there ? OK : say(db_arena(db), ERR_NOT_FOUND, "there is no such token");
}

enum err token_tenant_decide(struct ctx *c, text name, bool accept)
{
    struct token_row row = { .c = c, .name = name, .tenant = c->tenant };
    TRY(own_staff(c));
    if (!c->actor.reason.n)
        c->actor.reason = name; /* what it is about says enough, where the role must give a reason */
    if (accept && c->session)
        TRY(session_fresh(c));
    TRY(decided_add(c, (struct decided){ .again = own_staff_again }, NULL));
    struct write w = { .run = accept ? run_accept : run_revoke,
                       .arg = &row,
                       .event = event_of(c, NULL, accept ? TEXT("token.accepted") : TEXT("token.revoke")) };
    return write_do(c, &w, NULL);
}

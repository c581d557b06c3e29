/* Decisions of a request, asked again on the writer's own connection: what changed in between is seen, and nothing
 * acknowledged is ignored. */
#include "domain/core/decided.h"
#include "domain/core/instance.h"
#include "domain/core/actor.h"
#include "domain/core/token_kept.h"

struct decisions {
    struct decided *first, **last;
    struct db *inside; /* NULL outside a write */
    struct refused refused;
    const struct decided *before; /* the one that was asked before this in the same write; NULL: none was */
};

static struct decisions *decisions_of(struct ctx *c)
{
    if (!c->decisions && (c->decisions = NEW(c->arena, struct decisions)))
        c->decisions->last = &c->decisions->first;
    return c->decisions;
}

bool decided_inside(const struct ctx *c) { return c->decisions && c->decisions->inside; }

enum err decided_read(struct ctx *c, struct db **out)
{
    if (!decided_inside(c))
        return store_read(ctx_store(c), c->arena, out);
    *out = c->decisions->inside;
    return OK;
}

enum err decided_add(struct ctx *c, struct decided d, const struct person *p)
{
    if (decided_inside(c))
        return OK;
    struct decisions *all = decisions_of(c);
    struct decided *kept = NEW(c->arena, struct decided);
    TRY_PTR(all);
    TRY_PTR(kept);
    *kept = d;
    kept->asked = *c;
    kept->has_person = p != NULL;
    if (p) {
        kept->person = *p;
        key_wipe(&kept->person.key); /* the journal's pseudonym is all of it that is needed */
    }
    *all->last = kept;
    all->last = &kept->next;
    return OK;
}

void decided_done(struct ctx *c)
{
    if (c->decisions)
        *c->decisions = (struct decisions){ .last = &c->decisions->first };
}

/* ---- Refusals. ---- */

void decided_refuse(struct ctx *c, const struct person *p, text purpose, text categories)
{
    struct refused *r = &c->decisions->refused;
    *r = (struct refused){
        .code = c->arena->why.code, .has_person = p != NULL, .purpose = purpose, .categories = categories
    };
    if (p)
        r->person = *p;
}

const struct refused *decided_refused(const struct ctx *c, enum err status)
{
    return status != OK && c->decisions && c->decisions->refused.code == status ? &c->decisions->refused : NULL;
}

/* ---- Who asks. ---- */

static enum err no_longer(struct ctx *c)
{
    return say(c->arena, ERR_UNAUTHORISED, "who asked is signed in no longer, or in another role");
}

/* Columns `role` and `agreement` of account, as they are now. */
static enum err same_role(struct ctx *c, struct query *q, struct col role, struct col agreement, text was)
{
    if (!text_eq(query_bytes(q, role), was))
        return no_longer(c);
    c->actor.agreement = !query_is_null(q, agreement);
    return OK;
}

static enum err session_still(struct ctx *c, struct db *db)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_SESSION_GET, ARGS(V_BYTES(TEXT_BYTES(c->session->digest))));
    if (!query_next(&q))
        return q.status != OK ? q.status : no_longer(c);
    return same_role(c, &q, COL(SESSION_GET, role), COL(SESSION_GET, agreement), c->session->role);
}

static enum err token_still(struct ctx *c, struct db *db)
{
    struct known_token t;
    if (token_kept(c->app->tokens, ctx_store(c), db, c->arena, &c->actor.proof, c->now, &t))
        return OK;
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOKEN_FIND, ARGS(V_BYTES(TEXT_BYTES(c->actor.proof)), V_INT(c->now)));
    if (!query_next(&q))
        return q.status != OK ? q.status : say(c->arena, ERR_UNAUTHORISED, "the token is not valid");
    if (query_null(&q, TOKEN_FIND, subject))
        return OK;
    return same_role(c, &q, COL(TOKEN_FIND, role), COL(TOKEN_FIND, agreement), c->actor.name);
}

/* ---- All of it. ---- */

/* The person's row, as it is now, is in d->person. */
static enum err person_now(struct ctx *c, struct db *db, struct decided *d)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBJECT_GET, ARGS(V_TEXT(c->tenant), V_ID(d->person.id)));
    d->there = query_next(&q);
    TRY(q.status);
    if (d->there) {
        d->person.state = (enum person_state)query_get(&q, SUBJECT_GET, state);
        d->person.restricted = query_get(&q, SUBJECT_GET, restricted) != 0;
    }
    return OK;
}

/* Decisions of one request are mostly of one caller about one person: what was found for the one before serves, since
 * nothing is written between. */
static bool same_caller(const struct ctx *a, const struct ctx *b)
{
    return a->session == b->session && a->actor.by_token == b->actor.by_token && text_eq(a->tenant, b->tenant) &&
           text_eq(a->actor.name, b->actor.name) &&
           memcmp(&a->actor.proof, &b->actor.proof, sizeof a->actor.proof) == 0;
}

static bool same_person(const struct decided *a, const struct decided *b)
{
    return a->has_person && text_eq(a->asked.tenant, b->asked.tenant) &&
           memcmp(&a->person.id, &b->person.id, sizeof a->person.id) == 0;
}

static enum err caller_now(struct ctx *c, struct db *db, const struct decided *before)
{
    if (before && same_caller(&before->asked, c)) {
        c->actor.agreement = before->asked.actor.agreement;
        return OK;
    }
    if (c->session)
        return session_still(c, db);
    return c->actor.by_token ? token_still(c, db) : OK;
}

static enum err ask_one(struct ctx *c, struct db *db, struct decided *d)
{
    const struct decided *before = c->decisions->before;
    struct ctx again = d->asked;
    again.arena = c->arena;
    again.decisions = c->decisions;
    TRY(caller_now(&again, db, before));
    d->asked.actor.agreement = again.actor.agreement;
    if (d->has_person && before && same_person(before, d)) {
        d->there = before->there;
        d->person.state = before->person.state;
        d->person.restricted = before->person.restricted;
    } else if (d->has_person)
        TRY(person_now(&again, db, d));
    return d->again(&again, d);
}

enum err decided_ask(struct ctx *c, struct db *db)
{
    struct decisions *all = c->decisions;
    enum err status = OK;
    if (!all)
        return OK;
    all->inside = db;
    all->refused = (struct refused){ 0 };
    all->before = NULL;
    for (struct decided *d = all->first; d && status == OK; d = d->next) {
        status = ask_one(c, db, d);
        all->before = d;
    }
    all->inside = NULL;
    return status;
}

enum err person_settled(struct ctx *c, enum err status)
{
    bool there = true;
    if ((status != ERR_ERASED && status != ERR_INTEGRITY && status != ERR_CRYPT) || !c->decisions)
        return status;
    struct why why = c->arena->why;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    for (struct decided *d = c->decisions->first; d && there; d = d->next)
        if (d->has_person) {
            TRY(person_now(&d->asked, db, d));
            there = d->there;
        }
    if (!there)
        return person_absent(c);
    c->arena->why = why;
    return status;
}

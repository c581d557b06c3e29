/* Who acts: by token, as the operator, as a signed-in person. */
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/core/token_kept.h"
#include "domain/core/write.h"
#include "domain/core/data_subject.h"

bool actor_known_tenant(const struct policy *p, text name, text *out)
{
    for (unsigned i = 0; i < p->tenant_count; i++)
        if (text_eq(p->tenants[i], name)) {
            *out = p->tenants[i];
            return true;
        }
    return false;
}

static enum err set_operator(struct ctx *c, text tenant)
{
    if (!tenant.n && c->policy->tenant_count > 1)
        return say(c->arena, ERR_USAGE, "this instance serves %u tenants: name one", c->policy->tenant_count);
    if (tenant.n && !actor_known_tenant(c->policy, tenant, &c->tenant))
        return say(c->arena, ERR_NOT_FOUND, "there is no such tenant");
    c->actor = (struct actor){ .kind = ACTOR_OPERATOR,
                               .name = TEXT("operator"),
                               .index = policy_actor(c->policy, TEXT("operator")),
                               .agreement = true };
    return OK;
}

enum err actor_operator(struct ctx *c, text tenant)
{
    TRY(set_operator(c, tenant));
    const struct tenant *t = policy_tenant(c->policy, c->tenant);
    if (policy_tenant_has(c->policy, t, OPERATOR))
        return OK;
    say_clause(c->arena, ERR_FORBIDDEN, &t->clause, "%.*s", T(verdict_text(REFUSED_STORED, c->language)));
    return actor_refused(c);
}

enum err actor_operator_lets_in(struct ctx *c, text tenant) { return set_operator(c, tenant); }

static enum err set_class(struct ctx *c, text actor, text tenant)
{
    int index = policy_actor(c->policy, actor);
    text name = arena_copy(c->arena, actor);
    /* A class or tenant that the policy in force no longer has lets nobody in. */
    if (index < 0 || !actor_known_tenant(c->policy, tenant, &c->tenant) ||
        !policy_tenant_has(c->policy, policy_tenant(c->policy, c->tenant), index))
        return say(c->arena, ERR_UNAUTHORISED, "the token is not valid");
    c->actor.kind = c->policy->actors[index].kind;
    c->actor.index = index;
    c->actor.name = name;
    return OK;
}

/* A token that stands for somebody ends with their place in that role: it has their agreement, their team, and their
 * name in the journal. */
static enum err set_holder(struct ctx *c, struct query *q)
{
    KEY_AUTO key;
    text id = query_get(q, TOKEN_FIND, subject);
    if (id.n != SUBJECT_ID || !text_eq(query_get(q, TOKEN_FIND, role), c->actor.name) ||
        query_null(q, TOKEN_FIND, state) || query_get(q, TOKEN_FIND, state) != PERSON_ACTIVE)
        return say(c->arena, ERR_UNAUTHORISED, "the token is not valid");
    memcpy(&c->actor.self, id.p, SUBJECT_ID);
    c->actor.has_self = true;
    c->actor.agreement = !query_null(q, TOKEN_FIND, agreement);
    TRY(store_key(ctx_store(c), c->arena, c->tenant, c->actor.self, 0, &key));
    journal_pseudonym(&key, &c->actor.by);
    return OK;
}

/* The operator makes tokens; where it only stores, the tenant alone opens its data with one (domain/support). */
static enum err waits_for_tenant(struct ctx *c)
{
    const struct tenant *t = policy_tenant(c->policy, c->tenant);
    c->actor = (struct actor){ .kind = ACTOR_NOBODY, .index = -1, .name = TEXT("nobody") };
    say_clause(c->arena, ERR_UNAUTHORISED, &t->clause, "the tenant has not accepted this token");
    return actor_refused(c);
}

static enum err set_token(struct ctx *c, const struct known_token *t, bool *waits)
{
    c->actor.token = t->name;
    c->actor.by_token = true;
    TRY(set_class(c, t->actor, t->tenant));
    *waits = policy_tenant(c->policy, c->tenant)->stored && !t->accepted;
    return OK;
}

static enum err read_token(struct ctx *c, bool *waits)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOKEN_FIND, ARGS(V_BYTES(TEXT_BYTES(c->actor.proof)), V_INT(c->now)));
    bool found = query_next(&q);
    TRY(q.status);
    if (!found)
        return say(c->arena, ERR_UNAUTHORISED, "the token is not valid");
    struct known_token t = { .tenant = query_get(&q, TOKEN_FIND, tenant),
                             .name = arena_copy(c->arena, query_get(&q, TOKEN_FIND, name)),
                             .actor = query_get(&q, TOKEN_FIND, actor),
                             .accepted = !query_null(&q, TOKEN_FIND, accepted),
                             .ends = !query_null(&q, TOKEN_FIND, expires) };
    t.expires = t.ends ? query_get(&q, TOKEN_FIND, expires) : 0;
    TRY_PTR(t.name.p);
    TRY(set_token(c, &t, waits));
    if (!query_null(&q, TOKEN_FIND, subject))
        return set_holder(c, &q);
    token_keep(c->app->tokens, &c->actor.proof, store_moment(db), &t);
    return OK;
}

static enum err find_token(struct ctx *c, text token, bool *waits)
{
    struct known_token t;
    digest_identifier(store_lookup_key(ctx_store(c)), TEXT(""), TEXT("token"), token, &c->actor.proof);
    if (token_kept(c->app->tokens, ctx_store(c), NULL, c->arena, &c->actor.proof, c->now, &t))
        return set_token(c, &t, waits);
    return read_token(c, waits);
}

enum err actor_by_token(struct ctx *c, text token)
{
    bool waits = false;
    TRY(find_token(c, token, &waits));
    return waits ? waits_for_tenant(c) : OK;
}

struct ask actor_ask(const struct ctx *c, int purpose, int category, enum act act)
{
    return (struct ask){ .actor = c->actor.index,
                         .purpose = purpose,
                         .category = category,
                         .act = act,
                         .agreement = c->actor.agreement,
                         .tenant = policy_tenant(c->policy, c->tenant),
                         .support = c->actor.support };
}

enum err actor_refused(struct ctx *c) { return write_refusal(c, NULL, TEXT(""), TEXT("")); }

enum err person_absent(struct ctx *c)
{
    bool team = person_sees_team(c);
    if (c->actor.index < 0 || (c->actor.kind != ACTOR_PERSON && !team))
        return say(c->arena, ERR_NOT_FOUND, "there is no such person");
    return say_clause(c->arena, ERR_NOT_FOUND, &c->policy->actors[c->actor.index].clause, "there is no such person%s",
                      team ? " in your team" : "");
}

bool person_sees_team(const struct ctx *c)
{
    return c->actor.index >= 0 && c->policy->actors[c->actor.index].sees_team;
}

struct actor actor_server(void) { return (struct actor){ .kind = ACTOR_NOBODY, .index = -1, .name = TEXT("garant") }; }

void actor_become(struct ctx *c, struct subject_id self)
{
    text token = c->actor.token; /* keeps one person's repeated requests apart from another's */
    c->actor = (struct actor){ .kind = ACTOR_PERSON,
                               .index = PERSON,
                               .name = c->policy->actors[PERSON].name,
                               .token = token,
                               .agreement = true,
                               .has_self = true,
                               .self = self };
}

void session_as_person(struct ctx *c) { actor_become(c, c->actor.self); }
text session_self(struct ctx *c) { return id_print(c->arena, c->actor.self); }

/* A clock that was set back proves nothing. */
bool session_is_fresh(const struct ctx *c, const struct session *s)
{
    return c->now >= s->authenticated && c->now - s->authenticated <= FRESH;
}

enum err session_fresh(struct ctx *c)
{
    if (c->session && session_is_fresh(c, c->session))
        return OK;
    return say(c->arena, ERR_REAUTHENTICATE, "this needs the password to have been typed within %d minutes",
               FRESH / MINUTE);
}

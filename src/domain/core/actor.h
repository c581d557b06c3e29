/* Who acts: by token, as the operator, as a signed-in person. */
#ifndef DOMAIN_CORE_ACTOR_H
#define DOMAIN_CORE_ACTOR_H
#include "base/err.h"
#include "base/clock.h"
#include "base/id.h"

#include "policy/policy.h"

struct ctx;

/* Who a bearer token is. ERR_UNAUTHORISED alike for unknown, expired and revoked. Sets c->actor and c->tenant. */
enum err actor_by_token(struct ctx *c, text token);
/* The operator, on the data folder's own socket or the command line. Empty tenant: the only one, else ERR_USAGE. */
enum err actor_operator(struct ctx *c, text tenant);
/* The same where it may let somebody in for a tenant whose data it only stores (LETS_IN of routes.def):
 * actor_operator() refuses that tenant, on record. */
enum err actor_operator_lets_in(struct ctx *c, text tenant);
/* The reason in c->arena->why is why this caller is turned away before any function is asked: on record like every
 * refusal, and returned. */
enum err actor_refused(struct ctx *c);
/* What the policy is asked for this actor, on the data of c->tenant; what it needs of a person is still to be filled
 * in. purpose, category: indexes, as in struct ask. */
struct ask actor_ask(const struct ctx *c, int purpose, int category, enum act act);
/* ERR_NOT_FOUND: unknown, erased, closed and out of reach alike; who reaches some people only is told so by the clause
 * of their role. */
enum err person_absent(struct ctx *c);
/* Whether lists hold only the team of the actor (actor.self; nobody's when a token stands for no manager). */
bool person_sees_team(const struct ctx *c);
/* The token of a session against forged requests: of the session, then a mark of its person that outlives it
 * (domain/account/kept.h). */
enum { CSRF_TEXT = 65, CSRF_MARK = 22, FRESH = 15 * MINUTE };
struct session {
    struct subject_id subject;
    struct digest digest;                /* of its secret: never shown */
    text id;                             /* its name in lists */
    msec created, seen, idle_ends, ends; /* seen: the use before this one */
    msec authenticated;                  /* when credentials were last given */
    bool factor;                         /* a second factor was given */
    text role, language;                 /* of the account; empty when none */
    text closed;                         /* why its role may not act yet: "factor", "agreement", or empty */
    char csrf[CSRF_TEXT + 1];
};
/* The signed-in person acts on their own data, whatever their role. */
void session_as_person(struct ctx *c);
/* The id of the signed-in person, as texts are. */
text session_self(struct ctx *c);
/* ERR_REAUTHENTICATE unless credentials were given within FRESH: before what harms most in a stranger's hands. */
enum err session_fresh(struct ctx *c);
/* The tenant of that name, as the policy writes it. */
bool actor_known_tenant(const struct policy *p, text name, text *out);
/* From now on that person acts, on their own data. */
void actor_become(struct ctx *c, struct subject_id self);
/* The server itself, for what it does whoever asks: it is no person's reach that decides. */
struct actor actor_server(void);
/* Whether credentials were given within FRESH; not when the clock was set back since. */
bool session_is_fresh(const struct ctx *c, const struct session *s);

#endif

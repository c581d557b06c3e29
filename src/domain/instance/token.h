/* Tokens of programs: made and revoked. */
#ifndef DOMAIN_INSTANCE_TOKEN_H
#define DOMAIN_INSTANCE_TOKEN_H
#include "base/err.h"
#include "base/clock.h"

struct ctx;

/* `holder` (an account's id; empty: none): for whom a token of their role stands. Without one a role that needs a
 * confidentiality agreement stays closed to it, and one that sees its team sees nobody. */
enum err token_create(struct ctx *c, text name, text actor, text tenant, text holder, msec expires, text *token);
enum err token_revoke(struct ctx *c, text name);
/* A tenant whose data is only stored decides on the tokens that the operator made for it: its own staff lists them,
 * accepts one, which then opens what its class may, or revokes it. ERR_FORBIDDEN, on record, for everybody else.
 * `accept` false: revoke. ERR_NOT_FOUND for one that is not there; accepting twice does no harm. */
struct paging;
struct answer;
enum err token_tenant_list(struct ctx *c, const struct paging *asked, struct answer *out);
enum err token_tenant_decide(struct ctx *c, text name, bool accept);
/* {"tokens": [{"name", "actor", "state": valid, expired, revoked, or waits (the tenant has not accepted it), "holder"?,
 * "created", "expires", "revoked"}]}, by time of their making; never the secrets, which nobody has but their owners. */
enum err token_list(struct ctx *c, const struct paging *asked, struct answer *out);

#endif

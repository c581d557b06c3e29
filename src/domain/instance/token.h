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
/* {"tokens": [{"name", "actor", "state": valid, expired or revoked, "holder"?, "created", "expires", "revoked"}]}, by time of their
 * making; never the secrets, which nobody has but their owners. */
struct paging;
struct answer;
enum err token_list(struct ctx *c, const struct paging *asked, struct answer *out);

#endif

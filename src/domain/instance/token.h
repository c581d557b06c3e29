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

#endif

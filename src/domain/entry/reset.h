/* A forgotten password: a link that works once, sent to the address that is held; asking says nothing of whether there
 * is an account. */
#ifndef DOMAIN_ENTRY_RESET_H
#define DOMAIN_ENTRY_RESET_H
#include "domain/entry/signin.h"
#include "base/err.h"

struct ctx;

struct json;

/* POST /v1/password/reset {identifier, tenant?}: always OK, after the same work, which does not even look whether there
 * is an account. */
enum err reset_ask(struct ctx *c, const struct json *in);
/* What follows from it, at the next tick: the link and its letter. Letters to one account: five a day, then one a
 * quarter of an hour. */
enum err reset_tick(struct ctx *c);
/* Whether the link still works: before its page is shown. ERR_NOT_FOUND. */
enum err reset_look(struct ctx *c, text secret);
/* POST /v1/password/reset/confirm {token, password}: sets it, ends every session and every other link, and tells the
 * address that is held. ERR_NOT_FOUND for a link that is unknown, used or over; ERR_PASSWORD leaves it usable. */
enum err reset_confirm(struct ctx *c, const struct json *in);

#endif

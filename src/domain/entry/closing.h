/* Closing an account. */
#ifndef DOMAIN_ENTRY_CLOSING_H
#define DOMAIN_ENTRY_CLOSING_H
#include "base/err.h"

struct answer;
struct ctx;
struct db;
struct person;

/* Unreachable from now on, by sign-in or otherwise; archived and erased by the policy's retention (`closure`). */
enum err account_close(struct ctx *c, text id, struct answer *out);
/* When all of a person's data is erased if their account is closed now; 0 when that is not known, or a hold is open. */
enum err closing_until(struct ctx *c, text id, msec *until);
/* The event `closure`, now: the person is out of reach, their sessions and links end, their address is reserved or free
 * as the policy says. `also` (may be NULL) goes into the same commit. Whether this actor may is asked before. */
enum err retention_close(struct ctx *c, const struct person *p, enum err (*also)(struct db *db, void *arg), void *arg,
                         struct answer *out);

#endif

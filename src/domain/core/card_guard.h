/* Refusals of what the door found to hold a payment card number (MO-20, DM-11). */
#ifndef DOMAIN_CORE_CARD_GUARD_H
#define DOMAIN_CORE_CARD_GUARD_H
#include "domain/core/ctx.h"

struct person;

/* OK, or ERR_CARD_NUMBER with its entry in the journal when c->card_in is set: asked by the door for writing. */
enum err card_guard_write(struct ctx *c);
/* That refusal, on record, of that person when there is one. */
enum err card_guard_refused(struct ctx *c, const struct person *p);

#endif

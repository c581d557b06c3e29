/* Refusals of what the door found to hold a payment card number (MO-20, DM-11). */
#ifndef DOMAIN_CARD_GUARD_H
#define DOMAIN_CARD_GUARD_H
#include "domain/ctx.h"

/* c->card_in names where one was found: ERR_CARD_NUMBER with that name in why.field, and a refusal in the journal, of the person `id` when it
 * is one. ERR_NOT_FOUND when there is no such person for this actor. */
enum err card_guard_refuse(struct ctx *c, text id);
/* OK, or ERR_CARD_NUMBER with its entry in the journal when c->card_in is set: asked by the door for writing. */
enum err card_guard_write(struct ctx *c);

#endif

/* Refusals of a card number in what concerns one person. */
#ifndef DOMAIN_PERSON_CARD_REFUSE_H
#define DOMAIN_PERSON_CARD_REFUSE_H
#include "base/err.h"

struct ctx;

/* c->card_in names where one was found: ERR_CARD_NUMBER with that name in why.field, and a refusal in the journal, of
 * the person `id` when it is one. ERR_NOT_FOUND when there is no such person for this actor. */
enum err card_guard_refuse(struct ctx *c, text id);

#endif

/* The guard against payment card numbers at the door (MO-20, DM-11): whatever a request brings, by whatever route. */
#ifndef FRONT_DOOR_GUARD_H
#define FRONT_DOOR_GUARD_H
#include "front/door/request.h"

/* Looks through the parts of the path, the query, and the body (split over members, too), but for what guard.def
 * leaves. ERR_CARD_NUMBER, with the member in why.field and an entry in the journal. Of a page's form it only marks the
 * request (c->card_in): its first write is refused then, so that the page can say it where it was typed. */
enum err guard_cards(struct ctx *c, const struct request *q);

#endif

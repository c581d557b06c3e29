/* What may be kept of a form that a page sent and that cannot be done now (domain/account/kept.h). */
#ifndef FRONT_DOOR_KEPT_H
#define FRONT_DOOR_KEPT_H
#include "front/door/front.h"

/* Whether it may: sent by a page of this server for certain, by somebody who was signed in, and without a secret.
 * `*csrf` is its token. */
bool form_keeps(struct ctx *c, const struct request *q, text *csrf);

#endif

/* The sign-in, and the password again, with a form that waits for it (page_kept.h). */
#ifndef FRONT_OPEN_PAGE_DOOR_H
#define FRONT_OPEN_PAGE_DOOR_H
#include "front/door/front.h"

/* The sign-in page that carries a sealed form (kept_seal). */
enum err page_signin_keeping(struct ctx *c, const struct request *q, struct reply *r, text closed);
/* The page that asks for the password again, and carries one. */
enum err page_again_keeping(struct ctx *c, const struct request *q, struct reply *r, text closed);

#endif

/* A form that goes on after its person has signed in, or proved again who they are. */
#ifndef FRONT_OPEN_PAGE_KEPT_H
#define FRONT_OPEN_PAGE_KEPT_H
#include "front/door/front.h"

/* The page that asks for what is missing, with the form sealed in it; by the reason in the arena (router.h). The reason
 * itself when it can be no page. */
enum err page_keep_form(struct ctx *c, const struct request *q, struct reply *r, text csrf);
/* After a sign-in that brought such a form ("kept"): the page on which one press sends it. False: it brought none, or
 * none of this person. */
bool page_kept_goes_on(struct ctx *c, const struct request *q, struct reply *r, enum err *status);

#endif

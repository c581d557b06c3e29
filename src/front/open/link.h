/* A letter's link that does not work, or no longer: the page that says why, and what to do now. */
#ifndef FRONT_OPEN_LINK_H
#define FRONT_OPEN_LINK_H
#include "front/door/front.h"

enum link_of { LINK_OF_INVITATION, LINK_OF_REGISTRATION, LINK_OF_RESET, LINK_OF_ADDRESS };
/* Answers with it when `e` is ERR_NOT_FOUND, by what became of the link (ticket_fate); any other reason is passed up.
 */
enum err link_gone(struct ctx *c, const struct request *q, struct reply *r, enum link_of of, text token, enum err e);

#endif

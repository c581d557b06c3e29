/* A letter's link that does not work, or no longer: the page that says which it is, and what to do now. */
#ifndef FRONT_PAGE_PAGE_LINK_H
#define FRONT_PAGE_PAGE_LINK_H
#include "domain/person/account.h"
#include "front/page/page.h"

/* kind: of the words. Those are looked for as link.FATE.KIND, then link.FATE; link.do.KIND.FATE, then link.do.KIND. */
struct link_gone {
    enum link_fate fate;
    text kind;
    text path, ask;    /* where a new one is asked for, and the word of that button; empty without one */
    text renew, token; /* where a press sends a new one, of that token; empty without one */
    bool contact;      /* only the controller can help: their address is shown */
    bool without;      /* nobody who has an account is meant: no button to sign in */
};
/* Answers with it, with the status of `e`, which is why the link does not work. */
enum err page_link_gone(struct ctx *c, const struct request *q, struct reply *r, const struct link_gone *g, enum err e);

#endif

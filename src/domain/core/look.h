/* A look at a person's data by a role that must say why: the reason is asked before, kept sealed beside the journal
 * entry, and shown to that person. */
#ifndef DOMAIN_CORE_LOOK_H
#define DOMAIN_CORE_LOOK_H
#include "domain/core/ctx.h"

enum { REASON_MAX = 500 };
/* The caller says why they look: it stands for the rest of the request. ERR_VALUE for more than REASON_MAX bytes,
 * control bytes or what is not UTF-8; ERR_CARD_NUMBER. Blanks around it do not count. What then lacks a reason is
 * refused with ERR_REASON. */
enum err look_reason(struct ctx *c, text reason);

#endif

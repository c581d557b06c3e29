/* A look at a person's data by a role that must say why: the reason is asked before, kept sealed beside the journal entry, and shown to that person. */
#ifndef DOMAIN_LOOK_H
#define DOMAIN_LOOK_H
#include "domain/person.h"

enum { REASON_MAX = 500 };
/* The caller says why they look: it stands for the rest of the request. ERR_VALUE for more than REASON_MAX bytes, control bytes or what is not
 * UTF-8; ERR_CARD_NUMBER. Blanks around it do not count. */
enum err look_reason(struct ctx *c, text reason);
/* ERR_REASON, on record, when the policy's role wants a reason for each look (roles.*.reason) and none was said. person_allow() asks it. */
enum err look_allow(struct ctx *c, const struct person *p, text purpose, text categories);
/* Seals the reason, if there is one, under the person's key as the detail of the event: it goes with them. */
enum err look_seal(struct ctx *c, const struct person *p, struct event *e);
/* The reason of an entry about that person, from its detail. */
enum err look_open(struct ctx *c, const struct person *p, sealed detail, text *out);

#endif

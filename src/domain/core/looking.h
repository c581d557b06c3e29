/* What the domain's files do about reasons of looks: ask for them, seal them, open them. */
#ifndef DOMAIN_CORE_LOOKING_H
#define DOMAIN_CORE_LOOKING_H
#include "domain/core/look.h"
#include "domain/core/data_subject.h"

struct event;

/* ERR_REASON, on record, when the policy's role wants a reason for each look (roles.*.reason) and none was said.
 * person_allow() asks it. */
enum err look_allow(struct ctx *c, const struct person *p, text purpose, text categories);
/* Seals the reason, if there is one, under the person's key as the detail of the event: it goes with them. */
enum err look_seal(struct ctx *c, const struct person *p, struct event *e);
/* The same for any act about a person, whose key is fetched: what a role that gave a reason did besides looking. */
enum err look_seal_act(struct ctx *c, struct event *e);
/* The reason of an entry about that person, from its detail. */
enum err look_open(struct ctx *c, const struct person *p, sealed detail, text *out);

#endif

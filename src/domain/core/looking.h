/* What the domain's files do about reasons of looks: ask for them, seal them, open them. */
#ifndef DOMAIN_CORE_LOOKING_H
#define DOMAIN_CORE_LOOKING_H
#include "domain/core/look.h"
#include "domain/core/data_subject.h"

struct bits;
struct event;

/* ERR_REASON, on record, when the policy's role wants a reason (roles.*.reason) and none was said: for a look, and for
 * an act as well. Every decision asks it, look_at_person() and the door for writing again. `categories` may be NULL. */
enum err look_allow(struct ctx *c, const struct person *p, text purpose, const struct bits *categories);
/* Seals the reason, if there is one, under the person's key as the detail of the event: it goes with them. */
enum err look_seal(struct ctx *c, const struct person *p, struct event *e);
/* The same for any act about a person, whose key is fetched: what a role that gave a reason did besides looking. */
enum err look_seal_act(struct ctx *c, struct event *e);
/* The same with one thing more that the act itself tells (who supplied the data, where a paper is); `value` may be
 * empty. */
enum err look_seal_told(struct ctx *c, const struct person *p, text name, text value, struct event *e);
/* What an entry about that person tells of `name` ("reason", or one of look_seal_told()), from its detail; p NULL:
 * nothing. */
enum err look_open(struct ctx *c, const struct person *p, sealed detail, text name, text *out);

#endif

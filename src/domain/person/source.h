/* Where data come from, said or derived, and what is owed to the person for it (GDPR 14). */
#ifndef DOMAIN_PERSON_SOURCE_H
#define DOMAIN_PERSON_SOURCE_H
#include "domain/core/data_subject.h"

struct bits;
struct event;

struct ctx;

/* inform: until when the person is owed the information of Art. 14, since data came from a third party; 0: it is not.
 */
struct source_taken {
    text name;
    msec inform;
};
/* The source that was said for those categories: one of the policy, which they may come from. When none was said: the
 * person, when they write themselves; the only one that the policy leaves; the one that bears the actor's name; else
 * the actor, who alone is known to have brought it. */
enum err source_take(struct ctx *c, text said, const struct bits *categories, struct source_taken *out);
/* The same where one must be said. */
enum err source_said(struct ctx *c, text said, const struct bits *categories, struct source_taken *out);
/* ERR_MISSING: that member of the body says it. */
enum err source_missing(struct ctx *c, text member);
/* What the policy says of categories that the server itself fills. */
text source_observed(const struct ctx *c, const struct bits *categories);
/* Who supplied the data of a person that an account was opened for, as it was typed then ("supplier"); empty when
 * nobody was named, or once the journal no longer has it. */
enum err source_supplier(struct ctx *c, const struct person *p, text *out);
/* Seals it, and the reason that the actor's role gave, as the detail of the journal's entry. */
enum err source_seal_supplier(struct ctx *c, const struct person *p, text supplier, struct event *e);

#endif

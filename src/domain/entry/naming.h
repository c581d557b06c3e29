/* What staff call a person: the name that the policy's fields give, where their role may read it. */
#ifndef DOMAIN_ENTRY_NAMING_H
#define DOMAIN_ENTRY_NAMING_H
#include "base/err.h"

struct category;
struct ctx;
struct field;
struct person;

/* Where names stand, and the purpose under which they are read. */
struct naming {
    int category, purpose; /* category -1: this actor reads no name */
    const struct field *parts[2];
    unsigned count;
};
/* Of whoever is signed in as staff; for that purpose, or, where it is empty, for the first that allows it. A field that
 * is a name by its own name, else one by which people are found. */
void naming_of(const struct ctx *c, text purpose, struct naming *out);
/* The person's name; empty when they have none, or their own word (an objection, a consent, a restriction) keeps it. */
enum err naming_read(struct ctx *c, const struct naming *n, const struct person *p, text *out);

#endif

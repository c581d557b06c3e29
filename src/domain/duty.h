/* Duties owed to people: how the domain's own files add one. */
#ifndef DOMAIN_DUTY_H
#define DOMAIN_DUTY_H
#include "domain/person.h"

/* Inside a write: something is owed to this person (NULL: to nobody in particular) until `due`. kind: "inform" (Art. 14(3)), "tell" (Art. 19). */
enum err duty_add(struct db *db, text tenant, const struct subject_id *subject, text kind, text about, msec at, msec due);

#endif

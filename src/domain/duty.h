/* Duties owed to people: how the domain's own files add one. */
#ifndef DOMAIN_DUTY_H
#define DOMAIN_DUTY_H
#include "domain/person.h"

/* Inside a write: something is owed to this person (NULL: about one who is gone) until `due`. kind: a row of duties.def; `about` is the
 * source that supplied data, or the recipient to tell. `due` 0: the term of duties.def from `at`. */
enum err duty_add(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind, text about, msec at, msec due);
/* The same about one who is gone: `note` holds what the recipient knows them by, ids of disclosures. */
enum err duty_tell(struct db *db, text tenant, struct subject_id id, text recipient, text note, msec at);

#endif

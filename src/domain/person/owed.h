/* Duties owed to people: how one is added. */
#ifndef DOMAIN_PERSON_OWED_H
#define DOMAIN_PERSON_OWED_H
#include "base/err.h"
#include "base/clock.h"
#include "base/id.h"

struct db;

/* Inside a write: something is owed to this person (NULL: about one who is gone) until `due`. kind: a row of
 * duties.def; `about` is the source that supplied data, or the recipient to tell. `due` 0: the term of duties.def from
 * `at`. */
enum err duty_add(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind,
                  text about, msec at, msec due);
/* A recipient is to be told (GDPR 19), of one who is gone (subject NULL) or not: `note` holds what it knows them by,
 * ids of disclosures. */
enum err duty_tell(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind,
                   text recipient, text note, msec at);
struct duty_kind {
    text name;
    int months, days;
    text article, en, fr;
};
const struct duty_kind *owed_kind_of(text name);

#endif

/* Duties owed to people: how one is added. */
#ifndef DOMAIN_PERSON_OWED_H
#define DOMAIN_PERSON_OWED_H
#include "base/err.h"
#include "base/clock.h"
#include "base/id.h"

struct arena;
struct bits;
struct db;
struct policy;

/* Inside a write: something is owed to this person (NULL: about one who is gone) until `due`. kind: a row of
 * duties.def; `about` is the source that supplied data, or the recipient to tell. `due` 0: the term of duties.def from
 * `at`. */
enum err duty_add(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind,
                  text about, msec at, msec due);
/* A recipient is to be told (GDPR 19), of one who is gone (subject NULL) or not: `note` holds what it knows them by,
 * ids of disclosures. */
enum err duty_tell(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind,
                   text recipient, text note, msec at);
/* One recipient, with what it knows the person by: ids of disclosures. duty: the id of what is owed, once drawn. */
struct given {
    text recipient, disclosures;
    struct subject_id duty;
    struct given *next;
};
/* To whom data of the person was disclosed, in the order of the first time; an authority is none (GDPR 4(9)). changed:
 * of these categories alone; NULL: of any. In a's memory. */
enum err owed_given(struct db *db, struct arena *a, const struct policy *p, text tenant, struct subject_id subject,
                    const struct bits *changed, struct given **out);
struct duty_kind {
    text name;
    int months, days;
    text article, en, fr;
};
const struct duty_kind *owed_kind_of(text name);

#endif

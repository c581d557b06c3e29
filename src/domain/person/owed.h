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
/* One recipient, with what it knows the person by: ids of disclosures; and what of them is concerned, names of the
 * policy, empty: all. duty: the id of what is owed, once drawn. */
struct given {
    text recipient, disclosures, categories;
    struct subject_id duty;
    struct given *next;
};
/* A recipient is to be told (GDPR 19), of one who is gone (subject NULL) or not. */
enum err duty_tell(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind,
                   const struct given *given, msec at);
/* To whom data of the person was disclosed, in the order of the first time; an authority is none (GDPR 4(9)). changed:
 * of these categories alone; NULL: of any. since: at or after that moment; 0: ever. In a's memory. */
enum err owed_given(struct db *db, struct arena *a, const struct policy *p, text tenant, struct subject_id subject,
                    const struct bits *changed, msec since, struct given **out);
/* Inside a write: each of those is to be told. Where the same is owed to it and no try has begun, that row stays, and
 * names what was disclosed since as well. The ids are those behind `id`, which was drawn before. */
enum err owed_tell(struct db *db, const struct policy *p, text tenant, struct subject_id subject, text kind,
                   const struct bits *changed, msec since, struct subject_id id, msec at);
/* Inside a write: the restriction has ended. Nobody is told of it any more, and each who was, or may have been, is to
 * be told that it has (GDPR 19). Ids as above. */
enum err owed_release(struct db *db, const struct policy *p, text tenant, struct subject_id subject,
                      struct subject_id id, msec at);
/* Inside a write: what stands under `kind` is overtaken: whoever was not told is not, and none is asked again. */
enum err owed_overtaken(struct db *db, text tenant, struct subject_id subject, text kind, msec at);
struct duty_kind {
    text name;
    int months, days;
    text article, en, fr;
};
const struct duty_kind *owed_kind_of(text name);

#endif

/* What keeps data of a person beyond its term or their erasure: holds, restriction, and the starts of terms. For the domain's own files. */
#ifndef DOMAIN_KEEPING_H
#define DOMAIN_KEEPING_H
#include "domain/person.h"
#include "domain/retention.h"

struct hold { struct subject_id id; text category, ground; msec since, until; const struct hold *next; };   /* until 0: open */
struct keeping {
    struct starts starts;
    bool restricted;                           /* Art. 18: storage only, and no erasure by time */
    bool erased;                               /* what is left of an erased person */
    bool closed;                               /* their account is closed: out of reach, until nothing of theirs is left */
    const struct hold *holds;                  /* in force at the time asked for */
};
enum err keeping_load(struct db *db, struct arena *a, text tenant, struct subject_id id, msec now, struct keeping *out);
/* When the whole person goes, 0 for never: at the end of the policy's `accounts`, but not before the term of anything of theirs that is told
 * one of its own (what is `held` outlives them, and does not count). *account: the end of `accounts` alone, 0 when it has none. */
enum err keeping_person_end(struct db *db, const struct policy *policy, text tenant, struct subject_id id, const struct keeping *k, msec *account,
                            msec *end);
/* Inside a write: the account is closed, out of reach from then on. Its event, and what starts with it, are the caller's. */
enum err keeping_run_close(struct db *db, const struct policy *policy, text tenant, struct subject_id id, msec now);
/* The hold on that category that lasts longest, or NULL; a hold on "*" is on every category. */
const struct hold *keeping_hold(const struct keeping *k, text category);
/* ERR_CONFLICT, naming the clause or the hold, when data of that category must be kept now: Art. 17(3). */
enum err keeping_forbids(struct ctx *c, const struct person *p, text category);
/* Inside a write: the next sweep looks at all of the person's data of that category ("*": of all) and decides anew. */
enum err keeping_again(struct db *db, text tenant, struct subject_id id, text category, msec now);

#endif

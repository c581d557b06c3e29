/* What keeps data of a person beyond its term or their erasure: holds, restriction, and the starts of terms. For the
 * domain's own files. */
#ifndef DOMAIN_PERSON_KEEPING_H
#define DOMAIN_PERSON_KEEPING_H
#include "domain/core/data_subject.h"
#include "policy/due.h"

struct ctx;
struct db;
struct policy;

struct retention;

/* Until 0: open. */
struct hold {
    struct subject_id id;
    text category, ground, ground_fr; /* the ground in English and in French, alike where it was said once */
    msec since, until;
    const struct hold *next;
};
struct keeping {
    struct starts starts;
    bool restricted;          /* Art. 18: storage only, and no erasure by time */
    bool erased;              /* what is left of an erased person */
    bool altered;             /* by somebody else: restricted is set */
    bool closed;              /* their account is closed: out of reach, until nothing of theirs is left */
    const struct hold *holds; /* in force at the time asked for */
};
enum err keeping_load(struct db *db, struct arena *a, text tenant, struct subject_id id, msec now, struct keeping *out);
/* A thing of a person, as far as its end depends on it. */
struct kept_thing {
    text category;
    bool former; /* a former value, which has a term of its own */
    bool begun;  /* what terms `from: event` and `from: year_end` run from has happened, at `event` */
    msec at, event;
};
/* When it ends. Times: 0 when it has none, or what starts it is not known yet; KEEPING_PAST when nothing keeps it. */
enum { KEEPING_PAST = 1 };
struct keeping_end {
    msec archived;              /* it leaves the active base for the archive */
    msec own;                   /* it is erased, by the policy alone */
    msec until;                 /* it is erased, holds and restriction too: 0 as long as they are open */
    bool stopped;               /* a hold or a restriction is in force */
    bool open;                  /* and none of them says until when */
    const struct retention *by; /* the term that tells `own`; NULL: none does */
    const struct hold *hold;    /* the longest on it; NULL when there is none */
};
/* The one answer to "when does it end", for the sweep, pages, the access answer and export, certificates, archive and
 * board. What has no term of its own goes with the account; of an erased person only what the policy holds has a term,
 * the rest ends with its hold. */
struct keeping_end keeping_end(const struct policy *p, const struct keeping *k, const struct kept_thing *t);
/* What the erasure of that person, now, ends: their relation, and so what is told a term from its end. */
struct keeping keeping_ended(const struct keeping *k, msec now);
/* The same for what goes by itself, and for whoever only looks: of a person whose rows were altered behind the
 * program's back everything is kept as it is, as of one who is restricted, until that is put right. */
enum err keeping_careful(struct db *db, struct arena *a, text tenant, struct subject_id id, msec now,
                         struct keeping *out);
/* When the whole person goes, 0 for never: at the end of the policy's `accounts`, but not before the term of anything
 * of theirs that is told one of its own (what is `held` outlives them, and does not count); of a closed account as soon
 * as all that there is has come to its end, and at once when there is nothing. *account: the end of `accounts` alone, 0
 * when it has none. */
enum err keeping_person_end(struct db *db, const struct policy *policy, text tenant, struct subject_id id,
                            const struct keeping *k, msec *account, msec *end);
/* The same with a hold on all of them and a restriction: what the person is told; 0 while one of those is open. */
enum err keeping_person_until(struct db *db, const struct policy *policy, text tenant, struct subject_id id,
                              const struct keeping *k, msec *until);
/* The hold on that category that lasts longest, or NULL; a hold on "*" is on every category. */
const struct hold *keeping_hold(const struct keeping *k, text category);
/* ERR_CONFLICT, naming the clause or the hold, when data of that category must be kept now: Art. 17(3). */
enum err keeping_forbids(struct ctx *c, const struct person *p, text category);
/* Inside a write: the next sweep looks at all of the person's data of that category ("*": of all) and decides anew. */
enum err keeping_again(struct db *db, text tenant, struct subject_id id, text category, msec now);
/* The starts that the store knows for a person. */
enum err retention_starts(struct ctx *c, const struct person *p, struct starts *out);
#define MILESTONES(X) X(contract_end) X(closure) X(withdrawal) X(last_contact)

#endif

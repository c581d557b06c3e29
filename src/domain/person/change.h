/* A change of what is held of one person, made ready (checked, sealed, hashed) and then written in one commit. */
#ifndef DOMAIN_PERSON_CHANGE_H
#define DOMAIN_PERSON_CHANGE_H
#include "domain/core/data_subject.h"
#include "domain/person/permission.h"
#include "domain/person/record.h"
#include "store/store.h"

struct answer;
struct outside;
struct category;
struct ctx;
struct db;

struct json;

/* former: as it was looked up before (normal_former), so that whoever has it since then still has it. others: the same
 * as other fields that nobody confirms would have it, so that no name keeps out whose telephone it is. */
struct change_name {
    text field;
    struct digest digest, former;
};
struct change_identifier {
    text field;
    struct digest digest, former;
    bool remove;
    struct change_name *others;
    unsigned other_count;
};
struct change_consent {
    text purpose, channel, decision, method, actor, by,
        wording;       /* `by` names a person: it is sealed in the evidence; channel "" is none */
    text wording_kept; /* sealed */
    char wording_hash[65];
    sealed evidence;
    msec at;           /* when it was decided, if it is entered later; 0: now */
    text signed_on;    /* of one on paper or by telephone: as it was said; */
    text entered;      /* when it was put on record; */
    text scan;         /* which attachment proves it */
    text parent;       /* of somebody younger than the policy's age: who signed with them */
    bool yields; /* a refusal that stands only where no consent is in force: nothing is withdrawn by it */
    msec unless; /* it stands only where nothing was decided after that; 0: always */
};
struct change_former {
    text category;
    int64_t item;
    msec due;
    sealed sealed;
};
struct change_drop {
    text category;
    int64_t item;
    bool all;
};

struct change {
    struct person *person;
    bool create;
    int64_t expected; /* version it was made from; 0: any */
    int64_t version;  /* version it leads to; 0: this change does not count as one */
    struct change_identifier *identifiers;
    unsigned identifier_count;
    struct record *records;
    unsigned record_count;
    struct change_former *formers;
    unsigned former_count;
    struct change_drop *drops;
    unsigned drop_count;
    struct change_consent *consents;
    unsigned consent_count;
    struct permission permission; /* under which it comes in, or which it gives or ends */
    struct key_put *puts;
    unsigned put_count;
    msec due;               /* of a new person: when their own term ends; 0: not known */
    struct subject_id duty; /* the id of that duty, drawn before the write */
    struct subject_id told; /* and the one before those of what recipients are told */
    msec inform;            /* data came from a third party: until when information is owed (Art. 14(3)); 0: no */
    bool truncate;          /* something was erased: no byte of it may stay in a log */
    bool urgent;            /* a withdrawal or objection: also when the disk is full */
    text tenant, source;
    msec now;
    text policy_version, language;
    /* What else goes into the same commit, after the rest (an account, a link, a letter); may be NULL. */
    enum err (*also)(struct db *db, void *arg);
    void *also_arg;
    const struct outside *outside; /* what the platform's own stores have to do; may be NULL */
};

/* Writes it with its event. ERR_CONFLICT: an identifier is another person's. ERR_PRECONDITION: the version has moved
 * on. */
enum err change_write(struct ctx *c, struct change *change, struct event event, const struct answer *answer);

/* ---- Making ready. ---- */
/* Room for at most `records` records in all arrays. */
enum err change_begin(struct ctx *c, struct person *p, unsigned records, struct change *out);
/* Seals `fields` ({field: [value, source, time]}) as the record of this category and item at change->version. */
enum err change_record(struct ctx *c, struct change *change, const struct record *like, text fields);
/* Asks the platform's own stores to follow, in the same commit: of a job that lives as long as the change. */
enum err change_outside(struct ctx *c, struct change *change, struct outside *job);
/* The identifiers among `fields` ({field: value}) that differ from `old` ({field: [value, …]}, may be NULL). */
enum err change_identifiers(struct ctx *c, struct change *change, const struct category *cat, const struct json *fields,
                            const struct json *old);
/* Who took a consent (out->by) and what shows it, or why an objection was decided so, sealed together as the row's
 * evidence. */
enum err change_evidence(struct ctx *c, const struct change *ch, text evidence, struct change_consent *out);
/* Checks and hashes the consents of `in` (one object or a list of them); the ledger's rows are written with the change.
 */
enum err change_consents(struct ctx *c, struct change *change, const struct json *in);

#endif

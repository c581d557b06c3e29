/* What a person permitted at a source of the policy: recorded with each arrival, ended by the person, asked before
 * anything comes in (`sources.*.permission`; GDPR 5(2), 6, 14). */
#ifndef DOMAIN_PERSON_PERMISSION_H
#define DOMAIN_PERSON_PERMISSION_H
#include "domain/core/feature.h"
#include "domain/person/source.h"

/* The channel of its rows in the ledger of consents, where `purpose` is then the name of a source; no purpose has a
 * channel of that name (schema.def). */
#define PERMISSION_CHANNEL TEXT("source")

/* What comes in: {category: {field: value}}; or `fields` of one category; or with neither fields nor data a file of
 * that category. */
struct arrival {
    const struct json *data;
    text category;
    const struct json *fields;
};

/* A row of the ledger, made ready. seq: the row in force that covers the arrival, which then counts it; 0: a row of its
 * own. */
struct permission {
    text source, decision, method, actor;
    sealed kept;
    int64_t seq;
    bool asked; /* false: the source needs none */
};

/* Before an arrival from `source`. `said`: {"at": when it was permitted, "fields": which categories or
 * category.field, what arrives when absent, "by": who, the person when absent}; without it the permission in force
 * must cover what arrives. `fresh`: the person is only being made. Refused by the clause of the source: what was never
 * permitted (ERR_MISSING), what was ended or goes beyond it (ERR_CONSENT), members and fields that are not declared
 * (ERR_UNDECLARED). Asked again inside the write. */
enum err permission_take(struct ctx *c, struct person *p, bool fresh, struct source_taken source,
                         const struct json *said, const struct arrival *in, struct permission *out);
/* {"at": `at`} for what a query says; NULL when it says nothing. */
enum err permission_said(struct ctx *c, text at, const struct json **out);
/* Inside a write. */
enum err permission_run(struct db *db, text tenant, struct subject_id subject, text policy, msec now,
                        const struct permission *p);

/* By the person, or who takes consents for a purpose that the source serves. `in` as `said` above, may be NULL: now,
 * for all that the policy lets come from there. After an end only this opens the source again. */
enum err permission_set(struct ctx *c, text id, text source, const struct json *in, struct answer *out);
/* Nothing comes in from there any more; ERR_NOT_FOUND when nothing is permitted. */
enum err permission_end(struct ctx *c, text id, text source, struct answer *out);

/* "permissions" of the access answer: [{"source", "title", "decision", "at", "permitted": {"at", "fields"}, "by",
 * "times", "last_at"}], the row in force of each source. */
extern const struct feature permission_feature;

#endif

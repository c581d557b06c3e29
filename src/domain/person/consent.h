/* Consents, objections, restriction: the append-only ledger (GDPR 7, 18, 21). */
#ifndef DOMAIN_PERSON_CONSENT_H
#define DOMAIN_PERSON_CONSENT_H
#include "domain/core/paging.h"

struct person;

struct look;

/* One row per purpose and channel, refusals and withdrawals included, with wording hash, policy version and server
 * time. */
enum err consent_record(struct ctx *c, text id, const struct json *in, struct answer *out);
/* A page of the ledger, oldest first (asked->newest: newest first), the last row of each purpose and channel, and the
 * live consents. */
enum err consent_list(struct ctx *c, text id, const struct paging *asked, struct answer *out);
/* Whether a consent of that person to the purpose is in force, by any channel. For what only takes something back. */
enum err consent_is_live(struct ctx *c, text id, text purpose, bool *live);
/* A row of the ledger as its "receipt" names it ("time.seq.channel.purpose"), with its wording. ERR_NOT_FOUND when
 * there is none. */
struct consent_row {
    text purpose, channel, decision, policy, method, wording_hash, wording;
    msec at;
    int64_t seq;
};
enum err consent_one(struct ctx *c, const struct person *p, text place, struct consent_row *out);
enum err consent_none(struct ctx *c);
/* A line each consent that the person gave at that moment: what it is for, by which channel, and its receipt. Empty
 * where there is none. */
enum err consent_receipts(struct ctx *c, const struct person *p, msec at, text *out);
/* For a look: the person, who answers people, and who takes their consents. */
enum err consent_may_see(struct ctx *c, struct look *l);
/* What is kept with a row of the ledger, sealed to its person and to the purpose or source it is about. */
enum err consent_seal(struct ctx *c, const struct person *p, text about, text clear, sealed *out);
enum err consent_unseal(struct ctx *c, const struct person *p, text about, sealed kept, text *out);
/* "consents" and "live" inside an open object, for the access answer. */
enum err consent_put_ledger(struct ctx *c, const struct person *p, struct json_out *w);

#endif

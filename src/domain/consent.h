/* Consents, objections, restriction: the append-only ledger (GDPR 7, 18, 21). */
#ifndef DOMAIN_CONSENT_H
#define DOMAIN_CONSENT_H
#include "domain/paging.h"

struct person;

/* One row per purpose and channel, refusals and withdrawals included, with wording hash, policy version and server time. */
enum err consent_record(struct ctx *c, text id, const struct json *in, struct answer *out);
/* A page of the ledger, oldest first (asked->newest: newest first), the last row of each purpose and channel, and the live consents. */
enum err consent_list(struct ctx *c, text id, const struct paging *asked, struct answer *out);
/* "consents" and "live" inside an open object, for the access answer. */
enum err consent_put_ledger(struct ctx *c, const struct person *p, struct json_out *w);
enum err objection_set(struct ctx *c, text id, text purpose, bool objects, struct answer *out);
/* What was decided on the objection in force (GDPR 21(1)): {"decision": "upheld" or "overridden", "reason"}. It blocks from the moment it was
 * made (18(1)(d)); overridden on compelling grounds, its purpose is allowed again until the person objects anew. The reason is sealed, and the
 * person's to read. ERR_FORBIDDEN for the person; ERR_PURPOSE when one to direct marketing would be overridden (21(2)-(3)); ERR_NOT_FOUND
 * without an objection in force. */
enum err objection_decide(struct ctx *c, text id, text purpose, const struct json *in, struct answer *out);
enum err restriction_set(struct ctx *c, text id, bool restricted, text ground, struct answer *out);

#endif

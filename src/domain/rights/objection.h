/* Objection (Art. 21) and restriction (Art. 18): set, decided, told. */
#ifndef DOMAIN_RIGHTS_OBJECTION_H
#define DOMAIN_RIGHTS_OBJECTION_H
#include "base/err.h"

struct answer;
struct ctx;
struct json;

/* Objects, or takes the objection back (GDPR 21): in force at once. */
enum err objection_set(struct ctx *c, text id, text purpose, bool objects, struct answer *out);
/* What was decided on the objection in force (GDPR 21(1)): {"decision": "upheld" or "overridden", "reason"}. It blocks
 * from the moment it was made (18(1)(d)); overridden on compelling grounds, its purpose is allowed again until the
 * person objects anew. The reason is sealed, and the person's to read. ERR_FORBIDDEN for the person; ERR_PURPOSE when
 * one to direct marketing would be overridden (21(2)-(3)); ERR_NOT_FOUND without an objection in force. */
enum err objection_decide(struct ctx *c, text id, text purpose, const struct json *in, struct answer *out);
/* Restriction of processing (GDPR 18), or its end, which the person is told first (18(3)). */
enum err restriction_set(struct ctx *c, text id, bool restricted, text ground, struct answer *out);

#endif

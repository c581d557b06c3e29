/* Duties owed to people: listed, and done. */
#ifndef DOMAIN_RIGHTS_DUTY_H
#define DOMAIN_RIGHTS_DUTY_H
#include "base/err.h"

struct answer;
struct ctx;
struct json;

struct paging;

/* What is owed and until when: information when data came from a third party (GDPR 14(3)), recipients to be told (19).
 */
enum err duty_list(struct ctx *c, const struct paging *asked, struct answer *out);
/* {"outcome"?: "done", "impossible" or "disproportionate", "note"?}. */
enum err duty_done(struct ctx *c, text duty, const struct json *in, struct answer *out);

#endif

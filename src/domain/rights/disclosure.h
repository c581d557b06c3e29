/* Disclosures to recipients. */
#ifndef DOMAIN_RIGHTS_DISCLOSURE_H
#define DOMAIN_RIGHTS_DISCLOSURE_H
#include "base/err.h"

struct answer;
struct ctx;
struct json;
struct json_out;
struct paging;
struct person;

/* The list of disclosures alone, for the access answer (GDPR 15(1)(c)). */
enum err disclosure_put(struct ctx *c, const struct person *p, struct json_out *w);
/* Disclosure to a recipient of the policy: decided for who gives and for who receives, recorded with recipient, purpose
 * and categories, and answered with the data. */
enum err disclosure_make(struct ctx *c, text id, const struct json *in, struct answer *out);
enum err disclosure_list(struct ctx *c, text id, const struct paging *asked, struct answer *out); /* oldest first */

#endif

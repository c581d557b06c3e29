/* Access (GDPR 15): the answer to "what do you hold of me", and who looked. */
#ifndef DOMAIN_RIGHTS_ACCESS_H
#define DOMAIN_RIGHTS_ACCESS_H
#include "domain/core/ctx.h"

struct person;

struct paging;

/* All that GDPR 15 asks for of one person, as JSON, with one journal entry. A small answer is a body, any other is made
 * while it is read (out->pieces), whatever its size. */
enum err access_answer(struct ctx *c, text id, struct answer *out);
/* The same as a body, for a page. ERR_TOO_LARGE beyond 64 MiB. */
enum err access_body(struct ctx *c, text id, struct answer *out);
/* Who looked, newest first: the access answer has the first ten thousand and "looks_next", from where this goes on. */
enum err access_looks(struct ctx *c, text id, const struct paging *asked, struct answer *out);

#endif

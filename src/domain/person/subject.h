/* Subjects: found by an identifier, read by category and purpose, and asked about before a use. */
#ifndef DOMAIN_PERSON_SUBJECT_H
#define DOMAIN_PERSON_SUBJECT_H
#include "domain/core/ctx.h"

struct paging;

struct person;
struct change;
struct record;

/* POST lookup: the id of whom an identifier in the body names, under a purpose. Nobody, or one out of reach:
 * ERR_NOT_FOUND, alike. */
enum err subject_lookup(struct ctx *c, const struct json *in, struct answer *out);
/* `categories` comma separated, p NULL for all of the purpose. Answered after its journal entry is durable (GDPR 5(2)).
 */
enum err subject_read(struct ctx *c, text id, text purpose, text categories, struct answer *out);
/* What a platform asks before a use; body and answer of POST /v1/decisions. */
enum err subject_decide(struct ctx *c, const struct json *in, struct answer *out);

#endif

/* Subjects: created, found, read by category and purpose, rectified with their former values. */
#ifndef DOMAIN_SUBJECT_H
#define DOMAIN_SUBJECT_H
#include "domain/ctx.h"

struct paging;

struct person;
struct change;
struct record;

/* Bodies and answers are those of docs/api.md. */
enum err subject_create(struct ctx *c, const struct json *in, struct answer *out);
enum err subject_lookup(struct ctx *c, const struct json *in, struct answer *out);
/* `categories` comma separated, p NULL for all of the purpose. Answered after its journal entry is durable (GDPR 5(2)). */
enum err subject_read(struct ctx *c, text id, text purpose, text categories, struct answer *out);
/* RFC 7386 merge patch; needs c->if_match. Former values are kept under the policy's retention `former` (GDPR 16). */
enum err subject_patch(struct ctx *c, text id, const struct json *patch, text source, text purpose, struct answer *out);
enum err subject_former(struct ctx *c, text id, const struct paging *asked, struct answer *out);
/* The list of former values alone, for the access answer. */
enum err subject_put_formers(struct ctx *c, const struct person *p, struct json_out *w);
enum err subject_add_record(struct ctx *c, text id, text category, const struct json *in, struct answer *out);
/* Makes ready one record that the server itself fills (categories of a stream): the members of `fields` (a JSON object of texts and
 * numbers) that the policy declares; the rest is left out. Write it with change_write(); on ERR_CONFLICT make it ready again. */
enum err subject_note(struct ctx *c, struct person *p, int category, msec at, text fields, struct change *out);
/* Makes ready one record of a category with many, in place of `old` (NULL: one more), for a person as they were read: write it with
 * change_write(); ERR_PRECONDITION when they changed since. `fields` ({field: value}) were checked; unchanged ones keep source and time. */
enum err subject_keep(struct ctx *c, struct person *p, int category, const struct record *old, const struct json *fields, struct change *out);
/* Erases one category, or one item of it, with its former values (partial GDPR 17). */
enum err subject_drop_record(struct ctx *c, text id, text category, text item, struct answer *out);
/* What a platform asks before a use; body and answer of POST /v1/decisions. */
enum err subject_decide(struct ctx *c, const struct json *in, struct answer *out);

#endif

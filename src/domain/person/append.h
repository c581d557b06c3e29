/* Records added to a person and taken away. */
#ifndef DOMAIN_PERSON_APPEND_H
#define DOMAIN_PERSON_APPEND_H
#include "base/err.h"
#include "base/clock.h"
#include "domain/person/source.h"
#include "domain/person/record.h"

struct answer;
struct change;
struct ctx;
struct json;

/* POST records: one more of a category with `many`, checked against its fields; 201 with its id. */
enum err subject_add_record(struct ctx *c, text id, text category, const struct json *in, struct answer *out);
/* Makes ready one record that the server itself fills (categories of a stream): the members of `fields` (a JSON object
 * of texts and numbers) that the policy declares; the rest is left out. Write it with change_write(); on ERR_CONFLICT
 * make it ready again. */
enum err subject_note(struct ctx *c, struct person *p, int category, msec at, text fields, struct change *out);
/* Makes ready one record of a category with many, in place of `old` (NULL: one more), for a person as they were read:
 * write it with change_write(); ERR_PRECONDITION when they changed since. `fields` ({field: value}) were checked;
 * unchanged ones keep source and time. */
enum err subject_keep(struct ctx *c, struct person *p, int category, const struct record *old,
                      const struct json *fields, struct change *out);
/* The number of one record more in a category with many: two at once rarely meet, and then the write is refused. */
enum err append_item(struct ctx *c, const struct person *p, const struct category *cat, int64_t *out);
/* Erases one category, or one item of it, with its former values (partial GDPR 17). */
enum err subject_drop_record(struct ctx *c, text id, text category, text item, struct answer *out);
/* Every datum has a source (GDPR 14(2)(f)); from somebody else than the person, they are owed the information of
 * Art. 14. */
void append_use_source(struct change *ch, struct source_taken source);

#endif

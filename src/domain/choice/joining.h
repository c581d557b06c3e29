/* What the files of forms share: how a submission is sealed. */
#ifndef DOMAIN_CHOICE_JOINING_H
#define DOMAIN_CHOICE_JOINING_H
#include "domain/core/data_subject.h"

struct ctx;
struct json;

/* Under the person's key, or under the instance's own while it is nobody's (p NULL); bound to its row. */
enum err joining_seal(struct ctx *c, const struct person *p, text form, struct subject_id id, text body, sealed *out);
enum err joining_unseal(struct ctx *c, const struct person *p, text form, struct subject_id id, sealed in, text *body);

/* What was sent of categories that stand once a person, and of those with many records: {category: {field: value}}. */
enum err joining_split(struct ctx *c, const struct json *data, const struct json **single, const struct json **many);

/* What forms alone collected goes at each form's own term (`collection.*.retention`): a person whom forms alone made,
 * whole, unless something else keeps them; else what nothing else needs. */
enum err over_tick(struct ctx *c);

#endif

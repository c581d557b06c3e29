/* What a change brings: categories, fields, sources. */
#ifndef DOMAIN_PERSON_FORM_H
#define DOMAIN_PERSON_FORM_H
#include "base/err.h"

struct answer;
struct bits;
struct ctx;
struct json;

/* The index of that category, or a list of them as set; ERR_CATEGORY, ERR_TRANSIENT by name. */
enum err form_category_of(struct ctx *c, text name, int *out);
enum err form_category_list(struct ctx *c, text names, struct bits *out);
/* Every category of `data` ({category: …}); transient ones are not for the store. */
enum err form_categories_of(struct ctx *c, const struct json *data, struct bits *out);
/* Whether two values are one as stored. */
bool form_same(const struct json *a, const struct json *b);
/* The sealed form of `fields`: values that did not change keep their source and time from `old`. */
text form_sealed(struct ctx *c, const struct json *fields, const struct json *old, text source);
/* {"id", "version"}, with the headers made of them. */
enum err form_id_and_version(struct ctx *c, text id, int64_t version, struct answer *out);

#endif

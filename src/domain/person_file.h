/* All that is held of a person, as one JSON document: the access answer, and the data.json of an export. */
#ifndef DOMAIN_PERSON_FILE_H
#define DOMAIN_PERSON_FILE_H
#include "domain/person.h"

enum err person_file_put(struct ctx *c, const struct person *p, struct buf *out);
/* Where the n-th attachment stands in an export: "attachments/01-name". */
text person_file_name(struct arena *a, unsigned n, text name);
/* The same document as a page that stands alone, in c->language; every value escaped. */
enum err person_file_page(struct ctx *c, const struct json *file, struct buf *out);

/* One category's part of its "data" as CSV in UTF-8 with its mark; `;` between in French, `,` in English, heads in words. */
enum err person_file_csv(struct ctx *c, const struct category *cat, const struct json *data, struct buf *out);

#endif

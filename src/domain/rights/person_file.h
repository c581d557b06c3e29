/* All that is held of a person, as one JSON document: the access answer, and the data.json of an export. */
#ifndef DOMAIN_RIGHTS_PERSON_FILE_H
#define DOMAIN_RIGHTS_PERSON_FILE_H
#include "domain/core/data_subject.h"
#include "base/json.h"
#include "domain/person/keeping.h"

struct answer;
struct category;
struct ctx;

struct paging;

/* All that is held, inside an open object. */
enum err person_file_put(struct ctx *c, const struct person *p, struct json_out *w);
/* Where the n-th attachment stands in an export: "attachments/01-name". */
text person_file_name(struct arena *a, unsigned n, text name);

/* One category's part of its "data" as CSV in UTF-8 with its mark; `;` between in French, `,` in English, heads in
 * words. */
enum err person_file_csv(struct ctx *c, const struct category *cat, const struct json *data, struct buf *out);
struct view {
    struct ctx *c;
    const struct person *p;
    struct keeping keeping;
    msec until;
    text supplier;
    struct json_out w;
};
/* Entries of the journal about this person, newest first: who looked, when, for what. "looks_next": from where GET
 * …/looks has those before. */
enum err person_file_put_looks(struct view *v, const struct paging *asked, text next_name, struct answer *out);

#endif

/* All that is held of a person, as one JSON document: the access answer, and the data.json of an export. */
#ifndef DOMAIN_RIGHTS_PERSON_FILE_H
#define DOMAIN_RIGHTS_PERSON_FILE_H
#include "domain/core/data_subject.h"
#include "base/file/csv.h"
#include "base/json.h"
#include "domain/person/keeping.h"

struct answer;
struct category;
struct ctx;
struct rows;

struct paging;

/* All that is held, as members of the object that is open; of each category at most `most` pages of records (256 records or 2 MiB), then with "cut",
 * or all when 0. ERR_TOO_LARGE beyond the buffer's limit. */
enum err person_file_put(struct ctx *c, const struct person *p, unsigned most, struct json_out *w);

/* The same a step at a time, for what is larger than memory: each adds a page of one category at most. Rows live in the
 * arena that it was begun with. */
enum person_stage { STEP_HEAD, STEP_DATA, STEP_CATEGORY, STEP_RECORDS, STEP_REST, STEP_OVER };
struct person_steps {
    enum person_stage stage; /* STEP_OVER: nothing follows */
    unsigned category, pages, most;
    int64_t after;
    bool comma, bare; /* bare: the members alone, without their brackets */
    struct rows *rows;
};
enum err person_steps_begin(struct ctx *c, unsigned most, struct person_steps *s);
enum err person_steps_next(struct ctx *c, const struct person *p, struct person_steps *s, struct buf *out);

/* {CATEGORY: …} as under "data", of one page of its records behind *after (at first INT64_MIN); more: others follow. */
enum err person_file_rows(struct ctx *c, const struct person *p, int category, int64_t *after, struct buf *out,
                          bool *more);
/* Where the n-th attachment stands in an export: "attachments/01-name". */
text person_file_name(struct arena *a, unsigned n, text name);

/* A category as CSV in UTF-8 with its mark, a step at a time; `;` between in French, `,` in English, heads in words.
 * First its columns are found, then its rows written. *over: the table is whole; it has no byte when nothing is held.
 * Names of columns live in the arena of c. */
struct person_table {
    struct ctx *c;
    const struct category *cat;
    struct buf *b;
    char separator;
    text columns[CSV_FIELDS];
    unsigned count;
    int64_t after;
    bool found, begun, any; /* found: columns are known; any: there is a row */
};
void person_table_begin(struct ctx *c, int category, struct person_table *t);
enum err person_table_next(struct person_table *t, const struct person *p, struct buf *out, bool *over);

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

/* One publication as the files of this feature see it. */
#ifndef DOMAIN_PUBLICATION_SHOWN_H
#define DOMAIN_PUBLICATION_SHOWN_H
#include "domain/publication/publication.h"
#include "domain/core/data_subject.h"

enum { WAITING, PUBLISHED, REFUSED, DOWN };
struct shown {
    struct subject_id id, subject, file;
    text category, purpose, type;
    int64_t item, version, state;
    msec at, decided;
    bool has_file;
};

/* ERR_NOT_FOUND for no such id. */
enum err shown_find(struct ctx *c, text id, struct shown *out);
enum err shown_none(struct ctx *c);
/* Opens its person when a consent to its purpose is in force, nothing objects or is restricted, no withdrawal came
 * since `since`, and the record stands as it was sent in: *fields is then that, {field: [value, …]}. Else *live is
 * false. */
enum err shown_open(struct ctx *c, const struct shown *s, msec since, struct person *p, const struct json **fields,
                    bool *live);
/* Members of an open object: {"id", "at", "fields", "titles", "file", "type"}. */
void shown_put(struct ctx *c, const struct shown *s, const struct json *fields, struct json_out *w);

#endif

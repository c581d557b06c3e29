/* Rectification (Art. 16) and former values. */
#ifndef DOMAIN_PERSON_RECTIFY_H
#define DOMAIN_PERSON_RECTIFY_H
#include "base/err.h"

struct answer;
struct ctx;
struct json_out;
struct paging;
struct person;

/* A page of the values that were before a correction (GDPR 16); one journal entry. */
enum err subject_former(struct ctx *c, text id, const struct paging *asked, struct answer *out);
/* Into an open list: the former values of one field, `most` at most. For the server's own search for the person in
 * other places (GDPR 17, 19): it is shown to nobody. */
enum err subject_former_values(struct ctx *c, const struct person *p, text category, text field, unsigned most,
                               struct json_out *w);
/* The list of former values alone, for the access answer. */
enum err subject_put_formers(struct ctx *c, const struct person *p, struct json_out *w);

#endif

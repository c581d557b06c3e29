/* How a person is made: checked, sealed, written. */
#ifndef DOMAIN_PERSON_MAKE_H
#define DOMAIN_PERSON_MAKE_H
#include "base/err.h"

struct answer;
struct ctx;
struct json;

/* Bodies and answers are those of docs/api.md. */
enum err subject_create(struct ctx *c, const struct json *in, struct answer *out);

#endif

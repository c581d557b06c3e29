/* Access and portability (GDPR 15, 20): the answer to "what do you hold of me", and the same to take away. */
#ifndef DOMAIN_ACCESS_H
#define DOMAIN_ACCESS_H
#include "domain/ctx.h"

struct person;

enum err access_answer(struct ctx *c, text id, struct answer *out);
/* A zip, as a source: data.json, index.html (readable, in c->language), CATEGORY.csv, attachments. On record before its first byte. */
enum err access_export(struct ctx *c, text id, struct answer *out);

#endif

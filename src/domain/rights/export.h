/* The copy of all data that a person takes along (Art. 20). */
#ifndef DOMAIN_RIGHTS_EXPORT_H
#define DOMAIN_RIGHTS_EXPORT_H
#include "base/err.h"

struct answer;
struct ctx;

/* A zip, as a source: data.json, index.html (readable, in c->language), CATEGORY.csv, attachments. On record before its
 * first byte. */
enum err access_export(struct ctx *c, text id, struct answer *out);

#endif

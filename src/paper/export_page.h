/* The page of an export. */
#ifndef PAPER_EXPORT_PAGE_H
#define PAPER_EXPORT_PAGE_H
#include "base/err.h"

struct buf;
struct ctx;
struct json;

/* A person's file (rights/person_file.h) as a page that stands alone, in c->language; every value escaped. */
enum err person_file_page(struct ctx *c, const struct json *file, struct buf *out);

#endif

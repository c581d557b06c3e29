/* What pages of publications share. */
#ifndef FRONT_PUBLICATION_PUBLICATION_H
#define FRONT_PUBLICATION_PUBLICATION_H
#include "front/page/page.h"

struct category;
struct json;

/* "values": the fields of one item, as people read them. */
void publication_values(struct page *p, const struct category *cat, const struct json *item);

#endif

/* Words for people in the documents that the domain makes itself (certificate, export): both languages side by side, times, and a page's frame. */
#ifndef DOMAIN_DOC_H
#define DOMAIN_DOC_H
#include "domain/ctx.h"

/* `en` or `fr` by c->language. */
text doc_in(const struct ctx *c, text en, text fr);
/* An RFC 3339 time as people read it, in UTC: "22 November 2026, 01:47 UTC". What is no time stays as it is. */
text doc_time(struct ctx *c, text time);
/* A recipient of the policy (index of its actor class) by name: the legal one, else its title, else its key. */
text doc_recipient(const struct ctx *c, int actor);
/* An HTML page that stands alone: style inside, light and dark, and for printing; no script, nothing fetched. */
void doc_page_open(const struct ctx *c, struct buf *b, text title);
void doc_page_close(struct buf *b);

#endif

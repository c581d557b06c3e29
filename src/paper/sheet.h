/* The frame of a document's page. */
#ifndef PAPER_SHEET_H
#define PAPER_SHEET_H
#include "base/text.h"

struct buf;
struct ctx;

/* An HTML page. `alone`: for a file, with its style inside, light and dark, and for printing; otherwise served, with
 * the server's style, since its Content-Security-Policy allows no other. No script, nothing fetched from elsewhere. */
void doc_page_open(const struct ctx *c, struct buf *b, bool alone, text title);
void doc_page_close(struct buf *b);

#endif

/* Letters of a campaign by post, ready to print. */
#ifndef PAPER_LETTERS_PDF_H
#define PAPER_LETTERS_PDF_H
#include "domain/core/ctx.h"

struct json;

/* One PDF of the people of a list (campaign_handed), a letter each: the address in its envelope's window, the day, the
 * subject, the text, and page numbers. `list`: one page of that list, which bounds it. */
enum err letters_pdf(struct ctx *c, const struct json *list, text name, struct answer *out);

#endif

/* The pages of one's own data. */
#ifndef FRONT_ME_PAGE_ME_H
#define FRONT_ME_PAGE_ME_H

struct category;
struct ctx;

/* Whether the person corrects that category by a form: what the server itself writes, or somebody else supplies, cannot
 * be typed over. */
bool page_editable(struct ctx *c, const struct category *cat);

#endif

/* Versions of the policy as pages. */
#ifndef PAPER_VERSION_PAGE_H
#define PAPER_VERSION_PAGE_H
#include "base/err.h"

struct answer;
struct ctx;

/* All versions; one, by its hash; the differences of two. */
enum err version_list_page(struct ctx *c, struct answer *out);
enum err version_page(struct ctx *c, text hash, struct answer *out);
enum err version_diff_page(struct ctx *c, text older, text newer, struct answer *out);
/* The signed-in person's own: the version in force and what changed, with the button that says it was read
 * (version_read()). */
enum err version_reading_page(struct ctx *c, struct answer *out);

#endif

/* Pages of lists that can grow: at most so many rows, and a "next" to ask for those after. */
#ifndef DOMAIN_PAGING_H
#define DOMAIN_PAGING_H
#include "domain/ctx.h"

enum { PAGE_ROWS = 1000, PAGE_BYTES = 1 << 20 };
struct paging {
    text after;                                /* the "next" of the page before; empty for the first */
    int64_t limit;                             /* rows of a page, 1 to PAGE_ROWS; it ends sooner beyond PAGE_BYTES, but has one row at least */
    bool newest;                               /* backwards */
};

/* What a request asks for; both may be empty. ERR_VALUE. */
enum err paging_parse(struct ctx *c, text after, text limit, struct paging *out);
/* ERR_VALUE: "after" is none that a page gave. */
enum err paging_unknown(struct ctx *c);

#endif

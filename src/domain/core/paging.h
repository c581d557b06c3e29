/* Pages of lists that can grow: at most so many rows, and a "next" to ask for those after. */
#ifndef DOMAIN_CORE_PAGING_H
#define DOMAIN_CORE_PAGING_H
#include "domain/core/ctx.h"
#include "store/store.h"

enum { PAGE_ROWS = 1000, PAGE_BYTES = 1 << 20 };
struct paging {
    text after;    /* the "next" of the page before; empty for the first */
    int64_t limit; /* rows of a page, 1 to PAGE_ROWS; it ends sooner beyond PAGE_BYTES, but has one row at least */
    bool newest;   /* backwards */
};

/* What a request asks for; both may be empty. ERR_VALUE. */
enum err paging_parse(struct ctx *c, text after, text limit, struct paging *out);
/* The next row of a page, whose statement asks for one row more than asked->limit: false at the page's end, and *more
 * tells whether there is another. *rows counts. */
bool paging_row(const struct paging *asked, struct query *q, int64_t *rows, bool *more);
/* The next number of an "after" such as "12.34"; false when it is none. */
bool paging_number(text *after, int64_t *out);
/* "next": `place`, or null when there is no other page; the answer's Link follows. */
enum err paging_end(struct ctx *c, bool more, text place, struct json_out *w, struct answer *out);
/* ERR_VALUE: "after" is none that a page gave. */
enum err paging_unknown(struct ctx *c);

#endif

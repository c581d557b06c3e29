/* Pages of lists: what a request may ask. */
#include "domain/paging.h"

enum err paging_parse(struct ctx *c, text after, text limit, struct paging *out)
{
    *out = (struct paging){ .after = after, .limit = PAGE_ROWS };
    if (limit.n && (!text_int(limit, &out->limit) || out->limit < 1 || out->limit > PAGE_ROWS))
        return say(c->arena, ERR_VALUE, "\"limit\" is a number from 1 to %d", PAGE_ROWS);
    return OK;
}

enum err paging_unknown(struct ctx *c) { return say(c->arena, ERR_VALUE, "\"after\" is the \"next\" of another page"); }

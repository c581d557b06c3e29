/* Pages of lists: what a request may ask. */
#include "domain/core/paging.h"

enum err paging_parse(struct ctx *c, text after, text limit, struct paging *out)
{
    *out = (struct paging){ .after = after, .limit = PAGE_ROWS };
    if (limit.n && (!text_int(limit, &out->limit) || out->limit < 1 || out->limit > PAGE_ROWS))
        return say(c->arena, ERR_VALUE, "\"limit\" is a number from 1 to %d", PAGE_ROWS);
    return OK;
}

enum err paging_unknown(struct ctx *c) { return say(c->arena, ERR_VALUE, "\"after\" is the \"next\" of another page"); }

bool paging_row(const struct paging *asked, struct query *q, int64_t *rows, bool *more)
{
    *more = false;
    if (!query_next(q))
        return false;
    *more = *rows == asked->limit;
    *rows += !*more;
    return !*more;
}

bool paging_number(text *after, int64_t *out) { return text_int(text_cut(after, '.'), out); }

enum err paging_end(struct ctx *c, bool more, text place, struct json_out *w, struct answer *out)
{
    out->next = more ? arena_copy(c->arena, place) : (text){ NULL, 0 };
    json_pair(w, TEXT("next"), out->next);
    return more && !out->next.p ? ERR_MEMORY : OK;
}

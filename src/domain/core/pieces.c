/* Sources: contexts that live on behind a request, and answers taken whole. */
#include "domain/core/pieces.h"

enum err pieces_context(const struct ctx *c, struct ctx *out)
{
    *out = (struct ctx){ .arena = c->arena,
                         .app = c->app,
                         .now = c->now,
                         .tenant = arena_copy(c->arena, c->tenant),
                         .language = text_eq(c->language, TEXT("fr")) ? TEXT("fr") : TEXT("en") };
    return out->tenant.p ? OK : ERR_MEMORY;
}

enum err pieces_whole(struct arena *a, struct pieces *s, struct buf *out)
{
    enum err status = OK;
    for (size_t before = out->n + 1; status == OK && out->n != before;) {
        before = out->n;
        status = s->next(s, a, out);
        if (status == OK)
            status = buf_check(a, out);
    }
    s->end(s);
    return status;
}

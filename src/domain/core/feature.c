/* Features, asked in the order of their rows. */
#include "domain/core/feature.h"
#include "domain/core/instance.h"

#define EACH_FEATURE(f, c)                                                                                             \
    for (const struct feature *f = (c)->app->features, *end_ = f + (c)->app->feature_count; f < end_; f++)

enum err feature_put_records(struct ctx *c, const struct person *p, const struct category *cat, struct json_out *w,
                             int64_t *count, unsigned *unreadable)
{
    EACH_FEATURE(f, c)
    if (f->put_records && text_eq(cat->stream, f->stream))
        TRY(f->put_records(c, p, cat, w, count, unreadable));
    return OK;
}

const struct feature *feature_of_event(const struct ctx *c, text event)
{
    EACH_FEATURE(f, c)
    if (f->happened && text_eq(event, f->event))
        return f;
    return NULL;
}

enum err feature_moved(struct ctx *c, const struct json *patch, struct change *ch)
{
    EACH_FEATURE(f, c)
    if (f->moved)
        TRY(f->moved(c, patch, ch));
    return OK;
}

enum err feature_dropped(struct ctx *c, struct change *ch)
{
    EACH_FEATURE(f, c)
    if (f->dropped)
        TRY(f->dropped(c, ch));
    return OK;
}

enum err feature_tick(struct ctx *c)
{
    EACH_FEATURE(f, c)
    if (f->tick)
        TRY(f->tick(c));
    return OK;
}

/* Features, asked in the order of their rows. */
#include "domain/core/feature.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"

#define EACH_FEATURE(f, c)                                                                                             \
    for (unsigned i_ = 0; i_ < (c)->app->feature_count; i_++)                                                          \
        for (const struct feature *f = (c)->app->features[i_]; f; f = NULL)

enum err feature_put_records(struct ctx *c, const struct person *p, const struct category *cat, struct json_out *w,
                             int64_t *count, unsigned *unreadable)
{
    EACH_FEATURE(f, c)
    if (f->put_records && text_eq(cat->stream, f->stream))
        TRY(f->put_records(c, p, cat, w, count, unreadable));
    return OK;
}

bool feature_keeps(const struct ctx *c, const struct category *cat)
{
    EACH_FEATURE(f, c)
    if (f->put_records && text_eq(cat->stream, f->stream))
        return true;
    return false;
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

enum err feature_unreached(struct ctx *c, int64_t *count)
{
    EACH_FEATURE(f, c)
    if (f->unreached)
        TRY(f->unreached(c, count));
    return OK;
}

enum err feature_tick(struct ctx *c)
{
    EACH_FEATURE(f, c)
    if (f->tick)
        TRY(f->tick(c));
    return OK;
}

enum err feature_due(struct ctx *c)
{
    enum err status = OK;
    EACH_FEATURE(f, c)
    if (f->soon) {
        enum err one = f->soon(c);
        if (status == OK)
            status = one;
    }
    return status;
}

enum err feature_steps(struct ctx *c, bool *more)
{
    enum err status = OK;
    *more = false;
    EACH_FEATURE(f, c)
    if (f->steps) {
        bool left = false;
        enum err one = f->steps(c, &left);
        *more |= left;
        if (status == OK)
            status = one;
    }
    return status;
}

enum err feature_end_over(struct ctx *c, enum sql any, enum err (*run)(struct db *db, struct write *w), text act)
{
    msec now = c->now;
    bool found;
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, any, ARGS(V_INT(now)));
        found = query_next(&q);
        TRY(q.status);
    }
    struct write w = { .run = run, .arg = &now, .truncate = true, .event = event_of(c, NULL, act) };
    return found ? write_do(c, &w, NULL) : OK;
}

enum err feature_put(struct ctx *c, const struct person *p, struct json_out *w)
{
    EACH_FEATURE(f, c)
    if (f->put) {
        json_name(w, f->member);
        TRY(f->put(c, p, w));
    }
    return OK;
}

bool feature_right(const struct ctx *c, text word)
{
    EACH_FEATURE(f, c)
    if (f->right.n && text_eq(f->right, word))
        return true;
    return false;
}

const struct feature_walk *feature_walk(const struct feature *const *features, unsigned count, unsigned n)
{
    for (unsigned i = 0; i < count; n -= features[i++]->walk_count)
        if (n < features[i]->walk_count)
            return &features[i]->walks[n];
    return NULL;
}

/* ---- With a new account. ---- */

enum err feature_open_make(struct ctx *c, const struct person *p, const struct json *in, struct feature_made **out)
{
    *out = NULL;
    EACH_FEATURE(f, c)
    {
        const struct json *own = f->open_make ? json_get(in, f->opens) : NULL;
        if (!own)
            continue;
        struct feature_made *made = NEW(c->arena, struct feature_made);
        TRY_PTR(made);
        *made = (struct feature_made){ .feature = f, .next = *out };
        TRY(f->open_make(c, p, own, &made->made));
        *out = made;
    }
    return OK;
}

enum err feature_open_run(struct db *db, const struct feature_made *made)
{
    for (; made; made = made->next)
        TRY(made->feature->open_run(db, made->made));
    return OK;
}

enum err feature_leaves(struct ctx *c, text channel, struct letter_left *before, const struct feature **of,
                        struct outbox_letter **out)
{
    const struct feature *last = *of;
    *out = NULL;
    for (unsigned i = 0; i < c->app->feature_count && !*out; i++) {
        *of = c->app->features[i];
        if ((*of)->leaves)
            TRY((*of)->leaves(c, channel, *of == last ? before : NULL, out));
    }
    return OK;
}

enum err feature_came(struct ctx *c, const struct inbound *m, struct answer *out)
{
    bool taken = false;
    for (unsigned i = 0; i < c->app->feature_count && !taken; i++)
        if (c->app->features[i]->came)
            TRY(c->app->features[i]->came(c, m, &taken, out));
    return taken ? OK : say(c->arena, ERR_NOT_FOUND, "no email is taken in for this address");
}

enum err feature_outside(struct ctx *c, const struct person *p, struct outside *o)
{
    o->subject = p->id;
    EACH_FEATURE(f, c)
    if (f->outside)
        TRY(f->outside(c, p, o));
    return OK;
}

enum err feature_outside_run(struct db *db, const struct ctx *c, const struct outside *o)
{
    EACH_FEATURE(f, c)
    if (f->outside_run && o->any)
        TRY(f->outside_run(db, c, o));
    EACH_FEATURE(f, c)
    if (f->given_run)
        TRY(f->given_run(db, c, o));
    return OK;
}

enum err feature_outside_end(struct db *db, const struct ctx *c, struct subject_id id, bool came_about)
{
    EACH_FEATURE(f, c)
    if (f->outside_end)
        TRY(f->outside_end(db, c, id, came_about));
    return OK;
}

enum err feature_certified(struct ctx *c, struct subject_id id, struct json_out *w)
{
    EACH_FEATURE(f, c)
    if (f->certified)
        TRY(f->certified(c, id, w));
    return OK;
}

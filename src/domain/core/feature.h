/* What a feature gives the rest of the house, so that nothing below has to know it. */
#ifndef DOMAIN_CORE_FEATURE_H
#define DOMAIN_CORE_FEATURE_H
#include "domain/core/ctx.h"

struct change;
struct person;

/* One row a feature, in instance/features.c; what a feature has no part in is NULL or empty. */
struct feature {
    text stream; /* categories whose records it keeps itself: */
    enum err (*put_records)(struct ctx *c, const struct person *p, const struct category *cat, struct json_out *w,
                            int64_t *count, unsigned *unreadable);
    text event; /* of POST events, that is its own: */
    enum err (*happened)(struct ctx *c, text id, const struct json *in, struct answer *out);
    enum err (*moved)(struct ctx *c, const struct json *patch,
                      struct change *ch);                  /* somebody else changes an identifier */
    enum err (*dropped)(struct ctx *c, struct change *ch); /* identifiers go with their record */
    enum err (*tick)(struct ctx *c);                       /* what time brings it, before the sweep */
};

/* Inside an open list: the records of that category that a feature keeps. */
enum err feature_put_records(struct ctx *c, const struct person *p, const struct category *cat, struct json_out *w,
                             int64_t *count, unsigned *unreadable);
/* The feature whose event that is, NULL when it is nobody's. */
const struct feature *feature_of_event(const struct ctx *c, text event);
enum err feature_moved(struct ctx *c, const struct json *patch, struct change *ch);
enum err feature_dropped(struct ctx *c, struct change *ch);
enum err feature_tick(struct ctx *c);

#endif

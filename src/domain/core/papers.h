/* Documents for people that acts of the domain hand out as pages; src/paper makes them. */
#ifndef DOMAIN_CORE_PAPERS_H
#define DOMAIN_CORE_PAPERS_H
#include "domain/core/ctx.h"

/* Pages stand in src/paper, which stands above the domain: whoever opens the instance says who makes its pages. */
struct papers {
    enum err (*certificate)(struct ctx *c, text json, text jws, text verifier,
                            struct answer *out); /* of an erasure; the key that verifies it */
    enum err (*person_file)(struct ctx *c, const struct json *file,
                            struct buf *out); /* of all that is held of a person */
    enum err (*picture)(struct arena *a, text link, text *svg); /* of the link of a second factor, for a camera */
};

#endif

/* Answers given piece by piece (struct pieces of ctx.h): what outlives the request that began them. */
#ifndef DOMAIN_CORE_PIECES_H
#define DOMAIN_CORE_PIECES_H
#include "domain/core/ctx.h"

/* What is left of a context for a source: instance, tenant, moment, language; no policy, since all was decided before
 * the first piece. */
enum err pieces_context(const struct ctx *c, struct ctx *out);
/* All pieces of an answer, and its end: for who asks in this process. ERR_TOO_LARGE beyond the buffer's limit. */
enum err pieces_whole(struct arena *a, struct pieces *s, struct buf *out);

#endif

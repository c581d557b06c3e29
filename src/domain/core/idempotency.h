/* Repeated requests (draft-ietf-httpapi-idempotency-key-header): what the front asks before it runs a write again. */
#ifndef DOMAIN_CORE_IDEMPOTENCY_H
#define DOMAIN_CORE_IDEMPOTENCY_H
#include "domain/core/ctx.h"

/* The answer kept for the request's Idempotency-Key: *found when there is one, ERR_CONFLICT when it belonged to another
 * request. */
enum err idempotency_find(struct ctx *c, bool *found, struct answer *out);

#endif

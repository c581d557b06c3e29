/* The context of a request: begun and ended. */
#ifndef DOMAIN_CORE_CONTEXT_H
#define DOMAIN_CORE_CONTEXT_H
#include "base/err.h"
#include "domain/core/ctx.h"

struct app;

/* The policy in force; the caller's reference. */
const struct policy *app_policy(struct app *app);
/* How people reach this instance, as the server found it at its start and at each new certificate: for the promise
 * board. */
enum way_in { WAY_FOLDER, WAY_LOOPBACK, WAY_PROXY, WAY_TLS }; /* its folder's socket alone; TLS: to here */
/* A context for a request, now, under the policy in force. Release with ctx_end. */
void ctx_begin(struct app *app, struct arena *a, struct ctx *out);
void ctx_end(struct ctx *c);
#define CTX_AUTO CLEANUP(ctx_end) struct ctx

#endif

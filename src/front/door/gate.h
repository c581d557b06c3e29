/* The gate: who calls, whether the route is for them, and what their headers ask. */
#ifndef FRONT_DOOR_GATE_H
#define FRONT_DOOR_GATE_H
#include "front/door/front.h"

/* Fills c->actor and c->tenant from the bearer token, or the operator on the data folder's socket. ERR_UNAUTHORISED,
 * ERR_TOO_MANY. */
enum err gate_identify(struct ctx *c, const struct request *q);
/* May this actor call this route at all? What it may do there is decided by the policy in the domain. ERR_UNAUTHORISED,
 * ERR_FORBIDDEN. */
enum err gate_admit(struct ctx *c, const struct route *route);
/* What follows "https://" in an origin, to the end of the authority; empty without one. */
text gate_authority(text origin);
/* Whether the browser says that a page of another site sent it. */
bool gate_elsewhere(struct ctx *c, const struct request *q);
/* A change that came with a cookie needs the session's token, and none may come from a page of another site (OWASP,
 * cross-site request forgery). Asked once the body is read. ERR_FORGED. */
enum err gate_forgery(struct ctx *c, const struct request *q);
/* If-Match and Idempotency-Key into the context. */
enum err gate_headers(struct ctx *c, const struct request *q);

#endif

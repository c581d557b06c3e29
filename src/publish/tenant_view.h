/* The policy as one tenant's people meet it. */
#ifndef PUBLISH_TENANT_VIEW_H
#define PUBLISH_TENANT_VIEW_H
#include "policy/policy.h"

/* A copy of the file's tree in which the controller is that tenant, with its own address and email, and of categories,
 * fields, purposes, terms, recipients and roles only its own stand. It lives in the arena, and points into the policy.
 */
enum err tenant_view(struct arena *a, const struct policy *p, const struct tenant *t, const struct node **out);

#endif

/* The public pages of the policy in force, as a request gets them. */
#ifndef DOMAIN_INSTANCE_PUBLISHED_H
#define DOMAIN_INSTANCE_PUBLISHED_H
#include "domain/core/ctx.h"
#include "publish/pages.h"

/* The page in c->language, copied into the request's arena. */
enum err page_get(struct ctx *c, enum page_kind kind, struct page *out);
/* The notice of that tenant alone. ERR_NOT_FOUND where everybody's is theirs too, and for no tenant. */
enum err page_get_tenant(struct ctx *c, text tenant, struct page *out);

#endif

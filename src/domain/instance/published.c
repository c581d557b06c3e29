/* The public pages of the policy in force, from memory. */
#include "domain/instance/published.h"
#include "domain/core/instance.h"

static enum err give(struct ctx *c, const struct page *page, struct page *out)
{
    if (!page)
        return say(c->arena, ERR_NOT_FOUND, "there is no notice of that tenant alone");
    *out = (struct page){ arena_copy(c->arena, page->body), page->type, arena_copy(c->arena, page->etag) };
    return out->body.p && out->etag.p ? OK : ERR_MEMORY;
}

static struct pages *current(struct ctx *c)
{
    pthread_mutex_lock(&c->app->policy_lock);
    struct pages *all = pages_ref(c->app->pages);
    pthread_mutex_unlock(&c->app->policy_lock);
    return all;
}

enum err page_get(struct ctx *c, enum page_kind kind, struct page *out)
{
    struct pages *all = current(c);
    enum err status = give(c, pages_page(all, kind, c->language), out);
    pages_unref(&all);
    return status;
}

enum err page_get_tenant(struct ctx *c, text tenant, struct page *out)
{
    unsigned at = 0;
    while (at < c->policy->tenant_count && !text_eq(c->policy->tenants[at], tenant))
        at++;
    struct pages *all = current(c);
    enum err status = give(c, at < c->policy->tenant_count ? pages_tenant(all, at, c->language) : NULL, out);
    pages_unref(&all);
    return status;
}

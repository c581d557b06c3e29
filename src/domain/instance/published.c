/* The public pages of the policy in force, from memory. */
#include "domain/instance/published.h"
#include "domain/core/instance.h"

enum err page_get(struct ctx *c, enum page_kind kind, struct page *out)
{
    pthread_mutex_lock(&c->app->policy_lock);
    struct pages *all = pages_ref(c->app->pages);
    pthread_mutex_unlock(&c->app->policy_lock);
    const struct page *page = pages_page(all, kind, c->language);
    *out = (struct page){ arena_copy(c->arena, page->body), page->type, arena_copy(c->arena, page->etag) };
    pages_unref(&all);
    return out->body.p && out->etag.p ? OK : ERR_MEMORY;
}

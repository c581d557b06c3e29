/* The pages of the policy in force, in memory: rendered at its publication, never at a request. */
#include "publish/pages.h"
#include "publish/notice.h"
#include "publish/tenant_view.h"
#include <stdatomic.h>
#include "base/arena.h"
#include "base/file/pack.h"

enum { LANGUAGES = 2, PAGE_LIMIT = 8 << 20, PAGES_LIMIT = 64 << 20 };
static const text languages[LANGUAGES] = { TEXT_INIT("fr"), TEXT_INIT("en") };

struct pages {
    atomic_uint refs;
    struct arena arena; /* holds the bodies */
    struct page pages[PAGE_KINDS][LANGUAGES];
    struct page tenants[TENANTS_MAX][LANGUAGES]; /* by the policy's index; empty of those whose notice is everybody's */
};

static enum err make_one(struct pages *all, const struct policy *p, const struct policy *coming, enum page_kind kind,
                         int language)
{
    BUF_AUTO b = buf_make(PAGE_LIMIT);
    ARENA_AUTO scratch = arena_make(PAGES_LIMIT);
    text hash = text_of(p->hash);
    if (kind == PAGE_DATA) {
        TRY(notice_jsonld(&scratch, &b, p->root, hash));
    } else {
        struct notice n;
        TRY(notice_make(&scratch, p->root, hash, kind == PAGE_COOKIES ? NOTICE_COOKIES : NOTICE_PRIVACY,
                        languages[language], &n));
        if (coming)
            TRY(notice_coming(&scratch, &n, coming->version, coming->date,
                              arena_print(&scratch, "/privacy/versions/%s/diff/%s", p->hash, coming->hash)));
        notice_html(&b, &n, false);
    }
    enum err whole = arena_whole(&scratch);
    if (whole != OK)
        return say(&all->arena, whole, "%s", scratch.why.detail);
    struct page *out = &all->pages[kind][language];
    TRY(buf_take(&all->arena, &b, &out->body));
    TRY(pack_gzip(&all->arena, out->body, 9, &out->gzip));
    out->type = kind == PAGE_DATA ? TEXT("application/ld+json") : TEXT("text/html; charset=utf-8");
    out->etag = arena_print(&all->arena, "\"%.*s-%.*s-%d-%.*s-%s\"", 24, hash.p, coming ? 12 : 0,
                            coming ? coming->hash : "", (int)kind, T(languages[language]), GARANT_VERSION);
    return out->body.p && out->etag.p ? OK : ERR_MEMORY;
}

/* The notice of one tenant alone: its controller, its fields, its staff. */
static enum err make_tenant(struct pages *all, const struct policy *p, unsigned tenant, int language)
{
    BUF_AUTO b = buf_make(PAGE_LIMIT);
    ARENA_AUTO scratch = arena_make(PAGES_LIMIT);
    const struct tenant *t = &p->tenant_rows[tenant];
    const struct node *root;
    struct notice n;
    text hash = text_of(p->hash);
    TRY(tenant_view(&scratch, p, t, &root));
    TRY(notice_make(&scratch, root, hash, NOTICE_PRIVACY, languages[language], &n));
    n.tenant = t->name;
    notice_html(&b, &n, false);
    enum err whole = arena_whole(&scratch);
    if (whole != OK)
        return say(&all->arena, whole, "%s", scratch.why.detail);
    struct page *out = &all->tenants[tenant][language];
    TRY(buf_take(&all->arena, &b, &out->body));
    out->type = TEXT("text/html; charset=utf-8");
    out->etag = arena_print(&all->arena, "\"%.*s-%.*s-%.*s-%s\"", 24, hash.p, T(t->name), T(languages[language]),
                            GARANT_VERSION);
    return out->body.p && out->etag.p ? OK : ERR_MEMORY;
}

enum err pages_make(struct arena *a, const struct policy *p, const struct policy *coming, struct pages **out)
{
    struct pages *all = calloc(1, sizeof *all);
    if (!all)
        return say(a, ERR_MEMORY, "the machine has no memory left");
    atomic_init(&all->refs, 1);
    all->arena = arena_make(PAGES_LIMIT);
    enum err status = OK;
    for (int kind = 0; kind < PAGE_KINDS && status == OK; kind++)
        for (int i = 0; i < LANGUAGES && status == OK; i++)
            status = make_one(all, p, coming, (enum page_kind)kind, i);
    for (unsigned t = 0; t < p->tenant_count && status == OK; t++)
        for (int i = 0; i < LANGUAGES && status == OK && p->tenant_rows[t].stored; i++)
            status = make_tenant(all, p, t, i);
    if (status != OK) {
        say(a, status, "the pages of the policy cannot be made: %s", all->arena.why.detail);
        pages_unref(&all);
        return status;
    }
    *out = all;
    return OK;
}

struct pages *pages_ref(struct pages *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void pages_unref(struct pages **p)
{
    struct pages *gone = *p;
    *p = NULL;
    if (!gone || atomic_fetch_sub_explicit(&gone->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_free(&gone->arena);
    free(gone);
}

const struct page *pages_page(const struct pages *all, enum page_kind kind, text language)
{
    return &all->pages[kind][text_eq(language, languages[1])];
}

const struct page *pages_tenant(const struct pages *all, unsigned tenant, text language)
{
    const struct page *page = &all->tenants[tenant][text_eq(language, languages[1])];
    return page->body.p ? page : NULL;
}

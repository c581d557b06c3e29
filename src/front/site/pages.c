/* The public pages of the policy: notice, cookies, versions, differences, and the warning before another site. */
#include "base/file/asset.h"
#include "publish/notice.h"
#include "publish/pages.h"
#include "domain/version/acknowledge.h"
#include "domain/version/answer.h"
#include "paper/version_page.h"
#include "front/door/coding.h"
#include "front/door/front.h"
#include "front/site/pages.h"
#include "domain/instance/published.h"

extern const struct assets front_assets; /* made by tools/embed from static/ */

text front_style(void) { return asset_find(&front_assets, TEXT("garant.css"))->plain.bytes; }

/* What a public page tells caches: kept, asked again each time, one a language. */
static enum err add_headers(struct ctx *c, struct reply *r, text etag)
{
    TRY(reply_header(c->arena, r, TEXT("Cache-Control"), TEXT("no-cache")));
    TRY(reply_header(c->arena, r, TEXT("Vary"), TEXT("Accept-Language, Cookie")));
    TRY(reply_header(c->arena, r, TEXT("Content-Language"), c->language));
    return etag.n ? reply_header(c->arena, r, TEXT("ETag"), etag) : OK;
}

/* RFC 9110, 13.1.2: the list of tags, or "*". */
static bool matches(struct ctx *c, text header, text etag)
{
    text packed = arena_print(c->arena, "%.*s-gz\"", (int)etag.n - 1, etag.p);
    while (header.p) {
        text one = text_trim(text_cut(&header, ','));
        if (text_starts(one, TEXT("W/")))
            one = text_from(one, 2);
        if (text_eq(one, etag) || text_eq(one, packed) || text_eq(one, TEXT("*")))
            return true;
    }
    return false;
}

static enum err serve_page(struct ctx *c, const struct request *q, struct reply *r, enum page_kind kind)
{
    struct page page;
    TRY(request_take_language(c, q));
    text tenant = request_query(q, TEXT("tenant"));
    TRY(tenant.n ? page_get_tenant(c, tenant, &page) : page_get(c, kind, &page));
    bool anybody = !front_session(c, q);
    if (anybody && matches(c, request_header(q, TEXT("If-None-Match")), page.etag))
        reply_bytes(r, 304, (text){ NULL, 0 }, TEXT(""));
    else
        reply_bytes(r, 200, page.type, page.body);
    if (anybody && r->status == 200 && page.gzip.p && coding_taken(q))
        TRY(coding_give(c, r, page.gzip));
    return add_headers(c, r, page.etag);
}

enum err api_privacy(struct ctx *c, const struct request *q, struct reply *r)
{
    return serve_page(c, q, r, PAGE_PRIVACY);
}
enum err api_cookies(struct ctx *c, const struct request *q, struct reply *r)
{
    return serve_page(c, q, r, PAGE_COOKIES);
}
enum err api_privacy_data(struct ctx *c, const struct request *q, struct reply *r)
{
    return serve_page(c, q, r, PAGE_DATA);
}

enum err api_leave(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(request_take_language(c, q));
    struct buf *b = reply_text(r, 200, TEXT("text/html; charset=utf-8"));
    TRY(notice_leave(c->arena, b, c->policy->root, request_query(q, TEXT("to")), c->language));
    TRY(add_headers(c, r, TEXT("")));
    return reply_done(c->arena, r);
}

static enum err give(struct ctx *c, struct reply *r, const struct answer *answer)
{
    reply_bytes(r, 200, answer->media_type, answer->body);
    return add_headers(c, r, TEXT(""));
}

enum err api_version_list_page(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    TRY(version_list_page(c, &answer));
    return give(c, r, &answer);
}

enum err api_version_page(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    TRY(version_page(c, q->params[0], &answer));
    return give(c, r, &answer);
}

/* Of one person alone: kept by nobody. */
enum err api_version_reading_page(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    TRY(version_reading_page(c, &answer));
    reply_bytes(r, 200, answer.media_type, answer.body);
    return reply_header(c->arena, r, TEXT("Content-Language"), c->language);
}

enum err api_version_read(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(version_read(c, json_text(q->json, TEXT("version")), &answer));
    reply_bytes(r, 303, (text){ NULL, 0 }, TEXT(""));
    return reply_header(c->arena, r, TEXT("Location"), TEXT("/privacy/acknowledge"));
}

enum err api_version_diff_page(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    TRY(version_diff_page(c, q->params[0], q->params[1], &answer));
    return give(c, r, &answer);
}

enum err api_version_banner(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    TRY(version_banner(c, &answer));
    return reply_answer(c, q, r, &answer);
}

enum err api_version_diff(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    TRY(version_diff(c, q->params[0], q->params[1], &answer));
    return reply_answer(c, q, r, &answer);
}

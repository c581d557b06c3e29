/* Replies: answers of the domain, documents of the handlers, and problem details. */
#include "front/door/reply.h"
#include "base/file/file_name.h"
#include "front/door/router.h"

enum { BUFFER_KEPT = 64 << 10, BUFFER_LIMIT = 64 << 20 };
static const text type_json = TEXT_INIT("application/json");

static void end_source(struct reply *r)
{
    if (r->pieces)
        r->pieces->end(r->pieces);
    r->pieces = NULL;
    share_give(&r->held);
}

void reply_reset(struct reply *r)
{
    end_source(r);
    struct buf kept = r->buf;
    if (kept.capacity > BUFFER_KEPT)
        buf_free(&kept);
    kept.limit = BUFFER_LIMIT;
    buf_wipe(&kept);
    *r = (struct reply){ .buf = kept };
}

void reply_free(struct reply *r)
{
    end_source(r);
    buf_free(&r->buf);
}

enum err reply_header(struct arena *a, struct reply *r, text name, text value)
{
    if (r->header_count == REPLY_HEADERS)
        return say(a, ERR_INTERNAL, "an answer has more than %d headers", REPLY_HEADERS);
    r->headers[r->header_count++] = (struct pair){ name, value };
    return OK;
}

/* "/v1/subjects" and a new id give "/v1/subjects/ID"; a thing made below a path with parameters stands below that path.
 */
static enum err add_location(struct ctx *c, const struct request *q, struct reply *r, text id)
{
    text path = q->target;
    path = text_cut(&path, '?');
    text location = arena_print(c->arena, "%.*s/%.*s", T(path), T(id));
    TRY_PTR(location.p);
    return reply_header(c->arena, r, TEXT("Location"), location);
}

/* Types that a browser runs, or reads as part of a page. */
static bool runs(text type)
{
    static const text words[] = { TEXT_INIT("html"), TEXT_INIT("xml"),  TEXT_INIT("script"),   TEXT_INIT("css"),
                                  TEXT_INIT("svg"),  TEXT_INIT("wasm"), TEXT_INIT("multipart") };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (size_t at = 0; at + words[i].n <= type.n; at++)
            if (text_eq_nocase(text_upto(text_from(type, at), words[i].n), words[i]))
                return true;
    return false;
}

/* For clients that know no filename*: letters and digits of ASCII and what no system and no shell reads as anything
 * else; each run of the others becomes one "_". */
static void put_plain_name(struct buf *b, text name)
{
    bool last = false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     memchr("-._ ()", c, 6);
        if (plain || !last)
            buf_char(b, plain ? c : '_');
        last = !plain;
    }
}

/* A file that somebody sent in: to be kept by whoever asks for it, never opened in this site's name. RFC 6266 with RFC
 * 8187: its name may hold any letter, so it travels percent-encoded, and plainly too for clients that read only that
 * (appendix D). */
static enum err add_file_headers(struct ctx *c, struct reply *r, text name)
{
    BUF_AUTO b = buf_make(4096);
    name = file_name_safe(c->arena, name);
    TRY_PTR(name.p);
    buf_add(&b, TEXT("attachment; filename=\""));
    put_plain_name(&b, name);
    buf_add(&b, TEXT("\"; filename*=UTF-8''"));
    buf_percent(&b, name);
    text value;
    TRY(buf_take(c->arena, &b, &value));
    if (runs(r->type))
        r->type = TEXT("application/octet-stream");
    TRY(reply_header(c->arena, r, TEXT("Content-Disposition"), value));
    return reply_header(c->arena, r, TEXT("Content-Security-Policy"), TEXT("default-src 'none'; sandbox"));
}

/* RFC 8288: the same path with what the request asked, after the last row of this page. */
static enum err add_next(struct ctx *c, const struct request *q, struct reply *r, text next)
{
    BUF_AUTO b = buf_make(16 << 10);
    text rest = q->target, path = text_cut(&rest, '?'), link;
    buf_print(&b, "<%.*s?", T(path));
    while (rest.n) {
        text one = text_cut(&rest, '&');
        if (one.n && !text_starts(one, TEXT("after=")))
            buf_print(&b, "%.*s&", T(one));
    }
    buf_add(&b, TEXT("after="));
    buf_percent(&b, next);
    buf_add(&b, TEXT(">; rel=\"next\""));
    TRY(buf_take(c->arena, &b, &link));
    return reply_header(c->arena, r, TEXT("Link"), link);
}

enum err reply_answer(struct ctx *c, const struct request *q, struct reply *r, const struct answer *answer)
{
    bool said = answer->body.p || answer->pieces;
    r->pieces = answer->pieces; /* first: whatever fails, they are ended */
    TRY(arena_whole(c->arena));
    r->status = said || q->route->status != 200 ? q->route->status : 204;
    if (said) {
        r->type = answer->media_type.p ? answer->media_type : type_json;
        r->body = answer->body;
    }
    if (answer->id.p && q->route->status == 201)
        TRY(add_location(c, q, r, answer->id));
    if (answer->version > 0) {
        text tag = arena_print(c->arena, "\"%lld\"", (long long)answer->version);
        TRY_PTR(tag.p);
        TRY(reply_header(c->arena, r, TEXT("ETag"), tag));
    }
    if (answer->next.n)
        TRY(add_next(c, q, r, answer->next));
    return answer->file_name.p ? add_file_headers(c, r, answer->file_name) : OK;
}

struct json_out *reply_json(struct reply *r, int status)
{
    buf_clear(&r->buf);
    r->status = status;
    r->type = type_json;
    r->json = json_out(&r->buf);
    return &r->json;
}

struct buf *reply_text(struct reply *r, int status, text type)
{
    buf_clear(&r->buf);
    r->status = status;
    r->type = type;
    return &r->buf;
}

enum err reply_done(struct arena *a, struct reply *r)
{
    TRY(arena_whole(a));
    return buf_lend(a, &r->buf, &r->body);
}

void reply_bytes(struct reply *r, int status, text type, text body)
{
    r->status = status;
    r->type = type;
    r->body = body;
}

void reply_none(struct reply *r) { r->status = 204; }

void reply_pixel(struct reply *r)
{
    static const char blank[] = "GIF89a\1\0\1\0\200\0\0\0\0\0\0\0\0!\371\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;";
    reply_bytes(r, 200, TEXT("image/gif"), (text){ blank, sizeof blank - 1 });
}

void reply_problem_open(struct reply *r, const struct why *why, text language, int status)
{
    const struct err_row *row = err_row(why->code);
    r->status = status ? status : row->http;
    r->code = why->code;
    r->type = TEXT("application/problem+json");
    r->header_count = 0;
    buf_clear(&r->buf);
    struct json_out *w = &r->json;
    *w = json_out(&r->buf);
    json_open(w, '{');
    BUF_AUTO type = buf_make(256);
    buf_print(&type, "https://garant.example/problems/%.*s", T(row->slug));
    json_name(w, TEXT("type"));
    json_put_text_of(w, &type);
    json_pair(w, TEXT("title"), text_eq(language, TEXT("fr")) ? row->fr : row->en);
    json_pair_int(w, TEXT("status"), r->status);
    text told = why_told(why, language), detail = told.n ? told : text_of(why->detail);
    if (detail.n && text_utf8(detail))
        json_pair(w, TEXT("detail"), detail);
    json_pair(w, TEXT("code"), row->slug);
    if (why->clause) {
        json_name(w, TEXT("clause"));
        clause_json(w, why->clause);
    }
    if (why->missing[0]) {
        json_name(w, TEXT("missing"));
        json_open(w, '[');
        for (text rest = text_of(why->missing); rest.p;)
            json_put_text(w, text_cut(&rest, ','));
        json_close(w, ']');
    }
    if (why->field[0])
        json_pair(w, TEXT("field"), text_of(why->field));
}

void reply_retry(struct reply *r, const struct why *why)
{
    int seconds = why->retry;
    if (r->status != 429 && r->status != 503)
        return;
    snprintf(r->retry, sizeof r->retry, "%d", seconds > 0 ? seconds : 1);
    r->headers[r->header_count++] = (struct pair){ TEXT("Retry-After"), text_of(r->retry) };
}

void reply_problem(struct reply *r, const struct why *why, text language)
{
    ARENA_AUTO told = arena_make(0);
    reply_problem_open(r, why, language, 0);
    json_close(&r->json, '}');
    if (buf_lend(&told, &r->buf, &r->body) != OK) {
        r->status = 503;
        r->body = TEXT("{\"status\":503,\"code\":\"memory\"}");
    }
    if (r->status == 401)
        r->headers[r->header_count++] = (struct pair){ TEXT("WWW-Authenticate"), TEXT("Bearer") };
    reply_retry(r, why);
}

/* Content codings: gzip for public pages and files, never for what holds a session's token. */
#include "front/door/coding.h"
#include "base/file/pack.h"
#include "front/door/cookie.h"
#include "front/door/front.h"
#include "front/door/router.h"

enum { SMALLEST = 1 << 10, LARGEST = 4 << 20, EFFORT = 5 };

/* RFC 9110, 12.5.3: named, or "*", and not with a weight of 0. */
bool coding_taken(const struct request *q)
{
    text list = request_header(q, TEXT("Accept-Encoding"));
    while (list.p) {
        text weight = text_cut(&list, ','), name = text_trim(text_cut(&weight, ';'));
        if (text_eq_nocase(name, TEXT("gzip")) || text_eq(name, TEXT("*")))
            return !weight.p || !text_starts(text_trim(weight), TEXT("q=0")) || text_find(weight, TEXT("1")) >= 0;
    }
    return false;
}

enum err coding_give(struct ctx *c, struct reply *r, text packed)
{
    r->body = packed;
    return reply_header(c->arena, r, TEXT("Content-Encoding"), TEXT("gzip"));
}

static text *header_of(struct reply *r, text name)
{
    for (unsigned i = 0; i < r->header_count; i++)
        if (text_eq_nocase(r->headers[i].name, name))
            return &r->headers[i].value;
    return NULL;
}

static bool worth(const struct reply *r)
{
    return r->status == 200 && !r->pieces && r->body.n >= SMALLEST && r->body.n <= LARGEST &&
           (text_starts(r->type, TEXT("text/")) || text_starts(r->type, TEXT("application/json")) ||
            text_starts(r->type, TEXT("application/ld+json")));
}

/* Caches keep one for each coding; a strong tag is of one coding (RFC 9110, 8.8.3.3). */
static enum err tell(struct ctx *c, struct reply *r, bool packed)
{
    text *vary = header_of(r, TEXT("Vary")), *tag = header_of(r, TEXT("ETag"));
    if (vary)
        *vary = arena_print(c->arena, "%.*s, Accept-Encoding", T(*vary));
    else
        TRY(reply_header(c->arena, r, TEXT("Vary"), TEXT("Accept-Encoding")));
    if (packed && tag && text_ends(*tag, TEXT("\"")))
        *tag = arena_print(c->arena, "%.*s-gz\"", (int)tag->n - 1, tag->p);
    return (vary && !vary->p) || (tag && !tag->p) ? ERR_MEMORY : OK;
}

enum err coding_pack(struct ctx *c, const struct request *q, struct reply *r)
{
    text packed = { NULL, 0 };
    bool anybody = q->route->who == WHO_PUBLIC && !q->in_batch && !q->operator_socket;
    if (!anybody || header_of(r, TEXT("Set-Cookie")))
        return OK;
    if (r->status == 304 || header_of(r, TEXT("Content-Encoding")))
        return tell(c, r, r->status == 200 || coding_taken(q));
    if (!worth(r))
        return OK;
    if (coding_taken(q) && !front_session(c, q))
        TRY(pack_gzip(c->arena, r->body, EFFORT, &packed));
    if (packed.p)
        TRY(coding_give(c, r, packed));
    return tell(c, r, packed.p != NULL);
}

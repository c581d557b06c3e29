/* Cookies: RFC 6265, section 4. */
#include "front/cookie.h"

text request_cookie(const struct request *q, text name)
{
    text found = { NULL, 0 };
    for (size_t i = 0; i < q->header_count; i++) {
        text rest = q->headers[i].value;
        if (!text_eq_nocase(q->headers[i].name, TEXT("Cookie")))
            continue;
        while (rest.p) {
            text value = text_trim(text_cut(&rest, ';')), key = text_cut(&value, '=');
            if (!value.p || !text_eq(key, name))
                continue;
            if (found.p)
                return (text){ NULL, 0 };
            found = value;
        }
    }
    return found;
}

enum err cookie_set_session(struct ctx *c, struct reply *r, text secret)
{
    const struct policy *p = c->policy;
    int64_t life = (term_end(c->now, p->session.idle, 1) - c->now) / SECOND;
    text cookie = p->session.kept ? arena_print(c->arena, "%.*s=%.*s; Path=/; Max-Age=%lld; Secure; HttpOnly; SameSite=Lax",
                                                T(p->session.cookie), T(secret), (long long)life)
                                  : arena_print(c->arena, "%.*s=%.*s; Path=/; Secure; HttpOnly; SameSite=Lax", T(p->session.cookie), T(secret));
    TRY_PTR(cookie.p);
    return reply_header(c->arena, r, TEXT("Set-Cookie"), cookie);
}

enum err cookie_end_session(struct ctx *c, struct reply *r)
{
    if (!c->policy->session.cookie.n)
        return OK;
    text cookie = arena_print(c->arena, "%.*s=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax", T(c->policy->session.cookie));
    TRY_PTR(cookie.p);
    return reply_header(c->arena, r, TEXT("Set-Cookie"), cookie);
}

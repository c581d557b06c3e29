/* Cookies: RFC 6265, section 4. */
#include "front/door/cookie.h"
#include "domain/core/actor.h"
#include "domain/account/session.h"
#include "domain/person/consent.h"

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
    msec ends = term_end(c->now, p->session.idle, 1);
    if (c->session && c->session->ends < ends)
        ends = c->session->ends;
    int64_t life = (ends - c->now) / SECOND;
    text cookie = p->session.kept
                      ? arena_print(c->arena, "%.*s=%.*s; Path=/; Max-Age=%lld; Secure; HttpOnly; SameSite=Lax",
                                    T(p->session.cookie), T(secret), (long long)life)
                      : arena_print(c->arena, "%.*s=%.*s; Path=/; Secure; HttpOnly; SameSite=Lax", T(p->session.cookie),
                                    T(secret));
    TRY_PTR(cookie.p);
    return reply_header(c->arena, r, TEXT("Set-Cookie"), cookie);
}

static bool sets_cookie(const struct reply *r)
{
    for (unsigned i = 0; i < r->header_count; i++)
        if (text_eq_nocase(r->headers[i].name, TEXT("Set-Cookie")))
            return true;
    return false;
}

enum err cookie_follow_session(struct ctx *c, const struct request *q, struct reply *r)
{
    bool there = true;
    text secret = c->policy->session.cookie.n ? request_cookie(q, c->policy->session.cookie) : (text){ NULL, 0 };
    if (!c->session || !secret.p || sets_cookie(r))
        return OK;
    if (q->method != METHOD_GET && q->method != METHOD_HEAD)
        TRY(session_there(c, &there));
    if (!there)
        return cookie_end_session(c, r);
    return c->policy->session.kept ? cookie_set_session(c, r, secret) : OK;
}

enum err cookie_end_session(struct ctx *c, struct reply *r)
{
    if (!c->policy->session.cookie.n)
        return OK;
    text cookie = arena_print(c->arena, "%.*s=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax",
                              T(c->policy->session.cookie));
    TRY_PTR(cookie.p);
    return reply_header(c->arena, r, TEXT("Set-Cookie"), cookie);
}

/* The purpose that a declared cookie serves, where it rests on consent; NULL for others. */
static const struct purpose *asked_for(const struct policy *p, const struct node *cookie)
{
    int index = policy_purpose(p, node_text(cookie, TEXT("purpose")));
    const struct purpose *of = index >= 0 ? &p->purposes[index] : NULL;
    return of && of->basis == BASIS_CONSENT && text_eq(node_text(cookie, TEXT("kind")), TEXT("cookie")) ? of : NULL;
}

enum err cookie_end_unwanted(struct ctx *c, const struct request *q, struct reply *r)
{
    if (!c->session || c->actor.kind != ACTOR_PERSON)
        return OK;
    NODE_EACH(cookie, node_get(c->policy->root, TEXT("cookies"))) {
        const struct purpose *of = asked_for(c->policy, cookie);
        text given = node_text(cookie, TEXT("name")), name = given.n ? given : cookie->key;
        bool live = true;
        if (!of || !request_cookie(q, name).p || r->header_count == REPLY_HEADERS)
            continue;
        TRY(consent_is_live(c, session_self(c), of->name, &live));
        text gone = arena_print(c->arena, "%.*s=; Path=/; Max-Age=0; Secure; SameSite=Lax", T(name));
        TRY_PTR(gone.p);
        if (!live)
            TRY(reply_header(c->arena, r, TEXT("Set-Cookie"), gone));
    }
    return OK;
}

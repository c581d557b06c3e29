/* Pages before a session: sign-in with its second factor, the password typed again, a forgotten password, links of
 * letters. */
#include "domain/entry/address.h"
#include "domain/core/actor.h"
#include "front/door/go.h"
#include "domain/account/password.h"
#include "domain/entry/reset.h"
#include "front/page/page_person.h"
#include "front/open/link.h"
#include "front/open/page_door.h"
#include "front/open/page_kept.h"
#include "front/open/page_opening.h"
#include "front/api/signin.h"

/* A page tells a wrong password as what was typed wrong; 401 is for programs, which read its header. */
static int status_of(const struct why *why)
{
    int status = why ? err_row(why->code)->http : 200;
    return status == 401 ? 422 : status;
}

static struct why why_of(const struct ctx *c, enum err e)
{
    struct why why = c->arena->why;
    why.code = e;
    return why;
}

/* What the policy asks of a password, told before it is typed. */
static void put_asked(struct page *p) { page_text(p, TEXT("asked"), password_asked(p->c)); }

static text next_of(const struct request *q)
{
    text asked = q->method == METHOD_GET ? request_query(q, TEXT("next")) : json_text(q->json, TEXT("next"));
    return page_next(asked, TEXT(""));
}

/* A form that waits, sealed, and where to go when it cannot go on; as the page before carried them. */
struct waiting {
    text kept, next;
};

static struct waiting waiting_of(const struct request *q)
{
    return (struct waiting){ q->method == METHOD_GET ? TEXT("") : json_text(q->json, TEXT("kept")), next_of(q) };
}

static void put_waiting(struct page *p, const struct waiting *w)
{
    json_pair(&p->w, TEXT("kept"), w->kept.p ? w->kept : TEXT(""));
    json_pair(&p->w, TEXT("next"), w->next);
}

/* The page on which the form stood, or the area it belongs to. */
static struct waiting waiting_for(struct ctx *c, const struct request *q, text closed)
{
    text target = q->target, path = text_cut(&target, '?');
    bool again = text_starts(route_allow(c->arena, path), TEXT("GET"));
    text area = text_starts(path, TEXT("/staff")) ? TEXT("/staff") : TEXT("/me");
    return (struct waiting){ closed, again ? path : area };
}

/* ---- Sign-in. ---- */

static void put_tenants(struct page *p)
{
    const struct policy *policy = p->c->policy;
    text chosen = json_text(p->q->json, TEXT("tenant"));
    json_name(&p->w, TEXT("tenants"));
    json_open(&p->w, '[');
    for (unsigned i = 0; policy->tenant_count > 1 && i < policy->tenant_count; i++) {
        const struct node *n = node_get(node_get(policy->root, TEXT("tenants")), policy->tenants[i]);
        text title = node_said(node_get(n, TEXT("title")), p->c->language);
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("tenant"), policy->tenants[i]);
        json_pair(&p->w, TEXT("name"), title.n ? title : policy->tenants[i]);
        json_pair_bool(&p->w, TEXT("chosen"), chosen.n ? text_eq(chosen, policy->tenants[i]) : !i);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_pair_bool(&p->w, TEXT("has_tenants"), policy->tenant_count > 1);
}

static enum err show_signin(struct ctx *c, const struct request *q, struct reply *r, const struct waiting *waits,
                            const struct why *why)
{
    static const text kept[] = { TEXT_INIT("identifier") };
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, TEXT("signin"), TEXT(""), &p));
    page_problem(&p, why);
    page_keep(&p, kept, 1);
    put_tenants(&p);
    put_waiting(&p, waits);
    json_pair_bool(&p.w, TEXT("opened_by_self"), page_self_opened(c->policy));
    return page_show(&p, r, waits->kept.n ? 422 : status_of(why));
}

enum err page_signin_keeping(struct ctx *c, const struct request *q, struct reply *r, text closed)
{
    const struct waiting waits = waiting_for(c, q, closed);
    return show_signin(c, q, r, &waits, NULL);
}

static enum err show_factor(struct ctx *c, const struct request *q, struct reply *r, text ticket, const struct why *why)
{
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, TEXT("factor"), TEXT(""), &p));
    page_problem(&p, why);
    const struct waiting waits = waiting_of(q);
    json_pair(&p.w, TEXT("ticket"), ticket);
    put_waiting(&p, &waits);
    return page_show(&p, r, status_of(why));
}

enum err api_signin_page(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct waiting waits = waiting_of(q);
    return c->session ? page_go(c, r, page_next(waits.next, TEXT("/me")), TEXT(""))
                      : show_signin(c, q, r, &waits, NULL);
}

enum err api_signin_form(struct ctx *c, const struct request *q, struct reply *r)
{
    struct signin s = { .left = 0 };
    const struct waiting waits = waiting_of(q);
    text ticket = json_text(q->json, TEXT("ticket"));
    TRY(request_take_language(c, q));
    enum err e = signin_request(c, q, r, &s);
    if (e != OK) {
        struct why why = why_of(c, e);
        return ticket.n ? show_factor(c, q, r, ticket, &why) : show_signin(c, q, r, &waits, &why);
    }
    if (s.ticket.p)
        return show_factor(c, q, r, s.ticket, NULL);
    if (s.enrol)
        return page_go(c, r, TEXT("/me/security"), TEXT("enrol"));
    if (page_kept_goes_on(c, q, r, &e))
        return e;
    return page_go(c, r, page_next(waits.next, TEXT("/me")), s.recovery ? TEXT("recovery") : TEXT(""));
}

static enum err show_again(struct ctx *c, const struct request *q, struct reply *r, const struct waiting *waits,
                           const struct why *why)
{
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, TEXT("again"), TEXT(""), &p));
    page_problem(&p, why);
    put_waiting(&p, waits);
    json_pair_bool(&p.w, TEXT("with_code"), c->session && c->session->factor);
    return page_show(&p, r, waits->kept.n ? 422 : status_of(why));
}

enum err api_again_page(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct waiting waits = waiting_of(q);
    return show_again(c, q, r, &waits, NULL);
}

enum err page_again_keeping(struct ctx *c, const struct request *q, struct reply *r, text closed)
{
    const struct waiting waits = waiting_for(c, q, closed);
    return show_again(c, q, r, &waits, NULL);
}

enum err api_again_form(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct waiting waits = waiting_of(q);
    enum err e = signin_again_request(c, q), shown = OK;
    if (e == OK && page_kept_goes_on(c, q, r, &shown))
        return shown;
    if (e == OK)
        return page_go(c, r, page_next(waits.next, TEXT("/me")), TEXT(""));
    struct why why = why_of(c, e);
    return show_again(c, q, r, &waits, &why);
}

/* ---- A forgotten password. ---- */

static enum err show_forgotten(struct ctx *c, const struct request *q, struct reply *r, bool sent,
                               const struct why *why)
{
    static const text kept[] = { TEXT_INIT("identifier") };
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, TEXT("forgotten"), TEXT(""), &p));
    page_problem(&p, why);
    page_keep(&p, kept, 1);
    put_tenants(&p);
    json_pair_bool(&p.w, TEXT("sent"), sent);
    return page_show(&p, r, status_of(why));
}

enum err api_forgotten_page(struct ctx *c, const struct request *q, struct reply *r)
{
    return show_forgotten(c, q, r, false, NULL);
}

enum err api_forgotten_form(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(request_take_language(c, q));
    enum err e = signin_paced(c, q);
    if (e == OK)
        e = reset_ask(c, q->json);
    struct why why = why_of(c, e);
    return show_forgotten(c, q, r, e == OK, e == OK ? NULL : &why);
}

/* A page with one new password and the token of a letter's link: reset and invitation. */
static enum err show_choose(struct ctx *c, const struct request *q, struct reply *r, text name, text token,
                            const struct why *why)
{
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, name, TEXT(""), &p));
    page_problem(&p, why);
    json_pair(&p.w, TEXT("token"), token);
    put_asked(&p);
    return page_show(&p, r, status_of(why));
}

enum err api_reset_page(struct ctx *c, const struct request *q, struct reply *r)
{
    enum err e = reset_look(c, q->params[0]);
    if (e != OK)
        return link_gone(c, q, r, LINK_OF_RESET, q->params[0], e);
    return show_choose(c, q, r, TEXT("reset"), q->params[0], NULL);
}

/* {token, password} of a path's token and a form's password. */
static enum err with_token(struct ctx *c, const struct request *q, text token, const struct json **out)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("token"), token);
    json_pair(&w, TEXT("password"), json_text(q->json, TEXT("password")));
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

enum err api_reset_form(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *in;
    TRY(request_take_language(c, q));
    TRY(with_token(c, q, q->params[0], &in));
    enum err e = reset_confirm(c, in);
    if (e == OK)
        return page_go(c, r, arena_print(c->arena, "/signin?lang=%.*s", T(c->language)), TEXT("password"));
    if (e == ERR_NOT_FOUND)
        return link_gone(c, q, r, LINK_OF_RESET, q->params[0], e);
    struct why why = why_of(c, e);
    return show_choose(c, q, r, TEXT("reset"), q->params[0], &why);
}

/* ---- Links of letters that are confirmed by a press: no mail scanner that follows a link does it. ---- */

static enum err show_confirm(struct ctx *c, const struct request *q, struct reply *r, text token)
{
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, TEXT("confirm"), TEXT(""), &p));
    page_problem(&p, NULL);
    json_pair(&p.w, TEXT("token"), token);
    return page_show(&p, r, 200);
}

enum err api_confirm_page(struct ctx *c, const struct request *q, struct reply *r)
{
    text token = request_query(q, TEXT("token"));
    enum err e = identifier_look(c, token);
    return e == OK ? show_confirm(c, q, r, token) : link_gone(c, q, r, LINK_OF_ADDRESS, token, e);
}

enum err api_confirm_form(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    text token = json_text(q->json, TEXT("token"));
    enum err e = identifier_confirm(c, token, &answer);
    if (e != OK)
        return link_gone(c, q, r, LINK_OF_ADDRESS, token, e);
    return page_go(c, r, c->session ? TEXT("/me/security") : arena_print(c->arena, "/signin?lang=%.*s", T(c->language)),
                   TEXT("identifier"));
}

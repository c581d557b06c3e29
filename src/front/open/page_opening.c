/* Pages that open an account: an invitation accepted, and registration by oneself with its consents unticked, purpose
 * by purpose. */
#include "domain/core/named.h"
#include "front/door/go.h"
#include "domain/entry/asked.h"
#include "domain/entry/opening.h"
#include "domain/entry/signin.h"
#include "front/door/cookie.h"
#include "front/open/link.h"
#include "domain/account/password.h"
#include "front/api/account.h"
#include "front/open/page_opening.h"
#include "front/page/page_person.h"

static int status_of(const struct why *why) { return why ? err_row(why->code)->http : 200; }

static text next_of(const struct request *q)
{
    text asked = q->method == METHOD_GET ? request_query(q, TEXT("next")) : json_text(q->json, TEXT("next"));
    return page_next(asked, TEXT(""));
}

/* Where the person was going, signed in; or the page of sign-in when the account waits for somebody, or another's
 * session cannot be begun. */
static enum err go_in(struct ctx *c, struct reply *r, const struct signin *in, text next, text done)
{
    if (!in->secret.p)
        return page_go(c, r, arena_print(c->arena, "/signin?lang=%.*s", T(c->language)), done);
    TRY(cookie_set_session(c, r, in->secret));
    return in->enrol ? page_go(c, r, TEXT("/me/security"), TEXT("enrol"))
                     : page_go(c, r, page_next(next, TEXT("/me")), TEXT("welcome"));
}

/* ---- An invitation. ---- */

static enum err show_invitation(struct ctx *c, const struct request *q, struct reply *r, text token,
                                const struct why *why)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *held;
    enum err e = invitation_look(c, token, &answer);
    if (e != OK)
        return link_gone(c, q, r, LINK_OF_INVITATION, token, e);
    TRY(json_parse(c->arena, answer.body, &held));
    TRY(page_open(c, q, TEXT("invitation"), TEXT(""), &p));
    page_problem(&p, why);
    json_pair(&p.w, TEXT("token"), token);
    page_text(&p, TEXT("asked"), password_asked(c));
    page_copy(&p, held, TEXT("source_title"));
    page_copy(&p, held, TEXT("opened"));
    page_copy(&p, held, TEXT("categories"));
    return page_show(&p, r, status_of(why));
}

enum err api_invitation_page(struct ctx *c, const struct request *q, struct reply *r)
{
    return show_invitation(c, q, r, request_query(q, TEXT("token")), NULL);
}

enum err api_invitation_form(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    text token = json_text(q->json, TEXT("token"));
    TRY(request_take_language(c, q));
    struct signin in = { 0 };
    enum err e = invitation_accept(c, token, json_text(q->json, TEXT("password")), &answer, &in);
    if (e == OK)
        return go_in(c, r, &in, TEXT("/me"), TEXT("accepted"));
    if (e == ERR_NOT_FOUND)
        return link_gone(c, q, r, LINK_OF_INVITATION, token, e);
    struct why why = c->arena->why;
    why.code = e;
    return show_invitation(c, q, r, token, &why);
}

enum err api_invitation_again(struct ctx *c, const struct request *q, struct reply *r)
{
    text token = json_text(q->json, TEXT("token"));
    TRY(request_take_language(c, q));
    enum err e = invitation_again(c, token);
    if (e == OK || e == ERR_TOO_MANY) /* one that is on its way is as good */
        return page_go(c, r, arena_print(c->arena, "/signin?lang=%.*s", T(c->language)), TEXT("invited_again"));
    return link_gone(c, q, r, LINK_OF_INVITATION, token, e);
}

/* ---- Registration. ---- */

bool page_self_opened(const struct policy *p)
{
    const struct node *by = node_at(p->root, TEXT("accounts.opened_by"));
    if (by && by->kind == NODE_SCALAR)
        return text_eq(by->value, TEXT("self"));
    NODE_EACH(one, by)
        if (text_eq(one->value, TEXT("self")))
            return true;
    return false;
}

static void put_fields(struct page *p, const struct why *why)
{
    const struct policy *policy = p->c->policy;
    json_name(&p->w, TEXT("groups"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->category_count; i++) {
        const struct category *cat = &policy->categories[i];
        if (!asked_category(policy, cat, ASKED_PERSON))
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("title"), doc_category(p->c, cat));
        json_name(&p->w, TEXT("fields"));
        json_open(&p->w, '[');
        form_fields(p, cat, FORM_REQUIRED, NULL, why ? p->q->json : NULL);
        json_close(&p->w, ']');
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

/* "consent.news.email", or "consent.news" for a purpose without channels. */
static text consent_name(struct arena *a, const struct purpose *p, text channel)
{
    return channel.n ? arena_print(a, "consent.%.*s.%.*s", T(p->name), T(channel))
                     : arena_print(a, "consent.%.*s", T(p->name));
}

static void put_consent(struct page *p, const struct purpose *of, text channel)
{
    text name = consent_name(p->c->arena, of, channel);
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("id"), name);
    json_pair(&p->w, TEXT("title"), doc_purpose(p->c, of));
    json_pair(&p->w, TEXT("channel"), channel);
    json_pair_bool(&p->w, TEXT("checked"), json_text(p->q->json, name).n > 0); /* ticked only when the person did */
    json_close(&p->w, '}');
}

/* Purposes of what is asked here: a consent to the rest can be given when there is something to consent to. */
static bool concerns(const struct policy *p, const struct purpose *of)
{
    for (unsigned i = 0; of->basis == BASIS_CONSENT && i < p->category_count; i++)
        if (bits_has(&of->categories, i) && asked_category(p, &p->categories[i], ASKED_PERSON))
            return true;
    return false;
}

static void put_consents(struct page *p)
{
    const struct policy *policy = p->c->policy;
    bool any = false;
    json_name(&p->w, TEXT("consents"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->purpose_count; i++) {
        const struct purpose *of = &policy->purposes[i];
        if (!concerns(policy, of))
            continue;
        any = true;
        for (unsigned k = 0; k < of->channel_count; k++)
            put_consent(p, of, of->channels[k]);
        if (!of->channel_count)
            put_consent(p, of, TEXT(""));
    }
    json_close(&p->w, ']');
    json_pair_bool(&p->w, TEXT("has_consents"), any);
}

/* All that is wrong at once; what the domain found besides stands with it (page_problem). */
static void put_faults(struct page *p, const struct why *why)
{
    if (!why || (why->code != ERR_VALUE && why->code != ERR_MISSING && why->code != ERR_CARD_NUMBER))
        return;
    for (unsigned i = 0; i < p->c->policy->category_count; i++)
        if (asked_category(p->c->policy, &p->c->policy->categories[i], ASKED_PERSON))
            form_faults(p, &p->c->policy->categories[i], FORM_REQUIRED, NULL, p->q->json);
}

static enum err show_register(struct ctx *c, const struct request *q, struct reply *r, const struct json *sent,
                              const struct why *why)
{
    PAGE_AUTO p = { 0 };
    if (!page_self_opened(c->policy))
        return say_clause(c->arena, ERR_NOT_FOUND, policy_clause(c->policy, TEXT("accounts")),
                          "accounts are not opened by oneself here");
    TRY(page_open(c, q, sent ? TEXT("registered") : TEXT("register"), TEXT(""), &p));
    put_faults(&p, why);
    page_problem(&p, why);
    json_pair(&p.w, TEXT("next"), next_of(q));
    json_pair(&p.w, TEXT("sent_to"), sent ? opening_email(c, json_get(sent, TEXT("data"))) : TEXT(""));
    json_pair(&p.w, TEXT("sent_until"), time_print(c->arena, ticket_until(c)));
    json_pair_bool(&p.w, TEXT("approval"),
                   text_eq(node_text(node_at(c->policy->root, TEXT("accounts")), TEXT("approval")), TEXT("true")));
    json_pair(&p.w, TEXT("controller"), c->policy->controller.legal_name);
    put_fields(&p, why);
    put_consents(&p);
    return page_show(&p, r, status_of(why));
}

enum err api_register_page(struct ctx *c, const struct request *q, struct reply *r)
{
    return show_register(c, q, r, NULL, NULL);
}

static void write_consent(struct ctx *c, struct json_out *w, const struct request *q, const struct purpose *of,
                          text channel)
{
    if (!json_text(q->json, consent_name(c->arena, of, channel)).n)
        return;
    json_open(w, '{');
    json_pair(w, TEXT("purpose"), of->name);
    json_pair(w, TEXT("decision"), TEXT("given"));
    if (channel.n)
        json_pair(w, TEXT("channel"), channel);
    json_pair(w, TEXT("method"), TEXT("tick"));
    json_pair(w, TEXT("wording"), doc_purpose(c, of));
    json_close(w, '}');
}

/* The form as the body that POST /v1/accounts/register takes. */
static enum err registration_of(struct ctx *c, const struct request *q, const struct json **out)
{
    const struct policy *p = c->policy;
    text password = json_text(q->json, TEXT("password"));
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("data"));
    json_open(&w, '{');
    for (unsigned i = 0; i < p->category_count; i++) {
        if (!asked_category(p, &p->categories[i], ASKED_PERSON))
            continue;
        json_name(&w, p->categories[i].name);
        json_open(&w, '{');
        form_values(c, &w, &p->categories[i], FORM_REQUIRED, NULL, q->json);
        json_close(&w, '}');
    }
    json_close(&w, '}');
    if (password.p) /* by programs that fill the form; the page leaves it to the letter's link */
        json_pair(&w, TEXT("password"), password);
    json_pair(&w, TEXT("language"), c->language);
    json_name(&w, TEXT("consents"));
    json_open(&w, '[');
    for (unsigned i = 0; i < p->purpose_count; i++) {
        const struct purpose *of = &p->purposes[i];
        if (!concerns(p, of))
            continue;
        for (unsigned k = 0; k < of->channel_count; k++)
            write_consent(c, &w, q, of, of->channels[k]);
        if (!of->channel_count)
            write_consent(c, &w, q, of, TEXT(""));
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

enum err api_register_form(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    const struct json *in;
    TRY(request_take_language(c, q));
    TRY(registration_of(c, q, &in));
    enum err e = form_declared(c, q->json);
    if (e == OK)
        e = registration_request(c, q, in, next_of(q), &answer);
    struct why why = c->arena->why;
    why.code = e;
    return show_register(c, q, r, e == OK ? in : NULL, e == OK ? NULL : &why);
}

static enum err show_registration(struct ctx *c, const struct request *q, struct reply *r, text token,
                                  const struct why *why)
{
    PAGE_AUTO p = { 0 };
    bool chosen = false;
    enum err e = registration_look(c, token, &chosen);
    if (e != OK)
        return link_gone(c, q, r, LINK_OF_REGISTRATION, token, e);
    TRY(page_open(c, q, TEXT("registration"), TEXT(""), &p));
    page_problem(&p, why);
    json_pair(&p.w, TEXT("token"), token);
    json_pair(&p.w, TEXT("next"), next_of(q));
    json_pair_bool(&p.w, TEXT("known"), chosen);
    page_text(&p, TEXT("asked"), password_asked(c));
    return page_show(&p, r, status_of(why));
}

enum err api_registration_page(struct ctx *c, const struct request *q, struct reply *r)
{
    return show_registration(c, q, r, request_query(q, TEXT("token")), NULL);
}

enum err api_registration_form(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    struct signin in = { 0 };
    const struct json *said;
    text token = json_text(q->json, TEXT("token"));
    TRY(request_take_language(c, q));
    enum err e = registration_confirm(c, token, json_text(q->json, TEXT("password")), &answer, &in);
    if (e == ERR_VALUE || e == ERR_MISSING || e == ERR_PASSWORD) {
        struct why why = c->arena->why;
        why.code = e;
        return show_registration(c, q, r, token, &why);
    }
    if (e == ERR_NOT_FOUND)
        return link_gone(c, q, r, LINK_OF_REGISTRATION, token, e);
    TRY(e);
    TRY(json_parse(c->arena, answer.body, &said));
    bool open = text_eq(json_text(said, TEXT("state")), TEXT("open"));
    return go_in(c, r, &in, next_of(q), open ? TEXT("registered") : TEXT("awaiting"));
}

/* Pages that open an account: an invitation accepted, and registration by oneself with its consents unticked, purpose
 * by purpose. */
#include "domain/core/named.h"
#include "front/door/go.h"
#include "domain/entry/opening.h"
#include "domain/account/password.h"
#include "front/api/account.h"
#include "front/open/page_opening.h"
#include "front/page/page_person.h"

static int status_of(const struct why *why) { return why ? err_row(why->code)->http : 200; }

/* ---- An invitation. ---- */

static enum err show_invitation(struct ctx *c, const struct request *q, struct reply *r, text token,
                                const struct why *why)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *held;
    TRY(invitation_look(c, token, &answer));
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
    enum err e = invitation_accept(c, token, json_text(q->json, TEXT("password")), &answer);
    if (e == OK)
        return page_go(c, r, arena_print(c->arena, "/signin?lang=%.*s", T(c->language)), TEXT("accepted"));
    if (e == ERR_NOT_FOUND)
        return e;
    struct why why = c->arena->why;
    why.code = e;
    return show_invitation(c, q, r, token, &why);
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

/* What an account needs by the policy; where it says nothing, what it must have of every category that stands once a
 * person and rests on no consent. */
static bool asks_for(const struct policy *p, const struct category *cat, unsigned *required)
{
    const struct node *needs = node_at(p->root, TEXT("accounts.needs"));
    bool named = false, plain = false;
    *required = 0;
    NODE_EACH(need, needs) {
        text field = need->value, category = text_cut(&field, '.');
        named |= text_eq(category, cat->name);
    }
    for (unsigned i = 0; i < p->purpose_count; i++)
        plain |= bits_has(&cat->purposes, i) && p->purposes[i].basis != BASIS_CONSENT;
    for (unsigned i = 0; i < cat->field_count; i++)
        *required += form_needed(p, cat, &cat->fields[i]);
    bool usual = !cat->many && !cat->transient && !cat->stream.n && !cat->held && plain && !cat->source.p;
    return *required && (needs ? named : usual);
}

static void put_fields(struct page *p, const struct why *why)
{
    const struct policy *policy = p->c->policy;
    unsigned required;
    json_name(&p->w, TEXT("groups"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->category_count; i++) {
        const struct category *cat = &policy->categories[i];
        if (!asks_for(policy, cat, &required))
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("title"), doc_category(p->c, cat));
        json_name(&p->w, TEXT("fields"));
        json_open(&p->w, '[');
        form_fields(p, cat, FORM_REQUIRED, NULL, why ? p->q->json : NULL,
                    why ? text_of(why->field) : TEXT(""));
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
    unsigned required;
    for (unsigned i = 0; of->basis == BASIS_CONSENT && i < p->category_count; i++)
        if (bits_has(&of->categories, i) && asks_for(p, &p->categories[i], &required))
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

static enum err show_register(struct ctx *c, const struct request *q, struct reply *r, bool sent, const struct why *why)
{
    PAGE_AUTO p = { 0 };
    if (!page_self_opened(c->policy))
        return say_clause(c->arena, ERR_NOT_FOUND, policy_clause(c->policy, TEXT("accounts")),
                          "accounts are not opened by oneself here");
    TRY(page_open(c, q, TEXT("register"), TEXT(""), &p));
    page_problem(&p, why);
    json_pair_bool(&p.w, TEXT("sent"), sent);
    page_text(&p, TEXT("asked"), password_asked(c));
    json_pair(&p.w, TEXT("controller"), c->policy->controller.legal_name);
    put_fields(&p, why);
    put_consents(&p);
    return page_show(&p, r, status_of(why));
}

enum err api_register_page(struct ctx *c, const struct request *q, struct reply *r)
{
    return show_register(c, q, r, false, NULL);
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
    unsigned required;
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("data"));
    json_open(&w, '{');
    for (unsigned i = 0; i < p->category_count; i++) {
        if (!asks_for(p, &p->categories[i], &required))
            continue;
        json_name(&w, p->categories[i].name);
        json_open(&w, '{');
        form_values(c, &w, &p->categories[i], FORM_REQUIRED, NULL, q->json);
        json_close(&w, '}');
    }
    json_close(&w, '}');
    json_pair(&w, TEXT("password"), json_text(q->json, TEXT("password")));
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
        e = registration_request(c, q, in, &answer);
    struct why why = c->arena->why;
    why.code = e;
    return show_register(c, q, r, e == OK, e == OK ? NULL : &why);
}

static enum err show_registration(struct ctx *c, const struct request *q, struct reply *r, text token,
                                  const struct why *why)
{
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, TEXT("registration"), TEXT(""), &p));
    page_problem(&p, why);
    json_pair(&p.w, TEXT("token"), token);
    return page_show(&p, r, why ? err_row(why->code)->http : 200);
}

enum err api_registration_page(struct ctx *c, const struct request *q, struct reply *r)
{
    return show_registration(c, q, r, request_query(q, TEXT("token")), NULL);
}

enum err api_registration_form(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    const struct json *said;
    text token = json_text(q->json, TEXT("token"));
    TRY(request_take_language(c, q));
    enum err e = registration_confirm(c, token, json_text(q->json, TEXT("password")), &answer);
    if (e == ERR_VALUE || e == ERR_MISSING) {
        struct why why = c->arena->why;
        return show_registration(c, q, r, token, &why);
    }
    TRY(e);
    TRY(json_parse(c->arena, answer.body, &said));
    bool open = text_eq(json_text(said, TEXT("state")), TEXT("open"));
    return page_go(c, r, arena_print(c->arena, "/signin?lang=%.*s", T(c->language)),
                   open ? TEXT("registered") : TEXT("awaiting"));
}

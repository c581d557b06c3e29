/* How a person signs in: what they are found by, password, second factor with its picture and recovery codes. */
#include "domain/person/account.h"
#include "domain/core/actor.h"
#include "front/door/go.h"
#include "domain/core/named.h"
#include "domain/entry/factor.h"
#include "domain/entry/address.h"
#include "domain/account/password.h"
#include "front/page/page_person.h"
#include "front/api/signin.h"

static void put_identifier(struct page *p, const struct category *cat, const struct field *field,
                           const struct json *held)
{
    text why_not = identifier_why_not(p->c, cat);
    bool address = field->type == FIELD_EMAIL;
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("field"), arena_print(p->c->arena, "%.*s.%.*s", T(cat->name), T(field->name)));
    json_pair(&p->w, TEXT("title"), doc_field(p->c, cat, field->name));
    json_pair(&p->w, TEXT("value"), held ? held->value : TEXT(""));
    json_pair_bool(&p->w, TEXT("editable"), !why_not.n);
    page_text(p, TEXT("why_not"), why_not);
    json_pair(&p->w, TEXT("input"), address ? TEXT("email")
                                    : field->type == FIELD_PHONE ? TEXT("tel") : TEXT("text"));
    json_pair(&p->w, TEXT("fill"),
              address                      ? TEXT("email")
              : field->type == FIELD_PHONE ? TEXT("tel")
                                           : TEXT("username"));
    json_pair_bool(&p->w, TEXT("address"), address);
    json_pair_bool(&p->w, TEXT("needed"), address || field->required || !held);
    json_close(&p->w, '}');
}

/* What is held, and what may be added. */
static void put_identifiers(struct page *p, const struct json *file)
{
    const struct policy *policy = p->c->policy;
    json_name(&p->w, TEXT("identifiers"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->category_count; i++)
        for (unsigned f = 0; f < policy->categories[i].field_count; f++) {
            const struct category *cat = &policy->categories[i];
            const struct json *values = json_get(json_get(file, TEXT("data")), cat->name),
                              *held = json_get(values, cat->fields[f].name);
            if (identifier_guarded(policy, cat, &cat->fields[f]) && (held || (!cat->many && values)))
                put_identifier(p, cat, &cat->fields[f], held);
        }
    json_close(&p->w, ']');
}

static enum err show_security(struct ctx *c, const struct request *q, struct reply *r, const struct why *why)
{
    PAGE_AUTO p = { 0 };
    struct account account;
    const struct json *file;
    TRY(page_open(c, q, TEXT("security"), TEXT("me"), &p));
    TRY(account_load(c, c->session->subject, &account));
    TRY(file_own(c, &file));
    page_problem(&p, why);
    page_text(&p, TEXT("asked"), password_asked(c));
    json_pair(&p.w, TEXT("password_at"), account.password_at ? time_print(c->arena, account.password_at) : TEXT(""));
    json_pair(&p.w, TEXT("factor_at"), account.factor_at ? time_print(c->arena, account.factor_at) : TEXT(""));
    json_pair_bool(&p.w, TEXT("factor_needed"), text_eq(c->session->closed, TEXT("factor")));
    put_identifiers(&p, file);
    int status = why ? err_row(why->code)->http : 200;
    return page_show(&p, r, status == 401 ? 422 : status);
}

enum err api_security_page(struct ctx *c, const struct request *q, struct reply *r)
{
    return show_security(c, q, r, NULL);
}

/* Done, or the page again with what was wrong. Who must first prove who they are is taken there. */
static enum err done_or(struct ctx *c, const struct request *q, struct reply *r, enum err e, text done)
{
    if (e == OK)
        return page_go(c, r, TEXT("/me/security"), done);
    if (e == ERR_REAUTHENTICATE)
        return page_go(c, r, TEXT("/signin/again?next=/me/security"), TEXT(""));
    struct why why = c->arena->why;
    why.code = e;
    return show_security(c, q, r, &why);
}

enum err api_password_form(struct ctx *c, const struct request *q, struct reply *r)
{
    return done_or(c, q, r, signin_password_request(c, q), TEXT("password"));
}

enum err api_address_form(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    const struct json *done = NULL;
    enum err e = identifier_change(c, q->json, &answer);
    if (e == OK)
        e = json_parse(c->arena, answer.body, &done);
    return done_or(c, q, r, e, json_text(done, TEXT("state")));
}

/* ---- The second factor. ---- */

/* Of the picture that the domain draws only its measures and its dark parts are taken: the template draws it again. */
static text part_of(text svg, text from)
{
    ptrdiff_t at = text_find(svg, from);
    text rest = at < 0 ? TEXT("") : text_from(svg, (size_t)at + from.n);
    return text_cut(&rest, '"');
}

static enum err show_enrolment(struct ctx *c, const struct request *q, struct reply *r, const struct json *factor,
                               const struct why *why)
{
    PAGE_AUTO p = { 0 };
    text qr = json_text(factor, TEXT("qr"));
    TRY(page_open(c, q, TEXT("enrol"), TEXT("me"), &p));
    page_problem(&p, why);
    json_pair(&p.w, TEXT("secret"), json_text(factor, TEXT("secret")));
    json_pair(&p.w, TEXT("box"), part_of(qr, TEXT("viewBox=\"")));
    json_pair(&p.w, TEXT("dark"), part_of(qr, TEXT("fill=\"#000\" d=\"")));
    return page_show(&p, r, 200);
}

enum err api_factor_begin_form(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    const struct json *factor;
    enum err e = factor_begin(c, &answer);
    if (e != OK)
        return done_or(c, q, r, e, TEXT(""));
    TRY(json_parse(c->arena, answer.body, &factor));
    return show_enrolment(c, q, r, factor, NULL);
}

static enum err show_codes(struct ctx *c, const struct request *q, struct reply *r, const struct answer *answer)
{
    PAGE_AUTO p = { 0 };
    const struct json *codes;
    TRY(json_parse(c->arena, answer->body, &codes));
    TRY(page_open(c, q, TEXT("codes"), TEXT("me"), &p));
    page_problem(&p, NULL);
    page_copy(&p, codes, TEXT("recovery_codes"));
    return page_show(&p, r, 200);
}

enum err api_factor_confirm_form(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    enum err e = factor_confirm(c, q->json, &answer);
    return e == OK ? show_codes(c, q, r, &answer) : done_or(c, q, r, e, TEXT(""));
}

enum err api_factor_codes_form(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    enum err e = factor_codes(c, &answer);
    return e == OK ? show_codes(c, q, r, &answer) : done_or(c, q, r, e, TEXT(""));
}

enum err api_factor_remove_form(struct ctx *c, const struct request *q, struct reply *r)
{
    return done_or(c, q, r, factor_remove(c), TEXT("unfactored"));
}

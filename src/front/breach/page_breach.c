/* The register of breaches: for staff, for programs, and what the public is told. */
#include "domain/breach/breach.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "front/door/front.h"
#include "front/door/go.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"
#include "policy/schema.h"

#define ID          q->params[0]
#define SENT(name)  json_text(q->json, TEXT(name))
#define ASKED(name) (request_query(q, TEXT(name)).p ? request_query(q, TEXT(name)) : TEXT(""))

/* ---- The list. ---- */

static enum err show_list(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    struct paging paging;
    const struct json *list;
    TRY(paging_parse(c, ASKED("after"), TEXT("100"), &paging));
    TRY(breach_list(c, ASKED("which"), &paging, &answer));
    TRY(json_parse(c->arena, answer.body, &list));
    TRY(staff_open(c, q, TEXT("staff_breaches"), &p));
    staff_problem(&p, o);
    staff_which(&p, ASKED("which"));
    const struct json *rows = json_get(list, TEXT("breaches")), *signs = json_get(list, TEXT("signs"));
    json_pair_bool(&p.w, TEXT("some"), rows && rows->count);
    json_pair_bool(&p.w, TEXT("has_signs"), signs && signs->count);
    page_copy(&p, list, TEXT("breaches"));
    staff_acts(&p, list, TEXT("signs"));
    page_copy(&p, list, TEXT("next"));
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_breaches(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return show_list(c, q, r, &fine);
}

enum err api_staff_breach_dismiss(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    enum err e = breach_dismiss(c, SENT("sign"), q->json, &answer);
    struct staff_outcome o = staff_outcome(c, e);
    if (e == OK)
        return page_go(c, r, TEXT("/staff/breaches"), TEXT("breach"));
    return staff_again(e) ? show_list(c, q, r, &o) : e;
}

/* ---- One is opened. ---- */

static enum err show_new(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    static const text kept[] = { TEXT_INIT("what"), TEXT_INIT("known") };
    PAGE_AUTO p = { 0 };
    text sign = q->json ? SENT("sign") : ASKED("sign");
    TRY(staff_open(c, q, TEXT("staff_breach_new"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    json_pair(&p.w, TEXT("sign"), sign);
    json_pair_bool(&p.w, TEXT("drilled"), text_eq(SENT("drill"), TEXT("true")));
    json_pair_bool(&p.w, TEXT("has_tenants"), c->policy->tenant_count > 1);
    json_name(&p.w, TEXT("tenants"));
    json_open(&p.w, '[');
    for (unsigned i = 0; i < c->policy->tenant_count; i++)
        if (!text_eq(c->policy->tenants[i], c->tenant)) {
            json_open(&p.w, '{');
            json_pair(&p.w, TEXT("tenant"), c->policy->tenants[i]);
            json_close(&p.w, '}');
        }
    json_close(&p.w, ']');
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_breach_new(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return show_new(c, q, r, &fine);
}

enum err api_staff_breach_open(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    const struct json *in = NULL;
    enum err e = form_dated(c, q->json, &in);
    if (e == OK)
        e = breach_open(c, in, &answer);
    if (e == OK)
        return page_go(c, r, arena_print(c->arena, "/staff/breaches/%.*s", T(answer.id)), TEXT("breach"));
    struct staff_outcome o = staff_outcome(c, e);
    return staff_again(e) ? show_new(c, q, r, &o) : e;
}

/* ---- One file. ---- */

static void put_choices(struct page *p, const char *list, enum breach_choice of, text chosen, const struct json *values)
{
    text name, says;
    json_name(&p->w, text_of(list));
    json_open(&p->w, '[');
    for (unsigned i = 0; breach_choice_at(p->c, of, i, &name, &says); i++) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("name"), name);
        json_pair(&p->w, TEXT("says"), says);
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(name, chosen));
        json_pair(&p->w, TEXT("value"), json_text(values, name));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static text choice_says(struct ctx *c, enum breach_choice of, text chosen)
{
    text name, says;
    for (unsigned i = 0; breach_choice_at(c, of, i, &name, &says); i++)
        if (text_eq(name, chosen))
            return says;
    return (text){ NULL, 0 };
}

static bool scope_has(const struct json *scope, text category)
{
    JSON_EACH(one, json_get(scope, TEXT("categories")))
    if (text_eq(one->value, category))
        return true;
    return false;
}

/* What the scope can name: categories, and actors that read or receive. */
static void put_scope(struct page *p, const struct json *breach)
{
    const struct policy *policy = p->c->policy;
    const struct json *scope = json_get(breach, TEXT("scope"));
    json_name(&p->w, TEXT("all_categories"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->category_count; i++) {
        const struct category *cat = &policy->categories[i];
        if (cat->transient)
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("category"), cat->name);
        json_pair(&p->w, TEXT("title"), doc_category(p->c, cat));
        json_pair_bool(&p->w, TEXT("chosen"), scope_has(scope, cat->name));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_name(&p->w, TEXT("actors"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->actor_count; i++) {
        if (i == PERSON)
            continue;
        bool recipient = policy->actors[i].kind == ACTOR_RECIPIENT;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("actor"), policy->actors[i].name);
        json_pair(&p->w, TEXT("title"), recipient ? doc_recipient(p->c, (int)i) : staff_who(p->c, policy->actors[i].name));
        json_pair_bool(&p->w, TEXT("recipient"), recipient);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static void put_counts(struct page *p, const struct json *counts)
{
    json_pair_bool(&p->w, TEXT("counted"), counts && counts->kind == J_OBJECT);
    json_name(&p->w, TEXT("countries"));
    json_open(&p->w, '[');
    JSON_EACH(row, json_get(counts, TEXT("countries"))) {
        text code = json_text(row, TEXT("country"));
        const struct country *country = country_of(code);
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("title"), country ? doc_in(p->c, country->en, country->fr) : code);
        page_copy(p, row, TEXT("people"));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_name(&p->w, TEXT("categories"));
    json_open(&p->w, '[');
    JSON_EACH(row, json_get(counts, TEXT("categories"))) {
        int at = policy_category(p->c->policy, json_text(row, TEXT("category")));
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("title"), at < 0 ? json_text(row, TEXT("category"))
                                               : doc_category(p->c, &p->c->policy->categories[at]));
        page_copy(p, row, TEXT("people"));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static void put_missing(struct page *p, const struct json *missing)
{
    json_pair_bool(&p->w, TEXT("lacks"), missing && missing->count);
    json_name(&p->w, TEXT("missing"));
    json_open(&p->w, '[');
    JSON_EACH(one, missing) {
        text fact = choice_says(p->c, BREACH_FACTS, one->value);
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("name"), one->value);
        json_pair(&p->w, TEXT("fact"), fact);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

/* Which moves its state allows, each as a switch of the template. */
static void put_moves(struct page *p, const struct json *moves)
{
    static const text all[] = { TEXT_INIT("facts"), TEXT_INIT("find"), TEXT_INIT("assess"), TEXT_INIT("notify"),
                                TEXT_INIT("tell"),  TEXT_INIT("told"), TEXT_INIT("note"),   TEXT_INIT("close") };
    json_name(&p->w, TEXT("may"));
    json_open(&p->w, '{');
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bool there = false;
        JSON_EACH(move, moves)
        there |= text_eq(json_text(move, TEXT("move")), all[i]);
        json_pair_bool(&p->w, all[i], there);
    }
    json_close(&p->w, '}');
}

static void put_breach(struct page *p, const struct json *breach)
{
    static const text copied[] = { TEXT_INIT("id"), TEXT_INIT("what"), TEXT_INIT("drill"), TEXT_INIT("known"),
                                   TEXT_INIT("authority_by"), TEXT_INIT("people_by"), TEXT_INIT("processors_by"),
                                   TEXT_INIT("due"), TEXT_INIT("hours_left"), TEXT_INIT("notified"), TEXT_INIT("telling"),
                                   TEXT_INIT("people"), TEXT_INIT("letters"), TEXT_INIT("unreached"), TEXT_INIT("going"),
                                   TEXT_INIT("closed"), TEXT_INIT("open"), TEXT_INIT("late"), TEXT_INIT("reasons"),
                                   TEXT_INIT("receipt"), TEXT_INIT("told"), TEXT_INIT("late_authority"),
                                   TEXT_INIT("late_subjects"), TEXT_INIT("parties") };
    const struct json *parties = json_get(breach, TEXT("parties"));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        page_copy(p, breach, copied[i]);
    staff_acts(p, breach, TEXT("history"));
    text risk = json_text(breach, TEXT("risk")), how = json_text(breach, TEXT("how")), stage = json_text(breach, TEXT("stage"));
    json_pair(&p->w, TEXT("risk"), choice_says(p->c, BREACH_RISKS, risk));
    json_pair(&p->w, TEXT("how"), choice_says(p->c, BREACH_HOWS, how));
    json_pair(&p->w, TEXT("stage"), choice_says(p->c, BREACH_STAGES, stage));
    json_pair_bool(&p->w, TEXT("has_parties"), parties && parties->count);
    put_choices(p, "facts", BREACH_FACTS, TEXT(""), json_get(breach, TEXT("facts")));
    put_choices(p, "risks", BREACH_RISKS, risk, NULL);
    put_choices(p, "stages", BREACH_STAGES, TEXT(""), NULL);
    put_choices(p, "hows", BREACH_HOWS, how, NULL);
    put_scope(p, breach);
    put_counts(p, json_get(breach, TEXT("counts")));
    put_missing(p, json_get(breach, TEXT("missing")));
    put_moves(p, json_get(breach, TEXT("moves")));
}

static enum err show_breach(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *breach;
    TRY(breach_get(c, ID, &answer));
    TRY(json_parse(c->arena, answer.body, &breach));
    TRY(staff_open(c, q, TEXT("staff_breach"), &p));
    staff_problem(&p, o);
    put_breach(&p, breach);
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_breach(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return show_breach(c, q, r, &fine);
}

enum err api_staff_breach_do(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    const struct json *in = NULL;
    enum err e = form_dated(c, q->json, &in);
    if (e == OK)
        e = breach_move(c, ID, SENT("move"), in, &answer);
    if (e == OK)
        return page_go(c, r, arena_print(c->arena, "/staff/breaches/%.*s", T(ID)), TEXT("breach"));
    struct staff_outcome o = staff_outcome(c, e);
    return staff_again(e) ? show_breach(c, q, r, &o) : e;
}

enum err api_staff_breach_form(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *form;
    TRY(staff_open(c, q, TEXT("breach_form"), &p)); /* takes the language */
    TRY(breach_form(c, ID, ASKED("stage"), &answer));
    TRY(json_parse(c->arena, answer.body, &form));
    json_pair(&p.w, TEXT("ref"), ID);
    put_choices(&p, "stages", BREACH_STAGES, json_text(form, TEXT("stage")), NULL);
    page_copy(&p, form, TEXT("fields"));
    page_copy(&p, form, TEXT("text"));
    page_copy(&p, form, TEXT("drill"));
    put_missing(&p, json_get(form, TEXT("missing")));
    return page_show(&p, r, 200);
}

/* ---- The public. ---- */

enum err api_incidents(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *all;
    TRY(request_take_language(c, q));
    TRY(breach_public(c, &answer));
    TRY(json_parse(c->arena, answer.body, &all));
    const struct json *notices = json_get(all, TEXT("notices"));
    TRY(page_open(c, q, TEXT("incidents"), TEXT(""), &p));
    json_pair_bool(&p.w, TEXT("some"), notices && notices->count);
    page_copy(&p, all, TEXT("notices"));
    return page_show(&p, r, 200);
}

/* ---- Programs. ---- */

PAGED(breach_list, breach_list(c, ASKED("which"), &paging, &answer))
PAGED(breach_register, breach_register(c, &paging, &answer))
PAGED(breach_people, breach_people(c, ID, &paging, &answer))
HANDLER(breach_open, breach_open(c, q->json, &answer))
HANDLER(breach_get, breach_get(c, ID, &answer))
HANDLER(breach_move, breach_move(c, ID, q->params[1], q->json, &answer))
HANDLER(breach_form, breach_form(c, ID, ASKED("stage"), &answer))
HANDLER(breach_dismiss, breach_dismiss(c, ID, q->json, &answer))

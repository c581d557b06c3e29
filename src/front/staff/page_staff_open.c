/* Staff opens an account: the fields that the policy's accounts.needs names, who supplied them, the folders, and an
 * invitation. */
#include "domain/core/named.h"
#include "front/door/go.h"
#include "domain/entry/asked.h"
#include "domain/entry/opening.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"
#include "front/door/word.h"

/* What an account needs, and whatever else people are found by. */
static bool asked(const struct policy *p, const struct category *cat)
{
    if (cat->many || cat->transient)
        return false;
    for (unsigned i = 0; i < cat->field_count; i++)
        if (cat->fields[i].identifier)
            return true;
    return asked_category(p, cat, ASKED_ANYONE);
}

/* A manager names the folders that an account needs when they open it, though they give none afterwards (folder.c). */
static bool grants(const struct ctx *c, const struct node *kind)
{
    bool needed = node_has(node_at(c->policy->root, TEXT("accounts.needs")), TEXT("folders"));
    return (needed && c->actor.kind == ACTOR_MANAGER) || node_has(node_get(kind, TEXT("granted_by")), c->actor.name);
}

/* ---- The form. ---- */

static void put_choice(struct page *p, text code, text says, text chosen)
{
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("code"), code);
    json_pair(&p->w, TEXT("says"), says);
    json_pair_bool(&p->w, TEXT("chosen"), text_eq(code, chosen));
    json_close(&p->w, '}');
}

static void put_sources(struct page *p)
{
    const struct policy *policy = p->c->policy;
    json_name(&p->w, TEXT("sources"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->source_count; i++) /* the first is the person, whom other texts address */
        put_choice(p, policy->sources[i].name,
                   i ? doc_source(p->c, policy->sources[i].name) : word_find(TEXT("staff.the_person"), p->c->language),
                   json_text(p->q->json, TEXT("supplied_by")));
    json_close(&p->w, ']');
}

/* Staff makes managers; other roles are the operator's to give. */
static void put_roles(struct page *p)
{
    const struct policy *policy = p->c->policy;
    bool some = false;
    json_name(&p->w, TEXT("roles"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->actor_count && p->c->actor.kind == ACTOR_STAFF; i++)
        if (policy->actors[i].kind == ACTOR_MANAGER && (some = true))
            put_choice(p, policy->actors[i].name, staff_role(p->c, policy->actors[i].name),
                       json_text(p->q->json, TEXT("role")));
    json_close(&p->w, ']');
    json_pair_bool(&p->w, TEXT("has_roles"), some);
}

static void put_languages(struct page *p)
{
    text chosen = json_text(p->q->json, TEXT("language"));
    json_name(&p->w, TEXT("tongues"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < p->c->policy->language_count; i++)
        put_choice(p, p->c->policy->languages[i], p->c->policy->languages[i], chosen.n ? chosen : p->c->language);
    json_close(&p->w, ']');
}

static void put_folders(struct page *p)
{
    bool some = false;
    json_name(&p->w, TEXT("kinds"));
    json_open(&p->w, '[');
    NODE_EACH(n, node_get(p->c->policy->root, TEXT("folders"))) {
        const struct node *title = node_get(n, TEXT("title"));
        if (grants(p->c, n) && (some = true))
            put_choice(p, n->key, title ? node_said(title, p->c->language) : n->key,
                       json_text(p->q->json, TEXT("folder")));
    }
    json_close(&p->w, ']');
    json_pair_bool(&p->w, TEXT("has_kinds"), some);
}

static void put_cards(struct page *p)
{
    const struct policy *policy = p->c->policy;
    json_name(&p->w, TEXT("cards"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->category_count; i++) {
        if (!asked(policy, &policy->categories[i]))
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("says"), doc_category(p->c, &policy->categories[i]));
        json_name(&p->w, TEXT("fields"));
        json_open(&p->w, '[');
        form_fields(p, &policy->categories[i], FORM_OPENING, NULL, p->q->json);
        json_close(&p->w, ']');
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static enum err open_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    static const text kept[] = { TEXT_INIT("supplier"), TEXT_INIT("manager"), TEXT_INIT("name"), TEXT_INIT("why"),
                                 TEXT_INIT("reason") };
    bool may = node_has(node_at(c->policy->root, TEXT("accounts.opened_by")),
                        c->actor.kind == ACTOR_MANAGER ? TEXT("manager") : TEXT("staff"));
    PAGE_AUTO p = { 0 };
    struct staff_outcome told = *o;
    if (text_eq(text_of(told.why.field), TEXT("folders"))) /* of the form: the first folder's name */
        text_cstr(TEXT("name"), told.why.field, sizeof told.why.field);
    TRY(staff_open(c, q, TEXT("staff_open"), &p));
    for (unsigned i = 0; o->status != OK && i < c->policy->category_count; i++)
        if (asked(c->policy, &c->policy->categories[i]))
            form_faults(&p, &c->policy->categories[i], FORM_OPENING, NULL, q->json);
    staff_problem(&p, &told);
    json_pair_bool(&p.w, TEXT("may"), may);
    json_pair_bool(&p.w, TEXT("team_of"), c->actor.kind == ACTOR_STAFF);
    json_pair_bool(&p.w, TEXT("folder_needed"),
                   node_has(node_at(c->policy->root, TEXT("accounts.needs")), TEXT("folders")));
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    put_cards(&p);
    put_sources(&p);
    put_roles(&p);
    put_languages(&p);
    put_folders(&p);
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_open_page(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return open_page(c, q, r, &fine);
}

/* ---- What was sent. ---- */

static void put_data(struct ctx *c, struct json_out *w, const struct json *sent)
{
    json_name(w, TEXT("data"));
    json_open(w, '{');
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        BUF_AUTO b = buf_make(1 << 18);
        struct json_out fields = json_out(&b);
        json_open(&fields, '{');
        unsigned count = asked(c->policy, cat) ? form_values(c, &fields, cat, FORM_OPENING, NULL, sent) : 0;
        json_close(&fields, '}');
        if (!count)
            continue;
        json_name(w, cat->name);
        json_put_raw_of(w, &b);
    }
    json_close(w, '}');
}

static void put_folder(struct json_out *w, const struct json *sent)
{
    static const text members[] = { TEXT_INIT("folder"), TEXT_INIT("name"), TEXT_INIT("why") };
    if (!text_trim(json_text(sent, TEXT("name"))).n)
        return;
    json_name(w, TEXT("folders"));
    json_open(w, '[');
    json_open(w, '{');
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        json_pair(w, members[i], text_trim(json_text(sent, members[i])));
    json_close(w, '}');
    json_close(w, ']');
}

static enum err opening_of(struct ctx *c, const struct json *sent, const struct json **out)
{
    static const text members[] = { TEXT_INIT("supplied_by"), TEXT_INIT("supplier"), TEXT_INIT("role"),
                                    TEXT_INIT("manager"), TEXT_INIT("language") };
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    put_data(c, &w, sent);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        text value = text_trim(json_text(sent, members[i]));
        if (value.n)
            json_pair(&w, members[i], value);
    }
    put_folder(&w, sent);
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

enum err api_staff_open(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    const struct json *in;
    TRY(opening_of(c, q->json, &in));
    enum err e = form_declared(c, q->json);
    if (e == OK)
        e = staff_reason(c, q);
    struct staff_outcome o = staff_outcome(c, e == OK ? account_open_for(c, in, &answer) : e);
    if (o.status == OK)
        return page_go(c, r, arena_print(c->arena, "/staff/people/%.*s", T(answer.id)), TEXT("account_opened"));
    return staff_again(o.status) ? open_page(c, q, r, &o) : o.status;
}

/* Correcting a category: a form of its fields, and the merge patch that subject_patch() takes (GDPR 16); or erasing it.
 */
#include "domain/core/named.h"
#include "front/door/go.h"
#include "domain/entry/address.h"
#include "domain/core/actor.h"
#include "domain/person/append.h"
#include "domain/core/value.h"
#include "front/me/page_me.h"
#include "front/page/page_person.h"

static enum err category_of(struct ctx *c, const struct request *q, const struct category **out)
{
    int index = policy_category(c->policy, request_param(q, TEXT("category")));
    const struct category *cat = index >= 0 ? &c->policy->categories[index] : NULL;
    if (!cat || !page_editable(c, cat))
        return say(c->arena, ERR_NOT_FOUND, "there is no such thing to correct");
    *out = cat;
    return OK;
}

static const struct json *held_values(const struct json *file, const struct category *cat)
{
    return json_get(json_get(file, TEXT("data")), cat->name);
}

static void put_identifiers(struct page *p, const struct category *cat, const struct json *values)
{
    json_name(&p->w, TEXT("identifiers"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < cat->field_count; i++) {
        const struct json *held = json_get(values, cat->fields[i].name);
        if (!identifier_guarded(p->c->policy, cat, &cat->fields[i]))
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("title"), doc_field(p->c, cat, cat->fields[i].name));
        json_pair(&p->w, TEXT("value"), held ? held->value : TEXT(""));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static void put_formers(struct page *p, const struct json *file, const struct category *cat)
{
    bool had = false;
    json_name(&p->w, TEXT("formers"));
    json_open(&p->w, '[');
    JSON_EACH(one, json_get(file, TEXT("former"))) {
        if (!text_eq(json_text(one, TEXT("category")), cat->name))
            continue;
        had = true;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("title"), doc_field(p->c, cat, json_text(one, TEXT("field"))));
        page_copy(p, one, TEXT("value"));
        page_copy(p, one, TEXT("replaced"));
        page_copy(p, one, TEXT("until"));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_pair_bool(&p->w, TEXT("had_formers"), had);
}

static enum err show_edit(struct ctx *c, const struct request *q, struct reply *r, const struct category *cat,
                          const struct why *why)
{
    PAGE_AUTO p = { 0 };
    const struct json *file, *values;
    TRY(page_open(c, q, TEXT("edit"), TEXT("me"), &p));
    TRY(file_own(c, &file));
    values = held_values(file, cat);
    if (why)
        form_faults(&p, cat, FORM_NO_IDENTIFIERS, values, q->json);
    page_problem(&p, why);
    json_pair(&p.w, TEXT("category"), cat->name);
    json_pair(&p.w, TEXT("lead"), doc_category(c, cat));
    page_copy(&p, file, TEXT("version"));
    json_pair_bool(&p.w, TEXT("held"), values && values->count);
    json_name(&p.w, TEXT("fields"));
    json_open(&p.w, '[');
    form_fields(&p, cat, FORM_NO_IDENTIFIERS, values, why ? q->json : NULL);
    json_close(&p.w, ']');
    put_identifiers(&p, cat, values);
    put_formers(&p, file, cat);
    return page_show(&p, r, why ? err_row(why->code)->http : 200);
}

enum err api_edit_page(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct category *cat = NULL;
    TRY(category_of(c, q, &cat));
    return show_edit(c, q, r, cat, NULL);
}

/* Only what differs from what is held is sent on: the rest keeps its source and its time. */
static enum err patch_of(struct ctx *c, const struct request *q, const struct category *cat, const struct json *values,
                         const struct json **out)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, cat->name);
    json_open(&w, '{');
    unsigned changes = form_values(c, &w, cat, FORM_NO_IDENTIFIERS, values, q->json);
    json_close(&w, '}');
    json_close(&w, '}');
    *out = NULL;
    return changes ? json_parse_buf(c->arena, &b, out) : OK;
}

static enum err no_stray(struct ctx *c, const struct request *q, const struct category *cat, const struct json *values)
{
    text stray = form_stray(c, cat, FORM_NO_IDENTIFIERS, values, q->json);
    if (!stray.n)
        return OK;
    say_clause(c->arena, ERR_CONFLICT, &cat->clause, "%.*s is not changed by this form", T(value_shown(stray)));
    text_cstr(value_shown(stray), c->arena->why.field, sizeof c->arena->why.field);
    return ERR_CONFLICT;
}

/* *changed: something differed from what is held. */
static enum err correct(struct ctx *c, const struct request *q, const struct category *cat, bool *changed)
{
    struct answer answer = { 0 };
    const struct json *file, *patch;
    TRY(file_own(c, &file));
    TRY(form_declared(c, q->json));
    TRY(no_stray(c, q, cat, held_values(file, cat)));
    TRY(patch_of(c, q, cat, held_values(file, cat), &patch));
    *changed = patch != NULL;
    if (!patch)
        return OK;
    if (!text_int(json_text(q->json, TEXT("version")), &c->if_match))
        return say(c->arena, ERR_PRECONDITION_REQUIRED, "the form lacks the version that it was made from");
    return subject_patch(c, session_self(c), patch, TEXT("person"), TEXT(""), &answer);
}

enum err api_edit_save(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct category *cat = NULL;
    TRY(category_of(c, q, &cat));
    bool changed;
    enum err e = correct(c, q, cat, &changed);
    if (e == OK)
        return page_go(c, r, TEXT("/me"), changed ? TEXT("saved") : TEXT("unchanged"));
    struct why why = c->arena->why;
    why.code = e;
    return show_edit(c, q, r, cat, &why);
}

enum err api_edit_erase(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct category *cat = NULL;
    struct answer answer = { 0 };
    TRY(category_of(c, q, &cat));
    bool sure = text_eq(json_text(q->json, TEXT("sure")), TEXT("yes"));
    enum err e = sure ? OK : say(c->arena, ERR_MISSING, "the box \"sure\" was not ticked");
    if (!sure)
        text_cstr(TEXT("sure"), c->arena->why.field, sizeof c->arena->why.field);
    if (e == OK)
        e = subject_drop_record(c, session_self(c), cat->name, (text){ NULL, 0 }, &answer);
    if (e == OK)
        return page_go(c, r, TEXT("/me"), TEXT("dropped"));
    if (e == ERR_REAUTHENTICATE)
        return page_go(c, r, arena_print(c->arena, "/signin/again?next=/me/edit/%.*s", T(cat->name)), TEXT(""));
    struct why why = c->arena->why;
    why.code = e;
    return show_edit(c, q, r, cat, &why);
}

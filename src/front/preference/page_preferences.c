/* Preferences of a person: what the policy lets be set for each dashboard, room or the like, and for all of them. */
#include "domain/core/named.h"
#include "front/door/go.h"
#include "domain/preference/preference.h"
#include "domain/core/actor.h"
#include "front/page/page_person.h"

static enum err own_preferences(struct ctx *c, const struct json **out)
{
    struct answer answer = { 0 };
    const struct json *all;
    TRY(preference_list(c, session_self(c), TEXT(""), &answer));
    TRY(json_parse(c->arena, answer.body, &all));
    *out = json_get(all, TEXT("preferences"));
    return OK;
}

static void put_place(struct page *p, const struct json *kind, const struct json *place)
{
    const struct json *values = json_get(place, TEXT("values")), *from = json_get(place, TEXT("from"));
    json_open(&p->w, '{');
    page_copy(p, place, TEXT("place"));
    json_pair_bool(&p->w, TEXT("every"), text_eq(json_text(place, TEXT("place")), PLACE_ALL));
    json_name(&p->w, TEXT("values"));
    json_open(&p->w, '[');
    JSON_EACH(field, json_get(kind, TEXT("fields"))) {
        const struct json *value = json_get(values, json_text(field, TEXT("field")));
        if (!value)
            continue;
        json_open(&p->w, '{');
        page_copy(p, field, TEXT("title"));
        json_name(&p->w, TEXT("value"));
        json_put(&p->w, value);
        json_pair_bool(&p->w, TEXT("colour"), text_eq(json_text(field, TEXT("type")), TEXT("colour")));
        json_pair(&p->w, TEXT("set_by"), json_text(from, value->key));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_close(&p->w, '}');
}

enum err api_preferences_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    const struct json *all;
    TRY(page_open(c, q, TEXT("preferences"), TEXT("me"), &p));
    TRY(own_preferences(c, &all));
    page_problem(&p, NULL);
    json_name(&p.w, TEXT("kinds"));
    json_open(&p.w, '[');
    JSON_EACH(kind, all) {
        json_open(&p.w, '{');
        page_copy(&p, kind, TEXT("category"));
        page_copy(&p, kind, TEXT("title"));
        page_copy(&p, kind, TEXT("per"));
        json_name(&p.w, TEXT("places"));
        json_open(&p.w, '[');
        JSON_EACH(place, json_get(kind, TEXT("places")))
            put_place(&p, kind, place);
        json_close(&p.w, ']');
        json_close(&p.w, '}');
    }
    json_close(&p.w, ']');
    return page_show(&p, r, 200);
}

static enum err category_of(struct ctx *c, const struct request *q, const struct category **out)
{
    int index = policy_category(c->policy, request_param(q, TEXT("category")));
    *out = index >= 0 ? &c->policy->categories[index] : NULL;
    return *out ? OK : say(c->arena, ERR_NOT_FOUND, "there is no such thing to set");
}

static enum err show_place(struct ctx *c, const struct request *q, struct reply *r, const struct category *cat,
                           text place, const struct why *why)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *now;
    TRY(page_open(c, q, TEXT("preference"), TEXT("me"), &p));
    TRY(preference_get(c, session_self(c), cat->name, place, TEXT(""), &answer));
    TRY(json_parse(c->arena, answer.body, &now));
    if (why)
        form_faults(&p, cat, FORM_ALL, json_get(now, TEXT("values")), q->json);
    page_problem(&p, why);
    json_pair(&p.w, TEXT("category"), cat->name);
    json_pair(&p.w, TEXT("lead"), doc_category(c, cat));
    json_pair(&p.w, TEXT("place"), place);
    json_pair_bool(&p.w, TEXT("every"), text_eq(place, PLACE_ALL));
    json_name(&p.w, TEXT("fields"));
    json_open(&p.w, '[');
    form_fields(&p, cat, FORM_ALL, json_get(now, TEXT("values")), why ? q->json : NULL);
    json_close(&p.w, ']');
    return page_show(&p, r, why ? err_row(why->code)->http : 200);
}

enum err api_preference_page(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct category *cat;
    text place = request_query(q, TEXT("place"));
    TRY(category_of(c, q, &cat));
    return show_place(c, q, r, cat, place.n ? place : PLACE_ALL, NULL);
}

static enum err save(struct ctx *c, const struct request *q, const struct category *cat, text place)
{
    struct answer answer = { 0 };
    const struct json *now, *in;
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    if (text_eq(json_text(q->json, TEXT("act")), TEXT("drop")))
        return preference_drop(c, session_self(c), cat->name, place, TEXT(""), &answer);
    TRY(form_declared(c, q->json));
    TRY(preference_get(c, session_self(c), cat->name, place, TEXT(""), &answer));
    TRY(json_parse(c->arena, answer.body, &now));
    json_open(&w, '{');
    unsigned changes = form_values(c, &w, cat, FORM_ALL, json_get(now, TEXT("values")), q->json);
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    return changes ? preference_set(c, session_self(c), cat->name, place, in, TEXT(""), &answer) : OK;
}

enum err api_preference_save(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct category *cat;
    text place = json_text(q->json, TEXT("place"));
    TRY(category_of(c, q, &cat));
    enum err e = save(c, q, cat, place);
    if (e == OK)
        return page_go(c, r, TEXT("/me/preferences"), TEXT("preferred"));
    struct why why = c->arena->why;
    why.code = e;
    return show_place(c, q, r, cat, place, &why);
}

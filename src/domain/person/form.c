/* What a change brings: categories, fields, sources. */
#include "domain/person/form.h"
#include "domain/core/value.h"
#include "domain/person/change.h"

/* ---- Names sent by a caller, as indexes of the policy. ---- */

enum err form_category_of(struct ctx *c, text name, int *out)
{
    *out = policy_category(c->policy, name);
    if (*out >= 0)
        return OK;
    text shown = value_shown(name), near = policy_nearest(c->policy, TEXT("category"), name);
    return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                      "the policy has no category \"%.*s\"%s%.*s%s", T(shown), near.n ? "; did you mean \"" : "",
                      T(near), near.n ? "\"?" : "");
}

enum err form_category_list(struct ctx *c, text names, struct bits *out)
{
    *out = (struct bits){ { 0 } };
    while (names.p) {
        int index;
        TRY(form_category_of(c, text_trim(text_cut(&names, ',')), &index));
        bits_add(out, (unsigned)index);
    }
    return OK;
}

/* Every category of `data` ({category: …}); transient ones are not for the store. */
enum err form_categories_of(struct ctx *c, const struct json *data, struct bits *out)
{
    *out = (struct bits){ { 0 } };
    JSON_EACH(member, data) {
        int index;
        TRY(form_category_of(c, member->key, &index));
        const struct category *cat = &c->policy->categories[index];
        if (cat->transient)
            return say_clause(c->arena, ERR_UNDECLARED, &cat->clause,
                              "category \"%.*s\" is transient: it is never stored", T(cat->name));
        if (cat->many)
            return say_clause(c->arena, ERR_USAGE, &cat->clause,
                              "category \"%.*s\" has many records: add each under /records/%.*s", T(cat->name),
                              T(cat->name));
        bits_add(out, (unsigned)index);
    }
    return OK;
}

/* ---- Records as JSON. ---- */

static void put_source(struct json_out *w, const struct json *value, text source, msec now)
{
    json_open(w, '[');
    json_put(w, value);
    json_put_text(w, source);
    json_put_int(w, now);
    json_close(w, ']');
}

bool form_same(const struct json *a, const struct json *b)
{
    if (!a || !b || a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == J_BOOL)
        return a->truth == b->truth;
    if (a->kind == J_TEXT || a->kind == J_NUMBER)
        return text_eq(a->value, b->value);
    const struct json *y = b->first;
    for (const struct json *x = a->first; x; x = x->next, y = y->next)
        if (!text_eq(x->key, y->key) || !form_same(x, y))
            return false;
    return true;
}

/* The sealed form of `fields`: values that did not change keep their source and time from `old`. */
text form_sealed(struct ctx *c, const struct json *fields, const struct json *old, text source)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    JSON_EACH(v, fields) {
        if (v->kind == J_NULL)
            continue;
        const struct json *before = json_get(old, v->key);
        json_name(&w, v->key);
        if (before && form_same(before->first, v))
            json_put(&w, before);
        else
            put_source(&w, v, source, c->now);
    }
    json_close(&w, '}');
    return buf_made(c->arena, &b);
}

enum err form_id_and_version(struct ctx *c, text id, int64_t version, struct answer *out)
{
    out->id = id;
    out->version = version;
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\",\"version\":%lld}", T(id), (long long)version);
    return out->body.p ? OK : ERR_MEMORY;
}

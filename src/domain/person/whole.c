/* The whole person as they stand and as they will stand, and what of it no longer fits. */
#include "domain/person/whole.h"
#include "domain/person/record.h"
#include "base/unicode.h"
#include "domain/person/account.h"
#include "domain/core/normal.h"
#include "domain/core/value.h"

bool whole_depends(const struct category *cat)
{
    for (unsigned i = 0; i < cat->field_count; i++)
        if (value_looks_away(&cat->fields[i]))
            return true;
    return false;
}

static bool any_depends(const struct policy *p)
{
    for (unsigned i = 0; i < p->category_count; i++)
        if (whole_depends(&p->categories[i]))
            return true;
    return false;
}

/* ---- As it stands, and as it will stand. ---- */

/* RFC 7386 on one category: `old` is {field: [value, source, time]}, the result {field: value}. */
static void put_merged(struct json_out *w, const struct json *old, const struct json *patch)
{
    json_open(w, '{');
    JSON_EACH(before, old)
        if (!json_get(patch, before->key)) {
            json_name(w, before->key);
            json_put(w, before->first);
        }
    JSON_EACH(v, patch)
        if (v->kind != J_NULL) {
            json_name(w, v->key);
            json_put(w, v);
        }
    json_close(w, '}');
}

static void put_records(struct json_out *w, const struct record *rows, unsigned count)
{
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++)
        put_merged(w, rows[i].fields, NULL);
    json_close(w, ']');
}

struct state {
    struct json_out before, after;
};

static enum err put_category(struct ctx *c, const struct person *p, unsigned index, const struct json *patch, bool gone,
                             struct state *s)
{
    const struct category *cat = &c->policy->categories[index];
    struct record *rows = NULL;
    unsigned count = 0, lost;
    if (p)
        TRY(record_load_readable(c, p, (int)index, false, &rows, &count, &lost));
    if (count) {
        json_name(&s->before, cat->name);
        if (cat->many)
            put_records(&s->before, rows, count);
        else
            put_merged(&s->before, rows[0].fields, NULL);
    }
    patch = patch && patch->kind == J_OBJECT ? normal_fields(c, cat, patch) : NULL;
    if (gone || (!count && !patch))
        return OK;
    json_name(&s->after, cat->name);
    if (cat->many)
        put_records(&s->after, rows, count);
    else
        put_merged(&s->after, count ? rows[0].fields : NULL, patch);
    return OK;
}

enum err whole_take(struct ctx *c, const struct person *p, const struct json *patch, const struct bits *gone,
                    struct whole *out)
{
    BUF_AUTO before = buf_make(BUF_DEFAULT_LIMIT);
    BUF_AUTO after = buf_make(BUF_DEFAULT_LIMIT);
    struct state s = { json_out(&before), json_out(&after) };
    bool depends = any_depends(c->policy);
    *out = (struct whole){ .before = NULL };
    json_open(&s.before, '{');
    json_open(&s.after, '{');
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        const struct json *changed = json_get(patch, cat->name);
        bool goes = gone && bits_has(gone, i);
        if (changed || goes)
            bits_add(&out->touched, i);
        if (!cat->transient && (changed || goes || (depends && (!cat->many || whole_depends(cat)))))
            TRY(put_category(c, p, i, changed, goes, &s));
    }
    json_close(&s.before, '}');
    json_close(&s.after, '}');
    TRY(json_parse_buf(c->arena, &before, &out->before));
    return json_parse_buf(c->arena, &after, &out->after);
}

enum err whole_other(struct ctx *c, const struct person *p, const struct category *cat, const struct json **out)
{
    struct whole w;
    *out = NULL;
    if (!whole_depends(cat))
        return OK;
    TRY(whole_take(c, p, NULL, NULL, &w));
    *out = w.after;
    return OK;
}

/* ---- What no longer fits. ---- */

static enum err check_others(struct ctx *c, const struct whole *w)
{
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        const struct json *before = json_get(w->before, cat->name), *after = json_get(w->after, cat->name);
        if (cat->transient || !whole_depends(cat) || (bits_has(&w->touched, i) && after))
            continue; /* a category that is given is checked where it is taken */
        if (!cat->many)
            TRY(value_still_fits(c, cat, before, w->before, after, w->after));
        else
            JSON_EACH(record, after)
                TRY(value_still_fits(c, cat, record, w->before, record, w->after));
    }
    return OK;
}

static bool is_filled(const struct json *fields, text field)
{
    const struct json *v = json_get(fields, field);
    return v && v->kind != J_NULL && (v->kind != J_TEXT || !unicode_is_blank(v->value));
}

static enum err check_needs(struct ctx *c, const struct whole *w)
{
    const struct node *needs = node_at(c->policy->root, TEXT("accounts.needs"));
    NODE_EACH(need, needs) {
        text field = need->value, category = text_cut(&field, '.');
        int index = field.n ? policy_category(c->policy, category) : -1;
        if (index < 0 || !bits_has(&w->touched, (unsigned)index) || !is_filled(json_get(w->before, category), field) ||
            is_filled(json_get(w->after, category), field))
            continue;
        say_clause(c->arena, ERR_MISSING, policy_clause(c->policy, TEXT("accounts.needs")),
                   "an account needs %.*s: change it, or close the account", T(need->value));
        snprintf(c->arena->why.field, sizeof c->arena->why.field, "%.*s", T(need->value));
        return ERR_MISSING;
    }
    return OK;
}

enum err whole_check(struct ctx *c, const struct person *p, const struct whole *w)
{
    struct account account = { 0 };
    if (p)
        TRY(account_load(c, p->id, &account));
    TRY(check_others(c, w));
    return account.there && !account.role.n && !text_eq(account.state, ACCOUNT_REFUSED) ? check_needs(c, w) : OK;
}

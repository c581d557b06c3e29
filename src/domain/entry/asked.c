/* Which fields an account is opened with, by accounts.needs or by what the categories require. */
#include "domain/entry/asked.h"

static bool named(const struct policy *p, text category, text field)
{
    NODE_EACH(need, node_at(p->root, TEXT("accounts.needs"))) {
        text rest = need->value;
        text head = text_cut(&rest, '.');
        if (text_eq(head, category) && (!field.n || text_eq(rest, field)))
            return true;
    }
    return false;
}

static bool is_address(const struct field *f) { return f->identifier && f->type == FIELD_EMAIL; }

static bool serves_without_consent(const struct policy *p, const struct category *cat)
{
    for (unsigned i = 0; i < p->purpose_count; i++)
        if (bits_has(&cat->purposes, i) && p->purposes[i].basis != BASIS_CONSENT)
            return true;
    return false;
}

/* Stands once a person and is written as they give it. */
static bool is_plain(const struct policy *p, const struct category *cat)
{
    return !cat->many && !cat->transient && !cat->stream.n && !cat->held && serves_without_consent(p, cat);
}

/* The first address of a plain category; NULL when accounts.needs names another, or there is none. */
static const struct field *the_address(const struct policy *p)
{
    const struct field *first = NULL;
    for (unsigned i = 0; i < p->category_count; i++)
        for (unsigned k = 0; k < p->categories[i].field_count; k++) {
            const struct field *f = &p->categories[i].fields[k];
            if (!is_address(f))
                continue;
            if (named(p, p->categories[i].name, f->name))
                return NULL;
            if (!first && is_plain(p, &p->categories[i]))
                first = f;
        }
    return first;
}

bool asked_field(const struct policy *p, const struct category *cat, const struct field *f)
{
    if (named(p, cat->name, f->name) || f == the_address(p))
        return true;
    return f->required && !f->when_field.n;
}

bool asked_perhaps(const struct policy *p, const struct category *cat, const struct field *f)
{
    text name = f->when_field, category = { NULL, 0 };
    if (!f->required || !name.n)
        return false;
    if (text_index(name, '.') > 0)
        category = text_cut(&name, '.');
    int index = category.n ? policy_category(p, category) : -1;
    const struct category *of = index >= 0 ? &p->categories[index] : cat;
    int at = policy_field(of, name);
    return at >= 0 && asked_field(p, of, &of->fields[at]);
}

bool asked_category(const struct policy *p, const struct category *cat, enum asked_of who)
{
    const struct node *needs = node_at(p->root, TEXT("accounts.needs"));
    const struct field *address = the_address(p);
    bool from_them = who == ASKED_ANYONE || (cat->sources & 1); /* the first of policy.sources is the person */
    bool any = false, perhaps = false;
    for (unsigned i = 0; i < cat->field_count; i++) {
        any |= asked_field(p, cat, &cat->fields[i]);
        perhaps |= asked_perhaps(p, cat, &cat->fields[i]);
        if (&cat->fields[i] == address)
            return true;
    }
    if (perhaps && is_plain(p, cat) && from_them)
        return true;
    if (needs)
        return any && named(p, cat->name, TEXT(""));
    return any && is_plain(p, cat) && from_them;
}

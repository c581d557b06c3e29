/* The policy as one tenant's people meet it: their controller, what it may hold, what that is used for, and its own
 * staff. */
#include "publish/tenant_view.h"
#include "base/arena.h"

struct view {
    struct arena *a;
    const struct policy *p;
    const struct tenant *t;
};

static bool holds(const struct view *v, text category)
{
    int index = policy_category(v->p, category);
    return index < 0 || bits_has(&v->t->categories, (unsigned)index);
}

static bool holds_some(const struct view *v, const struct node *categories)
{
    bool some = !categories;
    NODE_EACH(one, categories)
        some |= holds(v, one->value);
    return some || (categories->kind != NODE_LIST && holds(v, categories->value));
}

static bool holds_field(const struct view *v, text category, text field)
{
    int index = policy_category(v->p, category);
    int at = index < 0 ? -1 : policy_field(&v->p->categories[index], field);
    return at < 0 || (v->t->fields[index] >> at & 1);
}

/* Whether a node of that path is theirs: "categories.X", "categories.X.fields.F", "purposes.P", "roles.R"… */
static bool is_theirs(const struct view *v, const struct node *n)
{
    text rest = n->path, top = text_cut(&rest, '.'), name = text_cut(&rest, '.'), part = text_cut(&rest, '.');
    bool whole = name.n && !part.n;
    int role = whole && text_eq(top, TEXT("roles")) ? policy_actor(v->p, name) : -1;
    if (text_eq(top, TEXT("categories")) && text_eq(part, TEXT("fields")) && rest.n)
        return text_index(rest, '.') >= 0 || holds_field(v, name, rest);
    if (!whole)
        return true;
    if (text_eq(top, TEXT("categories")) || text_eq(top, TEXT("retention")))
        return holds(v, name);
    int purpose = text_eq(top, TEXT("purposes")) ? policy_purpose(v->p, name) : -1;
    if (purpose >= 0 && !bits_has(&v->t->purposes, (unsigned)purpose))
        return false;
    if (text_eq(top, TEXT("purposes")) || text_eq(top, TEXT("recipients")))
        return holds_some(v, node_get(n, TEXT("categories")));
    if (text_eq(top, TEXT("tenants")))
        return text_eq(name, v->t->name);
    return role < 0 || bits_has(&v->t->roles, (unsigned)role);
}

static struct node *copy(const struct view *v, const struct node *n, const struct node *parent);

/* A list of categories names those that are held. */
static bool is_listed(const struct view *v, const struct node *list, const struct node *item)
{
    bool of_categories = list->kind == NODE_LIST && text_eq(list->key, TEXT("categories"));
    return of_categories ? holds(v, item->value) : is_theirs(v, item);
}

static bool copy_children(const struct view *v, const struct node *from, struct node *to)
{
    const struct node **at = &to->first;
    to->count = 0;
    *at = NULL;
    NODE_EACH(child, from) {
        if (!is_listed(v, from, child))
            continue;
        struct node *made = copy(v, child, to);
        if (!made)
            return false;
        *at = made;
        at = &made->next;
        to->count++;
    }
    *at = NULL;
    return true;
}

static struct node *copy(const struct view *v, const struct node *n, const struct node *parent)
{
    struct node *made = NEW(v->a, struct node);
    if (!made)
        return NULL;
    *made = *n;
    made->parent = parent;
    made->next = NULL;
    return copy_children(v, n, made) ? made : NULL;
}

/* The controller is the tenant: its name, address and email, each from the tenant's own lines of the file. */
static bool put_controller(const struct view *v, struct node *controller)
{
    static const text said[] = { TEXT_INIT("legal_name"), TEXT_INIT("address"), TEXT_INIT("email") };
    const struct node *own = node_at(v->p->root, arena_print(v->a, "tenants.%.*s", T(v->t->name)));
    const struct node **at = &controller->first;
    controller->count = 0;
    *at = NULL;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        const struct node *one = node_get(own, said[i]);
        struct node *made = one ? copy(v, one, controller) : NULL;
        if (one && !made)
            return false;
        if (!made)
            continue;
        made->path = arena_print(v->a, "controller.%.*s", T(said[i]));
        *at = made;
        at = &made->next;
        controller->count++;
    }
    return true;
}

enum err tenant_view(struct arena *a, const struct policy *p, const struct tenant *t, const struct node **out)
{
    const struct view v = { a, p, t };
    struct node *root = copy(&v, p->root, NULL);
    TRY_PTR(root);
    NODE_EACH(child, root)
        if (text_eq(child->key, TEXT("controller")) && !put_controller(&v, (struct node *)(uintptr_t)child))
            return ERR_MEMORY;
    *out = root;
    return OK;
}

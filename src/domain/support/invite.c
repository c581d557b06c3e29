/* The first of a tenant's own staff: let in by a letter to the tenant's address, which the operator does not read. */
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/entry/opening.h"
#include "domain/support/inside.h"

/* The address by which somebody signs in: an identifier that the tenant may hold, in a category that needs nothing
 * more. */
static bool signs_in(const struct policy *p, const struct tenant *t, unsigned category, unsigned *field)
{
    const struct category *cat = &p->categories[category];
    bool found = false, alone = true;
    for (unsigned i = 0; i < cat->field_count; i++) {
        const struct field *f = &cat->fields[i];
        bool address = f->identifier && f->type == FIELD_EMAIL && (t->fields[category] >> i & 1);
        if (address)
            *field = i;
        found |= address;
        alone &= address || !f->required;
    }
    return found && alone && !cat->many && !cat->transient && policy_tenant_holds(t, (int)category);
}

static enum err body_of(struct ctx *c, const struct tenant *t, text role, const struct json **out)
{
    const struct policy *p = c->policy;
    unsigned category = 0, field = 0;
    while (category < p->category_count && !signs_in(p, t, category, &field))
        category++;
    if (category == p->category_count)
        return say_clause(c->arena, ERR_UNDECLARED, &t->held_clause,
                          "\"%.*s\" holds no email address by which its staff could sign in", T(t->name));
    BUF_AUTO b = buf_make(1 << 14);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("data"));
    json_open(&w, '{');
    json_name(&w, p->categories[category].name);
    json_open(&w, '{');
    json_pair(&w, p->categories[category].fields[field].name, t->email);
    json_close(&w, '}');
    json_close(&w, '}');
    json_pair(&w, TEXT("supplied_by"), p->sources[0].name);
    json_pair(&w, TEXT("role"), role);
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

static text first_role(const struct policy *p, const struct tenant *t)
{
    for (unsigned i = 0; i < p->actor_count; i++)
        if (bits_has(&t->roles, i) && p->actors[i].kind == ACTOR_STAFF)
            return p->actors[i].name;
    return TEXT("");
}

enum err support_invite(struct ctx *c, text tenant, const struct json *in, struct answer *out)
{
    const struct tenant *t = policy_tenant(c->policy, tenant);
    const struct json *body;
    text role = json_text(in, TEXT("role"));
    if (!t || !t->stored)
        return say(c->arena, ERR_NOT_FOUND, "there is no such tenant whose data is only stored");
    if (!t->email.n)
        return say_clause(c->arena, ERR_MISSING, &t->clause, "the policy has no email address of \"%.*s\"", T(t->name));
    role = role.n ? role : first_role(c->policy, t);
    if (!role.n)
        return say_clause(c->arena, ERR_UNDECLARED, &t->clause, "the policy names no staff of \"%.*s\"", T(t->name));
    c->tenant = t->name;
    TRY(body_of(c, t, role, &body));
    return account_open_for(c, body, out);
}

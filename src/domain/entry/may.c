/* Who may open, administer and manage accounts. */
#include "domain/entry/may.h"
#include "domain/person/person.h"
#include "policy/policy.h"
#include "domain/entry/opening_inside.h"
#include "domain/core/write.h"

/* ---- What the policy says. ---- */

const struct clause *may_accounts_clause(const struct ctx *c, const char *key)
{
    const struct clause *clause = policy_clause(c->policy, arena_print(c->arena, "accounts.%s", key));
    if (!clause)
        clause = policy_clause(c->policy, TEXT("accounts"));
    return clause ? clause : &c->policy->rights_clause;
}

enum err opening_allowed(struct ctx *c, text by)
{
    if (node_has(node_at(c->policy->root, TEXT("accounts.opened_by")), by))
        return OK;
    say_clause(c->arena, ERR_FORBIDDEN, may_accounts_clause(c, "opened_by"), "accounts are not opened by \"%.*s\"",
               T(by));
    return write_refusal(c, NULL, TEXT(""), TEXT(""));
}

/* A role that sees everybody is the operator's to give; staff make managers. */
enum err may_check_role(struct ctx *c, text role)
{
    int index = role.n ? policy_actor(c->policy, role) : -1;
    const struct actor_class *class = index > PERSON ? &c->policy->actors[index] : NULL;
    if (!role.n)
        return OK;
    if (!class || (class->kind != ACTOR_STAFF && class->kind != ACTOR_MANAGER)) {
        say_clause(c->arena, ERR_UNDECLARED, may_accounts_clause(c, "opened_by"), "the policy has no such role");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    const struct tenant *t = policy_tenant(c->policy, c->tenant);
    if (!policy_tenant_has(c->policy, t, index)) {
        say_clause(c->arena, ERR_FORBIDDEN, &t->clause, "the staff of \"%.*s\" has no role \"%.*s\"", T(c->tenant),
                   T(class->name));
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    bool own_staff = t && t->stored && c->actor.kind == ACTOR_STAFF; /* where the operator gives none */
    if (c->actor.kind == ACTOR_OPERATOR || own_staff ||
        (class->sees_team && (c->actor.kind == ACTOR_STAFF || c->actor.kind == ACTOR_SYSTEM)))
        return OK;
    say_clause(c->arena, ERR_FORBIDDEN, &class->clause, "the operator gives the role \"%.*s\"", T(class->name));
    return write_refusal(c, NULL, TEXT(""), TEXT(""));
}

enum err opening_manager(struct ctx *c, text id, struct subject_id *out)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    TRY(person_open(c, id, false, &p));
    TRY(account_load(c, p.id, &account));
    int index = account.role.n ? policy_actor(c->policy, account.role) : -1;
    *out = p.id;
    return index >= 0 && c->policy->actors[index].sees_team
               ? OK
               : say(c->arena, ERR_VALUE, "\"manager\" is the id of an account in a role that sees its team");
}

/* ---- Who may. ---- */

const struct actor_class *may_class_of(const struct ctx *c)
{
    return c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
}

enum err may_refuse(struct ctx *c, const struct person *p, const char *what)
{
    const struct actor_class *class = may_class_of(c);
    say_clause(c->arena, ERR_FORBIDDEN, class ? &class->clause : &c->policy->rights_clause, "\"%.*s\" %s",
               T(c->actor.name), what);
    return write_refusal(c, p, TEXT(""), TEXT(""));
}

/* Categories that hold what people are found by. */
static void identifying(const struct policy *p, const struct tenant *t, struct bits *out)
{
    for (unsigned i = 0; i < p->category_count; i++)
        for (unsigned k = 0; k < p->categories[i].field_count; k++)
            if (p->categories[i].fields[k].identifier && policy_tenant_holds(t, (int)i))
                bits_add(out, i);
}

enum err account_administers(struct ctx *c, const struct person *p, bool managers)
{
    struct bits set = { { 0 } };
    enum actor_kind kind = c->actor.kind;
    if (kind == ACTOR_OPERATOR)
        return OK;
    if (kind != ACTOR_STAFF && kind != ACTOR_SYSTEM && !(managers && kind == ACTOR_MANAGER))
        return may_refuse(c, p, "does not look after accounts");
    identifying(c->policy, policy_tenant(c->policy, c->tenant), &set);
    return person_allow_some(c, p, NULL, TEXT(""), &set, ACT_WRITE);
}

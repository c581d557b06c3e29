/* Rules N: what a notice must tell (GDPR 12 to 14). */
#include "policy/lint/lint_help.h"
#include <stdlib.h>

/* ---- Who is responsible, and how to reach them. ---- */

void check_N01(struct lint *l) { need_given(l, SEVERITY_ERROR, NULL, "controller.legal_name"); }

void check_N02(struct lint *l)
{
    bool postal = is_given(clause(l, "controller.address"));
    bool electronic = is_given(clause(l, "controller.email")) || is_given(clause(l, "controller.phone"));
    enum severity s = postal || electronic ? SEVERITY_WARNING : SEVERITY_ERROR;
    if (!postal)
        fire_at(l, s, NULL, "controller.address");
    if (!electronic)
        fire_at(l, s, NULL, "controller.email");
}

void check_N03(struct lint *l)
{
    const struct node *dpo = clause(l, "dpo");
    bool reached = is_given(lint_key(dpo, "email")) || is_given(lint_key(dpo, "address")) ||
                   is_given(lint_key(dpo, "phone"));
    if (is_yes(lint_key(dpo, "appointed")) && !reached)
        fire_at(l, SEVERITY_ERROR, dpo, "email");
}

/* Art. 37(1): a public body, or regular monitoring or special categories on a large scale. */
static bool needs_dpo(const struct lint *l)
{
    const struct node *risks = clause(l, "assessment.risks");
    return is_yes(clause(l, "controller.public_body")) ||
           (has(risks, "large_scale") && (has(risks, "systematic_monitoring") || has(risks, "sensitive")));
}

void check_N04(struct lint *l)
{
    const struct node *dpo = clause(l, "dpo"),
                      *appointed = dpo && dpo->kind == NODE_MAP ? lint_key(dpo, "appointed") : dpo;
    if (is_given(appointed))
        return;
    if (needs_dpo(l))
        fire_at(l, SEVERITY_ERROR, NULL, "dpo");
    else if (!is_set(appointed))
        fire_at(l, SEVERITY_ADVICE, NULL, "dpo");
}

void check_N05(struct lint *l)
{
    const struct node *country = clause(l, "controller.country");
    if (is_given(country) && !in_eea(lint_value(country)))
        need_given(l, SEVERITY_ERROR, NULL, "controller.representative");
}

/* ---- Purposes, and what lies outside them. ---- */

/* The names of all categories that some purpose uses, sorted, so that large files cost no more than reading them. */
struct names {
    text *of;
    size_t count;
};

static int by_name(const void *a, const void *b) { return text_cmp(*(const text *)a, *(const text *)b); }

static size_t gather(struct lint *l, struct names *out)
{
    size_t n = 0;
    EACH(purpose, l, "purposes")
    {
        const struct node *used = lint_key(purpose, "categories");
        if (used && used->kind == NODE_SCALAR && ++n && out->of)
            out->of[n - 1] = used->value;
        NODE_EACH(item, used)
            if (++n && out->of)
                out->of[n - 1] = item->value;
    }
    return n;
}

static bool used_names(struct lint *l, struct names *out)
{
    *out = (struct names){ 0 };
    size_t n = gather(l, out);
    out->of = NEW_ARRAY(l->arena, text, n + 1);
    if (!out->of) {
        l->failed = true;
        return false;
    }
    out->count = gather(l, out);
    qsort(out->of, out->count, sizeof *out->of, by_name);
    return true;
}

/* Those of the map whose `name` says no declared purpose. */
static void outside(struct lint *l, const char *map, const char *name)
{
    EACH(item, l, map)
    {
        const struct node *ref = lint_key(item, name);
        bool known = is_given(ref);
        if (ref && ref->kind == NODE_SCALAR && known)
            known = purpose_of(l, ref) != NULL;
        NODE_EACH(one, ref)
            known = known && purpose_of(l, one);
        if (!known)
            fire(l, SEVERITY_ERROR, item);
    }
}

void check_N06(struct lint *l)
{
    struct names used;
    if (!is_given(clause(l, "purposes")))
        fire_at(l, SEVERITY_ERROR, NULL, "purposes");
    if (!used_names(l, &used))
        return;
    EACH(category, l, "categories")
    if (!bsearch(&category->key, used.of, used.count, sizeof *used.of, by_name))
        fire(l, SEVERITY_ERROR, category);
    outside(l, "uses", "purpose");
    outside(l, "cookies", "purpose");
    outside(l, "collection", "purposes");
}

/* ---- Recipients. ---- */

void check_N07(struct lint *l) { need_set(l, SEVERITY_ERROR, NULL, "recipients"); }

void check_N08(struct lint *l)
{
    EACH(recipient, l, "recipients")
    {
        const struct node *title = lint_key(recipient, "title");
        bool told = is_given(lint_key(recipient, "name")) || is_given(lint_key(recipient, "kinds"));
        if (!told &&
            (title ? all_say(l, WORDING_VAGUE_RECIPIENT, title) : says(l, WORDING_VAGUE_RECIPIENT, recipient->key)))
            fire(l, SEVERITY_WARNING, recipient);
    }
}

void check_N09(struct lint *l)
{
    const struct node *claim = lint_item(clause(l, "claims"), "no_sharing");
    if (claim && is_given(clause(l, "recipients")))
        fire(l, SEVERITY_ERROR, claim);
}

/* ---- Data that comes from elsewhere, or from the person. ---- */

static bool comes_from(const struct lint *l, text source)
{
    EACH(category, l, "categories")
    if (node_has(lint_key(category, "source"), source))
        return true;
    return false;
}

void check_N10(struct lint *l)
{
    EACH(purpose, l, "purposes")
    need_given(l, SEVERITY_WARNING, purpose, "categories");
    EACH(source, l, "sources")
    if (is_yes(lint_key(source, "third_party")) && !comes_from(l, source->key))
        fire(l, SEVERITY_ERROR, source);
}

void check_N11(struct lint *l)
{
    EACH(source, l, "sources")
    if (is_yes(lint_key(source, "third_party")))
        need_given(l, SEVERITY_ERROR, source, "title");
}

void check_N12(struct lint *l)
{
    EACH(source, l, "sources")
    {
        const struct node *within = lint_key(source, "notice_within");
        if (is_yes(lint_key(source, "third_party")) && (!is_given(within) || is_longer(within, 1, TERM_MONTHS)))
            fire_at(l, SEVERITY_WARNING, source, "notice_within");
    }
}

/* Data that the server gathers by itself is not asked for. */
static bool asks(const struct node *category) { return !is_given(lint_key(category, "stream")); }

void check_N13(struct lint *l)
{
    bool stated = false;
    EACH(category, l, "categories")
    {
        bool required = false;
        NODE_EACH(field, lint_key(category, "fields")) {
            stated = stated || is_set(lint_key(field, "required"));
            required = required || is_yes(lint_key(field, "required"));
        }
        if (required && asks(category) && !is_yes(lint_key(category, "many")))
            need_given(l, SEVERITY_WARNING, category, "if_missing");
    }
    if (!stated)
        fire_at(l, SEVERITY_WARNING, NULL, "categories");
}

void check_N14(struct lint *l)
{
    EACH(decision, l, "automated_decisions")
    {
        need_given(l, SEVERITY_ERROR, decision, "logic");
        need_given(l, SEVERITY_ERROR, decision, "effects");
        need_given(l, SEVERITY_ERROR, decision, "human");
    }
}

/* ---- Rights. ---- */

enum { ACCESS = 1, RECTIFICATION = 2, RESTRICTION = 4, ERASURE = 8, PORTABILITY = 16, OBJECTION = 32, WITHDRAWAL = 64 };
static const struct {
    const char *name;
    int bit;
} rights[] = {
    { "access", ACCESS },         { "rectification", RECTIFICATION }, { "restriction", RESTRICTION },
    { "erasure", ERASURE },       { "portability", PORTABILITY },     { "objection", OBJECTION },
    { "withdrawal", WITHDRAWAL },
};
/* The CNIL's table: which rights each basis opens (guide, sheet 15). An unknown basis may open objection. */
static const struct {
    const char *basis;
    int rights;
} matrix[] = {
    { "consent", ACCESS | RECTIFICATION | RESTRICTION | ERASURE | PORTABILITY | WITHDRAWAL },
    { "contract", ACCESS | RECTIFICATION | RESTRICTION | ERASURE | PORTABILITY },
    { "legitimate_interest", ACCESS | RECTIFICATION | RESTRICTION | ERASURE | OBJECTION },
    { "legal_obligation", ACCESS | RECTIFICATION | RESTRICTION },
    { "public_task", ACCESS | RECTIFICATION | RESTRICTION | OBJECTION },
    { "vital_interests", ACCESS | RECTIFICATION | RESTRICTION | ERASURE },
};

static int opened_by(const struct node *purpose)
{
    int opened = 0;
    for (size_t i = 0; i < sizeof matrix / sizeof *matrix; i++)
        if (has_basis(purpose, matrix[i].basis))
            opened |= matrix[i].rights;
    if (is_direct_marketing(purpose))
        opened |= OBJECTION;
    return opened ? opened : ACCESS | RECTIFICATION | RESTRICTION | ERASURE | OBJECTION;
}

void check_N15(struct lint *l)
{
    const struct node *offered = clause(l, "rights.offered");
    int due = ACCESS | RECTIFICATION | RESTRICTION;
    EACH(purpose, l, "purposes")
    due |= opened_by(purpose);
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        if ((due & rights[i].bit) && !has(offered, rights[i].name)) {
            text path = arena_print(l->arena, "rights.offered: %s", rights[i].name);
            fire_named(l, SEVERITY_ERROR, offered ? offered : clause(l, "rights"), path);
        }
}

void check_N16(struct lint *l)
{
    if (!is_given(clause(l, "rights.post_mortem")) && !has(clause(l, "rights.offered"), "post_mortem"))
        fire_at(l, in_france(l) ? SEVERITY_WARNING : SEVERITY_ADVICE, NULL, "rights.post_mortem");
}

void check_N17(struct lint *l)
{
    const struct node *complaint = clause(l, "rights.complaint");
    if (is_none(complaint) || (!is_given(complaint) && !has(clause(l, "rights.offered"), "complaint")))
        fire_at(l, SEVERITY_ERROR, NULL, "rights.complaint");
}

static const struct {
    text country, names;
} authorities[] = {
#define AUTHORITY(country, names) { TEXT_INIT(country), TEXT_INIT(names) },
#include "policy/authorities.def"
#undef AUTHORITY
};

static bool is_authority_of(text named, text country)
{
    for (size_t i = 0; i < sizeof authorities / sizeof *authorities; i++)
        for (text rest = authorities[i].names; text_eq(authorities[i].country, country) && rest.p;)
            if (text_find(named, text_cut(&rest, '|')) >= 0)
                return true;
    return false;
}

void check_N18(struct lint *l)
{
    const struct node *authority = clause(l, "authority"), *country = clause(l, "controller.country");
    if (!is_given(authority) || !is_given(country))
        return;
    bool residence = has(clause(l, "policy.languages"), "fr") && is_authority_of(lint_value(authority), TEXT("FR"));
    if (!residence && !is_authority_of(lint_value(authority), lint_value(country)))
        fire(l, SEVERITY_ADVICE, authority);
}

/* A purpose without a basis may rest on an interest, against which people could object. */
void check_N19(struct lint *l)
{
    bool due = false;
    EACH(purpose, l, "purposes")
    due = due || !is_given(lint_key(purpose, "basis")) || has_basis(purpose, "legitimate_interest") ||
          is_direct_marketing(purpose);
    if (due && !is_yes(clause(l, "rights.objection.separate")))
        fire_at(l, SEVERITY_WARNING, NULL, "rights.objection.separate");
}

void check_N20(struct lint *l)
{
    EACH(purpose, l, "purposes")
    if (has_basis(purpose, "legitimate_interest"))
        need_given(l, SEVERITY_ERROR, purpose, "interest");
}

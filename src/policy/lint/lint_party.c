/* Rules P: processors, transfers, joint control, authorities, assessment, record (GDPR 26 to 30, 35, 44 to 49). */
#include "policy/lint/lint_help.h"

#define EACH_PROCESSOR(recipient, l) EACH(recipient, l, "recipients") if (is_yes(lint_key(recipient, "processor")))

/* ---- Contracts. ---- */

static bool is_pledge(const struct node *recipient)
{
    const struct node *kind = lint_key(recipient, "contract_kind");
    return is_word(kind, "terms") || is_word(kind, "pledge");
}

void check_P01(struct lint *l)
{
    EACH_PROCESSOR(recipient, l)
    {
        bool contract = is_given(lint_key(recipient, "contract")) ||
                        (!is_set(lint_key(recipient, "contract")) &&
                         is_word(lint_key(recipient, "contract_kind"), "article_28"));
        if (!contract && !is_pledge(recipient))
            fire_at(l, SEVERITY_ERROR, recipient, "contract");
    }
    if (clause(l, "as_processor"))
        need_given(l, SEVERITY_ERROR, NULL, "as_processor.contract");
}

void check_P02(struct lint *l)
{
    EACH(recipient, l, "recipients")
    if (is_pledge(recipient))
        fire_at(l, SEVERITY_ERROR, recipient, "contract_kind");
}

/* ---- Countries and transfers. ---- */

void check_P03(struct lint *l)
{
    EACH_PROCESSOR(recipient, l)
    need_given(l, SEVERITY_ERROR, recipient, "country");
}

struct adequacy {
    text country;
    struct date from, to;
};
static const struct adequacy adequacies[] = {
#define ADEQUACY(country, from, to, verified) { TEXT_INIT(country), from, to },
#include "policy/adequacy.def"
#undef ADEQUACY
};

static const struct adequacy *adequacy_of(text country)
{
    for (size_t i = 0; i < sizeof adequacies / sizeof *adequacies; i++)
        if (text_eq(adequacies[i].country, country))
            return &adequacies[i];
    return NULL;
}

static bool expired(const struct lint *l, const struct adequacy *a)
{
    return a->to.year && date_days(l->as_of) >= date_days(a->to);
}

static bool is_adequate(const struct lint *l, text country)
{
    const struct adequacy *a = adequacy_of(country);
    return a && date_days(l->as_of) >= date_days(a->from) && !expired(l, a);
}

typedef void transfer_fn(struct lint *l, const struct node *n, text country, const struct node *safeguard);

/* A transfer may stand in three places: with a recipient that has a country, with a tracker that a third party reads,
 * and under `transfers`. */
static void each_transfer(struct lint *l, transfer_fn *visit)
{
    static const char *const lists[] = { "recipients", "cookies", "transfers" };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        EACH(item, l, lists[i])
        {
            const struct node *country = lint_key(item, "country");
            if (is_given(country) && !in_eea(lint_value(country)))
                visit(l, item, lint_value(country), lint_key(item, "safeguard"));
        }
}

static void unlawful(struct lint *l, const struct node *n, text country, const struct node *safeguard)
{
    bool contractual = is_word(safeguard, "scc") || is_word(safeguard, "bcr") || is_word(safeguard, "derogation");
    if (!text_eq(country, TEXT("US")) && !contractual && !is_adequate(l, country))
        fire_at(l, SEVERITY_ERROR, n, "safeguard");
}

void check_P04(struct lint *l) { each_transfer(l, unlawful); }

/* Who reads a tracker receives data: a declared recipient, whose country is told, or one whose country stands here. */
static bool is_recipient(struct lint *l, text provider)
{
    EACH(recipient, l, "recipients")
    if (text_eq(lint_value(lint_key(recipient, "name")), provider) || text_eq(recipient->key, provider))
        return true;
    return false;
}

void check_P05(struct lint *l)
{
    EACH(cookie, l, "cookies")
    {
        const struct node *provider = lint_key(cookie, "provider");
        if (is_given(provider) && !is_set(lint_key(cookie, "country")) && !is_recipient(l, lint_value(provider)))
            fire_at(l, SEVERITY_WARNING, cookie, "country");
    }
    const struct node *transfers = clause(l, "transfers");
    if (transfers && transfers->kind != NODE_SCALAR && !transfers->count)
        fire(l, SEVERITY_ERROR, transfers);
    else if (!is_set(transfers))
        fire_at(l, SEVERITY_WARNING, NULL, "transfers");
}

static bool all_in_eea(const struct node *countries)
{
    if (countries && countries->kind == NODE_SCALAR)
        return in_eea(lint_value(countries));
    NODE_EACH(country, countries)
        if (!in_eea(lint_value(country)))
            return false;
    return countries && countries->count;
}

/* Said to stay in the EEA, in so many words or because no wider area nor transfer is declared. */
void check_P06(struct lint *l)
{
    const struct node *countries = clause(l, "hosting.countries");
    bool wider = is_given(clause(l, "hosting.area")) || is_given(clause(l, "transfers"));
    if (!has(clause(l, "claims"), "area_only") && (wider || !all_in_eea(countries)))
        return;
    EACH_PROCESSOR(recipient, l)
    {
        const struct node *country = lint_key(recipient, "country");
        if (!is_given(country) || !in_eea(lint_value(country)))
            fire_at(l, SEVERITY_WARNING, recipient, "country");
    }
}

static void framework(struct lint *l, const struct node *n, text country, const struct node *safeguard)
{
    const struct adequacy *a = adequacy_of(TEXT("US"));
    bool listed = is_word(safeguard, "dpf");
    bool contractual = is_word(safeguard, "scc") || is_word(safeguard, "bcr") || is_word(safeguard, "derogation");
    if (!text_eq(country, TEXT("US")) || contractual)
        return;
    if (!listed)
        fire_at(l, SEVERITY_ERROR, n, "safeguard");
    else if (!a || expired(l, a))
        fire_at(l, SEVERITY_WARNING, n, "safeguard");
}

void check_P07(struct lint *l) { each_transfer(l, framework); }

/* ---- Joint control, authorities, merger. ---- */

void check_P08(struct lint *l)
{
    EACH(recipient, l, "recipients")
    if (is_none(lint_key(recipient, "joint")))
        fire_at(l, SEVERITY_WARNING, recipient, "joint");
    if (is_given(clause(l, "social.functions")))
        need_given(l, SEVERITY_WARNING, NULL, "social.arrangement");
}

void check_P09(struct lint *l)
{
    const struct node *disclose = clause(l, "authorities.disclose"), *tell = clause(l, "authorities.tell");
    if (is_word(disclose, "at_discretion"))
        fire(l, SEVERITY_WARNING, disclose);
    if (is_word(tell, "always"))
        fire(l, SEVERITY_WARNING, tell);
}

void check_P11(struct lint *l)
{
    const struct node *merger = clause(l, "merger");
    if (merger && !is_yes(lint_key(merger, "tell")))
        fire_at(l, SEVERITY_ADVICE, merger, "tell");
}

/* ---- Assessment, record, host. ---- */

/* The criteria that the file names, and those that its own clauses show. */
static unsigned count_risks(const struct lint *l)
{
    const struct node *risks = clause(l, "assessment.risks");
    unsigned n = risks && risks->kind == NODE_SCALAR ? is_given(risks)
               : risks ? risks->count : 0;
    n += is_given(clause(l, "automated_decisions")) && !has(risks, "evaluation") && !has(risks, "automated_decision");
    n += is_yes(clause(l, "minors.plausible")) && !has(risks, "vulnerable");
    bool special = false;
    EACH(category, l, "categories")
    special = special || is_special_category(category);
    return n + (special && !has(risks, "sensitive"));
}

void check_P10(struct lint *l)
{
    if (count_risks(l) >= 2)
        need_given(l, SEVERITY_WARNING, NULL, "assessment.dpia.status");
}

void check_P12(struct lint *l)
{
    static const char *const points[] = { "controller", "purposes",  "categories", "recipients",
                                          "transfers",  "retention", "security" };
    const struct node *held = clause(l, "register");
    for (size_t i = 0; held && i < sizeof points / sizeof *points; i++)
        if (!has(held, points[i]))
            fire_named(l, SEVERITY_ERROR, held, arena_print(l->arena, "register: %s", points[i]));
}

void check_P13(struct lint *l) { need_given(l, SEVERITY_ADVICE, NULL, "hosting.host"); }

/* Rules B: legal basis, consent, minimisation, sensitive data, minors (GDPR 5 to 10). */
#include "policy/lint/lint_help.h"

/* ---- Basis. ---- */

void check_B01(struct lint *l)
{
    EACH(purpose, l, "purposes")
    need_given(l, SEVERITY_ERROR, purpose, "basis");
}

void check_B02(struct lint *l)
{
    EACH(purpose, l, "purposes")
    {
        const struct node *basis = lint_key(purpose, "basis");
        if (basis && basis->count > 1)
            fire(l, SEVERITY_WARNING, basis);
    }
}

void check_B03(struct lint *l)
{
    EACH(purpose, l, "purposes")
    if (has_basis(purpose, "legal_obligation"))
        need_given(l, SEVERITY_WARNING, purpose, "law");
}

void check_B04(struct lint *l)
{
    EACH(purpose, l, "purposes")
    if (has_basis(purpose, "legitimate_interest"))
        need_given(l, SEVERITY_WARNING, purpose, "balancing");
}

/* What cannot be refused cannot be consented to: the service itself, its security, fraud, duties. */
void check_B05(struct lint *l)
{
    EACH(purpose, l, "purposes")
    {
        enum purpose_kind kind = purpose_kind(purpose);
        bool due = kind == PURPOSE_SERVICE || kind == PURPOSE_SECURITY || kind == PURPOSE_FRAUD ||
                   kind == PURPOSE_LEGAL;
        if (due && consents_to(l, purpose))
            fire(l, SEVERITY_ERROR, has_basis(purpose, "consent") ? lint_key(purpose, "basis") : purpose);
    }
}

/* ---- Consent. ---- */

void check_B06(struct lint *l)
{
    static const char *const invalid[] = { "use", "signup", "form", "terms", "silence" };
    const struct node *method = clause(l, "consent.method");
    for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++)
        if (has(method, invalid[i]))
            fire(l, SEVERITY_ERROR, lint_item(method, invalid[i]));
    if (is_yes(clause(l, "consent.preticked")))
        fire_at(l, SEVERITY_ERROR, NULL, "consent.preticked");
}

void check_B07(struct lint *l)
{
    const struct node *consent = clause(l, "consent"), *covers = lint_key(consent, "covers"),
                      *separate = lint_key(consent, "separate");
    bool several = covers && (covers->count > 1 || is_word(covers, "all"));
    if (is_none(separate))
        fire(l, SEVERITY_ERROR, separate);
    else if (several && !is_yes(separate))
        fire(l, SEVERITY_ERROR, covers);
}

static bool asks_consent(const struct lint *l)
{
    EACH(purpose, l, "purposes")
    if (has_basis(purpose, "consent"))
        return true;
    return is_given(clause(l, "consent.method")) || is_given(clause(l, "consent.covers"));
}

/* Given on a page, withdrawn only by post or telephone. */
static bool harder(const struct lint *l, const struct node *withdraw)
{
    const struct node *method = clause(l, "consent.method");
    bool easy = has(withdraw, "page") || has(withdraw, "link") || has(withdraw, "email");
    bool by_hand = is_set(method) && !has(method, "tick") && !has(method, "button") && !has(method, "signup") &&
                   !has(method, "form") && !has(method, "use") && !has(method, "terms");
    return !easy && !by_hand;
}

void check_B08(struct lint *l)
{
    const struct node *withdraw = clause(l, "consent.withdraw");
    if (!asks_consent(l))
        return;
    if (is_none(withdraw) || (!is_given(withdraw) && !has(clause(l, "rights.offered"), "withdrawal")))
        fire_at(l, SEVERITY_ERROR, NULL, "consent.withdraw");
    else if (is_given(withdraw) && harder(l, withdraw))
        fire(l, SEVERITY_ERROR, withdraw);
}

void check_B11(struct lint *l)
{
    const struct node *proof = clause(l, "consent.proof");
    bool wording = has(proof, "wording") || has(proof, "version");
    if (proof && !(has(proof, "who") && has(proof, "when") && wording && has(proof, "how")))
        fire(l, SEVERITY_ERROR, proof);
}

/* ---- Purposes and data that go too far. ---- */

void check_B09(struct lint *l)
{
    EACH(purpose, l, "purposes")
    if (node_says(l, WORDING_CATCH_ALL, lint_key(purpose, "title")))
        fire(l, SEVERITY_ERROR, purpose);
}

/* Statistics over data that is joined with identities, without a word on why. */
static void joined_statistics(struct lint *l)
{
    EACH(purpose, l, "purposes")
    {
        if (purpose_kind(purpose) != PURPOSE_STATISTICS || is_given(lint_key(purpose, "necessity")))
            continue;
        EACH(category, l, "categories")
        if (is_yes(lint_key(category, "joined")) && node_has(lint_key(purpose, "categories"), category->key))
            fire(l, SEVERITY_WARNING, category);
    }
}

/* Tastes, household, way of life: no service needs them. */
static bool is_lifestyle(const struct node *category)
{
    static const text terms = TEXT_INIT(
        "pd:LifeStyle pd:Lifestyle pd:Hobby pd:Interest pd:Favorite pd:Household pd:FamilyStructure "
        "pd:Psychographic pd:PersonalPreference pd:Like pd:Dislike");
    static const text names = TEXT_INIT("lifestyle hobbies interests household psychographics tastes");
    return one_of(lint_value(lint_key(category, "dpv")), terms) || one_of(category->key, names);
}

static bool is_needed(const struct lint *l, const struct node *category)
{
    EACH(purpose, l, "purposes")
    if (node_has(lint_key(purpose, "categories"), category->key) &&
        (has_basis(purpose, "consent") || has_basis(purpose, "contract") || is_given(lint_key(purpose, "necessity"))))
        return true;
    return false;
}

void check_B10(struct lint *l)
{
    joined_statistics(l);
    EACH(category, l, "categories")
    if (is_lifestyle(category) && !is_needed(l, category))
        fire(l, SEVERITY_WARNING, category);
}

/* ---- Sensitive data, offences, minors. ---- */

static bool is_special(const struct node *n)
{
    static const text terms[] = {
#define SPECIAL(dpv, what, words) TEXT_INIT(dpv),
#include "policy/special.def"
#undef SPECIAL
    };
    text dpv = lint_value(lint_key(n, "dpv"));
    for (size_t i = 0; dpv.n && i < sizeof terms / sizeof *terms; i++)
        if (text_eq(terms[i], dpv))
            return true;
    return is_yes(lint_key(n, "special"));
}

bool is_special_category(const struct node *category)
{
    bool special = is_special(category);
    NODE_EACH(field, lint_key(category, "fields"))
        special = special || is_special(field);
    return special;
}

void check_B12(struct lint *l)
{
    EACH(category, l, "categories")
    if (is_special_category(category))
        need_given(l, SEVERITY_ERROR, category, "ground");
}

static bool needs_law(const struct node *n)
{
    static const text terms = TEXT_INIT(
        "pd:NationalIdentificationNumber pd:SocialSecurityNumber pd:CriminalActivity "
        "pd:CriminalCharge pd:CriminalConviction pd:CriminalOffence pd:CriminalPardon pd:Criminal");
    static const text names = TEXT_INIT(
        "nir insee_number social_security social_security_number numero_securite_sociale "
        "offences offenses infractions condamnations convictions criminal_record casier_judiciaire");
    return one_of(lint_value(lint_key(n, "dpv")), terms) || one_of(n->key, names);
}

void check_B13(struct lint *l)
{
    EACH(category, l, "categories")
    {
        bool due = needs_law(category);
        NODE_EACH(field, lint_key(category, "fields"))
            due = due || needs_law(field);
        if (due)
            need_given(l, SEVERITY_ERROR, category, "law");
    }
}

void check_B14(struct lint *l)
{
    int64_t age;
    const struct node *stated = clause(l, "minors.age");
    if (is_yes(clause(l, "minors.plausible")))
        need_set(l, SEVERITY_WARNING, NULL, "minors.age");
    if (stated && text_int(lint_value(stated), &age) && age < 15 && in_france(l))
        fire(l, SEVERITY_WARNING, stated);
}

/* ---- A purpose that came with a later version. ---- */

/* By what the file says of it, or because the version in force before, when that is known, does not have it. */
static bool came_later(const struct lint *l, const struct node *purpose)
{
    const struct node *before = l->out->before;
    return is_given(lint_key(purpose, "since")) ||
           (before && !node_get(node_get(before, TEXT("purposes")), purpose->key));
}

/* Some time, not none: "0d" tells nobody beforehand. */
static bool tells_before(const struct lint *l)
{
    struct term t;
    const struct node *before = clause(l, "changes.before");
    return is_given(before) && (!term_of(before, &t) || t.count > 0);
}

void check_B15(struct lint *l)
{
    EACH(purpose, l, "purposes")
    if (came_later(l, purpose) && !tells_before(l))
        fire_at(l, SEVERITY_ERROR, purpose, "since");
}

/* Rules K: cookies and other trackers (Act of 6 January 1978, Art. 82, and the CNIL's guide). */
#include "policy/lint/lint_help.h"

/* ---- The list, and what is said of trackers. ---- */

static bool is_listed(const struct node *cookie)
{
    return is_given(lint_key(cookie, "purpose")) && is_given(lint_key(cookie, "lifetime"));
}

void check_K01(struct lint *l)
{
    const struct node *cookies = clause(l, "cookies");
    enum severity s = has_unexempt(l) ? SEVERITY_ERROR : SEVERITY_WARNING;
    if (!is_set(cookies) && !is_none(clause(l, "trackers.uses")))
        fire_at(l, s, NULL, "cookies");
    NODE_EACH(cookie, is_given(cookies) ? cookies : NULL)
        if (!is_listed(cookie))
            fire(l, s, cookie);
}

/* Two statements of one subject, one affirming what the other denies; see also D06. */
static void clash_of_cookies(struct lint *l, const struct node *x, const struct node *y)
{
    if (text_starts(lint_value(lint_key(x, "about")), TEXT("cookies"))) {
        fire(l, SEVERITY_ERROR, x);
        fire(l, SEVERITY_ERROR, y);
    }
}

void check_K02(struct lint *l)
{
    const struct node *claims = clause(l, "claims"), *cookies = clause(l, "cookies");
    each_clash(l, clash_of_cookies);
    if (is_none(cookies) && (is_given(clause(l, "trackers.uses")) || is_given(clause(l, "trackers.kinds"))))
        fire(l, SEVERITY_ERROR, cookies);
    EACH(cookie, l, "cookies")
    if (has(claims, "essential_cookies_only") && is_none(lint_key(cookie, "exempt")))
        fire(l, SEVERITY_ERROR, cookie);
}

/* ---- Consent and refusal. ---- */

static bool asks_before(const struct lint *l, const struct node *cookie)
{
    return has_basis(purpose_of(l, lint_key(cookie, "purpose")), "consent") ||
           is_word(clause(l, "trackers.consent"), "prior");
}

void check_K03(struct lint *l)
{
    EACH(cookie, l, "cookies")
    if (!is_exempt(cookie) && !asks_before(l, cookie))
        fire(l, SEVERITY_ERROR, cookie);
    if (!is_given(clause(l, "cookies")) && has_unexempt(l) && !is_word(clause(l, "trackers.consent"), "prior"))
        fire_at(l, SEVERITY_ERROR, NULL, "trackers.consent");
}

void check_K04(struct lint *l)
{
    if (!has_unexempt(l))
        return;
    if (!is_word(clause(l, "trackers.refuse"), "same_level"))
        fire_at(l, SEVERITY_ERROR, NULL, "trackers.refuse");
    need_given(l, SEVERITY_ERROR, NULL, "trackers.withdraw");
}

/* Said to be exempt, by a reason that exempts nothing or by its purpose. */
static bool wrongly_exempt(const struct lint *l, const struct node *cookie)
{
    const struct node *reason = lint_key(cookie, "exempt"), *purpose = purpose_of(l, lint_key(cookie, "purpose"));
    bool marketing = purpose && (is_direct_marketing(purpose) || is_yes(lint_key(purpose, "partners")));
    bool personal = purpose && purpose_kind(purpose) == PURPOSE_PERSONALISATION && !is_word(reason, "preferences") &&
                    !is_word(reason, "language");
    return is_given(reason) && (!is_exempt(cookie) || marketing || personal);
}

void check_K05(struct lint *l)
{
    const struct node *uses = clause(l, "trackers.uses");
    EACH(cookie, l, "cookies")
    if (wrongly_exempt(l, cookie))
        fire(l, SEVERITY_ERROR, cookie);
    if (has(clause(l, "claims"), "essential_cookies_only") &&
        (has(uses, "advertising") || has(uses, "personalisation") || has(uses, "social") || has(uses, "location")))
        fire(l, SEVERITY_ERROR, uses);
}

void check_K06(struct lint *l)
{
    const struct node *settings = clause(l, "trackers.browser_settings");
    if (is_word(settings, "only"))
        fire(l, has_unexempt(l) ? SEVERITY_ERROR : SEVERITY_ADVICE, settings);
}

/* Without an exempt tracker a service may fail; only a refusal of consent must cost nothing. */
void check_K07(struct lint *l)
{
    const struct node *wall = clause(l, "trackers.wall");
    if (is_yes(wall) && has_unexempt(l) && !is_given(clause(l, "trackers.justification")))
        fire(l, SEVERITY_WARNING, wall);
}

/* ---- What a tracker is called, and what it is. ---- */

void check_K08(struct lint *l)
{
    const struct node *claims = clause(l, "claims");
    EACH(cookie, l, "cookies")
    if (has(claims, "anonymous_cookies") &&
        (is_yes(lint_key(cookie, "identifies")) || is_yes(lint_key(cookie, "personal"))))
        fire(l, SEVERITY_ERROR, cookie);
}

void check_K09(struct lint *l)
{
    struct term t;
    EACH(cookie, l, "cookies")
    if (is_word(lint_key(cookie, "called"), "session") && term_of(lint_key(cookie, "lifetime"), &t))
        fire_at(l, SEVERITY_WARNING, cookie, "lifetime");
}

static bool hides(const struct node *kind)
{
    return has(kind, "flash") || has(kind, "device_id") || has(kind, "fingerprint");
}

/* Flash Player ended on 31 December 2020: what a notice still says of its objects is dead. */
static void fire_hidden(struct lint *l, const struct node *at, const struct node *kinds)
{
    if (has(kinds, "flash") && date_days(l->as_of) > date_days((struct date){ 2020, 12, 31 }))
        fire_figure(l, SEVERITY_ERROR, at, "flash †2020-12-31");
    else
        fire(l, SEVERITY_ERROR, at);
}

void check_K10(struct lint *l)
{
    const struct node *kinds = clause(l, "trackers.kinds");
    if (hides(kinds) && !is_yes(clause(l, "trackers.same_rules")))
        fire_hidden(l, kinds, kinds);
    EACH(cookie, l, "cookies")
    if (hides(lint_key(cookie, "kind")) && !is_exempt(cookie) && !asks_before(l, cookie))
        fire_hidden(l, cookie, lint_key(cookie, "kind"));
}

/* ---- The audience measure, the life of a choice, third parties. ---- */

static bool loses_exemption(const struct node *cookie)
{
    return is_longer(lint_key(cookie, "lifetime"), 13, TERM_MONTHS) || is_yes(lint_key(cookie, "sliding")) ||
           is_yes(lint_key(cookie, "provider_reuse"));
}

static bool is_audience(const struct node *category) { return is_word(lint_key(category, "stream"), "audience"); }

/* What could lead from a visit to somebody: an address, or a field that people are looked up by. */
static void fire_led_back(struct lint *l, const struct node *category)
{
    NODE_EACH(field, lint_key(category, "fields"))
    {
        const struct node *type = lint_key(field, "type");
        if (is_yes(lint_key(field, "identifier")) || is_word(type, "ip") || is_word(type, "email") ||
            is_word(type, "phone"))
            fire_at(l, SEVERITY_ERROR, category, "fields");
    }
}

/* A purpose that uses the anonymous measure and what is known of people side by side joins them. */
static void fire_joining(struct lint *l, const struct node *purpose)
{
    bool visits = false, people = false;
    EACH(category, l, "categories")
    if (node_has(lint_key(purpose, "categories"), category->key)) {
        visits = visits || is_audience(category);
        people = people || !is_audience(category);
    }
    if (visits && people)
        fire_at(l, SEVERITY_ERROR, purpose, "categories");
}

void check_K11(struct lint *l)
{
    const struct node *audience = clause(l, "trackers.audience");
    if (is_longer(lint_key(audience, "lifetime"), 13, TERM_MONTHS))
        fire_at(l, SEVERITY_WARNING, audience, "lifetime");
    if (is_longer(lint_key(audience, "data"), 25, TERM_MONTHS))
        fire_at(l, SEVERITY_WARNING, audience, "data");
    if (is_yes(lint_key(audience, "joined")))
        fire_at(l, SEVERITY_ERROR, audience, "joined");
    static const char *const faults[] = { "extended", "provider_reuse" };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (is_yes(lint_key(audience, faults[i])))
            fire_at(l, SEVERITY_WARNING, audience, faults[i]);
    EACH(cookie, l, "cookies")
    if (is_word(lint_key(cookie, "exempt"), "audience") && loses_exemption(cookie))
        fire(l, SEVERITY_WARNING, cookie);
    EACH(category, l, "categories")
    {
        const struct node *retention = node_get(clause(l, "retention"), category->key);
        if (!is_audience(category))
            continue;
        if (is_longer(lint_key(retention, "active"), 25, TERM_MONTHS))
            fire_at(l, SEVERITY_WARNING, retention, "active");
        if (is_yes(lint_key(category, "joined")))
            fire_at(l, SEVERITY_ERROR, category, "joined");
        fire_led_back(l, category);
    }
    EACH(purpose, l, "purposes")
    fire_joining(l, purpose);
}

void check_K12(struct lint *l)
{
    if (is_longer(clause(l, "trackers.choice"), 6, TERM_MONTHS) && !is_given(clause(l, "trackers.justification")))
        fire_at(l, SEVERITY_ADVICE, NULL, "trackers.choice");
}

void check_K13(struct lint *l)
{
    const struct node *parties = clause(l, "trackers.third_parties");
    if (node_says(l, WORDING_OPEN_LIST, parties))
        fire(l, SEVERITY_WARNING, parties);
    EACH(cookie, l, "cookies")
    if (node_says(l, WORDING_OPEN_LIST, lint_key(cookie, "provider")))
        fire_at(l, SEVERITY_WARNING, cookie, "provider");
}

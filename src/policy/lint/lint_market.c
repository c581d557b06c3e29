/* Rules M: direct marketing (CPCE L34-5, C. conso. L223-1, GDPR 21). */
#include "policy/lint/lint_help.h"

#define EACH_MARKETING(purpose, l) EACH(purpose, l, "purposes") if (is_direct_marketing(purpose))

static bool is_electronic(const struct node *channels) { return has(channels, "email") || has(channels, "sms"); }

/* The exception for customers: similar products of the same firm, and a way out each time. */
static bool customers_may(const struct node *purpose)
{
    return is_yes(lint_key(purpose, "customers_only")) && is_given(lint_key(purpose, "opt_out"));
}

void check_M01(struct lint *l)
{
    EACH_MARKETING(purpose, l)
    if (is_electronic(lint_key(purpose, "channels")) && !consents_to(l, purpose) && !customers_may(purpose))
        fire_at(l, SEVERITY_ERROR, purpose, "channels");
}

void check_M02(struct lint *l)
{
    EACH_MARKETING(purpose, l)
    {
        const struct node *channels = lint_key(purpose, "channels"), *opt_out = lint_key(purpose, "opt_out");
        if (is_set(channels) && !is_electronic(channels))
            continue;
        if (is_none(opt_out) || is_none(lint_key(purpose, "sender")))
            fire_at(l, SEVERITY_ERROR, purpose, is_none(opt_out) ? "opt_out" : "sender");
        else if (!is_set(opt_out))
            fire_at(l, SEVERITY_WARNING, purpose, "opt_out");
    }
}

void check_M03(struct lint *l)
{
    bool bundled = is_none(clause(l, "consent.separate"));
    EACH(purpose, l, "purposes")
    if (is_yes(lint_key(purpose, "partners")) && (bundled || !has_basis(purpose, "consent")))
        fire_at(l, SEVERITY_ERROR, purpose, "partners");
}

void check_M04(struct lint *l)
{
    EACH_MARKETING(purpose, l)
    if (has(lint_key(purpose, "channels"), "phone") && !consents_to(l, purpose) &&
        !is_yes(lint_key(purpose, "customers_only")))
        fire_at(l, SEVERITY_ERROR, purpose, "channels");
}

/* Mails that can be had without being measured. */
static bool mails_unmeasured(const struct lint *l)
{
    EACH_MARKETING(purpose, l)
    if (has(lint_key(purpose, "channels"), "email") && !is_yes(lint_key(purpose, "pixel")) &&
        !is_yes(lint_key(purpose, "measured")))
        return true;
    return false;
}

/* A consent to the measure alone: said to be, or that of a purpose beside the one that sends. */
static bool pixel_apart(const struct lint *l, const struct node *purpose)
{
    if (!has_basis(purpose, "consent") || is_none(clause(l, "consent.separate")))
        return false;
    return is_word(lint_key(purpose, "pixel_consent"), "separate") || !is_direct_marketing(purpose) ||
           mails_unmeasured(l);
}

void check_M05(struct lint *l)
{
    EACH(purpose, l, "purposes")
    if (is_yes(lint_key(purpose, "pixel")) && !pixel_apart(l, purpose))
        fire_at(l, SEVERITY_ERROR, purpose, "pixel");
    else if (is_yes(lint_key(purpose, "measured")) && !is_set(lint_key(purpose, "pixel")))
        fire_at(l, SEVERITY_WARNING, purpose, "pixel");
}

void check_M06(struct lint *l)
{
    const struct node *unconditional = clause(l, "rights.objection.unconditional");
    if (is_none(unconditional))
        fire(l, SEVERITY_ERROR, unconditional);
}

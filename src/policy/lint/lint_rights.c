/* Rules R: how rights are exercised and answered (GDPR 12, 16, 19, 20, 28). */
#include "policy/lint/lint_help.h"

/* ---- Channels. ---- */

static bool open_channel(const struct lint *l, const char *name)
{
    return is_given(lint_key(clause(l, "rights.channels"), name));
}

/* Ways that are open to everyone: the profile needs an account, a form without address must first be found. */
void check_R01(struct lint *l)
{
    bool open = open_channel(l, "email") || open_channel(l, "post") || open_channel(l, "phone");
    bool profile = open_channel(l, "profile"), form = open_channel(l, "form");
    if (!open && !profile && !form)
        fire_at(l, SEVERITY_ERROR, NULL, "rights.channels");
    else if (!open && !(profile && form))
        fire_at(l, SEVERITY_WARNING, NULL, "rights.channels");
}

void check_R04(struct lint *l)
{
    bool others = open_channel(l, "email") || open_channel(l, "profile") || open_channel(l, "form") ||
                  open_channel(l, "phone");
    if (is_yes(clause(l, "rights.channels.registered_only")))
        fire_at(l, SEVERITY_WARNING, NULL, "rights.channels.registered_only");
    else if (open_channel(l, "post") && !others)
        fire_at(l, SEVERITY_WARNING, NULL, "rights.channels.post");
}

/* ---- Time, identity, fee, refusal. ---- */

void check_R02(struct lint *l)
{
    const struct node *within = clause(l, "rights.answer_within");
    if (is_longer(within, 1, TERM_MONTHS))
        fire_figure(l, SEVERITY_ERROR, within, "%.*s > 1mo", T(lint_value(within)));
}

void check_R03(struct lint *l) { need_given(l, SEVERITY_ADVICE, NULL, "rights.answer_within"); }

void check_R05(struct lint *l)
{
    if (is_longer(clause(l, "rights.extension"), 2, TERM_MONTHS))
        fire_at(l, SEVERITY_ERROR, NULL, "rights.extension");
    if (is_longer(clause(l, "rights.extension_notice"), 1, TERM_MONTHS))
        fire_at(l, SEVERITY_ERROR, NULL, "rights.extension_notice");
}

void check_R06(struct lint *l)
{
    const struct node *when = clause(l, "rights.identity.when"), *copy = clause(l, "rights.identity.copy");
    if (is_word(when, "always"))
        fire(l, SEVERITY_ERROR, when);
    if (is_word(copy, "kept"))
        fire(l, SEVERITY_ERROR, copy);
    if (is_word(when, "may"))
        fire(l, SEVERITY_ADVICE, when);
}

void check_R07(struct lint *l)
{
    if (is_given(clause(l, "rights.fee")))
        fire_at(l, SEVERITY_ERROR, NULL, "rights.fee");
}

void check_R12(struct lint *l)
{
    const struct node *refusal = clause(l, "rights.refusal");
    if (refusal && !(has(refusal, "reasons") && has(refusal, "complaint") && has(refusal, "court")))
        fire(l, SEVERITY_ERROR, refusal);
}

/* ---- What follows a correction or an erasure. ---- */

void check_R08(struct lint *l)
{
    const struct node *former = clause(l, "retention.former");
    if (!is_given(former))
        return;
    bool purpose = is_given(lint_key(former, "purpose")) || is_given(lint_key(former, "ground")) ||
                   is_given(lint_key(former, "justification"));
    if (!purpose)
        fire_at(l, SEVERITY_ERROR, former, "purpose");
    if (!is_given(lint_key(former, "active")) || is_word(lint_key(former, "active"), "always"))
        fire_at(l, SEVERITY_ERROR, former, "active");
}

void check_R09(struct lint *l)
{
    const struct node *propagate = clause(l, "rights.propagate");
    if (is_given(clause(l, "recipients")) && is_none(propagate))
        fire(l, SEVERITY_WARNING, propagate);
}

void check_R10(struct lint *l)
{
    if (is_word(clause(l, "as_processor.answers_rights"), "itself"))
        fire_at(l, SEVERITY_WARNING, NULL, "as_processor.answers_rights");
    EACH(recipient, l, "recipients")
    if (is_yes(lint_key(recipient, "processor")) && is_word(lint_key(recipient, "answers_rights"), "itself"))
        fire_at(l, SEVERITY_WARNING, recipient, "answers_rights");
}

void check_R11(struct lint *l)
{
    const struct node *formats = clause(l, "rights.formats");
    if (is_set(formats) && !has(formats, "json") && !has(formats, "csv") && !has(formats, "xml"))
        fire(l, SEVERITY_ERROR, formats);
}

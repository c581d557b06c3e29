/* Rules S: passwords, sessions, encryption, logs, breaches (GDPR 32 to 34 and the CNIL's recommendations). */
#include "policy/lint/lint_help.h"
#include "policy/password_rule.h"
#include <inttypes.h>

/* ---- Passwords: CNIL 2022-100. ---- */

void check_S01(struct lint *l)
{
    const struct node *n = clause(l, "security.password");
    struct password_rule p;
    password_rule_read(n, &p);
    bool profiled = p.profile > PROFILE_CUSTOM;
    if (!p.length && !p.words) {
        if (!profiled)
            fire_at(l, SEVERITY_ADVICE, NULL, "security.password");
        return;
    }
    bool enough = p.profile == PROFILE_DEVICE ? p.bits >= 13
                  : p.slowed                  ? password_rule_slowed(&p)
                                              : password_rule_alone(&p);
    /* A profile fixes what the file does not say: the server holds to its classes. */
    bool by_profile = profiled && !p.classes && p.length >= (p.profile == PROFILE_ALONE ? 12 : 8);
    if (enough || by_profile)
        return;
    /* The entropy against the level that the CNIL asks for in these circumstances. */
    if (p.length)
        fire_figure(l, SEVERITY_ERROR, lint_key(n, "min_length"), "%.1f bits < %d bits", p.bits,
                    p.profile == PROFILE_DEVICE ? 13
                    : p.slowed                  ? 50
                                                : 80);
    else
        fire_figure(l, SEVERITY_ERROR, lint_key(n, "words"), "%" PRId64 " < 7", p.words);
}

void check_S02(struct lint *l)
{
    const struct node *storage = clause(l, "security.password.storage");
    if (has(storage, "recoverable") || has(storage, "clear") || has(storage, "analysed"))
        fire(l, SEVERITY_ERROR, storage);
    else if (has(storage, "encrypted"))
        fire(l, SEVERITY_WARNING, storage);
}

void check_S03(struct lint *l)
{
    if (is_yes(clause(l, "security.password.secret_question")))
        fire_at(l, SEVERITY_ERROR, NULL, "security.password.secret_question");
}

void check_S04(struct lint *l)
{
    const struct node *reset = clause(l, "security.password.reset");
    if (is_longer(lint_key(reset, "link"), 24, TERM_HOURS))
        fire_at(l, SEVERITY_WARNING, reset, "link");
    if (is_none(lint_key(reset, "single_use")))
        fire_at(l, SEVERITY_WARNING, reset, "single_use");
    if (is_yes(lint_key(reset, "mailed")))
        fire_at(l, SEVERITY_WARNING, reset, "mailed");
}

void check_S05(struct lint *l)
{
    if (is_given(clause(l, "security.password.rotation")))
        fire_at(l, SEVERITY_ADVICE, NULL, "security.password.rotation");
}

/* ---- Encryption. ---- */

static bool number(const struct node *n, int64_t *out) { return n && text_int(lint_value(n), out); }

void check_S06(struct lint *l)
{
    const struct node *tls = clause(l, "security.transport.tls"), *measures = clause(l, "security.measures");
    if (has(tls, "ssl") || has(tls, "1.0") || has(tls, "1.1"))
        fire(l, SEVERITY_WARNING, tls);
    else if (node_says(l, WORDING_SSL, measures))
        fire(l, SEVERITY_WARNING, measures);
}

void check_S07(struct lint *l)
{
    const struct node *claim = lint_item(clause(l, "claims"), "end_to_end");
    if (claim && !is_yes(clause(l, "security.transport.end_to_end")))
        fire(l, SEVERITY_WARNING, claim);
}

/* The number at the end of "AES-128"; 0 when there is none. */
static int64_t bits_of_name(text algorithm)
{
    size_t digits = 0;
    while (digits < algorithm.n && algorithm.p[algorithm.n - digits - 1] >= '0' &&
           algorithm.p[algorithm.n - digits - 1] <= '9')
        digits++;
    int64_t bits = 0;
    bool aes = text_starts(algorithm, TEXT("AES"));
    return aes && digits && text_int(text_from(algorithm, algorithm.n - digits), &bits) ? bits : 0;
}

void check_S08(struct lint *l)
{
    const struct node *encryption = clause(l, "security.encryption"), *stated = lint_key(encryption, "key_bits");
    int64_t bits = 0;
    if (!number(stated, &bits))
        bits = bits_of_name(lint_value(lint_key(encryption, "algorithm")));
    if (bits > 0 && bits <= 128)
        fire_at(l, bits < 128 ? SEVERITY_ERROR : SEVERITY_ADVICE, encryption,
                stated ? "key_bits" : "algorithm");
}

/* ---- Logs. ---- */

static void check_log(struct lint *l, const struct node *retention)
{
    const struct node *active = lint_key(retention, "active");
    if (!is_given(lint_key(retention, "justification")) &&
        (is_shorter(active, 6, TERM_MONTHS) || is_longer(active, 12, TERM_MONTHS)))
        fire_at(l, SEVERITY_WARNING, retention, "active");
}

void check_S09(struct lint *l)
{
    const struct node *log = clause(l, "security.log");
    if (is_none(log))
        fire(l, SEVERITY_WARNING, log);
    check_log(l, clause(l, "retention.journal"));
    EACH(category, l, "categories")
    if (is_word(lint_key(category, "stream"), "logs"))
        check_log(l, node_get(clause(l, "retention"), category->key));
}

/* ---- Breaches. ---- */

void check_S10(struct lint *l)
{
    const struct node *authority = clause(l, "security.breach.authority");
    if (is_longer(authority, 72, TERM_HOURS))
        fire(l, SEVERITY_ERROR, authority);
    else if (!is_given(authority))
        fire_at(l, SEVERITY_ADVICE, NULL, "security.breach.authority");
}

/* A wording beside a term says another thing than it; efforts say nothing. */
void check_S11(struct lint *l)
{
    const struct node *breach = clause(l, "security.breach"), *wording = lint_key(breach, "subjects_says");
    bool effort = node_says(l, WORDING_EFFORT, wording);
    if (is_given(wording) && (effort || is_given(lint_key(breach, "subjects"))))
        fire_at(l, SEVERITY_WARNING, breach, "subjects_says");
}

void check_S12(struct lint *l)
{
    const struct node *tell = clause(l, "security.breach.processors_tell");
    if (is_word(tell, "authority"))
        fire(l, SEVERITY_WARNING, tell);
}

void check_S13(struct lint *l)
{
    const struct node *held = clause(l, "security.breach.register");
    if (held && !(has(held, "facts") && has(held, "effects") && has(held, "remedy")))
        fire(l, SEVERITY_ERROR, held);
}

/* ---- Measures, risk, sessions. ---- */

static bool has_measure(struct lint *l, const struct node *measures)
{
    static const char *const concrete[] = { "security.encryption", "security.transport", "security.staff" };
    for (size_t i = 0; i < sizeof concrete / sizeof *concrete; i++)
        if (is_given(clause(l, concrete[i])))
            return true;
    if (measures && measures->kind == NODE_SCALAR)
        return !says(l, WORDING_GENERIC_SECURITY, measures->value);
    NODE_EACH(measure, measures)
        if (!node_says(l, WORDING_GENERIC_SECURITY, measure))
            return true;
    return false;
}

void check_S14(struct lint *l)
{
    const struct node *measures = clause(l, "security.measures");
    bool generic = is_given(measures) || has(clause(l, "claims"), "industry_standard") ||
                   !is_given(clause(l, "security"));
    if (generic && !has_measure(l, measures))
        fire_at(l, SEVERITY_ADVICE, NULL, "security.measures");
}

void check_S15(struct lint *l)
{
    const struct node *claim = lint_item(clause(l, "claims"), "risk_on_user");
    if (claim)
        fire(l, SEVERITY_WARNING, claim);
}

void check_S16(struct lint *l)
{
    const struct node *session = clause(l, "security.session");
    if (session)
        need_given(l, SEVERITY_ADVICE, session, "idle");
}

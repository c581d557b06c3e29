/* Rules T: how long data is kept, what is held beyond, archives and backups. */
#include "policy/lint/lint_help.h"

/* ---- A period for everything. ---- */

static bool tells_period(const struct node *retention)
{
    return is_given(lint_key(retention, "active")) || is_given(lint_key(retention, "criteria"));
}

void check_T01(struct lint *l)
{
    const struct node *general = clause(l, "retention_general"), *periods = clause(l, "retention");
    bool covered = tells_period(general);
    EACH(category, l, "categories")
    {
        const struct node *own = node_get(periods, category->key);
        if (!covered && !tells_period(own) && !is_given(lint_key(category, "transient")))
            fire(l, SEVERITY_ERROR, own ? own : category);
    }
    if (!covered && !is_given(clause(l, "categories")) && !is_given(periods))
        fire_at(l, SEVERITY_ERROR, NULL, "retention");
}

/* A text that says nothing, in a clause that has no number either. */
static void empty_wording(struct lint *l, const struct node *clause)
{
    const struct node *wording = lint_key(clause, "says");
    bool stated = is_given(lint_key(clause, "active")) || is_given(lint_key(clause, "period"));
    if (!stated && node_says(l, WORDING_EMPTY_TERM, wording) && !node_says(l, WORDING_NUMBERED_TERM, wording))
        fire(l, SEVERITY_ERROR, wording);
}

void check_T02(struct lint *l)
{
    empty_wording(l, clause(l, "retention_general"));
    EACH(retention, l, "retention")
    empty_wording(l, retention);
    EACH(hold, l, "holds")
    empty_wording(l, hold);
}

/* ---- Holds. ---- */

void check_T03(struct lint *l)
{
    EACH(hold, l, "holds")
    {
        need_given(l, SEVERITY_ERROR, hold, "ground");
        need_given(l, SEVERITY_ERROR, hold, "categories");
        need_given(l, SEVERITY_ERROR, hold, "period");
    }
    EACH(retention, l, "retention")
    if (is_given(lint_key(retention, "archive")))
        need_given(l, SEVERITY_ERROR, retention, "ground");
    if (has(clause(l, "rights.offered"), "erasure") && !declares_hold(l))
        fire_at(l, SEVERITY_WARNING, NULL, "holds");
}

/* ---- Caps of the CNIL, floors of statutes. ---- */

enum { NONE = 0 };
static const struct {
    text names, terms, grounds;
    int cap, floor;
    text source, verified;
} periods[] = {
#define PERIOD(names, terms, grounds, cap, floor, source, verified)                                                    \
    { TEXT_INIT(names), TEXT_INIT(terms), TEXT_INIT(grounds), cap, floor, TEXT_INIT(source), TEXT_INIT(verified) },
#include "policy/retentions.def"
#undef PERIOD
};
enum { PERIODS = sizeof periods / sizeof *periods };

static bool cites(const struct node *ground, text statutes)
{
    if (ground && ground->kind == NODE_SCALAR)
        for (text rest = statutes; rest.n;)
            if (text_find(ground->value, text_cut(&rest, '|')) >= 0)
                return true;
    NODE_EACH(one, ground)
        if (cites(one, statutes))
            return true;
    return false;
}

/* Used, and for nothing but direct marketing. */
static bool is_for_marketing(const struct lint *l, const struct node *retention)
{
    bool any = false;
    EACH(purpose, l, "purposes")
    if (node_has(lint_key(purpose, "categories"), retention->key)) {
        any = true;
        if (!is_direct_marketing(purpose))
            return false;
    }
    return any;
}

static bool is_of(const struct lint *l, const struct node *retention, unsigned row)
{
    text term = lint_value(lint_key(node_get(clause(l, "categories"), retention->key), "dpv"));
    if (one_of(retention->key, periods[row].names) || (term.n && one_of(term, periods[row].terms)))
        return true;
    return row == 0 ? is_for_marketing(l, retention) : cites(lint_key(retention, "ground"), periods[row].grounds);
}

/* The path, and the source of the cap or floor with its mark. */
static void fire_period(struct lint *l, const struct node *retention, unsigned row, bool cap)
{
    int months = cap ? periods[row].cap : periods[row].floor;
    fire_named(l, SEVERITY_WARNING, retention,
               arena_print(l->arena, "%.*s (%s %dmo: %.*s %.*s)", T(retention->path), cap ? "≤" : "≥", months,
                           T(periods[row].source), T(periods[row].verified)));
}

void check_T04(struct lint *l)
{
    EACH(retention, l, "retention")
    for (unsigned i = 0; i < PERIODS; i++)
        if (periods[i].cap && is_of(l, retention, i) && !is_given(lint_key(retention, "justification")) &&
            is_longer(lint_key(retention, "active"), periods[i].cap, TERM_MONTHS))
            fire_period(l, retention, i, true);
}

void check_T05(struct lint *l)
{
    EACH(retention, l, "retention")
    {
        struct term active, archive = { 0 };
        if (!term_of(lint_key(retention, "active"), &active))
            continue;
        term_of(lint_key(retention, "archive"), &archive);
        for (unsigned i = 0; i < PERIODS; i++)
            if (periods[i].floor && is_of(l, retention, i) &&
                shorter(term_sum(active, archive), periods[i].floor, TERM_MONTHS))
                fire_period(l, retention, i, false);
    }
}

/* ---- Archives, starts, hosts, backups. ---- */

void check_T06(struct lint *l)
{
    bool archives = false;
    EACH(retention, l, "retention")
    archives = archives || is_given(lint_key(retention, "archive"));
    if (!archives)
        return;
    if (!is_yes(clause(l, "archive.separate")))
        fire_at(l, SEVERITY_WARNING, NULL, "archive.separate");
    need_given(l, SEVERITY_WARNING, NULL, "archive.readers");
    if (!is_yes(clause(l, "archive.logged")))
        fire_at(l, SEVERITY_WARNING, NULL, "archive.logged");
}

static void need_start(struct lint *l, const struct node *retention)
{
    struct term t;
    if (term_of(lint_key(retention, "active"), &t) && t.unit != TERM_ALWAYS)
        need_given(l, SEVERITY_WARNING, retention, "from");
}

void check_T07(struct lint *l)
{
    need_start(l, clause(l, "retention_general"));
    EACH(retention, l, "retention")
    need_start(l, retention);
}

void check_T08(struct lint *l)
{
    if (is_word(clause(l, "hosting.user_content"), "public"))
        need_set(l, SEVERITY_ADVICE, NULL, "hosting.user_content_duty");
}

void check_T09(struct lint *l) { need_given(l, SEVERITY_ADVICE, NULL, "backup.purge"); }

/* ---- Terms that cannot be lived: what they count from never comes, or what they need ends first. ---- */

static bool outlasts(struct term a, struct term b)
{
    return a.unit == TERM_ALWAYS ? b.unit != TERM_ALWAYS : b.unit != TERM_ALWAYS && longer(a, b.count, b.unit);
}

/* Some purpose uses the category on that basis; *any: some purpose uses it at all. */
static bool rests_on(const struct lint *l, text category, const char *basis, bool *any)
{
    bool found = false;
    *any = false;
    EACH(purpose, l, "purposes")
    if (node_has(lint_key(purpose, "categories"), category)) {
        *any = true;
        found |= has_basis(purpose, basis);
    }
    return found;
}

/* A withdrawal ends a consent, and a contract's end a contract: where the category rests on none, the term never
 * begins. */
static void check_begins(struct lint *l, const struct node *retention)
{
    static const struct {
        const char *from, *basis;
    } starts[] = { { "withdrawal", "consent" }, { "contract_end", "contract" } };
    const struct node *from = lint_key(retention, "from");
    bool any;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (is_word(from, starts[i].from) && !rests_on(l, retention->key, starts[i].basis, &any) && any)
            fire_figure(l, SEVERITY_WARNING, from, "from: %s; basis: %s: 0", starts[i].from, starts[i].basis);
}

/* Purchases and the like under a contract, whose active use needs the person's account; what is `held` outlives it
 * under keys of its own. */
static bool needs_account(const struct lint *l, const struct node *retention)
{
    static const text names = TEXT_INIT(
        "orders order purchases purchase sales subscriptions subscription deliveries warranties bookings");
    static const text terms = TEXT_INIT("pd:Transactional pd:Transaction pd:Purchase pd:PurchasesAndSpendingHabit");
    const struct node *category = node_get(clause(l, "categories"), retention->key);
    text term = lint_value(lint_key(category, "dpv"));
    bool any, deed = one_of(retention->key, names) || (term.n && one_of(term, terms));
    return category && deed && !is_yes(lint_key(category, "held")) && rests_on(l, retention->key, "contract", &any);
}

static void check_account(struct lint *l, const struct node *retention, const struct node *accounts,
                          struct term account)
{
    static const char *const links[] = { "accounts.invitation", "security.password.reset.link" };
    struct term t;
    bool own = text_eq(retention->key, TEXT("former")) || needs_account(l, retention);
    if (own && term_of(lint_key(retention, "active"), &t) && outlasts(t, account))
        fire_figure(l, SEVERITY_WARNING, retention, "%.*s > %.*s: %.*s", T(lint_value(lint_key(retention, "active"))),
                    T(accounts->path), T(lint_value(lint_key(accounts, "active"))));
    if (retention != accounts)
        return;
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (term_of(clause(l, links[i]), &t) && outlasts(t, account))
            fire_figure(l, SEVERITY_WARNING, clause(l, links[i]), "%.*s > %.*s: %.*s",
                        T(lint_value(clause(l, links[i]))), T(accounts->path),
                        T(lint_value(lint_key(accounts, "active"))));
}

/* What a form collects and its category ends before is not there for the form's own term. */
static void check_form(struct lint *l, const struct node *form)
{
    const struct node *own = lint_key(lint_key(form, "retention"), "active");
    bool later = is_word(lint_key(lint_key(form, "retention"), "from"), "until");
    struct term kept, t;
    if (!term_of(own, &kept))
        return;
    NODE_EACH(field, lint_key(form, "fields")) {
        text rest = field->value;
        const struct node *of = node_get(clause(l, "retention"), text_cut(&rest, '.'));
        bool known = is_word(lint_key(of, "from"), "collection") || is_word(lint_key(of, "from"), "event");
        bool ends = known && term_of(lint_key(of, "active"), &t) && !is_given(lint_key(of, "archive"));
        if (ends && (outlasts(kept, t) || (later && !outlasts(t, kept))))
            fire_figure(l, SEVERITY_WARNING, own, "%.*s > %.*s: %.*s", T(lint_value(own)), T(of->path),
                        T(lint_value(lint_key(of, "active"))));
    }
}

void check_T10(struct lint *l)
{
    const struct node *accounts = clause(l, "retention.accounts"), *proofs = clause(l, "retention.proofs.active");
    struct term account, proof, request;
    bool bounded = term_of(lint_key(accounts, "active"), &account);
    EACH(retention, l, "retention")
    {
        check_begins(l, retention);
        if (bounded)
            check_account(l, retention, accounts, account);
        /* With nothing before it an archive is no archive: nobody ever has it in use. */
        if (is_given(lint_key(retention, "archive")) && !is_given(lint_key(retention, "active")))
            fire(l, SEVERITY_WARNING, retention);
    }
    EACH(form, l, "collection")
    check_form(l, form);
    if (term_of(proofs, &proof) && term_of(clause(l, "retention.requests.active"), &request) &&
        outlasts(proof, request))
        fire_figure(l, SEVERITY_WARNING, proofs, "%.*s > retention.requests: %.*s", T(lint_value(proofs)),
                    T(lint_value(clause(l, "retention.requests.active"))));
}

/* What is stored and gone within the hour is nearly always a slip of `min` for `mo`, and cannot be undone; what is
 * meant to last minutes is `transient`, in memory only. */
void check_T11(struct lint *l)
{
    EACH(retention, l, "retention")
    {
        const struct node *category = node_get(clause(l, "categories"), retention->key),
                          *active = lint_key(retention, "active");
        struct term t;
        if (category && !is_set(lint_key(category, "transient")) && term_of(active, &t) && t.unit == TERM_MINUTES)
            fire_figure(l, SEVERITY_ERROR, active, "%.*s ≠ %dmo", T(lint_value(active)), t.count);
    }
}

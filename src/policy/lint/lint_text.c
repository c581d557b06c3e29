/* Rules D: the document itself: version, changes, placeholders, references, contradictions, layout. */
#include "policy/lint/lint_help.h"

/* ---- Version, review, changes. ---- */

void check_D01(struct lint *l)
{
    need_given(l, SEVERITY_WARNING, NULL, "policy.version");
    need_given(l, SEVERITY_WARNING, NULL, "policy.date");
}

void check_D02(struct lint *l)
{
    const struct node *acceptance = clause(l, "changes.acceptance");
    if (is_word(acceptance, "use"))
        fire(l, SEVERITY_ERROR, acceptance);
}

void check_D03(struct lint *l)
{
    const struct node *changes = clause(l, "changes");
    if (changes)
        need_given(l, SEVERITY_WARNING, changes, "tell");
}

void check_D07(struct lint *l)
{
    struct date day;
    const struct node *date = clause(l, "policy.date");
    if (!date || !date_parse(lint_value(date), &day) || !date_valid(day))
        return;
    if (term_end(date_start(day), (struct term){ 24, TERM_MONTHS }, 1) < date_start(l->as_of))
        fire(l, SEVERITY_ADVICE, date);
}

bool lint_too_soon(const struct node *root, struct date today, struct date *earliest)
{
    struct date day;
    struct term before;
    const struct node *date = node_at(root, TEXT("policy.date"));
    if (!date_parse(lint_value(date), &day) || !date_valid(day) ||
        !term_of(node_at(root, TEXT("changes.before")), &before))
        return false;
    msec end = term_end(date_start(today), before, 1);
    if (before.unit == TERM_ALWAYS)
        return false;
    *earliest = date_of(end);
    return date_start(day) < date_start(*earliest);
}

/* What lies ahead is announced; what is new beside the version before applies at once, or on the day that it says. */
void check_D09(struct lint *l)
{
    struct date day, earliest;
    const struct node *date = clause(l, "policy.date"), *before = l->out->before;
    if (!date_parse(lint_value(date), &day) || !lint_too_soon(l->root, l->as_of, &earliest))
        return;
    bool ahead = date_start(day) > date_start(l->as_of);
    bool newer = before && !text_eq(lint_value(node_at(before, TEXT("policy.date"))), lint_value(date));
    if (ahead || newer)
        fire_figure(l, SEVERITY_WARNING, date, "%.*s < %04d-%02d-%02d (changes.before: %.*s)", T(lint_value(date)),
                    earliest.year, earliest.month, earliest.day, T(lint_value(clause(l, "changes.before"))));
}

/* ---- Placeholders: [what was to be filled in], {{fields}}, template words; not [links](…) as in Markdown. ---- */

static bool has_brackets(text s)
{
    for (ptrdiff_t open; (open = text_index(s, '[')) >= 0;) {
        s = text_from(s, (size_t)open + 1);
        ptrdiff_t close = text_index(s, ']');
        if (close < 0)
            return false;
        text behind = text_from(s, (size_t)close + 1);
        if (close >= 3 && !text_starts(behind, TEXT("(")))
            return true;
    }
    return false;
}

static void find_placeholders(struct lint *l, const struct node *n)
{
    NODE_EACH(child, n)
        find_placeholders(l, child);
    if (n->kind != NODE_SCALAR)
        return;
    if (has_brackets(n->value) || says(l, WORDING_TEMPLATE, n->value))
        fire_apart(l, SEVERITY_ERROR, n);
    else if (says(l, WORDING_DEBRIS, n->value) || (n->parent && n->parent == clause(l, "published.debris")))
        fire_apart(l, SEVERITY_ADVICE, n);
}

void check_D04(struct lint *l) { find_placeholders(l, l->root); }

void check_D05(struct lint *l)
{
    const struct node *dangling = clause(l, "published.dangling");
    if (is_given(dangling))
        fire(l, SEVERITY_ERROR, dangling);
}

/* ---- Contradictions. ---- */

static bool clashes(const struct node *x, const struct node *y)
{
    text about = lint_value(lint_key(x, "about"));
    if (!about.n || !text_eq(about, lint_value(lint_key(y, "about"))))
        return false;
    const struct node *a = lint_key(x, "affirms"), *b = lint_key(y, "affirms");
    return (is_yes(a) && is_none(b)) || (is_none(a) && is_yes(b));
}

void each_clash(struct lint *l, void (*visit)(struct lint *l, const struct node *x, const struct node *y))
{
    EACH(x, l, "statements")
    for (const struct node *y = x->next; y; y = y->next)
        if (clashes(x, y))
            visit(l, x, y);
}

/* Of cookies: rule K02. One that a "however" leads in, or that stands in a heading only, is less than a flat denial. */
static void contradiction(struct lint *l, const struct node *x, const struct node *y)
{
    bool qualified = is_yes(lint_key(x, "qualified")) || is_yes(lint_key(y, "qualified"));
    if (text_starts(lint_value(lint_key(x, "about")), TEXT("cookies")))
        return;
    fire(l, qualified ? SEVERITY_WARNING : SEVERITY_ERROR, x);
    fire(l, qualified ? SEVERITY_WARNING : SEVERITY_ERROR, y);
}

void check_D06(struct lint *l)
{
    const struct node *announced = clause(l, "published.rights_announced"), *offered = clause(l, "rights.offered");
    each_clash(l, contradiction);
    NODE_EACH(right, announced)
        if (!node_has(offered, right->value))
            fire_named(l, SEVERITY_WARNING, announced,
                       arena_print(l->arena, "published.rights_announced: %.*s", T(right->value)));
}

void check_D08(struct lint *l)
{
    const struct node *broken = clause(l, "published.broken"), *numbering = clause(l, "published.numbering");
    if (is_given(broken))
        fire(l, SEVERITY_ADVICE, broken);
    if (is_word(numbering, "lost"))
        fire(l, SEVERITY_ADVICE, numbering);
}

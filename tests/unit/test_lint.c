/* Unit tests of the linter: its table against the law's, the published policies against what was found by hand, each rule once
 * firing and once not, acceptance, dates, and the forms of its answer. */
#include "policy/lint.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct date today = { 2026, 11, 22 };

/* ---- Files of the source tree. ---- */

static text slurp(struct arena *a, const char *name)
{
    const char *root = getenv("GARANT_SOURCE");
    text path = arena_print(a, "%s/%s", root ? root : ".", name);
    BUF_AUTO b = buf_make(1 << 20);
    FILE *f = fopen(path.p, "rb");
    if (!f)
        fail_msg("cannot open %s", path.p);
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;)
        buf_add(&b, (text){ block, n });
    fclose(f);
    return arena_copy(a, buf_text(&b));
}

/* The n-th field of a line of a TSV file. */
static text field(text line, int n)
{
    while (n--)
        text_cut(&line, '\t');
    return text_cut(&line, '\t');
}

/* ---- Running it. ---- */

static struct lint_findings lint_on(struct arena *a, text yaml, struct date as_of)
{
    struct findings faults = { 0 };
    const struct node *root;
    struct lint_findings found = { .file = TEXT("f.yaml") };
    assert_int_equal(node_read(a, yaml, &faults, &root), OK);
    assert_int_equal(lint_run(a, root, yaml, as_of, &found), OK);
    return found;
}

static struct lint_findings lint_file(struct arena *a, const char *name) { return lint_on(a, slurp(a, name), today); }

static text letter(enum severity s) { return s == SEVERITY_ERROR ? TEXT("E") : s == SEVERITY_WARNING ? TEXT("W") : TEXT("A"); }

/* ---- The table of rules says what the law's table says. ---- */

static void table(void **state)
{
    ARENA_AUTO a = arena_make(1 << 22);
    unsigned count, i = 0;
    const struct lint_rule *rules = lint_rules(&count);
    text rest = slurp(&a, "tests/gold/rules.tsv");
    text_cut(&rest, '\n');
    for (text line; (line = text_cut(&rest, '\n')).n; i++) {
        assert_true(i < count);
        const text ours[] = { rules[i].id, rules[i].source, rules[i].verified, { NULL, 0 }, rules[i].severities, rules[i].en, rules[i].fr };
        for (int column = 0; column < 7; column++)
            if (ours[column].p && !text_eq(ours[column], field(line, column)))
                fail_msg("%.*s, column %d: %.*s is not %.*s", T(rules[i].id), column, T(ours[column]), T(field(line, column)));
        assert_true(rules[i].cure_en.n && rules[i].cure_fr.n && lint_rule(rules[i].id) == &rules[i]);
    }
    assert_int_equal(i, count);
    assert_int_equal(count, 112);
    assert_null(lint_rule(TEXT("N99")));
}

/* ---- Published policies: what was found by hand, no more and no less. ---- */

static unsigned count_found(const struct lint_findings *f, text rule, text severity)
{
    unsigned n = 0;
    for (const struct lint_finding *i = f->first; i; i = i->next)
        n += text_eq(i->rule->id, rule) && text_eq(letter(i->severity), severity);
    return n;
}

static unsigned count_gold(text gold, text seed, text rule, text severity)
{
    unsigned n = 0;
    for (text line; (line = text_cut(&gold, '\n')).n;)
        n += text_eq(field(line, 0), seed) && text_eq(field(line, 1), rule) && text_eq(field(line, 3), severity);
    return n;
}

static void expect_gold(text seed, const char *file)
{
    ARENA_AUTO a = arena_make(1 << 24);
    text gold = slurp(&a, "tests/gold/gold.tsv"), rest = gold;
    struct lint_findings f = lint_file(&a, file);
    text_cut(&rest, '\n');
    for (text line; (line = text_cut(&rest, '\n')).n;) {
        text rule = field(line, 1), severity = field(line, 3);
        if (text_eq(field(line, 0), seed) && count_found(&f, rule, severity) != count_gold(gold, seed, rule, severity))
            fail_msg("%s: %.*s %.*s is found %u times", file, T(rule), T(severity), count_found(&f, rule, severity));
    }
    for (const struct lint_finding *i = f.first; i; i = i->next)
        if (!count_gold(gold, seed, i->rule->id, letter(i->severity)))
            fail_msg("%s:%u: %.*s %.*s should not be found", file, i->at.line, T(i->rule->id), T(letter(i->severity)));
}

static void gold(void **state)
{
    expect_gold(TEXT("S0"), "policies/published/mxplorerplace.yaml");
    expect_gold(TEXT("S1"), "policies/published/myportal.yaml");
    expect_gold(TEXT("S2"), "policies/published/site-fr.yaml");
}

/* A published policy is well formed to be read, though it could not be run. */
static void published(void **state)
{
    static const char *const names[] = { "mxplorerplace", "myportal", "site-fr", "myownconference", "deskmanager" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ARENA_AUTO a = arena_make(1 << 24);
        text yaml = slurp(&a, arena_print(&a, "policies/published/%s.yaml", names[i]).p);
        struct findings faults = { 0 };
        const struct node *root;
        assert_int_equal(node_read(&a, yaml, &faults, &root), OK);
        if (policy_check(&a, root, TO_READ, &faults) != OK)
            fail_msg("%s:%u: %.*s", names[i], faults.first->at.line, T(faults.first->message));
        assert_int_not_equal(policy_check(&a, root, TO_RUN, &faults), OK);
    }
}

/* ---- Each rule, firing and not. ---- */

struct rule_case { text rule, severity, fires, rests; };
static const struct rule_case cases[] = {
#define CASE(rule, severity, fires, rests) { TEXT_INIT(#rule), TEXT_INIT(#severity), TEXT_INIT(fires), TEXT_INIT(rests) },
#include "lint_cases.def"
#undef CASE
};
enum { CASES = sizeof cases / sizeof *cases };

static unsigned count_rule(const struct lint_findings *f, text rule)
{
    return count_found(f, rule, TEXT("E")) + count_found(f, rule, TEXT("W")) + count_found(f, rule, TEXT("A"));
}

static bool case_holds(const struct rule_case *c)
{
    ARENA_AUTO a = arena_make(1 << 24);
    struct lint_findings fires = lint_on(&a, c->fires, today), rests = lint_on(&a, c->rests, today);
    bool once = count_found(&fires, c->rule, c->severity) == 1 && count_rule(&fires, c->rule) == 1;
    if (!once)
        print_error("%.*s %.*s does not fire once on: %.*s\n", T(c->rule), T(c->severity), T(c->fires));
    if (count_found(&rests, c->rule, c->severity))
        print_error("%.*s %.*s fires on: %.*s\n", T(c->rule), T(c->severity), T(c->rests));
    return once && !count_found(&rests, c->rule, c->severity);
}

static void each_rule(void **state)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < CASES; i++)
        wrong += !case_holds(&cases[i]);
    assert_int_equal(wrong, 0);
}

/* No rule without a case, at each severity that the law's table gives it. */
static void every_severity(void **state)
{
    unsigned count;
    const struct lint_rule *rules = lint_rules(&count);
    for (unsigned r = 0; r < count; r++)
        for (text rest = rules[r].severities; rest.p;) {
            text severity = text_cut(&rest, '/');
            bool covered = text_eq(rules[r].id, TEXT("P07")) && text_eq(severity, TEXT("W"));    /* see dates() */
            for (unsigned i = 0; i < CASES; i++)
                covered = covered || (text_eq(cases[i].rule, rules[r].id) && text_eq(cases[i].severity, severity));
            if (!covered)
                fail_msg("%.*s has no case at %.*s", T(rules[r].id), T(severity));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table),     cmocka_unit_test(gold), cmocka_unit_test(published),
                                        cmocka_unit_test(each_rule), cmocka_unit_test(every_severity) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

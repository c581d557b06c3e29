/* Unit tests of the linter: its table against the law's, the published policies against what was found by hand, each
 * rule once firing and once not, acceptance, dates, and the forms of its answer. */
#include "policy/lint/lint.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "built.h"

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
    return arena_copy(a, built(&b));
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

static text letter(enum severity s)
{
    return s == SEVERITY_ERROR ? TEXT("E")
         : s == SEVERITY_WARNING ? TEXT("W") : TEXT("A");
}

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
        const text ours[] = { rules[i].id,         rules[i].source, rules[i].verified, { NULL, 0 },
                              rules[i].severities, rules[i].en,     rules[i].fr };
        for (int column = 0; column < 7; column++)
            if (ours[column].p && !text_eq(ours[column], field(line, column)))
                fail_msg("%.*s, column %d: %.*s is not %.*s", T(rules[i].id), column, T(ours[column]),
                         T(field(line, column)));
        assert_true(rules[i].cure_en.n && rules[i].cure_fr.n && lint_rule(rules[i].id) == &rules[i]);
    }
    assert_int_equal(i, count);
    assert_int_equal(count, 115);
    assert_null(lint_rule(TEXT("N99")));
}

/* ---- Published policies: what reading them by hand found (gold.tsv; the other two: read.tsv), no more and no less.
 * ---- */

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

static void expect_gold(text seed, const char *table, const char *file)
{
    ARENA_AUTO a = arena_make(1 << 24);
    text gold = slurp(&a, table), rest = gold;
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
    expect_gold(TEXT("S0"), "tests/gold/gold.tsv", "policies/published/mxplorerplace.yaml");
    expect_gold(TEXT("S1"), "tests/gold/gold.tsv", "policies/published/myportal.yaml");
    expect_gold(TEXT("S2"), "tests/gold/gold.tsv", "policies/published/site-fr.yaml");
    expect_gold(TEXT("S3"), "tests/gold/read.tsv", "policies/published/myownconference.yaml");
    expect_gold(TEXT("S4"), "tests/gold/read.tsv", "policies/published/deskmanager.yaml");
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

struct rule_case {
    text rule, severity, fires, rests;
};
static const struct rule_case cases[] = {
#define CASE(rule, severity, fires, rests)                                                                             \
    { TEXT_INIT(#rule), TEXT_INIT(#severity), TEXT_INIT(fires), TEXT_INIT(rests) },
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
            bool covered = text_eq(rules[r].id, TEXT("P07")) && text_eq(severity, TEXT("W")); /* see dates() */
            for (unsigned i = 0; i < CASES; i++)
                covered = covered || (text_eq(cases[i].rule, rules[r].id) && text_eq(cases[i].severity, severity));
            if (!covered)
                fail_msg("%.*s has no case at %.*s", T(rules[r].id), T(severity));
        }
}

/* ---- Dates: each rule holds from its day on, and tables of facts run out. ---- */

static unsigned found_on(text yaml, text rule, text severity, struct date day)
{
    ARENA_AUTO a = arena_make(1 << 24);
    struct lint_findings f = lint_on(&a, yaml, day);
    return count_found(&f, rule, severity);
}

static void dates(void **state)
{
    text phone = TEXT("purposes: {p: {marketing: true, channels: [phone], basis: legitimate_interest}}\n");
    assert_int_equal(found_on(phone, TEXT("M04"), TEXT("E"), (struct date){ 2026, 8, 10 }), 0);
    assert_int_equal(found_on(phone, TEXT("M04"), TEXT("E"), (struct date){ 2026, 8, 11 }), 1);
    text pixel = TEXT("purposes: {p: {basis: contract, pixel: true}}\n");
    assert_int_equal(found_on(pixel, TEXT("M05"), TEXT("E"), (struct date){ 2026, 7, 13 }), 0);
    assert_int_equal(found_on(pixel, TEXT("M05"), TEXT("E"), (struct date){ 2026, 7, 14 }), 1);
    text brazil = TEXT("recipients: {x: {country: BR}}\n"),
         framework = TEXT("recipients: {x: {country: US, safeguard: dpf}}\n");
    assert_int_equal(found_on(brazil, TEXT("P04"), TEXT("E"), (struct date){ 2025, 12, 31 }), 1);
    assert_int_equal(found_on(brazil, TEXT("P04"), TEXT("E"), today), 0);
    assert_int_equal(found_on(framework, TEXT("P07"), TEXT("W"), today), 0);
    assert_int_equal(found_on(framework, TEXT("P07"), TEXT("W"), (struct date){ 2027, 7, 10 }), 1);
    assert_int_equal(found_on(framework, TEXT("P07"), TEXT("E"), (struct date){ 2023, 7, 9 }), 0);
    assert_int_equal(found_on(TEXT("garant: 1\n"), TEXT("N01"), TEXT("E"), (struct date){ 2018, 5, 24 }), 0);
    assert_int_equal(found_on(TEXT("garant: 1\n"), TEXT("N01"), TEXT("E"), (struct date){ 2018, 5, 25 }), 1);
}

/* ---- Acceptance. ---- */

static void acceptance(void **state)
{
    ARENA_AUTO a = arena_make(1 << 24);
    struct lint_findings without = lint_on(&a, TEXT("rights: {answer_within: 60d}\n"), today);
    text yaml = TEXT("rights: {answer_within: 60d}\naccept: {R02: told to the authority, R07: never fires, N01: ''}\n");
    struct lint_findings with = lint_on(&a, yaml, today);
    assert_int_equal(with.errors, without.errors - 1);
    assert_int_equal(with.accepted, 1);
    assert_int_equal(with.count, without.count);
    for (const struct lint_finding *f = with.first; f; f = f->next)
        assert_int_equal(f->accepted, text_eq(f->rule->id, TEXT("R02")));
    struct lint_findings advice = { .advice = 3 }, warned = { .warnings = 1, .advice = 3 };
    assert_int_equal(lint_status(&with), 2);
    assert_int_equal(lint_status(&warned), 1);
    assert_int_equal(lint_status(&advice), 0);
}

/* What is found stands beside what the law asks. */
static void figures(void **state)
{
    static const struct {
        const char *yaml, *rule, *says;
    } rows[] = {
        { "rights: {answer_within: 60d}\n", "R02", "rights.answer_within: 60d > 1mo" },
        { "security: {password: {min_length: 8, classes: [upper, lower, digit, special]}}\n", "S01",
          "security.password.min_length: 53.0 bits < 80 bits" },
        { "security: {password: {min_length: 8, classes: [lower], attempts: 5}}\n", "S01",
          "security.password.min_length: 37.6 bits < 50 bits" },
        { "security: {password: {min_length: 3, classes: [digit], profile: cnil-device}}\n", "S01",
          "security.password.min_length: 10.0 bits < 13 bits" },
        { "security: {password: {words: 4}}\n", "S01", "security.password.words: 4 < 7" },
        { "trackers: {kinds: [cookie, flash]}\n", "K10", "trackers.kinds: flash †2020-12-31" },
        { "trackers: {kinds: [fingerprint]}\n", "K10", "trackers.kinds" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ARENA_AUTO a = arena_make(1 << 22);
        struct lint_findings found = lint_on(&a, text_of(rows[i].yaml), today);
        const struct lint_finding *f = found.first;
        while (f && !text_eq(f->rule->id, text_of(rows[i].rule)))
            f = f->next;
        assert_non_null(f);
        if (!text_eq(f->detail, text_of(rows[i].says)))
            fail_msg("%s says \"%.*s\"", rows[i].rule, T(f->detail));
    }
}

/* B15: against the version in force before, a purpose that is new to it needs prior notice; without it, only what
 * `since` says. */
static void new_purposes(void **state)
{
    static const struct {
        const char *before, *after;
        bool fires;
    } rows[] = {
        { "purposes: {a: {title: A}}\n", "purposes: {a: {title: A}}\n", false },
        { "purposes: {a: {title: A}}\n", "purposes: {a: {title: A}, b: {title: B}}\n", true },
        { "garant: 1\n", "purposes: {b: {title: B}}\n", true },
        { NULL, "purposes: {a: {title: A}, b: {title: B}}\n", false },
        { "purposes: {a: {title: A}}\n", "purposes: {b: {title: B}}\nchanges: {before: 1mo}\n", false },
        { "purposes: {a: {title: A}}\n", "purposes: {b: {title: B}}\nchanges: {before: 0d}\n", true },
        { "purposes: {a: {title: A}, b: {title: B}}\n", "purposes: {a: {title: A}}\n", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ARENA_AUTO a = arena_make(1 << 22);
        struct findings faults = { 0 };
        const struct node *before = NULL, *after;
        if (rows[i].before)
            assert_int_equal(node_read(&a, text_of(rows[i].before), &faults, &before), OK);
        assert_int_equal(node_read(&a, text_of(rows[i].after), &faults, &after), OK);
        struct lint_findings found = { .file = TEXT("f.yaml"), .before = before };
        assert_int_equal(lint_run(&a, after, text_of(rows[i].after), today, &found), OK);
        bool fired = false;
        for (const struct lint_finding *f = found.first; f; f = f->next)
            fired = fired || text_eq(f->rule->id, TEXT("B15"));
        if (fired != rows[i].fires)
            fail_msg("B15 %s: %s", fired ? "fires" : "does not fire", rows[i].after);
    }
}

/* A server runs what is lawful, or what is accepted with a reason. */
static void gate(void **state)
{
    ARENA_AUTO a = arena_make(1 << 26);
    text yaml = slurp(&a, "policies/site-fr.yaml");
    struct findings faults = { 0 };
    POLICY_AUTO lawful = NULL;
    assert_int_equal(policy_load(&a, yaml, TEXT("site.yaml"), &faults, &lawful), OK);
    assert_int_equal(lint_gate(&a, lawful, NULL, today, NULL), OK);
    ptrdiff_t at = text_find(yaml, TEXT("answer_within: 1mo"));
    assert_true(at > 0);
    text head = text_upto(yaml, (size_t)at), tail = text_from(yaml, (size_t)at + 18);
    text late = arena_print(&a, "%.*sanswer_within: 3mo%.*s", T(head), T(tail));
    text accepted = arena_print(&a, "%.*s\naccept: {R02: \"told to the authority\"}\n", T(late));
    struct lint_findings found;
    POLICY_AUTO refused = NULL;
    POLICY_AUTO allowed = NULL;
    assert_int_equal(policy_load(&a, late, TEXT("site.yaml"), &faults, &refused), OK);
    assert_int_equal(lint_gate(&a, refused, NULL, today, &found), ERR_POLICY);
    assert_true(
        text_starts(text_of(a.why.detail), TEXT("site.yaml breaks rules of law that it does not accept: R02 (line ")));
    assert_int_equal(policy_load(&a, accepted, TEXT("site.yaml"), &faults, &allowed), OK);
    assert_int_equal(found.errors, 1);
    assert_int_equal(lint_gate(&a, allowed, NULL, today, &found), OK);
    assert_int_equal(found.errors, 0);
    assert_int_equal(found.accepted, 1);
}

/* ---- The forms of the answer. ---- */

static const struct lint_finding *only(struct lint_findings *f, text rule)
{
    struct lint_finding *kept = (struct lint_finding *)f->first;
    while (kept && !text_eq(kept->rule->id, rule))
        kept = kept->next;
    assert_non_null(kept);
    kept->next = NULL;
    f->first = kept;
    return kept;
}

static void forms(void **state)
{
    ARENA_AUTO a = arena_make(1 << 24);
    BUF_AUTO out = buf_make(1 << 20);
    text yaml = TEXT("garant: 1\npurposes:\n  a: {title: A}\n  b: {title: B}\nrights: {answer_within: 1mo}\n");
    struct lint_findings f = lint_on(&a, yaml, today);
    const struct lint_finding *found = only(&f, TEXT("B01"));
    assert_true(found->at.line == 3 && found->at.column == 3);
    lint_print(&out, &f, LINT_EN);
    const char *expected = "f.yaml:3:3: error B01: Purpose without legal basis\n"
                           "     3 |   a: {title: A}\n"
                           "       |   ^\n"
                           "       : purposes.a.basis, purposes.b.basis\n"
                           "       = also at 4:3\n"
                           "       = law: GDPR 13(1)(c), 6(1) ✔\n"
                           "       = to satisfy it: Give each purpose its basis: ";
    assert_true(text_starts(built(&out), text_of(expected)));
    buf_clear(&out);
    lint_print(&out, &f, LINT_FR);
    assert_true(text_starts(built(&out), TEXT("f.yaml:3:3: erreur B01: Finalité sans base légale\n")));
    assert_true(text_find(built(&out), TEXT("= source : RGPD 13(1)(c), 6(1) ✔\n")) > 0);
    buf_clear(&out);
    struct json_out w = json_out(&out);
    lint_json(&w, &f, LINT_EN);
    assert_true(
        text_eq(built(&out),
                TEXT("{\"rule\":\"B01\",\"severity\":\"E\",\"file\":\"f.yaml\",\"line\":3,\"column\":3,\"message\":"
                     "\"Purpose without legal basis: purposes.a.basis, purposes.b.basis\",\"accepted\":false}")));
    buf_clear(&out);
    lint_explain(&out, lint_rule(TEXT("M04")), LINT_EN);
    assert_true(text_find(built(&out), TEXT("In force since 2026-08-11\n")) > 0);
    assert_true(text_find(built(&out), TEXT("  ◐ known from secondary text only\n")) > 0);
}

static void sarif(void **state)
{
    ARENA_AUTO a = arena_make(1 << 25);
    BUF_AUTO out = buf_make(1 << 22);
    struct lint_findings f[2] = { lint_file(&a, "policies/published/myportal.yaml"),
                                  lint_on(&a, TEXT("rights: {fee: true}\naccept: {R07: x}\n"), today) };
    struct json_out w = json_out(&out);
    const struct json *log;
    lint_sarif(&w, f, 2, LINT_FR);
    assert_int_equal(json_parse(&a, built(&out), &log), OK);
    const struct json *run = json_get(log, TEXT("runs"))->first;
    assert_true(text_eq(json_text(log, TEXT("version")), TEXT("2.1.0")));
    assert_int_equal(json_get(json_get(json_get(run, TEXT("tool")), TEXT("driver")), TEXT("rules"))->count, 115);
    assert_int_equal(json_get(run, TEXT("results"))->count, f[0].count + f[1].count);
    unsigned suppressed = 0;
    JSON_EACH(result, json_get(run, TEXT("results")))
        suppressed += json_get(result, TEXT("suppressions"))->count;
    assert_int_equal(suppressed, 1);
}

/* ---- Bounds: a policy of 2,000 lines, and trees that no policy would be. ---- */

static msec time_of(text yaml, unsigned times)
{
    clock_t start = clock(); /* of the processor: alike on a busy machine */
    for (unsigned i = 0; i < times; i++) {
        ARENA_AUTO a = arena_make(256 << 20);
        struct findings faults = { 0 };
        const struct node *root;
        struct lint_findings found = { .file = TEXT("f") };
        node_read(&a, yaml, &faults, &root);
        if (root)
            assert_int_equal(lint_run(&a, root, yaml, today, &found), OK);
    }
    return (msec)((clock() - start) / (CLOCKS_PER_SEC / 1000));
}

static void long_policy(void **state)
{
    BUF_AUTO b = buf_make(1 << 20);
    buf_add(&b, TEXT("garant: 1\ncategories:\n"));
    for (int i = 0; i < 200; i++)
        buf_print(&b, "  c%d:\n    title: Données %d\n    fields:\n      a: {type: text, required: true}\n", i, i);
    buf_add(&b, TEXT("purposes:\n"));
    for (int i = 0; i < 200; i++)
        buf_print(&b, "  p%d:\n    title: Finalité %d\n    basis: contract\n    categories: [c%d, c%d]\n", i, i, i,
                  199 - i);
    buf_add(&b, TEXT("recipients:\n"));
    for (int i = 0; i < 140; i++)
        buf_print(&b, "  r%d:\n    title: nos prestataires\n    processor: true\n", i);
    assert_in_range(time_of(built(&b), 5) / 5, 0, 50);
}

static void hostile(void **state)
{
    static const char *const heads[] = { "statements", "recipients", "cookies", "categories", "retention", "sources" };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        BUF_AUTO b = buf_make(1 << 20);
        buf_print(&b, "%s:\n", heads[i]);
        for (int j = 0; j < 1000; j++)
            buf_print(
                &b, "  n%d: {about: x, affirms: %s, title: \"%.*s\", source: [a], purpose: q}\n", j,
                j & 1 ? "true" : "false", 800,
                "[[[[[[[[[[[[[[[[[[nos nos nos nos nos nos nos nos nos nos nos nos partenaires, partenaires, partenaires et nos tiers x");
        assert_in_range(time_of(built(&b), 1), 0, 5000);
    }
    static const char *const odd[] = { "a",
                                       "[]",
                                       "[a, b]",
                                       "purposes: x\n",
                                       "purposes: [a, [b]]\n",
                                       "rights: []\n",
                                       "categories: {c: x}\n",
                                       "recipients: {x: [a]}\n",
                                       "accept: [N01]\n",
                                       "accept: {N01: [a]}\n",
                                       "dpo: none\n",
                                       "cookies: x\n",
                                       "claims: {a: b}\n",
                                       "consent: x\n",
                                       "retention: {c: {active: {a: b}}}\n",
                                       "policy: {date: 2026-99-99}\n",
                                       "security: {password: {min_length: 99999999999999999999}}\n",
                                       "controller: {country: {a: b}}\n" };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        time_of(text_of(odd[i]), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),       cmocka_unit_test(gold),           cmocka_unit_test(published),
        cmocka_unit_test(each_rule),   cmocka_unit_test(every_severity), cmocka_unit_test(dates),
        cmocka_unit_test(forms),       cmocka_unit_test(sarif),          cmocka_unit_test(acceptance),
        cmocka_unit_test(gate),        cmocka_unit_test(new_purposes),   cmocka_unit_test(figures),
        cmocka_unit_test(long_policy), cmocka_unit_test(hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

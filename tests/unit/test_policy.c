/* Unit tests of the policy: the reader of its file, its checks, terms, and the decision. */
#include "policy/policy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* What the reader says of `yaml`, as `f` would print it. */
static void expect_read(text yaml, const char *expected, bool tree)
{
    ARENA_AUTO a = arena_make(64 << 20);
    BUF_AUTO out = buf_make(1 << 16);
    struct findings f = { 0 };
    const struct node *root;
    enum err e = node_read(&a, yaml, &f, &root);
    findings_print(&out, TEXT("f"), &f);
    buf_char(&out, '\0');
    assert_string_equal(out.p, expected);
    assert_int_equal(e, *expected ? ERR_POLICY : OK);
    assert_int_equal(root != NULL, tree);
}
#define READS(yaml, expected) expect_read(TEXT(yaml), expected, true)
#define STOPS(yaml, expected) expect_read(TEXT(yaml), expected, false)

static void tree(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    struct findings f = { 0 };
    const struct node *root;
    text yaml = TEXT("a: 1\nb:\n  - x\n  - 'none'\n  - {c.d: é, e: ~}\nf:\n");
    assert_int_equal(node_read(&a, yaml, &f, &root), OK);
    assert_int_equal(root->count, 3);
    const struct node *item = node_get(root, TEXT("b"))->first->next;
    assert_true(item->quoted && text_eq(item->value, TEXT("none")) && text_eq(item->path, TEXT("b[1]")));
    const struct node *d = node_get(item->next, TEXT("c.d"));
    assert_true(text_eq(d->path, TEXT("b[2].c.d")) && d->at.line == 5 && d->at.column == 11 && d->key_at.column == 6);
    assert_true(node_at(item->next, TEXT("c.d")) == d);
    assert_null(node_at(root, TEXT("b.c")));
    assert_true(node_text(root, TEXT("f")).p && node_text(root, TEXT("f")).n == 0);
    assert_null(node_text(root, TEXT("b")).p);
    assert_true(node_has(node_get(root, TEXT("b")), TEXT("x")) && node_has(node_get(root, TEXT("a")), TEXT("1")));
    assert_null(node_get(NULL, TEXT("a")));

    BUF_AUTO out = buf_make(1 << 10);
    struct json_out w = json_out(&out);
    node_json(&w, root);
    assert_true(text_eq(buf_text(&out), TEXT("{\"a\":\"1\",\"b\":[\"x\",\"none\",{\"c.d\":\"é\",\"e\":\"~\"}],\"f\":\"\"}")));
}

static void reader_refuses(void **state)
{
    READS("a: &x 1\nb: !t {c: 2}\n<<: 3\nb: 4\n",
          "f:1:4: an anchor (&x) on a value: anchors and aliases are not allowed\n"
          "f:2:4: a tag (!t) on a map: tags are not allowed\n"
          "f:3:1: a merge key (<<): repeat the keys instead\n"
          "f:4:1: the key \"b\" stands twice in this map, first on line 2\n");
    STOPS("a: [*x]\n", "f:1:5: an alias (*x): repeat the value instead\n");
    STOPS("a: 1\n---\nb: 2\n", "f:2:1: a second document: a policy file is one document\n");
    READS("%YAML 1.1\n---\na: 1\n", "f:1:1: a %YAML or %TAG directive: directives are not allowed\n");
    STOPS("a:\n\tb: 1\nc:\td\n", "f:2:1: a tab: indent and separate with blanks\nf:3:3: a tab: indent and separate with blanks\n");
    STOPS("", "f:1:1: the file is empty\n");
    STOPS("# nothing\n", "f:1:1: the file is empty\n");
    STOPS("a: é\xC0\xAF\n", "f:1:5: byte 0xC0 is not valid here: the file must be UTF-8 text without NUL\n");
    STOPS("a: b\0c\n", "f:1:5: byte 0x00 is not valid here: the file must be UTF-8 text without NUL\n");
    STOPS("a: \xC3", "f:1:4: byte 0xC3 is not valid here: the file must be UTF-8 text without NUL\n");
    STOPS("? [a]\n: 1\n", "f:1:3: a list or a map as key: a key is one word\n");
    STOPS("a: 'b\n", "f:2:1: not well-formed YAML: found unexpected end of stream, while scanning a quoted scalar\n");
}

static void fill(char *yaml, size_t size, const char *pattern)
{
    size_t n = strlen(pattern);
    for (size_t i = 0; i < size; i++)
        yaml[i] = pattern[i % n];
}

/* Deep, wide and long files end at once, with one clear fault. */
static void reader_bounds(void **state)
{
    static char yaml[NODE_BYTES_MAX + 1];
    const char *const patterns[] = { "[", "{a: ", "- ", "? ", "[\n", "a,", "a\n", "\"", "- a\n", "&a ", "!a ", "*a ", "k: v\n", "%", "'\n" };
    fill(yaml, sizeof yaml, "- a\n");
    expect_read((text){ yaml, sizeof yaml }, "f:1:1: the file has 1048577 bytes, more than the 1048576 allowed\n", false);
    fill(yaml, sizeof yaml, "[");
    expect_read((text){ yaml, NODE_BYTES_MAX }, "f:1:65: more than 64 levels\n", false);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        ARENA_AUTO a = arena_make(128 << 20);
        struct findings f = { 0 };
        const struct node *root;
        fill(yaml, sizeof yaml, patterns[i]);
        msec start = clock_monotonic();
        node_read(&a, (text){ yaml, NODE_BYTES_MAX }, &f, &root);
        assert_true(clock_monotonic() - start < 5000);
    }
}

/* ---- Terms. ---- */

static msec at(const char *time)
{
    msec t;
    assert_true(time_parse(text_of(time), &t));
    return t;
}

static void expect_end(const char *start, const char *term, int times, const char *end)
{
    ARENA_AUTO a = arena_make(1024);
    struct term t;
    assert_true(term_parse(text_of(term), &t));
    text got = time_print(&a, term_end(at(start), t, times));
    assert_string_equal(got.p, time_print(&a, at(end)).p);
}

static void terms(void **state)
{
    expect_end("2024-01-31", "1mo", 1, "2024-02-29");
    expect_end("2026-01-31", "1mo", 1, "2026-02-28");
    expect_end("2026-01-31T10:20:30Z", "1mo", 2, "2026-03-31T10:20:30Z");
    expect_end("2024-02-29", "1y", 1, "2025-02-28");
    expect_end("2024-02-29", "3y", 1, "2027-02-28");                 /* a Sunday: never rolled */
    expect_end("2024-02-29", "4y", 1, "2028-02-29");
    expect_end("2026-08-31", "1mo", 1, "2026-09-30");
    expect_end("2026-12-15", "1mo", 1, "2027-01-15");
    expect_end("2026-11-30", "12mo", 1, "2027-11-30");
    expect_end("2026-01-15", "180d", 1, "2026-07-14");               /* a holiday: never rolled */
    expect_end("2026-11-20T16:20:00Z", "72h", 1, "2026-11-23T16:20:00Z");
    expect_end("2026-11-20T16:20:00Z", "30m", 3, "2026-11-20T17:50:00Z");
    expect_end("1969-12-31T23:00:00Z", "2mo", 1, "1970-02-28T23:00:00Z");
    struct term t;
    assert_true(term_parse(TEXT("always"), &t) && term_end(0, t, 1) == INT64_MAX);
    const char *const bad[] = { "", "1", "mo", "-1d", "1 d", "1w", "1mon", "123456d", "1.5y", "Always" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(term_parse(text_of(bad[i]), &t));
}

static void year_end(void **state)
{
    ARENA_AUTO a = arena_make(1024);
    struct retention r = { .from = FROM_YEAR_END, .active = { 1, TERM_YEARS }, .archive = { 9, TERM_YEARS } };
    assert_string_equal(time_print(&a, retention_active_end(&r, at("2026-03-05T12:00:00Z"))).p, "2027-12-31T23:59:59.999Z");
    assert_string_equal(time_print(&a, retention_end(&r, at("2026-12-31T23:59:59Z"))).p, "2036-12-31T23:59:59.999Z");
    r = (struct retention){ .from = FROM_EVENT, .active = { 12, TERM_MONTHS } };
    assert_string_equal(time_print(&a, retention_end(&r, at("2026-03-05T12:00:00Z"))).p, "2027-03-05T12:00:00.000Z");
}

/* ---- Loading and deciding. ---- */

#define BASE_POLICY \
    "garant: 1\n" \
    "policy: {id: t, version: '1', date: 2026-11-21, languages: [en]}\n" \
    "controller: {legal_name: A, address: B, country: FR}\n" \
    "dpo: {appointed: false}\n" \
    "hosting: {countries: [FR], area: EU}\n" \
    "security: {staff: {confidentiality: required}}\n" \
    "rights: {channels: {profile: true}, answer_within: 1mo}\n"

static const text sample = TEXT_INIT(BASE_POLICY
    "categories:\n"                                                              /* 8 */
    "  contact: {fields: {email: {type: email, required: true, identifier: true}, phone: {type: phone}}}\n"
    "  usage: {many: true, fields: {page: {type: text}}}\n"
    "purposes:\n"                                                                /* 11 */
    "  service: {basis: contract, categories: [contact]}\n"
    "  news: {basis: consent, marketing: true, channels: [email, sms], categories: [contact]}\n"
    "  analysis: {basis: legitimate_interest, categories: [usage, contact]}\n"
    "  claims: {basis: legitimate_interest, despite_restriction: legal_claims, categories: [contact]}\n"
    "never:\n"
    "  sale: {says: No sale., purposes: [sale, rent]}\n"                         /* 17 */
    "roles:\n"
    "  staff: {purposes: [service, analysis], acts: [read]}\n"                   /* 19 */
    "  manager: {sees: team, purposes: [service], acts: [read, write]}\n"
    "  operator: {purposes: [claims], acts: [read]}\n"
    "systems:\n"
    "  app: {purposes: [service, news, analysis, claims], acts: [read, write, send, export]}\n"   /* 23 */
    "  meter: {purposes: [analysis], acts: [write], categories: [usage]}\n"
    "recipients:\n"
    "  carrier: {purposes: service, categories: contact, country: DE, processor: true, contract: 2026-01-02}\n"  /* 26 */
    "  mailer: {purposes: news, categories: contact, country: FR, processor: true, contract: false}\n"
    "  partner: {purposes: news, categories: contact, country: FR, charter: pending}\n"
    "promises:\n"
    "  X-1: never.sale\n"
    "  X-2: [purposes, purposes.news]\n"
    "  X-3: [purposes.news]\n");

static const struct policy *load_sample(struct arena *a)
{
    struct findings f = { 0 };
    const struct policy *p = NULL;
    enum err e = policy_load(a, sample, TEXT("t.yaml"), &f, &p);
    if (e != OK)
        fail_msg("%s", a->why.detail);
    return p;
}

static void model(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    POLICY_AUTO p = load_sample(&a);
    assert_int_equal(p->purpose_count, 4);
    assert_int_equal(p->forbidden_count, 2);
    assert_int_equal(policy_purpose(p, TEXT("rent")), 5);
    assert_int_equal(policy_purpose(p, TEXT("none")), -1);
    assert_int_equal(p->hosting.country_count, 1);
    assert_true(text_eq(p->tenants[0], TEXT("t")) && p->tenant_count == 1);
    const struct category *contact = &p->categories[policy_category(p, TEXT("contact"))];
    assert_true(contact->fields[policy_field(contact, TEXT("email"))].identifier && contact->sources == 1 && !contact->source.p);
    assert_true(bits_has(&contact->purposes, 0) && bits_has(&contact->purposes, 3));
    assert_int_equal(p->actors[policy_actor(p, TEXT("operator"))].kind, ACTOR_OPERATOR);
    assert_int_equal(p->actors[policy_actor(p, TEXT("manager"))].kind, ACTOR_MANAGER);
    assert_true(policy_clause(p, TEXT("never.sale")) && !policy_clause(p, TEXT("never.theft")));
    assert_string_equal(clause_print(&a, policy_clause(p, TEXT("never.sale.says"))).p, "t.yaml:17, promise X-1");
    assert_string_equal(clause_print(&a, policy_clause(p, TEXT("purposes.news"))).p, "t.yaml:13, promises X-2, X-3");
    assert_string_equal(clause_print(&a, policy_clause(p, TEXT("rights"))).p, "t.yaml:7");
    assert_true(text_eq(policy_nearest(p, TEXT("category"), TEXT("contacts")), TEXT("contact")));
    const struct policy *again = policy_ref(p);
    policy_unref(&again);
    assert_null(again);
    assert_int_equal(strlen(p->hash), 64);
}

enum { NO_CONSENT, CONSENTED = 1, OBJECTED = 2, RESTRICTED = 4, AGREED = 8 };

static void decisions(void **state)
{
    static const struct { const char *actor, *purpose, *category; enum act act; int flags; enum verdict verdict; uint32_t line; } rows[] = {
        { "app", "service", "contact", ACT_READ, 0, ALLOWED, 12 },
        { "app", "service", "", ACT_SEND, 0, ALLOWED, 12 },
        { "app", "service", "usage", ACT_READ, 0, REFUSED_CATEGORY, 12 },
        { "app", "service", "contact", ACT_DISCLOSE, 0, REFUSED_ACT, 23 },
        { "app", "sale", "contact", ACT_READ, CONSENTED, REFUSED_NEVER, 17 },
        { "app", "rent", "contact", ACT_SEND, CONSENTED, REFUSED_NEVER, 17 },
        { "app", "theft", "contact", ACT_READ, CONSENTED, REFUSED_PURPOSE_UNKNOWN, 11 },
        { "app", "news", "contact", ACT_READ, 0, REFUSED_CONSENT, 13 },
        { "app", "news", "contact", ACT_SEND, CONSENTED, ALLOWED, 13 },
        { "app", "news", "contact", ACT_SEND, CONSENTED | OBJECTED, REFUSED_OBJECTED, 13 },
        { "app", "news", "contact", ACT_WRITE, 0, REFUSED_CONSENT, 13 },
        { "app", "news", "contact", ACT_EXPORT, RESTRICTED, ALLOWED, 13 },
        { "app", "analysis", "usage", ACT_READ, 0, ALLOWED, 14 },
        { "app", "analysis", "usage", ACT_READ, OBJECTED, REFUSED_OBJECTED, 14 },
        { "app", "service", "contact", ACT_READ, OBJECTED, ALLOWED, 12 },
        { "app", "service", "contact", ACT_READ, RESTRICTED, REFUSED_RESTRICTED, 7 },
        { "app", "service", "contact", ACT_WRITE, RESTRICTED, REFUSED_RESTRICTED, 7 },
        { "app", "claims", "contact", ACT_READ, RESTRICTED, ALLOWED, 15 },
        { "meter", "analysis", "usage", ACT_WRITE, 0, ALLOWED, 14 },
        { "meter", "analysis", "contact", ACT_WRITE, 0, REFUSED_CATEGORY, 24 },
        { "meter", "service", "contact", ACT_WRITE, 0, REFUSED_ACTOR, 24 },
        { "staff", "service", "contact", ACT_READ, 0, REFUSED_CONFIDENTIALITY, 19 },
        { "staff", "service", "contact", ACT_READ, AGREED, ALLOWED, 12 },
        { "staff", "service", "contact", ACT_WRITE, AGREED, REFUSED_ACT, 19 },
        { "staff", "news", "contact", ACT_READ, AGREED, REFUSED_ACTOR, 19 },
        { "manager", "service", "contact", ACT_READ, 0, ALLOWED, 12 },
        { "manager", "analysis", "contact", ACT_READ, 0, REFUSED_ACTOR, 20 },
        { "carrier", "service", "contact", ACT_DISCLOSE, 0, ALLOWED, 12 },
        { "carrier", "service", "contact", ACT_READ, 0, REFUSED_ACT, 26 },
        { "mailer", "news", "contact", ACT_DISCLOSE, CONSENTED, REFUSED_CONFIDENTIALITY, 27 },
        { "partner", "news", "contact", ACT_DISCLOSE, CONSENTED | AGREED, REFUSED_CONFIDENTIALITY, 28 },
        { "nobody", "service", "contact", ACT_READ, 0, REFUSED_ACTOR, 12 },
        { "operator", "service", "contact", ACT_READ, AGREED, REFUSED_ACTOR, 21 },
        { "operator", "claims", "contact", ACT_READ, 0, ALLOWED, 15 },
        { "operator", "*", "contact", ACT_READ, 0, REFUSED_ACT, 21 },
        { "operator", "*", "contact", ACT_EXPORT, RESTRICTED, ALLOWED, 7 },
        { "operator", "*", "contact", ACT_ERASE, 0, ALLOWED, 7 },
        { "person", "*", "contact", ACT_READ, 0, ALLOWED, 7 },
        { "person", "*", "contact", ACT_SEND, 0, REFUSED_ACT, 7 },
        { "person", "service", "contact", ACT_READ, 0, REFUSED_ACTOR, 7 },
        { "app", "*", "contact", ACT_EXPORT, 0, ALLOWED, 7 },
        { "app", "*", "contact", ACT_ERASE, 0, REFUSED_ACT, 23 },
        { "app", "*", "contact", ACT_WRITE, 0, REFUSED_ACT, 23 },
        { "nobody", "*", "contact", ACT_EXPORT, 0, REFUSED_ACTOR, 7 },
    };
    ARENA_AUTO a = arena_make(1 << 20);
    POLICY_AUTO p = load_sample(&a);
    static const struct bits all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool right = text_eq(text_of(rows[i].purpose), TEXT("*"));
        struct ask q = { .actor = policy_actor(p, text_of(rows[i].actor)), .act = rows[i].act,
                         .purpose = right ? PURPOSE_RIGHTS : policy_purpose(p, text_of(rows[i].purpose)),
                         .category = policy_category(p, text_of(rows[i].category)),
                         .consents = rows[i].flags & CONSENTED ? &all : NULL, .objections = rows[i].flags & OBJECTED ? &all : NULL,
                         .restricted = rows[i].flags & RESTRICTED, .agreement = rows[i].flags & AGREED };
        struct decision d = policy_decide(p, &q);
        if (d.verdict != rows[i].verdict || !d.clause || d.clause->at.line != rows[i].line)
            fail_msg("row %zu: verdict %d, line %u", i, d.verdict, d.clause ? d.clause->at.line : 0);
        assert_true(verdict_text(d.verdict, TEXT("fr")).n && verdict_text(d.verdict, TEXT("en")).n);
    }
}

/* Indexes out of their range are refused, not followed. */
static void wild_indexes(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    POLICY_AUTO p = load_sample(&a);
    const int wild[] = { INT32_MIN, -3, -1, 99, 255, 256, INT32_MAX };
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++) {
        struct ask q = { .actor = wild[i], .purpose = 0, .category = 0 };
        assert_int_equal(policy_decide(p, &q).verdict, REFUSED_ACTOR);
        q = (struct ask){ .actor = policy_actor(p, TEXT("app")), .purpose = wild[i], .category = 0 };
        assert_int_equal(policy_decide(p, &q).verdict, REFUSED_PURPOSE_UNKNOWN);
        q.purpose = 0, q.category = wild[i];
        assert_int_equal(policy_decide(p, &q).verdict, wild[i] < 0 ? ALLOWED : REFUSED_CATEGORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree),     cmocka_unit_test(reader_refuses), cmocka_unit_test(reader_bounds), cmocka_unit_test(terms),
        cmocka_unit_test(year_end), cmocka_unit_test(model),          cmocka_unit_test(decisions),     cmocka_unit_test(wild_indexes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

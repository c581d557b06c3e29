/* Unit tests of the policy: the reader of its file, its checks, terms, and the decision. */
#include "policy/lint/lint.h"
#include "policy/policy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "built.h"

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
    assert_true(
        text_eq(built(&out), TEXT("{\"a\":\"1\",\"b\":[\"x\",\"none\",{\"c.d\":\"é\",\"e\":\"~\"}],\"f\":\"\"}")));
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
    STOPS("a:\n\tb: 1\nc:\td\n", "f:2:1: a tab: indent and separate with blanks\n"); /* behind a colon YAML takes it */
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
    const char *const patterns[] = { "[",     "{a: ", "- ",  "? ",  "[\n",    "a,", "a\n", "\"",
                                     "- a\n", "&a ",  "!a ", "*a ", "k: v\n", "%",  "'\n" };
    fill(yaml, sizeof yaml, "- a\n");
    expect_read((text){ yaml, sizeof yaml }, "f:1:1: the file has 1048577 bytes, more than the 1048576 allowed\n",
                false);
    fill(yaml, sizeof yaml, "[");
    expect_read((text){ yaml, NODE_BYTES_MAX }, "f:1:65: more than 64 levels\n", false);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        ARENA_AUTO a = arena_make(128 << 20);
        struct findings f = { 0 };
        const struct node *root;
        fill(yaml, sizeof yaml, patterns[i]);
        clock_t start = clock(); /* of the processor: alike on a busy machine */
        node_read(&a, (text){ yaml, NODE_BYTES_MAX }, &f, &root);
        assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
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
    expect_end("2024-02-29", "3y", 1, "2027-02-28"); /* a Sunday: never rolled */
    expect_end("2024-02-29", "4y", 1, "2028-02-29");
    expect_end("2026-08-31", "1mo", 1, "2026-09-30");
    expect_end("2026-12-15", "1mo", 1, "2027-01-15");
    expect_end("2026-11-30", "12mo", 1, "2027-11-30");
    expect_end("2026-01-15", "180d", 1, "2026-07-14"); /* a holiday: never rolled */
    expect_end("2026-11-20T16:20:00Z", "72h", 1, "2026-11-23T16:20:00Z");
    expect_end("2026-11-20T16:20:00Z", "30m", 3, "2026-11-20T17:50:00Z");
    expect_end("2026-11-20T16:20:00Z", "30min", 3, "2026-11-20T17:50:00Z");
    expect_end("1969-12-31T23:00:00Z", "2mo", 1, "1970-02-28T23:00:00Z");
    struct term t;
    assert_true(term_parse(TEXT("always"), &t) && term_end(0, t, 1) == INT64_MAX);
    const char *const bad[] = { "", "1", "mo", "-1d", "1 d", "1w", "1mon", "123456d", "1.5y", "Always" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(term_parse(text_of(bad[i]), &t));
}

/* ---- Loading and deciding. ---- */

#define BASE_POLICY                                                                                                    \
    "garant: 1\n"                                                                                                      \
    "policy: {id: t, version: '1', date: 2026-11-21, languages: [en]}\n"                                               \
    "controller: {legal_name: A, address: B, country: FR}\n"                                                           \
    "dpo: {appointed: false}\n"                                                                                        \
    "hosting: {countries: [FR], area: EU}\n"                                                                           \
    "security: {staff: {confidentiality: required}}\n"                                                                 \
    "rights: {channels: {profile: true}, answer_within: 1mo}\n"

static const text sample = TEXT_INIT(
    BASE_POLICY
    "categories:\n" /* 8 */
    "  contact: {fields: {email: {type: email, required: true, identifier: true}, phone: {type: phone}}}\n"
    "  usage: {many: true, fields: {page: {type: text}}}\n"
    "purposes:\n" /* 11 */
    "  service: {basis: contract, categories: [contact]}\n"
    "  news: {basis: consent, marketing: true, channels: [email, sms], categories: [contact]}\n"
    "  analysis: {basis: legitimate_interest, categories: [usage, contact]}\n"
    "  claims: {basis: legitimate_interest, despite_restriction: legal_claims, categories: [contact]}\n"
    "never:\n"
    "  sale: {says: No sale., purposes: [sale, rent]}\n" /* 17 */
    "roles:\n"
    "  staff: {purposes: [service, analysis], acts: [read]}\n" /* 19 */
    "  manager: {sees: team, purposes: [service], acts: [read, write]}\n"
    "  operator: {purposes: [claims], acts: [read]}\n"
    "systems:\n"
    "  app: {purposes: [service, news, analysis, claims], acts: [read, write, send, export]}\n" /* 23 */
    "  meter: {purposes: [analysis], acts: [write], categories: [usage]}\n"
    "recipients:\n"
    "  carrier: {purposes: service, categories: contact, country: DE, processor: true, contract: 2026-01-02}\n" /* 26 */
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
    assert_true(contact->fields[policy_field(contact, TEXT("email"))].identifier && contact->sources == 1 &&
                !contact->source.p);
    assert_true(bits_has(&contact->purposes, 0) && bits_has(&contact->purposes, 3));
    assert_int_equal(p->actors[policy_actor(p, TEXT("operator"))].kind, ACTOR_OPERATOR);
    assert_int_equal(p->actors[policy_actor(p, TEXT("manager"))].kind, ACTOR_MANAGER);
    assert_true(policy_clause(p, TEXT("never.sale")) && !policy_clause(p, TEXT("never.theft")));
    assert_string_equal(clause_print(&a, policy_clause(p, TEXT("never.sale.says"))).p, "t.yaml:17, promise X-1");
    assert_string_equal(clause_print(&a, policy_clause(p, TEXT("purposes.news"))).p, "t.yaml:13, promises X-2, X-3");
    assert_string_equal(clause_print(&a, policy_clause(p, TEXT("rights"))).p, "t.yaml:7");
    assert_true(text_eq(policy_nearest(p, TEXT("category"), TEXT("contacts")), TEXT("contact")));
    assert_true(text_eq(policy_nearest(p, TEXT("purpose"), TEXT("servce")), TEXT("service")));
    assert_true(text_eq(policy_nearest(p, TEXT("actor"), TEXT("opertor")), TEXT("operator")));
    assert_true(text_eq(policy_nearest(p, TEXT("field"), TEXT("contact.emial")), TEXT("email")));
    assert_true(!policy_nearest(p, TEXT("field"), TEXT("nothing.emial")).n &&
                !policy_nearest(p, TEXT("purpose"), TEXT("")).n);
    const struct policy *again = policy_ref(p);
    policy_unref(&again);
    assert_null(again);
    assert_int_equal(strlen(p->hash), 64);
}

/* Letters to customers without consent: only with a sale on record at which they could oppose; reading is as before. */
static void customers(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    POLICY_AUTO p = load_sample(&a);
    static const struct bits all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    struct policy copy = *p;
    struct purpose purposes[8];
    int news = policy_purpose(p, TEXT("news"));
    assert_true(p->purpose_count + p->forbidden_count <= 8);
    memcpy(purposes, p->purposes, (p->purpose_count + p->forbidden_count) * sizeof *purposes);
    purposes[news].basis = BASIS_INTEREST;
    purposes[news].customers_only = true;
    copy.purposes = purposes;
    struct ask q = { .actor = policy_actor(p, TEXT("app")), .act = ACT_SEND, .purpose = news, .category = -1 };
    assert_int_equal(policy_decide(&copy, &q).verdict, REFUSED_CUSTOMER);
    q.consents = &all;
    assert_int_equal(policy_decide(&copy, &q).verdict, ALLOWED);
    q.objections = &all;
    assert_int_equal(policy_decide(&copy, &q).verdict, REFUSED_OBJECTED);
    q = (struct ask){ .actor = q.actor, .act = ACT_READ, .purpose = news, .category = -1 };
    assert_int_equal(policy_decide(&copy, &q).verdict, ALLOWED);
}

enum { NO_CONSENT, CONSENTED = 1, OBJECTED = 2, RESTRICTED = 4, AGREED = 8 };

static void decisions(void **state)
{
    static const struct {
        const char *actor, *purpose, *category;
        enum act act;
        int flags;
        enum verdict verdict;
        uint32_t line;
    } rows[] = {
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
        struct ask q = { .actor = policy_actor(p, text_of(rows[i].actor)),
                         .act = rows[i].act,
                         .purpose = right ? PURPOSE_RIGHTS : policy_purpose(p, text_of(rows[i].purpose)),
                         .category = policy_category(p, text_of(rows[i].category)),
                         .consents = rows[i].flags & CONSENTED ? &all : NULL,
                         .objections = rows[i].flags & OBJECTED ? &all : NULL,
                         .restricted = rows[i].flags & RESTRICTED,
                         .agreement = rows[i].flags & AGREED };
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
        q.purpose = 0;
        q.category = wild[i];
        assert_int_equal(policy_decide(p, &q).verdict, wild[i] < 0 ? ALLOWED : REFUSED_CATEGORY);
    }
}

/* ---- Bad files: what is said of each, exactly. ---- */

static void expect_load(text yaml, const char *expected)
{
    ARENA_AUTO a = arena_make(4 << 20);
    BUF_AUTO out = buf_make(1 << 16);
    struct findings f = { 0 };
    POLICY_AUTO p = NULL;
    enum err e = policy_load(&a, yaml, TEXT("f"), &f, &p);
    findings_print(&out, TEXT("f"), &f);
    buf_char(&out, '\0');
    assert_string_equal(out.p, expected);
    assert_int_equal(e, ERR_POLICY);
    assert_null(p);
}
/* Lines 1 to 7 are BASE_POLICY; categories, purposes and recipients follow unless the case has its own. */
#define BAD(yaml, expected) expect_load(TEXT(BASE_POLICY yaml), expected)
#define CATEGORIES          "categories: {contact: {fields: {email: {type: email}}}}\n"
#define PURPOSES            "purposes: {service: {basis: contract, categories: [contact]}}\n"
#define REST                CATEGORIES PURPOSES "recipients: none\n"

static void bad_words_and_keys(void **state)
{
    BAD(CATEGORIES "purposes:\n  service: {basis: contract, categories: [contacts]}\nrecipients: none\n",
        "f:8:14: no purpose uses the category \"contact\": nothing may be held without a purpose\n"
        "f:10:43: unknown category \"contacts\", did you mean \"contact\"?\n");
    BAD(CATEGORIES
        "purposes:\n  service: {basis: contact, categories: [contact], colour: red, chanels: [mail]}\nrecipients: none\n",
        "f:10:20: unknown basis \"contact\", did you mean \"contract\"?\n"
        "f:10:52: unknown key \"colour\" in purposes.service: its keys are title, dpv, basis, interest, balancing, law, necessity, categories, marketing, partners, customers_only, channels…\n"
        "f:10:65: unknown key \"chanels\" in purposes.service, did you mean \"channels\"?\n");
    BAD(CATEGORIES
        "purposes:\n  service: {basis: contract, categories: [contact], channels: [mailing, sms]}\nrecipients: none\n",
        "f:10:64: unknown channel \"mailing\": it is one of email, sms, phone, post, push, web\n");
    BAD(REST "purpose: {}\n", "f:11:1: unknown key \"purpose\" in the policy, did you mean \"purposes\"?\n");
    BAD(REST "retention: {contcat: {from: closure, active: 30d}}\n",
        "f:11:13: unknown category \"contcat\", did you mean \"contact\"?\n");
    BAD(REST "collection: {form: {fields: [contact.mail, contact.email], purposes: service}}\n",
        "f:11:30: unknown field \"contact.mail\", did you mean \"contact.email\"?\n");
    BAD(REST "promises: {X-1: [purposes.servic], X-2: rights}\n",
        "f:11:18: promises.X-1[0] names \"purposes.servic\", which is not in this file\n");
    BAD(REST "never: {Sale: {says: x, purposes: [sale]}}\n",
        "f:11:9: \"Sale\" is not a name (small letters, digits, _ and -, starting with a letter)\n");
}

static void bad_values(void **state)
{
    BAD(REST "retention:\n  contact: {from: closure, active: soon, archive: 3 years}\n",
        "f:12:36: \"soon\" is not a term (such as 72h, 180d, 12mo, 3y or always)\n"
        "f:12:51: \"3 years\" is not a term (such as 72h, 180d, 12mo, 3y or always), did you mean \"3y\"?\n");
    BAD(REST "retention:\n  contact: {from: closure, active: 6m, archive: 6 mois}\n",
        "f:12:36: \"6m\": minutes or months? Write \"6min\" or \"6mo\"\n"
        "f:12:49: \"6 mois\" is not a term (such as 72h, 180d, 12mo, 3y or always), did you mean \"6mo\"?\n");
    BAD(REST "consent: {expires: 13M}\nchanges: {before: 1m}\nbackup: {keep: 90 jours}\n",
        "f:11:20: \"13M\": minutes or months? Write \"13min\" or \"13mo\"\nf:12:19: \"1m\": minutes or months? Write \"1min\" or \"1mo\"\n"
        "f:13:16: \"90 jours\" is not a term (such as 72h, 180d, 12mo, 3y or always), did you mean \"90d\"?\n");
    BAD(REST "minors: {plausible: yes, age: young}\n",
        "f:11:21: \"yes\" is not true or false, did you mean \"true\"?\nf:11:31: \"young\" is not an integer\n");
    BAD(REST "trackers: [1]\nconsent: {}\naccept: {R02: {}}\n",
        "f:11:11: \"trackers\" must be a map, not a list\n"
        "f:13:10: accept.R02 has no text in \"en\", a language of policy.languages\n");
    BAD(CATEGORIES PURPOSES "recipients: nobody\ncookies:\n",
        "f:10:13: \"recipients\" must be a map or none, not a single value\n"
        "f:11:9: \"cookies\" must be a map or none, not empty\n");
    BAD(REST "transfers: none\nchanges: {before: , tell: {a: b}}\n",
        "f:12:19: \"before\" has no value\n"
        "f:12:27: \"tell\" must be a word or a list of words, not a map\n");
    BAD(REST "authority: {fr: CNIL}\nbackup: {every: [1d]}\n",
        "f:11:12: \"authority\" must be a text, not a map\nf:12:17: \"every\" must be a term (such as 30m, 72h, 180d, 12mo, 3y or always), not a list\n");
    BAD(REST "declared: {x: {de: Hallo, en: Hello}}\nconsent: {proof: [who, who]}\n",
        "f:11:16: unknown language \"de\": it is not in policy.languages\nf:12:24: \"who\" stands twice in this list\n");
}

static void missing_keys(void **state)
{
    expect_load(TEXT("garant: 1\n"),
                "f:1:1: the policy lacks \"policy\": The policy itself.\n"
                "f:1:1: the policy lacks \"controller\": The controller: who decides on purposes and means.\n"
                "f:1:1: the policy lacks \"dpo\": The data protection officer.\n"
                "f:1:1: the policy lacks \"hosting\": Where data is stored, and by whom.\n"
                "f:1:1: the policy lacks \"security\": Measures of security (Art. 32).\n"
                "f:1:1: the policy lacks \"categories\": What may be held; anything else is refused.\n"
                "f:1:1: the policy lacks \"purposes\": What data may be used for; any other use is refused.\n"
                "f:1:1: the policy lacks \"recipients\": To whom data is disclosed, or none.\n"
                "f:1:1: the policy lacks \"rights\": How people exercise their rights.\n");
    BAD(CATEGORIES "purposes:\n  service: {categories: [contact]}\nrecipients: none\n",
        "f:10:3: purposes.service lacks \"basis\": Its legal basis (Art. 6).\n");
    BAD(REST "holds: {dispute: {title: A dispute}}\n",
        "f:11:9: holds.dispute lacks \"ground\": The text that allows it (Art. 17(3)).\n"
        "f:11:9: holds.dispute lacks \"period\": Longest time before it is reviewed.\n");
    expect_load(TEXT("- a\n"), "f:1:1: a policy is a map, not a list\n");
}

static void bad_places(void **state)
{
    BAD(CATEGORIES PURPOSES
        "recipients: {mailer: {purposes: service, categories: contact, country: US}, post: {purposes: service, "
        "categories: contact, country: IT}}\n",
        "f:10:72: recipients.mailer is in US, outside hosting.area (EU) of line 5\n");
    expect_load(
        TEXT(
            "garant: 1\npolicy: {id: t, version: '1', date: 2026-11-21, languages: [en]}\n"
            "controller: {legal_name: A, address: B, country: FR}\ndpo: {appointed: false}\nsecurity: {}\n"
            "hosting:\n  country: US\n  countries: [FR, BE]\n  stores: {a: {country: DE}, b: {country: UK}, c: {country: BE}}\n"
            "rights: {channels: {profile: true}, answer_within: 1mo}\n" CATEGORIES PURPOSES
            "recipients: {mailer: {purposes: service, categories: contact, country: NO}}\n"
            "promises: {FR-02: [hosting.countries], FR-05: hosting}\n"),
        "f:7:12: hosting is in US, outside hosting.countries (FR, BE) of line 8, promises FR-02, FR-05\n"
        "f:9:25: hosting.stores.a is in DE, outside hosting.countries (FR, BE) of line 8, promises FR-02, FR-05\n"
        "f:9:43: \"UK\" is not a country code of ISO 3166-1 (such as FR)\n"
        "f:13:72: recipients.mailer is in NO, outside hosting.countries (FR, BE) of line 8, promises FR-02, FR-05\n");
}

static void bad_categories(void **state)
{
    BAD("categories:\n"
        "  medical_file: {fields: {note: {type: text}}}\n"
        "  contact: {fields: {email: {type: email}, religion: {type: text}, faith: {type: text, dpv: pd:Name}}}\n"
        "  opinions: {dpv: pd:PoliticalAffiliation, fields: {note: {type: text}}}\n"
        "  club: {special: true, fields: {note: {type: text}}}\n"
        "  union: {special: false, fields: {race: {type: text}}}\n"
        "  care: {ground: consent, fields: {health: {type: text}}}\n"
        "purposes: {service: {basis: contract, categories: [medical_file, contact, opinions, club, union, care]}}\nrecipients: none\n",
        "f:9:3: categories.medical_file is a special category (health, Art. 9) without ground: name the exception of Art. 9(2)\n"
        "f:10:44: categories.contact.fields.religion is a special category (religious beliefs, Art. 9): its category needs a ground of Art. 9(2)\n"
        "f:10:68: categories.contact.fields.faith is a special category (religious beliefs, Art. 9): its category needs a ground of Art. 9(2)\n"
        "f:11:3: categories.opinions is a special category (political opinions, Art. 9) without ground: name the exception of Art. 9(2)\n"
        "f:12:3: categories.club is a special category (special: true, Art. 9) without ground: name the exception of Art. 9(2)\n");
    BAD("categories:\n  accounts: {fields: {email: {type: email}}}\n"
        "purposes: {service: {basis: contract, categories: [accounts]}}\nrecipients: none\n",
        "f:9:3: \"accounts\" is the name of records that the server keeps itself (retention.accounts): give the category another\n");
    BAD("categories:\n  billing: {held: true, fields: {amount: {type: number}}}\n  fraud: {held: true, fields: {note: {type: text}}}\n"
        "  card: {transient: {for: 15m}, fields: {number: {type: card}}}\n  pay: {fields: {number: {type: card}}}\n"
        "purposes: {service: {basis: contract, categories: [billing, fraud, card, pay]}}\nrecipients: none\n"
        "retention: {fraud: {from: event, active: always, ground: x}, card: {from: event, active: 1d}}\n",
        "f:9:3: categories.billing is held after erasure without ground and period: give both in retention.billing\n"
        "f:10:3: categories.fraud is held after erasure without ground and period: give both in retention.fraud\n"
        "f:11:3: categories.card is transient: it can be neither held nor have a retention\n"
        "f:12:18: categories.pay.fields.number is a payment card number: only a transient category may have it\n");
    BAD("categories:\n  company:\n    fields:\n"
        "      payer: {type: choice, choices: [person, company]}\n"
        "      kind: {type: choice}\n"
        "      vat: {type: text, when: {payer: firm}}\n"
        "      iban: {type: iban, when: {payed: company}}\n"
        "      bic: {type: text, when: {company.payer: company}, choices: [a]}\n"
        "      size: {type: integer, min: 5, max: 3, default: x}\n"
        "      shade: {type: colour, default: blue}\n"
        "purposes: {service: {basis: contract, categories: [company]}}\nrecipients: none\n",
        "f:12:7: categories.company.fields.kind is a choice without choices\n"
        "f:13:39: categories.company.fields.payer can never be \"firm\": it is none of its choices\n"
        "f:14:33: categories.company.fields.iban depends on \"payed\", which is no other field\n"
        "f:15:7: categories.company.fields.bic has choices, but is of type \"text\"\n"
        "f:16:7: categories.company.fields.size has a min above its max\n"
        "f:16:54: the default of categories.company.fields.size does not fit its own type and bounds\n"
        "f:17:38: the default of categories.company.fields.shade does not fit its own type and bounds\n");
}

static void bad_uses(void **state)
{
    BAD(CATEGORIES
        "purposes:\n  service: {basis: contract, categories: [contact]}\n  prospecting: {basis: consent, categories: [contact]}\n"
        "  ads: {basis: consent, dpv: dpv:Advertising, categories: [contact]}\nrecipients: none\n"
        "never: {prospecting: {says: No., marketing: true, purposes: [prospecting]}, nothing: {says: Empty.}}\n",
        "f:11:3: purposes.prospecting is declared, but never.prospecting (line 14) forbids it\n"
        "f:12:3: purposes.ads is declared, but never.prospecting (line 14) forbids it\n"
        "f:14:77: never.nothing forbids nothing: give it purposes, or marketing: true\n");
    BAD("categories: {contact: {fields: {email: {type: email}}}, usage: {public: service, fields: {page: {type: text}}}}\n"
        "purposes: {service: {basis: contract, categories: [contact]}, stats: {basis: consent, categories: usage}}\n"
        "recipients: {post: {purposes: service, categories: [contact, usage], country: FR}}\n"
        "collection: {form: {fields: usage.page, purposes: service}}\n"
        "roles: {post: {purposes: service, acts: read}, person: {purposes: service, acts: [read, fly]}}\n"
        "systems: {operator: {purposes: service, acts: read}}\n"
        "cookies: {sid: {purpose: service, lifetime: session.idle}}\n",
        "f:8:73: categories.usage may be shown in public under a purpose based on consent that uses it; purposes.service is not one\n"
        "f:10:14: recipients.post has the name of roles.post (line 12): who acts must be told apart\n"
        "f:10:62: recipients.post has \"usage\", but none of its purposes uses \"usage\"\n"
        "f:11:29: collection.form has \"usage.page\", but none of its purposes uses \"usage\"\n"
        "f:12:48: \"person\" is the server's own: choose another name\n"
        "f:12:89: unknown act \"fly\": it is one of read, write, send, disclose, erase, export, consent\n"
        "f:13:11: \"operator\" is the server's own: choose another name\n"
        "f:14:45: cookies.sid lives as long as security.session.idle, which is not set\n");
}

/* Who is named to give access must be able to. */
static void bad_folders(void **state)
{
    BAD("categories:\n  contact: {fields: {email: {type: email}}}\n  rights: {stream: folders, fields: {folder: {type: text}}}\n"
        "  more: {stream: folders, fields: {folder: {type: text}}}\n"
        "purposes: {service: {basis: contract, categories: [contact, rights, more]}, other: {basis: contract, categories: contact}}\n"
        "recipients: none\n"
        "roles: {clerk: {purposes: service, acts: [read, write]}, reader: {purposes: service, acts: read}, stranger: {purposes: other, acts: write}}\n"
        "folders: {file: {purpose: service, granted_by: [clerk, reader, stranger, operator]}, drawer: {purpose: service, granted_by: clerk}}\n",
        "f:11:3: categories.rights and categories.more both hold access to folders: one category does\n"
        "f:15:56: folders.file is given by \"reader\", which may not write for purpose \"service\"\n"
        "f:15:64: folders.file is given by \"stranger\", which may not write for purpose \"service\"\n"
        "f:15:74: folders.file is given by \"operator\", which may not write for purpose \"service\"\n");
}

/* What no page and no opening can ask for keeps nobody out. */
static void bad_needs(void **state)
{
    BAD("categories:\n  contact: {fields: {email: {type: email, identifier: true}, more: {type: json}}}\n"
        "  visits: {many: true, fields: {page: {type: text}}}\n  card: {transient: {for: 10m}, fields: {holder: {type: text}}}\n"
        "  firm: {source: [partner], fields: {vat: {type: text}}}\n"
        "sources: {partner: {title: Partner, third_party: true, notice_within: 1mo}}\n"
        "purposes: {service: {basis: contract, categories: [contact, visits, card, firm]}}\n"
        "recipients: none\n"
        "accounts: {opened_by: [self], needs: [contact.email, contact.more, visits.page, card.holder, firm.vat]}\n",
        "f:16:54: accounts.needs: \"contact.more\" is JSON, which no page can ask for: nobody could register\n"
        "f:16:68: accounts.needs: \"visits.page\" is not kept once for each person, so no account could be opened\n"
        "f:16:81: accounts.needs: \"card.holder\" is not kept once for each person, so no account could be opened\n"
        "f:16:94: accounts.needs: \"firm.vat\" does not come from the person, so nobody could register\n");
}

/* What two readers of YAML, or two people, read in two ways is asked for, with what was probably meant. */
static void asked_for(void **state)
{
    BAD("categories:\n  contact: {fields: {one: {type: text, required: Yes, max: 010}, two: {type: text, required: off, min: -05}}}\n" PURPOSES
        "recipients: none\n",
        "f:9:50: \"Yes\" is not true or false, did you mean \"true\"?\n"
        "f:9:60: \"010\" is not an integer, did you mean \"10\"?\n"
        "f:9:94: \"off\" is not true or false, did you mean \"false\"?\n"
        "f:9:104: \"-05\" is not an integer, did you mean \"-5\"?\n");
    BAD("categories:\n  contact: {fields: {one: {type: choice, choices: [\"\u00CEle\", \"I\u0302le\", x]}}}\n" PURPOSES
        "recipients: none\n",
        "f:9:59: categories.contact.fields.one has a choice twice, in two normal forms of Unicode\n");
}

/* Faults of the text and of the sense come together; beyond the most that are kept they are counted. */
static void many_faults(void **state)
{
    BAD(REST "consent: &x {}\nminors: {age: x}\nminors: {}\n",
        "f:11:10: an anchor (&x) on a map: anchors and aliases are not allowed\n"
        "f:12:15: \"x\" is not an integer\n"
        "f:13:1: the key \"minors\" stands twice in this map, first on line 12\n");
    ARENA_AUTO a = arena_make(8 << 20);
    BUF_AUTO yaml = buf_make(1 << 20);
    struct findings f = { 0 };
    const struct policy *p;
    buf_add(&yaml, TEXT(BASE_POLICY REST "declared:\n"));
    for (int i = 0; i < 1000; i++)
        buf_print(&yaml, "  x%d: []\n", i);
    assert_int_equal(policy_load(&a, built(&yaml), TEXT("f"), &f, &p), ERR_POLICY);
    assert_int_equal(f.count, 1000);
    assert_int_equal(f.errors, 1000);
    assert_true(
        text_starts(text_of(a.why.detail), TEXT("f has 1000 faults; the first, on line 12: \"x0\" must be a text")));
}

/* ---- The five files of policies/. ---- */

static const struct policy *load_file(struct arena *a, const char *name)
{
    static char yaml[NODE_BYTES_MAX];
    char path[4096];
    snprintf(path, sizeof path, "%s/policies/%s.yaml", getenv("GARANT_SOURCE") ? getenv("GARANT_SOURCE") : ".", name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s cannot be read", path);
    size_t n = fread(yaml, 1, sizeof yaml, file);
    fclose(file);
    BUF_AUTO out = buf_make(1 << 16);
    struct findings f = { 0 };
    const struct policy *p = NULL;
    policy_load(a, (text){ yaml, n }, text_of(name), &f, &p);
    findings_print(&out, text_of(name), &f);
    buf_char(&out, '\0');
    assert_string_equal(out.p, "");
    return p;
}

/* Each loads without a finding, has its promises tied from the first to the last, titles in both languages, and leaves
 * the linter without a remark. */
static void five_files(void **state)
{
    static const struct {
        const char *name, *prefix;
        unsigned promises;
    } files[] = {
        { "mxplorerplace", "MX", 16 },   { "myportal", "MP", 20 },    { "site-fr", "FR", 9 },
        { "myownconference", "MO", 28 }, { "deskmanager", "DM", 24 },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        ARENA_AUTO a = arena_make(1 << 20);
        POLICY_AUTO p = load_file(&a, files[i].name);
        const struct node *promises = node_get(p->root, TEXT("promises"));
        assert_int_equal(promises->count, files[i].promises);
        for (unsigned n = 1; n <= files[i].promises; n++)
            if (!node_get(promises, arena_print(&a, "%s-%02u", files[i].prefix, n)))
                fail_msg("%s does not tie %s-%02u", files[i].name, files[i].prefix, n);
        assert_true(policy_actor(p, TEXT("app")) > 0 && p->language_count == 2);
        for (unsigned c = 0; c < p->category_count; c++)
            assert_true(p->categories[c].transient || p->categories[c].retention);
        for (unsigned u = 0; u < p->purpose_count; u++)
            assert_true(p->purposes[u].title_fr.n && !text_eq(p->purposes[u].title_fr, p->purposes[u].title_en));
        struct lint_findings remarks = { .file = text_of(files[i].name) };
        assert_int_equal(lint_run(&a, p->root, p->source, (struct date){ 2026, 11, 22 }, &remarks), OK);
        if (remarks.first)
            fail_msg("%s: %.*s at line %u", files[i].name, T(remarks.first->rule->id), remarks.first->at.line);
    }
}

static void expect_refusal(const char *file, const char *actor, const char *purpose, const char *category, enum act act,
                           enum verdict verdict, const char *clause, const char *promise)
{
    ARENA_AUTO a = arena_make(1 << 20);
    POLICY_AUTO p = load_file(&a, file);
    struct ask q = { .actor = policy_actor(p, text_of(actor)),
                     .purpose = policy_purpose(p, text_of(purpose)),
                     .category = policy_category(p, text_of(category)),
                     .act = act,
                     .agreement = true };
    struct decision d = policy_decide(p, &q);
    assert_int_equal(d.verdict, verdict);
    assert_true(text_eq(d.clause->path, text_of(clause)));
    if (text_find(d.clause->promises, text_of(promise)) < 0)
        fail_msg("%s is not among %.*s", promise, T(d.clause->promises));
}

/* What the platforms promise to refuse is refused, and the refusal names the promise. */
static void promised_refusals(void **state)
{
    expect_refusal("site-fr", "app", "prospecting", "contact", ACT_SEND, REFUSED_NEVER, "never.prospecting", "FR-03");
    expect_refusal("site-fr", "maintenance", "marketing", "contact", ACT_DISCLOSE, REFUSED_NEVER, "never.prospecting",
                   "FR-04");
    expect_refusal("site-fr", "app", "resale", "contact", ACT_READ, REFUSED_PURPOSE_UNKNOWN, "purposes", "FR-01");
    expect_refusal("myportal", "app", "partner_news", "contact", ACT_READ, REFUSED_CONSENT, "purposes.partner_news",
                   "MP-02");
    expect_refusal("myportal", "organiser", "events", "contact", ACT_DISCLOSE, REFUSED_CONFIDENTIALITY,
                   "recipients.organiser", "MP-10");
    expect_refusal("myportal", "campaigns", "service", "contact", ACT_READ, REFUSED_ACTOR, "systems.campaigns",
                   "MP-16");
    expect_refusal("mxplorerplace", "manager", "statistics", "usage", ACT_READ, REFUSED_ACTOR, "roles.manager",
                   "MX-08");
    expect_refusal("myownconference", "app", "support_extra", "support_notes", ACT_WRITE, REFUSED_CONSENT,
                   "purposes.support_extra", "MO-07");
    expect_refusal("myownconference", "app", "card_storage", "payments", ACT_WRITE, REFUSED_NEVER, "never.payment_data",
                   "MO-20");
    expect_refusal("myownconference", "app", "visitor_marketing", "visitor", ACT_READ, REFUSED_NEVER,
                   "never.visitors_for_us", "MO-11");
    expect_refusal("deskmanager", "mobile", "mobile_features", "mobile", ACT_WRITE, REFUSED_CONSENT,
                   "purposes.mobile_features", "DM-06");
    expect_refusal("deskmanager", "app", "sale", "contact", ACT_DISCLOSE, REFUSED_NEVER, "never.sale", "DM-12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree),
        cmocka_unit_test(reader_refuses),
        cmocka_unit_test(reader_bounds),
        cmocka_unit_test(terms),
        cmocka_unit_test(model),
        cmocka_unit_test(customers),
        cmocka_unit_test(decisions),
        cmocka_unit_test(wild_indexes),
        cmocka_unit_test(bad_words_and_keys),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(missing_keys),
        cmocka_unit_test(bad_places),
        cmocka_unit_test(bad_categories),
        cmocka_unit_test(bad_uses),
        cmocka_unit_test(bad_folders),
        cmocka_unit_test(bad_needs),
        cmocka_unit_test(asked_for),
        cmocka_unit_test(many_faults),
        cmocka_unit_test(five_files),
        cmocka_unit_test(promised_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Versions of the policy: publishing, differences in words, consents asked again, acknowledgements, notices shown. */
#include "domain_fixture.h"
#include "domain/instance/token.h"
#include "domain/instance/app.h"
#include "built.h"
#include "domain/person/consent.h"
#include "publish/diff.h"
#include "publish/pages.h"
#include "domain/core/actor.h"
#include "domain/core/data_subject.h"
#include "domain/person/person.h"
#include "domain/keep/hold.h"
#include "domain/account/session.h"
#include "domain/person/subject.h"
#include "domain/version/acknowledge.h"
#include "domain/version/answer.h"
#include "domain/version/find.h"
#include "paper/version_page.h"
#include <string.h>
#include "domain/instance/published.h"

#define DATA                                                                                                           \
    "categories:\n"                                                                                                    \
    "  contact: {subjects: [customers], fields: {email: {type: email, identifier: true, required: true}}}\n"           \
    "  visits: {many: true, fields: {page: {type: text, required: true}}}\n"                                           \
    "  tastes: {fields: {hobby: {type: text}}}\n"
#define REST                                                                                                                            \
    "roles: {partner: {title: Partner, purposes: [service], acts: [read]}, clerk: {title: Clerk, purposes: [service], acts: [read]}}\n" \
    "systems: {app: {purposes: [service, news, hints], acts: [read, write, erase, export, consent]}}\n"                                 \
    "cookies: {sid: {purpose: service, exempt: authentication, lifetime: session.idle}}\n"                                              \
    "recipients: none\nchanges: {acceptance: none, acknowledged_by: [partner]}\n"
#define PURPOSES(more)                                                                                                 \
    "purposes:\n  service: {basis: contract, categories: [contact, visits, tastes]}\n"                                 \
    "  news: {title: {en: News, fr: Nouvelles}, basis: consent, categories: [contact" more "]}\n"                      \
    "  hints: {basis: consent, categories: [contact]}\n"
#define TERMS(months) "retention:\n  visits: {from: event, active: " months "}\n"

static const char first[] = DATA PURPOSES("") TERMS("6mo") REST;
static const char second[] = DATA PURPOSES(", tastes") TERMS("12mo") REST;

static text hash_now(struct fixture *f) { return arena_copy(&f->arena, text_of(f->c.policy->hash)); }

static void holds(text in, const char *wanted)
{
    if (text_find(in, text_of(wanted)) < 0)
        fail_msg("\"%s\" is not in: %.*s", wanted, T(text_upto(in, 2000)));
}

/* ---- Differences. ---- */

static const struct node *tree(struct arena *a, const char *yaml)
{
    struct findings f = { 0 };
    const struct node *root = NULL;
    assert_int_equal(node_read(a, text_of(yaml), &f, &root), OK);
    return root;
}

static text differs(struct arena *a, const char *older, const char *newer, const char *language, struct diff *d)
{
    struct buf b = buf_make(1 << 20);
    assert_int_equal(diff_make(a, tree(a, older), tree(a, newer), text_of(language), d), OK);
    diff_plain(&b, d, text_of(language));
    text said = arena_copy(a, built(&b));
    buf_free(&b);
    return said;
}

static void equal_versions_differ_in_nothing(void **state)
{
    ARENA_AUTO a = arena_make(16 << 20);
    struct diff d;
    holds(differs(&a, first, first, "en", &d), "No change.");
    assert_null(d.first);
}

/* Each kind that is material: a new purpose, category, recipient or country, a longer retention, a weaker right. */
static void material_is_told_from_editorial(void **state)
{
    static const struct {
        const char *older, *newer, *says;
        bool material;
    } cases[] = {
        { "purposes: {x: {basis: contract, categories: [c]}}",
          "purposes: {x: {basis: contract, categories: [c]}, y: {title: More}}", "New purpose: More.", true },
        { "purposes: {x: {a: b}, y: {title: More}}", "purposes: {x: {a: b}}", "Purpose removed: More.", false },
        { "purposes: {x: {title: T, basis: contract}}", "purposes: {x: {title: T, basis: legitimate_interest}}",
          "T: the legal basis is legitimate interest instead of contract.", true },
        { "categories: {c: {a: b}}", "categories: {c: {a: b}, d: {title: Tastes}}", "New data: Tastes.", true },
        { "categories: {c: {title: C, fields: {x: {type: text}}}}",
          "categories: {c: {title: C, fields: {x: {type: text}, y: {title: Age, type: text}}}}", "New detail: Age.",
          true },
        { "categories: {c: {fields: {x: {title: X, required: true}}}}",
          "categories: {c: {fields: {x: {title: X, required: false}}}}", "X: no longer required.", false },
        { "categories: {c: {fields: {x: {title: X}}}}", "categories: {c: {fields: {x: {title: X, required: true}}}}",
          "X: now required.", true },
        { "recipients: none", "recipients: {r: {name: Acme}}", "New recipient: Acme.", true },
        { "recipients: {r: {name: Acme, country: FR}}", "recipients: {r: {name: Acme, country: US}}",
          "Acme: the country is United States instead of France.", true },
        { "hosting: {countries: [FR]}", "hosting: {countries: [FR, DE]}", "Data can now also be stored in: Germany.",
          true },
        { "hosting: {countries: [FR, DE]}", "hosting: {countries: [FR]}", "Data is no longer stored in: Germany.",
          false },
        { "retention: {c: {from: event, active: 6mo}}", "retention: {c: {from: event, active: 12mo}}",
          "kept for 12\u00A0months instead of 6\u00A0months.", true },
        { "retention: {c: {from: event, active: 12mo}}", "retention: {c: {from: event, active: 1y}}", "becomes",
          false },
        { "retention: {c: {from: event, active: 12mo}}", "retention: {c: {from: event, active: 30d}}",
          "kept for only 30\u00A0days", false },
        { "retention: {c: {from: event, active: 1y}}", "retention: {c: {from: event, active: 1y, archive: 9y}}",
          "now also archived for 9\u00A0years", true },
        { "rights: {offered: [access, erasure]}", "rights: {offered: [access]}",
          "These rights are no longer named: have it erased.", true },
        { "rights: {answer_within: 15d}", "rights: {answer_within: 1mo}",
          "answer requests within a month instead of 15\u00A0days.", true },
        { "rights: {fee: false}", "rights: {fee: true}", "You now have to pay a fee for requests.", true },
        { "never: {sale: {says: We never sell}, x: {says: X}}", "never: {x: {says: X}}",
          "We no longer make this promise: We never sell.", true },
        { "cookies: none", "cookies: {sid: {title: Session., exempt: authentication}}", "New tracker: Session.",
          false },
        { "cookies: none", "cookies: {ad: {title: Ads., exempt: none}}", "New tracker: Ads.", true },
        { "cookies: none", "cookies: {ad: {title: Ads.}}", "New tracker: Ads.", true },
        { "controller: {legal_name: A}", "controller: {legal_name: B}", "Who is responsible: B instead of A.", true },
        { "controller: {phone: '1'}", "controller: {phone: '2'}", "controller.phone: “1” becomes “2”.", false },
        { "policy: {version: '1'}", "policy: {version: '2'}", "No change.", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ARENA_AUTO a = arena_make(16 << 20);
        struct diff d;
        holds(differs(&a, cases[i].older, cases[i].newer, "en", &d), cases[i].says);
        if ((d.material > 0) != cases[i].material)
            fail_msg("%s: %u material, %u editorial", cases[i].says, d.material, d.editorial);
    }
}

static void french_and_for_whom(void **state)
{
    ARENA_AUTO a = arena_make(16 << 20);
    struct diff d;
    text said = differs(&a, first, second, "fr", &d);
    assert_int_equal(d.material, 2);
    holds(said, "[important] Nouvelles\u202F: utilise aussi tastes.");
    holds(said, "Pour : clients.");
    holds(said, "Votre consentement vous sera redemandé.");
    holds(said, "gardées pendant 12\u00A0mois au lieu de 6\u00A0mois");
    assert_int_equal(d.first->new_line > 0 && d.first->old_line > 0, 1);
}

/* ---- An instance. ---- */

static text made(struct fixture *f) { return person_made(f, "ada@example.org", ""); }

static bool lives(struct fixture *f, text id, const char *purpose)
{
    struct answer out = { 0 };
    OKAY(consent_list(&f->c, id, &all_rows, &out));
    JSON_EACH(live, json_get(parsed(f, out.body), TEXT("live")))
        if (text_eq(live->value, text_of(purpose)))
            return true;
    return false;
}

static void changed_purposes_ask_again(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = made(f);
    OKAY(consent_record(&f->c, id,
                        js(f, "[{'purpose':'news','decision':'given'},{'purpose':'hints','decision':'given'}]"), &out));
    assert_true(lives(f, id, "news") && lives(f, id, "hints"));
    id = arena_copy(&f->arena, id);
    fixture_ahead(f, HOUR);
    fixture_again(f, first); /* the same file again changes nothing */
    assert_true(lives(f, id, "news"));
    fixture_again(f, second);
    assert_false(lives(f, id, "news")); /* it now uses more than was agreed to */
    assert_true(lives(f, id, "hints")); /* that one did not change */
    struct person p = { 0 };
    OKAY(person_open(&f->c, id, false, &p));
    assert_int_equal(person_allow(&f->c, &p, TEXT("news"), NULL, ACT_READ), ERR_CONSENT);
    person_end(&p);
    fixture_ahead(f, HOUR);
    OKAY(consent_record(&f->c, id, js(f, "{'purpose':'news','decision':'given'}"), &out));
    assert_true(lives(f, id, "news"));
}

static void versions_stay_readable(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    OKAY(version_banner(&f->c, &out));
    holds(out.body, "\"changed\":false");
    struct version v, *all;
    unsigned count;
    text old = hash_now(f);
    fixture_ahead(f, HOUR);
    fixture_again(f, second);
    text new = hash_now(f);
    OKAY(version_list(&f->c, &all, &count));
    assert_int_equal(count, 2);
    assert_true(text_eq(all[0].hash, new) && all[0].current && text_eq(all[1].hash, old) && !all[1].current);
    OKAY(version_open(&f->c, old, &v));
    holds(v.source, "active: 6mo");
    f->c.language = TEXT("fr");
    OKAY(version_page(&f->c, old, &out));
    holds(out.body, "Cette version n’est plus en vigueur.");
    holds(out.body, "6\u00A0mois");
    OKAY(version_list_page(&f->c, &out));
    holds(out.body, "première version");
    OKAY(version_banner(&f->c, &out));
    holds(out.body, "\"changed\":true");
    holds(out.body, "utilise aussi tastes");
    OKAY(version_diff_page(&f->c, old, new, &out));
    holds(out.body, "gardées pendant 12\u00A0mois au lieu de 6\u00A0mois");
    OKAY(version_diff(&f->c, old, new, &out));
    assert_int_equal(int_at(parsed(f, out.body), "material"), 2);
    static const text wrong[] = { TEXT_INIT(""), TEXT_INIT("0"), TEXT_INIT("../x"),
                                  TEXT_INIT("0000000000000000000000000000000000000000000000000000000000000000"),
                                  TEXT_INIT("%") };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(version_open(&f->c, wrong[i], &v), ERR_NOT_FOUND);
}

static void pages_follow_the_policy(void **state)
{
    struct fixture *f = *state;
    struct page fr, en, later, data;
    f->c.language = TEXT("fr");
    OKAY(page_get(&f->c, PAGE_PRIVACY, &fr));
    f->c.language = TEXT("en");
    OKAY(page_get(&f->c, PAGE_PRIVACY, &en));
    OKAY(page_get(&f->c, PAGE_DATA, &data));
    assert_false(text_eq(fr.etag, en.etag));
    holds(fr.body, "Vos données personnelles");
    holds(en.body, "Your personal data");
    holds(data.body, "\"@type\":\"dpv:PrivacyNotice\"");
    text before = arena_copy(&f->arena, en.etag);
    fixture_again(f, second);
    OKAY(page_get(&f->c, PAGE_PRIVACY, &later));
    assert_false(text_eq(before, later.etag));
    holds(later.body, "12\u00A0months");
}

static void acknowledgements_are_recorded(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = made(f);
    OKAY(version_acknowledge(&f->c, js(f, "{'party':'shop.lyon'}"), &out));
    OKAY(version_acknowledge(&f->c, js(f, "{'party':'shop.lyon'}"), &out)); /* twice is once */
    OKAY(version_acknowledge(&f->c, js(f, "{'version':'%.*s','subject':'%.*s'}", T(hash_now(f)), T(id)), &out));
    fixture_as(f, "partner");
    f->c.actor.token = TEXT("shop.paris");
    OKAY(version_acknowledge(&f->c, js(f, "{}"), &out));
    assert_int_equal(version_acknowledge(&f->c, js(f, "{'party':'shop.nice'}"), &out),
                     ERR_FORBIDDEN); /* for itself only */
    fixture_as(f, "clerk");
    assert_int_equal(version_acknowledge(&f->c, js(f, "{'party':'shop.nice'}"), &out), ERR_FORBIDDEN);
    fixture_as(f, "app");
    assert_int_equal(version_acknowledge(&f->c, js(f, "{}"), &out), ERR_MISSING);
    assert_int_equal(version_acknowledge(&f->c, js(f, "{'party':'Jean Dupont'}"), &out), ERR_VALUE);
    assert_int_equal(version_acknowledge(&f->c, js(f, "{'party':'x','version':'77'}"), &out), ERR_NOT_FOUND);
    assert_int_equal(version_acknowledge(&f->c, js(f, "{'party':'x','verson':'1'}"), &out), ERR_USAGE);
    OKAY(version_acknowledgements(&f->c, TEXT(""), &all_rows, &out));
    const struct json *list = json_get(parsed(f, out.body), TEXT("acknowledgements"));
    assert_int_equal(list->count, 3);
    holds(out.body, "shop.paris");
    holds(out.body, "\"by\":\"partner\"");
    struct version *all;
    unsigned count;
    OKAY(version_list(&f->c, &all, &count));
    assert_int_equal(all[0].acknowledged, 3);
    text token;
    OKAY(token_create(&f->c, TEXT("shop.lille"), TEXT("partner"), TEXT(""), TEXT(""), 0, &token));
    OKAY(token_create(&f->c, TEXT("desk"), TEXT("clerk"), TEXT(""), TEXT(""), 0, &token));
    OKAY(version_acknowledgements(&f->c, TEXT(""), &all_rows, &out));
    holds(out.body, "\"awaited\":[\"shop.lille\"]");
}

/* A signed-in person says on a page that they read the version in force; that is on record once, for it alone, and is
 * no consent. */
static void a_person_acknowledges_on_a_page(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    msec at;
    text id = made(f), old = hash_now(f);
    OKAY(session_by_secret(&f->c, signed_in(f, id)));
    session_as_person(&f->c);
    OKAY(version_reading_page(&f->c, &out));
    holds(out.body, "action=\"/privacy/acknowledge\"");
    holds(out.body, f->c.session->csrf);
    assert_true(text_find(out.body, TEXT("What changed")) < 0);
    assert_int_equal(version_read(&f->c, TEXT("1.0\",\"party\":\"x"), &out), ERR_VALUE);
    OKAY(version_read(&f->c, old, &out));
    OKAY(version_read(&f->c, old, &out));
    OKAY(version_read_at(&f->c, old, &at));
    assert_int_equal(at, f->c.now);
    f->c.language = TEXT("fr");
    OKAY(version_reading_page(&f->c, &out));
    holds(out.body, "Vous avez indiqué le 10\u00A0janvier 2026 avoir lu cette version.");
    assert_true(text_find(out.body, TEXT("<form")) < 0);
    fixture_as(f, "app");
    assert_false(lives(f, id, "news") || lives(f, id, "hints"));
    OKAY(version_acknowledgements(&f->c, TEXT(""), &all_rows, &out));
    assert_int_equal(json_get(parsed(f, out.body), TEXT("acknowledgements"))->count, 1);
    assert_true(text_eq(text_at(parsed(f, out.body), "acknowledgements.0.subject"), id));
    id = arena_copy(&f->arena, id);
    fixture_ahead(f, HOUR);
    fixture_again(f, second);
    OKAY(session_by_secret(&f->c, signed_in(f, id)));
    session_as_person(&f->c);
    OKAY(version_reading_page(&f->c, &out));
    holds(out.body, "<form");
    holds(out.body, "What changed");
    holds(out.body, "also uses tastes");
}

/* What a version said is kept as it was read then, and read again where it was not kept. */
static void a_version_is_kept_compiled(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text old = hash_now(f);
    OKAY(version_get(&f->c, old, &out));
    assert_true(text_eq(text_at(parsed(f, out.body), "document.retention.visits.active"), TEXT("6mo")));
    assert_true(text_find(text_at(parsed(f, out.body), "source"), TEXT("active: 6mo")) > 0);
    fixture_plant(f, "UPDATE policy_compiled SET document = replace(document, '6mo', '7mo')");
    OKAY(version_get(&f->c, old, &out));
    assert_true(text_eq(text_at(parsed(f, out.body), "document.retention.visits.active"), TEXT("7mo")));
    fixture_plant(f, "DELETE FROM policy_compiled");
    fixture_again(f, second);
    OKAY(version_get(&f->c, old, &out));
    assert_true(text_eq(text_at(parsed(f, out.body), "document.retention.visits.active"), TEXT("6mo")));
    assert_int_equal(rows_of(f, "policy_compiled", ""), 1);
}

/* A version whose day lies ahead is announced, and the one in force is enforced until then: over restarts, a clock set
 * back, replacement and withdrawal. */
static void reload(struct fixture *f, const char *policy)
{
    struct findings findings = { 0 };
    fixture_file(f, policy);
    OKAY(app_reload(f->app, &f->arena, &findings));
    fixture_ahead(f, 0);
}

static int entries(struct fixture *f, const char *act)
{
    char where[80];
    snprintf(where, sizeof where, "leaf LIKE '%%\"%s\"%%'", act);
    return (int)rows_of(f, "journal", where);
}

static void a_day_ahead_is_announced(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    struct version *all;
    struct page page;
    unsigned count;
    text old = hash_now(f);
    static const char wanted[] = "A new version, 2.0, applies from 1\u00A0March 2026.";
    fixture_date(f, "2.0", "2026-03-01");
    reload(f, second);
    assert_true(text_eq(hash_now(f), old));
    assert_int_equal(entries(f, "policy.announced"), 1);
    assert_int_equal(entries(f, "policy.published"), 1);
    OKAY(version_list(&f->c, &all, &count));
    assert_int_equal(count, 2);
    assert_true(!all[0].current && all[0].state == VERSION_ANNOUNCED && all[1].current);
    text new = arena_copy(&f->arena, all[0].hash);
    f->c.language = TEXT("en");
    OKAY(page_get(&f->c, PAGE_PRIVACY, &page));
    holds(page.body, wanted);
    holds(page.body, "6\u00A0months");
    OKAY(version_banner(&f->c, &out));
    holds(out.body, "\"coming\":{\"version\":\"2.0\",\"date\":\"2026-03-01\"");
    holds(out.body, "also uses tastes");
    holds(out.body, "\"changed\":false");
    OKAY(version_page(&f->c, new, &out));
    holds(out.body, "This version is not in force yet.");
    fixture_again(f, second); /* a restart: said once */
    assert_true(text_eq(hash_now(f), old));
    assert_int_equal(entries(f, "policy.announced"), 1);
    f->c.language = TEXT("en");
    OKAY(page_get(&f->c, PAGE_PRIVACY, &page));
    holds(page.body, wanted);
    fixture_at(f, "2026-02-28T22:59:00Z"); /* Paris, a minute before its day */
    OKAY(app_policy_tick(f->app, &f->arena));
    fixture_ahead(f, MINUTE);
    assert_true(text_eq(hash_now(f), old));
    OKAY(app_policy_tick(f->app, &f->arena));
    fixture_ahead(f, 0);
    assert_true(text_eq(hash_now(f), new)); /* by itself, on its day */
    assert_int_equal(entries(f, "policy.published"), 2);
    f->c.language = TEXT("en");
    OKAY(page_get(&f->c, PAGE_PRIVACY, &page));
    assert_true(text_find(page.body, TEXT("A new version")) < 0);
    fixture_at(f, "2026-01-11T08:00:00Z"); /* a clock set back takes nothing back */
    fixture_again(f, second);
    assert_true(text_eq(hash_now(f), new));
    assert_int_equal(entries(f, "policy.published"), 2);
    assert_int_equal(entries(f, "policy.withdrawn"), 0);
}

static void an_announcement_is_replaced_and_withdrawn(void **state)
{
    struct fixture *f = *state;
    static const char third[] = DATA PURPOSES("") TERMS("9mo") REST;
    struct version *all;
    unsigned count;
    text old = hash_now(f);
    fixture_date(f, "2.0", "2026-03-01");
    reload(f, second);
    fixture_ahead(f, HOUR);
    fixture_date(f, "3.0", "2026-04-01");
    reload(f, third); /* another instead */
    assert_int_equal(entries(f, "policy.announced"), 2);
    assert_int_equal(entries(f, "policy.withdrawn"), 1);
    fixture_at(f, "2026-03-02T00:00:00Z");
    OKAY(app_policy_tick(f->app, &f->arena));
    fixture_ahead(f, 0);
    assert_true(text_eq(hash_now(f), old));
    OKAY(version_list(&f->c, &all, &count));
    assert_true(count == 3 && all[0].state == VERSION_ANNOUNCED && all[1].state == VERSION_WITHDRAWN && all[2].current);
    fixture_date(f, "1.0", "2026-01-01");
    reload(f, first); /* the one in force again: nothing is announced any more */
    assert_int_equal(entries(f, "policy.withdrawn"), 2);
    assert_int_equal(entries(f, "policy.published"), 1);
    assert_null(app_coming(f->app));
    fixture_at(f, "2026-05-01T00:00:00Z");
    OKAY(app_policy_tick(f->app, &f->arena));
    fixture_ahead(f, 0);
    assert_true(text_eq(hash_now(f), old));
    fixture_date(f, "3.0", "2026-06-01");
    reload(f, third);
    fixture_date(f, "2.0", "2026-03-01");
    reload(f, second); /* one for today goes before it */
    assert_int_equal(entries(f, "policy.withdrawn"), 3);
    assert_int_equal(entries(f, "policy.published"), 2);
    assert_false(text_eq(hash_now(f), old));
    fixture_date(f, "4.0", "2026-07-01");
    fixture_again(f, third); /* announced by a start, in force by a start after its day */
    assert_int_equal(entries(f, "policy.announced"), 4);
    text two = hash_now(f);
    fixture_at(f, "2026-07-02T00:00:00Z");
    fixture_again(f, third);
    assert_false(text_eq(hash_now(f), two));
    assert_int_equal(entries(f, "policy.published"), 3);
}

static void shown_is_no_consent(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = made(f);
    OKAY(retention_event(&f->c, id, js(f, "{'event':'notice_shown'}"), &out));
    OKAY(retention_event(&f->c, id, js(f, "{'event':'notice_shown','version':'%.*s'}", T(hash_now(f))), &out));
    assert_int_equal(retention_event(&f->c, id, js(f, "{'event':'notice_shown','version':'9'}"), &out), ERR_NOT_FOUND);
    assert_int_equal(retention_event(&f->c, id, js(f, "{'event':'notice_shown','purpose':'news'}"), &out), ERR_USAGE);
    assert_false(lives(f, id, "news") || lives(f, id, "hints"));
    OKAY(consent_list(&f->c, id, &all_rows, &out));
    assert_int_equal(json_get(parsed(f, out.body), TEXT("consents"))->count, 0);
}

/* What the file accepts of the linter's findings is in the journal with the version, a rule an entry, and once. */
static void acceptances_are_in_the_journal(void **state)
{
    struct fixture *f = *state;
    static const char accepting[] = DATA PURPOSES("") TERMS("6mo") REST
        "accept: {T09: tapes are rotated by hand, N16: 'told, on paper, to Ada', P11: no finding}\n";
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%\"policy.accepted\"%'"), 0);
    for (int i = 0; i < 2; i++) {
        fixture_again(f, accepting);
        assert_int_equal(rows_of(f, "journal", "leaf LIKE '%\"policy.accepted\"%'"), 2);
    }
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%\"policy.accepted\"%\"clause\":\"accept.T09\"%'"), 1);
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%\"policy.accepted\"%\"clause\":\"accept.N16\"%'"), 1);
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%Ada%'"), 0);
    struct buf where = buf_make(200);
    buf_print(&where, "leaf LIKE '%%\"policy.accepted\"%%%s%%'", f->c.policy->hash);
    buf_char(&where, 0);
    assert_int_equal(rows_of(f, "journal", built(&where).p), 2);
    buf_free(&where);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_versions_differ_in_nothing),
        cmocka_unit_test(material_is_told_from_editorial),
        cmocka_unit_test(french_and_for_whom),
        OVER(first, changed_purposes_ask_again),
        OVER(first, versions_stay_readable),
        OVER(first, pages_follow_the_policy),
        OVER(first, acknowledgements_are_recorded),
        OVER(first, shown_is_no_consent),
        OVER(first, acceptances_are_in_the_journal),
        OVER(first, a_person_acknowledges_on_a_page),
        OVER(first, a_version_is_kept_compiled),
        OVER(first, a_day_ahead_is_announced),
        OVER(first, an_announcement_is_replaced_and_withdrawn),
    };
    return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}

/* The promise board: all kept over a sound instance; then a break planted for each probe, which must be seen, and where
 * it stands. */
#include "domain_fixture.h"
#include "domain/dsr/dsr.h"
#include "built.h"
#include "domain/publication/publication.h"
#include "domain/board/board.h"
#include "domain/instance/care.h"
#include "domain/rights/objection.h"
#include "domain/entry/address.h"
#include "domain/keep/erase.h"
#include "domain/folder/folder.h"
#include "domain/person/holding.h"
#include "publish/notice.h"
#include "domain/keep/hold.h"
#include "domain/person/rectify.h"
#include "domain/person/subject.h"
#include <string.h>

static const char policy[] =
    "backup: {every: 24h, keep: 30d}\n"
    "sources: {partner: {title: {en: Partner, fr: Partenaire}, third_party: true, notice_within: 1mo},"
    " network: {title: {en: Network, fr: Réseau}, permission: true}}\n"
    "categories:\n"
    "  identity: {source: [person, partner], fields: {name: {type: text}}}\n"
    "  quote: {public: quotes, fields: {words: {type: text}}}\n"
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"
    "  social: {source: [network], fields: {name: {type: text}, place: {type: text}}}\n"
    "  visits: {many: true, fields: {page: {type: text}}}\n"
    "  invoices: {many: true, held: true, fields: {number: {type: text}}}\n"
    "  rights: {many: true, stream: folders, fields: {folder: {type: text}}}\n"
    "  card: {transient: {for: 10m}, fields: {holder: {type: text}}}\n"
    "purposes:\n"
    "  service: {basis: contract, categories: [identity, contact, social, visits, rights, card]}\n"
    "  billing: {basis: legal_obligation, law: 'C. com. L123-22', categories: [identity, invoices]}\n"
    "  news: {basis: consent, categories: [contact]}\n"
    "  quotes: {basis: consent, categories: [quote]}\n"
    "  measure: {basis: legitimate_interest, interest: {en: Measure, fr: Mesurer}, categories: [visits]}\n"
    "never: {resale: {says: {en: Data is never sold, fr: Les données ne sont jamais vendues}, purposes: [resale]}}\n"
    "retention:\n"
    "  visits: {from: event, active: 12mo}\n"
    "  invoices: {from: year_end, active: 1y, archive: 9y, ground: 'C. com. L123-22'}\n"
    "  rights: {from: event, active: 12mo}\n"
    "  former: {from: event, active: 12mo}\n"
    "  consents: {from: withdrawal, active: 3y}\n"
    "holds: none\n"
    "declared: {data_centre: {en: The data centre is of tier III, fr: Le centre de données est de niveau III}}\n"
    "promises: {DM-12: never.resale, FR-05: retention.visits}\n"
    "cookies: {sid: {title: Session, kind: cookie, purpose: service, exempt: authentication, lifetime: session.idle}}\n"
    "systems: {app: {purposes: [service, billing, news, quotes, measure], acts: [read, write, disclose, consent, export, erase]}}\n"
    "folders: {file: {purpose: service}}\n"
    "recipients:\n"
    "  carrier: {name: Carrier SA, purposes: [service], categories: [identity, contact], country: FR, processor: true, contract: 2026-01-01, charter: accepted}\n";

/* A life in which each probe has something to look at. */
static text lived(struct fixture *f)
{
    struct answer out = { 0 };
    text gone = person_made(f, "gone@people.example", ""), folder = arena_print(&f->arena, "%s/copy", f->dir);
    text id = person_lived(
        f, &(struct life){ "one@people.example", "Inès", "/a", "INV-1", "Renamed", "a.txt", "an attachment" });
    OKAY(subject_read(&f->c, id, TEXT("service"), (text){ NULL, 0 }, &out));
    OKAY(erase_subject(&f->c, gone, NULL, &out));
    f->c.if_match = -1;
    OKAY(subject_patch_from(&f->c, id, js(f, "{'social':{'name':'ines','place':'Lyon'}}"),
                            &(struct patched){ .source = TEXT("network"), .permitted = time_print(&f->arena, f->c.now) },
                            &out));
    f->c.if_match = 0;
    OKAY(objection_set(&f->c, id, TEXT("measure"), true, &out)); /* a person's right: nothing is broken by it */
    OKAY(publication_send(&f->c, id, &(struct publication_new){ .category = TEXT("quote"), .fields = js(f, "{'words':'A good tool.'}"), .agree = true },
                          &out));
    OKAY(publication_decide(&f->c, out.id, js(f, "{'decision':'publish'}"), &out));
    OKAY(folder_grant(&f->c, id, js(f, "{'folder':'file','name':'open','why':'works on it'}"), &out));
    OKAY(folder_grant(&f->c, id, js(f, "{'folder':'file','name':'gone','why':'works on it'}"), &out));
    OKAY(folder_revoke(&f->c, id, js(f, "{'folder':'file','name':'gone','why':'left'}"), &out));
    text asked = arena_print(&f->arena, "{'kind':'question','channel':'post','text':'my data','subject':'%.*s'}", T(id));
    fixture_as(f, "operator");
    OKAY(dsr_enter(&f->c, js(f, "%s", asked.p), &out));
    fixture_plant(f, "INSERT INTO dsr_proof (tenant, request, id, at, due, meta, content) SELECT tenant, id, x'07', 1, 9e12,"
                     " x'01', x'01' FROM dsr");
    signed_in(f, id);
    password_given(f, id, "Kobu-7-renard-Vite");
    fixture_as(f, "operator");
    OKAY(hold_create(&f->c, id, js(f, "{'category':'invoices','ground':'dispute','until':'2027-01-01'}"), &out));
    OKAY(care_backup(&f->c, js(f, "{'to':'%s'}", folder.p), NULL, &out));
    return id;
}

static struct board_view *looked(struct fixture *f)
{
    struct board_view *v = NEW(&f->arena, struct board_view);
    if (!f->app->country[0])
        memcpy(f->app->country, "FR", 3);
    f->c.began = clock_monotonic(); /* each is another request */
    OKAY(board_look(&f->c, MINUTE, v));
    return v;
}

static const struct board_clause *clause(const struct board_view *v, const char *path)
{
    for (const struct board_clause *one = v->first; one; one = one->next)
        if (text_eq(one->path, text_of(path)))
            return one;
    fail_msg("the board has no clause %s", path);
    return NULL;
}

static void assert_kept(const struct board_view *v, int but, int but_too)
{
    for (int i = 0; i < PROBES; i++) {
        const struct board_probe *p = &v->probes[i];
        if (i != but && i != but_too && p->applies && (p->state != PROMISE_KEPT || p->bad || !p->at))
            fail_msg("%.*s is %.*s: %lld bad, %lld soon", T(probe_row((enum probe)i)->name), T(promise_word(p->state)),
                     (long long)p->bad, (long long)p->soon);
    }
}

static void all_kept(void **state)
{
    struct fixture *f = *state;
    lived(f);
    struct board_view *v = looked(f);
    assert_kept(v, -1, -1);
    assert_int_equal(v->worst, PROMISE_KEPT);
    assert_int_equal(v->counts[PROMISE_BROKEN] + v->counts[PROMISE_RISK], 0);
    assert_true(v->counts[PROMISE_KEPT] > 15 && v->counts[PROMISE_DECLARED] >= 1);
    /* Each probe but those of a count that may be zero has looked at something. */
    for (int i = 0; i < PROBES; i++)
        if (i != PROBE_backups && i != PROBE_master && i != PROBE_accounts && i != PROBE_trackers && i != PROBE_letters &&
            i != PROBE_authorities && i != PROBE_breaches && i != PROBE_support && i != PROBE_mergers && i != PROBE_stores)
            assert_true(v->probes[i].figure > 0);
    assert_int_equal(clause(v, "declared.data_centre")->state, PROMISE_DECLARED);
    assert_int_equal(clause(v, "declared.data_centre")->probe, -1);
    const struct board_clause *visits = clause(v, "retention.visits");
    assert_int_equal(visits->figure, 1);
    assert_true(text_eq(visits->promises, TEXT("FR-05")) && visits->line > 20 && visits->sentence.n > 10);
    assert_true(v->probes[PROBE_cookies].applies);
}

/* live: beside the running instance, since the journal's end is verified at each start. */
/* unread: what was moved or rewritten by hand no longer opens either. */
/* unbound: altered behind the program's back; what others plant is bound, so that their own probe sees it alone. */
struct plant {
    enum probe probe;
    const char *keys, *data;
    bool live, unread;
    int64_t bad;
    bool unbound;
};
static const struct plant plants[] = {
    { PROBE_notice, "", "UPDATE policy_version SET text = text || ' '", false },
    { PROBE_purposes, "",
      "UPDATE journal SET leaf = replace(leaf, '\"purpose\":\"service\"', '\"purpose\":\"resale\"') WHERE leaf LIKE '%\"act\":\"read\"%'",
      true },
    { PROBE_consents, "", "UPDATE wording SET text = 'All and everything'", false },
    { PROBE_trackers, "",
      "INSERT INTO tracker_choice (tenant, id, purpose, decision, device, at, policy, wording, language, site, method, due)"
      " SELECT 'demo', x'00112233445566778899aabbccddeeff', 'service', 'refused', x'00', 1, v.version, w.hash, 'en', 'demo.example', 'banner',"
      " NULL FROM policy_version v, wording w LIMIT 1",
      false },
    { PROBE_letters, "",
      "INSERT INTO campaign (tenant, id, state, purpose, channel, actor, body, at, pace, sent, skipped, failed, uncertain, measured, opened)"
      " VALUES ('demo', x'00112233445566778899aabbccddeeff', 'done', 'news', 'email', 'app', '', 1, 0, 1, 0, 0, 0, 0, 0);"
      " INSERT INTO campaign_letter (tenant, subject, campaign, state, at, tries, due)"
      " SELECT 'demo', id, x'00112233445566778899aabbccddeeff', 1, 9e15, 1, 9e15 FROM subject WHERE state = 0 LIMIT 1",
      false },
    { PROBE_undeclared, "", "UPDATE record SET category = 'hobbies' WHERE category = 'visits'", false, true },
    { PROBE_transient, "", "UPDATE record SET category = 'card' WHERE category = 'visits'", false, true },
    { PROBE_retention, "", "UPDATE record SET at = at - 400 * 86400000, due = NULL WHERE category = 'visits'", false },
    { PROBE_retention, "", "UPDATE former SET at = at - 400 * 86400000, due = NULL", false },
    { PROBE_retention, "", "UPDATE folder_grant SET at = at - 400 * 86400000, due = NULL", false, true },
    { PROBE_undeclared, "", "UPDATE folder_grant SET category = 'hobbies'", false },
    { PROBE_sealed, "",
      "UPDATE folder_grant SET details = CAST('{\"name\": \"a folder whose name stands in clear, and is long enough\"}' AS BLOB)",
      false, true },
    { PROBE_retention, "",
      "UPDATE consent SET at = 86400000, decision = 'withdrawn' WHERE channel <> 'source' AND purpose <> 'quotes'",
      false },
    { PROBE_permissions, "", "DELETE FROM consent WHERE channel = 'source'", .bad = 2 },
    { PROBE_permissions, "", "UPDATE consent SET decision = 'withdrawn' WHERE channel = 'source'", .bad = 2 },
    { PROBE_publications, "", "UPDATE publication SET decided = 1", .bad = 1 },
    { PROBE_support, "",
      "INSERT INTO support (id, tenant, home, actor, asker, reason, state, writes, lasts, at, decided, ends, due) VALUES"
      " (x'09', 'demo', 'demo', 'app', x'01', 'help', 3, 0, 1000, 1, 1000, 2000, 9e12); INSERT INTO support_look (tenant, support, id,"
      " categories, writes, at, due) VALUES ('demo', x'09', x'01', 'contact', 0, 2000, 9e12), ('demo', x'09', x'02', 'contact', 1, 1500, 9e12),"
      " ('demo', x'09', x'03', 'contact', 0, 1500, 9e12)",
      .bad = 2, .unbound = true },
    { PROBE_support, "",
      "INSERT INTO support (id, tenant, home, actor, asker, reason, state, writes, lasts, at, decided, ends, due) VALUES"
      " (x'09', 'demo', 'demo', 'app', x'01', 'help', 3, 0, 1000, 1, 1000, 28801001, 9e12)",
      .bad = 1, .unbound = true },
    { PROBE_duties, "", "UPDATE duty SET due = at - 1", false },
    { PROBE_register, "", "UPDATE dsr SET legal = 1", false },
    { PROBE_identity, "", "UPDATE dsr_proof SET due = 1", false },
    { PROBE_rights, "", "INSERT INTO dsr_step (tenant, request, version, at, move, actor) SELECT tenant, id, 9, 1, 'refuse', 'x' FROM dsr", .bad = 1 },
    { PROBE_rights, "", "INSERT INTO dsr_step (tenant, request, version, at, move, actor) SELECT tenant, id, 9, 1, 'ask_proof', 'x' FROM dsr",
      .bad = 1 },
    { PROBE_stores, "",
      "INSERT INTO connector_job (tenant, id, version, act, state, at, body) SELECT tenant, id, 1, 'restrict', 'open', 1, x'01' FROM dsr",
      .bad = 1 },
    { PROBE_mergers, "",
      "INSERT INTO merger (hash, who, at, digest, body, passed, entered, content) VALUES ('a', x'01', 1, 'b', '', 'c', 1, x'01')", .bad = 1 },
    { PROBE_authorities, "",
      "INSERT INTO authority_person (tenant, subject, request, disclosure, handed) SELECT tenant, id, x'00112233445566778899aabbccddeeff',"
      " x'01', 1 FROM subject WHERE state = 0 LIMIT 1",
      .bad = 2 },
    { PROBE_authorities, "",
      "INSERT INTO disclosure (tenant, subject, id, recipient, purpose, categories, at) SELECT tenant, id, x'ff', 'authorities', 'authorities',"
      " 'contact', 1 FROM subject WHERE state = 0 LIMIT 1",
      .bad = 1 },
    { PROBE_breaches, "", "INSERT INTO breach (tenant, id, version, drill, known, authority, subjects, processors, letters, unreached,"
      " body) SELECT tenant, id, 1, 0, 1, 1, 1, 1, 0, 0, x'01' FROM dsr LIMIT 1", false },
    { PROBE_requests, "",
      "INSERT INTO erasing (tenant, subject, certificate, at, facts) VALUES ('demo', x'00112233445566778899aabbccddeeff', x'ffeeddccbbaa99887766554433221100', 1, '{}')",
      false },
    { PROBE_journal, "",
      "UPDATE journal SET leaf = replace(leaf, 'subject.erase', 'subject.patch') WHERE seq = (SELECT MAX(seq) FROM journal"
      " WHERE leaf LIKE '%subject.erase%')",
      true },
    { PROBE_ledger, "", "UPDATE consent SET method = 'elsewhere'", .bad = 4, .unbound = true },
    { PROBE_ledger, "", "DELETE FROM hold", .bad = 1, .unbound = true },
    { PROBE_ledger, "",
      "INSERT INTO folder_grant SELECT tenant, subject, kind, name, seq + 10, category, act, actor, who, details, starts, until, at, due"
      " FROM folder_grant WHERE seq = 1",
      .unbound = true, .unread = true },
    { PROBE_accounts, "",
      "UPDATE account SET state = 'refused'; INSERT INTO session (digest, tenant, subject, id, created, seen, ends, authenticated, factor)"
      " SELECT randomblob(32), tenant, id, x'02', created, created, created + 3600000, created, 0 FROM subject LIMIT 1",
      false },
    { PROBE_holds, "", "UPDATE hold SET until = 86400000", false },
    { PROBE_recipients, "", "UPDATE disclosure SET recipient = 'broker'", false },
    { PROBE_charters, "", "UPDATE charter_acceptance SET at = at - 2, ended = at - 1, due = at * 2", .bad = 1 },
    { PROBE_charters, "", "UPDATE charter_acceptance SET version = 'older'", .bad = 1 },
    { PROBE_sealed, "",
      "UPDATE record SET sealed = CAST('{\"page\": \"/a page that stands in clear, and is long enough\"}' AS BLOB)"
      " WHERE category = 'visits'",
      false, true },
    { PROBE_sessions, "", "UPDATE session SET ends = created - 1, seen = created - 86400000", false },
    { PROBE_passwords, "", "UPDATE account SET password = CAST('Kobu-7-renard-Vite' AS BLOB)", false },
    { PROBE_keyring, "DELETE FROM key WHERE class = 0", "", false },
    { PROBE_keyring,
      "INSERT INTO key SELECT tenant, x'00112233445566778899aabbccddeeff', class, wrapped FROM key WHERE class = 0 LIMIT 1",
      "", false },
    { PROBE_keyring, "", "UPDATE record SET subject = x'00112233445566778899aabbccddeeff' WHERE category = 'visits'",
      false, true },
    { PROBE_readable, "",
      "UPDATE record SET version = version + 1 WHERE category = 'identity';"
      " UPDATE former SET sealed = (SELECT sealed FROM record WHERE category = 'invoices');"
      " UPDATE attachment SET meta = (SELECT sealed FROM record WHERE category = 'invoices');"
      " UPDATE consent SET evidence = zeroblob(80);"
      " UPDATE folder_grant SET details = (SELECT sealed FROM record WHERE category = 'invoices');"
      " UPDATE record SET sealed = (SELECT sealed FROM record WHERE category = 'invoices') WHERE category = 'visits'",
      .bad = 11 }, /* a record, a former value, a file's name, two consents, an objection, a permission, three grants,
                      another record */
    { PROBE_readable, "DELETE FROM key WHERE class <> 0", "", false },
};

/* Each on an instance of its own, so that nothing but what was planted can be seen. */
static void planted_breaks(void **state)
{
    bool seen[PROBES] = { false };
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        struct fixture f;
        fixture_open(&f, policy);
        lived(&f);
        if (plants[i].live)
            fixture_alter(&f, "data", plants[i].data);
        else {
            assert_kept(looked(&f), -1, -1);
            (plants[i].unbound ? fixture_altered_unbound : fixture_altered)(&f, plants[i].keys, plants[i].data);
        }
        struct board_view *v = looked(&f);
        const struct board_probe *p = &v->probes[plants[i].probe];
        if (p->state != PROMISE_BROKEN || p->bad < 1 || v->worst != PROMISE_BROKEN)
            fail_msg("plant %zu, %.*s: not seen, %.*s", i, T(probe_row(plants[i].probe)->name),
                     T(promise_word(p->state)));
        if (plants[i].bad)
            assert_int_equal(p->bad, plants[i].bad);
        seen[plants[i].probe] = true;
        if (plants[i].live)
            assert_int_equal(v->probes[PROBE_journal].state, PROMISE_BROKEN);
        else
            assert_kept(v, (int)plants[i].probe, plants[i].unread ? PROBE_readable : -1);
        fixture_close(&f);
    }
    for (int i = 0; i < PROBES; i++)
        if (!seen[i] && i != PROBE_backups && i != PROBE_hosting && i != PROBE_cookies && i != PROBE_master &&
            i != PROBE_transport)
            fail_msg("no break is planted for %.*s", T(probe_row((enum probe)i)->name));
}

/* The certificate runs to its end: kept, at risk in its last tenth, broken; renewed, kept again. */
static void a_certificate_ends(void **state)
{
    struct fixture *f = *state;
    struct {
        msec from, until;
        enum promise_state state;
    } times[] = {
        { -1, 10, PROMISE_KEPT },    { -89, 11, PROMISE_KEPT }, { -91, 9, PROMISE_RISK },
        { -100, 0, PROMISE_BROKEN }, { -1, 90, PROMISE_KEPT },
    };
    lived(f);
    assert_int_equal(looked(f)->probes[PROBE_transport].figure, 1);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        app_reached(f->app, WAY_TLS, f->c.now + times[i].from * DAY, f->c.now + times[i].until * DAY);
        struct board_view *v = looked(f);
        assert_int_equal(v->probes[PROBE_transport].figure, 2);
        assert_int_equal(v->probes[PROBE_transport].state, times[i].state);
        assert_int_equal(clause(v, "security.transport")->state, times[i].state);
        assert_int_equal(v->worst, times[i].state);
    }
    app_reached(f->app, WAY_PROXY, 0, 0);
    assert_kept(looked(f), -1, -1);
}

/* A cookie that the filter held back puts the list at risk; a session by one that the policy no longer has breaks it.
 */
static void cookies_outside_the_list(void **state)
{
    struct fixture *f = *state;
    lived(f);
    assert_int_equal(looked(f)->probes[PROBE_cookies].state, PROMISE_KEPT);
    app_cookie_held(f->app);
    assert_int_equal(looked(f)->probes[PROBE_cookies].state, PROMISE_RISK);
    BUF_AUTO without = buf_make(1 << 16);
    text rest = text_of(policy), list = TEXT("cookies: {sid");
    ptrdiff_t at = text_find(rest, list);
    assert_true(at > 0);
    buf_add(&without, text_upto(rest, (size_t)at));
    buf_add(
        &without,
        TEXT("cookies: {other: {title: Other, kind: cookie, purpose: service, exempt: preferences, lifetime: 30d}}\n"));
    rest = text_from(rest, (size_t)at);
    text_cut(&rest, '\n');
    buf_add(&without, rest);
    buf_char(&without, '\0');
    fixture_again(f, built(&without).p);
    const struct board_probe *p = &looked(f)->probes[PROBE_cookies];
    assert_int_equal(p->state, PROMISE_BROKEN);
    assert_int_equal(p->bad, 1);
}

static void where_it_is_broken(void **state)
{
    struct fixture *f = *state;
    lived(f);
    fixture_altered(f, "", "UPDATE record SET at = at - 400 * 86400000, due = NULL WHERE category = 'visits'");
    struct board_view *v = looked(f);
    const struct board_clause *visits = clause(v, "retention.visits");
    assert_int_equal(visits->state, PROMISE_BROKEN);
    assert_int_equal(visits->bad, 1);
    assert_int_equal(clause(v, "retention.invoices")->state, PROMISE_KEPT);
    assert_int_equal(clause(v, "never.resale")->state, PROMISE_KEPT);
    for (const struct board_clause *one = v->first; one; one = one->next)
        assert_true(one->state != PROMISE_BROKEN || text_eq(one->path, visits->path));
}

static void a_hold_excuses(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = lived(f);
    OKAY(hold_create(&f->c, id, js(f, "{'category':'visits','ground':'dispute'}"), &out));
    fixture_altered(f, "", "UPDATE record SET at = at - 400 * 86400000, due = NULL WHERE category = 'visits'");
    assert_kept(looked(f), -1, -1);
}

/* A term that has just ended is at risk; an hour later, without a sweep, it is broken; swept, it is kept again. */
static void time_goes_by(void **state)
{
    struct fixture *f = *state;
    lived(f);
    fixture_as(f, "operator");
    fixture_at(f, "2027-01-10T00:20:00Z");
    assert_int_equal(looked(f)->probes[PROBE_retention].state, PROMISE_RISK);
    fixture_at(f, "2027-01-10T02:00:00Z");
    assert_int_equal(looked(f)->probes[PROBE_retention].state, PROMISE_BROKEN);
    swept(f);
    struct board_view *v = looked(f);
    assert_int_equal(v->probes[PROBE_retention].state, PROMISE_KEPT);
    assert_int_equal(v->probes[PROBE_holds].state, PROMISE_KEPT);
    assert_int_equal(v->probes[PROBE_backups].state, PROMISE_BROKEN);
    assert_int_equal(clause(v, "backup")->state, PROMISE_BROKEN);
}

/* What has not been made once keeps no promise yet. */
static void no_backup_yet_is_a_risk(void **state)
{
    struct fixture *f = *state;
    person_made(f, "one@people.example", "");
    assert_int_equal(looked(f)->probes[PROBE_backups].state, PROMISE_RISK);
}

static void backups_and_duties_at_risk(void **state)
{
    struct fixture *f = *state;
    lived(f);
    fixture_at(f, "2026-01-11T07:00:00Z");
    assert_int_equal(looked(f)->probes[PROBE_backups].state, PROMISE_RISK);
    fixture_at(f, "2026-01-11T09:00:00Z");
    assert_int_equal(looked(f)->probes[PROBE_backups].state, PROMISE_BROKEN);
    fixture_at(f, "2026-02-08T09:00:00Z");
    assert_int_equal(looked(f)->probes[PROBE_duties].state, PROMISE_RISK);
    fixture_at(f, "2026-02-12T09:00:00Z");
    assert_int_equal(looked(f)->probes[PROBE_duties].state, PROMISE_BROKEN);
    fixture_at(f, "2028-02-12T09:00:00Z");
    assert_int_equal(looked(f)->probes[PROBE_master].state, PROMISE_RISK);
}

static void places(void **state)
{
    struct fixture *f = *state;
    memcpy(f->app->country, "US", 3);
    struct board_view *v = looked(f);
    assert_int_equal(v->probes[PROBE_hosting].state, PROMISE_BROKEN);
    assert_int_equal(clause(v, "hosting.countries")->state, PROMISE_BROKEN);
    struct board_view untold;
    fixture_again(f, NULL);
    f->c.began = clock_monotonic(); /* each is another request */
    OKAY(board_look(&f->c, MINUTE, &untold));
    assert_int_equal(untold.probes[PROBE_hosting].state, PROMISE_RISK);
}

/* A journal longer than one bundle and one step, looked at as the jobs do: little by little, then only what is new. */
static void the_jobs_look(void **state)
{
    struct fixture *f = *state;
    struct board_view v;
    text id = lived(f);
    memcpy(f->app->country, "FR", 3);
    for (int i = 0; i < 600; i++) {
        struct answer out = { 0 };
        ARENA_AUTO a = arena_make(1 << 20);
        struct ctx c = f->c;
        c.arena = &a;
        OKAY(subject_former(&c, id, &all_rows, &out));
    }
    board_probes(&f->c, &v);
    assert_int_equal(v.probes[PROBE_journal].at, 0);
    assert_int_equal(v.probes[PROBE_journal].state, PROMISE_RISK);
    for (int i = 0; i < 4; i++)
        board_tick(f->app);
    board_probes(&f->c, &v);
    assert_kept(&v, -1, -1);
    assert_int_equal(v.probes[PROBE_journal].figure, rows_of(f, "journal", ""));
    int64_t before = v.probes[PROBE_purposes].figure;
    assert_true(before >= 600);
    struct answer out = { 0 };
    OKAY(subject_former(&f->c, id, &all_rows, &out));
    f->c.began = clock_monotonic(); /* each is another request */
    OKAY(board_look(&f->c, MINUTE, &v));
    assert_int_equal(v.probes[PROBE_purposes].figure, before + 1);
}

static void another_policy(void **state)
{
    struct fixture *f = *state;
    char *other = strdup(policy), *visits = strstr(other, "  visits: {from: event, active: 12mo}\n");
    assert_non_null(visits);
    memcpy(visits, "  visits: {from: event, active: 30d} \n", 38);
    lived(f);
    assert_kept(looked(f), -1, -1);
    fixture_again(f, other);
    free(other);
    struct board_view *v = looked(f);
    assert_kept(v, -1, -1);
    assert_int_equal(v->probes[PROBE_notice].figure, 2);
}

static void as_json(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    lived(f);
    memcpy(f->app->country, "FR", 3);
    f->c.language = TEXT("fr");
    f->c.began = clock_monotonic(); /* each is another request */
    OKAY(board_answer(&f->c, MINUTE, &out));
    const struct json *v = parsed(f, out.body);
    assert_true(text_eq(text_at(v, "state"), TEXT("kept")));
    assert_true(text_eq(text_at(v, "probes.0.title"), TEXT("La notice publiée est la vraie politique")));
    assert_true(int_at(v, "counts.kept") > 15 && int_at(v, "counts.broken") == 0);
    unsigned found = 0;
    JSON_EACH(one, json_get(v, TEXT("clauses"))) {
        if (!text_eq(json_text(one, TEXT("path")), TEXT("never.resale")))
            continue;
        found++;
        assert_true(text_eq(text_at(one, "promises.0"), TEXT("DM-12")) &&
                    text_eq(text_at(one, "probe"), TEXT("purposes")));
        assert_true(text_ends(text_at(one, "file"), TEXT("policy.yaml")) && int_at(one, "line") > 10);
    }
    assert_int_equal(found, 1);
}

/* A clause whose probe has no row would be shown as declared only; a probe without both languages would be mute. */
static void rows_fit(void **state)
{
    unsigned count;
    const struct clause_row *rows = clause_rows(&count);
    for (unsigned i = 0; i < count; i++) {
        bool found = !rows[i].probe.n || text_eq(rows[i].probe, TEXT("-")); /* applied, and nothing looks */
        for (int p = 0; p < PROBES; p++)
            found |= text_eq(text_ends(rows[i].probe, TEXT("+")) ? text_upto(rows[i].probe, rows[i].probe.n - 1)
                                                                 : rows[i].probe,
                             probe_row((enum probe)p)->name);
        if (!found || (rows[i].kind == ROW_CLAUSE && !rows[i].kept.n != !rows[i].probe.n))
            fail_msg("clauses.def, %.*s: probe %.*s", T(rows[i].pattern), T(rows[i].probe));
    }
    for (int p = 0; p < PROBES; p++) {
        const struct probe_row *r = probe_row((enum probe)p);
        const struct probe_text *texts[] = { &r->title, &r->says, &r->figure, &r->bad, &r->risk };
        for (size_t i = 0; i < 5; i++)
            assert_true(texts[i]->en.n > 3 && texts[i]->fr.n > 3 && !text_eq(texts[i]->en, texts[i]->fr));
        assert_true(r->jobs != 0);
    }
}

#define TEST(name) OVER(policy, name)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_kept),
        cmocka_unit_test(planted_breaks),
        TEST(a_certificate_ends),
        TEST(cookies_outside_the_list),
        TEST(where_it_is_broken),
        TEST(a_hold_excuses),
        TEST(time_goes_by),
        TEST(backups_and_duties_at_risk),
        TEST(no_backup_yet_is_a_risk),
        TEST(places),
        TEST(the_jobs_look),
        TEST(another_policy),
        TEST(as_json),
        cmocka_unit_test(rows_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Erasure over a real store: keys and rows of every table, holds with ground and end, recipients, certificate, crash,
 * leftovers. */
#include "domain_fixture.h"
#include "domain/dsr/dsr.h"
#include "domain/person/record.h"
#include "domain/rights/duty.h"
#include "domain/core/context.h"
#include "crypt/note.h"
#include "domain/keep/archive.h"
#include "domain/person/consent.h"
#include "domain/mail/contact.h"
#include "domain/keep/erasing.h"
#include "domain/folder/folder.h"
#include "domain/person/held.h"
#include "domain/rights/disclosure.h"
#include "domain/instance/journal_files.h"
#include "domain/keep/hold.h"
#include "domain/entry/signin.h"
#include "domain/person/append.h"
#include "domain/person/subject.h"
#include "domain/version/acknowledge.h"
#include "store/tables.h"
#include <string.h>

static const char policy[] =
    "sources: {partner: {title: {en: Partner, fr: Partenaire}, third_party: true, notice_within: 1mo}}\n"
    "categories:\n"
    "  identity: {source: [person, partner], fields: {name: {type: text}}}\n"
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"
    "  visits: {many: true, fields: {page: {type: text}}}\n"
    "  invoices: {many: true, held: true, fields: {number: {type: text}}}\n"
    "purposes:\n"
    "  service: {basis: contract, categories: [identity, contact, visits]}\n"
    "  billing: {basis: legal_obligation, law: 'C. com. L123-22', categories: [identity, invoices]}\n"
    "  news: {basis: consent, categories: [contact]}\n"
    "cookies: {sid: {kind: cookie, purpose: service, exempt: authentication, lifetime: session.idle}}\n"
    "retention:\n"
    "  visits: {from: event, active: 12mo}\n"
    "  invoices: {from: year_end, active: 1y, archive: 9y, ground: 'C. com. L123-22'}\n"
    "  former: {from: event, active: 12mo}\n"
    "systems: {app: {purposes: [service, billing, news], acts: [read, write, send, disclose, consent, export, erase]}}\n"
    "recipients:\n"
    "  carrier: {name: Carrier SA, purposes: [service], categories: [identity, contact], country: FR, processor: true, contract: 2026-01-01, charter: accepted}\n"
    "folders: {file: {purpose: service}}\n";

/* A person with a row in every table that may speak of one. */
static text full_person(struct fixture *f, const char *email)
{
    struct answer out = { 0 };
    text id = person_lived(f, &(struct life){ email, "Planted Canary", "/planted/canary", "INV-canary-1",
                                              "Canary Renamed", "canary.txt", "planted canary attachment" });
    OKAY(retention_event(&f->c, id, js(f, "{'event':'last_contact'}"), &out));
    signed_in(f, id);
    assert_int_equal(
        signin(&f->c, js(f, "{'identifier':'%s','password':'canary'}", email), false, &(struct signin){ 0 }),
        ERR_UNAUTHORISED);
    fixture_as(f, "app");
    OKAY(version_acknowledge(&f->c, js(f, "{'subject':'%.*s'}", T(id)), &out));
    OKAY(folder_grant(&f->c, id, js(f, "{'folder':'file','name':'canary','why':'planted canary'}"), &out));
    return id;
}

static void nothing_is_left_of_a_canary(void **state)
{
    struct fixture *f = *state;
    text other = full_person(f, "other@example.org"), id = full_person(f, "canary@example.org");
    struct answer out = { 0 };
    struct subject_id raw;
    char where[128], hex[33];
    assert_true(id_parse(id, &raw));
    for (size_t i = 0; i < sizeof raw; i++)
        snprintf(hex + 2 * i, 3, "%02x", raw.b[i]);
    /* a row in every table that has a subject, so that a new table must be added here */
    OKAY(hold_create(&f->c, id, js(f, "{'category':'visits','ground':'dispute','until':'2026-02-01'}"), &out));
    OKAY(contact_send(&f->c, id, js(f, "{'purpose':'service','subject':'canary','text':'canary'}"), &out));
    char holder[256];
    snprintf(holder, sizeof holder,
             "INSERT INTO token_holder (digest, tenant, subject) VALUES (randomblob(32), '%.*s', x'%s')",
             T(f->c.tenant), hex);
    fixture_plant(f, holder);
    snprintf(holder, sizeof holder,
             "INSERT INTO usage_seen (tenant, subject, digest, until) VALUES ('%.*s', x'%s', randomblob(32), 9e12)",
             T(f->c.tenant), hex);
    fixture_plant(f, holder);
    char sent[256];
    snprintf(
        sent, sizeof sent,
        "INSERT INTO submission (tenant, id, form, subject, body, at) VALUES ('%.*s', randomblob(16), 'contact', x'%s', x'01', 1)",
        T(f->c.tenant), hex);
    fixture_plant(f, sent);
    char scanned[256];
    snprintf(
        scanned, sizeof scanned,
        "INSERT INTO consent_scan (tenant, subject, purpose, channel, seq, scan) VALUES ('%.*s', x'%s', 'news', '', 1, randomblob(16))",
        T(f->c.tenant), hex);
    fixture_plant(f, scanned);
    snprintf(sent, sizeof sent,
             "INSERT INTO campaign_letter (tenant, subject, campaign, state, at, tries, due) VALUES"
             " ('%.*s', x'%s', randomblob(16), 1, 1, 1, 9e12)",
             T(f->c.tenant), hex);
    fixture_plant(f, sent);
    text asked = arena_print(&f->arena, "{'kind':'question','channel':'post','text':'canary','subject':'%.*s'}", T(id));
    OKAY(dsr_enter(&f->c, js(f, "%s", asked.p), &out));
    char shown[512];
    snprintf(
        shown, sizeof shown,
        "INSERT INTO publication (tenant, subject, id, category, purpose, item, version, state, at) VALUES ('%.*s', x'%s', randomblob(16),"
        " 'contact', 'news', 0, 1, 1, 1)",
        T(f->c.tenant), hex);
    fixture_plant(f, shown);
    snprintf(
        shown, sizeof shown,
        "INSERT INTO publication_report (tenant, id, subject, publication, body, at) VALUES ('%.*s', randomblob(16), x'%s', randomblob(16), 'x', 1)",
        T(f->c.tenant), hex);
    fixture_plant(f, shown);
    snprintf(shown, sizeof shown,
             "INSERT INTO disclosure_ground (tenant, subject, id, note) VALUES ('%.*s', x'%s', randomblob(16), 'x')",
             T(f->c.tenant), hex);
    fixture_plant(f, shown);
    snprintf(shown, sizeof shown,
             "INSERT INTO authority_person (tenant, subject, request) VALUES ('%.*s', x'%s', randomblob(16))",
             T(f->c.tenant), hex);
    fixture_plant(f, shown);
    snprintf(
        shown, sizeof shown,
        "INSERT INTO dsr_mail (tenant, id, subject, at, class, size, digest, meta) VALUES ('%.*s', randomblob(16), x'%s', 1, 'asks', 1,"
        " randomblob(32), randomblob(60))",
        T(f->c.tenant), hex);
    fixture_plant(f, shown);
    snprintf(
        shown, sizeof shown,
        "INSERT INTO support_look (tenant, support, id, subject, categories, writes, at, due) VALUES ('%.*s', randomblob(16), randomblob(16),"
        " x'%s', 'contact', 0, 1, 9e12)",
        T(f->c.tenant), hex);
    fixture_plant(f, shown);
    snprintf(
        shown, sizeof shown,
        "INSERT INTO campaign_back (tenant, subject, digest, hard, count, code, at, due) VALUES ('%.*s', x'%s', randomblob(32), 1, 1, 'x', 1, 2)",
        T(f->c.tenant), hex);
    fixture_plant(f, shown);
    snprintf(
        shown, sizeof shown,
        "INSERT INTO connector_job (tenant, id, version, act, state, subject, at, body) VALUES ('%.*s', randomblob(16), 1, 'restrict', 'closed',"
        " x'%s', 1, randomblob(60))",
        T(f->c.tenant), hex);
    fixture_plant(f, shown);
    snprintf(shown, sizeof shown,
             "INSERT INTO connector_value (tenant, subject, class, sealed) VALUES ('%.*s', x'%s', 1, randomblob(60))",
             T(f->c.tenant), hex);
    fixture_plant(f, shown);
    snprintf(
        shown, sizeof shown,
        "INSERT INTO usage_month (tenant, subject, category, first, past, class, sealed) VALUES ('%.*s', x'%s', 'visits', 1, 2, 1, randomblob(60))",
        T(f->c.tenant), hex);
    fixture_plant(f, shown);
    f->c.idempotency.key = TEXT("canary-key");
    OKAY(consent_record(&f->c, id, js(f, "{'purpose':'news','decision':'withdrawn'}"), &out));
    f->c.idempotency.key = (text){ NULL, 0 };
    for (unsigned t = 0; t < TABLE_COUNT; t++) {
        const struct table_row *row = table_row((enum table)t);
        for (unsigned i = 0; i < row->column_count; i++)
            if (text_eq(row->columns[i].name, TEXT("subject")) && row->erasure != ERASURE_no) {
                char name[64];
                text_cstr(row->name, name, sizeof name);
                snprintf(where, sizeof where, "subject = x'%s'", hex);
                if (!rows_of(f, name, where))
                    fail_msg("the canary has no row in %s", name);
            }
    }
    fixture_at(f, "2026-03-01T00:00:00Z"); /* the hold has ended */
    swept(f);
    const struct json *answer = erased(f, id);
    for (unsigned t = 0; t < TABLE_COUNT; t++) {
        const struct table_row *row = table_row((enum table)t);
        char name[64];
        text_cstr(row->name, name, sizeof name);
        for (unsigned i = 0; i < row->column_count; i++) {
            if (!text_eq(row->columns[i].name, TEXT("subject")))
                continue;
            snprintf(where, sizeof where, "subject = x'%s'", hex);
            bool held = text_eq(row->name, TEXT("record")) || text_eq(row->name, TEXT("milestone"));
            if (text_eq(row->name, TEXT("ledger"))) /* what stays of a person stands under one head */
                snprintf(where, sizeof where, "subject = x'%s' AND name <> 'person'", hex);
            if (text_eq(row->name, TEXT("bound"))) /* of what is held */
                snprintf(where, sizeof where, "subject = x'%s' AND of_table NOT IN ('subject', 'milestone', 'hold')",
                         hex);
            if (rows_of(f, name, where) && !held)
                fail_msg("%s still has rows of the canary", name);
        }
    }
    snprintf(where, sizeof where, "subject = x'%s' AND category <> 'invoices'", hex);
    assert_int_equal(rows_of(f, "record", where), 0);
    snprintf(where, sizeof where, "subject = x'%s'", hex);
    assert_int_equal(rows_of(f, "key", where), 1); /* that of the invoices */
    assert_int_equal(subject_read(&f->c, id, TEXT("service"), (text){ NULL, 0 }, &out), ERR_NOT_FOUND);
    assert_int_equal(erase_subject(&f->c, id, NULL, &out), ERR_NOT_FOUND);
    assert_int_equal(
        subject_lookup(&f->c, js(f, "{'identifier':{'contact.email':'canary@example.org'},'purpose':'service'}"), &out),
        ERR_NOT_FOUND);
    OKAY(subject_read(&f->c, other, TEXT("service"), (text){ NULL, 0 }, &out));
    assert_true(text_find(out.body, TEXT("Canary Renamed")) > 0);
    /* the certificate says so */
    assert_int_equal(int_at(answer, "certificate.rows_erased.record"), 3);
    assert_int_equal(int_at(answer, "certificate.rows_erased.attachment_part"), 1);
    assert_int_equal(int_at(answer, "certificate.rows_erased.former"), 1);
    assert_int_equal(int_at(answer, "certificate.rows_erased.consent"), 2);
    assert_int_equal(int_at(answer, "certificate.keys.destroyed"), 1);
    assert_int_equal(int_at(answer, "certificate.keys.kept"), 1);
    assert_int_equal(at_path(answer, "certificate.kept")->count, 1);
    assert_true(text_eq(text_at(answer, "certificate.kept.0.category"), TEXT("invoices")));
    assert_true(text_eq(text_at(answer, "certificate.kept.0.ground"), TEXT("C. com. L123-22")));
    assert_true(text_eq(text_at(answer, "certificate.kept.0.until"), TEXT("2036-12-31T00:00:00.000Z")));
    assert_true(text_eq(text_at(answer, "certificate.recipients_to_tell.0"), TEXT("carrier")));
    static const char *const planted[] = {
        "Planted Canary", "Canary Renamed", "canary@example.org", "/planted/canary", "planted canary attachment",
        "INV-canary-1"
    };
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++)
        assert_false(files_hold(f, text_of(planted[i])));
}

static void certificate_proves_itself(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", "");
    const struct json *answer = erased(f, id);
    text jws = text_at(answer, "jws"), json;
    struct store *s = f->app->store;
    OKAY(certificate_open(&f->arena, store_signer(s), CERTIFICATE_TYPE, jws, &json));
    const struct json *signed_ = parsed(f, json);
    assert_true(text_eq(text_at(signed_, "id"), text_at(answer, "certificate.id")));
    uint64_t index, size;
    OKAY(proof_open(&f->arena, store_signer(s), text_at(signed_, "journal.proof"),
                    tree_leaf(text_at(signed_, "journal.entry")), &index, &size));
    assert_int_equal(index, int_at(signed_, "journal.index"));
    assert_true(text_find(text_at(signed_, "journal.entry"), TEXT("\"act\":\"subject.erase\"")) > 0);
    assert_true(text_find(text_at(signed_, "journal.entry"), text_at(signed_, "pseudonym")) > 0);
    /* offline, with nothing but the key: the JWS, the answer, and neither altered */
    struct answer verified = { 0 };
    text key = signer_verifier(&f->arena, store_signer(s)),
         body = arena_print(&f->arena, "{\"jws\":\"%.*s\"}\n", T(jws));
    OKAY(certificate_verify(&f->arena, key, jws, &verified));
    OKAY(certificate_verify(&f->arena, key, body, &verified));
    /* what people read in the file is what was signed, member for member */
    text whole = arena_print(&f->arena, "{\"certificate\":%.*s,\"jws\":\"%.*s\"}", T(json), T(jws));
    OKAY(certificate_verify(&f->arena, key, whole, &verified));
    text other = arena_copy(&f->arena, whole);
    ((char *)other.p)[text_find(other, TEXT("Demo SAS"))] = 'M';
    assert_int_equal(certificate_verify(&f->arena, key, other, &verified), ERR_INTEGRITY);
    other = arena_print(&f->arena, "{\"certificate\":{\"kind\":\"erasure\"},\"jws\":\"%.*s\"}", T(jws));
    assert_int_equal(certificate_verify(&f->arena, key, other, &verified), ERR_INTEGRITY);
    other = arena_print(&f->arena, "{\"controller\":\"Somebody\",\"jws\":\"%.*s\"}", T(jws));
    assert_int_equal(certificate_verify(&f->arena, key, other, &verified), ERR_INTEGRITY);
    /* a look at one is on record, and it is not everybody's */
    struct answer looked = { 0 };
    int64_t looks = rows_of(f, "journal", "leaf LIKE '%certificate.read%'");
    OKAY(certificate_get(&f->c, text_at(answer, "certificate.id"), false, &looked));
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%certificate.read%'"), looks + 1);
    struct actor eraser = f->c.actor;
    f->c.actor.kind = ACTOR_PERSON;
    f->c.actor.index = PERSON;
    assert_int_equal(certificate_get(&f->c, text_at(answer, "certificate.id"), false, &looked), ERR_FORBIDDEN);
    f->c.actor = eraser;
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%certificate.read%'"), looks + 1);
    assert_int_equal(int_at(parsed(f, verified.body), "index"), index);
    for (size_t i = 0; i < jws.n; i += 97) {
        char *altered = arena_alloc(&f->arena, jws.n);
        memcpy(altered, jws.p, jws.n);
        altered[i] = altered[i] == 'A' ? 'B' : 'A';
        if (altered[i] != jws.p[i])
            assert_int_not_equal(certificate_verify(&f->arena, key, (text){ altered, jws.n }, &verified), OK);
    }
    /* read again by its id: the same; as a page: printable, in the reader's language */
    struct answer again = { 0 }, page = { 0 };
    text certificate = text_at(answer, "certificate.id");
    OKAY(certificate_get(&f->c, certificate, false, &again));
    assert_true(text_eq(text_at(parsed(f, again.body), "jws"), jws));
    f->c.language = TEXT("fr");
    OKAY(certificate_get(&f->c, certificate, true, &page));
    assert_true(text_starts(page.media_type, TEXT("text/html")));
    assert_true(text_find(page.body, TEXT("Certificat d’effacement")) > 0 && text_find(page.body, jws) > 0);
    assert_int_equal(certificate_get(&f->c, id, false, &again), ERR_NOT_FOUND);
}

/* The journal as files: what is new is added, the checkpoint names all of it. */
static void journal_as_a_folder(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    for (int i = 0; i < 300; i++) {
        char email[32];
        snprintf(email, sizeof email, "p%d@example.org", i);
        person_made(f, email, "");
    }
    text to = arena_print(&f->arena, "%s/public/journal", f->dir);
    OKAY(journal_folder_write(&f->c, to, NULL, &out));
    int64_t size = int_at(parsed(f, out.body), "size"), files = int_at(parsed(f, out.body), "files");
    assert_true(size > 300 && size < 512);
    assert_int_equal(files, 2 + 2 + 1 + 2); /* entries, leaves, the level above, key and checkpoint */
    OKAY(journal_folder_write(&f->c, to, NULL, &out));
    assert_int_equal(int_at(parsed(f, out.body), "files"), 2);
    char path[160], note[4096];
    snprintf(path, sizeof path, "%.*s/checkpoint", T(to));
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t n = fread(note, 1, sizeof note, in);
    fclose(in);
    uint64_t told;
    struct hash root;
    OKAY(checkpoint_open(&f->arena, store_signer(f->app->store), (text){ note, n }, &told, &root));
    assert_int_equal(told, size);
    snprintf(path, sizeof path, "%.*s/tile/entries/001.p/%d", T(to), (int)(size - 256));
    in = fopen(path, "r");
    assert_non_null(in);
    fclose(in);
}

/* FR-08: what a ground holds stays in the archive to its day, then goes by itself, with its key and the last of the
 * person. */
static void held_data_goes_at_its_term(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'Ada'}");
    record_added(f, id, "invoices", "{'number':'INV-1'}");
    erased(f, id);
    assert_int_equal(rows_of(f, "record", "state = 1"), 1);
    assert_int_equal(rows_of(f, "subject", "state = 2"), 1);
    /* meanwhile for the readers of the archive only, with a reason, on record */
    assert_int_equal(archive_list(&f->c, &all_rows, &out), ERR_FORBIDDEN);
    assert_int_equal(archive_read(&f->c, id, TEXT("invoices"), TEXT("tax_audit_2030"), &out), ERR_FORBIDDEN);
    fixture_as(f, "operator");
    OKAY(archive_list(&f->c, &all_rows, &out));
    const struct json *list = parsed(f, out.body);
    assert_int_equal(at_path(list, "archive")->count, 1);
    assert_true(text_eq(text_at(list, "archive.0.category"), TEXT("invoices")) && text_find(out.body, TEXT("Ada")) < 0);
    assert_int_equal(at_path(list, "next")->kind, J_NULL);
    OKAY(archive_list(&f->c, &(struct paging){ .after = text_at(list, "archive.0.id"), .limit = PAGE_ROWS }, &out));
    assert_int_equal(at_path(parsed(f, out.body), "archive")->count, 0);
    assert_int_equal(archive_read(&f->c, id, TEXT("invoices"), TEXT(""), &out), ERR_MISSING);
    assert_int_equal(archive_read(&f->c, id, TEXT("identity"), TEXT("tax_audit_2030"), &out), ERR_NOT_FOUND);
    OKAY(archive_read(&f->c, id, TEXT("invoices"), TEXT("tax_audit_2030"), &out));
    assert_true(text_eq(text_at(parsed(f, out.body), "records.0.fields.number"), TEXT("INV-1")));
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%archive.read%tax_audit_2030%'"), 1);
    fixture_at(f, "2036-12-30T23:59:59Z");
    swept(f);
    assert_int_equal(rows_of(f, "record", ""), 1);
    fixture_at(f, "2036-12-31T00:00:00Z");
    assert_int_equal(int_at(swept(f), "erased.invoices"), 1);
    assert_int_equal(rows_of(f, "record", ""), 0);
    assert_int_equal(rows_of(f, "subject", ""), 0);
    assert_int_equal(rows_of(f, "milestone", ""), 0);
    assert_int_equal(rows_of(f, "key", ""), 0);
}

/* A hold on a category that is no billing: its data outlive the person under a key of its own, and go when the hold is
 * released. */
static void legal_hold_outlives_the_person(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'Ada'}");
    record_added(f, id, "visits", "{'page':'/held'}");
    OKAY(attachment_add(&f->c, id, TEXT("visits"), TEXT("proof.txt"), TEXT("text/plain"), TEXT("held file"), &out));
    OKAY(hold_create(&f->c, id, js(f, "{'category':'visits','ground':'court case 12'}"), &out));
    text hold = out.id;
    const struct json *answer = erased(f, id);
    assert_true(text_eq(text_at(answer, "certificate.kept.0.category"), TEXT("visits")));
    assert_true(text_eq(text_at(answer, "certificate.kept.0.ground"), TEXT("court case 12")));
    assert_int_equal(at_path(answer, "certificate.kept.0.until")->kind, J_NULL);
    assert_int_equal(int_at(answer, "certificate.kept.0.records"), 2);
    assert_int_equal(rows_of(f, "record", "category = 'identity'"), 0);
    assert_int_equal(rows_of(f, "attachment_part", ""), 1);
    assert_int_equal(rows_of(f, "key", "class = 0"), 0);
    fixture_at(f, "2030-01-01T00:00:00Z"); /* far beyond the term of visits */
    swept(f);
    assert_int_equal(rows_of(f, "record", ""), 1);
    fixture_as(f, "operator");
    OKAY(hold_release(&f->c, id, hold, &out));
    swept(f);
    assert_int_equal(rows_of(f, "record", ""), 0);
    assert_int_equal(rows_of(f, "attachment_part", ""), 0);
    assert_int_equal(rows_of(f, "subject", ""), 0);
    assert_int_equal(rows_of(f, "key", ""), 0);
}

/* Art. 19: the recipient is told, by what it knows: no person is named. */
static void recipients_are_told(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    charter_accepted(f, "carrier");
    OKAY(disclosure_make(&f->c, id, js(f, "{'recipient':'carrier','purpose':'service','categories':['contact']}"),
                         &out));
    text disclosure = out.id;
    assert_true(text_find(out.body, TEXT("ada@example.org")) > 0);
    OKAY(disclosure_list(&f->c, id, &all_rows, &out));
    assert_true(text_eq(text_at(parsed(f, out.body), "disclosures.0.name"), TEXT("Carrier SA")));
    erased(f, id);
    OKAY(duty_list(&f->c, &all_rows, &out));
    const struct json *duties = parsed(f, out.body);
    assert_true(text_eq(text_at(duties, "duties.0.kind"), TEXT("tell")));
    assert_true(text_eq(text_at(duties, "duties.0.about"), TEXT("carrier")));
    assert_true(text_eq(text_at(duties, "duties.0.note"), disclosure));
    assert_int_equal(at_path(duties, "duties.0.subject")->kind, J_NULL);
    assert_true(text_find(out.body, id) < 0);
    OKAY(duty_done(&f->c, text_at(duties, "duties.0.id"), NULL, &out));
    OKAY(duty_list(&f->c, &all_rows, &out));
    assert_int_equal(at_path(parsed(f, out.body), "duties")->count, 0);
}

static void disclosure_is_refused(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    static const struct {
        const char *body;
        enum err expected;
    } rows[] = {
        { "{'recipient':'nobody','purpose':'service','categories':['contact']}", ERR_UNDECLARED },
        { "{'recipient':'app','purpose':'service','categories':['contact']}", ERR_UNDECLARED },
        { "{'recipient':'carrier','purpose':'billing','categories':['identity']}", ERR_FORBIDDEN },
        { "{'recipient':'carrier','purpose':'service','categories':['visits']}", ERR_PURPOSE },
        { "{'recipient':'carrier','purpose':'news','categories':['contact']}", ERR_CONSENT },
        { "{'recipient':'carrier','purpose':'service','categories':[]}", ERR_USAGE },
        { "{'recipient':'carrier','categories':['contact']}", ERR_MISSING },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (disclosure_make(&f->c, id, js(f, "%s", rows[i].body), &out) != rows[i].expected)
            fail_msg("row %zu: %s", i, f->arena.why.detail);
    assert_int_equal(rows_of(f, "disclosure", ""), 0);
}

/* The process died when the keyring had been committed and the data not: the store completes the rows at its start, and
 * the repeated request gets its certificate; what is held still goes at its term. */
static void interrupted_erasure_is_certified(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    char hex[33], sql[512], other[1024];
    struct subject_id raw;
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'Ada'}");
    record_added(f, id, "invoices", "{'number':'INV-1'}");
    assert_true(id_parse(id, &raw));
    for (size_t i = 0; i < sizeof raw; i++)
        snprintf(hex + 2 * i, 3, "%02x", raw.b[i]);
    snprintf(
        sql, sizeof sql,
        "DELETE FROM key WHERE class = 0; INSERT INTO intent (tenant, subject, keep) VALUES ('demo', x'%s', 'holds')",
        hex);
    snprintf(
        other, sizeof other,
        "INSERT INTO erasing (tenant, subject, certificate, at, facts) VALUES ('demo', x'%s', x'%s', 1768032000000,"
        " '{\"facts\":\"{\\\"kind\\\":\\\"erasure\\\",\\\"pseudonym\\\":\\\"%s%s\\\",\\\"rows_erased\\\":null}\","
        "\"tell\":[{\"recipient\":\"carrier\",\"disclosures\":\"d1,d2\",\"categories\":\"\",\"duty\":\"%.*s\"}]}')",
        hex, hex, hex, hex, T(id));
    fixture_altered(f, sql, other);
    assert_int_equal(rows_of(f, "record", ""), 1);
    assert_int_equal(subject_read(&f->c, id, TEXT("service"), (text){ NULL, 0 }, &out), ERR_NOT_FOUND);
    OKAY(erase_subject(&f->c, id, NULL, &out));
    const struct json *answer = parsed(f, out.body);
    assert_true(text_find(text_at(answer, "certificate.journal.entry"), text_at(answer, "certificate.pseudonym")) > 0);
    assert_int_equal(rows_of(f, "erasing", ""), 0);
    assert_int_equal(rows_of(f, "duty", "kind = 'tell' AND about = 'carrier' AND note = 'd1,d2' AND subject IS NULL"),
                     1);
    assert_int_equal(erase_subject(&f->c, id, NULL, &out), ERR_NOT_FOUND);
    fixture_at(f, "2036-12-30T23:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "record", "state = 1"), 1);
    fixture_at(f, "2036-12-31T00:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "record", ""), 0);
    assert_int_equal(rows_of(f, "subject", ""), 0);
}

/* Begun, then failed before any key was destroyed: the person is whole, and the certificate that never came about is
 * forgotten. */
static void erasure_that_never_began_leaves_no_certificate(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    fixture_altered(f, "",
                    "INSERT INTO erasing (tenant, subject, certificate, at, facts)"
                    " SELECT tenant, id, id, created, '{\"pseudonym\":\"'||hex(id)||hex(id)||'\"}' FROM subject");
    swept(f);
    assert_int_equal(rows_of(f, "erasing", ""), 1); /* it may be under way */
    fixture_ahead(f, 2 * (msec)HOUR);
    swept(f);
    assert_int_equal(rows_of(f, "erasing", ""), 0);
    assert_int_equal(rows_of(f, "certificate", ""), 0);
    OKAY(subject_read(&f->c, id, TEXT("service"), (text){ NULL, 0 }, &out));
}

struct named {
    uint32_t key_class;
    unsigned number;
};

static int by_class(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    return (x->key_class > y->key_class) - (x->key_class < y->key_class);
}

/* Two categories whose keys would be one are refused when the policy is loaded: with the one's key the other's would
 * go. */
static void key_classes_differ(void **state)
{
    enum { NAMES = 300000 };
    ARENA_AUTO a = arena_make(64 << 20);
    struct named *all = calloc(NAMES, sizeof *all);
    struct category two[2] = { { .name = TEXT("invoices") }, { .name = TEXT("contracts") } };
    const struct policy p = { .categories = two, .category_count = 2 };
    char name[2][16];
    assert_non_null(all);
    assert_int_equal(record_classes_differ(&a, &p), OK);
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(name[0], sizeof name[0], "c%u", i);
        all[i] = (struct named){ record_class_apart(text_of(name[0])), i };
    }
    qsort(all, NAMES, sizeof *all, by_class);
    unsigned at = 1;
    while (at < NAMES && all[at].key_class != all[at - 1].key_class)
        at++;
    assert_true(at < NAMES);
    for (unsigned i = 0; i < 2; i++) {
        snprintf(name[i], sizeof name[i], "c%u", all[at - i].number);
        two[i].name = text_of(name[i]);
    }
    assert_int_equal(record_classes_differ(&a, &p), ERR_POLICY);
    free(all);
}

/* Art. 17(3), FR-05: what a hold or a ground keeps is not dropped piece by piece either. */
static void held_data_is_not_dropped(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'Ada'}");
    record_added(f, id, "invoices", "{'number':'INV-1'}");
    record_added(f, id, "visits", "{'page':'/one'}");
    text nothing = { NULL, 0 };
    assert_int_equal(subject_drop_record(&f->c, id, TEXT("invoices"), nothing, &out), ERR_CONFLICT);
    assert_true(text_eq(f->arena.why.clause->path, TEXT("retention.invoices")));
    OKAY(hold_create(&f->c, id, js(f, "{'category':'*','ground':'dispute'}"), &out));
    text hold = out.id;
    assert_int_equal(subject_drop_record(&f->c, id, TEXT("visits"), nothing, &out), ERR_CONFLICT);
    OKAY(hold_release(&f->c, id, hold, &out));
    OKAY(subject_drop_record(&f->c, id, TEXT("visits"), nothing, &out));
    assert_int_equal(rows_of(f, "record", ""), 3);
}

struct adder {
    struct fixture *f;
    text id;
    enum err status;
    char why[512];
    pthread_t thread;
};

static void *add_invoice(void *arg)
{
    struct adder *a = arg;
    ARENA_AUTO arena = arena_make(4 << 20);
    struct answer out = { 0 };
    const struct json *in = NULL;
    CTX_AUTO c = { 0 };
    ctx_begin(a->f->app, &arena, &c);
    c.actor = a->f->c.actor;
    a->status = json_parse(&arena, TEXT("{\"fields\":{\"number\":\"INV\"}}"), &in);
    if (a->status == OK)
        a->status = subject_add_record(&c, a->id, TEXT("invoices"), in, &out);
    snprintf(a->why, sizeof a->why, "%s", arena.why.detail);
    return NULL;
}

/* The first records of a held category make its key: at once, all are kept under one. */
static void first_held_records_at_once(void **state)
{
    struct fixture *f = *state;
    enum { AT_ONCE = 8 };
    struct adder adders[AT_ONCE];
    text id = person_made(f, "ada@example.org", "");
    for (int i = 0; i < AT_ONCE; i++) {
        adders[i] = (struct adder){ .f = f, .id = id };
        assert_int_equal(pthread_create(&adders[i].thread, NULL, add_invoice, &adders[i]), 0);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        pthread_join(adders[i].thread, NULL);
        if (adders[i].status != OK)
            fail_msg("%.*s: %s", T(err_row(adders[i].status)->slug), adders[i].why);
    }
    assert_int_equal(rows_of(f, "record", "category = 'invoices'"), AT_ONCE);
    assert_int_equal(rows_of(f, "key", ""), 2);
    struct answer out = { 0 };
    fixture_as(f, "app");
    OKAY(subject_read(&f->c, id, TEXT("billing"), TEXT("invoices"), &out));
    assert_int_equal(at_path(parsed(f, out.body), "data.invoices")->count, AT_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER(policy, nothing_is_left_of_a_canary),
        OVER(policy, certificate_proves_itself),
        OVER(policy, journal_as_a_folder),
        OVER(policy, held_data_goes_at_its_term),
        OVER(policy, legal_hold_outlives_the_person),
        OVER(policy, recipients_are_told),
        OVER(policy, disclosure_is_refused),
        cmocka_unit_test(key_classes_differ),
        OVER(policy, held_data_is_not_dropped),
        OVER(policy, first_held_records_at_once),
        OVER(policy, interrupted_erasure_is_certified),
        OVER(policy, erasure_that_never_began_leaves_no_certificate),
    };
    return cmocka_run_group_tests_name("erase", tests, NULL, NULL);
}

/* The access answer and the export: everything held, with source, purposes, terms, recipients, rights and looks;
 * nothing unescaped; attachments and transient values; who may ask. */
#include "domain_fixture.h"
#include "domain/rights/duty.h"
#include "domain/rights/access.h"
#include "domain/rights/export.h"
#include "domain/core/pieces.h"
#include "domain/instance/care.h"
#include "domain/person/consent.h"
#include "domain/rights/objection.h"
#include "domain/person/held.h"
#include "domain/rights/disclosure.h"
#include "domain/keep/hold.h"
#include "domain/entry/address.h"
#include "domain/person/make.h"
#include "domain/person/subject.h"
#include <string.h>
#include <zip.h>

static const char policy[] =
    "sources: {partner: {title: {en: Partner, fr: Partenaire}, third_party: true, notice_within: 1mo}}\n"
    "categories:\n"
    "  identity: {title: {en: Identity, fr: Identité}, source: [person, partner], fields: {name: {type: text, title: {en: Name, fr: Nom}}}}\n"
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"
    "  visits: {many: true, fields: {page: {type: text}}}\n"
    "  invoices: {many: true, held: true, fields: {number: {type: text}}}\n"
    "  payment: {transient: {for: 10m}, fields: {token: {type: text}}}\n"
    "purposes:\n"
    "  service: {basis: contract, categories: [identity, contact, payment]}\n"
    "  measure: {basis: legitimate_interest, interest: {en: better pages, fr: de meilleures pages}, balancing: b1, categories: [visits]}\n"
    "  billing: {basis: legal_obligation, law: 'C. com. L123-22', categories: [invoices]}\n"
    "  news: {basis: consent, categories: [contact]}\n"
    "  offers: {basis: legitimate_interest, interest: {en: offers, fr: des offres}, balancing: b2, marketing: true, categories: [visits]}\n"
    "retention:\n"
    "  visits: {from: event, active: 12mo}\n"
    "  invoices: {from: year_end, active: 1y, archive: 9y, ground: 'C. com. L123-22'}\n"
    "  former: {from: event, active: 12mo}\n"
    "systems:\n"
    "  app: {purposes: [service, measure, billing, news, offers], acts: [read, write, disclose, consent, export, erase]}\n"
    "  tracker: {purposes: [measure], acts: [write]}\n"
    "recipients:\n"
    "  carrier: {name: Carrier SA, purposes: [service], categories: [contact], country: FR, processor: true, contract: 2026-01-01, charter: accepted}\n";

static text full_person(struct fixture *f)
{
    struct answer out = { 0 };
    text id = person_lived(f, &(struct life){ "ada@example.org", "<b>Ada & Co</b>", "/one", "INV-1", "Ada <script>",
                                              "café & co.txt", "file content" });
    OKAY(hold_create(&f->c, id, js(f, "{'category':'visits','ground':'dispute 7','until':'2030-01-01'}"), &out));
    OKAY(subject_read(&f->c, id, TEXT("service"), (text){ NULL, 0 }, &out));
    return id;
}

static const struct json *named(const struct json *list, const char *key, const char *name)
{
    JSON_EACH(one, list)
        if (text_eq(json_text(one, text_of(key)), text_of(name)))
            return one;
    fail_msg("no %s is %s", key, name);
    return NULL;
}

static bool lists(const struct json *list, const char *word)
{
    JSON_EACH(one, list)
        if (text_eq(one->value, text_of(word)))
            return true;
    return false;
}

static void answer_holds_everything(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = full_person(f);
    OKAY(access_answer(&f->c, id, &out));
    const struct json *a = parsed(f, out.body);
    assert_true(text_eq(text_at(a, "controller.legal_name"), TEXT("Demo SAS")));
    assert_true(text_eq(text_at(a, "authority"), TEXT("CNIL")));
    assert_true(text_eq(text_at(a, "data.identity.name"), TEXT("Ada <script>")));
    assert_true(text_eq(text_at(a, "data.contact.email"), TEXT("ada@example.org")));
    assert_true(text_eq(text_at(a, "data.invoices.0.fields.number"), TEXT("INV-1")));
    const struct json *categories = at_path(a, "categories");
    const struct json *identity = named(categories, "category", "identity"),
                      *contact = named(categories, "category", "contact"),
                      *visits = named(categories, "category", "visits"),
                      *invoices = named(categories, "category", "invoices");
    /* source, time, and what may be taken elsewhere: given by the person, used by contract or consent */
    assert_true(text_eq(text_at(identity, "records.0.fields.name.source"), TEXT("partner")));
    assert_false(at_path(identity, "records.0.fields.name.portable")->truth);
    assert_true(at_path(contact, "records.0.fields.email.portable")->truth);
    assert_false(at_path(visits, "records.0.fields.page.portable")->truth);
    assert_true(text_eq(text_at(contact, "records.0.fields.email.at"), TEXT("2026-01-10T08:00:00.000Z")));
    /* terms, with the hold that prolongs one */
    assert_true(text_eq(text_at(visits, "records.0.until"), TEXT("2030-01-01T23:00:00.000Z")));
    assert_true(text_eq(text_at(invoices, "records.0.archived_at"), TEXT("2027-12-31T00:00:00.000Z")));
    assert_true(text_eq(text_at(invoices, "records.0.until"), TEXT("2036-12-31T00:00:00.000Z")));
    assert_true(text_eq(text_at(invoices, "retention.ground"), TEXT("C. com. L123-22")));
    assert_true(text_eq(text_at(invoices, "retention.says"),
                        TEXT("1 year in use, then 9 years in the archive, from the end of the year")));
    assert_int_equal(at_path(contact, "records.0.until")->kind, J_NULL);
    /* rights by basis */
    const struct json *purposes = at_path(a, "purposes");
    assert_true(lists(at_path(named(purposes, "purpose", "service"), "rights"), "portability"));
    assert_false(lists(at_path(named(purposes, "purpose", "service"), "rights"), "objection"));
    assert_true(lists(at_path(named(purposes, "purpose", "measure"), "rights"), "objection"));
    assert_false(lists(at_path(named(purposes, "purpose", "measure"), "rights"), "portability"));
    assert_false(lists(at_path(named(purposes, "purpose", "billing"), "rights"), "erasure"));
    assert_true(lists(at_path(named(purposes, "purpose", "news"), "rights"), "withdrawal"));
    /* recipients by name, declared and actual */
    assert_true(text_eq(text_at(a, "recipients.0.name"), TEXT("Carrier SA")));
    assert_true(text_eq(text_at(a, "disclosures.0.name"), TEXT("Carrier SA")));
    assert_true(text_eq(text_at(a, "disclosures.0.categories"), TEXT("contact")));
    /* choices, former values, files, holds */
    assert_true(text_eq(text_at(a, "live.0"), TEXT("news")));
    assert_true(text_eq(text_at(a, "former.0.value"), TEXT("<b>Ada & Co</b>")));
    assert_true(text_eq(text_at(a, "attachments.0.name"), TEXT("café & co.txt")));
    assert_true(text_eq(text_at(a, "holds.0.ground"), TEXT("dispute 7")));
    /* who looked: the read, with actor and purpose, and this request next time */
    assert_true(text_eq(text_at(named(at_path(a, "looks"), "act", "read"), "purpose"), TEXT("service")));
    assert_true(text_eq(text_at(named(at_path(a, "looks"), "act", "read"), "actor"), TEXT("app")));
    OKAY(access_answer(&f->c, id, &out));
    named(at_path(parsed(f, out.body), "looks"), "act", "access");
}

static void only_who_may_export(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = full_person(f);
    fixture_as(f, "tracker");
    assert_int_equal(access_answer(&f->c, id, &out), ERR_FORBIDDEN);
    assert_int_equal(access_export(&f->c, id, &out), ERR_FORBIDDEN);
    assert_int_equal(disclosure_list(&f->c, id, &all_rows, &out), ERR_FORBIDDEN);
    fixture_as(f, "operator");
    OKAY(access_answer(&f->c, id, &out));
    assert_int_equal(access_answer(&f->c, TEXT("01ARZ3NDEKTSV4RRFFQ69G5FAV"), &out), ERR_NOT_FOUND);
    assert_int_equal(access_answer(&f->c, TEXT("no id"), &out), ERR_NOT_FOUND);
}

static text zip_file(struct fixture *f, zip_t *z, const char *name)
{
    zip_stat_t st;
    if (zip_stat(z, name, 0, &st) != 0)
        fail_msg("the archive has no %s", name);
    char *p = arena_alloc(&f->arena, st.size + 1);
    zip_file_t *in = zip_fopen(z, name, 0);
    assert_int_equal(zip_fread(in, p, st.size), (zip_int64_t)st.size);
    zip_fclose(in);
    return (text){ p, st.size };
}

static zip_t *zip_of(text bytes)
{
    zip_error_t why;
    zip_source_t *source = zip_source_buffer_create(bytes.p, bytes.n, 0, &why);
    zip_t *z = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &why);
    assert_non_null(z);
    return z;
}

static void export_is_whole_and_escaped(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = full_person(f);
    f->c.language = TEXT("fr");
    OKAY(access_export(&f->c, id, &out));
    assert_true(text_eq(out.media_type, TEXT("application/zip")));
    assert_true(text_eq(out.file_name, TEXT("export-2026-01-10.zip")));
    zip_t *z = zip_of(whole(f, &out));
    assert_int_equal(zip_get_num_entries(z, 0), 7);
    const struct json *data = parsed(f, zip_file(f, z, "data.json"));
    assert_true(text_eq(text_at(data, "data.identity.name"), TEXT("Ada <script>")));
    text page = zip_file(f, z, "index.html");
    assert_true(text_starts(page, TEXT("<!DOCTYPE html>\n<html lang=\"fr\">")));
    assert_true(text_find(page, TEXT("Ada &lt;script&gt;")) > 0 &&
                text_find(page, TEXT("&lt;b&gt;Ada &amp; Co&lt;/b&gt;")) > 0);
    assert_true(text_find(page, TEXT("<script")) < 0 && text_find(page, TEXT("<b>")) < 0);
    assert_true(text_find(page, TEXT("http://")) < 0 && text_find(page, TEXT("https://")) < 0);
    assert_true(text_find(page, TEXT("Identité")) > 0 && text_find(page, TEXT("Partenaire")) > 0 &&
                text_find(page, TEXT("Carrier SA")) > 0);
    assert_true(text_find(page, TEXT("href=\"attachments/01-caf%C3%A9%20%26%20co.txt\"")) > 0);
    assert_true(text_eq(zip_file(f, z, "attachments/01-café & co.txt"), TEXT("file content")));
    zip_discard(z);
}

/* GDPR 20(1), and what the notice says: a table for each category, which spreadsheets of either language open as they
 * are. */
static void export_has_a_table_for_each_category(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'=cmd|\\u0027 /C calc\\u0027!A0'}");
    record_added(f, id, "visits", "{'page':'say \\\"hi\\\"; a, b'}");
    record_added(f, id, "visits", "{'page':'-1+1'}");
    static const struct {
        text language, identity, visits;
    } cases[] = {
        { TEXT_INIT("fr"), TEXT_INIT("\xEF\xBB\xBF\"Nom\"\r\n\"'=cmd|' /C calc'!A0\"\r\n"),
          TEXT_INIT("\"say \"\"hi\"\"; a, b\"\r\n") },
        { TEXT_INIT("en"), TEXT_INIT("\xEF\xBB\xBF\"Name\"\r\n\"'=cmd|' /C calc'!A0\"\r\n"),
          TEXT_INIT("\"say \"\"hi\"\"; a, b\"\r\n") },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f->c.language = cases[i].language;
        OKAY(access_export(&f->c, id, &out));
        zip_t *z = zip_of(whole(f, &out));
        text identity = zip_file(f, z, "identity.csv"), visits = zip_file(f, z, "visits.csv");
        assert_string_equal(arena_copy(&f->arena, identity).p, cases[i].identity.p);
        assert_true(text_find(visits, cases[i].visits) > 0 && text_find(visits, TEXT("\"'-1+1\"\r\n")) > 0);
        assert_true(text_starts(visits, i ? TEXT("\xEF\xBB\xBF\"Number\",\"Recorded on\",\"page\"\r\n")
                                          : TEXT("\xEF\xBB\xBF\"Numéro\";\"Enregistré le\";\"page\"\r\n")));
        zip_discard(z);
    }
}

/* What is erased while an export goes out is not in it any more, and the archive is whole all the same. */
static void export_goes_on_without_what_is_erased(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 }, file = { 0 };
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'Ada'}");
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    OKAY(attachment_add(&f->c, id, TEXT("identity"), TEXT("a.txt"), TEXT("text/plain"), TEXT("first"), &file));
    text gone = file.id;
    fixture_ahead(f, SECOND);
    OKAY(attachment_add(&f->c, id, TEXT("identity"), TEXT("b.txt"), TEXT("text/plain"), TEXT("second"), &file));
    OKAY(access_export(&f->c, id, &out));
    OKAY(out.pieces->next(out.pieces, &f->arena, &b));
    OKAY(attachment_drop(&f->c, id, gone, &file));
    OKAY(pieces_whole(&f->arena, out.pieces, &b));
    zip_t *z = zip_of(buf_begun(&b));
    assert_true(zip_name_locate(z, "attachments/01-a.txt", 0) < 0);
    assert_true(text_eq(zip_file(f, z, "attachments/02-b.txt"), TEXT("second")));
    zip_discard(z);
}

static void attachments_come_back_as_they_went(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'Ada'}");
    static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 200000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *bytes = malloc(sizes[i] + 1);
        for (size_t n = 0; n < sizes[i]; n++)
            bytes[n] = (char)(n * 31 + i);
        OKAY(attachment_add(&f->c, id, TEXT("identity"), TEXT("scan.bin"), TEXT("image/png; x=y"),
                            (text){ bytes, sizes[i] }, &out));
        text file = out.id;
        OKAY(attachment_get(&f->c, id, file, TEXT("service"), &out));
        assert_int_equal(out.pieces->size, sizes[i]);
        assert_true(text_eq(whole(f, &out), (text){ bytes, sizes[i] }));
        assert_true(text_eq(out.media_type, TEXT("image/png")) && text_eq(out.file_name, TEXT("scan.bin")));
        free(bytes);
        assert_int_equal(attachment_get(&f->c, id, file, TEXT("measure"), &out), ERR_PURPOSE);
        assert_int_equal(attachment_get(&f->c, id, file, (text){ NULL, 0 }, &out), ERR_MISSING);
        OKAY(attachment_drop(&f->c, id, file, &out));
        assert_int_equal(attachment_get(&f->c, id, file, TEXT("service"), &out), ERR_NOT_FOUND);
    }
    assert_int_equal(rows_of(f, "attachment_part", ""), 0);
    static const struct {
        const char *category, *name;
        enum err expected;
    } refused[] = {
        { "nothing", "a.txt", ERR_UNDECLARED },
        { "payment", "a.txt", ERR_UNDECLARED },
        { "identity", "", ERR_VALUE },
        { "identity", "../../etc/passwd", ERR_VALUE },
        { "identity", "..", ERR_VALUE },
        { "identity", "a\nb", ERR_VALUE },
        { "identity", "4111-1111-1111-1111.pdf", ERR_CARD_NUMBER },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(attachment_add(&f->c, id, text_of(refused[i].category), text_of(refused[i].name),
                                        TEXT("text/plain"), TEXT("x"), &out),
                         refused[i].expected);
}

static enum err taken(struct fixture *f, text id, text file)
{
    struct answer out = { 0 };
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    OKAY(attachment_get(&f->c, id, file, TEXT("service"), &out));
    return pieces_whole(&f->arena, out.pieces, &b);
}

/* A piece that stands elsewhere than it was written does not open. */
static void moved_piece_is_refused(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'Ada'}");
    char *bytes = calloc(1, 150000);
    OKAY(attachment_add(&f->c, id, TEXT("identity"), TEXT("a.bin"), TEXT("x/y"), (text){ bytes, 150000 }, &out));
    free(bytes);
    text file = out.id;
    fixture_altered(
        f, "",
        "UPDATE attachment_part SET part = part + 10; UPDATE attachment_part SET part = 11 - part WHERE part < 12");
    assert_int_equal(taken(f, id, file), ERR_CRYPT);
    fixture_altered(
        f, "",
        "UPDATE attachment_part SET part = 11 - part WHERE part < 12; DELETE FROM attachment_part WHERE part = 12");
    assert_int_equal(taken(f, id, file), ERR_INTEGRITY);
}

/* MO-20, DM-11: never on the disk, gone at its term, at its release, and with its person. */
static void transient_values_live_in_memory_only(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", ""), payment = TEXT("payment"), service = TEXT("service");
    assert_int_equal(transient_get(&f->c, id, payment, service, &out), ERR_NOT_FOUND);
    OKAY(transient_put(&f->c, id, payment, js(f, "{'token':'planted-transient'}"), &out));
    OKAY(transient_get(&f->c, id, payment, service, &out));
    assert_true(text_find(out.body, TEXT("planted-transient")) > 0);
    assert_false(files_hold(f, TEXT("planted-transient")));
    assert_int_equal(transient_get(&f->c, id, payment, TEXT("news"), &out), ERR_CONSENT);
    assert_int_equal(transient_get(&f->c, id, payment, TEXT("measure"), &out), ERR_PURPOSE);
    fixture_ahead(f, 10 * (msec)MINUTE - 1);
    OKAY(transient_get(&f->c, id, payment, service, &out));
    fixture_ahead(f, 1);
    assert_int_equal(transient_get(&f->c, id, payment, service, &out), ERR_NOT_FOUND);
    OKAY(transient_put(&f->c, id, payment, js(f, "{'token':'again'}"), &out));
    OKAY(transient_drop(&f->c, id, payment, &out));
    assert_int_equal(transient_get(&f->c, id, payment, service, &out), ERR_NOT_FOUND);
    OKAY(transient_put(&f->c, id, payment, js(f, "{'token':'by the clock'}"), &out));
    fixture_ahead(f, HOUR);
    OKAY(transient_tick(&f->c));
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%transient.released%\"count\":1%'"), 1);
    assert_int_equal(transient_put(&f->c, id, TEXT("identity"), js(f, "{'name':'x'}"), &out), ERR_USAGE);
    assert_int_equal(transient_put(&f->c, id, payment, js(f, "{'cvv':'123'}"), &out), ERR_UNDECLARED);
}

/* Art. 14: data from a third party are told to the person within the month; the duty goes with the person. */
static void third_party_source_owes_information(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = full_person(f);
    OKAY(duty_list(&f->c, &all_rows, &out));
    const struct json *duties = parsed(f, out.body);
    assert_true(text_eq(text_at(duties, "duties.0.kind"), TEXT("inform")));
    assert_true(text_eq(text_at(duties, "duties.0.about"), TEXT("partner")));
    assert_true(text_eq(text_at(duties, "duties.0.subject"), id));
    assert_false(at_path(duties, "duties.0.late")->truth);
    fixture_at(f, "2026-02-11T00:00:00Z");
    OKAY(duty_list(&f->c, &all_rows, &out));
    assert_true(at_path(parsed(f, out.body), "duties.0.late")->truth);
    text duty = text_at(parsed(f, out.body), "duties.0.id");
    assert_int_equal(duty_done(&f->c, duty, js(f, "{'outcome':'forgotten'}"), &out), ERR_VALUE);
    OKAY(duty_done(&f->c, duty, js(f, "{'outcome':'done'}"), &out));
    assert_int_equal(duty_done(&f->c, duty, NULL, &out), ERR_NOT_FOUND);
}

/* Duties that fall due at one moment are told apart by their ids: each stands on one page. */
static void duties_in_pages(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    full_person(f);
    for (int i = 1; i <= 4; i++)
        fixture_alter(
            f, "data",
            arena_print(&f->arena,
                        "INSERT INTO duty (tenant, id, kind, about, subject, note, at, due)"
                        " SELECT tenant, x'0%d112233445566778899aabbccddeeff', kind, about, subject, note, at, due + %d"
                        " FROM duty ORDER BY due, id DESC LIMIT 1",
                        i, i / 2)
                .p);
    OKAY(duty_list(&f->c, &all_rows, &out));
    unsigned all = at_path(parsed(f, out.body), "duties")->count, seen = 0;
    text whole_list = out.body, after = TEXT("");
    assert_true(all >= 5 && !out.next.p);
    do {
        OKAY(duty_list(&f->c, &(struct paging){ .after = after, .limit = 2 }, &out));
        JSON_EACH(one, at_path(parsed(f, out.body), "duties")) {
            text id = json_text(one, TEXT("id"));
            assert_true(text_eq(id, text_at(parsed(f, whole_list), arena_print(&f->arena, "duties.%u.id", seen++).p)));
        }
        after = out.next;
    } while (after.p);
    assert_int_equal(seen, all);
    assert_int_equal(duty_list(&f->c, &(struct paging){ .after = TEXT("1.x"), .limit = 2 }, &out), ERR_VALUE);
}

/* What no purpose of an actor covers is not theirs: a writer of page views neither reads the ledger and the duties, nor
 * consents or objects for people, nor ends their relation, from which terms run and erasure follows; and the journal's
 * entries are not for every token. */
static void narrow_actors_stay_narrow(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = full_person(f);
    OKAY(duty_list(&f->c, &all_rows, &out));
    text duty = text_at(parsed(f, out.body), "duties.0.id");
    for (const char *const *actor = (const char *const[]){ "tracker", "carrier", NULL }; *actor; actor++) {
        fixture_as(f, *actor);
        assert_int_equal(consent_list(&f->c, id, &all_rows, &out), ERR_FORBIDDEN);
        assert_int_equal(duty_list(&f->c, &all_rows, &out), ERR_FORBIDDEN);
        assert_int_equal(duty_done(&f->c, duty, NULL, &out), ERR_FORBIDDEN);
        assert_int_equal(objection_set(&f->c, id, TEXT("measure"), true, &out), ERR_FORBIDDEN);
        assert_int_equal(objection_set(&f->c, id, TEXT("measure"), false, &out), ERR_FORBIDDEN);
        assert_int_equal(care_bundle(&f->c, TEXT("000.p/1"), &out), ERR_FORBIDDEN);
    }
    fixture_as(f, "tracker");
    for (const char *const *event =
             (const char *const[]){ "closure", "contract_end", "withdrawal", "last_contact", NULL };
         *event; event++) {
        assert_int_equal(retention_event(&f->c, id, js(f, "{'event':'%s','at':'2000-01-01T00:00:00Z'}", *event), &out),
                         ERR_FORBIDDEN);
        assert_int_equal(rows_of(f, "milestone", "1"), 0);
    }
    OKAY(retention_event(&f->c, id, js(f, "{'event':'last_use'}"), &out));
    assert_int_equal(
        subject_create(&f->c, js(f, "{'source':'person','consents':[{'purpose':'news','decision':'given'}]}"), &out),
        ERR_FORBIDDEN);
    fixture_as(f, "app");
    OKAY(consent_list(&f->c, id, &all_rows, &out));
    OKAY(duty_done(&f->c, duty, NULL, &out));
    OKAY(retention_event(&f->c, id, js(f, "{'event':'closure'}"), &out));
}

/* A purpose is a name of the policy or it is refused, even where nothing is changed: the journal takes no free text. */
static void made_up_purpose_is_not_written_down(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    f->c.if_match = -1;
    assert_int_equal(subject_patch(&f->c, id, js(f, "{}"), TEXT("person"), TEXT("ada@example.org"), &out), ERR_PURPOSE);
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%ada@example%'"), 0);
}

/* Who took a consent is sealed in the ledger: the answer kept for a repeated request holds it no more than that. */
static void kept_answer_names_nobody(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    f->c.idempotency = (struct idempotency){ .key = TEXT("once") };
    OKAY(consent_record(&f->c, id, js(f, "{'purpose':'news','decision':'given','by':'Grace Hopper'}"), &out));
    assert_int_equal(rows_of(f, "idempotency", "1"), 1);
    assert_int_equal(rows_of(f, "idempotency", "instr(answer, CAST('Grace' AS BLOB)) > 0"), 0);
    f->c.idempotency = (struct idempotency){ 0 };
    OKAY(consent_list(&f->c, id, &all_rows, &out));
    assert_true(text_eq(text_at(parsed(f, out.body), "consents.0.by"), TEXT("Grace Hopper")));
}

static const struct json *decision_of(struct fixture *f, const char *decision)
{
    return js(f, "{'decision':'%s','reason':'fraud is under way: case 7'}", decision);
}

/* An objection blocks at once (Art. 18(1)(d)); who answers rights may override it on grounds that the person reads
 * (21(1)), never for advertising (21(3)); objecting anew blocks anew. */
static void objection_is_decided_on_with_reasons(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = full_person(f), none = { NULL, 0 };
    assert_int_equal(objection_decide(&f->c, id, TEXT("measure"), decision_of(f, "overridden"), &out), ERR_NOT_FOUND);
    OKAY(subject_read(&f->c, id, TEXT("measure"), none, &out));
    OKAY(objection_set(&f->c, id, TEXT("measure"), true, &out));
    OKAY(objection_set(&f->c, id, TEXT("offers"), true, &out));
    assert_int_equal(subject_read(&f->c, id, TEXT("measure"), none, &out), ERR_PURPOSE);
    assert_int_equal(
        objection_decide(&f->c, id, TEXT("measure"), js(f, "{'decision':'overridden','reason':' '}"), &out),
        ERR_MISSING);
    assert_int_equal(objection_decide(&f->c, id, TEXT("measure"), js(f, "{'decision':'ignored','reason':'x'}"), &out),
                     ERR_VALUE);
    assert_int_equal(objection_decide(&f->c, id, TEXT("offers"), decision_of(f, "overridden"), &out), ERR_PURPOSE);
    fixture_as(f, "tracker");
    assert_int_equal(objection_decide(&f->c, id, TEXT("measure"), decision_of(f, "overridden"), &out), ERR_FORBIDDEN);
    fixture_as(f, "app");
    OKAY(objection_decide(&f->c, id, TEXT("measure"), decision_of(f, "upheld"), &out));
    assert_int_equal(subject_read(&f->c, id, TEXT("measure"), none, &out), ERR_PURPOSE);
    OKAY(objection_decide(&f->c, id, TEXT("measure"), decision_of(f, "overridden"), &out));
    OKAY(subject_read(&f->c, id, TEXT("measure"), none, &out));
    assert_int_equal(subject_read(&f->c, id, TEXT("offers"), none, &out), ERR_PURPOSE);
    assert_int_equal(objection_decide(&f->c, id, TEXT("measure"), decision_of(f, "upheld"), &out), ERR_NOT_FOUND);
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%objection.overridden%'"), 1);
    assert_int_equal(rows_of(f, "consent", "instr(evidence, CAST('fraud' AS BLOB)) > 0"), 0);
    OKAY(access_answer(&f->c, id, &out));
    unsigned told = 0;
    JSON_EACH(row, at_path(parsed(f, out.body), "consents"))
        told += text_eq(json_text(row, TEXT("decision")), TEXT("overridden")) &&
                text_eq(json_text(row, TEXT("evidence")), TEXT("fraud is under way: case 7"));
    assert_int_equal(told, 1);
    OKAY(objection_set(&f->c, id, TEXT("measure"), true, &out));
    assert_int_equal(subject_read(&f->c, id, TEXT("measure"), none, &out), ERR_PURPOSE);
}

int main(void)
{
#define OVER_STORE(test) OVER(policy, test)
    const struct CMUnitTest tests[] = {
        OVER_STORE(answer_holds_everything),
        OVER_STORE(only_who_may_export),
        OVER_STORE(export_is_whole_and_escaped),
        OVER_STORE(export_has_a_table_for_each_category),
        OVER_STORE(export_goes_on_without_what_is_erased),
        OVER_STORE(attachments_come_back_as_they_went),
        OVER_STORE(moved_piece_is_refused),
        OVER_STORE(transient_values_live_in_memory_only),
        OVER_STORE(third_party_source_owes_information),
        OVER_STORE(duties_in_pages),
        OVER_STORE(narrow_actors_stay_narrow),
        OVER_STORE(made_up_purpose_is_not_written_down),
        OVER_STORE(kept_answer_names_nobody),
        OVER_STORE(objection_is_decided_on_with_reasons),
    };
    return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}

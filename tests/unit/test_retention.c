/* Retention: the ends of terms after LAW.md §3 and §4, and what a sweep does at them. */
#include "domain_fixture.h"
#include "domain/person/consent.h"
#include "domain/rights/objection.h"
#include "domain/person/held.h"
#include "domain/keep/hold.h"
#include "policy/due.h"
#include "domain/entry/address.h"
#include "domain/person/append.h"
#include "domain/person/subject.h"

struct term_row {
    struct retention retention;
    const char *start;
    bool archived;
    const char *due;
};
#define TERM(count_, unit_)                                                                                            \
    {                                                                                                                  \
        .count = (count_), .unit = TERM_##unit_                                                                        \
    }
#define ROW(from_, active_, archive_, start_, archived_, due_)                                                         \
    {                                                                                                                  \
        { .category = -1, .from = FROM_##from_, .active = active_, .archive = archive_ }, start_, archived_, due_      \
    }

static void terms_end_on_their_day(void **state)
{
    (void)state;
    static const struct term_row rows[] = {
        /* vectors.tsv: delete180d, keep36mo, keep25mo, keep120mo */
        ROW(LAST_USE, TERM(180, DAYS), TERM(0, UNSET), "2026-01-15T09:12:00Z", false, "2026-07-14"),
        ROW(LAST_USE, TERM(180, DAYS), TERM(0, UNSET), "2026-06-30T23:59:59.999Z", false, "2026-12-27"),
        ROW(COLLECTION, TERM(36, MONTHS), TERM(0, UNSET), "2026-11-22T10:00:00Z", false, "2029-11-22"),
        ROW(EVENT, TERM(25, MONTHS), TERM(0, UNSET), "2026-11-22", false, "2028-12-22"),
        ROW(YEAR_END, TERM(120, MONTHS), TERM(0, UNSET), "2026-03-02T08:00:00Z", false, "2036-12-31"),
        ROW(YEAR_END, TERM(1, YEARS), TERM(9, YEARS), "2026-12-31T23:00:00Z", false, "2027-12-31"),
        ROW(YEAR_END, TERM(1, YEARS), TERM(9, YEARS), "2026-12-31T23:00:00Z", true, "2036-12-31"),
        /* LAW.md §3, 18: never rolled to a working day, and short months end on their last day */
        ROW(COLLECTION, TERM(3, YEARS), TERM(0, UNSET), "2024-02-29T12:00:00Z", false, "2027-02-28"),
        ROW(COLLECTION, TERM(1, MONTHS), TERM(0, UNSET), "2026-01-31T12:00:00Z", false, "2026-02-28"),
        ROW(CONTRACT_END, TERM(1, YEARS), TERM(3, YEARS), "2024-02-29", true, "2028-02-29"),
        ROW(LAST_CONTACT, TERM(3, YEARS), TERM(0, UNSET), "2023-12-25T00:00:00Z", false, "2026-12-25"),
        /* exact below a day */
        ROW(COLLECTION, TERM(30, MINUTES), TERM(0, UNSET), "2026-03-29T00:45:10.5Z", false, "2026-03-29T01:15:10.5Z"),
        ROW(EVENT, TERM(72, HOURS), TERM(0, UNSET), "2026-10-24T08:00:00Z", false, "2026-10-27T08:00:00Z"),
        ROW(CLOSURE, TERM(12, HOURS), TERM(1, DAYS), "2026-10-24T20:00:00Z", true, "2026-10-26"),
        /* archive alone, archive absent */
        ROW(WITHDRAWAL, TERM(0, UNSET), TERM(5, YEARS), "2026-10-24T20:00:00Z", true, "2031-10-24"),
        ROW(WITHDRAWAL, TERM(5, YEARS), TERM(0, UNSET), "2026-10-24T20:00:00Z", true, "2031-10-24"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        msec start = moment(rows[i].start), due = moment(rows[i].due);
        const struct starts all = { start, start, start, start, start, start, start };
        char got[TIME_TEXT + 1];
        time_text(retention_due(&rows[i].retention, &all, rows[i].archived), got);
        if (retention_due(&rows[i].retention, &all, rows[i].archived) != due)
            fail_msg("row %zu: from %s due %s, not %s", i, rows[i].start, got, rows[i].due);
    }
}

static void unknown_start_has_no_end(void **state)
{
    (void)state;
    struct retention r = { .active = TERM(1, YEARS) };
    const struct starts none = { 0 }, collected = { .collection = moment("2026-01-01"), .event = moment("2026-02-02") };
    for (enum retention_from from = FROM_COLLECTION; from <= FROM_LAST_CONTACT; from++) {
        r.from = from;
        assert_int_equal(retention_due(&r, &none, false), 0);
        assert_int_equal(retention_due(&r, &none, true), 0);
    }
    r.from = FROM_CONTRACT_END;
    assert_int_equal(retention_due(&r, &collected, false), 0);
    r.from = FROM_CLOSURE;
    assert_int_equal(retention_due(&r, &collected, false), 0);
    /* never used since: the term runs from the collection */
    r.from = FROM_LAST_USE;
    assert_int_equal(retention_due(&r, &collected, false), moment("2027-01-01"));
    r.from = FROM_EVENT;
    assert_int_equal(retention_due(&r, &collected, false), moment("2027-02-02"));
    r.active.unit = TERM_ALWAYS;
    assert_int_equal(retention_due(&r, &collected, false), 0);
    assert_int_equal(retention_due(&r, &collected, true), 0);
}

/* Whatever the day, a term never ends on a later day than the calendar's, and a longer one never ends earlier. */
static void every_day_of_four_years(void **state)
{
    (void)state;
    for (msec day = moment("2024-01-01"); day < moment("2028-01-01"); day += DAY) {
        const struct starts s = { .collection = day + 13 * (msec)HOUR };
        msec last = 0;
        for (int months = 1; months <= 48; months++) {
            struct retention r = { .from = FROM_COLLECTION, .active = { months, TERM_MONTHS } };
            msec due = retention_due(&r, &s, false);
            struct date from = date_of(day), to = date_of(due);
            assert_int_equal(due, date_start(to));
            assert_int_equal((to.year - from.year) * 12 + to.month - from.month, months);
            assert_true(to.day <= from.day && (to.day == from.day || date_of(due + DAY).day == 1));
            assert_true(due > last);
            last = due;
        }
    }
}

/* ---- Sweeps over a real store. ---- */

#define CATEGORIES                                                                                                     \
    "categories:\n"                                                                                                    \
    "  identity: {fields: {name: {type: text}}}\n"                                                                     \
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"                                                  \
    "  visits: {many: true, fields: {page: {type: text}}}\n"                                                           \
    "  orders: {many: true, fields: {number: {type: text}}}\n"                                                         \
    "purposes:\n"                                                                                                      \
    "  service: {basis: contract, categories: [identity, contact, visits, orders]}\n"                                  \
    "  news: {basis: consent, categories: [contact]}\n"                                                                \
    "systems: {app: {purposes: [service, news], acts: [read, write, consent, export, erase]}}\n"                       \
    "recipients: none\n"

static const char policy[] = CATEGORIES
    "retention:\n"
    "  visits: {from: event, active: 12mo}\n"
    "  orders: {from: contract_end, active: 1y, archive: 4y, ground: C. civ. 2224}\n"
    "  identity: {from: closure, active: 30d}\n"
    "  contact: {from: closure, active: 30d}\n"
    "  former: {from: event, active: 12mo}\n"
    "  consents: {from: withdrawal, active: 5y}\n"
    "  journal: {from: event, active: 10y}\n"
    "  accounts: {from: last_use, active: 24mo}\n";

static void event_at(struct fixture *f, text id, const char *event, const char *at)
{
    struct answer out = { 0 };
    OKAY(retention_event(&f->c, id, js(f, "{'event':'%s','at':'%s'}", event, at), &out));
}

static bool readable(struct fixture *f, text id, const char *category)
{
    struct answer out = { 0 };
    enum err status = subject_read(&f->c, id, TEXT("service"), text_of(category), &out);
    return status == OK && text_find(out.body, TEXT("planted")) > 0;
}

/* To the day, and neither twice nor too early when the clock goes back. */
static void record_goes_on_its_day(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'Ada'}");
    record_added(f, id, "visits", "{'page':'/planted'}");
    fixture_at(f, "2026-01-11T08:00:00Z");
    record_added(f, id, "visits", "{'page':'/planted/later'}");
    fixture_at(f, "2027-01-09T23:59:59.999Z");
    assert_int_equal(at_path(swept(f), "erased")->count, 0);
    assert_int_equal(rows_of(f, "record", "category = 'visits'"), 2);
    fixture_at(f, "2027-01-10T00:00:00Z");
    assert_int_equal(int_at(swept(f), "erased.visits"), 1);
    int64_t entries = rows_of(f, "journal", "");
    assert_int_equal(at_path(swept(f), "erased")->count, 0);
    assert_int_equal(rows_of(f, "journal", ""), entries); /* a second sweep does nothing, and says nothing */
    fixture_at(f, "2026-06-01T00:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "record", "category = 'visits'"), 1);
    assert_true(readable(f, id, "visits"));
    fixture_at(f, "2027-01-11T00:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "record", "category = 'visits'"), 0);
    assert_int_equal(rows_of(f, "record", ""), 2);
    assert_int_equal(
        rows_of(
            f, "journal",
            "leaf LIKE '%\"act\":\"retention.erased\"%\"who\":%\"categories\":\"visits\"%\"clause\":\"retention.visits\"%\"count\":1%'"),
        2);
    assert_false(files_hold(f, TEXT("/planted")));
}

/* Active, then archive that ordinary purposes cannot read, then gone; nothing before the contract's end is known. */
static void record_goes_through_the_archive(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", "");
    record_added(f, id, "orders", "{'number':'planted-1'}");
    event_at(f, id, "last_use", "2026-01-10T00:00:00Z");
    fixture_at(f, "2027-06-01T12:00:00Z");
    event_at(f, id, "last_use", "2027-06-01T12:00:00Z");
    swept(f);
    assert_true(readable(f, id, "orders"));
    event_at(f, id, "contract_end", "2027-06-01T12:00:00Z");
    swept(f);
    fixture_at(f, "2028-05-31T23:00:00Z");
    swept(f);
    assert_true(readable(f, id, "orders"));
    fixture_at(f, "2028-06-01T00:00:00Z");
    event_at(f, id, "last_use", "2028-06-01T00:00:00Z");
    assert_int_equal(int_at(swept(f), "archived.orders"), 1);
    assert_false(readable(f, id, "orders"));
    assert_int_equal(rows_of(f, "record", "category = 'orders' AND state = 1"), 1);
    for (int year = 2029; year < 2032; year++) {
        char at[32];
        snprintf(at, sizeof at, "%d-12-31T00:00:00Z", year);
        fixture_at(f, at);
        event_at(f, id, "last_use", at);
        swept(f);
        assert_int_equal(rows_of(f, "record", "category = 'orders'"), 1);
    }
    fixture_at(f, "2032-06-01T00:00:00Z");
    assert_int_equal(int_at(swept(f), "erased.orders"), 1);
}

/* FR-05: a hold stops the term, its end resumes it, whether by release or by its own date. */
static void hold_stops_and_resumes(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    record_added(f, id, "visits", "{'page':'/planted'}");
    OKAY(hold_create(&f->c, id, js(f, "{'category':'visits','ground':'dispute 7'}"), &out));
    text open = out.id;
    OKAY(hold_create(&f->c, id, js(f, "{'category':'visits','ground':'dispute 8','until':'2027-03-01'}"), &out));
    fixture_at(f, "2027-02-01T00:00:00Z");
    assert_int_equal(int_at(swept(f), "held"), 1);
    assert_int_equal(rows_of(f, "record", "category = 'visits'"), 1);
    OKAY(hold_release(&f->c, id, open, &out));
    assert_int_equal(hold_release(&f->c, id, open, &out), ERR_NOT_FOUND);
    swept(f);
    assert_int_equal(rows_of(f, "record", "category = 'visits'"), 1); /* the other hold still stands */
    fixture_at(f, "2027-03-01T22:59:59Z");                            /* through the end of that day in Paris */
    swept(f);
    assert_int_equal(rows_of(f, "record", "category = 'visits'"), 1);
    fixture_at(f, "2027-03-01T23:00:00Z");
    assert_int_equal(int_at(swept(f), "erased.visits"), 1);
    assert_int_equal(rows_of(f, "hold", ""), 0);
    static const struct {
        const char *body;
        enum err expected;
    } refused[] = {
        { "{'category':'visits'}", ERR_MISSING },
        { "{'category':'nothing','ground':'x'}", ERR_UNDECLARED },
        { "{'category':'visits','ground':'x','until':'2020-01-01'}", ERR_VALUE },
        { "{'category':'visits','ground':'4111 1111 1111 1111'}", ERR_CARD_NUMBER },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(hold_create(&f->c, id, js(f, "%s", refused[i].body), &out), refused[i].expected);
}

/* Art. 18: restricted data are stored, and not erased by time; the lifting resumes it. */
static void restriction_stops_the_sweep(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    record_added(f, id, "visits", "{'page':'/planted'}");
    OKAY(restriction_set(&f->c, id, true, TEXT("needed for claims"), &out));
    fixture_at(f, "2029-01-01T00:00:00Z");
    assert_int_equal(int_at(swept(f), "people"), 0);
    assert_int_equal(rows_of(f, "record", ""), 2);
    OKAY(restriction_set(&f->c, id, false, TEXT(""), &out));
    assert_int_equal(int_at(swept(f), "people"), 1); /* last used three years ago */
    assert_int_equal(rows_of(f, "record", ""), 0);
}

/* MO-16: so long after the last use the whole person goes, to the day, with a certificate; each use moves the day. */
static void person_goes_after_last_use(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'planted'}");
    fixture_at(f, "2026-05-05T10:00:00Z");
    event_at(f, id, "last_use", "2026-05-05T10:00:00Z");
    fixture_at(f, "2028-01-10T08:00:00Z");
    assert_int_equal(int_at(swept(f), "people"), 0);
    fixture_at(f, "2028-05-04T23:59:59Z");
    assert_int_equal(int_at(swept(f), "people"), 0);
    assert_true(readable(f, id, "identity"));
    fixture_at(f, "2028-05-05T00:00:00Z");
    assert_int_equal(int_at(swept(f), "people"), 1);
    assert_int_equal(rows_of(f, "subject", ""), 0);
    assert_int_equal(rows_of(f, "identifier", ""), 0);
    assert_int_equal(rows_of(f, "key", ""), 0);
    assert_int_equal(rows_of(f, "certificate", "jws IS NOT NULL AND facts LIKE 'sealed:%'"), 1);
    assert_int_equal(int_at(swept(f), "people"), 0);
}

/* Three years of purchases under an account of two: the account closes at its end, what has no term of its own goes
 * with it, the purchase stays to the end that its notice tells, and the person goes when nothing is left. */
static const char longer[] = CATEGORIES "retention:\n"
                                        "  orders: {from: event, active: 3y}\n"
                                        "  contact: {from: closure, active: 30d}\n"
                                        "  accounts: {from: last_use, active: 2y}\n";

static void longer_terms_outlive_the_account(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'planted'}");
    text idle = person_made(f, "bob@example.org", ",'identity':{'name':'nothing bought'}");
    fixture_at(f, "2026-06-01T10:00:00Z");
    record_added(f, id, "orders", "{'number':'A-1'}");
    assert_int_equal(rows_of(f, "subject", ""), 2);
    fixture_at(f, "2028-01-10T08:00:00Z");
    assert_int_equal(int_at(swept(f), "people"), 1); /* who bought nothing goes with the account */
    struct answer out = { 0 };
    assert_int_equal(subject_read(&f->c, idle, TEXT("service"), (text){ NULL, 0 }, &out), ERR_NOT_FOUND);
    assert_int_equal(subject_read(&f->c, id, TEXT("service"), (text){ NULL, 0 }, &out), ERR_NOT_FOUND);
    assert_int_equal(rows_of(f, "subject", "state = 1"), 1);
    swept(f);
    assert_int_equal(rows_of(f, "record", "category = 'identity'"), 0);
    assert_int_equal(rows_of(f, "record", "category = 'contact'"), 1);
    fixture_at(f, "2028-02-09T08:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "record", "category = 'contact'"), 0);
    assert_int_equal(rows_of(f, "record", "category = 'orders'"), 1);
    fixture_at(f, "2029-05-31T23:59:00Z");
    assert_int_equal(int_at(swept(f), "people"), 0);
    assert_int_equal(rows_of(f, "record", "category = 'orders'"), 1);
    fixture_at(f, "2029-06-01T00:00:00Z");
    assert_int_equal(int_at(swept(f), "people"), 1);
    assert_int_equal(rows_of(f, "subject", ""), 0);
    assert_int_equal(rows_of(f, "key", ""), 0);
}

/* A term from an event counts from the time that the record itself tells, not from its writing. */
static const char dated[] =
    "categories:\n"
    "  identity: {fields: {name: {type: text}}}\n"
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"
    "  visits: {many: true, fields: {at: {type: time, required: true}, page: {type: text}}}\n"
    "  orders: {many: true, fields: {paid: {type: date, required: true}, sent: {type: date, required: true}}}\n"
    "  card: {fields: {lent: {type: date}, born: {type: date}}}\n"
    "purposes:\n"
    "  service: {basis: contract, categories: [identity, contact, visits, orders, card]}\n"
    "systems: {app: {purposes: [service], acts: [read, write, consent, export, erase]}}\n"
    "recipients: none\n"
    "retention:\n"
    "  visits: {from: event, active: 12mo}\n"
    "  orders: {from: year_end, event: sent, active: 1y}\n"
    "  card: {from: event, event: lent, active: 6mo}\n";

static void events_count_from_their_own_time(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", ",'card':{'lent':'2025-01-02','born':'1990-01-01'}");
    record_added(f, id, "visits", "{'at':'2024-06-01T10:00:00Z','page':'old'}");
    record_added(f, id, "visits", "{'at':'2025-06-01T10:00:00Z','page':'new'}");
    record_added(f, id, "orders", "{'paid':'2025-12-30','sent':'2026-01-02'}");
    const struct json *answer = swept(f);
    assert_int_equal(int_at(answer, "erased.visits"), 1);
    assert_int_equal(int_at(answer, "erased.card"), 1);
    fixture_at(f, "2026-06-01T00:00:00Z");
    assert_int_equal(int_at(swept(f), "erased.visits"), 1);
    fixture_at(f, "2027-12-30T23:00:00Z");
    assert_int_equal(rows_of(f, "record", "category = 'orders'"), 1);
    swept(f);
    assert_int_equal(rows_of(f, "record", "category = 'orders'"), 1);
    fixture_at(f, "2027-12-31T00:00:00Z");
    assert_int_equal(int_at(swept(f), "erased.orders"), 1);
}

/* A closed account: unreachable at once, its data at their terms, and the rest when nothing is left. */
static void closed_person_fades(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'planted'}");
    event_at(f, id, "closure", "2026-01-10T08:00:00Z");
    assert_int_equal(subject_read(&f->c, id, TEXT("service"), (text){ NULL, 0 }, &out), ERR_NOT_FOUND);
    assert_int_equal(rows_of(f, "identifier", ""), 1); /* the address is nobody else's yet */
    fixture_at(f, "2026-02-08T23:59:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "record", ""), 2);
    fixture_at(f, "2026-02-09T00:00:00Z");
    assert_int_equal(int_at(swept(f), "people"), 1); /* with all that there is */
    assert_int_equal(rows_of(f, "record", ""), 0);
    assert_int_equal(rows_of(f, "subject", ""), 0);
    assert_int_equal(rows_of(f, "identifier", ""), 0);
    assert_int_equal(rows_of(f, "key", ""), 0);
}

/* What the law holds does not keep a closed account: it goes with the rest of its data, and what is held is left. */
static const char
    kept_by_law[] = "categories:\n"
                    "  contact: {fields: {email: {type: email, identifier: true}}}\n"
                    "  settings: {fields: {theme: {type: text}}}\n"
                    "  invoices: {many: true, held: true, fields: {number: {type: text}}}\n"
                    "purposes:\n"
                    "  service: {basis: contract, categories: [contact, settings]}\n"
                    "  billing: {basis: legal_obligation, law: 'C. com. L123-22', categories: [invoices]}\n"
                    "systems: {app: {purposes: [service, billing], acts: [read, write, consent, export, erase]}}\n"
                    "recipients: none\n"
                    "retention:\n"
                    "  contact: {from: closure, active: 30d}\n"
                    "  invoices: {from: event, active: 10y, ground: 'C. com. L123-22'}\n"
                    "  accounts: {from: last_use, active: 2y}\n";

static void what_is_held_keeps_no_closed_account(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", "");
    text more = person_made(f, "bob@example.org", ",'settings':{'theme':'dark'}");
    text none = person_made(f, "eve@example.org", "");
    record_added(f, id, "invoices", "{'number':'F-1'}");
    OKAY(subject_drop_record(&f->c, none, TEXT("contact"), (text){ NULL, 0 }, &out));
    event_at(f, id, "closure", "2026-01-10T08:00:00Z");
    event_at(f, more, "closure", "2026-01-10T08:00:00Z");
    event_at(f, none, "closure", "2026-01-10T08:00:00Z");
    assert_int_equal(int_at(swept(f), "people"), 1); /* of whom there is nothing */
    fixture_at(f, "2026-02-08T23:59:00Z");
    assert_int_equal(int_at(swept(f), "people"), 0);
    fixture_at(f, "2026-02-09T00:00:00Z");
    assert_int_equal(int_at(swept(f), "people"), 1);
    assert_int_equal(rows_of(f, "record", "category = 'invoices' AND state = 1"), 1); /* in the archive, to its term */
    assert_int_equal(rows_of(f, "record", "category = 'contact'"), 0);
    fixture_at(f, "2028-01-09T23:59:59Z"); /* what has no term of its own goes with the account */
    assert_int_equal(int_at(swept(f), "people"), 0);
    assert_int_equal(rows_of(f, "record", "category = 'settings'"), 1);
    fixture_at(f, "2028-01-10T00:00:00Z");
    assert_int_equal(int_at(swept(f), "people"), 1);
    fixture_at(f, "2036-01-10T00:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "record", ""), 0);
}

static void former_values_and_consents_have_their_own_terms(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'old'}");
    f->c.if_match = -1;
    OKAY(subject_patch(&f->c, id, js(f, "{'identity':{'name':'planted'}}"), TEXT("person"), TEXT("service"), &out));
    OKAY(consent_record(&f->c, id, js(f, "{'purpose':'news','decision':'given'}"), &out));
    fixture_at(f, "2026-02-01T00:00:00Z");
    OKAY(consent_record(&f->c, id, js(f, "{'purpose':'news','decision':'withdrawn'}"), &out));
    fixture_at(f, "2027-01-09T00:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "former", ""), 1);
    fixture_at(f, "2027-01-10T00:00:00Z");
    assert_int_equal(int_at(swept(f), "erased.former"), 1);
    event_at(f, id, "last_use", "2027-01-10T00:00:00Z");
    for (int year = 2028; year <= 2030; year++) {
        char at[32];
        snprintf(at, sizeof at, "%d-06-01T00:00:00Z", year);
        fixture_at(f, at);
        event_at(f, id, "last_use", at);
        swept(f);
    }
    OKAY(consent_record(&f->c, id, js(f, "{'purpose':'news','decision':'given'}"), &out));
    fixture_at(f, "2031-01-31T23:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "consent", ""), 3);
    fixture_at(f, "2031-02-01T00:00:00Z");
    assert_int_equal(int_at(swept(f), "erased.consents"), 1);
    assert_int_equal(rows_of(f, "consent", ""), 1); /* the one given since */
    OKAY(consent_list(&f->c, id, &all_rows, &out));
    assert_true(text_eq(text_at(parsed(f, out.body), "live.0"), TEXT("news")));
}

/* A new policy with a shorter term counts for what is held already; with a longer one nothing goes too early. */
static void new_terms_count_for_what_is_held(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "ada@example.org", "");
    record_added(f, id, "visits", "{'page':'/planted'}");
    swept(f);
    fixture_again(f, CATEGORIES "retention: {visits: {from: event, active: 3mo}}\n");
    fixture_at(f, "2026-04-09T23:00:00Z");
    assert_int_equal(at_path(swept(f), "erased")->count, 0);
    fixture_again(f, CATEGORIES "retention: {visits: {from: event, active: 6mo}}\n");
    fixture_at(f, "2026-07-09T23:00:00Z");
    assert_int_equal(at_path(swept(f), "erased")->count, 0);
    fixture_at(f, "2026-07-10T00:00:00Z");
    assert_int_equal(int_at(swept(f), "erased.visits"), 1);
}

/* More than one step: all of it, each person's share on record. */
static void sweep_in_steps(void **state)
{
    struct fixture *f = *state;
    enum { PEOPLE = 3, VISITS = 400 };
    for (int i = 0; i < PEOPLE; i++) {
        char email[32];
        snprintf(email, sizeof email, "p%d@example.org", i);
        text id = person_made(f, email, "");
        for (int n = 0; n < VISITS; n++)
            record_added(f, id, "visits", "{'page':'/planted'}");
    }
    swept(f); /* a new instance counts all terms once */
    fixture_at(f, "2027-01-10T00:00:00Z");
    bool more = false;
    OKAY(retention_tick(&f->c, 1, &more));
    assert_true(more);
    assert_int_equal(rows_of(f, "record", "category = 'visits'"), PEOPLE * VISITS - 500);
    assert_int_equal(int_at(swept(f), "erased.visits"), PEOPLE * VISITS - 500);
    assert_int_equal(rows_of(f, "record", "category = 'visits'"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_end_on_their_day),
        cmocka_unit_test(unknown_start_has_no_end),
        cmocka_unit_test(every_day_of_four_years),
#define OVER_STORE(test) OVER(policy, test)
        OVER_STORE(record_goes_on_its_day),
        OVER_STORE(record_goes_through_the_archive),
        OVER_STORE(hold_stops_and_resumes),
        OVER_STORE(restriction_stops_the_sweep),
        OVER_STORE(person_goes_after_last_use),
        OVER(longer, longer_terms_outlive_the_account),
        OVER(dated, events_count_from_their_own_time),
        OVER_STORE(closed_person_fades),
        OVER(kept_by_law, what_is_held_keeps_no_closed_account),
        OVER_STORE(former_values_and_consents_have_their_own_terms),
        OVER_STORE(new_terms_count_for_what_is_held),
        OVER_STORE(sweep_in_steps),
    };
    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}

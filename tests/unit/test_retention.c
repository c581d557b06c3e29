/* Retention: the ends of terms after LAW.md §3 and §4, and what a sweep does at them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "domain/retention.h"

static msec at(const char *s)
{
    msec t;
    assert_true(time_parse(text_of(s), &t));
    return t;
}

struct term_row { struct retention retention; const char *start; bool archived; const char *due; };
#define TERM(count_, unit_) { .count = (count_), .unit = TERM_##unit_ }
#define ROW(from_, active_, archive_, start_, archived_, due_) \
    { { .category = -1, .from = FROM_##from_, .active = active_, .archive = archive_ }, start_, archived_, due_ }

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
        msec start = at(rows[i].start), due = at(rows[i].due);
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
    const struct starts none = { 0 }, collected = { .collection = at("2026-01-01"), .event = at("2026-02-02") };
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
    assert_int_equal(retention_due(&r, &collected, false), at("2027-01-01"));
    r.from = FROM_EVENT;
    assert_int_equal(retention_due(&r, &collected, false), at("2027-02-02"));
    r.active.unit = TERM_ALWAYS;
    assert_int_equal(retention_due(&r, &collected, false), 0);
    assert_int_equal(retention_due(&r, &collected, true), 0);
}

/* Whatever the day, a term never ends on a later day than the calendar's, and a longer one never ends earlier. */
static void every_day_of_four_years(void **state)
{
    (void)state;
    for (msec day = at("2024-01-01"); day < at("2028-01-01"); day += DAY) {
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_end_on_their_day),
        cmocka_unit_test(unknown_start_has_no_end),
        cmocka_unit_test(every_day_of_four_years),
    };
    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}

/* Unit tests of calendars and deadlines: the vectors of tests/gold, the worked examples, and properties over every
 * start day of four years. */
#include "base/buf.h"
#include "base/calendar.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "built.h"

static const struct calendar *named(const char *name)
{
    ARENA_AUTO a = arena_make(4096);
    const struct calendar *c = NULL;
    assert_int_equal(calendar_parse(&a, text_of(name), &c), OK);
    return c;
}

static struct date day(text s)
{
    struct date d;
    assert_true(date_parse(s, &d));
    return d;
}

static msec at(const struct calendar *c, text s)
{
    msec t;
    assert_true(calendar_read(c, s, &t));
    return t;
}

static struct period period(const char *s)
{
    struct period p;
    assert_true(period_parse(text_of(s), &p));
    return p;
}

static struct deadline deadline(const struct calendar *c, text from, const char *term, bool extended)
{
    ARENA_AUTO a = arena_make(4096);
    struct deadline d;
    assert_int_equal(deadline_compute(&a, c, at(c, from), period(term), extended, &d), OK);
    return d;
}

static void assert_limit(const struct calendar *c, struct limit l, text expected)
{
    ARENA_AUTO a = arena_make(4096);
    text got = limit_print(&a, c, &l);
    if (!text_eq(got, expected))
        fail_msg("got %.*s, expected %.*s", T(got), T(expected));
}

/* ---- tests/gold/vectors.tsv ---- */

enum column { KIND, IN, ALARM, LEGAL_FR, LEGAL_ALSACE, EXTENDED_ALARM, EXTENDED_LEGAL, COLUMNS };

static void vector_month(const text v[COLUMNS])
{
    const struct calendar *fr = named("fr"), *alsace = named("fr-alsace-moselle");
    struct deadline d = deadline(fr, v[IN], "1mo", false), extended = deadline(fr, v[IN], "1mo", true);
    assert_limit(fr, d.alarm, v[ALARM]);
    assert_limit(fr, d.legal, v[LEGAL_FR]);
    assert_limit(alsace, deadline(alsace, v[IN], "1mo", false).legal, v[LEGAL_ALSACE]);
    assert_limit(fr, extended.alarm, v[EXTENDED_ALARM]);
    assert_limit(fr, extended.legal, v[EXTENDED_LEGAL]);
}

static void vector_promise(const text v[COLUMNS])
{
    ARENA_AUTO a = arena_make(4096);
    const struct calendar *fr = named("fr");
    struct request_limit r;
    assert_int_equal(deadline_request(&a, fr, at(fr, v[IN]), period("60d"), false, &r), OK);
    assert_false(r.promise_wins);
    assert_limit(fr, r.effective.alarm, v[ALARM]);
    assert_limit(fr, r.effective.legal, v[LEGAL_FR]);
    assert_true(text_starts(v[EXTENDED_LEGAL], TEXT("promise=")));
    assert_limit(fr, r.promise, text_from(v[EXTENDED_LEGAL], sizeof "promise=" - 1));
}

static void vector_sweep(const text v[COLUMNS], const char *term)
{
    const struct calendar *fr = named("fr");
    msec sweep = deadline_sweep(fr, at(fr, v[IN]), period(term));
    assert_true(text_eq(v[ALARM], v[LEGAL_FR]));
    assert_int_equal(sweep, at(fr, v[LEGAL_FR]));
}

static void vector_hours(const text v[COLUMNS])
{
    const struct calendar *fr = named("fr");
    struct deadline d = deadline(fr, v[IN], "72h", false);
    assert_limit(fr, d.alarm, v[ALARM]);
    assert_limit(fr, d.legal, v[LEGAL_FR]);
}

/* A sliding cookie lives so many days of 24 hours in UTC, whatever the clocks do. */
static void vector_cookie(const text v[COLUMNS])
{
    assert_int_equal(deadline_sweep(named("fr"), at(named("fr"), v[IN]), period("720h")), at(named("fr"), v[LEGAL_FR]));
}

static void vector_holidays(const text v[COLUMNS])
{
    ARENA_AUTO a = arena_make(65536);
    const struct calendar *fr = named("fr"), *alsace = named("fr-alsace-moselle");
    BUF_AUTO national = buf_make(1024);
    BUF_AUTO local = buf_make(1024);
    int64_t year;
    assert_true(text_int(v[IN], &year));
    for (struct date d = { (int)year, 1, 1 }; d.year == year; d = date_of_days(date_days(d) + 1)) {
        struct buf *b = calendar_holiday(fr, d) ? &national
                      : calendar_holiday(alsace, d) ? &local : NULL;
        if (b)
            buf_print(b, "%s%.*s", b->n ? " " : "", T(date_print(&a, d)));
    }
    assert_true(text_eq(built(&national), v[ALARM]));
    assert_true(text_eq(built(&local), v[LEGAL_ALSACE]));
}

static bool vector(const text v[COLUMNS])
{
    static const struct {
        text kind;
        const char *term;
    } sweeps[] = {
        { TEXT_INIT("delete180d"), "180d" },
        { TEXT_INIT("keep25mo"), "25mo" },
        { TEXT_INIT("keep36mo"), "36mo" },
        { TEXT_INIT("keep120mo"), "10y" },
    };
    static const struct {
        text kind;
        void (*check)(const text v[COLUMNS]);
    } kinds[] = {
        { TEXT_INIT("dsr1m"), vector_month },       { TEXT_INIT("promise60d"), vector_promise },
        { TEXT_INIT("breach72h"), vector_hours },   { TEXT_INIT("cookie30d"), vector_cookie },
        { TEXT_INIT("holidays"), vector_holidays },
    };
    for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++)
        if (text_eq(v[KIND], sweeps[i].kind)) {
            vector_sweep(v, sweeps[i].term);
            return true;
        }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_eq(v[KIND], kinds[i].kind)) {
            kinds[i].check(v);
            return true;
        }
    return false;
}

static void vectors(void **state)
{
    char path[4096], content[65536];
    const char *root = getenv("GARANT_SOURCE");
    assert_non_null(root);
    snprintf(path, sizeof path, "%s/tests/gold/vectors.tsv", root);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text rest = { content, fread(content, 1, sizeof content, file) };
    fclose(file);
    assert_in_range(rest.n, 1, sizeof content - 1);
    size_t checked = 0;
    text_cut(&rest, '\n'); /* the heading */
    while (rest.n) {
        text line = text_cut(&rest, '\n'), v[COLUMNS];
        for (size_t i = 0; i < COLUMNS; i++)
            v[i] = text_cut(&line, '\t');
        if (!vector(v))
            fail_msg("no check for the vector %.*s", T(v[KIND]));
        checked++;
    }
    assert_int_equal(checked, 25);
}

/* ---- the worked examples, by their numbers ---- */

static void worked_requests(void **state)
{
    static const struct {
        const char *calendar, *from;
        bool extended;
        const char *alarm, *legal;
    } examples[] = {
        { "fr", "2026-03-05", false, "2026-04-05", "2026-04-07" }, /* 1: Easter */
        { "fr", "2026-08-31", false, "2026-09-30", "2026-09-30" }, /* 2: month end */
        { "fr", "2026-01-31", false, "2026-02-28", "2026-03-02" }, /* 3: short month */
        { "fr", "2026-01-31", true, "2026-04-28", "2026-04-30" },
        { "fr", "2024-01-31", false, "2024-02-29", "2024-02-29" }, /* 4: leap */
        { "fr", "2024-01-31", true, "2024-04-29", "2024-04-30" },
        { "fr", "2027-02-28", false, "2027-03-28", "2027-03-30" }, /* 5: two holidays */
        { "fr", "2027-04-06", false, "2027-05-06", "2027-05-07" }, /* 6: Ascension */
        { "fr", "2026-10-11", false, "2026-11-11", "2026-11-12" }, /* 7 */
        { "fr", "2026-11-25", false, "2026-12-25", "2026-12-28" }, /* 8: Christmas */
        { "fr", "2027-02-26", false, "2027-03-26", "2027-03-26" }, /* 9: Good Friday */
        { "fr-alsace-moselle", "2027-02-26", false, "2027-03-26", "2027-03-30" },
        { "fr", "2026-11-30", false, "2026-12-30", "2026-12-30" }, /* 10: the notice, the extension */
        { "fr", "2026-11-30", true, "2027-02-28", "2027-03-01" },
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const struct calendar *c = named(examples[i].calendar);
        struct deadline d = deadline(c, text_of(examples[i].from), "1mo", examples[i].extended);
        assert_limit(c, d.alarm, text_of(examples[i].alarm));
        assert_limit(c, d.legal, text_of(examples[i].legal));
    }
}

static void worked_promise(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    const struct calendar *fr = named("fr");
    struct request_limit r;
    msec received = at(fr, TEXT("2026-11-02"));
    assert_int_equal(deadline_request(&a, fr, received, period("60d"), false, &r), OK); /* 11 */
    assert_limit(fr, r.promise, TEXT("2027-01-01"));
    assert_limit(fr, r.effective.legal, TEXT("2026-12-02"));
    assert_false(r.promise_wins);
    /* Extended, the law has until February and the promise holds. */
    assert_int_equal(deadline_request(&a, fr, received, period("60d"), true, &r), OK);
    assert_limit(fr, r.law.legal, TEXT("2027-02-02"));
    assert_limit(fr, r.effective.legal, TEXT("2027-01-01"));
    assert_limit(fr, r.effective.alarm, TEXT("2027-01-01"));
    assert_true(r.promise_wins);
    /* A shorter promise holds and does not roll: 2026-11-14 is a Saturday. */
    assert_int_equal(deadline_request(&a, fr, received, period("12d"), false, &r), OK);
    assert_limit(fr, r.effective.legal, TEXT("2026-11-14"));
    assert_limit(fr, r.effective.alarm, TEXT("2026-11-14"));
    /* A promise of the law's own month rolls and is extended like it. */
    assert_int_equal(deadline_request(&a, fr, at(fr, TEXT("2026-03-05")), period("1mo"), false, &r), OK);
    assert_limit(fr, r.effective.legal, TEXT("2026-04-07"));
    assert_limit(fr, r.effective.alarm, TEXT("2026-04-05"));
    assert_false(r.promise_wins);
    assert_int_equal(deadline_request(&a, fr, received, period("1mo"), true, &r), OK);
    assert_limit(fr, r.effective.legal, TEXT("2027-02-02"));
    /* Promised in hours: a moment, earlier than the month's end. */
    assert_int_equal(deadline_request(&a, fr, at(fr, TEXT("2026-11-02T10:00+01:00")), period("48h"), false, &r), OK);
    assert_limit(fr, r.effective.legal, TEXT("2026-11-04T10:00:00+01:00"));
    assert_true(r.promise_wins);
}

static void worked_hours(void **state)
{
    static const struct {
        const char *from, *legal;
    } examples[] = {
        { "2026-11-20T17:20+01:00", "2026-11-23T17:20:00+01:00" }, /* 13: weekend, not the outer 18:00 */
        { "2026-12-24T16:00+01:00", "2026-12-27T16:00:00+01:00" }, /* 14: Christmas */
        { "2026-10-24T10:00+02:00", "2026-10-27T09:00:00+01:00" }, /* 15: clocks back */
        { "2027-03-26T23:30+01:00", "2027-03-30T00:30:00+02:00" }, /* 16: clocks forward */
        { "2026-11-20T16:20Z", "2026-11-23T17:20:00+01:00" },      /* 13 again, in UTC and in local time */
        { "2026-11-20T17:20", "2026-11-23T17:20:00+01:00" },
    };
    const struct calendar *fr = named("fr");
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct deadline d = deadline(fr, text_of(examples[i].from), "72h", false);
        assert_limit(fr, d.alarm, text_of(examples[i].legal));
        assert_limit(fr, d.legal, text_of(examples[i].legal));
        assert_int_equal(d.legal.ends, at(fr, text_of(examples[i].from)) + 72 * (msec)HOUR);
    }
}

static void worked_retention(void **state)
{
    const struct calendar *fr = named("fr");
    /* 12: a holiday, no roll; gone at 00:00 in Paris, whatever the hour of the last use */
    assert_int_equal(deadline_sweep(fr, at(fr, TEXT("2026-01-15T23:59:59+01:00")), period("180d")),
                     at(fr, TEXT("2026-07-14T00:00+02:00")));
    /* 17: each hit moves the end of the cookie */
    assert_int_equal(deadline_sweep(fr, at(fr, TEXT("2026-10-01T08:00Z")), period("720h")),
                     at(fr, TEXT("2026-10-31T08:00Z")));
    assert_int_equal(deadline_sweep(fr, at(fr, TEXT("2026-10-20T09:00Z")), period("720h")),
                     at(fr, TEXT("2026-11-19T09:00Z")));
    /* 18: leap day and a Sunday; 19: the year closed */
    assert_int_equal(deadline_sweep(fr, at(fr, TEXT("2024-02-29")), period("3y")), at(fr, TEXT("2027-02-28")));
    assert_int_equal(deadline_sweep(fr, at(fr, TEXT("2026-12-31")), period("10y")), at(fr, TEXT("2036-12-31")));
}

/* ---- properties ---- */

static void assert_month_shape(struct date from, struct date to, int months)
{
    assert_int_equal(to.year * 12 + to.month, from.year * 12 + from.month + months);
    assert_true(date_valid(to));
    assert_true(to.day == from.day || (to.day < from.day && to.day == date_month_days(to.year, to.month)));
}

static void assert_rolled(const struct calendar *c, const struct limit *nominal, const struct limit *legal)
{
    assert_true(calendar_works(c, legal->day));
    assert_true(legal->ends >= nominal->ends);
    assert_int_equal(legal->ends, calendar_start(c, date_of_days(date_days(legal->day) + 1)));
    for (int64_t d = date_days(nominal->day); d < date_days(legal->day); d++)
        assert_false(calendar_works(c, date_of_days(d))); /* the first working day, no later one */
}

static void every_day(const struct calendar *c)
{
    ARENA_AUTO a = arena_make(4096);
    static const struct period month = { 1, PERIOD_MONTHS }, quarter = { 3, PERIOD_MONTHS },
                               sixty = { 60, PERIOD_DAYS };
    struct deadline before = { 0 }, before_extended = { 0 };
    for (int64_t n = date_days((struct date){ 2024, 1, 1 }); n < date_days((struct date){ 2028, 1, 1 }); n++) {
        struct date from = date_of_days(n);
        struct deadline d, e, whole, last_second, days;
        assert_int_equal(deadline_compute(&a, c, calendar_start(c, from), month, false, &d), OK);
        assert_int_equal(deadline_compute(&a, c, calendar_start(c, from), month, true, &e), OK);
        assert_int_equal(deadline_compute(&a, c, calendar_start(c, from), quarter, false, &whole), OK);
        assert_int_equal(deadline_compute(&a, c, calendar_start(c, from), sixty, false, &days), OK);
        assert_int_equal(
            deadline_compute(&a, c, calendar_start(c, date_of_days(n + 1)) - 1, month, false, &last_second), OK);
        /* The hour of receipt does not count. */
        assert_true(last_second.alarm.ends == d.alarm.ends && last_second.legal.ends == d.legal.ends);
        assert_month_shape(from, d.alarm.day, 1);
        assert_month_shape(from, whole.alarm.day, 3);
        assert_rolled(c, &d.alarm, &d.legal);
        assert_rolled(c, &days.alarm, &days.legal);
        assert_int_equal(date_days(days.alarm.day), n + 60);
        assert_rolled(c, &whole.alarm, &e.legal); /* three months from receipt in all */
        assert_true(e.alarm.ends <= whole.alarm.ends && e.alarm.ends > d.legal.ends);
        assert_month_shape(d.alarm.day, e.alarm.day, 2);
        assert_true(d.alarm.ends >= before.alarm.ends && d.legal.ends >= before.legal.ends);
        assert_true(e.alarm.ends >= before_extended.alarm.ends && e.legal.ends >= before_extended.legal.ends);
        assert_true(deadline_sweep(c, calendar_start(c, from), month) == calendar_start(c, d.alarm.day));
        before = d;
        before_extended = e;
    }
}

static void every_start_day(void **state)
{
    static const char *const names[] = { "fr", "fr-alsace-moselle", "fr-martinique", "fr-reunion", "lt" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        every_day(named(names[i]));
}

/* Every hour of four years: 72 hours are 72 hours, and local time goes there and back. */
static void every_hour(void **state)
{
    ARENA_AUTO a = arena_make(8 << 20);
    const struct calendar *fr = named("fr");
    int changes = 0;
    for (msec t = date_start((struct date){ 2024, 1, 1 }); t < date_start((struct date){ 2028, 1, 1 }); t += HOUR) {
        struct deadline d;
        msec back;
        assert_int_equal(deadline_compute(&a, fr, t, (struct period){ 72, PERIOD_HOURS }, false, &d), OK);
        assert_true(d.alarm.ends == t + 72 * (msec)HOUR && d.legal.ends == d.alarm.ends && d.legal.exact);
        text local = calendar_print(&a, fr, t);
        assert_true(calendar_read(fr, local, &back) && back == t);
        /* Without its offset the same moment, but for the second of the two hours of an autumn night. */
        assert_true(calendar_read(fr, text_upto(local, 19), &back));
        if (back != t) {
            assert_int_equal(back, t - HOUR);
            assert_true(date_of(t).month == 10 && date_weekday(date_of(t)) == 7 && date_of(t).day > 24);
        }
        changes += calendar_offset(fr, t) != calendar_offset(fr, t - HOUR);
        arena_reset(&a);
    }
    assert_int_equal(changes, 8);
}

/* ---- calendars ---- */

static void easter(void **state)
{
    /* Published tables, with the earliest (22 March) and latest (25 April) possible and the exceptions of 1954 and
     * 1981. */
    static const struct date known[] = {
        { 1818, 3, 22 }, { 1943, 4, 25 }, { 1954, 4, 18 }, { 1961, 4, 2 },  { 1981, 4, 19 },
        { 2000, 4, 23 }, { 2008, 3, 23 }, { 2011, 4, 24 }, { 2024, 3, 31 }, { 2025, 4, 20 },
        { 2026, 4, 5 },  { 2027, 3, 28 }, { 2028, 4, 16 }, { 2038, 4, 25 }, { 2285, 3, 22 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct date e = date_easter(known[i].year);
        assert_true(e.month == known[i].month && e.day == known[i].day);
    }
    for (int year = 1583; year < 4100; year++)
        assert_int_equal(date_weekday(date_easter(year)), 7);
}

static void holidays(void **state)
{
    static const struct {
        const char *calendar, *day;
        bool holiday;
    } days[] = {
        { "fr", "2026-05-14", true },  /* Ascension */
        { "fr", "2026-05-25", true },  /* Whit Monday */
        { "fr", "2026-04-03", false }, /* Good Friday, not there */
        { "fr", "2026-05-22", false },
        { "fr-martinique", "2026-05-22", true }, /* abolition days, each on its own island */
        { "fr-martinique", "2026-05-27", false },
        { "fr-martinique", "2026-12-25", true },
        { "fr-guadeloupe", "2026-05-27", true },
        { "fr-guyane", "2026-06-10", true },
        { "fr-mayotte", "2026-04-27", true },
        { "fr-reunion", "2026-12-20", true },
        { "fr-saint-barthelemy", "2026-10-09", true },
        { "fr-saint-martin", "2026-05-27", false }, /* contested: left out */
        { "fr-saint-martin", "2026-05-28", false },
        { "lt", "2026-02-16", true },
        { "lt", "2026-03-11", true },
        { "lt", "2026-04-05", true }, /* Easter Sunday */
        { "lt", "2026-05-03", true }, /* Mother's Day */
        { "lt", "2026-05-10", false },
        { "lt", "2026-06-07", true }, /* Father's Day */
        { "lt", "2019-11-02", false },
        { "lt", "2020-11-02", true },
        { "lt", "2026-07-14", false },
        { "lt", "2026-05-08", false },
        { "lt", "2026-12-24", true },
        { "lt", "2026-12-26", true },
    };
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        const struct holiday *h = calendar_holiday(named(days[i].calendar), day(text_of(days[i].day)));
        if (!h != !days[i].holiday)
            fail_msg("%s on %s", days[i].day, days[i].calendar);
        assert_true(!h || (h->en.n && h->fr.n && h->source.n));
    }
    const struct calendar *lt = named("lt");
    /* From Christmas Eve to 26 December, and the weekend behind. */
    assert_limit(lt, deadline(lt, TEXT("2026-11-24"), "1mo", false).legal, TEXT("2026-12-28"));
    assert_limit(named("fr"), deadline(named("fr"), TEXT("2026-11-24"), "1mo", false).legal, TEXT("2026-12-24"));
}

/* The day of receipt is the local one. */
static void local_days(void **state)
{
    const struct calendar *fr = named("fr"), *martinique = named("fr-martinique"), *reunion = named("fr-reunion");
    assert_limit(fr, deadline(fr, TEXT("2026-03-05T23:30Z"), "1mo", false).alarm, TEXT("2026-04-06"));
    assert_limit(fr, deadline(fr, TEXT("2026-03-05T22:30Z"), "1mo", false).alarm, TEXT("2026-04-05"));
    assert_limit(martinique, deadline(martinique, TEXT("2026-03-06T03:30Z"), "1mo", false).alarm, TEXT("2026-04-05"));
    assert_limit(reunion, deadline(reunion, TEXT("2026-03-05T20:30Z"), "1mo", false).alarm, TEXT("2026-04-06"));
    assert_int_equal(deadline(fr, TEXT("2026-03-05"), "1mo", false).legal.ends, at(fr, TEXT("2026-04-07T22:00Z")));
    assert_int_equal(calendar_start(martinique, (struct date){ 2026, 7, 1 }), at(fr, TEXT("2026-07-01T04:00Z")));
    assert_int_equal(calendar_offset(named("lt"), at(fr, TEXT("2026-07-01T00:00Z"))), 180);
    /* The hour that spring skips, and the two hours of an autumn night. */
    assert_int_equal(at(fr, TEXT("2027-03-28T02:30")), at(fr, TEXT("2027-03-28T01:30Z")));
    assert_int_equal(at(fr, TEXT("2026-10-25T02:30")), at(fr, TEXT("2026-10-25T00:30Z")));
    assert_int_equal(at(fr, TEXT("2026-10-25T03:00")), at(fr, TEXT("2026-10-25T02:00Z")));
}

static void refusals(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    const struct calendar *c = NULL;
    struct deadline d;
    assert_int_equal(calendar_parse(&a, TEXT("de"), &c), ERR_VALUE);
    assert_true(text_find(text_of(a.why.detail), TEXT("fr-alsace-moselle")) > 0);
    assert_int_equal(calendar_parse(&a, TEXT(""), &c), ERR_VALUE);
    assert_int_equal(calendar_parse(&a, TEXT("FR"), &c), OK);
    assert_int_equal(deadline_compute(&a, c, 0, period("72h"), true, &d), ERR_USAGE);
    assert_int_equal(deadline_compute(&a, c, 0, period("3mo"), true, &d), ERR_USAGE);
    static const char *const bad_periods[] = { "",   "mo",      "1",    "-1d",  "+1d",   "1 d",
                                               "1M", "123456d", "1mo ", "1.5y", "always" };
    struct period p = { 7, PERIOD_DAYS };
    for (size_t i = 0; i < sizeof bad_periods / sizeof *bad_periods; i++)
        assert_false(period_parse(text_of(bad_periods[i]), &p));
    assert_true(p.count == 7 && p.unit == PERIOD_DAYS);
    static const text bad_times[] = { TEXT_INIT(""),
                                      TEXT_INIT("2026-02-29"),
                                      TEXT_INIT("2026-11-20T"),
                                      TEXT_INIT("2026-11-20T17:20\0"),
                                      TEXT_INIT("2026-11-20T24:00"),
                                      TEXT_INIT("yesterday"),
                                      TEXT_INIT("2026-11-20T17:20+0100"),
                                      TEXT_INIT("2026-11-20T17:20:00.00000000000000000000000000000") };
    msec t;
    for (size_t i = 0; i < sizeof bad_times / sizeof *bad_times; i++)
        assert_false(calendar_read(c, bad_times[i], &t));
    /* The largest that can be asked stays a date. */
    assert_int_equal(deadline_compute(&a, c, at(c, TEXT("9999-12-31")), period("99999y"), false, &d), OK);
    assert_true(d.legal.ends >= d.alarm.ends && d.legal.day.year > 9999);
}

/* Both sides of both changes of the clocks, and countries that have none. */
static void clocks_of_countries(void **state)
{
    static const struct {
        const char *country, *at;
        int offset;
    } rows[] = { { "DE", "2026-03-29T00:59Z", 60 },  { "DE", "2026-03-29T01:00Z", 120 }, { "IE", "2026-03-29T00:59Z", 0 },
                 { "IE", "2026-03-29T01:00Z", 60 },  { "FI", "2026-10-25T00:59Z", 180 }, { "FI", "2026-10-25T01:00Z", 120 },
                 { "IS", "2026-07-01T00:00Z", 0 },   { "RE", "2026-07-01T00:00Z", 240 }, { "GP", "2026-07-01T00:00Z", -240 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct calendar *clock = calendar_clock(text_of(rows[i].country));
        assert_non_null(clock);
        assert_int_equal(calendar_offset(clock, at(clock, text_of(rows[i].at))), rows[i].offset);
        assert_null(calendar_holiday(clock, (struct date){ 2026, 1, 1 }));
    }
    assert_null(calendar_clock(TEXT("US"))); /* its clocks change on other days */
    assert_null(calendar_clock(TEXT("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),      cmocka_unit_test(worked_requests),  cmocka_unit_test(worked_promise),
        cmocka_unit_test(worked_hours), cmocka_unit_test(worked_retention), cmocka_unit_test(every_start_day),
        cmocka_unit_test(every_hour),   cmocka_unit_test(easter),           cmocka_unit_test(holidays),
        cmocka_unit_test(local_days),   cmocka_unit_test(refusals),         cmocka_unit_test(clocks_of_countries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

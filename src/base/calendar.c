/* Calendars and deadlines: holidays, local time, and the ends of periods. */
#include "calendar.h"
#include "buf.h"

enum set {
    IN_FR,
    IN_ALSACE_MOSELLE,
    IN_GUADELOUPE,
    IN_GUYANE,
    IN_MARTINIQUE,
    IN_MAYOTTE,
    IN_REUNION,
    IN_SAINT_BARTHELEMY,
    IN_LT,
};
enum kind { FIXED, EASTER, SUNDAY };

static const struct calendar calendars[] = {
#define SET(name) (1u << IN_##name)
#define CALENDAR(name, sets, standard, summer, en, fr)                                                                 \
    { TEXT_INIT(name), TEXT_INIT(en), TEXT_INIT(fr), (sets), (standard), (summer) },
#include "holidays.def"
#undef CALENDAR
#undef SET
};
enum { CALENDARS = sizeof calendars / sizeof *calendars };

static const struct row {
    enum set set;
    enum kind kind;
    int x, y, first, last;
    struct holiday holiday;
} rows[] = {
#define HOLIDAY(set, kind, x, y, first, last, en, fr, source)                                                          \
    { IN_##set, kind, x, y, first, last, { TEXT_INIT(en), TEXT_INIT(fr), TEXT_INIT(source) } },
#include "holidays.def"
#undef HOLIDAY
};
enum { ROWS = sizeof rows / sizeof *rows };

enum err calendar_parse(struct arena *a, text name, const struct calendar **out)
{
    BUF_AUTO known = buf_make(1024);
    for (size_t i = 0; i < CALENDARS; i++) {
        if (text_eq_nocase(name, calendars[i].name)) {
            *out = &calendars[i];
            return OK;
        }
        buf_print(&known, "%s%.*s", i ? ", " : "", T(calendars[i].name));
    }
    return say(a, ERR_VALUE, "this calendar is not known; known are %.*s", T(buf_begun(&known)));
}

int date_weekday(struct date d)
{
    int64_t days = date_days(d) + 3; /* 1970-01-01 was a Thursday */
    return (int)((days % 7 + 7) % 7) + 1;
}

const struct calendar *calendar_clock(text country)
{
    static const struct calendar clocks[] = {
#define CLOCK(code, standard, summer) { TEXT_INIT(code), TEXT_INIT(code), TEXT_INIT(code), 0, standard, summer },
#include "clocks.def"
    };
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++)
        if (text_eq(clocks[i].name, country))
            return &clocks[i];
    return NULL;
}

int date_month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

struct date date_add_months(struct date d, int64_t months)
{
    int64_t all = (int64_t)d.year * 12 + d.month - 1 + months;
    int month = (int)((all % 12 + 12) % 12);
    struct date out = { (int)((all - month) / 12), month + 1, d.day };
    int last = date_month_days(out.year, out.month);
    if (out.day > last)
        out.day = last;
    return out;
}

static struct date add_days(struct date d, int64_t days) { return date_of_days(date_days(d) + days); }

/* The anonymous Gregorian computus (Nature, 1876; Meeus, "Astronomical Algorithms", chapter 8). */
struct date date_easter(int year)
{
    int golden = year % 19, century = year / 100, in_century = year % 100;
    int correction = (century - (century + 8) / 25 + 1) / 3;
    int epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    int weekday = (32 + 2 * (century % 4) + 2 * (in_century / 4) - epact - in_century % 4) % 7;
    int late = (golden + 11 * epact + 22 * weekday) / 451;
    int day = epact + weekday - 7 * late + 114;
    return (struct date){ year, day / 31, day % 31 + 1 };
}

static bool falls_on(const struct row *r, struct date d)
{
    if (d.year < r->first || d.year > r->last)
        return false;
    switch (r->kind) {
    case FIXED:
        return d.month == r->x && d.day == r->y;
    case EASTER:
        return date_days(d) == date_days(date_easter(d.year)) + r->x;
    case SUNDAY:
        return d.month == r->x && (d.day - 1) / 7 + 1 == r->y && date_weekday(d) == 7;
    }
    return false;
}

const struct holiday *calendar_holiday(const struct calendar *c, struct date d)
{
    for (size_t i = 0; i < ROWS; i++)
        if ((c->sets >> rows[i].set & 1) && falls_on(&rows[i], d))
            return &rows[i].holiday;
    return NULL;
}

bool calendar_works(const struct calendar *c, struct date d) { return date_weekday(d) < 6 && !calendar_holiday(c, d); }

struct date calendar_roll(const struct calendar *c, struct date d)
{
    while (!calendar_works(c, d))
        d = add_days(d, 1);
    return d;
}

/* 01:00 UTC of the last Sunday of a month of 31 days: when the clocks change (Directive 2000/84/EC, Art. 2 and 3). */
static msec clock_change(int year, int month)
{
    struct date last = { year, month, 31 };
    return date_start(add_days(last, -(date_weekday(last) % 7))) + HOUR;
}

int calendar_offset(const struct calendar *c, msec t)
{
    int year = date_of(t).year;
    bool summer = c->summer && t >= clock_change(year, 3) && t < clock_change(year, 10);
    return c->standard + (summer ? 60 : 0);
}

struct date calendar_date(const struct calendar *c, msec t)
{
    return date_of(t + calendar_offset(c, t) * (msec)MINUTE);
}

/* Of the two moments that an autumn hour names, the earlier; an hour that spring skips is read as winter time. */
static msec from_local(const struct calendar *c, msec local)
{
    msec winter = local - c->standard * (msec)MINUTE, summer = winter - HOUR;
    return calendar_offset(c, summer) == c->standard + 60 ? summer : winter;
}

msec calendar_start(const struct calendar *c, struct date d) { return from_local(c, date_start(d)); }

text calendar_print(struct arena *a, const struct calendar *c, msec t)
{
    int offset = calendar_offset(c, t), size = offset < 0 ? -offset : offset;
    char utc[TIME_TEXT + 1];
    text local = text_upto(time_text(t + offset * (msec)MINUTE, utc), sizeof "2026-10-27T09:00:00" - 1);
    return arena_print(a, "%.*s%c%02d:%02d", T(local), offset < 0 ? '-' : '+', size / 60, size % 60);
}

bool calendar_read(const struct calendar *c, text s, msec *out)
{
    struct date d;
    char with_zone[40];
    if (date_parse(s, &d)) {
        *out = calendar_start(c, d);
        return true;
    }
    if (time_parse(s, out))
        return true;
    if (s.n + 1 > sizeof with_zone || !s.n)
        return false;
    memcpy(with_zone, s.p, s.n);
    with_zone[s.n] = 'Z';
    if (!time_parse((text){ with_zone, s.n + 1 }, out))
        return false;
    *out = from_local(c, *out);
    return true;
}

bool period_parse(text s, struct period *out)
{
    static const struct {
        text suffix;
        struct period one;
    } units[] = {
        { TEXT_INIT("h"), { 1, PERIOD_HOURS } },
        { TEXT_INIT("d"), { 1, PERIOD_DAYS } },
        { TEXT_INIT("mo"), { 1, PERIOD_MONTHS } },
        { TEXT_INIT("y"), { 12, PERIOD_MONTHS } },
    };
    enum { DIGITS_MAX = 5 }; /* no period of a law is longer, and no sum of it overflows */
    size_t digits = 0;
    int64_t count;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    if (digits > DIGITS_MAX || !text_int(text_upto(s, digits), &count))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text_eq(text_from(s, digits), units[i].suffix)) {
            *out = (struct period){ (int)count * units[i].one.count, units[i].one.unit };
            return true;
        }
    return false;
}

static struct limit day_limit(const struct calendar *c, struct date d)
{
    return (struct limit){ .day = d, .ends = calendar_start(c, add_days(d, 1)) };
}

/* Nominal: what the period says before Art. 3(4) moves it. */
static struct limit nominal(const struct calendar *c, msec from, struct period p)
{
    struct date event = calendar_date(c, from);
    msec moment = from + p.count * (msec)HOUR;
    switch (p.unit) {
    case PERIOD_DAYS:
        return day_limit(c, add_days(event, p.count));
    case PERIOD_MONTHS:
        return day_limit(c, date_add_months(event, p.count));
    case PERIOD_HOURS:
        break;
    }
    return (struct limit){ .day = calendar_date(c, moment), .ends = moment, .exact = true };
}

static bool one_month(struct period p) { return p.unit == PERIOD_MONTHS && p.count == 1; }

enum err deadline_compute(struct arena *a, const struct calendar *c, msec from, struct period p, bool extended,
                          struct deadline *out)
{
    if (extended && !one_month(p))
        return say(a, ERR_USAGE, "only the period of one month can be extended (GDPR, Art. 12(3))");
    struct limit end = nominal(c, from, p);
    *out = (struct deadline){ .alarm = end, .legal = end };
    if (extended) {
        out->alarm = day_limit(c, date_add_months(end.day, 2));
        end = nominal(c, from, (struct period){ 3, PERIOD_MONTHS });
    }
    if (!end.exact)
        out->legal = day_limit(c, calendar_roll(c, end.day));
    return OK;
}

text limit_print(struct arena *a, const struct calendar *c, const struct limit *l)
{
    return l->exact ? calendar_print(a, c, l->ends) : date_print(a, l->day);
}

static struct limit earlier(struct limit a, struct limit b) { return b.ends < a.ends ? b : a; }

enum err deadline_request(struct arena *a, const struct calendar *c, msec received, struct period promise,
                          bool extended, struct request_limit *out)
{
    TRY(deadline_compute(a, c, received, (struct period){ 1, PERIOD_MONTHS }, extended, &out->law));
    out->promise = one_month(promise) ? out->law.legal : nominal(c, received, promise);
    out->effective.alarm = earlier(out->law.alarm, out->promise);
    out->effective.legal = earlier(out->law.legal, out->promise);
    out->promise_wins = out->promise.ends < out->law.legal.ends;
    return OK;
}

msec deadline_sweep(const struct calendar *c, msec from, struct period p)
{
    struct limit end = nominal(c, from, p);
    return end.exact ? end.ends : calendar_start(c, end.day);
}

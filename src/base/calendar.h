/* Calendars and deadlines: periods after Regulation (EEC, Euratom) 1182/71, public holidays, and the 72 hours of a
 * breach.
 *
 * What the law says, and how well its text is known here ([read], [quoted] by others, [known] but not checked):
 *   Art. 2(1)     holidays are those of the Member State of the act [read]; holidays.def has them with their sources.
 *   Art. 3(1)     the hour or day of the event is not counted [quoted].
 *   Art. 3(2)(c)  a period in months or years ends on the date with the event's number, or on that month's last day
 * [quoted]. Art. 3(3)     weekends and holidays inside a period count [known]. Art. 3(4)     a period not in hours that
 * ends on a Saturday, Sunday or holiday runs to the end of the next working day [quoted]. GDPR 12(3)    one month from
 * receipt, two more when extended, told within the first [read]; by any official channel, whether or not anybody was
 * aware of it (EDPB 01/2022, 159 to 161) [quoted]. GDPR 33(1)    72 hours from awareness, through nights, weekends and
 * changes of the clocks [read]. Contested, and never scheduled on here because each reading only makes an act later:
 * that Art. 3(1) moves 72 hours to the next full hour; that Art. 3(5) (two working days in two days or more) stretches
 * them over holidays; that asking for identity or clarification suspends a month (EDPB: "may"): record the pause, keep
 * the alarm. Where short months make "one month, then two" end before "three months", the alarm is the earlier of both
 * (our reading of 12(3)); the legal date is three months rolled. */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H
#include "clock.h"

/* A place whose holidays and clocks count: a row of holidays.def, never freed. */
struct calendar {
    text name, en, fr;
    uint32_t sets; /* of holidays */
    int standard;  /* minutes east of UTC in winter */
    bool summer;   /* one hour more from the last Sunday of March to that of October, 01:00 UTC */
};
/* "fr", "fr-alsace-moselle", "fr-martinique" …, "lt", either case. ERR_VALUE tells the known names. */
enum err calendar_parse(struct arena *a, text name, const struct calendar **out);

/* The clocks of a country (a row of clocks.def, no holidays), or NULL when they are not known. */
const struct calendar *calendar_clock(text country);

struct holiday {
    text en, fr, source;
};
/* The holiday on that date, or NULL. */
const struct holiday *calendar_holiday(const struct calendar *c, struct date d);
bool calendar_works(const struct calendar *c, struct date d);       /* no Saturday, Sunday or holiday */
struct date calendar_roll(const struct calendar *c, struct date d); /* itself, or the next working day */

int date_weekday(struct date d); /* 1 Monday to 7 Sunday, as ISO 8601 */
int date_month_days(int year, int month); /* 28 to 31; month 1 to 12 */
/* The same day number that many months later (or earlier), or that month's last day: Art. 3(2)(c). */
struct date date_add_months(struct date d, int64_t months);
struct date date_easter(int year); /* Easter Sunday, Gregorian */

/* Local time, by the calendar's own rule, since a host may lack time zone data. */
int calendar_offset(const struct calendar *c, msec t); /* minutes east of UTC at `t` */
struct date calendar_date(const struct calendar *c, msec t);
msec calendar_start(const struct calendar *c, struct date d);           /* its 00:00 */
text calendar_print(struct arena *a, const struct calendar *c, msec t); /* "2026-10-27T09:00:00+01:00" */
/* As time_parse(), and also a local time without an offset (of two, the earlier) or a bare date (its local start). */
bool calendar_read(const struct calendar *c, text s, msec *out);

/* A length of time: "72h", "60d", "1mo", "3y" (thirty-six months). */
struct period {
    int count;
    enum period_unit { PERIOD_HOURS, PERIOD_DAYS, PERIOD_MONTHS } unit;
};
bool period_parse(text s, struct period *out);

/* When a period ends. */
struct limit {
    struct date day; /* the local day it ends on */
    msec ends;       /* the moment it expires: the end of that day, or the very moment when exact */
    bool exact;      /* counted in hours */
};
struct deadline {
    struct limit alarm; /* nominal, never rolled: what escalation runs on */
    struct limit legal; /* rolled: the last that keeps the law; the same as alarm when exact */
};
/* When a period from the event `from` ends. `extended`: GDPR 12(3), for one month only (ERR_USAGE otherwise). */
enum err deadline_compute(struct arena *a, const struct calendar *c, msec from, struct period p, bool extended,
                          struct deadline *out);
/* "2026-04-07", or the local time when exact. */
text limit_print(struct arena *a, const struct calendar *c, const struct limit *l);

/* A data-subject request under a promise: what holds is the earlier of promise and law. A promised date does not roll;
 * a promise of exactly a month is the law's own and is extended with it, any other promise stays as it was given. */
struct request_limit {
    struct deadline law, effective;
    struct limit promise;
    bool promise_wins; /* it ends before the law's last day */
};
enum err deadline_request(struct arena *a, const struct calendar *c, msec received, struct period promise,
                          bool extended, struct request_limit *out);

/* When data kept since `from` must be gone: 00:00 of the period's last local day (hours: the very moment). Never rolls,
 * since rolling would keep data longer; the day itself is calendar_date() of the result. */
msec deadline_sweep(const struct calendar *c, msec from, struct period p);

#endif

/* Time: milliseconds since 1970-01-01T00:00:00Z, from a clock that tests own; ISO 8601 in and out. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include "arena.h"

typedef int64_t msec; /* a time or a span, in milliseconds */
enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define DAY ((msec)24 * HOUR)

/* A clock shows the machine's time, or the time that another process writes into an 8-byte file: how tests own it. */
struct clock {
    const _Atomic int64_t *simulated;
};

struct clock clock_real(void); /* the machine's time */
/* Follows `path`, a file of 8 bytes in host order; 0 in it means the machine's time. ERR_CONFIG when it cannot be
 * mapped. */
enum err clock_simulated(struct arena *a, const char *path, struct clock *out);
msec clock_now(const struct clock *c);
/* Never goes back, for timeouts and durations; not comparable with clock_now(). */
msec clock_monotonic(void);

/* A civil date of the proleptic Gregorian calendar. */
struct date {
    int year, month, day;
};
int64_t date_days(struct date d); /* days since 1970-01-01 */
struct date date_of_days(int64_t days);
struct date date_of(msec t);    /* in UTC */
msec date_start(struct date d); /* 00:00:00 UTC */
bool date_valid(struct date d);
bool date_parse(text s, struct date *out); /* YYYY-MM-DD */
text date_print(struct arena *a, struct date d);

enum { TIME_TEXT = 24 }; /* "2026-11-22T01:47:00.000Z" */
/* RFC 3339 in UTC with milliseconds, into `out`. */
text time_text(msec t, char out[TIME_TEXT + 1]);
text time_print(struct arena *a, msec t);
/* RFC 3339 with "Z" or an offset, fraction optional; or a bare date, meaning its start in UTC. A leap second is the
 * first of the next day. */
bool time_parse(text s, msec *out);

#endif

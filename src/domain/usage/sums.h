/* Sums: what figures need of one person's events of a whole month that is over, so that a view opens one row of each
 * person and month instead of all their events. A row is sealed under the key of the events; it goes in the commit that
 * adds or ends one of them, and with the person. It tells nothing that the events do not: whether a person counts is
 * decided at each view. What is not summed is counted from the events. */
#ifndef DOMAIN_USAGE_SUMS_H
#define DOMAIN_USAGE_SUMS_H
#include "domain/usage/counting.h"

enum { SUM_KEY = 200 }; /* bytes of a key that count */
/* What one month is summed by. */
enum sum_by { SUM_DAY, SUM_PAGE, SUM_ACTION, SUM_BYS };

/* A month, in the controller's zone: [first, past). */
struct sum_month {
    msec first, past;
};
struct sums {
    bool known; /* else the events of that month are to be counted */
    text parts[SUM_BYS];
};
/* The events of one key. times: of `responses` of them, in milliseconds, for sums_times(). */
struct sum {
    text key; /* a day as in 2026-10-27, a page, an action */
    int64_t events, errors, downloads, responses;
    text times;
};
/* Those of these months, of that person: out[i] is of months[i], oldest first. */
enum err sums_load(struct ctx *c, const struct person *p, const struct counting *t, const struct sum_month *months,
                   unsigned count, struct sums *out);
/* The next key of a part, which it moves on; false when there is none. */
bool sums_next(text *part, struct sum *out);
/* Its times, in their order: `out` has room for s->responses of them. */
void sums_times(const struct sum *s, int64_t *out);

/* A turn of the job `steps`: sums what is not summed yet of a few people, once a day; more: others are left. What fails
 * of one person or month alone is passed over until the next day, and is the error of the day's last turn. */
enum err sums_tick(struct ctx *c, bool *more);

#endif

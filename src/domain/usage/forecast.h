/* A forecast of hourly figures from their own past, with the band in which nine of ten will lie. */
#ifndef DOMAIN_USAGE_FORECAST_H
#define DOMAIN_USAGE_FORECAST_H
#include "base/arena.h"
#include "base/err.h"

/* The method: additive Holt-Winters with a damped trend and a season of 168 hours, on log(1 + y), so that a busy hour
 * may vary more than a quiet one. Of twelve triples of smoothing factors the one that would have forecast best is
 * taken: from the end of each week since the fourth, up to four weeks ahead, by the sum of absolute errors. The band is
 * made of those same errors and supposes no distribution: each is divided by the spread of its hour of the week, and
 * their 90th percentile, of each of the four weeks ahead by itself, is widened by 0.1 over the number of weeks that it
 * was found in, since few weeks show little of what may come (a conformal interval from rolling origins).
 * Chosen over ARIMA and ETS with normal errors, whose bands rest on a distribution that counts of a small service do
 * not have, and over a mean by hour of the week, which follows no growth.
 * FORECAST_GROWTH is for what piles up (storage): the steps from hour to hour are forecast and summed, and the band
 * widens with the root of the time ahead. */
enum forecast_kind {
    FORECAST_COUNT, /* of what happened in the hour, or a level such as a response time */
    FORECAST_GROWTH
};
enum {
    FORECAST_SEASON = 168,
    FORECAST_AHEAD = 4 * FORECAST_SEASON,
    FORECAST_WEEKS_LEAST = 8, /* with fewer there is none */
    FORECAST_WEEKS_MOST = 104
};
struct forecast {
    double value[FORECAST_AHEAD], low[FORECAST_AHEAD], high[FORECAST_AHEAD];
    double level, trend, season; /* the smoothing factors that were taken */
};
/* From `weeks` whole weeks of hours, NAN where nothing was measured (not in the first two weeks throughout): the hours
 * that follow. ERR_VALUE with fewer weeks than FORECAST_WEEKS_LEAST or more than FORECAST_WEEKS_MOST. */
enum err forecast_make(struct arena *a, const double *y, unsigned weeks, enum forecast_kind kind, struct forecast *out);
/* How it would have done: the last four weeks held back, forecast from those before, and compared with what came and
 * with a naive forecast (each hour as in the week before). ERR_VALUE with fewer than four weeks more than
 * forecast_make() needs. */
struct forecast_trial {
    unsigned points, inside; /* hours compared, and those that lay in their band */
    double error, naive;     /* mean absolute error, and that of the naive forecast */
};
enum err forecast_try(struct arena *a, const double *y, unsigned weeks, enum forecast_kind kind,
                      struct forecast_trial *out);

#endif

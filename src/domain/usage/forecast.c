/* Forecasts of hourly figures: additive Holt-Winters with a damped trend, and a band of its own past errors. */
#include "domain/usage/forecast.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEASON = FORECAST_SEASON, AHEAD = FORECAST_AHEAD, WEEKS_AHEAD = AHEAD / SEASON, FIRST_ORIGIN = 4 };
static const double damping = 0.998, coverage = 0.9, few_weeks = 0.1, pooled_weight = 4;
static const double levels[] = { 0.001, 0.004, 0.015, 0.05 }, seasons[] = { 0.1, 0.25, 0.5 }, trends[] = { 0, 0.005 };

struct factors {
    double level, season, trend;
};
struct state {
    double level, trend, season[SEASON];
};
struct series {
    const double *y; /* as measured */
    double *z;       /* as modelled */
    unsigned n;
    enum forecast_kind kind;
};

/* ---- The model. ---- */

static enum err series_of(struct arena *a, const double *y, unsigned weeks, enum forecast_kind kind, struct series *out)
{
    *out = (struct series){ .y = y, .n = weeks * SEASON, .kind = kind };
    out->z = NEW_ARRAY(a, double, out->n);
    TRY_PTR(out->z);
    for (unsigned t = 0; t < out->n; t++)
        if (kind == FORECAST_COUNT)
            out->z[t] = log1p(y[t]);
        else
            out->z[t] = t ? y[t] - y[t - 1] : 0;
    return OK;
}

/* The mean of two weeks, and what each hour was above or below it; an hour that was not measured is as the mean. */
static void begin(const struct series *s, struct state *out)
{
    double sum = 0;
    unsigned count = 0;
    for (unsigned t = 0; t < 2 * SEASON; t++)
        if (!isnan(s->z[t])) {
            sum += s->z[t];
            count++;
        }
    out->level = count ? sum / count : 0;
    out->trend = 0;
    for (unsigned i = 0; i < SEASON; i++) {
        double first = s->z[i], second = s->z[i + SEASON];
        double both = (first + second) / 2, either = isnan(first) ? second : first;
        double mean = isnan(both) ? either : both;
        out->season[i] = isnan(mean) ? 0 : mean - out->level;
    }
}

static void step(struct state *s, const struct factors *f, unsigned hour, double z)
{
    double expected = s->level + damping * s->trend + s->season[hour];
    double error = isnan(z) ? 0 : z - expected;
    s->level = s->level + damping * s->trend + f->level * error;
    s->trend = damping * s->trend + f->level * f->trend * error;
    s->season[hour] += f->season * (1 - f->level) * error;
}

/* What the model expects after hour `at` (the end of a week), in its own scale; of growth the sums. */
static void expect(const struct series *s, const struct state *from, double *out)
{
    double ahead = 0, power = 1, sum = 0;
    for (unsigned k = 0; k < AHEAD; k++) {
        power *= damping;
        ahead += power * from->trend;
        double z = from->level + ahead + from->season[k % SEASON];
        sum += z;
        out[k] = s->kind == FORECAST_GROWTH ? sum : z;
    }
}

/* What came, in the same scale, of the k-th hour after `at`. */
static double came(const struct series *s, unsigned at, unsigned k)
{
    return s->kind == FORECAST_GROWTH ? s->y[at + k] - s->y[at - 1] : s->z[at + k];
}

/* ---- Its errors, from the end of each week. ---- */

struct errors {
    double *of[WEEKS_AHEAD]; /* by how many weeks ahead; each with its hour ahead */
    unsigned *ahead[WEEKS_AHEAD], count[WEEKS_AHEAD];
    double sums[SEASON], total;
    unsigned counts[SEASON], all;
};

static enum err errors_room(struct arena *a, unsigned weeks, struct errors *out)
{
    *out = (struct errors){ .total = 0 };
    for (unsigned w = 0; w < WEEKS_AHEAD; w++) {
        out->of[w] = NEW_ARRAY(a, double, weeks *SEASON);
        out->ahead[w] = NEW_ARRAY(a, unsigned, weeks *SEASON);
        TRY_PTR(out->of[w]);
        TRY_PTR(out->ahead[w]);
    }
    return OK;
}

static void keep(struct errors *e, unsigned k, double error)
{
    unsigned w = k / SEASON;
    e->of[w][e->count[w]] = error;
    e->ahead[w][e->count[w]++] = k;
    if (w)
        return;
    e->sums[k] += error;
    e->counts[k]++;
    e->total += error;
    e->all++;
}

/* From one end of a week: the sum of absolute errors; each is kept when `e` is not NULL. */
static double errors_from(const struct series *s, const struct state *from, unsigned at, struct errors *e)
{
    double expected[AHEAD], sum = 0;
    expect(s, from, expected);
    for (unsigned k = 0; k < AHEAD && at + k < s->n; k++) {
        double error = fabs(came(s, at, k) - expected[k]);
        if (isnan(error))
            continue;
        sum += error;
        if (e)
            keep(e, k, error);
    }
    return sum;
}

/* Through the whole series; *end is its state there. */
static double walk(const struct series *s, const struct factors *f, struct errors *e, struct state *end)
{
    double sum = 0;
    begin(s, end);
    for (unsigned t = 2 * SEASON; t < s->n; t++) {
        step(end, f, t % SEASON, s->z[t]);
        if ((t + 1) % SEASON == 0 && t + 1 >= FIRST_ORIGIN * SEASON && t + 1 < s->n)
            sum += errors_from(s, end, t + 1, e);
    }
    return sum;
}

static struct factors best_of(const struct series *s)
{
    struct factors best = { 0 };
    struct state end;
    double least = INFINITY;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        for (size_t j = 0; j < sizeof seasons / sizeof *seasons; j++)
            for (size_t k = 0; k < sizeof trends / sizeof *trends; k++) {
                struct factors f = { levels[i], seasons[j], trends[k] };
                double sum = walk(s, &f, NULL, &end);
                if (sum < least) {
                    least = sum;
                    best = f;
                }
            }
    return best;
}

/* ---- The band. ---- */

/* How far the k-th hour ahead strays usually: its hour of the week, held near the mean of all while few were seen. */
static double spread(const struct series *s, const struct errors *e, unsigned k)
{
    if (s->kind == FORECAST_GROWTH)
        return sqrt(k + 1);
    double mean = e->all ? e->total / e->all : 0;
    double own = (e->sums[k % SEASON] + pooled_weight * mean) / (e->counts[k % SEASON] + pooled_weight);
    return own > 0 ? own : 1;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* So many spreads wide is the band of each week ahead; one that was seen only once is taken as the week before it. */
static void widths(const struct series *s, struct errors *e, double out[WEEKS_AHEAD])
{
    for (unsigned w = 0; w < WEEKS_AHEAD; w++) {
        unsigned count = e->count[w], seen = count / SEASON;
        if (w && seen < 2) {
            out[w] = out[w - 1];
            continue;
        }
        for (unsigned i = 0; i < count; i++)
            e->of[w][i] /= spread(s, e, e->ahead[w][i]);
        qsort(e->of[w], count, sizeof(double), by_size);
        unsigned rank = (unsigned)(coverage * count);
        double width = count ? e->of[w][rank < count ? rank : count - 1] : 0;
        out[w] = width * (1 + few_weeks / (seen ? seen : 1));
    }
}

static double as_measured(const struct series *s, double z)
{
    double y = s->kind == FORECAST_GROWTH ? s->y[s->n - 1] + z : expm1(z);
    return y > 0 ? y : 0;
}

enum err forecast_make(struct arena *a, const double *y, unsigned weeks, enum forecast_kind kind, struct forecast *out)
{
    struct series s;
    struct errors e;
    struct state end;
    double z[AHEAD], width[WEEKS_AHEAD];
    if (weeks < FORECAST_WEEKS_LEAST || weeks > FORECAST_WEEKS_MOST)
        return say(a, ERR_VALUE, "a forecast needs %d to %d whole weeks", FORECAST_WEEKS_LEAST, FORECAST_WEEKS_MOST);
    TRY(series_of(a, y, weeks, kind, &s));
    TRY(errors_room(a, weeks, &e));
    struct factors f = best_of(&s);
    walk(&s, &f, &e, &end);
    widths(&s, &e, width);
    expect(&s, &end, z);
    *out = (struct forecast){ .level = f.level, .trend = f.trend, .season = f.season };
    for (unsigned k = 0; k < AHEAD; k++) {
        double side = width[k / SEASON] * spread(&s, &e, k);
        out->value[k] = as_measured(&s, z[k]);
        out->low[k] = as_measured(&s, z[k] - side);
        out->high[k] = as_measured(&s, z[k] + side);
    }
    return OK;
}

enum err forecast_try(struct arena *a, const double *y, unsigned weeks, enum forecast_kind kind,
                      struct forecast_trial *out)
{
    if (weeks < FORECAST_WEEKS_LEAST + WEEKS_AHEAD)
        return say(a, ERR_VALUE, "a trial needs %d whole weeks", FORECAST_WEEKS_LEAST + WEEKS_AHEAD);
    unsigned known = (weeks - WEEKS_AHEAD) * SEASON;
    struct forecast *f = NEW(a, struct forecast);
    TRY_PTR(f);
    TRY(forecast_make(a, y, weeks - WEEKS_AHEAD, kind, f));
    *out = (struct forecast_trial){ .points = 0 };
    for (unsigned k = 0; k < AHEAD; k++) {
        double value = y[known + k], before = y[known - SEASON + k % SEASON];
        if (isnan(value) || isnan(before))
            continue;
        out->points++;
        out->inside += value >= round(f->low[k]) && value <= round(f->high[k]);
        out->error += fabs(value - f->value[k]);
        out->naive += fabs(value - before);
    }
    out->error /= out->points ? out->points : 1;
    out->naive /= out->points ? out->points : 1;
    return OK;
}

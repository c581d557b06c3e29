/* Capacity: history read from the hourly sums, forecast, held against the policy's limits. */
#include "base/calendar.h"
#include "domain/usage/forecast.h"
#include "base/log.h"
#include "domain/core/feature.h"
#include "domain/core/instance.h"
#include "domain/core/load.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/person/person.h"
#include "domain/usage/capacity.h"
#include "domain/usage/audience.h"
#include "domain/usage/sums.h"
#include <math.h>

enum { WEEK = FORECAST_SEASON, HOURS_MOST = FORECAST_WEEKS_MOST * WEEK, SHOWN_WEEKS = 8, DAY_HOURS = 24 };
static const text all_tenants = TEXT_INIT("*");
static const text units[] = { TEXT_INIT("per_hour"), TEXT_INIT("per_hour"), TEXT_INIT("microseconds"), TEXT_INIT("bytes") };
static const text alarm_words[] = { TEXT_INIT("fine"), TEXT_INIT("near"), TEXT_INIT("expected"), TEXT_INIT("reached") };

/* Whole hours from the first that was counted, one after the other: y[i] is of the hour first + i, NAN when nothing
 * was measured in it. */
struct history {
    enum load_measure measure;
    double *y;
    int64_t first;
    unsigned count;
};
struct outlook {
    struct history h;
    unsigned weeks; /* whole, up to its end */
    struct forecast *f; /* NULL: too little is known */
    struct forecast_trial trial;
    int64_t limit, most, last; /* most: of the forecast; last: of the last day */
    enum load_alarm alarm;
    int64_t reaches; /* the first hour whose band reaches the limit, 0: none */
};

/* ---- What was counted. ---- */

/* How long 95 in 100 answers took at most, between the ends of their bucket in a straight line. */
static double percentile(const int64_t counts[LOAD_BUCKETS])
{
    double all = 0, so_far = 0;
    for (unsigned i = 0; i < LOAD_BUCKETS; i++)
        all += (double)counts[i];
    for (unsigned i = 0; all > 0 && i < LOAD_BUCKETS; i++) {
        double from = i ? load_upto_us[i - 1] : 0, wanted = 0.95 * all - so_far;
        if (wanted > (double)counts[i]) {
            so_far += (double)counts[i];
            continue;
        }
        return i + 1 == LOAD_BUCKETS ? from : from + (load_upto_us[i] - from) * wanted / (double)counts[i];
    }
    return NAN;
}

static void query_of(struct ctx *c, struct db *db, enum load_measure m, text tenant, int64_t from, struct query *q)
{
    static const struct {
        int64_t least, most;
    } rows[] = { [LOAD_events] = { LOAD_ROW_EVENTS, LOAD_ROW_EVENTS },
                 [LOAD_requests] = { LOAD_ROW_RESPONSES, LOAD_ROW_RESPONSES + LOAD_BUCKETS - 1 },
                 [LOAD_response] = { LOAD_ROW_RESPONSES, LOAD_ROW_RESPONSES + LOAD_BUCKETS - 1 },
                 [LOAD_storage] = { LOAD_ROW_STORAGE, LOAD_ROW_STORAGE } };
    if (text_eq(tenant, all_tenants))
        query_start(q, db, SQL_LOAD_ALL, ARGS(V_INT(rows[m].least), V_INT(from)));
    else
        query_start(q, db, SQL_LOAD_OF,
                    ARGS(V_TEXT(tenant), V_INT(rows[m].least), V_INT(rows[m].most), V_INT(from)));
}

/* Each hour's counts; what was not counted is 0, or of a level unknown. */
struct counted {
    struct history *h;
    int64_t (*buckets)[LOAD_BUCKETS];
    unsigned room;
};

static void count_row(struct counted *k, int64_t measure, int64_t hour, int64_t n)
{
    struct history *h = k->h;
    if (!h->first)
        h->first = hour;
    unsigned at = (unsigned)(hour - h->first);
    if (at >= k->room)
        return; /* the hour that is not over, or ahead of the clock */
    if (h->measure == LOAD_response)
        k->buckets[at][measure - LOAD_ROW_RESPONSES] += n;
    else
        h->y[at] = (isnan(h->y[at]) ? 0 : h->y[at]) + (double)n;
}

static void fill(struct counted *k)
{
    struct history *h = k->h;
    for (unsigned i = 0; i < h->count; i++) {
        if (h->measure == LOAD_response)
            h->y[i] = percentile(k->buckets[i]);
        else if (isnan(h->y[i]))
            h->y[i] = h->measure == LOAD_storage && i ? h->y[i - 1] : 0;
    }
}

static enum err read_counts(struct ctx *c, text tenant, struct counted *k, int64_t from, int64_t end)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_of(c, db, k->h->measure, tenant, from, &q);
    while (query_next(&q)) {
        int64_t hour = query_get(&q, LOAD_OF, hour);
        if (hour < end)
            count_row(k, query_get(&q, LOAD_OF, measure), hour, query_get(&q, LOAD_OF, n));
    }
    return q.status;
}

static enum err read_history(struct ctx *c, enum load_measure m, text tenant, struct history *h)
{
    int64_t end = c->now / HOUR, from = end - HOURS_MOST;
    *h = (struct history){ .measure = m, .y = NEW_ARRAY(c->arena, double, HOURS_MOST) };
    struct counted k = { .h = h, .room = HOURS_MOST };
    TRY_PTR(h->y);
    for (unsigned i = 0; i < HOURS_MOST; i++)
        h->y[i] = NAN;
    if (m == LOAD_response) {
        k.buckets = arena_array(c->arena, HOURS_MOST, sizeof *k.buckets);
        TRY_PTR(k.buckets);
    }
    TRY(read_counts(c, tenant, &k, from, end));
    h->count = h->first ? (unsigned)(end - h->first) : 0;
    fill(&k);
    return OK;
}

/* ---- What will be, and what it means. ---- */

static void hold_against(struct outlook *o)
{
    const struct history *h = &o->h;
    for (unsigned i = h->count > DAY_HOURS ? h->count - DAY_HOURS : 0; i < h->count; i++)
        if (h->y[i] > (double)o->last)
            o->last = llround(h->y[i]);
    for (unsigned k = 0; o->f && k < FORECAST_AHEAD; k++) {
        if (o->f->value[k] > (double)o->most)
            o->most = llround(o->f->value[k]);
        if (o->limit && !o->reaches && o->f->high[k] >= (double)o->limit)
            o->reaches = h->first + h->count + k;
    }
    if (o->limit && o->last >= o->limit)
        o->alarm = LOAD_REACHED;
    else if (o->limit && o->most >= o->limit)
        o->alarm = LOAD_EXPECTED;
    else
        o->alarm = o->reaches ? LOAD_NEAR : LOAD_FINE;
}

static enum err look_ahead(struct ctx *c, enum load_measure m, text tenant, struct outlook *o)
{
    *o = (struct outlook){ .limit = capacity_of(c->policy).limits[m] };
    enum forecast_kind kind = m == LOAD_storage ? FORECAST_GROWTH : FORECAST_COUNT;
    TRY(read_history(c, m, tenant, &o->h));
    o->weeks = o->h.count / WEEK;
    const double *y = o->h.y + o->h.count % WEEK;
    if (o->weeks >= FORECAST_WEEKS_LEAST) {
        o->f = NEW(c->arena, struct forecast);
        TRY_PTR(o->f);
        TRY(forecast_make(c->arena, y, o->weeks, kind, o->f));
    }
    if (o->weeks >= FORECAST_WEEKS_LEAST + FORECAST_AHEAD / WEEK)
        TRY(forecast_try(c->arena, y, o->weeks, kind, &o->trial));
    hold_against(o);
    return OK;
}

/* ---- Told. ---- */

static text hour_text(struct ctx *c, int64_t hour)
{
    char shown[TIME_TEXT + 1];
    return arena_copy(c->arena, time_text(hour * HOUR, shown));
}

static void put_values(struct json_out *w, text name, const double *y, unsigned count)
{
    json_name(w, name);
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++)
        if (isnan(y[i]))
            json_put_null(w);
        else
            json_put_int(w, llround(y[i]));
    json_close(w, ']');
}

static void put_hours(struct ctx *c, struct json_out *w, const struct history *h)
{
    json_name(w, TEXT("hours"));
    json_open(w, '{');
    if (h->count)
        json_pair(w, TEXT("from"), hour_text(c, h->first));
    put_values(w, TEXT("values"), h->y, h->count);
    json_close(w, '}');
}

struct cell {
    double sum, most;
    unsigned count;
};

static void put_cell(struct json_out *w, unsigned weekday, unsigned hour, const struct cell *cell)
{
    json_open(w, '{');
    json_pair_int(w, TEXT("weekday"), weekday + 1);
    json_pair_int(w, TEXT("hour"), hour);
    json_pair_int(w, TEXT("mean"), llround(cell->sum / cell->count));
    json_pair_int(w, TEXT("most"), llround(cell->most));
    json_close(w, '}');
}

/* Of the last weeks, by the clocks of the controller's country. */
static void put_weekdays(struct ctx *c, struct json_out *w, const struct history *h)
{
    struct cell cells[7][DAY_HOURS] = { { { 0 } } };
    for (unsigned i = h->count > SHOWN_WEEKS * WEEK ? h->count - SHOWN_WEEKS * WEEK : 0; i < h->count; i++) {
        msec at = (h->first + i) * HOUR;
        msec local = at + value_offset(c, at) * MINUTE;
        struct cell *cell = &cells[date_weekday(value_day(c, at)) - 1][local / HOUR % DAY_HOURS];
        if (isnan(h->y[i]))
            continue;
        cell->sum += h->y[i];
        cell->count++;
        if (h->y[i] > cell->most)
            cell->most = h->y[i];
    }
    json_name(w, TEXT("weekdays"));
    json_open(w, '[');
    for (unsigned day = 0; day < 7; day++)
        for (unsigned hour = 0; hour < DAY_HOURS; hour++)
            if (cells[day][hour].count)
                put_cell(w, day, hour, &cells[day][hour]);
    json_close(w, ']');
}

/* Up to where hours from `from` on are of one day there. */
static unsigned day_end(struct ctx *c, int64_t first, unsigned from, unsigned count)
{
    struct date day = value_day(c, (first + from) * HOUR);
    unsigned end = from;
    while (end < count && date_days(value_day(c, (first + end) * HOUR)) == date_days(day))
        end++;
    return end;
}

/* The hour with the most; `end` when nothing was measured. */
static unsigned busiest(const double *y, unsigned from, unsigned end)
{
    unsigned at = end;
    for (unsigned i = from; i < end; i++)
        if (!isnan(y[i]) && (at == end || y[i] > y[at]))
            at = i;
    return at;
}

static void put_days(struct ctx *c, struct json_out *w, const struct history *h)
{
    json_name(w, TEXT("days"));
    json_open(w, '[');
    unsigned from = h->count > SHOWN_WEEKS * WEEK ? h->count - SHOWN_WEEKS * WEEK : 0;
    for (unsigned end; from < h->count; from = end) {
        end = day_end(c, h->first, from, h->count);
        unsigned at = busiest(h->y, from, end);
        if (at == end)
            continue;
        json_open(w, '{');
        json_pair(w, TEXT("day"), date_print(c->arena, value_day(c, (h->first + from) * HOUR)));
        json_pair(w, TEXT("at"), hour_text(c, h->first + at));
        json_pair_int(w, TEXT("most"), llround(h->y[at]));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_days_ahead(struct ctx *c, struct json_out *w, const struct outlook *o)
{
    int64_t first = o->h.first + o->h.count;
    json_name(w, TEXT("days_ahead"));
    json_open(w, '[');
    for (unsigned from = 0, end; o->f && from < FORECAST_AHEAD; from = end) {
        end = day_end(c, first, from, FORECAST_AHEAD);
        unsigned at = busiest(o->f->value, from, end);
        json_open(w, '{');
        json_pair(w, TEXT("day"), date_print(c->arena, value_day(c, (first + from) * HOUR)));
        json_pair(w, TEXT("at"), hour_text(c, first + at));
        json_pair_int(w, TEXT("value"), llround(o->f->value[at]));
        json_pair_int(w, TEXT("low"), llround(o->f->low[at]));
        json_pair_int(w, TEXT("high"), llround(o->f->high[at]));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_forecast(struct ctx *c, struct json_out *w, const struct outlook *o)
{
    json_pair_int(w, TEXT("weeks"), o->weeks);
    json_pair_int(w, TEXT("weeks_needed"), FORECAST_WEEKS_LEAST);
    if (o->f) {
        json_name(w, TEXT("forecast"));
        json_open(w, '{');
        json_pair(w, TEXT("from"), hour_text(c, o->h.first + o->h.count));
        put_values(w, TEXT("value"), o->f->value, FORECAST_AHEAD);
        put_values(w, TEXT("low"), o->f->low, FORECAST_AHEAD);
        put_values(w, TEXT("high"), o->f->high, FORECAST_AHEAD);
        json_close(w, '}');
    }
    if (o->trial.points) {
        json_name(w, TEXT("trial"));
        json_open(w, '{');
        json_pair_int(w, TEXT("points"), o->trial.points);
        json_pair_int(w, TEXT("inside"), o->trial.inside);
        json_pair_int(w, TEXT("error"), llround(o->trial.error));
        json_pair_int(w, TEXT("naive"), llround(o->trial.naive));
        json_close(w, '}');
    }
}

static enum err put_outlook(struct ctx *c, const struct outlook *o, struct answer *out)
{
    enum load_measure m = o->h.measure;
    BUF_AUTO b = buf_make(4 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("measure"), load_word(m));
    json_pair(&w, TEXT("unit"), units[m]);
    json_pair(&w, TEXT("purpose"), c->policy->purposes[capacity_of(c->policy).purpose].name);
    json_pair(&w, TEXT("until"), hour_text(c, c->now / HOUR));
    if (o->limit)
        json_pair_int(&w, TEXT("limit"), o->limit);
    json_pair(&w, TEXT("alarm"), alarm_words[o->alarm]);
    if (o->reaches)
        json_pair(&w, TEXT("reaches"), hour_text(c, o->reaches));
    json_pair_int(&w, TEXT("last_day"), o->last);
    put_hours(c, &w, &o->h);
    put_weekdays(c, &w, &o->h);
    put_days(c, &w, &o->h);
    put_days_ahead(c, &w, o);
    put_forecast(c, &w, o);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- Who may. ---- */

static bool alone(const struct ctx *c) { return c->policy->tenant_count == 1 || c->actor.kind == ACTOR_OPERATOR; }

static enum err may_read(struct ctx *c, bool *may)
{
    int purpose = capacity_of(c->policy).purpose;
    *may = purpose >= 0 && c->actor.kind == ACTOR_OPERATOR;
    return purpose < 0 || *may ? OK : person_would_allow(c, NULL, c->policy->purposes[purpose].name, ACT_READ, may);
}

static enum err allow(struct ctx *c, enum load_measure m)
{
    bool may;
    int purpose = capacity_of(c->policy).purpose;
    if (purpose < 0)
        return say(c->arena, ERR_UNDECLARED, "the policy does not say that the load of the servers is counted: capacity");
    TRY(may_read(c, &may));
    if (!may)
        return person_allow(c, NULL, c->policy->purposes[purpose].name, NULL, ACT_READ);
    if (m == LOAD_events || alone(c))
        return OK;
    say_clause(c->arena, ERR_FORBIDDEN, policy_clause(c->policy, TEXT("tenants")),
               "the machine serves several tenants: its load is told to the operator");
    return write_refusal(c, NULL, TEXT(""), TEXT(""));
}

static enum err measure_of(struct ctx *c, text name, enum load_measure *out)
{
    for (*out = LOAD_events; *out < LOAD_MEASURE_COUNT; (*out)++)
        if (!name.n || text_eq(name, load_word(*out)))
            return OK;
    return say(c->arena, ERR_VALUE, "\"measure\" is events, requests, response or storage");
}

enum err capacity_show(struct ctx *c, text measure, struct answer *out)
{
    enum load_measure m;
    struct outlook o;
    TRY(measure_of(c, measure, &m));
    TRY(allow(c, m));
    TRY(look_ahead(c, m, m == LOAD_events ? c->tenant : TEXT(""), &o));
    return put_outlook(c, &o, out);
}

struct capacity_standing capacity_standing(const struct ctx *c, enum load_measure m)
{
    return (struct capacity_standing){ .limit = atomic_load(&c->app->load.of[m].limit),
                                       .last = atomic_load(&c->app->load.of[m].last),
                                       .expected = atomic_load(&c->app->load.of[m].expected),
                                       .alarm = (enum load_alarm)atomic_load(&c->app->load.of[m].alarm) };
}

enum err capacity_alarms(struct ctx *c, const struct actor_class *role, struct answer *out)
{
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    int purpose = capacity_of(c->policy).purpose;
    bool reads = role && purpose >= 0 && role->acts >> ACT_READ & 1 && bits_has(&role->purposes, (unsigned)purpose);
    bool may = reads && c->policy->tenant_count == 1;
    json_open(&w, '{');
    json_name(&w, TEXT("alarms"));
    json_open(&w, '[');
    for (enum load_measure m = LOAD_events; may && m < LOAD_MEASURE_COUNT; m++) {
        enum load_alarm alarm = capacity_standing(c, m).alarm;
        if (alarm == LOAD_FINE)
            continue;
        json_open(&w, '{');
        json_pair(&w, TEXT("measure"), load_word(m));
        json_pair(&w, TEXT("alarm"), alarm_words[alarm]);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- What time brings. ---- */

static enum err run_over(struct db *db, struct write *w)
{
    const int64_t *before = w->arg;
    return db_run(db, SQL_LOAD_END, NULL, ARGS(V_INT(*before)));
}

/* What is older than the policy says; all, when it no longer says it. */
static enum err end_over(struct ctx *c)
{
    struct capacity own = capacity_of(c->policy);
    if (own.purpose >= 0 && own.keep.unit == TERM_ALWAYS)
        return OK;
    int64_t before = own.purpose < 0 ? INT64_MAX : term_end(c->now, own.keep, -1) / HOUR;
    bool found;
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_LOAD_OVER, ARGS(V_INT(before)));
        found = query_next(&q);
        TRY(q.status);
    }
    struct write w = { .run = run_over, .arg = &before, .event = event_of(c, NULL, TEXT("load.over")) };
    return found ? write_do(c, &w, NULL) : OK;
}

static void keep_judged(struct ctx *c, enum load_measure m, const struct outlook *o)
{
    if (atomic_exchange(&c->app->load.of[m].alarm, o->alarm) != (int)o->alarm)
        LOG(LOG_WARN, "capacity", LOG_TEXT("measure", load_word(m)), LOG_TEXT("alarm", alarm_words[o->alarm]));
    atomic_store(&c->app->load.of[m].limit, o->limit);
    atomic_store(&c->app->load.of[m].last, o->last);
    atomic_store(&c->app->load.of[m].expected, o->f ? o->most : -1);
}

/* With memory of its own: a history is long. */
static enum err judge(struct ctx *c, enum load_measure m)
{
    ARENA_AUTO a = arena_make(32 << 20);
    struct ctx own = *c;
    struct outlook o = { .alarm = LOAD_FINE };
    enum err status = OK;
    own.arena = &a;
    if (capacity_of(c->policy).limits[m])
        status = look_ahead(&own, m, m == LOAD_events ? all_tenants : TEXT(""), &o);
    if (status == OK)
        keep_judged(c, m, &o);
    else
        c->arena->why = a.why;
    return status;
}

static enum err tick(struct ctx *c)
{
    int64_t hour = c->now / HOUR;
    TRY(end_over(c));
    TRY(audience_tick(c));
    if (atomic_load(&c->app->load.judged) == hour)
        return OK;
    for (enum load_measure m = LOAD_events; m < LOAD_MEASURE_COUNT; m++)
        TRY(judge(c, m));
    atomic_store(&c->app->load.judged, hour);
    return OK;
}

const struct feature usage_feature = { .name = TEXT_INIT("usage"), .tick = tick, .steps = sums_tick };

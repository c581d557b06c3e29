/* The clock of a request: the law's month and the policy's promise, pauses, extension, reminders. */
#include "base/calendar.h"
#include "domain/core/value.h"
#include "domain/dsr/inside.h"

/* Asked later than this after the receipt is not "without delay": the month then goes on (GDPR 12(3), EDPB 01/2022). */
static const msec without_delay = 7 * DAY;
/* Staff are told before the alarm, at it, and once more before the last day. */
static const msec remind_before = 7 * DAY, remind_last = 2 * DAY;

/* Of a country whose holidays are not known no day is rolled; its days are those of its own clocks where they are
 * known. */
static enum err calendar_of(struct ctx *c, const struct calendar **out, bool *known)
{
    struct why kept = c->arena->why;
    *known = calendar_parse(c->arena, c->policy->controller.country, out) == OK;
    c->arena->why = kept;
    if (!*known)
        *out = calendar_clock(c->policy->controller.country);
    return *out ? OK : calendar_parse(c->arena, TEXT("fr"), out);
}

static struct period promise_of(const struct ctx *c)
{
    struct period p = { 1, PERIOD_MONTHS };
    text said = node_text(node_at(c->policy->root, TEXT("rights")), TEXT("answer_within"));
    return period_parse(said, &p) ? p : (struct period){ 1, PERIOD_MONTHS };
}

static enum err limits(struct ctx *c, const struct dsr *d, bool extended, struct request_limit *out,
                       const struct calendar **calendar)
{
    bool known;
    TRY(calendar_of(c, calendar, &known));
    TRY(deadline_request(c->arena, *calendar, d->received, promise_of(c), extended, out));
    if (!known) {
        out->law.legal = out->law.alarm;
        out->effective.legal = out->effective.alarm;
    }
    return OK;
}

/* The law's last day, later by the whole days that it waited for the person. */
static msec law_ends(const struct calendar *calendar, const struct request_limit *l, msec paused)
{
    int64_t days = paused / DAY;
    if (!days)
        return l->law.legal.ends;
    struct date day = calendar_roll(calendar, date_of_days(date_days(l->law.legal.day) + days));
    return calendar_start(calendar, date_of_days(date_days(day) + 1));
}

enum err dsr_time(struct ctx *c, struct dsr *d)
{
    struct request_limit l;
    const struct calendar *calendar;
    TRY(limits(c, d, d->extended != 0, &l, &calendar));
    d->alarm = l.effective.alarm.ends;
    d->legal = law_ends(calendar, &l, d->paused);
    if (l.promise_wins && l.promise.ends < d->legal)
        d->legal = l.promise.ends;
    return OK;
}

static text day_before(struct ctx *c, msec ends) { return date_print(c->arena, value_day(c, ends - 1)); }

enum err dsr_time_put(struct ctx *c, const struct dsr *d, struct json_out *w)
{
    struct request_limit l;
    const struct calendar *calendar;
    TRY(limits(c, d, d->extended != 0, &l, &calendar));
    json_pair(w, TEXT("law"), day_before(c, law_ends(calendar, &l, d->paused)));
    json_pair(w, TEXT("promise"), day_before(c, l.promise.ends));
    json_pair_int(w, TEXT("days_left"), d->closed ? 0 : date_days(value_day(c, d->legal - 1)) - date_days(value_day(c, c->now)));
    json_pair_int(w, TEXT("days_paused"), d->paused / DAY);
    return arena_whole(c->arena);
}

enum err dsr_may_extend(struct ctx *c, const struct dsr *d)
{
    struct request_limit l;
    const struct calendar *calendar;
    if (d->extended)
        return say(c->arena, ERR_CONFLICT, "the time for this request was extended already");
    TRY(limits(c, d, false, &l, &calendar));
    return c->now < law_ends(calendar, &l, d->paused)
               ? OK
               : say(c->arena, ERR_CONFLICT, "the time is extended inside the first month, or not at all (GDPR 12(3))");
}

void dsr_pause(struct dsr *d, msec now)
{
    d->asked = now - d->received <= without_delay ? now : 0;
}

void dsr_resume(struct dsr *d, msec now)
{
    if (d->asked && now > d->asked)
        d->paused += now - d->asked;
    d->asked = 0;
}

void dsr_remind_from(struct dsr *d, msec now)
{
    const msec times[] = { d->alarm - remind_before, d->alarm, d->legal - remind_last, d->legal };
    d->remind = 0;
    for (size_t i = 0; i < sizeof times / sizeof *times && !d->closed; i++)
        if (times[i] > now && (!d->remind || times[i] < d->remind))
            d->remind = times[i];
}

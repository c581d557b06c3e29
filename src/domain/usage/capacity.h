/* Capacity: the load of the servers by hour, what it will be, and whether it nears what they can bear. */
#ifndef DOMAIN_USAGE_CAPACITY_H
#define DOMAIN_USAGE_CAPACITY_H
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "domain/core/load.h"

struct answer;
struct ctx;
struct feature;

extern const struct feature usage_feature;

/* Load of a measure ("events", "requests", "response", "storage"; empty: events) by whole hours, and its forecast of
 * four weeks with the band of 90 % (domain/usage/forecast.h) once there are eight weeks:
 * {"measure", "purpose", "unit", "until", "limit", "alarm", "reaches", "hours": {"from", "values"}, "weekdays":
 * [{"weekday", "hour", "mean", "most"}] and "days": [{"day", "at", "most"}] of the last eight weeks by local time,
 * "days_ahead": [{"day", "at", "value", "low", "high"}] of each day's busiest hour, "weeks", "forecast": {"from", "value",
 * "low", "high"}, "trial": {"points", "inside", "error", "naive"}}. Sums of no person: who works for the policy's
 * `capacity.purpose` may read them, without a reason. Where there are several tenants, each reads its own events, and
 * the operator alone all else. ERR_UNDECLARED without `capacity` in the policy. */
enum err capacity_show(struct ctx *c, text measure, struct answer *out);
/* How a limit stood when it was last looked at, once an hour: limit 0 without one, expected -1 without a forecast. */
struct capacity_standing {
    int64_t limit, last, expected;
    enum load_alarm alarm;
};
struct capacity_standing capacity_standing(const struct ctx *c, enum load_measure m);
/* Those that are near or reached, {"alarms": [{"measure", "alarm"}]}: none for a role that may not read them. */
enum err capacity_alarms(struct ctx *c, const struct actor_class *role, struct answer *out);

#endif

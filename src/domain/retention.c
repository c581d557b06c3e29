/* Retention: when terms end, and what happens then. */
#include "domain/retention.h"
#include "base/calendar.h"

/* ---- When a term ends. ---- */

static msec start_of(const struct retention *r, const struct starts *s)
{
    msec happened = s->event ? s->event : s->collection;
    switch (r->from) {
    case FROM_COLLECTION: return s->collection;
    case FROM_EVENT: return happened;
    case FROM_LAST_USE: return s->last_use ? s->last_use : s->collection;
    case FROM_LAST_CONTACT: return s->last_contact ? s->last_contact : s->collection;
    case FROM_CONTRACT_END: return s->contract_end;
    case FROM_CLOSURE: return s->closure;
    case FROM_WITHDRAWAL: return s->withdrawal;
    case FROM_YEAR_END: return happened ? date_start((struct date){ date_of(happened).year, 12, 31 }) : 0;
    }
    return 0;
}

static bool in_months(struct term t) { return t.unit == TERM_MONTHS || t.unit == TERM_YEARS; }

static int64_t months_of(struct term t) { return t.unit == TERM_YEARS ? (int64_t)t.count * 12 : t.count; }

/* 0: it has no end. */
static msec after(msec start, struct term t)
{
    struct date day = date_of(start);
    switch (t.unit) {
    case TERM_MINUTES: return start + t.count * (msec)MINUTE;
    case TERM_HOURS: return start + t.count * (msec)HOUR;
    case TERM_DAYS: return date_start(day) + t.count * DAY;
    case TERM_MONTHS:
    case TERM_YEARS: return date_start(date_add_months(day, months_of(t)));
    case TERM_UNSET: return start;
    case TERM_ALWAYS: break;
    }
    return 0;
}

msec retention_due(const struct retention *r, const struct starts *s, bool archived)
{
    msec start = start_of(r, s);
    if (!start || (r->active.unit == TERM_UNSET && r->archive.unit == TERM_UNSET))
        return 0;
    /* Added at once, so that a short month in between takes no day away: 29 February, a year, then three. */
    if (archived && in_months(r->active) && in_months(r->archive))
        return date_start(date_add_months(date_of(start), months_of(r->active) + months_of(r->archive)));
    msec end = after(start, r->active);
    return archived && end ? after(end, r->archive) : end;
}

msec retention_own_due(const struct retention *r, msec start)
{
    const struct starts all = { start, start, start, start, start, start, start };
    return r ? retention_due(r, &all, true) : 0;
}

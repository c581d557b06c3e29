/* When a term ends. */
#include "policy/due.h"
#include "base/calendar.h"

/* ---- When a term ends. ---- */

msec due_start_of(const struct retention *r, const struct starts *s)
{
    msec happened = s->event ? s->event : s->collection;
    switch (r->from) {
    case FROM_COLLECTION:
        return s->collection;
    case FROM_EVENT:
        return happened;
    case FROM_LAST_USE:
        return s->last_use ? s->last_use : s->collection;
    case FROM_LAST_CONTACT:
        return s->last_contact ? s->last_contact : s->collection;
    case FROM_CONTRACT_END:
        return s->contract_end;
    case FROM_CLOSURE:
        return s->closure;
    case FROM_WITHDRAWAL:
        return s->withdrawal;
    case FROM_YEAR_END:
        return happened ? date_start((struct date){ date_of(happened).year, 12, 31 }) : 0;
    }
    return 0;
}

static bool in_months(struct term t) { return t.unit == TERM_MONTHS || t.unit == TERM_YEARS; }

static int64_t months_of(struct term t) { return t.unit == TERM_YEARS ? (int64_t)t.count * 12 : t.count; }

/* 0: it has no end. */
msec due_after(msec start, struct term t)
{
    struct date day = date_of(start);
    switch (t.unit) {
    case TERM_MINUTES:
        return start + t.count * (msec)MINUTE;
    case TERM_HOURS:
        return start + t.count * (msec)HOUR;
    case TERM_DAYS:
        return date_start(day) + t.count * DAY;
    case TERM_MONTHS:
    case TERM_YEARS:
        return date_start(date_add_months(day, months_of(t)));
    case TERM_UNSET:
        return start;
    case TERM_ALWAYS:
        break;
    }
    return 0;
}

msec retention_due(const struct retention *r, const struct starts *s, bool archived)
{
    msec start = due_start_of(r, s);
    if (!start || (r->active.unit == TERM_UNSET && r->archive.unit == TERM_UNSET))
        return 0;
    /* Added at once, so that a short month in between takes no day away: 29 February, a year, then three. */
    if (archived && in_months(r->active) && in_months(r->archive))
        return date_start(date_add_months(date_of(start), months_of(r->active) + months_of(r->archive)));
    msec end = due_after(start, r->active);
    return archived && end ? due_after(end, r->archive) : end;
}

msec retention_own_due(const struct retention *r, msec start)
{
    const struct starts all = { start, start, start, start, start, start, start };
    return r ? retention_due(r, &all, true) : 0;
}

msec retention_own_cutoff(const struct retention *r, msec now)
{
    msec low = 0, high = now; /* ends never move back as starts move on: halve the interval */
    if (!r)
        return 0;
    while (low < high) {
        msec middle = low + (high - low + 1) / 2, due = retention_own_due(r, middle);
        if (due && due <= now)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

msec retention_person_due(const struct policy *p, const struct starts *s)
{
    const struct retention *r = policy_retention(p, TEXT("accounts"));
    return r ? retention_due(r, s, true) : 0;
}

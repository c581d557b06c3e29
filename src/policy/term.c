/* Terms: calendar months and years are added as such, never rolled to a working day: rolling would keep data longer. */
#include "policy.h"

bool term_parse(text s, struct term *out)
{
    static const struct { text suffix; enum term_unit unit; } units[] = {
        { TEXT_INIT("m"), TERM_MINUTES }, { TEXT_INIT("h"), TERM_HOURS },  { TEXT_INIT("d"), TERM_DAYS },
        { TEXT_INIT("mo"), TERM_MONTHS }, { TEXT_INIT("y"), TERM_YEARS },
    };
    *out = (struct term){ 0, TERM_UNSET };
    if (text_eq(s, TEXT("always"))) {
        out->unit = TERM_ALWAYS;
        return true;
    }
    enum { DIGITS_MAX = 5 };
    size_t digits = 0;
    for (; digits < s.n && digits < DIGITS_MAX && s.p[digits] >= '0' && s.p[digits] <= '9'; digits++)
        out->count = out->count * 10 + (s.p[digits] - '0');
    for (size_t i = 0; digits && i < sizeof units / sizeof *units; i++)
        if (text_eq(text_from(s, digits), units[i].suffix))
            out->unit = units[i].unit;
    return out->unit != TERM_UNSET;
}

/* The same day of the month, or that month's last when it is shorter (Regulation 1182/71, Art. 3(2)(c)). */
static msec add_months(msec start, int64_t months)
{
    struct date d = date_of(start);
    msec in_day = start - date_start(d);
    int64_t month = (int64_t)d.year * 12 + d.month - 1 + months;
    struct date first = { (int)(month / 12), (int)(month % 12) + 1, 1 };
    struct date next = { (int)((month + 1) / 12), (int)((month + 1) % 12) + 1, 1 };
    int64_t length = date_days(next) - date_days(first);
    return (date_days(first) + (d.day < length ? d.day : length) - 1) * DAY + in_day;
}

msec term_end(msec start, struct term t, int times)
{
    int64_t n = (int64_t)t.count * times;
    switch (t.unit) {
    case TERM_UNSET: return start;
    case TERM_MINUTES: return start + n * MINUTE;
    case TERM_HOURS: return start + n * HOUR;
    case TERM_DAYS: return start + n * DAY;
    case TERM_MONTHS: return add_months(start, n);
    case TERM_YEARS: return add_months(start, n * 12);
    case TERM_ALWAYS: return INT64_MAX;
    }
    return start;
}

static msec year_end(msec event) { return date_start((struct date){ date_of(event).year + 1, 1, 1 }) - 1; }

msec retention_active_end(const struct retention *r, msec event)
{
    return term_end(r->from == FROM_YEAR_END ? year_end(event) : event, r->active, 1);
}

msec retention_end(const struct retention *r, msec event)
{
    msec active = retention_active_end(r, event);
    return active == INT64_MAX ? active : term_end(active, r->archive, 1);
}

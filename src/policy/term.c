/* Terms: calendar months and years are added as such, never rolled to a working day: rolling would keep data longer. */
#include "policy.h"
#include "base/calendar.h"

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

static msec add_months(msec start, int64_t months)
{
    struct date d = date_of(start);
    return date_start(date_add_months(d, months)) + (start - date_start(d));
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

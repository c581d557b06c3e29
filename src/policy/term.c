/* Terms: calendar months and years are added as such, never rolled to a working day: rolling would keep data longer. */
#include "policy.h"
#include "base/calendar.h"

bool term_parse(text s, struct term *out)
{
    static const struct {
        text suffix;
        enum term_unit unit;
    } units[] = {
        { TEXT_INIT("m"), TERM_MINUTES }, { TEXT_INIT("min"), TERM_MINUTES }, { TEXT_INIT("h"), TERM_HOURS },
        { TEXT_INIT("d"), TERM_DAYS },    { TEXT_INIT("mo"), TERM_MONTHS },   { TEXT_INIT("y"), TERM_YEARS },
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

/* How people write units; "m" stands for two of them and so for none. */
static const struct {
    text word, unit;
} written[] = {
    { TEXT_INIT("min"), TEXT_INIT("min") },    { TEXT_INIT("mins"), TEXT_INIT("min") },
    { TEXT_INIT("minute"), TEXT_INIT("min") }, { TEXT_INIT("minutes"), TEXT_INIT("min") },
    { TEXT_INIT("h"), TEXT_INIT("h") },        { TEXT_INIT("hour"), TEXT_INIT("h") },
    { TEXT_INIT("hours"), TEXT_INIT("h") },    { TEXT_INIT("heure"), TEXT_INIT("h") },
    { TEXT_INIT("heures"), TEXT_INIT("h") },   { TEXT_INIT("d"), TEXT_INIT("d") },
    { TEXT_INIT("day"), TEXT_INIT("d") },      { TEXT_INIT("days"), TEXT_INIT("d") },
    { TEXT_INIT("j"), TEXT_INIT("d") },        { TEXT_INIT("jour"), TEXT_INIT("d") },
    { TEXT_INIT("jours"), TEXT_INIT("d") },    { TEXT_INIT("mo"), TEXT_INIT("mo") },
    { TEXT_INIT("mos"), TEXT_INIT("mo") },     { TEXT_INIT("month"), TEXT_INIT("mo") },
    { TEXT_INIT("months"), TEXT_INIT("mo") },  { TEXT_INIT("mois"), TEXT_INIT("mo") },
    { TEXT_INIT("y"), TEXT_INIT("y") },        { TEXT_INIT("yr"), TEXT_INIT("y") },
    { TEXT_INIT("yrs"), TEXT_INIT("y") },      { TEXT_INIT("year"), TEXT_INIT("y") },
    { TEXT_INIT("years"), TEXT_INIT("y") },    { TEXT_INIT("a"), TEXT_INIT("y") },
    { TEXT_INIT("an"), TEXT_INIT("y") },       { TEXT_INIT("ans"), TEXT_INIT("y") },
};

bool term_asks(text s, text *number, text *unit)
{
    enum { UNIT_MAX = 8 };
    char small[UNIT_MAX];
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    *number = text_upto(s, digits);
    *unit = (text){ NULL, 0 };
    text word = text_trim(text_from(s, digits));
    if (!digits || !word.n || word.n > UNIT_MAX)
        return false;
    for (size_t i = 0; i < word.n; i++)
        small[i] = (char)(word.p[i] >= 'A' && word.p[i] <= 'Z' ? word.p[i] + ('a' - 'A') : word.p[i]);
    word.p = small;
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        if (text_eq(written[i].word, word))
            *unit = written[i].unit;
    return unit->n || text_eq(word, TEXT("m"));
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
    case TERM_UNSET:
        return start;
    case TERM_MINUTES:
        return start + n * MINUTE;
    case TERM_HOURS:
        return start + n * HOUR;
    case TERM_DAYS:
        return start + n * DAY;
    case TERM_MONTHS:
        return add_months(start, n);
    case TERM_YEARS:
        return add_months(start, n * 12);
    case TERM_ALWAYS:
        return INT64_MAX;
    }
    return start;
}

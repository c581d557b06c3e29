/* What people type where the policy wants a number, a day or moment, a country, a choice, or yes or no. */
#include "base/unicode.h"
#include "domain/core/normal.h"
#include "domain/core/value.h"
#include "policy/schema.h"

enum { NUMBER_MAX = 64 };

/* ---- Numbers. ---- */

struct figures {
    char p[NUMBER_MAX];
    size_t n;
};

static bool put(struct figures *f, char c)
{
    if (f->n + 1 >= NUMBER_MAX)
        return false;
    f->p[f->n++] = c;
    f->p[f->n] = '\0';
    return true;
}

static bool groups(uint32_t c) { return c == '\'' || c == 0x2019 || c == '_' || (unicode_blank(c) && c != '\n'); }

/* Digits of any script, with blanks and apostrophes between them gone, and the sign that typographers use. */
static bool read_figures(text s, struct figures *out)
{
    *out = (struct figures){ .n = 0 };
    for (size_t i = 0; i < s.n;) {
        uint32_t c = unicode_next(s, &i);
        int d = unicode_digit(c);
        bool known = d >= 0 || c == '.' || c == ',' || c == '-' || c == '+' || c == 'e' || c == 'E' || c == 0x2212;
        if (groups(c))
            continue;
        if (!known || !put(out, d >= 0 ? (char)('0' + d) : c == 0x2212 ? '-' : (char)c))
            return false;
    }
    return out->n > 0;
}

static unsigned count_of(const struct figures *f, char c)
{
    unsigned n = 0;
    for (size_t i = 0; i < f->n; i++)
        n += f->p[i] == c;
    return n;
}

static void take_out(struct figures *f, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++)
        if (f->p[i] != c)
            f->p[n++] = f->p[i];
    f->n = n;
    f->p[n] = '\0';
}

static ptrdiff_t last_of(const struct figures *f, char c)
{
    for (size_t i = f->n; i-- > 0;)
        if (f->p[i] == c)
            return (ptrdiff_t)i;
    return -1;
}

/* Of a comma and a point the last is the decimal one, and what stands twice parts thousands. "1,234" alone is 1.234 to
 * a French reader and 1234 to an English one: in English it is not guessed. */
static bool settle_comma(struct figures *f, bool english)
{
    unsigned commas = count_of(f, ','), points = count_of(f, '.');
    ptrdiff_t comma = last_of(f, ','), point = last_of(f, '.');
    if (commas > 1 && points > 1)
        return false;
    if (commas > 1 || (commas && points && point > comma))
        take_out(f, ',');
    else if (points > 1 || (commas && points))
        take_out(f, '.');
    comma = last_of(f, ',');
    if (english && comma >= 0 && !points && f->n - (size_t)comma == 4)
        return false;
    if (comma >= 0)
        f->p[comma] = '.';
    return count_of(f, '.') <= 1;
}

/* As JSON has numbers: no plus, no zeros in front, a digit before and behind the point. */
static text as_json(struct arena *a, const struct figures *f)
{
    text s = { f->p, f->n };
    bool negative = text_starts(s, TEXT("-"));
    if (negative || text_starts(s, TEXT("+")))
        s = text_from(s, 1);
    while (s.n > 1 && s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9')
        s = text_from(s, 1);
    if (text_ends(s, TEXT(".")))
        s.n--;
    text out = arena_print(a, "%s%s%.*s", negative ? "-" : "", text_starts(s, TEXT(".")) ? "0" : "", T(s));
    ARENA_AUTO probe = arena_make(1 << 12);
    const struct json *v;
    return out.p && json_parse(&probe, out, &v) == OK && v->kind == J_NUMBER ? out : (text){ NULL, 0 };
}

static text number_of(struct ctx *c, text s)
{
    struct figures f;
    if (!read_figures(s, &f) || !settle_comma(&f, text_eq(c->language, TEXT("en"))))
        return (text){ NULL, 0 };
    return as_json(c->arena, &f);
}

/* ---- Yes or no. ---- */

static bool yes_or_no(struct ctx *c, text s, bool *out)
{
    static const text yes[] = { TEXT_INIT("true"),       TEXT_INIT("yes"),     TEXT_INIT("y"),
                                TEXT_INIT("vrai"),       TEXT_INIT("oui"),     TEXT_INIT("o"),
                                TEXT_INIT("wahr"),       TEXT_INIT("ja"),      TEXT_INIT("x"),
                                TEXT_INIT("1"),          TEXT_INIT("on"),      TEXT_INIT("vero"),
                                TEXT_INIT("s\u00EC"),    TEXT_INIT("s\u00ED"), TEXT_INIT("verdadero"),
                                TEXT_INIT("verdadeiro"), TEXT_INIT("sim"),     TEXT_INIT("waar"),
                                TEXT_INIT("prawda"),     TEXT_INIT("tak"),     TEXT_INIT("\u2713"),
                                TEXT_INIT("\u2714"),     TEXT_INIT("\u2611") };
    static const text no[] = { TEXT_INIT("false"),      TEXT_INIT("no"),     TEXT_INIT("n"),        TEXT_INIT("faux"),
                               TEXT_INIT("non"),        TEXT_INIT("falsch"), TEXT_INIT("nein"),     TEXT_INIT("0"),
                               TEXT_INIT("off"),        TEXT_INIT("falso"),  TEXT_INIT("onwaar"),   TEXT_INIT("nee"),
                               TEXT_INIT("fa\u0142sz"), TEXT_INIT("nie"),    TEXT_INIT("n\u00E3o"), TEXT_INIT("\u2717"),
                               TEXT_INIT("\u2610") };
    text word = unicode_fold(c->arena, s);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (text_eq(word, yes[i]))
            return *out = true;
    *out = false;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (text_eq(word, no[i]))
            return true;
    return false;
}

/* ---- Days. ---- */

/* Midnight, which programs put behind a day that they keep as a moment: " 00:00", "T00:00:00.000Z". */
static text without_midnight(text s)
{
    static const text starts[] = { TEXT_INIT(" 00:00"), TEXT_INIT("T00:00") };
    for (size_t k = 0; k < 2; k++) {
        ptrdiff_t at = text_find(s, starts[k]);
        bool all = at > 0;
        for (size_t i = at > 0 ? (size_t)at + 1 : 0; all && i < s.n; i++)
            all = s.p[i] == '0' || s.p[i] == ':' || s.p[i] == '.' || (s.p[i] == 'Z' && i + 1 == s.n);
        if (all)
            return text_upto(s, (size_t)at);
    }
    return s;
}

/* The month that a name, or the beginning of one, stands for, in English or French; 0: none, or more than one. */
static int month_of(text part)
{
    enum { WRITINGS = 3, SHORTEST = 3 };
    static const char *const months[12][WRITINGS] = {
        { "january", "janvier", "" },
        { "february", "février", "fevrier" },
        { "march", "mars", "" },
        { "april", "avril", "" },
        { "may", "mai", "" },
        { "june", "juin", "" },
        { "july", "juillet", "" },
        { "august", "août", "aout" },
        { "september", "septembre", "" },
        { "october", "octobre", "" },
        { "november", "novembre", "" },
        { "december", "décembre", "decembre" },
    };
    int found = 0;
    for (int month = 0; month < 12 && part.n >= SHORTEST; month++)
        for (int i = 0; i < WRITINGS; i++) {
            if (!text_starts(text_of(months[month][i]), part))
                continue;
            if (found && found != month + 1)
                return 0;
            found = month + 1;
        }
    return found;
}

static bool of_word(char ch) { return (ch >= 'a' && ch <= 'z') || (uint8_t)ch >= 0x80; }
static bool of_number(char ch) { return ch >= '0' && ch <= '9'; }

static text run_of(text s, bool (*of)(char))
{
    size_t n = 0;
    while (n < s.n && of(s.p[n]))
        n++;
    return text_upto(s, n);
}

static bool ordinal(text part)
{
    return text_eq(part, TEXT("er")) || text_eq(part, TEXT("st")) || text_eq(part, TEXT("nd")) ||
           text_eq(part, TEXT("rd")) || text_eq(part, TEXT("th"));
}

/* "31 December 2026", "1er mars 2026", "3 févr. 2026", "December 31, 2026": a month by its name, day before year. */
static bool by_name(struct ctx *c, text s, struct date *out)
{
    int64_t numbers[2] = { 0 };
    unsigned count = 0;
    *out = (struct date){ 0 };
    for (text rest = unicode_fold(c->arena, s); rest.n;) {
        text number = run_of(rest, of_number), word = run_of(rest, of_word);
        if (number.n && (count == 2 || !text_int(number, &numbers[count++])))
            return false;
        if (word.n && !(count == 1 && ordinal(word))) {
            if (out->month)
                return false;
            out->month = month_of(word);
            if (!out->month)
                return false;
        }
        rest = text_from(rest, number.n + word.n ? number.n + word.n : 1);
    }
    if (!out->month || count != 2 || numbers[0] > 31 || numbers[1] < 1000 || numbers[1] > 9999)
        return false;
    out->day = (int)numbers[0];
    out->year = (int)numbers[1];
    return date_valid(*out);
}

/* Day, month and year, as Europe writes them, with the year in full: "31/12/2026", "1.2.2026"; or year, month and day:
 * "2026/12/31". */
text normal_day(struct ctx *c, text s)
{
    int64_t parts[3];
    text rest = without_midnight(s), day, month;
    char sign = text_index(rest, '/') > 0 ? '/' : text_index(rest, '.') > 0 ? '.' : '-';
    struct date d;
    if (date_parse(rest, &d))
        return rest;
    if (by_name(c, rest, &d))
        return date_print(c->arena, d);
    bool year_first = rest.n == 10 && rest.p[4] == '/' && rest.p[7] == '/';
    text dashed = year_first ? arena_print(c->arena, "%.4s-%.2s-%.2s", rest.p, rest.p + 5, rest.p + 8)
                             : (text){ NULL, 0 };
    if (dashed.p && date_parse(dashed, &d) && date_valid(d))
        return dashed;
    day = text_cut(&rest, sign);
    month = text_cut(&rest, sign);
    if (day.n < 1 || day.n > 2 || month.n < 1 || month.n > 2 || rest.n != 4 || !text_int(day, &parts[0]) ||
        !text_int(month, &parts[1]) || !text_int(rest, &parts[2]))
        return s;
    d = (struct date){ (int)parts[2], (int)parts[1], (int)parts[0] };
    return date_valid(d) ? date_print(c->arena, d) : s;
}

/* ---- Moments. ---- */

/* "Z", "UTC", "GMT", or hours east with or without minutes, in either form ("+01", "+0100"); p NULL when it is none. */
static text zone_of(struct arena *a, text s)
{
    if (text_eq_nocase(s, TEXT("Z")) || text_eq_nocase(s, TEXT("UTC")) || text_eq_nocase(s, TEXT("GMT")))
        return TEXT("Z");
    if (s.n < 3 || (s.p[0] != '+' && s.p[0] != '-'))
        return (text){ NULL, 0 };
    text minutes = s.n == 3 ? TEXT("00") : text_from(s, s.p[3] == ':' ? 4 : 3);
    return minutes.n == 2 ? arena_print(a, "%.3s:%.2s", s.p, minutes.p) : (text){ NULL, 0 };
}

/* Hours and minutes, seconds and their parts where there are any, "AM" or "PM": as RFC 3339 has them, *rest behind; p
 * NULL when it is none. */
static text clock_of(struct arena *a, text s, text *rest)
{
    text hour = run_of(s, of_number), minute, second = TEXT("00"), part = TEXT("");
    int64_t hours;
    *rest = text_from(s, hour.n);
    if (!text_starts(*rest, TEXT(":")) || hour.n > 2 || !text_int(hour, &hours) || hours > 23)
        return (text){ NULL, 0 };
    minute = run_of(text_from(*rest, 1), of_number);
    *rest = text_from(*rest, 1 + minute.n);
    if (text_starts(*rest, TEXT(":"))) {
        second = run_of(text_from(*rest, 1), of_number);
        *rest = text_from(*rest, 1 + second.n);
    }
    if (text_starts(*rest, TEXT("."))) {
        part = text_upto(*rest, 1 + run_of(text_from(*rest, 1), of_number).n);
        *rest = text_from(*rest, part.n);
    }
    *rest = unicode_trim(*rest);
    bool noon = text_eq_nocase(text_upto(*rest, 2), TEXT("PM"));
    if (noon || text_eq_nocase(text_upto(*rest, 2), TEXT("AM"))) {
        *rest = unicode_trim(text_from(*rest, 2));
        hours = hours < 1 || hours > 12 ? -1 : hours % 12 + (noon ? 12 : 0);
    }
    return minute.n != 2 || second.n != 2 || hours < 0
               ? (text){ NULL, 0 }
               : arena_print(a, "%02d:%.2s:%.2s%.*s", (int)hours, minute.p, second.p, T(part));
}

/* "31/12/2026 14:05", "2026-12-31 14:05:09 UTC", "…+0100": a day as people write it, and a time, of the controller's
 * clocks when no zone stands behind it. What it is not stays as it was. */
static text moment_of(struct ctx *c, text s)
{
    msec t;
    ptrdiff_t colon = text_index(s, ':');
    size_t at = colon < 0 ? 0 : (size_t)colon;
    while (at && s.p[at] != ' ' && s.p[at] != 'T')
        at--;
    if (!at || time_parse(s, &t))
        return s;
    text rest, day = normal_day(c, unicode_trim(text_upto(s, at))),
               clock = clock_of(c->arena, text_from(s, at + 1), &rest);
    struct date d;
    if (!clock.p || !date_parse(day, &d) || !date_valid(d))
        return s;
    text zone = rest.n ? zone_of(c->arena, rest) : TEXT("Z");
    if (!zone.p)
        return s;
    text whole = arena_print(c->arena, "%.*sT%.*s%.*s", T(day), T(clock), T(zone));
    if (!time_parse(whole, &t))
        return s;
    if (rest.n)
        return whole;
    int minutes = value_offset(c, t - value_offset(c, t) * 60000LL), size = minutes < 0 ? -minutes : minutes;
    return !minutes ? whole
                    : arena_print(c->arena, "%.*sT%.*s%c%02d:%02d", T(day), T(clock), minutes < 0 ? '-' : '+',
                                  size / 60, size % 60);
}

text normal_moment(struct ctx *c, text s)
{
    text moment = moment_of(c, s);
    return text_eq(moment, s) ? normal_day(c, s) : moment;
}

/* ---- Countries, choices, addresses of the web. ---- */

static text country_typed(struct ctx *c, text s)
{
    const struct country *meant = country_of(s) ? NULL : value_country_meant(c, s);
    return meant ? meant->code : s;
}

/* In any case, and without accents, when that is one of them alone. */
static text choice_typed(struct ctx *c, const struct field *f, text s)
{
    text bare = unicode_bare(c->arena, s);
    int found = -1;
    for (unsigned i = 0; i < f->choice_count; i++) {
        if (text_eq(unicode_nfc(c->arena, f->choices[i]), unicode_nfc(c->arena, s)))
            return s;
        if (!bare.n || !text_eq(unicode_bare(c->arena, f->choices[i]), bare))
            continue;
        if (found >= 0)
            return s;
        found = (int)i;
    }
    return found < 0 ? s : f->choices[found];
}

/* "www.example.org/a" is meant as people see it in their browser. */
static text url_typed(struct ctx *c, text s)
{
    text host = text_upto(s, 0);
    while (host.n < s.n && s.p[host.n] != '/' && s.p[host.n] != '?' && s.p[host.n] != '#')
        host.n++;
    text whole = arena_print(c->arena, "https://%.*s", T(s));
    bool meant = text_index(host, '.') > 0 && text_index(host, ':') < 0 && normal_is_url(c->arena, whole);
    return meant ? whole : s;
}

/* What becomes of a text that was typed, by type. */
static text text_typed(struct ctx *c, const struct field *f, text s)
{
    switch (f->type) {
    case FIELD_DATE:
        return normal_day(c, s);
    case FIELD_TIME:
        return moment_of(c, s);
    case FIELD_COUNTRY:
        return country_typed(c, s);
    case FIELD_CHOICE:
        return choice_typed(c, f, s);
    case FIELD_URL:
        return url_typed(c, s);
    case FIELD_TEXT:
    case FIELD_EMAIL:
    case FIELD_PHONE:
    case FIELD_INTEGER:
    case FIELD_NUMBER:
    case FIELD_BOOLEAN:
    case FIELD_COLOUR:
    case FIELD_IP:
    case FIELD_IBAN:
    case FIELD_CARD:
    case FIELD_JSON:
        break;
    }
    return s;
}

void normal_typed(struct ctx *c, struct json_out *w, const struct field *f, text typed)
{
    const struct json *parsed = NULL;
    struct why why = c->arena->why;
    text s = unicode_trim(typed);
    text number = f->type == FIELD_INTEGER || f->type == FIELD_NUMBER ? number_of(c, s) : (text){ NULL, 0 };
    bool truth;
    if (number.p)
        json_put_raw(w, number);
    else if (f->type == FIELD_BOOLEAN && yes_or_no(c, s, &truth))
        json_put_bool(w, truth);
    else if (f->type == FIELD_JSON && json_parse(c->arena, s, &parsed) == OK)
        json_put(w, parsed);
    else
        json_put_text(w, s.p ? text_typed(c, f, s) : TEXT(""));
    c->arena->why = why;
}

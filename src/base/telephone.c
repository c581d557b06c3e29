/* Telephone numbers: reading what people write, calling codes, trunk prefixes, extensions. */
#include "telephone.h"
#include "unicode.h"
#include <string.h>

enum { READ_MAX = 24 };
struct plan {
    text country, code, trunk;
    size_t least, most;
};

static const struct plan plans[] = {
#define DIALLING(country, code, trunk, least, most)                                                                    \
    { TEXT_INIT(country), TEXT_INIT(code), TEXT_INIT(trunk), least, most },
#include "dialling.def"
#undef DIALLING
};
enum { PLANS = sizeof plans / sizeof *plans };

/* What stands on the paper: digits in their order, and where a "(0)" was. */
struct reading {
    char digits[READ_MAX + 1];
    size_t count, trunk_at; /* trunk_at: the index of the 0 in brackets, READ_MAX when there is none */
    bool plus;
};

/* ---- Characters. ---- */

static bool separates(uint32_t c)
{
    return unicode_blank(c) || c == '-' || c == '.' || c == '/' || c == '(' || c == ')' ||
           (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xFE58 || c == 0xFE63 || c == 0xFF0D || c == 0xFF0E ||
           c == 0xFF08 || c == 0xFF09 || c == 0xB7 || c == 0x2022;
}

static bool is_plus(uint32_t c) { return c == '+' || c == 0xFF0B || c == 0xFE62; }

/* The words that stand before an extension; the text behind it, p NULL when none does. */
static text extension_in(text s)
{
    static const text words[] = { TEXT_INIT(";ext="),     TEXT_INIT("extension"), TEXT_INIT("ext"), TEXT_INIT("poste"),
                                  TEXT_INIT("durchwahl"), TEXT_INIT("x"),         TEXT_INIT("#") };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (s.n >= words[i].n && text_eq_nocase(text_upto(s, words[i].n), words[i]))
            return text_from(s, words[i].n);
    return (text){ NULL, 0 };
}

static bool read_extension(text s, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        uint32_t c = unicode_next(s, &i);
        int d = unicode_digit(c);
        if (d < 0 && !unicode_blank(c) && c != '.' && c != ':')
            return false;
        if (d >= 0 && n == EXTENSION_MAX)
            return false;
        if (d >= 0)
            out[n++] = (char)('0' + d);
    }
    out[n] = '\0';
    return n > 0;
}

static bool bracketed_zero(text s, size_t at, size_t behind)
{
    return at && s.p[at - 1] == '(' && behind < s.n && s.p[behind] == ')' && s.p[at] == '0';
}

static bool read_digits(text s, struct reading *r, char *extension)
{
    *r = (struct reading){ .trunk_at = READ_MAX };
    extension[0] = '\0';
    for (size_t i = 0; i < s.n;) {
        size_t at = i;
        uint32_t c = unicode_next(s, &i);
        int d = unicode_digit(c);
        text behind = d < 0 && r->count ? extension_in(text_from(s, at)) : (text){ NULL, 0 };
        if (behind.p)
            return read_extension(behind, extension);
        if (d >= 0) {
            if (r->count == READ_MAX)
                return false;
            if (bracketed_zero(s, at, i))
                r->trunk_at = r->count;
            r->digits[r->count++] = (char)('0' + d);
        } else if (is_plus(c) && !r->count && !r->plus) {
            r->plus = true;
        } else if (!separates(c)) {
            return false;
        }
    }
    return true;
}

static void drop(struct reading *r, size_t at, size_t n)
{
    memmove(r->digits + at, r->digits + at + n, r->count - at - n);
    r->count -= n;
    r->digits[r->count] = '\0';
    r->trunk_at = READ_MAX;
}

/* ---- Plans. ---- */

static text dialled(const struct reading *r) { return (text){ r->digits, r->count }; }

static const struct plan *plan_of_country(text country)
{
    for (size_t i = 0; i < PLANS; i++)
        if (text_eq(plans[i].country, country))
            return &plans[i];
    return NULL;
}

/* Calling codes are made so that none begins another. */
static const struct plan *plan_of_code(text digits)
{
    for (size_t i = 0; i < PLANS; i++)
        if (text_starts(digits, plans[i].code))
            return &plans[i];
    return NULL;
}

text telephone_at_home(text digits)
{
    const struct plan *p = plan_of_code(digits);
    return p ? text_from(digits, p->code.n) : digits;
}

static bool fits(const struct plan *p, size_t n) { return n >= p->least && n <= p->most; }

bool telephone_possible(text digits)
{
    const struct plan *p = plan_of_code(digits);
    if (!p)
        return digits.n >= 8 && digits.n <= TELEPHONE_MAX && digits.p[0] != '0' && digits.p[0] != '3' &&
               digits.p[0] != '4';
    for (size_t i = 0; i < PLANS; i++) {
        text rest = text_from(digits, plans[i].code.n);
        bool trunk = plans[i].trunk.n && text_starts(rest, plans[i].trunk);
        if (text_starts(digits, plans[i].code) &&
            (fits(&plans[i], rest.n) || (trunk && fits(&plans[i], rest.n - plans[i].trunk.n))))
            return digits.n <= TELEPHONE_MAX;
    }
    return false;
}

static void prefix(struct reading *r, text code)
{
    if (r->count + code.n > READ_MAX)
        return;
    memmove(r->digits + code.n, r->digits, r->count);
    memcpy(r->digits, code.p, code.n);
    r->count += code.n;
    r->plus = true;
}

/* Behind a calling code no trunk prefix is dialled: "+33 (0)6" and "+33 06" are "+33 6". */
static void without_trunk(struct reading *r)
{
    const struct plan *p = plan_of_code(dialled(r));
    size_t code = p ? p->code.n : 0;
    if (r->trunk_at < READ_MAX && r->trunk_at > 0 && r->trunk_at <= 3)
        drop(r, r->trunk_at, 1);
    else if (p && text_eq(p->trunk, TEXT("0")) && r->count > code && r->digits[code] == '0')
        drop(r, code, 1);
}

/* A number without "+" or "00": dialled in that country, or in the international form without its sign, as programs
 * write it. */
static void at_home(struct reading *r, const struct plan *home)
{
    const struct plan *p = plan_of_code(dialled(r));
    size_t trunk = home ? home->trunk.n : 0;
    if (home && trunk && text_starts(dialled(r), home->trunk) && fits(home, r->count - trunk)) {
        drop(r, 0, trunk);
        prefix(r, home->code);
    } else if (home && r->digits[0] != '0' && fits(home, r->count) &&
               !(p == home && r->count > home->least + p->code.n)) {
        prefix(r, home->code);
    } else if (home && !trunk && fits(home, r->count)) {
        prefix(r, home->code);
    } else if (p && r->count >= TELEPHONE_MIN + 4 && r->digits[0] != '0' && fits(p, r->count - p->code.n)) {
        r->plus = true;
    }
}

static bool all_digits(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

/* The number in a link (RFC 3966, RFC 5724), with the country that it names where it has none of its own. */
static bool take_link(text s, text *number, text *code)
{
    static const text schemes[] = { TEXT_INIT("tel:"), TEXT_INIT("sms:"), TEXT_INIT("callto:"),
                                    TEXT_INIT("whatsapp:") };
    *number = s;
    *code = (text){ NULL, 0 };
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (text_eq_nocase(text_upto(s, schemes[i].n), schemes[i]))
            *number = text_from(s, schemes[i].n);
    ptrdiff_t context = number->n < s.n ? text_find(*number, TEXT(";phone-context=")) : -1;
    if (context < 0)
        return true;
    *code = text_from(*number, (size_t)context + 15);
    *number = text_upto(*number, (size_t)context);
    return text_starts(*code, TEXT("+"));
}

text telephone_unlinked(text s)
{
    text number, code;
    return take_link(s, &number, &code) && !code.p ? number : s;
}

/* "011 33 …", as North America dials abroad, where no number of the own country is written so. */
static void from_america(struct reading *r)
{
    const struct plan *p = r->count > 3 && text_starts(dialled(r), TEXT("011")) ? plan_of_code(text_from(dialled(r), 3))
                                                                                : NULL;
    if (!p || r->plus || !fits(p, r->count - 3 - p->code.n))
        return;
    drop(r, 0, 3);
    r->plus = true;
}

bool telephone_read(text s, text country, struct telephone *out)
{
    struct reading r;
    *out = (struct telephone){ .international = false };
    text code;
    if (!take_link(unicode_trim(s), &s, &code) || !read_digits(s, &r, out->extension))
        return false;
    if (code.n && !r.plus && all_digits(text_from(code, 1)))
        prefix(&r, text_from(code, 1));
    if (!r.plus && r.count > TELEPHONE_MIN && r.digits[0] == '0' && r.digits[1] == '0') {
        size_t trunk = r.trunk_at;
        drop(&r, 0, 2);
        r.trunk_at = trunk < READ_MAX && trunk >= 2 ? trunk - 2 : READ_MAX;
        r.plus = true;
    }
    if (r.plus)
        without_trunk(&r);
    else if (r.count >= TELEPHONE_MIN)
        at_home(&r, plan_of_country(country));
    from_america(&r);
    /* No calling code begins with 0 (ITU-T E.164): "+06…" lacks its country. */
    if (r.count < TELEPHONE_MIN || r.count > TELEPHONE_MAX || (r.plus && r.digits[0] == '0'))
        return false;
    memcpy(out->digits, r.digits, r.count);
    out->international = r.plus;
    return true;
}

text telephone_print(struct arena *a, const struct telephone *t)
{
    return arena_print(a, "%s%s%s%s", t->international ? "+" : "", t->digits,
                       t->extension[0] ? "x" : "", t->extension);
}

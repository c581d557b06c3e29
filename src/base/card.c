/* The guard against payment card numbers: digits, groups, and what is no card. */
#include "card.h"
#include <string.h>

enum {
    DIGITS_MIN = 13, DIGITS_MAX = 19, GAP_MAX = 3,
    PHONE_MAX = 15, IBAN_MIN = 15, IBAN_MAX = 34,
    HASH_MIN = 32, HASH_LETTERS = 4,
};

/* ---- Characters ---- */

/* The code point at i and its length; 0 for what is no well-formed sequence. */
static uint32_t code_point(text s, size_t i, size_t *step)
{
    const uint8_t *p = (const uint8_t *)s.p + i;
    size_t left = s.n - i;
    uint32_t c = p[0];
    *step = c < 0x80 ? 1 : (c & 0xE0) == 0xC0 ? 2 : (c & 0xF0) == 0xE0 ? 3 : (c & 0xF8) == 0xF0 ? 4 : 0;
    if (*step < 2 || *step > left)
        return *step == 1 ? c : 0;
    c &= 0x7Fu >> *step;
    for (size_t k = 1; k < *step; k++) {
        if ((p[k] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[k] & 0x3F);
    }
    return c;
}

/* Bytes that a decimal digit of Unicode 14 begins with. */
static const bool begins_digit[256] = { ['0' ... '9'] = true, [0xD9] = true, [0xDB] = true, [0xDF] = true, [0xE0] = true,
                                        [0xE1] = true,        [0xEA] = true, [0xEF] = true, [0xF0] = true };

/* The value of the decimal digit at i, -1 when there is none there. */
static int digit_at(text s, size_t i, size_t *step)
{
    /* The zeros of all decimal digits beyond ASCII (general category Nd); nine more follow each. */
    static const uint32_t zeros[] = {
        0x660,   0x6F0,   0x7C0,   0x966,   0x9E6,   0xA66,   0xAE6,   0xB66,   0xBE6,   0xC66,   0xCE6,   0xD66,   0xDE6,
        0xE50,   0xED0,   0xF20,   0x1040,  0x1090,  0x17E0,  0x1810,  0x1946,  0x19D0,  0x1A80,  0x1A90,  0x1B50,  0x1BB0,
        0x1C40,  0x1C50,  0xA620,  0xA8D0,  0xA900,  0xA9D0,  0xA9F0,  0xAA50,  0xABF0,  0xFF10,  0x104A0, 0x10D30, 0x11066,
        0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50,
        0x11DA0, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
    };
    uint8_t byte = (uint8_t)s.p[i];
    *step = 1;
    if (byte < 0x80 || !begins_digit[byte])
        return byte >= '0' && byte <= '9' ? byte - '0' : -1;
    uint32_t c = code_point(s, i, step);
    size_t low = 0, high = sizeof zeros / sizeof *zeros;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c < zeros[middle])
            high = middle;
        else if (c > zeros[middle] + 9)
            low = middle + 1;
        else
            return (int)(c - zeros[middle]);
    }
    return -1;
}

/* Length of the separator at i: a blank, dash or dot of any kind, or an invisible character; 0 when there is none. */
static size_t separator_at(text s, size_t i)
{
    size_t step;
    switch (code_point(s, i, &step)) {
    case ' ': case '-': case '.':
    case 0xA0: case 0xAD: case 0xB7: case 0x1680: case 0x180E:
    case 0x2000 ... 0x2015:                             /* blanks, zero width, directions, dashes */
    case 0x2022: case 0x2024: case 0x2027: case 0x202F: case 0x2043: case 0x205F: case 0x2060: case 0x2212: case 0x22C5:
    case 0x3000: case 0xFE58: case 0xFE63: case 0xFEFF: case 0xFF0D: case 0xFF0E:
        return step;
    default:
        return 0;
    }
}

static size_t next_digit(text s, size_t i)
{
    size_t step;
    while (i < s.n && !(begins_digit[(uint8_t)s.p[i]] && digit_at(s, i, &step) >= 0))
        i++;
    return i;
}

static size_t group_end(text s, size_t i)
{
    size_t step;
    while (i < s.n && digit_at(s, i, &step) >= 0)
        i += step;
    return i;
}

/* Where the next group begins when i is the end of one, 0 when the number ends there. *dot: one plain dot lies between. */
static size_t next_group(text s, size_t i, bool *dot)
{
    size_t step, at = i;
    for (int k = 0; k < GAP_MAX && at < s.n && (step = separator_at(s, at)); k++)
        at += step;
    *dot = at == i + 1 && s.p[i] == '.';
    return at > i && at < s.n && digit_at(s, at, &step) >= 0 ? at : 0;
}

/* ---- What is a card ---- */

struct number { unsigned count; uint8_t digits[DIGITS_MAX]; };

static bool luhn(const uint8_t *digits, unsigned count)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned d = digits[i];
        sum += (count - i) % 2 ? d : d < 5 ? 2 * d : 2 * d - 9;
    }
    return sum % 10 == 0;
}

static uint32_t value(const uint8_t *digits, unsigned count)
{
    uint32_t all = 0;
    for (unsigned i = 0; i < count; i++)
        all = all * 10 + digits[i];
    return all;
}

static bool issued(const struct number *n)
{
    static const struct { uint32_t first, last, lengths; } ranges[] = {
#define N(digits) (1u << (digits))
#define CARD(scheme, first, last, lengths) { first, last, lengths },
#include "cards.def"
#undef CARD
#undef N
    };
    uint32_t prefix = value(n->digits, 6);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (prefix >= ranges[i].first && prefix <= ranges[i].last && (ranges[i].lengths >> n->count & 1))
            return true;
    return false;
}

static bool gtin(const struct number *n)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < n->count; i++)
        sum += n->digits[i] * (i % 2 ? 3 : 1);
    return n->count == 13 && sum % 10 == 0;
}

static bool siret(const struct number *n)
{
    if (n->count != 14)
        return false;
    uint32_t establishment = value(n->digits + 9, 4);
    return luhn(n->digits, 9) && establishment > 0 && establishment < 1000;
}

static bool is_card(const struct number *n)
{
    return n->count >= DIGITS_MIN && luhn(n->digits, n->count) && issued(n) && !gtin(n) && !siret(n);
}

/* ---- Groups ---- */

/* The groups read so far, from a first one on. */
struct grouping {
    struct number number;
    unsigned groups, size, sizes[3];      /* size: of the last group; sizes: of the first three */
    bool even;                            /* all but the last have the size of the first, and the last is no longer */
    bool dot;                             /* one plain dot stands after the first */
};

/* Reads the group at i and returns its end; 0 when the number would be too long. */
static size_t read_group(text s, size_t i, struct grouping *g)
{
    size_t step;
    int d;
    unsigned last = g->size;
    g->size = 0;
    while (i < s.n && (d = digit_at(s, i, &step)) >= 0) {
        if (g->number.count == DIGITS_MAX)
            return 0;
        g->number.digits[g->number.count++] = (uint8_t)d;
        g->size++;
        i += step;
    }
    g->even = !g->groups || (g->even && last == g->sizes[0] && g->size <= last);
    if (g->groups < 3)
        g->sizes[g->groups] = g->size;
    g->groups++;
    return i;
}

/* Day, month and year in groups of two, two and four. */
static bool begins_with_date(const struct grouping *g)
{
    if (g->groups < 3 || g->sizes[0] != 2 || g->sizes[1] != 2 || g->sizes[2] != 4)
        return false;
    const uint8_t *d = g->number.digits;
    uint32_t day = value(d, 2), month = value(d + 2, 2), year = value(d + 4, 4);
    return day >= 1 && day <= 31 && month >= 1 && month <= 12 && year >= 1900 && year < 2100;
}

/* How cards are printed: in one piece, by four (or another even step), 4-6-4 and 4-6-5; or digit by digit. */
static bool printed_so(const struct grouping *g)
{
    unsigned first = g->sizes[0];
    return g->groups == 1 || (g->even && (first == 1 || (first >= 4 && first <= 8))) ||
           (g->groups == 3 && first == 4 && g->sizes[1] == 6 && (g->size == 4 || g->size == 5));
}

/* Whether digits grouped like this may be a card's. `alone`: no other digit stands beside them. `fraction`: a dot before. */
static bool plausible(const struct grouping *g, bool alone, bool fraction)
{
    bool decimal = g->groups == 1 ? fraction : fraction ? !g->dot : g->groups == 2 && g->dot;
    return !decimal && (alone || printed_so(g)) && !begins_with_date(g);
}

/* The end of the longest card number that begins with the group at `start`, 0 when none does. */
static size_t card_end(text s, size_t start, bool first, bool fraction)
{
    struct grouping g = { 0 };
    size_t end = 0;
    bool dot;
    for (size_t i = start, next; (i = read_group(s, i, &g)); i = next) {
        next = next_group(s, i, &dot);
        if (g.number.count >= DIGITS_MIN && plausible(&g, first && !next, fraction) && is_card(&g.number))
            end = i;
        if (!next)
            break;
        if (g.groups == 1)
            g.dot = dot;
    }
    return end;
}

/* ---- What is something else ---- */

/* The end of the telephone number whose digits begin at i, 0 when it is none. */
static size_t phone_end(text s, size_t i)
{
    size_t step, count = 0;
    bool dot;
    if (!i || s.p[i - 1] != '+')
        return 0;
    for (size_t next = i;;) {
        for (; next < s.n && digit_at(s, next, &step) >= 0; next += step)
            count++;
        i = next;
        if (count > PHONE_MAX)
            return 0;
        if (!(next = next_group(s, i, &dot)))
            return i;
    }
}

static bool letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool alnum(char c) { return letter(c) || digit(c); }

/* One more character of an IBAN, modulo 97: letters count as 10 to 35 (ISO 13616). */
static unsigned iban_add(unsigned sum, char c)
{
    return letter(c) ? (sum * 100 + ((unsigned char)c & 31) + 9) % 97 : (sum * 10 + (unsigned)(c - '0')) % 97;
}

/* The end of the IBAN whose check digits stand at i, 0 when there is none. */
static size_t iban_end(text s, size_t i)
{
    if (i < 2 || i + 2 > s.n || !letter(s.p[i - 1]) || !letter(s.p[i - 2]) || !digit(s.p[i]) || !digit(s.p[i + 1]) ||
        (i > 2 && alnum(s.p[i - 3])))
        return 0;
    unsigned sum = 0, count = 4;
    size_t end = 0;
    for (size_t at = i + 2, step; count <= IBAN_MAX;) {
        for (; at < s.n && alnum(s.p[at]) && count <= IBAN_MAX; at++, count++)
            sum = iban_add(sum, s.p[at]);
        unsigned whole = sum;
        for (size_t k = i - 2; k < i + 2; k++)
            whole = iban_add(whole, s.p[k]);
        if (count >= IBAN_MIN && count <= IBAN_MAX && whole == 1)
            end = at;
        if (at >= s.n || !(step = separator_at(s, at)) || at + step >= s.n || !alnum(s.p[at + step]))
            break;
        at += step;
    }
    return end;
}

static bool hex(char c) { return digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

/* The end of the UUID (RFC 9562) that begins at `start`, 0 when there is none. */
static size_t uuid_end(text s, size_t start)
{
    enum { LENGTH = 36 };
    if (s.n - start < LENGTH)
        return 0;
    for (size_t k = 0; k < LENGTH; k++)
        if (k == 8 || k == 13 || k == 18 || k == 23 ? s.p[start + k] != '-' : !hex(s.p[start + k]))
            return 0;
    return start + LENGTH;
}

/* The end of the UUID or hexadecimal digest that the digit at i belongs to, 0 when there is none. */
static size_t hash_end(text s, size_t i)
{
    size_t start = i, end, letters = 0;
    while (start && hex(s.p[start - 1]))
        start--;
    for (end = start; end < s.n && hex(s.p[end]); end++)
        letters += letter(s.p[end]);
    return end - start >= HASH_MIN && letters >= HASH_LETTERS ? end : uuid_end(s, start);
}

bool card_find(text s, text *where)
{
    for (size_t i = next_digit(s, 0), other; i < s.n; i = next_digit(s, i)) {
        if ((other = iban_end(s, i)) || (other = phone_end(s, i)) || (other = hash_end(s, i))) {
            i = other;
            continue;
        }
        bool first = true, dot = false;
        for (size_t group = i, end; group || first; first = false) {
            if ((end = card_end(s, group, first, dot))) {
                if (where)
                    *where = (text){ s.p + group, end - group };
                return true;
            }
            i = group_end(s, group);
            group = next_group(s, i, &dot);
        }
    }
    return false;
}

text card_mask(struct arena *a, text s)
{
    char *out = arena_alloc(a, s.n + 1);
    size_t n = 0, step;
    for (text card; out && card_find(s, &card);) {
        size_t before = (size_t)(card.p - s.p);
        memcpy(out + n, s.p, before);
        n += before;
        for (size_t i = 0; i < card.n; i += step) {
            bool hide = digit_at(card, i, &step) >= 0;
            out[n++] = hide ? '*' : card.p[i];
            if (!hide)
                step = 1;
        }
        s = text_from(s, before + card.n);
    }
    if (out && s.n)
        memcpy(out + n, s.p, s.n);
    return (text){ out, out ? n + s.n : 0 };
}

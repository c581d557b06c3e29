/* The guard against payment card numbers: digits, groups, and what is no card. */
#include "card.h"
#include "iban.h"
#include "telephone.h"
#include "unicode.h"
#include <string.h>

enum {
    PREFIX = 6,
    DIGITS_MIN = 13,
    DIGITS_MAX = 19,
    GAP_USUAL = 3,
    GAP_SIGNS = 8,
    GAP_MAX = 256, /* characters between two groups: usual ones; signs; all, blanks included */
    PRINTED = 16,
    PRINTED_MAX = PRINTED + 4 + 3, /* digits, with month and year and check number */
    PADDED_MIN = 15,               /* digits behind noughts that only fill up */
    HASH_MIN = 32,
    HASH_LETTERS = 4,
    AHEAD = 32,
    TALLIES = 8,
    TABLE = 4,
};

/* ---- Characters ---- */

/* Bytes that a digit beyond ASCII begins with: of any script, raised, lowered, in a circle, mathematical, Han. */
static const bool begins_digit[256] = { ['0' ... '9'] = true, [0xC2] = true,          [0xD9] = true, [0xDB] = true,
                                        [0xDF] = true,        [0xE0 ... 0xEA] = true, [0xEF] = true, [0xF0] = true };

/* The value of the digit at i, -1 when there is none there; *step: its length. */
static int digit_at(text s, size_t i, size_t *step)
{
    uint8_t byte = (uint8_t)s.p[i];
    *step = 1;
    if (byte < 0x80 || !begins_digit[byte])
        return byte >= '0' && byte <= '9' ? byte - '0' : -1;
    size_t next = i;
    uint32_t c = unicode_next(s, &next);
    *step = next - i;
    int value = unicode_digit(c);
    return value >= 0 ? value : unicode_digit_like(c);
}

static size_t next_digit(text s, size_t i)
{
    size_t step;
    while (i < s.n && !(begins_digit[(uint8_t)s.p[i]] && digit_at(s, i, &step) >= 0))
        i++;
    return i;
}

/* Behind whatever is not seen at i: zero widths, directions, soft hyphens, marks on the letter before. */
static size_t behind_unseen(text s, size_t i)
{
    while (i < s.n && (uint8_t)s.p[i] >= 0x80) {
        size_t next = i;
        if (!unicode_unseen(unicode_next(s, &next)))
            break;
        i = next;
    }
    return i;
}

static bool letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool alnum(char c) { return letter(c) || digit(c); }

/* A blank, dash or dot of any kind: what people put between the groups of one number. */
static bool usual(uint32_t c)
{
    switch (c) {
    case ' ':
    case '-':
    case '.':
    case 0xA0:
    case 0xB7:
    case 0x1680:
    case 0x180E:
    case 0x2000 ... 0x200A:
    case 0x2010 ... 0x2015:
    case 0x2022:
    case 0x2024:
    case 0x2027:
    case 0x202F:
    case 0x2043:
    case 0x205F:
    case 0x2212:
    case 0x22C5:
    case 0x3000:
    case 0xFE58:
    case 0xFE63:
    case 0xFF0D:
    case 0xFF0E:
        return true;
    default:
        return false;
    }
}

/* What stands between two groups of digits. */
struct gap {
    size_t next;             /* where the group behind it begins; 0: none does, the number ends here */
    uint32_t mark;           /* the same for gaps of the same writing */
    bool usual, dot, letter; /* usual signs alone, three at most; one plain dot; a letter */
};

/* The gap at i, which is the end of a group. One letter (4111x1111) is a sign; more are a word, and end the number. */
static struct gap gap_at(text s, size_t i)
{
    struct gap g = { .usual = true };
    size_t at = behind_unseen(s, i), step, seen = 0, letters = 0;
    for (size_t signs = 0; at < s.n && digit_at(s, at, &step) < 0; at = behind_unseen(s, at)) {
        size_t next = at;
        uint32_t c = (uint8_t)s.p[at] < 0x80 ? (uint8_t)s.p[next++] : unicode_next(s, &next);
        bool blank = unicode_blank(c) && c != CARD_BETWEEN;
        letters += letter((char)(c < 0x80 ? c : 0)) || (c >= 0x80 && unicode_letter(c));
        signs += !blank;
        seen++;
        if (letters > 1 || signs > GAP_SIGNS || seen > GAP_MAX)
            return (struct gap){ 0 };
        g.usual = g.usual && usual(c);
        g.mark = blank ? g.mark : g.mark * 31 + c;
        if (!g.mark && (c == '\n' || c == '\r'))
            g.mark = '\n';
        at = next;
    }
    if (at >= s.n || !seen)
        return (struct gap){ 0 };
    g.next = at;
    g.usual = g.usual && seen <= GAP_USUAL;
    g.letter = letters > 0;
    g.dot = at == i + 1 && s.p[i] == '.';
    return g;
}

/* ---- What is a card ---- */

struct number {
    unsigned count;
    uint8_t digits[DIGITS_MAX];
};

static bool luhn(const uint8_t *digits, unsigned count)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned d = digits[i];
        sum += (count - i) % 2 ? d
             : d < 5 ? 2 * d : 2 * d - 9;
    }
    return sum % 10 == 0;
}

static uint32_t value(const uint8_t *digits, size_t count)
{
    uint32_t all = 0;
    for (size_t i = 0; i < count; i++)
        all = all * 10 + digits[i];
    return all;
}

/* The lengths, a bit each, of the cards that begin with the first six digits. */
static uint32_t lengths_of(const struct number *n)
{
    static const struct {
        uint32_t first, last, lengths;
    } ranges[] = {
#define N(digits)                          (1u << (digits))
#define CARD(scheme, first, last, lengths) { first, last, lengths },
#include "cards.def"
#undef CARD
#undef N
    };
    uint32_t prefix = value(n->digits, PREFIX), lengths = 0;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        lengths |= prefix >= ranges[i].first && prefix <= ranges[i].last ? ranges[i].lengths : 0;
    return lengths;
}

static bool issued(const struct number *n) { return lengths_of(n) >> n->count & 1; }

static bool gtin(const struct number *n)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < n->count; i++)
        sum += n->digits[i] * (i % 2 ? 3 : 1);
    return n->count == 13 && sum % 10 == 0;
}

/* German and Austrian mobile numbers as programs write them, without "+": thirteen digits behind 49 15 to 17 and 43 64
 * to 69, of Visa's oldest length, in which no card has been given out for decades. */
static bool mobile(const struct number *n)
{
    uint32_t begin = value(n->digits, 4);
    return n->count == 13 && ((begin >= 4915 && begin <= 4917) || (begin >= 4364 && begin <= 4369));
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
    return n->count >= DIGITS_MIN && luhn(n->digits, n->count) && issued(n) && !gtin(n) && !siret(n) && !mobile(n);
}

/* ---- Groups ---- */

/* Gap: behind it. */
struct group {
    size_t at, end, size;
    struct gap gap;
};

/* Groups of digits that may be one number, from a first one on. */
struct window {
    struct number number;
    unsigned groups;
    size_t sizes[DIGITS_MAX + 1];    /* of each group */
    struct gap gaps[DIGITS_MAX + 1]; /* behind each group */
    struct gap before;               /* the gap before the first; next 0: none */
    size_t size_before, size_after;  /* of the groups beside it, joined by whatever gap; 0: none */
};

static struct group group_at(text s, size_t i)
{
    struct group g = { .at = i, .end = i };
    size_t step;
    while (i < s.n && digit_at(s, i, &step) >= 0) {
        g.size++;
        g.end = i + step;
        i = behind_unseen(s, g.end);
    }
    g.gap = gap_at(s, g.end);
    return g;
}

/* One more group; false when the number would be too long. */
static bool add_group(text s, const struct group *g, struct window *w)
{
    size_t step;
    if (g->size + w->number.count > DIGITS_MAX)
        return false;
    for (size_t i = g->at; i < g->end; i = behind_unseen(s, i + step))
        w->number.digits[w->number.count++] = (uint8_t)digit_at(s, i, &step);
    w->sizes[w->groups] = g->size;
    w->gaps[w->groups++] = g->gap;
    return true;
}

/* All but the last have the size of the first, and the last is no longer. */
static bool even(const struct window *w)
{
    for (unsigned i = 1; i < w->groups; i++)
        if (w->sizes[i] > w->sizes[0] || (i + 1 < w->groups && w->sizes[i] != w->sizes[0]))
            return false;
    return true;
}

static bool sizes_are(const struct window *w, unsigned a, unsigned b, unsigned c)
{
    return w->groups == 3 && w->sizes[0] == a && w->sizes[1] == b && w->sizes[2] == c;
}

/* 4-6-4 and 4-6-5: Diners Club and American Express. */
static bool by_six(const struct window *w) { return sizes_are(w, 4, 6, 4) || sizes_are(w, 4, 6, 5); }

/* By four, or by multiples of four (8-8, 12-4). A year is no last group of such: "400123456789 2026". */
static bool by_fours(const struct window *w)
{
    for (unsigned i = 0; i + 1 < w->groups; i++)
        if (w->sizes[i] % 4)
            return false;
    size_t last = w->sizes[w->groups - 1];
    uint32_t year = last == 4 ? value(w->number.digits + w->number.count - 4, 4) : 0;
    return w->groups > 1 && last <= 8 && (even(w) || last != 4 || year < 1900 || year > 2099);
}

/* How cards are printed: in one piece, by four (or another even step), 4-6-4 and 4-6-5; or digit by digit. */
static bool printed_so(const struct window *w)
{
    size_t first = w->sizes[0];
    return w->groups == 1 || (even(w) && (first == 1 || (first >= 4 && first <= 8))) || by_six(w);
}

/* Thousands apart, as programs print what they took for an amount: "4,111,111,111,111,111". */
static bool by_thousands(const struct window *w)
{
    for (unsigned i = 1; i < w->groups; i++)
        if (w->sizes[i] != 3 || w->sizes[0] > 3)
            return false;
    return w->groups > 4;
}

/* Whether one number alone may be written so with signs that nobody usually puts into one (slashes, commas, line ends,
 * letters). */
static bool written_so(const struct window *w)
{
    size_t first = w->sizes[0];
    return (even(w) && w->groups > 2 && first <= 6) || by_six(w) || by_fours(w) || by_thousands(w);
}

static const struct gap *gap_after(const struct window *w) { return &w->gaps[w->groups - 1]; }

static bool gaps_usual(const struct window *w)
{
    for (unsigned i = 0; i + 1 < w->groups; i++)
        if (!w->gaps[i].usual)
            return false;
    return true;
}

static bool gaps_alike(const struct window *w)
{
    for (unsigned i = 1; i + 1 < w->groups; i++)
        if (w->gaps[i].mark != w->gaps[0].mark || w->gaps[i].usual != w->gaps[0].usual)
            return false;
    return true;
}

static bool gaps_letter(const struct window *w)
{
    for (unsigned i = 0; i + 1 < w->groups; i++)
        if (w->gaps[i].letter)
            return true;
    return false;
}

/* Whether a group beside the window goes on with what is in it: written like it, and of the size of its groups. */
static bool goes_on(const struct window *w, const struct gap *beside, size_t size)
{
    return beside->next && size == w->sizes[0] &&
           (w->groups == 1 || (beside->mark == w->gaps[0].mark && beside->usual == w->gaps[0].usual));
}

static bool apart(const struct window *w)
{
    return !goes_on(w, &w->before, w->size_before) && !goes_on(w, gap_after(w), w->size_after);
}

/* ---- Groups that are something else. ---- */

/* Day, month and year, or year, month and day, in three groups beside each other. */
static bool has_date(const struct window *w)
{
    const uint8_t *d = w->number.digits;
    for (unsigned i = 0; i + 2 < w->groups; d += w->sizes[i++]) {
        const size_t *sizes = w->sizes + i;
        bool turned = sizes[0] == 4 && sizes[1] <= 2 && sizes[2] <= 2,
             usual = sizes[0] <= 2 && sizes[1] <= 2 && sizes[2] == 4;
        if (!turned && !usual)
            continue;
        uint32_t a = value(d, sizes[0]), b = value(d + sizes[0], sizes[1]),
                 c = value(d + sizes[0] + sizes[1], sizes[2]);
        uint32_t year = turned ? a : c, one = b, other = turned ? c : a;
        if (year >= 1900 && year < 2100 && one >= 1 && other >= 1 && one <= 31 && other <= 31 &&
            (one <= 12 || other <= 12))
            return true;
    }
    return false;
}

/* Numbers with a decimal point, one beside the other: coordinates. */
static bool decimals(const struct window *w)
{
    bool all = w->groups % 2 == 0 && w->groups < 7;
    for (unsigned i = 0; all && i + 1 < w->groups; i++)
        all = w->gaps[i].dot == (i % 2 == 0);
    return all && !(w->groups > 2 && even(w) && w->sizes[0] >= 4);
}

/* Addresses of IPv4, one beside the other. */
static bool addresses(const struct window *w)
{
    bool all = w->groups == 8;
    const uint8_t *d = w->number.digits;
    for (unsigned i = 0; all && i < w->groups; d += w->sizes[i++])
        all = w->sizes[i] <= 3 && value(d, w->sizes[i]) < 256 && (i == 7 || w->gaps[i].dot == (i != 3));
    return all;
}

/* Amounts with their thousands apart, one beside the other: "4 500 320  12 345 678". */
static bool amounts(const struct window *w)
{
    unsigned thousands = 0, begun = 0;
    for (unsigned i = 0; i < w->groups; i++) {
        if (w->sizes[i] > 3)
            return false;
        thousands += i && w->sizes[i] == 3;
        begun += i && w->sizes[i] < 3;
    }
    return !even(w) && thousands > 1 && begun && begun <= thousands;
}

/* Telephone numbers of France and others, by two digits: "06 12 34 56 78 06 …" begins with a nought and is no card
 * anyway. */
static bool something_else(const struct window *w) { return has_date(w) || decimals(w) || addresses(w) || amounts(w); }

/* ---- Whether a window is a card. ---- */

enum verdict { NO, PERHAPS, YES };

/* Whether no group beside it has the size of its own. */
static bool of_its_size(const struct window *w)
{
    return w->sizes[0] >= 4 && w->size_before != w->sizes[0] && w->size_after != w->sizes[0];
}

static enum verdict usual_writing(const struct window *w)
{
    const struct gap *after = gap_after(w);
    bool alone = !(w->before.next && w->before.usual) && !(after->next && after->usual);
    if (something_else(w) || (w->before.dot && !w->gaps[0].dot) || (!alone && !printed_so(w)))
        return NO;
    return w->size_before != w->sizes[0] && w->size_after != w->sizes[0] ? YES : PERHAPS;
}

/* By its writing alone. PERHAPS: so the columns and rows of a table are written, too. */
static enum verdict writing(const struct window *w)
{
    bool alone = !w->before.next && !gap_after(w)->next;
    if (w->groups == 1)
        return w->before.dot ? NO : YES;
    if (gaps_usual(w))
        return usual_writing(w);
    if (gaps_letter(w)) {
        bool digit_by_digit = w->sizes[0] == 1 && gaps_alike(w);
        bool printed = w->sizes[0] == 4 || digit_by_digit;
        return w->groups > 2 && printed && (even(w) || by_six(w)) && apart(w) ? PERHAPS : NO;
    }
    if (!written_so(w) || has_date(w))
        return NO;
    return alone || of_its_size(w) || (gaps_alike(w) && (apart(w) || w->sizes[0] >= 4)) ? PERHAPS : NO;
}

/* ---- What is something else ---- */

/* All digits of the groups from i on with usual signs between are one card. */
static bool card_whole(text s, size_t i)
{
    struct window w = { .groups = 0 };
    for (struct group g = group_at(s, i); add_group(s, &g, &w); g = group_at(s, g.gap.next))
        if (!g.gap.next || !g.gap.usual)
            return is_card(&w.number);
    return false;
}

/* The end of the telephone number whose digits begin at i, 0 when it is none that dialling.def allows. */
static size_t phone_end(text s, size_t i)
{
    char digits[TELEPHONE_MAX + 1];
    size_t count = 0, end = 0;
    bool whole = false;
    if (!i || s.p[i - 1] != '+' || (i > 1 && digit(s.p[i - 2])))
        return 0;
    for (struct group g = group_at(s, i); count + g.size <= TELEPHONE_MAX; g = group_at(s, g.gap.next)) {
        size_t step;
        for (size_t k = g.at; k < g.end; k = behind_unseen(s, k + step))
            digits[count++] = (char)('0' + digit_at(s, k, &step));
        if (telephone_possible((text){ digits, count })) {
            end = g.end;
            whole = !g.gap.next || !g.gap.usual;
        }
        if (!g.gap.next)
            break;
    }
    return !whole && end && card_whole(s, i) ? 0 : end;
}

/* The end of the IBAN whose check digits stand at i, 0 when there is none: its country's length, and the check digits
 * right. */
static size_t iban_end(text s, size_t i)
{
    char iban[IBAN_MAX];
    size_t count = 0, at = i - 2;
    if (i < 2 || i + 2 > s.n || !letter(s.p[i - 1]) || !letter(s.p[i - 2]) || (i > 2 && alnum(s.p[i - 3])))
        return 0;
    for (unsigned gap = 0; at < s.n && count < IBAN_MAX; at++) {
        if (alnum(s.p[at])) {
            iban[count++] = letter(s.p[at]) ? (char)(s.p[at] & ~0x20) : s.p[at];
            gap = 0;
            if (count >= IBAN_MIN && (at + 1 == s.n || !alnum(s.p[at + 1])) && iban_good((text){ iban, count }))
                return at + 1;
        } else if (!usual((uint8_t)s.p[at]) && (uint8_t)s.p[at] < 0x80) {
            return 0;
        } else if (++gap > 2 * GAP_USUAL) {
            return 0;
        }
    }
    return 0;
}

static bool hex(char c) { return digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }

/* The end of the UUID (RFC 9562: version 1 to 8, variant 10) that begins at `start`, 0 when there is none. */
static size_t uuid_end(text s, size_t start)
{
    enum { LENGTH = 36, VERSION = 14, VARIANT = 19 };
    if (s.n - start < LENGTH)
        return 0;
    for (size_t k = 0; k < LENGTH; k++)
        if (k == 8 || k == 13 || k == 18 || k == 23 ? s.p[start + k] != '-' : !hex(s.p[start + k]))
            return 0;
    char version = s.p[start + VERSION], variant = s.p[start + VARIANT] | 0x20;
    bool good = version >= '1' && version <= '8' &&
                ((variant | 0x10) == '8' || (variant | 0x10) == '9' || variant == 'a' || variant == 'b');
    return good ? start + LENGTH : 0;
}

/* The end of the UUID or hexadecimal digest that the digit at i belongs to, 0 when there is none. A digit beyond ASCII
 * behind a digest (a raised one of a footnote) is none of it: what ends at i would be found again for ever. */
static size_t hash_end(text s, size_t i)
{
    size_t start = i, end, letters = 0;
    while (start && hex(s.p[start - 1]))
        start--;
    for (end = start; end < s.n && hex(s.p[end]); end++)
        letters += letter(s.p[end]);
    if (end <= i)
        return 0;
    return end - start >= HASH_MIN && letters >= HASH_LETTERS ? end : uuid_end(s, start);
}

static size_t other_end(text s, size_t i)
{
    size_t end = iban_end(s, i);
    if (!end)
        end = phone_end(s, i);
    return end ? end : hash_end(s, i);
}

/* ---- The search. ---- */

/* The groups of one run, as far as they were read: each once. */
struct run {
    text s;
    struct group list[AHEAD];
    unsigned first, count;
};

/* The k-th group from the present one, NULL when the run ends before it. */
static const struct group *ahead(struct run *r, unsigned k)
{
    while (r->count <= k) {
        const struct group *last = &r->list[(r->first + r->count - 1) % AHEAD];
        if (!last->gap.next)
            return NULL;
        r->list[(r->first + r->count) % AHEAD] = group_at(r->s, last->gap.next);
        r->count++;
    }
    return &r->list[(r->first + k) % AHEAD];
}

/* Numbers of one writing that begin like a card, how many pass Luhn's check, and the first that does. By chance one in
 * ten would. */
struct tally {
    uint32_t mark;
    bool usual;
    unsigned begun, passed;
    text first;
};
struct search {
    struct tally list[TALLIES];
    unsigned count;
};

static void count_in(struct search *all, const struct window *w, bool passed, text where)
{
    unsigned i = 0;
    while (i + 1 < TALLIES && i < all->count &&
           !(all->list[i].mark == w->gaps[0].mark && all->list[i].usual == w->gaps[0].usual))
        i++;
    struct tally *t = &all->list[i];
    if (i == all->count) {
        *t = (struct tally){ .mark = w->gaps[0].mark, .usual = w->gaps[0].usual };
        all->count++;
    }
    if (passed && !t->passed)
        t->first = where;
    t->begun++;
    t->passed += passed;
}

/* A long unbroken string: a card behind noughts that fill it up, or before its own month and year (and check number).
 */
static bool card_in_string(text s, const struct group *g)
{
    uint8_t digits[PRINTED_MAX] = { 0 };
    size_t step, count = 0, zeros = 0;
    for (size_t i = g->at; i < g->end; i = behind_unseen(s, i + step)) {
        int d = digit_at(s, i, &step);
        zeros += !count && d == 0;
        if (!count && d == 0)
            continue;
        if (count == PRINTED_MAX)
            return false;
        digits[count++] = (uint8_t)d;
    }
    bool longer = count > DIGITS_MAX;
    struct number n = { .count = longer ? PRINTED : (unsigned)count };
    memcpy(n.digits, digits, n.count);
    if (!longer)
        return zeros && count >= PADDED_MIN && is_card(&n);
    uint32_t month = value(digits + PRINTED, 2), year = value(digits + PRINTED + 2, 2);
    bool valid = (count == PRINTED + 4 || count == PRINTED_MAX) && month >= 1 && month <= 12 && year >= 20 &&
                 year <= 45;
    return valid && is_card(&n);
}

/* The longest card that begins with the present group, p NULL when none surely does; what may be one is counted. */
static text card_from(struct run *r, const struct gap *before, size_t size_before, struct search *all)
{
    struct window w = { .before = *before, .size_before = size_before };
    const struct group *g = ahead(r, 0), *next;
    text found = { NULL, 0 };
    size_t start = g->at;
    uint32_t lengths = 0;
    bool counted = false;
    if (card_in_string(r->s, g))
        return (text){ r->s.p + start, g->end - start };
    for (unsigned k = 0; (g = ahead(r, k)) && add_group(r->s, g, &w); k++) {
        if (w.number.count >= PREFIX && !lengths)
            lengths = lengths_of(&w.number);
        if (w.number.count >= PREFIX && !lengths)
            break;
        if (w.number.count < DIGITS_MIN || !(lengths >> w.number.count & 1))
            continue;
        next = ahead(r, k + 1);
        w.size_after = next ? next->size : 0;
        enum verdict verdict = writing(&w);
        bool card = verdict != NO && is_card(&w.number);
        text where = { r->s.p + start, g->end - start };
        if (card && verdict == YES)
            found = where;
        if (verdict == PERHAPS && (card || !counted)) {
            count_in(all, &w, card, where);
            counted = true;
        }
    }
    return found;
}

/* The first tally of which more passed than chance explains. */
static text likely(const struct search *all)
{
    for (unsigned i = 0; i < all->count; i++)
        if (all->list[i].passed * TABLE >= all->list[i].begun && all->list[i].passed)
            return all->list[i].first;
    return (text){ NULL, 0 };
}

bool card_find(text s, text *where)
{
    struct search all = { .count = 0 };
    text card = { NULL, 0 };
    for (size_t i = next_digit(s, 0), other; i < s.n && !card.p;) {
        struct run r = { .s = s, .count = 1 };
        struct gap before = { 0 };
        size_t size_before = 0;
        r.list[0] = group_at(s, i);
        for (i = 0; !i && !card.p;) {
            const struct group g = r.list[r.first];
            if ((other = other_end(s, g.at))) {
                i = next_digit(s, other);
                break;
            }
            card = card_from(&r, &before, size_before, &all);
            before = g.gap;
            size_before = g.size;
            if (!ahead(&r, 1))
                i = next_digit(s, g.end);
            r.first = (r.first + 1) % AHEAD;
            r.count--;
        }
    }
    if (!card.p)
        card = likely(&all);
    if (where && card.p)
        *where = card;
    return card.p != NULL;
}

void card_hide_in(char *s, size_t n)
{
    for (text rest = { s, n }, card; card_find(rest, &card);) {
        size_t step, from = (size_t)(card.p - s);
        for (size_t i = from; i < from + card.n; i += step)
            if (digit_at((text){ s, from + card.n }, i, &step) >= 0)
                memset(s + i, '*', step);
        rest = (text){ s + from + card.n, n - from - card.n };
    }
}

text card_hide(struct arena *a, text s)
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

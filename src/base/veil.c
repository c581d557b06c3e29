/* Writings behind which a text is not seen at once. */
#include "veil.h"
#include "buf.h"
#include "unicode.h"
#include <string.h>

enum {
    TAG_MAX = 4096,
    ENTITY_MAX = 10,
    BASE64_MIN = 18,
    HEX_MIN = 26,
    LINE_MIN = 60,
    EXPONENT_MIN = 10,
    EXPONENT_DIGITS = 19,
    CODES_MIN = 13,
    CODES_GAP = 3,
    CODE_DIGITS = 8,
    TURNED_MAX = 1024,
    GROWTH = 6
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

static int hex_of(char c)
{
    return is_digit(c) ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The number of `least` to `most` hexadecimal digits at i, and their count. */
static size_t hex_at(text s, size_t i, size_t least, size_t most, uint32_t *out)
{
    size_t n = 0;
    for (*out = 0; n < most && i + n < s.n && hex_of(s.p[i + n]) >= 0; n++)
        *out = *out << 4 | (uint32_t)hex_of(s.p[i + n]);
    return n >= least ? n : 0;
}

/* ---- Escapes. ---- */

/* Each returns the length of the escape at i, 0 for none, and its character. */
static size_t percent_at(text s, size_t i, uint32_t *c)
{
    if (i + 1 < s.n && (s.p[i + 1] == 'u' || s.p[i + 1] == 'U')) {
        size_t wide = hex_at(s, i + 2, 4, 4, c);
        return wide ? wide + 2 : 0;
    }
    return hex_at(s, i + 1, 2, 2, c) ? 3 : 0;
}

/* A digit in octal (C, shells), "\064", or in CSS, "\34 ": no other sign is taken for one of these. */
static size_t number_at(text s, size_t i, uint32_t *c)
{
    size_t n = 0;
    for (*c = 0; n < 3 && i + 1 + n < s.n && s.p[i + 1 + n] >= '0' && s.p[i + 1 + n] <= '7'; n++)
        *c = *c << 3 | (uint32_t)(s.p[i + 1 + n] - '0');
    if (n == 3 && *c >= '0' && *c <= '9')
        return 4;
    n = hex_at(s, i + 1, 2, 6, c);
    bool digit = n && *c >= '0' && *c <= '9';
    return digit ? n + 1 + (i + 1 + n < s.n && s.p[i + 1 + n] == ' ') : 0;
}

static size_t backslash_at(text s, size_t i, uint32_t *c)
{
    char kind = i + 1 < s.n ? s.p[i + 1] : '\0';
    bool braces = i + 2 < s.n && s.p[i + 2] == '{';
    size_t n = 0;
    if (is_digit(kind))
        return number_at(s, i, c);
    if (kind == 'U')
        n = hex_at(s, i + 2, 8, 8, c);
    else if (kind == 'u' || kind == 'x')
        n = braces ? hex_at(s, i + 3, 1, 6, c) : hex_at(s, i + 2, kind == 'u' ? 4 : 2,
                                                        kind == 'u' ? 4 : 2, c);
    if (kind == 'U')
        return n ? n + 2 : 0;
    return n ? n + (braces ? 4 : 2) : 0;
}

/* A reference with a name is a blank or sign of some kind: none is a digit. */
static size_t entity_at(text s, size_t i, uint32_t *c)
{
    size_t at = i + 1, n;
    bool number = at < s.n && s.p[at] == '#', hex = number && at + 1 < s.n && (s.p[at + 1] | 0x20) == 'x';
    *c = ' ';
    if (hex) {
        n = hex_at(s, at + 2, 1, 8, c);
        at += n ? n + 2 : 0;
    } else if (number) {
        *c = 0;
        for (n = 0; n < 8 && at + 1 + n < s.n && is_digit(s.p[at + 1 + n]); n++)
            *c = *c * 10 + (uint32_t)(s.p[at + 1 + n] - '0');
        at += n ? n + 1 : 0;
    } else {
        for (n = 0; n < ENTITY_MAX && at + n < s.n && is_letter(s.p[at + n]); n++)
            ;
        at += n;
        if (at >= s.n || s.p[at] != ';')
            return 0;
    }
    if (!number && text_eq(text_upto(text_from(s, i + 1), n), TEXT("amp")))
        *c = '&';
    return n ? at - i + (at < s.n && s.p[at] == ';') : 0;
}

static size_t escape_at(text s, size_t i, uint32_t *c)
{
    switch (s.p[i]) {
    case '%':
        return percent_at(s, i, c);
    case '&':
        return entity_at(s, i, c);
    case '\\':
        return backslash_at(s, i, c);
    default:
        return 0;
    }
}

/* A byte of percent-encoding may be part of a character: it stays a byte. */
static size_t lift_escape(text s, size_t i, struct buf *b)
{
    uint32_t c = 0;
    size_t n = escape_at(s, i, &c);
    if (n && s.p[i] == '%' && n == 3)
        buf_char(b, (char)c);
    else if (n)
        unicode_put(b, c && c < 0x110000 ? c : ' ');
    return n;
}

/* ---- Quoted-printable, folded lines. ---- */

static size_t line_end_at(text s, size_t i)
{
    if (i < s.n && s.p[i] == '\n')
        return 1;
    return i + 1 < s.n && s.p[i] == '\r' && s.p[i + 1] == '\n' ? 2 : 0;
}

static size_t lift_quoted(text s, size_t i, struct buf *b)
{
    uint32_t c;
    if (s.p[i] != '=')
        return 0;
    size_t end = line_end_at(s, i + 1);
    if (end)
        return end + 1;
    if (!hex_at(s, i + 1, 2, 2, &c))
        return 0;
    buf_char(b, (char)c);
    return 3;
}

static size_t lift_folded(text s, size_t i, struct buf *b)
{
    (void)b;
    size_t end = line_end_at(s, i);
    return end && i + end < s.n && (s.p[i + end] == ' ' || s.p[i + end] == '\t') ? end + 1 : 0;
}

/* ---- Elements. ---- */

/* Those that stand on a line or in a cell of their own, in HTML, WordprocessingML, SpreadsheetML, DrawingML and
 * OpenDocument. */
static bool begins_line(text name)
{
    static const text names[] = {
        TEXT_INIT("p"),          TEXT_INIT("br"),         TEXT_INIT("div"),     TEXT_INIT("td"),
        TEXT_INIT("th"),         TEXT_INIT("tr"),         TEXT_INIT("li"),      TEXT_INIT("ul"),
        TEXT_INIT("ol"),         TEXT_INIT("table"),      TEXT_INIT("h"),       TEXT_INIT("h1"),
        TEXT_INIT("h2"),         TEXT_INIT("h3"),         TEXT_INIT("h4"),      TEXT_INIT("h5"),
        TEXT_INIT("h6"),         TEXT_INIT("pre"),        TEXT_INIT("hr"),      TEXT_INIT("dd"),
        TEXT_INIT("dt"),         TEXT_INIT("row"),        TEXT_INIT("c"),       TEXT_INIT("v"),
        TEXT_INIT("si"),         TEXT_INIT("is"),         TEXT_INIT("f"),       TEXT_INIT("cr"),
        TEXT_INIT("tab"),        TEXT_INIT("tc"),         TEXT_INIT("s"),       TEXT_INIT("option"),
        TEXT_INIT("input"),      TEXT_INIT("section"),    TEXT_INIT("tbl"),     TEXT_INIT("table-cell"),
        TEXT_INIT("table-row"),  TEXT_INIT("line-break"), TEXT_INIT("article"), TEXT_INIT("comment"),
        TEXT_INIT("annotation"), TEXT_INIT("textarea"),   TEXT_INIT("label"),   TEXT_INIT("title"),
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_eq_nocase(name, names[i]))
            return true;
    return false;
}

/* The element's tag at i, and its name without prefix. */
static size_t tag_at(text s, size_t i, text *name)
{
    size_t at = i + 1;
    if (s.p[i] != '<' || at >= s.n || !(is_letter(s.p[at]) || s.p[at] == '/' || s.p[at] == '!' || s.p[at] == '?'))
        return 0;
    at += s.p[at] == '/';
    size_t start = at;
    for (; at < s.n && (is_letter(s.p[at]) || is_digit(s.p[at]) || s.p[at] == '-' || s.p[at] == ':' || s.p[at] == '_');
         at++)
        if (s.p[at] == ':')
            start = at + 1;
    *name = text_upto(text_from(s, start), at - start);
    text head = text_upto(text_from(s, at), TAG_MAX);
    ptrdiff_t close = text_index(head, '>'), open = text_index(head, '<');
    return close >= 0 && (open < 0 || open > close) ? at + (size_t)close + 1 - i : 0;
}

static size_t lift_tags(text s, size_t i, struct buf *b)
{
    text name;
    size_t n = tag_at(s, i, &name);
    if (n && begins_line(name))
        buf_char(b, '\n');
    return n;
}

static size_t lift_elements(text s, size_t i, struct buf *b)
{
    text name;
    size_t n = tag_at(s, i, &name);
    if (n)
        buf_char(b, '\n');
    return n;
}

/* ---- Letters like digits, exponents. ---- */

static int digit_like(char c)
{
    return is_digit(c) ? c - '0'
         : c == 'O' || c == 'o' ? 0
         : c == 'l' || c == 'I' ? 1 : -1;
}

/* A whole word of digits and letters like them. */
static size_t lift_like(text s, size_t i, struct buf *b)
{
    size_t end = i, letters = 0;
    if ((i && (is_letter(s.p[i - 1]) || is_digit(s.p[i - 1]))) || digit_like(s.p[i]) < 0)
        return 0;
    for (; end < s.n && digit_like(s.p[end]) >= 0; end++)
        letters += is_letter(s.p[end]);
    if (!letters || end - i < 2 || end - i > EXPONENT_DIGITS || (end < s.n && is_letter(s.p[end])))
        return 0;
    for (size_t k = i; k < end; k++)
        buf_char(b, (char)('0' + digit_like(s.p[k])));
    return end - i;
}

/* "4.111111111111111E+15" as what it stands for, when that is whole and no longer than a number of a card. With fewer
 * digits than EXPONENT_MIN, or beside letters ("page/a52e13"), it is an amount or an id, and no card's number. */
static size_t lift_exponent(text s, size_t i, struct buf *b)
{
    char digits[EXPONENT_DIGITS + 1];
    size_t n = 0, whole = 0, at = i, exponent = 0;
    char before = i ? s.p[i - 1] : ' ';
    if (is_digit(before) || is_letter(before) || before == '.' || before == ',' || !is_digit(s.p[i]))
        return 0;
    for (; at < s.n && n < EXPONENT_DIGITS && (is_digit(s.p[at]) || (!whole && (s.p[at] == '.' || s.p[at] == ',')));
         at++) {
        if (is_digit(s.p[at]))
            digits[n++] = s.p[at];
        else
            whole = n;
    }
    if (at + 2 > s.n || n < EXPONENT_MIN || (s.p[at] | 0x20) != 'e')
        return 0;
    at += 1 + (at + 1 < s.n && s.p[at + 1] == '+');
    size_t start = at;
    for (; at < s.n && at < start + 2 && is_digit(s.p[at]); at++)
        exponent = exponent * 10 + (size_t)(s.p[at] - '0');
    exponent += whole ? whole : n;
    bool goes_on = at < s.n && (is_digit(s.p[at]) || is_letter(s.p[at]));
    if (at == start || goes_on || exponent < n || exponent > EXPONENT_DIGITS)
        return 0;
    while (n < exponent)
        digits[n++] = '0';
    buf_add(b, (text){ digits, n });
    return at - i;
}

/* ---- Codes apart. ---- */

static bool is_alnum(char c) { return is_letter(c) || is_digit(c); }

/* What tells that a code follows; *bare: nothing does. */
static size_t code_sign(text s, size_t i, bool *bare)
{
    static const text signs[] = { TEXT_INIT("0x"), TEXT_INIT("U+"), TEXT_INIT("&h"), TEXT_INIT("x"), TEXT_INIT("$") };
    *bare = false;
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
        if (text_eq_nocase(text_upto(text_from(s, i), signs[k].n), signs[k]))
            return signs[k].n;
    *bare = true;
    return 0;
}

/* What was read of a row of codes: digits, other signs, the first two digits; bare: of some nothing told that it is a
 * code; degrees: all digits are 5 to 9. */
struct codes {
    unsigned digits, signs;
    char first, second;
    bool bare, degrees;
};

static void count_code(struct codes *all, char c)
{
    if (!is_digit(c)) {
        all->signs++;
        return;
    }
    if (!all->digits)
        all->first = c;
    if (all->digits == 1)
        all->second = c;
    all->degrees &= c >= '5';
    all->digits++;
}

/* One word of hexadecimal digits in pairs, each the code of a digit, or of what stands between groups: its length, 0
 * for none. Behind a sign zeros may stand before ("U+0034"). */
static size_t code_at(text s, size_t i, struct buf *b, struct codes *all)
{
    bool bare;
    size_t at = i + code_sign(s, i, &bare), n = 0;
    while (n <= CODE_DIGITS && at + n < s.n && hex_of(s.p[at + n]) >= 0)
        n++;
    if (!n || n % 2 || n > CODE_DIGITS || (at + n < s.n && is_alnum(s.p[at + n])))
        return 0;
    for (size_t k = 0; k < n; k += 2) {
        char c = (char)(hex_of(s.p[at + k]) << 4 | hex_of(s.p[at + k + 1]));
        if (!c && !bare && k + 2 < n)
            continue;
        if (!is_digit(c) && c != ' ' && c != '-' && c != '.' && c != '/')
            return 0;
        count_code(all, c);
        buf_char(b, c);
    }
    all->bare |= bare;
    return at + n - i;
}

/* Numbers of two digits that nothing marks as codes are far more often ages or degrees ("36 37 36 …"): such are taken
 * for codes when a card of one of the great schemes could come of them, and not all are of 35 to 39. */
static bool begins_scheme(const struct codes *all)
{
    char second = all->second;
    switch (all->first) {
    case '3':
    case '4':
        return true;
    case '2':
        return second >= '2';
    case '5':
        return second >= '1' && second <= '5';
    case '6':
        return second == '0' || second == '4' || second == '5';
    default:
        return false;
    }
}

static size_t lift_codes(text s, size_t i, struct buf *b)
{
    size_t end = i, at = i, n;
    struct codes all = { .degrees = true };
    if (i && is_alnum(s.p[i - 1]))
        return 0;
    /* Of what stands between groups only so much that the search stays linear. */
    while (at < s.n && all.signs <= 3 + 3 * all.digits && (n = code_at(s, at, b, &all))) {
        end = at + n;
        for (at = end; at < s.n && at - end < CODES_GAP && !is_alnum(s.p[at]) && s.p[at] != '$'; at++)
            ;
    }
    if (all.digits < CODES_MIN)
        return 0;
    if (all.bare && (all.degrees || !begins_scheme(&all))) {
        buf_clear(b);
        buf_add(b, text_upto(text_from(s, i), end - i));
    }
    return end - i;
}

/* ---- What nobody sees. ---- */

static size_t lift_unseen(text s, size_t i, struct buf *b)
{
    enum { TAGS = 0xE0000, SELECTORS = 0xE0100, SELECTORS_LAST = 0xE01EF, SELECTORS_FROM = 16 };
    size_t next = i;
    uint32_t c = unicode_next(s, &next);
    uint32_t byte = c >= SELECTORS && c <= SELECTORS_LAST ? c - SELECTORS + SELECTORS_FROM : c - TAGS;
    if (c < TAGS || byte < ' ' || byte > '~')
        return 0;
    buf_char(b, (char)byte);
    return next - i;
}

/* From U+202E to U+202C or the end of the line, from its end. */
static size_t lift_turned(text s, size_t i, struct buf *b)
{
    static const text turns = TEXT_INIT("\u202E"), ends = TEXT_INIT("\u202C");
    text all = text_from(s, i);
    size_t n = turns.n;
    if (!text_starts(all, turns))
        return 0;
    while (n < all.n && n < TURNED_MAX && all.p[n] != '\n' && all.p[n] != '\r' && !text_starts(text_from(all, n), ends))
        n++;
    for (size_t end = n; end > turns.n;) {
        size_t start = end - 1;
        while (start > turns.n && ((uint8_t)all.p[start] & 0xC0) == 0x80)
            start--;
        buf_add(b, text_upto(text_from(all, start), end - start));
        end = start;
    }
    return n;
}

/* ---- Lifting. ---- */

typedef size_t lifter(text s, size_t i, struct buf *b);
static lifter *const lifters[] = {
    [VEIL_ESCAPES] = lift_escape,    [VEIL_QUOTED] = lift_quoted,     [VEIL_FOLDED] = lift_folded,
    [VEIL_TAGS] = lift_tags,         [VEIL_ELEMENTS] = lift_elements, [VEIL_LIKE] = lift_like,
    [VEIL_EXPONENT] = lift_exponent, [VEIL_CODES] = lift_codes,       [VEIL_UNSEEN] = lift_unseen,
    [VEIL_TURNED] = lift_turned
};

/* The bytes with which each begins. */
static bool may_begin(enum veil veil, char c)
{
    switch (veil) {
    case VEIL_ESCAPES:
        return c == '%' || c == '&' || c == '\\';
    case VEIL_QUOTED:
        return c == '=';
    case VEIL_FOLDED:
        return c == '\r' || c == '\n';
    case VEIL_TAGS:
    case VEIL_ELEMENTS:
        return c == '<';
    case VEIL_LIKE:
        return digit_like(c) >= 0;
    case VEIL_EXPONENT:
        return is_digit(c);
    case VEIL_CODES:
        return c == '3' || c == '0' || c == 'U' || c == 'u' || c == '&' || c == 'x' || c == 'X' || c == '$';
    case VEIL_UNSEEN:
        return c == '\xF3';
    case VEIL_TURNED:
        return c == '\xE2';
    case VEIL_COUNT:
        break;
    }
    return false;
}

/* Most texts have nothing of most of them: seen without a look at each byte. */
static bool may_hold(enum veil veil, text s)
{
    static const text beginnings[VEIL_COUNT] = {
        [VEIL_ESCAPES] = TEXT_INIT("%&\\"), [VEIL_QUOTED] = TEXT_INIT("="),   [VEIL_FOLDED] = TEXT_INIT("\r\n"),
        [VEIL_TAGS] = TEXT_INIT("<"),       [VEIL_ELEMENTS] = TEXT_INIT("<"), [VEIL_UNSEEN] = TEXT_INIT("\xF3"),
        [VEIL_TURNED] = TEXT_INIT("\xE2")
    };
    const text any = beginnings[veil];
    bool holds = !any.n;
    for (size_t i = 0; i < any.n && !holds; i++)
        holds = text_index(s, any.p[i]) >= 0;
    return holds;
}

enum err veil_lift(struct arena *a, enum veil veil, text s, text *out)
{
    BUF_AUTO b = buf_make(GROWTH * s.n + 64);
    BUF_AUTO piece = buf_make(GROWTH * s.n + 64);
    size_t done = 0;
    *out = (text){ NULL, 0 };
    if (!may_hold(veil, s))
        return OK;
    for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
        n = 0;
        if (!may_begin(veil, s.p[i]))
            continue;
        buf_clear(&piece);
        if (!(n = lifters[veil](s, i, &piece)))
            continue;
        buf_add(&b, text_upto(text_from(s, done), i - done));
        buf_join(&b, &piece);
        done = i + n;
    }
    if (!done)
        return OK;
    buf_add(&b, text_from(s, done));
    return buf_take(a, &b, out);
}

/* ---- base64, hexadecimal. ---- */

/* The value of each character of base64 and base64url, with one added. */
static const uint8_t sixty_fours[256] = {
#define ROW(c, n) [c] = (n) + 1, [(c) + 1] = (n) + 2
#define SIX(c, n) ROW(c, n), ROW((c) + 2, (n) + 2), ROW((c) + 4, (n) + 4)
    SIX('A', 0),   SIX('G', 6),   SIX('M', 12),  SIX('S', 18),  ROW('Y', 24),  SIX('a', 26), SIX('g', 32), SIX('m', 38),
    SIX('s', 44),  ROW('y', 50),  SIX('0', 52),  ROW('6', 58),  ROW('8', 60),  ['+'] = 63,   ['-'] = 63,   ['/'] = 64,
    ['_'] = 64,
#undef SIX
#undef ROW
};

static int sixty_four(char c) { return sixty_fours[(uint8_t)c] - 1; }

bool veil_base64(struct arena *a, text s, size_t *i, text *out)
{
    while (*i < s.n) {
        size_t start = *i, at = start, line = start, folds = 0, end;
        for (; at < s.n; at++) {
            size_t fold = line_end_at(s, at);
            if (sixty_four(s.p[at]) >= 0)
                continue;
            if (!fold || at - line < LINE_MIN || at + fold >= s.n || sixty_four(s.p[at + fold]) < 0)
                break;
            folds++;
            at += fold - 1;
            line = at + 1;
        }
        *i = at > start ? at : start + 1;
        if (at - start < BASE64_MIN)
            continue;
        *out = text_upto(text_from(s, start), at - start);
        if (!folds)
            return true;
        char *joined = arena_alloc(a, out->n);
        for (end = 0, at = 0; joined && at < out->n; at++)
            if (sixty_four(out->p[at]) >= 0)
                joined[end++] = out->p[at];
        *out = (text){ joined, joined ? end : 0 };
        return joined != NULL;
    }
    return false;
}

text veil_clear64(text stretch, char *out)
{
    size_t n = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < stretch.n; i++) {
        bits = bits << 6 | (uint32_t)sixty_four(stretch.p[i]);
        if (i % 4)
            out[n++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    return (text){ out, n };
}

text veil_decode64(struct arena *a, text stretch, size_t skip)
{
    char *out = arena_alloc(a, stretch.n + 4);
    return out ? veil_clear64(text_from(stretch, skip), out) : (text){ NULL, 0 };
}

bool veil_hex(text s, size_t *i, text *out)
{
    while (*i < s.n) {
        size_t start = *i, at = start;
        while (at < s.n && hex_of(s.p[at]) >= 0)
            at++;
        *i = at > start ? at : start + 1;
        *out = text_upto(text_from(s, start), at - start);
        if (out->n >= HEX_MIN)
            return true;
    }
    return false;
}

text veil_clear_hex(text stretch, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i + 1 < stretch.n; i += 2)
        out[n++] = (char)(hex_of(stretch.p[i]) << 4 | hex_of(stretch.p[i + 1]));
    return (text){ out, n };
}

text veil_decode_hex(struct arena *a, text stretch, size_t skip)
{
    char *out = arena_alloc(a, stretch.n / 2 + 1);
    return out ? veil_clear_hex(text_from(stretch, skip), out) : (text){ NULL, 0 };
}

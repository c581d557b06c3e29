/* Letters as people type them: libunistring and libidn2 over slices. */
#include "unicode.h"
#include "buf.h"
#include <errno.h>
#include <idn2.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

uint32_t unicode_next(text s, size_t *i)
{
    ucs4_t c;
    int step = u8_mbtouc(&c, (const uint8_t *)s.p + *i, s.n - *i);
    *i += step > 0 ? (size_t)step : 1;
    return c;
}

void unicode_put(struct buf *b, uint32_t c)
{
    uint8_t bytes[6];
    int n = u8_uctomb(bytes, c, sizeof bytes);
    if (n > 0)
        buf_add(b, (text){ (const char *)bytes, (size_t)n });
}

bool unicode_ignorable(uint32_t c)
{
    if (c < 0x80)
        return c < 0x20 ? c != '\t' && c != '\n' && c != '\v' && c != '\f' && c != '\r' : c == 0x7F;
    return uc_is_property_default_ignorable_code_point(c) || uc_is_general_category(c, UC_FORMAT) ||
           (c < 0xA0 && c != 0x85);
}

bool unicode_blank(uint32_t c)
{
    if (c < 0x80)
        return c <= 0x20 || c == 0x7F;
    /* The braille pattern without a dot is a sign to Unicode and a blank to the eye. */
    return c == 0x85 || c == 0x2800 || uc_is_property_white_space(c) || unicode_ignorable(c);
}

text unicode_trim(text s)
{
    size_t start = 0, end = 0;
    bool seen = false;
    for (size_t i = 0; i < s.n;) {
        size_t at = i;
        if (unicode_blank(unicode_next(s, &i)))
            continue;
        if (!seen)
            start = at;
        seen = true;
        end = i;
    }
    return seen ? text_upto(text_from(s, start), end - start) : text_upto(s, 0);
}

bool unicode_is_blank(text s) { return !unicode_trim(s).n; }

int unicode_digit(uint32_t c)
{
    if (c < 0x80)
        return c >= '0' && c <= '9' ? (int)c - '0' : -1;
    return uc_decimal_value(c);
}

/* Han digits, which Unicode counts as letters: of everyday, and of cheques and contracts, in their Chinese and Japanese
 * forms. */
static int han_digit(uint32_t c)
{
    static const uint32_t han[][10] = {
        { 0x3007, 0x4E00, 0x4E8C, 0x4E09, 0x56DB, 0x4E94, 0x516D, 0x4E03, 0x516B, 0x4E5D },
        { 0x96F6, 0x58F9, 0x8D30, 0x53C1, 0x8086, 0x4F0D, 0x9646, 0x67D2, 0x634C, 0x7396 },
        { 0, 0x58F1, 0x8CB3, 0x53C3, 0, 0, 0x9678, 0, 0, 0 },
        { 0, 0x5F0C, 0x5F10, 0x53C2, 0, 0, 0, 0x6F06, 0, 0 },
        { 0, 0x2F00, 0x5F0D, 0x5F0E, 0, 0, 0, 0, 0x2F0B, 0 },
        { 0, 0, 0x2F06, 0, 0, 0, 0, 0, 0, 0 },
    };
    for (size_t row = 0; c >= 0x2F00 && row < sizeof han / sizeof *han; row++)
        for (int i = 0; i < 10; i++)
            if (han[row][i] == c)
                return i;
    return -1;
}

/* Decimal digits that Unicode has had since version 15, which the library of Debian 12 does not know: where each row of
 * ten begins. */
static int new_digit(uint32_t c)
{
    static const uint32_t zeros[] = { 0x10D40, 0x116D0, 0x116DA, 0x11BF0, 0x11DE0, 0x11F50,
                                      0x16130, 0x16D70, 0x1CCF0, 0x1E4F0, 0x1E5F1 };
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
        if (c >= zeros[i] && c < zeros[i] + 10)
            return (int)(c - zeros[i]);
    return -1;
}

int unicode_digit_like(uint32_t c)
{
    enum { ROD_TENS = 0x1D369, ROD_TENS_LAST = 0x1D371 };
    uc_fraction_t number = uc_numeric_value(c);
    int value = uc_digit_value(c);
    if (value < 0 && c >= 0x80 && number.denominator == 1 && number.numerator >= 0 && number.numerator <= 9)
        value = number.numerator;
    if (c >= ROD_TENS && c <= ROD_TENS_LAST) /* every other place of a number is written with rods that lie */
        value = (int)(c - ROD_TENS) + 1;
    if (value < 0)
        value = han_digit(c);
    return value >= 0 ? value : new_digit(c);
}

bool unicode_letter(uint32_t c) { return uc_is_general_category(c, UC_LETTER); }

bool unicode_unseen(uint32_t c)
{
    return c >= 0x80 && (unicode_ignorable(c) || uc_is_general_category(c, UC_NON_SPACING_MARK) ||
                         uc_is_general_category(c, UC_ENCLOSING_MARK));
}

/* ---- Forms. ---- */

static text normal(struct arena *a, uninorm_t form, text s)
{
    size_t n = 0;
    if (!s.n)
        return arena_copy(a, TEXT(""));
    uint8_t *out = u8_normalize(form, (const uint8_t *)s.p, s.n, NULL, &n);
    if (!out && errno == ENOMEM)
        arena_lacked(a);
    text copy = out ? arena_copy(a, (text){ (const char *)out, n }) : (text){ NULL, 0 };
    free(out);
    return copy;
}

static bool plain(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] >= 0x80)
            return false;
    return true;
}

/* NEL, the two separators of Unicode, and what word processors and old systems end lines with. */
static bool ends_line(uint32_t c)
{
    return c == '\r' || c == '\v' || c == '\f' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static text with_lines(struct arena *a, text s)
{
    BUF_AUTO b = buf_make(s.n + 8);
    for (size_t i = 0; i < s.n;) {
        size_t at = i;
        uint32_t c = unicode_next(s, &i);
        if (c == '\r' && i < s.n && s.p[i] == '\n')
            continue;
        if (ends_line(c))
            buf_char(&b, '\n');
        else
            buf_add(&b, text_upto(text_from(s, at), i - at));
    }
    return buf_made(a, &b);
}

text unicode_composed(struct arena *a, text s) { return plain(s) ? arena_copy(a, s) : normal(a, UNINORM_NFC, s); }

text unicode_nfc(struct arena *a, text s)
{
    text lines = with_lines(a, s);
    return !lines.p || plain(lines) ? lines : normal(a, UNINORM_NFC, lines);
}

/* Each character by `map`, 0 leaves it out. */
static text mapped(struct arena *a, text s, uint32_t (*map)(uint32_t))
{
    BUF_AUTO b = buf_make(s.n * 4 + 16);
    for (size_t i = 0; i < s.n;) {
        uint32_t c = map(unicode_next(s, &i));
        if (c)
            unicode_put(&b, c);
    }
    return buf_made(a, &b);
}

static uint32_t visible(uint32_t c) { return unicode_ignorable(c) ? 0 : c; }

/* Of one character at a time, so that "ß" is not "ss" (two mailboxes), and with one sigma, which changes at the end of
 * a word. */
static uint32_t small(uint32_t c) { return c == 0x3C2 ? 0x3C3 : uc_tolower(c); }

static uint32_t letter_or_digit(uint32_t c)
{
    return uc_is_general_category(c, UC_LETTER) || uc_is_general_category(c, UC_NUMBER) ? c : 0;
}

text unicode_seen(struct arena *a, text s)
{
    text out = mapped(a, s, visible);
    return out.p ? normal(a, UNINORM_NFC, out) : out;
}

text unicode_fold(struct arena *a, text s)
{
    text out = mapped(a, s, visible);
    out = out.p ? normal(a, UNINORM_NFKC, out) : out;
    out = out.p ? mapped(a, out, small) : out;
    return out.p ? normal(a, UNINORM_NFKC, out) : out;
}

text unicode_bare(struct arena *a, text s)
{
    text out = unicode_fold(a, s);
    out = out.p ? normal(a, UNINORM_NFKD, out) : out;
    return out.p ? mapped(a, out, letter_or_digit) : out;
}

/* ---- Hosts. ---- */

static uint32_t dotted(uint32_t c)
{
    return c == 0x3002 || c == 0xFF0E || c == 0xFF61 || c == 0xFE52 ? '.'
         : unicode_ignorable(c) ? 0 : c;
}

/* Labels of letters, digits and hyphens (RFC 1123, 2.1); asked of what the library made, which keeps signs of ASCII. */
static bool is_host(text host, bool strict)
{
    while (host.p) {
        text label = text_cut(&host, '.');
        bool plain_ends = label.n && label.p[0] != '-' && label.p[label.n - 1] != '-';
        for (size_t i = 0; i < label.n; i++) {
            char c = label.p[i];
            plain_ends &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (c == '_' && !strict);
        }
        if (!plain_ends || label.n > 63)
            return false;
    }
    return true;
}

/* What the library leaves as it is: small letters, digits, hyphens alone, dots. */
static bool is_as_made(text s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool hyphen = c == '-' && !(i + 1 < s.n && s.p[i + 1] == '-');
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || hyphen))
            return false;
    }
    return true;
}

/* By the library: NULL when it is no name. */
static text made_host(struct arena *a, text s, size_t most)
{
    char name[1024], *ascii = NULL;
    text host = { NULL, 0 };
    /* Not IDN2_USE_STD3_ASCII_RULES: it leaves out what STD 3 forbids, so that "a b" would be the host "ab". */
    int made = text_cstr(s, name, sizeof name)
                   ? idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)
                   : IDN2_TOO_BIG_DOMAIN;
    if (made == IDN2_MALLOC)
        arena_lacked(a);
    if (made == IDN2_OK && text_of(ascii).n <= most)
        host = mapped(a, text_of(ascii), small);
    if (ascii)
        idn2_free(ascii);
    return host;
}

text unicode_host(struct arena *a, text s, bool strict)
{
    enum { HOST_MAX = 253 };
    text out = is_as_made(s) ? s : mapped(a, s, dotted);
    if (out.n > 1 && out.p[out.n - 1] == '.')
        out.n--;
    if (!out.n)
        return (text){ NULL, 0 };
    bool made = is_as_made(out) && out.n <= HOST_MAX;
    text host = made ? arena_copy(a, out) : made_host(a, out, HOST_MAX);
    return host.n && is_host(host, strict) ? host : (text){ NULL, 0 };
}

/* ---- Scripts. ---- */

/* Those whose letters are taken for one another; everything else is 0. */
static unsigned alike(uint32_t c)
{
    static const char *const names[] = { "Latin", "Greek", "Cyrillic", "Armenian", "Cherokee" };
    const uc_script_t *script = uc_is_general_category(c, UC_LETTER) ? uc_script(c) : NULL;
    for (unsigned i = 0; script && i < sizeof names / sizeof *names; i++)
        if (text_eq(text_of(script->name), text_of(names[i])))
            return 1u << i;
    return 0;
}

bool unicode_mixed(text s)
{
    unsigned word = 0;
    for (size_t i = 0; i < s.n;) {
        uint32_t c = unicode_next(s, &i);
        word = letter_or_digit(c) || uc_is_general_category(c, UC_MARK) ? word | alike(c) : 0;
        if (word & (word - 1))
            return true;
    }
    return false;
}

bool unicode_mixed_address(text s)
{
    char name[1024], *shown = NULL;
    size_t at = s.n;
    while (at > 0 && s.p[at - 1] != '@')
        at--;
    if (unicode_mixed(s) || !at || !text_cstr(text_from(s, at), name, sizeof name))
        return unicode_mixed(s);
    bool mixed = idn2_to_unicode_8z8z(name, &shown, 0) == IDN2_OK && unicode_mixed(text_of(shown));
    if (shown)
        idn2_free(shown);
    return mixed;
}

/* Text slices: comparison, search, parsing. */
#include "text.h"
#include <string.h>

text text_of(const char *cstr) { return cstr ? (text){ cstr, strlen(cstr) } : (text){ NULL, 0 }; }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

bool text_eq_nocase(text a, text b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

int text_cmp(text a, text b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool text_starts(text s, text prefix) { return s.n >= prefix.n && text_eq(text_upto(s, prefix.n), prefix); }

bool text_ends(text s, text suffix) { return s.n >= suffix.n && text_eq(text_from(s, s.n - suffix.n), suffix); }

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

text text_trim(text s)
{
    while (s.n && blank(s.p[0]))
        s = text_from(s, 1);
    while (s.n && blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

text text_from(text s, size_t start)
{
    return start >= s.n ? (text){ s.p ? s.p + s.n : NULL, 0 }
                      : (text){ s.p + start, s.n - start };
}

text text_upto(text s, size_t count) { return (text){ s.p, count < s.n ? count : s.n }; }

ptrdiff_t text_index(text s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? at - s.p : -1;
}

ptrdiff_t text_find(text s, text needle)
{
    const char *at = s.n >= needle.n && s.p ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return at ? at - s.p : -1;
}

text text_cut(text *rest, char sep)
{
    ptrdiff_t at = text_index(*rest, sep);
    text head = *rest;
    if (at < 0) {
        *rest = (text){ NULL, 0 };
        return head;
    }
    head.n = (size_t)at;
    *rest = text_from(*rest, (size_t)at + 1);
    return head;
}

bool text_int(text s, int64_t *out)
{
    bool negative = s.n && s.p[0] == '-';
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = text_from(s, 1);
    if (!s.n)
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        int64_t digit = s.p[i] - '0';
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    /* Accumulated downwards so that INT64_MIN parses. */
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

/* Length of the well-formed sequence at p, 0 when there is none: table 3-7 of the Unicode standard. */
static size_t utf8_sequence(const uint8_t *p, size_t n)
{
    uint8_t c = p[0];
    if (c < 0x80)
        return c ? 1 : 0;
    size_t need = c >= 0xC2 && c <= 0xDF ? 2
                : (c & 0xF0) == 0xE0 ? 3
                : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (!need || n < need)
        return 0;
    uint8_t low = c == 0xE0 ? 0xA0
                : c == 0xF0 ? 0x90 : 0x80;
    uint8_t high = c == 0xED ? 0x9F
                 : c == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return need;
}

bool text_utf8(text s)
{
    for (size_t i = 0; i < s.n;) {
        size_t step = utf8_sequence((const uint8_t *)s.p + i, s.n - i);
        if (!step)
            return false;
        i += step;
    }
    return true;
}

unsigned text_distance(text a, text b, unsigned limit)
{
    enum { MAX = 63 };
    if (a.n > MAX || b.n > MAX || (a.n > b.n ? a.n - b.n : b.n - a.n) > limit)
        return limit + 1;
    uint8_t row[MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        row[j] = (uint8_t)j;
    for (size_t i = 1; i <= a.n; i++) {
        uint8_t diagonal = row[0];
        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= b.n; j++) {
            uint8_t substitute = (uint8_t)(diagonal + (a.p[i - 1] != b.p[j - 1]));
            uint8_t edge = (uint8_t)((row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1);
            diagonal = row[j];
            row[j] = substitute < edge ? substitute : edge;
        }
    }
    return row[b.n];
}

bool text_cstr(text s, char *out, size_t size)
{
    if (s.n >= size || text_index(s, '\0') >= 0)
        return false;
    if (s.n)
        memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

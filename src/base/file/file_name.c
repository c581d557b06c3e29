/* Names of files that every system takes. */
#include "base/file/file_name.h"
#include "base/unicode.h"
#include <string.h>

enum { NAME_MOST = 200, ENDING_MOST = 16 };

/* Characters beyond ASCII that are not seen or turn the direction of reading: C1 controls, U+061C, U+200B to U+200F,
 * U+2028 to U+202E, U+2060 to U+206F, U+FEFF. Length in bytes; 0 for none. `s` is UTF-8. */
static size_t unseen(text s)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = { { 0x80, 0x9F },     { 0x61C, 0x61C },   { 0x200B, 0x200F },
                   { 0x2028, 0x202E }, { 0x2060, 0x206F }, { 0xFEFF, 0xFEFF } };
    const uint8_t *p = (const uint8_t *)s.p;
    uint32_t c = 0;
    size_t n = 0;
    if (s.n >= 2 && p[0] >= 0xC2 && p[0] < 0xE0) {
        n = 2;
        c = (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    } else if (s.n >= 3 && p[0] >= 0xE0 && p[0] < 0xF0) {
        n = 3;
        c = (p[0] & 0xFu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    }
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (n && c >= ranges[i].first && c <= ranges[i].last)
            return n;
    return 0;
}

static bool refused(char c) { return (uint8_t)c < ' ' || c == 0x7F || memchr("\\/:*?\"<>|", c, 9); }

/* Windows takes these for devices, with any ending. */
static bool is_device(text name)
{
    static const text devices[] = { TEXT_INIT("CON"),    TEXT_INIT("PRN"),     TEXT_INIT("AUX"),   TEXT_INIT("NUL"),
                                    TEXT_INIT("CONIN$"), TEXT_INIT("CONOUT$"), TEXT_INIT("CLOCK$") };
    text stem = text_trim(text_cut(&name, '.'));
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (text_eq_nocase(stem, devices[i]))
            return true;
    bool numbered = text_eq_nocase(text_upto(stem, 3), TEXT("COM")) || text_eq_nocase(text_upto(stem, 3), TEXT("LPT"));
    text number = text_from(stem, 3);
    bool digit = number.n == 1 && number.p[0] >= '0' && number.p[0] <= '9';
    return numbered && (digit || text_eq(number, TEXT("\xC2\xB9")) || text_eq(number, TEXT("\xC2\xB2")) ||
                        text_eq(number, TEXT("\xC2\xB3")));
}

static text trimmed(text s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '.'))
        s = text_from(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '.'))
        s = text_upto(s, s.n - 1);
    return s;
}

/* The first bytes that are whole characters, and the ending. */
static text shortened(char *bytes, text s)
{
    size_t dot = s.n;
    while (dot && s.p[dot - 1] != '.')
        dot--;
    size_t ending = dot && s.n - dot + 1 <= ENDING_MOST ? s.n - dot + 1 : 0;
    size_t keep = NAME_MOST - ending;
    if (s.n <= NAME_MOST)
        return s;
    while (keep && ((uint8_t)s.p[keep] & 0xC0) == 0x80)
        keep--;
    memmove(bytes + (s.p - bytes) + keep, s.p + s.n - ending, ending);
    return text_upto(s, keep + ending);
}

text file_name_safe(struct arena *a, text name)
{
    name = text_utf8(name) ? unicode_composed(a, name) : name;
    char *out = arena_alloc(a, name.n + 2);
    size_t n = 1; /* room before, for a device's name */
    if (!out || !name.p)
        return (text){ NULL, 0 };
    while (name.n) {
        size_t hidden = unseen(name);
        out[n++] = hidden || refused(name.p[0]) ? '_' : name.p[0];
        name = text_from(name, hidden ? hidden : 1);
    }
    text made = trimmed(shortened(out, trimmed((text){ out + 1, n - 1 })));
    if (!made.n)
        return TEXT("file");
    if (!is_device(made))
        return made;
    size_t at = (size_t)(made.p - out) - 1;
    out[at] = '_';
    return (text){ out + at, made.n + 1 };
}

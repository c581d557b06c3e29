/* Texts in the character sets that office programs write. */
#include "base/file/charset.h"
#include "base/buf.h"
#include "base/unicode.h"

static uint8_t byte(text s, size_t i) { return (uint8_t)s.p[i]; }

/* ---- UTF-16 (RFC 2781). ---- */

static bool is_utf16(text s, bool *little, size_t *mark)
{
    if (s.n < 2)
        return false;
    unsigned first = byte(s, 0), second = byte(s, 1);
    *mark = (first == 0xFF && second == 0xFE) || (first == 0xFE && second == 0xFF) ? 2 : 0;
    *little = *mark ? first == 0xFF : second == 0;
    return *mark || (first == 0) != (second == 0);
}

static uint32_t unit(text s, size_t i, bool little)
{
    return little ? byte(s, i) | (uint32_t)byte(s, i + 1) << 8 : (uint32_t)byte(s, i) << 8 | byte(s, i + 1);
}

bool charset_utf16(struct arena *a, text raw, text *out)
{
    bool little;
    size_t i;
    if (!is_utf16(raw, &little, &i))
        return false;
    BUF_AUTO b = buf_make(raw.n * 2 + 16);
    for (; i + 1 < raw.n; i += 2) {
        uint32_t c = unit(raw, i, little);
        uint32_t low = i + 3 < raw.n ? unit(raw, i + 2, little) : 0;
        if (c >= 0xD800 && c < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            i += 2;
        } else if (c >= 0xD800 && c < 0xE000) {
            c = UNICODE_BAD;
        }
        unicode_put(&b, c);
    }
    *out = buf_made(a, &b);
    return true;
}

/* ---- Windows-1252. ---- */

/* 0x80 to 0x9F; 0 where it has no character. The others are those of Latin-1. */
static const uint16_t western[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

static bool is_western(text s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned c = byte(s, i);
        bool control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f') || c == 0x7F;
        if (control || (c >= 0x80 && c < 0xA0 && !western[c - 0x80]))
            return false;
    }
    return true;
}

static enum err from_western(struct arena *a, text s, text *out)
{
    BUF_AUTO b = buf_make(s.n * 3 + 16);
    for (size_t i = 0; i < s.n; i++) {
        unsigned c = byte(s, i);
        unicode_put(&b, c >= 0x80 && c < 0xA0 ? western[c - 0x80] : c);
    }
    return buf_take(a, &b, out);
}

enum err charset_text(struct arena *a, text raw, text *out)
{
    static const text mark = TEXT_INIT("\xEF\xBB\xBF");
    *out = text_starts(raw, mark) ? text_from(raw, mark.n) : raw;
    /* A ZIP (xlsx, ods) or a compound file (xls): what people send who did not save as CSV. */
    if (text_starts(raw, TEXT("PK\x03\x04")) || text_starts(raw, TEXT("\xD0\xCF\x11\xE0")))
        return say(a, ERR_VALUE, "the file is a workbook: save it as CSV");
    if (charset_utf16(a, raw, out)) {
        TRY_PTR(out->p);
        return text_utf8(*out) ? OK : say(a, ERR_VALUE, "the text is not readable as UTF-16");
    }
    if (text_utf8(*out))
        return OK;
    return is_western(raw) ? from_western(a, raw, out)
                           : say(a, ERR_VALUE, "the text is neither UTF-8, UTF-16 nor Windows-1252");
}

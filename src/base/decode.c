/* Decoders for hexadecimal, base64 and percent-encoding. */
#include "decode.h"

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool decode_hex(text in, void *out, size_t size)
{
    uint8_t *bytes = out;
    if (in.n != size * 2)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(in.p[2 * i]), low = hex_digit(in.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static int base64_digit(char c, char c62, char c63)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == c62 ? 62
         : c == c63 ? 63 : -1;
}

static text base64(struct arena *a, text in, char c62, char c63)
{
    char *out = in.n % 4 == 1 ? NULL : arena_alloc(a, in.n / 4 * 3 + 3);
    size_t n = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; out && i < in.n; i++) {
        int digit = base64_digit(in.p[i], c62, c63);
        if (digit < 0)
            return (text){ NULL, 0 };
        bits = bits << 6 | (uint32_t)digit;
        if ((held += 6) >= 8) {
            held -= 8;
            out[n++] = (char)(bits >> held);
        }
    }
    bool canonical = (bits & ((1u << held) - 1)) == 0;
    return out && canonical ? (text){ out, n } : (text){ NULL, 0 };
}

text decode_base64(struct arena *a, text in)
{
    if (in.n % 4)
        return (text){ NULL, 0 };
    for (int pad = 0; pad < 2 && in.n && in.p[in.n - 1] == '='; pad++)
        in.n--;
    return base64(a, in, '+', '/');
}

text decode_base64url(struct arena *a, text in) { return base64(a, in, '-', '_'); }

text decode_percent(struct arena *a, text in, bool plus_is_blank)
{
    char *out = arena_alloc(a, in.n + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < in.n; i++) {
        char c = in.p[i];
        if (c == '%') {
            int high = i + 2 < in.n ? hex_digit(in.p[i + 1]) : -1;
            int low = i + 2 < in.n ? hex_digit(in.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return (text){ NULL, 0 };
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_blank)
            c = ' ';
        if (!c)
            return (text){ NULL, 0 };
        out[n++] = c;
    }
    return (text){ out, out ? n : 0 };
}

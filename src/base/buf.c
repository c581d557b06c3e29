/* Bounded buffers: growth, formatting and the usual encodings. */
#include "buf.h"
#include "arena.h"
#include "must.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct buf buf_make(size_t limit) { return (struct buf){ .limit = limit }; }

/* What a buffer held does not stay in memory that is free. */
static void storage_free(struct buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->capacity);
    free(b->p);
}

void buf_free(struct buf *b)
{
    storage_free(b);
    *b = buf_make(b->limit);
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->starved = false;
    b->failed = false;
}

void buf_wipe(struct buf *b)
{
    if (b->p)
        explicit_bzero(b->p, b->capacity);
    buf_clear(b);
}

static bool grow_to(struct buf *b, size_t more)
{
    size_t need;
    if (b->failed || __builtin_add_overflow(b->n, more, &need) || need > b->limit) {
        b->failed = true;
        return false;
    }
    if (need <= b->capacity)
        return true;
    size_t capacity = b->capacity ? b->capacity : 256;
    while (capacity < need)
        capacity *= 2;
    if (capacity > b->limit)
        capacity = b->limit;
    char *p = malloc(capacity);
    if (!p) {
        b->starved = true;
        b->failed = true;
        return false;
    }
    if (b->n)
        memcpy(p, b->p, b->n);
    storage_free(b);
    b->p = p;
    b->capacity = capacity;
    return true;
}

static inline bool grow(struct buf *b, size_t more)
{
    return (!b->failed && more <= b->capacity - b->n) || grow_to(b, more);
}

void buf_add(struct buf *b, text s)
{
    if (!s.n || !grow(b, s.n))
        return;
    must(b->capacity - b->n >= s.n);
    memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
}

void buf_char(struct buf *b, char c)
{
    if (grow(b, 1))
        b->p[b->n++] = c;
}

/* Written into what room there is; again when that was too little. */
void buf_vprint(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t room = b->failed || !b->p ? 0 : b->capacity - b->n;
    int n = vsnprintf(room ? b->p + b->n : NULL, room, format, args);
    if (n < 0)
        b->failed = true;
    else if ((size_t)n < room)
        b->n += (size_t)n;
    else if (grow(b, (size_t)n + 1)) {
        vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_print(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprint(b, format, args);
    va_end(args);
}

void buf_int(struct buf *b, int64_t value)
{
    char digits[24], *end = digits + sizeof digits, *p = end;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--p = '-';
    buf_add(b, (text){ p, (size_t)(end - p) });
}

char *buf_room(struct buf *b, size_t n)
{
    if (!grow(b, n))
        return NULL;
    char *at = b->n ? b->p + b->n : b->p; /* none of an empty builder has an address yet */
    b->n += n;
    return at;
}

void buf_hex(struct buf *b, text bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *out = buf_room(b, bytes.n * 2);
    for (size_t i = 0; out && i < bytes.n; i++) {
        uint8_t c = (uint8_t)bytes.p[i];
        out[2 * i] = digits[c >> 4];
        out[2 * i + 1] = digits[c & 15];
    }
}

static void base64(struct buf *b, text bytes, const char *alphabet, bool pad)
{
    size_t whole = bytes.n / 3, rest = bytes.n % 3;
    char *to = buf_room(b, whole * 4 + (rest ? (pad ? 4 : rest + 1) : 0));
    for (size_t i = 0; to && i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t group = (uint32_t)(uint8_t)bytes.p[i] << 16;
        group |= left > 1 ? (uint32_t)(uint8_t)bytes.p[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)(uint8_t)bytes.p[i + 2] : 0;
        char out[4] = { alphabet[group >> 18], alphabet[group >> 12 & 63], alphabet[group >> 6 & 63],
                        alphabet[group & 63] };
        size_t n = left > 2 ? 4 : left + 1;
        for (; pad && n < 4; n++)
            out[n] = '=';
        memcpy(to, out, n);
        to += n;
    }
}

void buf_base64(struct buf *b, text bytes)
{
    base64(b, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}

void buf_base64url(struct buf *b, text bytes)
{
    base64(b, bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

void buf_percent(struct buf *b, text s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        if (plain)
            buf_char(b, c);
        else
            buf_print(b, "%%%02X", (uint8_t)c);
    }
}

void buf_html(struct buf *b, text s)
{
    for (size_t i = 0, start = 0; i <= s.n; i++) {
        text escape = { NULL, 0 };
        if (i < s.n)
            switch (s.p[i]) {
            case '&':
                escape = TEXT("&amp;");
                break;
            case '<':
                escape = TEXT("&lt;");
                break;
            case '>':
                escape = TEXT("&gt;");
                break;
            case '"':
                escape = TEXT("&quot;");
                break;
            case '\'':
                escape = TEXT("&#39;");
                break;
            default:
                continue;
            }
        buf_add(b, (text){ s.p + start, i - start });
        buf_add(b, escape);
        start = i + 1;
    }
}

void buf_fail(struct buf *b) { b->failed = true; }

text buf_for(struct buf *to, const struct buf *b)
{
    to->failed |= b->failed;
    to->starved |= b->starved;
    return (text){ b->p, b->n };
}

void buf_join(struct buf *b, const struct buf *other) { buf_add(b, buf_for(b, other)); }

text buf_begun(const struct buf *b) { return (text){ b->p, b->n }; }

enum err buf_check(struct arena *a, const struct buf *b)
{
    if (!b->failed)
        return OK;
    return b->starved ? say(a, ERR_MEMORY, "the machine has no memory left")
                      : say(a, ERR_TOO_LARGE, "what is made is larger than its %zu bytes", b->limit);
}

enum err buf_lend(struct arena *a, const struct buf *b, text *out)
{
    *out = (text){ NULL, 0 };
    TRY(buf_check(a, b));
    *out = b->n ? (text){ b->p, b->n } : TEXT("");
    return OK;
}

enum err buf_take(struct arena *a, const struct buf *b, text *out)
{
    text lent;
    *out = (text){ NULL, 0 };
    TRY(buf_lend(a, b, &lent));
    *out = arena_copy(a, lent);
    return out->p ? OK : ERR_MEMORY;
}

text buf_made(struct arena *a, const struct buf *b)
{
    text made;
    enum err e = buf_take(a, b, &made);
    if (e != OK && !a->lost)
        a->lost = e;
    return made;
}

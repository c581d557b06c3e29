/* The strictness gate: the shape of the head, then the headers that decide where the body ends. */
#include "front/wire/strict.h"

enum { CHUNK_LINE = 1024, CHUNK_DIGITS = 8, TRAILERS = 16 };

/* RFC 9110, 5.6.2. */
static bool token(text s)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && !memchr(others, c, sizeof others - 1))
            return false;
    }
    return s.n > 0;
}

/* Bytes beyond ASCII are let pass, in whatever letters they are meant (obs-text, RFC 9110, 5.5): proxies and gateways
 * set names of people and places in Latin-1. Who uses a value as text asks whether it is UTF-8. */
static enum err check_value(struct arena *a, text value, size_t number)
{
    for (size_t i = 0; i < value.n; i++) {
        uint8_t c = (uint8_t)value.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return say(a, ERR_USAGE, "header %zu holds a control byte", number);
    }
    return OK;
}

/* Whether between a value's end and the next line only the line's end stands: two bytes, that the library may have
 * turned into NULs. Version 1.0 also takes off the blanks before them, of which it overwrites the first, and then
 * leaves CR and LF as they were. */
static bool line_ends(const char *end, const char *next)
{
    if (next - end <= 2)
        return next - end == 2;
    for (const char *p = end + 1; p < next - 2; p++)
        if (*p != ' ' && *p != '\t')
            return false;
    return next[-2] == '\r' && next[-1] == '\n';
}

/* The library has only put NULs in place of separators and moved nothing: where more than a line's end stands between
 * two lines, its parser has dropped bytes. */
static enum err check_shape(struct arena *a, const struct head *h)
{
    if (!token(h->method) || h->method.n > 16)
        return say(a, ERR_USAGE, "the method is no token");
    if (h->target.p != h->method.p + h->method.n + 1 || h->version.p != h->target.p + h->target.n + 1)
        return say(a, ERR_USAGE, "the request line is not three words with one blank between");
    if (!text_eq(h->version, TEXT("HTTP/1.1")) && !text_eq(h->version, TEXT("HTTP/1.0")))
        return say(a, ERR_USAGE, "only HTTP/1.1 and HTTP/1.0 are spoken");
    const char *end = h->version.p + h->version.n,
               *last = h->method.p + h->bytes - 2; /* of the line; of the empty line's */
    for (size_t i = 0; i < h->count; i++) {
        text name = h->headers[i].name, value = h->headers[i].value;
        if (name.p > last || !line_ends(end, name.p))
            return say(a, ERR_USAGE, "line %zu of the head is folded, holds a NUL, or does not end with CRLF", i + 1);
        if (!token(name))
            return say(a, ERR_USAGE, "the name of header %zu is no token", i + 1);
        TRY(check_value(a, value, i + 1));
        end = value.p + value.n;
    }
    if (!line_ends(end, last))
        return say(a, ERR_USAGE, "line %zu of the head is folded, holds a NUL, or does not end with CRLF",
                   h->count + 1);
    return OK;
}

/* Headers that carry one value: a second one is an attack or a fault, and two readers may pick differently. */
static const text singles[] = {
    TEXT_INIT("Host"),          TEXT_INIT("Content-Length"), TEXT_INIT("Transfer-Encoding"), TEXT_INIT("Content-Type"),
    TEXT_INIT("Authorization"), TEXT_INIT("If-Match"),       TEXT_INIT("Idempotency-Key"),   TEXT_INIT("Garant-Tenant"),
    TEXT_INIT("Origin"),        TEXT_INIT("Expect"),         TEXT_INIT("Content-Encoding"),  TEXT_INIT("Cookie")
};

static enum err check_singles(struct arena *a, const struct head *h)
{
    for (size_t s = 0; s < sizeof singles / sizeof *singles; s++) {
        unsigned count = 0;
        for (size_t i = 0; i < h->count; i++)
            count += text_eq_nocase(h->headers[i].name, singles[s]);
        if (count > 1)
            return say(a, ERR_USAGE, "the header %.*s stands %u times", T(singles[s]), count);
    }
    return OK;
}

/* Any other spelling of the framing headers, such as with a blank or an underscore, may be read as the header by
 * someone else. */
static enum err check_lookalikes(struct arena *a, const struct head *h)
{
    static const text framing[] = { TEXT_INIT("content_length"), TEXT_INIT("transfer_encoding") };
    for (size_t i = 0; i < h->count; i++)
        for (size_t k = 0; k < 2; k++)
            if (text_eq_nocase(h->headers[i].name, framing[k]))
                return say(a, ERR_USAGE, "the header \"%.*s\" is mistaken for another by some proxies", T(framing[k]));
    return OK;
}

static text find(const struct head *h, text name)
{
    for (size_t i = 0; i < h->count; i++)
        if (text_eq_nocase(h->headers[i].name, name))
            return h->headers[i].value;
    return (text){ NULL, 0 };
}

static enum err check_host(struct arena *a, const struct head *h)
{
    text host = text_trim(find(h, TEXT("Host")));
    if (!host.p)
        return text_eq(h->version, TEXT("HTTP/1.0")) ? OK : say(a, ERR_USAGE, "HTTP/1.1 needs a Host header");
    return authority_good(host) ? OK : say(a, ERR_USAGE, "the Host header is no host and port");
}

static enum err check_framing(struct arena *a, const struct head *h, struct framing *out)
{
    text length = find(h, TEXT("Content-Length")), encoding = find(h, TEXT("Content-Encoding")),
         expect = find(h, TEXT("Expect"));
    text coding = find(h, TEXT("Transfer-Encoding"));
    *out = (struct framing){ .chunked = coding.p != NULL };
    if (coding.p && length.p)
        return say(a, ERR_USAGE, "Content-Length and Transfer-Encoding stand in one request");
    if (coding.p && !text_eq(h->version, TEXT("HTTP/1.1")))
        return say(a, ERR_USAGE, "HTTP/1.0 has no Transfer-Encoding");
    if (coding.p && !text_eq_nocase(coding, TEXT("chunked")))
        return say(a, ERR_LENGTH, "the only Transfer-Encoding is chunked: else send the body with its Content-Length");
    for (size_t i = 0; length.p && i < length.n; i++) {
        if (length.p[i] < '0' || length.p[i] > '9')
            return say(a, ERR_USAGE, "Content-Length is not made of digits");
        if (__builtin_mul_overflow(out->length, 10, &out->length) ||
            __builtin_add_overflow(out->length, length.p[i] - '0', &out->length))
            return say(a, ERR_TOO_LARGE, "Content-Length is beyond any size");
    }
    if (length.p && !length.n)
        return say(a, ERR_USAGE, "Content-Length is empty");
    if (encoding.p && !text_eq_nocase(text_trim(encoding), TEXT("identity")))
        return say(a, ERR_MEDIA_TYPE, "the body may not be compressed");
    if (expect.p && !text_eq_nocase(text_trim(expect), TEXT("100-continue")))
        return say(a, ERR_USAGE, "the only expectation is 100-continue");
    return OK;
}

enum err strict_check(struct arena *a, const struct head *h, struct framing *out)
{
    if (h->count > REQUEST_HEADERS)
        return say(a, ERR_HEADERS_TOO_LARGE, "the request has more than %d headers", REQUEST_HEADERS);
    TRY(check_shape(a, h));
    TRY(check_singles(a, h));
    TRY(check_lookalikes(a, h));
    TRY(check_host(a, h));
    return check_framing(a, h, out);
}

/* ---- The bytes themselves. ---- */

static bool bare_line_feed(text bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] == '\n' && (i == 0 || bytes.p[i - 1] != '\r'))
            return true;
    return false;
}

static enum err split_line(struct arena *a, text line, struct head *h)
{
    h->method = text_cut(&line, ' ');
    h->target = text_cut(&line, ' ');
    h->version = line;
    if (!line.p || !h->target.n || text_index(line, ' ') >= 0)
        return say(a, ERR_USAGE, "the first line is no HTTP request line");
    for (size_t i = 0; i < h->target.n; i++)
        if ((uint8_t)h->target.p[i] <= 0x20 || h->target.p[i] == 0x7F)
            return say(a, ERR_USAGE, "the target holds a control byte");
    return OK;
}

static enum err split_headers(struct arena *a, text rest, struct pair *headers, size_t *count)
{
    for (*count = 0; rest.n; ++*count) {
        ptrdiff_t end = text_find(rest, TEXT("\r\n"));
        text line = text_upto(rest, (size_t)end);
        ptrdiff_t colon = text_index(line, ':');
        if (*count >= REQUEST_HEADERS)
            return say(a, ERR_HEADERS_TOO_LARGE, "the request has more than %d headers", REQUEST_HEADERS);
        if (colon < 0)
            return say(a, ERR_USAGE, "header %zu has no colon", *count + 1);
        text value = text_from(line, (size_t)colon + 1);
        while (value.n && (value.p[0] == ' ' || value.p[0] == '\t'))
            value = text_from(value, 1);
        headers[*count] = (struct pair){ text_upto(line, (size_t)colon), value };
        rest = text_from(rest, (size_t)end + 2);
    }
    return OK;
}

/* ---- Chunks (RFC 9112, 7.1). ---- */

/* What has come of a chunked body, as far as it was read. */
struct chunks {
    text rest;
    uint64_t left;
    bool ended;
};

/* The next whole line without its end, p NULL while it has not come. */
static enum err chunk_line(struct arena *a, struct chunks *c, text *line)
{
    ptrdiff_t end = text_find(c->rest, TEXT("\r\n"));
    *line = text_upto(c->rest, end < 0 ? c->rest.n : (size_t)end);
    for (size_t i = 0; i < line->n; i++)
        if (((uint8_t)line->p[i] < ' ' && line->p[i] != '\t' && !(end < 0 && i + 1 == line->n && line->p[i] == '\r')) ||
            line->p[i] == 0x7F)
            return say(a, ERR_USAGE, "a line between the chunks holds a control byte, or does not end with CRLF");
    if (line->n > CHUNK_LINE)
        return say(a, ERR_USAGE, "a line between the chunks has more than %d bytes", CHUNK_LINE);
    if (end < 0)
        line->p = NULL;
    else
        c->rest = text_from(c->rest, (size_t)end + 2);
    return OK;
}

/* Hexadecimal digits, and behind a semicolon what nobody asked for. */
static enum err chunk_size(struct arena *a, text line, uint64_t *out)
{
    size_t digits = 0;
    for (*out = 0; digits < line.n && digits < CHUNK_DIGITS; digits++) {
        char c = line.p[digits], small = c | 0x20;
        bool letter = small >= 'a' && small <= 'f';
        if (!letter && (c < '0' || c > '9'))
            break;
        *out = *out << 4 | (uint64_t)(letter ? small - 'a' + 10 : c - '0');
    }
    return digits && (digits == line.n || line.p[digits] == ';')
               ? OK
               : say(a, ERR_USAGE, "the size of a chunk is not made of hexadecimal digits");
}

/* Fields behind the last chunk are read over. */
static enum err trailers(struct arena *a, struct chunks *c)
{
    for (unsigned count = 0;; count++) {
        text line;
        TRY(chunk_line(a, c, &line));
        if (!line.p || !line.n)
            return OK;
        ptrdiff_t colon = text_index(line, ':');
        if (colon < 1 || !token(text_upto(line, (size_t)colon)))
            return say(a, ERR_USAGE, "a line behind the last chunk is no header");
        if (count == TRAILERS)
            return say(a, ERR_USAGE, "more than %d headers stand behind the last chunk", TRAILERS);
    }
}

static enum err check_chunks(struct arena *a, text bytes)
{
    struct chunks c = { .rest = bytes };
    for (;;) {
        text line;
        TRY(chunk_line(a, &c, &line));
        if (!line.p)
            return OK;
        TRY(chunk_size(a, line, &c.left));
        if (!c.left)
            return trailers(a, &c);
        if (c.rest.n <= c.left)
            return OK;
        c.rest = text_from(c.rest, (size_t)c.left);
        if (!text_starts(c.rest, text_upto(TEXT("\r\n"), c.rest.n)))
            return say(a, ERR_USAGE, "a chunk is longer than its size says");
        c.rest = text_from(c.rest, 2);
    }
}

enum err strict_peek(struct arena *a, text bytes, bool *whole)
{
    struct pair headers[REQUEST_HEADERS];
    struct head h = { .headers = headers };
    struct framing framing;
    if (text_starts(bytes, TEXT("\r\n"))) /* RFC 9112, 2.2: one empty line before the request is let pass */
        bytes = text_from(bytes, 2);
    ptrdiff_t end = text_find(bytes, TEXT("\r\n\r\n")), line_end = text_find(bytes, TEXT("\r\n"));
    *whole = end >= 0;
    if (bare_line_feed(text_upto(bytes, *whole ? (size_t)end : bytes.n)))
        return say(a, ERR_USAGE, "a line of the head does not end with CRLF");
    if (!*whole && bytes.n >= HEAD_LIMIT)
        return say(a, ERR_HEADERS_TOO_LARGE, "the head has more than %d bytes", HEAD_LIMIT);
    if (line_end >= 0)
        TRY(split_line(a, text_upto(bytes, (size_t)line_end), &h));
    if (!*whole)
        return OK;
    text lines = text_upto(text_from(bytes, (size_t)line_end + 2), (size_t)(end - line_end));
    TRY(split_headers(a, lines, headers, &h.count));
    h.bytes = (size_t)end + 4;
    TRY(strict_check(a, &h, &framing));
    return framing.chunked ? check_chunks(a, text_from(bytes, h.bytes)) : OK;
}

/* Payment card numbers in PDF (ISO 32000-1): what its streams hold, the strings that they show, and what fonts mean by
 * them. */
#include "base/file/card_file.h"
#include "base/buf.h"
#include "base/card.h"
#include "base/unicode.h"
#include <string.h>
#include <zlib.h>

enum {
    STREAM_MAX = 16 << 20,
    DICTIONARY_MAX = 8 << 10,
    MAPS_MAX = 16,
    CODES = 1 << 16,
    STREAMS_MAX = 20000,
    CODED_MAX = 16 * CODES,
    FILTERS_MAX = 4,
    PIECE = 1 << 20,
    OVERLAP = 4 << 10, /* looked through at once, and again with the next */
    WIDE_KERN = 150,   /* thousandths of the font's size: a move to the right that is seen as a blank */
};

/* What the codes of one font stand for (9.10.3); 0: not told. */
struct map {
    bool wide;
    uint16_t to[CODES];
};
struct pdf {
    struct card_search *x;
    text all;
    struct arena maps;
    struct map *list[MAPS_MAX];
    unsigned count, coded, streams;
};

static int hex_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
         : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}
static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\0'; }
static bool number_char(char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.'; }
static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*' || c == '\'' || c == '"';
}

/* ---- Filters (7.4). ---- */

static enum err unflate(struct pdf *p, struct arena *a, text in, text *out)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.n };
    BUF_AUTO b = buf_make(STREAM_MAX);
    char piece[16 << 10];
    int status = inflateInit(&z);
    if (status != Z_OK)
        return say(p->x->arena, ERR_MEMORY, "no memory to look through a file");
    while (status == Z_OK) {
        z.next_out = (Bytef *)piece;
        z.avail_out = sizeof piece;
        status = inflate(&z, Z_NO_FLUSH);
        buf_add(&b, (text){ piece, sizeof piece - z.avail_out });
    }
    inflateEnd(&z);
    TRY(card_file_unpacked(p->x, b.n));
    enum err e = buf_take(a, &b, out);
    return e == ERR_TOO_LARGE ? say(p->x->arena, e, "a part of the file is too large to be looked through") : e;
}

static enum err from_hex(struct arena *a, text in, text *out)
{
    BUF_AUTO b = buf_make(in.n + 16);
    int high = -1;
    for (size_t i = 0; i < in.n && in.p[i] != '>'; i++) {
        int digit = hex_of(in.p[i]);
        if (digit >= 0 && high >= 0)
            buf_char(&b, (char)(high << 4 | digit));
        if (digit >= 0)
            high = high >= 0 ? -1 : digit;
    }
    if (high >= 0)
        buf_char(&b, (char)(high << 4));
    return buf_take(a, &b, out);
}

static enum err from_ascii85(struct arena *a, text in, text *out)
{
    BUF_AUTO b = buf_make(4 * in.n + 16);
    uint32_t value = 0;
    unsigned held = 0;
    for (size_t i = 0; i < in.n && in.p[i] != '~'; i++) {
        char c = in.p[i];
        if (c == 'z' && !held)
            buf_add(&b, TEXT("\0\0\0\0"));
        if (c < '!' || c > 'u')
            continue;
        value = value * 85 + (uint32_t)(c - '!');
        if (++held < 5)
            continue;
        for (int shift = 24; shift >= 0; shift -= 8)
            buf_char(&b, (char)(value >> shift));
        held = 0;
        value = 0;
    }
    for (unsigned k = held; held > 1 && k < 5; k++)
        value = value * 85 + 84;
    for (unsigned k = 1; k < held; k++)
        buf_char(&b, (char)(value >> (32 - 8 * k)));
    return buf_take(a, &b, out);
}

/* The filters of a stream's dictionary, in their order. What another filter made (pictures) is left as it is. */
static enum err unfilter(struct pdf *p, struct arena *a, text dictionary, text in, text *out)
{
    static const struct {
        text name;
        char kind;
    } names[] = { { TEXT_INIT("/FlateDecode"), 'f' },    { TEXT_INIT("/Fl"), 'f' },
                  { TEXT_INIT("/ASCII85Decode"), 'a' },  { TEXT_INIT("/A85"), 'a' },
                  { TEXT_INIT("/ASCIIHexDecode"), 'h' }, { TEXT_INIT("/AHx"), 'h' } };
    unsigned done = 0;
    *out = in;
    for (size_t i = 0; i < dictionary.n && done < FILTERS_MAX; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            text rest = text_from(dictionary, i);
            if (!text_starts(rest, names[k].name) || (rest.n > names[k].name.n && word_char(rest.p[names[k].name.n])))
                continue;
            TRY(names[k].kind == 'f'   ? unflate(p, a, *out, out)
                : names[k].kind == 'a' ? from_ascii85(a, *out, out)
                                       : from_hex(a, *out, out));
            done++;
        }
    return OK;
}

/* ---- Strings (7.3.4). ---- */

/* The string in brackets at i, its bytes in b; returns where it ends. */
static size_t bracketed(text s, size_t i, struct buf *b)
{
    unsigned open = 1;
    for (i++; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\' && i + 1 < s.n) {
            c = s.p[++i];
            unsigned octal = 0, n = 0;
            for (; n < 3 && i + n < s.n && s.p[i + n] >= '0' && s.p[i + n] <= '7'; n++)
                octal = octal * 8 + (unsigned)(s.p[i + n] - '0');
            if (n) {
                buf_char(b, (char)octal);
                i += n - 1;
            } else if (c != '\n' && c != '\r') {
                buf_char(b, c == 'n' || c == 'r' || c == 't' ? ' ' : c);
            }
            continue;
        }
        open += c == '(';
        if (c == ')' && --open == 0)
            return i + 1;
        buf_char(b, c);
    }
    return i;
}

static size_t in_hex(text s, size_t i, struct buf *b)
{
    int high = -1;
    for (i++; i < s.n && s.p[i] != '>'; i++) {
        int digit = hex_of(s.p[i]);
        if (digit < 0 && !blank(s.p[i]))
            return i;
        if (digit >= 0 && high >= 0)
            buf_char(b, (char)(high << 4 | digit));
        if (digit >= 0)
            high = high >= 0 ? -1 : digit;
    }
    if (high >= 0)
        buf_char(b, (char)(high << 4));
    return i + 1;
}

/* A string as text: by the font's map, in UTF-16 behind its mark, or byte by byte. */
static void put_string(struct buf *out, text s, const struct map *m)
{
    bool marked = !m && s.n > 1 && (uint8_t)s.p[0] == 0xFE && (uint8_t)s.p[1] == 0xFF, wide = marked || (m && m->wide);
    for (size_t i = marked ? 2 : 0; i + wide < s.n; i += wide ? 2 : 1) {
        uint32_t code = wide ? (uint32_t)(uint8_t)s.p[i] << 8 | (uint8_t)s.p[i + 1] : (uint8_t)s.p[i];
        uint32_t c = m ? m->to[code] : code;
        unicode_put(out, c && (c < 0xD800 || c > 0xDFFF) ? c : 0xFFFD);
    }
}

/* ---- What is shown. ---- */

struct shown {
    struct buf *out;
    double operands[6];
    unsigned count;
    bool array;
    double line;
};

static void operand(struct shown *h, double value)
{
    if (h->count == 6) {
        memmove(h->operands, h->operands + 1, 5 * sizeof *h->operands);
        h->count--;
    }
    h->operands[h->count++] = value;
    if (h->array && value < -WIDE_KERN)
        buf_char(h->out, ' ');
}

/* Where the next string stands: on the same line, or on another (9.4.2). */
static void operator(struct shown *h, text word)
{
    bool moves = text_eq(word, TEXT("Td")) || text_eq(word, TEXT("TD")), matrix = text_eq(word, TEXT("Tm"));
    double height = h->count ? h->operands[h->count - 1] : 0;
    if (moves)
        buf_char(h->out, height == 0 ? ' ' : '\n');
    if (matrix) {
        buf_char(h->out, height == h->line ? ' ' : '\n');
        h->line = height;
    }
    if (text_eq(word, TEXT("T*")) || text_eq(word, TEXT("'")) || text_eq(word, TEXT("\"")) ||
        text_eq(word, TEXT("ET")) || text_eq(word, TEXT("endobj")))
        buf_char(h->out, '\n');
    h->count = 0;
}

static double number_at(text s, size_t *i)
{
    double value = 0, scale = 0, sign = 1;
    for (; *i < s.n && number_char(s.p[*i]); ++*i) {
        char c = s.p[*i];
        if (c == '-')
            sign = -1;
        else if (c == '.')
            scale = 1;
        else if (c != '+')
            value = scale > 0 ? value + (c - '0') * (scale /= 10) : value * 10 + (c - '0');
    }
    return sign * value;
}

/* All strings of a content stream (or of objects), in their order. */
static enum err shown(struct arena *a, text s, const struct map *m, text *out)
{
    BUF_AUTO b = buf_make(4 * s.n + 64);
    BUF_AUTO string = buf_make(s.n + 16);
    struct shown h = { .out = &b };
    for (size_t i = 0; i < s.n;) {
        char c = s.p[i];
        if (c == '(' || (c == '<' && i + 1 < s.n && s.p[i + 1] != '<')) {
            buf_clear(&string);
            i = c == '(' ? bracketed(s, i, &string) : in_hex(s, i, &string);
            text bytes;
            TRY(buf_lend(a, &string, &bytes));
            put_string(&b, bytes, m);
        } else if (number_char(c)) {
            operand(&h, number_at(s, &i));
        } else if (word_char(c)) {
            size_t start = i;
            while (i < s.n && word_char(s.p[i]))
                i++;
            operator(&h, text_upto(text_from(s, start), i - start));
        } else {
            if (c == '[' || c == ']')
                h.array = c == '[';
            i += c == '<' || (c == '>' && i + 1 < s.n && s.p[i + 1] == '>') ? 2 : 1;
        }
    }
    return buf_take(a, &b, out);
}

/* A piece at a time, each with the end of the one before it: what is shown may be larger than what shows it. */
static enum err look_pieces(struct pdf *p, text s, const struct map *m)
{
    for (size_t at = 0; at < s.n && !p->x->found; at += PIECE) {
        ARENA_AUTO room = arena_make(16 * PIECE);
        size_t before = at ? OVERLAP : 0;
        text clear;
        TRY(shown(&room, text_upto(text_from(s, at - before), PIECE + before), m, &clear));
        TRY(card_file_bytes(p->x, clear));
    }
    return OK;
}

static enum err look_shown(struct pdf *p, text s)
{
    TRY(look_pieces(p, s, NULL));
    bool shows = text_find(s, TEXT("Tj")) >= 0 || text_find(s, TEXT("TJ")) >= 0;
    for (unsigned i = 0; shows && i < p->count && !p->x->found; i++) {
        TRY(card_file_unpacked(p->x, s.n)); /* each map is as much work again */
        TRY(look_pieces(p, s, p->list[i]));
    }
    return OK;
}

/* ---- Maps of fonts. ---- */

/* The next <hex> from *i on, before `end`; its first 16 bits, and how many digits it has. */
static bool next_code(text s, size_t *i, size_t end, uint32_t *code, size_t *digits)
{
    while (*i < end && s.p[*i] != '<')
        ++*i;
    *code = 0;
    for (*digits = 0, ++*i; *i < end && s.p[*i] != '>'; ++*i)
        if (hex_of(s.p[*i]) >= 0 && ++*digits <= 4)
            *code = *code << 4 | (uint32_t)hex_of(s.p[*i]);
    return *i < end;
}

/* ERR_TOO_LARGE for maps that give codes over and over: looking through them would take minutes. */
static enum err read_section(struct pdf *p, text s, size_t at, size_t end, bool range, struct map *m)
{
    uint32_t from, to, c;
    size_t digits, other;
    while (next_code(s, &at, end, &from, &digits)) {
        m->wide |= digits > 2;
        to = from;
        if (range && !next_code(s, &at, end, &to, &other))
            return OK;
        size_t next = at + 1;
        while (next < end && blank(s.p[next]))
            next++;
        bool list = range && next < end && s.p[next] == '[';
        p->coded += to >= from ? to - from + 1 : 1;
        if (p->coded > CODED_MAX)
            return say(p->x->arena, ERR_TOO_LARGE,
                       "the fonts of the file have more than %d codes, and cannot be looked through", CODED_MAX);
        for (uint32_t code = from; code <= to && code < CODES; code++) {
            if ((code == from || list) && !next_code(s, &at, end, &c, &other))
                return OK;
            m->to[code] = (uint16_t)(list ? c : c + (code - from));
        }
    }
    return OK;
}

static enum err read_map(struct pdf *p, text s)
{
    static const struct {
        text begin, end;
        bool range;
    } sections[] = { { TEXT_INIT("beginbfchar"), TEXT_INIT("endbfchar"), false },
                     { TEXT_INIT("beginbfrange"), TEXT_INIT("endbfrange"), true } };
    bool any = text_find(s, sections[0].begin) >= 0 || text_find(s, sections[1].begin) >= 0;
    if (!any || p->count == MAPS_MAX)
        return OK;
    struct map *m = NEW(&p->maps, struct map);
    TRY_PTR(m);
    for (size_t k = 0; k < 2; k++)
        for (size_t at = 0;;) {
            ptrdiff_t begin = text_find(text_from(s, at), sections[k].begin);
            if (begin < 0)
                break;
            at += (size_t)begin + sections[k].begin.n;
            ptrdiff_t end = text_find(text_from(s, at), sections[k].end);
            if (end < 0)
                break;
            TRY(read_section(p, s, at, at + (size_t)end, sections[k].range, m));
        }
    p->list[p->count++] = m;
    return OK;
}

/* ---- Streams. ---- */

/* The next stream from *at on: its dictionary and its bytes; *before: where what stands before its dictionary ends. */
static bool next_stream(text s, size_t *at, text *dictionary, text *bytes)
{
    for (;;) {
        ptrdiff_t found = text_find(text_from(s, *at), TEXT("stream"));
        if (found < 0)
            return false;
        size_t word = *at + (size_t)found, start = word + 6;
        *at = start;
        if (word >= 3 && text_eq(text_upto(text_from(s, word - 3), 3), TEXT("end")))
            continue;
        start += start < s.n && s.p[start] == '\r';
        start += start < s.n && s.p[start] == '\n';
        ptrdiff_t end = text_find(text_from(s, start), TEXT("endstream"));
        size_t from = word > DICTIONARY_MAX ? word - DICTIONARY_MAX : 0;
        text head = text_upto(text_from(s, from), word - from);
        for (size_t i = head.n; i > 4; i--) /* the dictionary of this object alone */
            if (text_eq(text_upto(text_from(head, i - 4), 4), TEXT(" obj"))) {
                head = text_from(head, i);
                break;
            }
        *dictionary = head;
        *bytes = text_upto(text_from(s, start), end < 0 ? s.n - start : (size_t)end);
        *at = start + bytes->n;
        return true;
    }
}

static bool picture(text dictionary)
{
    return text_find(dictionary, TEXT("/DCTDecode")) >= 0 || text_find(dictionary, TEXT("/JPXDecode")) >= 0 ||
           text_find(dictionary, TEXT("/Subtype/Image")) >= 0 || text_find(dictionary, TEXT("/Subtype /Image")) >= 0;
}

/* Each pass over the streams looks back for their dictionaries: not without end. */
static enum err count_stream(struct pdf *p)
{
    return ++p->streams <= 3 * STREAMS_MAX
               ? OK
               : say(p->x->arena, ERR_TOO_LARGE, "the file has more than %d parts, and cannot be looked through",
                     STREAMS_MAX);
}

static enum err look_streams(struct pdf *p, bool maps)
{
    text dictionary, bytes;
    for (size_t at = 0; !p->x->found && next_stream(p->all, &at, &dictionary, &bytes);) {
        ARENA_AUTO room = arena_make(256 << 20);
        text clear;
        TRY(count_stream(p));
        if (picture(dictionary))
            continue;
        TRY(unfilter(p, &room, dictionary, bytes, &clear));
        if (maps) {
            TRY(read_map(p, clear));
            continue;
        }
        if (text_find(dictionary, TEXT("/EmbeddedFile")) >= 0) {
            TRY(card_file_inside(p->x, clear));
            continue;
        }
        TRY(card_file_bytes(p->x, clear));
        if (!p->x->found)
            TRY(look_shown(p, clear));
    }
    return OK;
}

/* Strings of objects that stand outside of streams: forms, notes, titles. */
static enum err look_objects(struct pdf *p)
{
    text dictionary, bytes;
    size_t at = 0, done = 0;
    while (!p->x->found && next_stream(p->all, &at, &dictionary, &bytes)) {
        TRY(count_stream(p));
        size_t start = (size_t)(bytes.p - p->all.p);
        TRY(look_pieces(p, text_upto(text_from(p->all, done), start - done), NULL));
        done = at;
    }
    return p->x->found ? OK : look_pieces(p, text_from(p->all, done), NULL);
}

enum err card_pdf(struct card_search *x, text content)
{
    struct pdf p = { .x = x, .all = content, .maps = arena_make(MAPS_MAX * (sizeof(struct map) + 64) + 4096) };
    enum err e = look_objects(&p);
    if (e == OK && !x->found)
        e = look_streams(&p, true);
    if (e == OK && !x->found)
        e = look_streams(&p, false);
    arena_free(&p.maps);
    return e;
}

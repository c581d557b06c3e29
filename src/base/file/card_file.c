/* The guard against payment card numbers inside files. */
#include "base/file/card_file.h"
#include "base/buf.h"
#include "base/card.h"
#include "base/unicode.h"
#include "base/veil.h"
#include <stdlib.h>
#include <string.h>
#include <zip.h>
#include <zlib.h>

/* A piece is looked through at a time, with the end of the one before it; both even, for UTF-16. */
enum {
    PIECE = 1 << 20,
    OVERLAP = 4 << 10,
    SMALL = 64 << 10,
    UNPACKED_MAX = 128 << 20,
    UNPACKED_SMALL = 16 << 20,
    RATIO = 50, /* bytes, and how many for each of the file's own */
    FILES_MAX = 4000,
    DEPTH_MAX = 4,
    INSIDE_MAX = 32 << 20,
};

static uint8_t byte(text s, size_t i) { return (uint8_t)s.p[i]; }

enum err card_file_unpacked(struct card_search *x, size_t n)
{
    if (n > x->left)
        return say(x->arena, ERR_TOO_LARGE, "the file unpacks to far more than it is, and cannot be looked through");
    x->left -= n;
    return OK;
}

static enum err count_file(struct card_search *x)
{
    return ++x->files <= FILES_MAX ? OK
                                   : say(x->arena, ERR_TOO_LARGE,
                                         "the file holds more than %d files, and cannot be looked through", FILES_MAX);
}

/* ---- Bytes: in which letters they are. ---- */

struct letters {
    size_t nul, control, high;
};

static struct letters letters_of(text s)
{
    struct letters out = { 0 };
    for (size_t i = 0; i < s.n; i++) {
        unsigned c = byte(s, i);
        out.nul += c == 0;
        out.control += c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0;
        out.high += c >= 0x80;
    }
    return out;
}

/* Without sequences that the piece's edges cut. */
static text whole_letters(text s)
{
    size_t start = 0;
    while (start < s.n && start < 4 && (byte(s, start) & 0xC0) == 0x80)
        start++;
    s = text_from(s, start);
    for (size_t cut = 0; cut < 4 && cut < s.n; cut++)
        if (text_utf8(text_upto(s, s.n - cut)))
            return text_upto(s, s.n - cut);
    return s;
}

/* Each byte as the character of Latin-1 that it is. */
static enum err from_eight_bits(struct arena *a, text s, text *out)
{
    BUF_AUTO b = buf_make(2 * s.n + 16);
    for (size_t i = 0; i < s.n; i++)
        unicode_put(&b, byte(s, i) ? byte(s, i) : ' ');
    return buf_take(a, &b, out);
}

static enum err from_sixteen_bits(struct arena *a, text s, bool little, text *out)
{
    BUF_AUTO b = buf_make(3 * s.n + 16);
    for (size_t i = 0; i + 1 < s.n; i += 2) {
        uint32_t c = (uint32_t)byte(s, i + (little ? 1 : 0)) << 8 | byte(s, i + (little ? 0 : 1)), low = 0;
        if (i + 3 < s.n)
            low = (uint32_t)byte(s, i + 2 + (little ? 1 : 0)) << 8 | byte(s, i + 2 + (little ? 0 : 1));
        bool pair = c >= 0xD800 && c < 0xDC00 && low >= 0xDC00 && low < 0xE000;
        if (pair) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            i += 2;
        }
        unicode_put(&b, !c || (c >= 0xD800 && c < 0xE000) ? ' ' : c);
    }
    return buf_take(a, &b, out);
}

static enum err without_nul(struct arena *a, text s, text *out)
{
    BUF_AUTO b = buf_make(s.n + 16);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i])
            buf_char(&b, s.p[i]);
    return buf_take(a, &b, out);
}

/* UTF-16 is tried in both orders and at both places where it may begin. */
static enum err look_wide(struct card_search *x, struct arena *room, text s)
{
    text wide;
    TRY(without_nul(room, s, &wide));
    TRY(card_look(room, wide, &x->found));
    for (unsigned way = 0; way < 4 && !x->found; way++) {
        TRY(from_sixteen_bits(room, text_from(s, way & 1), way & 2, &wide));
        TRY(card_look(room, wide, &x->found));
    }
    return OK;
}

static enum err look_piece(struct card_search *x, text s)
{
    ARENA_AUTO room = arena_make(64 << 20);
    struct letters seen = letters_of(s);
    text utf8 = whole_letters(s), western;
    if (!seen.nul && text_utf8(utf8))
        return card_look(&room, utf8, &x->found);
    bool text_like = (seen.control + seen.nul) * 50 < s.n;
    TRY(from_eight_bits(&room, s, &western));
    if (text_like)
        TRY(card_look(&room, western, &x->found));
    else
        x->found = card_find(western, NULL);
    bool wide = seen.nul * 50 > s.n || (s.n < SMALL && seen.high * 3 > s.n) ||
                (s.n > 1 && (byte(s, 0) | byte(s, 1)) == 0xFF && byte(s, 0) >= 0xFE);
    return x->found || !wide ? OK : look_wide(x, &room, s);
}

enum err card_file_bytes(struct card_search *x, text bytes)
{
    for (size_t at = 0; at < bytes.n && !x->found; at += PIECE) {
        size_t before = at ? OVERLAP : 0;
        TRY(look_piece(x, text_upto(text_from(bytes, at - before), PIECE + before)));
    }
    return OK;
}

/* ---- Packed files: read on, piece by piece. ---- */

/* Gives at most `size` bytes into `out`; 0 at the end, -1 when it cannot be read. */
typedef int64_t reader(void *from, char *out, size_t size);

static enum err look_stream(struct card_search *x, reader *read, void *from)
{
    char *piece = malloc(OVERLAP + PIECE);
    enum err e = piece ? OK : say(x->arena, ERR_MEMORY, "no memory to look through a file");
    size_t kept = 0, got = 0;
    for (bool more = true; e == OK && more && !x->found;) {
        for (got = 0; got < PIECE && more;) {
            int64_t n = read(from, piece + kept + got, PIECE - got);
            more = n > 0;
            got += n > 0 ? (size_t)n : 0;
        }
        e = card_file_unpacked(x, got);
        if (e == OK && got)
            e = look_piece(x, (text){ piece, kept + got });
        size_t all = kept + got;
        kept = all < OVERLAP ? all : OVERLAP;
        memmove(piece, piece + all - kept, kept);
    }
    free(piece);
    return e;
}

static int64_t read_member(void *from, char *out, size_t size) { return zip_fread(from, out, size); }

/* Files that may hold others are taken whole: archives in archives, documents in mails. */
static bool may_hold(text begin)
{
    return text_starts(begin, TEXT("PK\3\4")) || text_starts(begin, TEXT("%PDF")) ||
           text_starts(begin, TEXT("\x1F\x8B")) || text_starts(begin, TEXT("{\\rtf"));
}

/* Others too, while there is room: a mail, a tape archive. */
static bool is_taken_whole(const struct card_search *x, text begin, size_t size)
{
    return size <= INSIDE_MAX && (may_hold(begin) || x->depth < DEPTH_MAX);
}

static enum err look_member_whole(struct card_search *x, zip_t *z, zip_uint64_t i, size_t size, bool *whole)
{
    zip_file_t *in = zip_fopen_index(z, i, 0);
    char *all = in ? malloc(size + 1) : NULL;
    int64_t n = all ? zip_fread(in, all, size + 1) : -1;
    *whole = n > 0 && (size_t)n <= size; /* more than it says it is: taken piece by piece */
    enum err e = !*whole ? OK : card_file_unpacked(x, (size_t)n);
    if (e == OK && *whole)
        e = card_file_inside(x, (text){ all, (size_t)n });
    free(all);
    if (in)
        zip_fclose(in);
    return e;
}

/* What cannot be opened (encrypted, or packed in a way that is not known) is passed over: SECURITY.md says so. */
static enum err look_member(struct card_search *x, zip_t *z, zip_uint64_t i)
{
    zip_stat_t stat;
    char begin[8];
    if (zip_stat_index(z, i, 0, &stat) != 0)
        return OK;
    TRY(count_file(x));
    if (stat.valid & ZIP_STAT_NAME)
        TRY(card_file_bytes(x, text_of(stat.name)));
    zip_file_t *in = x->found ? NULL : zip_fopen_index(z, i, 0);
    if (!in)
        return OK;
    int64_t n = zip_fread(in, begin, sizeof begin);
    zip_fclose(in);
    if (n <= 0)
        return OK;
    bool whole = false;
    if ((stat.valid & ZIP_STAT_SIZE) && is_taken_whole(x, (text){ begin, (size_t)n }, stat.size))
        TRY(look_member_whole(x, z, i, (size_t)stat.size, &whole));
    if (whole || x->found)
        return OK;
    in = zip_fopen_index(z, i, 0);
    enum err e = in ? look_stream(x, read_member, in) : OK;
    if (in)
        zip_fclose(in);
    return e;
}

/* Opening reads the whole directory: first, whether it has more files than may be looked through. */
static enum err count_listed(struct card_search *x, text content)
{
    unsigned listed = 0;
    for (ptrdiff_t at; (at = text_find(content, TEXT("PK\1\2"))) >= 0; content = text_from(content, (size_t)at + 4))
        if (++listed > FILES_MAX)
            return say(x->arena, ERR_TOO_LARGE, "the file holds more than %d files, and cannot be looked through",
                       FILES_MAX);
    return OK;
}

static enum err look_zip(struct card_search *x, text content)
{
    TRY(count_listed(x, content));
    zip_error_t error;
    zip_source_t *source = zip_source_buffer_create(content.p, content.n, 0, NULL);
    zip_error_init(&error);
    zip_t *z = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : NULL;
    zip_error_fini(&error);
    if (!z) {
        zip_source_free(source);
        return OK; /* none, or damaged: its bytes as they are were looked through */
    }
    enum err e = OK;
    int64_t count = zip_get_num_entries(z, 0);
    for (int64_t i = 0; e == OK && i < count && !x->found; i++)
        e = look_member(x, z, (zip_uint64_t)i);
    zip_discard(z);
    return e;
}

static int64_t read_gzip(void *from, char *out, size_t size)
{
    z_stream *z = from;
    z->next_out = (Bytef *)out;
    z->avail_out = (uInt)size;
    int status = inflate(z, Z_NO_FLUSH);
    if (status == Z_STREAM_END && z->avail_in) /* another member follows (RFC 1952, 2.2) */
        inflateReset(z);
    return status == Z_OK || status == Z_STREAM_END ? (int64_t)(size - z->avail_out) : -1;
}

/* *whole: all of it was read, and looked through as a file of its own. What is larger is taken piece by piece. */
static enum err look_gzip_whole(struct card_search *x, z_stream *z, bool *whole)
{
    size_t room = INSIDE_MAX < x->left ? INSIDE_MAX : x->left, size = 0;
    char *all = malloc(room + 1);
    *whole = false;
    for (int64_t n = 1; all && n > 0 && size <= room; size += n > 0 ? (size_t)n : 0)
        n = read_gzip(z, all + size, room + 1 - size);
    enum err e = OK;
    *whole = all && size && is_taken_whole(x, (text){ all, size }, size) && size <= room;
    if (*whole)
        e = card_file_unpacked(x, size);
    if (*whole && e == OK)
        e = card_file_inside(x, (text){ all, size });
    free(all);
    return e;
}

static enum err look_gzip(struct card_search *x, text content)
{
    bool whole = false;
    enum err e = OK;
    for (int turn = 0; turn < 2 && e == OK && !whole; turn++) {
        z_stream z = { .next_in = (Bytef *)(uintptr_t)content.p, .avail_in = (uInt)content.n };
        if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
            return say(x->arena, ERR_MEMORY, "no memory to look through a file");
        e = turn ? look_stream(x, read_gzip, &z) : look_gzip_whole(x, &z, &whole);
        inflateEnd(&z);
    }
    return e;
}

/* ---- Tape archives (POSIX ustar): a head of 512 bytes, then the file. ---- */

enum { TAR_BLOCK = 512, TAR_SIZE = 124, TAR_SIGN = 257 };

static bool tar_like(text s) { return s.n >= TAR_BLOCK && text_starts(text_from(s, TAR_SIGN), TEXT("ustar")); }

static size_t tar_size(text head)
{
    size_t size = 0;
    for (size_t i = TAR_SIZE; i < TAR_SIZE + 11; i++)
        if (head.p[i] >= '0' && head.p[i] <= '7')
            size = size << 3 | (size_t)(head.p[i] - '0');
    return size;
}

/* Its bytes were looked through as they are: only what may hold others is left. */
static enum err look_tar(struct card_search *x, text content)
{
    while (tar_like(content) && !x->found) {
        size_t size = tar_size(content), blocks = (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
        content = text_from(content, TAR_BLOCK);
        TRY(count_file(x));
        if (size <= content.n && may_hold(content))
            TRY(card_file_inside(x, text_upto(content, size)));
        content = text_from(content, blocks < content.n ? blocks : content.n);
    }
    return OK;
}

/* ---- Files in base64: attached to a mail, or in a text. ---- */

/* As each kind begins in base64. */
static bool attached_begins(text stretch)
{
    static const text begins[] = { TEXT_INIT("UEsDB"), TEXT_INIT("JVBER"), TEXT_INIT("H4sI"), TEXT_INIT("e1xyd") };
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (text_starts(stretch, begins[i]))
            return true;
    return false;
}

static enum err look_attached(struct card_search *x, text content)
{
    ARENA_AUTO room = arena_make(2 * content.n + (1 << 20));
    text stretch;
    for (size_t i = 0; !x->found && veil_base64(&room, content, &i, &stretch);) {
        if (!attached_begins(stretch))
            continue;
        text clear = veil_decode64(&room, stretch, 0);
        TRY(count_file(x));
        TRY(card_file_unpacked(x, clear.n));
        TRY(card_file_inside(x, clear));
    }
    return arena_whole(&room) == OK ? OK : say(x->arena, ERR_MEMORY, "no memory to look through a file");
}

/* ---- Rich text. ---- */

/* Control words go: \par, \line, \tab and \cell as new lines, others as nothing; \'34 and \u52 as what they stand for.
 */
static enum err from_rich_text(struct arena *a, text s, text *out)
{
    static const text lines[] = { TEXT_INIT("par"), TEXT_INIT("line"), TEXT_INIT("tab"), TEXT_INIT("cell"),
                                  TEXT_INIT("row") };
    BUF_AUTO b = buf_make(4 * s.n + 16);
    for (size_t i = 0; i < s.n;) {
        size_t start = i + 1, end = start;
        int64_t number = 0;
        if (s.p[i] != '\\') {
            if (s.p[i] != '{' && s.p[i] != '}' && s.p[i] != '\r' && s.p[i] != '\n')
                buf_char(&b, s.p[i]);
            i++;
            continue;
        }
        if (start + 2 < s.n && s.p[start] == '\'') {
            buf_print(&b, "&#x%.2s;", s.p + start + 1);
            i += 4;
            continue;
        }
        while (end < s.n && ((s.p[end] | 0x20) >= 'a' && (s.p[end] | 0x20) <= 'z'))
            end++;
        text word = text_upto(text_from(s, start), end - start);
        size_t digits = end;
        while (digits < s.n && ((s.p[digits] >= '0' && s.p[digits] <= '9') || (digits == end && s.p[digits] == '-')))
            digits++;
        text_int(text_upto(text_from(s, end), digits - end), &number);
        for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
            if (text_eq(word, lines[k]))
                buf_char(&b, '\n');
        if (text_eq(word, TEXT("u")) && digits > end) {
            unicode_put(&b, (uint32_t)(number < 0 ? number + 65536 : number) & 0xFFFF);
            digits += digits < s.n && s.p[digits] == '?';
        } else if (!word.n && digits < s.n) {
            buf_char(&b, s.p[digits] == '~' ? ' ' : s.p[digits]); /* \~ is a blank, \_ a dash, \{ a brace */
            digits++;
        }
        i = digits + (word.n && digits < s.n && s.p[digits] == ' ');
    }
    return buf_take(a, &b, out);
}

static enum err look_rich_text(struct card_search *x, text content)
{
    ARENA_AUTO room = arena_make(4 * content.n + (1 << 20));
    text clear;
    TRY(from_rich_text(&room, content, &clear));
    return card_file_bytes(x, clear);
}

/* ---- Which of these. ---- */

static bool zip_like(text s)
{
    text end = text_from(s, s.n > 66000 ? s.n - 66000 : 0);
    return text_starts(s, TEXT("PK\3\4")) || text_find(end, TEXT("PK\5\6")) >= 0;
}

enum err card_file_inside(struct card_search *x, text content)
{
    if (x->depth == DEPTH_MAX)
        return say(x->arena, ERR_TOO_LARGE,
                   "the file holds files within files, more than %d deep, and cannot be looked through", DEPTH_MAX);
    x->depth++;
    enum err e = card_file_bytes(x, content);
    if (e == OK && !x->found && zip_like(content))
        e = look_zip(x, content);
    if (e == OK && !x->found && text_starts(content, TEXT("\x1F\x8B")))
        e = look_gzip(x, content);
    if (e == OK && !x->found && tar_like(content))
        e = look_tar(x, content);
    if (e == OK && !x->found)
        e = look_attached(x, content);
    if (e == OK && !x->found && text_starts(content, TEXT("{\\rtf")))
        e = look_rich_text(x, content);
    if (e == OK && !x->found && text_find(text_upto(content, 1024), TEXT("%PDF")) >= 0)
        e = card_pdf(x, content);
    x->depth--;
    return e;
}

enum err card_file(struct arena *a, text content, bool *found)
{
    size_t usual = UNPACKED_SMALL + RATIO * content.n;
    struct card_search x = { .arena = a, .left = usual < UNPACKED_MAX ? usual : UNPACKED_MAX };
    enum err e = card_file_inside(&x, content);
    *found = x.found;
    if (x.found || e == OK)
        return OK;
    return a->why.code == e ? e : say(a, e, "the file needs too much memory to be looked through");
}

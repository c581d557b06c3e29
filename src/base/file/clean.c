/* Files for the public, part by part: a part that is not known to show something does not pass. */
#include "base/file/clean.h"
#include "base/buf.h"
#include <zlib.h>

enum { GROWTH = 4096 };

static enum err bad(struct arena *a, const char *type, const char *what)
{
    return say(a, ERR_VALUE, "this %s cannot be published: %s", type, what);
}

static uint32_t big(text s, size_t at, int bytes)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | (uint8_t)s.p[at + (size_t)i];
    return v;
}

static uint32_t little(text s, size_t at, int bytes)
{
    uint32_t v = 0;
    for (int i = bytes; i-- > 0;)
        v = v << 8 | (uint8_t)s.p[at + (size_t)i];
    return v;
}

static void put_number(struct buf *b, uint32_t v, int bytes)
{
    while (bytes-- > 0)
        buf_char(b, (char)(v >> (8 * bytes) & 0xFF));
}

static enum err check_size(struct arena *a, const char *type, uint64_t width, uint64_t height)
{
    return width && height && width * height <= CLEAN_PIXELS ? OK : bad(a, type, "it has no size, or too many pixels");
}

/* ---- JPEG (ITU T.81): segments, each behind a marker; the coded picture behind SOS. ---- */

enum { M_SOI = 0xD8, M_EOI = 0xD9, M_SOS = 0xDA, M_APP0 = 0xE0, M_APP1 = 0xE1, M_APP14 = 0xEE, M_APP15 = 0xEF };

static bool is_frame(int marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* Tables, frames, restart intervals; JFIF's head and Adobe's, which say how colours are meant: alone, for a thumbnail
 * may show what was cut off the picture. */
static bool shows(int marker, text segment)
{
    enum { JFIF = 14, ADOBE = 12 };
    if (marker == M_APP0)
        return segment.n == JFIF && text_starts(segment, (text){ "JFIF\0", 5 }) && !segment.p[12] && !segment.p[13];
    if (marker == M_APP14)
        return segment.n == ADOBE && text_starts(segment, TEXT("Adobe"));
    return (marker >= 0xC0 && marker <= 0xCF) || (marker >= 0xDA && marker <= 0xDF);
}

/* How the picture is turned (tag 0x0112 of the first directory), 1 to 8; 0: not told. */
static uint32_t turn_of(text exif)
{
    text t = text_from(exif, 6);
    bool small = text_starts(t, TEXT("II"));
    if (!text_starts(exif, (text){ "Exif\0\0", 6 }) || t.n < 8 || (!small && !text_starts(t, TEXT("MM"))))
        return 0;
    uint32_t (*number)(text, size_t, int) = small ? little : big;
    size_t at = number(t, 4, 4);
    if (at > t.n || t.n - at < 2)
        return 0;
    size_t count = number(t, at, 2);
    for (size_t i = 0; i < count && t.n - at >= 2 + 12 * (i + 1); i++) {
        size_t entry = at + 2 + 12 * i;
        if (number(t, entry, 2) == 0x0112 && number(t, entry + 2, 2) == 3) {
            uint32_t turn = number(t, entry + 8, 2);
            return turn <= 8 ? turn : 0;
        }
    }
    return 0;
}

/* A directory of EXIF with that one tag. */
static void put_turn(struct buf *b, uint32_t turn)
{
    static const text head = TEXT_INIT("\xFF\xE1\0\x22"
                                       "Exif\0\0"
                                       "MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01");
    if (turn < 2)
        return;
    buf_add(b, head);
    put_number(b, turn, 2);
    put_number(b, 0, 2);
    put_number(b, 0, 4);
}

/* The coded picture: to the next marker that is neither a stuffed byte nor a restart. */
static size_t coded_end(text in, size_t at)
{
    while (at + 1 < in.n) {
        int next = (uint8_t)in.p[at + 1];
        if ((uint8_t)in.p[at] == 0xFF && next != 0 && next != 0xFF && !(next >= 0xD0 && next <= 0xD7))
            return at;
        at++;
    }
    return in.n;
}

struct jpeg {
    struct arena *a;
    text in;
    size_t at;
    struct buf *out;
    bool frame, scan;
};

static enum err jpeg_segment(struct jpeg *j, int marker)
{
    size_t length = j->in.n - j->at < 2 ? 0 : big(j->in, j->at, 2);
    if (length < 2 || length > j->in.n - j->at)
        return bad(j->a, "JPEG", "a part of it is cut off");
    text segment = text_upto(text_from(j->in, j->at + 2), length - 2);
    if (is_frame(marker)) {
        if (segment.n < 6)
            return bad(j->a, "JPEG", "its frame is cut off");
        TRY(check_size(j->a, "JPEG", big(segment, 3, 2), big(segment, 1, 2)));
        j->frame = true;
    }
    if (shows(marker, segment)) {
        buf_char(j->out, (char)0xFF);
        buf_char(j->out, (char)marker);
        buf_add(j->out, text_upto(text_from(j->in, j->at), length));
    }
    j->at += length;
    if (marker != M_SOS)
        return OK;
    size_t end = coded_end(j->in, j->at);
    buf_add(j->out, text_upto(text_from(j->in, j->at), end - j->at));
    j->at = end;
    j->scan = true;
    return OK;
}

/* The turn stands in front of the picture wherever EXIF stood. */
static uint32_t jpeg_turn(text in)
{
    for (size_t at = 2; at + 4 <= in.n && (uint8_t)in.p[at] == 0xFF && (uint8_t)in.p[at + 1] != M_SOS;) {
        size_t length = big(in, at + 2, 2);
        if ((uint8_t)in.p[at + 1] == M_APP1 && length >= 2) {
            uint32_t turn = turn_of(text_upto(text_from(in, at + 4), length - 2));
            if (turn)
                return turn;
        }
        at += 2 + length;
    }
    return 0;
}

static enum err clean_jpeg(struct arena *a, text in, struct buf *out)
{
    struct jpeg j = { .a = a, .in = in, .at = 2, .out = out };
    put_number(out, 0xFFD8, 2);
    put_turn(out, jpeg_turn(in));
    for (;;) {
        while (j.at + 1 < in.n && (uint8_t)in.p[j.at] == 0xFF && (uint8_t)in.p[j.at + 1] == 0xFF)
            j.at++; /* fill bytes */
        if (j.at + 2 > in.n || (uint8_t)in.p[j.at] != 0xFF)
            return bad(a, "JPEG", "it ends in the middle");
        int marker = (uint8_t)in.p[j.at + 1];
        j.at += 2;
        if (marker == M_EOI)
            break;
        if (marker < 0xC0 || marker == M_SOI)
            return bad(a, "JPEG", "it has a part that is unknown");
        TRY(jpeg_segment(&j, marker));
    }
    put_number(out, 0xFFD9, 2);
    return j.frame && j.scan ? OK : bad(a, "JPEG", "it shows nothing");
}

/* ---- PNG (ISO 15948): chunks with a check sum. ---- */

static bool png_shows(text name)
{
    static const text kept[] = { TEXT_INIT("IHDR"), TEXT_INIT("PLTE"), TEXT_INIT("IDAT"), TEXT_INIT("IEND"),
                                 TEXT_INIT("tRNS"), TEXT_INIT("gAMA"), TEXT_INIT("cHRM"), TEXT_INIT("sRGB"),
                                 TEXT_INIT("sBIT"), TEXT_INIT("bKGD"), TEXT_INIT("acTL"), TEXT_INIT("fcTL"),
                                 TEXT_INIT("fdAT") };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (text_eq(kept[i], name))
            return true;
    return false;
}

static enum err clean_png(struct arena *a, text in, struct buf *out)
{
    size_t at = 8;
    bool data = false;
    buf_add(out, text_upto(in, 8));
    for (;;) {
        if (in.n - at < 12 || big(in, at, 4) > in.n - at - 12)
            return bad(a, "PNG", "it ends in the middle");
        size_t length = big(in, at, 4);
        text name = text_upto(text_from(in, at + 4), 4), chunk = text_upto(text_from(in, at), length + 12);
        text summed = text_upto(text_from(chunk, 4), length + 4);
        if (crc32(0, (const Bytef *)summed.p, (uInt)summed.n) != big(chunk, length + 8, 4))
            return bad(a, "PNG", "a part of it is damaged");
        if ((at == 8) != text_eq(name, TEXT("IHDR")) || (at == 8 && length != 13))
            return bad(a, "PNG", "it does not begin with its size");
        if (at == 8)
            TRY(check_size(a, "PNG", big(in, 16, 4), big(in, 20, 4)));
        if (png_shows(name))
            buf_add(out, chunk);
        else if (!(name.p[0] & 0x20)) /* critical, and unknown */
            return bad(a, "PNG", "it has a part that is unknown");
        data |= text_eq(name, TEXT("IDAT"));
        at += length + 12;
        if (text_eq(name, TEXT("IEND")))
            return data ? OK : bad(a, "PNG", "it shows nothing");
    }
}

/* ---- WebP (RFC 9649): chunks of RIFF. A moving one is refused: its frames hold chunks of their own. ---- */

static bool webp_shows(text name)
{
    static const text kept[] = { TEXT_INIT("VP8 "), TEXT_INIT("VP8L"), TEXT_INIT("VP8X"), TEXT_INIT("ALPH") };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (text_eq(kept[i], name))
            return true;
    return false;
}

/* VP8X says what follows: colour profile, EXIF and XMP are no longer there. */
static enum err put_extended(struct arena *a, text body, struct buf *out)
{
    enum { PROFILE = 0x20, EXIF = 0x08, XMP = 0x04 };
    if (body.n != 10)
        return bad(a, "WebP", "its head is damaged");
    TRY(check_size(a, "WebP", little(body, 4, 3) + 1ull, little(body, 7, 3) + 1ull));
    buf_char(out, (char)((uint8_t)body.p[0] & ~(PROFILE | EXIF | XMP)));
    buf_add(out, text_from(body, 1));
    return OK;
}

/* Width and height as the coded picture itself has them, fourteen bits each (RFC 6386, 9.1; RFC 9649, 3.4). */
static enum err check_coded(struct arena *a, text name, text body)
{
    enum { SIDE = 0x3FFF };
    if (body.n < 10)
        return bad(a, "WebP", "its picture is cut off");
    if (text_eq(name, TEXT("VP8L"))) {
        uint32_t bits = (uint32_t)little(body, 1, 4);
        return check_size(a, "WebP", (bits & SIDE) + 1ull, (bits >> 14 & SIDE) + 1ull);
    }
    return check_size(a, "WebP", little(body, 6, 2) & SIDE, little(body, 8, 2) & SIDE);
}

static enum err put_webp_chunk(struct arena *a, text name, text chunk, size_t length, struct buf *out)
{
    if (!webp_shows(name))
        return OK;
    buf_add(out, text_upto(chunk, 8));
    text body = text_upto(text_from(chunk, 8), length);
    if (text_starts(name, TEXT("VP8")) && !text_eq(name, TEXT("VP8X")))
        TRY(check_coded(a, name, body));
    if (text_eq(name, TEXT("VP8X")))
        TRY(put_extended(a, body, out));
    else
        buf_add(out, body);
    if (length & 1)
        buf_char(out, 0);
    return OK;
}

static enum err clean_webp(struct arena *a, text in, struct buf *out)
{
    size_t all = little(in, 4, 4);
    bool data = false;
    if (all > in.n - 8 || all < 4)
        return bad(a, "WebP", "it ends in the middle");
    BUF_AUTO kept = buf_make(in.n + GROWTH);
    text body;
    for (size_t at = 12; at < all + 8;) {
        text chunk = text_upto(text_from(in, at), all + 8 - at), name = text_upto(chunk, 4);
        size_t length = chunk.n < 8 ? SIZE_MAX : little(chunk, 4, 4);
        if (chunk.n < 8 || length > chunk.n - 8)
            return bad(a, "WebP", "a part of it is cut off");
        TRY(put_webp_chunk(a, name, chunk, length, &kept));
        data |= text_eq(name, TEXT("VP8 ")) || text_eq(name, TEXT("VP8L")) || text_eq(name, TEXT("ANMF"));
        at += 8 + length + (length & 1);
    }
    if (!data)
        return bad(a, "WebP", "it shows nothing");
    TRY(buf_take(a, &kept, &body));
    buf_add(out, TEXT("RIFF"));
    for (int i = 0; i < 4; i++)
        buf_char(out, (char)((body.n + 4) >> (8 * i) & 0xFF));
    buf_add(out, TEXT("WEBP"));
    buf_add(out, body);
    return OK;
}

/* ---- MP4 (ISO 14496-12): boxes in boxes. Places in the file are told from its begin, so nothing moves: what does not
 * pass becomes free room of zeros. ---- */

enum { BOXES_DEEP = 8, BOXES_MOST = 20000 };
struct mp4 {
    struct arena *a;
    char *bytes;
    size_t n, boxes;
    bool moving, data, track, known;
};

static bool in_list(text name, const char *list)
{
    for (; *list; list += 4)
        if (memcmp(list, name.p, 4) == 0)
            return true;
    return false;
}

static void blank(struct mp4 *m, size_t at, size_t head, size_t size)
{
    memcpy(m->bytes + at + 4, "free", 4);
    memset(m->bytes + at + head, 0, size - head);
}

/* When it was made and changed: behind version and flags. */
static void forget_times(struct mp4 *m, size_t at, size_t head, size_t size)
{
    size_t times = size - head < 4 || !m->bytes[at + head] ? 8 : 16;
    if (size - head >= 4 + times)
        memset(m->bytes + at + head + 4, 0, times);
}

/* The handler of a track: pictures or sound, its name gone. Data that run along (places, of cameras) are refused. */
static enum err take_handler(struct mp4 *m, size_t at, size_t head, size_t size)
{
    text all = { m->bytes + at + head, size - head };
    if (all.n < 24)
        return bad(m->a, "video", "a track says not what it is");
    text kind = text_upto(text_from(all, 8), 4);
    if (!text_eq(kind, TEXT("vide")) && !text_eq(kind, TEXT("soun")))
        return bad(m->a, "video", "besides pictures and sound it has a track of data, such as places");
    memset(m->bytes + at + head + 12, 0, size - head - 12);
    m->known = true;
    return OK;
}

/* One box at `at`; *size: with its head. */
static enum err box_at(struct mp4 *m, size_t at, size_t end, size_t *head, size_t *size)
{
    text all = { m->bytes, m->n };
    *head = 8;
    if (end - at < 8 || ++m->boxes > BOXES_MOST)
        return bad(m->a, "video", "a part of it is cut off");
    *size = big(all, at, 4);
    if (*size == 1) {
        *head = 16;
        uint64_t wide = end - at < 16 ? 0 : (uint64_t)big(all, at + 8, 4) << 32 | big(all, at + 12, 4);
        *size = wide > end - at ? 0 : (size_t)wide;
    } else if (*size == 0)
        *size = end - at;
    return *size < *head || *size > end - at ? bad(m->a, "video", "a part of it is cut off") : OK;
}

static enum err walk(struct mp4 *m, size_t at, size_t end, int depth);

static enum err take_box(struct mp4 *m, size_t at, size_t head, size_t size, int depth)
{
    static const char inside[] = "moovtrakmdiaminfstbledtsmvextrafmoofdinf",
                      plain[] = "ftypstypmdatmvhdtkhdmdhdvmhdsmhdstsdsttsstscstszstz2stcoco64stssctts"
                                "elstdrefurl mehdtrextfhdtfdttrunmfhdmfrasidxsdtpsbgpsgpdfreeskip";
    text name = { m->bytes + at + 4, 4 };
    m->moving |= text_eq(name, TEXT("moov"));
    m->data |= text_eq(name, TEXT("mdat"));
    if (text_eq(name, TEXT("trak"))) {
        m->track = true;
        m->known = false;
        TRY(walk(m, at + head, at + size, depth + 1));
        return m->known ? OK : bad(m->a, "video", "a track says not what it is");
    }
    if (in_list(name, inside))
        return walk(m, at + head, at + size, depth + 1);
    if (text_eq(name, TEXT("hdlr")))
        return take_handler(m, at, head, size);
    if (text_eq(name, TEXT("mvhd")) || text_eq(name, TEXT("tkhd")) || text_eq(name, TEXT("mdhd")))
        forget_times(m, at, head, size);
    else if (!in_list(name, plain) || text_eq(name, TEXT("free")) || text_eq(name, TEXT("skip")))
        blank(m, at, head, size);
    return OK;
}

static enum err walk(struct mp4 *m, size_t at, size_t end, int depth)
{
    if (depth > BOXES_DEEP)
        return bad(m->a, "video", "it is nested too deeply");
    while (at < end) {
        size_t head = 0, size = 0;
        TRY(box_at(m, at, end, &head, &size));
        TRY(take_box(m, at, head, size, depth));
        at += size;
    }
    return OK;
}

static enum err clean_mp4(struct arena *a, text in, text *out)
{
    struct mp4 m = { .a = a, .bytes = arena_alloc(a, in.n + 1), .n = in.n };
    TRY_PTR(m.bytes);
    memcpy(m.bytes, in.p, in.n);
    TRY(walk(&m, 0, in.n, 0));
    if (!m.moving || !m.data || !m.track)
        return bad(a, "video", "it shows nothing");
    *out = (text){ m.bytes, m.n };
    return OK;
}

/* ---- By their first bytes. ---- */

enum err clean_file(struct arena *a, text in, text *type, text *out)
{
    static const text png = TEXT_INIT("\x89PNG\r\n\x1A\n");
    enum err (*image)(struct arena *, text, struct buf *) = NULL;
    if (text_starts(in, TEXT("\xFF\xD8\xFF"))) {
        *type = TEXT("image/jpeg");
        image = clean_jpeg;
    } else if (text_starts(in, png)) {
        *type = TEXT("image/png");
        image = clean_png;
    } else if (in.n > 16 && text_starts(in, TEXT("RIFF")) && text_starts(text_from(in, 8), TEXT("WEBP"))) {
        *type = TEXT("image/webp");
        image = clean_webp;
    } else if (in.n > 16 && text_starts(text_from(in, 4), TEXT("ftyp"))) {
        *type = TEXT("video/mp4");
        return clean_mp4(a, in, out);
    }
    if (!image)
        return say(a, ERR_VALUE, "only pictures (JPEG, PNG, WebP) and videos (MP4) can be published");
    BUF_AUTO b = buf_make(in.n + GROWTH);
    TRY(image(a, in, &b));
    return buf_take(a, &b, out);
}

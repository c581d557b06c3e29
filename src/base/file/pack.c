/* ZIP archives front to back: local header, deflated content, its sizes behind it; at the end the list, with ZIP64
 * where it must be. */
#include "base/file/pack.h"
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum {
    METHOD_DEFLATE = 8,
    FLAGS = 1 << 3 | 1 << 11,
    VERSION = 20,
    VERSION_64 = 45,
    MADE_BY = 3 << 8 | VERSION_64,
    STEP = 32 << 10
};
static const uint64_t FOUR = UINT32_MAX; /* from here on a place does not fit its four bytes */

struct pack_entry {
    struct pack_entry *next;
    text name;
    uint64_t at, packed, size;
    uint32_t crc;
};

static void put(struct buf *b, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_char(b, (char)(value >> (8 * i)));
}

/* Two seconds a step, from 1980 to 2107: what lies outside is told by the nearest. */
static uint32_t dos_time(msec at)
{
    struct date day = date_of(at);
    msec rest = (at - date_start(day)) / SECOND;
    if (day.year < 1980)
        return 1 << 21 | 1 << 16;
    unsigned year = day.year > 2107 ? 127 : (unsigned)day.year - 1980;
    return (uint32_t)(year << 25 | (unsigned)day.month << 21 | (unsigned)day.day << 16 | (unsigned)(rest / 3600) << 11 |
                      (unsigned)(rest / 60 % 60) << 5 | (unsigned)(rest % 60) / 2);
}

void pack_begin(struct pack *z, struct arena *a, uint64_t at, msec time)
{
    *z = (struct pack){ .arena = a, .at = at, .time = time };
    z->end = &z->first;
}

void pack_free(struct pack *z)
{
    if (z->deflate)
        deflateEnd(z->deflate);
    free(z->deflate);
    z->deflate = NULL;
}

static enum err grown(struct pack *z, const struct buf *out, size_t before)
{
    TRY(buf_check(z->arena, out));
    z->at += out->n - before;
    return OK;
}

/* What the local header and the list both say: flags, method, time, and, in the list alone, the sizes. */
static void put_facts(struct buf *b, const struct pack *z, const struct pack_entry *e, bool listed)
{
    put(b, FLAGS, 2);
    put(b, METHOD_DEFLATE, 2);
    put(b, dos_time(z->time), 4);
    put(b, listed ? e->crc : 0, 4);
    put(b, listed ? e->packed : 0, 4);
    put(b, listed ? e->size : 0, 4);
    put(b, e->name.n, 2);
}

enum err pack_open(struct pack *z, struct buf *out, text name, bool small)
{
    struct pack_entry *e = NEW(z->arena, struct pack_entry);
    size_t before = out->n;
    if (name.n > UINT16_MAX)
        return say(z->arena, ERR_VALUE, "a file's name is too long for an archive");
    TRY_PTR(e);
    *e = (struct pack_entry){ .name = arena_copy(z->arena, name), .at = z->at, .crc = (uint32_t)crc32(0, NULL, 0) };
    TRY_PTR(e->name.p);
    z_stream *s = calloc(1, sizeof *s);
    if (!s || deflateInit2(s, small ? Z_DEFAULT_COMPRESSION : Z_NO_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8,
                           Z_DEFAULT_STRATEGY) != Z_OK) {
        free(s);
        return say(z->arena, ERR_MEMORY, "no memory for an archive");
    }
    z->deflate = s;
    *z->end = e;
    z->count++;
    put(out, 0x04034b50, 4);
    put(out, VERSION, 2);
    put_facts(out, z, e, false);
    put(out, 0, 2);
    buf_add(out, e->name);
    return grown(z, out, before);
}

/* All of s->next_in, into `out`. */
static enum err run(struct pack *z, struct buf *out, int flush)
{
    z_stream *s = z->deflate;
    struct pack_entry *e = *z->end;
    size_t before = out->n;
    int status;
    do {
        char *room = buf_room(out, STEP);
        if (!room)
            return say(z->arena, ERR_MEMORY, "no memory for an archive");
        s->next_out = (Bytef *)room;
        s->avail_out = STEP;
        status = deflate(s, flush);
        out->n -= s->avail_out;
        if (status == Z_STREAM_ERROR)
            return say(z->arena, ERR_INTERNAL, "an archive cannot be packed");
    } while (s->avail_out == 0 || (flush == Z_FINISH && status != Z_STREAM_END));
    e->packed += out->n - before;
    return grown(z, out, before);
}

enum err pack_add(struct pack *z, struct buf *out, text bytes)
{
    z_stream *s = z->deflate;
    struct pack_entry *e = *z->end;
    e->size += bytes.n;
    if (e->size + (e->size >> 8) >= FOUR || bytes.n > INT_MAX)
        return say(z->arena, ERR_TOO_LARGE, "a file of 4 GiB cannot go into an archive");
    if (!bytes.n)
        return OK;
    e->crc = (uint32_t)crc32(e->crc, (const Bytef *)bytes.p, (uInt)bytes.n);
    s->next_in = (Bytef *)(uintptr_t)bytes.p;
    s->avail_in = (uInt)bytes.n;
    return run(z, out, Z_NO_FLUSH);
}

enum err pack_close(struct pack *z, struct buf *out)
{
    struct pack_entry *e = *z->end;
    TRY(run(z, out, Z_FINISH));
    pack_free(z);
    size_t before = out->n;
    put(out, 0x08074b50, 4);
    put(out, e->crc, 4);
    put(out, e->packed, 4);
    put(out, e->size, 4);
    z->end = &e->next;
    return grown(z, out, before);
}

enum err pack_file(struct pack *z, struct buf *out, text name, bool small, text content)
{
    TRY(pack_open(z, out, name, small));
    TRY(pack_add(z, out, content));
    return pack_close(z, out);
}

static void put_listed(struct buf *b, const struct pack *z, const struct pack_entry *e)
{
    bool far = e->at >= FOUR;
    put(b, 0x02014b50, 4);
    put(b, MADE_BY, 2);
    put(b, far ? VERSION_64 : VERSION, 2);
    put_facts(b, z, e, true);
    put(b, far ? 12 : 0, 2);            /* bytes of the extra field */
    put(b, 0, 2);                       /* of the comment */
    put(b, 0, 2);                       /* disk */
    put(b, 0, 2);                       /* internal attributes */
    put(b, (uint64_t)0100600 << 16, 4); /* a plain file that its owner alone reads: it is personal */
    put(b, far ? FOUR : e->at, 4);
    buf_add(b, e->name);
    if (!far)
        return;
    put(b, 1, 2); /* ZIP64: what did not fit */
    put(b, 8, 2);
    put(b, e->at, 8);
}

static void put_end_64(struct buf *b, const struct pack *z, uint64_t from, uint64_t to)
{
    put(b, 0x06064b50, 4);
    put(b, 44, 8); /* bytes of this record that follow */
    put(b, MADE_BY, 2);
    put(b, VERSION_64, 2);
    put(b, 0, 8); /* disks */
    put(b, z->count, 8);
    put(b, z->count, 8);
    put(b, to - from, 8);
    put(b, from, 8);
    put(b, 0x07064b50, 4); /* where that record stands */
    put(b, 0, 4);
    put(b, to, 8);
    put(b, 1, 4);
}

enum err pack_end(struct pack *z, struct buf *out)
{
    uint64_t from = z->at;
    size_t before = out->n;
    for (const struct pack_entry *e = z->first; e; e = e->next)
        put_listed(out, z, e);
    uint64_t to = from + (out->n - before);
    bool large = to >= FOUR || z->count >= UINT16_MAX;
    if (large)
        put_end_64(out, z, from, to);
    uint64_t count = large ? UINT16_MAX : z->count;
    put(out, 0x06054b50, 4);
    put(out, 0, 4); /* disks */
    put(out, count, 2);
    put(out, count, 2);
    put(out, large ? FOUR : to - from, 4);
    put(out, large ? FOUR : from, 4);
    put(out, 0, 2); /* bytes of the comment */
    return grown(z, out, before);
}

/* ---- One text, whole. ---- */

enum err pack_gzip(struct arena *a, text in, int effort, text *out)
{
    enum { GZIP = 16 + MAX_WBITS };
    z_stream z = { 0 };
    *out = (text){ NULL, 0 };
    size_t room = in.n * 9 / 10;
    char *bytes = arena_alloc(a, room + 1);
    TRY_PTR(bytes);
    if (deflateInit2(&z, effort, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return say(a, ERR_MEMORY, "no memory to pack an answer");
    z.next_in = (Bytef *)(uintptr_t)in.p;
    z.avail_in = (uInt)in.n;
    z.next_out = (Bytef *)bytes;
    z.avail_out = (uInt)room;
    int status = deflate(&z, Z_FINISH);
    deflateEnd(&z);
    if (status == Z_STREAM_END)
        *out = (text){ bytes, room - z.avail_out };
    return OK;
}

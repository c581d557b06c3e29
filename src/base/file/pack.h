/* ZIP archives written front to back (APPNOTE 6.3.10): nothing is gone back to, so that they can be sent while they are
 * made, whatever their size. Sizes stand behind each file (flag 3); places beyond 4 GiB and more than 65,535 files are
 * told by ZIP64. */
#ifndef BASE_FILE_PACK_H
#define BASE_FILE_PACK_H
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

struct pack_entry;
struct pack {
    struct arena *arena; /* of the names and places that the end lists */
    struct pack_entry *first, **end;
    uint64_t count, at; /* at: bytes made so far, which is where the next one stands */
    msec time;          /* of every file, in UTC */
    void *deflate;      /* of the file that is open; NULL: none is */
};
#define PACK_AUTO CLEANUP(pack_free) struct pack

/* `at`: how many bytes stand before it already; 0 in a file of its own. */
void pack_begin(struct pack *z, struct arena *a, uint64_t at, msec time);
/* Opens a file; `small`: its content is worth packing (pictures and the like are packed already). ERR_MEMORY, ERR_VALUE
 * for a name of more than 65,535 bytes. */
enum err pack_open(struct pack *z, struct buf *out, text name, bool small);
/* More of its content. Everything is written behind what stands in `out`; ERR_TOO_LARGE once one file has 4 GiB. */
enum err pack_add(struct pack *z, struct buf *out, text bytes);
enum err pack_close(struct pack *z, struct buf *out);
/* A whole file. */
enum err pack_file(struct pack *z, struct buf *out, text name, bool small, text content);
/* The list of all files, with which the archive ends. */
enum err pack_end(struct pack *z, struct buf *out);
void pack_free(struct pack *z);

/* The gzip coding of `in` (RFC 1952), by zlib's effort 1 to 9; p NULL where it would not be a tenth smaller. */
enum err pack_gzip(struct arena *a, text in, int effort, text *out);

#endif

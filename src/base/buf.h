/* Bounded buffers: sticky-error builders of bytes, for answers, JSON, HTML, and files. */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include "err.h"
#include <stdarg.h>

struct arena;

struct buf {
    char *p;
    size_t n, capacity, limit; /* limit: the most it may grow to, in bytes */
    bool failed;               /* sticky: beyond the limit or out of memory; later calls do nothing */
    bool starved;              /* it failed for want of memory, not for its limit */
};

enum { BUF_DEFAULT_LIMIT = 64 << 20 };

/* An empty builder that holds at most `limit` bytes; what does not fit, and memory that is not there, mark it as failed
 * (buf_take and its like say so). Freed by buf_free or BUF_AUTO. */
struct buf buf_make(size_t limit);
void buf_free(struct buf *b); /* an empty one, too */
void buf_clear(struct buf *b); /* empties it, keeps the memory, forgets the error */
#define BUF_AUTO __attribute__((cleanup(buf_free))) struct buf

/* Each adds at the end. buf_int: decimal digits; buf_hex: two small hexadecimal digits a byte. */
void buf_add(struct buf *b, text s);
void buf_char(struct buf *b, char c);
void buf_print(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprint(struct buf *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void buf_int(struct buf *b, int64_t value);
void buf_hex(struct buf *b, text bytes);
void buf_base64(struct buf *b, text bytes);    /* RFC 4648 §4, padded */
void buf_base64url(struct buf *b, text bytes); /* RFC 4648 §5, not padded */
void buf_percent(struct buf *b, text s);       /* RFC 3986: all but unreserved letters escaped */
void buf_html(struct buf *b, text s);          /* escaped for text and quoted attributes */
char *buf_room(struct buf *b, size_t n);       /* n bytes to write at the end, NULL when failed */

void buf_join(struct buf *b, const struct buf *other); /* what the other built; its failure becomes b's */
/* What was built, to be written into `to` by another function (escaped, wrapped): its failure becomes that of `to`. */
text buf_for(struct buf *to, const struct buf *b);
void buf_fail(struct buf *b); /* what it stands for cannot be built */
void buf_wipe(struct buf *b); /* zeroes what was built, and empties it: for secrets */

/* What was built leaves a builder by these alone (tools/layers looks), so that a failed one is never taken for an empty
 * one: ERR_TOO_LARGE beyond its limit, ERR_MEMORY without memory, said in `a`; *out is then the empty slice, p NULL.
 * After a success p is not NULL, whatever the length. */
#define BUF_ANSWERS __attribute__((warn_unused_result))
enum err buf_take(struct arena *a, const struct buf *b, text *out) BUF_ANSWERS; /* a copy in `a` */
/* The same for a function that gives a text: p NULL after a failure, and the arena keeps it (arena.lost), so that no
 * write, answer or output is made from what lacks a part. */
text buf_made(struct arena *a, const struct buf *b);
enum err buf_lend(struct arena *a, const struct buf *b,
                  text *out) BUF_ANSWERS; /* b's own bytes, until b changes or ends */
/* What was built so far, failed or not: to look whether it holds a word already, or for a reason in say(), whose length
 * is bounded. */
text buf_begun(const struct buf *b);
enum err buf_check(struct arena *a,
                   const struct buf *b) BUF_ANSWERS; /* nothing taken: for who fills another's builder */

#endif

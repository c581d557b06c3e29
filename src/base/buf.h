/* Bounded buffers: sticky-error builders of bytes, for answers, JSON, HTML, and files. */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include "text.h"
#include <stdarg.h>

struct buf {
    char *p;
    size_t n, capacity, limit;   /* limit: the most it may grow to, in bytes */
    bool failed;                 /* sticky: out of memory or beyond the limit; later calls do nothing */
};

enum { BUF_DEFAULT_LIMIT = 64 << 20 };

struct buf buf_make(size_t limit);
void buf_free(struct buf *b);
void buf_clear(struct buf *b);                        /* empties it, keeps the memory, forgets the error */
#define BUF_AUTO __attribute__((cleanup(buf_free))) struct buf

void buf_add(struct buf *b, text s);
void buf_char(struct buf *b, char c);
void buf_print(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprint(struct buf *b, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void buf_int(struct buf *b, int64_t value);
void buf_hex(struct buf *b, text bytes);
void buf_base64(struct buf *b, text bytes);           /* RFC 4648 §4, padded */
void buf_base64url(struct buf *b, text bytes);        /* RFC 4648 §5, not padded */
void buf_percent(struct buf *b, text s);               /* RFC 3986: all but unreserved letters escaped */
void buf_html(struct buf *b, text s);                 /* escaped for text and quoted attributes */
char *buf_room(struct buf *b, size_t n);              /* n bytes to write at the end, NULL when failed */

/* What was built; empty after a failure, so check b->failed where emptiness is not an error. */
text buf_text(const struct buf *b);

#endif

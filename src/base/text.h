/* Text slices: a pointer and a length, never owned, never assumed to end with NUL. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct text {
    const char *p;
    size_t n;
} text;

/* A literal as a slice; usable in static initialisers. */
#define TEXT(lit) ((text){ "" lit, sizeof(lit) - 1 })
#define TEXT_INIT(lit)                                                                                                 \
    {                                                                                                                  \
        "" lit, sizeof(lit) - 1                                                                                        \
    }
/* A slice as the two arguments of a "%.*s". */
#define T(s) (int)(s).n, (s).p
/* The bytes of any object as a slice. */
#define TEXT_BYTES(object) ((text){ (const char *)&(object), sizeof(object) })

text text_of(const char *cstr); /* NULL becomes the empty slice */
/* Byte by byte. */
static inline bool text_eq(text a, text b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }
bool text_eq_nocase(text a, text b); /* ASCII letters only */
int text_cmp(text a, text b);        /* byte order, as memcmp then length */
bool text_starts(text s, text prefix); /* an empty one always does */
bool text_ends(text s, text suffix); /* an empty one always does */
text text_trim(text s);                   /* ASCII blanks at both ends */
text text_from(text s, size_t start);     /* the rest after `start`, empty when beyond */
text text_upto(text s, size_t count);     /* the first `count` bytes or fewer */
ptrdiff_t text_index(text s, char c);     /* first position, -1 when absent */
ptrdiff_t text_find(text s, text needle); /* first position, -1 when absent */

/* Cuts `*rest` at the first `sep`: returns what stood before it and moves `*rest` behind it.
 * Without a separator the whole is returned and `*rest` becomes empty with p NULL. */
text text_cut(text *rest, char sep);

/* Decimal integer, sign allowed, no blanks; false on anything else or on overflow. */
bool text_int(text s, int64_t *out);

/* True when `s` is well-formed UTF-8 (RFC 3629: no overlong form, surrogate, or above U+10FFFF) without NUL. */
bool text_utf8(text s);

/* Edit distance for "did you mean"; stops counting above `limit`. */
unsigned text_distance(text a, text b, unsigned limit);

/* One bounded copy to a C string for libc and library calls; false when it does not fit or holds a NUL. */
bool text_cstr(text s, char *out, size_t size);

#endif

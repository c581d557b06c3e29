/* Decoders for hexadecimal, base64 and percent-encoding; each refuses what is not exactly in its form. */
#ifndef BASE_DECODE_H
#define BASE_DECODE_H
#include "arena.h"

/* Exactly `size` bytes from 2*size hexadecimal digits, either case. */
bool decode_hex(text in, void *out, size_t size);
/* RFC 4648 §4 (padded) or §5 (unpadded) with canonical trailing bits; p is NULL when malformed. */
text decode_base64(struct arena *a, text in);
text decode_base64url(struct arena *a, text in);
/* application/x-www-form-urlencoded: '+' is a blank; p is NULL when an escape is malformed or decodes to NUL. */
text decode_percent(struct arena *a, text in, bool plus_is_blank);

#endif

/* The strictness gate: refuses what the HTTP library lets pass and a proxy may read otherwise (request smuggling). */
#ifndef FRONT_WIRE_STRICT_H
#define FRONT_WIRE_STRICT_H
#include "front/door/request.h"

/* The head of a request as libmicrohttpd left it: slices into one buffer, where it only put NULs in place of
 * separators. From their distances one sees every byte that its parser skipped: bare line feeds, folded lines, NULs,
 * doubled blanks. */
struct head {
    text method, target, version;
    const struct pair *headers;
    size_t count;
    size_t bytes; /* of the whole head, from the method to the empty line's end */
};
/* Of the body; 0: none, or it comes in chunks and tells its end itself. */
struct framing {
    uint64_t length;
    bool chunked;
};
enum { HEAD_LIMIT = 16 << 10 }; /* bytes of a head; half of what libmicrohttpd has for one */

/* ERR_USAGE with the reason for: another line end than CRLF, a folded line, a NUL or another control byte, a name that
 * is no token, another version than 1.0 and 1.1, no or two Host, two Content-Length or one that is not only digits,
 * Content-Length beside Transfer-Encoding, and repeated headers that carry one value. ERR_LENGTH for another
 * Transfer-Encoding than chunked. ERR_HEADERS_TOO_LARGE beyond REQUEST_HEADERS. ERR_MEDIA_TYPE for an encoded body. */
enum err strict_check(struct arena *a, const struct head *h, struct framing *out);
/* The same on the bytes themselves, before the library sees the first request of a connection; *whole is false while
 * more of the head must come. ERR_HEADERS_TOO_LARGE beyond HEAD_LIMIT. What has come of a body in chunks is held
 * against RFC 9112, 7.1, too: ERR_USAGE for another line end than CRLF, a size that is none or too short, a line of
 * more than 1,024 bytes, more than 16 trailers. The library takes bare line feeds there, which is how requests are
 * smuggled (RFC 9112, 11.2): so behind a body in chunks the connection always ends. */
enum err strict_peek(struct arena *a, text bytes, bool *whole);

#endif

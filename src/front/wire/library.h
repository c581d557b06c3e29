/* What is needed of libmicrohttpd beyond what its manual promises: read in one place, and tried when the server starts.
 */
#ifndef FRONT_WIRE_LIBRARY_H
#define FRONT_WIRE_LIBRARY_H
#include "front/wire/strict.h"
#include <microhttpd.h>

/* How strict the library is with clients: 1.0 takes folded lines and bare line feeds at 0 and hides that it did. */
enum { LIBRARY_STRICTNESS = 1 };

/* The descriptor that the library was given with this connection; -1 when it does not tell. */
int library_descriptor(struct MHD_Connection *mhd);
/* The pointer that the start of the connection left with it; NULL for none. */
void *library_context(struct MHD_Connection *mhd);
/* The head as it stands in the library's buffer. `line`: where the line's callback saw the target, `line_size`: its
 * bytes. `headers`: room for REQUEST_HEADERS; `out->count` counts all. ERR_USAGE when the request line has no target.
 */
enum err library_head(struct arena *a, struct MHD_Connection *mhd, const char *url, const char *method,
                      const char *version, text line, struct pair *headers, struct head *out);
/* Wipes what was copied out of the library's buffer, which it keeps until the connection ends: a body's piece, in the
 * callback that got it. */
void library_wipe(const char *data, size_t size);
/* The same for what proves who asks (Authorization, Cookie), once the request has ended. */
void library_wipe_proofs(struct MHD_Connection *mhd);
/* Hands requests, good and bad, to a daemon of its own: ERR_CONFIG, and what goes wrong, when this version of the
 * library does not begin, tell and end connections as src/front/wire/loop.c takes it, or when a head that is not strict
 * would pass. */
enum err library_try(struct arena *a);

#endif

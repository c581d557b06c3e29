/* Assets: files that tools/embed put into the program, with their media type and validators. */
#ifndef BASE_FILE_ASSET_H
#define BASE_FILE_ASSET_H
#include "base/text.h"

/* One coding of a file. The strong ETag, quotes included, differs between codings (RFC 9110, 8.8.3.3). */
struct asset_body {
    text bytes, etag;
};
struct asset {
    text name;               /* relative to its folder: "app.css", "fonts/text.woff2" */
    text type;               /* "text/css; charset=utf-8" */
    text sha256;             /* of the plain bytes, 32 bytes */
    struct asset_body plain; /* followed by a NUL that the length does not count; aligned to 16 */
    struct asset_body gzip;  /* p NULL where it would not be a tenth smaller */
};
/* What one run of tools/embed made, in the order of the names. */
struct assets {
    const struct asset *items;
    size_t count;
};

/* The asset of that name, or NULL. */
const struct asset *asset_find(const struct assets *all, text name);

#endif

/* Pictures and videos as they may be shown in public: known by their bytes, written anew from the parts that show
 * something, without what else a camera or program put in (EXIF, GPS, XMP, comments, thumbnails, what hangs behind). */
#ifndef BASE_FILE_CLEAN_H
#define BASE_FILE_CLEAN_H
#include "base/arena.h"

/* *type: "image/jpeg", "image/png", "image/webp" or "video/mp4", of static memory; *out: the cleaned bytes, in the
 * arena. Of what EXIF says the turn of a JPEG alone is kept. ERR_VALUE, saying why, for any other type, what is
 * malformed, above CLEAN_PIXELS, or has tracks of data besides pictures and sound: what cannot be cleaned is refused.
 */
enum err clean_file(struct arena *a, text in, text *type, text *out);
enum { CLEAN_PIXELS = 100 << 20 };

#endif

/* Texts in the character sets that office programs write, brought to UTF-8. */
#ifndef BASE_FILE_CHARSET_H
#define BASE_FILE_CHARSET_H
#include "base/arena.h"

/* UTF-16 when a byte order mark says so, or when the first character of it is one of ASCII: in *out (arena) as UTF-8.
 * False when `raw` is nothing of the kind; p NULL when out of memory. What is no pair of surrogates becomes U+FFFD. */
bool charset_utf16(struct arena *a, text raw, text *out);
/* A table or text as it came: UTF-8 (its mark passed over), UTF-16, or else Windows-1252, which is what Excel writes in
 * western Europe. ERR_VALUE when it is no text in any of these. */
enum err charset_text(struct arena *a, text raw, text *out);

#endif

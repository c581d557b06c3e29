/* Writings behind which a text is not seen at once: escapes, mark-up, folded lines, base64. Each is lifted by one
 * function. */
#ifndef BASE_VEIL_H
#define BASE_VEIL_H
#include "arena.h"

enum veil {
    VEIL_ESCAPES, /* %34, %u0034, &#52; &#x34; &nbsp; \u0034 \x34 */
    VEIL_QUOTED,  /* quoted-printable (RFC 2045, 6.7): =34, and lines that end with = */
    VEIL_FOLDED, /* lines that go on behind a line end and one blank: letters, vCard (RFC 6350, 3.2), iCalendar, LDIF */
    VEIL_TAGS,   /* elements of HTML and XML: a new line for those that begin one, nothing for others */
    VEIL_ELEMENTS, /* the same, a new line for every element */
    VEIL_LIKE,     /* O and l where digits stand */
    VEIL_EXPONENT, /* 4.5E+15 where that is a whole number */
    VEIL_CODES,    /* digits by their codes, one beside the other: 34-31, 0x34, 0x31, U+0034 U+0031, "3431 3131" */
    VEIL_UNSEEN,   /* letters of ASCII as tags or variation selectors, which nobody sees (Unicode, E0020 and E0100) */
    VEIL_TURNED,   /* what U+202E lets people read from its end */
    VEIL_COUNT
};
/* `s` without that veil, in the arena; p NULL in *out when it has none. ERR_MEMORY. Linear in s. */
enum err veil_lift(struct arena *a, enum veil veil, text s, text *out);

/* The next stretch of base64 or base64url (RFC 4648) of at least 18 characters in `s` from *i on, line ends of MIME
 * within: true, the stretch without them in *out, and *i behind it. */
bool veil_base64(struct arena *a, text s, size_t *i, text *out);
/* What a stretch decodes to, in `out` (as long as the stretch). */
text veil_clear64(text stretch, char *out);
/* The same when its first `skip` characters (0 to 3) do not belong to it. */
text veil_decode64(struct arena *a, text stretch, size_t skip);
/* The same of hexadecimal digits, of at least 26. */
bool veil_hex(text s, size_t *i, text *out);
text veil_clear_hex(text stretch, char *out);
text veil_decode_hex(struct arena *a, text stretch, size_t skip);

#endif

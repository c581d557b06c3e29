/* The guard against payment card numbers inside files, by what they are and not by what they are called. */
#ifndef BASE_FILE_CARD_FILE_H
#define BASE_FILE_CARD_FILE_H
#include "base/arena.h"

/* Looks through: text in UTF-8, UTF-16, UTF-32 or an 8-bit set (escapes, mark-up, base64, quoted-printable and folded
 * lines lifted: HTML, XML, CSV, vCard, iCalendar, mail); RTF; PDF (content, fonts with a ToUnicode map, forms, notes,
 * embedded files; Flate, ASCII85, ASCIIHex); ZIP and what is made of it (docx, xlsx, pptx, odt, ods, epub), gzip; and
 * whatever text stands in other files as it is (old office files, comments of pictures). Not seen: pictures, sound and
 * film themselves, what is encrypted, and numbers that are no text (the cells of old spreadsheets). Unpacked are at
 * most 128 MiB, and 16 MiB and fifty times what the file has, of at most 4,000 files, four deep: ERR_TOO_LARGE for
 * more, since it could not be told. ERR_MEMORY. */
enum err card_file(struct arena *a, text content, bool *found);

/* ---- For the parts of it. ---- */

struct card_search {
    struct arena *arena; /* for what is said */
    size_t left;         /* bytes that may still be unpacked */
    unsigned files, depth;
    bool found;
};
/* Whatever it is: a file of its own, found in another. */
enum err card_file_inside(struct card_search *x, text content);
/* A text or bytes, piece by piece. */
enum err card_file_bytes(struct card_search *x, text bytes);
/* Takes `n` unpacked bytes off what is left. */
enum err card_file_unpacked(struct card_search *x, size_t n);
enum err card_pdf(struct card_search *x, text content);
#endif

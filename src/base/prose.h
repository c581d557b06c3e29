/* Prose well set: what is typed with straight apostrophes and plain blanks, as a printer sets it; and plurals. */
#ifndef BASE_PROSE_H
#define BASE_PROSE_H
#include "base/buf.h"

/* Adds `s` with typographic apostrophes. In French also a thin blank that does not break before ; : ? ! » and behind «,
 * and one that does not break behind "n°" (Lexique des règles typographiques, Imprimerie nationale). A blank that is
 * not there is not put in: addresses and times stay as they are. Control bytes are left out, line breaks kept. */
void prose_set(struct buf *b, text s, bool french);

/* Which of the forms "one|many" goes with `n`: English has its plural for all but 1, French from 2 on. Both the whole
 * of a word without a bar. */
text prose_form(text forms, int64_t n, bool french);

#endif

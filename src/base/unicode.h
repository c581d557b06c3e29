/* Letters as people type them: normal forms, blanks of every kind, invisible characters, digits, scripts, names of
 * hosts. */
#ifndef BASE_UNICODE_H
#define BASE_UNICODE_H
#include "arena.h"
#include "buf.h"

enum { UNICODE_BAD = 0xFFFD };
/* The character at *i, which moves behind it; UNICODE_BAD for a byte that begins none. *i < s.n. */
uint32_t unicode_next(text s, size_t *i);
void unicode_put(struct buf *b, uint32_t c);
/* Nothing is to be seen of it: white space, controls, zero widths, directions, soft hyphens, byte order marks, fillers.
 */
bool unicode_blank(uint32_t c);
bool unicode_ignorable(uint32_t c); /* of these, what does not even take room */
bool unicode_is_blank(text s);      /* nothing in it is to be seen; true of an empty text */
text unicode_trim(text s);          /* without what cannot be seen at both ends */
/* The value of a decimal digit of any script, -1 for everything else. */
int unicode_digit(uint32_t c);
/* The same of what else stands for one digit, 0 to 9, -1 for everything else: raised, lowered, in a circle, Roman, Han
 * (of cheques, too), rods, tallies, and others to which Unicode gives that number. */
int unicode_digit_like(uint32_t c);
bool unicode_letter(uint32_t c);
bool unicode_unseen(uint32_t c); /* beyond ASCII: ignorable, or a mark on the character before it */

/* Each returns a text of the arena; p NULL when out of memory. */
text unicode_composed(struct arena *a, text s); /* NFC (UAX 15) */
text unicode_nfc(struct arena *a, text s);      /* composed, and line ends of every kind as LF */
/* How two writings of one name are compared: NFKC, small letters, nothing invisible (RFC 8265 3.3 with the width and
 * compatibility forms taken together). "ß" stays apart from "ss". */
text unicode_fold(struct arena *a, text s);
text unicode_bare(struct arena *a, text s); /* folded, its letters without accents, and letters and digits alone */
text unicode_seen(struct arena *a, text s); /* composed, without what is invisible */
/* A host's name as the network has it (IDNA 2008 with UTS 46: small letters, punycode); p NULL when it is none.
 * `strict`: letters, digits and hyphens alone (STD 3). One dot at the end is dropped. */
text unicode_host(struct arena *a, text s, bool strict);
/* Letters of Latin, Greek, Cyrillic, Armenian, Cherokee (which look alike) mixed in one word: UTS 39, 5.1. */
bool unicode_mixed(text s);
/* The same of an e-mail address, whose host may stand as the network has it (punycode). */
bool unicode_mixed_address(text s);

#endif

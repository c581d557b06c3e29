/* The guard against payment card numbers (MO-20, DM-11): finds them in any text, so that they are refused or masked.
 *
 * What is found: 13 to 19 digits that begin with a range of cards.def, have one of its lengths, and pass Luhn's check
 * (ISO/IEC 7812-1, annex B), in any digits of Unicode (of scripts, full width, mathematical, raised, in circles, Han of
 * every day and of cheques, Roman, rods),
 * whatever is not seen between them (zero widths, marks): in one piece, and behind noughts or before its month and year
 * in one string; in groups with up to three blanks, dashes or dots between: alone, in any way; beside other digits
 * ("4111 1111 1111 1111 12/27") as cards are printed: in groups of one size from four to eight (the last may be
 * shorter), 4-6-4, 4-6-5, or digit by digit; in groups with any other signs or one letter between (tabs, line ends,
 * slashes, commas, 4111x1111): as they are printed, or by multiples of four. So the cells of tables stand, too: they
 * are taken for cards when more than chance explains pass Luhn's check. card_look() finds them besides behind escapes,
 * mark-up, folded lines, base64, hexadecimal (codes apart, too), letters that nobody sees (tags, variation selectors)
 * and turned directions, and with O and l for 0 and 1.
 *
 * What is taken for something else, because it is far more often that than a card:
 *   an IBAN of its country's length whose check digits are right;
 *   a telephone number behind "+" that dialling.def allows, and German and Austrian mobiles of 13 digits without it;
 *   numbers with a decimal point; amounts with their thousands apart; dates, and what stands beside them; addresses of
 * IPv4; a GTIN-13 (EAN): 13 digits with its check digit right, since Visa's 13-digit numbers are extinct; a UUID, or 32
 * hexadecimal digits and more with at least four letters among them; a SIRET: 14 digits whose first nine are a SIREN
 * (Luhn) and whose establishment is 1 to 999. Of random 16-digit numbers one in thirty is taken for a card (Luhn alone:
 * one in ten); timestamps are none until 2040. Not found: a card number inside a longer unbroken string of other
 * digits, one spelt in words or with words between. */
#ifndef BASE_CARD_H
#define BASE_CARD_H
#include "arena.h"
#include "json.h"

/* The first card number in `s`: true, and its characters from first to last digit in *where (a slice of s; may be
 * NULL). */
bool card_find(text s, text *where);
/* The same, and behind escapes, mark-up, base64 and the like (veil.h). ERR_MEMORY. What cannot hold one in any writing
 * is told by one pass; card_look_closely() does without it, and finds the same: for tests. */
enum err card_look(struct arena *a, text s, bool *found);
enum err card_look_closely(struct arena *a, text s, bool *found);
/* The same for all names and values of a JSON text, one for one and as they stand beside each other: split over members
 * or items. left: names whose members are passed over with all that is in them; may be NULL. */
enum err card_look_json(struct arena *a, const struct json *v, bool (*left)(text name), bool *found);
enum err card_look_json_closely(struct arena *a, const struct json *v, bool (*left)(text name), bool *found);
enum { CARD_BETWEEN = 0x1E }; /* put between texts that are looked through together */
/* A copy of `s` with each digit of each card number that card_find() finds replaced by '*'; p is NULL when out of
 * memory. */
text card_hide(struct arena *a, text s);
/* The same in place, byte by byte, for what is printed into a buffer of its own. */
void card_hide_in(char *s, size_t n);
/* The same, and words in its place when card_look() finds one that was hidden. */
text card_mask(struct arena *a, text s);

#endif

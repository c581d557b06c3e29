/* The guard against payment card numbers (MO-20, DM-11): finds them in any text, so that they are refused or masked.
 *
 * What is found: 13 to 19 digits that begin with a range of cards.def, have one of its lengths, and pass Luhn's check (ISO/IEC
 * 7812-1, annex B), written in any decimal digits of Unicode, in one piece or in groups with up to three blanks, dashes, dots or
 * invisible characters between them. Alone, they may be grouped in any way; beside other digits ("4111 1111 1111 1111 12/27") as
 * cards are printed: in one piece, in groups of one size from four to eight (the last may be shorter), 4-6-4, 4-6-5, or digit by digit.
 *
 * What is taken for something else, because it is far more often that than a card:
 *   an IBAN whose check digits are right;           a telephone number: "+" and at most 15 digits (E.164);
 *   a decimal number: two groups with one dot;      a date and what follows it: "31.12.2026 - 31.12.2027";
 *   a GTIN-13 (EAN): 13 digits with its check digit right, since Visa's 13-digit numbers are extinct;
 *   a UUID, or 32 hexadecimal digits and more with at least four letters among them;
 *   a SIRET: 14 digits whose first nine are a SIREN (Luhn) and whose establishment is 1 to 999.
 * Of random 16-digit numbers one in thirty is taken for a card (Luhn alone: one in ten); timestamps are none until 2040.
 * Not found: a card number inside a longer unbroken string of digits, or one spelt in words. */
#ifndef BASE_CARD_H
#define BASE_CARD_H
#include "arena.h"

/* The first card number in `s`: true, and its characters from first to last digit in *where (a slice of s; may be NULL). */
bool card_find(text s, text *where);
/* A copy of `s` with each digit of each card number replaced by '*'; p is NULL when out of memory. */
text card_mask(struct arena *a, text s);

#endif

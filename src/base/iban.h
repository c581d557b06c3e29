/* International bank account numbers (ISO 13616): the length of each country, and the check digits (ISO 7064, MOD
 * 97-10). */
#ifndef BASE_IBAN_H
#define BASE_IBAN_H
#include "text.h"

enum { IBAN_MIN = 15, IBAN_MAX = 34 };
/* `s`: capitals and digits, without blanks. */
bool iban_good(text s);
/* How long those of a country (two capitals) are; 0 where it has none. */
size_t iban_length(text country);

#endif

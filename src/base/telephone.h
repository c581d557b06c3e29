/* Telephone numbers as people write them (ITU-T E.123), brought to the one form that E.164 gives them. */
#ifndef BASE_TELEPHONE_H
#define BASE_TELEPHONE_H
#include "arena.h"

enum { TELEPHONE_MIN = 6, TELEPHONE_MAX = 15, EXTENSION_MAX = 11 };
struct telephone {
    char digits[TELEPHONE_MAX + 1];    /* calling code and number when international, else as dialled; NUL at the end */
    char extension[EXTENSION_MAX + 1]; /* "" when there is none */
    bool international;
};
/* A number without the scheme of a link ("tel:", "sms:", …); one that needs the country that the link names stays as it
 * is. */
text telephone_unlinked(text s);
/* Reads "+33 (0)6 12 34 56 78", "0033 6…", "(+33) 6…", "tel:+33-6-…;ext=12", "06.12.34.56.78 poste 12", in digits of
 * any script, with blanks and dashes of any kind and whatever is invisible between. `country` (ISO 3166) is where a
 * number without a calling code is dialled, "" for nowhere. False when it is no telephone number: another character, or
 * not 6 to 15 digits. */
bool telephone_read(text s, text country, struct telephone *out);
/* Whether digits that stand behind a "+" can be a telephone number (dialling.def): as many as its country has, a trunk
 * prefix left in or not. Of calling codes that are not listed any 8 to 15 digits can be, but in Europe's zones 3 and 4,
 * of which all are listed. */
bool telephone_possible(text digits);
/* The digits of an international number without its calling code; all of them when no code is known. */
text telephone_at_home(text digits);
/* "+33612345678", with "x12" behind it for an extension; without "+" when the country is unknown. */
text telephone_print(struct arena *a, const struct telephone *t);

#endif

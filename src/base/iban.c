/* IBANs: a row a country, and the check digits. */
#include "iban.h"

size_t iban_length(text country)
{
    static const struct {
        text country;
        size_t length;
    } rows[] = {
#define IBAN(country, length) { TEXT_INIT(#country), length },
#include "ibans.def"
#undef IBAN
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_eq(rows[i].country, country))
            return rows[i].length;
    return 0;
}

bool iban_good(text s)
{
    unsigned rest = 0;
    if (s.n < IBAN_MIN || s.n != iban_length(text_upto(s, 2)))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[(i + 4) % s.n];
        if (ch >= '0' && ch <= '9')
            rest = (rest * 10 + (unsigned)(ch - '0')) % 97;
        else if (ch >= 'A' && ch <= 'Z')
            rest = (rest * 100 + (unsigned)(ch - 'A' + 10)) % 97;
        else
            return false;
    }
    /* 00, 01 and 99 would pass too, and are given to nobody: the digits are 98 minus a remainder. */
    unsigned check = s.p[2] >= '0' && s.p[2] <= '9' && s.p[3] >= '0' && s.p[3] <= '9'
                         ? (unsigned)((s.p[2] - '0') * 10 + s.p[3] - '0')
                         : 0;
    return rest == 1 && check >= 2 && check <= 98;
}

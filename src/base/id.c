/* Ids as people see them: ULIDs printed and parsed. */
#include "base/id.h"
#include <string.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* 26 digits of 5 bits are 130: the first carries only 3. */
void id_digits(struct subject_id id, char out[ID_TEXT])
{
    for (int i = 0; i < ID_TEXT; i++) {
        unsigned digit = 0;
        for (int bit = 5 * i - 2; bit < 5 * i + 3; bit++)
            digit = digit << 1 | (bit < 0 ? 0 : id.b[bit / 8] >> (7 - bit % 8) & 1);
        out[i] = alphabet[digit];
    }
}

text id_print(struct arena *a, struct subject_id id)
{
    char out[ID_TEXT];
    id_digits(id, out);
    return arena_copy(a, (text){ out, ID_TEXT });
}

bool id_parse(text s, struct subject_id *out)
{
    struct subject_id id = { { 0 } };
    if (s.n != ID_TEXT)
        return false;
    for (int i = 0; i < ID_TEXT; i++) {
        ptrdiff_t digit = text_index((text){ alphabet, 32 }, s.p[i]);
        if (digit < 0 || (i == 0 && digit > 7))
            return false;
        for (int k = 0; k < 5; k++) {
            int bit = 5 * i - 2 + k;
            if (bit >= 0 && digit >> (4 - k) & 1)
                id.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
    }
    *out = id;
    return true;
}

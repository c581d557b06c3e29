/* Ids of people and things: ULIDs, 48 bits of time and 80 of randomness, as 26 characters of Crockford's base32. */
#ifndef DOMAIN_ID_H
#define DOMAIN_ID_H
#include "base/clock.h"
#include "crypt/seal.h"

enum { ID_TEXT = 26 };
struct subject_id id_make(msec now);
bool id_parse(text s, struct subject_id *out);          /* upper case only, as printed */
text id_print(struct arena *a, struct subject_id id);

#endif

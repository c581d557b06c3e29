/* Ids of people and keyed digests, as bytes: what every layer may name without seeing keys. */
#ifndef BASE_ID_H
#define BASE_ID_H
#include "base/arena.h"
#include <stdint.h>

enum { SUBJECT_ID = 16 }; /* bytes of a subject's id */
struct subject_id {
    uint8_t b[SUBJECT_ID];
};
/* BLAKE2b-256 under a key of the instance or of the person. */
struct digest {
    uint8_t b[32];
};

/* An id in text: 26 characters of Crockford's base32. */
enum { ID_TEXT = 26 };
bool id_parse(text s, struct subject_id *out); /* upper case only, as printed */
void id_digits(struct subject_id id, char out[ID_TEXT]); /* no NUL behind them */
text id_print(struct arena *a, struct subject_id id);

#endif

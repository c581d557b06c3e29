/* Ids of people and keyed digests, as bytes: what every layer may name without seeing keys. */
#ifndef BASE_ID_H
#define BASE_ID_H
#include <stdint.h>

enum { SUBJECT_ID = 16 };                     /* bytes of a subject's id */
struct subject_id { uint8_t b[SUBJECT_ID]; };
/* BLAKE2b-256 under a key of the instance or of the person. */
struct digest { uint8_t b[32]; };

#endif

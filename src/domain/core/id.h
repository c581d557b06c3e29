/* Ids of people and things: ULIDs, 48 bits of time and 80 of randomness, as 26 characters of Crockford's base32. */
#ifndef DOMAIN_CORE_ID_H
#define DOMAIN_CORE_ID_H
#include "base/clock.h"
#include "base/id.h"
#include "crypt/seal.h"
#include "store/store.h"

struct arena;

struct subject_id id_make(msec now); /* a ULID: the time, then random bits; not inside a write */
/* The id in that column of a row, as texts are; p NULL when there is none. */
text id_column(struct arena *a, struct query *q, struct col column);

#endif

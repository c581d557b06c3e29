/* Ids of people and things: ULIDs, 48 bits of time and 80 of randomness, as 26 characters of Crockford's base32. */
#ifndef DOMAIN_CORE_ID_H
#define DOMAIN_CORE_ID_H
#include "base/clock.h"
#include "base/id.h"
#include "crypt/seal.h"

struct subject_id id_make(msec now);

#endif

/* Ids: making ULIDs. */
#include "domain/core/id.h"

struct subject_id id_make(msec now)
{
    struct subject_id id;
    crypt_random(&id, sizeof id);
    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)((uint64_t)now >> (40 - 8 * i));
    return id;
}

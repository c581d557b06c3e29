/* Ids: making ULIDs, and reading them out of rows. */
#include "domain/core/id.h"

struct subject_id id_make(msec now)
{
    struct subject_id id;
    crypt_random(&id, sizeof id);
    for (int i = 0; i < 6; i++)
        id.b[i] = (uint8_t)((uint64_t)now >> (40 - 8 * i));
    return id;
}

text id_column(struct arena *a, struct query *q, struct col column)
{
    struct subject_id id;
    text bytes = query_bytes(q, column);
    if (bytes.n != sizeof id)
        return (text){ NULL, 0 };
    memcpy(&id, bytes.p, sizeof id);
    return id_print(a, id);
}

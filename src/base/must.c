/* The end of a program that is wrong. */
#include "must.h"
#include "log.h"
#include <stdlib.h>
#include <string.h>

void must_failed(const char *holds, const char *file, int line)
{
    const char *name = strrchr(file, '/');
    LOG(LOG_ERROR, "invariant.broken", LOG_TEXT("holds", text_of(holds)),
        LOG_TEXT("file", text_of(name ? name + 1 : file)), LOG_INT("line", line));
    abort();
}

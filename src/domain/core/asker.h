/* Who reaches the platform's own databases: a process for each question; src/link/stores.c is the house's. */
#ifndef DOMAIN_CORE_ASKER_H
#define DOMAIN_CORE_ASKER_H
#include "base/arena.h"

struct asker {
    void *self;
    /* What reach/reach.h says: `asked` in, its answer out. Takes as long as that store does, a minute at most. ERR_BUSY
     * when the process did not answer. */
    enum err (*ask)(void *self, struct arena *a, text asked, text *answer);
};

#endif

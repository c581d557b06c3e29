/* Who takes emails that came in apart: a process without files, network or rights; src/link/reader.c is the house's. */
#ifndef DOMAIN_CORE_READER_H
#define DOMAIN_CORE_READER_H
#include "base/arena.h"

enum { READ_WHOLE = -1, READ_TEXTS = -2 };
struct reader {
    void *self;
    /* part READ_WHOLE: what the message says, as JSON (link/mime_read.h); READ_TEXTS: all that stands in it as text
     * or HTML, decoded; else the content of that file of it.
     * ERR_VALUE when the message is such that its reader ended over it; ERR_BUSY when nothing can be read now. */
    enum err (*read)(void *self, struct arena *a, text message, int part, text *out);
};

#endif

/* What both ends of the reader know: what is asked, and where. */
#ifndef LINK_READER_INSIDE_H
#define LINK_READER_INSIDE_H
#include "link/reader.h"

enum { READER_SOCKET = 3, READER_MESSAGE_MAX = 64 << 20 };
struct reader_asks {
    int part;
};
/* No file, no network, no other process from here on. False when it cannot be had: nothing may be read then. */
bool reader_lock_in(void);

#endif

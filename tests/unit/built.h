/* What a builder made, for tests: one that failed fails the test. */
#ifndef UNIT_BUILT_H
#define UNIT_BUILT_H
#include "base/buf.h"

static inline text built(const struct buf *b)
{
    assert_false(b->failed);
    return buf_begun(b);
}

#endif

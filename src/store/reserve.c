/* The reserve: a file of real blocks that is given up when the disk is full, so that withdrawals and erasures still
 * work. */
#include "base/log.h"
#include "store/engine.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { RESERVE_DEFAULT = 1 << 20, RETRY = 200 };

static enum err reserve_fill(struct store *s)
{
    char path[PATH_MAX];
    store_path(s, "reserve", path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int failed = fd < 0 ? errno : posix_fallocate(fd, 0, s->reserve_bytes ? s->reserve_bytes : RESERVE_DEFAULT);
    if (fd >= 0)
        close(fd);
    if (failed && fd >= 0)
        unlink(path);
    s->reserve_held = !failed;
    return failed ? ERR_FULL : OK;
}

enum err reserve_make(struct store *s)
{
    msec now = clock_monotonic();
    if (s->reserve_held) { /* it could not be given up: the next write tells what room there is */
        atomic_store(&s->full, false);
        return OK;
    }
    if (s->reserve_tried && now - s->reserve_tried < RETRY)
        return ERR_FULL;
    s->reserve_tried = now;
    TRY(reserve_fill(s));
    if (atomic_exchange(&s->full, false))
        LOG(LOG_INFO, "store.space-again");
    return OK;
}

void reserve_release(struct store *s)
{
    char path[PATH_MAX];
    store_path(s, "reserve", path);
    if (!atomic_exchange(&s->full, true))
        LOG(LOG_ERROR, "store.disk-full", LOG_INT("reserve", s->reserve_held));
    if (s->reserve_held && unlink(path) == 0) {
        s->reserve_held = false;
        s->reserve_tried = clock_monotonic();
    }
}

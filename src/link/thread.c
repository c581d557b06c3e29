/* The links' threads: a descriptor that wakes whoever rests, and a flag for whoever works. */
#include "link/thread.h"
#include "base/arena.h"
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum err link_thread_open(struct arena *a, struct link_thread *t)
{
    t->started = false;
    atomic_init(&t->stop, false);
    t->stop_fd = eventfd(0, EFD_CLOEXEC);
    return t->stop_fd >= 0 ? OK : say(a, ERR_INTERNAL, "no descriptor for a thread that reaches others");
}

enum err link_thread_start(struct arena *a, struct link_thread *t, void *(*main)(void *), void *arg)
{
    t->started = pthread_create(&t->thread, NULL, main, arg) == 0;
    return t->started ? OK : say(a, ERR_INTERNAL, "a thread that reaches others cannot be started");
}

bool link_thread_stops(const struct link_thread *t) { return atomic_load(&t->stop); }

bool link_thread_rest(const struct link_thread *t, int ms)
{
    struct pollfd stop = { t->stop_fd, POLLIN, 0 };
    poll(&stop, 1, ms);
    return link_thread_stops(t);
}

void link_thread_end(struct link_thread *t)
{
    uint64_t one = 1;
    atomic_store(&t->stop, true);
    while (t->stop_fd >= 0 && write(t->stop_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
    if (t->started)
        pthread_join(t->thread, NULL);
    if (t->stop_fd >= 0)
        close(t->stop_fd);
    t->started = false;
    t->stop_fd = -1;
}

/* A thread of the links: started once, resting between its rounds, and ended at once wherever it rests. */
#ifndef LINK_THREAD_H
#define LINK_THREAD_H
#include "base/err.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct arena;

struct link_thread {
    pthread_t thread;
    bool started;
    int stop_fd; /* readable when it is time to end */
    atomic_bool stop;
};
/* Makes it ready, so that link_thread_end() may come; nothing runs yet. ERR_INTERNAL without a descriptor. */
enum err link_thread_open(struct arena *a, struct link_thread *t);
/* Runs `main` with `arg`, which is to end soon after link_thread_stops() is true. ERR_INTERNAL without a thread. */
enum err link_thread_start(struct arena *a, struct link_thread *t, void *(*main)(void *), void *arg);
bool link_thread_stops(const struct link_thread *t);
/* Waits so many milliseconds, or until it is time to end: true then. */
bool link_thread_rest(const struct link_thread *t, int ms);
/* Says that it is time to end, waits until it has, and gives back what it took. Only after link_thread_open(), whatever
 * came of that, and once. */
void link_thread_end(struct link_thread *t);

#endif

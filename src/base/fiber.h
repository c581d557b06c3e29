/* Fibers: one stack a request on its loop's thread, so that a handler is straight code and still waits for the
 * writer without holding the thread; and the one-shot event both sides meet at. */
#ifndef BASE_FIBER_H
#define BASE_FIBER_H
#include "arena.h"
#include <stdatomic.h>

struct fiber;

/* A thread's set of fibers. event_fd becomes readable when one is ready to go on: poll it, then fiber_drain(). */
struct fiber_loop {
    int event_fd;
    _Atomic(struct fiber *) ready; /* pushed by any thread, taken by the loop's */
    struct fiber *idle;            /* finished ones, kept for the next request */
    size_t live, kept;
};

/* A loop of the calling thread, without fibers yet. ERR_INTERNAL when the kernel gives no descriptor. */
enum err fiber_loop_open(struct arena *a, struct fiber_loop *loop);
void fiber_loop_close(struct fiber_loop *loop); /* all fibers must have finished */
/* Runs fn(arg) on a fiber until it ends or waits. ERR_BUSY when no stack can be had. Only from the loop's thread. */
enum err fiber_run(struct arena *a, struct fiber_loop *loop, void (*fn)(void *arg), void *arg);
/* Goes on with every fiber that is ready; each runs until it ends or waits again. */
void fiber_drain(struct fiber_loop *loop);

/* A one-shot event. wait_for() parks the calling fiber, or blocks the thread outside one, until wait_done(). */
struct wait {
    _Atomic int state;
    struct fiber *fiber;
};
void wait_init(struct wait *w);
void wait_for(struct wait *w);
/* What this thread holds meanwhile (a snapshot of the store) would be held for as long as others take: no wait between
 * these two, which nest. */
void wait_forbid(void);
void wait_allow(void);
void wait_done(struct wait *w); /* from any thread, once; `w` may be gone when it returns */

#endif

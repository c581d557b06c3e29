/* Fibers on ucontext, with a guard page below each stack; parking and waking through an eventfd. */
#include "fiber.h"
#include "must.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define ASAN_LEAVE(save, bottom, size) __sanitizer_start_switch_fiber((save), (bottom), (size))
#define ASAN_ENTER(save, bottom, size) __sanitizer_finish_switch_fiber((save), (bottom), (size))
#else
#define ASAN_LEAVE(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#define ASAN_ENTER(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

enum { STACK = 256 << 10, GUARD = 4096, KEEP = 64 };
enum { PENDING, WAITING, DONE };

struct fiber {
    ucontext_t here, back;
    struct fiber_loop *loop;
    struct fiber *next;
    void (*fn)(void *arg);
    void *arg;
    char *stack;
    bool ended;
    void *fake_here, *fake_back; /* AddressSanitizer's own stacks */
    const void *back_bottom;
    size_t back_size;
    void *tsan_here, *tsan_back;
};

/* The fiber this thread runs now: the one piece of thread state, known to this file only. */
static _Thread_local struct fiber *running;

static void leave(struct fiber *f)
{
    ASAN_LEAVE(f->ended ? NULL : &f->fake_here, f->back_bottom, f->back_size);
#if defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(f->tsan_back, 0);
#endif
    swapcontext(&f->here, &f->back);
    ASAN_ENTER(f->fake_here, &f->back_bottom, &f->back_size);
}

static void body(unsigned high, unsigned low)
{
    struct fiber *f = (struct fiber *)((uintptr_t)high << 32 | low);
    ASAN_ENTER(NULL, &f->back_bottom, &f->back_size);
    for (;;) { /* a kept stack is used again from here */
        f->fn(f->arg);
        f->ended = true;
        leave(f);
    }
}

static void enter(struct fiber *f)
{
    struct fiber *outer = running; /* a fiber may run others */
    running = f;
    ASAN_LEAVE(&f->fake_back, f->stack + GUARD, STACK);
#if defined(__SANITIZE_THREAD__)
    f->tsan_back = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(f->tsan_here, 0);
#endif
    swapcontext(&f->back, &f->here);
    ASAN_ENTER(f->fake_back, NULL, NULL);
    running = outer;
}

static void fiber_free(struct fiber *f)
{
#if defined(__SANITIZE_THREAD__)
    __tsan_destroy_fiber(f->tsan_here);
#endif
    munmap(f->stack, STACK + GUARD);
    free(f);
}

/* Apart from fiber_make because getcontext() returns twice in the compiler's eyes. */
static bool prepare(struct fiber *f)
{
    if (getcontext(&f->here) != 0)
        return false;
    f->here.uc_stack.ss_sp = f->stack + GUARD;
    f->here.uc_stack.ss_size = STACK;
    makecontext(&f->here, (void (*)(void))body, 2, (unsigned)((uintptr_t)f >> 32), (unsigned)(uintptr_t)f);
    return true;
}

static struct fiber *fiber_make(struct fiber_loop *loop)
{
    struct fiber *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->stack = mmap(NULL, STACK + GUARD, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (f->stack == MAP_FAILED || mprotect(f->stack, GUARD, PROT_NONE) != 0 || !prepare(f)) {
        if (f->stack != MAP_FAILED)
            munmap(f->stack, STACK + GUARD);
        free(f);
        return NULL;
    }
    f->loop = loop;
#if defined(__SANITIZE_THREAD__)
    f->tsan_here = __tsan_create_fiber(0);
#endif
    return f;
}

enum err fiber_loop_open(struct arena *a, struct fiber_loop *loop)
{
    *loop = (struct fiber_loop){ .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    return loop->event_fd >= 0 ? OK : say(a, ERR_INTERNAL, "no event descriptor can be opened");
}

void fiber_loop_close(struct fiber_loop *loop)
{
    for (struct fiber *f = loop->idle, *next; f; f = next) {
        next = f->next;
        fiber_free(f);
    }
    close(loop->event_fd);
}

/* After a turn: a finished fiber goes back to the idle ones, a waiting one stays where wait_done() will find it. */
static void turn(struct fiber *f)
{
    struct fiber_loop *loop = f->loop;
    enter(f);
    if (!f->ended)
        return;
    loop->live--;
    if (loop->kept >= KEEP) {
        fiber_free(f);
        return;
    }
    f->next = loop->idle;
    loop->idle = f;
    loop->kept++;
}

enum err fiber_run(struct arena *a, struct fiber_loop *loop, void (*fn)(void *arg), void *arg)
{
    struct fiber *f = loop->idle;
    if (f) {
        loop->idle = f->next;
        loop->kept--;
    } else if (!(f = fiber_make(loop)))
        return say(a, ERR_BUSY, "no stack is left for another request");
    f->fn = fn;
    f->arg = arg;
    f->ended = false;
    f->next = NULL;
    loop->live++;
    turn(f);
    return OK;
}

void fiber_drain(struct fiber_loop *loop)
{
    uint64_t count;
    while (read(loop->event_fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
    struct fiber *taken = atomic_exchange_explicit(&loop->ready, NULL, memory_order_acquire), *order = NULL;
    for (struct fiber *next; taken; taken = next) { /* pushed last first: turn round for first come, first served */
        next = taken->next;
        taken->next = order;
        order = taken;
    }
    for (struct fiber *next; order; order = next) {
        next = order->next;
        order->next = NULL;
        turn(order);
    }
}

static void ready(struct fiber *f)
{
    struct fiber_loop *loop = f->loop;
    struct fiber *head = atomic_load_explicit(&loop->ready, memory_order_relaxed);
    do
        f->next = head;
    while (!atomic_compare_exchange_weak_explicit(&loop->ready, &head, f, memory_order_release, memory_order_relaxed));
    /* Only the push onto an empty list needs to wake the loop: it takes all at once. */
    uint64_t one = 1;
    while (!head && write(loop->event_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

void wait_init(struct wait *w)
{
    atomic_init(&w->state, PENDING);
    w->fiber = running;
}

static _Thread_local unsigned forbidden; /* a fiber stays on its thread, and others run there only while it waits */

void wait_forbid(void) { forbidden++; }

void wait_allow(void)
{
    must(forbidden > 0);
    forbidden--;
}

void wait_for(struct wait *w)
{
    int expected = PENDING;
    must(forbidden == 0);
    if (!atomic_compare_exchange_strong(&w->state, &expected, WAITING))
        return;
    if (w->fiber) {
        leave(w->fiber);
        return;
    }
    while (atomic_load(&w->state) == WAITING)
        syscall(SYS_futex, &w->state, FUTEX_WAIT_PRIVATE, WAITING, NULL, NULL, 0);
}

void wait_done(struct wait *w)
{
    struct fiber *f = w->fiber; /* set by wait_init() on the waiter's own thread; read before `w` may go */
    if (atomic_exchange(&w->state, DONE) != WAITING)
        return;
    if (f)
        ready(f);
    else
        syscall(SYS_futex, &w->state, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

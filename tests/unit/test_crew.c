/* Unit tests of the crew: an owner's share, the bound of what waits, and the stop. */
#include "base/crew.h"
#include "base/fiber.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { THREADS = 4, SHARE = 2, WAITING = 10 };

struct held {
    struct crew *crew;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    unsigned begun, done, refused, busy, other;
};

static void start(struct held *h)
{
    *h = (struct held){ .crew = crew_open((struct crew_size){ THREADS, SHARE, WAITING }),
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER };
    assert_non_null(h->crew);
}

static void work(void *arg)
{
    struct held *h = arg;
    pthread_mutex_lock(&h->lock);
    h->begun++;
    pthread_cond_broadcast(&h->changed);
    while (!h->open)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

static void count(struct held *h, enum err e)
{
    h->done += e == OK;
    h->refused += e == ERR_TOO_MANY;
    h->busy += e == ERR_BUSY;
    h->other += e != OK && e != ERR_TOO_MANY && e != ERR_BUSY;
}

static void one_of_ana(void *arg)
{
    struct held *h = arg;
    ARENA_AUTO a = arena_make(4096);
    count(h, crew_do(h->crew, &a, TEXT("ana"), work, h));
}

static void next_of_ana(void *arg)
{
    struct held *h = arg;
    ARENA_AUTO a = arena_make(4096);
    count(h, crew_go_on(h->crew, &a, TEXT("ana"), work, h));
}

static void one_of_bob(void *arg)
{
    struct held *h = arg;
    ARENA_AUTO a = arena_make(4096);
    count(h, crew_do(h->crew, &a, TEXT("bob"), work, h));
}

static void wait_begun(struct held *h, unsigned many)
{
    pthread_mutex_lock(&h->lock);
    while (h->begun < many)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

static void open_gate(struct held *h)
{
    pthread_mutex_lock(&h->lock);
    h->open = true;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

/* Ana's share is at work, and held there. */
static void begin_share(struct held *h, struct arena *a, struct fiber_loop *loop)
{
    start(h);
    assert_int_equal(fiber_loop_open(a, loop), OK);
    for (unsigned i = 0; i < SHARE; i++)
        assert_int_equal(fiber_run(a, loop, one_of_ana, h), OK);
    wait_begun(h, SHARE);
}

/* Ana's two are at work and ten wait; what comes behind is refused, but for what has begun; Bob, who came last, is
 * served beside them. */
static void an_owner_has_a_share(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    struct held h;
    struct fiber_loop loop;
    begin_share(&h, &a, &loop);
    for (unsigned i = 0; i < WAITING + 3; i++)
        assert_int_equal(fiber_run(&a, &loop, one_of_ana, &h), OK);
    assert_int_equal(h.refused, 3);
    assert_int_equal(fiber_run(&a, &loop, next_of_ana, &h), OK);
    assert_int_equal(h.refused, 3);
    assert_int_equal(fiber_run(&a, &loop, one_of_bob, &h), OK);
    wait_begun(&h, SHARE + 1);
    assert_int_equal(h.begun, SHARE + 1);
    open_gate(&h);
    while (loop.live)
        fiber_drain(&loop);
    assert_int_equal(h.done, SHARE + WAITING + 2);
    assert_int_equal(h.busy + h.other, 0);
    fiber_loop_close(&loop);
    crew_close(&h.crew);
}

/* What runs is ended; what waits is refused before that, and so is what comes later. */
static void stop_refuses_what_waits(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    struct held h;
    struct fiber_loop loop;
    begin_share(&h, &a, &loop);
    for (unsigned i = 0; i < WAITING; i++)
        assert_int_equal(fiber_run(&a, &loop, one_of_ana, &h), OK);
    crew_stop(h.crew);
    fiber_drain(&loop);
    assert_int_equal(h.done, 0);
    assert_int_equal(h.busy, WAITING);
    assert_int_equal(fiber_run(&a, &loop, one_of_bob, &h), OK);
    assert_int_equal(h.busy, WAITING + 1);
    open_gate(&h);
    while (loop.live)
        fiber_drain(&loop);
    assert_int_equal(h.begun, SHARE);
    assert_int_equal(h.done, SHARE);
    assert_int_equal(h.refused + h.other, 0);
    fiber_loop_close(&loop);
    crew_close(&h.crew);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(an_owner_has_a_share),
                                        cmocka_unit_test(stop_refuses_what_waits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The pool: one queue under one lock, threads started as they are needed, at a low priority so that requests go first.
 */
#include "hashing.h"
#include "base/fiber.h"
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NICE = 10 }; /* a ninth of the processor beside a thread that serves; all of it when none does */

struct job {
    struct wait wait;
    struct job *next;
    hashing_fn fn;
    void *arg;
    bool alone, refused; /* refused: it was not begun */
    enum err status;
    struct why why;
};

struct hashing {
    pthread_mutex_t lock, alone;
    pthread_cond_t come;
    struct job *first, *last; /* the queue, first come first served */
    unsigned waiting, idle, threads, limit;
    bool over;
    pthread_t thread[HASHING_THREADS];
};

struct hashing *hashing_open(void)
{
    struct hashing *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    h->limit = cores < 1 ? 1
             : cores > HASHING_THREADS ? HASHING_THREADS : (unsigned)cores;
    pthread_mutex_init(&h->lock, NULL);
    pthread_mutex_init(&h->alone, NULL);
    pthread_cond_init(&h->come, NULL);
    return h;
}

void hashing_stop(struct hashing *h)
{
    pthread_mutex_lock(&h->lock);
    struct job *refused = h->first;
    h->over = true;
    h->last = NULL;
    h->first = NULL;
    h->waiting = 0;
    pthread_cond_broadcast(&h->come);
    pthread_mutex_unlock(&h->lock);
    for (struct job *next; refused; refused = next) {
        next = refused->next; /* before its caller goes on, whose stack it stands on */
        refused->refused = true;
        wait_done(&refused->wait);
    }
}

void hashing_close(struct hashing **h)
{
    struct hashing *gone = *h;
    if (!gone)
        return;
    hashing_stop(gone);
    for (unsigned i = 0; i < gone->threads; i++)
        pthread_join(gone->thread[i], NULL);
    pthread_cond_destroy(&gone->come);
    pthread_mutex_destroy(&gone->alone);
    pthread_mutex_destroy(&gone->lock);
    free(gone);
    *h = NULL;
}

/* ---- A thread of the pool. ---- */

static void work(struct hashing *h, struct job *j)
{
    ARENA_AUTO a = arena_make(4096);
    if (j->alone)
        pthread_mutex_lock(&h->alone);
    j->status = j->fn(&a, j->arg);
    if (j->alone)
        pthread_mutex_unlock(&h->alone);
    j->why = a.why;
    wait_done(&j->wait);
}

static void *serve(void *arg)
{
    struct hashing *h = arg;
    /* Of this thread alone, as Linux has it. Without it only fairness is lost, so a refusal is no error. */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    pthread_mutex_lock(&h->lock);
    for (;;) {
        struct job *j = h->first;
        if (j) {
            h->first = j->next;
            h->waiting--;
            pthread_mutex_unlock(&h->lock);
            work(h, j);
            pthread_mutex_lock(&h->lock);
        } else if (h->over) {
            break;
        } else {
            h->idle++;
            pthread_cond_wait(&h->come, &h->lock);
            h->idle--;
        }
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* ---- Callers. ---- */

/* One thread more when none is free. Under the lock. False when there is none at all. */
static bool staffed(struct hashing *h)
{
    if (h->idle < h->waiting + 1 && h->threads < h->limit &&
        pthread_create(&h->thread[h->threads], NULL, serve, h) == 0)
        h->threads++;
    return h->threads > 0;
}

static enum err stopping(struct arena *a) { return say(a, ERR_BUSY, "the server is stopping"); }

static enum err submit(struct hashing *h, struct arena *a, struct job *j)
{
    pthread_mutex_lock(&h->lock);
    bool over = h->over, room = h->waiting < HASHING_QUEUE, taken = !over && room && staffed(h);
    if (taken) {
        wait_init(&j->wait);
        *(h->first ? &h->last->next : &h->first) = j;
        h->last = j;
        h->waiting++;
        pthread_cond_signal(&h->come);
    }
    pthread_mutex_unlock(&h->lock);
    if (over)
        return stopping(a);
    if (!taken)
        return room ? say(a, ERR_MEMORY, "no thread can be had to hash passwords")
                    : say(a, ERR_BUSY, "%d passwords wait to be checked already", HASHING_QUEUE);
    wait_for(&j->wait);
    if (j->refused)
        return stopping(a);
    if (j->status != OK)
        a->why = j->why;
    return j->status;
}

enum err hashing_do(struct hashing *h, struct arena *a, bool alone, hashing_fn fn, void *arg)
{
    struct job j = { .fn = fn, .arg = arg, .alone = alone };
    return submit(h, a, &j);
}

/* ---- Passwords. ---- */

struct hash_job {
    text hash, password;
    struct password_hash *made;
    bool good, stale;
};

static enum err run_make(struct arena *a, void *arg)
{
    struct hash_job *j = arg;
    return password_hash(a, j->password, j->made);
}

static enum err run_check(struct arena *a, void *arg)
{
    struct hash_job *j = arg;
    return password_matches(a, j->hash, j->password, &j->good, &j->stale);
}

enum err hashing_make(struct hashing *h, struct arena *a, text password, struct password_hash *out)
{
    struct hash_job j = { .password = password, .made = out };
    return hashing_do(h, a, false, run_make, &j);
}

enum err hashing_check(struct hashing *h, struct arena *a, text hash, text password, bool *good, bool *stale)
{
    struct hash_job j = { .hash = hash, .password = password };
    enum err status = hashing_do(h, a, false, run_check, &j);
    *good = status == OK && j.good;
    *stale = status == OK && j.stale;
    return status;
}

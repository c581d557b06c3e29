/* The crew's queue under one lock: the first job whose owner has less than a share at work goes next. */
#include "crew.h"
#include "fiber.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NICE = 10, THREADS = 16 }; /* a ninth of the processor beside a thread that serves; all of it when none does */

struct job {
    struct wait wait;
    struct job *next;
    text owner;
    void (*fn)(void *arg);
    void *arg;
    bool refused; /* it was not begun */
};

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t come;
    struct crew_size size;
    struct job *first, **end;
    struct job *working[THREADS]; /* what each thread does; NULL: nothing */
    unsigned threads, idle;
    bool over;
    pthread_t thread[THREADS];
};

struct crew *crew_open(struct crew_size size)
{
    struct crew *crew = calloc(1, sizeof *crew);
    if (!crew)
        return NULL;
    crew->size = size;
    if (crew->size.threads > THREADS)
        crew->size.threads = THREADS;
    crew->end = &crew->first;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->come, NULL);
    return crew;
}

void crew_stop(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    struct job *refused = crew->first;
    crew->over = true;
    crew->first = NULL;
    crew->end = &crew->first;
    pthread_cond_broadcast(&crew->come);
    pthread_mutex_unlock(&crew->lock);
    for (struct job *next; refused; refused = next) {
        next = refused->next; /* before its caller goes on, whose stack it stands on */
        refused->refused = true;
        wait_done(&refused->wait);
    }
}

void crew_close(struct crew **crew)
{
    struct crew *gone = *crew;
    if (!gone)
        return;
    crew_stop(gone);
    for (unsigned i = 0; i < gone->threads; i++)
        pthread_join(gone->thread[i], NULL);
    pthread_cond_destroy(&gone->come);
    pthread_mutex_destroy(&gone->lock);
    free(gone);
    *crew = NULL;
}

/* ---- Under the lock. ---- */

static unsigned at_work(const struct crew *crew, text owner)
{
    unsigned n = 0;
    for (unsigned i = 0; i < crew->threads; i++)
        n += crew->working[i] && text_eq(crew->working[i]->owner, owner);
    return n;
}

static unsigned behind(const struct crew *crew, text owner)
{
    unsigned n = 0;
    for (const struct job *j = crew->first; j; j = j->next)
        n += text_eq(j->owner, owner);
    return n;
}

/* Takes the first job that may go; NULL: all that wait are of owners who have their share. */
static struct job *next_job(struct crew *crew)
{
    for (struct job **at = &crew->first; *at; at = &(*at)->next) {
        struct job *j = *at;
        if (at_work(crew, j->owner) >= crew->size.share)
            continue;
        *at = j->next;
        if (!*at)
            crew->end = at;
        return j;
    }
    return NULL;
}

/* ---- A thread. ---- */

struct start {
    struct crew *crew;
    unsigned number;
};

static void *serve(void *arg)
{
    struct start start = *(struct start *)arg;
    struct crew *crew = start.crew;
    free(arg);
    /* Of this thread alone, as Linux has it. Without it only fairness is lost, so a refusal is no error. */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    pthread_mutex_lock(&crew->lock);
    for (;;) {
        struct job *j = next_job(crew);
        if (j) {
            crew->working[start.number] = j;
            pthread_mutex_unlock(&crew->lock);
            j->fn(j->arg);
            pthread_mutex_lock(&crew->lock);
            crew->working[start.number] = NULL;
            wait_done(&j->wait); /* its owner may go on at once, so it no longer counts */
        } else if (crew->over)
            break;
        else {
            crew->idle++;
            pthread_cond_wait(&crew->come, &crew->lock);
            crew->idle--;
        }
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

/* One thread more when none is free. False when there is none at all. */
static bool staffed(struct crew *crew)
{
    if (crew->idle || crew->threads == crew->size.threads)
        return crew->threads > 0;
    struct start *start = malloc(sizeof *start);
    if (!start)
        return crew->threads > 0;
    *start = (struct start){ crew, crew->threads };
    if (pthread_create(&crew->thread[crew->threads], NULL, serve, start) == 0)
        crew->threads++;
    else
        free(start);
    return crew->threads > 0;
}

static enum err stopping(struct arena *a) { return say(a, ERR_BUSY, "the server is stopping"); }

static enum err ask(struct crew *crew, struct arena *a, text owner, bool begun, void (*fn)(void *arg), void *arg)
{
    struct job j = { .owner = owner, .fn = fn, .arg = arg };
    pthread_mutex_lock(&crew->lock);
    bool over = crew->over;
    bool room = begun || behind(crew, owner) < crew->size.waiting;
    bool taken = !over && room && staffed(crew);
    if (taken) {
        wait_init(&j.wait);
        *crew->end = &j;
        crew->end = &j.next;
        pthread_cond_signal(&crew->come);
    }
    pthread_mutex_unlock(&crew->lock);
    if (over)
        return stopping(a);
    if (!room) {
        say(a, ERR_TOO_MANY, "%u requests of yours that take long wait already", crew->size.waiting);
        a->why.retry = 1;
        return ERR_TOO_MANY;
    }
    if (!taken)
        return say(a, ERR_BUSY, "no thread is left for this work");
    wait_for(&j.wait);
    return j.refused ? stopping(a) : OK;
}

enum err crew_do(struct crew *crew, struct arena *a, text owner, void (*fn)(void *arg), void *arg)
{
    return ask(crew, a, owner, false, fn, arg);
}

enum err crew_go_on(struct crew *crew, struct arena *a, text owner, void (*fn)(void *arg), void *arg)
{
    return ask(crew, a, owner, true, fn, arg);
}

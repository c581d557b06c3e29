/* Keeps the write-ahead logs short without holding up the writer: a thread of its own copies their pages into the
 * files, and the writer, between two groups, only the last few, so that the log begins anew. */
#include "base/log.h"
#include "store/engine.h"

/* LOG_FAR: pages at which the writer waits for the thread and copies the rest itself, whatever comes in meanwhile. */
enum {
    LOG_LONG = 8000,
    LOG_FAR = 2 * LOG_LONG,
    LOG_TAIL = 200,
    READERS_WAIT_MS = 5,
    AGAIN_MS = 20,
    PASS_MEMORY = 1 << 20
};

/* ---- The thread. ---- */

/* As far as readers let it. What cannot be written is written again by the next pass: until all of a pass is synced,
 * the log stays what counts. */
static enum err pass(struct store *s, enum file f, struct db **own)
{
    ARENA_AUTO a = arena_make(PASS_MEMORY);
    struct log_state state = { 0 };
    if (!*own)
        TRY(store_connect(s, &a, f, DB_READ, own));
    (*own)->arena = &a;
    readers_release(s, &a);
    enum err e = db_drain(*own, DRAIN_SOME, 0, &state);
    pthread_mutex_lock(&s->drain.lock);
    s->drain.copied[f] = state.copied;
    pthread_mutex_unlock(&s->drain.lock);
    return e;
}

static bool wanted(struct drain *d, bool due[FILE_COUNT])
{
    pthread_mutex_lock(&d->lock);
    while (!d->due[FILE_DATA] && !d->due[FILE_KEYS] && !d->closing)
        pthread_cond_wait(&d->wake, &d->lock);
    for (enum file f = 0; f < FILE_COUNT; f++) {
        due[f] = d->due[f];
        d->due[f] = false;
    }
    bool goes_on = !d->closing;
    pthread_mutex_unlock(&d->lock);
    return goes_on;
}

static void *drainer(void *arg)
{
    struct store *s = arg;
    struct db *own[FILE_COUNT] = { NULL };
    bool due[FILE_COUNT];
    while (wanted(&s->drain, due))
        for (enum file f = 0; f < FILE_COUNT; f++) {
            if (!due[f])
                continue;
            pthread_mutex_lock(&s->drain.work);
            if (pass(s, f, &own[f]) != OK)
                LOG(LOG_WARN, "store.log-not-copied", LOG_TEXT("file", db_file_name(f)));
            pthread_mutex_unlock(&s->drain.work);
        }
    for (enum file f = 0; f < FILE_COUNT; f++)
        db_close(&own[f]);
    return NULL;
}

enum err drain_start(struct store *s, struct arena *a)
{
    s->drain.runs = pthread_create(&s->drain.thread, NULL, drainer, s) == 0;
    return s->drain.runs ? OK : say(a, ERR_INTERNAL, "the thread that copies the logs cannot be started");
}

void drain_stop(struct store *s)
{
    struct drain *d = &s->drain;
    if (!d->runs)
        return;
    pthread_mutex_lock(&d->lock);
    d->closing = true;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    d->runs = false;
}

/* ---- The writer. ---- */

bool drain_hold(struct store *s, bool wait)
{
    if (!wait)
        return pthread_mutex_trylock(&s->drain.work) == 0;
    pthread_mutex_lock(&s->drain.work);
    return true;
}

void drain_let_go(struct store *s) { pthread_mutex_unlock(&s->drain.work); }

static int copied(struct store *s, enum file f)
{
    pthread_mutex_lock(&s->drain.lock);
    int pages = s->drain.copied[f];
    pthread_mutex_unlock(&s->drain.lock);
    return pages;
}

static void ask(struct drain *d, enum file f)
{
    pthread_mutex_lock(&d->lock);
    d->due[f] = true;
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
}

enum err drain_by_writer(struct store *s, enum file f, enum drain_step step, int wait_ms, bool *busy)
{
    struct log_state state = { 0 };
    readers_empty(s, step != DRAIN_SOME);
    readers_release(s, s->writers[f]->arena);
    enum err e = db_drain(s->writers[f], step, wait_ms, &state);
    readers_empty(s, false);
    *busy = state.busy;
    pthread_mutex_lock(&s->drain.lock);
    s->drain.copied[f] = e == OK && !state.busy ? 0 : state.copied;
    pthread_mutex_unlock(&s->drain.lock);
    return e;
}

/* Nothing is added meanwhile, so that all of it comes into the file; the snapshots of before are waited for, which
 * takes milliseconds, and the next commit begins the log anew. */
static void finish(struct store *s, enum file f, bool wait)
{
    bool busy;
    msec now = clock_monotonic();
    if (now - s->drain.tried < AGAIN_MS || !drain_hold(s, wait))
        return;
    s->drain.tried = now;
    s->writers[f]->arena = &s->own;
    if (drain_by_writer(s, f, DRAIN_ALL, READERS_WAIT_MS, &busy) != OK)
        LOG(LOG_WARN, "store.log-not-copied", LOG_TEXT("file", db_file_name(f)));
    drain_let_go(s);
}

void drain_tend(struct store *s)
{
    for (enum file f = 0; f < FILE_COUNT; f++) {
        int pages = s->writers[f]->logged;
        if (pages < LOG_LONG)
            continue;
        if (pages < LOG_FAR && pages - copied(s, f) > LOG_TAIL)
            ask(&s->drain, f);
        else
            finish(s, f, pages >= LOG_FAR);
    }
}

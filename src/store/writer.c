/* The one writer: its queue and thread, and what it does when the disk is full or fails. */
#include "base/log.h"
#include "store/engine.h"
#include <errno.h>
#include <time.h>

enum {
    GROUP_MAX = 1000,
    CARE_EVERY_MS = 100,
    REOPEN_EVERY = 200,
    CLEAN_WITHIN_MS = 20,
    CLEAN_AGAIN_MS = 5,
    PASS_WAIT_MS = 250
};

/* ---- A full disk, a failed disk. ---- */

bool edge_same(const struct edge *one, const struct edge *other)
{
    return one->tree.size == other->tree.size && hash_eq(tree_root(&one->tree), tree_root(&other->tree));
}

void writer_away(struct store *s)
{
    if (s->engine->files || atomic_exchange(&s->away, true))
        return;
    LOG(LOG_ERROR, "store.not-reached");
    pthread_mutex_lock(&s->queue_lock);
    pthread_cond_signal(&s->queue_wake);
    pthread_mutex_unlock(&s->queue_lock);
}

static void reached(struct store *s)
{
    if (atomic_exchange(&s->away, false))
        LOG(LOG_INFO, "store.reached");
}

static enum err not_reached(struct arena *a)
{
    return say(a, ERR_STORAGE, "the databases are not reached; the server tries again by itself");
}

/* The journal as the disk has it may hold the group whose fsync failed: it is adopted when it goes on from ours. */
static enum err adopt_edge(struct store *s, struct db *data)
{
    struct edge *found = &s->saved;
    TRY(edge_load(data, found));
    TRY(ledger_star_load(data, &found->ledger));
    found->ledger.fresh.stale |= s->edge.ledger.fresh.stale;
    if (found->tree.size < s->edge.tree.size || (found->tree.size == s->edge.tree.size && !edge_same(&s->edge, found)))
        return say(&s->own, ERR_INTEGRITY,
                   "after the reopening the journal has %llu entries and not the %llu acknowledged",
                   (unsigned long long)found->tree.size, (unsigned long long)s->edge.tree.size);
    edge_copy(&s->edge, found);
    s->noted = 0; /* what the keyring has of it is put anew */
    journal_publish(s);
    readers_renew(s);
    return OK;
}

static enum err reopen_file(struct store *s, enum file f)
{
    bool busy;
    struct db *fresh;
    if (s->engine->again)
        return s->engine->again(s->writers[f]);
    TRY(store_connect(s, &s->own, f, DB_WRITE, &fresh)); /* before the old one goes, so that the log's index lives on */
    db_close(&s->writers[f]);
    s->writers[f] = fresh;
    drain_hold(s, true);
    enum err e = drain_by_writer(s, f, DRAIN_EMPTY, CARE_EVERY_MS, &busy); /* every page written and synced anew */
    drain_let_go(s);
    TRY(e);
    /* A reader (a backup, a slow export) may hold the log open: its pages up to there are written and synced all the
     * same, what was acknowledged behind them had an fsync of its own, and the frames that failed were never published:
     * the next commit overwrites them. So the writer goes on, and empties the log when the reader is gone. */
    s->truncate_due |= busy;
    return OK;
}

/* After a failed fsync nothing is known of what reached the disk: all is written again from the log before the writer
 * goes on. */
static enum err reopen(struct store *s)
{
    msec now = clock_monotonic();
    if (s->reopen_tried && now - s->reopen_tried < REOPEN_EVERY)
        return say(&s->own, ERR_STORAGE, "the disk failed; the store is not yet back");
    s->reopen_tried = now;
    writer_away(s); /* while it is tried, which may take a while */
    for (enum file f = 0; f < FILE_COUNT; f++)
        TRY(reopen_file(s, f));
    TRY(adopt_edge(s, s->writers[FILE_DATA]));
    s->stopped = false;
    reached(s);
    s->intents_due = true;
    LOG(LOG_INFO, "store.reopened");
    return OK;
}

static void arenas_own(struct store *s) { s->writers[FILE_DATA]->arena = s->writers[FILE_KEYS]->arena = &s->own; }

/* What must be put right before anything new is written. */
static enum err writer_ready(struct store *s)
{
    uint64_t completed;
    if (s->stopped)
        TRY(reopen(s));
    if (!s->intents_due)
        return OK;
    arenas_own(s);
    enum err e = erase_complete(s, &s->own, &completed);
    if (e != OK) { /* the disk again: the next turn begins with sound connections */
        group_mend(s);
        return e;
    }
    s->intents_due = false;
    journal_publish(s);
    readers_renew(s);
    return OK;
}

/* ---- Whether it writes, for who asks. ---- */

static void failing(struct store *s, enum err e)
{
    if (atomic_exchange(&s->failing, e) != e)
        LOG(LOG_ERROR, "store.does-not-write", LOG_TEXT("code", err_row(e)->slug),
            LOG_TEXT("why", text_of(s->own.why.detail)));
}

static void writing(struct store *s)
{
    reached(s);
    if (atomic_exchange(&s->failing, OK) != OK)
        LOG(LOG_INFO, "store.writes-again");
}

/* A commit of each file that changes nothing, so that a store that nobody writes to finds out that its disk is well. */
static enum err attempt(struct store *s)
{
    enum err e = OK;
    arenas_own(s);
    for (enum file f = 0; f < FILE_COUNT && e == OK; f++)
        e = schema_touch(s->writers[f]);
    if (e != OK)
        group_mend(s);
    return e;
}

enum err store_health(const struct store *s, struct arena *a)
{
    enum { HUNG = 10 * SECOND };
    enum err e = atomic_load(&s->failing);
    msec since = atomic_load(&s->busy_since), now = clock_monotonic();
    if (atomic_load(&s->full))
        return say(a, ERR_FULL, "the disk is full: only withdrawals and erasures are written");
    if (atomic_load(&s->away))
        return not_reached(a);
    if (e != OK)
        return say(a, e, "nothing can be written now; the store tries again by itself");
    if (since && now - since > HUNG)
        return say(a, ERR_STORAGE, "the disk has not answered a write for %lld s", (long long)(now - since) / SECOND);
    return OK;
}

/* Takes the urgent ones out of the list. */
static struct pending *urgent_of(struct pending **group)
{
    struct pending *urgent = NULL, **last = &urgent, **at = group;
    while (*at) {
        struct pending *p = *at;
        if (!p->w->urgent) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        p->next = NULL;
        *last = p;
        last = &p->next;
    }
    return urgent;
}

static void group_run(struct store *s, struct pending *group)
{
    s->taken = group_clock();
    arena_reset(&s->own);
    enum err e = writer_ready(s);
    if (e == OK && !(atomic_load(&s->full) && reserve_make(s) != OK)) {
        e = group_try(s, group);
        if (e == OK) {
            if (!atomic_load(&s->away)) /* else it was committed before, and only an attempt tells that they are back */
                writing(s);
            group_done(s, group);
            return;
        }
    } else if (e == OK)
        e = say(&s->own, ERR_FULL, "the disk is full");
    failing(s, e);
    if (e == ERR_FULL)
        reserve_release(s);
    struct pending *urgent = e == ERR_FULL ? urgent_of(&group) : NULL;
    group_refuse(s, group, e);
    if (!urgent)
        return;
    if ((e = group_try(s, urgent)) == OK)
        group_done(s, urgent);
    else
        group_refuse(s, urgent, e);
}

/* ---- The thread. ---- */

static bool needs_care(const struct store *s)
{
    bool unwell = s->stopped || s->intents_due || !s->reserve_held || atomic_load(&s->failing) != OK;
    return unwell || s->cleaning || s->truncate_due || atomic_load(&s->away);
}

static void care(struct store *s)
{
    msec now = clock_monotonic();
    if (now - s->cared < CARE_EVERY_MS)
        return;
    s->cared = now;
    arena_reset(&s->own);
    enum err e = writer_ready(s);
    bool doubtful = atomic_load(&s->failing) != OK || atomic_load(&s->away);
    bool attempts = doubtful && !atomic_load(&s->full); /* on a full disk they would eat the reserve */
    if (e == OK && attempts)
        e = attempt(s);
    if (e == OK && attempts)
        writing(s);
    if (e == OK && s->truncate_due && drain_hold(s, false)) {
        group_truncate(s, 0);
        drain_let_go(s);
    }
    if (e != OK) /* tried again at the next turn; writers are told meanwhile */
        failing(s, e);
    if (!s->reserve_held || atomic_load(&s->full))
        (void)reserve_make(s); /* that there is no room for it is known: s->full */
}

/* What is queued, up to GROUP_MAX; NULL when it is time for care, or with *end when the store closes. */
static struct pending *take(struct store *s, bool *end)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (s->cleaning ? CLEAN_AGAIN_MS : CARE_EVERY_MS) * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&s->queue_lock);
    s->asleep = true;
    for (int timed_out = 0; !s->first && !s->closing && timed_out != ETIMEDOUT;)
        timed_out = needs_care(s) ? pthread_cond_timedwait(&s->queue_wake, &s->queue_lock, &until)
                                  : pthread_cond_wait(&s->queue_wake, &s->queue_lock);
    s->asleep = false;
    struct pending *group = s->first, *last = group;
    *end = !group && s->closing;
    for (size_t n = 1; last && last->w && last->next && last->next->w && n < GROUP_MAX; n++) /* a job goes alone */
        last = last->next;
    if (last) {
        s->first = last->next;
        last->next = NULL;
    }
    if (!s->first)
        s->last = &s->first;
    pthread_mutex_unlock(&s->queue_lock);
    return group;
}

static enum err anchor_last(struct store *s)
{
    struct db *keys = s->writers[FILE_KEYS];
    keys->arena = &s->own;
    TRY(db_control(keys, CONTROL_BEGIN));
    TRY(anchor_put(s, ANCHOR_NEWEST));
    return db_control(keys, CONTROL_COMMIT);
}

/* The last checkpoint of this run, so that entries missing at the next start are seen. */
static void say_farewell(struct store *s)
{
    arena_reset(&s->own);
    struct db *data = s->writers[FILE_DATA];
    data->arena = &s->own;
    enum err e = s->stopped ? ERR_STORAGE : db_control(data, CONTROL_BEGIN);
    if (e == OK)
        e = journal_keep(s, true);
    if (e == OK && !s->intents_due && !s->untidy)
        e = tidy_mark(s);
    if (e == OK)
        e = db_control(data, CONTROL_COMMIT);
    if (e == OK)
        e = anchor_last(s);
    if (e != OK)
        LOG(LOG_WARN, "store.no-last-checkpoint");
}

static enum err job_run(struct store *s, struct arena *a, enum err (*job)(struct store *s, void *arg), void *arg)
{
    s->writers[FILE_KEYS]->arena = a;
    s->writers[FILE_DATA]->arena = a;
    edge_copy(&s->saved, &s->edge);
    enum err e = job(s, arg);
    if (e != OK)
        group_undo(s);
    readers_renew(s);
    return e;
}

static void job_alone(struct store *s, struct pending *p)
{
    arena_reset(&s->own);
    enum err e = writer_ready(s);
    if (e != OK) {
        failing(s, e);
        p->arena->why = s->own.why;
    }
    p->result = e != OK ? e : job_run(s, p->arena, p->job, p->arg);
    wait_done(&p->wait);
}

/* A truncation costs several fsyncs, so erasures share one: it comes when nothing else is to be written, or soon. */
static void clean_shared(struct store *s)
{
    if (!s->cleaning)
        return;
    pthread_mutex_lock(&s->queue_lock);
    bool idle = !s->first || !s->first->w;                /* a job may take long */
    pthread_mutex_unlock(&s->queue_lock);
    msec waited = clock_monotonic() - s->cleaning_since;
    if (!idle && waited < CLEAN_WITHIN_MS)
        return;
    if (!drain_hold(s, waited >= PASS_WAIT_MS)) /* a pass is on: others are written meanwhile */
        return;
    group_clean(s);
    drain_let_go(s);
}

static void *writer(void *arg)
{
    struct store *s = arg;
    for (bool end = false; !end;) {
        struct pending *group = take(s, &end);
        atomic_store(&s->busy_since, group && group->w ? clock_monotonic() : 0);
        if (group && !group->w)
            job_alone(s, group);
        else if (group)
            group_run(s, group);
        clean_shared(s);
        drain_tend(s);
        atomic_store(&s->busy_since, 0);
        if (!end && needs_care(s))
            care(s);
    }
    say_farewell(s);
    return NULL;
}

enum err writer_start(struct store *s, struct arena *a)
{
    TRY(drain_start(s, a));
    s->thread_runs = pthread_create(&s->thread, NULL, writer, s) == 0;
    return s->thread_runs ? OK : say(a, ERR_INTERNAL, "the writer's thread cannot be started");
}

void writer_stop(struct store *s)
{
    drain_stop(s);
    if (!s->thread_runs)
        return;
    pthread_mutex_lock(&s->queue_lock);
    s->closing = true;
    pthread_cond_signal(&s->queue_wake);
    pthread_mutex_unlock(&s->queue_lock);
    pthread_join(s->thread, NULL);
    s->thread_runs = false;
}

static enum err enqueue(struct store *s, struct pending *p)
{
    wait_init(&p->wait);
    pthread_mutex_lock(&s->queue_lock);
    bool closing = s->closing, asleep = s->asleep;
    if (!closing) {
        *s->last = p;
        s->last = &p->next;
        s->asleep = false;
    }
    pthread_mutex_unlock(&s->queue_lock);
    if (closing)
        return say(p->arena, ERR_BUSY, "the store is closing");
    if (asleep)
        pthread_cond_signal(&s->queue_wake);
    wait_for(&p->wait);
    return p->result;
}

enum err store_write(struct store *s, struct arena *a, struct write *w)
{
    struct pending p = { .w = w, .arena = a };
    TRY(arena_whole(a));
    if (atomic_load(&s->away))
        return not_reached(a);
    atomic_fetch_add_explicit(&s->queued, 1, memory_order_relaxed);
    enum err e = enqueue(s, &p);
    atomic_fetch_sub_explicit(&s->queued, 1, memory_order_relaxed);
    return e;
}

enum err writer_job(struct store *s, struct arena *a, enum err (*job)(struct store *s, void *arg), void *arg)
{
    struct pending p = { .job = job, .arg = arg, .arena = a };
    return s->thread_runs ? enqueue(s, &p) : job_run(s, a, job, arg);
}

/* The board's rounds: which job is due, what its steps found, and the states that follow from it. */
#include "domain/board/board.h"
#include "domain/board/facts.h"
#include "domain/core/context.h"
#include "domain/board/board_inside.h"
#include "base/log.h"

enum { STEP_MEMORY = 8 << 20 };
/* Between two rounds of a job: long enough that looking costs little, and for a long round ten times its length. */
enum {
    PAUSE = MINUTE,
    PAUSE_INSTANCE = 5 * SECOND,
    PAUSE_JOURNAL = SECOND,
    PAUSE_FACTOR = 10,
    VERIFY_EVERY = 6 * HOUR,
    READ_AGAIN = 16384
};

/* ---- Rows. ---- */

enum {
    INSTANCE = 1 << JOB_INSTANCE,
    PEOPLE = 1 << JOB_PEOPLE,
    KEYS = 1 << JOB_KEYS,
    RECORDS = 1 << JOB_RECORDS,
    FORMERS = 1 << JOB_FORMERS,
    ATTACHMENTS = 1 << JOB_ATTACHMENTS | 1 << JOB_PARTS,
    CONSENTS = 1 << JOB_CONSENTS,
    CHOICES = 1 << JOB_CHOICES,
    LETTERS = 1 << JOB_LETTERS,
    JOURNAL = 1 << JOB_JOURNAL,
    ACCOUNTS = 1 << JOB_ACCOUNTS,
    SESSIONS = 1 << JOB_SESSIONS,
    PUBLICATIONS = 1 << JOB_PUBLICATIONS,
    SUPPORT = 1 << JOB_SUPPORT,
    FEATURES = ((1 << (JOBS - JOB_FEATURE)) - 1) << JOB_FEATURE,
    LEDGER = 1 << JOB_LEDGER
};
#define EN_FR(en, fr)                                                                                                  \
    {                                                                                                                  \
        TEXT_INIT(en), TEXT_INIT(fr)                                                                                   \
    }
static const struct probe_row rows[] = {
#define PROBE(name, jobs, ...) { TEXT_INIT(#name), jobs, __VA_ARGS__ },
#include "domain/board/probes.def"
#undef PROBE
};
#undef EN_FR

const struct probe_row *probe_row(enum probe p) { return &rows[p]; }

text promise_word(enum promise_state s)
{
    static const text words[] = {
#define X(name, word) TEXT_INIT(word),
        PROMISE_STATES(X)
#undef X
    };
    return words[s];
}

struct board *board_open(void)
{
    struct board *b = calloc(1, sizeof *b);
    if (b) {
        pthread_mutex_init(&b->lock, NULL);
        pthread_cond_init(&b->looked, NULL);
    }
    return b;
}

void board_close(struct board **at)
{
    struct board *b = *at;
    *at = NULL;
    if (!b)
        return;
    for (unsigned i = 0; i < JOBS; i++) {
        free(b->jobs[i].now.tallies);
        free(b->jobs[i].last.tallies);
        free(b->jobs[i].now.unread);
        free(b->jobs[i].last.unread);
    }
    pthread_cond_destroy(&b->looked);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

/* ---- Rounds; the lock is held. ---- */

static void begin_round(struct board *b, enum board_job job)
{
    struct job *j = &b->jobs[job];
    msec now = clock_monotonic();
    j->running = true;
    j->began = now;
    j->from = (struct cursor){ 0 };
    bool anew = !b->verified || now - b->verified > VERIFY_EVERY || b->journal.stuck;
    if (job == JOB_JOURNAL && !anew)
        return; /* goes on from where the journal ended */
    if (job == JOB_JOURNAL) {
        b->journal = (struct journal_round){ 0 };
        b->verified = now;
    }
    facts_clear(&j->now);
}

static void end_round(struct board *b, enum board_job job, msec at)
{
    struct job *j = &b->jobs[job];
    msec now = clock_monotonic(), pause = job == JOB_INSTANCE                       ? PAUSE_INSTANCE
                                          : job == JOB_JOURNAL && !b->journal.stuck ? PAUSE_JOURNAL
                                                                                    : PAUSE;
    msec long_pause = job == JOB_JOURNAL ? 0 : (now - j->began) * PAUSE_FACTOR;
    facts_copy(&j->last, &j->now);
    j->running = false;
    j->known = true;
    j->at = at;
    j->next = now + (pause > long_pause ? pause : long_pause);
}

/* Another policy promises other things: what was found under the former one says nothing of it. */
static void follow_policy(struct board *b, const struct ctx *c)
{
    if (text_eq(text_of(b->policy), text_of(c->policy->hash)))
        return;
    memcpy(b->policy, c->policy->hash, sizeof b->policy);
    for (unsigned i = 0; i < JOBS; i++) {
        b->jobs[i].known = false;
        b->jobs[i].running = false;
        b->jobs[i].next = 0;
    }
    b->verified = 0;
}

static enum err one_step(struct board *b, struct ctx *c, enum board_job job)
{
    struct job *j = &b->jobs[job];
    ARENA_AUTO a = arena_make(STEP_MEMORY);
    struct ctx of_step = *c;
    of_step.arena = &a;
    of_step.decisions = NULL;
    struct board_step s = { .c = &of_step, .board = b, .job = job, .facts = &j->now, .from = &j->from };
    if (!j->running)
        begin_round(b, job);
    enum err e = job == JOB_INSTANCE  ? board_instance(&s)
                 : job == JOB_JOURNAL ? board_journal(&s)
                 : job == JOB_LEDGER  ? board_ledger(&s)
                                      : board_walk(&s);
    if (e == OK && s.done)
        end_round(b, job, c->now);
    if (e != OK) {
        c->arena->why = a.why;
        j->running = false;
        j->next = clock_monotonic() + PAUSE;
    }
    return e;
}

void board_tick(struct app *app)
{
    ARENA_AUTO a = arena_make(1 << 20);
    CTX_AUTO c = { 0 };
    ctx_begin(app, &a, &c);
    struct board *b = app->board;
    for (unsigned i = 0; i < JOBS; i++) {
        enum err e = OK;
        pthread_mutex_lock(&b->lock);
        follow_policy(b, &c);
        if (b->jobs[i].running || clock_monotonic() >= b->jobs[i].next)
            e = one_step(b, &c, (enum board_job)i);
        pthread_mutex_unlock(&b->lock);
        if (e != OK)
            LOG(LOG_WARN, "probe.failed", LOG_TEXT("code", err_row(e)->slug), LOG_TEXT("why", text_of(a.why.detail)));
    }
}

/* A round begun since the request was serves all who asked before it; a batch is one request. False: such a round has
 * ended. The lock is held. */
static bool begin_look(struct board *b, msec since)
{
    while (b->looking)
        pthread_cond_wait(&b->looked, &b->lock);
    if (b->look_began > since)
        return false;
    b->looking = true;
    b->look_began = clock_monotonic();
    return true;
}

static void end_look(struct board *b)
{
    pthread_mutex_lock(&b->lock);
    b->looking = false;
    pthread_cond_broadcast(&b->looked);
    pthread_mutex_unlock(&b->lock);
}

/* A round that was under way is ended, not begun again, so that many who ask do not keep it from its end; then comes a
 * new one, since what it had passed already may have changed. A long journal is read on from where it was. */
static enum err look_at(struct board *b, struct ctx *c, enum board_job job, msec until)
{
    bool first = true, again = false;
    while (clock_monotonic() < until) {
        pthread_mutex_lock(&b->lock);
        follow_policy(b, c);
        if (first)
            again = b->jobs[job].running && job != JOB_JOURNAL;
        enum err e = one_step(b, c, job);
        bool more = b->jobs[job].running;
        pthread_mutex_unlock(&b->lock);
        TRY(e);
        first = false;
        if (!more && !again)
            break;
        again = again && more;
    }
    return OK;
}

static enum err whole_round(struct board *b, struct ctx *c, msec budget)
{
    msec until = clock_monotonic() + budget;
    for (unsigned i = 0; i < JOBS; i++)
        TRY(look_at(b, c, (enum board_job)i, until));
    return OK;
}

enum err board_round(struct ctx *c, msec budget)
{
    struct board *b = c->app->board;
    pthread_mutex_lock(&b->lock);
    bool begun = begin_look(b, c->began);
    if (begun) {
        /* A journal that is read in a moment is read again from its first entry; a longer one by the jobs. */
        if (store_figures(ctx_store(c)).journal_size <= READ_AGAIN) {
            b->verified = 0;
            b->jobs[JOB_JOURNAL].running = false;
        }
    }
    pthread_mutex_unlock(&b->lock);
    if (!begun)
        return OK;
    enum err status = whole_round(b, c, budget);
    end_look(b);
    return status;
}

/* ---- States. ---- */

static struct fact sum_of(const struct board *b, enum probe p, msec *at, bool *known)
{
    struct fact sum = { 0 };
    *at = 0;
    *known = true;
    for (unsigned i = 0; i < JOBS; i++) {
        const struct job *j = &b->jobs[i];
        if (!(rows[p].jobs >> i & 1))
            continue;
        *known &= j->known;
        if (!*at || j->at < *at)
            *at = j->at;
        sum.figure += j->last.of[p].figure;
        sum.bad += j->last.of[p].bad;
        sum.soon += j->last.of[p].soon;
    }
    if (!*known)
        *at = 0;
    return sum;
}

static enum promise_state state_of(int64_t bad, int64_t soon, bool known)
{
    return bad ? PROMISE_BROKEN
         : soon || !known ? PROMISE_RISK : PROMISE_KEPT;
}

static bool promised(const struct policy *p, enum probe probe)
{
    if (probe == PROBE_backups)
        return node_at(p->root, TEXT("backup.every")) != NULL;
    return probe != PROBE_cookies || node_get(p->root, TEXT("cookies")) != NULL;
}

static void put_probes(struct board *b, const struct policy *p, struct board_view *v)
{
    for (unsigned i = 0; i < PROBES; i++) {
        bool known;
        struct board_probe *one = &v->probes[i];
        struct fact f = sum_of(b, (enum probe)i, &one->at, &known);
        known = known && v->now - one->at <= BOARD_LATELY;
        one->applies = promised(p, (enum probe)i);
        one->figure = f.figure;
        one->bad = f.bad;
        one->soon = f.soon;
        one->state = state_of(f.bad, f.soon, known);
        if (one->applies && one->state > v->worst)
            v->worst = one->state;
    }
}

void board_probes(struct ctx *c, struct board_view *out)
{
    struct board *b = c->app->board;
    *out = (struct board_view){ .file = c->policy->file, .now = c->now };
    pthread_mutex_lock(&b->lock);
    put_probes(b, c->policy, out);
    pthread_mutex_unlock(&b->lock);
}

/* Budgets: the rows of budgets.def, what is said beyond one, and what was done about each person today. */
#include "domain/core/budget.h"
#include "domain/core/instance.h"
#include <sys/random.h>

static const struct budget_row rows[] = {
#define BUDGET(name, limit, unit, within, error, en, fr)                                                               \
    { TEXT_INIT(#name), limit, unit, within, ERR_##error, TEXT_INIT(en), TEXT_INIT(fr) },
#include "domain/core/budgets.def"
#undef BUDGET
#undef MIB
};

const struct budget_row *budget_row(enum budget b) { return &rows[b]; }

enum err budget_check(struct arena *a, text language, enum budget b, int64_t used, int64_t more)
{
    const struct budget_row *row = &rows[b];
    if (used + more <= row->limit * row->unit)
        return OK;
    bool fr = text_eq(language, TEXT("fr"));
    say(a, row->error, fr ? "au plus %lld %.*s" : "at most %lld %.*s", (long long)row->limit,
        T(fr ? row->fr : row->en));
    a->why.retry = row->within ? (int)(row->within / SECOND / 24) : 1;
    return row->error;
}

/* ---- Acts. ---- */

static const struct {
    text act;
    int budget;
    text why;
} acts[] = {
#define ACT(act, budget) { TEXT_INIT(act), BUDGET_##budget, TEXT_INIT("") },
#define FREE(act, why)   { TEXT_INIT(act), -1, TEXT_INIT(why) },
#include "domain/core/budgets.def"
#undef MIB
#undef BUDGET
};

int budget_of_act(text act, text *why)
{
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (text_eq(acts[i].act, act)) {
            *why = acts[i].why;
            return acts[i].budget;
        }
    return -2;
}

/* ---- What was done within a window: counters in places that are found by keyed digests (a count-min sketch: of
 * several places the least counts). ---- */

enum { PLACES = 1 << 17, ROWS = 3 };

struct spending {
    pthread_mutex_t lock;
    uint64_t seed[ROWS]; /* so that nobody can choose who shares their places */
    int64_t window;
    uint16_t count[ROWS][PLACES];
};

struct spending *spending_open(void)
{
    struct spending *s = calloc(1, sizeof *s);
    if (!s || getrandom(s->seed, sizeof s->seed, 0) != sizeof s->seed) {
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void spending_close(struct spending **at)
{
    struct spending *s = *at;
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
    *at = NULL;
}

static uint64_t mixed(uint64_t hash, text s)
{
    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (uint8_t)s.p[i]) * 0x100000001B3u;
    return (hash ^ hash >> 29) * 0xBF58476D1CE4E5B9u;
}

/* One more of that budget for this person within the window; false when as many as may were counted in it. */
static bool count_one(struct spending *s, int64_t window, enum budget b, text tenant, struct subject_id person)
{
    size_t at[ROWS];
    int64_t used = INT64_MAX;
    pthread_mutex_lock(&s->lock);
    if (s->window != window) {
        memset(s->count, 0, sizeof s->count);
        s->window = window;
    }
    for (unsigned i = 0; i < ROWS; i++) {
        uint64_t hash = mixed(mixed(s->seed[i] + b, tenant), TEXT_BYTES(person));
        at[i] = (hash >> 32 ^ hash) % PLACES;
        used = s->count[i][at[i]] < used ? s->count[i][at[i]] : used;
    }
    bool room = used < rows[b].limit;
    for (unsigned i = 0; room && i < ROWS; i++)
        s->count[i][at[i]] += s->count[i][at[i]] < UINT16_MAX;
    pthread_mutex_unlock(&s->lock);
    return room;
}

static enum err over(struct ctx *c, enum budget b, msec rest)
{
    enum err status = budget_check(c->arena, c->language, b, rows[b].limit * rows[b].unit, 1);
    c->arena->why.retry = (int)(rest / SECOND) + 1;
    return status;
}

enum err budget_spend(struct ctx *c, const struct write *w)
{
    text why;
    int b = budget_of_act(w->event.act, &why);
    if (b < 0 || !w->event.has_subject || w->urgent || w->truncate || w->shred_count)
        return OK;
    bool room = count_one(c->app->spent, c->now / DAY, (enum budget)b, w->event.tenant, w->event.subject);
    return room ? OK : over(c, (enum budget)b, DAY - c->now % DAY);
}

enum err budget_take(struct ctx *c, enum budget b, text what)
{
    struct subject_id place = { { 0 } };
    uint64_t hash = mixed(c->app->spent->seed[0], what);
    memcpy(place.b, &hash, sizeof hash);
    return count_one(c->app->spent, c->now / DAY, b, c->tenant, place) ? OK : over(c, b, DAY - c->now % DAY);
}

enum err budget_ask(struct ctx *c)
{
    msec now = clock_monotonic();
    if (!c->session || !c->actor.has_self)
        return OK;
    bool room = count_one(c->app->asked, now / MINUTE, BUDGET_requests, c->tenant, c->actor.self);
    return room ? OK : over(c, BUDGET_requests, MINUTE - now % MINUTE);
}

/* The work that time brings: the rows of jobs.def, each when it is due, and how they went. */
#include "base/log.h"
#include "domain/account/session.h"
#include "domain/board/board.h"
#include "domain/core/feature.h"
#include "domain/core/instance.h"
#include "domain/entry/opening.h"
#include "domain/entry/reset.h"
#include "domain/instance/care.h"
#include "domain/instance/jobs.h"
#include "domain/instance/load.h"
#include "domain/keep/erasing.h"
#include "domain/keep/hold.h"
#include "domain/person/held.h"
#include "domain/version/telling.h"

enum { ONCE = 0, STEPS_A_TURN = 20, TURN_MEMORY = 32 << 20 };
enum where { NODE, CLUSTER };

static enum err follow_policy(struct ctx *c) { return app_policy_tick(c->app, c->arena); }

static enum err look_around(struct ctx *c)
{
    board_tick(c->app);
    return OK;
}

static enum err sweep(struct ctx *c, bool *more) { return retention_tick(c, STEPS_A_TURN, more); }

static const struct row {
    const char *name;
    msec every;
    enum where where;
    enum err (*run)(struct ctx *c);
    enum err (*steps)(struct ctx *c, bool *more);
} rows[] = {
#define JOB(name, every, where, run)     { #name, every, where, run, NULL },
#define STEPS(name, every, where, steps) { #name, every, where, NULL, steps },
#include "domain/instance/jobs.def"
};
enum { ROWS = sizeof rows / sizeof *rows };
_Static_assert(sizeof rows / sizeof *rows <= JOBS_MAX, "more jobs than anybody tells of");
_Static_assert(sizeof((struct app *)0)->jobs == JOBS_MAX * sizeof(struct timed), "an instance has room for all jobs");

/* A job that fails is tried again at its next turn; the log and the metrics tell, doctor shows what is overdue. */
static void take_turn(struct app *app, const struct row *row, struct timed *job)
{
    ARENA_AUTO a = arena_make(TURN_MEMORY);
    CTX_AUTO c = { 0 };
    bool more = false;
    ctx_begin(app, &a, &c);
    c.actor.name = TEXT("garant");
    enum err status = row->run ? row->run(&c) : row->steps(&c, &more);
    if (status != OK)
        LOG(LOG_WARN, "job.failed", LOG_TEXT("job", text_of(row->name)), LOG_TEXT("code", err_row(status)->slug),
            LOG_TEXT("why", text_of(a.why.detail)));
    bool at_once = more && status == OK;
    msec pause = row->every == ONCE ? MINUTE : row->every; /* of one for the start: until it is tried again */
    job->next = clock_monotonic() + (at_once ? 0 : pause);
    job->over = row->every == ONCE && status == OK;
    atomic_fetch_add(&job->turns, 1);
    atomic_fetch_add(&job->failures, status != OK);
}

void app_tick(struct app *app)
{
    for (unsigned i = 0; i < ROWS; i++) {
        struct timed *job = &app->jobs[i];
        if (!job->next) /* what can wait does not hold up a start */
            job->next = clock_monotonic() + (rows[i].every > SECOND ? rows[i].every : 0);
        bool mine = rows[i].where == NODE || store_leads(app->store);
        if (mine && !job->over && job->next <= clock_monotonic())
            take_turn(app, &rows[i], job);
    }
}

unsigned jobs_told(const struct app *app, struct job_told *out)
{
    for (unsigned i = 0; i < ROWS; i++)
        out[i] = (struct job_told){ rows[i].name, atomic_load(&app->jobs[i].turns),
                                    atomic_load(&app->jobs[i].failures) };
    return ROWS;
}

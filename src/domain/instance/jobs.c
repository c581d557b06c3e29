/* The work that time brings, a little at each tick, so that nothing waits long for the jobs' thread to stop. */
#include "base/log.h"
#include "domain/board/board.h"
#include "domain/instance/care.h"
#include "domain/keep/erasing.h"
#include "domain/person/held.h"
#include "domain/account/session.h"
#include "domain/core/instance.h"
#include "domain/entry/opening.h"
#include "domain/entry/reset.h"
#include "domain/keep/hold.h"
#include "domain/version/telling.h"

enum { SWEEP_EVERY = MINUTE, STEPS_A_TICK = 20, TICK_MEMORY = 32 << 20 };

/* A job that fails is tried again at its next turn; the log tells, and doctor and metrics show what is overdue. */
static void report(const char *job, const struct arena *a, enum err status)
{
    if (status != OK)
        LOG(LOG_WARN, "job.failed", LOG_TEXT("job", text_of(job)), LOG_TEXT("code", err_row(status)->slug),
            LOG_TEXT("why", text_of(a->why.detail)));
}

void app_tick(struct app *app)
{
    ARENA_AUTO a = arena_make(TICK_MEMORY);
    CTX_AUTO c = { 0 };
    bool more = false;
    msec now = clock_monotonic();
    report("policy", &a, app_policy_tick(app, &a));
    ctx_begin(app, &a, &c);
    c.actor.name = TEXT("garant");
    report("transient", &a, transient_tick(&c));
    report("sessions", &a, session_tick(&c));
    report("change of the master key", &a, care_rotate_tick(&c));
    board_tick(app);
    if (!app->swept) { /* at the start: what a crash left; the sweep itself can wait */
        report("resume", &a, erase_resume(&c));
        app->swept = now;
    }
    report("passwords asked for", &a, reset_tick(&c));
    report("telling", &a, telling_tick(&c));
    if (now - app->swept < SWEEP_EVERY)
        return;
    report("registrations", &a, registration_tick(&c));
    enum err status = retention_tick(&c, STEPS_A_TICK, &more);
    report("sweep", &a, status);
    if (!more || status != OK)
        app->swept = now;
}

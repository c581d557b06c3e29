/* The load of each hour, written when it is over: sums, in one commit an hour. */
#include "base/log.h"
#include "domain/core/context.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/instance/load.h"

void load_from(struct app *app, load_ask *ask, void *arg)
{
    app->load.ask = ask;
    app->load.arg = arg;
}

struct hour {
    int64_t hour, storage;
    struct load_counts counts;
};

static enum err run_hour(struct db *db, struct write *w)
{
    const struct hour *h = w->arg;
    const struct val machine = V_TEXT(TEXT(""));
    for (unsigned i = 0; i < LOAD_BUCKETS; i++)
        if (h->counts.responses[i])
            TRY(db_run(db, SQL_LOAD_ADD, NULL,
                       ARGS(machine, V_INT(LOAD_ROW_RESPONSES + i), V_INT(h->hour),
                            V_INT((int64_t)h->counts.responses[i]))));
    return db_run(db, SQL_LOAD_SET, NULL, ARGS(machine, V_INT(LOAD_ROW_STORAGE), V_INT(h->hour), V_INT(h->storage)));
}

static enum err write_hour(struct ctx *c, const struct load_counts *now)
{
    const struct load_counts *before = &c->app->load.before;
    const struct store_figures f = store_figures(ctx_store(c));
    struct hour h = { .hour = c->app->load.hour, .storage = (int64_t)(f.db_bytes + f.wal_bytes) };
    for (unsigned i = 0; i < LOAD_BUCKETS; i++)
        h.counts.responses[i] = now->responses[i] - before->responses[i];
    struct write w = { .run = run_hour, .arg = &h, .event = event_of(c, NULL, TEXT("load.counted")) };
    w.event.purpose = c->policy->purposes[capacity_of(c->policy).purpose].name;
    return write_do(c, &w, NULL);
}

static enum err turn(struct ctx *c, bool whole)
{
    struct app *app = c->app;
    struct load_counts now = { { 0 } };
    int64_t hour = c->now / HOUR;
    if (!app->load.ask || (whole && app->load.hour == hour))
        return OK;
    app->load.ask(app->load.arg, &now);
    if (app->load.hour && capacity_of(c->policy).purpose >= 0)
        TRY(write_hour(c, &now));
    app->load.before = now;
    app->load.hour = hour;
    return OK;
}

enum err load_tick(struct ctx *c) { return turn(c, true); }

void load_end(struct app *app)
{
    ARENA_AUTO a = arena_make(1 << 20);
    CTX_AUTO c = { 0 };
    ctx_begin(app, &a, &c);
    c.actor.name = TEXT("garant");
    if (turn(&c, false) != OK)
        LOG(LOG_WARN, "load not written", LOG_TEXT("why", text_of(a.why.detail)));
}

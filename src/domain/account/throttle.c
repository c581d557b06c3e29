/* The count of failures, in a table that forgets after a day, and the tries under way, in memory. */
#include "domain/account/throttle.h"
#include "domain/core/instance.h"

enum { FLIGHTS = 4096, PROBES = 16 };

struct flight {
    struct digest digest;
    unsigned count;
};
struct throttle {
    pthread_mutex_t lock;
    struct flight flights[FLIGHTS];
};

struct throttle *throttle_open(void)
{
    struct throttle *t = calloc(1, sizeof *t);
    if (t)
        pthread_mutex_init(&t->lock, NULL);
    return t;
}

void throttle_close(struct throttle **t)
{
    if (*t)
        pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

struct digest throttle_digest(const struct ctx *c, text use, text what)
{
    struct digest d;
    digest_identifier(store_index_key(ctx_store(c)), c->tenant, use, what, &d);
    return d;
}

msec throttle_delay(const struct password_rule *r, int64_t failures)
{
    int64_t beyond = failures - r->attempts;
    if (!r->slowed || beyond < 0)
        return 0;
    return r->steady || beyond >= 10 ? THROTTLE_LONGEST : ((msec)1 << beyond) * SECOND;
}

/* ---- Tries under way. The digest is keyed, so that nobody chooses where it falls. ---- */

static struct flight *flight_of(struct throttle *t, const struct digest *digest)
{
    size_t start;
    struct flight *spare = NULL;
    memcpy(&start, digest->b, sizeof start);
    for (size_t i = 0; i < PROBES; i++) {
        struct flight *f = &t->flights[(start + i) % FLIGHTS];
        if (f->count && memcmp(&f->digest, digest, sizeof *digest) == 0)
            return f;
        if (!spare && !f->count)
            spare = f;
    }
    if (spare)
        spare->digest = *digest;
    return spare;
}

/* As many at once as may still fail before there is a delay; one when there is. */
static bool take_off(struct throttle *t, const struct digest *digest, int64_t allowed)
{
    pthread_mutex_lock(&t->lock);
    struct flight *f = flight_of(t, digest);
    bool ok = f && f->count < (allowed < 1 ? 1 : allowed);
    if (ok)
        f->count++;
    pthread_mutex_unlock(&t->lock);
    return ok;
}

void throttle_leave(struct ctx *c, const struct attempt *at)
{
    struct throttle *t = c->app->throttle;
    pthread_mutex_lock(&t->lock);
    struct flight *f = flight_of(t, &at->digest);
    if (f && f->count)
        f->count--;
    pthread_mutex_unlock(&t->lock);
}

/* ---- The count. ---- */

static enum err load(struct ctx *c, struct attempt *at)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ATTEMPT_GET, ARGS(V_BYTES(TEXT_BYTES(at->digest)), V_INT(c->now - THROTTLE_KEPT)));
    bool found = query_next(&q);
    at->failures = found ? query_get(&q, ATTEMPT_GET, failures) : 0;
    at->failed_at = found ? query_get(&q, ATTEMPT_GET, at) : 0;
    return q.status;
}

static enum err wait_first(struct ctx *c, msec left)
{
    say(c->arena, ERR_TOO_MANY, "too many failed attempts: try again later");
    c->arena->why.retry = (int)((left + SECOND - 1) / SECOND);
    return ERR_TOO_MANY;
}

enum err throttle_enter(struct ctx *c, const struct password_rule *r, struct attempt *at)
{
    TRY(load(c, at));
    msec left = at->failed_at + throttle_delay(r, at->failures) - c->now;
    /* what failed ahead of now failed by a clock that was set right since: no delay is longer than its own */
    if (left > 0 && at->failed_at <= c->now + MINUTE)
        return wait_first(c, left);
    int64_t allowed = r->slowed ? r->attempts - at->failures : INT32_MAX;
    return take_off(c->app->throttle, &at->digest, allowed) ? OK : wait_first(c, SECOND);
}

enum err throttle_letter(struct ctx *c, struct attempt *at)
{
    static const struct password_rule five = { .attempts = 5, .slowed = true, .steady = true };
    return throttle_enter(c, &five, at);
}

enum err throttle_run_failed(struct db *db, const struct ctx *c, const struct attempt *at)
{
    return db_run(db, SQL_ATTEMPT_FAILED, NULL,
                  ARGS(V_BYTES(TEXT_BYTES(at->digest)), V_TEXT(c->tenant), at->has_subject ? V_ID(at->subject) : V_NULL,
                       V_INT(c->now), V_INT(c->now - THROTTLE_KEPT)));
}

enum err throttle_run_clear(struct db *db, const struct attempt *at)
{
    return db_run(db, SQL_ATTEMPT_CLEAR, NULL, ARGS(V_BYTES(TEXT_BYTES(at->digest))));
}

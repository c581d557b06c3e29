/* Connections that read: kept for the next reader with their snapshot open, as long as it is the newest. */
#include "store/engine.h"

/* A snapshot is shared by who comes within SHARED_MS of its begin: what somebody alters in the file behind this server
 * is seen after that, as what this server writes is at once. */
enum { POOL_MAX = 32, SHARED_MS = 1, SLOW_MS = 500 };

/* ---- The snapshot of a connection. ---- */

static bool is_newest(const struct store *s, const struct db *db)
{
    return db->open && db->state == s->state && clock_monotonic() - db->begun <= SHARED_MS;
}

static enum err snapshot_end(struct db *db)
{
    bool was = db->open;
    db->open = false;
    return was ? db_control(db, CONTROL_COMMIT) : OK;
}

static enum err snapshot_begin(struct db *db)
{
    TRY(snapshot_end(db));
    TRY(db_control(db, CONTROL_SNAPSHOT));
    db->begun = clock_monotonic();
    db->open = true;
    return OK;
}

/* ---- The pool. ---- */

/* *newest: the snapshot that it has serves; else what was acknowledged so far is told, before a snapshot that has all
 * of it. */
static struct db *take(struct store *s, enum file f, bool *newest, struct ledger_fresh *fresh, uint64_t *state)
{
    pthread_mutex_lock(&s->pool_lock);
    struct db *db = s->pool[f];
    if (db) {
        s->pool[f] = db->next;
        s->pooled--;
    }
    *newest = db && is_newest(s, db);
    if (!*newest) {
        *fresh = s->fresh;
        *state = s->state;
    }
    pthread_mutex_unlock(&s->pool_lock);
    return db;
}

static enum err new_reader(struct store *s, struct arena *a, enum file f, struct db **out)
{
    if (atomic_load(&s->away))
        return say(a, ERR_STORAGE, "the databases are not reached; the server tries again by itself");
    enum err e = store_connect(s, a, f, DB_READ, out);
    if (e == ERR_STORAGE)
        writer_away(s);
    return e;
}

enum err store_reader(struct store *s, struct arena *a, enum file f, struct db **out)
{
    bool newest;
    struct ledger_fresh fresh;
    uint64_t state = 0;
    struct db *db = take(s, f, &newest, &fresh, &state);
    bool pooled = db;
    msec began = clock_monotonic();
    if (!db)
        TRY(new_reader(s, a, f, &db));
    db->arena = a;
    db->next = NULL;
    *out = db;
    enum err e = newest ? OK : snapshot_begin(db);
    if (e != OK) {
        db_close(out);
        if (clock_monotonic() - began > SLOW_MS) /* the others of the pool would take as long to fail */
            writer_away(s);
        return pooled && !s->engine->files ? store_reader(s, a, f, out) : e; /* its session may have ended meanwhile */
    }
    if (!newest) {
        db->fresh = fresh;
        db->state = state;
    }
    wait_forbid(); /* a snapshot that waits keeps the whole file from being tidied */
    return OK;
}

enum err store_read(struct store *s, struct arena *a, struct db **out) { return store_reader(s, a, FILE_DATA, out); }

enum err store_read_keys(struct store *s, struct arena *a, struct db **out)
{
    return store_reader(s, a, FILE_KEYS, out);
}

void store_read_end(struct db **at)
{
    struct db *db = *at;
    *at = NULL;
    if (!db || db->writing) /* the writer's own goes on */
        return;
    struct store *s = db->store;
    wait_allow();
    bool sound = db->broken == OK && db->spoiled == OK; /* a connection that saw an error is not used again */
    if (sound && !s->engine->files) /* an idle snapshot would keep PostgreSQL from tidying all of its tables */
        sound = snapshot_end(db) == OK;
    pthread_mutex_lock(&s->pool_lock);
    if (sound && s->emptying)
        sound = snapshot_end(db) == OK;
    bool pool = sound && s->pooled < POOL_MAX;
    if (pool) {
        db->next = s->pool[db->file];
        s->pool[db->file] = db;
        s->pooled++;
    }
    pthread_mutex_unlock(&s->pool_lock);
    if (!pool)
        db_close(&db);
}

/* ---- What was read before. ---- */

struct store_moment store_moment(const struct db *db) { return (struct store_moment){ db->state, db->begun }; }

bool store_still(struct store *s, const struct db *writing, struct store_moment m, const enum table *of, unsigned count)
{
    bool still = clock_monotonic() - m.begun <= SHARED_MS;
    for (unsigned i = 0; writing && i < count; i++)
        still &= !s->touched[of[i]];
    pthread_mutex_lock(&s->pool_lock);
    for (unsigned i = 0; i < count; i++)
        still &= s->changed_at[of[i]] <= m.state;
    pthread_mutex_unlock(&s->pool_lock);
    return still;
}

/* ---- For the writer. ---- */

void readers_renew(struct store *s)
{
    pthread_mutex_lock(&s->pool_lock);
    s->fresh = s->edge.ledger.fresh;
    s->state++;
    for (unsigned t = 0; t < TABLE_COUNT; t++)
        if (s->touched[t])
            s->changed_at[t] = s->state;
    memset(s->touched, 0, sizeof s->touched);
    pthread_mutex_unlock(&s->pool_lock);
}

void readers_empty(struct store *s, bool begins)
{
    pthread_mutex_lock(&s->pool_lock);
    s->emptying = begins;
    pthread_mutex_unlock(&s->pool_lock);
}

/* Under the lock: who comes meanwhile waits for some microseconds rather than open a connection of their own. */
void readers_release(struct store *s, struct arena *a)
{
    pthread_mutex_lock(&s->pool_lock);
    for (enum file f = 0; f < FILE_COUNT; f++)
        for (struct db **place = &s->pool[f]; *place;) {
            struct db *db = *place;
            db->arena = a;
            if (snapshot_end(db) == OK) {
                place = &db->next;
                continue;
            }
            *place = db->next;
            s->pooled--;
            db_close(&db);
        }
    pthread_mutex_unlock(&s->pool_lock);
}

void readers_close(struct store *s)
{
    for (enum file f = 0; f < FILE_COUNT; f++)
        for (struct db *db = s->pool[f], *next; db; db = next) {
            next = db->next;
            db_close(&db);
        }
}

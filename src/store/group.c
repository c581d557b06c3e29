/* One group of writes: keys put, members run, keys shredded, one commit of the keyring, one of the data. */
#include "base/log.h"
#include "store/engine.h"
#include <time.h>
#include <unistd.h>

enum { TRUNCATE_WAIT_MS = 250, CLASSES_MEMORY = 1 << 20, FATE_WITHIN = SECOND, FATE_AGAIN_US = 20000 };

/* ---- Keys of a write. ---- */

static enum err keys_begin(struct store *s)
{
    if (s->keys_open)
        return OK;
    TRY(db_control(s->writers[FILE_KEYS], CONTROL_BEGIN));
    s->keys_open = true;
    return OK;
}

static enum err keys_take_back(struct store *s, const struct write *w, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        TRY(db_run(s->writers[FILE_KEYS], SQL_KEY_DROP, NULL,
                   ARGS(V_TEXT(w->puts[i].tenant), V_ID(w->puts[i].subject), V_INT(w->puts[i].key_class))));
    return OK;
}

/* The wrapped key under the master of now: a rotation may have begun since the caller wrapped it. */
static enum err wrapped_now(struct store *s, struct arena *a, const struct key_put *p, uint8_t out[WRAPPED_KEY])
{
    KEY_AUTO k;
    const struct master *m = store_master(s);
    memcpy(out, p->wrapped, WRAPPED_KEY);
    if (key_wrap_current(m, TEXT_BYTES(p->wrapped)))
        return OK;
    TRY(key_unwrap(a, m, p->tenant, p->subject, p->key_class, TEXT_BYTES(p->wrapped), &k));
    key_wrap(m, p->tenant, p->subject, p->key_class, &k, out);
    return OK;
}

static enum err key_add(struct store *s, const struct key_put *p)
{
    struct db *keys = s->writers[FILE_KEYS];
    uint8_t wrapped[WRAPPED_KEY];
    TRY(wrapped_now(s, keys->arena, p, wrapped));
    return db_run(keys, SQL_KEY_PUT, NULL,
                  ARGS(V_TEXT(p->tenant), V_ID(p->subject), V_INT(p->key_class), V_BYTES(TEXT_BYTES(wrapped))));
}

/* ERR_CONFLICT when the person has a key of that class already; then none of the write's keys is put. */
static enum err keys_put(struct store *s, const struct write *w)
{
    struct db *keys = s->writers[FILE_KEYS];
    for (unsigned i = 0; i < w->put_count; i++) {
        TRY(keys_begin(s));
        enum err e = key_add(s, &w->puts[i]);
        if (e != OK && keys->broken == OK)
            TRY(keys_take_back(s, w, i));
        TRY(e);
    }
    return OK;
}

static enum err key_drop(struct db *keys, const struct key_shred *x, uint32_t key_class)
{
    return db_run(keys, SQL_KEY_DROP, NULL, ARGS(V_TEXT(x->tenant), V_ID(x->subject), V_INT(key_class)));
}

static bool is_kept(const struct key_shred *x, int64_t key_class)
{
    for (unsigned i = 0; i < x->kept_count; i++)
        if (x->kept[i] == key_class)
            return true;
    return false;
}

static enum err shred_all_but_kept(struct db *keys, const struct key_shred *x)
{
    ARENA_AUTO own = arena_make(CLASSES_MEMORY);
    struct classes all;
    TRY(classes_read(keys, &own, SQL_KEY_CLASSES, x->tenant, x->subject, &all));
    bool stays = false;
    for (unsigned i = 0; i < all.count; i++) {
        stays |= is_kept(x, all.at[i]);
        if (!is_kept(x, all.at[i]))
            TRY(key_drop(keys, x, all.at[i]));
    }
    if (stays || x->keep.n)
        return db_run(keys, SQL_HELD_PUT, NULL,
                      ARGS(V_TEXT(x->tenant), V_ID(x->subject), V_TEXT(x->keep.n ? x->keep : TEXT(""))));
    return db_run(keys, SQL_HELD_DROP, NULL, ARGS(V_TEXT(x->tenant), V_ID(x->subject)));
}

static enum err keys_shred(struct store *s, const struct write *w)
{
    struct db *keys = s->writers[FILE_KEYS];
    for (unsigned i = 0; i < w->shred_count; i++) {
        const struct key_shred *x = &w->shreds[i];
        TRY(keys_begin(s));
        TRY(db_run(keys, SQL_INTENT_PUT, NULL,
                   ARGS(V_TEXT(x->tenant), V_ID(x->subject), V_TEXT(x->keep.n ? x->keep : TEXT("")))));
        TRY(x->all_but_held ? shred_all_but_kept(keys, x) : key_drop(keys, x, x->key_class));
    }
    return OK;
}

/* ---- One group. ---- */

static bool lost(const struct store *s)
{
    return s->writers[FILE_DATA]->broken != OK || s->writers[FILE_KEYS]->broken != OK;
}

/* What a statement was refused for behind which the engine runs nothing; OK: no such thing. */
static enum err spoiled(const struct store *s)
{
    enum err e = s->writers[FILE_DATA]->spoiled;
    return e != OK ? e : s->writers[FILE_KEYS]->spoiled;
}

static enum err member_run(struct store *s, struct pending *p)
{
    struct db *data = s->writers[FILE_DATA];
    struct write *w = p->w;
    s->writers[FILE_KEYS]->arena = p->arena;
    data->arena = s->writers[FILE_KEYS]->arena;
    s->member = w;
    ledger_forget_people(data); /* this one is about others */
    TRY(keys_put(s, w));
    enum err e = w->run ? w->run(data, w) : OK;
    if (e == OK && !lost(s))
        e = journal_add(data, &w->event, &w->index);
    w->at = s->edge.last;
    if (e != OK)
        ledger_forget_changes(s); /* the transaction is undone, or the member wrote nothing */
    if (e == OK && !lost(s))
        return keys_shred(s, w);
    if (!lost(s) && spoiled(s) == OK) /* else they go with what is undone */
        TRY(keys_take_back(s, w, w->put_count));
    return e;
}

/* Of both files where a statement that fails spoils the transaction: the keys of the member come and go with its rows.
 */
static enum err members_control(struct store *s, enum control c)
{
    if (s->engine->spoils)
        TRY(db_control(s->writers[FILE_KEYS], c));
    return db_control(s->writers[FILE_DATA], c);
}

/* A member that may write and fail without harm to the others. */
static enum err member_run_apart(struct store *s, struct pending *p)
{
    struct edge *before = &s->saved_member;
    edge_copy(before, &s->edge);
    if (s->engine->spoils)
        TRY(keys_begin(s));
    TRY(members_control(s, CONTROL_SAVE));
    enum err e = member_run(s, p);
    if (lost(s))
        return e;
    if (e == OK) /* it went on behind a statement that failed */
        e = spoiled(s);
    if (e != OK) {
        edge_copy(&s->edge, before);
        ledger_forget_changes(s);
        TRY(members_control(s, CONTROL_UNDO));
    }
    TRY(members_control(s, CONTROL_KEEP));
    return e;
}

enum turn { TURN_DONE, TURN_LOST, TURN_AGAIN };

/* Runs the members in the open transaction. TURN_AGAIN: one failed after it had written, and they must be run apart. */
static enum turn members_run(struct store *s, struct pending *group, bool apart)
{
    struct db *data = s->writers[FILE_DATA];
    for (struct pending *p = group; p; p = p->next) {
        int64_t before = db_changes(data);
        p->result = apart ? member_run_apart(s, p) : member_run(s, p);
        if (lost(s)) {
            s->own.why = p->arena->why;
            return TURN_LOST;
        }
        bool wrote = db_changes(data) != before;
        if (!apart && (spoiled(s) != OK || (p->result != OK && wrote)))
            return TURN_AGAIN;
    }
    return TURN_DONE;
}

/* Ends a transaction that failed. A failed fsync, or a rollback that fails, stops the writer until it has reopened. */
static void undo(struct store *s, enum file f)
{
    struct db *db = s->writers[f];
    bool stuck = !db_rollback(db);
    if (stuck || db->sync_failed)
        s->stopped = true;
    db->broken = OK;
    db->spoiled = OK;
    db->sync_failed = false;
    db->writing = false;
}

void group_mend(struct store *s)
{
    for (enum file f = 0; f < FILE_COUNT; f++)
        undo(s, f);
    s->keys_open = false;
    ledger_forget_changes(s);
}

void group_undo(struct store *s)
{
    group_mend(s);
    edge_copy(&s->edge, &s->saved);
}

uint64_t group_clock(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static enum err fate_read(struct store *s, struct edge *found)
{
    struct db *data = s->writers[FILE_DATA], *keys = s->writers[FILE_KEYS];
    TRY(s->engine->again(data));
    if (db_exec(keys, "SELECT 1") != OK) /* lost with it; nothing is open there now */
        TRY(s->engine->again(keys));
    return edge_load(data, found);
}

/* The connection was lost at its COMMIT: whether that was done is asked of the journal on a new one. Its session has
 * the writers' lock, so the former one is over, and nothing more comes of it. Who answered nothing for long is not
 * waited for. ERR_UNKNOWN while it is not known: the store reads it again before it writes anything. */
static enum err commit_fate(struct store *s, enum err e, uint64_t began)
{
    struct edge *found = &s->saved_member;
    uint64_t within = began + FATE_WITHIN * 1000;
    if (!s->engine->again || !s->writers[FILE_DATA]->sync_failed)
        return e;
    for (e = ERR_STORAGE; e == ERR_STORAGE && group_clock() < within;) {
        e = fate_read(s, found);
        if (e == ERR_STORAGE || e == ERR_LOCKED)
            usleep(FATE_AGAIN_US);
        if (e == ERR_LOCKED)
            e = ERR_STORAGE;
    }
    /* Its keys stay, since the rows may be there, and nothing is written before the store is opened anew. */
    s->stopped |= e != OK;
    if (e != OK)
        return say(&s->own, ERR_UNKNOWN, "the connection was lost while this was saved: ask again with the same key");
    bool done = edge_same(&s->edge, found);
    LOG(LOG_WARN, "store.commit-asked", LOG_INT("done", done));
    return done ? OK : say(&s->own, ERR_STORAGE, "the connection to the databases was lost; it is there again");
}

/* The keyring first: a key in use is never lost, an erased one never comes back. */
static enum err group_commit(struct store *s)
{
    struct db *data = s->writers[FILE_DATA], *keys = s->writers[FILE_KEYS];
    keys->arena = &s->own;
    data->arena = keys->arena;
    TRY(journal_keep(s, false));
    uint64_t start = group_clock();
    bool keys_first = s->keys_open;
    if (keys_first)
        TRY(db_control(keys, CONTROL_COMMIT));
    s->keys_open = false;
    enum err e = db_control(data, CONTROL_COMMIT);
    if (e != OK)
        e = commit_fate(s, e, start);
    s->intents_due |= e != OK && keys_first;
    TRY(e);
    atomic_fetch_add_explicit(&s->fsync_us, group_clock() - start, memory_order_relaxed);
    return OK;
}

static enum err group_begin(struct store *s)
{
    struct db *data = s->writers[FILE_DATA];
    s->writers[FILE_KEYS]->arena = &s->own;
    data->arena = s->writers[FILE_KEYS]->arena;
    edge_copy(&s->saved, &s->edge);
    TRY(db_control(data, CONTROL_BEGIN));
    data->writing = true;
    s->decided = false;
    return OK;
}

/* The keyring was committed and the data were not: the keys of nobody go again. Not after a failed fsync: then the data
 * may be on the disk all the same. */
static enum err keys_forget(struct store *s, struct pending *group)
{
    for (struct pending *p = group; p; p = p->next)
        if (p->result == OK && p->w->put_count) {
            TRY(keys_begin(s));
            TRY(keys_take_back(s, p->w, p->w->put_count));
        }
    return s->keys_open ? db_control(s->writers[FILE_KEYS], CONTROL_COMMIT) : OK;
}

/* All of the group or nothing; what single members were refused for is in their result. */
enum err group_try(struct store *s, struct pending *group)
{
    for (int apart = 0; apart < 2; apart++) {
        enum err e = group_begin(s);
        enum turn turn = e == OK ? members_run(s, group, apart) : TURN_LOST;
        s->member = NULL;
        if (turn == TURN_DONE && (e = group_commit(s)) == OK) {
            s->writers[FILE_DATA]->writing = false;
            return OK;
        }
        bool ahead = turn == TURN_DONE && !s->keys_open;
        group_undo(s);
        if (ahead && !s->stopped && keys_forget(s, group) != OK) {
            undo(s, FILE_KEYS);
            s->untidy = true; /* they stay, wrapped and of nobody, until the next start */
        }
        s->untidy |= s->stopped; /* whether keys were written is not known */
        s->keys_open = false;
        if (turn != TURN_AGAIN)
            return e != OK ? e : s->own.why.code;
    }
    return say(&s->own, ERR_INTERNAL, "a group of writes could not be run apart");
}

static void wake(struct pending *group)
{
    for (struct pending *p = group, *next; p; p = next) {
        next = p->next; /* p stands on its waiter's stack */
        wait_done(&p->wait);
    }
}

void group_refuse(struct store *s, struct pending *group, enum err e)
{
    for (struct pending *p = group; p; p = p->next) {
        p->result = e;
        p->arena->why = s->own.why;
        p->arena->why.code = e;
    }
    wake(group);
}

/* ---- After the commit. ---- */

/* With every change of a row that decides but of a new person; at least once a second with what is only told. */
static enum err anchor_keep(struct store *s)
{
    enum { ANCHOR_EVERY = SECOND };
    if (!s->decided && s->anchored && clock_monotonic() - s->anchored < ANCHOR_EVERY)
        return OK;
    TRY(keys_begin(s));
    return anchor_put(s, ANCHOR_NEWEST);
}

static enum err intents_drop(struct store *s, struct pending *group)
{
    struct db *keys = s->writers[FILE_KEYS];
    TRY(anchor_keep(s));
    for (struct pending *p = group; p; p = p->next)
        for (unsigned i = 0; p->result == OK && i < p->w->shred_count; i++) {
            TRY(keys_begin(s));
            TRY(db_run(keys, SQL_INTENT_DROP, NULL,
                       ARGS(V_TEXT(p->w->shreds[i].tenant), V_ID(p->w->shreds[i].subject))));
        }
    return s->keys_open ? db_control(keys, CONTROL_COMMIT) : OK;
}

void group_truncate(struct store *s, int wait_ms)
{
    bool busy[FILE_COUNT] = { false };
    enum err e = OK;
    s->writers[FILE_KEYS]->arena = &s->own;
    s->writers[FILE_DATA]->arena = s->writers[FILE_KEYS]->arena;
    atomic_fetch_add_explicit(&s->truncations, 1, memory_order_relaxed);
    for (enum file f = 0; f < FILE_COUNT && e == OK; f++)
        e = drain_by_writer(s, f, DRAIN_EMPTY, wait_ms, &busy[f]);
    s->truncate_due = e != OK || busy[FILE_DATA] || busy[FILE_KEYS];
}

void group_clean(struct store *s)
{
    struct pending *waiting = s->cleaning;
    if (!waiting)
        return;
    s->cleaning = NULL;
    int wait = s->truncate_due ? 0 : TRUNCATE_WAIT_MS; /* a reader known to be slow is not waited for again */
    group_truncate(s, wait);
    wake(waiting);
}

/* Takes those out of the group whose answer waits for the truncation; the rest. */
static struct pending *clean_later(struct store *s, struct pending *group)
{
    struct pending *rest = NULL, **last = &rest;
    for (struct pending *p = group, *next; p; p = next) {
        next = p->next;
        p->next = NULL;
        bool waits = p->result == OK && p->w->truncate;
        if (waits && !s->cleaning) {
            s->cleaning_last = &s->cleaning;
            s->cleaning_since = clock_monotonic();
        }
        struct pending ***end = waits ? &s->cleaning_last : &last;
        **end = p;
        *end = &p->next;
    }
    return rest;
}

static const uint32_t took_upto[STORE_BUCKETS - 1] = { 250,   500,   1000,   2500,   5000,   10000,
                                                       25000, 50000, 100000, 250000, 1000000 };
static const uint32_t sizes_upto[STORE_BUCKETS - 1] = { 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024 };

static void add(_Atomic uint64_t *counter, uint64_t n) { atomic_fetch_add_explicit(counter, n, memory_order_relaxed); }

static size_t bucket_of(const uint32_t ends[STORE_BUCKETS - 1], uint64_t n)
{
    size_t i = 0;
    while (i < STORE_BUCKETS - 1 && n > ends[i])
        i++;
    return i;
}

static void count_group(struct store *s, uint64_t writes)
{
    uint64_t took = group_clock() - s->taken;
    add(&s->commits, 1);
    add(&s->writes, writes);
    add(&s->groups_took[bucket_of(took_upto, took)], 1);
    add(&s->groups_took_us, took);
    add(&s->groups_sizes[bucket_of(sizes_upto, writes)], 1);
}

void group_figures(struct store *s, struct store_groups *out)
{
    for (size_t i = 0; i < STORE_BUCKETS; i++) {
        out->took[i] = atomic_load(&s->groups_took[i]);
        out->sizes[i] = atomic_load(&s->groups_sizes[i]);
    }
    out->took_us = atomic_load(&s->groups_took_us);
    out->took_upto = took_upto;
    out->sizes_upto = sizes_upto;
}

void group_done(struct store *s, struct pending *group)
{
    uint64_t count = 0;
    for (struct pending *p = group; p; p = p->next)
        count++;
    journal_publish(s);
    readers_renew(s);
    bool kept = intents_drop(s, group) == OK;
    if (!kept) { /* their rows are gone: completing them again does nothing */
        s->intents_due = true;
        s->anchored = 0; /* and the next group keeps the anchor that this one could not */
        undo(s, FILE_KEYS);
    }
    s->decided &= !kept;
    s->keys_open = false;
    count_group(s, count);
    wake(clean_later(s, group));
}

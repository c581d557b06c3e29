/* The second engine: a connection to PostgreSQL by libpq, its transactions, and what its errors mean. */
#include "store/engine/pg.h"
#include <dlfcn.h>

enum { PG_OLDEST = 14 }; /* the first whose pg_terminate_backend() waits for the end */

/* Held by the connection that writes, as long as its session lasts: a second server is refused. */
#define PG_WRITERS_LOCK "7449355"

/* ---- The library. ---- */

static struct {
    pthread_once_t once;
    bool whole;
    struct pg_calls calls;
} library = { .once = PTHREAD_ONCE_INIT };

static void load(void)
{
    void *found = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    library.whole = found;
#define X(name)                                                                                                        \
    if (library.whole && !(library.calls.name = (__typeof__(&name))dlsym(found, #name)))                               \
        library.whole = false;
    PG_CALLS(X)
#undef X
}

static enum err calls(struct arena *a, const struct pg_calls **out)
{
    pthread_once(&library.once, load);
    *out = &library.calls;
    return library.whole ? OK : say(a, ERR_CONFIG, "libpq.so.5 is not there: install the package libpq5");
}

/* ---- Errors. ---- */

struct meaning {
    char state[6]; /* an SQLSTATE, or its class */
    enum err err;
    bool broken; /* nothing more is to be tried on this connection before it was made anew */
};
static const struct meaning meanings[] = {
    { "23505", ERR_CONFLICT, false }, { "53100", ERR_FULL, true },      { "53200", ERR_MEMORY, true },
    { "XX001", ERR_INTEGRITY, true }, { "XX002", ERR_INTEGRITY, true }, { "40", ERR_BUSY, false },
    { "55P03", ERR_BUSY, false },     { "08", ERR_STORAGE, true },      { "25006", ERR_STORAGE, true },
    { "53", ERR_STORAGE, true },      { "57", ERR_STORAGE, true },      { "58", ERR_STORAGE, true },
    { "XX", ERR_STORAGE, true },      { "28", ERR_CONFIG, true },       { "3D", ERR_CONFIG, true },
    { "42501", ERR_CONFIG, false },
};

static struct meaning meaning_of(text state)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (text_starts(state, text_of(meanings[i].state)))
            return meanings[i];
    return (struct meaning){ .err = ERR_INTERNAL };
}

static enum err lost(struct db *db, const char *what)
{
    db->broken = ERR_STORAGE;
    db->sync_failed = true; /* what was committed last is not known: it is read again before anything is written */
    return say(db->arena, ERR_STORAGE, "%s: the connection to PostgreSQL is lost", what);
}

enum err pg_answer(struct db *db, const PGresult *r, const char *what)
{
    const struct pg_calls *pq = db->conn->pq;
    ExecStatusType status = r ? pq->PQresultStatus(r) : PGRES_FATAL_ERROR;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
        return OK;
    if (pq->PQstatus(db->conn->handle) != CONNECTION_OK)
        return lost(db, what);
    const char *state = r ? pq->PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    struct meaning m = meaning_of(text_of(state ? state : "53200"));
    if (m.broken)
        db->broken = m.err;
    if (text_eq(text_of(m.state), TEXT("25006"))) /* it is a standby now: another host may be asked */
        db->sync_failed = true;
    if (pq->PQtransactionStatus(db->conn->handle) == PQTRANS_INERROR)
        db->spoiled = m.err;
    return say(db->arena, m.err, "%s: PostgreSQL answers %s", what, state ? state : "nothing");
}

enum err pg_run(struct db *db, const char *sql)
{
    PGresult *r = pg_exec(db->conn, sql);
    enum err e = pg_answer(db, r, "engine statement");
    db->conn->pq->PQclear(r);
    return e;
}

/* ---- Open and close. ---- */

static void say_nothing(void *arg, const PGresult *r) { (void)arg, (void)r; }

/* The first value of the first row is "t". */
static enum err is_true(struct db *db, const char *sql, bool *out)
{
    const struct pg_calls *pq = db->conn->pq;
    PGresult *r = pg_exec(db->conn, sql);
    enum err e = pg_answer(db, r, "engine statement");
    *out = e == OK && pq->PQntuples(r) == 1 && pq->PQgetvalue(r, 0, 0)[0] == 't';
    pq->PQclear(r);
    return e;
}

/* A text that PostgreSQL gives of itself. */
static enum err read_text(struct db *db, const char *sql, char *out, size_t size)
{
    const struct pg_calls *pq = db->conn->pq;
    PGresult *r = pg_exec(db->conn, sql);
    enum err e = pg_answer(db, r, "engine statement");
    if (e == OK && (pq->PQntuples(r) != 1 || !text_cstr(text_of(pq->PQgetvalue(r, 0, 0)), out, size)))
        e = say(db->arena, ERR_INTERNAL, "PostgreSQL does not tell its session");
    pq->PQclear(r);
    return e;
}

#define PG_SESSION "pid || ' ' || extract(epoch FROM backend_start)"

/* This connection's own session from before it was lost, which the server may not have noticed yet. */
static enum err end_former(struct db *db)
{
    char sql[400];
    bool ended;
    if (!db->conn->session[0])
        return OK;
    snprintf(sql, sizeof sql,
             "SELECT count(pg_terminate_backend(pid, 500)) > 0 FROM pg_stat_activity WHERE " PG_SESSION " = '%s'",
             db->conn->session);
    return is_true(db, sql, &ended);
}

static enum err lock(struct db *db)
{
    static const char try[] = "SELECT pg_try_advisory_lock(" PG_WRITERS_LOCK ")";
    bool ours;
    TRY(is_true(db, try, &ours));
    if (!ours) {
        TRY(end_former(db));
        TRY(is_true(db, try, &ours));
    }
    if (!ours)
        return say(db->arena, ERR_LOCKED, "another server writes to this PostgreSQL database");
    return read_text(db, "SELECT " PG_SESSION " FROM pg_stat_activity WHERE pid = pg_backend_pid()", db->conn->session,
                     sizeof db->conn->session);
}

/* Whatever the cluster, the database or the role sets: no statement is ended by a clock, what is acknowledged is
 * durable, and texts are UTF-8. */
static enum err session(struct db *db)
{
    struct conn *c = db->conn;
    bool utf8;
    if (c->pq->PQserverVersion(c->handle) < PG_OLDEST * 10000)
        return say(db->arena, ERR_CONFIG, "the PostgreSQL server of %s is older than version %d",
                   db->file == FILE_DATA ? "--store" : "--keyring", PG_OLDEST);
    c->pq->PQsetNoticeReceiver(c->handle, say_nothing, NULL);
    TRY(pg_run(db, "SET client_encoding = 'UTF8'; SET client_min_messages = error; SET jit = off;"
                   "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;"
                   "SELECT set_config('synchronous_commit', 'on', false)"
                   " WHERE current_setting('synchronous_commit') IN ('off', 'local');"
                   "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout',"
                   " 'lock_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout',"
                   " 'transaction_timeout')"));
    TRY(is_true(db, "SELECT current_setting('server_encoding') = 'UTF8'", &utf8));
    if (!utf8)
        return say(db->arena, ERR_CONFIG, "the PostgreSQL database is not in UTF-8: make it with ENCODING 'UTF8'");
    if (c->writes)
        TRY(lock(db));
    return c->writes && !c->place.moving ? pg_mark_check(db) : OK;
}

static enum err open_it(struct db *db, const struct db_place *place, enum db_mode mode)
{
    struct conn *c = calloc(1, sizeof *c);
    db->conn = c;
    if (!c)
        return say(db->arena, ERR_MEMORY, "no memory for a connection");
    TRY(calls(db->arena, &c->pq));
    c->writes = mode == DB_WRITE || mode == DB_CREATE;
    c->place = *place;
    TRY(pg_link(db, place));
    return session(db);
}

static void close_it(struct db *db)
{
    struct conn *c = db->conn;
    if (!c)
        return;
    pg_forget(c);
    for (unsigned i = 0; i < SQL_COUNT; i++)
        free(c->statements[i]);
    /* who comes next need not wait for the session's end */
    if (c->handle && c->writes && c->pq->PQtransactionStatus(c->handle) == PQTRANS_IDLE)
        c->pq->PQclear(pg_exec(c, "SELECT pg_advisory_unlock_all()"));
    pg_unwatch(c);
    if (c->handle)
        c->pq->PQfinish(c->handle);
    free(c);
}

/* The same session parameters; the lock is asked for again, which another server may have taken meanwhile. */
static enum err again(struct db *db)
{
    pg_forget(db->conn);
    TRY(pg_link_again(db));
    db->broken = OK;
    db->spoiled = OK;
    db->sync_failed = false;
    return session(db);
}

static enum err there(struct arena *a, const struct db_place *place, enum file f, bool *out)
{
    DB_AUTO db = NULL;
    int version;
    TRY(db_connect(&engine_pg, a, place, f, DB_READ, &db));
    TRY(pg_version_get(db, &version));
    *out = version > 0;
    return OK;
}

/* ---- Transactions. ---- */

/* A COMMIT of a transaction that is spoiled would roll back and say that all is well. */
static enum err control(struct db *db, enum control c)
{
    static const char *const words[] = {
        [CONTROL_BEGIN] = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        [CONTROL_SNAPSHOT] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        [CONTROL_COMMIT] = "COMMIT",
        [CONTROL_ROLLBACK] = "ROLLBACK",
        [CONTROL_SAVE] = "SAVEPOINT member",
        [CONTROL_UNDO] = "ROLLBACK TO member",
        [CONTROL_KEEP] = "RELEASE member",
    };
    if (c == CONTROL_COMMIT && db->spoiled != OK)
        return say(db->arena, db->spoiled, "a transaction with a statement that failed is not committed");
    TRY(pg_run(db, words[c]));
    if (c == CONTROL_UNDO || c == CONTROL_ROLLBACK)
        db->spoiled = OK;
    return OK;
}

static bool in_transaction(struct db *db)
{
    return db->conn->pq->PQtransactionStatus(db->conn->handle) != PQTRANS_IDLE;
}

static bool rollback(struct db *db)
{
    PGresult *r = pg_exec(db->conn, "ROLLBACK");
    bool done = r && db->conn->pq->PQresultStatus(r) == PGRES_COMMAND_OK;
    db->conn->pq->PQclear(r);
    db->spoiled = OK;
    return done;
}

static enum err bytes(struct db *db, uint64_t *out)
{
    char said[24];
    int64_t size = 0;
    TRY(read_text(db, "SELECT pg_database_size(current_database())", said, sizeof said));
    if (!text_int(text_of(said), &size))
        return say(db->arena, ERR_INTERNAL, "PostgreSQL does not tell how much it holds");
    *out = (uint64_t)size;
    return OK;
}

static int64_t changes(struct db *db) { return db->conn->changes; }

const struct engine engine_pg = {
    .name = TEXT_INIT("PostgreSQL"),
    .spoils = true,
    .there = there,
    .open = open_it,
    .again = again,
    .close = close_it,
    .control = control,
    .exec = pg_run,
    .in_transaction = in_transaction,
    .rollback = rollback,
    .changes = changes,
    .bytes = bytes,
    .mark_get = pg_mark_get,
    .mark_set = pg_mark_set,
    .named = pg_named,
    .start = pg_start,
    .step = pg_step,
    .end = pg_end,
    .reads = pg_reads,
    .cell = pg_cell,
    .every = pg_every,
    .put_begin = pg_put_begin,
    .put = pg_put,
    .put_end = pg_put_end,
    .version_get = pg_version_get,
    .version_set = pg_version_set,
    .selects = pg_selects,
    .tables = pg_tables,
    .table_count = PG_TABLES,
    .types = pg_types,
    .steps = pg_steps,
};

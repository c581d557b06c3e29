/* The engine of one machine: a connection of SQLite's, its statements prepared once, and what its errors mean. */
#include "store/engine/sqlite.h"
#include <errno.h>
#include <sys/stat.h>

/* SQLite's sums of its memory, which nobody asks for, cost a lock with each allocation. */
__attribute__((constructor)) static void before_all(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    must(gather_register() == SQLITE_OK);
}

/* Whether the error loses the whole transaction, not only the statement. */
static bool loses_transaction(int primary)
{
    return primary == SQLITE_IOERR || primary == SQLITE_FULL || primary == SQLITE_NOMEM || primary == SQLITE_CORRUPT ||
           primary == SQLITE_NOTADB || primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY ||
           primary == SQLITE_PROTOCOL;
}

static enum err meaning(sqlite3 *handle, int extended)
{
    int primary = extended & 0xff, os = handle ? sqlite3_system_errno(handle) : 0;
    if (extended == SQLITE_CONSTRAINT_PRIMARYKEY || extended == SQLITE_CONSTRAINT_UNIQUE ||
        extended == SQLITE_CONSTRAINT_ROWID)
        return ERR_CONFLICT;
    switch (primary) {
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return os == ENOSPC || os == EDQUOT ? ERR_FULL : ERR_STORAGE;
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
        return ERR_STORAGE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_INTEGRITY;
    case SQLITE_NOMEM:
        return ERR_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    default:
        return ERR_INTERNAL;
    }
}

enum err db_fail(struct db *db, const char *what)
{
    int extended = sqlite3_extended_errcode(db->conn->handle);
    enum err code = meaning(db->conn->handle, extended);
    if (loses_transaction(extended & 0xff)) {
        db->broken = code;
        db->sync_failed |= extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC;
    }
    /* SQLite's message may quote a value only for malformed SQL, which the tests exclude: its code is told, not its
     * text. */
    return say(db->arena, code, "%s: %s (SQLite %d)", what, sqlite3_errstr(extended), extended);
}

static enum err exec(struct db *db, const char *sql)
{
    return sqlite3_exec(db->conn->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : db_fail(db, "engine statement");
}

static enum err settings(struct db *db, enum db_mode mode)
{
    sqlite3_extended_result_codes(db->conn->handle, 1);
    /* Else a statement that compares a parameter with what a partial index has is compiled anew at each run. */
    sqlite3_db_config(db->conn->handle, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL);
    sqlite3_busy_timeout(db->conn->handle, 5000); /* before WAL: switching to it may have to wait */
    if (mode == DB_READ)
        return exec(db, "PRAGMA query_only = ON; PRAGMA cache_size = -1000; PRAGMA mmap_size = 0");
    if (mode == DB_PLAIN)
        return exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA mmap_size = 0");
    return exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
                       "PRAGMA cache_size = -4000; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                       "PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF");
}

/* After each commit. SQLite would copy a long log itself, inside the commit; drain.c does beside it. */
static int commit_logged(void *arg, sqlite3 *handle, const char *file, int pages)
{
    struct db *db = arg;
    (void)handle, (void)file;
    db->logged = pages;
    return SQLITE_OK;
}

static enum err there(struct arena *a, const struct db_place *place, enum file f, bool *out)
{
    struct stat st;
    (void)a, (void)f;
    *out = stat(place->at, &st) == 0 && st.st_size > 0;
    return OK;
}

static enum err open_it(struct db *db, const struct db_place *place, enum db_mode mode)
{
    static const int flags[] = { SQLITE_OPEN_READWRITE, SQLITE_OPEN_READWRITE,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, SQLITE_OPEN_READWRITE };
    bool writes = mode == DB_WRITE || mode == DB_CREATE;
    db->conn = calloc(1, sizeof *db->conn);
    if (!db->conn)
        return say(db->arena, ERR_MEMORY, "no memory for a connection");
    if (sqlite3_open_v2(place->at, &db->conn->handle, flags[mode] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        GATHERING) != SQLITE_OK)
        return db->conn->handle ? db_fail(db, "open") : say(db->arena, ERR_MEMORY, "no memory for a connection");
    TRY(settings(db, mode));
    if (writes && db->file == FILE_DATA)
        db_watch(db);
    if (writes)
        sqlite3_wal_hook(db->conn->handle, commit_logged, db);
    return OK;
}

static void close_it(struct db *db)
{
    if (!db->conn)
        return;
    for (unsigned i = 0; i < CONTROL_COUNT; i++)
        sqlite3_finalize(db->conn->control[i]);
    for (unsigned i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(db->conn->statements[i]);
    sqlite3_finalize(db->conn->put);
    sqlite3_close(db->conn->handle);
    free(db->conn);
}

/* A prepared statement ready to bind, from its slot; prepared at its first use on this connection. */
static sqlite3_stmt *prepared(struct db *db, sqlite3_stmt **slot, text sql)
{
    if (!*slot &&
        sqlite3_prepare_v3(db->conn->handle, sql.p, (int)sql.n, SQLITE_PREPARE_PERSISTENT, slot, NULL) != SQLITE_OK)
        return NULL;
    return *slot;
}

static enum err control(struct db *db, enum control c)
{
    static const text words[] = {
        [CONTROL_BEGIN] = TEXT_INIT("BEGIN IMMEDIATE"),    [CONTROL_SNAPSHOT] = TEXT_INIT("BEGIN"),
        [CONTROL_COMMIT] = TEXT_INIT("COMMIT"),            [CONTROL_ROLLBACK] = TEXT_INIT("ROLLBACK"),
        [CONTROL_SAVE] = TEXT_INIT("SAVEPOINT member"),    [CONTROL_UNDO] = TEXT_INIT("ROLLBACK TO member"),
        [CONTROL_KEEP] = TEXT_INIT("RELEASE member"),
    };
    sqlite3_stmt *statement = prepared(db, &db->conn->control[c], words[c]);
    if (!statement)
        return db_fail(db, words[c].p);
    sqlite3_step(statement);
    return sqlite3_reset(statement) == SQLITE_OK ? OK : db_fail(db, words[c].p);
}

/* ---- Statements. ---- */

static bool bind(sqlite3_stmt *statement, int place, const struct val *v)
{
    switch (v->kind) {
    case VAL_NULL:
        break;
    case VAL_INT:
        return sqlite3_bind_int64(statement, place, v->number) == SQLITE_OK;
    case VAL_TEXT:
        if (v->bytes.p)
            return sqlite3_bind_text64(statement, place, v->bytes.p, v->bytes.n, SQLITE_STATIC, SQLITE_UTF8) ==
                   SQLITE_OK;
        break;
    case VAL_BYTES:
        if (v->bytes.p)
            return sqlite3_bind_blob64(statement, place, v->bytes.p, v->bytes.n, SQLITE_STATIC) == SQLITE_OK;
        break;
    }
    return sqlite3_bind_null(statement, place) == SQLITE_OK;
}

static void end(struct query *q)
{
    sqlite3_reset(q->statement); /* the error, if any, was taken from the step */
    sqlite3_clear_bindings(q->statement);
}

static enum err start(struct query *q, const struct val *args, size_t count)
{
    struct db *db = q->db;
    const struct statement *row = statement_row(q->sql);
    sqlite3_stmt *statement = prepared(db, &db->conn->statements[q->sql], row->sql);
    if (!statement)
        return db_fail(db, row->name.p);
    if (sqlite3_stmt_busy(statement))
        return say(db->arena, ERR_INTERNAL, "statement %s is in use already", row->name.p);
    q->statement = statement;
    for (size_t i = 0; i < count; i++)
        if (!bind(statement, (int)i + 1, &args[i]))
            return db_fail(db, row->name.p);
    return OK;
}

static enum err step(struct query *q, bool *row)
{
    int code = sqlite3_step(q->statement);
    *row = code == SQLITE_ROW;
    if (*row || code == SQLITE_DONE)
        return OK;
    sqlite3_reset(q->statement);
    return db_fail(q->db, statement_row(q->sql)->name.p);
}

static bool reads(struct query *q) { return sqlite3_stmt_readonly(q->statement); }

struct cell sqlite_cell(sqlite3_stmt *statement, int at)
{
    int type = sqlite3_column_type(statement, at);
    if (type == SQLITE_NULL)
        return (struct cell){ .kind = CELL_NULL };
    if (type == SQLITE_INTEGER)
        return (struct cell){ .kind = CELL_INT, .number = sqlite3_column_int64(statement, at) };
    const char *p = sqlite3_column_blob(statement, at);
    text bytes = { p ? p : "", (size_t)sqlite3_column_bytes(statement, at) }; /* no pointer for an empty value */
    return (struct cell){ .kind = CELL_BYTES, .is_text = type == SQLITE_TEXT, .bytes = bytes };
}

static struct cell cell(struct query *q, unsigned n) { return sqlite_cell(q->statement, (int)n); }

/* ---- Transactions and the log. ---- */

static bool in_transaction(struct db *db) { return !sqlite3_get_autocommit(db->conn->handle); }

static bool rollback(struct db *db)
{
    return sqlite3_exec(db->conn->handle, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK;
}

static int64_t changes(struct db *db) { return sqlite3_total_changes64(db->conn->handle); }

static enum err drain(struct db *db, enum drain_step how, int wait_ms, struct log_state *out)
{
    static const int modes[] = { [DRAIN_SOME] = SQLITE_CHECKPOINT_PASSIVE,
                                 [DRAIN_ALL] = SQLITE_CHECKPOINT_RESTART,
                                 [DRAIN_EMPTY] = SQLITE_CHECKPOINT_TRUNCATE };
    int logged = 0, copied = 0;
    sqlite3_busy_timeout(db->conn->handle, wait_ms);
    int code = sqlite3_wal_checkpoint_v2(db->conn->handle, NULL, modes[how], &logged, &copied);
    enum err e = code == SQLITE_OK || code == SQLITE_BUSY ? OK : db_fail(db, "checkpoint");
    sqlite3_busy_timeout(db->conn->handle, 5000);
    *out = (struct log_state){ .busy = code == SQLITE_BUSY, .copied = copied > 0 ? copied : 0 };
    if (code == SQLITE_OK && how != DRAIN_SOME)
        db->logged = 0;
    db->broken = OK; /* a checkpoint belongs to no transaction */
    return e;
}

const struct engine engine_sqlite = {
    .name = TEXT_INIT("SQLite"),
    .files = true,
    .there = there,
    .open = open_it,
    .close = close_it,
    .control = control,
    .exec = exec,
    .drain = drain,
    .in_transaction = in_transaction,
    .rollback = rollback,
    .changes = changes,
    .start = start,
    .step = step,
    .end = end,
    .reads = reads,
    .cell = cell,
    .every = sqlite_every,
    .put_begin = sqlite_put_begin,
    .put = sqlite_put,
    .put_end = sqlite_put_end,
    .version_get = sqlite_version_get,
    .version_set = sqlite_version_set,
    .selects = sqlite_selects,
    .tables = sqlite_tables,
    .table_count = SQLITE_TABLES,
    .types = sqlite_types,
    .steps = sqlite_steps,
};

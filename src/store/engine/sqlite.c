/* One SQLite connection: opening, statements prepared once, values in and out, and what its errors mean. */
#include "store/engine/sqlite.h"
#include <errno.h>

/* SQLite's sums of its memory, which nobody asks for, cost a lock with each allocation. */
__attribute__((constructor)) static void before_all(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    must(gather_register() == SQLITE_OK);
}

text db_file_name(enum file f) { return f == FILE_DATA ? TEXT("data.db") : TEXT("keys.db"); }

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

enum err db_exec(struct db *db, const char *sql)
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
        return db_exec(db, "PRAGMA query_only = ON; PRAGMA cache_size = -1000; PRAGMA mmap_size = 0");
    if (mode == DB_PLAIN)
        return db_exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA mmap_size = 0");
    return db_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
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

enum err db_open(struct arena *a, const char *path, enum file f, enum db_mode mode, struct db **out)
{
    static const int flags[] = { SQLITE_OPEN_READWRITE, SQLITE_OPEN_READWRITE,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, SQLITE_OPEN_READWRITE };
    struct db *db = calloc(1, sizeof *db);
    struct conn *conn = calloc(1, sizeof *conn);
    if (!db || !conn) {
        free(db);
        free(conn);
        return say(a, ERR_MEMORY, "no memory for a connection");
    }
    db->conn = conn;
    db->arena = a;
    db->file = f;
    enum err e = OK;
    if (sqlite3_open_v2(path, &db->conn->handle, flags[mode] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        GATHERING) != SQLITE_OK)
        e = db->conn->handle ? db_fail(db, "open") : say(a, ERR_MEMORY, "no memory for a connection");
    else
        e = settings(db, mode);
    if (e == OK && f == FILE_DATA && (mode == DB_WRITE || mode == DB_CREATE))
        db_watch(db);
    if (e == OK && (mode == DB_WRITE || mode == DB_CREATE))
        sqlite3_wal_hook(db->conn->handle, commit_logged, db);
    if (e != OK)
        db_close(&db);
    *out = db;
    return e;
}

void db_close(struct db **at)
{
    struct db *db = *at;
    *at = NULL;
    if (!db)
        return;
    for (unsigned i = 0; i < CONTROL_COUNT; i++)
        sqlite3_finalize(db->conn->control[i]);
    for (unsigned i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(db->conn->statements[i]);
    sqlite3_close(db->conn->handle);
    free(db->conn);
    free(db);
}

struct arena *db_arena(struct db *db) { return db->arena; }
const struct store *db_store(const struct db *db) { return db->store; }

/* A prepared statement ready to bind, from its slot; prepared at its first use on this connection. */
static sqlite3_stmt *prepared(struct db *db, sqlite3_stmt **slot, text sql)
{
    if (!*slot &&
        sqlite3_prepare_v3(db->conn->handle, sql.p, (int)sql.n, SQLITE_PREPARE_PERSISTENT, slot, NULL) != SQLITE_OK)
        return NULL;
    return *slot;
}

/* Rows that decide are never committed without the entry that they are bound to. */
static enum err settled(struct db *db, enum control c)
{
    bool writers = c == CONTROL_COMMIT && db->store && db == db->store->writers[FILE_DATA];
    return writers ? ledger_settle(db) : OK;
}

enum err db_control(struct db *db, enum control c)
{
    static const text words[] = {
#define X(name, text_) TEXT_INIT(text_),
        CONTROLS(X)
#undef X
    };
    TRY(settled(db, c));
    sqlite3_stmt *statement = prepared(db, &db->conn->control[c], words[c]);
    if (!statement)
        return db_fail(db, words[c].p);
    if (c != CONTROL_SAVE && c != CONTROL_KEEP) /* where it begins, ends or goes back others may have written */
        ledger_forget_checked(db);
    sqlite3_step(statement);
    return sqlite3_reset(statement) == SQLITE_OK ? OK : db_fail(db, words[c].p);
}

/* parameters: a letter each. columns: "I seq;T leaf;" and so on. */
#define INT(name)    "I " #name ";"
#define TXT(name)    "T " #name ";"
#define BIN(name)    "B " #name ";"
#define SEAL(name)   "B " #name ";"
#define WHOLE(table) "* " #table ";"
static const struct {
    text name, parameters, columns, sql;
} sql_rows[] = {
#define SQL(name, parameters, columns, text_) \
    [SQL_##name] = { TEXT_INIT(#name), TEXT_INIT(#parameters), TEXT_INIT("" columns), TEXT_INIT(text_) },
#include "store/sql.def"
#undef SQL
};

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

/* Whether the values are of the types that the statement declares; NULL is of every type. SQLite would take any,
 * another engine not. */
static bool takes(text parameters, const struct val *args, size_t count)
{
    static const char letters[] = { [VAL_INT] = 'I', [VAL_TEXT] = 'T', [VAL_BYTES] = 'B' };
    if (count != (text_eq(parameters, TEXT("_")) ? 0 : parameters.n))
        return false;
    for (size_t i = 0; i < count; i++)
        if (args[i].kind != VAL_NULL && letters[args[i].kind] != parameters.p[i])
            return false;
    return true;
}

void query_start(struct query *q, struct db *db, enum sql sql, const struct val *args, size_t count)
{
    q->db = db;
    q->sql = sql;
    q->statement = NULL;
    q->status = OK;
    q->by_row = false;
    if (db->broken != OK) { /* the transaction is lost: nothing more may be done in it */
        q->status = db->broken;
        return;
    }
    sqlite3_stmt *statement = prepared(db, &db->conn->statements[sql], sql_rows[sql].sql);
    if (!statement) {
        q->status = db_fail(db, sql_rows[sql].name.p);
        return;
    }
    if (sqlite3_stmt_busy(statement) || !takes(sql_rows[sql].parameters, args, count)) {
        q->status = say(db->arena, ERR_INTERNAL, "statement %s is in use already, or takes other values than these %zu",
                        sql_rows[sql].name.p, count);
        return;
    }
    q->statement = statement;
    for (size_t i = 0; i < count; i++)
        if (!bind(statement, (int)i + 1, &args[i])) {
            q->status = db_fail(db, sql_rows[sql].name.p);
            query_end(q);
            return;
        }
    q->status = reads_before(q, args);
    if (q->status != OK)
        query_end(q);
}

bool query_next(struct query *q)
{
    if (!q->statement || q->status != OK)
        return false;
    int code = sqlite3_step(q->statement);
    if (code == SQLITE_ROW && (!q->by_row || (q->status = reads_row(q)) == OK))
        return true;
    if (code == SQLITE_ROW) {
        query_end(q);
        return false;
    }
    if (code != SQLITE_DONE) {
        sqlite3_reset(q->statement);
        q->status = db_fail(q->db, sql_rows[q->sql].name.p);
    }
    query_end(q);
    return false;
}

void query_end(struct query *q)
{
    sqlite3_stmt *statement = q->statement;
    q->statement = NULL;
    if (!statement)
        return;
    sqlite3_reset(statement); /* the error, if any, was taken from the step */
    sqlite3_clear_bindings(statement);
}

/* ---- Values of a row. ---- */

static bool null_at(struct query *q, int n) { return sqlite3_column_type(q->statement, n) == SQLITE_NULL; }

static text bytes_at(struct query *q, int n)
{
    if (null_at(q, n))
        return (text){ NULL, 0 };
    const char *p = sqlite3_column_blob(q->statement, n);
    size_t size = (size_t)sqlite3_column_bytes(q->statement, n);
    return (text){ p ? p : "", size };                    /* SQLite gives no pointer for an empty value */
}

/* Of columns "I seq;T leaf;", those as far as the n-th. */
static text columns_upto(text columns, unsigned n)
{
    size_t end = 0;
    for (unsigned seen = 0; end < columns.n && seen <= n; end++)
        seen += columns.p[end] == ';';
    return (text){ columns.p, end };
}

/* Where it stands in the row of q, which must be of a statement that has it. */
static int place(struct query *q, struct col c)
{
    must(q->statement && (q->sql == c.sql ||
                          text_starts(sql_rows[q->sql].columns, columns_upto(sql_rows[c.sql].columns, c.at))));
    return (int)c.at;
}

int64_t query_int(struct query *q, struct col c) { return sqlite3_column_int64(q->statement, place(q, c)); }

text query_bytes(struct query *q, struct col c) { return bytes_at(q, place(q, c)); }

sealed query_sealed(struct query *q, struct col c) { return (sealed){ query_bytes(q, c) }; }

bool query_is_null(struct query *q, struct col c) { return null_at(q, place(q, c)); }

struct cell query_cell(struct query *q, unsigned n)
{
    int at = (int)n, type = sqlite3_column_type(q->statement, at);
    if (type == SQLITE_NULL)
        return (struct cell){ .kind = CELL_NULL };
    if (type == SQLITE_INTEGER)
        return (struct cell){ .kind = CELL_INT, .number = sqlite3_column_int64(q->statement, at) };
    return (struct cell){ .kind = CELL_BYTES, .is_text = type == SQLITE_TEXT, .bytes = bytes_at(q, at) };
}

struct val query_val(struct query *q, unsigned n)
{
    struct cell c = query_cell(q, n);
    switch (c.kind) {
    case CELL_NULL:
        return V_NULL;
    case CELL_INT:
        return V_INT(c.number);
    case CELL_BYTES:
        return c.is_text ? V_TEXT(c.bytes) : V_BYTES(c.bytes);
    }
    return V_NULL;
}

enum err db_run(struct db *db, enum sql sql, int64_t *changes, const struct val *args, size_t count)
{
    QUERY_AUTO q;
    int64_t before = db_changes(db);
    query_start(&q, db, sql, args, count);
    /* Rows change on the writer's connection alone, which others have only inside a write. */
    bool reader = db->store && db != db->store->writers[db->file];
    must(!reader || !q.statement || sqlite3_stmt_readonly(q.statement));
    while (query_next(&q))
        ;
    if (changes)
        *changes = db_changes(db) - before;
    return q.status;
}

bool db_in_transaction(struct db *db) { return !sqlite3_get_autocommit(db->conn->handle); }

bool db_rollback(struct db *db)
{
    ledger_forget_checked(db);
    return !db_in_transaction(db) || sqlite3_exec(db->conn->handle, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK;
}

int64_t db_changes(struct db *db) { return sqlite3_total_changes64(db->conn->handle); }

enum err db_drain(struct db *db, enum drain_step step, int wait_ms, struct log_state *out)
{
    static const int modes[] = { [DRAIN_SOME] = SQLITE_CHECKPOINT_PASSIVE,
                                 [DRAIN_ALL] = SQLITE_CHECKPOINT_RESTART,
                                 [DRAIN_EMPTY] = SQLITE_CHECKPOINT_TRUNCATE };
    int logged = 0, copied = 0;
    sqlite3_busy_timeout(db->conn->handle, wait_ms);
    int code = sqlite3_wal_checkpoint_v2(db->conn->handle, NULL, modes[step], &logged, &copied);
    enum err e = code == SQLITE_OK || code == SQLITE_BUSY ? OK : db_fail(db, "checkpoint");
    sqlite3_busy_timeout(db->conn->handle, 5000);
    *out = (struct log_state){ .busy = code == SQLITE_BUSY, .copied = copied > 0 ? copied : 0 };
    if (code == SQLITE_OK && step != DRAIN_SOME)
        db->logged = 0;
    db->broken = OK; /* a checkpoint belongs to no transaction */
    return e;
}

enum err db_truncate(struct db *db, int wait_ms, bool *busy)
{
    struct log_state state;
    enum err e = db_drain(db, DRAIN_EMPTY, wait_ms, &state);
    *busy = state.busy;
    return e;
}

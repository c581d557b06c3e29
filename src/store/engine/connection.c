/* A connection, its transactions and its statements, over any engine: what is asked of all of them stands here once. */
#include "store/engine.h"

text db_file_name(enum file f) { return f == FILE_DATA ? TEXT("data.db") : TEXT("keys.db"); }

/* ---- Open and close. ---- */

enum err db_connect(const struct engine *e, struct arena *a, const struct db_place *place, enum file f,
                    enum db_mode mode, struct db **out)
{
    struct db *db = calloc(1, sizeof *db);
    *out = NULL;
    if (!db)
        return say(a, ERR_MEMORY, "no memory for a connection");
    db->engine = e;
    db->arena = a;
    db->file = f;
    enum err status = e->open(db, place, mode);
    if (status != OK)
        db_close(&db);
    *out = db;
    return status;
}

enum err db_open(struct arena *a, const char *path, enum file f, enum db_mode mode, struct db **out)
{
    return db_connect(&engine_sqlite, a, &(const struct db_place){ .at = path }, f, mode, out);
}

void db_close(struct db **at)
{
    struct db *db = *at;
    *at = NULL;
    if (!db)
        return;
    db->engine->close(db);
    free(db);
}

struct arena *db_arena(struct db *db) { return db->arena; }
const struct store *db_store(const struct db *db) { return db->store; }

/* ---- Transactions. ---- */

/* Rows that decide are never committed without the entry that they are bound to. */
static enum err settled(struct db *db, enum control c)
{
    bool writers = c == CONTROL_COMMIT && db->store && db == db->store->writers[FILE_DATA];
    return writers ? ledger_settle(db) : OK;
}

enum err db_control(struct db *db, enum control c)
{
    TRY(settled(db, c));
    if (c != CONTROL_SAVE && c != CONTROL_KEEP) /* where it begins, ends or goes back others may have written */
        ledger_forget_checked(db);
    return db->engine->control(db, c);
}

enum err db_exec(struct db *db, const char *sql) { return db->engine->exec(db, sql); }
bool db_in_transaction(struct db *db) { return db->engine->in_transaction(db); }
int64_t db_changes(struct db *db) { return db->engine->changes(db); }

bool db_rollback(struct db *db)
{
    ledger_forget_checked(db);
    return !db_in_transaction(db) || db->engine->rollback(db);
}

enum err db_drain(struct db *db, enum drain_step step, int wait_ms, struct log_state *out)
{
    *out = (struct log_state){ 0 };
    return db->engine->drain ? db->engine->drain(db, step, wait_ms, out) : OK;
}

enum err db_truncate(struct db *db, int wait_ms, bool *busy)
{
    struct log_state state;
    enum err e = db_drain(db, DRAIN_EMPTY, wait_ms, &state);
    *busy = state.busy;
    return e;
}

/* ---- Statements. ---- */

#define INT(name)    "I " #name ";"
#define TXT(name)    "T " #name ";"
#define BIN(name)    "B " #name ";"
#define SEAL(name)   "B " #name ";"
#define WHOLE(table) "* " #table ";"
static const struct statement rows[] = {
#define SQL(name, parameters, columns, text_) \
    [SQL_##name] = { TEXT_INIT(#name), TEXT_INIT(#parameters), TEXT_INIT("" columns), TEXT_INIT(text_) },
#include "store/sql.def"
#undef SQL
};

const struct statement *statement_row(enum sql sql) { return &rows[sql]; }

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

static enum err started(struct query *q, const struct val *args, size_t count)
{
    struct db *db = q->db;
    if (db->broken != OK) /* the transaction is lost: nothing more may be done in it */
        return db->broken;
    if (db->spoiled != OK)
        return db->spoiled;
    if (!takes(rows[q->sql].parameters, args, count))
        return say(db->arena, ERR_INTERNAL, "statement %s takes other values than these %zu", rows[q->sql].name.p,
                   count);
    TRY(db->engine->start(q, args, count));
    return reads_before(q, args);
}

void query_start(struct query *q, struct db *db, enum sql sql, const struct val *args, size_t count)
{
    q->db = db;
    q->sql = sql;
    q->statement = NULL;
    q->by_row = false;
    q->status = started(q, args, count);
    if (q->status != OK)
        query_end(q);
}

bool query_next(struct query *q)
{
    bool row = false;
    if (!q->statement || q->status != OK)
        return false;
    q->status = q->db->engine->step(q, &row);
    if (q->status == OK && row && q->by_row)
        q->status = reads_row(q);
    if (q->status == OK && row)
        return true;
    query_end(q);
    return false;
}

void query_end(struct query *q)
{
    if (q->statement)
        q->db->engine->end(q);
    q->statement = NULL;
}

enum err db_run(struct db *db, enum sql sql, int64_t *changes, const struct val *args, size_t count)
{
    QUERY_AUTO q;
    int64_t before = db_changes(db);
    query_start(&q, db, sql, args, count);
    /* Rows change on the writer's connection alone, which others have only inside a write. */
    bool reader = db->store && db != db->store->writers[db->file];
    must(!reader || !q.statement || db->engine->reads(&q));
    while (query_next(&q))
        ;
    if (changes)
        *changes = db_changes(db) - before;
    return q.status;
}

/* ---- Values of a row. ---- */

/* Of columns "I seq;T leaf;", those as far as the n-th. */
static text columns_upto(text columns, unsigned n)
{
    size_t end = 0;
    for (unsigned seen = 0; end < columns.n && seen <= n; end++)
        seen += columns.p[end] == ';';
    return (text){ columns.p, end };
}

/* The value in the row of q, which must be of a statement that has the column. */
static struct cell value(struct query *q, struct col c)
{
    must(q->statement &&
         (q->sql == c.sql || text_starts(rows[q->sql].columns, columns_upto(rows[c.sql].columns, c.at))));
    return q->db->engine->cell(q, c.at);
}

int64_t query_int(struct query *q, struct col c) { return value(q, c).number; }

text query_bytes(struct query *q, struct col c) { return value(q, c).bytes; }

sealed query_sealed(struct query *q, struct col c) { return (sealed){ query_bytes(q, c) }; }

bool query_is_null(struct query *q, struct col c) { return value(q, c).kind == CELL_NULL; }

struct cell query_cell(struct query *q, unsigned n) { return q->db->engine->cell(q, n); }

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

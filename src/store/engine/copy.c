/* Whole files of SQLite: a snapshot copied while others write, and another file beside this one. */
#include "store/engine/sqlite.h"

enum { STEP_PAGES = 512 };

/* The snapshot begins with the first row read. */
static enum err pin_snapshot(struct db *from)
{
    TRY(db_control(from, CONTROL_SNAPSHOT));
    return db_exec(from, "SELECT count(*) FROM sqlite_schema");
}

enum err db_copy(struct db *from, struct db *to, void (*progress)(uint64_t done, uint64_t all))
{
    TRY(pin_snapshot(from));
    sqlite3_backup *backup = sqlite3_backup_init(to->conn->handle, "main", from->conn->handle, "main");
    if (!backup)
        return db_fail(to, "backup");
    int code = SQLITE_OK;
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(backup, STEP_PAGES);
        uint64_t all = (uint64_t)sqlite3_backup_pagecount(backup), left = (uint64_t)sqlite3_backup_remaining(backup);
        if (progress)
            progress(all - left, all);
    }
    if (sqlite3_backup_finish(backup) != SQLITE_OK)
        return db_fail(to, "backup");
    return db_exec(to, "PRAGMA journal_mode = DELETE"); /* one file, readable where nothing can be written */
}

enum err db_attach(struct db *db, const char *path)
{
    char *sql = sqlite3_mprintf("ATTACH %Q AS former", path);
    if (!sql)
        return say(db->arena, ERR_MEMORY, "no memory to attach %s", path);
    enum err e = db_exec(db, sql);
    sqlite3_free(sql);
    return e;
}

enum err db_detach(struct db *db) { return db_exec(db, "DETACH former"); }

/* ---- Rows of a table, one after the other: for another engine, or from it. ---- */

static enum err prepared(struct db *db, text sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v2(db->conn->handle, sql.p, (int)sql.n, out, NULL) == SQLITE_OK ? OK : db_fail(db, "rows");
}

static void statement_end(sqlite3_stmt **s) { sqlite3_finalize(*s); }
#define STATEMENT_AUTO CLEANUP(statement_end) sqlite3_stmt *

enum err sqlite_every(struct db *db, const struct carried *t,
                      enum err (*each)(void *arg, struct db *db, const struct cell *cells), void *arg)
{
    STATEMENT_AUTO all = NULL;
    struct cell cells[CELLS];
    text sql = arena_print(db->arena, "SELECT %.*s FROM %.*s ORDER BY %.*s", T(t->columns), T(t->name), T(t->key));
    TRY_PTR(sql.p);
    TRY(prepared(db, sql, &all));
    int code;
    while ((code = sqlite3_step(all)) == SQLITE_ROW) {
        for (size_t i = 0; i < t->types.n; i++)
            cells[i] = sqlite_cell(all, (int)i);
        TRY(each(arg, db, cells));
    }
    return code == SQLITE_DONE ? OK : db_fail(db, "rows");
}

enum err sqlite_put_begin(struct db *db, const struct carried *t)
{
    BUF_AUTO b = buf_make(4096);
    text sql;
    sqlite3_finalize(db->conn->put);
    db->conn->put = NULL;
    buf_print(&b, "INSERT INTO %.*s (%.*s) VALUES (", T(t->name), T(t->columns));
    for (size_t i = 0; i < t->types.n; i++)
        buf_print(&b, "%s?%zu", i ? ", " : "", i + 1);
    buf_char(&b, ')');
    TRY(buf_take(db->arena, &b, &sql));
    return prepared(db, sql, &db->conn->put);
}

static int bound(sqlite3_stmt *s, int at, const struct cell *c)
{
    if (c->kind == CELL_NULL)
        return sqlite3_bind_null(s, at);
    if (c->kind == CELL_INT)
        return sqlite3_bind_int64(s, at, c->number);
    return c->is_text ? sqlite3_bind_text64(s, at, c->bytes.p, c->bytes.n, SQLITE_STATIC, SQLITE_UTF8)
                      : sqlite3_bind_blob64(s, at, c->bytes.p, c->bytes.n, SQLITE_STATIC);
}

enum err sqlite_put(struct db *db, const struct carried *t, const struct cell *cells)
{
    sqlite3_stmt *put = db->conn->put;
    for (size_t i = 0; i < t->types.n; i++)
        if (bound(put, (int)i + 1, &cells[i]) != SQLITE_OK)
            return db_fail(db, "rows");
    sqlite3_step(put);
    return sqlite3_reset(put) == SQLITE_OK ? OK : db_fail(db, "rows");
}

enum err sqlite_put_end(struct db *db, const struct carried *t)
{
    (void)t;
    sqlite3_finalize(db->conn->put);
    db->conn->put = NULL;
    return OK;
}

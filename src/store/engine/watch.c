/* What a connection changes is told to the ledger, row by row, through SQLite's preupdate hook. */
#include "store/engine/sqlite.h"

/* Asked for each row of every table that changes: most names differ in their length or first letter. */
static enum table table_named(const char *name)
{
    text wanted = text_of(name);
    for (enum table t = 0; t < TABLE_COUNT; t++) {
        text known = table_row(t)->name;
        if (known.n == wanted.n && known.p[0] == wanted.p[0] && text_eq(known, wanted))
            return t;
    }
    return TABLE_COUNT;
}

static struct cell cell_of(sqlite3_value *v)
{
    int type = sqlite3_value_type(v);
    if (type == SQLITE_NULL)
        return (struct cell){ .kind = CELL_NULL };
    if (type == SQLITE_INTEGER)
        return (struct cell){ .kind = CELL_INT, .number = sqlite3_value_int64(v) };
    const char *p = sqlite3_value_blob(v);
    text bytes = { p ? p : "", (size_t)sqlite3_value_bytes(v) };
    return (struct cell){ .kind = CELL_BYTES, .is_text = type == SQLITE_TEXT, .bytes = bytes };
}

/* One side of a change: the row before it, or after it. */
static bool side(sqlite3 *handle, enum table t, int (*read)(sqlite3 *, int, sqlite3_value **), struct cell cells[CELLS])
{
    for (unsigned i = 0; i < table_row(t)->column_count; i++) {
        sqlite3_value *v;
        if (read(handle, (int)i, &v) != SQLITE_OK)
            return false;
        cells[i] = cell_of(v);
    }
    return true;
}

static void changed(void *arg, sqlite3 *handle, int op, const char *file, const char *name, sqlite3_int64 from,
                    sqlite3_int64 to)
{
    struct db *db = arg;
    struct cell old[CELLS], now[CELLS];
    (void)from, (void)to;
    enum table t = text_eq(text_of(file), TEXT("main")) ? table_named(name) : TABLE_COUNT;
    if (t == TABLE_COUNT || !ledger_takes(db, t))
        return;
    bool was = op != SQLITE_INSERT, is = op != SQLITE_DELETE;
    bool seen = (!was || side(handle, t, sqlite3_preupdate_old, old)) &&
                (!is || side(handle, t, sqlite3_preupdate_new, now));
    ledger_changed(db, t, seen, was ? old : NULL,
                   is ? now : NULL);
}

void db_watch(struct db *db) { sqlite3_preupdate_hook(db->conn->handle, changed, db); }

/* SQLite files of the platform: what is erased is overwritten, and its log is emptied. */
#include "reach/inside.h"
#include <sqlite3.h>

enum { WAIT_MS = 10000 };

static enum err failed(struct link *l)
{
    return say(l->a, ERR_BUSY, "SQLite answers %d", sqlite3_extended_errcode(l->handle));
}

static enum err take_row(struct link *l, sqlite3_stmt *s, struct found *out)
{
    unsigned columns = (unsigned)sqlite3_column_count(s);
    text *row = found_row(l->a, out, columns);
    TRY_PTR(row);
    for (unsigned i = 0; i < columns; i++) {
        const char *p = (const char *)sqlite3_column_text(s, (int)i);
        row[i] = p ? arena_copy(l->a, (text){ p, (size_t)sqlite3_column_bytes(s, (int)i) }) : (text){ NULL, 0 };
    }
    return OK;
}

static void finish(sqlite3_stmt **s) { sqlite3_finalize(*s); }

static enum err run(struct link *l, text sql, const text *params, unsigned count, struct found *out)
{
    CLEANUP(finish) sqlite3_stmt *s = NULL;
    int step;
    if (sqlite3_prepare_v2(l->handle, sql.p, (int)sql.n, &s, NULL) != SQLITE_OK)
        return failed(l);
    for (unsigned i = 0; i < count; i++)
        if (sqlite3_bind_text(s, (int)i + 1, params[i].p, (int)params[i].n, SQLITE_STATIC) != SQLITE_OK)
            return failed(l);
    while ((step = sqlite3_step(s)) == SQLITE_ROW)
        if (out)
            TRY(take_row(l, s, out));
    if (step != SQLITE_DONE)
        return failed(l);
    if (out)
        out->changed = sqlite3_changes64(l->handle);
    return OK;
}

static void close_it(struct link *l) { sqlite3_close(l->handle); }

enum err sqlite_link(struct link *l, const struct json *store)
{
    char path[4096];
    sqlite3 *db = NULL;
    struct found mode = { 0 };
    if (!text_cstr(json_text(store, TEXT("path")), path, sizeof path) || !path[0])
        return say(l->a, ERR_CONFIG, "a store of SQLite has a \"path\"");
    int opened = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    l->handle = db;
    l->quote = '"';
    l->run = run;
    l->close = close_it;
    if (opened != SQLITE_OK)
        return say(l->a, ERR_BUSY, "the file of SQLite does not open (%d)", opened);
    sqlite3_busy_timeout(db, WAIT_MS);
    TRY(run(l, TEXT("PRAGMA temp_store = MEMORY"), NULL, 0, NULL)); /* no files but beside its own */
    TRY(run(l, TEXT("PRAGMA secure_delete = ON"), NULL, 0, NULL));
    TRY(run(l, TEXT("PRAGMA foreign_keys = ON"), NULL, 0, NULL));
    TRY(run(l, TEXT("PRAGMA journal_mode"), NULL, 0, &mode));
    l->wal = mode.count && text_eq(mode.cells[0], TEXT("wal"));
    return OK;
}

/* The tables of tables.def as SQLite makes them. */
#include "store/engine/sqlite.h"

#define DDL_integer                  "INTEGER"
#define DDL_text                     "TEXT"
#define DDL_bytes                    "BLOB"
#define DDL_required                 "NOT NULL"
#define DDL_optional                 "NULL"
#define COLUMN(name, type, need)     #name " " DDL_##type " " DDL_##need ", "
#define SEALED(name, need, category) #name " BLOB " DDL_##need ", "
#define KEY(...)                     "PRIMARY KEY (" #__VA_ARGS__ ")"
#define STORAGE_clustered            "STRICT, WITHOUT ROWID"
#define STORAGE_heap                 "STRICT"

const struct made sqlite_tables[] = {
#define TABLE(name, erasure, kept_as, storage, bound, ...)                                                             \
    { FILE_DATA, "CREATE TABLE IF NOT EXISTS " #name " (" __VA_ARGS__ ") " STORAGE_##storage },
#define KEYRING_TABLE(name, storage, ...)                                                                              \
    { FILE_KEYS, "CREATE TABLE IF NOT EXISTS " #name " (" __VA_ARGS__ ") " STORAGE_##storage },
#define INDEX(name, table, what) { FILE_DATA, "CREATE INDEX IF NOT EXISTS " #name " ON " #table " " what },
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
};

const char *const sqlite_types[] = {
    [COLUMN_integer] = DDL_integer, [COLUMN_text] = DDL_text, [COLUMN_bytes] = DDL_bytes, [COLUMN_sealed] = DDL_bytes
};
_Static_assert(sizeof sqlite_tables / sizeof *sqlite_tables == SQLITE_TABLES, "as sqlite.h counts them");

/* Version 1 is the first form. */
const struct migration sqlite_steps[] = {
#define MIGRATION(version, file, sql) { version, sql, FILE_##file },
#include "store/migrations.def"
#undef MIGRATION
};

enum err sqlite_version_get(struct db *db, int *out)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db->conn->handle, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK)
        return db_fail(db, "user_version");
    enum err e = sqlite3_step(statement) == SQLITE_ROW ? OK : db_fail(db, "user_version");
    *out = e == OK ? sqlite3_column_int(statement, 0) : 0;
    sqlite3_finalize(statement);
    return e;
}

enum err sqlite_version_set(struct db *db, int version)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
    return db_exec(db, sql);
}

enum err sqlite_selects(struct db *db, const char *sql, bool *out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->conn->handle, sql, -1, &statement, NULL);
    sqlite3_finalize(statement);
    *out = code == SQLITE_OK;
    return *out || code == SQLITE_ERROR ? OK : db_fail(db, "columns");
}

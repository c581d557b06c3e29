/* The tables made from tables.def, and the steps that lead an older file to them. */
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

static const struct {
    enum file file;
    const char *sql;
} ddl[] = {
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

/* Version 1 is the first form; rows of migrations.def lead from it. */
static const struct migration migrations[] = {
    { 1, "", FILE_DATA },
#define MIGRATION(version, file, sql) { version, sql, FILE_##file },
#include "store/migrations.def"
#undef MIGRATION
};
enum { MIGRATIONS = sizeof migrations / sizeof *migrations };

int schema_version(void) { return migrations[MIGRATIONS - 1].version; }

static enum err version_get(struct db *db, int *out)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db->conn->handle, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK)
        return db_fail(db, "user_version");
    enum err e = sqlite3_step(statement) == SQLITE_ROW ? OK : db_fail(db, "user_version");
    *out = e == OK ? sqlite3_column_int(statement, 0) : 0;
    sqlite3_finalize(statement);
    return e;
}

static enum err version_set(struct db *db, int version)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
    return db_exec(db, sql);
}

enum err schema_touch(struct db *db) { return version_set(db, schema_version()); }

/* Runs `body` in one transaction. */
static enum err in_transaction(struct db *db, enum err (*body)(struct db *db, const void *arg), const void *arg)
{
    TRY(db_control(db, CONTROL_BEGIN));
    enum err e = body(db, arg);
    if (e == OK)
        e = db_control(db, CONTROL_COMMIT);
    if (e != OK)
        db_rollback(db); /* what failed first is told, whatever the rollback says */
    return e;
}

static enum err one_step(struct db *db, const void *arg)
{
    const struct migration *step = arg;
    if (step->file == db->file)
        TRY(db_exec(db, step->sql));
    return version_set(db, step->version);
}

static enum err version_known(struct db *db, int newest, int *version)
{
    TRY(version_get(db, version));
    return *version <= newest
               ? OK
               : say(db->arena, ERR_CONFIG,
                     "%s is of version %d and this program knows up to %d: it was written by a newer one",
                     db_file_name(db->file).p, *version, newest);
}

enum err schema_known(struct db *db)
{
    int version = 0;
    return version_known(db, schema_version(), &version);
}

enum err schema_migrate(struct db *db, const struct migration *steps, size_t count)
{
    int version;
    TRY(version_known(db, steps[count - 1].version, &version));
    for (size_t i = 0; i < count; i++)
        if (steps[i].version > version)
            TRY(in_transaction(db, one_step, &steps[i]));
    return OK;
}

/* Every column that this program uses, so that a file of another make is refused at the start and not at the first
 * write. */
#undef COLUMN
#undef SEALED
#undef KEY
#define COLUMN(name, type, need)     #name ", "
#define SEALED(name, need, category) #name ", "
#define KEY(...)                     "1 "
static const struct {
    enum file file;
    const char *name, *sql;
} columns[] = {
#define TABLE(name, erasure, kept_as, storage, bound, ...) { FILE_DATA, #name, "SELECT " __VA_ARGS__ "FROM " #name },
#define KEYRING_TABLE(name, storage, ...)                  { FILE_KEYS, #name, "SELECT " __VA_ARGS__ "FROM " #name },
#define INDEX(name, table, what)
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
};

static enum err check_columns(struct db *db)
{
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        sqlite3_stmt *statement = NULL;
        if (columns[i].file != db->file)
            continue;
        int code = sqlite3_prepare_v2(db->conn->handle, columns[i].sql, -1, &statement, NULL);
        sqlite3_finalize(statement);
        if (code == SQLITE_ERROR)
            return say(db->arena, ERR_CONFIG,
                       "table %s of %s has other columns than this program knows: a migration is missing",
                       columns[i].name, db_file_name(db->file).p);
        if (code != SQLITE_OK)
            return db_fail(db, columns[i].name);
    }
    return OK;
}

static enum err make_tables(struct db *db, const void *arg)
{
    for (size_t i = 0; i < sizeof ddl / sizeof *ddl; i++)
        if (ddl[i].file == db->file)
            TRY(db_exec(db, ddl[i].sql));
    return version_set(db, schema_version());
}

enum err schema_apply(struct db *db)
{
    int version;
    TRY(version_get(db, &version));
    if (version)
        TRY(schema_migrate(db, migrations, MIGRATIONS));
    TRY(in_transaction(db, make_tables, NULL));
    return check_columns(db);
}

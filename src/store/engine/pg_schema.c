/* The tables of tables.def as PostgreSQL makes them, and the version that they are of. */
#include "store/engine/pg.h"

#define DDL_integer                  "bigint"
#define DDL_text                     "text COLLATE \"C\"" /* in the order of their bytes, whatever the database's */
#define DDL_bytes                    "bytea"
#define DDL_required                 "NOT NULL"
#define DDL_optional                 "NULL"
#define COLUMN(name, type, need)     #name " " DDL_##type " " DDL_##need ", "
#define SEALED(name, need, category) #name " bytea " DDL_##need ", "
#define KEY(...)                     "PRIMARY KEY (" #__VA_ARGS__ ")"

const struct made pg_tables[] = {
#define TABLE(name, erasure, kept_as, storage, bound, ...)                                                             \
    { FILE_DATA, "CREATE TABLE IF NOT EXISTS " #name " (" __VA_ARGS__ ")" },
#define KEYRING_TABLE(name, storage, ...) { FILE_KEYS, "CREATE TABLE IF NOT EXISTS " #name " (" __VA_ARGS__ ")" },
#define INDEX(name, table, what)          { FILE_DATA, "CREATE INDEX IF NOT EXISTS " #name " ON " #table " " what },
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
};
const char *const pg_types[] = { [COLUMN_integer] = DDL_integer,
                                 [COLUMN_text] = DDL_text,
                                 [COLUMN_bytes] = DDL_bytes,
                                 [COLUMN_sealed] = DDL_bytes };
_Static_assert(sizeof pg_tables / sizeof *pg_tables == PG_TABLES, "as pg.h counts them");

/* Version 1 is the first form. */
const struct migration pg_steps[] = {
#define MIGRATION(version, file, sql) { version, sql, FILE_##file },
#include "store/migrations.def"
#undef MIGRATION
};

/* The word for a database in its own row of garant_version, so that the two are never taken for one another. */
static text word_of(const struct db *db) { return db->file == FILE_DATA ? TEXT("data") : TEXT("keyring"); }

static enum err read_version(struct db *db, const PGresult *r, int *out)
{
    const struct pg_calls *pq = db->conn->pq;
    int64_t version = 0;
    if (pq->PQntuples(r) == 0)
        return OK;
    if (!text_eq(text_of(pq->PQgetvalue(r, 0, 0)), word_of(db)))
        return say(db->arena, ERR_CONFIG,
                   "--store and --keyring need a database each: the one named %s holds the other's tables",
                   db->file == FILE_DATA ? "--store" : "--keyring");
    if (!text_int(text_of(pq->PQgetvalue(r, 0, 1)), &version) || version < 0 || version > INT_MAX)
        return say(db->arena, ERR_INTEGRITY, "the PostgreSQL database is of no version that there is");
    *out = (int)version;
    return OK;
}

static enum err asked(struct db *db, const char *sql, enum err (*read)(struct db *db, const PGresult *r, int *out),
                      int *out)
{
    PGresult *r = pg_exec(db->conn, sql);
    enum err e = pg_answer(db, r, "version");
    if (e == OK)
        e = read(db, r, out);
    db->conn->pq->PQclear(r);
    return e;
}

static enum err read_there(struct db *db, const PGresult *r, int *out)
{
    *out = !db->conn->pq->PQgetisnull(r, 0, 0);
    return OK;
}

enum err pg_version_get(struct db *db, int *out)
{
    int there;
    *out = 0;
    TRY(asked(db, "SELECT to_regclass('garant_version')", read_there, &there));
    return there ? asked(db, "SELECT of_file, version FROM garant_version", read_version, out) : OK;
}

enum err pg_version_set(struct db *db, int version)
{
    char sql[512];
    text word = word_of(db);
    snprintf(sql, sizeof sql,
             "CREATE TABLE IF NOT EXISTS garant_version (of_file text PRIMARY KEY, version bigint NOT NULL);"
             "INSERT INTO garant_version (of_file, version) VALUES ('%.*s', %d) ON CONFLICT (of_file) DO UPDATE SET"
             " version = excluded.version",
             T(word), version);
    return pg_run(db, sql);
}

enum err pg_selects(struct db *db, const char *sql, bool *out)
{
    const struct pg_calls *pq = db->conn->pq;
    PGresult *r = PG_WAIT(db->conn, pq->PQprepare(db->conn->handle, "", sql, 0, NULL));
    const char *state = pq->PQresultErrorField(r, PG_DIAG_SQLSTATE);
    bool unknown = state && text_starts(text_of(state), TEXT("42")) && !text_eq(text_of(state), TEXT("42501"));
    enum err e = unknown ? OK : pg_answer(db, r, "columns");
    *out = e == OK && !unknown;
    pq->PQclear(r);
    return e;
}

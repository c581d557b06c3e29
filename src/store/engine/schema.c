/* The tables: made by the engine from tables.def, led there from an older form, and known again at the start. */
#include "store/engine.h"

/* Version 1 is the first form; rows of migrations.def lead from it. */
static const int versions[] = {
    1,
#define MIGRATION(version, file, sql) version,
#include "store/migrations.def"
#undef MIGRATION
};
enum { MIGRATIONS = sizeof versions / sizeof *versions - 1, SQL_TEXT = 4096 };

int schema_version(void) { return versions[MIGRATIONS]; }

enum err schema_touch(struct db *db) { return db->engine->version_set(db, schema_version()); }

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
    return db->engine->version_set(db, step->version);
}

static enum err version_known(struct db *db, int newest, int *version)
{
    TRY(db->engine->version_get(db, version));
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
    TRY(version_known(db, count ? steps[count - 1].version : schema_version(), &version));
    for (size_t i = 0; i < count; i++)
        if (steps[i].version > version)
            TRY(in_transaction(db, one_step, &steps[i]));
    return OK;
}

/* Every column that this program uses, so that a file of another make is refused at the start and not at the first
 * write. */
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

/* The first table that lacks a column or is not there; *name is NULL when all are as this program knows them. */
static enum err first_unknown(struct db *db, const char **name)
{
    *name = NULL;
    for (size_t i = 0; i < sizeof columns / sizeof *columns && !*name; i++) {
        bool known = true;
        if (columns[i].file == db->file)
            TRY(db->engine->selects(db, columns[i].sql, &known));
        *name = known ? NULL : columns[i].name;
    }
    return OK;
}

static enum err check_columns(struct db *db)
{
    const char *name;
    TRY(first_unknown(db, &name));
    return name ? say(db->arena, ERR_CONFIG,
                      "table %s of %s has other columns than this program knows: a migration is missing", name,
                      db_file_name(db->file).p)
                : OK;
}

/* ---- A table of an older program grows by the columns that were added behind its own. ---- */

/* Whether it has those from `first` on, up to `end`. */
static enum err has_columns(struct db *db, const struct table_row *row, unsigned first, unsigned end, bool *out)
{
    BUF_AUTO sql = buf_make(SQL_TEXT);
    buf_add(&sql, TEXT("SELECT "));
    for (unsigned i = first; i < end; i++)
        buf_print(&sql, "%.*s, ", T(row->columns[i].name));
    buf_print(&sql, "1 FROM %.*s", T(row->name));
    text said;
    TRY(buf_take(db->arena, &sql, &said));
    return db->engine->selects(db, said.p, out);
}

static enum err add_column(struct db *db, const struct table_row *row, const struct column *c)
{
    text sql = arena_print(db->arena, "ALTER TABLE %.*s ADD COLUMN %.*s %s NULL", T(row->name), T(c->name),
                           db->engine->types[c->type]);
    TRY_PTR(sql.p);
    return db_exec(db, sql.p);
}

static enum err grow(struct db *db, const struct table_row *row)
{
    unsigned has = row->column_count;
    bool known = false;
    for (; !known && has > 0; has -= !known)
        TRY(has_columns(db, row, 0, has, &known));
    for (unsigned i = has; i < row->column_count && has; i++) {
        TRY(has_columns(db, row, i, i + 1, &known));
        if (known || row->columns[i].required) /* it is of another make */
            return OK;
    }
    for (; has && has < row->column_count; has++)
        TRY(add_column(db, row, &row->columns[has]));
    return OK;
}

/* *whole: nothing had to grow, nor is a table missing. */
static enum err grow_tables(struct db *db, bool *whole)
{
    const char *name;
    TRY(first_unknown(db, &name));
    *whole = !name;
    for (enum table t = 0; name && db->file == FILE_DATA && t < TABLE_COUNT; t++)
        TRY(grow(db, table_row(t)));
    return OK;
}

static enum err make_tables(struct db *db, const void *arg)
{
    const struct engine *e = db->engine;
    for (size_t i = 0; i < e->table_count; i++)
        if (e->tables[i].file == db->file)
            TRY(db_exec(db, e->tables[i].sql));
    return e->version_set(db, schema_version());
}

enum err schema_apply(struct db *db)
{
    int version;
    bool whole = false;
    TRY(db->engine->version_get(db, &version));
    if (version) {
        TRY(schema_migrate(db, db->engine->steps, MIGRATIONS));
        TRY(grow_tables(db, &whole));
    }
    TRY(in_transaction(db, make_tables, NULL));
    return whole ? OK : check_columns(db);
}

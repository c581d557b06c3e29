/* All rows of a database, carried to one of another engine: in the order of their keys, counted and digested on both
 * sides. */
#include "base/sha256.h"
#include "store/engine.h"

/* First pass: the columns, a comma behind each; second: their types; third: the key. */
#define INDEX(...)
enum {
#define TABLE(name, ...)         CARRIED_##name,
#define KEYRING_TABLE(name, ...) CARRIED_##name,
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
    CARRIED
};
#define KEY(...)                                           ""
#define COLUMN(name, type, need)                           #name ","
#define SEALED(name, need, category)                       #name ","
#define TABLE(name, erasure, kept_as, storage, bound, ...) [CARRIED_##name] = __VA_ARGS__,
#define KEYRING_TABLE(name, storage, ...)                  [CARRIED_##name] = __VA_ARGS__,
static const char *const columns_of[] = {
#include "store/tables.def"
};
#undef COLUMN
#undef SEALED
#define LETTER_integer               "I"
#define LETTER_text                  "T"
#define LETTER_bytes                 "B"
#define COLUMN(name, type, need)     LETTER_##type
#define SEALED(name, need, category) "B"
static const char *const types_of[] = {
#include "store/tables.def"
};
#undef COLUMN
#undef SEALED
#undef KEY
#define KEY(...) #__VA_ARGS__
#define COLUMN(name, type, need)
#define SEALED(name, need, category)
static const char *const keys_of[] = {
#include "store/tables.def"
};
#undef TABLE
#undef KEYRING_TABLE
static const struct {
    const char *name;
    enum file file;
} names[] = {
#define TABLE(name, ...)         [CARRIED_##name] = { #name, FILE_DATA },
#define KEYRING_TABLE(name, ...) [CARRIED_##name] = { #name, FILE_KEYS },
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
};

static struct carried carried_of(unsigned n)
{
    text columns = text_of(columns_of[n]);
    return (struct carried){ .name = text_of(names[n].name),
                             .columns = text_upto(columns, columns.n - 1),
                             .key = text_of(keys_of[n]),
                             .types = text_of(types_of[n]) };
}

/* ---- Digests. ---- */

struct told {
    uint64_t rows;
    uint8_t digest[32];
};
struct carrying {
    struct db *to; /* NULL: the rows are only looked at */
    const struct carried *t;
    struct sha256 sum;
    uint64_t rows;
};

static void digest(struct sha256 *sum, const struct cell *c)
{
    uint64_t head[2] = { c->kind, c->kind == CELL_INT ? (uint64_t)c->number : c->bytes.n };
    if (c->kind == CELL_NULL)
        head[1] = 0;
    sha256_add(sum, TEXT_BYTES(head));
    if (c->kind == CELL_BYTES)
        sha256_add(sum, c->bytes);
}

static enum err one_row(void *arg, struct db *from, const struct cell *cells)
{
    struct carrying *c = arg;
    for (size_t i = 0; i < c->t->types.n; i++)
        digest(&c->sum, &cells[i]);
    c->rows++;
    return c->to ? c->to->engine->put(c->to, c->t, cells) : OK;
}

/* Reads a table of `from`, and puts it into `to` when there is one. */
static enum err table_read(struct db *from, struct db *to, const struct carried *t, struct told *out)
{
    struct carrying c = { .to = to, .t = t };
    sha256_begin(&c.sum);
    if (to)
        TRY(to->engine->put_begin(to, t));
    TRY(from->engine->every(from, t, one_row, &c));
    if (to)
        TRY(to->engine->put_end(to, t));
    out->rows = c.rows;
    sha256_end(&c.sum, out->digest);
    return OK;
}

static enum err one_table(struct db *from, struct db *to, const struct carried *t, uint64_t *rows)
{
    struct told there = { 0 }, here = { 0 };
    TRY(table_read(from, to, t, &there));
    TRY(table_read(to, NULL, t, &here));
    if (rows)
        *rows += there.rows;
    return here.rows == there.rows && memcmp(here.digest, there.digest, sizeof here.digest) == 0
               ? OK
               : say(from->arena, ERR_INTEGRITY,
                     "table %.*s was not copied whole: it has %llu rows, the copy has %llu, or other values",
                     T(t->name), (unsigned long long)there.rows, (unsigned long long)here.rows);
}

/* ---- A database. ---- */

static enum err emptied(struct db *to, const struct carried *t)
{
    char sql[256];
    snprintf(sql, sizeof sql, "DELETE FROM %.*s", T(t->name));
    return db_exec(to, sql);
}

static enum err every_table(struct db *from, struct db *to, void (*progress)(uint64_t done, uint64_t all),
                            uint64_t *rows)
{
    for (unsigned n = 0; n < CARRIED; n++) {
        struct carried t = carried_of(n);
        if (names[n].file != from->file)
            continue;
        TRY(emptied(to, &t));
        TRY(one_table(from, to, &t, rows));
        if (progress)
            progress(n + 1, CARRIED);
    }
    return OK;
}

enum err carry_rows(struct db *from, struct db *to, void (*progress)(uint64_t done, uint64_t all), uint64_t *rows)
{
    TRY(schema_apply(to));
    TRY(db_control(from, CONTROL_SNAPSHOT));
    TRY(db_control(to, CONTROL_BEGIN));
    enum err e = every_table(from, to, progress, rows);
    if (e == OK)
        e = db_control(to, CONTROL_COMMIT);
    if (e != OK)
        db_rollback(to); /* what failed first is told */
    db_rollback(from);   /* it only read */
    return e;
}

/* The parts that a table's columns ask for: a term, sealed values, a person, each has what the house needs of it, or
 * says why not. */
#include "domain_fixture.h"
#include "domain/board/board_inside.h"
#include "domain/core/feature.h"
#include "domain/rights/access.h"
#include "store/ledger.h"
#include "store/tables.h"
#include <sqlite3.h>
#include <string.h>

enum part { PART_told, PART_erased, PART_ended, PART_bound, PART_looked, PARTS };
static const char *const part_words[PARTS] = { "told", "erased", "ended", "bound", "looked" };

/* ---- What tables.def says. ---- */

/* One row that gives a part, or says why there is none. */
struct given {
    enum table table;
    enum part part;
    const char *why, *member; /* of EXCEPT, of TOLD */
    int end;                  /* the statement of ENDS, else -1 */
};
static struct given given[] = {
#define TABLE(...)
#define KEYRING_TABLE(...)
#define INDEX(...)
#define KIND(table, prefix, flags) { TABLE_##table, PART_ended, NULL, NULL, SQL_##prefix##_END },
#define ENDS(table, statement)     { TABLE_##table, PART_ended, NULL, NULL, SQL_##statement },
#define TOLD(table, member)        { TABLE_##table, PART_told, NULL, member, -1 },
#define EXCEPT(table, part, why)   { TABLE_##table, PART_##part, why, NULL, -1 },
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
};
enum { GIVEN = sizeof given / sizeof *given };

static const char *const sql_texts[] = {
#define SQL(name, parameters, columns, text_) [SQL_##name] = text_,
#include "store/sql.def"
#undef SQL
};

/* ---- What statements do. ---- */

struct touched {
    text table, column; /* column empty: any */
    int action;
    bool found;
};

static int note_touch(void *arg, int action, const char *table, const char *column, const char *file, const char *view)
{
    struct touched *t = arg;
    bool same = action == t->action && table && text_eq(text_of(table), t->table);
    if (same && (!t->column.n || (column && text_eq(text_of(column), t->column))))
        t->found = true;
    return SQLITE_OK;
}

/* A connection with the tables as the program makes them: one for all, since opening it reads the whole schema. */
static sqlite3 *schema_of(struct fixture *f)
{
    static sqlite3 *db;
    char path[128];
    snprintf(path, sizeof path, "%s/data/data.db", f->dir);
    if (db && strcmp(sqlite3_db_filename(db, "main"), path) != 0) {
        sqlite3_close(db);
        db = NULL;
    }
    if (!db)
        assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    return db;
}

/* Whether that statement reads, changes or deletes (SQLITE_READ …) rows of the table, that column of them when one is
 * given. */
static bool touches_column(struct fixture *f, enum sql sql, enum table table, text of, int action)
{
    struct touched seen = { table_row(table)->name, of, action, false };
    sqlite3 *db = schema_of(f);
    sqlite3_stmt *statement = NULL;
    sqlite3_set_authorizer(db, note_touch, &seen);
    sqlite3_prepare_v2(db, sql_texts[sql], -1, &statement, NULL); /* fails for those of the keyring: they touch nothing here */
    sqlite3_set_authorizer(db, NULL, NULL);
    sqlite3_finalize(statement);
    return seen.found;
}

static bool touches(struct fixture *f, enum sql sql, enum table table, int action)
{
    return touches_column(f, sql, table, TEXT(""), action);
}

/* ---- What a table has, and what it asks for. ---- */

static bool has_column(const struct table_row *t, const char *name)
{
    for (unsigned i = 0; i < t->column_count; i++)
        if (text_eq(t->columns[i].name, text_of(name)))
            return true;
    return false;
}

static bool has_sealed(const struct table_row *t)
{
    for (unsigned i = 0; i < t->column_count; i++)
        if (t->columns[i].type == COLUMN_sealed)
            return true;
    return false;
}

static bool has_term(const struct table_row *t)
{
    static const char *const terms[] = { "due", "until", "ends", "expires" };
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
        if (has_column(t, terms[i]))
            return true;
    return false;
}

static bool asks(enum table table, enum part part)
{
    const struct table_row *t = table_row(table);
    switch (part) {
    case PART_told:
        return has_sealed(t) || has_column(t, "subject") || t->erasure != ERASURE_no;
    case PART_erased:
        return has_column(t, "subject");
    case PART_ended:
        return has_term(t);
    case PART_bound:
        return true;
    case PART_looked:
        return has_sealed(t);
    case PARTS:
        break;
    }
    return false;
}

/* Whether a walk of the promise board reads that column. */
static bool is_looked_at(struct fixture *f, enum table table, text column)
{
    enum sql sql;
    for (unsigned job = 0; board_walk_reads(&f->c, job, &sql); job++)
        if (sql != SQL_COUNT && touches_column(f, sql, table, column, SQLITE_READ))
            return true;
    return false;
}

static bool all_looked_at(struct fixture *f, enum table table)
{
    const struct table_row *t = table_row(table);
    for (unsigned i = 0; i < t->column_count; i++)
        if (t->columns[i].type == COLUMN_sealed && !is_looked_at(f, table, t->columns[i].name))
            return false;
    return true;
}

/* What needs no row: it stands in the table's own. */
static bool has_itself(struct fixture *f, enum table table, enum part part)
{
    if (part == PART_erased)
        return table_row(table)->erasure != ERASURE_no;
    if (part == PART_bound)
        return ledger_kind(table) != BOUND_KIND_free;
    return part == PART_looked && all_looked_at(f, table);
}

static bool is_given(const struct given *rows, unsigned left_out, enum table table, enum part part)
{
    for (unsigned i = 0; i < GIVEN; i++)
        if (i != left_out && rows[i].table == table && rows[i].part == part)
            return true;
    return false;
}

/* Parts that are missing; row `left_out` is not looked at. Each is said when `say`. */
static unsigned missing(struct fixture *f, unsigned left_out, bool say)
{
    unsigned count = 0;
    for (enum table t = 0; t < TABLE_COUNT; t++)
        for (enum part p = 0; p < PARTS; p++) {
            if (!asks(t, p) || has_itself(f, t, p) || is_given(given, left_out, t, p))
                continue;
            count++;
            if (say)
                print_error("table %.*s: not %s, and tables.def does not say why\n", T(table_row(t)->name),
                            part_words[p]);
        }
    return count;
}

/* ---- Tests. ---- */

#define POLICY                                                                                                         \
    "categories:\n"                                                                                                    \
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"                                                  \
    "purposes:\n"                                                                                                      \
    "  service: {basis: contract, categories: [contact]}\n"                                                            \
    "retention: {contact: {from: closure, active: 30d}}\n"                                                             \
    "roles: {clerk: {sees: all, purposes: [service], acts: [read, write, export], confidentiality: none}}\n"           \
    "systems: {app: {purposes: [service], acts: [read, write, erase, export]}}\n"                                      \
    "recipients: none\n"

static void every_table_has_its_parts(void **state) { assert_int_equal(missing(*state, GIVEN, true), 0); }

/* Each row of tables.def that gives a part is needed: without it the test above fails. A reason for what is there is
 * one too many. */
static void a_part_that_is_forgotten_is_missed(void **state)
{
    for (unsigned i = 0; i < GIVEN; i++) {
        const struct given *g = &given[i];
        if (!asks(g->table, g->part) || has_itself(*state, g->table, g->part))
            fail_msg("table %.*s needs no row for %s", T(table_row(g->table)->name), part_words[g->part]);
        if (!missing(*state, i, false))
            fail_msg("table %.*s: %s is given twice", T(table_row(g->table)->name), part_words[g->part]);
        assert_true(!g->why || strlen(g->why) > 5);
    }
}

/* A statement that is said to end rows does; and those of a kind do, each on its own table, what the sweep takes them
 * for. */
static void statements_do_what_they_are_named_for(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < GIVEN; i++)
        if (given[i].end >= 0 && !touches(f, (enum sql)given[i].end, given[i].table, SQLITE_DELETE))
            fail_msg("table %.*s is not ended by the statement of its row", T(table_row(given[i].table)->name));
    EACH_KIND(k)
    {
        assert_true(touches(f, k->due, k->table, SQLITE_READ) && touches(f, k->newest, k->table, SQLITE_READ));
        assert_true(touches(f, k->retime, k->table, SQLITE_UPDATE) && touches(f, k->again, k->table, SQLITE_UPDATE));
        assert_true(touches(f, k->end, k->table, SQLITE_DELETE) && touches(f, k->drop_of, k->table, SQLITE_DELETE));
        assert_int_equal(k->flags & KIND_ARCHIVED ? has_column(table_row(k->table), "state") : 1, 1);
    }
    assert_false(touches(f, SQL_RECORD_END, TABLE_former, SQLITE_DELETE));
}

/* The board has room for the walks of all features: one beyond it would never be made. */
static void every_walk_has_a_job(void **state)
{
    const struct app *app = ((struct fixture *)*state)->c.app;
    assert_non_null(feature_walk(app->features, app->feature_count, 0));
    assert_null(feature_walk(app->features, app->feature_count, JOBS - JOB_FEATURE));
}

/* The members that tables.def names are in the access answer of anybody. */
static void what_is_told_is_told_there(void **state)
{
    struct fixture *f = *state;
    struct answer answer = { 0 };
    text id = person_made(f, "zoe@example.org", "");
    OKAY(access_answer(&f->c, id, &answer));
    const struct json *all = parsed(f, whole(f, &answer));
    for (unsigned i = 0; i < GIVEN; i++)
        if (given[i].member && !json_get(all, text_of(given[i].member)))
            fail_msg("table %.*s: the access answer has no \"%s\"", T(table_row(given[i].table)->name),
                     given[i].member);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER(POLICY, every_table_has_its_parts),
        OVER(POLICY, a_part_that_is_forgotten_is_missed),
        OVER(POLICY, statements_do_what_they_are_named_for),
        OVER(POLICY, what_is_told_is_told_there),
        OVER(POLICY, every_walk_has_a_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

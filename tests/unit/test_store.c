/* Unit tests of the store: group commit, refusals inside a group, keyring, erasure, restart, migrations, backup, rotation. */
#include "store_fixture.h"

/* ---- Tests. ---- */

/* Every row of sql.def is accepted by its database. */
static void statements(void **state)
{
    struct fixture *f = *state;
    static const struct { enum file file; const char *name, *sql; } rows[] = {
#define SQL(name, text_) { FILE_DATA, #name, text_ },
#define SQL_KEYS(name, text_) { FILE_KEYS, #name, text_ },
#include "store/sql.def"
#undef SQL
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sqlite3_stmt *statement = NULL;
        sqlite3 *handle = f->s->writers[rows[i].file]->handle;
        if (sqlite3_prepare_v2(handle, rows[i].sql, -1, &statement, NULL) != SQLITE_OK)
            fail_msg("%s: %s", rows[i].name, sqlite3_errmsg(handle));
        sqlite3_finalize(statement);
    }
}

static void creates_and_refuses(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1), same = person_make(f->s, 1), two = person_make(f->s, 2);
    assert_int_equal(create(f->s, &f->a, &one, false), OK);
    assert_int_equal(create(f->s, &f->a, &same, false), ERR_CONFLICT);
    assert_int_equal(create(f->s, &f->a, &same, true), ERR_CONFLICT);      /* after it had written */
    assert_int_equal(create(f->s, &f->a, &two, true), OK);
    assert_true(has_key(f, &one) && has_key(f, &two));
    assert_false(has_key(f, &same));
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM subject"), 2);
    assert_int_equal(journal_size(f), 2);
    assert_int_equal(note(f->s, &f->a, TEXT("no.such.act")), ERR_INTERNAL);
    assert_int_equal(journal_size(f), 2);
    restart(f);
    assert_int_equal(journal_size(f), 2);
    assert_true(has_key(f, &one));
}

/* The tree is the same after any restart as one grown in memory. */
static void edge_survives(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 600; i++) {
        assert_int_equal(note(f->s, &f->a, TEXT("read")), OK);
        if (i % 97 == 0 || i == 255 || i == 256 || i == 511) {
            struct hash before = tree_root(&f->s->edge.tree);
            restart(f);
            assert_true(hash_eq(before, tree_root(&f->s->edge.tree)));
            assert_int_equal(f->s->edge.tree.size, i + 1);
        }
    }
}

static void second_process(void **state)
{
    struct fixture *f = *state;
    struct store_options o = options(f);
    struct store *second;
    assert_int_equal(store_open(&f->a, &o, &second), ERR_LOCKED);
    assert_null(second);
}

struct load { struct fixture *f; unsigned who, refused, done; };

static void *load_run(void *arg)
{
    struct load *l = arg;
    for (unsigned i = 0; i < 200; i++) {                  /* everyone wants the same 200 e-mails, half of them the wrong way round */
        ARENA_AUTO a = arena_make(1 << 16);
        struct person p = person_make(l->f->s, 1000 + i);
        enum err e = create(l->f->s, &a, &p, (i + l->who) % 2);
        l->done += e == OK;
        l->refused += e == ERR_CONFLICT;
        assert_true(e == OK || e == ERR_CONFLICT);
    }
    return NULL;
}

static void group_commit(void **state)
{
    enum { THREADS = 8, EMAILS = 200 };
    struct fixture *f = *state;
    struct load loads[THREADS];
    pthread_t threads[THREADS];
    unsigned done = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        loads[i] = (struct load){ .f = f, .who = i };
        assert_int_equal(pthread_create(&threads[i], NULL, load_run, &loads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        done += loads[i].done;
    }
    assert_int_equal(done, EMAILS);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM subject"), EMAILS);
    assert_int_equal(count(f, FILE_KEYS, "SELECT count(*) FROM key"), EMAILS);
    assert_int_equal(journal_size(f), EMAILS);
    restart(f);
    assert_int_equal(journal_size(f), EMAILS);
}

static void erases(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1), two = person_make(f->s, 2);
    assert_int_equal(create(f->s, &f->a, &one, false), OK);
    assert_int_equal(create(f->s, &f->a, &two, false), OK);
    assert_int_equal(erase(f->s, &f->a, &one), OK);
    assert_false(has_key(f, &one));
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM subject"), 1);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM identifier"), 1);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM journal WHERE subject IS NOT NULL"), 1);
    assert_int_equal(count(f, FILE_KEYS, "SELECT count(*) FROM intent"), 0);
    assert_int_equal(journal_size(f), 3);
}

/* A crash after the keyring's commit and before the data's: the next start goes on with the erasure. */
static void erasure_completed(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1), two = person_make(f->s, 2);
    assert_int_equal(create(f->s, &f->a, &one, false), OK);
    assert_int_equal(create(f->s, &f->a, &two, false), OK);
    store_close(&f->s);
    tamper(f, "keys.db", "INSERT INTO intent VALUES ('acme', ?1, '')", TEXT_BYTES(one.id));
    tamper(f, "keys.db", "DELETE FROM key WHERE subject = ?1", TEXT_BYTES(one.id));
    start(f);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM subject"), 1);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM identifier"), 1);
    assert_int_equal(count(f, FILE_KEYS, "SELECT count(*) FROM intent"), 0);
    assert_int_equal(journal_size(f), 3);                 /* the completion is in the journal */
    assert_true(has_key(f, &two));
}

int main(void)
{
    const struct CMUnitTest tests[] = { CASE(statements), CASE(creates_and_refuses), CASE(edge_survives), CASE(second_process),
                                        CASE(group_commit), CASE(erases), CASE(erasure_completed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

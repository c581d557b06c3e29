/* Unit tests of what every engine must keep, and of what PostgreSQL alone can do to a store: another server, a session
 * that is ended, databases that are mistaken for one another. */
#include "store_fixture.h"
#include <libpq-fe.h>

/* ---- Each statement as the writer's connection runs it: on PostgreSQL with what it changes told to the ledger. ---- */

static enum err prepare_all(struct store *s, void *arg)
{
    static const bool keys[] = {
#define SQL(name, parameters, columns, text_)      [SQL_##name] = false,
#define SQL_KEYS(name, parameters, columns, text_) [SQL_##name] = true,
#include "store/sql.def"
#undef SQL
#undef SQL_KEYS
    };
    struct val none[40] = { { .kind = VAL_NULL } };
    for (enum sql sql = 0; sql < SQL_COUNT; sql++) {
        struct query q = { .db = s->writers[keys[sql] ? FILE_KEYS : FILE_DATA], .sql = sql };
        text parameters = statement_row(sql)->parameters;
        TRY(q.db->engine->start(&q, none, text_eq(parameters, TEXT("_")) ? 0 : parameters.n));
        q.db->engine->end(&q);
    }
    return OK;
}

static void every_statement_is_prepared(void **state)
{
    struct fixture *f = *state;
    assert_ok(f, writer_job(f->s, &f->a, prepare_all, NULL));
    assert_ok(f, note(f->s, &f->a, TEXT("read")));
}

static void a_limit_below_zero_is_none(void **state)
{
    struct fixture *f = *state;
    static const struct subject_id first = { { 0 } };
    for (uint8_t i = 1; i <= 3; i++) {
        struct person p = person_make(f->s, i);
        assert_ok(f, create(f->s, &f->a, &p, false));
    }
    for (int64_t limit = -1; limit <= 2; limit++) {
        READ_AUTO db = NULL;
        unsigned rows = 0;
        assert_ok(f, store_read(f->s, &f->a, &db));
        {
            QUERY_AUTO q;
            query_start(&q, db, SQL_SUBJECT_PAGE, ARGS(V_TEXT(TEXT("")), V_ID(first), V_INT(limit)));
            while (query_next(&q))
                rows++;
            assert_int_equal(q.status, OK);
        }
        assert_int_equal(rows, limit < 0 ? 3 : limit);
    }
}

/* ---- A statement that fails inside a group harms nobody else. ---- */

enum { WAITING = 3 };
struct queued {
    struct fixture *f;
    struct person p;
    enum err (*run)(struct db *db, struct write *w);
    enum err result;
};

static enum err token_add(struct db *db, const char *name)
{
    static const uint8_t digest[32] = { 7 };
    return db_run(db, SQL_TOKEN_ADD, NULL,
                  ARGS(V_BYTES(TEXT_BYTES(digest)), V_TEXT(TENANT), V_TEXT(text_of(name)), V_TEXT(TEXT("app")), V_INT(0),
                       V_NULL));
}

/* The second has the digest of the first: no statement of the program foresees that. */
static enum err run_twice(struct db *db, struct write *w)
{
    TRY(token_add(db, "one"));
    return token_add(db, "two");
}

static enum err run_once(struct db *db, struct write *w) { return token_add(db, "one"); }

static enum err all_wait(struct store *s, void *arg)
{
    atomic_store((_Atomic bool *)arg, true);
    while (store_figures(s).queue < WAITING)
        usleep(1000);
    return OK;
}

struct holding {
    struct fixture *f;
    _Atomic bool holds;
};

static void *hold_writer(void *arg)
{
    struct holding *h = arg;
    ARENA_AUTO a = arena_make(1 << 20);
    return writer_job(h->f->s, &a, all_wait, &h->holds) == OK ? h : NULL;
}

static void *write_one(void *arg)
{
    struct queued *q = arg;
    ARENA_AUTO a = arena_make(1 << 20);
    struct write w = { .run = q->run, .event = { .act = TEXT("token.create"), .actor = TEXT("test"), .count = -1 } };
    q->result = q->run ? store_write(q->f->s, &a, &w) : create(q->f->s, &a, &q->p, false);
    return NULL;
}

static void a_failed_statement_harms_nobody(void **state)
{
    struct fixture *f = *state;
    struct queued all[WAITING] = { { f, person_make(f->s, 1), NULL, ERR_INTERNAL },
                                   { f, person_make(f->s, 2), run_twice, OK },
                                   { f, person_make(f->s, 3), NULL, ERR_INTERNAL } };
    struct holding holding = { .f = f };
    pthread_t threads[WAITING], holder;
    assert_int_equal(pthread_create(&holder, NULL, hold_writer, &holding), 0);
    while (!atomic_load(&holding.holds))
        usleep(1000);
    for (unsigned i = 0; i < WAITING; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_one, &all[i]), 0);
    for (unsigned i = 0; i < WAITING; i++)
        pthread_join(threads[i], NULL);
    pthread_join(holder, NULL);
    assert_int_equal(all[0].result, OK);
    assert_int_equal(all[1].result, ERR_CONFLICT);
    assert_int_equal(all[2].result, OK);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM token"), 0);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM subject"), 2);
    assert_true(has_key(f, &all[0].p) && has_key(f, &all[2].p));
    struct write w = { .run = run_once, .event = { .act = TEXT("token.create"), .actor = TEXT("test"), .count = -1 } };
    assert_ok(f, store_write(f->s, &f->a, &w));
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM token"), 1);
    struct journal_report report;
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
    restart(f);
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
}

/* ---- PostgreSQL. ---- */

#define ONLY_POSTGRESQL(f)                                                                                             \
    do {                                                                                                               \
        if (!(f)->places[FILE_DATA][0])                                                                                \
            skip();                                                                                                    \
    } while (0)

/* Another folder, and so another lock, on the same databases. */
static void another_server_is_refused(void **state)
{
    struct fixture *f = *state;
    ONLY_POSTGRESQL(f);
    char dir[128];
    path_in(f, "other", dir);
    struct store_options o = options(f);
    struct store *second;
    o.dir = text_of(dir);
    assert_int_equal(store_open(&f->a, &o, &second), ERR_CONFIG); /* it has not the master key either */
    char command[400];
    snprintf(command, sizeof command, "cp %s/master.key %s/master.key", f->dir, dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(store_open(&f->a, &o, &second), ERR_LOCKED);
}

static void databases_are_told_apart(void **state)
{
    struct fixture *f = *state;
    ONLY_POSTGRESQL(f);
    store_close(&f->s);
    struct store_options o = options(f), same = o, one = o;
    o.data_at = text_of(f->places[FILE_KEYS]);
    o.keys_at = text_of(f->places[FILE_DATA]);
    assert_int_equal(store_open(&f->a, &o, &f->s), ERR_CONFIG);
    same.keys_at = same.data_at;
    assert_int_equal(store_open(&f->a, &same, &f->s), ERR_CONFIG);
    one.keys_at = TEXT("");
    assert_int_equal(store_open(&f->a, &one, &f->s), ERR_CONFIG);
    start(f);
}

/* The folder of a store on PostgreSQL holds no data: it is not taken for a new one, nor one with data for PostgreSQL's. */
static void folders_are_told_apart(void **state)
{
    struct fixture *f = *state;
    ONLY_POSTGRESQL(f);
    store_close(&f->s);
    struct store_options there = options(f), here = there;
    here.data_at = TEXT("");
    here.keys_at = TEXT("");
    assert_int_equal(store_open(&f->a, &here, &f->s), ERR_CONFIG);
    char dir[128];
    path_in(f, "files", dir);
    here.dir = text_of(dir);
    assert_ok(f, store_open(&f->a, &here, &f->s));
    store_close(&f->s);
    there.dir = here.dir;
    assert_int_equal(store_open(&f->a, &there, &f->s), ERR_CONFIG);
    start(f);
}

/* Each session of the store ends, as when the server is stopped: whoever asks meanwhile is refused, and soon all goes on. */
static void a_lost_session_is_made_anew(void **state)
{
    struct fixture *f = *state;
    ONLY_POSTGRESQL(f);
    struct person one = person_make(f->s, 1), two = person_make(f->s, 2);
    assert_ok(f, create(f->s, &f->a, &one, false));
    for (unsigned round = 0; round < 3; round++) {
        for (enum file file = 0; file < FILE_COUNT; file++)
            count(f, file,
                  "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
                  " AND pid <> pg_backend_pid()");
        enum err e = ERR_STORAGE;
        for (unsigned tries = 0; tries < 300 && (e = note(f->s, &f->a, TEXT("read"))) != OK; tries++) {
            assert_int_equal(e, ERR_STORAGE);
            usleep(20000);
        }
        assert_int_equal(e, OK);
        assert_true(has_key(f, &one));
        assert_true(has_row(f, &one));
    }
    assert_ok(f, create(f->s, &f->a, &two, true));
    struct journal_report report;
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM journal"), report.size);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM journal WHERE leaf LIKE '%subject.create%'"), 2);
    restart(f);
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
}

int main(void)
{
    const struct CMUnitTest tests[] = { CASE(every_statement_is_prepared), CASE(a_limit_below_zero_is_none), CASE(a_failed_statement_harms_nobody), CASE(another_server_is_refused),
                                        CASE(databases_are_told_apart), CASE(folders_are_told_apart), CASE(a_lost_session_is_made_anew) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

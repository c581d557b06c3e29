/* Unit tests of the store: group commit, refusals inside a group, keyring, journal, erasure, restart. */
#include "store/engine.h"
#include "crypt/keyring.h"
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- Fixture: a store in a folder of its own. ---- */
struct fixture { char dir[64]; struct arena a; struct store *s; };

static int unlink_one(const char *path, const struct stat *st, int type, struct FTW *ftw) { return remove(path); }

static struct store_options options(const struct fixture *f)
{
    return (struct store_options){ .dir = text_of(f->dir), .create = true, .clock = clock_real() };
}

static void start(struct fixture *f)
{
    struct store_options o = options(f);
    if (store_open(&f->a, &o, &f->s) != OK)
        fail_msg("store_open: %s", f->a.why.detail);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/garant-test-store-XXXXXX");
    f->a = arena_make(64 << 20);
    if (!mkdtemp(f->dir))
        return -1;
    start(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(&f->s);
    arena_free(&f->a);
    int failed = nftw(f->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
    return failed;
}

static void restart(struct fixture *f)
{
    store_close(&f->s);
    start(f);
}

/* ---- What the tests write: a person with one identifier. ---- */
struct person { struct subject_id id; struct digest email; struct key key; struct key_put put; };
#define TENANT TEXT("acme")

static struct person person_make(struct store *s, unsigned email)
{
    struct person p = { 0 };
    crypt_random(&p.id, sizeof p.id);
    memcpy(p.email.b, &email, sizeof email);
    key_make(&p.key);
    p.put = (struct key_put){ .tenant = TENANT, .subject = p.id };
    key_wrap(store_master(s), TENANT, p.id, 0, &p.key, p.put.wrapped);
    return p;
}


static enum err identifier_add(struct db *db, const struct person *p)
{
    int64_t added;
    TRY(db_run(db, SQL_IDENTIFIER_ADD, &added, ARGS(V_TEXT(TENANT), V_TEXT(TEXT("email")), V_BYTES(TEXT_BYTES(p->email)), V_ID(p->id))));
    return added ? OK : say(db_arena(db), ERR_CONFLICT, "the e-mail is taken");
}

static enum err subject_add(struct db *db, const struct person *p)
{
    return db_run(db, SQL_SUBJECT_ADD, NULL,
                  ARGS(V_TEXT(TENANT), V_ID(p->id), V_INT(1), V_INT(1), V_INT(0), V_NULL, V_TEXT(TEXT("test"))));
}

static enum err create_run(struct db *db, struct write *w)
{
    TRY(identifier_add(db, w->arg));
    return subject_add(db, w->arg);
}

/* The same the wrong way round: it has written when it is refused. */
static enum err late_run(struct db *db, struct write *w)
{
    TRY(subject_add(db, w->arg));
    return identifier_add(db, w->arg);
}

static struct event event_of(const struct person *p, text act)
{
    struct event e = { .act = act, .tenant = TENANT, .actor = TEXT("tester"), .count = -1 };
    if (p) {
        e.subject = p->id, e.has_subject = true;
        journal_pseudonym(&p->key, &e.who);
    }
    return e;
}

static enum err create(struct store *s, struct arena *a, struct person *p, bool late)
{
    struct write w = { .run = late ? late_run : create_run, .arg = p, .event = event_of(p, TEXT("subject.create")), .puts = &p->put, .put_count = 1 };
    return store_write(s, a, &w);
}

static enum err note(struct store *s, struct arena *a, text act)
{
    struct write w = { .event = event_of(NULL, act) };
    return store_write(s, a, &w);
}

static bool has_key(struct fixture *f, const struct person *p)
{
    KEY_AUTO k;
    enum err e = store_key(f->s, &f->a, TENANT, p->id, 0, &k);
    if (e != OK && e != ERR_ERASED)
        fail_msg("store_key: %s", f->a.why.detail);
    return e == OK && memcmp(k.b, p->key.b, sizeof k.b) == 0;
}

static int64_t count(struct fixture *f, enum file file, const char *sql)
{
    struct db *db;
    assert_int_equal(store_reader(f->s, &f->a, file, &db), OK);
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    store_read_end(&db);
    return n;
}

static uint64_t journal_size(struct fixture *f)
{
    text signed_note;
    uint64_t size;
    assert_int_equal(journal_checkpoint(f->s, &f->a, &signed_note, &size), OK);
    return size;
}

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

static enum err erase_run(struct db *db, struct write *w)
{
    const struct person *p = w->arg;
    return store_erase(db, TENANT, p->id, NULL, 0, TEXT(""), NULL);
}

static enum err erase(struct fixture *f, struct person *p)
{
    struct key_shred x = { .tenant = TENANT, .subject = p->id, .all_but_held = true };
    struct write w = { .run = erase_run, .arg = p, .event = event_of(p, TEXT("subject.erase")), .shreds = &x, .shred_count = 1,
                       .truncate = true, .urgent = true };
    return store_write(f->s, &f->a, &w);
}

static void erases(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1), two = person_make(f->s, 2);
    assert_int_equal(create(f->s, &f->a, &one, false), OK);
    assert_int_equal(create(f->s, &f->a, &two, false), OK);
    assert_int_equal(erase(f, &one), OK);
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
    char path[128];
    snprintf(path, sizeof path, "%s/keys.db", f->dir);
    sqlite3 *keys;
    assert_int_equal(sqlite3_open(path, &keys), SQLITE_OK);
    sqlite3_stmt *statement;
    static const char *const sql[] = { "INSERT INTO intent VALUES ('acme', ?1, '')", "DELETE FROM key WHERE subject = ?1" };
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(sqlite3_prepare_v2(keys, sql[i], -1, &statement, NULL), SQLITE_OK);
        sqlite3_bind_blob(statement, 1, &one.id, sizeof one.id, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(statement), SQLITE_DONE);
        sqlite3_finalize(statement);
    }
    sqlite3_close(keys);
    start(f);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM subject"), 1);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM identifier"), 1);
    assert_int_equal(count(f, FILE_KEYS, "SELECT count(*) FROM intent"), 0);
    assert_int_equal(journal_size(f), 3);                 /* the completion is in the journal */
    assert_true(has_key(f, &two));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = { CASE(statements), CASE(creates_and_refuses), CASE(edge_survives), CASE(second_process),
                                        CASE(group_commit), CASE(erases), CASE(erasure_completed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Unit tests of the store: group commit, refusals inside a group, keyring, erasure, restart, migrations, backup,
 * rotation. */
#include "store_fixture.h"

/* ---- Tests. ---- */

struct declared {
    enum file file;
    const char *name, *parameters, *columns, *sql;
};

/* "I INTEGER": what sql.def calls a type and what a column of it is declared as in the table. */
static void assert_type(const char *statement, const char *name, char letter, const char *type)
{
    static const char letters[] = { 'I', 'T', 'B' }, *const types[] = { "INTEGER", "TEXT", "BLOB" };
    for (size_t i = 0; type && i < sizeof letters; i++)
        if (letters[i] == letter && strcmp(types[i], type) != 0)
            fail_msg("%s: column %s is %c in sql.def and %s in tables.def", statement, name, letter, type);
}

/* columns: "I seq;T leaf;". */
static void assert_columns(const struct declared *d, sqlite3_stmt *statement)
{
    int n = 0;
    const char *at = d->columns;
    for (char name[64]; at[0] && at[0] != '*'; n++) {
        int size = 0;
        assert_int_equal(sscanf(at + 2, "%63[^;];%n", name, &size), 1);
        if (n >= sqlite3_column_count(statement) || strcmp(sqlite3_column_name(statement, n), name) != 0)
            fail_msg("%s: column %d is %s in sql.def, and %s in its text", d->name, n + 1, name,
                     n < sqlite3_column_count(statement) ? sqlite3_column_name(statement, n) : "none");
        assert_type(d->name, name, at[0], sqlite3_column_decltype(statement, n));
        at += 2 + size;
    }
    if (at[0] != '*' && n != sqlite3_column_count(statement))
        fail_msg("%s: its text has more columns than sql.def declares", d->name);
}

/* Every row of sql.def is accepted by its database, and takes and gives what it declares. */
static void statements(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
#define INT(name) "I " #name ";"
#define TXT(name) "T " #name ";"
#define BIN(name) "B " #name ";"
#define SEAL(name) "B " #name ";"
#define WHOLE(table) "* " #table ";"
    static const struct declared rows[] = {
#define SQL(name, parameters, columns, text_) { FILE_DATA, #name, #parameters, "" columns, text_ },
#define SQL_KEYS(name, parameters, columns, text_) { FILE_KEYS, #name, #parameters, "" columns, text_ },
#include "store/sql.def"
#undef SQL
#undef SQL_KEYS
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct declared *d = &rows[i];
        sqlite3_stmt *statement = NULL;
        sqlite3 *handle = f->s->writers[d->file]->conn->handle;
        if (sqlite3_prepare_v2(handle, d->sql, -1, &statement, NULL) != SQLITE_OK)
            fail_msg("%s: %s", d->name, sqlite3_errmsg(handle));
        size_t parameters = strcmp(d->parameters, "_") == 0 ? 0 : strlen(d->parameters);
        if ((size_t)sqlite3_bind_parameter_count(statement) != parameters)
            fail_msg("%s: sql.def declares %s, and its text has %d", d->name, d->parameters,
                     sqlite3_bind_parameter_count(statement));
        assert_columns(d, statement);
        sqlite3_finalize(statement);
    }
}

/* A value of another type than declared is refused, where SQLite alone would take it; so is another number of them. */
static void types_are_held(void **state)
{
    struct fixture *f = *state;
    READ_AUTO db = NULL;
    assert_int_equal(store_read(f->s, &f->a, &db), OK);
    QUERY_AUTO q;
    query_start(&q, db, SQL_META_GET, ARGS(V_INT(1)));
    assert_int_equal(q.status, ERR_INTERNAL);
    query_start(&q, db, SQL_META_GET, ARGS(V_BYTES(TEXT("policy"))));
    assert_int_equal(q.status, ERR_INTERNAL);
    query_start(&q, db, SQL_META_GET, ARGS(V_TEXT(TEXT("policy")), V_NULL));
    assert_int_equal(q.status, ERR_INTERNAL);
    query_start(&q, db, SQL_META_GET, ARGS(V_NULL));
    assert_int_equal(q.status, OK);
    assert_false(query_next(&q));
}

static void creates_and_refuses(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1), same = person_make(f->s, 1), two = person_make(f->s, 2);
    assert_int_equal(create(f->s, &f->a, &one, false), OK);
    assert_int_equal(create(f->s, &f->a, &same, false), ERR_CONFLICT);
    assert_int_equal(create(f->s, &f->a, &same, true), ERR_CONFLICT); /* after it had written */
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

struct load {
    struct fixture *f;
    unsigned who, refused, done;
};

static void *load_run(void *arg)
{
    struct load *l = arg;
    for (unsigned i = 0; i < 200; i++) { /* the same 200 for everyone, half the wrong way round */
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

/* A text that could not be made, and whose error nobody passed up, is not written as an empty one. */
static void nothing_from_a_lost_part(void **state)
{
    struct fixture *f = *state;
    ARENA_AUTO a = arena_make(1 << 20);
    struct person p = person_make(f->s, 7);
    BUF_AUTO small = buf_make(4);
    buf_add(&small, TEXT("12345"));
    assert_null(buf_made(&a, &small).p);
    assert_int_equal(create(f->s, &a, &p, false), ERR_TOO_LARGE);
    assert_false(has_row(f, &p));
    assert_ok(f, create(f->s, &f->a, &p, false));
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
    assert_int_equal(journal_size(f), 3); /* the completion is in the journal */
    assert_true(has_key(f, &two));
}

/* ---- What a byte search may not find. ---- */

/* The log is truncated with the erasure, or soon after by itself where the machine is too busy for that. */
static void log_gone(struct fixture *f)
{
    for (unsigned tries = 0; tries < 100 && store_figures(f->s).wal_bytes; tries++)
        usleep(20000);
    assert_int_equal(store_figures(f->s).wal_bytes, 0);
}

static void leaves_no_byte(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    enum { PEOPLE = 400 };
    struct person *people = NEW_ARRAY(&f->a, struct person, PEOPLE);
    for (unsigned i = 0; i < PEOPLE; i++) {
        people[i] = person_make(f->s, i + 1);
        assert_ok(f, create(f->s, &f->a, &people[i], false));
    }
    assert_true(found_in_folder(f->dir, TEXT_BYTES(people[7].put.wrapped))); /* the search does find what is there */
    for (unsigned i = 7; i < PEOPLE; i += 40)
        assert_ok(f, erase(f->s, &f->a, &people[i]));
    log_gone(f);
    for (unsigned i = 7; i < PEOPLE; i += 40) {
        assert_false(found_in_folder(f->dir, TEXT_BYTES(people[i].put.wrapped)));
        assert_false(found_in_folder(f->dir, TEXT_BYTES(people[i].key)));
    }
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM subject"), PEOPLE - PEOPLE / 40);
    /* Of the random id alone SQLite may leave bytes between the cells of a page that it split (SECURITY.md). */
}

/* A reader holds the log up: it is truncated soon after, by itself. */
static void truncates_later(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    struct person p = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &p, false));
    struct db *reader = NULL;
    assert_ok(f, store_read(f->s, &f->a, &reader));
    wait_allow(); /* as if another thread held the snapshot */
    assert_true(f->s->edge.tree.size == 1);
    {
        QUERY_AUTO q;
        query_start(&q, reader, SQL_JOURNAL_LAST, ARGS());
        assert_true(query_next(&q));
    }
    assert_ok(f, erase(f->s, &f->a, &p));
    wait_forbid();
    store_read_end(&reader);
    log_gone(f);
    assert_false(found_in_folder(f->dir, TEXT_BYTES(p.id)));
}

/* A snapshot is taken over by the next reader, and by nobody once something was acknowledged behind it. */
static void snapshot_is_newest(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    unsigned shared = 0;
    for (int64_t written = 1; written <= 300; written++) {
        assert_ok(f, note(f->s, &f->a, TEXT("read")));
        assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM journal"), written);
        struct db *before = f->s->pool[FILE_DATA], *reader;
        msec begun = before->begun;
        uint64_t acknowledged = before->state;
        assert_ok(f, store_read(f->s, &f->a, &reader));
        assert_int_equal(reader->state, acknowledged);
        shared += reader == before && reader->begun == begun;
        store_read_end(&reader);
    }
    assert_true(shared > 0);
}

/* What others wait for with their snapshot open holds no erasure up: `reader` is in nobody's hands. */
static void idle_reader_lets_truncate(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    struct person p = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &p, false));
    assert_true(has_row(f, &p) && has_key(f, &p));
    assert_ok(f, erase(f->s, &f->a, &p));
    assert_int_equal(store_figures(f->s).wal_bytes, 0);
    assert_false(found_in_folder(f->dir, TEXT_BYTES(p.id)));
}

enum { TOGETHER = 8 };
struct holding {
    struct fixture *f;
    _Atomic bool holds;
};
struct one_erased {
    struct fixture *f;
    struct person p;
    enum err result;
    bool byte_left;
};

static enum err all_wait(struct store *s, void *arg)
{
    atomic_store((_Atomic bool *)arg, true);
    while (store_figures(s).queue < TOGETHER)
        usleep(1000);
    return OK;
}

static void *hold_writer(void *arg)
{
    struct holding *h = arg;
    ARENA_AUTO a = arena_make(1 << 20);
    return writer_job(h->f->s, &a, all_wait, &h->holds) == OK ? h : NULL;
}

static void *erase_one(void *arg)
{
    struct one_erased *e = arg;
    ARENA_AUTO a = arena_make(1 << 20);
    e->result = erase(e->f->s, &a, &e->p);
    e->byte_left = found_in_folder(e->f->dir, TEXT_BYTES(e->p.id));
    return NULL;
}

/* Those that wait together share one truncation, and none is told before it. */
static void erasures_share_a_truncation(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    struct one_erased erasures[TOGETHER];
    struct holding holding = { .f = f };
    pthread_t threads[TOGETHER], holder;
    void *held;
    for (unsigned i = 0; i < TOGETHER; i++) {
        erasures[i] = (struct one_erased){ .f = f, .p = person_make(f->s, i + 1) };
        assert_ok(f, create(f->s, &f->a, &erasures[i].p, false));
        assert_true(found_in_folder(f->dir, TEXT_BYTES(erasures[i].p.id)));
    }
    uint64_t before = atomic_load(&f->s->truncations);
    assert_int_equal(pthread_create(&holder, NULL, hold_writer, &holding), 0);
    while (!atomic_load(&holding.holds))
        usleep(1000);
    for (unsigned i = 0; i < TOGETHER; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, erase_one, &erasures[i]), 0);
    for (unsigned i = 0; i < TOGETHER; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(erasures[i].result, OK);
        assert_false(erasures[i].byte_left);
    }
    pthread_join(holder, &held);
    assert_non_null(held);
    assert_true(atomic_load(&f->s->truncations) - before <= TOGETHER / 2);
}

static enum err run_fill(struct db *db, struct write *w)
{
    const uint64_t *number = w->arg;
    static const char filling[1 << 20];
    return db_run(db, SQL_IDEMPOTENCY_ADD, NULL,
                  ARGS(V_BYTES(TEXT_BYTES(*number)), V_TEXT(TEXT("fills")), V_BYTES(TEXT("x")),
                       V_BYTES(TEXT_BYTES(filling)), V_INT(1), V_INT(0), V_TEXT(TENANT), V_NULL));
}

/* What is written is copied out of the log beside the writer, and the log begins anew: its file keeps at most what
 * journal_size_limit leaves, whatever went through it. */
static void log_begins_anew(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    enum { LIMIT = 64 << 20, WRITES = 300, FEWEST = 150 };
    bool anew = false;
    for (uint64_t i = 0; i < WRITES && !(anew && i > FEWEST); i++) {
        struct write w = { .event = event_of(NULL, TEXT("read")), .run = run_fill, .arg = &i };
        assert_ok(f, store_write(f->s, &f->a, &w));
        anew |= (i << 20) > 2 * store_figures(f->s).wal_bytes;
    }
    assert_true(anew);
    assert_true(store_figures(f->s).wal_bytes < 2 * LIMIT);
    restart(f);
    assert_true(count(f, FILE_DATA, "SELECT count(*) FROM idempotency") > FEWEST);
}

/* ---- Migrations. ---- */

static void migrations(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    char path[128];
    int64_t one = 0;
    path_in(f, "old.db", path);
    DB_AUTO db = NULL;
    assert_ok(f, db_open(&f->a, path, FILE_DATA, DB_CREATE, &db));
    static const struct migration steps[] = { { 1, "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)" },
                                              { 2, "ALTER TABLE a ADD COLUMN y INTEGER" },
                                              { 3, "UPDATE a SET y = 2; INSERT INTO nowhere VALUES (1)" } };
    assert_ok(f, schema_migrate(db, steps, 2));
    assert_ok(f, schema_migrate(db, steps, 2)); /* nothing to do any more */
    assert_ok(f, db_exec(db, "UPDATE a SET y = 1"));
    assert_int_not_equal(schema_migrate(db, steps, 3), OK);
    assert_int_equal(sqlite3_get_autocommit(db->conn->handle), 1);
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db->conn->handle,
                                        "SELECT x + y, (SELECT user_version FROM pragma_user_version) FROM a", -1,
                                        &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    one = sqlite3_column_int64(statement, 0);
    int version = sqlite3_column_int(statement, 1);
    sqlite3_finalize(statement);
    assert_int_equal(one, 2); /* the failed step left nothing */
    assert_int_equal(version, 2);
    assert_int_equal(schema_migrate(db, steps, 1), ERR_CONFIG);
}

/* Optional columns that a later program puts behind the others. */
static void a_table_grows(void **state)
{
    struct fixture *f = *state;
    struct journal_report report;
    ONLY_SQLITE(f);
    struct person one = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &one, false));
    store_close(&f->s);
    tamper(f, "data.db", "DROP INDEX dsr_joined", (text){ NULL, 0 });
    tamper(f, "data.db", "ALTER TABLE dsr DROP COLUMN joined", (text){ NULL, 0 });
    tamper(f, "data.db", "DROP INDEX subject_due", (text){ NULL, 0 });
    tamper(f, "data.db", "ALTER TABLE subject DROP COLUMN due", (text){ NULL, 0 });
    start(f);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM pragma_table_info('dsr') WHERE name = 'joined' AND type = 'BLOB'"), 1);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(due) FROM subject"), 0);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM sqlite_schema WHERE name IN ('dsr_joined', 'subject_due')"), 2);
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
    assert_int_equal(report.altered, 0);
}

static void newer_is_refused(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    store_close(&f->s);
    tamper(f, "data.db", "PRAGMA user_version = 99", (text){ NULL, 0 });
    struct store_options o = options(f);
    assert_int_equal(store_open(&f->a, &o, &f->s), ERR_CONFIG);
}

static void other_columns_are_refused(void **state)
{
    struct fixture *f = *state;
    store_close(&f->s);
    tamper(f, "data.db", "ALTER TABLE subject RENAME COLUMN source TO spring", (text){ NULL, 0 });
    struct store_options o = options(f);
    assert_int_equal(store_open(&f->a, &o, &f->s), ERR_CONFIG);
}

/* ---- Folders that are not whole. ---- */

static void keyring_missing(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    char path[128];
    struct store_options o = options(f);
    store_close(&f->s);
    path_in(f, "keys.db", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_open(&f->a, &o, &f->s), ERR_CONFIG);
    assert_int_not_equal(access(path, F_OK), 0); /* none was made in its place */
}

static void data_missing(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    char path[128];
    struct store_options o = options(f);
    store_close(&f->s);
    path_in(f, "data.db", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_open(&f->a, &o, &f->s), ERR_CONFIG);
}

static void other_master(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct master other;
    struct store_options o = options(f);
    store_close(&f->s);
    path_in(f, "other.key", path);
    assert_ok(f, master_create(&f->a, path, &other));
    o.master_file = text_of(path);
    assert_int_equal(store_open(&f->a, &o, &f->s), ERR_CRYPT);
}

/* ---- Backup and restore. ---- */

static text backup_dir(struct fixture *f)
{
    char path[128];
    path_in(f, "backup", path);
    return arena_copy(&f->a, text_of(path));
}

static void restore(struct fixture *f, uint64_t *silenced)
{
    struct store_options o = options(f);
    store_close(&f->s);
    assert_ok(f, store_restore(&f->a, &(struct restore_from){ .dir = backup_dir(f) }, &o, silenced));
    start(f);
}

static void restored_is_silent(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    struct person early = person_make(f->s, 1), erased = person_make(f->s, 2), late = person_make(f->s, 3);
    struct journal_report report;
    uint64_t size, silenced;
    assert_ok(f, create(f->s, &f->a, &early, false));
    assert_ok(f, create(f->s, &f->a, &erased, false));
    assert_ok(f, store_backup(f->s, &f->a, backup_dir(f), NULL, &size));
    assert_int_equal(size, 2);
    assert_int_equal(store_backup(f->s, &f->a, backup_dir(f), NULL, &size), ERR_CONFLICT);
    assert_ok(f, create(f->s, &f->a, &late, false));
    assert_ok(f, erase(f->s, &f->a, &erased));
    restart(f);
    uint64_t before = journal_size(f);
    restore(f, &silenced);
    assert_int_equal(silenced, 1);
    assert_true(has_row(f, &early) && has_key(f, &early));
    assert_false(has_row(f, &erased) || has_key(f, &erased));
    assert_false(has_row(f, &late));               /* the data are those of the backup */
    assert_true(has_key(f, &late));                /* for a week a newer backup may be the one that is wanted */
    assert_int_equal(journal_size(f), before + 1); /* the journal lost nothing */
    f->now += 7 * DAY;
    restart(f);
    assert_false(has_key(f, &late));
    assert_int_equal(journal_size(f), before + 3); /* the key, the link */
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
    assert_false(found_in_folder(f->dir, TEXT_BYTES(erased.id)));
}

static void restored_without_today(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    struct person one = person_make(f->s, 1), erased = person_make(f->s, 2);
    struct journal_report report;
    uint64_t size, silenced;
    assert_ok(f, create(f->s, &f->a, &one, false));
    assert_ok(f, create(f->s, &f->a, &erased, false));
    assert_ok(f, store_backup(f->s, &f->a, backup_dir(f), NULL, &size));
    assert_ok(f, erase(f->s, &f->a, &erased));
    store_close(&f->s);
    char path[128];
    path_in(f, "data.db", path);
    assert_ok(f, file_write(&f->a, path, TEXT("no database at all, the disk is broken")));
    struct store_options o = options(f);
    assert_ok(f, store_restore(&f->a, &(struct restore_from){ .dir = backup_dir(f) }, &o, &silenced));
    start(f);
    assert_int_equal(silenced, 1);
    assert_true(has_row(f, &one));
    assert_false(has_row(f, &erased));
    assert_int_equal(journal_size(f), 3);
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
}

/* Nothing is changed by a backup that is altered, or of another instance, or while the folder is in use. */
static void restore_refuses(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    void *other_state;
    assert_int_equal(setup(&other_state), 0);
    struct fixture *other = other_state;
    struct person one = person_make(f->s, 1);
    uint64_t size, silenced;
    struct store_options o = options(f);
    assert_ok(f, create(f->s, &f->a, &one, false));
    assert_ok(other, note(other->s, &other->a, TEXT("read")));
    assert_ok(f, store_backup(other->s, &f->a, backup_dir(other), NULL, &size));
    assert_ok(f, store_backup(f->s, &f->a, backup_dir(f), NULL, &size));
    assert_int_equal(store_restore(&f->a, &(struct restore_from){ .dir = backup_dir(f) }, &o, &silenced), ERR_LOCKED);
    store_close(&f->s);
    assert_int_equal(store_restore(&f->a, &(struct restore_from){ .dir = backup_dir(other) }, &o, &silenced),
                     ERR_INTEGRITY);
    tamper(f, "backup/data.db", "DELETE FROM subject", (text){ NULL, 0 });
    assert_int_equal(store_restore(&f->a, &(struct restore_from){ .dir = backup_dir(f) }, &o, &silenced),
                     ERR_INTEGRITY);
    start(f);
    assert_true(has_row(f, &one));
    teardown(&other_state);
}

struct writers {
    struct fixture *f;
    _Atomic bool stop;
    _Atomic unsigned acknowledged;
};

static void *write_on(void *arg)
{
    struct writers *w = arg;
    ARENA_AUTO a = arena_make(1 << 20);
    for (unsigned i = 0; !atomic_load(&w->stop); i++) {
        struct person p = person_make(w->f->s, 5000 + i);
        if (create(w->f->s, &a, &p, false) != OK)
            return NULL;
        atomic_store(&w->acknowledged, i + 1);
        arena_reset(&a);
    }
    return w;
}

static void backup_under_load(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    struct writers w = { .f = f };
    pthread_t thread;
    uint64_t size, silenced;
    assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
    while (atomic_load(&w.acknowledged) < 500)
        usleep(1000);
    unsigned before = atomic_load(&w.acknowledged);
    assert_ok(f, store_backup(f->s, &f->a, backup_dir(f), NULL, &size));
    atomic_store(&w.stop, true);
    void *sound;
    pthread_join(thread, &sound);
    assert_non_null(sound);
    assert_true(size >= before);
    restore(f, &silenced);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM subject"), size);
    assert_int_equal(silenced, 0);
}

/* The keyring's backup opens what was sealed when it was made. */
static void keys_backup(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    struct person one = person_make(f->s, 1);
    char from[128], to[128];
    assert_ok(f, create(f->s, &f->a, &one, false));
    assert_ok(f, store_backup_keys(f->s, &f->a, backup_dir(f)));
    store_close(&f->s);
    path_in(f, "backup/keys.db", from);
    path_in(f, "keys.db", to);
    assert_int_equal(rename(from, to), 0);
    start(f);
    assert_true(has_key(f, &one));
}

/* ---- Rotation. ---- */

static int64_t not_under(struct fixture *f, const struct master *m)
{
    READ_AUTO db = NULL;
    int64_t others = 0;
    assert_ok(f, store_read_keys(f->s, &f->a, &db));
    QUERY_AUTO q;
    struct subject_id zero = { 0 };
    query_start(&q, db, SQL_KEY_PAGE, ARGS(V_TEXT(TEXT("")), V_ID(zero), V_INT(-1), V_INT(1000000)));
    while (query_next(&q))
        others += !key_wrap_current(m, query_get(&q, KEY_PAGE, wrapped));
    assert_int_equal(q.status, OK);
    return others;
}

static void rotates_under_load(void **state)
{
    struct fixture *f = *state;
    struct person old = person_make(f->s, 1);
    struct writers w = { .f = f };
    pthread_t thread;
    uint64_t rewrapped;
    char path[128], former[128];
    assert_ok(f, create(f->s, &f->a, &old, false));
    struct person stale = person_make(f->s, 2); /* wrapped before, put after */
    uint32_t first = store_master(f->s)->id;
    assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
    while (atomic_load(&w.acknowledged) < 1500)
        usleep(1000);
    path_in(f, "next.key", path);
    path_in(f, "master.key.former", former);
    assert_ok(f, store_rotate_master(f->s, &f->a, text_of(path), NULL, &rewrapped));
    assert_true(rewrapped >= 1501);
    assert_int_not_equal(store_master(f->s)->id, first);
    assert_ok(f, create(f->s, &f->a, &stale, false));
    atomic_store(&w.stop, true);
    void *sound;
    pthread_join(thread, &sound);
    assert_non_null(sound);
    assert_int_equal(not_under(f, store_master(f->s)), 0);
    assert_int_not_equal(access(former, F_OK), 0);
    assert_int_equal(store_rotate_master(f->s, &f->a, text_of(path), NULL, &rewrapped), ERR_CONFLICT);
    assert_int_equal(unlink(path), 0);
    restart(f);
    assert_true(has_key(f, &old) && has_key(f, &stale));
    assert_false(store_master(f->s)->has_former);
}

/* A rotation that stopped after its first step goes on at the next start. */
static void rotation_resumes(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1);
    struct master m;
    char current[128], former[128];
    assert_ok(f, create(f->s, &f->a, &one, false));
    store_close(&f->s);
    path_in(f, "master.key", current);
    path_in(f, "master.key.former", former);
    assert_int_equal(rename(current, former), 0);
    assert_ok(f, master_create(&f->a, current, &m));
    start(f);
    assert_int_equal(store_master(f->s)->id, m.id);
    assert_int_equal(not_under(f, &m), 0);
    assert_int_not_equal(access(former, F_OK), 0);
    restart(f);
    assert_true(has_key(f, &one));
}

/* ---- What is held outlives the person's key. ---- */

enum { HELD_CLASS = 77 };

static enum err held_run(struct db *db, struct write *w)
{
    const struct person *p = w->arg;
    static const uint32_t kept[] = { HELD_CLASS };
    return store_erase(db, TENANT, p->id, kept, 1, TEXT("consents"), NULL);
}

static void held_stays(void **state)
{
    struct fixture *f = *state;
    struct person p = person_make(f->s, 1);
    struct key_put held = { .tenant = TENANT, .subject = p.id, .key_class = HELD_CLASS };
    static const uint32_t kept[] = { HELD_CLASS };
    struct key_shred x = {
        .tenant = TENANT, .subject = p.id, .all_but_held = true, .kept = kept, .kept_count = 1, .keep = TEXT("consents")
    };
    struct write put = { .event = event_of(&p, TEXT("subject.update")), .puts = &held, .put_count = 1 };
    struct write shred = {
        .run = held_run, .arg = &p, .event = event_of(&p, TEXT("subject.erase")), .shreds = &x, .shred_count = 1
    };
    key_wrap(store_master(f->s), TENANT, p.id, HELD_CLASS, &p.key, held.wrapped);
    assert_ok(f, create(f->s, &f->a, &p, false));
    assert_ok(f, store_write(f->s, &f->a, &put));
    tamper(f, "data.db",
           "INSERT INTO consent (tenant, subject, purpose, channel, seq, decision, at, policy)"
           " VALUES ('acme', ?1, 'news', '', 1, 'given', 1, 'p')",
           TEXT_BYTES(p.id));
    tamper(f, "data.db", "INSERT INTO milestone (tenant, subject, event, at) VALUES ('acme', ?1, 'closure', 1)",
           TEXT_BYTES(p.id));
    assert_ok(f, store_write(f->s, &f->a, &shred));
    assert_false(has_key(f, &p));
    KEY_AUTO k;
    assert_ok(f, store_key(f->s, &f->a, TENANT, p.id, HELD_CLASS, &k));
    assert_int_equal(count(f, FILE_DATA, "SELECT state FROM subject"), 2);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM consent"), 1);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM milestone"), 0);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM identifier"), 0);
    assert_int_equal(count(f, FILE_KEYS, "SELECT count(*) FROM held"), 1);
}

/* What a kill between the two files leaves: a key without its person. An orderly close needs no look at the next start.
 */
static void keys_of_nobody_go(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1), nobody = person_make(f->s, 2);
    struct write put = { .event = event_of(&nobody, TEXT("subject.create")), .puts = &nobody.put, .put_count = 1 };
    assert_ok(f, create(f->s, &f->a, &one, false));
    assert_ok(f, store_write(f->s, &f->a, &put));
    restart(f);
    assert_true(has_key(f, &nobody)); /* closed in order */
    uint64_t before = journal_size(f);
    store_close(&f->s);
    tamper(f, "data.db", "DELETE FROM meta WHERE name = 'tidy'",
           (text){ NULL, 0 }); /* as a kill, or an earlier program, leaves it */
    start(f);
    assert_true(has_key(f, &one) && !has_key(f, &nobody));
    assert_int_equal(journal_size(f), before + 2); /* the key, and its link */
    struct journal_report report;
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
    restart(f);
    assert_int_equal(journal_size(f), before + 2);
}

enum { MANY_CLASSES = 700 };

/* However many keys a person has, all go, and all rows under them. */
static void many_keys_go(void **state)
{
    struct fixture *f = *state;
    struct person p = person_make(f->s, 1);
    struct key_put *puts = calloc(MANY_CLASSES, sizeof *puts);
    assert_non_null(puts);
    assert_ok(f, create(f->s, &f->a, &p, false));
    for (uint32_t i = 0; i < MANY_CLASSES; i++) {
        puts[i] = (struct key_put){ .tenant = TENANT, .subject = p.id, .key_class = i + 1 };
        key_wrap(store_master(f->s), TENANT, p.id, i + 1, &p.key, puts[i].wrapped);
    }
    struct write put = { .event = event_of(&p, TEXT("subject.update")), .puts = puts, .put_count = MANY_CLASSES };
    assert_ok(f, store_write(f->s, &f->a, &put));
    free(puts);
    tamper(
        f, "data.db",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700) INSERT INTO record"
        " (tenant, subject, category, item, version, sealed, source, at, state, class) SELECT 'acme', ?1, 'c', i, 1, ?1, 's', 1, 0, i FROM n",
        TEXT_BYTES(p.id));
    assert_int_equal(count(f, FILE_KEYS, "SELECT count(*) FROM key"), MANY_CLASSES + 1);
    assert_ok(f, erase(f->s, &f->a, &p));
    assert_int_equal(count(f, FILE_KEYS, "SELECT count(*) FROM key"), 0);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM record"), 0);
}

/* A second key of the same class is refused, and with it the whole write. */
static void one_key_a_class(void **state)
{
    struct fixture *f = *state;
    struct person p = person_make(f->s, 1), again = person_make(f->s, 2);
    assert_ok(f, create(f->s, &f->a, &p, false));
    again.put = p.put;
    assert_int_equal(create(f->s, &f->a, &again, false), ERR_CONFLICT);
    assert_false(has_row(f, &again));
    assert_true(has_key(f, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = { CASE(statements),
                                        CASE(types_are_held),
                                        CASE(creates_and_refuses),
                                        CASE(edge_survives),
                                        CASE(second_process),
                                        CASE(group_commit),
                                        CASE(nothing_from_a_lost_part),
                                        CASE(erases),
                                        CASE(erasure_completed),
                                        CASE(leaves_no_byte),
                                        CASE(truncates_later),
                                        CASE(snapshot_is_newest),
                                        CASE(idle_reader_lets_truncate),
                                        CASE(erasures_share_a_truncation),
                                        CASE(log_begins_anew),
                                        CASE(migrations),                         CASE(a_table_grows),

                                        CASE(newer_is_refused),
                                        CASE(other_columns_are_refused),
                                        CASE(keyring_missing),
                                        CASE(data_missing),
                                        CASE(other_master),
                                        CASE(restored_is_silent),
                                        CASE(restored_without_today),
                                        CASE(restore_refuses),
                                        CASE(backup_under_load),
                                        CASE(keys_backup),
                                        CASE(rotates_under_load),
                                        CASE(rotation_resumes),
                                        CASE(held_stays),
                                        CASE(one_key_a_class),
                                        CASE(keys_of_nobody_go),
                                        CASE(many_keys_go) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

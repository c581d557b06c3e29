/* What the tests of the store share. */
#include "store_fixture.h"
#include <dirent.h>
#include <ftw.h>
#include <libpq-fe.h>

static int unlink_one(const char *path, const struct stat *st, int type, struct FTW *ftw) { return remove(path); }

void remove_tree(const char *dir)
{
    if (nftw(dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fail_msg("%s cannot be removed", dir);
}

void path_in(const struct fixture *f, const char *name, char out[128]) { snprintf(out, 128, "%s/%s", f->dir, name); }

struct store_options options(const struct fixture *f)
{
    return (struct store_options){ .dir = text_of(f->dir),
                                   .create = true,
                                   .clock = f->clock,
                                   .data_at = text_of(f->places[FILE_DATA]),
                                   .keys_at = text_of(f->places[FILE_KEYS]) };
}

void start(struct fixture *f)
{
    struct store_options o = options(f);
    if (store_open(&f->a, &o, &f->s) != OK)
        fail_msg("store_open: %s", f->a.why.detail);
}

/* ---- On PostgreSQL. ---- */

/* Runs SQL with ?1 as bytes; the first number that it gives, or -1. */
static int64_t pg_run_sql(const char *place, const char *sql, text blob)
{
    char numbered[1024] = "";
    const char *value = blob.p;
    int length = (int)blob.n, binary = 1;
    Oid type = 17;
    for (const char *p = sql; *p;) {
        bool as_text = strncmp(p, "CAST(?1 AS TEXT)", 16) == 0, parameter = as_text || strncmp(p, "?1", 2) == 0;
        size_t n = strlen(numbered);
        snprintf(numbered + n, sizeof numbered - n, "%.*s", parameter ? 24 : 1,
                 as_text ? "convert_from($1, 'UTF8')" : parameter ? "$1" : p);
        p += as_text ? 16 : parameter ? 2 : 1;
    }
    PGconn *c = PQconnectdb(place);
    PGresult *r = PQexecParams(c, numbered, blob.p ? 1 : 0, &type, &value, &length, &binary, 0);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s%s", numbered, PQerrorMessage(c), PQresultErrorMessage(r));
    int64_t n = PQntuples(r) > 0 ? atoll(PQgetvalue(r, 0, 0)) : -1;
    PQclear(r);
    PQfinish(c);
    return n;
}

/* Databases of the test's own, "" without a server. */
static void places_make(struct fixture *f)
{
    static int made;
    static const char *const names[] = { "data", "keys" };
    const char *server = getenv("GARANT_POSTGRESQL");
    for (enum file file = 0; server && file < FILE_COUNT; file++) {
        char main[256], sql[256];
        snprintf(main, sizeof main, "%s dbname=postgres", server);
        snprintf(sql, sizeof sql, "CREATE DATABASE t%d_%d_%s", (int)getpid(), made, names[file]);
        pg_run_sql(main, sql, (text){ NULL, 0 });
        snprintf(f->places[file], sizeof f->places[file], "%s dbname=t%d_%d_%s", server, (int)getpid(), made, names[file]);
        if (file == FILE_DATA) /* a word of SQLite's that tests use */
            pg_run_sql(f->places[file],
                       "CREATE FUNCTION hex(bytea) RETURNS text LANGUAGE sql AS 'SELECT upper(encode($1, ''hex''))'",
                       (text){ NULL, 0 });
    }
    made++;
}

static void places_drop(const struct fixture *f)
{
    for (enum file file = 0; file < FILE_COUNT && f->places[file][0]; file++) {
        char main[256], sql[256];
        snprintf(main, sizeof main, "%s dbname=postgres", getenv("GARANT_POSTGRESQL"));
        snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", strstr(f->places[file], "dbname=") + 7);
        pg_run_sql(main, sql, (text){ NULL, 0 });
    }
}

static void pg_admin(const struct fixture *f, const char *first, const char *second, const char *third, bool kept)
{
    char main[256], sql[512];
    const char *name = strstr(f->places[FILE_DATA], "dbname=") + 7;
    snprintf(main, sizeof main, "%s dbname=postgres", getenv("GARANT_POSTGRESQL"));
    snprintf(sql, sizeof sql, "%s %s%s %s %s%s", first, name, kept ? "_kept" : "", second, third[0] ? name : "", third);
    pg_run_sql(main, sql, (text){ NULL, 0 });
}

static void shell(const struct fixture *f, const char *command, const char *from, const char *to)
{
    char line[512];
    snprintf(line, sizeof line, "%s %s/%s %s/%s", command, f->dir, from, f->dir, to);
    assert_int_equal(system(line), 0);
}

void data_keep(struct fixture *f)
{
    if (f->places[FILE_DATA][0])
        pg_admin(f, "CREATE DATABASE", "TEMPLATE", " ", true);
    else
        shell(f, "cp", "data.db", "data.db.kept");
}

void data_put_back(struct fixture *f)
{
    if (!f->places[FILE_DATA][0]) {
        shell(f, "mv", "data.db.kept", "data.db");
        return;
    }
    pg_admin(f, "DROP DATABASE", "WITH (FORCE)", "", false);
    pg_admin(f, "ALTER DATABASE", "RENAME TO", " ", true);
}

/* ---- A store. ---- */

int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    /* In memory where there is such a place: these tests look at what is written, not at how fast a disk syncs it. */
    snprintf(f->dir, sizeof f->dir, "%s/garant-test-store-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    f->a = arena_make(256 << 20);
    f->now = 1790000000000;
    f->clock.simulated = &f->now;
    if (!mkdtemp(f->dir))
        return -1;
    places_make(f);
    start(f);
    *state = f;
    return 0;
}

int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(&f->s);
    arena_free(&f->a);
    remove_tree(f->dir);
    places_drop(f);
    free(f);
    return 0;
}

void restart(struct fixture *f)
{
    store_close(&f->s);
    start(f);
}

struct person person_make(struct store *s, unsigned email)
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
    TRY(db_run(db, SQL_IDENTIFIER_ADD, &added,
               ARGS(V_TEXT(TENANT), V_TEXT(TEXT("email")), V_BYTES(TEXT_BYTES(p->email)), V_ID(p->id))));
    return added ? OK : say(db_arena(db), ERR_CONFLICT, "the e-mail is taken");
}

static enum err subject_add(struct db *db, const struct person *p)
{
    return db_run(
        db, SQL_SUBJECT_ADD, NULL,
        ARGS(V_TEXT(TENANT), V_ID(p->id), V_INT(1), V_INT(1), V_INT(0), V_NULL, V_TEXT(TEXT("test")), V_NULL));
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

struct event event_of(const struct person *p, text act)
{
    struct event e = { .act = act, .tenant = TENANT, .actor = TEXT("tester"), .count = -1 };
    if (p) {
        e.subject = p->id;
        e.has_subject = true;
        journal_pseudonym(&p->key, &e.who);
    }
    return e;
}

enum err create(struct store *s, struct arena *a, struct person *p, bool late)
{
    struct write w = { .run = late ? late_run : create_run,
                       .arg = p,
                       .event = event_of(p, TEXT("subject.create")),
                       .puts = &p->put,
                       .put_count = 1 };
    return store_write(s, a, &w);
}

enum err note(struct store *s, struct arena *a, text act)
{
    struct write w = { .event = event_of(NULL, act) };
    return store_write(s, a, &w);
}

bool has_key(struct fixture *f, const struct person *p)
{
    KEY_AUTO k;
    enum err e = store_key(f->s, &f->a, TENANT, p->id, 0, &k);
    if (e != OK && e != ERR_ERASED)
        fail_msg("store_key: %s", f->a.why.detail);
    return e == OK && memcmp(k.b, p->key.b, sizeof k.b) == 0;
}

int64_t count(struct fixture *f, enum file file, const char *sql)
{
    struct db *db;
    if (f->places[file][0])
        return pg_run_sql(f->places[file], sql, (text){ NULL, 0 });
    assert_int_equal(store_reader(f->s, &f->a, file, &db), OK);
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db->conn->handle, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    store_read_end(&db);
    return n;
}

uint64_t journal_size(struct fixture *f)
{
    text signed_note;
    uint64_t size;
    assert_int_equal(journal_checkpoint(f->s, &f->a, &signed_note, &size, NULL), OK);
    return size;
}

static enum err erase_run(struct db *db, struct write *w)
{
    const struct person *p = w->arg;
    return store_erase(db, TENANT, p->id, NULL, 0, TEXT(""), NULL);
}

enum err erase(struct store *s, struct arena *a, struct person *p)
{
    struct key_shred x = { .tenant = TENANT, .subject = p->id, .all_but_held = true };
    struct write w = { .run = erase_run,
                       .arg = p,
                       .event = event_of(p, TEXT("subject.erase")),
                       .shreds = &x,
                       .shred_count = 1,
                       .truncate = true,
                       .urgent = true };
    return store_write(s, a, &w);
}

bool has_row(struct fixture *f, const struct person *p)
{
    READ_AUTO db = NULL;
    assert_ok(f, store_read(f->s, &f->a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_IDENTIFIER_FIND,
                ARGS(V_TEXT(TENANT), V_TEXT(TEXT("email")), V_BYTES(TEXT_BYTES(p->email))));
    bool found = query_next(&q);
    found = found && memcmp(query_get(&q, IDENTIFIER_FIND, subject).p, &p->id, sizeof p->id) == 0;
    assert_int_equal(q.status, OK);
    return found;
}

void tamper(struct fixture *f, const char *file, const char *sql, text blob)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *statement;
    if (f->places[FILE_DATA][0]) {
        pg_run_sql(f->places[strcmp(file, "data.db") ? FILE_KEYS : FILE_DATA], sql, blob);
        return;
    }
    path_in(f, file, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    if (blob.p)
        sqlite3_bind_blob(statement, 1, blob.p, (int)blob.n, SQLITE_STATIC);
    if (sqlite3_step(statement) != SQLITE_DONE)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

bool found_in_folder(const char *dir, text bytes)
{
    char path[PATH_MAX];
    DIR *d = opendir(dir);
    bool found = false;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        ARENA_AUTO a = arena_make(512 << 20);
        text content;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_type == DT_DIR)
            continue;
        assert_int_equal(file_read(&a, path, 256 << 20, &content), OK);
        if (text_find(content, bytes) >= 0) {
            print_message("found in %s\n", path);
            found = true;
        }
    }
    closedir(d);
    return found;
}

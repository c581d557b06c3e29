/* The floor under the benchmarks: the same rows by prepared SQLite statements alone, without HTTP, journal tree or
 * cryptography.
 *
 *   floor DIR ACT GROUP SECONDS PEOPLE CONSENTS
 *
 * WAL, synchronous=FULL, one thread, every act with its audit row, GROUP acts to a commit. Lays PEOPLE and CONSENTS
 * first, then does ACT (create, get, lookup, consent, erase) for SECONDS and prints the acts per second. */
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

enum { ID = 16, DIGEST = 32, BODY = 300, AUDIT = 160 };

static const char schema[] =
    "CREATE TABLE subject(id BLOB PRIMARY KEY, version INTEGER NOT NULL, created INTEGER NOT NULL, email BLOB NOT NULL,"
    " login BLOB NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX subject_email ON subject(email);"
    "CREATE UNIQUE INDEX subject_login ON subject(login);"
    "CREATE TABLE consent(id INTEGER PRIMARY KEY, subject BLOB NOT NULL, purpose INTEGER NOT NULL, decision INTEGER NOT NULL,"
    " at INTEGER NOT NULL, wording BLOB NOT NULL) STRICT;"
    "CREATE INDEX consent_subject ON consent(subject, purpose);"
    "CREATE TABLE audit(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, entry BLOB NOT NULL) STRICT;";

enum { BEGIN, COMMIT, CREATE, LOG, GET, LOOKUP, CONSENT, ERASE, STATEMENTS };
static const char *const sql[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [CREATE] = "INSERT INTO subject VALUES(?1, 1, ?2, ?3, ?4, ?5)",
    [LOG] = "INSERT INTO audit(at, entry) VALUES(?2, ?1)",
    [GET] = "SELECT version, body FROM subject WHERE id = ?1",
    [LOOKUP] = "SELECT id FROM subject WHERE email = ?1",
    [CONSENT] = "INSERT INTO consent(subject, purpose, decision, at, wording) VALUES(?1, 1, 1, ?2, ?3)",
    [ERASE] = "DELETE FROM subject WHERE id = ?1",
};

struct person {
    uint8_t id[ID], email[DIGEST], login[DIGEST];
};
struct floor {
    sqlite3 *db;
    sqlite3_stmt *statement[STATEMENTS];
    struct person *people;
    size_t count, room;
    uint8_t noise[1 << 16];
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "floor: %s: %s\n", what, why);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(struct floor *f, const char *text)
{
    if (sqlite3_exec(f->db, text, NULL, NULL, NULL) != SQLITE_OK)
        die(text, sqlite3_errmsg(f->db));
}

/* Runs a statement to its end; blobs are bound in order, the time (parameter 2) where the statement has one. */
static void step(struct floor *f, int which, const void *const *blobs, const int *sizes, const int *places, int count)
{
    sqlite3_stmt *s = f->statement[which];
    for (int i = 0; i < count; i++)
        sqlite3_bind_blob(s, places[i], blobs[i], sizes[i], SQLITE_STATIC);
    if (which == CREATE || which == LOG || which == CONSENT)
        sqlite3_bind_int64(s, 2, 1795312800000);
    int status;
    while ((status = sqlite3_step(s)) == SQLITE_ROW)
        if (!sqlite3_column_blob(s, 0) && sqlite3_column_type(s, 0) == SQLITE_NULL)
            die(sql[which], "an empty row");
    if (status != SQLITE_DONE)
        die(sql[which], sqlite3_errmsg(f->db));
    sqlite3_reset(s);
}

static void step_one(struct floor *f, int which, const void *blob, int size)
{
    step(f, which, &blob, &size, (const int[]){ 1 }, 1);
}

static struct person *person_add(struct floor *f)
{
    if (f->count == f->room) {
        f->room = f->room ? f->room * 2 : 4096;
        f->people = realloc(f->people, f->room * sizeof *f->people);
        if (!f->people)
            die("memory", "not enough");
    }
    struct person *p = &f->people[f->count++];
    if (getrandom(p, sizeof *p, 0) != sizeof *p)
        die("getrandom", "too few bytes");
    return p;
}

static struct person *person_any(struct floor *f)
{
    return &f->people[((uint64_t)rand() * 2147483647u + (uint64_t)rand()) % f->count];
}

static void act(struct floor *f, int which)
{
    const uint8_t *noise = f->noise + rand() % (int)(sizeof f->noise - BODY);
    struct person *p = which == CREATE ? person_add(f)
                     : which == ERASE ? &f->people[--f->count] : person_any(f);
    if (which == CREATE)
        step(f, CREATE, (const void *const[]){ p->id, p->email, p->login, noise },
             (const int[]){ ID, DIGEST, DIGEST, BODY }, (const int[]){ 1, 3, 4, 5 }, 4);
    else if (which == CONSENT)
        step(f, CONSENT, (const void *const[]){ p->id, noise }, (const int[]){ ID, DIGEST }, (const int[]){ 1, 3 }, 2);
    else if (which == LOOKUP)
        step_one(f, LOOKUP, p->email, DIGEST);
    else
        step_one(f, which, p->id, ID);
    step_one(f, LOG, noise, AUDIT);
}

static void group_of(struct floor *f, int which, int group)
{
    step(f, BEGIN, NULL, NULL, NULL, 0);
    for (int i = 0; i < group && (which != ERASE || f->count); i++)
        act(f, which);
    step(f, COMMIT, NULL, NULL, NULL, 0);
}

static double rate(struct floor *f, int which, int group, double seconds)
{
    double start = now();
    long done = 0;
    for (; now() - start < seconds && (which != ERASE || f->count); done += group)
        group_of(f, which, group);
    return (double)done / (now() - start);
}

static void open_floor(struct floor *f, const char *dir)
{
    char path[4096];
    mkdir(dir, 0700);
    snprintf(path, sizeof path, "%s/floor.db", dir);
    remove(path);
    if (sqlite3_open(path, &f->db) != SQLITE_OK)
        die(path, sqlite3_errmsg(f->db));
    run(f,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=16000; PRAGMA cache_size=-65536");
    run(f, schema);
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(f->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &f->statement[i], NULL) != SQLITE_OK)
            die(sql[i], sqlite3_errmsg(f->db));
    for (size_t at = 0; at < sizeof f->noise; at += 256)
        if (getrandom(f->noise + at, 256, 0) != 256)
            die("getrandom", "too few bytes");
}

static int act_named(const char *name)
{
    static const struct {
        const char *name;
        int which;
    } acts[] = {
        { "create", CREATE }, { "get", GET }, { "lookup", LOOKUP }, { "consent", CONSENT }, { "erase", ERASE },
    };
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strcmp(name, acts[i].name) == 0)
            return acts[i].which;
    die(name, "no such act");
    return -1;
}

int main(int argc, char **argv)
{
    static struct floor f;
    if (argc != 7)
        die("usage", "floor DIR ACT GROUP SECONDS PEOPLE CONSENTS");
    int which = act_named(argv[2]), group = (int)strtol(argv[3], NULL, 10);
    double seconds = strtod(argv[4], NULL);
    open_floor(&f, argv[1]);
    for (long people = strtol(argv[5], NULL, 10); people > 0; people -= 1000)
        group_of(&f, CREATE, 1000);
    for (long consents = strtol(argv[6], NULL, 10); consents > 0; consents -= 1000)
        group_of(&f, CONSENT, 1000);
    printf("%.0f\n", rate(&f, which, group, seconds));
    return 0;
}

/* Unit tests of the store on a disk that fails, and killed: nothing acknowledged is lost, nothing refused was done,
 * service resumes by itself. */
#include "store_fixture.h"
#include "vfs.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PEOPLE = 10 };

struct told {
    struct person p;
    enum err created, erased;
};

/* Creates people, erases every third; notes what the store said of each. */
static void work(struct fixture *f, struct told told[PEOPLE])
{
    for (unsigned i = 0; i < PEOPLE; i++) {
        struct told *t = &told[i];
        t->p = person_make(f->s, i + 1);
        t->created = create(f->s, &f->a, &t->p, i % 4 == 3);
        t->erased = ERR_NOT_FOUND;
        if (i % 3 == 2 && t->created == OK)
            t->erased = erase(f->s, &f->a, &t->p);
    }
}

static bool storage(enum err e) { return e == ERR_STORAGE || e == ERR_FULL; }

static void check_told(struct fixture *f, const struct told told[PEOPLE], bool strict, const char *when)
{
    for (unsigned i = 0; i < PEOPLE; i++) {
        const struct told *t = &told[i];
        bool row = has_row(f, &t->p), key = has_key(f, &t->p);
        if (t->created != OK && !storage(t->created))
            fail_msg("%s: person %u created: %d", when, i, t->created);
        if (t->erased != OK && t->erased != ERR_NOT_FOUND && !storage(t->erased))
            fail_msg("%s: person %u erased: %d", when, i, t->erased);
        if (t->created == OK && t->erased == ERR_NOT_FOUND && (!row || !key))
            fail_msg("%s: person %u was acknowledged and is lost: row %d key %d", when, i, row, key);
        if (t->created != OK && row)
            fail_msg("%s: person %u was refused and is there", when, i);
        if (t->created != OK && key && strict)
            fail_msg("%s: person %u was refused and has a key", when, i);
        if (t->erased == OK && (row || key))
            fail_msg("%s: person %u was erased and is there: row %d key %d", when, i, row, key);
        if (t->created == OK && row != key) /* an erasure that failed may go on, but never by half */
            fail_msg("%s: person %u is half erased: row %d key %d", when, i, row, key);
    }
}

/* Writes again until the store takes it: it has to come back without help. */
static void resumes(struct fixture *f)
{
    enum err e = ERR_STORAGE;
    for (unsigned tries = 0; tries < 200 && e != OK; tries++) {
        if (tries)
            usleep(25000);
        e = note(f->s, &f->a, TEXT("backup"));
        if (e != OK && !storage(e))
            fail_msg("after the fault: %d %s", e, f->a.why.detail);
    }
    assert_ok(f, e);
}

static void sound(struct fixture *f)
{
    struct journal_report report;
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
    for (enum file file = 0; file < FILE_COUNT; file++)
        assert_int_equal(count(f, file, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
                         0);
}

static int one(enum fault what, int nth, bool stays)
{
    void *state;
    struct told told[PEOPLE];
    assert_int_equal(setup(&state), 0);
    struct fixture *f = state;
    fault_arm(what, nth, stays);
    work(f, told);
    int failures = fault_count();
    fault_arm(FAULT_NONE, 0, false);
    resumes(f);
    char when[64];
    snprintf(when, sizeof when, "fault %d at %d%s", (int)what, nth, stays ? " and on" : "");
    bool strict = !stays && what != FAULT_SYNC_EIO; /* then even the keyring is as before */
    check_told(f, told, strict, when);
    sound(f);
    restart(f);
    check_told(f, told, strict, when);
    sound(f);
    teardown(&state);
    return failures;
}

/* All of 1 to 60 with GARANT_FAULTS=all; every fourth otherwise, so that the suite stays quick. */
static void sweep(enum fault what, bool stays)
{
    const char *all = getenv("GARANT_FAULTS");
    int step = all && text_eq(text_of(all), TEXT("all")) ? 1 : 4, struck = 0;
    for (int nth = 1; nth <= 60; nth += step)
        struck += one(what, nth, stays) > 0;
    assert_true(struck * step > 40); /* the faults did fall into the work */
}

static void write_fails(void **state) { sweep(FAULT_WRITE_EIO, false); }
static void write_is_short(void **state) { sweep(FAULT_WRITE_SHORT, false); }
static void disk_is_full(void **state) { sweep(FAULT_WRITE_FULL, false); }
static void sync_fails(void **state) { sweep(FAULT_SYNC_EIO, false); }

static void disk_stays_bad(void **state)
{
    static const enum fault kinds[] = { FAULT_WRITE_EIO, FAULT_WRITE_FULL, FAULT_SYNC_EIO };
    for (unsigned i = 0; i < 3; i++)
        for (int nth = 1; nth <= 30; nth += 7)
            assert_true(one(kinds[i], nth, true) > 0);
}

/* An erasure whose keys went and whose rows could not, and the disk still bad when it is to be completed: a passing
 * fault all the same. Health tells it meanwhile, and finds out by itself that it has passed. */
static void fault_while_completing(void **state)
{
    struct fixture *f = *state;
    unsigned ahead = 0;
    for (int nth = 1; nth <= 12; nth++) {
        struct person p = person_make(f->s, 100 + (unsigned)nth);
        assert_ok(f, create(f->s, &f->a, &p, false));
        fault_arm(FAULT_WRITE_EIO, nth, true);
        enum err erased = erase(f->s, &f->a, &p);
        bool key_gone = erased != OK && !has_key(f, &p);
        ahead += key_gone;
        for (unsigned again = 0; again < 3 && erased != OK; again++) {
            assert_true(storage(note(f->s, &f->a, TEXT("backup"))));
            assert_true(storage(store_health(f->s, &f->a)));
        }
        fault_arm(FAULT_NONE, 0, false);
        for (unsigned tries = 0; tries < 400 && store_health(f->s, &f->a) != OK; tries++)
            usleep(25000);
        assert_ok(f, store_health(f->s, &f->a));
        assert_ok(f, note(f->s, &f->a, TEXT("backup")));
        assert_int_equal(has_row(f, &p), has_key(f, &p));
        if (key_gone)
            assert_false(has_row(f, &p));
    }
    assert_true(ahead > 0); /* the fault did fall between the two files */
    sound(f);
}

/* A reader that stays open, as a backup does, does not keep the writer from coming back after a failed fsync. */
static void sync_fails_beside_a_reader(void **state)
{
    struct fixture *f = *state;
    assert_ok(f, note(f->s, &f->a, TEXT("read")));
    READ_AUTO db = NULL;
    assert_ok(f, store_read(f->s, &f->a, &db));
    wait_allow(); /* as if another thread held the snapshot */
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_LAST, ARGS());
    assert_true(query_next(&q));
    fault_arm(FAULT_SYNC_EIO, 1, false);
    assert_int_equal(note(f->s, &f->a, TEXT("read")), ERR_STORAGE);
    fault_arm(FAULT_NONE, 0, false);
    resumes(f);
    query_end(&q);
    wait_forbid();
    store_read_end(&db);
    sound(f);
    restart(f);
    sound(f);
}

/* The reserve is for withdrawals and erasures: they pass on a full disk, others are told so. */
static void reserve(void **state)
{
    struct fixture *f = *state;
    struct person p = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &p, false));
    char path[128];
    path_in(f, "reserve", path);
    assert_int_equal(access(path, F_OK), 0);
    fault_arm(FAULT_WRITE_FULL, 1, false);
    assert_int_equal(note(f->s, &f->a, TEXT("read")), ERR_FULL);
    assert_int_not_equal(access(path, F_OK), 0); /* given up */
    assert_true(store_figures(f->s).full);
    assert_int_equal(note(f->s, &f->a, TEXT("read")), ERR_FULL);
    assert_ok(f, erase(f->s, &f->a, &p));
    resumes(f);
    assert_int_equal(access(path, F_OK), 0);
    assert_false(store_figures(f->s).full);
    fault_arm(FAULT_WRITE_FULL, 1, false);
    struct write urgent = { .event = event_of(NULL, TEXT("consent.withdrawn")), .urgent = true };
    assert_ok(f, store_write(f->s, &f->a, &urgent)); /* even the one that found it full */
}

/* ---- The process is killed. ---- */

struct shared {
    _Atomic unsigned created, erased;
    struct person people[4000];
};

/* In the child: creates and erases until it is killed; what was acknowledged is counted where the parent sees it. */
static void child(const char *dir, struct shared *shared)
{
    ARENA_AUTO a = arena_make(64 << 20);
    struct store *s;
    struct store_options o = { .dir = text_of(dir), .clock = clock_real() };
    if (store_open(&a, &o, &s) != OK)
        _exit(1);
    for (unsigned i = atomic_load(&shared->created); i < 4000; i++) {
        shared->people[i] = person_make(s, i + 1);
        if (create(s, &a, &shared->people[i], false) != OK)
            _exit(1);
        atomic_store(&shared->created, i + 1);
        for (unsigned e; (e = atomic_load(&shared->erased)) < (i + 1) / 5; atomic_store(&shared->erased, e + 1))
            if (erase(s, &a, &shared->people[e]) != OK)
                _exit(1);
        arena_reset(&a);
    }
    _exit(1);
}

static void check_killed(struct fixture *f, struct shared *shared)
{
    unsigned created = atomic_load(&shared->created), erased = atomic_load(&shared->erased);
    for (unsigned i = 0; i < created; i++) {
        bool row = has_row(f, &shared->people[i]), key = has_key(f, &shared->people[i]);
        if (row != key || (i < erased && row) ||
            (i > erased && !row)) /* the one at `erased` was perhaps being erased */
            fail_msg("person %u of %u, %u erased: row %d key %d", i, created, erased, row, key);
    }
}

static void killed(void **state)
{
    struct fixture *f = *state;
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    for (unsigned round = 0; round < 6; round++) {
        unsigned before = atomic_load(&shared->created);
        store_close(&f->s);
        pid_t pid = fork();
        if (pid == 0)
            child(f->dir, shared);
        while (atomic_load(&shared->created) < before + 60 + 37 * round)
            usleep(500);
        kill(pid, SIGKILL);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        start(f);
        check_killed(f, shared);
        sound(f);
        /* the one in flight may stand or not; the next child begins behind it */
        atomic_store(&shared->created, atomic_load(&shared->created) + 1);
        unsigned last = atomic_load(&shared->created) - 1;
        if (!has_row(f, &shared->people[last])) {
            shared->people[last] = person_make(f->s, last + 1);
            assert_ok(f, create(f->s, &f->a, &shared->people[last], false));
        }
    }
    munmap(shared, sizeof *shared);
}

int main(void)
{
    fault_install();
    const struct CMUnitTest tests[] = { cmocka_unit_test(write_fails),
                                        cmocka_unit_test(write_is_short),
                                        cmocka_unit_test(disk_is_full),
                                        cmocka_unit_test(sync_fails),
                                        cmocka_unit_test(disk_stays_bad),
                                        CASE(fault_while_completing),
                                        CASE(sync_fails_beside_a_reader),
                                        CASE(reserve),
                                        CASE(killed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

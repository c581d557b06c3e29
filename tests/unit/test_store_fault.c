/* Unit tests of the store on a disk that fails: nothing acknowledged is lost, nothing refused was done, service resumes by itself. */
#include "store_fixture.h"
#include "vfs.h"

enum { PEOPLE = 10 };

struct told { struct person p; enum err created, erased; };

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

static void check_told(struct fixture *f, const struct told told[PEOPLE], const char *when)
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
        if (t->erased == OK && (row || key))
            fail_msg("%s: person %u was erased and is there: row %d key %d", when, i, row, key);
        if (t->created == OK && row != key)               /* an erasure that failed may go on, but never by half */
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
        e = note(f->s, &f->a, TEXT("server.start"));
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
        assert_int_equal(count(f, file, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
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
    check_told(f, told, when);
    sound(f);
    restart(f);
    check_told(f, told, when);
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
    assert_true(struck * step > 40);                      /* the faults did fall into the work */
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
    assert_int_not_equal(access(path, F_OK), 0);          /* given up */
    assert_true(store_figures(f->s).full);
    assert_int_equal(note(f->s, &f->a, TEXT("read")), ERR_FULL);
    assert_ok(f, erase(f->s, &f->a, &p));
    resumes(f);
    assert_int_equal(access(path, F_OK), 0);
    assert_false(store_figures(f->s).full);
    fault_arm(FAULT_WRITE_FULL, 1, false);
    struct write urgent = { .event = event_of(NULL, TEXT("consent.withdrawn")), .urgent = true };
    assert_ok(f, store_write(f->s, &f->a, &urgent));      /* even the one that found it full */
}

int main(void)
{
    fault_install();
    const struct CMUnitTest tests[] = { cmocka_unit_test(write_fails), cmocka_unit_test(write_is_short), cmocka_unit_test(disk_is_full),
                                        cmocka_unit_test(sync_fails), cmocka_unit_test(disk_stays_bad), CASE(reserve) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

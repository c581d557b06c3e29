/* Breaches: the clocks from every hour of four years, whatever the local clocks do; one that is late says why. */
#include "domain/breach/inside.h"
#include "base/calendar.h"
#include "domain_fixture.h"

/* Each start hour of four years: 72 hours of real time, nights, weekends, holidays and both changes of clocks included,
 * as the calendar's own reading of 72 hours has it too. */
static void clocks_never_pause(void **state)
{
    struct fixture *f = *state;
    const struct calendar *fr;
    msec from, until;
    int changes = 0;
    OKAY(calendar_parse(&f->arena, TEXT("fr"), &fr));
    assert_true(time_parse(TEXT("2026-01-01T00:00:00Z"), &from));
    assert_true(time_parse(TEXT("2030-01-01T00:00:00Z"), &until));
    for (msec known = from; known < until; known += HOUR) {
        ARENA_AUTO room = arena_make(1 << 16);
        struct breach_clock clock = breach_clock(f->c.policy, known);
        struct deadline other;
        assert_int_equal(clock.authority, known + 72 * HOUR);
        assert_int_equal(clock.subjects, known + 72 * HOUR);
        assert_int_equal(clock.processors, known + 72 * HOUR); /* the policy says none */
        OKAY(deadline_compute(&room, fr, known, (struct period){ 72, PERIOD_HOURS }, false, &other));
        assert_int_equal(clock.authority, other.legal.ends);
        changes += calendar_offset(fr, known) != calendar_offset(fr, clock.authority);
    }
    assert_int_equal(changes, 8 * 72); /* two changes a year, each inside the clocks of 72 hours */
}

#define POLICY                                                                                                         \
    "categories:\n"                                                                                                    \
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"                                                  \
    "purposes:\n"                                                                                                      \
    "  service: {basis: contract, categories: [contact]}\n"                                                            \
    "retention:\n"                                                                                                     \
    "  breaches: {from: closure, active: 5y}\n"                                                                        \
    "systems:\n"                                                                                                       \
    "  app: {purposes: [service], acts: [read, write, erase, export]}\n"                                               \
    "recipients: none\n"

static text opened(struct fixture *f, const char *body)
{
    struct answer out = { 0 };
    OKAY(breach_open(&f->c, js(f, "%s", body), &out));
    return out.id;
}

/* The first moment behind the clock is late: refused without a reason, with the clause of the policy; not before. */
static void lateness_says_why(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = opened(f, "{'what':'a list went astray','known':'2026-01-10T07:00:00Z'}");
    OKAY(breach_move(&f->c, id, TEXT("facts"), js(f, "{'nature':'confidentiality'}"), &out));
    f->c.now += 71 * HOUR + 1; /* opened at 08:00 */
    assert_int_equal(breach_move(&f->c, id, TEXT("notify"), js(f, "{'stage':'initial'}"), &out), ERR_MISSING);
    assert_string_equal(f->arena.why.field, "late");
    f->c.now -= 1; /* the last moment of the 72 hours */
    OKAY(breach_move(&f->c, id, TEXT("notify"), js(f, "{'stage':'initial'}"), &out));
    assert_int_equal(breach_move(&f->c, id, TEXT("notify"), js(f, "{'stage':'initial'}"), &out), ERR_CONFLICT);
}

/* Two who decide on the same file: the second is told that it changed. */
static void who_comes_second_looks_again(void **state)
{
    struct fixture *f = *state;
    struct breach_change one = { .c = &f->c, .move = &breach_moves[MOVE_note], .note = TEXT("one"), .count = -1 }, other;
    text id = opened(f, "{'what':'a list went astray'}");
    OKAY(breach_load_named(&f->c, id, &one.b));
    other = one;
    OKAY(breach_write(&one));
    assert_int_equal(breach_write(&other), ERR_PRECONDITION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER(POLICY, clocks_never_pause),
        OVER(POLICY, lateness_says_why),
        OVER(POLICY, who_comes_second_looks_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

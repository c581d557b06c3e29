/* Sessions over a real store: their ends, their secrets, what they may reach, and what is left of them. */
#include "domain_fixture.h"
#include "domain/core/actor.h"
#include "domain/person/person.h"
#include "domain/account/agent.h"
#include "domain/keep/hold.h"
#include "domain/person/account.h"
#include "domain/core/budget.h"
#include "domain/account/session.h"
#include "domain/person/subject.h"
#include "domain/core/write.h"

static const char policy[] =
    "categories:\n"
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"
    "  connection: {many: true, stream: logs, fields: {at: {type: time}, ip: {type: ip}, browser: {type: text}, result: {type: choice, choices: [success, failure]}}}\n"
    "purposes:\n"
    "  service: {basis: contract, categories: [contact, connection]}\n"
    "retention: {connection: {from: event, active: 12mo}, accounts: {from: last_use, active: 1y}}\n"
    "cookies: {sid: {kind: cookie, purpose: service, exempt: authentication, lifetime: session.idle}}\n"
    "roles: {manager: {sees: team, purposes: [service], acts: [read, write]}}\n"
    "systems: {app: {purposes: [service], acts: [read, write, consent, export, erase]}}\n"
    "recipients: none\n";

/* A fresh context, as for a request with that cookie. */
static enum err ask(struct fixture *f, text secret)
{
    f->c.session = NULL;
    f->c.actor = (struct actor){ .kind = ACTOR_NOBODY, .index = -1 };
    return session_by_secret(&f->c, secret);
}

static void a_use_prolongs_a_session_and_idleness_ends_it(void **state)
{
    struct fixture *f = *state;
    text secret = signed_in(f, person_made(f, "a@example.org", ""));
    for (int i = 0; i < 5; i++) {
        fixture_ahead(f, 29 * MINUTE);
        OKAY(ask(f, secret));
    }
    fixture_ahead(f, 30 * MINUTE);
    assert_int_equal(ask(f, secret), ERR_UNAUTHORISED);
    fixture_ahead(f, -MINUTE); /* a clock set back does not bring it back within its idleness only */
    OKAY(ask(f, secret));
}

/* A program that signs in again and again ends its own oldest sessions, and the list stays readable. */
static void a_person_has_so_many_sessions_and_the_oldest_ends(void **state)
{
    struct fixture *f = *state;
    text id = person_made(f, "many@example.org", ""), first = signed_in(f, id), last = first;
    struct person p = { 0 };
    struct account account = { .language = TEXT("fr") };
    int64_t most = budget_row(BUDGET_sessions)->limit;
    for (int64_t i = 0; i < most; i++) {
        fixture_ahead(f, SECOND);
        fixture_as(f, "app");
        OKAY(person_open(&f->c, id, false, &p));
        OKAY(session_begin(&f->c, &p, &account, false, &last));
        person_end(&p);
    }
    assert_int_equal(rows_of(f, "session", ""), most);
    assert_int_equal(ask(f, first), ERR_UNAUTHORISED);
    OKAY(ask(f, last));
}

static void a_session_ends_at_its_last_hour_whatever_its_use(void **state)
{
    struct fixture *f = *state;
    text secret = signed_in(f, person_made(f, "a@example.org", ""));
    for (int i = 0; i < 47; i++) {
        fixture_ahead(f, 15 * MINUTE);
        OKAY(ask(f, secret));
    }
    fixture_ahead(f, 15 * MINUTE);
    assert_int_equal(ask(f, secret), ERR_UNAUTHORISED);
}

static void uses_outlive_a_restart(void **state)
{
    struct fixture *f = *state;
    text secret = signed_in(f, person_made(f, "a@example.org", ""));
    fixture_ahead(f, 20 * MINUTE);
    OKAY(ask(f, secret));
    char copy[64];
    assert_true(text_cstr(secret, copy, sizeof copy));
    fixture_again(f, NULL);
    fixture_ahead(f, 20 * MINUTE);
    OKAY(ask(f, text_of(copy)));
}

static void only_its_own_secret_opens_it(void **state)
{
    struct fixture *f = *state;
    text secret = signed_in(f, person_made(f, "a@example.org", ""));
    char copy[64];
    for (size_t i = 0; i < secret.n; i++) {
        assert_true(text_cstr(secret, copy, sizeof copy));
        copy[i] = copy[i] == 'x' ? 'y' : 'x';
        assert_int_equal(ask(f, text_of(copy)), ERR_UNAUTHORISED);
    }
    assert_int_equal(ask(f, TEXT("")), ERR_UNAUTHORISED);
    assert_int_equal(ask(f, text_upto(secret, 20)), ERR_UNAUTHORISED);
    assert_false(files_hold(f, secret));
    OKAY(ask(f, secret));
}

static void a_person_reaches_themselves_alone(void **state)
{
    struct fixture *f = *state;
    struct person p;
    text one = person_made(f, "a@example.org", ""), other = person_made(f, "b@example.org", ""),
         secret = signed_in(f, one);
    OKAY(ask(f, secret));
    assert_int_equal(f->c.actor.kind, ACTOR_PERSON);
    OKAY(person_open(&f->c, one, false, &p));
    person_end(&p);
    assert_int_equal(person_open(&f->c, other, false, &p), ERR_NOT_FOUND);
}

static void a_manager_reaches_their_team_alone(void **state)
{
    struct fixture *f = *state;
    struct person p;
    text one = person_made(f, "a@example.org", ""), other = person_made(f, "b@example.org", ""),
         secret = signed_in(f, one);
    fixture_plant(f, "UPDATE account SET role = 'manager'");
    OKAY(ask(f, secret));
    assert_int_equal(f->c.actor.kind, ACTOR_MANAGER);
    OKAY(person_open(&f->c, one, false, &p)); /* the fixture made them their own manager */
    person_end(&p);
    assert_int_equal(person_open(&f->c, other, false, &p), ERR_NOT_FOUND);
}

static void closing_ends_what_the_person_could_do(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "a@example.org", ""), secret = signed_in(f, id);
    OKAY(retention_event(&f->c, id, js(f, "{'event':'closure'}"), &out));
    assert_int_equal(ask(f, secret), ERR_UNAUTHORISED);
}

static void one_ends_the_others_stay(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "a@example.org", ""), first = signed_in(f, id), second = signed_in(f, id);
    OKAY(ask(f, first));
    OKAY(session_list(&f->c, &out));
    const struct json *list = json_get(parsed(f, out.body), TEXT("sessions"));
    assert_int_equal(list->count, 2);
    OKAY(session_end(&f->c));
    assert_int_equal(ask(f, first), ERR_UNAUTHORISED);
    OKAY(ask(f, second));
    text third = signed_in(f, id);
    OKAY(ask(f, third));
    OKAY(session_drop_others(&f->c, &out));
    assert_int_equal(ask(f, second), ERR_UNAUTHORISED);
    OKAY(ask(f, third));
    assert_int_equal(session_drop(&f->c, TEXT("01ARZ3NDEKTSV4RRFFQ69G5FAV"), &out), ERR_NOT_FOUND);
    OKAY(session_drop(&f->c, f->c.session->id, &out));
    assert_int_equal(ask(f, third), ERR_UNAUTHORISED);
}

static void what_is_over_is_deleted(void **state)
{
    struct fixture *f = *state;
    signed_in(f, person_made(f, "a@example.org", ""));
    assert_int_equal(rows_of(f, "session", "1"), 1);
    fixture_ahead(f, 40 * MINUTE);
    OKAY(session_tick(&f->c));
    assert_int_equal(rows_of(f, "session", "1"), 0);
    assert_int_equal(rows_of(f, "ticket", "1"), 1);
}

static void a_sign_in_is_a_record_and_a_use(void **state)
{
    struct fixture *f = *state;
    signed_in(f, person_made(f, "a@example.org", ""));
    assert_int_equal(rows_of(f, "record", "category = 'connection'"), 1);
    assert_int_equal(rows_of(f, "account", "last_visit IS NOT NULL"), 1);
}

static enum err run_put(struct db *db, struct write *w) { return ticket_run_put(db, w->arg, true); }
static enum err run_use(struct db *db, struct write *w) { return ticket_run_use(db, w->arg); }

static void a_link_works_once_and_for_its_term(void **state)
{
    struct fixture *f = *state;
    struct ticket t;
    struct ticket_put put, again;
    const struct json *detail;
    PERSON_AUTO p = { 0 };
    OKAY(person_open(&f->c, person_made(f, "a@example.org", ""), false, &p));
    OKAY(ticket_make(&f->c, &p, TEXT("reset"), TEXT("{\"to\":\"x\"}"), f->c.now + DAY, &put));
    struct write w = { .run = run_put, .arg = &put, .event = event_of(&f->c, &p, TEXT("subject.update")) };
    OKAY(write_do(&f->c, &w, NULL));
    assert_false(files_hold(f, put.secret));
    assert_int_equal(ticket_find(&f->c, put.secret, TEXT("invitation"), &t), ERR_NOT_FOUND);
    OKAY(ticket_find(&f->c, put.secret, TEXT("reset"), &t));
    OKAY(ticket_detail(&f->c, &p, &t, &detail));
    assert_true(text_eq(json_text(detail, TEXT("to")), TEXT("x")));
    struct write use = { .run = run_use, .arg = &t, .event = event_of(&f->c, &p, TEXT("subject.update")) };
    OKAY(write_do(&f->c, &use, NULL));
    assert_int_equal(write_do(&f->c, &use, NULL), ERR_NOT_FOUND);
    OKAY(ticket_make(&f->c, &p, TEXT("reset"), TEXT(""), f->c.now + DAY, &again));
    w.arg = &again;
    OKAY(write_do(&f->c, &w, NULL));
    fixture_ahead(f, DAY);
    assert_int_equal(ticket_find(&f->c, again.secret, TEXT("reset"), &t), ERR_NOT_FOUND);
    assert_int_equal(ticket_find(&f->c, TEXT("0123456789012345678901234567890123456789012"), TEXT("reset"), &t),
                     ERR_NOT_FOUND);
}

static void agents_have_names(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    text edge = TEXT(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.1");
    text safari = TEXT(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.1 Mobile/15E148 Safari/604.1");
    assert_true(text_eq(agent_browser(&a, edge), TEXT("Edge 130")));
    assert_true(text_eq(agent_system(&a, edge), TEXT("Windows")));
    assert_true(text_eq(agent_browser(&a, safari), TEXT("Safari 17")));
    assert_true(text_eq(agent_system(&a, safari), TEXT("iOS 17")));
    assert_int_equal(agent_browser(&a, TEXT("<script>")).n, 0);
}

#define TEST(name) OVER(policy, name)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_use_prolongs_a_session_and_idleness_ends_it),
        TEST(a_person_has_so_many_sessions_and_the_oldest_ends),
        TEST(a_session_ends_at_its_last_hour_whatever_its_use),
        TEST(uses_outlive_a_restart),
        TEST(only_its_own_secret_opens_it),
        TEST(a_person_reaches_themselves_alone),
        TEST(a_manager_reaches_their_team_alone),
        TEST(closing_ends_what_the_person_could_do),
        TEST(one_ends_the_others_stay),
        TEST(what_is_over_is_deleted),
        TEST(a_sign_in_is_a_record_and_a_use),
        TEST(a_link_works_once_and_for_its_term),
        cmocka_unit_test(agents_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

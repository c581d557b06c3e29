/* Credentials over a real store: sign-in, its delays, the second factor, reset and change of passwords. */
#include "domain_fixture.h"
#include "domain/core/actor.h"
#include "domain/account/session.h"
#include "domain/person/person.h"
#include "built.h"
#include "base/decode.h"
#include "crypt/totp.h"
#include "domain/entry/factor.h"
#include "domain/account/password.h"
#include "domain/entry/reset.h"
#include "domain/person/subject.h"
#include "domain/account/throttle.h"
#include "domain/core/write.h"
#include <unistd.h>

static const char policy[] =
    "categories:\n"
    "  identity: {fields: {name: {type: text}}}\n"
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"
    "  connection: {many: true, stream: logs, fields: {at: {type: time}, result: {type: choice, choices: [success, failure]}}}\n"
    "purposes:\n"
    "  service: {basis: contract, categories: [identity, contact, connection]}\n"
    "retention: {connection: {from: event, active: 12mo}, accounts: {from: last_use, active: 1y}}\n"
    "cookies: {sid: {kind: cookie, purpose: service, exempt: authentication, lifetime: session.idle}}\n"
    "systems: {app: {purposes: [service], acts: [read, write, consent, export, erase]}}\n"
    "roles: {support: {purposes: [service], acts: [read], second_factor: required, confidentiality: none}}\n"
    "recipients: none\n";

static const char GOOD[] = "Kobu-7-renard-Vite", OTHER[] = "Zul+9-girafe-Lente";

static int open_it(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    fixture_open(*state, policy);
    return 0;
}

static int close_it(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

/* ---- Steps. ---- */

struct opened {
    struct fixture *f;
    struct person *p;
    const char *state, *role;
    struct ticket_put ticket;
};

static enum err run_opened(struct db *db, struct write *w)
{
    const struct opened *o = w->arg;
    text tenant = o->f->c.tenant;
    TRY(db_run(db, SQL_ACCOUNT_ADD, NULL,
               ARGS(V_TEXT(tenant), V_ID(o->p->id), V_TEXT(text_of(o->state)),
                    o->role ? V_TEXT(text_of(o->role)) : V_NULL, V_NULL, V_INT(o->f->c.now), V_TEXT(TEXT("app")))));
    return ticket_run_put(db, &o->ticket, true);
}

/* A person with an account; the answer is the secret of a reset link. */
static text opened(struct fixture *f, const char *email, const char *state, const char *role)
{
    PERSON_AUTO p = { 0 };
    struct opened o = { .f = f, .p = &p, .state = state, .role = role };
    fixture_as(f, "app");
    text id = person_made(f, email, ", 'identity': {'name': 'Marguerite Duras'}");
    OKAY(person_open(&f->c, id, false, &p));
    OKAY(ticket_make(&f->c, &p, TEXT("reset"), TEXT(""), f->c.now + DAY, &o.ticket));
    struct write w = { .run = run_opened, .arg = &o, .event = event_of(&f->c, &p, TEXT("subject.update")) };
    OKAY(write_do(&f->c, &w, NULL));
    return o.ticket.secret;
}

static void nobody(struct fixture *f)
{
    f->c.session = NULL;
    f->c.actor = (struct actor){ .kind = ACTOR_NOBODY, .index = -1, .name = TEXT("nobody") };
    f->c.address = TEXT("192.0.2.1");
    f->c.agent = TEXT("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
}

static enum err reset_to(struct fixture *f, text ticket, const char *password)
{
    nobody(f);
    return reset_confirm(&f->c, js(f, "{'token': '%.*s', 'password': '%s'}", T(ticket), password));
}

static void with_password(struct fixture *f, const char *email, const char *role)
{
    OKAY(reset_to(f, opened(f, email, "open", role), GOOD));
}

static enum err try(struct fixture *f, const char *email, const char *password, struct signin *out)
{
    nobody(f);
    return signin(&f->c, js(f, "{'identifier': '%s', 'password': '%s'}", email, password), false, out);
}

static enum err try_from(struct fixture *f, const char *agent, const char *email, const char *password)
{
    struct signin out;
    nobody(f);
    f->c.agent = text_of(agent);
    return signin(&f->c, js(f, "{'identifier': '%s', 'password': '%s'}", email, password), false, &out);
}

static enum err with_cookie(struct fixture *f, text secret)
{
    nobody(f);
    return session_by_secret(&f->c, secret);
}

static int64_t events(struct fixture *f, const char *act)
{
    char where[128];
    snprintf(where, sizeof where, "leaf LIKE '%%\"act\":\"%s\"%%'", act);
    return rows_of(f, "journal", where);
}

/* ---- Sign-in. ---- */

static void the_right_password_begins_a_session(void **state)
{
    struct fixture *f = *state;
    struct signin out;
    with_password(f, "a@example.org", NULL);
    OKAY(try(f, " A@Example.ORG ", GOOD, &out));
    assert_int_equal(out.secret.n, SECRET_TEXT);
    assert_true(!out.enrol && !out.ticket.p);
    text secret = arena_copy(&f->arena, out.secret);
    OKAY(with_cookie(f, secret));
    assert_int_equal(events(f, "signin"), 1);
    assert_int_equal(rows_of(f, "record", "category = 'connection'"), 1);
    assert_false(files_hold(f, text_of(GOOD)));
    assert_false(files_hold(f, secret));
    assert_false(files_hold(f, TEXT("$argon2id$"))); /* the digest too is sealed */
}

static void all_failures_look_alike(void **state)
{
    struct fixture *f = *state;
    struct signin out;
    char first[512];
    with_password(f, "a@example.org", NULL);
    opened(f, "invited@example.org", "invited", NULL);
    opened(f, "blank@example.org", "open", NULL);
    opened(f, "refused@example.org", "refused", NULL);
    static const char *const rows[] = {
        "a@example.org", "invited@example.org", "blank@example.org", "nobody@example.org", "x", "refused@example.org"
    };
    assert_int_equal(try(f, "a@example.org", "wrong", &out), ERR_UNAUTHORISED);
    assert_true(text_cstr(text_of(f->arena.why.detail), first, sizeof first));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(try(f, rows[i], i ? GOOD : "wrong", &out), ERR_UNAUTHORISED);
        assert_string_equal(f->arena.why.detail, first);
        assert_null(out.secret.p);
    }
    assert_int_equal(events(f, "signin.failed"), 7);
    assert_int_equal(events(f, "signin"), 0);
    assert_int_equal(rows_of(f, "session", ""), 0);
}

static void a_new_session_takes_the_place_of_the_browser_s_own(void **state)
{
    struct fixture *f = *state;
    struct signin one, two;
    with_password(f, "a@example.org", NULL);
    OKAY(try(f, "a@example.org", GOOD, &one));
    OKAY(with_cookie(f, one.secret));
    OKAY(signin(&f->c, js(f, "{'identifier': 'a@example.org', 'password': '%s'}", GOOD), false, &two));
    assert_false(text_eq(one.secret, two.secret));
    assert_int_equal(with_cookie(f, one.secret), ERR_UNAUTHORISED);
    OKAY(with_cookie(f, two.secret));
}

/* ---- Delays. ---- */

static void delays_grow_and_end(void **state)
{
    struct fixture *f = *state;
    struct signin out;
    with_password(f, "a@example.org", NULL);
    static const char *const both[] = { "a@example.org", "nobody@example.org" };
    for (size_t k = 0; k < 2; k++) { /* alike for an account and for none */
        for (int i = 0; i < 10; i++)
            assert_int_equal(try(f, both[k], "wrong", &out), ERR_UNAUTHORISED);
        for (int i = 0, wait = 1; i < 12; i++) {
            assert_int_equal(try(f, both[k], k ? "wrong" : GOOD, &out), ERR_TOO_MANY);
            assert_int_equal(f->arena.why.retry, wait);
            fixture_ahead(f, wait * SECOND);
            assert_int_equal(try(f, both[k], "wrong", &out), ERR_UNAUTHORISED);
            wait = wait >= 512 ? 900 : wait * 2;
        }
    }
    fixture_ahead(f, 900 * SECOND);
    OKAY(try(f, "a@example.org", GOOD, &out));
    assert_int_equal(rows_of(f, "attempt", "subject IS NOT NULL"), 0);
    assert_int_equal(rows_of(f, "attempt", ""), 1);
    fixture_ahead(f, 25 * HOUR);
    assert_int_equal(try(f, "nobody@example.org", "wrong", &out), ERR_UNAUTHORISED);
}

static void a_known_device_is_not_kept_out_by_others(void **state)
{
    struct fixture *f = *state;
    with_password(f, "a@example.org", NULL);
    OKAY(try_from(f, "Known", "a@example.org", GOOD));
    for (int i = 0; i < 10; i++)
        assert_int_equal(try_from(f, "Stranger", "a@example.org", "wrong"), ERR_UNAUTHORISED);
    assert_int_equal(try_from(f, "Stranger", "a@example.org", GOOD), ERR_TOO_MANY);
    OKAY(try_from(f, "Known", "a@example.org", GOOD));
    assert_int_equal(try_from(f, "Stranger", "a@example.org", GOOD), ERR_TOO_MANY);
    for (int i = 0; i < 10; i++) /* it is counted by itself */
        assert_int_equal(try_from(f, "Known", "a@example.org", "wrong"), ERR_UNAUTHORISED);
    assert_int_equal(try_from(f, "Known", "a@example.org", GOOD), ERR_TOO_MANY);
    fixture_ahead(f, 91 * DAY);
    for (int i = 0; i < 10; i++)
        assert_int_equal(try_from(f, "Stranger", "a@example.org", "wrong"), ERR_UNAUTHORISED);
    assert_int_equal(try_from(f, "Known", "a@example.org", GOOD), ERR_TOO_MANY);
}

/* ---- What a new password lacks. ---- */

static const char *missing_of(struct fixture *f, const char *password)
{
    PERSON_AUTO p = { 0 };
    static int made;
    fixture_as(f, "app");
    char email[64];
    snprintf(email, sizeof email, "duras.m%d@example.org", made++);
    text id = person_made(f, email, ", 'identity': {'name': 'Marguerite Duras'}");
    OKAY(person_open(&f->c, id, false, &p));
    enum err e = password_check(&f->c, &p, NULL, text_of(password));
    assert_true(e == OK || e == ERR_PASSWORD);
    return e == OK ? "" : f->arena.why.missing;
}

static void everything_missing_is_named(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *password, *missing;
    } rows[] = {
        /* cnil-restricted of at least 12 */
        { "Kobu-7-renard-Vite", "" },    { "un cheval blanc mange des pommes", "" },
        { "Kb-7-rV", "length" },         { "kobu", "length" },
        { "zqkvobxuwjyh", "" },          { "718293645018", "upper,lower,special" },
        { "Password1234!", "common" },   { "P@ssw0rd2024!", "common" },
        { "MotDePasse2024!", "common" }, { "Soleil2024!!", "common" },
        { "Azerty123456!", "common" },   { "aaaaaaaaaaaaaaaaaaaa", "common" },
        { "Welcome2024!!", "common" },   { "Marguerite-1914", "own,common" },
        { "Duras!duras9Duras", "own" },  { "Kobu-7-\x01renard", "form" },
        { "Kobu-7-\xffrenard", "form" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *missing = missing_of(f, rows[i].password);
        if (!text_eq(text_of(missing), text_of(rows[i].missing)))
            fail_msg("%s: missing %s, not %s", rows[i].password, missing, rows[i].missing);
    }
    char longest[1026];
    for (size_t i = 0; i < 1025; i++)
        longest[i] = "Kobu7renardVite-"[(i * 7 + i / 16) % 16];
    longest[1025] = '\0';
    assert_string_equal(missing_of(f, longest), "long");
    longest[1024] = '\0';
    assert_string_equal(missing_of(f, longest), "");
}

/* ---- Second factor. ---- */

static text code_at(struct fixture *f, text base32_hex, msec now)
{
    struct totp_secret s;
    uint32_t code;
    assert_true(decode_hex(base32_hex, s.b, sizeof s.b));
    OKAY(totp_code(&f->arena, &s, (uint64_t)(now / TOTP_STEP), 6, &code));
    return arena_print(&f->arena, "%06u", code);
}

/* Base32 back to hexadecimal: what an authenticator does. */
static text secret_of(struct fixture *f, text base32)
{
    uint8_t out[20] = { 0 };
    for (size_t i = 0; i < base32.n; i++) {
        unsigned v = (unsigned)text_index(TEXT("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), base32.p[i]);
        for (unsigned bit = 0; bit < 5; bit++)
            out[(i * 5 + bit) / 8] |= (uint8_t)((v >> (4 - bit) & 1) << (7 - (i * 5 + bit) % 8));
    }
    BUF_AUTO b = buf_make(64);
    buf_hex(&b, TEXT_BYTES(out));
    return arena_copy(&f->arena, built(&b));
}

static enum err code_try(struct fixture *f, const char *email, text code, struct signin *out)
{
    nobody(f);
    return signin(&f->c, js(f, "{'identifier': '%s', 'password': '%s', 'code': '%.*s'}", email, GOOD, T(code)), false,
                  out);
}

static text enrolled(struct fixture *f, const char *email, struct answer *codes)
{
    struct signin in;
    struct answer out = { 0 };
    OKAY(try(f, email, GOOD, &in));
    OKAY(with_cookie(f, in.secret));
    OKAY(factor_begin(&f->c, &out));
    const struct json *v = parsed(f, out.body);
    assert_true(text_starts(text_at(v, "uri"), TEXT("otpauth://totp/")));
    assert_true(text_starts(text_at(v, "qr"), TEXT("<svg ")) && text_find(text_at(v, "qr"), TEXT("script")) < 0);
    text secret = secret_of(f, text_at(v, "secret"));
    assert_int_equal(factor_confirm(&f->c, js(f, "{'code': '000000'}"), codes), ERR_VALUE);
    OKAY(factor_confirm(&f->c, js(f, "{'code': '%.*s'}", T(code_at(f, secret, f->c.now))), codes));
    assert_int_equal(parsed(f, codes->body)->first->count, RECOVERY_CODES);
    return secret;
}

static void a_code_serves_once_and_so_does_a_recovery_code(void **state)
{
    struct fixture *f = *state;
    struct signin out;
    struct answer codes = { 0 };
    with_password(f, "a@example.org", NULL);
    text secret = enrolled(f, "a@example.org", &codes);
    assert_false(files_hold(f, text_of("otpauth")));
    OKAY(try(f, "a@example.org", GOOD, &out));
    assert_true(out.ticket.p && !out.secret.p);
    text ticket = arena_copy(&f->arena, out.ticket), code = code_at(f, secret, f->c.now);
    assert_int_equal(code_try(f, "a@example.org", code, &out), ERR_UNAUTHORISED); /* the one of the enrolment */
    fixture_ahead(f, TOTP_STEP);
    code = code_at(f, secret, f->c.now);
    nobody(f);
    OKAY(signin(&f->c, js(f, "{'ticket': '%.*s', 'code': '%.*s'}", T(ticket), T(code)), false, &out));
    assert_int_equal(out.secret.n, SECRET_TEXT);
    OKAY(with_cookie(f, out.secret));
    assert_true(f->c.session->factor);
    assert_int_equal(code_try(f, "a@example.org", code, &out), ERR_UNAUTHORISED); /* replayed */
    fixture_ahead(f, 11 * MINUTE);
    nobody(f);
    assert_int_equal(signin(&f->c,
                            js(f, "{'ticket': '%.*s', 'code': '%.*s'}", T(ticket), T(code_at(f, secret, f->c.now))),
                            false, &out),
                     ERR_UNAUTHORISED);
    text recovery = arena_copy(&f->arena, parsed(f, codes.body)->first->first->value);
    assert_false(files_hold(f, recovery));
    OKAY(code_try(f, "a@example.org", recovery, &out));
    assert_true(out.recovery && out.left == RECOVERY_CODES - 1);
    assert_int_equal(code_try(f, "a@example.org", recovery, &out), ERR_UNAUTHORISED);
}

static void codes_are_not_guessed(void **state)
{
    struct fixture *f = *state;
    struct signin out;
    struct answer codes = { 0 };
    with_password(f, "a@example.org", NULL);
    text secret = enrolled(f, "a@example.org", &codes);
    for (int i = 0; i < 10; i++)
        assert_int_equal(code_try(f, "a@example.org", arena_print(&f->arena, "%06d", i), &out), ERR_UNAUTHORISED);
    fixture_ahead(f, 500);
    assert_int_equal(code_try(f, "a@example.org", code_at(f, secret, f->c.now), &out), ERR_TOO_MANY);
    fixture_ahead(f, TOTP_STEP);
    OKAY(code_try(f, "a@example.org", code_at(f, secret, f->c.now), &out));
}

static void a_role_that_needs_one_is_closed_until_it_is_there(void **state)
{
    struct fixture *f = *state;
    struct signin out;
    struct answer codes = { 0 };
    with_password(f, "s@example.org", "support");
    OKAY(try(f, "s@example.org", GOOD, &out));
    assert_true(out.enrol && out.secret.p);
    OKAY(with_cookie(f, out.secret));
    assert_true(text_eq(f->c.session->closed, TEXT("factor")));
    OKAY(factor_begin(&f->c, &codes));
    text secret = secret_of(f, text_at(parsed(f, codes.body), "secret"));
    OKAY(factor_confirm(&f->c, js(f, "{'code': '%.*s'}", T(code_at(f, secret, f->c.now))), &codes));
    OKAY(with_cookie(f, out.secret));
    assert_int_equal(f->c.session->closed.n, 0);
    assert_int_equal(factor_begin(&f->c, &codes), ERR_CONFLICT);
    fixture_ahead(f, 16 * MINUTE);
    OKAY(with_cookie(f, out.secret));
    assert_int_equal(factor_remove(&f->c), ERR_REAUTHENTICATE);
    assert_int_equal(signin_again(&f->c, js(f, "{'password': '%s'}", GOOD)), ERR_MISSING);
    OKAY(with_cookie(f, out.secret));
    OKAY(signin_again(&f->c, js(f, "{'password': '%s', 'code': '%.*s'}", GOOD, T(code_at(f, secret, f->c.now)))));
    OKAY(with_cookie(f, out.secret));
    msec now = f->c.now;
    f->c.now -= 1; /* a clock that was set back proves nothing */
    assert_int_equal(factor_remove(&f->c), ERR_REAUTHENTICATE);
    f->c.now = now;
    OKAY(factor_remove(&f->c));
    assert_int_equal(rows_of(f, "account", "factor IS NOT NULL"), 0);
}

/* ---- Reset and change. ---- */

static void a_reset_link_works_once_and_ends_all_sessions(void **state)
{
    struct fixture *f = *state;
    struct signin out;
    text ticket = arena_copy(&f->arena, opened(f, "a@example.org", "open", NULL));
    assert_int_equal(reset_to(f, ticket, "short"), ERR_PASSWORD);
    OKAY(reset_look(&f->c, ticket));
    OKAY(reset_to(f, ticket, GOOD));
    assert_int_equal(reset_to(f, ticket, OTHER), ERR_NOT_FOUND);
    OKAY(try(f, "a@example.org", GOOD, &out));
    text session = arena_copy(&f->arena, out.secret);
    nobody(f);
    OKAY(reset_ask(&f->c, js(f, "{'identifier': 'a@example.org'}")));
    OKAY(reset_ask(&f->c, js(f, "{'identifier': 'nobody@example.org'}")));
    assert_int_equal(rows_of(f, "ticket", "kind = 'reset'"), 0);
    assert_int_equal(rows_of(f, "asking", ""), 2);
    OKAY(reset_tick(&f->c));
    assert_int_equal(rows_of(f, "asking", ""), 0);
    assert_int_equal(rows_of(f, "ticket", "kind = 'reset'"), 1);
    assert_int_equal(events(f, "password.asked"), 2);
    OKAY(with_cookie(f, session));
    for (int i = 0; i < 9; i++) {
        OKAY(reset_ask(&f->c, js(f, "{'identifier': 'a@example.org'}")));
        OKAY(reset_tick(&f->c));
    }
    assert_int_equal(rows_of(f, "mail", "letter = 'reset'"), 5); /* nobody's mailbox is filled */
}

static void a_change_ends_the_other_sessions(void **state)
{
    struct fixture *f = *state;
    struct signin one, two, out;
    with_password(f, "a@example.org", NULL);
    OKAY(try(f, "a@example.org", GOOD, &one));
    OKAY(try(f, "a@example.org", GOOD, &two));
    OKAY(with_cookie(f, one.secret));
    assert_int_equal(signin_change_password(&f->c, js(f, "{'current': 'wrong', 'new': '%s'}", OTHER)),
                     ERR_UNAUTHORISED);
    assert_int_equal(signin_change_password(&f->c, js(f, "{'current': '%s', 'new': 'short'}", GOOD)), ERR_PASSWORD);
    OKAY(signin_change_password(&f->c, js(f, "{'current': '%s', 'new': '%s'}", GOOD, OTHER)));
    OKAY(with_cookie(f, one.secret));
    assert_int_equal(with_cookie(f, two.secret), ERR_UNAUTHORISED);
    assert_int_equal(try(f, "a@example.org", GOOD, &out), ERR_UNAUTHORISED);
    OKAY(try(f, "a@example.org", OTHER, &out));
}

static void a_digest_of_former_cost_is_made_anew(void **state)
{
    struct fixture *f = *state;
    struct signin out;
    with_password(f, "a@example.org", NULL);
    OKAY(try(f, "a@example.org", GOOD, &out));
    struct account before, after;
    struct subject_id id = f->c.session->subject;
    PERSON_AUTO p = { 0 };
    sealed weak;
    OKAY(person_open(&f->c, id_print(&f->arena, id), false, &p));
    OKAY(account_seal(
        &f->c, &p, TEXT("password"), 0,
        TEXT("$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$BmbWBKNWcDKM7XMMk3fv7NLbTYGBRpgLNg/Am92Dns8"),
        &weak));
    char sql[1024];
    BUF_AUTO b = buf_make(1024);
    buf_hex(&b, weak.bytes);
    snprintf(sql, sizeof sql, "UPDATE account SET password = x'%.*s'", T(built(&b)));
    fixture_plant(f, sql);
    OKAY(try(f, "a@example.org", GOOD, &out)); /* however cheap its digest was */
    OKAY(account_load(&f->c, id, &after));
    assert_false(text_eq(after.password.bytes, weak.bytes));
    before = after;
    OKAY(try(f, "a@example.org", GOOD, &out));
    OKAY(account_load(&f->c, id, &after));
    assert_true(text_eq(after.password.bytes, before.password.bytes));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_it, close_it)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_right_password_begins_a_session),
        TEST(all_failures_look_alike),
        TEST(a_new_session_takes_the_place_of_the_browser_s_own),
        TEST(delays_grow_and_end),
        TEST(a_known_device_is_not_kept_out_by_others),
        TEST(everything_missing_is_named),
        TEST(a_code_serves_once_and_so_does_a_recovery_code),
        TEST(codes_are_not_guessed),
        TEST(a_role_that_needs_one_is_closed_until_it_is_there),
        TEST(a_reset_link_works_once_and_ends_all_sessions),
        TEST(a_change_ends_the_other_sessions),
        TEST(a_digest_of_former_cost_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Unit tests of credentials: Argon2id and its pool, what policies ask of passwords, one-time codes by the vectors of
 * RFC 4226 and 6238. */
#include "crypt/hashing.h"
#include "crypt/seal.h"
#include "crypt/totp.h"
#include "policy/password_rule.h"
#include "base/fiber.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static int start(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    return crypt_init(&a) == OK ? 0 : -1;
}

/* ---- Argon2id. ---- */

static void hash_fits_its_password_only(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    struct password_hash one, two;
    bool good, stale;
    assert_int_equal(password_hash(&a, TEXT("korrekt Pferd"), &one), OK);
    assert_int_equal(password_hash(&a, TEXT("korrekt Pferd"), &two), OK);
    assert_string_not_equal(one.text, two.text);
    assert_true(text_starts(text_of(one.text), TEXT("$argon2id$v=19$m=19456,t=2,p=1$")));
    assert_int_equal(password_matches(&a, text_of(one.text), TEXT("korrekt Pferd"), &good, &stale), OK);
    assert_true(good && !stale);
    assert_int_equal(password_matches(&a, text_of(one.text), TEXT("korrekt Pferd "), &good, &stale), OK);
    assert_false(good);
    assert_int_equal(password_matches(&a, TEXT("korrekt Pferd"), TEXT("korrekt Pferd"), &good, &stale), OK);
    assert_false(good);
}

static void weaker_hash_is_to_be_made_anew(void **state)
{
    /* "password" at 8 MiB and one pass, by the reference implementation's text form. */
    ARENA_AUTO a = arena_make(4096);
    bool good, stale;
    text weak = TEXT(
        "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$hPsAa7w81piVcitktb9zUlGp6Onz7Lk/9ZW5iut6zLc");
    assert_int_equal(password_matches(&a, weak, TEXT("password"), &good, &stale), OK);
    assert_true(good && stale);
}

static void what_others_write_around_a_digest_is_taken_off(void **state)
{
    static const char *const bcrypt = "$2b$10$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
                     *const argon = "$argon2id$v=19$m=19456,t=2,p=1$GL6xa8yRyZH5oQEfuNOwKQ$wAzhYJFji1cbbr7guHpBPK44JsjZa5y"
                                    "shDNm8zx4qjc";
    static const struct {
        const char *around;
        bool is_argon, good;
    } rows[] = { { "", false, true },         { " ", false, true },          { "{bcrypt}", false, true },
                 { "{CRYPT}", false, true },  { "{BLF-CRYPT}", false, true }, { "bcrypt$", false, true },
                 { "argon2", true, true },    { "{ARGON2ID}", true, true },   { "{argon2@SpringSecurity_v5_8}", true, true },
                 { "{argon2}", true, true },  { "bcrypt_sha256$", false, false }, { "{SSHA}", false, false },
                 { "{argon2}", false, false }, { "{bcrypt}", true, false },   { "$wp", false, false },
                 { "{ARGON2I}", true, false } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ARENA_AUTO a = arena_make(4096);
        text inside = text_of(rows[i].is_argon ? argon : bcrypt);
        text bare = password_hash_bare(arena_print(&a, "%s%.*s ", rows[i].around, T(inside)));
        assert_int_equal(password_hash_good(bare), rows[i].good);
        assert_int_equal(text_eq(bare, inside), rows[i].good);
    }
}

static void nobody_costs_as_much(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    bool good, stale;
    text costs = text_upto(PASSWORD_DUMMY, 31);
    struct password_hash one;
    assert_int_equal(password_hash(&a, TEXT("x"), &one), OK);
    assert_true(text_starts(text_of(one.text), costs));
    assert_int_equal(PASSWORD_DUMMY.n, text_of(one.text).n);
    msec before = clock_monotonic();
    assert_int_equal(password_matches(&a, PASSWORD_DUMMY, TEXT("x"), &good, &stale), OK);
    assert_false(good);
    assert_true(clock_monotonic() - before >= 2);
}

struct caller {
    struct hashing *pool;
    pthread_t thread;
    bool good;
    enum err status;
};

static void *call(void *arg)
{
    struct caller *one = arg;
    ARENA_AUTO a = arena_make(4096);
    bool stale;
    one->status = hashing_check(one->pool, &a, PASSWORD_DUMMY, TEXT("nobody"), &one->good, &stale);
    return NULL;
}

static void pool_serves_all(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    struct caller callers[20];
    struct hashing *pool = hashing_open();
    struct password_hash made;
    bool good, stale;
    assert_non_null(pool);
    for (size_t i = 0; i < 20; i++) {
        callers[i] = (struct caller){ .pool = pool, .good = true };
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    }
    assert_int_equal(hashing_make(pool, &a, TEXT("renard"), &made), OK);
    assert_int_equal(hashing_check(pool, &a, text_of(made.text), TEXT("renard"), &good, &stale), OK);
    assert_true(good);
    for (size_t i = 0; i < 20; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].status, OK);
        assert_false(callers[i].good);
    }
    hashing_close(&pool);
    assert_null(pool);
}

struct crowd {
    struct hashing *pool;
    unsigned done, busy, failed;
};

static void one_of_the_crowd(void *arg)
{
    struct crowd *crowd = arg;
    ARENA_AUTO a = arena_make(4096);
    bool good, stale;
    enum err status = hashing_check(crowd->pool, &a, TEXT("$none"), TEXT("x"), &good, &stale);
    crowd->done += status == OK;
    crowd->busy += status == ERR_BUSY;
    crowd->failed += status != OK && status != ERR_BUSY;
}

/* With the threads held up by real work, the queue fills, and what comes then is turned away at once. */
static void queue_is_bounded(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    struct crowd crowd = { .pool = hashing_open() };
    struct caller held[HASHING_THREADS * 4];
    struct fiber_loop loop;
    enum { MANY = HASHING_QUEUE + 300 };
    assert_int_equal(fiber_loop_open(&a, &loop), OK);
    for (size_t i = 0; i < HASHING_THREADS * 4; i++) {
        held[i] = (struct caller){ .pool = crowd.pool };
        assert_int_equal(pthread_create(&held[i].thread, NULL, call, &held[i]), 0);
    }
    usleep(20000);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(fiber_run(&a, &loop, one_of_the_crowd, &crowd), OK);
    assert_true(crowd.busy > 0);
    for (size_t i = 0; i < HASHING_THREADS * 4; i++)
        pthread_join(held[i].thread, NULL);
    while (loop.live)
        fiber_drain(&loop);
    assert_int_equal(crowd.done + crowd.busy, MANY);
    assert_int_equal(crowd.failed, 0);
    fiber_loop_close(&loop);
    hashing_close(&crowd.pool);
}

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
    unsigned begun;
};
struct stopped {
    struct hashing *pool;
    struct gate gate;
    unsigned done, busy;
};

static enum err held_up(struct arena *a, void *arg)
{
    struct gate *g = arg;
    (void)a;
    pthread_mutex_lock(&g->lock);
    g->begun++;
    while (!g->open)
        pthread_cond_wait(&g->opened, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return OK;
}

static void one_before_the_stop(void *arg)
{
    struct stopped *s = arg;
    ARENA_AUTO a = arena_make(4096);
    enum err status = hashing_do(s->pool, &a, false, held_up, &s->gate);
    s->done += status == OK;
    s->busy += status == ERR_BUSY;
}

/* At the stop what runs is ended; what waits is refused before that, and so is what comes later. */
static void stop_refuses_what_waits(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    struct stopped s = { .pool = hashing_open(),
                         .gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0 } };
    struct fiber_loop loop;
    enum { MANY = 200 };
    assert_int_equal(fiber_loop_open(&a, &loop), OK);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(fiber_run(&a, &loop, one_before_the_stop, &s), OK);
    hashing_stop(s.pool);
    fiber_drain(&loop);
    assert_int_equal(s.done, 0);
    assert_true(s.busy >= MANY - HASHING_THREADS);
    assert_int_equal(hashing_do(s.pool, &a, false, held_up, &s.gate), ERR_BUSY);
    pthread_mutex_lock(&s.gate.lock);
    s.gate.open = true;
    pthread_cond_broadcast(&s.gate.opened);
    pthread_mutex_unlock(&s.gate.lock);
    while (loop.live)
        fiber_drain(&loop);
    assert_int_equal(s.done, s.gate.begun);
    assert_int_equal(s.done + s.busy, MANY);
    fiber_loop_close(&loop);
    hashing_close(&s.pool);
}

/* ---- What a policy asks. ---- */

static struct password_rule rule_of(const char *yaml)
{
    ARENA_AUTO a = arena_make(1 << 20);
    struct findings f = { 0 };
    const struct node *root = NULL;
    struct password_rule r;
    assert_int_equal(node_read(&a, text_of(yaml), &f, &root), OK);
    password_rule_read(node_get(root, TEXT("password")), &r);
    return r;
}

static struct password_lack lack_of(const char *yaml, const char *password)
{
    struct password_rule r = rule_of(yaml);
    struct password_lack lack;
    password_rule_complete(&r);
    if (password_rule_meets(&r, text_of(password), &lack))
        assert_memory_equal(&lack, &(struct password_lack){ 0 }, sizeof lack);
    else
        assert_true(lack.length || lack.classes || lack.digits);
    return lack;
}

static bool meets(const char *yaml, const char *password)
{
    struct password_lack lack = lack_of(yaml, password);
    return !lack.length && !lack.classes && !lack.digits;
}

#define UPPER   (1u << CLASS_UPPER)
#define LOWER   (1u << CLASS_LOWER)
#define DIGIT   (1u << CLASS_DIGIT)
#define SPECIAL (1u << CLASS_SPECIAL)

/* MP-18: at least 8 characters, upper, lower, digit, special. */
static void each_missing_class_is_named(void **state)
{
    const char *rule = "password: {profile: cnil-restricted, min_length: 8, classes: [upper, lower, digit, special]}\n";
    assert_true(meets(rule, "aB3$efgh"));
    assert_int_equal(lack_of(rule, "ab3$efgh").classes, UPPER);
    assert_int_equal(lack_of(rule, "AB3$EFGH").classes, LOWER);
    assert_int_equal(lack_of(rule, "aBc$efgh").classes, DIGIT);
    assert_int_equal(lack_of(rule, "aB3defgh").classes, SPECIAL);
    assert_int_equal(lack_of(rule, "abcdefgh").classes, UPPER | DIGIT | SPECIAL);
    assert_int_equal(lack_of(rule, "aB3$efg").length, 8);
    assert_int_equal(lack_of(rule, "aB3$efg").classes, 0);
    assert_int_equal(lack_of(rule, "a").classes, UPPER | DIGIT | SPECIAL);
    /* Seven letters in fourteen bytes are seven. */
    assert_int_equal(lack_of(rule, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                                   "aB3")
                         .length,
                     8);
    assert_true(meets(rule, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                            "aB3"));
}

static void named_profiles(void **state)
{
    const char *alone = "password: {profile: cnil-alone}\n", *slowed = "password: {profile: cnil-restricted}\n";
    assert_true(meets(alone, "aB3$efghijkl"));
    assert_true(meets(alone, "aB3defghijklmn"));     /* 14 of three classes */
    assert_true(meets(alone, "abcdefghijklmnopqr")); /* 18 small letters: 84 bits */
    assert_false(meets(alone, "abcdefghijklmnopq"));
    assert_int_equal(lack_of(alone, "abcdefghijklmnopq").some, 2);
    assert_int_equal(lack_of(alone, "aB3defghijkl").some, 1);
    assert_int_equal(lack_of(alone, "aB3defghijkl").classes, SPECIAL);
    assert_int_equal(lack_of(alone, "aB3$efghijk").length, 12);
    assert_true(meets(slowed, "aB3defgh"));
    assert_true(meets(slowed, "1234567890123456"));
    assert_int_equal(lack_of(slowed, "abcdefgh").some, 2);
    assert_int_equal(lack_of(slowed, "aB3defg").length, 8);
    assert_true(meets("password: {profile: cnil-device}\n", "4711"));
    assert_int_equal(lack_of("password: {profile: cnil-device}\n", "471").length, 4);
}

static void without_a_profile(void **state)
{
    assert_true(meets("password: {}\n", "abcdefghijklmno"));
    assert_int_equal(lack_of("password: {}\n", "abcdefghijklmn").length, 15);
    assert_true(lack_of("password: {}\n", "123456789012345").digits);
    assert_true(meets("password: {}\n", "1234567890123456"));
    assert_int_equal(lack_of("password: {profile: custom, min_length: 20}\n", "abcdefghijklmnopqrs").length, 20);
    const char *words = "password: {profile: cnil-alone, min_length: 12, words: 7}\n";
    assert_true(meets(words, "sept mots suffisent ici, chaque fois bien"));
    assert_false(meets(words, "a b c d e f g"));
}

static void rule_and_levels(void **state)
{
    struct password_rule r = rule_of("password: {min_length: 8, classes: [upper, lower, digit, special]}\n");
    assert_true(r.bits > 53.0 && r.bits < 53.1); /* LAW: 8 of four classes, 53.0 bits */
    assert_true(password_rule_slowed(&r) && !password_rule_alone(&r) && !r.slowed);
    r = rule_of(
        "password: {min_length: 12, classes: [upper, lower, digit, special], attempts: 10, blocklist: false}\n");
    assert_true(r.bits > 79.5 && r.bits < 79.6 && password_rule_alone(&r) && r.slowed && r.locked && !r.blocklist);
    r = rule_of("password: {profile: cnil-restricted, throttle: none}\n");
    assert_false(r.slowed);
    password_rule_complete(&r);
    assert_int_equal(r.attempts, 10);
    assert_true(r.blocklist);
}

/* ---- One-time codes. ---- */

static void vectors(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    struct totp_secret s;
    uint32_t code;
    memcpy(s.b, "12345678901234567890", sizeof s.b);
    static const uint32_t hotp[] = { 755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489 };
    for (uint64_t i = 0; i < 10; i++) { /* RFC 4226, appendix D */
        assert_int_equal(totp_code(&a, &s, i, 6, &code), OK);
        assert_int_equal(code, hotp[i]);
    }
    static const struct {
        int64_t at;
        uint32_t code;
    } totp[] = {
        /* RFC 6238, appendix B */
        { 59, 94287082 },         { 1111111109, 7081804 },  { 1111111111, 14050471 },
        { 1234567890, 89005924 }, { 2000000000, 69279037 }, { 20000000000, 65353130 },
    };
    for (size_t i = 0; i < sizeof totp / sizeof *totp; i++) {
        assert_int_equal(totp_code(&a, &s, (uint64_t)totp[i].at / 30, 8, &code), OK);
        assert_int_equal(code, totp[i].code);
    }
}

static void code_serves_once(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    struct totp_secret s;
    int64_t step;
    memcpy(s.b, "12345678901234567890", sizeof s.b);
    msec now = (msec)1111111111 * SECOND; /* step 37037037, code 050471 */
    assert_int_equal(totp_match(&a, &s, TEXT("050471"), now, 0, &step), OK);
    assert_int_equal(step, 37037037);
    assert_int_equal(totp_match(&a, &s, TEXT(" 050 471"), now, 0, &step), OK);
    assert_int_equal(step, 37037037);
    assert_int_equal(totp_match(&a, &s, TEXT("050471"), now, 37037037, &step), OK);
    assert_int_equal(step, -1); /* taken already */
    assert_int_equal(totp_match(&a, &s, TEXT("050471"), now, 37037037 + TOTP_AHEAD, &step), OK);
    assert_int_equal(step, -1); /* the clock went back by a quarter of an hour */
    assert_int_equal(totp_match(&a, &s, TEXT("050471"), now, 37037038 + TOTP_AHEAD, &step), OK);
    assert_int_equal(step, 37037037);
    assert_int_equal(totp_match(&a, &s, TEXT("081804"), now, 0, &step), OK);
    assert_int_equal(step, 37037036); /* the step before */
    assert_int_equal(totp_match(&a, &s, TEXT("081804"), now + TOTP_STEP, 0, &step), OK);
    assert_int_equal(step, -1);
    static const char *const wrong[] = { "", "50471", "0504710", "05047a", "-50471", "050471 0" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(totp_match(&a, &s, text_of(wrong[i]), now, 0, &step), OK);
        assert_int_equal(step, -1);
    }
}

static void base32(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    static const char *const rows[][2] = {
        /* RFC 4648, section 10, without padding */
        { "", "" },
        { "f", "MY" },
        { "fo", "MZXQ" },
        { "foo", "MZXW6" },
        { "foob", "MZXW6YQ" },
        { "fooba", "MZXW6YTB" },
        { "foobar", "MZXW6YTBOI" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(text_eq(totp_base32(&a, text_of(rows[i][0])), text_of(rows[i][1])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_fits_its_password_only),
        cmocka_unit_test(weaker_hash_is_to_be_made_anew),
        cmocka_unit_test(what_others_write_around_a_digest_is_taken_off),
        cmocka_unit_test(nobody_costs_as_much),
        cmocka_unit_test(pool_serves_all),
        cmocka_unit_test(queue_is_bounded),
        cmocka_unit_test(stop_refuses_what_waits),
        cmocka_unit_test(each_missing_class_is_named),
        cmocka_unit_test(named_profiles),
        cmocka_unit_test(without_a_profile),
        cmocka_unit_test(rule_and_levels),
        cmocka_unit_test(vectors),
        cmocka_unit_test(code_serves_once),
        cmocka_unit_test(base32),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

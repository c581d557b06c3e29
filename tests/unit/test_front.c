/* Unit tests of the front: targets, queries, preferences, preconditions, problems. */
#include "front/router.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static enum err find(struct arena *a, enum method method, text target, struct request *out)
{
    *out = (struct request){ .method = method, .target = target };
    return route_find(a, out);
}

static void targets(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    struct request q;
    assert_int_equal(find(&a, METHOD_GET, TEXT("/healthz"), &q), OK);
    assert_true(q.route == route_row(ROUTE_healthz));
    assert_int_equal(find(&a, METHOD_HEAD, TEXT("/healthz?"), &q), OK);
    assert_int_equal(find(&a, METHOD_GET, TEXT("/%68ealthz"), &q), OK);
    assert_int_equal(find(&a, METHOD_POST, TEXT("/healthz"), &q), ERR_METHOD);
    assert_true(text_eq(route_allow(&a, TEXT("/healthz")), TEXT("GET, HEAD")));
    static const text absent[] = { TEXT_INIT("/"), TEXT_INIT("/nothing"), TEXT_INIT("/healthz/"), TEXT_INIT("//healthz"),
        TEXT_INIT("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q") };
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_int_equal(find(&a, METHOD_GET, absent[i], &q), ERR_NOT_FOUND);
    static const text malformed[] = { TEXT_INIT(""),
                                      TEXT_INIT("*"),
                                      TEXT_INIT("http://x/healthz"),
                                      TEXT_INIT("/healthz#x"),
                                      TEXT_INIT("/%"),
                                      TEXT_INIT("/%4"),
                                      TEXT_INIT("/%zz"),
                                      TEXT_INIT("/%00"),
                                      TEXT_INIT("/%0a"),
                                      TEXT_INIT("/%7f"),
                                      TEXT_INIT("/%c0%af"),
                                      TEXT_INIT("/%ff"),
                                      TEXT_INIT("/a/../healthz"),
                                      TEXT_INIT("/%2e%2e/healthz"),
                                      TEXT_INIT("/./healthz"),
                                      TEXT_INIT("/a%2fb"),
                                      TEXT_INIT("/a%5cb"),
                                      TEXT_INIT("/\xc3\xa9"),
                                      TEXT_INIT("/a\tb"),
                                      TEXT_INIT("/a\0b"),
                                      TEXT_INIT("/a\\b"),
                                      TEXT_INIT("/healthz?x=1"),
                                      TEXT_INIT("/healthz?&"),
                                      TEXT_INIT("/healthz?%zz=1") };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        assert_int_equal(find(&a, METHOD_GET, malformed[i], &q), ERR_USAGE);
}

static void languages(void **state)
{
    assert_true(text_eq(request_language(TEXT("")), TEXT("en")));
    assert_true(text_eq(request_language(TEXT("fr")), TEXT("fr")));
    assert_true(text_eq(request_language(TEXT("fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5")), TEXT("fr")));
    assert_true(text_eq(request_language(TEXT("en;q=0.9, fr;q=0.2")), TEXT("en")));
    assert_true(text_eq(request_language(TEXT("de, fr;q=0.3, en;q=0")), TEXT("fr")));
    assert_true(text_eq(request_language(TEXT("french")), TEXT("en")));
    assert_true(text_eq(request_language(TEXT(";;,,q=,fr;q=")), TEXT("en")));
}

static void conditions(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    struct pair header = { TEXT("if-match"), { NULL, 0 } };
    struct request q = { .headers = &header, .header_count = 1 };
    int64_t version;
    header.value = TEXT("\"7\"");
    assert_true(request_if_match(&a, &q, &version) == OK && version == 7);
    header.value = TEXT("*");
    assert_true(request_if_match(&a, &q, &version) == OK && version == -1);
    static const text malformed[] = { TEXT_INIT("7"),    TEXT_INIT("W/\"7\""), TEXT_INIT("\"7\", \"8\""),
                                      TEXT_INIT("\"\""), TEXT_INIT("\"-1\""),  TEXT_INIT("\"") };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        header.value = malformed[i];
        assert_int_equal(request_if_match(&a, &q, &version), ERR_USAGE);
    }
    q.header_count = 0;
    assert_true(request_if_match(&a, &q, &version) == OK && version == 0);
}

static void problems(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    struct reply r = { 0 };
    reply_reset(&r);
    struct clause clause = {
        .path = TEXT("purposes.news"), .file = TEXT("policies/site-fr.yaml"), .at = { 84, 3 }, .promises = TEXT("FR-03, MP-02")
    };
    say_clause(&a, ERR_PURPOSE, &clause, "category \"usage\" is not among those of purpose \"news\"");
    reply_problem(&r, &a.why, TEXT("fr"));
    assert_int_equal(r.status, 403);
    const struct json *body;
    assert_int_equal(json_parse(&a, r.body, &body), OK);
    assert_true(text_eq(json_text(body, TEXT("code")), TEXT("purpose-refused")));
    assert_true(text_eq(json_text(body, TEXT("title")), err_row(ERR_PURPOSE)->fr));
    const struct json *named = json_get(body, TEXT("clause"));
    int64_t line;
    assert_true(json_int(json_get(named, TEXT("line")), &line) && line == 84);
    assert_int_equal(json_get(named, TEXT("promises"))->count, 2);
    assert_true(text_eq(json_get(named, TEXT("promises"))->first->next->value, TEXT("MP-02")));
    reply_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(targets), cmocka_unit_test(languages), cmocka_unit_test(conditions),
                                        cmocka_unit_test(problems) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

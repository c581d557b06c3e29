/* Unit tests of the base: slices, numbers, time texts, JSON reading and writing, decoders. */
#include "base/clock.h"
#include "base/file/file_name.h"
#include "base/file/charset.h"
#include "base/file/csv.h"
#include "base/decode.h"
#include "base/fiber.h"
#include "base/json.h"
#include "base/must.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "built.h"

static void ints(void **state)
{
    int64_t v;
    assert_true(text_int(TEXT("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_true(text_int(TEXT("9223372036854775807"), &v) && v == INT64_MAX);
    assert_false(text_int(TEXT("9223372036854775808"), &v));
    assert_false(text_int(TEXT("-"), &v));
    assert_false(text_int(TEXT("1 "), &v));
}

static void utf8(void **state)
{
    assert_true(text_utf8(TEXT("é€😀")));
    assert_false(text_utf8(TEXT("\xC0\xAF")));         /* overlong */
    assert_false(text_utf8(TEXT("\xED\xA0\x80")));     /* surrogate */
    assert_false(text_utf8(TEXT("\xF4\x90\x80\x80"))); /* above U+10FFFF */
    assert_false(text_utf8(TEXT("a\0b")));
}

static void distance(void **state)
{
    assert_int_equal(text_distance(TEXT("usages"), TEXT("usage"), 3), 1);
    assert_true(text_distance(TEXT("abc"), TEXT("xyzuvw"), 2) > 2);
}

static void times(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    msec t;
    assert_true(time_parse(TEXT("2026-11-20T17:20+01:00"), &t));
    assert_true(text_eq(time_print(&a, t), TEXT("2026-11-20T16:20:00.000Z")));
    assert_true(time_parse(TEXT("1969-12-31T23:59:59.5Z"), &t) && t == -500);
    assert_true(text_eq(time_print(&a, t), TEXT("1969-12-31T23:59:59.500Z")));
    assert_false(time_parse(TEXT("2026-02-29"), &t));
    for (int64_t day = -800000; day < 800000; day += 97)
        assert_int_equal(date_days(date_of_days(day)), day);
}

static void json(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    const struct json *v;
    assert_int_equal(json_parse(&a, TEXT("{\"a\":[1,true,null,\"x\\n\"],\"b\":{}}"), &v), OK);
    BUF_AUTO b = buf_make(1024);
    struct json_out w = json_out(&b);
    json_put(&w, v);
    assert_true(text_eq(built(&b), TEXT("{\"a\":[1,true,null,\"x\\n\"],\"b\":{}}")));
    assert_int_equal(json_parse(&a, TEXT("{\"a\":1,\"a\":2}"), &v), ERR_JSON);
    assert_int_equal(json_parse(&a, TEXT("[1]x"), &v), ERR_JSON);
    assert_int_equal(json_parse(&a, TEXT("\"\\u0000\""), &v), ERR_JSON);
    assert_int_equal(json_parse(&a, TEXT("[-0.0,-0,1e-400]"), &v), OK); /* what is written reads the same again */
    buf_clear(&b);
    w = json_out(&b);
    json_put(&w, v);
    assert_true(text_eq(built(&b), TEXT("[0,0,0]")));
    static const char *const broken[] = { "",       " ",        "{",         "[1,]",       "{\"a\":1,}", "{a:1}",    "01",      "-",    "1.",
                                          "1e",     "+1",       ".5",        "0x10",       "nul",         "truex",    "\"a",      "\"\n\"", "\"\\x\"",
                                          "\"\\u12@4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\xff\"", "\"\xc0\x80\"",
                                          "\"\xed\xa0\x80\"", "9223372036854775808", "1e400", "[1}", "{\"a\" 1}", "\"\\", "\"\\u12\"" };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_int_equal(json_parse(&a, text_of(broken[i]), &v), ERR_JSON);
    assert_int_equal(json_parse(&a, TEXT("\"\\ud83d\\ude00\\u00e9\\/\\t\""), &v), OK);
    assert_true(text_eq(v->value, TEXT("\xf0\x9f\x98\x80\xc3\xa9/\t")));
    assert_int_equal(json_parse(&a, TEXT(" [ 0.1, 1e2, -9223372036854775808 ] \r\n"), &v), OK);
    assert_true(text_eq(v->first->value, TEXT("0.1")) && text_eq(v->first->next->value, TEXT("100")) && v->count == 3);
    buf_clear(&b);
    buf_char(&b, '{'); /* of many members, too, a name that stands twice is found */
    for (unsigned i = 0; i < 60; i++)
        buf_print(&b, "\"%u\":1,", i * 7 % 59);
    buf_add(&b, TEXT("\"z\":1}"));
    assert_int_equal(json_parse_buf(&a, &b, &v), ERR_JSON);
    char deep[200];
    for (size_t i = 0; i < sizeof deep; i++)
        deep[i] = '[';
    assert_int_equal(json_parse(&a, (text){ deep, sizeof deep }, &v), ERR_JSON);
}

/* A builder that failed is an error wherever it goes, and never an empty text. */
static void builders(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    const struct json *v;
    text out = TEXT("before");
    BUF_AUTO small = buf_make(4), large = buf_make(64);
    buf_add(&small, TEXT("12345"));
    buf_add(&small, TEXT("6"));
    assert_int_equal(buf_take(&a, &small, &out), ERR_TOO_LARGE);
    assert_null(out.p);
    assert_int_equal(a.why.code, ERR_TOO_LARGE);
    assert_int_equal(buf_lend(&a, &small, &out), ERR_TOO_LARGE);
    assert_int_equal(buf_check(&a, &small), ERR_TOO_LARGE);
    assert_int_equal(json_parse_buf(&a, &small, &v), ERR_TOO_LARGE);
    assert_int_equal(buf_take(&a, &large, &out), OK); /* empty, and no failure */
    assert_true(out.p && !out.n);
    buf_add(&large, TEXT("whole"));
    struct json_out w = json_out(&large);
    json_put_text_of(&w, &small);
    assert_int_equal(buf_check(&a, &large), ERR_TOO_LARGE); /* one builder's failure is that of who takes it up */
    buf_clear(&large);
    assert_int_equal(buf_check(&a, &large), OK);
    buf_join(&large, &small);
    assert_int_equal(buf_check(&a, &large), ERR_TOO_LARGE);
    assert_int_equal(arena_whole(&a), OK); /* every one of them was passed up */
}

/* What nobody passed up is known to the arena: nothing is written or answered from it. */
static void arenas(void **state)
{
    ARENA_AUTO a = arena_make(256);
    BUF_AUTO small = buf_make(4);
    buf_add(&small, TEXT("12345"));
    assert_null(buf_made(&a, &small).p);
    assert_int_equal(arena_whole(&a), ERR_TOO_LARGE);
    arena_reset(&a);
    assert_int_equal(arena_whole(&a), OK);
    text kept = arena_copy(&a, TEXT("kept"));
    struct arena_mark here = arena_mark(&a);
    text gone = arena_copy(&a, TEXT("gone"));
    arena_back(&a, here);
    assert_true(text_eq(kept, TEXT("kept")) && a.used == here.used);
    assert_ptr_equal(arena_copy(&a, TEXT("next")).p, gone.p);
    arena_back(&a, here);
    assert_null(arena_alloc(&a, 512));
    assert_int_equal(arena_whole(&a), ERR_MEMORY);
}

static void decoders(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    BUF_AUTO b = buf_make(1024);
    buf_base64url(&b, TEXT("any carnal pleas"));
    assert_true(text_eq(decode_base64url(&a, built(&b)), TEXT("any carnal pleas")));
    assert_true(text_eq(decode_base64(&a, TEXT("YQ==")), TEXT("a")));
    assert_null(decode_base64(&a, TEXT("YR==")).p); /* not canonical */
    assert_true(text_eq(decode_percent(&a, TEXT("a%20b+c"), true), TEXT("a b c")));
    assert_null(decode_percent(&a, TEXT("%0"), true).p);
    assert_null(decode_percent(&a, TEXT("%00"), true).p);
}

/* Each row: a table, and its cells with "|" between and "/" behind each line; "!" for a line that is refused. */
static void tables(void **state)
{
    static const struct {
        text in, cells;
    } rows[] = {
        { TEXT_INIT("a,b\n24\" wide,x\nc,d\n"), TEXT_INIT("a|b/24\" wide|x/c|d/") },
        { TEXT_INIT("a,b\n\"24 wide,x\nc,\"d\"\n"), TEXT_INIT("a|b/!/c|d/") },
        { TEXT_INIT("a,b\n\"open,x\nc,d\n"), TEXT_INIT("a|b/!/c|d/") },
        { TEXT_INIT("a;b\r\n;\r\n \t;\xC2\xA0\r\nc;d\r\n"), TEXT_INIT("a|b/c|d/") },
        { TEXT_INIT("a\tb\nc,c\td\n"), TEXT_INIT("a|b/c,c|d/") },
        { TEXT_INIT("a|b\nc|d"), TEXT_INIT("a|b/c|d/") },
        { TEXT_INIT("\"x,y\";b\nc;d"), TEXT_INIT("x,y|b/c|d/") },
        { TEXT_INIT("a\rb\r"), TEXT_INIT("a/b/") },
        { TEXT_INIT("a,b\rc,d\re,f"), TEXT_INIT("a|b/c|d/e|f/") },
        { TEXT_INIT("\xEF\xBB\xBFsep=|\r\na,b|c\r\n"), TEXT_INIT("a,b|c/") },
        { TEXT_INIT("\"sep=;\"\na,b;c"), TEXT_INIT("a,b|c/") },
        { TEXT_INIT("sep=\t\na;b\tc"), TEXT_INIT("a;b|c/") },
        { TEXT_INIT("\n\n a;b,c;d"), TEXT_INIT(" a|b,c|d/") },
        { TEXT_INIT("a;\"b\" ;c"), TEXT_INIT("a|b |c/") },
        { TEXT_INIT("a,\"\"\"b\"\"\""), TEXT_INIT("a|\"b\"/") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ARENA_AUTO a = arena_make(1 << 20);
        BUF_AUTO b = buf_make(1 << 16);
        static struct csv_record r;
        enum err fault;
        struct csv csv = csv_open(rows[i].in);
        while (csv_next(&a, &csv, &r, &fault)) {
            if (fault != OK)
                buf_char(&b, '!');
            for (unsigned k = 0; fault == OK && k < r.count; k++)
                buf_print(&b, "%s%.*s", k ? "|" : "", T(r.fields[k]));
            buf_char(&b, '/');
        }
        if (!text_eq(buf_begun(&b), rows[i].cells))
            fail_msg("table %zu: %.*s", i, T(buf_begun(&b)));
    }
}

static void charsets(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    text out;
    assert_true(charset_text(&a, TEXT("\xEF\xBB\xBF\xC3\xA9"), &out) == OK && text_eq(out, TEXT("\u00E9")));
    assert_true(charset_text(&a, TEXT("\xE9 \x80\x92"), &out) == OK && text_eq(out, TEXT("\u00E9 \u20AC\u2019")));
    assert_true(charset_text(&a, TEXT("\xFF\xFE\xE9\x00\x3D\xD8\x00\xDE"), &out) == OK &&
                text_eq(out, TEXT("\u00E9\U0001F600")));
    assert_true(charset_text(&a, TEXT("\xFE\xFF\x00\xE9"), &out) == OK && text_eq(out, TEXT("\u00E9")));
    assert_int_equal(charset_text(&a, TEXT("PK\x03\x04 a workbook"), &out), ERR_VALUE);
    assert_int_equal(charset_text(&a, TEXT("\xD0\xCF\x11\xE0\xA1\xB1"), &out), ERR_VALUE);
    assert_true(charset_text(&a, TEXT("a\x00;\x00\xE9\x00"), &out) == OK && text_eq(out, TEXT("a;\u00E9")));
    assert_true(charset_text(&a,
                             TEXT("\x00"
                                  "a\x20\xAC"),
                             &out) == OK &&
                text_eq(out, TEXT("a\u20AC")));
    assert_true(charset_text(&a, TEXT(""), &out) == OK && !out.n);
    assert_int_equal(charset_text(&a, TEXT("\xE9\x81"), &out), ERR_VALUE);
    assert_int_equal(charset_text(&a, TEXT("PK\x03\x04\xE9"), &out), ERR_VALUE);
}

static void csv(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    static struct csv_record r;
    enum err fault;
    struct csv csv = csv_open(TEXT("\xEF\xBB\xBF"
                                   "a;\"b;\"\"c\"\"\nd\";\r\n\r\n;;x\n\"open\n"));
    assert_true(csv_next(&a, &csv, &r, &fault) && fault == OK && r.line == 1 && r.count == 3);
    assert_true(text_eq(r.fields[0], TEXT("a")) && text_eq(r.fields[1], TEXT("b;\"c\"\nd")) && !r.fields[2].n);
    assert_true(csv_next(&a, &csv, &r, &fault) && fault == OK && r.line == 4 && r.count == 3 &&
                text_eq(r.fields[2], TEXT("x")));
    assert_true(csv_next(&a, &csv, &r, &fault) && fault == ERR_VALUE && r.line == 5);
    assert_false(csv_next(&a, &csv, &r, &fault));
    csv = csv_open(TEXT("a,b;c,\"d\"e\nf,g"));
    assert_true(csv_next(&a, &csv, &r, &fault) && fault == OK && r.count == 3 && text_eq(r.fields[2], TEXT("de")));
    assert_true(csv_next(&a, &csv, &r, &fault) && fault == OK && r.count == 2 && r.line == 2 &&
                text_eq(r.fields[1], TEXT("g")));
    csv = csv_open(TEXT(""));
    assert_false(csv_next(&a, &csv, &r, &fault));
}

static void file_names(void **state)
{
    static const struct {
        text given, safe;
    } rows[] = {
        { TEXT_INIT("export-2026-11-29.zip"), TEXT_INIT("export-2026-11-29.zip") },
        { TEXT_INIT("relevé d'été.pdf"), TEXT_INIT("relevé d'été.pdf") },
        { TEXT_INIT("../../etc/passwd"), TEXT_INIT("_.._etc_passwd") },
        { TEXT_INIT("C:\\a\\b\"<c>|?.txt"), TEXT_INIT("C__a_b__c___.txt") },
        { TEXT_INIT("con"), TEXT_INIT("_con") },
        { TEXT_INIT("LPT1.tar.gz"), TEXT_INIT("_LPT1.tar.gz") },
        { TEXT_INIT("clock$.txt"), TEXT_INIT("_clock$.txt") },
        { TEXT_INIT("e\u0301te\u0301.txt"), TEXT_INIT("\u00e9t\u00e9.txt") },
        { TEXT_INIT("Com5 .txt"), TEXT_INIT("_Com5 .txt") },
        { TEXT_INIT("console.txt"), TEXT_INIT("console.txt") },
        { TEXT_INIT("COM10"), TEXT_INIT("COM10") },
        { TEXT_INIT(" name. . "), TEXT_INIT("name") },
        { TEXT_INIT(".htaccess"), TEXT_INIT("htaccess") },
        { TEXT_INIT("a\x01\r\nb\x7f"), TEXT_INIT("a___b_") },
        { TEXT_INIT("photo\xE2\x80\xAEgpj.exe"), TEXT_INIT("photo_gpj.exe") },
        { TEXT_INIT("a\xC2\x85\xEF\xBB\xBF"
                    "b"),
          TEXT_INIT("a__b") },
        { TEXT_INIT("..."), TEXT_INIT("file") },
        { TEXT_INIT(""), TEXT_INIT("file") },
    };
    ARENA_AUTO a = arena_make(1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(text_eq(file_name_safe(&a, rows[i].given), rows[i].safe));
    BUF_AUTO b = buf_make(4096);
    for (int i = 0; i < 150; i++)
        buf_add(&b, TEXT("é"));
    buf_add(&b, TEXT(".pdf"));
    text long_name;
    assert_int_equal(buf_take(&a, &b, &long_name), OK);
    text safe = file_name_safe(&a, long_name);
    assert_true(safe.n <= 200 && text_utf8(safe) && text_ends(safe, TEXT("é.pdf")));
}

/* ---- Invariants: each in a child of its own, which must not come back. ---- */

static void no_wait_while_forbidden(void)
{
    struct wait w;
    wait_init(&w);
    wait_done(&w); /* nothing is waited for, and it is wrong all the same */
    wait_forbid();
    wait_for(&w);
}

static void no_end_without_beginning(void) { wait_allow(); }
static void what_holds_not(void) { must(getpid() < 0); }

static int how_it_ends(void (*act)(void))
{
    int status;
    pid_t child = fork();
    if (!child) {
        signal(SIGABRT, SIG_DFL);
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void nothing(void)
{
    struct wait w;
    wait_init(&w);
    wait_done(&w);
    wait_forbid();
    wait_forbid();
    wait_allow();
    wait_allow();
    wait_for(&w);
    must(getpid() > 0);
}

static void invariants(void **state)
{
    assert_int_equal(how_it_ends(nothing), 0);
    assert_int_equal(how_it_ends(no_wait_while_forbidden), SIGABRT);
    assert_int_equal(how_it_ends(no_end_without_beginning), SIGABRT);
    assert_int_equal(how_it_ends(what_holds_not), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ints),      cmocka_unit_test(utf8),
                                        cmocka_unit_test(distance),  cmocka_unit_test(times),
                                        cmocka_unit_test(json),      cmocka_unit_test(builders),
                                        cmocka_unit_test(arenas),    cmocka_unit_test(decoders),
                                        cmocka_unit_test(csv),       cmocka_unit_test(tables),
                                        cmocka_unit_test(charsets),  cmocka_unit_test(file_names),
                                        cmocka_unit_test(invariants) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

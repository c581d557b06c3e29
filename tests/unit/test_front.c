/* Unit tests of the front: targets, queries, preferences, preconditions, problems. */
#include "front/door/front.h"
#include "front/wire/library.h"
#include "front/door/proxy.h"
#include "front/door/schema.h"
#include "front/wire/strict.h"
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
    assert_true(text_eq(route_allow(&a, TEXT("/healthz")), TEXT("GET, HEAD, OPTIONS")));
    static const text absent[] = { TEXT_INIT("/nothing"), TEXT_INIT("/healthz/"), TEXT_INIT("//healthz"),
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
                                      TEXT_INIT("/v1/promises?x=1"),
                                      TEXT_INIT("/v1/promises?fresh=%zz"),
                                      TEXT_INIT("/v1/promises?%zz=1"),
                                      TEXT_INIT("/v1/promises?fresh=\xe9"),
                                      TEXT_INIT("/v1/promises?fresh=true&fresh=true"),
                                      TEXT_INIT("/privacy?lang=fr&lang=en"),
                                      TEXT_INIT("/privacy?lang=%zz"),
                                      TEXT_INIT("/privacy?a b"),
                                      TEXT_INIT("/a{b") };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        assert_int_equal(find(&a, METHOD_GET, malformed[i], &q), ERR_USAGE);
    /* What others append to the link of a page counts for nothing, and what browsers leave as it is may stand there. */
    static const text appended[] = { TEXT_INIT("/privacy?fbclid=IwAR0&lang=fr"),
                                     TEXT_INIT("/privacy?&lang=fr&"),
                                     TEXT_INIT("/privacy?lang=fr&utm_term=50%&x=%E9"),
                                     TEXT_INIT("/privacy?utm_source=a|b{c}^[d]\"<>&lang=fr&utm_source=b"),
                                     TEXT_INIT("/privacy?utm_term=\xe9t\xe9&lang=fr"),
                                     TEXT_INIT("/privacy?a&b&c&d&e&f&g&h&i&j&lang=fr") };
    for (size_t i = 0; i < sizeof appended / sizeof *appended; i++) {
        assert_int_equal(find(&a, METHOD_GET, appended[i], &q), OK);
        assert_true(q.query_count == 1 && text_eq(request_query(&q, TEXT("lang")), TEXT("fr")));
    }
}

static void languages(void **state)
{
    const struct policy both = { .languages = { TEXT_INIT("en"), TEXT_INIT("fr") }, .language_count = 2 };
    const struct policy french = { .languages = { TEXT_INIT("fr"), TEXT_INIT("en") }, .language_count = 2 };
    const struct policy only = { .languages = { TEXT_INIT("fr") }, .language_count = 1 };
    static const struct {
        text header, en, fr;
    } rows[] = {
        { TEXT_INIT(""), TEXT_INIT("en"), TEXT_INIT("fr") },
        { TEXT_INIT("*"), TEXT_INIT("en"), TEXT_INIT("fr") },
        { TEXT_INIT("de"), TEXT_INIT("en"), TEXT_INIT("fr") },
        { TEXT_INIT("fr"), TEXT_INIT("fr"), TEXT_INIT("fr") },
        { TEXT_INIT("FR-ca"), TEXT_INIT("fr"), TEXT_INIT("fr") },
        { TEXT_INIT("en, fr"), TEXT_INIT("en"), TEXT_INIT("en") },
        { TEXT_INIT("fr, en"), TEXT_INIT("fr"), TEXT_INIT("fr") },
        { TEXT_INIT("fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5"), TEXT_INIT("fr"), TEXT_INIT("fr") },
        { TEXT_INIT("en;q=0.9, fr;q=0.2"), TEXT_INIT("en"), TEXT_INIT("en") },
        { TEXT_INIT("de, fr;q=0.3, en;q=0"), TEXT_INIT("fr"), TEXT_INIT("fr") },
        { TEXT_INIT("de, *;q=0.5, fr;q=0"), TEXT_INIT("en"), TEXT_INIT("en") },
        { TEXT_INIT("en;q=1.000, fr;q=0.999"), TEXT_INIT("en"), TEXT_INIT("en") },
        { TEXT_INIT("french"), TEXT_INIT("en"), TEXT_INIT("fr") },
        { TEXT_INIT("fr;q=2, en;q=0.1"), TEXT_INIT("en"), TEXT_INIT("en") },
        { TEXT_INIT("en;q=0.1234, fr;q=0.1"), TEXT_INIT("fr"), TEXT_INIT("fr") },
        { TEXT_INIT(";;,,q=,fr;q="), TEXT_INIT("en"), TEXT_INIT("fr") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(text_eq(request_language(&both, rows[i].header), rows[i].en));
        assert_true(text_eq(request_language(&french, rows[i].header), rows[i].fr));
        assert_true(text_eq(request_language(&only, rows[i].header), TEXT("fr")));
    }
    assert_true(text_eq(policy_language(&both, TEXT("FR-CA")), TEXT("fr")) && !policy_language(&only, TEXT("en")).p &&
                !policy_language(&both, TEXT("")).p);
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
    struct clause clause = { .path = TEXT("purposes.news"),
                             .file = TEXT("policies/site-fr.yaml"),
                             .at = { 84, 3 },
                             .promises = TEXT("FR-03, MP-02") };
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

static enum err peek(struct arena *a, text bytes)
{
    bool whole = false;
    enum err e = strict_peek(a, bytes, &whole);
    return e != OK ? e
         : whole ? OK : ERR_BUSY; /* ERR_BUSY: more must come */
}

#define HEAD(lines) TEXT("GET / HTTP/1.1\r\nHost: x\r\n" lines "\r\n")

#define CHUNKED     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

/* RFC 9112, 7.1: every beginning of a sound body is sound, and what is none is told as soon as it is there. */
static void chunks(void **state)
{
    static const text good[] = {
        TEXT_INIT(CHUNKED "5\r\nhello\r\n0\r\n\r\n"),
        TEXT_INIT(CHUNKED "0\r\n\r\n"),
        TEXT_INIT(CHUNKED "000A\r\n0123456789\r\n00\r\n\r\n"),
        TEXT_INIT(CHUNKED "5;name=\"value\"\r\nhello\r\n0;x\r\n\r\n"),
        TEXT_INIT(CHUNKED "1\r\n\n\r\n0\r\nDigest: x\r\nA: b\r\n\r\n"),
        TEXT_INIT(CHUNKED "4\r\n\r\n\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"),
    };
    static const text bad[] = {
        TEXT_INIT(CHUNKED "\r\nhello"),
        TEXT_INIT(CHUNKED "zz\r\nhello\r\n"),
        TEXT_INIT(CHUNKED "-5\r\nhello\r\n"),
        TEXT_INIT(CHUNKED "+5\r\nhello\r\n"),
        TEXT_INIT(CHUNKED "0x5\r\nhello\r\n"),
        TEXT_INIT(CHUNKED " 5\r\nhello\r\n"),
        TEXT_INIT(CHUNKED "5 \r\nhello\r\n"),
        TEXT_INIT(CHUNKED "5\nhello\r\n0\r\n\r\n"),
        TEXT_INIT(CHUNKED "5;a\nb\r\nhello\r\n"),
        TEXT_INIT(CHUNKED "5\r\nhello\n0\r\n\r\n"),
        TEXT_INIT(CHUNKED "5\r\nhelloX\r\n0\r\n\r\n"),
        TEXT_INIT(CHUNKED "3\r\nhello\r\n0\r\n\r\n"),
        TEXT_INIT(CHUNKED "123456789\r\nhello"),
        TEXT_INIT(CHUNKED "5\0\r\nhello\r\n"),
        TEXT_INIT(CHUNKED "5\r\nhello\r\n0\r\nFoo\r\n\r\n"),
        TEXT_INIT(CHUNKED "5\r\nhello\r\n0\r\n: x\r\n\r\n"),
        TEXT_INIT(CHUNKED "0\r\nA : b\r\n\r\n"),
        TEXT_INIT(CHUNKED "5\rhello"),
        TEXT_INIT(CHUNKED "0\r\nA: b\n\r\n"),
    };
    ARENA_AUTO a = arena_make(1 << 16);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        for (size_t n = 0; n <= good[i].n; n++)
            if (peek(&a, text_upto(good[i], n)) != (n < sizeof CHUNKED - 1 ? ERR_BUSY : OK))
                fail_msg("sound body %zu, cut at %zu: %s", i, n, a.why.detail);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (peek(&a, bad[i]) != ERR_USAGE)
            fail_msg("body %zu is let pass: %.*s", i, T(bad[i]));
}

static void heads(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    text good = HEAD("Accept: */*\r\nX: \xc3\xa9\r\nEmpty:\r\n");
    assert_int_equal(peek(&a, good), OK);
    for (size_t n = 0; n < good.n; n++)
        assert_int_equal(peek(&a, text_upto(good, n)), ERR_BUSY);
    assert_int_equal(peek(&a, TEXT("\r\nGET / HTTP/1.0\r\n\r\nmore")), OK);
    assert_int_equal(peek(&a, HEAD("Content-Length: 5\r\n")), OK);
    assert_int_equal(peek(&a, HEAD("Transfer-Encoding: chunked\r\n")), OK);
    assert_int_equal(peek(&a, HEAD("Transfer-Encoding: gzip, chunked\r\n")), ERR_LENGTH);
    assert_int_equal(peek(&a, HEAD("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")), ERR_USAGE);
    assert_int_equal(peek(&a, TEXT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")), ERR_USAGE);
    assert_int_equal(peek(&a, HEAD("Content-Length: 99999999999999999999\r\n")), ERR_TOO_LARGE);
    assert_int_equal(peek(&a, HEAD("Content-Encoding: gzip\r\n")), ERR_MEDIA_TYPE);
    static const text bad[] = {
        TEXT_INIT("GARBAGE\r\n"),
        TEXT_INIT("GET /\r\n"),
        TEXT_INIT("GET /\n"),
        TEXT_INIT("GET  / HTTP/1.1\r\n"),
        TEXT_INIT("GET / HTTP/1.1 \r\n"),
        TEXT_INIT("GET / HTTP/1.1\r\nHost: x\n"),
        TEXT_INIT("GET / HTTP/1.1\r\n\r\n"),
        TEXT_INIT("GET / HTTP/1.2\r\nHost: x\r\n\r\n"),
        TEXT_INIT("GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
        TEXT_INIT("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"),
        TEXT_INIT("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"),
        TEXT_INIT("GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"),
        TEXT_INIT("GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n"),
        TEXT_INIT("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n"),
        TEXT_INIT("G\0T / HTTP/1.1\r\nHost: x\r\n\r\n"),
        TEXT_INIT("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
        TEXT_INIT("GET /a\rb HTTP/1.1\r\nHost: x\r\n\r\n"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(peek(&a, bad[i]), ERR_USAGE);
}

/* A head as the library leaves it: `value` bytes of "Host" from the 22nd on. */
static enum err left(struct arena *a, text head, size_t value)
{
    struct pair host = { { head.p + 16, 4 }, { head.p + 22, value } };
    struct head h = { { head.p, 3 }, { head.p + 4, 1 }, { head.p + 6, 8 }, &host, 1, head.n };
    struct framing framing;
    return strict_check(a, &h, &framing);
}

static void heads_left(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    assert_int_equal(library_try(&a), OK);
    assert_int_equal(left(&a, TEXT("GET\0/\0HTTP/1.1\0\0Host\0 x\0\0\0\0"), 1), OK);      /* 0.9.75 */
    assert_int_equal(left(&a, TEXT("GET\0/\0HTTP/1.1\0\nHost\0 x\0\n\r\n"), 1), OK);      /* 1.0.1 */
    assert_int_equal(left(&a, TEXT("GET\0/\0HTTP/1.1\0\nHost\0 x\0 \t\r\n\r\n"), 1), OK); /* 1.0.1, blanks at the end */
    assert_int_equal(left(&a, TEXT("GET\0/\0HTTP/1.1\0\0Host\0 x\0\0\0\0\0"), 1), ERR_USAGE); /* a NUL was sent */
    assert_int_equal(left(&a, TEXT("GET\0/\0HTTP/1.1\0\nHost\0 x\0a\r\n\r\n"), 1),
                     ERR_USAGE);                                                          /* a NUL, and something */
    assert_int_equal(left(&a, TEXT("GET\0/\0HTTP/1.1\0\nHost\0 x\0\r\n"), 1), ERR_USAGE); /* a line feed alone */
}

static void schemas(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    static const struct {
        const char *type, *json;
        enum err want;
    } cases[] = {
        { "TokenNew", "{\"name\":\"a\",\"actor\":\"b\"}", OK },
        { "TokenNew", "{\"name\":\"a\",\"tenant\":null}", OK },
        { "TokenNew", "{\"name\":null}", ERR_USAGE },
        { "TokenNew", "{\"nam\":\"a\"}", ERR_USAGE },
        { "TokenNew", "{\"name\":1}", ERR_USAGE },
        { "TokenNew", "[]", ERR_USAGE },
        { "ConsentNew+", "{\"purpose\":\"a\",\"decision\":\"given\"}", OK },
        { "ConsentNew+", "[{\"purpose\":\"a\",\"decision\":\"given\"}]", OK },
        { "ConsentNew+", "[{\"purpose\":\"a\",\"colour\":\"red\"}]", ERR_USAGE },
        { "SubjectNew", "{\"data\":{\"contact\":{\"email\":1}},\"source\":\"person\"}", OK },
        { "SubjectNew", "{\"data\":{\"contact\":[]}}", ERR_USAGE },
        { "Batch", "{\"requests\":[1,{}]}", OK },
        { "Batch", "{\"requests\":{}}", ERR_USAGE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct json *v;
        assert_int_equal(json_parse(&a, text_of(cases[i].json), &v), OK);
        assert_int_equal(schema_check(&a, text_of(cases[i].type), v), cases[i].want);
    }
    for (enum route_id id = 0; id < ROUTE_COUNT; id++) { /* each row names a schema that is there */
        const struct route *route = route_row(id);
        const struct json *v;
        assert_int_equal(json_parse(&a, TEXT("{}"), &v), OK);
        if (route->input.n && route->body != BODY_FILE)
            assert_int_equal(schema_check(&a, route->input, v), OK);
    }
}

/* A page of somebody's own, or of staff, shows all that is held in some place: however refused, it is no work for a
 * thread that serves. */
static void pages_stand_aside(void **state)
{
    for (enum route_id id = 0; id < ROUTE_COUNT; id++) {
        const struct route *route = route_row(id);
        bool own = route->who == WHO_SELF || route->who == WHO_STAFF;
        if (own && !text_starts(route->path, TEXT("/v1/")) && !route_aside(route))
            fail_msg("%.*s is no row of ASIDE", T(route->name));
        if (route_budget(route) >= 0)
            assert_true(route_aside(route) || id == ROUTE_batch || text_starts(route->output, TEXT("=")));
    }
}

/* A schema whose rows stand apart would be read by its first rows only: two that took the same name, most likely. */
static void schema_names(void **state)
{
    size_t count;
    const struct schema_member *rows = schema_members(&count);
    for (size_t i = 1; i < count; i++)
        for (size_t k = 0; !text_eq(rows[i].schema, rows[i - 1].schema) && k < i; k++)
            if (text_eq(rows[k].schema, rows[i].schema))
                fail_msg("the rows of schema %.*s do not stand together", T(rows[i].schema));
}

static void cookies(void **state)
{
    struct node sid = { .kind = NODE_MAP, .key = TEXT("sid") };
    struct node declared = { .kind = NODE_MAP, .key = TEXT("cookies"), .first = &sid, .count = 1 };
    struct node root = { .kind = NODE_MAP, .first = &declared, .count = 1 };
    struct policy policy = { .root = &root };
    struct reply r = { .headers = { { TEXT("Set-Cookie"), TEXT("sid=1; HttpOnly") },
                                    { TEXT("set-cookie"), TEXT("track=2; Path=/") },
                                    { TEXT("ETag"), TEXT("\"1\"") },
                                    { TEXT("Set-Cookie"), TEXT("sidx") } },
                       .header_count = 4 };
    front_filter_cookies(&policy, &r);
    assert_int_equal(r.header_count, 2);
    assert_true(text_eq(r.headers[0].value, TEXT("sid=1; HttpOnly")) && text_eq(r.headers[1].name, TEXT("ETag")));
    root.first = NULL; /* a policy without cookies lets none out */
    front_filter_cookies(&policy, &r);
    assert_int_equal(r.header_count, 1);
}

static struct address parsed(text s)
{
    struct host_address host;
    assert_true(hop_parse(s, &host));
    return address_of_host(&host);
}

static void hops(void **state)
{
    static const text none[] = { TEXT_INIT("example.org"),   TEXT_INIT(""),
                                 TEXT_INIT("1.2.3.4:x"),     TEXT_INIT("1.2.3.4:"),
                                 TEXT_INIT("1.2.3.4:70000"), TEXT_INIT("unknown"),
                                 TEXT_INIT("_hidden"),       TEXT_INIT("[2001:db8::1"),
                                 TEXT_INIT("1.2.3"),         TEXT_INIT(":80") };
    struct address plain = parsed(TEXT("192.0.2.1")), far = parsed(TEXT("2001:db8::1"));
    const struct address four[] = { parsed(TEXT("192.0.2.1:4711")), parsed(TEXT("[::ffff:192.0.2.1]:80")),
                                    parsed(TEXT(" 192.0.2.1 ")) };
    const struct address six[] = { parsed(TEXT("[2001:db8::1]:4711")), parsed(TEXT("[2001:db8::1]")),
                                   parsed(TEXT("2001:db8::1%eth0")) };
    struct host_address host;
    for (size_t i = 0; i < 3; i++) {
        assert_memory_equal(&four[i], &plain, sizeof plain);
        assert_memory_equal(&six[i], &far, sizeof far);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(hop_parse(none[i], &host));
}

static void believed(void **state)
{
    ARENA_AUTO a = arena_make(8192);
    struct proxies p;
    struct host_address host;
    static const struct {
        text address;
        bool in;
    } rows[] = {
        { TEXT_INIT("10.1.255.1"), true }, { TEXT_INIT("10.2.0.1"), false },     { TEXT_INIT("192.0.2.7"), true },
        { TEXT_INIT("192.0.2.8"), false }, { TEXT_INIT("2001:db8:1::5"), true }, { TEXT_INIT("2001:db9::5"), false },
        { TEXT_INIT("127.0.0.1"), false },
    };
    assert_int_equal(proxies_parse(&a, TEXT("10.1.0.0/16, 192.0.2.7, 2001:db8::/33"), &p), OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(host_parse(rows[i].address, &host));
        assert_int_equal(proxies_have(&p, &host), rows[i].in);
    }
    assert_int_equal(proxies_parse(&a, TEXT(""), &p), OK);
    assert_true(host_parse(TEXT("127.8.0.1"), &host) && proxies_have(&p, &host));
    assert_true(host_parse(TEXT("::1"), &host) && proxies_have(&p, &host));
    assert_true(host_parse(TEXT("::2"), &host) && !proxies_have(&p, &host));
    static const text wrong[] = { TEXT_INIT("10.0.0.0/33"), TEXT_INIT("proxy.example"), TEXT_INIT("10.0.0.1,,"),
                                  TEXT_INIT("::1/129"), TEXT_INIT("10.0.0.1/") };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(proxies_parse(&a, wrong[i], &p), ERR_CONFIG);
}

static void authorities(void **state)
{
    static const struct {
        text a, b;
        bool same;
    } rows[] = {
        { TEXT_INIT("Example.org"), TEXT_INIT("example.org."), true },
        { TEXT_INIT("example.org:443"), TEXT_INIT("example.org"), true },
        { TEXT_INIT("example.org.:443"), TEXT_INIT("example.org"), true },
        { TEXT_INIT("example.org:8443"), TEXT_INIT("example.org"), false },
        { TEXT_INIT("[::1]:80"), TEXT_INIT("[::1]"), true },
        { TEXT_INIT("[::1]:81"), TEXT_INIT("[::1]"), false },
        { TEXT_INIT("a.example"), TEXT_INIT("b.example"), false },
        { TEXT_INIT(""), TEXT_INIT("example.org"), false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(authority_same(rows[i].a, rows[i].b), rows[i].same);
}

static void addresses(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    struct peers *peers = NULL;
    struct address one = parsed(TEXT(" 192.0.2.1 ")), two = parsed(TEXT("::ffff:192.0.2.1"));
    struct address near = parsed(TEXT("[2001:db8::1]")), far = parsed(TEXT("2001:db8::ffff:1"));
    assert_memory_equal(&one, &two, sizeof one);   /* one client, however it came */
    assert_memory_equal(&near, &far, sizeof near); /* the /64 is what one person has */
    assert_int_equal(peers_open(&a, 3, &peers), OK);
    struct peer *held[3];
    for (size_t i = 0; i < 3; i++)
        assert_non_null(held[i] = peers_enter(peers, one, true));
    assert_null(peers_enter(peers, one, true));
    assert_non_null(peers_enter(peers, one, false));
    assert_non_null(peers_enter(peers, near, true));
    peers_leave(peers, held[0]);
    peers_leave(peers, held[1]);
    assert_non_null(peers_enter(peers, one, true));
    for (int i = 0; i < FAILURES_MAX; i++)
        assert_false(peers_failed(peers, far, HOUR));
    assert_true(peers_failed(peers, far, HOUR + FAILURES_WINDOW));
    assert_false(peers_failed(peers, far, HOUR + FAILURES_WINDOW + 1));
    for (unsigned i = 0; i < 1000; i++) { /* neighbours do not take each other's places */
        struct address neighbour = {
            { [10] = 0xFF, [11] = 0xFF, [12] = 10, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i }
        };
        assert_non_null(peers_enter(peers, neighbour, true));
    }
    peers_close(&peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets),           cmocka_unit_test(languages),   cmocka_unit_test(conditions),
        cmocka_unit_test(problems),          cmocka_unit_test(heads),       cmocka_unit_test(chunks),
        cmocka_unit_test(heads_left),        cmocka_unit_test(schemas),     cmocka_unit_test(schema_names),
        cmocka_unit_test(pages_stand_aside), cmocka_unit_test(cookies),     cmocka_unit_test(hops),
        cmocka_unit_test(believed),          cmocka_unit_test(authorities), cmocka_unit_test(addresses)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

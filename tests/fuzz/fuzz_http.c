/* Fuzz target: the head of a request, its target, and the headers that are parsed. What is let through is well formed.
 */
#include "fuzz.h"
#include "front/door/router.h"
#include "front/wire/strict.h"

static void check_text(text s)
{
    FUZZ_CHECK(text_utf8(s));
    for (size_t i = 0; i < s.n; i++)
        FUZZ_CHECK((uint8_t)s.p[i] >= 0x20 && s.p[i] != 0x7F);
}

static void check_target(struct arena *a, text target)
{
    struct request q = { .method = METHOD_GET, .target = target };
    enum err e = route_find(a, &q);
    FUZZ_CHECK(e == OK || e == ERR_USAGE || e == ERR_NOT_FOUND || e == ERR_METHOD || e == ERR_MEMORY);
    FUZZ_CHECK(e == OK || a->why.code == e);
    route_allow(a, target);
    if (e != OK)
        return;
    FUZZ_CHECK(q.route && q.route->method == METHOD_GET && q.query_count <= REQUEST_QUERIES);
    for (size_t i = 0; i < REQUEST_PARAMS; i++)
        check_text(q.params[i]);
    for (size_t i = 0; i < q.query_count; i++) {
        check_text(q.queries[i].value);
        FUZZ_CHECK(text_eq(request_query(&q, q.queries[i].name), q.queries[i].value));
    }
}

static void check_headers(struct arena *a, text value)
{
    struct pair headers[] = { { TEXT("If-Match"), value }, { TEXT("Accept"), value } };
    struct request q = { .headers = headers, .header_count = 2 };
    int64_t version;
    const struct policy two = { .languages = { TEXT("fr"), TEXT("en") }, .language_count = 2 };
    text language = request_language(&two, value);
    FUZZ_CHECK(text_eq(language, TEXT("fr")) || text_eq(language, TEXT("en")));
    FUZZ_CHECK(request_if_match(a, &q, &version) != OK || version >= -1);
    request_wants_html(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = arena_make(1 << 20);
    text in = { (const char *)data, size }, line = in;
    bool whole;
    enum err e = strict_peek(&a, in, &whole);
    FUZZ_CHECK(e == OK || a.why.code == e);
    if (e == OK && whole) { /* what passes the gate has a request line of three words */
        if (text_starts(line, TEXT("\r\n")))
            line = text_from(line, 2);
        text_cut(&line, ' ');
        check_target(&a, text_cut(&line, ' '));
    }
    check_target(&a, in);
    check_headers(&a, in);
    return 0;
}

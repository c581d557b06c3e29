/* Fuzz target: the JSON reader and writer. What is read, written and read again is the same. */
#include "fuzz.h"
#include "base/json.h"

static void check_value(const struct json *v, unsigned depth)
{
    uint32_t count = 0;
    int64_t number;
    FUZZ_CHECK(depth <= JSON_DEPTH_MAX);
    FUZZ_CHECK(v->kind != J_TEXT || text_utf8(v->value));
    FUZZ_CHECK(v->kind == J_NUMBER || !json_int(v, &number));
    JSON_EACH(child, v) {
        count++;
        FUZZ_CHECK(text_utf8(child->key));
        FUZZ_CHECK(v->kind != J_OBJECT || json_get(v, child->key) == child); /* no name stands twice */
        check_value(child, depth + 1);
    }
    FUZZ_CHECK(count == v->count);
}

static void write(struct buf *b, const struct json *v)
{
    struct json_out w = json_out(b);
    json_put(&w, v);
    FUZZ_CHECK(!b->failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = arena_make(1 << 26);
    BUF_AUTO one = buf_make(1 << 26);
    BUF_AUTO two = buf_make(1 << 26);
    const struct json *v;
    enum err code = json_parse(&a, (text){ (const char *)data, size }, &v);
    FUZZ_CHECK(code == OK || (code == ERR_JSON && a.why.code == ERR_JSON));
    if (code != OK)
        return 0;
    check_value(v, 0);
    write(&one, v);
    FUZZ_CHECK(json_parse(&a, buf_begun(&one), &v) == OK);
    write(&two, v);
    FUZZ_CHECK(text_eq(buf_begun(&one), buf_begun(&two)));
    return 0;
}

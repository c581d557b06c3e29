/* Unit tests of embedded assets: bytes, digests, validators, look-up. */
#include "base/file/asset.h"
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

extern const struct assets test_assets;

static const struct asset *named(const char *name)
{
    const struct asset *a = asset_find(&test_assets, text_of(name));
    assert_non_null(a);
    assert_true(text_eq(a->name, text_of(name)));
    return a;
}

/* What is embedded is the file; of a style, the file without its comments and blanks (tools/embed tests that). */
static void assert_file(const struct asset *a)
{
    char path[4096], content[65536];
    snprintf(path, sizeof path, "%s/tests/unit/assets/%.*s", getenv("GARANT_SOURCE"), T(a->name));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text whole = { content, fread(content, 1, sizeof content, file) };
    fclose(file);
    if (text_ends(a->name, TEXT(".css")))
        assert_true(a->plain.bytes.n < whole.n && text_find(a->plain.bytes, TEXT("/*")) < 0);
    else
        assert_true(text_eq(a->plain.bytes, whole));
}

static void bytes(void **state)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    assert_int_equal(test_assets.count, 3);
    for (size_t i = 0; i < test_assets.count; i++) {
        const struct asset *a = &test_assets.items[i];
        assert_file(a);
        assert_int_equal(a->plain.bytes.p[a->plain.bytes.n], '\0');
        assert_int_equal((uintptr_t)a->plain.bytes.p % 16, 0);
        SHA256((const unsigned char *)a->plain.bytes.p, a->plain.bytes.n, digest);
        assert_true(text_eq(a->sha256, TEXT_BYTES(digest)));
    }
    assert_int_equal(named("bytes.ico")->plain.bytes.n, 256);
    assert_int_equal(named("empty.txt")->plain.bytes.n, 0);
}

static void types_and_codings(void **state)
{
    const struct asset *css = named("style/app.css"), *ico = named("bytes.ico");
    assert_true(text_eq(css->type, TEXT("text/css; charset=utf-8")));
    assert_true(text_eq(ico->type, TEXT("image/x-icon")));
    assert_true(text_starts(css->gzip.bytes, TEXT("\x1F\x8B\x08")));
    assert_true(css->gzip.bytes.n * 10 <= css->plain.bytes.n * 9);
    assert_null(ico->gzip.bytes.p);
    assert_null(named("empty.txt")->gzip.bytes.p);
}

static void validators(void **state)
{
    const struct asset *css = named("style/app.css");
    assert_int_equal(css->plain.etag.n, 26); /* 144 bits in base64url, and the quotes */
    assert_true(css->plain.etag.p[0] == '"' && css->plain.etag.p[25] == '"');
    assert_false(text_eq(css->plain.etag, css->gzip.etag));
    assert_true(text_starts(css->gzip.etag, text_upto(css->plain.etag, 25)) &&
                text_ends(css->gzip.etag, TEXT("-gz\"")));
    assert_false(text_eq(css->plain.etag, named("bytes.ico")->plain.etag));
}

static void absent(void **state)
{
    static const char *const names[] = {
        "", "a", "app.css", "style", "style/", "style/app.cs", "style/app.css2", "../bytes.ico", "zzz"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_null(asset_find(&test_assets, text_of(names[i])));
    assert_null(asset_find(&(struct assets){ NULL, 0 }, TEXT("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(bytes), cmocka_unit_test(types_and_codings),
                                        cmocka_unit_test(validators), cmocka_unit_test(absent) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

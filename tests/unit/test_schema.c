/* Unit tests of the schema's rows: their order, their texts, and the JSON Schema made from them.
 * `test_schema --print > schema/garant-policy.schema.json` renews the committed one. */
#include "base/buf.h"
#include "policy/schema.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "built.h"

static text parent_path(text path)
{
    size_t n = path.n;
    while (n && path.p[n - 1] != '.')
        n--;
    return text_upto(path, n ? n - 1 : 0);
}

/* Each row stands under the row of its parent's path, once, and what chooses its names has one row for them. */
static void rows_form_a_tree(void **state)
{
    ARENA_AUTO a = arena_make(1 << 16);
    struct schema s;
    assert_int_equal(schema_make(&a, &s), OK);
    unsigned seen = 0;
    for (unsigned parent = 0; parent <= s.count; parent++)
        for (unsigned i = s.first[parent]; i < s.count; i = s.next[i], seen++) {
            text expected = parent == s.count ? TEXT("") : s.rows[parent].path;
            if (!text_eq(parent_path(s.rows[i].path), expected))
                fail_msg("%s does not stand under its parent", s.rows[i].path.p);
            for (unsigned j = s.first[parent]; j != i; j = s.next[j])
                assert_false(text_eq(s.rows[i].path, s.rows[j].path));
        }
    assert_int_equal(seen, s.count);
    for (unsigned i = 0; i < s.count; i++) {
        enum shape shape = kind_row(s.rows[i].kind)->shape;
        bool star = s.first[i] < s.count && text_eq(schema_key(&s.rows[s.first[i]]), TEXT("*"));
        if (star != (shape == SHAPE_NAMES) || (s.first[i] < s.count) != (shape == SHAPE_NAMES || shape == SHAPE_MAP))
            fail_msg("the children of %s do not fit its kind", s.rows[i].path.p);
    }
}

static void rows_say_what_they_are(void **state)
{
    unsigned count;
    const struct schema_row *rows = schema_rows(&count);
    for (unsigned i = 0; i < count; i++) {
        bool ok = text_ends(rows[i].en, TEXT(".")) && text_ends(rows[i].fr, TEXT(".")) &&
                  !text_eq(rows[i].en, rows[i].fr);
        bool words = rows[i].kind != KIND_WORD && rows[i].kind != KIND_WORDS ? true : rows[i].words.n > 0;
        if (!ok || !words)
            fail_msg("the row of %s lacks a sentence in a language, or its words", rows[i].path.p);
    }
}

/* Targets of words are maps of names at the top of the file. */
static void targets_exist(void **state)
{
    unsigned count;
    const struct schema_row *rows = schema_rows(&count);
    for (unsigned i = 0; i < count; i++)
        for (text rest = rows[i].words; rest.p;) {
            text word = word_next(&rest);
            bool found = !text_starts(word, TEXT("@")) || text_eq(word, TEXT("@fields"));
            for (unsigned j = 0; j < count && !found; j++)
                found = text_eq(rows[j].path, text_from(word, 1)) && kind_row(rows[j].kind)->shape == SHAPE_NAMES;
            if (!found)
                fail_msg("%s names the unknown target %.*s", rows[i].path.p, T(word));
        }
}

static void countries_in_order(void **state)
{
    unsigned eu = 0, eea = 0, i = 0;
    for (const struct country *c; (c = country_at(i)); i++) {
        assert_true(i == 0 || text_cmp(country_at(i - 1)->code, c->code) < 0);
        assert_ptr_equal(country_of(c->code), c);
        eu += c->area == AREA_EU;
        eea += c->area != AREA_NONE;
    }
    assert_int_equal(eu, 27);
    assert_int_equal(eea, 30);
    assert_int_equal(i, 249);
    assert_null(country_of(TEXT("UK")));
    assert_null(country_of(TEXT("fr")));
}

static void nouns(void **state)
{
    char room[NODE_KEY_MAX + 4];
    static const char *const rows[][2] = {
        { "categories", "category" }, { "purposes", "purpose" }, { "basis", "basis" },
        { "address", "address" },     { "sees", "see" },         { "masses", "mass" }
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_true(text_eq(noun_of(text_of(rows[i][0]), room), text_of(rows[i][1])));
}

static void committed_schema(void **state)
{
    BUF_AUTO made = buf_make(1 << 22);
    static char committed[1 << 20], path[4096];
    policy_json_schema(&made);
    assert_false(made.failed);
    snprintf(path, sizeof path, "%s/schema/garant-policy.schema.json",
             getenv("GARANT_SOURCE") ? getenv("GARANT_SOURCE") : ".");
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(committed, 1, sizeof committed, file) : 0;
    if (file)
        fclose(file);
    if (!text_eq(built(&made), (text){ committed, n }))
        fail_msg("%s is not what the rows say: renew it by test_schema --print", path);
}

int main(int argc, char **argv)
{
    if (argc > 1 && text_eq(text_of(argv[1]), TEXT("--print"))) {
        BUF_AUTO made = buf_make(1 << 22);
        policy_json_schema(&made);
        return fwrite(made.p, 1, made.n, stdout) != made.n;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_form_a_tree),
        cmocka_unit_test(rows_say_what_they_are),
        cmocka_unit_test(targets_exist),
        cmocka_unit_test(countries_in_order),
        cmocka_unit_test(nouns),
        cmocka_unit_test(committed_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

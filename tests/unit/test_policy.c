/* Unit tests of the policy: the reader of its file, its checks, terms, and the decision. */
#include "policy/policy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* What the reader says of `yaml`, as `f` would print it. */
static void expect_read(text yaml, const char *expected, bool tree)
{
    ARENA_AUTO a = arena_make(64 << 20);
    BUF_AUTO out = buf_make(1 << 16);
    struct findings f = { 0 };
    const struct node *root;
    enum err e = node_read(&a, yaml, &f, &root);
    findings_print(&out, TEXT("f"), &f);
    buf_char(&out, '\0');
    assert_string_equal(out.p, expected);
    assert_int_equal(e, *expected ? ERR_POLICY : OK);
    assert_int_equal(root != NULL, tree);
}
#define READS(yaml, expected) expect_read(TEXT(yaml), expected, true)
#define STOPS(yaml, expected) expect_read(TEXT(yaml), expected, false)

static void tree(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    struct findings f = { 0 };
    const struct node *root;
    text yaml = TEXT("a: 1\nb:\n  - x\n  - 'none'\n  - {c.d: é, e: ~}\nf:\n");
    assert_int_equal(node_read(&a, yaml, &f, &root), OK);
    assert_int_equal(root->count, 3);
    const struct node *item = node_get(root, TEXT("b"))->first->next;
    assert_true(item->quoted && text_eq(item->value, TEXT("none")) && text_eq(item->path, TEXT("b[1]")));
    const struct node *d = node_get(item->next, TEXT("c.d"));
    assert_true(text_eq(d->path, TEXT("b[2].c.d")) && d->at.line == 5 && d->at.column == 11 && d->key_at.column == 6);
    assert_true(node_at(item->next, TEXT("c.d")) == d);
    assert_null(node_at(root, TEXT("b.c")));
    assert_true(node_text(root, TEXT("f")).p && node_text(root, TEXT("f")).n == 0);
    assert_null(node_text(root, TEXT("b")).p);
    assert_true(node_has(node_get(root, TEXT("b")), TEXT("x")) && node_has(node_get(root, TEXT("a")), TEXT("1")));
    assert_null(node_get(NULL, TEXT("a")));
}

static void reader_refuses(void **state)
{
    READS("a: &x 1\nb: !t {c: 2}\n<<: 3\nb: 4\n",
          "f:1:4: an anchor (&x) on a value: anchors and aliases are not allowed\n"
          "f:2:4: a tag (!t) on a map: tags are not allowed\n"
          "f:3:1: a merge key (<<): repeat the keys instead\n"
          "f:4:1: the key \"b\" stands twice in this map, first on line 2\n");
    STOPS("a: [*x]\n", "f:1:5: an alias (*x): repeat the value instead\n");
    STOPS("a: 1\n---\nb: 2\n", "f:2:1: a second document: a policy file is one document\n");
    READS("%YAML 1.1\n---\na: 1\n", "f:1:1: a %YAML or %TAG directive: directives are not allowed\n");
    STOPS("a:\n\tb: 1\nc:\td\n", "f:2:1: a tab: indent and separate with blanks\nf:3:3: a tab: indent and separate with blanks\n");
    STOPS("", "f:1:1: the file is empty\n");
    STOPS("# nothing\n", "f:1:1: the file is empty\n");
    STOPS("a: é\xC0\xAF\n", "f:1:5: byte 0xC0 is not valid here: the file must be UTF-8 text without NUL\n");
    STOPS("a: b\0c\n", "f:1:5: byte 0x00 is not valid here: the file must be UTF-8 text without NUL\n");
    STOPS("a: \xC3", "f:1:4: byte 0xC3 is not valid here: the file must be UTF-8 text without NUL\n");
    STOPS("? [a]\n: 1\n", "f:1:3: a list or a map as key: a key is one word\n");
    STOPS("a: 'b\n", "f:2:1: not well-formed YAML: found unexpected end of stream, while scanning a quoted scalar\n");
}

static void fill(char *yaml, size_t size, const char *pattern)
{
    size_t n = strlen(pattern);
    for (size_t i = 0; i < size; i++)
        yaml[i] = pattern[i % n];
}

/* Deep, wide and long files end at once, with one clear fault. */
static void reader_bounds(void **state)
{
    static char yaml[NODE_BYTES_MAX + 1];
    const char *const patterns[] = { "[", "{a: ", "- ", "? ", "[\n", "a,", "a\n", "\"", "- a\n", "&a ", "!a ", "*a ", "k: v\n", "%", "'\n" };
    fill(yaml, sizeof yaml, "- a\n");
    expect_read((text){ yaml, sizeof yaml }, "f:1:1: the file has 1048577 bytes, more than the 1048576 allowed\n", false);
    fill(yaml, sizeof yaml, "[");
    expect_read((text){ yaml, NODE_BYTES_MAX }, "f:1:65: more than 64 levels\n", false);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        ARENA_AUTO a = arena_make(128 << 20);
        struct findings f = { 0 };
        const struct node *root;
        fill(yaml, sizeof yaml, patterns[i]);
        msec start = clock_monotonic();
        node_read(&a, (text){ yaml, NODE_BYTES_MAX }, &f, &root);
        assert_true(clock_monotonic() - start < 5000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree), cmocka_unit_test(reader_refuses), cmocka_unit_test(reader_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Unit tests of templates, words and pages: escaping everywhere, sections, faults that are found before a page is
 * served. */
#include "front/door/go.h"
#include "front/page/page.h"
#include "front/door/word.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "built.h"

#define FILES_MAX 8
struct files {
    struct asset items[FILES_MAX];
    struct assets all;
};

/* Pairs of a file's name and its text, in the order of the names. */
static void files_of(struct files *f, size_t count, const char *const *pairs)
{
    *f = (struct files){ .all = { f->items, count } };
    for (size_t i = 0; i < count; i++)
        f->items[i] = (struct asset){ .name = text_of(pairs[2 * i]), .plain = { text_of(pairs[2 * i + 1]), TEXT("") } };
}

static enum err fill(struct arena *a, const char *body, const char *model, const char *language, struct buf *out)
{
    struct files f;
    const char *const pairs[] = { "part.html", "({{name}})", "t.html", body };
    files_of(&f, 2, pairs);
    struct ctx c = { .arena = a, .language = text_of(language) };
    const struct json *json;
    assert_int_equal(json_parse(a, text_of(model), &json), OK);
    buf_clear(out);
    return template_render(&c, &f.all, TEXT("t"), json, out);
}

static void gives(const char *body, const char *model, const char *language, const char *expected)
{
    ARENA_AUTO a = arena_make(1 << 20);
    BUF_AUTO b = buf_make(1 << 20);
    assert_int_equal(fill(&a, body, model, language, &b), OK);
    if (!text_eq(built(&b), text_of(expected)))
        fail_msg("%s gives \"%.*s\" instead of \"%s\"", body, T(built(&b)), expected);
}

static void fails(const char *body, const char *model)
{
    ARENA_AUTO a = arena_make(1 << 20);
    BUF_AUTO b = buf_make(1 << 20);
    enum err e = fill(&a, body, model, "en", &b);
    if (e != ERR_INTERNAL)
        fail_msg("%s with %s gives error %d", body, model, (int)e);
}

static void values(void **state)
{
    gives("a{{x}}b{{ y.z }}c", "{\"x\":\"1\",\"y\":{\"z\":2.50}}", "en", "a1b2.5c");
    gives("{{t}} {{f}} {{n}}.", "{\"t\":true,\"f\":false,\"n\":null}", "fr", "oui non .");
    gives("{{l}}", "{\"l\":[\"a\",true,3]}", "en", "a, yes, 3");
    gives("{{! a note }}x", "{}", "en", "x");
    gives("{ {x}} }", "{}", "en", "{ {x}} }");
    gives("{{%x}}", "{\"x\":\"/a b&c=é\\\"\"}", "en", "/a%20b%26c%3D%C3%A9%22");
    gives(
        "{{@x}}|{{~x}}|{{~d}}|{{@n}}", "{\"x\":\"2026-11-22T01:47:00Z\",\"d\":\"2026-12-01\",\"n\":null}", "fr",
        "<time datetime=\"2026-11-22T01:47:00Z\">22 novembre 2026 à 01:47 UTC</time>|<time datetime=\"2026-11-22T01:47:00Z\">22 novembre 2026"
        "</time>|<time datetime=\"2026-12-01\">1er décembre 2026</time>|");
}

static void sections(void **state)
{
    gives("{{#l}}<{{.}}>{{/l}}{{^l}}none{{/l}}", "{\"l\":[1,2]}", "en", "<1><2>");
    gives("{{#l}}<{{.}}>{{/l}}{{^l}}none{{/l}}", "{\"l\":[]}", "en", "none");
    gives("{{#o}}{{a}}{{b}}{{/o}}", "{\"b\":\"B\",\"o\":{\"a\":\"A\"}}", "en", "AB");
    gives("{{#l}}{{n}}{{#in}}{{n}}{{out}}{{/in}};{{/l}}",
          "{\"out\":\"!\",\"l\":[{\"n\":1,\"in\":{\"n\":2}},{\"n\":3,\"in\":null}]}", "en", "12!;3;");
    gives("{{#t}}T{{/t}}{{#f}}F{{/f}}{{#e}}E{{/e}}{{#z}}Z{{/z}}{{#none}}N{{/none}}{{#s}}[{{.}}]{{/s}}",
          "{\"t\":true,\"f\":false,\"e\":\"\",\"z\":0,\"s\":\"x\"}", "en", "T[x]");
    gives("{{>part}}{{#l}}{{>part}}{{/l}}", "{\"name\":\"o\",\"l\":[{\"name\":\"i\"},{}]}", "en", "(o)(i)(o)");
}

static void forms(void **state)
{
    static const struct {
        const char *model, *en, *fr;
    } cases[] = {
        { "{\"n\":0}", "0 active consents", "0 consentement actif" },
        { "{\"n\":1}", "1 active consent", "1 consentement actif" },
        { "{\"n\":2}", "2 active consents", "2 consentements actifs" },
        { "{\"n\":21}", "21 active consents", "21 consentements actifs" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gives("{{n}} {{+me.consents_live [n]}}", cases[i].model, "en", cases[i].en);
        gives("{{n}} {{+me.consents_live [n]}}", cases[i].model, "fr", cases[i].fr);
    }
    fails("{{+me.consents_live [n]}}", "{\"n\":\"many\"}");
    fails("{{+me.consents_live}}", "{}");
    fails("{{+no.such.word [n]}}", "{\"n\":1}");
}

static void words(void **state)
{
    gives("{{_frame.signout}}", "{}", "fr", "Se déconnecter");
    gives("{{_frame.[w]}}", "{\"w\":\"menu\"}", "en", "Menu");
    gives("{{_frame.[w]}}", "{\"w\":\"<b>\"}", "en", "&lt;b&gt;"); /* no such word: the value, escaped */
    BUF_AUTO b = buf_make(1 << 16);
    word_put(&b, TEXT("L'un : « l'autre » ? <"), TEXT("fr"));
    assert_true(text_eq(built(&b), TEXT("L’un\u202f: «\u202fl’autre\u202f»\u202f? &lt;")));
    size_t count;
    const struct word *rows = word_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].key.n || !rows[i].en.n || !rows[i].fr.n)
            fail_msg("a part of the word \"%.*s\" is empty", T(rows[i].key));
        for (size_t j = 0; j < i; j++)
            if (text_eq(rows[i].key, rows[j].key))
                fail_msg("the word \"%.*s\" stands twice", T(rows[i].key));
    }
    assert_true(word_family(TEXT("frame.")) && !word_family(TEXT("frame.signout")));
}

/* What people and policies may hold, wherever a template puts it. */
static void canaries(void **state)
{
    static const char *const bad[] = { "<script>alert(1)</script>",
                                       "\\\"><img src=x onerror=alert(1)>",
                                       "' onmouseover='alert(1)",
                                       "</title><svg onload=alert(1)>",
                                       "{{x}}{{#x}}",
                                       "&lt;b&gt;",
                                       "javascript:alert(1)" };
    static const char
        body[] = "<p title=\"{{x}}\">{{x}}{{#l}}{{.}}{{/l}}{{_frame.[x]}}{{@x}}</p><a href=\"/y?z={{%x}}\">";
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ARENA_AUTO a = arena_make(1 << 20);
        BUF_AUTO b = buf_make(1 << 20);
        text model = arena_print(&a, "{\"x\":\"%s\",\"l\":[\"%s\"]}", bad[i], bad[i]);
        assert_int_equal(fill(&a, body, model.p, "en", &b), OK);
        text out = built(&b);
        unsigned open = 0, quotes = 0;
        for (size_t k = 0; k < out.n; k++) {
            open += out.p[k] == '<';
            quotes += out.p[k] == '"';
        }
        bool timed = text_find(out, TEXT("<time")) >= 0;
        assert_int_equal(open, timed ? 5 : 3); /* only what the template has: <p </p <a, and <time> */
        assert_int_equal(quotes, timed ? 6 : 4);
        assert_true(text_find(out, TEXT("'")) < 0);
        assert_true(text_find(out, TEXT("href=\"/y?z=")) >= 0);
    }
}

static void faults(void **state)
{
    fails("{{nothing}}", "{}");
    fails("{{%nothing}}", "{}");
    fails("{{a.b}}", "{\"a\":{}}");
    fails("{{o}}", "{\"o\":{}}");
    fails("{{l}}", "{\"l\":[[1]]}");
    fails("{{_no.such.word}}", "{}");
    fails("{{_frame.[o]}}", "{\"o\":[]}");
    fails("{{>nothing}}", "{}");
    fails("{{>t}}", "{}"); /* itself, without end */
    fails("{{#a}}", "{\"a\":true}");
    fails("{{/a}}", "{\"a\":true}");
    fails("{{#a}}{{#b}}{{/a}}{{/b}}", "{\"a\":true,\"b\":true}");
    fails("{{a", "{\"a\":1}");
    fails("{{A}}", "{\"A\":1}");
    fails("{{}}", "{}");
    fails("{{{a}}}", "{\"a\":1}"); /* there is no raw form */
    fails("{{&a}}", "{\"a\":1}");
    BUF_AUTO deep = buf_make(1 << 16);
    for (int i = 0; i <= TEMPLATE_DEPTH; i++)
        buf_add(&deep, TEXT("{{#a}}"));
    for (int i = 0; i <= TEMPLATE_DEPTH; i++)
        buf_add(&deep, TEXT("{{/a}}"));
    buf_char(&deep, 0);
    fails(deep.p, "{\"a\":true}");
}

static enum err check(struct arena *a, const char *body)
{
    struct files f;
    const char *const pairs[] = { "part.html", "<b>{{name}}</b>", "t.html", body };
    files_of(&f, 2, pairs);
    return template_check(a, &f.all, TEXT("t"));
}

static void soundness(void **state)
{
    static const char *const good[] = {
        "<p class=\"a {{b}}\">{{c}}</p>",
        "<a href=\"/x/{{%y}}?z={{%z}}\">",
        "<a href=\"mailto:{{%y}}\">",
        "<a href=\"#f-{{%y}}\">",
        "<a href=\"?x={{%y}}\">",
        "<input{{#on}} checked{{/on}} value=\"{{v}}\">",
        "<p>{{_yes}}{{_frame.[x]}}{{@t}}{{>part}}</p>",
        "<svg><rect width=\"{{w}}\"/></svg>",
        "<input value=\"\">",
        "<a href=\"/x{{#y}}?z={{%y}}{{/y}}\">",
    };
    static const char *const bad[] = {
        "<p {{a}}>",
        "<p class={{a}}>",
        "<p class='{{a}}'>",
        "<{{a}}>",
        "<a href=\"{{a}}\">",
        "<a href=\"{{%a}}\">",
        "<a href=\"/x?y={{a}}\">",
        "<a href=\"https://x/{{%a}}\">",
        "<a href=\"//x/{{%a}}\">",
        "<a href=\"javascript:{{%a}}\">",
        "<form action=\"{{a}}\">",
        "<p onclick=\"x('{{a}}')\">",
        "<p style=\"color:{{a}}\">",
        "<script>{{a}}</script>",
        "<script src=\"/static/x.js\">alert(1)</script>",
        "<style>{{a}}</style>",
        "<iframe src=\"/x\">",
        "<p title=\"{{@t}}\">",
        "<p title=\"{{>part}}\">",
        "<p {{#a}}title=\"{{/a}}\">",
        "{{#a}}<p{{/a}}>",
        "{{_no.such}}",
        "{{_no.such.[x]}}",
        "{{>nothing}}",
        "{{#a}}",
        "{{/a}}",
        "<p",
        "<p title=\"",
        "{{%a}}",
        "<p title=\"{{%a}}\">",
        "<img src=\"{{a}}\">",
        "<a href=\"{{#a}}/{{/a}}{{%a}}\">",
        "<use href=\"x{{%a}}\"/>",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ARENA_AUTO a = arena_make(1 << 16);
        if (check(&a, good[i]) != OK)
            fail_msg("%s", a.why.detail);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ARENA_AUTO a = arena_make(1 << 16);
        if (check(&a, bad[i]) != ERR_INTERNAL)
            fail_msg("%s passes", bad[i]);
    }
}

/* The templates that are served; each page has a title. */
static void templates(void **state)
{
    for (size_t i = 0; i < front_templates.count; i++) {
        ARENA_AUTO a = arena_make(1 << 16);
        text name = front_templates.items[i].name, body = front_templates.items[i].plain.bytes;
        name = text_upto(name, name.n - 5);
        if (template_check(&a, &front_templates, name) != OK)
            fail_msg("%s", a.why.detail);
        text title = arena_print(&a, "title.%.*s", T(name));
        if (text_find(body, TEXT("{{>head}}")) >= 0 && !word_find(title, TEXT("en")).p)
            fail_msg("words.def has no \"%.*s\"", T(title));
    }
    static const char *const menu[] = {
#define NAV(area, group, key, path, icon, clause) "nav.group." group, "nav." key,
#include "front/page/nav.def"
#undef NAV
    };
    for (size_t i = 0; i < sizeof menu / sizeof *menu; i++)
        if (!word_find(text_of(menu[i]), TEXT("fr")).p)
            fail_msg("words.def has no \"%s\"", menu[i]);
}

static void next_paths(void **state)
{
    static const text good[] = { TEXT_INIT("/me"), TEXT_INIT("/me/looks?page=2"), TEXT_INIT("/a%20b") };
    static const text bad[] = { TEXT_INIT(""),
                                TEXT_INIT("/"),
                                TEXT_INIT("//evil.example"),
                                TEXT_INIT("/\\evil.example"),
                                TEXT_INIT("https://evil.example"),
                                TEXT_INIT("me"),
                                TEXT_INIT("/me\r\nSet-Cookie: a=b"),
                                TEXT_INIT("/me\\x"),
                                TEXT_INIT("/ me"),
                                TEXT_INIT("/a b"),
                                TEXT_INIT("/x\\y"),
                                TEXT_INIT("javascript:x") };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(text_eq(page_next(good[i], TEXT("/me")), good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_true(text_eq(page_next(bad[i], TEXT("/other")), TEXT("/other")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values),    cmocka_unit_test(sections),
                                        cmocka_unit_test(words), cmocka_unit_test(forms),     cmocka_unit_test(canaries),
                                        cmocka_unit_test(faults),    cmocka_unit_test(soundness),
                                        cmocka_unit_test(templates), cmocka_unit_test(next_paths) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

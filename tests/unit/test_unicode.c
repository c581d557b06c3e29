/* Unit tests of letters, telephone numbers and IBANs: every writing of one thing has one form, and other things have
 * others. */
#include "base/iban.h"
#include "base/telephone.h"
#include "base/unicode.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void assert_same(text got, const char *wanted)
{
    if (!text_eq(got, text_of(wanted)))
        fail_msg("%.*s, not %s", T(got), wanted);
}

static void forms(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    assert_same(unicode_nfc(&a, TEXT("a\r\nb\rc\u2028d\u2029e\xC2\x85"
                                     "f\n")),
                "a\nb\nc\nd\ne\nf\n");
    assert_same(unicode_nfc(&a, TEXT("Zoe\u0301 \u1100\u1161")), "Zo\u00E9 \uAC00");
    assert_same(unicode_fold(&a, TEXT("\uFF3A\uFF4Fe\u0301\u00AD\u200B")), "zo\u00E9");
    assert_same(unicode_fold(&a, TEXT("Stra\u00DFe \u0130 \uFB01")), "stra\u00DFe i fi");
    assert_same(unicode_fold(&a, TEXT("\u039F\u0394\u039F\u03A3")), "\u03BF\u03B4\u03BF\u03C3");
    assert_same(unicode_fold(&a, TEXT("\u03BF\u03B4\u03BF\u03C2")), "\u03BF\u03B4\u03BF\u03C3");
    assert_same(unicode_bare(&a, TEXT("Fran\u00E7ois-\u00C9mile d'\u00C5s")), "francoisemiledas");
    assert_same(unicode_nfc(&a, TEXT("")), "");
    assert_same(unicode_seen(&a, TEXT("x\u202Ey\u2060z")), "xyz");
}

static void blanks(void **state)
{
    static const char *const none[] = { "",
                                        " ",
                                        "\t\r\n",
                                        "\u00A0",
                                        "\xC2\x85",
                                        "\u1680",
                                        "\u2000\u200A",
                                        "\u200B",
                                        "\u200C\u200D\u200E\u200F",
                                        "\u2028",
                                        "\u202F",
                                        "\u205F",
                                        "\u2060",
                                        "\u3000",
                                        "\uFEFF",
                                        "\u00AD",
                                        "\u034F",
                                        "\u061C",
                                        "\u115F\u1160",
                                        "\u17B4",
                                        "\u180B",
                                        "\u180E",
                                        "\u2800",
                                        "\u2066",
                                        "\u3164",
                                        "\uFE0F",
                                        "\uFFA0",
                                        "\U000E0020",
                                        "\x7F" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (!unicode_is_blank(text_of(none[i])))
            fail_msg("row %zu is seen", i);
    assert_same(unicode_trim(TEXT("\uFEFF\u00A0a b\u200B ")), "a b");
    assert_false(unicode_is_blank(TEXT("\u00A0.\u00A0")));
    text broken = TEXT("\xC3");
    assert_false(unicode_is_blank(broken));
}

static void hosts(void **state)
{
    ARENA_AUTO a = arena_make(1 << 20);
    assert_same(unicode_host(&a, TEXT("EX.Example."), true), "ex.example");
    assert_same(unicode_host(&a, TEXT("B\u00FCcher.example"), true), "xn--bcher-kva.example");
    assert_same(unicode_host(&a, TEXT("Bu\u0308cher\u3002example"), true), "xn--bcher-kva.example");
    assert_same(unicode_host(&a, TEXT("XN--BCHER-KVA.example"), true), "xn--bcher-kva.example");
    assert_same(unicode_host(&a, TEXT("fa\u00DF.example"), true), "xn--fa-hia.example");
    static const char *const none[] = { "",
                                        ".",
                                        "a..b",
                                        "-a.example",
                                        "a-.example",
                                        "a b.example",
                                        "a_b.example",
                                        "xn--a.example",
                                        "a\uFF0Fb.example",
                                        "\uFFFD.example" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (unicode_host(&a, text_of(none[i]), true).p)
            fail_msg("%s is a host", none[i]);
    assert_non_null(unicode_host(&a, TEXT("a_b.example"), false).p);
}

static void scripts(void **state)
{
    assert_true(unicode_mixed(TEXT("p\u0430ypal")));
    assert_true(unicode_mixed(TEXT("\u041Cartin")));
    assert_false(unicode_mixed(TEXT("paypal \u043F\u0430\u0439")));
    assert_false(unicode_mixed(TEXT("Fran\u00E7ois 42, \u65E5\u672C")));
}

static void telephones(void **state)
{
    static const struct {
        const char *country, *written, *form;
    } rows[] = {
        { "FR", "+33 6 12 34 56 78", "+33612345678" },
        { "FR", "+33 (0)6 12 34 56 78", "+33612345678" },
        { "FR", "+33 06 12 34 56 78", "+33612345678" },
        { "FR", "0033 6 12 34 56 78", "+33612345678" },
        { "FR", "0033 (0)6 12 34 56 78", "+33612345678" },
        { "FR", "(+33) 6.12.34.56.78", "+33612345678" },
        { "FR", "06 12 34 56 78", "+33612345678" },
        { "FR", "06.12.34.56.78", "+33612345678" },
        { "FR", "06\u00A012\u202F34\u201156-78", "+33612345678" },
        { "FR", "612345678", "+33612345678" },
        { "FR", "33612345678", "+33612345678" },
        { "FR", "tel:+33-6-12-34-56-78", "+33612345678" },
        { "FR", "\u0660\u0666 12 34 56 78", "+33612345678" },
        { "FR", "\uFF0B33612345678", "+33612345678" },
        { "FR", "\u200E+33612345678\u200B", "+33612345678" },
        { "FR", "01 23 45 67 89 poste 12", "+33123456789x12" },
        { "FR", "01 23 45 67 89 ext. 12", "+33123456789x12" },
        { "FR", "+33123456789x12", "+33123456789x12" },
        { "FR", "tel:+33123456789;ext=12", "+33123456789x12" },
        { "FR", "4915193760600", "+4915193760600" },
        { "FR", "+49 (0) 151 93760600", "+4915193760600" },
        { "DE", "0151 93760600", "+4915193760600" },
        { "DE", "4915193760600", "+4915193760600" },
        { "IT", "06 1234 5678", "+390612345678" },
        { "FR", "+39 06 1234 5678", "+390612345678" },
        { "ES", "612 345 678", "+34612345678" },
        { "GB", "07700 900123", "+447700900123" },
        { "FR", "+44 (0)7700 900123", "+447700900123" },
        { "LU", "621 123 456", "+352621123456" },
        { "BE", "0470/12.34.56", "+32470123456" },
        { "US", "(202) 555-0123", "+12025550123" },
        { "US", "1-202-555-0123", "+12025550123" },
        { "FR", "3631 00", "363100" },
        { "", "06 12 34 56 78", "0612345678" },
    };
    ARENA_AUTO a = arena_make(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct telephone t;
        if (!telephone_read(text_of(rows[i].written), text_of(rows[i].country), &t))
            fail_msg("%s is no telephone number", rows[i].written);
        assert_same(telephone_print(&a, &t), rows[i].form);
    }
    static const char *const none[] = { "",
                                        "12345",
                                        "+",
                                        "++33612345678",
                                        "06 12 34 56 7a",
                                        "+1234567890123456",
                                        "1234567890123456789012345",
                                        "x12",
                                        "06+12345678",
                                        "zoe@ex.example",
                                        "01 23 45 67 89 x",
                                        "01 23 45 67 89 x123456789012" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct telephone t;
        if (telephone_read(text_of(none[i]), TEXT("FR"), &t))
            fail_msg("%s is a telephone number", none[i]);
    }
}

static void ibans(void **state)
{
    static const char *const good[] = { "FR1420041010050500013M02606",
                                        "DE89370400440532013000",
                                        "MT84MALT011000012345MTLCAST001S",
                                        "NO9386011117947",
                                        "BE68539007547034",
                                        "GB29NWBK60161331926819",
                                        "LC55HEMM000100010012001200023015" };
    static const char *const bad[] = { "",
                                       "FR1420041010050500013M02607",
                                       "DE8937040044053201300",
                                       "ZZ47411111111111111",
                                       "4111111111111111",
                                       "fr1420041010050500013M02606",
                                       "FR14 2004101005050001" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!iban_good(text_of(good[i])))
            fail_msg("%s is no IBAN", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (iban_good(text_of(bad[i])))
            fail_msg("%s is an IBAN", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(forms),      cmocka_unit_test(blanks),
                                        cmocka_unit_test(hosts),      cmocka_unit_test(scripts),
                                        cmocka_unit_test(telephones), cmocka_unit_test(ibans) };
    return cmocka_run_group_tests_name("unicode", tests, NULL, NULL);
}

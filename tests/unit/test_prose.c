/* Unit tests of prose: apostrophes, the blanks of French, plurals, and countries with the preposition each takes. */
#include "base/prose.h"
#include "policy/schema.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void sets(bool french, const char *typed, const char *set)
{
    struct buf b = buf_make(4096);
    prose_set(&b, text_of(typed), french);
    text got = (text){ b.p, b.n };
    if (!text_eq(got, text_of(set)))
        fail_msg("\"%s\" is set as \"%.*s\"", typed, T(got));
    buf_free(&b);
}

static void blanks_of_french(void **state)
{
    sets(true, "Il dit : « Quoi ? Non ! » ; c'est n° 5.",
         "Il dit\u202F: «\u202FQuoi\u202F? Non\u202F!\u202F»\u202F; c’est n°\u00A05.");
    sets(true, "à 10:30, sur https://a.example/?b=c", "à 10:30, sur https://a.example/?b=c");
    sets(true, "« » :", "«\u202F»\u202F:");
    sets(true,
         "a\x01"
         "b\nc",
         "ab\nc");
    sets(false, "It's \"so\" : no ?", "It’s \"so\" : no ?");
}

static void plurals(void **state)
{
    static const struct {
        int64_t n;
        const char *en, *fr;
    } cases[] = { { -1, "one", "one" },
                  { 0, "many", "one" },
                  { 1, "one", "one" },
                  { 2, "many", "many" },
                  { 1000000, "many", "many" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(text_eq(prose_form(TEXT("one|many"), cases[i].n, false), text_of(cases[i].en)));
        assert_true(text_eq(prose_form(TEXT("one|many"), cases[i].n, true), text_of(cases[i].fr)));
    }
    assert_true(text_eq(prose_form(TEXT("word"), 5, true), TEXT("word")));
}

static void countries_with_their_prepositions(void **state)
{
    static const struct {
        const char *code, *en, *fr;
    } known[] = {
        { "CA", "in", "au" },     { "CY", "in", "à" },  { "DE", "in", "en" },      { "FR", "in", "en" },
        { "GB", "in the", "au" }, { "IE", "in", "en" }, { "IN", "in", "en" },      { "IR", "in", "en" },
        { "JP", "in", "au" },     { "LU", "in", "au" }, { "MT", "in", "à" },       { "NL", "in the", "aux" },
        { "PT", "in", "au" },     { "SG", "in", "à" },  { "US", "in the", "aux" },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct country *c = country_of(text_of(known[i].code));
        assert_non_null(c);
        if (!text_eq(c->in_en, text_of(known[i].en)) || !text_eq(c->in_fr, text_of(known[i].fr)))
            fail_msg("%s: %.*s, %.*s", known[i].code, T(c->in_en), T(c->in_fr));
    }
    const struct country *c;
    for (unsigned i = 0; (c = country_at(i)); i++) {
        bool many = text_ends(c->fr, TEXT("s")) && text_starts(c->in_fr, TEXT("en"));
        bool islands = text_starts(c->fr, TEXT("Îles")) && !text_eq(c->in_fr, TEXT("aux"));
        assert_true(c->in_en.n && c->in_fr.n);
        if ((many && !text_eq(c->fr, TEXT("Émirats"))) || islands)
            fail_msg("%.*s %.*s", T(c->in_fr), T(c->fr));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(blanks_of_french), cmocka_unit_test(plurals),
                                        cmocka_unit_test(countries_with_their_prepositions) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Unit tests of the guard against card numbers: the schemes' test numbers in every writing, what is no card, and how
 * often ordinary numbers are taken for one. */
#include "base/card.h"
#include "base/buf.h"
#include "base/file/card_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "built.h"

/* Published test numbers of schemes and payment companies. */
static const char *const cards[] = {
    "4111111111111111",    "4242424242424242",    "4012888888881881", "4000056655665556",    "4222222222222",
    "4007000000027",       "4917610000000000003", "4917484589897107", "5555555555554444",    "5105105105105100",
    "5200828282828210",    "5454545454545454",    "2223003122003222", "2223000048400011",    "2720992593319364",
    "378282246310005",     "371449635398431",     "378734493671000",  "343434343434343",     "30569309025904",
    "38520000023237",      "36227206271667",      "36259600000004",   "38000000000006",      "3056930009020004",
    "6011111111111117",    "6011000990139424",    "6011981111111113", "6555900000604105",    "6445644564456445",
    "3530111333300000",    "3566002020360505",    "3088000000000017", "6200000000000005",    "6200000000000047",
    "6205500000000000004", "6221261111117766",    "6243030000000001", "8171999927660000",    "5019717010103742",
    "6304000000000000",    "6759649826438453",    "6761000000000006", "6333333333333333336", "5018000000000009",
    "5020000000000005",    "2200000000000004",    "2204120100000005", "6062826786276634",    "6362970000457013",
    "9792030394440796",
};
enum { CARDS = sizeof cards / sizeof *cards };

static void assert_found(text s, text expected)
{
    text where = { NULL, 0 };
    if (!card_find(s, &where))
        fail_msg("not found in: %.*s", T(s));
    if (!text_eq(where, expected))
        fail_msg("found %.*s in: %.*s", T(where), T(s));
    assert_true(where.p >= s.p && where.p + where.n <= s.p + s.n);
}

static void assert_none(const char *s)
{
    text where;
    if (card_find(text_of(s), &where))
        fail_msg("found %.*s in: %s", T(where), s);
}

/* Writes `digits` with `separator` after each group of `size`. */
static text grouped(const char *digits, size_t size, const char *separator, char out[256])
{
    size_t n = 0, length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i && i % size == 0)
            n += (size_t)snprintf(out + n, 256 - n, "%s", separator);
        out[n++] = digits[i];
    }
    return (text){ out, n };
}

static void every_grouping(void **state)
{
    static const char *const separators[] = { " ",      "-",      ".",      "\u00A0", "\u202F", "\u2009", "\u2013",
                                              "\u2011", "\u200B", "\u00AD", "\uFEFF", "  ",     " - ",    ". " };
    char out[256], framed[512];
    for (size_t i = 0; i < CARDS; i++) {
        assert_found(text_of(cards[i]), text_of(cards[i]));
        for (size_t k = 0; k < sizeof separators / sizeof *separators; k++)
            for (size_t size = 1; size <= 6; size++) {
                text s = grouped(cards[i], size, separators[k], out);
                assert_found(s, s);
                int n = snprintf(framed, sizeof framed, "Carte n° :%.*s, merci", T(s));
                assert_found((text){ framed, (size_t)n }, s);
            }
    }
}

static void printed_groupings(void **state)
{
    assert_found(TEXT("3782 822463 10005"), TEXT("3782 822463 10005"));
    assert_found(TEXT("3056 930902 5904"), TEXT("3056 930902 5904"));
    assert_found(TEXT("4111-1 1111.11111 11"), TEXT("4111-1 1111.11111 11"));
    assert_found(TEXT("41\n4111111111111111"), TEXT("4111111111111111"));
    assert_found(TEXT("a4111111111111111b"), TEXT("4111111111111111"));
    assert_found(TEXT(";4111111111111111=27122010000000000?"), TEXT("4111111111111111"));
    assert_found(TEXT("{\"a\":4111111111111111}"), TEXT("4111111111111111"));
}

static void beside_other_digits(void **state)
{
    assert_found(TEXT("4111 1111 1111 1111 12/27 123"), TEXT("4111 1111 1111 1111"));
    assert_found(TEXT("4111 1111 1111 1111 12 27"), TEXT("4111 1111 1111 1111"));
    assert_found(TEXT("1. 4111 1111 1111 1111"), TEXT("4111 1111 1111 1111"));
    assert_found(TEXT("06 12 34 56 78 4111-1111-1111-1111"), TEXT("4111-1111-1111-1111"));
    assert_found(TEXT("2026-11-22 3782 822463 10005"), TEXT("3782 822463 10005"));
    assert_found(TEXT("22.11.2026 4111111111111111"), TEXT("4111111111111111"));
    assert_found(TEXT("+33612345678 4111111111111111"), TEXT("4111111111111111"));
    assert_found(TEXT("12 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"), TEXT("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"));
    assert_found(TEXT("FR76 3000 6000 0112 3456 7890 189 4111 1111 1111 1111"), TEXT("4111 1111 1111 1111"));
    assert_found(TEXT("2cf24dba5fb0a30e26e83b2ac5b9e29e 4111111111111111"), TEXT("4111111111111111"));
    assert_found(TEXT("+4111111111111111"), TEXT("4111111111111111"));
    assert_found(TEXT("1.4111.1111.1111.1111"), TEXT("4111.1111.1111.1111"));
}

static void other_digits(void **state)
{
    static const text written[] = {
        TEXT_INIT("\uFF14\uFF11\uFF11\uFF11\uFF11\uFF11\uFF11\uFF11\uFF11\uFF11\uFF11\uFF11\uFF11\uFF11\uFF11\uFF11"),
        TEXT_INIT(
            "\u0664\u0661\u0661\u0661 \u0661\u0661\u0661\u0661 \u0661\u0661\u0661\u0661 \u0661\u0661\u0661\u0661"),
        TEXT_INIT("\u06F4\u06F1\u06F1\u06F1\u06F1\u06F1\u06F1\u06F1\u06F1\u06F1\u06F1\u06F1\u06F1\u06F1\u06F1\u06F1"),
        TEXT_INIT("\u096A\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967\u0967"),
        TEXT_INIT("\U0001D7D2\U0001D7CF11\U0001D7CF11111111111"),
        TEXT_INIT("4\u0661\uFF111 1111-\uFF111\u200B11.1111"),
    };
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        assert_found(written[i], written[i]);
}

static void broken_bytes(void **state)
{
    static const text whole = TEXT_INIT("x\uFF14\u0661\U0001D7CF\xEF\xBC\xF0\x9D\x9F\xD9\xE2\x80\x00\xFF+\x2E 4");
    char copy[64];
    for (size_t n = 0; n <= whole.n; n++)
        for (size_t from = 0; from <= n; from++) {
            text cut = { copy + sizeof copy - (n - from), n - from }; /* at the very end: a read beyond shows */
            memcpy(copy + sizeof copy - cut.n, whole.p + from, cut.n);
            assert_false(card_find(cut, NULL));
        }
    assert_false(card_find((text){ NULL, 0 }, NULL));
    assert_found(TEXT("\xF0\x9D\x9F"
                      "4111111111111111\xEF\xBC"),
                 TEXT("4111111111111111"));
}

static void no_cards(void **state)
{
    static const char *const others[] = {
        "",
        "4",
        "4111111111111112",
        "411111111111111",
        "41111111111111111", /* check digit, length */
        "1234567890123452",
        "7111111111111114",
        "0000000000000000",     /* Luhn, and no issuer's range */
        "41111111111111111111", /* inside a longer string */
        "FR76 3000 6000 0112 3456 7890 189",
        "FR7630006000011234567890189",
        "iban: fr14 2004 1010 0505 0001 3m02 606 ok",
        "DE89 3704 0044 0532 0130 00",
        "LT12 1000 0111 0100 1000",
        "NO93 8601 1117 947",
        "BE68 5390 0754 7034",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
        "+49 1511 2345674",
        "+4915112345674",
        "06 12 34 56 78",
        "06 12 34 56 78 01 23 45 67 89",
        "555-123-4567 555-987-6543",
        "1763776020000",
        "1763776020000000",
        "1763776020000000000",
        "20261122014700",
        "2026-11-22T01:47:00.000Z",
        "31.12.2027 - 15.01.2028",
        "30.04.2025 15.06.2026",
        "2026-11-22 01.47.00.000000",
        "48.85837009999999",
        "2.294481 48.85837009999999",
        "46.52863469527167 3.52863469527167",
        "550e8400-e29b-41d4-a716-446655440000",
        "4a7174f2-4111-4111-8111-411111111111",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "38347481400126",
        "383 474 814 00126", /* SIRET, that would be Diners Club */
        "4006381333023",
        "4 006381 333023",
        "3017620422003",
        "978-2-07-036822-8", /* EAN, the first two would be Visa; ISBN */
        "1 84 12 76 451 089 46",
        "2 84 05 75 123 456 78",
        "356938035643809", /* social security, IMEI */
        "192.168.100.200 255.255.255.255",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_none(others[i]);
    /* A digit beyond ASCII right behind a digest: once an endless search. */
    assert_none("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c\xC2\xB3 and 4");
    assert_none("dddddddddddddddddddddddddddddddd\xC2\xB3\xC2\xB3");
    assert_found(TEXT("9f86d081884c7d659a2feaa0c55ad015\xC2\xB2 4111111111111111"), TEXT("4111111111111111"));
}

/* ---- Disguises, and what is none: tests/lib/cards.json, which the promise of it sends to the server, too. ---- */

static const struct json *cases(struct arena *a, const char *list)
{
    static char bytes[1 << 20];
    char path[512];
    const struct json *all;
    snprintf(path, sizeof path, "%s/tests/lib/cards.json", getenv("GARANT_SOURCE"));
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_int_equal(json_parse(a, (text){ bytes, n }, &all), OK);
    return json_get(all, text_of(list));
}

static void disguises(void **state)
{
    ARENA_AUTO a = arena_make(8 << 20);
    const struct json *list = cases(&a, "disguised");
    assert_true(list->count >= 150);
    unsigned missed = 0;
    JSON_EACH(one, list) {
        bool found = false;
        assert_int_equal(card_look(&a, one->value, &found), OK);
        if (!found) {
            print_error("not found: %.*s\n", T(one->value));
            missed++;
        }
        text masked = card_mask(&a, one->value);
        assert_non_null(masked.p);
        assert_int_equal(card_look(&a, masked, &found), OK);
        if (found) {
            print_error("still there: %.*s\n", T(masked));
            missed++;
        }
    }
    assert_int_equal(missed, 0);
}

static void no_disguises(void **state)
{
    ARENA_AUTO a = arena_make(8 << 20);
    const struct json *list = cases(&a, "others");
    assert_true(list->count >= 60);
    unsigned taken = 0;
    JSON_EACH(one, list) {
        bool found = false;
        text where = { NULL, 0 };
        assert_int_equal(card_look(&a, one->value, &found), OK);
        card_find(one->value, &where);
        if (found) {
            print_error("taken for a card: %.*s (%.*s)\n", T(one->value), T(where));
            taken++;
        }
        assert_true(found || text_eq(card_mask(&a, one->value), one->value));
    }
    assert_int_equal(taken, 0);
}

/* A number that only resembles what is let pass is refused: wrong check digits, too long, other establishment. */
static void near_others(void **state)
{
    assert_found(TEXT("FR00 4111 1111 1111 1111 7890 189"), TEXT("4111 1111 1111 1111"));
    assert_found(TEXT("XFR76 4111 1111 1111 1111"), TEXT("4111 1111 1111 1111"));
    assert_found(TEXT("550e8400-e29b-41d4-a716 4111111111111111"), TEXT("4111111111111111"));
    assert_found(TEXT("38347481410125"), TEXT("38347481410125"));
    assert_found(TEXT("41.12.2026-34567894"), TEXT("41.12.2026-34567894"));
}

/* ---- how often ---- */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17; /* xorshift64 */
    return *state;
}

/* Cases cut, joined and disturbed at random, written in another way, and spread over members: the one pass that tells
 * that nothing can be there lets through whatever the closer look finds. */
struct mix {
    uint64_t state;
    const struct json *cases[2];
    char bytes[1 << 14];
    size_t n;
};

static size_t below(struct mix *m, size_t limit) { return (size_t)(next_random(&m->state) >> 11) % limit; }

static void mix_part(struct mix *m)
{
    const struct json *list = m->cases[below(m, 4) == 0], *one = list->first;
    for (size_t skip = below(m, list->count); skip; skip--)
        one = one->next;
    text s = text_upto(text_from(one->value, below(m, 3) ? 0 : below(m, one->value.n + 1)), 300);
    memcpy(m->bytes + m->n, s.p, s.n);
    m->n += below(m, 3) ? s.n : below(m, s.n + 1);
}

static void mix_sign(struct mix *m)
{
    static const char *const signs[] = { "%34", "&#x",  "\\x3",    "=3", "\n ", "<b>", "l",  "O", "E+15", " ",
                                         "41",  "0000", "\u202E", "/",  "é",   "\x1e", "-", "a", "\uFF14", "\r\n" };
    const char *sign = signs[below(m, sizeof signs / sizeof *signs)];
    size_t n = strlen(sign), at = below(m, m->n + 1);
    memmove(m->bytes + at + n, m->bytes + at, m->n - at);
    memcpy(m->bytes + at, sign, n);
    m->n += n;
}

static int write_as(size_t form, uint8_t byte, char out[16])
{
    switch (form) {
    case 0:
        return snprintf(out, 16, "%%%02X", byte);
    case 1:
        return snprintf(out, 16, "&#%u;", byte);
    case 2:
        return snprintf(out, 16, "\\u%04x", byte);
    case 3:
        return snprintf(out, 16, "=%02X", byte);
    case 4:
        return snprintf(out, 16, "%02x", byte);
    default:
        return snprintf(out, 16, "0x%x ", byte);
    }
}

static void mix_written(struct mix *m)
{
    size_t form = below(m, 6);
    char out[1 << 14];
    size_t n = 0, often = 1 + below(m, 3);
    for (size_t i = 0; i < m->n && n + 16 < sizeof out; i++) {
        if (below(m, often))
            out[n++] = m->bytes[i];
        else
            n += (size_t)write_as(form, (uint8_t)m->bytes[i], out + n);
    }
    memcpy(m->bytes, out, n);
    m->n = n;
}

static void mix(struct mix *m)
{
    m->n = 0;
    for (size_t parts = 1 + below(m, 3); parts; parts--)
        mix_part(m);
    for (size_t signs = below(m, 4); signs; signs--)
        mix_sign(m);
    for (size_t times = below(m, 3); times && m->n < 1500; times--)
        mix_written(m);
}

/* The text cut into three members: in their names, in their values, or in both. */
static bool spread_alike(struct arena *a, struct mix *m)
{
    struct json members[3], all = { .kind = J_OBJECT, .count = 3, .first = members };
    size_t at = 0, kind = below(m, 3);
    bool one, other;
    for (size_t i = 0; i < 3; i++) {
        size_t n = i < 2 ? below(m, m->n - at + 1) : m->n - at;
        text part = { m->bytes + at, n }, begin = text_upto(part, n / 2), end = text_from(part, n / 2);
        members[i] = (struct json){ .kind = J_TEXT, .next = i < 2 ? &members[i + 1] : NULL };
        members[i].key = kind == 0 ? TEXT("page") : kind == 1 ? part : begin;
        members[i].value = kind == 0 ? part : kind == 1 ? TEXT("view") : end;
        at += n;
    }
    assert_int_equal(card_look_json(a, &all, NULL, &one), OK);
    assert_int_equal(card_look_json_closely(a, &all, NULL, &other), OK);
    return one == other;
}

static void nothing_slips(void **state)
{
    ARENA_AUTO known = arena_make(8 << 20);
    struct mix *m = NEW(&known, struct mix);
    unsigned found_in = 0;
    *m = (struct mix){ .state = 20261201 };
    m->cases[0] = cases(&known, "disguised");
    m->cases[1] = cases(&known, "others");
    for (unsigned i = 0; i < 6000; i++) {
        ARENA_AUTO a = arena_make(8 << 20);
        bool one, other;
        mix(m);
        assert_int_equal(card_look(&a, (text){ m->bytes, m->n }, &one), OK);
        assert_int_equal(card_look_closely(&a, (text){ m->bytes, m->n }, &other), OK);
        found_in += other;
        if (one != other || !spread_alike(&a, m))
            fail_msg("missed, in a text or in members: %.*s", (int)m->n, m->bytes);
    }
    assert_in_range(found_in, 300, 5000);
}

static void digits(uint64_t *state, char *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (char)('0' + next_random(state) % 10);
    out[count] = '\0';
}

/* How many of `all` made-up numbers are taken for cards. */
static unsigned taken(void (*make)(uint64_t *state, char *out), unsigned all)
{
    uint64_t state = 88172645463325252u;
    unsigned count = 0;
    char out[128];
    for (unsigned i = 0; i < all; i++) {
        make(&state, out);
        count += card_find(text_of(out), NULL);
    }
    return count;
}

static void sixteen(uint64_t *state, char *out) { digits(state, out, 16); }
static void thirteen(uint64_t *state, char *out) { digits(state, out, 13); }

static void phone(uint64_t *state, char *out)
{
    char d[4][16];
    for (size_t i = 0; i < 4; i++)
        digits(state, d[i], 9);
    switch (next_random(state) % 4) {
    case 0:
        snprintf(out, 128, "+33 6 %.2s %.2s %.2s %.2s", d[0], d[1], d[2], d[3]);
        break;
    case 1:
        snprintf(out, 128, "+49 1%.3s %.7s", d[0], d[1]);
        break;
    case 2:
        snprintf(out, 128, "06 %.2s %.2s %.2s %.2s", d[0], d[1], d[2], d[3]);
        break;
    default:
        snprintf(out, 128, "00 44 7%.3s %.6s", d[0], d[1]);
    }
}

/* A French IBAN with its check digits, in groups of four. */
static void iban(uint64_t *state, char *out)
{
    char bban[24], all[28];
    digits(state, bban, 23);
    unsigned rest = 0;
    for (const char *p = bban; *p; p++)
        rest = (rest * 10 + (unsigned)(*p - '0')) % 97;
    static const char after[] = "152700"; /* F, R, 00 */
    for (const char *p = after; *p; p++)
        rest = (rest * 10 + (unsigned)(*p - '0')) % 97;
    snprintf(all, sizeof all, "FR%02u%s", 98 - rest, bban);
    size_t n = 0;
    for (size_t i = 0; all[i]; i++) {
        if (i && i % 4 == 0)
            out[n++] = ' ';
        out[n++] = all[i];
    }
    out[n] = '\0';
}

static void timestamp(uint64_t *state, char *out)
{
    uint64_t seconds = 1500000000 + next_random(state) % 600000000;
    static const uint64_t scales[] = { 1000, 1000000, 1000000000 };
    uint64_t scale = scales[next_random(state) % 3];
    snprintf(out, 128, "%llu", (unsigned long long)(seconds * scale + next_random(state) % scale));
}

static void uuid(uint64_t *state, char *out)
{
    unsigned long long a = next_random(state), b = next_random(state);
    snprintf(out, 128, "%08llx-%04llx-4%03llx-a%03llx-%012llx", a >> 32, a >> 16 & 0xFFFF, a & 0xFFF, b >> 48 & 0xFFF,
             b & 0xFFFFFFFFFFFF);
}

static void coordinates(uint64_t *state, char *out)
{
    double north = 42 + (double)(next_random(state) >> 11) / 9e15 * 9,
           east = (double)(next_random(state) >> 11) / 9e15 * 8;
    snprintf(out, 128, "%.14f %.15f", north, east);
}

/* Degrees with six decimals, as maps give them; 100 ns since the year 1, as .NET counts; a table of four columns, a
 * hundred rows. */
static void places(uint64_t *state, char *out)
{
    double north = 40 + (double)(next_random(state) >> 11) / 9e15 * 20,
           east = 1 + (double)(next_random(state) >> 11) / 9e15 * 17;
    snprintf(out, 128, next_random(state) % 2 ? "%.6f, %.6f" : "%.6f %.6f", north, east);
}

static void ticks(uint64_t *state, char *out)
{
    snprintf(out, 128, "%llu", 638000000000000000ull + next_random(state) % 2000000000000000ull);
}

static unsigned tables(const char *between, unsigned columns, unsigned all)
{
    uint64_t state = 88172645463325252u;
    unsigned count = 0;
    char out[8192];
    for (unsigned i = 0; i < all; i++) {
        int n = 0;
        for (unsigned row = 0; row < 100; row++)
            for (unsigned k = 0; k < columns; k++)
                n += snprintf(out + n, sizeof out - (size_t)n, "%u%s", (unsigned)(1000 + next_random(&state) % 9000),
                              k + 1 < columns ? between : "\n");
        count += card_find((text){ out, (size_t)n }, NULL);
    }
    return count;
}

static void tables_of_numbers(void **state)
{
    static const char *const between[] = { ";", ",", "\t", " | ", "    ", " " };
    for (size_t i = 0; i < sizeof between / sizeof *between; i++)
        for (unsigned columns = 1; columns <= 6; columns++) {
            unsigned taken = tables(between[i], columns, 500);
            if (taken > 5)
                fail_msg("%u of 500 tables with %u columns and \"%s\" between", taken, columns, between[i]);
        }
}

static void false_alarms(void **state)
{
    /* A tenth passes Luhn's check, a third of these lies in a range. */
    assert_in_range(taken(sixteen, 100000), 3000, 3700);
    assert_in_range(taken(thirteen, 100000), 800, 1000);
    assert_int_equal(taken(phone, 100000), 0);
    assert_int_equal(taken(iban, 100000), 0);
    assert_int_equal(taken(timestamp, 100000), 0);
    assert_int_equal(taken(uuid, 100000), 0);
    assert_int_equal(taken(coordinates, 100000), 0);
    assert_int_equal(taken(places, 100000), 0);
    assert_int_equal(taken(ticks, 100000), 0);
}

static void masks(void **state)
{
    ARENA_AUTO a = arena_make(4096);
    assert_true(text_eq(card_mask(&a, TEXT("no card, 12 34")), TEXT("no card, 12 34")));
    assert_true(text_eq(card_mask(&a, TEXT("")), TEXT("")));
    assert_true(text_eq(card_mask(&a, TEXT("a 4111 1111\u00A01111-1111 12/27, 378282246310005 b")),
                        TEXT("a **** ****\u00A0****-**** 12/27, *************** b")));
    assert_true(text_eq(card_mask(&a, TEXT("\uFF14111111111111111")), TEXT("****************")));
    ARENA_AUTO small = arena_make(16);
    assert_null(card_mask(&small, TEXT("4111111111111111")).p);
}

/* `piece` so many times between a head and an end: refused in short, and not looked through for minutes. */
static void assert_too_much(const char *head, const char *piece, unsigned times, const char *end)
{
    ARENA_AUTO a = arena_make(1 << 20);
    BUF_AUTO b = buf_make(4 << 20);
    bool found = false;
    buf_add(&b, text_of(head));
    for (unsigned i = 0; i < times; i++)
        buf_add(&b, text_of(piece));
    buf_add(&b, text_of(end));
    assert_int_equal(card_file(&a, built(&b), &found), ERR_TOO_LARGE);
}

static void files_made_to_busy(void **state)
{
    assert_too_much("%PDF-1.4\n1 0 obj << >> stream\nbeginbfrange\n", "<0><ffff><0>", 17,
                    "endbfrange\nendstream endobj\n");
    assert_too_much("%PDF-1.4\n", "streamendstream", 60001, "");
    assert_too_much("PK\3\4", "PK\1\2", 4001, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_grouping),
                                        cmocka_unit_test(printed_groupings),
                                        cmocka_unit_test(beside_other_digits),
                                        cmocka_unit_test(other_digits),
                                        cmocka_unit_test(broken_bytes),
                                        cmocka_unit_test(no_cards),
                                        cmocka_unit_test(near_others),
                                        cmocka_unit_test(nothing_slips),
                                        cmocka_unit_test(false_alarms),
                                        cmocka_unit_test(tables_of_numbers),
                                        cmocka_unit_test(files_made_to_busy),
                                        cmocka_unit_test(masks),
                                        cmocka_unit_test(disguises),
                                        cmocka_unit_test(no_disguises) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

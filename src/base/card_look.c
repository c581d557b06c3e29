/* The guard against payment card numbers behind escapes, mark-up and encodings, and spread over the members of one JSON
 * text. */
#include "card.h"
#include "buf.h"
#include "unicode.h"
#include "veil.h"
#include <string.h>

enum { ROUNDS = 3, DEPTH = 2, SHORTEST = 13, ROOM = 1 << 20, ROOM_TIMES = 40 };

/* ---- The sieve: one pass that tells of most texts that no card number stands in them, in whatever writing. ---- */

enum {
    GAP_LETTERS = 1,
    GAP_SIGNS = 8,        /* between groups of one number, as in card.c */
    EXPONENT = 10,        /* digits from which on an exponent makes a number of a card's length; see veil.c */
    LIKE_MAX = 19,        /* longest word of O, l and digits that stands for digits */
    CODES_MIN = 13,       /* digits by their codes */
    STRETCH_MIN = 18,     /* of base64, 26 of hexadecimal digits */
    LINE_MIN = 60,        /* of base64 that goes on behind a line end */
    STRETCH_MAX = 1024,   /* longer ones are not decoded here */
};

/* What a text is made of. Where anything here and the closer look differ, this must find more. */
struct sieve {
    unsigned run;               /* digits that hang together, from the first on that a card could begin with; 0: none */
    int start;                  /* the digit before, when a number may begin with it; -1 */
    unsigned letters, signs;    /* since the last digit */
    bool zeros, gap;            /* of the group so far; something stands behind the last digit */
    unsigned weight, likes;     /* characters that are digits or that an escape begins with; O, o, I, l: a lift makes
                                   no more digits than these */
    unsigned codes;             /* 3 and a digit beside each other, as the code of a digit is */
    bool veiled, escaped;       /* something may be lifted; by escapes, so that words may change */
    bool encoded, found;        /* a stretch may hold a number; enough digits hang together */
};

enum { DIGIT = 1, LETTER = 2, BLANK = 4, LIKE = 8, MARK = 16, HIGH = 32, SIXTY_FOUR = 64, JOINS = 128 };
static const uint8_t kinds[256] = {
    [0 ... '\n' - 1] = BLANK,
    ['\n'] = BLANK | MARK,
    ['\n' + 1 ... '\r' - 1] = BLANK,
    ['\r'] = BLANK | MARK,
    ['\r' + 1 ... CARD_BETWEEN - 1] = BLANK,
    [CARD_BETWEEN + 1 ... ' '] = BLANK,
    ['0' ... '9'] = DIGIT | SIXTY_FOUR | JOINS,
    ['A' ... 'D'] = LETTER | SIXTY_FOUR | JOINS,
    ['E'] = LETTER | MARK | SIXTY_FOUR | JOINS,
    ['F' ... 'H'] = LETTER | SIXTY_FOUR | JOINS,
    ['I'] = LETTER | LIKE | MARK | SIXTY_FOUR | JOINS,
    ['J' ... 'N'] = LETTER | SIXTY_FOUR | JOINS,
    ['O'] = LETTER | LIKE | MARK | SIXTY_FOUR | JOINS,
    ['P' ... 'Z'] = LETTER | SIXTY_FOUR | JOINS,
    ['a' ... 'd'] = LETTER | SIXTY_FOUR | JOINS,
    ['e'] = LETTER | MARK | SIXTY_FOUR | JOINS,
    ['f' ... 'k'] = LETTER | SIXTY_FOUR | JOINS,
    ['l'] = LETTER | LIKE | MARK | SIXTY_FOUR | JOINS,
    ['m' ... 'n'] = LETTER | SIXTY_FOUR | JOINS,
    ['o'] = LETTER | LIKE | MARK | SIXTY_FOUR | JOINS,
    ['p' ... 'z'] = LETTER | SIXTY_FOUR | JOINS,
    ['+'] = SIXTY_FOUR | JOINS,
    ['-'] = SIXTY_FOUR | JOINS,
    ['/'] = SIXTY_FOUR | JOINS,
    ['_'] = SIXTY_FOUR | JOINS,
    ['%'] = MARK | JOINS,
    ['&'] = MARK | JOINS,
    ['\\'] = MARK | JOINS,
    ['='] = MARK | JOINS,
    ['#'] = JOINS,
    [';'] = JOINS,
    ['{'] = JOINS,
    ['}'] = JOINS,
    ['<'] = MARK,
    [0x7F] = BLANK,
    [0x80 ... 0xFF] = HIGH,
};

/* The first two digits of the numbers that cards.def knows, a bit each. */
static bool begins(int first, int second)
{
    __extension__ typedef unsigned __int128 bits;
#define N(digits)                              0
#define CARD(scheme, first_six, last_six, length) \
    | (((bits)1 << ((last_six) / 10000 + 1)) - ((bits)1 << (first_six) / 10000))
    static const bits known = 0
#include "cards.def"
        ;
#undef CARD
#undef N
    return known >> (first * 10 + second) & 1;
}

static void sieve_digit(struct sieve *v, int digit)
{
    if (v->letters > GAP_LETTERS || v->signs > GAP_SIGNS) {
        v->run = 0;
        v->start = -1;
    }
    if (!v->run && v->start >= 0 && begins(v->start, digit))
        v->run = 1;
    v->run += v->run > 0;
    v->found |= v->run >= SHORTEST;
    bool first = v->gap || v->zeros;
    v->start = first ? digit : -1;
    v->zeros = first && !digit;
    v->gap = false;
    v->letters = 0;
    v->signs = 0;
    v->weight++;
}

/* A character beyond ASCII at i; where the next begins. */
static size_t sieve_high(struct sieve *v, text s, size_t i)
{
    static const text turned = TEXT_INIT("\u202E"), punctuation = TEXT_INIT("\xE2\x80");
    uint8_t byte = (uint8_t)s.p[i];
    v->gap = true;
    if (byte < 0xC0 || byte == 0xC3 || byte == 0xC5) /* letters of Latin */
        return i + 1;
    v->veiled |= byte == 0xF3 || text_starts(text_from(s, i), turned);
    v->weight += byte == 0xF3;
    if (text_starts(text_from(s, i), punctuation))
        return i + punctuation.n;
    uint32_t c = unicode_next(s, &i);
    int digit = c == UNICODE_BAD ? -1 : unicode_digit(c);
    if (digit < 0 && c != UNICODE_BAD)
        digit = unicode_digit_like(c);
    if (digit >= 0)
        sieve_digit(v, digit);
    v->gap = true;
    return i;
}

static bool one_of(text s, size_t i, unsigned kind) { return kinds[(uint8_t)s.p[i]] & kind; }

/* Whether the word around i has only digits and letters like them. */
static bool like_word(text s, size_t i)
{
    size_t from = i, end = i + 1;
    while (from && i - from <= LIKE_MAX && one_of(s, from - 1, DIGIT | LIKE))
        from--;
    while (end < s.n && end - from <= LIKE_MAX && one_of(s, end, DIGIT | LIKE))
        end++;
    return end - from > 1 && end - from <= LIKE_MAX && !(from && one_of(s, from - 1, LETTER)) &&
           !(end < s.n && one_of(s, end, LETTER));
}

/* Whether so many digits with a point among them end before i that an exponent makes a card's number of them. */
static bool behind_number(text s, size_t i)
{
    size_t n = 0;
    while (n < i && n < EXPONENT && (one_of(s, i - 1 - n, DIGIT) || s.p[i - 1 - n] == '.' || s.p[i - 1 - n] == ','))
        n++;
    return n == EXPONENT;
}

static void sieve_mark(struct sieve *v, text s, size_t i)
{
    switch (s.p[i]) {
    case '%':
    case '&':
    case '\\':
    case '=':
        v->escaped = true;
        v->veiled = true;
        v->weight++;
        break;
    case '<':
        v->veiled = true;
        break;
    case '\r':
    case '\n':
        v->veiled |= i + 1 < s.n && (s.p[i + 1] == ' ' || s.p[i + 1] == '\t');
        break;
    case 'e':
    case 'E':
        v->veiled |= behind_number(s, i);
        break;
    default:
        v->likes++;
        if (like_word(s, i)) {
            v->veiled = true;
            v->weight++;
        }
    }
}

static void sieve_characters(struct sieve *v, text s)
{
    for (size_t i = 0; i < s.n;) {
        unsigned kind = kinds[(uint8_t)s.p[i]];
        if (kind & HIGH) {
            i = sieve_high(v, s, i);
            continue;
        }
        if (kind & DIGIT) {
            v->codes += i && s.p[i - 1] == '3';
            sieve_digit(v, s.p[i] - '0');
        } else {
            v->gap = true;
            v->letters += (kind & LETTER) / LETTER;
            v->signs += !(kind & BLANK);
            if (kind & MARK)
                sieve_mark(v, s, i);
        }
        i++;
    }
}

static struct sieve sieve_make(void) { return (struct sieve){ .start = -1, .gap = true }; }

/* What a stretch of base64 or of hexadecimal digits decodes to: a number stands in it, or text to be looked into. */
static bool sieve_decoded(text s)
{
    struct sieve v = sieve_make();
    sieve_characters(&v, s);
    return v.found || (s.n >= SHORTEST && text_utf8(s));
}

/* What digits make of base64 has letters; a long number has none. */
static bool lettered(text stretch)
{
    size_t letters = 0;
    for (size_t i = 0; i < stretch.n; i++)
        letters += one_of(stretch, i, LETTER);
    return letters * 4 >= stretch.n;
}

static bool sieve_stretch(text stretch)
{
    char clear[STRETCH_MAX];
    text hex;
    bool may = stretch.n > STRETCH_MAX;
    for (size_t skip = 0; !may && skip < 4 && lettered(stretch); skip++)
        may = sieve_decoded(veil_clear64(text_from(stretch, skip), clear));
    for (size_t i = 0; !may && veil_hex(stretch, &i, &hex);)
        for (size_t skip = 0; !may && skip < 2; skip++)
            may = sieve_decoded(veil_clear_hex(text_from(hex, skip), clear));
    return may;
}

/* Stretches of base64 cover one of every so many places: most are passed over. What escapes become joins a stretch. */
static void sieve_stretches(struct sieve *v, text s)
{
    unsigned kind = v->escaped ? JOINS : SIXTY_FOUR;
    v->encoded |= v->escaped && s.n >= STRETCH_MIN && text_index(s, '\\') >= 0;
    for (size_t i = STRETCH_MIN - 1; i < s.n && !v->encoded;) {
        size_t from = i, end = i;
        while (end < s.n && one_of(s, end, kind))
            end++;
        while (from && end > i && one_of(s, from - 1, kind))
            from--;
        bool folded = end < s.n && end - from >= LINE_MIN && (s.p[end] == '\r' || s.p[end] == '\n');
        if (end - from >= STRETCH_MIN)
            v->encoded = v->escaped || folded || sieve_stretch(text_upto(text_from(s, from), end - from));
        i = end + STRETCH_MIN;
    }
}

/* One more text, apart from those before it. */
static void sieve_add(struct sieve *v, text s)
{
    sieve_characters(v, s);
    sieve_stretches(v, s);
    v->gap = true;
    v->signs++;
}

/* NOTHING: no card number. DIGITS: perhaps one, as it stands. VEILED: perhaps one that stands behind something. */
enum hint { NOTHING, DIGITS, VEILED };

static enum hint sieve_tells(const struct sieve *v)
{
    bool veiled = v->veiled || v->codes >= CODES_MIN;
    if (v->encoded || (veiled && v->weight + (v->escaped ? v->likes : 0) >= EXPONENT))
        return VEILED;
    return v->found ? DIGITS : NOTHING;
}

/* Nothing in it makes a difference to what stands beside it. */
static bool sieve_quiet(const struct sieve *v) { return !v->weight && !v->veiled && !v->encoded; }

/* ---- The closer look. ---- */

static enum err look(struct arena *room, text s, unsigned depth, bool *found);

static enum err look_behind(struct arena *room, enum veil veil, text s, bool *found, text *lifted)
{
    TRY(veil_lift(room, veil, s, lifted));
    *found = lifted->p && card_find(*lifted, NULL);
    return OK;
}

static enum err look_decoded(struct arena *room, text decoded, unsigned depth, bool *found)
{
    TRY_PTR(decoded.p);
    *found = card_find(decoded, NULL);
    return *found || decoded.n < SHORTEST || !text_utf8(decoded) ? OK : look(room, decoded, depth + 1, found);
}

/* Where a stretch begins is not known when letters stand before it: each of its characters' places is tried. */
static enum err look_encoded(struct arena *room, text s, unsigned depth, bool *found)
{
    text stretch;
    for (size_t i = 0; !*found && veil_base64(room, s, &i, &stretch);)
        for (size_t skip = 0; !*found && skip < 4 && lettered(stretch); skip++)
            TRY(look_decoded(room, veil_decode64(room, stretch, skip), depth, found));
    for (size_t i = 0; !*found && veil_hex(s, &i, &stretch);)
        for (size_t skip = 0; !*found && skip < 2; skip++)
            TRY(look_decoded(room, veil_decode_hex(room, stretch, skip), depth, found));
    return arena_whole(room);
}

static enum err look(struct arena *room, text s, unsigned depth, bool *found)
{
    static const enum veil others[] = { VEIL_TAGS,     VEIL_ELEMENTS, VEIL_FOLDED, VEIL_LIKE,
                                        VEIL_EXPONENT, VEIL_CODES,    VEIL_UNSEEN, VEIL_TURNED };
    text clear = s, lifted;
    if ((*found = card_find(s, NULL)))
        return OK;
    for (unsigned round = 0; round < ROUNDS && !*found; round++) {
        TRY(look_behind(room, VEIL_ESCAPES, clear, found, &lifted));
        if (!lifted.p)
            break;
        clear = lifted;
    }
    if (*found)
        return OK;
    TRY(look_behind(room, VEIL_QUOTED, clear, found, &lifted));
    for (unsigned pass = 0; pass < (lifted.p ? 2 : 1); pass++)
        for (size_t k = 0; k < sizeof others / sizeof *others && !*found; k++) {
            text other;
            TRY(look_behind(room, others[k], pass ? lifted : clear, found, &other));
        }
    return *found || depth == DEPTH ? OK : look_encoded(room, clear, depth, found);
}

enum err card_look_closely(struct arena *a, text s, bool *found)
{
    *found = false;
    if (s.n < SHORTEST)
        return OK;
    ARENA_AUTO room = arena_make(ROOM + ROOM_TIMES * s.n);
    enum err e = look(&room, s, 0, found);
    return e == OK || *found ? OK : say(a, e, "the text needs too much memory to be looked through");
}

static enum hint hint_of(text s)
{
    struct sieve v = sieve_make();
    if (s.n >= SHORTEST)
        sieve_add(&v, s);
    return sieve_tells(&v);
}

static enum err look_hinted(struct arena *a, text s, enum hint hint, bool *found)
{
    *found = hint != NOTHING && card_find(s, NULL);
    return hint == VEILED && !*found ? card_look_closely(a, s, found) : OK;
}

enum err card_look(struct arena *a, text s, bool *found) { return look_hinted(a, s, hint_of(s), found); }

/* ---- JSON. ---- */

/* What stands in the members, one behind the other: a sign that nothing else writes stands between. */
static void gather(struct buf *b, const struct json *v, bool (*left)(text name), bool names, bool values)
{
    if (left && v->key.p && left(v->key))
        return;
    if (names && v->key.p) {
        buf_add(b, v->key);
        buf_char(b, CARD_BETWEEN);
    }
    if (values && (v->kind == J_TEXT || v->kind == J_NUMBER)) {
        buf_add(b, v->value);
        buf_char(b, CARD_BETWEEN);
    }
    JSON_EACH(child, v)
        gather(b, child, left, names, values);
}

/* Each may be NULL; they may be one. */
static void sieve_json(struct sieve *names, struct sieve *values, const struct json *v, bool (*left)(text name))
{
    if (left && v->key.p && left(v->key))
        return;
    if (names && v->key.p)
        sieve_add(names, v->key);
    if (values && (v->kind == J_TEXT || v->kind == J_NUMBER))
        sieve_add(values, v->value);
    JSON_EACH(child, v)
        sieve_json(names, values, child, left);
}

static enum hint hint_of_json(const struct json *v, bool (*left)(text name))
{
    struct sieve names = sieve_make(), values = sieve_make(), both = sieve_make();
    sieve_json(&names, &values, v, left);
    if (!sieve_quiet(&names))
        sieve_json(&both, &both, v, left);
    enum hint of_names = sieve_tells(&names), of_values = sieve_tells(&values), of_both = sieve_tells(&both);
    return of_both > of_names && of_both > of_values ? of_both
         : of_names > of_values ? of_names : of_values;
}

static enum err look_json(struct arena *a, const struct json *v, bool (*left)(text name), enum hint hint, bool *found)
{
    *found = false;
    for (unsigned k = 1; k < 4 && !*found && hint != NOTHING; k++) {
        BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
        text all;
        gather(&b, v, left, k & 2, k & 1);
        TRY(buf_lend(a, &b, &all));
        TRY(look_hinted(a, all, hint, found));
    }
    return OK;
}

enum err card_look_json(struct arena *a, const struct json *v, bool (*left)(text name), bool *found)
{
    return look_json(a, v, left, hint_of_json(v, left), found);
}

enum err card_look_json_closely(struct arena *a, const struct json *v, bool (*left)(text name), bool *found)
{
    return look_json(a, v, left, VEILED, found);
}

/* ---- Masks. ---- */

text card_mask(struct arena *a, text s)
{
    bool hidden = false;
    if (hint_of(s) == NOTHING)
        return arena_copy(a, s);
    text shown = card_hide(a, s);
    if (!shown.p || card_look(a, shown, &hidden) != OK)
        return (text){ NULL, 0 };
    return hidden ? TEXT("(a payment card number)") : shown;
}

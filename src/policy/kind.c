/* Kinds of value: whether one scalar is a date, a term, a country, an address. */
#include "schema.h"
#include <string.h>

static bool small(char c) { return c >= 'a' && c <= 'z'; }
static bool digit(char c) { return c >= '0' && c <= '9'; }
static bool letter(char c) { return small(c) || (c >= 'A' && c <= 'Z'); }

static bool fits_any(text s) { return true; }

static bool fits_text(text s) { return text_trim(s).n > 0; }

enum { NAME_MAX_BYTES = 48 };

static bool named(text s, bool dots)
{
    if (!s.n || s.n > NAME_MAX_BYTES || !small(s.p[0]) || s.p[s.n - 1] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!small(s.p[i]) && !digit(s.p[i]) && s.p[i] != '_' && s.p[i] != '-' && !(dots && s.p[i] == '.'))
            return false;
    return true;
}

static bool fits_name(text s) { return named(s, false); }

static bool fits_dotted(text s) { return named(s, true); }

static bool fits_id(text s)
{
    if (!s.n || s.n > NAME_MAX_BYTES || !letter(s.p[0]))
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!letter(s.p[i]) && !digit(s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

static bool fits_bool(text s) { return text_eq(s, TEXT("true")) || text_eq(s, TEXT("false")); }

/* "010" is ten to one reader of YAML and eight to another (1.2.2, 10.3; 1.1): it is asked for. */
static bool fits_integer(text s)
{
    int64_t v;
    text digits = text_starts(s, TEXT("-")) ? text_from(s, 1) : s;
    return text_int(s, &v) && (digits.n < 2 || digits.p[0] != '0');
}

static bool fits_date(text s)
{
    struct date d;
    return date_parse(s, &d);
}

static bool fits_term(text s)
{
    struct term t;
    return term_parse(s, &t);
}

static bool fits_long(text s)
{
    text number, unit;
    return fits_term(s) && (!term_asks(s, &number, &unit) || unit.n);
}

static bool fits_country(text s) { return country_of(s) != NULL; }

static bool fits_area(text s) { return text_eq(s, TEXT("EU")) || text_eq(s, TEXT("EEA")) || country_of(s); }

/* One @ with something on both sides, a dot in the domain, and no blank: the mail itself proves the rest. */
static bool fits_email(text s)
{
    ptrdiff_t at = text_index(s, '@');
    text domain = text_from(s, (size_t)at + 1);
    ptrdiff_t dot = at > 0 ? text_index(domain, '.') : -1;
    return dot > 0 && (size_t)dot + 1 < domain.n && s.n <= 254 && text_index(domain, '@') < 0 && text_index(s, ' ') < 0;
}

static bool fits_url(text s)
{
    text rest = text_starts(s, TEXT("https://"))  ? text_from(s, 8)
                : text_starts(s, TEXT("http://")) ? text_from(s, 7)
                                                  : TEXT("");
    return rest.n && rest.p[0] != '/' && text_index(rest, ' ') < 0;
}

static bool fits_dpv(text s)
{
    text rest = s, prefix = text_cut(&rest, ':');
    if (!rest.n || !fits_name(prefix))
        return false;
    for (size_t i = 0; i < rest.n; i++)
        if (!letter(rest.p[i]) && !digit(rest.p[i]) && rest.p[i] != '-')
            return false;
    return true;
}

const struct kind_row *kind_row(enum kind k)
{
    static const struct kind_row rows[] = {
#define KIND(name, shape, fits, what, json) [KIND_##name] = { SHAPE_##shape, fits, TEXT_INIT(what), TEXT_INIT(json) },
#include "kinds.def"
#undef KIND
    };
    return &rows[k];
}

static const struct country countries[] = {
#define COUNTRY(code, area, in_en, en, in_fr, fr) \
    { TEXT_INIT(code), AREA_##area, TEXT_INIT(en), TEXT_INIT(fr), TEXT_INIT(in_en), TEXT_INIT(in_fr) },
#include "countries.def"
#undef COUNTRY
};

const struct country *country_of(text code)
{
    size_t low = 0, high = sizeof countries / sizeof *countries;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = text_cmp(code, countries[middle].code);
        if (order == 0)
            return &countries[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct country *country_at(unsigned i) { return i < sizeof countries / sizeof *countries ? &countries[i] : NULL; }

bool area_has(const struct node *list, text code)
{
    const struct country *c = country_of(code);
    return node_has(list, code) || (c && c->area == AREA_EU && node_has(list, TEXT("EU"))) ||
           (c && c->area != AREA_NONE && node_has(list, TEXT("EEA")));
}

/* ---- The rows as a tree. ---- */

#define WORD_OF(name, word) word " "
#define BASIS               BASES(WORD_OF)
#define TYPES               FIELD_TYPES(WORD_OF)
#define FROM                FROMS(WORD_OF)
#define ACTS_WORDS          ACTS(WORD_OF)
#define GROUNDS                                                                                                        \
    "consent employment vital_interests association made_public legal_claims public_interest care public_health archiving"
#define RECORDS "consents former requests journal proofs breaches objections accounts"

static const struct schema_row rows[] = {
#define KEY(path, kind, need, words, en, fr)                                                                           \
    { TEXT_INIT(path), KIND_##kind, NEED_##need, TEXT_INIT(words), TEXT_INIT(en), TEXT_INIT(fr) },
#include "schema.def"
#undef KEY
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

const struct schema_row *schema_rows(unsigned *count)
{
    *count = ROW_COUNT;
    return rows;
}

bool schema_own_record(text name)
{
    text rest = TEXT(RECORDS);
    while (rest.n)
        if (text_eq(text_cut(&rest, ' '), name))
            return true;
    return false;
}

text schema_key(const struct schema_row *row)
{
    size_t start = row->path.n;
    while (start && row->path.p[start - 1] != '.')
        start--;
    return text_from(row->path, start);
}

enum err schema_make(struct arena *a, struct schema *out)
{
    enum { DEEPEST = 8 };
    *out = (struct schema){ rows, ROW_COUNT, NEW_ARRAY(a, uint16_t, ROW_COUNT + 1),
                            NEW_ARRAY(a, uint16_t, ROW_COUNT + 1) };
    TRY_PTR(out->first);
    TRY_PTR(out->next);
    unsigned last[DEEPEST + 1] = { 0 }; /* the row last seen at each depth */
    out->first[ROW_COUNT] = ROW_COUNT;
    for (unsigned i = 0; i < ROW_COUNT; i++) {
        unsigned depth = 0;
        for (size_t j = 0; j < rows[i].path.n; j++)
            depth += rows[i].path.p[j] == '.';
        out->next[i] = ROW_COUNT;
        out->first[i] = ROW_COUNT;
        unsigned parent = depth ? last[depth - 1] : ROW_COUNT;
        if (out->first[parent] == ROW_COUNT)
            out->first[parent] = (uint16_t)i;
        else
            out->next[last[depth]] = (uint16_t)i;
        last[depth] = i;
    }
    return OK;
}

/* ---- Words. ---- */

text word_next(text *rest)
{
    text word;
    do
        word = text_cut(rest, ' ');
    while (!word.n && rest->p);
    return word;
}

text noun_of(text plural, char room[NODE_KEY_MAX + 4])
{
    if (text_ends(plural, TEXT("ies")) && plural.n < NODE_KEY_MAX) {
        memcpy(room, plural.p, plural.n - 3);
        room[plural.n - 3] = 'y';
        return (text){ room, plural.n - 2 };
    }
    if (text_ends(plural, TEXT("sses")))
        return text_upto(plural, plural.n - 2);
    bool plain = text_ends(plural, TEXT("s")) && !text_ends(plural, TEXT("ss")) && !text_ends(plural, TEXT("is"));
    return plain ? text_upto(plural, plural.n - 1) : plural;
}

/* CSV as spreadsheets write it (RFC 4180). */
#include "base/file/csv.h"
#include "base/unicode.h"

static char at(text s, size_t i) { return i < s.n ? s.p[i] : '\n'; }

/* A line ends at LF, at CR, or at both; the end of the text ends one too. */
static bool ends(text s, size_t i) { return i >= s.n || s.p[i] == '\n' || s.p[i] == '\r'; }
static size_t end_length(text s, size_t i) { return at(s, i) == '\r' && i + 1 < s.n && s.p[i + 1] == '\n' ? 2 : 1; }

static unsigned lines_in(text s)
{
    unsigned n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (ends(s, i)) {
            i += end_length(s, i) - 1;
            n++;
        }
    return n;
}

static size_t line_length(text s)
{
    size_t i = 0;
    while (!ends(s, i))
        i++;
    return i;
}

/* ---- Which separator. ---- */

static unsigned count_outside(text line, char c)
{
    unsigned n = 0;
    bool quoted = false;
    for (size_t i = 0; i < line.n; i++) {
        quoted ^= line.p[i] == '"';
        n += !quoted && line.p[i] == c;
    }
    return n;
}

/* Of as many, the one that is rarer in names. */
static char separator_of(text line)
{
    static const char candidates[] = { '\t', ';', ',', '|' };
    unsigned most = 0;
    char best = ',';
    for (size_t i = 0; i < sizeof candidates; i++) {
        unsigned n = count_outside(line, candidates[i]);
        if (n > most) {
            most = n;
            best = candidates[i];
        }
    }
    return best;
}

/* "sep=;" alone on the first line: Excel's own word for it; behind it perhaps the separators of empty columns. */
static bool says_separator(text line, char *out)
{
    text s = line;
    while (s.n > 5 && s.p[s.n - 1] == s.p[4])
        s = text_upto(s, s.n - 1);
    if (s.n > 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        s = text_upto(text_from(s, 1), s.n - 2);
    if (s.n != 5 || !text_eq_nocase(text_upto(s, 4), TEXT("sep=")) || s.p[4] == '"' || s.p[4] == ' ')
        return false;
    *out = s.p[4];
    return true;
}

struct csv csv_open(text in)
{
    struct csv csv = { .rest = text_starts(in, CSV_MARK) ? text_from(in, CSV_MARK.n) : in, .line = 1 };
    size_t n = line_length(csv.rest);
    if (says_separator(text_upto(csv.rest, n), &csv.separator)) {
        csv.rest = text_from(csv.rest, n + end_length(csv.rest, n));
        csv.line = 2;
        return csv;
    }
    while (csv.rest.n && !text_trim(text_upto(csv.rest, n)).n) {
        csv.rest = text_from(csv.rest, n + end_length(csv.rest, n));
        csv.line++;
        n = line_length(csv.rest);
    }
    csv.separator = separator_of(text_upto(csv.rest, n));
    return csv;
}

/* ---- Records. ---- */

/* Where the quote that closes the field stands whose opening one stands at `start`; s.n when none does. *lines: it runs
 * over lines. */
static size_t closing_quote(text s, size_t start, bool *lines)
{
    size_t i = start + 1;
    *lines = false;
    while (i < s.n && (s.p[i] != '"' || at(s, i + 1) == '"')) {
        *lines |= ends(s, i);
        i += s.p[i] == '"' ? 2 : 1;
    }
    return i < s.n ? i : s.n;
}

/* Without its quotes, doubled ones single; *i stands behind it. What stands behind the closing quote is text too, as
 * Excel and Python read it, so long as the field stays on its line: beyond it, the quote was never meant to open a
 * field, and would take other lines along. */
static enum err quoted_field(struct arena *a, text s, char separator, size_t *i, text *out, bool *stray)
{
    bool lines;
    size_t close = closing_quote(s, *i, &lines), end = close + 1, n = 0;
    if (close >= s.n)
        return ERR_VALUE;
    for (; !ends(s, end) && s.p[end] != separator; end++)
        if (lines && s.p[end] != ' ')
            return ERR_VALUE;
    char *to = arena_alloc(a, end - *i);
    TRY_PTR(to);
    for (size_t k = *i + 1; k < end; k++) {
        if (k == close)
            continue;
        to[n++] = s.p[k];
        k += k < close && s.p[k] == '"';
    }
    *stray = end > close + 1 && text_trim(text_upto(text_from(s, close + 1), end - close - 1)).n;
    *i = end;
    *out = (text){ to, n };
    return OK;
}

/* One record from the beginning of the text; *end: where its line end stands. */
static enum err read_record(struct arena *a, const struct csv *csv, struct csv_record *r, size_t *end)
{
    text s = csv->rest;
    for (size_t i = 0;; i++) {
        if (r->count == CSV_FIELDS)
            return say(a, ERR_VALUE, "line %u has more than %d fields", r->line, CSV_FIELDS);
        text *field = &r->fields[r->count++];
        size_t start = i;
        bool stray = false;
        if (i < s.n && s.p[i] == '"') {
            enum err e = quoted_field(a, s, csv->separator, &i, field, &stray);
            if (e != OK)
                return e == ERR_VALUE ? say(a, e, "in column %u a quote is opened and not closed", r->count) : e;
        } else {
            while (!ends(s, i) && s.p[i] != csv->separator)
                i++;
            *field = text_upto(text_from(s, start), i - start);
            stray = text_index(*field, '"') >= 0;
        }
        if (stray && !r->stray)
            r->stray = r->count;
        if (ends(s, i)) {
            *end = i;
            return OK;
        }
    }
}

static bool is_empty(const struct csv_record *r)
{
    for (unsigned i = 0; i < r->count; i++)
        if (!unicode_is_blank(r->fields[i]))
            return false;
    return true;
}

bool csv_next(struct arena *a, struct csv *csv, struct csv_record *out, enum err *fault)
{
    *fault = OK;
    while (csv->rest.n) {
        size_t end = 0;
        out->stray = 0;
        out->count = 0;
        out->line = csv->line;
        *fault = read_record(a, csv, out, &end);
        if (*fault != OK)
            end = line_length(csv->rest);
        out->raw = text_upto(csv->rest, end);
        csv->line += lines_in(out->raw) + 1;
        csv->rest = text_from(csv->rest, end + end_length(csv->rest, end));
        if (*fault != OK || !is_empty(out))
            return true;
    }
    return false;
}

/* ---- Writing. ---- */

static bool computed(text s)
{
    static const text signs[] = { TEXT_INIT("="),
                                  TEXT_INIT("+"),
                                  TEXT_INIT("-"),
                                  TEXT_INIT("@"),
                                  TEXT_INIT("\t"),
                                  TEXT_INIT("\r"),
                                  TEXT_INIT("\n"),
                                  TEXT_INIT("\xEF\xBC\x9D"),
                                  TEXT_INIT("\xEF\xBC\x8B"),
                                  TEXT_INIT("\xEF\xBC\x8D"),
                                  TEXT_INIT("\xEF\xBC\xA0") };
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (text_starts(s, signs[i]))
            return true;
    return false;
}

void csv_put(struct buf *b, text field)
{
    buf_char(b, '"');
    if (computed(field))
        buf_char(b, '\'');
    while (field.p) {
        bool more = text_index(field, '"') >= 0;
        buf_add(b, text_cut(&field, '"'));
        if (more)
            buf_add(b, TEXT("\"\""));
    }
    buf_char(b, '"');
}

/* CSV as spreadsheets write it (RFC 4180). */
#include "csv.h"

static unsigned count_of(text s, char c)
{
    unsigned n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

struct csv csv_open(text in)
{
    text first = in = text_starts(in, CSV_MARK) ? text_from(in, CSV_MARK.n) : in;
    text line = text_cut(&first, '\n');
    return (struct csv){ .rest = in, .separator = count_of(line, ';') > count_of(line, ',') ? ';' : ',', .line = 1 };
}

static char at(text s, size_t i) { return i < s.n ? s.p[i] : '\n'; }

/* A line ends at LF, or CR and LF; the end of the text ends one too. */
static bool ends(text s, size_t i) { return i >= s.n || s.p[i] == '\n' || (s.p[i] == '\r' && at(s, i + 1) == '\n'); }

/* Where the record that starts the text ends: at a line end outside quotes. */
static size_t length_of(text s)
{
    bool quoted = false;
    size_t i = 0;
    for (; quoted ? i < s.n : !ends(s, i); i++)
        quoted ^= s.p[i] == '"';
    return i;
}

/* Without its quotes, doubled ones single; *i stands behind it. */
static enum err quoted_field(struct arena *a, text s, size_t *i, text *out)
{
    char *to = arena_alloc(a, s.n);
    size_t n = 0;
    TRY_PTR(to);
    for (++*i; *i < s.n && (s.p[*i] != '"' || at(s, *i + 1) == '"'); ++*i) {
        *i += s.p[*i] == '"';
        to[n++] = s.p[*i];
    }
    *out = (text){ to, n };
    return *i < s.n && s.p[(*i)++] == '"' ? OK : ERR_VALUE;
}

static enum err split(struct arena *a, char separator, struct csv_record *r)
{
    text s = r->raw;
    for (size_t i = 0; i <= s.n; i++) {
        text *field = &r->fields[r->count];
        if (r->count == CSV_FIELDS)
            return say(a, ERR_VALUE, "line %u has more than %d fields", r->line, CSV_FIELDS);
        r->count++;
        size_t start = i;
        if (i < s.n && s.p[i] == '"') {
            enum err e = quoted_field(a, s, &i, field);
            if (e == ERR_MEMORY)
                return e;
            if (e != OK || (i < s.n && s.p[i] != separator))
                return say(a, ERR_VALUE, "on line %u a quote is not closed, or text stands behind one", r->line);
            continue;
        }
        while (i < s.n && s.p[i] != separator)
            i++;
        *field = text_upto(text_from(s, start), i - start);
    }
    return OK;
}

bool csv_next(struct arena *a, struct csv *csv, struct csv_record *out, enum err *fault)
{
    *fault = OK;
    while (csv->rest.n) {
        size_t n = length_of(csv->rest);
        out->raw = text_upto(csv->rest, n), out->count = 0, out->line = csv->line;
        csv->line += count_of(out->raw, '\n') + 1;
        csv->rest = text_from(csv->rest, n + (at(csv->rest, n) == '\r') + 1);
        if (!text_trim(out->raw).n)
            continue;
        *fault = split(a, csv->separator, out);
        return true;
    }
    return false;
}

/* ---- Writing. ---- */

static bool computed(text s)
{
    static const text signs[] = { TEXT_INIT("="), TEXT_INIT("+"), TEXT_INIT("-"), TEXT_INIT("@"), TEXT_INIT("\t"), TEXT_INIT("\r"), TEXT_INIT("\n"),
                                  TEXT_INIT("\xEF\xBC\x9D"), TEXT_INIT("\xEF\xBC\x8B"), TEXT_INIT("\xEF\xBC\x8D"), TEXT_INIT("\xEF\xBC\xA0") };
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

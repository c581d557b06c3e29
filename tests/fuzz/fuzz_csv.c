/* Fuzz target: the CSV reader. Every record is passed over, lines only grow, and what is written again as CSV reads the
 * same. */
#include "fuzz.h"
#include "base/buf.h"
#include "base/file/csv.h"

static void write_field(struct buf *b, text s)
{
    buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_char(b, '"');
        buf_char(b, s.p[i]);
    }
    buf_char(b, '"');
}

/* One record alone, each field quoted. */
static void again(struct arena *a, const struct csv_record *r, char separator)
{
    BUF_AUTO b = buf_make(1 << 24);
    struct csv_record *other = NEW(a, struct csv_record);
    enum err fault;
    for (unsigned i = 0; i < r->count; i++) {
        if (i)
            buf_char(&b, separator);
        write_field(&b, r->fields[i]);
    }
    struct csv csv = { .rest = buf_begun(&b), .separator = separator, .line = 1 };
    FUZZ_CHECK(csv_next(a, &csv, other, &fault) && fault == OK && other->count == r->count);
    for (unsigned i = 0; i < r->count; i++)
        FUZZ_CHECK(text_eq(r->fields[i], other->fields[i]));
    FUZZ_CHECK(!csv_next(a, &csv, other, &fault));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_AUTO a = arena_make(1 << 28);
    struct csv_record *r = NEW(&a, struct csv_record);
    struct csv csv = csv_open((text){ (const char *)data, size });
    unsigned line = 0;
    enum err fault;
    while (csv_next(&a, &csv, r, &fault)) {
        FUZZ_CHECK(fault == OK || fault == ERR_VALUE);
        FUZZ_CHECK(r->line > line && r->count <= CSV_FIELDS);
        line = r->line;
        if (fault == OK)
            again(&a, r, csv.separator);
    }
    FUZZ_CHECK(csv.rest.n == 0);
    return 0;
}

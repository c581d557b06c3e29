/* CSV as spreadsheets write it (RFC 4180): quoted fields, quotes doubled, line ends of either kind. */
#ifndef BASE_FILE_CSV_H
#define BASE_FILE_CSV_H
#include "base/arena.h"
#include "base/buf.h"

enum { CSV_FIELDS = 256 };
struct csv {
    text rest;
    char separator;
    unsigned line; /* of the file, where the next record starts, from 1 */
};
struct csv_record {
    text fields[CSV_FIELDS];
    unsigned count, line;
    unsigned stray; /* the first field with a quote that neither opens nor closes it, from 1; 0: none */
    text raw;       /* as it stands, without its line end */
};

/* Over UTF-8 text; a byte order mark is passed over. The separator (comma, semicolon, tab or bar) is the one that a
 * first line "sep=;" names, else the one of which the first line has most outside quotes. Lines end at CR, LF, or both.
 */
struct csv csv_open(text in);
/* The next record that has something in it; false at the end. A quote opens a field at its beginning alone, and is a
 * sign like any other elsewhere. ERR_VALUE in *fault for a quoted field that runs over lines and is not properly
 * closed, and for more than CSV_FIELDS fields: the line is passed over, and it alone. Fields live in the arena or in
 * the text. */
bool csv_next(struct arena *a, struct csv *csv, struct csv_record *out, enum err *fault);

/* ---- Writing. ---- */
/* One field, quoted. What a spreadsheet would compute (a text that begins with =, +, -, @ or their full-width forms, a
 * tab or a line end) gets an apostrophe before it (OWASP, CSV injection). */
void csv_put(struct buf *b, text field);
/* The mark by which spreadsheets know UTF-8. */
#define CSV_MARK TEXT("\xEF\xBB\xBF")

#endif

/* CSV as spreadsheets write it (RFC 4180): quoted fields, quotes doubled, line ends of either kind. */
#ifndef BASE_CSV_H
#define BASE_CSV_H
#include "arena.h"
#include "buf.h"

enum { CSV_FIELDS = 256 };
struct csv { text rest; char separator; unsigned line; };    /* line: of the file, where the next record starts, from 1 */
struct csv_record { text fields[CSV_FIELDS]; unsigned count, line; text raw; };   /* raw: as it stands, without its line end */

/* Over UTF-8 text; a byte order mark is passed over. The separator is `;` when the first line has more of those than of `,`. */
struct csv csv_open(text in);
/* The next record that is not an empty line; false at the end. ERR_VALUE in *fault, with its line, for a quote that is never closed,
 * text behind a closing quote, or more than CSV_FIELDS fields: the record is passed over. Fields live in the arena or in the text. */
bool csv_next(struct arena *a, struct csv *csv, struct csv_record *out, enum err *fault);

/* ---- Writing. ---- */
/* One field, quoted. What a spreadsheet would compute (a text that begins with =, +, -, @ or their full-width forms, a tab or a line end)
 * gets an apostrophe before it (OWASP, CSV injection). */
void csv_put(struct buf *b, text field);
/* The mark by which spreadsheets know UTF-8. */
#define CSV_MARK TEXT("\xEF\xBB\xBF")

#endif

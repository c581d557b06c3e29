/* CSV as spreadsheets write it (RFC 4180): quoted fields, quotes doubled, line ends of either kind. */
#ifndef BASE_CSV_H
#define BASE_CSV_H
#include "arena.h"

enum { CSV_FIELDS = 256 };
struct csv { text rest; char separator; unsigned line; };    /* line: of the file, where the next record starts, from 1 */
struct csv_record { text fields[CSV_FIELDS]; unsigned count, line; text raw; };   /* raw: as it stands, without its line end */

/* Over UTF-8 text; a byte order mark is passed over. The separator is `;` when the first line has more of those than of `,`. */
struct csv csv_open(text in);
/* The next record that is not an empty line; false at the end. ERR_VALUE in *fault, with its line, for a quote that is never closed,
 * text behind a closing quote, or more than CSV_FIELDS fields: the record is passed over. Fields live in the arena or in the text. */
bool csv_next(struct arena *a, struct csv *csv, struct csv_record *out, enum err *fault);

#endif

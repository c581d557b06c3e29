/* The record of processing activities (GDPR 30), in the columns of the CNIL's template: the controller's (30(1)), an
 * activity a row, and the processor's (30(2)), a customer a row. */
#ifndef PUBLISH_REGISTER_H
#define PUBLISH_REGISTER_H
#include "policy/policy.h"

enum record_part { RECORD_CONTROLLER, RECORD_PROCESSOR, RECORD_PARTS };
enum { RECORD_COLUMNS_MAX = 24 };
struct record_row {
    text cells[RECORD_COLUMNS_MAX];
    struct record_row *next;
};
struct record_table {
    text title, heads[RECORD_COLUMNS_MAX];
    unsigned columns;
    struct record_row *first;
    unsigned count;
};
struct record {
    text title, name, version, language, style;
    struct record_table parts[RECORD_PARTS];
};

/* In "fr" or "en". A policy under which nothing is done for others has no row in its second part. */
enum err register_make(struct arena *a, const struct node *root, text file, text language, struct record *out);
/* As a page that stands alone when record.style is set (see struct notice). */
void register_html(struct buf *b, const struct record *r, enum record_part part);
/* RFC 4180 with a byte order mark, as spreadsheets expect of UTF-8; a cell that they would compute is kept as text. */
void register_csv(struct buf *b, const struct record *r, enum record_part part);
/* OpenDocument 1.3: a sheet for each part. */
enum err register_ods(struct arena *a, struct buf *b, const struct record *r);

#endif

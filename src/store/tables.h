/* The tables of tables.def as data: for the DDL, erasure, export and the register. */
#ifndef STORE_TABLES_H
#define STORE_TABLES_H
#include "base/text.h"
#include "store/store.h"

enum table {
#define TABLE(name, ...) TABLE_##name,
#define KEYRING_TABLE(...)
#define INDEX(...)
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
    TABLE_COUNT
};

/* Categories of sealed columns: `row` stands for the row's own column, the others for the server's own records. */
#define PERSONAL(X)                                                                                                    \
    X(none) X(row) X(attachments) X(consents) X(requests) X(journal) X(proofs) X(accounts) X(mail) X(breaches)
enum personal {
#define X(name) PERSONAL_##name,
    PERSONAL(X)
#undef X
};
enum erasure { ERASURE_no, ERASURE_keyed, ERASURE_rows, ERASURE_marked, ERASURE_unlinked, ERASURE_links };
enum column_type { COLUMN_integer, COLUMN_text, COLUMN_bytes, COLUMN_sealed };

struct column {
    text name;
    enum column_type type;
    bool required;
    enum personal category;
};
struct table_row {
    text name, kept_as;
    enum erasure erasure;
    const struct column *columns;
    unsigned column_count;
};
const struct table_row *table_row(enum table table); /* of tables.def and its fragments */

/* Tables whose rows have a term, each its own: the rows KIND of tables.def. */
enum kind_flags {
    KIND_ARCHIVED = 1, /* a column `state`: rows leave for the archive before they go */
    KIND_FORMER = 2,   /* their term is that of former values, not of their category */
    KIND_FILES = 4,    /* told apart by an id, with their bytes in rows of another table */
    KIND_EVENT = 8,    /* the tenth column of DUE: when what terms `from: event` run from happened */
};
struct table_kind {
    enum table table;
    enum sql due, retime, end, again, newest, drop_of;
    unsigned flags;
};
extern const struct table_kind table_kinds[];
extern const unsigned table_kind_count;
#define EACH_KIND(k) for (const struct table_kind *k = table_kinds; k < table_kinds + table_kind_count; k++)

/* When what a snapshot says was read. */
struct store_moment {
    uint64_t state;
    msec begun;
};
struct store_moment store_moment(const struct db *db);
/* Whether what a snapshot of that moment said of those bound tables still holds: no change of one was acknowledged
 * since, nor is one of the group under way when the write that asks gives its `writing` (NULL outside one); and a
 * millisecond or two has passed at most, so that what is altered behind this server is seen as soon as by any reader.
 */
bool store_still(struct store *s, const struct db *writing, struct store_moment m, const enum table *of,
                 unsigned count);

#endif

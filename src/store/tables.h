/* The tables of tables.def as data: for the DDL, erasure, export and the register. */
#ifndef STORE_TABLES_H
#define STORE_TABLES_H
#include "base/text.h"
#include "crypt/seal.h"

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
#define PERSONAL(X) X(none) X(row) X(attachments) X(consents) X(requests) X(journal) X(proofs) X(accounts) X(mail)
enum personal {
#define X(name) PERSONAL_##name,
    PERSONAL(X)
#undef X
};
enum erasure { ERASURE_no, ERASURE_keyed, ERASURE_rows, ERASURE_marked, ERASURE_links };
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
const struct table_row *table_row(enum table table);

#endif

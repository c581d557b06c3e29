/* The tables of tables.def as data. */
#include "store/tables.h"

/* First pass: an array of columns for each table. */
#define COLUMN(name, type, need)     { TEXT_INIT(#name), COLUMN_##type, NEED_##need, PERSONAL_none },
#define SEALED(name, need, category) { TEXT_INIT(#name), COLUMN_sealed, NEED_##need, PERSONAL_##category },
#define KEY(...)
#define NEED_required true
#define NEED_optional false
#define KEYRING_TABLE(...)
#define INDEX(...)
#define TABLE(name, erasure, kept_as, storage, bound, ...)                                                             \
    static const struct column columns_##name[] = { __VA_ARGS__ };
#include "store/tables.def"
#undef TABLE

const struct table_row *table_row(enum table table)
{
    static const struct table_row rows[] = {
#define TABLE(name, erasure, kept_as, storage, bound, ...)                                                             \
    [TABLE_##name] = { TEXT_INIT(#name), TEXT_INIT(#kept_as), ERASURE_##erasure, columns_##name,                       \
                       sizeof columns_##name / sizeof *columns_##name },
#include "store/tables.def"
#undef TABLE
    };
    return &rows[table];
}

#define TABLE(...)
#define KIND(name, prefix, flags)                                                                                      \
    { TABLE_##name,         SQL_##prefix##_DUE,    SQL_##prefix##_RETIME,  SQL_##prefix##_END,                         \
      SQL_##prefix##_AGAIN, SQL_##prefix##_NEWEST, SQL_##prefix##_DROP_OF, flags },
const struct table_kind table_kinds[] = {
#include "store/tables.def"
};
const unsigned table_kind_count = sizeof table_kinds / sizeof *table_kinds;

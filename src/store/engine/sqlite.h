/* Inside the SQLite engine: what a connection holds. */
#ifndef STORE_ENGINE_SQLITE_H
#define STORE_ENGINE_SQLITE_H
#include "store/engine.h"
#define SQLITE_ENABLE_PREUPDATE_HOOK /* Debian's SQLite is built with it */
#include <sqlite3.h>

struct conn {
    sqlite3 *handle;
    sqlite3_stmt *control[CONTROL_COUNT];
    sqlite3_stmt *statements[SQL_COUNT];
    sqlite3_stmt *put; /* what rows are put into a table with: copy.c */
};

/* Names the last SQLite error of this connection, `what` being done; marks db->broken when the transaction is lost. */
enum err db_fail(struct db *db, const char *what);
/* watch.c: from now on ledger_changed() is told of every row that this connection changes. Before anything is prepared.
 */
void db_watch(struct db *db);

/* sqlite_schema.c, for the row of sqlite.c. */
enum {
#define TABLE(name, ...) SQLITE_TABLE_##name,
#define KEYRING_TABLE(name, ...) SQLITE_TABLE_##name,
#define INDEX(name, ...) SQLITE_INDEX_##name,
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
    SQLITE_TABLES
};
extern const char *const sqlite_types[];
extern const struct made sqlite_tables[SQLITE_TABLES];
extern const struct migration sqlite_steps[];
enum err sqlite_version_get(struct db *db, int *out);
enum err sqlite_version_set(struct db *db, int version);
enum err sqlite_selects(struct db *db, const char *sql, bool *out);

/* copy.c, for the row of sqlite.c. */
struct cell sqlite_cell(sqlite3_stmt *statement, int at);
enum err sqlite_every(struct db *db, const struct carried *t,
                      enum err (*each)(void *arg, struct db *db, const struct cell *cells), void *arg);
enum err sqlite_put_begin(struct db *db, const struct carried *t);
enum err sqlite_put(struct db *db, const struct carried *t, const struct cell *cells);
enum err sqlite_put_end(struct db *db, const struct carried *t);

/* Before anything is opened: files opened under this name gather what is written to their log (gather.c). */
#define GATHERING "gathering"
int gather_register(void);

#endif

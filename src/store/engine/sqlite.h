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
};

/* Before anything is opened: files opened under this name gather what is written to their log (gather.c). */
#define GATHERING "gathering"
int gather_register(void);

#endif

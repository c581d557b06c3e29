/* Whole files of SQLite: a snapshot copied while others write, and another file beside this one. */
#include "store/engine/sqlite.h"

enum { STEP_PAGES = 512 };

/* The snapshot begins with the first row read. */
static enum err pin_snapshot(struct db *from)
{
    TRY(db_control(from, CONTROL_SNAPSHOT));
    return db_exec(from, "SELECT count(*) FROM sqlite_schema");
}

enum err db_copy(struct db *from, struct db *to, void (*progress)(uint64_t done, uint64_t all))
{
    TRY(pin_snapshot(from));
    sqlite3_backup *backup = sqlite3_backup_init(to->conn->handle, "main", from->conn->handle, "main");
    if (!backup)
        return db_fail(to, "backup");
    int code = SQLITE_OK;
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(backup, STEP_PAGES);
        uint64_t all = (uint64_t)sqlite3_backup_pagecount(backup), left = (uint64_t)sqlite3_backup_remaining(backup);
        if (progress)
            progress(all - left, all);
    }
    if (sqlite3_backup_finish(backup) != SQLITE_OK)
        return db_fail(to, "backup");
    return db_exec(to, "PRAGMA journal_mode = DELETE"); /* one file, readable where nothing can be written */
}

enum err db_attach(struct db *db, const char *path)
{
    char *sql = sqlite3_mprintf("ATTACH %Q AS former", path);
    if (!sql)
        return say(db->arena, ERR_MEMORY, "no memory to attach %s", path);
    enum err e = db_exec(db, sql);
    sqlite3_free(sql);
    return e;
}

enum err db_detach(struct db *db) { return db_exec(db, "DETACH former"); }

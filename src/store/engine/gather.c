/* Writes to a write-ahead log go to the system together: SQLite asks for each page's header and the page apart. What
 * is gathered is written before the log is read, measured, cut or synced, and each commit is synced before anybody is
 * told of its pages. */
#include "store/engine/sqlite.h"

enum { ROOM = 128 << 10, SPARE = 512 };

struct log_file {
    sqlite3_file base;
    sqlite3_file *real;
    uint8_t *bytes; /* NULL until something is written: readers write nothing */
    size_t n;
    sqlite3_int64 at; /* where in the file the bytes belong */
};

static struct log_file *mine(sqlite3_file *f) { return (struct log_file *)f; }
static sqlite3_file *real(sqlite3_file *f) { return mine(f)->real; }

/* What cannot be written is lost with its transaction, as any write that fails. */
static int hand_on(struct log_file *f)
{
    size_t n = f->n;
    f->n = 0;
    return n ? f->real->pMethods->xWrite(f->real, f->bytes, (int)n, f->at) : SQLITE_OK;
}

/* What is left was never synced, so it is of no commit. */
static int x_close(sqlite3_file *f)
{
    free(mine(f)->bytes);
    mine(f)->bytes = NULL;
    return real(f)->pMethods->xClose(real(f));
}

static int x_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    int code = hand_on(mine(f));
    return code == SQLITE_OK ? real(f)->pMethods->xRead(real(f), to, n, at) : code;
}

static int x_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    struct log_file *log = mine(f);
    size_t size = (size_t)n;
    bool follows = log->n && at == log->at + (sqlite3_int64)log->n && size <= ROOM - log->n;
    int code = follows ? SQLITE_OK : hand_on(log);
    if (!log->bytes)
        log->bytes = malloc(ROOM);
    if (code != SQLITE_OK)
        return code;
    if (!log->bytes || size > ROOM)
        return real(f)->pMethods->xWrite(real(f), from, n, at);
    if (!log->n)
        log->at = at;
    memcpy(log->bytes + log->n, from, size);
    log->n += size;
    return SQLITE_OK;
}

static int x_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int code = hand_on(mine(f));
    return code == SQLITE_OK ? real(f)->pMethods->xTruncate(real(f), size) : code;
}

static int x_sync(sqlite3_file *f, int flags)
{
    int code = hand_on(mine(f));
    return code == SQLITE_OK ? real(f)->pMethods->xSync(real(f), flags) : code;
}

static int x_size(sqlite3_file *f, sqlite3_int64 *size)
{
    int code = hand_on(mine(f));
    return code == SQLITE_OK ? real(f)->pMethods->xFileSize(real(f), size) : code;
}

static int x_lock(sqlite3_file *f, int kind) { return real(f)->pMethods->xLock(real(f), kind); }
static int x_unlock(sqlite3_file *f, int kind) { return real(f)->pMethods->xUnlock(real(f), kind); }
static int x_reserved(sqlite3_file *f, int *out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
static int x_control(sqlite3_file *f, int op, void *arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); }
static int x_sector(sqlite3_file *f) { return real(f)->pMethods->xSectorSize(real(f)); }
static int x_device(sqlite3_file *f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }

/* All other files are those of the system that SQLite has by itself. */
static int x_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
    static const sqlite3_io_methods methods = { 1,      x_close,  x_read,   x_write,    x_truncate, x_sync,
                                                x_size, x_lock,   x_unlock, x_reserved, x_control,  x_sector,
                                                x_device };
    sqlite3_vfs *below = sqlite3_vfs_find(NULL);
    if (!(flags & SQLITE_OPEN_WAL))
        return below->xOpen(below, name, f, flags, out);
    must((size_t)v->szOsFile >= sizeof(struct log_file) + (size_t)below->szOsFile);
    struct log_file *log = mine(f);
    *log = (struct log_file){ .real = (sqlite3_file *)(log + 1) };
    int code = below->xOpen(below, name, log->real, flags, out);
    if (log->real->pMethods)
        log->base.pMethods = &methods;
    return code;
}

int gather_register(void)
{
    static sqlite3_vfs vfs; /* SQLite's list of them links it */
    vfs = *sqlite3_vfs_find(NULL);
    vfs.zName = GATHERING;
    vfs.szOsFile += (int)sizeof(struct log_file) + SPARE; /* one may stand between, which tests do */
    vfs.xOpen = x_open;
    return sqlite3_vfs_register(&vfs, 0);
}

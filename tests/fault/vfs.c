/* A SQLite file system for tests whose n-th write, truncation or sync fails. */
#include "vfs.h"
#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

/* Tests own these: the one thing that a test arms. */
static _Atomic int armed, left, failed;
static _Atomic bool persistent;
static sqlite3_vfs vfs, *below;

struct file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_file *real(sqlite3_file *f) { return ((struct file *)f)->real; }

void fault_arm(enum fault what, int nth, bool stays)
{
    atomic_store(&armed, FAULT_NONE);
    atomic_store(&left, nth);
    atomic_store(&failed, 0);
    atomic_store(&persistent, stays);
    atomic_store(&armed, what);
}

int fault_count(void) { return atomic_load(&failed); }

static bool strikes(bool sync)
{
    int what = atomic_load(&armed);
    if (what == FAULT_NONE || sync != (what == FAULT_SYNC_EIO))
        return false;
    int now = atomic_fetch_sub(&left, 1);
    if (now > 1 || (now < 1 && !atomic_load(&persistent)))
        return false;
    atomic_fetch_add(&failed, 1);
    return true;
}

static int x_close(sqlite3_file *f) { return real(f)->pMethods->xClose(real(f)); }
static int x_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    return real(f)->pMethods->xRead(real(f), to, n, at);
}

static int x_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    if (!strikes(false))
        return real(f)->pMethods->xWrite(real(f), from, n, at);
    int what = atomic_load(&armed);
    if (what == FAULT_WRITE_FULL)
        return SQLITE_FULL;
    if (what == FAULT_WRITE_SHORT) /* half of it reaches the disk */
        real(f)->pMethods->xWrite(real(f), from, n / 2, at);
    return SQLITE_IOERR_WRITE;
}

static int x_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return strikes(false) ? SQLITE_IOERR_TRUNCATE : real(f)->pMethods->xTruncate(real(f), size);
}

static int x_sync(sqlite3_file *f, int flags)
{
    return strikes(true) ? SQLITE_IOERR_FSYNC : real(f)->pMethods->xSync(real(f), flags);
}

static int x_size(sqlite3_file *f, sqlite3_int64 *size) { return real(f)->pMethods->xFileSize(real(f), size); }
static int x_lock(sqlite3_file *f, int kind) { return real(f)->pMethods->xLock(real(f), kind); }
static int x_unlock(sqlite3_file *f, int kind) { return real(f)->pMethods->xUnlock(real(f), kind); }
static int x_reserved(sqlite3_file *f, int *out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); }
static int x_control(sqlite3_file *f, int op, void *arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); }
static int x_sector(sqlite3_file *f) { return real(f)->pMethods->xSectorSize(real(f)); }
static int x_device(sqlite3_file *f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }
static int x_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
static int x_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return real(f)->pMethods->xShmLock(real(f), at, n, flags);
}
static void x_shm_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int x_shm_unmap(sqlite3_file *f, int drop) { return real(f)->pMethods->xShmUnmap(real(f), drop); }

static int x_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
    static const sqlite3_io_methods methods = { 2,        x_close,   x_read,     x_write,       x_truncate,  x_sync,
                                                x_size,   x_lock,    x_unlock,   x_reserved,    x_control,   x_sector,
                                                x_device, x_shm_map, x_shm_lock, x_shm_barrier, x_shm_unmap, NULL,
                                                NULL };
    struct file *mine = (struct file *)f;
    mine->real = (sqlite3_file *)(mine + 1);
    mine->base.pMethods = NULL;
    int code = below->xOpen(below, name, mine->real, flags, out);
    if (mine->real->pMethods)
        mine->base.pMethods = &methods;
    return code;
}

void fault_install(void)
{
    below = sqlite3_vfs_find(NULL);
    vfs = *below;
    vfs.zName = "fault";
    vfs.szOsFile = (int)sizeof(struct file) + below->szOsFile;
    vfs.xOpen = x_open;
    sqlite3_vfs_register(&vfs, 1);
}

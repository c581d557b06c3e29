/* Preloaded into the server, writes down what it asks of the files of one folder, in order, so that tests/fault/cut.py
 * can say what a disk whose power was cut may hold. CUT_LOG: where to; CUT_FOLDER: whose calls. Memory maps are not
 * seen: what SQLite maps is rebuilt by itself. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITTEN = 1, CUT_TO, SYNC_BEGUN, SYNC_ENDED, CREATED, REMOVED, LINKED, RENAMED };
struct head {
    uint32_t kind, path;
    int64_t at, size;
};
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CUT_LOG");
    out = path ? REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
}

static int ours(const char *path)
{
    const char *folder = getenv("CUT_FOLDER");
    return out >= 0 && folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int path_of(int fd, char path[4096])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 4095);
    path[n < 0 ? 0 : n] = '\0';
    return n > 0 && ours(path);
}

/* One call of the system a record: what was begun stands there, whatever ends the process. */
static void put(enum kind kind, const char *path, int64_t at, const void *bytes, size_t n)
{
    struct head head = { kind, (uint32_t)strlen(path), at, (int64_t)n };
    struct iovec parts[] = { { &head, sizeof head }, { (void *)path, head.path }, { (void *)bytes, bytes ? n : 0 } };
    if (writev(out, parts, 3) < (ssize_t)(sizeof head + head.path))
        abort();
}

#define LOCKED for (int go = !pthread_mutex_lock(&one); go; go = pthread_mutex_unlock(&one))

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    char path[4096];
    ssize_t done = 0;
    if (!path_of(fd, path))
        return REAL(pwrite)(fd, bytes, n, at);
    LOCKED
    {
        put(WRITTEN, path, at, bytes, n);
        done = REAL(pwrite)(fd, bytes, n, at);
    }
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) { return pwrite(fd, bytes, n, at); }

ssize_t write(int fd, const void *bytes, size_t n)
{
    char path[4096];
    ssize_t done = 0;
    if (!path_of(fd, path))
        return REAL(write)(fd, bytes, n);
    LOCKED
    {
        off_t at = fcntl(fd, F_GETFL) & O_APPEND ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
        put(WRITTEN, path, at, bytes, n);
        done = REAL(write)(fd, bytes, n);
    }
    return done;
}

int ftruncate(int fd, off_t size)
{
    char path[4096];
    int done = 0;
    if (!path_of(fd, path))
        return REAL(ftruncate)(fd, size);
    LOCKED
    {
        put(CUT_TO, path, size, NULL, 0);
        done = REAL(ftruncate)(fd, size);
    }
    return done;
}

int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

/* Others may write while it goes on: only what stood before its beginning is safe after its end. */
static int synced(int fd, int (*call)(int))
{
    char path[4096];
    if (!path_of(fd, path))
        return call(fd);
    LOCKED put(SYNC_BEGUN, path, fd, NULL, 0);
    int done = call(fd);
    if (done == 0)
        LOCKED put(SYNC_ENDED, path, fd, NULL, 0);
    return done;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

/* A file that is made, or emptied. */
static int opened(const char *path, int flags, mode_t mode)
{
    int fd = -1;
    if (!ours(path) || !(flags & (O_CREAT | O_TRUNC)))
        return REAL(open)(path, flags, mode);
    LOCKED
    {
        if (REAL(access)(path, F_OK) != 0)
            put(CREATED, path, 0, NULL, 0);
        else if (flags & O_TRUNC)
            put(CUT_TO, path, 0, NULL, 0);
        fd = REAL(open)(path, flags, mode);
    }
    return fd;
}

int open(const char *path, int flags, ...)
{
    __builtin_va_list rest;
    __builtin_va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? __builtin_va_arg(rest, mode_t) : 0;
    __builtin_va_end(rest);
    return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    __builtin_va_list rest;
    __builtin_va_start(rest, flags);
    mode_t mode = flags & O_CREAT ? __builtin_va_arg(rest, mode_t) : 0;
    __builtin_va_end(rest);
    return opened(path, flags, mode);
}

#define NAMES(call, kind, from, to)                                                                                    \
    int done = 0;                                                                                                      \
    if (!ours(from))                                                                                                   \
        return call;                                                                                                   \
    LOCKED                                                                                                             \
    {                                                                                                                  \
        put(kind, from, 0, to, strlen(to));                                                                            \
        done = call;                                                                                                   \
    }                                                                                                                  \
    return done;

int unlink(const char *path) { NAMES(REAL(unlink)(path), REMOVED, path, "") }
int link(const char *from, const char *to) { NAMES(REAL(link)(from, to), LINKED, from, to) }
int rename(const char *from, const char *to) { NAMES(REAL(rename)(from, to), RENAMED, from, to) }

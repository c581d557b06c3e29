/* Preloaded into the server, makes calls on files of one folder fail as a test says, through a control file that both
 * have mapped. FAULT_CONTROL: the control file; FAULT_FOLDER: calls on other files pass untouched. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, GROW = 4, TORN = 8 }; /* kinds of calls, bits of control.kinds */
struct control {
    _Atomic int64_t kinds; /* those that fail; 0: none */
    _Atomic int64_t
        error; /* errno; 0: a write of half the bytes instead; below 0: a signal that ends the process there */
    _Atomic int64_t left;   /* calls of those kinds that still pass */
    _Atomic int64_t times;  /* how many fail then; negative: all */
    _Atomic int64_t failed; /* how many did */
};
static struct control *control;

__attribute__((constructor)) static void open_control(void)
{
    const char *path = getenv("FAULT_CONTROL");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    control = map == MAP_FAILED ? NULL : map;
}

static int in_folder(int fd)
{
    char link[64], path[4096];
    const char *folder = getenv("FAULT_FOLDER");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0 || !folder)
        return 0;
    path[n] = '\0';
    return strncmp(path, folder, strlen(folder)) == 0;
}

/* Whether this call is to fail: counts down what may still pass, then what is to fail. */
static int fails(int kind, int fd)
{
    if (!control || !(atomic_load(&control->kinds) & kind) || !in_folder(fd))
        return 0;
    if (atomic_load(&control->left) > 0 && atomic_fetch_sub(&control->left, 1) > 0)
        return 0;
    int64_t times = atomic_load(&control->times);
    if (times == 0 || (times > 0 && atomic_fetch_sub(&control->times, 1) <= 0))
        return 0;
    atomic_fetch_add(&control->failed, 1);
    if (atomic_load(&control->error) < 0)
        kill(getpid(), (int)-atomic_load(&control->error));
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(kind, fd)                                                                                                 \
    if (fails((kind), (fd))) {                                                                                         \
        errno = (int)atomic_load(&control->error);                                                                     \
        return -1;                                                                                                     \
    }
#define FAIL_WRITE(fd, n)                                                                                              \
    if (fails(WRITE, (fd))) {                                                                                          \
        errno = (int)atomic_load(&control->error);                                                                     \
        if (errno)                                                                                                     \
            return -1;                                                                                                 \
        (n) /= 2;                                                                                                      \
    }
/* A torn write: a third of the bytes reaches the disk before the error. */
#define TEAR(fd, call)                                                                                                 \
    if (fails(TORN, (fd))) {                                                                                           \
        if ((call) < 0)                                                                                                \
            return -1;                                                                                                 \
        errno = (int)atomic_load(&control->error);                                                                     \
        return -1;                                                                                                     \
    }

ssize_t write(int fd, const void *bytes, size_t n)
{
    TEAR(fd, REAL(write)(fd, bytes, n / 3))
    FAIL_WRITE(fd, n)
    return REAL(write)(fd, bytes, n);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    TEAR(fd, REAL(pwrite)(fd, bytes, n / 3, at))
    FAIL_WRITE(fd, n)
    return REAL(pwrite)(fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
    TEAR(fd, REAL(pwrite64)(fd, bytes, n / 3, at))
    FAIL_WRITE(fd, n)
    return REAL(pwrite64)(fd, bytes, n, at);
}

int fsync(int fd)
{
    FAIL(SYNC, fd)
    return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    FAIL(SYNC, fd)
    return REAL(fdatasync)(fd);
}

int ftruncate(int fd, off_t size)
{
    FAIL(GROW, fd)
    return REAL(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    FAIL(GROW, fd)
    return REAL(ftruncate64)(fd, size);
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
    FAIL(GROW, fd)
    return REAL(fallocate)(fd, mode, at, size);
}

int posix_fallocate(int fd, off_t at, off_t size)
{
    if (fails(GROW, fd))
        return (int)atomic_load(&control->error);
    return REAL(posix_fallocate)(fd, at, size);
}

/* Preloaded into the server, lets its n-th wish for memory fail, as tests/fault/memory.py says through a control file
 * that both have mapped. MEMORY_CONTROL: that file. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct control {
    _Atomic int64_t armed;        /* whether wishes are counted at all */
    _Atomic int64_t asked;        /* how many there were since */
    _Atomic int64_t after, times; /* those behind the first `after` fail, `times` of them */
    _Atomic int64_t failed;
};
static struct control *control;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

__attribute__((constructor)) static void open_control(void)
{
    const char *path = getenv("MEMORY_CONTROL");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    control = map == MAP_FAILED ? NULL : map;
}

static int fails(void)
{
    if (!control || !atomic_load(&control->armed))
        return 0;
    int64_t number = atomic_fetch_add(&control->asked, 1), after = atomic_load(&control->after);
    if (number < after || number - after >= atomic_load(&control->times))
        return 0;
    atomic_fetch_add(&control->failed, 1);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void *calloc(size_t count, size_t n) { return fails() ? NULL : __libc_calloc(count, n); }
void *realloc(void *p, size_t n) { return n && fails() ? NULL : __libc_realloc(p, n); }
void *aligned_alloc(size_t alignment, size_t n) { return fails() ? NULL : __libc_memalign(alignment, n); }

int posix_memalign(void **out, size_t alignment, size_t n)
{
    if (fails())
        return ENOMEM;
    *out = __libc_memalign(alignment, n);
    return *out ? 0 : ENOMEM;
}

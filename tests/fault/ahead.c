/* Preloaded into the server, sets the clock that only goes forward ahead by what a file says that both have mapped.
 * AHEAD_CONTROL: that file, one number of milliseconds. So no test need wait for as long as what it asserts. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t *ahead;

__attribute__((constructor)) static void open_control(void)
{
    const char *path = getenv("AHEAD_CONTROL");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    ahead = map == MAP_FAILED ? NULL : map;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    int failed = (int)syscall(SYS_clock_gettime, id, out);
    if (!failed && ahead && id == CLOCK_MONOTONIC)
        out->tv_sec += (time_t)(atomic_load(ahead) / 1000);
    return failed;
}

/* Files of the data folder and of backups: copied durably, digested, written whole. */
#include "base/sha256.h"
#include "store/engine.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 65536 };

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define FD_AUTO CLEANUP(fd_close) int

static enum err failed(struct arena *a, const char *path, const char *what)
{
    return say(a, errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_STORAGE, "%s: %s: %s", path, what,
               strerror(errno));
}

/* At most `size` bytes, fewer only at the end of the file; -1 with errno. */
static ssize_t read_block(int fd, char *to, size_t size)
{
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, to + n, size - n);
        if (got < 0 && errno != EINTR)
            return -1;
        if (got == 0)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)n;
}

static bool write_block(int fd, const char *from, size_t size)
{
    while (size) {
        ssize_t put = write(fd, from, size);
        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0) {
            from += put;
            size -= (size_t)put;
        }
    }
    return true;
}

bool file_exists(const char *path) { return access(path, F_OK) == 0; }

enum err file_sync(struct arena *a, const char *path)
{
    FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? OK : failed(a, path, "cannot be synced");
}

enum err file_write(struct arena *a, const char *path, text content)
{
    FD_AUTO fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd >= 0 && write_block(fd, content.p, content.n) && fsync(fd) == 0 ? OK
                                                                              : failed(a, path, "cannot be written");
}

enum err file_read(struct arena *a, const char *path, size_t limit, text *out)
{
    FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return failed(a, path, "cannot be read");
    if (st.st_size < 0 || (size_t)st.st_size > limit)
        return say(a, ERR_TOO_LARGE, "%s has more than %zu bytes", path, limit);
    char *p = arena_alloc(a, (size_t)st.st_size + 1);
    TRY_PTR(p);
    ssize_t n = read_block(fd, p, (size_t)st.st_size);
    if (n < 0)
        return failed(a, path, "cannot be read");
    *out = (text){ p, (size_t)n };
    return OK;
}

struct block {
    char b[BLOCK];
};
static void block_wipe(struct block *b) { explicit_bzero(b, sizeof *b); } /* a master key may have passed through it */
static void sum_wipe(struct sha256 *s) { explicit_bzero(s, sizeof *s); }

/* Reads `from`, counts and digests it, and writes it to `to` when there is one. */
static enum err stream(struct arena *a, const char *from, const char *to, struct sha256 *sum, int64_t *bytes)
{
    FD_AUTO in = open(from, O_RDONLY | O_CLOEXEC);
    FD_AUTO out = to ? open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    CLEANUP(block_wipe) struct block block;
    if (in < 0)
        return failed(a, from, "cannot be read");
    if (to && out < 0)
        return failed(a, to, "cannot be written");
    *bytes = 0;
    for (ssize_t n = BLOCK; n == BLOCK; *bytes += n) {
        n = read_block(in, block.b, BLOCK);
        if (n < 0)
            return failed(a, from, "cannot be read");
        sha256_add(sum, (text){ block.b, (size_t)n });
        if (to && !write_block(out, block.b, (size_t)n))
            return failed(a, to, "cannot be written");
    }
    return to && fsync(out) != 0 ? failed(a, to, "cannot be synced") : OK;
}

enum err file_copy(struct arena *a, const char *from, const char *to, text *hex, int64_t *bytes)
{
    CLEANUP(sum_wipe) struct sha256 sum;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    sha256_begin(&sum);
    TRY(stream(a, from, to, &sum, bytes));
    sha256_end(&sum, digest);
    BUF_AUTO b = buf_make(2 * sizeof digest);
    buf_hex(&b, TEXT_BYTES(digest));
    return buf_take(a, &b, hex);
}

/* The journal as files of c2sp.org/tlog-tiles. */
#include "domain/instance/journal_files.h"
#include "domain/instance/care.h"
#include "crypt/note.h"
#include "domain/core/instance.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WIDTH = 256 };
struct folder {
    struct ctx *c;
    char path[PATH_MAX - 256];
    uint64_t size;
    int64_t files;
};

static enum err failed(struct folder *f, const char *what, const char *path)
{
    return say(f->c->arena, errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_STORAGE, "%s %s: %s", path, what,
               strerror(errno));
}

/* Makes every folder that `path` goes through. */
static enum err make_way(struct folder *f, char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        bool made = mkdir(path, 0755) == 0 || errno == EEXIST;
        if (!made)
            return failed(f, "cannot be made", path);
        *p = '/';
    }
    return OK;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* A file is there whole or not at all. */
static enum err put_file(struct folder *f, const char *name, text bytes)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    snprintf(fresh, sizeof fresh, "%s/%s.new", f->path, name);
    TRY(make_way(f, fresh));
    CLEANUP(close_fd) int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return failed(f, "cannot be made", fresh);
    for (size_t done = 0; done < bytes.n;) {
        ssize_t n = write(fd, bytes.p + done, bytes.n - done);
        if (n < 0 && errno != EINTR)
            return failed(f, "cannot be written", fresh);
        done += n > 0 ? (size_t)n : 0;
    }
    if (fsync(fd) != 0 || rename(fresh, path) != 0)
        return failed(f, "cannot be written", path);
    f->files++;
    return OK;
}

static bool is_there(const struct folder *f, const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    return access(path, F_OK) == 0;
}

/* "x001/x234/067", and ".p/W" for a partial one. */
static void tile_name(char *out, size_t room, const char *folder, uint64_t index, unsigned width)
{
    char groups[64] = "";
    snprintf(groups, sizeof groups, "%03u", (unsigned)(index % 1000));
    while (index /= 1000) {
        char more[64];
        snprintf(more, sizeof more, "x%03u/%.50s", (unsigned)(index % 1000), groups);
        snprintf(groups, sizeof groups, "%s", more);
    }
    if (width == WIDTH)
        snprintf(out, room, "tile/%s/%s", folder, groups);
    else
        snprintf(out, room, "tile/%s/%s.p/%u", folder, groups, width);
}

static enum err put_tile(struct folder *f, int level, uint64_t index, unsigned width)
{
    ARENA_AUTO a = arena_make(4 << 20);
    char name[256], number[16];
    text bytes;
    snprintf(number, sizeof number, "%d", level);
    tile_name(name, sizeof name, level < 0 ? "entries" : number, index, width);
    if (is_there(f, name))
        return OK;
    enum err status = level < 0 ? care_entries(f->c, index, width, &a, &bytes)
                                : journal_tile(ctx_store(f->c), &a, (unsigned)level, index, width, &bytes);
    if (status == ERR_ERASED) /* pruned at its term: the hashes remain */
        return OK;
    if (status != OK) {
        f->c->arena->why = a.why;
        return status;
    }
    return put_file(f, name, bytes);
}

/* `count` hashes (or entries) of one level: whole tiles, then what is left. */
static enum err put_level(struct folder *f, int level, uint64_t count, void (*progress)(uint64_t done, uint64_t all))
{
    for (uint64_t i = 0; i < count / WIDTH; i++) {
        TRY(put_tile(f, level, i, WIDTH));
        if (progress && level <= 0)
            progress((i + 1) * WIDTH, f->size);
    }
    return count % WIDTH ? put_tile(f, level, count / WIDTH, (unsigned)(count % WIDTH)) : OK;
}

enum err journal_folder_write(struct ctx *c, text to, void (*progress)(uint64_t done, uint64_t all), struct answer *out)
{
    struct folder f = { .c = c };
    text note, key;
    if (!to.n || !text_cstr(to, f.path, sizeof f.path))
        return say(c->arena, ERR_USAGE, "the journal is written into a folder, which must be named");
    TRY(journal_checkpoint(ctx_store(c), c->arena, &note, &f.size, NULL));
    TRY(put_level(&f, -1, f.size, progress));
    uint64_t count = f.size;
    for (int level = 0; count; level++, count /= WIDTH)
        TRY(put_level(&f, level, count, progress));
    key = signer_verifier(c->arena, store_signer(ctx_store(c)));
    TRY_PTR(key.p);
    TRY(put_file(&f, "key", arena_print(c->arena, "%.*s\n", T(key))));
    TRY(put_file(&f, "checkpoint", note));
    out->body = arena_print(c->arena, "{\"size\":%llu,\"files\":%lld}", (unsigned long long)f.size, (long long)f.files);
    return out->body.p ? OK : ERR_MEMORY;
}

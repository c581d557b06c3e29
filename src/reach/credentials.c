/* Files of credentials: found, held against who may read them, and read. */
#include "reach/credentials.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CREDENTIALS_MAX = 16384 };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static enum err path_of(struct arena *a, text said, char path[4096])
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    text name = text_from(said, sizeof "credential:" - 1);
    if (!text_starts(said, TEXT("credential:")))
        return text_cstr(said, path, 4096) ? OK : say(a, ERR_CONFIG, "the name of a file of credentials is too long");
    if (!folder || text_index(name, '/') >= 0 || !text_cstr(arena_print(a, "%s/%.*s", folder, T(name)), path, 4096))
        return say(a, ERR_CONFIG, "systemd gave no credential of that name");
    return OK;
}

static enum err read_file(struct arena *a, const char *path, text *out)
{
    char *p = arena_alloc(a, CREDENTIALS_MAX);
    struct stat st;
    TRY_PTR(p);
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return say(a, ERR_CONFIG, "the file of credentials cannot be read (%d)", errno);
    if (!S_ISREG(st.st_mode) || (st.st_mode & S_IRWXO))
        return say(a, ERR_CONFIG, "the file of credentials is open to everybody: chmod o= it");
    ssize_t n = read(fd, p, CREDENTIALS_MAX);
    if (n < 0 || n == CREDENTIALS_MAX)
        return say(a, ERR_CONFIG, "the file of credentials cannot be read, or is too large");
    *out = text_trim((text){ p, (size_t)n });
    return OK;
}

enum err credentials_file(struct arena *a, text name, text *out)
{
    char path[4096];
    TRY(path_of(a, name, path));
    return read_file(a, path, out);
}

enum err credentials_path(struct arena *a, const struct json *store, text member, char path[4096])
{
    text said = json_text(store, member);
    return said.n ? path_of(a, said, path) : say(a, ERR_CONFIG, "the store names no \"%.*s\"", T(member));
}

enum err credentials_read(struct arena *a, const struct json *store, text member, text *out)
{
    char path[4096];
    TRY(credentials_path(a, store, member, path));
    return read_file(a, path, out);
}

text credential(text file, text name)
{
    while (file.n) {
        text line = text_trim(text_cut(&file, '\n'));
        text word = text_trim(text_cut(&line, '='));
        if (text_eq(word, name))
            return text_trim(line);
    }
    return TEXT("");
}

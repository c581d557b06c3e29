/* A folder of files as a store: how a person's files are named in it, and what is done with them. Nothing is reached
 * through a link, nor outside the folder, whatever a name holds. */
#include "base/clock.h"
#include "reach/inside.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, NAME_ROOM = 256, DEPTH_MAX = 16, ENTRIES_MAX = 20000, COPY_MAX = 4 << 20 };

/* One entry of the map: where its files are, and what became of them. */
struct files {
    text name, pattern;
    const struct json *row;
    bool whole; /* the pattern ends with '/': a folder of the person, with all that is in it */
    bool keeps;
    int64_t found, bytes, done, left;
};
struct folder {
    struct arena *a;
    const struct json *asked, *store;
    int root;
    struct files *files;
    unsigned count, entries;
    int64_t copied;
    bool names_left; /* a file has another name elsewhere (a hard link) */
    bool links;      /* a link was taken away: what it led to is there */
};
enum deed { DEED_COUNT, DEED_ERASE, DEED_COPY };
/* What is done at one place. */
struct visit {
    struct folder *f;
    struct files *of;
    enum deed deed;
    struct json_out *w;
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* ---- Names. ---- */

/* A value as a name of one file: '/', '%', what no name shows and a dot at its beginning stand as %XX, so that no value
 * is "..", a path or hidden. */
static void put_value(struct buf *b, text value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char ch = (unsigned char)value.p[i];
        if (ch < ' ' || ch == 127 || ch == '/' || ch == '%' || (ch == '.' && i == 0))
            buf_print(b, "%%%02X", ch);
        else
            buf_char(b, (char)ch);
    }
}

static text name_for(struct folder *f, const struct files *of, text value)
{
    text before = of->pattern;
    ptrdiff_t at = text_find(before, TEXT("{}"));
    BUF_AUTO b = buf_make(PATH_ROOM);
    buf_add(&b, text_upto(before, (size_t)at));
    put_value(&b, value);
    buf_add(&b, text_from(before, (size_t)at + 2));
    return buf_made(f->a, &b);
}

/* Beneath `at`, and through no link. */
static int open_beneath(int at, const char *path, uint64_t flags)
{
    struct open_how how = { .flags = flags | O_CLOEXEC };
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    return (int)syscall(SYS_openat2, at, path, &how, sizeof how);
}

static enum err no_way(struct folder *f)
{
    if (errno == ELOOP)
        return say(f->a, ERR_BUSY, "a link stands where the person's files are: it is not followed");
    return say(f->a, ERR_BUSY, "the folder cannot be read (%d)", errno);
}

/* ---- What is found there. ---- */

static enum err put_content(struct visit *v, int at, const char *name, const struct stat *st)
{
    CLEANUP(close_fd) int fd = open_beneath(at, name, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return no_way(v->f);
    v->f->copied += st->st_size;
    if (v->f->copied > COPY_MAX)
        return say(v->f->a, ERR_TOO_LARGE, "more than %d MiB of files of one person: hand them over by other means",
                   COPY_MAX >> 20);
    char *p = arena_alloc(v->f->a, (size_t)st->st_size + 1);
    TRY_PTR(p);
    size_t n = 0;
    while (n < (size_t)st->st_size) {
        ssize_t got = read(fd, p + n, (size_t)st->st_size - n);
        if (got < 0)
            return no_way(v->f);
        if (got == 0)
            break;
        n += (size_t)got;
    }
    BUF_AUTO b = buf_make(2 * (size_t)COPY_MAX);
    buf_base64(&b, (text){ p, n });
    text coded;
    TRY(buf_lend(v->f->a, &b, &coded));
    json_pair(v->w, TEXT("content"), coded);
    return OK;
}

static enum err copy_file(struct visit *v, int at, const char *name, text shown, const struct stat *st)
{
    json_open(v->w, '{');
    json_pair(v->w, TEXT("name"), text_utf8(shown) ? shown : TEXT("?"));
    json_pair_int(v->w, TEXT("size"), st->st_size);
    json_pair(v->w, TEXT("modified"), time_print(v->f->a, (msec)st->st_mtim.tv_sec * SECOND));
    if (S_ISREG(st->st_mode))
        TRY(put_content(v, at, name, st));
    json_close(v->w, '}');
    return OK;
}

static enum err take_file(struct visit *v, int at, const char *name, text shown, const struct stat *st)
{
    if (++v->f->entries > ENTRIES_MAX)
        return say(v->f->a, ERR_TOO_LARGE, "more than %d files of one person", ENTRIES_MAX);
    v->of->found++;
    v->of->bytes += S_ISREG(st->st_mode) ? st->st_size : 0;
    if (v->deed == DEED_COPY)
        return copy_file(v, at, name, shown, st);
    if (v->deed != DEED_ERASE || v->of->keeps)
        return OK;
    v->f->names_left |= S_ISREG(st->st_mode) && st->st_nlink > 1;
    v->f->links |= S_ISLNK(st->st_mode) != 0;
    if (unlinkat(at, name, 0) != 0 && errno != ENOENT)
        return say(v->f->a, ERR_BUSY, "a file cannot be erased (%d)", errno);
    v->of->done++;
    return OK;
}

static void close_folder(DIR **d)
{
    if (*d)
        closedir(*d);
}

static enum err walk(struct visit *v, int at, const char *name, text shown, unsigned depth);

static enum err take_entry(struct visit *v, int at, const char *name, text shown, unsigned depth)
{
    struct stat st;
    if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? OK : no_way(v->f);
    return S_ISDIR(st.st_mode) ? walk(v, at, name, shown, depth + 1) : take_file(v, at, name, shown, &st);
}

/* All that is in a folder of the person; it goes too, once it is empty. */
static enum err walk(struct visit *v, int at, const char *name, text shown, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return say(v->f->a, ERR_TOO_LARGE, "folders of a person go deeper than %d", DEPTH_MAX);
    int fd = open_beneath(at, name, O_RDONLY | O_DIRECTORY);
    CLEANUP(close_folder) DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return no_way(v->f);
    errno = 0;
    for (struct dirent *e; (e = readdir(d)); errno = 0) {
        text own = text_of(e->d_name);
        if (text_eq(own, TEXT(".")) || text_eq(own, TEXT("..")))
            continue;
        text path = arena_print(v->f->a, "%.*s/%s", T(shown), e->d_name);
        TRY_PTR(path.p);
        TRY(take_entry(v, fd, e->d_name, path, depth));
    }
    if (errno)
        return no_way(v->f);
    if (v->deed != DEED_ERASE || v->of->keeps)
        return OK;
    if (fsync(fd) != 0 || (unlinkat(at, name, AT_REMOVEDIR) != 0 && errno != ENOENT))
        return say(v->f->a, ERR_BUSY, "a folder cannot be erased (%d)", errno);
    return OK;
}

/* The folder that the name stands in; -1 when there is none. */
static enum err open_parent(struct folder *f, text path, int *parent, text *last)
{
    char before[PATH_ROOM];
    size_t cut = path.n;
    while (cut && path.p[cut - 1] != '/')
        cut--;
    *last = text_from(path, cut);
    text folder = cut ? text_upto(path, cut - 1) : TEXT(".");
    if (!text_cstr(folder, before, sizeof before))
        return say(f->a, ERR_VALUE, "a name of a file is too long");
    *parent = open_beneath(f->root, before, O_RDONLY | O_DIRECTORY);
    return *parent >= 0 || errno == ENOENT ? OK : no_way(f);
}

static enum err visit_value(struct visit *v, text value)
{
    char name[NAME_ROOM];
    struct stat st;
    text path = name_for(v->f, v->of, value), last;
    CLEANUP(close_fd) int parent = -1;
    TRY_PTR(path.p);
    path = v->of->whole ? text_upto(path, path.n - 1) : path;
    TRY(open_parent(v->f, path, &parent, &last));
    if (parent < 0)
        return OK;
    if (!text_cstr(last, name, sizeof name))
        return say(v->f->a, ERR_VALUE, "a name of a file is too long");
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? OK : no_way(v->f);
    if (!S_ISDIR(st.st_mode) == v->of->whole)
        return say(v->f->a, ERR_BUSY,
                   v->of->whole ? "a file or a link stands where a person's folder is expected"
                                : "a folder stands where a person's file is expected");
    TRY(v->of->whole ? walk(v, parent, name, last, 0) : take_file(v, parent, name, last, &st));
    if (v->deed == DEED_ERASE && !v->of->keeps && fsync(parent) != 0)
        return say(v->f->a, ERR_BUSY, "a folder cannot be synced (%d)", errno);
    return OK;
}

static enum err visit_all(struct visit *v)
{
    const struct json *values = json_get(v->f->asked, TEXT("values")), *key = json_get(v->f->store, TEXT("key"));
    JSON_EACH(value, json_get(values, key ? key->value : TEXT("")))
        if (value->kind == J_TEXT && value->value.n)
            TRY(visit_value(v, value->value));
    return OK;
}

/* ---- The map. ---- */

static void put_fault(struct json_out *faults, text name, const char *what)
{
    json_open(faults, '{');
    json_pair(faults, TEXT("table"), name);
    json_pair(faults, TEXT("column"), (text){ NULL, 0 });
    json_pair(faults, TEXT("fault"), text_of(what));
    json_close(faults, '}');
}

static bool is_pattern(text s)
{
    ptrdiff_t at = text_find(s, TEXT("{}"));
    if (at < 0 || text_find(text_from(s, (size_t)at + 2), TEXT("{}")) >= 0)
        return false;
    while (s.n) {
        text part = text_cut(&s, '/');
        if (!part.n || text_eq(part, TEXT("..")) || text_eq(part, TEXT(".")))
            return false;
    }
    return true;
}

static enum err read_map(struct folder *f, struct json_out *faults, unsigned *wrong)
{
    const struct json *all = json_get(f->store, TEXT("files"));
    f->files = NEW_ARRAY(f->a, struct files, (all ? all->count : 0) + 1);
    TRY_PTR(f->files);
    JSON_EACH(row, all) {
        struct files *of = &f->files[f->count++];
        text word = json_text(row, TEXT("erase"));
        *of = (struct files){ .name = row->key,
                              .pattern = json_text(row, TEXT("name")),
                              .row = row,
                              .keeps = text_eq(word, TEXT("keep")) };
        of->whole = text_ends(of->pattern, TEXT("/"));
        const char *fault = !is_pattern(of->pattern)                        ? "no-key"
                            : !of->keeps && !text_eq(word, TEXT("delete"))  ? "no-action"
                            : of->keeps && !json_text(row, TEXT("ground")).n ? "no-ground"
                                                                            : NULL;
        if (fault)
            put_fault(faults, of->name, fault);
        *wrong += fault != NULL;
    }
    return OK;
}

static enum err open_root(struct folder *f)
{
    char path[PATH_ROOM];
    text said = json_text(f->store, TEXT("path"));
    if (!text_starts(said, TEXT("/")) || !text_cstr(said, path, sizeof path))
        return say(f->a, ERR_CONFIG, "a store of files has a \"path\" that begins with /");
    f->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return f->root >= 0 ? OK : say(f->a, ERR_BUSY, "the folder cannot be opened (%d)", errno);
}

/* ---- Acts. ---- */

static void put_files(const struct files *of, struct json_out *w)
{
    text until = json_text(of->row, TEXT("until"));
    json_open(w, '{');
    json_pair(w, TEXT("table"), of->name);
    json_pair(w, TEXT("action"), of->keeps ? TEXT("keep") : TEXT("delete"));
    json_pair_int(w, TEXT("found"), of->found);
    json_pair_int(w, TEXT("bytes"), of->bytes);
    json_pair_int(w, TEXT("done"), of->done);
    json_pair_int(w, TEXT("left"), of->left);
    if (of->keeps) {
        json_pair(w, TEXT("ground"), json_text(of->row, TEXT("ground")));
        json_pair(w, TEXT("until"), until.n ? until : (text){ NULL, 0 });
    }
    json_close(w, '}');
}

static void put_remain(struct json_out *w, const char *what, text days)
{
    json_open(w, '{');
    json_pair(w, TEXT("what"), text_of(what));
    json_pair(w, TEXT("days"), days.n ? days : (text){ NULL, 0 });
    json_close(w, '}');
}

static void put_remains(const struct folder *f, struct json_out *w)
{
    json_name(w, TEXT("remains"));
    json_open(w, '[');
    put_remain(w, "disk-blocks", TEXT(""));
    if (f->names_left)
        put_remain(w, "hard-links", TEXT(""));
    if (f->links)
        put_remain(w, "link-targets", TEXT(""));
    put_remain(w, "backups", json_text(f->store, TEXT("backup_days")));
    json_close(w, ']');
}

/* After it nothing of the person may be found by the same names. */
static enum err look_again(struct folder *f, struct files *of)
{
    struct files again = *of;
    again.found = 0;
    TRY(visit_all(&(struct visit){ f, &again, DEED_COUNT, NULL }));
    of->left = again.found;
    if (!of->keeps && of->left)
        return say(f->a, ERR_BUSY, "%lld files of \"%.*s\" are found still", (long long)of->left, T(of->name));
    return OK;
}

static enum err act_each(struct folder *f, enum deed deed, struct json_out *w)
{
    json_name(w, TEXT("tables"));
    json_open(w, '[');
    for (unsigned i = 0; i < f->count; i++) {
        struct files *of = &f->files[i];
        struct visit v = { f, of, deed, w };
        if (deed == DEED_COPY) {
            json_open(w, '{');
            json_pair(w, TEXT("table"), of->name);
            json_name(w, TEXT("rows"));
            json_open(w, '[');
        }
        TRY(visit_all(&v));
        if (deed == DEED_COPY) {
            json_close(w, ']');
            json_close(w, '}');
            continue;
        }
        if (deed == DEED_ERASE)
            TRY(look_again(f, of));
        put_files(of, w);
    }
    json_close(w, ']');
    if (deed == DEED_ERASE)
        put_remains(f, w);
    return OK;
}

static enum err act(struct folder *f, struct json_out *w)
{
    text name = json_text(f->asked, TEXT("act"));
    if (text_eq(name, TEXT("check")) || text_eq(name, TEXT("set"))) /* nothing is marked in files */
        return OK;
    if (text_eq(name, TEXT("count")))
        return act_each(f, DEED_COUNT, w);
    if (text_eq(name, TEXT("erase")))
        return act_each(f, DEED_ERASE, w);
    if (text_eq(name, TEXT("copy")))
        return act_each(f, DEED_COPY, w);
    return say(f->a, ERR_VALUE, "nothing is done so");
}

static void close_root(struct folder *f) { close_fd(&f->root); }

enum err folder_answer(struct arena *a, const struct json *asked, struct json_out *w)
{
    CLEANUP(close_root) struct folder f = {
        .a = a, .asked = asked, .store = json_get(asked, TEXT("store")), .root = -1
    };
    unsigned wrong = 0;
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out faults = json_out(&b);
    json_open(&faults, '[');
    TRY(read_map(&f, &faults, &wrong));
    json_close(&faults, ']');
    TRY(open_root(&f));
    json_pair(w, TEXT("state"), wrong ? TEXT("unmapped") : TEXT("done"));
    if (!wrong)
        return act(&f, w);
    json_name(w, TEXT("faults"));
    json_put_raw_of(w, &b);
    return OK;
}

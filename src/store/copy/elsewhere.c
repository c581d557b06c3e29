/* A backup put into databases of PostgreSQL: today's rows are carried into files, the restore is done there as in a
 * folder, and what it made is carried back. */
#include "store/engine.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH "restoring"

struct scratch {
    struct arena *a;
    struct store *s;              /* locked, and without a writer */
    struct db *there[FILE_COUNT]; /* each with the writers' lock */
    char dir[PATH_MAX - 64];
    bool made_folder;
};

static void scratch_path(const struct scratch *x, enum file f, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", x->dir, db_file_name(f).p);
}

/* With all in it: wrapped keys are not left lying about. */
static enum err folder_remove(struct arena *a, const char *dir)
{
    char path[PATH_MAX + 256];
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (d)
        closedir(d);
    return rmdir(dir) == 0 || errno == ENOENT ? OK
                                              : say(a, ERR_STORAGE, "%s cannot be removed: %s", dir, strerror(errno));
}

enum err restore_clear(struct arena *a, const struct store *s)
{
    char dir[PATH_MAX];
    store_path(s, SCRATCH, dir);
    return folder_remove(a, dir);
}

static enum err file_open(const struct scratch *x, enum file f, struct db **out)
{
    char path[PATH_MAX];
    scratch_path(x, f, path);
    TRY(file_write(x->a, path, TEXT(""))); /* made for this user alone */
    return db_open(x->a, path, f, DB_PLAIN, out);
}

/* Today's rows, where there are some. */
static enum err carry_out(struct scratch *x)
{
    for (enum file f = 0; f < FILE_COUNT; f++) {
        int version;
        DB_AUTO file = NULL;
        TRY(x->there[f]->engine->version_get(x->there[f], &version));
        if (!version)
            continue;
        TRY(schema_known(x->there[f]));
        TRY(schema_apply(x->there[f]));
        TRY(file_open(x, f, &file));
        TRY(carry_rows(x->there[f], file, NULL, NULL));
    }
    return OK;
}

/* The keyring first: a crash between leaves databases to which the same backup is restored again. */
static enum err carry_back(struct scratch *x)
{
    static const enum file order[] = { FILE_KEYS, FILE_DATA };
    for (unsigned i = 0; i < FILE_COUNT; i++) {
        char path[PATH_MAX];
        DB_AUTO file = NULL;
        scratch_path(x, order[i], path);
        TRY(db_open(x->a, path, order[i], DB_READ, &file));
        TRY(carry_rows(file, x->there[order[i]], NULL, NULL));
    }
    return OK;
}

static enum err databases_open(struct scratch *x)
{
    for (enum file f = 0; f < FILE_COUNT; f++)
        TRY(db_connect(x->s->engine, x->a, &x->s->places[f], f, DB_CREATE, &x->there[f]));
    return OK;
}

static enum err restored(struct scratch *x, const struct restore_from *from, const struct store_options *into,
                         uint64_t *silenced)
{
    struct store_options files = { .dir = text_of(x->dir),
                                   .master_file = text_of(x->s->master_file),
                                   .clock = into->clock };
    snprintf(x->dir, sizeof x->dir, "%.*s/" SCRATCH, (int)sizeof x->dir - 16, x->s->dir);
    files.dir = text_of(x->dir);
    TRY(databases_open(x));
    TRY(restore_clear(x->a, x->s));
    if (mkdir(x->dir, 0700) != 0)
        return say(x->a, ERR_STORAGE, "%s cannot be made: %s", x->dir, strerror(errno));
    TRY(carry_out(x));
    TRY(store_restore(x->a, from, &files, silenced));
    return carry_back(x);
}

/* A new machine has no data folder yet. */
static enum err folder_made(struct scratch *x, const struct restore_from *from, text dir)
{
    char path[PATH_MAX];
    if (!from->keys.n || !text_cstr(dir, path, sizeof path))
        return OK;
    x->made_folder = mkdir(path, 0700) == 0;
    return x->made_folder || errno == EEXIST
               ? OK
               : say(x->a, ERR_CONFIG, "the data folder %s cannot be made: %s", path, strerror(errno));
}

enum err restore_elsewhere(struct arena *a, const struct restore_from *from, const struct store_options *into,
                           uint64_t *silenced)
{
    struct scratch x = { .a = a };
    struct store_options o = *into;
    o.create = false; /* the master key must be there */
    TRY(folder_made(&x, from, o.dir));
    enum err e = store_make(a, &o, &x.s);
    if (e == OK)
        e = restored(&x, from, &o, silenced);
    for (enum file f = 0; f < FILE_COUNT; f++)
        db_close(&x.there[f]);
    if (x.dir[0]) {
        enum err removed = folder_remove(a, x.dir);
        e = e != OK ? e : removed;
    }
    store_close(&x.s);
    if (e != OK && x.made_folder)
        store_discard(o.dir);
    return e;
}

/* Backups under load: a snapshot of one file, and the manifest that tells what it is. */
#include "store/engine.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Copying one file. ---- */

struct copy {
    struct db *from, *to;
};

static void copy_end(struct copy *c)
{
    db_close(&c->from);
    db_close(&c->to);
}
#define COPY_AUTO CLEANUP(copy_end) struct copy

static enum err copy_file(struct store *s, struct arena *a, enum file f, const char *to,
                          void (*progress)(uint64_t done, uint64_t all))
{
    COPY_AUTO c = { 0 };
    TRY(file_write(a, to, TEXT(""))); /* made for this user alone */
    TRY(db_connect(s->engine, a, &s->places[f], f, DB_READ, &c.from));
    TRY(db_open(a, to, f, DB_PLAIN, &c.to));
    TRY(s->engine->files ? db_copy(c.from, c.to, progress) : carry_rows(c.from, c.to, progress, NULL));
    copy_end(&c);
    return file_sync(a, to);
}

/* ---- The target. ---- */

struct target {
    char dir[PATH_MAX - 64], part[PATH_MAX], file[PATH_MAX], manifest[PATH_MAX];
};

static enum err target_make(const struct store *s, struct arena *a, text dir, enum file f, struct target *t)
{
    if (!dir.n || !text_cstr(dir, t->dir, sizeof t->dir))
        return say(a, ERR_CONFIG, "the name of the backup's folder is empty or too long");
    if (mkdir(t->dir, 0700) != 0 && errno != EEXIST)
        return say(a, ERR_STORAGE, "the backup's folder %s cannot be made: %s", t->dir, strerror(errno));
    snprintf(t->file, sizeof t->file, "%s/%s", t->dir, db_file_name(f).p);
    snprintf(t->part, sizeof t->part, "%s/%s.part", t->dir, db_file_name(f).p);
    TRY(manifest_path(a, t->dir, f, t->manifest));
    return access(t->file, F_OK) == 0 ? say(a, ERR_CONFLICT, "%s holds a backup already", t->dir) : OK;
}

static enum err target_finish(struct arena *a, const struct target *t)
{
    if (rename(t->part, t->file) != 0)
        return say(a, ERR_STORAGE, "%s cannot be renamed: %s", t->part, strerror(errno));
    return store_sync_folder(a, t->dir);
}

/* The tree as the copy holds it. */
static enum err copied_tree(struct arena *a, const char *path, struct tree *out)
{
    DB_AUTO db = NULL;
    struct edge *e = NEW(a, struct edge);
    TRY_PTR(e);
    TRY(db_open(a, path, FILE_DATA, DB_READ, &db));
    TRY(edge_load(db, e));
    *out = e->tree;
    return OK;
}

/* ---- The two backups. ---- */

/* The part, its manifest, and only then its name: a backup that was cut has no data.db or keys.db. */
static enum err finish(struct store *s, struct arena *a, const struct target *t, struct manifest *m)
{
    TRY(file_copy(a, t->part, NULL, &m->sha256, &m->bytes));
    m->at = clock_now(&s->clock);
    TRY(manifest_write(s, a, t->manifest, m));
    return target_finish(a, t);
}

static enum err backup_data(struct store *s, struct arena *a, const struct target *t,
                            void (*progress)(uint64_t done, uint64_t all), uint64_t *size)
{
    struct tree tree;
    struct manifest m = { .file = FILE_DATA };
    TRY(copy_file(s, a, FILE_DATA, t->part, progress));
    TRY(copied_tree(a, t->part, &tree));
    m.size = (int64_t)tree.size;
    m.checkpoint = checkpoint_sign(a, &s->signer, tree.size, tree_root(&tree));
    TRY_PTR(m.checkpoint.p);
    *size = tree.size;
    return finish(s, a, t, &m);
}

static enum err backup_keys(struct store *s, struct arena *a, const struct target *t)
{
    struct manifest m = { .file = FILE_KEYS };
    m.master = arena_print(a, "%08x", store_master(s)->id);
    TRY_PTR(m.master.p);
    TRY(copy_file(s, a, FILE_KEYS, t->part, NULL));
    return finish(s, a, t, &m);
}

static void target_drop(const struct target *t)
{
    unlink(t->part);
    unlink(t->file);
    unlink(t->manifest);
}

enum err store_backup(struct store *s, struct arena *a, text to_dir, void (*progress)(uint64_t done, uint64_t all),
                      uint64_t *size)
{
    struct target t;
    TRY(target_make(s, a, to_dir, FILE_DATA, &t));
    enum err e = backup_data(s, a, &t, progress, size);
    if (e != OK)
        target_drop(&t);
    return e;
}

enum err store_backup_keys(struct store *s, struct arena *a, text to_dir)
{
    struct target t;
    TRY(target_make(s, a, to_dir, FILE_KEYS, &t));
    enum err e = backup_keys(s, a, &t);
    if (e != OK)
        target_drop(&t);
    return e;
}

enum err store_backup_both(struct store *s, struct arena *a, text to_dir, void (*progress)(uint64_t done, uint64_t all),
                           uint64_t *size)
{
    struct target data, keys;
    TRY(target_make(s, a, to_dir, FILE_DATA, &data));
    TRY(target_make(s, a, to_dir, FILE_KEYS, &keys));
    enum err e = backup_data(s, a, &data, progress, size);
    if (e == OK) /* behind the data: it must open all of them */
        e = backup_keys(s, a, &keys);
    if (e != OK) {
        target_drop(&data);
        target_drop(&keys);
    }
    return e;
}

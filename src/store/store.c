/* The data folder: opening, its lock, the instance's secrets, readers, closing. */
#include "base/log.h"
#include "store/engine.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OWN_MEMORY = 16 << 20, FIGURES_MEMORY = 1 << 20 };

void store_path(const struct store *s, const char *name, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s", s->dir, name);
}

static bool exists(const char *path) { return access(path, F_OK) == 0; }

/* ---- Folder, lock, files. ---- */

static enum err folder(struct arena *a, struct store *s, const struct store_options *o)
{
    if (!o->dir.n || !text_cstr(o->dir, s->dir, sizeof s->dir))
        return say(a, ERR_CONFIG, "the data folder's name is empty or too long");
    if (o->create && mkdir(s->dir, 0700) != 0 && errno != EEXIST)
        return say(a, ERR_CONFIG, "the data folder %s cannot be made: %s", s->dir, strerror(errno));
    return exists(s->dir) ? OK : say(a, ERR_CONFIG, "there is no data folder %s", s->dir);
}

enum err store_marks_elsewhere(struct arena *a, const struct store *s)
{
    char path[PATH_MAX];
    store_path(s, "postgresql", path);
    return file_write(a, path, TEXT("--store and --keyring name where the data is\n"));
}

/* The folder says where its data are, so that a start without their addresses makes no new ones. */
static enum err folder_agrees(struct arena *a, const struct store *s)
{
    char mark[PATH_MAX], file[PATH_MAX];
    store_path(s, "postgresql", mark);
    store_path(s, db_file_name(FILE_DATA).p, file);
    TRY(move_folder_check(a, s));
    if (s->engine->files)
        return exists(mark) ? say(a, ERR_CONFIG, "the data of the folder %s is on PostgreSQL: --store and --keyring"
                                                 " name where", s->dir)
                            : OK;
    if (exists(file) && !move_folder_idle(s))
        return say(a, ERR_CONFIG, "the folder %s has data of its own: `garant move` brings it to PostgreSQL", s->dir);
    return exists(mark) ? OK : store_marks_elsewhere(a, s);
}

static enum err places(struct arena *a, struct store *s, const struct store_options *o)
{
    s->engine = o->data_at.n || o->keys_at.n ? &engine_pg : &engine_sqlite;
    for (enum file f = 0; f < FILE_COUNT; f++) {
        text at = f == FILE_DATA ? o->data_at : o->keys_at;
        text password = f == FILE_DATA ? o->data_password : o->keys_password;
        if (s->engine->files)
            store_path(s, db_file_name(f).p, s->at[f]);
        else if (!at.n || !text_cstr(at, s->at[f], sizeof s->at[f]))
            return say(a, ERR_CONFIG, "a store on PostgreSQL needs --store and --keyring, an address each");
        if (!text_cstr(password, s->passwords[f], sizeof s->passwords[f]))
            return say(a, ERR_CONFIG, "the name of a password's file is too long");
        s->places[f] = (struct db_place){
            .at = s->at[f], .password = s->passwords[f], .verified = o->verified, .moving = o->moving,
            .cautious = o->cautious,
        };
    }
    if (!s->engine->files && text_eq(o->data_at, o->keys_at))
        return say(a, ERR_CONFIG, "--store and --keyring name the same database: they need one each");
    return o->moving ? OK : folder_agrees(a, s);
}

static enum err lock(struct arena *a, struct store *s)
{
    char path[PATH_MAX];
    store_path(s, "lock", path);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return say(a, ERR_CONFIG, "the data folder %s cannot be written: %s", s->dir, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return say(a, ERR_LOCKED, "another process uses the data folder %s", s->dir);
    return OK;
}

bool store_verified(const struct store *s)
{
    for (enum file f = 0; f < FILE_COUNT; f++)
        if (!s->writers[f] || s->writers[f]->linked)
            return false;
    return true;
}

bool store_leads(const struct store *s) { return s->lock_fd >= 0; }

enum err store_sync_folder(struct arena *a, const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok ? OK : say(a, ERR_STORAGE, "the folder %s cannot be synced: %s", dir, strerror(errno));
}

/* Made beforehand so that only this user may read it; SQLite gives its logs the same mode. */
static enum err make_private(struct arena *a, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return say(a, ERR_CONFIG, "%s cannot be made: %s", path, strerror(errno));
    close(fd);
    return OK;
}

enum err store_connect(struct store *s, struct arena *a, enum file f, enum db_mode mode, struct db **out)
{
    TRY(db_connect(s->engine, a, &s->places[f], f, mode, out));
    (*out)->store = s;
    return OK;
}

enum err store_open_file(struct arena *a, struct store *s, enum file f, const struct db_place *place, enum db_mode mode)
{
    if (mode == DB_CREATE && s->engine->files)
        TRY(make_private(a, place->at));
    TRY(db_connect(s->engine, a, place, f, mode, &s->writers[f]));
    s->writers[f]->store = s;
    return schema_apply(s->writers[f]);
}

static enum err has_rows(struct arena *a, const struct store *s, enum file f, bool *out)
{
    return s->engine->there(a, &s->places[f], f, out);
}

static enum err has_secret(struct store *s, bool *found)
{
    QUERY_AUTO q;
    query_start(&q, s->writers[FILE_KEYS], SQL_SECRET_GET, ARGS(V_TEXT(TEXT("lookup"))));
    *found = query_next(&q);
    return q.status;
}

/* Asked of both files before either is touched: a folder that a newer program wrote is left to it as it is. */
static enum err version_known(struct arena *a, struct store *s, enum file f)
{
    DB_AUTO db = NULL;
    TRY(db_connect(s->engine, a, &s->places[f], f, DB_READ, &db));
    return schema_known(db);
}

/* Opens both files, or makes both. One of them without the other is a fault that must not be papered over: data without
 * keys could never be read, and new data beside a used keyring would hide that the old are gone. */
static enum err open_files(struct arena *a, struct store *s, bool create)
{
    bool has_data, has_keys, used;
    TRY(has_rows(a, s, FILE_DATA, &has_data));
    TRY(has_rows(a, s, FILE_KEYS, &has_keys));
    if (!has_data && !create)
        return say(a, ERR_CONFIG, "%s holds no data yet", s->dir);
    if (has_data && !has_keys)
        return say(a, ERR_CONFIG, "%s has data.db without the keyring keys.db", s->dir);
    for (enum file f = 0; f < FILE_COUNT; f++)
        if (f == FILE_DATA ? has_data : has_keys)
            TRY(version_known(a, s, f));
    TRY(store_open_file(a, s, FILE_KEYS, &s->places[FILE_KEYS], has_keys ? DB_WRITE : DB_CREATE));
    TRY(has_secret(s, &used));
    if (!has_data && used)
        return say(a, ERR_CONFIG, "%s has the keyring keys.db without data.db: restore a backup", s->dir);
    TRY(store_open_file(a, s, FILE_DATA, &s->places[FILE_DATA], has_data ? DB_WRITE : DB_CREATE));
    return has_data || !s->engine->files ? OK : store_sync_folder(a, s->dir);
}

/* ---- Secrets. ---- */

struct held_master *store_master_hold(struct arena *a, const struct master *m)
{
    struct held_master *held = calloc(1, sizeof *held);
    if (!held) {
        say(a, ERR_MEMORY, "no memory for the master key");
        return NULL;
    }
    memory_lock(held, sizeof *held);
    held->m = *m;
    return held;
}

void store_master_drop(struct held_master *held)
{
    master_wipe(&held->m);
    memory_unlock(held, sizeof *held);
    free(held);
}

void store_master_publish(struct store *s, struct held_master *held)
{
    held->earlier = atomic_load(&s->master);
    atomic_store(&s->master, held);
}

static void masters_free(struct store *s)
{
    for (struct held_master *h = atomic_load(&s->master), *earlier; h; h = earlier) {
        earlier = h->earlier;
        store_master_drop(h);
    }
}

/* The master key, and the former one while its file stands beside it: a rotation was interrupted. */
static enum err master(struct arena *a, struct store *s, const struct store_options *o)
{
    char former_file[PATH_MAX + 16];
    CLEANUP(master_wipe) struct master m = { 0 };
    CLEANUP(master_wipe) struct master former = { 0 };
    store_path(s, "master.key", s->master_file);
    if (o->master_file.n && !text_cstr(o->master_file, s->master_file, sizeof s->master_file))
        return say(a, ERR_CONFIG, "the name of the master key's file is too long");
    snprintf(former_file, sizeof former_file, "%s.former", s->master_file);
    bool has_keys;
    TRY(has_rows(a, s, FILE_KEYS, &has_keys));
    bool make = o->create && !has_keys && !exists(s->master_file);
    TRY(make ? master_create(a, s->master_file, &m) : master_read(a, s->master_file, &m));
    if (exists(former_file)) {
        TRY(master_read(a, former_file, &former));
        master_follow(&m, &former);
    }
    struct held_master *held = store_master_hold(a, &m);
    TRY_PTR(held);
    store_master_publish(s, held);
    return OK;
}

/* A secret of the instance, made at the first start; wrapped under the master as a key of nobody, by its name. */
static enum err secret(struct arena *a, struct store *s, text name, bool fresh, struct key *out)
{
    struct db *keys = s->writers[FILE_KEYS];
    const struct master *m = store_master(s);
    struct subject_id nobody = { 0 };
    {
        QUERY_AUTO q;
        query_start(&q, keys, SQL_SECRET_GET, ARGS(V_TEXT(name)));
        if (query_next(&q))
            return key_unwrap(a, m, name, nobody, 0, query_get(&q, SECRET_GET, wrapped), out);
        TRY(q.status);
    }
    if (!fresh)
        return say(a, ERR_INTEGRITY, "the keyring has no secret %.*s", T(name));
    uint8_t wrapped[WRAPPED_KEY];
    key_make(out);
    key_wrap(m, name, nobody, 0, out, wrapped);
    return db_run(keys, SQL_SECRET_PUT, NULL, ARGS(V_TEXT(name), V_BYTES(TEXT_BYTES(wrapped))));
}

static enum err meta_get(struct db *db, text name, char *out, size_t size)
{
    QUERY_AUTO q;
    out[0] = '\0';
    query_start(&q, db, SQL_META_GET, ARGS(V_TEXT(name)));
    if (query_next(&q) && !text_cstr(query_get(&q, META_GET, value), out, size))
        return say(db->arena, ERR_INTEGRITY, "the value of meta %.*s is too long", T(name));
    return q.status;
}

/* The journal's name never changes: a checkpoint signed under another one would be of another log. */
static enum err origin(struct arena *a, struct store *s, text wanted)
{
    struct db *data = s->writers[FILE_DATA];
    TRY(meta_get(data, TEXT("origin"), s->origin, sizeof s->origin));
    if (s->origin[0])
        return !wanted.n || text_eq(wanted, text_of(s->origin))
                   ? OK
                   : say(a, ERR_CONFIG, "this journal's origin is %s and cannot become %.*s", s->origin, T(wanted));
    uint64_t random;
    crypt_random(&random, sizeof random);
    text made = wanted.n ? wanted : arena_print(a, "garant/%016llx", (unsigned long long)random);
    if (!text_cstr(made, s->origin, sizeof s->origin) || !signer_name_valid(made))
        return say(a, ERR_CONFIG,
                   "an origin is at most 255 bytes of UTF-8 without blank, control character or plus sign");
    return db_run(data, SQL_META_PUT, NULL, ARGS(V_TEXT(TEXT("origin")), V_TEXT(made)));
}

enum err store_signer_load(struct arena *a, struct store *s, text origin)
{
    KEY_AUTO seed;
    if (!text_cstr(origin, s->origin, sizeof s->origin) || !signer_name_valid(origin))
        return say(a, ERR_INTEGRITY, "a backup's origin is no name of a journal");
    TRY(secret(a, s, TEXT("signer"), false, &seed));
    signer_make(text_of(s->origin), &seed, &s->signer);
    return OK;
}

static enum err secrets(struct arena *a, struct store *s, text wanted)
{
    KEY_AUTO seed;
    TRY(origin(a, s, wanted));
    bool fresh = s->edge.tree.size == 0;
    TRY(secret(a, s, TEXT("lookup"), fresh, &s->lookup));
    TRY(secret(a, s, TEXT("index"), fresh, &s->index));
    TRY(secret(a, s, TEXT("signer"), fresh, &seed));
    signer_make(text_of(s->origin), &seed, &s->signer);
    return OK;
}

/* ---- Open and close. ---- */

/* Entries that were signed for must be there. */
static enum err against_last_checkpoint(struct arena *a, struct store *s)
{
    QUERY_AUTO q;
    query_start(&q, s->writers[FILE_DATA], SQL_CHECKPOINT_LAST, ARGS());
    if (!query_next(&q))
        return q.status;
    uint64_t size;
    struct hash root;
    TRY(checkpoint_open(a, &s->signer, query_get(&q, CHECKPOINT_LAST, note), &size, &root));
    s->note_kept = query_get(&q, CHECKPOINT_LAST, at);
    if (size > s->edge.tree.size || (size == s->edge.tree.size && !hash_eq(root, tree_root(&s->edge.tree))))
        return say(a, ERR_INTEGRITY, "the journal has %llu entries and is not the one signed at %llu",
                   (unsigned long long)s->edge.tree.size, (unsigned long long)size);
    return OK;
}

static enum err recover(struct arena *a, struct store *s)
{
    uint64_t completed;
    TRY(erase_complete(s, a, &completed));
    TRY(tidy_if_due(s));
    TRY(rotate_resume(s, a));
    journal_publish(s);
    enum err e = reserve_make(s); /* without it the store works all the same */
    if (e != OK)
        LOG(LOG_WARN, "store.no-reserve");
    return OK;
}

enum err store_load(struct arena *a, struct store *s, text origin)
{
    TRY(edge_load(s->writers[FILE_DATA], &s->edge));
    TRY(secrets(a, s, origin));
    return ledger_open(s, &s->index);
}

static enum err open_all(struct arena *a, struct store *s, const struct store_options *o)
{
    TRY(restore_clear(a, s));
    TRY(open_files(a, s, o->create));
    TRY(store_load(a, s, o->origin));
    TRY(against_last_checkpoint(a, s));
    TRY(anchor_check(s, a));
    TRY(ledger_start(s));
    TRY(recover(a, s));
    return writer_start(s, a);
}

static void locks_init(struct store *s)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->queue_wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&s->queue_lock, NULL);
    pthread_mutex_init(&s->published_lock, NULL);
    pthread_mutex_init(&s->pool_lock, NULL);
    pthread_mutex_init(&s->drain.work, NULL);
    pthread_mutex_init(&s->drain.lock, NULL);
    pthread_cond_init(&s->drain.wake, NULL);
}

enum err store_make(struct arena *a, const struct store_options *o, struct store **out)
{
    *out = NULL;
    TRY(crypt_init(a));
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return say(a, ERR_MEMORY, "no memory for the store");
    s->lock_fd = -1;
    s->clock = o->clock;
    s->last = &s->first;
    s->reserve_bytes = o->reserve_bytes;
    s->own = arena_make(OWN_MEMORY);
    s->line = buf_make(LEAF_MAX);
    locks_init(s);
    enum err e = folder(a, s, o);
    if (e == OK && (e = places(a, s, o)) == OK && (o->locked || (e = lock(a, s)) == OK))
        e = master(a, s, o);
    if (e != OK)
        store_close(&s);
    *out = s;
    return e;
}

enum err store_open(struct arena *a, const struct store_options *o, struct store **out)
{
    TRY(store_make(a, o, out));
    enum err e = open_all(a, *out, o);
    if (e != OK)
        store_close(out);
    return e;
}

void store_close(struct store **at)
{
    struct store *s = *at;
    *at = NULL;
    if (!s)
        return;
    writer_stop(s);
    readers_close(s);
    for (enum file f = 0; f < FILE_COUNT; f++)
        db_close(&s->writers[f]);
    masters_free(s);
    key_wipe(&s->lookup);
    key_wipe(&s->index);
    ledger_close(s);
    signer_wipe(&s->signer);
    buf_free(&s->line);
    arena_free(&s->own);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    pthread_mutex_destroy(&s->queue_lock);
    pthread_mutex_destroy(&s->published_lock);
    pthread_mutex_destroy(&s->pool_lock);
    pthread_mutex_destroy(&s->drain.work);
    pthread_mutex_destroy(&s->drain.lock);
    pthread_cond_destroy(&s->drain.wake);
    pthread_cond_destroy(&s->queue_wake);
    free(s);
}

const struct master *store_master(const struct store *s) { return &atomic_load(&s->master)->m; }
const struct key *store_lookup_key(const struct store *s) { return &s->lookup; }
const struct key *store_index_key(const struct store *s) { return &s->index; }
const struct signer *store_signer(const struct store *s) { return &s->signer; }
msec store_keys_spared(const struct store *s) { return s->keys_spared; }
const struct clock *store_clock(const struct store *s) { return &s->clock; }

/* ---- Keys. ---- */

enum err store_key(struct store *s, struct arena *a, text tenant, struct subject_id subject, uint32_t key_class,
                   struct key *out)
{
    READ_AUTO db = NULL;
    TRY(store_read_keys(s, a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_KEY_GET, ARGS(V_TEXT(tenant), V_ID(subject), V_INT(key_class)));
    if (!query_next(&q))
        return q.status != OK ? q.status : say(a, ERR_ERASED, "this person's key is gone");
    return key_unwrap(a, store_master(s), tenant, subject, key_class, query_get(&q, KEY_GET, wrapped), out);
}

/* Of both databases; 0 while they are not reached. */
static uint64_t database_bytes(struct store *s)
{
    ARENA_AUTO own = arena_make(FIGURES_MEMORY);
    uint64_t all = 0, one = 0;
    for (enum file f = 0; f < FILE_COUNT; f++) {
        READ_AUTO db = NULL;
        if (store_reader(s, &own, f, &db) != OK || s->engine->bytes(db, &one) != OK)
            return 0;
        all += one;
    }
    return all;
}

struct store_figures store_figures(const struct store *at)
{
    struct store *s = (struct store *)at; /* only its lock is touched */
    struct store_figures f = { .commits = atomic_load(&s->commits),
                               .writes = atomic_load(&s->writes),
                               .fsync_us = atomic_load(&s->fsync_us),
                               .queue = atomic_load(&s->queued),
                               .full = atomic_load(&s->full) };
    group_figures(s, &f.groups);
    pthread_mutex_lock(&s->published_lock);
    f.journal_size = s->published.size;
    pthread_mutex_unlock(&s->published_lock);
    static const char *const files[] = { "data.db", "keys.db", "data.db-wal", "keys.db-wal" };
    if (!s->engine->files) {
        f.db_bytes = database_bytes(s);
        return f;
    }
    for (unsigned i = 0; i < 4; i++) {
        char path[PATH_MAX];
        struct stat st;
        store_path(s, files[i], path);
        if (stat(path, &st) == 0)
            *(i < 2 ? &f.db_bytes : &f.wal_bytes) += (uint64_t)st.st_size;
    }
    return f;
}

/* ---- A start that came to nothing. ---- */

bool store_elsewhere(text dir)
{
    char path[PATH_MAX + 16], name[PATH_MAX];
    if (!text_cstr(dir, name, sizeof name))
        return false;
    snprintf(path, sizeof path, "%s/postgresql", name);
    return exists(path);
}

bool store_there(text dir)
{
    char path[PATH_MAX];
    DIR *d = text_cstr(dir, path, sizeof path) ? opendir(path) : NULL;
    unsigned entries = 0;
    while (d && entries <= 2 && readdir(d))
        entries++;
    if (d)
        closedir(d);
    return entries > 2; /* besides . and .. */
}

void store_discard(text dir)
{
    static const char *const made[] = { "data.db",     "data.db-wal", "data.db-shm", "keys.db",     "keys.db-wal",
                                        "keys.db-shm", "master.key",  "reserve",     "garant.sock", "lock",    "postgresql" };
    char path[PATH_MAX];
    if (!text_cstr(dir, path, sizeof path - 16))
        return;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        snprintf(path + dir.n, sizeof path - dir.n, "/%s", made[i]);
        unlink(path);
    }
    path[dir.n] = '\0';
    rmdir(path);
}

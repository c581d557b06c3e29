/* Restoring a backup beside today's keyring: nobody who was erased comes back, and the journal loses nothing. */
#include "base/log.h"
#include "store/engine.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP_PEOPLE = 500, CLASSES_MEMORY = 1 << 20 };

/* What today's data.db knows better than the backup, brought over when its journal goes on from the backup's: tables of
 * no one person (a token revoked since stays revoked), records of proof (a consent withdrawn, or access revoked, since
 * then stays so), and the journal. What was stored of people is the backup's. Engine SQL: `former` is today's file,
 * attached. */
#define CARRY_no(name, kept_as) CARRY_no_##kept_as(name)
#define CARRY_no_nothing(name)  "DELETE FROM main." #name "; INSERT INTO main." #name " SELECT * FROM former." #name ";"
#define CARRY_no_ledger(name)   "DELETE FROM main." #name ";" /* made anew for what is then there */
#define CARRY_no_meta(name)                                                                                            \
    "INSERT OR REPLACE INTO main." #name " SELECT * FROM former." #name " WHERE name = 'journal.first';"
#define CARRY_rows(name, kept_as) CARRY_rows_##kept_as(name)
#define CARRY_rows_nothing(name)
#define CARRY_proofs(name)                                                                                             \
    "DELETE FROM main." #name "; INSERT INTO main." #name " SELECT t.* FROM former." #name " t"                        \
    " WHERE t.subject IS NULL OR EXISTS (SELECT 1 FROM main.subject s WHERE s.tenant = t.tenant AND s.id = t.subject);"
#define CARRY_rows_consents(name) CARRY_proofs(name)
#define CARRY_rows_proofs(name)   CARRY_proofs(name)
#define CARRY_rows_holds(name)    CARRY_proofs(name)
#define CARRY_rows_folders(name)  CARRY_proofs(name)
#define CARRY_rows_queue(name)    CARRY_proofs(name) /* a letter that went does not go again */
#define CARRY_rows_credentials(name)                                                                                   \
    CARRY_proofs(name) /* a former password, an ended session or a used link opens nothing again */
#define CARRY_keyed(name, kept_as)
#define CARRY_marked(name, kept_as)
#define CARRY_links(name, kept_as) CARRY_no_nothing(name)
#define CARRY_unlinked(name, kept_as)                                                                                  \
    CARRY_no_nothing(name) "UPDATE main." #name " SET subject = NULL WHERE subject IS NOT NULL AND NOT EXISTS"         \
                           " (SELECT 1 FROM main.subject s WHERE s.tenant = " #name ".tenant AND s.id = " #name ".subject);"
static const char carry_sql[] =
#define TABLE(name, erasure, kept_as, storage, bound, ...) CARRY_##erasure(name, kept_as)
#define KEYRING_TABLE(...)
#define INDEX(...)
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
    "DELETE FROM main.idempotency"; /* answers given under another state of the data */

struct restore {
    struct store *s;
    struct arena *a;
    const struct restore_from *what;
    struct manifest m;
    char from[PATH_MAX - 64], copy[PATH_MAX], data[PATH_MAX], keys[PATH_MAX], keys_copy[PATH_MAX];
    uint64_t silenced;
    bool made_folder;
    bool today_altered; /* behind the program's back */
    bool two_journals;  /* today's data.db can be read and is of another journal */
};

/* ---- The copy, and whether it is what its manifest says. ---- */

/* Of an interrupted restore: SQLite would read it into the new copy. */
static enum err logs_remove(struct restore *r, const char *path)
{
    char log[PATH_MAX + 8];
    static const char *const ends[] = { "-wal", "-shm" };
    for (unsigned i = 0; i < 2; i++) {
        snprintf(log, sizeof log, "%s%s", path, ends[i]);
        if (unlink(log) != 0 && errno != ENOENT)
            return say(r->a, ERR_STORAGE, "%s cannot be removed: %s", log, strerror(errno));
    }
    return OK;
}

/* Before a byte of the file is opened as a database: what the manifest says is signed by this keyring's signer. */
static enum err copy_in(struct restore *r)
{
    char source[PATH_MAX];
    TRY(manifest_read(r->a, r->from, FILE_DATA, &r->m));
    TRY(store_signer_load(r->a, r->s, r->m.origin));
    TRY(manifest_check(r->a, &r->m, &r->s->signer, r->what->unsigned_too));
    if (r->m.schema > schema_version())
        return say(r->a, ERR_CONFIG, "the backup is of version %lld and this program knows up to %d",
                   (long long)r->m.schema, schema_version());
    snprintf(source, sizeof source, "%s/data.db", r->from);
    TRY(logs_remove(r, r->copy));
    return manifest_sums(r->a, &r->m, source, r->copy);
}

/* The signature is by the key of this folder's own keyring: a backup of another instance does not pass. */
static enum err check_journal(struct restore *r)
{
    uint64_t size;
    struct hash root;
    TRY(checkpoint_open(r->a, &r->s->signer, r->m.checkpoint, &size, &root));
    const struct tree *tree = &r->s->edge.tree;
    if (size != tree->size || (int64_t)size != r->m.size || !hash_eq(root, tree_root(tree)))
        return say(r->a, ERR_INTEGRITY, "the backup's journal is not the one that its manifest signs for");
    return OK;
}

/* ---- Whether a file's rows are those that its journal's entries left: what was altered is not bound anew. ---- */

static enum err keep_first(void *arg, const struct ledger_finding *f)
{
    text *first = arg;
    if (!first->p)
        *first = f->table;
    return OK;
}

/* Whether its journal has an entry that commits to rows: an unbound file that has some is not of a program before the
 * ledger. */
static enum err journal_commits(struct db *db, bool *out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_COMMITS, ARGS());
    *out = query_next(&q);
    return q.status;
}

static enum err rows_whole(struct restore *r, struct db *db, const char *what, const char *then)
{
    enum { LOOK_STEP = 10000 };
    text first = { NULL, 0 };
    struct ledger_look look = { .db = db, .tell = keep_first, .arg = &first };
    struct ledger_star star;
    bool bound, commits, todays;
    TRY(ledger_there(db, &bound));
    if (!bound) { /* of a program before the ledger, or emptied of it */
        TRY(journal_commits(db, &commits));
        return !commits ? OK
                        : say(r->a, ERR_INTEGRITY, "%s has lost what binds its rows to the journal: %s", what, then);
    }
    while (!look.done)
        TRY(ledger_look(&look, LOOK_STEP));
    TRY(ledger_star_load(db, &star));
    TRY(ledger_star_holds(db, &star, 0, &todays));
    return !look.faults && todays
               ? OK
               : say(r->a, ERR_INTEGRITY,
                     "%s has rows that were altered behind the program's back (table %.*s, %llu in all): %s", what,
                     T(first.p ? first : TEXT("ledger")), (unsigned long long)look.faults, then);
}

/* ---- Today's data, when they can be read. ---- */

/* Whether today's journal goes on from the backup's. ERR_INTEGRITY when both can be read and are two journals. */
static enum err goes_on(struct restore *r, struct db *today, bool *longer)
{
    const struct tree *ours = &r->s->edge.tree;
    struct edge *e = NEW(r->a, struct edge);
    struct tree then;
    TRY_PTR(e);
    *longer = false;
    TRY(edge_load(today, e));
    if (e->tree.size <= ours->size)
        return OK;
    TRY(journal_tree_at(today, ours->size, &then));
    r->two_journals = !hash_eq(tree_root(&then), tree_root(ours));
    if (r->two_journals)
        return say(r->a, ERR_INTEGRITY, "today's journal does not begin with the backup's: they are two journals");
    enum err whole = rows_whole(r, today, "today's data.db",
                                "nothing is taken over from it; move it to a safe place to restore the backup alone");
    r->today_altered = whole == ERR_INTEGRITY;
    TRY(whole);
    *longer = true;
    return OK;
}

/* Emptied of its log, so that it can be attached, and later replaced, as one file. */
static enum err read_today(struct restore *r, bool *longer)
{
    bool busy;
    DB_AUTO today = NULL;
    TRY(db_open(r->a, r->data, FILE_DATA, DB_WRITE, &today));
    today->store = r->s;
    TRY(schema_apply(today));
    TRY(db_truncate(today, 0, &busy));
    return goes_on(r, today, longer);
}

static enum err carry_in(struct db *data)
{
    TRY(db_control(data, CONTROL_BEGIN));
    TRY(db_exec(data, carry_sql));
    return db_control(data, CONTROL_COMMIT);
}

static enum err carry(struct restore *r)
{
    struct db *data = r->s->writers[FILE_DATA];
    TRY(db_attach(data, r->data));
    TRY(carry_in(data));
    TRY(db_detach(data));
    return edge_load(data, &r->s->edge);
}

static enum err carry_today(struct restore *r)
{
    bool longer = false;
    if (access(r->data, F_OK) != 0)
        return OK;
    enum err e = read_today(r, &longer);
    if (r->two_journals || r->today_altered)
        return e;
    if (e != OK) { /* damaged: perhaps why a backup is restored */
        LOG(LOG_WARN, "store.restore-without-today", LOG_INT("error", e));
        return OK;
    }
    return longer ? carry(r) : OK;
}

/* ---- Silence. ---- */

struct known {
    text tenant;
    struct subject_id id;
};

static enum err people_read(struct restore *r, const struct known *after, struct known *out, unsigned *count,
                            struct arena *page)
{
    QUERY_AUTO q;
    query_start(&q, r->s->writers[FILE_DATA], SQL_SUBJECT_PAGE,
                ARGS(V_TEXT(after->tenant), V_ID(after->id), V_INT(STEP_PEOPLE)));
    for (*count = 0; *count < STEP_PEOPLE && query_next(&q); ++*count) {
        text id = query_get(&q, SUBJECT_PAGE, id);
        if (id.n != SUBJECT_ID)
            return say(r->a, ERR_INTEGRITY, "a person has an id of %zu bytes", id.n);
        out[*count].tenant = arena_copy(page, query_get(&q, SUBJECT_PAGE, tenant));
        TRY_PTR(out[*count].tenant.p);
        memcpy(out[*count].id.b, id.p, SUBJECT_ID);
    }
    return q.status;
}

static enum err keep_of(struct restore *r, const struct known *p, char keep[1024])
{
    struct db *keys = r->s->writers[FILE_KEYS];
    QUERY_AUTO q;
    keep[0] = '\0';
    query_start(&q, keys, SQL_HELD_GET, ARGS(V_TEXT(p->tenant), V_ID(p->id)));
    if (query_next(&q) && !text_cstr(query_get(&q, HELD_GET, keep), keep, 1024))
        return say(r->a, ERR_INTEGRITY, "what is held of a person is not told");
    return q.status;
}

static enum err silence_one(struct restore *r, const struct known *p)
{
    ARENA_AUTO own = arena_make(CLASSES_MEMORY);
    struct classes all;
    char keep[1024];
    TRY(classes_read(r->s->writers[FILE_KEYS], &own, SQL_KEY_CLASSES, p->tenant, p->id, &all));
    TRY(keep_of(r, p, keep));
    bool alive = false;
    for (unsigned i = 0; i < all.count; i++)
        alive |= all.at[i] == 0;
    r->silenced += !alive;
    return store_erase(r->s->writers[FILE_DATA], p->tenant, p->id, all.at, all.count, text_of(keep), NULL);
}

static enum err silence(struct restore *r)
{
    struct db *data = r->s->writers[FILE_DATA];
    struct known after = { .tenant = TEXT("") };
    char tenant[256];
    for (unsigned count = STEP_PEOPLE; count == STEP_PEOPLE;) {
        ARENA_AUTO page = arena_make(4 << 20);
        struct known *people = NEW_ARRAY(&page, struct known, STEP_PEOPLE);
        TRY_PTR(people);
        TRY(db_control(data, CONTROL_BEGIN));
        TRY(people_read(r, &after, people, &count, &page));
        for (unsigned i = 0; i < count; i++)
            TRY(silence_one(r, &people[i]));
        TRY(db_control(data, CONTROL_COMMIT));
        if (count && !text_cstr(people[count - 1].tenant, tenant, sizeof tenant))
            return say(r->a, ERR_INTEGRITY, "a tenant has %zu bytes", people[count - 1].tenant.n);
        if (count)
            after = (struct known){ text_of(tenant), people[count - 1].id };
    }
    return OK;
}

static enum err record(struct restore *r)
{
    struct db *data = r->s->writers[FILE_DATA];
    struct event e = { .act = TEXT("restore"), .actor = TEXT("garant"), .count = (int64_t)r->silenced };
    int64_t bound;
    TRY(db_control(data, CONTROL_BEGIN));
    data->writing = true;
    TRY(db_run(data, SQL_IDEMPOTENCY_CLEAR, NULL, ARGS()));
    TRY(db_run(data, SQL_META_PUT, NULL,
               ARGS(V_TEXT(TEXT("retention")), V_TEXT(TEXT("restored"))))); /* every term is counted again */
    TRY(tidy_restored(r->s));
    TRY(ledger_bind_all(data, &bound)); /* what was found whole, of two files */
    TRY(journal_add(data, &e, NULL));
    TRY(journal_keep(r->s, true));
    return db_control(data, CONTROL_COMMIT);
}

/* ---- All of it. ---- */

/* The keyring is that of the folder; or, on a new machine, a copy of it, which the master key at hand must open and
 * whose own manifest must be signed by what it holds. It is opened for reading alone until that is known. */
static enum err keyring_in(struct restore *r)
{
    char dir[PATH_MAX - 64], source[PATH_MAX];
    struct manifest m;
    text from = r->what->keys;
    if (text_ends(from, TEXT("/keys.db")))
        from = text_upto(from, from.n - sizeof "/keys.db" + 1);
    if (!text_cstr(from, dir, sizeof dir))
        return say(r->a, ERR_CONFIG, "the name of the keyring's folder is too long");
    snprintf(source, sizeof source, "%s/keys.db", dir);
    TRY(logs_remove(r, r->keys_copy));
    enum err e = manifest_read(r->a, dir, FILE_KEYS, &m);
    if (e != OK && !(r->what->unsigned_too && !file_exists(m.path)))
        return e;
    bool described = e == OK;
    text hex;
    int64_t bytes;
    TRY(described ? manifest_sums(r->a, &m, source, r->keys_copy)
                  : file_copy(r->a, source, r->keys_copy, &hex, &bytes));
    TRY(db_open(r->a, r->keys_copy, FILE_KEYS, DB_READ, &r->s->writers[FILE_KEYS]));
    r->s->writers[FILE_KEYS]->store = r->s;
    TRY(store_signer_load(r->a, r->s, described ? m.origin : TEXT("unsigned")));
    if (described)
        TRY(manifest_check(r->a, &m, &r->s->signer, r->what->unsigned_too));
    db_close(&r->s->writers[FILE_KEYS]);
    return store_open_file(r->a, r->s, FILE_KEYS, &(struct db_place){ .at = r->keys_copy }, DB_WRITE);
}

static enum err keyring(struct restore *r)
{
    bool here = file_exists(r->keys);
    if (r->what->keys.n)
        return here ? say(r->a, ERR_CONFLICT,
                          "%s has a keyring, which knows best who was erased: restore without --keys", r->s->dir)
                    : keyring_in(r);
    if (!here)
        return say(r->a, ERR_CONFIG,
                   "%s has no keyring keys.db to restore beside: on a new machine --keys names the folder of a backup"
                   " of it (backup --keys)",
                   r->s->dir);
    return store_open_file(r->a, r->s, FILE_KEYS, &(struct db_place){ .at = r->keys }, DB_WRITE);
}

static enum err prepare(struct restore *r)
{
    bool busy;
    struct store *s = r->s;
    TRY(keyring(r));
    TRY(copy_in(r));
    TRY(store_open_file(r->a, s, FILE_DATA, &(struct db_place){ .at = r->copy }, DB_WRITE));
    TRY(store_load(r->a, s, (text){ NULL, 0 }));
    TRY(check_journal(r));
    TRY(rows_whole(r, s->writers[FILE_DATA], "the backup", "another backup is needed"));
    TRY(carry_today(r));
    TRY(silence(r));
    TRY(record(r));
    return db_truncate(s->writers[FILE_DATA], 0, &busy);
}

static enum err in_place(struct restore *r, const char *copy, const char *path)
{
    TRY(file_sync(r->a, copy));
    TRY(logs_remove(r, path)); /* of a damaged file: they would be read into the new one */
    if (rename(copy, path) != 0)
        return say(r->a, ERR_STORAGE, "%s cannot be replaced: %s", path, strerror(errno));
    return store_sync_folder(r->a, r->s->dir);
}

/* Closed, each copy is one file; then it takes its place at once. The keyring first: a crash between leaves a folder to
 * which the same backup is restored again. */
static enum err replace(struct restore *r)
{
    struct db *keys = r->s->writers[FILE_KEYS];
    TRY(db_control(keys, CONTROL_BEGIN));
    TRY(anchor_put(r->s, ANCHOR_RESTORED)); /* older than what the keyring knows of, perhaps: this once that is meant */
    TRY(db_control(keys, CONTROL_COMMIT));
    for (enum file f = 0; f < FILE_COUNT; f++)
        db_close(&r->s->writers[f]);
    if (r->what->keys.n)
        TRY(in_place(r, r->keys_copy, r->keys));
    return in_place(r, r->copy, r->data);
}

/* A new machine has no data folder yet; what is made for a restore that fails goes again. */
static enum err folder_make(struct restore *r, text dir)
{
    char path[PATH_MAX];
    if (!r->what->keys.n || !text_cstr(dir, path, sizeof path))
        return OK;
    r->made_folder = mkdir(path, 0700) == 0;
    return r->made_folder || errno == EEXIST
               ? OK
               : say(r->a, ERR_CONFIG, "the data folder %s cannot be made: %s", path, strerror(errno));
}

static enum err restore_all(struct restore *r, const struct store_options *o)
{
    char dir[PATH_MAX];
    if (!r->what->keys.n && text_cstr(o->dir, dir, sizeof dir) && !file_exists(dir))
        return say(r->a, ERR_CONFIG,
                   "there is no data folder %s. On a new machine --keys names the folder of a backup of the keyring"
                   " (backup --keys), and --master the master key's file",
                   dir);
    TRY(folder_make(r, o->dir));
    enum err e = store_make(r->a, o, &r->s);
    if (e == ERR_CONFIG && r->what->keys.n)
        return say(r->a, e, "%s. A restore needs the master key of this instance: --master names its file",
                   arena_copy(r->a, text_of(r->a->why.detail)).p);
    TRY(e);
    r->s->restoring = true;
    store_path(r->s, "data.db", r->data);
    store_path(r->s, "data.db.restored", r->copy);
    store_path(r->s, "keys.db", r->keys);
    store_path(r->s, "keys.db.restored", r->keys_copy);
    TRY(prepare(r));
    return replace(r);
}

static void leave_nothing(struct restore *r, const struct store_options *o)
{
    char path[PATH_MAX];
    if (r->copy[0])
        unlink(r->copy);
    if (r->keys_copy[0])
        unlink(r->keys_copy);
    if (!r->made_folder || !text_cstr(o->dir, path, sizeof path - 8))
        return;
    size_t n = o->dir.n;
    memcpy(path + n, "/lock", 6);
    unlink(path);
    path[n] = '\0';
    rmdir(path);
}

enum err store_restore(struct arena *a, const struct restore_from *from, const struct store_options *into,
                       uint64_t *silenced)
{
    struct restore r = { .a = a, .what = from };
    if (into->data_at.n || into->keys_at.n)
        return restore_elsewhere(a, from, into, silenced);
    struct store_options o = *into;
    o.create = false; /* the master key must be there */
    if (!from->dir.n || !text_cstr(from->dir, r.from, sizeof r.from))
        return say(a, ERR_CONFIG, "the name of the backup's folder is empty or too long");
    enum err e = restore_all(&r, &o);
    *silenced = r.silenced;
    store_close(&r.s);
    if (e != OK)
        leave_nothing(&r, &o);
    return e;
}

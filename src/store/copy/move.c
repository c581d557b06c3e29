/* An instance moved from the files of a folder to databases of PostgreSQL, or back, while nobody uses it.
 *
 * `to` is marked as arriving, then filled, then verified; `from` is marked as left; the first mark goes. So at every
 * moment one of the two can be opened at most, and the marks tell after a crash what is left to do. */
#include "base/sha256.h"
#include "store/engine.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MARK_TEXT = 4 * PATH_MAX };

/* ---- Marks of a folder: files, whose first line says where to or from. ---- */

static const char *const mark_names[] = { [MARK_ARRIVING] = "arriving", [MARK_LEFT] = "moved" };

static enum err folder_mark(struct arena *a, const struct store *s, enum mark *out, text *where)
{
    char path[PATH_MAX];
    *out = MARK_NONE;
    *where = TEXT("");
    for (enum mark m = MARK_ARRIVING; m <= MARK_LEFT; m++) {
        text whole;
        store_path(s, mark_names[m], path);
        if (!file_exists(path))
            continue;
        TRY(file_read(a, path, MARK_TEXT, &whole));
        *where = arena_copy(a, text_cut(&whole, '\n'));
        TRY_PTR(where->p);
        *out = m;
        return OK;
    }
    return OK;
}

static enum err folder_unmark(struct arena *a, const struct store *s, const char *name)
{
    char path[PATH_MAX];
    store_path(s, name, path);
    if (unlink(path) != 0 && errno != ENOENT)
        return say(a, ERR_STORAGE, "%s cannot be removed: %s", path, strerror(errno));
    return store_sync_folder(a, s->dir);
}

static enum err folder_mark_set(struct arena *a, const struct store *s, enum mark mark, text where)
{
    static const char *const told[] = {
        [MARK_ARRIVING] = "",
        [MARK_LEFT] =
            "\ndata.db and keys.db beside this file are as they were when the data was moved. keys.db still opens"
            " what is erased since:\nremove both as soon as you know that all is well, within the days that a copy"
            " of the keyring may be kept.\nTo go back: garant move from there, into another folder, or here once"
            " both and this file are removed.\nTo go back without what was written since: remove this file and"
            " the file postgresql.\n",
    };
    char path[PATH_MAX];
    if (mark == MARK_NONE)
        return folder_unmark(a, s, mark_names[MARK_ARRIVING]);
    text content = arena_print(a, "%.*s\n%s", T(where), told[mark]);
    TRY_PTR(content.p);
    store_path(s, mark_names[mark], path);
    TRY(file_write(a, path, content));
    return store_sync_folder(a, s->dir);
}

bool move_folder_idle(const struct store *s)
{
    char left[PATH_MAX], arriving[PATH_MAX];
    store_path(s, mark_names[MARK_LEFT], left);
    store_path(s, mark_names[MARK_ARRIVING], arriving);
    return file_exists(left) || file_exists(arriving);
}

enum err move_folder_check(struct arena *a, const struct store *s)
{
    enum mark mark;
    text where;
    if (!s->engine->files)
        return OK;
    TRY(folder_mark(a, s, &mark, &where));
    if (mark == MARK_LEFT)
        return say(a, ERR_CONFIG, "the data of the folder %s has moved to %.*s: %s/moved says how to go back", s->dir,
                   T(where), s->dir);
    return mark == MARK_NONE
               ? OK
               : say(a, ERR_CONFIG, "a move into the folder %s, from %.*s, was cut off: run `garant move` again",
                     s->dir, T(where));
}

/* ---- One of the two. ---- */

struct side {
    struct store *s; /* never opened: its places, and of `from` the folder's lock */
    struct db *db[FILE_COUNT];
    enum mark marks[FILE_COUNT]; /* of each of its databases; a folder has one for both */
    text wheres[FILE_COUNT];     /* what each says: where to, or from */
    text named;                  /* for people, and in the other one's mark */
};

static void side_close(struct side *x)
{
    for (enum file f = 0; f < FILE_COUNT; f++)
        db_close(&x->db[f]);
    store_close(&x->s);
}

static enum err side_connect(struct arena *a, struct side *x, enum file f, enum db_mode mode)
{
    db_close(&x->db[f]);
    return db_connect(x->s->engine, a, &x->s->places[f], f, mode, &x->db[f]);
}

static enum err side_name(struct arena *a, struct side *x)
{
    text one, other;
    char whole[PATH_MAX];
    if (x->s->engine->files) {
        x->named = arena_copy(a, text_of(realpath(x->s->dir, whole) ? whole : x->s->dir));
        TRY_PTR(x->named.p);
        return OK;
    }
    TRY(x->s->engine->named(x->db[FILE_DATA], &one));
    TRY(x->s->engine->named(x->db[FILE_KEYS], &other));
    x->named = arena_print(a, "PostgreSQL: %.*s, keyring %.*s", T(one), T(other));
    TRY_PTR(x->named.p);
    return OK;
}

static enum err side_look(struct arena *a, struct side *x)
{
    bool files = x->s->engine->files;
    TRY(side_name(a, x));
    for (enum file f = 0; f < FILE_COUNT; f++)
        TRY(files ? folder_mark(a, x->s, &x->marks[f], &x->wheres[f])
                  : x->s->engine->mark_get(x->db[f], &x->marks[f], &x->wheres[f]));
    return OK;
}

/* Either of its databases. */
static bool has_mark(const struct side *x, enum mark mark)
{
    return x->marks[FILE_DATA] == mark || x->marks[FILE_KEYS] == mark;
}

/* What its marks of this kind say is `named`. */
static bool marks_say(const struct side *x, enum mark mark, text named)
{
    for (enum file f = 0; f < FILE_COUNT; f++)
        if (x->marks[f] == mark && !text_eq(x->wheres[f], named))
            return false;
    return true;
}

static enum err side_mark(struct arena *a, struct side *x, enum mark mark, text where)
{
    if (x->s->engine->files)
        return folder_mark_set(a, x->s, mark, where);
    for (enum file f = 0; f < FILE_COUNT; f++)
        TRY(x->s->engine->mark_set(x->db[f], mark, where));
    return OK;
}

/* ---- Both. ---- */

struct move {
    struct arena *a;
    const struct store_moving *what;
    struct store_options from_o, to_o;
    struct side from, to;
    struct edge *edge; /* of the journal that is moved */
    bool handing_over; /* what arrived may be all that can be opened */
};

static void move_close(struct move *m)
{
    side_close(&m->to);
    side_close(&m->from);
}

static enum err source_open(struct move *m)
{
    struct side *x = &m->from;
    TRY(store_make(m->a, &m->from_o, &x->s));
    for (enum file f = 0; f < FILE_COUNT; f++) {
        bool there;
        TRY(x->s->engine->there(m->a, &x->s->places[f], f, &there));
        if (!there)
            return say(m->a, ERR_CONFIG, "there is no data to move in %s",
                       x->s->engine->files ? x->s->dir : "--from, --keyring");
        TRY(side_connect(m->a, x, f, x->s->engine->files ? DB_READ : DB_WRITE));
    }
    return side_look(m->a, x);
}

static enum err is_used(struct db *db, bool *out)
{
    int version;
    *out = false;
    TRY(db->engine->version_get(db, &version));
    if (!version)
        return OK;
    TRY(schema_known(db));
    QUERY_AUTO q;
    if (db->file == FILE_DATA)
        query_start(&q, db, SQL_META_GET, ARGS(V_TEXT(TEXT("origin"))));
    else
        query_start(&q, db, SQL_SECRET_GET, ARGS(V_TEXT(TEXT("lookup"))));
    *out = query_next(&q);
    return q.status;
}

static enum err not_empty(struct move *m)
{
    return say(m->a, ERR_CONFLICT, "%.*s has data already: a move needs an empty place", T(m->to.named));
}

static enum err of_another(struct move *m, text from)
{
    return say(m->a, ERR_CONFLICT,
               "a move into %.*s was cut off that came from %.*s, not from %.*s: end that one, or name an empty place",
               T(m->to.named), T(from), T(m->from.named));
}

/* A crash came after `from` was left: one of the two may have lost its mark, and nothing is carried again. */
static bool is_ending(const struct move *m) { return has_mark(&m->from, MARK_LEFT) && has_mark(&m->to, MARK_ARRIVING); }

/* What is there was put there by a move from the same place, or nothing is: each database says so of itself alone. */
static enum err target_free(struct move *m, enum file f)
{
    struct side *x = &m->to;
    bool used = false;
    if (x->marks[f] == MARK_LEFT)
        return not_empty(m);
    if (x->marks[f] == MARK_ARRIVING)
        return text_eq(x->wheres[f], m->from.named) ? OK : of_another(m, x->wheres[f]);
    if (x->s->engine->files)
        used = file_exists(x->s->places[f].at);
    else
        TRY(is_used(x->db[f], &used));
    return used && !is_ending(m) ? not_empty(m) : OK;
}

/* Databases are connected to; a folder's files are made when they are filled. */
static enum err target_open(struct move *m)
{
    struct side *x = &m->to;
    TRY(store_make(m->a, &m->to_o, &x->s));
    for (enum file f = 0; f < FILE_COUNT && !x->s->engine->files; f++)
        TRY(side_connect(m->a, x, f, DB_CREATE));
    TRY(side_look(m->a, x));
    for (enum file f = 0; f < FILE_COUNT; f++)
        TRY(target_free(m, f));
    return OK;
}

static enum err both_open(struct move *m)
{
    move_close(m);
    TRY(source_open(m));
    return target_open(m);
}

/* ---- Carrying. ---- */

static enum err file_fresh(struct move *m, enum file f)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char path[PATH_MAX + 8];
    for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s%s", m->to.s->places[f].at, ends[i]);
        if (unlink(path) != 0 && errno != ENOENT)
            return say(m->a, ERR_STORAGE, "%s cannot be removed: %s", path, strerror(errno));
    }
    TRY(file_write(m->a, m->to.s->places[f].at, TEXT(""))); /* made for this user alone */
    return side_connect(m->a, &m->to, f, DB_PLAIN);
}

static enum err one_carried(struct move *m, enum file f, uint64_t *rows)
{
    struct side *to = &m->to;
    bool files = to->s->engine->files;
    if (files)
        TRY(file_fresh(m, f));
    TRY(carry_rows(m->from.db[f], to->db[f], m->what->progress, rows));
    if (!files)
        return OK;
    db_close(&to->db[f]);
    TRY(file_sync(m->a, to->s->places[f].at));
    return store_sync_folder(m->a, to->s->dir);
}

/* ---- Whether what arrived is what left. ---- */

static enum err same_journal(struct move *m, uint64_t size, struct hash root)
{
    const struct tree *tree = &m->edge->tree;
    return size == tree->size && hash_eq(root, tree_root(tree))
               ? OK
               : say(m->a, ERR_INTEGRITY,
                     "the journal that arrived has %llu entries and is not the one of %llu that left",
                     (unsigned long long)size, (unsigned long long)tree->size);
}

static enum err verified(struct move *m, struct store *opened)
{
    struct journal_report report;
    TRY(journal_verify(opened, m->a, NULL, &report));
    TRY(same_journal(m, report.size, report.root));
    return !report.altered ? OK
                           : say(m->a, ERR_INTEGRITY, "%llu rows do not stand as the journal says (%.*s)",
                                 (unsigned long long)report.altered, T(report.named[0]));
}

/* Opened as the server will open it. */
static enum err verify_arrived(struct move *m)
{
    struct store *opened;
    for (enum file f = 0; f < FILE_COUNT; f++)
        db_close(&m->to.db[f]); /* with the writers' lock */
    TRY(store_open(m->a, &m->to_o, &opened));
    enum err e = verified(m, opened);
    store_close(&opened);
    return e;
}

/* ---- The last step: who may be opened from now on. ---- */

static enum err folder_says(struct move *m)
{
    if (m->to.s->engine->files)
        return folder_unmark(m->a, m->to.s, "postgresql");
    TRY(store_marks_elsewhere(m->a, m->to.s));
    return store_sync_folder(m->a, m->to.s->dir);
}

static enum err hand_over(struct move *m)
{
    for (enum file f = 0; f < FILE_COUNT && !m->to.s->engine->files; f++)
        TRY(side_connect(m->a, &m->to, f, DB_CREATE));
    m->handing_over = true;
    TRY(side_mark(m->a, &m->from, MARK_LEFT, m->to.named));
    TRY(folder_says(m));
    return side_mark(m->a, &m->to, MARK_NONE, TEXT(""));
}

/* Of the secrets that a keyring begins with: each is wrapped by random bytes, no two instances have the same. */
static enum err secrets_digest(struct db *keys, struct hash *out)
{
    struct sha256 sum;
    QUERY_AUTO q;
    sha256_begin(&sum);
    query_start(&q, keys, SQL_SECRET_LIST, NULL, 0);
    while (query_next(&q)) {
        text name = query_get(&q, SECRET_LIST, name), wrapped = query_get(&q, SECRET_LIST, wrapped);
        size_t head[2] = { name.n, wrapped.n };
        sha256_add(&sum, TEXT_BYTES(head));
        sha256_add(&sum, name);
        sha256_add(&sum, wrapped);
    }
    sha256_end(&sum, out->b);
    return q.status;
}

static enum err same_keyring(struct move *m)
{
    struct hash there, here;
    TRY(secrets_digest(m->from.db[FILE_KEYS], &there));
    TRY(secrets_digest(m->to.db[FILE_KEYS], &here));
    return hash_eq(there, here) ? OK
                                : say(m->a, ERR_INTEGRITY, "the keyring of %.*s is not the one of %.*s", T(m->to.named),
                                      T(m->from.named));
}

/* A crash came between the two marks: all was verified, and both are held against one another once more. */
static enum err finish(struct move *m)
{
    struct edge *there = NEW(m->a, struct edge);
    TRY_PTR(there);
    for (enum file f = 0; f < FILE_COUNT; f++)
        TRY(side_connect(m->a, &m->to, f, m->to.s->engine->files ? DB_READ : DB_CREATE));
    TRY(same_keyring(m));
    TRY(edge_load(m->to.db[FILE_DATA], there));
    TRY(same_journal(m, there->tree.size, tree_root(&there->tree)));
    return hand_over(m);
}

/* ---- All of it. ---- */

static enum err moved_already(struct move *m)
{
    text to = m->from.wheres[m->from.marks[FILE_DATA] == MARK_LEFT ? FILE_DATA : FILE_KEYS];
    return say(m->a, ERR_CONFLICT, "%.*s was moved already, to %.*s", T(m->from.named), T(to));
}

static enum err begun(struct move *m, bool *ends)
{
    TRY(both_open(m));
    TRY_PTR(m->edge = NEW(m->a, struct edge));
    TRY(edge_load(m->from.db[FILE_DATA], m->edge));
    *ends = is_ending(m) && marks_say(&m->from, MARK_LEFT, m->to.named);
    if (has_mark(&m->from, MARK_ARRIVING))
        return say(m->a, ERR_CONFLICT, "a move into %.*s was cut off: end it first", T(m->from.named));
    return has_mark(&m->from, MARK_LEFT) && !*ends ? moved_already(m) : OK;
}

/* What the policy says of links. Nothing is cautious from here on: it is known. */
static enum err looked(struct move *m)
{
    bool must_verify = false;
    move_close(m);
    TRY(m->what->look(m->what->arg, m->a, &must_verify));
    m->from_o.verified |= must_verify;
    m->to_o.verified |= must_verify;
    m->from_o.cautious = false;
    m->to_o.cautious = false;
    return OK;
}

/* A folder is asked before any connection is made; one that was left says nothing any more. */
static enum err folder_looked(struct move *m, bool *looked_at)
{
    *looked_at = false;
    if (m->from_o.data_at.n)
        return OK;
    TRY(source_open(m));
    *looked_at = m->from.marks[FILE_DATA] == MARK_NONE;
    return *looked_at ? looked(m) : OK;
}

static enum err moved(struct move *m, struct store_moved *out)
{
    bool ends, looked_at;
    TRY(folder_looked(m, &looked_at));
    TRY(begun(m, &ends));
    if (!ends && !looked_at) {
        TRY(looked(m));
        TRY(begun(m, &ends)); /* with the locks from here on; what was left to recover is in it */
    }
    out->size = m->edge->tree.size;
    if (ends)
        return finish(m);
    TRY(side_mark(m->a, &m->to, MARK_ARRIVING, m->from.named));
    for (enum file f = 0; f < FILE_COUNT; f++)
        TRY(one_carried(m, f, &out->rows));
    TRY(verify_arrived(m));
    return hand_over(m);
}

static enum err folder_made(struct move *m, bool *made)
{
    char path[PATH_MAX];
    *made = false;
    if (!text_cstr(m->to_o.dir, path, sizeof path))
        return say(m->a, ERR_CONFIG, "the data folder's name is empty or too long");
    if (m->to_o.data_at.n)
        return OK;
    *made = mkdir(path, 0700) == 0;
    return *made || errno == EEXIST
               ? OK
               : say(m->a, ERR_CONFIG, "the data folder %s cannot be made: %s", path, strerror(errno));
}

enum err store_move(struct arena *a, const struct store_moving *what, struct store_moved *out)
{
    bool made;
    struct move m = { .a = a, .what = what, .from_o = *what->from, .to_o = *what->to };
    *out = (struct store_moved){ 0 };
    m.from_o.moving = m.to_o.moving = true;
    m.to_o.locked = true; /* by `from`, which has the same folder */
    m.from_o.create = m.to_o.create = false;
    TRY(folder_made(&m, &made));
    enum err e = moved(&m, out);
    move_close(&m);
    if (e != OK && made && !m.handing_over)
        store_discard(m.to_o.dir);
    return e;
}

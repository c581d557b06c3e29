/* A new master key: its file put in place, every wrapped key wrapped anew in steps, the former key forgotten at the
 * end. */
#include "base/log.h"
#include "store/engine.h"
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { STEP_KEYS = 500 };

/* ---- The files. FILE holds the new key, FILE.former the one before while a rotation goes on. ---- */

struct files {
    char former[PATH_MAX + 16], former_part[PATH_MAX + 16], fresh[PATH_MAX + 16], given[PATH_MAX];
};

static enum err files_of(struct store *s, struct arena *a, text given, struct files *f)
{
    if (!given.n || !text_cstr(given, f->given, sizeof f->given))
        return say(a, ERR_CONFIG, "the name of the new master key's file is empty or too long");
    snprintf(f->former, sizeof f->former, "%s.former", s->master_file);
    snprintf(f->former_part, sizeof f->former_part, "%s.former.part", s->master_file);
    snprintf(f->fresh, sizeof f->fresh, "%s.new", s->master_file);
    return OK;
}

static enum err sync_folder_of(struct arena *a, const char *path)
{
    text name = text_of(path);
    const char *slash = memrchr(path, '/', name.n);
    text dir = arena_copy(a, !slash ? TEXT(".")
                             : slash == path ? TEXT("/") : text_upto(name, (size_t)(slash - path)));
    TRY_PTR(dir.p);
    return store_sync_folder(a, dir.p);
}

/* The former key first, under its name for the time of the rotation; then the new one takes its place. When this fails
 * the former key is in its own file again. */
static enum err put_in_place(struct store *s, struct arena *a, const struct files *f)
{
    text hex;
    int64_t bytes;
    enum err e = file_copy(a, s->master_file, f->former_part, &hex, &bytes);
    if (e == OK && rename(f->former_part, f->former) != 0) /* whole, or not there */
        e = say(a, ERR_STORAGE, "%s cannot be made: %s", f->former, strerror(errno));
    if (e == OK)
        e = file_copy(a, f->given, f->fresh, &hex, &bytes);
    if (e == OK)
        e = sync_folder_of(a, s->master_file);
    if (e == OK && rename(f->fresh, s->master_file) != 0)
        e = say(a, ERR_STORAGE, "%s cannot be replaced: %s", s->master_file, strerror(errno));
    if (e != OK) {
        unlink(f->fresh);
        unlink(f->former_part);
        unlink(f->former);
        return e;
    }
    e = sync_folder_of(a, s->master_file);
    if (e != OK && rename(f->former, s->master_file) == 0)
        return e; /* else both keys lie there, and the new one may be used */
    return OK;
}

static enum err forget_former(struct store *s, struct arena *a)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s.former", s->master_file);
    if (unlink(path) != 0)
        return say(a, ERR_STORAGE, "%s cannot be removed: %s", path, strerror(errno));
    return sync_folder_of(a, s->master_file);
}

/* ---- The keys. ---- */

struct walk {
    text tenant;
    struct subject_id subject;
    int64_t key_class;
    uint64_t rewrapped;
    bool more;
    struct arena *a;
};
struct found {
    text tenant, wrapped;
    struct subject_id subject;
    uint32_t key_class;
};

static enum err page_read(struct db *keys, struct walk *w, struct found *rows, unsigned *count)
{
    QUERY_AUTO q;
    query_start(&q, keys, SQL_KEY_PAGE,
                ARGS(V_TEXT(w->tenant), V_ID(w->subject), V_INT(w->key_class), V_INT(STEP_KEYS)));
    for (*count = 0; *count < STEP_KEYS && query_next(&q); ++*count) {
        struct found *r = &rows[*count];
        text id = query_get(&q, KEY_PAGE, subject);
        *r = (struct found){ .tenant = arena_copy(w->a, query_get(&q, KEY_PAGE, tenant)),
                             .wrapped = arena_copy(w->a, query_get(&q, KEY_PAGE, wrapped)),
                             .key_class = (uint32_t)query_get(&q, KEY_PAGE, class) };
        TRY_PTR(r->tenant.p);
        TRY_PTR(r->wrapped.p);
        if (id.n != SUBJECT_ID)
            return say(keys->arena, ERR_INTEGRITY, "the keyring has an id of %zu bytes", id.n);
        memcpy(r->subject.b, id.p, SUBJECT_ID);
    }
    return q.status;
}

static enum err rewrap(struct store *s, struct db *keys, const struct found *r, uint64_t *rewrapped)
{
    const struct master *m = store_master(s);
    KEY_AUTO k;
    uint8_t wrapped[WRAPPED_KEY];
    if (key_wrap_current(m, r->wrapped))
        return OK;
    TRY(key_unwrap(keys->arena, m, r->tenant, r->subject, r->key_class, r->wrapped, &k));
    key_wrap(m, r->tenant, r->subject, r->key_class, &k, wrapped);
    ++*rewrapped;
    return db_run(keys, SQL_KEY_REWRAP, NULL,
                  ARGS(V_TEXT(r->tenant), V_ID(r->subject), V_INT(r->key_class), V_BYTES(TEXT_BYTES(wrapped))));
}

/* One step, a job of the writer. */
static enum err step(struct store *s, void *arg)
{
    struct walk *w = arg;
    struct db *keys = s->writers[FILE_KEYS];
    struct found *rows = NEW_ARRAY(w->a, struct found, STEP_KEYS);
    unsigned count;
    TRY_PTR(rows);
    TRY(db_control(keys, CONTROL_BEGIN));
    TRY(page_read(keys, w, rows, &count));
    for (unsigned i = 0; i < count; i++)
        TRY(rewrap(s, keys, &rows[i], &w->rewrapped));
    TRY(db_control(keys, CONTROL_COMMIT));
    w->more = count == STEP_KEYS;
    if (count) {
        w->tenant = rows[count - 1].tenant;
        w->subject = rows[count - 1].subject;
        w->key_class = rows[count - 1].key_class;
    }
    return OK;
}

static enum err secret_rewrap(struct store *s, struct db *keys, struct arena *a, text name, text old)
{
    const struct master *m = store_master(s);
    struct subject_id nobody = { 0 };
    KEY_AUTO k;
    uint8_t wrapped[WRAPPED_KEY];
    if (key_wrap_current(m, old))
        return OK;
    TRY(key_unwrap(a, m, name, nobody, 0, old, &k));
    key_wrap(m, name, nobody, 0, &k, wrapped);
    return db_run(keys, SQL_SECRET_REWRAP, NULL, ARGS(V_TEXT(name), V_BYTES(TEXT_BYTES(wrapped))));
}

static enum err secrets_rewrap(struct store *s, void *arg)
{
    struct secret {
        text name, wrapped;
        struct secret *next;
    } *first = NULL;
    struct db *keys = s->writers[FILE_KEYS];
    struct arena *a = arg;
    TRY(db_control(keys, CONTROL_BEGIN));
    QUERY_AUTO q;
    query_start(&q, keys, SQL_SECRET_LIST, ARGS());
    while (query_next(&q)) {
        struct secret *one = NEW(a, struct secret);
        TRY_PTR(one);
        *one = (struct secret){ arena_copy(a, query_get(&q, SECRET_LIST, name)),
                                arena_copy(a, query_get(&q, SECRET_LIST, wrapped)), first };
        TRY_PTR(one->name.p);
        TRY_PTR(one->wrapped.p);
        first = one;
    }
    query_end(&q);
    TRY(q.status);
    for (; first; first = first->next)
        TRY(secret_rewrap(s, keys, a, first->name, first->wrapped));
    return db_control(keys, CONTROL_COMMIT);
}

/* Keys put while this goes on are wrapped under the new master by the writer itself, so one walk finds all. */
static enum err rewrap_all(struct store *s, struct arena *a, uint64_t *rewrapped)
{
    ARENA_AUTO page = arena_make(4 << 20);
    struct walk w = { .tenant = TEXT(""), .key_class = -1, .more = true, .a = &page };
    TRY(writer_job(s, a, secrets_rewrap, a));
    char tenant[256];
    while (w.more) {
        TRY(writer_job(s, a, step, &w));
        if (!text_cstr(w.tenant, tenant, sizeof tenant))
            return say(a, ERR_INTEGRITY, "the keyring has a tenant of %zu bytes", w.tenant.n);
        w.tenant = text_of(tenant);
        arena_reset(&page);
    }
    *rewrapped = w.rewrapped;
    return OK;
}

/* The entry before the former key is forgotten: a crash between writes it twice rather than not at all. */
static enum err record(struct store *s, void *arg)
{
    struct db *data = s->writers[FILE_DATA];
    TRY(db_control(data, CONTROL_BEGIN));
    data->writing = true;
    TRY(journal_add(data, arg, NULL));
    TRY(db_control(data, CONTROL_COMMIT));
    data->writing = false;
    journal_publish(s);
    return OK;
}

static enum err complete(struct store *s, struct arena *a, const struct event *told, uint64_t *rewrapped)
{
    struct event e = told ? *told : (struct event){ .act = TEXT("keys.rotate"), .actor = TEXT("garant") };
    TRY(rewrap_all(s, a, rewrapped));
    e.count = (int64_t)*rewrapped;
    TRY(writer_job(s, a, record, &e));
    return forget_former(s, a);
}

static bool is_under_way(const struct store *s)
{
    char former[PATH_MAX + 16];
    snprintf(former, sizeof former, "%s.former", s->master_file);
    return file_exists(former);
}

static enum err rotate(struct store *s, struct arena *a, text new_master_file, const struct event *told,
                       uint64_t *rewrapped)
{
    struct files f;
    CLEANUP(master_wipe) struct master m = { 0 };
    TRY(files_of(s, a, new_master_file, &f));
    if (is_under_way(s)) /* one that failed half way: its former key is still needed */
        TRY(complete(s, a, NULL, rewrapped));
    TRY(file_exists(f.given) ? master_read(a, f.given, &m) : master_create(a, f.given, &m));
    if (m.id == store_master(s)->id)
        return say(a, ERR_CONFLICT, "%s holds the master key in use", f.given);
    master_follow(&m, store_master(s));
    struct held_master *held = store_master_hold(a, &m);
    TRY_PTR(held);
    enum err e = put_in_place(s, a, &f);
    if (e != OK) {
        store_master_drop(held);
        return e;
    }
    store_master_publish(s, held);
    return complete(s, a, told, rewrapped);
}

enum err store_rotate_master(struct store *s, struct arena *a, text new_master_file, const struct event *told,
                             uint64_t *rewrapped)
{
    *rewrapped = 0;
    if (atomic_exchange(&s->rotating, true))
        return say(a, ERR_CONFLICT, "the master key is being changed already");
    enum err e = rotate(s, a, new_master_file, told, rewrapped);
    atomic_store(&s->rotation_due, e != OK && is_under_way(s));
    atomic_store(&s->rotating, false);
    return e;
}

/* Copies of a key that a crash left before they meant anything. */
static void parts_remove(const struct store *s)
{
    static const char *const ends[] = { ".former.part", ".new" };
    for (unsigned i = 0; i < 2; i++) {
        char path[PATH_MAX + 16];
        snprintf(path, sizeof path, "%s%s", s->master_file, ends[i]);
        unlink(path);
    }
}

enum err rotate_resume(struct store *s, struct arena *a)
{
    uint64_t rewrapped;
    parts_remove(s);
    if (!is_under_way(s))
        return OK;
    TRY(complete(s, a, NULL, &rewrapped));
    LOG(LOG_INFO, "store.rotation-completed", LOG_INT("keys", (int64_t)rewrapped));
    return OK;
}

enum err store_rotate_resume(struct store *s, struct arena *a)
{
    if (!atomic_load(&s->rotation_due) || atomic_exchange(&s->rotating, true))
        return OK;
    enum err e = rotate_resume(s, a);
    atomic_store(&s->rotation_due, e != OK);
    atomic_store(&s->rotating, false);
    return e;
}

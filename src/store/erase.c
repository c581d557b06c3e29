/* Erasure of rows after tables.def, and the completion of erasures that a crash or a full disk interrupted. */
#include "base/log.h"
#include "store/engine.h"

enum { CLASSES_MEMORY = 1 << 20 };

static bool has_class(const uint32_t *classes, unsigned count, int64_t wanted)
{
    for (unsigned i = 0; i < count; i++)
        if (classes[i] == wanted)
            return true;
    return false;
}

static bool has_word(text words, text word)
{
    while (words.n)
        if (text_eq(text_cut(&words, ','), word))
            return true;
    return false;
}

struct erasing {
    text tenant;
    const struct subject_id *subject;
    const uint32_t *kept;
    unsigned kept_count;
    text keep;
    bool bound[TABLE_COUNT];
};

/* A table whose rows go with the key that each is sealed under. */
static enum err erase_keyed(struct db *db, const struct erasing *c, enum sql list, enum sql erase, int64_t *rows)
{
    ARENA_AUTO own = arena_make(CLASSES_MEMORY);
    struct classes all;
    TRY(classes_read(db, &own, list, c->tenant, *c->subject, &all));
    for (unsigned i = 0; i < all.count; i++) {
        int64_t changes = 0;
        if (!has_class(c->kept, c->kept_count, all.at[i]))
            TRY(db_run(db, erase, &changes, ARGS(V_TEXT(c->tenant), V_ID(*c->subject), V_INT(all.at[i]))));
        *rows += changes;
    }
    return OK;
}

/* What is bound of them goes with them. */
static enum err erase_all(struct db *db, enum table table, const struct erasing *c, enum sql erase, int64_t *rows)
{
    TRY(db_run(db, erase, rows, ARGS(V_TEXT(c->tenant), V_ID(*c->subject))));
    return ledger_forget(db, table, c->tenant, *c->subject, c->bound[table]);
}

static enum err erase_rows(struct db *db, enum table table, const struct erasing *c, text kept_as, enum sql erase,
                           int64_t *rows)
{
    if (has_class(c->kept, c->kept_count, 0) || has_word(c->keep, kept_as))
        return OK;
    return erase_all(db, table, c, erase, rows);
}

static enum err erase_marked(struct db *db, enum table table, const struct erasing *c, enum sql erase, enum sql mark,
                             int64_t *rows)
{
    if (has_class(c->kept, c->kept_count, 0))
        return OK;
    if (c->kept_count || c->keep.n)
        return db_run(db, mark, NULL, ARGS(V_TEXT(c->tenant), V_ID(*c->subject)));
    return erase_all(db, table, c, erase, rows);
}

/* The rows stay under a term of their own, and lead to nobody any more. */
static enum err erase_link(struct db *db, const struct erasing *c, enum sql erase, int64_t *rows)
{
    if (has_class(c->kept, c->kept_count, 0))
        return OK;
    return db_run(db, erase, rows, ARGS(V_TEXT(c->tenant), V_ID(*c->subject)));
}

static enum err erase_table(struct db *db, const struct erasing *c, enum table table, int64_t *rows)
{
    switch (table) {
#define CASE_no(name)     return OK;
#define CASE_keyed(name)  return erase_keyed(db, c, SQL_CLASSES_##name, SQL_ERASE_##name, rows);
#define CASE_rows(name)   return erase_rows(db, table, c, table_row(table)->kept_as, SQL_ERASE_##name, rows);
#define CASE_marked(name) return erase_marked(db, table, c, SQL_ERASE_##name, SQL_MARK_##name, rows);
#define CASE_links(name)  return erase_rows(db, table, c, TEXT("nothing"), SQL_ERASE_##name, rows);
#define CASE_unlinked(name) return erase_link(db, c, SQL_ERASE_##name, rows);
#define TABLE(name, erasure, kept_as, storage, bound, ...)                                                             \
    case TABLE_##name:                                                                                                 \
        CASE_##erasure(name)
#define KEYRING_TABLE(...)
#define INDEX(...)
#include "store/tables.def"
#undef TABLE
    case TABLE_COUNT:
        break;
    }
    return OK;
}

enum err store_erase(struct db *db, text tenant, struct subject_id subject, const uint32_t *kept, unsigned kept_count,
                     text keep, int64_t *counts)
{
    struct erasing c = { tenant, &subject, kept, kept_count, keep, { false } };
    TRY(ledger_bound_tables(db, &(struct scope){ tenant, subject }, c.bound));
    for (enum table t = 0; t < TABLE_COUNT; t++) {
        int64_t rows = 0;
        TRY(erase_table(db, &c, t, &rows));
        if (counts)
            counts[t] = rows;
    }
    return OK;
}

/* ---- Completion. ---- */

struct intent {
    text tenant, keep;
    struct subject_id subject;
    struct classes kept;
    struct intent *next;
};

static enum err intent_list(struct db *keys, struct arena *a, struct intent **out)
{
    QUERY_AUTO q;
    query_start(&q, keys, SQL_INTENT_LIST, ARGS());
    *out = NULL;
    while (query_next(&q)) {
        struct intent *i = NEW(a, struct intent);
        TRY_PTR(i);
        i->tenant = arena_copy(a, query_get(&q, INTENT_LIST, tenant));
        i->keep = arena_copy(a, query_get(&q, INTENT_LIST, keep));
        TRY_PTR(i->tenant.p);
        TRY_PTR(i->keep.p);
        text id = query_get(&q, INTENT_LIST, subject);
        if (id.n != SUBJECT_ID)
            return say(a, ERR_INTEGRITY, "an intent of the keyring has an id of %zu bytes", id.n);
        memcpy(i->subject.b, id.p, SUBJECT_ID);
        i->next = *out;
        *out = i;
    }
    TRY(q.status);
    for (struct intent *i = *out; i; i = i->next)
        TRY(classes_read(keys, a, SQL_KEY_CLASSES, i->tenant, i->subject, &i->kept));
    return OK;
}

/* Inside the data's transaction. An erasure that was complete already leaves no second entry. */
static enum err intent_run(struct db *db, const struct intent *i)
{
    int64_t counts[TABLE_COUNT], rows = 0;
    TRY(store_erase(db, i->tenant, i->subject, i->kept.at, i->kept.count, i->keep, counts));
    for (unsigned t = 0; t < TABLE_COUNT; t++)
        rows += counts[t];
    if (!rows && !db->store->ledger.first)
        return OK;
    struct event e = {
        .act = TEXT("subject.erase.completed"), .tenant = i->tenant, .actor = TEXT("garant"), .count = rows
    };
    return journal_add(db, &e, NULL);
}

static enum err run_all(struct db *db, const struct intent *list)
{
    for (const struct intent *i = list; i; i = i->next)
        TRY(intent_run(db, i));
    return db_control(db, CONTROL_COMMIT);
}

enum err erase_complete(struct store *s, struct arena *a, uint64_t *completed)
{
    struct db *data = s->writers[FILE_DATA], *keys = s->writers[FILE_KEYS];
    struct intent *list;
    *completed = 0;
    TRY(intent_list(keys, a, &list));
    if (!list)
        return OK;
    edge_copy(&s->saved, &s->edge);
    TRY(db_control(data, CONTROL_BEGIN));
    data->writing = true;
    enum err e = run_all(data, list);
    data->writing = false;
    if (e != OK) {
        edge_copy(&s->edge, &s->saved);
        db_rollback(data); /* what failed first is told */
        return e;
    }
    for (struct intent *i = list; i; i = i->next, ++*completed)
        TRY(db_run(keys, SQL_INTENT_DROP, NULL, ARGS(V_TEXT(i->tenant), V_ID(i->subject))));
    s->truncate_due = true;
    LOG(LOG_WARN, "store.erasures-completed", LOG_INT("count", (int64_t)*completed));
    return OK;
}

/* What a crash, a restored backup or an earlier program can leave: keys of nobody, and journal entries linked to
 * nobody's key. */
#include "base/log.h"
#include "store/engine.h"

enum { PAGE_KEYS = 500, PAGE_MEMORY = 1 << 20 };
enum { SPARED = 7 * DAY };                  /* after a restore, for whoever finds that a newer backup was meant */
static const text mark = TEXT_INIT("tidy"); /* in meta: how long the journal was when the store last closed in order */

struct place_of_key {
    text tenant;
    struct subject_id subject;
    int64_t key_class;
};

static enum err read_id(struct db *db, text bytes, struct subject_id *out)
{
    if (bytes.n != sizeof *out)
        return say(db->arena, ERR_INTEGRITY, "a person has an id of %zu bytes", bytes.n);
    memcpy(out, bytes.p, sizeof *out);
    return OK;
}

static enum err any(struct db *db, enum sql sql, text tenant, struct subject_id subject, bool *out)
{
    QUERY_AUTO q;
    query_start(&q, db, sql, ARGS(V_TEXT(tenant), V_ID(subject)));
    *out = query_next(&q);
    return q.status;
}

/* ---- Keys of nobody. ---- */

/* A key serves a person who is there, or rows that an erasure left under it. */
static enum err serves(struct db *data, const struct place_of_key *k, bool *out)
{
    TRY(any(data, SQL_SUBJECT_THERE, k->tenant, k->subject, out));
    if (*out)
        return OK;
    QUERY_AUTO q;
    query_start(&q, data, SQL_LEFTOVER_CLASSES, ARGS(V_TEXT(k->tenant), V_ID(k->subject)));
    while (!*out && query_next(&q))
        *out = query_get(&q, LEFTOVER_CLASSES, class) == k->key_class;
    return q.status;
}

static enum err keys_page(struct db *keys, struct arena *page, const struct place_of_key *after,
                          struct place_of_key *out, unsigned *count)
{
    QUERY_AUTO q;
    query_start(&q, keys, SQL_KEY_PAGE,
                ARGS(V_TEXT(after->tenant), V_ID(after->subject), V_INT(after->key_class), V_INT(PAGE_KEYS)));
    for (*count = 0; *count < PAGE_KEYS && query_next(&q); ++*count) {
        struct place_of_key *k = &out[*count];
        k->tenant = arena_copy(page, query_get(&q, KEY_PAGE, tenant));
        k->key_class = query_get(&q, KEY_PAGE, class);
        TRY_PTR(k->tenant.p);
        TRY(read_id(keys, query_get(&q, KEY_PAGE, subject), &k->subject));
    }
    return q.status;
}

/* In the open transaction of the keyring. */
static enum err keys_drop(struct store *s, const struct place_of_key *found, unsigned count, int64_t *dropped)
{
    for (unsigned i = 0; i < count; i++) {
        const struct place_of_key *k = &found[i];
        bool needed;
        TRY(serves(s->writers[FILE_DATA], k, &needed));
        if (needed)
            continue;
        TRY(db_run(s->writers[FILE_KEYS], SQL_KEY_DROP, NULL,
                   ARGS(V_TEXT(k->tenant), V_ID(k->subject), V_INT(k->key_class))));
        ++*dropped;
    }
    return OK;
}

static enum err keys_of_nobody(struct store *s, int64_t *dropped)
{
    char tenant[256] = "";
    struct place_of_key after = { .tenant = text_of(tenant), .key_class = -1 };
    for (unsigned count = PAGE_KEYS; count == PAGE_KEYS;) {
        ARENA_AUTO page = arena_make(PAGE_MEMORY);
        struct place_of_key *found = NEW_ARRAY(&page, struct place_of_key, PAGE_KEYS);
        TRY_PTR(found);
        TRY(keys_page(s->writers[FILE_KEYS], &page, &after, found, &count));
        TRY(keys_drop(s, found, count, dropped));
        if (!count)
            break;
        after = found[count - 1];
        if (!text_cstr(after.tenant, tenant, sizeof tenant))
            return say(s->writers[FILE_KEYS]->arena, ERR_INTEGRITY, "a tenant has %zu bytes", after.tenant.n);
        after.tenant = text_of(tenant);
    }
    return OK;
}

/* ---- Links to nobody. ---- */

static enum err next_linked(struct db *data, char tenant[256], struct subject_id *id, bool *found)
{
    QUERY_AUTO q;
    query_start(&q, data, SQL_JOURNAL_LINKED, ARGS(V_TEXT(text_of(tenant)), V_ID(*id)));
    *found = query_next(&q);
    if (!*found)
        return q.status;
    if (!text_cstr(query_get(&q, JOURNAL_LINKED, tenant), tenant, 256))
        return say(data->arena, ERR_INTEGRITY, "a tenant of the journal is too long");
    return read_id(data, query_get(&q, JOURNAL_LINKED, subject), id);
}

enum err key_there(struct store *s, text tenant, struct subject_id subject, bool *out)
{
    QUERY_AUTO q;
    query_start(&q, s->writers[FILE_KEYS], SQL_KEY_GET, ARGS(V_TEXT(tenant), V_ID(subject), V_INT(0)));
    *out = query_next(&q);
    return q.status;
}

static enum err links_to_nobody(struct store *s, int64_t *removed)
{
    struct db *data = s->writers[FILE_DATA];
    char tenant[256] = "";
    struct subject_id id = { { 0 } };
    for (;;) {
        bool found, key;
        int64_t links = 0;
        TRY(next_linked(data, tenant, &id, &found));
        if (!found)
            return OK;
        TRY(key_there(s, text_of(tenant), id, &key));
        if (!key)
            TRY(db_run(data, SQL_ERASE_journal, &links, ARGS(V_TEXT(text_of(tenant)), V_ID(id))));
        *removed += links;
    }
}

/* ---- Both, with an entry for each. ---- */

static enum err record(struct db *data, text act, int64_t count)
{
    struct event e = { .act = act, .actor = TEXT("garant"), .count = count };
    return count ? journal_add(data, &e, NULL) : OK;
}

static enum err tidy(struct store *s, bool spared)
{
    struct db *data = s->writers[FILE_DATA];
    int64_t links = 0, keys = 0;
    TRY(db_control(data, CONTROL_BEGIN));
    TRY(db_control(s->writers[FILE_KEYS], CONTROL_BEGIN));
    data->writing = true;
    if (!spared)
        TRY(keys_of_nobody(s, &keys));
    TRY(links_to_nobody(s, &links)); /* those among them whose key went just now */
    TRY(record(data, TEXT("keys.dropped"), keys));
    TRY(record(data, TEXT("journal.unlinked"), links));
    data->writing = false;
    TRY(db_control(data, CONTROL_COMMIT)); /* first: what is cut short here is done, and told, again */
    TRY(db_control(s->writers[FILE_KEYS], CONTROL_COMMIT));
    s->truncate_due |= links || keys;
    if (links || keys)
        LOG(LOG_WARN, "store.tidied", LOG_INT("links", links), LOG_INT("keys", keys));
    return OK;
}

static text size_text(const struct store *s, char out[24])
{
    snprintf(out, 24, "%llu", (unsigned long long)s->edge.tree.size);
    return text_of(out);
}

static enum err meta_read(struct db *data, text name, text *out)
{
    QUERY_AUTO q;
    query_start(&q, data, SQL_META_GET, ARGS(V_TEXT(name)));
    *out = query_next(&q) ? arena_copy(data->arena, query_get(&q, META_GET, value)) : (text){ NULL, 0 };
    return q.status;
}

/* Keys of people newer than a restored backup open nothing, but the newer backup, should that one have been meant. */
static enum err spared_read(struct store *s, text *restored)
{
    int64_t at;
    TRY(meta_read(s->writers[FILE_DATA], TEXT("restored"), restored));
    s->keys_spared = text_int(*restored, &at) ? at + SPARED : 0;
    return OK;
}

enum err tidy_restored(struct store *s)
{
    char at[24];
    snprintf(at, sizeof at, "%lld", (long long)clock_now(&s->clock));
    return db_run(s->writers[FILE_DATA], SQL_META_PUT, NULL, ARGS(V_TEXT(TEXT("restored")), V_TEXT(text_of(at))));
}

enum err tidy_if_due(struct store *s)
{
    struct db *data = s->writers[FILE_DATA];
    char size[24];
    text closed, restored;
    TRY(meta_read(data, mark, &closed));
    TRY(spared_read(s, &restored));
    bool spared = s->keys_spared > clock_now(&s->clock);
    bool over = s->keys_spared && !spared;
    if (!over && text_eq(closed, size_text(s, size)))
        return OK;
    if (over)
        TRY(db_run(data, SQL_META_PUT, NULL, ARGS(V_TEXT(TEXT("restored")), V_TEXT(TEXT("")))));
    edge_copy(&s->saved, &s->edge);
    enum err e = tidy(s, spared);
    if (e != OK)
        group_undo(s);
    return e;
}

enum err tidy_mark(struct store *s)
{
    char size[24];
    return db_run(s->writers[FILE_DATA], SQL_META_PUT, NULL, ARGS(V_TEXT(mark), V_TEXT(size_text(s, size))));
}

/* ---- Classes of keys, as many as there are. ---- */

enum err classes_read(struct db *db, struct arena *a, enum sql list, text tenant, struct subject_id subject,
                      struct classes *out)
{
    unsigned room = 0;
    *out = (struct classes){ 0 };
    QUERY_AUTO q;
    query_start(&q, db, list, ARGS(V_TEXT(tenant), V_ID(subject)));
    while (query_next(&q)) {
        if (out->count == room) {
            uint32_t *wider = NEW_ARRAY(a, uint32_t, room = room ? room * 2 : 16);
            if (!wider)
                return say(db->arena, ERR_MEMORY, "no memory for the keys of one person");
            if (out->count)
                memcpy(wider, out->at, out->count * sizeof *wider);
            out->at = wider;
        }
        out->at[out->count++] = (uint32_t)query_get(&q, KEY_CLASSES, class);
    }
    return q.status;
}

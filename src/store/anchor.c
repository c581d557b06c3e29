/* The keyring remembers how far the journal had come, so that an older data.db beside it does not pass for today's. */
#include "store/engine.h"

static const text names[] = { [ANCHOR_NEWEST] = TEXT_INIT("newest"), [ANCHOR_RESTORED] = TEXT_INIT("restored") };

/* Kept after the data are durable and before anybody is told so: a crash between leaves an anchor that is behind, never
 * one ahead. */
enum err anchor_put(struct store *s, enum anchor_name name)
{
    struct hash root = tree_root(&s->edge.tree);
    TRY(db_run(s->writers[FILE_KEYS], SQL_ANCHOR_PUT, NULL,
               ARGS(V_TEXT(names[name]), V_INT((int64_t)s->edge.tree.size), V_BYTES(TEXT_BYTES(root)))));
    if (name != ANCHOR_NEWEST)
        return OK;
    s->anchored = clock_monotonic(); /* not the journal's time, which somebody may have set */
    return ledger_note(s);
}

enum err anchor_drop(struct db *keys, enum anchor_name name)
{
    return db_run(keys, SQL_ANCHOR_DROP, NULL, ARGS(V_TEXT(names[name])));
}

enum err anchor_get(struct db *keys, enum anchor_name name, struct anchor *out)
{
    QUERY_AUTO q;
    *out = (struct anchor){ 0 };
    query_start(&q, keys, SQL_ANCHOR_GET, ARGS(V_TEXT(names[name])));
    if (!query_next(&q))
        return q.status;
    text root = query_get(&q, ANCHOR_GET, root);
    out->size = (uint64_t)query_get(&q, ANCHOR_GET, size);
    out->there = true;
    if (root.n != sizeof out->root)
        return say(keys->arena, ERR_INTEGRITY, "the keyring's anchor has a root of %zu bytes", root.n);
    memcpy(&out->root, root.p, root.n);
    return OK;
}

/* Whether the journal that was loaded has those entries. */
static enum err holds(struct store *s, const struct anchor *at, bool *out)
{
    struct tree then;
    *out = !at->there || (at->size <= s->edge.tree.size);
    if (!at->there || !*out || !at->size)
        return OK;
    TRY(journal_tree_at(s->writers[FILE_DATA], at->size, &then));
    *out = hash_eq(tree_root(&then), at->root);
    return OK;
}

static enum err move_to(struct store *s)
{
    struct db *keys = s->writers[FILE_KEYS];
    TRY(db_control(keys, CONTROL_BEGIN));
    TRY(anchor_put(s, ANCHOR_NEWEST));
    TRY(anchor_drop(keys, ANCHOR_RESTORED));
    return db_control(keys, CONTROL_COMMIT);
}

enum err anchor_check(struct store *s, struct arena *a)
{
    struct anchor now, put_back;
    bool good, as_restored;
    TRY(anchor_get(s->writers[FILE_KEYS], ANCHOR_NEWEST, &now));
    TRY(anchor_get(s->writers[FILE_KEYS], ANCHOR_RESTORED, &put_back));
    TRY(holds(s, &now, &good));
    TRY(holds(s, &put_back, &as_restored));
    if (put_back.there && as_restored)
        return move_to(s);
    if (good) /* a restore that never came to put its file in place allows nothing later */
        return put_back.there ? anchor_drop(s->writers[FILE_KEYS], ANCHOR_RESTORED) : OK;
    if (now.size > s->edge.tree.size)
        return say(
            a, ERR_INTEGRITY,
            "data.db is older than the keyring beside it: its journal has %llu entries, and %llu were acknowledged. "
            "`garant restore` puts a backup in place, and an entry says so",
            (unsigned long long)s->edge.tree.size, (unsigned long long)now.size);
    return say(
        a, ERR_INTEGRITY,
        "data.db is of another history than the keyring beside it: the first %llu entries of its journal are not those "
        "that were acknowledged",
        (unsigned long long)now.size);
}

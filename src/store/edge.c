/* The right edge of the journal's tree: what is needed to go on growing it, its tiles, and how both are read again. */
#include "store/engine.h"

void edge_copy(struct edge *to, const struct edge *from)
{
    to->tree = from->tree;
    to->last = from->last;
    to->ledger = from->ledger;
    for (unsigned level = 0; level < EDGE_LEVELS; level++) {
        to->counts[level] = from->counts[level];
        memcpy(to->hashes[level], from->hashes[level], from->counts[level] * sizeof(struct hash));
    }
}

struct hash edge_subtree(const struct hash *hashes, unsigned height)
{
    if (height == 0)
        return hashes[0];
    size_t half = (size_t)1 << (height - 1);
    return tree_node(edge_subtree(hashes, height - 1), edge_subtree(hashes + half, height - 1));
}

static enum err tile_put(struct db *db, const struct edge *e, unsigned level, uint64_t tile)
{
    text hashes = { (const char *)e->hashes[level], e->counts[level] * sizeof(struct hash) };
    return db_run(db, SQL_TILE_PUT, NULL, ARGS(V_INT(level), V_INT((int64_t)tile), V_BYTES(hashes)));
}

enum err edge_add(struct db *db, struct edge *e, struct hash leaf)
{
    uint64_t index = e->tree.size;
    tree_add(&e->tree, leaf);
    must(e->counts[0] < TILE_WIDTH); /* a full tile went up with its last leaf */
    e->hashes[0][e->counts[0]++] = leaf;
    for (unsigned level = 0; level + 1 < EDGE_LEVELS && e->counts[level] == TILE_WIDTH; level++) {
        index /= TILE_WIDTH;
        TRY(tile_put(db, e, level, index));
        struct hash up = edge_subtree(e->hashes[level], 8);
        e->counts[level] = 0;
        must(e->counts[level + 1] < TILE_WIDTH);
        e->hashes[level + 1][e->counts[level + 1]++] = up;
        if (e->counts[level + 1] < TILE_WIDTH) /* a partial tile above, so that the start need not hash 256 tiles */
            TRY(tile_put(db, e, level + 1, index / TILE_WIDTH));
    }
    return OK;
}

/* The partial tile of a level above the leaves: the last row, when it is not complete. */
static enum err load_level(struct db *db, unsigned level, struct edge *out, uint64_t *tiles)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_TILE_LAST, ARGS(V_INT(level)));
    *tiles = 0;
    if (!query_next(&q))
        return q.status;
    text hashes = query_get(&q, TILE_LAST, hashes);
    *tiles = (uint64_t)query_get(&q, TILE_LAST, idx);
    if (hashes.n % sizeof(struct hash) || hashes.n > sizeof out->hashes[level] || !hashes.n)
        return say(db->arena, ERR_INTEGRITY, "tile %u/%llu of the journal has %zu bytes", level,
                   (unsigned long long)*tiles, hashes.n);
    if (hashes.n == sizeof out->hashes[level]) {
        ++*tiles;
        return OK;
    }
    memcpy(out->hashes[level], hashes.p, hashes.n);
    out->counts[level] = (unsigned)(hashes.n / sizeof(struct hash));
    return OK;
}

/* The entries behind the last complete tile. */
static enum err load_leaves(struct db *db, uint64_t from, struct edge *out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_LEAVES, ARGS(V_INT((int64_t)from), V_INT((int64_t)from + TILE_WIDTH)));
    while (query_next(&q)) {
        if ((uint64_t)query_get(&q, JOURNAL_LEAVES, seq) != from + out->counts[0] || out->counts[0] == TILE_WIDTH - 1)
            return say(db->arena, ERR_INTEGRITY, "the journal has no entry %llu",
                       (unsigned long long)(from + out->counts[0]));
        out->hashes[0][out->counts[0]++] = leaf_hash(query_get(&q, JOURNAL_LEAVES, leaf));
    }
    return q.status;
}

/* The tree's perfect sub-trees from the hashes of all levels, largest first. */
static void grow_tree(struct edge *e)
{
    struct tree *t = &e->tree;
    *t = (struct tree){ 0 };
    for (unsigned level = EDGE_LEVELS; level-- > 0;) {
        unsigned done = 0;
        for (unsigned height = 8; height-- > 0;)
            if (e->counts[level] >> height & 1) {
                t->roots[t->count++] = edge_subtree(e->hashes[level] + done, height);
                done += 1u << height;
            }
        t->size |= (uint64_t)e->counts[level] << (8 * level);
    }
}

enum err edge_load(struct db *db, struct edge *out)
{
    *out = (struct edge){ 0 };
    uint64_t tiles, above;
    TRY(load_level(db, 0, out, &tiles));
    if (out->counts[0])
        return say(db->arena, ERR_INTEGRITY, "tile 0/%llu of the journal is not complete", (unsigned long long)tiles);
    for (unsigned level = 1; level < EDGE_LEVELS; level++)
        TRY(load_level(db, level, out, &above));
    TRY(load_leaves(db, tiles * TILE_WIDTH, out));
    grow_tree(out);
    if (out->tree.size != tiles * TILE_WIDTH + out->counts[0])
        return say(db->arena, ERR_INTEGRITY, "the tiles of the journal say %llu entries and its leaves %llu",
                   (unsigned long long)out->tree.size, (unsigned long long)(tiles * TILE_WIDTH + out->counts[0]));
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_LAST, ARGS());
    if (query_next(&q))
        out->last = query_get(&q, JOURNAL_LAST, at);
    return q.status;
}

/* Reading the journal: nodes of its tree, proofs, tiles and bundles as c2sp.org/tlog-tiles lays them out. */
#include "base/decode.h"
#include "store/engine.h"

bool journal_forgotten(text leaf) { return leaf.n == LEAF_FORGOTTEN && leaf.p[0] == '-'; }

struct hash leaf_hash(text leaf)
{
    struct hash h = { { 0 } };
    if (journal_forgotten(leaf) && decode_hex(text_from(leaf, 1), h.b, sizeof h.b))
        return h;
    return tree_leaf(leaf);
}

enum err journal_tile_read(struct db *db, unsigned level, uint64_t index, struct tile *out)
{
    out->level = level;
    out->index = index;
    out->count = 0;
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_TILE_GET, ARGS(V_INT(level), V_INT((int64_t)index)));
        if (query_next(&q)) {
            text hashes = query_get(&q, TILE_GET, hashes);
            if (!hashes.n || hashes.n % sizeof(struct hash) || hashes.n > sizeof out->hashes ||
                (level == 0 && hashes.n < sizeof out->hashes))
                return say(db->arena, ERR_INTEGRITY, "tile %u/%llu of the journal has %zu bytes", level,
                           (unsigned long long)index, hashes.n);
            memcpy(out->hashes, hashes.p, hashes.n);
            out->count = (unsigned)(hashes.n / sizeof(struct hash));
            return OK;
        }
        TRY(q.status);
    }
    if (level > 0)
        return OK;
    QUERY_AUTO q; /* the last tile of leaves is not yet a row */
    int64_t first = (int64_t)index * TILE_WIDTH;
    query_start(&q, db, SQL_JOURNAL_LEAVES, ARGS(V_INT(first), V_INT(first + TILE_WIDTH)));
    while (query_next(&q)) {
        if (query_get(&q, JOURNAL_LEAVES, seq) != first + out->count)
            return say(db->arena, ERR_INTEGRITY, "the journal has no entry %lld", (long long)first + out->count);
        out->hashes[out->count++] = leaf_hash(query_get(&q, JOURNAL_LEAVES, leaf));
    }
    return q.status;
}

/* The leaves behind the last complete tile, as the writer published them: in the database each is to be hashed anew. */
static bool tile_recent(struct store *s, unsigned level, uint64_t index, struct tile *out)
{
    if (!s || level)
        return false;
    pthread_mutex_lock(&s->published_lock);
    unsigned count = (unsigned)(s->published.size % TILE_WIDTH);
    bool there = count && s->published.size / TILE_WIDTH == index;
    if (there) {
        out->level = 0;
        out->index = index;
        out->count = count;
        memcpy(out->hashes, s->recent, count * sizeof out->hashes[0]);
    }
    pthread_mutex_unlock(&s->published_lock);
    return there;
}

/* ---- Nodes in memory: proofs of entries that were made together share almost all. ---- */

static struct node *node_place(struct store *s, unsigned level, uint64_t index)
{
    return &s->nodes[(index * 31 + level) % NODES_KEPT];
}

static bool node_kept(struct store *s, unsigned level, uint64_t index, struct hash *out)
{
    const struct node *n = node_place(s, level, index);
    bool there = n->there && n->level == level && n->index == index;
    if (there)
        *out = n->hash;
    return there;
}

/* As edge_subtree(), of 2^height hashes, the root of which is that node. */
static struct hash node_make(struct store *s, unsigned level, uint64_t index, const struct hash *hashes,
                             unsigned height)
{
    struct hash out;
    if (height == 0)
        return hashes[0];
    if (node_kept(s, level, index, &out))
        return out;
    size_t half = (size_t)1 << (height - 1);
    out = tree_node(node_make(s, level - 1, 2 * index, hashes, height - 1),
                    node_make(s, level - 1, 2 * index + 1, hashes + half, height - 1));
    *node_place(s, level, index) = (struct node){ true, (uint8_t)level, index, out };
    return out;
}

/* A node of perfect sub-trees alone, all of whose leaves were acknowledged. */
static bool node_known(struct store *s, unsigned level, uint64_t index, struct hash *out)
{
    if (!s)
        return false;
    pthread_mutex_lock(&s->published_lock);
    bool there = node_kept(s, level, index, out);
    pthread_mutex_unlock(&s->published_lock);
    return there;
}

static struct hash node_learn(struct store *s, unsigned level, uint64_t index, const struct hash *hashes)
{
    pthread_mutex_lock(&s->published_lock);
    struct hash out = node_make(s, level, index, hashes, level % 8);
    pthread_mutex_unlock(&s->published_lock);
    return out;
}

enum err journal_node(void *from, unsigned level, uint64_t index, struct hash *out)
{
    struct node_reader *r = from;
    unsigned tile_level = level / 8, height = level % 8;
    uint64_t first = index << height;
    if (node_known(r->recent, level, index, out))
        return OK;
    bool there = r->loaded && r->tile.level == tile_level && r->tile.index == first / TILE_WIDTH;
    if (!there && !tile_recent(r->recent, tile_level, first / TILE_WIDTH, &r->tile))
        TRY(journal_tile_read(r->db, tile_level, first / TILE_WIDTH, &r->tile));
    r->loaded = true;
    unsigned at = (unsigned)(first % TILE_WIDTH);
    if (at + (1u << height) > r->tile.count)
        return say(r->db->arena, ERR_INTEGRITY, "tile %u/%llu of the journal is too short", tile_level,
                   (unsigned long long)r->tile.index);
    const struct hash *hashes = r->tile.hashes + at;
    *out = r->recent ? node_learn(r->recent, level, index, hashes) : edge_subtree(hashes, height);
    return OK;
}

enum err journal_tree_at(struct db *db, uint64_t size, struct tree *out)
{
    struct node_reader r = { .db = db };
    *out = (struct tree){ .size = size };
    for (unsigned level = 64; level-- > 0;)
        if (size >> level & 1)
            TRY(journal_node(&r, level, (size >> level) - 1, &out->roots[out->count++]));
    return OK;
}

static uint64_t published_size(struct store *s)
{
    pthread_mutex_lock(&s->published_lock);
    uint64_t size = s->published.size;
    pthread_mutex_unlock(&s->published_lock);
    return size;
}

static enum err within(struct store *s, struct arena *a, uint64_t size)
{
    uint64_t all = published_size(s);
    return size <= all ? OK
                       : say(a, ERR_NOT_FOUND, "the journal has %llu entries, not %llu", (unsigned long long)all,
                             (unsigned long long)size);
}

enum err journal_inclusion(struct store *s, struct arena *a, uint64_t index, uint64_t size, struct tree_proof *out)
{
    TRY(within(s, a, size));
    READ_AUTO db = NULL;
    TRY(store_read(s, a, &db));
    struct node_reader r = { .db = db, .recent = s };
    return tree_prove_inclusion(a, journal_node, &r, index, size, out);
}

enum err journal_consistency(struct store *s, struct arena *a, uint64_t old_size, uint64_t size, struct tree_proof *out)
{
    TRY(within(s, a, size));
    READ_AUTO db = NULL;
    TRY(store_read(s, a, &db));
    struct node_reader r = { .db = db };
    return tree_prove_consistency(a, journal_node, &r, old_size, size, out);
}

/* Whether the tile has that many hashes now: level L counts whole groups of 256^L entries. */
static enum err tile_exists(struct store *s, struct arena *a, unsigned level, uint64_t index, unsigned width)
{
    if (level >= EDGE_LEVELS || !width || width > TILE_WIDTH || index > UINT64_MAX >> 16)
        return say(a, ERR_NOT_FOUND, "there is no such tile");
    uint64_t hashes = published_size(s) >> (8 * level);
    return index * TILE_WIDTH + width <= hashes ? OK : say(a, ERR_NOT_FOUND, "the journal has not grown to this tile");
}

enum err journal_tile(struct store *s, struct arena *a, unsigned level, uint64_t index, unsigned width, text *out)
{
    struct tile tile;
    TRY(tile_exists(s, a, level, index, width));
    READ_AUTO db = NULL;
    TRY(store_read(s, a, &db));
    TRY(journal_tile_read(db, level, index, &tile));
    if (tile.count < width)
        return say(a, ERR_INTEGRITY, "tile %u/%llu of the journal is too short", level, (unsigned long long)index);
    *out = arena_copy(a, (text){ (const char *)tile.hashes, width * sizeof(struct hash) });
    TRY_PTR(out->p);
    return OK;
}

enum err journal_bundle(struct store *s, struct arena *a, uint64_t index, unsigned width, text *out)
{
    bool whole;
    TRY(journal_bundle_left(s, a, index, width, out, &whole));
    return whole ? OK : say(a, ERR_ERASED, "the journal has forgotten some of these entries; their hashes remain");
}

enum err journal_bundle_left(struct store *s, struct arena *a, uint64_t index, unsigned width, text *out, bool *whole)
{
    *whole = true;
    TRY(tile_exists(s, a, 0, index, width));
    READ_AUTO db = NULL;
    TRY(store_read(s, a, &db));
    BUF_AUTO b = buf_make(TILE_WIDTH * (2 + LEAF_MAX));
    QUERY_AUTO q;
    int64_t first = (int64_t)index * TILE_WIDTH, next = first;
    query_start(&q, db, SQL_JOURNAL_LEAVES, ARGS(V_INT(first), V_INT(first + width)));
    for (; query_next(&q); next++) {
        text leaf = query_get(&q, JOURNAL_LEAVES, leaf);
        if (journal_forgotten(leaf)) {
            leaf.n = 0;
            *whole = false;
        }
        buf_char(&b, (char)(leaf.n >> 8));
        buf_char(&b, (char)leaf.n);
        buf_add(&b, leaf);
    }
    TRY(q.status);
    if (next == first)
        return say(a, ERR_ERASED, "the journal has forgotten these entries; their hashes remain");
    if (next != first + width)
        return say(a, ERR_INTEGRITY, "the journal has no entry %lld", (long long)next);
    return buf_take(a, &b, out);
}

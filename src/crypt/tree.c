/* The journal's Merkle tree: SHA-256 nodes, growth by carrying, proofs top-down from perfect sub-trees. */
#include "tree.h"
#include "base/sha256.h"
#include <string.h>

enum { LEAF = 0, NODE = 1, PATH_MAX_COUNT = 64 };

bool hash_eq(struct hash a, struct hash b) { return memcmp(a.b, b.b, sizeof a.b) == 0; }

static struct hash digest(text prefix, text rest)
{
    struct hash out;
    struct sha256 s;
    sha256_begin(&s);
    sha256_add(&s, prefix);
    sha256_add(&s, rest);
    sha256_end(&s, out.b);
    return out;
}

struct hash tree_leaf(text entry) { return digest((text){ (const char[]){ LEAF }, 1 }, entry); }

struct hash tree_node(struct hash left, struct hash right)
{
    uint8_t head[1 + sizeof left.b] = { NODE };
    memcpy(head + 1, left.b, sizeof left.b);
    return digest(TEXT_BYTES(head), TEXT_BYTES(right.b));
}

void tree_add(struct tree *t, struct hash leaf)
{
    for (uint64_t full = t->size; full & 1; full >>= 1)
        leaf = tree_node(t->roots[--t->count], leaf);
    t->roots[t->count++] = leaf;
    t->size++;
}

struct hash tree_root(const struct tree *t)
{
    if (!t->count)
        return digest(TEXT(""), TEXT(""));
    struct hash root = t->roots[t->count - 1];
    for (unsigned i = t->count - 1; i-- > 0;)
        root = tree_node(t->roots[i], root);
    return root;
}

/* The largest power of two below n; n is 2 or more. */
static uint64_t split(uint64_t n) { return (uint64_t)1 << (63 - __builtin_clzll(n - 1)); }

/* The root of leaves [low, high). `low` is a multiple of each of the perfect sub-trees' sizes, as in all ranges that
 * RFC 6962 splits a tree into. */
static enum err range_root(tree_read_fn read, void *from, uint64_t low, uint64_t high, struct hash *out)
{
    struct hash roots[64];
    unsigned count = 0;
    for (uint64_t at = low, rest = high - low; rest; count++) {
        unsigned level = 63 - (unsigned)__builtin_clzll(rest);
        TRY(read(from, level, at >> level, &roots[count]));
        at += (uint64_t)1 << level;
        rest ^= (uint64_t)1 << level;
    }
    *out = roots[count - 1];
    for (unsigned i = count - 1; i-- > 0;)
        *out = tree_node(roots[i], *out);
    return OK;
}

/* Proofs run from the root down, and are told from the leaf up. */
static void reverse(struct tree_proof *p)
{
    for (unsigned i = 0; i < p->count / 2; i++) {
        struct hash other = p->path[p->count - 1 - i];
        p->path[p->count - 1 - i] = p->path[i];
        p->path[i] = other;
    }
}

enum err tree_prove_inclusion(struct arena *a, tree_read_fn read, void *from, uint64_t index, uint64_t size,
                              struct tree_proof *out)
{
    *out = (struct tree_proof){ 0 };
    if (index >= size || size > INT64_MAX)
        return say(a, ERR_USAGE, "a tree of %llu leaves has no leaf %llu", (unsigned long long)size,
                   (unsigned long long)index);
    for (uint64_t low = 0, high = size; high - low > 1;) {
        uint64_t middle = low + split(high - low);
        bool left = index < middle;
        TRY(range_root(read, from, left ? middle : low, left ? high : middle, &out->path[out->count++]));
        *(left ? &high : &low) = middle;
    }
    reverse(out);
    return OK;
}

enum err tree_prove_consistency(struct arena *a, tree_read_fn read, void *from, uint64_t old_size, uint64_t size,
                                struct tree_proof *out)
{
    *out = (struct tree_proof){ 0 };
    if (old_size > size || size > INT64_MAX)
        return say(a, ERR_USAGE, "a tree of %llu leaves never had %llu", (unsigned long long)size,
                   (unsigned long long)old_size);
    uint64_t low = 0, high = size;
    while (old_size && old_size != high) {
        uint64_t middle = low + split(high - low);
        bool left = old_size <= middle;
        TRY(range_root(read, from, left ? middle : low, left ? high : middle, &out->path[out->count++]));
        *(left ? &high : &low) = middle;
    }
    if (old_size && low) /* the verifier knows the old root itself, but no smaller part of it */
        TRY(range_root(read, from, low, high, &out->path[out->count++]));
    reverse(out);
    return OK;
}

/* RFC 9162 §2.1.3.2. */
bool tree_check_inclusion(uint64_t index, uint64_t size, struct hash leaf, const struct tree_proof *proof,
                          struct hash root)
{
    if (index >= size || proof->count > PATH_MAX_COUNT)
        return false;
    uint64_t node = index, last = size - 1;
    struct hash r = leaf;
    for (unsigned i = 0; i < proof->count; i++) {
        if (!last)
            return false;
        if (node & 1 || node == last) {
            r = tree_node(proof->path[i], r);
            while (!(node & 1) && node) {
                node >>= 1;
                last >>= 1;
            }
        } else
            r = tree_node(r, proof->path[i]);
        node >>= 1;
        last >>= 1;
    }
    return !last && hash_eq(r, root);
}

/* RFC 9162 §2.1.4.2. */
bool tree_check_consistency(uint64_t old_size, struct hash old_root, uint64_t size, struct hash root,
                            const struct tree_proof *proof)
{
    if (old_size > size || proof->count > PATH_MAX_COUNT)
        return false;
    if (!old_size)
        return !proof->count && hash_eq(old_root, digest(TEXT(""), TEXT("")));
    if (old_size == size)
        return !proof->count && hash_eq(old_root, root);
    uint64_t node = old_size - 1, last = size - 1;
    while (node & 1) {
        node >>= 1;
        last >>= 1;
    }
    unsigned i = 0;
    if (node && !proof->count)
        return false;
    struct hash old_r = node ? proof->path[i++] : old_root, r = old_r;
    for (; i < proof->count; i++) {
        if (!last)
            return false;
        if (node & 1 || node == last) {
            old_r = tree_node(proof->path[i], old_r);
            r = tree_node(proof->path[i], r);
            while (!(node & 1) && node) {
                node >>= 1;
                last >>= 1;
            }
        } else
            r = tree_node(r, proof->path[i]);
        node >>= 1;
        last >>= 1;
    }
    return !last && hash_eq(old_r, old_root) && hash_eq(r, root);
}

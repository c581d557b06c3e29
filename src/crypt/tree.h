/* The journal's Merkle tree (RFC 6962 §2.1, RFC 9162 §2): hashes, growth, proofs and their verification. */
#ifndef CRYPT_TREE_H
#define CRYPT_TREE_H
#include "base/arena.h"

struct hash {
    uint8_t b[32];
};
bool hash_eq(struct hash a, struct hash b); /* of public digests: not in constant time */
struct hash tree_leaf(text entry); /* SHA-256(0x00 ‖ entry) */
struct hash tree_node(struct hash left, struct hash right); /* SHA-256(0x01 ‖ left ‖ right) */

/* A growing tree: its size and the roots of its perfect sub-trees, largest first. 2 KB, copied freely. */
struct tree {
    uint64_t size;
    unsigned count;
    struct hash roots[64];
};
void tree_add(struct tree *t, struct hash leaf);
struct hash tree_root(const struct tree *t); /* of the empty tree: SHA-256 of nothing */

/* Gives the root of the perfect sub-tree of 2^level leaves that starts at index·2^level. */
typedef enum err (*tree_read_fn)(void *from, unsigned level, uint64_t index, struct hash *out);
struct tree_proof {
    unsigned count;
    struct hash path[64];
};
/* Proof that leaf `index` is in the tree of `size`; the tree must have it (ERR_USAGE otherwise). */
enum err tree_prove_inclusion(struct arena *a, tree_read_fn read, void *from, uint64_t index, uint64_t size,
                              struct tree_proof *out);
/* Proof that the tree of `size` begins with the tree of `old_size`. */
enum err tree_prove_consistency(struct arena *a, tree_read_fn read, void *from, uint64_t old_size, uint64_t size,
                                struct tree_proof *out);
bool tree_check_inclusion(uint64_t index, uint64_t size, struct hash leaf, const struct tree_proof *proof,
                          struct hash root);
bool tree_check_consistency(uint64_t old_size, struct hash old_root, uint64_t size, struct hash root,
                            const struct tree_proof *proof);

#endif

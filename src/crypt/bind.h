/* What a key or a ciphertext is bound to: a BLAKE2b-256 of names and numbers in which no two lists agree. For crypt and
 * the store's ledger. */
#ifndef CRYPT_BIND_H
#define CRYPT_BIND_H
#include <sodium.h>
#include "seal.h"

enum { BIND_SIZE = 32 };
struct bind {
    crypto_generichash_blake2b_state state;
    size_t n; /* of what is not yet hashed: short pieces go together */
    uint8_t pieces[256];
};

/* `personal` (16 characters) keeps the uses apart: a digest made for one never serves another. `key` may be NULL. */
void bind_start(struct bind *b, const char personal[16], const struct key *key);
void bind_text(struct bind *b, text s);                /* its length, then its bytes */
void bind_number(struct bind *b, uint64_t number);     /* 8 bytes, least significant first */
void bind_end(struct bind *b, uint8_t out[BIND_SIZE]); /* wipes the state, which may hold a key */

#endif

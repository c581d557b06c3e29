/* Sealing of personal data: XChaCha20-Poly1305 under a person's key, bound to the place where it stands. */
#ifndef CRYPT_SEAL_H
#define CRYPT_SEAL_H
#include "base/arena.h"
#include "base/id.h"

/* Ciphertext: the one form in which personal data goes to the store. A plain slice does not compile in its place. */
typedef struct sealed {
    text bytes;
} sealed;

/* A 256-bit key. Wiped where it ends: declare with KEY_AUTO. */
struct key {
    uint8_t b[32];
};
void key_wipe(struct key *k);
#define KEY_AUTO CLEANUP(key_wipe) struct key

/* Where a value stands. It is authenticated with the value: moved to another row, it does not open.
 * Names are at most 255 bytes each (ERR_VALUE otherwise). */
struct place {
    text tenant;
    struct subject_id subject;
    text table, field;
    uint64_t version;
};

/* Libraries' own start; once, before any other thread. ERR_CRYPT when the machine has no good randomness. */
/* Keeps these bytes out of swap and of core dumps; where the system allows no more (RLIMIT_MEMLOCK) it is done without.
 */
void memory_lock(void *p, size_t n);
void memory_unlock(void *p, size_t n); /* wipes them, too */
enum err crypt_init(struct arena *a);
void crypt_random(void *out, size_t size);
void key_make(struct key *out);
/* A sub-key for `label` (keyed BLAKE2b): one-way, so that giving it away says nothing of `parent`. */
void key_derive(const struct key *parent, text label, struct key *out);

enum { SEAL_OVERHEAD = 41 }; /* version, nonce, tag */
/* Seals `clear` (may be empty). The result is one version byte, a random 192-bit nonce, ciphertext and tag: clear + 41
 * bytes. */
enum err seal(struct arena *a, const struct key *k, const struct place *place, text clear, sealed *out);
/* Opens what seal() made for the same key and place; ERR_CRYPT otherwise, without saying which of them differs. */
enum err seal_open(struct arena *a, const struct key *k, const struct place *place, sealed in, text *clear);

/* Keyed digest by which an identifier is looked up: BLAKE2b-256 of tenant, field and the normalised value. */
void digest_identifier(const struct key *lookup, text tenant, text field, text normalised, struct digest *out);

/* SHA-256 of `in` as 64 hexadecimal digits and a NUL. */
void digest_hex(text in, char out[65]);

#endif

/* SHA-256 (FIPS 180-4) of bytes that are at hand or come in pieces: nothing is allocated, and nothing can fail.
 *
 * OpenSSL's one-shot and EVP calls look the digest up in a provider at each call (400 ns against 160 for 200 bytes),
 * and the first sets up 3 MB that a server at rest does without. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H
#ifndef OPENSSL_SUPPRESS_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED
#endif
#include "base/text.h"
#include <openssl/sha.h>

/* A digest under way: sha256_begin(), then sha256_add() as often as there are pieces, then sha256_end() once. Owns no
 * memory. */
struct sha256 {
    SHA256_CTX state;
};
static inline void sha256_begin(struct sha256 *s) { SHA256_Init(&s->state); }
static inline void sha256_add(struct sha256 *s, text piece) { SHA256_Update(&s->state, piece.p, piece.n); }
static inline void sha256_end(struct sha256 *s, uint8_t out[SHA256_DIGEST_LENGTH]) { SHA256_Final(out, &s->state); }

/* The digest of all of `bytes`. */
static inline void sha256_of(text bytes, uint8_t out[SHA256_DIGEST_LENGTH])
{
    struct sha256 s;
    sha256_begin(&s);
    sha256_add(&s, bytes);
    sha256_end(&s, out);
}

#endif

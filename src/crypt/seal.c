/* Sealing of personal data, derivation of keys, look-up digests; all of it libsodium's, bound to a place. */
#include "seal.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>
#include "bind.h"

enum {
    SEAL_VERSION = 1,
    NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    HEAD = 1 + NONCE,
    PLACE_NAMES = 3 * 255
};
_Static_assert(HEAD + TAG == SEAL_OVERHEAD, "the overhead that the header promises");
_Static_assert(sizeof(struct key) == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "one size of key");

void key_wipe(struct key *k) { sodium_memzero(k, sizeof *k); }

void memory_lock(void *p, size_t n)
{
    if (sodium_mlock(p, n) != 0) /* mlock and MADV_DONTDUMP; refused beyond RLIMIT_MEMLOCK */
        return;
}

void memory_unlock(void *p, size_t n) { sodium_munlock(p, n); }

enum err crypt_init(struct arena *a)
{
    uint8_t probe;
    /* libsodium would wait for, or abort without, a seeded generator: ask first, to refuse with a reason. */
    if (getrandom(&probe, 1, GRND_NONBLOCK) != 1)
        return say(a, ERR_CRYPT, "the machine's random generator is not ready (%s)", strerror(errno));
    if (sodium_init() < 0)
        return say(a, ERR_CRYPT, "libsodium does not start");
    return OK;
}

void crypt_random(void *out, size_t size) { randombytes_buf(out, size); }

void key_make(struct key *out) { randombytes_buf(out->b, sizeof out->b); }

void bind_start(struct bind *b, const char personal[16], const struct key *key)
{
    b->n = 0;
    crypto_generichash_blake2b_init_salt_personal(&b->state, key ? key->b : NULL,
                                                  key ? sizeof key->b : 0, BIND_SIZE,
                                                  NULL, (const uint8_t *)personal);
}

static void bind_pieces(struct bind *b)
{
    if (b->n)
        crypto_generichash_blake2b_update(&b->state, b->pieces, b->n);
    b->n = 0;
}

static void bind_bytes(struct bind *b, const uint8_t *bytes, size_t n)
{
    if (n > sizeof b->pieces - b->n)
        bind_pieces(b);
    if (n > sizeof b->pieces) {
        crypto_generichash_blake2b_update(&b->state, bytes, n);
        return;
    }
    if (n)
        memcpy(b->pieces + b->n, bytes, n);
    b->n += n;
}

void bind_number(struct bind *b, uint64_t number)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
    bind_bytes(b, bytes, sizeof bytes);
}

void bind_text(struct bind *b, text s)
{
    bind_number(b, s.n);
    bind_bytes(b, (const uint8_t *)s.p, s.n);
}

void bind_end(struct bind *b, uint8_t out[BIND_SIZE])
{
    bind_pieces(b);
    crypto_generichash_blake2b_final(&b->state, out, BIND_SIZE);
    sodium_memzero(b, sizeof *b);
}

void key_derive(const struct key *parent, text label, struct key *out)
{
    struct bind b;
    bind_start(&b, "garant.derive.v1", parent);
    bind_text(&b, label);
    bind_end(&b, out->b);
}

void digest_identifier(const struct key *lookup, text tenant, text field, text normalised, struct digest *out)
{
    struct bind b;
    bind_start(&b, "garant.lookup.v1", lookup);
    bind_text(&b, tenant);
    bind_text(&b, field);
    bind_text(&b, normalised);
    bind_end(&b, out->b);
}

/* A place as bytes that no other place has: numbers first, then each name after its length. Not hashed, as bind.h
 * would: that takes a quarter of the time of sealing a short value. */
struct bound {
    uint8_t b[8 + SUBJECT_ID + 3 + PLACE_NAMES];
    size_t n;
};

static void bound_name(struct bound *to, text name)
{
    to->b[to->n++] = (uint8_t)name.n;
    if (name.n)
        memcpy(to->b + to->n, name.p, name.n);
    to->n += name.n;
}

static enum err place_bind(struct arena *a, const struct place *place, struct bound *out)
{
    text names[] = { place->tenant, place->table, place->field };
    for (size_t i = 0; i < 3; i++)
        if (names[i].n > PLACE_NAMES / 3)
            return say(a, ERR_VALUE, "a name of %zu bytes is too long for a place (%d)", names[i].n, PLACE_NAMES / 3);
    out->n = 0;
    for (unsigned i = 0; i < 8; i++)
        out->b[out->n++] = (uint8_t)(place->version >> 8 * i);
    memcpy(out->b + out->n, place->subject.b, SUBJECT_ID);
    out->n += SUBJECT_ID;
    for (size_t i = 0; i < 3; i++)
        bound_name(out, names[i]);
    return OK;
}

enum err seal(struct arena *a, const struct key *k, const struct place *place, text clear, sealed *out)
{
    struct bound where;
    TRY(place_bind(a, place, &where));
    uint8_t *p = arena_alloc(a, SEAL_OVERHEAD + clear.n);
    TRY_PTR(p);
    p[0] = SEAL_VERSION;
    randombytes_buf(p + 1, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(p + HEAD, NULL, (const uint8_t *)clear.p, clear.n, where.b, where.n,
                                               NULL, p + 1, k->b);
    out->bytes = (text){ (const char *)p, SEAL_OVERHEAD + clear.n };
    return OK;
}

enum err seal_open(struct arena *a, const struct key *k, const struct place *place, sealed in, text *clear)
{
    const uint8_t *p = (const uint8_t *)in.bytes.p;
    if (in.bytes.n < SEAL_OVERHEAD || p[0] != SEAL_VERSION)
        return say(a, ERR_CRYPT, "a value of %zu bytes is not in sealed form", in.bytes.n);
    size_t n = in.bytes.n - SEAL_OVERHEAD;
    struct bound where;
    TRY(place_bind(a, place, &where));
    uint8_t *opened = arena_alloc(a, n + 1);
    TRY_PTR(opened);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(opened, NULL, NULL, p + HEAD, n + TAG, where.b, where.n, p + 1,
                                                   k->b))
        return say(a, ERR_CRYPT, "a sealed value does not open with this key at this place");
    *clear = (text){ (const char *)opened, n };
    return OK;
}

void digest_hex(text in, char out[65])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const uint8_t *)in.p, in.n);
    sodium_bin2hex(out, 65, hash, sizeof hash);
}

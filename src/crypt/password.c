/* Argon2id by libsodium; bcrypt by libxcrypt, for what other programs kept. */
#include "password.h"
#include <crypt.h>
#include <errno.h>
#include <sodium.h>

_Static_assert(sizeof(struct password_hash) >= crypto_pwhash_STRBYTES, "room for libsodium's text");

enum err password_hash(struct arena *a, text password, struct password_hash *out)
{
    if (crypto_pwhash_str_alg(out->text, password.p ? password.p : "", password.n, PASSWORD_PASSES, PASSWORD_MEMORY,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return say(a, ERR_MEMORY, "no memory to hash a password");
    return OK;
}

/* ---- What other programs kept. ---- */

enum {
    BCRYPT_LENGTH = 60,
    BCRYPT_LEAST = 4,
    BCRYPT_MOST = 14,
    BCRYPT_ENOUGH = 10,
    MEMORY_ENOUGH_KIB = 7 << 10,
    WORK_ENOUGH = 5 * MEMORY_ENOUGH_KIB,
    MEMORY_MOST_KIB = 256 << 10,
    PASSES_MOST = 16,
    LANES_MOST = 16
};

static bool is_bcrypt(text hash)
{
    return text_starts(hash, TEXT("$2a$")) || text_starts(hash, TEXT("$2b$")) || text_starts(hash, TEXT("$2y$"));
}

static bool all_in(text s, const char *set)
{
    for (size_t i = 0; i < s.n; i++)
        if (text_index(text_of(set), s.p[i]) < 0)
            return false;
    return true;
}

static bool bcrypt_good(text hash)
{
    int64_t cost;
    static const char letters[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return hash.n == BCRYPT_LENGTH && hash.p[6] == '$' && all_in(text_upto(text_from(hash, 4), 2), "0123456789") &&
           text_int(text_upto(text_from(hash, 4), 2), &cost) && cost >= BCRYPT_LEAST && cost <= BCRYPT_MOST &&
           all_in(text_from(hash, 7), letters);
}

/* "m=19456" and the like: the number, 0 when it is none or beyond `most`. */
static int64_t parameter(text s, char name, int64_t most)
{
    int64_t n = 0;
    bool good = s.n > 2 && s.p[0] == name && s.p[1] == '=' && all_in(text_from(s, 2), "0123456789") &&
                text_int(text_from(s, 2), &n);
    return good && n <= most ? n : 0;
}

static bool argon2_good(text hash)
{
    static const char letters[] = "+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    text rest = hash, before = text_cut(&rest, '$');
    text kind = text_cut(&rest, '$'), version = text_cut(&rest, '$'), costs = text_cut(&rest, '$'),
         salt = text_cut(&rest, '$');
    text memory = text_cut(&costs, ','), passes = text_cut(&costs, ',');
    return !before.n && (text_eq(kind, TEXT("argon2id")) || text_eq(kind, TEXT("argon2i"))) && text_eq(version, TEXT("v=19")) &&
           parameter(memory, 'm', MEMORY_MOST_KIB) >= 8 && parameter(passes, 't', PASSES_MOST) &&
           parameter(costs, 'p', LANES_MOST) && salt.n >= 11 && rest.n >= 22 && all_in(salt, letters) &&
           all_in(rest, letters) && hash.n < PASSWORD_HASH_MAX;
}

text password_hash_bare(text hash)
{
    static const struct {
        text around, digest;
    } kinds[] = { { TEXT_INIT("{bcrypt}"), TEXT_INIT("$2") },        { TEXT_INIT("{crypt}"), TEXT_INIT("$2") },
                  { TEXT_INIT("{blf-crypt}"), TEXT_INIT("$2") },     { TEXT_INIT("bcrypt$"), TEXT_INIT("$2") },
                  { TEXT_INIT("{argon2}"), TEXT_INIT("$argon2") },   { TEXT_INIT("{argon2i}"), TEXT_INIT("$argon2i$") },
                  { TEXT_INIT("{argon2id}"), TEXT_INIT("$argon2id") }, { TEXT_INIT("argon2"), TEXT_INIT("$argon2") },
                  { TEXT_INIT("{argon2@springsecurity_v5_8}"), TEXT_INIT("$argon2") } };
    text bare = text_trim(hash);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_eq_nocase(text_upto(bare, kinds[i].around.n), kinds[i].around) &&
            text_starts(text_from(bare, kinds[i].around.n), kinds[i].digest))
            return text_from(bare, kinds[i].around.n);
    return bare;
}

bool password_hash_good(text hash) { return is_bcrypt(hash) ? bcrypt_good(hash) : argon2_good(hash); }

bool password_hash_weak(text hash)
{
    int64_t cost = 0;
    if (is_bcrypt(hash))
        return !text_int(text_upto(text_from(hash, 4), 2), &cost) || cost < BCRYPT_ENOUGH;
    text rest = hash;
    for (int i = 0; i < 3; i++)
        text_cut(&rest, '$');
    text costs = text_cut(&rest, '$');
    int64_t memory = parameter(text_cut(&costs, ','), 'm', MEMORY_MOST_KIB);
    return memory < MEMORY_ENOUGH_KIB || memory * parameter(text_cut(&costs, ','), 't', PASSES_MOST) < WORK_ENOUGH;
}

enum { BCRYPT_BYTES = 72 };
struct bcrypt {
    struct crypt_data data;
    char typed[BCRYPT_BYTES + 1];
};

/* bcrypt knows the first 72 bytes, and none behind a NUL. */
static enum err bcrypt_matches(struct arena *a, const char *hash, text password, bool *good)
{
    struct bcrypt *room = sodium_malloc(sizeof *room);
    if (!room)
        return say(a, ERR_MEMORY, "no memory to check a password");
    sodium_memzero(room, sizeof *room);
    bool plain = text_cstr(text_upto(password, BCRYPT_BYTES), room->typed, sizeof room->typed);
    text again = text_of(plain ? crypt_r(room->typed, hash, &room->data) : NULL);
    *good = again.n == BCRYPT_LENGTH && sodium_memcmp(again.p, hash, BCRYPT_LENGTH) == 0;
    sodium_free(room);
    return OK;
}

/* ---- Checking. ---- */

enum err password_matches(struct arena *a, text hash, text password, bool *good, bool *stale)
{
    struct password_hash copy;
    *stale = false;
    *good = false;
    if (!text_cstr(hash, copy.text, sizeof copy.text))
        return OK;
    if (is_bcrypt(hash)) {
        TRY(bcrypt_matches(a, copy.text, password, good));
        *stale = *good;
        return OK;
    }
    errno = 0;
    *good = crypto_pwhash_str_verify(copy.text, password.p ? password.p : "", password.n) == 0;
    if (!*good && errno == ENOMEM)
        return say(a, ERR_MEMORY, "no memory to check a password");
    bool ours = text_starts(hash, TEXT("$argon2id$")) &&
                crypto_pwhash_str_needs_rehash(copy.text, PASSWORD_PASSES, PASSWORD_MEMORY) == 0;
    *stale = *good && !ours;
    return OK;
}

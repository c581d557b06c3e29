/* Argon2id by libsodium. */
#include "password.h"
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

enum err password_matches(struct arena *a, text hash, text password, bool *good, bool *stale)
{
    struct password_hash copy;
    *good = *stale = false;
    if (!text_cstr(hash, copy.text, sizeof copy.text))
        return OK;
    errno = 0;
    *good = crypto_pwhash_str_verify(copy.text, password.p ? password.p : "", password.n) == 0;
    if (!*good && errno == ENOMEM)
        return say(a, ERR_MEMORY, "no memory to check a password");
    *stale = *good && crypto_pwhash_str_needs_rehash(copy.text, PASSWORD_PASSES, PASSWORD_MEMORY) != 0;
    return OK;
}

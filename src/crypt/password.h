/* Passwords kept as Argon2id digests (RFC 9106) that cannot be turned back, in the text form all libraries read. */
#ifndef CRYPT_PASSWORD_H
#define CRYPT_PASSWORD_H
#include "base/arena.h"

/* 19 MiB, two passes, one lane: OWASP's first choice, and what PASSWORD_DUMMY has, so that all take the same time. */
enum { PASSWORD_MEMORY = 19 << 20, PASSWORD_PASSES = 2, PASSWORD_HASH_MAX = 128 };
/* "$argon2id$v=19$m=19456,t=2,p=1$…", NUL at its end. */
struct password_hash {
    char text[PASSWORD_HASH_MAX];
};

/* A digest of nobody's password: what is checked when there is no other, so that it takes as long. */
#define PASSWORD_DUMMY                                                                                                 \
    TEXT("$argon2id$v=19$m=19456,t=2,p=1$GL6xa8yRyZH5oQEfuNOwKQ$wAzhYJFji1cbbr7guHpBPK44JsjZa5yshDNm8zx4qjc")

/* Takes about 15 ms and 19 MiB: call through hashing.h. ERR_MEMORY when there is no room. */
enum err password_hash(struct arena *a, text password, struct password_hash *out);
/* A digest without what other programs write around it: blanks, "{bcrypt}" (Spring), "{CRYPT}", "{BLF-CRYPT}",
 * "{ARGON2ID}" (OpenLDAP, Dovecot), "bcrypt$", "argon2" (Django). What changes the password first (bcrypt_sha256) stays,
 * and is no good one. */
text password_hash_bare(text hash);
/* Whether `hash` is a digest that can be checked here, of ours or of another program: Argon2id or Argon2i (version 19,
 * up to 256 MiB), or bcrypt ($2a$, $2b$, $2y$, cost up to 14). */
bool password_hash_good(text hash);
/* Whether it was made with less work than one that is guessed soon: bcrypt below cost 10, Argon2 below 7 MiB or less
 * than OWASP's weakest choice (7 MiB, five passes). `hash` is a good one. */
bool password_hash_weak(text hash);
/* Whether it is the password of that digest; *stale: it was made in another form or at another cost and is to be made
 * anew. A text that is no such digest fits no password, and takes no time. */
enum err password_matches(struct arena *a, text hash, text password, bool *good, bool *stale);

#endif

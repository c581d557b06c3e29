/* The keyring's cryptography: the master key, the keys it wraps, and how one master follows another. */
#ifndef CRYPT_KEYRING_H
#define CRYPT_KEYRING_H
#include "crypt/seal.h"

enum { WRAPPED_KEY = 1 + 4 + 24 + 32 + 16 }; /* version, master's id, nonce, key, tag */

/* The master key and the former one while a rotation goes on. Lookup, index and signing keys come from a
 * secret of the instance that the master wraps, so that a rotation does not change them. */
struct master {
    uint32_t id;
    struct key key;
    uint32_t former_id;
    struct key former;
    bool has_former;
};
void master_wipe(struct master *m);
#define MASTER_AUTO CLEANUP(master_wipe) struct master
/* Takes the current key of `former` as the former key of `m`: what it wrapped opens, until all is wrapped anew. */
void master_follow(struct master *m, const struct master *former);

/* Reads a master key file: 64 hexadecimal digits and an end of line; a regular file and no symbolic link, owned by this
 * user or root, no group or other permission (an access list for this user alone, as systemd's credentials have, is
 * none). ERR_CONFIG says what is wrong with it. The id is a digest of the key. */
enum err master_read(struct arena *a, const char *path, struct master *out);
/* Makes such a file, mode 0600, never over an existing one, synced to the disk with its folder. */
enum err master_create(struct arena *a, const char *path, struct master *out);

/* A person's key under the master, bound to tenant, subject and the class of the key. */
void key_wrap(const struct master *m, text tenant, struct subject_id subject, uint32_t key_class, const struct key *k,
              uint8_t out[WRAPPED_KEY]);
/* ERR_CRYPT when it was wrapped under neither master or altered. */
enum err key_unwrap(struct arena *a, const struct master *m, text tenant, struct subject_id subject, uint32_t key_class,
                    text wrapped, struct key *out);
/* Whether `wrapped` is under the current master; false asks for re-wrapping. */
bool key_wrap_current(const struct master *m, text wrapped);

#endif

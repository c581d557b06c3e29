/* Signed statements: C2SP signed notes and checkpoints (Ed25519), and certificates as JWS (RFC 7515, RFC 8037). */
#ifndef CRYPT_NOTE_H
#define CRYPT_NOTE_H
#include "base/clock.h"
#include "crypt/tree.h"
#include "crypt/seal.h"

/* An Ed25519 signer with the name it signs under (an origin such as "garant.example/journal"). */
struct signer { text name; uint8_t public_key[32]; uint8_t secret[64]; uint32_t key_id; };
void signer_make(text name, const struct key *seed, struct signer *out);   /* key_id after c2sp.org/signed-note */
void signer_wipe(struct signer *s);
/* The verifier's line, "name+hexid+base64", as other tools take it. */
text signer_verifier(struct arena *a, const struct signer *s);
/* The same from its text form. ERR_VALUE when malformed. Leaves `secret` zero. */
enum err signer_parse(struct arena *a, text verifier, struct signer *out);

/* c2sp.org/tlog-checkpoint: origin, size, base64 root, and the signature line. */
text checkpoint_sign(struct arena *a, const struct signer *s, uint64_t size, struct hash root);
/* ERR_INTEGRITY, naming what is wrong, when form, name or signature do not hold. */
enum err checkpoint_open(struct arena *a, const struct signer *verifier, text note, uint64_t *size, struct hash *root);

/* A certificate: the compact JWS (EdDSA, header with kid and typ) of a JSON payload. */
text certificate_sign(struct arena *a, const struct signer *s, text json);
enum err certificate_open(struct arena *a, const struct signer *verifier, text jws, text *json);

#endif

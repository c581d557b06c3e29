/* Signed statements: C2SP signed notes, checkpoints and proofs (Ed25519), and certificates as JWS (RFC 7515, RFC 8037).
 */
#ifndef CRYPT_NOTE_H
#define CRYPT_NOTE_H
#include "base/clock.h"
#include "crypt/tree.h"
#include "crypt/seal.h"

struct json;

/* An Ed25519 signer with the name it signs under (an origin such as "garant.example/journal"; not copied, so it must
 * outlive the signer). A verifier is one whose `secret` is zero. */
struct signer {
    text name;
    uint8_t public_key[32];
    uint8_t secret[64];
    uint32_t key_id;
};
void signer_make(text name, const struct key *seed, struct signer *out); /* key_id after c2sp.org/signed-note */
void signer_wipe(struct signer *s);
#define SIGNER_AUTO CLEANUP(signer_wipe) struct signer
/* Non-empty UTF-8 without blanks, control characters or plus: what signer_make() expects and the others check. */
bool signer_name_valid(text name);
/* The verifier's line, "name+hexid+base64", as other tools take it. */
text signer_verifier(struct arena *a, const struct signer *s);
/* The same from its text form. ERR_VALUE when malformed. Leaves `secret` zero. */
enum err signer_parse(struct arena *a, text verifier, struct signer *out);

/* c2sp.org/signed-note: checks form and signatures of any note, and gives its text with its last newline. Signatures of
 * other keys are ignored; one by this key must be there, and all by it must hold. ERR_INTEGRITY, naming what is wrong.
 */
enum err note_open(struct arena *a, const struct signer *verifier, text note, text *body);

/* A note of this text, which ends with a newline and has no control characters else; p NULL without memory. */
text note_sign(struct arena *a, const struct signer *s, text body);

/* c2sp.org/tlog-checkpoint: origin, size, base64 root, and the signature line. */
text checkpoint_sign(struct arena *a, const struct signer *s, uint64_t size, struct hash root);
/* ERR_INTEGRITY, naming what is wrong, when form, name or signature do not hold. */
enum err checkpoint_open(struct arena *a, const struct signer *verifier, text note, uint64_t *size, struct hash *root);

/* c2sp.org/tlog-proof: one text that shows, offline, that an entry is in the journal: index, inclusion proof,
 * checkpoint. `proof` is the one for `index` and the size of the checkpoint `note`. */
text proof_print(struct arena *a, uint64_t index, const struct tree_proof *proof, text note);
/* Checks such a text for an entry whose tree_leaf() is `leaf`. ERR_INTEGRITY, naming what is wrong. */
enum err proof_open(struct arena *a, const struct signer *verifier, text proof, struct hash leaf, uint64_t *index,
                    uint64_t *size);

/* Compact JWS with alg EdDSA (RFC 8037): `header` is the JSON object that stands before the payload, alg included. */
text jws_sign(struct arena *a, const struct signer *s, text header, text payload);
/* Checks form, alg and signature; gives header and payload. ERR_INTEGRITY, naming what is wrong; "crit" is refused. */
enum err jws_open(struct arena *a, const struct signer *verifier, text jws, text *header, text *payload);

/* A certificate or a receipt: the compact JWS (EdDSA, header with kid and typ) of a JSON payload. kid is "name+hexid";
 * `type` is one of these two, and one is never taken for the other. */
#define CERTIFICATE_TYPE "vnd.garant.certificate+json"
#define RECEIPT_TYPE     "vnd.garant.receipt+json"
text certificate_sign(struct arena *a, const struct signer *s, const char *type, text json);
enum err certificate_open(struct arena *a, const struct signer *verifier, const char *type, text jws, text *json);
/* The same from a file: the JWS itself, or the JSON of an answer with a member "jws", whose member `readable` must say
 * what was signed, and nothing else may stand there. *json is what was signed. ERR_INTEGRITY otherwise. */
enum err certificate_read(struct arena *a, const struct signer *verifier, const char *type, text readable, text file,
                          const struct json **json);

#endif

/* Care of the instance: the journal's proofs, backup and restore, keys, figures. What the operator, an auditor and a
 * monitor need. */
#ifndef DOMAIN_INSTANCE_CARE_H
#define DOMAIN_INSTANCE_CARE_H
#include "domain/instance/app.h"
#include "store/store.h"

struct app;

typedef void care_progress(uint64_t done, uint64_t all);

/* ---- The journal, as c2sp.org/tlog-tiles serves it. ---- */
enum err care_checkpoint(struct ctx *c, struct answer *out);  /* signed now when the tree has grown */
enum err care_journal_key(struct ctx *c, struct answer *out); /* the verifier's line, "name+hexid+base64" */
/* `level` and `index` as the paths write them: "0", "x001/x234/067", "067.p/12". ERR_NOT_FOUND for what the tree has
 * not. */
enum err care_tile(struct ctx *c, text level, text index, struct answer *out);
/* An entry bundle as it is shown: an entry of a tenant whose data is only stored is empty, and its hash stands in the
 * tile; what the journal holds of the others, and its proofs, are as ever. In the arena `a`. */
enum err care_entries(struct ctx *c, uint64_t index, unsigned width, struct arena *a, text *out);
enum err care_bundle(struct ctx *c, text index, struct answer *out); /* ERR_ERASED when pruned */
/* {"index", "size", "hashes", "checkpoint", "proof"}: `size` is that of the newest checkpoint unless given; decimal
 * texts. "proof" is the same as one c2sp.org/tlog-proof text, when the size is that of the checkpoint. */
enum err care_proof(struct ctx *c, text index, text size, struct answer *out);
/* Reads all of it again: {"size", "root", "checkpoints", "first_kept"}. `progress` may be NULL. */
enum err care_verify(struct ctx *c, care_progress *progress, struct answer *out);

/* ---- Copies and keys. Both take a while: not on a thread that serves others. ---- */
/* {"to": folder, "keys"?: bool}; relative folders are taken from the server's own. Answers {"size"}. */
enum err care_backup(struct ctx *c, const struct json *in, care_progress *progress, struct answer *out);
/* Puts a backup beside the keyring that is in o->data_dir today; people without a key stay erased. No server may run on
 * it. As store_restore takes it. */
struct restoring {
    text dir, keys;
    bool unsigned_too;
};
enum err care_restore(struct arena *a, const struct restoring *from, const struct app_options *o, uint64_t *silenced);
/* store_move() between the folder of `o` and its databases, whose links are encrypted where the policy says so. Answers
 * {"moved", "rows", "size"}: rows of all tables, entries of the journal. */
struct moving {
    bool out; /* from the folder to databases */
    care_progress *progress;
};
enum err care_move(struct arena *a, const struct moving *what, const struct app_options *o, struct findings *f,
                   struct answer *out);
/* Holds a backup against the journal's public key (care_journal_key): {"at", "size", "keys_at"}. ERR_INTEGRITY names
 * the place. */
enum err care_backup_verify(struct arena *a, text dir, text key, struct answer *out);
/* {"to": FILE}: wraps every key under the master key of that file, made when absent, and puts it in the place of the
 * one in use. Answers {"rewrapped", "master"}: how many keys, and the new one's id. */
enum err care_rotate(struct ctx *c, const struct json *in, struct answer *out);
enum err care_rotate_tick(struct ctx *c); /* goes on with one that failed half way */

/* Whether this instance writes: OK, or the reason why not (store_health). */
enum err care_health(struct ctx *c);

/* ---- Figures, for /metrics and doctor. ---- */
struct figures {
    struct store_groups groups;
    uint64_t subjects, commits, writes, fsync_us, queue, journal_size, db_bytes, wal_bytes, folders_allowed,
        folders_refused;
    bool full;
};
enum err care_figures(struct app *app, struct arena *a, struct figures *out);

#endif

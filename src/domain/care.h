/* Care of the instance: the journal's proofs, backup and restore, keys, figures. What the operator, an auditor and a monitor
 * need. */
#ifndef DOMAIN_CARE_H
#define DOMAIN_CARE_H
#include "domain/app.h"

typedef void care_progress(uint64_t done, uint64_t all);

/* ---- The journal, as c2sp.org/tlog-tiles serves it. ---- */
enum err care_checkpoint(struct ctx *c, struct answer *out);              /* signed now when the tree has grown */
enum err care_journal_key(struct ctx *c, struct answer *out);             /* the verifier's line, "name+hexid+base64" */
/* `level` and `index` as the paths write them: "0", "x001/x234/067", "067.p/12". ERR_NOT_FOUND for what the tree has not. */
enum err care_tile(struct ctx *c, text level, text index, struct answer *out);
enum err care_bundle(struct ctx *c, text index, struct answer *out);      /* ERR_ERASED when pruned */
/* {"index", "size", "hashes", "checkpoint", "proof"}: `size` is that of the newest checkpoint unless given; decimal texts.
 * "proof" is the same as one c2sp.org/tlog-proof text, when the size is that of the checkpoint. */
enum err care_proof(struct ctx *c, text index, text size, struct answer *out);
/* Reads all of it again: {"size", "root", "checkpoints", "first_kept"}. `progress` may be NULL. */
enum err care_verify(struct ctx *c, care_progress *progress, struct answer *out);

/* ---- Copies and keys. Both take a while: not on a thread that serves others. ---- */
/* {"to": folder, "keys"?: bool}; relative folders are taken from the server's own. Answers {"size"}. */
enum err care_backup(struct ctx *c, const struct json *in, care_progress *progress, struct answer *out);
/* Puts a backup beside the keyring that is in o->data_dir today; people without a key stay erased. No server may run on it. */
enum err care_restore(struct arena *a, text from, const struct app_options *o, uint64_t *silenced);
/* Wraps every key under the master key of another file. */
enum err care_rotate(struct ctx *c, text new_master_file, uint64_t *rewrapped);

/* Whether this instance writes: OK, or the reason why not (store_health). */
enum err care_health(struct ctx *c);

/* ---- Figures, for /metrics and doctor. ---- */
struct figures { uint64_t subjects, commits, writes, fsync_us, queue, journal_size, db_bytes, wal_bytes, folders_allowed, folders_refused; bool full; };
enum err care_figures(struct app *app, struct arena *a, struct figures *out);

#endif

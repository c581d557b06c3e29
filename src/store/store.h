/* The store: one data folder, one write queue with group commit, readers beside it, and the journal in every commit. */
#ifndef STORE_STORE_H
#define STORE_STORE_H
#include "base/arena.h"
#include "base/clock.h"
#include "crypt/keyring.h"
#include "crypt/note.h"
#include "crypt/seal.h"
#include <stddef.h>

struct store;
struct store_options {
    text dir; /* the data folder; made when absent and `create` */
    /* Addresses of two databases of PostgreSQL (postgresql://… or keywords of libpq), for the data and for the keyring;
     * the folder then has the lock, the master key and the socket alone. Both empty: data.db and keys.db in it. */
    text data_at, keys_at;
    /* Files whose first line is the password, or credential:NAME of systemd; empty: as libpq finds one (passfile,
     * PGPASSFILE, a service). An address that holds a password is refused: others on the machine read it. */
    text data_password, keys_password;
    bool verified; /* over a link, only TLS with a certificate that was verified (sslmode=verify-full) */
    bool cautious; /* `verified`, but for this machine's own hosts: the policy that says it is not read yet */
    bool create;
    text master_file; /* empty: DIR/master.key, made with the folder */
    text origin;      /* the journal's name; empty: "garant/" + a random name kept in the folder */
    struct clock clock;
    unsigned reserve_bytes; /* file freed when the disk is full so that withdrawals still work; default 1 MiB */
    /* store_move()'s own: what a move left standing holds nothing up; the folder's lock is had already. */
    bool moving, locked;
};
/* Opens and recovers: migrations, erasures begun, the tree's edge. ERR_LOCKED at once when another process has the
 * folder. ERR_POLICY: a database is reached, and not as `verified` asks. */
enum err store_open(struct arena *a, const struct store_options *o, struct store **out);
void store_close(struct store **s); /* waits for what is queued */
/* Whether its databases are reached by no link, or by TLS with a certificate that was verified: files, UNIX sockets,
 * sslmode=verify-full. */
bool store_verified(const struct store *s);
/* Whether the folder says that its data are on PostgreSQL. */
bool store_elsewhere(text dir);
/* Whether `dir` is there with anything in it. */
bool store_there(text dir);
/* Removes what store_open() makes in a new folder, and the folder when nothing else is in it: for a start that failed
 * before anybody was served. */
void store_discard(text dir);
/* Whether this process is the one that does what is to be done once for all nodes. The lock on a data folder is that
 * lease: one process has it, a second is refused at its start, and it ends with the process, so nothing is renewed. */
bool store_leads(const struct store *s);
const struct master *store_master(const struct store *s);
const struct key *store_lookup_key(const struct store *s); /* for digest_identifier */
const struct key *store_index_key(const struct store *s);  /* for other keyed digests: tokens, sessions */
const struct signer *store_signer(const struct store *s);
const struct clock *store_clock(const struct store *s);

/* ---- Primitives over an engine. A db is one connection; statements are rows of sql.def, prepared once. ---- */
struct db;
enum sql {
#define SQL(name, parameters, columns, text_) SQL_##name,
#include "store/sql.def"
#undef SQL
    SQL_COUNT
};
/* The columns of each row of sql.def, as types: a name that a statement does not have, or one read as another type,
 * does not compile. */
typedef struct {
    char at;
} column_integer;
typedef struct {
    char at;
} column_bytes; /* text too */
typedef struct {
    char at;
} column_sealed;
#define INT(name)  column_integer name;
#define TXT(name)  column_bytes name;
#define BIN(name)  column_bytes name;
#define SEAL(name) column_sealed name;
#define WHOLE(table)
#define SQL(name, parameters, columns, text_) struct row_##name { columns };
#include "store/sql.def"
#undef SQL
/* A column of a statement; and of every other that begins with the same columns as far as this one. */
struct col {
    enum sql sql;
    unsigned at;
};
#define COL(sql, name) ((struct col){ SQL_##sql, offsetof(struct row_##sql, name) })
struct val {
    enum { VAL_NULL, VAL_INT, VAL_TEXT, VAL_BYTES } kind;
    int64_t number;
    text bytes;
};
#define V_NULL      ((struct val){ .kind = VAL_NULL })
#define V_INT(n)    ((struct val){ .kind = VAL_INT, .number = (n) })
#define V_TEXT(t)   ((struct val){ .kind = VAL_TEXT, .bytes = (t) })
#define V_BYTES(t)  ((struct val){ .kind = VAL_BYTES, .bytes = (t) })
#define V_ID(id)    V_BYTES(TEXT_BYTES(id))
#define V_SEALED(s) ((struct val){ .kind = VAL_BYTES, .bytes = (s).bytes })

/* under: what its rows stand under in the ledger, as far as its parameters say. */
struct query {
    struct db *db;
    void *statement;
    enum sql sql;
    enum err status;
    bool by_row;
    struct {
        char tenant[128];
        uint8_t key[32], key_size;
    } under;
};
void query_end(struct query *q);
#define QUERY_AUTO CLEANUP(query_end) struct query
#define ARGS(...)  (const struct val[]){ __VA_ARGS__ }, sizeof((const struct val[]){ __VA_ARGS__ }) / sizeof(struct val)
/* Starts a query; rows come from query_next() until it says false, then q->status tells why it ended. */
void query_start(struct query *q, struct db *db, enum sql sql, const struct val *args, size_t count);
bool query_next(struct query *q);
/* query_get(q, CONSENT_LIST, at): the value of that column in the row that q stands on, an int64_t, a text or a sealed
 * as sql.def says of it. A text is valid until the next query_next(), its p NULL for NULL; of NULL, an integer is 0. */
#define query_get(q, sql, name) \
    _Generic(((struct row_##sql *)(void *)(q))->name, column_integer: query_int, column_bytes: query_bytes, \
             column_sealed: query_sealed)(q, COL(sql, name))
#define query_null(q, sql, name) query_is_null(q, COL(sql, name))
int64_t query_int(struct query *q, struct col c);
text query_bytes(struct query *q, struct col c);
sealed query_sealed(struct query *q, struct col c);
bool query_is_null(struct query *q, struct col c);
/* The n-th column with the type that is stored: for whoever carries the keys of any statement on. Valid as
 * query_bytes(). */
struct val query_val(struct query *q, unsigned n);
/* Runs a statement; *changes (may be NULL) gets the rows it touched. */
enum err db_run(struct db *db, enum sql sql, int64_t *changes, const struct val *args, size_t count);
/* Where a failing primitive says why. Set for the writer by store_write, for readers by store_read. */
struct arena *db_arena(struct db *db);
const struct store *db_store(const struct db *db);

/* ---- Reading: a snapshot on a connection of this thread. Must not wait (no store_write) while it is open. ---- */
enum err store_read(struct store *s, struct arena *a, struct db **out);
enum err store_read_keys(struct store *s, struct arena *a, struct db **out); /* the keyring's database */
void store_read_end(struct db **db);
#define READ_AUTO CLEANUP(store_read_end) struct db *

/* Until when keys of people newer than a restored backup stay, so that the newer backup still opens; 0: none stays. */
msec store_keys_spared(const struct store *s);
/* A person's key from the keyring. ERR_ERASED when it is gone. */
enum err store_key(struct store *s, struct arena *a, text tenant, struct subject_id subject, uint32_t key_class,
                   struct key *out);

/* ---- Writing: the one door. ---- */
#define OUTCOMES(X) X(DONE, "done") X(REFUSED, "refused") X(FAILED, "failed")
enum outcome {
#define X(name, word) OUTCOME_##name,
    OUTCOMES(X)
#undef X
};
/* What the journal says of an act. Nothing in it may be a personal datum: `who` becomes a pseudonym made with the
 * person's key, `detail` is sealed by the caller and only its digest enters the tree. */
struct event {
    text act; /* a row of events.def: "subject.create", "read", "refusal", "consent.given" … */
    text tenant;
    struct subject_id subject;
    bool has_subject;
    struct digest who;        /* journal_pseudonym of the person's key of class 0; zero without one */
    text actor;               /* name of the role, system or recipient; "person" for the person themselves */
    struct digest by;         /* pseudonym of who acted in that role, zero when it was a program or the person */
    text purpose, categories; /* names of the policy; categories joined with a comma */
    const char *policy;       /* hash of the policy in force, 64 hexadecimal digits, or NULL */
    text clause;              /* path of the clause that decided or was applied */
    enum outcome outcome;
    int64_t count; /* rows or people touched, -1 when it does not apply */
    sealed detail; /* may be empty */
};
struct key_put {
    text tenant;
    struct subject_id subject;
    uint32_t key_class;
    uint8_t wrapped[WRAPPED_KEY];
};
/* Destroys one key (key_class), or with all_but_held every key of the person except the classes in `kept`. The keyring
 * is made durable before the data: when the data then cannot be committed the write fails, but the erasure stands: its
 * rows go as soon as the store writes again, or at the next start (store_erase). `keep`: see store_erase. */
struct key_shred {
    text tenant;
    struct subject_id subject;
    uint32_t key_class;
    bool all_but_held;
    const uint32_t *kept;
    unsigned kept_count;
    text keep;
};

/* One write. `run` is called on the writer's thread inside the shared transaction, perhaps more than once (a group
 * whose member failed after writing is run again), so it must only depend on its argument; before it writes it may
 * refuse. It must not compute, wait or allocate much: seal and hash before. */
struct write {
    enum err (*run)(struct db *db, struct write *w); /* NULL: the event alone */
    void *arg;
    struct event event;
    const struct key_put *puts;
    unsigned put_count; /* made durable before run */
    const struct key_shred *shreds;
    unsigned shred_count;
    bool urgent;   /* may use the reserve of a full disk: withdrawals, erasures */
    bool truncate; /* after the commit: checkpoint and truncate both write-ahead logs */
    /* filled in when it returns */
    uint64_t index; /* of the journal entry */
    msec at;
};
/* V_TEXT, V_BYTES and V_SEALED with p NULL write NULL. Insert what may conflict first (identifiers): a write that is
 * refused before it changed anything costs its group nothing. */
/* Queues the write and waits (a fiber: without holding its thread) until it is durable. On an error nothing of it was
 * done. */
enum err store_write(struct store *s, struct arena *a, struct write *w);
/* Inside run: another journal entry in the same commit (a batch or a sweep touches several people). */
enum err journal_add(struct db *db, const struct event *e, uint64_t *index);
/* Inside run: deletes what tables.def says goes with a person's keys. `kept` are the key classes that stay: rows sealed
 * under another class go; when class 0 is not among them, all other rows of the person go too, except of tables whose
 * word (kept_as: consents, proofs, holds) is in `keep`, words with commas between. The person's row goes, or is marked
 * with state 2 while anything is kept. counts (may be NULL; TABLE_COUNT of tables.h) gets the rows that went from each
 * table. */
enum err store_erase(struct db *db, text tenant, struct subject_id subject, const uint32_t *kept, unsigned kept_count,
                     text keep, int64_t *counts);

/* ---- Journal. ---- */
/* The pseudonym of a person in the tree: keyed with the person's key, so that it cannot be made again after shredding.
 */
void journal_pseudonym(const struct key *subject_key, struct digest *out);
/* The newest checkpoint, signed now when the tree has grown; the note is the text of c2sp.org/tlog-checkpoint, `root`
 * (NULL when it is not wanted) is in it. */
enum err journal_checkpoint(struct store *s, struct arena *a, text *note, uint64_t *size, struct hash *root);
/* The same, or the one that was signed last when it has entry `index`: entries that came together share a signature. */
enum err journal_checkpoint_of(struct store *s, struct arena *a, uint64_t index, text *note, uint64_t *size,
                               struct hash *root);
enum err journal_inclusion(struct store *s, struct arena *a, uint64_t index, uint64_t size, struct tree_proof *out);
enum err journal_consistency(struct store *s, struct arena *a, uint64_t old_size, uint64_t size,
                             struct tree_proof *out);
/* c2sp.org/tlog-tiles: level 0.., `width` 256 or less for the partial right-most; bytes are width·32. */
enum err journal_tile(struct store *s, struct arena *a, unsigned level, uint64_t index, unsigned width, text *out);
/* Entry bundle `index` (256 entries, each behind its big-endian 16-bit length). ERR_ERASED when any of it was
 * forgotten. */
enum err journal_bundle(struct store *s, struct arena *a, uint64_t index, unsigned width, text *out);
/* The same with what is left of it: a forgotten entry is empty, and *whole false. ERR_ERASED when all of it was pruned.
 */
enum err journal_bundle_left(struct store *s, struct arena *a, uint64_t index, unsigned width, text *out, bool *whole);
/* Reads the whole journal again: leaves, tiles, root, checkpoints, order of times. ERR_INTEGRITY names the first place.
 */
/* Then each row that decides against the entry that wrote it: rows looked at, how many are not as they were, the first
 * of them by name. */
enum { JOURNAL_NAMED = 20 };
struct journal_report {
    uint64_t size, first_kept, forgotten, checkpoints; /* forgotten: from first_kept on */
    struct hash root;
    uint64_t rows, altered;
    text named[JOURNAL_NAMED];
};
enum err journal_verify(struct store *s, struct arena *a, void (*progress)(uint64_t done, uint64_t all),
                        struct journal_report *out);
/* What stands in place of an entry's line when it was forgotten. */
bool journal_forgotten(text line);
/* Forgets entries before `before` (a time); hashes stay, so what remains still proves. */
enum err journal_prune(struct store *s, struct arena *a, msec before, uint64_t *pruned);

/* ---- The ledger: every row that decides is bound to the journal entry that wrote it (tables.def: `bound`). ---- */
#define LEDGER_FAULTS(X)                                                                                               \
    X(ALTERED, "altered since it was written")                                                                         \
    X(DELETED, "deleted") X(ADDED, "not written by this instance, or copied") X(OLDER, "an older state put back")
enum ledger_fault {
#define X(name, word) LEDGER_##name,
    LEDGER_FAULTS(X)
#undef X
};
text ledger_fault_word(enum ledger_fault f);
struct ledger_finding {
    text table, tenant;
    struct subject_id id;
    text row;
    uint64_t entry;
    enum ledger_fault fault;
};
typedef enum err ledger_tell(void *arg, const struct ledger_finding *f);
/* "table consent, 0190…, row …: altered since it was written (entry 12 of the journal)" */
text ledger_finding_text(struct arena *a, const struct ledger_finding *f);
/* A look at all of it, in steps of `limit` heads, in the snapshots of `db` (each step may have its own): what is not as
 * it was is told. Zeroed but for db, tell and arg at the beginning. */
struct ledger_look {
    struct db *db;
    ledger_tell *tell;
    void *arg;
    uint64_t looked, faults; /* rows; findings told */
    bool done;
    char tenant[256], name[64];
    struct subject_id id; /* the last head that was looked at */
};
enum err ledger_look(struct ledger_look *w, unsigned limit);

/* ---- Care. ---- */
/* A consistent copy of the data (not of the keyring) under load, with all that was acknowledged before the call:
 * data.db and manifest.json (origin, checkpoint, SHA-256; signed whole) in `to_dir`, made when absent; ERR_CONFLICT
 * when a backup is there. `size` is the journal's size in it. Takes a while: not on a thread that serves others. What
 * fails leaves nothing there. */
enum err store_backup(struct store *s, struct arena *a, text to_dir, void (*progress)(uint64_t done, uint64_t all),
                      uint64_t *size);
/* The keyring, keys.db with its signed keys.json, for a place of its own with a short term: it opens every backup of
 * the data made meanwhile. */
enum err store_backup_keys(struct store *s, struct arena *a, text to_dir);
enum err store_backup_both(struct store *s, struct arena *a, text to_dir, void (*progress)(uint64_t done, uint64_t all),
                           uint64_t *size);
/* Whether the backup in `dir` (data, keyring or both) is as the holder of the journal's public key `key`
 * (signer_verifier) made it. ERR_INTEGRITY names the file that is not; ERR_NOT_FOUND when there is none. */
struct backup_report {
    bool data, keys;
    uint64_t size;
    msec at, keys_at;
};
enum err store_backup_verify(struct arena *a, text dir, text key, struct backup_report *out);
/* Puts a backup of the data into the folder `into` (not in use: ERR_LOCKED), beside the keyring and master key that are
 * there today. What belongs to people without a key is deleted (*silenced people). The journal, tables of no one person
 * (tokens, certificates, policy versions) and records of proof (consents, holds, disclosures) are kept as they are in
 * today's data.db while it can be read, so that the journal never loses an entry and no withdrawal is undone.
 * ERR_INTEGRITY, with nothing changed, when the backup is altered or of another instance: its manifest must be signed
 * by the signer of the keyring, which only the master key opens. `keys`: on a new machine, the folder (or keys.db) of
 * store_backup_keys: the keyring is taken from there, and the folder made when absent; ERR_CONFLICT when there is a
 * keyring. `unsigned_too` accepts manifests made before they were signed. */
struct restore_from {
    text dir, keys;
    bool unsigned_too;
};
enum err store_restore(struct arena *a, const struct restore_from *from, const struct store_options *into,
                       uint64_t *silenced);
/* Moves an instance from the files of a folder to databases of PostgreSQL, or back: of `from` and `to`, which name the
 * same folder, one has addresses. Neither may be in use (ERR_LOCKED), `to` must be empty (ERR_CONFLICT). Table after
 * table is carried, read again and compared, count and digest; then the journal and every row of `to` are verified, and
 * its root compared. `from` keeps its rows, and is marked: it cannot be opened any more. After a crash the same move
 * begins anew, or ends what was left to end. `look` is called before anything is carried, while `from` is closed: it
 * opens and closes it, and says whether links must be `verified`. What is connected to before that is as the options
 * say: `verified`, or `cautious`. */
struct store_moving {
    const struct store_options *from, *to;
    enum err (*look)(void *arg, struct arena *a, bool *verified);
    void *arg;
    void (*progress)(uint64_t done, uint64_t all);
};
struct store_moved {
    uint64_t rows, size; /* of all tables; of the journal */
};
enum err store_move(struct arena *a, const struct store_moving *what, struct store_moved *out);
/* Wraps every key anew under the master key of `new_master_file` (made when absent), in steps beside the ordinary
 * writes; its content then stands in the master key's own file. The former one stands in FILE.former until the last key
 * is wrapped: a rotation that was interrupted goes on at the next start. `told` is its journal entry (NULL: garant's
 * own). ERR_CONFLICT when that key is in use, or another rotation is under way. */
enum err store_rotate_master(struct store *s, struct arena *a, text new_master_file, const struct event *told,
                             uint64_t *rewrapped);
enum err store_rotate_resume(struct store *s,
                             struct arena *a); /* of one that failed half way in this process; else OK at once */
/* Groups of writes by how long each took, from the writer's taking it until its callers were told, and by how many
 * writes it had. */
enum { STORE_BUCKETS = 12 };
struct store_groups {
    uint64_t took[STORE_BUCKETS], took_us, sizes[STORE_BUCKETS];
    const uint32_t *took_upto, *sizes_upto; /* in microseconds; the last bucket has no end */
};
struct store_figures {
    struct store_groups groups;
    uint64_t commits, writes, fsync_us, queue, journal_size, db_bytes, wal_bytes;
    bool full;
};
struct store_figures store_figures(const struct store *s);
/* Whether it writes: OK, or why not, told in `a`: ERR_FULL, ERR_STORAGE… A fault that has passed is found out within a
 * second even when nobody writes. Waits for nothing. */
enum err store_health(const struct store *s, struct arena *a);

#endif

/* Inside the store: connections, the writer's state, the journal's edge. Not for other layers. */
#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H
#include "store/store.h"
#include "base/buf.h"
#include "base/fiber.h"
#include "base/must.h"
#include "store/ledger.h"
#include "store/tables.h"
#include <limits.h>
#include <pthread.h>

enum file { FILE_DATA, FILE_KEYS, FILE_COUNT };
text db_file_name(enum file f); /* "data.db", "keys.db" */

/* ---- engine/connection.c: a connection, its transactions and its statements, over any engine. ---- */
#define CONTROLS(X) X(BEGIN) X(SNAPSHOT) X(COMMIT) X(ROLLBACK) X(SAVE) X(UNDO) X(KEEP)
enum control {
#define X(name) CONTROL_##name,
    CONTROLS(X)
#undef X
        CONTROL_COUNT
};

struct engine;
struct conn; /* the engine's own: engine/sqlite.h */
struct db {
    const struct engine *engine;
    struct conn *conn;
    struct store *store;
    struct arena *arena; /* of whoever uses the connection now */
    enum file file;
    bool writing;     /* the writer's, inside a group */
    enum err broken;  /* an error that ends the transaction: disk, memory, corruption */
    enum err spoiled; /* an error of a statement, behind which the engine runs nothing until it is undone */
    bool sync_failed; /* the last error came from fsync */
    int logged;       /* pages of the log after the last commit on this connection */
    struct checked {
        enum table table;
        struct subject_id id;
        char tenant[64];
        unsigned part;
    } checked[16];
    unsigned checked_count;
    /* what the ledger was held against in this snapshot or transaction, a ring */
    struct head_of_last {
        bool there;
        struct subject_id id;
        char tenant[64], name[32];
        struct head head;
    } last[2];                 /* the heads that were read or put last in it: a person's, a table's */
    struct ledger_fresh fresh; /* what was acknowledged when the snapshot began */
    uint64_t state;            /* the store's, then */
    msec begun;                /* of clock_monotonic() */
    bool open;                 /* a reader's snapshot, also while it waits in the pool */
    bool linked;               /* over a link that is not TLS with a certificate that was verified */
    struct db *next;           /* in the pool */
};
enum db_mode { DB_READ, DB_WRITE, DB_CREATE, DB_PLAIN }; /* plain: the target of a backup, synced by its maker */
/* Where a database is. */
struct db_place {
    const char *at;       /* a file, or an address of the engine's */
    const char *password; /* the file that has it, as store_options say; NULL, "": none */
    bool verified;        /* as store_options say */
    bool cautious;        /* as store_options say */
    bool moving;          /* as store_options say */
};
enum err db_connect(const struct engine *e, struct arena *a, const struct db_place *place, enum file f,
                    enum db_mode mode, struct db **out);
enum err db_open(struct arena *a, const char *path, enum file f, enum db_mode mode, struct db **out); /* SQLite's */
void db_close(struct db **db);
#define DB_AUTO CLEANUP(db_close) struct db *
enum err db_control(struct db *db, enum control c);
/* Statements of the engine itself: PRAGMA, DDL, ATTACH. */
enum err db_exec(struct db *db, const char *sql);
/* Of an engine with files: the write-ahead log is put into the file: as much of it as readers allow, and whoever writes
 * goes on meanwhile; all of it, so that the next commit begins the log anew; and emptied, so that no byte of it stays.
 * Another engine keeps its log itself: nothing is done. */
enum drain_step { DRAIN_SOME, DRAIN_ALL, DRAIN_EMPTY };
/* Whether somebody held it up for longer than `wait_ms`; pages of the log that are in the file. */
struct log_state {
    bool busy;
    int copied;
};
enum err db_drain(struct db *db, enum drain_step step, int wait_ms, struct log_state *out);
enum err db_truncate(struct db *db, int wait_ms, bool *busy); /* DRAIN_EMPTY */
bool db_in_transaction(struct db *db);
/* Ends the transaction that is open, if one is; false when even that failed. Says nothing: what failed first is told.
 */
bool db_rollback(struct db *db);
int64_t db_changes(struct db *db); /* rows changed on this connection since it was opened */
/* A column's value with its type as stored: for whoever reads rows of any table (ledger.c). */
struct cell query_cell(struct query *q, unsigned n);
/* A row of sql.def. parameters: a letter each, or "_". columns: "I seq;T leaf;" and so on. */
struct statement {
    text name, parameters, columns, sql;
};
const struct statement *statement_row(enum sql sql);

/* ---- An engine: what connection.c, schema.c and store.c ask of it; nobody else does. ---- */
/* Of a database that is being moved to, or was moved away. */
enum mark { MARK_NONE, MARK_ARRIVING, MARK_LEFT };
struct made {
    enum file file;
    const char *sql;
};
struct migration {
    int version;
    const char *sql;
    enum file file;
};
/* A table as its rows go from one engine to another: its columns and its key with commas between, and the type of each
 * column, I, T or B. */
struct carried {
    text name, columns, key, types;
};
struct engine {
    text name;
    bool files;  /* its databases are files of the data folder, which store/copy copies, and drain.c drains */
    bool spoils; /* a statement that fails spoils the transaction: see db->spoiled */
    /* Whether there is a database with something in it. */
    enum err (*there)(struct arena *a, const struct db_place *place, enum file f, bool *out);
    /* Fills db->conn. What fails is said in db->arena, and close() follows. */
    enum err (*open)(struct db *db, const struct db_place *place, enum db_mode mode);
    /* The same connection anew, after an error that left it unknown what was written; NULL: a new one is opened. */
    enum err (*again)(struct db *db);
    void (*close)(struct db *db);
    enum err (*control)(struct db *db, enum control c);
    enum err (*exec)(struct db *db, const char *sql);
    enum err (*drain)(struct db *db, enum drain_step step, int wait_ms, struct log_state *out);
    bool (*in_transaction)(struct db *db);
    bool (*rollback)(struct db *db);
    int64_t (*changes)(struct db *db);
    enum err (*bytes)(struct db *db, uint64_t *out); /* that its database takes; NULL: its files tell */
    /* What a move left standing in the database, and where to or from; empty: nothing. An engine with files has NULL:
     * its folder tells (copy/move.c). A connection that writes is refused where there is one, but for `moving`. */
    enum err (*mark_get)(struct db *db, enum mark *out, text *where);
    enum err (*mark_set)(struct db *db, enum mark mark, text where);
    enum err (*named)(struct db *db, text *out); /* the database, for people; no password */
    /* Prepares it at its first use on the connection and takes the values, whose bytes live until it has run: sets
     * q->statement. ERR_INTERNAL when the connection runs the same already. */
    enum err (*start)(struct query *q, const struct val *args, size_t count);
    enum err (*step)(struct query *q, bool *row);
    void (*end)(struct query *q);
    bool (*reads)(struct query *q); /* and changes nothing */
    struct cell (*cell)(struct query *q, unsigned n);
    /* The version of the tables, 0 in a new database; what makes them; whether a SELECT of known columns runs. */
    enum err (*version_get)(struct db *db, int *out);
    enum err (*version_set)(struct db *db, int version);
    enum err (*selects)(struct db *db, const char *sql, bool *out);
    /* Every row of a table in the order of its key, in the open transaction; `each` gets its cells, valid meanwhile. */
    enum err (*every)(struct db *db, const struct carried *t,
                      enum err (*each)(void *arg, struct db *db, const struct cell *cells), void *arg);
    /* Rows put into a table one after the other, in the open transaction. The ledger is not told: its rows come too. */
    enum err (*put_begin)(struct db *db, const struct carried *t);
    enum err (*put)(struct db *db, const struct carried *t, const struct cell *cells);
    enum err (*put_end)(struct db *db, const struct carried *t);
    const struct made *tables;
    size_t table_count;
    const char *const *types;      /* of its columns, by enum column_type */
    const struct migration *steps; /* migrations.def in the engine's own words for types */
};
extern const struct engine engine_sqlite, engine_pg;

/* ---- engine/copy.c: files of SQLite ---- */
/* Copies the file of `from`, as one snapshot that holds all that was committed before, into the empty file of `to`. */
enum err db_copy(struct db *from, struct db *to, void (*progress)(uint64_t done, uint64_t all));
/* Another file of the engine as `former.TABLE` in statements of db_exec(), and away again. */
enum err db_attach(struct db *db, const char *path);
enum err db_detach(struct db *db);

/* ---- copy/carry.c: between engines ---- */
/* Makes the tables of `to`, and puts all rows of `from` there in place of its own: one snapshot, one commit. Each table
 * is read again and compared, count and digest: ERR_INTEGRITY names the first that differs. Neither is a store's own
 * writer. `rows` gets how many more there were; both it and `progress` may be NULL. */
enum err carry_rows(struct db *from, struct db *to, void (*progress)(uint64_t done, uint64_t all), uint64_t *rows);
/* ---- copy/move.c ---- */
/* ERR_CONFIG, with where they are, when the data of the folder were moved away or a move into it was cut off. */
enum err move_folder_check(struct arena *a, const struct store *s);
/* Whether files that lie there are not to be served: they were moved to databases, or have not yet arrived whole. */
bool move_folder_idle(const struct store *s);

/* ---- copy/elsewhere.c ---- */
/* store_restore() into databases. */
enum err restore_elsewhere(struct arena *a, const struct restore_from *from, const struct store_options *into,
                           uint64_t *silenced);
/* What one that was cut off left in the folder, whose lock is had: the databases stand as they did before, or the same
 * backup is restored again. */
enum err restore_clear(struct arena *a, const struct store *s);

/* ---- anchor.c: how far the journal had come, in the keyring ---- */
struct anchor {
    bool there;
    uint64_t size;
    struct hash root;
};
/* Of the file that is used; of one that a restore is about to put in place. A third row has the ledger's head of all
 * heads (ledger_note()). */
enum anchor_name { ANCHOR_NEWEST, ANCHOR_RESTORED };
enum err anchor_put(struct store *s, enum anchor_name name);
enum err anchor_get(struct db *keys, enum anchor_name name, struct anchor *out);
enum err anchor_drop(struct db *keys, enum anchor_name name);
/* At the start: ERR_INTEGRITY when data.db is older than what was acknowledged, or of another history. */
enum err anchor_check(struct store *s, struct arena *a);

/* ---- reads.c: what statements rest on (reads.def), held against the ledger. ---- */
enum err reads_before(struct query *q, const struct val *args);
enum err reads_row(struct query *q);

/* ---- engine/schema.c: the tables, whatever the engine ---- */
/* Makes or migrates the tables. ERR_CONFIG when the file is of a newer version than this program knows. */
enum err schema_apply(struct db *db);
enum err schema_migrate(struct db *db, const struct migration *steps, size_t count);
int schema_version(void); /* the newest, the same for all engines */
/* ERR_CONFIG when a newer program wrote the file; changes nothing. */
enum err schema_known(struct db *db);
enum err schema_touch(struct db *db); /* one commit that changes nothing: whether the disk takes it */

/* ---- edge.c: the right edge of the tree. ---- */
enum { EDGE_LEVELS = 5, TILE_WIDTH = 256, LEAF_MAX = 8192 }; /* 256^5 entries are enough; bytes of an entry */
enum { NODES_KEPT = 1024 };
struct edge {
    struct tree tree;             /* for the root */
    msec last;                    /* time of the last entry */
    struct ledger_star ledger;    /* over all that is bound; read by ledger_star_load() */
    unsigned counts[EDGE_LEVELS]; /* hashes in the incomplete tile of each level */
    struct hash hashes[EDGE_LEVELS][TILE_WIDTH];
};
void edge_copy(struct edge *to, const struct edge *from); /* only what is in use */
/* Reads it from tiles and at most 255 entries. */
enum err edge_load(struct db *db, struct edge *out);
/* Adds a leaf; tiles that become complete, and the partial ones above them, are written to `db`. */
enum err edge_add(struct db *db, struct edge *e, struct hash leaf);
/* Root of 2^height hashes, height at most 8. */
struct hash edge_subtree(const struct hash *hashes, unsigned height);

/* ---- journal_read.c ---- */
struct tile {
    unsigned level, count;
    uint64_t index;
    struct hash hashes[TILE_WIDTH];
};
/* A tile's row, or the leaves of the last one; `count` 0 when there is none. */
enum err journal_tile_read(struct db *db, unsigned level, uint64_t index, struct tile *out);
struct node_reader {
    struct db *db;
    struct store *recent; /* not NULL: the last tile's leaves may come from memory */
    bool loaded;
    struct tile tile;
};
/* A tree_read_fn over a struct node_reader. */
enum err journal_node(void *from, unsigned level, uint64_t index, struct hash *out);
/* The tree as it was at `size`. */
enum err journal_tree_at(struct db *db, uint64_t size, struct tree *out);

/* ---- journal_verify.c ---- */
/* An entry whose term has ended beside others whose term goes on: its number, time and hash stay, so that the tree
 * still proves the rest. In place of its line stands '-' and the hash in hexadecimal. */
enum { LEAF_FORGOTTEN = 65 };
struct hash leaf_hash(text leaf);                       /* of a line, or kept of one that was forgotten */
enum err journal_first(struct db *db, uint64_t *first); /* the first entry not pruned */

/* ---- store.c ---- */
struct pending {     /* a queued write or job, on its waiter's stack */
    struct write *w; /* NULL: a job */
    enum err (*job)(struct store *s, void *arg);
    void *arg;
    struct arena *arena;
    struct wait wait;
    struct pending *next;
    enum err result;
};

/* Earlier ones stay until the store closes, for whoever still holds the pointer. */
struct held_master {
    struct master m;
    struct held_master *earlier;
};

/* drain.c: copies the logs into the files. `work` is held by whoever does it. */
struct drain {
    pthread_t thread;
    bool runs;
    pthread_mutex_t work, lock;
    pthread_cond_t wake;
    bool due[FILE_COUNT], closing;
    int copied[FILE_COUNT]; /* pages of the log that are in the file */
    msec tried;             /* the writer's own: when it last wanted to begin a log anew */
};

struct store {
    char dir[PATH_MAX - 64];
    const struct engine *engine;
    char at[FILE_COUNT][PATH_MAX], passwords[FILE_COUNT][PATH_MAX];
    struct db_place places[FILE_COUNT]; /* of its databases */
    int lock_fd;
    struct clock clock;
    char master_file[PATH_MAX];
    _Atomic bool rotating, rotation_due;  /* one at a time; it failed half way and goes on by itself */
    _Atomic(struct held_master *) master; /* replaced, never changed, by a rotation */
    struct key lookup, index;
    struct ledger ledger;
    struct signer signer;
    char origin[256];

    /* the queue */
    pthread_mutex_t queue_lock;
    pthread_cond_t queue_wake;
    struct pending *first, **last;
    bool closing, asleep;
    pthread_t thread;
    bool thread_runs;

    /* the writer's own */
    struct db *writers[FILE_COUNT];
    struct edge edge, saved, saved_member;
    struct buf line;                           /* the leaf being made */
    struct arena own;                          /* reasons and scraps of the writer's own work */
    bool keys_open;                            /* a transaction of the keyring is open */
    bool truncate_due;                         /* a reader held up a truncation */
    struct pending *cleaning, **cleaning_last; /* committed, and answered when both logs are empty */
    msec cleaning_since;                       /* of clock_monotonic(), the first of them */
    bool intents_due;                          /* the keyring went ahead of data that could not be committed */
    bool restoring;                            /* what is read is bound when all of it is in place */
    msec keys_spared;                          /* until when keys of nobody stay after a restore; 0: they do not */
    bool untidy;                               /* keys of nobody are left for the next start */
    bool stopped;                              /* after a failed fsync: refused until reopened */
    _Atomic bool away; /* databases that are not reached: who asks is refused at once, until the writer reaches them */
    unsigned reserve_bytes;
    bool reserve_held;
    msec reserve_tried, reopen_tried, cared;
    struct write *member;      /* the write whose run is on now */
    msec anchored;             /* monotonic: when the keyring last got its anchor */
    uint64_t noted;            /* `entry` of the ledger's head of all heads, as the keyring has it; 0: not known */
    bool decided;              /* the group changed rows that decide */
    bool touched[TABLE_COUNT]; /* bound tables that were changed since readers were last renewed */
    msec note_kept;            /* when the last checkpoint was kept */

    /* published by the writer after each commit */
    pthread_mutex_t published_lock;
    struct tree published;
    struct hash recent[TILE_WIDTH]; /* leaves of the tile that is not complete, up to published.size */
    uint64_t note_size;             /* what `note` and `note_root` are of */
    struct hash note_root;
    char note[512];
    struct node {
        bool there;
        uint8_t level;
        uint64_t index;
        struct hash hash;
    } nodes[NODES_KEPT];      /* of the tree, complete and acknowledged: they never change */
    _Atomic bool note_wanted; /* someone asked for a checkpoint since the last was kept */

    struct drain drain;

    /* readers */
    pthread_mutex_t pool_lock;
    struct db *pool[FILE_COUNT];
    unsigned pooled;
    struct ledger_fresh fresh;        /* published after each commit */
    uint64_t state;                   /* one more after each */
    uint64_t changed_at[TABLE_COUNT]; /* of bound tables: the state of the last commit that changed one */
    bool emptying;                    /* a log: who ends a look now leaves no snapshot open */

    /* figures */
    _Atomic uint64_t commits, writes, fsync_us, queued;
    _Atomic uint64_t groups_took[STORE_BUCKETS], groups_took_us, groups_sizes[STORE_BUCKETS];
    _Atomic uint64_t truncations;
    uint64_t taken; /* the writer's own: when it took the group, in microseconds */
    _Atomic bool full;
    _Atomic enum err failing; /* why the last group or attempt was not written; OK: it was */
    _Atomic msec busy_since;  /* when the group under way was taken; 0: none */
};
void store_path(const struct store *s, const char *name, char out[PATH_MAX]);
/* Writes the file "postgresql": the folder is known from then on as one whose data is in databases. */
enum err store_marks_elsewhere(struct arena *a, const struct store *s);

/* ---- readers.c ---- */
/* A reader's connection is kept with its snapshot open, for whoever reads before anything else is acknowledged. */
enum err store_reader(struct store *s, struct arena *a, enum file f, struct db **out);
void readers_renew(struct store *s); /* after a commit, before anybody is told: for readers to come */
/* Those that nobody uses now hold up nobody who empties a log. `a` is for reasons. */
void readers_release(struct store *s, struct arena *a);
/* While a log is emptied, a snapshot that is handed back is ended at once: nobody would end it for whoever waits. */
void readers_empty(struct store *s, bool begins);
void readers_close(struct store *s);

/* A connection to the store's own database. */
enum err store_connect(struct store *s, struct arena *a, enum file f, enum db_mode mode, struct db **out);

/* Steps of opening, for store_open and store_restore. */
enum err store_make(struct arena *a, const struct store_options *o,
                    struct store **out); /* folder, its lock, the master key */
enum err store_open_file(struct arena *a, struct store *s, enum file f, const struct db_place *place,
                         enum db_mode mode);
enum err store_load(struct arena *a, struct store *s, text origin); /* edge, secrets, signer */
/* The signer of the keyring that is open, under the name `origin`: for what must be checked before data.db may be
 * opened. */
enum err store_signer_load(struct arena *a, struct store *s, text origin);
enum err store_sync_folder(struct arena *a, const char *dir);
/* A master key in memory that is not swapped out; NULL, said, without memory. Published, it is the store's. */
struct held_master *store_master_hold(struct arena *a, const struct master *m);
void store_master_drop(struct held_master *held);
void store_master_publish(struct store *s, struct held_master *held);

/* ---- writer.c ---- */
/* Runs job(s, arg) on the writer's thread between two groups (here when it does not run), and waits for it. The job
 * uses s->writers and its own transactions; what it leaves open is rolled back. */
enum err writer_job(struct store *s, struct arena *a, enum err (*job)(struct store *s, void *arg), void *arg);
enum err writer_start(struct store *s, struct arena *a);
void writer_stop(struct store *s);

/* A database was not reached: the writer finds out, and tells when it is again. Of an engine with files: nothing. */
void writer_away(struct store *s);
bool edge_same(const struct edge *one, const struct edge *other); /* one journal, as long */

/* ---- group.c ---- */
uint64_t group_clock(void); /* microseconds, monotonic */
void group_figures(struct store *s, struct store_groups *out);
/* Commits all of the group or nothing; members refused by themselves have their reason in `result`. Wakes nobody. */
enum err group_try(struct store *s, struct pending *group);
/* Ends what is open in both files and makes their connections sound again; the journal's edge is the caller's. */
void group_mend(struct store *s);
void group_undo(struct store *s); /* the same, and the edge as it was at the group's beginning */
/* Publishes and wakes, but for members whose answer waits until no byte of what went is left in a log. */
void group_done(struct store *s, struct pending *group);
/* Of both, the thread that copies logs being held. */
void group_clean(struct store *s); /* one truncation for all that wait for it, whatever their group; wakes them */
void group_refuse(struct store *s, struct pending *group, enum err e); /* with the reason in s->own */
/* Both write-ahead logs emptied, so that no byte of what was erased remains there; readers are waited for a little. */
void group_truncate(struct store *s, int wait_ms);

/* ---- drain.c ---- */
enum err drain_start(struct store *s, struct arena *a);
void drain_stop(struct store *s);
void drain_tend(struct store *s); /* after a group */
/* The writer keeps the thread from copying until it lets go; false when it copies now and is not waited for. Then it
 * empties a log, or begins it anew, itself. */
bool drain_hold(struct store *s, bool wait);
void drain_let_go(struct store *s);
enum err drain_by_writer(struct store *s, enum file f, enum drain_step step, int wait_ms, bool *busy);

/* ---- reserve.c ---- */
/* Makes it when it is not there, at most five times a second; ERR_FULL while the disk has no room for it. */
enum err reserve_make(struct store *s);
void reserve_release(struct store *s);

/* ---- rotate.c ---- */
/* Goes on with a rotation that a crash interrupted: M.former stands beside the master key's file M. */
enum err rotate_resume(struct store *s, struct arena *a);

/* ---- manifest.c: manifest.json beside data.db, keys.json beside keys.db ---- */
struct manifest {
    enum file file;
    char path[PATH_MAX]; /* of the manifest itself */
    text content, origin, sha256, signature;
    text checkpoint; /* of data.db, with `size` */
    text master;     /* of keys.db: the id of the master key that wraps it */
    int64_t schema, size, bytes;
    msec at;
    bool is_signed; /* backups of 0.1.0's first days were not */
};
enum err manifest_path(struct arena *a, const char *dir, enum file f, char out[PATH_MAX]);
/* Writes file, size, checkpoint or master, bytes, sha256 and at; the rest is the store's. */
enum err manifest_write(struct store *s, struct arena *a, const char *path, const struct manifest *m);
/* Reads one; nothing of it is to be believed before manifest_check(). */
enum err manifest_read(struct arena *a, const char *dir, enum file f, struct manifest *out);
/* ERR_INTEGRITY, naming the file, unless every byte of it is signed by `verifier`. */
enum err manifest_check(struct arena *a, const struct manifest *m, const struct signer *verifier, bool unsigned_too);
/* Copies `file` (or only reads it) and holds it against its manifest. */
enum err manifest_sums(struct arena *a, const struct manifest *m, const char *file, const char *copy);

/* ---- file.c: made for this user alone; synced when they return. ---- */
/* Copies (or only reads, when `to` is NULL) and gives SHA-256 in hexadecimal and the size. */
enum err file_copy(struct arena *a, const char *from, const char *to, text *hex, int64_t *bytes);
enum err file_write(struct arena *a, const char *path, text content);
enum err file_read(struct arena *a, const char *path, size_t limit, text *out);
enum err file_sync(struct arena *a, const char *path);
bool file_exists(const char *path);

/* ---- journal.c ---- */
void journal_publish(struct store *s);
/* Signs and keeps a checkpoint in the open transaction when one is due. */
enum err journal_keep(struct store *s, bool now);

/* ---- tidy.c ---- */
/* At the start, unless the store last closed in order: keys of nobody and links to nobody go, each with an entry that
 * says how many. */
enum err tidy_if_due(struct store *s);
/* In the open transaction of a restore: keys of people newer than the backup are spared for a week (keys_spared). */
enum err tidy_restored(struct store *s);
/* In the open transaction of the last checkpoint: the store closes in order. */
enum err tidy_mark(struct store *s);
/* Whether the person has the key that the journal's pseudonym is made with: as the writer's own transaction has it. */
enum err key_there(struct store *s, text tenant, struct subject_id subject, bool *out);
/* What the statement `list` (of a tenant and a person) has in its first column: classes of keys, in `a`. */
struct classes {
    uint32_t *at;
    unsigned count;
};
enum err classes_read(struct db *db, struct arena *a, enum sql list, text tenant, struct subject_id subject,
                      struct classes *out);

/* ---- erase.c ---- */
/* Completes what `intent` rows of the keyring ask for. */
enum err erase_complete(struct store *s, struct arena *a, uint64_t *completed);

#endif

/* Inside the store: the ledger, which binds every row that decides something to the journal entry that wrote it.
 * docs/ledger.md tells how. */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H
#include "store/store.h"
#include "store/tables.h"

struct db;
struct store;
struct cell;

enum { LEDGER_SUM = 16, LEDGER_MAC = 16, LEDGER_STATE = 32 };
/* Whose rows stand together under one sum: a person's of one table; or, of a table that is nobody's in particular,
 * those of one part. `part`: of a person's table that has parts, one more than its number; 0: all of them. */
struct scope {
    text tenant;
    struct subject_id id;
    unsigned part;
};
/* The columns of a table: which is the tenant, which names the scope and its part (-1: none), which are of the key,
 * which are told and decide nothing. */
struct ledger_shape {
    int tenant, scope, part;
    uint32_t key, told;
};

/* What the newest of the sums is, as far as it can be told without reading them all: for each table that is nobody's in
 * particular one more than the entry that changed it last (0: none did); `base`: the entry under which all was bound
 * anew; `entry`: one more than the newest that changed anything. `stale`: the file's own word for it is not today's,
 * and nothing that rests on it is acted upon. */
struct ledger_fresh {
    uint64_t newest[TABLE_COUNT], base, entry;
    bool stale;
};
/* The head of all heads: what each entry of the journal that changed rows commits to. `dirty`: not yet in the file. */
struct ledger_star {
    struct ledger_fresh fresh;
    uint8_t sum[LEDGER_STATE];
    bool dirty;
};

struct ledger_change;
struct ledger {
    struct ledger_shape shapes[TABLE_COUNT];
    uint32_t codes[TABLE_COUNT]; /* of the tables' names: what a person's sums are told apart by */
    struct key rows, sums, mask, whole;
    bool armed;         /* changes are taken down */
    bool unsaid;        /* all was bound anew: the next entry commits to it */
    bool lost;          /* a change could not be taken down: nothing may be committed */
    struct arena arena; /* of `first` */
    struct ledger_change *first, *last;
};

/* Derives the keys from `secret`, a secret of the keyring that never changes, and reads the head of all heads. */
enum err ledger_open(struct store *s, const struct key *secret);
void ledger_close(struct store *s);
/* At the start, behind anchor_check(): what no entry and no anchor knows of was never bound, and is bound as it stands,
 * under an entry that says so. Else the file's head of all heads is held against the keyring's and the journal; the
 * keyring's serves when the file's is of another time. */
enum err ledger_start(struct store *s);
/* From the connection that writes (engine/watch.c): whether changes of the table are taken down; one of them. */
bool ledger_takes(const struct db *db, enum table t);
void ledger_changed(struct db *db, enum table t, bool seen, const struct cell *old, const struct cell *now);
/* What was taken down since the last entry becomes rows of `bound` and heads, of entry `seq`. *state: what the entry
 * commits to; *changed: whether anything was; *own: whether rows of `person` were. */
enum err ledger_flush(struct db *db, uint64_t seq, const struct scope *person, uint8_t state[LEDGER_STATE],
                      bool *changed, bool *own);
void ledger_forget_changes(struct store *s); /* the transaction, or the member's part of it, was rolled back */
/* Before a commit: puts the head of all heads once for all entries of it. ERR_INTERNAL when rows that decide were
 * changed without an entry. */
enum err ledger_settle(struct db *db);
/* An erasure: what is bound of the person in a table all of whose rows went. When anything was, an entry must follow,
 * as behind any change. `bound`: whether rows of the table may be bound, of ledger_bound_tables(). */
enum err ledger_forget(struct db *db, enum table table, text tenant, struct subject_id subject, bool bound);
/* In which tables something of the person is bound, row by row. */
enum err ledger_bound_tables(struct db *db, const struct scope *s, bool in[TABLE_COUNT]);
/* Binds all rows anew, as they stand, under the next entry, which must follow in the same transaction. */
enum err ledger_bind_all(struct db *db, int64_t *rows);
enum err ledger_there(struct db *db, bool *out); /* whether anything in the file is bound */
enum err ledger_note(struct store *s); /* the keyring remembers the head of all heads, unless it has this one */

/* ---- ledger_check.c ---- */
/* ERR_INTEGRITY, which names table, row and entry, unless the rows are those that the journal's entries left: those of
 * that person, or, in other tables, those of the part that `key` is in, whether it has a row or not. `named`: of a
 * person's table in parts, only those of the part that this name is in; without one, all. Asked of every statement that
 * decides (reads.def). */
enum err ledger_check(struct db *db, enum table table, text tenant, text key, text named);
/* What was found to be whole is remembered as long as a snapshot or transaction lasts, in which nobody else writes.
 * Forgotten is: all of it; what the writer itself changes; what was asked about people, for the next member. */
void ledger_forget_checked(struct db *db);
void ledger_forget_table(struct db *db, enum table t);
void ledger_forget_people(struct db *db);
/* Whether the person's head was found to be the newest one, and has been moved by the writer alone since. */
bool ledger_newest_known(const struct db *db, const struct scope *s);
void ledger_newest_remember(struct db *db, const struct scope *s);

/* ---- What ledger.c, ledger_head.c and ledger_check.c share. ---- */
enum bound_kind {
    BOUND_KIND_free,
    BOUND_KIND_itself,
    BOUND_KIND_person,
    BOUND_KIND_named,
    BOUND_KIND_id,
    BOUND_KIND_digest,
    BOUND_KIND_whole
};
enum { CELLS = 24, LEDGER_PARTS = 64, LEDGER_SLOTS = 2 * LEDGER_PARTS };
struct cell {
    enum { CELL_NULL, CELL_INT, CELL_BYTES } kind;
    bool is_text;
    int64_t number;
    text bytes;
};
struct row_seen {
    struct scope scope;
    text key;
    uint8_t proof[LEDGER_SUM];
};
enum bound_kind ledger_kind(enum table t);
bool ledger_per_person(enum table t);     /* kinds itself, person and named */
bool ledger_named(enum table t);          /* a person's, in parts */
bool ledger_shared(enum table t);         /* bound, and not a person's */
unsigned ledger_parts(enum table t);      /* of a shared table: 1 or LEDGER_PARTS */
enum table ledger_table_named(text name); /* TABLE_COUNT when no bound table has that name */
/* False for a row that decides nothing (of meta). `key` is built in `a`. */
enum err ledger_row(const struct ledger *l, struct arena *a, enum table t, const struct cell *cells, unsigned count,
                    struct row_seen *out, bool *counts);
void ledger_bound_mac(const struct ledger *l, enum table t, const struct row_seen *r, uint64_t entry,
                      uint8_t mac[LEDGER_MAC]);
enum err ledger_read(struct query *q, const struct ledger *l, struct arena *a, enum table t, struct row_seen *out,
                     bool *counts);
/* Only what it adds to a sum, and to which (the scope's part): false for a row that decides nothing. */
bool ledger_read_proof(struct query *q, const struct ledger *l, enum table t, uint8_t proof[LEDGER_SUM],
                       unsigned *part);
struct scope ledger_scope(enum table t, text tenant, text key);
struct scope ledger_part(enum table t, unsigned part);
bool ledger_same_scope(const struct scope *a, const struct scope *b); /* whatever their parts */
unsigned ledger_part_named(text name);                                 /* the scope's part that it is in */
/* The statement that reads a scope's rows, or those of a part of a person's table; -1 when there is none. */
int ledger_rows_sql(enum table t, bool part);
void ledger_xor(uint8_t *to, const uint8_t *with, size_t size);

/* ---- ledger_head.c ---- */
/* A head has the sums of a person, one for each table (name: the table's code) or each part of one (the numbers behind
 * it), or those of a shared table, one for each part (name: its number), masked and authenticated together with the
 * newest entry that changed one of them. */
struct slot {
    uint32_t name, count;
    uint8_t sum[LEDGER_SUM];
};
struct head_of {
    struct scope scope;
    text name;
};
struct head {
    uint64_t entry;
    unsigned count;
    bool there, genuine;
    uint8_t mac[LEDGER_MAC];
    struct slot slots[LEDGER_SLOTS];
};
#define LEDGER_PERSON TEXT("person") /* name of the heads of people; those of shared tables have the table's */
#define LEDGER_STAR   TEXT("*")
struct head_of ledger_head_of(enum table t, const struct scope *s);
uint32_t ledger_slot_name(const struct ledger *l, enum table t, const struct scope *s);
/* Whether a person's table in parts has one sum in this head: what was bound before tables had parts stays so until its
 * last row goes. */
bool ledger_undivided(const struct ledger *l, const struct head *h, enum table t);
bool ledger_slots_of(const struct ledger *l, struct head *h, enum table t); /* whether it has any of the table */
void ledger_slots_drop(const struct ledger *l, struct head *h, enum table t);
enum err ledger_head_read(struct db *db, const struct head_of *of, struct head *out);
enum err ledger_head_put(struct db *db, const struct head_of *of, struct head *h);
/* The same as ledger_head_read(), read once in a transaction or snapshot. Valid until the next head of a person, or of
 * a table, is asked for. Who puts one, puts this; after an error, or when it goes: ledger_heads_forget(). */
enum err ledger_head_here(struct db *db, const struct head_of *of, struct head **out);
void ledger_heads_forget(struct db *db);
struct slot *ledger_slot(struct head *h, uint32_t name); /* NULL when there is none */
struct slot *ledger_slot_make(struct head *h, uint32_t name);
void ledger_slot_drop(struct head *h, struct slot *s);
/* sign: 1, or -1 for one that goes */
void ledger_slot_add(struct slot *s, const uint8_t proof[LEDGER_SUM], int sign);
/* What the head adds to the sum over all heads. */
void ledger_share(const struct ledger *l, const struct head_of *of, uint64_t entry, text mac,
                  uint8_t out[LEDGER_STATE]);
enum err ledger_star_load(struct db *db, struct ledger_star *out); /* stale when the file has none that is genuine */
enum err ledger_star_put(struct db *db, struct ledger_star *star);
/* The same, in the keyring. *there: it has one. */
enum err ledger_star_note(struct db *keys, const struct ledger_star *star);
enum err ledger_star_noted(struct db *keys, struct ledger_star *out, bool *there);
void ledger_state(const struct ledger *l, const struct ledger_star *star, uint8_t out[LEDGER_STATE]);
/* Whether the newest entry from `from` on that commits to rows, if there is one, commits to these. */
enum err ledger_star_holds(struct db *db, const struct ledger_star *star, uint64_t from, bool *out);
/* Reads all heads: whether they add up to the head of all heads. */
enum err ledger_star_whole(struct db *db, const struct ledger_star *star, bool *out);
/* The word of the writer, or of the snapshot that the connection has, for how new heads must be. */
const struct ledger_fresh *ledger_fresh_of(const struct db *db);
/* Whether the head is no older than the journal says; *entry: the newest that it knows of. */
enum err ledger_is_newest(struct db *db, enum table t, const struct scope *s, const struct head *h, uint64_t *entry,
                          bool *out);
/* What was taken down and not yet written, of that table and scope, is added (ledger.c). */
void ledger_pending(const struct ledger *l, enum table t, const struct scope *s, struct slot *sum);
#endif

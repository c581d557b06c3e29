/* Inside the store: the ledger, which binds every row that decides something to the journal entry that wrote it.
 * docs/ledger.md tells how. */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H
#include "store/store.h"
#include "store/tables.h"

struct db;
struct store;

enum { LEDGER_SUM = 32, LEDGER_MAC = 16 };
/* Whose rows stand together under one sum: a person's of one table; or one row, by its key; or a whole small table. */
struct scope {
    text tenant;
    struct subject_id id;
};
/* The columns of a table: which is the tenant, which names the scope (-1: none), which are of the key, which are told
 * and decide nothing. */
struct ledger_shape {
    int tenant, scope;
    uint32_t key, told;
};
struct ledger_change;
struct cell;
struct ledger {
    struct ledger_shape shapes[TABLE_COUNT];
    struct key rows, sums, whole; /* derived from the keyring's secret `ledger` */
    bool armed;                   /* changes are taken down */
    bool unsaid;                  /* the ledger was changed beyond rows: the next entry commits to it */
    bool lost;                    /* one could not be: nothing may be committed */
    struct arena arena;           /* of `first` */
    struct ledger_change *first, *last;
};

/* The keyring's secret is known. `fresh`: it was made just now, and what is in the file is bound as it stands, with an
 * entry that says so. */
enum err ledger_open(struct store *s, const struct key *secret, bool fresh);
void ledger_close(struct store *s);
/* Whether changes of that table are to be told; then each is: the row as it was (NULL: there was none) and as it is,
 * all columns in the order of tables.def. Not `seen`: the engine could not give it, and nothing may be committed. */
bool ledger_takes(const struct db *db, enum table t);
void ledger_changed(struct db *db, enum table t, bool seen, const struct cell *old, const struct cell *now);
/* What was taken down since the last entry becomes rows of `bound` and `ledger`, of entry `seq`. *state: what the entry
 * commits to; *changed: whether anything was; *own: whether rows of `person` were. */
enum err ledger_flush(struct db *db, uint64_t seq, const struct scope *person, uint8_t state[LEDGER_SUM], bool *changed,
                      bool *own);
void ledger_forget_changes(struct store *s); /* the transaction, or the member's part of it, was rolled back */
/* Before a commit: ERR_INTERNAL when rows that decide were changed without an entry. */
enum err ledger_settled(struct db *db);
/* An erasure: what is bound of the person in a table all of whose rows went. */
enum err ledger_forget(struct db *db, enum table table, text tenant, struct subject_id subject);
/* Binds all rows anew, as they stand, under the next entry, which must follow in the same transaction. */
enum err ledger_bind_all(struct db *db, int64_t *rows);
enum err ledger_sum_load(struct db *db, struct ledger_sum *out);
enum err ledger_there(struct db *db, bool *out); /* whether anything in the file is bound */

/* ---- ledger_check.c ---- */
/* ERR_INTEGRITY, which names table, row and entry, unless the rows are those that the journal's entries left: those of
 * that person, or, in tables bound by `id` or `digest`, the one that is asked for by that key. Asked of every statement
 * that decides (reads.def). */
enum err ledger_check(struct db *db, enum table table, text tenant, text key);

/* ---- What ledger.c and ledger_check.c share. ---- */
enum bound_kind {
    BOUND_KIND_free,
    BOUND_KIND_itself,
    BOUND_KIND_person,
    BOUND_KIND_passing,
    BOUND_KIND_id,
    BOUND_KIND_digest,
    BOUND_KIND_whole
};
enum { CELLS = 24 };
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
bool ledger_per_person(enum table t); /* kinds itself and person */
/* False for a row that decides nothing (of meta). `key` is built in `a`. */
enum err ledger_row(const struct ledger *l, struct arena *a, enum table t, const struct cell *cells, unsigned count,
                    struct row_seen *out, bool *counts);
void ledger_bound_mac(const struct ledger *l, enum table t, const struct row_seen *r, uint64_t entry,
                      uint8_t mac[LEDGER_MAC]);
enum err ledger_read(struct query *q, const struct ledger *l, struct arena *a, enum table t, struct row_seen *out,
                     bool *counts);
struct scope_sum {
    uint64_t entry;
    int64_t count;
    uint8_t sum[LEDGER_SUM];
    bool there, genuine;
};
enum err ledger_sum_of(struct db *db, enum table t, const struct scope *s, struct scope_sum *out);
void ledger_xor(uint8_t to[LEDGER_SUM], const uint8_t with[LEDGER_SUM]);
/* What was taken down and not yet written, of that scope, is added. */
void ledger_pending(const struct ledger *l, enum table t, const struct scope *s, struct scope_sum *sum);
struct scope ledger_scope(enum table t, text tenant, text key);
int ledger_rows_sql(enum table t); /* the statement that reads a scope's rows; -1 when there is none */
struct ledger_sum ledger_whole_of(const struct ledger *l, enum table t, const struct scope *s,
                                  const struct scope_sum *sum);
void ledger_state(const struct ledger *l, const struct ledger_sum *sum, uint64_t seq, uint8_t out[LEDGER_SUM]);
#endif

/* Inside the PostgreSQL engine: what a connection holds, and a statement as that engine runs it. */
#ifndef STORE_ENGINE_PG_H
#define STORE_ENGINE_PG_H
#include "store/engine.h"
#include <libpq-fe.h>

/* What is used of libpq, which is loaded when a store on PostgreSQL is opened: who runs on SQLite has none of it. */
#define PG_CALLS(X)                                                                                                    \
    X(PQconnectdbParams) X(PQstatus) X(PQfinish) X(PQexec) X(PQexecParams) X(PQprepare) X(PQexecPrepared)   \
    X(PQresultStatus) X(PQresultErrorField) X(PQclear) X(PQntuples) X(PQnfields) X(PQftype) X(PQgetvalue)              \
    X(PQgetlength) X(PQgetisnull) X(PQcmdTuples) X(PQtransactionStatus) X(PQsetNoticeReceiver) X(PQconninfoParse)      \
    X(PQconninfo) X(PQconninfoFree) X(PQpingParams) X(PQsslInUse) X(PQhost) X(PQdb) X(PQgetResult) X(PQserverVersion)  \
    X(PQconnectStartParams) X(PQconnectPoll) X(PQsocket) X(PQport) X(PQhostaddr)                                       \
    X(PQgetCopyData) X(PQputCopyData) X(PQputCopyEnd) X(PQfreemem)
struct pg_calls {
#define X(name) __typeof__(&name) name;
    PG_CALLS(X)
#undef X
};

/* How a statement of sql.def is run here. pg_text.c says why. */
enum pg_way {
    PG_READS,   /* gives rows */
    PG_WALKS,   /* gives the rows of a whole table, which are fetched in pieces inside a transaction */
    PG_CHANGES, /* changes rows that nobody is told of */
    PG_TELLS    /* gives the rows as they were (the last column is 0) and as they are (1) in the order of their keys */
};
struct pg_shape {
    enum pg_way way;
    enum table table; /* of PG_TELLS */
    bool one;         /* puts one row in, unless there is one of its key: then it is refused */
};
/* The text of a row of sql.def for PostgreSQL, in `a`. `told`: whether the ledger is told of what it changes. */
enum err pg_text(struct arena *a, enum sql sql, bool told, text *out, struct pg_shape *shape);

enum { PG_PARAMS = 32, PG_PIECE = 500 };
struct pg_statement {
    struct pg_shape shape;
    bool prepared, busy, ran;
    bool open;      /* a cursor of PG_WALKS */
    PGresult *rows; /* all of them, or a piece */
    int at;         /* the row behind the one that the query stands on */
    int count;      /* of the parameters */
    const char *values[PG_PARAMS];
    int lengths[PG_PARAMS], formats[PG_PARAMS];
    uint8_t numbers[PG_PARAMS][8];
};
/* A connection as pg_frozen.c sees it: what is being waited for, and where it is asked whether somebody is there. */
struct pg_waiting {
    struct pg_waiting *next, **at; /* in the list of all; at NULL: not in it */
    const struct pg_calls *pq;
    int fd;             /* of the same socket, so that it is never another's */
    _Atomic msec since; /* of clock_monotonic(): when an answer was asked for; 0: none is waited for */
    msec ask;           /* who waits as long makes the watch ask; longer each time somebody is there */
    bool verified;
    char place[PATH_MAX], host[256], address[64], port[16];
};
struct conn {
    struct pg_waiting waiting;
    PGconn *handle;
    const struct pg_calls *pq;
    bool writes;
    struct db_place place; /* where it was connected to, for the next time */
    char session[96]; /* the process of the server that serves a writer's session, and since when */
    int64_t changes;
    struct pg_statement *statements[SQL_COUNT];
};

/* ---- pg.c ---- */
/* OK, or what the answer says went wrong while `what` was done; marks db->broken and db->spoiled. Never its text, which
 * may quote values. */
enum err pg_answer(struct db *db, const PGresult *r, const char *what);
enum err pg_run(struct db *db, const char *sql); /* of the engine itself */

/* ---- pg_mark.c ---- */
enum err pg_mark_get(struct db *db, enum mark *out, text *where);
enum err pg_mark_set(struct db *db, enum mark mark, text where);
enum err pg_mark_check(struct db *db); /* ERR_CONFIG: a move left one */
enum err pg_named(struct db *db, text *out);

/* ---- pg_frozen.c ---- */
/* From pg_watch() until pg_unwatch(), who waits between pg_asks() and pg_told() is cut off when the server stands
 * still. */
enum err pg_watch(struct db *db);
void pg_unwatch(struct conn *c); /* before its PQfinish(); also of one that is not watched */
void pg_asks(struct conn *c);
void pg_told(struct conn *c);
/* What `call` gives, which waits for the server. */
#define PG_WAIT(c, call)                                                                                               \
    ({                                                                                                                 \
        struct conn *waits_ = (c);                                                                                     \
        pg_asks(waits_);                                                                                               \
        __auto_type told_ = (call);                                                                                    \
        pg_told(waits_);                                                                                               \
        told_;                                                                                                         \
    })
/* Whether a server did not answer a moment ago: who reads does not wait to find it out anew. */
bool pg_is_silent(void);
PGresult *pg_exec(struct conn *c, const char *sql); /* PQexec() */

/* ---- pg_link.c ---- */
/* Connects: fills db->conn->handle and db->linked. ERR_STORAGE: it is away; ERR_POLICY: it is there, and not as
 * place->verified asks; ERR_CONFIG: the address, or the password's file. */
enum err pg_link(struct db *db, const struct db_place *place);
enum err pg_link_again(struct db *db); /* the same one anew */

/* ---- pg_copy.c ---- */
enum err pg_every(struct db *db, const struct carried *t,
                  enum err (*each)(void *arg, struct db *db, const struct cell *cells), void *arg);
enum err pg_put_begin(struct db *db, const struct carried *t);
enum err pg_put(struct db *db, const struct carried *t, const struct cell *cells);
enum err pg_put_end(struct db *db, const struct carried *t);

/* ---- pg_query.c: the statements' part of the engine ---- */
enum err pg_start(struct query *q, const struct val *args, size_t count);
enum err pg_step(struct query *q, bool *row);
void pg_end(struct query *q);
bool pg_reads(struct query *q);
struct cell pg_cell(struct query *q, unsigned n);
void pg_forget(struct conn *c); /* the statements of a session that is over */

/* ---- pg_schema.c ---- */
enum err pg_version_get(struct db *db, int *out);
enum err pg_version_set(struct db *db, int version);
enum err pg_selects(struct db *db, const char *sql, bool *out);
enum {
#define TABLE(name, ...) PG_TABLE_##name,
#define KEYRING_TABLE(name, ...) PG_TABLE_##name,
#define INDEX(name, ...) PG_INDEX_##name,
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
    PG_TABLES
};
extern const struct made pg_tables[PG_TABLES];
extern const char *const pg_types[];
extern const struct migration pg_steps[];
#endif

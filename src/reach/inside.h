/* What the connector's files share: a connection to a database of others, the map of its tables, and the acts. */
#ifndef REACH_INSIDE_H
#define REACH_INSIDE_H
#include "base/json.h"
#include "reach/credentials.h"
#include "reach/reach.h"

/* ---- One connection, whatever the database. ---- */

/* Rows that a statement gave: cells row by row, p NULL for NULL; and how many it changed. */
struct found {
    text *cells;
    unsigned columns, count, room;
    int64_t changed;
};
struct link {
    struct arena *a;
    void *library, *handle;
    text schema;   /* of PostgreSQL; else empty */
    char quote;    /* around a name */
    bool numbered; /* $1, $2… in place of ? */
    bool wal;      /* of SQLite: it writes a log beside the file */
    /* A statement with its parameters, all of them texts. ERR_BUSY with the database's own code, and no word of its
     * message, which may hold values. `out` may be NULL. */
    enum err (*run)(struct link *l, text sql, const text *params, unsigned count, struct found *out);
    void (*close)(struct link *l);
};
/* By the store's "kind". ERR_CONFIG for what the map or the credentials lack, ERR_BUSY when it is not reached. */
enum err sqlite_link(struct link *l, const struct json *store);
enum err postgresql_link(struct link *l, const struct json *store);
enum err mariadb_link(struct link *l, const struct json *store);
/* A row of `columns` cells more in `out`; NULL without memory. */
text *found_row(struct arena *a, struct found *out, unsigned columns);
/* From now on this process starts no program, looks into no other, and opens only the files that such a store needs;
 * for a store of files it has no network, for others no socket of this machine but where a database's settings name
 * one. For ever: there is no way out. ERR_INTERNAL when the kernel does not do it;
 * without Landlock, files are as the user's rights have them. */
enum err reach_lock_in(struct arena *a, const struct json *store);
/* A store that is an application: adds the members of the answer. ERR_BUSY when it did not do it, and why. */
enum err webhook_answer(struct arena *a, const struct json *asked, struct json_out *w);

/* A store that is a folder of files: adds the members of the answer. ERR_BUSY when some of it cannot be reached. */
enum err folder_answer(struct arena *a, const struct json *asked, struct json_out *w);

/* ---- The map. ---- */

struct column {
    text name, category; /* category "none": nothing of people */
    bool has_blank;
    text blank; /* in place of NULL */
    bool there; /* in the database too */
};
enum erase { ERASE_delete, ERASE_null, ERASE_keep };
struct table {
    text name;
    const struct json *row;
    bool none; /* "none": holds nothing of people */
    bool there, keyed;
    text by_column;            /* the column that its rows are found by */
    const struct json *fields; /* the person's values that stand in it: a text, or a list */
    int parent;                /* or the table that it hangs on, -1: none */
    text parent_column;
    unsigned depth;
    struct column *columns;
    unsigned column_count;
    enum erase erase;
    text *by; /* values that its rows are found by */
    unsigned by_count;
    int64_t found, done, left;
};
struct plan {
    struct arena *a;
    const struct json *asked, *store;
    struct table *tables;
    unsigned count;
    struct json_out faults; /* an open list */
    unsigned fault_count;
};
/* The tables of the map; what is wrong with it becomes a fault. */
enum err plan_read(struct plan *p);
/* Holds it against what the database has. */
enum err plan_check(struct plan *p, struct link *l);
/* What the rows of each table are found by, from the person's values down. */
enum err plan_find(struct plan *p, struct link *l);
/* Adds `"table"` as that database quotes names. */
void plan_name(const struct link *l, struct buf *b, text name);
/* Adds ` WHERE column IN (…)` for `count` values. */
void plan_where(const struct link *l, struct buf *b, text column, unsigned count, unsigned first);
enum { PLAN_AT_ONCE = 200 };

/* ---- Acts: each adds members to the answer's open object. ---- */
enum err act_count(struct plan *p, struct link *l, struct json_out *w);
enum err act_erase(struct plan *p, struct link *l, struct json_out *w);
enum err act_copy(struct plan *p, struct link *l, struct json_out *w);
/* "set": {"restrict": true or false}, {"object": PURPOSE, "on": …} or {"correct": {FIELD: value}}. */
enum err act_set(struct plan *p, struct link *l, struct json_out *w);

#endif

/* Holding rows against the ledger: for an act that rests on them, and for whoever looks at all of them. */
#include "store/engine.h"

enum { UNTIL = SUBJECT_ID + 32, ROWS_MEMORY = 64 << 20, STRAYS = 1000 };
#define V_SCOPE(s) V_TEXT((s).tenant), V_ID((s).id)

/* ---- What was checked in this snapshot. ---- */

static bool known(const struct db *db, enum table t, const struct scope *s)
{
    for (unsigned i = 0; i < db->checked_count && i < sizeof db->checked / sizeof *db->checked; i++) {
        const struct checked *c = &db->checked[i];
        if (c->table == t && memcmp(&c->id, &s->id, sizeof s->id) == 0 && text_eq(text_of(c->tenant), s->tenant))
            return true;
    }
    return false;
}

static void remember(struct db *db, enum table t, const struct scope *s)
{
    struct checked *c = &db->checked[db->checked_count % (sizeof db->checked / sizeof *db->checked)];
    if (!text_cstr(s->tenant, c->tenant, sizeof c->tenant))
        return;
    c->table = t;
    c->id = s->id;
    db->checked_count++;
    if (db->checked_count == 2 * sizeof db->checked / sizeof *db->checked) /* a ring that is full stays full */
        db->checked_count -= sizeof db->checked / sizeof *db->checked;
}

/* ---- One scope. ---- */

/* `until` lives as long as the query. */
static void rows_start(struct query *q, struct db *db, enum table t, const struct scope *s, uint8_t until[UNTIL])
{
    enum sql sql = (enum sql)ledger_rows_sql(t);
    memset(until, 0xff, UNTIL); /* behind every digest that begins so */
    memcpy(until, s->id.b, SUBJECT_ID);
    if (ledger_kind(t) == BOUND_KIND_whole)
        query_start(q, db, sql, ARGS());
    else if (ledger_kind(t) == BOUND_KIND_digest)
        query_start(q, db, sql, ARGS(V_TEXT(s->tenant), V_ID(s->id), V_BYTES(((text){ (const char *)until, UNTIL }))));
    else
        query_start(q, db, sql, ARGS(V_TEXT(s->tenant), V_ID(s->id)));
}

static enum err rows_sum(struct db *db, enum table t, const struct scope *s, struct scope_sum *out)
{
    const struct ledger *l = &db->store->ledger;
    ARENA_AUTO own = arena_make(ROWS_MEMORY);
    struct row_seen row;
    bool counts;
    uint8_t until[UNTIL];
    QUERY_AUTO q;
    *out = (struct scope_sum){ 0 };
    rows_start(&q, db, t, s, until);
    while (query_next(&q)) {
        arena_reset(&own);
        TRY(ledger_read(&q, l, &own, t, &row, &counts));
        if (counts) {
            ledger_xor(out->sum, row.proof);
            out->count++;
        }
    }
    return q.status;
}

static enum err number(struct db *db, enum sql sql, const struct scope *s, int64_t *out)
{
    QUERY_AUTO q;
    query_start(&q, db, sql, ARGS(V_SCOPE(*s)));
    *out = query_next(&q) && !query_null(&q, 0) ? query_int(&q, 0) : -1;
    return q.status;
}

/* All of a person put back as it was once: then the journal has a newer entry that changed it. *entry is that one. Of
 * whom there is no sum there is nothing to act upon either: a restore can leave such people, whose keys then go, and
 * the sum of all tells the rest. */
static enum err is_newest(struct db *db, const struct scope *s, int64_t *entry, bool *out)
{
    int64_t of_sums;
    TRY(number(db, SQL_JOURNAL_NEWEST_BOUND, s, entry));
    TRY(number(db, SQL_LEDGER_NEWEST, s, &of_sums));
    *out = of_sums < 0 || of_sums >= *entry;
    return OK;
}

static enum err is_whole(struct db *db, enum table t, const struct scope *s, struct scope_sum *bound, bool *out)
{
    struct scope_sum found;
    TRY(ledger_sum_of(db, t, s, bound));
    TRY(rows_sum(db, t, s, &found));
    if (db == db->store->writers[FILE_DATA])
        ledger_pending(&db->store->ledger, t, s, bound);
    *out = bound->genuine && found.count == bound->count && memcmp(found.sum, bound->sum, LEDGER_SUM) == 0;
    return OK;
}

/* ---- Which row it is. ---- */

struct naming {
    struct db *db;
    struct arena *a;
    enum table table;
    const struct scope *scope;
    uint64_t entry; /* of the sum */
    ledger_tell *tell;
    void *arg;
    uint64_t told;
};

static enum err name_row(struct naming *n, text key, uint64_t entry, enum ledger_fault fault)
{
    struct ledger_finding f = { table_row(n->table)->name, n->scope->tenant, n->scope->id, key, entry, fault };
    n->told++;
    return n->tell(n->arg, &f);
}

struct found_row {
    struct row_seen row;
    bool bound;
    struct found_row *next;
};

static enum err rows_read(struct naming *n, struct found_row **out)
{
    QUERY_AUTO q;
    uint8_t until[UNTIL];
    bool counts;
    *out = NULL;
    rows_start(&q, n->db, n->table, n->scope, until);
    while (query_next(&q)) {
        struct found_row *r = NEW(n->a, struct found_row);
        TRY_PTR(r);
        TRY(ledger_read(&q, &n->db->store->ledger, n->a, n->table, &r->row, &counts));
        if (counts) {
            r->next = *out;
            *out = r;
        }
    }
    return q.status;
}

static struct found_row *row_with(struct found_row *rows, text key)
{
    for (; rows; rows = rows->next)
        if (!rows->bound && text_eq(rows->row.key, key))
            return rows;
    return NULL;
}

static enum err name_bound(struct naming *n, struct query *q, struct found_row *rows)
{
    uint8_t mac[LEDGER_MAC];
    uint64_t entry = (uint64_t)query_int(q, 1);
    text key = arena_copy(n->a, query_bytes(q, 0));
    TRY_PTR(key.p);
    struct found_row *r = row_with(rows, key);
    if (!r)
        return name_row(n, key, entry, LEDGER_DELETED);
    r->bound = true;
    ledger_bound_mac(&n->db->store->ledger, n->table, &r->row, entry, mac);
    return text_eq(query_bytes(q, 2), TEXT_BYTES(mac)) ? OK : name_row(n, key, entry, LEDGER_ALTERED);
}

/* Rows against what is bound of each; when all of them fit, and not their sum, they are those of another time. */
static enum err name_scope(struct naming *n, bool sum_fits)
{
    struct found_row *rows;
    TRY(rows_read(n, &rows));
    {
        QUERY_AUTO q;
        query_start(&q, n->db, SQL_BOUND_OF, ARGS(V_SCOPE(*n->scope), V_TEXT(table_row(n->table)->name)));
        while (query_next(&q))
            TRY(name_bound(n, &q, rows));
        TRY(q.status);
    }
    for (; rows; rows = rows->next)
        if (!rows->bound)
            TRY(name_row(n, rows->row.key, n->entry, LEDGER_ADDED));
    return n->told || sum_fits ? OK : name_row(n, TEXT(""), n->entry, LEDGER_OLDER);
}

/* ---- For an act. ---- */

text ledger_fault_word(enum ledger_fault f)
{
    static const text words[] = {
#define X(name, word) TEXT_INIT(word),
        LEDGER_FAULTS(X)
#undef X
    };
    return words[f];
}

static enum err first_named(void *arg, const struct ledger_finding *f)
{
    struct ledger_finding *first = arg;
    if (!first->row.p)
        *first = *f;
    return OK;
}

static enum err refuse(struct db *db, const struct ledger_finding *f)
{
    ARENA_AUTO own = arena_make(1 << 20);
    text id = id_print(&own, f->id), what = ledger_fault_word(f->fault);
    return say(db->arena, ERR_INTEGRITY, "table %.*s, %.*s%s%.*s: %.*s (entry %llu of the journal)", T(f->table), T(id),
               f->row.n ? ", row " : "", T(f->row), T(what), (unsigned long long)f->entry);
}

static enum err not_whole(struct db *db, enum table t, const struct scope *s, uint64_t entry)
{
    ARENA_AUTO own = arena_make(ROWS_MEMORY);
    struct ledger_finding first = { .row = { NULL, 0 } };
    struct naming n = {
        .db = db, .a = &own, .table = t, .scope = s, .entry = entry, .tell = first_named, .arg = &first
    };
    TRY(name_scope(&n, false));
    return refuse(db, &first);
}

enum err ledger_check(struct db *db, enum table t, text tenant, text key)
{
    struct scope s = ledger_scope(t, tenant, key);
    struct scope_sum bound;
    bool whole;
    if (!db->store || !db->store->ledger.armed || known(db, t, &s))
        return OK;
    TRY(is_whole(db, t, &s, &bound, &whole));
    if (!whole)
        return not_whole(db, t, &s, bound.entry);
    if (ledger_per_person(t) && !known(db, TABLE_COUNT, &s)) {
        int64_t entry;
        TRY(is_newest(db, &s, &entry, &whole));
        if (!whole)
            return refuse(db, &(struct ledger_finding){ table_row(t)->name, s.tenant, s.id, TEXT(""), (uint64_t)entry,
                                                        LEDGER_OLDER });
        remember(db, TABLE_COUNT, &s);
    }
    remember(db, t, &s);
    return OK;
}

/* ---- For who looks at all of it. ---- */

static enum table table_named(text name)
{
    for (enum table t = 0; t < TABLE_COUNT; t++)
        if (ledger_kind(t) != BOUND_KIND_free && text_eq(table_row(t)->name, name))
            return t;
    return TABLE_COUNT;
}

static enum err scope_look(struct ledger_look *w, enum table t, const struct scope *s)
{
    ARENA_AUTO own = arena_make(ROWS_MEMORY);
    struct scope_sum bound, found;
    int64_t entry;
    bool newest = true;
    TRY(ledger_sum_of(w->db, t, s, &bound));
    if (bound.there)
        ledger_xor(w->sum.b, ledger_whole_of(&w->db->store->ledger, t, s, &bound).b);
    TRY(rows_sum(w->db, t, s, &found));
    w->looked += (uint64_t)found.count;
    struct naming n = {
        .db = w->db, .a = &own, .table = t, .scope = s, .entry = bound.entry, .tell = w->tell, .arg = w->arg
    };
    bool good = bound.genuine && found.count == bound.count && memcmp(found.sum, bound.sum, LEDGER_SUM) == 0;
    TRY(name_scope(&n, good));
    if (good && ledger_per_person(t))
        TRY(is_newest(w->db, s, &entry, &newest));
    if (!newest)
        TRY(name_row(&n, TEXT(""), (uint64_t)entry, LEDGER_OLDER));
    w->faults += n.told;
    return OK;
}

/* Rows of the statement `list`: tenant, what they stand under, table. */
struct scope_name {
    struct scope scope;
    enum table table;
    text tenant, of_table;
    struct scope_name *next;
};

static enum err names_read(struct arena *page, struct query *q, struct scope_name **out, unsigned *count)
{
    struct scope_name **last = out;
    *out = NULL;
    *count = 0;
    while (query_next(q)) {
        struct scope_name *n = NEW(page, struct scope_name);
        TRY_PTR(n);
        text id = query_bytes(q, 1);
        n->tenant = arena_copy(page, query_bytes(q, 0));
        n->of_table = arena_copy(page, query_bytes(q, 2));
        TRY_PTR(n->tenant.p);
        TRY_PTR(n->of_table.p);
        memcpy(n->scope.id.b, id.p ? id.p : "",
               id.n < SUBJECT_ID ? id.n : SUBJECT_ID);
        n->scope.tenant = n->tenant;
        n->table = table_named(n->of_table);
        *last = n;
        last = &n->next;
        ++*count;
    }
    return q->status;
}

static enum err names_look(struct ledger_look *w, const struct scope_name *names)
{
    for (; names; names = names->next)
        if (names->table != TABLE_COUNT)
            TRY(scope_look(w, names->table, &names->scope));
    return OK;
}

/* Rows that stand under what the ledger does not know. */
static enum err strays_look(struct ledger_look *w)
{
    static const enum sql lists[] = {
#define STRAY_free(name)
#define STRAY_itself(name)  SQL_STRAY_##name,
#define STRAY_person(name)  SQL_STRAY_##name,
#define STRAY_passing(name) SQL_STRAY_##name,
#define STRAY_id(name)      SQL_STRAY_##name,
#define STRAY_digest(name)  SQL_STRAY_##name,
#define STRAY_whole(name)
#define TABLE(name, erasure, kept_as, storage, bound, ...) STRAY_##bound(name)
#define KEYRING_TABLE(...)
#define INDEX(...)
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        ARENA_AUTO page = arena_make(ROWS_MEMORY);
        struct scope_name *names;
        unsigned count;
        {
            QUERY_AUTO q;
            query_start(&q, w->db, lists[i], ARGS(V_INT(STRAYS)));
            TRY(names_read(&page, &q, &names, &count));
        }
        TRY(names_look(w, names));
    }
    return OK;
}

/* Small tables are looked at whether the ledger knows them or not. */
static enum err wholes_look(struct ledger_look *w)
{
    static const struct scope nobody = { .tenant = TEXT_INIT("") };
    for (enum table t = 0; t < TABLE_COUNT; t++) {
        struct scope_sum sum;
        if (ledger_kind(t) != BOUND_KIND_whole)
            continue;
        TRY(ledger_sum_of(w->db, t, &nobody, &sum));
        if (!sum.there)
            TRY(scope_look(w, t, &nobody));
    }
    return OK;
}

enum err ledger_look(struct ledger_look *w, unsigned limit)
{
    ARENA_AUTO page = arena_make(ROWS_MEMORY);
    struct scope_name *names;
    unsigned count;
    {
        QUERY_AUTO q;
        query_start(&q, w->db, SQL_LEDGER_PAGE,
                    ARGS(V_TEXT(text_of(w->tenant)), V_ID(w->id), V_TEXT(text_of(w->of_table)), V_INT(limit)));
        TRY(names_read(&page, &q, &names, &count));
    }
    TRY(names_look(w, names));
    for (const struct scope_name *n = names; n; n = n->next)
        if (!n->next) {
            if (!text_cstr(n->tenant, w->tenant, sizeof w->tenant) ||
                !text_cstr(n->of_table, w->of_table, sizeof w->of_table))
                return say(w->db->arena, ERR_INTEGRITY, "a row of the ledger has names that are too long");
            w->id = n->scope.id;
        }
    if (count == limit)
        return OK;
    w->done = true;
    TRY(wholes_look(w));
    return strays_look(w);
}

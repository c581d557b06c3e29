/* Holding rows against the ledger: for an act that rests on them, and for whoever looks at all of them. */
#include "store/engine.h"

enum { UNTIL = 33, ROWS_MEMORY = 64 << 20, STRAYS = 1000 };
#define V_SCOPE(s) V_TEXT((s).tenant), V_ID((s).id)

/* ---- What was checked in this snapshot. ---- */

enum { CHECKED_MAX = sizeof((struct db *)NULL)->checked / sizeof(struct checked) };

static unsigned checked_kept(const struct db *db)
{
    return db->checked_count < CHECKED_MAX ? db->checked_count : CHECKED_MAX;
}

static bool known(const struct db *db, enum table t, const struct scope *s)
{
    for (unsigned i = 0; i < checked_kept(db); i++) {
        const struct checked *c = &db->checked[i];
        if (c->table == t && memcmp(&c->id, &s->id, sizeof s->id) == 0 && text_eq(text_of(c->tenant), s->tenant) &&
            (!c->part || c->part == s->part))
            return true;
    }
    return false;
}

static void remember(struct db *db, enum table t, const struct scope *s)
{
    struct checked *c = &db->checked[db->checked_count % CHECKED_MAX];
    if (!text_cstr(s->tenant, c->tenant, sizeof c->tenant))
        return;
    c->table = t;
    c->id = s->id;
    c->part = s->part;
    db->checked_count++;
    if (db->checked_count == 2 * CHECKED_MAX) /* a ring that is full stays full */
        db->checked_count -= CHECKED_MAX;
}

void ledger_forget_checked(struct db *db)
{
    db->checked_count = 0;
    ledger_heads_forget(db);
}

static void forget(struct db *db, bool (*goes)(enum table checked, enum table t), enum table t)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < checked_kept(db); i++)
        if (!goes(db->checked[i].table, t))
            db->checked[kept++] = db->checked[i];
    db->checked_count = kept;
}

static bool is_table(enum table checked, enum table t) { return checked == t; }

static bool is_of_people(enum table checked, enum table t)
{
    (void)t;
    return checked == TABLE_COUNT || ledger_per_person(checked);
}

void ledger_forget_table(struct db *db, enum table t) { forget(db, is_table, t); }
void ledger_forget_people(struct db *db) { forget(db, is_of_people, TABLE_COUNT); }

/* Kept under a name that no table has. */
bool ledger_newest_known(const struct db *db, const struct scope *s) { return known(db, TABLE_COUNT, s); }
void ledger_newest_remember(struct db *db, const struct scope *s)
{
    struct scope all = { s->tenant, s->id, 0 };
    if (!known(db, TABLE_COUNT, &all))
        remember(db, TABLE_COUNT, &all);
}

/* ---- One scope. ---- */

/* `bounds` lives as long as the query. */
static void rows_start(struct query *q, struct db *db, enum table t, const struct scope *s, uint8_t bounds[2][UNTIL])
{
    enum { PART_BYTES = 256 / LEDGER_PARTS };
    enum sql sql = (enum sql)ledger_rows_sql(t, s->part != 0);
    bool digest = ledger_kind(t) == BOUND_KIND_digest;
    if (ledger_per_person(t) && !s->part) {
        query_start(q, db, sql, ARGS(V_TEXT(s->tenant), V_ID(s->id)));
        return;
    }
    if (ledger_kind(t) == BOUND_KIND_whole) {
        query_start(q, db, sql, ARGS());
        return;
    }
    unsigned part = s->part ? s->part - 1 : s->id.b[0];
    memset(bounds[1], 0xff, UNTIL); /* behind every digest that begins so */
    bounds[0][0] = (uint8_t)(part * PART_BYTES);
    bounds[1][0] = (uint8_t)(bounds[0][0] + PART_BYTES - 1);
    text from = { (const char *)bounds[0], 1 }, to = { (const char *)bounds[1], digest ? UNTIL : 1 };
    if (s->part) {
        to.n = UNTIL;
        query_start(q, db, sql, ARGS(V_TEXT(s->tenant), V_ID(s->id), V_BYTES(from), V_BYTES(to)));
        return;
    }
    query_start(q, db, sql, ARGS(V_BYTES(from), V_BYTES(to)));
}

/* One sum, or one for each part. */
struct sums {
    struct slot of[1 + LEDGER_PARTS];
};

static enum err rows_sum(struct db *db, enum table t, const struct scope *s, bool undivided, struct sums *out)
{
    uint8_t bounds[2][UNTIL], proof[LEDGER_SUM];
    unsigned part;
    QUERY_AUTO q;
    memset(out, 0, sizeof *out);
    rows_start(&q, db, t, s, bounds);
    while (query_next(&q))
        if (ledger_read_proof(&q, &db->store->ledger, t, proof, &part))
            ledger_slot_add(&out->of[undivided ? 0 : part], proof, 1);
    return q.status;
}

static struct slot slot_in(const struct ledger *l, const struct head *h, enum table t, const struct scope *s)
{
    uint32_t name = ledger_slot_name(l, t, s);
    const struct slot *found = ledger_slot((struct head *)h, name);
    return found ? *found : (struct slot){ .name = name };
}

/* Whether the scope's rows are those that the head tells of. *found: how many there are. */
static enum err is_whole(struct db *db, enum table t, const struct scope *s, const struct head *h, unsigned *found,
                         bool *out)
{
    bool undivided = ledger_undivided(&db->store->ledger, h, t), parted = ledger_named(t) && !undivided;
    struct scope part = { s->tenant, s->id, undivided ? 0 : s->part };
    struct sums rows;
    TRY(rows_sum(db, t, &part, undivided, &rows));
    *found = 0;
    *out = h->genuine;
    unsigned first = parted && !s->part ? 1 : part.part, last = parted && !s->part ? LEDGER_PARTS : part.part;
    for (part.part = first; part.part <= last; part.part++) {
        const struct slot *sum = &rows.of[part.part];
        struct slot bound = slot_in(&db->store->ledger, h, t, &part);
        if (db == db->store->writers[FILE_DATA])
            ledger_pending(&db->store->ledger, t, &part, &bound);
        *found += sum->count;
        *out = *out && sum->count == bound.count && memcmp(sum->sum, bound.sum, LEDGER_SUM) == 0;
    }
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
    bool person = ledger_per_person(n->table);
    struct ledger_finding f = { table_row(n->table)->name, n->scope->tenant, { { 0 } }, key, entry, fault };
    if (person)
        f.id = n->scope->id;
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
    uint8_t bounds[2][UNTIL];
    bool counts;
    *out = NULL;
    rows_start(&q, n->db, n->table, n->scope, bounds);
    while (query_next(&q)) {
        struct found_row *r = NEW(n->a, struct found_row);
        TRY_PTR(r);
        TRY(ledger_read(&q, &n->db->store->ledger, n->a, n->table, &r->row, &counts));
        if (!counts)
            continue;
        r->next = *out;
        *out = r;
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
    uint64_t entry = (uint64_t)query_get(q, BOUND_OF, entry);
    text key = arena_copy(n->a, query_get(q, BOUND_OF, row));
    TRY_PTR(key.p);
    struct found_row *r = row_with(rows, key);
    if (!r)
        return name_row(n, key, entry, LEDGER_DELETED);
    r->bound = true;
    ledger_bound_mac(&n->db->store->ledger, n->table, &r->row, entry, mac);
    return text_eq(query_get(q, BOUND_OF, mac), TEXT_BYTES(mac)) ? OK : name_row(n, key, entry, LEDGER_ALTERED);
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

text ledger_finding_text(struct arena *a, const struct ledger_finding *f)
{
    static const struct subject_id nobody;
    bool person = memcmp(&f->id, &nobody, sizeof nobody) != 0;
    text what = ledger_fault_word(f->fault), id = person ? id_print(a, f->id) : TEXT("");
    return arena_print(a, "table %.*s%s%.*s%s%.*s: %.*s (entry %llu of the journal)", T(f->table), person ? ", " : "",
                       T(id), f->row.n ? ", row " : "", T(f->row), T(what), (unsigned long long)f->entry);
}

static enum err refuse(struct db *db, const struct ledger_finding *f)
{
    ARENA_AUTO own = arena_make(1 << 20);
    text words = ledger_finding_text(&own, f);
    TRY_PTR(words.p);
    return say(db->arena, ERR_INTEGRITY, "%.*s", T(words));
}

static enum err not_whole(struct db *db, enum table t, const struct scope *s, uint64_t entry)
{
    struct scope all = { s->tenant, s->id, 0 };
    ARENA_AUTO own = arena_make(ROWS_MEMORY);
    struct ledger_finding first = { .row = { NULL, 0 } };
    struct naming n = {
        .db = db, .a = &own, .table = t, .scope = &all, .entry = entry, .tell = first_named, .arg = &first
    };
    TRY(name_scope(&n, false));
    return refuse(db, &first);
}

static enum err older(struct db *db, enum table t, const struct scope *s, uint64_t entry)
{
    struct ledger_finding f = { table_row(t)->name, s->tenant, s->id, TEXT(""), entry, LEDGER_OLDER };
    if (ledger_shared(t))
        f.id = (struct subject_id){ 0 };
    return refuse(db, &f);
}

/* Once for a person and for a shared table, whatever is asked of them. */
static enum err check_newest(struct db *db, enum table t, const struct scope *s, const struct head *h)
{
    bool newest;
    uint64_t entry;
    if (ledger_per_person(t) && ledger_newest_known(db, s))
        return OK;
    TRY(ledger_is_newest(db, t, s, h, &entry, &newest));
    if (!newest)
        return older(db, t, s, entry);
    if (ledger_per_person(t))
        ledger_newest_remember(db, s);
    return OK;
}

enum err ledger_check(struct db *db, enum table t, text tenant, text key, text named)
{
    struct scope s = ledger_scope(t, tenant, key);
    s.part = named.n && ledger_named(t) ? ledger_part_named(named) : 0;
    struct head_of of = ledger_head_of(t, &s);
    struct head *h;
    bool whole;
    unsigned found;
    if (!db->store || !db->store->ledger.armed || known(db, t, &s))
        return OK;
    TRY(ledger_head_here(db, &of, &h));
    TRY(is_whole(db, t, &s, h, &found, &whole));
    if (!whole)
        return not_whole(db, t, &s, h->entry);
    TRY(check_newest(db, t, &s, h));
    remember(db, t, &s);
    return OK;
}

/* ---- For who looks at all of it. ---- */

static enum err scope_look(struct ledger_look *w, enum table t, const struct scope *s, const struct head *h)
{
    ARENA_AUTO own = arena_make(ROWS_MEMORY);
    bool whole;
    unsigned found;
    struct naming n = {
        .db = w->db, .a = &own, .table = t, .scope = s, .entry = h->entry, .tell = w->tell, .arg = w->arg
    };
    TRY(is_whole(w->db, t, s, h, &found, &whole));
    w->looked += found;
    TRY(name_scope(&n, whole));
    w->faults += n.told;
    return OK;
}

static enum err newest_look(struct ledger_look *w, enum table t, const struct scope *s, const struct head *h)
{
    uint64_t entry;
    bool newest;
    struct naming n = { .db = w->db, .table = t, .scope = s, .tell = w->tell, .arg = w->arg };
    TRY(ledger_is_newest(w->db, t, s, h, &entry, &newest));
    if (!newest && h->genuine)
        TRY(name_row(&n, TEXT(""), entry, LEDGER_OLDER));
    w->faults += n.told;
    return OK;
}

enum err ledger_bound_tables(struct db *db, const struct scope *s, bool in[TABLE_COUNT])
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_BOUND_TABLES, ARGS(V_SCOPE(*s)));
    while (query_next(&q)) {
        enum table t = ledger_table_named(query_get(&q, BOUND_TABLES, of_table));
        if (t != TABLE_COUNT)
            in[t] = true;
    }
    return q.status;
}

static enum err person_look(struct ledger_look *w, const struct scope *s)
{
    const struct ledger *l = &w->db->store->ledger;
    struct head_of of = { *s, LEDGER_PERSON };
    struct head h;
    bool in[TABLE_COUNT] = { false };
    TRY(ledger_head_read(w->db, &of, &h));
    TRY(ledger_bound_tables(w->db, s, in));
    for (enum table t = 0; t < TABLE_COUNT; t++)
        if (ledger_per_person(t) && (in[t] || ledger_slots_of(l, &h, t)))
            TRY(scope_look(w, t, s, &h));
    return newest_look(w, TABLE_subject, s, &h);
}

static enum err shared_look(struct ledger_look *w, enum table t)
{
    struct scope s = ledger_part(t, 0);
    struct head_of of = ledger_head_of(t, &s);
    struct head h;
    TRY(ledger_head_read(w->db, &of, &h));
    for (unsigned part = 0; part < ledger_parts(t); part++) {
        s = ledger_part(t, part);
        TRY(scope_look(w, t, &s, &h));
    }
    s = ledger_part(t, 0);
    return newest_look(w, t, &s, &h);
}

/* Rows of the statement `list`: tenant, what they stand under, name of the head. */
struct scope_name {
    struct scope scope;
    text tenant, name;
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
        text id = query_get(q, LEDGER_PAGE, subject);
        n->tenant = arena_copy(page, query_get(q, LEDGER_PAGE, tenant));
        n->name = arena_copy(page, query_get(q, LEDGER_PAGE, name));
        TRY_PTR(n->tenant.p);
        TRY_PTR(n->name.p);
        memcpy(n->scope.id.b, id.p ? id.p : "", id.n < SUBJECT_ID ? id.n : SUBJECT_ID);
        n->scope.tenant = n->tenant;
        *last = n;
        last = &n->next;
        ++*count;
    }
    return q->status;
}

/* A head of any other name is in the sum of all, and told with that. */
static enum err name_look(struct ledger_look *w, const struct scope_name *n)
{
    enum table t = ledger_table_named(n->name);
    if (text_eq(n->name, LEDGER_PERSON))
        return person_look(w, &n->scope);
    return t != TABLE_COUNT && ledger_shared(t) ? shared_look(w, t) : OK;
}

/* Rows of which nothing is bound, or whose person has no head; those that the head tells of were looked at with it. */
static enum err stray_look(struct ledger_look *w, const struct scope_name *n)
{
    enum table t = ledger_table_named(n->name);
    bool in[TABLE_COUNT] = { false };
    struct head_of of = { n->scope, LEDGER_PERSON };
    struct head h;
    must(t != TABLE_COUNT); /* the statement has its name */
    TRY(ledger_head_read(w->db, &of, &h));
    TRY(ledger_bound_tables(w->db, &n->scope, in));
    bool looked = h.there && (in[t] || ledger_slots_of(&w->db->store->ledger, &h, t));
    return looked ? OK : scope_look(w, t, &n->scope, &h);
}

static enum err names_look(struct ledger_look *w, const struct scope_name *names,
                           enum err (*look)(struct ledger_look *, const struct scope_name *))
{
    for (; names; names = names->next)
        TRY(look(w, names));
    return OK;
}

/* Rows of people whom the ledger does not know, or not in that table. */
static enum err strays_look(struct ledger_look *w)
{
    static const enum sql lists[] = {
#define STRAY_free(name)
#define STRAY_itself(name) SQL_STRAY_##name,
#define STRAY_person(name) SQL_STRAY_##name,
#define STRAY_named(name)  SQL_STRAY_##name,
#define STRAY_id(name)
#define STRAY_digest(name)
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
        TRY(names_look(w, names, stray_look));
    }
    return OK;
}

/* Tables without a head are looked at too. */
static enum err headless_look(struct ledger_look *w)
{
    for (enum table t = 0; t < TABLE_COUNT; t++) {
        struct head h;
        if (!ledger_shared(t))
            continue;
        struct scope s = ledger_part(t, 0);
        struct head_of of = ledger_head_of(t, &s);
        TRY(ledger_head_read(w->db, &of, &h));
        if (!h.there)
            TRY(shared_look(w, t));
    }
    return OK;
}

/* In one snapshot all heads against that of all heads, and that against what was acknowledged last: whatever was put
 * back or taken away together with what binds it, and with the links that tell of newer entries. */
static enum err star_look(struct ledger_look *w)
{
    const struct ledger_fresh *fresh = ledger_fresh_of(w->db);
    struct ledger_star star;
    bool whole;
    TRY(ledger_star_load(w->db, &star));
    TRY(ledger_star_whole(w->db, &star, &whole));
    if (whole && !fresh->stale && star.fresh.entry >= fresh->entry)
        return OK;
    uint64_t entry = fresh->entry ? fresh->entry - 1 : 0;
    struct ledger_finding f = { TEXT("ledger"), TEXT(""), { { 0 } }, TEXT(""), entry, LEDGER_OLDER };
    w->faults++;
    return w->tell(w->arg, &f);
}

enum err ledger_look(struct ledger_look *w, unsigned limit)
{
    ARENA_AUTO page = arena_make(ROWS_MEMORY);
    struct scope_name *names;
    unsigned count;
    {
        QUERY_AUTO q;
        query_start(&q, w->db, SQL_LEDGER_PAGE,
                    ARGS(V_TEXT(text_of(w->tenant)), V_ID(w->id), V_TEXT(text_of(w->name)), V_INT(limit)));
        TRY(names_read(&page, &q, &names, &count));
    }
    TRY(names_look(w, names, name_look));
    for (const struct scope_name *n = names; n; n = n->next)
        if (!n->next) {
            if (!text_cstr(n->tenant, w->tenant, sizeof w->tenant) || !text_cstr(n->name, w->name, sizeof w->name))
                return say(w->db->arena, ERR_INTEGRITY, "a row of the ledger has names that are too long");
            w->id = n->scope.id;
        }
    if (count == limit)
        return OK;
    w->done = true;
    TRY(headless_look(w));
    TRY(strays_look(w));
    return star_look(w);
}

/* The ledger: what the writer changes is taken down row by row, and bound to the journal entry of the same commit. */
#include "store/ledger.h"
#include "crypt/bind.h"
#include "store/engine.h"

enum { CHANGES_MEMORY = 512 << 20, BIND_STEP = 1000, KEY_TEXT = 1024 };

struct ledger_change {
    enum table table;
    bool has_old, has_new;
    struct row_seen old, now;
    struct ledger_change *next;
};

/* ---- Tables, from tables.def. ---- */

#define COLUMN(name, type, need)     1 +
#define SEALED(name, need, category) 1 +
#define KEY(...)                     0
static const struct {
    text name;
    enum bound_kind kind;
    unsigned columns;
} tables[] = {
#define TABLE(name, erasure, kept_as, storage, bound, ...)                                                             \
    [TABLE_##name] = { TEXT_INIT(#name), BOUND_KIND_##bound, __VA_ARGS__ },
#define KEYRING_TABLE(...)
#define INDEX(...)
#include "store/tables.def"
#undef TABLE
#undef COLUMN
#undef SEALED
#undef KEY
};
#define COLUMN(name, type, need)
#define SEALED(name, need, category)
#define KEY(...) #__VA_ARGS__
static const char *const keys_of[] = {
#define TABLE(name, erasure, kept_as, storage, bound, ...) [TABLE_##name] = __VA_ARGS__,
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
#undef COLUMN
#undef SEALED
#undef KEY
};

enum bound_kind ledger_kind(enum table t) { return tables[t].kind; }

bool ledger_per_person(enum table t)
{
    return tables[t].kind == BOUND_KIND_person || tables[t].kind == BOUND_KIND_itself;
}

int ledger_rows_sql(enum table t)
{
    static const int rows[] = {
#define ROWS_free(name)                                    -1
#define ROWS_itself(name)                                  SQL_ROWS_##name
#define ROWS_person(name)                                  SQL_ROWS_##name
#define ROWS_passing(name)                                 SQL_ROWS_##name
#define ROWS_id(name)                                      SQL_ROWS_##name
#define ROWS_digest(name)                                  SQL_ROWS_##name
#define ROWS_whole(name)                                   SQL_ROWS_##name
#define TABLE(name, erasure, kept_as, storage, bound, ...) [TABLE_##name] = ROWS_##bound(name),
#define KEYRING_TABLE(...)
#define INDEX(...)
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
    };
    return rows[t];
}

static bool word_of(text list, text word)
{
    while (list.n)
        if (text_eq(text_trim(text_cut(&list, ',')), word))
            return true;
    return false;
}

static struct ledger_shape shape_of(enum table t)
{
    static const text scopes[] = {
        [BOUND_KIND_itself] = TEXT_INIT("id"),       [BOUND_KIND_person] = TEXT_INIT("subject"),
        [BOUND_KIND_passing] = TEXT_INIT("subject"), [BOUND_KIND_id] = TEXT_INIT("id"),
        [BOUND_KIND_digest] = TEXT_INIT("digest"),   [BOUND_KIND_whole] = TEXT_INIT("")
    };
    const struct table_row *row = table_row(t);
    struct ledger_shape s = { -1, -1, 0, 0 };
    for (unsigned i = 0; i < row->column_count; i++) {
        text name = row->columns[i].name;
        bool scoped = text_eq(name, scopes[tables[t].kind]), tenant = text_eq(name, TEXT("tenant"));
        if (scoped)
            s.scope = (int)i;
        if (tenant)
            s.tenant = (int)i;
        /* Sealed to its row and written once: the board opens it. What signs people in is bound as well, since it has
         * older states. */
        if (row->columns[i].type == COLUMN_sealed && row->columns[i].category != PERSONAL_accounts)
            s.told |= 1u << i;
        if ((t == TABLE_policy_version || t == TABLE_wording) && text_eq(name, TEXT("text")))
            s.told |= 1u << i; /* found by its digest, which the board makes again */
        if (!scoped && !tenant && word_of(text_of(keys_of[t]), name))
            s.key |= 1u << i;
    }
    return s;
}

/* ---- One row. ---- */

struct scope ledger_scope(enum table t, text tenant, text key)
{
    struct scope s = { .tenant = tables[t].kind == BOUND_KIND_whole ? TEXT("") : tenant };
    if (tables[t].kind != BOUND_KIND_whole && key.p)
        memcpy(s.id.b, key.p, key.n < sizeof s.id.b ? key.n : sizeof s.id.b);
    return s;
}

static void key_text(struct buf *b, const struct cell *c)
{
    if (b->n)
        buf_char(b, '/');
    if (c->kind == CELL_INT)
        buf_print(b, "%lld", (long long)c->number);
    else if (c->is_text)
        buf_add(b, c->bytes);
    else
        buf_hex(b, c->bytes);
}

/* Of meta only these decide: the policy in force, where the journal begins, for which policy terms were counted. */
static bool decides(enum table t, const struct cell *cells)
{
    return t != TABLE_meta || text_eq(cells[0].bytes, TEXT("policy")) ||
           text_eq(cells[0].bytes, TEXT("journal.first")) || text_eq(cells[0].bytes, TEXT("retention"));
}

enum err ledger_row(const struct ledger *l, struct arena *a, enum table t, const struct cell *cells, unsigned count,
                    struct row_seen *out, bool *counts)
{
    const struct ledger_shape s = l->shapes[t];
    struct bind b;
    BUF_AUTO key = buf_make(KEY_TEXT);
    *counts = decides(t, cells);
    if (!*counts)
        return OK;
    out->scope = ledger_scope(t, s.tenant < 0 ? TEXT("") : cells[s.tenant].bytes,
                              s.scope < 0 ? (text){ NULL, 0 } : cells[s.scope].bytes);
    out->scope.tenant = arena_copy(a, out->scope.tenant);
    TRY_PTR(out->scope.tenant.p);
    while (count && cells[count - 1].kind ==
                        CELL_NULL) /* a column that a later version adds leaves older rows as they were bound */
        count--;
    bind_start(&b, "garant.ledger.r1", &l->rows);
    bind_text(&b, tables[t].name);
    for (unsigned i = 0; i < count; i++) {
        if (s.told >> i & 1)
            continue;
        bind_number(&b, cells[i].kind);
        if (cells[i].kind == CELL_INT)
            bind_number(&b, (uint64_t)cells[i].number);
        else if (cells[i].kind == CELL_BYTES)
            bind_text(&b, cells[i].bytes);
        if (s.key >> i & 1)
            key_text(&key, &cells[i]);
    }
    bind_end(&b, out->proof);
    return buf_take(a, &key, &out->key);
}

static void bind_scope(struct bind *b, enum table t, const struct scope *s)
{
    bind_text(b, tables[t].name);
    bind_text(b, s->tenant);
    bind_text(b, TEXT_BYTES(s->id));
}

void ledger_bound_mac(const struct ledger *l, enum table t, const struct row_seen *r, uint64_t entry,
                      uint8_t mac[LEDGER_MAC])
{
    struct bind b;
    uint8_t whole[BIND_SIZE];
    bind_start(&b, "garant.ledger.b1", &l->rows);
    bind_scope(&b, t, &r->scope);
    bind_text(&b, r->key);
    bind_number(&b, entry);
    bind_text(&b, TEXT_BYTES(r->proof));
    bind_end(&b, whole);
    memcpy(mac, whole, LEDGER_MAC);
}

/* ---- Sums. ---- */

void ledger_xor(uint8_t to[LEDGER_SUM], const uint8_t with[LEDGER_SUM])
{
    for (unsigned i = 0; i < LEDGER_SUM; i++)
        to[i] ^= with[i];
}

/* A sum is never in clear in the file: with the sums of many states, rows could be put together that have the same. */
static void pad(const struct ledger *l, enum table t, const struct scope *s, uint64_t entry, uint8_t sum[LEDGER_SUM])
{
    struct bind b;
    uint8_t mask[BIND_SIZE];
    bind_start(&b, "garant.ledger.p1", &l->sums);
    bind_scope(&b, t, s);
    bind_number(&b, entry);
    bind_end(&b, mask);
    ledger_xor(sum, mask);
}

static void sum_mac(const struct ledger *l, enum table t, const struct scope *s, const struct scope_sum *sum,
                    uint8_t mac[LEDGER_MAC])
{
    struct bind b;
    uint8_t whole[BIND_SIZE];
    bind_start(&b, "garant.ledger.s1", &l->sums);
    bind_scope(&b, t, s);
    bind_number(&b, sum->entry);
    bind_number(&b, (uint64_t)sum->count);
    bind_text(&b, TEXT_BYTES(sum->sum));
    bind_end(&b, whole);
    memcpy(mac, whole, LEDGER_MAC);
}

enum err ledger_sum_of(struct db *db, enum table t, const struct scope *s, struct scope_sum *out)
{
    const struct ledger *l = &db->store->ledger;
    uint8_t mac[LEDGER_MAC];
    *out = (struct scope_sum){ .genuine = true };
    QUERY_AUTO q;
    query_start(&q, db, SQL_LEDGER_GET, ARGS(V_TEXT(s->tenant), V_ID(s->id), V_TEXT(tables[t].name)));
    if (!query_next(&q))
        return q.status;
    text proof = query_bytes(&q, 2);
    out->there = true;
    out->entry = (uint64_t)query_int(&q, 0);
    out->count = query_int(&q, 1);
    out->genuine = proof.n == LEDGER_SUM + LEDGER_MAC;
    if (!out->genuine)
        return OK;
    memcpy(out->sum, proof.p, LEDGER_SUM);
    pad(l, t, s, out->entry, out->sum);
    sum_mac(l, t, s, out, mac);
    out->genuine = memcmp(mac, proof.p + LEDGER_SUM, LEDGER_MAC) == 0;
    return OK;
}

struct ledger_sum ledger_whole_of(const struct ledger *l, enum table t, const struct scope *s,
                                  const struct scope_sum *sum)
{
    struct bind b;
    struct ledger_sum out;
    bind_start(&b, "garant.ledger.w1", &l->whole);
    bind_scope(&b, t, s);
    bind_number(&b, sum->entry);
    bind_number(&b, (uint64_t)sum->count);
    bind_text(&b, TEXT_BYTES(sum->sum));
    bind_end(&b, out.b);
    return out;
}

void ledger_state(const struct ledger *l, const struct ledger_sum *sum, uint64_t seq, uint8_t out[LEDGER_SUM])
{
    struct bind b;
    bind_start(&b, "garant.ledger.e1", &l->whole);
    bind_number(&b, seq);
    bind_text(&b, TEXT_BYTES(sum->b));
    bind_end(&b, out);
}

/* ---- The sum of all: its own row, under a name that no table has, of nobody. ---- */

static const struct scope nobody = { .tenant = TEXT_INIT("") };
static const text whole_name = TEXT_INIT("*");

static void whole_mask(const struct ledger *l, uint64_t seq, struct ledger_sum *sum)
{
    struct bind b;
    uint8_t mask[BIND_SIZE];
    bind_start(&b, "garant.ledger.q1", &l->whole);
    bind_number(&b, seq);
    bind_end(&b, mask);
    ledger_xor(sum->b, mask);
}

enum err ledger_sum_load(struct db *db, struct ledger_sum *out)
{
    *out = (struct ledger_sum){ 0 };
    QUERY_AUTO q;
    query_start(&q, db, SQL_LEDGER_GET, ARGS(V_TEXT(nobody.tenant), V_ID(nobody.id), V_TEXT(whole_name)));
    if (!query_next(&q))
        return q.status;
    text proof = query_bytes(&q, 2);
    memcpy(out->b, proof.p, proof.n < LEDGER_SUM ? proof.n : LEDGER_SUM);
    whole_mask(&db->store->ledger, (uint64_t)query_int(&q, 0), out);
    return OK;
}

enum err ledger_there(struct db *db, bool *out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_LEDGER_PAGE, ARGS(V_TEXT(TEXT("")), V_BYTES(TEXT("")), V_TEXT(TEXT("")), V_INT(1)));
    *out = query_next(&q);
    return q.status;
}

static enum err whole_put(struct db *db, uint64_t seq, struct ledger_sum sum)
{
    whole_mask(&db->store->ledger, seq, &sum);
    return db_run(db, SQL_LEDGER_PUT, NULL,
                  ARGS(V_TEXT(nobody.tenant), V_ID(nobody.id), V_TEXT(whole_name), V_INT((int64_t)seq), V_INT(0),
                       V_BYTES(TEXT_BYTES(sum))));
}

/* ---- What the writer changes. ---- */

static void append(struct ledger *l, struct ledger_change *c)
{
    if (l->first)
        l->last->next = c;
    else
        l->first = c;
    l->last = c;
}

static enum err take_down(struct ledger *l, enum table t, const struct cell *old, const struct cell *now)
{
    struct ledger_change *c = NEW(&l->arena, struct ledger_change);
    if (!c)
        return ERR_MEMORY;
    c->table = t;
    if (old)
        TRY(ledger_row(l, &l->arena, t, old, tables[t].columns, &c->old, &c->has_old));
    if (now)
        TRY(ledger_row(l, &l->arena, t, now, tables[t].columns, &c->now, &c->has_new));
    if (!c->has_old && !c->has_new)
        return OK;
    append(l, c);
    return OK;
}

bool ledger_takes(const struct db *db, enum table t)
{
    return db->store && db->store->ledger.armed && tables[t].kind != BOUND_KIND_free;
}

void ledger_changed(struct db *db, enum table t, bool seen, const struct cell *old, const struct cell *now)
{
    struct ledger *l = &db->store->ledger;
    db->checked_count = 0;
    if (!seen || take_down(l, t, old, now) != OK)
        l->lost = true;
}

void ledger_forget_changes(struct store *s)
{
    struct ledger *l = &s->ledger;
    l->last = NULL;
    l->first = NULL;
    l->unsaid = false;
    l->lost = false;
    s->writers[FILE_DATA]->checked_count = 0;
    arena_reset(&l->arena);
}

enum err ledger_settled(struct db *db)
{
    const struct ledger *l = &db->store->ledger;
    return !l->first && !l->lost && !l->unsaid
               ? OK
               : say(db->arena, ERR_INTERNAL, "rows of %s were changed without an entry of the journal",
                     l->first ? tables[l->first->table].name.p : "a table");
}

static bool same_scope(const struct scope *a, const struct scope *b)
{
    return memcmp(&a->id, &b->id, sizeof a->id) == 0 && text_eq(a->tenant, b->tenant);
}

void ledger_pending(const struct ledger *l, enum table t, const struct scope *s, struct scope_sum *sum)
{
    for (const struct ledger_change *c = l->first; c; c = c->next) {
        if (c->table != t)
            continue;
        if (c->has_old && same_scope(&c->old.scope, s)) {
            ledger_xor(sum->sum, c->old.proof);
            sum->count--;
        }
        if (c->has_new && same_scope(&c->now.scope, s)) {
            ledger_xor(sum->sum, c->now.proof);
            sum->count++;
        }
    }
}

/* ---- Binding. ---- */

#define V_SCOPE(s) V_TEXT((s).tenant), V_ID((s).id)

/* Whether the row was as it was bound: what was altered by somebody else keeps the binding that it does not fit. */
static enum err was_bound(struct db *db, enum table t, const struct row_seen *r, bool *out)
{
    uint8_t mac[LEDGER_MAC];
    QUERY_AUTO q;
    *out = false;
    query_start(&q, db, SQL_BOUND_GET, ARGS(V_SCOPE(r->scope), V_TEXT(tables[t].name), V_TEXT(r->key)));
    if (!query_next(&q))
        return q.status;
    text kept = query_bytes(&q, 1);
    ledger_bound_mac(&db->store->ledger, t, r, (uint64_t)query_int(&q, 0), mac);
    *out = text_eq(kept, TEXT_BYTES(mac));
    return OK;
}

static enum err bind_row(struct db *db, enum sql put, enum table t, const struct row_seen *r, uint64_t seq)
{
    uint8_t mac[LEDGER_MAC];
    ledger_bound_mac(&db->store->ledger, t, r, seq, mac);
    return db_run(
        db, put, NULL,
        ARGS(V_SCOPE(r->scope), V_TEXT(tables[t].name), V_TEXT(r->key), V_INT((int64_t)seq), V_BYTES(TEXT_BYTES(mac))));
}

static enum err bind_change(struct db *db, const struct ledger_change *c, uint64_t seq)
{
    bool good = false;
    if (!c->has_old && !c->has_new) /* forgotten since */
        return OK;
    if (!c->has_old)
        return bind_row(db, SQL_BOUND_ADD, c->table, &c->now, seq);
    TRY(was_bound(db, c->table, &c->old, &good));
    if (!good)
        return OK;
    if (c->has_new && same_scope(&c->old.scope, &c->now.scope) && text_eq(c->old.key, c->now.key))
        return bind_row(db, SQL_BOUND_PUT, c->table, &c->now, seq);
    TRY(db_run(db, SQL_BOUND_DROP, NULL,
               ARGS(V_SCOPE(c->old.scope), V_TEXT(tables[c->table].name), V_TEXT(c->old.key))));
    return c->has_new ? bind_row(db, SQL_BOUND_ADD, c->table, &c->now, seq) : OK;
}

static enum err sum_put(struct db *db, enum table t, const struct scope *s, const struct scope_sum *sum)
{
    const struct ledger *l = &db->store->ledger;
    uint8_t proof[LEDGER_SUM + LEDGER_MAC];
    memcpy(proof, sum->sum, LEDGER_SUM);
    pad(l, t, s, sum->entry, proof);
    sum_mac(l, t, s, sum, proof + LEDGER_SUM);
    return db_run(db, SQL_LEDGER_PUT, NULL,
                  ARGS(V_SCOPE(*s), V_TEXT(tables[t].name), V_INT((int64_t)sum->entry), V_INT(sum->count),
                       V_BYTES(TEXT_BYTES(proof))));
}

static bool empty(const struct scope_sum *s)
{
    static const uint8_t zero[LEDGER_SUM];
    return s->count == 0 && memcmp(s->sum, zero, sizeof zero) == 0;
}

static void whole_move(struct db *db, enum table t, const struct scope *s, const struct scope_sum *sum)
{
    if (sum->there)
        ledger_xor(db->store->edge.ledger.b, ledger_whole_of(&db->store->ledger, t, s, sum).b);
}

static enum err sum_drop(struct db *db, enum table t, const struct scope *s)
{
    return db_run(db, SQL_LEDGER_DROP, NULL, ARGS(V_SCOPE(*s), V_TEXT(tables[t].name)));
}

/* One side of a change, for the order of scopes: a write that touches many rows moves each scope once. */
struct side {
    const struct ledger_change *change;
    const struct row_seen *row;
    int sign;
};

static int by_scope(const void *a, const void *b)
{
    const struct side *x = a, *y = b;
    if (x->change->table != y->change->table)
        return x->change->table < y->change->table ? -1 : 1;
    int order = memcmp(&x->row->scope.id, &y->row->scope.id, sizeof x->row->scope.id);
    return order ? order : text_cmp(x->row->scope.tenant, y->row->scope.tenant);
}

/* What a person no longer has leaves an empty sum, so that the sums still tell of the newest entry. A sum that is not
 * genuine stays what it is: nothing is built on it. */
static enum err scope_move(struct db *db, const struct side *sides, size_t count, uint64_t seq)
{
    enum table t = sides->change->table;
    const struct scope *s = &sides->row->scope;
    struct scope_sum sum;
    TRY(ledger_sum_of(db, t, s, &sum));
    if (!sum.genuine)
        return OK;
    whole_move(db, t, s, &sum);
    for (size_t i = 0; i < count; i++) {
        ledger_xor(sum.sum, sides[i].row->proof);
        sum.count += sides[i].sign;
    }
    sum.entry = seq;
    sum.there = !empty(&sum) || ledger_per_person(t);
    whole_move(db, t, s, &sum);
    return sum.there ? sum_put(db, t, s, &sum) : sum_drop(db, t, s);
}

static enum err scopes_move(struct db *db, uint64_t seq)
{
    struct ledger *l = &db->store->ledger;
    size_t count = 0, n = 0;
    for (const struct ledger_change *c = l->first; c; c = c->next)
        count += (size_t)c->has_old + c->has_new;
    if (!count)
        return OK;
    struct side *sides = NEW_ARRAY(&l->arena, struct side, count);
    if (!sides)
        return say(db->arena, ERR_MEMORY, "no memory for %zu changes", count);
    for (const struct ledger_change *c = l->first; c; c = c->next) {
        if (c->has_old)
            sides[n++] = (struct side){ c, &c->old, -1 };
        if (c->has_new)
            sides[n++] = (struct side){ c, &c->now, 1 };
    }
    if (count > 1)
        qsort(sides, count, sizeof *sides, by_scope);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && by_scope(&sides[from], &sides[to]) == 0;)
            to++;
        TRY(scope_move(db, sides + from, to - from, seq));
    }
    return OK;
}

static bool is_own(const struct ledger_change *c, const struct scope *person)
{
    return person && ledger_per_person(c->table) &&
           ((c->has_old && same_scope(&c->old.scope, person)) || (c->has_new && same_scope(&c->now.scope, person)));
}

enum err ledger_flush(struct db *db, uint64_t seq, const struct scope *person, uint8_t state[LEDGER_SUM], bool *any,
                      bool *own)
{
    struct store *s = db->store;
    struct ledger *l = &s->ledger;
    *own = false;
    *any = l->armed && (l->first || l->unsaid);
    if (l->lost)
        return say(db->arena, ERR_MEMORY, "a change could not be bound to its entry");
    if (!*any)
        return OK;
    for (const struct ledger_change *c = l->first; c; c = c->next) {
        TRY(bind_change(db, c, seq));
        *own |= is_own(c, person);
    }
    TRY(scopes_move(db, seq));
    ledger_forget_changes(s);
    s->decided |= !s->member || !s->member->put_count; /* of a new person the keyring has the key already */
    TRY(whole_put(db, seq, s->edge.ledger));
    ledger_state(l, &s->edge.ledger, seq, state);
    return OK;
}

/* Of that scope nothing is to be bound any more. */
static void changes_drop(struct ledger *l, enum table t, const struct scope *s)
{
    for (struct ledger_change *c = l->first; c; c = c->next)
        if (c->table == t) {
            c->has_old = c->has_old && !same_scope(&c->old.scope, s);
            c->has_new = c->has_new && !same_scope(&c->now.scope, s);
        }
}

enum err ledger_forget(struct db *db, enum table t, text tenant, struct subject_id subject)
{
    struct scope s = { tenant, subject };
    struct scope_sum sum;
    if (!ledger_per_person(t) || !db->store->ledger.armed)
        return OK;
    changes_drop(&db->store->ledger, t, &s);
    TRY(db_run(db, SQL_BOUND_FORGET, NULL, ARGS(V_SCOPE(s), V_TEXT(tables[t].name))));
    TRY(ledger_sum_of(db, t, &s, &sum));
    if (!sum.there)
        return OK;
    whole_move(db, t, &s, &sum);
    db->store->ledger.unsaid = true;
    return sum_drop(db, t, &s);
}

/* ---- All of it anew. ---- */

static enum err bind_step(struct db *db, uint64_t seq, int64_t *rows)
{
    struct ledger *l = &db->store->ledger;
    for (const struct ledger_change *c = l->first; c; c = c->next, ++*rows)
        TRY(bind_row(db, SQL_BOUND_PUT, c->table, &c->now, seq));
    TRY(scopes_move(db, seq));
    ledger_forget_changes(db->store);
    return OK;
}

enum err ledger_read(struct query *q, const struct ledger *l, struct arena *a, enum table t, struct row_seen *out,
                     bool *counts)
{
    struct cell cells[CELLS];
    for (unsigned i = 0; i < tables[t].columns; i++)
        cells[i] = query_cell(q, (int)i);
    return ledger_row(l, a, t, cells, tables[t].columns, out, counts);
}

static enum err bind_table(struct db *db, enum table t, enum sql all, uint64_t seq, int64_t *rows)
{
    struct ledger *l = &db->store->ledger;
    QUERY_AUTO q;
    query_start(&q, db, all, ARGS());
    for (int64_t n = 1; query_next(&q); n++) {
        struct ledger_change *c = NEW(&l->arena, struct ledger_change);
        if (!c)
            return say(db->arena, ERR_MEMORY, "no memory to bind rows");
        c->table = t;
        TRY(ledger_read(&q, l, &l->arena, t, &c->now, &c->has_new));
        if (c->has_new)
            append(l, c);
        if (n % BIND_STEP == 0)
            TRY(bind_step(db, seq, rows));
    }
    TRY(q.status);
    return bind_step(db, seq, rows);
}

enum err ledger_bind_all(struct db *db, int64_t *rows)
{
    struct store *s = db->store;
    uint64_t seq = s->edge.tree.size;
    *rows = 0;
    s->ledger.armed = false;
    s->edge.ledger = (struct ledger_sum){ 0 };
    ledger_forget_changes(s);
    TRY(db_run(db, SQL_BOUND_NONE, NULL, ARGS()));
    TRY(db_run(db, SQL_LEDGER_NONE, NULL, ARGS()));
#define ALL_free(name)
#define ALL_itself(name)                                   TRY(bind_table(db, TABLE_##name, SQL_ALL_##name, seq, rows));
#define ALL_person(name)                                   ALL_itself(name)
#define ALL_passing(name)                                  ALL_itself(name)
#define ALL_id(name)                                       ALL_itself(name)
#define ALL_digest(name)                                   ALL_itself(name)
#define ALL_whole(name)                                    ALL_itself(name)
#define TABLE(name, erasure, kept_as, storage, bound, ...) ALL_##bound(name)
#define KEYRING_TABLE(...)
#define INDEX(...)
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
    s->ledger.unsaid = true;
    s->ledger.armed = true;
    return OK;
}

/* ---- Opening. ---- */

/* Rows of before: bound as they stand, with an entry that says how many. A folder without entries has nothing to say.
 */
static enum err first_binding(struct store *s)
{
    struct db *data = s->writers[FILE_DATA];
    struct event e = { .act = TEXT("ledger.bound"), .actor = TEXT("garant") };
    edge_copy(&s->saved, &s->edge);
    TRY(db_control(data, CONTROL_BEGIN));
    data->writing = true;
    enum err status = ledger_bind_all(data, &e.count);
    if (status == OK && s->edge.tree.size)
        status = journal_add(data, &e, NULL);
    else if (status == OK) {
        s->ledger.unsaid = false;
        status = whole_put(data, 0, s->edge.ledger);
    }
    if (status == OK)
        status = db_control(data, CONTROL_COMMIT);
    data->writing = false;
    if (status != OK)
        group_undo(s);
    return status;
}

static void keys_make(struct ledger *l, const struct key *secret)
{
    key_derive(secret, TEXT("rows"), &l->rows);
    key_derive(secret, TEXT("sums"), &l->sums);
    key_derive(secret, TEXT("whole"), &l->whole);
    l->arena = arena_make(CHANGES_MEMORY);
    for (enum table t = 0; t < TABLE_COUNT; t++)
        l->shapes[t] = shape_of(t);
}

enum err ledger_open(struct store *s, const struct key *secret, bool fresh)
{
    keys_make(&s->ledger, secret);
    if (fresh)
        return first_binding(s);
    TRY(ledger_sum_load(s->writers[FILE_DATA], &s->edge.ledger));
    s->ledger.armed = !s->restoring;
    return OK;
}

void ledger_close(struct store *s)
{
    key_wipe(&s->ledger.rows);
    key_wipe(&s->ledger.sums);
    key_wipe(&s->ledger.whole);
    arena_free(&s->ledger.arena);
}

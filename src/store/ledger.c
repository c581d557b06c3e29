/* The ledger: what the writer changes is taken down row by row, and bound to the journal entry of the same commit. */
#include "store/ledger.h"
#include "base/log.h"
#include "crypt/bind.h"
#include "store/engine.h"

enum { CHANGES_MEMORY = 512 << 20, BIND_STEP = 1000, KEY_TEXT = 1024 };

struct ledger_change {
    enum table table;
    bool has_old, has_new;
    bool forgotten; /* all of old.scope went with its person: nothing is left of it */
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
    return tables[t].kind == BOUND_KIND_person || tables[t].kind == BOUND_KIND_itself || ledger_named(t);
}

bool ledger_named(enum table t) { return tables[t].kind == BOUND_KIND_named; }

bool ledger_shared(enum table t) { return tables[t].kind != BOUND_KIND_free && !ledger_per_person(t); }

unsigned ledger_parts(enum table t) { return tables[t].kind == BOUND_KIND_whole ? 1 : LEDGER_PARTS; }

enum table ledger_table_named(text name)
{
    for (enum table t = 0; t < TABLE_COUNT; t++)
        if (tables[t].kind != BOUND_KIND_free && text_eq(tables[t].name, name))
            return t;
    return TABLE_COUNT;
}

int ledger_rows_sql(enum table t, bool part)
{
    static const int rows[][2] = {
#define ROWS_free(name)                                                                                                \
    {                                                                                                                  \
        -1, -1                                                                                                         \
    }
#define ROWS_itself(name)                                                                                              \
    {                                                                                                                  \
        SQL_ROWS_##name, -1                                                                                            \
    }
#define ROWS_person(name) ROWS_itself(name)
#define ROWS_named(name)                                                                                               \
    {                                                                                                                  \
        SQL_ROWS_##name, SQL_PART_##name                                                                               \
    }
#define ROWS_id(name)                                      ROWS_itself(name)
#define ROWS_digest(name)                                  ROWS_itself(name)
#define ROWS_whole(name)                                   ROWS_itself(name)
#define TABLE(name, erasure, kept_as, storage, bound, ...) [TABLE_##name] = ROWS_##bound(name),
#define KEYRING_TABLE(...)
#define INDEX(...)
#include "store/tables.def"
#undef TABLE
#undef KEYRING_TABLE
#undef INDEX
    };
    return rows[t][part];
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
        [BOUND_KIND_itself] = TEXT_INIT("id"),     [BOUND_KIND_person] = TEXT_INIT("subject"),
        [BOUND_KIND_named] = TEXT_INIT("subject"), [BOUND_KIND_id] = TEXT_INIT("id"),
        [BOUND_KIND_digest] = TEXT_INIT("digest"), [BOUND_KIND_whole] = TEXT_INIT("")
    };
    const struct table_row *row = table_row(t);
    struct ledger_shape s = { -1, -1, -1, 0, 0 };
    for (unsigned i = 0; i < row->column_count; i++) {
        text name = row->columns[i].name;
        bool scoped = text_eq(name, scopes[tables[t].kind]), tenant = text_eq(name, TEXT("tenant"));
        if (scoped)
            s.scope = (int)i;
        if (tenant)
            s.tenant = (int)i;
        if (ledger_named(t) && text_eq(name, TEXT("name")))
            s.part = (int)i;
        /* Sealed to its row and written once: the board opens it. What signs people in is bound as well, since it has
         * older states. */
        if (row->columns[i].type == COLUMN_sealed && row->columns[i].category != PERSONAL_accounts)
            s.told |= 1u << i;
        if ((t == TABLE_policy_version || t == TABLE_wording) && text_eq(name, TEXT("text")))
            s.told |= 1u << i; /* found by its digest, which the board makes again */
        bool person = ledger_per_person(t) && (scoped || tenant);
        if (!person && word_of(text_of(keys_of[t]), name))
            s.key |= 1u << i;
    }
    return s;
}

/* ---- One row. ---- */

struct scope ledger_part(enum table t, unsigned part)
{
    must(part < ledger_parts(t));
    return (struct scope){ .tenant = TEXT(""), .id = { { (uint8_t)part } } };
}

/* Digests are even from their first byte on; ids begin with the time they were made. */
static unsigned part_of(enum table t, text key)
{
    size_t at = tables[t].kind == BOUND_KIND_digest ? 0 : SUBJECT_ID - 1;
    return tables[t].kind == BOUND_KIND_whole || key.n <= at ? 0 : (uint8_t)key.p[at] * LEDGER_PARTS / 256;
}

unsigned ledger_part_named(text name) { return 1 + (name.n ? (uint8_t)name.p[0] * LEDGER_PARTS / 256 : 0); }

static unsigned named_part(const struct ledger_shape *s, const struct cell *cells)
{
    return s->part < 0 ? 0 : ledger_part_named(cells[s->part].bytes);
}

struct scope ledger_scope(enum table t, text tenant, text key)
{
    if (!ledger_per_person(t))
        return ledger_part(t, part_of(t, key));
    struct scope s = { .tenant = tenant };
    memcpy(s.id.b, key.p ? key.p : "", key.n < sizeof s.id.b ? key.n : sizeof s.id.b);
    return s;
}

bool ledger_same_scope(const struct scope *a, const struct scope *b)
{
    return memcmp(&a->id, &b->id, sizeof a->id) == 0 && text_eq(a->tenant, b->tenant);
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

/* The digest of all that decides in it. */
static void proof_of(const struct ledger *l, enum table t, const struct cell *cells, unsigned count,
                     uint8_t proof[LEDGER_SUM])
{
    struct bind b;
    uint8_t whole[BIND_SIZE];
    while (count && cells[count - 1].kind ==
                        CELL_NULL) /* a column that a later version adds leaves older rows as they were bound */
        count--;
    bind_start(&b, "garant.ledger.r2", &l->rows);
    bind_text(&b, tables[t].name);
    for (unsigned i = 0; i < count; i++) {
        if (l->shapes[t].told >> i & 1)
            continue;
        bind_number(&b, cells[i].kind);
        if (cells[i].kind == CELL_INT)
            bind_number(&b, (uint64_t)cells[i].number);
        else if (cells[i].kind == CELL_BYTES)
            bind_text(&b, cells[i].bytes);
    }
    bind_end(&b, whole);
    memcpy(proof, whole, LEDGER_SUM);
}

enum err ledger_row(const struct ledger *l, struct arena *a, enum table t, const struct cell *cells, unsigned count,
                    struct row_seen *out, bool *counts)
{
    const struct ledger_shape s = l->shapes[t];
    BUF_AUTO key = buf_make(KEY_TEXT);
    *counts = decides(t, cells);
    if (!*counts)
        return OK;
    text tenant = s.tenant < 0 ? TEXT("") : cells[s.tenant].bytes;
    out->scope = ledger_scope(t, tenant, s.scope < 0 ? (text){ NULL, 0 } : cells[s.scope].bytes);
    out->scope.tenant = arena_copy(a, out->scope.tenant);
    TRY_PTR(out->scope.tenant.p);
    out->scope.part = named_part(&s, cells);
    proof_of(l, t, cells, count, out->proof);
    for (unsigned i = 0; i < count; i++)
        if (s.key >> i & 1 && cells[i].kind != CELL_NULL)
            key_text(&key, &cells[i]);
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
    bind_start(&b, "garant.ledger.b2", &l->rows);
    bind_scope(&b, t, &r->scope);
    bind_text(&b, r->key);
    bind_number(&b, entry);
    bind_text(&b, TEXT_BYTES(r->proof));
    bind_end(&b, whole);
    memcpy(mac, whole, LEDGER_MAC);
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
    if (c->has_old || c->has_new)
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
    db->store->touched[t] = true;
    ledger_forget_table(db, t);
    if (!seen || take_down(l, t, old, now) != OK)
        l->lost = true;
}

static void changes_end(struct ledger *l)
{
    l->first = NULL;
    l->last = NULL;
    l->lost = false;
    l->unsaid = false;
    arena_reset(&l->arena);
}

void ledger_forget_changes(struct store *s)
{
    changes_end(&s->ledger);
    ledger_forget_checked(s->writers[FILE_DATA]);
}

static bool settled(const struct ledger *l) { return !l->first && !l->lost && !l->unsaid; }

enum err ledger_settle(struct db *db)
{
    struct store *s = db->store;
    const struct ledger *l = &s->ledger;
    if (!settled(l))
        return say(db->arena, ERR_INTERNAL, "rows of %s were changed without an entry of the journal",
                   l->first ? tables[l->first->table].name.p : "a table");
    return s->edge.ledger.dirty ? ledger_star_put(db, &s->edge.ledger) : OK;
}

static bool covers(const struct scope *s, const struct scope *row)
{
    return ledger_same_scope(s, row) && (!s->part || s->part == row->part);
}

void ledger_pending(const struct ledger *l, enum table t, const struct scope *s, struct slot *sum)
{
    for (const struct ledger_change *c = l->first; c; c = c->next) {
        if (c->table != t)
            continue;
        if (c->forgotten && ledger_same_scope(&c->old.scope, s))
            *sum = (struct slot){ .name = sum->name };
        if (c->has_old && covers(s, &c->old.scope))
            ledger_slot_add(sum, c->old.proof, -1);
        if (c->has_new && covers(s, &c->now.scope))
            ledger_slot_add(sum, c->now.proof, 1);
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
    text kept = query_get(&q, BOUND_GET, mac);
    ledger_bound_mac(&db->store->ledger, t, r, (uint64_t)query_get(&q, BOUND_GET, entry), mac);
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
    if (c->has_new && ledger_same_scope(&c->old.scope, &c->now.scope) && text_eq(c->old.key, c->now.key))
        return bind_row(db, SQL_BOUND_PUT, c->table, &c->now, seq);
    TRY(db_run(db, SQL_BOUND_DROP, NULL,
               ARGS(V_SCOPE(c->old.scope), V_TEXT(tables[c->table].name), V_TEXT(c->old.key))));
    return c->has_new ? bind_row(db, SQL_BOUND_ADD, c->table, &c->now, seq) : OK;
}

/* One side of a change, for the order of heads: an entry that touches many rows moves each head once. */
struct side {
    const struct ledger_change *change;
    const struct row_seen *row;
    struct head_of of;
    uint32_t slot;
    int sign;
};

static int by_head(const void *a, const void *b)
{
    const struct side *x = a, *y = b;
    int order = memcmp(&x->of.scope.id, &y->of.scope.id, sizeof x->of.scope.id);
    if (order == 0)
        order = text_cmp(x->of.scope.tenant, y->of.scope.tenant);
    return order ? order : text_cmp(x->of.name, y->of.name);
}

static enum err head_drop(struct db *db, const struct head_of *of)
{
    return db_run(db, SQL_LEDGER_DROP, NULL, ARGS(V_SCOPE(of->scope), V_TEXT(of->name)));
}

static void star_move(struct db *db, const struct head_of *of, const struct head *h)
{
    uint8_t share[LEDGER_STATE];
    ledger_share(&db->store->ledger, of, h->entry, TEXT_BYTES(h->mac), share);
    ledger_xor(db->store->edge.ledger.sum, share, sizeof share);
}

static void slot_move(const struct ledger *l, struct head *h, const struct side *side)
{
    static const uint8_t zero[LEDGER_SUM];
    enum table t = side->change->table;
    if (side->change->forgotten) {
        ledger_slots_drop(l, h, t);
        return;
    }
    struct slot *s = ledger_slot_make(h, ledger_undivided(l, h, t) ? l->codes[t] : side->slot);
    ledger_slot_add(s, side->row->proof, side->sign);
    if (s->count == 0 && memcmp(s->sum, zero, sizeof zero) == 0)
        ledger_slot_drop(h, s);
}

/* Somebody whose key was put by this very write has no head yet, and no entry. */
static bool just_made(const struct store *s, const struct head_of *of)
{
    const struct write *w = s->member;
    for (unsigned i = 0; w && i < w->put_count; i++)
        if (w->puts[i].key_class == 0 && memcmp(&w->puts[i].subject, &of->scope.id, sizeof of->scope.id) == 0)
            return true;
    return false;
}

/* A head that is not genuine, or of another time, stays what it is: nothing is built on it, so that writing launders
 * nothing. */
static enum err may_move(struct db *db, const struct side *first, const struct head *h, bool *out)
{
    uint64_t entry;
    bool person = ledger_per_person(first->change->table);
    *out = h->genuine;
    if (!h->genuine || (!h->there && just_made(db->store, &first->of)))
        return OK;
    if (person && ledger_newest_known(db, &first->of.scope))
        return OK;
    return ledger_is_newest(db, first->change->table, &first->row->scope, h, &entry, out);
}

static bool is_gone(const struct side *sides, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sides[i].change->forgotten && tables[sides[i].change->table].kind == BOUND_KIND_itself)
            return true;
    return false;
}

static enum err head_move(struct db *db, const struct side *sides, size_t count, uint64_t seq)
{
    struct ledger_fresh *fresh = &db->store->edge.ledger.fresh;
    const struct head_of *of = &sides->of;
    enum table t = sides->change->table;
    struct head *h;
    bool may, gone = is_gone(sides, count);
    TRY(ledger_head_here(db, of, &h));
    TRY(may_move(db, sides, h, &may));
    if (!may && !gone)
        return OK;
    if (h->there)
        star_move(db, of, h);
    if (gone) {
        bool there = h->there;
        ledger_heads_forget(db);
        return there ? head_drop(db, of) : OK;
    }
    for (size_t i = 0; i < count; i++)
        slot_move(&db->store->ledger, h, &sides[i]);
    h->entry = seq;
    TRY(ledger_head_put(db, of, h));
    star_move(db, of, h);
    if (ledger_shared(t))
        fresh->newest[t] = seq + 1;
    else
        ledger_newest_remember(db, &of->scope);
    return OK;
}

static size_t sides_of(const struct ledger *l, const struct ledger_change *c, struct side *out)
{
    size_t n = 0;
    if (c->has_old || c->forgotten)
        out[n++] = (struct side){ c, &c->old, ledger_head_of(c->table, &c->old.scope),
                                  ledger_slot_name(l, c->table, &c->old.scope), -1 };
    if (c->has_new)
        out[n++] = (struct side){ c, &c->now, ledger_head_of(c->table, &c->now.scope),
                                  ledger_slot_name(l, c->table, &c->now.scope), 1 };
    return n;
}

static enum err heads_move(struct db *db, uint64_t seq)
{
    struct ledger *l = &db->store->ledger;
    size_t room = 0, count = 0;
    for (const struct ledger_change *c = l->first; c; c = c->next)
        room += 2;
    if (!room)
        return OK;
    struct side *sides = NEW_ARRAY(&l->arena, struct side, room);
    if (!sides)
        return say(db->arena, ERR_MEMORY, "no memory for %zu changes", room);
    for (const struct ledger_change *c = l->first; c; c = c->next)
        count += sides_of(l, c, sides + count);
    qsort(sides, count, sizeof *sides, by_head);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && by_head(&sides[from], &sides[to]) == 0;)
            to++;
        TRY(head_move(db, sides + from, to - from, seq));
    }
    return OK;
}

static bool is_own(const struct ledger_change *c, const struct scope *person)
{
    if (!person || !ledger_per_person(c->table))
        return false;
    bool was = c->has_old && ledger_same_scope(&c->old.scope, person);
    bool is = c->has_new && ledger_same_scope(&c->now.scope, person);
    return was || is;
}

static enum err changes_bind(struct db *db, uint64_t seq, const struct scope *person, bool *own)
{
    for (const struct ledger_change *c = db->store->ledger.first; c; c = c->next) {
        TRY(bind_change(db, c, seq));
        *own |= is_own(c, person);
    }
    return heads_move(db, seq);
}

enum err ledger_flush(struct db *db, uint64_t seq, const struct scope *person, uint8_t state[LEDGER_STATE], bool *any,
                      bool *own)
{
    struct store *s = db->store;
    struct ledger *l = &s->ledger;
    struct ledger_star *star = &s->edge.ledger;
    *own = false;
    *any = l->armed && (l->first || l->unsaid);
    if (l->lost)
        return say(db->arena, ERR_MEMORY, "a change could not be bound to its entry");
    if (!*any)
        return OK;
    TRY(changes_bind(db, seq, person, own));
    changes_end(l);
    s->decided |= !s->member || !s->member->put_count; /* of a new person the keyring has the key already */
    star->fresh.entry = seq + 1;
    star->dirty = true;
    ledger_state(l, star, state);
    return OK;
}

/* Of that scope nothing is to be bound any more. */
static void changes_drop(struct ledger *l, enum table t, const struct scope *s)
{
    for (struct ledger_change *c = l->first; c; c = c->next)
        if (c->table == t) {
            c->has_old = c->has_old && !ledger_same_scope(&c->old.scope, s);
            c->has_new = c->has_new && !ledger_same_scope(&c->now.scope, s);
        }
}

static bool has_something(struct ledger *l, enum table t, struct head *h)
{
    return h->there && (!h->genuine || tables[t].kind == BOUND_KIND_itself || ledger_slots_of(l, h, t));
}

enum err ledger_forget(struct db *db, enum table t, text tenant, struct subject_id subject, bool there)
{
    struct ledger *l = &db->store->ledger;
    struct scope s = { tenant, subject };
    struct head *h;
    int64_t bound = 0;
    if (!ledger_per_person(t) || !l->armed)
        return OK;
    changes_drop(l, t, &s);
    if (there)
        TRY(db_run(db, SQL_BOUND_FORGET, &bound, ARGS(V_SCOPE(s), V_TEXT(tables[t].name))));
    struct head_of of = ledger_head_of(t, &s);
    TRY(ledger_head_here(db, &of, &h));
    if (!bound && !has_something(l, t, h))
        return OK;
    struct ledger_change *c = NEW(&l->arena, struct ledger_change);
    if (!c)
        return say(db->arena, ERR_MEMORY, "no memory to forget what was bound");
    *c = (struct ledger_change){ .table = t,
                                 .forgotten = true,
                                 .old.scope = { arena_copy(&l->arena, tenant), subject } };
    if (!c->old.scope.tenant.p)
        return say(db->arena, ERR_MEMORY, "no memory to forget what was bound");
    append(l, c);
    return OK;
}

/* ---- All of it anew. ---- */

static enum err bind_step(struct db *db, uint64_t seq, int64_t *rows)
{
    struct ledger *l = &db->store->ledger;
    for (const struct ledger_change *c = l->first; c; c = c->next, ++*rows)
        TRY(bind_row(db, SQL_BOUND_PUT, c->table, &c->now, seq));
    TRY(heads_move(db, seq));
    ledger_forget_changes(db->store);
    return OK;
}

static void cells_read(struct query *q, enum table t, struct cell cells[CELLS])
{
    for (unsigned i = 0; i < tables[t].columns; i++)
        cells[i] = query_cell(q, i);
}

bool ledger_read_proof(struct query *q, const struct ledger *l, enum table t, uint8_t proof[LEDGER_SUM], unsigned *part)
{
    struct cell cells[CELLS];
    cells_read(q, t, cells);
    *part = named_part(&l->shapes[t], cells);
    if (!decides(t, cells))
        return false;
    proof_of(l, t, cells, tables[t].columns, proof);
    return true;
}

enum err ledger_read(struct query *q, const struct ledger *l, struct arena *a, enum table t, struct row_seen *out,
                     bool *counts)
{
    struct cell cells[CELLS];
    cells_read(q, t, cells);
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
    s->edge.ledger = (struct ledger_star){ .fresh = { .base = seq, .entry = seq }, .dirty = true };
    ledger_forget_changes(s);
    TRY(db_run(db, SQL_BOUND_NONE, NULL, ARGS()));
    TRY(db_run(db, SQL_LEDGER_NONE, NULL, ARGS()));
#define ALL_free(name)
#define ALL_itself(name)                                   TRY(bind_table(db, TABLE_##name, SQL_ALL_##name, seq, rows));
#define ALL_person(name)                                   ALL_itself(name)
#define ALL_named(name)                                    ALL_itself(name)
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
    s->ledger.armed = true;
    s->ledger.unsaid = true;
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
    else
        s->ledger.unsaid = false;
    if (status == OK)
        status = db_control(data, CONTROL_COMMIT);
    data->writing = false;
    if (status != OK)
        group_undo(s);
    return status;
}

/* FNV-1a: short, and the same in every program to come. */
static uint32_t code_of(text name)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (uint8_t)name.p[i]) * 16777619u;
    return h;
}

static void codes_make(struct ledger *l)
{
    unsigned slots = 0;
    for (enum table t = 0; t < TABLE_COUNT; t++) {
        l->codes[t] = code_of(tables[t].name);
        slots += ledger_per_person(t) ? 1 : 0;
        slots += ledger_named(t) ? LEDGER_PARTS : 0;
        for (enum table u = 0; u < t; u++) /* nor in the parts behind it */
            must(l->codes[u] - l->codes[t] > LEDGER_PARTS && l->codes[t] - l->codes[u] > LEDGER_PARTS);
    }
    must(slots <= LEDGER_SLOTS);
}

enum err ledger_open(struct store *s, const struct key *secret)
{
    struct ledger *l = &s->ledger;
    KEY_AUTO root;
    key_derive(secret, TEXT("garant ledger"), &root);
    key_derive(&root, TEXT("rows"), &l->rows);
    key_derive(&root, TEXT("sums"), &l->sums);
    key_derive(&root, TEXT("mask"), &l->mask);
    key_derive(&root, TEXT("whole"), &l->whole);
    l->arena = arena_make(CHANGES_MEMORY);
    for (enum table t = 0; t < TABLE_COUNT; t++)
        l->shapes[t] = shape_of(t);
    codes_make(l);
    return ledger_star_load(s->writers[FILE_DATA], &s->edge.ledger);
}

enum err ledger_there(struct db *db, bool *out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_LEDGER_PAGE, ARGS(V_TEXT(TEXT("")), V_BYTES(TEXT("")), V_TEXT(TEXT("")), V_INT(1)));
    *out = query_next(&q);
    return q.status;
}

/* An unbound file is of a program before the ledger when neither the keyring nor an entry knows of any binding. */
static enum err never_bound(struct store *s, bool noted, bool *out)
{
    struct db *data = s->writers[FILE_DATA];
    bool there;
    *out = false;
    TRY(ledger_there(data, &there));
    if (there || noted)
        return OK;
    QUERY_AUTO q;
    query_start(&q, data, SQL_JOURNAL_COMMITS, ARGS());
    *out = !query_next(&q);
    return q.status;
}

/* The file's is today's when it is what was acknowledged last, or, after a crash, what entries behind that commit to.
 */
static enum err star_is_todays(struct store *s, const struct ledger_star *noted, bool *out)
{
    const struct ledger_star *star = &s->edge.ledger;
    struct anchor newest;
    TRY(anchor_get(s->writers[FILE_KEYS], ANCHOR_NEWEST, &newest));
    *out = !star->fresh.stale && (noted->fresh.stale || star->fresh.entry >= noted->fresh.entry);
    if (!*out)
        return OK;
    return ledger_star_holds(s->writers[FILE_DATA], star, noted->fresh.stale ? 0 : newest.size, out);
}

/* Of another time: the keyring has it as it was acknowledged last, so that what was put back in the file is known one
 * by one. */
static enum err star_take(struct store *s, const struct ledger_star *noted)
{
    bool todays;
    TRY(star_is_todays(s, noted, &todays));
    if (todays)
        return OK;
    LOG(LOG_ERROR, "ledger.of-another-time");
    if (noted->fresh.stale)
        s->edge.ledger.fresh.stale = true;
    else
        s->edge.ledger = *noted;
    return OK;
}

enum err ledger_start(struct store *s)
{
    struct ledger_star noted;
    bool there, first;
    TRY(ledger_star_noted(s->writers[FILE_KEYS], &noted, &there));
    TRY(never_bound(s, there, &first));
    TRY(first ? first_binding(s) : star_take(s, &noted));
    s->ledger.armed = true;
    readers_renew(s);
    return first ? anchor_put(s, ANCHOR_NEWEST) : OK;
}

enum err ledger_note(struct store *s)
{
    const struct ledger_star *star = &s->edge.ledger;
    if (star->fresh.stale || (s->noted && s->noted == star->fresh.entry))
        return OK;
    TRY(ledger_star_note(s->writers[FILE_KEYS], star));
    s->noted = star->fresh.entry;
    return OK;
}

void ledger_close(struct store *s)
{
    struct ledger *l = &s->ledger;
    key_wipe(&l->rows);
    key_wipe(&l->sums);
    key_wipe(&l->mask);
    key_wipe(&l->whole);
    arena_free(&l->arena);
}

/* Heads of the ledger: the sums of a person, or of a table, sealed together; and the head of all heads, which the
 * journal commits to. */
#include "store/ledger.h"
#include "base/decode.h"
#include "crypt/bind.h"
#include "store/engine.h"

enum { SLOT_SIZE = 8 + LEDGER_SUM, STAR_ROOM = LEDGER_STATE + 8 + 12 * TABLE_COUNT, NAMED_SIZE = 12 };
_Static_assert(SLOT_SIZE *LEDGER_SLOTS >= STAR_ROOM, "one buffer serves both");
enum { PLAIN_MAX = SLOT_SIZE * LEDGER_SLOTS };
#define V_SCOPE(s) V_TEXT((s).tenant), V_ID((s).id)

static const struct head_of star_of = { { TEXT_INIT(""), { { 0 } } }, TEXT_INIT("*") };

struct head_of ledger_head_of(enum table t, const struct scope *s)
{
    if (ledger_per_person(t))
        return (struct head_of){ *s, LEDGER_PERSON };
    return (struct head_of){ ledger_part(t, 0), table_row(t)->name };
}

uint32_t ledger_slot_name(const struct ledger *l, enum table t, const struct scope *s)
{
    return ledger_per_person(t) ? l->codes[t] + s->part : s->id.b[0];
}

void ledger_xor(uint8_t *to, const uint8_t *with, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] ^= with[i];
}

/* ---- Slots. ---- */

struct slot *ledger_slot(struct head *h, uint32_t name)
{
    for (unsigned i = 0; i < h->count; i++)
        if (h->slots[i].name == name)
            return &h->slots[i];
    return NULL;
}

struct slot *ledger_slot_make(struct head *h, uint32_t name)
{
    struct slot *found = ledger_slot(h, name);
    if (found)
        return found;
    must(h->count < LEDGER_SLOTS); /* codes_make() counts those of a person; a table has no more parts */
    found = &h->slots[h->count++];
    *found = (struct slot){ .name = name };
    return found;
}

void ledger_slot_drop(struct head *h, struct slot *s) { *s = h->slots[--h->count]; }

static bool is_of(const struct ledger *l, enum table t, const struct slot *s)
{
    return s->name - l->codes[t] <= (ledger_named(t) ? LEDGER_PARTS : 0);
}

bool ledger_undivided(const struct ledger *l, const struct head *h, enum table t)
{
    return ledger_named(t) && ledger_slot((struct head *)h, l->codes[t]);
}

bool ledger_slots_of(const struct ledger *l, struct head *h, enum table t)
{
    for (unsigned i = 0; i < h->count; i++)
        if (is_of(l, t, &h->slots[i]))
            return true;
    return false;
}

void ledger_slots_drop(const struct ledger *l, struct head *h, enum table t)
{
    for (unsigned i = h->count; i-- > 0;)
        if (is_of(l, t, &h->slots[i]))
            ledger_slot_drop(h, &h->slots[i]);
}

void ledger_slot_add(struct slot *s, const uint8_t proof[LEDGER_SUM], int sign)
{
    ledger_xor(s->sum, proof, LEDGER_SUM);
    s->count += (uint32_t)sign;
}

/* ---- Sealing: a sum is never in clear in the file, else rows could be put together from those of many states that
 * have the same. ---- */

static void bind_head(struct bind *b, const struct head_of *of, uint64_t entry)
{
    bind_text(b, of->scope.tenant);
    bind_text(b, TEXT_BYTES(of->scope.id));
    bind_text(b, of->name);
    bind_number(b, entry);
}

static void mask(const struct ledger *l, const struct head_of *of, uint64_t entry, uint8_t *bytes, size_t size)
{
    struct bind b;
    uint8_t nonce[BIND_SIZE];
    _Static_assert(BIND_SIZE >= crypto_stream_xchacha20_NONCEBYTES, "a nonce is the beginning of a digest");
    bind_start(&b, "garant.ledger.p2", &l->sums);
    bind_head(&b, of, entry);
    bind_end(&b, nonce);
    crypto_stream_xchacha20_xor(bytes, bytes, size, nonce, l->mask.b);
}

static void mac_of(const struct ledger *l, const struct head_of *of, uint64_t entry, text masked,
                   uint8_t mac[LEDGER_MAC])
{
    struct bind b;
    uint8_t whole[BIND_SIZE];
    bind_start(&b, "garant.ledger.s2", &l->sums);
    bind_head(&b, of, entry);
    bind_text(&b, masked);
    bind_end(&b, whole);
    memcpy(mac, whole, LEDGER_MAC);
}

/* `proof` has room for size + LEDGER_MAC, and the plain bytes in it. */
static text seal_head(const struct ledger *l, const struct head_of *of, uint64_t entry, uint8_t *proof, size_t size)
{
    text all = { (const char *)proof, size + LEDGER_MAC };
    mask(l, of, entry, proof, size);
    mac_of(l, of, entry, text_upto(all, size), proof + size);
    return all;
}

static enum err sealed_put(struct db *db, const struct head_of *of, uint64_t entry, uint8_t *proof, size_t size)
{
    text all = seal_head(&db->store->ledger, of, entry, proof, size);
    return db_run(db, SQL_LEDGER_PUT, NULL,
                  ARGS(V_SCOPE(of->scope), V_TEXT(of->name), V_INT((int64_t)entry), V_BYTES(all)));
}

/* The plain bytes into `out`; false when they are not what was put. */
static bool unseal(const struct ledger *l, const struct head_of *of, uint64_t entry, text proof, uint8_t out[PLAIN_MAX],
                   size_t *size)
{
    uint8_t mac[LEDGER_MAC];
    if (proof.n < LEDGER_MAC || proof.n - LEDGER_MAC > PLAIN_MAX)
        return false;
    *size = proof.n - LEDGER_MAC;
    mac_of(l, of, entry, text_upto(proof, *size), mac);
    if (sodium_memcmp(mac, proof.p + *size, LEDGER_MAC) != 0)
        return false;
    memcpy(out, proof.p, *size);
    mask(l, of, entry, out, *size);
    return true;
}

static uint8_t *number_put(uint8_t *to, uint64_t n, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(n >> 8 * i);
    return to + bytes;
}

static uint64_t number_get(const uint8_t *from, unsigned bytes)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < bytes; i++)
        n |= (uint64_t)from[i] << 8 * i;
    return n;
}

/* ---- A head. ---- */

static bool slots_read(struct head *h, const uint8_t *plain, size_t size)
{
    for (size_t at = 0; at + SLOT_SIZE <= size; at += SLOT_SIZE) {
        struct slot *s = &h->slots[h->count++];
        s->name = (uint32_t)number_get(plain + at, 4);
        s->count = (uint32_t)number_get(plain + at + 4, 4);
        memcpy(s->sum, plain + at + 8, LEDGER_SUM);
    }
    return size % SLOT_SIZE == 0;
}

enum err ledger_head_read(struct db *db, const struct head_of *of, struct head *out)
{
    uint8_t plain[PLAIN_MAX];
    size_t size;
    out->entry = 0;
    out->count = 0;
    out->there = false;
    out->genuine = true;
    QUERY_AUTO q;
    query_start(&q, db, SQL_LEDGER_GET, ARGS(V_SCOPE(of->scope), V_TEXT(of->name)));
    if (!query_next(&q))
        return q.status;
    text proof = query_get(&q, LEDGER_GET, proof);
    out->there = true;
    out->entry = (uint64_t)query_get(&q, LEDGER_GET, entry);
    out->genuine = unseal(&db->store->ledger, of, out->entry, proof, plain, &size) && slots_read(out, plain, size);
    text mac = proof.n < LEDGER_MAC ? proof : text_from(proof, proof.n - LEDGER_MAC);
    memset(out->mac, 0, sizeof out->mac);
    memcpy(out->mac, mac.p ? mac.p : "", mac.n);
    return OK;
}

enum err ledger_head_put(struct db *db, const struct head_of *of, struct head *h)
{
    uint8_t proof[PLAIN_MAX + LEDGER_MAC], *to = proof;
    for (unsigned i = 0; i < h->count; i++) {
        to = number_put(number_put(to, h->slots[i].name, 4), h->slots[i].count, 4);
        memcpy(to, h->slots[i].sum, LEDGER_SUM);
        to += LEDGER_SUM;
    }
    size_t size = (size_t)(to - proof);
    TRY(sealed_put(db, of, h->entry, proof, size));
    memcpy(h->mac, proof + size, LEDGER_MAC);
    h->there = true;
    return OK;
}

/* ---- The head that was read last: nobody else writes while a transaction or a snapshot lasts. ---- */

enum err ledger_head_here(struct db *db, const struct head_of *of, struct head **out)
{
    struct head_of_last *last = &db->last[!text_eq(of->name, LEDGER_PERSON)];
    bool same = last->there && memcmp(&last->id, &of->scope.id, sizeof last->id) == 0 &&
                text_eq(text_of(last->tenant), of->scope.tenant) && text_eq(text_of(last->name), of->name);
    *out = &last->head;
    if (same)
        return OK;
    last->there = false;
    TRY(ledger_head_read(db, of, &last->head));
    last->id = of->scope.id;
    last->there = text_cstr(of->scope.tenant, last->tenant, sizeof last->tenant) &&
                  text_cstr(of->name, last->name, sizeof last->name);
    return OK;
}

void ledger_heads_forget(struct db *db)
{
    db->last[0].there = false;
    db->last[1].there = false;
}

/* Not the MAC itself, which stands in clear: of many states some could be found that add up to the same. */
void ledger_share(const struct ledger *l, const struct head_of *of, uint64_t entry, text mac, uint8_t out[LEDGER_STATE])
{
    struct bind b;
    bind_start(&b, "garant.ledger.w2", &l->whole);
    bind_head(&b, of, entry);
    bind_text(&b, mac);
    bind_end(&b, out);
}

/* ---- The head of all heads. ---- */

static size_t star_plain(const struct ledger *l, const struct ledger_star *star, uint8_t plain[PLAIN_MAX])
{
    uint8_t *to = plain;
    memcpy(to, star->sum, LEDGER_STATE);
    to = number_put(to + LEDGER_STATE, star->fresh.base, 8);
    for (enum table t = 0; t < TABLE_COUNT; t++)
        if (star->fresh.newest[t])
            to = number_put(number_put(to, l->codes[t], 4), star->fresh.newest[t], 8);
    return (size_t)(to - plain);
}

static void star_read(const struct ledger *l, uint64_t entry, text proof, struct ledger_star *out)
{
    uint8_t plain[PLAIN_MAX];
    size_t size;
    out->fresh.entry = entry;
    out->fresh.stale = !unseal(l, &star_of, entry, proof, plain, &size) || size < LEDGER_STATE + 8;
    if (out->fresh.stale)
        return;
    memcpy(out->sum, plain, LEDGER_STATE);
    out->fresh.base = number_get(plain + LEDGER_STATE, 8);
    for (size_t at = LEDGER_STATE + 8; at + NAMED_SIZE <= size; at += NAMED_SIZE)
        for (enum table t = 0; t < TABLE_COUNT; t++)
            if (l->codes[t] == number_get(plain + at, 4))
                out->fresh.newest[t] = number_get(plain + at + 4, 8);
}

enum err ledger_star_load(struct db *db, struct ledger_star *out)
{
    const struct ledger *l = &db->store->ledger;
    *out = (struct ledger_star){ .fresh = { .stale = true } };
    QUERY_AUTO q;
    query_start(&q, db, SQL_LEDGER_GET, ARGS(V_SCOPE(star_of.scope), V_TEXT(star_of.name)));
    if (query_next(&q))
        star_read(l, (uint64_t)query_get(&q, LEDGER_GET, entry), query_get(&q, LEDGER_GET, proof), out);
    return q.status;
}

static const text noted_as = TEXT_INIT("ledger");

enum err ledger_star_note(struct db *keys, const struct ledger_star *star)
{
    const struct ledger *l = &keys->store->ledger;
    uint8_t proof[PLAIN_MAX + LEDGER_MAC];
    text all = seal_head(l, &star_of, star->fresh.entry, proof, star_plain(l, star, proof));
    return db_run(keys, SQL_ANCHOR_PUT, NULL, ARGS(V_TEXT(noted_as), V_INT((int64_t)star->fresh.entry), V_BYTES(all)));
}

enum err ledger_star_noted(struct db *keys, struct ledger_star *out, bool *there)
{
    *out = (struct ledger_star){ .fresh = { .stale = true } };
    QUERY_AUTO q;
    query_start(&q, keys, SQL_ANCHOR_GET, ARGS(V_TEXT(noted_as)));
    *there = query_next(&q);
    if (*there)
        star_read(&keys->store->ledger, (uint64_t)query_get(&q, ANCHOR_GET, size), query_get(&q, ANCHOR_GET, root),
                  out);
    return q.status;
}

/* One that is not today's is left as it is: put anew it would pass for today's. */
enum err ledger_star_put(struct db *db, struct ledger_star *star)
{
    uint8_t proof[PLAIN_MAX + LEDGER_MAC];
    if (star->fresh.stale)
        return OK;
    size_t size = star_plain(&db->store->ledger, star, proof);
    TRY(sealed_put(db, &star_of, star->fresh.entry, proof, size));
    star->dirty = false;
    return OK;
}

void ledger_state(const struct ledger *l, const struct ledger_star *star, uint8_t out[LEDGER_STATE])
{
    struct bind b;
    uint8_t plain[PLAIN_MAX];
    size_t size = star_plain(l, star, plain);
    bind_start(&b, "garant.ledger.e2", &l->whole);
    bind_number(&b, star->fresh.entry);
    bind_text(&b, (text){ (const char *)plain, size });
    bind_end(&b, out);
}

/* The member is written by the program alone, and no value of a line holds it unescaped. */
static text said_in(text leaf)
{
    text member = TEXT("\"sums\":\"");
    ptrdiff_t at = text_find(leaf, member);
    return at < 0 ? (text){ NULL, 0 } : text_upto(text_from(leaf, (size_t)at + member.n), 2 * LEDGER_STATE);
}

enum err ledger_star_holds(struct db *db, const struct ledger_star *star, uint64_t from, bool *out)
{
    uint8_t state[LEDGER_STATE], said[LEDGER_STATE];
    *out = !star->fresh.stale;
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_LEAVES, ARGS(V_INT((int64_t)from), V_INT(INT64_MAX)));
    while (query_next(&q)) {
        text hex = said_in(query_get(&q, JOURNAL_LEAVES, leaf));
        uint64_t seq = (uint64_t)query_get(&q, JOURNAL_LEAVES, seq);
        if (!hex.p)
            continue;
        ledger_state(&db->store->ledger, star, state);
        bool same = decode_hex(hex, said, sizeof said) && memcmp(said, state, sizeof said) == 0;
        *out = !star->fresh.stale && seq + 1 == star->fresh.entry && same;
    }
    return q.status;
}

enum err ledger_star_whole(struct db *db, const struct ledger_star *star, bool *out)
{
    uint8_t sum[LEDGER_STATE] = { 0 }, share[LEDGER_STATE];
    QUERY_AUTO q;
    query_start(&q, db, SQL_LEDGER_ALL, ARGS());
    while (query_next(&q)) {
        text id = query_get(&q, LEDGER_ALL, subject), proof = query_get(&q, LEDGER_ALL, proof);
        struct head_of of = { { query_get(&q, LEDGER_ALL, tenant), { { 0 } } }, query_get(&q, LEDGER_ALL, name) };
        memcpy(of.scope.id.b, id.p ? id.p : "", id.n < SUBJECT_ID ? id.n : SUBJECT_ID);
        if (text_eq(of.name, star_of.name))
            continue;
        text mac = proof.n < LEDGER_MAC ? proof : text_from(proof, proof.n - LEDGER_MAC);
        ledger_share(&db->store->ledger, &of, (uint64_t)query_get(&q, LEDGER_ALL, entry), mac, share);
        ledger_xor(sum, share, sizeof sum);
    }
    *out = !star->fresh.stale && memcmp(sum, star->sum, sizeof sum) == 0;
    return q.status;
}

/* ---- How new a head must be. ---- */

const struct ledger_fresh *ledger_fresh_of(const struct db *db)
{
    return db == db->store->writers[FILE_DATA] ? &db->store->edge.ledger.fresh : &db->fresh;
}

static enum err newest_of_person(struct db *db, const struct scope *s, int64_t *out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_NEWEST_BOUND, ARGS(V_SCOPE(*s)));
    *out = query_next(&q) ? query_get(&q, JOURNAL_NEWEST_BOUND, seq) : -1;
    return q.status;
}

/* All of a person put back as it was once, or taken away: then the journal has a newer entry that changed it. Of whom a
 * restore brought nothing back there is no head, and no entry behind it. */
enum err ledger_is_newest(struct db *db, enum table t, const struct scope *s, const struct head *h, uint64_t *entry,
                          bool *out)
{
    const struct ledger_fresh *fresh = ledger_fresh_of(db);
    if (ledger_shared(t)) {
        *entry = fresh->newest[t] ? fresh->newest[t] - 1 : h->entry;
        bool newest = h->there ? h->entry + 1 >= fresh->newest[t] : !fresh->newest[t];
        *out = newest && !fresh->stale;
        return OK;
    }
    int64_t said;
    TRY(newest_of_person(db, s, &said));
    *entry = said < 0 ? h->entry : (uint64_t)said;
    *out = said < 0 || (h->there ? h->entry >= (uint64_t)said : (uint64_t)said < fresh->base);
    return OK;
}

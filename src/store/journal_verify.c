/* Checking the whole journal again, entry by entry, and forgetting its oldest part. */
#include "base/decode.h"
#include "base/json.h"
#include "base/sha256.h"
#include "store/engine.h"

enum { PROGRESS_EVERY = 4096, ROW_MEMORY = 1 << 20, PRUNE_BUNDLES = 32 };

struct check {
    struct store *s;
    struct db *db, *keys;
    struct arena *a;          /* the caller's, for the reason */
    struct arena row;         /* what one entry needs */
    struct edge *edge;        /* grown anew */
    int64_t seq;              /* of the row under check */
    struct query checkpoints; /* the kept ones, by size; the next is current when `pending` */
    bool pending;
    struct journal_report *report;
    struct tree published; /* as the running store knows it */
    struct anchor anchor;  /* as the keyring knows it */
    bool has_state;
    uint64_t state_seq;
    uint8_t state[32]; /* the newest entry that commits to the ledger */
    struct {
        struct subject_id id;
        text tenant;
        char name[128];
        struct digest who;
        bool known;
    } last; /* the last person */
};

static enum err broken(const struct check *c, const char *what)
{
    return say(c->a, ERR_INTEGRITY, "entry %llu of the journal: %s", (unsigned long long)c->edge->tree.size, what);
}

/* ---- One entry against its own columns. ---- */

static bool same_hex(text hex, text bytes)
{
    uint8_t found[32];
    return bytes.n == sizeof found && decode_hex(hex, found, sizeof found) && memcmp(found, bytes.p, sizeof found) == 0;
}

/* A link to somebody without a key is that of an erasure under way: begun (its intent stands), or ended since this
 * reading began (the link is gone by now). Any other was put there by somebody else. */
static enum err check_erased(struct check *c, text tenant, struct subject_id id)
{
    QUERY_AUTO intent;
    query_start(&intent, c->keys, SQL_INTENT_GET, ARGS(V_TEXT(tenant), V_ID(id)));
    bool under_way = query_next(&intent);
    TRY(intent.status);
    if (under_way)
        return OK;
    READ_AUTO now = NULL;
    TRY(store_read(c->s, c->a, &now));
    QUERY_AUTO link;
    query_start(&link, now, SQL_JOURNAL_LINK, ARGS(V_INT(c->seq)));
    bool linked = query_next(&link) && !query_null(&link, JOURNAL_LINK, subject);
    TRY(link.status);
    return linked ? broken(c, "it is linked to a person who has no key") : OK;
}

/* The person's pseudonym, made again while the key is there; known false when it is not. */
static enum err pseudonym(struct check *c, text tenant, text subject)
{
    if (subject.n != SUBJECT_ID || !text_cstr(tenant, c->last.name, sizeof c->last.name))
        return broken(c, "its link to a person is malformed");
    struct subject_id id;
    memcpy(id.b, subject.p, SUBJECT_ID);
    c->last.known = false;
    QUERY_AUTO q;
    query_start(&q, c->keys, SQL_KEY_GET, ARGS(V_TEXT(tenant), V_ID(id), V_INT(0)));
    bool has_key = query_next(&q);
    TRY(q.status);
    if (!has_key)
        return check_erased(c, tenant, id);
    KEY_AUTO k;
    TRY(key_unwrap(c->a, store_master(c->s), tenant, id, 0, query_get(&q, KEY_GET, wrapped), &k));
    journal_pseudonym(&k, &c->last.who);
    c->last.id = id;
    c->last.tenant = text_of(c->last.name);
    c->last.known = true;
    return OK;
}

static enum err check_person(struct check *c, text who, text tenant, text subject)
{
    if (!subject.p || !who.n)
        return OK;
    bool same = c->last.known && subject.n == SUBJECT_ID && memcmp(&c->last.id, subject.p, SUBJECT_ID) == 0 &&
                text_eq(tenant, c->last.tenant);
    if (!same)
        TRY(pseudonym(c, tenant, subject));
    bool right = !c->last.known || same_hex(who, TEXT_BYTES(c->last.who));
    return right ? OK : broken(c, "it is linked to another person than it speaks of");
}

static enum err check_columns(struct check *c, struct query *q)
{
    const struct json *leaf;
    msec at = query_get(q, JOURNAL_ALL, at), said;
    text tenant = query_get(q, JOURNAL_ALL, tenant), detail = query_get(q, JOURNAL_ALL, detail).bytes;
    c->seq = query_get(q, JOURNAL_ALL, seq);
    arena_reset(&c->row);
    if (journal_forgotten(
            query_get(q, JOURNAL_ALL, leaf))) { /* the oldest go first: none is missing among those that stay */
        bool first = c->edge->tree.size == c->report->first_kept + c->report->forgotten;
        bool bare = !detail.p && !query_get(q, JOURNAL_ALL, subject).p && query_null(q, JOURNAL_ALL, bound) &&
                    at >= c->edge->last;
        c->report->forgotten++;
        c->edge->last = at;
        return first && bare
                   ? OK
                   : broken(c, first ? "it was forgotten, and not all of it" : "it was forgotten before its turn");
    }
    enum err parsed = json_parse(&c->row, query_get(q, JOURNAL_ALL, leaf), &leaf);
    if (parsed == ERR_MEMORY)
        return arena_lacked(c->a);
    if (parsed != OK)
        return broken(c, "it is not JSON");
    if (!time_parse(json_text(leaf, TEXT("time")), &said) || said != at)
        return broken(c, "its time is not the time it stands under");
    if (at < c->edge->last)
        return broken(c, "it is earlier than the entry before it");
    c->edge->last = at;
    if (!text_eq(tenant, json_text(leaf, TEXT("tenant"))))
        return broken(c, "its tenant is not the one it stands under");
    if (json_get(leaf, TEXT("sums"))) {
        c->has_state = decode_hex(json_text(leaf, TEXT("sums")), c->state, sizeof c->state);
        c->state_seq = (uint64_t)c->seq;
    }
    /* Linked, the column says that the person's own rows were changed, as the entry does; what is linked no more may go
     * on saying so. */
    bool own = json_get(leaf, TEXT("bound")) != NULL, column = !query_null(q, JOURNAL_ALL, bound);
    if ((column && (!own || query_get(q, JOURNAL_ALL, bound) != 1)) ||
        (!column && own && !query_null(q, JOURNAL_ALL, subject)))
        return broken(c, "whether it changed what is bound of its person is not what it says");
    if (detail.p) {
        struct hash digest;
        sha256_of(detail, digest.b);
        if (!same_hex(json_text(leaf, TEXT("detail")), TEXT_BYTES(digest)))
            return broken(c, "its detail is not the one whose digest it holds");
    }
    return check_person(c, json_text(leaf, TEXT("who")), tenant, query_get(q, JOURNAL_ALL, subject));
}

/* ---- The tree. ---- */

static enum err check_tile(struct check *c, unsigned level, uint64_t index)
{
    struct tile tile;
    TRY(journal_tile_read(c->db, level, index, &tile));
    unsigned count = c->edge->counts[level];
    if (tile.count != count || memcmp(tile.hashes, c->edge->hashes[level], count * sizeof(struct hash)) != 0)
        return say(c->a, ERR_INTEGRITY,
                   "tile %u/%llu of the journal does not hold the hashes of its entries (%llu to %llu)", level,
                   (unsigned long long)index, (unsigned long long)(index << (8 * (level + 1))),
                   (unsigned long long)c->edge->tree.size - 1);
    return OK;
}

/* Every kept checkpoint must be of the tree as it was at that size. */
static enum err check_checkpoints(struct check *c)
{
    while (c->pending && (uint64_t)query_get(&c->checkpoints, CHECKPOINT_ALL, size) == c->edge->tree.size) {
        uint64_t size;
        struct hash root;
        TRY(checkpoint_open(c->a, &c->s->signer, query_get(&c->checkpoints, CHECKPOINT_ALL, note), &size, &root));
        if (size != c->edge->tree.size || !hash_eq(root, tree_root(&c->edge->tree)))
            return say(c->a, ERR_INTEGRITY, "the first %llu entries of the journal are not those signed for",
                       (unsigned long long)size);
        c->report->checkpoints++;
        c->pending = query_next(&c->checkpoints);
    }
    return c->checkpoints.status;
}

static enum err grow(struct check *c, struct hash leaf)
{
    struct edge *e = c->edge;
    uint64_t index = e->tree.size;
    tree_add(&e->tree, leaf);
    e->hashes[0][e->counts[0]++] = leaf;
    for (unsigned level = 0; level + 1 < EDGE_LEVELS && e->counts[level] == TILE_WIDTH; level++) {
        index /= TILE_WIDTH;
        TRY(check_tile(c, level, index));
        e->counts[level] = 0;
        e->hashes[level + 1][e->counts[level + 1]++] = edge_subtree(e->hashes[level], 8);
    }
    return check_checkpoints(c);
}

/* Of what was pruned only the hashes remain: they count as the leaves. */
static enum err grow_forgotten(struct check *c, uint64_t first_kept)
{
    struct tile tile;
    while (c->edge->tree.size < first_kept) {
        TRY(journal_tile_read(c->db, 0, c->edge->tree.size / TILE_WIDTH, &tile));
        if (tile.count != TILE_WIDTH)
            return broken(c, "it was forgotten with its hashes");
        for (unsigned i = 0; i < TILE_WIDTH; i++)
            TRY(grow(c, tile.hashes[i]));
    }
    return OK;
}

static enum err check_entries(struct check *c, void (*progress)(uint64_t done, uint64_t all))
{
    QUERY_AUTO q;
    query_start(&q, c->db, SQL_JOURNAL_ALL, ARGS(V_INT((int64_t)c->report->first_kept)));
    while (query_next(&q)) {
        if ((uint64_t)query_get(&q, JOURNAL_ALL, seq) != c->edge->tree.size)
            return broken(c, "it is missing");
        TRY(check_columns(c, &q));
        TRY(grow(c, leaf_hash(query_get(&q, JOURNAL_ALL, leaf))));
        if (c->edge->tree.size == c->published.size && !hash_eq(tree_root(&c->edge->tree), tree_root(&c->published)))
            return say(c->a, ERR_INTEGRITY, "the entries of the journal are not those that were acknowledged");
        if (c->anchor.there && c->edge->tree.size == c->anchor.size &&
            !hash_eq(tree_root(&c->edge->tree), c->anchor.root))
            return say(c->a, ERR_INTEGRITY,
                       "the first %llu entries of the journal are not those that the keyring knows of",
                       (unsigned long long)c->anchor.size);
        if (progress && c->edge->tree.size % PROGRESS_EVERY == 0)
            progress(c->edge->tree.size, c->published.size);
    }
    return q.status;
}

/* The incomplete tiles above the leaves are rows too. */
static enum err check_upper(struct check *c)
{
    for (unsigned level = 1; level < EDGE_LEVELS; level++)
        if (c->edge->counts[level])
            TRY(check_tile(c, level, c->edge->tree.size >> (8 * (level + 1))));
    return OK;
}

/* ---- The rows that the entries left. ---- */

static enum err keep_finding(void *arg, const struct ledger_finding *f)
{
    struct check *c = arg;
    struct journal_report *r = c->report;
    if (r->altered++ < JOURNAL_NAMED) {
        r->named[r->altered - 1] = ledger_finding_text(c->a, f);
        TRY_PTR(r->named[r->altered - 1].p);
    }
    return OK;
}

/* Each row, each head, and the head of all heads, which the newest entry that commits to one must know. */
static enum err check_ledger(struct check *c)
{
    enum { LOOK_STEP = 10000 };
    struct ledger_look look = { .db = c->db, .tell = keep_finding, .arg = c };
    struct ledger_star star;
    uint8_t state[LEDGER_STATE];
    while (!look.done)
        TRY(ledger_look(&look, LOOK_STEP));
    c->report->rows = look.looked;
    if (c->report->altered)
        return say(c->a, ERR_INTEGRITY, "%llu rows are not as the journal's entries left them; the first: %.*s",
                   (unsigned long long)c->report->altered, T(c->report->named[0]));
    TRY(ledger_star_load(c->db, &star));
    ledger_state(&c->s->ledger, &star, state);
    bool whole = !c->has_state || memcmp(state, c->state, sizeof state) == 0;
    return whole ? OK
                 : say(c->a, ERR_INTEGRITY,
                       "the rows that decide are, taken together, those of another time than entry %llu of the journal",
                       (unsigned long long)c->state_seq);
}

static enum err check_all(struct check *c, void (*progress)(uint64_t done, uint64_t all))
{
    TRY(journal_first(c->db, &c->report->first_kept));
    query_start(&c->checkpoints, c->db, SQL_CHECKPOINT_ALL, ARGS());
    c->pending = query_next(&c->checkpoints);
    TRY(grow_forgotten(c, c->report->first_kept));
    TRY(check_entries(c, progress));
    TRY(check_upper(c));
    if (c->pending || c->edge->tree.size < c->published.size || c->edge->tree.size < c->anchor.size)
        return say(c->a, ERR_INTEGRITY, "the journal has %llu entries and more were signed for or acknowledged",
                   (unsigned long long)c->edge->tree.size);
    c->report->size = c->edge->tree.size;
    c->report->root = tree_root(&c->edge->tree);
    TRY(c->checkpoints.status);
    return check_ledger(c);
}

enum err journal_verify(struct store *s, struct arena *a, void (*progress)(uint64_t done, uint64_t all),
                        struct journal_report *out)
{
    *out = (struct journal_report){ 0 };
    struct check c = { .s = s, .a = a, .report = out, .row = arena_make(ROW_MEMORY) };
    pthread_mutex_lock(&s->published_lock);
    c.published = s->published;
    pthread_mutex_unlock(&s->published_lock);
    READ_AUTO db = NULL;
    READ_AUTO keys = NULL;
    readers_release(s, a); /* as the files stand now, whoever wrote them */
    TRY(store_read(s, a, &db));
    TRY(store_read_keys(s, a, &keys));
    if (!(c.edge = calloc(1, sizeof *c.edge)))
        return say(a, ERR_MEMORY, "no memory to verify the journal");
    c.db = db;
    c.keys = keys;
    TRY(anchor_get(keys, ANCHOR_NEWEST, &c.anchor));
    enum err e = check_all(&c, progress);
    query_end(&c.checkpoints);
    arena_free(&c.row);
    free(c.edge);
    return e;
}

/* ---- Forgetting. ---- */

enum err journal_first(struct db *db, uint64_t *first)
{
    QUERY_AUTO q;
    int64_t value = 0;
    query_start(&q, db, SQL_META_GET, ARGS(V_TEXT(TEXT("journal.first"))));
    if (query_next(&q) && (!text_int(query_get(&q, META_GET, value), &value) || value < 0 || value % TILE_WIDTH))
        return say(db->arena, ERR_INTEGRITY, "the journal's first kept entry is not told");
    *first = (uint64_t)value;
    return q.status;
}

static enum err entry_time(struct db *db, uint64_t seq, msec *at)
{
    QUERY_AUTO q;
    *at = 0;
    query_start(&q, db, SQL_JOURNAL_TIME, ARGS(V_INT((int64_t)seq)));
    if (query_next(&q)) {
        *at = query_get(&q, JOURNAL_TIME, at);
        return OK;
    }
    return q.status != OK ? q.status
                          : say(db->arena, ERR_INTEGRITY, "the journal has no entry %llu", (unsigned long long)seq);
}

/* The first entry, of [low, high), that is not before `before`: times never go back. */
static enum err first_to_keep(struct db *db, msec before, uint64_t low, uint64_t high, uint64_t *out)
{
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        msec at;
        TRY(entry_time(db, middle, &at));
        if (at < before)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return OK;
}

/* Entries whose term has ended: whole bundles go with their rows, [from, bundles); of the one that follows, the lines
 * up to `to`. */
struct pruning {
    uint64_t from, bundles, to, forgotten;
};

static enum err prune_range(struct store *s, struct arena *a, msec before, struct pruning *p)
{
    READ_AUTO db = NULL;
    TRY(store_read(s, a, &db));
    TRY(journal_first(db, &p->from));
    pthread_mutex_lock(&s->published_lock);
    uint64_t size = s->published.size;
    pthread_mutex_unlock(&s->published_lock);
    TRY(first_to_keep(db, before, p->from, size, &p->to));
    p->bundles = p->to / TILE_WIDTH * TILE_WIDTH;
    return OK;
}

static enum err prune_run(struct db *db, struct write *w)
{
    struct pruning *p = w->arg;
    char number[24];
    int64_t forgotten = 0;
    snprintf(number, sizeof number, "%llu", (unsigned long long)p->bundles);
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_JOURNAL_LINES, ARGS(V_INT((int64_t)p->bundles)));
        if (query_next(&q))
            forgotten = query_get(&q, JOURNAL_LINES, count);
        TRY(q.status);
    }
    TRY(db_run(db, SQL_JOURNAL_PRUNE, NULL, ARGS(V_INT((int64_t)p->bundles))));
    w->event.count = forgotten;
    p->forgotten = (uint64_t)forgotten;
    return db_run(db, SQL_META_PUT, NULL, ARGS(V_TEXT(TEXT("journal.first")), V_TEXT(text_of(number))));
}

/* Of each line its hash is left. */
static enum err forget_run(struct db *db, struct write *w)
{
    struct pruning *p = w->arg;
    struct {
        uint64_t seq;
        struct hash hash;
    } lines[TILE_WIDTH];
    unsigned count = 0;
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_JOURNAL_LEAVES, ARGS(V_INT((int64_t)p->bundles), V_INT((int64_t)p->to)));
        while (count < TILE_WIDTH && query_next(&q))
            if (!journal_forgotten(query_get(&q, JOURNAL_LEAVES, leaf))) {
                lines[count].seq = (uint64_t)query_get(&q, JOURNAL_LEAVES, seq);
                lines[count++].hash = leaf_hash(query_get(&q, JOURNAL_LEAVES, leaf));
            }
        TRY(q.status);
    }
    for (unsigned i = 0; i < count; i++) {
        BUF_AUTO b = buf_make(LEAF_FORGOTTEN + 1);
        text left;
        buf_char(&b, '-');
        buf_hex(&b, TEXT_BYTES(lines[i].hash));
        TRY(buf_lend(db_arena(db), &b, &left));
        TRY(db_run(db, SQL_JOURNAL_FORGET, NULL, ARGS(V_INT((int64_t)lines[i].seq), V_TEXT(left))));
    }
    w->event.count = count;
    p->forgotten = count;
    return OK;
}

/* Of the bundle at p->bundles: whether there is a line to forget. */
static enum err any_line(struct store *s, struct arena *a, const struct pruning *p, bool *out)
{
    *out = false;
    READ_AUTO db = NULL;
    TRY(store_read(s, a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_LEAVES, ARGS(V_INT((int64_t)p->bundles), V_INT((int64_t)p->to)));
    while (!*out && query_next(&q))
        *out = !journal_forgotten(query_get(&q, JOURNAL_LEAVES, leaf));
    return q.status;
}

enum err journal_prune(struct store *s, struct arena *a, msec before, uint64_t *pruned)
{
    struct pruning p;
    bool lines;
    *pruned = 0;
    TRY(prune_range(s, a, before, &p));
    for (uint64_t end = p.bundles; p.from < end;
         p.from = p.bundles) { /* in steps, so that others' writes pass between */
        p.bundles = end - p.from > PRUNE_BUNDLES * TILE_WIDTH ? p.from + PRUNE_BUNDLES * TILE_WIDTH : end;
        struct write w = { .run = prune_run,
                           .arg = &p,
                           .truncate = true,
                           .event = { .act = TEXT("journal.prune"), .actor = TEXT("garant") } };
        TRY(store_write(s, a, &w));
        *pruned += p.forgotten;
    }
    TRY(any_line(s, a, &p, &lines));
    if (!lines)
        return OK;
    struct write w = { .run = forget_run,
                       .arg = &p,
                       .truncate = true,
                       .event = { .act = TEXT("journal.prune"), .actor = TEXT("garant") } };
    TRY(store_write(s, a, &w));
    *pruned += p.forgotten;
    return OK;
}

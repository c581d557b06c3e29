/* The journal: one line of JSON an act, its place in the tree, and the signed checkpoints. docs/journal.md specifies
 * it. */
#include "base/json.h"
#include "base/sha256.h"
#include "store/engine.h"
#include <sodium.h>

enum { KEEP_EVERY = MINUTE, KEEP_WANTED = SECOND };

static const text acts[] = {
#define EVENT(name, en, fr) TEXT_INIT(name),
#include "store/events.def"
#undef EVENT
};

static bool known_act(text act)
{
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (text_eq(acts[i], act))
            return true;
    return false;
}

static text outcome_word(enum outcome o)
{
    static const text words[] = {
#define X(name, word) TEXT_INIT(word),
        OUTCOMES(X)
#undef X
    };
    return words[o];
}

static bool zero(const struct digest *d) { return sodium_is_zero(d->b, sizeof d->b); }

static void pair_unless_empty(struct json_out *w, text name, text value)
{
    if (value.n)
        json_pair(w, name, value);
}

/* The entry's line: members in this order, those that do not apply left out. */
static void leaf_write(struct buf *b, const struct event *e, msec at, const uint8_t *state, bool own)
{
    char time[TIME_TEXT + 1];
    struct json_out w = json_out(b);
    json_open(&w, '{');
    json_pair_int(&w, TEXT("v"), 1);
    json_pair(&w, TEXT("time"), time_text(at, time));
    json_pair(&w, TEXT("act"), e->act);
    pair_unless_empty(&w, TEXT("tenant"), e->tenant);
    if (!zero(&e->who)) {
        json_name(&w, TEXT("who"));
        json_put_hex(&w, TEXT_BYTES(e->who));
    }
    pair_unless_empty(&w, TEXT("actor"), e->actor);
    if (!zero(&e->by)) {
        json_name(&w, TEXT("by"));
        json_put_hex(&w, TEXT_BYTES(e->by));
    }
    pair_unless_empty(&w, TEXT("purpose"), e->purpose);
    pair_unless_empty(&w, TEXT("categories"), e->categories);
    pair_unless_empty(&w, TEXT("policy"), text_of(e->policy));
    pair_unless_empty(&w, TEXT("clause"), e->clause);
    json_pair(&w, TEXT("outcome"), outcome_word(e->outcome));
    if (e->count >= 0)
        json_pair_int(&w, TEXT("count"), e->count);
    if (e->detail.bytes.n) {
        struct hash digest;
        sha256_of((text){ (const char *)e->detail.bytes.p, e->detail.bytes.n }, digest.b);
        json_name(&w, TEXT("detail"));
        json_put_hex(&w, TEXT_BYTES(digest));
    }
    if (state) {
        json_name(&w, TEXT("sums"));
        json_put_hex(&w, (text){ (const char *)state, LEDGER_STATE });
        if (own)
            json_pair_int(&w, TEXT("bound"), 1);
    }
    json_close(&w, '}');
}

/* Decided here, inside the commit: whoever was erased since the request began is not linked to any more. The person
 * whom the write itself erases leaves no link from the entry that says so. */
static enum err linked(struct store *s, const struct event *e, bool *out)
{
    const struct write *w = s->member;
    *out = e->has_subject;
    for (unsigned i = 0; w && i < w->shred_count; i++)
        if (w->shreds[i].all_but_held && sodium_memcmp(&w->shreds[i].subject, &e->subject, sizeof e->subject) == 0)
            *out = false;
    return *out ? key_there(s, e->tenant, e->subject, out) : OK;
}

enum err journal_add(struct db *db, const struct event *e, uint64_t *index)
{
    struct store *s = db->store;
    must(db->writing); /* an entry is of the commit of what it tells */
    if (!known_act(e->act))
        return say(db->arena, ERR_INTERNAL, "events.def has no act %.*s", T(e->act));
    msec at = clock_now(&s->clock);
    if (at < s->edge.last) /* a clock set back does not set the journal back */
        at = s->edge.last;
    uint64_t seq = s->edge.tree.size;
    uint8_t state[LEDGER_STATE];
    struct scope person = { e->tenant, e->subject };
    bool bound, own;
    TRY(ledger_flush(db, seq, e->has_subject ? &person : NULL, state, &bound, &own));
    buf_clear(&s->line);
    leaf_write(&s->line, e, at, bound ? state : NULL, own);
    text line;
    TRY(buf_lend(db->arena, &s->line, &line));
    if (!text_utf8(line))
        return say(db->arena, ERR_INTERNAL, "the entry of act %.*s is no UTF-8", T(e->act));
    bool link;
    TRY(linked(s, e, &link));
    TRY(db_run(db, SQL_JOURNAL_ADD, NULL,
               ARGS(V_INT((int64_t)seq), V_INT(at), V_TEXT(line), e->tenant.n ? V_TEXT(e->tenant) : V_NULL,
                    link ? V_ID(e->subject) : V_NULL, link && e->detail.bytes.n ? V_SEALED(e->detail) : V_NULL,
                    link && own ? V_INT(1) : V_NULL)));
    TRY(edge_add(db, &s->edge, tree_leaf(line)));
    s->edge.last = at;
    if (index)
        *index = seq;
    return OK;
}

void journal_pseudonym(const struct key *subject_key, struct digest *out)
{
    KEY_AUTO k;
    key_derive(subject_key, TEXT("garant journal pseudonym"), &k);
    memcpy(out->b, k.b, sizeof out->b);
}

void journal_publish(struct store *s)
{
    pthread_mutex_lock(&s->published_lock);
    s->published = s->edge.tree;
    memcpy(s->recent, s->edge.hashes[0], s->edge.counts[0] * sizeof s->recent[0]);
    pthread_mutex_unlock(&s->published_lock);
}

enum err journal_keep(struct store *s, bool now)
{
    struct db *db = s->writers[FILE_DATA];
    msec every = atomic_load_explicit(&s->note_wanted, memory_order_relaxed) ? KEEP_WANTED : KEEP_EVERY;
    if (s->edge.tree.size == 0 || (!now && s->edge.last - s->note_kept < every))
        return OK;
    struct hash root = tree_root(&s->edge.tree);
    text note = checkpoint_sign(db->arena, &s->signer, s->edge.tree.size, root);
    TRY_PTR(note.p);
    s->note_kept = s->edge.last;
    atomic_store_explicit(&s->note_wanted, false, memory_order_relaxed);
    return db_run(db, SQL_CHECKPOINT_PUT, NULL,
                  ARGS(V_INT((int64_t)s->edge.tree.size), V_INT(s->edge.last), V_TEXT(note)));
}

enum err journal_checkpoint(struct store *s, struct arena *a, text *note, uint64_t *size, struct hash *root)
{
    pthread_mutex_lock(&s->published_lock);
    struct tree tree = s->published;
    text kept = s->note_size == tree.size ? arena_copy(a, text_of(s->note)) : (text){ NULL, 0 };
    pthread_mutex_unlock(&s->published_lock);
    atomic_store_explicit(&s->note_wanted, true, memory_order_relaxed);
    struct hash now = tree_root(&tree);
    *size = tree.size;
    *note = kept.n ? kept : checkpoint_sign(a, &s->signer, tree.size, now);
    if (root)
        *root = now;
    TRY_PTR(note->p);
    if (kept.n)
        return OK;
    pthread_mutex_lock(&s->published_lock);
    if (s->note_size < tree.size && text_cstr(*note, s->note, sizeof s->note)) {
        s->note_size = tree.size;
        s->note_root = now;
    }
    pthread_mutex_unlock(&s->published_lock);
    return OK;
}

enum err journal_checkpoint_of(struct store *s, struct arena *a, uint64_t index, text *note, uint64_t *size,
                               struct hash *root)
{
    pthread_mutex_lock(&s->published_lock);
    bool has = index < s->note_size;
    *note = has ? arena_copy(a, text_of(s->note)) : (text){ NULL, 0 };
    *size = s->note_size;
    *root = s->note_root;
    pthread_mutex_unlock(&s->published_lock);
    if (!has)
        return journal_checkpoint(s, a, note, size, root);
    atomic_store_explicit(&s->note_wanted, true, memory_order_relaxed);
    TRY_PTR(note->p);
    return OK;
}

/* The board reads the journal: each entry against its hash, the tree against what was signed, each read against its
 * purpose. */
#include "domain/board/board_inside.h"
#include "domain/core/feature.h"

enum { BUNDLE = 256, BUNDLES_A_STEP = 8, COMPARE_EVERY = MINUTE };

/* Reads that answer a right or a duty instead of serving a purpose: what the domain's own lists of a person are called;
 * a feature's is its `right`. */
static const text rights[] = { TEXT_INIT("consents"),    TEXT_INIT("former"),     TEXT_INIT("looks"),
                               TEXT_INIT("disclosures"), TEXT_INIT("access"),     TEXT_INIT("export") };
/* Acts that open personal data, or let them be found, for a purpose. */
static const text reads[] = { TEXT_INIT("read"), TEXT_INIT("subject.lookup"), TEXT_INIT("attachment.read"),
                              TEXT_INIT("disclosure") };

static bool among(const text *words, size_t count, text word)
{
    for (size_t i = 0; i < count; i++)
        if (text_eq(words[i], word))
            return true;
    return false;
}

/* ---- What an entry says. ---- */

/* Who read, and what, against what the purpose allows: each category by its own clause, and the application by its own.
 */
static void look_at_scope(struct board_step *s, const struct json *leaf, int purpose)
{
    const struct policy *p = s->c->policy;
    int actor = policy_actor(p, json_text(leaf, TEXT("actor")));
    if (actor >= 0 && p->actors[actor].kind == ACTOR_SYSTEM)
        fact_clause(s->facts, PROBE_purposes, p->actors[actor].clause.path, 1,
                    !bits_has(&p->actors[actor].purposes, (unsigned)purpose));
    for (text rest = json_text(leaf, TEXT("categories")); rest.n;) {
        int i = policy_category(p, text_trim(text_cut(&rest, ',')));
        bool allowed = i >= 0 && bits_has(&p->categories[i].purposes, (unsigned)purpose);
        if (!allowed)
            fact_bad(s->facts, PROBE_purposes, 1);
        if (i >= 0)
            fact_clause(s->facts, PROBE_purposes, p->categories[i].clause.path, 1, !allowed);
    }
    if (actor >= 0 && p->actors[actor].kind == ACTOR_SYSTEM && !bits_has(&p->actors[actor].purposes, (unsigned)purpose))
        fact_bad(s->facts, PROBE_purposes, 1);
}

static void look_at_read(struct board_step *s, const struct json *leaf)
{
    const struct policy *p = s->c->policy;
    text purpose = json_text(leaf, TEXT("purpose"));
    bool ours = text_eq(json_text(leaf, TEXT("policy")), text_of(p->hash));
    int index = policy_purpose(p, purpose);
    bool right = among(rights, sizeof rights / sizeof *rights, purpose) || feature_right(s->c, purpose);
    bool declared = index >= 0 && !p->purposes[index].never;
    fact_looked(s->facts, PROBE_purposes, 1);
    if (index >= 0 && ours)
        fact_clause(s->facts, PROBE_purposes, p->purposes[index].clause.path, 1, !declared);
    if (ours && declared)
        look_at_scope(s, leaf, index);
    /* Of an entry under a former version only that it names a purpose can be said: that version declared others. */
    if (!purpose.n || (ours && !right && !declared))
        fact_bad(s->facts, PROBE_purposes, 1);
}

/* A refusal is evidence that its clause is applied. */
static void look_at_refusal(struct board_step *s, const struct json *leaf)
{
    text clause = json_text(leaf, TEXT("clause"));
    if (text_starts(clause, TEXT("never.")) || text_starts(clause, TEXT("roles.")) ||
        text_starts(clause, TEXT("systems.")))
        fact_clause(s->facts, PROBE_purposes, clause, 1, 0);
}

static void look_at_entry(struct board_step *s, text entry)
{
    ARENA_AUTO a = arena_make(1 << 20);
    struct journal_round *r = &s->board->journal;
    const struct json *leaf = NULL;
    msec at;
    enum err parsed = json_parse(&a, entry, &leaf);
    if (parsed == ERR_MEMORY)
        return; /* nothing was learned, for or against */
    if (parsed != OK || !time_parse(json_text(leaf, TEXT("time")), &at)) {
        fact_bad(s->facts, PROBE_journal, 1);
        return;
    }
    text act = json_text(leaf, TEXT("act"));
    bool done = text_eq(json_text(leaf, TEXT("outcome")), TEXT("done"));
    if (!r->first)
        r->first = at;
    if (done && among(reads, sizeof reads / sizeof *reads, act))
        look_at_read(s, leaf);
    else if (text_eq(act, TEXT("refusal")))
        look_at_refusal(s, leaf);
    else if (done && text_eq(act, TEXT("backup")))
        r->backup = at;
    else if (done && text_eq(act, TEXT("keys.rotate")))
        r->rotated = at;
}

/* ---- The tree. ---- */

static void altered(struct board_step *s)
{
    fact_bad(s->facts, PROBE_journal, 1);
    s->board->journal.stuck = true;
}

static enum err next_checkpoint(struct board_step *s)
{
    struct journal_round *r = &s->board->journal;
    uint64_t size;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(s->c), s->c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CHECKPOINT_NEXT, ARGS(V_INT((int64_t)r->tree.size + 1)));
    r->checkpoint = 0;
    if (!query_next(&q))
        return q.status;
    r->checkpoint = (uint64_t)query_get(&q, CHECKPOINT_NEXT, size);
    if (checkpoint_open(s->c->arena, store_signer(ctx_store(s->c)), query_get(&q, CHECKPOINT_NEXT, note), &size,
                        &r->root) != OK ||
        size != r->checkpoint)
        altered(s);
    return OK;
}

static enum err grow(struct board_step *s, struct hash leaf)
{
    struct journal_round *r = &s->board->journal;
    tree_add(&r->tree, leaf);
    fact_looked(s->facts, PROBE_journal, 1);
    if (r->tree.size != r->checkpoint)
        return OK;
    if (!hash_eq(tree_root(&r->tree), r->root))
        altered(s);
    return next_checkpoint(s);
}

/* The entries of a bundle behind those seen already; the hashes alone of those that were forgotten. */
static enum err look_at_bundle(struct board_step *s, uint64_t index, unsigned width)
{
    struct journal_round *r = &s->board->journal;
    ARENA_AUTO a = arena_make(32 << 20);
    text entries = { NULL, 0 }, hashes;
    unsigned from = (unsigned)(r->tree.size % BUNDLE), at = 0;
    bool whole;
    enum err e = journal_bundle_left(ctx_store(s->c), &a, index, width, &entries, &whole);
    if (e == OK || e == ERR_ERASED)
        e = journal_tile(ctx_store(s->c), &a, 0, index, width, &hashes) == OK ? e : ERR_INTEGRITY;
    if (e == ERR_INTEGRITY) {
        altered(s);
        return OK;
    }
    if (e != OK && e != ERR_ERASED) {
        s->c->arena->why = a.why;
        return e;
    }
    for (; at < width && !r->stuck; at++) {
        struct hash kept, now;
        memcpy(&kept, hashes.p + at * sizeof kept, sizeof kept);
        size_t length = entries.n >= 2 ? (size_t)(uint8_t)entries.p[0] << 8 | (uint8_t)entries.p[1] : 0;
        text entry = text_upto(text_from(entries, 2), length);
        entries = text_from(entries, 2 + length);
        bool forgotten = e == ERR_ERASED || (!whole && !length);
        now = forgotten ? kept : tree_leaf(entry);
        if (at < from)
            continue;
        if (!hash_eq(kept, now))
            altered(s);
        if (!forgotten)
            look_at_entry(s, entry);
        TRY(grow(s, kept));
    }
    return OK;
}

/* Between two kept checkpoints the tree that the running store knows is the measure: what is on the disk must lead to
 * it. Asked for seldom, since each time a checkpoint is kept. */
static enum err compare_running(struct board_step *s)
{
    struct journal_round *r = &s->board->journal;
    text note;
    uint64_t size, signed_size;
    msec now = clock_monotonic();
    if (r->checkpoint || (r->compared && now - r->compared < COMPARE_EVERY))
        return OK;
    r->compared = now;
    TRY(journal_checkpoint(ctx_store(s->c), s->c->arena, &note, &size, NULL));
    TRY(checkpoint_open(s->c->arena, store_signer(ctx_store(s->c)), note, &signed_size, &r->root));
    if (size > r->tree.size)
        r->checkpoint = size;
    else if (size == r->tree.size && size && !hash_eq(tree_root(&r->tree), r->root))
        altered(s);
    return OK;
}

enum err board_journal(struct board_step *s)
{
    struct journal_round *r = &s->board->journal;
    uint64_t size = store_figures(ctx_store(s->c)).journal_size;
    if (!r->checkpoint && !r->stuck)
        TRY(next_checkpoint(s));
    for (unsigned i = 0; i < BUNDLES_A_STEP && r->tree.size < size && !r->stuck; i++) {
        uint64_t index = r->tree.size / BUNDLE, left = size - index * BUNDLE;
        TRY(look_at_bundle(s, index, left < BUNDLE ? (unsigned)left : BUNDLE));
    }
    if (r->tree.size >= size && r->checkpoint > store_figures(ctx_store(s->c)).journal_size)
        altered(s); /* more was signed for than is there */
    if (r->tree.size >= size && !r->stuck)
        TRY(compare_running(s));
    s->done = r->stuck || (r->tree.size >= size && r->tree.size >= r->checkpoint);
    return OK;
}

/* Unit tests of the journal: proofs and tiles, verification of every byte, forgetting, times. */
#include "store_fixture.h"
#include "base/json.h"

static void grow(struct fixture *f, unsigned entries)
{
    for (unsigned i = 0; i < entries; i++) {
        f->now += 10;
        assert_ok(f, note(f->s, &f->a, TEXT("read")));
    }
}

static struct hash leaf_of(struct fixture *f, uint64_t index, uint64_t size)
{
    text bundle;
    uint64_t rest = size - index / 256 * 256;
    assert_ok(f, journal_bundle(f->s, &f->a, index / 256, rest < 256 ? (unsigned)rest : 256, &bundle));
    for (uint64_t i = index % 256; i > 0; i--)
        bundle = text_from(bundle, 2 + ((size_t)(uint8_t)bundle.p[0] << 8 | (uint8_t)bundle.p[1]));
    return tree_leaf(text_upto(text_from(bundle, 2), (size_t)(uint8_t)bundle.p[0] << 8 | (uint8_t)bundle.p[1]));
}

static struct hash root_of(struct fixture *f, uint64_t *size)
{
    text signed_note;
    struct hash root;
    assert_ok(f, journal_checkpoint(f->s, &f->a, &signed_note, size, NULL));
    assert_ok(f, checkpoint_open(&f->a, store_signer(f->s), signed_note, size, &root));
    return root;
}

static void proofs(void **state)
{
    struct fixture *f = *state;
    struct tree_proof proof;
    uint64_t old_size, size;
    grow(f, 300);
    struct hash old_root = root_of(f, &old_size);
    grow(f, 515);
    restart(f);
    struct hash root = root_of(f, &size);
    assert_int_equal(size, 815);
    for (uint64_t i = 0; i < size; i += i % 256 == 254 ? 1 : 23) {
        assert_ok(f, journal_inclusion(f->s, &f->a, i, size, &proof));
        assert_true(tree_check_inclusion(i, size, leaf_of(f, i, size), &proof, root));
        assert_false(tree_check_inclusion(i, size, old_root, &proof, root));
    }
    assert_ok(f, journal_inclusion(f->s, &f->a, 299, old_size, &proof));
    assert_true(tree_check_inclusion(299, old_size, leaf_of(f, 299, size), &proof, old_root));
    assert_ok(f, journal_consistency(f->s, &f->a, old_size, size, &proof));
    assert_true(tree_check_consistency(old_size, old_root, size, root, &proof));
    assert_int_equal(journal_inclusion(f->s, &f->a, 1, size + 1, &proof), ERR_NOT_FOUND);
}

static void tiles(void **state)
{
    struct fixture *f = *state;
    text whole, part, bundle;
    grow(f, 600);
    assert_ok(f, journal_tile(f->s, &f->a, 0, 1, 256, &whole));
    assert_ok(f, journal_tile(f->s, &f->a, 0, 1, 7, &part));
    assert_int_equal(whole.n, 256 * 32);
    assert_true(text_eq(part, text_upto(whole, 7 * 32)));
    assert_ok(f, journal_tile(f->s, &f->a, 0, 2, 600 - 512, &part));
    assert_int_equal(journal_tile(f->s, &f->a, 0, 2, 600 - 512 + 1, &part), ERR_NOT_FOUND);
    assert_ok(f, journal_tile(f->s, &f->a, 1, 0, 2, &part));
    struct hash up = edge_subtree((const struct hash *)whole.p, 8);
    assert_memory_equal(part.p + 32, &up, 32);
    assert_int_equal(journal_tile(f->s, &f->a, 1, 0, 3, &part), ERR_NOT_FOUND);
    assert_int_equal(journal_tile(f->s, &f->a, 63, 0, 1, &part), ERR_NOT_FOUND);
    assert_ok(f, journal_bundle(f->s, &f->a, 0, 256, &bundle));
    assert_int_equal(journal_bundle(f->s, &f->a, 3, 1, &bundle), ERR_NOT_FOUND);
}

/* Members in their order, absent ones left out: docs/journal.md. */
static void form(void **state)
{
    struct fixture *f = *state;
    struct person p = person_make(f->s, 1);
    struct event e = event_of(&p, TEXT("read"));
    e.purpose = TEXT("service");
    e.categories = TEXT("identity,contact");
    e.clause = TEXT("purposes.service");
    e.count = 2;
    e.detail = (sealed){ TEXT("abc") };
    struct write w = { .event = e, .puts = &p.put, .put_count = 1 };
    assert_ok(f, store_write(f->s, &f->a, &w));
    text bundle;
    BUF_AUTO expected = buf_make(4096);
    buf_add(&expected,
            TEXT("{\"v\":1,\"time\":\"2026-09-21T14:13:20.000Z\",\"act\":\"read\",\"tenant\":\"acme\",\"who\":\""));
    buf_hex(&expected, TEXT_BYTES(e.who));
    buf_add(&expected, TEXT("\",\"actor\":\"tester\",\"purpose\":\"service\",\"categories\":\"identity,contact\","
                            "\"clause\":\"purposes.service\","
                            "\"outcome\":\"done\",\"count\":2,"
                            "\"detail\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}"));
    assert_ok(f, journal_bundle(f->s, &f->a, 0, 1, &bundle));
    assert_int_equal(bundle.n, expected.n + 2);
    assert_memory_equal(bundle.p + 2, expected.p, expected.n);
}

static void clock_set_back(void **state)
{
    struct fixture *f = *state;
    struct journal_report report;
    grow(f, 3);
    f->now -= 5000;
    grow(f, 1);
    restart(f);
    f->now -= 5000;
    grow(f, 1);
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
    assert_int_equal(report.size, 5);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(DISTINCT at) FROM journal"), 3);
}

/* ---- Verification. ---- */

static enum err verify(struct fixture *f)
{
    struct journal_report report;
    return journal_verify(f->s, &f->a, NULL, &report);
}

static void verified_broken(struct fixture *f, const char *what)
{
    enum err e = verify(f);
    if (e != ERR_INTEGRITY)
        fail_msg("%s: found as %d", what, e);
}

/* People, their details, a full tile and a part of the next. */
static void fill(struct fixture *f, struct person people[4])
{
    for (unsigned i = 0; i < 4; i++) {
        people[i] = person_make(f->s, i + 1);
        assert_ok(f, create(f->s, &f->a, &people[i], false));
    }
    for (unsigned i = 0; i < 256; i++) {
        struct write w = { .event = event_of(&people[i % 4], TEXT("read")) };
        w.event.detail = (sealed){ TEXT("what was read, sealed") };
        assert_ok(f, store_write(f->s, &f->a, &w));
        f->now += 1000;
    }
}

static void flip(struct fixture *f, const char *column, unsigned seq, text before)
{
    char sql[128];
    snprintf(sql, sizeof sql, "UPDATE journal SET %s = %s WHERE seq = %u", column,
             memcmp(column, "leaf", 4) == 0 ? "CAST(?1 AS TEXT)" : "?1", seq);
    char copy[1024];
    size_t step = f->places[FILE_DATA][0] ? 41 : 1; /* a session of PostgreSQL's for each takes long */
    for (size_t i = 0; i < before.n; i += step) {
        memcpy(copy, before.p, before.n);
        copy[i] ^= 1;
        tamper(f, "data.db", sql, (text){ copy, before.n });
        verified_broken(f, sql);
    }
    tamper(f, "data.db", sql, before);
    assert_ok(f, verify(f));
}

static text column_of(struct fixture *f, unsigned seq, struct col column)
{
    READ_AUTO db = NULL;
    assert_ok(f, store_read(f->s, &f->a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_ALL, ARGS(V_INT(seq)));
    assert_true(query_next(&q));
    return arena_copy(&f->a, query_bytes(&q, column));
}

static void finds_flipped_bytes(void **state)
{
    struct fixture *f = *state;
    struct person people[4];
    fill(f, people);
    assert_ok(f, verify(f));
    static const unsigned sample[] = { 0, 100, 255, 259 };
    for (unsigned i = 0; i < 4; i++)
        flip(f, "leaf", sample[i], column_of(f, sample[i], COL(JOURNAL_ALL, leaf)));
    flip(f, "detail", 100, column_of(f, 100, COL(JOURNAL_ALL, detail)));
    text tile = { NULL, 0 };
    assert_ok(f, journal_tile(f->s, &f->a, 0, 0, 256, &tile));
    char *copy = arena_alloc(&f->a, tile.n);
    for (size_t i = 0; i < tile.n; i += f->places[FILE_DATA][0] ? 4099 : 511) {
        memcpy(copy, tile.p, tile.n);
        copy[i] ^= 0x80;
        tamper(f, "data.db", "UPDATE tile SET hashes = ?1 WHERE level = 0", (text){ copy, tile.n });
        verified_broken(f, "a hash of a tile");
    }
    tamper(f, "data.db", "UPDATE tile SET hashes = ?1 WHERE level = 0", tile);
    assert_ok(f, verify(f));
}

static void swap(struct fixture *f, unsigned a, unsigned b)
{
    text one = column_of(f, a, COL(JOURNAL_ALL, leaf)), other = column_of(f, b, COL(JOURNAL_ALL, leaf));
    char sql[96];
    snprintf(sql, sizeof sql, "UPDATE journal SET leaf = CAST(?1 AS TEXT) WHERE seq = %u", a);
    tamper(f, "data.db", sql, other);
    snprintf(sql, sizeof sql, "UPDATE journal SET leaf = CAST(?1 AS TEXT) WHERE seq = %u", b);
    tamper(f, "data.db", sql, one);
}

static void finds_reordering(void **state)
{
    struct fixture *f = *state;
    struct person people[4];
    fill(f, people);
    static const unsigned pairs[][2] = { { 104, 105 }, { 257, 258 }, { 0, 259 }, { 255, 256 } };
    for (unsigned i = 0; i < 4; i++) {
        swap(f, pairs[i][0], pairs[i][1]);
        verified_broken(f, "two entries reordered");
        swap(f, pairs[i][0], pairs[i][1]);
        assert_ok(f, verify(f));
    }
}

struct change {
    const char *name, *change, *back;
};

static void finds_changes(void **state)
{
    struct fixture *f = *state;
    struct person people[4];
    fill(f, people);
    assert_ok(f, verify(f));
    static const struct change changes[] = {
        { "moved", "UPDATE journal SET seq = 1000 WHERE seq = 259", "UPDATE journal SET seq = 259 WHERE seq = 1000" },
        { "another time", "UPDATE journal SET at = at + 1 WHERE seq = 7",
          "UPDATE journal SET at = at - 1 WHERE seq = 7" },
        { "another tenant", "UPDATE journal SET tenant = 'other' WHERE seq = 7",
          "UPDATE journal SET tenant = 'acme' WHERE seq = 7" },
        { "another person", "UPDATE journal SET subject = (SELECT subject FROM journal WHERE seq = 8) WHERE seq = 7",
          "UPDATE journal SET subject = (SELECT subject FROM journal WHERE seq = 11) WHERE seq = 7" },
        { "pruned by hand", "INSERT INTO meta VALUES ('journal.first', '512')",
          "DELETE FROM meta WHERE name = 'journal.first'" },
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        tamper(f, "data.db", changes[i].change, (text){ NULL, 0 });
        verified_broken(f, changes[i].name);
        tamper(f, "data.db", changes[i].back, (text){ NULL, 0 });
        assert_ok(f, verify(f));
    }
    tamper(f, "data.db", "DELETE FROM journal WHERE seq = 259", (text){ NULL, 0 });
    verified_broken(f, "the last entry removed");
    store_close(&f->s);
    struct store_options o = options(f);
    assert_int_equal(store_open(&f->a, &o, &f->s), ERR_INTEGRITY); /* fewer than were signed for */
}

/* The whole of a smaller journal in the place of a larger: only what was signed tells. */
static void finds_truncation(void **state)
{
    struct fixture *f = *state;
    struct person people[4];
    fill(f, people);
    restart(f); /* leaves a checkpoint of 260 */
    grow(f, 20);
    tamper(f, "data.db", "DELETE FROM journal WHERE seq >= 258", (text){ NULL, 0 });
    verified_broken(f, "the end removed");
    store_close(&f->s);
    struct store_options o = options(f);
    assert_int_equal(store_open(&f->a, &o, &f->s), ERR_INTEGRITY);
}

static void erased_still_verifies(void **state)
{
    struct fixture *f = *state;
    struct person people[4];
    fill(f, people);
    struct hash before;
    uint64_t size;
    before = root_of(f, &size);
    assert_ok(f, erase(f->s, &f->a, &people[2]));
    assert_ok(f, verify(f));
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM journal WHERE detail IS NOT NULL"), 192);
    struct tree_proof proof;
    uint64_t now_size;
    struct hash now = root_of(f, &now_size);
    assert_ok(f, journal_consistency(f->s, &f->a, size, now_size, &proof));
    assert_true(tree_check_consistency(size, before, now_size, now, &proof));
}

/* ---- Forgetting. ---- */

/* A look that was under way while its person was erased: its entry comes after, and leads to nobody. */
static void late_entry_is_not_linked(void **state)
{
    struct fixture *f = *state;
    struct person people[4];
    fill(f, people);
    assert_ok(f, erase(f->s, &f->a, &people[1]));
    struct write w = { .event = event_of(&people[1], TEXT("read")) };
    w.event.detail = (sealed){ TEXT("why it was looked at, sealed") };
    assert_ok(f, store_write(f->s, &f->a, &w));
    assert_int_equal(
        count(f, FILE_DATA, "SELECT count(*) FROM journal WHERE seq = 261 AND subject IS NULL AND detail IS NULL"), 1);
    assert_ok(f, verify(f));
    restart(f);
    assert_ok(f, verify(f));
}

/* A data folder that an earlier program left with such links is mended at the start, and the journal says so. */
static void links_to_nobody_are_mended(void **state)
{
    struct fixture *f = *state;
    struct person people[4];
    fill(f, people);
    assert_ok(f, erase(f->s, &f->a, &people[2]));
    tamper(f, "data.db", "UPDATE journal SET subject = ?1, detail = NULL WHERE seq IN (6, 10, 254)",
           TEXT_BYTES(people[2].id));
    verified_broken(f, "links to nobody");
    store_close(&f->s);
    tamper(f, "data.db", "DELETE FROM meta WHERE name = 'tidy'", (text){ NULL, 0 });
    start(f);
    assert_ok(f, verify(f));
    assert_int_equal(
        count(f, FILE_DATA, "SELECT count(*) FROM journal WHERE leaf LIKE '%\"journal.unlinked\"%\"count\":3%'"), 1);
    uint64_t size = journal_size(f);
    restart(f);
    assert_int_equal(journal_size(f), size);
}

static void prunes(void **state)
{
    struct fixture *f = *state;
    uint64_t pruned, size;
    struct journal_report report;
    struct tree_proof proof;
    text bundle;
    grow(f, 256 * 3 + 40);
    msec third = f->now - 40 * 10 - 256 * 10 + 20; /* a little after the third bundle began */
    struct hash leaf = leaf_of(f, 300, 256 * 3 + 40);
    struct hash kept = leaf_of(f, 512, 256 * 3 + 40);
    bool whole;
    assert_ok(f, journal_prune(f->s, &f->a, third, &pruned));
    assert_int_equal(pruned, 513); /* to the entry: two bundles whole, and one line of the third */
    struct hash root = root_of(f, &size);
    assert_int_equal(size, 256 * 3 + 42);
    assert_int_equal(journal_bundle(f->s, &f->a, 1, 256, &bundle), ERR_ERASED);
    assert_int_equal(journal_bundle(f->s, &f->a, 2, 256, &bundle), ERR_ERASED);
    assert_ok(f, journal_bundle_left(f->s, &f->a, 2, 256, &bundle, &whole));
    assert_true(!whole && bundle.n > 4 && bundle.p[0] == 0 && bundle.p[1] == 0 && bundle.p[4] == '{');
    assert_ok(f, journal_bundle(f->s, &f->a, 3, (unsigned)(size - 768), &bundle));
    assert_ok(f, journal_inclusion(f->s, &f->a, 512, size, &proof));
    assert_true(tree_check_inclusion(512, size, kept, &proof, root));
    assert_int_equal(
        count(f, FILE_DATA, "SELECT count(*) FROM journal WHERE leaf LIKE '-%' AND tenant IS NULL AND subject IS NULL"),
        1);
    assert_ok(f, journal_inclusion(f->s, &f->a, 300, size, &proof));
    assert_true(tree_check_inclusion(300, size, leaf, &proof, root));
    restart(f);
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
    assert_int_equal(report.first_kept, 512);
    assert_int_equal(report.size, size);
    assert_ok(f, journal_prune(f->s, &f->a, third, &pruned));
    assert_int_equal(pruned, 0);
    f->now += DAY;
    assert_ok(f, journal_prune(f->s, &f->a, f->now, &pruned));
    assert_int_equal(pruned,
                     size - 513); /* the last bundle too, which is not complete: nothing is kept for being new */
    restart(f);
    assert_ok(f, verify(f));
    grow(f, 300);
    restart(f);
    assert_ok(f, verify(f));
    tamper(f, "data.db", "UPDATE journal SET leaf = replace(leaf, 'a', 'b') WHERE seq = 780", (text){ NULL, 0 });
    verified_broken(f, "another hash of what was forgotten");
    tamper(f, "data.db", "UPDATE journal SET leaf = replace(leaf, 'b', 'a') WHERE seq = 780", (text){ NULL, 0 });
    tamper(f, "data.db",
           "UPDATE journal SET leaf = '-' || (SELECT substr(leaf, 2) FROM journal WHERE seq = 780) WHERE seq = 900",
           (text){ NULL, 0 });
    verified_broken(f, "forgotten before its turn");
}

/* Even when nothing but forgotten entries was written, the last one stays. */
static void prunes_all(void **state)
{
    struct fixture *f = *state;
    uint64_t pruned;
    grow(f, 256);
    f->now += DAY;
    assert_ok(f, journal_prune(f->s, &f->a, f->now + DAY, &pruned));
    assert_int_equal(pruned, 256);
    restart(f);
    grow(f, 300);
    restart(f);
    assert_ok(f, verify(f));
}

int main(void)
{
    const struct CMUnitTest tests[] = { CASE(proofs),
                                        CASE(tiles),
                                        CASE(form),
                                        CASE(clock_set_back),
                                        CASE(finds_flipped_bytes),
                                        CASE(finds_changes),
                                        CASE(finds_reordering),
                                        CASE(finds_truncation),
                                        CASE(erased_still_verifies),
                                        CASE(late_entry_is_not_linked),
                                        CASE(links_to_nobody_are_mended),
                                        CASE(prunes),
                                        CASE(prunes_all) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Unit tests of the ledger: what statements rest on is declared, sums follow every write, and what was altered is
 * refused where it would decide. */
#include "store_fixture.h"
#include "store/engine/sqlite.h"

/* ---- Which statements decide. ---- */

struct seen {
    bool tables;
};

static int note_read(void *arg, int action, const char *table, const char *column, const char *file, const char *view)
{
    struct seen *seen = arg;
    for (enum table t = 0; action == SQLITE_READ && t < TABLE_COUNT; t++)
        if (ledger_kind(t) != BOUND_KIND_free && text_eq(table_row(t)->name, text_of(table)))
            seen->tables = true;
    return SQLITE_OK;
}

static const bool declared[SQL_COUNT] = {
#define READS(sql, tenant, key, tables) [SQL_##sql] = true,
#define ALSO(sql, tenant, key, tables)
#define LOOKS(sql, why) [SQL_##sql] = true,
#include "store/reads.def"
#undef READS
#undef ALSO
#undef LOOKS
};

/* The ledger's own statements, and the walks of the board, which look at everything. */
static bool looks_at_all(text name)
{
    static const text ours[] = { TEXT_INIT("ROWS_"), TEXT_INIT("ALL_"), TEXT_INIT("PART_"), TEXT_INIT("STRAY_"),
                                 TEXT_INIT("LOOK_") };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (text_starts(name, ours[i]))
            return true;
    return false;
}

static void what_decides_is_declared(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    static const struct {
        const char *name, *sql;
        bool keys;
    } rows[] = {
#define SQL(name, parameters, columns, text_)      [SQL_##name] = { #name, text_, false },
#define SQL_KEYS(name, parameters, columns, text_) [SQL_##name] = { #name, text_, true },
#include "store/sql.def"
#undef SQL
    };
    struct seen seen;
    unsigned missing = 0;
    sqlite3 *handle = f->s->writers[FILE_DATA]->conn->handle;
    sqlite3_set_authorizer(handle, note_read, &seen);
    for (enum sql i = 0; i < SQL_COUNT; i++) {
        sqlite3_stmt *statement = NULL;
        seen.tables = false;
        if (rows[i].keys || sqlite3_prepare_v2(handle, rows[i].sql, -1, &statement, NULL) != SQLITE_OK)
            continue;
        bool selects = sqlite3_stmt_readonly(statement);
        sqlite3_finalize(statement);
        if (selects && seen.tables && !declared[i] && !looks_at_all(text_of(rows[i].name))) {
            print_error("%s reads rows that decide: reads.def has no row for it\n", rows[i].name);
            missing++;
        }
    }
    sqlite3_set_authorizer(handle, NULL, NULL);
    assert_int_equal(missing, 0);
}

/* ---- Sums follow what is written. ---- */

static void verified(struct fixture *f)
{
    struct journal_report report;
    assert_ok(f, journal_verify(f->s, &f->a, NULL, &report));
    assert_int_equal(report.altered, 0);
}

static void every_write_is_bound(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1), same = person_make(f->s, 1), two = person_make(f->s, 2);
    assert_ok(f, create(f->s, &f->a, &one, false));
    assert_int_equal(create(f->s, &f->a, &same, false), ERR_CONFLICT);
    assert_int_equal(create(f->s, &f->a, &same, true), ERR_CONFLICT); /* after it had written: its part is undone */
    assert_ok(f, create(f->s, &f->a, &two, true));
    verified(f);
    restart(f);
    verified(f);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM bound WHERE of_table = 'subject'"), 2);
    assert_ok(f, erase(f->s, &f->a, &one));
    verified(f);
    assert_int_equal(count(f, FILE_DATA, "SELECT count(*) FROM bound"),
                     2); /* of the other: the person and the address */
    assert_int_equal(
        count(f, FILE_DATA,
              "SELECT count(*) FROM ledger WHERE subject NOT IN (SELECT id FROM subject) AND name = 'person'"),
        0);
}

static enum err run_unsaid(struct db *db, struct write *w)
{
    const struct person *p = w->arg;
    TRY(journal_add(db, &w->event, NULL));
    return db_run(db, SQL_SUBJECT_RESTRICT, NULL, ARGS(V_TEXT(TENANT), V_ID(p->id), V_INT(1)));
}

/* Rows changed behind an entry go under the next one of the same write. */
static void a_change_goes_under_the_next_entry(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &one, false));
    struct write w = { .run = run_unsaid, .arg = &one, .event = event_of(&one, TEXT("subject.restrict")) };
    assert_ok(f, store_write(f->s, &f->a, &w));
    assert_int_equal(count(f, FILE_DATA, "SELECT entry FROM bound WHERE of_table = 'subject'"), (int64_t)w.index);
    verified(f);
}

/* ---- What was altered. ---- */

static enum err person_read(struct fixture *f, const struct person *p)
{
    READ_AUTO db = NULL;
    TRY(store_read(f->s, &f->a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBJECT_GET, ARGS(V_TEXT(TENANT), V_ID(p->id)));
    if (query_next(&q))
        return OK;
    return q.status != OK ? q.status : ERR_NOT_FOUND;
}

static void alter(struct fixture *f, const char *sql)
{
    store_close(&f->s);
    tamper(f, "data.db", sql, (text){ NULL, 0 });
    start(f);
}

static void refused(struct fixture *f, const struct person *p, const char *named)
{
    struct journal_report report;
    assert_int_equal(person_read(f, p), ERR_INTEGRITY);
    assert_non_null(strstr(f->a.why.detail, "table subject"));
    assert_non_null(strstr(f->a.why.detail, named));
    assert_int_equal(journal_verify(f->s, &f->a, NULL, &report), ERR_INTEGRITY);
    assert_true(report.altered > 0);
}

static void what_was_altered_is_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *sql, *named;
    } ways[] = {
        { "UPDATE subject SET restricted = 1", "altered" },
        { "UPDATE subject SET created = created - 1", "altered" },
        { "DELETE FROM subject", "deleted" },
        { "UPDATE ledger SET entry = entry + 1 WHERE name = 'person'", "older state" },
        { "DELETE FROM ledger WHERE name = 'person'", "older state" },
    };
    struct person one = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &one, false));
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        assert_int_equal(person_read(f, &one), OK);
        store_close(&f->s);
        data_keep(f);
        start(f);
        alter(f, ways[i].sql);
        refused(f, &one, ways[i].named);
        /* Nothing that is written meanwhile launders it. */
        struct person other = person_make(f->s, (unsigned)i + 10);
        assert_ok(f, create(f->s, &f->a, &other, false));
        refused(f, &one, ways[i].named);
        assert_int_equal(person_read(f, &other), OK);
        store_close(&f->s);
        tamper(f, "keys.db", "DELETE FROM anchor",
               (text){ NULL, 0 }); /* the file of before is not what this is about */
        data_put_back(f);
        start(f);
    }
}

/* What only names rows is looked at too, though no act rests on it. */
static void the_bindings_are_looked_at(void **state)
{
    struct fixture *f = *state;
    struct journal_report report;
    struct person one = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &one, false));
    alter(f, "DELETE FROM bound WHERE of_table = 'subject'");
    assert_int_equal(person_read(f, &one), OK);
    assert_int_equal(journal_verify(f->s, &f->a, NULL, &report), ERR_INTEGRITY);
    assert_int_equal(report.altered, 1);
}

/* One person, with all that binds them, as they were: the journal has a newer entry. */
static void all_of_a_person_put_back(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    struct person one = person_make(f->s, 1);
    char older[128], sql[400];
    assert_ok(f, create(f->s, &f->a, &one, false));
    store_close(&f->s);
    path_in(f, "older.db", older);
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", older);
    tamper(f, "data.db", sql, (text){ NULL, 0 });
    start(f);
    struct write w = { .run = run_unsaid, .arg = &one, .event = event_of(&one, TEXT("subject.restrict")) };
    assert_ok(f, store_write(f->s, &f->a, &w));
    store_close(&f->s);
    char path[128];
    sqlite3 *db;
    path_in(f, "data.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    snprintf(sql, sizeof sql, "ATTACH '%s' AS older", older);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "BEGIN; DELETE FROM main.subject; INSERT INTO main.subject SELECT * FROM older.subject;"
                     "DELETE FROM main.bound; INSERT INTO main.bound SELECT * FROM older.bound;"
                     "DELETE FROM main.ledger; INSERT INTO main.ledger SELECT * FROM older.ledger; COMMIT",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    start(f);
    struct journal_report report;
    assert_int_equal(person_read(f, &one), ERR_INTEGRITY);
    assert_non_null(strstr(f->a.why.detail, "older state"));
    assert_int_equal(journal_verify(f->s, &f->a, NULL, &report), ERR_INTEGRITY);
}

/* ---- A table in parts: who has thousands of grants is asked for one. ---- */

struct granting {
    const struct person *person;
    uint8_t name[32];
};

static enum err run_grant(struct db *db, struct write *w)
{
    const struct granting *g = w->arg;
    sealed details = { TEXT("details") };
    return db_run(db, SQL_FOLDER_ADD, NULL,
                  ARGS(V_TEXT(TENANT), V_ID(g->person->id), V_TEXT(TEXT("room")), V_BYTES(TEXT_BYTES(g->name)),
                       V_TEXT(TEXT("rooms")), V_TEXT(TEXT("granted")), V_TEXT(TEXT("test")), V_NULL, V_SEALED(details),
                       V_NULL, V_NULL, V_INT(1), V_NULL));
}

static enum err run_grants_go(struct db *db, struct write *w)
{
    const struct granting *g = w->arg;
    return db_run(db, SQL_FOLDER_DROP_OF, NULL, ARGS(V_TEXT(TENANT), V_ID(g->person->id), V_TEXT(TEXT("rooms"))));
}

static void granting_act(struct fixture *f, const struct person *p, uint8_t first,
                         enum err (*run)(struct db *db, struct write *w))
{
    struct granting g = { p, { first } };
    struct write w = { .run = run, .arg = &g, .event = event_of(p, TEXT("folder.granted")) };
    assert_ok(f, store_write(f->s, &f->a, &w));
}

static enum err may_enter(struct fixture *f, const struct person *p, uint8_t first)
{
    const uint8_t name[32] = { first };
    READ_AUTO db = NULL;
    TRY(store_read(f->s, &f->a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_FOLDER_ALLOWS,
                ARGS(V_TEXT(TENANT), V_ID(p->id), V_TEXT(TEXT("room")), V_BYTES(TEXT_BYTES(name)), V_INT(5)));
    if (query_next(&q))
        return OK;
    return q.status != OK ? q.status : ERR_NOT_FOUND;
}

static void a_part_stands_for_itself(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *sql;
        uint8_t refused, also;
        const char *pg; /* where PostgreSQL says it in other words */
    } ways[] = {
        { "UPDATE folder_grant SET until = 99 WHERE HEX(SUBSTR(name, 1, 1)) = '04'", 4, 4, NULL },
        { "DELETE FROM folder_grant WHERE HEX(SUBSTR(name, 1, 1)) = '04'", 4, 4, NULL },
        { "UPDATE folder_grant SET name = CAST(X'09' || SUBSTR(name, 2) AS BLOB) WHERE HEX(SUBSTR(name, 1, 1)) = '04'",
          4, 8,
          "UPDATE folder_grant SET name = '\\x09'::bytea || SUBSTR(name, 2) WHERE HEX(SUBSTR(name, 1, 1)) = '04'" },
        { "UPDATE bound SET of_table = 'hold' WHERE of_table = 'folder_grant'", 255, 255, NULL }, /* only names rows */
    };
    struct person one = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &one, false));
    for (unsigned first = 0; first < 16; first += 2)
        granting_act(f, &one, (uint8_t)first, run_grant);
    verified(f);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct journal_report report;
        bool other_words = f->places[FILE_DATA][0] && ways[i].pg;
        store_close(&f->s);
        data_keep(f);
        start(f);
        alter(f, other_words ? ways[i].pg : ways[i].sql);
        for (unsigned first = 0; first < 16; first += 2) {
            bool hit = first / 4 == ways[i].refused / 4 || first / 4 == ways[i].also / 4;
            assert_int_equal(may_enter(f, &one, (uint8_t)first), hit ? ERR_INTEGRITY : OK);
        }
        assert_int_equal(journal_verify(f->s, &f->a, NULL, &report), ERR_INTEGRITY);
        store_close(&f->s);
        tamper(f, "keys.db", "DELETE FROM anchor", (text){ NULL, 0 });
        data_put_back(f);
        start(f);
    }
    granting_act(f, &one, 0, run_grants_go);
    verified(f);
    assert_int_equal(may_enter(f, &one, 4), ERR_NOT_FOUND);
}

static void share_moves(struct db *db, const struct head_of *of, const struct head *h)
{
    struct ledger_star *star = &db->store->edge.ledger;
    uint8_t share[LEDGER_STATE];
    ledger_share(&db->store->ledger, of, h->entry, TEXT_BYTES(h->mac), share);
    ledger_xor(star->sum, share, sizeof share);
    star->dirty = true;
}

/* As a program before parts left it: one sum of all grants. */
static enum err run_undivide(struct db *db, struct write *w)
{
    const struct granting *g = w->arg;
    const struct ledger *l = &db->store->ledger;
    struct scope s = { TENANT, g->person->id, 0 };
    struct head_of of = ledger_head_of(TABLE_folder_grant, &s);
    struct slot all = { .name = l->codes[TABLE_folder_grant] };
    struct head *h;
    TRY(ledger_head_here(db, &of, &h));
    share_moves(db, &of, h);
    for (unsigned i = 0; i < h->count; i++)
        if (h->slots[i].name - all.name - 1 < LEDGER_PARTS) {
            ledger_xor(all.sum, h->slots[i].sum, LEDGER_SUM);
            all.count += h->slots[i].count;
        }
    ledger_slots_drop(l, h, TABLE_folder_grant);
    *ledger_slot_make(h, all.name) = all;
    TRY(ledger_head_put(db, &of, h));
    share_moves(db, &of, h);
    return run_grant(db, w);
}

static bool in_one_sum(struct fixture *f, const struct person *p)
{
    struct head h;
    struct scope s = { TENANT, p->id, 0 };
    struct head_of of = ledger_head_of(TABLE_folder_grant, &s);
    READ_AUTO db = NULL;
    assert_ok(f, store_read(f->s, &f->a, &db));
    assert_ok(f, ledger_head_read(db, &of, &h));
    return ledger_undivided(&f->s->ledger, &h, TABLE_folder_grant);
}

static void what_was_bound_before_parts_holds(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &one, false));
    granting_act(f, &one, 0, run_grant);
    granting_act(f, &one, 4, run_grant);
    assert_false(in_one_sum(f, &one));
    granting_act(f, &one, 8, run_undivide);
    assert_true(in_one_sum(f, &one));
    verified(f);
    restart(f);
    granting_act(f, &one, 12, run_grant);
    verified(f);
    assert_ok(f, may_enter(f, &one, 4));
    tamper(f, "data.db", "UPDATE folder_grant SET until = 99 WHERE HEX(SUBSTR(name, 1, 1)) = '04'", (text){ NULL, 0 });
    nanosleep(&(struct timespec){ .tv_nsec = 3000000 }, NULL);
    assert_int_equal(may_enter(f, &one, 0), ERR_INTEGRITY); /* all of them stand together */
    tamper(f, "data.db", "UPDATE folder_grant SET until = NULL", (text){ NULL, 0 });
    granting_act(f, &one, 0, run_grants_go);
    granting_act(f, &one, 4, run_grant);
    assert_false(in_one_sum(f, &one));
    verified(f);
    assert_ok(f, may_enter(f, &one, 4));
}

/* ---- A folder of before, and one whose ledger was taken away. ---- */

static void as_of_before(struct fixture *f)
{
    tamper(f, "data.db", "DELETE FROM bound", (text){ NULL, 0 });
    tamper(f, "data.db", "DELETE FROM ledger", (text){ NULL, 0 });
}

static void rows_of_before_are_bound(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &one, false));
    store_close(&f->s);
    as_of_before(f);
    start(f);
    assert_int_equal(person_read(f, &one), ERR_INTEGRITY); /* the keyring knows that they were bound */
    store_close(&f->s);
    tamper(f, "keys.db", "DELETE FROM anchor", (text){ NULL, 0 });
    struct store_options o = options(f);
    assert_int_equal(store_open(&f->a, &o, &f->s), ERR_INTEGRITY); /* and so does the journal */
    tamper(f, "data.db", "UPDATE journal SET leaf = replace(leaf, '\"sums\"', '\"nums\"')", (text){ NULL, 0 });
    tamper(f, "keys.db", "DELETE FROM anchor", (text){ NULL, 0 });
    tamper(f, "data.db", "DELETE FROM checkpoint", (text){ NULL, 0 });
    start(f); /* as an older program left it */
    assert_int_equal(person_read(f, &one), OK);
    assert_int_equal(
        count(f, FILE_DATA,
              "SELECT count(*) FROM journal WHERE leaf LIKE '%\"ledger.bound\"%' AND leaf LIKE '%\"sums\"%'"),
        1);
    verified(f);
    restart(f);
    verified(f);
}

/* ---- The anchor. ---- */

static void an_older_file_is_refused(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &one, false));
    store_close(&f->s);
    data_keep(f);
    start(f);
    assert_ok(f, note(f->s, &f->a, TEXT("read")));
    store_close(&f->s);
    data_put_back(f);
    struct store_options o = options(f);
    if (store_open(&f->a, &o, &f->s) != ERR_INTEGRITY || !strstr(f->a.why.detail, "older than the keyring"))
        fail_msg("store_open: %s", f->a.why.detail);
    f->s = NULL;
}

/* ---- What was looked at serves as long as nobody else can write. ---- */

static const uint8_t token_digest[32] = { 1, 2, 3 };

static enum err run_token_find(struct db *db, struct write *w)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOKEN_FIND, ARGS(V_BYTES(TEXT_BYTES(token_digest)), V_INT(1)));
    if (query_next(&q))
        return OK;
    return q.status != OK ? q.status : ERR_NOT_FOUND;
}

static enum err run_token_revoke(struct db *db, struct write *w)
{
    return db_run(db, SQL_TOKEN_REVOKE, NULL, ARGS(V_TEXT(TENANT), V_TEXT(TEXT("app")), V_INT(5)));
}

/* Asked, ended and asked again by the same write. */
static enum err run_token_ends(struct db *db, struct write *w)
{
    TRY(run_token_find(db, w));
    TRY(db_run(db, SQL_TOKEN_REVOKE, NULL, ARGS(V_TEXT(TENANT), V_TEXT(TEXT("app")), V_INT(5))));
    return run_token_find(db, w);
}

static enum err run_token_add(struct db *db, struct write *w)
{
    return db_run(db, SQL_TOKEN_ADD, NULL,
                  ARGS(V_BYTES(TEXT_BYTES(token_digest)), V_TEXT(TENANT), V_TEXT(TEXT("app")), V_TEXT(TEXT("app")),
                       V_INT(0), V_NULL));
}

static enum err act(struct fixture *f, enum err (*run)(struct db *db, struct write *w))
{
    struct write w = { .run = run, .event = { .act = TEXT("token.create"), .actor = TEXT("test"), .count = -1 } };
    return store_write(f->s, &f->a, &w);
}

/* The server runs all the while: the writer, and who reads. */
static void what_is_altered_meanwhile_is_refused(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &one, false));
    assert_ok(f, act(f, run_token_add));
    assert_ok(f, act(f, run_token_find));
    tamper(f, "data.db", "UPDATE token SET expires = 9", (text){ NULL, 0 });
    assert_int_equal(act(f, run_token_find), ERR_INTEGRITY);
    tamper(f, "data.db", "UPDATE token SET expires = NULL", (text){ NULL, 0 });
    assert_ok(f, act(f, run_token_find));
    assert_int_equal(act(f, run_token_ends), ERR_NOT_FOUND);
    assert_ok(f, act(f, run_token_find)); /* what was refused was undone */
    assert_ok(f, person_read(f, &one));
    tamper(f, "data.db", "UPDATE subject SET restricted = 1", (text){ NULL, 0 });
    nanosleep(&(struct timespec){ .tv_nsec = 3000000 }, NULL); /* longer than a snapshot is shared */
    assert_int_equal(person_read(f, &one), ERR_INTEGRITY);
}

static enum err run_person(struct db *db, struct write *w)
{
    const struct person *one = w->arg;
    return db_run(db, SQL_SUBJECT_RESTRICT, NULL, ARGS(V_TEXT(TENANT), V_ID(one->id), V_INT(1)));
}

static const enum table of_tokens[] = { TABLE_token, TABLE_token_holder };

/* Asked inside the write, before and after it changes one. A write that fails is run twice, the second time by itself.
 */
struct asks {
    struct store_moment m;
    bool before, after, ran;
};
static enum err run_still(struct db *db, struct write *w)
{
    struct asks *asks = w->arg;
    struct store *s = (struct store *)db_store(db);
    if (!asks->ran)
        asks->before = store_still(s, db, asks->m, of_tokens, 2);
    asks->ran = true;
    TRY(db_run(db, SQL_TOKEN_REVOKE, NULL, ARGS(V_TEXT(TENANT), V_TEXT(TEXT("app")), V_INT(5))));
    asks->after |= store_still(s, db, asks->m, of_tokens, 2);
    return ERR_NOT_FOUND;
}

static struct store_moment moment_now(struct fixture *f, msec ahead)
{
    READ_AUTO db = NULL;
    assert_ok(f, store_read(f->s, &f->a, &db));
    struct store_moment m = store_moment(db);
    m.begun += ahead;
    return m;
}

/* What was read of a table holds until a change of that table is acknowledged, for a millisecond or two. */
static void what_was_read_holds_until_it_is_changed(void **state)
{
    struct fixture *f = *state;
    struct person one = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &one, false));
    assert_ok(f, act(f, run_token_add));
    struct store_moment m = moment_now(f, HOUR), old = moment_now(f, -HOUR); /* HOUR: this machine may be busy */
    assert_true(store_still(f->s, NULL, m, of_tokens, 2));
    assert_false(store_still(f->s, NULL, old, of_tokens, 2));
    struct write other = { .run = run_person, .arg = &one, .event = event_of(&one, TEXT("subject.restrict")) };
    assert_ok(f, store_write(f->s, &f->a, &other));
    assert_true(store_still(f->s, NULL, m, of_tokens, 2)); /* another table */
    struct asks asks = { .m = m };
    struct write w = { .run = run_still,
                       .arg = &asks,
                       .event = { .act = TEXT("token.revoke"), .actor = TEXT("test"), .count = -1 } };
    assert_int_equal(store_write(f->s, &f->a, &w), ERR_NOT_FOUND);
    assert_true(asks.before && !asks.after);
    assert_ok(f, act(f, run_token_find)); /* what was refused was undone */
    m = moment_now(f, HOUR);
    assert_ok(f, act(f, run_token_revoke));
    assert_false(store_still(f->s, NULL, m, of_tokens, 2));
}

/* SQLite compiles a statement again at each run when it compares a parameter with what a partial index has. */
static void statements_are_compiled_once(void **state)
{
    struct fixture *f = *state;
    ONLY_SQLITE(f);
    struct person one = person_make(f->s, 1);
    assert_ok(f, create(f->s, &f->a, &one, false));
    struct db *db;
    ARENA_AUTO a = arena_make(1 << 20);
    char path[128];
    path_in(f, "data.db", path);
    assert_ok(f, db_open(&a, path, FILE_DATA, DB_WRITE, &db));
    db->arena = &a;
    for (int i = 0; i < 3; i++)
        assert_ok(f, db_run(db, SQL_CONSENT_REPEAT, NULL,
                            ARGS(V_TEXT(TENANT), V_ID(one.id), V_TEXT(TEXT("news")), V_TEXT(TEXT("")),
                                 V_TEXT(TEXT("given")), V_INT(i), V_TEXT(TEXT("1")), V_NULL, V_NULL, V_NULL)));
    sqlite3_stmt *statement = db->conn->statements[SQL_CONSENT_REPEAT];
    assert_int_equal(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 0), 0);
    db_close(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = { CASE(what_is_altered_meanwhile_is_refused),
                                        CASE(what_was_read_holds_until_it_is_changed),
                                        CASE(statements_are_compiled_once),
                                        CASE(what_decides_is_declared),
                                        CASE(every_write_is_bound),
                                        CASE(a_change_goes_under_the_next_entry),
                                        CASE(what_was_altered_is_refused),
                                        CASE(a_part_stands_for_itself),
                                        CASE(what_was_bound_before_parts_holds),
                                        CASE(the_bindings_are_looked_at),
                                        CASE(all_of_a_person_put_back),
                                        CASE(rows_of_before_are_bound),
                                        CASE(an_older_file_is_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

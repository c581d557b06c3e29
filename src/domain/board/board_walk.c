/* The board's walks over tables, in the order of their keys, a bounded number of rows a step: terms, seals, categories,
 * keys, consents. */
#include "domain/board/board_inside.h"
#include "domain/core/feature.h"
#include "domain/person/keeping.h"
#include "domain/person/permission.h"
#include "domain/core/written.h"
#include <time.h>

enum { STEP_ROWS = 1000, STEP_BYTES = 4 << 20, SUSPECTS = 16, SECOND_LOOKS = 5, SECOND_LOOK_MS = 20, SEAL_FORM = 1 };

/* The person whose rows are being walked: loaded once, since their rows stand together. */
struct walker {
    struct board_step *step;
    struct db *db;
    text tenant;
    struct subject_id subject;
    bool loaded;
    struct keeping keeping;
    struct suspect {
        text tenant;
        struct subject_id subject;
        uint32_t key_class;
    } suspects[SUSPECTS];
    unsigned suspect_count;
    struct opener opener;
    struct doubt {
        struct cursor before, at;
    } doubts[SUSPECTS];
    unsigned doubt_count; /* unreadable at the first look */
    size_t bytes;         /* of what was opened in this step */
    char wording[65];
    bool wording_good; /* the last one looked at: neighbours often share it */
    char version[65];
    bool version_good;
};

static enum err subject_of(struct walker *w, struct query *q, struct col column, struct subject_id *out)
{
    text bytes = query_bytes(q, column);
    if (bytes.n != sizeof *out)
        return say(w->step->c->arena, ERR_INTEGRITY, "a row has a subject of %zu bytes", bytes.n);
    memcpy(out, bytes.p, sizeof *out);
    return OK;
}

static enum err keeping_of(struct walker *w, struct query *q)
{
    struct subject_id id;
    text tenant = query_get(q, LOOK_RECORDS, tenant);
    TRY(subject_of(w, q, COL(LOOK_RECORDS, subject), &id));
    if (w->loaded && text_eq(tenant, w->tenant) && memcmp(&id, &w->subject, sizeof id) == 0)
        return OK;
    w->tenant = arena_copy(w->step->c->arena, tenant);
    w->subject = id;
    w->loaded = true;
    TRY_PTR(w->tenant.p);
    return keeping_careful(w->db, w->step->c->arena, w->tenant, id, w->step->c->now, &w->keeping);
}

/* ---- Terms. ---- */

static void count_end(struct walker *w, text path, msec end)
{
    struct facts *f = w->step->facts;
    msec now = w->step->c->now;
    if (!end || end > now)
        return;
    bool late = now - end > BOARD_GRACE;
    (late ? fact_bad : fact_soon)(f, PROBE_retention, 1);
    if (late)
        fact_clause(f, PROBE_retention, path, 0, 1);
}

static bool held(const struct walker *w, text category)
{
    return w->keeping.restricted || keeping_hold(&w->keeping, category);
}

/* From the thing's own start, whatever date stands on the row: that one only says when the sweep looks at it. */
static void look_at_term(struct walker *w, const struct kept_thing *t, bool own_term, bool archived)
{
    const struct keeping_end e = keeping_end(w->step->c->policy, &w->keeping, t);
    if (!e.by)
        return;
    fact_clause(w->step->facts, PROBE_retention, e.by->clause.path, 1, 0);
    if (e.stopped || (!own_term && !w->keeping.closed))
        return; /* what has no term of its own waits for the account's, which is looked at by itself */
    if (e.own == KEEPING_PAST)
        fact_soon(w->step->facts, PROBE_retention, 1);
    else if (e.archived && !archived && !w->keeping.erased)
        count_end(w, e.by->clause.path, e.archived); /* it should be in the archive by then */
    else
        count_end(w, e.by->clause.path, e.own);
}

/* ---- Records, former values, attachments. ---- */

static void look_at_form(struct walker *w, int64_t length, text form)
{
    fact_looked(w->step->facts, PROBE_sealed, 1);
    if (length < SEAL_OVERHEAD || form.n != 1 || form.p[0] != SEAL_FORM)
        fact_bad(w->step->facts, PROBE_sealed, 1);
}

static void look_at_seal(struct walker *w, struct query *q, struct col length, struct col first)
{
    look_at_form(w, query_int(q, length), query_bytes(q, first));
}

/* NULL when the policy does not declare it, or it may not be on the disk at all. */
static const struct category *look_at_category(struct walker *w, text name)
{
    struct facts *f = w->step->facts;
    const struct policy *p = w->step->c->policy;
    int index = policy_category(p, name);
    fact_looked(f, PROBE_undeclared, 1);
    fact_looked(f, PROBE_transient, 1);
    if (index < 0) {
        fact_bad(f, PROBE_undeclared, 1);
        return NULL;
    }
    const struct category *cat = &p->categories[index];
    if (cat->transient) {
        fact_bad(f, PROBE_transient, 1);
        fact_clause(f, PROBE_transient, cat->clause.path, 0, 1);
    }
    return cat;
}

/* Of nobody: its person is gone and it was left. */
static enum err look_at_owner(struct walker *w, struct query *q)
{
    TRY(keeping_of(w, q));
    if (!w->keeping.starts.collection)
        fact_bad(w->step->facts, PROBE_keyring, 1);
    return OK;
}

static enum err look_at_thing(struct walker *w, struct query *q)
{
    fact_looked(w->step->facts, PROBE_retention, 1);
    look_at_seal(w, q, COL(LOOK_RECORDS, length), COL(LOOK_RECORDS, form));
    TRY(look_at_owner(w, q));
    /* The proof of a consent stays as long as that does. */
    if (w->step->job == JOB_ATTACHMENTS && text_eq(query_get(q, LOOK_RECORDS, category), TEXT("consents")))
        return OK;
    const struct category *cat = look_at_category(w, query_get(q, LOOK_RECORDS, category));
    if (cat && !cat->transient)
        look_at_term(w,
                     &(struct kept_thing){ cat->name, false, query_get(q, LOOK_RECORDS, at) != 0,
                                           query_get(q, LOOK_RECORDS, at), query_get(q, LOOK_RECORDS, at) },
                     cat->retention, query_get(q, LOOK_RECORDS, state) != 0);
    return OK;
}

/* A feature's row: archived nowhere, so that only the end of the whole term counts. */
static enum err look_at_feature(struct walker *w, struct query *q)
{
    ARENA_AUTO room = arena_make(1 << 16);
    struct held_row row = { 0 };
    board_feature(w->step->c, w->step->job)->row(&room, w->step->c->policy, q, &row);
    TRY(arena_whole(&room));
    look_at_form(w, row.length, row.form);
    TRY(look_at_owner(w, q));
    if (!row.declared.n)
        return OK;
    const struct category *cat = look_at_category(w, row.declared);
    fact_looked(w->step->facts, PROBE_retention, 1);
    if (cat)
        look_at_term(w, &(struct kept_thing){ cat->name, false, row.begun, row.at, row.event }, cat->retention, true);
    return OK;
}

/* Without a term of their own none is kept.
 */
static enum err look_at_former(struct walker *w, struct query *q)
{
    text category = query_get(q, LOOK_FORMERS, category);
    msec at = query_get(q, LOOK_FORMERS, at);
    fact_looked(w->step->facts, PROBE_retention, 1);
    look_at_seal(w, q, COL(LOOK_FORMERS, length), COL(LOOK_FORMERS, form));
    look_at_category(w, category);
    TRY(look_at_owner(w, q));
    if (policy_retention(w->step->c->policy, TEXT("former")) || w->keeping.erased)
        look_at_term(w, &(struct kept_thing){ category, true, true, at, at }, true, true);
    else if (!held(w, category))
        count_end(w, TEXT("retention"), at);
    return OK;
}

static enum err look_at_part(struct walker *w, struct query *q)
{
    look_at_seal(w, q, COL(LOOK_PARTS, length), COL(LOOK_PARTS, form));
    return OK;
}

/* ---- People and keys: what one file has without the other, looked at again before it counts. ---- */

static void suspect(struct walker *w, text tenant, struct subject_id subject, uint32_t key_class)
{
    if (w->suspect_count == SUSPECTS) { /* far more than a write under way explains */
        fact_bad(w->step->facts, PROBE_keyring, 1);
        return;
    }
    w->suspects[w->suspect_count++] = (struct suspect){ arena_copy(w->step->c->arena, tenant), subject, key_class };
}

static enum err has_key(struct walker *w, text tenant, struct subject_id subject, uint32_t key_class, bool *out)
{
    READ_AUTO keys = NULL;
    TRY(store_read_keys(ctx_store(w->step->c), w->step->c->arena, &keys));
    QUERY_AUTO q;
    query_start(&q, keys, SQL_KEY_GET, ARGS(V_TEXT(tenant), V_ID(subject), V_INT(key_class)));
    *out = query_next(&q);
    return q.status;
}

static enum err look_at_person(struct walker *w, struct query *q)
{
    enum { GONE = 2 };
    struct subject_id id = { 0 };
    bool key;
    TRY(subject_of(w, q, COL(LOOK_SUBJECTS, subject), &id));
    if (query_get(q, LOOK_SUBJECTS, state) == GONE)
        return OK;
    fact_looked(w->step->facts, PROBE_keyring, 1);
    TRY(has_key(w, query_get(q, LOOK_SUBJECTS, tenant), id, 0, &key));
    if (!key)
        suspect(w, query_get(q, LOOK_SUBJECTS, tenant), id, 0);
    const struct retention *r = policy_retention(w->step->c->policy, TEXT("accounts"));
    if (!r)
        return OK;
    TRY(keeping_of(w, q));
    fact_looked(w->step->facts, PROBE_retention, 1);
    fact_clause(w->step->facts, PROBE_retention, r->clause.path, 1, 0);
    if (held(w, TEXT("*")))
        return OK;
    msec account, end;
    TRY(keeping_person_end(w->db, w->step->c->policy, w->tenant, w->subject, &w->keeping, &account, &end));
    count_end(w, r->clause.path, end);
    return OK;
}

/* Whether a key has what it is for: the person, or rows of an erased one that are left under it. */
static enum err key_serves(struct walker *w, struct db *db, text tenant, struct subject_id subject, uint32_t key_class,
                           bool *out)
{
    *out = false;
    {
        QUERY_AUTO there;
        query_start(&there, db, SQL_SUBJECT_THERE, ARGS(V_TEXT(tenant), V_ID(subject)));
        *out = query_next(&there);
        TRY(there.status);
    }
    if (*out)
        return OK;
    QUERY_AUTO q;
    query_start(&q, db, SQL_LEFTOVER_CLASSES, ARGS(V_TEXT(tenant), V_ID(subject)));
    while (!*out && query_next(&q))
        *out = (uint32_t)query_get(&q, LEFTOVER_CLASSES, class) == key_class;
    return q.status;
}

static enum err look_at_key(struct walker *w, struct query *q)
{
    struct subject_id id = { 0 };
    bool serves;
    text tenant = arena_copy(w->step->c->arena, query_get(q, KEY_PAGE, tenant));
    uint32_t key_class = (uint32_t)query_get(q, KEY_PAGE, class);
    TRY_PTR(tenant.p);
    TRY(subject_of(w, q, COL(KEY_PAGE, subject), &id));
    fact_looked(w->step->facts, PROBE_keyring, 1);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(w->step->c), w->step->c->arena, &db));
    TRY(key_serves(w, db, tenant, id, key_class, &serves));
    if (!serves && store_keys_spared(ctx_store(w->step->c)) <= w->step->c->now)
        suspect(w, tenant, id, key_class);
    return OK;
}

/* In a new snapshot: is it still as suspected? */
static enum err still(struct walker *w, const struct suspect *s, bool *out)
{
    bool key, serves;
    READ_AUTO db = NULL;
    TRY(has_key(w, s->tenant, s->subject, s->key_class, &key));
    TRY(store_read(ctx_store(w->step->c), w->step->c->arena, &db));
    TRY(key_serves(w, db, s->tenant, s->subject, s->key_class, &serves));
    *out = key != serves;
    return OK;
}

/* A key is durable a moment before its rows, and shredded a moment before they go: what is only that settles by itself.
 */
static enum err look_again(struct walker *w)
{
    const struct timespec moment = { .tv_nsec = SECOND_LOOK_MS * 1000000L };
    for (unsigned look = 0; w->suspect_count && look < SECOND_LOOKS; look++) {
        unsigned left = 0;
        nanosleep(&moment, NULL);
        for (unsigned i = 0; i < w->suspect_count; i++) {
            bool yes;
            TRY(still(w, &w->suspects[i], &yes));
            if (yes)
                w->suspects[left++] = w->suspects[i];
        }
        w->suspect_count = left;
    }
    fact_bad(w->step->facts, PROBE_keyring, w->suspect_count);
    return OK;
}

/* ---- Consents. ---- */

static enum err wording_kept(struct walker *w, text hash)
{
    char hex[65];
    if (text_eq(text_of(w->wording), hash))
        return OK;
    if (!text_cstr(hash, w->wording, sizeof w->wording))
        w->wording[0] = 0;
    QUERY_AUTO q;
    query_start(&q, w->db, SQL_WORDING_GET, ARGS(V_TEXT(hash)));
    w->wording_good = false;
    if (query_next(&q)) {
        struct arena *a = w->step->c->arena;
        text kept = arena_copy(a, query_get(&q, WORDING_GET, text)), words;
        TRY_PTR(kept.p);
        bool opens = written_open(db_store(w->db), a, TEXT(""), TEXT("wording"), kept, &words) == OK;
        digest_hex(opens ? words : TEXT(""), hex);
        w->wording_good = opens && text_eq(text_of(hex), hash);
    }
    return q.status;
}

/* A decision stands under a version that was in force here, or was announced. */
static enum err version_known(struct walker *w, text version)
{
    if (w->version[0] && text_eq(text_of(w->version), version))
        return OK;
    if (!text_cstr(version, w->version, sizeof w->version))
        w->version[0] = 0;
    QUERY_AUTO q;
    query_start(&q, w->db, SQL_POLICY_VERSION_NAMED, ARGS(V_TEXT(version)));
    w->version_good = version.n && query_next(&q);
    return q.status;
}

static enum err look_at_consent(struct walker *w, struct query *q)
{
    struct facts *f = w->step->facts;
    const struct policy *p = w->step->c->policy;
    text purpose = query_get(q, LOOK_CONSENTS, purpose), wording = query_get(q, LOOK_CONSENTS, wording);
    bool source = text_eq(query_get(q, LOOK_CONSENTS, channel), PERMISSION_CHANNEL); /* another probe tells of it */
    int index = source ? 0 : policy_purpose(p, purpose);
    fact_looked(f, PROBE_consents, 1);
    if (index < 0)
        fact_soon(f, PROBE_consents, 1);
    else if (!source)
        fact_clause(f, PROBE_consents, p->purposes[index].clause.path, 1, 0);
    TRY(version_known(w, query_get(q, LOOK_CONSENTS, policy)));
    bool good = query_get(q, LOOK_CONSENTS, at) > 0 && query_get(q, LOOK_CONSENTS, at) <= w->step->c->now + DAY &&
                w->version_good;
    if (good && wording.n) { /* an objection agrees to no wording */
        TRY(wording_kept(w, wording));
        good = w->wording_good;
    }
    if (!good)
        fact_bad(f, PROBE_consents, 1);
    if (!good && index >= 0 && !source)
        fact_clause(f, PROBE_consents, p->purposes[index].clause.path, 0, 1);
    return OK;
}

/* ---- Choices about trackers. ---- */

/* Proved as consents are; a refusal tells nobody apart, and none outlives its term. */
static enum err look_at_choice(struct walker *w, struct query *q)
{
    struct facts *f = w->step->facts;
    msec now = w->step->c->now, at = query_get(q, LOOK_CHOICES, at);
    text decision = query_get(q, LOOK_CHOICES, decision);
    bool yes = text_eq(decision, TEXT("given")) || text_eq(decision, TEXT("withdrawn"));
    bool known = yes || text_eq(decision, TEXT("refused"));
    bool ended = !query_null(q, LOOK_CHOICES, due) && query_get(q, LOOK_CHOICES, due) <= now - BOARD_GRACE;
    fact_looked(f, PROBE_trackers, 1);
    TRY(version_known(w, query_get(q, LOOK_CHOICES, policy)));
    TRY(wording_kept(w, query_get(q, LOOK_CHOICES, wording)));
    bool good = known && yes == (query_get(q, LOOK_CHOICES, identified) != 0) && at > 0 && at <= now + DAY &&
                w->version_good && w->wording_good && !ended;
    fact_bad(f, PROBE_trackers, !good);
    fact_soon(f, PROBE_trackers, policy_purpose(w->step->c->policy, query_get(q, LOOK_CHOICES, purpose)) < 0);
    return OK;
}

/* ---- Marketing emails. ---- */

/* Each of the last days left under a consent that was in force: withdrawals since then do not count. */
static enum err look_at_letter(struct walker *w, struct query *q)
{
    enum { DAYS = 30 };
    msec at = query_get(q, LOOK_LETTERS, at);
    if (at <= w->step->c->now - DAYS * DAY)
        return OK;
    fact_looked(w->step->facts, PROBE_letters, 1);
    fact_bad(w->step->facts, PROBE_letters, !query_get(q, LOOK_LETTERS, agreed));
    return OK;
}

/* ---- Accounts and sessions. ---- */

/* What is sealed there has the length of a
 * digest: a password in another form would have its own. */
static enum err look_at_account(struct walker *w, struct query *q)
{
    enum { SHORTEST = SEAL_OVERHEAD + 80, LONGEST = SEAL_OVERHEAD + 128 };
    text form = query_get(q, LOOK_ACCOUNTS, form);
    int64_t length = query_get(q, LOOK_ACCOUNTS, length);
    if (!length)
        return OK;
    fact_looked(w->step->facts, PROBE_passwords, 1);
    fact_bad(w->step->facts, PROBE_passwords,
             length < SHORTEST || length > LONGEST || form.n != 1 || form.p[0] != SEAL_FORM);
    return OK;
}

static enum err look_at_session(struct walker *w, struct query *q)
{
    const struct policy *p = w->step->c->policy;
    msec now = w->step->c->now - BOARD_GRACE;
    msec created = query_get(q, LOOK_SESSIONS, created);
    msec seen = query_get(q, LOOK_SESSIONS, seen);
    msec ends = query_get(q, LOOK_SESSIONS, ends);
    bool over = ends <= now || term_end(seen, p->session.idle, 1) <= now ||
                term_end(created, p->session.absolute, 1) <= now;
    fact_looked(w->step->facts, PROBE_sessions, 1);
    fact_bad(w->step->facts, PROBE_sessions, over);
    fact_looked(w->step->facts, PROBE_cookies, 1);
    fact_bad(w->step->facts, PROBE_cookies, !p->session.cookie.n);
    return OK;
}

/* ---- Publications. ---- */

/* What was approved had a consent in force then; that it still has one is asked at each look at it. */
static enum err look_at_publication(struct walker *w, struct query *q)
{
    text path = arena_print(w->step->c->arena, "categories.%.*s.public", T(query_get(q, LOOK_PUBLICATIONS, category)));
    TRY_PTR(path.p);
    QUERY_AUTO then;
    query_start(&then, w->db, SQL_PUBLICATION_AGREED,
                ARGS(V_TEXT(query_get(q, LOOK_PUBLICATIONS, tenant)), V_BYTES(query_get(q, LOOK_PUBLICATIONS, subject)),
                     V_TEXT(query_get(q, LOOK_PUBLICATIONS, purpose)),
                     V_INT(query_get(q, LOOK_PUBLICATIONS, decided))));
    bool agreed = query_next(&then);
    TRY(then.status);
    fact_looked(w->step->facts, PROBE_publications, 1);
    fact_bad(w->step->facts, PROBE_publications, !agreed);
    fact_clause(w->step->facts, PROBE_publications, path, 1, !agreed);
    return OK;
}

/* ---- Support sessions. ---- */

/* Each look lies within what the tenant opened, and no session is longer than one may be. */
static enum err look_at_support(struct walker *w, struct query *q)
{
    msec decided = query_get(q, LOOK_SUPPORT, decided), ends = query_get(q, LOOK_SUPPORT, ends);
    bool opened = !query_null(q, LOOK_SUPPORT, decided) && !query_null(q, LOOK_SUPPORT, ends);
    bool wide = opened && ends - decided > SUPPORT_HOURS * HOUR;
    int64_t outside = query_get(q, LOOK_SUPPORT, outside);
    fact_looked(w->step->facts, PROBE_support, 1);
    fact_bad(w->step->facts, PROBE_support, outside + wide);
    fact_clause(w->step->facts, PROBE_support, TEXT("support"), 1, outside + wide);
    return OK;
}

/* ---- The walk. ---- */

/* key: a letter a column of the table's key, in the order of the statement's first parameters: t text, b bytes, i
 * integer. */
struct walk {
    enum sql sql;
    const char *key;
    bool keyring;
    enum err (*row)(struct walker *w, struct query *q);
    struct col columns[KEY_COLUMNS];
};
static const struct walk walks[JOBS] = {
    /* those of features come from their rows */
    [JOB_PEOPLE] = { SQL_LOOK_SUBJECTS,
                     "tb",
                     false,
                     look_at_person,
                     { COL(LOOK_SUBJECTS, tenant), COL(LOOK_SUBJECTS, subject) } },
    [JOB_KEYS] = { SQL_KEY_PAGE,
                   "tbi",
                   true,
                   look_at_key,
                   { COL(KEY_PAGE, tenant), COL(KEY_PAGE, subject), COL(KEY_PAGE, class) } },
    [JOB_RECORDS] = { SQL_LOOK_RECORDS,
                      "tbti",
                      false,
                      look_at_thing,
                      { COL(LOOK_RECORDS, tenant), COL(LOOK_RECORDS, subject), COL(LOOK_RECORDS, category),
                        COL(LOOK_RECORDS, item) } },
    [JOB_FORMERS] = { SQL_LOOK_FORMERS,
                      "tbtii",
                      false,
                      look_at_former,
                      { COL(LOOK_FORMERS, tenant), COL(LOOK_FORMERS, subject), COL(LOOK_FORMERS, category),
                        COL(LOOK_FORMERS, item), COL(LOOK_FORMERS, version) } },
    [JOB_ATTACHMENTS] = { SQL_LOOK_ATTACHMENTS,
                          "tbb",
                          false,
                          look_at_thing,
                          { COL(LOOK_ATTACHMENTS, tenant), COL(LOOK_ATTACHMENTS, subject),
                            COL(LOOK_ATTACHMENTS, id) } },
    [JOB_PARTS] = { SQL_LOOK_PARTS,
                    "tbbi",
                    false,
                    look_at_part,
                    { COL(LOOK_PARTS, tenant), COL(LOOK_PARTS, subject), COL(LOOK_PARTS, id), COL(LOOK_PARTS, part) } },
    [JOB_CONSENTS] = { SQL_LOOK_CONSENTS,
                       "tbtti",
                       false,
                       look_at_consent,
                       { COL(LOOK_CONSENTS, tenant), COL(LOOK_CONSENTS, subject), COL(LOOK_CONSENTS, purpose),
                         COL(LOOK_CONSENTS, channel), COL(LOOK_CONSENTS, seq) } },
    [JOB_CHOICES] = { SQL_LOOK_CHOICES,
                      "tbt",
                      false,
                      look_at_choice,
                      { COL(LOOK_CHOICES, tenant), COL(LOOK_CHOICES, id), COL(LOOK_CHOICES, purpose) } },
    [JOB_LETTERS] = { SQL_LOOK_LETTERS,
                      "tbb",
                      false,
                      look_at_letter,
                      { COL(LOOK_LETTERS, tenant), COL(LOOK_LETTERS, subject), COL(LOOK_LETTERS, campaign) } },
    [JOB_ACCOUNTS] = { SQL_LOOK_ACCOUNTS,
                       "tb",
                       false,
                       look_at_account,
                       { COL(LOOK_ACCOUNTS, tenant), COL(LOOK_ACCOUNTS, subject) } },
    [JOB_PUBLICATIONS] = { SQL_LOOK_PUBLICATIONS,
                           "tbb",
                           false,
                           look_at_publication,
                           { COL(LOOK_PUBLICATIONS, tenant), COL(LOOK_PUBLICATIONS, subject),
                             COL(LOOK_PUBLICATIONS, id) } },
    [JOB_SUPPORT] = { SQL_LOOK_SUPPORT, "b", false, look_at_support, { COL(LOOK_SUPPORT, id) } },
    [JOB_SESSIONS] = { SQL_LOOK_SESSIONS, "b", false, look_at_session, { COL(LOOK_SESSIONS, digest) } },
};

const struct feature_walk *board_feature(const struct ctx *c, enum board_job job)
{
    return job < JOB_FEATURE ? NULL : feature_walk(c->app->features, c->app->feature_count, job - JOB_FEATURE);
}

/* The walk of that job; without a key when it walks no table. */
static struct walk walk_of(const struct ctx *c, enum board_job job)
{
    const struct feature_walk *own = board_feature(c, job);
    if (!own)
        return walks[job];
    struct walk walk = { own->sql, own->key, false, look_at_feature, { { own->sql, 0 } } };
    for (unsigned i = 0; i < KEY_COLUMNS; i++) /* its key is what its statement finds first */
        walk.columns[i] = (struct col){ own->sql, i };
    return walk;
}

bool board_walk_reads(const struct ctx *c, unsigned job, enum sql *sql)
{
    *sql = SQL_COUNT;
    if (job >= JOBS)
        return false;
    const struct walk walk = walk_of(c, (enum board_job)job);
    if (walk.key)
        *sql = walk.sql;
    return true;
}

static void remember(struct cursor *at, const struct walk *w, struct query *q)
{
    at->begun = true;
    for (int i = 0; w->key[i]; i++) {
        if (w->key[i] == 'i') {
            at->at[i].number = query_int(q, w->columns[i]);
            continue;
        }
        text t = text_upto(query_bytes(q, w->columns[i]), sizeof at->at[i].bytes);
        at->at[i].size = (uint16_t)t.n;
        if (t.n)
            memcpy(at->at[i].bytes, t.p, t.n);
    }
}

static size_t arguments(const struct cursor *from, const char *key, int64_t rows, struct val *out)
{
    size_t n = 0;
    for (; key[n]; n++) {
        text t = { from->at[n].bytes, from->at[n].size };
        out[n] = key[n] == 'i' ? V_INT(from->begun ? from->at[n].number : -1) : key[n] == 'b' ? V_BYTES(t) : V_TEXT(t);
    }
    out[n++] = V_INT(rows);
    return n;
}

/* ---- What is sealed can be read. ---- */

/* Nothing that came lately lacks its permission; one that was put on record later covers what came before it. Older
 * ones may be gone with the proofs of consents. */
static enum err look_at_permissions(struct walker *w, const struct thing *t, const struct sources_seen *seen)
{
    const struct retention *r = policy_retention(w->step->c->policy, TEXT("consents"));
    for (unsigned i = 0; i < seen->count; i++) {
        const struct came *came = &seen->of[i];
        text path = arena_print(w->step->c->arena, "sources.%.*s.permission", T(came->source->name));
        if (r && term_end(came->at, r->active, 1) <= w->step->c->now)
            continue;
        QUERY_AUTO q;
        query_start(&q, w->db, SQL_PERMISSION_AT,
                    ARGS(V_TEXT(t->place.tenant), V_ID(t->place.subject), V_TEXT(came->source->name), V_INT(came->at)));
        bool good = query_next(&q) && text_eq(query_get(&q, PERMISSION_AT, decision), TEXT("given"));
        TRY(q.status);
        fact_looked(w->step->facts, PROBE_permissions, came->values);
        fact_bad(w->step->facts, PROBE_permissions, good ? 0 : came->values);
        fact_clause(w->step->facts, PROBE_permissions, path, came->values, good ? 0 : came->values);
    }
    return OK;
}

/* `at`: the key of the row, `before`: of the one it follows. */
static enum err look_inside(struct walker *w, struct query *q, const struct cursor *before, const struct cursor *at)
{
    ARENA_AUTO room = arena_make(1 << 16);
    struct thing t;
    struct sources_seen seen;
    bool readable;
    TRY(thing_of(&room, w->step, q, &t));
    if (!t.sealed.bytes.p)
        return OK;
    fact_looked(w->step->facts, PROBE_readable, 1);
    w->bytes += t.sealed.bytes.n;
    TRY(opener_look(&w->opener, &t, &readable, &seen));
    TRY(look_at_permissions(w, &t, &seen));
    if (!readable && w->doubt_count < SUSPECTS)
        w->doubts[w->doubt_count++] = (struct doubt){ *before, *at };
    else if (!readable) /* far more than a write under way explains */
        fact_unreadable(w->step->facts, &t);
    return OK;
}

static bool same_row(const struct cursor *a, const struct cursor *b, const char *key)
{
    for (int i = 0; key[i]; i++) {
        bool same = key[i] == 'i'
                        ? a->at[i].number == b->at[i].number
                        : text_eq((text){ a->at[i].bytes, a->at[i].size }, (text){ b->at[i].bytes, b->at[i].size });
        if (!same)
            return false;
    }
    return true;
}

/* In a new snapshot, with keys asked for anew: it may have been erased or written anew meanwhile. */
static enum err doubt_again(struct walker *w, const struct walk *walk, const struct doubt *d)
{
    struct val args[KEY_COLUMNS + 1];
    struct cursor at = { 0 };
    struct thing t;
    struct sources_seen seen;
    bool readable;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(w->step->c), w->step->c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, walk->sql, args, arguments(&d->before, walk->key, 1, args));
    if (!query_next(&q))
        return q.status;
    remember(&at, walk, &q);
    if (!same_row(&at, &d->at, walk->key))
        return OK; /* gone, or something new stands before it: the next round looks */
    TRY(thing_of(w->step->c->arena, w->step, &q, &t));
    if (!t.sealed.bytes.p)
        return OK;
    w->opener.known = false;
    TRY(opener_look(&w->opener, &t, &readable, &seen));
    if (!readable)
        fact_unreadable(w->step->facts, &t);
    return OK;
}

static enum err doubts_again(struct walker *w, const struct walk *walk)
{
    const struct timespec moment = { .tv_nsec = SECOND_LOOK_MS * 1000000L };
    if (w->doubt_count)
        nanosleep(&moment, NULL);
    for (unsigned i = 0; i < w->doubt_count; i++)
        TRY(doubt_again(w, walk, &w->doubts[i]));
    return OK;
}

/* ---- A step. ---- */

/* *whole: there is no row after those seen. */
static enum err walk_rows(struct walker *w, const struct walk *walk, bool *whole)
{
    struct val args[KEY_COLUMNS + 1];
    unsigned seen = 0;
    QUERY_AUTO q;
    query_start(&q, w->db, walk->sql, args, arguments(w->step->from, walk->key, STEP_ROWS, args));
    while (w->bytes < STEP_BYTES && query_next(&q)) {
        struct cursor before = *w->step->from;
        TRY(walk->row(w, &q));
        remember(w->step->from, walk, &q);
        TRY(look_inside(w, &q, &before, w->step->from));
        seen++;
    }
    *whole = w->bytes < STEP_BYTES && seen < STEP_ROWS;
    return q.status;
}

enum err board_walk(struct board_step *s)
{
    const struct walk of_job = walk_of(s->c, s->job), *walk = &of_job;
    bool whole = false;
    enum err status;
    if (!walk->key) { /* there are fewer features */
        s->done = true;
        return OK;
    }
    struct walker *w = NEW(s->c->arena, struct walker);
    TRY_PTR(w);
    w->step = s;
    w->opener.c = s->c;
    {
        READ_AUTO db = NULL;
        TRY(walk->keyring ? store_read_keys(ctx_store(s->c), s->c->arena, &db)
                          : store_read(ctx_store(s->c), s->c->arena, &db));
        w->db = db;
        status = walk_rows(w, walk, &whole);
    }
    if (status == OK)
        status = doubts_again(w, walk);
    opener_end(&w->opener);
    TRY(status);
    s->done = whole;
    return look_again(w);
}

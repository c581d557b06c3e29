/* A version of the policy is published. */
#include "domain/version/publish.h"
#include "domain/version/merger.h"
#include "domain/version/telling.h"
#include "domain/core/instance.h"
#include "domain/version/acknowledge.h"
#include "domain/core/value.h"
#include "policy/lint/lint.h"

bool telling_wanted(const struct policy *p) { return node_has(node_at(p->root, TEXT("changes.tell")), TEXT("email")); }

static const struct subject_id first;

enum err telling_run_begin(struct db *db, text hash, text older, msec at)
{
    TRY(db_run(db, SQL_RECALL_STOP, NULL, ARGS(V_TEXT(hash)))); /* it is announced again */
    return db_run(db, SQL_TELLING_ADD, NULL, ARGS(V_TEXT(hash), V_TEXT(older), V_INT(at), V_ID(first)));
}

static bool tells(const struct publishing *r)
{
    return r->tells_first || (r->changes.material && telling_wanted(r->p));
}

static enum err run_store(struct db *db, const struct publishing *r)
{
    char date[11];
    ARENA_AUTO a = arena_make(256);
    text_cstr(date_print(&a, r->p->date), date, sizeof date);
    if (r->known)
        return OK;
    TRY(db_run(db, SQL_POLICY_VERSION_ADD, NULL,
               ARGS(V_TEXT(text_of(r->p->hash)), V_TEXT(r->p->id), V_TEXT(r->p->version), V_TEXT(text_of(date)),
                    V_INT(r->now), V_TEXT(r->p->source))));
    return db_run(db, SQL_POLICY_COMPILED_ADD, NULL, ARGS(V_TEXT(text_of(r->p->hash)), V_TEXT(r->compiled)));
}

/* Any other version that is announced gives way: its letters stop, and that is on record. */
static enum err run_withdraw(struct db *db, const struct publishing *r)
{
    ARENA_AUTO a = arena_make(1 << 16);
    char hash[65];
    for (;;) {
        {
            QUERY_AUTO q;
            query_start(&q, db, SQL_POLICY_DAY_OTHER, ARGS(V_TEXT(text_of(r->p->hash))));
            if (!query_next(&q))
                return q.status;
            text_cstr(query_get(&q, POLICY_DAY_OTHER, hash), hash, sizeof hash);
        }
        const struct event event = { .act = TEXT("policy.withdrawn"),
                                     .tenant = r->p->tenants[0],
                                     .actor = TEXT("operator"),
                                     .policy = hash,
                                     .clause = TEXT("policy.date"),
                                     .count = -1 };
        TRY(db_run(db, SQL_POLICY_DAY_WITHDRAW, NULL, ARGS(V_TEXT(text_of(hash)), V_INT(r->now))));
        TRY(telling_run_recall(db, text_of(hash)));
        TRY(journal_add(db, &event, NULL));
    }
}

static enum err run_announce(struct db *db, const struct publishing *r)
{
    TRY(merger_run(db, r));
    TRY(run_store(db, r));
    TRY(run_withdraw(db, r));
    TRY(db_run(db, SQL_POLICY_DAY_PUT, NULL,
               ARGS(V_TEXT(text_of(r->p->hash)), V_INT(r->now), V_INT(value_policy_start(r->p, r->p->date)))));
    return tells(r) ? telling_run_begin(db, text_of(r->p->hash), r->older, r->now) : OK;
}

/* Choices about trackers of that purpose, made before, are asked again. */
static enum err run_trackers(struct db *db, const struct publishing *r, const struct diff_item *item)
{
    ARENA_AUTO a = arena_make(4096);
    for (unsigned i = 0; i < r->p->purpose_count; i++) {
        text purpose = r->p->purposes[i].name;
        if (!diff_of_trackers(item, r->p->root, purpose))
            continue;
        text name = arena_print(&a, "%.*s%.*s", T(DIFF_TRACKERS), T(purpose));
        TRY_PTR(name.p);
        TRY(db_run(db, SQL_RENEWAL_ADD, NULL, ARGS(V_TEXT(name), V_INT(r->now), V_TEXT(text_of(r->p->hash)))));
    }
    return OK;
}

enum err version_run_publish(struct db *db, struct write *w)
{
    const struct publishing *r = w->arg;
    if (r->announce)
        return run_announce(db, r);
    TRY(merger_run(db, r));
    TRY(run_store(db, r));
    TRY(run_withdraw(db, r));
    TRY(db_run(db, SQL_POLICY_DAY_ENTER, NULL, ARGS(V_TEXT(text_of(r->p->hash)), V_INT(r->now))));
    TRY(db_run(db, SQL_META_PUT, NULL, ARGS(V_TEXT(TEXT("policy")), V_TEXT(text_of(r->p->hash)))));
    for (const struct diff_item *item = r->changes.first; item; item = item->next) {
        TRY(run_trackers(db, r, item));
        if (item->again)
            TRY(db_run(db, SQL_RENEWAL_ADD, NULL,
                       ARGS(V_TEXT(item->purpose), V_INT(r->now), V_TEXT(text_of(r->p->hash)))));
    }
    for (unsigned i = 0; i < r->accepted_count; i++)
        TRY(journal_add(db, &r->accepted[i], NULL));
    return tells(r) ? telling_run_begin(db, text_of(r->p->hash), r->older, r->now) : OK;
}

/* What the policy does all the same, against a rule of law: an entry a rule, under the clause that gives the reason.
 * The policy's hash, which every entry has, fixes that reason's words. */
enum err version_note_accepted(struct arena *a, const struct lint_findings *found, struct publishing *r)
{
    const struct lint_rule *last = NULL;
    TRY_PTR(r->accepted = NEW_ARRAY(a, struct event, found->accepted ? found->accepted : 1));
    for (const struct lint_finding *f = found->first; f; f = f->next) {
        if (!f->accepted || f->rule == last) /* findings stand in the order of the rules */
            continue;
        last = f->rule;
        text clause = arena_print(a, "accept.%.*s", T(f->rule->id));
        TRY_PTR(clause.p);
        r->accepted[r->accepted_count++] = (struct event){ .act = TEXT("policy.accepted"),
                                                           .tenant = r->p->tenants[0],
                                                           .actor = TEXT("operator"),
                                                           .policy = r->p->hash,
                                                           .clause = clause,
                                                           .count = -1 };
    }
    return OK;
}

/* Whether the instance knows the policy, and the hash and text of the one in force; p NULL when there is none yet. */
enum err version_last(struct app *app, struct arena *a, const struct policy *p, bool *known, text *hash, text *last)
{
    READ_AUTO db = NULL;
    TRY(store_read(app->store, a, &db));
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_POLICY_VERSION_HAS, ARGS(V_TEXT(text_of(p->hash))));
        *known = query_next(&q);
        TRY(q.status);
    }
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_VERSION_LAST, NULL, 0);
    *last = (text){ NULL, 0 };
    *hash = *last;
    if (query_next(&q)) {
        *hash = arena_copy(a, query_get(&q, POLICY_VERSION_LAST, hash));
        *last = arena_copy(a, query_get(&q, POLICY_VERSION_LAST, text));
    }
    return q.status;
}

enum err version_compile(struct arena *a, const struct policy *p, text *out)
{
    BUF_AUTO b = buf_make(16 << 20);
    struct json_out w = json_out(&b);
    node_json(&w, p->root);
    return buf_take(a, &b, out);
}

/* The hash of another version that is announced; "" without one. */
static enum err other_announced(struct app *app, struct arena *a, const struct policy *p, char out[65])
{
    READ_AUTO db = NULL;
    TRY(store_read(app->store, a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_DAY_OTHER, ARGS(V_TEXT(text_of(p->hash))));
    text_cstr(query_next(&q) ? query_get(&q, POLICY_DAY_OTHER, hash) : TEXT(""), out, 65);
    return q.status;
}

/* The version in force stays: what was announced beside it is withdrawn, and nothing else happens. */
static enum err run_stays(struct db *db, struct write *w)
{
    text hash = text_of(w->event.policy);
    TRY(db_run(db, SQL_POLICY_DAY_WITHDRAW, NULL, ARGS(V_TEXT(hash), V_INT(*(const msec *)w->arg))));
    return telling_run_recall(db, hash);
}

static enum err stays(struct app *app, struct arena *a, struct publishing *r)
{
    char other[65];
    TRY(other_announced(app, a, r->p, other));
    if (!other[0])
        return OK;
    struct write w = { .run = run_stays,
                       .arg = &r->now,
                       .event = { .act = TEXT("policy.withdrawn"),
                                  .tenant = r->p->tenants[0],
                                  .actor = TEXT("operator"),
                                  .policy = other,
                                  .clause = TEXT("policy.date"),
                                  .count = -1 } };
    return store_write(app->store, a, &w);
}

/* A version comes into force with its journal entry, once: the same file started again says nothing new. */
enum err version_publish(struct app *app, struct arena *a, const struct policy *p)
{
    text last;
    struct publishing r = { .p = p, .now = clock_now(&app->clock) };
    TRY(version_last(app, a, p, &r.known, &r.older, &last));
    if (r.known && text_eq(r.older, text_of(p->hash)))
        return stays(app, a, &r);
    TRY(version_prepare(app, a, &r, last));
    return version_write(app, a, &r, "policy.published", !last.p);
}

/* What keeps data of a person beyond its term or their erasure. */
#include "store/tables.h"
#include "domain/person/keeping.h"
#include "domain/core/decided.h"
#include "domain/core/instance.h"
#include "domain/core/written.h"

/* ---- What decides about one person's data. ---- */

enum { STATE_ERASED = 2 }; /* what store_erase() marks a person's row with */

static enum err load_milestones(struct db *db, text tenant, struct subject_id id, struct starts *out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_MILESTONE_LIST, ARGS(V_TEXT(tenant), V_ID(id)));
    while (query_next(&q)) {
        text name = query_get(&q, MILESTONE_LIST, event);
#define X(event_)                                                                                                      \
    if (text_eq(name, TEXT(#event_)))                                                                                  \
        out->event_ = query_get(&q, MILESTONE_LIST, at);
        MILESTONES(X)
#undef X
    }
    return q.status;
}

/* As hold_create() sealed it: a text, or {"en", "fr"} as the policy says it. */
static enum err open_ground(struct db *db, struct arena *a, text tenant, text kept, struct hold *h)
{
    const struct json *said;
    TRY(written_open(db_store(db), a, tenant, TEXT("hold"), kept, &h->ground));
    h->ground_fr = h->ground;
    bool both = text_starts(h->ground, TEXT("{\"en\":")) && json_parse(a, h->ground, &said) == OK;
    if (both && json_text(said, TEXT("en")).n && json_text(said, TEXT("fr")).n) { /* else it was typed so */
        h->ground = json_text(said, TEXT("en"));
        h->ground_fr = json_text(said, TEXT("fr"));
    }
    return OK;
}

static enum err load_holds(struct db *db, struct arena *a, text tenant, struct subject_id id, msec now,
                           const struct hold **out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_HOLD_LIST, ARGS(V_TEXT(tenant), V_ID(id), V_INT(now)));
    *out = NULL;
    while (query_next(&q)) {
        struct hold *h = NEW(a, struct hold);
        TRY_PTR(h);
        text key = query_get(&q, HOLD_LIST, id);
        if (key.n != sizeof h->id)
            return say(a, ERR_INTEGRITY, "a hold has an id of %zu bytes", key.n);
        memcpy(&h->id, key.p, sizeof h->id);
        h->category = arena_copy(a, query_get(&q, HOLD_LIST, category));
        TRY(open_ground(db, a, tenant, arena_copy(a, query_get(&q, HOLD_LIST, ground)), h));
        h->since = query_get(&q, HOLD_LIST, since);
        h->until = query_get(&q, HOLD_LIST, until);
        h->next = *out;
        *out = h;
    }
    return q.status;
}

enum err keeping_load(struct db *db, struct arena *a, text tenant, struct subject_id id, msec now, struct keeping *out)
{
    *out = (struct keeping){ 0 };
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_SUBJECT_TIMES, ARGS(V_TEXT(tenant), V_ID(id)));
        if (query_next(&q)) {
            out->starts.collection = query_get(&q, SUBJECT_TIMES, created);
            out->starts.last_use = query_get(&q, SUBJECT_TIMES, last_use);
            out->erased = query_get(&q, SUBJECT_TIMES, state) == STATE_ERASED;
            out->closed = query_get(&q, SUBJECT_TIMES, state) == PERSON_CLOSED;
            out->restricted = query_get(&q, SUBJECT_TIMES, restricted) && !out->erased;
        }
        TRY(q.status);
    }
    TRY(load_milestones(db, tenant, id, &out->starts));
    return load_holds(db, a, tenant, id, now, &out->holds);
}

struct keeping keeping_ended(const struct keeping *k, msec now)
{
    struct keeping due_after = *k;
    struct starts *s = &due_after.starts;
    due_after.erased = true;
    due_after.restricted = false;
    if (!s->contract_end || s->contract_end > now)
        s->contract_end = now;
    if (!s->closure)
        s->closure = now;
    if (!s->withdrawal)
        s->withdrawal = now;
    return due_after;
}

/* Former values end by a term of their own, whatever the person does; a policy that gives them none keeps none. */
static msec former_end(const struct retention *r, const struct keeping *k, msec at)
{
    return r && !k->erased ? retention_own_due(r, at) : KEEPING_PAST;
}

static msec data_end(const struct policy *p, const struct category *cat, const struct keeping *k,
                     const struct kept_thing *t, msec *archived)
{
    const struct retention *r = cat ? cat->retention : NULL;
    struct starts s = k->starts;
    bool begun = t->begun || (r && r->from != FROM_EVENT && r->from != FROM_YEAR_END);
    if (k->erased && !(r && cat->held))
        return KEEPING_PAST;
    if (!r)
        return retention_person_due(p, &k->starts);
    s.collection = t->at;
    s.event = t->event;
    if (!begun)
        return 0;
    if (r->archive.unit != TERM_UNSET)
        *archived = retention_due(r, &s, false);
    return retention_due(r, &s, true);
}

struct keeping_end keeping_end(const struct policy *p, const struct keeping *k, const struct kept_thing *t)
{
    int index = policy_category(p, t->category);
    const struct category *cat = index >= 0 ? &p->categories[index] : NULL;
    struct keeping_end e = { .hold = keeping_hold(k, t->category) };
    if (t->former) {
        e.by = policy_retention(p, TEXT("former"));
        e.own = former_end(e.by, k, t->at);
    } else {
        e.by = cat && cat->retention ? cat->retention : policy_retention(p, TEXT("accounts"));
        e.own = data_end(p, cat, k, t, &e.archived);
    }
    e.open = k->restricted || (e.hold && !e.hold->until);
    e.stopped = k->restricted || e.hold;
    e.until = e.open ? 0
            : e.hold && e.own && e.hold->until > e.own ? e.hold->until : e.own;
    return e;
}

enum err keeping_careful(struct db *db, struct arena *a, text tenant, struct subject_id id, msec now,
                         struct keeping *out)
{
    enum err status = keeping_load(db, a, tenant, id, now, out);
    if (status != ERR_INTEGRITY)
        return status;
    out->restricted = true;
    out->altered = true;
    return OK;
}

/* What the policy holds beyond its person. */
static bool outlives(const struct policy *policy, text category)
{
    int index = policy_category(policy, category);
    const struct category *cat = index >= 0 ? &policy->categories[index] : NULL;
    return cat && cat->held && cat->retention;
}

/* The end of what is told a term of its own; INT64_MAX when that has none, 0 when nothing started it. */
static msec own_end(const struct policy *policy, bool former, text category, const struct keeping *k, msec newest)
{
    int index = policy_category(policy, category);
    const struct category *cat = index >= 0 ? &policy->categories[index] : NULL;
    const struct kept_thing thing = { category, former, newest != 0, newest, newest };
    if (!newest || (!thing.former && (!cat || !cat->retention || cat->held)))
        return 0;
    struct keeping_end e = keeping_end(policy, k, &thing);
    if (!e.by || e.own)
        return e.by ? e.own : 0;
    struct starts s = k->starts;
    s.event = newest;
    s.collection = newest;
    bool without = e.by->active.unit == TERM_ALWAYS || e.by->archive.unit == TERM_ALWAYS;
    return without && (thing.former || due_start_of(e.by, &s)) ? INT64_MAX : 0;
}

/* What a thing adds to the end of a closed account: with what goes with the account, and as long as a hold is on it. */
static msec closed_end(const struct policy *policy, bool former, text category, const struct keeping *k, msec own,
                       msec account)
{
    const struct hold *hold = keeping_hold(k, category);
    if (hold)
        return !hold->until ? INT64_MAX
             : hold->until > own ? hold->until : own;
    if (own || former || outlives(policy, category))
        return own;
    return account ? account : INT64_MAX;
}

/* The latest end of what is told a term of its own, and of what a closed account has; INT64_MAX for never. */
static enum err latest_ends(struct db *db, const struct policy *policy, text tenant, struct subject_id id,
                            const struct keeping *k, msec account, msec *end, msec *closed)
{
    EACH_KIND(kind) {
        bool former = kind->flags & KIND_FORMER;
        QUERY_AUTO q;
        query_start(&q, db, kind->newest, ARGS(V_TEXT(tenant), V_ID(id)));
        while (query_next(&q)) {
            text category = query_get(&q, RECORD_NEWEST, category);
            msec own = own_end(policy, former, category, k, query_get(&q, RECORD_NEWEST, at));
            msec then = closed_end(policy, former, category, k, own, account);
            *end = own > *end ? own : *end;
            *closed = then > *closed ? then : *closed;
        }
        TRY(q.status);
    }
    return OK;
}

enum err keeping_person_end(struct db *db, const struct policy *policy, text tenant, struct subject_id id,
                            const struct keeping *k, msec *account, msec *end)
{
    msec closed = k->starts.closure ? k->starts.closure : KEEPING_PAST;
    *account = retention_person_due(policy, &k->starts);
    *end = *account;
    if (k->altered || (!*account && !k->closed))
        return OK;
    *end = *account ? *account : INT64_MAX;
    TRY(latest_ends(db, policy, tenant, id, k, *account, end, &closed));
    if (k->closed && closed < *end)
        *end = closed;
    if (*end == INT64_MAX)
        *end = 0;
    return OK;
}

enum err keeping_person_until(struct db *db, const struct policy *policy, text tenant, struct subject_id id,
                              const struct keeping *k, msec *until)
{
    const struct hold *hold = keeping_hold(k, TEXT("*"));
    msec account;
    TRY(keeping_person_end(db, policy, tenant, id, k, &account, until));
    if (k->restricted || (hold && !hold->until))
        *until = 0;
    else if (hold && *until && hold->until > *until)
        *until = hold->until;
    return OK;
}

const struct hold *keeping_hold(const struct keeping *k, text category)
{
    const struct hold *longest = NULL;
    for (const struct hold *h = k->holds; h; h = h->next) {
        if (!text_eq(h->category, TEXT("*")) && !text_eq(h->category, category))
            continue;
        if (!longest || (longest->until && (!h->until || h->until > longest->until)))
            longest = h;
    }
    return longest;
}

enum err retention_starts(struct ctx *c, const struct person *p, struct starts *out)
{
    struct keeping k;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    TRY(keeping_load(db, c->arena, c->tenant, p->id, c->now, &k));
    *out = k.starts;
    return OK;
}

static enum err forbids_again(struct ctx *c, const struct decided *d)
{
    return keeping_forbids(c, &d->person, d->name);
}

enum err keeping_forbids(struct ctx *c, const struct person *p, text category)
{
    struct keeping k;
    int index = policy_category(c->policy, category);
    const struct category *cat = index >= 0 ? &c->policy->categories[index] : NULL;
    {
        READ_AUTO db = NULL;
        TRY(decided_read(c, &db));
        TRY(keeping_load(db, c->arena, c->tenant, p->id, c->now, &k));
    }
    const struct hold *hold = keeping_hold(&k, category);
    if (hold)
        return say(c->arena, ERR_CONFLICT, "a hold keeps category \"%.*s\" until %s", T(category),
                   hold->until ? time_print(c->arena, hold->until).p : "it is released");
    if (cat && cat->held && cat->retention)
        return say_clause(c->arena, ERR_CONFLICT, &cat->retention->clause,
                          "category \"%.*s\" is kept to its term (%.*s)", T(category), T(cat->retention->ground));
    return decided_add(c, (struct decided){ .again = forbids_again, .name = category }, p);
}

enum err keeping_again(struct db *db, text tenant, struct subject_id id, text category, msec now)
{
    EACH_KIND(kind)
        TRY(db_run(db, kind->again, NULL, ARGS(V_TEXT(tenant), V_ID(id), V_TEXT(category), V_INT(now))));
    return db_run(db, SQL_SUBJECT_AGAIN, NULL, ARGS(V_TEXT(tenant), V_ID(id), V_INT(now)));
}

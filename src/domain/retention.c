/* Retention: when terms end, and what happens then. */
#include "domain/keeping.h"
#include "base/calendar.h"
#include "domain/decided.h"
#include "domain/inside.h"
#include "domain/session.h"
#include "domain/value.h"
#include "domain/version.h"
#include "domain/write.h"
#include "domain/written.h"

/* ---- When a term ends. ---- */

static msec start_of(const struct retention *r, const struct starts *s)
{
    msec happened = s->event ? s->event : s->collection;
    switch (r->from) {
    case FROM_COLLECTION: return s->collection;
    case FROM_EVENT: return happened;
    case FROM_LAST_USE: return s->last_use ? s->last_use : s->collection;
    case FROM_LAST_CONTACT: return s->last_contact ? s->last_contact : s->collection;
    case FROM_CONTRACT_END: return s->contract_end;
    case FROM_CLOSURE: return s->closure;
    case FROM_WITHDRAWAL: return s->withdrawal;
    case FROM_YEAR_END: return happened ? date_start((struct date){ date_of(happened).year, 12, 31 }) : 0;
    }
    return 0;
}

static bool in_months(struct term t) { return t.unit == TERM_MONTHS || t.unit == TERM_YEARS; }

static int64_t months_of(struct term t) { return t.unit == TERM_YEARS ? (int64_t)t.count * 12 : t.count; }

/* 0: it has no end. */
static msec after(msec start, struct term t)
{
    struct date day = date_of(start);
    switch (t.unit) {
    case TERM_MINUTES: return start + t.count * (msec)MINUTE;
    case TERM_HOURS: return start + t.count * (msec)HOUR;
    case TERM_DAYS: return date_start(day) + t.count * DAY;
    case TERM_MONTHS:
    case TERM_YEARS: return date_start(date_add_months(day, months_of(t)));
    case TERM_UNSET: return start;
    case TERM_ALWAYS: break;
    }
    return 0;
}

msec retention_due(const struct retention *r, const struct starts *s, bool archived)
{
    msec start = start_of(r, s);
    if (!start || (r->active.unit == TERM_UNSET && r->archive.unit == TERM_UNSET))
        return 0;
    /* Added at once, so that a short month in between takes no day away: 29 February, a year, then three. */
    if (archived && in_months(r->active) && in_months(r->archive))
        return date_start(date_add_months(date_of(start), months_of(r->active) + months_of(r->archive)));
    msec end = after(start, r->active);
    return archived && end ? after(end, r->archive) : end;
}

msec retention_own_due(const struct retention *r, msec start)
{
    const struct starts all = { start, start, start, start, start, start, start };
    return r ? retention_due(r, &all, true) : 0;
}

msec retention_own_cutoff(const struct retention *r, msec now)
{
    msec low = 0, high = now;                            /* ends never move back as starts move on: halve the interval */
    if (!r)
        return 0;
    while (low < high) {
        msec middle = low + (high - low + 1) / 2, due = retention_own_due(r, middle);
        if (due && due <= now)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

msec retention_person_due(const struct policy *p, const struct starts *s)
{
    const struct retention *r = policy_retention(p, TEXT("accounts"));
    return r ? retention_due(r, s, true) : 0;
}

/* ---- What decides about one person's data. ---- */

enum { STATE_ERASED = 2 };                               /* what store_erase() marks a person's row with */

#define MILESTONES(X) X(contract_end) X(closure) X(withdrawal) X(last_contact)

static enum err load_milestones(struct db *db, text tenant, struct subject_id id, struct starts *out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_MILESTONE_LIST, ARGS(V_TEXT(tenant), V_ID(id)));
    while (query_next(&q)) {
        text name = query_bytes(&q, 0);
#define X(event_)                          \
    if (text_eq(name, TEXT(#event_))) \
        out->event_ = query_int(&q, 1);
        MILESTONES(X)
#undef X
    }
    return q.status;
}

static enum err load_holds(struct db *db, struct arena *a, text tenant, struct subject_id id, msec now, const struct hold **out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_HOLD_LIST, ARGS(V_TEXT(tenant), V_ID(id), V_INT(now)));
    *out = NULL;
    while (query_next(&q)) {
        struct hold *h = NEW(a, struct hold);
        TRY_PTR(h);
        text key = query_bytes(&q, 0);
        if (key.n != sizeof h->id)
            return say(a, ERR_INTEGRITY, "a hold has an id of %zu bytes", key.n);
        memcpy(&h->id, key.p, sizeof h->id);
        h->category = arena_copy(a, query_bytes(&q, 1));
        TRY(written_open(db_store(db), a, tenant, TEXT("hold"), arena_copy(a, query_bytes(&q, 2)), &h->ground));
        h->since = query_int(&q, 3), h->until = query_int(&q, 4), h->next = *out;
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
            out->starts.collection = query_int(&q, 0), out->starts.last_use = query_int(&q, 1);
            out->erased = query_int(&q, 2) == STATE_ERASED;
            out->closed = query_int(&q, 2) == PERSON_CLOSED;
            out->restricted = query_int(&q, 3) && !out->erased;
        }
        TRY(q.status);
    }
    TRY(load_milestones(db, tenant, id, &out->starts));
    return load_holds(db, a, tenant, id, now, &out->holds);
}

struct keeping keeping_ended(const struct keeping *k, msec now)
{
    struct keeping after = *k;
    struct starts *s = &after.starts;
    after.erased = true, after.restricted = false;
    if (!s->contract_end || s->contract_end > now)
        s->contract_end = now;
    if (!s->closure)
        s->closure = now;
    if (!s->withdrawal)
        s->withdrawal = now;
    return after;
}

/* Former values end by a term of their own, whatever the person does; a policy that gives them none keeps none. */
static msec former_end(const struct retention *r, const struct keeping *k, msec at) { return r && !k->erased ? retention_own_due(r, at) : KEEPING_PAST; }

static msec data_end(const struct policy *p, const struct category *cat, const struct keeping *k, const struct kept_thing *t, msec *archived)
{
    const struct retention *r = cat ? cat->retention : NULL;
    struct starts s = k->starts;
    bool begun = t->begun || (r && r->from != FROM_EVENT && r->from != FROM_YEAR_END);
    if (k->erased && !(r && cat->held))
        return KEEPING_PAST;
    if (!r)
        return retention_person_due(p, &k->starts);
    s.collection = t->at, s.event = t->event;
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
    e.until = e.open ? 0 : e.hold && e.own && e.hold->until > e.own ? e.hold->until : e.own;
    return e;
}

enum err keeping_careful(struct db *db, struct arena *a, text tenant, struct subject_id id, msec now, struct keeping *out)
{
    enum err status = keeping_load(db, a, tenant, id, now, out);
    if (status != ERR_INTEGRITY)
        return status;
    out->altered = out->restricted = true;
    return OK;
}

/* The end of what is told a term of its own; INT64_MAX when that has none, 0 when nothing started it. */
static msec own_end(const struct policy *policy, int kind, text category, const struct keeping *k, msec newest)
{
    enum { FORMER = 1 };
    int index = policy_category(policy, category);
    const struct category *cat = index >= 0 ? &policy->categories[index] : NULL;
    const struct kept_thing thing = { category, kind == FORMER, newest != 0, newest, newest };
    if (!newest || (!thing.former && (!cat || !cat->retention || cat->held)))
        return 0;
    struct keeping_end e = keeping_end(policy, k, &thing);
    if (!e.by || e.own)
        return e.by ? e.own : 0;
    struct starts s = k->starts;
    s.collection = s.event = newest;
    bool without = e.by->active.unit == TERM_ALWAYS || e.by->archive.unit == TERM_ALWAYS;
    return without && (thing.former || start_of(e.by, &s)) ? INT64_MAX : 0;
}

enum err keeping_person_end(struct db *db, const struct policy *policy, text tenant, struct subject_id id, const struct keeping *k, msec *account,
                            msec *end)
{
    *account = *end = retention_person_due(policy, &k->starts);
    if (!*account || k->altered)
        return OK;
    QUERY_AUTO q;
    query_start(&q, db, SQL_KEPT_NEWEST, ARGS(V_TEXT(tenant), V_ID(id)));
    while (query_next(&q)) {
        msec own = own_end(policy, (int)query_int(&q, 0), query_bytes(&q, 1), k, query_int(&q, 2));
        *end = own > *end ? own : *end;
    }
    if (*end == INT64_MAX)
        *end = 0;
    return q.status;
}

enum err keeping_person_until(struct db *db, const struct policy *policy, text tenant, struct subject_id id, const struct keeping *k, msec *until)
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

static enum err forbids_again(struct ctx *c, const struct decided *d) { return keeping_forbids(c, &d->person, d->name); }

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
        return say_clause(c->arena, ERR_CONFLICT, &cat->retention->clause, "category \"%.*s\" is kept to its term (%.*s)", T(category),
                          T(cat->retention->ground));
    return decided_add(c, (struct decided){ .again = forbids_again, .name = category }, p);
}

enum err keeping_again(struct db *db, text tenant, struct subject_id id, text category, msec now)
{
    static const enum sql all[] = { SQL_RECORD_AGAIN, SQL_FORMER_AGAIN, SQL_ATTACHMENT_AGAIN, SQL_FOLDER_AGAIN };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        TRY(db_run(db, all[i], NULL, ARGS(V_TEXT(tenant), V_ID(id), V_TEXT(category), V_INT(now))));
    return db_run(db, SQL_SUBJECT_AGAIN, NULL, ARGS(V_TEXT(tenant), V_ID(id), V_INT(now)));
}

/* ---- Milestones. ---- */

struct milestone {
    struct ctx *c;
    const struct person *p;
    text event;
    msec at;
    enum err (*also)(struct db *db, void *arg);          /* what else goes into the same commit; may be NULL */
    void *also_arg;
};

/* Out of reach from the same moment: no session, no link. The address stays reserved as a digest, or is free for another account, as the
 * policy's accounts say. */
enum err keeping_run_close(struct db *db, const struct policy *policy, text tenant, struct subject_id id, msec now)
{
    const struct node *accounts = node_at(policy->root, TEXT("accounts"));
    TRY(db_run(db, SQL_SUBJECT_CLOSE, NULL, ARGS(V_TEXT(tenant), V_ID(id))));
    TRY(session_run_end_all(db, tenant, id, NULL));
    TRY(db_run(db, SQL_TICKET_END_ALL, NULL, ARGS(V_TEXT(tenant), V_ID(id), V_TEXT(TEXT("")))));
    TRY(db_run(db, SQL_TOKEN_HOLDER_END, NULL, ARGS(V_TEXT(tenant), V_ID(id), V_INT(now))));
    TRY(db_run(db, SQL_TEAM_LEAVE, NULL, ARGS(V_TEXT(tenant), V_ID(id))));
    if (accounts && !text_eq(node_text(accounts, TEXT("reserve_identifier")), TEXT("true")))
        TRY(db_run(db, SQL_IDENTIFIER_FREE, NULL, ARGS(V_TEXT(tenant), V_ID(id))));
    return OK;
}

static enum err run_milestone(struct db *db, struct write *w)
{
    const struct milestone *m = w->arg;
    text tenant = m->c->tenant;
    TRY(write_person_there(db, tenant, m->p->id));
    if (text_eq(m->event, TEXT("last_use")))             /* only ever lengthens: the sweep sees it when it comes to the data */
        return db_run(db, SQL_SUBJECT_USED, NULL, ARGS(V_TEXT(tenant), V_ID(m->p->id), V_INT(m->at)));
    TRY(db_run(db, SQL_MILESTONE_PUT, NULL, ARGS(V_TEXT(tenant), V_ID(m->p->id), V_TEXT(m->event), V_INT(m->at))));
    if (text_eq(m->event, TEXT("closure")))
        TRY(keeping_run_close(db, m->c->policy, tenant, m->p->id, m->c->now));
    if (m->also)
        TRY(m->also(db, m->also_arg));
    return keeping_again(db, tenant, m->p->id, TEXT("*"), m->c->now);
}

static enum err milestone_of(struct ctx *c, const struct json *in, struct milestone *out)
{
    static const text names[] = {
#define X(event_) TEXT_INIT(#event_),
        MILESTONES(X)
#undef X
        TEXT_INIT("last_use"),
    };
    text event = json_text(in, TEXT("event")), at = json_text(in, TEXT("at"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_eq(names[i], event))
            out->event = names[i];
    if (!out->event.n)
        return say(c->arena, ERR_USAGE, "\"event\" is one of contract_end, closure, last_use, withdrawal, last_contact, notice_shown");
    out->at = c->now;
    if (json_get(in, TEXT("at")) && !value_moment(c, at, false, &out->at))
        return say(c->arena, ERR_VALUE, "\"at\" must be a time as in RFC 3339");
    if (out->at > c->now && !text_eq(event, TEXT("contract_end")))
        return say(c->arena, ERR_VALUE, "\"at\" is in the future: only the end of a contract is known beforehand");
    return OK;
}

/* A date in the relation belongs to no category. A use or a contact just now lengthens: whoever may write for some purpose may note it,
 * whatever the person consented to. The others let terms end, and data be erased: they are for who may erase. */
static enum err allow_milestone(struct ctx *c, const struct person *p, const struct milestone *m)
{
    if (c->actor.kind == ACTOR_PERSON && text_eq(m->event, TEXT("closure")))
        TRY(session_fresh(c));
    bool lengthens = text_eq(m->event, TEXT("last_use")) || (text_eq(m->event, TEXT("last_contact")) && m->at >= c->now - DAY);
    if (!lengthens)
        return person_allow_act(c, p, ACT_ERASE);
    return person_may_write(c, p);
}

static enum err write_milestone(struct milestone *m, struct answer *out)
{
    struct write w = { .run = run_milestone, .arg = m,
                       .event = event_of(m->c, m->p, text_eq(m->event, TEXT("closure")) ? TEXT("subject.close") : TEXT("milestone")) };
    w.event.purpose = m->event;
    return write_do(m->c, &w, out);
}

enum err retention_close(struct ctx *c, const struct person *p, enum err (*also)(struct db *db, void *arg), void *arg, struct answer *out)
{
    struct milestone m = { .c = c, .p = p, .event = TEXT("closure"), .at = c->now, .also = also, .also_arg = arg };
    return write_milestone(&m, out);
}

enum err retention_event(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    if (text_eq(json_text(in, TEXT("event")), TEXT("notice_shown")))
        return notice_shown(c, id, in, out);
    PERSON_AUTO p = { 0 };
    struct milestone m = { .c = c, .p = &p };
    TRY(milestone_of(c, in, &m));
    TRY(person_open(c, id, true, &p));
    TRY(allow_milestone(c, &p, &m));
    return write_milestone(&m, out);
}

/* ---- Holds. ---- */

struct holding { struct ctx *c; struct subject_id subject, id; text category, ground, kept; msec until; };    /* kept: the ground, sealed */

static enum err run_hold(struct db *db, struct write *w)
{
    const struct holding *h = w->arg;
    TRY(write_person_there(db, h->c->tenant, h->subject)); /* a hold that keeps nothing is not acknowledged */
    return db_run(db, SQL_HOLD_ADD, NULL,
                  ARGS(V_TEXT(h->c->tenant), V_ID(h->subject), V_ID(h->id), V_TEXT(h->category), V_TEXT(h->kept),
                       V_INT(h->c->now), h->until ? V_INT(h->until) : V_NULL));
}

/* A kind of hold that the policy declares has its ground and its longest time there. */
static enum err declared_hold(struct ctx *c, const struct node *kind, struct holding *h)
{
    struct term period;
    text name = h->ground, ground = node_text(kind, TEXT("ground"));
    const struct node *categories = node_get(kind, TEXT("categories"));
    const struct clause *clause = policy_clause(c->policy, kind->path);
    if (ground.n)
        h->ground = ground;
    if (categories && !node_has(categories, h->category))
        return say_clause(c->arena, ERR_UNDECLARED, clause, "hold \"%.*s\" is not for that category", T(name));
    if (!term_parse(node_text(kind, TEXT("period")), &period))
        return OK;
    msec longest = term_end(c->now, period, 1);
    if (!h->until)
        h->until = longest;
    return h->until <= longest ? OK : say_clause(c->arena, ERR_VALUE, clause, "hold \"%.*s\" lasts at most %.*s", T(name),
                                                 T(node_text(kind, TEXT("period"))));
}

static enum err hold_of(struct ctx *c, const struct json *in, struct holding *h)
{
    enum { GROUND_MAX = 256 };
    text until = json_text(in, TEXT("until"));
    h->category = json_text(in, TEXT("category")), h->ground = json_text(in, TEXT("ground"));
    if (!h->category.n || !h->ground.n)
        return say(c->arena, ERR_MISSING, "a hold names its \"category\", or \"*\", and its \"ground\"");
    if (!text_eq(h->category, TEXT("*")) && policy_category(c->policy, h->category) < 0)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause, "the policy has no category \"%.*s\"",
                          T(value_shown(h->category)));
    if (h->ground.n > GROUND_MAX)
        return say(c->arena, ERR_VALUE, "\"ground\" has at most %d bytes", GROUND_MAX);
    TRY(value_no_card(c, TEXT("ground"), h->ground));
    if (json_get(in, TEXT("until")) && (!value_moment(c, until, true, &h->until) || h->until <= c->now))
        return say(c->arena, ERR_VALUE, "\"until\" must be a time to come, as in RFC 3339");
    const struct node *kind = node_get(node_at(c->policy->root, TEXT("holds")), h->ground);
    return kind ? declared_hold(c, kind, h) : OK;
}

enum err hold_create(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct holding h = { .c = c, .id = id_make(c->now) };
    TRY(hold_of(c, in, &h));
    TRY(person_open(c, id, true, &p));
    TRY(person_allow_act(c, &p, ACT_ERASE));
    h.subject = p.id;
    TRY(written_seal(ctx_store(c), c->arena, c->tenant, TEXT("hold"), h.ground, &h.kept));
    out->id = id_print(c->arena, h.id);
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\"}", T(out->id));
    TRY_PTR(out->body.p);
    struct write w = { .run = run_hold, .arg = &h, .event = event_of(c, &p, TEXT("hold.set")) };
    w.event.categories = h.category;
    return write_do(c, &w, out);
}

static enum err run_release(struct db *db, struct write *w)
{
    const struct holding *h = w->arg;
    int64_t gone;
    TRY(db_run(db, SQL_HOLD_DROP, &gone, ARGS(V_TEXT(h->c->tenant), V_ID(h->subject), V_ID(h->id))));
    if (!gone)
        return say(db_arena(db), ERR_NOT_FOUND, "there is no such hold");
    return keeping_again(db, h->c->tenant, h->subject, TEXT("*"), h->c->now);
}

enum err hold_release(struct ctx *c, text id, text hold, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct holding h = { .c = c };
    if (!id_parse(hold, &h.id))
        return say(c->arena, ERR_NOT_FOUND, "there is no such hold");
    enum err status = person_open(c, id, true, &p);
    /* A hold may outlive its person, whose held data the operator then answers for. */
    bool outlived = status == ERR_NOT_FOUND && c->actor.kind == ACTOR_OPERATOR && id_parse(id, &h.subject);
    if (!outlived) {
        TRY(status);
        TRY(person_allow_act(c, &p, ACT_ERASE));
        h.subject = p.id;
    }
    struct write w = { .run = run_release, .arg = &h, .event = event_of(c, outlived ? NULL : &p, TEXT("hold.released")) };
    return write_do(c, &w, out);
}

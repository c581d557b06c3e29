/* Signs of a breach in the last day of the journal: proposed to staff, opened by nobody but them. */
#include "domain/breach/inside.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/write.h"
#include "domain/core/written.h"

enum { ACTORS_COUNTED = 500, LINES_AT_ONCE = 2000, LINES_MOST = 500000, SIGNS_SHOWN = 100, NAME_MAX_BYTES = 100 };
enum { LOOK_EVERY = 10 * MINUTE };
#define SIGN_KEPT (90 * DAY)

struct tally {
    char tenant[64], actor[NAME_MAX_BYTES];
    int64_t of[SIGNS];
};
struct looking {
    struct ctx *c;
    struct tally *tallies;
    unsigned count;
    int64_t seq; /* of the last line that was read */
    msec since;
    bool more;
};

/* ---- The journal of the last day. ---- */

static enum err time_of(struct db *db, int64_t seq, msec *at)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_TIME, ARGS(V_INT(seq)));
    *at = query_next(&q) ? query_get(&q, JOURNAL_TIME, at) : 0; /* forgotten ones are older than any day */
    return q.status;
}

/* The last entry before `since`: they stand in the order of their times. */
static enum err begin(struct looking *l)
{
    int64_t low = -1, high = -1;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(l->c), l->c->arena, &db));
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_JOURNAL_LAST, NULL, 0);
        if (query_next(&q))
            high = query_get(&q, JOURNAL_LAST, seq);
        TRY(q.status);
    }
    if (high - low > LINES_MOST)
        low = high - LINES_MOST;
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        msec at;
        TRY(time_of(db, middle, &at));
        if (at < l->since)
            low = middle;
        else
            high = middle - 1;
    }
    l->seq = low;
    return OK;
}

static struct tally *tally_of(struct looking *l, text tenant, text actor)
{
    for (unsigned i = 0; i < l->count; i++)
        if (text_eq(text_of(l->tallies[i].tenant), tenant) && text_eq(text_of(l->tallies[i].actor), actor))
            return &l->tallies[i];
    struct tally *t = &l->tallies[l->count];
    bool fits = l->count < ACTORS_COUNTED && text_cstr(tenant, t->tenant, sizeof t->tenant) &&
                text_cstr(actor, t->actor, sizeof t->actor);
    l->count += fits;
    return fits ? t : NULL;
}

/* People who look at their own, and the server itself, are no sign. Programs read all day: of theirs only what is
 * refused or taken away counts. */
static void count_line(struct looking *l, struct arena *a, text tenant, const struct json *line)
{
    struct ctx *c = l->c;
    text actor = json_text(line, TEXT("actor")), act = json_text(line, TEXT("act")), by = json_text(line, TEXT("by"));
    int index = policy_actor(c->policy, actor);
    bool program = index >= 0 && c->policy->actors[index].kind == ACTOR_SYSTEM;
    if (index < 0 || index == PERSON)
        return;
    text named = by.n ? arena_print(a, "%.*s %.*s", T(actor), T(text_upto(by, 8))) : actor;
    struct tally *t = tally_of(l, tenant, named);
    if (!t)
        return;
    t->of[SIGN_refusals] += text_eq(json_text(line, TEXT("outcome")), TEXT("refused"));
    t->of[SIGN_exports] += text_eq(act, TEXT("export"));
    t->of[SIGN_reads] += !program && doc_looked(act) && json_text(line, TEXT("who")).n > 0;
}

static enum err read_some(struct looking *l)
{
    ARENA_AUTO room = arena_make(64 << 20);
    int64_t rows = 0;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(l->c), &room, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_JOURNAL, ARGS(V_INT(l->seq), V_INT(LINES_AT_ONCE)));
    while (query_next(&q)) {
        const struct json *line;
        l->seq = query_get(&q, BREACH_JOURNAL, seq);
        rows++;
        text leaf = query_get(&q, BREACH_JOURNAL, leaf), tenant = query_get(&q, BREACH_JOURNAL, tenant);
        if (tenant.n && json_parse(&room, leaf, &line) == OK)
            count_line(l, &room, tenant, line);
    }
    l->more = rows == LINES_AT_ONCE;
    return q.status;
}

/* ---- Proposed. ---- */

struct proposing {
    struct ctx *c;
    struct subject_id id;
    text actor;
    enum breach_sign sign;
    int64_t count;
};

static enum err run_propose(struct db *db, struct write *w)
{
    const struct proposing *p = w->arg;
    return db_run(db, SQL_BREACH_SIGN_ADD, NULL,
                  ARGS(V_TEXT(p->c->tenant), V_ID(p->id), V_TEXT(breach_signs[p->sign].name), V_TEXT(p->actor),
                       V_INT(p->count), V_INT(p->c->now), V_INT(p->c->now + SIGN_KEPT)));
}

static enum err known(struct ctx *c, enum breach_sign sign, text actor, bool *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_SIGN_HAS,
                ARGS(V_TEXT(c->tenant), V_TEXT(breach_signs[sign].name), V_TEXT(actor), V_INT(c->now)));
    *out = query_next(&q);
    return q.status;
}

static enum err propose(struct ctx *c, const struct tally *t, enum breach_sign sign)
{
    struct ctx own = *c;
    bool there;
    own.tenant = text_of(t->tenant);
    struct proposing p = { &own, id_make(c->now), text_of(t->actor), sign, t->of[sign] };
    TRY(known(&own, sign, p.actor, &there));
    if (there)
        return OK;
    struct write w = { .run = run_propose, .arg = &p, .event = event_of(&own, NULL, TEXT("breach.proposed")) };
    w.event.purpose = breach_signs[sign].name;
    w.event.count = p.count;
    return write_do(&own, &w, NULL);
}

enum err breach_look_for_signs(struct ctx *c)
{
    msec last = atomic_load(&c->app->signs_at);
    struct looking l = { .c = c, .since = c->now - DAY, .more = true };
    if (c->now >= last && c->now - last < LOOK_EVERY)
        return OK;
    l.tallies = NEW_ARRAY(c->arena, struct tally, ACTORS_COUNTED + 1);
    TRY_PTR(l.tallies);
    TRY(begin(&l));
    while (l.more)
        TRY(read_some(&l));
    for (unsigned i = 0; i < l.count; i++)
        for (unsigned s = 0; s < SIGNS; s++)
            if (l.tallies[i].of[s] > breach_signs[s].most)
                TRY(propose(c, &l.tallies[i], (enum breach_sign)s));
    atomic_store(&c->app->signs_at, c->now);
    return OK;
}

/* ---- Shown, and set aside. ---- */

static text sign_says(const struct ctx *c, text kind)
{
    for (unsigned i = 0; i < SIGNS; i++)
        if (text_eq(breach_signs[i].name, kind))
            return doc_in(c, breach_signs[i].en, breach_signs[i].fr);
    return kind;
}

enum err breach_put_signs(struct ctx *c, struct json_out *w)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_BREACH_SIGNS, ARGS(V_TEXT(c->tenant), V_INT(SIGNS_SHOWN)));
    json_name(w, TEXT("signs"));
    json_open(w, '[');
    while (query_next(&q)) {
        text kind = query_get(&q, BREACH_SIGNS, kind);
        json_open(w, '{');
        json_pair(w, TEXT("id"), id_column(c->arena, &q, COL(BREACH_SIGNS, id)));
        json_pair(w, TEXT("kind"), kind);
        json_pair(w, TEXT("says"), sign_says(c, kind));
        json_pair(w, TEXT("actor"), query_get(&q, BREACH_SIGNS, actor));
        json_pair_int(w, TEXT("count"), query_get(&q, BREACH_SIGNS, count));
        json_pair(w, TEXT("at"), time_print(c->arena, query_get(&q, BREACH_SIGNS, at)));
        json_close(w, '}');
    }
    json_close(w, ']');
    return q.status;
}

struct dismissing {
    struct ctx *c;
    struct subject_id id;
    text why; /* sealed */
};

static enum err run_dismiss(struct db *db, struct write *w)
{
    const struct dismissing *d = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_BREACH_SIGN_STATE, &changed,
               ARGS(V_TEXT(d->c->tenant), V_ID(d->id), V_TEXT(TEXT("dismissed")), V_TEXT(d->why))));
    return changed ? OK : say(db_arena(db), ERR_NOT_FOUND, "there is no such sign");
}

enum err breach_dismiss(struct ctx *c, text sign, const struct json *in, struct answer *out)
{
    struct dismissing d = { .c = c };
    text why;
    TRY(breach_may(c));
    TRY(breach_take_text(c, in, "text", &why));
    if (!why.n)
        return breach_about(c, "text", say(c->arena, ERR_MISSING, "\"text\" says why it is none"));
    if (!id_parse(sign, &d.id))
        return say(c->arena, ERR_NOT_FOUND, "there is no such sign");
    TRY(written_seal(ctx_store(c), c->arena, c->tenant, TEXT("breach_sign"), why, &d.why));
    struct write w = { .run = run_dismiss, .arg = &d, .event = event_of(c, NULL, TEXT("breach.dismissed")) };
    return write_do(c, &w, out);
}

/* A job: made with the act that it follows, sealed, kept, and ended with its key. */
#include "domain/connector/inside.h"
#include "domain/core/decided.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/keep/erasing.h"
#include "policy/due.h"

enum { AGAIN_FIRST = 2 * SECOND, AGAIN_MAX = 10 * MINUTE };

static const text acts[] = { [OUTSIDE_erase] = TEXT_INIT("erase"),     [OUTSIDE_restrict] = TEXT_INIT("restrict"),
                             [OUTSIDE_release] = TEXT_INIT("release"), [OUTSIDE_object] = TEXT_INIT("object"),
                             [OUTSIDE_lift] = TEXT_INIT("lift"),       [OUTSIDE_correct] = TEXT_INIT("correct") };

text connector_act_word(enum outside_act act) { return acts[act]; }

bool connector_act_named(text word, enum outside_act *out)
{
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (text_eq(acts[i], word)) {
            *out = (enum outside_act)i;
            return true;
        }
    return false;
}

/* ---- Why not. ---- */

struct connector_why connector_why(struct ctx *c)
{
    const struct why *why = &c->arena->why;
    struct connector_why out = { .code = err_row(why->code)->slug,
                                 .en = arena_copy(c->arena, text_of(why->detail)),
                                 .fr = arena_copy(c->arena, text_of(why->said)) };
    c->arena->why = (struct why){ .code = OK };
    return out;
}

struct connector_why connector_why_of(const struct json *o)
{
    return (struct connector_why){ .code = json_text(o, TEXT("code")),
                                   .en = json_text(o, TEXT("why")),
                                   .fr = json_text(o, TEXT("why_fr")) };
}

void connector_why_put(struct json_out *w, const struct connector_why *y)
{
    const text none = { NULL, 0 };
    json_pair(w, TEXT("why"), y->en.n ? y->en : none);
    json_pair(w, TEXT("why_fr"), y->fr.n ? y->fr : none);
    json_pair(w, TEXT("code"), y->code.n ? y->code : none);
}

/* ---- What is sealed. ---- */

static struct place place_of(const struct ctx *c, struct subject_id id, text table, int64_t version)
{
    return (struct place){
        .tenant = c->tenant, .subject = id, .table = table, .field = TEXT("body"), .version = (uint64_t)version
    };
}

static void put_part(struct json_out *w, const struct connector_part *p)
{
    json_open(w, '{');
    json_pair(w, TEXT("store"), p->store);
    json_pair(w, TEXT("state"), p->state);
    connector_why_put(w, &p->why);
    json_pair_int(w, TEXT("tries"), p->tries);
    json_pair(w, TEXT("evidence"), p->evidence.n ? p->evidence : (text){ NULL, 0 });
    if (p->step.n) {
        json_pair(w, TEXT("step"), p->step);
        json_pair(w, TEXT("called"), p->called.n ? p->called : (text){ NULL, 0 });
        json_pair_int(w, TEXT("round"), p->round);
        json_pair_int(w, TEXT("until"), p->until);
    }
    if (p->counted) {
        json_name(w, TEXT("counted"));
        json_put(w, p->counted);
    }
    if (p->answer) {
        json_name(w, TEXT("answer"));
        json_put(w, p->answer);
    }
    json_close(w, '}');
}

enum err connector_seal(struct ctx *c, const struct connector_job *j, int64_t version, sealed *out)
{
    struct place place = place_of(c, j->id, TEXT("connector_job"), version);
    text clear;
    BUF_AUTO b = buf_make(CONNECTOR_BODY);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("detail"), j->detail.n ? j->detail : (text){ NULL, 0 });
    json_name(&w, TEXT("stores"));
    json_open(&w, '[');
    for (unsigned i = 0; i < j->count; i++)
        put_part(&w, &j->parts[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &clear));
    return written_seal_at(c, TEXT("connector"), &place, clear, out);
}

static enum err open_body(struct ctx *c, struct connector_job *j, sealed body)
{
    struct place place = place_of(c, j->id, TEXT("connector_job"), j->version);
    text clear;
    const struct json *all;
    TRY(written_open_at(c, TEXT("connector"), &place, body, &clear));
    TRY(json_parse(c->arena, clear, &all));
    const struct json *stores = json_get(all, TEXT("stores"));
    j->detail = json_text(all, TEXT("detail"));
    j->parts = NEW_ARRAY(c->arena, struct connector_part, (stores ? stores->count : 0) + 1);
    TRY_PTR(j->parts);
    JSON_EACH(s, stores) {
        struct connector_part *p = &j->parts[j->count++];
        *p = (struct connector_part){ .store = json_text(s, TEXT("store")),
                                      .state = json_text(s, TEXT("state")),
                                      .why = connector_why_of(s),
                                      .evidence = json_text(s, TEXT("evidence")),
                                      .step = json_text(s, TEXT("step")),
                                      .called = json_text(s, TEXT("called")),
                                      .counted = json_get(s, TEXT("counted")),
                                      .answer = json_get(s, TEXT("answer")) };
        json_int(json_get(s, TEXT("tries")), &p->tries);
        json_int(json_get(s, TEXT("round")), &p->round);
        json_int(json_get(s, TEXT("until")), &p->until);
    }
    return OK;
}

static bool take_id(struct subject_id *out, text bytes)
{
    if (bytes.n == sizeof *out)
        memcpy(out, bytes.p, sizeof *out);
    return bytes.n == sizeof *out;
}

static enum err read_row(struct ctx *c, struct connector_job *j, sealed *body)
{
    READ_AUTO db = NULL;
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CONNECTOR_GET, ARGS(V_TEXT(c->tenant), V_ID(j->id)));
    if (!query_next(&q))
        return q.status == OK ? say(c->arena, ERR_NOT_FOUND, "there is no such job") : q.status;
    j->version = query_get(&q, CONNECTOR_GET, version);
    j->state = arena_copy(c->arena, query_get(&q, CONNECTOR_GET, state));
    j->at = query_get(&q, CONNECTOR_GET, at);
    j->next = query_get(&q, CONNECTOR_GET, next);
    j->has_subject = take_id(&j->subject, query_get(&q, CONNECTOR_GET, subject));
    j->has_request = take_id(&j->request, query_get(&q, CONNECTOR_GET, request));
    *body = (sealed){ arena_copy(c->arena, query_get(&q, CONNECTOR_GET, body).bytes) };
    if (!connector_act_named(query_get(&q, CONNECTOR_GET, act), &j->act))
        return say(c->arena, ERR_INTEGRITY, "a job has an act that is none");
    return q.status;
}

enum err connector_load(struct ctx *c, struct subject_id id, struct connector_job *out)
{
    sealed body;
    *out = (struct connector_job){ .id = id };
    TRY(read_row(c, out, &body));
    return open_body(c, out, body);
}

enum err connector_open_values(struct ctx *c, const struct connector_job *j, text *out)
{
    struct place place = place_of(c, j->id, TEXT("connector_value"), 0);
    KEY_AUTO key;
    sealed kept;
    TRY(store_key(ctx_store(c), c->arena, c->tenant, j->id, CONNECTOR_KEY, &key));
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_CONNECTOR_VALUE, ARGS(V_TEXT(c->tenant), V_ID(j->id)));
        if (!query_next(&q))
            return q.status == OK ? say(c->arena, ERR_ERASED, "the job has no values any more") : q.status;
        kept = (sealed){ arena_copy(c->arena, query_get(&q, CONNECTOR_VALUE, sealed).bytes) };
        TRY(q.status);
    }
    return seal_open(c->arena, &key, &place, kept, out);
}

/* ---- It begins. ---- */

static enum err put_corrected(struct ctx *c, text patch, struct json_out *w)
{
    const struct json *all;
    TRY(json_parse(c->arena, patch, &all));
    json_name(w, TEXT("correct"));
    json_open(w, '{');
    JSON_EACH(category, all)
        JSON_EACH(field, category)
            json_pair(w, arena_print(c->arena, "%.*s.%.*s", T(category->key), T(field->key)),
                      field->kind == J_TEXT || field->kind == J_NUMBER ? field->value : TEXT(""));
    json_close(w, '}');
    return OK;
}

static enum err put_set(struct ctx *c, const struct outside *o, struct json_out *w)
{
    json_name(w, TEXT("set"));
    json_open(w, '{');
    if (o->act == OUTSIDE_restrict || o->act == OUTSIDE_release)
        json_pair_bool(w, TEXT("restrict"), o->act == OUTSIDE_restrict);
    if (o->act == OUTSIDE_object || o->act == OUTSIDE_lift) {
        json_pair(w, TEXT("object"), o->detail);
        json_pair_bool(w, TEXT("on"), o->act == OUTSIDE_object);
    }
    if (o->act == OUTSIDE_correct)
        TRY(put_corrected(c, o->detail, w));
    json_close(w, '}');
    return OK;
}

static enum err seal_values(struct ctx *c, const struct person *p, const struct connector_map *m, struct outside *o)
{
    struct place place = place_of(c, o->id, TEXT("connector_value"), 0);
    KEY_AUTO key;
    text clear;
    BUF_AUTO b = buf_make(CONNECTOR_BODY);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    TRY(connector_values(c, p, m, &w));
    TRY(put_set(c, o, &w));
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &clear));
    enum err e = store_key(ctx_store(c), c->arena, c->tenant, o->id, CONNECTOR_KEY, &key);
    if (e == ERR_ERASED)
        key_make(&key);
    else
        TRY(e);
    o->put = (struct key_put){ .tenant = c->tenant, .subject = o->id, .key_class = CONNECTOR_KEY };
    key_wrap(store_master(ctx_store(c)), c->tenant, o->id, CONNECTOR_KEY, &key, o->put.wrapped);
    e = seal(c->arena, &key, &place, clear, &o->values);
    buf_wipe(&b);
    return e;
}

enum err connector_outside(struct ctx *c, const struct person *p, struct outside *o)
{
    struct connector_map m;
    struct connector_job j = { .id = o->id, .act = o->act };
    TRY(connector_map_read(c, &m));
    j.parts = NEW_ARRAY(c->arena, struct connector_part, (m.stores ? m.stores->count : 0) + 1);
    TRY_PTR(j.parts);
    if (m.findings.first) /* nobody is refused for it: the job waits, and finds its stores in the map that is mended */
        j.parts[j.count++] = (struct connector_part){ .store = CONNECTOR_MAP,
                                                      .state = TEXT("open"),
                                                      .why = connector_fault(c, &m) };
    NODE_EACH(store, m.findings.first ? NULL : m.stores) {
        bool by_hand;
        if (connector_serves(c, store) && connector_concerned(store, o->act, o->detail, &by_hand))
            j.parts[j.count++] = (struct connector_part){ .store = store->key,
                                                          .state = by_hand ? TEXT("manual") : TEXT("open") };
    }
    o->any = j.count > 0;
    if (!o->any)
        return OK;
    if (o->act == OUTSIDE_object || o->act == OUTSIDE_lift)
        j.detail = o->detail;
    TRY(connector_seal(c, &j, 1, &o->body));
    return seal_values(c, p, &m, o);
}

enum err connector_outside_run(struct db *db, const struct ctx *c, const struct outside *o)
{
    bool waits = o->act == OUTSIDE_erase;
    TRY(db_run(db, SQL_CONNECTOR_ADD, NULL,
               ARGS(V_TEXT(c->tenant), V_ID(o->id), V_TEXT(acts[o->act]), V_TEXT(waits ? TEXT("begun") : TEXT("open")),
                    V_ID(o->subject), c->request ? V_ID(*c->request) : V_NULL, V_INT(c->now),
                    waits ? V_NULL : V_INT(c->now), V_SEALED(o->body))));
    atomic_store(&c->app->stores_due, true);
    return db_run(db, SQL_CONNECTOR_VALUE_PUT, NULL,
                  ARGS(V_TEXT(c->tenant), V_ID(o->id), V_INT(CONNECTOR_KEY), V_SEALED(o->values)));
}

enum err connector_outside_end(struct db *db, const struct ctx *c, struct subject_id id, bool came_about)
{
    int64_t changed;
    if (came_about) {
        atomic_store(&c->app->stores_due, true);
        TRY(db_run(db, SQL_CONNECTOR_BEGIN, NULL, ARGS(V_TEXT(c->tenant), V_ID(id), V_INT(c->now))));
        TRY(db_run(db, SQL_CONNECTOR_BEFORE_VALUES, NULL, ARGS(V_TEXT(c->tenant), V_ID(id))));
        return db_run(db, SQL_CONNECTOR_BEFORE, NULL, ARGS(V_TEXT(c->tenant), V_ID(id)));
    }
    TRY(db_run(db, SQL_CONNECTOR_DROP, &changed, ARGS(V_TEXT(c->tenant), V_ID(id))));
    return changed ? db_run(db, SQL_CONNECTOR_VALUE_END, NULL, ARGS(V_TEXT(c->tenant), V_ID(id))) : OK;
}

/* ---- It goes on, and ends. ---- */

bool connector_over(const struct connector_job *j)
{
    for (unsigned i = 0; i < j->count; i++)
        if (!text_eq(j->parts[i].state, TEXT("done")))
            return false;
    return true;
}

struct putting {
    const struct ctx *c;
    const struct connector_job *j;
    sealed body;
    bool over;
    msec next, due;
};

static enum err run_put(struct db *db, struct write *w)
{
    const struct putting *p = w->arg;
    text tenant = p->c->tenant;
    int64_t changed;
    TRY(db_run(db, SQL_CONNECTOR_PUT, &changed,
               ARGS(V_TEXT(tenant), V_ID(p->j->id), V_INT(p->j->version),
                    V_TEXT(p->over ? TEXT("closed") : TEXT("open")), p->next ? V_INT(p->next) : V_NULL,
                    p->due ? V_INT(p->due) : V_NULL, V_SEALED(p->body))));
    if (!changed)
        return say(db_arena(db), ERR_PRECONDITION, "the job changed meanwhile: look at it again");
    if (!p->over)
        return OK;
    TRY(db_run(db, SQL_CONNECTOR_VALUE_END, NULL, ARGS(V_TEXT(tenant), V_ID(p->j->id))));
    if (p->j->act != OUTSIDE_erase)
        return OK;
    return db_run(db, SQL_CERTIFICATE_AGAIN, NULL, ARGS(V_TEXT(tenant), V_ID(p->j->id)));
}

/* What does not work now is tried less and less often; what people do is waited for, and what an application does,
 * until it is asked anew. */
static msec next_of(const struct ctx *c, const struct connector_job *j)
{
    int64_t tries = 0;
    msec waits = 0;
    bool any = false;
    for (unsigned i = 0; i < j->count; i++) {
        const struct connector_part *p = &j->parts[i];
        if (text_eq(p->state, TEXT("waits")) && (!waits || p->until < waits))
            waits = p->until;
        if (!text_eq(p->state, TEXT("open")))
            continue;
        any = true;
        tries = p->tries > tries ? p->tries : tries;
    }
    msec pause = tries ? AGAIN_FIRST : 0;
    for (int64_t i = 1; i < tries && pause < AGAIN_MAX; i++)
        pause *= 2;
    if (connector_over(j))
        return c->now;
    msec again = c->now + (pause < AGAIN_MAX ? pause : AGAIN_MAX);
    return any && (!waits || again < waits) ? again : waits;
}

static msec due_of(const struct ctx *c)
{
    msec due = retention_own_due(policy_retention(c->policy, TEXT("requests")), c->now);
    return due ? due : c->now + 30 * DAY;
}

static enum err certify(struct ctx *c, struct subject_id id)
{
    struct answer certificate = { 0 };
    enum err e = certificate_issue(c, id, false, &certificate);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err put_state(struct ctx *c, struct connector_job *j, bool over, text act)
{
    struct putting p = { .c = c, .j = j, .over = over, .next = over ? 0 : next_of(c, j), .due = over ? due_of(c) : 0 };
    struct key_shred shred = { .tenant = c->tenant, .subject = j->id, .key_class = CONNECTOR_KEY };
    struct write w = { .run = run_put, .arg = &p, .event = event_of(c, NULL, act) };
    w.event.count = j->count;
    if (over) {
        w.shreds = &shred;
        w.shred_count = 1;
        w.truncate = true;
    }
    TRY(connector_seal(c, j, j->version + 1, &p.body));
    TRY(write_do(c, &w, NULL));
    j->version++;
    return OK;
}

/* The last step is durable before the key goes, so that a crash between the two never asks for values that are gone. */
enum err connector_put(struct ctx *c, struct connector_job *j, text act)
{
    if (act.n)
        TRY(put_state(c, j, false, act));
    if (!connector_over(j))
        return OK;
    enum err e = put_state(c, j, true, TEXT("connector.closed"));
    if (e == ERR_PRECONDITION && act.n) /* the courier found it over, and ends it: what was to be written here stands */
        return OK;
    TRY(e);
    j->state = TEXT("closed");
    return j->act == OUTSIDE_erase ? certify(c, j->id) : OK;
}

/* ---- Rows that time ends. ---- */

struct over {
    text tenant;
    struct subject_id id;
    msec now;
};

static enum err run_over(struct db *db, struct write *w)
{
    const struct over *o = w->arg;
    return db_run(db, SQL_CONNECTOR_END, NULL, ARGS(V_TEXT(o->tenant), V_ID(o->id), V_INT(o->now)));
}

enum err connector_tick(struct ctx *c)
{
    enum { MOST = 200 };
    struct over *all = NEW_ARRAY(c->arena, struct over, MOST);
    unsigned count = 0;
    TRY_PTR(all);
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_CONNECTOR_OVER, ARGS(V_INT(c->now), V_INT(MOST)));
        while (count < MOST && query_next(&q)) {
            struct over *o = &all[count++];
            *o = (struct over){ .tenant = arena_copy(c->arena, query_get(&q, CONNECTOR_OVER, tenant)), .now = c->now };
            TRY_PTR(o->tenant.p);
            take_id(&o->id, query_get(&q, CONNECTOR_OVER, request));
        }
        TRY(q.status);
    }
    for (unsigned i = 0; i < count; i++) {
        struct ctx own = *c;
        own.tenant = all[i].tenant;
        struct write w = { .run = run_over, .arg = &all[i], .event = event_of(&own, NULL, TEXT("connector.over")) };
        TRY(write_do(&own, &w, NULL));
    }
    return OK;
}

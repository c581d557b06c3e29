/* The work: one store after the other is asked, each step durable before the next. */
#include "base/log.h"
#include "domain/connector/inside.h"
#include "domain/core/asker.h"
#include "domain/core/context.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"

enum { ASKED_MAX = 4 << 20 };

void connector_open(struct app *app, const struct asker *by)
{
    ARENA_AUTO a = arena_make(8 << 20);
    CTX_AUTO c = { 0 };
    struct connector_map m;
    app->stores = by;
    atomic_store(&app->stores_due, true);
    if (!by)
        return;
    ctx_begin(app, &a, &c);
    if (connector_map(&c, &m) != OK)
        LOG(LOG_WARN, "stores.map", LOG_TEXT("why", text_of(a.why.detail)));
    else if (!m.stores && c.policy->hosting.store_count > 1)
        LOG(LOG_INFO, "stores: no connectors.yaml, so those of the policy are taken for this server's own");
}

/* ---- One question. ---- */

static void put_message(struct ctx *c, const struct connector_message *m, struct json_out *w)
{
    json_pair_int(w, TEXT("now"), c->now);
    json_pair(w, TEXT("id"), m ? m->id : id_print(c->arena, id_make(c->now)));
    if (!m || !m->url.n)
        return;
    json_name(w, TEXT("callback"));
    json_open(w, '{');
    json_pair(w, TEXT("url"), m->url);
    json_pair(w, TEXT("until"), time_print(c->arena, m->until));
    json_close(w, '}');
}

static enum err put_question(struct ctx *c, const struct node *store, text act, text extra,
                             const struct connector_message *m, struct buf *b, text *out)
{
    struct json_out w = json_out(b);
    json_open(&w, '{');
    json_pair(&w, TEXT("act"), act);
    if (connector_by_message(store))
        put_message(c, m, &w);
    json_name(&w, TEXT("store"));
    node_json(&w, store);
    if (extra.n > 2) { /* the members of an object */
        buf_char(b, ',');
        buf_add(b, text_upto(text_from(extra, 1), extra.n - 2));
    }
    json_close(&w, '}');
    return buf_lend(c->arena, b, out);
}

enum err connector_ask(struct ctx *c, const struct node *store, text act, text extra,
                       const struct connector_message *message, const struct json **answer)
{
    const struct asker *by = c->app->stores;
    text question, told;
    BUF_AUTO b = buf_make(ASKED_MAX);
    if (!by)
        return say(c->arena, ERR_BUSY, "only the running server reaches the stores");
    TRY(put_question(c, store, act, extra, message, &b, &question));
    enum err e = by->ask(by->self, c->arena, question, &told);
    buf_wipe(&b);
    TRY(e);
    TRY(json_parse(c->arena, told, answer));
    const struct json *said = json_get(*answer, TEXT("told"));
    return said ? connector_told(c, store, act, said, answer) : OK;
}

/* What the map lacks, by the name that it has in the store; the page has the words of `fault`. */
static struct connector_why first_fault(struct ctx *c, const struct json *answer)
{
    const struct json *all = json_get(answer, TEXT("faults")), *f = all ? all->first : NULL;
    text table = json_text(f, TEXT("table")), column = json_text(f, TEXT("column"));
    say(c->arena, ERR_CONFIG, "the map and the store differ: %.*s%s%.*s (%.*s)", T(table), column.n ? "." : "", T(column),
        T(json_text(f, TEXT("fault"))));
    return connector_why(c);
}

/* Whether the store did it; else why not stands in the part. */
static bool followed(struct ctx *c, struct connector_part *p, const struct json *answer)
{
    text state = json_text(answer, TEXT("state"));
    if (text_eq(state, TEXT("done")))
        return true;
    p->why = text_eq(state, TEXT("unmapped")) ? first_fault(c, answer) : connector_why_of(answer);
    if (!p->why.en.n) {
        say(c->arena, ERR_BUSY, "the store gave no answer");
        p->why = connector_why(c);
    }
    return false;
}

static bool ask_part(struct ctx *c, const struct node *store, struct connector_part *p, text act, text values,
                     const struct connector_message *m, const struct json **answer)
{
    if (!store) {
        say(c->arena, ERR_CONFIG, "the map no longer has this store");
        p->why = connector_why(c);
        return false;
    }
    if (connector_ask(c, store, act, values, m, answer) == OK)
        return followed(c, p, *answer);
    p->why = connector_why(c);
    return false;
}

/* ---- One job. ---- */

static enum err failed(struct ctx *c, struct connector_job *j, struct connector_part *p)
{
    p->tries++;
    LOG(LOG_WARN, "store.failed", LOG_TEXT("store", p->store), LOG_TEXT("why", p->why.en), LOG_INT("tries", p->tries));
    return connector_put(c, j, TEXT("connector.failed"));
}

/* One step of a part. The address of return of an application is durable before it is asked, so that it may call back
 * while its answer is still on the way. *taken: it did it, and `answer` says what. */
static enum err step_part(struct ctx *c, struct connector_job *j, struct connector_part *p, const struct node *store,
                          text step, text values, const struct json **answer, bool *taken)
{
    struct connector_message m = { .until = 0 };
    bool by_message = store && connector_by_message(store), made = false;
    if (by_message)
        TRY(connector_message(c, j, p, store, step, &m, &made));
    if (made)
        TRY(connector_put(c, j, TEXT("connector.asked")));
    *taken = ask_part(c, store, p, step, values, by_message ? &m : NULL, answer);
    if (*taken || !text_eq(json_text(*answer, TEXT("state")), TEXT("waits")))
        return *taken ? OK : failed(c, j, p);
    p->state = TEXT("waits");
    say(c->arena, ERR_BUSY, "the application has taken it, and has not called back; it is asked again on %.*s",
        T(text_upto(time_print(c->arena, p->until), 10)));
    p->why = connector_why(c);
    p->tries = 0;
    return connector_put(c, j, TEXT("connector.waits"));
}

static enum err work_part(struct ctx *c, struct connector_job *j, struct connector_part *p, const struct node *store,
                          text values)
{
    bool erases = j->act == OUTSIDE_erase, taken;
    const struct json *answer = NULL;
    if (erases && !p->counted) {
        TRY(step_part(c, j, p, store, TEXT("count"), values, &answer, &taken));
        if (!taken)
            return OK;
        p->counted = json_get(answer, TEXT("tables"));
        connector_part_over(p, false);
        TRY(connector_put(c, j, TEXT("connector.counted")));
    }
    TRY(step_part(c, j, p, store, erases ? TEXT("erase") : TEXT("set"), values, &answer, &taken));
    if (!taken)
        return OK;
    p->answer = answer;
    connector_part_over(p, true);
    return connector_put(c, j, TEXT("connector.done"));
}

/* ---- The stores of a job that began under a map that could not be used. ---- */

static bool waits_for_map(const struct connector_job *j)
{
    return j->count == 1 && text_eq(j->parts[0].store, CONNECTOR_MAP) && !text_eq(j->parts[0].state, TEXT("done"));
}

/* What it looks people up by was kept as far as it could be told; the rest people do. */
static struct connector_part part_of(struct ctx *c, const struct node *store, bool by_hand, const struct json *values)
{
    text unkept = by_hand ? (text){ NULL, 0 } : connector_unkept(store, values);
    struct connector_part p = { .store = store->key, .state = by_hand || unkept.p ? TEXT("manual") : TEXT("open") };
    if (unkept.p) {
        say(c->arena, ERR_NOT_FOUND, "%.*s was not kept", T(unkept));
        p.why = connector_why(c);
    }
    return p;
}

static enum err find_stores(struct ctx *c, struct connector_job *j, const struct connector_map *m, text sealed_values)
{
    const struct json *all;
    if (m->findings.first) {
        j->parts[0].why = connector_fault(c, m);
        return failed(c, j, &j->parts[0]);
    }
    TRY(json_parse(c->arena, sealed_values, &all));
    j->count = 0;
    j->parts = NEW_ARRAY(c->arena, struct connector_part, (m->stores ? m->stores->count : 0) + 1);
    TRY_PTR(j->parts);
    NODE_EACH(store, m->stores) {
        bool by_hand;
        if (connector_serves(c, store) && connector_concerned(store, j->act, j->detail, &by_hand))
            j->parts[j->count++] = part_of(c, store, by_hand, json_get(all, TEXT("values")));
    }
    return connector_put(c, j, TEXT("connector.mapped"));
}

static enum err work_job(struct ctx *c, struct subject_id id)
{
    struct connector_job j;
    struct connector_map m;
    text values;
    TRY(connector_load(c, id, &j));
    if (connector_over(&j))
        return connector_put(c, &j, TEXT(""));
    TRY(connector_map_read(c, &m));
    TRY(connector_open_values(c, &j, &values));
    TRY(connector_join_former(c, j.has_subject ? &j.subject : NULL, values, &values));
    if (waits_for_map(&j)) {
        TRY(find_stores(c, &j, &m, values));
        if (waits_for_map(&j) || connector_over(&j))
            return OK;
    }
    for (unsigned i = 0; i < j.count; i++) {
        struct connector_part *p = &j.parts[i];
        if (text_eq(p->state, TEXT("open")) || (text_eq(p->state, TEXT("waits")) && p->until <= c->now))
            TRY(work_part(c, &j, p, node_get(m.stores, p->store), values));
    }
    return OK;
}

static enum err find_due(struct ctx *c, struct subject_id *id, bool *found)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CONNECTOR_NEXT, ARGS(V_INT(c->now)));
    *found = query_next(&q);
    if (!*found)
        return q.status;
    c->tenant = arena_copy(c->arena, query_get(&q, CONNECTOR_NEXT, tenant));
    memcpy(id, query_get(&q, CONNECTOR_NEXT, id).p, sizeof *id);
    return OK;
}

enum err connector_work(struct ctx *c, bool *more)
{
    struct subject_id id = { 0 };
    *more = false;
    if (!store_leads(ctx_store(c)))
        return OK;
    TRY(find_due(c, &id, more));
    return *more ? work_job(c, id) : OK;
}

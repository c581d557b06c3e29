/* What is shown of the stores: the map, a look at each, counts, jobs, and their part in answers and certificates. */
#include "domain/connector/inside.h"
#include "domain/core/actor.h"
#include "domain/core/asker.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"
#include "domain/person/reach.h"

enum { SHOWN = 200 };

static enum err may(struct ctx *c)
{
    if (c->actor.kind == ACTOR_PERSON || person_sees_team(c)) {
        say(c->arena, ERR_FORBIDDEN, "the stores are for who answers everybody's requests");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    return person_allow_act(c, NULL, ACT_ERASE);
}

static text or_none(text s) { return s.n ? s : (text){ NULL, 0 }; }

/* ---- A job. ---- */

static int64_t number(const struct json *row, text name)
{
    int64_t n = 0;
    json_int(json_get(row, name), &n);
    return n;
}

static int64_t counted_of(const struct connector_part *p, text table)
{
    JSON_EACH(t, p->counted)
        if (text_eq(json_text(t, TEXT("table")), table))
            return number(t, TEXT("found"));
    return 0;
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* What an application says of a table of its own. */
static void put_told(const struct connector_part *p, const struct json *t, struct json_out *w)
{
    text name = json_text(t, TEXT("table"));
    json_open(w, '{');
    json_pair(w, TEXT("table"), name);
    json_pair_int(w, TEXT("found"), larger(counted_of(p, name), number(t, TEXT("found"))));
    json_pair_int(w, TEXT("erased"), p->answer ? number(t, TEXT("erased")) : 0);
    json_pair_int(w, TEXT("changed"), p->answer ? number(t, TEXT("changed")) : 0);
    json_pair_int(w, TEXT("kept"), p->answer ? number(t, TEXT("kept")) : 0);
    json_pair(w, TEXT("ground"), or_none(json_text(t, TEXT("ground"))));
    json_pair(w, TEXT("until"), or_none(json_text(t, TEXT("until"))));
    json_close(w, '}');
}

/* Files have a size, rows have none. */
static void put_bytes(const struct connector_part *p, const struct json *t, struct json_out *w)
{
    int64_t bytes = 0;
    JSON_EACH(counted, p->counted)
        if (text_eq(json_text(counted, TEXT("table")), json_text(t, TEXT("table"))))
            bytes = number(counted, TEXT("bytes"));
    if (json_get(t, TEXT("bytes")))
        json_pair_int(w, TEXT("bytes"), larger(bytes, number(t, TEXT("bytes"))));
}

/* Of a table: what was found before anything was done, and what was done; after a crash the second look finds less. */
static void put_table(const struct connector_part *p, enum outside_act act, const struct json *t, struct json_out *w)
{
    text name = json_text(t, TEXT("table")), action = json_text(t, TEXT("action"));
    int64_t found = counted_of(p, name), now = number(t, TEXT("found"));
    bool keeps = text_eq(action, TEXT("keep"));
    found = now > found ? now : found;
    json_open(w, '{');
    json_pair(w, TEXT("table"), name);
    json_pair_int(w, TEXT("found"), found);
    json_pair_int(w, TEXT("erased"), act == OUTSIDE_erase && text_eq(action, TEXT("delete")) && p->answer ? found : 0);
    json_pair_int(w, TEXT("changed"),
                  act != OUTSIDE_erase                         ? number(t, TEXT("done"))
                  : text_eq(action, TEXT("null")) && p->answer ? found
                                                               : 0);
    json_pair_int(w, TEXT("kept"), act == OUTSIDE_erase && keeps ? found : 0);
    put_bytes(p, t, w);
    json_pair(w, TEXT("ground"), or_none(json_text(t, TEXT("ground"))));
    json_pair(w, TEXT("until"), or_none(json_text(t, TEXT("until"))));
    json_close(w, '}');
}

static void put_remains(struct ctx *c, const struct connector_job *j, const struct json *all, struct json_out *w)
{
    json_open(w, '[');
    JSON_EACH(r, all) {
        int64_t days;
        bool dated = text_int(json_text(r, TEXT("days")), &days) && days > 0;
        json_open(w, '{');
        json_pair(w, TEXT("what"), json_text(r, TEXT("what")));
        json_pair(w, TEXT("until"), dated ? time_print(c->arena, j->at + (days + 1) * DAY) : (text){ NULL, 0 });
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_part(struct ctx *c, const struct connector_job *j, const struct connector_part *p, text title,
                     struct json_out *w)
{
    const struct json *tables = p->answer ? json_get(p->answer, TEXT("tables")) : p->counted;
    bool waits = text_eq(p->state, TEXT("waits"));
    json_open(w, '{');
    json_pair(w, TEXT("store"), p->store);
    json_pair(w, TEXT("title"), title);
    json_pair(w, TEXT("state"), p->state);
    connector_why_put(w, &p->why);
    json_pair(w, TEXT("asked_again"), waits ? time_print(c->arena, p->until) : (text){ NULL, 0 });
    json_pair_bool(w, TEXT("by_hand"), text_eq(p->state, TEXT("manual")));
    json_pair(w, TEXT("evidence"), or_none(p->evidence));
    json_name(w, TEXT("tables"));
    json_open(w, '[');
    JSON_EACH(t, tables)
        if (text_eq(json_text(t, TEXT("action")), TEXT("told")))
            put_told(p, t, w);
        else
            put_table(p, j->act, t, w);
    json_close(w, ']');
    json_name(w, TEXT("remains"));
    put_remains(c, j, json_get(p->answer, TEXT("remains")), w);
    json_close(w, '}');
}

void connector_put_parts(struct ctx *c, const struct connector_map *m, const struct connector_job *j,
                         struct json_out *w)
{
    json_name(w, TEXT("stores"));
    json_open(w, '[');
    for (unsigned i = 0; i < j->count; i++) {
        const struct node *store = node_get(m->stores, j->parts[i].store);
        put_part(c, j, &j->parts[i], store ? connector_title(c, store) : j->parts[i].store, w);
    }
    json_close(w, ']');
}

enum err connector_put_job(struct ctx *c, const struct connector_map *m, const struct connector_job *j,
                           struct json_out *w)
{
    json_open(w, '{');
    json_pair(w, TEXT("job"), id_print(c->arena, j->id));
    json_pair(w, TEXT("act"), connector_act_word(j->act));
    json_pair(w, TEXT("state"), j->state);
    json_pair(w, TEXT("at"), time_print(c->arena, j->at));
    json_pair(w, TEXT("next"), j->next ? time_print(c->arena, j->next) : (text){ NULL, 0 });
    json_pair(w, TEXT("request"), j->has_request ? id_print(c->arena, j->request) : (text){ NULL, 0 });
    connector_put_parts(c, m, j, w);
    json_close(w, '}');
    return arena_whole(c->arena);
}

enum err connector_certified(struct ctx *c, struct subject_id id, struct json_out *w)
{
    struct connector_job j;
    struct connector_map m;
    enum err e = connector_load(c, id, &j);
    if (e == ERR_NOT_FOUND)
        return OK;
    TRY(e);
    TRY(connector_map_read(c, &m));
    json_pair_bool(w, TEXT("interim"), !connector_over(&j));
    connector_put_parts(c, &m, &j, w);
    return arena_whole(c->arena);
}

/* ---- For staff. ---- */

static enum err log_look(struct ctx *c)
{
    struct write w = { .event = event_of(c, NULL, TEXT("connector.read")) };
    return write_do(c, &w, NULL);
}

static void put_map(struct ctx *c, const struct connector_map *m, struct json_out *w)
{
    json_name(w, TEXT("stores"));
    json_open(w, '[');
    NODE_EACH(store, m->stores) {
        if (!connector_serves(c, store))
            continue;
        json_open(w, '{');
        json_pair(w, TEXT("store"), store->key);
        json_pair(w, TEXT("kind"), node_text(store, TEXT("kind")));
        json_pair(w, TEXT("title"), connector_title(c, store));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_name(w, TEXT("faults"));
    json_open(w, '[');
    for (const struct finding *f = m->findings.first; f; f = f->next) {
        json_open(w, '{');
        json_pair_int(w, TEXT("line"), f->at.line);
        json_pair(w, TEXT("message"), f->message);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static enum err list_ids(struct ctx *c, enum sql sql, const struct val *args, size_t args_count, struct subject_id *ids,
                         unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, sql, args, args_count);
    while (*count < SHOWN && query_next(&q))
        memcpy(&ids[(*count)++], query_bytes(&q, COL(CONNECTOR_OPEN, id)).p, sizeof *ids);
    return q.status;
}

enum err connector_show(struct ctx *c, text after, struct answer *out)
{
    struct connector_map m;
    struct subject_id *ids = NEW_ARRAY(c->arena, struct subject_id, SHOWN), from = { { 0 } };
    unsigned count = 0;
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    TRY_PTR(ids);
    TRY(may(c));
    if (after.n && !id_parse(after, &from))
        return say(c->arena, ERR_VALUE, "\"after\" is the \"next\" of the page before");
    TRY(connector_map_read(c, &m));
    TRY(list_ids(c, SQL_CONNECTOR_OPEN, ARGS(V_TEXT(c->tenant), V_ID(from), V_INT(SHOWN)), ids, &count));
    json_open(&w, '{');
    put_map(c, &m, &w);
    json_name(&w, TEXT("jobs"));
    json_open(&w, '[');
    for (unsigned i = 0; i < count; i++) {
        struct connector_job j;
        TRY(connector_load(c, ids[i], &j));
        TRY(connector_put_job(c, &m, &j, &w));
    }
    json_close(&w, ']');
    json_pair(&w, TEXT("next"), count == SHOWN ? id_print(c->arena, ids[count - 1]) : (text){ NULL, 0 });
    json_close(&w, '}');
    TRY(log_look(c));
    return buf_take(c->arena, &b, &out->body);
}

/* One store's answer as an object with its name; *good is false when it did not do it. */
static enum err put_asked(struct ctx *c, const struct node *store, text act, text extra, struct json_out *w, bool *good)
{
    const struct json *answer = NULL;
    struct connector_why why = { .en = { NULL, 0 } };
    text state = TEXT("manual");
    if (!connector_by_hand(store)) {
        enum err e = connector_ask(c, store, act, extra, NULL, &answer);
        why = e == OK ? connector_why_of(answer) : connector_why(c);
        state = e == OK ? json_text(answer, TEXT("state")) : TEXT("failed");
        *good &= text_eq(state, TEXT("done"));
    }
    json_open(w, '{');
    json_pair(w, TEXT("store"), store->key);
    json_pair(w, TEXT("title"), connector_title(c, store));
    json_pair(w, TEXT("state"), state);
    connector_why_put(w, &why);
    static const text members[] = { TEXT_INIT("faults"), TEXT_INIT("tables") };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const struct json *value = json_get(answer, members[i]);
        json_name(w, members[i]);
        if (value)
            json_put(w, value);
        else
            json_put_raw(w, TEXT("[]"));
    }
    json_close(w, '}');
    return OK;
}

static enum err put_all_asked(struct ctx *c, const struct connector_map *m, text act, text extra, struct json_out *w,
                              bool *good)
{
    json_open(w, '[');
    NODE_EACH(store, m->stores)
        if (connector_serves(c, store))
            TRY(put_asked(c, store, act, extra, w, good));
    json_close(w, ']');
    return OK;
}

enum err connector_check(struct ctx *c, struct answer *out)
{
    struct connector_map m;
    bool good = true;
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    TRY(may(c));
    TRY(connector_map(c, &m));
    json_open(&w, '{');
    json_name(&w, TEXT("stores"));
    TRY(put_all_asked(c, &m, TEXT("check"), TEXT(""), &w, &good));
    json_pair_bool(&w, TEXT("whole"), good);
    json_close(&w, '}');
    TRY(log_look(c));
    return buf_take(c->arena, &b, &out->body);
}

static enum err values_of(struct ctx *c, const struct person *p, const struct connector_map *m, text *out)
{
    BUF_AUTO b = buf_make(CONNECTOR_BODY);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    TRY(connector_values(c, p, m, &w));
    json_close(&w, '}');
    text all;
    TRY(buf_take(c->arena, &b, &all));
    return connector_join_former(c, &p->id, all, out);
}

static enum err may_count(struct ctx *c, struct look *l) { return person_allow_act(c, &l->p, ACT_ERASE); }

static enum err show_counts(struct ctx *c, struct look *l, struct json_out *w)
{
    struct connector_map m;
    text values;
    bool good = true;
    TRY(connector_map(c, &m));
    TRY(values_of(c, &l->p, &m, &values));
    json_name(w, TEXT("stores"));
    TRY(put_all_asked(c, &m, TEXT("count"), values, w, &good));
    json_pair_bool(w, TEXT("whole"), good);
    return OK;
}

enum err connector_count(struct ctx *c, text id, struct answer *out)
{
    struct look l = { .act = TEXT("connector.count"),
                      .purpose = TEXT("requests"),
                      .closed_too = true,
                      .may = may_count,
                      .show = show_counts };
    return look_at_person(c, id, &l, out);
}

static enum err load_named(struct ctx *c, text id, struct connector_job *j)
{
    struct subject_id parsed;
    return id_parse(id, &parsed) ? connector_load(c, parsed, j) : say(c->arena, ERR_NOT_FOUND, "there is no such job");
}

static enum err answer_job(struct ctx *c, const struct connector_job *j, struct answer *out)
{
    BUF_AUTO b = buf_make(4 << 20);
    struct json_out w = json_out(&b);
    struct connector_map m;
    TRY(connector_map_read(c, &m));
    TRY(connector_put_job(c, &m, j, &w));
    return buf_take(c->arena, &b, &out->body);
}

enum err connector_job(struct ctx *c, text id, struct answer *out)
{
    struct connector_job j;
    TRY(may(c));
    TRY(load_named(c, id, &j));
    TRY(answer_job(c, &j, out));
    return log_look(c);
}

enum err connector_retry(struct ctx *c, text id, struct answer *out)
{
    struct connector_job j;
    TRY(may(c));
    TRY(load_named(c, id, &j));
    if (!text_eq(j.state, TEXT("open")))
        return say(c->arena, ERR_CONFLICT, "this job is not open");
    for (unsigned i = 0; i < j.count; i++) {
        j.parts[i].tries = 0;
        if (text_eq(j.parts[i].state, TEXT("waits"))) {
            j.parts[i].state = TEXT("open");
            j.parts[i].until = 0; /* asked anew */
        }
    }
    TRY(connector_put(c, &j, TEXT("connector.retried")));
    atomic_store(&c->app->stores_due, true);
    return answer_job(c, &j, out);
}

enum err connector_evidence(struct ctx *c, text id, text store, const struct json *in, struct answer *out)
{
    struct connector_job j;
    struct connector_map m;
    text said = text_trim(json_text(in, TEXT("text")));
    struct connector_part *part = NULL;
    TRY(may(c));
    TRY(load_named(c, id, &j));
    TRY(connector_map_read(c, &m));
    if (!said.n)
        return say(c->arena, ERR_MISSING, "\"text\" says what was done, when and by whom");
    if (said.n > CONNECTOR_TEXT_MAX)
        return say(c->arena, ERR_VALUE, "\"text\" has at most %d bytes", CONNECTOR_TEXT_MAX);
    TRY(value_no_card(c, TEXT("text"), said));
    for (unsigned i = 0; i < j.count; i++)
        if (text_eq(j.parts[i].store, store))
            part = &j.parts[i];
    if (!part)
        return say(c->arena, ERR_NOT_FOUND, "the job has no such store");
    if (!text_eq(j.state, TEXT("open")) || text_eq(part->state, TEXT("done")))
        return say(c->arena, ERR_CONFLICT, "there is nothing left to do there");
    if (text_eq(store, CONNECTOR_MAP))
        return say(c->arena, ERR_CONFLICT, "mend connectors.yaml first: the stores of this job are not known");
    if (!text_eq(part->state, TEXT("manual")) && node_get(m.stores, store))
        return say(c->arena, ERR_CONFLICT, "the server reaches that store by itself");
    part->evidence = said;
    connector_part_over(part, true);
    TRY(connector_put(c, &j, TEXT("connector.evidence")));
    atomic_store(&c->app->stores_due, true);
    return answer_job(c, &j, out);
}

/* ---- For the register of requests. ---- */

static enum err is_settled(struct ctx *c, struct subject_id id, struct connector_job *j)
{
    TRY(connector_load(c, id, j));
    if (text_eq(j->state, TEXT("closed")))
        return OK;
    for (unsigned i = 0; i < j->count; i++) {
        const struct connector_part *p = &j->parts[i];
        if (text_eq(p->state, TEXT("manual")))
            return say(c->arena, ERR_CONFLICT, "the store %.*s is done by hand: its evidence is missing", T(p->store));
        if (text_eq(p->state, TEXT("waits")))
            return say(c->arena, ERR_CONFLICT,
                       "the store %.*s has taken it, and has not called back; it is asked again on %.*s", T(p->store),
                       T(text_upto(time_print(c->arena, p->until), 10)));
        if (!text_eq(p->state, TEXT("done"))) {
            say(c->arena, ERR_CONFLICT, "the store %.*s has not followed yet", T(p->store));
            say_because(c->arena, p->why.en, p->why.fr);
            return ERR_CONFLICT;
        }
    }
    return say(c->arena, ERR_CONFLICT, "the stores are about to finish: try again in a moment");
}

static enum err check_map(struct ctx *c, struct connector_map *m)
{
    TRY(connector_map_read(c, m));
    if (!m->findings.first)
        return OK;
    struct connector_why fault = connector_fault(c, m);
    say(c->arena, ERR_CONFLICT, "the stores are not known");
    say_because(c->arena, fault.en, fault.fr);
    return ERR_CONFLICT;
}

enum err connector_settled(struct ctx *c, struct subject_id request, const struct subject_id *subject,
                           struct subject_id *erased, bool *has_erased)
{
    struct connector_map m;
    struct subject_id *ids = NEW_ARRAY(c->arena, struct subject_id, SHOWN);
    struct val whose = subject ? V_ID(*subject) : V_NULL;
    unsigned count = 0;
    TRY_PTR(ids);
    TRY(check_map(c, &m));
    TRY(list_ids(c, SQL_CONNECTOR_OF, ARGS(V_TEXT(c->tenant), V_ID(request), whose), ids, &count));
    for (unsigned i = 0; i < count; i++) {
        struct connector_job j;
        TRY(is_settled(c, ids[i], &j));
        if (erased && j.act == OUTSIDE_erase) {
            *erased = j.id;
            *has_erased = true;
        }
    }
    return OK;
}

enum err connector_asked(struct ctx *c, struct subject_id request, bool *asked)
{
    struct subject_id *ids = NEW_ARRAY(c->arena, struct subject_id, SHOWN);
    unsigned count = 0;
    TRY_PTR(ids);
    TRY(list_ids(c, SQL_CONNECTOR_OF, ARGS(V_TEXT(c->tenant), V_ID(request), V_NULL), ids, &count));
    *asked = count > 0;
    return OK;
}

enum err connector_reached(struct ctx *c, const struct person *p)
{
    struct connector_map m;
    text values;
    TRY(check_map(c, &m));
    if (m.stores)
        TRY(values_of(c, p, &m, &values));
    NODE_EACH(store, m.stores) {
        const struct json *answer;
        if (!connector_serves(c, store) || connector_by_hand(store))
            continue;
        /* But for tables the copy itself: that it is counted does not say that it is given, at once and whole. */
        text act = node_get(store, TEXT("tables")) ? TEXT("count") : TEXT("copy");
        TRY(connector_ask(c, store, act, values, NULL, &answer));
        struct connector_why why = connector_why_of(answer);
        if (text_eq(json_text(answer, TEXT("state")), TEXT("done")))
            continue;
        say(c->arena, ERR_CONFLICT, "the store %.*s cannot give its copy", T(store->key));
        say_because(c->arena, why.en, why.fr);
        return ERR_CONFLICT;
    }
    return OK;
}

/* ---- In the answer of all that is held. ---- */

enum err connector_copies(struct ctx *c, const struct person *p, struct json_out *w)
{
    struct connector_map m;
    text values = TEXT("");
    bool good = true;
    if (!c->outside) {
        json_put_raw(w, TEXT("[]"));
        return OK;
    }
    TRY(connector_map_read(c, &m));
    if (m.stores)
        TRY(values_of(c, p, &m, &values));
    return put_all_asked(c, &m, TEXT("copy"), values, w, &good);
}

const struct feature connector_feature = { .name = TEXT_INIT("connector"),
                                           .member = TEXT_INIT("stores"),
                                           .put = connector_copies,
                                           .tick = connector_tick,
                                           .outside = connector_outside,
                                           .outside_run = connector_outside_run,
                                           .outside_end = connector_outside_end,
                                           .certified = connector_certified,
                                           .unreached = connector_unreached };

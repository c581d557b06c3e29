/* Choices about trackers: each is proved by rows of its own, one a purpose, in one commit with its journal entry. */
#include "domain/tracker/tracker.h"
#include "domain/core/actor.h"
#include "domain/core/budget.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/person/account.h"
#include "domain/person/consent.h"
#include "domain/tracker/asking.h"
#include "policy/due.h"

enum { BODY_MAX = 1 << 18, DELETED_AT_ONCE = 2000 };

static const text given = TEXT_INIT("given"), refused = TEXT_INIT("refused"), withdrawn = TEXT_INIT("withdrawn");

struct choosing {
    struct ctx *c;
    struct tracker_asked asked;
    struct asking shown;
    struct subject_id id;
    text decisions[TRACKER_PURPOSES];
    text site, method, wording_kept;
    bool withdraws;
    struct digest device;
    msec due;
};

/* ---- What was sent. ---- */

static bool is_asked(const struct tracker_asked *asked, text purpose)
{
    for (unsigned i = 0; i < asked->count; i++)
        if (text_eq(asked->purposes[i]->name, purpose))
            return true;
    return false;
}

static enum err check_given(struct ctx *c, const struct choosing *s, const struct json *list)
{
    if (!list || list->kind != J_ARRAY)
        return say(c->arena, ERR_MISSING, "\"given\" lists the purposes that are accepted; [] refuses all");
    JSON_EACH(one, list)
        if (one->kind != J_TEXT || !is_asked(&s->asked, one->value))
            return say_clause(c->arena, ERR_UNDECLARED, s->asked.clause, "no tracker asks for purpose \"%.*s\"",
                              T(value_shown(one->kind == J_TEXT ? one->value : TEXT(""))));
    return OK;
}

/* A proof is of what was read: the version in force, in the words that are shown today. */
static enum err check_shown(struct ctx *c, const struct choosing *s, const struct json *in)
{
    if (text_eq(json_text(in, TEXT("version")), c->policy->version) &&
        text_eq(json_text(in, TEXT("wording")), text_of(s->shown.hash)))
        return OK;
    return say_clause(c->arena, ERR_CONFLICT, s->asked.clause,
                      "the choice is about another version of the policy, or was made in other words: ask again");
}

static enum err method_of(struct ctx *c, const struct json *in, text *out)
{
    static const text words[] = { TEXT_INIT("banner"), TEXT_INIT("page"), TEXT_INIT("signal"), TEXT_INIT("program") };
    *out = json_text(in, TEXT("method"));
    if (!out->n)
        *out = TEXT("program");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_eq(words[i], *out))
            return OK;
    return say(c->arena, ERR_VALUE, "\"method\" is banner, page, signal or program");
}

/* ---- What it is: given, refused, or withdrawn where the same device had given it. ---- */

static bool has_purpose(const struct json *list, text purpose)
{
    JSON_EACH(one, list)
        if (text_eq(one->value, purpose))
            return true;
    return false;
}

/* *known: such a device accepted something here. */
static enum err note_withdrawn(struct ctx *c, struct choosing *s, bool *known)
{
    READ_AUTO db = NULL;
    *known = false;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TRACKER_CHOICE_LAST, ARGS(V_TEXT(c->tenant), V_BYTES(TEXT_BYTES(s->device))));
    while (query_next(&q)) {
        *known = true;
        if (!text_eq(query_get(&q, TRACKER_CHOICE_LAST, decision), given))
            continue;
        for (unsigned i = 0; i < s->asked.count; i++)
            if (text_eq(s->asked.purposes[i]->name, query_get(&q, TRACKER_CHOICE_LAST, purpose)) &&
                text_eq(s->decisions[i], refused)) {
                s->decisions[i] = withdrawn;
                s->withdraws = true;
            }
    }
    return q.status;
}

/* The random value comes with an acceptance, stays while one stands, and is of no refusal. */
static enum err decide(struct ctx *c, struct choosing *s, const struct json *in, text *device)
{
    text sent = json_text(in, TEXT("device"));
    const struct json *list = json_get(in, TEXT("given"));
    bool accepts = false, known = false;
    for (unsigned i = 0; i < s->asked.count; i++) {
        bool yes = has_purpose(list, s->asked.purposes[i]->name);
        s->decisions[i] = yes ? given : refused;
        accepts |= yes;
    }
    *device = TEXT("");
    if (sent.n) {
        s->device = secret_digest(c, TEXT("tracker"), sent);
        TRY(note_withdrawn(c, s, &known));
    }
    if (accepts)
        *device = known ? sent : secret_make(c, TEXT("tracker"), &s->device);
    return OK;
}

/* ---- The commit. ---- */

static enum err run_choice(struct db *db, struct write *w)
{
    const struct choosing *s = w->arg;
    const struct ctx *c = s->c;
    TRY(db_run(db, SQL_WORDING_ADD, NULL, ARGS(V_TEXT(text_of(s->shown.hash)), V_TEXT(s->wording_kept))));
    for (unsigned i = 0; i < s->asked.count; i++)
        TRY(db_run(db, SQL_TRACKER_CHOICE_ADD, NULL,
                   ARGS(V_TEXT(c->tenant), V_ID(s->id), V_TEXT(s->asked.purposes[i]->name), V_TEXT(s->decisions[i]),
                        !text_eq(s->decisions[i], refused) ? V_BYTES(TEXT_BYTES(s->device)) : V_NULL, V_INT(c->now),
                        V_TEXT(c->policy->version), V_TEXT(text_of(s->shown.hash)), V_TEXT(c->language),
                        V_TEXT(s->site), V_TEXT(s->method), s->due ? V_INT(s->due) : V_NULL)));
    return OK;
}

static enum err write_choice(struct ctx *c, struct choosing *s, const struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 16);
    for (unsigned i = 0; i < s->asked.count; i++)
        buf_print(&b, "%s%.*s", i ? "," : "", T(s->asked.purposes[i]->name));
    struct write w = { .run = run_choice, .arg = s, .event = event_of(c, NULL, TEXT("tracker.chosen")) };
    TRY(buf_take(c->arena, &b, &w.event.purpose));
    w.event.clause = s->asked.clause->path;
    w.event.count = s->asked.count;
    return write_do(c, &w, out);
}

/* ---- The answer. ---- */

static enum err given_list(struct ctx *c, const struct choosing *s, text *out)
{
    BUF_AUTO b = buf_make(1 << 16);
    for (unsigned i = 0; i < s->asked.count; i++)
        if (text_eq(s->decisions[i], given))
            buf_print(&b, "%s%.*s", b.n ? "~" : "", T(s->asked.purposes[i]->name));
    return buf_take(c->arena, &b, out);
}

static enum err answer_choice(struct ctx *c, const struct choosing *s, text device, struct answer *out)
{
    BUF_AUTO b = buf_make(BODY_MAX);
    struct json_out w = json_out(&b);
    text list;
    msec since;
    TRY(asking_since(c, &s->asked, &since));
    TRY(given_list(c, s, &list));
    json_open(&w, '{');
    json_pair(&w, TEXT("choice"), id_print(c->arena, s->id));
    json_pair(&w, TEXT("at"), time_print(c->arena, c->now));
    json_name(&w, TEXT("decisions"));
    json_open(&w, '[');
    for (unsigned i = 0; i < s->asked.count; i++) {
        json_open(&w, '{');
        json_pair(&w, TEXT("purpose"), s->asked.purposes[i]->name);
        json_pair(&w, TEXT("decision"), s->decisions[i]);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_name(&w, TEXT("cookie"));
    json_open(&w, '{');
    json_pair(&w, TEXT("name"), s->asked.cookie);
    json_pair(&w, TEXT("value"), asking_value(c, since, list, device));
    json_pair_int(&w, TEXT("max_age"), asking_life(c, &s->asked));
    json_close(&w, '}');
    json_pair(&w, TEXT("device"), device.n ? device : (text){ NULL, 0 });
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* How long the proof is kept: `trackers.proof`, else as long as the choice. */
static msec due_of(const struct ctx *c, const struct tracker_asked *asked)
{
    struct term term = asked->term;
    if (!term_parse(node_text(node_get(c->policy->root, TEXT("trackers")), TEXT("proof")), &term))
        term = asked->term;
    return due_after(c->now, term);
}

static enum err make_choice(struct ctx *c, const struct json *in, struct choosing *s, text *device)
{
    TRY(check_shown(c, s, in));
    TRY(check_given(c, s, json_get(in, TEXT("given"))));
    TRY(method_of(c, in, &s->method));
    TRY(decide(c, s, in, device));
    s->id = id_make(c->now);
    s->due = due_of(c, &s->asked);
    return written_seal(ctx_store(c), c->arena, TEXT(""), TEXT("wording"), s->shown.shown, &s->wording_kept);
}

enum err tracker_choose(struct ctx *c, const struct json *in, text site, struct answer *out)
{
    struct choosing s = { .c = c, .site = site };
    text device;
    tracker_asked(c, &s.asked);
    if (!s.asked.count)
        return say_clause(c->arena, ERR_NOT_FOUND, s.asked.clause,
                          "every tracker is exempt: there is nothing to choose");
    c->actor = (struct actor){ .kind = ACTOR_PERSON, .index = PERSON, .name = c->policy->actors[PERSON].name };
    TRY(asking_shown(c, &s.asked, &s.shown));
    TRY(make_choice(c, in, &s, &device));
    if (!s.withdraws)
        TRY(budget_take(c, BUDGET_tracker_choices, c->address));
    TRY(answer_choice(c, &s, device, out));
    return write_choice(c, &s, out);
}

/* ---- In the account as well, when its person says so. ---- */

static void put_decision(struct ctx *c, const struct json *one, text evidence, struct json_out *w)
{
    int index = policy_purpose(c->policy, json_text(one, TEXT("purpose")));
    const struct purpose *of = index >= 0 ? &c->policy->purposes[index] : NULL;
    if (!of || of->basis != BASIS_CONSENT || of->channel_count)
        return;
    json_open(w, '{');
    json_pair(w, TEXT("purpose"), of->name);
    json_pair(w, TEXT("decision"), text_eq(json_text(one, TEXT("decision")), given) ? given : refused);
    json_pair(w, TEXT("method"), TEXT("button"));
    json_pair(w, TEXT("wording"), doc_purpose(c, of));
    json_pair(w, TEXT("evidence"), evidence);
    json_close(w, '}');
}

enum err tracker_take_over(struct ctx *c, const struct json *choice, struct answer *out)
{
    BUF_AUTO b = buf_make(BODY_MAX);
    struct json_out w = json_out(&b);
    const struct json *list;
    text evidence = arena_print(c->arena, "choice about trackers %.*s, taken over from a device",
                                T(json_text(choice, TEXT("choice"))));
    json_open(&w, '[');
    JSON_EACH(one, json_get(choice, TEXT("decisions")))
        put_decision(c, one, evidence, &w);
    json_close(&w, ']');
    TRY(json_parse_buf(c->arena, &b, &list));
    session_as_person(c);
    return list->count ? consent_record(c, session_self(c), list, out) : OK;
}

/* ---- The proofs. ---- */

static enum err place_parse(text after, struct subject_id *id, text *purpose)
{
    text rest = after, head = text_cut(&rest, '.');
    *id = (struct subject_id){ { 0 } };
    *purpose = rest.p ? rest : TEXT("");
    return !after.n || (id_parse(head, id) && rest.p) ? OK : ERR_VALUE;
}

static void put_row(struct ctx *c, struct query *q, struct json_out *w)
{
    json_open(w, '{');
    json_pair(w, TEXT("choice"), id_column(c->arena, q, COL(TRACKER_CHOICE_LIST, id)));
    json_pair(w, TEXT("purpose"), query_get(q, TRACKER_CHOICE_LIST, purpose));
    json_pair(w, TEXT("decision"), query_get(q, TRACKER_CHOICE_LIST, decision));
    json_pair_bool(w, TEXT("identified"), query_get(q, TRACKER_CHOICE_LIST, held) != 0);
    json_pair(w, TEXT("at"), time_print(c->arena, query_get(q, TRACKER_CHOICE_LIST, at)));
    json_pair(w, TEXT("policy"), query_get(q, TRACKER_CHOICE_LIST, policy));
    json_pair(w, TEXT("wording"), query_get(q, TRACKER_CHOICE_LIST, wording));
    json_pair(w, TEXT("language"), query_get(q, TRACKER_CHOICE_LIST, language));
    json_pair(w, TEXT("site"), query_get(q, TRACKER_CHOICE_LIST, site));
    json_pair(w, TEXT("method"), query_get(q, TRACKER_CHOICE_LIST, method));
    json_close(w, '}');
}

enum err tracker_choices(struct ctx *c, const struct paging *asked, struct answer *out)
{
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    struct subject_id from;
    text purpose, last = TEXT("");
    int64_t rows = 0;
    bool more = false;
    if (place_parse(asked->after, &from, &purpose) != OK)
        return paging_unknown(c);
    json_open(&w, '{');
    json_name(&w, TEXT("choices"));
    json_open(&w, '[');
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_TRACKER_CHOICE_LIST,
                    ARGS(V_TEXT(c->tenant), V_ID(from), V_TEXT(purpose), V_INT(asked->limit + 1)));
        while (paging_row(asked, &q, &rows, &more)) {
            put_row(c, &q, &w);
            last = arena_print(c->arena, "%.*s.%.*s", T(id_column(c->arena, &q, COL(TRACKER_CHOICE_LIST, id))),
                               T(query_get(&q, TRACKER_CHOICE_LIST, purpose)));
        }
        TRY(q.status);
    }
    json_close(&w, ']');
    TRY(paging_end(c, more, last, &w, out));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- What is over. ---- */

static enum err run_over(struct db *db, struct write *w)
{
    const msec *now = w->arg;
    return db_run(db, SQL_TRACKER_CHOICE_OVER, &w->event.count, ARGS(V_INT(*now), V_INT(DELETED_AT_ONCE)));
}

static enum err any_over(struct ctx *c, msec now, bool *any)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TRACKER_CHOICE_IS_OVER, ARGS(V_INT(now)));
    *any = query_next(&q);
    return q.status;
}

static enum err end_over(struct ctx *c)
{
    msec now = c->now;
    for (;;) {
        bool any;
        TRY(any_over(c, now, &any));
        if (!any)
            return OK;
        struct write w = { .run = run_over, .arg = &now, .event = event_of(c, NULL, TEXT("tracker.over")) };
        TRY(write_do(c, &w, NULL));
    }
}

const struct feature tracker_feature = { .name = TEXT_INIT("tracker"), .tick = end_over };

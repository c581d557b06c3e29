/* Versions of the policy: announced before their day, acknowledged, and that a notice was shown. */
#include "domain/person/look_at.h"
#include "domain/version/acknowledge.h"
#include "domain/person/person.h"
#include "policy/lint/lint_help.h"
#include "domain/version/find.h"
#include "domain/version/merger.h"
#include "domain/version/publish.h"
#include "domain/core/paging.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "policy/lint/lint.h"

enum err version_in_force(struct app *app, struct arena *a, text *yaml, text *name)
{
    *name = (text){ NULL, 0 };
    *yaml = *name;
    READ_AUTO db = NULL;
    TRY(store_read(app->store, a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_VERSION_LAST, NULL, 0);
    if (!query_next(&q))
        return q.status;
    *yaml = arena_copy(a, query_get(&q, POLICY_VERSION_LAST, text));
    *name = arena_print(a, "%.*s %.*s", T(query_get(&q, POLICY_VERSION_LAST, id)),
                        T(query_get(&q, POLICY_VERSION_LAST, version)));
    return yaml->p && name->p ? OK : ERR_MEMORY;
}

enum err version_ahead(struct app *app, struct arena *a, const struct policy *p, bool *ahead)
{
    bool known;
    text hash, last;
    TRY(version_last(app, a, p, &known, &hash, &last));
    /* Once in force it stays so, also when the clock is set back before its day. */
    *ahead = hash.n && !text_eq(hash, text_of(p->hash)) && value_policy_start(p, p->date) > clock_now(&app->clock);
    return *ahead || !hash.n || text_eq(hash, text_of(p->hash)) ? OK : merger_waits(app, a, p, hash, ahead);
}

enum err version_warn(struct app *app, struct arena *a, const struct policy *p, struct findings *f)
{
    bool known;
    text hash, last;
    struct date earliest;
    struct diff changes = { 0 };
    struct findings faults = { 0 };
    const struct node *before = NULL, *date = node_at(p->root, TEXT("policy.date"));
    TRY(version_last(app, a, p, &known, &hash, &last));
    if (!last.p || text_eq(hash, text_of(p->hash)) || !date ||
        !lint_too_soon(p->root, value_policy_day(p, clock_now(&app->clock)), &earliest))
        return OK;
    if (node_read(a, last, &faults, &before) == OK)
        TRY(diff_make(a, before, p->root, TEXT("en"), &changes));
    if (changes.material)
        finding_add(
            a, f, SEVERITY_WARNING, date->at, date->path,
            "\"%.*s\" is sooner than changes.before (%.*s) allows: people were promised to be told of %u changes, %04d-%02d-%02d at the earliest",
            T(date->value), T(node_text(node_at(p->root, TEXT("changes")), TEXT("before"))), changes.material,
            earliest.year, earliest.month, earliest.day);
    return OK;
}

/* Whether that very version is announced, for the day that it says. */
static enum err announced(struct app *app, struct arena *a, const struct policy *p, bool *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(app->store, a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_DAY_OPEN, ARGS(V_TEXT(text_of(p->hash))));
    *out = query_next(&q) && (query_get(&q, POLICY_DAY_OPEN, starts) == value_policy_start(p, p->date) ||
                              query_get(&q, POLICY_DAY_OPEN, starts) == date_start(p->date)); /* before: of UTC */
    return q.status;
}

/* What changes from the one in force, and whether the law lets it run, on its day. */
enum err version_prepare(struct app *app, struct arena *a, struct publishing *r, text last)
{
    const struct node *before = NULL;
    struct findings f = { 0 };
    struct lint_findings found;
    struct date today = value_policy_day(r->p, r->now), day = r->p->date;
    if (last.p && node_read(a, last, &f, &before) == OK)
        TRY(diff_make(a, before, r->p->root, TEXT("en"), &r->changes));
    TRY(merger_gate(app, a, r, before));
    enum err lawful = lint_gate(a, r->p, before, date_start(day) > date_start(today) ? day : today, &found);
    if (lawful != OK && (app->lawful || lawful != ERR_POLICY))
        return lawful;
    TRY(version_note_accepted(a, &found, r));
    return version_compile(a, r->p, &r->compiled);
}

enum err version_write(struct app *app, struct arena *a, struct publishing *r, const char *act, bool first)
{
    struct write w = { .run = version_run_publish,
                       .arg = r,
                       .event = { .act = text_of(act),
                                  .tenant = r->p->tenants[0],
                                  .actor = TEXT("operator"),
                                  .policy = r->p->hash,
                                  .clause = TEXT("policy"),
                                  .count = first ? -1 : (int64_t)r->changes.material } };
    return store_write(app->store, a, &w);
}

enum err version_announce(struct app *app, struct arena *a, const struct policy *p)
{
    struct publishing r = { .p = p, .now = clock_now(&app->clock), .announce = true };
    bool already;
    text last;
    TRY(announced(app, a, p, &already));
    if (already)
        return OK;
    TRY(version_last(app, a, p, &r.known, &r.older, &last));
    TRY(version_prepare(app, a, &r, last));
    return version_write(app, a, &r, "policy.announced", false);
}

text version_word(const struct version *v)
{
    static const text words[] = { [VERSION_ENTERED] = TEXT_INIT("former"),
                                  [VERSION_ANNOUNCED] = TEXT_INIT("announced"),
                                  [VERSION_WITHDRAWN] = TEXT_INIT("withdrawn") };
    return v->current ? TEXT("in_force") : words[v->state];
}

/* ---- Acknowledgements. ---- */

struct acknowledging {
    struct ctx *c;
    struct subject_id subject;
    bool person;
    text hash, party, by;
};

static enum err run_acknowledge(struct db *db, struct write *w)
{
    const struct acknowledging *k = w->arg;
    return db_run(db, SQL_ACKNOWLEDGEMENT_ADD, NULL,
                  ARGS(V_TEXT(k->c->tenant), V_ID(k->subject), V_TEXT(k->hash), V_TEXT(k->party), V_TEXT(k->by),
                       V_INT(k->c->now)));
}

/* A version by its hash, or by its number when one only has it; the one in force when none is named. */
static enum err find_version(struct ctx *c, text named, text *hash)
{
    struct version *all;
    unsigned count, found = 0;
    *hash = arena_copy(c->arena, text_of(c->policy->hash));
    if (!named.n)
        return OK;
    TRY(version_list(c, &all, &count));
    for (unsigned i = 0; i < count; i++)
        if (text_eq(all[i].hash, named) || text_eq(all[i].version, named)) {
            /* Files that share a number: the one in force, or else the newest. */
            *hash = !found || all[i].current ? all[i].hash : *hash;
            found++;
        }
    return found ? OK : say(c->arena, ERR_NOT_FOUND, "this instance published no such version of the policy");
}

/* Who records what people decide, and the operator, may note it for any party; whom the policy asks for it, for
 * themselves alone. */
static enum err own_party(struct ctx *c, text *party)
{
    const struct node *named = node_at(c->policy->root, TEXT("changes.acknowledged_by"));
    const struct actor_class *class = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    const struct clause *clause = policy_clause(c->policy, TEXT("changes.acknowledged_by"));
    if (c->actor.kind == ACTOR_OPERATOR || (class && class->acts >> ACT_CONSENT & 1))
        return OK;
    if (!node_has(named, TEXT("everyone")) && !node_has(named, c->actor.name))
        return say_clause(c->arena, ERR_FORBIDDEN, clause ? clause : &c->policy->rights_clause,
                          "the policy asks for no acknowledgement of \"%.*s\", who does not record decisions either",
                          T(c->actor.name));
    if (party->n && !text_eq(*party, c->actor.token))
        return say_clause(c->arena, ERR_FORBIDDEN, clause, "\"%.*s\" acknowledges for itself only", T(c->actor.name));
    *party = c->actor.token;
    return OK;
}

static enum err read_party(struct ctx *c, const struct json *in, struct acknowledging *k, struct person *p)
{
    JSON_EACH(member, in)
        if (!text_eq(member->key, TEXT("version")) && !text_eq(member->key, TEXT("party")) &&
            !text_eq(member->key, TEXT("subject")))
            return say(c->arena, ERR_USAGE, "an acknowledgement has the members version, party and subject");
    text said = json_text(in, TEXT("subject"));
    bool named = json_get(in, TEXT("party")) || (said.p && !text_eq(said, session_self(c)));
    k->by = c->actor.name; /* whoever is signed in says in which role */
    if (c->session && !named)
        session_as_person(c);
    bool oneself = c->actor.kind == ACTOR_PERSON; /* a signed-in person speaks for nobody else */
    text subject = oneself && !json_get(in, TEXT("subject")) ? session_self(c) : json_text(in, TEXT("subject"));
    k->party = oneself ? (text){ NULL, 0 } : json_text(in, TEXT("party"));
    if (oneself || json_get(in, TEXT("subject"))) {
        TRY(person_open(c, subject, false, p));
        TRY(person_allow_act(c, p, ACT_CONSENT));
        k->subject = p->id;
        k->person = true;
    }
    if (!k->person && own_party(c, &k->party) != OK)
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    if (!k->person && !k->party.n)
        return say(c->arena, ERR_MISSING, "an acknowledgement names a party, or the person as subject");
    if (k->party.n && !text_eq(value_shown(k->party), k->party))
        return say(c->arena, ERR_VALUE, "a party's name has at most 64 lower-case letters, digits, '.' and '_'");
    k->party = k->party.n ? k->party : TEXT("");
    return find_version(c, json_text(in, TEXT("version")), &k->hash);
}

enum err version_acknowledge(struct ctx *c, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct acknowledging k = { .c = c };
    TRY(read_party(c, in, &k, &p));
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("hash"), k.hash);
    json_pair(&w, TEXT("at"), time_print(c->arena, c->now));
    json_close(&w, '}');
    TRY(buf_take(c->arena, &b, &out->body));
    struct write write = { .run = run_acknowledge,
                           .arg = &k,
                           .event = event_of(c, k.person ? &p : NULL, TEXT("policy.acknowledged")) };
    write.event.clause = TEXT("changes.acknowledged_by");
    return write_do(c, &write, out);
}

enum err version_read(struct ctx *c, text hash, struct answer *out)
{
    const struct json *in;
    if (!version_is_hash(hash))
        return say(c->arena, ERR_VALUE, "\"version\" is no hash of a version");
    TRY(json_parse(c->arena,
                   arena_print(c->arena, "{\"version\":\"%.*s\",\"subject\":\"%.*s\"}", T(hash), T(session_self(c))),
                   &in));
    return version_acknowledge(c, in, out);
}

enum err version_read_at(struct ctx *c, text hash, msec *at)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ACKNOWLEDGEMENT_OF, ARGS(V_TEXT(c->tenant), V_ID(c->actor.self), V_TEXT(hash)));
    *at = query_next(&q) ? query_get(&q, ACKNOWLEDGEMENT_OF, at) : 0;
    return q.status;
}

struct awaiting {
    struct ctx *c;
    struct look_list *l;
    struct json_out *w;
    text hash;
    int64_t limit, count;
};

/* As many are named as a page has rows; all are counted. */
static void put_one_awaited(struct awaiting *a, text name)
{
    if (a->count++ < a->limit)
        json_put_text(a->w, name);
}

static enum err put_awaited_tokens(struct awaiting *a, const struct node *named)
{
    struct ctx *c = a->c;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ACKNOWLEDGEMENT_AWAITED, ARGS(V_TEXT(c->tenant), V_TEXT(a->hash), V_INT(c->now)));
    while (query_next(&q))
        if (node_has(named, query_get(&q, ACKNOWLEDGEMENT_AWAITED, actor)))
            put_one_awaited(a, query_get(&q, ACKNOWLEDGEMENT_AWAITED, name));
    return q.status;
}

/* Accounts in that role, or all for "everyone"; of a role that sees its team, its team's. */
static enum err put_awaited_accounts(struct awaiting *a, text role)
{
    struct ctx *c = a->c;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(
        &q, db, SQL_ACKNOWLEDGEMENT_AWAITED_OF,
        ARGS(V_TEXT(c->tenant), V_TEXT(a->hash), V_TEXT(role), V_INT(person_sees_team(c)), V_ID(c->actor.self)));
    while (query_next(&q)) {
        struct subject_id id = { { 0 } };
        text bytes = query_get(&q, ACKNOWLEDGEMENT_AWAITED_OF, subject);
        memcpy(&id, bytes.p, bytes.n < sizeof id ? bytes.n : sizeof id);
        if (a->count < a->limit)
            TRY(look_saw(c, a->l, id));
        put_one_awaited(a, id_print(c->arena, id));
    }
    return q.status;
}

/* Tokens by their names and accounts by their ids whose acknowledgement of that version the policy asks for and that
 * have not given it. */
static enum err put_awaited(struct ctx *c, struct look_list *l, struct json_out *w, text hash)
{
    const struct node *named = node_at(c->policy->root, TEXT("changes.acknowledged_by"));
    struct awaiting a = { .c = c, .l = l, .w = w, .hash = hash, .limit = l->asked->limit };
    json_name(w, TEXT("awaited"));
    json_open(w, '[');
    TRY(put_awaited_tokens(&a, named));
    if (node_has(named, TEXT("everyone")))
        TRY(put_awaited_accounts(&a, TEXT("everyone")));
    else
        NODE_EACH(role, named)
            TRY(put_awaited_accounts(&a, role->value));
    json_close(w, ']');
    json_pair_int(w, TEXT("awaited_count"), a.count);
    return OK;
}

/* Where a page begins: "at.subject.hash.party" of the row before it. */
struct acknowledged {
    int64_t at;
    struct subject_id subject;
    text hash, party;
};

static bool acknowledged_parse(text after, struct acknowledged *out)
{
    *out = (struct acknowledged){ .at = -1, .hash = TEXT(""), .party = TEXT("") };
    if (!after.n)
        return true;
    bool good = paging_number(&after, &out->at) && id_parse(text_cut(&after, '.'), &out->subject);
    out->hash = text_cut(&after, '.');
    out->party = after.p ? after : TEXT("");
    return good && out->hash.p;
}

struct listing {
    text version, hash;
    struct acknowledged from;
};

static enum err may_list(struct ctx *c, struct look_list *l)
{
    struct listing *of = l->arg;
    l->count = 0;
    TRY(person_may(c, NULL, ACT_CONSENT));
    of->hash = TEXT("");
    return of->version.n ? find_version(c, of->version, &of->hash) : OK;
}

static void put_acknowledged(struct ctx *c, struct query *q, struct subject_id id, struct json_out *w)
{
    static const struct subject_id nobody;
    json_open(w, '{');
    if (memcmp(&id, &nobody, sizeof id) != 0)
        json_pair(w, TEXT("subject"), id_print(c->arena, id));
    if (query_get(q, ACKNOWLEDGEMENT_LIST, party).n)
        json_pair(w, TEXT("party"), query_get(q, ACKNOWLEDGEMENT_LIST, party));
    json_pair(w, TEXT("hash"), query_get(q, ACKNOWLEDGEMENT_LIST, hash));
    json_pair(w, TEXT("version"), query_get(q, ACKNOWLEDGEMENT_LIST, version));
    json_pair(w, TEXT("by"), query_get(q, ACKNOWLEDGEMENT_LIST, actor));
    json_pair(w, TEXT("at"), time_print(c->arena, query_get(q, ACKNOWLEDGEMENT_LIST, at)));
    json_close(w, '}');
}

static enum err put_page(struct ctx *c, struct look_list *l, struct json_out *w, bool *more, text *place)
{
    static const struct subject_id nobody;
    const struct listing *of = l->arg;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ACKNOWLEDGEMENT_LIST,
                ARGS(V_TEXT(c->tenant), V_TEXT(of->hash), V_INT(person_sees_team(c)), V_ID(c->actor.self),
                     V_INT(of->from.at), V_TEXT(of->from.party), V_ID(of->from.subject), V_TEXT(of->from.hash),
                     V_INT(l->asked->limit + 1), V_ID(nobody)));
    while (paging_row(l->asked, &q, &l->count, more)) {
        struct subject_id id = { { 0 } };
        text bytes = query_get(&q, ACKNOWLEDGEMENT_LIST, subject);
        memcpy(&id, bytes.p, bytes.n < sizeof id ? bytes.n : sizeof id);
        put_acknowledged(c, &q, id, w);
        TRY(look_saw_row(c, l, &q, COL(ACKNOWLEDGEMENT_LIST, subject)));
        if (l->count == l->asked->limit)
            *place = arena_print(c->arena, "%lld.%.*s.%.*s.%.*s", (long long)query_get(&q, ACKNOWLEDGEMENT_LIST, at),
                                 T(id_print(c->arena, id)), T(query_get(&q, ACKNOWLEDGEMENT_LIST, hash)),
                                 T(query_get(&q, ACKNOWLEDGEMENT_LIST, party)));
    }
    return q.status;
}

static enum err show_page(struct ctx *c, struct look_list *l, struct json_out *w)
{
    const struct listing *of = l->arg;
    bool more;
    text place = { NULL, 0 };
    json_name(w, TEXT("acknowledgements"));
    json_open(w, '[');
    TRY(put_page(c, l, w, &more, &place));
    json_close(w, ']');
    TRY(paging_end(c, more, place, w, &l->out));
    return put_awaited(c, l, w, of->hash.n ? of->hash : text_of(c->policy->hash));
}

enum err version_acknowledgements(struct ctx *c, text version, const struct paging *asked, struct answer *out)
{
    struct listing of = { .version = version };
    struct look_list l = { .act = TEXT("acknowledgement.list"),
                           .each = TEXT("acknowledgement.listed"),
                           .may = may_list,
                           .show = show_page,
                           .asked = asked,
                           .arg = &of };
    if (!acknowledged_parse(asked->after, &of.from))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}

/* ---- That the notice was shown. ---- */

static enum err notice_shown(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    text hash;
    JSON_EACH(member, in)
        if (!text_eq(member->key, TEXT("event")) && !text_eq(member->key, TEXT("version")))
            return say(c->arena, ERR_USAGE, "that the notice was shown has the members event and version");
    TRY(person_open(c, id, false, &p));
    TRY(person_may_write(c, &p));
    TRY(find_version(c, json_text(in, TEXT("version")), &hash));
    char shown[65];
    struct write w = { .event = event_of(c, &p, TEXT("notice.shown")) };
    text_cstr(hash, shown, sizeof shown);
    w.event.policy = shown;
    w.event.clause = TEXT("policy");
    return write_do(c, &w, out);
}

const struct feature acknowledge_feature = {
    .name = TEXT_INIT("version"),
    .event = TEXT_INIT("notice_shown"),
    .happened = notice_shown,
};

/* Versions of the policy: publishing, reading them again, acknowledgements, and that a notice was shown. */
#include "domain/version.h"
#include "domain/paging.h"
#include "domain/session.h"
#include "domain/inside.h"
#include "domain/telling.h"
#include "domain/value.h"
#include "domain/write.h"
#include "policy/lint.h"

/* ---- Publishing. ---- */

struct publishing {
    const struct policy *p;
    text older, compiled;                        /* older: hash of the version in force until now, p NULL at the first */
    bool known, announce;
    msec now;
    struct diff changes;
    struct event *accepted;
    unsigned accepted_count;
};

static enum err run_store(struct db *db, const struct publishing *r)
{
    char date[11];
    ARENA_AUTO a = arena_make(256);
    text_cstr(date_print(&a, r->p->date), date, sizeof date);
    if (r->known)
        return OK;
    TRY(db_run(db, SQL_POLICY_VERSION_ADD, NULL, ARGS(V_TEXT(text_of(r->p->hash)), V_TEXT(r->p->id), V_TEXT(r->p->version), V_TEXT(text_of(date)),
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
            text_cstr(query_bytes(&q, 0), hash, sizeof hash);
        }
        const struct event event = { .act = TEXT("policy.withdrawn"), .tenant = r->p->tenants[0], .actor = TEXT("operator"), .policy = hash,
                                     .clause = TEXT("policy.date"), .count = -1 };
        TRY(db_run(db, SQL_POLICY_DAY_WITHDRAW, NULL, ARGS(V_TEXT(text_of(hash)), V_INT(r->now))));
        TRY(telling_run_recall(db, text_of(hash)));
        TRY(journal_add(db, &event, NULL));
    }
}

static enum err run_announce(struct db *db, const struct publishing *r)
{
    TRY(run_store(db, r));
    TRY(run_withdraw(db, r));
    TRY(db_run(db, SQL_POLICY_DAY_PUT, NULL, ARGS(V_TEXT(text_of(r->p->hash)), V_INT(r->now), V_INT(value_policy_start(r->p, r->p->date)))));
    return r->changes.material && telling_wanted(r->p) ? telling_run_begin(db, text_of(r->p->hash), r->older, r->now) : OK;
}

static enum err run_publish(struct db *db, struct write *w)
{
    const struct publishing *r = w->arg;
    if (r->announce)
        return run_announce(db, r);
    TRY(run_store(db, r));
    TRY(run_withdraw(db, r));
    TRY(db_run(db, SQL_POLICY_DAY_ENTER, NULL, ARGS(V_TEXT(text_of(r->p->hash)), V_INT(r->now))));
    TRY(db_run(db, SQL_META_PUT, NULL, ARGS(V_TEXT(TEXT("policy")), V_TEXT(text_of(r->p->hash)))));
    for (const struct diff_item *item = r->changes.first; item; item = item->next)
        if (item->again)
            TRY(db_run(db, SQL_RENEWAL_ADD, NULL, ARGS(V_TEXT(item->purpose), V_INT(r->now), V_TEXT(text_of(r->p->hash)))));
    for (unsigned i = 0; i < r->accepted_count; i++)
        TRY(journal_add(db, &r->accepted[i], NULL));
    return r->changes.material && telling_wanted(r->p) ? telling_run_begin(db, text_of(r->p->hash), r->older, r->now) : OK;
}

/* What the policy does all the same, against a rule of law: an entry a rule, under the clause that gives the reason. The policy's hash,
 * which every entry has, fixes that reason's words. */
static enum err note_accepted(struct arena *a, const struct lint_findings *found, struct publishing *r)
{
    const struct lint_rule *last = NULL;
    TRY_PTR(r->accepted = NEW_ARRAY(a, struct event, found->accepted ? found->accepted : 1));
    for (const struct lint_finding *f = found->first; f; f = f->next) {
        if (!f->accepted || f->rule == last)              /* findings stand in the order of the rules */
            continue;
        last = f->rule;
        text clause = arena_print(a, "accept.%.*s", T(f->rule->id));
        TRY_PTR(clause.p);
        r->accepted[r->accepted_count++] = (struct event){ .act = TEXT("policy.accepted"), .tenant = r->p->tenants[0], .actor = TEXT("operator"),
                                                           .policy = r->p->hash, .clause = clause, .count = -1 };
    }
    return OK;
}

/* Whether the instance knows the policy, and the hash and text of the one in force; p NULL when there is none yet. */
static enum err last_version(struct app *app, struct arena *a, const struct policy *p, bool *known, text *hash, text *last)
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
    *hash = *last = (text){ NULL, 0 };
    if (query_next(&q))
        *hash = arena_copy(a, query_bytes(&q, 0)), *last = arena_copy(a, query_bytes(&q, 1));
    return q.status;
}

enum err version_in_force(struct app *app, struct arena *a, text *yaml, text *name)
{
    *yaml = *name = (text){ NULL, 0 };
    READ_AUTO db = NULL;
    TRY(store_read(app->store, a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_VERSION_LAST, NULL, 0);
    if (!query_next(&q))
        return q.status;
    *yaml = arena_copy(a, query_bytes(&q, 1));
    *name = arena_print(a, "%.*s %.*s", T(query_bytes(&q, 2)), T(query_bytes(&q, 3)));
    return yaml->p && name->p ? OK : ERR_MEMORY;
}

enum err version_ahead(struct app *app, struct arena *a, const struct policy *p, bool *ahead)
{
    bool known;
    text hash, last;
    TRY(last_version(app, a, p, &known, &hash, &last));
    /* Once in force it stays so, also when the clock is set back before its day. */
    *ahead = hash.n && !text_eq(hash, text_of(p->hash)) && value_policy_start(p, p->date) > clock_now(&app->clock);
    return OK;
}

static enum err compile(struct arena *a, const struct policy *p, text *out)
{
    BUF_AUTO b = buf_make(16 << 20);
    struct json_out w = json_out(&b);
    node_json(&w, p->root);
    return buf_take(a, &b, out);
}

enum err version_warn(struct app *app, struct arena *a, const struct policy *p, struct findings *f)
{
    bool known;
    text hash, last;
    struct date earliest;
    struct diff changes = { 0 };
    struct findings faults = { 0 };
    const struct node *before = NULL, *date = node_at(p->root, TEXT("policy.date"));
    TRY(last_version(app, a, p, &known, &hash, &last));
    if (!last.p || text_eq(hash, text_of(p->hash)) || !date || !lint_too_soon(p->root, value_policy_day(p, clock_now(&app->clock)), &earliest))
        return OK;
    if (node_read(a, last, &faults, &before) == OK)
        TRY(diff_make(a, before, p->root, TEXT("en"), &changes));
    if (changes.material)
        finding_add(a, f, SEVERITY_WARNING, date->at, date->path,
                    "\"%.*s\" is sooner than changes.before (%.*s) allows: people were promised to be told of %u changes, %04d-%02d-%02d at the earliest",
                    T(date->value), T(node_text(node_at(p->root, TEXT("changes")), TEXT("before"))), changes.material, earliest.year, earliest.month,
                    earliest.day);
    return OK;
}

/* Whether that very version is announced, for the day that it says. */
static enum err announced(struct app *app, struct arena *a, const struct policy *p, bool *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(app->store, a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_DAY_OPEN, ARGS(V_TEXT(text_of(p->hash))));
    *out = query_next(&q) && (query_int(&q, 0) == value_policy_start(p, p->date) || query_int(&q, 0) == date_start(p->date));   /* before: of UTC */
    return q.status;
}

/* The hash of another version that is announced; "" without one. */
static enum err other_announced(struct app *app, struct arena *a, const struct policy *p, char out[65])
{
    READ_AUTO db = NULL;
    TRY(store_read(app->store, a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_DAY_OTHER, ARGS(V_TEXT(text_of(p->hash))));
    text_cstr(query_next(&q) ? query_bytes(&q, 0) : TEXT(""), out, 65);
    return q.status;
}

/* What changes from the one in force, and whether the law lets it run, on its day. */
static enum err prepare(struct app *app, struct arena *a, struct publishing *r, text last)
{
    const struct node *before = NULL;
    struct findings f = { 0 };
    struct lint_findings found;
    struct date today = value_policy_day(r->p, r->now), day = r->p->date;
    if (last.p && node_read(a, last, &f, &before) == OK)
        TRY(diff_make(a, before, r->p->root, TEXT("en"), &r->changes));
    enum err lawful = lint_gate(a, r->p, before, date_start(day) > date_start(today) ? day : today, &found);
    if (lawful != OK && (app->lawful || lawful != ERR_POLICY))
        return lawful;
    TRY(note_accepted(a, &found, r));
    return compile(a, r->p, &r->compiled);
}

static enum err write_version(struct app *app, struct arena *a, struct publishing *r, const char *act, bool first)
{
    struct write w = { .run = run_publish, .arg = r,
                       .event = { .act = text_of(act), .tenant = r->p->tenants[0], .actor = TEXT("operator"), .policy = r->p->hash,
                                  .clause = TEXT("policy"), .count = first ? -1 : (int64_t)r->changes.material } };
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
    TRY(last_version(app, a, p, &r.known, &r.older, &last));
    TRY(prepare(app, a, &r, last));
    return write_version(app, a, &r, "policy.announced", false);
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
    struct write w = { .run = run_stays, .arg = &r->now, .event = { .act = TEXT("policy.withdrawn"), .tenant = r->p->tenants[0],
                       .actor = TEXT("operator"), .policy = other, .clause = TEXT("policy.date"), .count = -1 } };
    return store_write(app->store, a, &w);
}

/* A version comes into force with its journal entry, once: the same file started again says nothing new. */
enum err version_publish(struct app *app, struct arena *a, const struct policy *p)
{
    text last;
    struct publishing r = { .p = p, .now = clock_now(&app->clock) };
    TRY(last_version(app, a, p, &r.known, &r.older, &last));
    if (r.known && text_eq(r.older, text_of(p->hash)))
        return stays(app, a, &r);
    TRY(prepare(app, a, &r, last));
    return write_version(app, a, &r, "policy.published", !last.p);
}

/* ---- Reading them again. ---- */

static void read_row(struct ctx *c, struct query *q, struct version *out)
{
    *out = (struct version){ .hash = arena_copy(c->arena, query_bytes(q, 0)), .id = arena_copy(c->arena, query_bytes(q, 1)),
                             .version = arena_copy(c->arena, query_bytes(q, 2)), .date = arena_copy(c->arena, query_bytes(q, 3)),
                             .at = query_int(q, 4), .acknowledged = query_int(q, 5) };
    out->current = text_eq(out->hash, text_of(c->policy->hash));
    out->state = out->current ? VERSION_ENTERED : (enum version_state)query_int(q, 6);
}

enum err version_list(struct ctx *c, struct version **out, unsigned *count)
{
    unsigned room = 0;
    *out = NULL, *count = 0;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_VERSION_LIST, ARGS(V_TEXT(c->tenant)));
    while (query_next(&q)) {
        if (*count == room) {
            struct version *old = *out;
            TRY_PTR(*out = NEW_ARRAY(c->arena, struct version, room = room ? room * 2 : 16));
            if (old)
                memcpy(*out, old, *count * sizeof **out);
        }
        read_row(c, &q, &(*out)[(*count)++]);
    }
    return q.status;
}

text version_word(const struct version *v)
{
    static const text words[] = { [VERSION_ENTERED] = TEXT_INIT("former"), [VERSION_ANNOUNCED] = TEXT_INIT("announced"),
                                  [VERSION_WITHDRAWN] = TEXT_INIT("withdrawn") };
    return v->current ? TEXT("in_force") : words[v->state];
}

static bool is_hash(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return s.n == 64;
}

enum err version_open(struct ctx *c, text hash, struct version *out)
{
    bool found = false;
    if (is_hash(hash)) {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_POLICY_VERSION_GET, ARGS(V_TEXT(c->tenant), V_TEXT(hash)));
        if ((found = query_next(&q))) {
            read_row(c, &q, out);
            out->source = arena_copy(c->arena, query_bytes(&q, 7));
        }
        TRY(q.status);
    }
    if (!found)
        return say(c->arena, ERR_NOT_FOUND, "this instance published no such version of the policy");
    struct findings f = { 0 };
    TRY_PTR(out->source.p);
    enum err status = node_read(c->arena, out->source, &f, &out->root);
    return out->root ? OK : status;
}

/* The document as it was read then; versions published before that was kept are read again. */
static enum err put_document(struct ctx *c, struct json_out *w, const struct version *v)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_POLICY_COMPILED_GET, ARGS(V_TEXT(v->hash)));
    json_name(w, TEXT("document"));
    if (query_next(&q))
        json_put_raw(w, query_bytes(&q, 0));
    else
        node_json(w, v->root);
    return q.status;
}

enum err version_get(struct ctx *c, text hash, struct answer *out)
{
    struct version v;
    TRY(version_open(c, hash, &v));
    BUF_AUTO b = buf_make(16 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("hash"), v.hash);
    json_pair(&w, TEXT("version"), v.version);
    json_pair(&w, TEXT("date"), v.date);
    json_pair(&w, TEXT("published"), time_print(c->arena, v.at));
    json_pair_bool(&w, TEXT("in_force"), v.current);
    json_pair(&w, TEXT("state"), version_word(&v));
    json_pair(&w, TEXT("source"), v.source);
    TRY(put_document(c, &w, &v));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- Acknowledgements. ---- */

struct acknowledging { struct ctx *c; struct subject_id subject; bool person; text hash, party, by; };

static enum err run_acknowledge(struct db *db, struct write *w)
{
    const struct acknowledging *k = w->arg;
    return db_run(db, SQL_ACKNOWLEDGEMENT_ADD, NULL,
                  ARGS(V_TEXT(k->c->tenant), V_ID(k->subject), V_TEXT(k->hash), V_TEXT(k->party), V_TEXT(k->by), V_INT(k->c->now)));
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

/* Who records what people decide, and the operator, may note it for any party; whom the policy asks for it, for themselves alone. */
static enum err own_party(struct ctx *c, text *party)
{
    const struct node *named = node_at(c->policy->root, TEXT("changes.acknowledged_by"));
    const struct actor_class *class = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    const struct clause *clause = policy_clause(c->policy, TEXT("changes.acknowledged_by"));
    if (c->actor.kind == ACTOR_OPERATOR || (class && class->acts >> ACT_CONSENT & 1))
        return OK;
    if (!node_has(named, TEXT("everyone")) && !node_has(named, c->actor.name))
        return say_clause(c->arena, ERR_FORBIDDEN, clause ? clause : &c->policy->rights_clause,
                          "the policy asks for no acknowledgement of \"%.*s\", who does not record decisions either", T(c->actor.name));
    if (party->n && !text_eq(*party, c->actor.token))
        return say_clause(c->arena, ERR_FORBIDDEN, clause, "\"%.*s\" acknowledges for itself only", T(c->actor.name));
    *party = c->actor.token;
    return OK;
}

static enum err read_party(struct ctx *c, const struct json *in, struct acknowledging *k, struct person *p)
{
    JSON_EACH(member, in)
        if (!text_eq(member->key, TEXT("version")) && !text_eq(member->key, TEXT("party")) && !text_eq(member->key, TEXT("subject")))
            return say(c->arena, ERR_USAGE, "an acknowledgement has the members version, party and subject");
    text said = json_text(in, TEXT("subject"));
    bool named = json_get(in, TEXT("party")) || (said.p && !text_eq(said, session_self(c)));
    k->by = c->actor.name;                                  /* whoever is signed in says in which role */
    if (c->session && !named)
        session_as_person(c);
    bool oneself = c->actor.kind == ACTOR_PERSON;           /* a signed-in person speaks for nobody else */
    text subject = oneself && !json_get(in, TEXT("subject")) ? session_self(c) : json_text(in, TEXT("subject"));
    k->party = oneself ? (text){ NULL, 0 } : json_text(in, TEXT("party"));
    if (oneself || json_get(in, TEXT("subject"))) {
        TRY(person_open(c, subject, false, p));
        TRY(person_allow_act(c, p, ACT_CONSENT));
        k->subject = p->id, k->person = true;
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
    struct write write = { .run = run_acknowledge, .arg = &k, .event = event_of(c, k.person ? &p : NULL, TEXT("policy.acknowledged")) };
    write.event.clause = TEXT("changes.acknowledged_by");
    return write_do(c, &write, out);
}

enum err version_read(struct ctx *c, text hash, struct answer *out)
{
    const struct json *in;
    if (!is_hash(hash))
        return say(c->arena, ERR_VALUE, "\"version\" is no hash of a version");
    TRY(json_parse(c->arena, arena_print(c->arena, "{\"version\":\"%.*s\",\"subject\":\"%.*s\"}", T(hash), T(session_self(c))), &in));
    return version_acknowledge(c, in, out);
}

enum err version_read_at(struct ctx *c, text hash, msec *at)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ACKNOWLEDGEMENT_OF, ARGS(V_TEXT(c->tenant), V_ID(c->actor.self), V_TEXT(hash)));
    *at = query_next(&q) ? query_int(&q, 0) : 0;
    return q.status;
}

struct awaiting { struct ctx *c; struct json_out *w; text hash; int64_t limit, count; };

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
        if (node_has(named, query_bytes(&q, 1)))
            put_one_awaited(a, query_bytes(&q, 0));
    return q.status;
}

/* Accounts in that role, or all for "everyone"; of a role that sees its team, its team's. */
static enum err put_awaited_accounts(struct awaiting *a, text role)
{
    struct ctx *c = a->c;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ACKNOWLEDGEMENT_AWAITED_OF, ARGS(V_TEXT(c->tenant), V_TEXT(a->hash), V_TEXT(role), V_INT(person_sees_team(c)),
                                                             V_ID(c->actor.self)));
    while (query_next(&q)) {
        struct subject_id id = { { 0 } };
        text bytes = query_bytes(&q, 0);
        memcpy(&id, bytes.p, bytes.n < sizeof id ? bytes.n : sizeof id);
        put_one_awaited(a, id_print(c->arena, id));
    }
    return q.status;
}

/* Tokens by their names and accounts by their ids whose acknowledgement of that version the policy asks for and that have not given it. */
static enum err put_awaited(struct ctx *c, struct json_out *w, text hash, int64_t limit)
{
    const struct node *named = node_at(c->policy->root, TEXT("changes.acknowledged_by"));
    struct awaiting a = { .c = c, .w = w, .hash = hash, .limit = limit };
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
struct acknowledged { int64_t at; struct subject_id subject; text hash, party; };

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

enum err version_acknowledgements(struct ctx *c, text version, const struct paging *asked, struct answer *out)
{
    struct acknowledged from;
    int64_t rows = 0;
    bool more;
    text place = { NULL, 0 };
    if (!acknowledged_parse(asked->after, &from))
        return paging_unknown(c);
    text hash = TEXT("");
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    TRY(person_may(c, NULL, ACT_CONSENT));
    if (version.n)
        TRY(find_version(c, version, &hash));
    json_open(&w, '{');
    json_name(&w, TEXT("acknowledgements"));
    json_open(&w, '[');
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_ACKNOWLEDGEMENT_LIST, ARGS(V_TEXT(c->tenant), V_TEXT(hash), V_INT(person_sees_team(c)), V_ID(c->actor.self),
                                                            V_INT(from.at), V_TEXT(from.party), V_ID(from.subject), V_TEXT(from.hash),
                                                            V_INT(asked->limit + 1)));
        static const struct subject_id nobody;
        while (paging_row(asked, &q, &rows, &more)) {
            struct subject_id id = { { 0 } };
            text bytes = query_bytes(&q, 0);
            memcpy(&id, bytes.p, bytes.n < sizeof id ? bytes.n : sizeof id);
            json_open(&w, '{');
            if (memcmp(&id, &nobody, sizeof id) != 0)
                json_pair(&w, TEXT("subject"), id_print(c->arena, id));
            if (query_bytes(&q, 1).n)
                json_pair(&w, TEXT("party"), query_bytes(&q, 1));
            json_pair(&w, TEXT("hash"), query_bytes(&q, 2));
            json_pair(&w, TEXT("version"), query_bytes(&q, 3));
            json_pair(&w, TEXT("by"), query_bytes(&q, 4));
            json_pair(&w, TEXT("at"), time_print(c->arena, query_int(&q, 5)));
            json_close(&w, '}');
            if (rows == asked->limit)
                place = arena_print(c->arena, "%lld.%.*s.%.*s.%.*s", (long long)query_int(&q, 5), T(id_print(c->arena, id)),
                                    T(query_bytes(&q, 2)), T(query_bytes(&q, 1)));
        }
        TRY(q.status);
    }
    json_close(&w, ']');
    TRY(paging_end(c, more, place, &w, out));
    TRY(put_awaited(c, &w, hash.n ? hash : text_of(c->policy->hash), asked->limit));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- That the notice was shown. ---- */

enum err notice_shown(struct ctx *c, text id, const struct json *in, struct answer *out)
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
    w.event.policy = shown, w.event.clause = TEXT("policy");
    return write_do(c, &w, out);
}

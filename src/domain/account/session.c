/* Sessions: begun, looked up, ended; their last uses, kept in memory for a minute. */
#include "domain/person/look_at.h"
#include "domain/account/session.h"
#include "domain/person/person.h"
#include "domain/core/id.h"
#include "domain/core/actor.h"
#include "domain/core/budget.h"
#include "domain/person/account.h"
#include "domain/account/agent.h"
#include "domain/person/change.h"
#include "domain/core/instance.h"
#include "domain/person/append.h"
#include "domain/account/throttle.h"
#include "domain/core/write.h"

enum {
    ACTIVITY_EVERY = MINUTE,
    CLOCKS_APART = 5 * MINUTE,
    ACTIVITY_BATCH = 500,
    SEEN_MAX = 1 << 20,
    SEEN_FIRST = 1 << 10,
    AGENT_MAX = 512,
    DEVICE_DAYS = 90
};

/* ---- Last uses, by the digest of the session. Open addressing; nothing is taken out but all at once. ---- */

struct use {
    struct digest session;
    msec at, ends; /* when it was used, and when it ends at the latest */
};
struct seen {
    pthread_mutex_t lock;
    struct use *uses; /* at 0: the place is free */
    size_t room, count;
    const struct use *leaving; /* those being written now: the store may not show them yet */
    size_t leaving_room;
    msec written; /* by the clock of the instance */
};

struct seen *seen_open(void)
{
    struct seen *s = calloc(1, sizeof *s);
    if (s)
        pthread_mutex_init(&s->lock, NULL);
    return s;
}

void seen_close(struct seen **at)
{
    struct seen *s = *at;
    *at = NULL;
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s->uses);
    free(s);
}

static size_t place_in(const struct use *uses, size_t room, const struct digest *session)
{
    size_t i;
    memcpy(&i, session->b, sizeof i); /* a keyed digest: nobody chooses where it falls */
    for (i &= room - 1; uses[i].at && memcmp(&uses[i].session, session, sizeof *session) != 0;)
        i = (i + 1) & (room - 1);
    return i;
}

static bool grow(struct seen *s)
{
    size_t room = s->room ? s->room * 2 : SEEN_FIRST;
    struct use *uses = room <= SEEN_MAX ? calloc(room, sizeof *uses) : NULL;
    if (!uses)
        return false;
    for (size_t i = 0; i < s->room; i++)
        if (s->uses[i].at)
            uses[place_in(uses, room, &s->uses[i].session)] = s->uses[i];
    free(s->uses);
    s->uses = uses;
    s->room = room;
    return true;
}

/* Requests that go on at one moment are noted in any order, and the clocks of several processes differ; what is further
 * ahead was noted by a clock that was set right since. */
static bool is_older(msec at, msec than) { return at < than && than - at <= CLOCKS_APART; }

/* Notes a use. Without memory it is not noted: the session then ends earlier. */
static void seen_use(struct seen *s, struct use use)
{
    pthread_mutex_lock(&s->lock);
    if (s->count * 2 < s->room || grow(s)) {
        struct use *u = &s->uses[place_in(s->uses, s->room, &use.session)];
        s->count += !u->at;
        if (is_older(use.at, u->at))
            use.at = u->at;
        if (u->at && u->ends < use.ends)
            use.ends = u->ends;
        *u = use;
    }
    pthread_mutex_unlock(&s->lock);
}

/* The last use that the store may not know of; its `at` is 0 when there is none. */
static struct use seen_get(struct seen *s, const struct digest *session)
{
    struct use none = { 0 };
    pthread_mutex_lock(&s->lock);
    struct use use = s->room ? s->uses[place_in(s->uses, s->room, session)] : none;
    struct use left = s->leaving ? s->leaving[place_in(s->leaving, s->leaving_room, session)] : none;
    pthread_mutex_unlock(&s->lock);
    return use.at ? use : left;
}

static struct use *seen_take(struct seen *s, msec now, size_t *room)
{
    pthread_mutex_lock(&s->lock);
    struct use *uses = s->count ? s->uses : NULL;
    *room = s->room;
    if (uses) {
        s->uses = NULL;
        s->count = 0;
        s->room = 0;
    }
    s->leaving = uses;
    s->leaving_room = *room;
    s->written = now;
    pthread_mutex_unlock(&s->lock);
    return uses;
}

static void seen_left(struct seen *s, struct use *uses)
{
    pthread_mutex_lock(&s->lock);
    s->leaving = NULL;
    pthread_mutex_unlock(&s->lock);
    free(uses);
}

struct activity {
    const struct use *uses;
    size_t count;
};

/* A use of a session is a visit of its account, and a use from which terms of retention run. */
static enum err run_activity(struct db *db, struct write *w)
{
    const struct activity *a = w->arg;
    for (size_t i = 0; i < a->count; i++) {
        const struct use *u = &a->uses[i];
        TRY(db_run(db, SQL_SESSION_SEEN, NULL,
                   ARGS(V_BYTES(TEXT_BYTES(u->session)), V_INT(u->at), V_INT(u->at + CLOCKS_APART), V_INT(u->ends))));
        TRY(db_run(db, SQL_SESSION_VISIT, NULL, ARGS(V_BYTES(TEXT_BYTES(u->session)), V_INT(u->at))));
        TRY(db_run(db, SQL_SESSION_USED, NULL, ARGS(V_BYTES(TEXT_BYTES(u->session)), V_INT(u->at))));
    }
    return OK;
}

static enum err write_activity(struct ctx *c, const struct use *uses, size_t count)
{
    struct activity a = { uses, count };
    struct write w = { .run = run_activity, .arg = &a, .event = event_of(c, NULL, TEXT("session.activity")) };
    w.event.tenant = TEXT("");
    w.event.count = (int64_t)count;
    return count ? write_do(c, &w, NULL) : OK;
}

enum err session_flush(struct ctx *c)
{
    struct use batch[ACTIVITY_BATCH];
    size_t room, count = 0;
    struct use *uses = seen_take(c->app->seen, c->now, &room);
    enum err status = OK;
    for (size_t i = 0; uses && i < room; i++) {
        if (!uses[i].at)
            continue;
        if (status != OK) { /* what could not be written stays in memory */
            seen_use(c->app->seen, uses[i]);
            continue;
        }
        batch[count++] = uses[i];
        if (count == ACTIVITY_BATCH) {
            status = write_activity(c, batch, count);
            for (size_t j = 0; status != OK && j < count; j++)
                seen_use(c->app->seen, batch[j]);
            count = 0;
        }
    }
    if (status == OK && count) {
        status = write_activity(c, batch, count);
        for (size_t j = 0; status != OK && j < count; j++)
            seen_use(c->app->seen, batch[j]);
    }
    seen_left(c->app->seen, uses);
    return status;
}

struct over {
    msec now, idle_since, device_since, tries_since;
};

static enum err run_over(struct db *db, struct write *w)
{
    const struct over *o = w->arg;
    TRY(db_run(db, SQL_SESSION_OVER, NULL, ARGS(V_INT(o->now), V_INT(o->idle_since))));
    TRY(db_run(db, SQL_TICKET_OVER, NULL, ARGS(V_INT(o->now - LINK_REMEMBERED))));
    TRY(db_run(db, SQL_LINK_OVER_END, NULL, ARGS(V_INT(o->now))));
    TRY(db_run(db, SQL_ATTEMPT_OVER, NULL, ARGS(V_INT(o->tries_since))));
    return db_run(db, SQL_DEVICE_OVER, NULL, ARGS(V_INT(o->device_since)));
}

static enum err count_over(struct ctx *c, const struct over *o, int64_t *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_OVER_COUNT,
                ARGS(V_INT(o->now), V_INT(o->idle_since), V_INT(o->device_since), V_INT(o->tries_since),
                     V_INT(o->now - LINK_REMEMBERED)));
    *count = query_next(&q) ? query_get(&q, OVER_COUNT, count) : 0;
    return q.status;
}

enum err session_tick(struct ctx *c)
{
    struct seen *s = c->app->seen;
    pthread_mutex_lock(&s->lock);
    bool due = c->now - s->written >= ACTIVITY_EVERY || c->now < s->written || s->count > SEEN_MAX / 4;
    pthread_mutex_unlock(&s->lock);
    if (!due)
        return OK;
    TRY(session_flush(c)); /* before: what was used a moment ago is not over */
    struct over o = { c->now, c->now - (term_end(c->now, c->policy->session.idle, 1) - c->now),
                      c->now - DEVICE_DAYS * DAY, c->now - THROTTLE_KEPT };
    int64_t count;
    TRY(count_over(c, &o, &count));
    struct write w = { .run = run_over, .arg = &o, .event = event_of(c, NULL, TEXT("session.over")) };
    w.event.tenant = TEXT("");
    w.event.count = count;
    return count ? write_do(c, &w, NULL) : OK;
}

/* ---- Begun. ---- */

struct digest session_device(const struct ctx *c, const struct person *p)
{
    struct digest d;
    BUF_AUTO b = buf_make(2048);
    buf_add(&b, TEXT_BYTES(p->id));
    buf_add(&b, c->address);
    buf_char(&b, '\n');
    buf_add(&b, text_upto(c->agent, AGENT_MAX));
    digest_identifier(store_index_key(ctx_store(c)), c->tenant, TEXT("device"), buf_made(c->arena, &b), &d);
    return d;
}

static text or_null(text s) { return s.n ? s : (text){ NULL, 0 }; }

/* Logs may be promised of what a sign-in knows nothing of (files served, by a platform's own server): then there is no
 * record of one. */
static bool is_noted(const struct category *cat, const struct json *note)
{
    bool noted = true;
    for (unsigned i = 0; i < cat->field_count; i++) {
        const struct json *v = json_get(note, cat->fields[i].name);
        noted &= !cat->fields[i].required || (v && v->kind != J_NULL);
    }
    return noted;
}

enum err session_note(struct ctx *c, struct person *p, bool success, struct change *out)
{
    int category = policy_stream(c->policy, TEXT("logs"));
    char at[TIME_TEXT + 1];
    if (category < 0 || !policy_tenant_holds(policy_tenant(c->policy, c->tenant), category))
        return change_begin(c, p, 0, out);
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("at"), time_text(c->now, at));
    json_pair(&w, TEXT("ip"), or_null(c->address));
    json_pair(&w, TEXT("browser"), or_null(agent_browser(c->arena, c->agent)));
    json_pair(&w, TEXT("system"), or_null(agent_system(c->arena, c->agent)));
    json_pair(&w, TEXT("result"), success ? TEXT("success") : TEXT("failure"));
    json_close(&w, '}');
    text fields;
    TRY(buf_take(c->arena, &b, &fields));
    const struct json *note;
    TRY(json_parse(c->arena, fields, &note));
    return is_noted(&c->policy->categories[category], note) ? subject_note(c, p, category, c->now, fields, out)
                                                            : change_begin(c, p, 0, out);
}

struct beginning {
    struct ctx *c;
    struct person *p;
    struct session *s;
    sealed device;
    struct digest known;
    struct subject_id id;
    enum err (*also)(struct db *db, void *arg);
    void *arg;
};

static enum err run_begin(struct db *db, void *arg)
{
    const struct beginning *g = arg;
    const struct session *s = g->s;
    text tenant = g->c->tenant;
    if (g->also) /* first, since it may refuse */
        TRY(g->also(db, g->arg));
    TRY(db_run(db, SQL_SESSION_ADD, NULL,
               ARGS(V_BYTES(TEXT_BYTES(s->digest)), V_TEXT(tenant), V_ID(s->subject), V_ID(g->id), V_INT(s->created),
                    V_INT(s->ends), V_INT(s->authenticated), V_INT(s->factor), V_SEALED(g->device))));
    TRY(db_run(db, SQL_SESSION_TRIM, NULL,
               ARGS(V_TEXT(tenant), V_ID(s->subject), V_INT(budget_row(BUDGET_sessions)->limit))));
    TRY(db_run(db, SQL_ACCOUNT_VISIT, NULL, ARGS(V_TEXT(tenant), V_ID(s->subject), V_INT(s->created))));
    TRY(db_run(db, SQL_SUBJECT_USED, NULL, ARGS(V_TEXT(tenant), V_ID(s->subject), V_INT(s->created))));
    TRY(db_run(db, SQL_DEVICE_PUT, NULL,
               ARGS(V_TEXT(tenant), V_ID(s->subject), V_BYTES(TEXT_BYTES(g->known)), V_INT(s->created))));
    return db_run(db, SQL_DEVICE_TRIM, NULL,
                  ARGS(V_TEXT(tenant), V_ID(s->subject), V_INT(budget_row(BUDGET_devices)->limit)));
}

static void set_csrf(const struct ctx *c, struct session *s)
{
    struct digest d, mark;
    BUF_AUTO b = buf_make(128);
    const struct key *key = store_index_key(ctx_store(c));
    digest_identifier(key, TEXT(""), TEXT("csrf"), TEXT_BYTES(s->digest), &d);
    digest_identifier(key, c->tenant, TEXT("csrf person"), TEXT_BYTES(s->subject), &mark);
    buf_base64url(&b, TEXT_BYTES(d));
    buf_base64url(&b, text_upto(TEXT_BYTES(mark), 16));
    text csrf = buf_made(c->arena, &b);
    if (!text_cstr(csrf, s->csrf, sizeof s->csrf))
        s->csrf[0] = '\0';
}

/* The role's class when the policy in force has it, else NULL. */
static const struct actor_class *class_of(const struct ctx *c, text role, int *index)
{
    *index = role.n ? policy_actor(c->policy, role) : -1;
    const struct actor_class *class = *index >= 0 ? &c->policy->actors[*index] : NULL;
    if (!class || !policy_tenant_has(c->policy, policy_tenant(c->policy, c->tenant), *index))
        return NULL; /* the tenant's staff has no such role (any more): then they are a person like others */
    return class->kind == ACTOR_STAFF || class->kind == ACTOR_MANAGER ? class : NULL;
}

static msec last_hour(const struct ctx *c, text role, msec created)
{
    int index;
    const struct actor_class *class = class_of(c, role, &index);
    msec ends = term_end(created, c->policy->session.absolute, 1);
    msec sooner = class && class->session.unit != TERM_UNSET ? term_end(created, class->session, 1) : ends;
    return sooner < ends ? sooner : ends;
}

static enum err seal_device(struct ctx *c, const struct person *p, sealed *out)
{
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("address"), or_null(c->address));
    json_pair(&w, TEXT("browser"), or_null(agent_browser(c->arena, c->agent)));
    json_pair(&w, TEXT("system"), or_null(agent_system(c->arena, c->agent)));
    json_close(&w, '}');
    text device;
    TRY(buf_lend(c->arena, &b, &device));
    return account_seal(c, p, TEXT("device"), (uint64_t)c->now, device, out);
}

static enum err begin(struct ctx *c, struct person *p, struct beginning *g)
{
    struct change ch;
    TRY(session_note(c, p, true, &ch));
    ch.also = run_begin;
    ch.also_arg = g;
    struct event event = event_of(c, p, TEXT("signin"));
    return change_write(c, &ch, event, NULL);
}

enum err session_begin(struct ctx *c, struct person *p, const struct account *account, bool factor, text *secret)
{
    return session_begin_with(c, p, account, factor, NULL, NULL, secret);
}

enum err session_begin_with(struct ctx *c, struct person *p, const struct account *account, bool factor,
                            enum err (*also)(struct db *db, void *arg), void *arg, text *secret)
{
    if (!c->policy->session.cookie.n)
        return say_clause(c->arena, ERR_FORBIDDEN, &c->policy->session.clause,
                          "the policy declares no cookie for sessions, so none can be begun");
    struct session *s = NEW(c->arena, struct session);
    struct beginning g = {
        .c = c, .p = p, .s = s, .known = session_device(c, p), .id = id_make(c->now), .also = also, .arg = arg
    };
    TRY_PTR(s);
    *s = (struct session){ .subject = p->id,
                           .created = c->now,
                           .seen = c->now,
                           .authenticated = c->now,
                           .factor = factor,
                           .role = account->role,
                           .language = account->language,
                           .id = id_print(c->arena, g.id),
                           .ends = last_hour(c, account->role, c->now) };
    *secret = secret_make(c, TEXT("session"), &s->digest);
    TRY_PTR(secret->p);
    TRY(seal_device(c, p, &g.device));
    set_csrf(c, s);
    actor_become(c, p->id);
    enum err status = begin(c, p, &g);
    for (int again = 0; status == ERR_CONFLICT && again < 3; again++) /* two records fell on one number */
        status = begin(c, p, &g);
    TRY(status);
    c->session = s;
    return OK;
}

/* ---- Looked up. ---- */

static enum err not_signed_in(struct ctx *c)
{
    return say(c->arena, ERR_UNAUTHORISED, "nobody is signed in here, or no longer");
}

static enum err load(struct ctx *c, text secret, struct session *s, msec *agreement)
{
    s->digest = secret_digest(c, TEXT("session"), secret);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SESSION_GET, ARGS(V_BYTES(TEXT_BYTES(s->digest))));
    bool found = secret.n == SECRET_TEXT && query_next(&q);
    TRY(q.status);
    if (!found || query_get(&q, SESSION_GET, subject).n != SUBJECT_ID || query_get(&q, SESSION_GET, id).n != SUBJECT_ID)
        return not_signed_in(c);
    struct subject_id id;
    c->tenant = arena_copy(c->arena, query_get(&q, SESSION_GET, tenant));
    memcpy(&s->subject, query_get(&q, SESSION_GET, subject).p, SUBJECT_ID);
    memcpy(&id, query_get(&q, SESSION_GET, id).p, SUBJECT_ID);
    s->id = id_print(c->arena, id);
    s->created = query_get(&q, SESSION_GET, created);
    s->seen = query_get(&q, SESSION_GET, seen);
    s->ends = query_get(&q, SESSION_GET, ends);
    s->authenticated = query_get(&q, SESSION_GET, authenticated);
    s->factor = query_get(&q, SESSION_GET, factor) != 0;
    *agreement = query_get(&q, SESSION_GET, agreement);
    s->role = arena_copy(c->arena, query_get(&q, SESSION_GET, role));
    s->language = arena_copy(c->arena, query_get(&q, SESSION_GET, language));
    return c->tenant.p && s->id.p ? OK : ERR_MEMORY;
}

enum err session_there(struct ctx *c, bool *there)
{
    READ_AUTO db = NULL;
    *there = false;
    if (!c->session)
        return OK;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SESSION_GET, ARGS(V_BYTES(TEXT_BYTES(c->session->digest))));
    *there = query_next(&q);
    return q.status;
}

static enum err ends_of(struct ctx *c, struct session *s)
{
    struct use last = seen_get(c->app->seen, &s->digest);
    msec ends = last_hour(c, s->role, s->created < c->now ? s->created : c->now);
    if (last.at && !is_older(last.at, s->seen))
        s->seen = last.at;
    if (last.at && last.ends < s->ends)
        s->ends = last.ends;
    if (ends < s->ends) /* the policy in force may allow less than that of the sign-in; a clock ahead told too late */
        s->ends = ends;
    if (c->now >= s->ends || c->now >= term_end(s->seen, c->policy->session.idle, 1))
        return not_signed_in(c);
    return OK;
}

static enum err check_ends(struct ctx *c, struct session *s)
{
    TRY(ends_of(c, s));
    seen_use(c->app->seen, (struct use){ s->digest, c->now, s->ends });
    s->idle_ends = term_end(c->now, c->policy->session.idle, 1);
    return OK;
}

/* In the journal of those they look at, staff are a pseudonym made with their own key. */
static enum err pseudonym(struct ctx *c, struct subject_id id, struct digest *out)
{
    KEY_AUTO key;
    enum err status = store_key(ctx_store(c), c->arena, c->tenant, id, 0, &key);
    if (status == ERR_ERASED)
        return not_signed_in(c);
    TRY(status);
    journal_pseudonym(&key, out);
    return OK;
}

static enum err act_in_role(struct ctx *c, struct session *s, msec agreement)
{
    int index;
    const struct actor_class *class = class_of(c, s->role, &index);
    actor_become(c, s->subject);
    s->closed = TEXT("");
    if (!class)
        return OK;
    c->actor.kind = class->kind;
    c->actor.index = index;
    c->actor.name = class->name;
    c->actor.agreement = agreement != 0;
    if (class->second_factor && !s->factor)
        s->closed = TEXT("factor");
    else if (class->confidentiality && !agreement)
        s->closed = TEXT("agreement");
    return pseudonym(c, s->subject, &c->actor.by);
}

enum err session_by_secret(struct ctx *c, text secret)
{
    msec agreement = 0;
    struct session *s = NEW(c->arena, struct session);
    TRY_PTR(s);
    TRY(load(c, secret, s, &agreement));
    TRY(check_ends(c, s));
    set_csrf(c, s);
    c->actor.token = s->id;
    TRY(act_in_role(c, s, agreement));
    text own = policy_language(c->policy, s->language);
    if (own.p)
        c->language = own;
    c->session = s;
    return OK;
}

enum err session_look(struct ctx *c, text secret, const struct session **out)
{
    struct ctx other = *c; /* the tenant stays the one that was asked for */
    struct session *s = NEW(c->arena, struct session);
    struct why why = c->arena->why;
    msec agreement;
    *out = NULL;
    TRY_PTR(s);
    enum err status = load(&other, secret, s, &agreement);
    if (status == OK)
        status = ends_of(&other, s);
    if (status == ERR_UNAUTHORISED) {
        c->arena->why = why;
        return OK;
    }
    TRY(status);
    set_csrf(&other, s);
    s->closed = TEXT("");
    *out = s;
    return OK;
}

/* ---- Proved again, ended. ---- */

struct ending {
    const struct ctx *c;
    struct digest digest;
    struct subject_id subject, id;
    bool others, factor;
    text language;
};

static enum err run_proved(struct db *db, struct write *w)
{
    const struct ending *e = w->arg;
    return db_run(db, SQL_SESSION_PROVED, NULL,
                  ARGS(V_BYTES(TEXT_BYTES(e->digest)), V_INT(e->c->now), V_INT(e->factor)));
}

static enum err run_end(struct db *db, struct write *w)
{
    const struct ending *e = w->arg;
    return db_run(db, SQL_SESSION_END, NULL, ARGS(V_BYTES(TEXT_BYTES(e->digest))));
}

static enum err run_end_one(struct db *db, struct write *w)
{
    const struct ending *e = w->arg;
    int64_t gone;
    TRY(db_run(db, SQL_SESSION_END_ONE, &gone, ARGS(V_TEXT(e->c->tenant), V_ID(e->subject), V_ID(e->id))));
    return gone ? OK : say(db_arena(db), ERR_NOT_FOUND, "there is no such session");
}

enum err session_run_end_all(struct db *db, text tenant, struct subject_id subject, const struct digest *but)
{
    static const struct digest none = { { 0 } };
    return db_run(db, SQL_SESSION_END_ALL, NULL,
                  ARGS(V_TEXT(tenant), V_ID(subject), V_BYTES(TEXT_BYTES(*(but ? but : &none)))));
}

static enum err run_end_others(struct db *db, struct write *w)
{
    const struct ending *e = w->arg;
    return session_run_end_all(db, e->c->tenant, e->subject, &e->digest);
}

/* Each is an act of the signed-in person on their own sessions. */
static enum err do_own(struct ctx *c, text act, enum err (*run)(struct db *db, struct write *w), struct ending *e)
{
    PERSON_AUTO p = { 0 };
    if (!c->session)
        return not_signed_in(c);
    session_as_person(c);
    TRY(person_open(c, session_self(c), false, &p));
    e->c = c;
    e->digest = c->session->digest;
    e->subject = p.id;
    struct write w = { .run = run, .arg = e, .event = event_of(c, &p, act), .urgent = true };
    return write_do(c, &w, NULL);
}

enum err session_proved(struct ctx *c, bool factor)
{
    struct ending e = { .factor = factor };
    return do_own(c, TEXT("signin.again"), run_proved, &e);
}

static enum err run_language(struct db *db, struct write *w)
{
    const struct ending *e = w->arg;
    return db_run(db, SQL_ACCOUNT_LANGUAGE, NULL, ARGS(V_TEXT(e->c->tenant), V_ID(e->subject), V_TEXT(e->language)));
}

enum err session_language(struct ctx *c, text language)
{
    struct ending e = { .language = policy_language(c->policy, language) };
    if (!e.language.p)
        return say(c->arena, ERR_VALUE, "the policy is not published in that language");
    return do_own(c, TEXT("account.language"), run_language, &e);
}

enum err session_end(struct ctx *c)
{
    struct ending e = { 0 };
    TRY(do_own(c, TEXT("signout"), run_end, &e));
    c->session = NULL;
    return OK;
}

enum err session_drop(struct ctx *c, text id, struct answer *out)
{
    struct ending e = { 0 };
    if (!id_parse(id, &e.id))
        return say(c->arena, ERR_NOT_FOUND, "there is no such session");
    return do_own(c, TEXT("signout"), run_end_one, &e);
}

enum err session_drop_others(struct ctx *c, struct answer *out)
{
    struct ending e = { 0 };
    return do_own(c, TEXT("signout"), run_end_others, &e);
}

/* ---- Shown. ---- */

enum err session_state(struct ctx *c, struct answer *out)
{
    const struct session *s = c->session;
    char time[TIME_TEXT + 1];
    if (!s)
        return not_signed_in(c);
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("subject"), session_self(c));
    json_pair(&w, TEXT("role"), or_null(s->role));
    json_pair(&w, TEXT("closed"), or_null(s->closed));
    json_pair(&w, TEXT("language"), or_null(s->language));
    json_pair_bool(&w, TEXT("factor"), s->factor);
    json_pair_bool(&w, TEXT("fresh"), session_is_fresh(c, s));
    json_pair(&w, TEXT("since"), time_text(s->created, time));
    json_pair(&w, TEXT("idle_until"), time_text(s->idle_ends, time));
    json_pair(&w, TEXT("until"), time_text(s->ends, time));
    json_pair(&w, TEXT("csrf"), text_of(s->csrf));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

static enum err put_device(struct ctx *c, const struct person *p, msec created, sealed device, struct json_out *w)
{
    text clear;
    const struct json *v;
    static const text names[] = { TEXT_INIT("address"), TEXT_INIT("browser"), TEXT_INIT("system") };
    TRY(account_open(c, p, TEXT("device"), (uint64_t)created, device, &clear));
    TRY(json_parse(c->arena, clear, &v));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_pair(w, names[i], json_text(v, names[i]));
    return OK;
}

static enum err put_session(struct ctx *c, const struct person *p, struct query *q, struct json_out *w)
{
    struct subject_id id;
    struct digest digest;
    char time[TIME_TEXT + 1];
    if (query_get(q, SESSION_LIST, id).n != sizeof id || query_get(q, SESSION_LIST, digest).n != sizeof digest)
        return say(c->arena, ERR_INTEGRITY, "a session's row is malformed");
    memcpy(&id, query_get(q, SESSION_LIST, id).p, sizeof id);
    memcpy(&digest, query_get(q, SESSION_LIST, digest).p, sizeof digest);
    struct use last = seen_get(c->app->seen, &digest);
    msec created = query_get(q, SESSION_LIST, created), seen = query_get(q, SESSION_LIST, seen);
    msec ends = query_get(q, SESSION_LIST, ends);
    if (last.at && !is_older(last.at, seen))
        seen = last.at;
    if (last.at && last.ends < ends)
        ends = last.ends;
    if (c->now >= term_end(seen, c->policy->session.idle, 1))
        return OK; /* over, and not yet deleted */
    json_open(w, '{');
    json_pair(w, TEXT("id"), id_print(c->arena, id));
    json_pair(w, TEXT("since"), time_text(created, time));
    json_pair(w, TEXT("seen"), time_text(seen, time));
    json_pair(w, TEXT("until"), time_text(ends, time));
    json_pair_bool(w, TEXT("factor"), query_get(q, SESSION_LIST, factor) != 0);
    json_pair_bool(w, TEXT("this"), c->session && text_eq(c->session->id, id_print(c->arena, id)));
    if (!query_null(q, SESSION_LIST, device))
        TRY(put_device(c, p, created, query_get(q, SESSION_LIST, device), w));
    json_close(w, '}');
    return OK;
}

static enum err put_list(struct ctx *c, const struct person *p, struct json_out *w)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SESSION_LIST, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_INT(c->now)));
    json_open(w, '[');
    while (query_next(&q))
        TRY(put_session(c, p, &q, w));
    json_close(w, ']');
    return q.status;
}

static enum err show_sessions(struct ctx *c, struct look *l, struct json_out *w)
{
    json_name(w, TEXT("sessions"));
    return put_list(c, &l->p, w);
}

enum err session_list(struct ctx *c, struct answer *out)
{
    struct look l = { .act = TEXT("read"),
                      .purpose = TEXT("access"), /* their own data, shown to them (GDPR 15) */
                      .may = look_at_own,
                      .show = show_sessions };
    session_as_person(c);
    return look_at_person(c, session_self(c), &l, out);
}

/* Support sessions: asked for with a reason and a time, decided by the tenant's own staff, ended by itself or by a
 * press. */
#include "domain/core/actor.h"
#include "domain/core/budget.h"
#include "domain/core/decided.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/mail/mail.h"
#include "domain/support/inside.h"
#include "policy/due.h"

enum { KEPT_DAYS = 365, ANSWER_DAYS = 7, SHORTEST = MINUTE };
static const text table = TEXT_INIT("support");

/* ---- Who. ---- */

bool support_is_own(const struct ctx *c)
{
    const struct tenant *t = policy_tenant(c->policy, c->tenant);
    return t && t->stored && c->actor.index >= 0 && bits_has(&t->roles, (unsigned)c->actor.index) &&
           (!c->session || !c->session->closed.n);
}

struct digest support_asker(const struct ctx *c)
{
    static const struct digest nobody;
    bool named = memcmp(&c->actor.by, &nobody, sizeof nobody) != 0;
    if (named)
        return c->actor.by;
    return c->actor.by_token ? c->actor.proof : nobody;
}

static bool asked_by(const struct ctx *c, const struct session_row *s)
{
    struct digest own = support_asker(c);
    return text_eq(s->home, c->tenant) && text_eq(s->actor, c->actor.name) && memcmp(&own, &s->asker, sizeof own) == 0;
}

static bool decides(const struct ctx *c, const struct session_row *s)
{
    return support_is_own(c) && text_eq(s->tenant->name, c->tenant);
}

bool support_live(const struct session_row *s, msec now)
{
    return s->state == OPEN && s->decided <= now && now < s->ends;
}

struct ctx support_inside(const struct ctx *c, const struct session_row *s)
{
    struct ctx there = *c;
    there.tenant = s->tenant->name;
    there.actor.support = s->writes ? SUPPORT_WRITES : SUPPORT_READS;
    there.actor.reason = s->reason;
    there.actor.has_self = false; /* they are nobody there */
    return there;
}

/* ---- Loaded. ---- */

static enum err none(struct ctx *c) { return say(c->arena, ERR_NOT_FOUND, "there is no such support session"); }

static enum err take_row(struct ctx *c, struct query *q, struct session_row *out)
{
    text asker = query_get(q, SUPPORT_GET, asker), kept = arena_copy(c->arena, query_get(q, SUPPORT_GET, reason));
    out->tenant = policy_tenant(c->policy, query_get(q, SUPPORT_GET, tenant));
    out->home = arena_copy(c->arena, query_get(q, SUPPORT_GET, home));
    out->actor = arena_copy(c->arena, query_get(q, SUPPORT_GET, actor));
    out->state = query_get(q, SUPPORT_GET, state);
    out->writes = query_get(q, SUPPORT_GET, writes) != 0;
    out->lasts = query_get(q, SUPPORT_GET, lasts);
    out->at = query_get(q, SUPPORT_GET, at);
    out->decided = query_get(q, SUPPORT_GET, decided);
    out->ends = query_get(q, SUPPORT_GET, ends);
    if (!out->tenant)
        return none(c);
    if (asker.n != sizeof out->asker)
        return say(c->arena, ERR_INTEGRITY, "a support session was asked for by %zu bytes", asker.n);
    memcpy(&out->asker, asker.p, sizeof out->asker);
    return written_open(ctx_store(c), c->arena, out->tenant->name, table, kept, &out->reason);
}

static enum err find(struct ctx *c, struct subject_id id, struct session_row *out)
{
    *out = (struct session_row){ .id = id };
    READ_AUTO db = NULL;
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUPPORT_GET, ARGS(V_ID(id)));
    bool found = query_next(&q);
    TRY(q.status);
    return found ? take_row(c, &q, out) : none(c);
}

enum err support_load(struct ctx *c, text id, struct session_row *out)
{
    struct subject_id parsed;
    if (!id_parse(id, &parsed))
        return none(c);
    TRY(find(c, parsed, out));
    return decides(c, out) || asked_by(c, out) ? OK : none(c);
}

/* ---- Shown. ---- */

static text state_word(const struct session_row *s, msec now)
{
    static const text words[] = { [ASKED] = TEXT_INIT("asked"),
                                  [OPEN] = TEXT_INIT("open"),
                                  [REFUSED] = TEXT_INIT("refused"),
                                  [ENDED] = TEXT_INIT("ended") };
    bool late = s->state == ASKED && now >= s->at + ANSWER_DAYS * DAY;
    bool over = s->state == OPEN && !support_live(s, now);
    return late || over ? TEXT("over") : words[s->state & 3];
}

static text title_of(const struct ctx *c, text en, text fr, text name)
{
    text said = doc_in(c, en, fr);
    return said.n ? said : name;
}

static void put_time(struct ctx *c, struct json_out *w, const char *name, msec at)
{
    json_pair(w, text_of(name), at ? time_print(c->arena, at) : (text){ NULL, 0 });
}

static void put_session(struct ctx *c, const struct session_row *s, struct json_out *w)
{
    int index = policy_actor(c->policy, s->actor);
    const struct actor_class *class = index >= 0 ? &c->policy->actors[index] : NULL;
    json_pair(w, TEXT("id"), id_print(c->arena, s->id));
    json_pair(w, TEXT("tenant"), s->tenant->name);
    json_pair(w, TEXT("tenant_title"), title_of(c, s->tenant->title_en, s->tenant->title_fr, s->tenant->name));
    json_pair(w, TEXT("actor"), s->actor);
    json_pair(w, TEXT("actor_title"), class ? title_of(c, class->title_en, class->title_fr, s->actor) : s->actor);
    json_pair(w, TEXT("reason"), s->reason);
    json_pair(w, TEXT("state"), state_word(s, c->now));
    json_pair_bool(w, TEXT("write"), s->writes);
    json_pair_int(w, TEXT("minutes"), s->lasts / MINUTE);
    put_time(c, w, "asked", s->at);
    put_time(c, w, "decided", s->decided);
    put_time(c, w, "ends", s->ends);
    json_pair_bool(w, TEXT("mine"), asked_by(c, s));
}

static void put_look(struct ctx *c, struct query *q, struct json_out *w)
{
    json_open(w, '{');
    bool there = !query_null(q, SUPPORT_LOOK_LIST, subject);
    json_pair(w, TEXT("subject"), there ? id_column(c->arena, q, COL(SUPPORT_LOOK_LIST, subject)) : (text){ NULL, 0 });
    json_pair(w, TEXT("categories"), query_get(q, SUPPORT_LOOK_LIST, categories));
    json_pair_bool(w, TEXT("write"), query_get(q, SUPPORT_LOOK_LIST, writes) != 0);
    put_time(c, w, "at", query_get(q, SUPPORT_LOOK_LIST, at));
    json_close(w, '}');
}

/* The id that a page of newest first begins before. */
static enum err begin_before(struct ctx *c, const struct paging *asked, struct subject_id *out)
{
    memset(out, 0xFF, sizeof *out);
    return !asked->after.n || id_parse(asked->after, out) ? OK : paging_unknown(c);
}

static enum err put_looks(struct ctx *c, const struct session_row *s, const struct paging *asked, struct json_out *w,
                          struct answer *out)
{
    struct subject_id before;
    int64_t rows = 0;
    bool more;
    text place = TEXT("");
    TRY(begin_before(c, asked, &before));
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUPPORT_LOOK_LIST,
                ARGS(V_TEXT(s->tenant->name), V_ID(s->id), V_ID(before), V_INT(asked->limit + 1)));
    json_name(w, TEXT("looks"));
    json_open(w, '[');
    while (paging_row(asked, &q, &rows, &more)) {
        put_look(c, &q, w);
        place = id_column(c->arena, &q, COL(SUPPORT_LOOK_LIST, id));
    }
    TRY(q.status);
    json_close(w, ']');
    return paging_end(c, more, place, w, out);
}

static enum err show(struct ctx *c, const struct session_row *s, const struct paging *asked, struct answer *out)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    put_session(c, s, &w);
    TRY(put_looks(c, s, asked, &w, out));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

enum err support_get(struct ctx *c, text id, const struct paging *asked, struct answer *out)
{
    struct session_row s;
    TRY(support_load(c, id, &s));
    return show(c, &s, asked, out);
}

/* The ids of a page, then each by itself: it is found as it is acted upon. */
static enum err list_ids(struct ctx *c, const struct paging *asked, text **ids, int64_t *rows, bool *more)
{
    struct subject_id before;
    struct digest own = support_asker(c);
    *ids = NEW_ARRAY(c->arena, text, (size_t)asked->limit + 1);
    *rows = 0;
    TRY_PTR(*ids);
    TRY(begin_before(c, asked, &before));
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUPPORT_LIST,
                ARGS(V_TEXT(c->tenant), V_BYTES(TEXT_BYTES(own)), V_ID(before), V_INT(asked->limit + 1)));
    while (paging_row(asked, &q, rows, more))
        (*ids)[*rows - 1] = id_column(c->arena, &q, COL(SUPPORT_LIST, id));
    return q.status;
}

enum err support_list(struct ctx *c, const struct paging *asked, struct answer *out)
{
    text *ids;
    int64_t rows;
    bool more;
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    TRY(list_ids(c, asked, &ids, &rows, &more));
    json_open(&w, '{');
    json_name(&w, TEXT("support"));
    json_open(&w, '[');
    for (int64_t i = 0; i < rows && ids[i].p; i++) {
        struct session_row s;
        enum err status = support_load(c, ids[i], &s);
        if (status == ERR_NOT_FOUND)
            continue;
        TRY(status);
        json_open(&w, '{');
        put_session(c, &s, &w);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    TRY(paging_end(c, more, rows && more ? ids[asked->limit - 1] : TEXT(""), &w, out));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- Asked for. ---- */

enum err support_lasts(struct ctx *c, text term, msec *out)
{
    struct term t = c->policy->support.last;
    msec most = term_end(0, t, 1);
    if (term.n && (!term_parse(term, &t) || term_end(0, t, 1) > most || term_end(0, t, 1) < SHORTEST)) {
        say_clause(c->arena, ERR_VALUE, &c->policy->support.clause,
                   "\"for\" is a term such as 30m or 1h, and at most %lld minutes", (long long)(most / MINUTE));
        snprintf(c->arena->why.field, sizeof c->arena->why.field, "for");
        return ERR_VALUE;
    }
    *out = term_end(0, t, 1);
    return OK;
}

static msec kept_until(const struct ctx *c)
{
    const struct retention *r = policy_retention(c->policy, TEXT("journal"));
    msec due = r ? retention_own_due(r, c->now) : 0;
    return due > c->now ? due : c->now + KEPT_DAYS * DAY;
}

/* What the policy says of this caller's support in that tenant, before anybody is asked. */
static struct decision may_ask(struct ctx *c, const struct tenant *t)
{
    struct ctx there = *c;
    const struct tenant *own = policy_tenant(c->policy, c->tenant);
    there.tenant = t ? t->name : TEXT("");
    there.actor.support = SUPPORT_READS;
    struct ask ask = actor_ask(&there, c->policy->support.purpose, -1, ACT_READ);
    bool works = c->actor.kind == ACTOR_STAFF || c->actor.kind == ACTOR_OPERATOR;
    if (!works || (own && own->stored)) /* one customer has no business with another's people */
        return (struct decision){ REFUSED_SUPPORT, &c->policy->support.clause };
    return policy_decide(c->policy, &ask);
}

bool support_may_ask(struct ctx *c) { return c->policy->support.purpose >= 0 && may_ask(c, NULL).verdict == ALLOWED; }

void support_put_tenants(struct ctx *c, struct json_out *w)
{
    for (unsigned i = 0; i < c->policy->tenant_count; i++) {
        const struct tenant *t = &c->policy->tenant_rows[i];
        if (!t->stored)
            continue;
        json_open(w, '{');
        json_pair(w, TEXT("tenant"), t->name);
        json_pair(w, TEXT("title"), title_of(c, t->title_en, t->title_fr, t->name));
        json_close(w, '}');
    }
}

struct asking {
    struct ctx *c;
    struct session_row s;
    text kept; /* the reason, sealed */
    struct mail_put letter;
    bool has_letter;
};

static enum err run_ask(struct db *db, struct write *w)
{
    const struct asking *a = w->arg;
    const struct session_row *s = &a->s;
    TRY(db_run(db, SQL_SUPPORT_ADD, NULL,
               ARGS(V_ID(s->id), V_TEXT(s->tenant->name), V_TEXT(s->home), V_TEXT(s->actor),
                    V_BYTES(TEXT_BYTES(s->asker)), V_TEXT(a->kept), V_INT(s->writes), V_INT(s->lasts), V_INT(s->at),
                    V_INT(s->due))));
    return a->has_letter ? mail_run_put(db, &a->letter) : OK;
}

static enum err make_letter(struct ctx *c, struct asking *a)
{
    const struct session_row *s = &a->s;
    struct ctx there = *c;
    there.tenant = s->tenant->name;
    there.language = c->policy->languages[0];
    a->has_letter = s->tenant->email.n && c->app->public_url[0];
    if (!a->has_letter)
        return OK;
    const struct pair_text v[] = {
        { TEXT("reason"), s->reason },
        { TEXT("minutes"), arena_print(c->arena, "%lld", (long long)(s->lasts / MINUTE)) },
        { TEXT("link"), mail_link(&there, arena_print(c->arena, "/staff/support/%.*s", T(id_print(c->arena, s->id)))) },
    };
    const struct letter_values values = { v, sizeof v / sizeof *v };
    return mail_make_in(&there, NULL, there.language, s->tenant->email, TEXT("support_asked"), &values, &a->letter);
}

static enum err said_reason(struct ctx *c, const struct json *in, struct session_row *s)
{
    TRY(look_reason(c, json_text(in, TEXT("reason"))));
    s->reason = c->actor.reason;
    if (s->reason.n)
        return OK;
    say_clause(c->arena, ERR_MISSING, &c->policy->support.clause,
               "\"reason\" says what the help is for: the tenant reads it");
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "reason");
    return ERR_MISSING;
}

static enum err take_asked(struct ctx *c, const struct json *in, struct asking *a)
{
    struct session_row *s = &a->s;
    const struct json *write = json_get(in, TEXT("write"));
    *s = (struct session_row){ .id = id_make(c->now),
                               .tenant = policy_tenant(c->policy, json_text(in, TEXT("tenant"))),
                               .home = c->tenant,
                               .actor = c->actor.name,
                               .asker = support_asker(c),
                               .writes = write && write->truth,
                               .at = c->now,
                               .due = kept_until(c) };
    if (c->policy->support.purpose < 0)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->purposes_clause, "the policy declares no support");
    if (!s->tenant || !s->tenant->stored)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->support.clause,
                          "there is no tenant \"%.*s\" whose data is only stored",
                          T(value_shown(json_text(in, TEXT("tenant")))));
    struct decision d = may_ask(c, s->tenant);
    if (d.verdict != ALLOWED)
        return say_clause(c->arena, ERR_FORBIDDEN, d.clause, "%.*s (%.*s)", T(verdict_text(d.verdict, c->language)),
                          T(c->actor.name));
    TRY(said_reason(c, in, s));
    TRY(support_lasts(c, json_text(in, TEXT("for")), &s->lasts));
    return written_seal(ctx_store(c), c->arena, s->tenant->name, table, s->reason, &a->kept);
}

enum err support_ask(struct ctx *c, const struct json *in, struct answer *out)
{
    const struct paging first = { .limit = 1 };
    struct asking a = { .c = c };
    enum err status = take_asked(c, in, &a);
    if (status == ERR_FORBIDDEN)
        return actor_refused(c);
    TRY(write_refused(c, NULL, status));
    TRY(budget_take(c, BUDGET_support_asks, (text){ (const char *)a.s.asker.b, sizeof a.s.asker.b }));
    TRY(make_letter(c, &a));
    struct write w = { .run = run_ask, .arg = &a, .event = event_of(c, NULL, TEXT("support.asked")) };
    w.event.tenant = a.s.tenant->name;
    w.event.purpose = c->policy->purposes[c->policy->support.purpose].name;
    TRY(show(c, &a.s, &first, out));
    TRY(write_do(c, &w, out));
    out->id = id_print(c->arena, a.s.id);
    return OK;
}

/* ---- Decided and ended. ---- */

struct deciding {
    struct session_row s;
    int64_t to;
};

static enum err decided_already(struct db *db)
{
    return say(db_arena(db), ERR_CONFLICT, "this support session was decided already, or is over");
}

static enum err run_decide(struct db *db, struct write *w)
{
    const struct deciding *d = w->arg;
    const struct session_row *s = &d->s;
    int64_t changed;
    TRY(db_run(db, SQL_SUPPORT_DECIDE, &changed,
               ARGS(V_ID(s->id), V_INT(d->to), V_INT(s->writes), V_INT(s->lasts), V_INT(s->decided), V_INT(s->ends))));
    return changed ? OK : decided_already(db);
}

static enum err run_end(struct db *db, struct write *w)
{
    const struct deciding *d = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_SUPPORT_END, &changed, ARGS(V_ID(d->s.id), V_INT(d->s.ends))));
    return changed ? OK : decided_already(db);
}

static enum err own_again(struct ctx *c, const struct decided *d)
{
    (void)d; /* whoever decides is asked about before: session, token, role */
    return support_is_own(c) ? OK : say(c->arena, ERR_FORBIDDEN, "that is for the tenant's own staff");
}

/* Given for as long as the tenant says, and to read alone unless both sides said more. */
static enum err take_consent(struct ctx *c, const struct json *in, struct session_row *s)
{
    const struct json *write = json_get(in, TEXT("write"));
    text term = json_text(in, TEXT("for"));
    if (term.n)
        TRY(support_lasts(c, term, &s->lasts));
    msec most = term_end(0, c->policy->support.last, 1); /* of the policy in force now */
    s->lasts = s->lasts < most ? s->lasts : most;
    s->writes = s->writes && write && write->truth;
    s->ends = c->now + s->lasts;
    return c->session ? session_fresh(c) : OK;
}

static enum err write_decision(struct ctx *c, struct deciding *d, bool ends, struct answer *out)
{
    static const char *const acts[] = {
        [OPEN] = "support.opened", [REFUSED] = "support.refused", [ENDED] = "support.ended"
    };
    const struct paging first = { .limit = 1 };
    struct write w = {
        .run = ends ? run_end : run_decide, .arg = d, .urgent = ends, .event = event_of(c, NULL, text_of(acts[d->to]))
    };
    w.event.tenant = d->s.tenant->name;
    w.event.clause = c->policy->support.clause.path;
    d->s.state = d->to;
    TRY(show(c, &d->s, &first, out));
    return write_do(c, &w, out);
}

enum err support_decide(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    struct deciding d = { .to = ENDED };
    text what = json_text(in, TEXT("do"));
    bool ends = text_eq(what, TEXT("end")), consents = text_eq(what, TEXT("consent"));
    TRY(support_load(c, id, &d.s));
    if (!c->actor.reason.n)
        c->actor.reason = d.s.reason; /* a press needs no other, whatever the role must say elsewhere */
    if (!ends && !consents && !text_eq(what, TEXT("refuse")))
        return say(c->arena, ERR_VALUE, "\"do\" is consent, refuse or end");
    if (!ends && !decides(c, &d.s)) {
        say_clause(c->arena, ERR_FORBIDDEN, &d.s.tenant->clause, "the tenant's own staff decides on that");
        return actor_refused(c);
    }
    if (!ends && !text_eq(state_word(&d.s, c->now), TEXT("asked")))
        return say(c->arena, ERR_CONFLICT, "this support session was decided already, or is over");
    if (consents)
        TRY(take_consent(c, in, &d.s));
    if (!ends) {
        d.to = consents ? OPEN : REFUSED;
        d.s.decided = c->now;
        TRY(decided_add(c, (struct decided){ .again = own_again }, NULL));
    }
    if (!consents)
        d.s.ends = c->now;
    return write_decision(c, &d, ends, out);
}

/* ---- Asked before each look. ---- */

static enum err live_again(struct ctx *c, const struct decided *d)
{
    struct session_row s;
    struct subject_id id;
    if (!id_parse(d->name, &id))
        return none(c);
    TRY(find(c, id, &s));
    return support_live(&s, c->now) ? OK : say(c->arena, ERR_FORBIDDEN, "this support session is not open");
}

enum err support_allow(struct ctx *c, const struct session_row *s)
{
    if (!asked_by(c, s) || !support_live(s, c->now)) {
        say_clause(c->arena, ERR_FORBIDDEN, &c->policy->support.clause, "this support session is not open");
        return actor_refused(c);
    }
    return decided_add(c, (struct decided){ .again = live_again, .name = id_print(c->arena, s->id) }, NULL);
}

/* ---- The feature's row. ---- */

static enum err run_over(struct db *db, struct write *w)
{
    const msec *now = w->arg;
    TRY(db_run(db, SQL_SUPPORT_LOOK_OVER, NULL, ARGS(V_INT(*now))));
    return db_run(db, SQL_SUPPORT_OVER, NULL, ARGS(V_INT(*now)));
}

static enum err end_over(struct ctx *c)
{
    return feature_end_over(c, SQL_SUPPORT_IS_OVER, run_over, TEXT("support.over"));
}

const struct feature support_feature = { .name = TEXT_INIT("support"), .tick = end_over };

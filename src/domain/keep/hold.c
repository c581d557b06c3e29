/* Events that start terms, the closing of an account, and holds that stop what time brings. */
#include "domain/keep/hold.h"
#include "domain/person/person.h"
#include "domain/core/id.h"
#include "policy/lint/lint_help.h"
#include "domain/person/keeping.h"
#include "domain/account/session.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/core/feature.h"

/* Out of reach from the same moment: no session, no link. The address stays reserved as a digest, or is free for
 * another account, as the policy's accounts say. */
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
    if (text_eq(m->event, TEXT("last_use"))) /* only ever lengthens: the sweep sees it when it comes to the data */
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
        return say(c->arena, ERR_USAGE,
                   "\"event\" is one of contract_end, closure, last_use, withdrawal, last_contact, notice_shown");
    out->at = c->now;
    if (json_get(in, TEXT("at")) && !value_moment(c, at, false, &out->at))
        return say(c->arena, ERR_VALUE, "\"at\" must be a time as in RFC 3339");
    if (out->at > c->now && !text_eq(event, TEXT("contract_end")))
        return say(c->arena, ERR_VALUE, "\"at\" is in the future: only the end of a contract is known beforehand");
    return OK;
}

/* A date in the relation belongs to no category. A use or a contact just now lengthens: whoever may write for some
 * purpose may note it, whatever the person consented to. The others let terms end, and data be erased: they are for who
 * may erase. */
static enum err allow_milestone(struct ctx *c, const struct person *p, const struct milestone *m)
{
    if (c->actor.kind == ACTOR_PERSON && text_eq(m->event, TEXT("closure")))
        TRY(session_fresh(c));
    bool lengthens = text_eq(m->event, TEXT("last_use")) ||
                     (text_eq(m->event, TEXT("last_contact")) && m->at >= c->now - DAY);
    if (!lengthens)
        return person_allow_act(c, p, ACT_ERASE);
    return person_may_write(c, p);
}

enum err hold_write_milestone(struct milestone *m, struct answer *out)
{
    struct write w = {
        .run = run_milestone,
        .arg = m,
        .event = event_of(m->c, m->p, text_eq(m->event, TEXT("closure")) ? TEXT("subject.close") : TEXT("milestone"))
    };
    w.event.purpose = m->event;
    return write_do(m->c, &w, out);
}

enum err retention_event(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    const struct feature *other = feature_of_event(c, json_text(in, TEXT("event")));
    if (other)
        return other->happened(c, id, in, out);
    PERSON_AUTO p = { 0 };
    struct milestone m = { .c = c, .p = &p };
    TRY(milestone_of(c, in, &m));
    TRY(person_open(c, id, true, &p));
    TRY(allow_milestone(c, &p, &m));
    return hold_write_milestone(&m, out);
}

/* ---- Holds. ---- */

/* Kept: the ground, sealed. */
struct holding {
    struct ctx *c;
    struct subject_id subject, id;
    text category, ground, kept;
    msec until;
};

static enum err run_hold(struct db *db, struct write *w)
{
    const struct holding *h = w->arg;
    TRY(write_person_there(db, h->c->tenant, h->subject)); /* a hold that keeps nothing is not acknowledged */
    return db_run(db, SQL_HOLD_ADD, NULL,
                  ARGS(V_TEXT(h->c->tenant), V_ID(h->subject), V_ID(h->id), V_TEXT(h->category), V_TEXT(h->kept),
                       V_INT(h->c->now), h->until ? V_INT(h->until) : V_NULL));
}

/* In both languages where the policy says it in both: it is read years later, under another policy. */
static enum err declared_ground(struct ctx *c, const struct node *ground, struct holding *h)
{
    text en = node_said(ground, TEXT("en")), fr = node_said(ground, TEXT("fr"));
    if (!en.n || text_eq(en, fr)) {
        h->ground = en.n ? en : h->ground;
        return OK;
    }
    BUF_AUTO b = buf_make(1 << 14);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("en"), en);
    json_pair(&w, TEXT("fr"), fr);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &h->ground);
}

/* A kind of hold that the policy declares has its ground and its longest time there. */
static enum err declared_hold(struct ctx *c, const struct node *kind, struct holding *h)
{
    struct term period;
    text name = h->ground;
    const struct node *categories = node_get(kind, TEXT("categories"));
    const struct clause *clause = policy_clause(c->policy, kind->path);
    TRY(declared_ground(c, node_get(kind, TEXT("ground")), h));
    if (categories && !node_has(categories, h->category))
        return say_clause(c->arena, ERR_UNDECLARED, clause, "hold \"%.*s\" is not for that category", T(name));
    if (!term_parse(node_text(kind, TEXT("period")), &period))
        return OK;
    msec longest = term_end(c->now, period, 1);
    if (!h->until)
        h->until = longest;
    return h->until <= longest ? OK
                               : say_clause(c->arena, ERR_VALUE, clause, "hold \"%.*s\" lasts at most %.*s", T(name),
                                            T(node_text(kind, TEXT("period"))));
}

static enum err hold_of(struct ctx *c, const struct json *in, struct holding *h)
{
    enum { GROUND_MAX = 256 };
    text until = json_text(in, TEXT("until"));
    h->category = json_text(in, TEXT("category"));
    h->ground = json_text(in, TEXT("ground"));
    if (!h->category.n || !h->ground.n)
        return say(c->arena, ERR_MISSING, "a hold names its \"category\", or \"*\", and its \"ground\"");
    if (!text_eq(h->category, TEXT("*")) && policy_category(c->policy, h->category) < 0)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                          "the policy has no category \"%.*s\"", T(value_shown(h->category)));
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
    struct write w = { .run = run_release,
                       .arg = &h,
                       .event = event_of(c, outlived ? NULL : &p, TEXT("hold.released")) };
    return write_do(c, &w, out);
}

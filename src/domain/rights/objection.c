/* Objection (Art. 21) and restriction (Art. 18): set, decided, told. */
#include "domain/rights/objection.h"
#include "domain/core/feature.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/person/person.h"
#include "domain/person/change.h"
#include "domain/core/decided.h"
#include "domain/core/named.h"
#include "domain/person/keeping.h"
#include "domain/mail/mail.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

enum { ANSWER_MAX = 2000 };

/* ---- Objection and restriction. ---- */

enum err objection_set(struct ctx *c, text id, text purpose, bool objects, struct answer *out)
{
    PERSON_AUTO p;
    struct change ch;
    struct change_consent row = { .purpose = purpose,
                                  .channel = TEXT("objection"),
                                  .method = TEXT("request"),
                                  .actor = c->actor.name,
                                  .decision = objects ? TEXT("objected") : TEXT("lifted") };
    (void)out;
    TRY(person_open(c, id, false, &p));
    int index = policy_purpose(c->policy, purpose);
    if (index < 0 || c->policy->purposes[index].never)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->purposes_clause, "the policy has no purpose \"%.*s\"",
                          T(value_shown(purpose)));
    const struct purpose *row_of = &c->policy->purposes[index];
    TRY(person_may_record(c, &p, row_of->name, objects));
    if (objects && !row_of->marketing && row_of->basis != BASIS_INTEREST && row_of->basis != BASIS_PUBLIC)
        return say_clause(c->arena, ERR_VALUE, &row_of->clause,
                          "an objection is to a legitimate interest, a public task or direct marketing; "
                          "\"%.*s\" rests on %.*s",
                          T(row_of->name), T(basis_word(row_of->basis)));
    TRY(change_begin(c, &p, 0, &ch));
    ch.consents = &row;
    ch.consent_count = 1;
    ch.urgent = true;
    struct outside outside = { .act = objects ? OUTSIDE_object : OUTSIDE_lift,
                               .id = id_make(c->now),
                               .detail = row_of->name };
    TRY(change_outside(c, &ch, &outside));
    struct event event = event_of(c, &p, objects ? TEXT("objection") : TEXT("objection.lifted"));
    event.purpose = row_of->name;
    return change_write(c, &ch, event, NULL);
}

/* The last word on the purpose is an objection, or a decision that upheld it. Asked again inside the write. */
static enum err objection_stands(struct ctx *c, const struct person *p, text purpose)
{
    bool stands = false;
    READ_AUTO db = NULL;
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_OBJECTION_LAST, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(purpose)));
    if (query_next(&q))
        stands = text_eq(query_get(&q, OBJECTION_LAST, decision), TEXT("objected")) ||
                 text_eq(query_get(&q, OBJECTION_LAST, decision), TEXT("upheld"));
    TRY(q.status);
    return stands ? OK : say(c->arena, ERR_NOT_FOUND, "no objection to that purpose is in force");
}

static enum err stands_again(struct ctx *c, const struct decided *d)
{
    return objection_stands(c, &d->person, d->name);
}

/* *decision: of `in`, which also says why; advertising is objected to without a reason, and for good (GDPR 21(2)-(3)).
 */
static enum err check_decision(struct ctx *c, const struct purpose *of, const struct json *in, text *decision)
{
    text reason = json_text(in, TEXT("reason"));
    *decision = json_text(in, TEXT("decision"));
    bool overridden = text_eq(*decision, TEXT("overridden"));
    if (!overridden && !text_eq(*decision, TEXT("upheld")))
        return say(c->arena, ERR_VALUE, "\"decision\" is one of upheld, overridden");
    if (overridden && of->marketing)
        return say_clause(c->arena, ERR_PURPOSE, &of->clause,
                          "an objection to direct marketing is never overridden (GDPR 21(3))");
    if (!text_trim(reason).n)
        return say(
            c->arena, ERR_MISSING,
            "\"reason\" says why: the person gets it; overriding takes compelling legitimate grounds (GDPR 21(1))");
    return reason.n <= ANSWER_MAX ? OK : say(c->arena, ERR_VALUE, "\"reason\" has at most %d bytes", ANSWER_MAX);
}

/* A letter about a decision, with its reason: whoever decides answers without delay (GDPR 12(3)), and names the
 * remedies where it goes against the person (12(4)). *has is false where none can go: no address is held, or the
 * server's own is not known. */
static enum err decision_letter(struct ctx *c, const struct person *p, text name, const struct purpose *of, text reason,
                                struct mail_put *out, bool *has)
{
    struct ctx said = *c; /* titles in the language of the letter */
    struct pair_text values[4];
    struct letter_values all = { .v = values };
    text to, authority = node_text(c->policy->root, TEXT("authority"));
    int category;
    TRY(mail_address(c, p, &to, &category));
    *has = to.n && c->app->public_url[0];
    if (!*has)
        return OK;
    TRY(mail_language(c, p, &said.language));
    values[all.count++] = (struct pair_text){ TEXT("at"), time_print(c->arena, c->now) };
    if (of)
        values[all.count++] = (struct pair_text){ TEXT("purpose"), doc_purpose(&said, of) };
    if (reason.n)
        values[all.count++] = (struct pair_text){ TEXT("reason"), reason };
    if (authority.n)
        values[all.count++] = (struct pair_text){ TEXT("authority"), authority };
    return mail_make(c, p, to, name, &all, out);
}

enum err objection_decide(struct ctx *c, text id, text purpose, const struct json *in, struct answer *out)
{
    PERSON_AUTO p;
    struct change ch;
    struct change_consent row = {
        .purpose = purpose, .channel = TEXT("objection"), .method = TEXT("decision"), .actor = c->actor.name
    };
    struct mail_put told;
    bool tells;
    (void)out;
    TRY(person_open(c, id, false, &p));
    if (c->actor.kind == ACTOR_PERSON)
        return say(c->arena, ERR_FORBIDDEN, "whoever objects does not decide on it");
    TRY(person_allow_act(c, &p, ACT_ERASE));
    int index = policy_purpose(c->policy, purpose);
    if (index < 0 || c->policy->purposes[index].never)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->purposes_clause, "the policy has no purpose \"%.*s\"",
                          T(value_shown(purpose)));
    row.purpose = c->policy->purposes[index].name;
    TRY(check_decision(c, &c->policy->purposes[index], in, &row.decision));
    TRY(objection_stands(c, &p, row.purpose));
    TRY(decided_add(c, (struct decided){ .again = stands_again, .name = row.purpose }, &p));
    TRY(change_begin(c, &p, 0, &ch));
    TRY(change_evidence(c, &ch, json_text(in, TEXT("reason")), &row));
    ch.consents = &row;
    ch.consent_count = 1;
    text letter = text_eq(row.decision, TEXT("upheld")) ? TEXT("objection_upheld") : TEXT("objection_overridden");
    TRY(decision_letter(c, &p, letter, &c->policy->purposes[index], json_text(in, TEXT("reason")), &told, &tells));
    if (tells) {
        ch.also = mail_also;
        ch.also_arg = &told;
    }
    struct event event = event_of(
        c, &p, text_eq(row.decision, TEXT("upheld")) ? TEXT("objection.upheld") : TEXT("objection.overridden"));
    event.purpose = row.purpose;
    return change_write(c, &ch, event, NULL);
}

struct restricting {
    struct ctx *c;
    const struct person *p;
    bool restricted, tells;
    struct mail_put told;
    struct outside outside;
};

static enum err run_restriction(struct db *db, struct write *w)
{
    const struct restricting *r = w->arg;
    TRY(write_person_there(db, r->c->tenant, r->p->id));
    TRY(db_run(db, SQL_SUBJECT_RESTRICT, NULL, ARGS(V_TEXT(r->c->tenant), V_ID(r->p->id), V_INT(r->restricted))));
    if (r->tells)
        TRY(mail_run_put(db, &r->told));
    TRY(feature_outside_run(db, r->c, &r->outside));
    return r->restricted ? OK : keeping_again(db, r->c->tenant, r->p->id, TEXT("*"), r->c->now); /* terms go on */
}

enum err restriction_set(struct ctx *c, text id, bool restricted, text ground, struct answer *out)
{
    PERSON_AUTO p;
    struct restricting r = { .c = c, .p = &p, .restricted = restricted };
    struct write w = { .run = run_restriction, .arg = &r };
    (void)out;
    if (restricted && !ground.n)
        return say(
            c->arena, ERR_MISSING,
            "a restriction has a \"ground\": accuracy contested, unlawful, needed for claims, objection pending");
    TRY(value_no_card(c, TEXT("ground"), ground));
    TRY(person_open(c, id, true, &p)); /* a closed account's too: what it stops must be able to go on */
    TRY(person_allow_act(c, &p, ACT_ERASE));
    if (!restricted && p.restricted && c->actor.kind != ACTOR_PERSON) /* GDPR 18(3) */
        TRY(decision_letter(c, &p, TEXT("restriction_ended"), NULL, ground, &r.told, &r.tells));
    r.outside = (struct outside){ .act = restricted ? OUTSIDE_restrict : OUTSIDE_release, .id = id_make(c->now) };
    TRY(feature_outside(c, &p, &r.outside));
    w.puts = &r.outside.put;
    w.put_count = r.outside.any;
    w.event = event_of(c, &p, restricted ? TEXT("subject.restrict") : TEXT("subject.release"));
    return write_do(c, &w, NULL);
}

/* An erasure that a crash cut short: the store has completed its rows, the certificate is still to be made. */
#include "base/decode.h"
#include "base/log.h"
#include "domain/core/feature.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/keep/erasing.h"
#include "domain/person/held.h"
#include "domain/person/keeping.h"
#include "domain/person/owed.h"
#include "store/tables.h"

struct resuming {
    struct ctx *c;
    struct subject_id subject, certificate;
    msec at;
    text facts;
    const struct json *tell; /* who was given data, NULL: what was begun does not say it */
    struct event event;
    bool never_began;
};

static enum err is_there(struct db *db, enum sql sql, text tenant, struct subject_id id, bool *out)
{
    QUERY_AUTO q;
    query_start(&q, db, sql, ARGS(V_TEXT(tenant), V_ID(id)));
    *out = query_next(&q);
    return q.status;
}

/* The erasure that was found, and no other of the same person. */
static enum err same_begun(struct db *db, const struct resuming *r, bool *out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_ERASING_GET, ARGS(V_TEXT(r->c->tenant), V_ID(r->subject)));
    *out = query_next(&q) && text_eq(query_get(&q, ERASING_GET, certificate), TEXT_BYTES(r->certificate)) &&
           query_get(&q, ERASING_GET, at) == r->at;
    return q.status;
}

/* GDPR 19: recipients are told of this one as of any other. */
static enum err tell_resumed(struct db *db, const struct resuming *r)
{
    JSON_EACH(one, r->tell) {
        const struct given g = { .recipient = json_text(one, TEXT("recipient")),
                                 .disclosures = json_text(one, TEXT("disclosures")),
                                 .categories = json_text(one, TEXT("categories")) };
        struct subject_id duty;
        if (!id_parse(json_text(one, TEXT("duty")), &duty))
            return say(db_arena(db), ERR_INTEGRITY, "an erasure begun names no duty of a recipient");
        TRY(duty_tell(db, r->c->tenant, duty, NULL, TEXT("tell"), &g, r->at));
    }
    return OK;
}

static enum err run_resume(struct db *db, struct write *w)
{
    const struct resuming *r = w->arg;
    text tenant = r->c->tenant;
    uint64_t entry;
    bool begun, left;
    TRY(same_begun(db, r, &begun));
    if (!begun) /* it was only under way: it has ended meanwhile, or another has begun */
        return say(db_arena(db), ERR_CONFLICT, "the erasure is certified already, or was begun anew");
    if (r->never_began) {
        TRY(db_run(db, SQL_MAIL_END, NULL, ARGS(V_TEXT(tenant), V_ID(r->certificate))));
        TRY(feature_outside_end(db, r->c, r->certificate, false));
        return db_run(db, SQL_ERASING_DROP, NULL, ARGS(V_TEXT(tenant), V_ID(r->subject)));
    }
    /* What remains is what was to be kept, but not yet where its end is told. */
    const text ends[] = { TEXT("contract_end"), TEXT("closure"), TEXT("withdrawal") };
    TRY(is_there(db, SQL_SUBJECT_LEFT, tenant, r->subject, &left));
    for (size_t i = 0; left && i < sizeof ends / sizeof *ends; i++)
        TRY(db_run(db, SQL_MILESTONE_NEW, NULL, ARGS(V_TEXT(tenant), V_ID(r->subject), V_TEXT(ends[i]), V_INT(r->at))));
    if (left)
        TRY(db_run(db, SQL_CONSENT_CLOSE, NULL,
                   ARGS(V_TEXT(tenant), V_ID(r->subject), V_INT(r->at), V_TEXT(r->c->policy->version))));
    TRY(db_run(db, SQL_SUBJECT_END, NULL, ARGS(V_TEXT(tenant), V_ID(r->subject))));
    TRY(db_run(db, SQL_TEAM_LEAVE, NULL, ARGS(V_TEXT(tenant), V_ID(r->subject))));
    TRY(keeping_again(db, tenant, r->subject, TEXT("*"), r->c->now));
    TRY(tell_resumed(db, r));
    TRY(journal_add(db, &r->event, &entry));
    return erasing_certify(db, r->c, r->subject, r->certificate, r->at, r->facts, entry);
}

/* As put_begun() made it, or the certificate's text alone, as programs of before did. */
static enum err open_begun(struct resuming *r, text kept)
{
    const struct json *begun;
    TRY(written_open(ctx_store(r->c), r->c->arena, r->c->tenant, TEXT("erasing"), kept, &r->facts));
    TRY(json_parse(r->c->arena, r->facts, &begun));
    if (!json_get(begun, TEXT("facts")))
        return OK;
    r->facts = json_text(begun, TEXT("facts"));
    r->tell = json_get(begun, TEXT("tell"));
    return OK;
}

/* *found: an erasure of that person was begun and is now done, with that certificate. */
static enum err find_begun(struct resuming *r, bool *found)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(r->c), r->c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ERASING_GET, ARGS(V_TEXT(r->c->tenant), V_ID(r->subject)));
    *found = query_next(&q);
    TRY(q.status);
    if (!*found)
        return OK;
    text id = query_get(&q, ERASING_GET, certificate);
    if (id.n != sizeof r->certificate)
        return say(r->c->arena, ERR_INTEGRITY, "a certificate has an id of %zu bytes", id.n);
    memcpy(&r->certificate, id.p, sizeof r->certificate);
    r->at = query_get(&q, ERASING_GET, at);
    text kept = arena_copy(r->c->arena, query_get(&q, ERASING_GET, facts));
    TRY_PTR(kept.p);
    return open_begun(r, kept);
}

static enum err resume(struct resuming *r, bool *found)
{
    enum { GIVEN_UP = HOUR }; /* none takes that long: it failed, and the person is whole */
    struct ctx *c = r->c;
    KEY_AUTO key;
    TRY(find_begun(r, found));
    if (!*found)
        return OK;
    enum err status = store_key(ctx_store(c), c->arena, c->tenant, r->subject, 0, &key);
    *found = status == ERR_ERASED;
    r->never_began = status == OK;
    if (r->never_began && c->now - r->at < GIVEN_UP)
        return OK;
    if (status != OK && status != ERR_ERASED)
        return status;
    r->event = (struct event){ .act = TEXT("subject.erase"),
                               .tenant = c->tenant,
                               .actor = c->actor.name,
                               .policy = c->policy->hash,
                               .count = -1 };
    const struct json *facts;
    TRY(json_parse(c->arena, r->facts, &facts));
    if (!decode_hex(json_text(facts, TEXT("pseudonym")), &r->event.who, sizeof r->event.who))
        return say(c->arena, ERR_INTEGRITY, "a certificate begun has no pseudonym");
    struct write w = { .run = run_resume, .arg = r, .urgent = true, .event = event_of(c, NULL, TEXT("certificate")) };
    if (r->never_began) {
        w.event.act = TEXT("subject.erase");
        w.event.outcome = OUTCOME_FAILED;
    }
    status = store_write(ctx_store(c), c->arena, &w);
    return status == ERR_CONFLICT ? OK : status;
}

enum err erase_resume_one(struct ctx *c, struct subject_id subject, bool *found, struct subject_id *certificate)
{
    struct resuming r = { .c = c, .subject = subject };
    enum err e = resume(&r, found);
    *certificate = r.certificate;
    return e;
}

enum err erase_resume(struct ctx *c)
{
    enum { MOST = 100 };
    struct {
        text tenant;
        struct subject_id subject;
    } begun[MOST];
    unsigned count = 0;
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_ERASING_LIST, ARGS(V_INT(MOST)));
        for (; count < MOST && query_next(&q); count++) {
            text id = query_get(&q, ERASING_LIST, subject);
            if (id.n != SUBJECT_ID)
                return say(c->arena, ERR_INTEGRITY, "a certificate begun has a person of %zu bytes", id.n);
            memcpy(&begun[count].subject, id.p, SUBJECT_ID);
            begun[count].tenant = arena_copy(c->arena, query_get(&q, ERASING_LIST, tenant));
        }
        TRY(q.status);
    }
    for (unsigned i = 0; i < count; i++) {
        struct ctx of_tenant = *c;
        struct answer answer;
        bool done;
        of_tenant.tenant = begun[i].tenant;
        struct subject_id certificate;
        enum err status = erase_resume_one(&of_tenant, begun[i].subject, &done, &certificate);
        if (status == ERR_INTEGRITY) { /* named by the board; the others' are not held up */
            LOG(LOG_ERROR, "erase.not-resumed", LOG_TEXT("why", text_of(c->arena->why.detail)));
            continue;
        }
        TRY(status);
        if (done)
            TRY(certificate_issue(&of_tenant, certificate, false, &answer));
    }
    return OK;
}

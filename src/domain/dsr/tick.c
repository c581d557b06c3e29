/* What time brings requests: reminders to staff, proofs destroyed, files whose time is over; and what a person's own
 * answer says of theirs. */
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/dsr/inside.h"

enum { AT_ONCE = 200 };

/* ---- Reminders. ---- */

struct reminding {
    struct ctx *c;
    struct dsr d;
    struct mail_put letter;
    bool has_letter;
};

static enum err run_remind(struct db *db, struct write *w)
{
    const struct reminding *r = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_DSR_REMINDED, &changed,
               ARGS(V_TEXT(r->c->tenant), V_ID(r->d.id), V_INT(r->d.version),
                    r->d.remind ? V_INT(r->d.remind) : V_NULL)));
    return changed && r->has_letter ? mail_run_put(db, &r->letter) : OK;
}

/* To the address that the policy names for requests; the letter holds nothing of the person. */
static enum err make_reminder(struct reminding *r)
{
    struct ctx *c = r->c, in = *c;
    text to = node_text(node_at(c->policy->root, TEXT("rights.channels")), TEXT("email"));
    in.language = c->policy->language_count ? c->policy->languages[0] : c->language;
    if (!to.n)
        to = ctx_controller(c).email;
    r->has_letter = to.n && c->app->public_url[0];
    if (!r->has_letter)
        return OK;
    const struct pair_text v[] = {
        { TEXT("kind"), dsr_kind_says(&in, r->d.kind) },
        { TEXT("reference"), dsr_reference(c, &r->d) },
        { TEXT("at"), time_print(c->arena, r->d.received) },
        { TEXT("until"), time_print(c->arena, r->d.legal - 1) },
        { TEXT("link"), mail_link(c, arena_print(c->arena, "/staff/requests/%.*s", T(dsr_reference(c, &r->d)))) },
    };
    const struct letter_values values = { v, sizeof v / sizeof *v };
    return mail_make_in(c, NULL, in.language, to, TEXT("request_due"), &values, &r->letter);
}

static enum err remind(struct ctx *server, text tenant, struct subject_id id)
{
    struct ctx own = *server;
    struct reminding r = { .c = &own };
    own.tenant = tenant;
    TRY(dsr_load(&own, id, &r.d));
    dsr_remind_from(&r.d, own.now);
    TRY(make_reminder(&r));
    struct write w = { .run = run_remind, .arg = &r, .event = event_of(&own, NULL, TEXT("request.reminded")) };
    return write_do(&own, &w, NULL);
}

/* ---- Rows that time ends. ---- */

struct over {
    text tenant;
    struct subject_id request, proof;
};

static enum err take_over(struct ctx *c, struct query *q, bool proof, struct over *out)
{
    text request = query_bytes(q, COL(DSR_PROOF_OVER, request));
    out->tenant = arena_copy(c->arena, query_bytes(q, COL(DSR_PROOF_OVER, tenant)));
    TRY_PTR(out->tenant.p);
    if (request.n != sizeof out->request)
        return say(c->arena, ERR_INTEGRITY, "a request has an id of %zu bytes", request.n);
    memcpy(&out->request, request.p, sizeof out->request);
    if (proof)
        memcpy(&out->proof, query_bytes(q, COL(DSR_PROOF_OVER, id)).p, sizeof out->proof);
    return OK;
}

static enum err list_over(struct ctx *c, enum sql sql, struct over *out, unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, sql, ARGS(V_INT(c->now), V_INT(AT_ONCE)));
    for (*count = 0; *count < AT_ONCE && query_next(&q); ++*count)
        TRY(take_over(c, &q, sql == SQL_DSR_PROOF_OVER, &out[*count]));
    return q.status;
}

static enum err run_destroy(struct db *db, struct write *w)
{
    const struct over *o = w->arg;
    return db_run(db, SQL_DSR_PROOF_END, NULL, ARGS(V_TEXT(o->tenant), V_ID(o->request), V_ID(o->proof)));
}

/* The journal says that a proof was checked, and nothing of whose or what it was. */
static enum err destroy(struct ctx *c, const struct over *o)
{
    struct over of = *o;
    struct ctx own = *c;
    own.tenant = o->tenant;
    struct write w = {
        .run = run_destroy, .arg = &of, .truncate = true, .event = event_of(&own, NULL, TEXT("request.checked"))
    };
    return write_do(&own, &w, NULL);
}

struct ending {
    const struct over *o;
    msec now;
};

static enum err run_end(struct db *db, struct write *w)
{
    const struct ending *e = w->arg;
    TRY(db_run(db, SQL_DSR_END, NULL, ARGS(V_TEXT(e->o->tenant), V_ID(e->o->request), V_INT(e->now))));
    TRY(db_run(db, SQL_DSR_MAILS_END, NULL, ARGS(V_TEXT(e->o->tenant), V_ID(e->o->request))));
    TRY(db_run(db, SQL_DSR_STEPS_END, NULL, ARGS(V_TEXT(e->o->tenant), V_ID(e->o->request))));
    return db_run(db, SQL_DSR_PROOFS_END, NULL, ARGS(V_TEXT(e->o->tenant), V_ID(e->o->request)));
}

static enum err end_one(struct ctx *c, const struct over *o)
{
    struct ctx own = *c;
    struct ending e = { o, c->now };
    struct dsr d;
    own.tenant = o->tenant;
    TRY(dsr_load(&own, o->request, &d));
    struct write w = { .run = run_end, .arg = &e, .truncate = true, .event = event_of(&own, NULL, TEXT("request.over")) };
    return write_do(&own, &w, NULL);
}

/* One that cannot be done now does not hold up the others: it is tried again, and its reason told at the end. */
static enum err each(struct ctx *c, enum sql sql, enum err (*act)(struct ctx *c, const struct over *o))
{
    unsigned count;
    enum err status = OK;
    struct over *all = NEW_ARRAY(c->arena, struct over, AT_ONCE);
    TRY_PTR(all);
    TRY(list_over(c, sql, all, &count));
    for (unsigned i = 0; i < count; i++) {
        enum err one = act(c, &all[i]);
        if (status == OK)
            status = one;
    }
    return status;
}

static enum err run_aside_end(struct db *db, struct write *w)
{
    const struct ending *e = w->arg;
    return db_run(db, SQL_DSR_MAIL_END, NULL, ARGS(V_TEXT(e->o->tenant), V_ID(e->o->request), V_INT(e->now)));
}

static enum err end_aside(struct ctx *c, const struct over *o)
{
    struct ctx own = *c;
    struct ending e = { o, c->now };
    own.tenant = o->tenant;
    struct write w = {
        .run = run_aside_end, .arg = &e, .truncate = true, .event = event_of(&own, NULL, TEXT("request.aside.over"))
    };
    return write_do(&own, &w, NULL);
}

static enum err remind_one(struct ctx *c, const struct over *o) { return remind(c, o->tenant, o->request); }

enum err dsr_tick(struct ctx *c)
{
    enum err reminded = each(c, SQL_DSR_REMIND, remind_one), destroyed = each(c, SQL_DSR_PROOF_OVER, destroy);
    TRY(each(c, SQL_DSR_OVER, end_one));
    TRY(each(c, SQL_DSR_MAIL_OVER, end_aside));
    TRY(destroyed);
    return reminded;
}

/* ---- The person's own. ---- */

static enum err put_own(struct ctx *c, const struct dsr *d, struct json_out *w)
{
    json_open(w, '{');
    TRY(dsr_put_head(c, d, w));
    json_pair(w, TEXT("text"), d->file.text.n ? d->file.text : (text){ NULL, 0 });
    json_pair(w, TEXT("question"), d->file.question.n ? d->file.question : (text){ NULL, 0 });
    json_pair(w, TEXT("answer"), d->file.answer.n ? d->file.answer : (text){ NULL, 0 });
    json_pair(w, TEXT("reasons"), d->file.reasons.n ? d->file.reasons : (text){ NULL, 0 });
    TRY(dsr_put_history(c, d, DSR_NOTES_own, w));
    TRY(dsr_put_mails(c, d, w));
    dsr_put_moves(c, d, DSR_BY_asker, w);
    json_close(w, '}');
    return OK;
}

enum { OWN_MOST = 500 };

/* What is entered about somebody, and not known to be theirs, is not told to them as such. */
static enum err put_requests(struct ctx *c, const struct person *p, struct json_out *w)
{
    struct subject_id *ids = NEW_ARRAY(c->arena, struct subject_id, OWN_MOST);
    unsigned count = 0;
    TRY_PTR(ids);
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_DSR_OF, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
        while (query_next(&q)) {
            if (count == OWN_MOST)
                return say(c->arena, ERR_TOO_LARGE, "more than %d requests of one person", OWN_MOST);
            memcpy(&ids[count++], query_get(&q, DSR_OF, id).p, sizeof *ids);
        }
        TRY(q.status);
    }
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++) {
        struct dsr d;
        TRY(dsr_load(c, ids[i], &d));
        if (dsr_identified(&d))
            TRY(put_own(c, &d, w));
    }
    json_close(w, ']');
    return OK;
}

const struct feature dsr_feature = {
    .name = TEXT_INIT("dsr"), .member = TEXT_INIT("requests"), .put = put_requests, .tick = dsr_tick, .came = dsr_came
};

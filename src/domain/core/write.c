/* The domain's door to the store: events, idempotency in the same commit, refusals on record. */
#include "domain/core/card_guard.h"
#include "domain/core/write.h"
#include "domain/core/budget.h"
#include "domain/core/decided.h"
#include "domain/core/idempotency.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/core/written.h"

enum { IDEMPOTENCY_KEPT = 24 * HOUR };

struct event event_of(const struct ctx *c, const struct person *p, text act)
{
    struct event e = { .act = act,
                       .tenant = c->tenant,
                       .actor = c->actor.name,
                       .by = c->actor.by,
                       .policy = c->policy->hash,
                       .count = -1 };
    if (p) {
        e.subject = p->id;
        e.has_subject = true;
        e.who = p->who;
    }
    return e;
}

text event_categories(struct ctx *c, const struct bits *set)
{
    BUF_AUTO b = buf_make(1 << 16);
    for (unsigned i = 0; i < c->policy->category_count; i++)
        if (bits_has(set, i)) {
            if (b.n)
                buf_char(&b, ',');
            buf_add(&b, c->policy->categories[i].name);
        }
    return buf_made(c->arena, &b);
}

/* ---- Idempotency: the answer's row joins the commit of the write. ---- */

/* Keys are each caller's own: tenant and token name, hashed to one column. */
static struct digest caller(const struct ctx *c)
{
    struct digest d;
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, TEXT("idempotency"), c->actor.token, &d);
    return d;
}

/* The key as it is kept: callers choose it, and may choose what is personal. */
static text kept_key(const struct ctx *c)
{
    struct digest d;
    BUF_AUTO b = buf_make(2 * sizeof d);
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, TEXT("idempotency-key"), c->idempotency.key, &d);
    buf_hex(&b, TEXT_BYTES(d));
    return buf_made(c->arena, &b);
}

static enum err pack_answer(struct ctx *c, const struct answer *answer, text *out)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("body"), answer->body);
    json_pair(&w, TEXT("id"), answer->id);
    json_pair_int(&w, TEXT("version"), answer->version);
    json_close(&w, '}');
    text clear;
    TRY(buf_take(c->arena, &b, &clear));
    return written_seal(ctx_store(c), c->arena, TEXT(""), TEXT("idempotency"), clear, out);
}

static enum err unpack_answer(struct ctx *c, text kept, struct answer *out)
{
    const struct json *v;
    text packed;
    TRY(written_open(ctx_store(c), c->arena, TEXT(""), TEXT("idempotency"), kept, &packed));
    TRY(json_parse(c->arena, packed, &v));
    *out = (struct answer){ .body = json_text(v, TEXT("body")), .id = json_text(v, TEXT("id")) };
    json_int(json_get(v, TEXT("version")), &out->version);
    return OK;
}

enum err idempotency_find(struct ctx *c, bool *found, struct answer *out)
{
    *found = false;
    if (!c->idempotency.key.p)
        return OK;
    text request = { NULL, 0 }, packed = { NULL, 0 };
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        struct digest who = caller(c);
        query_start(&q, db, SQL_IDEMPOTENCY_FIND,
                    ARGS(V_BYTES(TEXT_BYTES(who)), V_TEXT(kept_key(c)), V_INT(c->now - IDEMPOTENCY_KEPT)));
        if (query_next(&q)) {
            request = arena_copy(c->arena, query_get(&q, IDEMPOTENCY_FIND, request));
            packed = arena_copy(c->arena, query_get(&q, IDEMPOTENCY_FIND, answer));
            *found = true;
        }
        TRY(q.status);
    }
    if (!*found)
        return OK;
    if (!text_eq(request, TEXT_BYTES(c->idempotency.request)))
        return say(c->arena, ERR_CONFLICT, "this Idempotency-Key was used for another request");
    return unpack_answer(c, packed, out);
}

struct kept {
    struct ctx *c;
    struct digest caller;
    text key;
    enum err (*run)(struct db *db, struct write *w);
    void *arg;
    text answer;
};

static enum err run_and_keep(struct db *db, struct write *w)
{
    struct kept *k = w->arg;
    int64_t inserted;
    bool of_person = w->event.has_subject && !w->shred_count; /* the answer to an erasure outlives the person */
    /* First the key: a second request that raced this one finds it taken before anything is written. */
    TRY(db_run(db, SQL_IDEMPOTENCY_ADD, &inserted,
               ARGS(V_BYTES(TEXT_BYTES(k->caller)), V_TEXT(k->key), V_BYTES(TEXT_BYTES(k->c->idempotency.request)),
                    V_BYTES(k->answer), V_INT(k->c->now), V_INT(k->c->now - IDEMPOTENCY_KEPT), V_TEXT(k->c->tenant),
                    of_person ? V_ID(w->event.subject) : V_NULL)));
    if (!inserted)
        return say(db_arena(db), ERR_CONFLICT, "a request with this Idempotency-Key is being done");
    if (!k->run)
        return OK;
    w->arg = k->arg;
    enum err status = k->run(db, w);
    w->arg = k;
    return status;
}

/* ---- Decisions are asked again inside the write, before anything is written. ---- */

struct asking {
    struct ctx *c;
    enum err (*run)(struct db *db, struct write *w);
    void *arg;
};

static enum err ask_and_run(struct db *db, struct write *w)
{
    struct asking *a = w->arg;
    TRY(decided_ask(a->c, db));
    if (!a->run)
        return OK;
    w->arg = a->arg;
    enum err status = a->run(db, w);
    w->arg = a;
    return status;
}

static enum err write_asked(struct ctx *c, struct write *w)
{
    TRY(card_guard_write(c));
    struct asking a = { c, w->run, w->arg };
    w->run = ask_and_run;
    w->arg = &a;
    enum err status = store_write(ctx_store(c), c->arena, w);
    w->run = a.run;
    w->arg = a.arg;
    const struct refused *r = decided_refused(c, status);
    if (r)
        return write_refusal(c, r->has_person ? &r->person : NULL, r->purpose, r->categories);
    if (status == OK)
        decided_done(c);
    return status;
}

/* Whatever decided it: a role that must say why writes about nobody but themselves without a reason. */
static enum err check_reason(struct ctx *c, const struct event *e)
{
    const struct person p = { .id = e->subject, .who = e->who };
    bool own = c->actor.has_self && e->has_subject && memcmp(&c->actor.self, &e->subject, sizeof e->subject) == 0;
    return own ? OK : look_allow(c, e->has_subject ? &p : NULL, e->purpose, NULL);
}

enum err write_do(struct ctx *c, struct write *w, const struct answer *answer)
{
    TRY(check_reason(c, &w->event));
    if (c->dry)
        return OK;
    TRY(budget_spend(c, w));
    TRY(look_seal_act(c, &w->event));
    if (!c->idempotency.key.p || !answer)
        return write_asked(c, w);
    struct kept k = { .c = c, .caller = caller(c), .key = kept_key(c), .run = w->run, .arg = w->arg };
    TRY(pack_answer(c, answer, &k.answer));
    w->run = run_and_keep;
    w->arg = &k;
    enum err status = write_asked(c, w);
    w->run = k.run;
    w->arg = k.arg;
    return status;
}

static enum err run_and_keep_again(struct db *db, struct write *w)
{
    struct kept *k = w->arg;
    TRY(db_run(db, SQL_IDEMPOTENCY_PUT, NULL,
               ARGS(V_BYTES(TEXT_BYTES(k->caller)), V_TEXT(k->key), V_BYTES(k->answer))));
    w->arg = k->arg;
    enum err status = k->run ? k->run(db, w) : OK;
    w->arg = k;
    return status;
}

enum err write_do_again(struct ctx *c, struct write *w, const struct answer *answer)
{
    TRY(card_guard_write(c));
    if (!c->idempotency.key.p)
        return store_write(ctx_store(c), c->arena, w);
    struct kept k = { .c = c, .caller = caller(c), .key = kept_key(c), .run = w->run, .arg = w->arg };
    TRY(pack_answer(c, answer, &k.answer));
    w->run = run_and_keep_again;
    w->arg = &k;
    enum err status = store_write(ctx_store(c), c->arena, w);
    w->run = k.run;
    w->arg = k.arg;
    return status;
}

enum err write_refusal(struct ctx *c, const struct person *p, text purpose, text categories)
{
    struct why why = c->arena->why;
    if (c->dry)
        return why.code;
    if (decided_inside(c)) {
        decided_refuse(c, p, purpose, categories);
        return why.code;
    }
    struct write w = { .event = event_of(c, p, TEXT("refusal")) };
    w.event.outcome = OUTCOME_REFUSED;
    w.event.purpose = purpose;
    w.event.categories = categories;
    w.event.clause = why.clause ? why.clause->path : err_row(why.code)->slug;
    TRY(store_write(ctx_store(c), c->arena, &w));
    c->arena->why = why;
    return why.code;
}

enum err write_refused(struct ctx *c, const struct person *p, enum err status)
{
    return status == ERR_UNDECLARED || status == ERR_CARD_NUMBER ? write_refusal(c, p, TEXT(""), TEXT("")) : status;
}

enum err write_person_there(struct db *db, text tenant, struct subject_id id)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBJECT_THERE, ARGS(V_TEXT(tenant), V_ID(id)));
    if (query_next(&q))
        return OK;
    return q.status != OK ? q.status : say(db_arena(db), ERR_NOT_FOUND, "there is no such person");
}

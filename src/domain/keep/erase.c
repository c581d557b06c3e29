/* Erasure: what is kept and why, then keys, rows and certificate in one write. */
#include "domain/person/look_at.h"
#include "domain/keep/erasing.h"
#include "domain/person/record.h"
#include "domain/person/person.h"
#include "domain/core/feature.h"
#include "domain/core/id.h"
#include "base/decode.h"
#include "domain/core/named.h"
#include "domain/person/owed.h"
#include "domain/person/held.h"
#include "domain/core/instance.h"
#include "domain/person/keeping.h"
#include "domain/person/account.h"
#include "domain/mail/mail.h"
#include "base/log.h"
#include "domain/core/actor.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "store/tables.h"

/* ---- What is kept (GDPR 17(3)). ---- */

enum { KEPT_MAX = 512 }; /* kinds of rows, and so classes of keys */
enum place_kept { KEPT_RECORD, KEPT_ATTACHMENT, KEPT_FORMER };
/* Rows of one table, category and key class that outlive their person. */
struct kept {
    enum place_kept where;
    text category, ground, ground_fr, clause; /* ground: in English, as the certificate has it */
    const struct retention *by;               /* whose ground it is; NULL: a hold's */
    uint32_t from, key_class;                 /* the class they are under now, and will be */
    int64_t rows;
    msec until; /* 0: until the hold is released */
};

struct erasing {
    struct ctx *c;
    struct person *p;
    text ground;
    struct subject_id certificate;
    struct certified *certified; /* for who certifies it, when it was written */
    struct keeping keeping;
    struct kept *kept;
    unsigned kept_count, kept_room;
    uint32_t classes[KEPT_MAX];
    unsigned class_count;
    struct key_put *puts;
    unsigned put_count;
    text keep;                              /* words for tables.def: consents, holds */
    int64_t consent_count, objection_count; /* rows of the ledger; those of objections among them */
    bool keep_consents;
    int64_t key_count; /* keys there were */
    struct given *told;
    bool stale;             /* the second write found other things than the first */
    bool at_term;           /* by the sweep: a hold on all, or a restriction, stops it */
    struct outside outside; /* what the platform's own stores have to do */
    struct mail_put letter;
    bool has_letter; /* the last one, to the person */
    struct event event;
    struct buf facts;     /* of the certificate, up to the counts */
    text begun;           /* the same without counts */
    struct answer answer; /* kept for a repeated request until the certificate is signed */
};

/* Few people have more than a few kinds of rows that stay. */
static enum err kept_room(struct erasing *e)
{
    if (e->kept_count == KEPT_MAX)
        return say(e->c->arena, ERR_TOO_LARGE, "more than %d kinds of rows are held of one person", KEPT_MAX);
    if (e->kept_count < e->kept_room)
        return OK;
    unsigned room = e->kept_room ? e->kept_room * 2 : 8;
    struct kept *wider = NEW_ARRAY(e->c->arena, struct kept, room);
    TRY_PTR(wider);
    if (e->kept_count)
        memcpy(wider, e->kept, e->kept_count * sizeof *wider);
    e->kept = wider;
    e->kept_room = room;
    return OK;
}

/* The longest of what the policy and the holds say; false when nothing keeps it. */
static bool is_kept(const struct erasing *e, struct kept *k, msec newest)
{
    const struct kept_thing thing = { k->category, k->where == KEPT_FORMER, newest != 0, newest, newest };
    struct keeping_end end = keeping_end(e->c->policy, &e->keeping, &thing);
    bool endless = !end.own,
         term = endless || end.own > e->c->now; /* of an erased person, what has no end has a term without one */
    bool by_policy = term && (!end.hold || (!end.open && (endless || end.own >= end.hold->until)));
    k->until = end.until;
    k->ground = by_policy ? end.by->ground : end.hold ? end.hold->ground : TEXT("");
    k->ground_fr = by_policy ? end.by->ground_fr : end.hold ? end.hold->ground_fr : TEXT("");
    k->clause = by_policy ? end.by->clause.path : TEXT("");
    k->by = by_policy ? end.by : NULL;
    return end.hold || by_policy;
}

static enum err list_kept(struct db *db, struct erasing *e)
{
    struct ctx *c = e->c;
    QUERY_AUTO q;
    query_start(&q, db, SQL_HELD_ROWS, ARGS(V_TEXT(c->tenant), V_ID(e->p->id)));
    while (query_next(&q)) {
        struct kept k = { .where = (enum place_kept)query_get(&q, HELD_ROWS, kind),
                          .category = arena_copy(c->arena, query_get(&q, HELD_ROWS, category)),
                          .from = (uint32_t)query_get(&q, HELD_ROWS, class),
                          .rows = query_get(&q, HELD_ROWS, count) };
        TRY_PTR(k.category.p);
        if (!is_kept(e, &k, query_get(&q, HELD_ROWS, at)))
            continue;
        TRY(kept_room(e));
        k.key_class = k.from ? k.from : record_class_apart(k.where == KEPT_FORMER ? TEXT("former") : k.category);
        e->kept[e->kept_count++] = k;
    }
    return q.status;
}

static enum err add_class(struct erasing *e, uint32_t key_class)
{
    for (unsigned i = 0; i < e->class_count; i++)
        if (e->classes[i] == key_class)
            return OK;
    if (e->class_count == KEPT_MAX)
        return say(e->c->arena, ERR_TOO_LARGE, "more than %d keys are held of one person", KEPT_MAX);
    e->classes[e->class_count++] = key_class;
    return OK;
}

/* Objections have a term of their own, where the policy says one: the longest counts for the whole. */
static msec proofs_until(const struct erasing *e)
{
    const struct policy *p = e->c->policy;
    msec consents = retention_own_due(policy_retention(p, TEXT("consents")), e->c->now);
    const struct retention *objections = policy_retention(p, TEXT("objections"));
    msec until = objections && e->objection_count ? retention_own_due(objections, e->c->now) : 0;
    bool others = e->consent_count > e->objection_count || !objections;
    return others && consents > until ? consents : until;
}

/* Words of tables.def: milestones and holds stay as long as something is kept whose end they tell; proofs of consent
 * where the policy has a ground for them, to their own term (Art. 17(3)(e), 7(1)). */
static void keep_words(struct erasing *e)
{
    const struct retention *r = policy_retention(e->c->policy, TEXT("consents"));
    e->keep_consents = r && r->ground.n && e->consent_count && proofs_until(e) > e->c->now;
    e->keep = e->keep_consents ? e->kept_count ? TEXT("holds,consents") : TEXT("consents")
              : e->kept_count ? TEXT("holds")
                               : TEXT("");
}

/* ---- Facts of the certificate; counts come last, from inside the write. ---- */

static text title_of(const struct ctx *c, text category)
{
    int index = policy_category(c->policy, category);
    if (index < 0)
        return category;
    const struct category *cat = &c->policy->categories[index];
    text title = text_eq(c->language, TEXT("fr")) ? cat->title_fr : cat->title_en;
    return title.n ? title : category;
}

static text ground_said(const struct ctx *c, const struct kept *k) { return doc_in(c, k->ground, k->ground_fr); }

static void put_one_kept(const struct erasing *e, struct json_out *w, const struct kept *k, text title)
{
    json_open(w, '{');
    json_pair(w, TEXT("category"), k->category);
    json_pair(w, TEXT("title"), title);
    json_pair(w, TEXT("ground"), ground_said(e->c, k));
    json_pair(w, TEXT("clause"), k->clause.n ? k->clause : (text){ NULL, 0 });
    json_pair(w, TEXT("until"), k->until ? time_print(e->c->arena, k->until) : (text){ NULL, 0 });
    json_pair_int(w, TEXT("records"), k->rows);
    json_close(w, '}');
}

/* All of one category's: its tables and keys are no matter to the person. False for those behind the first. */
static bool whole_category(const struct erasing *e, unsigned i, struct kept *all)
{
    bool first = true;
    *all = e->kept[i];
    all->rows = 0;
    for (unsigned j = 0; j < e->kept_count; j++) {
        const struct kept *other = &e->kept[j];
        if (!text_eq(other->category, all->category))
            continue;
        first &= j >= i;
        all->rows += other->rows;
        if (all->until && (!other->until || other->until > all->until)) {
            all->until = other->until;
            all->ground = other->ground;
            all->ground_fr = other->ground_fr;
            all->clause = other->clause;
            all->by = other->by;
        }
    }
    return first;
}

static struct kept proofs_kept(const struct erasing *e)
{
    const struct retention *r = policy_retention(e->c->policy, TEXT("consents"));
    return (struct kept){ .category = TEXT("consents"),
                          .ground = r->ground,
                          .ground_fr = r->ground_fr,
                          .clause = r->clause.path,
                          .by = r,
                          .rows = e->consent_count,
                          .until = proofs_until(e) };
}

static text proofs_title(const struct ctx *c) { return doc_kept(c, TEXT("consents"), TEXT("")); }

static void put_kept(const struct erasing *e, struct json_out *w)
{
    struct kept all;
    json_open(w, '[');
    for (unsigned i = 0; i < e->kept_count; i++)
        if (whole_category(e, i, &all))
            put_one_kept(e, w, &all, title_of(e->c, all.category));
    if (e->keep_consents) {
        const struct kept proofs = proofs_kept(e);
        put_one_kept(e, w, &proofs, proofs_title(e->c));
    }
    json_close(w, ']');
}

static enum err put_facts(struct erasing *e)
{
    struct ctx *c = e->c;
    struct json_out w = json_out(&e->facts);
    json_open(&w, '{');
    json_pair(&w, TEXT("kind"), TEXT("erasure"));
    json_pair(&w, TEXT("id"), id_print(c->arena, e->certificate));
    json_pair(&w, TEXT("tenant"), c->tenant);
    json_pair(&w, TEXT("controller"), ctx_controller(c).legal_name);
    json_pair(&w, TEXT("at"), time_print(c->arena, c->now));
    json_name(&w, TEXT("pseudonym"));
    json_put_hex(&w, TEXT_BYTES(e->p->who));
    json_pair(&w, TEXT("ground"), e->ground);
    json_name(&w, TEXT("policy"));
    json_open(&w, '{');
    json_pair(&w, TEXT("id"), c->policy->id);
    json_pair(&w, TEXT("version"), c->policy->version);
    json_pair(&w, TEXT("hash"), text_of(c->policy->hash));
    json_close(&w, '}');
    json_name(&w, TEXT("keys"));
    json_open(&w, '{');
    json_pair_int(&w, TEXT("destroyed"), e->key_count + e->put_count - e->class_count);
    json_pair_int(&w, TEXT("kept"), e->class_count);
    json_close(&w, '}');
    json_name(&w, TEXT("kept"));
    put_kept(e, &w);
    json_name(&w, TEXT("recipients_to_tell"));
    json_open(&w, '[');
    for (const struct given *t = e->told; t; t = t->next)
        json_put_text(&w, t->recipient);
    json_close(&w, ']');
    json_name(&w, TEXT("rows_erased"));
    TRY(arena_whole(c->arena));
    return buf_check(c->arena, &e->facts);
}

/* ---- Taking stock. ---- */

static enum err count_keys(struct erasing *e)
{
    READ_AUTO keys = NULL;
    TRY(store_read_keys(ctx_store(e->c), e->c->arena, &keys));
    QUERY_AUTO q;
    query_start(&q, keys, SQL_KEY_CLASSES, ARGS(V_TEXT(e->c->tenant), V_ID(e->p->id)));
    while (query_next(&q))
        e->key_count++;
    return q.status;
}

/* ERR_PRECONDITION when the sweep may not erase the person now. */
static enum err stops_the_sweep(const struct erasing *e)
{
    bool stops = e->at_term && (e->keeping.restricted || keeping_hold(&e->keeping, TEXT("*")));
    return stops ? say(e->c->arena, ERR_PRECONDITION, "a hold or a restriction stops the erasure at its term") : OK;
}

static enum err take_stock_in(struct db *db, struct erasing *e)
{
    struct ctx *c = e->c;
    TRY(keeping_load(db, c->arena, c->tenant, e->p->id, c->now, &e->keeping));
    TRY(stops_the_sweep(e));
    e->keeping = keeping_ended(&e->keeping, c->now);
    TRY(list_kept(db, e));
    TRY(owed_given(db, c->arena, c->policy, c->tenant, e->p->id, NULL, 0, &e->told));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CONSENT_COUNT, ARGS(V_TEXT(c->tenant), V_ID(e->p->id)));
    if (query_next(&q)) {
        e->consent_count = query_get(&q, CONSENT_COUNT, count);
        e->objection_count = query_get(&q, CONSENT_COUNT, objections);
    }
    return q.status;
}

/* ---- First write: what is kept gets keys that outlive the person's. ---- */

static enum err put_apart(struct erasing *e, const struct kept *k)
{
    struct ctx *c = e->c;
    KEY_AUTO key;
    enum err status = store_key(ctx_store(c), c->arena, c->tenant, e->p->id, k->key_class, &key);
    if (status != ERR_ERASED)
        return status;
    for (unsigned i = 0; i < e->put_count; i++)
        if (e->puts[i].key_class == k->key_class)
            return OK;
    struct key_put *put = &e->puts[e->put_count++];
    *put = (struct key_put){ .tenant = c->tenant, .subject = e->p->id, .key_class = k->key_class };
    key_derive(&e->p->key, k->where == KEPT_FORMER ? TEXT("former") : k->category, &key);
    key_wrap(store_master(ctx_store(c)), c->tenant, e->p->id, k->key_class, &key, put->wrapped);
    return OK;
}

/* The same, but for the class of what the first write has set apart meanwhile. */
static bool same_kept(const struct kept *now, const struct kept *then)
{
    return now->where == then->where && text_eq(now->category, then->category) && now->key_class == then->key_class &&
           now->rows == then->rows && now->until == then->until && text_eq(now->ground, then->ground) &&
           text_eq(now->clause, then->clause);
}

/* What is kept, told and counted was found outside the write: found again inside it, it must be the same, or all begins
 * anew. So a hold that was acknowledged is kept, and the certificate tells what there was. Ends ERR_CONFLICT. */
static enum err same_stock(struct db *db, struct erasing *e)
{
    struct erasing now = { .c = e->c, .p = e->p, .at_term = e->at_term };
    TRY(write_person_there(db, e->c->tenant, e->p->id));
    TRY(take_stock_in(db, &now));
    bool same = now.kept_count == e->kept_count && now.consent_count == e->consent_count;
    for (unsigned i = 0; same && i < now.kept_count; i++)
        same = same_kept(&now.kept[i], &e->kept[i]);
    const struct given *a = now.told, *b = e->told;
    for (; same && a && b; a = a->next, b = b->next)
        same = text_eq(a->recipient, b->recipient) && text_eq(a->disclosures, b->disclosures);
    e->stale = !same || a || b;
    return !e->stale ? OK : say(db_arena(db), ERR_CONFLICT, "what is held of the person changed meanwhile");
}

static enum err run_prepare(struct db *db, struct write *w)
{
    static const enum sql reclass[] = { SQL_RECORD_RECLASS, SQL_ATTACHMENT_RECLASS, SQL_FORMER_RECLASS };
    struct erasing *e = w->arg;
    text tenant = e->c->tenant;
    TRY(same_stock(db, e));
    TRY(db_run(db, SQL_TOKEN_HOLDER_END, NULL, ARGS(V_TEXT(tenant), V_ID(e->p->id), V_INT(e->c->now))));
    for (unsigned i = 0; i < e->kept_count; i++) {
        const struct kept *k = &e->kept[i];
        if (k->from)
            continue;
        struct val args[] = { V_TEXT(tenant), V_ID(e->p->id), V_TEXT(k->category), V_INT(k->key_class) };
        if (k->where == KEPT_ATTACHMENT)
            TRY(db_run(db, SQL_ATTACHMENT_PART_RECLASS, NULL, args, 4));
        TRY(db_run(db, reclass[k->where], NULL, args, 4));
    }
    if (e->has_letter)
        TRY(mail_run_last_ready(db, &e->letter));
    TRY(feature_outside_run(db, e->c, &e->outside));
    text kept;
    TRY(written_seal(db_store(db), db_arena(db), tenant, TEXT("erasing"), e->begun, &kept));
    return db_run(db, SQL_ERASING_ADD, NULL,
                  ARGS(V_TEXT(tenant), V_ID(e->p->id), V_ID(e->certificate), V_INT(e->c->now), V_TEXT(kept)));
}

/* ---- The last letter. ---- */

static void say_kept(struct ctx *c, struct buf *b, const struct kept *k, text title)
{
    text day = k->until ? doc_time(c, time_print(c->arena, k->until)) : TEXT("");
    text ground = ground_said(c, k);
    buf_print(b, "%.*s%.*s (", T(b->n ? doc_in(c, TEXT("; "), TEXT(" ; ")) : TEXT("")), T(title));
    if (ground.n)
        buf_print(b, "%.*s, ", T(ground));
    if (k->until)
        buf_print(b, "%.*s %.*s)", T(doc_in(c, TEXT("until"), TEXT("jusqu'au"))), T(day));
    else
        buf_print(
            b, "%.*s)",
            T(doc_in(c, TEXT("until the duty to keep it ends"), TEXT("jusqu'à la fin de l'obligation de conserver"))));
}

static enum err make_letter_in(struct erasing *e, struct ctx *said)
{
    struct kept all;
    BUF_AUTO b = buf_make(256 << 10);
    text kept;
    for (unsigned i = 0; i < e->kept_count; i++)
        if (whole_category(e, i, &all))
            say_kept(said, &b, &all, title_of(said, all.category));
    if (e->keep_consents) {
        all = proofs_kept(e);
        say_kept(said, &b, &all, proofs_title(said));
    }
    TRY(buf_take(said->arena, &b, &kept));
    const struct pair_text values[] = { { TEXT("at"), time_print(said->arena, said->now) },
                                        { TEXT("kept"), kept },
                                        { TEXT("certificate"), id_print(said->arena, e->certificate) } };
    return mail_make_last(said, e->p, said->language, e->certificate, &(struct letter_values){ values, 3 }, &e->letter);
}

enum err erase_may_tell(struct ctx *c, const struct person *p, bool *may)
{
    struct account account;
    TRY(account_load(c, p->id, &account));
    *may = !account.there || text_eq(account.state, ACCOUNT_OPEN);
    return OK;
}

bool erase_untold(enum err status)
{
    bool none = status == ERR_MISSING || status == ERR_CONFIG; /* nothing to remark on */
    bool unfit = status == ERR_VALUE || record_unreadable(status);
    if (unfit)
        LOG(LOG_WARN, "erasure.not-told", LOG_TEXT("code", err_row(status)->slug));
    return none || unfit;
}

/* To the last address there is. Whoever has none that a letter can reach is erased all the same. */
static enum err make_letter(struct erasing *e)
{
    struct ctx said = *e->c;
    struct why why = said.arena->why;
    bool may = true;
    if (e->at_term)
        TRY(erase_may_tell(&said, e->p, &may));
    if (!may)
        return OK;
    TRY(mail_language(&said, e->p, &said.language));
    enum err status = make_letter_in(e, &said);
    e->has_letter = status == OK;
    if (!erase_untold(status))
        return status;
    said.arena->why = why;
    return OK;
}

/* {"facts", "tell": [{"recipient", "disclosures", "categories", "duty"}]}: the certificate's text, and who is told of
 * it, since what was disclosed goes with the rows. */
static enum err put_begun(struct erasing *e, text facts)
{
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    TRY_PTR(facts.p);
    json_open(&w, '{');
    json_pair(&w, TEXT("facts"), facts);
    json_name(&w, TEXT("tell"));
    json_open(&w, '[');
    for (const struct given *t = e->told; t; t = t->next) {
        json_open(&w, '{');
        json_pair(&w, TEXT("recipient"), t->recipient);
        json_pair(&w, TEXT("disclosures"), t->disclosures);
        json_pair(&w, TEXT("categories"), t->categories);
        json_pair(&w, TEXT("duty"), id_print(e->c->arena, t->duty));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    TRY(arena_whole(e->c->arena));
    return buf_take(e->c->arena, &b, &e->begun);
}

/* Durable before any key is destroyed: a crash between the two leaves a person who is whole, one after it a certificate
 * to complete. */
static enum err prepare(struct erasing *e)
{
    struct ctx *c = e->c;
    text facts;
    e->puts = NEW_ARRAY(c->arena, struct key_put, e->kept_count + 2);
    TRY_PTR(e->puts);
    for (unsigned i = 0; i < e->kept_count; i++) {
        TRY(add_class(e, e->kept[i].key_class));
        if (!e->kept[i].from)
            TRY(put_apart(e, &e->kept[i]));
    }
    keep_words(e);
    TRY(put_facts(e));
    TRY(buf_lend(c->arena, &e->facts, &facts));
    TRY(put_begun(e, arena_print(c->arena, "%.*snull}", T(facts))));
    TRY(make_letter(e));
    e->outside = (struct outside){ .act = OUTSIDE_erase, .id = e->certificate };
    TRY(feature_outside(c, e->p, &e->outside));
    if (e->outside.any)
        e->puts[e->put_count++] = e->outside.put;
    struct write w = { .run = run_prepare,
                       .arg = e,
                       .puts = e->puts,
                       .put_count = e->put_count,
                       .urgent = true,
                       .event = event_of(c, e->p, TEXT("subject.erase.begun")) };
    w.event.count = e->kept_count;
    return write_do(c, &w, NULL);
}

/* ---- Second write: the erasure. ---- */

static enum err keep_rows(struct db *db, const struct erasing *e)
{
    static const enum sql keep[] = { SQL_RECORD_KEEP, SQL_ATTACHMENT_KEEP, SQL_FORMER_KEEP };
    struct val person[] = { V_TEXT(e->c->tenant), V_ID(e->p->id), V_NULL, V_NULL };
    const struct starts *s = &e->keeping.starts;
    for (unsigned i = 0; i < e->kept_count; i++)
        TRY(db_run(
            db, keep[e->kept[i].where], NULL,
            ARGS(person[0], person[1], V_TEXT(e->kept[i].category), V_INT(e->kept[i].key_class), V_INT(e->c->now))));
    if (!e->kept_count)
        return OK;
    const struct {
        text name;
        msec at;
    } ends[] = { { TEXT("contract_end"), s->contract_end },
                 { TEXT("closure"), s->closure },
                 { TEXT("withdrawal"), s->withdrawal } };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        person[2] = V_TEXT(ends[i].name);
        person[3] = V_INT(ends[i].at);
        TRY(db_run(db, SQL_MILESTONE_PUT, NULL, person, 4));
    }
    return OK;
}

static void put_counts(struct buf *b, const int64_t *counts)
{
    struct json_out w = json_out(b);
    json_open(&w, '{');
    for (unsigned t = 0; t < TABLE_COUNT; t++)
        if (counts[t])
            json_pair_int(&w, table_row((enum table)t)->name, counts[t]);
    json_close(&w, '}');
}

enum err erasing_certify(struct db *db, const struct ctx *c, struct subject_id person, struct subject_id id, msec at,
                         text facts, uint64_t entry)
{
    text tenant = c->tenant;
    TRY(mail_run_last_go(db, c, tenant, id));
    TRY(feature_outside_end(db, c, id, true));
    text kept;
    TRY(db_run(db, SQL_ERASING_DROP, NULL, ARGS(V_TEXT(tenant), V_ID(person))));
    TRY(written_seal(db_store(db), db_arena(db), tenant, TEXT("certificate"), facts, &kept));
    return db_run(db, SQL_CERTIFICATE_ADD, NULL,
                  ARGS(V_TEXT(tenant), V_ID(id), V_INT(at), V_TEXT(kept), V_INT((int64_t)entry)));
}

static enum err run_erase(struct db *db, struct write *w)
{
    struct erasing *e = w->arg;
    struct ctx *c = e->c;
    int64_t counts[TABLE_COUNT], rows = 0;
    uint64_t entry;
    size_t fixed = e->facts.n;
    TRY(same_stock(db, e));
    TRY(keep_rows(db, e));
    if (e->keep_consents)
        TRY(db_run(db, SQL_CONSENT_CLOSE, NULL,
                   ARGS(V_TEXT(c->tenant), V_ID(e->p->id), V_INT(c->now), V_TEXT(c->policy->version))));
    for (const struct given *t = e->told; t; t = t->next)
        TRY(duty_tell(db, c->tenant, t->duty, NULL, TEXT("tell"), t, c->now));
    TRY(db_run(db, SQL_SUBJECT_END, NULL, ARGS(V_TEXT(c->tenant), V_ID(e->p->id))));
    TRY(db_run(db, SQL_TEAM_LEAVE, NULL, ARGS(V_TEXT(c->tenant), V_ID(e->p->id))));
    TRY(store_erase(db, c->tenant, e->p->id, e->classes, e->class_count, e->keep, counts));
    for (unsigned t = 0; t < TABLE_COUNT; t++)
        rows += counts[t];
    e->event.count = rows;
    TRY(journal_add(db, &e->event, &entry));
    put_counts(&e->facts, counts);
    buf_char(&e->facts, '}');
    text facts;
    enum err status = buf_lend(db_arena(db), &e->facts, &facts);
    if (status == OK)
        status = erasing_certify(db, c, e->p->id, e->certificate, c->now, facts, entry);
    e->certified->entry = entry;
    e->certified->facts = status == OK ? arena_copy(db_arena(db), facts) : (text){ NULL, 0 };
    e->facts.n = fixed; /* a group may be run again */
    return status;
}

static enum err take_stock(struct erasing *e)
{
    struct ctx *c = e->c;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    return take_stock_in(db, e);
}

static void free_facts(struct erasing *e) { buf_free(&e->facts); }

static enum err erase_once(struct ctx *c, struct person *p, text ground, struct certified *out, bool *again)
{
    CLEANUP(free_facts)
    struct erasing e = { .c = c,
                         .p = p,
                         .ground = ground,
                         .certificate = out->id,
                         .certified = out,
                         .facts = buf_make(1 << 20),
                         .at_term = text_eq(ground, TEXT("term")) };
    TRY(take_stock(&e));
    for (struct given *t = e.told; t; t = t->next)
        t->duty = id_make(c->now); /* drawn before the write, which may run twice */
    TRY(count_keys(&e));
    enum err status = prepare(&e);
    *again = status == ERR_CONFLICT; /* another erasure of the same person set the same apart */
    TRY(status);
    e.event = event_of(c, p, TEXT("subject.erase"));
    e.event.purpose = ground;
    e.answer.id = id_print(c->arena, e.certificate);
    e.answer.body = arena_print(c->arena, "{\"certificate\":{\"kind\":\"erasure\",\"id\":\"%.*s\"},\"jws\":null}",
                                T(e.answer.id));
    TRY_PTR(e.answer.body.p);
    struct key_shred shred = { .tenant = c->tenant,
                               .subject = p->id,
                               .all_but_held = true,
                               .kept = e.classes,
                               .kept_count = e.class_count,
                               .keep = e.keep };
    struct write w = { .run = run_erase,
                       .arg = &e,
                       .shreds = &shred,
                       .shred_count = 1,
                       .urgent = true,
                       .truncate = true,
                       .event = event_of(c, p, TEXT("certificate")) };
    status = write_do(c, &w, &e.answer);
    *again = e.stale;
    return status;
}

/* Whatever is added or held meanwhile is looked at anew: it was acknowledged, so others get on while this one tries
 * again. */
static enum err erase_person(struct ctx *c, struct person *p, text ground, struct certified *certificate)
{
    enum { TRIES = 20 };
    enum err status = OK;
    bool again = true;
    *certificate = (struct certified){ .id = id_make(c->now) };
    for (int i = 0; again && i < TRIES; i++) {
        again = false;
        status = erase_once(c, p, ground, certificate, &again);
    }
    TRY(status);
    transient_forget(c->app, c->tenant, p->id);
    return OK;
}

/* ---- Told before it is done. ---- */

static bool stays(const struct erasing *e, text category)
{
    for (unsigned i = 0; i < e->kept_count; i++)
        if (text_eq(e->kept[i].category, category))
            return true;
    return false;
}

/* Categories of which there is something, in the policy's order, but for those that stay. */
static enum err put_gone(struct erasing *e, struct json_out *w)
{
    struct ctx *c = e->c;
    struct bits held = { 0 };
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_HELD_ROWS, ARGS(V_TEXT(c->tenant), V_ID(e->p->id)));
    while (query_next(&q)) {
        int index = policy_category(c->policy, query_get(&q, HELD_ROWS, category));
        if (index >= 0)
            bits_add(&held, (unsigned)index);
    }
    json_open(w, '[');
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        if (!bits_has(&held, i) || stays(e, cat->name))
            continue;
        json_open(w, '{');
        json_pair(w, TEXT("category"), cat->name);
        json_pair(w, TEXT("title"), title_of(c, cat->name));
        json_close(w, '}');
    }
    json_close(w, ']');
    return q.status;
}

static enum err may_foresee(struct ctx *c, struct look *l) { return person_allow_act(c, &l->p, ACT_ERASE); }

static enum err show_foreseen(struct ctx *c, struct look *l, struct json_out *w)
{
    struct erasing e = { .c = c, .p = &l->p };
    TRY(take_stock(&e));
    keep_words(&e);
    json_name(w, TEXT("kept"));
    put_kept(&e, w);
    json_name(w, TEXT("gone"));
    TRY(put_gone(&e, w));
    json_name(w, TEXT("recipients_to_tell"));
    json_open(w, '[');
    for (const struct given *t = e.told; t; t = t->next)
        json_put_text(w, doc_recipient(c, policy_actor(c->policy, t->recipient)));
    json_close(w, ']');
    return OK;
}

enum err erase_foresee(struct ctx *c, text id, struct answer *out)
{
    struct look l = {
        .act = TEXT("read"), .purpose = TEXT("access"), .closed_too = true, .may = may_foresee, .show = show_foreseen
    };
    return look_at_person(c, id, &l, out);
}

/* ---- The two ways to ask for it. ---- */

/* The grounds of Art. 17(1), in its order, after the ordinary one. */
static enum err ground_of(struct ctx *c, const struct json *in, text *out)
{
    static const text grounds[] = { TEXT_INIT("request"),   TEXT_INIT("not_needed"), TEXT_INIT("withdrawal"),
                                    TEXT_INIT("objection"), TEXT_INIT("unlawful"),   TEXT_INIT("obligation"),
                                    TEXT_INIT("child") };
    text said = json_text(in, TEXT("ground"));
    *out = grounds[0];
    if (!json_get(in, TEXT("ground")))
        return OK;
    for (size_t i = 0; i < sizeof grounds / sizeof *grounds; i++)
        if (text_eq(grounds[i], said)) {
            *out = grounds[i];
            return OK;
        }
    return say(c->arena, ERR_VALUE,
               "\"ground\" is one of request, not_needed, withdrawal, objection, unlawful, obligation, child");
}

/* The request of an erasure that a crash cut short is repeated: it was done, and is certified now. */
static enum err answer_begun(struct ctx *c, text id, struct answer *out)
{
    struct subject_id subject, certificate;
    struct why why = c->arena->why;
    bool found = false;
    if (id_parse(id, &subject))
        TRY(erase_resume_one(c, subject, &found, &certificate));
    if (found) {
        TRY(person_allow_act(c, NULL, ACT_ERASE));
        return certificate_issue(c, certificate, false, out);
    }
    c->arena->why = why;
    return why.code;
}

/* On a thread that serves: who has much is erased by the crew, all others there, so that they share commits. */
static enum err erase_quick(struct ctx *c, const struct person *p)
{
    enum { QUICK_ROWS = 200 };
    if (!c->quick)
        return OK;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ERASE_SIZE, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_INT(QUICK_ROWS)));
    bool much = query_next(&q) && query_get(&q, ERASE_SIZE, count) >= QUICK_ROWS;
    TRY(q.status);
    return much ? say(c->arena, ERR_ASIDE, "%d rows and more are to be erased", QUICK_ROWS) : OK;
}

enum err erase_subject(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct certified certificate;
    text ground;
    TRY(ground_of(c, in, &ground));
    enum err status = person_open(c, id, true, &p);
    if (status == ERR_NOT_FOUND)
        return answer_begun(c, id, out);
    TRY(status);
    TRY(person_allow_act(c, &p, ACT_ERASE));
    if (c->actor.kind == ACTOR_PERSON)
        TRY(session_fresh(c)); /* whoever finds a browser left open must not undo a person for good */
    TRY(erase_quick(c, &p));
    TRY(erase_person(c, &p, ground, &certificate));
    return certificate_issue_new(c, &certificate, true, out);
}

enum err erase_at_term(struct ctx *c, struct subject_id id)
{
    PERSON_AUTO p = { 0 };
    struct certified certificate;
    struct answer answer;
    enum err status = person_open_anyway(c, id_print(c->arena, id), &p);
    if (status == ERR_NOT_FOUND)
        return OK;
    TRY(status);
    status = erase_person(c, &p, TEXT("term"), &certificate);
    if (status == ERR_PRECONDITION) /* held or restricted meanwhile: the next look sees it */
        return OK;
    TRY(status);
    return certificate_issue_new(c, &certificate, false, &answer);
}

/* ---- What was kept goes too. ---- */

struct leftover {
    struct ctx *c;
    text tenant;
    struct subject_id id;
    uint32_t *classes;
    unsigned class_count;
    text keep;
    struct key_shred shred;
};

static enum err add_leftover(struct leftover *l, unsigned *room, uint32_t key_class)
{
    if (l->class_count == *room) {
        uint32_t *wider = NEW_ARRAY(l->c->arena, uint32_t, *room = *room ? *room * 2 : 16);
        TRY_PTR(wider);
        if (l->class_count)
            memcpy(wider, l->classes, l->class_count * sizeof *wider);
        l->classes = wider;
    }
    l->classes[l->class_count++] = key_class;
    return OK;
}

static enum err list_leftover(struct db *db, struct leftover *l)
{
    unsigned room = 0;
    l->classes = NULL;
    l->class_count = 0;
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_LEFTOVER_CLASSES, ARGS(V_TEXT(l->tenant), V_ID(l->id)));
        while (query_next(&q))
            TRY(add_leftover(l, &room, (uint32_t)query_get(&q, LEFTOVER_CLASSES, class)));
        TRY(q.status);
    }
    QUERY_AUTO q;
    query_start(&q, db, SQL_CONSENT_COUNT, ARGS(V_TEXT(l->tenant), V_ID(l->id)));
    bool consents = query_next(&q) && query_get(&q, CONSENT_COUNT, count) > 0;
    /* Milestones and holds only tell the end of kept rows. */
    l->keep = consents         ? l->class_count ? TEXT("holds,consents") : TEXT("consents")
                      : l->class_count ? TEXT("holds")
                               : TEXT("");
    return q.status;
}

/* What is left is found here, inside the write; its keys are shredded after this. */
static enum err run_leftover(struct db *db, struct write *w)
{
    struct leftover *l = w->arg;
    TRY(list_leftover(db, l));
    l->shred.kept = l->classes;
    l->shred.kept_count = l->class_count;
    l->shred.keep = l->keep;
    w->event.count = l->class_count;
    return store_erase(db, l->tenant, l->id, l->classes, l->class_count, l->keep, NULL);
}

enum err erase_leftover(struct ctx *c, text tenant, struct subject_id id)
{
    struct leftover l = {
        .c = c, .tenant = tenant, .id = id, .shred = { .tenant = tenant, .subject = id, .all_but_held = true }
    };
    struct write w = { .run = run_leftover,
                       .arg = &l,
                       .shreds = &l.shred,
                       .shred_count = 1,
                       .urgent = true,
                       .truncate = true,
                       .event = { .act = TEXT("retention.erased"),
                                  .tenant = tenant,
                                  .actor = c->actor.name,
                                  .policy = c->policy->hash,
                                  .clause = TEXT("retention") } };
    return store_write(ctx_store(c), c->arena, &w);
}

/* The sweep: archives and erases what is due, in bounded steps of one commit each, found by index and never by walking
 * people. */
#include "domain/keep/erasing.h"
#include "domain/core/block.h"
#include "domain/core/instance.h"
#include "domain/keep/hold.h"
#include "domain/mail/account_letter.h"
#include "domain/mail/mail.h"
#include "domain/person/person.h"
#include "domain/person/keeping.h"
#include "domain/person/owed.h"
#include "domain/core/id.h"
#include "policy/due.h"
#include "domain/core/write.h"
#include "store/tables.h"
#include "domain/core/feature.h"

enum { STEP = 500, STEP_PEOPLE = 50, STEP_MEMORY = 16 << 20 };

/* What was done, for the answer. */
struct tally {
    text name;
    int64_t erased, archived;
};
struct sweep {
    struct ctx *c;
    struct tally tallies[CATEGORIES_MAX + 8];
    unsigned tally_count;
    int64_t held, people, pruned;
    unsigned steps, limit; /* limit 0: as many as it takes */
};

static void count(struct sweep *s, text name, int64_t erased, int64_t archived)
{
    unsigned i = 0;
    while (i < s->tally_count && !text_eq(s->tallies[i].name, name))
        i++;
    if (i == sizeof s->tallies / sizeof *s->tallies)
        return;
    if (i == s->tally_count)
        s->tallies[s->tally_count++].name = arena_copy(s->c->arena, name);
    s->tallies[i].erased += erased;
    s->tallies[i].archived += archived;
}

/* ---- Things with a date of their own: records, former values, attachments, access to folders. ---- */

enum plan { PLAN_LATER, PLAN_ARCHIVE, PLAN_ERASE };
struct thing {
    text tenant, category;
    struct subject_id subject;
    struct val key; /* what tells it apart: item of a record, id of an attachment */
    int64_t version;
    msec at, event, due, next; /* event: what terms `from: event` run from, 0 for not yet; next: when to look again */
    uint32_t key_class;
    bool archived;
    enum plan plan;
};
/* Neighbours of one person and category: one journal entry for each of the two things done with them. */
struct lot {
    struct thing *first;
    unsigned count;
    const struct category *category; /* NULL: the policy no longer has it */
    bool erased_person;
    struct event event;
    struct subject_id told; /* the id before those of what recipients are told */
    int64_t archived, erased;
};
struct step {
    struct sweep *sweep;
    const struct table_kind *kind;
    struct arena *arena;
    struct thing *things;
    unsigned thing_count;
    struct lot *lots;
    unsigned lot_count;
    int64_t held;
};

static enum err read_subject(struct arena *a, text bytes, struct subject_id *out)
{
    if (bytes.n != sizeof *out)
        return say(a, ERR_INTEGRITY, "a row has a subject of %zu bytes", bytes.n);
    memcpy(out, bytes.p, sizeof *out);
    return OK;
}

static enum err list_due(struct db *db, struct step *st)
{
    struct arena *a = st->arena;
    QUERY_AUTO q;
    query_start(&q, db, st->kind->due, ARGS(V_INT(st->sweep->c->now), V_INT(STEP)));
    while (st->thing_count < STEP && query_next(&q)) {
        struct thing *t = &st->things[st->thing_count++];
        TRY(read_subject(a, query_get(&q, RECORD_DUE, subject), &t->subject));
        t->tenant = arena_copy(a, query_get(&q, RECORD_DUE, tenant));
        t->category = arena_copy(a, query_get(&q, RECORD_DUE, category));
        t->key = st->kind->flags & KIND_FILES ? V_BYTES(arena_copy(a, query_get(&q, ATTACHMENT_DUE, id)))
                                              : V_INT(query_get(&q, RECORD_DUE, item));
        t->version = query_get(&q, RECORD_DUE, version);
        t->event = query_get(&q, RECORD_DUE, at);
        t->at = t->event;
        t->archived = query_get(&q, RECORD_DUE, state) != 0;
        t->due = query_get(&q, RECORD_DUE, due);
        t->key_class = (uint32_t)query_get(&q, RECORD_DUE, class);
        if (st->kind->flags & KIND_EVENT) /* an access is over when it ends, not when it is given */
            t->event = query_get(&q, FOLDER_DUE, ended);
    }
    return q.status;
}

static int by_person(const void *a, const void *b)
{
    const struct thing *x = a, *y = b;
    int order = text_cmp(x->tenant, y->tenant);
    if (!order)
        order = memcmp(&x->subject, &y->subject, sizeof x->subject);
    return order ? order : text_cmp(x->category, y->category);
}

static bool same_person(const struct thing *a, const struct thing *b)
{
    return text_eq(a->tenant, b->tenant) && memcmp(&a->subject, &b->subject, sizeof a->subject) == 0;
}

/* ---- What becomes of a thing. ---- */

static void later(struct thing *t, msec next) { t->plan = PLAN_LATER, t->next = next; }

/* What has no term of its own goes at the end of the account, once it is closed, also when other things keep the
 * person. */
static bool waits_for_account(const struct keeping_end *e, const struct keeping *k, bool own_term)
{
    return !own_term && e->own != KEEPING_PAST && !k->closed;
}

/* Whatever date stands on the row, policy, milestones and holds of now decide: the date only says when to look. */
static void plan_thing(struct step *st, struct thing *t, const struct category *cat, const struct keeping *k)
{
    msec now = st->sweep->c->now;
    bool former = st->kind->flags & KIND_FORMER;
    const struct kept_thing what = { t->category, former, t->event != 0, t->at, t->event };
    struct keeping_end e = keeping_end(st->sweep->c->policy, k, &what);
    if (e.stopped) {
        later(t, e.open ? 0 : e.hold->until);
        st->held++;
    } else if (st->kind->flags & KIND_FILES && text_eq(t->category, TEXT("consents")))
        t->plan = PLAN_ERASE; /* a proof of nothing, or of what is no longer held: what proves something has no date */
    else if (e.own && e.own <= now && !waits_for_account(&e, k, former || (cat && cat->retention)))
        t->plan = PLAN_ERASE;
    else if (e.archived && !t->archived && (k->erased || e.archived <= now)) {
        t->plan = PLAN_ARCHIVE;
        t->next = e.own;
    } else if (!former && !(cat && cat->retention))
        later(t, 0); /* the closing of the account has it looked at */
    else
        later(t, t->archived || !e.archived ? e.own : e.archived);
}

/* The pseudonym under which the journal knows the person: of their key, or of the key that held data is left under. */
static enum err pseudonym_of(struct step *st, const struct thing *t, const struct lot *lot, struct digest *out)
{
    KEY_AUTO key;
    enum err status = store_key(ctx_store(st->sweep->c), st->arena, t->tenant, t->subject,
                                lot->erased_person ? t->key_class : 0, &key);
    *out = (struct digest){ { 0 } };
    if (status == OK)
        journal_pseudonym(&key, out);
    return status == ERR_ERASED ? OK : status;
}

static enum err fill_event(struct step *st, struct lot *lot)
{
    const struct ctx *c = st->sweep->c;
    const struct thing *t = lot->first;
    const struct retention *r = st->kind->flags & KIND_FORMER ? policy_retention(c->policy, TEXT("former"))
                                : lot->category                 ? lot->category->retention
                                                                : NULL;
    lot->event = (struct event){ .tenant = t->tenant,
                                 .subject = t->subject,
                                 .has_subject = !lot->erased_person,
                                 .actor = c->actor.name,
                                 .categories = t->category,
                                 .policy = c->policy->hash,
                                 .clause = r ? r->clause.path : TEXT("retention") };
    return pseudonym_of(st, t, lot, &lot->event.who);
}

/* Cuts the sorted things into lots and plans each thing. */
static enum err plan_all(struct db *db, struct step *st)
{
    const struct ctx *c = st->sweep->c;
    struct keeping k = { 0 };
    for (unsigned i = 0; i < st->thing_count; i++) {
        struct thing *t = &st->things[i], *before = i ? t - 1 : NULL;
        bool new_person = !before || !same_person(before, t);
        if (new_person)
            TRY(keeping_careful(db, st->arena, t->tenant, t->subject, c->now, &k));
        if (new_person || !text_eq(before->category, t->category)) {
            int index = policy_category(c->policy, t->category);
            st->lots[st->lot_count++] = (struct lot){ .first = t,
                                                      .category = index < 0 ? NULL : &c->policy->categories[index],
                                                      .erased_person = k.erased,
                                                      .told = id_make(c->now) };
        }
        st->lots[st->lot_count - 1].count++;
        plan_thing(st, t, st->lots[st->lot_count - 1].category, &k);
    }
    return OK;
}

/* ---- Doing it. ---- */

static enum err do_thing(struct db *db, const struct step *st, const struct thing *t, struct lot *lot)
{
    int64_t changed;
    struct val key[] = { V_TEXT(t->tenant),
                         V_ID(t->subject),
                         V_TEXT(t->category),
                         t->key,
                         V_INT(t->version),
                         V_INT(t->due),
                         V_NULL,
                         V_INT(t->archived || t->plan == PLAN_ARCHIVE) };
    if (st->kind->table == TABLE_record && t->plan != PLAN_LATER && (!lot->category || block_holds(lot->category)))
        TRY(block_forget_sums(db, t->tenant, t->subject, t->category, t->at));
    if (t->plan == PLAN_ERASE) {
        TRY(db_run(db, st->kind->end, &changed, key, 6));
        lot->erased += changed;
        if (changed && (st->kind->flags & KIND_FILES))
            TRY(db_run(db, SQL_ATTACHMENT_PARTS_END, NULL, ARGS(key[0], key[1], key[3])));
        return OK;
    }
    if (t->next)
        key[6] = V_INT(t->next);
    TRY(db_run(db, st->kind->retime, &changed, key, st->kind->flags & KIND_ARCHIVED ? 8 : 7));
    lot->archived += t->plan == PLAN_ARCHIVE ? changed : 0;
    return OK;
}

/* Who was given what is gone is told (GDPR 19): of rows that are never written again, when it was given since. */
static enum err tell_given(struct db *db, const struct step *st, const struct lot *lot)
{
    const struct policy *p = st->sweep->c->policy;
    struct bits gone = { { 0 } };
    msec since = 0;
    bool given = st->kind->table == TABLE_record || st->kind->flags & KIND_FILES;
    if (!given || !lot->category || lot->erased_person)
        return OK;
    bits_add(&gone, (unsigned)(lot->category - p->categories));
    for (unsigned i = 0; lot->category->many && i < lot->count; i++)
        if (lot->first[i].plan == PLAN_ERASE && (!since || lot->first[i].at < since))
            since = lot->first[i].at;
    return owed_tell(db, p, lot->event.tenant, lot->event.subject, TEXT("tell_part"), &gone, since, lot->told,
                     st->sweep->c->now);
}

/* Nobody is found any more by what is no longer held. */
static enum err drop_identifiers(struct db *db, const struct lot *lot)
{
    ARENA_AUTO a = arena_make(FIELDS_MAX * 512);
    for (unsigned i = 0; lot->category && i < lot->category->field_count; i++) {
        const struct field *f = &lot->category->fields[i];
        if (!f->identifier)
            continue;
        text name = arena_print(&a, "%.*s.%.*s", T(lot->category->name), T(f->name));
        TRY_PTR(name.p);
        TRY(db_run(db, SQL_IDENTIFIER_END, NULL,
                   ARGS(V_TEXT(lot->event.tenant), V_ID(lot->event.subject), V_TEXT(name))));
    }
    return OK;
}

static enum err do_lot(struct db *db, const struct step *st, struct lot *lot)
{
    lot->erased = 0;
    lot->archived = 0;
    for (unsigned i = 0; i < lot->count; i++)
        TRY(do_thing(db, st, &lot->first[i], lot));
    if (lot->erased && st->kind->table == TABLE_record)
        TRY(drop_identifiers(db, lot));
    if (lot->erased)
        TRY(tell_given(db, st, lot));
    /* Whoever read them before must read again: nothing that is gone may be written back. */
    if ((lot->archived || lot->erased) && !lot->erased_person)
        TRY(db_run(db, SQL_SUBJECT_TOUCH, NULL,
                   ARGS(V_TEXT(lot->event.tenant), V_ID(lot->event.subject), V_INT(st->sweep->c->now))));
    struct event e = lot->event;
    if ((e.count = lot->archived)) {
        e.act = TEXT("retention.archived");
        TRY(journal_add(db, &e, NULL));
    }
    if ((e.count = lot->erased)) {
        e.act = TEXT("retention.erased");
        TRY(journal_add(db, &e, NULL));
    }
    return OK;
}

/* The plan again, inside the write: a hold or a restriction that was acknowledged meanwhile stops what it stops. */
static enum err plan_again(struct db *db, struct step *st, struct lot *lot)
{
    struct keeping k;
    TRY(keeping_careful(db, st->arena, lot->event.tenant, lot->event.subject, st->sweep->c->now, &k));
    for (unsigned i = 0; i < lot->count; i++)
        plan_thing(st, &lot->first[i], lot->category, &k);
    return OK;
}

static enum err run_step(struct db *db, struct write *w)
{
    struct step *st = w->arg;
    st->held = 0;
    for (unsigned i = 0; i < st->lot_count; i++) {
        TRY(plan_again(db, st, &st->lots[i]));
        TRY(do_lot(db, st, &st->lots[i]));
        w->truncate |= st->lots[i].erased > 0;
    }
    return OK;
}

static enum err write_step(struct step *st)
{
    struct ctx *c = st->sweep->c;
    struct write w = { .run = run_step,
                       .arg = st,
                       .urgent = true,
                       .event = { .act = TEXT("retention.sweep"),
                                  .actor = c->actor.name,
                                  .policy = c->policy->hash,
                                  .clause = TEXT("retention"),
                                  .count = st->thing_count } };
    for (unsigned i = 0; i < st->lot_count; i++)
        TRY(fill_event(st, &st->lots[i]));
    return store_write(ctx_store(c), st->arena, &w);
}

static enum err take_stock(struct step *st)
{
    struct sweep *s = st->sweep;
    text former = TEXT("former");
    s->held += st->held;
    for (unsigned i = 0; i < st->lot_count; i++) {
        const struct lot *lot = &st->lots[i];
        count(s, st->kind->flags & KIND_FORMER ? former : lot->first->category, lot->erased, lot->archived);
        if (lot->erased && lot->erased_person)
            TRY(erase_leftover(s->c, lot->event.tenant, lot->event.subject));
    }
    return OK;
}

/* One step over one table; *found: how many things were due. */
static enum err step_things(struct sweep *s, const struct table_kind *kind, unsigned *found)
{
    ARENA_AUTO a = arena_make(STEP_MEMORY);
    struct step st = { .sweep = s,
                       .kind = kind,
                       .arena = &a,
                       .things = NEW_ARRAY(&a, struct thing, STEP),
                       .lots = NEW_ARRAY(&a, struct lot, STEP) };
    enum err status = st.things && st.lots ? OK : ERR_MEMORY;
    if (status == OK) {
        READ_AUTO db = NULL;
        status = store_read(ctx_store(s->c), &a, &db);
        if (status == OK)
            status = list_due(db, &st);
        if (status == OK && st.thing_count) {
            qsort(st.things, st.thing_count, sizeof *st.things, by_person);
            status = plan_all(db, &st);
        }
    }
    *found = st.thing_count;
    if (status == OK && st.thing_count)
        status = write_step(&st);
    if (status == OK)
        status = take_stock(&st);
    if (status != OK)
        s->c->arena->why = a.why;
    return status;
}

/* ---- Whole people, whose term is the policy's retention `accounts`. ---- */

struct due_person {
    text tenant;
    struct subject_id id;
    msec due, account,
        end; /* account: the end of their account; end: when they go, not before the terms of what they have */
    struct keeping keeping;
};

static enum err list_people(struct ctx *c, struct due_person *out, unsigned *found)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBJECT_DUE, ARGS(V_INT(c->now), V_INT(STEP_PEOPLE)));
    for (*found = 0; *found < STEP_PEOPLE && query_next(&q); ++*found) {
        struct due_person *p = &out[*found];
        *p = (struct due_person){ .tenant = arena_copy(c->arena, query_get(&q, SUBJECT_DUE, tenant)),
                                  .due = query_get(&q, SUBJECT_DUE, due) };
        TRY(read_subject(c->arena, query_get(&q, SUBJECT_DUE, id), &p->id));
        TRY(keeping_careful(db, c->arena, p->tenant, p->id, c->now, &p->keeping));
        TRY(keeping_person_end(db, c->policy, p->tenant, p->id, &p->keeping, &p->account, &p->end));
    }
    return q.status;
}

/* ---- An account whose term ends before that of something its person has: closed, and the rest goes on to its own
 * term. ---- */

struct closing {
    struct ctx *c;
    const struct due_person *p;
    struct event event;
    struct mail_put letter; /* the last one: the address goes with the account */
    bool tells;
};

/* What was decided by a snapshot is decided again: a use, a hold or another record may have come meanwhile. */
static enum err run_close_account(struct db *db, struct write *w)
{
    const struct closing *k = w->arg;
    const struct ctx *c = k->c;
    const struct due_person *p = k->p;
    ARENA_AUTO a = arena_make(1 << 20);
    struct keeping now;
    msec account, end;
    TRY(keeping_careful(db, &a, p->tenant, p->id, c->now, &now));
    TRY(keeping_person_end(db, c->policy, p->tenant, p->id, &now, &account, &end));
    bool due = !now.erased && !now.closed && !now.restricted && !keeping_hold(&now, TEXT("*")) && account &&
               account <= c->now;
    if (due) {
        static const text starts[] = { TEXT_INIT("contract_end"), TEXT_INIT("closure"), TEXT_INIT("withdrawal") };
        TRY(keeping_run_close(db, c->policy, p->tenant, p->id, c->now));
        for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) /* with the account their relation ends */
            TRY(db_run(db, SQL_MILESTONE_NEW, NULL,
                       ARGS(V_TEXT(p->tenant), V_ID(p->id), V_TEXT(starts[i]), V_INT(c->now))));
        TRY(journal_add(db, &k->event, NULL));
        if (k->tells)
            TRY(mail_run_put(db, &k->letter));
    }
    return keeping_again(db, p->tenant, p->id, TEXT("*"), c->now);
}

/* To the address that there still is, as who closes their account themselves is told. */
static enum err tell_closing(struct ctx *c, const struct person *p, struct closing *k)
{
    const struct account_letter closed = { .name = TEXT("closed"), .until = k->p->end };
    struct why why = c->arena->why;
    bool may;
    TRY(erase_may_tell(c, p, &may));
    enum err status = may ? letter_make(c, p, &closed, &k->letter) : ERR_MISSING;
    k->tells = status == OK;
    if (!erase_untold(status))
        return status;
    c->arena->why = why;
    return OK;
}

static enum err close_account(struct ctx *c, const struct due_person *p)
{
    PERSON_AUTO person = { 0 };
    struct closing k = { .c = c, .p = p };
    struct write w = { .run = run_close_account,
                       .arg = &k,
                       .urgent = true,
                       .event = { .act = TEXT("retention.sweep"),
                                  .actor = c->actor.name,
                                  .policy = c->policy->hash,
                                  .clause = TEXT("retention.accounts"),
                                  .count = 1 } };
    k.event = (struct event){ .act = TEXT("subject.close"),
                              .tenant = p->tenant,
                              .subject = p->id,
                              .has_subject = true,
                              .actor = c->actor.name,
                              .policy = c->policy->hash,
                              .clause = TEXT("retention.accounts"),
                              .count = -1 };
    enum err status = person_open_anyway(c, id_print(c->arena, p->id), &person);
    if (status == ERR_NOT_FOUND)
        return OK;
    TRY(status);
    k.event.who = person.who;
    TRY(tell_closing(c, &person, &k));
    return store_write(ctx_store(c), c->arena, &w);
}

struct retiming {
    const struct due_person *people;
    msec *next;
    bool *later;
    unsigned count;
};

static enum err run_retime(struct db *db, struct write *w)
{
    const struct retiming *r = w->arg;
    for (unsigned i = 0; i < r->count; i++)
        if (r->later[i])
            TRY(db_run(db, SQL_SUBJECT_RETIME, NULL,
                       ARGS(V_TEXT(r->people[i].tenant), V_ID(r->people[i].id), V_INT(r->people[i].due),
                            r->next[i] ? V_INT(r->next[i]) : V_NULL)));
    return OK;
}

/* Erases the person whose time it is; otherwise *next says when to look again, and *later is set. */
static enum err sweep_person(struct sweep *s, struct ctx *c, const struct due_person *p, msec *next, bool *later)
{
    const struct hold *hold = keeping_hold(&p->keeping, TEXT("*"));
    c->tenant = p->tenant;
    *next = p->end;
    *later = true;
    if (hold || p->keeping.restricted) {
        *next = p->keeping.restricted || !hold->until ? 0 : hold->until;
        s->held++;
        return OK;
    }
    bool over = p->account && p->account <= c->now;
    *later = !p->end || p->end > c->now;
    if (*later && over && !p->keeping.closed) {
        *later = false; /* looked at again, with all that is theirs */
        return close_account(c, p);
    }
    if (*later) {
        *next = over || !p->account || p->keeping.closed ? p->end : p->account;
        return OK;
    }
    s->people++;
    return erase_at_term(c, p->id);
}

static enum err sweep_people(struct sweep *s, struct ctx *c, struct retiming *r, bool *any_later)
{
    for (unsigned i = 0; i < r->count; i++) {
        ARENA_AUTO one = arena_make(STEP_MEMORY);
        struct ctx of_one = *c;
        of_one.arena = &one;
        of_one.decisions = NULL;
        enum err status = sweep_person(s, &of_one, &r->people[i], &r->next[i], &r->later[i]);
        if (status != OK) {
            c->arena->why = one.why;
            return status;
        }
        *any_later |= r->later[i];
    }
    return OK;
}

static enum err step_people(struct sweep *s, unsigned *found)
{
    ARENA_AUTO a = arena_make(STEP_MEMORY);
    struct ctx c = *s->c;
    struct due_person people[STEP_PEOPLE];
    msec next[STEP_PEOPLE];
    bool later[STEP_PEOPLE], any_later = false;
    struct retiming r = { people, next, later, 0 };
    c.arena = &a;
    c.decisions = NULL;
    enum err status = list_people(&c, people, found);
    r.count = *found;
    if (status == OK)
        status = sweep_people(s, &c, &r, &any_later);
    if (status == OK && any_later) {
        struct write w = { .run = run_retime,
                           .arg = &r,
                           .event = { .act = TEXT("retention.sweep"),
                                      .actor = c.actor.name,
                                      .policy = c.policy->hash,
                                      .clause = TEXT("retention"),
                                      .count = *found } };
        status = store_write(ctx_store(&c), &a, &w);
    }
    if (status != OK)
        s->c->arena->why = a.why;
    return status;
}

/* ---- The server's own records, by the time they began. ---- */

/* list: keys of rows that began at ?1 or before, at most ?2 of them; end: takes such keys and removes the row. shape: a
 * letter a column of the key, t text, b bytes, i integer; it begins with the tenant and, when `of_person`, the person.
 */
struct own {
    const char *term, *name, *shape, *act;
    enum sql list, end;
    bool of_person;
};
static const struct own owns[] = {
    { NULL, "holds", "tbb", "hold.released", SQL_HOLD_OVER, SQL_HOLD_DROP, true },
    { "consents", "consents", "tbtti", "retention.erased", SQL_CONSENT_OVER, SQL_CONSENT_END, true },
    { "objections", "objections", "tbtti", "retention.erased", SQL_OBJECTION_OVER, SQL_CONSENT_END, true },
    { "consents", "objections", "tbtti", "retention.erased", SQL_OBJECTION_LIFTED, SQL_CONSENT_END, true },
    { "requests", "certificates", "tb", NULL, SQL_CERTIFICATE_OVER, SQL_CERTIFICATE_END, false },
    { "requests", "duties", "tb", NULL, SQL_DUTY_OVER, SQL_DUTY_END, false },
    { NULL, "letters", "tb", NULL, SQL_MAIL_OVER, SQL_MAIL_END, false },
    { NULL, "idempotency", "bt", NULL, SQL_IDEMPOTENCY_OVER, SQL_IDEMPOTENCY_END, false },
    { NULL, "usage", "tbb", NULL, SQL_USAGE_SEEN_OVER, SQL_USAGE_SEEN_END, false },
};

enum { OWN_COLUMNS = 5, IDEMPOTENCY_KEPT = 24 * HOUR };
struct own_row {
    struct val values[OWN_COLUMNS];
    struct subject_id subject;
    bool erased_person;
    struct event event;
};
struct own_step {
    const struct own *own;
    struct ctx *c;
    struct own_row *rows;
    unsigned row_count;
    size_t columns;
    msec cutoff;
};

static struct val own_value(struct arena *a, struct query *q, unsigned column)
{
    struct val v = query_val(q, column);
    if (v.bytes.p)
        v.bytes = arena_copy(a, v.bytes);
    return v;
}

static enum err list_own(struct own_step *st, msec cutoff)
{
    struct arena *a = st->c->arena;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(st->c), a, &db));
    QUERY_AUTO q;
    query_start(&q, db, st->own->list, ARGS(V_INT(cutoff), V_INT(STEP)));
    while (st->row_count < STEP && query_next(&q)) {
        struct own_row *row = &st->rows[st->row_count++];
        for (size_t i = 0; i < st->columns; i++)
            row->values[i] = own_value(a, &q, (unsigned)i);
        if (!st->own->of_person)
            continue;
        struct keeping k;
        TRY(read_subject(a, row->values[1].bytes, &row->subject));
        TRY(keeping_careful(db, a, row->values[0].bytes, row->subject, st->c->now, &k));
        row->erased_person = k.erased;
        if (k.altered) /* left as it is, and named by the board */
            st->row_count--;
    }
    return q.status;
}

static enum err own_event(struct own_step *st, struct own_row *row)
{
    const struct ctx *c = st->c;
    const struct retention *r = st->own->term ? policy_retention(c->policy, text_of(st->own->term)) : NULL;
    row->event = (struct event){ .act = text_of(st->own->act),
                                 .tenant = row->values[0].bytes,
                                 .actor = c->actor.name,
                                 .subject = row->subject,
                                 .has_subject = !row->erased_person,
                                 .categories = text_of(st->own->name),
                                 .policy = c->policy->hash,
                                 .clause = r ? r->clause.path : TEXT("retention"),
                                 .count = 1 };
    if (row->erased_person)
        return OK;
    KEY_AUTO key;
    enum err status = store_key(ctx_store(c), c->arena, row->event.tenant, row->subject, 0, &key);
    if (status == OK)
        journal_pseudonym(&key, &row->event.who);
    return status == ERR_ERASED ? OK : status;
}

/* Asked again inside the write: whoever repeated their objection meanwhile is remembered from then on. */
static enum err objection_over(struct db *db, const struct own_step *st, const struct own_row *row, bool *out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_OBJECTION_STILL,
                ARGS(row->values[0], row->values[1], row->values[2], row->values[4], V_INT(st->cutoff)));
    *out = query_next(&q);
    return q.status;
}

/* What proved only what has gone goes with the sweep of the files. */
static enum err free_scans(struct db *db, const struct own_row *row, msec now)
{
    TRY(db_run(db, SQL_SCAN_UNLINK, NULL, row->values, OWN_COLUMNS));
    return db_run(db, SQL_SCAN_FREE, NULL, ARGS(row->values[0], row->values[1], V_INT(now)));
}

static enum err run_own(struct db *db, struct write *w)
{
    const struct own_step *st = w->arg;
    for (unsigned i = 0; i < st->row_count; i++) {
        const struct own_row *row = &st->rows[i];
        int64_t gone;
        bool over = true;
        if (st->own->list == SQL_OBJECTION_OVER) {
            TRY(objection_over(db, st, row, &over));
            if (!over)
                continue;
            TRY(db_run(db, SQL_OBJECTION_LAPSES, NULL,
                       ARGS(row->values[0], row->values[1], row->values[2], row->values[4], V_INT(st->c->now),
                            V_TEXT(st->c->policy->version))));
        }
        TRY(db_run(db, st->own->end, &gone, row->values, st->columns));
        if (!gone || !st->own->of_person)
            continue;
        if (st->own->end == SQL_CONSENT_END)
            TRY(free_scans(db, row, st->c->now));
        if (st->own->list == SQL_HOLD_OVER) /* what it stopped resumes */
            TRY(keeping_again(db, row->event.tenant, row->subject, TEXT("*"), st->c->now));
        TRY(journal_add(db, &row->event, NULL));
    }
    return OK;
}

static enum err write_own(struct sweep *s, struct own_step *st)
{
    struct ctx *c = st->c;
    struct write w = { .run = run_own,
                       .arg = st,
                       .truncate = true,
                       .urgent = true,
                       .event = { .act = TEXT("retention.sweep"),
                                  .actor = c->actor.name,
                                  .policy = c->policy->hash,
                                  .categories = text_of(st->own->name),
                                  .clause = TEXT("retention"),
                                  .count = st->row_count } };
    for (unsigned i = 0; st->own->of_person && i < st->row_count; i++)
        TRY(own_event(st, &st->rows[i]));
    TRY(store_write(ctx_store(c), c->arena, &w));
    if (st->own->list == SQL_HOLD_OVER)
        return OK;
    count(s, text_of(st->own->name), st->row_count, 0);
    for (unsigned i = 0; i < st->row_count; i++)
        if (st->rows[i].erased_person)
            TRY(erase_leftover(c, st->rows[i].event.tenant, st->rows[i].subject));
    return OK;
}

static msec own_cutoff(const struct ctx *c, const struct own *own)
{
    if (own->list == SQL_OBJECTION_LIFTED && policy_retention(c->policy, TEXT("objections")))
        return 0;
    if (own->term)
        return retention_own_cutoff(policy_retention(c->policy, text_of(own->term)), c->now);
    return own->list == SQL_IDEMPOTENCY_OVER ? c->now - IDEMPOTENCY_KEPT : c->now;
}

static enum err step_own(struct sweep *s, const struct own *own, unsigned *found)
{
    ARENA_AUTO a = arena_make(STEP_MEMORY);
    struct ctx c = *s->c;
    c.arena = &a;
    c.decisions = NULL;
    msec cutoff = own_cutoff(&c, own);
    struct own_step st = { .own = own, .c = &c, .columns = text_of(own->shape).n, .cutoff = cutoff };
    *found = 0;
    if (!cutoff)
        return OK;
    st.rows = NEW_ARRAY(&a, struct own_row, STEP);
    enum err status = st.rows ? list_own(&st, cutoff) : ERR_MEMORY;
    if (status == OK && st.row_count)
        status = write_own(s, &st);
    *found = st.row_count;
    if (status != OK)
        s->c->arena->why = a.why;
    return status;
}

static enum err prune_journal(struct sweep *s)
{
    uint64_t pruned = 0;
    msec last = retention_own_cutoff(policy_retention(s->c->policy, TEXT("journal")), s->c->now);
    if (last)
        TRY(journal_prune(ctx_store(s->c), s->c->arena, last + 1, &pruned));
    s->pruned += (int64_t)pruned;
    return OK;
}

/* ---- A policy with other terms: everything is looked at once more. ---- */

/* A digest of all terms, and of how they are counted, so that a new version without other terms costs nothing. */
enum { COUNTED = 2 }; /* closed accounts go with the last of what they have */
static enum err terms_digest(const struct ctx *c, char out[65])
{
    BUF_AUTO b = buf_make(1 << 16), hex = buf_make(128);
    const struct key none = { { 0 } };
    struct digest d;
    buf_print(&b, "%d\n", COUNTED);
    for (unsigned i = 0; i < c->policy->retention_count; i++) {
        const struct retention *r = &c->policy->retentions[i];
        buf_print(&b, "%.*s %d %d %d %d %d\n", T(r->name), r->from, r->active.count, r->active.unit, r->archive.count,
                  r->archive.unit);
    }
    text terms, printed;
    TRY(buf_lend(c->arena, &b, &terms));
    digest_identifier(&none, TEXT("retention"), TEXT(""), terms, &d);
    buf_hex(&hex, TEXT_BYTES(d));
    TRY(buf_lend(c->arena, &hex, &printed));
    return text_cstr(printed, out, 65) ? OK : say(c->arena, ERR_MEMORY, "no memory for the terms");
}

struct recount {
    struct sweep *sweep;
    struct {
        text tenant;
        struct subject_id id;
    } people[STEP];
    unsigned count;
    const char *digest;
};
static void recount_free(struct recount **r) { free(*r); }

static enum err run_recount(struct db *db, struct write *w)
{
    const struct recount *r = w->arg;
    for (unsigned i = 0; i < r->count; i++)
        TRY(keeping_again(db, r->people[i].tenant, r->people[i].id, TEXT("*"), r->sweep->c->now));
    return r->count < STEP ? db_run(db, SQL_META_PUT, NULL, ARGS(V_TEXT(TEXT("retention")), V_TEXT(text_of(r->digest))))
                           : OK;
}

static enum err recount_list(struct recount *r, struct arena *a, text after_tenant, struct subject_id after)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(r->sweep->c), a, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBJECT_WALK, ARGS(V_TEXT(after_tenant), V_ID(after), V_INT(STEP)));
    for (r->count = 0; r->count < STEP && query_next(&q); r->count++) {
        r->people[r->count].tenant = arena_copy(a, query_get(&q, SUBJECT_WALK, tenant));
        TRY(read_subject(a, query_get(&q, SUBJECT_WALK, id), &r->people[r->count].id));
    }
    return q.status;
}

static enum err terms_known(struct sweep *s, const char *digest, bool *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(s->c), s->c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_META_GET, ARGS(V_TEXT(TEXT("retention"))));
    *out = query_next(&q) && text_eq(query_get(&q, META_GET, value), text_of(digest));
    return q.status;
}

/* All people in steps. Interrupted, it begins again: looking twice does no harm. */
static enum err recount(struct sweep *s)
{
    char digest[65];
    bool known;
    TRY(terms_digest(s->c, digest));
    TRY(terms_known(s, digest, &known));
    if (known)
        return OK;
    CLEANUP(recount_free) struct recount *r = calloc(1, sizeof *r);
    if (!r)
        return say(s->c->arena, ERR_MEMORY, "the machine has no memory left");
    r->sweep = s;
    r->digest = digest;
    r->count = STEP;
    char tenant[256] = "";
    struct subject_id after = { { 0 } };
    while (r->count == STEP) {
        ARENA_AUTO a = arena_make(STEP_MEMORY);
        TRY(recount_list(r, &a, text_of(tenant), after));
        struct write w = { .run = run_recount,
                           .arg = r,
                           .event = { .act = TEXT("retention.sweep"),
                                      .actor = s->c->actor.name,
                                      .policy = s->c->policy->hash,
                                      .clause = TEXT("retention"),
                                      .count = r->count } };
        TRY(store_write(ctx_store(s->c), &a, &w));
        if (r->count) {
            text_cstr(r->people[r->count - 1].tenant, tenant, sizeof tenant);
            after = r->people[r->count - 1].id;
        }
    }
    return OK;
}

/* ---- The whole of it. ---- */

static enum err all_people(struct sweep *s, bool *more)
{
    unsigned found;
    do {
        if ((*more = s->limit && s->steps >= s->limit))
            return OK;
        TRY(step_people(s, &found));
        s->steps += found > 0;
    } while (found == STEP_PEOPLE);
    return OK;
}

static enum err sweep_all(struct sweep *s, bool *more)
{
    unsigned found;
    *more = false;
    TRY(erase_resume(s->c));
    TRY(recount(s));
    /* Holds first, since their end lets the rest go on. People whose time it is before their things, so that the last
     * letter finds their address; and after them those of whom nothing is left by then. */
    for (size_t i = 0; i < sizeof owns / sizeof *owns; i++)
        do {
            if ((*more = s->limit && s->steps >= s->limit))
                return OK;
            TRY(step_own(s, &owns[i], &found));
            s->steps += found > 0;
        } while (found == STEP);
    TRY(all_people(s, more));
    if (*more)
        return OK;
    EACH_KIND(kind)
        do {
            if ((*more = s->limit && s->steps >= s->limit))
                return OK;
            TRY(step_things(s, kind, &found));
            s->steps += found > 0;
        } while (found == STEP);
    TRY(all_people(s, more));
    return *more ? OK : prune_journal(s);
}

enum err retention_tick(struct ctx *c, unsigned steps, bool *more)
{
    struct sweep s = { .c = c, .limit = steps };
    return sweep_all(&s, more);
}

static void put_tallies(struct json_out *w, const struct sweep *s, text name, bool archived)
{
    json_name(w, name);
    json_open(w, '{');
    for (unsigned i = 0; i < s->tally_count; i++) {
        int64_t n = archived ? s->tallies[i].archived : s->tallies[i].erased;
        if (n)
            json_pair_int(w, s->tallies[i].name, n);
    }
    json_close(w, '}');
}

enum err retention_sweep(struct ctx *c, struct answer *out)
{
    struct sweep s = { .c = c };
    bool more;
    c->idempotency = (struct idempotency){ 0 }; /* it is many commits, and doing it again does nothing more */
    TRY(feature_tick(c));
    TRY(sweep_all(&s, &more));
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    put_tallies(&w, &s, TEXT("erased"), false);
    put_tallies(&w, &s, TEXT("archived"), true);
    json_pair_int(&w, TEXT("held"), s.held);
    json_pair_int(&w, TEXT("people"), s.people);
    json_pair_int(&w, TEXT("journal"), s.pruned);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

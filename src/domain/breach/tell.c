/* Told of a breach: people by letters in steps, tenants that are controllers, staff before a clock ends; and what time
 * brings besides. */
#include "domain/breach/inside.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/person/person.h"
#include "domain/person/record.h"

enum { STEP = 50, STEPS_A_TURN = 20, AT_ONCE = 50, STEP_MEMORY = 32 << 20 };

/* ---- Letters. ---- */

/* Who answers questions about it (GDPR 34(2), 33(3)(b)). */
static text contact(const struct ctx *c)
{
    text dpo = node_text(node_at(c->policy->root, TEXT("dpo")), TEXT("email"));
    struct controller own = ctx_controller(c);
    bool same = text_eq(own.legal_name, c->policy->controller.legal_name);
    return dpo.n && same ? dpo : own.email.n ? own.email : own.phone;
}

static enum err make_letter(struct ctx *c, const struct breach *b, const struct person *p, text to,
                            struct mail_put *out)
{
    struct pair_text v[7];
    struct letter_values values = { .v = v };
    v[values.count++] = (struct pair_text){ TEXT("at"), time_print(c->arena, b->known) };
    v[values.count++] = (struct pair_text){ TEXT("said"), b->file.told };
    v[values.count++] = (struct pair_text){ TEXT("effects"), b->facts[FACT_effects] };
    v[values.count++] = (struct pair_text){ TEXT("remedy"), b->facts[FACT_remedy] };
    v[values.count++] = (struct pair_text){ TEXT("contact"), contact(c) };
    if (b->facts[FACT_advice].n)
        v[values.count++] = (struct pair_text){ TEXT("advice"), b->facts[FACT_advice] };
    text authority = node_text(c->policy->root, TEXT("authority"));
    if (authority.n)
        v[values.count++] = (struct pair_text){ TEXT("authority"), authority };
    return mail_make(c, p, to, TEXT("breach"), &values, out);
}

/* Without an address of theirs, or gone meanwhile: they are counted, and told another way. */
static enum err letter_to(struct ctx *c, const struct breach *b, struct subject_id id, struct mail_put *out, bool *made)
{
    PERSON_AUTO p = { 0 };
    text to = { NULL, 0 };
    int category;
    struct why kept = c->arena->why;
    enum err status = person_open_anyway(c, id_print(c->arena, id), &p);
    if (status == OK)
        status = mail_address(c, &p, &to, &category);
    *made = status == OK && to.n;
    if (status == ERR_NOT_FOUND || status == ERR_ERASED || record_unreadable(status)) {
        c->arena->why = kept;
        return OK;
    }
    TRY(status);
    return *made ? make_letter(c, b, &p, to, out) : OK;
}

static enum err step_letters(struct ctx *c, struct breach_change *ch, unsigned most)
{
    struct breach *b = &ch->b;
    const struct subject_id *ids;
    unsigned count;
    struct mail_put *letters = NEW_ARRAY(c->arena, struct mail_put, most);
    TRY_PTR(letters);
    TRY(breach_part(c, b, b->next / LIST_PART, &ids, &count));
    unsigned at = (unsigned)(b->next % LIST_PART);
    for (unsigned done = 0; at < count && done < most; at++, done++, b->next++) {
        bool made;
        TRY(letter_to(c, b, ids[at], &letters[ch->letter_count], &made));
        ch->letter_count += made;
        b->letters += made;
        b->unreached += !made;
    }
    ch->letters = letters;
    return OK;
}

enum err breach_tell_step(struct ctx *c, struct subject_id id, unsigned most)
{
    struct breach_change ch = { .c = c, .act = TEXT("breach.told"), .step = TEXT("sent"), .quiet = true };
    TRY(breach_load(c, id, &ch.b));
    if (ch.b.next < 0)
        return OK;
    int64_t before = ch.b.next;
    TRY(step_letters(c, &ch, most));
    ch.count = ch.b.next - before;
    if (ch.b.next >= ch.b.people || !ch.count) {
        ch.b.next = -1;
        ch.quiet = false;
        ch.note = arena_print(c->arena, "%lld / %lld", (long long)ch.b.letters, (long long)ch.b.people);
        TRY_PTR(ch.note.p);
    }
    if (ch.b.drill) /* rehearsed to the end, and nothing leaves */
        ch.letter_count = 0;
    return breach_write(&ch);
}

enum err breach_letter_tenant(struct ctx *c, const struct breach *b, text tenant, struct mail_put *out, bool *made)
{
    struct ctx of = *c;
    of.tenant = tenant;
    struct controller its = ctx_controller(&of);
    *made = its.email.n && c->app->public_url[0];
    if (!*made)
        return OK;
    const struct pair_text v[] = {
        { TEXT("at"), time_print(c->arena, b->known) },
        { TEXT("said"), b->facts[FACT_what] },
        { TEXT("contact"), contact(c) },
        { TEXT("tenant"), its.legal_name.n ? its.legal_name : tenant },
        { TEXT("reference"), id_print(c->arena, b->id) },
    };
    const struct letter_values values = { v, sizeof v / sizeof *v };
    return mail_make_in(c, NULL, c->policy->languages[0], its.email, TEXT("breach_controller"), &values, out);
}

/* ---- Reminders: a day in, half a day before a clock ends, and at its end. ---- */

void breach_remind_from(struct breach *b, msec now)
{
    enum breach_obliges obliges = breach_obliges(b);
    msec authority = !b->notified && obliges != OBLIGES_nobody ? b->clock.authority : 0;
    msec people = b->how == HOWS && obliges == OBLIGES_people ? b->clock.subjects : 0;
    const msec times[] = { authority ? b->known + DAY : 0, authority - 12 * HOUR, authority, people - 12 * HOUR,
                           people };
    b->remind = 0;
    for (size_t i = 0; i < sizeof times / sizeof *times && !b->closed && !b->drill; i++)
        if (times[i] > now && (!b->remind || times[i] < b->remind))
            b->remind = times[i];
}

struct reminding {
    struct ctx *c;
    struct breach b;
    struct mail_put letter;
    bool has_letter;
};

static enum err run_remind(struct db *db, struct write *w)
{
    const struct reminding *r = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_BREACH_REMINDED, &changed,
               ARGS(V_TEXT(r->c->tenant), V_ID(r->b.id), V_INT(r->b.version),
                    r->b.remind ? V_INT(r->b.remind) : V_NULL)));
    return changed && r->has_letter ? mail_run_put(db, &r->letter) : OK;
}

/* To who answers people; the letter holds nothing of the breach. */
static enum err make_reminder(struct reminding *r)
{
    struct ctx *c = r->c;
    text to = contact(c);
    r->has_letter = c->app->public_url[0] && text_index(to, '@') > 0;
    if (!r->has_letter)
        return OK;
    text path = arena_print(c->arena, "/staff/breaches/%.*s", T(id_print(c->arena, r->b.id)));
    msec until = r->b.notified ? r->b.clock.subjects : r->b.clock.authority;
    const struct pair_text v[] = {
        { TEXT("at"), time_print(c->arena, r->b.known) },
        { TEXT("until"), time_print(c->arena, until) },
        { TEXT("link"), mail_link(c, path) },
    };
    const struct letter_values values = { v, sizeof v / sizeof *v };
    return mail_make_in(c, NULL, c->policy->languages[0], to, TEXT("breach_due"), &values, &r->letter);
}

static enum err remind(struct ctx *c, struct subject_id id)
{
    struct reminding r = { .c = c };
    TRY(breach_load(c, id, &r.b));
    breach_remind_from(&r.b, c->now);
    TRY(make_reminder(&r));
    struct write w = { .run = run_remind, .arg = &r, .event = event_of(c, NULL, TEXT("breach.reminded")) };
    return write_do(c, &w, NULL);
}

/* ---- What is over. ---- */

struct ending {
    struct ctx *c;
    struct subject_id id;
};

static enum err run_end(struct db *db, struct write *w)
{
    const struct ending *e = w->arg;
    const struct val tenant = V_TEXT(e->c->tenant), id = V_ID(e->id);
    TRY(db_run(db, SQL_BREACH_END, NULL, ARGS(tenant, id, V_INT(e->c->now))));
    TRY(db_run(db, SQL_BREACH_STEPS_END, NULL, ARGS(tenant, id)));
    TRY(db_run(db, SQL_BREACH_LIST_END, NULL, ARGS(tenant, id)));
    return db_run(db, SQL_BREACH_PARTIES_END, NULL, ARGS(tenant, id));
}

static enum err end_one(struct ctx *c, struct subject_id id)
{
    struct ending e = { c, id };
    struct breach b;
    TRY(breach_load(c, id, &b));
    struct write w = { .run = run_end, .arg = &e, .truncate = true, .event = event_of(c, NULL, TEXT("breach.over")) };
    return write_do(c, &w, NULL);
}

static enum err run_signs_end(struct db *db, struct write *w)
{
    return db_run(db, SQL_BREACH_SIGN_OVER, NULL, ARGS(V_INT(*(const msec *)w->arg)));
}

/* ---- Turns. ---- */

struct its {
    text tenant;
    struct subject_id id;
};

static enum err list_of(struct ctx *c, enum sql sql, struct its *out, unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    if (sql == SQL_BREACH_TELLING)
        query_start(&q, db, sql, ARGS(V_INT(AT_ONCE)));
    else
        query_start(&q, db, sql, ARGS(V_INT(c->now), V_INT(AT_ONCE)));
    for (*count = 0; *count < AT_ONCE && query_next(&q); ++*count) {
        out[*count].tenant = arena_copy(c->arena, query_bytes(&q, COL(BREACH_TELLING, tenant)));
        TRY_PTR(out[*count].tenant.p);
        memcpy(&out[*count].id, query_bytes(&q, COL(BREACH_TELLING, breach)).p, SUBJECT_ID);
    }
    return q.status;
}

static enum err tell_some(struct ctx *c, struct subject_id id)
{
    for (unsigned i = 0; i < STEPS_A_TURN; i++) {
        ARENA_AUTO room = arena_make(STEP_MEMORY);
        struct ctx own = *c;
        own.arena = &room;
        own.decisions = NULL;
        enum err status = breach_tell_step(&own, id, STEP);
        if (status != OK) {
            c->arena->why = room.why;
            return status;
        }
    }
    return OK;
}

/* One that cannot be done now does not hold up the others: it is tried again, and its reason told at the end. */
static enum err each(struct ctx *c, enum sql sql, enum err (*act)(struct ctx *c, struct subject_id id))
{
    struct its all[AT_ONCE];
    unsigned count;
    enum err status = OK;
    TRY(list_of(c, sql, all, &count));
    for (unsigned i = 0; i < count; i++) {
        struct ctx own = *c;
        own.tenant = all[i].tenant;
        enum err one = act(&own, all[i].id);
        if (status == OK)
            status = one;
    }
    return status;
}

enum err breach_tick(struct ctx *c)
{
    enum err told = each(c, SQL_BREACH_TELLING, tell_some), reminded = each(c, SQL_BREACH_REMIND, remind);
    enum err looked = breach_look_for_signs(c);
    TRY(each(c, SQL_BREACH_OVER, end_one));
    TRY(feature_end_over(c, SQL_BREACH_SIGN_IS_OVER, run_signs_end, TEXT("breach.over")));
    TRY(told);
    TRY(looked);
    return reminded;
}

const struct feature breach_feature = { .name = TEXT_INIT("breach"), .tick = breach_tick };

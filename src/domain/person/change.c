/* A change of what is held of one person: made ready outside the queue, written in one commit. */
#include "store/tables.h"
#include "domain/person/change.h"
#include "domain/person/consent.h"
#include "domain/core/block.h"
#include "domain/core/feature.h"
#include "domain/core/id.h"
#include "domain/core/budget.h"
#include "base/card.h"
#include "domain/person/owed.h"
#include "domain/core/instance.h"
#include "domain/person/keeping.h"
#include "domain/core/normal.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"

enum { CONSENTS_MAX = 64 };

/* ---- The commit. ---- */

static enum err drop_identifier(struct db *db, const struct change *ch, const struct change_identifier *id,
                                const struct digest *digest)
{
    return db_run(db, SQL_IDENTIFIER_DROP, NULL,
                  ARGS(V_TEXT(ch->tenant), V_TEXT(id->field), V_BYTES(TEXT_BYTES(*digest)), V_ID(ch->person->id)));
}

/* *taken: it is another person's. */
static enum err is_anothers(struct db *db, const struct change *ch, text field, const struct digest *digest,
                            bool *taken)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_IDENTIFIER_FIND, ARGS(V_TEXT(ch->tenant), V_TEXT(field), V_BYTES(TEXT_BYTES(*digest))));
    *taken = *taken || (query_next(&q) &&
                        memcmp(query_get(&q, IDENTIFIER_FIND, subject).p, &ch->person->id, sizeof ch->person->id) != 0);
    return q.status;
}

/* In today's form, in the one before, or where another field finds them by it. */
static enum err is_taken(struct db *db, const struct change *ch, const struct change_identifier *id, bool *taken)
{
    *taken = false;
    TRY(is_anothers(db, ch, id->field, &id->digest, taken));
    TRY(is_anothers(db, ch, id->field, &id->former, taken));
    for (unsigned i = 0; i < id->other_count; i++) {
        TRY(is_anothers(db, ch, id->others[i].field, &id->others[i].digest, taken));
        TRY(is_anothers(db, ch, id->others[i].field, &id->others[i].former, taken));
    }
    return OK;
}

static enum err add_identifier_row(struct db *db, const struct change *ch, const struct change_identifier *id,
                                   bool *taken)
{
    int64_t changed;
    TRY(is_taken(db, ch, id, taken));
    if (*taken)
        return OK;
    TRY(db_run(db, SQL_IDENTIFIER_ADD, &changed,
               ARGS(V_TEXT(ch->tenant), V_TEXT(id->field), V_BYTES(TEXT_BYTES(id->digest)), V_ID(ch->person->id))));
    *taken = !changed;
    return OK;
}

static enum err another_has_it(struct arena *a, const struct change_identifier *id)
{
    say(a, ERR_CONFLICT, "%.*s is that of another person", T(id->field));
    snprintf(a->why.field, sizeof a->why.field, "%.*s", T(id->field));
    return ERR_CONFLICT;
}

/* Who has an account signs in by something. */
static enum err check_way_in(struct db *db, const struct change *ch)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_ACCOUNT_SHUT_OUT, ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id)));
    bool shut_out = query_next(&q);
    TRY(q.status);
    return shut_out ? say(db_arena(db), ERR_CONFLICT,
                          "nobody could sign in to this account any more: close it, or erase the person")
                    : OK;
}

static enum err run_identifiers(struct db *db, const struct change *ch)
{
    bool removed = false;
    for (unsigned i = 0; i < ch->identifier_count; i++) {
        const struct change_identifier *id = &ch->identifiers[i];
        removed |= id->remove;
        if (id->remove) {
            TRY(drop_identifier(db, ch, id, &id->digest));
            TRY(drop_identifier(db, ch, id, &id->former));
            continue;
        }
        bool taken;
        TRY(add_identifier_row(db, ch, id, &taken));
        if (!taken)
            continue;
        return another_has_it(db_arena(db), id);
    }
    return removed && !ch->create ? check_way_in(db, ch) : OK;
}

static enum err run_subject(struct db *db, const struct change *ch)
{
    int64_t changed;
    if (ch->create)
        return db_run(db, SQL_SUBJECT_ADD, NULL,
                      ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id), V_INT(ch->now), V_INT(ch->version),
                           V_INT(PERSON_ACTIVE), V_INT(ch->now), V_TEXT(ch->source),
                           ch->due ? V_INT(ch->due) : V_NULL));
    if (!ch->version)
        return write_person_there(db, ch->tenant, ch->person->id);
    TRY(db_run(db, SQL_SUBJECT_BUMP, &changed,
               ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id), V_INT(ch->expected), V_INT(ch->version))));
    return changed ? OK
                   : say(db_arena(db), ERR_PRECONDITION, "the person's data changed since version %lld",
                         (long long)ch->expected);
}

static enum err drop_item(struct db *db, const struct change *ch, const struct change_drop *d)
{
    struct val of[] = { V_TEXT(ch->tenant), V_ID(ch->person->id), V_TEXT(d->category), V_INT(d->item) };
    TRY(block_forget_sums(db, ch->tenant, ch->person->id, d->category, -1));
    TRY(db_run(db, SQL_RECORD_DROP, NULL, of, 4));
    return db_run(db, SQL_FORMER_DROP, NULL, of, 4);
}

static void note_gone(const struct ctx *c, text category, struct bits *gone)
{
    int index = policy_category(c->policy, category);
    if (index >= 0)
        bits_add(gone, (unsigned)index);
}

/* Whatever is held of it, in whichever table. */
static enum err drop_category(struct db *db, const struct ctx *c, const struct change *ch, text category,
                              struct bits *gone)
{
    note_gone(c, category, gone);
    struct val of[] = { V_TEXT(ch->tenant), V_ID(ch->person->id), V_TEXT(category) };
    TRY(block_forget_sums(db, ch->tenant, ch->person->id, category, -1));
    TRY(db_run(db, SQL_ATTACHMENT_PARTS_OF, NULL, of, 3));
    EACH_KIND(kind)
    TRY(db_run(db, kind->drop_of, NULL, of, 3));
    return OK;
}

static enum err run_records(struct db *db, const struct ctx *c, const struct change *ch, struct bits *gone)
{
    for (unsigned i = 0; i < ch->drop_count; i++) {
        const struct change_drop *d = &ch->drops[i];
        if (d->all) {
            TRY(drop_category(db, c, ch, d->category, gone));
            continue;
        }
        note_gone(c, d->category, gone);
        TRY(drop_item(db, ch, d));
    }
    for (unsigned i = 0; i < ch->record_count; i++) {
        const struct record *r = &ch->records[i];
        const struct category *cat = &c->policy->categories[r->category];
        int64_t written;
        if (block_holds(cat))
            TRY(block_forget_sums(db, ch->tenant, ch->person->id, cat->name, -1));
        TRY(db_run(db, SQL_RECORD_PUT, &written,
                   ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id), V_TEXT(cat->name), V_INT(r->item), V_INT(r->version),
                        V_SEALED(r->sealed), V_TEXT(r->source), V_INT(r->at), r->due ? V_INT(r->due) : V_NULL,
                        V_INT(r->archived), V_INT(r->key_class))));
        if (!written)
            return say(db_arena(db), ERR_CONFLICT, "another record of that number was written meanwhile");
    }
    for (unsigned i = 0; i < ch->former_count; i++) {
        const struct change_former *f = &ch->formers[i];
        TRY(db_run(db, SQL_FORMER_ADD, NULL,
                   ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id), V_TEXT(f->category), V_INT(f->item),
                        V_INT(ch->version), V_SEALED(f->sealed), V_INT(ch->now), f->due ? V_INT(f->due) : V_NULL)));
    }
    return OK;
}

/* The decision in force, repeated: its row counts it, and tells when it was last. */
static enum err run_repeat(struct db *db, const struct change *ch, const struct change_consent *k, bool *repeated)
{
    int64_t changed = 0;
    if (!k->evidence.bytes.n)
        TRY(db_run(db, SQL_CONSENT_REPEAT, &changed,
                   ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id), V_TEXT(k->purpose), V_TEXT(k->channel),
                        V_TEXT(k->decision), V_INT(ch->now), V_TEXT(ch->policy_version),
                        V_TEXT(text_of(k->wording_hash)), V_TEXT(k->method), V_TEXT(k->actor))));
    *repeated = changed > 0;
    return OK;
}

/* Withdrawing (GDPR 7(3)) and objecting (21) are never refused for their number: without a new consent between they
 * only repeat. */
static bool has_budget(const struct change_consent *k)
{
    return !text_eq(k->decision, TEXT("withdrawn")) && !text_eq(k->channel, TEXT("objection"));
}

static enum err run_budget(struct db *db, const struct change *ch)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_CONSENT_SINCE,
                ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id), V_INT(ch->now - budget_row(BUDGET_decisions)->within)));
    int64_t used = query_next(&q) ? query_get(&q, CONSENT_SINCE, count) : 0;
    TRY(q.status);
    return budget_check(db_arena(db), ch->language, BUDGET_decisions, used, 1);
}

/* Whether what was decided last there is a consent. */
static enum err run_given(struct db *db, const struct change *ch, const struct change_consent *k, bool *given)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_CONSENT_GIVEN,
                ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id), V_TEXT(k->purpose), V_TEXT(k->channel)));
    *given = query_next(&q);
    return q.status;
}

/* Whether something was decided there after what it rests on. */
static enum err run_later(struct db *db, const struct change *ch, const struct change_consent *k, bool *later)
{
    QUERY_AUTO q;
    query_start(
        &q, db, SQL_CONSENT_LATER,
        ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id), V_TEXT(k->purpose), V_TEXT(k->channel), V_INT(k->unless)));
    *later = query_next(&q);
    return q.status;
}

/* ---- What goes with a consent (`purposes.*.forgotten`; GDPR 17(1)(b)). ---- */

static bool ends_consent(const struct change_consent *k) { return !text_eq(k->decision, TEXT("given")) && !k->yields; }

static const struct purpose *forgotten(const struct policy *p, const struct change_consent *k)
{
    int index = text_eq(k->channel, TEXT("objection")) ? -1 : policy_purpose(p, k->purpose);
    return index >= 0 && p->purposes[index].forgotten && ends_consent(k) ? &p->purposes[index] : NULL;
}

/* Used by that purpose and no other, kept under nothing else, and nobody is found by it. */
static bool is_its_own(const struct policy *p, const struct purpose *of, const struct category *cat)
{
    if (!bits_has(&of->categories, (unsigned)(cat - p->categories)) || cat->held || cat->transient)
        return false;
    for (unsigned i = 0; i < p->purpose_count; i++)
        if (&p->purposes[i] != of && bits_has(&cat->purposes, i) && !p->purposes[i].never)
            return false;
    for (unsigned i = 0; i < cat->field_count; i++)
        if (cat->fields[i].identifier)
            return false;
    return true;
}

/* By another channel the consent goes on. */
static enum err still_given(struct db *db, const struct change *ch, const struct purpose *of, bool *given)
{
    *given = false;
    for (unsigned i = 0; i < of->channel_count && !*given; i++) {
        const struct change_consent k = { .purpose = of->name, .channel = of->channels[i] };
        TRY(run_given(db, ch, &k, given));
    }
    return OK;
}

static enum err run_forget(struct db *db, const struct ctx *c, const struct change *ch, const struct change_consent *k,
                           struct bits *gone)
{
    const struct purpose *of = forgotten(c->policy, k);
    struct keeping keeping;
    bool given;
    if (!of)
        return OK;
    TRY(still_given(db, ch, of, &given));
    TRY(keeping_load(db, db_arena(db), ch->tenant, ch->person->id, ch->now, &keeping));
    for (unsigned i = 0; i < c->policy->category_count && !given && !keeping.restricted; i++) {
        const struct category *cat = &c->policy->categories[i];
        if (is_its_own(c->policy, of, cat) && !keeping_hold(&keeping, cat->name))
            TRY(drop_category(db, c, ch, cat->name, gone));
    }
    /* Whoever read them before must read again. */
    return db_run(db, SQL_SUBJECT_TOUCH, NULL, ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id), V_INT(ch->now)));
}

static enum err run_consents(struct db *db, const struct ctx *c, const struct change *ch, struct bits *gone)
{
    bool withdrawn = false;
    for (unsigned i = 0; i < ch->consent_count; i++) {
        const struct change_consent *k = &ch->consents[i];
        bool repeated, given = false; /* given: it gives way to what stands there */
        if (k->yields)
            TRY(run_given(db, ch, k, &given));
        if (k->unless && !given)
            TRY(run_later(db, ch, k, &given));
        if (given)
            continue;
        TRY(run_forget(db, c, ch, k, gone));
        TRY(run_repeat(db, ch, k, &repeated));
        if (repeated)
            continue;
        if (has_budget(k))
            TRY(run_budget(db, ch));
        if (k->wording.n)
            TRY(db_run(db, SQL_WORDING_ADD, NULL, ARGS(V_TEXT(text_of(k->wording_hash)), V_TEXT(k->wording_kept))));
        TRY(db_run(db, SQL_CONSENT_ADD, NULL,
                   ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id), V_TEXT(k->purpose), V_TEXT(k->channel),
                        V_TEXT(k->decision), V_INT(k->at ? k->at : ch->now), V_TEXT(ch->policy_version),
                        k->wording_hash[0] ? V_TEXT(text_of(k->wording_hash)) : V_NULL, V_TEXT(k->method),
                        V_TEXT(k->actor), k->evidence.bytes.n ? V_SEALED(k->evidence) : V_NULL)));
        withdrawn |= text_eq(k->decision, TEXT("withdrawn"));
    }
    if (!withdrawn)
        return OK;
    /* What is kept only for a time after a withdrawal begins its term. */
    TRY(db_run(db, SQL_MILESTONE_PUT, NULL,
               ARGS(V_TEXT(ch->tenant), V_ID(ch->person->id), V_TEXT(TEXT("withdrawal")), V_INT(ch->now))));
    return keeping_again(db, ch->tenant, ch->person->id, TEXT("*"), ch->now);
}

struct running {
    struct ctx *c;
    struct change *change;
};

static enum err run(struct db *db, struct write *w)
{
    const struct running *r = w->arg;
    const struct change *ch = r->change;
    struct bits gone = { { 0 } };
    /* What may refuse stands first: a write that fails before it changed anything costs its group nothing. */
    if (ch->create) {
        TRY(run_identifiers(db, ch));
        TRY(run_subject(db, ch));
    } else {
        TRY(run_subject(db, ch));
        TRY(run_identifiers(db, ch));
    }
    TRY(run_records(db, r->c, ch, &gone));
    TRY(run_consents(db, r->c, ch, &gone));
    if (bits_any(&gone)) /* who was given it is told (GDPR 19) */
        TRY(owed_tell(db, r->c->policy, ch->tenant, ch->person->id, TEXT("tell_part"), &gone, 0, ch->told, ch->now));
    TRY(permission_run(db, ch->tenant, ch->person->id, ch->policy_version, ch->now, &ch->permission));
    if (ch->outside)
        TRY(feature_outside_run(db, r->c, ch->outside));
    if (ch->also)
        TRY(ch->also(db, ch->also_arg));
    return ch->inform
               ? duty_add(db, ch->tenant, ch->duty, &ch->person->id, TEXT("inform"), ch->source, ch->now, ch->inform)
               : OK;
}

/* What only the store could refuse of a new person, asked without writing. */
static enum err check_free(struct ctx *c, const struct change *ch)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    for (unsigned i = 0; i < ch->identifier_count; i++) {
        bool taken;
        TRY(is_taken(db, ch, &ch->identifiers[i], &taken));
        if (taken)
            return another_has_it(c->arena, &ch->identifiers[i]);
    }
    return OK;
}

enum err change_write(struct ctx *c, struct change *ch, struct event event, const struct answer *answer)
{
    if (c->dry)
        return check_free(c, ch);
    struct running r = { c, ch };
    for (unsigned i = 0; i < ch->consent_count; i++)
        ch->truncate |= forgotten(c->policy, &ch->consents[i]) != NULL;
    struct write w = { .run = run,
                       .arg = &r,
                       .event = event,
                       .puts = ch->puts,
                       .put_count = ch->put_count,
                       .truncate = ch->truncate,
                       .urgent = ch->urgent };
    return write_do(c, &w, answer);
}

/* ---- Making ready. ---- */

enum err change_begin(struct ctx *c, struct person *p, unsigned records, struct change *out)
{
    *out = (struct change){ .person = p,
                            .tenant = c->tenant,
                            .now = c->now,
                            .policy_version = c->policy->version,
                            .language = c->language,
                            .duty = id_make(c->now),
                            .told = id_make(c->now) };
    out->records = NEW_ARRAY(c->arena, struct record, records + 1);
    out->formers = NEW_ARRAY(c->arena, struct change_former, records + 1);
    out->drops = NEW_ARRAY(c->arena, struct change_drop, records + 1);
    out->puts = NEW_ARRAY(c->arena, struct key_put, records + 3 + c->policy->category_count);
    out->identifiers = NEW_ARRAY(c->arena, struct change_identifier, (size_t)records * 2 * FIELDS_MAX + 1);
    return out->records && out->formers && out->drops && out->puts && out->identifiers ? OK : ERR_MEMORY;
}

enum err change_outside(struct ctx *c, struct change *ch, struct outside *job)
{
    TRY(feature_outside(c, ch->person, job));
    if (job->any)
        ch->puts[ch->put_count++] = job->put;
    ch->outside = job;
    return OK;
}

static text value_of(const struct json *v)
{
    return v && (v->kind == J_TEXT || v->kind == J_NUMBER) ? v->value : (text){ NULL, 0 };
}

/* When it happened, as the record itself says: that is what terms from an event count from, whenever it was written
 * down. `form`: sealed. */
static enum err event_of_record(struct ctx *c, const struct category *cat, text form, msec *at)
{
    const struct json *fields;
    struct date day;
    msec time;
    if (cat->event < 0)
        return OK;
    const struct field *f = &cat->fields[cat->event];
    TRY(json_parse(c->arena, form, &fields));
    const struct json *member = json_get(fields, f->name);
    text value = value_of(member ? member->first : NULL);
    if (f->type == FIELD_DATE && date_parse(value, &day))
        *at = date_start(day);
    else if (f->type == FIELD_TIME && time_parse(value, &time))
        *at = time;
    return OK;
}

enum err change_record(struct ctx *c, struct change *ch, const struct record *like, text fields)
{
    struct record *r = &ch->records[ch->record_count];
    const struct category *cat = &c->policy->categories[like->category];
    bool has_put;
    *r = *like;
    msec before = r->at;
    TRY(event_of_record(c, cat, fields, &r->at));
    if (r->at != before) /* corrected: its term is another */
        r->due = 0;
    r->version = ch->version ? ch->version : 1;
    if (cat->retention && !r->due) {
        struct starts starts = { .collection = ch->now, .event = r->at, .last_use = ch->person->last_use };
        if (!ch->create)
            TRY(retention_starts(c, ch->person, &starts));
        starts.collection = ch->now;
        starts.event = r->at;
        r->due = retention_due(cat->retention, &starts, false);
    }
    TRY(record_seal(c, ch->person, r, fields, &ch->puts[ch->put_count], &has_put));
    ch->put_count += has_put;
    ch->record_count++;
    return OK;
}

static void digests_of(struct ctx *c, text field, const struct field *f, text value, struct digest *digest,
                       struct digest *former)
{
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, field, normal_lookup(c, f, value), digest);
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, field, normal_former(c->arena, f, value), former);
}

/* Sign-in takes what is typed for any identifier, an address first, since its person confirmed it (signin_find). */
static void add_others(struct ctx *c, const struct category *cat, const struct field *own, text value,
                       struct change_identifier *id)
{
    enum { OTHERS = 32 };
    id->others = own->type == FIELD_EMAIL ? NULL : NEW_ARRAY(c->arena, struct change_name, OTHERS);
    for (unsigned i = 0; id->others && i < c->policy->category_count; i++)
        for (unsigned k = 0; k < c->policy->categories[i].field_count && id->other_count < OTHERS; k++) {
            const struct category *of = &c->policy->categories[i];
            const struct field *f = &of->fields[k];
            if (!f->identifier || f->type == FIELD_EMAIL || (of == cat && f == own))
                continue;
            struct change_name *name = &id->others[id->other_count++];
            name->field = arena_print(c->arena, "%.*s.%.*s", T(of->name), T(f->name));
            digests_of(c, name->field, f, value, &name->digest, &name->former);
        }
}

static void add_identifier(struct ctx *c, struct change *ch, const struct category *cat, const struct field *f,
                           text value, bool remove)
{
    struct change_identifier *id = &ch->identifiers[ch->identifier_count++];
    id->field = arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(f->name));
    id->remove = remove;
    digests_of(c, id->field, f, value, &id->digest, &id->former);
    if (!remove)
        add_others(c, cat, f, value, id);
}

enum err change_identifiers(struct ctx *c, struct change *ch, const struct category *cat, const struct json *fields,
                            const struct json *old)
{
    for (unsigned i = 0; i < cat->field_count; i++) {
        const struct field *f = &cat->fields[i];
        const struct json *member = json_get(old, f->name);
        text before = value_of(member ? member->first : NULL), after = value_of(json_get(fields, f->name));
        if (!f->identifier || text_eq(normal_lookup(c, f, before), normal_lookup(c, f, after)))
            continue;
        if (before.n)
            add_identifier(c, ch, cat, f, before, true);
        if (after.n)
            add_identifier(c, ch, cat, f, after, false);
    }
    return c->arena->why.code == ERR_MEMORY ? ERR_MEMORY : OK;
}

/* ---- Consents. ---- */

static enum err consent_channel(struct ctx *c, const struct purpose *p, text channel)
{
    if (!p->channel_count && !channel.n)
        return OK;
    for (unsigned i = 0; i < p->channel_count; i++)
        if (text_eq(p->channels[i], channel))
            return OK;
    return say_clause(c->arena, p->channel_count && !channel.n ? ERR_MISSING : ERR_UNDECLARED, &p->clause,
                      p->channel_count ? "consent to \"%.*s\" is given for one of its channels, named in \"channel\""
                                       : "purpose \"%.*s\" has no channels",
                      T(p->name));
}

static bool word_in(text s, const char *const *words)
{
    for (; *words; words++)
        if (text_eq(s, text_of(*words)))
            return true;
    return false;
}

/* Consent is asked for a purpose that rests on it: anything else recorded as consent would mislead (GDPR 4(11), 7). */
static enum err consent_purpose(struct ctx *c, text name, const struct purpose **out)
{
    int index = policy_purpose(c->policy, name);
    const struct clause *never = index >= 0 ? c->policy->purposes[index].never : NULL;
    if (never)
        return say_clause(c->arena, ERR_PURPOSE, never, "the policy rules out purpose \"%.*s\", whatever the consent",
                          T(value_shown(name)));
    if (index < 0)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->purposes_clause, "the policy has no purpose \"%.*s\"",
                          T(value_shown(name)));
    *out = &c->policy->purposes[index];
    if ((*out)->basis != BASIS_CONSENT && !(*out)->customers_only)
        return say_clause(c->arena, ERR_VALUE, &(*out)->clause, "purpose \"%.*s\" rests on %.*s, not on consent",
                          T(name), T(basis_word((*out)->basis)));
    return OK;
}

/* A consent is a clear act of its own (GDPR 4(11), rec. 32; C-673/17): asked in a way that the policy names, or told to
 * staff, who record how. Using, going on, signing up is none, whatever the policy says. */
static enum err consent_method(struct ctx *c, const struct change_consent *k)
{
    static const char *const never[] = { "use",  "visit", "browsing", "scroll",  "continue",  "signup",
                                         "form", "terms", "silence",  "default", "preticked", NULL };
    const struct node *ways = node_at(c->policy->root, TEXT("consent.method"));
    bool staff = c->actor.kind == ACTOR_STAFF || c->actor.kind == ACTOR_MANAGER || c->actor.kind == ACTOR_OPERATOR;
    bool told = staff && node_has(ways, TEXT("staff"));
    if (!k->method.n || !text_eq(k->decision, TEXT("given")))
        return OK;
    if (!word_in(k->method, never) && (!ways || told || node_has(ways, k->method)))
        return OK;
    const struct clause *clause = policy_clause(c->policy, TEXT("consent.method"));
    say_clause(c->arena, ERR_UNDECLARED, clause ? clause : &c->policy->purposes_clause,
               "\"%.*s\" is no way in which consent is given here", T(k->method));
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "method");
    return ERR_UNDECLARED;
}

enum err change_evidence(struct ctx *c, const struct change *ch, text evidence, struct change_consent *out)
{
    if (!evidence.n && !out->by.n && !out->signed_on.n)
        return OK;
    TRY(value_no_card(c, TEXT("evidence"), evidence));
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("by"), out->by.n ? out->by : (text){ NULL, 0 });
    json_pair(&w, TEXT("evidence"), evidence.n ? evidence : (text){ NULL, 0 });
    if (out->parent.n)
        json_pair(&w, TEXT("parent"), out->parent);
    if (out->signed_on.n) {
        json_pair(&w, TEXT("signed"), out->signed_on);
        json_pair(&w, TEXT("entered"), out->entered);
        json_pair(&w, TEXT("scan"), out->scan.n ? out->scan : (text){ NULL, 0 });
    }
    json_close(&w, '}');
    text kept;
    TRY(buf_lend(c->arena, &b, &kept));
    return consent_seal(c, ch->person, out->purpose, kept, &out->evidence);
}

/* Letters to customers without consent (CPCE L34-5): what is on record is that the address came with a sale, and that
 * they could oppose then; told by who sold, with the sale and the words. */
static enum err check_offer(struct ctx *c, const struct purpose *p, const struct json *in, text decision)
{
    static const char *const asked[] = { "given", "refused", "withdrawn", NULL }, *const sold[] = { "offered",
                                                                                                    "refused",
                                                                                                    "withdrawn", NULL };
    bool soft = p->basis != BASIS_CONSENT;
    if (soft && !word_in(decision, sold))
        return say(c->arena, ERR_VALUE, "\"decision\" is one of offered, refused, withdrawn");
    if (!soft && !word_in(decision, asked))
        return say(c->arena, ERR_VALUE, "\"decision\" is one of given, refused, withdrawn");
    if (!text_eq(decision, TEXT("offered")))
        return OK;
    if (c->actor.kind == ACTOR_PERSON)
        return say_clause(c->arena, ERR_VALUE, &p->clause, "that opposing was offered is told by who sold");
    if (!json_text(in, TEXT("evidence")).n || !json_text(in, TEXT("wording")).n)
        return say_clause(c->arena, ERR_MISSING, &p->clause,
                          "\"evidence\" names the sale, and \"wording\" how opposing was offered then");
    return OK;
}

static enum err one_consent(struct ctx *c, const struct change *ch, const struct json *in, struct change_consent *out)
{
    const struct purpose *p = NULL;
    text name = json_text(in, TEXT("purpose")), wording = json_text(in, TEXT("wording"));
    if (!name.n)
        return say(c->arena, ERR_MISSING, "a consent names its \"purpose\"");
    TRY(consent_purpose(c, name, &p));
    *out = (struct change_consent){ .purpose = p->name,
                                    .decision = json_text(in, TEXT("decision")),
                                    .channel = json_text(in, TEXT("channel")),
                                    .method = json_text(in, TEXT("method")),
                                    .by = json_text(in, TEXT("by")) };
    TRY(check_offer(c, p, in, out->decision));
    TRY(consent_channel(c, p, out->channel));
    if (!out->channel.p)
        out->channel = TEXT("");
    if (!text_eq(value_shown(out->method), out->method))
        return say(c->arena, card_find(out->method, NULL) ? ERR_CARD_NUMBER : ERR_VALUE,
                   "\"method\" is a name of at most 64 lower-case letters, digits, '.' and '_'");
    TRY(consent_method(c, out));
    if (out->by.n > 256 || wording.n > 8192)
        return say(c->arena, ERR_VALUE, "\"by\" has at most 256 bytes, \"wording\" 8192");
    TRY(value_no_card(c, TEXT("by"), out->by));
    TRY(value_no_card(c, TEXT("wording"), wording));
    out->actor = c->actor.name;
    /* Without a wording of its own, the proof is of the purpose as the policy words it. */
    out->wording = wording.n ? wording : text_eq(c->language, TEXT("fr")) ? p->title_fr : p->title_en;
    digest_hex(out->wording, out->wording_hash);
    TRY(written_seal(ctx_store(c), c->arena, TEXT(""), TEXT("wording"), out->wording, &out->wording_kept));
    return change_evidence(c, ch, json_text(in, TEXT("evidence")), out);
}

enum err change_consents(struct ctx *c, struct change *ch, const struct json *in)
{
    if (!in)
        return OK;
    if (in->kind != J_OBJECT && (in->kind != J_ARRAY || in->count > CONSENTS_MAX))
        return say(c->arena, ERR_VALUE, "consents are one object, or a list of at most %d", CONSENTS_MAX);
    unsigned count = in->kind == J_OBJECT ? 1 : in->count;
    ch->consents = NEW_ARRAY(c->arena, struct change_consent, count + 1);
    TRY_PTR(ch->consents);
    if (in->kind == J_OBJECT)
        return one_consent(c, ch, in, &ch->consents[ch->consent_count++]);
    JSON_EACH(item, in)
        TRY(one_consent(c, ch, item, &ch->consents[ch->consent_count++]));
    return OK;
}

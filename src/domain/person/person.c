/* A person as a request sees them: loaded, their consents, and the policy's decision. */
#include "domain/core/actor.h"
#include "domain/core/data_subject.h"
#include "domain/core/decided.h"
#include "domain/person/permission.h"
#include "domain/person/person.h"
#include "domain/person/reach.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

static enum err load_row(struct ctx *c, struct person *p)
{
    READ_AUTO db = NULL;
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBJECT_GET, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
    bool found = query_next(&q);
    TRY(q.status);
    if (!found)
        return person_absent(c);
    p->version = query_get(&q, SUBJECT_GET, version);
    p->state = (enum person_state)query_get(&q, SUBJECT_GET, state);
    p->restricted = query_get(&q, SUBJECT_GET, restricted) != 0;
    p->created = query_get(&q, SUBJECT_GET, created);
    p->last_use = query_get(&q, SUBJECT_GET, last_use);
    p->source = arena_copy(c->arena, query_get(&q, SUBJECT_GET, source));
    return OK;
}

/* A closed account is in the archive: it is there for who reads that, and for nobody else. */
static bool in_reach(const struct ctx *c, const struct person *p, enum closed closed)
{
    return p->state == PERSON_ACTIVE || closed == CLOSED_ANYWAY || (closed == CLOSED_FOR_READERS && archive_reader(c));
}

/* Still there, in reach, and not closed meanwhile. */
static enum err open_again(struct ctx *c, const struct decided *d)
{
    TRY(person_reach(c, d->person.id));
    return d->there && in_reach(c, &d->person, d->closed) ? OK : person_absent(c);
}

static enum err open_person(struct ctx *c, text id, enum closed closed, struct person *out)
{
    *out = (struct person){ 0 };
    if (!id_parse(id, &out->id))
        return person_absent(c);
    TRY(person_reach(c, out->id));
    TRY(load_row(c, out));
    if (!in_reach(c, out, closed))
        return person_absent(c);
    enum err status = store_key(ctx_store(c), c->arena, c->tenant, out->id, 0, &out->key);
    /* A row whose key is gone is an erased person of a restored backup: they are not there. */
    if (status == ERR_ERASED)
        return person_absent(c);
    TRY(status);
    journal_pseudonym(&out->key, &out->who);
    return decided_add(c, (struct decided){ .again = open_again, .closed = closed }, out);
}

enum err person_find(struct ctx *c, text field, const struct digest *digest, bool *found, struct subject_id *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_IDENTIFIER_FIND, ARGS(V_TEXT(c->tenant), V_TEXT(field), V_BYTES(TEXT_BYTES(*digest))));
    *found = query_next(&q) && query_get(&q, IDENTIFIER_FIND, subject).n == SUBJECT_ID;
    if (*found)
        memcpy(out, query_get(&q, IDENTIFIER_FIND, subject).p, SUBJECT_ID);
    return q.status;
}

enum err person_open(struct ctx *c, text id, bool closed_too, struct person *out)
{
    return open_person(c, id, closed_too ? CLOSED_FOR_READERS : CLOSED_NOT, out);
}

enum err person_open_anyway(struct ctx *c, text id, struct person *out)
{
    return open_person(c, id, CLOSED_ANYWAY, out);
}

/* ---- Consents and the decision. ---- */

struct standing {
    struct bits consents, objections;
};

static bool opposes(text decision)
{
    return text_eq(decision, TEXT("refused")) || text_eq(decision, TEXT("withdrawn")) ||
           text_eq(decision, TEXT("objected")) || text_eq(decision, TEXT("upheld"));
}

/* Whoever once opposed letters to customers is written to no more, whatever they are offered since. */
static void end_offer(const struct policy *p, unsigned purpose, struct standing *s)
{
    if (p->purposes[purpose].customers_only && p->purposes[purpose].basis != BASIS_CONSENT)
        s->consents.w[purpose >> 6] &= ~((uint64_t)1 << (purpose & 63));
}

/* The ledger is append-only: the last row of each purpose and channel tells where things stand. */
static enum err load_standing(struct ctx *c, const struct person *p, text channel_of_use, struct standing *out)
{
    struct term expires;
    bool expire = term_parse(node_text(node_at(c->policy->root, TEXT("consent")), TEXT("expires")), &expires);
    struct {
        int purpose;
        text channel;
        bool live, opposed;
    } *rows = NULL;
    unsigned count = 0, room = 0;
    *out = (struct standing){ 0 };
    READ_AUTO db = NULL;
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CONSENT_STANDING, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
    while (query_next(&q)) {
        int purpose = policy_purpose(c->policy, query_get(&q, CONSENT_STANDING, purpose));
        text channel = query_get(&q, CONSENT_STANDING, channel), decision = query_get(&q, CONSENT_STANDING, decision);
        if (purpose < 0 || text_eq(channel, PERMISSION_CHANNEL))
            continue; /* what a source may bring is no consent to a purpose of the same name */
        unsigned i = 0;
        while (i < count && !(rows[i].purpose == purpose && text_eq(rows[i].channel, channel)))
            i++;
        if (i == room) {
            void *old = rows;
            rows = arena_array(c->arena, room = room ? room * 2 : 16, sizeof *rows);
            TRY_PTR(rows);
            if (old)
                memcpy(rows, old, count * sizeof *rows);
        }
        if (i == count) {
            rows[count].purpose = purpose;
            rows[count].opposed = false;
            rows[count++].channel = arena_copy(c->arena, channel);
        }
        bool over = expire && term_end(query_get(&q, CONSENT_STANDING, at), expires, 1) <=
                                  c->now; /* asked again: it stands no longer */
        rows[i].opposed |= opposes(decision);
        rows[i].live = (text_eq(decision, TEXT("given")) && !over) || text_eq(decision, TEXT("objected")) ||
                       text_eq(decision, TEXT("upheld")) ||
                       (text_eq(decision, TEXT("offered")) && !rows[i].opposed);
        if (channel_of_use.n && c->policy->purposes[purpose].channel_count && !text_eq(channel, TEXT("objection")))
            rows[i].live = rows[i].live && text_eq(channel, channel_of_use);
    }
    TRY(q.status);
    for (unsigned i = 0; i < count; i++)
        if (rows[i].live)
            bits_add(text_eq(rows[i].channel, TEXT("objection")) ? &out->objections : &out->consents,
                     (unsigned)rows[i].purpose);
    for (unsigned i = 0; i < count; i++)
        if (rows[i].opposed && text_eq(rows[i].channel, TEXT("objection")))
            end_offer(c->policy, (unsigned)rows[i].purpose, out);
    return OK;
}

enum err person_consents_by(struct ctx *c, const struct person *p, text channel, struct bits *out)
{
    struct standing standing;
    TRY(load_standing(c, p, channel, &standing));
    *out = standing.consents;
    return OK;
}

enum err person_consents(struct ctx *c, const struct person *p, struct bits *out)
{
    return person_consents_by(c, p, TEXT(""), out);
}

static enum err error_of(enum verdict v)
{
    switch (v) {
    case REFUSED_CONSENT:
        return ERR_CONSENT;
    case REFUSED_ACTOR:
    case REFUSED_ACT:
    case REFUSED_CONFIDENTIALITY:
    case REFUSED_STORED:
    case REFUSED_SUPPORT:
        return ERR_FORBIDDEN;
    case ALLOWED:
        return OK;
    case REFUSED_NEVER:
    case REFUSED_PURPOSE_UNKNOWN:
    case REFUSED_CATEGORY:
    case REFUSED_HELD:
    case REFUSED_RESTRICTED:
    case REFUSED_OBJECTED:
    case REFUSED_CUSTOMER:
        break;
    }
    return ERR_PURPOSE;
}

static enum err refuse(struct ctx *c, const struct person *p, struct decision d, text purpose,
                       const struct bits *categories, int category)
{
    text all = categories ? event_categories(c, categories) : TEXT("");
    text name = category >= 0 ? c->policy->categories[category].name : TEXT("");
    text reason = verdict_text(d.verdict, c->language);
    text shown = purpose.n ? value_shown(purpose) : TEXT("none");
    say_clause(c->arena, error_of(d.verdict), d.clause, "%.*s (%.*s; purpose \"%.*s\"%s%.*s%s)", T(reason),
               T(c->actor.name), T(shown), name.n ? ", category \"" : "", T(name),
               name.n ? "\"" : "");
    return write_refusal(c, p, value_shown(purpose), all);
}

/* What the decision needs of the person. Consents and objections are read only where a basis makes them matter. */
static enum err ask_begin(struct ctx *c, const struct person *p, const struct bits *given, enum act act, text channel,
                          struct standing *standing, struct ask *ask)
{
    *standing = (struct standing){ 0 };
    *ask = actor_ask(c, PURPOSE_UNKNOWN, -1, act);
    ask->restricted = p && p->restricted;
    ask->consents = &standing->consents;
    ask->objections = &standing->objections;
    if (p)
        TRY(load_standing(c, p, channel, standing));
    for (unsigned i = 0; given && i < sizeof given->w / sizeof given->w[0]; i++)
        standing->consents.w[i] |= given->w[i];
    return OK;
}

enum err person_would_allow(struct ctx *c, const struct person *p, text purpose, enum act act, bool *allowed)
{
    struct standing standing;
    struct ask ask;
    TRY(ask_begin(c, p, NULL, act, TEXT(""), &standing, &ask));
    ask.purpose = policy_purpose(c->policy, purpose);
    *allowed = ask.purpose >= 0 && policy_decide(c->policy, &ask).verdict == ALLOWED;
    return OK;
}

enum err person_would_send(struct ctx *c, struct subject_id id, text purpose, text channel, bool *allowed)
{
    struct person p = { .id = id };
    struct standing standing;
    struct ask ask;
    struct why why = c->arena->why;
    *allowed = false;
    enum err status = load_row(c, &p);
    if (status == ERR_NOT_FOUND) {
        c->arena->why = why;
        return OK;
    }
    TRY(status);
    TRY(ask_begin(c, &p, NULL, ACT_SEND, channel, &standing, &ask));
    ask.purpose = policy_purpose(c->policy, purpose);
    *allowed = in_reach(c, &p, CLOSED_NOT) && ask.purpose >= 0 && policy_decide(c->policy, &ask).verdict == ALLOWED;
    return OK;
}

static bool needs_standing(const struct purpose *row)
{
    return row->basis == BASIS_CONSENT || row->basis == BASIS_INTEREST || row->basis == BASIS_PUBLIC || row->marketing;
}

static enum err allow_again(struct ctx *c, const struct decided *d)
{
    return person_allow_by(c, d->has_person ? &d->person : NULL, d->name,
                           d->has_categories ? &d->categories : NULL,
                           d->act, d->channel);
}

/* A message goes by a channel that the purpose has, and consent to one channel is none to another. */
static enum err check_channel(struct ctx *c, const struct person *p, const struct purpose *row, enum act act,
                              text channel)
{
    if (act != ACT_SEND || !row->channel_count)
        return OK;
    if (!channel.n)
        return say_clause(c->arena, ERR_MISSING, &row->clause,
                          "\"channel\" says by which of its channels \"%.*s\" is sent", T(row->name));
    for (unsigned i = 0; i < row->channel_count; i++)
        if (text_eq(row->channels[i], channel))
            return OK;
    say_clause(c->arena, ERR_PURPOSE, &row->clause, "\"%.*s\" has no channel \"%.*s\"", T(row->name),
               T(value_shown(channel)));
    return write_refusal(c, p, row->name, TEXT(""));
}

enum err person_allow(struct ctx *c, const struct person *p, text purpose, const struct bits *categories, enum act act)
{
    return person_allow_by(c, p, purpose, categories, act, TEXT(""));
}

enum err person_allow_by(struct ctx *c, const struct person *p, text purpose, const struct bits *categories,
                         enum act act, text channel)
{
    struct standing standing;
    struct ask ask;
    const struct bits none = { { 0 } };
    int index = policy_purpose(c->policy, purpose);
    bool declared = index >= 0 && (unsigned)index < c->policy->purpose_count;
    if (declared && !channel.n && c->policy->purposes[index].channel_count == 1)
        channel = c->policy->purposes[index].channels[0]; /* there is no other way */
    if (declared)
        TRY(check_channel(c, p, &c->policy->purposes[index], act, channel));
    TRY(ask_begin(c, declared && needs_standing(&c->policy->purposes[index]) ? p : NULL, NULL, act,
                  act == ACT_SEND ? channel : TEXT(""), &standing, &ask));
    ask.purpose = index;
    ask.restricted = p && p->restricted;
    struct decision d = policy_decide(c->policy, &ask);
    if (d.verdict != ALLOWED)
        return refuse(c, p, d, purpose, categories, -1);
    for (unsigned i = 0; categories && i < c->policy->category_count; i++) {
        if (!bits_has(categories, i))
            continue;
        ask.category = (int)i;
        d = policy_decide(c->policy, &ask);
        if (d.verdict != ALLOWED)
            return refuse(c, p, d, purpose, categories, (int)i);
    }
    TRY(look_allow(c, p, purpose, categories));
    return decided_add(c,
                       (struct decided){ .again = allow_again,
                                         .name = purpose,
                                         .has_categories = categories != NULL,
                                         .act = act,
                                         .channel = channel,
                                         .categories = categories ? *categories : none },
                       p);
}

/* Somebody who answers rights may correct what is held. What is not held yet is stored by them only as by anybody: not
 * without the consent that it needs (GDPR 6(1)(a), 7), nor, by others than the person, against an objection or a
 * restriction (18, 21). */
static bool may_store(const struct ctx *c, const struct person *p, const struct ask *ask, const struct category *cat,
                      bool themselves, struct decision *told)
{
    if (!policy_tenant_holds(ask->tenant, (int)(cat - c->policy->categories))) {
        *told = (struct decision){ REFUSED_HELD, &ask->tenant->held_clause };
        return false;
    }
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        const struct purpose *row = &c->policy->purposes[i];
        if (!bits_has(&cat->purposes, i) || row->never)
            continue;
        if (row->basis == BASIS_CONSENT && !bits_has(ask->consents, i))
            *told = (struct decision){ REFUSED_CONSENT, &row->clause };
        else if (!themselves && bits_has(ask->objections, i))
            *told = (struct decision){ REFUSED_OBJECTED, &row->clause };
        else if (!themselves && p->restricted && !row->despite_restriction)
            *told = (struct decision){ REFUSED_RESTRICTED, &c->policy->rights_clause };
        else
            return true;
    }
    return false;
}

static enum err is_held(struct ctx *c, const struct person *p, const struct category *cat, bool *held)
{
    *held = false;
    if (cat->many || cat->transient)
        return OK;
    READ_AUTO db = NULL;
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_RECORD_HELD, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(cat->name)));
    *held = query_next(&q);
    return q.status;
}

/* The first purpose that allows the category decides; when none does, the last refusal that was not about the actor is
 * the one told. */
static enum err allow_by_any(struct ctx *c, const struct person *p, struct ask *ask, unsigned category,
                             const struct bits *categories)
{
    const struct category *cat = &c->policy->categories[category];
    struct decision told = { .verdict = REFUSED_CATEGORY, .clause = &cat->clause };
    text name = TEXT("");
    bool held = false, themselves = c->actor.kind == ACTOR_PERSON;
    ask->category = (int)category;
    ask->purpose = PURPOSE_RIGHTS; /* a correction in answer to a right, by who may make it */
    if (p && policy_decide(c->policy, ask).verdict == ALLOWED) {
        TRY(is_held(c, p, cat, &held));
        if (held || ask->act != ACT_WRITE || may_store(c, p, ask, cat, themselves, &told))
            return OK;
    }
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        if (!bits_has(&cat->purposes, i))
            continue;
        ask->purpose = (int)i;
        struct decision d = policy_decide(c->policy, ask);
        if (d.verdict == ALLOWED)
            return OK;
        if (told.verdict == REFUSED_CATEGORY || (d.verdict != REFUSED_ACTOR && d.verdict != REFUSED_ACT)) {
            told = d;
            name = c->policy->purposes[i].name;
        }
    }
    return refuse(c, p, told, name, categories, (int)category);
}

static enum err observe_again(struct ctx *c, const struct decided *d)
{
    int category = policy_category(c->policy, d->name);
    if (category < 0)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                          "the policy no longer declares category \"%.*s\"", T(d->name));
    return person_may_observe(c, &d->person, (unsigned)category);
}

enum err person_may_observe(struct ctx *c, const struct person *p, unsigned category)
{
    const struct category *cat = &c->policy->categories[category];
    struct decision told = { .verdict = REFUSED_CATEGORY, .clause = &cat->clause };
    struct standing standing;
    struct ask ask;
    struct bits set = { { 0 } };
    bits_add(&set, category);
    TRY(ask_begin(c, p, NULL, ACT_WRITE, TEXT(""), &standing, &ask));
    if (!may_store(c, p, &ask, cat, false, &told))
        return refuse(c, p, told, TEXT(""), &set, (int)category);
    return decided_add(c, (struct decided){ .again = observe_again, .name = cat->name, .act = ACT_WRITE }, p);
}

enum err person_would_observe(struct ctx *c, const struct person *p, unsigned category, bool *allowed)
{
    struct decision told;
    struct standing standing;
    struct ask ask;
    TRY(ask_begin(c, p, NULL, ACT_WRITE, TEXT(""), &standing, &ask));
    *allowed = may_store(c, p, &ask, &c->policy->categories[category], false, &told);
    return OK;
}

enum err person_may_count(struct ctx *c, const struct person *p, unsigned purpose, const struct bits *categories,
                          bool *may)
{
    struct standing standing;
    struct ask ask;
    TRY(ask_begin(c, p, NULL, ACT_READ, TEXT(""), &standing, &ask));
    ask.purpose = (int)purpose;
    *may = true;
    for (unsigned i = 0; *may && i < c->policy->category_count; i++) {
        ask.category = (int)i;
        *may = !bits_has(categories, i) || policy_decide(c->policy, &ask).verdict == ALLOWED;
    }
    return OK;
}

static enum err lets_again(struct ctx *c, const struct decided *d)
{
    int purpose = policy_purpose(c->policy, d->name);
    bool may = false;
    if (purpose >= 0 && (unsigned)purpose < c->policy->purpose_count)
        TRY(person_lets_count(c, &d->person, (unsigned)purpose, &may));
    const struct clause *clause = purpose >= 0 ? &c->policy->purposes[purpose].clause : &c->policy->categories_clause;
    return may ? OK : refuse(c, &d->person, (struct decision){ REFUSED_OBJECTED, clause }, d->name, NULL, -1);
}

enum err person_lets_count(struct ctx *c, const struct person *p, unsigned purpose, bool *may)
{
    const struct purpose *row = &c->policy->purposes[purpose];
    struct standing standing;
    struct ask ask;
    TRY(ask_begin(c, p, NULL, ACT_WRITE, TEXT(""), &standing, &ask));
    bool consented = row->basis != BASIS_CONSENT || bits_has(&standing.consents, purpose);
    bool restricted = p->restricted && !row->despite_restriction;
    *may = consented && !row->never && !restricted && !bits_has(&standing.objections, purpose);
    return *may ? decided_add(c, (struct decided){ .again = lets_again, .name = row->name }, p) : OK;
}

static enum err allow_some_again(struct ctx *c, const struct decided *d)
{
    return person_allow_some(c, d->has_person ? &d->person : NULL,
                             d->has_given ? &d->given : NULL, d->name,
                             &d->categories, d->act);
}

enum err person_allow_some(struct ctx *c, const struct person *p, const struct bits *given, text purpose,
                           const struct bits *categories, enum act act)
{
    struct standing standing;
    struct ask ask;
    TRY(ask_begin(c, p, given, act, TEXT(""), &standing, &ask));
    int named = policy_purpose(c->policy, purpose);
    if (purpose.n && !bits_any(categories)) /* nothing is changed, but the purpose goes into the journal */
        return person_allow(c, p, purpose, categories, act);
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        if (!bits_has(categories, i))
            continue;
        if (!purpose.n) {
            TRY(allow_by_any(c, p, &ask, i, categories));
            continue;
        }
        ask.purpose = named;
        ask.category = named < 0 ? -1 : (int)i;
        struct decision d = policy_decide(c->policy, &ask);
        if (d.verdict != ALLOWED)
            return refuse(c, p, d, purpose, categories, (int)i);
    }
    TRY(look_allow(c, p, purpose, categories));
    const struct bits none = { { 0 } };
    return decided_add(c,
                       (struct decided){ .again = allow_some_again,
                                         .name = purpose,
                                         .categories = *categories,
                                         .has_given = given != NULL,
                                         .given = given ? *given : none,
                                         .act = act },
                       p);
}

static enum err allow_act_again(struct ctx *c, const struct decided *d)
{
    return person_allow_act(c, d->has_person ? &d->person : NULL, d->act);
}

enum err person_allow_act(struct ctx *c, const struct person *p, enum act act)
{
    struct ask ask = actor_ask(c, PURPOSE_RIGHTS, -1, act);
    struct decision d = policy_decide(c->policy, &ask);
    if (d.verdict != ALLOWED)
        return refuse(c, p, d, TEXT(""), NULL, -1);
    TRY(look_allow(c, p, TEXT(""), NULL));
    return decided_add(c, (struct decided){ .again = allow_act_again, .act = act }, p);
}

enum err person_may(struct ctx *c, const struct person *p, enum act act)
{
    const struct bits all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    struct ask ask = actor_ask(c, 0, -1, act);
    ask.consents = &all;
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        ask.purpose = (int)i;
        if (policy_decide(c->policy, &ask).verdict == ALLOWED)
            return look_allow(c, p, TEXT(""), NULL);
    }
    return person_allow_act(c, p, act);
}

enum err person_may_write(struct ctx *c, const struct person *p) { return person_may(c, p, ACT_WRITE); }

/* The decision on a consent act for `purpose`: PURPOSE_RIGHTS, or an index. */
static struct decision ask_consent(const struct ctx *c, int purpose)
{
    const struct ask ask = actor_ask(c, purpose, -1, ACT_CONSENT);
    return policy_decide(c->policy, &ask);
}

enum err person_may_record(struct ctx *c, const struct person *p, text purpose, bool ends)
{
    bool any = ends || c->actor.kind == ACTOR_PERSON || c->actor.kind == ACTOR_OPERATOR;
    if (any && ask_consent(c, PURPOSE_RIGHTS).verdict == ALLOWED)
        return look_allow(c, p, purpose, NULL);
    struct decision d = ask_consent(c, policy_purpose(c->policy, purpose));
    return d.verdict == ALLOWED ? look_allow(c, p, purpose, NULL) : refuse(c, p, d, purpose, NULL, -1);
}

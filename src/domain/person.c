/* A person as a request sees them, and the records sealed under their keys. */
#include "domain/person.h"
#include "domain/account.h"
#include "domain/archive.h"
#include "domain/decided.h"
#include "domain/doc.h"
#include "domain/folder.h"
#include "domain/inside.h"
#include "domain/looking.h"
#include "domain/value.h"
#include "domain/write.h"

void person_end(struct person *p) { key_wipe(&p->key); }

enum err person_absent(struct ctx *c)
{
    bool team = person_sees_team(c);
    if (c->actor.index < 0 || (c->actor.kind != ACTOR_PERSON && !team))
        return say(c->arena, ERR_NOT_FOUND, "there is no such person");
    return say_clause(c->arena, ERR_NOT_FOUND, &c->policy->actors[c->actor.index].clause, "there is no such person%s", team ? " in your team" : "");
}

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
    p->version = query_int(&q, 0);
    p->state = (enum person_state)query_int(&q, 1);
    p->restricted = query_int(&q, 2) != 0;
    p->created = query_int(&q, 3);
    p->last_use = query_int(&q, 4);
    p->source = arena_copy(c->arena, query_bytes(&q, 5));
    return OK;
}

/* Absent and out of reach look alike, but that somebody reached out is on record. */
enum err person_reach(struct ctx *c, struct subject_id id)
{
    bool reached = true;
    if (c->actor.kind == ACTOR_PERSON)
        reached = c->actor.has_self && memcmp(&c->actor.self, &id, sizeof id) == 0;
    else if (c->actor.kind == ACTOR_MANAGER && c->actor.index >= 0 && c->policy->actors[c->actor.index].sees_team) {
        reached = false;
        if (c->actor.has_self)
            TRY(team_has(c, c->actor.self, id, &reached));
    }
    if (reached)
        return OK;
    person_absent(c);
    return write_refusal(c, NULL, TEXT(""), TEXT(""));
}

/* A closed account is in the archive: it is there for who reads that, and for nobody else. */
static bool in_reach(const struct ctx *c, const struct person *p, enum closed closed)
{
    return p->state == PERSON_ACTIVE || closed == CLOSED_ANYWAY || (closed == CLOSED_FOR_READERS && archive_reader(c));
}

/* Still there, in reach, and not closed meanwhile. */
static enum err open_again(struct ctx *c, const struct decided *d)
{
    struct person now = { .id = d->person.id };
    TRY(person_reach(c, now.id));
    TRY(load_row(c, &now));
    return in_reach(c, &now, d->closed) ? OK : person_absent(c);
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

enum err person_open(struct ctx *c, text id, bool closed_too, struct person *out)
{
    return open_person(c, id, closed_too ? CLOSED_FOR_READERS : CLOSED_NOT, out);
}

enum err person_open_anyway(struct ctx *c, text id, struct person *out) { return open_person(c, id, CLOSED_ANYWAY, out); }

/* ---- Consents and the decision. ---- */

struct standing { struct bits consents, objections; };

/* The ledger is append-only: the last row of each purpose and channel tells where things stand. */
static enum err load_standing(struct ctx *c, const struct person *p, text channel_of_use, struct standing *out)
{
    struct term expires;
    bool expire = term_parse(node_text(node_at(c->policy->root, TEXT("consent")), TEXT("expires")), &expires);
    struct { int purpose; text channel; bool live; } *rows = NULL;
    unsigned count = 0, room = 0;
    *out = (struct standing){ 0 };
    READ_AUTO db = NULL;
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CONSENT_STANDING, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
    while (query_next(&q)) {
        int purpose = policy_purpose(c->policy, query_bytes(&q, 0));
        text channel = query_bytes(&q, 1), decision = query_bytes(&q, 2);
        if (purpose < 0)
            continue;
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
            rows[count++].channel = arena_copy(c->arena, channel);
        }
        bool over = expire && term_end(query_int(&q, 3), expires, 1) <= c->now;            /* asked again: it stands no longer */
        rows[i].live = (text_eq(decision, TEXT("given")) && !over) || text_eq(decision, TEXT("objected")) ||
                       text_eq(decision, TEXT("upheld"));
        if (channel_of_use.n && c->policy->purposes[purpose].channel_count && !text_eq(channel, TEXT("objection")))
            rows[i].live = rows[i].live && text_eq(channel, channel_of_use);
    }
    TRY(q.status);
    for (unsigned i = 0; i < count; i++)
        if (rows[i].live)
            bits_add(text_eq(rows[i].channel, TEXT("objection")) ? &out->objections : &out->consents, (unsigned)rows[i].purpose);
    return OK;
}

enum err person_consents_by(struct ctx *c, const struct person *p, text channel, struct bits *out)
{
    struct standing standing;
    TRY(load_standing(c, p, channel, &standing));
    *out = standing.consents;
    return OK;
}

enum err person_consents(struct ctx *c, const struct person *p, struct bits *out) { return person_consents_by(c, p, TEXT(""), out); }

static enum err error_of(enum verdict v)
{
    switch (v) {
    case REFUSED_CONSENT: return ERR_CONSENT;
    case REFUSED_ACTOR:
    case REFUSED_ACT:
    case REFUSED_CONFIDENTIALITY: return ERR_FORBIDDEN;
    case ALLOWED: return OK;
    case REFUSED_NEVER:
    case REFUSED_PURPOSE_UNKNOWN:
    case REFUSED_CATEGORY:
    case REFUSED_RESTRICTED:
    case REFUSED_OBJECTED: break;
    }
    return ERR_PURPOSE;
}

static enum err refuse(struct ctx *c, const struct person *p, struct decision d, text purpose, const struct bits *categories, int category)
{
    text all = categories ? event_categories(c, categories) : TEXT("");
    text name = category >= 0 ? c->policy->categories[category].name : TEXT("");
    text reason = verdict_text(d.verdict, c->language);
    text shown = purpose.n ? value_shown(purpose) : TEXT("none");
    say_clause(c->arena, error_of(d.verdict), d.clause, "%.*s (%.*s; purpose \"%.*s\"%s%.*s%s)", T(reason), T(c->actor.name), T(shown),
               name.n ? ", category \"" : "", T(name), name.n ? "\"" : "");
    return write_refusal(c, p, value_shown(purpose), all);
}

/* What the decision needs of the person. Consents and objections are read only where a basis makes them matter. */
static enum err ask_begin(struct ctx *c, const struct person *p, const struct bits *given, enum act act, text channel, struct standing *standing,
                          struct ask *ask)
{
    *standing = (struct standing){ 0 };
    *ask = (struct ask){ .actor = c->actor.index, .purpose = -1, .category = -1, .act = act, .restricted = p && p->restricted,
                         .agreement = c->actor.agreement, .consents = &standing->consents, .objections = &standing->objections };
    if (p)
        TRY(load_standing(c, p, channel, standing));
    for (unsigned i = 0; given && i < sizeof given->w / sizeof given->w[0]; i++)
        standing->consents.w[i] |= given->w[i];
    return OK;
}

static bool needs_standing(const struct purpose *row)
{
    return row->basis == BASIS_CONSENT || row->basis == BASIS_INTEREST || row->basis == BASIS_PUBLIC || row->marketing;
}

static enum err allow_again(struct ctx *c, const struct decided *d)
{
    return person_allow_by(c, d->has_person ? &d->person : NULL, d->name, d->has_categories ? &d->categories : NULL, d->act, d->channel);
}

/* A message goes by a channel that the purpose has, and consent to one channel is none to another. */
static enum err check_channel(struct ctx *c, const struct person *p, const struct purpose *row, enum act act, text channel)
{
    if (act != ACT_SEND || !row->channel_count)
        return OK;
    if (!channel.n)
        return say_clause(c->arena, ERR_MISSING, &row->clause, "\"channel\" says by which of its channels \"%.*s\" is sent", T(row->name));
    for (unsigned i = 0; i < row->channel_count; i++)
        if (text_eq(row->channels[i], channel))
            return OK;
    say_clause(c->arena, ERR_PURPOSE, &row->clause, "\"%.*s\" has no channel \"%.*s\"", T(row->name), T(value_shown(channel)));
    return write_refusal(c, p, row->name, TEXT(""));
}

enum err person_allow(struct ctx *c, const struct person *p, text purpose, const struct bits *categories, enum act act)
{
    return person_allow_by(c, p, purpose, categories, act, TEXT(""));
}

enum err person_allow_by(struct ctx *c, const struct person *p, text purpose, const struct bits *categories, enum act act, text channel)
{
    struct standing standing;
    struct ask ask;
    const struct bits none = { { 0 } };
    int index = policy_purpose(c->policy, purpose);
    bool declared = index >= 0 && (unsigned)index < c->policy->purpose_count;
    if (declared && !channel.n && c->policy->purposes[index].channel_count == 1)
        channel = c->policy->purposes[index].channels[0];      /* there is no other way */
    if (declared)
        TRY(check_channel(c, p, &c->policy->purposes[index], act, channel));
    TRY(ask_begin(c, declared && needs_standing(&c->policy->purposes[index]) ? p : NULL, NULL, act, act == ACT_SEND ? channel : TEXT(""), &standing, &ask));
    ask.purpose = index, ask.restricted = p && p->restricted;
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
    if (act == ACT_READ)
        TRY(look_allow(c, p, purpose, categories ? event_categories(c, categories) : TEXT("")));
    return decided_add(c, (struct decided){ .again = allow_again, .name = purpose, .has_categories = categories != NULL, .act = act,
                                            .channel = channel, .categories = categories ? *categories : none }, p);
}

/* Somebody who answers rights may correct what is held. What is not held yet is stored by them only as by anybody: not without the consent that it
 * needs (GDPR 6(1)(a), 7), nor, by others than the person, against an objection or a restriction (18, 21). */
static bool may_store(struct ctx *c, const struct person *p, const struct ask *ask, const struct category *cat, struct decision *told)
{
    bool themselves = c->actor.kind == ACTOR_PERSON;
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

/* The first purpose that allows the category decides; when none does, the last refusal that was not about the actor is the one told. */
static enum err allow_by_any(struct ctx *c, const struct person *p, struct ask *ask, unsigned category, const struct bits *categories)
{
    const struct category *cat = &c->policy->categories[category];
    struct decision told = { .verdict = REFUSED_CATEGORY, .clause = &cat->clause };
    text name = TEXT("");
    bool held = false;
    ask->category = (int)category;
    ask->purpose = PURPOSE_RIGHTS;           /* a correction in answer to a right, by who may make it */
    if (p && policy_decide(c->policy, ask).verdict == ALLOWED) {
        TRY(is_held(c, p, cat, &held));
        if (held || ask->act != ACT_WRITE || may_store(c, p, ask, cat, &told))
            return OK;
    }
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        if (!bits_has(&cat->purposes, i))
            continue;
        ask->purpose = (int)i;
        struct decision d = policy_decide(c->policy, ask);
        if (d.verdict == ALLOWED)
            return OK;
        if (told.verdict == REFUSED_CATEGORY || (d.verdict != REFUSED_ACTOR && d.verdict != REFUSED_ACT))
            told = d, name = c->policy->purposes[i].name;
    }
    return refuse(c, p, told, name, categories, (int)category);
}

static enum err allow_some_again(struct ctx *c, const struct decided *d)
{
    return person_allow_some(c, d->has_person ? &d->person : NULL, d->has_given ? &d->given : NULL, d->name, &d->categories, d->act);
}

enum err person_allow_some(struct ctx *c, const struct person *p, const struct bits *given, text purpose, const struct bits *categories, enum act act)
{
    struct standing standing;
    struct ask ask;
    TRY(ask_begin(c, p, given, act, TEXT(""), &standing, &ask));
    int named = policy_purpose(c->policy, purpose);
    if (purpose.n && !bits_any(categories))       /* nothing is changed, but the purpose goes into the journal */
        return person_allow(c, p, purpose, categories, act);
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        if (!bits_has(categories, i))
            continue;
        if (!purpose.n) {
            TRY(allow_by_any(c, p, &ask, i, categories));
            continue;
        }
        ask.purpose = named, ask.category = named < 0 ? -1 : (int)i;
        struct decision d = policy_decide(c->policy, &ask);
        if (d.verdict != ALLOWED)
            return refuse(c, p, d, purpose, categories, (int)i);
    }
    const struct bits none = { { 0 } };
    return decided_add(c, (struct decided){ .again = allow_some_again, .name = purpose, .categories = *categories, .has_given = given != NULL,
                                            .given = given ? *given : none, .act = act }, p);
}

static enum err allow_act_again(struct ctx *c, const struct decided *d)
{
    return person_allow_act(c, d->has_person ? &d->person : NULL, d->act);
}

enum err person_allow_act(struct ctx *c, const struct person *p, enum act act)
{
    struct ask ask = { .actor = c->actor.index, .purpose = PURPOSE_RIGHTS, .category = -1, .act = act, .agreement = c->actor.agreement };
    struct decision d = policy_decide(c->policy, &ask);
    if (d.verdict != ALLOWED)
        return refuse(c, p, d, TEXT(""), NULL, -1);
    if (act == ACT_EXPORT)
        TRY(look_allow(c, p, TEXT(""), TEXT("")));        /* all that is held is the longest look */
    return decided_add(c, (struct decided){ .again = allow_act_again, .act = act }, p);
}

bool person_sees_team(const struct ctx *c) { return c->actor.index >= 0 && c->policy->actors[c->actor.index].sees_team; }

enum err person_may(struct ctx *c, const struct person *p, enum act act)
{
    const struct bits all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    struct ask ask = { .actor = c->actor.index, .category = -1, .act = act, .consents = &all, .agreement = c->actor.agreement };
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        ask.purpose = (int)i;
        if (policy_decide(c->policy, &ask).verdict == ALLOWED)
            return OK;
    }
    return person_allow_act(c, p, act);
}

enum err person_may_write(struct ctx *c, const struct person *p) { return person_may(c, p, ACT_WRITE); }

enum err person_may_record(struct ctx *c, const struct person *p, text purpose)
{
    struct ask ask = { .actor = c->actor.index, .purpose = PURPOSE_RIGHTS, .category = -1, .act = ACT_CONSENT, .agreement = c->actor.agreement };
    if (policy_decide(c->policy, &ask).verdict == ALLOWED)
        return OK;
    ask.purpose = policy_purpose(c->policy, purpose);
    struct decision d = policy_decide(c->policy, &ask);
    return d.verdict == ALLOWED ? OK : refuse(c, p, d, purpose, NULL, -1);
}

/* ---- Records. ---- */

uint32_t record_class(const struct category *cat)
{
    struct key none = { { 0 } };
    struct digest d;
    digest_identifier(&none, TEXT("key-class"), TEXT(""), cat->name, &d);
    return (uint32_t)d.b[0] << 24 | (uint32_t)d.b[1] << 16 | (uint32_t)d.b[2] << 8 | d.b[3] | 1u;
}

uint32_t record_class_apart(text name)
{
    const struct category like = { .name = name };
    uint32_t even = record_class(&like) ^ 1u;
    return even ? even : 2;
}

enum err record_classes_differ(struct arena *a, const struct policy *p)
{
    text names[CATEGORIES_MAX + 1];
    uint32_t classes[CATEGORIES_MAX + 1];
    unsigned count = p->category_count;
    for (unsigned i = 0; i <= count; i++) {
        names[i] = i < count ? p->categories[i].name : TEXT("former");
        classes[i] = record_class_apart(names[i]);       /* alike exactly when those of held categories are */
        for (unsigned j = 0; j < i; j++)
            if (classes[j] == classes[i])
                return say_clause(a, ERR_POLICY, &p->categories_clause, "categories \"%.*s\" and \"%.*s\" fall on one class of keys: give one another name",
                                  T(names[j]), T(names[i]));
    }
    return OK;
}

static struct place place_of(const struct ctx *c, const struct person *p, const struct record *r)
{
    return (struct place){ .tenant = c->tenant, .subject = p->id, .table = TEXT("record"),
                           .field = c->policy->categories[r->category].name, .version = (uint64_t)r->version };
}

static enum err key_of(struct ctx *c, const struct person *p, const struct record *r, struct key *out)
{
    if (r->key_class)
        return store_key(ctx_store(c), c->arena, c->tenant, p->id, r->key_class, out);
    key_derive(&p->key, c->policy->categories[r->category].name, out);
    return OK;
}

enum err record_open(struct ctx *c, const struct person *p, struct record *r)
{
    KEY_AUTO key;
    struct place place = place_of(c, p, r);
    text clear;
    TRY(key_of(c, p, r, &key));
    TRY(seal_open(c->arena, &key, &place, r->sealed, &clear));
    if (json_parse(c->arena, clear, &r->fields) == OK)
        return OK;
    return say(c->arena, ERR_INTEGRITY, "a record of category \"%.*s\" cannot be read", T(place.field));   /* no fault of who asked */
}

enum err record_seal(struct ctx *c, const struct person *p, struct record *r, text fields, struct key_put *put, bool *has_put)
{
    KEY_AUTO key;
    struct place place = place_of(c, p, r);
    *has_put = false;
    const struct category *cat = &c->policy->categories[r->category];
    if (!cat->held) {
        r->key_class = 0;
        key_derive(&p->key, cat->name, &key);
        return seal(c->arena, &key, &place, fields, &r->sealed);
    }
    r->key_class = record_class(cat);
    enum err status = store_key(ctx_store(c), c->arena, c->tenant, p->id, r->key_class, &key);
    if (status == ERR_ERASED) {
        key_make(&key);
        *put = (struct key_put){ .tenant = c->tenant, .subject = p->id, .key_class = r->key_class };
        key_wrap(store_master(ctx_store(c)), c->tenant, p->id, r->key_class, &key, put->wrapped);
        *has_put = true;
    } else if (status != OK)
        return status;
    return seal(c->arena, &key, &place, fields, &r->sealed);
}

enum { QUICK_ROWS = 100 };               /* opened in about a millisecond */

/* Those behind `after`, `most` of them at most. */
static enum err load_rows(struct ctx *c, const struct person *p, int category, int64_t after, int64_t most, struct record **out, unsigned *count)
{
    struct record *rows = NULL;
    unsigned room = 0;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_RECORD_PAGE, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(c->policy->categories[category].name), V_INT(after), V_INT(most)));
    for (*count = 0; query_next(&q); (*count)++) {
        if (c->quick && *count == QUICK_ROWS)
            return say(c->arena, ERR_ASIDE, "more than %d records are to be opened", QUICK_ROWS);
        if (*count == room) {
            struct record *old = rows;
            rows = NEW_ARRAY(c->arena, struct record, room = room ? room * 2 : 2);
            TRY_PTR(rows);
            if (old)
                memcpy(rows, old, *count * sizeof *rows);
        }
        rows[*count] = (struct record){
            .category = category, .item = query_int(&q, 0), .version = query_int(&q, 1),
            .sealed = { arena_copy(c->arena, query_sealed(&q, 2).bytes) }, .source = arena_copy(c->arena, query_bytes(&q, 3)),
            .at = query_int(&q, 4), .due = query_int(&q, 5), .archived = query_int(&q, 6) != 0, .key_class = (uint32_t)query_int(&q, 7) };
    }
    *out = rows;
    return q.status;
}

bool record_unreadable(enum err e) { return e == ERR_CRYPT || e == ERR_JSON || e == ERR_INTEGRITY; }

static enum err keep_readable(struct ctx *c, const struct person *p, bool archived_too, unsigned all, struct record *rows, unsigned *count,
                              unsigned *unreadable)
{
    for (unsigned i = 0; i < all; i++) {
        if (rows[i].archived && !archived_too)
            continue;
        enum err e = record_open(c, p, &rows[i]);
        if (e == OK)
            rows[(*count)++] = rows[i];
        else if (record_unreadable(e))
            ++*unreadable;
        else
            return e;
    }
    return OK;
}

enum err record_load_page(struct ctx *c, const struct person *p, int category, int64_t *after, struct record **out, unsigned *count,
                          unsigned *unreadable, bool *more)
{
    enum { PAGE = 256 };
    unsigned all;
    *count = 0;
    TRY(load_rows(c, p, category, *after, PAGE, out, &all));
    *more = all == PAGE;
    if (all)
        *after = (*out)[all - 1].item;
    return keep_readable(c, p, true, all, *out, count, unreadable);
}

enum err record_load_readable(struct ctx *c, const struct person *p, int category, bool archived_too, struct record **out, unsigned *count,
                              unsigned *unreadable)
{
    unsigned all;
    *count = *unreadable = 0;
    TRY(load_rows(c, p, category, INT64_MIN, -1, out, &all));
    return keep_readable(c, p, archived_too, all, *out, count, unreadable);
}
enum err record_load(struct ctx *c, const struct person *p, int category, bool archived_too, struct record **out, unsigned *count)
{
    unsigned all, kept = 0;
    TRY(load_rows(c, p, category, INT64_MIN, -1, out, &all));
    for (unsigned i = 0; i < all; i++) {
        struct record *r = &(*out)[i];
        if (r->archived && !archived_too)
            continue;
        TRY(record_open(c, p, r));
        (*out)[kept++] = *r;
    }
    *count = kept;
    return OK;
}

/* {field: [value, …]} as {field: value}. */
static void put_values(struct json_out *w, const struct json *fields)
{
    json_open(w, '{');
    JSON_EACH(v, fields) {
        json_name(w, v->key);
        json_put(w, v->first);
    }
    json_close(w, '}');
}

enum err record_put_category(struct ctx *c, const struct person *p, int index, struct json_out *w, int64_t *records, unsigned *unreadable)
{
    const struct category *cat = &c->policy->categories[index];
    struct record *rows;
    unsigned count;
    char at[TIME_TEXT + 1];
    unsigned lost;
    TRY(record_load_readable(c, p, index, false, &rows, &count, &lost));
    *records += count;
    *unreadable += lost;
    if (!count && !cat->many)
        return OK;
    json_name(w, cat->name);
    if (!cat->many) {
        put_values(w, rows[0].fields);
        return OK;
    }
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++) {
        json_open(w, '{');
        json_pair_int(w, TEXT("item"), rows[i].item);
        json_pair(w, TEXT("at"), time_text(rows[i].at, at));
        json_name(w, TEXT("fields"));
        put_values(w, rows[i].fields);
        json_close(w, '}');
    }
    if (text_eq(cat->stream, TEXT("folders")))
        TRY(folder_put_records(c, p, cat, w, records, unreadable));
    json_close(w, ']');
    return OK;
}

void record_put_unreadable(struct ctx *c, const struct category *cat, unsigned count, struct json_out *w)
{
    json_open(w, '{');
    json_pair(w, TEXT("category"), cat->name);
    json_pair(w, TEXT("title"), doc_category(c, cat));
    json_pair_int(w, TEXT("records"), count);
    json_pair(w, TEXT("says"), doc_in(c, TEXT("We hold this, but it could not be read. Ask us for it."),
                                      TEXT("Nous conservons ces données, mais elles n'ont pas pu être lues. Demandez-les-nous.")));
    json_close(w, '}');
}

enum err record_put_data(struct ctx *c, const struct person *p, const struct bits *set, struct json_out *w, int64_t *records)
{
    unsigned *lost = NEW_ARRAY(c->arena, unsigned, c->policy->category_count + 1), all = 0;
    TRY_PTR(lost);
    json_name(w, TEXT("data"));
    json_open(w, '{');
    for (unsigned i = 0; i < c->policy->category_count; i++)
        if (bits_has(set, i)) {
            TRY(record_put_category(c, p, (int)i, w, records, &lost[i]));
            all += lost[i];
        }
    json_close(w, '}');
    if (!all)
        return OK;
    json_name(w, TEXT("unreadable"));
    json_open(w, '[');
    for (unsigned i = 0; i < c->policy->category_count; i++)
        if (lost[i])
            record_put_unreadable(c, &c->policy->categories[i], lost[i], w);
    json_close(w, ']');
    return OK;
}

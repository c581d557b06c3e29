/* Usage taken in: events checked, sealed, and written in one commit. */
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/load.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "base/calendar.h"
#include "domain/person/form.h"
#include "domain/person/keeping.h"
#include "domain/person/person.h"
#include "domain/person/record.h"
#include "domain/person/source.h"
#include "domain/person/whole.h"
#include "domain/usage/intake.h"
#include "domain/usage/usage.h"
#include <stdlib.h>

enum { AHEAD = 1 * HOUR };

void intake_wipe(struct intake *t)
{
    for (unsigned i = 0; i < t->under_count; i++) {
        record_key_wipe(&t->unders[i].key);
        person_end(t->unders[i].p);
    }
}

/* ---- What was sent. ---- */

static enum err category_of(struct ctx *c, text name, int *out)
{
    if (name.n) {
        TRY(form_category_of(c, name, out));
        const struct category *cat = &c->policy->categories[*out];
        return block_holds(cat)
                   ? OK
                   : say_clause(c->arena, ERR_UNDECLARED, &cat->clause,
                                "category \"%.*s\" is not filled by events: its \"stream\" says by what", T(cat->name));
    }
    *out = policy_stream(c->policy, TEXT("usage"));
    return *out >= 0 && block_holds(&c->policy->categories[*out])
               ? OK
               : say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                            "the policy has no category of stream \"usage\"");
}

static enum err id_of(struct ctx *c, const struct json *event, text *out)
{
    *out = json_text(event, TEXT("id"));
    if (out->n && out->n <= USAGE_ID_MAX)
        return OK;
    return say(c->arena, out->n ? ERR_VALUE : ERR_MISSING,
               "each event has an \"id\" of 1 to %d characters, so that it is kept once", USAGE_ID_MAX);
}

/* The category's own field of time, if it has one: what terms count from. */
const struct field *intake_time(const struct category *cat)
{
    int at = cat->event >= 0 ? cat->event : policy_field(cat, TEXT("at"));
    return at >= 0 && cat->fields[at].type == FIELD_TIME ? &cat->fields[at] : NULL;
}

/* When it happened: the field, the member "at", or now. */
static enum err moment_of(struct ctx *c, const struct json *event, const struct field *f, msec *at)
{
    const struct json *fields = json_get(event, TEXT("fields"));
    text said = f && json_text(fields, f->name).p ? json_text(fields, f->name) : json_text(event, TEXT("at"));
    *at = c->now;
    if (said.p && !value_moment(c, said, false, at))
        return say(c->arena, ERR_VALUE, "\"at\" must be a time as in RFC 3339");
    if (*at > c->now + AHEAD)
        return say(c->arena, ERR_VALUE, "\"at\" is in the future");
    if (*at <= c->now - USAGE_AGE_DAYS * DAY)
        return say(c->arena, ERR_VALUE, "\"at\" is more than %d days ago: whether the event came already is not known",
                   USAGE_AGE_DAYS);
    return OK;
}

/* The fields with their time among them where the category declares one. */
static enum err fields_of(struct ctx *c, const struct json *event, const struct field *f, msec at,
                          const struct json **out)
{
    char shown[TIME_TEXT + 1];
    *out = json_get(event, TEXT("fields"));
    if (!f || json_text(*out, f->name).p)
        return OK;
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, f->name, time_text(at, shown));
    JSON_EACH(v, *out) {
        if (text_eq(v->key, f->name))
            continue;
        json_name(&w, v->key);
        json_put(&w, v);
    }
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

/* ---- About whom. ---- */

static bool own(const struct ctx *c, text id) { return !id.n && c->actor.has_self; }

/* Whether the caller may write it, and whether the person lets it be recorded. */
static enum err decide(struct intake *t, struct under *u)
{
    struct ctx *c = t->c;
    struct bits set = { { 0 } };
    bits_add(&set, (unsigned)u->category);
    if (c->actor.kind != ACTOR_PERSON)
        TRY(person_allow_some(c, u->p, NULL, t->purpose, &set, ACT_WRITE));
    TRY(person_may_observe(c, u->p, (unsigned)u->category));
    TRY(whole_other(c, u->p, &c->policy->categories[u->category], &u->other));
    TRY(retention_starts(c, u->p, &u->starts));
    u->source = source_observed(c, &set);
    int purpose = capacity_of(c->policy).purpose;
    if (purpose >= 0 && bits_has(&c->policy->categories[u->category].purposes, (unsigned)purpose))
        TRY(person_lets_count(c, u->p, (unsigned)purpose, &u->counted));
    TRY(record_key(c, u->p, &c->policy->categories[u->category], &u->key));
    if (u->key.made)
        t->puts[t->put_count++] = u->key.put;
    return OK;
}

static bool is_about_person(enum err e)
{
    return e == ERR_NOT_FOUND || e == ERR_PURPOSE || e == ERR_CONSENT || e == ERR_FORBIDDEN;
}

/* Their place in the table, or the open one where they go (FNV-1a). */
static unsigned place_in(const struct intake *t, text whose, int category)
{
    uint32_t hash = 2166136261u ^ (uint32_t)category;
    for (size_t i = 0; i < whose.n; i++)
        hash = (hash ^ (uint8_t)whose.p[i]) * 16777619u;
    unsigned at = hash & t->mask;
    while (t->table[at] && !(t->table[at]->category == category && text_eq(t->table[at]->whose, whose)))
        at = (at + 1) & t->mask;
    return at;
}

struct under *intake_known(const struct intake *t, text whose, int category)
{
    return t->table[place_in(t, whose, category)];
}

enum err intake_under(struct intake *t, text whose, text id, int category, struct under **out)
{
    struct ctx *c = t->c;
    *out = intake_known(t, whose, category);
    if (*out)
        return OK;
    struct person *p = NEW(c->arena, struct person);
    TRY_PTR(p);
    struct under *u = &t->unders[t->under_count++];
    *out = u;
    *u = (struct under){ .p = p, .whose = whose, .category = category };
    t->table[place_in(t, whose, category)] = u;
    bits_add(&t->categories, (unsigned)category);
    u->refused = id.n ? person_open(c, id, false, p) : ERR_NOT_FOUND;
    if (u->refused == OK)
        u->refused = decide(t, u);
    if (u->refused == OK)
        return OK;
    u->why = c->arena->why;
    return t->list && is_about_person(u->refused) ? OK : u->refused;
}

static void put_refused(struct intake *t, text id, const struct under *u)
{
    struct json_out *w = t->refused;
    json_open(w, '{');
    json_pair(w, TEXT("id"), id);
    json_pair(w, TEXT("code"), err_row(u->refused)->slug);
    json_pair(w, TEXT("detail"), text_of(u->why.detail));
    json_close(w, '}');
}

/* ---- One event made ready. ---- */

msec intake_due(const struct intake *t, const struct under *u, msec at, msec took)
{
    const struct category *cat = &t->c->policy->categories[u->category];
    struct starts starts = u->starts;
    starts.collection = took;
    starts.event = at;
    return cat->retention ? retention_due(cat->retention, &starts, false) : 0;
}

static void day_of(const struct ctx *c, struct under *u, int64_t item)
{
    if (item >= u->first && item <= u->last)
        return;
    struct date day = value_day(c, item / 1000);
    u->first = value_day_start(c, day) * 1000;
    u->last = value_day_start(c, date_of_days(date_days(day) + 1)) * 1000 - 1;
}

enum err intake_add(struct intake *t, struct under *u, const struct json *fields, msec at, int64_t item)
{
    day_of(t->c, u, item);
    t->made[t->made_count++] = (struct event_made){ .under = u,
                                                    .event = { .item = item,
                                                               .at = at,
                                                               .took = t->c->now,
                                                               .source = u->source,
                                                               .fields = fields },
                                                    .first = u->first,
                                                    .last = u->last,
                                                    .due = intake_due(t, u, at, t->c->now) };
    return OK;
}

static bool says_when(const struct json *event, const struct field *f)
{
    return json_text(event, TEXT("at")).p || (f && json_text(json_get(event, TEXT("fields")), f->name).p);
}

static enum err make_event(struct intake *t, const struct json *event)
{
    struct ctx *c = t->c;
    struct under *u;
    text id, whose = json_text(event, TEXT("subject"));
    int category;
    msec at;
    const struct json *fields;
    TRY(id_of(c, event, &id));
    TRY(write_refused(c, NULL, category_of(c, json_text(event, TEXT("category")), &category)));
    if (!whose.n && !own(c, whose))
        return say(c->arena, ERR_MISSING, "\"subject\" says whose event it is");
    TRY(intake_under(t, whose, whose.n ? whose : session_self(c), category, &u));
    if (u->refused != OK) {
        put_refused(t, id, u);
        return OK;
    }
    const struct category *cat = &c->policy->categories[category];
    const struct field *time = intake_time(cat);
    TRY(moment_of(c, event, time, &at));
    TRY(fields_of(c, event, time, at, &fields));
    TRY(write_refused(c, u->p, value_take_category(c, cat, &fields, u->other)));
    struct digest of_id;
    digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, TEXT("usage"), id, &of_id);
    TRY(intake_add(t, u, fields, at, at * 1000 + (of_id.b[0] << 8 | of_id.b[1]) % 1000));
    struct event_made *m = &t->made[t->made_count - 1];
    m->id = of_id;
    m->has_id = true;
    m->timed = says_when(event, time);
    memcpy(&m->event.id, of_id.b + 2, sizeof m->event.id);
    m->event.id |= 1; /* 0 is of an event without one */
    return OK;
}

/* ---- The commit. ---- */

/* What came without a time is at another place each time it is sent: it is known by its id alone. So is what earlier
 * versions took in. */
static enum err find_repeated(struct db *db, const struct intake *t, struct event_made *m, bool any)
{
    const struct val tenant = V_TEXT(t->c->tenant), subject = V_ID(m->under->p->id);
    int64_t written = 1;
    m->repeated = false;
    if (m->has_id && !m->timed) {
        TRY(db_run(db, SQL_USAGE_SEEN_ADD, &written,
                   ARGS(tenant, subject, V_BYTES(TEXT_BYTES(m->id)), V_INT(m->event.at + (USAGE_AGE_DAYS + 1) * DAY))));
        m->repeated = !written;
        return OK;
    }
    if (!m->has_id || !any)
        return OK;
    QUERY_AUTO q;
    query_start(&q, db, SQL_USAGE_SEEN_HAS, ARGS(tenant, subject, V_BYTES(TEXT_BYTES(m->id))));
    m->repeated = query_next(&q);
    return q.status;
}

static enum err any_seen(struct db *db, const struct intake *t, const struct under *u, bool *any)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_USAGE_SEEN_ANY, ARGS(V_TEXT(t->c->tenant), V_ID(u->p->id)));
    *any = query_next(&q);
    return q.status;
}

/* Events of an hour stand together: the last hours are looked at first. */
static void count_hour(struct intake *t, int64_t hour)
{
    for (unsigned i = t->hour_count; i-- > 0;)
        if (t->hours[i].hour == hour) {
            t->hours[i].events++;
            return;
        }
    t->hours[t->hour_count++] = (struct hour_sum){ hour, 1 };
}

/* In the commit of the events: so each counts once. */
static enum err add_hours(struct db *db, const struct intake *t)
{
    for (unsigned i = 0; i < t->hour_count; i++)
        TRY(db_run(db, SQL_LOAD_ADD, NULL,
                   ARGS(V_TEXT(t->c->tenant), V_INT(LOAD_ROW_EVENTS), V_INT(t->hours[i].hour),
                        V_INT(t->hours[i].events))));
    return OK;
}

static bool one_day(const struct event_made *a, const struct event_made *b)
{
    return a->under == b->under && a->first == b->first;
}

enum err intake_run(struct db *db, struct write *w, struct intake *t)
{
    const struct under *before = NULL;
    bool any = false;
    t->taken = 0;
    t->hour_count = 0;
    for (unsigned i = 0, end; i < t->made_count; i = end) {
        struct event_made **day = &t->order[i];
        if (day[0]->under != before) {
            TRY(write_person_there(db, t->c->tenant, day[0]->under->p->id));
            TRY(any_seen(db, t, day[0]->under, &any));
        }
        before = day[0]->under;
        for (end = i; end < t->made_count && one_day(t->order[end], day[0]); end++)
            TRY(find_repeated(db, t, t->order[end], any));
        TRY(intake_put(db, t, day, end - i));
    }
    for (unsigned i = 0; i < t->made_count; i++) {
        const struct event_made *m = &t->made[i];
        t->taken += !m->repeated;
        if (!m->repeated && m->under->counted)
            count_hour(t, m->event.at / HOUR);
    }
    TRY(add_hours(db, t));
    w->event.count = t->taken;
    return OK;
}

static int by_place(const void *a, const void *b)
{
    const struct event_made *x = *(struct event_made *const *)a, *y = *(struct event_made *const *)b;
    if (x->under != y->under)
        return x->under < y->under ? -1 : 1;
    if (x->event.item != y->event.item)
        return x->event.item < y->event.item ? -1 : 1;
    return x < y ? -1 : 1;
}

enum err intake_write(struct intake *t, enum err (*run)(struct db *db, struct write *w), void *arg)
{
    const struct person *only = t->made_count ? t->made[0].under->p : NULL;
    for (unsigned i = 1; only && i < t->made_count; i++)
        if (memcmp(&t->made[i].under->p->id, &only->id, sizeof only->id) != 0)
            only = NULL;
    for (unsigned i = 0; i < t->made_count; i++)
        t->order[i] = &t->made[i];
    qsort(t->order, t->made_count, sizeof *t->order, by_place);
    struct write w = { .run = run,
                       .arg = arg,
                       .event = event_of(t->c, only, TEXT("usage.taken")),
                       .puts = t->puts,
                       .put_count = t->put_count };
    w.event.purpose = t->purpose;
    w.event.categories = event_categories(t->c, &t->categories);
    w.event.count = 0;
    return write_do(t->c, &w, NULL);
}

static enum err run_events(struct db *db, struct write *w) { return intake_run(db, w, w->arg); }

/* ---- The request. ---- */

enum err intake_room(struct intake *t, unsigned count)
{
    struct arena *a = t->c->arena;
    struct date soon = value_day(t->c, t->c->now + DAY);
    soon.day = 1;
    t->summed = value_day_start(t->c, soon);
    t->mask = 1;
    while (t->mask < 2 * count + 1)
        t->mask = 2 * t->mask + 1;
    t->table = NEW_ARRAY(a, struct under *, t->mask + 1);
    t->unders = NEW_ARRAY(a, struct under, count + 1);
    t->made = NEW_ARRAY(a, struct event_made, count + 1);
    t->order = NEW_ARRAY(a, struct event_made *, count + 1);
    t->puts = NEW_ARRAY(a, struct key_put, count + 1);
    t->hours = NEW_ARRAY(a, struct hour_sum, count + 1);
    return t->unders && t->table && t->made && t->order && t->puts && t->hours ? OK : ERR_MEMORY;
}

static enum err take(struct intake *t, const struct json *events, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    /* cppcheck-suppress autoVariables  ; what is made here is told before it returns */
    t->refused = &w;
    json_open(&w, '{');
    json_name(&w, TEXT("refused"));
    json_open(&w, '[');
    if (!t->list)
        TRY(make_event(t, events));
    else
        JSON_EACH(event, events)
            TRY(make_event(t, event));
    json_close(&w, ']');
    if (t->made_count)
        TRY(intake_write(t, run_events, t));
    json_pair_int(&w, TEXT("taken"), t->taken);
    json_pair_int(&w, TEXT("repeated"), t->made_count - t->taken);
    json_close(&w, '}');
    return buf_take(t->c->arena, &b, &out->body);
}

enum err usage_take(struct ctx *c, const struct json *in, struct answer *out)
{
    const struct json *events = json_get(in, TEXT("events"));
    INTAKE_AUTO t = { .c = c, .purpose = json_text(in, TEXT("purpose")) };
    t.list = events && events->kind == J_ARRAY;
    unsigned count = t.list ? events->count : 1;
    if (!events || !count)
        return say(c->arena, ERR_MISSING, "\"events\" is one event or a list of them");
    if (count > USAGE_EVENTS_MAX)
        return say(c->arena, ERR_TOO_LARGE, "at most %d events are taken at once", USAGE_EVENTS_MAX);
    if (c->session && !json_text(t.list ? events->first : events, TEXT("subject")).n)
        session_as_person(c); /* a person's own browser tells of them, whatever their role */
    TRY(intake_room(&t, count));
    return take(&t, events, out);
}

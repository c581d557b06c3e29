/* Figures of use: counted by one thing at a time over a whole month, and shown of groups that are large enough. */
#include "base/calendar.h"
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"
#include "domain/person/record.h"
#include "domain/person/rectify.h"
#include "domain/person/reach.h"
#include "domain/usage/sums.h"
#include "domain/usage/usage.h"
#include <stdlib.h>

enum { MIN_GROUP = 10, PEOPLE_PAGE = 500, PERSON_MEMORY = 256 << 20 };
enum measure { EVENTS, ERRORS, DOWNLOADS, RESPONSES, MEASURES };
static const text measure_words[] = { TEXT_INIT("events"), TEXT_INIT("errors"), TEXT_INIT("downloads"),
                                      TEXT_INIT("responses") };

/* Who counts in one figure: numbers of people, each once; they come in order. */
struct crowd {
    unsigned *people, count, room;
};
struct group {
    text key;
    struct crowd of[MEASURES];
    int64_t counts[MEASURES];
    int64_t *times; /* of responses, in milliseconds */
    unsigned time_room;
    bool hidden[MEASURES]; /* too few people, or others would follow from it */
};
/* The days of a month, so that none is reckoned for each event: where each begins, and its name. */
struct days {
    msec starts[32];
    text names[31];
    unsigned count, last; /* last: that of the event before */
};
struct figures {
    struct ctx *c;
    struct look_list *look;
    text purpose, by, month;
    int category;              /* of the events; -1: the purpose has none, people are counted */
    const struct category *of; /* what people are grouped by, NULL for what the event itself tells */
    const struct field *field;
    struct counting counting; /* of the events */
    struct bits categories;
    bool persons;
    int64_t min_group;
    msec from, to;
    struct group **table, *all;
    unsigned *slots, slot_count; /* by the hash of a key, open addressing: 1 + its place in the table, 0: free */
    unsigned count, room, people;
    struct days days;
    struct figures *before; /* the same of the month before, held to the same rules by itself; it has events alone */
};

/* ---- Groups. ---- */

static enum err crowd_add(struct arena *a, struct crowd *w, unsigned person)
{
    if (w->count && w->people[w->count - 1] == person)
        return OK;
    TRY(arena_wider(a, (void **)&w->people, w->count, &w->room, sizeof *w->people));
    w->people[w->count++] = person;
    return OK;
}

static unsigned slot_of(const struct figures *f, text key)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a: who could make keys collide may count them as well */
    for (size_t i = 0; i < key.n; i++)
        hash = (hash ^ (uint8_t)key.p[i]) * 0x100000001b3;
    unsigned at = (unsigned)(hash ^ hash >> 32) & (f->slot_count - 1);
    while (f->slots[at] && !text_eq(f->table[f->slots[at] - 1]->key, key))
        at = (at + 1) & (f->slot_count - 1);
    return at;
}

/* Room for twice as many groups; never more than half of the slots are taken. */
static enum err more_slots(struct figures *f)
{
    f->slot_count = f->slot_count ? f->slot_count * 2 : 64;
    f->slots = NEW_ARRAY(f->c->arena, unsigned, f->slot_count);
    TRY_PTR(f->slots);
    for (unsigned i = 0; i < f->count; i++)
        f->slots[slot_of(f, f->table[i]->key)] = i + 1;
    return OK;
}

static enum err group_of(struct figures *f, text key, struct group **out)
{
    if (f->slot_count < 2 * (f->count + 1))
        TRY(more_slots(f));
    unsigned at = slot_of(f, key);
    if (f->slots[at]) {
        *out = f->table[f->slots[at] - 1];
        return OK;
    }
    TRY(arena_wider(f->c->arena, (void **)&f->table, f->count, &f->room, sizeof(struct group *)));
    *out = NEW(f->c->arena, struct group);
    TRY_PTR(*out);
    **out = (struct group){ .key = arena_copy(f->c->arena, key) };
    TRY_PTR((*out)->key.p);
    f->table[f->count++] = *out;
    f->slots[at] = f->count;
    return OK;
}

static enum err group_count(struct figures *f, struct group *g, unsigned person, enum measure m)
{
    g->counts[m]++;
    return crowd_add(f->c->arena, &g->of[m], person);
}

/* Room for so many more times. */
static enum err group_times(struct figures *f, struct group *g, int64_t more)
{
    while (g->counts[RESPONSES] + more > g->time_room)
        TRY(arena_wider(f->c->arena, (void **)&g->times, g->time_room, &g->time_room, sizeof *g->times));
    return OK;
}

/* ---- What is asked for. ---- */

static const struct purpose *purpose_of(const struct figures *f)
{
    int index = policy_purpose(f->c->policy, f->purpose);
    bool declared = index >= 0 && (unsigned)index < f->c->policy->purpose_count;
    return declared ? &f->c->policy->purposes[index] : NULL;
}

/* The purpose's first category that events fill. */
static int events_of(const struct policy *p, const struct purpose *purpose)
{
    for (unsigned i = 0; i < p->category_count; i++)
        if (bits_has(&purpose->categories, i) && block_holds(&p->categories[i]))
            return (int)i;
    return -1;
}

static const struct field *field_of(const struct category *cat, text name)
{
    int at = policy_field(cat, name);
    return at >= 0 ? &cat->fields[at] : NULL;
}

/* "category.field", or the name of a field alone: of what the purpose knows about the person. */
static void find_field(struct figures *f, const struct purpose *purpose)
{
    const struct policy *p = f->c->policy;
    text name = f->by, category = text_cut(&name, '.');
    for (unsigned i = 0; i < p->category_count && !f->field; i++) {
        const struct category *cat = &p->categories[i];
        if (!bits_has(&purpose->categories, i) || cat->many || cat->transient ||
            (name.p && !text_eq(cat->name, category)))
            continue;
        f->field = field_of(cat, name.p ? name : f->by);
        f->of = f->field ? cat : NULL;
    }
}

/* Whether the purpose may know of single people: it uses a category that describes them. */
static bool knows_people(const struct policy *p, const struct purpose *purpose)
{
    for (unsigned i = 0; i < p->category_count; i++)
        if (bits_has(&purpose->categories, i) && !p->categories[i].many)
            return true;
    return false;
}

static enum err take_by(struct figures *f, const struct purpose *purpose)
{
    struct ctx *c = f->c;
    const struct category *cat = f->category >= 0 ? &c->policy->categories[f->category] : NULL;
    f->persons = text_eq(f->by, TEXT("person"));
    if (cat) {
        bits_add(&f->categories, (unsigned)f->category);
        counting_of(c->policy, f->category, &f->counting);
    }
    if (f->persons && knows_people(c->policy, purpose))
        return OK;
    bool told = cat && (text_eq(f->by, TEXT("day")) || (text_eq(f->by, TEXT("page")) && f->counting.page) ||
                        (text_eq(f->by, TEXT("action")) && f->counting.action));
    if (!told && !f->persons)
        find_field(f, purpose);
    if (f->of)
        bits_add(&f->categories, (unsigned)(f->of - c->policy->categories));
    return told || f->field
               ? OK
               : say_clause(c->arena, ERR_UNDECLARED, &purpose->clause,
                            "purpose \"%.*s\" has nothing to count by \"%.*s\": day, page, action, person, or a field "
                            "of a category of its own",
                            T(purpose->name), T(value_shown(f->by)));
}

static enum err take_days(struct figures *f, struct date first)
{
    struct days *d = &f->days;
    int64_t day = date_days(first), end = date_days(date_add_months(first, 1));
    for (d->count = 0; day < end; day++, d->count++) {
        d->starts[d->count] = value_day_start(f->c, date_of_days(day));
        d->names[d->count] = date_print(f->c->arena, date_of_days(day));
        TRY_PTR(d->names[d->count].p);
    }
    d->starts[d->count] = f->to;
    return OK;
}

/* Whole months that are over: figures of spans that overlap, or that grow, would tell by their difference what one of
 * them does not show. */
static enum err take_month(struct figures *f)
{
    struct date first;
    char text_first[16];
    snprintf(text_first, sizeof text_first, "%.7s-01", f->month.n == 7 ? f->month.p : "");
    if (f->month.n != 7 || !date_parse(text_of(text_first), &first))
        return say(f->c->arena, ERR_VALUE, "\"month\" is a month as in 2026-10");
    f->from = value_day_start(f->c, first);
    f->before->from = value_day_start(f->c, date_add_months(first, -1));
    f->before->to = f->from;
    f->to = value_day_start(f->c, date_add_months(first, 1));
    TRY(take_days(f, first));
    TRY(take_days(f->before, date_add_months(first, -1)));
    return f->to <= f->c->now ? OK : say(f->c->arena, ERR_VALUE, "figures are of months that are over");
}

static enum err take_asked(struct figures *f)
{
    const struct purpose *purpose = purpose_of(f);
    struct ctx *c = f->c;
    f->category = purpose ? events_of(c->policy, purpose) : -1;
    if (!purpose) /* refused by its name, on record */
        return person_allow(c, NULL, f->purpose, NULL, ACT_READ);
    const struct node *own = node_get(node_get(c->policy->root, TEXT("purposes")), purpose->name);
    if (!text_int(node_text(own, TEXT("min_group")), &f->min_group))
        f->min_group = MIN_GROUP;
    TRY(take_by(f, purpose));
    return take_month(f);
}

/* ---- One person's part. ---- */

/* What the field was at that time: former values tell until when each held. */
static text value_at(const struct figures *f, const struct json *formers, text now, msec at)
{
    text value = now;
    msec until = INT64_MAX, replaced;
    JSON_EACH(one, formers)
        if (text_eq(json_text(one, TEXT("category")), f->of->name) &&
            text_eq(json_text(one, TEXT("field")), f->field->name) &&
            time_parse(json_text(one, TEXT("replaced")), &replaced) && replaced > at && replaced < until) {
            const struct json *v = json_get(one, TEXT("value"));
            until = replaced;
            value = v && v->kind != J_NULL ? v->value : TEXT("");
        }
    return value;
}

struct one {
    struct ctx c; /* with an arena of its own */
    const struct person *p;
    unsigned number;
    text id, now; /* now: the field they are grouped by, today */
    const struct json *formers;
};

/* `l`: the look that all this is inside of. */
static enum err load_known(struct look_list *l, struct figures *f, struct one *o)
{
    struct record *rows;
    unsigned count;
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    if (!f->of)
        return OK;
    TRY(record_load(&o->c, o->p, (int)(f->of - f->c->policy->categories), false, &rows, &count));
    const struct json *v = count ? json_get(rows[0].fields, f->field->name) : NULL;
    o->now = v && v->first ? v->first->value : TEXT("");
    if (f->category < 0)
        return OK;
    TRY(subject_put_formers(&o->c, o->p, &w));
    return json_parse_buf(o->c.arena, &b, &o->formers);
}

static text day_of(struct days *d, msec at)
{
    if (at < d->starts[d->last])
        d->last = 0;
    while (d->last + 1 < d->count && at >= d->starts[d->last + 1])
        d->last++;
    return d->names[d->last];
}

static text key_of(struct figures *f, struct one *o, const struct told *t)
{
    if (f->persons)
        return o->id;
    if (f->of)
        return value_at(f, o->formers, o->now, t->at);
    if (text_eq(f->by, TEXT("day")))
        return day_of(&f->days, t->at);
    return text_eq(f->by, TEXT("page")) ? t->page : t->action;
}

static enum err count_told(struct figures *f, struct group *g, unsigned person, const struct told *t)
{
    TRY(group_count(f, g, person, EVENTS));
    if (!f->before) /* nothing else of the month before is shown */
        return OK;
    if (t->error)
        TRY(group_count(f, g, person, ERRORS));
    if (counting_download(t->action))
        TRY(group_count(f, g, person, DOWNLOADS));
    if (!t->timed)
        return OK;
    TRY(group_times(f, g, 1));
    g->times[g->counts[RESPONSES]] = t->ms;
    return group_count(f, g, person, RESPONSES);
}

/* Each event to the month that it is of: both are counted in one pass. */
static enum err count_event(struct figures *both, struct one *o, const struct told *t)
{
    struct figures *f = t->at < both->from ? both->before : both;
    struct group *g;
    TRY(group_of(f, text_upto(key_of(f, o, t), SUM_KEY), &g));
    TRY(count_told(f, g, o->number, t));
    return count_told(f, f->all, o->number, t);
}

/* A person of whom nothing is an event is one of their group. */
static enum err count_person(struct figures *f, struct one *o)
{
    struct group *g;
    if (!o->now.n)
        return OK;
    TRY(group_of(f, text_upto(o->now, SUM_KEY), &g));
    TRY(group_count(f, g, o->number, EVENTS));
    return group_count(f, f->all, o->number, EVENTS);
}

/* ---- Of events: from the sums of its months where there are some, else one by one. ---- */

struct taking {
    struct figures *f;
    struct one *o;
};
static enum err take_told(void *arg, const struct told *t)
{
    struct taking *k = arg;
    return count_event(k->f, k->o, t);
}

static enum err count_rows(struct figures *f, struct one *o, const struct record *rows, unsigned count)
{
    RECORD_KEYS_AUTO keys = { .known = false };
    struct taking k = { f, o };
    for (unsigned i = 0; i < count; i++) {
        enum err status = counting_row(&o->c, o->p, &f->counting, &rows[i], &keys, take_told, &k);
        if (!record_unreadable(status)) /* else named by the board */
            TRY(status);
    }
    return OK;
}

/* Whether the field was one and the same all through that month. */
static bool is_steady(const struct figures *f, const struct one *o)
{
    msec replaced;
    JSON_EACH(one, f->of ? o->formers : NULL)
        if (text_eq(json_text(one, TEXT("category")), f->of->name) &&
            text_eq(json_text(one, TEXT("field")), f->field->name) &&
            time_parse(json_text(one, TEXT("replaced")), &replaced) && replaced > f->from && replaced < f->to)
            return false;
    return true;
}

static enum err count_sum(struct figures *f, struct group *g, unsigned person, const struct sum *s)
{
    const int64_t counts[MEASURES] = { s->events, s->errors, s->downloads, s->responses };
    for (enum measure m = EVENTS; m < (f->before ? MEASURES : ERRORS); m++) {
        if (!counts[m])
            continue;
        if (m == RESPONSES) {
            TRY(group_times(f, g, counts[m]));
            sums_times(s, g->times + g->counts[m]);
        }
        g->counts[m] += counts[m];
        TRY(crowd_add(f->c->arena, &g->of[m], person));
    }
    return OK;
}

/* The key that all of the month falls under; p NULL: each part its own. */
static text key_of_month(const struct figures *f, const struct one *o)
{
    if (f->persons)
        return o->id;
    return f->of ? value_at(f, o->formers, o->now, f->from) : (text){ NULL, 0 };
}

static enum err count_sums(struct figures *f, struct one *o, const struct sums *sums)
{
    bool page = text_eq(f->by, TEXT("page")), action = text_eq(f->by, TEXT("action"));
    text whole = key_of_month(f, o), part = sums->parts[SUM_ACTION];
    struct sum s;
    if (!whole.p && !action)
        part = sums->parts[page ? SUM_PAGE : SUM_DAY];
    while (sums_next(&part, &s)) {
        struct group *g;
        TRY(group_of(f, whole.p ? text_upto(whole, SUM_KEY) : s.key, &g));
        TRY(count_sum(f, g, o->number, &s));
        TRY(count_sum(f, f->all, o->number, &s));
    }
    return OK;
}

static enum err count_events(struct figures *f, struct one *o)
{
    struct figures *of[] = { f->before, f };
    const struct sum_month months[] = { { of[0]->from, of[0]->to }, { of[1]->from, of[1]->to } };
    struct sums sums[2];
    TRY(sums_load(&o->c, o->p, &f->counting, months, 2, sums));
    bool loaded = false;
    for (unsigned i = 0; i < 2; i++) {
        struct record *rows = NULL;
        unsigned count = 0;
        if (sums[i].known && !loaded)
            TRY(load_known(f->look, f, o));
        loaded |= sums[i].known;
        if (sums[i].known && is_steady(of[i], o)) {
            TRY(count_sums(of[i], o, &sums[i]));
            continue;
        }
        TRY(counting_load(&o->c, o->p, f->category, months[i].first, months[i].past, &rows, &count));
        if (count && !loaded)
            TRY(load_known(f->look, f, o));
        loaded |= count != 0;
        TRY(count_rows(f, o, rows, count));
    }
    return OK;
}

/* Left out without a word: who is out of reach, closed, or does not let it be used for that. */
static enum err counts(struct figures *f, const struct person *p, bool *may)
{
    *may = p->state == PERSON_ACTIVE;
    if (*may && person_sees_team(f->c))
        TRY(team_has(f->c, f->c->actor.self, p->id, may));
    return *may ? person_may_count(f->c, p, (unsigned)policy_purpose(f->c->policy, f->purpose), &f->categories, may)
                : OK;
}

static enum err count_one(struct figures *f, struct subject_id id)
{
    ARENA_AUTO a = arena_make(PERSON_MEMORY);
    PERSON_AUTO p = { 0 };
    struct one o = { .c = *f->c, .p = &p, .number = f->people };
    bool may;
    o.c.arena = &a;
    o.c.decisions = NULL;
    o.id = id_print(&a, id);
    enum err status = person_open_anyway(&o.c, o.id, &p);
    if (status == ERR_NOT_FOUND) /* erased meanwhile */
        return OK;
    if (status == OK)
        status = counts(f, &p, &may);
    if (status == OK && may) {
        status = f->category >= 0 ? count_events(f, &o) : load_known(f->look, f, &o);
        if (status == OK && f->category < 0)
            status = count_person(f, &o);
        f->people++;
    }
    if (status != OK && a.why.code == status)
        f->c->arena->why = a.why;
    return status;
}

static enum err people_after(struct figures *f, struct subject_id after, struct subject_id *out, unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(f->c), f->c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_USAGE_PEOPLE, ARGS(V_TEXT(f->c->tenant), V_ID(after), V_INT(PEOPLE_PAGE)));
    for (*count = 0; *count < PEOPLE_PAGE && query_next(&q); (*count)++)
        memcpy(&out[*count], query_get(&q, USAGE_PEOPLE, id).p, sizeof *out);
    return q.status;
}

static enum err begin(struct figures *f)
{
    f->all = NEW(f->c->arena, struct group);
    TRY_PTR(f->all);
    *f->all = (struct group){ .key = TEXT("") };
    return OK;
}

static enum err count_all(struct figures *f)
{
    struct subject_id after = { { 0 } };
    struct subject_id *page = NEW_ARRAY(f->c->arena, struct subject_id, PEOPLE_PAGE);
    unsigned count = PEOPLE_PAGE;
    TRY_PTR(page);
    while (count == PEOPLE_PAGE) {
        TRY(people_after(f, after, page, &count));
        for (unsigned i = 0; i < count; i++)
            TRY(count_one(f, page[i]));
        if (count)
            after = page[count - 1];
    }
    return OK;
}

/* ---- What is shown. ---- */

/* How many people the hidden groups of that measure are together. */
static unsigned hidden_people(const struct figures *f, enum measure m, uint8_t *seen)
{
    unsigned people = 0;
    memset(seen, 0, f->people + 1);
    for (unsigned i = 0; i < f->count; i++)
        for (unsigned k = 0; f->table[i]->hidden[m] && k < f->table[i]->of[m].count; k++) {
            uint8_t *one = &seen[f->table[i]->of[m].people[k]];
            people += !*one;
            *one = 1;
        }
    return people;
}

static struct group *smallest_shown(const struct figures *f, enum measure m)
{
    struct group *least = NULL;
    for (unsigned i = 0; i < f->count; i++) {
        struct group *g = f->table[i];
        if (!g->hidden[m] && g->of[m].count && (!least || g->of[m].count < least->of[m].count))
            least = g;
    }
    return least;
}

/* A group of fewer people is hidden; and further ones, smallest first, until those that are hidden are enough people
 * together: else the total less what is shown would tell of them. */
static void hide(struct figures *f, enum measure m, uint8_t *seen)
{
    f->all->hidden[m] = f->all->of[m].count && f->all->of[m].count < f->min_group;
    for (unsigned i = 0; i < f->count; i++) {
        struct group *g = f->table[i];
        g->hidden[m] = (m != EVENTS && g->hidden[EVENTS]) || (g->of[m].count && g->of[m].count < f->min_group);
    }
    for (;;) {
        unsigned people = hidden_people(f, m, seen);
        struct group *next = people && people < f->min_group ? smallest_shown(f, m) : NULL;
        if (!next)
            return;
        next->hidden[m] = true;
    }
}

static int by_key(const void *a, const void *b)
{
    const struct group *const *x = a, *const *y = b;
    return text_cmp((*x)->key, (*y)->key);
}

static enum err finish(struct figures *f)
{
    uint8_t *seen = NEW_ARRAY(f->c->arena, uint8_t, f->people + 1);
    TRY_PTR(seen);
    if (f->count)
        qsort(f->table, f->count, sizeof(struct group *), by_key);
    for (enum measure m = EVENTS; m < MEASURES && !f->persons; m++)
        hide(f, m, seen);
    return OK;
}

/* The value that stands at `k` when `v` is in order: Hoare's selection (CACM 4, 1961), which moves the values. */
static int64_t at_rank(int64_t *v, int64_t n, int64_t k)
{
    for (int64_t low = 0, high = n - 1; low < high;) {
        int64_t pivot = v[low + (high - low) / 2], i = low, j = high;
        while (i <= j) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i > j)
                break;
            int64_t swapped = v[i];
            v[i++] = v[j];
            v[j--] = swapped;
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return v[k];
}

/* The nearest rank: the smallest time that so many per cent of them do not exceed. */
static int64_t percentile(struct group *g, int per_cent)
{
    int64_t n = g->counts[RESPONSES], rank = (n * per_cent + 99) / 100;
    return at_rank(g->times, n, rank ? rank - 1 : 0);
}

static void put_number(struct json_out *w, text name, bool hidden, int64_t value)
{
    json_name(w, name);
    if (hidden)
        json_put_null(w);
    else
        json_put_int(w, value);
}

/* The group of the month before: of a day, the same day of it. */
static const struct group *group_before(const struct figures *f, const struct group *g)
{
    const struct figures *b = f->before;
    size_t from = text_eq(f->by, TEXT("day")) && g->key.n == 10 ? 8 : 0;
    if (g == f->all)
        return b->all;
    for (unsigned i = 0; i < b->count; i++)
        if (text_eq(text_from(b->table[i]->key, from), text_from(g->key, from)))
            return b->table[i];
    return NULL;
}

/* Nothing that asking for that month would not show: null of a group that it does not show, which does not tell whether
 * it was small or not there. */
static void put_before(const struct figures *f, struct json_out *w, const struct group *g)
{
    const struct group *before = group_before(f, g);
    bool hidden = !before || before->hidden[EVENTS];
    put_number(w, TEXT("people_before"), hidden, hidden ? 0 : before->of[EVENTS].count);
    put_number(w, TEXT("events_before"), hidden, hidden ? 0 : before->counts[EVENTS]);
}

static void put_group(const struct figures *f, struct json_out *w, struct group *g)
{
    json_open(w, '{');
    json_pair(w, TEXT("key"), g->key);
    put_number(w, TEXT("people"), g->hidden[EVENTS], g->of[EVENTS].count);
    for (enum measure m = EVENTS; m < RESPONSES && f->category >= 0; m++)
        put_number(w, measure_words[m], g->hidden[m], g->counts[m]);
    bool none = g->hidden[RESPONSES] || !g->counts[RESPONSES];
    if (f->category >= 0) {
        put_number(w, TEXT("p50"), none, none ? 0 : percentile(g, 50));
        put_number(w, TEXT("p95"), none, none ? 0 : percentile(g, 95));
        put_before(f, w, g);
    }
    json_close(w, '}');
}

static void put_figures(const struct figures *f, struct json_out *w)
{
    int64_t hidden = 0;
    json_pair(w, TEXT("purpose"), f->purpose);
    json_pair(w, TEXT("by"), f->by);
    json_pair(w, TEXT("month"), f->month);
    json_pair_int(w, TEXT("min_group"), f->persons ? 1 : f->min_group);
    json_name(w, TEXT("rows"));
    json_open(w, '[');
    for (unsigned i = 0; i < f->count; i++) {
        hidden += f->table[i]->hidden[EVENTS];
        if (!f->table[i]->hidden[EVENTS])
            put_group(f, w, f->table[i]);
    }
    json_close(w, ']');
    json_pair_int(w, TEXT("hidden"), hidden);
    json_name(w, TEXT("all"));
    put_group(f, w, f->all);
}

/* ---- The look. ---- */

static enum err may_count(struct ctx *c, struct look_list *l)
{
    struct figures *f = l->arg;
    TRY(take_asked(f));
    return person_allow(c, NULL, f->purpose, &f->categories, ACT_READ);
}

/* The same is counted of the month before; its days are others. */
static enum err begin_before(struct figures *f)
{
    struct figures *b = f->before;
    const struct days days = b->days;
    msec from = b->from, to = b->to;
    *b = *f;
    b->days = days;
    b->from = from;
    b->to = to;
    b->before = NULL;
    return begin(b);
}

static enum err show_figures(struct ctx *c, struct look_list *l, struct json_out *w)
{
    struct figures *f = l->arg;
    f->look = l;
    TRY(begin_before(f));
    TRY(begin(f));
    TRY(count_all(f));
    f->before->people = f->people;
    TRY(finish(f));
    TRY(finish(f->before));
    for (unsigned i = 0; f->persons && i < f->count; i++) {
        struct subject_id id;
        if (id_parse(f->table[i]->key, &id))
            TRY(look_saw(c, l, id));
    }
    l->count = f->count;
    put_figures(f, w);
    return OK;
}

enum err usage_figures(struct ctx *c, text purpose, text by, text month, struct answer *out)
{
    struct figures before = { .c = c };
    struct figures f = { .c = c, .purpose = purpose, .by = by, .month = month, .before = &before };
    struct look_list l = { .act = TEXT("usage.figures"),
                           .each = TEXT("usage.listed"),
                           .purpose = purpose,
                           .may = may_count,
                           .show = show_figures,
                           .arg = &f };
    return look_at_people(c, &l, out);
}

/* Sums of months: made of a few people at a turn, and read again. */
#include "domain/usage/sums.h"
#include "base/calendar.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/person/person.h"
#include <stdlib.h>

/* FORM, the names of the fields (empty: none), the month's first and past, then a text for each of enum sum_by: keys,
 * each with its counts and its times: the first, and by how much each exceeds the one before. */
enum { FORM = 1, MONTHS = 13, PEOPLE = 50, PERSON_MEMORY = 256 << 20, SUM_MOST = 4 << 20 };
static const text table = TEXT_INIT("usage_month");

static void place_of(const struct ctx *c, const struct person *p, const struct counting *t, msec first,
                     struct place *out)
{
    *out = (struct place){ .tenant = c->tenant,
                           .subject = p->id,
                           .table = table,
                           .field = c->policy->categories[t->category].name,
                           .version = (uint64_t)first };
}

static text name_of(const struct field *f) { return f ? f->name : TEXT(""); }

/* Which fields were counted: another policy may have others. */
static void put_head(struct buf *b, const struct counting *t, const struct sum_month *m)
{
    buf_char(b, FORM);
    pack_text(b, name_of(t->page));
    pack_text(b, name_of(t->action));
    pack_text(b, name_of(t->error));
    pack_text(b, name_of(t->response));
    pack_signed(b, m->first);
    pack_signed(b, m->past);
}

static bool is_head(struct unpack *u, const struct counting *t, const struct sum_month *m)
{
    bool form = u->rest.n && u->rest.p[0] == FORM;
    u->rest = text_from(u->rest, 1);
    return form && text_eq(unpack_text(u), name_of(t->page)) && text_eq(unpack_text(u), name_of(t->action)) &&
           text_eq(unpack_text(u), name_of(t->error)) && text_eq(unpack_text(u), name_of(t->response)) &&
           unpack_signed(u) == m->first && unpack_signed(u) == m->past && !u->bad;
}

/* ---- Read. ---- */

static void take_sums(const struct counting *t, const struct sum_month *m, text clear, struct sums *out)
{
    struct unpack u = { .rest = clear };
    if (!is_head(&u, t, m))
        return;
    for (unsigned i = 0; i < SUM_BYS; i++)
        out->parts[i] = unpack_text(&u);
    out->known = !u.bad && !u.rest.n;
}

enum err sums_load(struct ctx *c, const struct person *p, const struct counting *t, const struct sum_month *months,
                   unsigned count, struct sums *out)
{
    const struct category *cat = &c->policy->categories[t->category];
    RECORD_KEY_AUTO key = { .made = false };
    bool keyed = false;
    for (unsigned i = 0; i < count; i++)
        out[i] = (struct sums){ .known = false };
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_USAGE_MONTHS,
                ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(cat->name), V_INT(months[0].first),
                     V_INT(months[count - 1].first)));
    while (query_next(&q)) {
        msec first = query_get(&q, USAGE_MONTHS, first);
        struct place place;
        text clear;
        unsigned i = 0;
        while (i < count && months[i].first != first)
            i++;
        if (!keyed)
            TRY(record_key(c, p, cat, &key));
        keyed = true;
        if (i == count || key.key_class != query_get(&q, USAGE_MONTHS, class))
            continue;
        place_of(c, p, t, first, &place);
        enum err status = seal_open(c->arena, &key.key, &place, query_get(&q, USAGE_MONTHS, sealed), &clear);
        if (status == OK)
            take_sums(t, &months[i], clear, &out[i]);
        else if (!record_unreadable(status)) /* else the events are there to be counted */
            return status;
    }
    return q.status;
}

bool sums_next(text *part, struct sum *out)
{
    struct unpack u = { .rest = *part };
    if (!part->n)
        return false;
    *out = (struct sum){ .key = unpack_text(&u) };
    out->events = (int64_t)unpack_number(&u);
    out->errors = (int64_t)unpack_number(&u);
    out->downloads = (int64_t)unpack_number(&u);
    out->responses = (int64_t)unpack_number(&u);
    out->times = unpack_text(&u);
    *part = u.rest;
    return !u.bad;
}

void sums_times(const struct sum *s, int64_t *out)
{
    struct unpack u = { .rest = s->times };
    for (int64_t i = 0; i < s->responses; i++)
        out[i] = i ? out[i - 1] + (int64_t)unpack_number(&u) : unpack_signed(&u);
}

/* ---- Made. ---- */

struct item {
    text keys[SUM_BYS];
    bool error, download, timed;
    int64_t ms;
};
/* One person, category and month under way. */
struct heap {
    struct ctx *c;
    struct item *items;
    unsigned count, room;
    text day; /* of the event before, and where it begins and ends */
    msec from, to;
};
/* A row that is ready. rows, versions: what it was made from. */
struct summed {
    struct subject_id id;
    text category;
    struct sum_month month;
    int64_t rows, versions;
    uint32_t key_class;
    sealed shut;
};
struct turn {
    struct ctx *c;
    struct sum_month months[MONTHS];
    struct summed *list;
    unsigned count, room;
};

static enum err day_of(struct heap *h, msec at)
{
    if (h->day.n && at >= h->from && at < h->to)
        return OK;
    struct date day = value_day(h->c, at);
    h->from = value_day_start(h->c, day);
    h->to = value_day_start(h->c, date_of_days(date_days(day) + 1));
    h->day = date_print(h->c->arena, day);
    return arena_whole(h->c->arena);
}

static enum err add_item(void *arg, const struct told *t)
{
    struct heap *h = arg;
    TRY(day_of(h, t->at));
    if (h->count == h->room) {
        struct item *old = h->items;
        h->room = h->room ? h->room * 2 : 256;
        h->items = NEW_ARRAY(h->c->arena, struct item, h->room);
        TRY_PTR(h->items);
        if (old)
            memcpy(h->items, old, h->count * sizeof *old);
    }
    h->items[h->count++] = (struct item){ .keys = { h->day, text_upto(t->page, SUM_KEY),
                                                    text_upto(t->action, SUM_KEY) },
                                          .error = t->error,
                                          .download = counting_download(t->action),
                                          .timed = t->timed,
                                          .ms = t->ms };
    return OK;
}

static int by_part(const struct item *x, const struct item *y, enum sum_by by)
{
    int order = text_cmp(x->keys[by], y->keys[by]);
    if (order)
        return order;
    if (x->timed != y->timed)
        return y->timed - x->timed;
    return (x->ms > y->ms) - (x->ms < y->ms);
}

static int by_day(const void *a, const void *b) { return by_part(a, b, SUM_DAY); }
static int by_page(const void *a, const void *b) { return by_part(a, b, SUM_PAGE); }
static int by_action(const void *a, const void *b) { return by_part(a, b, SUM_ACTION); }

/* Those of one key: `items`, in order, what has a time first. */
static void put_key(struct buf *b, const struct item *items, unsigned count, enum sum_by by)
{
    uint64_t errors = 0, downloads = 0, responses = 0;
    BUF_AUTO times = buf_make(SUM_MOST);
    for (unsigned i = 0; i < count; i++) {
        errors += items[i].error;
        downloads += items[i].download;
        if (!items[i].timed)
            continue;
        if (responses++)
            pack_number(&times, (uint64_t)(items[i].ms - items[i - 1].ms));
        else
            pack_signed(&times, items[i].ms);
    }
    pack_text(b, items->keys[by]);
    pack_number(b, count);
    pack_number(b, errors);
    pack_number(b, downloads);
    pack_number(b, responses);
    pack_text(b, buf_for(b, &times));
}

static void put_part(struct buf *b, struct heap *h, enum sum_by by)
{
    static int (*const orders[SUM_BYS])(const void *, const void *) = { by_day, by_page, by_action };
    BUF_AUTO part = buf_make(SUM_MOST);
    qsort(h->items, h->count, sizeof *h->items, orders[by]);
    for (unsigned i = 0, end; i < h->count; i = end) {
        for (end = i + 1; end < h->count && text_eq(h->items[end].keys[by], h->items[i].keys[by]);)
            end++;
        put_key(&part, &h->items[i], end - i, by);
    }
    pack_text(b, buf_for(b, &part));
}

static enum err add_summed(struct turn *turn, const struct summed *one)
{
    struct arena *a = turn->c->arena;
    if (turn->count == turn->room) {
        struct summed *old = turn->list;
        turn->room = turn->room ? turn->room * 2 : PEOPLE;
        turn->list = NEW_ARRAY(a, struct summed, turn->room);
        TRY_PTR(turn->list);
        if (old)
            memcpy(turn->list, old, turn->count * sizeof *old);
    }
    turn->list[turn->count] = *one;
    turn->list[turn->count].shut.bytes = arena_copy(a, one->shut.bytes);
    turn->count++;
    return arena_whole(a);
}

/* The rows of one month, in their order: what is about to end, cannot be read or is very much stays to be counted. */
static enum err sum_rows(struct turn *turn, struct ctx *own, const struct person *p, const struct counting *t,
                         const struct sum_month *m, const struct record *rows, unsigned count)
{
    RECORD_KEYS_AUTO keys = { .known = false };
    RECORD_KEY_AUTO key = { .made = false };
    struct heap h = { .c = own };
    struct summed one = { .id = p->id, .category = own->policy->categories[t->category].name, .month = *m };
    for (unsigned i = 0; i < count; i++) {
        if (rows[i].due && rows[i].due < own->now + 40 * DAY)
            return OK;
        enum err status = counting_row(own, p, t, &rows[i], &keys, add_item, &h);
        if (status != OK)
            return record_unreadable(status) ? OK : status;
        one.rows++;
        one.versions += rows[i].version;
    }
    BUF_AUTO b = buf_make(SUM_MOST);
    put_head(&b, t, m);
    for (enum sum_by by = 0; by < SUM_BYS; by++)
        put_part(&b, &h, by);
    text clear;
    if (buf_take(own->arena, &b, &clear) != OK)
        return OK;
    struct place place;
    place_of(own, p, t, m->first, &place);
    TRY(record_key(own, p, &own->policy->categories[t->category], &key));
    one.key_class = key.key_class;
    TRY(seal(own->arena, &key.key, &place, clear, &one.shut));
    return key.made ? OK : add_summed(turn, &one);
}

static enum err find_summed(struct ctx *c, const struct person *p, text category, const struct sum_month *months,
                            bool there[MONTHS])
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_USAGE_MONTHS,
                ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(category), V_INT(months[0].first),
                     V_INT(months[MONTHS - 1].first)));
    while (query_next(&q))
        for (unsigned i = 0; i < MONTHS; i++)
            there[i] |= months[i].first == query_get(&q, USAGE_MONTHS, first);
    return q.status;
}

/* What is not summed yet: all its rows are read at once, with memory of their own. */
static enum err sum_category(struct turn *turn, const struct person *p, int category)
{
    ARENA_AUTO a = arena_make(PERSON_MEMORY);
    struct ctx own = *turn->c;
    bool there[MONTHS] = { false };
    struct counting t;
    struct record *rows;
    unsigned count, i = 0;
    own.arena = &a;
    own.decisions = NULL;
    counting_of(own.policy, category, &t);
    enum err status = find_summed(&own, p, own.policy->categories[category].name, turn->months, there);
    while (i < MONTHS && there[i])
        i++;
    if (status == OK && i < MONTHS)
        status = counting_load(&own, p, category, turn->months[i].first, turn->months[MONTHS - 1].past, &rows, &count);
    for (unsigned from, to = 0; status == OK && i < MONTHS; i++) {
        for (from = to; from < count && rows[from].at < turn->months[i].first;)
            from++;
        for (to = from; to < count && rows[to].at < turn->months[i].past;)
            to++;
        if (!there[i] && to > from)
            status = sum_rows(turn, &own, p, &t, &turn->months[i], &rows[from], to - from);
    }
    if (status != OK && a.why.code == status)
        turn->c->arena->why = a.why;
    return status;
}

/* Whether some purpose may count that person's events of the category: of whom none may, nothing is summed (GDPR 18,
 * 21). */
static enum err may_sum(struct ctx *c, const struct person *p, unsigned category, bool *may)
{
    *may = false;
    for (unsigned i = 0; i < c->policy->purpose_count && !*may; i++)
        if (bits_has(&c->policy->categories[category].purposes, i))
            TRY(person_lets_count(c, p, i, may));
    return OK;
}

static enum err sum_person(struct turn *turn, struct subject_id id)
{
    struct ctx *c = turn->c;
    PERSON_AUTO p = { 0 };
    enum err status = person_open(c, id_print(c->arena, id), false, &p);
    if (status == ERR_NOT_FOUND) /* closed, or erased meanwhile */
        return OK;
    for (unsigned i = 0; status == OK && i < c->policy->category_count; i++) {
        bool may = false;
        if (block_holds(&c->policy->categories[i]))
            status = may_sum(c, &p, i, &may);
        if (status == OK && may)
            status = sum_category(turn, &p, (int)i);
    }
    return status;
}

/* ---- The commit. ---- */

/* Whether its events are still those that it was made from. */
static enum err is_still(struct db *db, const struct ctx *c, const struct summed *s, bool *still)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_USAGE_ROWS,
                ARGS(V_TEXT(c->tenant), V_ID(s->id), V_TEXT(s->category), V_INT(s->month.first), V_INT(s->month.past)));
    *still = query_next(&q) && query_get(&q, USAGE_ROWS, count) == s->rows &&
             query_get(&q, USAGE_ROWS, versions) == s->versions;
    return q.status;
}

static enum err run_sums(struct db *db, struct write *w)
{
    const struct turn *turn = w->arg;
    w->event.count = 0;
    for (unsigned i = 0; i < turn->count; i++) {
        const struct summed *s = &turn->list[i];
        bool still;
        TRY(is_still(db, turn->c, s, &still));
        if (!still)
            continue;
        TRY(db_run(db, SQL_USAGE_MONTH_PUT, NULL,
                   ARGS(V_TEXT(turn->c->tenant), V_ID(s->id), V_TEXT(s->category), V_INT(s->month.first),
                        V_INT(s->month.past), V_INT(s->key_class), V_SEALED(s->shut))));
        w->event.count++;
    }
    return OK;
}

/* ---- A walk over all people, once a day. ---- */

static void find_months(const struct ctx *c, struct sum_month *out)
{
    struct date this = value_day(c, c->now);
    this.day = 1;
    for (int i = 0; i < MONTHS; i++) {
        out[i].first = value_day_start(c, date_add_months(this, i - MONTHS));
        out[i].past = value_day_start(c, date_add_months(this, i - MONTHS + 1));
    }
}

struct found {
    text tenant;
    struct subject_id id;
};

static enum err people_after(struct ctx *c, struct found *out, unsigned *count)
{
    const struct sums_walk *walk = &c->app->sums;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBJECT_PAGE, ARGS(V_TEXT(text_of(walk->tenant)), V_ID(walk->after), V_INT(PEOPLE)));
    for (*count = 0; *count < PEOPLE && query_next(&q); (*count)++) {
        out[*count].tenant = arena_copy(c->arena, query_get(&q, SUBJECT_PAGE, tenant));
        memcpy(&out[*count].id, query_get(&q, SUBJECT_PAGE, id).p, sizeof out->id);
    }
    TRY(q.status);
    return arena_whole(c->arena);
}

/* People of one tenant, the first of those found: in one commit. */
static enum err sum_people(struct ctx *c, const struct found *found, unsigned count)
{
    struct turn turn = { .c = c };
    find_months(c, turn.months);
    for (unsigned i = 0; i < count; i++)
        TRY(sum_person(&turn, found[i].id));
    struct write w = { .run = run_sums, .arg = &turn, .event = event_of(c, NULL, TEXT("usage.summed")) };
    return turn.count ? write_do(c, &w, NULL) : OK;
}

enum err sums_tick(struct ctx *c, bool *more)
{
    struct sums_walk *walk = &c->app->sums;
    struct found found[PEOPLE];
    unsigned count, same = 1;
    int64_t day = c->now / DAY;
    *more = false;
    if (walk->day == day && walk->over)
        return OK;
    if (walk->day != day)
        *walk = (struct sums_walk){ .day = day };
    TRY(people_after(c, found, &count));
    walk->over = !count;
    if (!count)
        return OK;
    while (same < count && text_eq(found[same].tenant, found[0].tenant))
        same++;
    c->tenant = found[0].tenant;
    TRY(sum_people(c, found, same));
    walk->after = found[same - 1].id;
    *more = text_cstr(found[0].tenant, walk->tenant, sizeof walk->tenant);
    return *more ? OK : say(c->arena, ERR_INTEGRITY, "a tenant's name is too long");
}

/* Sums of months: made of a few people at a turn, and read again. */
#include "domain/usage/sums.h"
#include "base/calendar.h"
#include "domain/core/decided.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/person/person.h"
#include <stdlib.h>

/* FORM, the names of the fields (empty: none), the month's first and past, then a text for each of enum sum_by: keys,
 * each with its counts and its times: the first, and by how much each exceeds the one before. */
enum { FORM = 1, MONTHS = 13, PEOPLE = 50, MONTH_MEMORY = 256 << 20, SUM_MOST = 4 << 20, WRITE_MOST = 16 << 20 };
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
/* A row that is ready. of: what was decided about its person; rows, versions: what it was made from. */
struct summed {
    struct ctx *of;
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
    struct arena ready; /* the list, and its sealed sums, until they are written */
    struct summed *list;
    unsigned count, room;
    struct why failed; /* the first of one person or month alone; code OK: none */
};

/* Of the machine or the store: nothing can be summed now, whoever's it is. */
static bool is_general(enum err e, const struct arena *a)
{
    switch ((int)e) {
    case ERR_STORAGE:
    case ERR_UNKNOWN:
    case ERR_FULL:
    case ERR_BUSY:
    case ERR_ASIDE:
    case ERR_LOCKED:
        return true;
    case ERR_MEMORY:
        return !a->full;
    default:
        return false;
    }
}

/* What failed of one person or month, in that memory, is kept: it holds up nobody else. The rest is passed up. */
static enum err keep_failed(struct turn *turn, const struct arena *a, enum err status)
{
    if (status == OK || is_general(status, a))
        return status;
    if (turn->failed.code == OK) {
        turn->failed = a->why;
        turn->failed.code = status;
        turn->failed.clause = NULL; /* of a policy that this outlives */
    }
    return OK;
}

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
    TRY(arena_wider(h->c->arena, (void **)&h->items, h->count, &h->room, sizeof *h->items));
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

static enum err write_ready(struct turn *turn);

/* Written early when much is ready. */
static enum err add_summed(struct turn *turn, const struct summed *one)
{
    struct arena *a = &turn->ready;
    if (a->used + one->shut.bytes.n > WRITE_MOST)
        TRY(write_ready(turn));
    TRY(arena_wider(a, (void **)&turn->list, turn->count, &turn->room, sizeof *turn->list));
    turn->list[turn->count] = *one;
    turn->list[turn->count].shut.bytes = arena_copy(a, one->shut.bytes);
    turn->count++;
    return arena_whole(a);
}

/* The rows of one month, in their order: what is about to end, cannot be read or is very much stays to be counted. */
static enum err sum_rows(struct ctx *own, const struct person *p, const struct counting *t, const struct record *rows,
                         unsigned count, struct summed *one, bool *made)
{
    RECORD_KEYS_AUTO keys = { .known = false };
    RECORD_KEY_AUTO key = { .made = false };
    struct heap h = { .c = own };
    for (unsigned i = 0; i < count; i++) {
        if (rows[i].due && rows[i].due < own->now + 40 * DAY)
            return OK;
        enum err status = counting_row(own, p, t, &rows[i], &keys, add_item, &h);
        if (status != OK)
            return record_unreadable(status) ? OK : status;
        one->rows++;
        one->versions += rows[i].version;
    }
    TRY(arena_whole(own->arena));
    BUF_AUTO b = buf_make(SUM_MOST);
    put_head(&b, t, &one->month);
    for (enum sum_by by = 0; by < SUM_BYS; by++)
        put_part(&b, &h, by);
    text clear;
    if (buf_take(own->arena, &b, &clear) != OK)
        return OK;
    struct place place;
    place_of(own, p, t, one->month.first, &place);
    TRY(record_key(own, p, &own->policy->categories[t->category], &key));
    one->key_class = key.key_class;
    TRY(seal(own->arena, &key.key, &place, clear, &one->shut));
    *made = !key.made;
    return OK;
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

/* A month that is not summed yet, with memory of its own. */
static enum err sum_month(struct turn *turn, struct ctx *of, const struct person *p, const struct counting *t,
                          const struct sum_month *m)
{
    ARENA_AUTO a = arena_make(MONTH_MEMORY);
    struct ctx own = *of;
    struct summed one = { .of = of, .id = p->id, .category = of->policy->categories[t->category].name, .month = *m };
    struct record *rows = NULL;
    unsigned count = 0;
    bool made = false;
    own.arena = &a;
    own.decisions = NULL;
    enum err status = counting_load(&own, p, t->category, m->first, m->past, &rows, &count);
    if (status == OK)
        status = arena_whole(&a);
    if (status == OK && count)
        status = sum_rows(&own, p, t, rows, count, &one, &made);
    if (status != OK && is_general(status, &a))
        of->arena->why = a.why;
    TRY(keep_failed(turn, &a, status));
    return made ? add_summed(turn, &one) : OK;
}

static enum err sum_category(struct turn *turn, struct ctx *of, const struct person *p, int category)
{
    bool there[MONTHS] = { false };
    struct counting t;
    counting_of(of->policy, category, &t);
    TRY(find_summed(of, p, of->policy->categories[category].name, turn->months, there));
    for (unsigned i = 0; i < MONTHS; i++)
        if (!there[i])
            TRY(sum_month(turn, of, p, &t, &turn->months[i]));
    return OK;
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

static enum err sum_categories(struct turn *turn, struct ctx *of, struct subject_id id)
{
    PERSON_AUTO p = { 0 };
    enum err status = person_open(of, id_print(of->arena, id), false, &p);
    if (status == ERR_NOT_FOUND) /* closed, or erased meanwhile */
        return OK;
    for (unsigned i = 0; status == OK && i < of->policy->category_count; i++) {
        bool may = false;
        if (block_holds(&of->policy->categories[i]))
            status = may_sum(of, &p, i, &may);
        if (status == OK && may)
            status = sum_category(turn, of, &p, (int)i);
    }
    return status;
}

/* What is decided about each is kept apart, and asked again when their sums are written. */
static enum err sum_person(struct turn *turn, struct subject_id id)
{
    struct ctx *of = NEW(turn->c->arena, struct ctx);
    TRY_PTR(of);
    *of = *turn->c;
    of->decisions = NULL;
    return keep_failed(turn, of->arena, sum_categories(turn, of, id));
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

/* Whether what was decided about its person still is: else they went, objected or are restricted since (GDPR 17, 18,
 * 21). */
static enum err may_still(struct db *db, const struct summed *s, bool *may)
{
    enum err status = decided_ask(s->of, db);
    *may = status == OK;
    return is_general(status, s->of->arena) ? status : OK;
}

static enum err run_sums(struct db *db, struct write *w)
{
    const struct turn *turn = w->arg;
    bool may = false, still;
    w->event.count = 0;
    for (unsigned i = 0; i < turn->count; i++) {
        const struct summed *s = &turn->list[i];
        if (!i || s->of != turn->list[i - 1].of)
            TRY(may_still(db, s, &may));
        if (!may)
            continue;
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

static enum err write_ready(struct turn *turn)
{
    struct write w = { .run = run_sums, .arg = turn, .event = event_of(turn->c, NULL, TEXT("usage.summed")) };
    enum err status = turn->count ? write_do(turn->c, &w, NULL) : OK;
    turn->list = NULL;
    turn->count = 0;
    turn->room = 0;
    arena_reset(&turn->ready);
    return status;
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

/* People of one tenant, the first of those found: in one commit, or in few. done: how many were looked at. */
static enum err sum_people(struct turn *turn, const struct found *found, unsigned count, unsigned *done)
{
    find_months(turn->c, turn->months);
    for (*done = 0; *done < count;)
        TRY(sum_person(turn, found[(*done)++].id));
    return write_ready(turn);
}

/* What failed of one person alone is told once, when the walk is over. */
static enum err walk_over(struct ctx *c, struct sums_walk *walk)
{
    enum err status = walk->failed.code;
    walk->over = true;
    if (status != OK)
        c->arena->why = walk->failed;
    walk->failed.code = OK;
    return status;
}

enum err sums_tick(struct ctx *c, bool *more)
{
    struct sums_walk *walk = &c->app->sums;
    struct found found[PEOPLE];
    unsigned count, done, same = 1;
    int64_t day = c->now / DAY;
    *more = false;
    if (walk->day == day && walk->over)
        return OK;
    if (walk->day != day)
        *walk = (struct sums_walk){ .day = day, .failed = walk->failed };
    TRY(people_after(c, found, &count));
    if (!count)
        return walk_over(c, walk);
    while (same < count && text_eq(found[same].tenant, found[0].tenant))
        same++;
    c->tenant = found[0].tenant;
    if (!text_cstr(c->tenant, walk->tenant, sizeof walk->tenant))
        return say(c->arena, ERR_INTEGRITY, "a tenant's name is too long");
    struct turn turn = { .c = c, .ready = arena_make(2 * WRITE_MOST) };
    enum err status = sum_people(&turn, found, same, &done);
    if (status != OK && turn.ready.why.code == status)
        c->arena->why = turn.ready.why;
    arena_free(&turn.ready);
    walk->after = found[done - 1].id; /* whatever happened: who cannot be summed holds up nobody */
    if (walk->failed.code == OK)
        walk->failed = turn.failed;
    *more = status == OK;
    return status;
}

/* The audience of a site: anonymous visits, counted by day and by what the policy declares of them. */
#include "domain/usage/audience.h"
#include "base/calendar.h"
#include "domain/core/ctx.h"
#include "domain/core/feature.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/person/person.h"
#include "policy/due.h"
#include <stdlib.h>

enum { MIN_GROUP = 10, KEY_MAX = 200 };
static const text table = TEXT_INIT("audience");

/* ---- What is counted. ---- */

static bool of_consent(const struct policy *p, const struct category *cat)
{
    for (unsigned i = 0; i < p->purpose_count; i++)
        if (bits_has(&cat->purposes, i) && p->purposes[i].basis != BASIS_CONSENT)
            return false;
    return true;
}

int audience_category(const struct policy *p)
{
    for (unsigned i = 0; i < p->category_count; i++)
        if (text_eq(p->categories[i].stream, TEXT("audience")) && !of_consent(p, &p->categories[i]))
            return (int)i;
    return -1;
}

enum err audience_begin(struct audience *a, struct ctx *c, unsigned room)
{
    *a = (struct audience){ .c = c, .category = audience_category(c->policy), .room = room };
    a->rows = NEW_ARRAY(c->arena, struct seen, room + 1);
    return a->rows ? OK : ERR_MEMORY;
}

/* Under the first of these names that the category declares. */
static void put_told(const struct category *cat, struct json_out *w, const char *const *names, text value)
{
    int64_t number;
    for (; value.n && *names; names++) {
        int at = policy_field(cat, text_of(*names));
        if (at < 0)
            continue;
        if (cat->fields[at].type == FIELD_INTEGER && text_int(value, &number))
            json_pair_int(w, cat->fields[at].name, number);
        else
            json_pair(w, cat->fields[at].name, value);
        return;
    }
}

/* The category's own day or time is the day alone: `day` 0 leaves it out. */
static void put_day(struct ctx *c, const struct category *cat, struct json_out *w, msec at)
{
    char shown[TIME_TEXT + 1];
    struct date day = value_day(c, at);
    for (unsigned i = 0; i < cat->field_count; i++) {
        const struct field *f = &cat->fields[i];
        if (f->type == FIELD_DATE)
            json_pair(w, f->name, date_print(c->arena, day));
        if (f->type == FIELD_TIME)
            json_pair(w, f->name, time_text(value_day_start(c, day), shown));
    }
}

void visit_put(const struct category *cat, const struct visit *v, struct json_out *w)
{
    static const char *const page[] = { "page", "file", "path", NULL }, *const status[] = { "status", NULL },
                             *const browser[] = { "browser", NULL }, *const system[] = { "system", NULL };
    put_told(cat, w, page, v->page);
    put_told(cat, w, status, v->status);
    put_told(cat, w, browser, v->browser);
    put_told(cat, w, system, v->system);
}

static enum err told_of(const struct audience *a, msec at, const struct visit *v, bool with_day, text *out)
{
    const struct category *cat = &a->c->policy->categories[a->category];
    BUF_AUTO b = buf_make(1 << 17);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    if (with_day)
        put_day(a->c, cat, &w, at);
    visit_put(cat, v, &w);
    json_close(&w, '}');
    return buf_take(a->c->arena, &b, out);
}

/* The policy's term, and never longer than the law's. */
static msec due_of(const struct audience *a, msec at)
{
    const struct category *cat = &a->c->policy->categories[a->category];
    msec day = date_days(value_day(a->c, at)) * DAY; /* terms end at 00:00 UTC of their last day */
    struct starts starts = { .collection = day, .event = day };
    msec due = cat->retention ? retention_due(cat->retention, &starts, false) : 0;
    msec last = due_after(day, (struct term){ .count = AUDIENCE_MONTHS, .unit = TERM_MONTHS });
    return due && due < last ? due : last;
}

enum err audience_add(struct audience *a, msec at, const struct visit *v, bool *counted)
{
    struct ctx *c = a->c;
    const struct json *fields;
    text whole;
    struct seen one = { .day = date_days(value_day(c, at)), .due = due_of(a, at), .views = 1 };
    *counted = one.due > c->now;
    if (!*counted)
        return OK;
    TRY(told_of(a, at, v, false, &one.told));
    for (unsigned i = 0; i < a->count; i++)
        if (a->rows[i].day == one.day && text_eq(a->rows[i].told, one.told)) {
            a->rows[i].views++;
            a->views++;
            return OK;
        }
    TRY(told_of(a, at, v, true, &whole));
    TRY(json_parse(c->arena, whole, &fields));
    TRY(value_take_category(c, &c->policy->categories[a->category], &fields, NULL));
    a->rows[a->count++] = one;
    a->views++;
    return OK;
}

/* ---- The commit. ---- */

enum err audience_seal(struct audience *a)
{
    struct ctx *c = a->c;
    if (!a->count)
        return OK;
    text field = arena_print(c->arena, "audience/%.*s", T(c->policy->categories[a->category].name));
    TRY_PTR(field.p);
    for (unsigned i = 0; i < a->count; i++) {
        struct seen *s = &a->rows[i];
        digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, field, s->told, &s->digest);
        TRY(written_seal(ctx_store(c), c->arena, c->tenant, table, s->told, &s->kept));
    }
    return OK;
}

static enum err put_row(struct db *db, const struct audience *a, const struct seen *s)
{
    const struct ctx *c = a->c;
    return db_run(db, SQL_AUDIENCE_ADD, NULL,
                  ARGS(V_TEXT(c->tenant), V_TEXT(c->policy->categories[a->category].name), V_INT(s->day),
                       V_BYTES(TEXT_BYTES(s->digest)), V_TEXT(s->kept), V_INT(s->due), V_INT(s->views)));
}

enum err audience_run(struct db *db, const struct audience *a)
{
    for (unsigned i = 0; i < a->count; i++)
        TRY(put_row(db, a, &a->rows[i]));
    return OK;
}

/* ---- What is shown. ---- */

struct sight {
    text key;
    int64_t views;
};
struct counted {
    struct ctx *c;
    const struct category *cat;
    text by;
    int64_t min_group, from, to; /* days */
    struct sight *keys;
    unsigned count, room;
    int64_t views;
};

static enum err count_key(struct counted *f, text key, int64_t views)
{
    f->views += views;
    for (unsigned i = 0; i < f->count; i++)
        if (text_eq(f->keys[i].key, key)) {
            f->keys[i].views += views;
            return OK;
        }
    if (f->count == f->room) {
        unsigned more = f->room ? 2 * f->room : 64;
        struct sight *wider = NEW_ARRAY(f->c->arena, struct sight, more);
        TRY_PTR(wider);
        if (f->count)
            memcpy(wider, f->keys, f->count * sizeof *wider);
        f->keys = wider;
        f->room = more;
    }
    f->keys[f->count++] = (struct sight){ arena_copy(f->c->arena, key), views };
    return arena_whole(f->c->arena);
}

static enum err count_row(struct counted *f, int64_t day, text kept, int64_t views)
{
    ARENA_AUTO a = arena_make(1 << 20);
    const struct json *told;
    text clear;
    if (text_eq(f->by, TEXT("day")))
        return count_key(f, date_print(f->c->arena, date_of_days(day)), views);
    TRY(written_open(ctx_store(f->c), &a, f->c->tenant, table, kept, &clear));
    TRY(json_parse(&a, clear, &told));
    const struct json *v = json_get(told, f->by);
    return count_key(f, text_upto(v ? v->value : TEXT(""), KEY_MAX), views);
}

static enum err count_rows(struct counted *f)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(f->c), f->c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_AUDIENCE_OF,
                ARGS(V_TEXT(f->c->tenant), V_TEXT(f->cat->name), V_INT(f->from), V_INT(f->to)));
    while (query_next(&q))
        TRY(count_row(f, query_get(&q, AUDIENCE_OF, day), query_get(&q, AUDIENCE_OF, kept),
                      query_get(&q, AUDIENCE_OF, n)));
    return q.status;
}

static int by_key(const void *a, const void *b)
{
    const struct sight *x = a, *y = b;
    return text_cmp(x->key, y->key);
}

static enum err take_month(struct counted *f, text month)
{
    struct date first;
    char said[16];
    snprintf(said, sizeof said, "%.7s-01", month.n == 7 ? month.p : "");
    if (month.n != 7 || !date_parse(text_of(said), &first))
        return say(f->c->arena, ERR_VALUE, "\"month\" is a month as in 2026-10");
    f->from = date_days(first);
    f->to = date_days(date_add_months(first, 1));
    return value_day_start(f->c, date_of_days(f->to)) <= f->c->now
               ? OK
               : say(f->c->arena, ERR_VALUE, "figures are of months that are over");
}

static enum err take_asked(struct counted *f, text purpose, text by)
{
    struct ctx *c = f->c;
    int index = audience_category(c->policy), of = policy_purpose(c->policy, purpose);
    bool uses = index >= 0 && of >= 0 && (unsigned)of < c->policy->purpose_count &&
                bits_has(&c->policy->purposes[of].categories, (unsigned)index);
    if (!uses)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                          "the purpose uses no category of stream \"audience\"");
    f->cat = &c->policy->categories[index];
    f->by = by;
    const struct node *own = node_get(node_get(c->policy->root, TEXT("purposes")), purpose);
    if (!text_int(node_text(own, TEXT("min_group")), &f->min_group))
        f->min_group = MIN_GROUP;
    return text_eq(by, TEXT("day")) || policy_field(f->cat, by) >= 0
               ? OK
               : say_clause(c->arena, ERR_UNDECLARED, &f->cat->clause, "category \"%.*s\" has nothing of that name",
                            T(f->cat->name));
}

static void put_keys(const struct counted *f, struct json_out *w)
{
    int64_t others = 0;
    json_name(w, TEXT("rows"));
    json_open(w, '[');
    for (unsigned i = 0; i < f->count; i++) {
        if (f->keys[i].views < f->min_group) {
            others += f->keys[i].views;
            continue;
        }
        json_open(w, '{');
        json_pair(w, TEXT("key"), f->keys[i].key);
        json_pair_int(w, TEXT("views"), f->keys[i].views);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_pair_int(w, TEXT("others"), others);
    json_pair_int(w, TEXT("views"), f->views);
}

enum err audience_figures(struct ctx *c, text purpose, text by, text month, struct answer *out)
{
    struct counted f = { .c = c };
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    TRY(take_asked(&f, purpose, by));
    TRY(take_month(&f, month));
    TRY(person_allow(c, NULL, purpose, NULL, ACT_READ));
    TRY(count_rows(&f));
    if (f.count)
        qsort(f.keys, f.count, sizeof *f.keys, by_key);
    json_open(&w, '{');
    json_pair(&w, TEXT("purpose"), purpose);
    json_pair(&w, TEXT("by"), by);
    json_pair(&w, TEXT("month"), month);
    json_pair_int(&w, TEXT("min_group"), f.min_group);
    put_keys(&f, &w);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- What time brings. ---- */

static enum err run_over(struct db *db, struct write *w)
{
    const msec *now = w->arg;
    return db_run(db, SQL_AUDIENCE_END, NULL, ARGS(V_INT(*now)));
}

enum err audience_tick(struct ctx *c)
{
    return feature_end_over(c, SQL_AUDIENCE_OVER, run_over, TEXT("audience.over"));
}

/* Figures of use, for staff: a table of one month, and the same as CSV. */
#include "base/file/csv.h"
#include "base/calendar.h"
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "domain/usage/audience.h"
#include "domain/usage/usage.h"
#include "front/door/front.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

static const text columns[] = { TEXT_INIT("key"),    TEXT_INIT("people"),        TEXT_INIT("events"),
                                TEXT_INIT("errors"), TEXT_INIT("downloads"),     TEXT_INIT("p50"),
                                TEXT_INIT("p95"),    TEXT_INIT("people_before"), TEXT_INIT("events_before") };
enum { COLUMNS = sizeof columns / sizeof *columns };

/* ---- As CSV. ---- */

static void put_line(struct buf *b, const struct json *row)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        const struct json *v = json_get(row, columns[i]);
        if (i)
            buf_char(b, ',');
        csv_put(b, v && v->kind != J_NULL ? v->value : TEXT(""));
    }
    buf_add(b, TEXT("\r\n"));
}

/* The rows and, last, all of them together; what is not shown is empty. */
static enum err as_csv(struct ctx *c, const struct answer *figures, struct answer *out)
{
    const struct json *all;
    TRY(json_parse(c->arena, figures->body, &all));
    BUF_AUTO b = buf_make(8 << 20);
    for (size_t i = 0; i < COLUMNS; i++) {
        if (i)
            buf_char(&b, ',');
        csv_put(&b, columns[i]);
    }
    buf_add(&b, TEXT("\r\n"));
    JSON_EACH(row, json_get(all, TEXT("rows")))
        put_line(&b, row);
    put_line(&b, json_get(all, TEXT("all")));
    *out = (struct answer){ .media_type = TEXT("text/csv; charset=utf-8"), .file_name = TEXT("usage.csv") };
    return buf_take(c->arena, &b, &out->body);
}

static enum err reply_csv(struct ctx *c, const struct request *q, struct reply *r, text purpose, text by, text month)
{
    struct answer figures = { 0 }, table;
    TRY(usage_figures(c, purpose, by, month, &figures));
    TRY(as_csv(c, &figures, &table));
    return reply_answer(c, q, r, &table);
}

enum err api_usage_figures_csv(struct ctx *c, const struct request *q, struct reply *r)
{
    return reply_csv(c, q, r, request_query(q, TEXT("purpose")), request_query(q, TEXT("by")),
                     request_query(q, TEXT("month")));
}

/* ---- As a page. ---- */

#define SENT(name) json_text(q->json, TEXT(name))

/* What a row counts, in words: a day, a choice of a field; other names stand as they are. */
static text key_words(struct ctx *c, text key)
{
    struct date d;
    return date_parse(key, &d) ? doc_time(c, key) : doc_choice(c, NULL, key);
}

static void put_rows(struct page *p, const struct json *list)
{
    json_name(&p->w, TEXT("rows"));
    json_open(&p->w, '[');
    JSON_EACH(row, json_get(list, TEXT("rows"))) {
        json_open(&p->w, '{');
        for (size_t i = 0; i < COLUMNS; i++)
            page_copy(p, row, columns[i]);
        json_pair(&p->w, TEXT("says"), key_words(p->c, json_text(row, TEXT("key"))));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_name(&p->w, TEXT("all"));
    if (list)
        json_put(&p->w, json_get(list, TEXT("all")));
    else
        json_put_null(&p->w);
    page_copy(p, list, TEXT("hidden"));
    page_copy(p, list, TEXT("min_group"));
}

static void put_choice(struct page *p, text code, text word, text says)
{
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("code"), code);
    json_pair(&p->w, TEXT("word"), word);
    json_pair(&p->w, TEXT("says"), says);
    json_pair_bool(&p->w, TEXT("chosen"), text_eq(code, json_text(p->q->json, TEXT("by"))));
    json_close(&p->w, '}');
}

/* What events tell, and what the policy knows of people as one of a few choices. */
static void put_choices(struct page *p)
{
    static const text words[] = { TEXT_INIT("day"),    TEXT_INIT("page"),    TEXT_INIT("action"),
                                  TEXT_INIT("person"), TEXT_INIT("company"), TEXT_INIT("site") };
    const struct policy *policy = p->c->policy;
    json_name(&p->w, TEXT("choices"));
    json_open(&p->w, '[');
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        put_choice(p, words[i], words[i], (text){ NULL, 0 });
    for (unsigned i = 0; i < policy->category_count; i++)
        for (unsigned k = 0; k < policy->categories[i].field_count && !policy->categories[i].many; k++) {
            const struct category *cat = &policy->categories[i];
            const struct field *f = &cat->fields[k];
            if (f->type == FIELD_CHOICE)
                put_choice(p, arena_print(p->c->arena, "%.*s.%.*s", T(cat->name), T(f->name)), TEXT("day"),
                           doc_field(p->c, cat, f->name));
        }
    json_close(&p->w, ']');
}

/* Months that are over, the newest first. */
static void put_months(struct page *p)
{
    enum { MONTHS_OFFERED = 24 };
    struct date first = value_day(p->c, p->c->now);
    first.day = 1;
    json_name(&p->w, TEXT("months"));
    json_open(&p->w, '[');
    for (int i = 1; i <= MONTHS_OFFERED; i++) {
        text code = text_upto(date_print(p->c->arena, date_add_months(first, -i)), 7);
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("code"), code);
        json_pair(&p->w, TEXT("says"), doc_month(p->c, code));
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(code, json_text(p->q->json, TEXT("month"))));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

/* `list` NULL: nothing is shown yet. */
static enum err usage_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                           const struct json *list)
{
    static const text kept[] = { TEXT_INIT("reason"), TEXT_INIT("month"), TEXT_INIT("purpose"), TEXT_INIT("by") };
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_usage"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    staff_purposes(&p, ACT_READ, -1, SENT("purpose"));
    put_choices(&p);
    put_months(&p);
    json_pair(&p.w, TEXT("month_said"), doc_month(c, SENT("month")));
    json_pair_bool(&p.w, TEXT("shown"), list != NULL);
    json_pair_bool(&p.w, TEXT("audience"), audience_category(c->policy) >= 0);
    put_rows(&p, list);
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_usage(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return usage_page(c, q, r, &fine, NULL);
}

static enum err look(struct ctx *c, const struct request *q, const struct json **list)
{
    struct answer figures = { 0 };
    TRY(staff_reason(c, q));
    TRY(usage_figures(c, SENT("purpose"), SENT("by"), text_trim(SENT("month")), &figures));
    return json_parse(c->arena, figures.body, list);
}

enum err api_staff_usage_look(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *list = NULL;
    struct staff_outcome o = staff_outcome(c, look(c, q, &list));
    return o.status == OK || staff_again(o.status) ? usage_page(c, q, r, &o, list) : o.status;
}

enum err api_staff_usage_csv(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(staff_reason(c, q));
    return reply_csv(c, q, r, SENT("purpose"), SENT("by"), text_trim(SENT("month")));
}

/* ---- Anonymous visits: how often pages were seen, above the least group. ---- */

static void put_audience_choices(struct page *p, int category)
{
    const struct category *cat = category >= 0 ? &p->c->policy->categories[category] : NULL;
    json_name(&p->w, TEXT("choices"));
    json_open(&p->w, '[');
    put_choice(p, TEXT("day"), TEXT("day"), (text){ NULL, 0 });
    for (unsigned i = 0; cat && i < cat->field_count; i++)
        if (!text_eq(cat->fields[i].name, TEXT("day")))
            put_choice(p, cat->fields[i].name, TEXT("day"), doc_field(p->c, cat, cat->fields[i].name));
    json_close(&p->w, ']');
}

static void put_visits(struct page *p, const struct json *list)
{
    static const text totals[] = { TEXT_INIT("others"), TEXT_INIT("views"), TEXT_INIT("min_group") };
    json_name(&p->w, TEXT("rows"));
    json_open(&p->w, '[');
    JSON_EACH(row, json_get(list, TEXT("rows"))) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("says"), key_words(p->c, json_text(row, TEXT("key"))));
        page_copy(p, row, TEXT("views"));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
        page_copy(p, list, totals[i]);
}

static enum err audience_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                              const struct json *list)
{
    static const text kept[] = { TEXT_INIT("reason"), TEXT_INIT("month"), TEXT_INIT("purpose"), TEXT_INIT("by") };
    int category = audience_category(c->policy);
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_audience"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    json_pair_bool(&p.w, TEXT("counts"), category >= 0);
    staff_purposes(&p, ACT_READ, category, SENT("purpose"));
    put_audience_choices(&p, category);
    put_months(&p);
    json_pair(&p.w, TEXT("month_said"), doc_month(c, SENT("month")));
    json_pair_bool(&p.w, TEXT("shown"), list != NULL);
    put_visits(&p, list);
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_audience(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return audience_page(c, q, r, &fine, NULL);
}

static enum err audience_look(struct ctx *c, const struct request *q, const struct json **list)
{
    struct answer figures = { 0 };
    TRY(staff_reason(c, q));
    TRY(audience_figures(c, SENT("purpose"), SENT("by"), text_trim(SENT("month")), &figures));
    return json_parse(c->arena, figures.body, list);
}

enum err api_staff_audience_look(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *list = NULL;
    struct staff_outcome o = staff_outcome(c, audience_look(c, q, &list));
    return o.status == OK || staff_again(o.status) ? audience_page(c, q, r, &o, list) : o.status;
}

/* What was seen less often stands together in the line "others", everything in the last, "all". */
enum err api_staff_audience_csv(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *list = NULL;
    struct answer table = { .media_type = TEXT("text/csv; charset=utf-8"), .file_name = TEXT("visits.csv") };
    BUF_AUTO b = buf_make(8 << 20);
    TRY(audience_look(c, q, &list));
    buf_add(&b, TEXT("key,views\r\n"));
    JSON_EACH(row, json_get(list, TEXT("rows"))) {
        csv_put(&b, json_text(row, TEXT("key")));
        buf_char(&b, ',');
        csv_put(&b, json_get(row, TEXT("views"))->value);
        buf_add(&b, TEXT("\r\n"));
    }
    buf_print(&b, "others,%.*s\r\nall,%.*s\r\n", T(json_get(list, TEXT("others"))->value),
              T(json_get(list, TEXT("views"))->value));
    TRY(buf_take(c->arena, &b, &table.body));
    return reply_answer(c, q, r, &table);
}

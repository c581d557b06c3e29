/* The desk: a page for staff, the same for programs, and a calendar. */
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/desk/desk.h"
#include "front/door/front.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

/* An address begins in the template; what is behind its last slash is the row's own. */
static void put_where(struct page *p, text path)
{
    static const struct {
        text name, begins;
    } places[] = { { TEXT_INIT("breach"), TEXT_INIT("/staff/breaches/") },
                   { TEXT_INIT("request"), TEXT_INIT("/staff/requests/") },
                   { TEXT_INIT("person"), TEXT_INIT("/staff/people/") },
                   { TEXT_INIT("recipient"), TEXT_INIT("/staff/recipients/") },
                   { TEXT_INIT("authority"), TEXT_INIT("/staff/authorities/") },
                   { TEXT_INIT("version"), TEXT_INIT("/privacy/versions/") } };
    text key = TEXT("");
    json_name(&p->w, TEXT("to"));
    json_open(&p->w, '{');
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        bool there = text_starts(path, places[i].begins);
        json_pair_bool(&p->w, places[i].name, there);
        if (there)
            key = text_from(path, places[i].begins.n);
    }
    if (text_ends(key, TEXT("/told")))
        key = text_upto(key, key.n - text_of("/told").n);
    json_pair_bool(&p->w, TEXT("breaches"), text_eq(path, TEXT("/staff/breaches")));
    json_pair_bool(&p->w, TEXT("people"), text_eq(path, TEXT("/staff/people")));
    json_pair_bool(&p->w, TEXT("promises"), text_eq(path, TEXT("/promises")));
    json_close(&p->w, '}');
    json_pair(&p->w, TEXT("key"), key);
}

static void put_item(struct page *p, const struct json *item)
{
    int64_t left = 0;
    bool dated = json_int(json_get(item, TEXT("days_left")), &left);
    static const text copied[] = { TEXT_INIT("title"), TEXT_INIT("reference"), TEXT_INIT("due"), TEXT_INIT("days_left"),
                                   TEXT_INIT("count") };
    json_open(&p->w, '{');
    put_where(p, json_text(item, TEXT("path")));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        page_copy(p, item, copied[i]);
    json_pair_bool(&p->w, TEXT("late"), text_eq(json_text(item, TEXT("severity")), TEXT("late")));
    json_pair_bool(&p->w, TEXT("dated"), dated);
    json_pair_bool(&p->w, TEXT("today"), dated && left == 0);
    json_pair_bool(&p->w, TEXT("left"), dated && left > 0);
    json_close(&p->w, '}');
}

/* ---- Pictures of the months: a slot each, and in it a bar a figure. ---- */

enum { HEIGHT = 100, SLOT = 30, MARK = 2 };

struct chart {
    struct page *p;
    const struct json *months;
    int64_t top;
};
struct bar {
    const char *class;
    int x, width;
    text figure;
    bool mark; /* a line at its height, in place of a bar up to it */
};

static int64_t figure_of(const struct json *month, text figure)
{
    int64_t n = 0;
    json_int(json_get(month, figure), &n);
    return n;
}

static void raise_top(struct chart *g, text figure)
{
    JSON_EACH(month, g->months)
        if (figure_of(month, figure) > g->top)
            g->top = figure_of(month, figure);
}

static void put_bar(const struct chart *g, const struct bar *bar, const struct json *month, int slot)
{
    struct json_out *w = &g->p->w;
    int64_t n = figure_of(month, bar->figure), height = HEIGHT * n / g->top;
    if (!n)
        return;
    json_open(w, '{');
    json_pair(w, TEXT("class"), text_of(bar->class));
    json_pair_int(w, TEXT("x"), slot * SLOT + bar->x);
    json_pair_int(w, TEXT("width"), bar->width);
    json_pair_int(w, TEXT("y"), HEIGHT - (height ? height : 1));
    json_pair_int(w, TEXT("height"), bar->mark ? MARK : height ? height : 1);
    json_pair(w, TEXT("month"), doc_month(g->p->c, json_text(month, TEXT("month"))));
    json_pair_int(w, TEXT("n"), n);
    json_close(w, '}');
}

/* Members `name`: {"some", "top", "bars"}, higher bars before those that stand in front of them. */
static void put_chart(struct page *p, const struct json *months, text name, const struct bar *bars, unsigned count)
{
    struct chart g = { .p = p, .months = months };
    for (unsigned i = 0; i < count; i++)
        raise_top(&g, bars[i].figure);
    json_name(&p->w, name);
    json_open(&p->w, '{');
    json_pair_int(&p->w, TEXT("top"), g.top);
    json_name(&p->w, TEXT("bars"));
    json_open(&p->w, '[');
    int slot = 0;
    if (g.top)
        JSON_EACH(month, months) {
            for (unsigned i = 0; i < count; i++)
                put_bar(&g, &bars[i], month, slot);
            slot++;
        }
    json_close(&p->w, ']');
    json_close(&p->w, '}');
}

static void put_months(struct page *p, const struct json *months)
{
    static const text figures[] = { TEXT_INIT("requests"), TEXT_INIT("answered"), TEXT_INIT("late"),
                                    TEXT_INIT("days"),     TEXT_INIT("longest"),  TEXT_INIT("limit"),
                                    TEXT_INIT("given"),    TEXT_INIT("withdrawn") };
    json_name(&p->w, TEXT("months"));
    json_open(&p->w, '[');
    JSON_EACH(month, months) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("month"), doc_month(p->c, json_text(month, TEXT("month"))));
        for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
            page_copy(p, month, figures[i]);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static bool any_of(const struct json *months, text figure)
{
    bool any = false;
    JSON_EACH(month, months)
        any |= figure_of(month, figure) > 0;
    return any;
}

static void put_pictures(struct page *p, const struct json *months)
{
    static const struct bar load[] = { { "", 6, 18, TEXT_INIT("requests"), false },
                                       { "late", 6, 18, TEXT_INIT("late"), false } };
    static const struct bar time[] = { { "", 6, 18, TEXT_INIT("days"), false },
                                       { "high", 6, 18, TEXT_INIT("longest"), true },
                                       { "limit", 0, SLOT, TEXT_INIT("limit"), true } };
    static const struct bar agreed[] = { { "", 4, 11, TEXT_INIT("given"), false },
                                         { "other", 15, 11, TEXT_INIT("withdrawn"), false } };
    bool asked = any_of(months, TEXT("requests")), answered = any_of(months, TEXT("answered"));
    bool decided = any_of(months, TEXT("given")) || any_of(months, TEXT("withdrawn"));
    text first = TEXT(""), last = TEXT("");
    JSON_EACH(month, months) {
        last = doc_month(p->c, json_text(month, TEXT("month")));
        first = first.n ? first : last;
    }
    json_pair(&p->w, TEXT("first_month"), first);
    json_pair(&p->w, TEXT("last_month"), last);
    json_pair_bool(&p->w, TEXT("asked"), asked);
    json_pair_bool(&p->w, TEXT("responded"), answered);
    json_pair_bool(&p->w, TEXT("decided"), decided);
    json_pair_bool(&p->w, TEXT("quiet"), !asked && !decided);
    put_months(p, months);
    put_chart(p, months, TEXT("load"), load, 2);
    put_chart(p, months, TEXT("time"), time, 3);
    put_chart(p, months, TEXT("agreed"), agreed, 2);
}

enum err api_staff_desk(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *desk;
    TRY(staff_open(c, q, TEXT("staff_desk"), &p)); /* takes the language */
    TRY(desk_show(c, &answer));
    TRY(json_parse(c->arena, answer.body, &desk));
    const struct json *items = json_get(desk, TEXT("items"));
    json_pair_bool(&p.w, TEXT("some"), items && items->count);
    json_name(&p.w, TEXT("items"));
    json_open(&p.w, '[');
    JSON_EACH(item, items)
        put_item(&p, item);
    json_close(&p.w, ']');
    page_copy(&p, desk, TEXT("counts"));
    page_copy(&p, desk, TEXT("calm"));
    page_copy(&p, desk, TEXT("more"));
    put_pictures(&p, json_get(desk, TEXT("months")));
    text feed = json_text(desk, TEXT("feed"));
    json_pair(&p.w, TEXT("feed"), text_from(feed, text_of("/desk/").n));
    json_pair(&p.w, TEXT("address"), arena_print(c->arena, "%s%.*s", c->app->public_url, T(feed)));
    return page_show(&p, r, 200);
}

HANDLER(desk_show, desk_show(c, &answer))
HANDLER(desk_calendar, desk_calendar(c, &answer))
HANDLER(desk_feed, desk_feed(c, q->params[0], &answer))

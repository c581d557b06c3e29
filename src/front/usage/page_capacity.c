/* Load of the servers, for staff: a picture of each day's busiest hour and of what is expected; the same in tables. */
#include "domain/core/named.h"
#include "domain/usage/capacity.h"
#include "front/door/front.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

enum { WIDTH = 720, HEIGHT = 220, HOURS = 24, WEEKDAYS = 7 };
static const text measures[] = { TEXT_INIT("events"), TEXT_INIT("requests"), TEXT_INIT("response"),
                                 TEXT_INIT("storage") };

struct shown {
    struct page *p;
    const struct json *told;
    text unit;
    int64_t top;   /* of the picture */
    unsigned days; /* of history and forecast together */
};

static int64_t number(const struct json *row, text name)
{
    int64_t n = 0;
    json_int(json_get(row, name), &n);
    return n;
}

/* As people read it: milliseconds with a tenth, whole megabytes, or the number itself. */
static text said(const struct shown *s, int64_t n)
{
    struct arena *a = s->p->c->arena;
    if (text_eq(s->unit, TEXT("bytes")))
        return arena_print(a, "%lld", (long long)((n + 500000) / 1000000));
    if (!text_eq(s->unit, TEXT("microseconds")))
        return arena_print(a, "%lld", (long long)n);
    int64_t tenths = (n + 50) / 100;
    bool french = text_eq(s->p->c->language, TEXT("fr"));
    return arena_print(a, "%lld%c%lld", (long long)(tenths / 10), french ? ',' : '.', (long long)(tenths % 10));
}

static void put_said(const struct shown *s, const struct json *row, text name)
{
    json_pair(&s->p->w, name, said(s, number(row, name)));
}

/* ---- The picture. ---- */

static void find_top(struct shown *s)
{
    s->top = 1;
    JSON_EACH(row, json_get(s->told, TEXT("days"))) {
        s->days++;
        if (number(row, TEXT("most")) > s->top)
            s->top = number(row, TEXT("most"));
    }
    JSON_EACH(row, json_get(s->told, TEXT("days_ahead"))) {
        s->days++;
        if (number(row, TEXT("high")) > s->top)
            s->top = number(row, TEXT("high"));
    }
}

static void add_point(const struct shown *s, struct buf *b, unsigned day, int64_t n)
{
    double x = s->days > 1 ? (double)WIDTH * day / (s->days - 1) : 0;
    double y = HEIGHT - (double)HEIGHT * (double)n / (double)s->top;
    buf_print(b, "%s%.1f,%.1f", b->n ? " " : "", x, y);
}

static void add_points(const struct shown *s, struct buf *b, text list, text name, unsigned from)
{
    JSON_EACH(row, json_get(s->told, list))
        add_point(s, b, from++, number(row, name));
}

/* The band: its upper side forward, and its lower side back. */
static void add_band(const struct shown *s, struct buf *b, unsigned from)
{
    const struct json *list = json_get(s->told, TEXT("days_ahead"));
    int64_t *low = NEW_ARRAY(s->p->c->arena, int64_t, list ? list->count + 1 : 1);
    unsigned count = 0;
    if (!low)
        return; /* the arena says so when the page is shown */
    JSON_EACH(row, list) {
        add_point(s, b, from + count, number(row, TEXT("high")));
        low[count++] = number(row, TEXT("low"));
    }
    while (count-- > 0)
        add_point(s, b, from + count, low[count]);
}

static void put_points(const struct shown *s, text name, struct buf *b)
{
    json_pair(&s->p->w, name, buf_made(s->p->c->arena, b));
}

static void put_limit(const struct shown *s)
{
    int64_t limit;
    bool known = json_int(json_get(s->told, TEXT("limit")), &limit);
    bool inside = known && limit <= s->top;
    json_pair(&s->p->w, TEXT("limit"), known ? said(s, limit) : TEXT(""));
    json_pair_bool(&s->p->w, TEXT("limit_drawn"), inside);
    json_pair_int(&s->p->w, TEXT("limit_y"), inside ? HEIGHT - HEIGHT * limit / s->top : 0);
}

static void put_picture(struct shown *s)
{
    const struct json *days = json_get(s->told, TEXT("days"));
    unsigned known = days ? days->count : 0;
    BUF_AUTO past = buf_make(1 << 16);
    BUF_AUTO ahead = buf_make(1 << 16);
    BUF_AUTO band = buf_make(1 << 16);
    find_top(s);
    add_points(s, &past, TEXT("days"), TEXT("most"), 0);
    add_points(s, &ahead, TEXT("days_ahead"), TEXT("value"), known);
    add_band(s, &band, known);
    put_points(s, TEXT("past"), &past);
    put_points(s, TEXT("ahead"), &ahead);
    put_points(s, TEXT("band"), &band);
    json_pair(&s->p->w, TEXT("top"), said(s, s->top));
    json_pair_bool(&s->p->w, TEXT("drawn"), known > 1);
    put_limit(s);
}

/* ---- The tables. ---- */

static void put_days(const struct shown *s, text list, bool ahead)
{
    struct json_out *w = &s->p->w;
    json_name(w, list);
    json_open(w, '[');
    JSON_EACH(row, json_get(s->told, list)) {
        json_open(w, '{');
        page_copy(s->p, row, TEXT("day"));
        page_copy(s->p, row, TEXT("at"));
        put_said(s, row, ahead ? TEXT("value") : TEXT("most"));
        if (ahead) {
            put_said(s, row, TEXT("low"));
            put_said(s, row, TEXT("high"));
        }
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* A row an hour, a column a weekday; empty where nothing was measured. */
static void put_week(const struct shown *s)
{
    struct json_out *w = &s->p->w;
    text cells[HOURS][WEEKDAYS] = { { { NULL, 0 } } };
    JSON_EACH(cell, json_get(s->told, TEXT("weekdays")))
        cells[number(cell, TEXT("hour"))][number(cell, TEXT("weekday")) - 1] = said(s, number(cell, TEXT("mean")));
    json_name(w, TEXT("week"));
    json_open(w, '[');
    for (unsigned hour = 0; hour < HOURS; hour++) {
        json_open(w, '{');
        json_pair(w, TEXT("hour"), arena_print(s->p->c->arena, "%02u:00", hour));
        json_name(w, TEXT("cells"));
        json_open(w, '[');
        for (unsigned day = 0; day < WEEKDAYS; day++) {
            json_open(w, '{');
            json_pair_int(w, TEXT("weekday"), day + 1);
            json_pair(w, TEXT("mean"), cells[hour][day].p ? cells[hour][day] : TEXT(""));
            json_close(w, '}');
        }
        json_close(w, ']');
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_trial(const struct shown *s)
{
    struct json_out *w = &s->p->w;
    const struct json *trial = json_get(s->told, TEXT("trial"));
    json_name(w, TEXT("trial"));
    if (!trial) {
        json_put_null(w);
        return;
    }
    json_open(w, '{');
    page_copy(s->p, trial, TEXT("points"));
    page_copy(s->p, trial, TEXT("inside"));
    put_said(s, trial, TEXT("error"));
    put_said(s, trial, TEXT("naive"));
    json_close(w, '}');
}

static void put_measures(const struct shown *s)
{
    struct json_out *w = &s->p->w;
    json_name(w, TEXT("measures"));
    json_open(w, '[');
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        json_open(w, '{');
        json_pair(w, TEXT("code"), measures[i]);
        json_pair_bool(w, TEXT("chosen"), text_eq(measures[i], json_text(s->told, TEXT("measure"))));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_standing(const struct shown *s)
{
    static const text copied[] = { TEXT_INIT("measure"), TEXT_INIT("unit"), TEXT_INIT("alarm"), TEXT_INIT("weeks"),
                                   TEXT_INIT("weeks_needed") };
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        page_copy(s->p, s->told, copied[i]);
    json_pair_bool(&s->p->w, TEXT("alarmed"), !text_eq(json_text(s->told, TEXT("alarm")), TEXT("fine")));
    json_pair(&s->p->w, TEXT("reaches"), json_text(s->told, TEXT("reaches")));
    json_pair_bool(&s->p->w, TEXT("forecast"), json_get(s->told, TEXT("forecast")) != NULL);
}

enum err api_staff_capacity(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    PAGE_AUTO p = { 0 };
    struct shown s = { .p = &p };
    TRY(capacity_show(c, request_query(q, TEXT("measure")), &answer));
    TRY(json_parse(c->arena, answer.body, &s.told));
    s.unit = json_text(s.told, TEXT("unit"));
    TRY(staff_open(c, q, TEXT("staff_capacity"), &p));
    put_measures(&s);
    put_standing(&s);
    put_picture(&s);
    put_trial(&s);
    put_week(&s);
    put_days(&s, TEXT("days"), false);
    put_days(&s, TEXT("days_ahead"), true);
    return page_show(&p, r, 200);
}

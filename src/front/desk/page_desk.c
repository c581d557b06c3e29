/* The desk: a page for staff, the same for programs, and a calendar. */
#include "domain/core/instance.h"
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
    static const text copied[] = { TEXT_INIT("title"), TEXT_INIT("reference"), TEXT_INIT("due"),
                                   TEXT_INIT("days_left"), TEXT_INIT("count") };
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
    text feed = json_text(desk, TEXT("feed"));
    json_pair(&p.w, TEXT("feed"), text_from(feed, text_of("/desk/").n));
    json_pair(&p.w, TEXT("address"), arena_print(c->arena, "%s%.*s", c->app->public_url, T(feed)));
    return page_show(&p, r, 200);
}

HANDLER(desk_show, desk_show(c, &answer))
HANDLER(desk_calendar, desk_calendar(c, &answer))
HANDLER(desk_feed, desk_feed(c, q->params[0], &answer))

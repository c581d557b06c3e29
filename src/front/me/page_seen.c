/* What happened with a person's data: who looked, their sign-ins and use, and their rights on folders. */
#include "domain/rights/access.h"
#include "base/calendar.h"
#include "base/unicode.h"
#include "domain/core/named.h"
#include "domain/core/normal.h"
#include "domain/core/paging.h"
#include "domain/core/actor.h"
#include "domain/core/value.h"
#include "domain/usage/history.h"
#include "front/door/word.h"
#include "front/page/page_person.h"
#include <stdlib.h>

enum { SHOWN = 50, STRIP = 30 };

/* ---- A strip: how many of something on each of the last days, as bars. ---- */

struct strip {
    msec start, days[STRIP + 1];
    unsigned counts[STRIP], all;
};

/* By days of the controller's zone, of which one or two a year are an hour shorter or longer. */
static struct strip strip_of(const struct ctx *c)
{
    int64_t today = date_days(value_day(c, c->now));
    struct strip s = { .start = value_day_start(c, date_of_days(today - STRIP + 1)) };
    for (int i = 0; i <= STRIP; i++)
        s.days[i] = value_day_start(c, date_of_days(today - STRIP + 1 + i));
    return s;
}

static void strip_add(struct strip *s, msec at)
{
    for (unsigned i = 0; i < STRIP; i++)
        if (at >= s->days[i] && at < s->days[i + 1]) {
            s->counts[i]++;
            s->all++;
        }
}

static void put_strip(struct page *p, const struct strip *s)
{
    enum { HEIGHT = 60, STEP = 10 };
    unsigned most = 1;
    if (!s->all) {
        json_pair_bool(&p->w, TEXT("strip"), false);
        return;
    }
    for (unsigned i = 0; i < STRIP; i++)
        most = s->counts[i] > most ? s->counts[i] : most;
    json_name(&p->w, TEXT("strip"));
    json_open(&p->w, '{');
    json_pair_int(&p->w, TEXT("all"), s->all);
    json_pair(&p->w, TEXT("start"), time_print(p->c->arena, s->start));
    json_pair(&p->w, TEXT("end"), time_print(p->c->arena, p->c->now));
    json_name(&p->w, TEXT("bars"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < STRIP; i++) {
        unsigned height = s->counts[i] ? s->counts[i] * HEIGHT / most + (s->counts[i] * HEIGHT < most) : 2;
        json_open(&p->w, '{');
        json_pair_int(&p->w, TEXT("x"), i * STEP);
        json_pair_int(&p->w, TEXT("y"), HEIGHT - (int64_t)height);
        json_pair_int(&p->w, TEXT("height"), height);
        json_pair_bool(&p->w, TEXT("some"), s->counts[i] > 0);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_close(&p->w, '}');
}

/* ?page=: from 1. */
static enum err page_number(struct page *p, int64_t *out)
{
    text asked = request_query(p->q, TEXT("page"));
    *out = 1;
    if (asked.p && (!text_int(asked, out) || *out < 1 || *out > 1000000))
        return say(p->c->arena, ERR_USAGE, "the parameter \"page\" is a number from 1");
    return OK;
}

/* next: where a window behind this one begins; empty for the last. */
static void put_paging(struct page *p, int64_t number, int64_t all, text next)
{
    json_pair(&p->w, TEXT("next"), number * SHOWN < all ? TEXT("") : next);
    json_pair_int(&p->w, TEXT("all"), all);
    json_pair_int(&p->w, TEXT("earlier"), number * SHOWN < all ? number + 1 : 0);
    json_pair_int(&p->w, TEXT("later"), number > 1 ? number - 1 : 0);
}

/* ---- Who looked. ---- */

/* Of who is named in every journal alike, "nobody", "garant" or "person": the word who.NAME, else the policy's title.
 */
static text actor_title(struct ctx *c, text name)
{
    text own = word_find(arena_print(c->arena, "who.%.*s", T(name)), c->language);
    if (own.p)
        return own;
    int index = policy_actor(c->policy, name);
    if (index < 0)
        return name;
    const struct actor_class *a = &c->policy->actors[index];
    text title = doc_in(c, a->title_en, a->title_fr);
    return title.n ? title : name;
}

static text purpose_title(struct ctx *c, text name)
{
    int index = name.n ? policy_purpose(c->policy, name) : -1;
    text right = word_find(arena_print(c->arena, "for.%.*s", T(name)), c->language); /* of one's own rights */
    return index >= 0 ? doc_purpose(c, &c->policy->purposes[index]) : right.p ? right : name;
}

/* Purposes and categories stand in an entry as names with commas. */
static void put_titles(struct page *p, text name, text list, text (*title)(struct ctx *, text))
{
    BUF_AUTO b = buf_make(1 << 16);
    while (list.n) {
        text one = text_cut(&list, ',');
        if (one.n && b.n)
            buf_add(&b, TEXT(", "));
        buf_add(&b, one.n ? title(p->c, one) : one);
    }
    json_name(&p->w, name);
    json_put_text_of(&p->w, &b);
}

static text category_title(struct ctx *c, text name)
{
    int index = policy_category(c->policy, name);
    return index >= 0 ? doc_category(c, &c->policy->categories[index]) : name;
}

static void put_look(struct page *p, const struct json *look)
{
    struct json_out *w = &p->w;
    text clause = json_text(look, TEXT("clause"));
    json_open(w, '{');
    page_copy(p, look, TEXT("time"));
    page_text(p, TEXT("says"), json_text(look, TEXT("says")));
    json_pair(w, TEXT("actor"), actor_title(p->c, json_text(look, TEXT("actor"))));
    put_titles(p, TEXT("for_what"), json_text(look, TEXT("purpose")), purpose_title);
    put_titles(p, TEXT("data"), json_text(look, TEXT("categories")), category_title);
    json_pair_bool(w, TEXT("refused"), text_eq(json_text(look, TEXT("act")), TEXT("refusal")));
    json_pair(w, TEXT("clause"), clause);
    page_copy(p, look, TEXT("reason"));
    json_close(w, '}');
}

/* Whose doing it was: somebody who looked, whatever else was done (letters, changes, sign-ins that failed), or the
 * person. */
enum { WHO_LOOKED, WHO_DID, WHO_YOU, WHO_COUNT };
static const text who_names[WHO_COUNT] = { TEXT_INIT("others"), TEXT_INIT("done"), TEXT_INIT("you") };

static int who_of(const struct json *look)
{
    if (text_eq(json_text(look, TEXT("actor")), TEXT("person")))
        return WHO_YOU;
    text act = json_text(look, TEXT("act"));
    return doc_looked(act) || text_eq(act, TEXT("refusal")) ? WHO_LOOKED : WHO_DID;
}

static int who_asked(text name)
{
    for (int i = 0; i < WHO_COUNT; i++)
        if (text_eq(name, who_names[i]))
            return i;
    return name.p ? -1 : WHO_LOOKED;
}

static void put_looks(struct page *p, const struct json *looks, int who, int64_t number, text next)
{
    int64_t all = 0, from = (number - 1) * SHOWN;
    struct strip s = strip_of(p->c);
    json_name(&p->w, TEXT("looks"));
    json_open(&p->w, '[');
    JSON_EACH(look, looks) {
        if (who_of(look) != who)
            continue;
        strip_add(&s, file_time(look, TEXT("time")));
        if (all >= from && all < from + SHOWN)
            put_look(p, look);
        all++;
    }
    json_close(&p->w, ']');
    put_strip(p, &s);
    put_paging(p, number, all, next);
}

/* The pages are of the newest looks, or of those behind a place: so many at a time that a window has all of a month for
 * nearly everybody. */
static enum err looks_from(struct ctx *c, text after, const struct json **out)
{
    enum { WINDOW = 2000 };
    struct answer answer = { 0 };
    const struct paging asked = { .after = after.p ? after : TEXT(""), .limit = WINDOW };
    TRY(access_looks(c, session_self(c), &asked, &answer));
    return json_parse(c->arena, answer.body, out);
}

enum err api_looks_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    const struct json *file;
    int64_t number;
    text after = request_query(q, TEXT("after"));
    int who = who_asked(request_query(q, TEXT("who")));
    if (who < 0)
        return say(c->arena, ERR_USAGE, "the parameter \"who\" is others, done or you");
    TRY(page_open(c, q, TEXT("looks"), TEXT("me"), &p));
    TRY(page_number(&p, &number));
    TRY(looks_from(c, after, &file));
    page_problem(&p, NULL);
    json_pair_bool(&p.w, TEXT("others"), who == WHO_LOOKED);
    json_pair_bool(&p.w, TEXT("others_did"), who == WHO_DID);
    json_pair_bool(&p.w, TEXT("yours"), who == WHO_YOU);
    json_pair(&p.w, TEXT("who"), who_names[who]);
    json_pair(&p.w, TEXT("after"), after.p ? after : TEXT(""));
    put_looks(&p, json_get(file, TEXT("looks")), who, number, json_text(file, TEXT("next")));
    return page_show(&p, r, 200);
}

/* ---- Sign-ins and use: what the policy declares for it, under its own names. ---- */

static bool of_history(const struct category *cat)
{
    return text_eq(cat->stream, TEXT("logs")) || text_eq(cat->stream, TEXT("usage"));
}

/* Something of one category that happened, and the visit that it begins (from its newest end), if it does. */
struct happened {
    struct history_event *event;
    msec at;
    unsigned order, visit; /* visit: how many of it there are; 0 of those after its first */
};
struct asked_history {
    text of, find; /* find: folded */
    struct date day;
    bool has_day, wrong; /* wrong: what was typed is no day */
};
enum { VISIT_PAUSE = 30 * MINUTE };

static int newest_first(const void *a, const void *b)
{
    const struct happened *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? 1 : -1;
    return (x->order < y->order) - (x->order > y->order);
}

/* A value with its field's name, of {name: [value, source, time]}. */
static struct json value_of(const struct json *field)
{
    struct json v = { .kind = J_NULL };
    if (field->first)
        v = *field->first;
    v.key = field->key;
    return v;
}

/* Whether one of its values, as it is shown, has what is looked for; however it is written. */
static bool has_text(struct page *p, const struct category *cat, const struct happened *h, text find)
{
    JSON_EACH(field, h->event->fields) {
        struct json value = value_of(field);
        text shown = unicode_fold(p->c->arena, file_shown(p->c, cat, &value));
        if (shown.p && text_find(shown, find) >= 0)
            return true;
    }
    return false;
}

static enum err is_asked(struct page *p, const struct category *cat, const struct happened *h,
                         const struct asked_history *asked, bool *out)
{
    *out = !asked->has_day || date_days(value_day(p->c, h->at)) == date_days(asked->day);
    if (!*out || !asked->find.n)
        return OK;
    TRY(history_open(p->c, h->event));
    *out = has_text(p, cat, h, asked->find);
    return OK;
}

/* Events less than half an hour apart are one visit; only pages and files are visited. */
static void mark_visits(struct happened *list, unsigned count)
{
    for (unsigned i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && list[end - 1].at - list[end].at < VISIT_PAUSE; end++)
            list[end].visit = 0;
        list[i].visit = end - i;
    }
}

static unsigned count_with(const struct happened *list, unsigned count, text field, text value)
{
    unsigned n = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct json *v = json_get(list[i].event->fields, field);
        text held = v && v->first ? v->first->value : TEXT("");
        n += held.n && (!value.n || text_eq(held, value));
    }
    return n;
}

static enum err put_visit(struct page *p, const struct happened *list)
{
    for (unsigned i = 0; i < list->visit; i++)
        TRY(history_open(p->c, list[i].event));
    json_name(&p->w, TEXT("visit"));
    if (!list->visit) {
        json_put_null(&p->w);
        return OK;
    }
    msec took = list->at - list[list->visit - 1].at;
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("from"), time_print(p->c->arena, list[list->visit - 1].at));
    json_pair_int(&p->w, TEXT("minutes"), (took + MINUTE - 1) / MINUTE);
    json_pair_int(&p->w, TEXT("count"), list->visit);
    json_pair_int(&p->w, TEXT("downloads"), count_with(list, list->visit, TEXT("action"), TEXT("download")));
    json_pair_int(&p->w, TEXT("errors"), count_with(list, list->visit, TEXT("error"), TEXT("")));
    json_close(&p->w, '}');
    return OK;
}

static enum err put_event(struct page *p, const struct category *cat, const struct happened *h)
{
    TRY(history_open(p->c, h->event));
    json_open(&p->w, '{');
    TRY(put_visit(p, h));
    json_pair(&p->w, TEXT("time"), time_print(p->c->arena, h->at));
    json_name(&p->w, TEXT("facts"));
    json_open(&p->w, '[');
    JSON_EACH(field, h->event->fields) {
        const struct json value = value_of(field);
        if (text_eq(value.key, TEXT("at")) || !value.value.n)
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("title"), doc_field(p->c, cat, value.key));
        json_pair(&p->w, TEXT("value"), file_shown(p->c, cat, &value));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_close(&p->w, '}');
    return OK;
}

/* Newest first, those that are asked for; their days are those of all. */
static enum err put_events(struct page *p, const struct history *h, const struct category *cat, int64_t number,
                           const struct asked_history *asked)
{
    unsigned count = 0;
    struct happened *list = NEW_ARRAY(p->c->arena, struct happened, h->count + 1);
    struct strip s = strip_of(p->c);
    TRY_PTR(list);
    for (unsigned i = 0; i < h->count; i++) {
        struct happened one = { .event = &h->list[i], .at = h->list[i].at, .order = i };
        bool wanted;
        strip_add(&s, one.at);
        TRY(is_asked(p, cat, &one, asked, &wanted));
        if (wanted)
            list[count++] = one;
    }
    qsort(list, count, sizeof *list, newest_first);
    if (policy_field(cat, TEXT("page")) >= 0 || policy_field(cat, TEXT("file")) >= 0)
        mark_visits(list, count);
    put_strip(p, &s);
    put_paging(p, number, count, TEXT(""));
    json_name(&p->w, TEXT("events"));
    json_open(&p->w, '[');
    for (int64_t i = (number - 1) * SHOWN; i < count && i < number * SHOWN; i++)
        TRY(put_event(p, cat, &list[i]));
    json_close(&p->w, ']');
    return OK;
}

static enum err take_asked(struct page *p, struct asked_history *out)
{
    struct ctx *c = p->c;
    text day = text_trim(request_query(p->q, TEXT("day"))), find = text_trim(request_query(p->q, TEXT("find")));
    *out = (struct asked_history){ .of = request_query(p->q, TEXT("of")) };
    out->has_day = day.n && date_parse(normal_day(c, day), &out->day);
    out->wrong = day.n && !out->has_day;
    if (out->wrong)
        fault_add(p, TEXT("day"), word_find(TEXT("form.hint.date"), c->language));
    out->find = find.n ? unicode_fold(c->arena, find) : TEXT("");
    TRY_PTR(out->find.p);
    json_pair(&p->w, TEXT("find"), find.n ? find : TEXT(""));
    json_pair(&p->w, TEXT("day"), day.n ? day : TEXT(""));
    return OK;
}

static struct bits shown_of(const struct ctx *c, const struct asked_history *asked)
{
    struct bits set = { { 0 } };
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        if (of_history(cat) && (!asked->of.n || text_eq(asked->of, cat->name)))
            bits_add(&set, i);
    }
    return set;
}

enum err api_history_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    int64_t number;
    struct asked_history asked;
    struct history *history = NEW_ARRAY(c->arena, struct history, c->policy->category_count + 1);
    TRY_PTR(history);
    TRY(page_open(c, q, TEXT("history"), TEXT("me"), &p));
    TRY(page_number(&p, &number));
    TRY(take_asked(&p, &asked));
    const struct bits set = shown_of(c, &asked);
    TRY(history_load(c, &set, history));
    struct why why = { .code = ERR_VALUE };
    page_problem(&p, asked.wrong ? &why : NULL);
    json_name(&p.w, TEXT("streams"));
    json_open(&p.w, '[');
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        if (!bits_has(&set, i))
            continue;
        json_open(&p.w, '{');
        json_pair(&p.w, TEXT("category"), cat->name);
        json_pair(&p.w, TEXT("title"), doc_category(c, cat));
        page_text(&p, TEXT("term_says"), cat->retention ? doc_retention(c, cat->retention) : TEXT(""));
        TRY(put_events(&p, &history[i], cat, number, &asked));
        json_close(&p.w, '}');
    }
    json_close(&p.w, ']');
    return page_show(&p, r, asked.wrong ? 422 : 200);
}

/* ---- Rights on folders, each with its history. ---- */

static void put_grant(struct page *p, const struct json *row)
{
    json_open(&p->w, '{');
    page_copy(p, row, TEXT("act"));
    page_copy(p, row, TEXT("at"));
    page_copy(p, row, TEXT("from"));
    page_until(p, row);
    page_copy(p, row, TEXT("by"));
    page_copy(p, row, TEXT("why"));
    json_pair(&p->w, TEXT("who"), actor_title(p->c, json_text(row, TEXT("actor"))));
    json_close(&p->w, '}');
}

enum err api_rights_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    const struct json *file;
    TRY(page_open(c, q, TEXT("rights"), TEXT("me"), &p));
    TRY(file_own(c, &file));
    page_problem(&p, NULL);
    json_name(&p.w, TEXT("folders"));
    json_open(&p.w, '[');
    JSON_EACH(folder, json_get(file, TEXT("folders"))) {
        json_open(&p.w, '{');
        page_copy(&p, folder, TEXT("title"));
        page_copy(&p, folder, TEXT("name"));
        page_copy(&p, folder, TEXT("allowed"));
        page_until(&p, folder);
        json_name(&p.w, TEXT("history"));
        json_open(&p.w, '[');
        JSON_EACH(row, json_get(folder, TEXT("history")))
            put_grant(&p, row);
        json_close(&p.w, ']');
        json_close(&p.w, '}');
    }
    json_close(&p.w, ']');
    return page_show(&p, r, 200);
}

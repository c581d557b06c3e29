/* Answers of forms for staff: the forms that serve a purpose of their role, what was answered, and the same as a table
 * to take away. */
#include "base/file/csv.h"
#include "domain/choice/choice.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

#define NAME q->params[0]

/* ---- Which forms. ---- */

enum err api_staff_forms(struct ctx *c, const struct request *q, struct reply *r)
{
    struct point point;
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_forms"), &p));
    json_name(&p.w, TEXT("forms"));
    json_open(&p.w, '[');
    for (unsigned i = 0; point_at(c, i, &point); i++) {
        if (!point_is_read(c, &point))
            continue;
        json_open(&p.w, '{');
        json_pair(&p.w, TEXT("form"), point.name);
        json_pair(&p.w, TEXT("says"), point_title(c, &point));
        json_close(&p.w, '}');
    }
    json_close(&p.w, ']');
    return page_show(&p, r, 200);
}

/* ---- What was answered. ---- */

static void put_purposes(struct page *p, const struct point *point, text chosen)
{
    json_name(&p->w, TEXT("purposes"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < p->c->policy->purpose_count; i++) {
        const struct purpose *of = &p->c->policy->purposes[i];
        if (!point_is_read_for(p->c, point, i))
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("purpose"), of->name);
        json_pair(&p->w, TEXT("says"), doc_purpose(p->c, of));
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(of->name, chosen));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static text cell(struct ctx *c, const struct point_field *f, const struct json *row)
{
    const struct json *v = json_get(json_get(json_get(row, TEXT("data")), f->category->name), f->field->name);
    return v ? file_shown(c, f->category, v) : TEXT("");
}

static void put_answers(struct page *p, const struct point *point, text purpose, const struct json *list)
{
    struct ctx *c = p->c;
    json_name(&p->w, TEXT("answers"));
    json_open(&p->w, '[');
    JSON_EACH(row, json_get(list, TEXT("answers"))) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("at"), json_text(row, TEXT("at")));
        json_pair(&p->w, TEXT("subject"), json_text(row, TEXT("subject")));
        json_pair_bool(&p->w, TEXT("unproven"), !json_get(row, TEXT("proven"))->truth);
        json_name(&p->w, TEXT("cells"));
        json_open(&p->w, '[');
        for (unsigned i = 0; i < point->field_count; i++) {
            const struct point_field *f = &point->fields[i];
            if (!point_shows(c->policy, purpose, f->category))
                continue;
            json_open(&p->w, '{');
            json_pair(&p->w, TEXT("head"), doc_field(c, f->category, f->field->name));
            json_pair(&p->w, TEXT("value"), cell(c, f, row));
            json_close(&p->w, '}');
        }
        json_close(&p->w, ']');
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

/* `list` NULL: the page asks for the purpose first, and for a reason where the role must give one. */
static enum err form_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                          const struct json *list)
{
    struct point point;
    text purpose = json_text(q->json, TEXT("purpose"));
    PAGE_AUTO p = { 0 };
    TRY(point_find(c, NAME, &point));
    TRY(staff_open(c, q, TEXT("staff_form"), &p));
    staff_problem(&p, o);
    json_pair(&p.w, TEXT("form"), point.name);
    json_pair(&p.w, TEXT("says"), point_title(c, &point));
    json_pair(&p.w, TEXT("reason"), json_text(q->json, TEXT("reason")));
    json_pair(&p.w, TEXT("purpose_now"), purpose);
    json_pair_bool(&p.w, TEXT("shown"), list != NULL);
    json_pair(&p.w, TEXT("next"), list ? json_text(list, TEXT("next")) : TEXT(""));
    put_purposes(&p, &point, purpose);
    put_answers(&p, &point, purpose, list);
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_form(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return form_page(c, q, r, &fine, NULL);
}

/* The answers that the form of the page asks for, under its purpose and reason. */
static enum err asked_for(struct ctx *c, const struct request *q, int64_t limit, const struct json **list)
{
    struct answer answer = { 0 };
    struct paging paging;
    text after = json_text(q->json, TEXT("after"));
    TRY(staff_reason(c, q));
    TRY(paging_parse(c, after.p ? after : TEXT(""), TEXT(""), &paging));
    paging.limit = limit;
    TRY(choice_answers(c, NAME, json_text(q->json, TEXT("purpose")), &paging, &answer));
    return json_parse(c->arena, answer.body, list);
}

enum err api_staff_form_look(struct ctx *c, const struct request *q, struct reply *r)
{
    enum { SHOWN = 100 };
    const struct json *list = NULL;
    struct staff_outcome o = staff_outcome(c, asked_for(c, q, SHOWN, &list));
    return o.status == OK || staff_again(o.status) ? form_page(c, q, r, &o, list) : o.status;
}

/* ---- The same as CSV, a page of the list at a time. ---- */

static void csv_row(struct ctx *c, struct buf *b, const struct point *p, text purpose, const struct json *row)
{
    csv_put(b, row ? json_text(row, TEXT("at")) : TEXT("at"));
    buf_char(b, ',');
    csv_put(b, row ? json_text(row, TEXT("subject")) : TEXT("subject"));
    for (unsigned i = 0; i < p->field_count; i++) {
        if (!point_shows(c->policy, purpose, p->fields[i].category))
            continue;
        buf_char(b, ',');
        csv_put(b, row ? cell(c, &p->fields[i], row) : doc_field(c, p->fields[i].category, p->fields[i].field->name));
    }
    buf_add(b, TEXT("\r\n"));
}

enum err api_staff_form_csv(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *list = NULL;
    struct point point;
    struct answer answer = { .media_type = TEXT("text/csv; charset=utf-8") };
    text purpose = json_text(q->json, TEXT("purpose"));
    BUF_AUTO b = buf_make(16 << 20);
    TRY(point_find(c, NAME, &point));
    struct staff_outcome o = staff_outcome(c, asked_for(c, q, PAGE_ROWS, &list));
    if (o.status != OK)
        return staff_again(o.status) ? form_page(c, q, r, &o, NULL) : o.status;
    buf_add(&b, CSV_MARK);
    csv_row(c, &b, &point, purpose, NULL);
    JSON_EACH(row, json_get(list, TEXT("answers")))
        csv_row(c, &b, &point, purpose, row);
    TRY(buf_take(c->arena, &b, &answer.body));
    answer.file_name = arena_print(c->arena, "%.*s.csv", T(point.name));
    return reply_answer(c, q, r, &answer);
}

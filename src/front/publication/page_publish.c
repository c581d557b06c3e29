/* Sending in what is to be shown, deciding on it, taking it down: of the person, of staff, of programs. */
#include "domain/core/actor.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/publication/publication.h"
#include "front/door/go.h"
#include "front/page/page_person.h"
#include "front/publication/publication.h"
#include "front/staff/staff.h"

/* ---- What a form or program sends. ---- */

/* {field: value}: the member "fields", as an object or its JSON; else the inputs "CATEGORY.FIELD". */
static enum err fields_of(struct ctx *c, const struct request *q, const struct category *cat, const struct json **out)
{
    const struct json *given = json_get(q->json, TEXT("fields"));
    if (given && given->kind == J_OBJECT) {
        *out = given;
        return OK;
    }
    if (given && given->kind == J_TEXT)
        return json_parse(c->arena, given->value, out);
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    for (unsigned i = 0; i < cat->field_count; i++)
        form_value(c, &w, cat, &cat->fields[i], q->json);
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

static bool says_yes(const struct json *v)
{
    return v && (v->kind == J_BOOL ? v->truth : text_eq(v->value, TEXT("on")) || text_eq(v->value, TEXT("true")));
}

static enum err send_in(struct ctx *c, const struct request *q, text id, struct answer *answer)
{
    struct publication_new in = { .category = json_text(q->json, TEXT("category")),
                                  .agree = says_yes(json_get(q->json, TEXT("agree"))) };
    const struct category *cat;
    TRY(publication_category(c, in.category, &cat));
    TRY(fields_of(c, q, cat, &in.fields));
    for (size_t i = 0; i < q->upload_count; i++)
        if (text_eq(q->uploads[i].name, TEXT("file"))) {
            in.file_name = q->uploads[i].file_name;
            in.content = q->uploads[i].content;
        }
    return publication_send(c, id, &in, answer);
}

HANDLER(publication_send, send_in(c, q, q->params[0], &answer))
HANDLER(publication_end, publication_end(c, q->params[0], q->params[1], &answer))
PAGED(publication_waiting, publication_waiting(c, q->params[0], &paging, &answer))
HANDLER(publication_decide, publication_decide(c, q->params[0], q->json, &answer))
PAGED(report_list, publication_reports(c, &paging, &answer))
HANDLER(report_answer, publication_answer(c, q->params[0], q->json, &answer))

/* ---- The forms. ---- */

static bool is_agreed(const struct json *live, text purpose)
{
    JSON_EACH(one, live)
        if (text_eq(one->value, purpose))
            return true;
    return false;
}

static void put_kind(struct page *p, const struct category *cat, const struct json *live)
{
    struct ctx *c = p->c;
    const struct purpose *purpose = &c->policy->purposes[cat->public_for];
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("category"), cat->name);
    json_pair(&p->w, TEXT("says"), doc_category(c, cat));
    json_pair_bool(&p->w, TEXT("files"), publication_takes_files(c, cat));
    json_pair_bool(&p->w, TEXT("agreed"), is_agreed(live, purpose->name));
    json_pair(&p->w, TEXT("wording"), doc_consent(c, doc_purpose(c, purpose), TEXT("")));
    json_name(&p->w, TEXT("fields"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < cat->field_count; i++)
        form_field(p, cat, &cat->fields[i],
                   text_eq(json_text(p->q->json, TEXT("category")), cat->name) ? p->q->json : NULL);
    json_close(&p->w, ']');
    json_close(&p->w, '}');
}

/* `class` NULL: of the person; else what the role works for. */
static void put_kinds(struct page *p, const struct actor_class *class, const struct json *live, text to)
{
    const struct policy *policy = p->c->policy;
    json_pair_bool(&p->w, TEXT("own"), !class);
    json_pair(&p->w, TEXT("to"), to);
    json_name(&p->w, TEXT("kinds"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->category_count; i++) {
        const struct category *cat = &policy->categories[i];
        if (publication_is_shown(cat) && (!class || bits_has(&class->purposes, (unsigned)cat->public_for)))
            put_kind(p, cat, live);
    }
    json_close(&p->w, ']');
}

/* ---- One's own. ---- */

static void put_own(struct page *p, const struct json *all)
{
    static const text same[] = { TEXT_INIT("id"),    TEXT_INIT("title"),  TEXT_INIT("at"),
                                 TEXT_INIT("state"), TEXT_INIT("public"), TEXT_INIT("reason") };
    json_name(&p->w, TEXT("publications"));
    json_open(&p->w, '[');
    JSON_EACH(one, all) {
        text address = json_text(one, TEXT("address")), state = json_text(one, TEXT("state"));
        json_open(&p->w, '{');
        for (size_t i = 0; i < sizeof same / sizeof *same; i++)
            page_copy(p, one, same[i]);
        json_pair(&p->w, TEXT("address"), address.n ? text_from(address, 1) : TEXT(""));
        json_pair_bool(&p->w, TEXT("ends"), text_eq(state, TEXT("waiting")) || text_eq(state, TEXT("published")));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static enum err own_page(struct ctx *c, const struct request *q, struct reply *r, const struct why *why)
{
    PAGE_AUTO p = { 0 };
    const struct json *file;
    struct why told = why ? *why : (struct why){ 0 };
    TRY(page_open(c, q, TEXT("own_publications"), TEXT("me"), &p));
    TRY(file_own(c, &file));
    page_problem(&p, why ? &told : NULL);
    put_own(&p, json_get(file, TEXT("publications")));
    put_kinds(&p, NULL, json_get(file, TEXT("live")), TEXT("me/publications"));
    return page_show(&p, r, why ? err_row(why->code)->http : 200);
}

enum err api_own_publications(struct ctx *c, const struct request *q, struct reply *r)
{
    return own_page(c, q, r, NULL);
}

static enum err own_done(struct ctx *c, const struct request *q, struct reply *r, enum err e, const char *done)
{
    if (e == OK)
        return page_go(c, r, TEXT("/me/publications"), text_of(done));
    struct why why = c->arena->why;
    why.code = e;
    return staff_again(e) ? own_page(c, q, r, &why) : e;
}

enum err api_own_publish(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    return own_done(c, q, r, send_in(c, q, session_self(c), &answer), "sent_in");
}

enum err api_own_unpublish(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    enum err e = publication_end(c, session_self(c), json_text(q->json, TEXT("publication")), &answer);
    return own_done(c, q, r, e, "unpublished");
}

/* ---- Staff. ---- */

static const struct actor_class *class_of(const struct ctx *c)
{
    return c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
}

static enum err publish_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    const struct json *account = NULL;
    bool nobody = false;
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_publish"), &p));
    staff_problem(&p, o);
    TRY(staff_account(c, q, TEXT(""), &account, &nobody));
    staff_person(&p, account, TEXT("publish"));
    json_pair(&p.w, TEXT("reason"), json_text(q->json, TEXT("reason")));
    put_kinds(&p, class_of(c), NULL, text_from(staff_path(c, q, "/publish"), 1));
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_publish(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return publish_page(c, q, r, &fine);
}

enum err api_staff_publish_do(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    enum err status = staff_reason(c, q);
    if (status == OK)
        status = send_in(c, q, q->params[0], &answer);
    struct staff_outcome o = staff_outcome(c, status);
    if (status == OK)
        return page_go(c, r, staff_path(c, q, "/publish"), TEXT("sent_in"));
    return staff_again(status) ? publish_page(c, q, r, &o) : status;
}

static enum err put_waiting(struct page *p, const struct category *cat)
{
    struct answer answer = { 0 };
    struct paging paging;
    const struct json *all;
    TRY(paging_parse(p->c, TEXT(""), TEXT(""), &paging));
    paging.limit = 50;
    TRY(publication_waiting(p->c, cat->name, &paging, &answer));
    TRY(json_parse(p->c->arena, answer.body, &all));
    JSON_EACH(item, json_get(all, TEXT("waiting"))) {
        json_open(&p->w, '{');
        page_copy(p, item, TEXT("id"));
        page_copy(p, item, TEXT("at"));
        page_copy(p, item, TEXT("subject"));
        page_copy(p, item, TEXT("type"));
        page_copy(p, item, TEXT("attachment"));
        json_pair(&p->w, TEXT("says"), doc_category(p->c, cat));
        json_pair(&p->w, TEXT("purpose"), p->c->policy->purposes[cat->public_for].name);
        publication_values(p, cat, item);
        json_close(&p->w, '}');
    }
    return OK;
}

static enum err put_reports(struct page *p)
{
    struct answer answer = { 0 };
    struct paging paging;
    const struct json *all;
    TRY(paging_parse(p->c, TEXT(""), TEXT(""), &paging));
    TRY(publication_reports(p->c, &paging, &answer));
    TRY(json_parse(p->c->arena, answer.body, &all));
    json_name(&p->w, TEXT("reports"));
    json_open(&p->w, '[');
    JSON_EACH(one, json_get(all, TEXT("reports"))) {
        json_open(&p->w, '{');
        page_copy(p, one, TEXT("id"));
        page_copy(p, one, TEXT("at"));
        page_copy(p, one, TEXT("reason"));
        json_pair(&p->w, TEXT("address"), text_from(json_text(one, TEXT("address")), 1));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    return OK;
}

static bool decides(const struct ctx *c, const struct actor_class *class)
{
    for (unsigned i = 0; class && i < c->policy->category_count; i++)
        if (publication_is_shown(&c->policy->categories[i]) &&
            bits_has(&class->purposes, (unsigned)c->policy->categories[i].public_for))
            return true;
    return false;
}

static enum err decisions_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    PAGE_AUTO p = { 0 };
    const struct actor_class *class = decides(c, class_of(c)) ? class_of(c) : NULL;
    bool asks = class && class->reason && !c->actor.reason.n; /* a list of people: why is said before */
    if (asks)
        class = NULL;
    TRY(staff_open(c, q, TEXT("staff_publications"), &p));
    staff_problem(&p, o);
    json_pair_bool(&p.w, TEXT("asks"), asks);
    json_pair(&p.w, TEXT("reason"), json_text(q->json, TEXT("reason")));
    json_pair(&p.w, TEXT("looked_why"), json_text(q->json, TEXT("reason"))); /* a report has a reason of its own */
    json_name(&p.w, TEXT("waiting"));
    json_open(&p.w, '[');
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        if (class && publication_is_shown(cat) && bits_has(&class->purposes, (unsigned)cat->public_for))
            TRY(put_waiting(&p, cat));
    }
    json_close(&p.w, ']');
    if (class)
        TRY(put_reports(&p));
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_publications(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return decisions_page(c, q, r, &fine);
}

enum err api_staff_publications_do(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    text report = json_text(q->json, TEXT("report")), publication = json_text(q->json, TEXT("publication"));
    const struct json *in;
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("decision"), json_text(q->json, TEXT("decision")));
    json_pair(&w, TEXT("reason"), json_text(q->json, TEXT("why")));
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    TRY(staff_reason(c, q));
    if (!report.n && !publication.n)
        return decisions_page(c, q, r, &(struct staff_outcome){ 0 });
    enum err status = report.n ? publication_answer(c, report, in, &answer)
                               : publication_decide(c, publication.p ? publication : TEXT(""), in, &answer);
    struct staff_outcome o = staff_outcome(c, status);
    if (status == OK)
        return page_go(c, r, TEXT("/staff/publications"), TEXT("decided"));
    return staff_again(status) ? decisions_page(c, q, r, &o) : status;
}

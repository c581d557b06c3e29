/* Recipients are told of what was done about people: the page on which one answers, that of staff, the same for
 * programs. */
#include "domain/core/paging.h"
#include "domain/recipient/told.h"
#include "domain/rights/duty.h"
#include "front/door/go.h"
#include "front/page/page_link.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

#define NAME       q->params[0]
#define SENT(name) json_text(q->json, TEXT(name))

PAGED(told_list, told_list(c, NAME, &paging, &answer))
PAGED(told_own, told_own(c, &paging, &answer))
HANDLER(told_answer, told_answer_own(c, NAME, q->json, &answer))

enum err api_told_again(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(told_again(c, NAME, q->params[1]));
    reply_none(r);
    return OK;
}

/* ---- The recipient's page. ---- */

static enum err show_told(struct ctx *c, const struct request *q, struct reply *r, text token, const struct json *file,
                          const struct staff_outcome *o, bool answered)
{
    static const text kept[] = { TEXT_INIT("reason") };
    static const text copied[] = { TEXT_INIT("title"), TEXT_INIT("references"), TEXT_INIT("concerned"),
                                   TEXT_INIT("since"), TEXT_INIT("due") };
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, TEXT("told"), TEXT(""), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, 1);
    json_pair(&p.w, TEXT("token"), token);
    json_pair(&p.w, TEXT("recipient"), json_text(file, TEXT("title")));
    json_pair_bool(&p.w, TEXT("answered"), answered);
    json_name(&p.w, TEXT("open"));
    if (answered) {
        json_put_null(&p.w);
    } else {
        json_open(&p.w, '{');
        for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
            page_copy(&p, json_get(file, TEXT("told")), copied[i]);
        json_close(&p.w, '}');
    }
    return page_show(&p, r, staff_status(o));
}

static enum err load_told(struct ctx *c, text token, const struct json **out)
{
    struct answer answer = { 0 };
    TRY(told_by_link(c, token, &answer));
    return json_parse(c->arena, answer.body, out);
}

/* The link holds no time: it works as long as what it tells of is kept. */
static enum err link_over(struct ctx *c, const struct request *q, struct reply *r, enum err e)
{
    const struct link_gone g = { .fate = LINK_UNKNOWN, .kind = TEXT_INIT("told"), .contact = true, .without = true };
    return e == ERR_NOT_FOUND ? page_link_gone(c, q, r, &g, e) : e;
}

enum err api_told_page(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    const struct json *file;
    text token = request_query(q, TEXT("token"));
    token = token.p ? token : TEXT("");
    TRY(request_take_language(c, q));
    enum err known = load_told(c, token, &file);
    if (known != OK)
        return link_over(c, q, r, known);
    return show_told(c, q, r, token, file, &fine, false);
}

enum err api_told_page_answer(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    const struct json *file;
    text token = SENT("token");
    TRY(request_take_language(c, q));
    enum err known = load_told(c, token, &file);
    if (known != OK)
        return link_over(c, q, r, known);
    enum err status = told_answer_link(c, token, q->json, &answer);
    struct staff_outcome o = staff_outcome(c, status);
    if (status != OK && !staff_again(status))
        return status;
    return show_told(c, q, r, token, file, &o, status == OK);
}

/* ---- Staff. ---- */

static enum err load_list(struct ctx *c, const struct request *q, const struct json **out)
{
    struct answer answer = { 0 };
    struct paging paging;
    text after = q->method == METHOD_POST ? TEXT("") : request_query(q, TEXT("after"));
    TRY(paging_parse(c, after.p ? after : TEXT(""), TEXT("50"), &paging));
    TRY(told_list(c, NAME, &paging, &answer));
    return json_parse(c->arena, answer.body, out);
}

static enum err show_list(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    static const text copied[] = { TEXT_INIT("recipient"), TEXT_INIT("by"), TEXT_INIT("fault"), TEXT_INIT("told") };
    PAGE_AUTO p = { 0 };
    const struct json *file;
    TRY(staff_open(c, q, TEXT("staff_told"), &p));
    TRY(load_list(c, q, &file));
    staff_problem(&p, o);
    json_pair_bool(&p.w, TEXT("file"), true);
    json_pair(&p.w, TEXT("called"), json_text(file, TEXT("title")));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        page_copy(&p, file, copied[i]);
    json_pair_bool(&p.w, TEXT("own"), !text_eq(json_text(file, TEXT("by")), TEXT("staff")));
    json_pair(&p.w, TEXT("next_page"), json_text(file, TEXT("next")));
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_told(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return show_list(c, q, r, &fine);
}

static enum err mark(struct ctx *c, text duty, text outcome)
{
    struct answer answer = { 0 };
    BUF_AUTO b = buf_make(256);
    struct json_out w = json_out(&b);
    const struct json *in;
    json_open(&w, '{');
    json_pair(&w, TEXT("outcome"), outcome);
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    return duty_done(c, duty, in, &answer);
}

enum err api_staff_told_do(struct ctx *c, const struct request *q, struct reply *r)
{
    text what = SENT("do"), duty = SENT("duty");
    bool again = text_eq(what, TEXT("again"));
    enum err status = again ? told_again(c, NAME, duty) : mark(c, duty, what);
    struct staff_outcome o = staff_outcome(c, status);
    if (status == OK)
        return page_go(c, r, arena_print(c->arena, "/staff/recipients/%.*s/told", T(NAME)),
                       again ? TEXT("told_again") : TEXT("told_done"));
    return staff_again(status) ? show_list(c, q, r, &o) : status;
}

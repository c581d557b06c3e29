/* A new owner of the company, for staff: what it signed, who is told, when it takes over; a signature recorded in two
 * steps. */
#include "domain/version/merger.h"
#include "front/door/front.h"
#include "front/door/go.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

#define SENT(name) json_text(q->json, TEXT(name))

static enum err show(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                     const struct json *list, text checked)
{
    static const text kept[] = { TEXT_INIT("reason"), TEXT_INIT("controller"), TEXT_INIT("by"), TEXT_INIT("signed") };
    static const text copied[] = { TEXT_INIT("acceptances"), TEXT_INIT("announced"), TEXT_INIT("people"),
                                   TEXT_INIT("accounts"),    TEXT_INIT("earliest"),  TEXT_INIT("in_force") };
    PAGE_AUTO p = { 0 };
    const struct json *acceptances = json_get(list, TEXT("acceptances"));
    TRY(staff_open(c, q, TEXT("staff_merger"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    json_pair_bool(&p.w, TEXT("listed"), list != NULL);
    json_pair_bool(&p.w, TEXT("some"), acceptances && acceptances->count);
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        page_copy(&p, list, copied[i]);
    json_pair_bool(&p.w, TEXT("counted"), json_get(json_get(list, TEXT("announced")), TEXT("told")) != NULL);
    json_pair_bool(&p.w, TEXT("may_record"), list && merger_may_accept(c));
    json_pair_bool(&p.w, TEXT("checked"), checked.n > 0);
    json_pair(&p.w, TEXT("signed_day"), checked);
    return page_show(&p, r, staff_status(o));
}

static enum err load(struct ctx *c, const struct json **out)
{
    struct answer answer = { 0 };
    TRY(merger_see(c, &answer));
    return json_parse(c->arena, answer.body, out);
}

enum err api_staff_merger(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    const struct json *list = NULL;
    if (!staff_needs_reason(c))
        TRY(load(c, &list));
    return show(c, q, r, &fine, list, TEXT(""));
}

static enum err take(struct ctx *c, const struct request *q, struct merger_acceptance *out)
{
    const struct json *sent;
    TRY(form_dated(c, q->json, &sent));
    *out = (struct merger_acceptance){ .controller = text_trim(json_text(sent, TEXT("controller"))),
                                       .by = text_trim(json_text(sent, TEXT("by"))),
                                       .signed_on = text_trim(json_text(sent, TEXT("signed"))),
                                       .version = SENT("version") };
    for (size_t i = 0; i < q->upload_count; i++)
        if (text_eq(q->uploads[i].name, TEXT("document"))) {
            out->name = q->uploads[i].file_name;
            out->content = q->uploads[i].content;
        }
    return OK;
}

/* *day: that of the signature, once what was typed is fit to be recorded. */
static enum err act(struct ctx *c, const struct request *q, text step, text *day)
{
    struct merger_acceptance in;
    struct answer answer = { 0 };
    TRY(staff_reason(c, q));
    TRY(take(c, q, &in));
    if (text_eq(step, TEXT("check"))) {
        TRY(merger_check(c, &in));
        *day = in.signed_on;
        return OK;
    }
    return text_eq(step, TEXT("record")) ? merger_accept_own(c, &in, &answer) : OK;
}

enum err api_staff_merger_do(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *list = NULL;
    text step = SENT("step"), day = TEXT("");
    enum err e = act(c, q, step, &day);
    struct staff_outcome o = staff_outcome(c, e);
    if (e != OK && !staff_again(e))
        return e;
    if (e == OK && text_eq(step, TEXT("record")) && !staff_needs_reason(c))
        return page_go(c, r, TEXT("/staff/merger"), TEXT("merger"));
    enum err seen = load(c, &list);
    if (seen != OK && e == OK)
        o = staff_outcome(c, seen);
    return seen == OK || staff_again(seen) ? show(c, q, r, &o, list, day) : seen;
}

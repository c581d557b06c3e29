/* The platform's own stores: a page for staff, and the same for programs. */
#include "domain/connector/connector.h"
#include "front/door/front.h"
#include "front/door/go.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

#define ID          q->params[0]
#define SENT(name)  json_text(q->json, TEXT(name))
#define ASKED(name) request_query(q, TEXT(name))

static enum err show(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                     const struct json *all, const struct json *checked)
{
    static const text kept[] = { TEXT_INIT("reason") };
    PAGE_AUTO p = { 0 };
    const struct json *stores = json_get(checked ? checked : all, TEXT("stores")), *jobs = json_get(all, TEXT("jobs"));
    TRY(staff_open(c, q, TEXT("staff_stores"), &p)); /* takes the language */
    staff_problem(&p, o);
    page_keep(&p, kept, 1);
    json_pair_bool(&p.w, TEXT("listed"), all != NULL);
    json_pair_bool(&p.w, TEXT("french"), text_eq(c->language, TEXT("fr")));
    json_pair_bool(&p.w, TEXT("some"), stores && stores->count);
    json_pair_bool(&p.w, TEXT("waiting"), jobs && jobs->count);
    json_name(&p.w, TEXT("stores"));
    if (stores)
        json_put(&p.w, stores);
    else
        json_put_raw(&p.w, TEXT("[]"));
    page_copy(&p, all, TEXT("faults"));
    page_copy(&p, all, TEXT("jobs"));
    page_copy(&p, all, TEXT("next"));
    return page_show(&p, r, staff_status(o));
}

static enum err stores_page(struct ctx *c, const struct request *q, struct reply *r, bool check, text after,
                            enum err e)
{
    const struct json *all = NULL, *checked = NULL;
    struct answer answer = { 0 }, found = { 0 };
    if (e == OK)
        e = connector_show(c, after.p ? after : TEXT(""), &answer);
    if (e == OK)
        e = json_parse(c->arena, answer.body, &all);
    if (e == OK && check)
        e = connector_check(c, &found);
    if (e == OK && check)
        e = json_parse(c->arena, found.body, &checked);
    struct staff_outcome o = staff_outcome(c, e);
    return e == OK || staff_again(e) || all ? show(c, q, r, &o, all, checked) : e;
}

enum err api_staff_stores(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return staff_needs_reason(c) ? show(c, q, r, &fine, NULL, NULL) : stores_page(c, q, r, false, ASKED("after"), OK);
}

static enum err evidence(struct ctx *c, const struct request *q, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    const struct json *said;
    json_open(&w, '{');
    json_pair(&w, TEXT("text"), SENT("text"));
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &said));
    return connector_evidence(c, SENT("job"), SENT("store"), said, out);
}

enum err api_staff_stores_do(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    enum err e = staff_reason(c, q);
    bool look = SENT("look").n != 0;
    if (e != OK || !SENT("job").n)
        return stores_page(c, q, r, !look, SENT("after"), e);
    e = SENT("store").n ? evidence(c, q, &answer) : connector_retry(c, SENT("job"), &answer);
    return e == OK && !staff_needs_reason(c) ? page_go(c, r, TEXT("/staff/stores"), TEXT("stores"))
                                             : stores_page(c, q, r, false, TEXT(""), e);
}

HANDLER(connector_show, connector_show(c, ASKED("after").p ? ASKED("after") : TEXT(""), &answer))
HANDLER(connector_check, connector_check(c, &answer))
HANDLER(connector_count, connector_count(c, ID, &answer))
HANDLER(connector_job, connector_job(c, ID, &answer))
HANDLER(connector_retry, connector_retry(c, ID, &answer))
HANDLER(connector_called, connector_called(c, ID, q->params[1], q->params[2], q->json))
HANDLER(connector_evidence, connector_evidence(c, ID, q->params[1], q->json, &answer))

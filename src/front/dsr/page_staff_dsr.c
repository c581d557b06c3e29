/* The register of requests for staff: what is due, one file with its history and next moves, one entered; and for
 * programs. */
#include "domain/core/paging.h"
#include "domain/dsr/dsr.h"
#include "domain/mail/inbound.h"
#include "front/door/front.h"
#include "front/door/go.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

#define ID          q->params[0]
#define SENT(name)  json_text(q->json, TEXT(name))
#define ASKED(name) request_query(q, TEXT(name))

/* ---- The list. ---- */

static enum err show_list(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                          text which, const struct json *list)
{
    static const text kept[] = { TEXT_INIT("reason") };
    PAGE_AUTO p = { 0 };
    const struct json *rows = json_get(list, TEXT("requests"));
    TRY(staff_open(c, q, TEXT("staff_requests"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, 1);
    staff_which(&p, which);
    json_pair_bool(&p.w, TEXT("listed"), list != NULL);
    json_pair_bool(&p.w, TEXT("some"), rows && rows->count);
    page_copy(&p, list, TEXT("requests"));
    page_copy(&p, list, TEXT("next"));
    return page_show(&p, r, staff_status(o));
}

static enum err load_list(struct ctx *c, text which, text after, const struct json **out)
{
    struct answer answer = { 0 };
    struct paging paging;
    TRY(paging_parse(c, after, TEXT("100"), &paging));
    TRY(dsr_list(c, which, &paging, &answer));
    return json_parse(c->arena, answer.body, out);
}

static enum err list_page(struct ctx *c, const struct request *q, struct reply *r, text which, text after, enum err e)
{
    const struct json *list = NULL;
    if (e == OK)
        e = load_list(c, which, after, &list);
    struct staff_outcome o = staff_outcome(c, e);
    return e == OK || staff_again(e) ? show_list(c, q, r, &o, which, list) : e;
}

enum err api_staff_requests(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    text which = ASKED("which"), after = ASKED("after");
    if (staff_needs_reason(c))
        return show_list(c, q, r, &fine, which, NULL);
    return list_page(c, q, r, which.p ? which : TEXT(""), after.p ? after : TEXT(""), OK);
}

enum err api_staff_requests_look(struct ctx *c, const struct request *q, struct reply *r)
{
    return list_page(c, q, r, SENT("which"), SENT("after"), staff_reason(c, q));
}

/* ---- One entered. ---- */

static void put_kinds(struct page *p)
{
    struct dsr_kind kind;
    json_name(&p->w, TEXT("kinds"));
    json_open(&p->w, '[');
    for (unsigned i = 0; dsr_kind_at(p->c, i, &kind); i++) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("kind"), kind.name);
        json_pair(&p->w, TEXT("says"), kind.says);
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(kind.name, json_text(p->q->json, TEXT("kind"))));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static void put_channels(struct page *p)
{
    static const text channels[] = { TEXT_INIT("post"),    TEXT_INIT("phone"), TEXT_INIT("email"),
                                     TEXT_INIT("counter"), TEXT_INIT("agent") };
    json_name(&p->w, TEXT("channels"));
    json_open(&p->w, '[');
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("channel"), channels[i]);
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(channels[i], json_text(p->q->json, TEXT("channel"))));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static enum err show_new(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    static const text kept[] = { TEXT_INIT("received"), TEXT_INIT("name"),    TEXT_INIT("email"), TEXT_INIT("address"),
                                 TEXT_INIT("text"),     TEXT_INIT("subject"), TEXT_INIT("reason"), TEXT_INIT("person") };
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_request_new"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    put_kinds(&p);
    put_channels(&p);
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_request_new(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return show_new(c, q, r, &fine);
}

enum err api_staff_request_enter(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    const struct json *in = NULL;
    enum err e = staff_reason(c, q);
    if (e == OK)
        e = form_dated(c, q->json, &in);
    if (e == OK)
        e = dsr_enter(c, in, &answer);
    if (e == OK)
        return page_go(c, r, arena_print(c->arena, "/staff/requests/%.*s", T(answer.id)), TEXT("moved"));
    struct staff_outcome o = staff_outcome(c, e);
    return staff_again(e) || e == ERR_NOT_FOUND ? show_new(c, q, r, &o) : e;
}

/* ---- One file. ---- */

static bool takes_subject(text move)
{
    return text_eq(move, TEXT("ask_link")) || text_eq(move, TEXT("accept_proof")) ||
           text_eq(move, TEXT("accept_mandate"));
}

static void put_moves(struct page *p, const struct json *request)
{
    json_name(&p->w, TEXT("moves"));
    json_open(&p->w, '[');
    JSON_EACH(move, json_get(request, TEXT("moves"))) {
        text said = json_text(move, TEXT("text")), name = json_text(move, TEXT("move"));
        bool says = !text_eq(said, TEXT("none")), whose = takes_subject(name);
        bool sorts = text_eq(name, TEXT("set_kind")), joins = text_eq(name, TEXT("join"));
        json_open(&p->w, '{');
        page_copy(p, move, TEXT("move"));
        json_pair_bool(&p->w, TEXT("asks"), says || whose || sorts || joins);
        json_pair_bool(&p->w, TEXT("tried"), text_eq(json_text(p->q->json, TEXT("move")), name));
        json_pair_bool(&p->w, TEXT("says"), says);
        json_pair_bool(&p->w, TEXT("may"), text_eq(said, TEXT("may")));
        json_pair_bool(&p->w, TEXT("must"), text_eq(said, TEXT("must")));
        json_pair_bool(&p->w, TEXT("whose"), whose);
        json_pair_bool(&p->w, TEXT("sorts"), sorts);
        json_pair_bool(&p->w, TEXT("joins"), joins);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static void put_request(struct page *p, const struct json *request)
{
    const struct json *proofs = json_get(request, TEXT("proofs")), *mails = json_get(request, TEXT("emails"));
    const struct json *joined = json_get(request, TEXT("joined_from"));
    json_name(&p->w, TEXT("request"));
    if (!request) {
        json_put_null(&p->w);
        return;
    }
    json_open(&p->w, '{');
    JSON_EACH(member, request) {
        if (text_eq(member->key, TEXT("moves")))
            continue;
        json_name(&p->w, member->key);
        json_put(&p->w, member);
    }
    json_pair(&p->w, TEXT("subject_now"), json_text(request, TEXT("subject")));
    json_pair_bool(&p->w, TEXT("has_proofs"), proofs && proofs->count);
    json_pair_bool(&p->w, TEXT("has_mails"), mails && mails->count);
    json_pair_bool(&p->w, TEXT("has_joined"), joined && joined->count);
    json_pair_bool(&p->w, TEXT("can_attach"), text_eq(json_text(request, TEXT("state")), TEXT("mandate")));
    put_moves(p, request);
    json_close(&p->w, '}');
}

static enum err show_request(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                             const struct json *request)
{
    static const text kept[] = { TEXT_INIT("reason") };
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_asked"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, 1);
    json_pair(&p.w, TEXT("ref"), ID);
    put_kinds(&p);
    put_request(&p, request);
    return page_show(&p, r, staff_status(o));
}

static enum err load_request(struct ctx *c, text id, const struct json **out)
{
    struct answer answer = { 0 };
    TRY(dsr_get(c, id, &answer));
    return json_parse(c->arena, answer.body, out);
}

enum err api_staff_request(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    const struct json *request = NULL;
    if (!staff_needs_reason(c))
        TRY(load_request(c, ID, &request));
    return show_request(c, q, r, &fine, request);
}

static enum err do_move(struct ctx *c, const struct request *q)
{
    struct answer answer = { 0 };
    TRY(staff_reason(c, q));
    return SENT("move").n ? dsr_move(c, ID, SENT("move"), q->json, &answer) : OK;
}

enum err api_staff_request_do(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *request = NULL;
    enum err e = do_move(c, q);
    struct staff_outcome o = staff_outcome(c, e);
    if (e != OK && !staff_again(e))
        return e;
    if (e == OK && SENT("move").n && !staff_needs_reason(c))
        return page_go(c, r, arena_print(c->arena, "/staff/requests/%.*s", T(ID)), TEXT("moved"));
    enum err seen = load_request(c, ID, &request);
    if (seen != OK && e == OK)
        o = staff_outcome(c, seen);
    return seen == OK || staff_again(seen) ? show_request(c, q, r, &o, request) : seen;
}

enum err api_staff_request_proof(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(staff_reason(c, q));
    TRY(dsr_proof_get(c, ID, q->params[1], &answer));
    return reply_answer(c, q, r, &answer);
}

static enum err add_mandate(struct ctx *c, const struct request *q)
{
    struct answer answer = { 0 };
    struct dsr_proof proof = { .name = TEXT(""), .mandate = true };
    TRY(staff_reason(c, q));
    if (q->upload_count) {
        proof.name = q->uploads[0].file_name;
        proof.content = q->uploads[0].content;
    }
    return dsr_mandate_put(c, ID, &proof, &answer);
}

enum err api_staff_request_mandate(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *request = NULL;
    enum err e = add_mandate(c, q);
    struct staff_outcome o = staff_outcome(c, e);
    if (e == OK && !staff_needs_reason(c))
        return page_go(c, r, arena_print(c->arena, "/staff/requests/%.*s", T(ID)), TEXT("moved"));
    if (e != OK && !staff_again(e))
        return e;
    TRY(load_request(c, ID, &request));
    return show_request(c, q, r, &o, request);
}

static enum err put_mandate(struct ctx *c, const struct request *q, struct answer *answer)
{
    const struct dsr_proof proof = { .name = ASKED("name"), .content = q->body, .mandate = true };
    return dsr_mandate_put(c, ID, &proof, answer);
}

/* ---- Emails. ---- */

enum err api_staff_request_mail(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(staff_reason(c, q));
    TRY(dsr_mail_get(c, ID, q->params[1], q->params[2], &answer));
    return reply_answer(c, q, r, &answer);
}

static enum err show_asides(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                            const struct json *list)
{
    static const text kept[] = { TEXT_INIT("reason") };
    PAGE_AUTO p = { 0 };
    const struct json *rows = json_get(list, TEXT("emails"));
    TRY(staff_open(c, q, TEXT("staff_mail"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, 1);
    json_pair_bool(&p.w, TEXT("listed"), list != NULL);
    json_pair_bool(&p.w, TEXT("some"), rows && rows->count);
    page_copy(&p, list, TEXT("emails"));
    page_copy(&p, list, TEXT("next"));
    return page_show(&p, r, staff_status(o));
}

static enum err asides_page(struct ctx *c, const struct request *q, struct reply *r, text after, enum err e)
{
    const struct json *list = NULL;
    struct answer answer = { 0 };
    struct paging paging;
    if (e == OK)
        e = paging_parse(c, after, TEXT("100"), &paging);
    if (e == OK)
        e = dsr_asides(c, &paging, &answer);
    if (e == OK)
        e = json_parse(c->arena, answer.body, &list);
    struct staff_outcome o = staff_outcome(c, e);
    return e == OK || staff_again(e) ? show_asides(c, q, r, &o, list) : e;
}

enum err api_staff_mail(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    text after = ASKED("after");
    return staff_needs_reason(c) ? show_asides(c, q, r, &fine, NULL) : asides_page(c, q, r, after.p ? after : TEXT(""), OK);
}

enum err api_staff_mail_do(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    const struct json *made;
    enum err e = staff_reason(c, q);
    if (e != OK || !SENT("mail").n)
        return asides_page(c, q, r, SENT("after"), e);
    TRY(dsr_aside_file(c, SENT("mail"), &answer));
    TRY(json_parse(c->arena, answer.body, &made));
    text id = json_text(made, TEXT("id"));
    return page_go(c, r, arena_print(c->arena, "/staff/requests/%.*s", T(id)), TEXT("moved"));
}

/* ---- Programs. ---- */

PAGED(request_list, dsr_list(c, ASKED("which").p ? ASKED("which") : TEXT(""), &paging, &answer))
HANDLER(request_enter, dsr_enter(c, q->json, &answer))
HANDLER(request_get, dsr_get(c, ID, &answer))
HANDLER(request_move, dsr_move(c, ID, q->params[1], q->json, &answer))
HANDLER(request_mail, dsr_mail_get(c, ID, q->params[1], q->params[2], &answer))
PAGED(mail_asides, dsr_asides(c, &paging, &answer))
HANDLER(mail_aside_file, dsr_aside_file(c, ID, &answer))
HANDLER(mail_receive, inbound_receive(c, ASKED("to"), ASKED("from"), q->body, &answer))
HANDLER(request_mandate, put_mandate(c, q, &answer))
HANDLER(request_proof, dsr_proof_get(c, ID, q->params[1], &answer))

/* Who receives data: the page on which a recipient accepts the charter, those of staff, and the same for programs. */
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/recipient/charter.h"
#include "domain/recipient/recipient.h"
#include "front/door/go.h"
#include "front/page/page_link.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

#define NAME       q->params[0]
#define SENT(name) json_text(q->json, TEXT(name))

HANDLER(recipient_list, recipient_list(c, &answer))
PAGED(recipient_get, recipient_get(c, NAME, &paging, &answer))
HANDLER(recipient_link, recipient_link(c, NAME, q->json, &answer))
HANDLER(charter_own, charter_own(c, &answer))
HANDLER(charter_accept, charter_accept_own(c, q->json, &answer))

enum err api_recipient_unlink(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(recipient_unlink(c, NAME, q->params[1]));
    reply_none(r);
    return OK;
}

enum err api_recipient_end(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(recipient_end(c, NAME));
    reply_none(r);
    return OK;
}

/* ---- The recipient's page. ---- */

static void put_lines(struct page *p, text words)
{
    json_name(&p->w, TEXT("lines"));
    json_open(&p->w, '[');
    while (words.n) {
        text line = text_trim(text_cut(&words, '\n'));
        if (line.n)
            json_put_text(&p->w, line);
    }
    json_close(&p->w, ']');
}

static enum err show_charter(struct ctx *c, const struct request *q, struct reply *r, text token,
                             const struct answer *own, const struct staff_outcome *o)
{
    static const text kept[] = { TEXT_INIT("name"), TEXT_INIT("function") };
    static const text copied[] = { TEXT_INIT("version"),     TEXT_INIT("hash"),        TEXT_INIT("language"),
                                   TEXT_INIT("accepted_at"), TEXT_INIT("accepted_by"), TEXT_INIT("accepted_as") };
    PAGE_AUTO p = { 0 };
    const struct json *said;
    TRY(json_parse(c->arena, own->body, &said));
    TRY(page_open(c, q, TEXT("charter"), TEXT(""), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    json_pair(&p.w, TEXT("token"), token);
    json_pair(&p.w, TEXT("recipient"), json_text(said, TEXT("title")));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        page_copy(&p, said, copied[i]);
    json_pair_bool(&p.w, TEXT("accepted"), text_eq(json_text(said, TEXT("charter")), TEXT("accepted")));
    json_pair_bool(&p.w, TEXT("lapsed"), text_eq(json_text(said, TEXT("charter")), TEXT("lapsed")));
    put_lines(&p, json_text(said, TEXT("text")));
    return page_show(&p, r, staff_status(o));
}

static enum err link_over(struct ctx *c, const struct request *q, struct reply *r, text token, enum err e)
{
    struct link_gone g = { .kind = TEXT("charter"), .contact = true, .without = true };
    if (e != ERR_NOT_FOUND)
        return e;
    struct why why = c->arena->why;
    TRY(recipient_link_fate(c, token, &g.fate));
    c->arena->why = why;
    return page_link_gone(c, q, r, &g, e);
}

enum err api_charter_page(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    struct answer own = { 0 };
    text token = request_query(q, TEXT("token"));
    token = token.p ? token : TEXT("");
    TRY(request_take_language(c, q));
    enum err known = recipient_by_link(c, token);
    if (known != OK)
        return link_over(c, q, r, token, known);
    TRY(charter_own(c, &own));
    return show_charter(c, q, r, token, &own, &fine);
}

enum err api_charter_page_accept(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer own = { 0 };
    text token = SENT("token");
    TRY(request_take_language(c, q));
    enum err known = recipient_by_link(c, token);
    if (known != OK)
        return link_over(c, q, r, token, known);
    enum err status = charter_accept(c, q->json, TEXT("link"), &own);
    struct staff_outcome o = staff_outcome(c, status);
    if (status != OK && !staff_again(status))
        return status;
    if (status != OK)
        TRY(charter_own(c, &own));
    return show_charter(c, q, r, token, &own, &o);
}

/* ---- Staff. ---- */

enum err api_staff_recipients(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *list;
    TRY(staff_open(c, q, TEXT("staff_recipients"), &p)); /* takes the language */
    TRY(recipient_list(c, &answer));
    TRY(json_parse(c->arena, answer.body, &list));
    const struct json *rows = json_get(list, TEXT("recipients")), *charter = json_get(list, TEXT("charter"));
    json_pair_bool(&p.w, TEXT("listed"), true);
    json_pair_bool(&p.w, TEXT("some"), rows && rows->count);
    page_copy(&p, list, TEXT("recipients"));
    json_name(&p.w, TEXT("charter"));
    json_open(&p.w, '{');
    page_copy(&p, charter, TEXT("version"));
    page_copy(&p, charter, TEXT("hash"));
    put_lines(&p, json_text(charter, TEXT("text")));
    json_close(&p.w, '}');
    return page_show(&p, r, 200);
}

static enum err load_one(struct ctx *c, const struct request *q, const struct json **out)
{
    struct answer answer = { 0 };
    struct paging paging;
    text after = q->method == METHOD_POST ? TEXT("") : request_query(q, TEXT("after"));
    TRY(paging_parse(c, after.p ? after : TEXT(""), TEXT("50"), &paging));
    TRY(recipient_get(c, NAME, &paging, &answer));
    return json_parse(c->arena, answer.body, out);
}

/* `made`: the link that was just made, or NULL. */
static enum err show_one(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                         const struct json *made)
{
    static const text kept[] = { TEXT_INIT("email") };
    static const text copied[] = { TEXT_INIT("recipient"), TEXT_INIT("charter"), TEXT_INIT("links"),
                                   TEXT_INIT("acceptances"), TEXT_INIT("next") };
    PAGE_AUTO p = { 0 };
    const struct json *file;
    TRY(staff_open(c, q, TEXT("staff_recipient"), &p));
    TRY(load_one(c, q, &file));
    const struct actor_class *class = &c->policy->actors[policy_actor(c->policy, NAME)];
    staff_problem(&p, o);
    page_keep(&p, kept, 1);
    json_pair_bool(&p.w, TEXT("file"), true);
    json_pair(&p.w, TEXT("called"), json_text(file, TEXT("title")));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        page_copy(&p, file, copied[i]);
    json_pair_bool(&p.w, TEXT("asked"), class->charter);
    json_pair_bool(&p.w, TEXT("file_closed"), class->charter && class->closed);
    json_pair_bool(&p.w, TEXT("counts"), json_text(file, TEXT("accepted_version")).n > 0);
    json_pair_bool(&p.w, TEXT("made"), made != NULL);
    json_pair_bool(&p.w, TEXT("sent"), made && SENT("email").n);
    json_pair(&p.w, TEXT("link"), made ? json_text(made, TEXT("link")) : TEXT(""));
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_recipient(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return show_one(c, q, r, &fine, NULL);
}

static enum err make_link(struct ctx *c, const struct request *q, const struct json **made)
{
    struct answer answer = { 0 };
    TRY(recipient_link(c, NAME, q->json, &answer));
    return json_parse(c->arena, answer.body, made);
}

enum err api_staff_recipient_do(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *made = NULL;
    text what = SENT("do");
    bool links = text_eq(what, TEXT("link")), ends = text_eq(what, TEXT("end"));
    enum err status;
    if (links)
        status = make_link(c, q, &made);
    else
        status = ends ? recipient_end(c, NAME) : recipient_unlink(c, NAME, SENT("link"));
    struct staff_outcome o = staff_outcome(c, status);
    if (status == OK && !links)
        return page_go(c, r, arena_print(c->arena, "/staff/recipients/%.*s", T(NAME)),
                       ends ? TEXT("recipient_ended") : TEXT("recipient_unlinked"));
    return status == OK || staff_again(status) ? show_one(c, q, r, &o, made) : status;
}

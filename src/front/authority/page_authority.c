/* Requests of public authorities: the register for staff, one entered, decided and handed over; and for programs. */
#include "domain/authority/authority.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "front/door/front.h"
#include "front/door/go.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

#define ID          q->params[0]
#define SENT(name)  json_text(q->json, TEXT(name))
#define ASKED(name) request_query(q, TEXT(name))

enum { NUMBER_END = 6 }; /* of a number, what is shown where it has no name */

/* ---- The list. ---- */

static enum err show_list(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                          const struct json *list)
{
    static const text kept[] = { TEXT_INIT("reason") };
    PAGE_AUTO p = { 0 };
    const struct json *rows = json_get(list, TEXT("authorities"));
    TRY(staff_open(c, q, TEXT("staff_authorities"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, 1);
    json_pair_bool(&p.w, TEXT("listed"), list != NULL);
    json_pair_bool(&p.w, TEXT("some"), rows && rows->count);
    page_copy(&p, list, TEXT("authorities"));
    page_copy(&p, list, TEXT("next"));
    return page_show(&p, r, staff_status(o));
}

static enum err load_list(struct ctx *c, text after, const struct json **out)
{
    struct answer answer = { 0 };
    struct paging paging;
    TRY(paging_parse(c, after, TEXT("100"), &paging));
    TRY(authority_list(c, &paging, &answer));
    return json_parse(c->arena, answer.body, out);
}

static enum err list_page(struct ctx *c, const struct request *q, struct reply *r, text after, enum err e)
{
    const struct json *list = NULL;
    if (e == OK)
        e = load_list(c, after, &list);
    struct staff_outcome o = staff_outcome(c, e);
    return e == OK || staff_again(e) ? show_list(c, q, r, &o, list) : e;
}

enum err api_staff_authorities(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    text after = ASKED("after");
    if (staff_needs_reason(c))
        return show_list(c, q, r, &fine, NULL);
    return list_page(c, q, r, after.p ? after : TEXT(""), OK);
}

enum err api_staff_authorities_look(struct ctx *c, const struct request *q, struct reply *r)
{
    return list_page(c, q, r, SENT("after"), staff_reason(c, q));
}

/* ---- One entered. ---- */

static text box_of(struct ctx *c, const struct category *cat)
{
    return arena_print(c->arena, "category.%.*s", T(cat->name));
}

static void put_choices(struct page *p)
{
    const struct policy *policy = p->c->policy;
    json_name(&p->w, TEXT("choices"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->category_count; i++) {
        const struct category *cat = &policy->categories[i];
        if (cat->transient)
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("category"), cat->name);
        json_pair(&p->w, TEXT("title"), doc_category(p->c, cat));
        json_pair_bool(&p->w, TEXT("chosen"), json_text(p->q->json, box_of(p->c, cat)).n > 0);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static enum err show_new(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    static const text kept[] = { TEXT_INIT("authority"), TEXT_INIT("ground"),  TEXT_INIT("reference"),
                                 TEXT_INIT("received"),  TEXT_INIT("subjects"), TEXT_INIT("from"),
                                 TEXT_INIT("until"),     TEXT_INIT("secrecy"), TEXT_INIT("secret_until"),
                                 TEXT_INIT("reason") };
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_authority_new"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    put_choices(&p);
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_authority_new(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return show_new(c, q, r, &fine);
}

/* The form's members as the body that programs send: a line a person, a box a category. */
static enum err body_of(struct ctx *c, const struct request *q, const struct json **out)
{
    static const text same[] = { TEXT_INIT("authority"), TEXT_INIT("ground"), TEXT_INIT("reference"),
                                 TEXT_INIT("received"),  TEXT_INIT("from"),   TEXT_INIT("until"),
                                 TEXT_INIT("secrecy"),   TEXT_INIT("secret_until") };
    const struct json *sent;
    text lines = SENT("subjects");
    TRY(form_dated(c, q->json, &sent));
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        json_pair(&w, same[i], text_trim(json_text(sent, same[i])));
    json_name(&w, TEXT("subjects"));
    json_open(&w, '[');
    while (lines.n) {
        text one = text_trim(text_cut(&lines, '\n'));
        if (one.n)
            json_put_text(&w, one);
    }
    json_close(&w, ']');
    json_name(&w, TEXT("categories"));
    json_open(&w, '[');
    for (unsigned i = 0; i < c->policy->category_count; i++)
        if (json_text(q->json, box_of(c, &c->policy->categories[i])).n)
            json_put_text(&w, c->policy->categories[i].name);
    json_close(&w, ']');
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

/* The document that came along, if one did. */
static enum err add_document(struct ctx *c, const struct request *q, text id, bool needed)
{
    struct answer answer = { 0 };
    for (size_t i = 0; i < q->upload_count; i++) {
        const struct upload *up = &q->uploads[i];
        const struct authority_document file = { up->file_name, up->content };
        if (text_eq(up->name, TEXT("document")) && (up->content.n || needed))
            return authority_document_put(c, id, &file, &answer);
    }
    const struct authority_document none = { { NULL, 0 }, { NULL, 0 } };
    return needed ? authority_document_put(c, id, &none, &answer) : OK;
}

static enum err enter_sent(struct ctx *c, const struct request *q, text *id)
{
    struct answer answer = { 0 };
    const struct json *in, *made;
    TRY(staff_reason(c, q));
    TRY(body_of(c, q, &in));
    TRY(authority_enter(c, in, &answer));
    TRY(json_parse(c->arena, answer.body, &made));
    *id = json_text(made, TEXT("id"));
    c->idempotency = (struct idempotency){ .key = { NULL, 0 } };
    return add_document(c, q, *id, false);
}

enum err api_staff_authority_enter(struct ctx *c, const struct request *q, struct reply *r)
{
    text id = { NULL, 0 };
    struct staff_outcome o = staff_outcome(c, enter_sent(c, q, &id));
    /* A document that is refused is asked for again with the request that stands. */
    if (id.n)
        return page_go(c, r, arena_print(c->arena, "/staff/authorities/%.*s", T(id)), TEXT("authority"));
    return staff_again(o.status) || o.status == ERR_NOT_FOUND ? show_new(c, q, r, &o) : o.status;
}

/* ---- One file. ---- */

/* "account_staff 01J…" of the file: the title, and the end of their number, since two must be told apart. */
static text who(struct ctx *c, text kept)
{
    text id = kept, name = text_cut(&id, ' '), title = staff_who(c, name);
    return id.n < NUMBER_END ? title : arena_print(c->arena, "%.*s (…%.*s)", T(title), T(text_from(id, id.n - NUMBER_END)));
}

static void put_file(struct page *p, const struct json *file)
{
    json_name(&p->w, TEXT("file"));
    if (!file) {
        json_put_null(&p->w);
        return;
    }
    json_open(&p->w, '{');
    JSON_EACH(member, file) {
        json_name(&p->w, member->key);
        if (member->kind == J_TEXT && text_ends(member->key, TEXT("_by")))
            json_put_text(&p->w, who(p->c, member->value));
        else
            json_put(&p->w, member);
    }
    json_close(&p->w, '}');
}

static enum err show_file(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                          const struct json *file)
{
    static const text kept[] = { TEXT_INIT("reason") };
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_authority"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, 1);
    json_pair(&p.w, TEXT("ref"), ID);
    put_file(&p, file);
    return page_show(&p, r, staff_status(o));
}

static enum err load_file(struct ctx *c, text id, const struct json **out)
{
    struct answer answer = { 0 };
    TRY(authority_get(c, id, &answer));
    return json_parse(c->arena, answer.body, out);
}

enum err api_staff_authority(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    const struct json *file = NULL;
    if (!staff_needs_reason(c))
        TRY(load_file(c, ID, &file));
    return show_file(c, q, r, &fine, file);
}

static enum err do_act(struct ctx *c, const struct request *q)
{
    struct answer answer = { 0 };
    const struct json *in;
    text act = SENT("act");
    TRY(staff_reason(c, q));
    TRY(form_dated(c, q->json, &in));
    if (text_eq(act, TEXT("document")))
        return add_document(c, q, ID, true);
    if (text_eq(act, TEXT("approve")))
        return authority_approve(c, ID, &answer);
    if (text_eq(act, TEXT("refuse")))
        return authority_refuse(c, ID, q->json, &answer);
    return text_eq(act, TEXT("secrecy")) ? authority_secrecy(c, ID, in, &answer) : OK;
}

enum err api_staff_authority_do(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *file = NULL;
    enum err e = do_act(c, q);
    struct staff_outcome o = staff_outcome(c, e);
    if (e != OK && !staff_again(e))
        return e;
    if (e == OK && SENT("act").n && !staff_needs_reason(c))
        return page_go(c, r, arena_print(c->arena, "/staff/authorities/%.*s", T(ID)), TEXT("authority"));
    enum err seen = load_file(c, ID, &file);
    if (seen != OK && e == OK)
        o = staff_outcome(c, seen);
    return seen == OK || staff_again(seen) ? show_file(c, q, r, &o, file) : seen;
}

enum err api_staff_authority_document(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(staff_reason(c, q));
    TRY(authority_document_get(c, ID, &answer));
    return reply_answer(c, q, r, &answer);
}

/* A file to give away. */
enum err api_staff_authority_hand(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(staff_reason(c, q));
    TRY(authority_hand(c, ID, q->json, &answer));
    answer.media_type = TEXT("application/json");
    answer.file_name = TEXT("handed.json");
    answer.id = (text){ NULL, 0 };
    return reply_answer(c, q, r, &answer);
}

/* ---- Programs. ---- */

static enum err put_document(struct ctx *c, const struct request *q, struct answer *answer)
{
    const struct authority_document file = { ASKED("name"), q->body };
    return authority_document_put(c, ID, &file, answer);
}

PAGED(authority_list, authority_list(c, &paging, &answer))
HANDLER(authority_enter, authority_enter(c, q->json, &answer))
HANDLER(authority_get, authority_get(c, ID, &answer))
HANDLER(authority_document_put, put_document(c, q, &answer))
HANDLER(authority_document_get, authority_document_get(c, ID, &answer))
HANDLER(authority_approve, authority_approve(c, ID, &answer))
HANDLER(authority_refuse, authority_refuse(c, ID, q->json, &answer))
HANDLER(authority_secrecy, authority_secrecy(c, ID, q->json, &answer))
HANDLER(authority_hand, authority_hand(c, ID, q->json, &answer))

/* Technical support: its page for who asks, and for the tenant who decides; and the same for programs. */
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/instance/token.h"
#include "domain/support/support.h"
#include "front/door/go.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

#define ID         q->params[0]
#define SENT(name) json_text(q->json, TEXT(name))

HANDLER(support_ask, support_ask(c, q->json, &answer))
PAGED(support_list, support_list(c, &paging, &answer))
PAGED(support_get, support_get(c, ID, &paging, &answer))
HANDLER(support_decide, support_decide(c, ID, q->json, &answer))
HANDLER(support_look, support_look(c, ID, q->json, &answer))
HANDLER(support_change, support_change(c, ID, q->params[1], q->json, &answer))
PAGED(tenant_tokens, token_tenant_list(c, &paging, &answer))
HANDLER(tenant_invite, support_invite(c, ID, q->json, &answer))

static enum err decide_token(struct ctx *c, text name, text decision)
{
    bool accepts = text_eq(decision, TEXT("accept"));
    if (!accepts && !text_eq(decision, TEXT("revoke")))
        return say(c->arena, ERR_VALUE, "\"decision\" is accept or revoke");
    return token_tenant_decide(c, name, accepts);
}

enum err api_tenant_token_decide(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(decide_token(c, ID, SENT("decision")));
    reply_none(r);
    return OK;
}

/* ---- The first page. ---- */

static enum err first_page(struct ctx *c, const struct request *q, struct paging *out)
{
    text after = request_query(q, TEXT("after"));
    return paging_parse(c, after.p ? after : TEXT(""), TEXT("50"), out);
}

static enum err put_sessions(struct page *p)
{
    struct answer answer = { 0 };
    struct paging paging;
    const struct json *list;
    TRY(first_page(p->c, p->q, &paging));
    TRY(support_list(p->c, &paging, &answer));
    TRY(json_parse(p->c->arena, answer.body, &list));
    json_name(&p->w, TEXT("sessions"));
    json_put(&p->w, json_get(list, TEXT("support")));
    json_pair(&p->w, TEXT("next"), json_text(list, TEXT("next")));
    return OK;
}

/* All tokens, page after page: a tenant sees each that may open its data. */
static enum err put_tokens(struct page *p)
{
    struct ctx *c = p->c;
    struct paging paging;
    text after = TEXT("");
    json_name(&p->w, TEXT("tokens"));
    json_open(&p->w, '[');
    do {
        struct answer answer = { 0 };
        const struct json *list;
        TRY(paging_parse(c, after, TEXT("1000"), &paging));
        TRY(token_tenant_list(c, &paging, &answer));
        TRY(json_parse(c->arena, answer.body, &list));
        JSON_EACH(one, json_get(list, TEXT("tokens"))) {
            text state = json_text(one, TEXT("state"));
            json_open(&p->w, '{');
            json_pair(&p->w, TEXT("name"), json_text(one, TEXT("name")));
            json_pair(&p->w, TEXT("actor"), staff_who(c, json_text(one, TEXT("actor"))));
            json_pair(&p->w, TEXT("created"), json_text(one, TEXT("created")));
            json_pair(&p->w, TEXT("state"), state);
            json_pair_bool(&p->w, TEXT("waits"), text_eq(state, TEXT("waits")));
            json_pair_bool(&p->w, TEXT("usable"), text_eq(state, TEXT("waits")) || text_eq(state, TEXT("valid")));
            json_close(&p->w, '}');
        }
        after = json_text(list, TEXT("next"));
    } while (after.n);
    json_close(&p->w, ']');
    return OK;
}

static enum err list_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    static const text kept[] = { TEXT_INIT("why"), TEXT_INIT("minutes") };
    PAGE_AUTO p = { 0 };
    bool own = support_is_own(c);
    TRY(staff_open(c, q, TEXT("staff_support"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    json_pair_bool(&p.w, TEXT("is_own"), own);
    json_pair_bool(&p.w, TEXT("may_ask"), support_may_ask(c));
    json_pair_int(&p.w, TEXT("most"), term_end(0, c->policy->support.last, 1) / MINUTE);
    json_name(&p.w, TEXT("tenants"));
    json_open(&p.w, '[');
    support_put_tenants(c, &p.w);
    json_close(&p.w, ']');
    TRY(put_sessions(&p));
    if (own)
        TRY(put_tokens(&p));
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_support(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return list_page(c, q, r, &fine);
}

/* A form's minutes are the term that programs send. */
static void put_for(struct ctx *c, struct json_out *w, text minutes)
{
    minutes = text_trim(minutes);
    if (minutes.n)
        json_pair(w, TEXT("for"), arena_print(c->arena, "%.*sm", T(minutes)));
}

static enum err ask(struct ctx *c, const struct request *q, text *id)
{
    BUF_AUTO b = buf_make(1 << 14);
    struct json_out w = json_out(&b);
    struct answer answer = { 0 };
    const struct json *in;
    json_open(&w, '{');
    json_pair(&w, TEXT("tenant"), SENT("tenant"));
    json_pair(&w, TEXT("reason"), SENT("why"));
    put_for(c, &w, SENT("minutes"));
    json_pair_bool(&w, TEXT("write"), SENT("write").n > 0);
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    TRY(support_ask(c, in, &answer));
    *id = answer.id;
    return OK;
}

enum err api_staff_support_do(struct ctx *c, const struct request *q, struct reply *r)
{
    text id = { NULL, 0 }, token = SENT("token");
    enum err status = token.n ? decide_token(c, token, SENT("decision")) : ask(c, q, &id);
    struct staff_outcome o = staff_outcome(c, status);
    if (status == OK && token.n)
        return page_go(c, r, TEXT("/staff/support"), TEXT("token_decided"));
    if (status == OK)
        return page_go(c, r, arena_print(c->arena, "/staff/support/%.*s", T(id)), TEXT("support_asked"));
    return status != ERR_REAUTHENTICATE && staff_again(status) ? list_page(c, q, r, &o) : status;
}

/* ---- One session. ---- */

static void put_identifiers(struct page *p)
{
    const struct policy *policy = p->c->policy;
    json_name(&p->w, TEXT("identifiers"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->category_count; i++) {
        const struct category *cat = &policy->categories[i];
        bool used = policy->support.purpose >= 0 && bits_has(&policy->purposes[policy->support.purpose].categories, i);
        for (unsigned k = 0; used && k < cat->field_count; k++) {
            text field = arena_print(p->c->arena, "%.*s.%.*s", T(cat->name), T(cat->fields[k].name));
            if (!cat->fields[k].identifier)
                continue;
            json_open(&p->w, '{');
            json_pair(&p->w, TEXT("field"), field);
            json_pair(&p->w, TEXT("says"), doc_field(p->c, cat, cat->fields[k].name));
            json_close(&p->w, '}');
        }
    }
    json_close(&p->w, ']');
}

static void put_value(struct page *p, const struct category *cat, const struct json *v)
{
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("says"), doc_field(p->c, cat, v->key));
    json_pair(&p->w, TEXT("value"), file_shown(p->c, cat, v));
    json_close(&p->w, '}');
}

/* The fields of one record, or of each of a list of them. */
static void put_record(struct page *p, const struct category *cat, const struct json *held)
{
    if (held->kind == J_ARRAY) {
        JSON_EACH(one, held)
            JSON_EACH(v, json_get(one, TEXT("fields")))
                put_value(p, cat, v);
        return;
    }
    JSON_EACH(v, held)
        put_value(p, cat, v);
}

static enum err put_looked(struct page *p, const struct answer *looked)
{
    const struct json *said;
    if (!looked->body.n)
        return OK;
    TRY(json_parse(p->c->arena, looked->body, &said));
    json_name(&p->w, TEXT("looked"));
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("whose"), json_text(said, TEXT("id")));
    json_name(&p->w, TEXT("cards"));
    json_open(&p->w, '[');
    JSON_EACH(held, json_get(said, TEXT("data"))) {
        int index = policy_category(p->c->policy, held->key);
        if (index < 0)
            continue;
        const struct category *cat = &p->c->policy->categories[index];
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("says"), doc_category(p->c, cat));
        json_name(&p->w, TEXT("values"));
        json_open(&p->w, '[');
        put_record(p, cat, held);
        json_close(&p->w, ']');
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_close(&p->w, '}');
    return OK;
}

static enum err put_file(struct page *p, bool own)
{
    static const text copied[] = { TEXT_INIT("id"),      TEXT_INIT("tenant_title"), TEXT_INIT("actor_title"),
                                   TEXT_INIT("reason"),  TEXT_INIT("state"),        TEXT_INIT("write"),
                                   TEXT_INIT("minutes"), TEXT_INIT("asked"),        TEXT_INIT("ends"),
                                   TEXT_INIT("looks"),   TEXT_INIT("next") };
    struct answer answer = { 0 };
    struct paging paging;
    const struct json *s;
    TRY(first_page(p->c, p->q, &paging));
    TRY(support_get(p->c, p->q->params[0], &paging, &answer));
    TRY(json_parse(p->c->arena, answer.body, &s));
    text state = json_text(s, TEXT("state"));
    bool asked = text_eq(state, TEXT("asked")), open = text_eq(state, TEXT("open"));
    json_name(&p->w, TEXT("session"));
    json_open(&p->w, '{');
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        page_copy(p, s, copied[i]);
    json_pair_bool(&p->w, TEXT("decidable"), own && asked);
    json_pair_bool(&p->w, TEXT("endable"), asked || open);
    json_pair_bool(&p->w, TEXT("lets_in"), !own && open);
    json_close(&p->w, '}');
    return OK;
}

static enum err one_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                         const struct answer *looked)
{
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_support_one"), &p));
    staff_problem(&p, o);
    json_pair_bool(&p.w, TEXT("nobody"), o->status == ERR_NOT_FOUND);
    TRY(put_file(&p, support_is_own(c)));
    put_identifiers(&p);
    TRY(put_looked(&p, looked));
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_support_one(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    const struct answer nothing = { 0 };
    return one_page(c, q, r, &fine, &nothing);
}

static enum err look(struct ctx *c, const struct request *q, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 14);
    struct json_out w = json_out(&b);
    const struct json *in;
    json_open(&w, '{');
    if (text_eq(SENT("field"), TEXT("id")))
        json_pair(&w, TEXT("subject"), text_trim(SENT("value")));
    else {
        json_name(&w, TEXT("identifier"));
        json_open(&w, '{');
        json_pair(&w, SENT("field"), text_trim(SENT("value")));
        json_close(&w, '}');
    }
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    return support_look(c, ID, in, out);
}

static enum err decide(struct ctx *c, const struct request *q)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    struct answer answer = { 0 };
    const struct json *in;
    json_open(&w, '{');
    json_pair(&w, TEXT("do"), SENT("do"));
    put_for(c, &w, SENT("minutes"));
    json_pair_bool(&w, TEXT("write"), SENT("write").n > 0);
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    return support_decide(c, ID, in, &answer);
}

/* Nobody found is shown on the session's own page, as long as there is a session. */
static bool shown_here(struct ctx *c, const struct request *q, enum err status, bool looks)
{
    struct answer there = { 0 };
    const struct paging first = { .limit = 1 };
    struct why why = c->arena->why;
    if (status == ERR_REAUTHENTICATE)
        return false;
    if (staff_again(status))
        return true;
    bool shown = looks && status == ERR_NOT_FOUND && support_get(c, ID, &first, &there) == OK;
    c->arena->why = why;
    return shown;
}

enum err api_staff_support_one_do(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer looked = { 0 };
    bool looks = text_eq(SENT("do"), TEXT("look")), ends = text_eq(SENT("do"), TEXT("end"));
    enum err status = looks ? look(c, q, &looked) : decide(c, q);
    struct staff_outcome o = staff_outcome(c, status);
    if (status == OK && !looks)
        return page_go(c, r, arena_print(c->arena, "/staff/support/%.*s", T(ID)),
                       ends ? TEXT("support_ended") : TEXT("support_decided"));
    return status == OK || shown_here(c, q, status, looks) ? one_page(c, q, r, &o, &looked) : status;
}

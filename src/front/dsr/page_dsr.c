/* Requests for people: the form without an account, the links of letters, and a signed-in person's own. */
#include "domain/dsr/dsr.h"
#include "front/door/go.h"
#include "front/page/page_link.h"
#include "front/page/page_person.h"

#define SENT(name)  json_text(q->json, TEXT(name))
#define ASKED(name) request_query(q, TEXT(name))

static int status_of(const struct why *why) { return why ? err_row(why->code)->http : 200; }

static struct why why_of(const struct ctx *c, enum err e)
{
    struct why why = c->arena->why;
    why.code = e;
    return why;
}

static void put_kinds(struct page *p, text chosen)
{
    struct dsr_kind kind;
    json_name(&p->w, TEXT("kinds"));
    json_open(&p->w, '[');
    for (unsigned i = 0; dsr_kind_at(p->c, i, &kind); i++) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("kind"), kind.name);
        json_pair(&p->w, TEXT("says"), kind.says);
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(kind.name, chosen));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

/* ---- The form. ---- */

static enum err show_form(struct ctx *c, const struct request *q, struct reply *r, const struct why *why)
{
    static const text kept[] = { TEXT_INIT("email"), TEXT_INIT("name"), TEXT_INIT("person"), TEXT_INIT("text") };
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, TEXT("requests"), TEXT(""), &p));
    page_problem(&p, why);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    put_kinds(&p, SENT("kind"));
    json_pair_bool(&p.w, TEXT("accounts"), c->policy->session.cookie.n != 0);
    return page_show(&p, r, status_of(why));
}

enum err api_dsr_page(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(request_take_language(c, q));
    TRY(dsr_form_open(c));
    return show_form(c, q, r, NULL);
}

enum err api_dsr_send(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    PAGE_AUTO p = { 0 };
    TRY(request_take_language(c, q));
    enum err e = dsr_submit(c, q->json, &answer);
    if (e != OK) {
        struct why why = why_of(c, e);
        return show_form(c, q, r, &why);
    }
    TRY(page_open(c, q, TEXT("requests_sent"), TEXT(""), &p));
    return page_show(&p, r, 200);
}

/* ---- The link of the acknowledgement. ---- */

static bool is_move(const struct json *move, const char *name)
{
    return text_eq(json_text(move, TEXT("move")), text_of(name));
}

/* Moves that have a button, with what is written with them; a file has a form of its own. */
static void put_acts(struct page *p, const struct json *request)
{
    bool first = true;
    json_name(&p->w, TEXT("acts"));
    json_open(&p->w, '[');
    JSON_EACH(move, json_get(request, TEXT("moves"))) {
        if (!is_move(move, "confirm") && !is_move(move, "reply") && !is_move(move, "withdraw"))
            continue;
        json_open(&p->w, '{');
        page_copy(p, move, TEXT("move"));
        json_pair_bool(&p->w, TEXT("says"), is_move(move, "reply"));
        json_pair_bool(&p->w, TEXT("first"), first && !is_move(move, "withdraw"));
        json_close(&p->w, '}');
        first = false;
    }
    json_close(&p->w, ']');
}

static bool can_give(const struct json *request, const char *what)
{
    JSON_EACH(move, json_get(request, TEXT("moves")))
        if (is_move(move, what))
            return true;
    return false;
}

static enum err show_follow(struct ctx *c, const struct request *q, struct reply *r, text token,
                            const struct answer *answer, const struct why *why)
{
    PAGE_AUTO p = { 0 };
    const struct json *request;
    TRY(json_parse(c->arena, answer->body, &request));
    TRY(page_open(c, q, TEXT("requests_follow"), TEXT(""), &p));
    page_problem(&p, why);
    json_pair(&p.w, TEXT("token"), token);
    json_name(&p.w, TEXT("request"));
    json_put(&p.w, request);
    json_pair_bool(&p.w, TEXT("can_prove"), can_give(request, "give_proof"));
    json_pair_bool(&p.w, TEXT("can_mandate"), can_give(request, "give_mandate"));
    put_acts(&p, request);
    return page_show(&p, r, status_of(why));
}

static text or_empty(text s) { return s.p ? s : TEXT(""); }

/* ---- Links that do not work, or no longer. ---- */

static void ask_again(struct ctx *c, struct link_gone *g)
{
    struct why why = c->arena->why;
    bool form = dsr_form_open(c) == OK;
    c->arena->why = why;
    g->contact = true;
    if (!form)
        return;
    g->path = TEXT("/requests");
    g->ask = TEXT("link.ask.request");
}

static enum err follow_over(struct ctx *c, const struct request *q, struct reply *r, enum err e)
{
    struct link_gone g = { .fate = LINK_UNKNOWN, .kind = TEXT("follow") };
    if (e != ERR_NOT_FOUND)
        return e;
    ask_again(c, &g);
    return page_link_gone(c, q, r, &g, e);
}

static enum err link_over(struct ctx *c, const struct request *q, struct reply *r, text token, enum err e)
{
    struct link_gone g = { .kind = TEXT("request"), .without = true };
    text what = TEXT("");
    bool again;
    if (e != ERR_NOT_FOUND)
        return e;
    struct why why = c->arena->why;
    TRY(dsr_link_fate(c, token, &g.fate, &what, &again));
    c->arena->why = why;
    if (again || text_eq(what, TEXT("identity")) || text_eq(what, TEXT("mandate")))
        g.kind = what;
    if (again) {
        g.renew = TEXT("/requests/link/again");
        g.token = token;
        g.ask = TEXT("link.ask.answer");
    } else {
        ask_again(c, &g);
    }
    return page_link_gone(c, q, r, &g, e);
}

enum err api_dsr_link_again(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    TRY(request_take_language(c, q));
    enum err e = dsr_link_again(c, SENT("token"));
    if (e != OK)
        return link_over(c, q, r, SENT("token"), e);
    TRY(page_open(c, q, TEXT("requests_again"), TEXT(""), &p));
    return page_show(&p, r, 200);
}

enum err api_dsr_follow_page(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    text token = or_empty(ASKED("token"));
    TRY(request_take_language(c, q));
    enum err e = dsr_follow(c, token, &answer);
    return e == OK ? show_follow(c, q, r, token, &answer, NULL) : follow_over(c, q, r, e);
}

/* What could not be done is said above the request as it stands. */
static enum err after_follow(struct ctx *c, const struct request *q, struct reply *r, text token, enum err e,
                             struct answer *answer)
{
    if (e == OK)
        return show_follow(c, q, r, token, answer, NULL);
    struct why why = why_of(c, e);
    if (e == ERR_NOT_FOUND)
        return follow_over(c, q, r, e);
    TRY(dsr_follow(c, token, answer));
    return show_follow(c, q, r, token, answer, &why);
}

enum err api_dsr_follow_do(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    enum err e = dsr_follow_move(c, SENT("token"), SENT("move"), SENT("text"), &answer);
    return after_follow(c, q, r, SENT("token"), e, &answer);
}

enum err api_dsr_proof(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    text token = SENT("token");
    struct dsr_proof proof = { .name = TEXT("") };
    TRY(request_take_language(c, q));
    if (q->upload_count)
        proof = (struct dsr_proof){ .name = q->uploads[0].file_name, .content = q->uploads[0].content };
    proof.mandate = text_eq(SENT("what"), TEXT("mandate"));
    enum err e = dsr_follow_proof(c, token, &proof, &answer);
    return after_follow(c, q, r, token, e, &answer);
}

/* ---- Links that work once. ---- */

enum err api_dsr_link_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *request;
    text token = or_empty(ASKED("token"));
    TRY(request_take_language(c, q));
    enum err e = dsr_link(c, token, &answer);
    if (e != OK)
        return link_over(c, q, r, token, e);
    TRY(json_parse(c->arena, answer.body, &request));
    TRY(page_open(c, q, TEXT("requests_link"), TEXT(""), &p));
    json_pair(&p.w, TEXT("token"), token);
    json_name(&p.w, TEXT("request"));
    json_put(&p.w, request);
    return page_show(&p, r, 200);
}

enum err api_dsr_link_use(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *request;
    TRY(request_take_language(c, q));
    enum err e = dsr_link_use(c, SENT("token"), &answer);
    if (e != OK)
        return link_over(c, q, r, SENT("token"), e);
    if (answer.pieces)
        return reply_answer(c, q, r, &answer);
    if (answer.media_type.p) {
        reply_bytes(r, 200, answer.media_type, answer.body);
        return OK;
    }
    TRY(json_parse(c->arena, answer.body, &request));
    TRY(page_open(c, q, TEXT("requests_answer"), TEXT(""), &p));
    json_pair_bool(&p.w, TEXT("identity"), text_eq(json_text(request, TEXT("for")), TEXT("identity")));
    json_pair_bool(&p.w, TEXT("disowned"), text_eq(json_text(request, TEXT("for")), TEXT("mandate")));
    json_name(&p.w, TEXT("request"));
    json_put(&p.w, request);
    return page_show(&p, r, 200);
}

/* ---- A signed-in person's own. ---- */

static void put_own(struct page *p, const struct json *request)
{
    json_open(&p->w, '{');
    JSON_EACH(member, request) {
        json_name(&p->w, member->key);
        json_put(&p->w, member);
    }
    put_acts(p, request);
    json_close(&p->w, '}');
}

static enum err show_own(struct ctx *c, const struct request *q, struct reply *r, const struct why *why)
{
    PAGE_AUTO p = { 0 };
    const struct json *file;
    TRY(page_open(c, q, TEXT("my_requests"), TEXT("me"), &p));
    TRY(file_own(c, &file));
    page_problem(&p, why);
    put_kinds(&p, why ? SENT("kind") : TEXT(""));
    json_pair(&p.w, TEXT("text"), why ? SENT("text") : TEXT(""));
    json_name(&p.w, TEXT("requests"));
    json_open(&p.w, '[');
    JSON_EACH(request, json_get(file, TEXT("requests")))
        put_own(&p, request);
    json_close(&p.w, ']');
    return page_show(&p, r, status_of(why));
}

enum err api_dsr_own(struct ctx *c, const struct request *q, struct reply *r) { return show_own(c, q, r, NULL); }

static enum err after_own(struct ctx *c, const struct request *q, struct reply *r, enum err e, text done)
{
    if (e == OK)
        return page_go(c, r, TEXT("/me/requests"), done);
    struct why why = why_of(c, e);
    return show_own(c, q, r, &why);
}

enum err api_dsr_ask(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    return after_own(c, q, r, dsr_ask(c, q->json, &answer), TEXT("asked"));
}

enum err api_dsr_own_do(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    enum err e = dsr_own_move(c, q->params[0], SENT("move"), SENT("text"), &answer);
    return after_own(c, q, r, e, TEXT("moved"));
}

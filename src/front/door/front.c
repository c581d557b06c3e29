/* The front: identity, admission, body, handler, answer. */
#include "front/door/front.h"
#include "base/fiber.h"
#include "base/log.h"
#include "domain/core/id.h"
#include "domain/core/idempotency.h"
#include "domain/core/actor.h"
#include "domain/core/decided.h"
#include "domain/account/session.h"
#include "front/door/coding.h"
#include "front/door/cookie.h"
#include "front/door/form.h"
#include "front/door/gate.h"
#include "front/door/guard.h"
#include "front/door/kept.h"
#include "front/door/go.h"
#include "front/door/multipart.h"
#include "front/door/schema.h"
#include "front/door/word.h"

size_t front_body_limit(const struct route *route)
{
    return route->body == BODY_FILE || route_uploads(route) ? FILE_LIMIT
         : route->body == BODY_NONE ? 0 : BODY_LIMIT;
}

/* Values in one JSON text: bounded before the parser builds its tree of them, which is many times larger than the text.
 */
static enum err bound_values(struct arena *a, text body)
{
    enum { VALUES_MAX = 65536 };
    size_t values = 0;
    bool quoted = false;
    for (size_t i = 0; i < body.n; i++) {
        char c = body.p[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"')
            quoted = true;
        else
            values += c == ',' || c == '[' || c == '{';
    }
    return values <= VALUES_MAX ? OK : say(a, ERR_TOO_LARGE, "the JSON holds more than %d values", VALUES_MAX);
}

static bool json_type(text header)
{
    text type = text_trim(text_cut(&header, ';'));
    return !type.p || text_eq_nocase(type, TEXT("application/json")) ||
           text_eq_nocase(type, TEXT("application/merge-patch+json"));
}

static enum err parse_body(struct arena *a, struct request *q)
{
    if (!json_type(request_header(q, TEXT("Content-Type"))))
        return say(a, ERR_MEDIA_TYPE, "this resource takes application/json%s",
                   q->method == METHOD_PATCH ? " or application/merge-patch+json" : "");
    if (!text_utf8(q->body))
        return say(a, ERR_JSON, "the body is not UTF-8");
    TRY(bound_values(a, q->body));
    enum err e = json_parse(a, q->body, &q->json);
    return e == ERR_MEMORY && a->full ? say(a, ERR_TOO_LARGE, "the JSON needs more memory than a request has") : e;
}

static bool form_type(text header)
{
    return text_eq_nocase(text_trim(text_cut(&header, ';')), TEXT("application/x-www-form-urlencoded"));
}

static enum err no_members(struct arena *a, const struct json *body)
{
    if (body->kind != J_OBJECT || !body->count)
        return say(a, ERR_USAGE, "this resource takes no body, or an empty object");
    text first = schema_shown(body->first->key);
    say(a, ERR_USAGE, "this resource takes no body, or an empty object: it has no member \"%.*s\"", T(first));
    snprintf(a->why.field, sizeof a->why.field, "%.*s", T(first));
    return ERR_USAGE;
}

/* An item of a batch brings its body as JSON already. */
static enum err decode_body(struct arena *a, struct request *q)
{
    enum body_kind kind = q->route->body;
    if (kind == BODY_FILE)
        return OK;
    if (kind == BODY_NONE)
        return q->body.n || q->json ? say(a, ERR_USAGE, "this resource takes no body") : OK;
    if (route_uploads(q->route) && multipart_type(request_header(q, TEXT("Content-Type"))))
        TRY(multipart_parse(a, q));
    else if (q->body.n > BODY_LIMIT) /* what is no file has no need of a file's room */
        return say(a, ERR_TOO_LARGE, "a body without files has at most %d bytes", BODY_LIMIT);
    else if (kind == BODY_FORM && form_type(request_header(q, TEXT("Content-Type"))))
        TRY(form_parse(a, q->body, &q->json, &q->csrf));
    else if (!q->in_batch && (q->body.n || kind != BODY_OPTIONAL))
        TRY(parse_body(a, q));
    if (!q->json)
        return kind == BODY_OPTIONAL ? OK : say(a, ERR_JSON, "the item has no body");
    /* A page's form has members of the page's own, such as a field of the policy each: its handler takes what it knows.
     */
    if (!q->route->input.n)
        return q->json->kind == J_OBJECT && (!q->json->count || kind == BODY_FORM) ? OK : no_members(a, q->json);
    return schema_check(a, q->route->input, q->json);
}

/* ---- What takes long. ---- */

text front_owner(struct ctx *c, const struct request *q)
{
    if (c->actor.has_self)
        return arena_print(c->arena, "person %.*s", T(id_print(c->arena, c->actor.self)));
    if (c->actor.token.n)
        return arena_print(c->arena, "token %.*s/%.*s", T(c->tenant), T(c->actor.token));
    return q->operator_socket ? TEXT("operator")
                              : arena_print(c->arena, "address %.*s", T(address_text(c->arena, q->address)));
}

struct call {
    struct ctx *c;
    struct request q;
    struct reply *r;
    text owner;
    enum err status;
};

/* Asked when its turn has come, and few of one owner have it at once: so no more waits to be taken than the budget and
 * those few. */
static void run_call(void *arg)
{
    struct call *call = arg;
    struct ctx *c = call->c;
    call->status = share_room(call->q.front->shares, c->arena, c->language, call->owner, BUDGET_answers);
    if (call->status == OK)
        call->status = call->q.route->handler(c, &call->q, call->r);
}

/* A batch hands its items aside one by one; whatever else came with a large body takes as long as that is. */
static bool takes_long(const struct request *q)
{
    return q->fibers && q->front->crew &&
           (route_aside(q->route) || (q->body.n > BODY_SMALL && route_id(q->route) != ROUTE_batch));
}

/* Handled by the crew, what waits blocks a thread of the crew, and nothing is on the loop. */
static enum err aside(struct ctx *c, const struct request *q, struct call *call, void (*run)(void *arg))
{
    call->owner = front_owner(c, q);
    TRY_PTR(call->owner.p);
    bool large = run == run_call && route_budget(q->route) == BUDGET_exports;
    TRY(crew_do(large ? q->front->large : q->front->crew, c->arena, call->owner, run, call));
    return call->status;
}

/* What is large takes one of its caller's budget until the answer has been taken. The operator's own socket has none,
 * and a batch has one for all its items. */
static enum err hold(struct ctx *c, const struct request *q, struct reply *r)
{
    int budget = route_budget(q->route);
    if (budget < 0 || !q->front->shares || q->operator_socket || q->in_batch)
        return OK;
    text owner = front_owner(c, q);
    TRY_PTR(owner.p);
    TRY(share_room(q->front->shares, c->arena, c->language, owner, BUDGET_answers));
    return share_take(q->front->shares, c->arena, c->language, owner, (enum budget)budget, 1, &r->held);
}

static enum err call_handler(struct ctx *c, const struct request *q, struct reply *r)
{
    struct call call = { .c = c, .q = *q, .r = r };
    TRY(hold(c, q, r));
    if (!takes_long(q)) {
        c->quick = q->fibers && q->front->crew;
        enum err status = q->route->handler(c, q, r);
        c->quick = false;
        if (status != ERR_ASIDE)
            return status;
        buf_clear(&r->buf);
    }
    call.q.fibers = NULL;
    return aside(c, q, &call, run_call);
}

static void run_decode(void *arg)
{
    struct call *call = arg;
    call->status = decode_body(call->c->arena, &call->q);
}

static enum err decode(struct ctx *c, struct request *q)
{
    struct call call = { .c = c, .q = *q };
    if (!q->fibers || !q->front->crew || q->body.n <= BODY_SMALL)
        return decode_body(c->arena, q);
    enum err status = aside(c, q, &call, run_decode);
    *q = call.q;
    return status;
}

static void run_guard(void *arg)
{
    struct call *call = arg;
    call->status = guard_cards(call->c, &call->q);
}

static enum err guard(struct ctx *c, const struct request *q)
{
    struct call call = { .c = c, .q = *q };
    bool small = q->body.n <= BODY_SMALL || q->route->body == BODY_FILE;
    if (!q->fibers || !q->front->crew || small)
        return guard_cards(c, q);
    call.q.fibers = NULL;
    return aside(c, q, &call, run_guard);
}

static enum err handle(struct ctx *c, struct request *q, struct reply *r)
{
    TRY(gate_admit(c, q->route));
    TRY(route_complete(c->arena, q));
    TRY(decode(c, q));
    TRY(gate_forgery(c, q));
    TRY(guard(c, q));
    if (c->idempotency.key.p) {
        bool found = false;
        struct answer answer = { 0 };
        TRY(idempotency_find(c, &found, &answer));
        if (found)
            return reply_answer(c, q, r, &answer);
    }
    return call_handler(c, q, r);
}

enum err front_handle(struct ctx *c, struct request *q, struct reply *r)
{
    struct actor actor = c->actor; /* what one item of a batch does as oneself the next does in one's role again */
    enum err e = person_settled(c, handle(c, q, r));
    if (q->in_batch)
        c->actor = actor;
    return e;
}

/* By its key in the policy, alone or behind a prefix that only narrows it, or by the name that the policy gives it on
 * the wire. */
static bool cookie_declared(const struct node *declared, text name)
{
    static const text prefixes[] = { TEXT_INIT("__Host-"), TEXT_INIT("__Secure-") };
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (text_starts(name, prefixes[i]) && node_get(declared, text_from(name, prefixes[i].n)))
            return true;
    NODE_EACH(n, declared) {
        text given = node_text(n, TEXT("name"));
        if (text_eq(given.n ? given : n->key, name))
            return true;
    }
    return false;
}

unsigned front_filter_cookies(const struct policy *policy, struct reply *r)
{
    const struct node *declared = node_get(policy->root, TEXT("cookies"));
    unsigned kept = 0, held = 0;
    for (unsigned i = 0; i < r->header_count; i++) {
        text value = r->headers[i].value;
        bool cookie = text_eq_nocase(r->headers[i].name, TEXT("Set-Cookie"));
        if (!cookie || cookie_declared(declared, text_trim(text_cut(&value, '='))))
            r->headers[kept++] = r->headers[i];
        else
            held++;
    }
    r->header_count = kept;
    return held;
}

/* Also what a form of a page asks for that is none itself: a download. */
static bool is_page(const struct request *q)
{
    bool form = q->route && q->route->body == BODY_FORM && !text_starts(q->route->path, TEXT("/v1/"));
    return form || (q->route && text_starts(q->route->output, TEXT("=text/html")));
}

/* Who must sign in to see a page is taken there, and back. */
static bool to_signin(const struct request *q, struct arena *a, struct reply *r)
{
    enum { NEXT_MOST = 600 }; /* each of its bytes may take three in the header */
    BUF_AUTO b = buf_make(16 << 10);
    if (a->why.code != ERR_UNAUTHORISED || !is_page(q) || q->operator_socket ||
        request_header(q, TEXT("Authorization")).p)
        return false;
    buf_add(&b, TEXT("/signin"));
    if (q->method == METHOD_GET && q->target.n <= NEXT_MOST) {
        buf_add(&b, TEXT("?next="));
        buf_percent(&b, q->target);
    }
    text location;
    if (buf_take(a, &b, &location) != OK)
        return false;
    reply_reset(r);
    reply_none(r);
    r->status = 303;
    return reply_header(a, r, TEXT("Location"), location) == OK;
}

/* ---- Somebody signed in on a page for everybody. ---- */

const struct session *front_session(struct ctx *c, const struct request *q)
{
    const struct session *found = NULL;
    text secret = c->policy->session.cookie.n && !q->operator_socket ? request_cookie(q, c->policy->session.cookie)
                                                                     : (text){ NULL, 0 };
    if (c->session || !secret.p)
        return c->session;
    if (session_look(c, secret, &found) != OK)
        LOG(LOG_WARN, "a session could not be looked up for a page",
            LOG_TEXT("route", q->route ? q->route->name : TEXT("-")));
    return found;
}

static void kept_by_nobody(struct reply *r)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < r->header_count; i++)
        if (!text_eq_nocase(r->headers[i].name, TEXT("Cache-Control")) &&
            !text_eq_nocase(r->headers[i].name, TEXT("ETag")))
            r->headers[kept++] = r->headers[i];
    r->header_count = kept; /* without any, an answer is "no-store" (loop.c) */
}

enum err front_sign_out(struct ctx *c, const struct request *q, struct reply *r)
{
    static const text bar = TEXT_INIT("<header class=\"bar\">"), end = TEXT_INIT("</header>");
    static const text enter = TEXT_INIT("<a class=\"enter\"");
    ptrdiff_t from = text_starts(r->type, TEXT("text/html")) ? text_find(r->body, bar) : -1;
    ptrdiff_t size = from < 0 ? -1 : text_find(text_from(r->body, (size_t)from), end);
    const struct session *s = size < 0 || text_find(r->body, TEXT("action=\"/signout\"")) >= 0 ? NULL
                                                                                               : front_session(c, q);
    if (!s)
        return OK;
    BUF_AUTO b = buf_make(16 << 20);
    size_t at = (size_t)(from + size);
    ptrdiff_t invites = text_find(text_upto(r->body, at), enter);            /* in place of "Sign in" */
    buf_add(&b, text_upto(r->body, invites < 0 ? at : (size_t)invites));
    buf_add(&b, TEXT("<nav class=\"own\"><a href=\"/me\">"));
    word_put(&b, word_find(TEXT("frame.home"), c->language), c->language);
    buf_add(&b, TEXT("</a></nav>\n<form class=\"signout\" method=\"post\" action=\"/signout\">"
                     "<input type=\"hidden\" name=\"csrf\" value=\""));
    buf_html(&b, text_of(s->csrf));
    buf_add(&b, TEXT("\">\n<button class=\"quiet\">"));
    word_put(&b, word_find(TEXT("frame.signout"), c->language), c->language);
    buf_add(&b, TEXT("</button></form>\n"));
    buf_add(&b, text_from(r->body, at));
    TRY(buf_take(c->arena, &b, &r->body));
    kept_by_nobody(r);
    return OK;
}

/* A browser that asked for a page is answered by a page; when even that fails, the problem is still told. */
static bool refuse_as_page(struct ctx *c, const struct request *q, struct reply *r)
{
    text type = request_header(q, TEXT("Content-Type"));
    bool sent = form_type(type) || multipart_type(type);          /* by a form of a page, whatever it accepts */
    bool page = q->route ? is_page(q) && (sent || request_wants_html(q)) : request_wants_html(q);
    struct why why = c->arena->why;
    if (!page)
        return false;
    reply_reset(r);
    const struct session *own = c->session;
    c->session = front_session(c, q);
    bool made = route_hands.refusal(c, q, r, &why) == OK;
    c->session = own;
    c->arena->why = why;
    return made;
}

/* What harms most in a stranger's hands waits until the password is typed again, and then goes on where it was asked
 * for. */
static bool to_proof(struct ctx *c, const struct request *q, struct reply *r)
{
    BUF_AUTO b = buf_make(16 << 10);
    text path = q->target, again;
    path = text_cut(&path, '?');
    if (c->arena->why.code != ERR_REAUTHENTICATE || !is_page(q))
        return false;
    buf_add(&b, TEXT("/signin/again?next="));
    buf_percent(&b, path);
    if (buf_take(c->arena, &b, &again) != OK)
        return false;
    reply_reset(r);
    return page_go(c, r, again, TEXT("")) == OK;
}

/* A form whose session is over, or waits for the password again, is not lost: it goes on after that. */
static bool to_later(struct ctx *c, const struct request *q, struct reply *r)
{
    struct why why = c->arena->why;
    text csrf;
    bool waits = why.code == ERR_UNAUTHORISED || why.code == ERR_REAUTHENTICATE || why.code == ERR_FORGED;
    if (!waits || !form_keeps(c, q, &csrf))
        return false;
    reply_reset(r);
    bool made = route_hands.keep(c, q, r, csrf) == OK;
    c->arena->why = why;
    if (!made)
        reply_reset(r);
    return made;
}

static void refuse(struct ctx *c, const struct request *q, struct reply *r)
{
    struct arena *a = c->arena;
    if (a->lost == ERR_MEMORY && a->why.code != ERR_TOO_LARGE)
        arena_whole(a); /* whatever it was taken for where the memory lacked */
    if (to_later(c, q, r) || to_signin(q, a, r) || to_proof(c, q, r))
        return;
    if (!refuse_as_page(c, q, r))
        reply_problem(r, &a->why, c->language);
    if (a->why.code == ERR_METHOD) {
        text allow = route_allow(a, q->target);
        if (allow.n)
            r->headers[r->header_count++] = (struct pair){ TEXT("Allow"), allow };
    }
}

void front_refuse(const struct request *q, struct arena *a, struct reply *r)
{
    CTX_AUTO c = { 0 };
    struct why why = a->why;
    ctx_begin(q->front->app, a, &c);
    c.language = request_language(c.policy, request_header(q, TEXT("Accept-Language")));
    a->why = why;
    refuse(&c, q, r);
}

/* What was asked for is done, or refused, by now: without the cookie the session ends sooner in the browser, and that
 * alone. */
static void follow_session(struct ctx *c, const struct request *q, struct reply *r)
{
    if (cookie_follow_session(c, q, r) != OK)
        LOG(LOG_WARN, "a session's cookie was not told", LOG_TEXT("route", q->route->name));
    if (cookie_end_unwanted(c, q, r) != OK)
        LOG(LOG_WARN, "cookies that nobody agreed to were not taken back", LOG_TEXT("route", q->route->name));
}

bool front_turns_away(struct request *q, uint64_t length, struct arena *a, struct reply *r, struct share *held)
{
    CTX_AUTO c = { 0 };
    ctx_begin(q->front->app, a, &c);
    c.language = request_language(c.policy, request_header(q, TEXT("Accept-Language")));
    enum err e = gate_identify(&c, q);
    if (e == OK)
        e = gate_admit(&c, q->route);
    if (e == OK && !q->operator_socket) {
        text owner = front_owner(&c, q);
        e = owner.p ? share_take(q->front->shares, a, c.language, owner, BUDGET_bodies, (int64_t)length, held)
                    : ERR_MEMORY;
    }
    if (e != OK) {
        a->why.code = e;
        front_refuse(q, a, r);
        follow_session(&c, q, r);
    }
    return e != OK;
}

void front_answer(struct request *q, struct arena *a, struct reply *r)
{
    CTX_AUTO c = { 0 };
    ctx_begin(q->front->app, a, &c);
    c.language = request_language(c.policy, request_header(q, TEXT("Accept-Language")));
    enum err e = gate_identify(&c, q);
    if (e == OK)
        e = gate_headers(&c, q);
    if (e == OK && route_is_page(q->route))
        request_take_language(&c, q); /* what is refused is said in it too; the handler tells what is wrong with it */
    if (e == OK && !route_always(q->route))
        e = budget_ask(&c);
    if (e == OK)
        e = front_handle(&c, q, r);
    if (q->front->shares && !q->operator_socket && (r->pieces || r->body.n > BODY_SMALL))
        r->owner = front_owner(&c, q);
    if (e == OK && !r->status)
        e = say(a, ERR_INTERNAL, "the handler \"%.*s\" made no answer", T(q->route->name));
    if (e == OK)
        e = front_sign_out(&c, q, r);
    if (e == OK)
        e = coding_pack(&c, q, r);
    if (e != OK) {
        a->why.code = e;
        reply_reset(r);
        refuse(&c, q, r);
    }
    follow_session(&c, q, r);
    if (front_filter_cookies(c.policy, r))
        app_cookie_held(c.app);
}

static bool is_carried(struct request *q, struct arena *a, text origin, text method)
{
    CTX_AUTO c = { 0 };
    struct why kept = a->why;
    q->method = method_of(method);
    bool found = route_find(a, q) == OK && route_abroad(q->route);
    if (found) {
        ctx_begin(q->front->app, a, &c);
        found = route_hands.carried(&c, q, gate_authority(origin));
    }
    q->method = METHOD_OPTIONS;
    q->route = NULL;
    a->why = kept;
    return found;
}

enum err front_preflight(struct request *q, struct arena *a, struct reply *r)
{
    text origin = request_header(q, TEXT("Origin")), method = request_header(q, TEXT("Access-Control-Request-Method"));
    if (!origin.n || !method.n || !is_carried(q, a, origin, method))
        return OK;
    TRY(reply_header(a, r, TEXT("Access-Control-Allow-Origin"), origin));
    TRY(reply_header(a, r, TEXT("Access-Control-Allow-Methods"), method));
    TRY(reply_header(a, r, TEXT("Access-Control-Allow-Headers"), TEXT("content-type")));
    TRY(reply_header(a, r, TEXT("Access-Control-Max-Age"), TEXT("600")));
    return reply_header(a, r, TEXT("Vary"), TEXT("Origin"));
}

struct aside {
    struct ctx *c;
    const struct request *q;
    front_long *run;
    struct answer *answer;
    enum err result;
    struct wait done;
};

static void *aside_main(void *arg)
{
    struct aside *x = arg;
    x->result = x->run(x->c, x->q, x->answer);
    wait_done(&x->done);
    return NULL;
}

enum err front_aside(struct ctx *c, const struct request *q, front_long *run, struct answer *answer)
{
    struct aside x = { .c = c, .q = q, .run = run, .answer = answer };
    pthread_attr_t detached;
    pthread_t thread;
    if (!q->fibers)
        return run(c, q, answer);
    wait_init(&x.done);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    bool started = pthread_create(&thread, &detached, aside_main, &x) == 0;
    pthread_attr_destroy(&detached);
    if (!started)
        return say(c->arena, ERR_BUSY, "no thread is left for this work");
    wait_for(&x.done);
    return x.result;
}

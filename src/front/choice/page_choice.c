/* Forms of the policy's collection points: the page, the script of other sites, what is sent, the letter's link; the
 * same for programs. */
#include "base/file/asset.h"
#include "domain/choice/choice.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/mail/mail.h"
#include "front/door/gate.h"
#include "front/door/word.h"
#include "front/page/page_link.h"
#include "front/page/page_person.h"

extern const struct assets choice_assets; /* made by tools/embed from choice/ */

#define NAME q->params[0]

static int status_of(const struct why *why) { return why ? err_row(why->code)->http : 200; }

/* ---- The page. ---- */

/* Who is younger gives the address of a parent: a field as the policy's own are. */
static void put_parent(struct page *p, const struct json *sent)
{
    struct json_out *w = &p->w;
    json_pair_bool(w, TEXT("minor"), json_text(sent, TEXT("minor")).n);
    json_name(w, TEXT("parent_field"));
    json_open(w, '{');
    json_pair(w, TEXT("id"), TEXT("parent"));
    page_word(p, TEXT("title"), TEXT("form.parent"));
    page_word(p, TEXT("hint"), TEXT("form.parent_hint"));
    page_text(p, TEXT("wrong"), fault_of(p, TEXT("parent")));
    json_pair(w, TEXT("input"), TEXT("email"));
    json_pair(w, TEXT("mode"), TEXT("email"));
    json_pair(w, TEXT("fill"), TEXT("off"));
    json_pair(w, TEXT("value"), json_text(sent, TEXT("parent")));
    static const char *const none[] = { "boolean", "checked", "required", "long", "choice_of" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        json_pair_bool(w, text_of(none[i]), false);
    json_pair(w, TEXT("when"), TEXT(""));
    json_close(w, '}');
}

/* Its first or last day in words; none when the policy says none. */
static text day_said(struct ctx *c, const struct point *point, text key)
{
    text day = node_text(point->node, key);
    return day.n ? doc_time(c, day) : (text){ NULL, 0 };
}

static void put_form(struct page *p, const struct point *point, const struct json *sent)
{
    struct point_box box;
    struct json_out *w = &p->w;
    json_name(w, TEXT("form"));
    json_open(w, '{');
    point_put(p->c, point, w);
    json_pair_bool(w, TEXT("has_boxes"), point_box(p->c, point, 0, &box));
    json_pair_bool(w, TEXT("prints"), point->email >= 0);
    json_pair(w, TEXT("opens"), day_said(p->c, point, TEXT("from")));
    json_pair(w, TEXT("closes"), day_said(p->c, point, TEXT("until")));
    json_name(w, TEXT("fields"));
    json_open(w, '[');
    for (unsigned i = 0; i < point->field_count; i++)
        form_field(p, point->fields[i].category, point->fields[i].field, sent);
    json_close(w, ']');
    put_parent(p, sent);
    json_close(w, '}');
}

/* Each fault at its field, all at once. */
static void add_faults(struct page *p, const struct point *point, const struct why *why)
{
    for (unsigned i = 0; why && i < point->field_count; i++) {
        const struct category *cat = point->fields[i].category;
        const struct field *f = point->fields[i].field;
        text name = arena_print(p->c->arena, "%.*s.%.*s", T(cat->name), T(f->name));
        if (point_needs(point, i) && f->type != FIELD_BOOLEAN && !text_trim(json_text(p->q->json, name)).n)
            fault_add(p, name, fault_says(p, cat, f, ERR_MISSING));
        else if (text_eq(text_of(why->field), name))
            fault_add(p, name, fault_says(p, cat, f, why->code));
    }
    if (why && text_eq(text_of(why->field), TEXT("parent")))
        fault_add(p, TEXT("parent"), word_find(TEXT("form.parent_fault"), p->c->language));
}

static bool takes_requests(const struct ctx *c)
{
    text requests = node_text(node_at(c->policy->root, TEXT("rights.channels")), TEXT("form"));
    return text_eq(requests, TEXT("true"));
}

static enum err show_form(struct ctx *c, const struct request *q, struct reply *r, const struct why *why)
{
    PAGE_AUTO p = { 0 };
    struct point point;
    TRY(request_take_language(c, q));
    TRY(point_find(c, NAME, &point));
    TRY(page_open(c, q, TEXT("form"), TEXT(""), &p));
    add_faults(&p, &point, why);
    page_problem(&p, why);
    json_pair(&p.w, TEXT("called"), point_title(c, &point));
    json_pair(&p.w, TEXT("topic"), point_title(c, &point));
    put_form(&p, &point, why ? q->json : NULL);
    json_pair_bool(&p.w, TEXT("requests"), takes_requests(c));
    return page_show(&p, r, status_of(why));
}

enum err api_form_page(struct ctx *c, const struct request *q, struct reply *r) { return show_form(c, q, r, NULL); }

/* ---- What the page's form sends, as the body that the JSON has. ---- */

static enum err body_of(struct ctx *c, const struct request *q, const struct point *p, const struct json **out)
{
    const struct category *open = NULL;
    struct point_box box;
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("data"));
    json_open(&w, '{');
    for (unsigned i = 0; i < p->field_count; i++) {
        if (p->fields[i].category != open) {
            if (open)
                json_close(&w, '}');
            open = p->fields[i].category;
            json_name(&w, open->name);
            json_open(&w, '{');
        }
        form_value(c, &w, open, p->fields[i].field, q->json);
    }
    if (open)
        json_close(&w, '}');
    json_close(&w, '}');
    json_name(&w, TEXT("boxes"));
    json_open(&w, '[');
    for (unsigned i = 0; point_box(c, p, i, &box); i++) {
        text name = point_box_name(c, &box);
        if (json_text(q->json, arena_print(c->arena, "consent.%.*s", T(name))).n)
            json_put_text(&w, name);
    }
    json_close(&w, ']');
    json_pair_bool(&w, TEXT("minor"), json_text(q->json, TEXT("minor")).n);
    json_pair(&w, TEXT("parent"), json_text(q->json, TEXT("parent")));
    json_pair(&w, TEXT("stamp"), json_text(q->json, TEXT("stamp")));
    json_pair(&w, TEXT("website"), json_text(q->json, TEXT("website")));
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

/* ---- From which sites. ---- */

/* Its scripts may read the answer. */
static enum err let_read(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(reply_header(c->arena, r, TEXT("Access-Control-Allow-Origin"), request_header(q, TEXT("Origin"))));
    return reply_header(c->arena, r, TEXT("Vary"), TEXT("Origin"));
}

/* *trusted: a page of a listed site sent it. ERR_FORBIDDEN with the clause for any other site. */
static enum err from_where(struct ctx *c, const struct request *q, const struct point *p, bool *trusted)
{
    text origin = request_header(q, TEXT("Origin"));
    *trusted = false;
    if (!gate_elsewhere(c, q))
        return OK;
    if (!origin.p || !point_carried_by(p, gate_authority(origin)))
        return say_clause(c->arena, ERR_FORBIDDEN, p->clause, "the policy does not list the site that sent this form");
    *trusted = true;
    return OK;
}

static enum err show_sent(struct ctx *c, const struct request *q, struct reply *r, const struct point *point)
{
    PAGE_AUTO p = { 0 };
    TRY(page_open(c, q, TEXT("form_sent"), TEXT(""), &p));
    json_pair_bool(&p.w, TEXT("confirmed"), point->email >= 0);
    json_pair_bool(&p.w, TEXT("consents"), point_all_consent(c, point));
    json_pair(&p.w, TEXT("gives"), point->email >= 0 ? TEXT("") : point_gives(point));
    return page_show(&p, r, 200);
}

enum err api_form_send(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    struct point point;
    const struct json *in = q->json, *data = json_get(q->json, TEXT("data"));
    bool as_json = data && data->kind == J_OBJECT, trusted;
    TRY(request_take_language(c, q));
    TRY(point_find(c, NAME, &point));
    TRY(from_where(c, q, &point, &trusted));
    if (trusted)
        TRY(let_read(c, q, r));
    if (!as_json)
        TRY(body_of(c, q, &point, &in));
    enum err e = as_json ? OK : form_declared(c, q->json);
    if (e == OK)
        e = choice_submit(c, NAME, in, trusted, &answer);
    if (as_json) {
        TRY(e);
        return reply_answer(c, q, r, &answer);
    }
    if (e == OK)
        return show_sent(c, q, r, &point);
    struct why why = c->arena->why;
    why.code = e;
    return show_form(c, q, r, &why);
}

/* ---- The script that draws it on a listed site, and what that sends: as the page's form, answered as JSON. ---- */

/* The page that loads it, as the browser says: by Origin where its tag has `crossorigin`, else by Referer. One that
 * says neither is told what anybody may read; what it sends has an Origin, and is refused. */
static enum err drawn_where(struct ctx *c, const struct request *q, const struct point *p)
{
    text origin = request_header(q, TEXT("Origin")), page = origin.p ? origin : request_header(q, TEXT("Referer"));
    text from = gate_authority(page.p ? page : TEXT(""));
    bool own = authority_same(from, q->host) || authority_same(from, gate_authority(mail_link(c, TEXT(""))));
    if (!page.p || own || point_carried_by(p, from))
        return OK;
    return say_clause(c->arena, ERR_FORBIDDEN, p->clause, "the policy does not list the site that draws this form");
}

static void put_script_words(struct page *p)
{
    static const struct {
        text name, key;
    } words[] = {
        { TEXT_INIT("who"), TEXT_INIT("form.who") },
        { TEXT_INIT("why"), TEXT_INIT("form.why") },
        { TEXT_INIT("how_long"), TEXT_INIT("form.how_long") },
        { TEXT_INIT("from"), TEXT_INIT("form.from") },
        { TEXT_INIT("until"), TEXT_INIT("form.until") },
        { TEXT_INIT("rules"), TEXT_INIT("form.rules_at") },
        { TEXT_INIT("rights"), TEXT_INIT("form.rights") },
        { TEXT_INIT("privacy"), TEXT_INIT("form.privacy") },
        { TEXT_INIT("requests"), TEXT_INIT("request.form_link") },
        { TEXT_INIT("choices"), TEXT_INIT("form.choices") },
        { TEXT_INIT("minor"), TEXT_INIT("form.minor") },
        { TEXT_INIT("younger"), TEXT_INIT("form.younger") },
        { TEXT_INIT("years_old"), TEXT_INIT("form.years_old") },
        { TEXT_INIT("send"), TEXT_INIT("form.send") },
        { TEXT_INIT("leave"), TEXT_INIT("form.leave") },
        { TEXT_INIT("then_confirm"), TEXT_INIT("form.then_confirm") },
        { TEXT_INIT("closed"), TEXT_INIT("form.closed") },
        { TEXT_INIT("gives"), TEXT_INIT("form.gives") },
        { TEXT_INIT("failed"), TEXT_INIT("form.failed") },
        { TEXT_INIT("own"), TEXT_INIT("form.own_page") },
        { TEXT_INIT("when"), TEXT_INIT("form.when") },
        { TEXT_INIT("optional"), TEXT_INIT("frame.optional") },
    };
    json_name(&p->w, TEXT("words"));
    json_open(&p->w, '{');
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        page_word(p, words[i].name, words[i].key);
    json_pair(&p->w, TEXT("colon"), word_find(TEXT("colon"), p->c->language));
    json_close(&p->w, '}');
}

/* The script is the same for all policies; the form is its argument. */
enum err api_form_script(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct asset *script = asset_find(&choice_assets, TEXT("form.js"));
    PAGE_AUTO p = { 0 };
    struct point point;
    TRY(request_take_language(c, q));
    TRY(point_find(c, request_query(q, TEXT("form")), &point));
    TRY(drawn_where(c, q, &point));
    page_bare(c, q, TEXT("form"), &p);
    put_form(&p, &point, NULL);
    put_script_words(&p);
    json_pair(&p.w, TEXT("language"), c->language);
    json_pair_bool(&p.w, TEXT("requests"), takes_requests(c));
    json_close(&p.w, '}');
    text asked;
    TRY(buf_take(c->arena, &p.model, &asked));
    struct buf *b = reply_text(r, 200, TEXT("text/javascript; charset=utf-8"));
    buf_add(b, script->plain.bytes);
    buf_print(b, "(%.*s);\n", T(asked));
    if (request_header(q, TEXT("Origin")).p)
        TRY(reply_header(c->arena, r, TEXT("Access-Control-Allow-Origin"), request_header(q, TEXT("Origin"))));
    TRY(reply_header(c->arena, r, TEXT("Cross-Origin-Resource-Policy"), TEXT("cross-origin")));
    TRY(reply_header(c->arena, r, TEXT("Vary"), TEXT("Accept-Language, Origin, Referer")));
    return reply_done(c->arena, r);
}

static enum err tell_sent(struct ctx *c, struct reply *r, const struct point *point)
{
    bool confirmed = point->email >= 0;
    text then = point_all_consent(c, point) ? TEXT("form.unconfirmed_goes") : TEXT("form.unconfirmed_stays");
    struct json_out *w = reply_json(r, 200);
    json_open(w, '{');
    json_pair(w, TEXT("state"), confirmed ? TEXT("confirm") : TEXT("received"));
    json_name(w, TEXT("says"));
    json_open(w, '[');
    json_put_text(w, word_find(confirmed ? TEXT("form.sent_confirm") : TEXT("form.sent"), c->language));
    if (confirmed)
        json_put_text(w, word_find(then, c->language));
    json_close(w, ']');
    json_pair(w, TEXT("gives"), confirmed ? TEXT("") : point_gives(point));
    json_close(w, '}');
    return reply_done(c->arena, r);
}

/* What the page would say above the form and at its fields, as members of the problem. */
static enum err tell_faults(struct ctx *c, const struct request *q, struct reply *r, const struct point *point,
                            const struct why *why)
{
    PAGE_AUTO p = { 0 };
    const struct json *said;
    page_bare(c, q, TEXT("form"), &p);
    add_faults(&p, point, why);
    page_problem(&p, why);
    json_close(&p.w, '}');
    TRY(json_parse_buf(c->arena, &p.model, &said));
    said = json_get(said, TEXT("problem"));
    reply_problem_open(r, why, c->language, 0);
    json_pair(&r->json, TEXT("says"), json_text(said, TEXT("says")));
    json_pair(&r->json, TEXT("more"), json_text(said, TEXT("detail")));
    json_name(&r->json, TEXT("faults"));
    json_put(&r->json, json_get(said, TEXT("faults")));
    json_close(&r->json, '}');
    reply_retry(r, why);
    return reply_done(c->arena, r);
}

enum err api_form_script_send(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    struct point point;
    const struct json *in;
    bool trusted;
    TRY(request_take_language(c, q));
    TRY(point_find(c, NAME, &point));
    TRY(from_where(c, q, &point, &trusted));
    TRY(body_of(c, q, &point, &in));
    enum err e = form_declared(c, q->json);
    if (e == OK)
        e = choice_submit(c, NAME, in, trusted, &answer);
    struct why why = c->arena->why;
    why.code = e;
    TRY(e == OK ? tell_sent(c, r, &point) : tell_faults(c, q, r, &point, &why));
    return trusted ? let_read(c, q, r) : OK;
}

/* ---- The letter's link. ---- */

static enum err link_over(struct ctx *c, const struct request *q, struct reply *r, text token, enum err e)
{
    text form = TEXT("");
    struct point point;
    struct link_gone g = { .kind = TEXT("form"), .ask = TEXT("link.ask.form"), .without = true };
    if (e != ERR_NOT_FOUND)
        return e;
    struct why why = c->arena->why;
    TRY(choice_link_fate(c, token, &g.fate, &form));
    if (form.n && g.fate != LINK_USED && point_find(c, form, &point) == OK)
        g.path = arena_print(c->arena, "/forms/%.*s", T(form));
    g.contact = g.fate == LINK_UNKNOWN;
    c->arena->why = why;
    return page_link_gone(c, q, r, &g, e);
}

enum err api_form_confirm_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *said;
    text token = request_query(q, TEXT("token"));
    TRY(request_take_language(c, q));
    token = token.p ? token : TEXT("");
    enum err e = choice_look(c, token, &answer);
    if (e != OK)
        return link_over(c, q, r, token, e);
    TRY(json_parse(c->arena, answer.body, &said));
    TRY(page_open(c, q, TEXT("confirm_form"), TEXT(""), &p));
    json_pair(&p.w, TEXT("token"), token);
    json_pair(&p.w, TEXT("name"), json_text(said, TEXT("title")));
    json_name(&p.w, TEXT("parent"));
    json_put(&p.w, json_get(said, TEXT("parent")));
    json_name(&p.w, TEXT("wordings"));
    json_put(&p.w, json_get(said, TEXT("wordings")));
    return page_show(&p, r, 200);
}

enum err api_form_confirm(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *said;
    TRY(request_take_language(c, q));
    enum err e = choice_confirm(c, json_text(q->json, TEXT("token")), &answer);
    if (e != OK)
        return link_over(c, q, r, json_text(q->json, TEXT("token")), e);
    TRY(json_parse(c->arena, answer.body, &said));
    TRY(page_open(c, q, TEXT("form_done"), TEXT(""), &p));
    json_pair(&p.w, TEXT("gives"), json_text(said, TEXT("gives")));
    json_pair_bool(&p.w, TEXT("parent"), text_eq(json_text(said, TEXT("state")), TEXT("parent")));
    return page_show(&p, r, 200);
}

/* ---- Programs. ---- */

HANDLER(form_list, choice_forms(c, &answer))
HANDLER(form_get, choice_form(c, NAME, &answer))
HANDLER(submission_confirm, choice_confirm(c, json_text(q->json, TEXT("token")), &answer))
PAGED(form_answers, choice_answers(c, NAME, request_query(q, TEXT("purpose")), &paging, &answer))

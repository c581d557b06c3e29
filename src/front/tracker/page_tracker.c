/* Choices about trackers: the banner's script for sites, the same as a page without script, and for programs. */
#include "base/file/asset.h"
#include "domain/core/paging.h"
#include "domain/mail/mail.h"
#include "domain/tracker/tracker.h"
#include "front/door/cookie.h"
#include "front/door/front.h"
#include "front/door/gate.h"
#include "front/door/go.h"
#include "front/page/page.h"

extern const struct assets tracker_assets; /* made by tools/embed from tracker/ */

/* Global Privacy Control: the browser asks not to be tracked. */
static bool has_signal(const struct request *q) { return text_eq(request_header(q, TEXT("Sec-GPC")), TEXT("1")); }

/* ---- The banner. ---- */

/* The script is the same for all policies; what it asks is its argument. Any page may load it, and it says nothing that
 * the cookie page does not say; choices are taken from the listed sites alone. */
enum err api_tracker_script(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct asset *script = asset_find(&tracker_assets, TEXT("consent.js"));
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    TRY(tracker_says(c, &answer));
    struct buf *b = reply_text(r, 200, TEXT("text/javascript; charset=utf-8"));
    buf_add(b, script->plain.bytes);
    buf_print(b, "({\"signal\":%s,", has_signal(q) ? "true" : "false");
    buf_add(b, text_from(answer.body, 1)); /* an object: the signal is its first member */
    buf_add(b, TEXT(");\n"));
    TRY(reply_header(c->arena, r, TEXT("Cross-Origin-Resource-Policy"), TEXT("cross-origin")));
    TRY(reply_header(c->arena, r, TEXT("Cache-Control"), TEXT("no-cache")));
    TRY(reply_header(c->arena, r, TEXT("Vary"), TEXT("Accept-Language, Sec-GPC")));
    return reply_done(c->arena, r);
}

/* ---- From which sites. ---- */

/* Whose page sent it: a listed site's, this server's own, or the one that a program names. ERR_FORBIDDEN with the
 * clause for any other. */
static enum err site_of(struct ctx *c, const struct request *q, struct reply *r, text *out)
{
    struct tracker_asked asked;
    text origin = request_header(q, TEXT("Origin")), said = json_text(q->json, TEXT("site"));
    bool elsewhere = gate_elsewhere(c, q);
    *out = elsewhere ? gate_authority(origin.p ? origin : TEXT("")) : said.n ? said : q->host;
    if (!elsewhere && (!said.n || authority_same(said, q->host)))
        return OK;
    tracker_asked(c, &asked);
    if (!tracker_listed(c, *out))
        return say_clause(c->arena, ERR_FORBIDDEN, asked.clause, "the policy does not list the site of this choice");
    if (!elsewhere)
        return OK;
    TRY(reply_header(c->arena, r, TEXT("Access-Control-Allow-Origin"), origin));
    return reply_header(c->arena, r, TEXT("Vary"), TEXT("Origin"));
}

enum err api_tracker_choose(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    text site;
    TRY(request_take_language(c, q));
    TRY(site_of(c, q, r, &site));
    TRY(tracker_choose(c, q->json, site, &answer));
    return reply_answer(c, q, r, &answer);
}

enum err api_tracker_get(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    TRY(request_take_language(c, q));
    TRY(tracker_says(c, &answer));
    return reply_answer(c, q, r, &answer);
}

PAGED(tracker_choices, tracker_choices(c, &paging, &answer))

/* ---- The page. ---- */

static text kept_by(struct ctx *c, const struct request *q)
{
    struct tracker_asked asked;
    tracker_asked(c, &asked);
    text value = asked.cookie.n ? request_cookie(q, asked.cookie) : TEXT("");
    return value.p ? value : TEXT("");
}

static void put_texts(struct page *p, const struct json *texts)
{
    static const text names[] = { TEXT_INIT("says"),   TEXT_INIT("device"), TEXT_INIT("random"),
                                  TEXT_INIT("refuse"), TEXT_INIT("accept"), TEXT_INIT("save") };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        page_text(p, names[i], json_text(texts, names[i]));
    page_text(p, TEXT("recipients_word"), json_text(texts, TEXT("recipients")));
}

static enum err put_purposes(struct page *p, const struct json *purposes, text kept)
{
    json_name(&p->w, TEXT("purposes"));
    json_open(&p->w, '[');
    JSON_EACH(one, purposes) {
        const struct json *recipients = json_get(one, TEXT("recipients"));
        bool given;
        TRY(tracker_given(p->c, kept, json_text(one, TEXT("purpose")), &given));
        json_open(&p->w, '{');
        JSON_EACH(member, one) {
            json_name(&p->w, member->key);
            json_put(&p->w, member);
        }
        json_pair_bool(&p->w, TEXT("given"), given);
        json_pair_bool(&p->w, TEXT("received"), recipients && recipients->count);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    return OK;
}

/* `recorded`: the browser's signal, as a refusal, by this very request. */
static enum err show_page(struct ctx *c, const struct request *q, struct reply *r, const struct why *why, bool recorded)
{
    PAGE_AUTO p = { 0 };
    struct answer answer = { 0 };
    const struct json *said, *shown;
    bool chosen;
    text kept = kept_by(c, q);
    TRY(page_open(c, q, TEXT("consent"), TEXT(""), &p));
    TRY(tracker_says(c, &answer));
    TRY(json_parse(c->arena, answer.body, &said));
    TRY(tracker_chosen(c, kept, &chosen));
    shown = json_get(said, TEXT("shown"));
    page_problem(&p, why);
    json_pair(&p.w, TEXT("version"), json_text(said, TEXT("version")));
    json_pair(&p.w, TEXT("wording"), json_text(said, TEXT("wording")));
    json_pair_bool(&p.w, TEXT("asks"), json_get(shown, TEXT("purposes"))->count > 0);
    json_pair_bool(&p.w, TEXT("chosen"), chosen || recorded);
    json_pair_bool(&p.w, TEXT("recorded"), recorded);
    json_pair_bool(&p.w, TEXT("signal"), has_signal(q) && !chosen && !recorded);
    put_texts(&p, json_get(shown, TEXT("texts")));
    TRY(put_purposes(&p, json_get(shown, TEXT("purposes")), kept));
    return page_show(&p, r, why ? err_row(why->code)->http : 200);
}

/* What the form sends, as the body that programs send. */
static enum err body_of(struct ctx *c, const struct request *q, const struct json **out)
{
    struct tracker_asked asked;
    BUF_AUTO b = buf_make(1 << 18);
    struct json_out w = json_out(&b);
    text act = json_text(q->json, TEXT("do")), device = kept_by(c, q);
    if (!text_eq(act, TEXT("accept")) && !text_eq(act, TEXT("refuse")) && !text_eq(act, TEXT("save")))
        return say(c->arena, ERR_USAGE, "the member \"do\" is accept, refuse or save");
    tracker_asked(c, &asked);
    json_open(&w, '{');
    json_pair(&w, TEXT("version"), json_text(q->json, TEXT("version")));
    json_pair(&w, TEXT("wording"), json_text(q->json, TEXT("wording")));
    json_pair(&w, TEXT("method"), TEXT("page"));
    text_cut(&device, '.');
    text_cut(&device, '.');
    json_pair(&w, TEXT("device"), device);
    json_name(&w, TEXT("given"));
    json_open(&w, '[');
    for (unsigned i = 0; i < asked.count; i++) {
        text name = asked.purposes[i]->name, box = arena_print(c->arena, "given.%.*s", T(name));
        if (text_eq(act, TEXT("accept")) || (text_eq(act, TEXT("save")) && json_text(q->json, box).n))
            json_put_text(&w, name);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

/* Readable by the banner's script of a site under the same host; it holds no secret (the random value proves a choice
 * and opens nothing). */
static enum err keep_choice(struct ctx *c, struct reply *r, const struct json *cookie)
{
    text name = json_text(cookie, TEXT("name"));
    const struct json *age = json_get(cookie, TEXT("max_age"));
    if (!name.n)
        return OK;
    text line = arena_print(c->arena, "%.*s=%.*s; Path=/; Max-Age=%.*s; Secure; SameSite=Lax", T(name),
                            T(json_text(cookie, TEXT("value"))), T(age->value));
    TRY_PTR(line.p);
    return reply_header(c->arena, r, TEXT("Set-Cookie"), line);
}

/* ---- The signal, without a script. ---- */

/* Only of who opens the page itself: a picture or a frame of another site tells of no choice. */
static enum err is_refusal(struct ctx *c, const struct request *q, bool *out)
{
    struct tracker_asked asked;
    bool chosen;
    text dest = request_header(q, TEXT("Sec-Fetch-Dest"));
    tracker_asked(c, &asked);
    TRY(tracker_chosen(c, kept_by(c, q), &chosen));
    *out = has_signal(q) && q->method == METHOD_GET && asked.count && asked.cookie.n && !chosen &&
           (!dest.n || text_eq(dest, TEXT("document")));
    return OK;
}

static enum err record_signal(struct ctx *c, const struct request *q, const struct json **cookie)
{
    struct answer said = { 0 }, made = { 0 };
    const struct json *shown, *in, *out;
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    TRY(tracker_says(c, &said));
    TRY(json_parse(c->arena, said.body, &shown));
    json_open(&w, '{');
    json_pair(&w, TEXT("version"), json_text(shown, TEXT("version")));
    json_pair(&w, TEXT("wording"), json_text(shown, TEXT("wording")));
    json_pair(&w, TEXT("method"), TEXT("signal"));
    json_name(&w, TEXT("given"));
    json_open(&w, '[');
    json_close(&w, ']');
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    TRY(tracker_choose(c, in, q->host, &made));
    TRY(json_parse(c->arena, made.body, &out));
    *cookie = json_get(out, TEXT("cookie"));
    return OK;
}

/* The signal is a refusal, recorded at once as the banner's script records it. Where that cannot be done, nothing is on
 * without it: the page is shown all the same. */
enum err api_tracker_page(struct ctx *c, const struct request *q, struct reply *r)
{
    struct actor who = c->actor;
    const struct json *cookie = NULL;
    bool refusal;
    TRY(request_take_language(c, q));
    TRY(is_refusal(c, q, &refusal));
    if (refusal) {
        struct why why = c->arena->why;
        enum err e = record_signal(c, q, &cookie);
        c->actor = who;
        if (e != OK && e != ERR_TOO_MANY)
            return e;
        c->arena->why = why;
    }
    TRY(show_page(c, q, r, NULL, cookie != NULL));
    return cookie ? keep_choice(c, r, cookie) : OK;
}

/* ---- What the form sends. ---- */

static enum err choose(struct ctx *c, const struct request *q, struct answer *out)
{
    const struct json *in;
    TRY(body_of(c, q, &in));
    return tracker_choose(c, in, q->host, out);
}

enum err api_tracker_page_choose(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    const struct json *made;
    struct actor who = c->actor;
    TRY(request_take_language(c, q));
    enum err e = choose(c, q, &answer);
    if (e != OK) {
        struct why why = c->arena->why;
        why.code = e;
        return show_page(c, q, r, &why, false);
    }
    TRY(json_parse(c->arena, answer.body, &made));
    if (c->session && json_text(q->json, TEXT("account")).n) {
        struct answer kept = { 0 };
        c->actor = who;
        TRY(tracker_take_over(c, made, &kept));
    }
    TRY(page_go(c, r, arena_print(c->arena, "/consent?lang=%.*s", T(c->language)), TEXT("chosen")));
    return keep_choice(c, r, json_get(made, TEXT("cookie")));
}

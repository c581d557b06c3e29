/* The texter: the request that the gateway wants, and what its answer says of the message. */
#include "link/texter.h"
#include "base/json.h"
#include "base/log.h"
#include "domain/core/asker.h"
#include "domain/core/context.h"
#include "link/leaving.h"
#include "reach/credentials.h"
#include "reach/http.h"
#include <stdio.h>
#include <stdlib.h>

enum { IDLE_MS = 500, BODY_MAX = 64 << 10, SETTINGS_MEMORY = 1 << 20, CLOCK_MEMORY = 1 << 20, WAIT_MAX = 600 };
static const text form = TEXT_INIT("application/x-www-form-urlencoded"), json = TEXT_INIT("application/json");

struct texter {
    struct app *app;
    struct asker as;
    struct arena a; /* of the options */
    struct texter_options o;
    struct link_thread thread;
    struct leaving_line line;
};

/* ---- The body of a request. ---- */

struct message {
    text to, says, sender, id, key;
};

/* The value as it may stand between quotes, or in a form. */
static void put_value(struct buf *b, text type, text value)
{
    if (text_eq(type, form)) {
        buf_percent(b, value);
        return;
    }
    BUF_AUTO quoted = buf_make(BODY_MAX);
    struct json_out w = json_out(&quoted);
    json_put_text(&w, value);
    text all = buf_for(b, &quoted);
    buf_add(b, all.n >= 2 ? text_upto(text_from(all, 1), all.n - 2) : all);
}

static bool value_of(const struct message *m, text name, text *out)
{
    const struct {
        text name, value;
    } all[] = { { TEXT("to"), m->to },     { TEXT("digits"), text_from(m->to, 1) },
                { TEXT("text"), m->says }, { TEXT("sender"), m->sender },
                { TEXT("id"), m->id },     { TEXT("key"), m->key } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (text_eq(all[i].name, name)) {
            *out = all[i].value;
            return true;
        }
    return false;
}

/* "{to}" and the others; every other brace stays, as JSON has them. */
static enum err fill(struct arena *a, const struct texter_options *o, const struct message *m, text *out)
{
    BUF_AUTO b = buf_make(BODY_MAX);
    text rest = o->body, value;
    for (ptrdiff_t at; (at = text_index(rest, '{')) >= 0;) {
        text from = text_from(rest, (size_t)at + 1);
        ptrdiff_t end = text_index(from, '}');
        buf_add(&b, text_upto(rest, (size_t)at));
        if (end >= 0 && value_of(m, text_upto(from, (size_t)end), &value)) {
            put_value(&b, o->type, value);
            rest = text_from(from, (size_t)end + 1);
        } else {
            buf_char(&b, '{');
            rest = from;
        }
    }
    buf_add(&b, rest);
    return buf_take(a, &b, out);
}

/* ---- What the answer says. ---- */

/* Answers by which the gateway says that it took nothing: it is too busy, or our settings are wrong, which somebody can
 * mend. Every other 4xx is about this message. Behind a 5xx the message may have gone all the same. */
static enum letter_fate fate_of(const struct http_answer *r)
{
    static const unsigned away[] = { 401, 402, 403, 404, 405, 407, 408, 421, 425, 429, 503 };
    bool answered = text_eq(text_of(r->code), TEXT("http"));
    if (text_eq(text_of(r->code), TEXT("ok")))
        return LETTER_SENT;
    if (!answered)
        return r->unknown || r->status ? LETTER_UNKNOWN : LETTER_AWAY;
    for (size_t i = 0; i < sizeof away / sizeof *away; i++)
        if (r->status == away[i])
            return LETTER_AWAY;
    if (r->status >= 300 && r->status < 400)
        return LETTER_AWAY;
    return r->status >= 400 && r->status < 500 ? LETTER_FAILED : LETTER_UNKNOWN;
}

static msec now_of(struct texter *t)
{
    ARENA_AUTO a = arena_make(CLOCK_MEMORY);
    CTX_AUTO c = { 0 };
    ctx_begin(t->app, &a, &c);
    return c.now;
}

static void send_leaving(void *arg, struct arena *a, const struct outbox_letter *l, struct sending *out)
{
    struct texter *t = arg;
    const struct texter_options *o = &t->o;
    const struct message m = { l->to, l->text, o->texts.sender, l->name, o->key };
    struct http_answer answer = { 0 };
    struct http_call call = { .url = o->url,
                              .ca_file = o->ca_file,
                              .type = o->type,
                              .bearer = o->bearer,
                              .secret = o->secret,
                              .id = l->name,
                              .now = now_of(t),
                              .stop = &t->thread.stop };
    if (fill(a, o, &m, &call.body) != OK || http_send(a, &call, &answer) != OK)
        return; /* FAILED, as it was */
    out->fate = fate_of(&answer);
    out->reached = out->fate == LETTER_SENT || out->fate == LETTER_FAILED;
    out->wait_ms = (int)(answer.retry_after < WAIT_MAX ? answer.retry_after : WAIT_MAX) * (int)SECOND;
    if (text_eq(text_of(answer.code), TEXT("http")))
        snprintf(out->code, sizeof out->code, "http-%03u", answer.status % 1000);
    else
        snprintf(out->code, sizeof out->code, "%s", answer.code);
}

/* One at once, for who waits for it. */
static enum err ask(void *self, struct arena *a, text asked, text *answer)
{
    const struct json *in;
    struct sending s = { .fate = LETTER_FAILED, .code = "message" };
    TRY(json_parse(a, asked, &in));
    const struct outbox_letter l = { .name = json_text(in, TEXT("id")),
                                     .to = json_text(in, TEXT("to")),
                                     .text = json_text(in, TEXT("text")) };
    send_leaving(self, a, &l, &s);
    *answer = arena_print(a, "{\"code\":\"%s\"}", s.fate == LETTER_SENT ? "ok" : s.code);
    TRY_PTR(answer->p);
    return OK;
}

/* ---- The settings. ---- */

enum err texter_credentials(struct arena *a, text file, struct texter_options *out)
{
    text all;
    TRY(credentials_file(a, file, &all));
    out->bearer = credential(all, TEXT("bearer"));
    out->secret = credential(all, TEXT("secret"));
    out->key = credential(all, TEXT("key"));
    out->texts.secret = credential(all, TEXT("incoming"));
    return OK;
}

static enum err copy(struct arena *a, text *s)
{
    if (!s->n)
        return OK;
    *s = arena_copy(a, *s);
    return s->p ? OK : ERR_MEMORY;
}

static enum err keep_options(struct texter *t, const struct texter_options *o)
{
    text *const all[] = { &t->o.url,         &t->o.type,          &t->o.body,          &t->o.ca_file,
                          &t->o.bearer,      &t->o.secret,        &t->o.key,           &t->o.texts.sender,
                          &t->o.texts.words, &t->o.texts.stop_fr, &t->o.texts.stop_en, &t->o.texts.secret,
                          &t->o.texts.from,  &t->o.texts.said };
    t->o = *o;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        TRY(copy(&t->a, all[i]));
    return OK;
}

/* A message with every letter that must be written apart: what comes of it is JSON, or it never will be. */
static enum err check(struct arena *a, const struct texter_options *o)
{
    static const struct message tried = { TEXT_INIT("+33600000000"), TEXT_INIT("\"\\\n{é"), TEXT_INIT("\"s"),
                                          TEXT_INIT("0"), TEXT_INIT("\"k") };
    const struct json *made;
    text body;
    TRY(http_check(a, o->url));
    if (!text_eq(o->type, form) && !text_eq(o->type, json))
        return say(a, ERR_CONFIG, "\"type\" is application/json or application/x-www-form-urlencoded");
    if (text_find(o->body, TEXT("{text}")) < 0 ||
        (text_find(o->body, TEXT("{to}")) < 0 && text_find(o->body, TEXT("{digits}")) < 0))
        return say(a, ERR_CONFIG, "\"body\" has {text}, and {to} or {digits}");
    TRY(fill(a, o, &tried, &body));
    if (text_eq(o->type, json) && json_parse(a, body, &made) != OK)
        return say(a, ERR_CONFIG, "\"body\" is JSON once {to}, {text} and the others are filled in");
    if (!o->texts.sender.n || !o->texts.stop_fr.n || !o->texts.stop_en.n)
        return say(a, ERR_CONFIG,
                   "\"sender\", and \"stop\" with the words how to stop messages in fr and en, are needed");
    if (o->texts.secret.n && o->texts.secret.n < 24)
        return say(a, ERR_CONFIG, "the secret \"incoming\" has at least 24 characters");
    return OK;
}

/* ---- The thread. ---- */

static void *texter_main(void *arg)
{
    struct texter *t = arg;
    while (!link_thread_stops(&t->thread))
        if (!leaving_some(&t->line) || t->line.pause_ms) {
            link_thread_rest(&t->thread, t->line.pause_ms ? t->line.pause_ms : IDLE_MS);
        }
    return NULL;
}

enum err texter_start(struct arena *a, struct app *app, const struct texter_options *o, struct texter **out)
{
    TRY(check(a, o));
    struct texter *t = calloc(1, sizeof *t);
    TRY_PTR(t);
    *out = t;
    t->app = app;
    t->as = (struct asker){ t, ask };
    t->a = arena_make(SETTINGS_MEMORY);
    t->line = (struct leaving_line){
        .app = app, .channel = TEXT("sms"), .send = send_leaving, .arg = t, .thread = &t->thread
    };
    enum err status = link_thread_open(a, &t->thread);
    if (status == OK)
        status = keep_options(t, o);
    if (status == OK)
        status = texts_open(a, app, &t->o.texts, &t->as);
    if (status == OK)
        status = link_thread_start(a, &t->thread, texter_main, t);
    if (status != OK)
        texter_stop(out);
    return status;
}

void texter_stop(struct texter **texter)
{
    struct texter *t = *texter;
    if (!t)
        return;
    link_thread_end(&t->thread);
    (void)texts_open(&t->a, t->app, NULL, NULL); /* says nothing: it only ends */
    arena_free(&t->a);
    free(t);
    *texter = NULL;
}

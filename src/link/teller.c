/* The teller: rounds over what is due to recipients, one request out at a time. */
#include "link/teller.h"
#include "base/json.h"
#include "base/log.h"
#include "domain/core/asker.h"
#include "domain/core/context.h"
#include "domain/core/instance.h"
#include "domain/recipient/told.h"
#include "link/thread.h"
#include "reach/http.h"
#include <stdlib.h>

enum { IDLE_MS = 500, TURN_MEMORY = 32 << 20, FAILED_MS = 2000, SETTINGS_MS = 60000, ANSWER_ROOM = 1 << 18 };

struct teller {
    struct app *app;
    struct asker as;
    struct link_thread thread;
    struct told_round *round;
};

/* ---- One request. ---- */

static enum err send_one(struct teller *t, struct arena *a, const struct json *in, struct http_answer *out)
{
    text secret;
    int64_t at = 0;
    TRY(http_secret(a, in, &secret));
    json_int(json_get(in, TEXT("at")), &at);
    const struct http_call call = { .url = json_text(in, TEXT("url")),
                                    .ca_file = json_text(in, TEXT("ca_file")),
                                    .secret = secret,
                                    .id = json_text(in, TEXT("id")),
                                    .now = at,
                                    .body = json_text(in, TEXT("body")),
                                    .stop = &t->thread.stop };
    return http_send(a, &call, out);
}

static enum err ask(void *self, struct arena *a, text asked, text *answer)
{
    const struct json *in;
    struct http_answer got;
    BUF_AUTO b = buf_make(ANSWER_ROOM);
    struct json_out w = json_out(&b);
    TRY(json_parse(a, asked, &in));
    TRY(send_one(self, a, in, &got));
    json_open(&w, '{');
    json_pair(&w, TEXT("code"), text_of(got.code));
    json_pair_int(&w, TEXT("retry_after"), got.retry_after);
    json_pair(&w, TEXT("body"), text_utf8(got.body) ? got.body : TEXT(""));
    json_close(&w, '}');
    return buf_take(a, &b, answer);
}

/* ---- Rounds. ---- */

/* How long until the next round. */
static int work(struct teller *t)
{
    ARENA_AUTO a = arena_make(TURN_MEMORY);
    CTX_AUTO c = { 0 };
    bool more = false;
    ctx_begin(t->app, &a, &c);
    c.actor.name = TEXT("garant");
    enum err e = told_work(&c, t->round, &more);
    if (e != OK && !link_thread_stops(&t->thread))
        LOG(LOG_WARN, "told.stopped", LOG_TEXT("code", err_row(e)->slug), LOG_TEXT("why", text_of(a.why.detail)));
    if (e != OK)
        return e == ERR_CONFIG ? SETTINGS_MS : FAILED_MS;
    return more ? 0 : IDLE_MS;
}

static void *teller_main(void *arg)
{
    struct teller *t = arg;
    while (!link_thread_rest(&t->thread, work(t)))
        ;
    return NULL;
}

enum err teller_start(struct arena *a, struct app *app, struct teller **out)
{
    struct teller *t = calloc(1, sizeof *t);
    TRY_PTR(t);
    *out = t;
    t->app = app;
    t->as = (struct asker){ t, ask };
    t->round = told_round_open();
    TRY_PTR(t->round);
    TRY(link_thread_open(a, &t->thread));
    told_open(app, &t->as);
    return link_thread_start(a, &t->thread, teller_main, t);
}

void teller_stop(struct teller **teller)
{
    struct teller *t = *teller;
    if (!t)
        return;
    link_thread_end(&t->thread);
    told_open(t->app, NULL);
    told_round_close(&t->round);
    free(t);
    *teller = NULL;
}

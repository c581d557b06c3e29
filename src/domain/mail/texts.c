/* What is set up for text messages. */
#include "domain/mail/texts.h"
#include "base/json.h"
#include "domain/core/asker.h"
#include "domain/core/instance.h"

static enum err keep(struct arena *a, text said, char *out, size_t size)
{
    for (size_t i = 0; i < said.n; i++)
        if ((uint8_t)said.p[i] < ' ')
            return say(a, ERR_CONFIG, "a word of the gateway's settings holds a control character");
    return text_cstr(said, out, size) ? OK : say(a, ERR_CONFIG, "a word of the gateway's settings is too long");
}

enum err texts_open(struct arena *a, struct app *app, const struct texts *t, const struct asker *by)
{
    app->texts.on = false;
    app->texter = by;
    if (!t)
        return OK;
    TRY(keep(a, t->sender, app->texts.sender, sizeof app->texts.sender));
    TRY(keep(a, t->stop_fr, app->texts.stop_fr, sizeof app->texts.stop_fr));
    TRY(keep(a, t->stop_en, app->texts.stop_en, sizeof app->texts.stop_en));
    TRY(keep(a, t->secret, app->texts.secret, sizeof app->texts.secret));
    TRY(keep(a, t->from, app->texts.from, sizeof app->texts.from));
    TRY(keep(a, t->said, app->texts.said, sizeof app->texts.said));
    TRY(keep(a, t->words, app->texts.words, sizeof app->texts.words));
    app->texts.on = true;
    return OK;
}

bool texts_ready(const struct ctx *c) { return c->app->texts.on; }

enum err texts_need(struct ctx *c)
{
    return texts_ready(c)
               ? OK
               : say(c->arena, ERR_CONFLICT, "no gateway for text messages is set up here: garant serve --sms FILE");
}

/* Each holds a thread until the gateway answers: few at once, whoever asks, so that the others' requests have theirs.
 */
static enum err ask(struct ctx *c, const struct asker *by, text asked, text *told)
{
    enum { AT_ONCE = 2, AGAIN = 60 };
    enum err e = ERR_BUSY;
    if (atomic_fetch_add(&c->app->texts.asked, 1) < AT_ONCE)
        e = by->ask(by->self, c->arena, asked, told);
    else {
        say(c->arena, e, "the gateway for text messages has not answered %d tests yet: try again in a minute", AT_ONCE);
        c->arena->why.retry = AGAIN;
    }
    atomic_fetch_sub(&c->app->texts.asked, 1);
    return e;
}

enum err texts_hand(struct ctx *c, text to, text says, text id)
{
    const struct asker *by = c->app->texter;
    const struct json *in;
    text asked, told;
    BUF_AUTO b = buf_make(64 << 10);
    struct json_out w = json_out(&b);
    TRY(texts_need(c));
    if (!by)
        return say(c->arena, ERR_BUSY, "only the running server reaches the gateway for text messages");
    json_open(&w, '{');
    json_pair(&w, TEXT("to"), to);
    json_pair(&w, TEXT("text"), says);
    json_pair(&w, TEXT("id"), id);
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &asked));
    TRY(ask(c, by, asked, &told));
    TRY(json_parse(c->arena, told, &in));
    text code = json_text(in, TEXT("code"));
    return text_eq(code, TEXT("ok"))
               ? OK
               : say(c->arena, ERR_BUSY, "the gateway for text messages did not take it: %.*s", T(code));
}

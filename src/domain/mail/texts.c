/* What is set up for text messages. */
#include "domain/mail/texts.h"
#include "domain/core/instance.h"

static enum err keep(struct arena *a, text said, char *out, size_t size)
{
    for (size_t i = 0; i < said.n; i++)
        if ((uint8_t)said.p[i] < ' ')
            return say(a, ERR_CONFIG, "a word of the gateway's settings holds a control character");
    return text_cstr(said, out, size) ? OK : say(a, ERR_CONFIG, "a word of the gateway's settings is too long");
}

enum err texts_open(struct arena *a, struct app *app, const struct texts *t)
{
    app->texts.on = false;
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

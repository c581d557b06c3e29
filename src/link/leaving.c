/* A line of letters that leave: asked for, sent, and told of. */
#include "link/leaving.h"
#include "base/log.h"
#include "domain/core/context.h"
#include <stdlib.h>

enum { AT_ONCE = 16, TELL_AGAIN_MS = 1000, PAUSE_MAX_MS = 60 * SECOND, LETTER_MEMORY = 16 << 20 };

/* One that went: its letter lives in its own arena. */
struct gone {
    struct arena a;
    const struct feature *of;
    struct letter_left left;
    char code[24];
};

void leaving_pause_longer(struct leaving_line *l)
{
    l->pause_ms = l->pause_ms ? l->pause_ms * 2 : SECOND;
    if (l->pause_ms > PAUSE_MAX_MS)
        l->pause_ms = PAUSE_MAX_MS;
}

static void act_as_server(struct leaving_line *l, struct arena *a, struct ctx *c)
{
    ctx_begin(l->app, a, c);
    c->actor.name = TEXT("garant");
}

static enum err tell(struct leaving_line *l, const struct gone *g)
{
    ARENA_AUTO a = arena_make(LETTER_MEMORY);
    CTX_AUTO c = { 0 };
    act_as_server(l, &a, &c);
    enum err status = g->of->left(&c, g->left.letter, g->left.fate, text_of(g->code));
    if (status != OK)
        LOG(LOG_WARN, "mail.not-marked", LOG_TEXT("code", err_row(status)->slug),
            LOG_TEXT("why", text_of(a.why.detail)));
    return status;
}

/* On record by itself: nothing more leaves that it could go with. */
static void settle(struct leaving_line *l)
{
    struct gone *g = l->gone;
    if (!g)
        return;
    while (!g->left.told && tell(l, g) != OK && !link_thread_rest(l->thread, TELL_AGAIN_MS))
        ;
    arena_free(&g->a);
    free(g);
    l->gone = NULL;
}

static void pause_for(struct leaving_line *l, const struct sending *s)
{
    if (s->reached)
        l->pause_ms = 0;
    else
        leaving_pause_longer(l);
    if (s->wait_ms > l->pause_ms)
        l->pause_ms = s->wait_ms;
}

/* What went is said with the next letter that leaves; anything else at once. */
static void send_leaving(struct leaving_line *l, struct gone *g)
{
    struct sending s = { .fate = LETTER_FAILED, .reached = true, .code = "message" };
    l->send(l->arg, &g->a, g->left.letter, &s);
    bool sent = s.fate == LETTER_SENT;
    if (!sent)
        LOG(LOG_WARN, "mail.failed", LOG_TEXT("letter", g->left.letter->letter), LOG_TEXT("code", text_of(s.code)));
    memcpy(g->code, s.code, sizeof g->code);
    g->left.fate = s.fate;
    g->left.code = text_of(g->code);
    while (!sent && tell(l, g) != OK && !link_thread_rest(l->thread, TELL_AGAIN_MS))
        ;
    g->left.told = !sent;
    pause_for(l, &s);
}

static void ask_next(struct leaving_line *l, struct gone *next)
{
    CTX_AUTO c = { 0 };
    struct letter_left *before = l->gone && !l->gone->left.told ? &l->gone->left : NULL;
    struct outbox_letter *letter = NULL;
    act_as_server(l, &next->a, &c);
    next->of = before ? l->gone->of : NULL;
    enum err status = feature_leaves(&c, l->channel, before, &next->of, &letter);
    if (status != OK) {
        LOG(LOG_WARN, "mail.leaving", LOG_TEXT("code", err_row(status)->slug),
            LOG_TEXT("why", text_of(next->a.why.detail)));
        leaving_pause_longer(l);
    }
    next->left.letter = status == OK ? letter : NULL;
}

/* True when there may be more at once. */
static bool leave_one(struct leaving_line *l)
{
    struct gone *next = calloc(1, sizeof *next);
    if (!next)
        return false;
    next->a = arena_make(LETTER_MEMORY);
    ask_next(l, next);
    settle(l);
    l->gone = next;
    if (next->left.letter)
        send_leaving(l, next);
    else
        next->left.told = true;
    return next->left.letter && !l->pause_ms && !link_thread_stops(l->thread);
}

bool leaving_some(struct leaving_line *l)
{
    unsigned sent = 0;
    while (sent < AT_ONCE && leave_one(l))
        sent++;
    settle(l);
    return sent == AT_ONCE;
}

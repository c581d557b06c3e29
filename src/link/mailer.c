/* The mailer: rounds over what is due, one letter after the other; what went is marked before anything else goes. */
#include "link/mailer.h"
#include "domain/core/context.h"
#include "base/log.h"
#include "domain/mail/outbox.h"
#include "link/leaving.h"
#include "link/mime.h"
#include "link/signature.h"
#include <stdlib.h>

enum {
    ROUND = 16,
    IDLE_MS = 500,
    MARK_AGAIN_MS = 1000,
    SAID_EVERY = 60,
    ROUND_MEMORY = 64 << 20,
    LETTER_MEMORY = 16 << 20,
    MESSAGE_MAX = 4 << 20
};

struct mailer {
    struct app *app;
    struct smtp *smtp;
    struct signature *signature; /* NULL: letters go unsigned */
    struct link_thread thread;
    struct leaving_line line; /* of letters of features; its pause is that of all letters */
};

static void act_as_server(struct mailer *m, struct arena *a, struct ctx *c)
{
    ctx_begin(m->app, a, c);
    c->actor.name = TEXT("garant");
}

static msec now_of(struct mailer *m)
{
    ARENA_AUTO a = arena_make(LETTER_MEMORY);
    CTX_AUTO c = { 0 };
    act_as_server(m, &a, &c);
    return c.now;
}

static enum err mark(struct mailer *m, const struct outbox_letter *l, const struct smtp_result *result, bool say_so)
{
    ARENA_AUTO a = arena_make(LETTER_MEMORY);
    CTX_AUTO c = { 0 };
    act_as_server(m, &a, &c);
    enum err status = result->sent ? outbox_sent(&c, l) : outbox_failed(&c, l, result->for_good, text_of(result->code));
    if (status != OK && say_so)
        LOG(LOG_WARN, "mail.not-marked", LOG_TEXT("code", err_row(status)->slug),
            LOG_TEXT("why", text_of(a.why.detail)));
    return status;
}

/* Until it is marked a letter would go again: nothing else is sent before. */
static void mark_surely(struct mailer *m, const struct outbox_letter *l, const struct smtp_result *result)
{
    for (unsigned tries = 0; mark(m, l, result, tries % SAID_EVERY == 0) != OK; tries++)
        if (link_thread_rest(&m->thread, MARK_AGAIN_MS))
            return;
}

static enum err write_signed(struct arena *a, struct mailer *m, const struct mime *mime, struct buf *b, text *out)
{
    text message, header;
    BUF_AUTO made = buf_make(MESSAGE_MAX);
    TRY(mime_write(a, mime, &made));
    TRY(buf_lend(a, &made, &message));
    TRY(signature_make(a, m->signature, now_of(m), message, &header));
    buf_add(b, header);
    buf_add(b, message);
    return buf_lend(a, b, out);
}

static enum err compose(struct arena *a, struct mailer *m, const struct outbox_letter *l, text to, struct buf *b,
                        text *out)
{
    text reply_to = l->reply_to.n ? smtp_address(a, l->reply_to) : l->reply_to;
    const struct mime mime = { .from_name = l->from_name,
                               .from = smtp_from(m->smtp),
                               .to = to,
                               .reply_to = reply_to,
                               .subject = l->subject_line,
                               .text = l->text,
                               .html = l->html,
                               .language = l->language,
                               .id = l->name,
                               .in_reply_to = l->in_reply_to,
                               .letter = l->letter,
                               .purpose = l->purpose,
                               .unsubscribe = l->unsubscribe,
                               .unsubscribe_to = l->unsubscribe_to,
                               .date = l->created };
    if (m->signature)
        return write_signed(a, m, &mime, b, out);
    TRY(mime_write(a, &mime, b));
    return buf_lend(a, b, out);
}

/* Asked right before it goes: a round takes its time, and an erasure or a withdrawal meanwhile silences what it read.
 */
static bool waits(struct mailer *m, const struct outbox_letter *l)
{
    ARENA_AUTO a = arena_make(LETTER_MEMORY);
    CTX_AUTO c = { 0 };
    act_as_server(m, &a, &c);
    return outbox_waits(&c, l);
}

/* False when the round ends here: the server cannot be reached, or the mailer stops. */
static bool send_one(struct mailer *m, struct arena *a, const struct outbox_letter *l)
{
    BUF_AUTO message = buf_make(MESSAGE_MAX);
    struct smtp_result result = { .for_good = true, .reached = true, .code = "message" };
    text composed, to = smtp_address(a, l->to);
    if (!waits(m, l))
        return true;
    if (to.p && compose(a, m, l, to, &message, &composed) == OK)
        smtp_send(m->smtp, to, composed, &m->thread.stop, &result);
    if (link_thread_stops(&m->thread) && !result.sent)
        return false;
    if (!result.sent)
        LOG(LOG_WARN, "mail.failed", LOG_TEXT("letter", l->letter), LOG_TEXT("code", text_of(result.code)),
            LOG_INT("tries", l->tries + 1));
    mark_surely(m, l, &result);
    if (result.reached)
        m->line.pause_ms = 0;
    else
        leaving_pause_longer(&m->line);
    return result.reached && !link_thread_stops(&m->thread);
}

/* True when there may be more to do at once. */
static bool round_of(struct mailer *m)
{
    ARENA_AUTO a = arena_make(ROUND_MEMORY);
    CTX_AUTO c = { 0 };
    struct outbox_letter *list = NULL;
    unsigned sent = 0;
    act_as_server(m, &a, &c);
    enum err status = outbox_due(&c, ROUND, &list);
    if (status != OK) {
        LOG(LOG_WARN, "mail.outbox", LOG_TEXT("code", err_row(status)->slug), LOG_TEXT("why", text_of(a.why.detail)));
        leaving_pause_longer(&m->line);
    } else if (!list)
        m->line.pause_ms = 0; /* nothing is due: the next letter is tried as soon as it comes */
    for (; list; list = list->next, sent++)
        if (!send_one(m, &a, list))
            return false;
    return sent > 0;
}

/* ---- Letters of features (leaving.h): what the service itself has to say goes first. ---- */

static enum letter_fate fate_of(const struct smtp_result *r)
{
    if (r->sent)
        return LETTER_SENT;
    if (r->unknown)
        return LETTER_UNKNOWN;
    if (!r->reached && !r->for_good)
        return LETTER_AWAY;
    return r->for_good ? LETTER_FAILED : LETTER_AGAIN;
}

static void send_leaving(void *arg, struct arena *a, const struct outbox_letter *l, struct sending *out)
{
    struct mailer *m = arg;
    BUF_AUTO message = buf_make(MESSAGE_MAX);
    struct smtp_result result = { .for_good = true, .reached = true, .code = "message" };
    text composed, to = smtp_address(a, l->to);
    if (to.p && compose(a, m, l, to, &message, &composed) == OK)
        smtp_send(m->smtp, to, composed, &m->thread.stop, &result);
    out->fate = fate_of(&result);
    out->reached = result.reached;
    memcpy(out->code, result.code, sizeof out->code);
}

static void *mailer_main(void *arg)
{
    struct mailer *m = arg;
    while (!link_thread_stops(&m->thread)) {
        bool more = round_of(m);
        if (!m->line.pause_ms)
            more |= leaving_some(&m->line);
        if (!more)
            link_thread_rest(&m->thread, m->line.pause_ms ? m->line.pause_ms : IDLE_MS);
    }
    return NULL;
}

enum err mailer_start(struct arena *a, struct app *app, const struct smtp_options *o, struct mailer **out)
{
    struct mailer *m = calloc(1, sizeof *m);
    TRY_PTR(m);
    *out = m;
    m->app = app;
    m->line = (struct leaving_line){
        .app = app, .channel = TEXT("email"), .send = send_leaving, .arg = m, .thread = &m->thread
    };
    enum err status = link_thread_open(a, &m->thread);
    if (status == OK)
        status = smtp_open(a, o, &m->smtp);
    if (status == OK && o->dkim_key.n) {
        text from = smtp_from(m->smtp);
        status = signature_open(a, o->dkim_key, o->dkim_selector, text_from(from, (size_t)(text_index(from, '@') + 1)),
                                &m->signature);
    }
    if (status == OK)
        outbox_sender(app, smtp_from(m->smtp));
    if (status == OK)
        status = link_thread_start(a, &m->thread, mailer_main, m);
    if (status != OK)
        mailer_stop(out);
    return status;
}

void mailer_stop(struct mailer **mailer)
{
    struct mailer *m = *mailer;
    if (!m)
        return;
    link_thread_end(&m->thread);
    outbox_sender(m->app, TEXT(""));
    smtp_close(&m->smtp);
    signature_close(&m->signature);
    free(m);
    *mailer = NULL;
}

/* Letters of requests, and the links in them. */
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/dsr/inside.h"
#include "domain/mail/inbound.h"
#include "domain/person/account.h"

/* How long an answer waits behind its link; who comes later asks for another one. */
static const msec answer_waits = 30 * DAY;

text dsr_follow_path(struct dsr_change *ch)
{
    struct ctx *c = ch->c;
    struct dsr *d = &ch->d;
    if (!d->file.secret.n) {
        d->file.secret = secret_make(c, TEXT("dsr.follow"), &d->follow);
        d->has_follow = true;
    }
    return arena_print(c->arena, "/requests/follow?token=%.*s&lang=%.*s", T(d->file.secret), T(d->file.language));
}

static text link_path(struct dsr_change *ch, text what, msec until)
{
    struct dsr *d = &ch->d;
    text secret = secret_make(ch->c, TEXT("dsr.link"), &d->link);
    d->has_link = true;
    d->link_for = what;
    d->link_until = until;
    return arena_print(ch->c->arena, "/requests/link?token=%.*s&lang=%.*s", T(secret), T(d->file.language));
}

/* Among those that any letter may have: where one is not known, no letter goes, and staff print the file. */
static bool can_write(const struct dsr_change *ch) { return ch->c->app->public_url[0]; }

/* An answer to it comes back to its request: by the address, where emails come in, and by what it refers to. */
static struct letter_thread thread_of(struct dsr_change *ch)
{
    enum { LOCAL_MAX = 64 };
    struct ctx *c = ch->c;
    text address = inbound_address(c), token = dsr_token(c, ch->d.id);
    ptrdiff_t at = text_index(address, '@');
    struct letter_thread t = { .in_reply_to = ch->answers, .token = token };
    if (c->app->inbound.listens && at > 0 && (size_t)at + 1 + token.n <= LOCAL_MAX)
        t.reply_to = arena_print(c->arena, "%.*s+%.*s%.*s", (int)at, address.p, T(token), T(text_from(address, (size_t)at)));
    return t;
}

static enum err make(struct dsr_change *ch, const struct person *p, text to, text letter, text path, text said)
{
    struct ctx *c = ch->c, in = *c;
    const struct dsr *d = &ch->d;
    struct pair_text v[10];
    struct letter_values values = { .v = v, .thread = thread_of(ch) };
    text authority = node_text(c->policy->root, TEXT("authority"));
    in.language = d->file.language;
    v[values.count++] = (struct pair_text){ TEXT("kind"), dsr_kind_says(&in, d->kind) };
    v[values.count++] = (struct pair_text){ TEXT("reference"), dsr_reference(c, d) };
    v[values.count++] = (struct pair_text){ TEXT("link"), mail_link(c, path) };
    v[values.count++] = (struct pair_text){ TEXT("at"), time_print(c->arena, d->received) };
    if (d->has_link)
        v[values.count++] = (struct pair_text){ TEXT("until"), time_print(c->arena, d->link_until) };
    if (ch->names.n)
        v[values.count++] = (struct pair_text){ TEXT("names"), ch->names };
    if (ch->into.n)
        v[values.count++] = (struct pair_text){ TEXT("into"), ch->into };
    if (dsr_by_agent(d) && d->file.name.n)
        v[values.count++] = (struct pair_text){ TEXT("agent"), d->file.name };
    if (said.n)
        v[values.count++] = (struct pair_text){ TEXT("said"), said };
    if (authority.n)
        v[values.count++] = (struct pair_text){ TEXT("authority"), authority };
    if (ch->letter_count == DSR_LETTERS)
        return say(c->arena, ERR_INTERNAL, "a move of a request has at most %d emails", DSR_LETTERS);
    return mail_make_in(c, p, d->file.language, to, letter, &values, &ch->letters[ch->letter_count++]);
}

enum err dsr_letter(struct dsr_change *ch, text letter, text said)
{
    if (!ch->d.file.email.n || !can_write(ch))
        return OK;
    return make(ch, NULL, ch->d.file.email, letter, dsr_follow_path(ch), said);
}

enum err dsr_letter_on_file(struct dsr_change *ch, const struct person *p)
{
    text to;
    int category;
    TRY(mail_address(ch->c, p, &to, &category));
    if (!to.n)
        return say(ch->c->arena, ERR_MISSING, "no email address of this person is on file: ask for a proof");
    return make(ch, p, to, TEXT("request_identity"), link_path(ch, TEXT("identity"), ticket_until(ch->c)), TEXT(""));
}

enum err dsr_letter_of_mandate(struct dsr_change *ch, const struct person *p, bool *told)
{
    text to;
    int category;
    TRY(mail_address(ch->c, p, &to, &category));
    *told = to.n && can_write(ch);
    if (!*told)
        return OK;
    text path = link_path(ch, TEXT("mandate"), ch->c->now + answer_waits);
    return make(ch, p, to, TEXT("request_agent"), path, TEXT(""));
}

enum err dsr_letter_answer(struct dsr_change *ch)
{
    if (!ch->d.file.email.n || !can_write(ch))
        return OK;
    text path = link_path(ch, TEXT("answer"), ch->c->now + answer_waits);
    return make(ch, NULL, ch->d.file.email, TEXT("request_answered"), path, TEXT(""));
}

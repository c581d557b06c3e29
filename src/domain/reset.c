/* Reset links: asked for, looked at, used once. */
#include "domain/reset.h"
#include "domain/inside.h"
#include "domain/mail.h"
#include "domain/password.h"
#include "domain/throttle.h"
#include "domain/write.h"

enum { LINK_LONGEST = 24 };

/* CNIL 2022-100: a day at most, whatever the file says. */
static msec link_ends(const struct ctx *c)
{
    struct term t;
    msec longest = c->now + LINK_LONGEST * HOUR;
    if (!term_parse(node_text(node_at(c->policy->root, TEXT("security.password.reset")), TEXT("link")), &t))
        return longest;
    msec ends = term_end(c->now, t, 1);
    return ends < longest ? ends : longest;
}

struct asked {
    struct ctx *c;
    struct person p;
    struct account account;
    bool there, sends;
    struct attempt attempt;
    struct ticket_put ticket;
    struct mail_put letter;
};
static void asked_end(struct asked *a) { person_end(&a->p); }
#define ASKED_AUTO CLEANUP(asked_end) struct asked

static enum err run_asked(struct db *db, struct write *w)
{
    const struct asked *a = w->arg;
    TRY(throttle_run_failed(db, a->c, &a->attempt));
    if (!a->sends)
        return OK;
    TRY(ticket_run_put(db, &a->ticket, true));
    return mail_run_put(db, &a->letter);
}

/* Nobody's mailbox is filled by strangers: after five letters within a day, one a quarter of an hour. Asking is answered all the same. */
static enum err may_send(struct asked *a, text identifier)
{
    struct ctx *c = a->c;
    a->attempt = (struct attempt){ .digest = throttle_digest(c, TEXT("reset"), a->there ? TEXT_BYTES(a->p.id) : identifier),
                                   .subject = a->p.id, .has_subject = a->there };
    enum err status = throttle_letter(c, &a->attempt);
    if (status == OK)
        throttle_leave(c, &a->attempt);
    a->sends = a->there && status == OK;
    return status == ERR_TOO_MANY ? OK : status;
}

/* For nobody the same letter is made, to nowhere, and dropped: making it is what takes the time. */
static enum err prepare(struct asked *a)
{
    struct ctx *c = a->c;
    char until[TIME_TEXT + 1];
    text to = { NULL, 0 };
    int category;
    if (a->sends)
        TRY(mail_address(c, &a->p, &to, &category));
    a->sends = to.n > 0;
    if (!a->sends)
        to = TEXT("nobody@example.org");
    TRY(ticket_make(c, &a->p, TEXT("reset"), TEXT(""), link_ends(c), &a->ticket));
    text path = arena_print(c->arena, "/reset/%.*s", T(a->ticket.secret));
    TRY_PTR(path.p);
    struct pair_text values[] = { { TEXT("link"), mail_link(c, path) }, { TEXT("until"), time_text(a->ticket.expires, until) } };
    return mail_make(c, a->sends ? &a->p : NULL, to, TEXT("reset"), &(struct letter_values){ values, 2 }, &a->letter);
}

enum err reset_ask(struct ctx *c, const struct json *in)
{
    ASKED_AUTO a = { .c = c };
    text identifier = json_text(in, TEXT("identifier"));
    if (!identifier.n)
        return say(c->arena, ERR_MISSING, "an identifier is needed");
    TRY(signin_find(c, json_text(in, TEXT("tenant")), identifier, &a.there, &a.p, &a.account));
    /* Who was invited or waits for approval has a link of their own. */
    a.there &= text_eq(a.account.state, ACCOUNT_OPEN);
    TRY(may_send(&a, identifier));
    TRY(prepare(&a));
    struct write w = { .run = run_asked, .arg = &a, .event = event_of(c, a.there ? &a.p : NULL, TEXT("password.asked")) };
    return write_do(c, &w, NULL);
}

enum err reset_look(struct ctx *c, text secret)
{
    struct ticket ticket;
    return ticket_find(c, secret, TEXT("reset"), &ticket);
}

struct set { struct ctx *c; struct ticket ticket; struct subject_id id; sealed password; struct mail_put letter; bool has_letter; struct digest tries; };

static enum err run_set(struct db *db, struct write *w)
{
    const struct set *s = w->arg;
    TRY(ticket_run_use(db, &s->ticket));
    TRY(db_run(db, SQL_ACCOUNT_PASSWORD, NULL, ARGS(V_TEXT(s->c->tenant), V_ID(s->id), V_SEALED(s->password), V_INT(s->c->now))));
    TRY(session_run_end_all(db, s->c->tenant, s->id, NULL));
    TRY(db_run(db, SQL_TICKET_END_ALL, NULL, ARGS(V_TEXT(s->c->tenant), V_ID(s->id), V_TEXT(TEXT("")))));
    TRY(throttle_run_clear(db, &(struct attempt){ .digest = s->tries }));
    return s->has_letter ? mail_run_put(db, &s->letter) : OK;
}

enum err reset_confirm(struct ctx *c, const struct json *in)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    struct set s = { .c = c };
    text password = json_text(in, TEXT("password"));
    TRY(ticket_find(c, json_text(in, TEXT("token")), TEXT("reset"), &s.ticket));
    signin_as_server(c);
    TRY(person_open(c, id_print(c->arena, s.ticket.subject), false, &p));
    TRY(account_load(c, p.id, &account));
    if (!text_eq(account.state, ACCOUNT_OPEN))
        return say(c->arena, ERR_NOT_FOUND, "this link is not valid, or no longer");
    TRY(password_check(c, &p, password));
    TRY(password_seal(c, &p, password, &s.password));
    TRY(signin_password_letter(c, &p, &s.letter, &s.has_letter));
    s.id = p.id;
    s.tries = throttle_digest(c, TEXT("tries"), TEXT_BYTES(p.id));
    struct write w = { .run = run_set, .arg = &s, .event = event_of(c, &p, TEXT("password.reset")) };
    return write_do(c, &w, NULL);
}

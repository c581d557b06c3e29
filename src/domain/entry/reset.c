/* Reset links: asked for, looked at, used once. */
#include "domain/entry/reset.h"
#include "domain/entry/opening_inside.h"
#include "domain/person/person.h"
#include "domain/core/id.h"
#include "domain/person/account.h"
#include "domain/account/session.h"
#include "domain/core/instance.h"
#include "domain/mail/mail.h"
#include "domain/account/password.h"
#include "domain/account/throttle.h"
#include "domain/core/write.h"

enum { LINK_LONGEST = 24, ASKINGS = 100 };

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

/* ---- Asked. Only digests of what was typed are kept, for the second until they are looked at. ---- */

struct asking {
    const struct ctx *c;
    struct subject_id id, former_id;
    struct signin_name names[SIGNIN_NAMES];
    unsigned count;
};

static enum err put_asking(struct db *db, const struct asking *a, struct subject_id id, const struct signin_name *name,
                           const struct digest *digest)
{
    return db_run(
        db, SQL_ASKING_ADD, NULL,
        ARGS(V_ID(id), V_TEXT(name->field), V_TEXT(a->c->tenant), V_BYTES(TEXT_BYTES(*digest)), V_INT(a->c->now)));
}

static enum err run_asking(struct db *db, struct write *w)
{
    const struct asking *a = w->arg;
    for (unsigned i = 0; i < a->count; i++) {
        TRY(put_asking(db, a, a->id, &a->names[i], &a->names[i].digest));
        if (memcmp(&a->names[i].digest, &a->names[i].former, sizeof a->names[i].former) != 0)
            TRY(put_asking(db, a, a->former_id, &a->names[i], &a->names[i].former));
    }
    return OK;
}

enum err reset_ask(struct ctx *c, const struct json *in)
{
    struct asking a = { .c = c, .id = id_make(c->now), .former_id = id_make(c->now) };
    text identifier = json_text(in, TEXT("identifier"));
    if (!identifier.n)
        return say(c->arena, ERR_MISSING, "an identifier is needed");
    TRY(signin_names(c, json_text(in, TEXT("tenant")), identifier, a.names, &a.count));
    signin_as_server(c);
    struct write w = { .run = run_asking, .arg = &a, .event = event_of(c, NULL, TEXT("password.asked")) };
    return write_do(c, &w, NULL);
}

/* ---- Looked at. ---- */

struct asked {
    struct ctx *c;
    struct subject_id id; /* of the asking */
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
    TRY(db_run(db, SQL_ASKING_DROP, NULL, ARGS(V_ID(a->id))));
    if (!a->sends)
        return OK;
    TRY(throttle_run_failed(db, a->c, &a->attempt));
    TRY(ticket_run_put(db, &a->ticket, true));
    return mail_run_put(db, &a->letter);
}

/* Nobody's mailbox is filled by strangers: after five letters within a day, one a quarter of an hour. */
static enum err may_send(struct asked *a)
{
    struct ctx *c = a->c;
    a->attempt = (struct attempt){ .digest = throttle_digest(c, TEXT("reset"), TEXT_BYTES(a->p.id)),
                                   .subject = a->p.id,
                                   .has_subject = true };
    enum err status = throttle_letter(c, &a->attempt);
    if (status == OK)
        throttle_leave(c, &a->attempt);
    a->sends = status == OK;
    return status == ERR_TOO_MANY ? OK : status;
}

static enum err prepare(struct asked *a)
{
    struct ctx *c = a->c;
    char until[TIME_TEXT + 1];
    text to = { NULL, 0 };
    int category;
    TRY(mail_address(c, &a->p, &to, &category));
    a->sends = to.n > 0;
    if (!a->sends)
        return OK;
    TRY(ticket_make(c, &a->p, TEXT("reset"), TEXT(""), link_ends(c), &a->ticket));
    text path = arena_print(c->arena, "/reset/%.*s", T(a->ticket.secret));
    TRY_PTR(path.p);
    struct pair_text values[] = { { TEXT("link"), mail_link(c, path) },
                                  { TEXT("until"), time_text(a->ticket.expires, until) } };
    return mail_make(c, &a->p, to, TEXT("reset"), &(struct letter_values){ values, 2 }, &a->letter);
}

struct row {
    struct subject_id id;
    text tenant;
    struct signin_name name;
};

static enum err look(struct ctx *c, const struct row *row)
{
    ASKED_AUTO a = { .c = c, .id = row->id };
    c->tenant = row->tenant;
    TRY(signin_find(c, &row->name, 1, &a.there, &a.p, &a.account));
    /* Who was invited or waits for approval has a link of their own. */
    a.there &= text_eq(a.account.state, ACCOUNT_OPEN);
    if (a.there)
        TRY(may_send(&a));
    if (a.sends)
        TRY(prepare(&a));
    struct write w = { .run = run_asked,
                       .arg = &a,
                       .event = event_of(c, a.there ? &a.p : NULL, TEXT("password.looked")) };
    w.event.count = a.sends;
    return a.there ? write_do(c, &w, NULL) : OK;
}

static enum err load_rows(struct ctx *c, struct row rows[ASKINGS], unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ASKING_FIRST, ARGS(V_INT(ASKINGS)));
    for (*count = 0; *count < ASKINGS && query_next(&q); ++*count) {
        struct row *row = &rows[*count];
        if (query_get(&q, ASKING_FIRST, id).n != SUBJECT_ID ||
            query_get(&q, ASKING_FIRST, digest).n != sizeof row->name.digest)
            return say(c->arena, ERR_INTEGRITY, "a request for a new password is not in the form that was kept");
        memcpy(&row->id, query_get(&q, ASKING_FIRST, id).p, SUBJECT_ID);
        memcpy(&row->name.digest, query_get(&q, ASKING_FIRST, digest).p, sizeof row->name.digest);
        row->name.former = row->name.digest;
        row->name.field = arena_copy(c->arena, query_get(&q, ASKING_FIRST, field));
        row->tenant = arena_copy(c->arena, query_get(&q, ASKING_FIRST, tenant));
        TRY_PTR(row->name.field.p && row->tenant.p ? row : NULL);
    }
    return q.status;
}

struct over {
    const struct row *rows;
    unsigned count;
};

static enum err run_over(struct db *db, struct write *w)
{
    const struct over *o = w->arg;
    for (unsigned i = 0; i < o->count; i++)
        TRY(db_run(db, SQL_ASKING_OVER, NULL, ARGS(V_ID(o->rows[i].id), V_TEXT(o->rows[i].name.field))));
    return OK;
}

/* Those that led to nobody go together. A letter that cannot be made is no reason to keep the others waiting. */
enum err reset_tick(struct ctx *c)
{
    struct row *rows = NEW_ARRAY(c->arena, struct row, ASKINGS);
    unsigned count = 0;
    text tenant = c->tenant;
    struct actor actor = c->actor;
    enum err worst = OK;
    TRY_PTR(rows);
    TRY(load_rows(c, rows, &count));
    for (unsigned i = 0; i < count; i++) {
        enum err status = look(c, &rows[i]);
        worst = status == OK ? worst : status;
    }
    c->tenant = tenant;
    c->actor = actor;
    struct over o = { rows, count };
    struct write w = { .run = run_over, .arg = &o, .event = event_of(c, NULL, TEXT("password.looked")) };
    w.event.tenant = TEXT("");
    w.event.count = count;
    if (count)
        TRY(write_do(c, &w, NULL));
    return worst;
}

/* ---- Used. ---- */

enum err reset_look(struct ctx *c, text secret)
{
    struct ticket ticket;
    struct account account;
    TRY(ticket_find(c, secret, TEXT("reset"), &ticket));
    TRY(account_load(c, ticket.subject, &account));
    opening_speak(c, &account);
    return OK;
}

struct set {
    struct ctx *c;
    struct ticket ticket;
    struct subject_id id;
    sealed password;
    struct mail_put letter;
    bool has_letter;
    struct digest tries;
};

static enum err run_set(struct db *db, struct write *w)
{
    const struct set *s = w->arg;
    TRY(ticket_run_use(db, &s->ticket));
    TRY(db_run(db, SQL_ACCOUNT_PASSWORD, NULL,
               ARGS(V_TEXT(s->c->tenant), V_ID(s->id), V_SEALED(s->password), V_INT(s->c->now))));
    TRY(session_run_end_all(db, s->c->tenant, s->id, NULL));
    TRY(db_run(db, SQL_TICKET_END_ALL, NULL, ARGS(V_TEXT(s->c->tenant), V_ID(s->id), V_TEXT(TEXT("live")))));
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
    TRY(password_check(c, &p, NULL, password));
    TRY(password_seal(c, &p, password, &s.password));
    TRY(signin_password_letter(c, &p, &s.letter, &s.has_letter));
    s.id = p.id;
    s.tries = throttle_digest(c, TEXT("tries"), TEXT_BYTES(p.id));
    struct write w = { .run = run_set, .arg = &s, .event = event_of(c, &p, TEXT("password.reset")) };
    return write_do(c, &w, NULL);
}

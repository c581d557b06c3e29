/* Registration by oneself: the address is confirmed by a link, staff approve where the policy asks; nobody learns
 * whether an address is known. */
#include "domain/keep/erasing.h"
#include "domain/core/budget.h"
#include "domain/core/actor.h"
#include "domain/entry/opening.h"
#include "domain/entry/signin.h"
#include "domain/person/person.h"
#include "domain/core/instance.h"
#include "domain/mail/account_letter.h"
#include "domain/person/making.h"
#include "domain/core/normal.h"
#include "domain/entry/opening_inside.h"
#include "domain/account/password.h"
#include "domain/account/throttle.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

static const text kind = TEXT_INIT("registration");

/* Registered, and the address not confirmed yet. */
static bool is_pending(const struct account *a)
{
    return a->there && text_eq(a->state, ACCOUNT_INVITED) && text_eq(a->opened_by, TEXT("person"));
}

struct registering {
    struct ctx *c;
    struct person *p;
    struct event event;
    text language;
    sealed password;
    struct ticket_put ticket;
    struct mail_put letter;
    const struct attempt *letters;
};

static enum err run_registering(struct db *db, void *arg)
{
    const struct registering *r = arg;
    struct val tenant = V_TEXT(r->c->tenant), id = V_ID(r->p->id);
    TRY(throttle_run_failed(db, r->c, r->letters));
    TRY(db_run(db, SQL_ACCOUNT_ADD, NULL,
               ARGS(tenant, id, V_TEXT(ACCOUNT_INVITED), V_NULL, V_TEXT(r->language), V_INT(r->c->now),
                    V_TEXT(TEXT("person")))));
    if (r->password.bytes.n)
        TRY(db_run(db, SQL_ACCOUNT_PASSWORD, NULL, ARGS(tenant, id, V_SEALED(r->password), V_INT(r->c->now))));
    TRY(ticket_run_put(db, &r->ticket, true));
    TRY(mail_run_put(db, &r->letter));
    return journal_add(db, &r->event, NULL);
}

/* ---- The address is known. ---- */

static bool is_address(const struct ctx *c, const struct change_identifier *identifier)
{
    text field = identifier->field, category = text_cut(&field, '.');
    const struct category *cat = &c->policy->categories[policy_category(c->policy, category)];
    return cat->fields[policy_field(cat, field)].type == FIELD_EMAIL;
}

/* again: it was a registration that nobody confirmed, and is gone: the way is free. names: a name was taken. */
struct begun {
    bool again, names;
};

/* The owner of an e-mail address that the new person would have, or of another name of theirs. */
static enum err owner(struct ctx *c, const struct change *ch, bool address, bool *found, struct subject_id *out,
                      text *field)
{
    *found = false;
    for (unsigned i = 0; i < ch->identifier_count && !*found; i++)
        if (is_address(c, &ch->identifiers[i]) == address) {
            TRY(person_find(c, ch->identifiers[i].field, &ch->identifiers[i].digest, found, out));
            *field = ch->identifiers[i].field;
        }
    return OK;
}

/* It must be said to who wants it for themselves, and is counted and on record, so that nobody asks for everybody's. */
static enum err name_taken(struct ctx *c, text field, struct begun *out)
{
    out->names = true;
    TRY(budget_take(c, BUDGET_names_asked, c->address));
    say(c->arena, ERR_CONFLICT, "%.*s is that of another person", T(field));
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%.*s", T(field));
    return write_refusal(c, NULL, TEXT(""), TEXT(""));
}

struct telling {
    struct ctx *c;
    struct mail_put letter;
    const struct attempt *letters;
};

static enum err run_letter(struct db *db, struct write *w)
{
    const struct telling *t = w->arg;
    TRY(throttle_run_failed(db, t->c, t->letters));
    return mail_run_put(db, &t->letter);
}

/* Their owner is told by a letter, and may sign in; somebody who closed their account is left in peace. Either way
 * something is written, so that the time that it takes tells no more than the answer. */
static enum err tell_owner(struct ctx *c, const struct person *p, const struct account *a,
                           const struct attempt *letters)
{
    struct telling t = { .c = c, .letters = letters };
    const struct account_letter l = { .name = TEXT("known_address"), .path = TEXT("/signin") };
    struct write w = { .event = event_of(c, p, TEXT("account.registered")) };
    w.event.outcome = OUTCOME_REFUSED;
    if (p->state == PERSON_ACTIVE && a->there && !text_eq(a->state, ACCOUNT_REFUSED)) {
        TRY(letter_make(c, p, &l, &t.letter));
        w.run = run_letter;
        w.arg = &t;
    }
    return write_do(c, &w, NULL);
}

static enum err known(struct ctx *c, const struct change *ch, const struct attempt *letters, struct begun *out)
{
    struct ctx server = *c; /* nobody signed in reaches the owner: the server itself does */
    struct subject_id id = { { 0 } }, namesake = { { 0 } };
    bool found, named;
    text name = TEXT(""), address;
    out->again = false;
    server.actor = actor_server();
    TRY(owner(c, ch, false, &named, &namesake, &name));
    TRY(owner(c, ch, true, &found, &id, &address));
    if (!found)
        return named ? name_taken(c, name, out) : say(c->arena, ERR_BUSY, "another registration is under way");
    PERSON_AUTO p = { 0 };
    struct account account;
    TRY(person_open_anyway(&server, id_print(c->arena, id), &p));
    TRY(account_load(c, id, &account));
    out->again = is_pending(&account) && p.state == PERSON_ACTIVE;
    /* A name that is taken is no secret, and is told whatever there is of the address: else it would tell of the
     * address. */
    if (named && !(out->again && memcmp(&id, &namesake, sizeof id) == 0)) {
        out->again = false;
        return name_taken(c, name, out);
    }
    return out->again ? erase_at_term(&server, id) : tell_owner(&server, &p, &account, letters);
}

/* ---- Registering. ---- */

/* Where the letter's link leads; `next` is where the person was going when they had no account yet. */
static text link_to(struct ctx *c, const struct ticket_put *ticket, text next)
{
    BUF_AUTO b = buf_make(8192);
    buf_add(&b, TEXT("/registration?"));
    if (next.n) {
        buf_add(&b, TEXT("next="));
        buf_percent(&b, next);
        buf_char(&b, '&');
    }
    buf_print(&b, "token=%.*s", T(ticket->secret));
    return buf_made(c->arena, &b);
}

static enum err begin(struct ctx *c, const struct json *in, text next, const struct attempt *letters,
                      struct begun *out)
{
    PERSON_AUTO p = { 0 };
    struct change change;
    struct event event;
    struct registering r = {
        .c = c, .p = &p, .letters = letters, .language = opening_language(c, json_text(in, TEXT("language")))
    };
    const struct making m = { .data = json_get(in, TEXT("data")),
                              .consents = json_get(in, TEXT("consents")),
                              .source = TEXT("person"),
                              .settled = true };
    text email = opening_email(c, m.data), password = json_text(in, TEXT("password"));
    out->again = false;
    TRY(opening_needs(c, m.data, false, false));
    if (!email.n)
        return say(c->arena, ERR_MISSING, "an account is confirmed at an e-mail address: an identifier of the policy");
    TRY(person_make(c, &m, &p, &change, &event));
    if (json_get(in, TEXT("password"))) {
        TRY(password_check(c, &p, m.data, password));
        TRY(password_seal(c, &p, password, &r.password));
    }
    TRY(ticket_make(c, &p, kind, TEXT(""), ticket_until(c), &r.ticket));
    text link = link_to(c, &r.ticket, next);
    TRY_PTR(link.p);
    const struct account_letter l = {
        .name = TEXT("identifier_confirm"), .to = email, .language = r.language, .path = link, .until = r.ticket.expires
    };
    TRY(letter_make(c, &p, &l, &r.letter));
    r.event = event_of(c, &p, TEXT("account.registered"));
    change.also = run_registering;
    change.also_arg = &r;
    enum err status = change_write(c, &change, event, NULL);
    return status == ERR_CONFLICT ? known(c, &change, letters, out) : status;
}

static enum err register_at(struct ctx *c, const struct json *in, text next, const struct attempt *letters,
                            struct begun *out)
{
    out->again = true;
    for (int tries = 0; out->again && tries < 2; tries++)
        TRY(begin(c, in, next, letters, out));
    return out->again ? say(c->arena, ERR_BUSY, "another registration is under way") : OK;
}

/* Nobody's mailbox is filled by strangers (throttle_letter): beyond that, asking is answered all the same. */
enum err registration_begin(struct ctx *c, const struct json *in, text next, struct answer *out)
{
    static const struct field address = { .type = FIELD_EMAIL };
    text email = opening_email(c, json_get(in, TEXT("data")));
    struct attempt letters = { .digest = throttle_digest(c, TEXT("registration"),
                                                         normal_lookup(c, &address, email.p ? email : TEXT(""))) };
    TRY(opening_allowed(c, TEXT("self")));
    c->actor = (struct actor){ .kind = ACTOR_PERSON, .index = PERSON, .name = c->policy->actors[PERSON].name };
    out->body = TEXT("{\"state\":\"confirm\"}");
    struct begun begun = { false, false };
    enum err status = throttle_letter(c, &letters);
    if (status == OK) {
        status = register_at(c, in, next, &letters, &begun);
        throttle_leave(c, &letters);
    }
    return status == ERR_TOO_MANY && !begun.names ? OK : status;
}

/* ---- The address is confirmed. ---- */

struct step {
    struct ctx *c;
    const struct ticket *ticket;
    const struct person *p;
    text from, to;
    sealed password;
    struct mail_put letter;
    bool has_letter;
};

static enum err run_step(struct db *db, struct write *w)
{
    const struct step *s = w->arg;
    int64_t changed;
    if (s->ticket)
        TRY(ticket_run_use(db, s->ticket));
    TRY(db_run(db, SQL_ACCOUNT_STATE, &changed,
               ARGS(V_TEXT(s->c->tenant), V_ID(s->p->id), V_TEXT(s->from), V_TEXT(s->to))));
    if (!changed)
        return s->ticket ? say(db_arena(db), ERR_NOT_FOUND, "this link is not valid, or no longer")
                         : say(db_arena(db), ERR_CONFLICT, "this account awaits no approval");
    if (s->password.bytes.n)
        TRY(db_run(db, SQL_ACCOUNT_PASSWORD, NULL,
                   ARGS(V_TEXT(s->c->tenant), V_ID(s->p->id), V_SEALED(s->password), V_INT(s->c->now))));
    return s->has_letter ? mail_run_put(db, &s->letter) : OK;
}

/* Anybody may have typed this address at registration, with a password of their own: who has the link must know it, or
 * they would open the account for somebody else. Guessing gains nothing: the link is needed too. */
static enum err check_own(struct ctx *c, const struct person *p, const struct account *account, text password)
{
    bool good = false;
    if (!password.n) {
        say(c->arena, ERR_MISSING, "\"password\" is the one given at registration");
        text_cstr(TEXT("password"), c->arena->why.field, sizeof c->arena->why.field);
        return ERR_MISSING;
    }
    TRY(password_verify(c, p, account->password, password, &good));
    if (good)
        return OK;
    say(c->arena, ERR_VALUE, "this is not the password given at registration");
    text_cstr(TEXT("password"), c->arena->why.field, sizeof c->arena->why.field);
    return ERR_VALUE;
}

enum err registration_look(struct ctx *c, text token, bool *chosen)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    struct ticket ticket;
    TRY(opening_ticket(c, token, kind, &ticket, &p, &account));
    *chosen = account.password.bytes.n > 0;
    return OK;
}

/* The password that was given at registration is known, or one is chosen now. */
static enum err take_password(struct step *s, const struct person *p, const struct account *account, text password)
{
    if (account->password.bytes.n)
        return check_own(s->c, p, account, password);
    TRY(password_check(s->c, p, NULL, password));
    return password_seal(s->c, p, password, &s->password);
}

enum err registration_confirm(struct ctx *c, text token, text password, struct answer *out, struct signin *in)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    struct ticket ticket;
    TRY(opening_ticket(c, token, kind, &ticket, &p, &account));
    bool approval = text_eq(node_text(node_at(c->policy->root, TEXT("accounts")), TEXT("approval")), TEXT("true"));
    struct step s = { .c = c,
                      .ticket = &ticket,
                      .p = &p,
                      .from = ACCOUNT_INVITED,
                      .to = approval ? ACCOUNT_AWAITING : ACCOUNT_OPEN,
                      .has_letter = approval };
    TRY(take_password(&s, &p, &account, password));
    const struct account_letter l = { .name = TEXT("awaiting_approval") };
    if (approval)
        TRY(letter_make(c, &p, &l, &s.letter));
    struct write w = { .run = run_step, .arg = &s, .event = event_of(c, &p, TEXT("account.confirmed")) };
    out->body = arena_print(c->arena, "{\"state\":\"%.*s\"}", T(s.to));
    TRY_PTR(out->body.p);
    TRY(write_do(c, &w, NULL));
    return in && !approval ? signin_by_link(c, &p, in) : OK;
}

/* ---- Approval. ---- */

enum err registration_decide(struct ctx *c, text id, bool approve, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct step s = {
        .c = c, .p = &p, .from = ACCOUNT_AWAITING, .to = approve ? ACCOUNT_OPEN : ACCOUNT_REFUSED, .has_letter = true
    };
    TRY(person_open(c, id, false, &p));
    TRY(account_administers(c, &p, false));
    const struct account_letter l = { .name = approve ? TEXT("approved") : TEXT("refused_account"),
                                      .path = TEXT("/signin") };
    TRY(letter_make(c, &p, &l, &s.letter));
    struct write w = { .run = run_step,
                       .arg = &s,
                       .event = event_of(c, &p, approve ? TEXT("account.approved") : TEXT("account.refused")) };
    out->body = arena_print(c->arena, "{\"state\":\"%.*s\"}", T(s.to));
    TRY_PTR(out->body.p);
    return write_do(c, &w, out);
}

/* ---- Registrations that nobody confirmed (the address was not theirs, or they changed their mind), or that were
 * refused: once the letter that says so is no longer kept. ---- */

enum err registration_tick(struct ctx *c)
{
    enum { MOST = 50 };
    struct subject_id over[MOST];
    for (unsigned t = 0; t < c->policy->tenant_count; t++) {
        struct ctx of_tenant = *c;
        unsigned count = 0;
        of_tenant.tenant = c->policy->tenants[t];
        {
            READ_AUTO db = NULL;
            TRY(store_read(ctx_store(c), c->arena, &db));
            QUERY_AUTO q;
            query_start(&q, db, SQL_REGISTRATION_OVER, ARGS(V_TEXT(of_tenant.tenant), V_INT(c->now), V_INT(MOST)));
            for (; count < MOST && query_next(&q) && query_get(&q, REGISTRATION_OVER, subject).n == sizeof *over;
                 count++)
                memcpy(&over[count], query_get(&q, REGISTRATION_OVER, subject).p, sizeof *over);
            TRY(q.status);
        }
        for (unsigned i = 0; i < count; i++)
            TRY(erase_at_term(&of_tenant, over[i]));
    }
    return OK;
}

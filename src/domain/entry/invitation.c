/* An invitation accepted: the password that makes an account open. */
#include "domain/person/look_at.h"
#include "domain/core/named.h"
#include "domain/entry/opening.h"
#include "domain/core/instance.h"
#include "domain/entry/opening_inside.h"
#include "domain/entry/signin.h"
#include "domain/account/password.h"
#include "domain/core/write.h"

struct accepting {
    struct ctx *c;
    struct ticket ticket;
    sealed password;
};

static enum err run_accept(struct db *db, struct write *w)
{
    const struct accepting *a = w->arg;
    struct val person[] = { V_TEXT(a->ticket.tenant), V_ID(a->ticket.subject), V_TEXT(ACCOUNT_INVITED),
                            V_TEXT(ACCOUNT_OPEN) };
    int64_t changed;
    TRY(ticket_run_use(db, &a->ticket));
    TRY(db_run(db, SQL_ACCOUNT_STATE, &changed, person, 4));
    if (!changed)
        return say(db_arena(db), ERR_NOT_FOUND, "this link is not valid, or no longer");
    return db_run(db, SQL_ACCOUNT_PASSWORD, NULL, ARGS(person[0], person[1], V_SEALED(a->password), V_INT(a->c->now)));
}

static enum err show_invited(struct ctx *c, struct look *l, struct json_out *w)
{
    const struct account *account = l->arg;
    json_pair(w, TEXT("opened"), time_print(c->arena, account->opened));
    json_pair(w, TEXT("source_title"), doc_source(c, l->p.source));
    json_name(w, TEXT("categories"));
    json_open(w, '[');
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        struct record *rows;
        unsigned count = 0, lost = 0;
        if (!c->policy->categories[i].transient)
            TRY(record_load_readable(c, &l->p, (int)i, false, &rows, &count, &lost));
        if (count || lost)
            json_put_text(w, doc_category(c, &c->policy->categories[i]));
    }
    json_close(w, ']');
    return OK;
}

enum err invitation_look(struct ctx *c, text token, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    struct ticket ticket;
    struct look l = { .act = TEXT("read"),
                      .purpose = TEXT("access"), /* their own data, told to who was sent the link (GDPR 14) */
                      .may = look_at_own,
                      .show = show_invited,
                      .arg = &account };
    TRY(opening_ticket(c, token, TEXT("invitation"), &ticket, &p, &account));
    return look_at_person(c, id_print(c->arena, p.id), &l, out);
}

enum err invitation_accept(struct ctx *c, text token, text password, struct answer *out, struct signin *in)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    struct accepting a = { .c = c };
    TRY(opening_ticket(c, token, TEXT("invitation"), &a.ticket, &p, &account));
    TRY(password_check(c, &p, NULL, password));
    TRY(password_seal(c, &p, password, &a.password));
    struct write w = { .run = run_accept, .arg = &a, .event = event_of(c, &p, TEXT("account.accepted")) };
    out->body = TEXT("{\"state\":\"open\"}");
    TRY(write_do(c, &w, NULL));
    return in ? signin_by_link(c, &p, in) : OK;
}

/* Accounts opened for somebody: what they need, who supplied it, the invitation, and its acceptance. */
#include "domain/entry/opening.h"
#include "domain/person/person.h"
#include "domain/entry/may.h"
#include "domain/core/instance.h"
#include "base/unicode.h"
#include "crypt/password.h"
#include "domain/entry/address.h"
#include "domain/mail/account_letter.h"
#include "domain/person/making.h"
#include "domain/core/normal.h"
#include "domain/entry/opening_inside.h"
#include "domain/person/source.h"
#include "domain/core/write.h"


static bool is_filled(const struct json *v)
{
    return v && v->kind != J_NULL && (v->kind != J_TEXT || !unicode_is_blank(v->value));
}

enum err opening_needs(struct ctx *c, const struct json *data, bool folders, bool folders_needed)
{
    BUF_AUTO missing = buf_make(8192);
    text first = { NULL, 0 };
    NODE_EACH(need, node_at(c->policy->root, TEXT("accounts.needs"))) {
        text field = need->value, category = text_cut(&field, '.');
        bool is_folders = text_eq(need->value, TEXT("folders"));
        if (is_folders ? folders || !folders_needed : is_filled(json_get(json_get(data, category), field)))
            continue;
        buf_print(&missing, "%s%.*s", missing.n ? ", " : "", T(need->value));
        if (!first.p)
            first = need->value;
    }
    if (!first.p)
        return OK;
    say_clause(c->arena, ERR_MISSING, may_accounts_clause(c, "needs"), "an account also needs %.*s",
               T(buf_begun(&missing)));
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%.*s", T(first));
    return ERR_MISSING;
}

text opening_email(struct ctx *c, const struct json *data)
{
    JSON_EACH(fields, data) {
        int index = policy_category(c->policy, fields->key);
        const struct category *cat = index >= 0 ? &c->policy->categories[index] : NULL;
        for (unsigned i = 0; cat && i < cat->field_count; i++) {
            text value = json_text(fields, cat->fields[i].name);
            if (cat->fields[i].identifier && cat->fields[i].type == FIELD_EMAIL && value.n)
                return normal_kept(c, &cat->fields[i], value);
        }
    }
    return (text){ NULL, 0 };
}

text opening_language(const struct ctx *c, text language)
{
    text said = policy_language(c->policy, language);
    return said.p ? said : c->language;
}

void opening_as_person(struct ctx *c, struct subject_id id)
{
    c->actor = (struct actor){ .kind = ACTOR_PERSON,
                               .index = PERSON,
                               .name = c->policy->actors[PERSON].name,
                               .has_self = true,
                               .self = id,
                               .agreement = true };
}

/* ---- Opening. ---- */

/* In which of the policy's words this actor opens accounts. A program opens them for the staff who use it. */
static enum err check_opener(struct ctx *c, const struct json *in, bool *settled)
{
    const struct tenant *t = policy_tenant(c->policy, c->tenant);
    bool colleague = t && t->stored && json_text(in, TEXT("role")).n; /* the operator lets nobody in there */
    *settled = c->actor.kind == ACTOR_OPERATOR;
    switch (c->actor.kind) {
    case ACTOR_OPERATOR:
        /* Who works here must be let in by somebody first. */
        return json_text(in, TEXT("role")).n ? OK : opening_allowed(c, TEXT("staff"));
    case ACTOR_STAFF:
        return colleague ? OK : opening_allowed(c, TEXT("staff"));
    case ACTOR_SYSTEM:
        return opening_allowed(c, TEXT("staff"));
    case ACTOR_MANAGER:
        return opening_allowed(c, TEXT("manager"));
    case ACTOR_RECIPIENT:
    case ACTOR_PERSON:
    case ACTOR_NOBODY:
        break;
    }
    say_clause(c->arena, ERR_FORBIDDEN, may_accounts_clause(c, "opened_by"), "\"%.*s\" opens no accounts",
               T(c->actor.name));
    return write_refusal(c, NULL, TEXT(""), TEXT(""));
}

struct opening {
    struct ctx *c;
    struct person *p;
    struct event event;
    text role, language, by;
    struct subject_id manager;
    bool has_manager;
    struct ticket_put ticket;
    bool invites, silent; /* silent: no letter is wanted */
    struct feature_made *made; /* of the features: the folders that come with it */
    struct mail_put letters[2];
    unsigned letter_count;
    sealed password; /* brought along from another program: the account is open at once */
};

/* The operator is told a link, but of a tenant whose data it only stores: there it would be a way in. */
static bool tells_link(const struct ctx *c)
{
    return c->actor.kind == ACTOR_OPERATOR &&
           policy_tenant_has(c->policy, policy_tenant(c->policy, c->tenant), OPERATOR);
}

static text state_of(const struct opening *o) { return o->password.bytes.n ? ACCOUNT_OPEN : ACCOUNT_INVITED; }

static enum err run_opening(struct db *db, void *arg)
{
    const struct opening *o = arg;
    text tenant = o->c->tenant;
    TRY(db_run(db, SQL_ACCOUNT_ADD, NULL,
               ARGS(V_TEXT(tenant), V_ID(o->p->id), V_TEXT(state_of(o)), o->role.n ? V_TEXT(o->role) : V_NULL,
                    V_TEXT(o->language), V_INT(o->c->now), V_TEXT(o->by))));
    if (o->password.bytes.n)
        TRY(db_run(db, SQL_ACCOUNT_PASSWORD, NULL,
                   ARGS(V_TEXT(tenant), V_ID(o->p->id), V_SEALED(o->password), V_INT(o->c->now))));
    if (o->has_manager)
        TRY(db_run(db, SQL_TEAM_ADD, NULL, ARGS(V_TEXT(tenant), V_ID(o->p->id), V_ID(o->manager), V_INT(o->c->now))));
    TRY(feature_open_run(db, o->made));
    if (o->invites)
        TRY(ticket_run_put(db, &o->ticket, true));
    for (unsigned i = 0; i < o->letter_count; i++)
        TRY(mail_run_put(db, &o->letters[i]));
    return journal_add(db, &o->event, NULL);
}

static enum err take_team(struct opening *o, const struct json *in)
{
    struct ctx *c = o->c;
    text manager = json_text(in, TEXT("manager"));
    if (c->actor.kind == ACTOR_MANAGER) {
        if (!c->actor.has_self)
            return say(c->arena, ERR_FORBIDDEN, "this token stands for no manager in person: give it a holder");
        o->manager = c->actor.self;
        o->has_manager = true;
        return OK;
    }
    if (!manager.n)
        return OK;
    o->has_manager = true;
    return opening_manager(c, manager, &o->manager);
}

static text link_of(struct ctx *c, const struct ticket_put *t)
{
    return arena_print(c->arena, "/invitation?token=%.*s", T(t->secret));
}

/* The link, and who asked for the account; whose data came from somebody else is told so (GDPR 14). */
static enum err take_letters(struct opening *o, text email, text source, bool told)
{
    struct ctx *c = o->c;
    bool tells = o->password.bytes.n && email.n && !o->silent;
    if (!o->invites && !tells)
        return OK;
    const struct account_letter invitation = {
        .name = TEXT("invitation"),
        .to = email,
        .language = o->language,
        .path = o->invites ? link_of(c, &o->ticket) : TEXT(""),
        .source = told ? source : TEXT(""),
        .until = o->ticket.expires,
    };
    const struct account_letter other = {
        .name = TEXT("opened_by_other"), .to = email, .language = o->language, .source = source
    };
    if (o->invites)
        TRY(letter_make(c, o->p, &invitation, &o->letters[o->letter_count++]));
    return told ? letter_make(c, o->p, &other, &o->letters[o->letter_count++]) : OK;
}

static enum err take_invitation(struct opening *o, const struct json *in, text email)
{
    struct ctx *c = o->c;
    o->invites = !o->silent && !json_get(in, TEXT("password_hash"));
    if (!o->invites)
        return OK;
    if (!email.n)
        return say(c->arena, ERR_MISSING, "an invitation goes to an e-mail address: an identifier of the policy");
    return ticket_make(c, o->p, TEXT("invitation"), TEXT(""), ticket_until(c), &o->ticket);
}

/* A digest that another program kept of the person's password: it opens the account, so only who runs the server brings
 * it. It is made anew in our form when the person first signs in. */
static enum err take_password(struct opening *o, const struct json *in)
{
    struct ctx *c = o->c;
    text hash = password_hash_bare(json_text(in, TEXT("password_hash")));
    if (!json_get(in, TEXT("password_hash")))
        return OK;
    if (c->actor.kind != ACTOR_OPERATOR) {
        say_clause(c->arena, ERR_FORBIDDEN, may_accounts_clause(c, "opened_by"),
                   "the operator alone brings passwords along");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    if (!password_hash_good(hash)) {
        say(c->arena, ERR_VALUE,
            "password_hash is of no form that can be checked here: Argon2id or Argon2i (version 19), or bcrypt ($2a$, $2b$, $2y$)");
        snprintf(c->arena->why.field, sizeof c->arena->why.field, "password_hash");
        return ERR_VALUE;
    }
    if (password_hash_weak(hash)) {
        say(c->arena, ERR_VALUE,
            "password_hash is too quickly guessed (bcrypt below cost 10, or Argon2 below 7 MiB and 5 passes): leave it out, and invite the person");
        snprintf(c->arena->why.field, sizeof c->arena->why.field, "password_hash");
        return ERR_VALUE;
    }
    return account_seal(c, o->p, TEXT("password"), 0, hash, &o->password);
}

static enum err answer_opened(const struct opening *o, bool link, struct answer *out)
{
    struct ctx *c = o->c;
    BUF_AUTO b = buf_make(8192);
    struct json_out w = json_out(&b);
    *out = (struct answer){ .id = id_print(c->arena, o->p->id), .version = 1 };
    json_open(&w, '{');
    json_pair(&w, TEXT("id"), out->id);
    json_pair_int(&w, TEXT("version"), 1);
    json_pair(&w, TEXT("state"), state_of(o));
    json_pair(&w, TEXT("expires"), o->invites ? time_print(c->arena, o->ticket.expires) : (text){ NULL, 0 });
    if (link)
        json_pair(&w, TEXT("link"), mail_link(c, link_of(c, &o->ticket)));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

enum err account_open_for(struct ctx *c, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct change change;
    struct event event;
    struct answer kept;
    struct opening o = { .c = c,
                         .p = &p,
                         .role = json_text(in, TEXT("role")),
                         .by = c->actor.name,
                         .language = opening_language(c, json_text(in, TEXT("language"))) };
    struct making m = { .data = json_get(in, TEXT("data")),
                        .consents = json_get(in, TEXT("consents")),
                        .source = json_text(in, TEXT("supplied_by")),
                        .supplier = json_text(in, TEXT("supplier")),
                        .permission = json_get(in, TEXT("permission")) };
    const struct json *folders = json_get(in, TEXT("folders")), *invite = json_get(in, TEXT("invite"));
    if (!m.source.n)
        return source_missing(c, TEXT("supplied_by"));
    TRY(check_opener(c, in, &m.settled));
    TRY(may_check_role(c, o.role));
    if (!o.role.n) /* who works here brings nothing along */
        TRY(opening_needs(c, m.data, folders && folders->count, true));
    TRY(take_team(&o, in));
    TRY(person_make(c, &m, &p, &change, &event));
    if (!change.identifier_count)
        return say(c->arena, ERR_MISSING,
                   "an account is found by an identifier of the policy, such as an e-mail address");
    TRY(feature_open_make(c, &p, in, &o.made));
    o.silent = invite && !invite->truth;
    TRY(take_invitation(&o, in, opening_email(c, m.data)));
    TRY(take_password(&o, in));
    TRY(take_letters(&o, opening_email(c, m.data), change.source, change.inform != 0));
    o.event = event_of(c, &p, TEXT("account.open"));
    change.also = run_opening;
    change.also_arg = &o;
    TRY(answer_opened(&o, false, &kept));
    TRY(change_write(c, &change, event,
                     &kept)); /* a repeated request is answered without the link, which is kept nowhere */
    return answer_opened(&o, tells_link(c) && o.invites, out);
}

/* ---- Inviting again. ---- */

static enum err run_invite(struct db *db, struct write *w)
{
    const struct opening *o = w->arg;
    TRY(write_person_there(db, o->c->tenant, o->p->id));
    TRY(ticket_run_put(db, &o->ticket, true));
    return mail_run_put(db, &o->letters[0]);
}

enum err account_invite(struct ctx *c, text id, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    struct opening o = { .c = c, .p = &p, .invites = true };
    TRY(person_open(c, id, false, &p));
    TRY(account_administers(c, &p, true));
    TRY(account_load(c, p.id, &account));
    if (!account.there || !text_eq(account.state, ACCOUNT_INVITED))
        return say(c->arena, ERR_CONFLICT, "this account awaits no invitation");
    o.language = opening_language(c, account.language);
    TRY(ticket_make(c, &p, TEXT("invitation"), TEXT(""), ticket_until(c), &o.ticket));
    TRY(take_letters(&o, (text){ NULL, 0 }, TEXT(""), false));
    struct write w = { .run = run_invite, .arg = &o, .event = event_of(c, &p, TEXT("account.invite")) };
    struct answer kept;
    TRY(answer_opened(&o, false, &kept));
    kept.version = 0;
    kept.id = (text){ NULL, 0 };
    TRY(write_do(c, &w, &kept));
    TRY(answer_opened(&o, tells_link(c), out));
    out->version = 0;
    out->id = (text){ NULL, 0 };
    return OK;
}

enum err invitation_again(struct ctx *c, text token)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    struct opening o = { .c = c, .p = &p, .invites = true };
    enum link_fate fate;
    struct ticket former;
    bool recent;
    TRY(ticket_fate(c, token, TEXT("invitation"), &fate, &former));
    if (fate != LINK_EXPIRED)
        return say(c->arena, ERR_NOT_FOUND, "this link is not valid, or no longer");
    c->tenant = former.tenant;
    opening_as_person(c, former.subject);
    TRY(person_open(c, id_print(c->arena, former.subject), false, &p));
    TRY(account_load(c, p.id, &account));
    if (!account.there || !text_eq(account.state, ACCOUNT_INVITED))
        return say(c->arena, ERR_NOT_FOUND, "this account awaits no invitation");
    TRY(opening_recent(c, &p, TEXT("invitation"), &recent));
    if (recent)
        return say(c->arena, ERR_TOO_MANY, "an invitation went to this address within the last minute");
    o.language = opening_language(c, account.language);
    TRY(ticket_make(c, &p, TEXT("invitation"), TEXT(""), ticket_until(c), &o.ticket));
    TRY(take_letters(&o, (text){ NULL, 0 }, TEXT(""), false));
    struct write w = { .run = run_invite, .arg = &o, .event = event_of(c, &p, TEXT("account.invite")) };
    return write_do(c, &w, NULL);
}

enum err opening_recent(struct ctx *c, const struct person *p, text kind, bool *recent)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TICKET_RECENT, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_TEXT(kind), V_INT(c->now - MINUTE)));
    *recent = query_next(&q);
    return q.status;
}

/* ---- Links followed. ---- */

enum err opening_ticket(struct ctx *c, text token, text kind, struct ticket *ticket, struct person *p,
                        struct account *account)
{
    TRY(ticket_find(c, token, kind, ticket));
    opening_as_person(c, ticket->subject);
    enum err status = person_open(c, id_print(c->arena, ticket->subject), false, p);
    if (status == ERR_NOT_FOUND)
        return say(c->arena, ERR_NOT_FOUND, "this link is not valid, or no longer");
    TRY(status);
    TRY(account_load(c, p->id, account));
    opening_speak(c, account);
    return OK;
}

enum err opening_fate(struct ctx *c, text token, text kind, enum link_fate *out)
{
    struct ticket of;
    struct account account;
    text tenant = c->tenant;
    TRY(ticket_fate(c, token, kind, out, &of));
    if (*out == LINK_UNKNOWN)
        return OK;
    c->tenant = of.tenant;
    enum err status = account_load(c, of.subject, &account);
    c->tenant = tenant;
    if (status == OK && account.there)
        opening_speak(c, &account);
    return status;
}

void opening_speak(struct ctx *c, const struct account *account)
{
    text own = policy_language(c->policy, account->language);
    if (own.p && !c->language_asked)
        c->language = own;
}

const struct feature opening_feature = {
    .name = TEXT_INIT("entry"),
    .moved = identifier_moved,
    .dropped = identifier_dropped,
    .tick = registration_tick,
};

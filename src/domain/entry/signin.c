/* Credentials: looked up, slowed down, verified on the pool whether there is an account or not, and one commit for each
 * outcome. */
#include "domain/entry/signin.h"
#include "domain/person/person.h"
#include "base/unicode.h"
#include "domain/person/change.h"
#include "domain/entry/factor.h"
#include "domain/account/session.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/mail/mail.h"
#include "domain/core/normal.h"
#include "domain/account/password.h"
#include "domain/account/throttle.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

enum { HALF_WAY = 10 * MINUTE, IDENTIFIER_MAX = 512, CROWDED_RETRY = 60 };

/* ---- Who. ---- */

struct found {
    struct subject_id ids[2 * SIGNIN_NAMES];
    unsigned count;
};

static enum err find_digest(struct ctx *c, text name, const struct digest *digest, struct found *out)
{
    bool found;
    TRY(person_find(c, name, digest, &found, &out->ids[out->count]));
    out->count += found;
    return OK;
}

/* As all spellings of one identifier are counted that would find one account: without an account, too. */
static text counted_as(struct ctx *c, text identifier)
{
    text out = unicode_trim(text_upto(identifier, IDENTIFIER_MAX));
    for (unsigned i = 0; i < c->policy->category_count; i++)
        for (unsigned j = 0; j < c->policy->categories[i].field_count; j++) {
            const struct field *f = &c->policy->categories[i].fields[j];
            if (f->identifier)
                out = normal_lookup(c, f, out);
        }
    return out;
}

static bool set_tenant(struct ctx *c, text name)
{
    for (unsigned i = 0; i < c->policy->tenant_count; i++)
        if (!name.n || text_eq(c->policy->tenants[i], name)) {
            c->tenant = c->policy->tenants[i];
            return true;
        }
    return false;
}

void signin_as_server(struct ctx *c)
{
    c->actor = (struct actor){ .kind = ACTOR_NOBODY, .index = -1, .name = TEXT("nobody") };
}

/* A tenant that is not there has nobody: its names are of nothing. */
enum err signin_names(struct ctx *c, text tenant, text identifier, struct signin_name out[SIGNIN_NAMES],
                      unsigned *count)
{
    bool known = set_tenant(c, tenant);
    text typed = known ? text_upto(identifier, IDENTIFIER_MAX) : TEXT("");
    *count = 0;
    for (unsigned i = 0; i < c->policy->category_count; i++)
        for (unsigned j = 0; j < c->policy->categories[i].field_count; j++) {
            const struct field *f = &c->policy->categories[i].fields[j];
            if (!f->identifier)
                continue;
            if (*count == SIGNIN_NAMES)
                return say(c->arena, ERR_TOO_LARGE, "the policy has more than %d identifier fields", SIGNIN_NAMES);
            struct signin_name *name = &out[(*count)++];
            name->field = arena_print(c->arena, "%.*s.%.*s", T(c->policy->categories[i].name), T(f->name));
            TRY_PTR(name->field.p);
            name->address = f->type == FIELD_EMAIL;
            digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, name->field, normal_lookup(c, f, typed),
                              &name->digest);
            digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, name->field, normal_former(c->arena, f, typed),
                              &name->former);
        }
    return OK;
}

/* Every name is asked for, found or not, so that all take the same steps; what is found in its former form, letter for
 * letter, is meant. */
static enum err find_all(struct ctx *c, const struct signin_name *names, unsigned count, bool address,
                         struct found *out)
{
    for (unsigned i = 0; i < count; i++)
        if (names[i].address == address)
            TRY(find_digest(c, names[i].field, &names[i].former, out));
    for (unsigned i = 0; i < count; i++)
        if (names[i].address == address)
            TRY(find_digest(c, names[i].field, &names[i].digest, out));
    return OK;
}

enum err signin_find(struct ctx *c, const struct signin_name *names, unsigned count, bool *found, struct person *p,
                     struct account *account)
{
    struct found all = { .count = 0 };
    struct subject_id id;
    unsigned i = 0;
    *found = false;
    signin_as_server(c);
    TRY(find_all(c, names, count, true, &all));
    TRY(find_all(c, names, count, false, &all));
    id = all.ids[0];
    TRY(account_load(c, id, account));
    while (!account->there && ++i < all.count) {
        id = all.ids[i];
        TRY(account_load(c, id, account));
    }
    enum err status = person_open(c, id_print(c->arena, id), false, p);
    if (status != OK && status != ERR_NOT_FOUND)
        return status;
    *found = all.count && status == OK && account->there;
    return OK;
}

/* ---- One try. ---- */

struct
try {
    struct ctx *c;
    struct person p; /* when `there` */
    struct account account;
    bool there, usable, known;     /* known: this device signed in to this account before */
    struct attempt attempt, codes; /* failures of passwords, and of codes */
    bool with_code, stale, lacking, has_letter, replaces, has_ticket;
    struct ticket ticket; /* that stood for the password: it ends with the sign-in */
    struct digest former; /* of the session that this browser had: it ends */
    sealed renewed;       /* the password at today's cost */
    struct factor_use use;
    struct mail_put letter;
};
static void try_end(struct try *t) { person_end(&t->p); }
#define TRY_AUTO CLEANUP(try_end) struct try

static enum err device_known(struct try *t)
{
    struct ctx *c = t->c;
    struct digest device = session_device(c, &t->p);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DEVICE_KNOWN,
                ARGS(V_TEXT(c->tenant), V_ID(t->p.id), V_BYTES(TEXT_BYTES(device)), V_INT(c->now - 90 * DAY)));
    t->known = query_next(&q) && t->there;
    return q.status;
}

/* A device that signed in before is counted by itself: strangers' failures do not keep its owner out. */
static void count_by(struct try *t, text identifier)
{
    struct ctx *c = t->c;
    struct digest device = session_device(c, &t->p);
    text what = t->known ? TEXT_BYTES(device)
              : t->there ? TEXT_BYTES(t->p.id) : counted_as(c, identifier);
    t->attempt = (struct attempt){ .digest = throttle_digest(c, t->known ? TEXT("device tries") : TEXT("tries"), what),
                                   .subject = t->p.id,
                                   .has_subject = t->there };
    t->codes = (struct attempt){ .digest = throttle_digest(c, TEXT("codes"), TEXT_BYTES(t->p.id)),
                                 .subject = t->p.id,
                                 .has_subject = t->there };
}

static enum err wrong(struct ctx *c)
{
    return say(c->arena, ERR_UNAUTHORISED, "the identifier, the password or the code is not right");
}

static enum err run_failed(struct db *db, void *arg)
{
    const struct try *t = arg;
    return throttle_run_failed(db, t->c, t->with_code ? &t->codes : &t->attempt);
}

static enum err run_failed_alone(struct db *db, struct write *w) { return run_failed(db, w->arg); }

/* A failure is on record before it is answered: with the person's pseudonym when there is one. */
static enum err failed(struct try *t)
{
    struct ctx *c = t->c;
    struct change ch;
    struct write w = { .run = run_failed_alone, .arg = t, .event = event_of(c, NULL, TEXT("signin.failed")) };
    w.event.outcome = OUTCOME_REFUSED;
    if (!t->there) {
        TRY(write_do(c, &w, NULL));
        return wrong(c);
    }
    TRY(session_note(c, &t->p, false, &ch));
    ch.also = run_failed;
    ch.also_arg = t;
    struct event event = event_of(c, &t->p, TEXT("signin.failed"));
    event.outcome = OUTCOME_REFUSED;
    TRY(change_write(c, &ch, event, NULL));
    return wrong(c);
}

/* ---- Success. ---- */

static enum err run_success(struct db *db, void *arg)
{
    const struct try *t = arg;
    if (t->use.next.bytes.n)
        TRY(factor_run_use(db, &t->use));
    if (t->has_ticket)
        TRY(ticket_run_use(db, &t->ticket));
    TRY(throttle_run_clear(db, &t->attempt));
    TRY(throttle_run_clear(db, &t->codes));
    if (t->stale)
        TRY(db_run(db, SQL_ACCOUNT_REHASH, NULL,
                   ARGS(V_TEXT(t->c->tenant), V_ID(t->p.id), V_SEALED(t->renewed), V_SEALED(t->account.password))));
    if (t->replaces)
        TRY(db_run(db, SQL_SESSION_END, NULL, ARGS(V_BYTES(TEXT_BYTES(t->former)))));
    return t->has_letter ? mail_run_put(db, &t->letter) : OK;
}

/* Whoever has signed in before is told of a device that has not. */
static enum err prepare_letter(struct try *t)
{
    struct ctx *c = t->c;
    char at[TIME_TEXT + 1];
    text to;
    int category;
    if (t->known || !t->account.last_visit)
        return OK;
    TRY(mail_address(c, &t->p, &to, &category));
    if (!to.n)
        return OK;
    struct pair_text values[] = { { TEXT("at"), time_text(c->now, at) }, { TEXT("link"), mail_link(c, TEXT("/me")) } };
    TRY(mail_make(c, &t->p, to, TEXT("signin_new_device"), &(struct letter_values){ values, 2 }, &t->letter));
    t->has_letter = true;
    return OK;
}

static bool must_enrol(const struct try *t)
{
    int index = t->account.role.n ? policy_actor(t->c->policy, t->account.role) : -1;
    return !t->account.factor_at && index >= 0 && t->c->policy->actors[index].second_factor;
}

static enum err begin(struct try *t, bool factor, struct signin *out)
{
    TRY(prepare_letter(t));
    t->replaces = t->c->session != NULL;
    if (t->replaces)
        t->former = t->c->session->digest;
    out->enrol = must_enrol(t);
    out->recovery = t->use.recovery;
    out->left = t->use.left;
    return session_begin_with(t->c, &t->p, &t->account, factor, run_success, t, &out->secret);
}

/* ---- The second factor. ---- */

struct half {
    const struct ticket_put *put;
};

static enum err run_half(struct db *db, struct write *w)
{
    const struct half *h = w->arg;
    return ticket_run_put(db, h->put, true);
}

/* The password was right: a link of ten minutes stands for it, so that it need not travel twice. */
static enum err half_way(struct try *t, struct signin *out)
{
    struct ctx *c = t->c;
    struct ticket_put put;
    TRY(ticket_make(c, &t->p, TEXT("factor"), TEXT(""), c->now + HALF_WAY, &put));
    struct half h = { &put };
    struct write w = { .run = run_half, .arg = &h, .event = event_of(c, &t->p, TEXT("signin.half")) };
    TRY(write_do(c, &w, NULL));
    out->ticket = put.secret;
    return OK;
}

/* Six digits are soon guessed: what the policy says of passwords, which may be that nothing slows their guessing, is
 * not said of codes. */
static enum err check_code(struct try *t, const struct password_rule *rule, text code, bool *good)
{
    enum { CODES_MOST = 10 };
    const struct password_rule slow = { .attempts = rule->attempts < CODES_MOST ? rule->attempts : CODES_MOST,
                                        .slowed = true,
                                        .steady = rule->steady };
    t->with_code = true;
    TRY(throttle_enter(t->c, &slow, &t->codes));
    enum err status = factor_check(t->c, &t->p, &t->account, code, good, &t->use);
    throttle_leave(t->c, &t->codes);
    return status;
}

static enum err go_on(struct try *t, const struct password_rule *rule, text code, struct signin *out)
{
    bool good = true;
    if (!t->account.factor_at)
        return begin(t, false, out);
    if (!code.n)
        return half_way(t, out);
    TRY(check_code(t, rule, code, &good));
    return good ? begin(t, true, out) : failed(t);
}

/* ---- Password. ---- */

static enum err verify(struct try *t, text password, bool *good)
{
    bool stale;
    TRY(password_verify_cost(t->c, t->usable ? &t->p : NULL, t->account.password, password, good, &stale));
    if (stale) {
        enum err fit = password_check(t->c, &t->p, NULL, password);
        if (fit != OK && fit != ERR_PASSWORD)
            return fit;
        t->lacking = fit != OK;
        TRY(password_seal(t->c, &t->p, password, &t->renewed));
        t->stale = true;
    }
    return OK;
}

/* Brought along from another program, right, and less than the policy asks of passwords: it opens nothing, and a letter
 * or an invitation leads to a new one. */
static enum err must_renew(struct try *t)
{
    struct ctx *c = t->c;
    const struct clause *clause = policy_clause(c->policy, TEXT("security.password"));
    struct write w = { .event = event_of(c, &t->p, TEXT("signin.failed")) };
    const struct why lacks = c->arena->why;
    w.event.outcome = OUTCOME_REFUSED;
    TRY(write_do(c, &w, NULL));
    enum err status = say_clause(
        c->arena, ERR_PASSWORD, clause,
        "the password comes from an earlier service and is weaker than this one asks: choose a new one");
    memcpy(c->arena->why.missing, lacks.missing, sizeof lacks.missing);
    return status;
}

static enum err too_crowded(struct ctx *c)
{
    say(c->arena, ERR_TOO_MANY, "too many failed attempts from this address within a minute");
    c->arena->why.retry = CROWDED_RETRY;
    return ERR_TOO_MANY;
}

static enum err by_password(struct try *t, const struct json *in, bool crowded, struct signin *out)
{
    struct ctx *c = t->c;
    struct password_rule rule = password_rule_of(c->policy);
    struct signin_name names[SIGNIN_NAMES];
    unsigned count;
    text identifier = json_text(in, TEXT("identifier"));
    bool good = false;
    if (!identifier.n || !json_text(in, TEXT("password")).n)
        return say(c->arena, ERR_MISSING, "an identifier and a password are needed");
    TRY(signin_names(c, json_text(in, TEXT("tenant")), identifier, names, &count));
    TRY(signin_find(c, names, count, &t->there, &t->p, &t->account));
    t->usable = t->there && t->account.password.bytes.n && text_eq(t->account.state, ACCOUNT_OPEN);
    TRY(device_known(t));
    count_by(t, identifier);
    if (crowded && !t->known)
        return too_crowded(c);
    TRY(throttle_enter(c, &rule, &t->attempt));
    enum err status = verify(t, json_text(in, TEXT("password")), &good);
    if (status == OK && !good)
        status = failed(t);
    else if (status == OK && t->lacking)
        status = must_renew(t);
    else if (status == OK)
        status = go_on(t, &rule, json_text(in, TEXT("code")), out);
    throttle_leave(c, &t->attempt);
    return status;
}

static enum err by_ticket(struct try *t, const struct json *in, struct signin *out)
{
    struct ctx *c = t->c;
    struct password_rule rule = password_rule_of(c->policy);
    enum err status = ticket_find(c, json_text(in, TEXT("ticket")), TEXT("factor"), &t->ticket);
    signin_as_server(c);
    if (status == OK)
        status = person_open(c, id_print(c->arena, t->ticket.subject), false, &t->p);
    if (status == ERR_NOT_FOUND)
        return say(c->arena, ERR_UNAUTHORISED, "too much time has passed: start again with the password");
    TRY(status);
    TRY(account_load(c, t->p.id, &t->account));
    if (!text_eq(t->account.state, ACCOUNT_OPEN) || !t->account.factor_at || t->account.password_at > t->ticket.created)
        return say(c->arena, ERR_UNAUTHORISED, "too much time has passed: start again with the password");
    t->has_ticket = true;
    t->usable = true;
    t->there = true;
    TRY(device_known(t));
    count_by(t, TEXT(""));
    return go_on(t, &rule, json_text(in, TEXT("code")), out);
}

enum err signin(struct ctx *c, const struct json *in, bool crowded, struct signin *out)
{
    TRY_AUTO t = { .c = c };
    *out = (struct signin){ 0 };
    if (!json_text(in, TEXT("ticket")).p)
        return by_password(&t, in, crowded, out);
    if (!json_text(in, TEXT("code")).n)
        return say(c->arena, ERR_MISSING, "with a ticket comes the code");
    return by_ticket(&t, in, out);
}

/* ---- By the link that opened the account. ---- */

enum err signin_by_link(struct ctx *c, struct person *p, struct signin *out)
{
    struct try t = { .c = c, .p = *p, .there = true, .known = true };
    *out = (struct signin){ 0 };
    TRY(account_load(c, p->id, &t.account));
    if (!c->policy->session.cookie.n || !text_eq(t.account.state, ACCOUNT_OPEN) || t.account.factor_at)
        return OK;
    count_by(&t, TEXT(""));
    return begin(&t, false, out);
}

/* ---- Signed in already. ---- */

/* The signed-in person, with the password just given verified. Failures are counted by the session: a browser's name is
 * what its user says. */
static enum err prove(struct try *t, text password)
{
    struct ctx *c = t->c;
    struct password_rule rule = password_rule_of(c->policy);
    bool good = false;
    TRY(person_open(c, session_self(c), false, &t->p));
    TRY(account_load(c, t->p.id, &t->account));
    t->known = true;
    t->there = true;
    t->usable = t->account.there && t->account.password.bytes.n;
    count_by(t, TEXT(""));
    t->attempt.digest = throttle_digest(c, TEXT("session tries"), TEXT_BYTES(c->session->digest));
    TRY(throttle_enter(c, &rule, &t->attempt));
    enum err status = verify(t, password, &good);
    if (status == OK && !good)
        status = failed(t);
    throttle_leave(c, &t->attempt);
    return status;
}

static enum err run_used(struct db *db, struct write *w)
{
    const struct try *t = w->arg;
    TRY(throttle_run_clear(db, &t->attempt));
    return t->use.next.bytes.n ? factor_run_use(db, &t->use) : OK;
}

enum err signin_again(struct ctx *c, const struct json *in)
{
    TRY_AUTO t = { .c = c };
    struct password_rule rule = password_rule_of(c->policy);
    bool good = true;
    TRY(prove(&t, json_text(in, TEXT("password"))));
    text code = json_text(in, TEXT("code"));
    if (t.account.factor_at && !code.n)
        return say(c->arena, ERR_MISSING, "this account has a second factor: its code is needed");
    if (t.account.factor_at)
        TRY(check_code(&t, &rule, code, &good));
    if (!good)
        return failed(&t);
    struct write w = { .run = run_used, .arg = &t, .event = event_of(c, &t.p, TEXT("factor.used")) };
    if (t.use.next.bytes.n)
        TRY(write_do(c, &w, NULL));
    return session_proved(c, t.account.factor_at != 0);
}

struct renewal {
    struct try *t;
    sealed password;
    struct mail_put letter;
    bool has_letter;
};

static enum err run_renewal(struct db *db, struct write *w)
{
    const struct renewal *r = w->arg;
    const struct ctx *c = r->t->c;
    TRY(db_run(db, SQL_ACCOUNT_PASSWORD, NULL,
               ARGS(V_TEXT(c->tenant), V_ID(r->t->p.id), V_SEALED(r->password), V_INT(c->now))));
    TRY(throttle_run_clear(db, &r->t->attempt));
    TRY(session_run_end_all(db, c->tenant, r->t->p.id, &c->session->digest));
    TRY(db_run(db, SQL_TICKET_END_ALL, NULL, ARGS(V_TEXT(c->tenant), V_ID(r->t->p.id), V_TEXT(TEXT("live")))));
    return r->has_letter ? mail_run_put(db, &r->letter) : OK;
}

enum err signin_change_password(struct ctx *c, const struct json *in)
{
    TRY_AUTO t = { .c = c };
    struct renewal r = { .t = &t };
    text fresh = json_text(in, TEXT("new"));
    TRY(prove(&t, json_text(in, TEXT("current"))));
    TRY(password_check(c, &t.p, NULL, fresh));
    TRY(password_seal(c, &t.p, fresh, &r.password));
    TRY(signin_password_letter(c, &t.p, &r.letter, &r.has_letter));
    struct write w = { .run = run_renewal, .arg = &r, .event = event_of(c, &t.p, TEXT("password.changed")) };
    return write_do(c, &w, NULL);
}

enum err signin_password_letter(struct ctx *c, const struct person *p, struct mail_put *out, bool *has)
{
    char at[TIME_TEXT + 1];
    text to;
    int category;
    TRY(mail_address(c, p, &to, &category));
    *has = to.n > 0;
    struct pair_text values[] = { { TEXT("at"), time_text(c->now, at) } };
    return *has ? mail_make(c, p, to, TEXT("reset_done"), &(struct letter_values){ values, 1 }, out) : OK;
}

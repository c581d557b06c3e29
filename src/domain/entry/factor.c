/* Enrolment, codes and recovery codes; what is kept is one sealed JSON object in account.factor. */
#include "domain/entry/factor.h"
#include "domain/person/person.h"
#include "base/decode.h"
#include "crypt/totp.h"
#include "domain/core/papers.h"
#include "domain/core/instance.h"
#include "domain/mail/mail.h"
#include "domain/core/actor.h"
#include "domain/core/write.h"
#include <sodium.h>

enum { RECOVERY_BYTES = 10, RECOVERY_TEXT = 17 }; /* 80 bits: "ABCDEFGH-IJKLMNOP" */

/* ---- What is kept: {"secret": hex, "used": step, "codes": [hex of a keyed digest]}. ---- */

struct kept {
    struct totp_secret secret;
    int64_t used;
    struct digest codes[RECOVERY_CODES];
    unsigned count;
};
static void kept_wipe(struct kept *k) { totp_wipe(&k->secret); }
#define KEPT_AUTO CLEANUP(kept_wipe) struct kept

static enum err keep(struct ctx *c, const struct person *p, const struct kept *k, sealed *out)
{
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("secret"));
    json_put_hex(&w, TEXT_BYTES(k->secret));
    json_pair_int(&w, TEXT("used"), k->used);
    json_name(&w, TEXT("codes"));
    json_open(&w, '[');
    for (unsigned i = 0; i < k->count; i++)
        json_put_hex(&w, TEXT_BYTES(k->codes[i]));
    json_close(&w, ']');
    json_close(&w, '}');
    text kept;
    enum err status = buf_lend(c->arena, &b, &kept);
    if (status == OK)
        status = account_seal(c, p, TEXT("factor"), 0, kept, out);
    buf_wipe(&b);
    return status;
}

static enum err opened(struct ctx *c, const struct person *p, sealed stored, struct kept *out)
{
    text clear;
    const struct json *v;
    *out = (struct kept){ .used = -1 };
    TRY(account_open(c, p, TEXT("factor"), 0, stored, &clear));
    TRY(json_parse(c->arena, clear, &v));
    bool whole = decode_hex(json_text(v, TEXT("secret")), out->secret.b, sizeof out->secret.b) &&
                 json_int(json_get(v, TEXT("used")), &out->used);
    JSON_EACH(code, json_get(v, TEXT("codes"))) {
        whole &= out->count < RECOVERY_CODES &&
                 decode_hex(code->value, out->codes[out->count].b, sizeof out->codes[0].b);
        out->count += whole;
    }
    sodium_memzero((char *)(uintptr_t)clear.p, clear.n);
    return whole ? OK : say(c->arena, ERR_CRYPT, "a second factor is not in the form that was kept");
}

/* ---- Recovery codes. ---- */

/* As people type them: blanks, hyphens and small letters are let be. */
static struct digest recovery_digest(const struct ctx *c, const struct person *p, text typed)
{
    char plain[RECOVERY_TEXT];
    size_t n = 0;
    struct digest d;
    BUF_AUTO b = buf_make(64);
    for (size_t i = 0; i < typed.n && n < sizeof plain; i++)
        if (typed.p[i] != ' ' && typed.p[i] != '-')
            plain[n++] = typed.p[i] >= 'a' && typed.p[i] <= 'z' ? (char)(typed.p[i] - 32) : typed.p[i];
    buf_add(&b, TEXT_BYTES(p->id));
    buf_add(&b, (text){ plain, n });
    digest_identifier(store_index_key(ctx_store(c)), c->tenant, TEXT("recovery"), buf_made(c->arena, &b), &d);
    sodium_memzero(plain, sizeof plain);
    return d;
}

static enum err make_codes(struct ctx *c, const struct person *p, struct kept *k, text codes[RECOVERY_CODES])
{
    for (k->count = 0; k->count < RECOVERY_CODES; k->count++) {
        uint8_t random[RECOVERY_BYTES];
        crypt_random(random, sizeof random);
        text plain = totp_base32(c->arena, TEXT_BYTES(random));
        TRY_PTR(plain.p);
        codes[k->count] = arena_print(c->arena, "%.*s-%.*s", T(text_upto(plain, 8)), T(text_from(plain, 8)));
        TRY_PTR(codes[k->count].p);
        k->codes[k->count] = recovery_digest(c, p, plain);
        sodium_memzero(random, sizeof random);
    }
    return OK;
}

static enum err codes_answer(struct ctx *c, const text codes[RECOVERY_CODES], struct answer *out)
{
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("recovery_codes"));
    json_open(&w, '[');
    for (unsigned i = 0; i < RECOVERY_CODES; i++)
        json_put_text(&w, codes[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- Checked and used. ---- */

static void take_recovery(struct kept *k, struct digest typed, bool *good)
{
    for (unsigned i = 0; i < k->count; i++)
        if (!*good && sodium_memcmp(&k->codes[i], &typed, sizeof typed) == 0) {
            *good = true;
            k->codes[i] = k->codes[--k->count];
        }
}

enum err factor_check(struct ctx *c, const struct person *p, const struct account *account, text typed, bool *good,
                      struct factor_use *out)
{
    KEPT_AUTO k;
    int64_t step;
    TRY(opened(c, p, account->factor, &k));
    TRY(totp_match(c->arena, &k.secret, typed, c->now, k.used, &step));
    *good = step >= 0;
    *out = (struct factor_use){
        .subject = p->id, .tenant = c->tenant, .former = account->factor, .since = account->factor_at
    };
    if (*good) {
        k.used = step;
    } else {
        take_recovery(&k, recovery_digest(c, p, typed), good);
        out->recovery = *good;
    }
    out->left = k.count;
    return *good ? keep(c, p, &k, &out->next) : OK;
}

/* Only from what it was read as: two requests with one code cannot both be right. */
enum err factor_run_use(struct db *db, const struct factor_use *use)
{
    int64_t changed;
    TRY(db_run(db, SQL_FACTOR_SWAP, &changed,
               ARGS(V_TEXT(use->tenant), V_ID(use->subject), use->next.bytes.n ? V_SEALED(use->next) : V_NULL,
                    use->since ? V_INT(use->since) : V_NULL,
                    use->former.bytes.n ? V_SEALED(use->former) : V_NULL)));
    return changed
               ? OK
               : say(db_arena(db), ERR_UNAUTHORISED, "the second factor changed meanwhile: try again with a new code");
}

/* ---- The link and its picture. ---- */

text factor_uri(struct arena *a, text issuer, text label, text base32)
{
    BUF_AUTO b = buf_make(4096);
    buf_add(&b, TEXT("otpauth://totp/"));
    buf_percent(&b, issuer);
    buf_char(&b, ':');
    buf_percent(&b, label);
    buf_print(&b, "?secret=%.*s&issuer=", T(base32));
    buf_percent(&b, issuer);
    buf_print(&b, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS, TOTP_STEP / SECOND);
    return buf_made(a, &b);
}

/* ---- One's own. ---- */

/* The signed-in person with their account. */
static enum err oneself(struct ctx *c, struct person *p, struct account *account)
{
    TRY(person_open(c, session_self(c), false, p));
    TRY(account_load(c, p->id, account));
    return account->there ? OK : say(c->arena, ERR_NOT_FOUND, "this person has no account");
}

struct setting {
    struct factor_use use;
    struct digest session;
    bool prove;
    msec now;
};

static enum err run_set(struct db *db, struct write *w)
{
    const struct setting *s = w->arg;
    TRY(factor_run_use(db, &s->use));
    if (!s->use.next.bytes.n) /* removed: no session goes on as if it were there */
        return db_run(db, SQL_SESSION_UNFACTOR, NULL, ARGS(V_TEXT(s->use.tenant), V_ID(s->use.subject)));
    return s->prove
               ? db_run(db, SQL_SESSION_PROVED, NULL, ARGS(V_BYTES(TEXT_BYTES(s->session)), V_INT(s->now), V_INT(1)))
               : OK;
}

static enum err write_set(struct ctx *c, const struct person *p, const struct account *account, struct setting *s,
                          text act)
{
    s->use.subject = p->id;
    s->use.tenant = c->tenant;
    s->use.former = account->factor;
    s->now = c->now;
    struct write w = { .run = run_set, .arg = s, .event = event_of(c, p, act) };
    return write_do(c, &w, NULL);
}

static enum err enrolment_answer(struct ctx *c, const struct person *p, const struct kept *k, struct answer *out)
{
    text label, svg, base32 = totp_base32(c->arena, TEXT_BYTES(k->secret));
    int category;
    BUF_AUTO b = buf_make(512 << 10);
    struct json_out w = json_out(&b);
    TRY_PTR(base32.p);
    TRY(mail_address(c, p, &label, &category));
    text uri = factor_uri(c->arena, c->policy->controller.legal_name, label.n ? label : session_self(c), base32);
    TRY_PTR(uri.p);
    TRY(c->app->papers->picture(c->arena, uri, &svg));
    json_open(&w, '{');
    json_pair(&w, TEXT("secret"), base32);
    json_pair(&w, TEXT("uri"), uri);
    json_pair(&w, TEXT("qr"), svg);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

enum err factor_begin(struct ctx *c, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    KEPT_AUTO k = { .used = -1 };
    struct account account;
    struct setting s = { .use = { .since = 0 } };
    TRY(session_fresh(c));
    TRY(oneself(c, &p, &account));
    if (account.factor_at)
        return say(c->arena, ERR_CONFLICT, "there is a second factor already: remove it first");
    crypt_random(k.secret.b, sizeof k.secret.b);
    TRY(keep(c, &p, &k, &s.use.next));
    TRY(enrolment_answer(c, &p, &k, out));
    return write_set(c, &p, &account, &s, TEXT("factor.begun"));
}

enum err factor_confirm(struct ctx *c, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    KEPT_AUTO k = { .used = -1 };
    struct account account;
    struct setting s = { .use = { .since = c->now }, .session = c->session->digest, .prove = true };
    text codes[RECOVERY_CODES];
    int64_t step;
    TRY(session_fresh(c));
    TRY(oneself(c, &p, &account));
    if (account.factor_at || !account.factor.bytes.n)
        return say(c->arena, ERR_CONFLICT, "no second factor waits for its first code");
    TRY(opened(c, &p, account.factor, &k));
    TRY(totp_match(c->arena, &k.secret, json_text(in, TEXT("code")), c->now, k.used, &step));
    if (step < 0)
        return say(c->arena, ERR_VALUE, "this is not the code that the authenticator shows now");
    k.used = step;
    TRY(make_codes(c, &p, &k, codes));
    TRY(keep(c, &p, &k, &s.use.next));
    TRY(codes_answer(c, codes, out));
    return write_set(c, &p, &account, &s, TEXT("factor.set"));
}

enum err factor_codes(struct ctx *c, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    KEPT_AUTO k = { .used = -1 };
    struct account account;
    text codes[RECOVERY_CODES];
    TRY(session_fresh(c));
    TRY(oneself(c, &p, &account));
    if (!account.factor_at)
        return say(c->arena, ERR_CONFLICT, "there is no second factor");
    struct setting s = { .use = { .since = account.factor_at } };
    TRY(opened(c, &p, account.factor, &k));
    TRY(make_codes(c, &p, &k, codes));
    TRY(keep(c, &p, &k, &s.use.next));
    TRY(codes_answer(c, codes, out));
    return write_set(c, &p, &account, &s, TEXT("factor.codes"));
}

enum err factor_remove(struct ctx *c)
{
    PERSON_AUTO p = { 0 };
    struct account account;
    struct setting s = { .use = { .since = 0 } };
    TRY(session_fresh(c));
    TRY(oneself(c, &p, &account));
    return account.factor.bytes.n ? write_set(c, &p, &account, &s, TEXT("factor.removed")) : OK;
}

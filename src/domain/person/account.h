/* Accounts: how a person signs in; and the links that work once. */
#ifndef DOMAIN_PERSON_ACCOUNT_H
#define DOMAIN_PERSON_ACCOUNT_H
#include "domain/core/data_subject.h"

struct ctx;
struct db;

struct json;

/* States of account.state; a closed person (person.state) is reached by nobody, whatever this says. */
#define ACCOUNT_INVITED  TEXT("invited")
#define ACCOUNT_AWAITING TEXT("awaiting")
#define ACCOUNT_OPEN     TEXT("open")
#define ACCOUNT_REFUSED  TEXT("refused")

struct account {
    bool there;
    text state, role, language, opened_by;                      /* role: of the policy, empty for none */
    msec opened, last_visit, password_at, factor_at, agreement; /* 0: not yet */
    sealed password, factor;                                    /* of account_seal; bytes.p NULL when there is none */
};
/* The account of that person; `there` is false when they have none. */
enum err account_load(struct ctx *c, struct subject_id id, struct account *out);

/* What of the account is secret or personal, under the person's key. `field`: password, factor, device, ticket, …;
 * `version` binds it to its row where there are several (a time). */
enum err account_seal(struct ctx *c, const struct person *p, text field, uint64_t version, text clear, sealed *out);
enum err account_open(struct ctx *c, const struct person *p, text field, uint64_t version, sealed in, text *clear);

/* ---- Links that work once. The secret goes to the person and is nowhere kept. ---- */
enum { SECRET_TEXT = 43 }; /* 32 random bytes in base64url */
struct ticket_put {
    text secret;
    struct digest digest;
    text tenant, kind;
    struct subject_id subject;
    msec created, expires;
    sealed detail;
};
/* When a link made now ends: accounts.invitation, 72 hours when the policy says nothing. */
msec ticket_until(const struct ctx *c);
/* Makes one ready: `detail` (JSON, may be empty) is sealed; write it with ticket_run_put(). */
enum err ticket_make(struct ctx *c, const struct person *p, text kind, text detail, msec expires,
                     struct ticket_put *out);
/* Inside a write. `alone`: earlier ones of that person and kind die. */
enum err ticket_run_put(struct db *db, const struct ticket_put *t, bool alone);
struct ticket {
    struct digest digest;
    text tenant;
    struct subject_id subject;
    msec created, expires;
    sealed detail;
};
/* ERR_NOT_FOUND alike for unknown, used and expired. Sets c->tenant to the ticket's. The detail opens with
 * ticket_detail(). */
enum err ticket_find(struct ctx *c, text secret, text kind, struct ticket *out);
enum err ticket_detail(struct ctx *c, const struct person *p, const struct ticket *t, const struct json **out);
/* What became of a link that is not, or no longer, valid: told to who has it. LINK_UNKNOWN also for one that is gone
 * for long. */
enum link_fate { LINK_VALID, LINK_USED, LINK_REPLACED, LINK_EXPIRED, LINK_UNKNOWN };
enum err ticket_fate(struct ctx *c, text secret, text kind, enum link_fate *out, struct ticket *of);
/* How long it is still told, from the end that it was given. */
#define LINK_REMEMBERED (7 * DAY)
/* The same of links that are no tickets (of a form, of a request). Inside the write that ends one: `about` is the
 * form's name, or the request's id and what the link was for. LINK_USED, LINK_REPLACED or LINK_EXPIRED. */
enum err link_run_over(struct db *db, const struct ctx *c, const struct digest *digest, text kind, enum link_fate fate,
                       text about);
/* LINK_UNKNOWN for one of which nothing is known, or no longer; else c->tenant becomes the link's. */
enum err link_over_find(struct ctx *c, const struct digest *digest, text kind, enum link_fate *out, text *about);
/* Inside a write: it is used now. ERR_NOT_FOUND when another request was faster. */
enum err ticket_run_use(struct db *db, const struct ticket *t);

/* A new secret and the keyed digest that is kept of it, under which `use` (session, ticket) it is looked up. */
text secret_make(struct ctx *c, text use, struct digest *digest);
struct digest secret_digest(const struct ctx *c, text use, text secret);

#endif

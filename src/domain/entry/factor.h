/* The second factor: one-time codes of an authenticator (RFC 6238) and recovery codes; its secret sealed under the
 * person's key. */
#ifndef DOMAIN_ENTRY_FACTOR_H
#define DOMAIN_ENTRY_FACTOR_H
#include "domain/person/account.h"

struct answer;
struct ctx;
struct db;

struct json;

enum { RECOVERY_CODES = 10 };

/* A code that was taken: to be written in the commit of what it was given for, so that it serves once. */
struct factor_use {
    struct subject_id subject;
    text tenant;
    sealed former, next;
    msec since;
    bool recovery;
    int64_t left;
};
/* Whether `typed` is a code of the authenticator that was not taken before, or an unused recovery code. */
enum err factor_check(struct ctx *c, const struct person *p, const struct account *account, text typed, bool *good,
                      struct factor_use *out);
/* Inside a write: ERR_UNAUTHORISED when another request took a code meanwhile. */
enum err factor_run_use(struct db *db, const struct factor_use *use);
/* "otpauth://totp/…" of a secret, as authenticators read it (Google's key URI format). */
text factor_uri(struct arena *a, text issuer, text label, text base32);

/* POST /v1/me/factor: a new secret as text, link and picture; nothing changes until a code of it is given. ERR_CONFLICT
 * when there is a factor: it goes first. ERR_REAUTHENTICATE. */
enum err factor_begin(struct ctx *c, struct answer *out);
/* POST /v1/me/factor/confirm {code}: from now on it is asked for; answers with the recovery codes, shown once. */
enum err factor_confirm(struct ctx *c, const struct json *in, struct answer *out);
/* POST /v1/me/factor/codes: new recovery codes in place of the others. ERR_REAUTHENTICATE. */
enum err factor_codes(struct ctx *c, struct answer *out);
/* DELETE /v1/me/factor. ERR_REAUTHENTICATE. A role that needs one then stays closed. */
enum err factor_remove(struct ctx *c);

#endif

/* Sign-in: credentials to a session. Accounts that exist and those that do not are answered alike, in words and in
 * time. */
#ifndef DOMAIN_ENTRY_SIGNIN_H
#define DOMAIN_ENTRY_SIGNIN_H
#include "base/err.h"
#include "base/id.h"

struct account;
struct ctx;
struct json;

struct person;

struct signin {
    text secret;   /* of the session that was begun, for its cookie; p NULL: none was */
    text ticket;   /* the password was right and a second factor is asked for: comes back with the code */
    bool enrol;    /* the role needs a second factor, which must be set up first */
    bool recovery; /* a recovery code was used; `left` are left */
    int64_t left;
};
/* POST /v1/session {identifier, password, code?, tenant?} or, after `ticket`, {ticket, code}. `crowded`: this address
 * has failed too often within a minute; only devices that signed in before are heard. ERR_UNAUTHORISED alike for a
 * wrong password, an unknown account, one without a password, closed, or not open yet; ERR_TOO_MANY with why.retry;
 * ERR_BUSY. */
enum err signin(struct ctx *c, const struct json *in, bool crowded, struct signin *out);
/* After a link of a letter opened their account: the person is signed in, and whoever was signed in here before no
 * longer is. Nothing is begun where the policy declares no cookie for it: out->secret is then p NULL. */
enum err signin_by_link(struct ctx *c, struct person *p, struct signin *out);
/* POST /v1/session/proof {password, code?}: who is signed in proves it again (session_fresh). */
enum err signin_again(struct ctx *c, const struct json *in);
/* PUT /v1/me/password {current, new}: other sessions end, and the person is told. ERR_UNAUTHORISED, ERR_PASSWORD. */
enum err signin_change_password(struct ctx *c, const struct json *in);
/* The letter that tells a person that their password was changed; *has is false when no address is held. */
struct mail_put;
enum err signin_password_letter(struct ctx *c, const struct person *p, struct mail_put *out, bool *has);

/* Whoever was signed in here before is not who acts: the server itself looks after the credentials or the link that
 * came. */
void signin_as_server(struct ctx *c);
/* An identifier as each of the policy's identifier fields would have it. ERR_TOO_LARGE beyond SIGNIN_NAMES fields. */
enum { SIGNIN_NAMES = 16 };
/* Former: normal_former(). */
struct signin_name {
    text field;
    struct digest digest, former;
    bool address;
};
enum err signin_names(struct ctx *c, text tenant, text identifier, struct signin_name out[SIGNIN_NAMES],
                      unsigned *count);
/* The person of the tenant behind one of them who has an account: by an address, which was confirmed, before any other
 * name. *found is false alike for unknown, erased and closed. The server acts from then on (signin_as_server). */
enum err signin_find(struct ctx *c, const struct signin_name *names, unsigned count, bool *found, struct person *p,
                     struct account *account);

#endif

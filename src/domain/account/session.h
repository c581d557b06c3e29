/* Sessions: who is signed in, by an opaque secret of which only a keyed digest is kept; they end after idleness, and at
 * a last hour. */
#ifndef DOMAIN_ACCOUNT_SESSION_H
#define DOMAIN_ACCOUNT_SESSION_H
#include "domain/core/ctx.h"

struct session;

struct person;
struct account;
struct change;

struct db;

/* After credentials were checked: a new secret always (no fixation), and in one commit the session, the visit, the
 * sign-in's record (category of stream `logs`) and its journal entry. c->actor becomes the person. ERR_FORBIDDEN when
 * the policy declares no cookie for it. */
enum err session_begin(struct ctx *c, struct person *p, const struct account *account, bool factor, text *secret);
/* The same, and in its commit whatever `also` writes. */
enum err session_begin_with(struct ctx *c, struct person *p, const struct account *account, bool factor,
                            enum err (*also)(struct db *db, void *arg), void *arg, text *secret);
/* What the gate does with a cookie: sets c->tenant, c->session, c->actor (the account's role, or the person),
 * c->language if the account has one. ERR_UNAUTHORISED alike for unknown, ended and of a person who is no longer there.
 */
enum err session_by_secret(struct ctx *c, text secret);
/* Whose session that is, without using it or acting in it: for a page that anybody may see. *out is NULL for none, or
 * one that is over. */
enum err session_look(struct ctx *c, text secret, const struct session **out);
/* Credentials were given again in this session, a second factor among them if so. */
enum err session_proved(struct ctx *c, bool factor);
/* The language in which the account is spoken to from now on: "fr" or "en". ERR_VALUE for another. */
enum err session_language(struct ctx *c, text language);
/* Whether the session that the request came with is still there, after what was done. */
enum err session_there(struct ctx *c, bool *there);
/* Signs out here. */
enum err session_end(struct ctx *c);
/* Inside a write: all sessions of that person end, except the one of `but` (NULL: none stays). */
enum err session_run_end_all(struct db *db, text tenant, struct subject_id subject, const struct digest *but);
/* The sign-in's record made ready as a change of one record: fields at, ip, browser, system, result, as far as the
 * policy declares them. *out has no record when the policy has no category of stream `logs`. */
enum err session_note(struct ctx *c, struct person *p, bool success, struct change *out);

/* Network and browser that the request comes from, as a keyed digest of that person's: whether they signed in from
 * there before. */
struct digest session_device(const struct ctx *c, const struct person *p);

enum err session_state(struct ctx *c, struct answer *out);         /* GET /v1/session */
enum err session_list(struct ctx *c, struct answer *out);          /* of oneself */
enum err session_drop(struct ctx *c, text id, struct answer *out); /* one of one's own */
enum err session_drop_others(struct ctx *c, struct answer *out); /* all of one's own but the present one */

/* Last uses are kept in memory and written a minute at a time, so that a look at a page costs no write; what a crash
 * loses ends a session a minute early. Also deletes what is over. */
enum err session_tick(struct ctx *c);
/* The same at once, before the store closes. */
enum err session_flush(struct ctx *c);
/* Made and destroyed with the instance; NULL when there is no memory. */
struct seen *seen_open(void);
void seen_close(struct seen **s);

#endif

/* Handlers of credentials: sign-in, passwords, second factor, reset. */
#include "domain/entry/factor.h"
#include "domain/core/actor.h"
#include "domain/entry/reset.h"
#include "domain/entry/signin.h"
#include "front/door/cookie.h"
#include "front/door/go.h"
#include "front/api/signin.h"

/* Wrong credentials count against the address, whatever account they were for. */
static enum err counted(struct ctx *c, const struct request *q, enum err e)
{
    if (e != ERR_UNAUTHORISED || !peers_failed(q->front->peers, q->address, clock_monotonic()))
        return e;
    say(c->arena, ERR_TOO_MANY, "too many failed credentials from this address within a minute");
    c->arena->why.retry = FAILURES_WINDOW / SECOND;
    return ERR_TOO_MANY;
}

enum err signin_paced(struct ctx *c, const struct request *q)
{
    if (q->operator_socket || !peers_failed(q->front->peers, q->address, clock_monotonic()))
        return OK;
    say(c->arena, ERR_TOO_MANY, "too many requests of this kind from this address within a minute");
    c->arena->why.retry = FAILURES_WINDOW / SECOND;
    return ERR_TOO_MANY;
}

enum err signin_request(struct ctx *c, const struct request *q, struct reply *r, struct signin *out)
{
    bool crowded = q->front->peers && peers_crowded(q->front->peers, q->address, clock_monotonic());
    TRY(counted(c, q, signin(c, q->json, crowded, out)));
    return out->secret.p ? cookie_set_session(c, r, out->secret) : OK;
}

enum err api_signin(struct ctx *c, const struct request *q, struct reply *r)
{
    struct signin s;
    TRY(signin_request(c, q, r, &s));
    struct json_out *w = reply_json(r, 200);
    json_open(w, '{');
    json_pair(w, TEXT("factor"), s.ticket.p ? TEXT("needed")
                                 : s.enrol ? TEXT("enrol") : (text){ NULL, 0 });
    if (s.ticket.p)
        json_pair(w, TEXT("ticket"), s.ticket);
    if (s.secret.p) {
        json_pair(w, TEXT("subject"), session_self(c));
        json_pair(w, TEXT("role"), c->session->role.n ? c->session->role : (text){ NULL, 0 });
        json_pair(w, TEXT("csrf"), text_of(c->session->csrf));
        json_pair(w, TEXT("next"), page_next(json_text(q->json, TEXT("next")), TEXT("/me")));
    }
    if (s.recovery)
        json_pair_int(w, TEXT("recovery_codes_left"), s.left);
    json_close(w, '}');
    return reply_done(c->arena, r);
}

enum err signin_again_request(struct ctx *c, const struct request *q)
{
    return counted(c, q, signin_again(c, q->json));
}
enum err signin_password_request(struct ctx *c, const struct request *q)
{
    return counted(c, q, signin_change_password(c, q->json));
}

enum err api_signin_again(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(signin_again_request(c, q));
    reply_none(r);
    return OK;
}

enum err api_password_set(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(signin_password_request(c, q));
    reply_none(r);
    return OK;
}

HANDLER(factor_begin, factor_begin(c, &answer))
HANDLER(factor_confirm, factor_confirm(c, q->json, &answer))
HANDLER(factor_codes, factor_codes(c, &answer))
HANDLER(factor_remove, factor_remove(c))
HANDLER(reset_confirm, reset_confirm(c, q->json))

enum err api_reset_ask(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(signin_paced(c, q));
    TRY(reset_ask(c, q->json));
    reply_none(r);
    r->status = 202;
    return OK;
}

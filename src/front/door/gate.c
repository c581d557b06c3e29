/* The gate: bearer tokens, the operator, the acts of an actor's class, idempotency keys. */
#include "front/door/gate.h"
#include "base/decode.h"
#include "base/sha256.h"
#include "domain/core/look.h"
#include "domain/mail/mail.h"
#include "domain/account/session.h"
#include "domain/core/actor.h"
#include "front/door/cookie.h"
#include <sodium.h>

static bool bearer(text header, text *token)
{
    text scheme = text_upto(header, 7);
    if (!text_eq_nocase(scheme, TEXT("Bearer ")))
        return false;
    *token = text_trim(text_from(header, 7));
    return token->n > 0 && token->n <= 512;
}

/* Routes about the instance as a whole: among several tenants the operator need not name one for them. */
static bool of_instance(const struct route *route)
{
    static const text prefixes[] = { TEXT_INIT("/v1/promises"),   TEXT_INIT("/v1/policy"), TEXT_INIT("/v1/journal"),
                                     TEXT_INIT("/v1/backup"),     TEXT_INIT("/v1/sweep"),  TEXT_INIT("/v1/mail"),
                                     TEXT_INIT("/v1/unreadable"), TEXT_INIT("/v1/keys"),   TEXT_INIT("/v1/tenants") };
    bool found = route->who == WHO_PUBLIC;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        found |= text_starts(route->path, prefixes[i]);
    return found;
}

/* A cookie tells who it is where no token does. Where nobody needs to be signed in, one that is over counts as none. */
static enum err by_cookie(struct ctx *c, const struct request *q)
{
    text secret = c->policy->session.cookie.n ? request_cookie(q, c->policy->session.cookie) : (text){ NULL, 0 };
    c->address = address_text(c->arena, q->address);
    text agent = request_header(q, TEXT("User-Agent"));
    c->agent = text_utf8(agent) ? agent : TEXT("");
    if (secret.p) {
        enum err e = session_by_secret(c, secret);
        if (e != ERR_UNAUTHORISED || q->route->who != WHO_ANYONE)
            return e;
        c->actor = (struct actor){ .kind = ACTOR_NOBODY, .index = -1, .name = TEXT("nobody") };
        c->tenant = c->policy->tenants[0];
    }
    if (q->route->who == WHO_ANYONE)
        return OK;
    return say(c->arena, ERR_UNAUTHORISED,
               q->route->who == WHO_TOKEN || q->route->who == WHO_OWN
                   ? "nobody is signed in, and the Authorization header is missing: Bearer and a token are needed"
                   : "nobody is signed in here");
}

enum err gate_identify(struct ctx *c, const struct request *q)
{
    if (q->operator_socket && !request_header(q, TEXT("Authorization")).p) {
        text tenant = request_header(q, TEXT("Garant-Tenant"));
        if (!tenant.n && of_instance(q->route))
            tenant = c->policy->tenants[0];
        return route_lets_in(q->route) ? actor_operator_lets_in(c, tenant) : actor_operator(c, tenant);
    }
    c->actor = (struct actor){ .kind = ACTOR_NOBODY, .index = -1 };
    if (q->route->who == WHO_PUBLIC)
        return OK;
    text header = request_header(q, TEXT("Authorization")), token;
    if (!header.p || q->route->who == WHO_ANYONE)
        return by_cookie(c, q);
    enum err e = bearer(header, &token)
                     ? actor_by_token(c, token)
                     : say(c->arena, ERR_UNAUTHORISED, "the Authorization header is not Bearer and a token");
    /* A good token is never slowed down: with 256 random bits nobody guesses one, and others may share the address. */
    if (e == ERR_UNAUTHORISED && peers_failed(q->front->peers, q->address, clock_monotonic()))
        return say(c->arena, ERR_TOO_MANY, "too many failed credentials from this address within a minute");
    return e;
}

static enum err check_class(struct ctx *c, const struct route *route)
{
    if (route->who == WHO_OPERATOR)
        return say(c->arena, ERR_FORBIDDEN, "only the operator may do that, on the socket of the data folder");
    if (c->actor.index < 0)
        return say_clause(c->arena, ERR_FORBIDDEN, &c->policy->recipients_clause,
                          "the policy no longer has the class of this token");
    const struct actor_class *class = &c->policy->actors[c->actor.index];
    if (route->needs != NEEDS_NONE && !((class->acts | class->rights) >> route->needs & 1))
        return say_clause(c->arena, ERR_FORBIDDEN, &class->clause, "\"%.*s\" may not %.*s", T(class->name),
                          T(act_word((enum act)route->needs)));
    return OK;
}

/* What is for the policy's roles is refused by that list of them. */
static const struct clause *roles_clause(const struct ctx *c)
{
    const struct clause *clause = policy_clause(c->policy, TEXT("roles"));
    return clause ? clause : &c->policy->rights_clause;
}

/* Pages and data of signed-in people. Until its second factor is given a role may do nothing; until the agreement is on
 * record the policy's decision refuses it, act by act, and the staff pages do. */
static enum err check_session(struct ctx *c, const struct route *route)
{
    if (!c->session)
        return say_clause(c->arena, ERR_FORBIDDEN, &c->policy->session.clause, "only a signed-in person may do that");
    if (route->who == WHO_SELF) {
        session_as_person(c);
        return OK;
    }
    text closed = c->session->closed;
    if (text_eq(closed, TEXT("factor")))
        return say_clause(c->arena, ERR_FORBIDDEN, &c->policy->session.staff_clause,
                          "role \"%.*s\" needs a second factor", T(c->actor.name));
    if (c->actor.kind == ACTOR_PERSON && route->who != WHO_OWN)
        return say_clause(c->arena, ERR_FORBIDDEN, roles_clause(c), "only staff may do that");
    if (route->who == WHO_STAFF && closed.n)
        return say_clause(c->arena, ERR_FORBIDDEN, &c->policy->session.staff_clause,
                          "role \"%.*s\" stays closed until the confidentiality agreement is recorded",
                          T(c->actor.name));
    return route->who == WHO_STAFF ? OK : check_class(c, route);
}

enum err gate_admit(struct ctx *c, const struct route *route)
{
    bool signed_in = route->who == WHO_SELF || route->who == WHO_STAFF;
    if (route->who == WHO_PUBLIC || route->who == WHO_ANYONE || (c->actor.kind == ACTOR_OPERATOR && !signed_in))
        return OK;
    if (c->actor.kind == ACTOR_NOBODY)
        return say(c->arena, ERR_UNAUTHORISED, "this resource needs a token");
    if (signed_in || c->session)
        return check_session(c, route) == OK ? OK : actor_refused(c);
    return check_class(c, route) == OK ? OK : actor_refused(c);
}

static enum err check_key(struct ctx *c, text key)
{
    if (!key.n || key.n > KEY_LIMIT)
        return say(c->arena, ERR_USAGE, "an Idempotency-Key has 1 to %d characters", KEY_LIMIT);
    for (size_t i = 0; i < key.n; i++)
        if (key.p[i] < 0x21 || key.p[i] > 0x7E)
            return say(c->arena, ERR_USAGE, "an Idempotency-Key holds printable characters only");
    return OK;
}

/* What makes two requests the same: method, target and body, each behind its length. */
static void digest(struct ctx *c, const struct request *q)
{
    const text parts[] = { method_word(q->method), q->target, q->body };
    struct sha256 s;
    sha256_begin(&s);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint64_t n = parts[i].n;
        sha256_add(&s, TEXT_BYTES(n));
        sha256_add(&s, parts[i]);
    }
    sha256_end(&s, c->idempotency.request.b);
}

/* Garant-Reason: why a role looks, in UTF-8, percent-encoded where it is not plain ASCII. */
static enum err take_reason(struct ctx *c, const struct request *q)
{
    text header = request_header(q, TEXT("Garant-Reason"));
    text reason = header.p ? decode_percent(c->arena, header, false) : TEXT("");
    if (!reason.p)
        return say(c->arena, ERR_USAGE, "the header Garant-Reason is not percent-encoded UTF-8");
    return header.p ? look_reason(c, reason) : OK;
}

enum err gate_headers(struct ctx *c, const struct request *q)
{
    TRY(take_reason(c, q));
    TRY(request_if_match(c->arena, q, &c->if_match));
    text key = request_header(q, TEXT("Idempotency-Key"));
    if (!key.p || q->method == METHOD_GET || q->method == METHOD_HEAD)
        return OK;
    TRY(check_key(c, key));
    c->idempotency.key = key;
    digest(c, q);
    return OK;
}

/* ---- Requests that another site made the browser send. ---- */

text gate_authority(text origin)
{
    ptrdiff_t at = text_find(origin, TEXT("://"));
    text rest = at < 0 ? TEXT("") : text_from(origin, (size_t)at + 3);
    return text_cut(&rest, '/');
}

/* Browsers say where a request comes from (Fetch Metadata, and Origin): without a session that is what is left to tell.
 * Held against the host that was asked for, and the one that the operator says people reach this server by. */
bool gate_elsewhere(struct ctx *c, const struct request *q)
{
    text site = request_header(q, TEXT("Sec-Fetch-Site")), origin = request_header(q, TEXT("Origin"));
    if (site.p)
        return !text_eq(site, TEXT("same-origin")) && !text_eq(site, TEXT("none"));
    if (!origin.p)
        return false;
    text from = gate_authority(origin);
    return !authority_same(from, q->host) && !authority_same(from, gate_authority(mail_link(c, TEXT(""))));
}

enum err gate_forgery(struct ctx *c, const struct request *q)
{
    if (q->method == METHOD_GET || q->method == METHOD_HEAD || q->operator_socket || q->in_batch)
        return OK;
    bool by_token = request_header(q, TEXT("Authorization")).p && q->route->who != WHO_ANYONE;
    if (by_token)
        return OK;
    bool elsewhere = gate_elsewhere(c, q);
    if (elsewhere && route_abroad(q->route)) {
        c->session = NULL; /* whoever is signed in here did not send it */
        c->actor = (struct actor){ .kind = ACTOR_NOBODY, .index = -1, .name = TEXT("nobody") };
        return OK;
    }
    if (elsewhere)
        return say(c->arena, ERR_FORGED, "the request comes from a page of another site");
    if (!c->session)
        return OK;
    text token = q->csrf.p ? q->csrf : request_header(q, TEXT("X-CSRF-Token"));
    if (token.n == CSRF_TEXT && sodium_memcmp(token.p, c->session->csrf, CSRF_TEXT) == 0)
        return OK;
    return say(c->arena, ERR_FORGED,
               "the request lacks the session's token: header X-CSRF-Token, or the form's member csrf");
}

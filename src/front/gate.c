/* The gate: bearer tokens, the operator, the acts of an actor's class, idempotency keys. */
#include "front/gate.h"
#include <openssl/evp.h>

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
    static const text prefixes[] = { TEXT_INIT("/v1/promises"), TEXT_INIT("/v1/policy"), TEXT_INIT("/v1/journal"), TEXT_INIT("/v1/backup"),
                                     TEXT_INIT("/v1/sweep") };
    bool found = route->who == WHO_PUBLIC;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        found |= text_starts(route->path, prefixes[i]);
    return found;
}

enum err gate_identify(struct ctx *c, const struct request *q)
{
    if (q->operator_socket) {
        text tenant = request_header(q, TEXT("Garant-Tenant"));
        return actor_operator(c, !tenant.n && of_instance(q->route) ? c->policy->tenants[0] : tenant);
    }
    c->actor = (struct actor){ .kind = ACTOR_NOBODY, .index = -1 };
    if (q->route->who == WHO_PUBLIC)
        return OK;
    text header = request_header(q, TEXT("Authorization")), token;
    if (!header.p)
        return say(c->arena, ERR_UNAUTHORISED, "the Authorization header is missing: Bearer and a token are needed");
    enum err e = bearer(header, &token) ? actor_by_token(c, token)
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

enum err gate_admit(struct ctx *c, const struct route *route)
{
    if (route->who == WHO_PUBLIC || c->actor.kind == ACTOR_OPERATOR)
        return OK;
    if (c->actor.kind == ACTOR_NOBODY)
        return say(c->arena, ERR_UNAUTHORISED, "this resource needs a token");
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

static void hash_free(EVP_MD_CTX **hash) { EVP_MD_CTX_free(*hash); }

/* What makes two requests the same: method, target and body, each behind its length. */
static enum err digest(struct ctx *c, const struct request *q)
{
    const text parts[] = { method_word(q->method), q->target, q->body };
    CLEANUP(hash_free) EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool ok = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL);
    for (size_t i = 0; ok && i < sizeof parts / sizeof *parts; i++) {
        uint64_t n = parts[i].n;
        ok = EVP_DigestUpdate(hash, &n, sizeof n) && EVP_DigestUpdate(hash, parts[i].p, parts[i].n);
    }
    if (!ok || !EVP_DigestFinal_ex(hash, c->idempotency.request.b, NULL))
        return say(c->arena, ERR_MEMORY, "no memory to hash the request");
    return OK;
}

enum err gate_headers(struct ctx *c, const struct request *q)
{
    TRY(request_if_match(c->arena, q, &c->if_match));
    text key = request_header(q, TEXT("Idempotency-Key"));
    if (!key.p || q->method == METHOD_GET || q->method == METHOD_HEAD)
        return OK;
    TRY(check_key(c, key));
    c->idempotency.key = key;
    return digest(c, q);
}

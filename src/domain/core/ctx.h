/* The context of one request: who asks, for whom, under which policy, when; passed to every domain function. */
#ifndef DOMAIN_CORE_CTX_H
#define DOMAIN_CORE_CTX_H
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "policy/policy.h"

struct app;       /* the running instance: core/instance.h */
struct session;   /* core/actor.h */
struct decisions; /* core/decided.h */

struct actor {
    enum actor_kind kind;
    int index;              /* its class in the policy in force, -1 when the file no longer has it */
    text name;              /* of the class: what the journal says */
    text token;             /* name of the token, empty for the operator */
    bool agreement;         /* confidentiality agreement on record, where the class needs one */
    bool has_self;          /* a signed-in person acts, in a role or on their own data: */
    struct subject_id self; /* that person, */
    struct digest by;       /* and their pseudonym, for the journal of those they look at; zero on their own data */
    struct digest proof;
    bool by_token; /* of the token that was shown */
    enum support support; /* in a support session of c->tenant (domain/support), and what it allows there */
    text reason;   /* why they look, where the role must say; personal, so only ever sealed */
};

/* An answer too large to be held: made piece by piece as it is taken, long after the function that began it, on any
 * thread but never on two at once. It keeps nothing of the request but its arena. */
struct pieces {
    enum err (*next)(struct pieces *s, struct arena *a,
                     struct buf *piece); /* adds a piece; nothing when it has ended */
    void (*end)(struct pieces *s);       /* once; may be before its end has come */
    int64_t size;                        /* of all pieces, -1 when it is not known */
};

/* What a domain function gives back: the JSON of the answer, and what headers are made of. */
struct answer {
    text body;                  /* JSON; p NULL: there is nothing to say */
    text id;                    /* of the thing made, for Location; p NULL when none */
    int64_t version;            /* for ETag; 0 when none */
    text next;                  /* "after" of the next page of a list, for Link; p NULL when there is none */
    text media_type, file_name; /* of `body` when it is no JSON: a file, a page; p NULL otherwise */
    struct pieces *pieces;      /* in place of `body`; the caller ends it */
};

/* A repeated request is answered again, not done again: the row goes into the commit of the write it belongs to. */
struct idempotency {
    text key; /* as sent; p NULL when none was */
    struct {
        uint8_t b[32];
    } request; /* digest of method, path and body */
};

struct ctx {
    struct arena *arena;
    struct app *app;
    const struct policy *policy; /* the snapshot this request runs under to its end */
    msec now;
    msec began;            /* of clock_monotonic(): when the request was begun */
    text tenant, language; /* language: "fr" or "en" */
    bool language_asked;   /* the request names it: no account's language goes before */
    struct actor actor;
    const struct session *session; /* NULL: nobody is signed in by a cookie */
    text address, agent; /* of the client: its address (IPv6 by its /64) and User-Agent; empty when not known */
    struct idempotency idempotency;
    struct decisions *decisions; /* what was allowed so far, to be asked again inside the write; a copy with an arena of
                                    its own has NULL */
    text card_in;     /* the member in which the door found a payment card number: no write then; p NULL: none */
    bool dry;         /* what would be made is checked to the end and not written; refusals go on no record */
    bool quick;       /* on a thread that serves: what turns out to be long is ERR_ASIDE, and begun again by the crew */
    bool outside;     /* an answer of all that is held, also in the platform's own stores (domain/connector) */
    const struct subject_id *request; /* of the register, which this answers; NULL: none */
    int64_t if_match; /* the version the caller read; 0 when not given, -1 for "*" */
};

/* The controller of c->tenant: the policy's, or what its `tenants` say of that one (whose own address and e-mail stand
 * or are absent). */
struct controller {
    text legal_name, address, country, email, phone, site;
};
struct controller ctx_controller(const struct ctx *c);

#endif

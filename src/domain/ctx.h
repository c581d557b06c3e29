/* The context of one request: who asks, for whom, under which policy, when; passed to every domain function. */
#ifndef DOMAIN_CTX_H
#define DOMAIN_CTX_H
#include "base/clock.h"
#include "base/json.h"
#include "policy/policy.h"

struct app;                                    /* the running instance: domain/app.h */

struct actor {
    enum actor_kind kind;
    int index;                                 /* its class in the policy in force, -1 when the file no longer has it */
    text name;                                 /* of the class: what the journal says */
    text token;                                /* name of the token, empty for the operator */
    bool agreement;                            /* confidentiality agreement on record, where the class needs one */
};

struct ctx {
    struct arena *arena;
    struct app *app;
    const struct policy *policy;               /* the snapshot this request runs under to its end */
    msec now;
    text tenant, language;                     /* language: "fr" or "en" */
    struct actor actor;
};

#endif

/* A form that could not be done since its session was over: what was typed, sealed for its person alone and half an
 * hour, so that the browser carries it through the sign-in. Nothing of it is kept here. */
#ifndef DOMAIN_ACCOUNT_KEPT_H
#define DOMAIN_ACCOUNT_KEPT_H
#include "domain/core/ctx.h"

enum { KEPT_LIFE = 30 * MINUTE };
struct kept {
    text path, body; /* where it was sent, and what, as it came */
};

/* Whether that token of a form was made for whoever is signed in now, be it in an earlier session. */
bool kept_theirs(const struct ctx *c, text csrf);
/* `csrf`: the token that came with the form; ERR_USAGE when it is none. */
enum err kept_seal(struct ctx *c, text csrf, const struct kept *form, text *out);
/* False when it is not of whoever is signed in now, is over, or is not ours. */
bool kept_open(struct ctx *c, text sealed_form, struct kept *out);

#endif

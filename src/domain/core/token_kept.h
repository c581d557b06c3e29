/* What tokens of programs let in, kept for as long as any snapshot of the store is: a request of a program asks it
 * twice. */
#ifndef DOMAIN_CORE_TOKEN_KEPT_H
#define DOMAIN_CORE_TOKEN_KEPT_H
#include "crypt/seal.h"
#include "store/tables.h"

struct kept_tokens;
/* Freed by kept_tokens_close(). NULL without memory. */
struct kept_tokens *kept_tokens_open(void);
void kept_tokens_close(struct kept_tokens **k);

/* A token that stands for nobody's place in a role, as SQL_TOKEN_FIND gives it. */
struct known_token {
    text tenant, name, actor;
    bool accepted; /* by the tenant whose data it opens, where the operator only stores */
    bool ends;
    msec expires;
};
/* It was read at that moment. What does not fit is not kept. */
void token_keep(struct kept_tokens *k, const struct digest *digest, struct store_moment at,
                const struct known_token *t);
/* True when it is kept and still as it was, and has not expired by `now`; its texts are copies in `a`. `writing`: of
 * the write that asks, else NULL. */
bool token_kept(struct kept_tokens *k, struct store *s, const struct db *writing, struct arena *a,
                const struct digest *digest, msec now, struct known_token *out);

#endif

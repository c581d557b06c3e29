/* Passwords of people: what the policy asks of a new one (security.password), each thing it lacks by name; kept as
 * Argon2id digests, sealed under the person's key. */
#ifndef DOMAIN_ACCOUNT_PASSWORD_H
#define DOMAIN_ACCOUNT_PASSWORD_H

#include "policy/password_rule.h"
#include "crypt/seal.h"

struct ctx;

struct person;

/* The rule in force, complete. */
struct password_rule password_rule_of(const struct policy *p);
/* ERR_PASSWORD, whose why.missing names everything that this password lacks: "length", "upper", "lower", "digit",
 * "special", "common" (in a dictionary, a list of common ones, or a mere pattern), "own" (made of the person's name,
 * address or the like), "long" (above 1,024 signs), "form" (no UTF-8, or with control characters). `p` NULL: nobody's
 * data are looked at. `sent`: the data of a person who is only now written, {category: {field: value}}; NULL: what is
 * held of them. The fiber parks. */
enum err password_check(struct ctx *c, const struct person *p, const struct json *sent, text password);
/* Whether cracklib has its dictionary. */
bool password_dictionary(void);
/* A sentence for people, in c->language, of what is asked; p NULL when out of memory. */
text password_asked(struct ctx *c);
/* The same for what is lacking, from why.missing: one sentence. */
text password_lacking(struct ctx *c, text missing);
/* The digest of a password, for account.password. The fiber parks. */
enum err password_seal(struct ctx *c, const struct person *p, text password, sealed *out);
/* Whether it is the password kept in `stored`. With `p` NULL or nothing stored the answer is no, after as long a time.
 * The fiber parks. ERR_BUSY when too many wait. */
enum err password_verify(struct ctx *c, const struct person *p, sealed stored, text password, bool *good);
/* The same; *stale: it was kept at a lower cost than passwords are now, and is to be sealed anew. */
enum err password_verify_cost(struct ctx *c, const struct person *p, sealed stored, text password, bool *good,
                              bool *stale);

#endif

/* Who may open, administer and manage accounts. */
#ifndef DOMAIN_ENTRY_MAY_H
#define DOMAIN_ENTRY_MAY_H
#include "base/err.h"

struct actor_class;
struct clause;
struct ctx;
struct person;

/* Of the policy's `accounts`. */
const struct clause *may_accounts_clause(const struct ctx *c, const char *key);
/* Whether this actor gives that role (empty: none): the operator each, staff those that see a team. */
enum err may_check_role(struct ctx *c, text role);
/* The role that acts, NULL for the operator. */
const struct actor_class *may_class_of(const struct ctx *c);
/* ERR_FORBIDDEN with the role's clause, on record. */
enum err may_refuse(struct ctx *c, const struct person *p, const char *what);

#endif

/* What is asked of somebody for whom an account is opened: one answer for the registration page, the staff's, and what
 * they send. */
#ifndef DOMAIN_ENTRY_ASKED_H
#define DOMAIN_ENTRY_ASKED_H
#include "policy/policy.h"

/* By whom the data are given, who must be among the category's sources (`source`): the person, or whichever source is
 * said. */
enum asked_of { ASKED_PERSON, ASKED_ANYONE };

/* Whether an account needs the field: accounts.needs names it, its category requires it whatever the rest says, or it
 * is the one address by which the account can be confirmed. */
bool asked_field(const struct policy *p, const struct category *cat, const struct field *f);
/* Whether an account may need it: its category requires it when another field, which is asked, has a certain value. */
bool asked_perhaps(const struct policy *p, const struct category *cat, const struct field *f);
/* Whether fields of the category are asked at all. Where accounts.needs is silent: what must be had of every category
 * that stands once a person, serves something without consent, and may come from whom it is asked of. */
bool asked_category(const struct policy *p, const struct category *cat, enum asked_of who);

#endif

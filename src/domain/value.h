/* Values against the policy: types, bounds, conditions, normal forms, and the guard against card numbers. */
#ifndef DOMAIN_VALUE_H
#define DOMAIN_VALUE_H
#include "domain/ctx.h"

/* Checks one value against its field: type, bounds, choices, no card number. ERR_VALUE or ERR_CARD_NUMBER, naming field and clause, never the value. */
enum err value_check(struct ctx *c, const struct category *cat, const struct field *f, const struct json *v);
/* An addr-spec as people have them: no quoted local part, no blank, no control byte, at most 254 bytes. */
bool value_is_email(text s);
/* The form in which an identifier is looked up: e-mail in lower case, telephone as + and digits, others trimmed. */
text value_normal(struct arena *a, const struct field *f, text value);
/* `name` when it looks like a name of a policy, else a word in its place: what was sent may be personal and must not be said again. */
text value_shown(text name);
/* Refuses any text that holds a payment card number (MO-20). `where` names the place in the message. */
enum err value_no_card(struct ctx *c, text where, text s);
/* Checks a whole category's fields {field: value}: undeclared names, missing required ones, conditions both ways.
 * `other` gives the fields of other categories that conditions look at ({category: {field: value}}, may be NULL). */
enum err value_check_category(struct ctx *c, const struct category *cat, const struct json *fields, const struct json *other);

#endif

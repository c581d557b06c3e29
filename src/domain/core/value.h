/* Values against the policy: types, bounds, conditions, normal forms, and the guard against card numbers. */
#ifndef DOMAIN_CORE_VALUE_H
#define DOMAIN_CORE_VALUE_H
#include "domain/core/ctx.h"

/* Brings one value to the form in which it is kept (normal.h), and checks it against its field: type, bounds, choices,
 * no card number. ERR_VALUE or ERR_CARD_NUMBER, naming field and clause, never the value. *v is then the value to keep;
 * NULL is no value. */
enum err value_take(struct ctx *c, const struct category *cat, const struct field *f, const struct json **v);
/* A mailbox of RFC 5321 or 6531, in the form in which it is kept: no quoted local part, no blank, nothing invisible, at
 * most 254 bytes. */
bool value_is_email(struct arena *a, text s);
/* What people mean who do not know the code (ISO 3166-1): the name in English or French, or what habits.def says; NULL
 * for none. */
const struct country *value_country_meant(struct ctx *c, text s);
/* `name` when it looks like a name of a policy, else a word in its place: what was sent may be personal and must not be
 * said again. */
text value_shown(text name);
/* A moment, or a day of the controller's time zone (YYYY-MM-DD): from its start, or with `whole` through its end (*out:
 * the start of the next). A country whose clocks are not known (holidays.def) has those of UTC. */
bool value_moment(const struct ctx *c, text s, bool whole, msec *out);
struct date value_day(const struct ctx *c, msec t); /* the day that moment is in there; and the day's start: */
msec value_day_start(const struct ctx *c, struct date d);
/* The same of a policy that is not in force yet; and the minutes east of UTC at that time. */
struct date value_policy_day(const struct policy *p, msec t);
msec value_policy_start(const struct policy *p, struct date d);
int value_offset(const struct ctx *c, msec t);
/* Whether it is one line of at most `max` bytes: UTF-8 without control characters. */
bool value_is_line(text s, size_t max);
/* Refuses any text that holds a payment card number (MO-20). `where` names the place in the message. */
enum err value_no_card(struct ctx *c, text where, text s);
enum err value_no_card_in(struct ctx *c, text where,
                          const struct json *v); /* the same of all names and values, split ones included */
enum err value_card(struct ctx *c, text where);  /* says that one was found there: ERR_CARD_NUMBER */
/* The same for a whole category's fields {field: value}; besides: undeclared names, missing required ones (blanks are
 * missing too), conditions both ways. `other` gives the fields of other categories that conditions look at ({category:
 * {field: value}}, may be NULL). *fields is then what is to be kept. */
enum err value_take_category(struct ctx *c, const struct category *cat, const struct json **fields,
                             const struct json *other);
/* Whether the field is held, or needed, only when a field of another category says so. */
bool value_looks_away(const struct field *f);
/* Of a category that is not changed itself (fields p NULL: nothing is held of it), while others are: ERR_UNDECLARED or
 * ERR_MISSING for a field that now must not, or must, be given. What did not fit before the change either (another
 * version of the policy) holds nothing up. */
enum err value_still_fits(struct ctx *c, const struct category *cat, const struct json *before,
                          const struct json *other_before, const struct json *after, const struct json *other);

#endif

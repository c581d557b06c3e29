/* The one place where a value gets its form, whichever way it came: page, API, table, command or sign-in. */
#ifndef DOMAIN_CORE_NORMAL_H
#define DOMAIN_CORE_NORMAL_H
#include "domain/core/ctx.h"

/* The form in which a value is kept: composed letters (NFC), line breaks as LF, nothing invisible at its ends; and by
 * its type: an address without what cannot be part of it, a country in capitals, an IBAN without blanks, a colour as
 * #rrggbb. What is no such value stays as it is, for value_take() to refuse. The form of a form is itself. */
text normal_kept(struct ctx *c, const struct field *f, text value);
/* The form in which an identifier is looked up: one for all writings of one mailbox (RFC 5321, RFC 6531, IDNA), one
 * telephone (E.164, by the controller's country), one login (RFC 8265). */
text normal_lookup(struct ctx *c, const struct field *f, text value);
/* The same as it was made before: what stands in stores since then is found by it. */
text normal_former(struct arena *a, const struct field *f, text value);
/* A password as it is hashed (RFC 8265, OpaqueString): composed, every blank a space; nothing else is changed. */
text normal_password(struct arena *a, text password);
/* {field: value} with each value in the form in which it is kept; what is no object, or no field, stays as it is. NULL:
 * no memory. */
const struct json *normal_fields(struct ctx *c, const struct category *cat, const struct json *fields);

/* What people write in a form or a table where the policy wants more than a text, as the value that it stands for:
 * "12,5", "1 234", "VRAI", "31/12/2026". What is nothing of the kind is written as the text that it is. */
void normal_typed(struct ctx *c, struct json_out *w, const struct field *f, text typed);

/* A day as people write it in either language, as the policy keeps it: "31/12/2026", "31 December 2026", "1er mars 2026";
 * what is none stays as it is. */
text normal_day(struct ctx *c, text s);

/* A moment, or a day, as people write it: "31/12/2026 14:05" by the controller's clocks, as RFC 3339 has it. */
text normal_moment(struct ctx *c, text s);

/* addr-spec of RFC 5321 and 6531, in the form that normal_kept() gives it. */
bool normal_is_email(struct arena *a, text s);
bool normal_is_url(struct arena *a, text s);

#endif

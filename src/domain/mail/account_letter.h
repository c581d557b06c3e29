/* Letters about accounts: those with a link, an end of it, and where data came from. */
#ifndef DOMAIN_MAIL_ACCOUNT_LETTER_H
#define DOMAIN_MAIL_ACCOUNT_LETTER_H
#include "domain/mail/mail.h"

/* What letters.def may ask for. `path` becomes a link to this server, `source` (of the policy) its title, `fields`
 * ("category.field", a blank between) theirs as {what}; the present time is always there. `to` p NULL: the person's own
 * address; `language` empty: that of their account, which is there by then. */
struct account_letter {
    text name, to, language, path, source, fields;
    msec until;
};
enum err letter_make(struct ctx *c, const struct person *p, const struct account_letter *l, struct mail_put *out);

#endif

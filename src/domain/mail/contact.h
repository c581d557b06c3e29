/* The contact log: service messages written to a person and calls noted, each a record of the policy's category with
 * `stream: contacts`. */
#ifndef DOMAIN_MAIL_CONTACT_H
#define DOMAIN_MAIL_CONTACT_H
#include "domain/core/ctx.h"

struct person;

struct change;

struct field;

struct json;

/* POST messages {"purpose", "subject", "text", "fields"?}: queued as a letter that is marked as a service notice. The purpose must
 * let the actor send; no consent to marketing is asked, and a purpose of marketing is refused. Answers {"id"} of the
 * letter. */
enum err contact_send(struct ctx *c, text id, const struct json *in, struct answer *out);
/* POST calls {"purpose", "subject", "at"?, "fields"?}: a call that took place. "fields": what else the policy declares of
 * a contact, its motive for example, by name. ERR_UNDECLARED when the policy has no such log.
 * Answers {"item"}. */
enum err contact_call(struct ctx *c, text id, const struct json *in, struct answer *out);
/* GET contacts: {"contacts": [{"item", "at", "fields"}], "counts": {field: {choice: number}}, "letters": [those not sent
 * yet, and those given up]}. `where`: "FIELD:CHOICE" of the log ("motive:order"), those alone are listed; the counts are
 * of all. ERR_VALUE for a field or choice that the log has not. */
enum err contact_list(struct ctx *c, text id, text purpose, text where, struct answer *out);
/* Whether staff say this field of the log themselves: not the time, the channel or the subject. */
bool contact_says(const struct field *f);

struct contact_said {
    text channel, subject;
    msec at;
    const struct json *noted; /* {field: value} of what else the log declares; NULL: nothing */
};
/* For the domain's own files: makes ready the record that this contact leaves. *kept is false when the policy keeps no
 * such log; nothing is then to be written. ERR_MISSING for a field that the log needs, ERR_UNDECLARED for one that it
 * has not. */
enum err contact_prepare(struct ctx *c, struct person *p, const struct contact_said *said, struct change *out,
                         bool *kept);

#endif

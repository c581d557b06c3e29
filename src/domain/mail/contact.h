/* The contact log: service messages written to a person and calls noted, each a record of the policy's category with
 * `stream: contacts`. */
#ifndef DOMAIN_MAIL_CONTACT_H
#define DOMAIN_MAIL_CONTACT_H
#include "domain/core/ctx.h"

struct person;

struct change;

/* POST messages {"purpose", "subject", "text"}: queued as a letter that is marked as a service notice. The purpose must
 * let the actor send; no consent to marketing is asked, and a purpose of marketing is refused. Answers {"id"} of the
 * letter. */
enum err contact_send(struct ctx *c, text id, const struct json *in, struct answer *out);
/* POST calls {"purpose", "subject", "at"?}: a call that took place. ERR_UNDECLARED when the policy has no such log.
 * Answers {"item"}. */
enum err contact_call(struct ctx *c, text id, const struct json *in, struct answer *out);
/* GET contacts: {"contacts": [{"item", "at", "fields"}], "letters": [those not sent yet, and those given up]}. */
enum err contact_list(struct ctx *c, text id, text purpose, struct answer *out);

/* For the domain's own files: makes ready the record that this contact leaves. *kept is false when the policy keeps no
 * such log, or wants fields that nobody has said; nothing is then to be written. */
enum err contact_prepare(struct ctx *c, struct person *p, text channel, text subject, msec at, struct change *out,
                         bool *kept);

#endif

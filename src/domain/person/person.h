/* A person as a request sees them: found, reached, and what the policy allows about them. */
#ifndef DOMAIN_PERSON_PERSON_H
#define DOMAIN_PERSON_PERSON_H
#include "domain/core/ctx.h"
#include "domain/core/id.h"
#include "store/store.h"

struct person;

/* Loads the person of that id. ERR_NOT_FOUND for malformed, unknown, erased, of another tenant, and closed unless
 * `closed_too` and a reader of the archive asks. */
enum err person_open(struct ctx *c, text id, bool closed_too, struct person *out);
/* Whose identifier that is: `field` is "category.field", the digest that of its normal form (digest_identifier). Not
 * found is no error. */
enum err person_find(struct ctx *c, text field, const struct digest *digest, bool *found, struct subject_id *out);
/* For what the server does by itself (terms, letters): closed too, whoever acts. */
enum err person_open_anyway(struct ctx *c, text id, struct person *out);

/* Asks the policy whether this actor may do `act` for `purpose` on each category of `categories` (NULL: the purpose
 * alone). Loads consents and objections only when the purpose's basis needs them. A refusal is recorded (write_refusal)
 * and returned with its clause. */
enum err person_allow(struct ctx *c, const struct person *p, text purpose, const struct bits *categories, enum act act);
/* What the policy decides of a use for that purpose, without a refusal: for lists that leave a person out. */
enum err person_would_allow(struct ctx *c, const struct person *p, text purpose, enum act act, bool *allowed);
/* The same for a message to that person by that channel; never to who is gone or closed. */
enum err person_would_send(struct ctx *c, struct subject_id id, text purpose, text channel, bool *allowed);
/* The same for a message by that channel: ERR_MISSING without one where the purpose has some, ERR_PURPOSE for one that
 * it does not have, and only a consent to that channel counts. */
enum err person_allow_by(struct ctx *c, const struct person *p, text purpose, const struct bits *categories,
                         enum act act, text channel);
/* The same for a change that may name no purpose: then each category needs one purpose that allows it. `given` (may be
 * NULL) are consents that come with the request itself. */
enum err person_allow_some(struct ctx *c, const struct person *p, const struct bits *given, text purpose,
                           const struct bits *categories, enum act act);
/* Whether what is observed of the person, whoever brings it, may be kept in that category: while a purpose of it stands
 * that they have consented to where it needs that, not objected to (GDPR 21), and whose use is not restricted (18). A
 * refusal is recorded; asked again inside the write. */
enum err person_may_observe(struct ctx *c, const struct person *p, unsigned category);
/* The same, silently. */
enum err person_would_observe(struct ctx *c, const struct person *p, unsigned category, bool *allowed);
/* Whether their data of these categories counts in figures for that purpose: the same words of theirs, and the actor's
 * reach. Silent: who is left out of a sum is refused nothing. */
enum err person_may_count(struct ctx *c, const struct person *p, unsigned purpose, const struct bits *categories,
                          bool *may);
/* Whether what is observed of them counts for that purpose, whoever brings it: their consent, objection and restriction
 * alone decide. Where it does, that is asked again inside the write, which an objection between the two refuses. */
enum err person_lets_count(struct ctx *c, const struct person *p, unsigned purpose, bool *may);
/* An act that answers a person's right and so needs no purpose: export, erase (GDPR 12 to 22). */
enum err person_allow_act(struct ctx *c, const struct person *p, enum act act);
/* What belongs to no category (a date in the relation, that the notice was shown): whoever may write for some purpose
 * may note it, whatever the person consented to. */
enum err person_may_write(struct ctx *c, const struct person *p);
/* The same for another act. */
enum err person_may(struct ctx *c, const struct person *p, enum act act);
/* Whether this actor may record what a person decides about that purpose: a consent or its refusal for the purposes of
 * their role alone, what ends one (`ends`: a withdrawal, an objection; GDPR 7(3), 21) for all. */
enum err person_may_record(struct ctx *c, const struct person *p, text purpose, bool ends);
/* Purposes with a live consent (on any channel); p NULL empties. */
enum err person_consents(struct ctx *c, const struct person *p, struct bits *out);
/* The same for a use by that channel: consent to one is none to another. Empty: by any. */
enum err person_consents_by(struct ctx *c, const struct person *p, text channel, struct bits *out);

#endif

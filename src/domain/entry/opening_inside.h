/* What the files about accounts share: who may, what an account needs, letters with a link. */
#ifndef DOMAIN_ENTRY_OPENING_INSIDE_H
#define DOMAIN_ENTRY_OPENING_INSIDE_H
#include "domain/person/account.h"
#include "domain/entry/opening.h"
#include "domain/person/change.h"

struct ctx;

struct json;

/* Whether the policy's accounts.opened_by lists that word (staff, manager, self); a refusal is on record. */
enum err opening_allowed(struct ctx *c, text by);
/* ERR_MISSING naming every field of accounts.needs that `data` lacks. */
enum err opening_needs(struct ctx *c, const struct json *data, bool folders, bool folders_needed);
/* The actor becomes that person, who followed a link that only they were sent. */
void opening_as_person(struct ctx *c, struct subject_id id);
/* The language of an account: `language` when the policy has it, else the request's, which is the policy's first where
 * nothing is said. */
text opening_language(const struct ctx *c, text language);
/* The manager of that id: an account in a role that sees its team. */
enum err opening_manager(struct ctx *c, text id, struct subject_id *out);
/* Whether a letter with such a link was made for them within the last minute. */
enum err opening_recent(struct ctx *c, const struct person *p, text kind, bool *recent);
/* A letter in French leads to pages in French: whoever follows its link is spoken to in the account's language, unless
 * they asked for another. */
void opening_speak(struct ctx *c, const struct account *account);
/* Whose link of that kind it is; the actor becomes them. ERR_NOT_FOUND alike for all that it may not be. */
enum err opening_ticket(struct ctx *c, text token, text kind, struct ticket *ticket, struct person *p,
                        struct account *account);
/* Whether this actor looks after accounts: the operator; staff, and the programs they use, who may write what people
 * are found by (a role that sees its team too, when `managers`). A refusal is on record. p NULL: nobody in particular.
 */
enum err account_administers(struct ctx *c, const struct person *p, bool managers);
/* Whether this actor looks at accounts: for the purpose that they name, or else as whoever may read for some. A refusal
 * is on record. */
enum err account_look(struct ctx *c, const struct person *p, text purpose);
/* The fields by which the person is found whose value mixes letters of scripts that look alike ("category.field", a
 * blank between): perhaps made to be taken for another's. */
enum err identifier_confusable(struct ctx *c, const struct person *p, text *names);

#endif

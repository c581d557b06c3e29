/* Breaches of personal data (GDPR 33, 34): one register with its clocks, from the first word to what was learned. */
#ifndef DOMAIN_BREACH_BREACH_H
#define DOMAIN_BREACH_BREACH_H
#include "domain/core/ctx.h"
#include "domain/core/feature.h"

struct paging;

/* A breach is a row of the register: clocks that run from awareness and never wait, and a sealed file. Who is affected
 * is found by a scope that staff declare; the risk stands on the CNIL's scale with its reasons; the authority, the
 * people, the processors and the tenants that are controllers are told, each by its own clock, and what comes late says
 * why. A drill goes the same way, and sends and changes nothing. All of it is for who may `export` and sees everybody.
 */

/* Opens one: {"what", "known"?, "drill"?, "tenants"?: [name], "sign"?: id}: `known` is when it was known, not when it is
 * entered. */
enum err breach_open(struct ctx *c, const struct json *in, struct answer *out);
/* By what is due first: {"breaches": […], "signs": [{"id", "kind", "says", "actor", "count", "at"}], "next"}. `which`:
 * "open" (empty too) or "closed". */
enum err breach_list(struct ctx *c, text which, const struct paging *asked, struct answer *out);
/* All of one file: its clocks, "facts", "scope", "counts", "parties", "history", "moves", "missing". */
enum err breach_get(struct ctx *c, text id, struct answer *out);
/* A move of rows.def. facts: {FACT: text…}; find: {"categories": [name], "from"?, "until"?, "recipient"?, "actor"?};
 * assess: {"risk", "text"}; notify: {"stage", "text"?: the authority's receipt, "late"?}; tell: {"how", "text"?,
 * "late"?}; told: {"party", "text"?, "late"?}; note and close: {"text"}. Answers as breach_get(). ERR_CONFLICT for one
 * that its state does not allow; ERR_MISSING for what is late without a reason, with the clause of the policy. */
enum err breach_move(struct ctx *c, text id, text move, const struct json *in, struct answer *out);
/* Those affected, by their ids: {"people": [id], "next"}. On record like every list of people. */
enum err breach_people(struct ctx *c, text id, const struct paging *asked, struct answer *out);
/* The notification in the authority's fields, in c->language: {"stage", "fields": [{"field", "title", "value"}],
 * "missing": [field], "text": to paste}. `stage`: one of the rows STAGE; empty: the next. */
enum err breach_form(struct ctx *c, text id, text stage, struct answer *out);
/* The register (Art. 33(5)): {"breaches": [{"id", "known", "facts", "effects", "remedy", "risk", …}], "next"}; without
 * drills. */
enum err breach_register(struct ctx *c, const struct paging *asked, struct answer *out);
/* What is told to the public of this tenant's breaches: {"notices": [{"at", "text"}]}. For everybody. */
enum err breach_public(struct ctx *c, struct answer *out);
/* A sign is set aside: {"text"}: why. */
enum err breach_dismiss(struct ctx *c, text sign, const struct json *in, struct answer *out);

/* What may be chosen, in words of c->language: the n-th of a kind of rows; false when there are fewer. */
enum breach_choice { BREACH_FACTS, BREACH_RISKS, BREACH_STAGES, BREACH_HOWS };
bool breach_choice_at(const struct ctx *c, enum breach_choice of, unsigned n, text *name, text *says);

/* The clocks, letters in steps, reminders, signs, and the end of what is over. */
extern const struct feature breach_feature;

#endif

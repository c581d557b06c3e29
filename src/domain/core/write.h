/* The domain's door to the store: events filled from the context, idempotency in the same commit, refusals on record.
 */
#ifndef DOMAIN_CORE_WRITE_H
#define DOMAIN_CORE_WRITE_H
#include "domain/core/data_subject.h"
#include "store/store.h"

struct answer;
struct bits;
struct ctx;

struct db;

/* An event of this request: actor, tenant, policy and, when `p` is not NULL, the person's pseudonym. `act` is a row of
 * events.def. */
struct event event_of(const struct ctx *c, const struct person *p, text act);
/* The names of the categories in `set`, comma between, for event.categories; p NULL when out of memory. */
text event_categories(struct ctx *c, const struct bits *set);
/* Queues w and waits until it is durable; `answer` (may be NULL) is kept under the request's Idempotency-Key in the
 * same commit. */
enum err write_do(struct ctx *c, struct write *w, const struct answer *answer);
/* The same for what follows a write that kept an answer: the fuller answer takes its place. */
enum err write_do_again(struct ctx *c, struct write *w, const struct answer *answer);
/* Records that something was refused (c->arena->why says what, with its clause) and returns that reason's code.
 * When the record itself fails, that failure is returned: a refusal too is answered only after it is in the journal. */
enum err write_refusal(struct ctx *c, const struct person *p, text purpose, text categories);
/* Passes `status` on; a refusal of what the policy does not declare, or of a card number, goes on record first like any
 * other. */
enum err write_refused(struct ctx *c, const struct person *p, enum err status);
/* Inside a write: ERR_NOT_FOUND when the person was erased since the request began, so that nothing is added to nobody.
 */
enum err write_person_there(struct db *db, text tenant, struct subject_id id);

#endif

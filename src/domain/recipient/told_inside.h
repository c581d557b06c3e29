/* What is told to recipients: shared by who tells and who takes answers. */
#ifndef DOMAIN_RECIPIENT_TOLD_INSIDE_H
#define DOMAIN_RECIPIENT_TOLD_INSIDE_H
#include "domain/recipient/inside.h"
#include "domain/recipient/round.h"
#include "domain/recipient/told.h"
#include "store/store.h"

#define TOLD_NEVER ((msec)253402300799999) /* the end of 9999: it is left to staff */

struct told {
    struct subject_id id;
    text kind, recipient;
    text references, categories; /* ids of disclosures, names of the policy: a comma between; no category: all */
    msec at, due;
    int64_t tries; /* that have begun */
};
/* One that waits, of c->tenant. ERR_NOT_FOUND when it is answered, or none. */
enum err told_load(struct ctx *c, struct subject_id id, struct told *out);
text told_kind_word(text kind); /* "erasure", "partial_erasure", "correction", "restriction", "release" */
text told_said(const struct ctx *c, text kind); /* what the recipient is asked for, a sentence or two */
/* A member that lists what stands between commas: "references", ids of disclosures; "categories", names of the policy,
 * none: all that it was given. */
void told_put_list(struct json_out *w, text name, text list);
/* Those by their titles, with a comma between; empty when it is all. */
text told_titles(struct ctx *c, text categories);
struct event told_event(struct ctx *c, text recipient, text act);
/* The address at which it is answered; p NULL while the server knows no public address. Its secret counts until the
 * answer. */
enum err told_link(struct ctx *c, struct subject_id id, text *out);

struct told_answer {
    text outcome; /* as a duty has it: "done" or "impossible" */
    text reason;  /* sealed; may be empty */
    text via;     /* "link", "token" or "webhook" */
};
/* An answer, taken from {"state", "reason"}. ERR_VALUE, ERR_MISSING (an impossible one says why), ERR_CARD_NUMBER. */
enum err told_take(struct ctx *c, const struct json *in, text via, struct told_answer *out);
/* Inside a write. ERR_NOT_FOUND when it is answered already. */
enum err told_run_answer(struct db *db, const struct ctx *c, const struct told *t, const struct told_answer *a);

#endif

/* Trackers that need a choice (`cookies.*` without an exemption): what is asked, and the proof of each answer. */
#ifndef DOMAIN_TRACKER_TRACKER_H
#define DOMAIN_TRACKER_TRACKER_H
#include "domain/core/feature.h"

struct paging;

/* Who visits a site is nobody known: what they choose is kept without anything that tells them apart. Only an
 * acceptance brings a random value to the browser, so that it can be shown and withdrawn (LIL art. 82; CNIL 2020-091
 * and 2020-092). What was chosen is asked again after `trackers.choice`, and when a purpose, tracker or recipient
 * changed in a way that matters (publish/amendments.def). */
enum { TRACKER_PURPOSES = 64 };
struct tracker_asked {
    const struct purpose *purposes[TRACKER_PURPOSES];
    unsigned count;              /* 0: every tracker is exempt, nothing is asked */
    const struct clause *clause; /* of `trackers`, else of the purposes */
    text cookie;                 /* that keeps the choice (exempt: choice); empty: the policy declares none */
    struct term term;            /* how long it is kept: six months where the policy says nothing */
};
void tracker_asked(const struct ctx *c, struct tracker_asked *out);
/* Whether pages of that authority may ask and send choices: `trackers.sites`. */
bool tracker_listed(const struct ctx *c, text authority);
/* Whether that purpose is among those given in a cookie's value that was made here, and is not asked again. */
enum err tracker_given(struct ctx *c, text cookie, text purpose, bool *out);
/* Whether such a value holds a choice that is still good; a refusal is one. */
enum err tracker_chosen(struct ctx *c, text cookie, bool *out);

/* {"version", "wording", "asked", "language", "cookie": {"name", "max_age"}, "shown": {"texts", "purposes"}}: what a
 * banner shows in c->language, from the policy in force. `wording` is the hash of `shown`. */
enum err tracker_says(struct ctx *c, struct answer *out);

/* {"version", "wording", "given": [purposes], "method"?, "device"?}: one row a purpose, refusals included. `site`:
 * whose page it was. ERR_CONFLICT when another version or other words were shown; ERR_UNDECLARED for a purpose that is
 * not asked; ERR_NOT_FOUND when nothing is asked. Answers {"choice", "at", "decisions": [{"purpose", "decision"}],
 * "cookie": {"name", "value", "max_age"}, "device"}. */
enum err tracker_choose(struct ctx *c, const struct json *in, text site, struct answer *out);

/* The signed-in person wants a choice just made on this device in their account as well: its answer's "decisions" stand
 * in their ledger of consents, refusals as well as acceptances, with the choice's number. Purposes that are asked by
 * channel stay as they are. */
enum err tracker_take_over(struct ctx *c, const struct json *choice, struct answer *out);

/* The proofs, oldest first: {"choices": [{"choice", "purpose", "decision", "identified", "at", "policy", "wording",
 * "language", "site", "method"}], "next"}. */
enum err tracker_choices(struct ctx *c, const struct paging *asked, struct answer *out);

extern const struct feature tracker_feature; /* the end of what is over */

#endif

/* Retention: milestones that start terms, holds that stop them, and the sweep. */
#ifndef DOMAIN_KEEP_HOLD_H
#define DOMAIN_KEEP_HOLD_H
#include "domain/core/ctx.h"

struct db;

struct person;

/* POST events: contract_end, closure, last_use, withdrawal, last_contact; what is due is counted again. */
enum err retention_event(struct ctx *c, text id, const struct json *in, struct answer *out);

/* POST holds: what is erased stays until it is released, for a ground in words or of the policy (GDPR 17(3), 18(2)).
 * Decided again inside the write, against an erasure under way. */
enum err hold_create(struct ctx *c, text id, const struct json *in, struct answer *out);
enum err hold_release(struct ctx *c, text id, text hold, struct answer *out); /* what is due goes with the next sweep */
/* Erases or archives all that is due at c->now, holds excepted; former values, consents, proofs, requests and journal
 * by their own terms. Works in bounded steps, each one commit, for all tenants. */
enum err retention_sweep(struct ctx *c, struct answer *out);
/* The same without an answer and at most `steps` steps: what the jobs call. *more: there is work left. */
enum err retention_tick(struct ctx *c, unsigned steps, bool *more);
/* Inside a write: the account is closed, out of reach from then on. Its event, and what starts with it, are the
 * caller's. */
enum err keeping_run_close(struct db *db, const struct policy *policy, text tenant, struct subject_id id, msec now);
struct milestone {
    struct ctx *c;
    const struct person *p;
    text event;
    msec at;
    enum err (*also)(struct db *db, void *arg); /* what else goes into the same commit; may be NULL */
    void *also_arg;
};
/* Writes it: what is due is counted again. */
enum err hold_write_milestone(struct milestone *m, struct answer *out);

#endif

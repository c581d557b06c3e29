/* Retention: when a record's term ends, what time brings, milestones that start terms, and holds that stop them. */
#ifndef DOMAIN_RETENTION_H
#define DOMAIN_RETENTION_H
#include "domain/ctx.h"

struct person;

/* Known starts of terms, 0 when not yet known. */
struct starts { msec collection, event, last_use, contract_end, closure, withdrawal, last_contact; };
/* End of the active time, or of the archive when `archived`; 0 when its start is not known or it has no end. Terms of a day or more
 * end at 00:00 UTC of their last day and never roll to a working day (rolling would keep data longer); minutes and hours are
 * exact. Last use and last contact that never came count from the collection; a year's end from 31 December of the event's year. */
msec retention_due(const struct retention *r, const struct starts *s, bool archived);
/* The same for one of the server's own records (consents, former, requests, journal, proofs) that began at `start`;
 * 0 when the policy has no term for it (`r` NULL, as policy_retention() gives it). */
msec retention_own_due(const struct retention *r, msec start);
/* The latest start whose term has ended at `now`; 0 when none has. */
msec retention_own_cutoff(const struct retention *r, msec now);
/* When the whole person goes: the policy's retention `accounts`; 0 when it has none, or its start is not known. */
msec retention_person_due(const struct policy *p, const struct starts *s);
/* The starts that the store knows for a person. */
enum err retention_starts(struct ctx *c, const struct person *p, struct starts *out);

/* POST events: contract_end, closure, last_use, withdrawal, last_contact; what is due is counted again. */
enum err retention_event(struct ctx *c, text id, const struct json *in, struct answer *out);
/* The event `closure`, now: the person is out of reach, their sessions and links end, their address is reserved or free as the policy says.
 * `also` (may be NULL) goes into the same commit. Whether this actor may is asked before. */
struct db;
enum err retention_close(struct ctx *c, const struct person *p, enum err (*also)(struct db *db, void *arg), void *arg, struct answer *out);
enum err hold_create(struct ctx *c, text id, const struct json *in, struct answer *out);
enum err hold_release(struct ctx *c, text id, text hold, struct answer *out);
/* Erases or archives all that is due at c->now, holds excepted; former values, consents, proofs, requests and journal by their own terms.
 * Works in bounded steps, each one commit, for all tenants. */
enum err retention_sweep(struct ctx *c, struct answer *out);
/* The same without an answer and at most `steps` steps: what the jobs call. *more: there is work left. */
enum err retention_tick(struct ctx *c, unsigned steps, bool *more);

#endif

/* The platform's own stores (GDPR 12 to 22, 19): access, correction, erasure, restriction and objection reach the
 * databases that `connectors.yaml`, beside the policy file, tells of. */
#ifndef DOMAIN_CONNECTOR_CONNECTOR_H
#define DOMAIN_CONNECTOR_CONNECTOR_H
#include "domain/core/ctx.h"
#include "domain/core/feature.h"

struct asker;

/* What is done about a person becomes a job in the same commit: of each store, what is to be done, and by what values
 * the person is found there. Those are sealed under a key of the job, shredded with its last step. A job is worked off
 * by the courier (link/stores.c), a store after the other, each step durable before the next, so that what a crash cuts
 * off goes on. Rows are counted before anything is changed. A store that is not reached, or that the map does not tell
 * of whole, keeps the job open, and says why. Of a map that cannot be used the stores are not known: such a job waits
 * until it can, and finds them then. */

/* Who reaches the stores, NULL at the end. */
void connector_open(struct app *app, const struct asker *by);
/* The job that is due, as far as its stores follow; *more when another may be due at once. Errors are the house's own:
 * what a store cannot do stands in the job. */
enum err connector_work(struct ctx *c, bool *more);

/* ---- By who may erase for people (the act `erase` in answer to a right). ---- */

/* {"stores": [{"store", "kind", "title"}], "faults": [{"line", "message"}] of the map, "jobs": those that are open, as
 * connector_job()}. */
enum err connector_show(struct ctx *c, text after, struct answer *out);
/* Each store is asked what it has: {"stores": [{"store", "state": done, unmapped, failed or manual, "why",
 * "why_fr", "code", "faults"}],
 * "whole": whether all is mapped and reached}. */
enum err connector_check(struct ctx *c, struct answer *out);
/* What there is of one person in each, by count, and nothing changed. */
enum err connector_count(struct ctx *c, text id, struct answer *out);
/* {"job", "act", "state", "at", "stores": [{"store", "title", "state", "why", "tables", "remains", "evidence"}]} */
enum err connector_job(struct ctx *c, text id, struct answer *out);
/* Its stores are asked again now. */
enum err connector_retry(struct ctx *c, text id, struct answer *out);
/* What was done by hand in a store: {"text": the evidence}. ERR_CONFLICT for one that the server reaches by itself. */
enum err connector_evidence(struct ctx *c, text id, text store, const struct json *in, struct answer *out);

/* ---- By an application that was asked. ---- */

/* It calls back: {"state": "done", "tables", "remains"} or {"state": "failed", "code"}. ERR_NOT_FOUND alike for a token
 * that is unknown, over, used, or of another job. The token serves once. */
enum err connector_called(struct ctx *c, text tenant, text job, text token, const struct json *in);

/* ---- For the register of requests. ---- */

/* ERR_CONFLICT with the store and the reason while something is left to do for that request, or about that person (may
 * be NULL); *erased (may be NULL) is the certificate of the erasure that the request had made, where there is one. */
enum err connector_settled(struct ctx *c, struct subject_id request, const struct subject_id *subject,
                           struct subject_id *erased, bool *has_erased);
/* Whether that request has asked the stores already. */
enum err connector_asked(struct ctx *c, struct subject_id request, bool *asked);
/* ERR_CONFLICT unless every store can give its copy now: each is asked to count. */
enum err connector_reached(struct ctx *c, const struct person *p);

/* The member `stores` of the access answer and export, and of the certificate. */
extern const struct feature connector_feature;

#endif

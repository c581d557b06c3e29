/* Erasure as the domain's own files use it: at a term, of what was kept, and after a crash. */
#ifndef DOMAIN_KEEP_ERASING_H
#define DOMAIN_KEEP_ERASING_H
#include "domain/keep/erase.h"

struct db;
struct person;

/* Of a person whose own term has ended; OK when they are gone already. */
enum err erase_at_term(struct ctx *c, struct subject_id id);
/* Whether the server itself may write to whom it closes or erases: not to who never opened the account that ends, since
 * nobody has confirmed that address. */
enum err erase_may_tell(struct ctx *c, const struct person *p, bool *may);
/* Whether a last letter failed so that the act goes on without it: no address, no letters here, or an address that
 * cannot be read or reached, which is logged. */
bool erase_untold(enum err status);
/* What was kept of an erased person has shrunk: destroys the keys that nothing is left under, and the last rows with
 * the last of them. */
enum err erase_leftover(struct ctx *c, text tenant, struct subject_id id);
/* Erasures that a crash cut short after their keys were gone get their certificate; those that never began are
 * forgotten. */
enum err erase_resume(struct ctx *c);
/* The same of one person of the context's tenant. *found: an erasure of theirs was begun and is now done, with that
 * certificate, not yet signed. */
enum err erase_resume_one(struct ctx *c, struct subject_id subject, bool *found, struct subject_id *certificate);
/* Inside the write: what was begun has come about; the last letter goes, and the certificate is entered under `entry`.
 */
enum err erasing_certify(struct db *db, const struct ctx *c, struct subject_id person, struct subject_id id, msec at,
                         text facts, uint64_t entry);
/* Signs a certificate with the journal's proof and stores it, unless that was done, and answers with it:
 * {"certificate", "jws"}. `again`: the answer takes the place of the one that the request's write has kept. */
enum err certificate_issue(struct ctx *c, struct subject_id id, bool again, struct answer *out);
/* What the write of an erasure put for its certificate; facts.p NULL when nothing was written. */
struct certified {
    struct subject_id id;
    uint64_t entry;
    text facts;
};
/* The same of the erasure that this request has written, which knows what its certificate says without reading it. */
enum err certificate_issue_new(struct ctx *c, const struct certified *of, bool again, struct answer *out);

#endif

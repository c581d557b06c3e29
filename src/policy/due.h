/* When a term of the policy ends, and what it counts from. */
#ifndef POLICY_DUE_H
#define POLICY_DUE_H
#include "base/clock.h"
#include "policy/policy.h"

/* Known starts of terms, 0 when not yet known. */
struct starts {
    msec collection, event, last_use, contract_end, closure, withdrawal, last_contact;
};
/* End of the active time, or of the archive when `archived`; 0 when its start is not known or it has no end. Terms of a
 * day or more end at 00:00 UTC of their last day and never roll to a working day (rolling would keep data longer);
 * minutes and hours are exact. Last use and last contact that never came count from the collection; a year's end from
 * 31 December of the event's year. */
msec retention_due(const struct retention *r, const struct starts *s, bool archived);
/* The same for one of the server's own records (consents, former, requests, journal, proofs) that began at `start`;
 * 0 when the policy has no term for it (`r` NULL, as policy_retention() gives it). */
msec retention_own_due(const struct retention *r, msec start);
/* The latest start whose term has ended at `now`; 0 when none has. */
msec retention_own_cutoff(const struct retention *r, msec now);
/* When the whole person goes: the policy's retention `accounts`; 0 when it has none, or its start is not known. */
msec retention_person_due(const struct policy *p, const struct starts *s);
/* The start that the term counts from, 0 when it is not yet known. */
msec due_start_of(const struct retention *r, const struct starts *s);
/* From that start on, that term long; 0 when it has no end. */
msec due_after(msec start, struct term t);

#endif

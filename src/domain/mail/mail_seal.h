/* Where a queued letter is sealed, for the two files that seal and open it. */
#ifndef DOMAIN_MAIL_MAIL_SEAL_H
#define DOMAIN_MAIL_MAIL_SEAL_H
#include "crypt/seal.h"

/* Bound to its row: tenant, person (zero for a letter that leads to none), kind of letter and id. */
struct place mail_place(text tenant, struct subject_id subject, text letter, struct subject_id id);
/* From the person's own key, or the instance's. */
void mail_key(const struct key *parent, struct key *out);

#endif

/* The data subject of a request (GDPR 4(1)), as it stands in the store. */
#ifndef DOMAIN_CORE_DATA_SUBJECT_H
#define DOMAIN_CORE_DATA_SUBJECT_H
#include "base/err.h"
#include "base/clock.h"
#include "base/id.h"
#include "crypt/seal.h"

enum person_state { PERSON_ACTIVE = 0, PERSON_CLOSED = 1 };
struct person {
    struct subject_id id;
    enum person_state state;
    bool restricted; /* Art. 18 */
    int64_t version;
    msec created, last_use;
    text source;       /* who supplied them first */
    struct key key;    /* wiped by person_end */
    struct digest who; /* pseudonym in the journal */
};
void person_end(struct person *p); /* wipes the key */
#define PERSON_AUTO CLEANUP(person_end) struct person

#endif

/* The data subject of a request. */
#include "domain/core/data_subject.h"

void person_end(struct person *p) { key_wipe(&p->key); }

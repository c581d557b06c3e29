/* Whether a manager has a person in their team. */
#ifndef DOMAIN_PERSON_TEAM_H
#define DOMAIN_PERSON_TEAM_H
#include "base/err.h"
#include "base/id.h"

struct ctx;

enum err team_has(struct ctx *c, struct subject_id manager, struct subject_id member, bool *has);

#endif

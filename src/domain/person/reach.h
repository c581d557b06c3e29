/* Whom an actor reaches. */
#ifndef DOMAIN_PERSON_REACH_H
#define DOMAIN_PERSON_REACH_H
#include "base/err.h"
#include "base/id.h"

struct ctx;

/* Who reads the archive: the operator, and the roles that the policy names in archive.readers. A closed account is in
 * the archive, and so out of reach of everybody else. */
bool archive_reader(const struct ctx *c);
/* Whether this actor reaches that person at all: oneself for a person, the team for a role that sees its team.
 * ERR_NOT_FOUND, on record as a refusal, when not. person_open() asks it. */
enum err person_reach(struct ctx *c, struct subject_id id);
/* Whether a manager has a person in their team. */
enum err team_has(struct ctx *c, struct subject_id manager, struct subject_id member, bool *has);

#endif

/* Whether a manager has a person in their team. */
#include "domain/person/team.h"
#include "store/store.h"
#include "domain/core/decided.h"

/* ---- Teams. ---- */

enum err team_has(struct ctx *c, struct subject_id manager, struct subject_id member, bool *has)
{
    READ_AUTO db = NULL;
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TEAM_HAS, ARGS(V_TEXT(c->tenant), V_ID(member), V_ID(manager)));
    *has = query_next(&q);
    return q.status;
}

/* Whom an actor reaches. */
#include "domain/person/reach.h"
#include "domain/core/ctx.h"
#include "policy/policy.h"
#include "domain/core/actor.h"
#include "domain/core/write.h"
#include "domain/core/decided.h"
#include "store/store.h"

bool archive_reader(const struct ctx *c)
{
    const struct node *readers = node_at(c->policy->root, TEXT("archive.readers"));
    return c->actor.kind == ACTOR_OPERATOR || (readers && c->actor.agreement && node_has(readers, c->actor.name));
}

/* Whether a manager has a person in their team. */
enum err team_has(struct ctx *c, struct subject_id manager, struct subject_id member, bool *has)
{
    READ_AUTO db = NULL;
    TRY(decided_read(c, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TEAM_HAS, ARGS(V_TEXT(c->tenant), V_ID(member), V_ID(manager)));
    *has = query_next(&q);
    return q.status;
}

/* Absent and out of reach look alike, but that somebody reached out is on record. */
enum err person_reach(struct ctx *c, struct subject_id id)
{
    bool reached = true;
    if (c->actor.kind == ACTOR_PERSON)
        reached = c->actor.has_self && memcmp(&c->actor.self, &id, sizeof id) == 0;
    else if (c->actor.kind == ACTOR_MANAGER && c->actor.index >= 0 && c->policy->actors[c->actor.index].sees_team) {
        reached = false;
        if (c->actor.has_self)
            TRY(team_has(c, c->actor.self, id, &reached));
    }
    if (reached)
        return OK;
    person_absent(c);
    return write_refusal(c, NULL, TEXT(""), TEXT(""));
}

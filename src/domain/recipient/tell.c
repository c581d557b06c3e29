/* Who was given data is told when it is corrected or restricted (GDPR 19): a duty each, in the commit of the act. */
#include "domain/core/feature.h"
#include "domain/person/owed.h"
#include "domain/recipient/inside.h"
#include "store/store.h"

/* One that is still owed tells of this change too. */
static enum err is_owed(struct db *db, const struct ctx *c, const struct outside *o, text kind, text recipient,
                        bool *out)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_DUTY_OWED, ARGS(V_TEXT(c->tenant), V_ID(o->subject), V_TEXT(kind), V_TEXT(recipient)));
    *out = query_next(&q);
    return q.status;
}

/* The id behind it: ids are drawn before a write, and how many are needed is known inside. */
static struct subject_id behind(struct subject_id id)
{
    for (size_t i = sizeof id.b; i-- > 0;)
        if (++id.b[i])
            break;
    return id;
}

enum err recipient_given_run(struct db *db, const struct ctx *c, const struct outside *o)
{
    bool corrects = o->act == OUTSIDE_correct;
    text kind = corrects ? TEXT("tell_correction") : TEXT("tell_restriction");
    struct subject_id id = o->id;
    struct given *list;
    if (!corrects && o->act != OUTSIDE_restrict)
        return OK;
    TRY(owed_given(db, db_arena(db), c->policy, c->tenant, o->subject, o->changed, &list));
    for (; list; list = list->next) {
        bool owed;
        TRY(is_owed(db, c, o, kind, list->recipient, &owed));
        id = behind(id);
        if (!owed)
            TRY(duty_tell(db, c->tenant, id, &o->subject, kind, list->recipient, list->disclosures, c->now));
    }
    return OK;
}

/* Who was given data is told when it is corrected or restricted, and when that ends (GDPR 19): a duty each, in the
 * commit of the act. A restriction that ends before anybody was told of it is told to nobody. */
#include "domain/core/feature.h"
#include "domain/person/owed.h"
#include "domain/recipient/inside.h"
#include "store/store.h"

enum err recipient_given_run(struct db *db, const struct ctx *c, const struct outside *o)
{
    bool corrects = o->act == OUTSIDE_correct;
    if (o->act == OUTSIDE_release)
        return owed_release(db, c->policy, c->tenant, o->subject, o->id, c->now);
    if (!corrects && o->act != OUTSIDE_restrict)
        return OK;
    if (!corrects)
        TRY(owed_overtaken(db, c->tenant, o->subject, TEXT("tell_release"), c->now));
    return owed_tell(db, c->policy, c->tenant, o->subject,
                     corrects ? TEXT("tell_correction") : TEXT("tell_restriction"), o->changed, 0, o->id, c->now);
}

/* Who was given data is told when it is corrected or restricted (GDPR 19): a duty each, in the commit of the act. */
#include "domain/core/feature.h"
#include "domain/core/id.h"
#include "domain/person/owed.h"
#include "domain/recipient/inside.h"
#include "store/store.h"

/* One recipient, with what it knows the person by: ids of disclosures. */
struct telling {
    text recipient, disclosures;
    struct telling *next;
};

/* Whether something of what was changed was among what was given: `categories` as the row says them. */
static bool concerns(const struct ctx *c, const struct outside *o, text categories)
{
    if (!o->changed)
        return true;
    while (categories.n) {
        int index = policy_category(c->policy, text_cut(&categories, ','));
        if (index >= 0 && bits_has(o->changed, (unsigned)index))
            return true;
    }
    return false;
}

static enum err add(struct arena *a, struct telling **list, text recipient, text disclosure)
{
    struct telling **at = list;
    while (*at && !text_eq((*at)->recipient, recipient))
        at = &(*at)->next;
    if (*at) {
        (*at)->disclosures = arena_print(a, "%.*s,%.*s", T((*at)->disclosures), T(disclosure));
        return arena_whole(a);
    }
    struct telling *t = NEW(a, struct telling);
    TRY_PTR(t);
    *t = (struct telling){ .recipient = arena_copy(a, recipient), .disclosures = disclosure };
    *at = t;
    return arena_whole(a);
}

static enum err list_given(struct db *db, const struct ctx *c, const struct outside *o, struct telling **out)
{
    struct arena *a = db_arena(db);
    *out = NULL;
    QUERY_AUTO q;
    query_start(&q, db, SQL_DISCLOSURE_TOLD, ARGS(V_TEXT(c->tenant), V_ID(o->subject)));
    while (query_next(&q)) {
        if (!concerns(c, o, query_get(&q, DISCLOSURE_TOLD, categories)))
            continue;
        text recipient = query_get(&q, DISCLOSURE_TOLD, recipient);
        TRY(add(a, out, recipient, id_column(a, &q, COL(DISCLOSURE_TOLD, id))));
    }
    return q.status;
}

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

enum err recipient_outside_run(struct db *db, const struct ctx *c, const struct outside *o)
{
    bool corrects = o->act == OUTSIDE_correct;
    text kind = corrects ? TEXT("tell_correction") : TEXT("tell_restriction");
    struct subject_id id = o->id;
    struct telling *list;
    if (!corrects && o->act != OUTSIDE_restrict)
        return OK;
    TRY(list_given(db, c, o, &list));
    for (; list; list = list->next) {
        bool owed;
        TRY(is_owed(db, c, o, kind, list->recipient, &owed));
        id = behind(id);
        if (!owed)
            TRY(duty_tell(db, c->tenant, id, &o->subject, kind, list->recipient, list->disclosures, c->now));
    }
    return OK;
}

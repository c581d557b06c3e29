/* Duties owed to people: how one is added. */
#include "domain/person/owed.h"
#include "store/store.h"
#include "base/calendar.h"
#include "policy/policy.h"

static const struct duty_kind kinds[] = {
#define DUTY(name, months, days, article, en, fr)                                                                      \
    { TEXT_INIT(name), months, days, TEXT_INIT(article), TEXT_INIT(en), TEXT_INIT(fr) },
#include "domain/person/duties.def"
#undef DUTY
};

const struct duty_kind *owed_kind_of(text name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_eq(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}

static enum err add(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind,
                    text about, text note, msec at, msec due)
{
    const struct duty_kind *k = owed_kind_of(kind);
    if (!k)
        return say(db_arena(db), ERR_INTERNAL, "duties.def has no kind %.*s", T(kind));
    if (!due)
        due = date_start(date_add_months(date_of(at), k->months)) + k->days * DAY;
    return db_run(db, SQL_DUTY_ADD, NULL,
                  ARGS(V_TEXT(tenant), V_ID(id), V_TEXT(kind), V_TEXT(about), subject ? V_ID(*subject) : V_NULL,
                       V_TEXT(note), V_INT(at), V_INT(due)));
}

enum err duty_add(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind,
                  text about, msec at, msec due)
{
    return add(db, tenant, id, subject, kind, about, (text){ NULL, 0 }, at, due);
}

enum err duty_tell(struct db *db, text tenant, struct subject_id id, const struct subject_id *subject, text kind,
                   text recipient, text note, msec at)
{
    return add(db, tenant, id, subject, kind, recipient, note, at, 0);
}

/* ---- Who was given data. ---- */

/* Whether one of these categories was among what was given: `given` as the row says them. */
static bool concerns(const struct policy *p, const struct bits *changed, text given)
{
    if (!changed)
        return true;
    while (given.n) {
        int index = policy_category(p, text_cut(&given, ','));
        if (index >= 0 && bits_has(changed, (unsigned)index))
            return true;
    }
    return false;
}

static enum err add_given(struct arena *a, struct given **list, text recipient, text disclosure)
{
    struct given **at = list;
    while (*at && !text_eq((*at)->recipient, recipient))
        at = &(*at)->next;
    if (*at) {
        (*at)->disclosures = arena_print(a, "%.*s,%.*s", T((*at)->disclosures), T(disclosure));
        return arena_whole(a);
    }
    *at = NEW(a, struct given);
    TRY_PTR(*at);
    **at = (struct given){ .recipient = arena_copy(a, recipient), .disclosures = disclosure };
    return arena_whole(a);
}

enum err owed_given(struct db *db, struct arena *a, const struct policy *p, text tenant, struct subject_id subject,
                    const struct bits *changed, struct given **out)
{
    *out = NULL;
    QUERY_AUTO q;
    query_start(&q, db, SQL_DISCLOSURE_TOLD, ARGS(V_TEXT(tenant), V_ID(subject)));
    while (query_next(&q)) {
        struct subject_id id;
        text key = query_get(&q, DISCLOSURE_TOLD, id);
        if (key.n != sizeof id)
            return say(a, ERR_INTEGRITY, "a disclosure has an id of %zu bytes", key.n);
        memcpy(&id, key.p, sizeof id);
        if (concerns(p, changed, query_get(&q, DISCLOSURE_TOLD, categories)))
            TRY(add_given(a, out, query_get(&q, DISCLOSURE_TOLD, recipient), id_print(a, id)));
    }
    return q.status;
}

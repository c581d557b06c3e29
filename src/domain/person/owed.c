/* Duties owed to people: how one is added. */
#include "domain/person/owed.h"
#include "store/store.h"
#include "base/calendar.h"

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

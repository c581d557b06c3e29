/* Duties: what is owed to people and until when. */
#include "domain/duty.h"

enum err duty_add(struct db *db, text tenant, const struct subject_id *subject, text kind, text about, msec at, msec due)
{
    struct subject_id id = id_make(at), nobody = { { 0 } };
    return db_run(db, SQL_DUTY_ADD, NULL, ARGS(V_TEXT(tenant), V_ID(*(subject ? subject : &nobody)), V_ID(id), V_TEXT(kind), V_TEXT(about),
                                               V_INT(at), V_INT(due)));
}

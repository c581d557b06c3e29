/* Refusals of a card number in what concerns one person. */
#include "domain/core/card_guard.h"
#include "domain/person/card_refuse.h"
#include "domain/core/data_subject.h"
#include "domain/person/person.h"

enum err card_guard_refuse(struct ctx *c, text id)
{
    PERSON_AUTO p = { 0 };
    struct subject_id parsed;
    if (!id.p || !id_parse(id, &parsed))
        return card_guard_refused(c, NULL);
    TRY(person_open(c, id, true, &p));
    return card_guard_refused(c, &p);
}

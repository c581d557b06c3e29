/* Refusals of what the door found to hold a payment card number. */
#include "domain/card_guard.h"
#include "base/card.h"
#include "domain/id.h"
#include "domain/person.h"
#include "domain/value.h"
#include "domain/write.h"

static enum err refuse(struct ctx *c, const struct person *p)
{
    text where = value_shown(c->card_in);
    value_card(c, where);
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%.*s", T(where));
    return write_refusal(c, p, TEXT(""), TEXT(""));
}

enum err card_guard_refuse(struct ctx *c, text id)
{
    PERSON_AUTO p = { 0 };
    struct subject_id parsed;
    if (!id.p || !id_parse(id, &parsed))
        return refuse(c, NULL);
    TRY(person_open(c, id, true, &p));
    return refuse(c, &p);
}

/* Refused once: what the page then reads and shows is what is held. */
enum err card_guard_write(struct ctx *c)
{
    if (!c->card_in.p)
        return OK;
    enum err e = refuse(c, NULL);
    c->card_in = (text){ NULL, 0 };
    return e;
}

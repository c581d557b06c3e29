/* Refusals of what the door found to hold a payment card number. */
#include "domain/core/card_guard.h"
#include "domain/core/data_subject.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

enum err card_guard_refused(struct ctx *c, const struct person *p)
{
    text where = value_shown(c->card_in);
    value_card(c, where);
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%.*s", T(where));
    return write_refusal(c, p, TEXT(""), TEXT(""));
}

/* Refused once: what the page then reads and shows is what is held. */
enum err card_guard_write(struct ctx *c)
{
    if (!c->card_in.p)
        return OK;
    enum err e = card_guard_refused(c, NULL);
    c->card_in = (text){ NULL, 0 };
    return e;
}

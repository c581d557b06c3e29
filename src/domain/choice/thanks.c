/* What somebody is told once what they sent is confirmed: what they agreed to, its receipts, what is handed over. */
#include "domain/choice/joining.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/person/consent.h"
#include "domain/person/person.h"

static enum err run_thanks(struct db *db, struct write *w) { return mail_run_put_quietly(db, w->arg); }

/* A letter of its own after the act: receipts have their names once the ledger has their rows. */
enum err thanks_send(const struct pending *s)
{
    struct ctx *c = s->c;
    PERSON_AUTO p = { 0 };
    struct mail_put letter;
    text receipts, to, gives = point_gives(s->point);
    int category;
    joining_act_as(c, s->subject, true);
    enum err status = person_open(c, id_print(c->arena, s->subject), false, &p);
    if (status == ERR_NOT_FOUND) /* gone meanwhile */
        return OK;
    TRY(status);
    TRY(consent_receipts(c, &p, c->now, &receipts));
    TRY(mail_address(c, &p, &to, &category));
    if (!to.p || (!receipts.n && !gives.n))
        return OK;
    const struct pair_text pairs[] = { { TEXT("what"), point_title(c, s->point) },
                                       { TEXT("said"), receipts },
                                       { TEXT("gives"), gives },
                                       { TEXT("link"), mail_link(c, TEXT("/me/consents")) } };
    const struct letter_values values = { pairs, sizeof pairs / sizeof *pairs };
    TRY(mail_make_in(c, &p, c->language, to, TEXT("form_thanks"), &values, &letter));
    struct write w = { .run = run_thanks, .arg = &letter, .event = letter.event };
    return write_do(c, &w, NULL);
}

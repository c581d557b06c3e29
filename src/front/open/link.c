/* Links of letters that were used, replaced, or are over: said which, with the way to a new one. */
#include "domain/entry/opening.h"
#include "front/open/link.h"
#include "front/open/page_opening.h"
#include "front/page/page_link.h"

/* kind: of the ticket; path: where a new link is asked for, and the word of its button. An invitation is sent anew at
 * once, by a press. */
static const struct {
    text kind, path, word;
} rows[] = {
    [LINK_OF_INVITATION] = { TEXT_INIT("invitation"), TEXT_INIT(""), TEXT_INIT("link.ask.invitation") },
    [LINK_OF_REGISTRATION] = { TEXT_INIT("registration"), TEXT_INIT("/register"), TEXT_INIT("link.ask.registration") },
    [LINK_OF_RESET] = { TEXT_INIT("reset"), TEXT_INIT("/password/reset"), TEXT_INIT("link.ask.reset") },
    [LINK_OF_ADDRESS] = { TEXT_INIT("identifier"), TEXT_INIT("/me/security"), TEXT_INIT("link.ask.address") },
};

enum err link_gone(struct ctx *c, const struct request *q, struct reply *r, enum link_of of, text token, enum err e)
{
    struct link_gone g = { .kind = rows[of].kind, .ask = rows[of].word };
    if (e != ERR_NOT_FOUND)
        return e;
    struct why why = c->arena->why;
    TRY(opening_fate(c, token, rows[of].kind, &g.fate));
    c->arena->why = why;
    if (of == LINK_OF_INVITATION && g.fate == LINK_EXPIRED) {
        g.renew = TEXT("/invitation/again");
        g.token = token;
    }
    if (rows[of].path.n && (of != LINK_OF_REGISTRATION || page_self_opened(c->policy)))
        g.path = rows[of].path;
    return page_link_gone(c, q, r, &g, e);
}

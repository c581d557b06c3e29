/* Links of letters that were used, replaced, or are over: said which, with the way to a new one. */
#include "domain/entry/opening.h"
#include "front/open/link.h"
#include "front/open/page_opening.h"
#include "front/page/page.h"

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

static text fate_word(enum link_fate fate)
{
    switch (fate) {
    case LINK_USED:
        return TEXT("used");
    case LINK_REPLACED:
        return TEXT("replaced");
    case LINK_EXPIRED:
        return TEXT("expired");
    case LINK_VALID:
    case LINK_UNKNOWN:
        break;
    }
    return TEXT("unknown");
}

enum err link_gone(struct ctx *c, const struct request *q, struct reply *r, enum link_of of, text token, enum err e)
{
    PAGE_AUTO p = { 0 };
    enum link_fate fate;
    if (e != ERR_NOT_FOUND)
        return e;
    struct why why = c->arena->why;
    TRY(opening_fate(c, token, rows[of].kind, &fate));
    bool again = of == LINK_OF_INVITATION && fate == LINK_EXPIRED;
    bool path = rows[of].path.n && (of != LINK_OF_REGISTRATION || page_self_opened(c->policy));
    TRY(page_open(c, q, TEXT("link"), TEXT(""), &p));
    page_problem(&p, NULL);
    json_pair(&p.w, TEXT("fate"), fate_word(fate));
    json_pair(&p.w, TEXT("kind"), rows[of].kind);
    json_pair(&p.w, TEXT("token"), again ? token : TEXT(""));
    json_pair(&p.w, TEXT("path"), path ? text_from(rows[of].path, 1) : TEXT(""));
    page_word(&p, TEXT("ask"), rows[of].word);
    json_pair_bool(&p.w, TEXT("used"), fate == LINK_USED);
    TRY(page_show(&p, r, err_row(e)->http));
    c->arena->why = why;
    r->code = e;
    return OK;
}

/* A letter's link that was used, replaced, cut off, or is over: said which, with the way to a new one. */
#include "front/door/word.h"
#include "front/page/page_link.h"

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

/* The words of that kind and fate, else the more general ones. */
static void put_words(struct page *p, const char *member, text exact, text general)
{
    bool own = word_find(exact, p->c->language).p != NULL;
    page_word(p, text_of(member), own ? exact : general);
}

enum err page_link_gone(struct ctx *c, const struct request *q, struct reply *r, const struct link_gone *g, enum err e)
{
    PAGE_AUTO p = { 0 };
    struct why why = c->arena->why;
    text fate = fate_word(g->fate);
    bool used = g->fate == LINK_USED;
    TRY(page_open(c, q, TEXT("link"), TEXT(""), &p));
    page_problem(&p, NULL);
    put_words(&p, "became", arena_print(c->arena, "link.%.*s.%.*s", T(fate), T(g->kind)),
              arena_print(c->arena, "link.%.*s", T(fate)));
    put_words(&p, "does", arena_print(c->arena, "link.do.%.*s.%.*s", T(g->kind), T(fate)),
              arena_print(c->arena, "link.do.%.*s", T(g->kind)));
    json_pair(&p.w, TEXT("renew"), g->renew.n ? text_from(g->renew, 1) : TEXT(""));
    json_pair(&p.w, TEXT("token"), g->renew.n ? g->token : TEXT(""));
    json_pair(&p.w, TEXT("path"), g->path.n ? text_from(g->path, 1) : TEXT(""));
    page_word(&p, TEXT("ask"), g->ask.n ? g->ask : TEXT("problem.start"));
    json_pair_bool(&p.w, TEXT("signs_in"), c->policy->session.cookie.n && !g->without && !c->session);
    json_pair_bool(&p.w, TEXT("used"), used);
    json_pair(&p.w, TEXT("contact"), g->contact ? c->policy->controller.email : TEXT(""));
    TRY(page_show(&p, r, err_row(e)->http));
    c->arena->why = why;
    r->code = e;
    return OK;
}

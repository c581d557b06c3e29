/* What tells of use where no script runs: a picture of one pixel for the sites' own pages. */
#include "base/card.h"
#include "domain/account/agent.h"
#include "domain/core/actor.h"
#include "domain/mail/mail.h"
#include "domain/tracker/tracker.h"
#include "domain/usage/audience.h"
#include "domain/usage/usage.h"
#include "domain/usage/view.h"
#include "front/door/cookie.h"
#include "front/door/front.h"
#include "front/door/gate.h"

enum { PATH_MOST = 200 };

/* ---- Whose page shows it. ---- */

static bool is_own_site(struct ctx *c, const struct request *q, text from)
{
    return from.n && (authority_same(from, q->host) || authority_same(from, gate_authority(mail_link(c, TEXT("")))) ||
                      tracker_listed(c, from));
}

/* Only what the browser itself says of a picture that a page of the sites shows: a page of another site can make the
 * browser ask, and never say that. Without all of it nothing is proven, and nothing is recorded. */
static bool is_shown_here(struct ctx *c, const struct request *q)
{
    text site = request_header(q, TEXT("Sec-Fetch-Site")), dest = request_header(q, TEXT("Sec-Fetch-Dest"));
    text page = request_header(q, TEXT("Referer"));
    bool near = site.p && (text_eq(site, TEXT("same-origin")) || text_eq(site, TEXT("same-site")));
    return near && dest.p && text_eq(dest, TEXT("image")) && page.p && is_own_site(c, q, gate_authority(page)) &&
           !q->in_batch && !q->operator_socket;
}

/* The page's path, as the browser tells it: no query, no fragment, no card number. */
static text path_of(struct ctx *c, text page)
{
    text authority = gate_authority(page), rest = text_from(page, (size_t)(authority.p - page.p) + authority.n);
    size_t end = 0;
    while (end < rest.n && end < PATH_MOST && rest.p[end] != '?' && rest.p[end] != '#')
        end++;
    return text_utf8(text_upto(rest, end)) ? card_mask(c->arena, text_upto(rest, end)) : (text){ NULL, 0 };
}

/* ---- Whether they let it. ---- */

static enum err is_let(struct ctx *c, const struct request *q, text purpose, bool *let)
{
    struct tracker_asked asked;
    enum view_leave leave = view_leave(c->policy, purpose);
    text signal = request_header(q, TEXT("Sec-GPC"));
    *let = false;
    if (leave == VIEW_NEVER || text_eq(signal, TEXT("1")))
        return OK;
    *let = leave == VIEW_EXEMPT;
    if (*let)
        return OK;
    tracker_asked(c, &asked);
    text kept = asked.cookie.n ? request_cookie(q, asked.cookie) : (text){ NULL, 0 };
    return kept.p ? tracker_given(c, kept, purpose, let) : OK;
}

static enum err take(struct ctx *c, const struct request *q, text purpose)
{
    text agent = request_header(q, TEXT("User-Agent"));
    const struct session *s = front_session(c, q);
    bool let = false;
    c->address = address_text(c->arena, q->address);
    agent = text_utf8(agent) ? agent : TEXT("");
    const struct visit v = { .page = path_of(c, request_header(q, TEXT("Referer"))),
                             .browser = agent_browser(c->arena, agent),
                             .system = agent_system(c->arena, agent) };
    TRY(arena_whole(c->arena));
    TRY(is_let(c, q, purpose, &let));
    if (!let)
        return OK;
    if (s)
        actor_become(c, s->subject);
    return view_take(c, purpose, &v);
}

/* Always the same picture, which nobody keeps and no other site may show; no cookie comes with it. */
enum err api_usage_picture(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer says = { 0 };
    if (audience_category(c->policy) < 0)
        TRY(usage_says(c, &says)); /* 404 where no event could be taken */
    if (is_shown_here(c, q))
        TRY(take(c, q, request_query(q, TEXT("purpose"))));
    reply_pixel(r);
    return reply_header(c->arena, r, TEXT("Cross-Origin-Resource-Policy"), TEXT("same-site"));
}

/* Handlers of sessions. */
#include "domain/account/session.h"
#include "front/door/cookie.h"
#include "front/door/front.h"

HANDLER(session_get, session_state(c, &answer))
HANDLER(session_list, session_list(c, &answer))
HANDLER(session_drop, session_drop(c, q->params[0], &answer))
HANDLER(session_drop_others, session_drop_others(c, &answer))

enum err api_session_end(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(session_end(c));
    reply_none(r);
    return cookie_end_session(c, r);
}

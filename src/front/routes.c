/* The table of routes with what answers each: the one place of the front that knows all of it. */
#include "domain/choice/choice.h"
#include "domain/tracker/tracker.h"
#include "front/door/router.h"
#include "front/open/page_kept.h"
#include "front/page/page.h"
#include "front/site/promises.h"

const struct route route_rows[ROUTE_COUNT] = {
#define ROUTE(name, method, path, who, needs, body, status, input, output, en, fr)                                     \
    [ROUTE_##                                                                                                          \
        name] = { TEXT_INIT(#name), METHOD_##method,  TEXT_INIT(path),   WHO_##who,     NEEDS_##needs, BODY_##body,    \
                  status,           TEXT_INIT(input), TEXT_INIT(output), TEXT_INIT(en), TEXT_INIT(fr), api_##name },
#include "front/door/routes.def"
};

static bool carried(struct ctx *c, const struct request *q, text authority)
{
    struct point p;
    if (route_id(q->route) == ROUTE_tracker_choose)
        return tracker_listed(c, authority);
    bool form = route_id(q->route) == ROUTE_form_send || route_id(q->route) == ROUTE_form_script_send;
    return form && point_find(c, q->params[0], &p) == OK &&
           point_carried_by(&p, authority);
}

const struct route_hands route_hands = { page_refusal, page_keep_form, promises_metrics, carried };

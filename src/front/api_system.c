/* Handlers of the system's own resources: health. */
#include "front/router.h"

enum err api_healthz(struct ctx *c, const struct request *q, struct reply *r)
{
    struct json_out *w = reply_json(r, 200);
    json_open(w, '{');
    json_pair(w, TEXT("status"), TEXT("ok"));
    json_pair(w, TEXT("version"), TEXT(GARANT_VERSION));
    json_close(w, '}');
    return reply_done(c->arena, r);
}

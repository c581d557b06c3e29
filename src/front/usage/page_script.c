/* What tells of use on a site's pages: a script that collects what the policy declares, for purposes it names. */
#include "base/file/asset.h"
#include "domain/usage/usage.h"
#include "front/door/front.h"

extern const struct assets usage_assets; /* made by tools/embed from usage/ */

/* The script is the same for all policies; what it may tell is its argument. Any page may load it. */
enum err api_usage_script(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct asset *script = asset_find(&usage_assets, TEXT("usage.js"));
    struct answer answer = { 0 };
    (void)q;
    TRY(usage_says(c, &answer));
    struct buf *b = reply_text(r, 200, TEXT("text/javascript; charset=utf-8"));
    buf_add(b, script->plain.bytes);
    buf_print(b, "(%.*s);\n", T(answer.body));
    TRY(reply_header(c->arena, r, TEXT("Cross-Origin-Resource-Policy"), TEXT("cross-origin")));
    TRY(reply_header(c->arena, r, TEXT("Cache-Control"), TEXT("no-cache")));
    return reply_done(c->arena, r);
}

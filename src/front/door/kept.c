/* Forms that may be kept for after a sign-in. A page of another site can have none kept: it would be waiting for its
 * victim. */
#include "front/door/kept.h"
#include "front/door/form.h"
#include "front/door/gate.h"
#include "domain/core/actor.h"

static bool from_here(struct ctx *c, const struct request *q)
{
    text site = request_header(q, TEXT("Sec-Fetch-Site"));
    return site.p ? text_eq(site, TEXT("same-origin")) : request_header(q, TEXT("Origin")).p && !gate_elsewhere(c, q);
}

/* What is secret is typed again rather than carried. */
static bool has_secret(const struct json *sent)
{
    static const text secrets[] = { TEXT_INIT("password"), TEXT_INIT("current"), TEXT_INIT("new"), TEXT_INIT("code") };
    bool found = false;
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        found |= json_get(sent, secrets[i]) != NULL;
    return found;
}

bool form_keeps(struct ctx *c, const struct request *q, text *csrf)
{
    bool own = q->route && (q->route->who == WHO_SELF || q->route->who == WHO_STAFF) && q->route->body == BODY_FORM;
    if (!own || q->method != METHOD_POST || !q->body.n || q->body.n > BODY_SMALL || q->in_batch || !from_here(c, q))
        return false;
    struct why why = c->arena->why;
    const struct json *sent;
    bool keeps = form_parse(c->arena, q->body, &sent, csrf) == OK && csrf->n == CSRF_TEXT && !has_secret(sent);
    c->arena->why = why;
    return keeps;
}

/* Handlers of the system's own resources: health, tokens, the policy, files of the pages. */
#include "domain/version/merger.h"
#include "domain/core/value.h"
#include "domain/instance/token.h"
#include "base/file/asset.h"
#include "front/door/coding.h"
#include "front/door/front.h"

extern const struct assets front_assets; /* made by tools/embed from static/ */

enum err api_healthz(struct ctx *c, const struct request *q, struct reply *r)
{
    if (care_health(c) != OK) { /* who balances loads is to see it, whatever status the reason has elsewhere */
        reply_problem_open(r, &c->arena->why, c->language, 503);
        json_close(&r->json, '}');
        return reply_done(c->arena, r);
    }
    struct json_out *w = reply_json(r, 200);
    json_open(w, '{');
    json_pair(w, TEXT("status"), TEXT("ok"));
    json_pair(w, TEXT("version"), TEXT(GARANT_VERSION));
    json_close(w, '}');
    return reply_done(c->arena, r);
}

enum err api_token_create(struct ctx *c, const struct request *q, struct reply *r)
{
    text name = json_text(q->json, TEXT("name")), actor = json_text(q->json, TEXT("actor")),
         tenant = json_text(q->json, TEXT("tenant"));
    text until = json_text(q->json, TEXT("expires")), token;
    msec expires = 0;
    if (!name.n || !actor.n)
        return say(c->arena, ERR_MISSING, "a token needs a name and an actor");
    if (json_get(q->json, TEXT("expires")) && !value_moment(c, until, true, &expires))
        return say(c->arena, ERR_VALUE, "\"expires\" is no time of RFC 3339");
    TRY(token_create(c, name, actor, tenant, json_text(q->json, TEXT("holder")), expires, &token));
    struct json_out *w = reply_json(r, 201);
    json_open(w, '{');
    json_pair(w, TEXT("token"), token);
    json_close(w, '}');
    return reply_done(c->arena, r);
}

PAGED(token_list, token_list(c, &paging, &answer))

enum err api_token_revoke(struct ctx *c, const struct request *q, struct reply *r)
{
    TRY(token_revoke(c, q->params[0]));
    reply_none(r);
    return OK;
}

static void put_policy_name(struct ctx *c, struct json_out *w, const struct policy *p)
{
    json_pair(w, TEXT("id"), p->id);
    json_pair(w, TEXT("version"), p->version);
    json_pair(w, TEXT("date"), date_print(c->arena, p->date));
    json_pair(w, TEXT("hash"), text_of(p->hash));
    json_pair(w, TEXT("file"), policy_file_told(p->file));
}

enum err api_policy_get(struct ctx *c, const struct request *q, struct reply *r)
{
    struct json_out *w = reply_json(r, 200);
    json_open(w, '{');
    put_policy_name(c, w, c->policy);
    json_pair(w, TEXT("source"), c->policy->source);
    json_name(w, TEXT("document"));
    node_json(w, c->policy->root);
    json_close(w, '}');
    return reply_done(c->arena, r);
}

static enum err put_findings(struct ctx *c, struct reply *r, const struct findings *f)
{
    struct json_out *w = &r->json;
    json_name(w, TEXT("findings"));
    findings_json(w, f);
    json_close(w, '}');
    return reply_done(c->arena, r);
}

/* What is announced from now on, and not yet in force. */
static enum err put_coming(struct ctx *c, struct json_out *w)
{
    POLICY_AUTO coming = app_coming(c->app);
    if (!coming)
        return OK;
    json_name(w, TEXT("coming"));
    json_open(w, '{');
    put_policy_name(c, w, coming);
    json_close(w, '}');
    return OK;
}

enum err api_policy_reload(struct ctx *c, const struct request *q, struct reply *r)
{
    struct findings findings = { 0 };
    enum err e = app_reload(c->app, c->arena, &findings);
    if (e != OK && e != ERR_POLICY)
        return e;
    if (e == ERR_POLICY) { /* the fault is in the file that was asked to be read, not in this server */
        reply_problem_open(r, &c->arena->why, c->language, 422);
        return put_findings(c, r, &findings);
    }
    POLICY_AUTO now = app_policy(c->app);
    struct json_out *w = reply_json(r, 200);
    json_open(w, '{');
    put_policy_name(c, w, now);
    TRY(put_coming(c, w));
    return put_findings(c, r, &findings);
}

static enum err accept_merger(struct ctx *c, const struct request *q, struct answer *answer)
{
    const struct merger_acceptance in = { .controller = request_query(q, TEXT("controller")),
                                          .by = request_query(q, TEXT("by")),
                                          .signed_on = request_query(q, TEXT("signed")),
                                          .version = request_query(q, TEXT("version")),
                                          .name = request_query(q, TEXT("name")),
                                          .content = q->body };
    return merger_accept(c, &in, answer);
}

HANDLER(merger_list, merger_list(c, &answer))
HANDLER(merger_accept, accept_merger(c, q, &answer))
HANDLER(merger_document, merger_document(c, q->params[0], &answer))

enum err api_asset(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct asset *file = asset_find(&front_assets, q->params[0]);
    if (!file)
        return say(c->arena, ERR_NOT_FOUND, "no file of the pages has this name");
    reply_bytes(r, 200, file->type, file->plain.bytes);
    if (file->gzip.bytes.p && coding_taken(q))
        TRY(coding_give(c, r, file->gzip.bytes));
    return reply_header(c->arena, r, TEXT("ETag"), file->plain.etag);
}

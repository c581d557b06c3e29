/* What a site's pages may tell, as the policy says it. */
#include "domain/core/ctx.h"
#include "domain/usage/usage.h"
#include "domain/usage/view.h"
#include "publish/notice.h"

/* Exempt is the measure of an audience alone: what keeps a session gives no leave to tell of use. */
static bool has_tracker(const struct policy *p, text purpose, bool exempt)
{
    NODE_EACH(cookie, node_get(p->root, TEXT("cookies")))
        if (text_eq(node_text(cookie, TEXT("purpose")), purpose) &&
            (exempt ? node_has(node_get(cookie, TEXT("exempt")), TEXT("audience")) : !cookie_exempt(cookie)))
            return true;
    return false;
}

/* A purpose with one tracker that must be accepted is asked about as a whole. */
enum view_leave view_leave(const struct policy *p, text purpose)
{
    if (has_tracker(p, purpose, false))
        return VIEW_ASKED;
    return has_tracker(p, purpose, true) ? VIEW_EXEMPT : VIEW_NEVER;
}

static void put_purposes(const struct policy *p, text name, enum view_leave leave, struct json_out *w)
{
    json_name(w, name);
    json_open(w, '[');
    for (unsigned i = 0; i < p->purpose_count; i++) {
        text purpose = p->purposes[i].name;
        if (view_leave(p, purpose) == leave)
            json_put_text(w, purpose);
    }
    json_close(w, ']');
}

static void put_fields(const struct category *cat, struct json_out *w)
{
    int action = policy_field(cat, TEXT("action"));
    json_name(w, TEXT("fields"));
    json_open(w, '[');
    for (unsigned i = 0; i < cat->field_count; i++)
        if (cat->fields[i].type != FIELD_TIME)
            json_put_text(w, cat->fields[i].name);
    json_close(w, ']');
    json_name(w, TEXT("actions"));
    if (action < 0 || cat->fields[action].type != FIELD_CHOICE) {
        json_put_null(w);
        return;
    }
    json_open(w, '[');
    for (unsigned i = 0; i < cat->fields[action].choice_count; i++)
        json_put_text(w, cat->fields[action].choices[i]);
    json_close(w, ']');
}

enum err usage_says(struct ctx *c, struct answer *out)
{
    int category = policy_stream(c->policy, TEXT("usage"));
    if (category < 0)
        return say_clause(c->arena, ERR_NOT_FOUND, &c->policy->categories_clause,
                          "the policy has no category of stream \"usage\"");
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    put_fields(&c->policy->categories[category], &w);
    put_purposes(c->policy, TEXT("asked"), VIEW_ASKED, &w);
    put_purposes(c->policy, TEXT("exempt"), VIEW_EXEMPT, &w);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

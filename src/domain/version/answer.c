/* Versions and their differences, as answers. */
#include "domain/version/acknowledge.h"
#include "domain/core/ctx.h"
#include "domain/version/answer.h"
#include "domain/version/find.h"
#include "domain/version/merger.h"
#include "policy/policy.h"

enum err version_answer(struct ctx *c, struct answer *out)
{
    struct version *all;
    unsigned count;
    TRY(version_list(c, &all, &count));
    BUF_AUTO b = buf_make(PAGE_LIMIT);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("versions"));
    json_open(&w, '[');
    for (unsigned i = 0; i < count; i++) {
        json_open(&w, '{');
        json_pair(&w, TEXT("hash"), all[i].hash);
        json_pair(&w, TEXT("version"), all[i].version);
        json_pair(&w, TEXT("date"), all[i].date);
        json_pair(&w, TEXT("published"), time_print(c->arena, all[i].at));
        json_pair_bool(&w, TEXT("in_force"), all[i].current);
        json_pair(&w, TEXT("state"), version_word(&all[i]));
        json_pair_int(&w, TEXT("acknowledged"), all[i].acknowledged);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

enum err version_open_both(struct ctx *c, text older, text newer, struct version *x, struct version *y, struct diff *d)
{
    TRY(version_open(c, older, x));
    TRY(version_open(c, newer, y));
    return diff_make(c->arena, x->root, y->root, c->language, d);
}

enum err version_diff(struct ctx *c, text older, text newer, struct answer *out)
{
    struct version x, y;
    struct diff d;
    TRY(version_open_both(c, older, newer, &x, &y, &d));
    BUF_AUTO b = buf_make(PAGE_LIMIT);
    struct json_out w = json_out(&b);
    diff_json(&w, &d);
    return buf_take(c->arena, &b, &out->body);
}

static const struct version *announced_in(const struct version *all, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (all[i].state == VERSION_ANNOUNCED)
            return &all[i];
    return NULL;
}

static void put_says(struct json_out *w, const struct diff *d)
{
    json_name(w, TEXT("says"));
    json_open(w, '[');
    for (const struct diff_item *item = d->first; item; item = item->next)
        if (item->material)
            json_put_text(w, item->says);
    json_close(w, ']');
}

static text diff_link(struct ctx *c, const struct version *x, const struct version *y)
{
    return arena_print(c->arena, "/privacy/versions/%.*s/diff/%.*s", T(x->hash), T(y->hash));
}

/* The one that is announced, beside the one in force. */
static enum err put_announced(struct ctx *c, struct json_out *w, const struct version *now,
                              const struct version *coming)
{
    struct version x, y;
    struct diff d;
    TRY(version_open_both(c, now->hash, coming->hash, &x, &y, &d));
    json_name(w, TEXT("coming"));
    json_open(w, '{');
    json_pair(w, TEXT("version"), y.version);
    json_pair(w, TEXT("date"), y.date);
    put_says(w, &d);
    json_pair(w, TEXT("link"), diff_link(c, &x, &y));
    text taker = node_at(x.root, TEXT("merger")) ? merger_controller(x.root, y.root) : (text){ NULL, 0 };
    json_pair(w, TEXT("controller"), taker);
    json_close(w, '}');
    return OK;
}

enum err version_banner(struct ctx *c, struct answer *out)
{
    struct version *all, x, y;
    struct diff d = { 0 };
    unsigned count;
    TRY(version_list(c, &all, &count));
    unsigned now = version_index_in_force(all, count);
    const struct version *before = version_before(all, count, now), *coming = announced_in(all, count);
    if (before)
        TRY(version_open_both(c, before->hash, all[now].hash, &x, &y, &d));
    BUF_AUTO b = buf_make(PAGE_LIMIT);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("version"), c->policy->version);
    json_pair(&w, TEXT("date"), date_print(c->arena, c->policy->date));
    json_pair_bool(&w, TEXT("changed"), d.material > 0);
    put_says(&w, &d);
    json_pair(&w, TEXT("link"), d.first ? diff_link(c, &x, &y) : TEXT("/privacy"));
    if (coming && now < count)
        TRY(put_announced(c, &w, &all[now], coming));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

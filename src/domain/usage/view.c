/* One view of a page taken in: of the signed-in person, or of nobody. */
#include "domain/usage/view.h"
#include "domain/core/actor.h"
#include "domain/core/block.h"
#include "domain/core/budget.h"
#include "domain/core/ctx.h"
#include "domain/core/id.h"
#include "domain/core/write.h"
#include "domain/person/person.h"
#include "domain/usage/audience.h"
#include "domain/usage/usage.h"

static bool uses(const struct policy *p, text purpose, int category)
{
    int at = policy_purpose(p, purpose);
    return category >= 0 && at >= 0 && (unsigned)at < p->purpose_count &&
           bits_has(&p->purposes[at].categories, (unsigned)category);
}

/* ---- Of a person. ---- */

static bool knows_view(const struct category *cat)
{
    int at = policy_field(cat, TEXT("action"));
    if (at < 0)
        return false;
    for (unsigned i = 0; i < cat->fields[at].choice_count; i++)
        if (text_eq(cat->fields[at].choices[i], TEXT("view")))
            return true;
    return cat->fields[at].type != FIELD_CHOICE;
}

static enum err take_event(struct ctx *c, const struct category *cat, const struct visit *v)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    struct answer out = { 0 };
    const struct json *in;
    text id = id_print(c->arena, id_make(c->now));
    TRY_PTR(id.p);
    json_open(&w, '{');
    json_name(&w, TEXT("events"));
    json_open(&w, '{');
    json_pair(&w, TEXT("id"), id);
    json_pair(&w, TEXT("category"), cat->name);
    json_name(&w, TEXT("fields"));
    json_open(&w, '{');
    if (knows_view(cat))
        json_pair(&w, TEXT("action"), TEXT("view"));
    visit_put(cat, v, &w);
    json_close(&w, '}');
    json_close(&w, '}');
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    return usage_take(c, in, &out);
}

/* Asked first, so that no refusal of theirs stands in the journal for each page they see. */
static enum err of_person(struct ctx *c, text purpose, const struct visit *v)
{
    PERSON_AUTO p = { 0 };
    int category = policy_stream(c->policy, TEXT("usage"));
    bool lets = false, counts = false;
    if (!uses(c->policy, purpose, category) || !block_holds(&c->policy->categories[category]))
        return OK;
    enum err status = person_open(c, session_self(c), false, &p);
    if (status == ERR_NOT_FOUND) /* of another tenant, or closed */
        return OK;
    TRY(status);
    TRY(person_would_observe(c, &p, (unsigned)category, &lets));
    if (lets)
        TRY(person_lets_count(c, &p, (unsigned)policy_purpose(c->policy, purpose), &counts));
    return counts ? take_event(c, &c->policy->categories[category], v) : OK;
}

/* ---- Of nobody. ---- */

static enum err run_view(struct db *db, struct write *w) { return audience_run(db, w->arg); }

static enum err of_nobody(struct ctx *c, text purpose, const struct visit *v)
{
    struct audience a;
    bool counted;
    if (!uses(c->policy, purpose, audience_category(c->policy)))
        return OK;
    TRY(budget_take(c, BUDGET_usage_views, c->address));
    TRY(audience_begin(&a, c, 1));
    TRY(audience_add(&a, c->now, v, &counted));
    TRY(audience_seal(&a));
    struct write w = { .run = run_view, .arg = &a, .event = event_of(c, NULL, TEXT("usage.viewed")) };
    w.event.purpose = purpose;
    w.event.count = a.views;
    return counted ? write_do(c, &w, NULL) : OK;
}

enum err view_take(struct ctx *c, text purpose, const struct visit *v)
{
    if (view_leave(c->policy, purpose) == VIEW_NEVER)
        return OK;
    return c->actor.has_self ? of_person(c, purpose, v) : of_nobody(c, purpose, v);
}

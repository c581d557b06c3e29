/* One look, or one change, in a support session: allowed by the tenant, on record for the person, listed for the
 * tenant. */
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/write.h"
#include "domain/person/look_at.h"
#include "domain/person/making.h"
#include "domain/person/person.h"
#include "domain/person/record.h"
#include "domain/person/subject.h"
#include "domain/support/inside.h"

struct looking {
    const struct session_row *s;
    struct bits set;
    text categories;
    struct subject_id id, subject;
    bool writes;
    msec at;
};

static enum err add_look(struct db *db, void *arg)
{
    const struct looking *l = arg;
    return db_run(db, SQL_SUPPORT_LOOK_ADD, NULL,
                  ARGS(V_TEXT(l->s->tenant->name), V_ID(l->s->id), V_ID(l->id), V_ID(l->subject), V_TEXT(l->categories),
                       V_INT(l->writes), V_INT(l->at), V_INT(l->s->due)));
}

static enum err run_look(struct db *db, struct write *w) { return add_look(db, w->arg); }

/* The purpose's categories that the tenant holds, and that the role may read. */
static void categories_of(const struct ctx *c, struct bits *out)
{
    const struct policy *p = c->policy;
    const struct actor_class *class = &p->actors[c->actor.index];
    *out = (struct bits){ { 0 } };
    for (unsigned i = 0; i < p->category_count; i++)
        if (bits_has(&p->purposes[p->support.purpose].categories, i) && bits_has(&class->categories, i) &&
            policy_tenant_holds(policy_tenant(p, c->tenant), (int)i) && !p->categories[i].transient)
            bits_add(out, i);
}

static enum err may_look(struct ctx *c, struct look *l)
{
    struct looking *of = l->arg;
    of->subject = l->p.id;
    TRY(person_allow(c, &l->p, l->purpose, &of->set, ACT_READ));
    l->event.categories = of->categories;
    l->event.clause = c->policy->support.clause.path;
    return OK;
}

static enum err show_data(struct ctx *c, struct look *l, struct json_out *w)
{
    const struct looking *of = l->arg;
    json_pair(w, TEXT("id"), id_print(c->arena, l->p.id));
    json_pair_int(w, TEXT("version"), l->p.version);
    json_pair(w, TEXT("purpose"), l->purpose);
    l->out.version = l->p.version;
    return record_put_data(c, l, &of->set, NULL, w);
}

/* In the tenant of the session, as who asked for it. */
static enum err enter(struct ctx *c, text id, struct session_row *s, struct ctx *there, struct looking *of)
{
    TRY(support_load(c, id, s));
    TRY(support_allow(c, s));
    *there = support_inside(c, s);
    *of = (struct looking){ .s = s, .id = id_make(c->now), .at = c->now };
    categories_of(there, &of->set);
    of->categories = event_categories(there, &of->set);
    return of->categories.p ? OK : ERR_MEMORY;
}

/* {"identifier": {…}} as subject_lookup() takes it, for the support's purpose. */
static enum err find_subject(struct ctx *there, const struct json *in, text purpose, text *out)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    struct answer found = { 0 };
    const struct json *body;
    *out = json_text(in, TEXT("subject"));
    if (out->n)
        return OK;
    json_open(&w, '{');
    if (json_get(in, TEXT("identifier"))) {
        json_name(&w, TEXT("identifier"));
        json_put(&w, json_get(in, TEXT("identifier")));
    }
    json_pair(&w, TEXT("purpose"), purpose);
    json_close(&w, '}');
    TRY(json_parse_buf(there->arena, &b, &body));
    TRY(subject_lookup(there, body, &found));
    TRY(json_parse(there->arena, found.body, &body));
    *out = json_text(body, TEXT("id"));
    return OK;
}

enum err support_look(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    struct session_row s;
    struct looking of;
    struct ctx there;
    text subject;
    TRY(enter(c, id, &s, &there, &of));
    text purpose = c->policy->purposes[c->policy->support.purpose].name;
    struct look l = {
        .act = TEXT("support.read"), .purpose = purpose, .may = may_look, .show = show_data, .run = run_look, .arg = &of
    };
    TRY(find_subject(&there, in, purpose, &subject));
    TRY(support_allow(c, &s)); /* the search was a write: what was asked before it is done with */
    there.decisions = c->decisions;
    return look_at_person(&there, subject, &l, out);
}

enum err support_change(struct ctx *c, text id, text subject, const struct json *patch, struct answer *out)
{
    struct session_row s;
    struct looking of;
    struct ctx there;
    TRY(enter(c, id, &s, &there, &of));
    struct patching how = { .source = TEXT("person"),
                            .purpose = c->policy->purposes[c->policy->support.purpose].name,
                            .also = add_look,
                            .also_arg = &of };
    of.writes = true;
    if (!id_parse(subject, &of.subject))
        return say(c->arena, ERR_NOT_FOUND, "there is no such person");
    return person_patch(&there, subject, patch, &how, out);
}

/* Names of people, for staff: read as any data is, for a purpose and under the policy's decision. */
#include "domain/entry/naming.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/person/person.h"
#include "domain/person/record.h"

/* Fields that are a name, the best first; two of a row stand together. */
static const text named[][2] = {
    { TEXT_INIT("first_name"), TEXT_INIT("last_name") }, { TEXT_INIT("last_name"), TEXT_INIT("") },
    { TEXT_INIT("full_name"), TEXT_INIT("") },           { TEXT_INIT("display_name"), TEXT_INIT("") },
    { TEXT_INIT("screen_name"), TEXT_INIT("") },         { TEXT_INIT("name"), TEXT_INIT("") },
};

static bool reads(const struct ctx *c, int category, text purpose, int *out)
{
    const struct bits all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    struct ask ask = actor_ask(c, 0, category, ACT_READ);
    ask.consents = &all;
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        ask.purpose = (int)i;
        if ((purpose.n && !text_eq(purpose, c->policy->purposes[i].name)) ||
            policy_decide(c->policy, &ask).verdict != ALLOWED)
            continue;
        *out = (int)i;
        return true;
    }
    return false;
}

static bool takes_fields(const struct category *cat, const text parts[2], struct naming *out)
{
    out->count = 0;
    for (size_t i = 0; i < 2 && parts[i].n; i++) {
        int f = policy_field(cat, parts[i]);
        if (f < 0)
            return false;
        out->parts[out->count++] = &cat->fields[f];
    }
    return true;
}

static bool takes_identifier(const struct category *cat, struct naming *out)
{
    out->count = 0;
    for (unsigned i = 0; i < cat->field_count && !out->count; i++)
        if (cat->fields[i].identifier)
            out->parts[out->count++] = &cat->fields[i];
    return out->count > 0;
}

void naming_of(const struct ctx *c, text purpose, struct naming *out)
{
    enum { WAYS = sizeof named / sizeof *named };
    bool staff = c->session && (c->actor.kind == ACTOR_STAFF || c->actor.kind == ACTOR_MANAGER);
    for (size_t way = 0; staff && way <= WAYS; way++)
        for (unsigned i = 0; i < c->policy->category_count; i++) {
            const struct category *cat = &c->policy->categories[i];
            bool has = way < WAYS ? takes_fields(cat, named[way], out) : takes_identifier(cat, out);
            out->category = (int)i;
            if (has && !cat->many && !cat->transient && reads(c, (int)i, purpose, &out->purpose))
                return;
        }
    *out = (struct naming){ .category = -1, .purpose = -1 };
}

enum err naming_read(struct ctx *c, const struct naming *n, const struct person *p, text *out)
{
    struct record *rows;
    unsigned count, unreadable = 0;
    bool allowed;
    *out = TEXT("");
    if (n->category < 0)
        return OK;
    TRY(person_would_allow(c, p, c->policy->purposes[n->purpose].name, ACT_READ, &allowed));
    if (!allowed)
        return OK;
    TRY(record_load_readable(c, p, n->category, false, &rows, &count, &unreadable));
    for (unsigned i = 0; count && i < n->count; i++) {
        const struct json *v = json_get(rows[0].fields, n->parts[i]->name);
        if (v && v->first && v->first->value.n)
            *out = arena_print(c->arena, "%.*s%s%.*s", T(*out), out->n ? " " : "", T(v->first->value));
    }
    return out->p ? OK : ERR_MEMORY;
}

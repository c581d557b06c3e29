/* Where data come from: what the caller says, what the policy leaves, or who brought them; and who supplied them,
 * sealed beside the journal. */
#include "domain/person/source.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

static const struct source *find(const struct policy *p, text name)
{
    for (unsigned i = 0; i < p->source_count; i++)
        if (text_eq(p->sources[i].name, name))
            return &p->sources[i];
    return NULL;
}

static enum err check(struct ctx *c, const struct bits *categories, const struct source *source)
{
    unsigned index = (unsigned)(source - c->policy->sources);
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        const struct category *cat = &c->policy->categories[i];
        if (bits_has(categories, i) && !(cat->sources >> index & 1))
            return say_clause(c->arena, ERR_UNDECLARED, &cat->clause, "category \"%.*s\" does not come from \"%.*s\"",
                              T(cat->name), T(source->name));
    }
    return OK;
}

/* The sources that all of these may have. */
static uint64_t common(const struct policy *p, const struct bits *categories)
{
    uint64_t out = ~(uint64_t)0;
    for (unsigned i = 0; i < p->category_count; i++)
        if (bits_has(categories, i))
            out &= p->categories[i].sources;
    return out;
}

static bool is_one(uint64_t set) { return set && !(set & (set - 1)); }

/* Named by the policy's list of them, or where it has none, by the categories that say theirs. */
static const struct clause *sources_clause(const struct ctx *c)
{
    const struct clause *clause = policy_clause(c->policy, TEXT("sources"));
    return clause ? clause : &c->policy->categories_clause;
}

enum err source_missing(struct ctx *c, text member)
{
    say_clause(c->arena, ERR_MISSING, sources_clause(c),
               "\"%.*s\" says where the data come from: \"person\", or another source of the policy", T(member));
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%.*s", T(member));
    return ERR_MISSING;
}

enum err source_said(struct ctx *c, text said, const struct bits *categories, struct source_taken *out)
{
    const struct source *source = find(c->policy, said);
    if (!said.n)
        return source_missing(c, TEXT("source"));
    if (!source)
        return say_clause(c->arena, ERR_UNDECLARED, sources_clause(c), "the policy has no source \"%.*s\"",
                          T(value_shown(said)));
    TRY(check(c, categories, source));
    struct term notice = source->notice.unit == TERM_UNSET ? (struct term){ 1, TERM_MONTHS } : source->notice;
    *out = (struct source_taken){ source->name, source->third_party ? term_end(c->now, notice, 1) : 0 };
    return OK;
}

enum err source_take(struct ctx *c, text said, const struct bits *categories, struct source_taken *out)
{
    const struct source *own = find(c->policy, c->actor.name);
    uint64_t left = common(c->policy, categories);
    if (said.n || c->actor.kind == ACTOR_PERSON)
        return source_said(c, said.n ? said : TEXT("person"), categories, out);
    for (unsigned i = 0; is_one(left) && i < c->policy->source_count; i++)
        if (left >> i & 1)
            return source_said(c, c->policy->sources[i].name, categories, out);
    if (own && left >> (own - c->policy->sources) & 1)
        return source_said(c, own->name, categories, out);
    *out = (struct source_taken){ .name = c->actor.name };
    return OK;
}

text source_observed(const struct ctx *c, const struct bits *categories)
{
    uint64_t left = common(c->policy, categories);
    for (unsigned i = 0; i < c->policy->source_count; i++)
        if (left >> i & 1)
            return c->policy->sources[i].name;
    return c->policy->sources[0].name;
}

/* ---- Who supplied them. ---- */

enum err source_seal_supplier(struct ctx *c, const struct person *p, text supplier, struct event *e)
{
    if (supplier.n > 256)
        return say(c->arena, ERR_VALUE, "\"supplied_by\" has at most 256 bytes");
    TRY(write_refused(c, NULL, value_no_card(c, TEXT("supplied_by"), supplier)));
    return look_seal_told(c, p, TEXT("supplied_by"), supplier, e);
}

/* The entry of the person's making is among their first. */
enum err source_supplier(struct ctx *c, const struct person *p, text *out)
{
    enum { FIRST = 128 };
    *out = TEXT("");
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_JOURNAL_FIRST_OF, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_INT(FIRST)));
    while (query_next(&q)) {
        if (text_find(query_get(&q, JOURNAL_FIRST_OF, leaf), TEXT("\"act\":\"subject.create\"")) < 0)
            continue;
        sealed detail = query_get(&q, JOURNAL_FIRST_OF, detail);
        return detail.bytes.n ? look_open(c, p, detail, TEXT("supplied_by"), out) : OK;
    }
    return q.status;
}

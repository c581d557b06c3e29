/* The linter's engine: runs the rules in force, gathers their places into findings, and marks what the file accepts. */
#include "policy/lint/lint_help.h"

static const struct lint_rule rules[] = {
#define RULE(id, source, verified, from, to, severities, en, fr, cure_en, cure_fr)                                     \
    { TEXT_INIT(#id), TEXT_INIT(source),  TEXT_INIT(verified), from,      to, TEXT_INIT(severities), TEXT_INIT(en),    \
      TEXT_INIT(fr),  TEXT_INIT(cure_en), TEXT_INIT(cure_fr),  check_##id },
#include "policy/rules.def"
#undef RULE
};
enum { RULES = sizeof rules / sizeof *rules };

const struct lint_rule *lint_rules(unsigned *count)
{
    *count = RULES;
    return rules;
}

const struct lint_rule *lint_rule(text id)
{
    for (unsigned i = 0; i < RULES; i++)
        if (text_eq(rules[i].id, id))
            return &rules[i];
    return NULL;
}

static bool in_force(const struct lint_rule *r, struct date day)
{
    int64_t d = date_days(day);
    return (!r->from.year || d >= date_days(r->from)) && (!r->to.year || d < date_days(r->to));
}

/* ---- From places to findings. ---- */

static text paths_of(struct lint *l, const struct lint_place *places)
{
    enum { SHOWN = 8 };
    BUF_AUTO b = buf_make(1 << 16);
    unsigned n = 0;
    for (const struct lint_place *p = places; p; p = p->next, n++)
        if (n < SHOWN && p->path.n)
            buf_print(&b, "%s%.*s", b.n ? ", " : "", T(p->path));
    if (n > SHOWN)
        buf_print(&b, ", … (%u)", n);
    return buf_made(l->arena, &b);
}

static void count(struct lint_findings *out, const struct lint_finding *f)
{
    out->count++;
    if (f->accepted)
        out->accepted++;
    else if (f->severity == SEVERITY_ERROR)
        out->errors++;
    else if (f->severity == SEVERITY_WARNING)
        out->warnings++;
    else
        out->advice++;
}

/* The reason in `accept: {R02: "…"}`; one by language is taken as its first. */
static const struct node *acceptance(const struct lint *l)
{
    const struct node *reason = node_get(clause(l, "accept"), l->rule->id);
    while (reason && reason->kind != NODE_SCALAR)
        reason = reason->first;
    return is_given(reason) ? reason : NULL;
}

static const struct lint_place *earliest(const struct lint_place *places)
{
    const struct lint_place *first = places;
    for (const struct lint_place *p = places; p; p = p->next)
        if (p->at.line != first->at.line ? p->at.line < first->at.line : p->at.column < first->at.column)
            first = p;
    return first;
}

static void add_finding(struct lint *l, enum severity s, const struct lint_place *places)
{
    struct lint_finding *new = NEW(l->arena, struct lint_finding);
    if (!new) {
        l->failed = true;
        return;
    }
    const struct node *reason = acceptance(l);
    const struct lint_place *first = earliest(places);
    *new = (struct lint_finding){ .rule = l->rule,
                                  .severity = s,
                                  .file = l->out->file,
                                  .at = first->at,
                                  .path = first->path,
                                  .accepted = reason != NULL,
                                  .reason = lint_value(reason),
                                  .detail = paths_of(l, places),
                                  .places = places };
    l->failed = l->failed || !new->detail.p;
    if (l->end)
        l->end->next = new;
    else
        l->out->first = new;
    l->end = new;
    count(l->out, new);
}

void fire_apart(struct lint *l, enum severity s, const struct node *at)
{
    struct lint_place *place = NEW(l->arena, struct lint_place);
    if (!place) {
        l->failed = true;
        return;
    }
    *place = (struct lint_place){ at->at, at->path, NULL };
    add_finding(l, s, place);
}

static void run_rule(struct lint *l, const struct lint_rule *rule)
{
    l->rule = rule;
    l->last = NULL;
    l->first = NULL;
    l->found = false;
    rule->check(l);
    if (l->found && l->first)
        add_finding(l, l->severity, l->first);
}

enum err lint_run(struct arena *a, const struct node *root, text source, struct date as_of, struct lint_findings *out)
{
    *out = (struct lint_findings){ .file = out->file, .source = source, .before = out->before, .faults = out->faults };
    struct lint l = { .arena = a, .root = root, .as_of = as_of, .out = out };
    for (unsigned i = 0; root && i < RULES && !l.failed; i++)
        if (in_force(&rules[i], as_of))
            run_rule(&l, &rules[i]);
    wordings_free(l.wordings);
    return l.failed ? say(a, ERR_MEMORY, "the linter has no memory left") : OK;
}

int lint_status(const struct lint_findings *f) { return f->errors ? 2
                                                        : f->warnings ? 1 : 0; }

enum err lint_gate(struct arena *a, const struct policy *p, const struct node *before, struct date today,
                   struct lint_findings *out)
{
    enum { NAMED_BYTES = 300 }; /* a reason is short; the rest is counted, and garant lint tells it */
    BUF_AUTO names = buf_make(4096);
    unsigned more = 0;
    struct lint_findings found = { .file = p->file, .before = before };
    enum err status = lint_run(a, p->root, p->source, today, &found);
    if (out)
        *out = found;
    TRY(status);
    for (const struct lint_finding *f = found.first; f; f = f->next) {
        if (f->accepted || f->severity != SEVERITY_ERROR)
            continue;
        if (names.n < NAMED_BYTES)
            buf_print(&names, "%s%.*s (line %u)", names.n ? ", " : "", T(f->rule->id), f->at.line);
        else
            more++;
    }
    if (!found.errors)
        return OK;
    if (more)
        buf_print(&names, " and %u more", more);
    return say(a, ERR_POLICY, "%.*s breaks rules of law that it does not accept: %.*s; see garant lint", T(p->file),
               T(buf_begun(&names)));
}

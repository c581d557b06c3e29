/* The vocabulary of the rules' functions: look-ups, three-state values, terms, wordings, firing, shared facts. */
#include "policy/lint/lint_help.h"
#include "policy/check.h"
#include <regex.h>

/* ---- Look-ups. ---- */

const struct node *clause(const struct lint *l, const char *path) { return node_at(l->root, text_of(path)); }

const struct node *lint_key(const struct node *map, const char *name) { return node_get(map, text_of(name)); }

text lint_value(const struct node *n) { return n && n->kind == NODE_SCALAR ? text_trim(n->value) : TEXT(""); }

/* ---- Three states. ---- */

bool one_of(text word, text words)
{
    while (words.p) {
        text next = text_cut(&words, ' ');
        if (next.n && text_eq(next, word))
            return true;
    }
    return false;
}

bool is_set(const struct node *n)
{
    if (!n || n->kind != NODE_SCALAR)
        return n && n->count;
    text v = lint_value(n);
    return v.n && (n->quoted || !one_of(v, TEXT("~ null unset")));
}

bool is_none(const struct node *n)
{
    return is_set(n) && n->kind == NODE_SCALAR && !n->quoted && one_of(lint_value(n), TEXT("none false no"));
}

bool is_given(const struct node *n) { return is_set(n) && !is_none(n); }

bool is_yes(const struct node *n) { return n && n->kind == NODE_SCALAR && one_of(lint_value(n), TEXT("true yes")); }

bool has(const struct node *list_or_scalar, const char *word) { return node_has(list_or_scalar, text_of(word)); }

const struct node *lint_item(const struct node *list_or_scalar, const char *word)
{
    if (is_word(list_or_scalar, word))
        return list_or_scalar;
    NODE_EACH(one, list_or_scalar)
        if (is_word(one, word))
            return one;
    return NULL;
}

bool is_word(const struct node *scalar, const char *word)
{
    return scalar && scalar->kind == NODE_SCALAR && has(scalar, word);
}

/* ---- Terms. ---- */

bool term_of(const struct node *n, struct term *out)
{
    return n && n->kind == NODE_SCALAR && term_parse(lint_value(n), out);
}

/* The fewest, or the most, minutes that a term can have. */
static int64_t minutes(struct term t, bool most)
{
    static const int fewest_days[] = { [TERM_DAYS] = 1, [TERM_MONTHS] = 28, [TERM_YEARS] = 365, [TERM_ALWAYS] = 0 };
    static const int most_days[] = { [TERM_DAYS] = 1, [TERM_MONTHS] = 31, [TERM_YEARS] = 366, [TERM_ALWAYS] = 0 };
    if (t.unit == TERM_ALWAYS)
        return INT64_MAX;
    if (t.unit == TERM_UNSET)
        return 0;
    if (t.unit <= TERM_HOURS)
        return (int64_t)t.count * (t.unit == TERM_HOURS ? 60 : 1);
    return (int64_t)t.count * 1440 * (most ? most_days : fewest_days)[t.unit];
}

static bool in_months(struct term t, int64_t *out)
{
    *out = t.unit == TERM_YEARS ? (int64_t)t.count * 12 : t.count;
    return t.unit == TERM_MONTHS || t.unit == TERM_YEARS;
}

static bool exceeds(struct term a, struct term b)
{
    int64_t x, y;
    if (in_months(a, &x) && in_months(b, &y))
        return x > y;
    return minutes(a, false) > minutes(b, true);
}

bool longer(struct term t, int count, enum term_unit unit) { return exceeds(t, (struct term){ count, unit }); }

bool shorter(struct term t, int count, enum term_unit unit) { return exceeds((struct term){ count, unit }, t); }

bool is_longer(const struct node *n, int count, enum term_unit unit)
{
    struct term t;
    return term_of(n, &t) && longer(t, count, unit);
}

bool is_shorter(const struct node *n, int count, enum term_unit unit)
{
    struct term t;
    return term_of(n, &t) && shorter(t, count, unit);
}

struct term term_sum(struct term a, struct term b)
{
    int64_t x, y;
    if (a.unit == TERM_ALWAYS || b.unit == TERM_ALWAYS)
        return (struct term){ 0, TERM_ALWAYS };
    if (in_months(a, &x) && in_months(b, &y))
        return (struct term){ (int)(x + y), TERM_MONTHS };
    if (!b.count || !a.count)
        return a.count ? a : b;
    return (struct term){ (int)((minutes(a, true) + minutes(b, true)) / 1440), TERM_DAYS };
}

/* ---- Wordings, compiled when first needed. ---- */

struct wordings {
    struct {
        regex_t compiled;
        bool ready;
    } of[WORDING_COUNT];
};

enum { N = REG_ICASE };
static const struct {
    int flags;
    const char *pattern;
} wordings[] = {
#define WORDING(name, flags, pattern) { flags, pattern },
#include "policy/wordings.def"
#undef WORDING
};

bool says(struct lint *l, enum wording w, text s)
{
    if (!s.n || (!l->wordings && !(l->wordings = NEW(l->arena, struct wordings)))) {
        l->failed = l->failed || s.n;
        return false;
    }
    regex_t *compiled = &l->wordings->of[w].compiled;
    if (!l->wordings->of[w].ready &&
        regcomp(compiled, wordings[w].pattern, REG_EXTENDED | REG_NOSUB | wordings[w].flags)) {
        l->failed = true; /* a pattern of ours always compiles: memory is out */
        return false;
    }
    l->wordings->of[w].ready = true;
    regmatch_t span = { 0, (regoff_t)s.n };
    return !regexec(compiled, s.p, 1, &span, REG_STARTEND);
}

void wordings_free(struct wordings *all)
{
    for (int i = 0; all && i < WORDING_COUNT; i++)
        if (all->of[i].ready)
            regfree(&all->of[i].compiled);
}

bool node_says(struct lint *l, enum wording w, const struct node *n)
{
    if (n && n->kind == NODE_SCALAR)
        return says(l, w, n->value);
    NODE_EACH(item, n)
        if (node_says(l, w, item))
            return true;
    return false;
}

bool all_say(struct lint *l, enum wording w, const struct node *n)
{
    if (n && n->kind == NODE_SCALAR)
        return says(l, w, n->value);
    NODE_EACH(item, n)
        if (!all_say(l, w, item))
            return false;
    return n && n->count;
}

/* ---- Firing. ---- */

static struct lint_place *new_place(struct lint *l, struct mark at, text path)
{
    struct lint_place *new = NEW(l->arena, struct lint_place);
    if (!new || !path.p) {
        l->failed = true;
        return NULL;
    }
    *new = (struct lint_place){ at, path, NULL };
    return new;
}

static void fire_place(struct lint *l, enum severity s, struct lint_place *place)
{
    if (!place)
        return;
    if (!l->found || s < l->severity)
        l->severity = s;
    l->found = true;
    if (l->last)
        l->last->next = place;
    else
        l->first = place;
    l->last = place;
}

static struct mark place_of(const struct node *n)
{
    return n->parent && n->parent->kind == NODE_MAP ? n->key_at : n->at;
}

void fire(struct lint *l, enum severity s, const struct node *at)
{
    const struct node *n = at ? at : l->root;
    fire_place(l, s, new_place(l, place_of(n), n->path));
}

void fire_named(struct lint *l, enum severity s, const struct node *at, text name)
{
    fire_place(l, s, new_place(l, place_of(at ? at : l->root), name));
}

void fire_figure(struct lint *l, enum severity s, const struct node *at, const char *format, ...)
{
    char figure[128];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(figure, sizeof figure, format, args);
    va_end(args);
    fire_named(l, s, at, n > 0 ? arena_print(l->arena, "%.*s: %s", T(at->path), figure) : at->path);
}

/* The nearest thing that stands: base.name itself, or what of its path there is. */
void fire_at(struct lint *l, enum severity s, const struct node *base, const char *name)
{
    const struct node *n = base ? base : l->root, *nearest = n;
    for (text rest = text_of(name); rest.p && nearest;) {
        n = nearest;
        nearest = node_get(n, text_cut(&rest, '.'));
    }
    n = nearest ? nearest : n;
    text path = base && base->path.n ? arena_print(l->arena, "%.*s.%s", T(base->path), name) : text_of(name);
    fire_place(l, s, new_place(l, place_of(n), path));
}

void need_set(struct lint *l, enum severity s, const struct node *base, const char *name)
{
    if (!is_set(node_at(base ? base : l->root, text_of(name))))
        fire_at(l, s, base, name);
}

void need_given(struct lint *l, enum severity s, const struct node *base, const char *name)
{
    if (!is_given(node_at(base ? base : l->root, text_of(name))))
        fire_at(l, s, base, name);
}

/* ---- Shared facts. ---- */

static const struct {
    text term;
    enum purpose_kind kind;
} purpose_terms[] = {
#define KIND_OF(term, kind) { TEXT_INIT(term), PURPOSE_##kind },
#include "policy/purposes.def"
#undef KIND_OF
};

static enum purpose_kind kind_named(text word)
{
    for (size_t i = 0; word.n && i < sizeof purpose_terms / sizeof *purpose_terms; i++)
        if (text_eq(purpose_terms[i].term, word))
            return purpose_terms[i].kind;
    return PURPOSE_OTHER;
}

enum purpose_kind purpose_kind(const struct node *purpose)
{
    enum purpose_kind kind = kind_named(lint_value(lint_key(purpose, "dpv")));
    return kind || !purpose || is_set(lint_key(purpose, "dpv")) ? kind : kind_named(purpose->key);
}

bool is_direct_marketing(const struct node *purpose)
{
    return is_marketing(purpose) || purpose_kind(purpose) == PURPOSE_MARKETING;
}

bool has_basis(const struct node *purpose, const char *basis) { return has(lint_key(purpose, "basis"), basis); }

bool consents_to(const struct lint *l, const struct node *purpose)
{
    if (has_basis(purpose, "consent"))
        return true;
    const struct node *method = clause(l, "consent.method");
    bool act = has(method, "signup") || has(method, "form") || has(method, "paper") || has(method, "tick") ||
               has(method, "button") || has(method, "staff");
    return act && purpose && node_has(clause(l, "consent.covers"), purpose->key);
}

const struct node *purpose_of(const struct lint *l, const struct node *ref)
{
    return node_get(clause(l, "purposes"), lint_value(ref));
}

bool in_eea(text code)
{
    const struct country *c = country_of(code);
    return one_of(code, TEXT("EU EEA")) || (c && c->area != AREA_NONE);
}

/* By the controller's country; when it is not said, by where data is stored or the language it is told in. */
bool in_france(const struct lint *l)
{
    const struct node *country = clause(l, "controller.country");
    if (is_given(country))
        return is_word(country, "FR");
    return has(clause(l, "hosting.countries"), "FR") || has(clause(l, "policy.languages"), "fr");
}

bool is_exempt(const struct node *cookie)
{
    static const text never = TEXT_INIT("advertising social personalisation");
    const struct node *reason = lint_key(cookie, "exempt");
    return is_given(reason) && !one_of(lint_value(reason), never);
}

bool has_unexempt(const struct lint *l)
{
    static const char *const uses[] = { "advertising", "personalisation", "social", "location" };
    EACH(cookie, l, "cookies")
    if (!is_exempt(cookie))
        return true;
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (has(clause(l, "trackers.uses"), uses[i]))
            return true;
    return false;
}

bool declares_hold(const struct lint *l)
{
    EACH(retention, l, "retention")
    if (is_given(lint_key(retention, "archive")) || is_given(lint_key(retention, "ground")))
        return true;
    return is_set(clause(l, "holds"));
}

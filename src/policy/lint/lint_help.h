/* What the functions of rules are written with: look-ups by path, three-state values, terms, wordings, and firing. */
#ifndef POLICY_LINT_LINT_HELP_H
#define POLICY_LINT_LINT_HELP_H
#include "policy/lint/lint.h"

enum wording {
#define WORDING(name, flags, pattern) WORDING_##name,
#include "policy/wordings.def"
#undef WORDING
    WORDING_COUNT
};

struct lint {
    struct arena *arena;
    const struct node *root;
    struct date as_of;
    const struct lint_rule *rule; /* the one that runs, and what it has found so far */
    struct lint_place *first, *last;
    enum severity severity;
    bool found, failed; /* failed: out of memory */
    struct lint_findings *out;
    struct lint_finding *end;
    struct wordings *wordings;
};

/* Every rule's function; the tables of rules.def and these declarations are made from the same rows. */
#define DATE(year, month, day)                                                                                         \
    {                                                                                                                  \
        year, month, day                                                                                               \
    }
#define RULE(id, ...) void check_##id(struct lint *l);
#include "policy/rules.def"
#undef RULE

/* ---- Look-ups: a dotted path from the root, or a key of a map; NULL when absent. ---- */
const struct node *clause(const struct lint *l, const char *path);
const struct node *lint_key(const struct node *map, const char *name);
#define EACH(item, l, path) NODE_EACH(item, clause((l), (path)))
/* The scalar of a list that is the word, or the scalar itself when it is. */
const struct node *lint_item(const struct node *list_or_scalar, const char *word);
/* The text of a scalar; empty for anything else. */
text lint_value(const struct node *n);

/* ---- Three states: unset (absent, blank, or an empty map or list), none (the word none, false or no), or a value.
 * ---- */
bool is_set(const struct node *n);
bool is_none(const struct node *n);
bool is_given(const struct node *n); /* set, and not none */
bool is_yes(const struct node *n);   /* the word true or yes */
bool has(const struct node *list_or_scalar, const char *word);
bool is_word(const struct node *scalar, const char *word); /* that word, and not a list with it */
bool one_of(text word, text words);                        /* words: separated by blanks */

/* ---- Terms, compared by what they certainly are: a month has 28 to 31 days. ---- */
bool term_of(const struct node *n,
             struct term *out); /* false when unset or no term; 15 kinds such as "session" are none */
bool longer(struct term t, int count, enum term_unit unit);  /* certainly longer */
bool shorter(struct term t, int count, enum term_unit unit); /* certainly shorter */
bool is_longer(const struct node *n, int count, enum term_unit unit);
bool is_shorter(const struct node *n, int count, enum term_unit unit);
struct term term_sum(struct term a, struct term b); /* in months when either is in months or years */

/* ---- Wordings: whether a text, or any text in the node (by language, or in a list), matches the pattern. ---- */
bool says(struct lint *l, enum wording w, text s);
bool node_says(struct lint *l, enum wording w, const struct node *n);
bool all_say(struct lint *l, enum wording w, const struct node *n); /* every text in it; false when there is none */
void wordings_free(struct wordings *all);

/* ---- Firing. Several places of one rule make one finding of the worst severity. ---- */
void fire(struct lint *l, enum severity s, const struct node *at);
/* At the place where base.name stands, or else should: base may be NULL or lie deep, name may have dots. */
void fire_at(struct lint *l, enum severity s, const struct node *base, const char *name);
/* At that node, under another name: what is missing from its list. */
void fire_named(struct lint *l, enum severity s, const struct node *at, text name);
/* At that node, with a figure that every language reads: "rights.answer_within: 60d > 1mo". */
void fire_figure(struct lint *l, enum severity s, const struct node *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A finding of its own for this place. */
void fire_apart(struct lint *l, enum severity s, const struct node *at);
/* Fires at base.name unless it is set, or given. */
void need_set(struct lint *l, enum severity s, const struct node *base, const char *name);
void need_given(struct lint *l, enum severity s, const struct node *base, const char *name);

/* ---- Facts that several families ask for. ---- */
enum purpose_kind {
    PURPOSE_OTHER,
    PURPOSE_SERVICE,
    PURPOSE_SECURITY,
    PURPOSE_FRAUD,
    PURPOSE_LEGAL,
    PURPOSE_STATISTICS,
    PURPOSE_MARKETING,
    PURPOSE_PERSONALISATION,
};
enum purpose_kind purpose_kind(const struct node *purpose); /* by its DPV term, else by its name */
bool is_direct_marketing(const struct node *purpose);
bool has_basis(const struct node *purpose, const char *basis);
bool consents_to(const struct lint *l,
                 const struct node *purpose); /* its basis, or an act that covers it and could be consent */
const struct node *purpose_of(const struct lint *l, const struct node *ref);
bool in_eea(text country);
bool in_france(const struct lint *l); /* French law of persons applies, or may */
bool is_exempt(const struct node *cookie);
bool has_unexempt(const struct lint *l);
/* Pairs of `statements` about one subject of which one affirms what the other denies. */
void each_clash(struct lint *l, void (*visit)(struct lint *l, const struct node *x, const struct node *y));
/* Of Art. 9(1): it, or a field of it, says so or is of a DPV term that is. */
bool is_special_category(const struct node *category);
/* A hold or archive that is declared. */
bool declares_hold(const struct lint *l);

#endif

/* The linter: a policy file held against the 115 rules of rules.def, each with its source of law. Not legal advice. */
#ifndef POLICY_LINT_LINT_H
#define POLICY_LINT_LINT_H
#include "policy/policy.h"

struct lint;
struct lint_rule {
    text id, source, verified;     /* verified: ✔ read, ◐ secondary text, ○ to be checked */
    struct date from, to;          /* in force on from <= day < to; year 0 is open */
    text severities;               /* as in the table: "E", "E/W", "W/A" */
    text en, fr, cure_en, cure_fr; /* what is wrong; what would satisfy it */
    void (*check)(struct lint *l);
};
const struct lint_rule *lint_rules(unsigned *count); /* all, in the order of rules.def */
const struct lint_rule *lint_rule(text id);          /* NULL when there is none */

/* A place where a rule is not satisfied: a clause of the file, or where a missing one would stand. */
struct lint_place {
    struct mark at;
    text path;
    const struct lint_place *next;
};

/* One rule at its worst severity, with every place; the first one is also that of the finding. D04 is found place by
 * place. */
struct lint_finding {
    const struct lint_rule *rule;
    enum severity severity;
    text file;
    struct mark at;
    text path;
    bool accepted; /* by the file's `accept`, for this reason: */
    text reason;
    text detail; /* the paths, separated by ", " */
    const struct lint_place *places;
    struct lint_finding *next;
};
struct lint_findings {
    text file;                     /* set by the caller, as it shall be printed */
    text source;                   /* the text that was linted, for the lines shown */
    const struct node *before;     /* set by the caller: the version in force before, or NULL */
    const struct findings *faults; /* set by the caller: of form, which no rule speaks of; NULL for none */
    struct lint_finding *first;    /* in the order of the rules */
    unsigned count, errors, warnings, advice, accepted; /* errors, warnings and advice that are not accepted */
};

/* Runs every rule in force on `as_of` over the tree that node_read() made of `source`. Only ERR_MEMORY is an error. */
enum err lint_run(struct arena *a, const struct node *root, text source, struct date as_of, struct lint_findings *out);
/* Exit status by the worst finding that is not accepted: 0 none or advice only, 1 warnings, 2 errors. */
int lint_status(const struct lint_findings *f);

/* What a server runs: ERR_POLICY, naming each error and its line, when the policy has errors that it does not accept.
 * `before` as above; `out` (may be NULL) gets all that was found, also when the policy is refused. */
enum err lint_gate(struct arena *a, const struct policy *p, const struct node *before, struct date today,
                   struct lint_findings *out);

/* The day from which the file says it applies (policy.date) comes sooner after `today` than it promises to tell of
 * changes (changes.before); *earliest: the first day that would keep the promise. False when the file says one of them
 * not at all, or in no form that is understood. */
bool lint_too_soon(const struct node *root, struct date today, struct date *earliest);

enum lint_language { LINT_EN, LINT_FR };
/* For people: each finding with its line and a caret, its source of law and what would satisfy it; then the count. */
void lint_print(struct buf *out, const struct lint_findings *f, enum lint_language language);
/* For programs: members of a JSON array, {rule, severity: "E|W|A", file, line, column, message, accepted}; a fault of
 * form has the rule "form". */
void lint_json(struct json_out *w, const struct lint_findings *f, enum lint_language language);
/* A whole SARIF 2.1.0 log of one run over `count` files. One with faults of form says that the run did not succeed
 * (3.20.14, 3.20.21), so that nobody takes its silence for a file without findings. */
void lint_sarif(struct json_out *w, const struct lint_findings *files, unsigned count, enum lint_language language);
/* What one rule asks, where that is written, how far that was verified, since when, and what satisfies it. */
void lint_explain(struct buf *out, const struct lint_rule *rule, enum lint_language language);

#endif

/* Which field of the policy a column of somebody's table stands for. */
#ifndef DOMAIN_ENTRY_HEADING_H
#define DOMAIN_ENTRY_HEADING_H
#include "domain/core/ctx.h"

enum { HEADINGS_NEAR = 3 };
/* What a column is taken for: a field of the policy, a kind of folder ("folder.KIND"), or a word of a new account;
 * nothing when `name` is empty. `how`: "named" (as category.field), "proposed" (found by its heading), "chosen" (by
 * whoever sent the table), or "left" (out). */
struct column {
    text name, category, field, folder;
    const struct field *type;
    const char *how;
    unsigned number; /* from 1 */
    bool nameless;   /* nothing stands above it: then nothing may stand in it */
    bool month_first; /* a day in it can only be one when its month stands first ("12/31/2026") */
};

/* What is to stand above a column that is named so: false when the policy has no such field, and `out` is then nothing.
 */
bool heading_named(const struct policy *p, text name, struct column *out);
/* Count: of all; sure: there is one, and its heading means it. */
struct near {
    text names[HEADINGS_NEAR];
    unsigned count;
    bool sure;
};
/* What its heading may mean: fields of the policy that are called so, mean the same, or are of the type that it means;
 * else those whose names differ by a letter or two. */
struct near heading_near(struct arena *a, const struct policy *p, text heading);
/* What headings.def says it means, empty for nothing; `heading` in any writing. */
text heading_meaning(struct arena *a, text heading);

#endif

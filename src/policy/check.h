/* Checks of a policy's tree: its shape by the rows of the schema, then what no row can say. */
#ifndef POLICY_CHECK_H
#define POLICY_CHECK_H
#include "schema.h"

struct check {
    struct arena *arena;
    struct findings *findings;
    struct schema schema;
    const struct node *root;
    enum strength strength;
};
#define WRONG(c, mark, where, ...)                                                                                     \
    finding_add((c)->arena, (c)->findings, SEVERITY_ERROR, (mark), (where)->path, __VA_ARGS__)
#define WRONG_KEY(c, where, ...)   WRONG(c, mark_of_key(where), where, __VA_ARGS__)
#define WRONG_VALUE(c, where, ...) WRONG(c, (where)->at, where, __VA_ARGS__)

/* Keys, kinds, words and names. */
void check_shape(struct check *c);
/* What holds between clauses: uses, places, grounds, contradictions, limits. */
void check_sense(struct check *c);
/* The nearest of the words, or names under its @targets; empty when none is near enough. */
text nearest_word(const struct node *root, text words, text wrong);
/* The nearest of the keys of a map. */
text nearest_child(const struct node *map, text wrong);
/* The field that "category.field" names, or NULL. */
const struct node *field_of_ref(const struct node *root, text ref);
/* Whether that purpose is direct marketing: `marketing: true`, or by its DPV term. */
bool is_marketing(const struct node *purpose);
/* Whether that member of the map is the word true. */
bool is_true(const struct node *map, text key);
/* Ids that the file's `promises` tie to the clause at `path`: "FR-03, FR-04"; its own before those of the clauses it is
 * in. */
text promise_ids(struct arena *a, const struct node *root, text path);
/* Where a child's key stands, or the value when it is in no map. */
struct mark mark_of_key(const struct node *n);

#endif

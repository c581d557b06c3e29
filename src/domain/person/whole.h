/* The whole person held against the policy: what a change of one category means for the others, and for an account. */
#ifndef DOMAIN_PERSON_WHOLE_H
#define DOMAIN_PERSON_WHOLE_H
#include "domain/core/data_subject.h"
#include "policy/policy.h"

struct ctx;

/* {category: {field: value}}, a list of these for a category with many, as far as conditions look at it or `touched`
 * names it. */
struct whole {
    const struct json *before, *after;
    struct bits touched;
};

/* As the person stands and will stand after a merge patch {category: {field: value}} (NULL: none), with its values in
 * the form in which they are kept, and without the categories of `gone` (may be NULL). p NULL: of somebody new. */
enum err whole_take(struct ctx *c, const struct person *p, const struct json *patch, const struct bits *gone,
                    struct whole *out);
/* ERR_UNDECLARED, ERR_MISSING: what is not touched no longer fits, or what the person's account needs (accounts.needs)
 * would be gone. */
enum err whole_check(struct ctx *c, const struct person *p, const struct whole *w);
/* The other categories as conditions of this one see them; NULL when it has none. */
enum err whole_other(struct ctx *c, const struct person *p, const struct category *cat, const struct json **out);
/* Whether a field of the category depends on another category. */
bool whole_depends(const struct category *cat);

#endif

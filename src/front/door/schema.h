/* Schemas of bodies: the rows of schemas.def, and bodies held against them. */
#ifndef FRONT_DOOR_SCHEMA_H
#define FRONT_DOOR_SCHEMA_H
#include "base/json.h"

struct schema_member {
    text schema, name, type;
    bool required;
    text en;
};
/* All rows of MEMBER; they stand for as long as the program runs. */
const struct schema_member *schema_members(size_t *count);

/* Refuses a member that the schema does not name (a misspelt one would be ignored in silence) and a value of another
 * kind: ERR_USAGE. What lacks, and whether a value fits, is told by the domain. `type` as in schemas.def. */
enum err schema_check(struct arena *a, text type, const struct json *value);

/* A name as it may be said again: itself when it looks like the name of a member, else a word in its place. */
text schema_shown(text name);
/* Calls `each` with every member of `value` that a row names, or that is what it likes ("any"), and the type that the
 * schema gives it: for an object of named members the members themselves, for policy data and lists of texts the whole.
 */
void schema_each(text type, const struct json *value,
                 void (*each)(void *arg, text type, text name, const struct json *v), void *arg);

#endif

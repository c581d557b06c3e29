/* Forms of pages: application/x-www-form-urlencoded as the JSON object that the same route takes. */
#ifndef FRONT_DOOR_FORM_H
#define FRONT_DOOR_FORM_H
#include "front/door/request.h"

/* Members that were read elsewhere (multipart.h), in the form of form_parse().
 * {name: text}, a name that stands more than once becomes a list. `csrf` (of the session) is taken out into *csrf, and
 * stays p NULL when it is absent. ERR_USAGE when malformed, not UTF-8, or of more than 1,000 members. */
enum err form_members(struct arena *a, const struct pair *rows, size_t count, const struct json **out, text *csrf);
enum err form_parse(struct arena *a, text body, const struct json **out, text *csrf);

#endif

/* Versions and their differences, as answers. */
#ifndef DOMAIN_VERSION_ANSWER_H
#define DOMAIN_VERSION_ANSWER_H
#include "base/err.h"

struct answer;
struct ctx;
struct diff;
struct version;

/* {"versions": [...]}, and the differences of two as diff_json() writes them. */
enum err version_answer(struct ctx *c, struct answer *out);
enum err version_diff(struct ctx *c, text older, text newer, struct answer *out);
/* What a site tells its visitors: {"version", "date", "changed": bool, "says": [material changes], "link", "coming"?},
 * of the version in force against the one before; "changed" is false when there is none, or nothing that matters.
 * coming: the same of one that is announced. */
enum err version_banner(struct ctx *c, struct answer *out);
/* Two versions with their documents, by their hashes. */
enum err version_open_both(struct ctx *c, text older, text newer, struct version *x, struct version *y, struct diff *d);

#endif

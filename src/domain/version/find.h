/* Versions of the policy, found and read. */
#ifndef DOMAIN_VERSION_FIND_H
#define DOMAIN_VERSION_FIND_H
#include "base/err.h"
#include "base/clock.h"

struct answer;
struct ctx;
struct node;

enum version_state {
    VERSION_ENTERED,
    VERSION_ANNOUNCED,
    VERSION_WITHDRAWN
}; /* in force now or before; its day lies ahead; never in force */
struct version {
    text hash, id, version, date; /* date: from which it says to apply */
    msec at;                      /* when this instance published it */
    int64_t acknowledged;         /* how many did acknowledge it */
    bool current;                 /* the one in force */
    enum version_state state;
    const struct node *root; /* set by version_open only */
    text source;
};
/* All, the newest first. */
enum err version_list(struct ctx *c, struct version **out, unsigned *count);
/* One with its document. ERR_NOT_FOUND for a hash that is not among them. */
enum err version_open(struct ctx *c, text hash, struct version *out);
/* {"hash", "version", "date", "published", "in_force", "source", "document"}: one as data, its document as it was read
 * when it was published. */
enum err version_get(struct ctx *c, text hash, struct answer *out);
/* Whether that has the form of a version's hash. */
bool version_is_hash(text s);
enum { PAGE_LIMIT = 8 << 20 };
/* The one in force, `count` when it is not among them; and the one that was in force before that one of the list. */
unsigned version_index_in_force(const struct version *all, unsigned count);
const struct version *version_before(const struct version *all, unsigned count, unsigned i);

#endif

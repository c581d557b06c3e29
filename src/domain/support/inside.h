/* What the files of support share. */
#ifndef DOMAIN_SUPPORT_INSIDE_H
#define DOMAIN_SUPPORT_INSIDE_H
#include "domain/support/support.h"

enum { ASKED, OPEN, REFUSED, ENDED };

struct session_row {
    struct subject_id id;
    const struct tenant *tenant; /* of the policy in force */
    text home, actor, reason;
    struct digest asker;
    int64_t state;
    bool writes;
    msec lasts, at, decided, ends, due;
};
/* ERR_NOT_FOUND alike for unknown, for a tenant that is no more, and for what this caller has no part in. */
enum err support_load(struct ctx *c, text id, struct session_row *out);
/* Whether it lets its asker in now. */
bool support_live(const struct session_row *s, msec now);
/* Who asks: their pseudonym, else the digest of their token; the operator: zeros. */
struct digest support_asker(const struct ctx *c);
/* The same caller in the tenant of that session, who may do there what it allows. */
struct ctx support_inside(const struct ctx *c, const struct session_row *s);
/* ERR_FORBIDDEN, on record, unless it is the caller's and lets them in; asked again inside the write. */
enum err support_allow(struct ctx *c, const struct session_row *s);
/* A term of at most support.for, in milliseconds; empty: that long. */
enum err support_lasts(struct ctx *c, text term, msec *out);

#endif

/* Guessing is slowed down (CNIL 2022-100): delays that grow with the failures, counted alike for accounts that exist
 * and those that do not; a device that signed in before is counted by itself, so that others' failures do not keep its
 * owner out. */
#ifndef DOMAIN_ACCOUNT_THROTTLE_H
#define DOMAIN_ACCOUNT_THROTTLE_H

#include "policy/password_rule.h"
#include "base/id.h"

struct ctx;

struct db;

enum { THROTTLE_LONGEST = 15 * MINUTE, THROTTLE_KEPT = 24 * HOUR };

/* What is tried, and what is known of it. */
struct attempt {
    struct digest digest;
    struct subject_id subject;
    bool has_subject;
    int64_t failures;
    msec failed_at;
};

/* Tries under way, by digest: a burst at once is no way around the count. */
struct throttle;
struct throttle *throttle_open(void); /* NULL: no memory */
void throttle_close(struct throttle **t);

/* How long after its last failure the next try waits. */
msec throttle_delay(const struct password_rule *r, int64_t failures);
/* What tries of `what` are counted under: `use` keeps sign-in, reset and codes apart. */
struct digest throttle_digest(const struct ctx *c, text use, text what);
/* Loads the count and enters the try. ERR_TOO_MANY with why.retry while it must wait. Each entered try is left with
 * throttle_leave. */
enum err throttle_enter(struct ctx *c, const struct password_rule *r, struct attempt *at);
void throttle_leave(struct ctx *c, const struct attempt *at);
/* Letters that somebody asks for: five within a day, then one a quarter of an hour. Entered and left as a try; each
 * letter counts as a failure. */
enum err throttle_letter(struct ctx *c, struct attempt *at);
/* Inside a write: it failed, or succeeded and is forgotten. */
enum err throttle_run_failed(struct db *db, const struct ctx *c, const struct attempt *at);
enum err throttle_run_clear(struct db *db, const struct attempt *at);

#endif

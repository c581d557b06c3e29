/* History: what somebody did on the service, as they see it themselves. */
#ifndef DOMAIN_USAGE_HISTORY_H
#define DOMAIN_USAGE_HISTORY_H
#include "base/clock.h"
#include "base/json.h"

struct bits;
struct block;
struct ctx;

/* One event or sign-in. fields: {name: [value, source, time]}, NULL until history_open(). */
struct history_event {
    msec at;
    const struct json *fields;
    const struct block *block; /* what it is taken from, and where it stands there */
    unsigned number;
};
/* Those of one category, oldest first. unreadable: rows that could not be opened, which the board names. */
struct history {
    struct history_event *list;
    unsigned count, room, unreadable;
};

/* All of the signed-in person, of the categories of the set, with one journal entry: history[i] is of category i, and
 * has room for each category of the policy. Opened, but only as far as their times: a page shows few of many (GDPR 15).
 * Memory is the request's. */
enum err history_load(struct ctx *c, const struct bits *set, struct history *out);
/* Takes one apart. ERR_INTEGRITY when it cannot be read. */
enum err history_open(struct ctx *c, struct history_event *e);

#endif

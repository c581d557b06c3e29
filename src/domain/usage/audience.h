/* The audience of a site: how often its pages were seen by nobody who is known here. Sums by day, in a table of their
 * own: no person, no address, and no value that any other table holds. */
#ifndef DOMAIN_USAGE_AUDIENCE_H
#define DOMAIN_USAGE_AUDIENCE_H
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "base/id.h"

struct answer;
struct category;
struct ctx;
struct db;
struct json_out;
struct policy;

/* What is kept of it at most, whatever the policy's term (CNIL, guide f.17). */
enum { AUDIENCE_MONTHS = 25 };

/* Lines that tell of the same on one day are one row. */
struct seen {
    int64_t day; /* days since 1970, in the controller's zone */
    text told;   /* what the category declares of page, status, browser and system, as JSON; sealed as `kept` */
    text kept;
    struct digest digest; /* of `told`, for this table alone */
    msec due;
    int64_t views;
};
struct audience {
    struct ctx *c;
    int category; /* -1: the policy counts no audience */
    struct seen *rows;
    unsigned count, room;
    int64_t views;
};
/* What a visit tells; p NULL: it does not. */
struct visit {
    text page, status, browser, system;
};
/* What the category declares of it, as members of an open object. */
void visit_put(const struct category *cat, const struct visit *v, struct json_out *w);

/* The policy's first category of stream audience that a purpose uses whose basis is not consent: nobody could have
 * given one. -1: it counts no audience. */
int audience_category(const struct policy *p);
/* For at most `room` visits, of that category. */
enum err audience_begin(struct audience *a, struct ctx *c, unsigned room);
/* One more, at that time; *counted: false when its term is over. ERR_VALUE, ERR_MISSING and ERR_CARD_NUMBER for what
 * the category does not take. */
enum err audience_add(struct audience *a, msec at, const struct visit *v, bool *counted);
/* Seals what was added, before the write; inside it. */
enum err audience_seal(struct audience *a);
enum err audience_run(struct db *db, const struct audience *a);

/* {"purpose", "by", "month", "min_group", "rows": [{"key", "views"}], "others", "views"} of a whole month that is over,
 * for a purpose that uses the category; by: day, page, status, browser or system. Keys seen less often than
 * purposes.*.min_group (10 where it is not set) are told together, in "others". */
enum err audience_figures(struct ctx *c, text purpose, text by, text month, struct answer *out);
/* What time brings: rows whose term is over go. */
enum err audience_tick(struct ctx *c);

#endif

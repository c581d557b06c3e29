/* Usage: what people do on a service arrives as events, and is kept as records of the categories that the policy fills
 * by it (categories.*.stream: usage, logs). */
#ifndef DOMAIN_USAGE_USAGE_H
#define DOMAIN_USAGE_USAGE_H
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"

struct answer;
struct ctx;
struct json;

/* An event is one record of its category, sealed under the person's key, with the category's term, holds, access,
 * export and erasure. Its sender's id is remembered, as a keyed digest, while it is young enough to be taken; so it is
 * kept once, however often it is sent. */
enum {
    USAGE_EVENTS_MAX = 1000, /* of one request */
    USAGE_ID_MAX = 100,
    USAGE_AGE_DAYS = 30 /* an event that happened before is refused: whether it came already is no longer known */
};

/* {"events": one or a list of {"id", "subject"?, "category"?, "at"?, "fields"}, "purpose"?}: taken in one commit with
 * one journal entry. What the policy does not declare, a value that does not fit and a time out of range refuse the
 * whole: ERR_UNDECLARED, ERR_VALUE, ERR_MISSING, by name. About whom nothing may be recorded (objection, restriction,
 * no consent; GDPR 7(3), 18, 21) and who is not there: alone it is the error, in a list it is answered beside what was
 * taken. Without a subject the events are those of the signed-in person. */
enum err usage_take(struct ctx *c, const struct json *in, struct answer *out);

/* {"fields", "actions", "asked", "exempt"}: what a site's pages may tell, for the script that does. The fields of the
 * first category of stream usage, the actions that it knows (null: any), and the purposes of trackers that a visitor
 * must accept first, and of those that need none (LIL art. 82). ERR_UNDECLARED without such a category. */
enum err usage_says(struct ctx *c, struct answer *out);

/* {"head", "from"?, "to"?, "format"?, "category"?, "lines"?}: lines of a web server's log, in the combined format of
 * nginx and Apache or JSON, one object a line. `head` is the file's first line, by which it is known under any name.
 * The lines, which stand from byte `from` to byte `to`, are taken in the commit that moves the file's position there:
 * ERR_CONFLICT when it is elsewhere; without "to" nothing is taken, and the answer tells where it is. A line's user is
 * an id of a person or one of their identifiers; lines without one count as visits where the policy has a category of
 * stream audience (domain/usage/audience.h); lines of nobody else, and about whom nothing may be recorded, are dropped
 * and counted, as are fields that the policy does not declare and query strings. Card numbers are masked. A line that
 * cannot be read stops nothing: it is counted and named by its number. Operator only. */
enum err usage_log_take(struct ctx *c, const struct json *in, struct answer *out);

/* Figures of one whole month that is over ("2026-10"), for that purpose, by `by`: day, page, action, person, or a field
 * ("company", "work.company") of a category of the purpose that has one record of each person; of events it is what the
 * field was at the event's time. Of a purpose without events people are counted. Who objected, is restricted, closed or
 * out of the caller's reach is not counted. A group of fewer people than purposes.*.min_group (10 where it is not set)
 * is not shown, nor what would tell of it by subtraction. By person: for purposes that use a category which describes
 * people, and each sees it among their looks. Answer: {"rows": [{"key", "people", "events", "errors", "downloads",
 * "p50", "p95", "people_before", "events_before"}], "hidden": groups, "all": …, "min_group"}, null for a figure that
 * is not shown. The last two are of the month before (of a day, the same day of it), as asking for that month shows. */
enum err usage_figures(struct ctx *c, text purpose, text by, text month, struct answer *out);

#endif

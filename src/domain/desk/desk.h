/* The desk: what is due this week, of every register, by severity; where whoever answers people begins. */
#ifndef DOMAIN_DESK_DESK_H
#define DOMAIN_DESK_DESK_H
#include "domain/core/ctx.h"

/* For who may `export` and sees everybody: {"items": [{"kind", "title", "reference", "path", "due", "days_left",
 * "severity": late, now, week or open, "count"?}], "counts": [{"kind", "title", "count"}], "months": [{…}]
 * (desk/figures.h), "more", "calm", "feed"}: the
 * most urgent DESK_SHOWN of what is due within seven days, of which `counts` tells all. `feed` is the address of the
 * calendar, null for a program. Nobody is named; whoever an item leads to is on record as looked at. */
enum { DESK_SHOWN = 100 };
enum err desk_show(struct ctx *c, struct answer *out);
/* The same as a calendar (RFC 5545), without a name and without whom it is about. */
enum err desk_calendar(struct ctx *c, struct answer *out);
/* That calendar for whom the address was made for: while they may see the desk, and until their password changes.
 * ERR_NOT_FOUND alike for every other token. */
enum err desk_feed(struct ctx *c, text token, struct answer *out);

#endif

/* Figures of the last twelve months, for whoever keeps the register: sums of no person. */
#ifndef DOMAIN_DESK_FIGURES_H
#define DOMAIN_DESK_FIGURES_H
#include "domain/core/ctx.h"

enum { DESK_MONTHS = 12 };

/* "months": [{"month": "2026-11", "requests", "answered", "late", "days", "longest", "limit", "given", "withdrawn"}],
 * the oldest first, the last one under way, by the controller's calendar. Of the requests received in that month: how
 * many were answered or refused, and how many were not by their legal date (GDPR 12(3)); in how many days, begun ones
 * whole, on average and at most, without the time spent waiting for the person (null: none was answered yet); `limit`:
 * the days of the law's month that began then. Of consents on record, how many were given and withdrawn in it. */
enum err desk_put_figures(struct ctx *c, struct json_out *w);

#endif

/* Budgets: what one person may have of anything that grows. */
#ifndef DOMAIN_CORE_BUDGET_H
#define DOMAIN_CORE_BUDGET_H
#include "domain/core/ctx.h"

enum budget {
#define BUDGET(name, ...) BUDGET_##name,
#include "domain/core/budgets.def"
#undef BUDGET
#undef MIB
    BUDGETS
};
/* Limit: in units. */
struct budget_row {
    text name;
    int64_t limit, unit;
    msec within;
    enum err error;
    text en, fr;
};
const struct budget_row *budget_row(enum budget b);
/* The error of that row when `used` and `more` together (bytes where its unit is MiB) are beyond its limit, said in `a`
 * with its words in `language`, and when to try again. */
enum err budget_check(struct arena *a, text language, enum budget b, int64_t used, int64_t more);

/* What an act of the journal takes from: a budget, or -1 and the reason in *why. -2: no row. */
int budget_of_act(text act, text *why);

/* What was done about each person today, in memory that does not grow: two people may be taken for one, but never
 * somebody for nobody. */
struct spending;

struct spending *spending_open(void); /* NULL: no memory */
void spending_close(struct spending **s); /* NULL is fine */
/* Before a write about a person: one from the budget of its act. ERR_TOO_MANY until the day (UTC) is over. */
struct write;
enum err budget_spend(struct ctx *c, const struct write *w);
/* One of that budget within the day for what is no person: a form, a network address. */
enum err budget_take(struct ctx *c, enum budget b, text what);
/* A request of a signed-in person. ERR_TOO_MANY until the minute is over; asked by everything but what withdraws,
 * objects, erases and signs out. */
enum err budget_ask(struct ctx *c);

#endif

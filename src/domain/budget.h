/* Budgets: what one person may have of anything that grows. */
#ifndef DOMAIN_BUDGET_H
#define DOMAIN_BUDGET_H
#include "domain/ctx.h"

enum budget {
#define BUDGET(name, limit, within, error, en, fr) BUDGET_##name,
#include "domain/budgets.def"
#undef BUDGET
    BUDGETS
};
struct budget_row { text name; int64_t limit; msec within; enum err error; text en, fr; };
const struct budget_row *budget_row(enum budget b);
/* The error of that row when `used` and `more` together are beyond its limit, said in `a` with its words, and when to try again. */
enum err budget_check(struct arena *a, enum budget b, int64_t used, int64_t more);

#endif

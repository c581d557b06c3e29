/* Budgets: what one person may have of anything that grows. */
#ifndef DOMAIN_BUDGET_H
#define DOMAIN_BUDGET_H
#include "domain/ctx.h"

enum budget {
#define BUDGET(name, ...) BUDGET_##name,
#include "domain/budgets.def"
#undef BUDGET
#undef MIB
    BUDGETS
};
struct budget_row { text name; int64_t limit, unit; msec within; enum err error; text en, fr; };   /* limit: in units */
const struct budget_row *budget_row(enum budget b);
/* The error of that row when `used` and `more` together (bytes where its unit is MiB) are beyond its limit, said in `a` with its words in
 * `language`, and when to try again. */
enum err budget_check(struct arena *a, text language, enum budget b, int64_t used, int64_t more);

#endif

/* Budgets: the rows of budgets.def, and what is said beyond one. */
#include "domain/budget.h"

static const struct budget_row rows[] = {
#define BUDGET(name, limit, within, error, en, fr) { TEXT_INIT(#name), limit, within, error, TEXT_INIT(en), TEXT_INIT(fr) },
#define TOO_MANY ERR_TOO_MANY
#include "domain/budgets.def"
#undef TOO_MANY
#undef BUDGET
};

const struct budget_row *budget_row(enum budget b) { return &rows[b]; }

enum err budget_check(struct arena *a, enum budget b, int64_t used, int64_t more)
{
    const struct budget_row *row = &rows[b];
    if (used + more <= row->limit)
        return OK;
    say(a, row->error, "at most %lld %.*s", (long long)row->limit, T(row->en));
    a->why.retry = row->within ? (int)(row->within / SECOND / 24) : 1;
    return row->error;
}

/* Budgets: the rows of budgets.def, and what is said beyond one. */
#include "domain/budget.h"

static const struct budget_row rows[] = {
#define BUDGET(name, limit, unit, within, error, en, fr) { TEXT_INIT(#name), limit, unit, within, ERR_##error, TEXT_INIT(en), TEXT_INIT(fr) },
#include "domain/budgets.def"
#undef BUDGET
#undef MIB
};

const struct budget_row *budget_row(enum budget b) { return &rows[b]; }

enum err budget_check(struct arena *a, text language, enum budget b, int64_t used, int64_t more)
{
    const struct budget_row *row = &rows[b];
    if (used + more <= row->limit * row->unit)
        return OK;
    bool fr = text_eq(language, TEXT("fr"));
    say(a, row->error, fr ? "au plus %lld %.*s" : "at most %lld %.*s", (long long)row->limit, T(fr ? row->fr : row->en));
    a->why.retry = row->within ? (int)(row->within / SECOND / 24) : 1;
    return row->error;
}

/* Figures of the desk: requests by the month in which they came, and consents given and withdrawn, asked of an index
 * that holds all that is summed. */
#include "domain/desk/figures.h"
#include "base/calendar.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"

struct month {
    struct date first;
    msec from, until;
    int64_t requests, answered, late, given, withdrawn;
    msec took, longest;
};

static enum err sum_requests(const struct ctx *c, struct db *db, struct month *m)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_DESK_MONTH_REQUESTS,
                ARGS(V_TEXT(c->tenant), V_INT(m->from), V_INT(m->until), V_INT(c->now)));
    if (query_next(&q)) {
        m->requests = query_get(&q, DESK_MONTH_REQUESTS, requests);
        m->answered = query_get(&q, DESK_MONTH_REQUESTS, answered);
        m->late = query_get(&q, DESK_MONTH_REQUESTS, late);
        m->took = query_get(&q, DESK_MONTH_REQUESTS, took);
        m->longest = query_get(&q, DESK_MONTH_REQUESTS, longest);
    }
    return q.status;
}

static enum err sum_consents(const struct ctx *c, struct db *db, struct month *m)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_DESK_MONTH_CONSENTS, ARGS(V_TEXT(c->tenant), V_INT(m->from), V_INT(m->until)));
    if (query_next(&q)) {
        m->given = query_get(&q, DESK_MONTH_CONSENTS, given);
        m->withdrawn = query_get(&q, DESK_MONTH_CONSENTS, withdrawn);
    }
    return q.status;
}

static enum err sum_months(const struct ctx *c, struct month *all)
{
    struct date this = value_day(c, c->now);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    this.day = 1;
    for (int i = 0; i < DESK_MONTHS; i++) {
        struct month *m = &all[i];
        m->first = date_add_months(this, i - DESK_MONTHS + 1);
        m->from = value_day_start(c, m->first);
        m->until = value_day_start(c, date_add_months(m->first, 1));
        TRY(sum_requests(c, db, m));
        TRY(sum_consents(c, db, m));
    }
    return OK;
}

static void put_days(struct json_out *w, text name, bool known, msec took)
{
    json_name(w, name);
    if (known)
        json_put_int(w, (took + DAY - 1) / DAY);
    else
        json_put_null(w);
}

enum err desk_put_figures(struct ctx *c, struct json_out *w)
{
    struct month all[DESK_MONTHS] = { 0 };
    TRY(sum_months(c, all));
    json_name(w, TEXT("months"));
    json_open(w, '[');
    for (int i = 0; i < DESK_MONTHS; i++) {
        const struct month *m = &all[i];
        json_open(w, '{');
        json_pair(w, TEXT("month"), text_upto(date_print(c->arena, m->first), 7));
        json_pair_int(w, TEXT("requests"), m->requests);
        json_pair_int(w, TEXT("answered"), m->answered);
        json_pair_int(w, TEXT("late"), m->late);
        put_days(w, TEXT("days"), m->answered > 0, m->answered ? m->took / m->answered : 0);
        put_days(w, TEXT("longest"), m->answered > 0, m->longest);
        json_pair_int(w, TEXT("limit"), date_month_days(m->first.year, m->first.month));
        json_pair_int(w, TEXT("given"), m->given);
        json_pair_int(w, TEXT("withdrawn"), m->withdrawn);
        json_close(w, '}');
    }
    json_close(w, ']');
    return arena_whole(c->arena);
}

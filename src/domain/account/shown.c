/* An account as it is shown. */
#include "domain/core/instance.h"
#include "domain/core/id.h"
#include "domain/person/account.h"
#include "domain/core/data_subject.h"
#include "domain/account/shown.h"

void account_put_time(struct json_out *w, text name, msec at)
{
    char out[TIME_TEXT + 1];
    json_pair(w, name, at ? time_text(at, out) : (text){ NULL, 0 });
}

/* ---- One account. ---- */

static enum err put_managers(struct ctx *c, const struct person *p, struct json_out *w)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TEAM_OF, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
    json_name(w, TEXT("managers"));
    json_open(w, '[');
    while (query_next(&q))
        json_put_text(w, id_column(c->arena, &q, COL(TEAM_OF, manager)));
    json_close(w, ']');
    return q.status;
}

/* What each of them is: their roles, which may be told to whom their names are not. In the order of put_managers(). */
static enum err put_manager_roles(struct ctx *c, const struct person *p, struct json_out *w)
{
    enum { MOST = 64 };
    struct subject_id *all = NEW_ARRAY(c->arena, struct subject_id, MOST);
    unsigned count = 0;
    TRY_PTR(all);
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_TEAM_OF, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
        while (count < MOST && query_next(&q) && query_get(&q, TEAM_OF, manager).n == sizeof *all)
            memcpy(&all[count++], query_get(&q, TEAM_OF, manager).p, sizeof *all);
        TRY(q.status);
    }
    json_name(w, TEXT("manager_roles"));
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++) {
        struct account a;
        TRY(account_load(c, all[i], &a));
        json_put_text(w, a.role);
    }
    json_close(w, ']');
    return OK;
}

static enum err count_sessions(struct ctx *c, const struct person *p, int64_t *out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SESSION_COUNT, ARGS(V_TEXT(c->tenant), V_ID(p->id), V_INT(c->now)));
    *out = query_next(&q) ? query_get(&q, SESSION_COUNT, count) : 0;
    return q.status;
}

enum err account_put(struct ctx *c, const struct person *p, struct json_out *w)
{
    struct account a;
    int64_t sessions;
    TRY(account_load(c, p->id, &a));
    if (!a.there) {
        json_put_null(w);
        return OK;
    }
    TRY(count_sessions(c, p, &sessions));
    json_open(w, '{');
    json_pair(w, TEXT("state"), p->state == PERSON_CLOSED ? TEXT("closed") : a.state);
    json_pair(w, TEXT("role"), a.role.n ? a.role : (text){ NULL, 0 });
    json_pair(w, TEXT("language"), a.language);
    account_put_time(w, TEXT("opened"), a.opened);
    json_pair(w, TEXT("opened_by"), a.opened_by);
    account_put_time(w, TEXT("last_visit"), a.last_visit);
    account_put_time(w, TEXT("agreement"), a.agreement);
    account_put_time(w, TEXT("password_set"), a.password_at); /* that there is one, and since when; never itself */
    json_pair_bool(w, TEXT("second_factor"), a.factor_at != 0);
    json_pair_int(w, TEXT("sessions"), sessions);
    TRY(put_managers(c, p, w));
    TRY(put_manager_roles(c, p, w));
    json_close(w, '}');
    return OK;
}

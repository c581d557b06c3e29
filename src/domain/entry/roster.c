/* Who has an account: lists, one account, its role, team and confidentiality agreement; and who looks after accounts.
 */
#include "domain/person/look_at.h"
#include "domain/core/actor.h"
#include "domain/entry/roster.h"
#include "domain/entry/naming.h"
#include "domain/person/person.h"
#include "domain/entry/may.h"
#include "domain/core/named.h"
#include "domain/account/session.h"
#include "domain/core/instance.h"
#include "domain/core/paging.h"
#include "domain/core/looking.h"
#include "domain/account/shown.h"
#include "domain/entry/opening_inside.h"
#include "domain/person/source.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

enum err account_look(struct ctx *c, const struct person *p, text purpose)
{
    const struct bits all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    struct ask ask = actor_ask(c, 0, -1, ACT_READ);
    ask.consents = &all;
    enum actor_kind kind = c->actor.kind;
    if (kind == ACTOR_OPERATOR)
        return OK;
    if (purpose.n)
        return person_allow(c, p, purpose, NULL, ACT_READ);
    for (unsigned i = 0;
         i < c->policy->purpose_count && (kind == ACTOR_STAFF || kind == ACTOR_SYSTEM || kind == ACTOR_MANAGER); i++) {
        ask.purpose = (int)i;
        if (policy_decide(c->policy, &ask).verdict == ALLOWED)
            return OK;
    }
    return may_refuse(c, p, "may not look through accounts");
}

struct roster_row {
    struct subject_id id;
    text state, role, opened_by;
    msec opened, last_visit, agreement;
    bool factor;
};

static struct roster_row row_of(struct ctx *c, struct query *q)
{
    struct roster_row r = { .state = arena_copy(c->arena, query_get(q, ACCOUNT_PAGE, state)),
                            .role = arena_copy(c->arena, query_get(q, ACCOUNT_PAGE, role)),
                            .opened = query_get(q, ACCOUNT_PAGE, opened),
                            .opened_by = arena_copy(c->arena, query_get(q, ACCOUNT_PAGE, opened_by)),
                            .last_visit = query_get(q, ACCOUNT_PAGE, last_visit),
                            .agreement = query_get(q, ACCOUNT_PAGE, agreement),
                            .factor = query_get(q, ACCOUNT_PAGE, factor_at) != 0 };
    text bytes = query_get(q, ACCOUNT_PAGE, subject);
    memcpy(&r.id, bytes.p, bytes.n < sizeof r.id ? bytes.n : sizeof r.id);
    return r;
}

struct listing {
    text state, role;
    struct subject_id after;
    bool names;
    struct naming naming;
};

/* What is told of the person themself. Who was erased meanwhile is a number without more. */
static enum err put_person(struct ctx *c, struct look_list *l, struct subject_id id, struct json_out *w)
{
    const struct listing *asked = l->arg;
    PERSON_AUTO p = { 0 };
    struct why why = c->arena->why;
    text names = TEXT(""), name = TEXT("");
    enum err status = person_open(c, id_print(c->arena, id), false, &p);
    if (status == OK) {
        TRY(identifier_confusable(c, &p, &names));
        TRY(naming_read(c, &asked->naming, &p, &name));
    } else if (status != ERR_NOT_FOUND) {
        return status;
    }
    c->arena->why = why;
    json_pair_bool(w, TEXT("confusable"), names.n > 0);
    if (asked->naming.category >= 0)
        json_pair(w, TEXT("name"), name.n ? name : (text){ NULL, 0 });
    return name.n ? look_read(c, l, id) : look_saw(c, l, id);
}

static enum err put_row(struct ctx *c, struct look_list *l, const struct roster_row *r, struct json_out *w)
{
    json_open(w, '{');
    json_pair(w, TEXT("id"), id_print(c->arena, r->id));
    json_pair(w, TEXT("state"), r->state);
    json_pair(w, TEXT("role"), r->role.n ? r->role : (text){ NULL, 0 });
    account_put_time(w, TEXT("opened"), r->opened);
    json_pair(w, TEXT("opened_by"), r->opened_by);
    account_put_time(w, TEXT("last_visit"), r->last_visit);
    account_put_time(w, TEXT("agreement"), r->agreement);
    json_pair_bool(w, TEXT("second_factor"), r->factor);
    TRY(put_person(c, l, r->id, w));
    json_close(w, '}');
    return OK;
}

/* Names are read for a purpose: the one that was named, or, on a page, the first of the role that allows it. */
static enum err may_list(struct ctx *c, struct look_list *l)
{
    struct listing *asked = l->arg;
    TRY(account_look(c, NULL, l->purpose));
    asked->naming.category = -1;
    if (l->purpose.n || asked->names)
        naming_of(c, l->purpose, &asked->naming);
    if (asked->naming.category < 0)
        return OK;
    l->purpose = c->policy->purposes[asked->naming.purpose].name;
    l->categories = c->policy->categories[asked->naming.category].name;
    return OK;
}

static enum err load_page(struct ctx *c, const struct look_list *l, struct roster_row *out, int64_t *rows, bool *more)
{
    const struct listing *asked = l->arg;
    const struct actor_class *class = may_class_of(c);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ACCOUNT_PAGE,
                ARGS(V_TEXT(c->tenant), V_TEXT(asked->state), V_TEXT(asked->role), V_ID(asked->after),
                     V_INT(l->asked->limit + 1), V_INT(class && class->sees_team), V_ID(c->actor.self)));
    for (*rows = 0; paging_row(l->asked, &q, rows, more);)
        out[*rows - 1] = row_of(c, &q);
    return q.status;
}

static enum err show_page(struct ctx *c, struct look_list *l, struct json_out *w)
{
    bool more;
    struct roster_row *all = NEW_ARRAY(c->arena, struct roster_row, (size_t)l->asked->limit + 1);
    TRY_PTR(all);
    TRY(load_page(c, l, all, &l->count, &more));
    json_name(w, TEXT("accounts"));
    json_open(w, '[');
    for (int64_t i = 0; i < l->count; i++)
        TRY(put_row(c, l, &all[i], w));
    json_close(w, ']');
    return paging_end(c, more, l->count ? id_print(c->arena, all[l->count - 1].id) : (text){ NULL, 0 }, w, &l->out);
}

enum err account_list(struct ctx *c, text state, text role, text purpose, bool names, const struct paging *asked,
                      struct answer *out)
{
    const text none = TEXT("");
    struct listing of = { .state = state.p ? state : none, .role = role.p ? role : none, .names = names };
    struct look_list l = { .act = TEXT("subject.list"),
                           .each = TEXT("account.listed"),
                           .purpose = purpose.p ? purpose : none,
                           .may = may_list,
                           .show = show_page,
                           .asked = asked,
                           .arg = &of };
    if (asked->after.n && !id_parse(asked->after, &of.after))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}

static enum err put_confusable(struct ctx *c, const struct person *p, struct json_out *w)
{
    text names;
    TRY(identifier_confusable(c, p, &names));
    json_name(w, TEXT("confusable"));
    json_open(w, '[');
    while (names.n)
        json_put_text(w, text_cut(&names, ' '));
    json_close(w, ']');
    return OK;
}

/* Where the data came from, and who supplied them; and whether their names may be taken for another's. */
static enum err put_origin(struct ctx *c, const struct person *p, struct json_out *w)
{
    text supplier;
    TRY(source_supplier(c, p, &supplier));
    json_pair(w, TEXT("source"), p->source);
    json_pair(w, TEXT("source_title"), doc_source(c, p->source));
    json_pair(w, TEXT("supplied_by"), supplier.n ? supplier : (text){ NULL, 0 });
    return put_confusable(c, p, w);
}

static enum err may_see(struct ctx *c, struct look *l)
{
    struct account a;
    TRY(account_look(c, &l->p, l->purpose));
    TRY(account_load(c, l->p.id, &a));
    return a.there ? OK : say(c->arena, ERR_NOT_FOUND, "this person has no account");
}

static enum err put_name(struct ctx *c, struct look *l, struct json_out *w)
{
    const bool *names = l->arg;
    struct naming naming;
    text name;
    if (!l->purpose.n && !*names)
        return OK;
    naming_of(c, l->purpose, &naming);
    TRY(naming_read(c, &naming, &l->p, &name));
    if (!name.n)
        return OK;
    json_pair(w, TEXT("name"), name);
    l->event.purpose = c->policy->purposes[naming.purpose].name;
    l->event.categories = c->policy->categories[naming.category].name;
    return OK;
}

static enum err show_account(struct ctx *c, struct look *l, struct json_out *w)
{
    json_pair(w, TEXT("id"), id_print(c->arena, l->p.id));
    TRY(put_name(c, l, w));
    TRY(put_origin(c, &l->p, w));
    json_name(w, TEXT("account"));
    return account_put(c, &l->p, w);
}

enum err account_get(struct ctx *c, text id, text purpose, bool names, struct answer *out)
{
    struct look l = { .act = TEXT("account.read"),
                      .purpose = purpose.p ? purpose : TEXT(""),
                      .may = may_see,
                      .show = show_account,
                      .arg = &names };
    return look_at_person(c, id, &l, out);
}

/* ---- Changes. ---- */

struct standing {
    struct ctx *c;
    const struct person *p;
    text role;
    struct subject_id manager;
    bool has_manager;
    msec agreement;
};

static enum err begin(struct ctx *c, text id, struct person *p, struct account *a)
{
    TRY(person_open(c, id, false, p));
    TRY(account_load(c, p->id, a));
    return a->there ? OK : say(c->arena, ERR_NOT_FOUND, "this person has no account");
}

static enum err run_role(struct db *db, struct write *w)
{
    const struct standing *s = w->arg;
    text tenant = s->c->tenant;
    TRY(write_person_there(db, tenant, s->p->id));
    TRY(db_run(db, SQL_ACCOUNT_ROLE, NULL, ARGS(V_TEXT(tenant), V_ID(s->p->id), s->role.n ? V_TEXT(s->role) : V_NULL)));
    TRY(db_run(db, SQL_TEAM_LEAVE, NULL, ARGS(V_TEXT(tenant), V_ID(s->p->id))));
    TRY(db_run(db, SQL_TOKEN_HOLDER_END, NULL, ARGS(V_TEXT(tenant), V_ID(s->p->id), V_INT(s->c->now))));
    return session_run_end_all(db, tenant, s->p->id, NULL);
}

enum err account_role(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct account a;
    struct standing s = { .c = c, .p = &p, .role = json_text(in, TEXT("role")) };
    TRY(begin(c, id, &p, &a));
    TRY(may_check_role(c, s.role));
    struct write w = { .run = run_role, .arg = &s, .event = event_of(c, &p, TEXT("account.role")) };
    int index = s.role.n ? policy_actor(c->policy, s.role) : -1;
    w.event.clause = index >= 0 ? c->policy->actors[index].clause.path : (text){ NULL, 0 };
    (void)out;
    return write_do(c, &w, NULL);
}

static enum err run_manager(struct db *db, struct write *w)
{
    const struct standing *s = w->arg;
    text tenant = s->c->tenant;
    TRY(write_person_there(db, tenant, s->p->id));
    TRY(db_run(db, SQL_TEAM_NONE, NULL, ARGS(V_TEXT(tenant), V_ID(s->p->id))));
    return s->has_manager ? db_run(db, SQL_TEAM_ADD, NULL,
                                   ARGS(V_TEXT(tenant), V_ID(s->p->id), V_ID(s->manager), V_INT(s->c->now)))
                          : OK;
}

enum err account_manager(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct account a;
    text manager = json_text(in, TEXT("manager"));
    struct standing s = { .c = c, .p = &p, .has_manager = manager.n > 0 };
    TRY(begin(c, id, &p, &a));
    TRY(account_administers(c, &p, false));
    if (s.has_manager)
        TRY(opening_manager(c, manager, &s.manager));
    if (s.has_manager && memcmp(&s.manager, &p.id, sizeof p.id) == 0)
        return say(c->arena, ERR_VALUE, "nobody is their own manager");
    struct write w = { .run = run_manager, .arg = &s, .event = event_of(c, &p, TEXT("account.manager")) };
    (void)out;
    return write_do(c, &w, NULL);
}

/* ---- The confidentiality agreement. ---- */

static enum err run_agreement(struct db *db, struct write *w)
{
    const struct standing *s = w->arg;
    TRY(write_person_there(db, s->c->tenant, s->p->id));
    return db_run(db, SQL_ACCOUNT_AGREEMENT, NULL, ARGS(V_TEXT(s->c->tenant), V_ID(s->p->id), V_INT(s->agreement)));
}

enum err account_agreement(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    enum { REFERENCE_MAX = 200 };
    PERSON_AUTO p = { 0 };
    struct account a;
    struct standing s = { .c = c, .p = &p };
    text date = json_text(in, TEXT("date")), reference = json_text(in, TEXT("reference"));
    TRY(begin(c, id, &p, &a));
    TRY(account_administers(c, &p, false));
    if (c->actor.has_self && memcmp(&c->actor.self, &p.id, sizeof p.id) == 0) {
        say_clause(c->arena, ERR_FORBIDDEN, &c->policy->session.staff_clause, "nobody records their own agreement");
        return write_refusal(c, &p, TEXT(""), TEXT(""));
    }
    struct date day;
    bool whole = date_parse(date, &day) && date_valid(day);
    bool past = whole ? date_days(day) <= date_days(value_day(c, c->now))
                      : time_parse(date, &s.agreement) && s.agreement <= c->now;
    if (whole)
        s.agreement = date_start(day);
    if (!past || s.agreement <= 0)
        return say(c->arena, ERR_VALUE, "\"date\" is the day of the signature, YYYY-MM-DD, and not in the future");
    if (!reference.n || reference.n > REFERENCE_MAX)
        return say(c->arena, ERR_MISSING, "\"reference\" says where the signed agreement is, in at most %d bytes",
                   REFERENCE_MAX);
    struct write w = { .run = run_agreement, .arg = &s, .event = event_of(c, &p, TEXT("account.agreement")) };
    w.event.clause = c->policy->session.staff_clause.path;
    TRY(value_no_card(c, TEXT("reference"), reference));
    TRY(look_seal_told(c, &p, TEXT("reference"), reference, &w.event));
    out->body = arena_print(c->arena, "{\"agreement\":\"%.*s\"}", T(time_print(c->arena, s.agreement)));
    return write_do(c, &w, NULL);
}

/* ---- How many wait for somebody's word. ---- */

enum err account_waiting(struct ctx *c, int64_t *out)
{
    const struct actor_class *class = may_class_of(c);
    READ_AUTO db = NULL;
    *out = 0;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_ACCOUNT_WAITING,
                ARGS(V_TEXT(c->tenant), V_INT(class && class->sees_team), V_ID(c->actor.self)));
    if (query_next(&q))
        *out = query_get(&q, ACCOUNT_WAITING, count);
    return q.status;
}

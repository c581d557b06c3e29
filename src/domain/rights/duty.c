/* Duties: what is owed to people and recipients, with its deadline. */
#include "domain/person/look_at.h"
#include "domain/person/owed.h"
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/person/person.h"
#include "domain/rights/duty.h"
#include "domain/core/paging.h"
#include "domain/core/named.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"

static void put_duty(struct ctx *c, struct query *q, struct json_out *w)
{
    const struct duty_kind *k = owed_kind_of(query_get(q, DUTY_LIST, kind));
    char time[TIME_TEXT + 1];
    json_open(w, '{');
    json_pair(w, TEXT("id"), id_column(c->arena, q, COL(DUTY_LIST, id)));
    json_pair(w, TEXT("kind"), query_get(q, DUTY_LIST, kind));
    json_pair(w, TEXT("article"), k ? k->article : (text){ NULL, 0 });
    json_pair(w, TEXT("title"), k ? doc_in(c, k->en, k->fr) : (text){ NULL, 0 });
    json_pair(w, TEXT("about"), query_get(q, DUTY_LIST, about));
    json_pair(w, TEXT("subject"), id_column(c->arena, q, COL(DUTY_LIST, subject)));
    json_pair(w, TEXT("categories"), query_get(q, DUTY_LIST, categories));
    json_pair(w, TEXT("note"), query_get(q, DUTY_LIST, note));
    json_pair(w, TEXT("since"), time_text(query_get(q, DUTY_LIST, at), time));
    json_pair(w, TEXT("due"), time_text(query_get(q, DUTY_LIST, due), time));
    json_pair_bool(w, TEXT("late"), query_get(q, DUTY_LIST, due) < c->now);
    json_close(w, '}');
}

struct listing {
    int64_t due; /* where a page begins: "due.id" of the row before it */
    struct subject_id id;
};

static enum err may_list(struct ctx *c, struct look_list *l)
{
    l->count = 0;
    return person_allow_act(c, NULL, ACT_EXPORT); /* for who answers people */
}

static enum err show_page(struct ctx *c, struct look_list *l, struct json_out *w)
{
    const struct listing *from = l->arg;
    bool more;
    text place = { NULL, 0 };
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DUTY_LIST,
                ARGS(V_TEXT(c->tenant), V_INT(l->asked->limit + 1), V_INT(person_sees_team(c)), V_ID(c->actor.self),
                     V_INT(from->due), V_ID(from->id)));
    json_name(w, TEXT("duties"));
    json_open(w, '[');
    while (paging_row(l->asked, &q, &l->count, &more)) {
        put_duty(c, &q, w);
        TRY(look_saw_row(c, l, &q, COL(DUTY_LIST, subject)));
        if (l->count == l->asked->limit)
            place = arena_print(c->arena, "%lld.%.*s", (long long)query_get(&q, DUTY_LIST, due),
                                T(id_column(c->arena, &q, COL(DUTY_LIST, id))));
    }
    TRY(q.status);
    json_close(w, ']');
    return paging_end(c, more, place, w, &l->out);
}

enum err duty_list(struct ctx *c, const struct paging *asked, struct answer *out)
{
    struct listing from = { .due = -1 };
    text after = asked->after;
    struct look_list l = { .act = TEXT("duty.list"),
                           .each = TEXT("duty.listed"),
                           .may = may_list,
                           .show = show_page,
                           .asked = asked,
                           .arg = &from };
    if (after.n && (!paging_number(&after, &from.due) || !id_parse(after, &from.id)))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}

struct doing {
    struct ctx *c;
    struct subject_id id;
    text outcome, note;
};

static enum err run_done(struct db *db, struct write *w)
{
    const struct doing *d = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_DUTY_DONE, &changed,
               ARGS(V_TEXT(d->c->tenant), V_ID(d->id), V_INT(d->c->now), V_TEXT(d->outcome),
                    d->note.p ? V_TEXT(d->note) : V_NULL, V_INT(person_sees_team(d->c)), V_ID(d->c->actor.self))));
    return changed ? OK : say(db_arena(db), ERR_NOT_FOUND, "there is no such duty, or it was done already");
}

enum err duty_done(struct ctx *c, text duty, const struct json *in, struct answer *out)
{
    static const text outcomes[] = { TEXT_INIT("done"), TEXT_INIT("impossible"), TEXT_INIT("disproportionate") };
    enum { NOTE_MAX = 500 };
    struct doing d = { .c = c, .note = json_text(in, TEXT("note")) };
    TRY(person_allow_act(c, NULL, ACT_EXPORT));
    text said = json_get(in, TEXT("outcome")) ? json_text(in, TEXT("outcome")) : outcomes[0];
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        if (text_eq(outcomes[i], said))
            d.outcome = outcomes[i];
    if (!d.outcome.n || d.note.n > NOTE_MAX)
        return say(c->arena, ERR_VALUE,
                   "\"outcome\" is one of done, impossible, disproportionate; \"note\" has at most %d bytes", NOTE_MAX);
    TRY(value_no_card(c, TEXT("note"), d.note));
    if (!id_parse(duty, &d.id))
        return say(c->arena, ERR_NOT_FOUND, "there is no such duty");
    TRY(written_seal(ctx_store(c), c->arena, c->tenant, TEXT("duty"), d.note, &d.note));
    struct write w = { .run = run_done, .arg = &d, .event = event_of(c, NULL, TEXT("duty.done")) };
    w.event.purpose = d.outcome;
    return write_do(c, &w, out);
}

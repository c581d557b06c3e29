/* Looks at people: found, decided, on record, and then shown; by every door the same. */
#include "domain/person/look_at.h"
#include "base/must.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/core/write.h"
#include "domain/person/person.h"

/* A session whose role still waits for its second factor looks at nothing, whichever door let it in. */
static enum err check_factor(struct ctx *c)
{
    if (!c->session || c->actor.kind == ACTOR_PERSON || !text_eq(c->session->closed, TEXT("factor")))
        return OK;
    say_clause(c->arena, ERR_FORBIDDEN, &c->policy->session.staff_clause, "role \"%.*s\" needs a second factor",
               T(c->actor.name));
    return write_refusal(c, NULL, TEXT(""), TEXT(""));
}

/* ---- One person. ---- */

enum err look_by_right(struct ctx *c, struct look *l) { return person_allow_act(c, &l->p, ACT_EXPORT); }

enum err look_at_own(struct ctx *c, struct look *l)
{
    must(!c->actor.has_self || memcmp(&c->actor.self, &l->p.id, sizeof l->p.id) == 0);
    return OK;
}

static enum err make_answer(struct ctx *c, struct look *l)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    TRY(l->show(c, l, &w));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &l->out.body);
}

const struct person *look_person(const struct look *l) { return l->absent ? NULL : &l->p; }

static enum err find_person(struct ctx *c, text id, struct look *l)
{
    l->absent = !id.p;
    if (l->absent)
        return OK;
    enum err status = person_open(c, id, l->closed_too, &l->p);
    l->absent = l->gone_too && status == ERR_NOT_FOUND && id_parse(id, &l->p.id);
    return l->absent ? OK : status;
}

static enum err look(struct ctx *c, text id, struct look *l, struct answer *out)
{
    TRY(check_factor(c));
    TRY(find_person(c, id, l));
    const struct person *of = l->apart ? NULL : look_person(l);
    l->event = event_of(c, of, l->act);
    l->event.purpose = l->purpose;
    TRY(l->may(c, l));
    TRY(look_allow(c, of, l->event.purpose, NULL));
    if (l->show)
        TRY(make_answer(c, l));
    struct write w = { .run = l->run, .arg = l->arg, .event = l->event };
    if (of)
        TRY(look_seal(c, of, &w.event));
    TRY(write_do(c, &w, l->kept));
    *out = l->out;
    return l->give ? l->give(c, l, out) : OK;
}

enum err look_at_person(struct ctx *c, text id, struct look *l, struct answer *out)
{
    enum err status = look(c, id, l, out);
    person_end(&l->p);
    return status;
}

/* ---- A list. ---- */

static enum err saw(struct ctx *c, struct look_list *l, struct subject_id id, bool data)
{
    /* Rows of one person stand together in every list. */
    struct seen_one *last = l->seen_count ? &l->seen[l->seen_count - 1] : NULL;
    if (last && memcmp(&last->id, &id, sizeof id) == 0) {
        last->data |= data;
        return OK;
    }
    if (l->seen_count == l->room) {
        struct seen_one *wider = NEW_ARRAY(c->arena, struct seen_one, l->room = l->room ? l->room * 2 : 64);
        TRY_PTR(wider);
        if (l->seen_count)
            memcpy(wider, l->seen, l->seen_count * sizeof *wider);
        l->seen = wider;
    }
    l->seen[l->seen_count++] = (struct seen_one){ id, data };
    return OK;
}

enum err look_saw(struct ctx *c, struct look_list *l, struct subject_id id) { return saw(c, l, id, false); }
enum err look_read(struct ctx *c, struct look_list *l, struct subject_id id) { return saw(c, l, id, true); }

enum err look_saw_row(struct ctx *c, struct look_list *l, struct query *q, struct col column)
{
    static const struct subject_id nobody;
    struct subject_id id;
    text bytes = query_bytes(q, column);
    if (bytes.n != sizeof id || memcmp(bytes.p, &nobody, sizeof id) == 0)
        return OK;
    memcpy(&id, bytes.p, sizeof id);
    return look_saw(c, l, id);
}

struct telling {
    struct event *events;
    unsigned count;
};

/* Whose key is gone was erased meanwhile, or is only kept in part: nobody reads that view any more. */
static enum err tell_one(struct ctx *c, const struct look_list *l, struct seen_one one, struct telling *t)
{
    PERSON_AUTO p = { .id = one.id };
    enum err status = store_key(ctx_store(c), c->arena, c->tenant, one.id, 0, &p.key);
    if (status == ERR_ERASED || status == ERR_NOT_FOUND)
        return OK;
    TRY(status);
    journal_pseudonym(&p.key, &p.who);
    struct event *e = &t->events[t->count++];
    *e = event_of(c, &p, l->each);
    e->purpose = l->purpose;
    e->categories = one.data ? l->categories : TEXT("");
    return look_seal(c, &p, e);
}

static enum err run_tell(struct db *db, struct write *w)
{
    const struct telling *t = w->arg;
    for (unsigned i = 0; i < t->count; i++)
        TRY(journal_add(db, &t->events[i], NULL));
    return OK;
}

static enum err write_list(struct ctx *c, const struct look_list *l)
{
    struct telling t = { .events = NEW_ARRAY(c->arena, struct event, l->seen_count + 1) };
    struct write w = { .run = run_tell, .arg = &t, .event = event_of(c, NULL, l->act) };
    TRY_PTR(t.events);
    w.event.purpose = l->purpose;
    w.event.count = l->count;
    w.event.categories = l->categories;
    for (unsigned i = 0; i < l->seen_count; i++)
        TRY(tell_one(c, l, l->seen[i], &t));
    return write_do(c, &w, NULL);
}

enum err look_at_people(struct ctx *c, struct look_list *l, struct answer *out)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    TRY(check_factor(c));
    TRY(l->may(c, l));
    TRY(look_allow(c, NULL, l->purpose, NULL));
    json_open(&w, '{');
    TRY(l->show(c, l, &w));
    json_close(&w, '}');
    TRY(buf_take(c->arena, &b, &l->out.body));
    TRY(write_list(c, l));
    *out = l->out;
    return OK;
}

/* The answers of a form, for who may read them: under a purpose of the form, and of each person under its basis. */
#include "domain/choice/choice.h"
#include "domain/choice/joining.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"
#include "domain/person/record.h"

struct listing {
    struct point point;
    struct subject_id after;
};
struct answer_row {
    struct subject_id id, subject;
    bool of_person, unproven;
    sealed body;
    msec at;
};

static void categories_of(const struct ctx *c, const struct point *p, struct bits *out)
{
    *out = (struct bits){ { 0 } };
    for (unsigned i = 0; i < p->field_count; i++)
        bits_add(out, (unsigned)(p->fields[i].category - c->policy->categories));
}

/* The purpose is one of the form's, and the role reads for it; consents are each person's, and asked one by one. */
static enum err may_list(struct ctx *c, struct look_list *l)
{
    const struct listing *of = l->arg;
    struct bits set, given = { { 0 } };
    int purpose = policy_purpose(c->policy, l->purpose);
    categories_of(c, &of->point, &set);
    if (purpose < 0 || !point_serves(&of->point, l->purpose)) {
        say_clause(c->arena, ERR_PURPOSE, of->point.clause, "the form \"%.*s\" does not serve purpose \"%.*s\"",
                   T(of->point.name), T(value_shown(l->purpose)));
        return write_refusal(c, NULL, value_shown(l->purpose), event_categories(c, &set));
    }
    bits_add(&given, (unsigned)purpose);
    /* What the purpose does not use is not shown. */
    for (size_t i = 0; i < sizeof set.w / sizeof *set.w; i++)
        set.w[i] &= c->policy->purposes[purpose].categories.w[i];
    return person_allow_some(c, NULL, &given, l->purpose, &set, ACT_READ);
}

static enum err load_page(struct ctx *c, const struct look_list *l, struct answer_row *out, int64_t *rows, bool *more)
{
    const struct listing *of = l->arg;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBMISSION_LIST,
                ARGS(V_TEXT(c->tenant), V_TEXT(of->point.name), V_ID(of->after), V_INT(l->asked->limit + 1)));
    for (*rows = 0; paging_row(l->asked, &q, rows, more);) {
        struct answer_row *row = &out[*rows - 1];
        *row = (struct answer_row){ .of_person = !query_null(&q, SUBMISSION_LIST, subject),
                                    .at = query_get(&q, SUBMISSION_LIST, at),
                                    .unproven = query_get(&q, SUBMISSION_LIST, pending) != 0 };
        memcpy(&row->id, query_get(&q, SUBMISSION_LIST, id).p, sizeof row->id);
        if (row->of_person)
            memcpy(&row->subject, query_get(&q, SUBMISSION_LIST, subject).p, sizeof row->subject);
        row->body = (sealed){ arena_copy(c->arena, query_get(&q, SUBMISSION_LIST, body).bytes) };
    }
    return q.status;
}

/* The newest record of a category, {field: [value, …]}. */
static enum err put_person(struct ctx *c, struct look_list *l, const struct person *p, struct json_out *w)
{
    const struct point *point = &((const struct listing *)l->arg)->point;
    const struct category *open = NULL;
    const struct json *fields = NULL;
    for (unsigned i = 0; i < point->field_count; i++) {
        const struct point_field *f = &point->fields[i];
        if (!point_shows(c->policy, l->purpose, f->category))
            continue;
        if (f->category != open) {
            struct record *rows;
            unsigned count;
            if (open)
                json_close(w, '}');
            open = f->category;
            TRY(record_load(c, p, (int)(open - c->policy->categories), true, &rows, &count));
            fields = count ? rows[count - 1].fields : NULL;
            json_name(w, open->name);
            json_open(w, '{');
        }
        const struct json *v = json_get(fields, f->field->name);
        if (v && v->first) {
            json_name(w, f->field->name);
            json_put(w, v->first);
        }
    }
    if (open)
        json_close(w, '}');
    return OK;
}

/* As it was sent: of nobody, or of an address that nobody has proven. */
static enum err put_sent(struct ctx *c, struct look_list *l, const struct answer_row *row, struct json_out *w)
{
    const struct point *point = &((const struct listing *)l->arg)->point;
    const struct json *kept;
    text body;
    TRY(joining_unseal(c, NULL, point->name, row->id, row->body, &body));
    TRY(json_parse(c->arena, body, &kept));
    JSON_EACH(fields, json_get(kept, TEXT("data"))) {
        int index = policy_category(c->policy, fields->key);
        if (index < 0 || !point_shows(c->policy, l->purpose, &c->policy->categories[index]))
            continue;
        json_name(w, fields->key);
        json_put(w, fields);
    }
    return OK;
}

static void begin_row(struct ctx *c, const struct answer_row *row, struct json_out *w)
{
    json_open(w, '{');
    json_pair(w, TEXT("id"), id_print(c->arena, row->id));
    json_pair(w, TEXT("at"), time_print(c->arena, row->at));
    json_pair(w, TEXT("subject"), row->of_person ? id_print(c->arena, row->subject) : (text){ NULL, 0 });
    json_pair_bool(w, TEXT("proven"), !row->unproven);
    json_name(w, TEXT("data"));
    json_open(w, '{');
}

/* Somebody whose data may not be read for that purpose (no consent, an objection, a restriction) is not on the list. */
static enum err put_row(struct ctx *c, struct look_list *l, const struct answer_row *row, struct json_out *w)
{
    if (!row->of_person) {
        begin_row(c, row, w);
        TRY(put_sent(c, l, row, w));
    } else {
        PERSON_AUTO p = { 0 };
        struct why kept = c->arena->why;
        bool allowed = false;
        enum err status = person_open(c, id_print(c->arena, row->subject), false, &p);
        if (status == ERR_NOT_FOUND) {
            c->arena->why = kept;
            return OK;
        }
        TRY(status);
        TRY(person_would_allow(c, &p, l->purpose, ACT_READ, &allowed));
        if (!allowed)
            return OK;
        TRY(look_saw(c, l, p.id));
        begin_row(c, row, w);
        TRY(put_person(c, l, &p, w));
    }
    json_close(w, '}');
    json_close(w, '}');
    return OK;
}

static enum err show_page(struct ctx *c, struct look_list *l, struct json_out *w)
{
    bool more;
    struct answer_row *all = NEW_ARRAY(c->arena, struct answer_row, (size_t)l->asked->limit + 1);
    TRY_PTR(all);
    TRY(load_page(c, l, all, &l->count, &more));
    json_name(w, TEXT("answers"));
    json_open(w, '[');
    for (int64_t i = 0; i < l->count; i++)
        TRY(put_row(c, l, &all[i], w));
    json_close(w, ']');
    return paging_end(c, more, more ? id_print(c->arena, all[l->count - 1].id) : TEXT(""), w, &l->out);
}

enum err choice_answers(struct ctx *c, text form, text purpose, const struct paging *asked, struct answer *out)
{
    struct listing of = { .after = { { 0 } } };
    struct look_list l = { .act = TEXT("subject.list"),
                           .each = TEXT("read"),
                           .purpose = purpose.p ? purpose : TEXT(""),
                           .may = may_list,
                           .show = show_page,
                           .asked = asked,
                           .arg = &of };
    TRY(point_find(c, form, &of.point));
    if (asked->after.n && !id_parse(asked->after, &of.after))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}

/* ---- What is new. ---- */

static enum err count_recent(struct ctx *c, text form, int64_t *out)
{
    enum { MOST = 100 };
    const msec since = c->now - 7 * DAY;
    struct subject_id first = { { 0 } };
    for (int i = 0; i < 6; i++)
        first.b[i] = (uint8_t)((uint64_t)since >> (40 - 8 * i));
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBMISSION_RECENT, ARGS(V_TEXT(c->tenant), V_TEXT(form), V_ID(first), V_INT(MOST)));
    if (query_next(&q))
        *out += query_get(&q, SUBMISSION_RECENT, count);
    return q.status;
}

enum err choice_recent(struct ctx *c, const struct actor_class *class, int64_t *out)
{
    struct ctx as = *c;
    struct point p;
    as.actor.index = (int)(class - c->policy->actors);
    *out = 0;
    for (unsigned i = 0; point_at(c, i, &p); i++)
        if (point_is_read(&as, &p))
            TRY(count_recent(c, p.name, out));
    return OK;
}

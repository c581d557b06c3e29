/* Handing over: one person's data of the categories and the time that two people approved, once, on record. */
#include "domain/authority/inside.h"
#include "domain/core/id.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/mail/mail.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"
#include "domain/person/record.h"

struct handing {
    struct ctx *c;
    struct authority a;
    struct subject_id id, subject;
    struct bits set;
    struct authority_telling telling;
    msec from, until;
};

static bool tells_now(const struct handing *h)
{
    return !authority_is_secret(h->c, &h->a);
}

/* As it was read: approved, of that version, and handed over once. */
static enum err run_hand(struct db *db, struct write *w)
{
    const struct handing *h = w->arg;
    text tenant = h->c->tenant;
    int64_t changed;
    TRY(write_person_there(db, tenant, h->subject));
    {
        QUERY_AUTO q;
        query_start(&q, db, SQL_AUTHORITY_GET, ARGS(V_TEXT(tenant), V_ID(h->a.id)));
        bool same = query_next(&q) && query_get(&q, AUTHORITY_GET, version) == h->a.version;
        TRY(q.status);
        if (!same)
            return say(db_arena(db), ERR_PRECONDITION, "the request changed meanwhile: look at it again");
    }
    TRY(db_run(db, SQL_AUTHORITY_HAND, &changed,
               ARGS(V_TEXT(tenant), V_ID(h->subject), V_ID(h->a.id), V_ID(h->id), V_INT(h->c->now))));
    if (!changed)
        return say(db_arena(db), ERR_CONFLICT, "this person's data was handed over already");
    return tells_now(h) ? authority_tell_run(db, &h->telling) : OK;
}

static enum err set_of(struct ctx *c, text names, struct bits *out)
{
    *out = (struct bits){ { 0 } };
    while (names.n) {
        text name = text_cut(&names, ',');
        int index = policy_category(c->policy, name);
        if (index < 0)
            return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                              "the policy no longer has category \"%.*s\"", T(name));
        bits_add(out, (unsigned)index);
    }
    return OK;
}

static enum err check_state(struct ctx *c, const struct authority *a)
{
    if (a->state == AUTHORITY_APPROVED && a->has_first && a->has_second)
        return OK;
    const struct node *clause = node_at(c->policy->root, TEXT("authorities"));
    return say_clause(c->arena, ERR_CONFLICT, policy_clause(c->policy, clause->path),
                      "the request is %.*s: two different people must approve it before anything is handed over",
                      T(authority_state_word(a->state)));
}

static enum err may_hand(struct ctx *c, struct look *l)
{
    struct handing *h = l->arg;
    struct authority_person of;
    TRY(authority_may(c));
    TRY(authority_person_load(c, h->a.id, l->p.id, &of));
    TRY(check_state(c, &h->a));
    if (of.handed)
        return say(c->arena, ERR_CONFLICT, "this person's data was handed over already");
    TRY(set_of(c, h->a.file.categories, &h->set));
    h->subject = l->p.id;
    l->event.categories = h->a.file.categories;
    l->event.clause = TEXT("authorities.disclose");
    return tells_now(h) ? authority_tell_make(c, &h->a, &l->p, h->id, c->now, &h->telling) : OK;
}

/* Of what has a time, only what lies within the time that was asked for. */
static bool within(const struct handing *h, const struct json *one)
{
    msec at;
    text said = json_text(one, TEXT("at"));
    if (!said.n || !time_parse(said, &at))
        return true;
    return at >= h->from && (!h->until || at < h->until);
}

static void put_within(const struct handing *h, const struct json *data, struct json_out *w)
{
    json_name(w, TEXT("data"));
    json_open(w, '{');
    JSON_EACH(category, data) {
        json_name(w, category->key);
        if (category->kind != J_ARRAY) {
            json_put(w, category);
            continue;
        }
        json_open(w, '[');
        JSON_EACH(one, category)
            if (within(h, one))
                json_put(w, one);
        json_close(w, ']');
    }
    json_close(w, '}');
}

static enum err show_handed(struct ctx *c, struct look *l, struct json_out *w)
{
    const struct handing *h = l->arg;
    const struct json *all;
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out whole = json_out(&b);
    json_open(&whole, '{');
    TRY(record_put_data(c, l, &h->set, NULL, &whole));
    json_close(&whole, '}');
    TRY(json_parse_buf(c->arena, &b, &all));
    l->out.id = id_print(c->arena, h->id);
    json_pair(w, TEXT("id"), l->out.id);
    json_pair(w, TEXT("authority"), h->a.file.authority);
    json_pair(w, TEXT("ground"), h->a.file.ground);
    json_pair(w, TEXT("reference"), h->a.file.reference.n ? h->a.file.reference : (text){ NULL, 0 });
    json_pair(w, TEXT("subject"), id_print(c->arena, l->p.id));
    json_pair(w, TEXT("handed"), time_print(c->arena, c->now));
    put_within(h, json_get(all, TEXT("data")), w);
    if (json_get(all, TEXT("unreadable"))) {
        json_name(w, TEXT("unreadable"));
        json_put(w, json_get(all, TEXT("unreadable")));
    }
    return arena_whole(c->arena);
}

enum err authority_hand(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    struct handing h = { .c = c, .id = id_make(c->now) };
    text subject = text_trim(json_text(in, TEXT("subject"))), shown = id_print(c->arena, h.id);
    /* What is kept for a repeated request holds no datum: it says that it was handed over, under which id. */
    const struct answer kept = { .id = shown, .body = arena_print(c->arena, "{\"id\":\"%.*s\"}", T(shown)) };
    struct look l = { .act = TEXT("authority.disclosed"),
                      .purpose = TEXT("authorities"),
                      .closed_too = true,
                      .may = may_hand,
                      .show = show_handed,
                      .run = run_hand,
                      .kept = &kept,
                      .arg = &h };
    TRY_PTR(kept.body.p);
    TRY(authority_may(c));
    TRY(authority_load_named(c, id, &h.a));
    if (!subject.n)
        return say(c->arena, ERR_MISSING, "\"subject\" says whose data is handed over");
    if (h.a.file.from.n && !value_moment(c, h.a.file.from, false, &h.from))
        return say(c->arena, ERR_INTEGRITY, "the request begins on a day that is none");
    if (h.a.file.until.n && !value_moment(c, h.a.file.until, true, &h.until))
        return say(c->arena, ERR_INTEGRITY, "the request ends on a day that is none");
    l.apart = authority_is_secret(c, &h.a);
    return look_at_person(c, subject, &l, out);
}

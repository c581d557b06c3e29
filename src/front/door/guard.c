/* The guard against payment card numbers at the door. */
#include "front/door/guard.h"
#include "base/card.h"
#include "domain/person/card_refuse.h"
#include "front/door/front.h"
#include "front/door/schema.h"

static bool left(text name)
{
    static const text names[] = {
#define LEFT(name, why) TEXT_INIT(name),
#include "front/door/guard.def"
#undef LEFT
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_eq(names[i], name))
            return true;
    return false;
}

/* What the policy declares: its fields are looked through one by one where they are held against it. */
static bool declared(text type)
{
    return text_eq(type, TEXT("Fields")) || text_eq(type, TEXT("Data")) || text_eq(type, TEXT("Patch")) ||
           text_eq(type, TEXT("PreferenceSet"));
}

struct search {
    struct ctx *c;
    text where;
    enum err status;
};

static enum err look_at(struct search *s, text name, text value)
{
    bool found;
    TRY(card_look(s->c->arena, value, &found));
    if (found)
        s->where = name;
    return OK;
}

/* ---- One by one. ---- */

static void visit(void *arg, text type, text name, const struct json *v)
{
    struct search *s = arg;
    if (s->status != OK || s->where.p || left(name) || declared(type))
        return;
    bool found = false;
    s->status = v->key.p ? look_at(s, name, v->key) : OK;
    if (s->status == OK && !s->where.p)
        s->status = card_look_json(s->c->arena, v, NULL, &found);
    if (found)
        s->where = name;
}

/* A part of the path is kept only where something is made under it. */
static enum err look_at_path(struct search *s, const struct request *q)
{
    text rest = q->route->path;
    bool keeps = q->method == METHOD_POST || q->method == METHOD_PUT || q->method == METHOD_PATCH;
    for (size_t i = 0; keeps && rest.p && i < REQUEST_PARAMS && !s->where.p;) {
        text segment = text_cut(&rest, '/');
        if (!segment.n || segment.p[0] != '{')
            continue;
        text name = text_upto(text_from(segment, 1), segment.n - (segment.p[segment.n - 2] == '*' ? 3 : 2));
        if (!left(name))
            TRY(look_at(s, name, q->params[i]));
        i++;
    }
    return OK;
}

/* ---- Together: a number split over members is in none of them. ---- */

/* Whether some member alone holds one: it is then said, and refused, where that member is held against the policy. */
static enum err alone(struct ctx *c, const struct json *v, bool *found)
{
    *found = false;
    if (v->key.p && left(v->key))
        return OK;
    if (v->key.p)
        TRY(card_look(c->arena, v->key, found));
    if (!*found && (v->kind == J_TEXT || v->kind == J_NUMBER))
        TRY(card_look(c->arena, v->value, found));
    JSON_EACH(child, v)
        if (!*found)
            TRY(alone(c, child, found));
    return OK;
}

static enum err look_together(struct search *s, const struct json *body)
{
    bool found, one;
    TRY(card_look_json(s->c->arena, body, left, &found));
    if (!found)
        return OK;
    TRY(alone(s->c, body, &one));
    if (!one)
        s->where = TEXT("body");
    return OK;
}

static enum err search(struct search *s, const struct request *q)
{
    TRY(look_at_path(s, q));
    for (size_t i = 0; i < q->query_count && !s->where.p; i++)
        if (!left(q->queries[i].name))
            TRY(look_at(s, q->queries[i].name, q->queries[i].value));
    if (!q->json || s->where.p)
        return OK;
    schema_each(q->route->input, q->json, visit, s);
    TRY(s->status);
    return s->where.p ? OK : look_together(s, q->json);
}

enum err guard_cards(struct ctx *c, const struct request *q)
{
    struct search s = { .c = c };
    c->card_in = (text){ NULL, 0 };
    /* Card data for the time of a transaction are held in memory alone: the policy's own fields say where. */
    if (route_id(q->route) == ROUTE_transient_put || route_id(q->route) == ROUTE_batch)
        return OK;
    /* Nothing of an answer to a text message is kept: refusing one for a number in it would lose what it ends. */
    if (route_id(q->route) == ROUTE_sms_received)
        return OK;
    TRY(search(&s, q));
    if (!s.where.p)
        return OK;
    bool page = q->route->body == BODY_FORM && !text_starts(q->route->path, TEXT("/v1/"));
    c->card_in = s.where;
    return page ? OK : card_guard_refuse(c, request_param(q, TEXT("id")));
}

/* History: what somebody did on the service, as they see it themselves. */
#include "domain/usage/history.h"
#include "domain/core/actor.h"
#include "domain/core/block.h"
#include "domain/core/ctx.h"
#include "domain/person/look_at.h"
#include "domain/person/record.h"
#include "domain/core/write.h"
#include "policy/policy.h"

struct asked {
    const struct bits *set;
    struct history *out;
};

static enum err add(struct arena *a, struct history *h, const struct history_event *e)
{
    if (h->count == h->room) {
        struct history_event *old = h->list;
        h->room = h->room ? h->room * 2 : 64;
        h->list = NEW_ARRAY(a, struct history_event, h->room);
        TRY_PTR(h->list);
        if (old)
            memcpy(h->list, old, h->count * sizeof *old);
    }
    h->list[h->count++] = *e;
    return OK;
}

static enum err add_block(struct ctx *c, const struct person *p, const struct record *row, struct record_keys *keys,
                          struct history *h)
{
    struct block *b = NEW(c->arena, struct block);
    TRY_PTR(b);
    TRY(record_open_block(c, p, row, keys, b));
    for (unsigned i = 0; i < b->count; i++)
        TRY(add(c->arena, h, &(struct history_event){ .at = b->frames[i].at, .block = b, .number = i }));
    return OK;
}

static enum err add_record(struct ctx *c, const struct person *p, struct record *row, struct history *h)
{
    TRY(record_open(c, p, row));
    const struct json *at = json_get(row->fields, TEXT("at"));
    struct history_event e = { .at = row->at, .fields = row->fields };
    msec said;
    if (at && at->first && time_parse(at->first->value, &said))
        e.at = said;
    return add(c->arena, h, &e);
}

static enum err load_category(struct ctx *c, const struct person *p, int category, struct history *h)
{
    RECORD_KEYS_AUTO keys = { .known = false };
    struct record *rows;
    unsigned count;
    *h = (struct history){ .list = NULL };
    TRY(record_load_sealed(c, p, category, &rows, &count));
    for (unsigned i = 0; i < count; i++) {
        enum err e = record_is_block(&rows[i]) ? add_block(c, p, &rows[i], &keys, h) : add_record(c, p, &rows[i], h);
        if (e != OK && !record_unreadable(e))
            return e;
        h->unreadable += e != OK;
    }
    return OK;
}

static enum err show(struct ctx *c, struct look *l, struct json_out *w)
{
    const struct asked *asked = l->arg;
    (void)w;
    l->event.categories = event_categories(c, asked->set);
    for (unsigned i = 0; i < c->policy->category_count; i++) {
        asked->out[i] = (struct history){ .list = NULL };
        if (bits_has(asked->set, i))
            TRY(load_category(c, &l->p, (int)i, &asked->out[i]));
        l->event.count += asked->out[i].count;
    }
    return OK;
}

enum err history_load(struct ctx *c, const struct bits *set, struct history *out)
{
    struct asked asked = { set, out };
    struct answer answer = { 0 };
    struct look l = { .act = TEXT("access"), .closed_too = true, .may = look_by_right, .show = show, .arg = &asked };
    return look_at_person(c, session_self(c), &l, &answer);
}

enum err history_open(struct ctx *c, struct history_event *e)
{
    struct block_event found;
    if (e->fields)
        return OK;
    TRY(block_event(c->arena, e->block, e->number, &found));
    e->fields = found.fields;
    return OK;
}

/* Events put into their blocks, inside the write: an event goes to the block of its day whose events are around it. */
#include "domain/core/data_subject.h"
#include "domain/core/instance.h"

#include "domain/usage/intake.h"

enum { TRIES = 1000, ROOM = 8 << 20 };

/* The events of one person, category and day that arrive. */
struct day {
    struct db *db;
    struct arena *a;
    const struct intake *t;
    const struct under *under;
    text category;
};
/* The block they go to: begun anew when the day has none before them. next: where the block behind it begins. */
struct near {
    bool there;
    int64_t item, version, next;
    struct block block;
};

static struct place place_of(const struct day *d, int64_t version)
{
    return (struct place){ .tenant = d->t->c->tenant,
                           .subject = d->under->p->id,
                           .table = TEXT("record"),
                           .field = d->category,
                           .version = (uint64_t)version };
}

/* A block that does not open is left to the board, which names it: nothing is added to it. */
static enum err open_block(const struct day *d, sealed in, struct near *out)
{
    const struct place place = place_of(d, out->version);
    text clear;
    enum err e = seal_open(d->a, &d->under->key.key, &place, in, &clear);
    if (e == OK)
        e = block_read(d->a, clear, &out->block);
    out->there = e == OK;
    if (e != OK)
        out->block = (struct block){ 0 };
    return record_unreadable(e) ? OK : e;
}

static enum err find_near(const struct day *d, const struct event_made *m, struct near *out)
{
    const struct val tenant = V_TEXT(d->t->c->tenant), category = V_TEXT(d->category);
    const struct val subject = V_ID(d->under->p->id), item = V_INT(m->event.item);
    *out = (struct near){ .next = INT64_MAX };
    {
        QUERY_AUTO q;
        query_start(&q, d->db, SQL_EVENTS_NEAR, ARGS(tenant, subject, category, item, V_INT(m->first)));
        if (query_next(&q) && query_get(&q, EVENTS_NEAR, class) == d->under->key.key_class) {
            out->item = query_get(&q, EVENTS_NEAR, item);
            out->version = query_get(&q, EVENTS_NEAR, version);
            TRY(open_block(d, query_get(&q, EVENTS_NEAR, sealed), out));
        }
        TRY(q.status);
    }
    QUERY_AUTO q;
    query_start(&q, d->db, SQL_EVENTS_NEXT, ARGS(tenant, subject, category, item, V_INT(m->last)));
    if (query_next(&q))
        out->next = query_get(&q, EVENTS_NEXT, item);
    return q.status;
}

/* One row: `count` events from the one numbered `from`, at `item` or just before where another record stands there. */
static enum err put_row(const struct day *d, const struct block *b, unsigned from, unsigned count, int64_t item,
                        int64_t version)
{
    const struct place place = place_of(d, version);
    msec at = INT64_MAX, took = INT64_MAX;
    text clear;
    sealed shut;
    int64_t written = 0;
    for (unsigned i = from; i < from + count; i++) {
        at = b->frames[i].at < at ? b->frames[i].at : at;
        took = b->frames[i].took < took ? b->frames[i].took : took;
    }
    msec due = intake_due(d->t, d->under, at, took);
    TRY(block_write(d->a, b, from, count, &clear));
    TRY(seal(d->a, &d->under->key.key, &place, clear, &shut));
    for (int64_t i = 0; !written; i++) {
        if (i == TRIES)
            return say(db_arena(d->db), ERR_CONFLICT, "too many records of one person at one moment");
        TRY(db_run(d->db, SQL_RECORD_PUT, &written,
                   ARGS(V_TEXT(d->t->c->tenant), V_ID(d->under->p->id), V_TEXT(d->category), V_INT(item - i),
                        V_INT(version), V_SEALED(shut), V_TEXT(BLOCK_SOURCE), V_INT(at), due ? V_INT(due) : V_NULL,
                        V_INT(0), V_INT(d->under->key.key_class))));
        if (version > 1 && !written)
            return say(db_arena(d->db), ERR_CONFLICT, "a block of events was written meanwhile");
    }
    return OK;
}

/* How many bytes of events a row of them has. Rows that grow at their end are filled; where events come between others
 * they are cut evenly, so that the next ones find room. */
static size_t room_of(const struct block *b, bool at_end)
{
    size_t head = block_head_size(b), all = 0, room = head < BLOCK_BYTES / 2 ? BLOCK_BYTES - head : BLOCK_BYTES / 2;
    for (unsigned i = 0; i < b->count; i++)
        all += block_frame_size(&b->frames[i]);
    return at_end || all <= room ? room : all / (all / room + 1) + 1;
}

static enum err put_block(const struct day *d, struct near *n, unsigned old)
{
    struct block *b = &n->block;
    bool at_end = !old || b->frames[old].item > b->frames[old - 1].item;
    size_t size = 0;
    unsigned from = 0;
    bool first = n->there;
    block_sort(b);
    size_t room = room_of(b, at_end);
    for (unsigned i = 0; i <= b->count; i++) {
        size_t one = i < b->count ? block_frame_size(&b->frames[i]) : 0;
        bool cut = i == b->count || (i > from && size + one > room && b->frames[i].item != b->frames[i - 1].item);
        if (cut) {
            TRY(put_row(d, b, from, i - from, first ? n->item : b->frames[from].item, first ? n->version + 1 : 1));
            first = false;
            from = i;
            size = 0;
        }
        size += one;
    }
    return OK;
}

/* Of a month that is over, or nearly, what was summed before these came goes. */
static enum err put_all(const struct day *d, struct event_made **made, unsigned count)
{
    bool late = false;
    for (unsigned i = 0; i < count;) {
        struct near n;
        TRY(find_near(d, made[i], &n));
        unsigned old = n.block.count;
        do {
            struct event_made *m = made[i];
            if (m->event.id && !m->repeated)
                m->repeated = block_has(&n.block, m->event.item, m->event.id);
            if (!m->repeated)
                TRY(block_add(d->a, &n.block, &m->event));
        } while (++i < count && made[i]->event.item < n.next);
        if (n.block.count > old)
            TRY(put_block(d, &n, old));
        late |= n.block.count > old && made[i - 1]->event.at < d->t->summed;
    }
    return late ? block_forget_sums(d->db, d->t->c->tenant, d->under->p->id, d->category, made[0]->event.at) : OK;
}

enum err intake_put(struct db *db, const struct intake *t, struct event_made **made, unsigned count)
{
    ARENA_AUTO a = arena_make(ROOM);
    const struct under *u = made[0]->under;
    const struct day d = { .db = db,
                           .a = &a,
                           .t = t,
                           .under = u,
                           .category = t->c->policy->categories[u->category].name };
    enum err status = put_all(&d, made, count);
    if (status != OK && a.why.code == status)
        db_arena(db)->why = a.why;
    return status;
}

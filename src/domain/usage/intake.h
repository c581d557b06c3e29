/* Events on their way in: whose, decided once, sealed, written in one commit. For the folder's own files. */
#ifndef DOMAIN_USAGE_INTAKE_H
#define DOMAIN_USAGE_INTAKE_H
#include "base/json.h"
#include "domain/core/block.h"
#include "domain/core/ctx.h"
#include "domain/person/record.h"
#include "policy/due.h"
#include "store/store.h"

/* One person in one category: decided once, and one key for all their events. */
struct under {
    struct person *p;
    text whose; /* as it was sent */
    int category;
    struct record_key key;
    struct starts starts;
    text source;
    const struct json *other; /* what conditions look at */
    bool counted;             /* for the load of the servers */
    int64_t first, last;      /* items of the day of their last event */
    enum err refused;         /* OK, or why nothing of theirs is taken: */
    struct why why;
};
struct event_made {
    const struct under *under;
    struct block_event event;
    int64_t first, last; /* items of its day, in the controller's zone */
    msec due;
    bool has_id, timed;   /* timed: its sender said when it happened, so that it is known by its id and place */
    struct digest id;     /* of its sender's: kept once */
    bool repeated;        /* found inside the write */
};
/* Events of one hour that count for the load of the servers. */
struct hour_sum {
    int64_t hour, events;
};
struct intake {
    struct ctx *c;
    text purpose;
    struct under *unders, **table; /* table: of them by whose they are, with open places; `mask` + 1 of them */
    unsigned under_count, mask;
    struct event_made *made, **order; /* order: by person and category, then by place */
    unsigned made_count;
    struct hour_sum *hours;
    unsigned hour_count;
    struct key_put *puts;
    unsigned put_count;
    struct bits categories;
    bool list;
    struct json_out *refused;
    int64_t taken;
    msec summed; /* what happened before may be of a month that is summed, before the write is done */
};
void intake_wipe(struct intake *t);
#define INTAKE_AUTO CLEANUP(intake_wipe) struct intake

/* Room for so many events. */
enum err intake_room(struct intake *t, unsigned count);
/* Its field of the time when it happened, NULL when it declares none. */
const struct field *intake_time(const struct category *cat);
/* Who was named so before, in that category; NULL for somebody new. */
struct under *intake_known(const struct intake *t, text whose, int category);
/* Who was named by `whose` (the text is compared) and is the person `id` (empty: nobody), in that category: whether the
 * caller may write it and the person lets it be recorded. With t->list set a refusal about the person stays in
 * (*out)->refused, and is no error. */
enum err intake_under(struct intake *t, text whose, text id, int category, struct under **out);
/* One more event of theirs, with its checked fields, at its place in the order of time. */
enum err intake_add(struct intake *t, struct under *u, const struct json *fields, msec at, int64_t item);
/* Writes with one journal entry: `run` calls intake_run(), which sets the entry's count and t->taken. */
enum err intake_write(struct intake *t, enum err (*run)(struct db *db, struct write *w), void *arg);
enum err intake_run(struct db *db, struct write *w, struct intake *t);
/* When events of that time, taken in then, end; 0 when their term is not known yet. */
msec intake_due(const struct intake *t, const struct under *u, msec at, msec took);
/* Inside the write: `count` events of one person, category and day, in order, put into their blocks; which came already
 * is marked. */
enum err intake_put(struct db *db, const struct intake *t, struct event_made **made, unsigned count);

#endif

/* The one function that opens a person, or a list of people, for somebody: asked, on record, and only then shown. */
#ifndef DOMAIN_PERSON_LOOK_AT_H
#define DOMAIN_PERSON_LOOK_AT_H
#include "base/json.h"
#include "domain/core/ctx.h"
#include "domain/core/data_subject.h"
#include "store/store.h"

struct paging;
struct look;
/* What may be seen: the policy's decision for this actor. May set the purpose, categories and clause of l->event, which
 * the entry then has; refuses on record (write_refusal). */
typedef enum err look_may(struct ctx *c, struct look *l);
/* What is shown, inside an open object; counts what it shows in l->event.count where that is told. */
typedef enum err look_show(struct ctx *c, struct look *l, struct json_out *w);
/* The same of what is taken piece by piece, or is nothing but bytes: made once the entry is durable. */
typedef enum err look_give(struct ctx *c, struct look *l, struct answer *out);

/* One look. What is not given is zero. */
struct look {
    text act;        /* a LOOK of events.def */
    text purpose;    /* what the entry says it is for, unless `may` says another */
    bool closed_too; /* a closed account's, to readers of the archive */
    bool apart;      /* the entry is about nobody: the law forbids that they see it yet */
    bool gone_too;   /* who was erased: what is kept of them has keys of its own */
    look_may *may;
    look_show *show; /* NULL: `give` alone shows something */
    look_give *give;
    const struct paging *asked; /* of a list in pages */
    void *arg;                  /* of the three, and of `run` */
    /* What is written in the same commit besides the entry, and what a repeated request is answered; as in write_do().
     */
    enum err (*run)(struct db *db, struct write *w);
    const struct answer *kept;
    /* Filled in by look_at_person(). */
    struct person p; /* wiped when it returns */
    bool absent;     /* nobody was named, or who is not there: the entry is about nobody */
    struct event event;
    struct answer out; /* a page's `next`, a version */
};
/* Finds the person, asks `may` and for the reason that their role must give (roles.*.reason), makes the answer, and
 * gives it once the entry of the journal is durable (GDPR 5(2)). `id` with p NULL: nobody, where somebody was looked
 * for. Errors: person_open(), those of the three, ERR_REASON. */
enum err look_at_person(struct ctx *c, text id, struct look *l, struct answer *out);
/* The person, or NULL when absent: as decisions and refusals take one. */
const struct person *look_person(const struct look *l);

/* The usual decisions: the rights of who answers people (GDPR 15, 20); one's own data, which need none. */
look_may look_by_right, look_at_own;

/* A list of people: one entry for the list, and one in the view of each person on it, in one commit. */
struct look_list {
    text act, each; /* LOOKs of events.def: of the list, of each person */
    text purpose;
    enum err (*may)(struct ctx *c, struct look_list *l);
    /* Says look_saw() for each person it shows; inside an open object. */
    enum err (*show)(struct ctx *c, struct look_list *l, struct json_out *w);
    text categories; /* those of which data is shown, of whom look_read() is said */
    const struct paging *asked;
    void *arg;
    /* Filled in. */
    int64_t count; /* rows, where `show` counts them */
    struct answer out;
    struct seen_one {
        struct subject_id id;
        bool data;
    } * seen;
    unsigned seen_count, room;
};
enum err look_at_people(struct ctx *c, struct look_list *l, struct answer *out);
/* That person is on the list; said of neighbours, once is enough. */
enum err look_saw(struct ctx *c, struct look_list *l, struct subject_id id);
/* The same, and that data of theirs is shown there. */
enum err look_read(struct ctx *c, struct look_list *l, struct subject_id id);
/* The same of a column that holds one, or nobody. */
enum err look_saw_row(struct ctx *c, struct look_list *l, struct query *q, struct col column);

#endif

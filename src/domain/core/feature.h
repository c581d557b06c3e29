/* What a feature gives the rest of the house, so that nothing below has to know it. */
#ifndef DOMAIN_CORE_FEATURE_H
#define DOMAIN_CORE_FEATURE_H
#include "domain/core/ctx.h"
#include "store/store.h"

struct change;
struct inbound;
struct outbox_letter;
struct person;

/* What became of a letter. UNKNOWN: it was handed over and nobody answered; it may have gone. AWAY: the mail server was
 * not there, which says nothing of the letter. */
enum letter_fate { LETTER_SENT, LETTER_AGAIN, LETTER_AWAY, LETTER_FAILED, LETTER_UNKNOWN };

/* What became of the letter before. told: on record by now, with the next one in one commit. */
struct letter_left {
    const struct outbox_letter *letter;
    enum letter_fate fate;
    text code;
    bool told;
};

/* What a row of a feature's table holds, for the promise board: read from a walk's statement, valid as long as its row.
 */
struct held_row {
    text kind, category,
        item;           /* what people are told when it cannot be read; category: the policy's, whose term it has */
    text declared;      /* of the policy, or empty when the row needs no declared category */
    text derive;        /* the name of the key under the person's that opens it */
    struct place place; /* tenant and subject are the walk's first two columns */
    sealed sealed;
    int64_t length; /* of the seal, and its first byte */
    text form;
    msec at, event; /* what its term runs from; begun: whether `event` has happened */
    bool begun;
};
/* A walk over one table in the order of its key, whose columns the statement finds first: `key`, a letter each, t text,
 * b bytes, i integer, the first two tenant and subject. The statement's parameters are the key of the row before and
 * how many rows are wanted. */
struct feature_walk {
    enum sql sql;
    const char *key;
    void (*row)(struct arena *a, const struct policy *p, struct query *q, struct held_row *out);
};

/* What is done about a person that must reach beyond this server too (the platform's own stores). id: of its job, that
 * of the certificate for an erasure; detail: a purpose, or the changed fields as JSON. Made ready by the feature: any,
 * its key (put), and what is written. */
enum outside_act { OUTSIDE_erase, OUTSIDE_restrict, OUTSIDE_release, OUTSIDE_object, OUTSIDE_lift, OUTSIDE_correct };
struct outside {
    enum outside_act act;
    struct subject_id id;
    text detail;
    const struct bits *changed; /* of a correction: which categories */
    bool any;
    struct key_put put;
    sealed values, body;
    struct subject_id subject;
};

/* One row a feature, defined in its own folder and listed in instance/features.c; what it has no part in is NULL or
 * empty. What follows from its tables alone (terms, erasure, restore, ledger) stands in their rows: store/tables/F.def.
 */
struct feature {
    text name;   /* of its folder */
    text stream; /* categories whose records it keeps itself: */
    enum err (*put_records)(struct ctx *c, const struct person *p, const struct category *cat, struct json_out *w,
                            int64_t *count, unsigned *unreadable);
    text member; /* of the access answer and the export, whose value it puts: */
    enum err (*put)(struct ctx *c, const struct person *p, struct json_out *w);
    text right; /* what the journal calls a read by which a person takes their right to it */
    text event; /* of POST events, that is its own: */
    enum err (*happened)(struct ctx *c, text id, const struct json *in, struct answer *out);
    enum err (*moved)(struct ctx *c, const struct json *patch,
                      struct change *ch);                  /* somebody else changes an identifier */
    enum err (*dropped)(struct ctx *c, struct change *ch); /* identifiers go with their record */
    text opens; /* member of a new account's body that is its own: made ready, and written */
    enum err (*open_make)(struct ctx *c, const struct person *p, const struct json *in, void **made);
    enum err (*open_run)(struct db *db, const void *made);
    const struct feature_walk *walks; /* of the promise board */
    unsigned walk_count;
    enum err (*tick)(struct ctx *c); /* what time brings it, before the sweep */
    enum err (*soon)(struct ctx *c); /* what falls due to the second: the job `features` */
    enum err (*steps)(struct ctx *c, bool *more); /* what it does a little of at a turn: the job `steps` */
    /* Its next letter by that channel, which has one sender, marked as leaving, NULL when none is due. before: what
     * became of the one before, NULL when that is on record; told in the same commit where there is one, else it is
     * said by itself before it is asked again. */
    enum err (*leaves)(struct ctx *c, text channel, struct letter_left *before, struct outbox_letter **out);
    enum err (*left)(struct ctx *c, const struct outbox_letter *l, enum letter_fate fate, text code);
    /* Made ready outside a write, and put inside it with o->put among its keys. An erasure's then waits until it has
     * come about, or has not. `certified`: members of its certificate. */
    enum err (*outside)(struct ctx *c, const struct person *p, struct outside *o);
    enum err (*outside_run)(struct db *db, const struct ctx *c, const struct outside *o);
    enum err (*outside_end)(struct db *db, const struct ctx *c, struct subject_id id, bool came_about);
    enum err (*given_run)(struct db *db, const struct ctx *c, const struct outside *o); /* whom data was given to */
    enum err (*certified)(struct ctx *c, struct subject_id id, struct json_out *w);
    enum err (*unreached)(struct ctx *c, int64_t *count); /* what of the policy's stores it cannot reach, by its map */
    /* An email that came in (mail/inbound.h): *taken when it was the feature's, with what became of it. */
    enum err (*came)(struct ctx *c, const struct inbound *m, bool *taken, struct answer *out);
};

/* In an open object: the member of each feature, with what it holds of that person. */
enum err feature_put(struct ctx *c, const struct person *p, struct json_out *w);
/* Whether the journal calls a read so by which a person takes their right. */
bool feature_right(const struct ctx *c, text word);
/* The n-th walk of all features, NULL when there are fewer. */
const struct feature_walk *feature_walk(const struct feature *const *features, unsigned count, unsigned n);
/* What features need of a new account's body, made ready; then, inside the write. */
struct feature_made {
    const struct feature *feature;
    void *made;
    struct feature_made *next;
};
enum err feature_open_make(struct ctx *c, const struct person *p, const struct json *in, struct feature_made **out);
enum err feature_open_run(struct db *db, const struct feature_made *made);
/* Inside an open list: the records of that category that a feature keeps. */
enum err feature_put_records(struct ctx *c, const struct person *p, const struct category *cat, struct json_out *w,
                             int64_t *count, unsigned *unreadable);
/* Whether a feature keeps the records of that category. */
bool feature_keeps(const struct ctx *c, const struct category *cat);
/* The feature whose event that is, NULL when it is nobody's. */
const struct feature *feature_of_event(const struct ctx *c, text event);
enum err feature_moved(struct ctx *c, const struct json *patch, struct change *ch);
enum err feature_dropped(struct ctx *c, struct change *ch);
enum err feature_tick(struct ctx *c);
enum err feature_due(struct ctx *c); /* all of `soon`; one that fails holds up no other */
/* A turn of each of `steps`; more: one has more to do at once. One that fails holds up no other. */
enum err feature_steps(struct ctx *c, bool *more);
/* Ends what of a feature is over at c->now, in one commit of that act and with no byte left in a log: `any` finds
 * whether there is something, `run` takes a pointer to that moment (msec). */
enum err feature_end_over(struct ctx *c, enum sql any, enum err (*run)(struct db *db, struct write *w), text act);
/* The four of `outside`, of whichever feature has them; nothing to do where none has. */
enum err feature_outside(struct ctx *c, const struct person *p, struct outside *o);
enum err feature_outside_run(struct db *db, const struct ctx *c, const struct outside *o);
enum err feature_outside_end(struct db *db, const struct ctx *c, struct subject_id id, bool came_about);
enum err feature_certified(struct ctx *c, struct subject_id id, struct json_out *w);
/* Adds to *count what features cannot reach of the policy's stores. */
enum err feature_unreached(struct ctx *c, int64_t *count);
/* The first feature that takes that email; ERR_NOT_FOUND when none does. */
enum err feature_came(struct ctx *c, const struct inbound *m, struct answer *out);
/* The next letter of a feature by that channel ("email", "sms"), and whose: NULL when there is none. before: of the
 * feature *of; may be NULL. */
enum err feature_leaves(struct ctx *c, text channel, struct letter_left *before, const struct feature **of,
                        struct outbox_letter **out);

#endif

/* A person as a request sees them: row, key, consents and objections; and the records sealed under that key. */
#ifndef DOMAIN_PERSON_H
#define DOMAIN_PERSON_H
#include "domain/ctx.h"
#include "domain/id.h"
#include "store/store.h"

enum person_state { PERSON_ACTIVE = 0, PERSON_CLOSED = 1 };

struct person {
    struct subject_id id;
    enum person_state state;
    bool restricted;                          /* Art. 18 */
    int64_t version;
    msec created, last_use;
    text source;                              /* who supplied them first */
    struct key key;                           /* wiped by person_end */
    struct digest who;                        /* pseudonym in the journal */
};
void person_end(struct person *p);
#define PERSON_AUTO CLEANUP(person_end) struct person

/* Whether this actor reaches that person at all: oneself for a person, the team for a role that sees its team. ERR_NOT_FOUND, on record as a
 * refusal, when not. person_open() asks it. */
enum err person_reach(struct ctx *c, struct subject_id id);
/* ERR_NOT_FOUND: unknown, erased, closed and out of reach alike; who reaches some people only is told so by the clause of their role. */
enum err person_absent(struct ctx *c);
/* Loads the person of that id. ERR_NOT_FOUND for malformed, unknown, erased, of another tenant, and closed unless `closed_too` and a reader of
 * the archive asks. */
enum err person_open(struct ctx *c, text id, bool closed_too, struct person *out);
/* For what the server does by itself (terms, letters): closed too, whoever acts. */
enum err person_open_anyway(struct ctx *c, text id, struct person *out);

/* How an answer that failed ends: ERR_NOT_FOUND when what could not be read or opened is of somebody who was erased meanwhile, else `status`. */
enum err person_settled(struct ctx *c, enum err status);

/* Asks the policy whether this actor may do `act` for `purpose` on each category of `categories` (NULL: the purpose alone).
 * Loads consents and objections only when the purpose's basis needs them. A refusal is recorded (write_refusal) and returned with its clause. */
enum err person_allow(struct ctx *c, const struct person *p, text purpose, const struct bits *categories, enum act act);
/* The same for a message by that channel: ERR_MISSING without one where the purpose has some, ERR_PURPOSE for one that it does not have, and
 * only a consent to that channel counts. */
enum err person_allow_by(struct ctx *c, const struct person *p, text purpose, const struct bits *categories, enum act act, text channel);
/* The same for a change that may name no purpose: then each category needs one purpose that allows it. `given` (may be NULL) are
 * consents that come with the request itself. */
enum err person_allow_some(struct ctx *c, const struct person *p, const struct bits *given, text purpose, const struct bits *categories, enum act act);
/* An act that answers a person's right and so needs no purpose: export, erase (GDPR 12 to 22). */
enum err person_allow_act(struct ctx *c, const struct person *p, enum act act);
/* What belongs to no category (a date in the relation, that the notice was shown): whoever may write for some purpose may note it, whatever
 * the person consented to. */
enum err person_may_write(struct ctx *c, const struct person *p);
/* The same for another act. */
enum err person_may(struct ctx *c, const struct person *p, enum act act);
/* Whether lists hold only the team of the actor (actor.self; nobody's when a token stands for no manager). */
bool person_sees_team(const struct ctx *c);
/* Whether this actor may record what a person decides about that purpose. */
enum err person_may_record(struct ctx *c, const struct person *p, text purpose);
/* Purposes with a live consent (on any channel); p NULL empties. */
enum err person_consents(struct ctx *c, const struct person *p, struct bits *out);
/* The same for a use by that channel: consent to one is none to another. Empty: by any. */
enum err person_consents_by(struct ctx *c, const struct person *p, text channel, struct bits *out);

/* ---- Records: one category's fields, sealed as one JSON object {field: [value, source, time]}. ---- */
struct record {
    int category; int64_t item;               /* item 0 for a category without `many` */
    int64_t version; bool archived;
    uint32_t key_class;                       /* 0: derived from the person's key; else a key of its own (held categories) */
    text source; msec at, due;                /* due 0: no end known yet */
    sealed sealed;
    const struct json *fields;                /* opened: {field: [value, source, time]} */
};
/* Key class of a category that may outlive the person's key: stable over policy versions, never 0. */
uint32_t record_class(const struct category *cat);
/* Class of what a hold keeps of a category (or of "former") that goes with its person: its key, derived from the person's, is then put into
 * the keyring under this class. Classes of record_class() are odd, these are even. */
uint32_t record_class_apart(text name);
/* ERR_POLICY, naming both, when two categories would have one class: with the one's key the other's would go. */
enum err record_classes_differ(struct arena *a, const struct policy *p);
/* Of a stored thing: that it cannot be opened or parsed, which hides nothing else that is held. */
bool record_unreadable(enum err e);
/* A page of a category's records, the archived too, behind `*after` (at first INT64_MIN), which becomes the last one; more: there may be
 * others. What cannot be opened is added to *unreadable. */
enum err record_load_page(struct ctx *c, const struct person *p, int category, int64_t *after, struct record **out, unsigned *count,
                          unsigned *unreadable, bool *more);
/* record_load() that goes on without what cannot be opened or parsed, and counts it in *unreadable. */
enum err record_load_readable(struct ctx *c, const struct person *p, int category, bool archived_too, struct record **out, unsigned *count,
                              unsigned *unreadable);
/* All records of the category (index), oldest item first, opened. Archived ones only when `archived_too`. */
enum err record_load(struct ctx *c, const struct person *p, int category, bool archived_too, struct record **out, unsigned *count);
/* Writes "category": {field: value}, or the list of its records when it has `many`, inside an open object; nothing when there is none to
 * show. What a read and a disclosure give is the same. Adds the records to *records, and those that cannot be read to *unreadable. */
enum err record_put_category(struct ctx *c, const struct person *p, int index, struct json_out *w, int64_t *records, unsigned *unreadable);
/* "data": the categories of the set as above; then, where there is something held that cannot be read, "unreadable" with its category. */
enum err record_put_data(struct ctx *c, const struct person *p, const struct bits *set, struct json_out *w, int64_t *records);
/* One line of "unreadable": how many of that category, and what to do about it. */
void record_put_unreadable(struct ctx *c, const struct category *cat, unsigned count, struct json_out *w);
/* Opens one row's sealed bytes in place; ERR_CRYPT when they stand elsewhere than they were written. */
enum err record_open(struct ctx *c, const struct person *p, struct record *r);
/* Seals `fields` (JSON text) for the place of `r`; makes the category's own key when it is held and has none yet: `put` is then filled and *has_put true. */
enum err record_seal(struct ctx *c, const struct person *p, struct record *r, text fields, struct key_put *put, bool *has_put);

#endif

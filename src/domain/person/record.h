/* Records: one category's fields, sealed together. */
#ifndef DOMAIN_PERSON_RECORD_H
#define DOMAIN_PERSON_RECORD_H
#include "base/err.h"
#include "base/clock.h"
#include "crypt/seal.h"
#include "store/store.h"

struct bits;
struct block;
struct category;
struct ctx;
struct json;
struct json_out;
struct look;
struct person;
struct policy;

struct record {
    int category;
    int64_t item; /* item 0 for a category without `many` */
    int64_t version;
    bool archived;
    uint32_t key_class; /* 0: derived from the person's key; else a key of its own (held categories) */
    text source;
    msec at, due; /* due 0: no end known yet */
    sealed sealed;
    const struct json *fields; /* opened: {field: [value, source, time]} */
};
/* Key class of a category that may outlive the person's key: stable over policy versions, never 0. */
uint32_t record_class(const struct category *cat);
/* Class of what a hold keeps of a category (or of "former") that goes with its person: its key, derived from the
 * person's, is then put into the keyring under this class. Classes of record_class() are odd, these are even. */
uint32_t record_class_apart(text name);
/* ERR_POLICY, naming both, when two categories would have one class: with the one's key the other's would go. */
enum err record_classes_differ(struct arena *a, const struct policy *p);
/* Of a stored thing: that it cannot be opened or parsed, which hides nothing else that is held. */
bool record_unreadable(enum err e);
/* A page of a category's records, the archived too, behind `*after` (at first INT64_MIN), which becomes the last one;
 * more: there may be others. What cannot be opened is added to *unreadable. */
enum err record_load_page(struct ctx *c, const struct person *p, int category, int64_t *after, struct record **out,
                          unsigned *count, unsigned *unreadable, bool *more);
/* record_load() that goes on without what cannot be opened or parsed, and counts it in *unreadable. */
enum err record_load_readable(struct ctx *c, const struct person *p, int category, bool archived_too,
                              struct record **out, unsigned *count, unsigned *unreadable);
/* All records of the category (index), oldest item first, opened. Archived ones only when `archived_too`. */
enum err record_load(struct ctx *c, const struct person *p, int category, bool archived_too, struct record **out,
                     unsigned *count);
/* For a look alone: "data": the categories of the set, {field: value}, or the list of its records where it has `many`;
 * counted in l->event.count. Then, where there is something held that cannot be read, "unreadable" with its category.
 */
enum err record_put_data(struct ctx *c, struct look *l, const struct bits *set, const uint64_t *fields,
                         struct json_out *w);
/* One line of "unreadable": how many of that category, and what to do about it. */
void record_put_unreadable(struct ctx *c, const struct category *cat, unsigned count, struct json_out *w);
/* The key that a person's records of one category are sealed under, for many at once. `made`: it is a key of the
 * category's own that was not there yet; `put` then goes into the write of its first record. Wipe it. */
struct record_key {
    struct key key;
    uint32_t key_class;
    bool made;
    struct key_put put;
};
enum err record_key(struct ctx *c, const struct person *p, const struct category *cat, struct record_key *out);
void record_key_wipe(struct record_key *k);
#define RECORD_KEY_AUTO CLEANUP(record_key_wipe) struct record_key
/* record_seal() under a key that is at hand. */
enum err record_seal_under(struct ctx *c, const struct person *p, struct record *r, const struct record_key *k,
                           text fields);
/* Opens one row's sealed bytes in place; ERR_CRYPT when they stand elsewhere than they were written. */
enum err record_open(struct ctx *c, const struct person *p, struct record *r);
/* Whether the row is a block of events. */
bool record_is_block(const struct record *r);
/* All rows of the category as they are, oldest first, sealed, the archived too. */
enum err record_load_sealed(struct ctx *c, const struct person *p, int category, struct record **out, unsigned *count);
/* The key of the last row that was opened, for the next of the same person and category. */
struct record_keys {
    struct key key;
    uint32_t key_class;
    bool known;
};
void record_keys_wipe(struct record_keys *k);
#define RECORD_KEYS_AUTO CLEANUP(record_keys_wipe) struct record_keys
/* A row that is a block, opened but not taken apart; ERR_CRYPT, ERR_INTEGRITY as record_open(). */
enum err record_open_block(struct ctx *c, const struct person *p, const struct record *row, struct record_keys *keys,
                           struct block *out);
/* What one row holds, opened: a record, or the events of a block, oldest first. ERR_CRYPT, ERR_INTEGRITY as
 * record_open(). */
enum err record_open_all(struct ctx *c, const struct person *p, const struct record *row, struct record_keys *keys,
                         struct record **out, unsigned *count);
/* Seals `fields` (JSON text) for the place of `r`; makes the category's own key when it is held and has none yet: `put`
 * is then filled and *has_put true. */
enum err record_seal(struct ctx *c, const struct person *p, struct record *r, text fields, struct key_put *put,
                     bool *has_put);

#endif

/* Blocks: events of one person, category and day written together, so that each costs few bytes and one seal serves
 * many. */
#ifndef DOMAIN_CORE_BLOCK_H
#define DOMAIN_CORE_BLOCK_H
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"

struct buf;
struct category;
struct db;

/* Numbers and texts as blocks and what is summed of them write them: numbers have seven bits a byte, the smallest first
 * (LEB128), signed ones folded: 0 -1 1 -2 …; a text follows its length. */
void pack_number(struct buf *b, uint64_t n);
void pack_signed(struct buf *b, int64_t n);
void pack_text(struct buf *b, text s);
/* What is read again; bad: it ended too early, and all that follows is 0 or empty. */
struct unpack {
    text rest;
    bool bad;
};
uint64_t unpack_number(struct unpack *c);
int64_t unpack_signed(struct unpack *c);
text unpack_text(struct unpack *c);

/* A block's bytes: its form, the names (of fields and sources) that its events use, then each event by itself. What is
 * sealed of a single record is JSON, which begins otherwise. BLOCK_BYTES: with its row's key and seal it stays within a
 * quarter of a page of SQLite, beyond which a row takes pages of its own. */
enum { BLOCK_BYTES = 850 };
/* The source of a row that is a block; no policy can call one so. */
#define BLOCK_SOURCE TEXT("*")

/* One event. item: its place, in the order of time. id: a digest of its sender's, 0 when it has none. took: when it was
 * taken in. fields: {name: value} when it is written, {name: [value, source, took]} when it is read. */
struct block_event {
    int64_t item;
    msec at, took;
    uint32_t id;
    text source;
    const struct json *fields;
};
struct block_frame {
    int64_t item;
    uint32_t id;
    msec at, took;
    text bytes; /* the event, without the names */
};
struct block {
    text *names;
    struct block_frame *frames;
    unsigned name_count, name_room, count, room;
};

/* Whether the category is filled by events, which are kept in blocks: streams usage and logs. */
bool block_holds(const struct category *cat);
/* Takes `clear` apart, or begins one from an empty slice; its bytes are used, and must stay. ERR_INTEGRITY when it is
 * no block. */
enum err block_read(struct arena *a, text clear, struct block *out);
/* Whether the event of that id and place is there already. */
bool block_has(const struct block *b, int64_t item, uint32_t id);
/* One event more, behind the others; block_sort() puts them in order. */
enum err block_add(struct arena *a, struct block *b, const struct block_event *e);
void block_sort(struct block *b);
/* How many bytes block_write() makes of nothing but names, and of one frame. */
size_t block_head_size(const struct block *b);
size_t block_frame_size(const struct block_frame *f);
/* The bytes of `count` of its events, from the one numbered `from`. */
enum err block_write(struct arena *a, const struct block *b, unsigned from, unsigned count, text *out);
/* Some fields of many events, without building anything: what counts them looks at each. */
enum { BLOCK_GLANCE_MAX = 4 };
struct block_glance {
    msec at;
    struct {
        bool whole;
        int64_t number; /* where it is whole */
        text value;     /* else: the text, as it stands in the block; empty when it is not there */
    } of[BLOCK_GLANCE_MAX];
};
/* Which of the `count` wanted fields each name of the block is, for block_glance(): count for none of them. Of
 * b->name_count; NULL without memory. */
uint8_t *block_wanted(struct arena *a, const struct block *b, const text *names, unsigned count);
/* The event numbered `i`. False when a wanted field holds what is neither a text nor a whole number, or nothing of it
 * can be read: block_event() tells. */
bool block_glance(const struct block *b, unsigned i, const uint8_t *wanted, unsigned count, struct block_glance *out);
/* The event numbered `i`. ERR_INTEGRITY when it cannot be read. */
enum err block_event(struct arena *a, const struct block *b, unsigned i, struct block_event *out);

/* Inside a write that changes which events of that moment (of the category, where `at` is -1) count: what was summed of
 * their month (domain/usage/sums.h) goes in the same commit. */
enum err block_forget_sums(struct db *db, text tenant, struct subject_id subject, text category, msec at);

#endif

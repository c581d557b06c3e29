/* What figures need of events: each told of one person, or what is summed of them. For the folder's own files. */
#ifndef DOMAIN_USAGE_COUNTING_H
#define DOMAIN_USAGE_COUNTING_H
#include "domain/core/block.h"
#include "domain/core/ctx.h"
#include "domain/person/record.h"

struct field;
struct person;

/* A category of events, and its fields that are counted: NULL for one that it has not. */
struct counting {
    int category;
    const struct field *page, *action, *error, *response;
};
void counting_of(const struct policy *p, int category, struct counting *out);

/* What is counted of an event; its texts stand in the arena of c, or in the row they were taken from. */
struct told {
    msec at;
    text page, action;
    bool error, timed;
    int64_t ms;
};
typedef enum err counting_take(void *arg, const struct told *t);
/* The rows of that person's events of [from, to), sealed. */
enum err counting_load(struct ctx *c, const struct person *p, int category, msec from, msec to, struct record **out,
                       unsigned *count);
/* Gives each event of one row to `take`. ERR_CRYPT, ERR_INTEGRITY, ERR_JSON when it cannot be read. */
enum err counting_row(struct ctx *c, const struct person *p, const struct counting *t, const struct record *row,
                      struct record_keys *keys, counting_take *take, void *arg);
bool counting_download(text action);

#endif

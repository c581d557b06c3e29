/* What people write into rows that outlive one person's key, or are of nobody: sealed under the instance's own key, as
 * text. */
#ifndef DOMAIN_CORE_WRITTEN_H
#define DOMAIN_CORE_WRITTEN_H
#include "base/arena.h"
#include "store/store.h"

struct ctx;

struct store;

/* `kept` is bound to tenant and table; empty stays empty. */
enum err written_seal(const struct store *s, struct arena *a, text tenant, text table, text clear, text *kept);
/* What written_seal() made; a text that a program before it kept in clear is given as it is. ERR_CRYPT when it was
 * altered or moved. */
enum err written_open(const struct store *s, struct arena *a, text tenant, text table, text kept, text *clear);

/* A part of a register's file (requests, breaches, authorities): sealed under a key of that register's own, derived
 * from the instance's, and bound to its place, so that no other row, field or version of it opens. */
enum err written_seal_at(struct ctx *c, text of, const struct place *at, text clear, sealed *out);
enum err written_open_at(struct ctx *c, text of, const struct place *at, sealed kept, text *clear);

#endif

/* Bounded arenas: the memory of one request, freed at once; and the reason of its failure. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include "err.h"
#include "text.h"

struct clause;

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;
    size_t used, limit; /* bytes handed out, and how many may be */
    enum err lost;      /* sticky: what was asked of it and not had; see arena_whole() */
    bool full;          /* sticky: its own limit was reached, not the machine's */
    struct why why;     /* the last reason said by say(); why.code is OK while nothing failed */
};

/* An arena that hands out at most `limit` bytes. Costs nothing until first used. */
struct arena arena_make(size_t limit);
/* Frees all; the arena may be used again. Secrets in it are not wiped: wipe them where they end. */
void arena_free(struct arena *a);
/* As arena_free, but keeps one chunk for the next request and forgets the reason. */
void arena_reset(struct arena *a);
/* Where the arena stands; what it hands out from here on goes again, and all before it stays. The reason stays. */
struct arena_mark {
    struct arena_chunk *chunk;
    size_t in_chunk, used;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_back(struct arena *a, struct arena_mark to);
#define ARENA_AUTO __attribute__((cleanup(arena_free))) struct arena

/* Zeroed, aligned to 16; NULL when the limit or the machine's memory is reached (the reason is then said). */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, alloc_size(2)));
#define NEW(a, type)              ((type *)arena_alloc((a), sizeof(type)))
#define NEW_ARRAY(a, type, count) ((type *)arena_array((a), (count), sizeof(type)))
void *arena_array(struct arena *a, size_t count, size_t size) __attribute__((malloc));
/* Room for one more behind `count` items of `size` bytes: when *room is used up, *list becomes an array of twice as
 * many (16 at first) that begins with them; the old one stays in the arena until that goes. */
enum err arena_wider(struct arena *a, void **list, unsigned count, unsigned *room, size_t size);

/* A copy of `s` in the arena, followed by a NUL that its length does not count; p is NULL when out of memory. */
text arena_copy(struct arena *a, text s);
/* printf into the arena; p is NULL when out of memory. */
text arena_print(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* OK, or the error of an allocation or a text that failed here although nobody passed it up: asked before anything made
 * from this arena is written to the store, answered or printed, so that a part that lacks is never taken for an empty
 * one. */
enum err arena_whole(struct arena *a);
/* A library had no memory for what it was asked: said, and remembered (arena_whole). ERR_MEMORY. */
enum err arena_lacked(struct arena *a);

/* Says why something failed, once, at its origin; returns `code` so that `return say(a, …)` reads well.
 * The text must hold names and numbers only, never a personal datum: it reaches logs and answers. */
enum err say(struct arena *a, enum err code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same, naming the clause of the policy that decided, for refusals. */
enum err say_clause(struct arena *a, enum err code, const struct clause *clause, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Says what another process or an earlier time said, in both languages; fr may be empty. */
enum err say_told(struct arena *a, enum err code, text en, text fr);
/* Adds why to what was said last: ": " and the reason, in both languages. Nothing for an empty one. */
void say_because(struct arena *a, text en, text fr);

#endif

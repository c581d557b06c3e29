/* Bounded arenas: chunked bump allocation, and the reason of a failure. */
#include "arena.h"
#include "card.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    _Alignas(16) char data[];
};

enum { FIRST_CHUNK = 8192, KEEP_CHUNK = 64 << 10, ALIGN = 16 };

struct arena arena_make(size_t limit) { return (struct arena){ .limit = limit }; }

/* What a request held (passwords, opened values) does not stay in memory that is free. */
static void chunks_free(struct arena_chunk *first)
{
    for (struct arena_chunk *c = first, *next; c; c = next) {
        next = c->next;
        explicit_bzero(c->data, c->used);
        free(c);
    }
}

void arena_free(struct arena *a)
{
    chunks_free(a->chunks);
    *a = arena_make(a->limit);
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *keep = a->chunks; /* the newest, so the largest of the usual ones */
    if (!keep || keep->size > KEEP_CHUNK) {
        arena_free(a);
        return;
    }
    chunks_free(keep->next);
    explicit_bzero(keep->data, keep->used);
    keep->used = 0;
    keep->next = NULL;
    *a = (struct arena){ .chunks = keep, .limit = a->limit };
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){ a->chunks, a->chunks ? a->chunks->used : 0, a->used };
}

void arena_back(struct arena *a, struct arena_mark to)
{
    while (a->chunks != to.chunk) {
        struct arena_chunk *gone = a->chunks;
        a->chunks = gone->next;
        gone->next = NULL;
        chunks_free(gone);
    }
    if (to.chunk) {
        explicit_bzero(to.chunk->data + to.in_chunk, to.chunk->used - to.in_chunk);
        to.chunk->used = to.in_chunk;
    }
    a->used = to.used;
}

static struct arena_chunk *chunk_for(struct arena *a, size_t size)
{
    size_t want = a->chunks ? a->chunks->size * 2 : FIRST_CHUNK;
    if (want > 1 << 20)
        want = 1 << 20;
    if (want < size)
        want = size;
    struct arena_chunk *c = malloc(sizeof *c + want); /* zeroed as it is given out: most of it never is */
    if (!c)
        return NULL;
    *c = (struct arena_chunk){ .next = a->chunks, .size = want };
    return a->chunks = c;
}

static void *room(struct arena *a, size_t size)
{
    size_t rounded;
    if (__builtin_add_overflow(size, (size_t)ALIGN - 1, &rounded) ||
        (rounded &= ~(size_t)(ALIGN - 1)) > a->limit - a->used) {
        a->lost = ERR_MEMORY;
        a->full = true;
        say(a, ERR_MEMORY, "the request needs more than its %zu bytes of memory", a->limit);
        return NULL;
    }
    struct arena_chunk *c = a->chunks;
    if (!c || c->size - c->used < rounded)
        c = chunk_for(a, rounded);
    if (!c) {
        arena_lacked(a);
        return NULL;
    }
    void *out = c->data + c->used;
    c->used += rounded;
    a->used += rounded;
    return out;
}

void *arena_alloc(struct arena *a, size_t size)
{
    void *out = room(a, size);
    return out ? memset(out, 0, size) : NULL;
}

enum err arena_lacked(struct arena *a)
{
    a->lost = ERR_MEMORY;
    return say(a, ERR_MEMORY, "the machine has no memory left");
}

enum err arena_whole(struct arena *a)
{
    return a->lost ? say(a, a->lost,
                         a->lost == ERR_MEMORY ? "not enough memory for all that this needs"
                                               : "a part of this is too large")
                   : OK;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        a->lost = ERR_MEMORY;
        say(a, ERR_MEMORY, "an array of %zu items is too large", count);
        return NULL;
    }
    return arena_alloc(a, bytes);
}

enum err arena_wider(struct arena *a, void **list, unsigned count, unsigned *room, size_t size)
{
    if (count < *room)
        return OK;
    unsigned more = *room ? *room * 2 : 16;
    void *old = *list;
    *list = arena_array(a, more, size);
    TRY_PTR(*list);
    if (old)
        memcpy(*list, old, count * size);
    *room = more;
    return OK;
}

text arena_copy(struct arena *a, text s)
{
    char *out = room(a, s.n + 1);
    if (!out)
        return (text){ NULL, 0 };
    if (s.n)
        memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return (text){ out, s.n };
}

text arena_print(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    char small[256];
    int n = vsnprintf(small, sizeof small, format, args);
    char *out = n < 0 ? NULL : room(a, (size_t)n + 1);
    if (out && (size_t)n < sizeof small)
        memcpy(out, small, (size_t)n + 1);
    else if (out)
        vsnprintf(out, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return out ? (text){ out, (size_t)n } : (text){ NULL, 0 };
}

/* The French of a text of say(); NULL where none is needed, or none is there. */
static const char *in_french(const char *format)
{
    static const struct {
        text en;
        const char *fr;
    } rows[] = {
#define SAID(en, fr) { TEXT_INIT(en), fr },
#include "base/said.def"
#include "base/said_front.def"
#include "base/said_store.def"
#undef SAID
    };
    text said = text_of(format);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_eq(rows[i].en, said))
            return rows[i].fr;
    return NULL;
}

/* Values in the same order as in English: tools/words holds each row against it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void say_french(struct arena *a, const char *format, va_list args)
{
    const char *french = in_french(format);
    a->why.said[0] = '\0';
    if (!french)
        return;
    vsnprintf(a->why.said, sizeof a->why.said, french, args);
    card_hide_in(a->why.said, strlen(a->why.said));
}
#pragma GCC diagnostic pop

text why_told(const struct why *why, text language)
{
    bool french = text_eq(language, TEXT("fr")),
         budget = why->code == ERR_TOO_MANY; /* budgets are told in their own words */
    if (french && (why->said[0] || !budget))
        return text_of(why->said);
    return text_of(why->detail);
}

static enum err say_list(struct arena *a, enum err code, const struct clause *clause, const char *format, va_list args)
{
    a->why.code = code;
    a->why.clause = clause;
    a->why.missing[0] = '\0';
    a->why.field[0] = '\0';
    a->why.retry = 0;
    va_list again;
    va_copy(again, args);
    say_french(a, format, again);
    va_end(again);
    vsnprintf(a->why.detail, sizeof a->why.detail, format, args);
    card_hide_in(a->why.detail, strlen(a->why.detail));
    return code;
}

enum err say(struct arena *a, enum err code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_list(a, code, NULL, format, args);
    va_end(args);
    return code;
}

enum err say_clause(struct arena *a, enum err code, const struct clause *clause, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_list(a, code, clause, format, args);
    va_end(args);
    return code;
}

enum err say_told(struct arena *a, enum err code, text en, text fr)
{
    say(a, code, "%.*s", T(en));
    snprintf(a->why.said, sizeof a->why.said, "%.*s", T(fr));
    card_hide_in(a->why.said, strlen(a->why.said));
    return code;
}

void say_because(struct arena *a, text en, text fr)
{
    size_t n = strlen(a->why.detail), m = strlen(a->why.said);
    if (!en.n)
        return;
    snprintf(a->why.detail + n, sizeof a->why.detail - n, ": %.*s", T(en));
    if (m)
        snprintf(a->why.said + m, sizeof a->why.said - m, " : %.*s", T(fr.n ? fr : en));
}

/* Shares of callers: a table by owner under one lock; an owner with nothing under way takes no room. */
#include "front/door/share.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

enum { PLACES = 1024 };

struct owner {
    struct owner *next;
    int64_t used[BUDGETS];
    size_t size;
    char name[];
};

struct shares {
    pthread_mutex_t lock;
    uint64_t seed; /* so that nobody can choose names that collide */
    struct owner *places[PLACES];
};

struct shares *shares_open(void)
{
    struct shares *s = calloc(1, sizeof *s);
    if (!s || getrandom(&s->seed, sizeof s->seed, 0) != sizeof s->seed) {
        free(s);
        return NULL;
    }
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void shares_close(struct shares **shares)
{
    struct shares *s = *shares;
    if (!s)
        return;
    for (size_t i = 0; i < PLACES; i++)
        for (struct owner *o = s->places[i], *next; o; o = next) {
            next = o->next;
            free(o);
        }
    pthread_mutex_destroy(&s->lock);
    free(s);
    *shares = NULL;
}

/* ---- Under the lock. ---- */

static struct owner **chain_of(struct shares *s, text name)
{
    uint64_t hash = s->seed;
    for (size_t i = 0; i < name.n; i++)
        hash = (hash ^ (uint8_t)name.p[i]) * 0x100000001B3u;
    return &s->places[(hash ^ hash >> 32) % PLACES];
}

static struct owner *find(struct shares *s, text name)
{
    struct owner *o = *chain_of(s, name);
    while (o && !text_eq((text){ o->name, o->size }, name))
        o = o->next;
    return o;
}

static struct owner *add(struct shares *s, text name)
{
    struct owner *o = calloc(1, sizeof *o + name.n + 1), **chain = chain_of(s, name);
    if (!o)
        return NULL;
    memcpy(o->name, name.p, name.n);
    o->size = name.n;
    o->next = *chain;
    *chain = o;
    return o;
}

static void drop_idle(struct shares *s, struct owner *o)
{
    for (size_t i = 0; i < BUDGETS; i++)
        if (o->used[i])
            return;
    struct owner **at = chain_of(s, (text){ o->name, o->size });
    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    free(o);
}

/* ---- From any thread. ---- */

static enum err take(struct shares *s, struct arena *a, text language, text owner, enum budget b, int64_t amount,
                     bool bounded, struct share *held)
{
    if (!s)
        return OK;
    pthread_mutex_lock(&s->lock);
    struct owner *o = find(s, owner);
    if (!o)
        o = add(s, owner);
    enum err status = !o        ? say(a, ERR_MEMORY, "the machine has no memory left")
                      : bounded ? budget_check(a, language, b, o->used[b], amount)
                                : OK;
    if (status == OK) {
        o->used[b] += amount;
        held->of[b] += amount;
        held->table = s;
        held->owner = o;
    } else if (o)
        drop_idle(s, o);
    pthread_mutex_unlock(&s->lock);
    return status;
}

enum err share_take(struct shares *s, struct arena *a, text language, text owner, enum budget b, int64_t amount,
                    struct share *held)
{
    return take(s, a, language, owner, b, amount, true, held);
}

enum err share_add(struct shares *s, struct arena *a, text owner, enum budget b, int64_t amount, struct share *held)
{
    return take(s, a, TEXT("en"), owner, b, amount, false, held);
}

enum err share_room(struct shares *s, struct arena *a, text language, text owner, enum budget b)
{
    if (!s)
        return OK;
    pthread_mutex_lock(&s->lock);
    const struct owner *o = find(s, owner);
    enum err status = budget_check(a, language, b, o ? o->used[b] : 0, 1);
    pthread_mutex_unlock(&s->lock);
    return status;
}

void share_give(struct share *held)
{
    struct shares *s = held->table;
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < BUDGETS; i++)
        held->owner->used[i] -= held->of[i];
    drop_idle(s, held->owner);
    pthread_mutex_unlock(&s->lock);
    *held = (struct share){ 0 };
}

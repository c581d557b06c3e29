/* What tokens of programs let in, kept for a moment. */
#include "domain/core/token_kept.h"
#include <pthread.h>
#include <stdlib.h>

enum { KEPT = 64, TEXT_ROOM = 128 };
/* All that decides what such a token lets in; who holds one is looked up anew each time. */
static const enum table decides[] = { TABLE_token, TABLE_token_holder, TABLE_token_accepted };

struct kept {
    struct digest digest; /* a keyed one */
    struct store_moment at;
    bool there, accepted, ends;
    msec expires;
    char tenant[TEXT_ROOM], name[TEXT_ROOM], actor[TEXT_ROOM];
};
struct kept_tokens {
    pthread_mutex_t lock;
    struct kept of[KEPT]; /* by their digest; one takes another's place */
};

struct kept_tokens *kept_tokens_open(void)
{
    struct kept_tokens *k = calloc(1, sizeof *k);
    if (k)
        pthread_mutex_init(&k->lock, NULL);
    return k;
}

void kept_tokens_close(struct kept_tokens **at)
{
    struct kept_tokens *k = *at;
    *at = NULL;
    if (!k)
        return;
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static struct kept *place_of(struct kept_tokens *k, const struct digest *digest) { return &k->of[digest->b[0] % KEPT]; }

void token_keep(struct kept_tokens *k, const struct digest *digest, struct store_moment at, const struct known_token *t)
{
    struct kept fresh = {
        .digest = *digest, .at = at, .there = true, .accepted = t->accepted, .ends = t->ends, .expires = t->expires
    };
    if (!text_cstr(t->tenant, fresh.tenant, TEXT_ROOM) || !text_cstr(t->name, fresh.name, TEXT_ROOM) ||
        !text_cstr(t->actor, fresh.actor, TEXT_ROOM))
        return;
    pthread_mutex_lock(&k->lock);
    *place_of(k, digest) = fresh;
    pthread_mutex_unlock(&k->lock);
}

bool token_kept(struct kept_tokens *k, struct store *s, const struct db *writing, struct arena *a,
                const struct digest *digest, msec now, struct known_token *out)
{
    pthread_mutex_lock(&k->lock);
    const struct kept found = *place_of(k, digest);
    pthread_mutex_unlock(&k->lock);
    if (!found.there || memcmp(&found.digest, digest, sizeof *digest) != 0 || (found.ends && found.expires <= now) ||
        !store_still(s, writing, found.at, decides, sizeof decides / sizeof *decides))
        return false;
    *out = (struct known_token){ .tenant = arena_copy(a, text_of(found.tenant)),
                                 .name = arena_copy(a, text_of(found.name)),
                                 .actor = arena_copy(a, text_of(found.actor)),
                                 .accepted = found.accepted,
                                 .ends = found.ends,
                                 .expires = found.expires };
    return out->tenant.p && out->name.p && out->actor.p;
}

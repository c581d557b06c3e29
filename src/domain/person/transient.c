/* Transient categories: values in one block of locked memory, each in a slot of its own, wiped at release, at its term,
 * and at the end. */
#include "domain/person/look_at.h"
#include "domain/person/held.h"
#include "domain/person/person.h"
#include "domain/core/instance.h"
#include "domain/core/looking.h"
#include "domain/core/value.h"
#include "domain/person/whole.h"
#include "domain/core/write.h"
#include <sodium.h>

enum { SLOTS = 256, SLOT_BYTES = 4096 };

/* Whose and what a slot is, as digests: no name stands beside the value. */
struct slot {
    struct digest what, whose;
    msec expires;
    size_t size;
    bool used;
};
struct transient_memory {
    pthread_mutex_t lock;
    uint8_t *pool; /* SLOTS × SLOT_BYTES, made at first use; guard pages around it */
    struct slot slots[SLOTS];
};

struct transient_memory *transient_open(void)
{
    struct transient_memory *m = calloc(1, sizeof *m);
    if (m)
        pthread_mutex_init(&m->lock, NULL);
    return m;
}

void transient_close(struct transient_memory **at)
{
    struct transient_memory *m = *at;
    *at = NULL;
    if (!m)
        return;
    sodium_free(m->pool); /* wipes it */
    pthread_mutex_destroy(&m->lock);
    sodium_memzero(m, sizeof *m);
    free(m);
}

/* ---- Slots; the lock is held. ---- */

static bool have_pool(struct transient_memory *m)
{
    if (m->pool)
        return true;
    uint8_t *pool = sodium_allocarray(SLOTS, SLOT_BYTES);
    /* The library goes on when the memory cannot be locked; here that would be a promise broken by swapping. */
    if (pool && sodium_mlock(pool, (size_t)SLOTS * SLOT_BYTES) != 0) {
        sodium_free(pool);
        return false;
    }
    m->pool = pool;
    return pool != NULL;
}

static uint8_t *bytes_of(struct transient_memory *m, const struct slot *s)
{
    return m->pool + (size_t)(s - m->slots) * SLOT_BYTES;
}

static void wipe(struct transient_memory *m, struct slot *s)
{
    sodium_memzero(bytes_of(m, s), SLOT_BYTES);
    *s = (struct slot){ 0 };
}

static unsigned wipe_ended(struct transient_memory *m, msec now)
{
    unsigned ended = 0;
    for (unsigned i = 0; i < SLOTS; i++)
        if (m->slots[i].used && m->slots[i].expires <= now) {
            wipe(m, &m->slots[i]);
            ended++;
        }
    return ended;
}

static struct slot *find(struct transient_memory *m, const struct digest *what)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (m->slots[i].used && memcmp(&m->slots[i].what, what, sizeof *what) == 0)
            return &m->slots[i];
    return NULL;
}

static struct slot *free_slot(struct transient_memory *m)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (!m->slots[i].used)
            return &m->slots[i];
    return NULL;
}

/* ---- What the outside sees. ---- */

static void digests(text tenant, text category, struct subject_id id, struct digest *what, struct digest *whose)
{
    const struct key none = { { 0 } };
    digest_identifier(&none, tenant, category, TEXT_BYTES(id), what);
    digest_identifier(&none, tenant, TEXT(""), TEXT_BYTES(id), whose);
}

static enum err category_of(struct ctx *c, text name, const struct category **out, struct bits *set)
{
    int index = policy_category(c->policy, name);
    if (index < 0)
        return say_clause(c->arena, ERR_UNDECLARED, &c->policy->categories_clause,
                          "the policy has no category \"%.*s\"", T(value_shown(name)));
    *out = &c->policy->categories[index];
    *set = (struct bits){ { 0 } };
    bits_add(set, (unsigned)index);
    return (*out)->transient ? OK
                             : say_clause(c->arena, ERR_USAGE, &(*out)->clause, "category \"%.*s\" is not transient",
                                          T((*out)->name));
}

static enum err journal(struct ctx *c, const struct person *p, text act, const struct category *cat, text purpose)
{
    struct write w = { .event = event_of(c, p, act) };
    w.event.categories = cat->name;
    w.event.purpose = purpose;
    w.event.clause = cat->clause.path;
    TRY(look_seal(c, p, &w.event));
    return write_do(c, &w, NULL);
}

static enum err keep(struct ctx *c, const struct category *cat, struct subject_id id, text value)
{
    struct transient_memory *m = c->app->transient;
    struct digest what, whose;
    digests(c->tenant, cat->name, id, &what, &whose);
    pthread_mutex_lock(&m->lock);
    bool locked = have_pool(m);
    struct slot *s = locked ? find(m, &what) : NULL;
    if (locked && !s) {
        wipe_ended(m, c->now);
        s = free_slot(m);
    }
    if (s) {
        wipe(m, s);
        memcpy(bytes_of(m, s), value.p, value.n);
        *s = (struct slot){ .what = what,
                            .whose = whose,
                            .expires = term_end(c->now, cat->transient_for, 1),
                            .size = value.n,
                            .used = true };
    }
    pthread_mutex_unlock(&m->lock);
    if (!locked)
        return say(c->arena, ERR_STORAGE, "memory cannot be locked (RLIMIT_MEMLOCK): transient categories are refused");
    return s ? OK : say(c->arena, ERR_BUSY, "all %d places for transient values are in use", SLOTS);
}

static void release(struct ctx *c, const struct category *cat, struct subject_id id)
{
    struct transient_memory *m = c->app->transient;
    struct digest what, whose;
    digests(c->tenant, cat->name, id, &what, &whose);
    pthread_mutex_lock(&m->lock);
    struct slot *s = find(m, &what);
    if (s)
        wipe(m, s);
    pthread_mutex_unlock(&m->lock);
}

enum err transient_put(struct ctx *c, text id, text category, const struct json *fields, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    const struct category *cat;
    const struct json *other;
    struct bits set;
    (void)out;
    TRY(person_open(c, id, false, &p));
    TRY(write_refused(c, &p, category_of(c, category, &cat, &set)));
    TRY(person_allow_some(c, &p, NULL, TEXT(""), &set, ACT_WRITE));
    TRY(whole_other(c, &p, cat, &other));
    TRY(write_refused(c, &p, value_take_category(c, cat, &fields, other)));
    BUF_AUTO b = buf_make(SLOT_BYTES);
    struct json_out w = json_out(&b);
    json_put(&w, fields);
    text slot;
    enum err status = buf_lend(c->arena, &b, &slot);
    if (status == OK)
        status = keep(c, cat, p.id, slot);
    else if (status == ERR_TOO_LARGE)
        say_clause(c->arena, status, &cat->clause, "a transient value has at most %d bytes", SLOT_BYTES);
    buf_wipe(&b);
    if (status != OK)
        return status;
    status = journal(c, &p, TEXT("transient.held"), cat, TEXT(""));
    if (status != OK)
        release(c, cat, p.id);
    return status;
}

struct getting {
    text name;
    const struct category *cat;
};

static enum err may_get(struct ctx *c, struct look *l)
{
    struct getting *g = l->arg;
    struct bits set;
    TRY(write_refused(c, &l->p, category_of(c, g->name, &g->cat, &set)));
    l->event.categories = g->cat->name;
    l->event.clause = g->cat->clause.path;
    return person_allow(c, &l->p, l->purpose, &set, ACT_READ);
}

/* Copied once the entry is durable: until then it stays in locked memory. */
static enum err give_value(struct ctx *c, struct look *l, struct answer *out)
{
    const struct getting *g = l->arg;
    struct digest what, whose;
    digests(c->tenant, g->cat->name, l->p.id, &what, &whose);
    struct transient_memory *m = c->app->transient;
    pthread_mutex_lock(&m->lock);
    struct slot *s = find(m, &what);
    if (s && s->expires <= c->now) {
        wipe(m, s);
        s = NULL;
    }
    if (s)
        out->body = arena_copy(c->arena, (text){ (const char *)bytes_of(m, s), s->size });
    pthread_mutex_unlock(&m->lock);
    if (!s)
        return say(c->arena, ERR_NOT_FOUND, "nothing of that category is in memory");
    return out->body.p ? OK : ERR_MEMORY;
}

enum err transient_get(struct ctx *c, text id, text category, text purpose, struct answer *out)
{
    struct getting g = { .name = category };
    struct look l = { .act = TEXT("read"), .purpose = purpose, .may = may_get, .give = give_value, .arg = &g };
    return look_at_person(c, id, &l, out);
}

enum err transient_drop(struct ctx *c, text id, text category, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    const struct category *cat;
    struct bits set;
    (void)out;
    TRY(person_open(c, id, false, &p));
    TRY(write_refused(c, &p, category_of(c, category, &cat, &set)));
    TRY(person_allow_some(c, &p, NULL, TEXT(""), &set, ACT_WRITE));
    release(c, cat, p.id); /* the value first: a full disk must not keep it */
    return journal(c, &p, TEXT("transient.released"), cat, TEXT(""));
}

void transient_forget(struct app *app, text tenant, struct subject_id id)
{
    struct transient_memory *m = app->transient;
    struct digest what, whose;
    if (!m)
        return;
    digests(tenant, TEXT(""), id, &what, &whose);
    pthread_mutex_lock(&m->lock);
    for (unsigned i = 0; i < SLOTS; i++)
        if (m->slots[i].used && memcmp(&m->slots[i].whose, &whose, sizeof whose) == 0)
            wipe(m, &m->slots[i]);
    pthread_mutex_unlock(&m->lock);
}

enum err transient_tick(struct ctx *c)
{
    struct transient_memory *m = c->app->transient;
    pthread_mutex_lock(&m->lock);
    unsigned ended = wipe_ended(m, c->now);
    pthread_mutex_unlock(&m->lock);
    if (!ended)
        return OK;
    struct write w = { .event = event_of(c, NULL, TEXT("transient.released")) };
    w.event.tenant = (text){ NULL, 0 };
    w.event.count = ended;
    return store_write(ctx_store(c), c->arena, &w);
}

/* Rows that cannot be told: how far the rounds have passed over them, for each recipient. */
#include "domain/recipient/round.h"
#include "base/log.h"

static const msec AGAIN = MINUTE; /* after the last that was passed over, they are looked at again */

struct passed {
    struct passed *next;
    text recipient, id; /* id: of the last that was passed over; p NULL: none yet */
    msec at, moved, says;
    int64_t said;
};
struct told_round {
    struct passed *first;
};

struct told_round *told_round_open(void) { return calloc(1, sizeof(struct told_round)); }

static text kept(text s)
{
    char *out = malloc(s.n + 1);
    if (out && s.n)
        memcpy(out, s.p, s.n);
    return (text){ out, out ? s.n : 0 };
}

static void drop(text *s)
{
    free((char *)s->p);
    *s = (text){ NULL, 0 };
}

static struct passed **find(struct told_round *r, text recipient)
{
    struct passed **at = &r->first;
    while (*at && !text_eq((*at)->recipient, recipient))
        at = &(*at)->next;
    return at;
}

static void forget(struct passed **at)
{
    struct passed *p = *at;
    *at = p->next;
    drop(&p->recipient);
    drop(&p->id);
    free(p);
}

void told_round_close(struct told_round **at)
{
    struct told_round *r = *at;
    if (!r)
        return;
    while (r->first)
        forget(&r->first);
    free(r);
    *at = NULL;
}

enum err told_behind(struct told_round *r, struct arena *a, text recipient, msec now, struct place_due *out)
{
    struct passed *p = *find(r, recipient);
    *out = (struct place_due){ .at = INT64_MIN, .id = TEXT("") };
    if (!p || !p->id.p)
        return OK;
    if (now >= p->moved + AGAIN || now < p->moved) {
        drop(&p->id);
        return OK;
    }
    out->at = p->at;
    out->id = arena_copy(a, p->id);
    return arena_whole(a);
}

static struct passed *make(struct told_round *r, text recipient)
{
    struct passed *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->next = r->first;
    p->recipient = kept(recipient);
    r->first = p;
    if (!p->recipient.p) {
        forget(&r->first);
        return NULL;
    }
    return p;
}

/* At first at once, then ever less often, a day at most. */
static bool says(struct passed *p, msec now)
{
    msec pause = AGAIN;
    if (now < p->says)
        return false;
    for (int64_t i = 0; i < p->said && pause < DAY; i++)
        pause *= 2;
    p->said++;
    p->says = now + (pause < DAY ? pause : DAY);
    return true;
}

enum err told_pass(struct told_round *r, struct arena *a, text recipient, msec now, const struct place_due *place,
                   enum err e)
{
    struct passed *p = *find(r, recipient);
    p = p ? p : make(r, recipient);
    TRY_PTR(p);
    text id = kept(place->id);
    TRY_PTR(id.p);
    drop(&p->id);
    p->id = id;
    p->at = place->at;
    p->moved = now;
    if (says(p, now))
        LOG(LOG_WARN, "told.passed", LOG_TEXT("recipient", recipient), LOG_TEXT("code", err_row(e)->slug),
            LOG_TEXT("why", text_of(a->why.detail)));
    return OK;
}

void told_all_seen(struct told_round *r, text recipient, const struct place_due *from)
{
    struct passed **at = find(r, recipient);
    if (*at && from->at == INT64_MIN)
        forget(at);
}

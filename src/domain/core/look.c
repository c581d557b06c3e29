/* Why somebody looks at a person's data, where their role must say it. */
#include "domain/core/looking.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

enum err look_reason(struct ctx *c, text reason)
{
    reason = text_trim(reason);
    bool plain = reason.n <= REASON_MAX && text_utf8(reason);
    for (size_t i = 0; plain && i < reason.n; i++)
        plain = (uint8_t)reason.p[i] >= 0x20 && reason.p[i] != 0x7F;
    if (!plain)
        return say(c->arena, ERR_VALUE, "a reason is one line of at most %d bytes", REASON_MAX);
    TRY(value_no_card(c, TEXT("reason"), reason));
    c->actor.reason = reason;
    return OK;
}

enum err look_allow(struct ctx *c, const struct person *p, text purpose, text categories)
{
    const struct actor_class *class = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    if (!class || !class->reason || c->actor.reason.n)
        return OK;
    const struct clause *clause = policy_clause(c->policy, arena_print(c->arena, "roles.%.*s.reason", T(class->name)));
    say_clause(c->arena, ERR_REASON, clause ? clause : &class->clause,
               "\"%.*s\" says why before each look: header Garant-Reason", T(class->name));
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "reason");
    return write_refusal(c, p, purpose, categories);
}

static struct place place_of(const struct ctx *c, const struct person *p)
{
    return (struct place){ .tenant = c->tenant, .subject = p->id, .table = TEXT("journal"), .field = TEXT("reason") };
}

enum err look_seal(struct ctx *c, const struct person *p, struct event *e)
{
    KEY_AUTO key;
    struct place place = place_of(c, p);
    if (!c->actor.reason.n)
        return OK;
    key_derive(&p->key, TEXT("journal"), &key);
    return seal(c->arena, &key, &place, c->actor.reason, &e->detail);
}

enum err look_seal_act(struct ctx *c, struct event *e)
{
    PERSON_AUTO p = { .id = e->subject };
    if (!c->actor.reason.n || !e->has_subject || e->detail.bytes.n)
        return OK;
    enum err status = store_key(ctx_store(c), c->arena, c->tenant, e->subject, 0, &p.key);
    if (status == ERR_ERASED || status == ERR_NOT_FOUND)
        return OK; /* who is not there yet, or no longer, has no view to read it in */
    TRY(status);
    return look_seal(c, &p, e);
}

enum err look_open(struct ctx *c, const struct person *p, sealed detail, text *out)
{
    KEY_AUTO key;
    struct place place = place_of(c, p);
    key_derive(&p->key, TEXT("journal"), &key);
    return seal_open(c->arena, &key, &place, detail, out);
}

/* Why somebody looks at a person's data, where their role must say it. */
#include "domain/core/looking.h"
#include "base/json.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

enum err look_reason(struct ctx *c, text reason)
{
    reason = text_trim(reason);
    if (!value_is_line(reason, REASON_MAX))
        return say(c->arena, ERR_VALUE, "a reason is one line of at most %d bytes", REASON_MAX);
    TRY(value_no_card(c, TEXT("reason"), reason));
    c->actor.reason = reason;
    return OK;
}

enum err look_allow(struct ctx *c, const struct person *p, text purpose, const struct bits *categories)
{
    const struct actor_class *class = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    if (!class || !class->reason || c->actor.reason.n)
        return OK;
    const struct clause *clause = policy_clause(c->policy, arena_print(c->arena, "roles.%.*s.reason", T(class->name)));
    say_clause(c->arena, ERR_REASON, clause ? clause : &class->clause,
               "\"%.*s\" says why before each look and each act: header Garant-Reason", T(class->name));
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "reason");
    return write_refusal(c, p, value_shown(purpose), categories ? event_categories(c, categories) : TEXT(""));
}

/* ---- Sealed beside the entry, under the person's key. ---- */

/* The places that a detail was ever sealed for: a reason alone; several things told, as JSON; and of entries from
 * before these were told together, the one thing that they hold. */
static const text places[] = { TEXT_INIT("reason"), TEXT_INIT("told"), TEXT_INIT("supplied_by"),
                               TEXT_INIT("reference") };
enum { PLACE_REASON, PLACE_TOLD };

static struct place place_of(const struct ctx *c, const struct person *p, text field)
{
    return (struct place){ .tenant = c->tenant, .subject = p->id, .table = TEXT("journal"), .field = field };
}

static enum err seal_at(struct ctx *c, const struct person *p, text field, text clear, struct event *e)
{
    KEY_AUTO key;
    struct place place = place_of(c, p, field);
    key_derive(&p->key, TEXT("journal"), &key);
    return seal(c->arena, &key, &place, clear, &e->detail);
}

enum err look_seal(struct ctx *c, const struct person *p, struct event *e)
{
    if (!c->actor.reason.n)
        return OK;
    return seal_at(c, p, places[PLACE_REASON], c->actor.reason, e);
}

enum err look_seal_told(struct ctx *c, const struct person *p, text name, text value, struct event *e)
{
    if (!value.n)
        return look_seal(c, p, e);
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    text clear;
    json_open(&w, '{');
    json_pair(&w, name, value);
    if (c->actor.reason.n)
        json_pair(&w, TEXT("reason"), c->actor.reason);
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &clear));
    return seal_at(c, p, places[PLACE_TOLD], clear, e);
}

enum err look_seal_act(struct ctx *c, struct event *e)
{
    PERSON_AUTO p = { .id = e->subject };
    if (!c->actor.reason.n || !e->has_subject || e->detail.bytes.n)
        return OK;
    enum err status = store_key(ctx_store(c), c->arena, c->tenant, e->subject, 0, &p.key);
    if (status == ERR_ERASED || status == ERR_NOT_FOUND)
        return OK; /* who is no longer there has no view to read it in */
    TRY(status);
    return look_seal(c, &p, e);
}

/* What one detail says of `name`, once it opened for that place. */
static enum err told_of(struct ctx *c, size_t place, text clear, text name, text *out)
{
    const struct json *told;
    if (place != PLACE_TOLD) {
        *out = text_eq(places[place], name) ? clear : (text){ NULL, 0 };
        return OK;
    }
    TRY(json_parse(c->arena, clear, &told));
    *out = json_text(told, name);
    return OK;
}

enum err look_open(struct ctx *c, const struct person *p, sealed detail, text name, text *out)
{
    KEY_AUTO key;
    text clear;
    enum err status = OK;
    *out = (text){ NULL, 0 };
    key_derive(&p->key, TEXT("journal"), &key);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct place place = place_of(c, p, places[i]);
        status = seal_open(c->arena, &key, &place, detail, &clear);
        if (status != ERR_CRYPT)
            return status == OK ? told_of(c, i, clear, name, out) : status;
    }
    return status;
}

/* Closing an account: who may, and the person is told; the rest is retention's (`closure`). */
#include "domain/mail/account_letter.h"
#include "domain/person/person.h"
#include "domain/entry/closing.h"
#include "domain/core/instance.h"
#include "domain/keep/hold.h"
#include "domain/person/keeping.h"
#include "domain/core/actor.h"

/* Who answers rights closes; and who manages accounts: the purposes that the policy calls so. */
static enum err may_close(struct ctx *c, const struct person *p)
{
    const struct bits all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    struct ask ask = actor_ask(c, PURPOSE_RIGHTS, -1, ACT_ERASE);
    ask.consents = &all;
    if (policy_decide(c->policy, &ask).verdict == ALLOWED)
        return OK;
    ask.act = ACT_WRITE;
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        ask.purpose = (int)i;
        if (text_eq(c->policy->purposes[i].dpv, TEXT("dpv:AccountManagement")) &&
            policy_decide(c->policy, &ask).verdict == ALLOWED)
            return OK;
    }
    return person_allow_act(c, p, ACT_ERASE);
}

static enum err end_of(struct ctx *c, const struct person *p, msec *until)
{
    struct keeping k;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    TRY(keeping_load(db, c->arena, c->tenant, p->id, c->now, &k));
    k.starts.closure = c->now;
    k.closed = true;
    return keeping_person_until(db, c->policy, c->tenant, p->id, &k, until);
}

enum err closing_until(struct ctx *c, text id, msec *until)
{
    PERSON_AUTO p = { 0 };
    TRY(person_open(c, id, false, &p));
    return end_of(c, &p, until);
}

enum err account_close(struct ctx *c, text id, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct mail_put letter;
    text address;
    int category;
    TRY(person_open(c, id, false, &p));
    if (c->actor.kind == ACTOR_PERSON)
        TRY(session_fresh(c)); /* whoever finds a browser left open must not close it */
    TRY(may_close(c, &p));
    TRY(mail_address(c, &p, &address, &category));
    msec until = 0;
    TRY(end_of(c, &p, &until));
    const struct account_letter closed = { .name = TEXT("closed"), .to = address, .until = until };
    if (address.n)
        TRY(letter_make(c, &p, &closed, &letter));
    return retention_close(c, &p, address.n ? mail_also : NULL, &letter, out);
}

enum err retention_close(struct ctx *c, const struct person *p, enum err (*also)(struct db *db, void *arg), void *arg,
                         struct answer *out)
{
    struct milestone m = { .c = c, .p = p, .event = TEXT("closure"), .at = c->now, .also = also, .also_arg = arg };
    return hold_write_milestone(&m, out);
}

/* Handlers of accounts: opened, registered, invited, given roles, imported, closed. */
#include "base/fiber.h"
#include "domain/person/account.h"
#include "domain/core/paging.h"
#include "domain/entry/address.h"
#include "domain/entry/closing.h"
#include "domain/entry/opening.h"
#include "domain/entry/roster.h"
#include "domain/core/actor.h"
#include "front/api/account.h"
#include "front/api/signin.h"

#define ID          q->params[0]
#define ASKED(name) request_query(q, TEXT(name))
#define SENT(name)  json_text(q->json, TEXT(name))

HANDLER(account_open, account_open_for(c, q->json, &answer))
PAGED(account_list, account_list(c, ASKED("state"), ASKED("role"), ASKED("purpose"), false, &paging, &answer))
HANDLER(account_get, account_get(c, ID, ASKED("purpose"), false, &answer))
HANDLER(account_invite, account_invite(c, ID, &answer))
HANDLER(account_role, account_role(c, ID, q->json, &answer))
HANDLER(account_manager, account_manager(c, ID, q->json, &answer))
HANDLER(account_agreement, account_agreement(c, ID, q->json, &answer))
HANDLER(account_approve, registration_decide(c, ID, true, &answer))
HANDLER(account_refuse, registration_decide(c, ID, false, &answer))
HANDLER(invitation_accept, invitation_accept(c, SENT("token"), SENT("password"), &answer, NULL))
HANDLER(registration_confirm, registration_confirm(c, SENT("token"), SENT("password"), &answer, NULL))
HANDLER(identifier_change, identifier_change(c, q->json, &answer))
HANDLER(identifier_confirm, identifier_confirm(c, SENT("token"), &answer))
HANDLER(subject_close, account_close(c, ID, &answer))

enum err registration_request(struct ctx *c, const struct request *q, const struct json *in, text next,
                              struct answer *out)
{
    TRY(signin_paced(c, q));
    return registration_begin(c, in, next, out);
}

HANDLER(account_register, registration_request(c, q, q->json, TEXT(""), &answer))

HANDLER(me_close, account_close(c, session_self(c), &answer))

/* ---- Import: lines side by side, so that they share commits. ---- */

enum { LANES = 32 };

struct lane {
    struct importing *all;
    unsigned number;
    struct arena arena;
};

struct importing {
    const struct ctx *ctx;
    struct import *import;
    struct lane lanes[LANES];
    unsigned count, running;
    struct wait done;
};

static void run_lane(void *arg)
{
    struct lane *lane = arg;
    struct importing *all = lane->all;
    for (unsigned line = lane->number; line < import_count(all->import); line += all->count) {
        struct ctx c = *all->ctx; /* the same snapshot, actor and time; its own memory and reason */
        c.arena = &lane->arena;
        c.decisions = NULL;
        c.idempotency.key = (text){ NULL, 0 }; /* a table sent again finds its addresses taken */
        import_line(&c, all->import, line);
        arena_reset(&lane->arena);
    }
    arena_free(&lane->arena);
    if (--all->running == 0)
        wait_done(&all->done);
}

static enum err run_lanes(struct ctx *c, const struct request *q, struct import *import)
{
    struct importing *all = NEW(c->arena, struct importing);
    TRY_PTR(all);
    *all = (struct importing){ .ctx = c, .import = import, .count = q->fibers ? LANES : 1, .running = 1 };
    wait_init(&all->done);
    for (unsigned i = 0; i < all->count; i++) {
        struct lane *lane = &all->lanes[i];
        *lane = (struct lane){ .all = all, .number = i, .arena = arena_make(c->arena->limit) };
        all->running++;
        if (!q->fibers || fiber_run(&lane->arena, q->fibers, run_lane, lane) != OK)
            run_lane(lane);
    }
    if (--all->running)
        wait_for(&all->done);
    return OK;
}

static enum err import_accounts(struct ctx *c, const struct request *q, struct answer *answer)
{
    text type = request_header(q, TEXT("Content-Type"));
    bool json = text_starts(type, TEXT("application/json"));
    struct import *import;
    struct import_options o = { .supplied_by = ASKED("supplied_by"),
                                .language = ASKED("language"),
                                .why = ASKED("why"),
                                .map = ASKED("map"),
                                .no_invitation = text_eq(ASKED("invite"), TEXT("false")) };
    if (ASKED("line").n && (!text_int(ASKED("line"), &o.first_line) || o.first_line < 1 || o.first_line > INT32_MAX))
        return say(c->arena, ERR_USAGE, "\"line\" is the number of a line");
    c->dry = text_eq(ASKED("dry_run"), TEXT("true"));
    if (!json && !text_starts(type, TEXT("text/csv")))
        return say(c->arena, ERR_MEDIA_TYPE, "this resource takes text/csv, or application/json");
    TRY(import_begin(c, q->body, json, &o, &import));
    TRY(run_lanes(c, q, import));
    return import_answer(c, import, answer);
}

HANDLER(account_import, import_accounts(c, q, &answer))

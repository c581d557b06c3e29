/* The fetcher: rounds over a mailbox, a message at a time: its size, itself, filed, marked. */
#include "link/fetcher.h"
#include "base/log.h"
#include "domain/core/context.h"
#include "domain/mail/inbound.h"
#include <stdlib.h>

enum {
    ROUND = 200,           /* UIDs that are asked for at once */
    TROUBLED_MOST = 3,     /* in a row: what they have in common is not the messages */
    ENDED_MOST = 2,        /* times that the connection may end over one of them, before the others come first */
    HEADER_MAX = 64 << 10, /* of one that is too large: shown to staff in its place */
    MEMORY = 256 << 20,
    CLOCK_MEMORY = 1 << 20,
    PAUSE_MAX_MS = 15 * 60 * 1000
};

struct fetcher {
    struct app *app;
    struct arena a; /* of the options */
    struct imap *imap;
    text address, into;
    enum { THEN_SEEN, THEN_DELETE, THEN_MOVE } then;
    int every_ms, pause_ms;
    uint32_t from; /* the UID at which the round goes on: one that cannot be filed now holds up nobody behind it */
    uint32_t ended_over; /* the UID over which the connection ended last, */
    unsigned ended;      /* and how often in a row */
    const char *code;    /* why the server does not give or mark one since the round began; "" */
    bool unmarked;       /* one of these tries */
    struct link_thread thread;
};

/* ---- One message. ---- */

static enum err file(struct fetcher *f, text raw, int64_t size)
{
    ARENA_AUTO a = arena_make(MEMORY);
    CTX_AUTO c = { 0 };
    struct answer answer = { 0 };
    ctx_begin(f->app, &a, &c);
    enum err e = inbound_fetched(&c, f->address, raw, size > INBOUND_MAX, &answer);
    if (e != OK && !link_thread_stops(&f->thread))
        LOG(LOG_WARN, "mail.not-taken", LOG_TEXT("code", err_row(e)->slug), LOG_TEXT("why", text_of(a.why.detail)));
    return e;
}

/* Whether no other try will help: such a one stays, marked for whoever opens the mailbox. An address that is not ours
 * now may be again: a policy is reloaded. */
static bool for_good(enum err e) { return e == ERR_TOO_LARGE || e == ERR_MISSING; }

static bool mark(struct fetcher *f, uint32_t uid, bool filed)
{
    if (!filed)
        return imap_flag(f->imap, uid, "\\Seen \\Flagged");
    if (f->then == THEN_DELETE)
        return imap_delete(f->imap, uid);
    return f->then == THEN_MOVE ? imap_move(f->imap, uid, f->into) : imap_flag(f->imap, uid, "\\Seen");
}

/* What the server refuses for one is said, and holds up no other. False when the connection is over. */
static bool refused(struct fetcher *f)
{
    f->code = imap_code(f->imap);
    return imap_goes_on(f->imap);
}

static bool mark_or_say(struct fetcher *f, uint32_t uid, bool filed)
{
    if (mark(f, uid, filed))
        return true;
    f->unmarked = true;
    return refused(f);
}

/* False when the connection is over; *filed: it, or nothing of it, is there. */
static bool take_one(struct fetcher *f, uint32_t uid, bool *filed)
{
    int64_t size;
    text raw;
    *filed = false;
    if (!imap_size(f->imap, uid, &size))
        return refused(f);
    if (size < 0) {
        *filed = true; /* somebody else took it away */
        return true;
    }
    bool large = size > INBOUND_MAX;
    ARENA_AUTO a = arena_make(1 << 16);
    BUF_AUTO b = buf_make(large ? HEADER_MAX : INBOUND_MAX);
    if (!imap_message(f->imap, uid, large, &b))
        return refused(f);
    if (buf_lend(&a, &b, &raw) != OK)
        return true; /* no memory now */
    enum err e = file(f, raw, size);
    *filed = e == OK || for_good(e);
    return !*filed || mark_or_say(f, uid, e == OK && !large);
}

/* ---- A round. ---- */

static uint32_t behind(uint32_t uid) { return uid < UINT32_MAX ? uid + 1 : 1; }

/* One that its server cannot give is tried again when the round is over: those behind it do not wait for it. */
static void note_ended(struct fetcher *f, uint32_t uid)
{
    f->ended = f->ended_over == uid ? f->ended + 1 : 1;
    f->ended_over = uid;
    if (f->ended < ENDED_MOST)
        return;
    f->from = behind(uid);
    f->pause_ms = f->every_ms;
}

/* False when the mailbox was not reached, or what is asked of it fails. */
static bool take_some(struct fetcher *f, bool *more)
{
    uint32_t uids[ROUND];
    unsigned count = 0, troubled = 0;
    f->unmarked = false;
    if (f->from == 1)
        f->code = "";
    if (!imap_search(f->imap, f->from, uids, ROUND, &count, more))
        return false;
    for (unsigned i = 0; i < count && troubled < TROUBLED_MOST && !link_thread_stops(&f->thread); i++) {
        bool filed = false;
        f->from = uids[i];
        if (!take_one(f, uids[i], &filed)) {
            note_ended(f, uids[i]);
            return false;
        }
        f->from = behind(uids[i]);
        troubled = filed ? 0 : troubled + 1;
    }
    if (troubled == TROUBLED_MOST)
        *more = false;
    else if (!*more)
        f->from = 1;
    return true;
}

static void tell(struct fetcher *f, const char *code)
{
    ARENA_AUTO a = arena_make(CLOCK_MEMORY);
    CTX_AUTO c = { 0 };
    ctx_begin(f->app, &a, &c);
    inbound_mailbox(&c, code);
}

static void pause_longer(struct fetcher *f)
{
    f->pause_ms = f->pause_ms < PAUSE_MAX_MS / 2 ? f->pause_ms * 2 : PAUSE_MAX_MS;
}

static bool address_is_ours(struct fetcher *f)
{
    ARENA_AUTO a = arena_make(CLOCK_MEMORY);
    CTX_AUTO c = { 0 };
    text tenant, tag;
    ctx_begin(f->app, &a, &c);
    return inbound_box(&c, f->address, &tenant, &tag) != INBOUND_NONE;
}

/* True when there may be more at once. */
static bool work(struct fetcher *f)
{
    bool more = false;
    if (!address_is_ours(f)) { /* a policy that was reloaded names it no more */
        f->pause_ms = f->every_ms;
        tell(f, "address");
        return false;
    }
    bool good = imap_begin(f->imap) && take_some(f, &more);
    imap_end(f->imap);
    if (link_thread_stops(&f->thread))
        return false;
    tell(f, good ? f->code : imap_code(f->imap));
    if (good && !f->unmarked)
        f->pause_ms = f->every_ms;
    else
        pause_longer(f);
    return good && more;
}

static void *fetcher_main(void *arg)
{
    struct fetcher *f = arg;
    while (!link_thread_rest(&f->thread, work(f) ? 0 : f->pause_ms))
        ;
    return NULL;
}

/* ---- The settings. ---- */

static enum err keep(struct fetcher *f, text said, text *out)
{
    *out = arena_copy(&f->a, said);
    return out->p ? OK : ERR_MEMORY;
}

static enum err read_options(struct arena *a, const struct fetcher_options *o, struct fetcher *f)
{
    bool moves = text_eq(o->then, TEXT("move"));
    if (o->every < 1 || o->every > 3600)
        return say(a, ERR_CONFIG, "\"every\" is a number of seconds, 1 to 3600");
    if (!moves && !text_eq(o->then, TEXT("seen")) && !text_eq(o->then, TEXT("delete")))
        return say(a, ERR_CONFIG, "\"then\" is seen, delete, or {move: MAILBOX}");
    f->then = moves ? THEN_MOVE : text_eq(o->then, TEXT("delete")) ? THEN_DELETE : THEN_SEEN;
    f->every_ms = (int)o->every * (int)SECOND;
    f->pause_ms = f->every_ms;
    f->from = 1;
    f->code = "";
    TRY(keep(f, o->address, &f->address));
    TRY(keep(f, o->into, &f->into));
    if (!address_is_ours(f))
        return say(a, ERR_CONFIG,
                   "\"address\" is none of the policy's: tenants.*.email, rights.channels.email, "
                   "controller.email, dpo.email");
    return !moves || imap_name(o->into)
               ? OK
               : say(a, ERR_CONFIG, "a mailbox is named in ASCII, as its server writes the name");
}

enum err fetcher_start(struct arena *a, struct app *app, const struct fetcher_options *o, struct fetcher **out)
{
    struct fetcher *f = calloc(1, sizeof *f);
    TRY_PTR(f);
    *out = f;
    f->app = app;
    f->a = arena_make(CLOCK_MEMORY);
    enum err e = link_thread_open(a, &f->thread);
    if (e == OK)
        e = read_options(a, o, f);
    if (e == OK)
        e = imap_open(a, &o->imap, &f->thread, &f->imap);
    if (e == OK) {
        tell(f, NULL);
        e = link_thread_start(a, &f->thread, fetcher_main, f);
    }
    if (e != OK)
        fetcher_stop(out);
    return e;
}

void fetcher_stop(struct fetcher **fetcher)
{
    struct fetcher *f = *fetcher;
    if (!f)
        return;
    link_thread_end(&f->thread);
    imap_close(&f->imap);
    arena_free(&f->a);
    free(f);
    *fetcher = NULL;
}

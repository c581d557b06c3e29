/* Two requests of one matter become one: the other keeps a pointer to it, and both histories stand in its file. */
#include "domain/connector/connector.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/dsr/inside.h"

static bool same(struct subject_id a, struct subject_id b) { return memcmp(&a, &b, sizeof a) == 0; }

static enum err not_into(struct ctx *c, enum err status)
{
    text_cstr(TEXT("into"), c->arena->why.field, sizeof c->arena->why.field);
    return status;
}

static enum err named_into(struct dsr_change *ch, const struct json *in, struct dsr *out)
{
    struct ctx *c = ch->c;
    text into = text_trim(json_text(in, TEXT("into")));
    if (!into.n)
        return not_into(c, say(c->arena, ERR_MISSING,
                               "\"into\" is the reference of the request in which this one goes on"));
    enum err status = dsr_load_named(c, into, out);
    if (status == ERR_NOT_FOUND)
        return not_into(c, say(c->arena, ERR_VALUE, "\"into\" is the reference of no request"));
    TRY(status);
    return same(out->id, ch->d.id) ? not_into(c, say(c->arena, ERR_VALUE, "a request is not joined to itself")) : OK;
}

/* Nothing that is known, was done or was asked is lost by it. */
static enum err check_two(struct ctx *c, const struct dsr *goes, const struct dsr *stays)
{
    bool asked;
    if (goes->kind != stays->kind)
        return say(c->arena, ERR_CONFLICT, "these requests ask for two things: correct the kind of one, or answer both");
    if (dsr_by_agent(goes) != dsr_by_agent(stays))
        return say(c->arena, ERR_CONFLICT, "one of these requests was made by the person, the other for them: answer both");
    if (goes->has_subject && stays->has_subject && !same(goes->subject, stays->subject))
        return say(c->arena, ERR_CONFLICT, "these are requests about two people");
    if (dsr_identified(goes) && !dsr_identified(stays))
        return say(c->arena, ERR_CONFLICT, "who asks is known in this request and not in the other: join the other to this one");
    TRY(connector_asked(c, goes->id, &asked));
    return asked ? say(c->arena, ERR_CONFLICT, "stores were asked for this request already: join the other to this one") : OK;
}

/* The month of the one that came first counts, with the pauses and the extension that it had. */
static void take_clock(struct dsr *stays, struct dsr goes, msec now)
{
    bool waited = goes.asked != 0;
    if (goes.received >= stays->received)
        return;
    dsr_resume(&goes, now);
    stays->received = goes.received;
    stays->extended = goes.extended;
    stays->paused = goes.paused;
    if (!stays->asked)
        return;
    msec since = waited ? now : stays->asked; /* what the first waited counts once */
    dsr_pause(stays, stays->asked);
    if (stays->asked)
        stays->asked = since;
}

enum err dsr_join(struct dsr_change *ch, const struct json *in)
{
    struct ctx *c = ch->c;
    struct dsr before;
    struct dsr_change *with = NEW(c->arena, struct dsr_change);
    TRY_PTR(with);
    TRY(dsr_load(c, ch->d.id, &before));
    TRY(named_into(ch, in, &with->d));
    TRY(dsr_begin(c, with, DSR_MOVE_take_in, DSR_BY_server, ch->note));
    TRY(check_two(c, &before, &with->d));
    take_clock(&with->d, before, c->now);
    if (!with->d.has_subject && before.has_subject) {
        with->d.subject = before.subject;
        with->d.has_subject = true;
    }
    ch->d.joined = with->d.id;
    ch->d.has_joined = true;
    ch->with = with;
    ch->into = dsr_reference(c, &with->d);
    return dsr_letter(ch, TEXT("request_joined"), TEXT(""));
}

/* ---- What is shown of it. ---- */

enum { JOINED_MOST = 500 };

static enum err list_joined(struct ctx *c, const struct dsr *d, struct subject_id *ids, unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_JOINED, ARGS(V_TEXT(c->tenant), V_ID(d->id)));
    *count = 0;
    while (query_next(&q)) {
        if (*count == JOINED_MOST)
            return say(c->arena, ERR_TOO_LARGE, "more than %d requests joined to one", JOINED_MOST);
        memcpy(&ids[(*count)++], query_get(&q, DSR_JOINED, id).p, sizeof *ids);
    }
    return q.status;
}

enum err dsr_put_joined(struct ctx *c, const struct dsr *d, struct json_out *w)
{
    unsigned count;
    struct subject_id *ids = NEW_ARRAY(c->arena, struct subject_id, JOINED_MOST);
    TRY_PTR(ids);
    TRY(list_joined(c, d, ids, &count));
    json_name(w, TEXT("joined_from"));
    json_open(w, '[');
    for (unsigned i = 0; i < count; i++) {
        struct dsr other;
        TRY(dsr_load(c, ids[i], &other));
        json_open(w, '{');
        json_pair(w, TEXT("request"), dsr_reference(c, &other));
        json_pair(w, TEXT("received"), time_print(c->arena, other.received));
        json_pair(w, TEXT("channel"), other.channel);
        json_pair(w, TEXT("name"), other.file.name.n ? other.file.name : (text){ NULL, 0 });
        json_pair(w, TEXT("email"), other.file.email.n ? other.file.email : (text){ NULL, 0 });
        json_pair(w, TEXT("text"), other.file.text.n ? other.file.text : (text){ NULL, 0 });
        json_close(w, '}');
    }
    json_close(w, ']');
    return arena_whole(c->arena);
}

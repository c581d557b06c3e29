/* The register of requests: rows of moves.def, a row with its sealed file, and what is shown of it. */
#include "base/calendar.h"
#include "domain/core/written.h"
#include "domain/core/decided.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "domain/dsr/inside.h"

enum { FILE_MAX = 1 << 17 };

/* ---- Rows of moves.def. ---- */

static const struct {
    text name;
    bool identity;
    text en, fr;
} kinds[] = {
#define none     false
#define identity true
#define ASKED(name, needs, en, fr) [DSR_##name] = { TEXT_INIT(#name), needs, TEXT_INIT(en), TEXT_INIT(fr) },
#include "domain/dsr/moves.def"
#undef none
#undef identity
};
static const struct {
    text name;
    enum dsr_state_kind kind;
} states[] = {
#define STATE(name, kind) [DSR_IN_##name] = { TEXT_INIT(#name), DSR_STATE_##kind },
#include "domain/dsr/moves.def"
};
/* States that are not closed. */
enum {
    ANY_OPEN = 0
#define OPEN_open(name)   | 1 << DSR_IN_##name
#define OPEN_paused(name) | 1 << DSR_IN_##name
#define OPEN_closed(name)
#define STATE(name, kind) OPEN_##kind(name)
#include "domain/dsr/moves.def"
};
#define IN(name) 1 << DSR_IN_##name
static const struct dsr_move_row moves[] = {
#define MOVE(name, from, to, by, says, act)                                                                            \
    [DSR_MOVE_##name] = { DSR_MOVE_##name, TEXT_INIT(#name), from, DSR_IN_##to, DSR_BY_##by, DSR_SAYS_##says,          \
                          TEXT_INIT(act) },
#include "domain/dsr/moves.def"
};
#undef IN

const struct dsr_move_row *dsr_move_row(enum dsr_move_id id) { return &moves[id]; }

const struct dsr_move_row *dsr_move_named(text name)
{
    for (size_t i = 0; i < DSR_MOVES; i++)
        if (text_eq(moves[i].name, name))
            return &moves[i];
    return NULL;
}

text dsr_state_word(enum dsr_state s) { return states[s].name; }
enum dsr_state_kind dsr_state_kind(enum dsr_state s) { return states[s].kind; }
text dsr_kind_word(enum dsr_kind_id k) { return kinds[k].name; }
text dsr_kind_says(const struct ctx *c, enum dsr_kind_id k) { return doc_in(c, kinds[k].en, kinds[k].fr); }
bool dsr_kind_needs_identity(enum dsr_kind_id k) { return kinds[k].identity; }
bool dsr_kind_is_copy(enum dsr_kind_id k) { return k == DSR_access || k == DSR_portability; }

bool dsr_kind_named(text name, enum dsr_kind_id *out)
{
    for (int i = 0; i < DSR_KINDS; i++)
        if (text_eq(kinds[i].name, name)) {
            *out = (enum dsr_kind_id)i;
            return true;
        }
    return false;
}

/* Questions and complaints are nobody's to refuse to take. */
bool dsr_kind_offered(const struct ctx *c, enum dsr_kind_id k)
{
    return !kinds[k].identity || node_has(node_at(c->policy->root, TEXT("rights.offered")), kinds[k].name);
}

bool dsr_kind_at(const struct ctx *c, unsigned n, struct dsr_kind *out)
{
    for (unsigned i = 0; i < DSR_KINDS; i++)
        if (dsr_kind_offered(c, (enum dsr_kind_id)i) && !n--) {
            *out = (struct dsr_kind){ kinds[i].name, dsr_kind_says(c, (enum dsr_kind_id)i) };
            return true;
        }
    return false;
}

bool dsr_identified(const struct dsr *d) { return !text_eq(d->identity, TEXT("none")); }
bool dsr_by_agent(const struct dsr *d) { return d->file.agent.n != 0; }
text dsr_reference(struct ctx *c, const struct dsr *d) { return id_print(c->arena, d->id); }

/* ---- The row and its file. ---- */

static struct place place_of(const struct ctx *c, struct subject_id request, text table, text field, int64_t version)
{
    return (struct place){ .tenant = c->tenant,
                           .subject = request,
                           .table = table,
                           .field = field,
                           .version = (uint64_t)version };
}

enum err dsr_seal(struct ctx *c, struct subject_id request, text table, text field, int64_t version, text clear,
                  sealed *out)
{
    struct place place = place_of(c, request, table, field, version);
    return written_seal_at(c, TEXT("dsr"), &place, clear, out);
}

enum err dsr_unseal(struct ctx *c, struct subject_id request, text table, text field, int64_t version, sealed in,
                    text *clear)
{
    struct place place = place_of(c, request, table, field, version);
    return written_open_at(c, TEXT("dsr"), &place, in, clear);
}

enum err dsr_file_seal(struct ctx *c, const struct dsr *d, int64_t version, sealed *out)
{
    BUF_AUTO b = buf_make(FILE_MAX);
    struct json_out w = json_out(&b);
    text clear;
    json_open(&w, '{');
#define X(member)                                                                                                      \
    if (d->file.member.n)                                                                                              \
        json_pair(&w, TEXT(#member), d->file.member);
    DSR_FILE(X)
#undef X
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &clear));
    return dsr_seal(c, d->id, TEXT("dsr"), TEXT("file"), version, clear, out);
}

static enum err open_file(struct ctx *c, struct dsr *d, sealed body)
{
    text clear;
    const struct json *all;
    TRY(dsr_unseal(c, d->id, TEXT("dsr"), TEXT("file"), d->version, body, &clear));
    TRY(json_parse(c->arena, clear, &all));
#define X(member) d->file.member = json_text(all, TEXT(#member));
    DSR_FILE(X)
#undef X
    return OK;
}

static enum err absent(struct ctx *c) { return say(c->arena, ERR_NOT_FOUND, "there is no such request"); }

static bool state_named(text name, enum dsr_state *out)
{
    for (int i = 0; i < DSR_STATES; i++)
        if (text_eq(states[i].name, name)) {
            *out = (enum dsr_state)i;
            return true;
        }
    return false;
}

static bool take_digest(struct digest *out, text bytes)
{
    if (bytes.n == sizeof *out)
        memcpy(out, bytes.p, sizeof *out);
    return bytes.n == sizeof *out;
}

static enum err take_row(struct ctx *c, struct query *q, struct dsr *d, sealed *body)
{
    text subject = query_get(q, DSR_GET, subject);
    d->version = query_get(q, DSR_GET, version);
    d->channel = arena_copy(c->arena, query_get(q, DSR_GET, channel));
    d->identity = arena_copy(c->arena, query_get(q, DSR_GET, identity));
    d->link_for = arena_copy(c->arena, query_get(q, DSR_GET, link_for));
    d->received = query_get(q, DSR_GET, received);
    d->extended = query_get(q, DSR_GET, extended);
    d->asked = query_get(q, DSR_GET, asked);
    d->paused = query_get(q, DSR_GET, paused);
    d->alarm = query_get(q, DSR_GET, alarm);
    d->legal = query_get(q, DSR_GET, legal);
    d->remind = query_get(q, DSR_GET, remind);
    d->link_until = query_get(q, DSR_GET, link_until);
    d->closed = query_get(q, DSR_GET, closed);
    d->due = query_get(q, DSR_GET, due);
    text joined = query_get(q, DSR_GET, joined);
    d->has_joined = joined.n == sizeof d->joined;
    if (d->has_joined)
        memcpy(&d->joined, joined.p, sizeof d->joined);
    d->has_follow = take_digest(&d->follow, query_get(q, DSR_GET, follow));
    d->has_link = take_digest(&d->link, query_get(q, DSR_GET, link));
    d->had_link = d->has_link;
    d->old_link = d->link;
    d->old_for = d->link_for;
    d->has_subject = subject.n == sizeof d->subject;
    if (d->has_subject)
        memcpy(&d->subject, subject.p, sizeof d->subject);
    *body = (sealed){ arena_copy(c->arena, query_get(q, DSR_GET, body).bytes) };
    if (!dsr_kind_named(query_get(q, DSR_GET, kind), &d->kind) ||
        !state_named(query_get(q, DSR_GET, state), &d->state))
        return say(c->arena, ERR_INTEGRITY, "a request has a kind or a state that is none");
    return arena_whole(c->arena);
}

enum err dsr_load(struct ctx *c, struct subject_id id, struct dsr *out)
{
    sealed body;
    *out = (struct dsr){ .id = id };
    {
        READ_AUTO db = NULL;
        TRY(decided_read(c, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_DSR_GET, ARGS(V_TEXT(c->tenant), V_ID(id)));
        if (!query_next(&q))
            return q.status == OK ? absent(c) : q.status;
        TRY(take_row(c, &q, out, &body));
        TRY(q.status);
    }
    return open_file(c, out, body);
}

enum err dsr_load_named(struct ctx *c, text id, struct dsr *out)
{
    struct subject_id parsed;
    return id_parse(id, &parsed) ? dsr_load(c, parsed, out) : absent(c);
}

/* ---- What is shown. ---- */

static void put_day(struct ctx *c, struct json_out *w, text name, msec t)
{
    json_pair(w, name, t ? date_print(c->arena, value_day(c, t)) : (text){ NULL, 0 });
}

enum err dsr_put_head(struct ctx *c, const struct dsr *d, struct json_out *w)
{
    json_pair(w, TEXT("id"), id_print(c->arena, d->id));
    json_pair(w, TEXT("kind"), kinds[d->kind].name);
    json_pair(w, TEXT("asked"), dsr_kind_says(c, d->kind));
    json_pair(w, TEXT("channel"), d->channel);
    json_pair(w, TEXT("state"), states[d->state].name);
    json_pair(w, TEXT("received"), time_print(c->arena, d->received));
    put_day(c, w, TEXT("alarm"), d->alarm - 1);
    put_day(c, w, TEXT("due"), d->legal - 1);
    json_pair(w, TEXT("extended"), d->extended ? time_print(c->arena, d->extended) : (text){ NULL, 0 });
    json_pair_bool(w, TEXT("paused"), d->asked != 0);
    json_pair(w, TEXT("closed"), d->closed ? time_print(c->arena, d->closed) : (text){ NULL, 0 });
    json_pair_bool(w, TEXT("open"), !d->closed);
    json_pair_bool(w, TEXT("alarmed"), !d->closed && c->now >= d->alarm);
    json_pair_bool(w, TEXT("late"), !d->closed && c->now >= d->legal);
    json_pair(w, TEXT("identity"), d->identity);
    json_pair_bool(w, TEXT("agent"), dsr_by_agent(d));
    json_pair(w, TEXT("joined"), d->has_joined ? id_print(c->arena, d->joined) : (text){ NULL, 0 });
    return arena_whole(c->arena);
}

enum err dsr_put_history(struct ctx *c, const struct dsr *d, enum dsr_notes notes, struct json_out *w)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_STEPS, ARGS(V_TEXT(c->tenant), V_ID(d->id)));
    json_name(w, TEXT("history"));
    json_open(w, '[');
    while (query_next(&q)) {
        text note = { NULL, 0 }, move = arena_copy(c->arena, query_get(&q, DSR_STEPS, move));
        struct subject_id of = d->id;
        memcpy(&of, query_get(&q, DSR_STEPS, request).p, sizeof of);
        bool own = memcmp(&of, &d->id, sizeof of) == 0;
        bool shown = notes == DSR_NOTES_all || (notes == DSR_NOTES_own && own);
        if (shown && !query_null(&q, DSR_STEPS, note))
            TRY(dsr_unseal(c, of, TEXT("dsr_step"), move, query_get(&q, DSR_STEPS, version),
                           query_get(&q, DSR_STEPS, note), &note));
        json_open(w, '{');
        json_pair(w, TEXT("move"), move);
        json_pair(w, TEXT("at"), time_print(c->arena, query_get(&q, DSR_STEPS, at)));
        json_pair(w, TEXT("actor"), query_get(&q, DSR_STEPS, actor));
        json_pair(w, TEXT("text"), note);
        json_pair(w, TEXT("request"), own ? (text){ NULL, 0 } : id_print(c->arena, of));
        json_close(w, '}');
    }
    json_close(w, ']');
    return q.status;
}

static const text said_words[] = { [DSR_SAYS_none] = TEXT_INIT("none"),
                                   [DSR_SAYS_may] = TEXT_INIT("may"),
                                   [DSR_SAYS_must] = TEXT_INIT("must") };

void dsr_put_moves(struct ctx *c, const struct dsr *d, enum dsr_by by, struct json_out *w)
{
    struct why kept = c->arena->why;
    json_name(w, TEXT("moves"));
    json_open(w, '[');
    for (size_t i = 0; i < DSR_MOVES; i++) {
        const struct dsr_move_row *m = &moves[i];
        bool now = (m->from >> d->state & 1) && (m->by & by) == by;
        if (m->id == DSR_MOVE_ask_proof || m->id == DSR_MOVE_give_proof || m->id == DSR_MOVE_accept_proof ||
            m->id == DSR_MOVE_refuse_proof)
            now = now && !dsr_by_agent(d); /* who asks for somebody else shows a mandate */
        if (now && m->id == DSR_MOVE_extend)
            now = dsr_may_extend(c, d) == OK;
        if (!now)
            continue;
        json_open(w, '{');
        json_pair(w, TEXT("move"), m->name);
        json_pair(w, TEXT("text"), said_words[m->says]);
        json_close(w, '}');
    }
    c->arena->why = kept;
    json_close(w, ']');
}

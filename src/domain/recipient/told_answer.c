/* What became of what recipients were told: their answers, by link, token or webhook; the lists of staff and of theirs.
 */
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/mail/mail.h"
#include "domain/person/owed.h"
#include "domain/recipient/told_inside.h"
#include <sodium.h>

enum { PROOF = 16, REASON_MAX = 500 };

/* ---- The link: proven by a keyed digest of the id, so that telling again gives the same one. ---- */

static enum err prove(struct ctx *c, struct subject_id id, text *out)
{
    struct digest d;
    BUF_AUTO b = buf_make(PROOF * 2 + 1);
    digest_identifier(store_index_key(ctx_store(c)), c->tenant, TEXT("recipient.told"), id_print(c->arena, id), &d);
    buf_hex(&b, (text){ (const char *)d.b, PROOF });
    return buf_take(c->arena, &b, out);
}

enum err told_link(struct ctx *c, struct subject_id id, text *out)
{
    text proof;
    *out = (text){ NULL, 0 };
    if (!c->app->public_url[0])
        return OK;
    TRY(prove(c, id, &proof));
    *out = mail_link(c, arena_print(c->arena, "/told?token=%.*s%.*s", T(id_print(c->arena, id)), T(proof)));
    return arena_whole(c->arena);
}

static enum err no_link(struct ctx *c) { return say(c->arena, ERR_NOT_FOUND, "this link is not valid, or no longer"); }

static enum err find_link(struct ctx *c, text token, struct told *out)
{
    struct subject_id id;
    text good, given = text_from(token, ID_TEXT);
    if (token.n != ID_TEXT + PROOF * 2 || !id_parse(text_upto(token, ID_TEXT), &id))
        return no_link(c);
    for (unsigned i = 0; i < c->policy->tenant_count; i++) {
        c->tenant = c->policy->tenants[i];
        TRY(prove(c, id, &good));
        if (good.n != given.n || sodium_memcmp(good.p, given.p, good.n) != 0)
            continue;
        enum err e = told_load(c, id, out);
        return e == ERR_NOT_FOUND ? no_link(c) : e;
    }
    return no_link(c);
}

static enum err by_link(struct ctx *c, text token, struct told *t)
{
    int index;
    TRY(find_link(c, token, t));
    if (recipient_named(c, t->recipient, &index) != OK)
        return no_link(c);
    c->actor = (struct actor){ .kind = ACTOR_RECIPIENT, .index = index, .name = t->recipient };
    return OK;
}

/* ---- An answer. ---- */

/* Which field of the form that is about. */
static enum err about(struct ctx *c, const char *field, enum err said)
{
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%s", field);
    return said;
}

enum err told_take(struct ctx *c, const struct json *in, text via, struct told_answer *out)
{
    text state = json_text(in, TEXT("state")), reason = text_trim(json_text(in, TEXT("reason")));
    bool done = text_eq(state, TEXT("acknowledged"));
    *out = (struct told_answer){ .outcome = done ? TEXT("done") : TEXT("impossible"), .via = via };
    if (!done && !text_eq(state, TEXT("impossible")))
        return about(c, "state", say(c->arena, ERR_VALUE, "\"state\" is acknowledged or impossible"));
    if (!done && !reason.n)
        return about(c, "reason", say(c->arena, ERR_MISSING, "\"reason\" says why it is impossible"));
    if (reason.n > REASON_MAX)
        return about(c, "reason", say(c->arena, ERR_VALUE, "\"reason\" has at most %d bytes", REASON_MAX));
    TRY(value_no_card(c, TEXT("reason"), reason));
    return written_seal(ctx_store(c), c->arena, c->tenant, TEXT("duty"), reason, &out->reason);
}

enum err told_run_answer(struct db *db, const struct ctx *c, const struct told *t, const struct told_answer *a)
{
    int64_t changed;
    TRY(db_run(db, SQL_TOLD_ANSWERED, &changed,
               ARGS(V_TEXT(c->tenant), V_TEXT(t->recipient), V_ID(t->id), V_INT(c->now), V_TEXT(a->outcome),
                    V_TEXT(a->via), a->reason.n ? V_TEXT(a->reason) : V_NULL)));
    return changed ? OK : say(db_arena(db), ERR_NOT_FOUND, "nothing waits for an answer there");
}

struct answering {
    const struct ctx *c;
    struct told t;
    struct told_answer answer;
};

static enum err run_answer(struct db *db, struct write *w)
{
    const struct answering *a = w->arg;
    return told_run_answer(db, a->c, &a->t, &a->answer);
}

static text state_of_outcome(text outcome) { return text_eq(outcome, TEXT("done")) ? TEXT("acknowledged") : outcome; }

static enum err answer(struct ctx *c, struct answering *a, const struct json *in, text via, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    TRY(told_take(c, in, via, &a->answer));
    json_open(&w, '{');
    json_pair(&w, TEXT("id"), id_print(c->arena, a->t.id));
    json_pair(&w, TEXT("state"), state_of_outcome(a->answer.outcome));
    json_close(&w, '}');
    TRY(buf_take(c->arena, &b, &out->body));
    struct write write = { .run = run_answer, .arg = a, .event = told_event(c, a->t.recipient, TEXT("told.answered")) };
    write.event.purpose = told_kind_word(a->t.kind);
    return write_do(c, &write, out);
}

enum err told_answer_own(struct ctx *c, text duty, const struct json *in, struct answer *out)
{
    struct answering a = { .c = c };
    struct subject_id id;
    TRY(recipient_own(c));
    if (!id_parse(duty, &id))
        return say(c->arena, ERR_NOT_FOUND, "nothing waits for an answer there");
    TRY(told_load(c, id, &a.t));
    if (!text_eq(a.t.recipient, c->actor.name))
        return say(c->arena, ERR_NOT_FOUND, "nothing waits for an answer there");
    return answer(c, &a, in, TEXT("token"), out);
}

enum err told_answer_link(struct ctx *c, text token, const struct json *in, struct answer *out)
{
    struct answering a = { .c = c };
    TRY(by_link(c, token, &a.t));
    return answer(c, &a, in, TEXT("link"), out);
}

/* ---- What the recipient sees. ---- */

static text or_none(text s) { return s.n ? s : (text){ NULL, 0 }; }

static void put_own(struct ctx *c, const struct told *t, struct json_out *w)
{
    json_open(w, '{');
    json_pair(w, TEXT("id"), id_print(c->arena, t->id));
    json_pair(w, TEXT("kind"), told_kind_word(t->kind));
    json_pair(w, TEXT("title"), told_said(c, t->kind));
    told_put_list(w, TEXT("references"), t->references);
    told_put_list(w, TEXT("categories"), t->categories);
    json_pair(w, TEXT("concerned"), or_none(told_titles(c, t->categories)));
    recipient_put_time(c, w, "since", t->at);
    recipient_put_time(c, w, "due", t->due);
    json_close(w, '}');
}

enum err told_by_link(struct ctx *c, text token, struct answer *out)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    struct told t;
    TRY(by_link(c, token, &t));
    json_open(&w, '{');
    json_pair(&w, TEXT("recipient"), t.recipient);
    json_pair(&w, TEXT("title"), doc_recipient(c, c->actor.index));
    json_name(&w, TEXT("told"));
    put_own(c, &t, &w);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

static enum err page_begins(struct ctx *c, const struct paging *asked, uint8_t first, struct subject_id *out)
{
    memset(out, first, sizeof *out);
    return asked->after.n && !id_parse(asked->after, out) ? paging_unknown(c) : OK;
}

static enum err take_row_id(struct ctx *c, text bytes, struct subject_id *out)
{
    if (bytes.n != sizeof *out)
        return say(c->arena, ERR_INTEGRITY, "a duty has an id of %zu bytes", bytes.n);
    memcpy(out, bytes.p, sizeof *out);
    return OK;
}

static enum err put_open(struct ctx *c, const struct paging *asked, struct json_out *w, struct answer *out)
{
    struct told t = { .recipient = c->actor.name };
    int64_t rows = 0;
    bool more;
    READ_AUTO db = NULL;
    TRY(page_begins(c, asked, 0, &t.id));
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOLD_OPEN,
                ARGS(V_TEXT(c->tenant), V_TEXT(c->actor.name), V_ID(t.id), V_INT(asked->limit + 1)));
    json_name(w, TEXT("told"));
    json_open(w, '[');
    while (paging_row(asked, &q, &rows, &more)) {
        TRY(take_row_id(c, query_get(&q, TOLD_OPEN, id), &t.id));
        t.kind = query_get(&q, TOLD_OPEN, kind);
        t.references = query_get(&q, TOLD_OPEN, note);
        t.categories = query_get(&q, TOLD_OPEN, categories);
        t.at = query_get(&q, TOLD_OPEN, at);
        t.due = query_get(&q, TOLD_OPEN, due);
        put_own(c, &t, w);
    }
    TRY(q.status);
    json_close(w, ']');
    return paging_end(c, more, id_print(c->arena, t.id), w, out);
}

enum err told_own(struct ctx *c, const struct paging *asked, struct answer *out)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    TRY(recipient_own(c));
    json_open(&w, '{');
    TRY(put_open(c, asked, &w, out));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- What staff see. ---- */

static text state_of(struct query *q)
{
    if (!query_null(q, TOLD_LIST, done))
        return state_of_outcome(query_get(q, TOLD_LIST, outcome));
    if (query_get(q, TOLD_LIST, next) >= TOLD_NEVER)
        return TEXT("silent");
    if (query_get(q, TOLD_LIST, why).n)
        return TEXT("failed");
    return query_null(q, TOLD_LIST, sent) ? TEXT("waiting") : TEXT("sent");
}

static enum err put_row(struct ctx *c, struct query *q, struct json_out *w)
{
    const struct duty_kind *k = owed_kind_of(query_get(q, TOLD_LIST, kind));
    bool open = query_null(q, TOLD_LIST, done), over = text_eq(query_get(q, TOLD_LIST, outcome), TEXT("over"));
    msec next = query_get(q, TOLD_LIST, next);
    text reason = TEXT(""), kept = arena_copy(c->arena, query_get(q, TOLD_LIST, reason));
    if (kept.n)
        TRY(written_open(ctx_store(c), c->arena, c->tenant, TEXT("duty"), kept, &reason));
    json_open(w, '{');
    json_pair(w, TEXT("id"), id_column(c->arena, q, COL(TOLD_LIST, id)));
    json_pair(w, TEXT("kind"), told_kind_word(query_get(q, TOLD_LIST, kind)));
    json_pair(w, TEXT("title"), k ? doc_in(c, k->en, k->fr) : (text){ NULL, 0 });
    json_pair(w, TEXT("state"), state_of(q));
    told_put_list(w, TEXT("categories"), query_get(q, TOLD_LIST, categories));
    json_pair(w, TEXT("concerned"), or_none(told_titles(c, query_get(q, TOLD_LIST, categories))));
    told_put_list(w, TEXT("references"), open ? query_get(q, TOLD_LIST, note) : TEXT(""));
    recipient_put_time(c, w, "since", query_get(q, TOLD_LIST, at));
    recipient_put_time(c, w, "due", query_get(q, TOLD_LIST, due));
    recipient_put_time(c, w, "sent", query_get(q, TOLD_LIST, sent));
    json_pair_int(w, TEXT("tries"), query_get(q, TOLD_LIST, tries));
    recipient_put_time(c, w, "next", open && next < TOLD_NEVER ? next : 0);
    json_pair(w, TEXT("way"), or_none(query_get(q, TOLD_LIST, way)));
    json_pair(w, TEXT("why"), open ? or_none(query_get(q, TOLD_LIST, why)) : (text){ NULL, 0 });
    recipient_put_time(c, w, "answered", over ? 0 : query_get(q, TOLD_LIST, done));
    json_pair(w, TEXT("via"), or_none(query_get(q, TOLD_LIST, via)));
    json_pair(w, TEXT("reason"), or_none(reason));
    json_close(w, '}');
    return OK;
}

static enum err put_rows(struct ctx *c, text recipient, const struct paging *asked, struct json_out *w,
                         struct answer *out)
{
    struct subject_id before;
    int64_t rows = 0;
    bool more;
    text place = TEXT("");
    READ_AUTO db = NULL;
    TRY(page_begins(c, asked, 0xFF, &before));
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOLD_LIST,
                ARGS(V_TEXT(c->tenant), V_TEXT(recipient), V_ID(before), V_INT(asked->limit + 1)));
    json_name(w, TEXT("told"));
    json_open(w, '[');
    while (paging_row(asked, &q, &rows, &more)) {
        TRY(put_row(c, &q, w));
        place = id_column(c->arena, &q, COL(TOLD_LIST, id));
    }
    TRY(q.status);
    json_close(w, ']');
    return paging_end(c, more, place, w, out);
}

enum err told_list(struct ctx *c, text recipient, const struct paging *asked, struct answer *out)
{
    int index;
    struct recipient_settings s;
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    struct json_out w = json_out(&b);
    TRY(recipient_may(c, recipient));
    TRY(write_refused(c, NULL, recipient_named(c, recipient, &index)));
    TRY(recipient_settings(c, &s));
    json_open(&w, '{');
    json_pair(&w, TEXT("recipient"), recipient);
    json_pair(&w, TEXT("title"), doc_recipient(c, index));
    json_pair(&w, TEXT("by"), recipient_way_word(recipient_way(&s, recipient)));
    json_pair(&w, TEXT("fault"), recipient_settings_fault(c, &s));
    TRY(put_rows(c, recipient, asked, &w, out));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

struct retrying {
    const struct ctx *c;
    text recipient;
    struct subject_id id;
};

static enum err run_again(struct db *db, struct write *w)
{
    const struct retrying *r = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_TOLD_AGAIN, &changed,
               ARGS(V_TEXT(r->c->tenant), V_TEXT(r->recipient), V_ID(r->id), V_INT(r->c->now))));
    return changed ? OK : say(db_arena(db), ERR_NOT_FOUND, "nothing waits for an answer there");
}

enum err told_again(struct ctx *c, text recipient, text duty)
{
    struct retrying r = { .c = c, .recipient = recipient };
    TRY(recipient_may(c, recipient));
    if (!id_parse(duty, &r.id))
        return say(c->arena, ERR_NOT_FOUND, "nothing waits for an answer there");
    struct write w = { .run = run_again, .arg = &r, .event = told_event(c, recipient, TEXT("told.again")) };
    return write_do(c, &w, NULL);
}

/* A change of a request: its move made ready, and the row, its history, letters and proofs in one commit. */
#include "base/file/card_file.h"
#include "base/unicode.h"
#include "domain/account/throttle.h"
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/normal.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/dsr/inside.h"
#include "domain/person/account.h"
#include "domain/person/person.h"
#include "policy/due.h"

/* ---- The move. ---- */

static enum err check_said(struct ctx *c, const struct dsr_move_row *m, text said)
{
    text_cstr(TEXT("text"), c->arena->why.field, sizeof c->arena->why.field);
    if (m->says == DSR_SAYS_must && !text_trim(said).n)
        return say(c->arena, ERR_MISSING,
                   "\"text\" says what or why: it stands in the file, and the person can read it");
    if (m->says == DSR_SAYS_none && said.n)
        return say(c->arena, ERR_USAGE, "nothing is written with the move \"%.*s\"", T(m->name));
    if (said.n > DSR_TEXT_MAX)
        return say(c->arena, ERR_VALUE, "\"text\" has at most %d bytes", DSR_TEXT_MAX);
    TRY(value_no_card(c, TEXT("text"), said));
    c->arena->why.field[0] = 0;
    return OK;
}

/* The file of what is closed stays as long as the policy says. A proof that nobody looked at goes as one that was. */
static void close_it(struct ctx *c, struct dsr *d)
{
    d->closed = c->now;
    d->due = retention_own_due(policy_retention(c->policy, TEXT("requests")), c->now);
    if (!d->due) /* no term is said: long enough for the link to the answer */
        d->due = c->now + 30 * DAY;
    if (d->state == DSR_IN_joined) /* it goes when the one goes in which it goes on */
        d->due = 0;
    d->asked = 0;
}

enum err dsr_begin(struct ctx *c, struct dsr_change *ch, enum dsr_move_id move, enum dsr_by by, text said)
{
    const struct dsr_move_row *m = dsr_move_row(move);
    struct dsr *d = &ch->d;
    ch->c = c;
    ch->move = m;
    ch->note = text_trim(said);
    if (!(m->by & by))
        return say(c->arena, ERR_FORBIDDEN, "the move \"%.*s\" is not yours to make", T(m->name));
    if (!(m->from >> d->state & 1))
        return say(c->arena, ERR_CONFLICT, "the move \"%.*s\" is not for a request that is \"%.*s\"", T(m->name),
                   T(dsr_state_word(d->state)));
    TRY(check_said(c, m, ch->note));
    bool waited = dsr_state_kind(d->state) == DSR_STATE_paused;
    if (m->to == DSR_IN_same)
        return OK;
    d->state = m->to;
    if (waited)
        dsr_resume(d, c->now);
    if (dsr_state_kind(d->state) == DSR_STATE_paused)
        dsr_pause(d, c->now);
    if (dsr_state_kind(d->state) == DSR_STATE_closed)
        close_it(c, d);
    return OK;
}

/* ---- The write. ---- */

static struct val or_null(msec t) { return t ? V_INT(t) : V_NULL; }

static enum err put_row(struct db *db, const struct dsr_change *ch)
{
    const struct dsr *d = &ch->d;
    struct val subject = d->has_subject ? V_ID(d->subject) : V_NULL;
    struct val follow = d->has_follow ? V_BYTES(TEXT_BYTES(d->follow)) : V_NULL;
    struct val link = d->has_link ? V_BYTES(TEXT_BYTES(d->link)) : V_NULL;
    struct val link_for = d->has_link ? V_TEXT(d->link_for) : V_NULL;
    struct val until = d->has_link ? V_INT(d->link_until) : V_NULL;
    text tenant = ch->c->tenant, state = dsr_state_word(d->state);
    int64_t changed;
    if (ch->fresh)
        return db_run(db, SQL_DSR_ADD, NULL,
                      ARGS(V_TEXT(tenant), V_ID(d->id), V_TEXT(dsr_kind_word(d->kind)), V_TEXT(d->channel),
                           V_TEXT(state), subject, V_TEXT(d->identity), V_INT(d->received), or_null(d->extended),
                           or_null(d->asked), V_INT(d->paused), V_INT(d->alarm), V_INT(d->legal), or_null(d->remind),
                           follow, link, link_for, until, or_null(d->closed), or_null(d->due), V_SEALED(ch->body)));
    TRY(db_run(db, SQL_DSR_PUT, &changed,
               ARGS(V_TEXT(tenant), V_ID(d->id), V_INT(d->version), V_TEXT(state), subject, V_TEXT(d->identity),
                    or_null(d->extended), or_null(d->asked), V_INT(d->paused), V_INT(d->alarm), V_INT(d->legal),
                    or_null(d->remind), follow, link, link_for, until, or_null(d->closed), or_null(d->due),
                    V_SEALED(ch->body), V_TEXT(dsr_kind_word(d->kind)), V_INT(d->received),
                    d->has_joined ? V_ID(d->joined) : V_NULL)));
    return changed ? OK : say(db_arena(db), ERR_PRECONDITION, "the request changed meanwhile: look at it again");
}

static enum err put_proofs(struct db *db, const struct dsr_change *ch)
{
    text tenant = ch->c->tenant;
    if (ch->proof)
        TRY(db_run(db, SQL_DSR_PROOF_ADD, NULL,
                   ARGS(V_TEXT(tenant), V_ID(ch->d.id), V_ID(ch->proof_id), V_INT(ch->c->now), V_SEALED(ch->meta),
                        V_SEALED(ch->content), ch->proof->mandate ? V_TEXT(TEXT("mandate")) : V_NULL)));
    if (ch->checked.n)
        TRY(db_run(
            db, SQL_DSR_PROOF_CHECKED, NULL,
            ARGS(V_TEXT(tenant), V_ID(ch->d.id), V_TEXT(ch->checked), V_INT(ch->proof_due), V_TEXT(ch->checked_what))));
    if (ch->d.closed)
        return db_run(db, SQL_DSR_PROOF_LEFT, NULL, ARGS(V_TEXT(tenant), V_ID(ch->d.id), V_INT(ch->proof_due)));
    return OK;
}

static enum err run_take_aside(struct db *db, const struct dsr_change *ch)
{
    int64_t changed;
    TRY(db_run(db, SQL_DSR_MAIL_FILE, &changed, ARGS(V_TEXT(ch->c->tenant), V_ID(*ch->aside), V_ID(ch->d.id))));
    return changed ? OK : say(db_arena(db), ERR_CONFLICT, "this email belongs to a request already, or is gone");
}

/* What was joined to it earlier goes on in the same one, and is kept as long as that is. */
static enum err run_joined(struct db *db, const struct dsr_change *ch)
{
    text tenant = ch->c->tenant;
    if (ch->d.has_joined)
        return db_run(db, SQL_DSR_JOINED_ON, NULL, ARGS(V_TEXT(tenant), V_ID(ch->d.id), V_ID(ch->d.joined)));
    return ch->d.closed && !ch->fresh
               ? db_run(db, SQL_DSR_JOINED_DUE, NULL, ARGS(V_TEXT(tenant), V_ID(ch->d.id), V_INT(ch->d.due)))
               : OK;
}

/* The link that it had was followed, or another takes its place: told to whoever follows it again. */
static enum err run_link(struct db *db, const struct dsr_change *ch)
{
    const struct dsr *d = &ch->d;
    bool stays = d->has_link && memcmp(&d->link, &d->old_link, sizeof d->link) == 0;
    if (!d->had_link || stays)
        return OK;
    text about = arena_print(db_arena(db), "%.*s %.*s", T(id_print(db_arena(db), d->id)), T(d->old_for));
    TRY_PTR(about.p);
    return link_run_over(db, ch->c, &d->old_link, TEXT("request"), d->has_link ? LINK_REPLACED : LINK_USED, about);
}

enum err dsr_names_price(struct ctx *c, const struct dsr_move_row *move, text said, bool *out)
{
    static const text words[] = {
#define PRICE(said) TEXT_INIT(said),
#include "domain/dsr/prices.def"
    };
    *out = false;
    if (!said.n || !move || move->by != DSR_BY_staff || move->id == DSR_MOVE_note)
        return OK;
    text bare = unicode_bare(c->arena, said);
    TRY_PTR(bare.p);
    for (size_t i = 0; i < sizeof words / sizeof *words && !*out; i++) {
        text one = unicode_bare(c->arena, words[i]);
        TRY_PTR(one.p);
        *out = text_find(bare, one) >= 0;
    }
    return OK;
}

static enum err run_one(struct db *db, const struct dsr_change *ch)
{
    text move = ch->move ? ch->move->name : TEXT("received");
    if (ch->mail)
        TRY(dsr_mail_run(db, ch->c, ch->mail, ch->d.has_subject ? &ch->d.subject : NULL));
    if (ch->aside)
        TRY(run_take_aside(db, ch));
    TRY(put_row(db, ch));
    TRY(run_link(db, ch));
    TRY(run_joined(db, ch));
    if (ch->passed)
        TRY(db_run(db, SQL_DSR_MAILS_END, NULL, ARGS(V_TEXT(ch->c->tenant), V_ID(ch->d.id))));
    if (ch->d.has_subject)
        TRY(db_run(db, SQL_DSR_MAIL_WHOSE, NULL, ARGS(V_TEXT(ch->c->tenant), V_ID(ch->d.id), V_ID(ch->d.subject))));
    TRY(db_run(db, SQL_DSR_STEP_ADD, NULL,
               ARGS(V_TEXT(ch->c->tenant), V_ID(ch->d.id), V_INT(ch->fresh ? 1 : ch->d.version + 1), V_INT(ch->c->now),
                    V_TEXT(move), V_TEXT(ch->c->actor.name), V_SEALED(ch->step),
                    ch->priced ? V_INT(1) : V_NULL)));
    TRY(put_proofs(db, ch));
    if (ch->throttled)
        TRY(throttle_run_failed(db, ch->c, ch->throttled));
    for (unsigned i = 0; i < ch->letter_count; i++)
        TRY(mail_run_put(db, &ch->letters[i]));
    return OK;
}

static enum err run_change(struct db *db, struct write *w)
{
    const struct dsr_change *ch = w->arg;
    TRY(run_one(db, ch));
    return ch->with ? run_one(db, ch->with) : OK;
}

/* The policy's word on copies of identity documents: nothing is kept longer than the check needs. */
static msec proof_due(const struct dsr_change *ch)
{
    const struct retention *r = policy_retention(ch->c->policy, TEXT("proofs"));
    msec due = retention_own_due(r, ch->c->now);
    return due ? due : ch->c->now;
}

/* For the journal's entry alone: whoever asks need not reach the person that staff took them for. */
enum err dsr_person(struct ctx *c, struct subject_id id, struct person *out)
{
    struct ctx server = *c;
    server.actor = actor_server();
    return person_open_anyway(&server, id_print(c->arena, id), out);
}

static enum err keep_answer(struct ctx *c, const struct dsr *d, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 14);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    TRY(dsr_put_head(c, d, &w));
    json_close(&w, '}');
    out->id = id_print(c->arena, d->id);
    return buf_take(c->arena, &b, &out->body);
}

static enum err make_ready(struct dsr_change *ch)
{
    struct ctx *c = ch->c;
    struct dsr *d = &ch->d;
    int64_t version = ch->fresh ? 1 : d->version + 1;
    text move = ch->move ? ch->move->name : TEXT("received");
    TRY(dsr_time(c, d));
    dsr_remind_from(d, c->now);
    TRY(dsr_file_seal(c, d, version, &ch->body));
    TRY(dsr_names_price(c, ch->move, ch->note, &ch->priced));
    if (ch->note.n)
        TRY(dsr_seal(c, d->id, TEXT("dsr_step"), move, version, ch->note, &ch->step));
    if (ch->proof)
        TRY(dsr_proof_seal(ch));
    ch->proof_due = proof_due(ch);
    return OK;
}

enum err dsr_write(struct dsr_change *ch)
{
    struct ctx *c = ch->c;
    struct dsr *d = &ch->d;
    PERSON_AUTO p = { 0 };
    TRY(make_ready(ch));
    if (ch->with)
        TRY(make_ready(ch->with));
    struct write w = { .run = run_change, .arg = ch, .truncate = ch->passed };
    if (d->has_subject)
        TRY(dsr_person(c, d->subject, &p));
    w.event = event_of(c, d->has_subject ? &p : NULL, ch->move ? ch->move->act : TEXT("request.received"));
    if (ch->kept)
        TRY(keep_answer(c, d, ch->kept));
    return write_do(c, &w, ch->kept);
}

/* ---- Proofs. ---- */

static const struct {
    const char *begins;
    size_t n;
    text type;
} types[] = {
    { "%PDF-", 5, TEXT_INIT("application/pdf") },
    { "\xFF\xD8\xFF", 3, TEXT_INIT("image/jpeg") },
    { "\x89PNG\r\n\x1A\n", 8, TEXT_INIT("image/png") },
};

/* By its bytes, whatever its name says: what is shown to staff is no page and no program. */
text dsr_proof_type(text content)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_starts(content, (text){ types[i].begins, types[i].n }))
            return types[i].type;
    return TEXT("");
}

enum err dsr_proof_check(struct ctx *c, const struct dsr_proof *p)
{
    bool card;
    const struct node *copy = node_at(c->policy->root, TEXT("rights.identity.copy"));
    if (!p->mandate && copy && text_eq(copy->value, TEXT("none")))
        return say_clause(c->arena, ERR_FORBIDDEN, policy_clause(c->policy, copy->path),
                          "the policy takes no copies of identity documents");
    if (!p->content.n)
        return say(c->arena, ERR_MISSING, "choose the file");
    if (p->name.n > DSR_NAME_MAX || !text_utf8(p->name))
        return say(c->arena, ERR_VALUE, "the name of the file has at most %d bytes of UTF-8", DSR_NAME_MAX);
    if (p->content.n > DSR_PROOF_MAX)
        return say(c->arena, ERR_TOO_LARGE, "this document has at most %d bytes", DSR_PROOF_MAX);
    if (!dsr_proof_type(p->content).n)
        return say(c->arena, ERR_MEDIA_TYPE, "this document is a PDF, JPEG or PNG file");
    TRY(card_file(c->arena, p->content, &card));
    return card ? value_card(c, TEXT("file")) : OK;
}

enum err dsr_proof_seal(struct dsr_change *ch)
{
    struct ctx *c = ch->c;
    BUF_AUTO b = buf_make(4096);
    struct json_out w = json_out(&b);
    text meta;
    ch->proof_id = id_make(c->now);
    text field = id_print(c->arena, ch->proof_id);
    json_open(&w, '{');
    json_pair(&w, TEXT("name"), ch->proof->name);
    json_pair(&w, TEXT("type"), dsr_proof_type(ch->proof->content));
    json_pair_int(&w, TEXT("size"), (int64_t)ch->proof->content.n);
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &meta));
    TRY(dsr_seal(c, ch->d.id, TEXT("dsr_proof"), field, 0, meta, &ch->meta));
    return dsr_seal(c, ch->d.id, TEXT("dsr_proof"), field, 1, ch->proof->content, &ch->content);
}

enum err dsr_put_proofs(struct ctx *c, const struct dsr *d, text asked, struct json_out *w, int64_t *waiting)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_PROOFS, ARGS(V_TEXT(c->tenant), V_ID(d->id)));
    *waiting = 0;
    json_name(w, TEXT("proofs"));
    json_open(w, '[');
    while (query_next(&q)) {
        text meta, field = id_column(c->arena, &q, COL(DSR_PROOFS, id)), result = query_get(&q, DSR_PROOFS, result);
        text what = query_get(&q, DSR_PROOFS, what);
        const struct json *said;
        TRY(dsr_unseal(c, d->id, TEXT("dsr_proof"), field, 0, query_get(&q, DSR_PROOFS, meta), &meta));
        TRY(json_parse(c->arena, meta, &said));
        *waiting += !result.n && text_eq(what, asked);
        json_open(w, '{');
        json_pair(w, TEXT("proof"), field);
        json_pair(w, TEXT("what"), what);
        json_pair(w, TEXT("name"), json_text(said, TEXT("name")));
        json_pair(w, TEXT("type"), json_text(said, TEXT("type")));
        json_pair(w, TEXT("at"), time_print(c->arena, query_get(&q, DSR_PROOFS, at)));
        json_pair(w, TEXT("result"), result.n ? result : TEXT("waiting"));
        msec due = query_get(&q, DSR_PROOFS, due);
        json_pair(w, TEXT("until"), due ? time_print(c->arena, due) : (text){ NULL, 0 });
        json_close(w, '}');
    }
    json_close(w, ']');
    return q.status;
}

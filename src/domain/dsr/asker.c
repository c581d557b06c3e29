/* Who asks follows their request: by the link of the acknowledgement, by links that work once, by their session. */
#include "domain/core/actor.h"
#include "domain/core/budget.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/dsr/inside.h"
#include "domain/keep/erase.h"
#include "domain/person/account.h"
#include "domain/person/person.h"
#include "domain/rights/export.h"

static enum err no_link(struct ctx *c) { return say(c->arena, ERR_NOT_FOUND, "this link is not valid, or no longer"); }

static void as_asker(struct ctx *c)
{
    c->actor = (struct actor){ .kind = ACTOR_PERSON, .index = PERSON, .name = c->policy->actors[PERSON].name };
}

static enum err find(struct ctx *c, enum sql sql, text use, text token, struct dsr *d)
{
    struct digest digest = secret_digest(c, use, token);
    struct subject_id id;
    as_asker(c);
    {
        struct val args[] = { V_BYTES(TEXT_BYTES(digest)), V_INT(c->now) };
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, sql, args, sql == SQL_DSR_LINKED ? 2 : 1);
        if (!token.n || !query_next(&q))
            return q.status == OK ? no_link(c) : q.status;
        c->tenant = arena_copy(c->arena, query_bytes(&q, COL(DSR_FOLLOWED, tenant)));
        text bytes = query_bytes(&q, COL(DSR_FOLLOWED, id));
        if (bytes.n != sizeof id)
            return say(c->arena, ERR_INTEGRITY, "a request has an id of %zu bytes", bytes.n);
        memcpy(&id, bytes.p, sizeof id);
        TRY(q.status);
    }
    return dsr_load(c, id, d);
}

/* ---- The link of the acknowledgement. ---- */

static enum err put_followed(struct ctx *c, const struct dsr *d, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    TRY(dsr_put_head(c, d, &w));
    json_pair(&w, TEXT("question"), d->state == DSR_IN_clarification ? d->file.question : (text){ NULL, 0 });
    TRY(dsr_put_history(c, d, DSR_NOTES_none, &w));
    dsr_put_moves(c, d, DSR_BY_asker, &w);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

static enum err find_followed(struct ctx *c, text token, struct dsr *d)
{
    return find(c, SQL_DSR_FOLLOWED, TEXT("dsr.follow"), token, d);
}

enum err dsr_follow(struct ctx *c, text token, struct answer *out)
{
    struct dsr d;
    TRY(find_followed(c, token, &d));
    return put_followed(c, &d, out);
}

/* The address that the letter went to is proven. Whose it is, the register learns, and whoever follows the link does
 * not. While a proof is waited for, an address that nobody has on file is none. */
static enum err confirm(struct dsr_change *ch, bool *known)
{
    struct subject_id id;
    PERSON_AUTO p = { 0 };
    *known = false;
    if (dsr_by_agent(&ch->d))
        return OK; /* whose address it is says nothing of whom they ask for */
    TRY(mail_whose(ch->c, ch->d.file.email, known, &id));
    if (!*known || dsr_identified(&ch->d))
        return OK;
    enum err status = dsr_person(ch->c, id, &p);
    *known = status == OK;
    if (status == ERR_NOT_FOUND)
        return OK;
    TRY(status);
    if (ch->d.has_subject && memcmp(&ch->d.subject, &id, sizeof id) != 0)
        return OK; /* staff know it as somebody else's: theirs to settle */
    ch->d.subject = id;
    ch->d.has_subject = true;
    ch->d.identity = TEXT("link");
    return OK;
}

static enum err followed_move(struct ctx *c, struct dsr_change *ch, enum dsr_move_id move, text said)
{
    bool was_asked = ch->d.state == DSR_IN_identity, known = true;
    TRY(budget_take(c, BUDGET_request_moves, id_print(c->arena, ch->d.id)));
    TRY(dsr_begin(c, ch, move, DSR_BY_asker, said));
    if (move == DSR_MOVE_confirm)
        TRY(confirm(ch, &known));
    if (move == DSR_MOVE_reply)
        ch->d.file.reply = ch->note;
    if (move == DSR_MOVE_confirm && was_asked && !dsr_identified(&ch->d))
        return OK; /* nothing new: the proof that was asked is still to come */
    return dsr_write(ch);
}

enum err dsr_follow_move(struct ctx *c, text token, text move, text said, struct answer *out)
{
    struct dsr_change ch = { .c = c };
    const struct dsr_move_row *m = dsr_move_named(move);
    TRY(find_followed(c, token, &ch.d));
    if (!m || m->by == DSR_BY_server || m->id == DSR_MOVE_give_proof || m->id == DSR_MOVE_fetch ||
        m->id == DSR_MOVE_give_mandate || m->id == DSR_MOVE_disown || m->id == DSR_MOVE_link_again)
        return say(c->arena, ERR_VALUE, "there is no move \"%.*s\" by this link", T(value_shown(move)));
    TRY(followed_move(c, &ch, m->id, said));
    return dsr_follow(c, token, out);
}

enum err dsr_follow_proof(struct ctx *c, text token, const struct dsr_proof *proof, struct answer *out)
{
    struct dsr_change ch = { .c = c };
    TRY(find_followed(c, token, &ch.d));
    TRY(dsr_proof_check(c, proof));
    TRY(budget_take(c, BUDGET_request_proofs, id_print(c->arena, ch.d.id)));
    ch.proof = proof;
    if (!proof->mandate && dsr_by_agent(&ch.d))
        return say(c->arena, ERR_CONFLICT, "who asks for somebody else sends a mandate");
    TRY(followed_move(c, &ch, proof->mandate ? DSR_MOVE_give_mandate : DSR_MOVE_give_proof, TEXT("")));
    return dsr_follow(c, token, out);
}

/* ---- Links that work once: looking at one spends nothing, so that no scanner of mail does. ---- */

enum err dsr_link(struct ctx *c, text token, struct answer *out)
{
    struct dsr d;
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    TRY(find(c, SQL_DSR_LINKED, TEXT("dsr.link"), token, &d));
    json_open(&w, '{');
    json_pair(&w, TEXT("id"), id_print(c->arena, d.id));
    json_pair(&w, TEXT("asked"), dsr_kind_says(c, d.kind));
    json_pair(&w, TEXT("received"), time_print(c->arena, d.received));
    json_pair(&w, TEXT("for"), d.link_for);
    json_pair_bool(&w, TEXT("identity"), text_eq(d.link_for, TEXT("identity")));
    json_pair_bool(&w, TEXT("mandate"), text_eq(d.link_for, TEXT("mandate")));
    json_pair(&w, TEXT("agent"), d.file.name.n ? d.file.name : (text){ NULL, 0 });
    json_pair_bool(&w, TEXT("copy"), text_eq(d.link_for, TEXT("answer")) && dsr_kind_is_copy(d.kind));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

static enum err put_answer(struct ctx *c, const struct dsr *d, struct answer *out)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("id"), id_print(c->arena, d->id));
    json_pair(&w, TEXT("asked"), dsr_kind_says(c, d->kind));
    json_pair(&w, TEXT("for"), d->link_for.n ? d->link_for : TEXT("answer"));
    json_pair(&w, TEXT("text"), d->file.answer.n ? d->file.answer : (text){ NULL, 0 });
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* The answer goes where the link went, to the address on file: the one that was typed is whoever's. */
static enum err prove(struct ctx *c, struct dsr_change *ch, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    int category;
    TRY(dsr_begin(c, ch, DSR_MOVE_confirm, DSR_BY_asker, TEXT("")));
    TRY(dsr_person(c, ch->d.subject, &p));
    TRY(mail_address(c, &p, &ch->d.file.email, &category));
    ch->d.identity = TEXT("link");
    ch->d.file.agent = (text){ NULL, 0 }; /* the person says that it is theirs, and has the answer */
    TRY(put_answer(c, &ch->d, out));
    ch->d.has_link = false;
    return dsr_write(ch);
}

/* The person gave no mandate: nothing goes to who asked, until staff have seen another one. */
static enum err disown(struct ctx *c, struct dsr_change *ch, struct answer *out)
{
    TRY(dsr_begin(c, ch, DSR_MOVE_disown, DSR_BY_asker, TEXT("")));
    ch->d.identity = TEXT("none");
    TRY(put_answer(c, &ch->d, out));
    ch->d.has_link = false;
    return dsr_write(ch);
}

enum err dsr_link_use(struct ctx *c, text token, struct answer *out)
{
    struct dsr_change ch = { .c = c };
    TRY(find(c, SQL_DSR_LINKED, TEXT("dsr.link"), token, &ch.d));
    if (text_eq(ch.d.link_for, TEXT("identity")))
        return prove(c, &ch, out);
    if (text_eq(ch.d.link_for, TEXT("mandate")))
        return disown(c, &ch, out);
    TRY(dsr_begin(c, &ch, DSR_MOVE_fetch, DSR_BY_asker, TEXT("")));
    ch.d.has_link = false;
    TRY(dsr_write(&ch));
    if (ch.d.file.certificate.n)
        return certificate_shown(c, ch.d.file.certificate, true, out);
    if (!dsr_kind_is_copy(ch.d.kind))
        return put_answer(c, &ch.d, out);
    if (!ch.d.has_subject)
        return say(c->arena, ERR_ERASED, "this data was erased meanwhile");
    actor_become(c, ch.d.subject);
    return access_export(c, id_print(c->arena, ch.d.subject), out);
}

/* ---- A link that works no longer, and a new one. ---- */

/* By the link itself while its request has it, whatever its time; else by what is remembered of it. */
static enum err find_old(struct ctx *c, text token, struct dsr *d, enum link_fate *fate, text *what)
{
    struct digest digest = secret_digest(c, TEXT("dsr.link"), token);
    struct subject_id id;
    struct val args[] = { V_BYTES(TEXT_BYTES(digest)), V_INT(0) };
    as_asker(c);
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_DSR_LINKED, args, 2);
        bool there = query_next(&q) && query_get(&q, DSR_LINKED, id).n == sizeof id;
        TRY(q.status);
        *fate = there ? LINK_EXPIRED : LINK_UNKNOWN;
        if (there) {
            c->tenant = arena_copy(c->arena, query_get(&q, DSR_LINKED, tenant));
            memcpy(&id, query_get(&q, DSR_LINKED, id).p, sizeof id);
        }
    }
    if (*fate == LINK_UNKNOWN) {
        TRY(link_over_find(c, &digest, TEXT("request"), fate, what));
        if (*fate == LINK_UNKNOWN || !id_parse(text_cut(what, ' '), &id))
            return no_link(c);
    }
    TRY(dsr_load(c, id, d));
    if (*fate == LINK_EXPIRED) {
        *what = d->link_for;
        *fate = d->link_until > c->now ? LINK_VALID : LINK_EXPIRED;
    }
    return OK;
}

/* A new one goes where the old one went: that of an answer once it was opened or is over, that of identity while it is
 * waited for. */
static bool may_have_again(const struct dsr *d, enum link_fate fate, text what)
{
    if (text_eq(what, TEXT("identity")))
        return fate == LINK_EXPIRED && d->state == DSR_IN_identity && d->has_subject;
    bool over = fate == LINK_EXPIRED || (fate == LINK_USED && !d->has_link);
    return over && d->state == DSR_IN_answered && text_eq(what, TEXT("answer"));
}

enum err dsr_link_fate(struct ctx *c, text token, enum link_fate *out, text *what, bool *again)
{
    struct dsr d;
    *again = false;
    enum err status = find_old(c, token, &d, out, what);
    if (status == ERR_NOT_FOUND) {
        *out = LINK_UNKNOWN;
        *what = TEXT("");
        return OK;
    }
    *again = status == OK && c->app->public_url[0] && may_have_again(&d, *out, *what);
    return status;
}

enum err dsr_link_again(struct ctx *c, text token)
{
    struct dsr_change ch = { .c = c };
    PERSON_AUTO p = { 0 };
    enum link_fate fate;
    text what = { NULL, 0 };
    TRY(find_old(c, token, &ch.d, &fate, &what));
    if (!may_have_again(&ch.d, fate, what))
        return no_link(c);
    TRY(budget_take(c, BUDGET_request_moves, id_print(c->arena, ch.d.id)));
    TRY(dsr_begin(c, &ch, DSR_MOVE_link_again, DSR_BY_asker, TEXT("")));
    if (text_eq(what, TEXT("answer"))) {
        TRY(dsr_letter_answer(&ch));
    } else {
        TRY(dsr_person(c, ch.d.subject, &p));
        TRY(dsr_letter_on_file(&ch, &p));
    }
    return dsr_write(&ch);
}

/* ---- By session. ---- */

enum err dsr_own_move(struct ctx *c, text id, text move, text said, struct answer *out)
{
    struct dsr_change ch = { .c = c };
    const struct dsr_move_row *m = dsr_move_named(move);
    (void)out;
    TRY(dsr_load_named(c, id, &ch.d));
    bool own = ch.d.has_subject && memcmp(&ch.d.subject, &c->actor.self, sizeof ch.d.subject) == 0;
    if (!own || !dsr_identified(&ch.d)) /* staff may have taken somebody's letter for theirs */
        return say(c->arena, ERR_NOT_FOUND, "there is no such request");
    if (!m || (m->id != DSR_MOVE_withdraw && m->id != DSR_MOVE_reply))
        return say(c->arena, ERR_VALUE, "there is no move \"%.*s\" of your own", T(value_shown(move)));
    return followed_move(c, &ch, m->id, said);
}

/* What staff do with a request: each move of moves.def that is theirs, and the look at the register. */
#include "domain/connector/connector.h"
#include "domain/core/actor.h"
#include "domain/core/instance.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/dsr/inside.h"
#include "domain/keep/erase.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"
#include "domain/rights/objection.h"

/* ---- Who may. ---- */

enum err dsr_may_answer(struct ctx *c)
{
    if (person_sees_team(c)) {
        say(c->arena, ERR_FORBIDDEN, "the register of requests is for who answers everybody, not a team alone");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    return person_allow_act(c, NULL, ACT_EXPORT);
}

/* ---- The list. ---- */

struct listing {
    bool closed;
    int64_t legal; /* where a page begins: "legal.id" of the row before it */
    struct subject_id id;
};
struct listed {
    struct subject_id id;
    int64_t legal;
};

static enum err may_list(struct ctx *c, struct look_list *l)
{
    (void)l;
    return dsr_may_answer(c);
}

static enum err load_page(struct ctx *c, struct look_list *l, struct listed *all, bool *more)
{
    const struct listing *from = l->arg;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, from->closed ? SQL_DSR_CLOSED : SQL_DSR_OPEN,
                ARGS(V_TEXT(c->tenant), V_INT(from->legal), V_ID(from->id), V_INT(l->asked->limit + 1)));
    while (paging_row(l->asked, &q, &l->count, more)) {
        struct listed *row = &all[l->count - 1];
        memcpy(&row->id, query_bytes(&q, COL(DSR_OPEN, id)).p, sizeof row->id);
        row->legal = query_int(&q, COL(DSR_OPEN, legal));
        TRY(look_saw_row(c, l, &q, COL(DSR_OPEN, subject)));
    }
    return q.status;
}

static enum err show_page(struct ctx *c, struct look_list *l, struct json_out *w)
{
    bool more = false;
    struct listed *all = NEW_ARRAY(c->arena, struct listed, (size_t)l->asked->limit + 1);
    TRY_PTR(all);
    TRY(load_page(c, l, all, &more));
    json_name(w, TEXT("requests"));
    json_open(w, '[');
    for (int64_t i = 0; i < l->count; i++) {
        struct dsr d;
        TRY(dsr_load(c, all[i].id, &d));
        json_open(w, '{');
        TRY(dsr_put_head(c, &d, w));
        TRY(dsr_time_put(c, &d, w));
        json_close(w, '}');
    }
    json_close(w, ']');
    text place = { NULL, 0 };
    if (more)
        place = arena_print(c->arena, "%lld.%.*s", (long long)all[l->count - 1].legal,
                            T(id_print(c->arena, all[l->count - 1].id)));
    return paging_end(c, more, place, w, &l->out);
}

enum err dsr_list(struct ctx *c, text which, const struct paging *asked, struct answer *out)
{
    struct listing from = { .closed = text_eq(which, TEXT("closed")), .legal = INT64_MIN };
    text after = asked->after;
    struct look_list l = { .act = TEXT("request.list"),
                           .each = TEXT("request.listed"),
                           .may = may_list,
                           .show = show_page,
                           .asked = asked,
                           .arg = &from };
    if (which.n && !from.closed && !text_eq(which, TEXT("open")))
        return say(c->arena, ERR_VALUE, "\"which\" is one of open, closed");
    if (after.n && (!paging_number(&after, &from.legal) || !id_parse(after, &from.id)))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}

/* ---- One file. ---- */

static enum err may_read(struct ctx *c, struct look *l)
{
    (void)l;
    return dsr_may_answer(c);
}

static text or_none(text s) { return s.n ? s : (text){ NULL, 0 }; }

static enum err show_file(struct ctx *c, struct look *l, struct json_out *w)
{
    const struct dsr *d = l->arg;
    int64_t waiting;
    TRY(dsr_put_head(c, d, w));
    TRY(dsr_time_put(c, d, w));
    json_pair(w, TEXT("subject"), d->has_subject ? id_print(c->arena, d->subject) : (text){ NULL, 0 });
    json_pair_bool(w, TEXT("needs_identity"), dsr_kind_needs_identity(d->kind));
    json_pair(w, TEXT("name"), or_none(d->file.name));
    json_pair(w, TEXT("email"), or_none(d->file.email));
    json_pair(w, TEXT("address"), or_none(d->file.address));
    json_pair(w, TEXT("person"), or_none(d->file.person));
    json_pair(w, TEXT("text"), or_none(d->file.text));
    json_pair(w, TEXT("language"), or_none(d->file.language));
    json_pair(w, TEXT("question"), or_none(d->file.question));
    json_pair(w, TEXT("reply"), or_none(d->file.reply));
    json_pair(w, TEXT("answer"), or_none(d->file.answer));
    json_pair(w, TEXT("reasons"), or_none(d->file.reasons));
    json_pair(w, TEXT("certificate"), or_none(d->file.certificate));
    TRY(dsr_put_history(c, d, DSR_NOTES_all, w));
    TRY(dsr_put_proofs(c, d, TEXT("identity"), w, &waiting));
    TRY(dsr_put_mails(c, d, w));
    TRY(dsr_put_joined(c, d, w));
    dsr_put_moves(c, d, DSR_BY_staff, w);
    return arena_whole(c->arena);
}

static text subject_of(struct ctx *c, const struct dsr *d)
{
    return d->has_subject ? id_print(c->arena, d->subject) : (text){ NULL, 0 };
}

enum err dsr_get(struct ctx *c, text id, struct answer *out)
{
    struct dsr d;
    struct look l = { .act = TEXT("request.read"),
                      .purpose = TEXT("requests"),
                      .closed_too = true,
                      .gone_too = true,
                      .may = may_read,
                      .show = show_file,
                      .arg = &d };
    TRY(dsr_may_answer(c));
    TRY(dsr_load_named(c, id, &d));
    return look_at_person(c, subject_of(c, &d), &l, out);
}

/* ---- Proofs. ---- */

struct proof_look {
    const struct dsr *d;
    struct subject_id id;
};

static enum err give_proof(struct ctx *c, struct look *l, struct answer *out)
{
    const struct proof_look *of = l->arg;
    text field = id_print(c->arena, of->id), meta;
    const struct json *said;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_PROOF_GET, ARGS(V_TEXT(c->tenant), V_ID(of->d->id), V_ID(of->id)));
    if (!query_next(&q))
        return q.status == OK ? say(c->arena, ERR_ERASED, "this proof was checked, and destroyed") : q.status;
    TRY(dsr_unseal(c, of->d->id, TEXT("dsr_proof"), field, 0, query_get(&q, DSR_PROOF_GET, meta), &meta));
    TRY(json_parse(c->arena, meta, &said));
    out->media_type = json_text(said, TEXT("type"));
    out->file_name = TEXT("proof");
    return dsr_unseal(c, of->d->id, TEXT("dsr_proof"), field, 1, query_get(&q, DSR_PROOF_GET, content), &out->body);
}

enum err dsr_proof_get(struct ctx *c, text id, text proof, struct answer *out)
{
    struct dsr d;
    struct proof_look of = { .d = &d };
    struct look l = { .act = TEXT("request.proof.read"),
                      .purpose = TEXT("requests"),
                      .closed_too = true,
                      .gone_too = true,
                      .may = may_read,
                      .give = give_proof,
                      .arg = &of };
    TRY(dsr_may_answer(c));
    TRY(dsr_load_named(c, id, &d));
    if (!id_parse(proof, &of.id))
        return say(c->arena, ERR_NOT_FOUND, "there is no such proof");
    return look_at_person(c, subject_of(c, &d), &l, out);
}

/* ---- Moves. ---- */

/* "subject" of the body, else the one that the request has. */
static enum err open_subject(struct dsr_change *ch, const struct json *in, struct person *p)
{
    struct ctx *c = ch->c;
    text id = text_trim(json_text(in, TEXT("subject")));
    if (!id.n && ch->d.has_subject)
        id = id_print(c->arena, ch->d.subject);
    if (!id.n) {
        say(c->arena, ERR_MISSING, "\"subject\" says whose data it is about");
        text_cstr(TEXT("subject"), c->arena->why.field, sizeof c->arena->why.field);
        return ERR_MISSING;
    }
    TRY(person_open(c, id, true, p));
    if (!ch->d.has_subject || memcmp(&ch->d.subject, &p->id, sizeof p->id) != 0)
        ch->d.identity = TEXT("none"); /* who proved to be somebody else has proved nothing of this person */
    ch->d.subject = p->id;
    ch->d.has_subject = true;
    return OK;
}

static enum err ask_link(struct dsr_change *ch, const struct json *in)
{
    PERSON_AUTO p = { 0 };
    TRY(open_subject(ch, in, &p));
    if (dsr_identified(&ch->d))
        return say(ch->c->arena, ERR_CONFLICT, "who asks is known already");
    return dsr_letter_on_file(ch, &p);
}

/* No more than what is needed to know who asks (GDPR 12(6)): only on doubt, and where the policy says so. */
static enum err ask_proof(struct dsr_change *ch)
{
    struct ctx *c = ch->c;
    const struct node *when = node_at(c->policy->root, TEXT("rights.identity.when"));
    if (dsr_by_agent(&ch->d))
        return say(c->arena, ERR_CONFLICT, "who asks for somebody else sends a mandate");
    if (when && text_eq(when->value, TEXT("never")))
        return say_clause(c->arena, ERR_FORBIDDEN, policy_clause(c->policy, when->path),
                          "the policy never asks for a proof of identity");
    if (dsr_identified(&ch->d))
        return say(c->arena, ERR_CONFLICT, "who asks is known already: a proof would be too much (GDPR 12(6))");
    return dsr_letter(ch, TEXT("request_proof"), ch->note);
}

static enum err has_proof(struct dsr_change *ch, text what)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    int64_t waiting;
    json_open(&w, '{');
    TRY(dsr_put_proofs(ch->c, &ch->d, what, &w, &waiting));
    return waiting ? OK : say(ch->c->arena, ERR_CONFLICT, "no proof was given that waits to be looked at");
}

static enum err accept_proof(struct dsr_change *ch, const struct json *in)
{
    PERSON_AUTO p = { 0 };
    TRY(has_proof(ch, TEXT("identity")));
    if (dsr_by_agent(&ch->d))
        return say(ch->c->arena, ERR_CONFLICT, "who asks for somebody else sends a mandate");
    TRY(open_subject(ch, in, &p));
    ch->d.identity = TEXT("proof");
    ch->checked = TEXT("accepted");
    ch->checked_what = TEXT("identity");
    return OK;
}

/* ---- Mandates: somebody asks for somebody else. ---- */

static enum err ask_mandate(struct dsr_change *ch)
{
    if (dsr_identified(&ch->d) && !text_eq(ch->d.identity, TEXT("mandate")))
        return say(ch->c->arena, ERR_CONFLICT, "who asks is known already");
    ch->d.file.agent = TEXT("true");
    ch->d.identity = TEXT("none");
    return dsr_letter(ch, TEXT("request_mandate"), ch->note);
}

/* The person is told in the same commit; where no letter can go, staff write how they were. */
static enum err accept_mandate(struct dsr_change *ch, const struct json *in)
{
    bool told;
    PERSON_AUTO p = { 0 };
    TRY(has_proof(ch, TEXT("mandate")));
    TRY(open_subject(ch, in, &p));
    ch->d.identity = TEXT("mandate");
    ch->checked = TEXT("accepted");
    ch->checked_what = TEXT("mandate");
    TRY(dsr_letter_of_mandate(ch, &p, &told));
    if (told || ch->note.n)
        return OK;
    say(ch->c->arena, ERR_MISSING, "no email can go to this person: \"text\" says how they were told");
    text_cstr(TEXT("text"), ch->c->arena->why.field, sizeof ch->c->arena->why.field);
    return ERR_MISSING;
}

static enum err refuse_mandate(struct dsr_change *ch)
{
    TRY(has_proof(ch, TEXT("mandate")));
    ch->checked = TEXT("refused");
    ch->checked_what = TEXT("mandate");
    return dsr_letter(ch, TEXT("request_mandate"), ch->note);
}

static enum err refuse_proof(struct dsr_change *ch)
{
    TRY(has_proof(ch, TEXT("identity")));
    ch->checked = TEXT("refused");
    ch->checked_what = TEXT("identity");
    return dsr_letter(ch, TEXT("request_proof"), ch->note);
}

static enum err clarify(struct dsr_change *ch)
{
    ch->d.file.question = ch->note;
    ch->d.file.reply = (text){ NULL, 0 };
    return dsr_letter(ch, TEXT("request_clarify"), ch->note);
}

/* "kind": what it is about, where an email's words were taken for something else. */
static enum err set_kind(struct dsr_change *ch, const struct json *in)
{
    text kind = json_text(in, TEXT("kind"));
    if (kind.n && dsr_kind_named(kind, &ch->d.kind) && dsr_kind_offered(ch->c, ch->d.kind))
        return OK;
    enum err status = say(ch->c->arena, kind.n ? ERR_VALUE : ERR_MISSING,
                          "\"kind\" is one that people can ask for here");
    text_cstr(TEXT("kind"), ch->c->arena->why.field, sizeof ch->c->arena->why.field);
    return status;
}

static enum err extend(struct dsr_change *ch)
{
    TRY(dsr_may_extend(ch->c, &ch->d));
    if (!node_at(ch->c->policy->root, TEXT("rights.extension")))
        return say_clause(ch->c->arena, ERR_FORBIDDEN, &ch->c->policy->rights_clause,
                          "the policy does not say that the time may be extended (rights.extension)");
    ch->d.extended = ch->c->now;
    TRY(dsr_time(ch->c, &ch->d));
    return dsr_letter(ch, TEXT("request_extended"), ch->note);
}

/* What the request asks is done: outside its own write, and so that doing it again after a crash finds it done. */
static enum err fulfil(struct dsr_change *ch)
{
    struct ctx *c = ch->c;
    struct dsr *d = &ch->d;
    struct ctx own = *c;
    struct answer done = { 0 };
    const struct json *said;
    own.request = &d->id; /* what the platform's own stores have to do is this request's */
    own.idempotency = (struct idempotency){ .key = { NULL, 0 } };
    if (d->kind == DSR_restriction) {
        bool asked;
        TRY(connector_asked(c, d->id, &asked));
        return asked ? OK : restriction_set(&own, id_print(c->arena, d->subject), true, TEXT("request"), &done);
    }
    if (d->kind != DSR_erasure || !d->has_subject)
        return OK;
    TRY(erase_subject(&own, id_print(c->arena, d->subject), NULL, &done));
    TRY(json_parse(c->arena, done.body, &said));
    d->file.certificate = json_text(json_get(said, TEXT("certificate")), TEXT("id"));
    d->has_subject = false;
    return OK;
}

/* Nothing is answered while a store of the platform was not reached (GDPR 12(3), 17, 19): the reason says which. */
static enum err check_stores(struct dsr_change *ch)
{
    struct ctx *c = ch->c;
    struct dsr *d = &ch->d;
    struct subject_id erased;
    bool has_erased = false;
    PERSON_AUTO p = { 0 };
    if (!dsr_kind_needs_identity(d->kind))
        return OK;
    TRY(connector_settled(c, d->id, d->has_subject ? &d->subject : NULL, &erased, &has_erased));
    if (has_erased)
        d->file.certificate = id_print(c->arena, erased);
    if (!dsr_kind_is_copy(d->kind) || !d->has_subject)
        return OK;
    TRY(dsr_person(c, d->subject, &p));
    return connector_reached(c, &p);
}

/* Before that nothing is handed out, changed or erased. Of an erasure that a crash cut off here the person is gone. */
static enum err check_identity(struct dsr_change *ch)
{
    struct dsr *d = &ch->d;
    bool gone = d->kind == DSR_erasure && dsr_identified(d);
    const struct clause *clause = policy_clause(ch->c->policy, TEXT("rights.identity"));
    if (dsr_kind_needs_identity(d->kind) && (!dsr_identified(d) || (!d->has_subject && !gone)))
        return dsr_by_agent(d)
                   ? say_clause(ch->c->arena, ERR_CONFLICT, clause, "no mandate was accepted yet: ask for one")
                   : say_clause(ch->c->arena, ERR_CONFLICT, clause,
                                "it is not known yet who asks: ask for a link to the address on file, or for a proof");
    return OK;
}

static enum err answer(struct dsr_change *ch)
{
    struct dsr *d = &ch->d;
    TRY(check_identity(ch));
    if (!ch->note.n && (d->kind == DSR_question || d->kind == DSR_complaint))
        return say(ch->c->arena, ERR_MISSING, "\"text\" is the answer");
    TRY(fulfil(ch));
    TRY(check_stores(ch));
    d->file.answer = ch->note;
    return dsr_letter_answer(ch);
}

static enum err refuse(struct dsr_change *ch)
{
    ch->d.file.reasons = ch->note;
    return dsr_letter(ch, TEXT("request_refused"), ch->note);
}

static enum err make_move(struct dsr_change *ch, const struct json *in)
{
    switch (ch->move->id) {
    case DSR_MOVE_ask_link:
        return ask_link(ch, in);
    case DSR_MOVE_ask_proof:
        return ask_proof(ch);
    case DSR_MOVE_accept_proof:
        return accept_proof(ch, in);
    case DSR_MOVE_refuse_proof:
        return refuse_proof(ch);
    case DSR_MOVE_ask_mandate:
        return ask_mandate(ch);
    case DSR_MOVE_accept_mandate:
        return accept_mandate(ch, in);
    case DSR_MOVE_refuse_mandate:
        return refuse_mandate(ch);
    case DSR_MOVE_clarify:
        return clarify(ch);
    case DSR_MOVE_reply:
        ch->d.file.reply = ch->note;
        return OK;
    case DSR_MOVE_set_kind:
        return set_kind(ch, in);
    case DSR_MOVE_extend:
        return extend(ch);
    case DSR_MOVE_answer:
        return answer(ch);
    case DSR_MOVE_send_again:
        return dsr_letter_answer(ch);
    case DSR_MOVE_join:
        return dsr_join(ch, in);
    case DSR_MOVE_refuse:
        return refuse(ch);
    case DSR_MOVE_take:
    case DSR_MOVE_confirm:
    case DSR_MOVE_give_proof:
    case DSR_MOVE_give_mandate:
    case DSR_MOVE_disown:
    case DSR_MOVE_mail:
    case DSR_MOVE_pass_on:
    case DSR_MOVE_take_in:
    case DSR_MOVE_wait:
    case DSR_MOVE_resume:
    case DSR_MOVE_note:
    case DSR_MOVE_fetch:
    case DSR_MOVE_link_again:
    case DSR_MOVE_withdraw:
    case DSR_MOVES:
        break;
    }
    return OK;
}

enum err dsr_move(struct ctx *c, text id, text move, const struct json *in, struct answer *out)
{
    struct answer kept = { 0 };
    struct dsr_change ch = { .c = c, .kept = &kept };
    const struct dsr_move_row *m = dsr_move_named(move);
    TRY(dsr_may_answer(c));
    TRY(dsr_load_named(c, id, &ch.d));
    if (!m)
        return say(c->arena, ERR_VALUE, "there is no move \"%.*s\"", T(value_shown(move)));
    TRY(dsr_begin(c, &ch, m->id, DSR_BY_staff, json_text(in, TEXT("text"))));
    TRY(make_move(&ch, in));
    TRY(dsr_write(&ch));
    return dsr_get(c, id, out);
}

enum err dsr_mandate_put(struct ctx *c, text id, const struct dsr_proof *proof, struct answer *out)
{
    struct answer kept = { 0 };
    struct dsr_change ch = { .c = c, .kept = &kept, .proof = proof };
    TRY(dsr_may_answer(c));
    TRY(dsr_load_named(c, id, &ch.d));
    TRY(dsr_proof_check(c, proof));
    TRY(dsr_begin(c, &ch, DSR_MOVE_give_mandate, DSR_BY_asker, TEXT(""))); /* staff do it for who sent it */
    TRY(dsr_write(&ch));
    return dsr_get(c, id, out);
}

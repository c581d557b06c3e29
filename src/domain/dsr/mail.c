/* Emails that come in become requests: whose thread they go on with, what they ask for, and what machines wrote, set
 * aside. */
#include "base/card.h"
#include "base/unicode.h"
#include "crypt/totp.h"
#include "domain/core/actor.h"
#include "domain/core/budget.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/dsr/inside.h"
#include "domain/mail/inbound.h"

enum { MAC = 8, TOKEN_TEXT = ID_TEXT + 13, WRITE_AGAIN = 3 };
static const msec keep_aside = 30 * DAY;

/* ---- What leads back to a request. ---- */

struct digest dsr_mail_digest(struct ctx *c, text use, text what)
{
    struct digest d;
    digest_identifier(store_index_key(ctx_store(c)), c->tenant, use, what, &d);
    return d;
}

text dsr_token(struct ctx *c, struct subject_id request)
{
    text id = id_print(c->arena, request);
    struct digest d = dsr_mail_digest(c, TEXT("dsr.reply"), id);
    return arena_print(c->arena, "%.*s%.*s", T(id), T(totp_base32(c->arena, text_upto(TEXT_BYTES(d), MAC))));
}

static text upper(struct arena *a, text s)
{
    char *p = arena_alloc(a, s.n + 1);
    for (size_t i = 0; p && i < s.n; i++)
        p[i] = (char)(s.p[i] >= 'a' && s.p[i] <= 'z' ? s.p[i] - 32 : s.p[i]);
    return (text){ p ? p : "", p ? s.n : 0 };
}

bool dsr_token_of(struct ctx *c, text token, struct subject_id *out)
{
    text said = upper(c->arena, token);
    if (said.n != TOKEN_TEXT || !id_parse(text_upto(said, ID_TEXT), out))
        return false;
    text tenant = c->tenant;
    for (unsigned i = 0; i < c->policy->tenant_count; i++) {
        c->tenant = c->policy->tenants[i];
        if (text_eq(dsr_token(c, *out), said))
            return true;
    }
    c->tenant = tenant;
    return false;
}

/* "ID.TOKEN@…": the Message-ID of a letter of ours. */
static bool letter_of(struct ctx *c, text message_id, struct subject_id *out)
{
    text rest = text_cut(&message_id, '@');
    text_cut(&rest, '.');
    return rest.n && dsr_token_of(c, rest, out);
}

static enum err find_thread(struct ctx *c, text message_id, struct subject_id *out, bool *found)
{
    struct digest d = dsr_mail_digest(c, TEXT("dsr.thread"), message_id);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_DSR_MAIL_THREAD, ARGS(V_TEXT(c->tenant), V_BYTES(TEXT_BYTES(d))));
    text request = query_next(&q) ? query_get(&q, DSR_MAIL_THREAD, request) : TEXT("");
    *found = request.n == sizeof *out;
    if (*found)
        memcpy(out, request.p, sizeof *out);
    return q.status;
}

/* Whoever answers an email of their own names its Message-ID, which others may know too: only from the address that the
 * request came from. */
static enum err own_thread(struct ctx *c, const struct inbound *m, const struct json *ids, struct dsr *d, bool *found)
{
    struct subject_id id;
    JSON_EACH(one, ids) {
        TRY(find_thread(c, one->value, &id, found));
        if (!*found)
            continue;
        enum err status = dsr_load(c, id, d);
        *found = status == OK && m->from.n && text_eq_nocase(d->file.email, m->from);
        if (status != OK && status != ERR_NOT_FOUND) /* its file went at its term */
            return status;
        if (*found)
            return OK;
    }
    return OK;
}

static enum err thread_of(struct ctx *c, const struct inbound *m, struct dsr *d, bool *found)
{
    const struct json *lists[] = { json_get(m->said, TEXT("in_reply_to")), json_get(m->said, TEXT("references")) };
    struct subject_id id;
    bool ours = dsr_token_of(c, m->tag, &id);
    for (size_t i = 0; i < 2 && !ours; i++)
        JSON_EACH(one, lists[i])
            ours = ours || letter_of(c, one->value, &id);
    *found = ours;
    if (ours) {
        enum err status = dsr_load(c, id, d);
        *found = status == OK;
        return status == ERR_NOT_FOUND ? OK : status; /* its file went at its term */
    }
    for (size_t i = 0; i < 2 && !*found; i++)
        TRY(own_thread(c, m, lists[i], d, found));
    return OK;
}

/* ---- What it asks for. ---- */

static const struct {
    enum dsr_kind_id kind;
    text language, words;
} asks[] = {
#define ASKS(kind, language, words) { DSR_##kind, TEXT_INIT(#language), TEXT_INIT(words) },
#include "domain/dsr/asks.def"
};

static enum err find_ask(struct ctx *c, text bare, struct dsr *d, bool *found)
{
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        text words = unicode_bare(c->arena, asks[i].words);
        TRY_PTR(words.p);
        if (text_find(bare, words) < 0)
            continue;
        *found = true;
        d->kind = dsr_kind_offered(c, asks[i].kind) ? asks[i].kind : DSR_question;
        if (policy_language(c->policy, asks[i].language).n)
            d->file.language = policy_language(c->policy, asks[i].language);
        return OK;
    }
    return OK;
}

static enum err classify(struct ctx *c, const struct dsr_mail *mail, struct dsr *d)
{
    const text places[] = { mail->subject, mail->said };
    bool found = false;
    d->kind = DSR_question;
    d->file.language = c->policy->language_count ? c->policy->languages[0] : c->language;
    for (size_t i = 0; i < 2 && !(found && d->kind != DSR_question); i++) {
        text bare = unicode_bare(c->arena, places[i]);
        TRY_PTR(bare.p);
        TRY(find_ask(c, bare, d, &found));
    }
    return OK;
}

/* As much of it as a request's text holds; characters are not torn. */
static text cut(text s, size_t most)
{
    size_t n = s.n < most ? s.n : most;
    while (n < s.n && n > 0 && (s.p[n] & 0xC0) == 0x80)
        n--;
    return text_upto(s, n);
}

static text text_for(struct ctx *c, const struct dsr_mail *mail)
{
    text all = mail->subject.n ? arena_print(c->arena, "%.*s\n\n%.*s", T(mail->subject), T(mail->said)) : mail->said;
    return text_trim(cut(all, DSR_TEXT_MAX));
}

/* ---- Filed. ---- */

/* Of a Message-ID that could be a header's, and nothing else. */
static text answerable(text id)
{
    bool good = id.n && id.n <= 250;
    for (size_t i = 0; i < id.n; i++)
        good &= id.p[i] > ' ' && id.p[i] <= '~' && id.p[i] != '<' && id.p[i] != '>';
    return good ? id : TEXT("");
}

enum err dsr_fill(struct ctx *c, const struct dsr_mail *mail, text sender, text name, struct dsr_change *ch)
{
    struct dsr *d = &ch->d;
    TRY(classify(c, mail, d));
    d->file.email = sender;
    d->file.name = text_trim(cut(card_mask(c->arena, name), DSR_NAME_MAX));
    d->file.text = text_for(c, mail);
    return arena_whole(c->arena);
}

/* It came before: the mail server brought it again after a crash, or its answer was lost. */
static enum err came_before(struct ctx *c, const struct dsr_mail *mail, struct answer *out)
{
    text reference = TEXT("");
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_DSR_MAIL_CAME, ARGS(V_TEXT(c->tenant), V_BYTES(TEXT_BYTES(mail->digest))));
        if (query_next(&q) && !query_null(&q, DSR_MAIL_CAME, request))
            reference = id_column(c->arena, &q, COL(DSR_MAIL_CAME, request));
        TRY(q.status);
    }
    return inbound_answer(c, TEXT("again"), reference, TEXT(""), out);
}

static enum err file_new(struct ctx *c, const struct inbound *m, const struct dsr *earlier, struct answer *out)
{
    struct dsr_change ch;
    struct dsr_mail mail;
    dsr_fresh(c, &ch, TEXT("email"));
    TRY(dsr_mail_make(c, m, TEXT("asks"), &mail));
    TRY(dsr_fill(c, &mail, m->from, json_text(m->said, TEXT("from_name")), &ch));
    ch.answers = answerable(json_text(m->said, TEXT("message_id")));
    mail.request = ch.d.id;
    mail.has_request = true;
    ch.mail = &mail;
    if (earlier)
        ch.note = id_print(c->arena, earlier->id);
    if (m->box != INBOUND_TENANT)
        ch.names = dsr_stored_names(c);
    enum err status = ch.d.file.email.n ? dsr_send_in(c, &ch) : dsr_write(&ch);
    if (status == ERR_CONFLICT)
        return came_before(c, &mail, out);
    TRY(status);
    return inbound_answer(c, TEXT("request"), id_print(c->arena, ch.d.id), TEXT(""), out);
}

static text or_words(text said, text otherwise) { return said.n ? said : otherwise; }

static enum err add_once(struct ctx *c, struct dsr *d, struct dsr_mail *mail)
{
    struct dsr_change ch = { .c = c, .d = *d };
    text said = cut(text_trim(mail->said), DSR_TEXT_MAX);
    if (d->state == DSR_IN_clarification) {
        said = or_words(said, or_words(mail->subject, TEXT("…")));
        TRY(dsr_begin(c, &ch, DSR_MOVE_reply, DSR_BY_asker, said));
        ch.d.file.reply = said;
    } else
        TRY(dsr_begin(c, &ch, DSR_MOVE_mail, DSR_BY_server, TEXT("")));
    ch.mail = mail;
    return dsr_write(&ch);
}

/* What was changed meanwhile is read again. What its file went from under is a request of its own. */
enum err dsr_mail_more(struct ctx *c, const struct inbound *m, struct dsr *d, struct answer *out)
{
    struct dsr_mail mail;
    enum err status = ERR_PRECONDITION;
    TRY(dsr_mail_make(c, m, TEXT("adds"), &mail));
    mail.request = d->id;
    mail.has_request = true;
    for (int i = 0; i < WRITE_AGAIN && status == ERR_PRECONDITION; i++) {
        status = i ? dsr_load(c, d->id, d) : OK;
        if (status == OK && d->closed)
            return file_new(c, m, d, out);
        if (status == OK)
            status = add_once(c, d, &mail);
    }
    if (status == ERR_NOT_FOUND) {
        c->arena->why = (struct why){ .code = OK };
        return file_new(c, m, NULL, out);
    }
    if (status == ERR_CONFLICT)
        return came_before(c, &mail, out);
    TRY(status);
    return inbound_answer(c, TEXT("reply"), id_print(c->arena, d->id), TEXT(""), out);
}

/* ---- Set aside. ---- */

struct setting {
    const struct ctx *c;
    const struct dsr_mail *mail;
};

static enum err run_aside(struct db *db, struct write *w)
{
    const struct setting *s = w->arg;
    return dsr_mail_run(db, s->c, s->mail, NULL);
}

static enum err set_aside(struct ctx *c, const struct inbound *m, text why, struct answer *out)
{
    struct dsr_mail mail;
    struct setting s = { c, &mail };
    TRY(dsr_mail_make(c, m, why, &mail));
    mail.due = c->now + keep_aside;
    struct write w = { .run = run_aside, .arg = &s, .event = event_of(c, NULL, TEXT("request.aside")) };
    enum err status = write_do(c, &w, NULL);
    if (status == ERR_CONFLICT)
        return came_before(c, &mail, out);
    TRY(status);
    c->app->inbound.aside++;
    return inbound_answer(c, TEXT("aside"), TEXT(""), why, out);
}

/* ---- The way in. ---- */

/* So many of one sender in a day are looked at by staff before they become requests. */
static enum err has_room(struct ctx *c, const struct inbound *m, bool *room)
{
    struct why kept = c->arena->why;
    enum err status = m->from.n ? budget_take(c, BUDGET_requests_sent, m->from) : OK;
    *room = status == OK;
    if (status != ERR_TOO_MANY)
        return status;
    c->arena->why = kept;
    return OK;
}

enum err dsr_came(struct ctx *c, const struct inbound *m, bool *taken, struct answer *out)
{
    struct dsr d = { .closed = 0 };
    bool found, room;
    if (m->box == INBOUND_STOP)
        return OK;
    *taken = true;
    c->actor = (struct actor){ .kind = ACTOR_PERSON, .index = PERSON, .name = c->policy->actors[PERSON].name };
    if (m->machine.n)
        return set_aside(c, m, m->machine, out);
    TRY(has_room(c, m, &room));
    if (!room)
        return set_aside(c, m, TEXT("many"), out);
    TRY(budget_take(c, BUDGET_requests_mailed, c->tenant));
    TRY(thread_of(c, m, &d, &found));
    if (found && !d.closed) {
        bool passed;
        TRY(dsr_pass_on(c, m, &d, &passed, out));
        return passed ? OK : dsr_mail_more(c, m, &d, out);
    }
    return file_new(c, m, found ? &d : NULL, out);
}

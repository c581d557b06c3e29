/* Requests as they come in: by the public form, from a signed-in person, from a letter or a call that staff enter. */
#include "domain/account/throttle.h"
#include "domain/core/actor.h"
#include "domain/core/budget.h"
#include "domain/core/id.h"
#include "domain/core/normal.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/dsr/inside.h"
#include "domain/person/person.h"

static const struct field email_field = { .type = FIELD_EMAIL };

static enum err about(struct ctx *c, const char *member, enum err status)
{
    text_cstr(text_of(member), c->arena->why.field, sizeof c->arena->why.field);
    return status;
}

static enum err take_kind(struct ctx *c, const struct json *in, struct dsr *d)
{
    text kind = json_text(in, TEXT("kind"));
    if (!kind.n)
        return about(c, "kind", say(c->arena, ERR_MISSING, "\"kind\" says what is asked"));
    if (!dsr_kind_named(kind, &d->kind))
        return about(c, "kind", say(c->arena, ERR_VALUE, "nobody can ask for \"%.*s\" here", T(value_shown(kind))));
    if (!dsr_kind_offered(c, d->kind))
        return about(c, "kind", say_clause(c->arena, ERR_UNDECLARED, &c->policy->rights_clause,
                                           "the policy does not offer \"%.*s\"", T(dsr_kind_word(d->kind))));
    return OK;
}

static enum err take_text(struct ctx *c, const struct json *in, const char *member, size_t most, text *out)
{
    *out = text_trim(json_text(in, text_of(member)));
    if (out->n > most)
        return about(c, member, say(c->arena, ERR_VALUE, "\"%s\" has at most %zu bytes", member, most));
    return about(c, member, value_no_card(c, text_of(member), *out));
}

static enum err take_email(struct ctx *c, const struct json *in, bool needed, text *out)
{
    text email = text_trim(json_text(in, TEXT("email")));
    *out = (text){ NULL, 0 };
    if (!email.n)
        return needed ? about(c, "email", say(c->arena, ERR_MISSING, "\"email\" says where to answer")) : OK;
    *out = normal_kept(c, &email_field, email);
    if (!out->n || !value_is_email(c->arena, *out))
        return about(c, "email", say(c->arena, ERR_VALUE, "\"email\" is no address to which an email could go"));
    return OK;
}

static enum err take_file(struct ctx *c, const struct json *in, bool email, struct dsr *d)
{
    TRY(take_kind(c, in, d));
    TRY(take_email(c, in, email, &d->file.email));
    TRY(take_text(c, in, "name", DSR_NAME_MAX, &d->file.name));
    TRY(take_text(c, in, "address", DSR_TEXT_MAX / 4, &d->file.address));
    TRY(take_text(c, in, "text", DSR_TEXT_MAX, &d->file.text));
    c->arena->why.field[0] = 0;
    if (d->kind == DSR_question && !d->file.text.n)
        return about(c, "text", say(c->arena, ERR_MISSING, "\"text\" holds the question"));
    return OK;
}

/* Somebody else asks for them: nothing is done before a mandate was seen (EDPB 01/2022, 3.4). */
static enum err take_agent(struct ctx *c, const struct json *in, struct dsr *d)
{
    TRY(take_text(c, in, "person", DSR_NAME_MAX, &d->file.person));
    c->arena->why.field[0] = 0;
    if (!d->file.person.n && !text_eq(d->channel, TEXT("agent")))
        return OK;
    d->file.agent = TEXT("true");
    if (dsr_kind_needs_identity(d->kind))
        d->state = DSR_IN_mandate;
    return OK;
}

static text first_letter(const struct dsr_change *ch)
{
    if (ch->names.n)
        return TEXT("request_which");
    return ch->d.state == DSR_IN_mandate ? TEXT("request_mandate") : TEXT("request_received");
}

void dsr_fresh(struct ctx *c, struct dsr_change *ch, text channel)
{
    *ch = (struct dsr_change){ .c = c, .fresh = true };
    ch->d = (struct dsr){ .id = id_make(c->now),
                          .state = DSR_IN_received,
                          .channel = channel,
                          .identity = TEXT("none"),
                          .received = c->now };
    ch->d.file.language = c->language;
}

/* ---- The public form. ---- */

/* Whether the policy has a form of this server's own. */
enum err dsr_form_open(struct ctx *c)
{
    const struct node *form = node_at(c->policy->root, TEXT("rights.channels.form"));
    if (form && text_eq(form->value, TEXT("true")))
        return OK;
    const struct clause *clause = form ? policy_clause(c->policy, form->path) : NULL;
    return say_clause(c->arena, ERR_FORBIDDEN, clause ? clause : &c->policy->rights_clause,
                      "the policy has no form of this server for requests");
}

/* Nobody's mailbox is filled by strangers: beyond that the request stands without a letter, and its clock runs. */
enum err dsr_send_in(struct ctx *c, struct dsr_change *ch)
{
    struct attempt *letters = NEW(c->arena, struct attempt);
    TRY_PTR(letters);
    letters->digest = throttle_digest(c, TEXT("request"), normal_lookup(c, &email_field, ch->d.file.email));
    enum err status = throttle_letter(c, letters);
    bool writes = status == OK;
    if (status != OK && status != ERR_TOO_MANY)
        return status;
    status = OK;
    if (writes) {
        ch->throttled = letters;
        status = dsr_letter(ch, first_letter(ch), TEXT(""));
    }
    if (status == OK)
        status = dsr_write(ch);
    if (writes)
        throttle_leave(c, letters);
    return status;
}

enum err dsr_submit(struct ctx *c, const struct json *in, struct answer *out)
{
    struct dsr_change ch;
    TRY(dsr_form_open(c));
    c->actor = (struct actor){ .kind = ACTOR_PERSON, .index = PERSON, .name = c->policy->actors[PERSON].name };
    dsr_fresh(c, &ch, TEXT("form"));
    TRY(take_file(c, in, true, &ch.d));
    TRY(take_agent(c, in, &ch.d));
    out->body = TEXT("{\"state\":\"received\"}");
    if (json_text(in, TEXT("website")).n)
        return OK;
    TRY(budget_take(c, BUDGET_requests_sent, c->address));
    TRY(budget_take(c, BUDGET_requests_day, c->tenant));
    return dsr_send_in(c, &ch);
}

/* ---- A signed-in person. ---- */

enum err dsr_ask(struct ctx *c, const struct json *in, struct answer *out)
{
    struct dsr_change ch;
    PERSON_AUTO p = { 0 };
    int category;
    dsr_fresh(c, &ch, TEXT("profile"));
    TRY(person_open(c, session_self(c), false, &p));
    TRY(take_file(c, in, false, &ch.d));
    TRY(budget_take(c, BUDGET_requests_sent, session_self(c)));
    ch.d.subject = p.id;
    ch.d.has_subject = true;
    ch.d.identity = TEXT("session");
    TRY(mail_address(c, &p, &ch.d.file.email, &category));
    TRY(mail_language(c, &p, &ch.d.file.language));
    TRY(dsr_letter(&ch, TEXT("request_received"), TEXT("")));
    TRY(dsr_write(&ch));
    out->id = id_print(c->arena, ch.d.id);
    return OK;
}

/* ---- Entered by staff. ---- */

static enum err take_channel(struct ctx *c, const struct json *in, text *out)
{
    static const text channels[] = { TEXT_INIT("post"),    TEXT_INIT("phone"), TEXT_INIT("email"),
                                     TEXT_INIT("counter"), TEXT_INIT("agent"), TEXT_INIT("api") };
    text said = json_text(in, TEXT("channel"));
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        if (text_eq(channels[i], said)) {
            *out = channels[i];
            return OK;
        }
    return about(c, "channel", say(c->arena, said.n ? ERR_VALUE : ERR_MISSING,
                                   "\"channel\" is one of post, phone, email, counter, agent, api"));
}

/* The true day: a letter that lay about has begun its month all the same. */
static enum err take_received(struct ctx *c, const struct json *in, struct dsr *d)
{
    text said = text_trim(json_text(in, TEXT("received")));
    static const msec oldest = 5 * 366 * DAY;
    if (!said.n)
        return OK;
    if (!value_moment(c, said, false, &d->received))
        return about(c, "received", say(c->arena, ERR_VALUE, "\"received\" is a day (YYYY-MM-DD) or a time"));
    if (d->received > c->now || d->received < c->now - oldest)
        return about(c, "received", say(c->arena, ERR_VALUE, "\"received\" is not in the future, nor more than five years ago"));
    return OK;
}

/* Whose data it is about, as far as staff know; it proves nothing of who asks. */
static enum err take_subject(struct ctx *c, const struct json *in, struct dsr *d)
{
    PERSON_AUTO p = { 0 };
    text id = text_trim(json_text(in, TEXT("subject")));
    if (!id.n)
        return OK;
    TRY(about(c, "subject", person_open(c, id, true, &p)));
    d->subject = p.id;
    d->has_subject = true;
    return OK;
}

enum err dsr_enter(struct ctx *c, const struct json *in, struct answer *out)
{
    struct dsr_change ch;
    text language = policy_language(c->policy, json_text(in, TEXT("language")));
    dsr_fresh(c, &ch, TEXT(""));
    TRY(dsr_may_answer(c));
    if (language.n)
        ch.d.file.language = language;
    TRY(take_file(c, in, false, &ch.d));
    TRY(take_channel(c, in, &ch.d.channel));
    TRY(take_agent(c, in, &ch.d));
    TRY(take_received(c, in, &ch.d));
    TRY(take_subject(c, in, &ch.d));
    c->arena->why.field[0] = 0;
    TRY(dsr_letter(&ch, first_letter(&ch), TEXT("")));
    ch.kept = out;
    return dsr_write(&ch);
}

/* Who is younger than the policy's `minors.age`: a parent is asked once they followed their own link (LIL 45). */
#include "domain/choice/joining.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/normal.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/person/account.h"
#include "domain/person/change.h"
#include "domain/person/person.h"

enum { BODY_MAX = 1 << 20 };
static const struct field address_field = { .type = FIELD_EMAIL };

/* ---- What was sent. ---- */

static bool is_given(const struct json *consent)
{
    return text_eq(json_text(consent, TEXT("decision")), TEXT("given"));
}

/* What was said is the fault of the field "parent". */
static enum err at_parent(struct ctx *c, enum err e)
{
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "parent");
    return e;
}

enum err parent_take(struct ctx *c, const struct point *p, const struct json *in, text *parent)
{
    const struct json *minor = json_get(in, TEXT("minor")), *boxes = json_get(in, TEXT("boxes"));
    bool younger = minor && ((minor->kind == J_BOOL && minor->truth) || (minor->kind == J_TEXT && minor->value.n));
    const struct point_field *f = &p->fields[p->email < 0 ? 0 : p->email];
    const struct clause *clause = policy_clause(c->policy, TEXT("minors"));
    text own = json_text(json_get(json_get(in, TEXT("data")), f->category->name), f->field->name);
    *parent = TEXT("");
    if (minor && minor->kind != J_BOOL && minor->kind != J_TEXT && minor->kind != J_NULL)
        return say(c->arena, ERR_VALUE, "\"minor\" is true or false");
    if (!younger || !point_minor_age(c, p) || !boxes || !boxes->count)
        return OK;
    text said = text_trim(json_text(in, TEXT("parent")));
    if (!said.n)
        return at_parent(c, say_clause(c->arena, ERR_MISSING, clause,
                                       "\"parent\" is the email address of a parent, who must agree too"));
    TRY(value_no_card(c, TEXT("parent"), said));
    *parent = normal_kept(c, &address_field, said);
    TRY_PTR(parent->p);
    if (!value_is_email(c->arena, *parent))
        return at_parent(c, say_clause(c->arena, ERR_VALUE, clause, "\"parent\" must be an email address"));
    if (text_eq(normal_lookup(c, &address_field, *parent), normal_lookup(c, &address_field, own)))
        return at_parent(
            c, say_clause(c->arena, ERR_VALUE, clause, "the address of a parent is another one than your own"));
    return OK;
}

static const struct json *minor_of(const struct json *kept) { return json_get(kept, TEXT("minor")); }

bool parent_is_asked(const struct json *kept) { return json_text(minor_of(kept), TEXT("confirmed")).n > 0; }

bool parent_awaited(const struct pending *s)
{
    return json_text(minor_of(s->kept), TEXT("parent")).n && !parent_is_asked(s->kept);
}

/* ---- The question. ---- */

enum part {
    WHOLE, /* all that was sent */
    REST,  /* without what it agrees to */
    AGREED /* nothing else */
};

static void put_consents(const struct json *consents, enum part part, struct json_out *w)
{
    json_name(w, TEXT("consents"));
    json_open(w, '[');
    JSON_EACH(one, consents)
        if (part == WHOLE || (part == AGREED) == is_given(one))
            json_put(w, one);
    json_close(w, ']');
}

static enum err part_of(struct ctx *c, const struct json *kept, enum part part, text *out)
{
    BUF_AUTO b = buf_make(BODY_MAX);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("data"));
    if (part == AGREED)
        json_put_raw(&w, TEXT("{}"));
    else
        json_put(&w, json_get(kept, TEXT("data")));
    put_consents(json_get(kept, TEXT("consents")), part, &w);
    json_pair(&w, TEXT("language"), json_text(kept, TEXT("language")));
    json_pair(&w, TEXT("policy"), json_text(kept, TEXT("policy")));
    if (part != REST) {
        json_name(&w, TEXT("minor"));
        json_open(&w, '{');
        json_pair(&w, TEXT("parent"), json_text(minor_of(kept), TEXT("parent")));
        json_pair(&w, TEXT("confirmed"), time_print(c->arena, c->now));
        json_close(&w, '}');
    }
    json_close(&w, '}');
    return buf_take(c->arena, &b, out);
}

/* What is agreed to, in the words that stood beside the boxes. */
static enum err wordings(struct ctx *c, const struct json *kept, text *out)
{
    BUF_AUTO b = buf_make(BODY_MAX);
    JSON_EACH(one, json_get(kept, TEXT("consents")))
        if (is_given(one))
            buf_print(&b, "%s%.*s", b.n ? "\n" : "", T(json_text(one, TEXT("wording"))));
    return buf_take(c->arena, &b, out);
}

static enum err make_letter(const struct pending *s, struct parent_ask *ask, text secret)
{
    struct ctx *c = s->c;
    const struct point_field *f = &s->point->fields[s->point->email];
    text language = json_text(s->kept, TEXT("language")), said;
    text link = mail_link(c, arena_print(c->arena, "/confirm-form?token=%.*s&lang=%.*s", T(secret), T(language)));
    TRY(wordings(c, s->kept, &said));
    const struct pair_text pairs[] = {
        { TEXT("what"), point_title(c, s->point) },
        { TEXT("who"), json_text(json_get(json_get(s->kept, TEXT("data")), f->category->name), f->field->name) },
        { TEXT("age"), arena_print(c->arena, "%u", point_minor_age(c, s->point)) },
        { TEXT("said"), said },
        { TEXT("link"), link },
        { TEXT("until"), time_print(c->arena, ask->expires) }
    };
    const struct letter_values values = { pairs, sizeof pairs / sizeof *pairs };
    return mail_make_in(c, NULL, language, json_text(minor_of(s->kept), TEXT("parent")), TEXT("form_parent"), &values,
                        &ask->letter);
}

enum err parent_ask(struct pending *s, bool *whole)
{
    struct ctx *c = s->c;
    struct parent_ask *ask = NEW(c->arena, struct parent_ask);
    struct why kept = c->arena->why;
    const struct json *rest;
    text without;
    TRY_PTR(ask);
    *ask = (struct parent_ask){ .c = c, .form = s->form, .at = s->at, .was = s->digest, .expires = ticket_until(c) };
    ask->all_consent = point_all_consent(c, s->point);
    ask->letters.digest = throttle_digest(
        c, TEXT("submission"), normal_lookup(c, &address_field, json_text(minor_of(s->kept), TEXT("parent"))));
    TRY(part_of(c, s->kept, REST, &without));
    TRY(json_parse(c->arena, without, &rest));
    *whole = joining_serves(c, s->point, s->data, json_get(rest, TEXT("consents"))) != OK;
    c->arena->why = kept;
    ask->id = *whole ? s->id : id_make(c->now);
    TRY(part_of(c, s->kept, *whole ? WHOLE : AGREED, &ask->clear));
    TRY(make_letter(s, ask, secret_make(c, TEXT("submission"), &ask->digest)));
    TRY(throttle_letter(c, &ask->letters));
    s->asks = ask;
    if (!*whole)
        s->kept = rest;
    return OK;
}

/* ---- Written. ---- */

static enum err run_ask(struct db *db, struct write *w)
{
    const struct parent_ask *ask = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_SUBMISSION_ASK, &changed,
               ARGS(V_TEXT(ask->c->tenant), V_ID(ask->id), V_BYTES(TEXT_BYTES(ask->was)),
                    V_BYTES(TEXT_BYTES(ask->digest)), V_SEALED(ask->body), V_INT(ask->expires),
                    V_INT(ask->all_consent))));
    if (!changed)
        return say(db_arena(db), ERR_NOT_FOUND, "this link is not valid, or no longer");
    TRY(joining_spent(db, ask->c, &ask->was, ask->form));
    TRY(throttle_run_failed(db, ask->c, &ask->letters));
    return mail_run_put(db, &ask->letter);
}

enum err parent_write(struct pending *s)
{
    struct ctx *c = s->c;
    struct parent_ask *ask = s->asks;
    TRY(joining_seal(c, NULL, s->form, ask->id, ask->clear, &ask->body));
    joining_act_as(c, (struct subject_id){ { 0 } }, false);
    struct write w = { .run = run_ask, .arg = ask, .event = event_of(c, NULL, TEXT("form.parent_asked")) };
    return write_do(c, &w, NULL);
}

enum err parent_seal(struct pending *s, const struct person *p)
{
    s->asks->event = event_of(s->c, p, TEXT("form.parent_asked"));
    return joining_seal(s->c, p, s->form, s->asks->id, s->asks->clear, &s->asks->body);
}

enum err parent_run(struct db *db, const struct pending *s)
{
    const struct parent_ask *ask = s->asks;
    TRY(db_run(db, SQL_SUBMISSION_WAIT, NULL,
               ARGS(V_TEXT(s->c->tenant), V_ID(ask->id), V_TEXT(s->form), V_ID(s->p->id),
                    V_BYTES(TEXT_BYTES(ask->digest)), V_SEALED(ask->body), V_INT(ask->at), V_INT(ask->expires))));
    TRY(throttle_run_failed(db, s->c, &ask->letters));
    TRY(journal_add(db, &ask->event, NULL));
    return mail_run_put(db, &ask->letter);
}

/* ---- Agreed. ---- */

enum err parent_agreed(struct pending *s)
{
    struct ctx *c = s->c;
    const struct json *minor = minor_of(s->kept);
    BUF_AUTO b = buf_make(BODY_MAX);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    JSON_EACH(member, s->kept) {
        json_name(&w, member->key);
        if (!text_eq(member->key, TEXT("consents"))) {
            json_put(&w, member);
            continue;
        }
        json_open(&w, '[');
        JSON_EACH(one, member) {
            json_open(&w, '{');
            JSON_EACH(v, one)
                if (!text_eq(v->key, TEXT("evidence")))
                    json_pair(&w, v->key, v->value);
            text how = json_text(one, TEXT("evidence"));
            if (is_given(one))
                how = arena_print(c->arena, "%.*s; they confirmed %.*s; parent %.*s agreed %.*s", T(how),
                                  T(json_text(minor, TEXT("confirmed"))), T(json_text(minor, TEXT("parent"))),
                                  T(time_print(c->arena, c->now)));
            json_pair(&w, TEXT("evidence"), how);
            json_close(&w, '}');
        }
        json_close(&w, ']');
    }
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &s->kept));
    s->data = json_get(s->kept, TEXT("data"));
    return OK;
}

static enum err run_agreed(struct db *db, void *arg)
{
    const struct pending *s = arg;
    int64_t changed;
    TRY(db_run(db, SQL_SUBMISSION_USE, &changed,
               ARGS(V_TEXT(s->c->tenant), V_ID(s->id), V_BYTES(TEXT_BYTES(s->digest)))));
    if (!changed)
        return say(db_arena(db), ERR_NOT_FOUND, "this link is not valid, or no longer");
    TRY(joining_spent(db, s->c, &s->digest, s->form));
    return journal_add(db, &s->event, NULL);
}

enum err parent_join(struct pending *s)
{
    struct ctx *c = s->c;
    PERSON_AUTO p = { 0 };
    struct change ch;
    msec since;
    joining_act_as(c, s->subject, true);
    TRY(person_open(c, id_print(c->arena, s->subject), false, &p));
    TRY(change_begin(c, &p, 0, &ch));
    TRY(change_consents(c, &ch, json_get(s->kept, TEXT("consents"))));
    if (!time_parse(json_text(minor_of(s->kept), TEXT("confirmed")), &since))
        return say(c->arena, ERR_INTEGRITY, "what waits for a parent does not say since when");
    for (unsigned i = 0; i < ch.consent_count; i++) {
        TRY(person_may_record(c, &p, ch.consents[i].purpose, false));
        ch.consents[i].unless = since;
    }
    ch.policy_version = json_text(s->kept, TEXT("policy")); /* the words that were agreed to */
    ch.truncate = true;
    ch.also = run_agreed;
    ch.also_arg = s;
    s->joined = true;
    s->event = event_of(c, &p, TEXT("form.parent_agreed"));
    struct event event = event_of(c, &p, TEXT("consent.given"));
    event.purpose = ch.consent_count ? ch.consents[0].purpose : TEXT("");
    event.count = ch.consent_count;
    return change_write(c, &ch, event, NULL);
}

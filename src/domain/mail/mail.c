/* Letters to people: address, language, seal, and the row in the outbox. */
#include "domain/mail/mail.h"
#include "domain/person/person.h"
#include "domain/core/normal.h"
#include "domain/person/record.h"
#include "domain/core/id.h"
#include "domain/person/account.h"
#include "domain/core/instance.h"
#include "domain/mail/mail_seal.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

enum { MESSAGE_MAX = 1 << 20 };

text mail_link(struct ctx *c, text path) { return arena_print(c->arena, "%s%.*s", c->app->public_url, T(path)); }

/* ---- To whom, in which language. ---- */

static enum err address_in(struct ctx *c, const struct person *p, unsigned category, text field, text *out)
{
    struct record *rows;
    unsigned count;
    TRY(record_load(c, p, (int)category, true, &rows, &count));
    for (unsigned i = count; i > 0 && !out->n; i--) {
        const struct json *member = json_get(rows[i - 1].fields, field);
        if (member && member->first && member->first->kind == J_TEXT)
            *out = member->first->value;
    }
    return OK;
}

enum err mail_address(struct ctx *c, const struct person *p, text *out, int *category)
{
    *out = (text){ NULL, 0 };
    for (int identifier = 1; identifier >= 0 && !out->n; identifier--)
        for (unsigned i = 0; i < c->policy->category_count && !out->n; i++) {
            const struct category *cat = &c->policy->categories[i];
            for (unsigned f = 0; f < cat->field_count && !out->n && !cat->transient; f++)
                if (cat->fields[f].type == FIELD_EMAIL && cat->fields[f].identifier == (identifier == 1)) {
                    *category = (int)i;
                    TRY(address_in(c, p, i, cat->fields[f].name, out));
                }
        }
    return OK;
}

enum err mail_language(struct ctx *c, const struct person *p, text *out)
{
    struct account account = { 0 };
    if (p)
        TRY(account_load(c, p->id, &account));
    *out = account.language.n ? account.language
         : c->policy->language_count ? c->policy->languages[0] : c->language;
    return OK;
}

/* ---- Whose address it is. ---- */

enum err mail_whose(struct ctx *c, text email, bool *found, struct subject_id *out)
{
    *found = false;
    for (unsigned i = 0; i < c->policy->category_count && !*found; i++) {
        const struct category *cat = &c->policy->categories[i];
        for (unsigned f = 0; f < cat->field_count && !*found; f++) {
            const struct field *field = &cat->fields[f];
            struct digest digest;
            if (field->type != FIELD_EMAIL || !field->identifier)
                continue;
            text name = arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(field->name));
            digest_identifier(store_lookup_key(ctx_store(c)), c->tenant, name, normal_lookup(c, field, email), &digest);
            TRY(person_find(c, name, &digest, found, out));
        }
    }
    return OK;
}

/* ---- The seal. ---- */

struct place mail_place(text tenant, struct subject_id subject, text letter, struct subject_id id)
{
    struct place place = { .tenant = tenant, .subject = subject, .table = TEXT("mail"), .field = letter };
    memcpy(&place.version, id.b + sizeof id - sizeof place.version, sizeof place.version);
    return place;
}

void mail_key(const struct key *parent, struct key *out) { key_derive(parent, TEXT("mail"), out); }

static enum err seal_message(struct ctx *c, const struct person *p, text to, const struct letter *letter,
                             struct mail_put *out)
{
    KEY_AUTO key;
    text message;
    BUF_AUTO b = buf_make(MESSAGE_MAX);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("to"), to);
    json_pair(&w, TEXT("language"), letter->language);
    json_pair(&w, TEXT("subject"), letter->subject);
    json_pair(&w, TEXT("text"), letter->text);
    json_pair(&w, TEXT("html"), letter->html);
    if (letter->noted) {
        json_name(&w, TEXT("noted"));
        json_put(&w, letter->noted);
    }
    json_pair(&w, TEXT("reply_to"), letter->thread.reply_to);
    json_pair(&w, TEXT("in_reply_to"), letter->thread.in_reply_to);
    json_pair(&w, TEXT("token"), letter->thread.token);
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &message));
    mail_key(p ? &p->key : store_index_key(ctx_store(c)), &key);
    struct place place = mail_place(out->tenant, out->subject, out->letter, out->id);
    return seal(c->arena, &key, &place, message, &out->message);
}

static enum err seal_words(struct ctx *c, const struct person *p, text to, const struct letter *words,
                           struct mail_put *out)
{
    out->letter = words->name;
    out->bulk = words->bulk;
    out->purpose = TEXT("");
    const struct person *sealed_for = words->apart ? NULL : p;
    if (sealed_for) {
        out->subject = p->id;
        out->has_subject = true;
    }
    out->event = event_of(c, sealed_for, TEXT("mail.queued"));
    return seal_message(c, sealed_for, to, words, out);
}

static enum err check_to(struct ctx *c, text to)
{
    if (!to.n)
        return say(c->arena, ERR_MISSING, "no e-mail address of the person is held");
    if (!c->app->public_url[0])
        return say(c->arena, ERR_CONFIG,
                   "emails hold links, and the public address is not known: say --url, or GARANT_URL");
    if (!value_is_email(c->arena, to))
        return say(c->arena, ERR_VALUE, "this is no address to which an email could go");
    return OK;
}

static enum err make_as(struct ctx *c, const struct person *p, struct subject_id id, text language, text to,
                        text letter, const struct letter_values *values, struct mail_put *out)
{
    struct letter words;
    int category;
    *out = (struct mail_put){ .tenant = c->tenant, .id = id, .at = c->now };
    if (!to.p && p)
        TRY(mail_address(c, p, &to, &category));
    TRY(check_to(c, to));
    TRY(letter_render(c, language, letter, values, &words));
    return seal_words(c, p, to, &words, out);
}

enum err mail_make_said(struct ctx *c, const struct person *p, text to, const struct letter *words,
                        struct mail_put *out)
{
    *out = (struct mail_put){ .tenant = c->tenant, .id = id_make(c->now), .at = c->now };
    TRY(check_to(c, to));
    return seal_words(c, p, to, words, out);
}

enum err mail_make_in(struct ctx *c, const struct person *p, text language, text to, text letter,
                      const struct letter_values *values, struct mail_put *out)
{
    return make_as(c, p, id_make(c->now), language, to, letter, values, out);
}

/* ---- The last letter: it waits without a time to go, until the erasure that it tells of has come about. ---- */

static const msec keep_last = 7 * DAY;

enum err mail_make_last(struct ctx *c, const struct person *p, text language, struct subject_id certificate,
                        const struct letter_values *values, struct mail_put *out)
{
    return make_as(c, p, certificate, language, (text){ NULL, 0 }, TEXT("erased"), values, out);
}

enum err mail_run_last_ready(struct db *db, const struct mail_put *m)
{
    return db_run(db, SQL_MAIL_LAST_READY, NULL,
                  ARGS(V_TEXT(m->tenant), V_ID(m->id), V_TEXT(m->letter), V_SEALED(m->message), V_INT(m->at),
                       V_INT(m->at + keep_last)));
}

enum err mail_run_last_go(struct db *db, const struct ctx *c, text tenant, struct subject_id certificate)
{
    int64_t changed;
    struct event event = event_of(c, NULL, TEXT("mail.queued"));
    event.tenant = tenant;
    TRY(db_run(db, SQL_MAIL_LAST_GO, &changed,
               ARGS(V_TEXT(tenant), V_ID(certificate), V_INT(c->now), V_INT(c->now + keep_last))));
    return changed ? journal_add(db, &event, NULL) : OK;
}

enum err mail_make(struct ctx *c, const struct person *p, text to, text letter, const struct letter_values *values,
                   struct mail_put *out)
{
    text language;
    TRY(mail_language(c, p, &language));
    return mail_make_in(c, p, language, to, letter, values, out);
}

/* ---- Inside the caller's write. ---- */

/* Nothing is put for who was erased meanwhile. */
static enum err run_put(struct db *db, const struct mail_put *m, bool *put)
{
    int64_t changed;
    TRY(db_run(db, SQL_MAIL_ADD, &changed,
               ARGS(V_TEXT(m->tenant), V_ID(m->id), m->has_subject ? V_ID(m->subject) : V_NULL, V_TEXT(m->letter),
                    m->purpose.n ? V_TEXT(m->purpose) : V_NULL, V_INT(m->bulk), V_SEALED(m->message), V_INT(m->at))));
    *put = changed > 0;
    return OK;
}

enum err mail_run_put_quietly(struct db *db, const struct mail_put *m)
{
    bool put;
    return run_put(db, m, &put);
}

enum err mail_run_put(struct db *db, const struct mail_put *m)
{
    bool put;
    TRY(run_put(db, m, &put));
    return put ? journal_add(db, &m->event, NULL) : OK;
}

enum err mail_also(struct db *db, void *mail_put) { return mail_run_put(db, mail_put); }

/* Letters: words and frame, the queue, tries and their ends, the contact log, and silence after an erasure. */
#include "domain_fixture.h"
#include "domain/person/person.h"
#include "domain/mail/contact.h"
#include "domain/entry/closing.h"
#include "domain/rights/objection.h"
#include "domain/keep/erase.h"
#include "domain/mail/mail.h"
#include "domain/mail/outbox.h"
#include "domain/mail/sent.h"
#include "domain/keep/hold.h"
#include "domain/person/append.h"
#include "domain/person/make.h"
#include "domain/version/telling.h"
#include "domain/core/write.h"

#define CHANGES "changes: {tell: [notice, email], before: 1mo}\n"
#define REST(term, changes)                                                                                                            \
    "sources: {partner: {title: {en: Partner, fr: Partenaire}, third_party: true, notice_within: 1mo}}\n"                              \
    "categories:\n"                                                                                                                    \
    "  contact: {source: [person, partner], fields: {email: {type: email, identifier: true}}}\n"                                       \
    "  log: {many: true, stream: contacts, fields: {at: {type: time, required: true}, subject: {type: text, required: true, max: 20}," \
    " channel: {type: choice, choices: [email, phone]}}}\n"                                                                            \
    "purposes:\n"                                                                                                                      \
    "  service: {basis: contract, categories: [contact, log], notices: true, channels: [email, phone]}\n"                              \
    "  news: {basis: consent, marketing: true, channels: [email], categories: [contact]}\n"                                            \
    "  care: {basis: contract, categories: [contact, log], channels: [phone]}\n"                                                       \
    "retention:\n"                                                                                                                     \
    "  log: {from: event, active: " term "}\n"                                                                                         \
    "systems:\n"                                                                                                                       \
    "  app: {purposes: [service, news, care], acts: [read, write, send, consent, export, erase]}\n"                                    \
    "  clerk: {purposes: [service], acts: [read, write]}\n"                                                                            \
    "recipients: none\n" changes
static const char policy[] = REST("3y", CHANGES), longer[] = REST("5y", CHANGES), unsaid[] = REST("4y", "");

static bool has(text s, const char *part) { return text_find(s, text_of(part)) >= 0; }

static void message_queued(struct fixture *f, text id, const char *subject)
{
    struct answer out = { 0 };
    OKAY(contact_send(&f->c, id,
                      js(f, "{'purpose':'service','subject':'%s','text':'Bonjour Zoé,\\nà bientôt.'}", subject), &out));
    assert_int_equal(out.id.n, ID_TEXT);
}

static struct outbox_letter *due(struct fixture *f)
{
    struct outbox_letter *list;
    OKAY(outbox_due(&f->c, 10, &list));
    return list;
}

/* ---- Words. ---- */

static const struct pair_text all_values[] = {
    { TEXT_INIT("link"), TEXT_INIT("https://demo.example/t/abc") },
    { TEXT_INIT("until"), TEXT_INIT("2026-01-11T09:30:00Z") },
    { TEXT_INIT("at"), TEXT_INIT("2026-01-10T08:00:00Z") },
    { TEXT_INIT("source"), TEXT_INIT("M. <b>Durand</b>") },
    { TEXT_INIT("subject"), TEXT_INIT("Maintenance {site}") },
    { TEXT_INIT("text"), TEXT_INIT("a & b [x] {link}\n\nc") },
    { TEXT_INIT("version"), TEXT_INIT("2.0") },
    { TEXT_INIT("date"), TEXT_INIT("2026-02-01") },
    { TEXT_INIT("changes"), TEXT_INIT("- one\n- two") },
    { TEXT_INIT("what"), TEXT_INIT("Login, Telephone") },
    { TEXT_INIT("purpose"), TEXT_INIT("Measure") },
    { TEXT_INIT("reason"), TEXT_INIT("a reason <b>") },
    { TEXT_INIT("kind"), TEXT_INIT("Erase my data") },
    { TEXT_INIT("reference"), TEXT_INIT("01M83XJ880MAPGA37XW0S7QD5H") },
    { TEXT_INIT("into"), TEXT_INIT("01M83XJ880MAPGA37XW0S7QD5J") },
    { TEXT_INIT("recipient"), TEXT_INIT("Carrier <b>") },
    { TEXT_INIT("what"), TEXT_INIT("Erase it too.") },
    { TEXT_INIT("references"), TEXT_INIT("01ARZ3NDEKTSV4RRFFQ69G5FAV") },
    { TEXT_INIT("said"), TEXT_INIT("because <b>") },
    { TEXT_INIT("who"), TEXT_INIT("Court <b>") },
    { TEXT_INIT("age"), TEXT_INIT("15") },
    { TEXT_INIT("ground"), TEXT_INIT("Article 77-1-1") },
    { TEXT_INIT("secrecy"), TEXT_INIT("Article 11") },
    { TEXT_INIT("effects"), TEXT_INIT("unwanted calls <b>") },
    { TEXT_INIT("remedy"), TEXT_INIT("all passwords end") },
    { TEXT_INIT("contact"), TEXT_INIT("dpo@demo.example") },
    { TEXT_INIT("tenant"), TEXT_INIT("Shop") },
    { TEXT_INIT("minutes"), TEXT_INIT("30") },
    { TEXT_INIT("names"), TEXT_INIT("Shop, Club") },
    { TEXT_INIT("leave"), TEXT_INIT("https://demo.example/me/close") },
    { TEXT_INIT("object"), TEXT_INIT("https://demo.example/me/consents") },
};

static void every_letter_is_whole(void **state)
{
    struct fixture *f = *state;
    static const text names[] = {
#define LETTER(name, ...) TEXT_INIT(#name),
#include "domain/mail/letters.def"
#undef LETTER
    };
    const struct letter_values values = { all_values, sizeof all_values / sizeof *all_values };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int french = 0; french < 2; french++) {
            struct letter l;
            OKAY(letter_render(&f->c, french ? TEXT("fr") : TEXT("en"), names[i], &values, &l));
            bool message = text_eq(names[i], TEXT("service_message"));
            assert_true(l.subject.n > 5 && has(l.text, french ? "Bonjour,\n\n" : "Hello,\n\n") &&
                        has(l.text, "-- \nDemo SAS\n1 rue de Paris"));
            assert_true(has(l.text, french ? "message de service" : "service message"));
            assert_true(message ||
                        (text_index(l.text, '{') < 0 && text_index(l.text, '[') < 0 && text_index(l.html, '{') < 0));
            assert_true(has(l.html, french ? "<html lang=\"fr\">" : "<html lang=\"en\">") && !has(l.html, "<b>") &&
                        !has(l.html, "src="));
            assert_false(has(l.text, "assword: ") || has(l.text, "mot de passe : "));
        }
}

static void values_are_not_templates(void **state)
{
    struct fixture *f = *state;
    const struct letter_values values = { all_values, sizeof all_values / sizeof *all_values };
    struct letter l;
    OKAY(letter_render(&f->c, TEXT("en"), TEXT("service_message"), &values, &l));
    assert_true(text_eq(l.subject, TEXT("Maintenance {site}")));
    assert_true(has(l.text, "a & b [x] {link}\n\nc") && has(l.html, "a &amp; b [x] {link}<br>\n<br>\nc"));
    OKAY(letter_render(&f->c, TEXT("fr"), TEXT("invitation"), &values, &l));
    assert_true(has(l.text, "jusqu’au 11 janvier 2026 à 10:30 (UTC+1)") &&
                has(l.html, "href=\"https://demo.example/t/abc\""));
    assert_true(has(l.html, "M. &lt;b&gt;Durand&lt;/b&gt;") && has(l.text, "\n\nhttps://demo.example/t/abc\n\n"));
}

static void letter_needs_its_values(void **state)
{
    struct fixture *f = *state;
    const struct letter_values none = { NULL, 0 };
    const struct pair_text broken[] = { { TEXT("subject"), TEXT("a\r\nBcc: x@example.org") },
                                        { TEXT("text"), TEXT("b") } };
    struct letter l;
    assert_int_equal(letter_render(&f->c, TEXT("en"), TEXT("reset"), &none, &l), ERR_INTERNAL);
    assert_int_equal(letter_render(&f->c, TEXT("en"), TEXT("poem"), &none, &l), ERR_INTERNAL);
    assert_int_equal(
        letter_render(&f->c, TEXT("en"), TEXT("service_message"), &(struct letter_values){ broken, 2 }, &l), ERR_VALUE);
}

/* ---- The queue. ---- */

static void message_goes_and_is_logged(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "Zoe@example.org", "");
    message_queued(f, id, "Un très long objet de message, coupé");
    assert_false(files_hold(f, TEXT("Zoe@example.org")) || files_hold(f, TEXT("bient")));
    struct outbox_letter *l = due(f);
    assert_non_null(l);
    assert_null(l->next);
    assert_true(text_eq(l->to, TEXT("Zoe@example.org")) && text_eq(l->language, TEXT("fr")) &&
                has(l->text, "à bientôt."));
    assert_true(text_eq(l->purpose, TEXT("service")) && text_eq(l->from_name, TEXT("Demo SAS")) &&
                l->name.n == ID_TEXT);
    OKAY(contact_list(&f->c, id, TEXT("service"), TEXT(""), &out));
    assert_true(text_eq(text_at(parsed(f, out.body), "letters.0.state"), TEXT("queued")));
    OKAY(outbox_sent(&f->c, l));
    assert_null(due(f));
    OKAY(contact_list(&f->c, id, TEXT("service"), TEXT(""), &out));
    const struct json *log = parsed(f, out.body);
    assert_true(text_eq(text_at(log, "contacts.0.fields.subject"), TEXT("Un très long objet d")));
    assert_true(text_eq(text_at(log, "contacts.0.fields.channel"), TEXT("email")));
    assert_int_equal(json_get(log, TEXT("letters"))->count, 0);
    assert_int_equal(rows_of(f, "mail", "sent IS NOT NULL AND message IS NULL"), 1);
    fixture_ahead(f, 7 * DAY + HOUR);
    swept(f);
    assert_int_equal(rows_of(f, "mail", "1"), 0);
    assert_int_equal(rows_of(f, "record", "category = 'log'"), 1);
    fixture_at(f, "2029-01-10T00:00:00Z");
    swept(f);
    assert_int_equal(rows_of(f, "record", "category = 'log'"), 0);
}

static void failure_is_tried_again_and_given_up(void **state)
{
    struct fixture *f = *state;
    static const msec waits[] = { MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 6 * HOUR };
    text id = person_made(f, "z@example.org", "");
    message_queued(f, id, "Objet");
    text name = due(f)->name;
    msec began = f->c.now;
    for (unsigned tries = 1; due(f); tries++) {
        struct outbox_letter *l = due(f);
        assert_true(text_eq(l->name, name)); /* the same message at every try */
        OKAY(outbox_failed(&f->c, l, false, TEXT("smtp-451")));
        assert_null(due(f));
        msec wait = tries <= sizeof waits / sizeof *waits ? waits[tries - 1] : 6 * HOUR;
        fixture_ahead(f, wait - 1);
        assert_null(due(f));
        fixture_ahead(f, 1);
        assert_true(tries < 20);
    }
    msec lasted = f->c.now - began;
    assert_true(lasted > 2 * DAY && lasted < 4 * DAY);
    assert_int_equal(rows_of(f, "mail", "failed IS NOT NULL AND message IS NULL AND code = 'smtp-451' AND tries = 16"),
                     1);
    struct answer out = { 0 };
    OKAY(contact_list(&f->c, id, TEXT("service"), TEXT(""), &out));
    assert_true(text_eq(text_at(parsed(f, out.body), "letters.0.state"), TEXT("given_up")));
    fixture_as(f, "operator");
    OKAY(outbox_answer(&f->c, &all_rows, &out));
    assert_int_equal(int_at(parsed(f, out.body), "given_up"), 1);
    assert_true(text_eq(text_at(parsed(f, out.body), "letters.0.code"), TEXT("smtp-451")));
}

static void refusal_for_good_is_given_up_at_once(void **state)
{
    struct fixture *f = *state;
    message_queued(f, person_made(f, "z@example.org", ""), "Objet");
    OKAY(outbox_failed(&f->c, due(f), true, TEXT("smtp-550")));
    assert_null(due(f));
    assert_int_equal(rows_of(f, "mail", "failed IS NOT NULL AND code = 'smtp-550'"), 1);
    assert_int_equal(rows_of(f, "record", "category = 'log'"), 0);
}

static void erasure_silences(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "z@example.org", "");
    message_queued(f, id, "Objet");
    struct outbox_letter *l = due(f);
    OKAY(erase_subject(&f->c, id, NULL, &out));
    assert_int_equal(rows_of(f, "mail", "subject IS NOT NULL"), 0);
    assert_int_equal(rows_of(f, "mail", "letter = 'erased'"), 1);
    OKAY(outbox_sent(&f->c, due(f))); /* the last one */
    assert_null(due(f));
    OKAY(outbox_sent(&f->c, l)); /* it was on its way: nothing is noted of nobody */
    assert_int_equal(rows_of(f, "record", "1"), 0);
}

/* What a restored backup may hold: a letter whose person's key is gone. */
static void sealed_for_nobody_is_given_up(void **state)
{
    struct fixture *f = *state;
    message_queued(f, person_made(f, "z@example.org", ""), "Objet");
    fixture_altered(f, "DELETE FROM key", "UPDATE mail SET tries = 0");
    assert_null(due(f));
    assert_int_equal(rows_of(f, "mail", "failed IS NOT NULL"), 1);
}

static enum err run_put(struct db *db, struct write *w) { return mail_run_put(db, w->arg); }

/* The erasure tells the person, in their language: when, what stays and until when, and the certificate's number. */
static void last_letter_outlives_its_person(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "zoe.last@example.org", "");
    OKAY(erase_subject(&f->c, id, NULL, &out));
    text certificate = text_at(parsed(f, out.body), "certificate.id");
    struct outbox_letter *l = due(f);
    assert_true(l && !l->has_subject && !l->next && text_eq(l->letter, TEXT("erased")) &&
                text_eq(l->to, TEXT("zoe.last@example.org")));
    assert_true(text_find(l->text, certificate) >= 0);
    assert_false(files_hold(f, TEXT("zoe.last@example.org")));
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%mail.queued%' AND leaf LIKE '%\"who\":%'"), 0);
    OKAY(outbox_sent(&f->c, l));
    assert_int_equal(rows_of(f, "mail", "1"), 0);
}

/* Whose mail server never takes it is not held for it beyond a week. */
static void last_letter_is_not_kept_for_long(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "zoe.away@example.org", "");
    OKAY(erase_subject(&f->c, id, NULL, &out));
    assert_int_equal(rows_of(f, "mail", "1"), 1);
    fixture_ahead(f, 8 * DAY);
    OKAY(retention_sweep(&f->c, &out));
    assert_int_equal(rows_of(f, "mail", "1"), 0);
}

static void the_duty_to_inform_is_done_by_its_letter(void **state)
{
    struct fixture *f = *state;
    PERSON_AUTO p = { 0 };
    struct mail_put put;
    struct answer out = { 0 };
    const struct pair_text source = { TEXT("source"), TEXT("Partner") };
    OKAY(subject_create(&f->c, js(f, "{'source':'partner','data':{'contact':{'email':'x@example.org'}}}"), &out));
    OKAY(person_open(&f->c, out.id, false, &p));
    OKAY(mail_make(&f->c, &p, (text){ NULL, 0 }, TEXT("opened_by_other"), &(struct letter_values){ &source, 1 }, &put));
    struct write w = { .run = run_put, .arg = &put, .event = event_of(&f->c, &p, TEXT("mail.queued")) };
    OKAY(write_do(&f->c, &w, NULL));
    assert_int_equal(rows_of(f, "duty", "kind = 'inform' AND done IS NULL"), 1);
    OKAY(outbox_failed(&f->c, due(f), false, TEXT("smtp-451")));
    assert_int_equal(rows_of(f, "duty", "kind = 'inform' AND done IS NULL"), 1);
    fixture_ahead(f, MINUTE);
    OKAY(outbox_sent(&f->c, due(f)));
    assert_int_equal(rows_of(f, "duty", "kind = 'inform' AND done IS NOT NULL AND outcome = 'done'"), 1);
    assert_int_equal(rows_of(f, "journal", "leaf LIKE '%duty.done%'"), 1);
}

/* ---- A new version of the policy. ---- */

static void people_are_told_in_steps(void **state)
{
    struct fixture *f = *state;
    enum { PEOPLE = 120 };
    struct answer out = { 0 };
    for (int i = 0; i < PEOPLE; i++) {
        char email[64];
        snprintf(email, sizeof email, "p%d@example.org", i);
        text id = person_made(f, email, "");
        if (i == 7)
            OKAY(retention_event(&f->c, id, js(f, "{'event':'closure'}"), &out));
        if (i == 8) {
            OKAY(erase_subject(&f->c, id, NULL, &out));
            OKAY(outbox_sent(&f->c, due(f)));
        }
        if (i == 9)
            OKAY(subject_drop_record(&f->c, id, TEXT("contact"), (text){ NULL, 0 }, &out));
    }
    OKAY(telling_tick(&f->c));
    assert_int_equal(rows_of(f, "telling", "1"), 0); /* a first version is told to nobody */
    fixture_ahead(f, HOUR);
    fixture_again(f, longer);
    fixture_ahead(f, HOUR);
    person_made(f, "later@example.org", ""); /* who comes later came under it */
    OKAY(telling_tick(&f->c));
    int64_t first = rows_of(f, "mail", "letter = 'policy_changed' AND bulk = 1");
    assert_true(first > 90 && first <= 100);
    for (int i = 0; i < 3; i++)
        OKAY(telling_tick(&f->c));
    assert_int_equal(rows_of(f, "mail", "letter = 'policy_changed' AND purpose = 'service'"), PEOPLE - 3);
    assert_int_equal(rows_of(f, "telling", "done IS NOT NULL AND told = 117"), 1);
    struct outbox_letter *l = due(f);
    assert_true(has(l->text, "5\u00a0ans") && has(l->text, "\n- ") &&
                has(l->text, "https://demo.example/privacy/versions/"));
    message_queued(f, person_made(f, "urgent@example.org", ""), "Urgent");
    assert_true(text_eq(due(f)->to, TEXT("urgent@example.org"))); /* before what goes to many */
    fixture_again(f, unsaid);
    OKAY(telling_tick(&f->c));
    assert_int_equal(rows_of(f, "telling", "1"), 1); /* a policy that promises no letters */
}

/* ---- Who may write, and what for. ---- */

static void only_service_is_sent(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "z@example.org", "");
#define SENT(body) contact_send(&f->c, id, js(f, body), &out)
    assert_int_equal(SENT("{'purpose':'news','subject':'a','text':'b'}"), ERR_PURPOSE);
    assert_int_equal(SENT("{'purpose':'care','subject':'a','text':'b'}"), ERR_PURPOSE); /* by telephone only */
    assert_int_equal(SENT("{'purpose':'curiosity','subject':'a','text':'b'}"), ERR_PURPOSE);
    assert_int_equal(SENT("{'purpose':'service','subject':'a\\r\\nBcc: x@y.example','text':'b'}"), ERR_VALUE);
    assert_int_equal(SENT("{'purpose':'service','subject':' ','text':'b'}"), ERR_MISSING);
    assert_int_equal(SENT("{'purpose':'service','subject':'a','text':'b\\u0007'}"), ERR_VALUE);
    assert_int_equal(SENT("{'purpose':'service','subject':'4111 1111 1111 1111','text':'b'}"), ERR_CARD_NUMBER);
    assert_int_equal(SENT("{'purpose':'service','subject':'a','text':'one\\rtwo'}"), ERR_VALUE);
    OKAY(SENT("{'purpose':'service','subject':'a','text':'one\\r\\ntwo'}"));
    assert_true(has(due(f)->text, "\n\none\ntwo\n"));
    OKAY(outbox_failed(&f->c, due(f), true, TEXT("smtp-550")));
    fixture_as(f, "clerk");
    assert_int_equal(SENT("{'purpose':'service','subject':'a','text':'b'}"), ERR_FORBIDDEN);
    assert_int_equal(rows_of(f, "mail", "1"), 1);
}

static void call_is_noted(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "z@example.org", "");
    OKAY(contact_call(&f->c, id, js(f, "{'purpose':'care','subject':'Question','at':'2026-01-09T10:00:00Z'}"), &out));
    assert_int_equal(
        contact_call(&f->c, id, js(f, "{'purpose':'care','subject':'Q','at':'2026-01-12T10:00:00Z'}"), &out),
        ERR_VALUE);
    OKAY(contact_list(&f->c, id, TEXT("care"), TEXT(""), &out));
    const struct json *log = parsed(f, out.body);
    assert_int_equal(json_get(log, TEXT("contacts"))->count, 1);
    assert_true(text_eq(text_at(log, "contacts.0.fields.channel"), TEXT("phone")));
    assert_true(text_eq(text_at(log, "contacts.0.fields.at"), TEXT("2026-01-09T10:00:00.000Z")));
}

static void addresses_are_checked(void **state)
{
    struct fixture *f = *state;
    struct mail_put put;
    static const char *const bad[] = { "a@b.example\r\nBcc: c@d.example",
                                       "a b@c.example",
                                       "<a@b.example>",
                                       "a@b.example,c@d.example",
                                       "a",
                                       "a@b",
                                       "\"x\"@b.example" };
    const struct letter_values values = { all_values, sizeof all_values / sizeof *all_values };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(mail_make(&f->c, NULL, text_of(bad[i]), TEXT("reset"), &values, &put), ERR_VALUE);
    OKAY(mail_make(&f->c, NULL, TEXT("a@b.example"), TEXT("reset"), &values, &put));
    assert_int_equal(mail_make(&f->c, NULL, (text){ NULL, 0 }, TEXT("reset"), &values, &put), ERR_MISSING);
}

/* ---- Who goes at the end of their term is told: the sweep takes the address with the rest. ---- */

#define ENDING(terms)                                                                                                  \
    "categories:\n"                                                                                                    \
    "  identity: {fields: {name: {type: text}}}\n"                                                                     \
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"                                                  \
    "  orders: {many: true, fields: {number: {type: text}}}\n"                                                         \
    "  invoices: {many: true, held: true, fields: {number: {type: text}}}\n"                                           \
    "purposes:\n"                                                                                                      \
    "  service: {basis: contract, categories: [identity, contact, orders], notices: true, channels: [email]}\n"        \
    "  billing: {basis: legal_obligation, law: 'C. com. L123-22', categories: [invoices]}\n"                           \
    "systems: {app: {purposes: [service, billing], acts: [read, write, send, consent, export, erase]}}\n"              \
    "recipients: none\n"                                                                                               \
    "retention:\n"                                                                                                     \
    "  invoices: {from: event, active: 10y, ground: 'C. com. L123-22'}\n" terms
static const char idle[] = ENDING("  accounts: {from: last_use, active: 2y}\n");
static const char shut[] = ENDING("  accounts: {from: closure, active: 90d}\n");
static const char apart[] = ENDING(
    "  contact: {from: closure, active: 90d}\n  identity: {from: closure, active: 30d}\n  accounts: {from: last_use, active: 2y}\n");
static const char outlived[] = ENDING(
    "  orders: {from: event, active: 3y}\n  accounts: {from: last_use, active: 2y}\n");

/* The letters that wait, of a name: all of them, *l the first. */
static int letters(struct fixture *f, const char *name, struct outbox_letter **l)
{
    int n = 0;
    *l = NULL;
    for (struct outbox_letter *one = due(f); one; one = one->next)
        if (text_eq(one->letter, text_of(name)) && !n++)
            *l = one;
    return n;
}

static void swept_at(struct fixture *f, const char *time, int people)
{
    fixture_at(f, time);
    assert_int_equal(int_at(swept(f), "people"), people);
}

/* One letter, to the address that there was, whose certificate tells the same; no second one by a later sweep. */
static void is_told(struct fixture *f, const char *kept)
{
    struct outbox_letter *l;
    swept(f);
    assert_int_equal(letters(f, "erased", &l), 1);
    assert_true(text_eq(l->to, TEXT("zoe.last@example.org")));
    assert_true(has(l->text, kept));
    assert_int_equal(has(l->text, "ous devons garder"), kept[0] != 0);
    assert_int_equal(rows_of(f, "certificate", ""), 1);
    assert_false(files_hold(f, TEXT("zoe.last@example.org")));
}

static void who_is_idle_is_told_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct outbox_letter *l;
    text id = person_made(f, "zoe.last@example.org", ",'identity':{'name':'Zoé'}");
    record_added(f, id, "invoices", "{'number':'F-1'}");
    swept_at(f, "2028-01-09T23:59:59Z", 0);
    assert_int_equal(letters(f, "erased", &l), 0);
    swept_at(f, "2028-01-10T00:00:00Z", 1);
    is_told(f, "C. com. L123-22");
}

static void closed_is_told(struct fixture *f)
{
    struct answer out = { 0 };
    struct outbox_letter *l;
    text id = person_made(f, "zoe.last@example.org", ",'identity':{'name':'Zoé'}");
    record_added(f, id, "invoices", "{'number':'F-1'}");
    OKAY(account_close(&f->c, id, &out));
    assert_int_equal(letters(f, "closed", &l), 1);
    assert_true(has(l->text, "10 avril 2026"));
    OKAY(outbox_sent(&f->c, l));
    swept_at(f, "2026-04-09T23:59:59Z", 0);
    assert_int_equal(letters(f, "erased", &l), 0);
    swept_at(f, "2026-04-10T00:00:00Z", 1);
    is_told(f, "C. com. L123-22");
}
static void who_closed_is_told_at_the_end(void **state) { closed_is_told(*state); }
static void whose_address_ends_with_them_is_told(void **state) { closed_is_told(*state); }

/* Nothing is told while a hold or a restriction stops the end, and once when it goes on. */
static void who_is_held_is_told_when_they_go(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    struct outbox_letter *l;
    text id = person_made(f, "zoe.last@example.org", "");
    OKAY(hold_create(&f->c, id, js(f, "{'category':'*','ground':'dispute 7','until':'2028-06-01'}"), &out));
    swept_at(f, "2028-01-10T00:00:00Z", 0);
    OKAY(restriction_set(&f->c, id, true, TEXT("needed for claims"), &out));
    swept_at(f, "2028-06-02T00:00:00Z", 0);
    assert_int_equal(letters(f, "erased", &l), 0);
    OKAY(restriction_set(&f->c, id, false, TEXT(""), &out));
    assert_int_equal(int_at(swept(f), "people"), 1);
    is_told(f, "");
}

/* What is held by name alone is kept, and told. */
static void what_a_hold_keeps_is_told(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = person_made(f, "zoe.last@example.org", ",'identity':{'name':'Zoé'}");
    OKAY(hold_create(&f->c, id, js(f, "{'category':'identity','ground':'dispute 7'}"), &out));
    OKAY(account_close(&f->c, id, &out));
    swept_at(f, "2026-04-10T00:00:00Z", 1);
    is_told(f, "dispute 7");
    assert_int_equal(rows_of(f, "record", "category = 'identity'"), 1);
}

/* The account ends before what was bought: that letter is the last, since the address goes with the account. */
static void whose_account_ends_is_told(void **state)
{
    struct fixture *f = *state;
    struct outbox_letter *l;
    text id = person_made(f, "zoe.last@example.org", ",'identity':{'name':'Zoé'}");
    fixture_at(f, "2026-06-01T10:00:00Z");
    record_added(f, id, "orders", "{'number':'A-1'}");
    swept_at(f, "2028-01-09T23:59:59Z", 0);
    assert_int_equal(letters(f, "closed", &l), 0);
    swept_at(f, "2028-01-10T00:00:00Z", 0);
    swept(f);
    assert_int_equal(letters(f, "closed", &l), 1);
    assert_true(text_eq(l->to, TEXT("zoe.last@example.org")) && has(l->text, "2029"));
    assert_int_equal(rows_of(f, "record", ""), 1);
    OKAY(outbox_sent(&f->c, l));
    swept_at(f, "2029-06-01T00:00:00Z", 1);
    assert_int_equal(letters(f, "erased", &l) + letters(f, "closed", &l), 0);
    assert_int_equal(rows_of(f, "mail", "message IS NOT NULL"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define OVER_STORE(test) OVER(policy, test)
        OVER_STORE(every_letter_is_whole),
        OVER_STORE(values_are_not_templates),
        OVER_STORE(letter_needs_its_values),
        OVER_STORE(message_goes_and_is_logged),
        OVER_STORE(failure_is_tried_again_and_given_up),
        OVER_STORE(refusal_for_good_is_given_up_at_once),
        OVER_STORE(erasure_silences),
        OVER_STORE(sealed_for_nobody_is_given_up),
        OVER_STORE(last_letter_outlives_its_person),
        OVER_STORE(last_letter_is_not_kept_for_long),
        OVER_STORE(the_duty_to_inform_is_done_by_its_letter),
        OVER_STORE(people_are_told_in_steps),
        OVER_STORE(only_service_is_sent),
        OVER_STORE(call_is_noted),
        OVER_STORE(addresses_are_checked),
        OVER(idle, who_is_idle_is_told_at_the_end),
        OVER(shut, who_closed_is_told_at_the_end),
        OVER(apart, whose_address_ends_with_them_is_told),
        OVER(idle, who_is_held_is_told_when_they_go),
        OVER(shut, what_a_hold_keeps_is_told),
        OVER(outlived, whose_account_ends_is_told),
    };
    return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}

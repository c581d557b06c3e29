/* Unit tests of people over a real store: create, look up, read by purpose, rectify, consent, refusals, repeated
 * requests. */
#include "domain_fixture.h"
#include "domain/instance/token.h"
#include "domain/core/actor.h"
#include "domain/core/context.h"
#include "domain/rights/access.h"
#include "domain/core/budget.h"
#include "domain/person/consent.h"
#include "domain/core/idempotency.h"
#include "domain/core/look.h"
#include "domain/entry/address.h"
#include "domain/person/make.h"
#include "domain/person/rectify.h"
#include "domain/person/subject.h"

static const char policy[] =
    "categories:\n"
    "  identity: {fields: {first_name: {type: text, required: true}, last_name: {type: text}}}\n"
    "  contact: {fields: {email: {type: email, identifier: true}, payer: {type: choice, choices: [person, company]},\n"
    "            vat: {type: text, required: true, when: {payer: company}}}}\n"
    "  device: {fields: {id: {type: text}}}\n"
    "purposes:\n"
    "  service: {basis: contract, categories: [identity, contact]}\n"
    "  news: {basis: consent, channels: [email, post], categories: [contact, device]}\n"
    "never: {prospecting: {purposes: [prospecting], says: {en: never, fr: jamais}}}\n"
    "retention: {former: {from: collection, active: 1y}}\n"
    "systems: {app: {purposes: [service, news], acts: [read, write, send, consent, export, erase]}}\n"
    "consent: {expires: 12mo}\n"
    "roles: {support: {sees: all, purposes: [service], acts: [read], reason: required}}\n"
    "recipients: none\n";

static const struct json *parse(struct fixture *f, const char *s)
{
    const struct json *v = NULL;
    assert_int_equal(json_parse(&f->arena, text_of(s), &v), OK);
    return v;
}

static text created(struct fixture *f, const char *email)
{
    struct answer out = { 0 };
    text body = arena_print(
        &f->arena,
        "{\"source\":\"person\",\"data\":{\"identity\":{\"first_name\":\"Ada\"},\"contact\":{\"email\":\"%s\"}}}",
        email);
    const struct json *in = NULL;
    assert_int_equal(json_parse(&f->arena, body, &in), OK);
    assert_int_equal(subject_create(&f->c, in, &out), OK);
    assert_int_equal(out.version, 1);
    return out.id;
}

static void create_and_read(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = created(f, "Ada@Example.org");
    assert_int_equal(subject_read(&f->c, id, TEXT("service"), (text){ NULL, 0 }, &out), OK);
    assert_true(
        text_find(
            out.body,
            TEXT("\"data\":{\"identity\":{\"first_name\":\"Ada\"},\"contact\":{\"email\":\"Ada@Example.org\"}}")) > 0);
    assert_int_equal(
        subject_lookup(
            &f->c, parse(f, "{\"identifier\":{\"contact.email\":\"ada@example.org\"},\"purpose\":\"service\"}"), &out),
        OK);
    assert_true(text_find(out.body, id) > 0);
    assert_int_equal(
        subject_create(
            &f->c,
            parse(
                f,
                "{\"source\":\"person\",\"data\":{\"identity\":{\"first_name\":\"B\"},\"contact\":{\"email\":\"ADA@example.org\"}}}"),
            &out),
        ERR_CONFLICT);
}

/* A role that must say why is refused without a reason; with one, the person reads it, and nobody else does. */
static void looks_with_reason(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = created(f, "why@example.org"), why = TEXT("ticket 42: cannot sign in");
    struct actor app = f->c.actor;
    f->c.actor = (struct actor){ .kind = ACTOR_STAFF,
                                 .index = policy_actor(f->c.policy, TEXT("support")),
                                 .name = TEXT("support") };
    const struct json *lookup = parse(
        f, "{\"identifier\":{\"contact.email\":\"why@example.org\"},\"purpose\":\"service\"}");
    assert_int_equal(subject_read(&f->c, id, TEXT("service"), (text){ NULL, 0 }, &out), ERR_REASON);
    assert_true(text_eq(f->arena.why.clause->path, TEXT("roles.support.reason")));
    assert_int_equal(subject_lookup(&f->c, lookup, &out), ERR_REASON);
    assert_int_equal(look_reason(&f->c, TEXT("   ")), OK);
    assert_int_equal(subject_read(&f->c, id, TEXT("service"), (text){ NULL, 0 }, &out), ERR_REASON);
    assert_int_equal(look_reason(&f->c, TEXT("two\nlines")), ERR_VALUE);
    assert_int_equal(look_reason(&f->c, TEXT("card 4111 1111 1111 1111")), ERR_CARD_NUMBER);
    assert_int_equal(look_reason(&f->c, why), OK);
    assert_int_equal(subject_read(&f->c, id, TEXT("service"), (text){ NULL, 0 }, &out), OK);
    assert_int_equal(subject_lookup(&f->c, lookup, &out), OK);
    f->c.actor = app;
    assert_int_equal(access_answer(&f->c, id, &out), OK);
    assert_true(text_find(out.body, TEXT("\"act\":\"read\",\"actor\":\"support\",\"purpose\":\"service\"")) > 0);
    assert_true(text_find(out.body, why) > 0);
    assert_true(text_find(out.body, TEXT("\"clause\":\"roles.support.reason\",\"outcome\":\"refused\"")) > 0);
}

static void refusals(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = created(f, "r@example.org");
    assert_int_equal(subject_read(&f->c, id, TEXT("prospecting"), (text){ NULL, 0 }, &out), ERR_PURPOSE);
    assert_true(text_eq(f->arena.why.clause->path, TEXT("never.prospecting")));
    assert_int_equal(subject_read(&f->c, id, TEXT("marketing"), (text){ NULL, 0 }, &out), ERR_PURPOSE);
    assert_true(text_eq(f->arena.why.clause->path, TEXT("purposes")));
    assert_int_equal(subject_read(&f->c, id, TEXT("service"), TEXT("device"), &out), ERR_PURPOSE);
    assert_int_equal(subject_read(&f->c, id, TEXT("news"), (text){ NULL, 0 }, &out), ERR_CONSENT);
    f->c.if_match = 1;
    assert_int_equal(subject_patch(&f->c, id, parse(f, "{\"device\":{\"id\":\"x\"}}"), TEXT(""), TEXT(""), &out),
                     ERR_CONSENT);
    assert_int_equal(
        subject_patch(&f->c, id, parse(f, "{\"identity\":{\"nickname\":\"x\"}}"), TEXT(""), TEXT(""), &out),
        ERR_UNDECLARED);
    assert_int_equal(
        subject_patch(&f->c, id, parse(f, "{\"contact\":{\"payer\":\"company\"}}"), TEXT(""), TEXT(""), &out),
        ERR_MISSING);
    assert_int_equal(subject_patch(&f->c, id, parse(f, "{\"contact\":{\"vat\":\"FR1\"}}"), TEXT(""), TEXT(""), &out),
                     ERR_UNDECLARED);
    assert_int_equal(subject_patch(&f->c, id, parse(f, "{\"identity\":{\"first_name\":\"4111 1111 1111 1111\"}}"),
                                   TEXT(""), TEXT(""), &out),
                     ERR_CARD_NUMBER);
    f->c.if_match = 0;
}

static void rectify(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = created(f, "old@example.org");
    assert_int_equal(subject_patch(&f->c, id, parse(f, "{}"), TEXT(""), TEXT(""), &out), ERR_PRECONDITION_REQUIRED);
    f->c.if_match = 1;
    assert_int_equal(
        subject_patch(&f->c, id,
                      parse(f, "{\"contact\":{\"email\":\"new@example.org\"},\"identity\":{\"last_name\":\"L\"}}"),
                      TEXT(""), TEXT(""), &out),
        OK);
    assert_true(text_find(out.body, TEXT("\"changed\":[\"contact.email\",\"identity.last_name\"]")) > 0);
    assert_int_equal(
        subject_patch(&f->c, id, parse(f, "{\"contact\":{\"email\":\"x@example.org\"}}"), TEXT(""), TEXT(""), &out),
        ERR_PRECONDITION);
    assert_int_equal(subject_former(&f->c, id, &all_rows, &out), OK);
    assert_true(text_find(out.body, TEXT("\"value\":\"old@example.org\"")) > 0);
    assert_true(text_find(out.body, TEXT("\"until\":\"2")) > 0);
    created(f, "old@example.org"); /* the former address is free again */
    f->c.if_match = 0;
}

static void consents(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = created(f, "c@example.org");
    assert_int_equal(consent_record(&f->c, id, parse(f, "{\"purpose\":\"news\",\"decision\":\"given\"}"), &out),
                     ERR_MISSING);
    assert_int_equal(consent_record(&f->c, id, parse(f, "{\"purpose\":\"service\",\"decision\":\"given\"}"), &out),
                     ERR_VALUE);
    assert_int_equal(
        consent_record(
            &f->c, id,
            parse(f, "{\"purpose\":\"news\",\"channel\":\"email\",\"decision\":\"given\",\"wording\":\"Yes\"}"), &out),
        OK);
    assert_int_equal(subject_read(&f->c, id, TEXT("news"), TEXT("contact"), &out), OK);
    assert_int_equal(
        consent_record(
            &f->c, id,
            parse(
                f,
                "[{\"purpose\":\"news\",\"channel\":\"email\",\"decision\":\"withdrawn\"},{\"purpose\":\"news\",\"channel\":\"post\",\"decision\":\"refused\"}]"),
            &out),
        OK);
    assert_int_equal(subject_read(&f->c, id, TEXT("news"), TEXT("contact"), &out), ERR_CONSENT);
    assert_int_equal(consent_list(&f->c, id, &all_rows, &out), OK);
    assert_true(text_find(out.body, TEXT("\"live\":[]")) > 0);
    assert_true(text_find(out.body, TEXT("withdrawn")) > text_find(out.body, TEXT("given")));
}

/* An unchanged decision again is one row that counts; changes beyond the budget are refused, and withdrawing never is
 * (GDPR 7(3)). */
static void decisions_repeated(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = created(f, "r@example.org");
    static const char
        given[] = "{\"purpose\":\"news\",\"channel\":\"email\",\"decision\":\"given\",\"wording\":\"Yes\"}";
    static const char withdrawn[] = "{\"purpose\":\"news\",\"channel\":\"email\",\"decision\":\"withdrawn\"}";
    for (int i = 0; i < 40; i++)
        assert_int_equal(consent_record(&f->c, id, parse(f, given), &out), OK);
    assert_int_equal(consent_list(&f->c, id, &all_rows, &out), OK);
    const struct json *v = parse(f, arena_copy(&f->arena, out.body).p);
    assert_int_equal(json_get(v, TEXT("consents"))->count, 1);
    assert_true(text_eq(json_get(json_get(v, TEXT("consents"))->first, TEXT("times"))->value, TEXT("40")));
    assert_true(json_text(json_get(v, TEXT("consents"))->first, TEXT("last_at")).n > 0);
    /* Another wording is another consent. */
    assert_int_equal(
        consent_record(
            &f->c, id,
            parse(f, "{\"purpose\":\"news\",\"channel\":\"email\",\"decision\":\"given\",\"wording\":\"Yes!\"}"), &out),
        OK);
    enum err status = OK;
    int changes = 0;
    for (; status == OK && changes < 2000; changes++) {
        assert_int_equal(consent_record(&f->c, id, parse(f, withdrawn), &out), OK);
        status = consent_record(&f->c, id, parse(f, given), &out);
    }
    assert_int_equal(status, ERR_TOO_MANY);
    assert_true(f->arena.why.retry > 0 && changes > 100 && changes < 1000);
    assert_int_equal(consent_record(&f->c, id, parse(f, withdrawn), &out), OK);
    assert_int_equal(subject_read(&f->c, id, TEXT("news"), TEXT("contact"), &out), ERR_CONSENT);
    f->c.now += DAY + SECOND;
    assert_int_equal(consent_record(&f->c, id, parse(f, given), &out), OK);
}

/* A consent to one channel is none to another, and none for longer than the policy says. */
static void consents_by_channel_and_time(void **state)
{
    struct fixture *f = *state;
    struct answer out = { 0 };
    text id = arena_copy(&f->arena, created(f, "d@example.org"));
    assert_int_equal(consent_record(&f->c, id,
                                    parse(f, "{\"purpose\":\"news\",\"channel\":\"email\",\"decision\":\"given\"}"),
                                    &out),
                     OK);
    const struct {
        const char *channel;
        enum err right;
    } sends[] = { { ",\"channel\":\"email\"", OK },
                  { ",\"channel\":\"post\"", ERR_CONSENT },
                  { ",\"channel\":\"fax\"", ERR_PURPOSE },
                  { "", ERR_MISSING } };
    for (size_t i = 0; i < sizeof sends / sizeof *sends; i++) {
        char ask[256];
        snprintf(ask, sizeof ask, "{\"subject\":\"%.*s\",\"purpose\":\"news\",\"act\":\"send\"%s}", T(id),
                 sends[i].channel);
        assert_int_equal(subject_decide(&f->c, parse(f, ask), &out), sends[i].right);
    }
    fixture_ahead(f, 364 * DAY);
    assert_int_equal(subject_read(&f->c, id, TEXT("news"), TEXT("contact"), &out), OK);
    fixture_ahead(f, 2 * DAY);
    assert_int_equal(subject_read(&f->c, id, TEXT("news"), TEXT("contact"), &out), ERR_CONSENT);
    static const char again[] =
        "{\"purpose\":\"news\",\"channel\":\"email\",\"decision\":\"given\"}"; /* the same once more: from then */
    assert_int_equal(consent_record(&f->c, id, parse(f, again), &out), OK);
    assert_int_equal(subject_read(&f->c, id, TEXT("news"), TEXT("contact"), &out), OK);
    fixture_ahead(f, 366 * DAY);
    assert_int_equal(consent_list(&f->c, id, &all_rows, &out), OK);
    assert_true(text_find(out.body, TEXT("\"live\":[]")) > 0);
}

static void repeated(void **state)
{
    struct fixture *f = *state;
    struct answer first = { 0 }, again = { 0 };
    bool found;
    f->c.idempotency.key = TEXT("k-1");
    const struct json *in = parse(f, "{\"source\":\"person\",\"data\":{\"contact\":{\"email\":\"i@example.org\"}}}");
    assert_int_equal(idempotency_find(&f->c, &found, &again), OK);
    assert_false(found);
    assert_int_equal(subject_create(&f->c, in, &first), OK);
    assert_int_equal(idempotency_find(&f->c, &found, &again), OK);
    assert_true(found && text_eq(first.body, again.body) && text_eq(first.id, again.id));
    f->c.idempotency.request.b[0] ^= 1;
    assert_int_equal(idempotency_find(&f->c, &found, &again), ERR_CONFLICT);
    f->c.idempotency = (struct idempotency){ 0 };
}

static void tokens(void **state)
{
    struct fixture *f = *state;
    CTX_AUTO c;
    text token;
    assert_int_equal(token_create(&f->c, TEXT("t1"), TEXT("app"), TEXT(""), TEXT(""), 0, &token), OK);
    assert_int_equal(token_create(&f->c, TEXT("t1"), TEXT("app"), TEXT(""), TEXT(""), 0, &token), ERR_CONFLICT);
    assert_int_equal(token_create(&f->c, TEXT("t2"), TEXT("nobody"), TEXT(""), TEXT(""), 0, &token), ERR_UNDECLARED);
    assert_int_equal(token_create(&f->c, TEXT("t3"), TEXT("app"), TEXT(""), TEXT(""), 0, &token), OK);
    ctx_begin(f->app, &f->arena, &c);
    assert_int_equal(actor_by_token(&c, TEXT("garant_nonsense")), ERR_UNAUTHORISED);
    assert_int_equal(actor_by_token(&c, token), OK);
    assert_true(text_eq(c.actor.name, TEXT("app")) && text_eq(c.actor.token, TEXT("t3")));
    assert_int_equal(token_revoke(&f->c, TEXT("t3")), OK);
    assert_int_equal(actor_by_token(&c, token), ERR_UNAUTHORISED);
}

/* Whatever is written is an act of the journal, and each act takes from a budget or is said to take from none, and why.
 */
static void every_act_has_a_budget(void **state)
{
    static const text acts[] = {
#define EVENT(name, en, fr) TEXT_INIT(name),
#include "store/events.def"
#undef EVENT
    };
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        text why;
        int b = budget_of_act(acts[i], &why);
        if (b == -2 || (b == -1 && !why.n))
            fail_msg("the act %.*s has no row in budgets.def", T(acts[i]));
    }
    for (enum budget b = 0; b < BUDGETS; b++) {
        const struct budget_row *row = budget_row(b);
        assert_true(row->limit > 0 && row->unit > 0 && row->en.n && row->fr.n);
        assert_true(!row->within || row->limit < UINT16_MAX); /* what counts them holds no more */
    }
}

/* One person's are theirs alone, in either language, until the day is over; what ends something is never refused. */
static void a_day_is_spent(void **state)
{
    struct fixture *f = *state;
    struct write w = {
        .event = { .act = TEXT("subject.update"), .tenant = TEXT("t"), .subject = { { 1 } }, .has_subject = true }
    };
    f->c.now -= f->c.now % DAY;
    for (int64_t i = 0; i < budget_row(BUDGET_changes)->limit; i++)
        assert_int_equal(budget_spend(&f->c, &w), OK);
    assert_int_equal(budget_spend(&f->c, &w), ERR_TOO_MANY);
    assert_int_equal(f->c.arena->why.retry, DAY / SECOND + 1);
    assert_true(text_find(text_of(f->c.arena->why.detail), TEXT("at most 10000 entries")) >= 0);
    f->c.language = TEXT("fr");
    assert_int_equal(budget_spend(&f->c, &w), ERR_TOO_MANY);
    assert_true(text_find(text_of(f->c.arena->why.detail), TEXT("au plus 10000 entrées")) >= 0);
    w.truncate = true;
    assert_int_equal(budget_spend(&f->c, &w), OK);
    w.truncate = false;
    w.event.act = TEXT("rectify"); /* another act of the same budget */
    assert_int_equal(budget_spend(&f->c, &w), ERR_TOO_MANY);
    w.event.act = TEXT("disclosure");
    assert_int_equal(budget_spend(&f->c, &w), OK);
    w.event.act = TEXT("subject.update");
    w.event.subject.b[0] = 2;
    assert_int_equal(budget_spend(&f->c, &w), OK);
    w.event.subject.b[0] = 1;
    f->c.now += DAY;
    assert_int_equal(budget_spend(&f->c, &w), OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER(policy, create_and_read),
        OVER(policy, looks_with_reason),
        OVER(policy, refusals),
        OVER(policy, rectify),
        OVER(policy, consents),
        OVER(policy, decisions_repeated),
        OVER(policy, consents_by_channel_and_time),
        OVER(policy, repeated),
        OVER(policy, tokens),
        OVER(policy, every_act_has_a_budget),
        OVER(policy, a_day_is_spent),
    };
    return cmocka_run_group_tests_name("subject", tests, NULL, NULL);
}

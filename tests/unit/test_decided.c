/* Decided outside a write, asked again inside it: what somebody else had committed in between is never ignored. The
 * writer is held at a known point until what was decided stands in its queue; then the other's rows go first. */
#include "domain_fixture.h"
#include "built.h"
#include "domain/campaign/campaign.h"
#include "domain/core/actor.h"
#include "domain/core/written.h"
#include "domain/entry/address.h"
#include "domain/instance/token.h"
#include "domain/keep/erasing.h"
#include "domain/keep/hold.h"
#include "domain/mail/contact.h"
#include "domain/mail/outbox.h"
#include "domain/person/append.h"
#include "domain/person/consent.h"
#include "domain/person/held.h"
#include "domain/person/make.h"
#include "domain/person/permission.h"
#include "domain/person/person.h"
#include "domain/recipient/charter.h"
#include "domain/recipient/recipient.h"
#include "domain/rights/disclosure.h"
#include "domain/rights/objection.h"
#include "domain/usage/sums.h"
#include "domain/usage/usage.h"
#include "domain/account/session.h"
#include "domain/core/write.h"
#include <pthread.h>
#include <time.h>

static const char policy[] =
    "sources: {network: {title: {en: Network, fr: Réseau}, permission: true}}\n"
    "categories:\n"
    "  identity: {source: [person, network], fields: {name: {type: text}}}\n"
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"
    "  visits: {many: true, fields: {page: {type: text}}}\n"
    "  survey: {many: true, fields: {answer: {type: text}}}\n"
    "  clicks: {many: true, stream: usage, fields: {page: {type: text}}}\n"
    "purposes:\n"
    "  service: {basis: contract, categories: [identity, contact]}\n"
    "  measure: {basis: legitimate_interest, interest: {en: better pages, fr: de meilleures pages}, balancing: b1, categories: [visits]}\n"
    "  survey: {basis: consent, categories: [survey]}\n"
    "  improve: {basis: contract, categories: [clicks]}\n"
    "  sizing: {basis: legitimate_interest, interest: {en: room, fr: de la place}, balancing: b2, categories: [clicks]}\n"
    "capacity: {purpose: sizing, keep: 25mo}\n"
    "retention:\n"
    "  clicks: {from: event, active: 12mo}\n"
    "  visits: {from: event, active: 12mo}\n"
    "  accounts: {from: last_use, active: 2y}\n"
    "cookies: {sid: {kind: cookie, purpose: service, exempt: authentication, lifetime: session.idle}}\n"
    "systems:\n"
    "  app: {purposes: [service, measure, survey, improve, sizing], acts: [read, write, disclose, consent, export, erase]}\n"
    "roles: {support: {purposes: [service], acts: [read, write], second_factor: none, confidentiality: none}}\n"
    "recipients:\n"
    "  carrier: {name: Carrier SA, purposes: [service], categories: [contact], country: FR, processor: true, contract: 2026-01-01, charter: accepted}\n";

/* ---- The writer, held. ---- */

struct held {
    struct fixture *f;
    struct subject_id id;
    enum err (*change)(struct db *db, struct held *h);
    pthread_t thread;
    _Atomic bool entered;
    bool missed; /* nothing came to the queue: the act wrote nothing */
    const void *about;
    enum err status;
    struct arena arena;
};

enum { POLLS = 20000 };
static void moment_passes(void) { nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL); }

/* On the writer's own thread: what comes to the queue has been decided by then. */
static enum err run_held(struct db *db, struct write *w)
{
    struct held *h = w->arg;
    h->entered = true;
    for (int i = 0; store_figures(h->f->app->store).queue < 2 && i < POLLS; i++)
        moment_passes();
    h->missed = store_figures(h->f->app->store).queue < 2;
    return h->change(db, h);
}

static void *hold_writer(void *arg)
{
    struct held *h = arg;
    struct write w = { .run = run_held,
                       .arg = h,
                       .event = { .act = TEXT("subject.update"),
                                  .tenant = h->f->c.tenant,
                                  .subject = h->id,
                                  .has_subject = true,
                                  .actor = TEXT("app") } };
    h->status = store_write(h->f->app->store, &h->arena, &w);
    return NULL;
}

static void held_begin(struct held *h, struct fixture *f, text id, enum err (*change)(struct db *, struct held *))
{
    *h = (struct held){ .f = f, .change = change, .arena = arena_make(16 << 20) };
    assert_true(id_parse(id, &h->id));
    assert_int_equal(pthread_create(&h->thread, NULL, hold_writer, h), 0);
    while (!h->entered)
        moment_passes();
}

static void held_end(struct held *h)
{
    pthread_join(h->thread, NULL);
    assert_okay(&h->arena, h->status, "the other write", __LINE__);
    assert_false(h->missed);
    arena_free(&h->arena);
}

/* ---- What the other does. ---- */

static struct answer out;

static text tenant_of(const struct held *h) { return h->f->c.tenant; }

static enum err decides(struct db *db, struct held *h, const char *purpose, const char *channel, const char *decision)
{
    return db_run(db, SQL_CONSENT_ADD, NULL,
                  ARGS(V_TEXT(tenant_of(h)), V_ID(h->id), V_TEXT(text_of(purpose)), V_TEXT(text_of(channel)),
                       V_TEXT(text_of(decision)), V_INT(*h->f->clock), V_TEXT(TEXT("1.0")), V_NULL, V_NULL,
                       V_TEXT(TEXT("app")), V_NULL));
}
static enum err withdraws(struct db *db, struct held *h) { return decides(db, h, "survey", "", "withdrawn"); }
static enum err objects(struct db *db, struct held *h) { return decides(db, h, "measure", "objection", "objected"); }
static enum err objects_to_sizing(struct db *db, struct held *h)
{
    return decides(db, h, "sizing", "objection", "objected");
}
static enum err lifts(struct db *db, struct held *h) { return decides(db, h, "measure", "objection", "lifted"); }
static enum err ends_source(struct db *db, struct held *h) { return decides(db, h, "network", "source", "withdrawn"); }

static enum err changes_policy(struct db *db, struct held *h)
{
    text hash = TEXT("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    TRY(db_run(db, SQL_POLICY_VERSION_ADD, NULL,
               ARGS(V_TEXT(hash), V_TEXT(TEXT("other")), V_TEXT(TEXT("2.0")), V_TEXT(TEXT("2026-01-01")),
                    V_INT(*h->f->clock), V_TEXT(TEXT("policy: {}")))));
    return db_run(db, SQL_META_PUT, NULL, ARGS(V_TEXT(TEXT("policy")), V_TEXT(hash)));
}

static enum err ends_charter(struct db *db, struct held *h)
{
    return db_run(db, SQL_CHARTER_END, NULL,
                  ARGS(V_TEXT(tenant_of(h)), V_TEXT(TEXT("carrier")), V_INT(*h->f->clock), V_INT(*h->f->clock + DAY)));
}

static enum err revokes_links(struct db *db, struct held *h)
{
    struct subject_id id;
    if (!id_parse(text_at(parsed(h->f, out.body), "id"), &id))
        return ERR_INTERNAL;
    return db_run(db, SQL_RECIPIENT_LINK_REVOKE, NULL,
                  ARGS(V_TEXT(tenant_of(h)), V_TEXT(TEXT("carrier")), V_ID(id), V_INT(*h->f->clock)));
}

static enum err restricts(struct db *db, struct held *h)
{
    return db_run(db, SQL_SUBJECT_RESTRICT, NULL, ARGS(V_TEXT(tenant_of(h)), V_ID(h->id), V_INT(1)));
}

static enum err closes(struct db *db, struct held *h)
{
    return keeping_run_close(db, h->f->c.policy, tenant_of(h), h->id, *h->f->clock);
}

static enum err holds(struct db *db, struct held *h, const char *category)
{
    text ground;
    TRY(written_seal(db_store(db), db_arena(db), tenant_of(h), TEXT("hold"), TEXT("dispute 7"), &ground));
    return db_run(db, SQL_HOLD_ADD, NULL,
                  ARGS(V_TEXT(tenant_of(h)), V_ID(h->id), V_ID(h->id), V_TEXT(text_of(category)), V_TEXT(ground),
                       V_INT(*h->f->clock), V_NULL));
}
static enum err holds_visits(struct db *db, struct held *h) { return holds(db, h, "visits"); }
static enum err holds_all(struct db *db, struct held *h) { return holds(db, h, "*"); }

static enum err revokes(struct db *db, struct held *h)
{
    return db_run(db, SQL_TOKEN_REVOKE, NULL, ARGS(V_TEXT(tenant_of(h)), V_TEXT(TEXT("till")), V_INT(*h->f->clock)));
}

static enum err signs_out(struct db *db, struct held *h) { return session_run_end_all(db, tenant_of(h), h->id, NULL); }

static enum err promotes(struct db *db, struct held *h)
{
    return db_run(db, SQL_ACCOUNT_ROLE, NULL, ARGS(V_TEXT(tenant_of(h)), V_ID(h->id), V_TEXT(TEXT("support"))));
}

/* ---- What was decided meanwhile, by the same request as its write. ---- */

static enum err answers_survey(struct fixture *f, text id)
{
    return subject_add_record(&f->c, id, TEXT("survey"), js(f, "{'fields':{'answer':'planted'}}"), &out);
}

static enum err visits(struct fixture *f, text id)
{
    return subject_add_record(&f->c, id, TEXT("visits"), js(f, "{'purpose':'measure','fields':{'page':'planted'}}"),
                              &out);
}

static enum err clicks(struct fixture *f, text id)
{
    const struct json *in = js(f, "{'events':{'id':'one','subject':'%.*s','fields':{'page':'planted'}}}", T(id));
    return usage_take(&f->c, in, &out);
}

static enum err renames(struct fixture *f, text id)
{
    f->c.if_match = -1;
    return subject_patch(&f->c, id, js(f, "{'identity':{'name':'planted'}}"), TEXT("person"), TEXT(""), &out);
}

static enum err discloses(struct fixture *f, text id)
{
    return disclosure_make(&f->c, id, js(f, "{'recipient':'carrier','purpose':'service','categories':['contact']}"),
                           &out);
}

static enum err accepts(struct fixture *f, text id)
{
    struct answer own = { 0 };
    (void)id;
    OKAY(charter_own(&f->c, &own));
    const struct json *said = parsed(f, own.body);
    return charter_accept(&f->c,
                          js(f, "{'read':'yes','name':'Ana Souza','version':'%.*s','hash':'%.*s','language':'%.*s'}",
                             T(json_text(said, TEXT("version"))), T(json_text(said, TEXT("hash"))),
                             T(json_text(said, TEXT("language")))),
                          TEXT("link"), &own);
}

static enum err forgets_visits(struct fixture *f, text id)
{
    return subject_drop_record(&f->c, id, TEXT("visits"), (text){ NULL, 0 }, &out);
}

static enum err overrides(struct fixture *f, text id)
{
    return objection_decide(&f->c, id, TEXT("measure"), js(f, "{'decision':'overridden','reason':'fraud'}"), &out);
}

static enum err arrives(struct fixture *f, text id)
{
    struct arrival in = { .data = js(f, "{'identity':{'name':'planted'}}") };
    PERSON_AUTO p = { 0 };
    struct permission kept;
    TRY(person_open(&f->c, id, false, &p));
    TRY(permission_take(&f->c, &p, false, (struct source_taken){ .name = TEXT("network") }, NULL, &in, &kept));
    struct write w = { .event = event_of(&f->c, &p, TEXT("subject.update")) };
    return write_do(&f->c, &w, NULL);
}

static enum err erases(struct fixture *f, text id)
{
    (void)id;
    return retention_sweep(&f->c, &out);
}

/* ---- Who asks. ---- */

static void by_app(struct fixture *f, text id)
{
    (void)id;
    fixture_as(f, "app");
}

static void to_accepted(struct fixture *f, text id)
{
    charter_accepted(f, "carrier");
    by_app(f, id);
}

static void by_link(struct fixture *f, text id)
{
    (void)id;
    fixture_as(f, "operator");
    OKAY(recipient_link(&f->c, TEXT("carrier"), js(f, "{}"), &out));
    text link = text_at(parsed(f, out.body), "link"), begins = TEXT("token=");
    ptrdiff_t at = text_find(link, begins);
    assert_true(at > 0);
    OKAY(recipient_by_link(&f->c, text_from(link, (size_t)at + begins.n)));
}

static void by_token(struct fixture *f, text id)
{
    text secret;
    (void)id;
    fixture_as(f, "operator");
    OKAY(token_create(&f->c, TEXT("till"), TEXT("app"), TEXT(""), TEXT(""), *f->clock + DAY, &secret));
    OKAY(actor_by_token(&f->c, secret));
}

static void by_session(struct fixture *f, text id)
{
    text secret = signed_in(f, id);
    OKAY(session_by_secret(&f->c, secret));
    session_as_person(&f->c);
}

/* ---- All of it. ---- */

struct race {
    const char *what;
    void (*as)(struct fixture *f, text id);
    enum err (*change)(struct db *db, struct held *h);
    enum err (*act)(struct fixture *f, text id);
    enum err refused;
    const char *table, *where;
    int rows; /* that match, after an act that was refused */
};
static const struct race races[] = {
    { "consent", by_app, withdraws, answers_survey, ERR_CONSENT, "record", "category = 'survey'", 0 },
    { "objection", by_app, objects, visits, ERR_PURPOSE, "record", "category = 'visits'", 1 },
    { "restriction", by_app, restricts, visits, ERR_PURPOSE, "record", "category = 'visits'", 1 },
    { "restriction", to_accepted, restricts, discloses, ERR_PURPOSE, "disclosure", "", 0 },
    { "objection to its counting", by_app, objects_to_sizing, clicks, ERR_PURPOSE, "load", "", 0 },
    { "closing", by_app, closes, renames, ERR_NOT_FOUND, "former", "", 0 },
    { "closing", to_accepted, closes, discloses, ERR_NOT_FOUND, "disclosure", "", 0 },
    { "end of the charter", to_accepted, ends_charter, discloses, ERR_FORBIDDEN, "disclosure", "", 0 },
    { "another policy", by_link, changes_policy, accepts, ERR_CONFLICT, "charter_acceptance", "", 0 },
    { "end of the link", by_link, revokes_links, accepts, ERR_NOT_FOUND, "charter_acceptance", "", 0 },
    { "hold", by_app, holds_visits, forgets_visits, ERR_CONFLICT, "record", "category = 'visits'", 1 },
    { "decision", by_app, lifts, overrides, ERR_NOT_FOUND, "consent", "decision = 'overridden'", 0 },
    { "permission", by_app, ends_source, arrives, ERR_CONSENT, "consent", "channel = 'source'", 2 },
    { "token", by_token, revokes, renames, ERR_UNAUTHORISED, "former", "", 0 },
    { "session", by_session, signs_out, renames, ERR_UNAUTHORISED, "former", "", 0 },
    { "role", by_session, promotes, renames, ERR_UNAUTHORISED, "former", "", 0 },
};

static text lives(struct fixture *f)
{
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'Ada'}");
    record_added(f, id, "visits", "{'page':'/one'}");
    OKAY(consent_record(&f->c, id, js(f, "{'purpose':'survey','decision':'given','wording':'A survey'}"), &out));
    OKAY(permission_set(&f->c, id, TEXT("network"), NULL, &out));
    return id;
}

static void try_race(struct fixture *f, const struct race *r)
{
    struct held h;
    text id = lives(f);
    if (r->act == overrides)
        OKAY(objection_set(&f->c, id, TEXT("measure"), true, &out));
    fixture_ahead(f, 0);
    r->as(f, id);
    held_begin(&h, f, id, r->change);
    enum err status = r->act(f, id);
    held_end(&h);
    if (status != r->refused)
        fail_msg("%s: %.*s: %s", r->what, T(err_row(status)->slug), f->arena.why.detail);
    if (rows_of(f, r->table, r->where) != r->rows)
        fail_msg("%s: %d rows of %s where %s", r->what, (int)rows_of(f, r->table, r->where), r->table, r->where);
}

static void what_came_between_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof races / sizeof *races; i++) {
        struct fixture f;
        fixture_open(&f, policy);
        try_race(&f, &races[i]);
        f.c.session = NULL;
        fixture_close(&f);
    }
}

/* The same acts with nothing between: what is refused above is refused for what came. */
static enum err nothing(struct db *db, struct held *h)
{
    (void)db, (void)h;
    return OK;
}

static void nothing_between_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof races / sizeof *races; i++) {
        struct race same = races[i];
        struct fixture f;
        struct held h;
        fixture_open(&f, policy);
        text id = lives(&f);
        if (same.act == overrides)
            assert_okay(&f.arena, objection_set(&f.c, id, TEXT("measure"), true, &out), same.what, __LINE__);
        fixture_ahead(&f, 0);
        same.as(&f, id);
        held_begin(&h, &f, id, nothing);
        assert_okay(&f.arena, same.act(&f, id), same.what, __LINE__);
        held_end(&h);
        f.c.session = NULL;
        fixture_close(&f);
    }
}

/* ---- The sweep. ---- */

/* Who is due is held, or restricted, after the sweep has found them: the erasure that was decided does not come about.
 */
static void sweep_meets(struct fixture *f, enum err (*change)(struct db *, struct held *))
{
    struct held h;
    text id = person_made(f, "ada@example.org", ",'identity':{'name':'Ada'}");
    fixture_at(f, "2028-01-11T08:00:00Z");
    held_begin(&h, f, id, change);
    OKAY(erase_at_term(&f->c, h.id));
    held_end(&h);
    assert_int_equal(rows_of(f, "subject", "state = 0"), 1);
    assert_int_equal(rows_of(f, "record", "class = 0"), 2);
    assert_int_equal(rows_of(f, "certificate", ""), 0);
    assert_int_equal(int_at(swept(f), "people"), 0);
    assert_int_equal(rows_of(f, "record", ""), 2);
}

static void sweep_meets_a_restriction(void **state) { sweep_meets(*state, restricts); }
static void sweep_meets_a_hold(void **state) { sweep_meets(*state, holds_all); }

/* What the sweep of things decided meets a hold too. */
static void sweep_of_things_meets_a_hold(void **state)
{
    struct fixture *f = *state;
    struct held h;
    text id = lives(f);
    swept(f); /* what it does once is done */
    fixture_at(f, "2027-02-11T08:00:00Z");
    held_begin(&h, f, id, holds_visits);
    OKAY(erases(f, id));
    held_end(&h);
    assert_int_equal(rows_of(f, "record", "category = 'visits'"), 1);
    fixture_at(f, "2027-02-12T08:00:00Z");
    OKAY(hold_release(&f->c, id, id, &out));
    assert_int_equal(int_at(swept(f), "erased.visits"), 1);
}

/* Held before anything is looked at: whoever calls for the end of a term finds it stopped. */
static void term_of_who_is_held(void **state)
{
    struct fixture *f = *state;
    struct subject_id whom;
    text id = person_made(f, "ada@example.org", "");
    OKAY(hold_create(&f->c, id, js(f, "{'category':'*','ground':'dispute 7'}"), &out));
    fixture_at(f, "2028-01-11T08:00:00Z");
    assert_true(id_parse(id, &whom));
    OKAY(erase_at_term(&f->c, whom));
    assert_int_equal(rows_of(f, "subject", "state = 0"), 1);
    assert_int_equal(rows_of(f, "certificate", ""), 0);
}

/* ---- A marketing email, which leaves by itself: what came before the write that marks it keeps it. ---- */

static const char news[] = "categories:\n"
                           "  contact: {fields: {email: {type: email, identifier: true}}}\n"
                           "purposes:\n"
                           "  service: {basis: contract, categories: [contact]}\n"
                           "  news: {basis: consent, channels: [email], categories: [contact]}\n"
                           "systems: {app: {purposes: [service, news], acts: [read, write, send, consent, erase]}}\n"
                           "retention: {accounts: {from: last_use, active: 2y}}\n"
                           "recipients: none\n";

static enum err unsubscribes(struct db *db, struct held *h) { return decides(db, h, "news", "email", "withdrawn"); }

static enum err stops(struct db *db, struct held *h)
{
    return db_run(db, SQL_CAMPAIGN_HALT, NULL,
                  ARGS(V_TEXT(tenant_of(h)), V_ID(*(const struct subject_id *)h->about), V_TEXT(TEXT("stopped")),
                       V_NULL, V_INT(0), V_NULL));
}

static void letter_meets(enum err (*change)(struct db *, struct held *), bool goes)
{
    struct fixture opened, *f = &opened;
    struct held h;
    struct outbox_letter *letter;
    struct subject_id campaign;
    fixture_open(f, news);
    text id = person_made(f, "ada@example.org", "");
    fixture_as(f, "app");
    OKAY(consent_record(&f->c, id, js(f, "{'purpose':'news','channel':'email','decision':'given'}"), &out));
    OKAY(campaign_make(
        &f->c, js(f, "{'name':'n','purpose':'news','subject':{'fr':'s','en':'s'},'text':{'fr':'t','en':'t'}}"), &out));
    text made = out.id;
    assert_true(id_parse(made, &campaign));
    OKAY(campaign_count(&f->c, made, &out));
    OKAY(campaign_steer(&f->c, made, js(f, "{'do':'start'}"), &out));
    fixture_ahead(f, 0);
    held_begin(&h, f, id, change);
    h.about = &campaign;
    enum err status = campaign_feature.leaves(&f->c, TEXT("email"), NULL, &letter);
    held_end(&h);
    assert_okay(&f->arena, status, "leaves", __LINE__);
    assert_int_equal(letter != NULL, goes);
    assert_int_equal(rows_of(f, "campaign_letter", ""), goes);
    fixture_close(f);
}

static void letter_meets_what_keeps_it(void **state)
{
    (void)state;
    letter_meets(nothing, true);
    letter_meets(unsubscribes, false);
    letter_meets(restricts, false);
    letter_meets(closes, false);
    letter_meets(stops, false);
}

/* ---- A call, which staff make: the same keeps a person from being handed to them. ---- */

static const char calls[] = "categories:\n"
                            "  contact: {fields: {email: {type: email, identifier: true}}}\n"
                            "  line: {fields: {phone: {type: phone}}}\n"
                            "purposes:\n"
                            "  service: {basis: contract, categories: [contact, line]}\n"
                            "  news: {basis: consent, channels: [phone], categories: [contact, line]}\n"
                            "systems: {app: {purposes: [service, news], acts: [read, write, send, consent, erase]}}\n"
                            "retention: {accounts: {from: last_use, active: 2y}}\n"
                            "recipients: none\n";

static enum err hangs_up(struct db *db, struct held *h) { return decides(db, h, "news", "phone", "withdrawn"); }

static void call_meets(enum err (*change)(struct db *, struct held *), bool goes)
{
    struct fixture opened, *f = &opened;
    struct held h;
    struct subject_id campaign;
    fixture_open(f, calls);
    text id = person_made(f, "ada@example.org", ",'line':{'phone':'+33611110001'}");
    fixture_as(f, "app");
    OKAY(consent_record(&f->c, id, js(f, "{'purpose':'news','channel':'phone','decision':'given'}"), &out));
    OKAY(campaign_make(&f->c,
                       js(f, "{'name':'n','purpose':'news','channel':'phone','subject':{'fr':'s','en':'s'},"
                             "'text':{'fr':'t','en':'t'}}"),
                       &out));
    text made = out.id;
    assert_true(id_parse(made, &campaign));
    OKAY(campaign_count(&f->c, made, &out));
    OKAY(campaign_steer(&f->c, made, js(f, "{'do':'start'}"), &out));
    held_begin(&h, f, id, change);
    h.about = &campaign;
    enum err status = campaign_hand_out(&f->c, made, js(f, "{}"), &out);
    held_end(&h);
    if (change != stops)
        assert_okay(&f->arena, status, "hand_out", __LINE__);
    assert_int_equal(rows_of(f, "campaign_letter", ""), goes);
    fixture_close(f);
}

static void call_meets_what_keeps_it(void **state)
{
    (void)state;
    call_meets(nothing, true);
    call_meets(hangs_up, false);
    call_meets(restricts, false);
    call_meets(closes, false);
    call_meets(stops, false);
}

/* ---- Sums of a month, which the jobs make: whoever may no longer be counted, or has other events by then, has none.
 */

static const char uses[] =
    "categories:\n"
    "  contact: {fields: {email: {type: email, identifier: true}}}\n"
    "  clicks: {many: true, stream: usage, fields: {page: {type: text}}}\n"
    "purposes:\n"
    "  service: {basis: contract, categories: [contact]}\n"
    "  measure: {basis: legitimate_interest, interest: {en: better pages, fr: de meilleures pages}, balancing: b1, categories: [clicks]}\n"
    "systems: {app: {purposes: [service, measure], acts: [read, write, consent, erase]}}\n"
    "retention: {clicks: {from: event, active: 12mo}, accounts: {from: last_use, active: 2y}}\n"
    "recipients: none\n";

/* Another event joins those of its block. */
static enum err joins(struct db *db, struct held *h)
{
    struct val tenant = V_TEXT(tenant_of(h)), category = V_TEXT(TEXT("clicks"));
    QUERY_AUTO q;
    query_start(&q, db, SQL_USAGE_OF, ARGS(tenant, V_ID(h->id), category, V_INT(0), V_INT(*h->f->clock)));
    if (!query_next(&q))
        return ERR_INTERNAL;
    return db_run(db, SQL_RECORD_PUT, NULL,
                  ARGS(tenant, V_ID(h->id), category, V_INT(query_get(&q, USAGE_OF, item)),
                       V_INT(query_get(&q, USAGE_OF, version) + 1), V_SEALED(query_get(&q, USAGE_OF, sealed)), V_NULL,
                       V_INT(query_get(&q, USAGE_OF, at)), V_INT(query_get(&q, USAGE_OF, due)), V_INT(0),
                       V_INT(query_get(&q, USAGE_OF, class))));
}

static enum err loses_events(struct db *db, struct held *h)
{
    return db_run(db, SQL_RECORD_DROP_OF, NULL, ARGS(V_TEXT(tenant_of(h)), V_ID(h->id), V_TEXT(TEXT("clicks"))));
}

/* The whole person is erased. */
static enum err is_erased(struct db *db, struct held *h)
{
    return db_run(db, SQL_ERASE_subject, NULL, ARGS(V_TEXT(tenant_of(h)), V_ID(h->id)));
}

static void sums_meet(enum err (*change)(struct db *, struct held *), bool of_first)
{
    struct fixture opened, *f = &opened;
    struct held h;
    bool more;
    fixture_open(f, uses);
    text id = person_made(f, "ada@example.org", ""), other = person_made(f, "bea@example.org", "");
    fixture_as(f, "app");
    OKAY(clicks(f, id));
    OKAY(clicks(f, other));
    fixture_at(f, "2026-02-02T08:00:00Z");
    f->c.actor = (struct actor){ .kind = ACTOR_NOBODY, .index = -1, .name = TEXT("garant") };
    held_begin(&h, f, id, change);
    enum err status = sums_tick(&f->c, &more);
    held_end(&h);
    assert_okay(&f->arena, status, "sums", __LINE__);
    assert_true(more);
    assert_int_equal(rows_of(f, "usage_month", ""), 1 + of_first);
    OKAY(sums_tick(&f->c, &more));
    assert_false(more);
    fixture_close(f);
}

static void sums_meet_what_came_between(void **state)
{
    (void)state;
    sums_meet(nothing, true);
    sums_meet(joins, false);
    sums_meet(loses_events, false);
    sums_meet(objects, false);
    sums_meet(restricts, false);
    sums_meet(closes, false);
    sums_meet(is_erased, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letter_meets_what_keeps_it),
        cmocka_unit_test(call_meets_what_keeps_it),
        cmocka_unit_test(sums_meet_what_came_between),
        cmocka_unit_test(what_came_between_decides),
        cmocka_unit_test(nothing_between_changes_nothing),
        OVER(policy, sweep_meets_a_restriction),
        OVER(policy, sweep_meets_a_hold),
        OVER(policy, sweep_of_things_meets_a_hold),
        OVER(policy, term_of_who_is_held),
    };
    return cmocka_run_group_tests_name("decided", tests, NULL, NULL);
}

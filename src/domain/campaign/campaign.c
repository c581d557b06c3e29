/* Campaigns: written, listed, shown, counted, tried, started, paused and stopped. */
#include "domain/campaign/inside.h"
#include "domain/core/actor.h"
#include "domain/core/budget.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/look.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/mail/mail.h"
#include "domain/mail/texts.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"

enum { NAME_MOST = 100, BODY_MAX = 256 << 10, WALK = 500, PACE_MOST = 1000000, MIN_GROUP = 10 };
static const text table = TEXT_INIT("campaign");

/* ---- Who may. ---- */

static struct decision decide(const struct ctx *c, const struct purpose *p, enum act act)
{
    const struct bits all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    struct ask ask = actor_ask(c, (int)(p - c->policy->purposes), -1, act);
    ask.consents = &all;
    return policy_decide(c->policy, &ask);
}

bool campaign_would(const struct ctx *c, const struct purpose *p, enum act act)
{
    return decide(c, p, act).verdict == ALLOWED && !person_sees_team(c);
}

enum err campaign_may(struct ctx *c, const struct purpose *p, enum act act)
{
    struct decision d = decide(c, p, act);
    if (campaign_would(c, p, act))
        return OK;
    bool actor = d.verdict == REFUSED_ACTOR || d.verdict == REFUSED_ACT || d.verdict == REFUSED_CONFIDENTIALITY;
    if (d.verdict == ALLOWED)
        say_clause(c->arena, ERR_FORBIDDEN, &c->policy->actors[c->actor.index].clause,
                   "who sees a team only writes to no others");
    else
        say_clause(c->arena, actor ? ERR_FORBIDDEN : ERR_PURPOSE, d.clause, "%.*s (purpose \"%.*s\")",
                   T(verdict_text(d.verdict, c->language)), T(p->name));
    return write_refusal(c, NULL, p->name, TEXT(""));
}

static bool has_channel(const struct purpose *p, text channel)
{
    for (unsigned i = 0; i < p->channel_count; i++)
        if (text_eq(p->channels[i], channel))
            return true;
    return false;
}

enum err campaign_purpose(struct ctx *c, text name, text channel, const struct purpose **out)
{
    int index = policy_purpose(c->policy, name);
    if (!name.n)
        return say(c->arena, ERR_MISSING, "\"purpose\" says what the emails are for");
    if (index < 0 || (unsigned)index >= c->policy->purpose_count || c->policy->purposes[index].never)
        return person_allow(c, NULL, name, NULL, ACT_SEND); /* refused by its name, on record */
    const struct purpose *p = &c->policy->purposes[index];
    *out = p;
    bool called = text_eq(channel, TEXT("phone")); /* nobody is called for it without a consent (C. conso. L223-1) */
    bool may = p->basis == BASIS_CONSENT || (p->customers_only && p->marketing && !called);
    bool known = called || text_eq(channel, TEXT("email")) || text_eq(channel, TEXT("sms")) ||
                 text_eq(channel, TEXT("post"));
    if (may && known && has_channel(p, channel))
        return OK;
    say_clause(
        c->arena, ERR_PURPOSE, &p->clause,
        "a campaign needs a purpose that rests on consent, or is for customers only, and its channel email, sms, "
        "phone or post: \"%.*s\" has none",
        T(p->name));
    return write_refusal(c, NULL, p->name, TEXT(""));
}

/* ---- Rows. ---- */

enum err campaign_take(struct ctx *c, struct query *q, struct campaign *m)
{
    text clear;
    text id = query_get(q, CAMPAIGN_GET, id), reached = query_get(q, CAMPAIGN_GET, reached);
    *m = (struct campaign){ .has_reached = reached.n == SUBJECT_ID };
    if (id.n != SUBJECT_ID)
        return say(c->arena, ERR_INTEGRITY, "a campaign has an id of %zu bytes", id.n);
    memcpy(&m->id, id.p, SUBJECT_ID);
    if (m->has_reached)
        memcpy(&m->reached, reached.p, SUBJECT_ID);
    m->tenant = arena_copy(c->arena, query_get(q, CAMPAIGN_GET, tenant));
    m->state = arena_copy(c->arena, query_get(q, CAMPAIGN_GET, state));
    m->purpose = arena_copy(c->arena, query_get(q, CAMPAIGN_GET, purpose));
    m->channel = arena_copy(c->arena, query_get(q, CAMPAIGN_GET, channel));
    m->actor = arena_copy(c->arena, query_get(q, CAMPAIGN_GET, actor));
    m->kept = arena_copy(c->arena, query_get(q, CAMPAIGN_GET, body));
    m->code = arena_copy(c->arena, query_get(q, CAMPAIGN_GET, code));
    m->at = query_get(q, CAMPAIGN_GET, at);
    m->starts = query_get(q, CAMPAIGN_GET, starts);
    m->next = query_get(q, CAMPAIGN_GET, next_at);
    m->pace = query_get(q, CAMPAIGN_GET, pace);
    m->recipients = query_null(q, CAMPAIGN_GET, recipients) ? -1 : query_get(q, CAMPAIGN_GET, recipients);
    m->sent = query_get(q, CAMPAIGN_GET, sent);
    m->skipped = query_get(q, CAMPAIGN_GET, skipped);
    m->failed = query_get(q, CAMPAIGN_GET, failed);
    m->uncertain = query_get(q, CAMPAIGN_GET, uncertain);
    m->measured = query_get(q, CAMPAIGN_GET, measured);
    m->opened = query_get(q, CAMPAIGN_GET, opened);
    TRY(written_open(ctx_store(c), c->arena, m->tenant, table, m->kept, &clear));
    return json_parse(c->arena, clear, &m->body);
}

enum err campaign_find(struct ctx *c, text id, struct campaign *out)
{
    struct subject_id key;
    if (!id_parse(id, &key))
        return say(c->arena, ERR_NOT_FOUND, "there is no such campaign");
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_GET, ARGS(V_TEXT(c->tenant), V_ID(key)));
    if (!query_next(&q))
        return q.status != OK ? q.status : say(c->arena, ERR_NOT_FOUND, "there is no such campaign");
    return campaign_take(c, &q, out);
}

bool campaign_by_hand(const struct campaign *m)
{
    return text_eq(m->channel, TEXT("phone")) || text_eq(m->channel, TEXT("post"));
}

enum err campaign_own(struct ctx *c, text id, struct campaign *m)
{
    const struct purpose *p = NULL;
    TRY(campaign_find(c, id, m));
    TRY(campaign_purpose(c, m->purpose, m->channel, &p));
    return campaign_may(c, p, ACT_SEND);
}

/* ---- Making. ---- */

struct writing {
    struct ctx *c;
    struct subject_id id;
    const struct purpose *purpose;
    text channel, kept;
};

static void put_said(struct json_out *w, const struct json *in, const char *name)
{
    json_name(w, text_of(name));
    json_open(w, '{');
    JSON_EACH(one, json_get(in, text_of(name)))
        if (one->kind == J_TEXT)
            json_pair(w, one->key, one->value);
    json_close(w, '}');
}

static enum err seal_body(struct ctx *c, const struct json *in, bool measure, text *kept)
{
    text body;
    BUF_AUTO b = buf_make(BODY_MAX);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("name"), text_trim(json_text(in, TEXT("name"))));
    put_said(&w, in, "subject");
    put_said(&w, in, "text");
    json_pair_bool(&w, TEXT("measure"), measure);
    json_pair(&w, TEXT("reason"), c->actor.reason);
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &body));
    return written_seal(ctx_store(c), c->arena, c->tenant, table, body, kept);
}

static enum err check_name(struct ctx *c, text name)
{
    if (!text_trim(name).n)
        return say(c->arena, ERR_MISSING, "\"name\" says what you call it");
    for (size_t i = 0; i < name.n; i++)
        if ((uint8_t)name.p[i] < ' ' || name.p[i] == 0x7F)
            return say(c->arena, ERR_VALUE, "\"name\" has no control characters");
    if (name.n > NAME_MOST)
        return say(c->arena, ERR_VALUE, "\"name\" has at most %d bytes", NAME_MOST);
    return value_no_card(c, TEXT("name"), name);
}

static enum err check_measure(struct ctx *c, const struct purpose *p, bool measure)
{
    int category;
    if (!measure || campaign_measuring(c, &category))
        return OK;
    say_clause(c->arena, ERR_PURPOSE, &p->clause,
               "the policy has no purpose that measures emails under a consent, with a category of stream mail");
    return write_refusal(c, NULL, p->name, TEXT(""));
}

static enum err words_to(struct ctx *c, const struct campaign *m, text language, struct campaign_words *w)
{
    *w = (struct campaign_words){ .language = language.n ? language : c->language };
    w->stop = mail_link(c, TEXT("/unsubscribe/…"));
    w->stop_to = campaign_stop_address(c, TEXT("…"));
    return campaign_render(c, m, w);
}

/* Each language's message is made, as it would go: it may be too long. */
static enum err check_sms(struct ctx *c, const struct json *in, const struct writing *m, bool measured)
{
    struct campaign would = { .purpose = m->purpose->name, .channel = m->channel, .body = in };
    struct campaign_words words;
    if (measured)
        return say(c->arena, ERR_VALUE, "\"measure\" is for emails: a text message has nothing to measure");
    for (unsigned i = 0; i < c->policy->language_count; i++)
        TRY(words_to(c, &would, c->policy->languages[i], &words));
    return OK;
}

static enum err run_make(struct db *db, struct write *w)
{
    const struct writing *m = w->arg;
    return db_run(db, SQL_CAMPAIGN_ADD, NULL,
                  ARGS(V_TEXT(m->c->tenant), V_ID(m->id), V_TEXT(m->purpose->name), V_TEXT(m->channel),
                       V_TEXT(m->c->actor.name), V_TEXT(m->kept), V_INT(m->c->now), V_INT(0),
                       V_INT(m->c->now + CAMPAIGN_KEPT)));
}

enum err campaign_make(struct ctx *c, const struct json *in, struct answer *out)
{
    struct writing m = { .c = c, .id = id_make(c->now) };
    const struct json *measure = json_get(in, TEXT("measure"));
    bool measured = measure && measure->kind == J_BOOL && measure->truth;
    m.channel = json_text(in, TEXT("channel")).n ? json_text(in, TEXT("channel")) : TEXT("email");
    TRY(campaign_purpose(c, json_text(in, TEXT("purpose")), m.channel, &m.purpose));
    TRY(campaign_may(c, m.purpose, ACT_SEND));
    TRY(check_name(c, json_text(in, TEXT("name"))));
    bool sms = text_eq(m.channel, TEXT("sms"));
    TRY(campaign_check_words(c, in, !sms));
    TRY(sms ? check_sms(c, in, &m, measured) : check_measure(c, m.purpose, measured));
    TRY(seal_body(c, in, measured, &m.kept));
    out->id = id_print(c->arena, m.id);
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\"}", T(out->id));
    TRY_PTR(out->body.p);
    struct write w = { .run = run_make, .arg = &m, .event = event_of(c, NULL, TEXT("campaign.made")) };
    w.event.purpose = m.purpose->name;
    w.event.clause = m.purpose->clause.path;
    return write_do(c, &w, out);
}

/* ---- Showing. ---- */

/* A start that is to come is told as such. */
static text state_of(const struct ctx *c, const struct campaign *m)
{
    bool waits = text_eq(m->state, TEXT("running")) && m->starts > c->now && !m->has_reached;
    return waits ? TEXT("scheduled") : m->state;
}

static void put_row(struct ctx *c, const struct campaign *m, struct json_out *w)
{
    json_pair(w, TEXT("id"), id_print(c->arena, m->id));
    json_pair(w, TEXT("name"), json_text(m->body, TEXT("name")));
    json_pair(w, TEXT("state"), state_of(c, m));
    json_pair(w, TEXT("purpose"), m->purpose);
    json_pair(w, TEXT("channel"), m->channel);
    json_pair(w, TEXT("at"), time_print(c->arena, m->at));
    json_pair(w, TEXT("starts"), m->starts ? time_print(c->arena, m->starts) : (text){ NULL, 0 });
    json_name(w, TEXT("recipients"));
    if (m->recipients >= 0)
        json_put_int(w, m->recipients);
    else
        json_put_null(w);
    json_pair_int(w, TEXT("sent"), m->sent);
    json_pair_int(w, TEXT("skipped"), m->skipped);
    json_pair_int(w, TEXT("failed"), m->failed);
    json_pair_int(w, TEXT("uncertain"), m->uncertain);
    json_pair_int(w, TEXT("pace"), m->pace);
    json_pair(w, TEXT("why"), m->code.n ? m->code : (text){ NULL, 0 });
}

static bool is_mine(const struct ctx *c, const struct campaign *m)
{
    int index = policy_purpose(c->policy, m->purpose);
    return index >= 0 && (unsigned)index < c->policy->purpose_count &&
           campaign_would(c, &c->policy->purposes[index], ACT_SEND);
}

static enum err put_page(struct ctx *c, const struct paging *asked, struct json_out *w, struct answer *out)
{
    struct subject_id last;
    int64_t rows = 0;
    bool more = false;
    text place = TEXT("");
    memset(&last, 0xFF, sizeof last);
    if (asked->after.n && !id_parse(asked->after, &last))
        return paging_unknown(c);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_PAGE, ARGS(V_TEXT(c->tenant), V_ID(last), V_INT(asked->limit + 1)));
    while (paging_row(asked, &q, &rows, &more)) {
        struct campaign m;
        TRY(campaign_take(c, &q, &m));
        place = id_print(c->arena, m.id);
        if (!is_mine(c, &m))
            continue;
        json_open(w, '{');
        put_row(c, &m, w);
        json_close(w, '}');
    }
    TRY(q.status);
    json_close(w, ']');
    return paging_end(c, more, place, w, out);
}

enum err campaign_list(struct ctx *c, const struct paging *asked, struct answer *out)
{
    BUF_AUTO b = buf_make(8 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_name(&w, TEXT("campaigns"));
    json_open(&w, '[');
    TRY(put_page(c, asked, &w, out));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- Totals, which lead to nobody: none below the least group. ---- */

static int64_t least_group(const struct ctx *c, text purpose)
{
    int64_t least;
    const struct node *own = node_get(node_get(c->policy->root, TEXT("purposes")), purpose);
    return text_int(node_text(own, TEXT("min_group")), &least) ? least : MIN_GROUP;
}

static void put_total(struct json_out *w, int64_t value, int64_t people, int64_t least)
{
    if (people >= least && (value >= least || !value))
        json_put_int(w, value);
    else
        json_put_null(w);
}

static enum err put_links(struct ctx *c, const struct campaign *m, int64_t least, struct json_out *w)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_LINKS, ARGS(V_TEXT(m->tenant), V_ID(m->id)));
    json_name(w, TEXT("links"));
    json_open(w, '[');
    while (query_next(&q)) {
        json_open(w, '{');
        json_pair(w, TEXT("link"), campaign_link(m, query_get(&q, CAMPAIGN_LINKS, number)));
        json_name(w, TEXT("followed"));
        put_total(w, query_get(&q, CAMPAIGN_LINKS, followed), m->sent, least);
        json_close(w, '}');
    }
    json_close(w, ']');
    return q.status;
}

static enum err put_totals(struct ctx *c, const struct campaign *m, struct json_out *w)
{
    int category;
    const struct purpose *of = campaign_measuring(c, &category);
    int64_t least = least_group(c, of ? of->name : m->purpose);
    json_pair_int(w, TEXT("min_group"), least);
    json_name(w, TEXT("measured"));
    put_total(w, m->measured, m->measured, least);
    json_name(w, TEXT("opened"));
    put_total(w, m->opened, m->measured, least);
    return put_links(c, m, least, w);
}

enum err campaign_show(struct ctx *c, text id, struct answer *out)
{
    struct campaign m;
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    TRY(campaign_own(c, id, &m));
    json_open(&w, '{');
    put_row(c, &m, &w);
    put_said(&w, m.body, "subject");
    put_said(&w, m.body, "text");
    const struct json *measure = json_get(m.body, TEXT("measure"));
    json_pair_bool(&w, TEXT("measure"), measure && measure->truth);
    TRY(put_totals(c, &m, &w));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- Counting. ---- */

enum sql campaign_people(const struct ctx *c, const struct campaign *m)
{
    int index = policy_purpose(c->policy, m->purpose);
    bool asked = index < 0 || c->policy->purposes[index].basis == BASIS_CONSENT;
    return asked ? SQL_CAMPAIGN_PEOPLE : SQL_CAMPAIGN_CUSTOMERS;
}

struct counting {
    const struct campaign *m;
    int64_t count;
};

static enum err walk(struct ctx *c, const struct campaign *m, struct subject_id after, struct subject_id *out,
                     unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, campaign_people(c, m),
                ARGS(V_TEXT(m->tenant), V_TEXT(m->purpose), V_TEXT(m->channel), V_ID(after), V_INT(WALK)));
    for (*count = 0; *count < WALK && query_next(&q);)
        memcpy(&out[(*count)++], query_get(&q, CAMPAIGN_PEOPLE, subject).p, SUBJECT_ID);
    return q.status;
}

/* Some at a time, each with memory of its own, however many there are. */
static enum err count_some(struct ctx *c, const struct campaign *m, struct subject_id *last, int64_t *count, bool *more)
{
    ARENA_AUTO a = arena_make(64 << 20);
    struct ctx in = *c;
    struct subject_id people[WALK];
    unsigned n = 0;
    in.arena = &a;
    in.decisions = NULL;
    enum err status = walk(&in, m, *last, people, &n);
    for (unsigned i = 0; status == OK && i < n; i++) {
        bool allowed;
        status = person_would_send(&in, people[i], m->purpose, m->channel, &allowed);
        *count += status == OK && allowed;
        *last = people[i];
    }
    *more = n == WALK;
    if (status != OK)
        c->arena->why = a.why;
    return status;
}

static enum err run_counted(struct db *db, struct write *w)
{
    const struct counting *s = w->arg;
    return db_run(db, SQL_CAMPAIGN_COUNTED, NULL, ARGS(V_TEXT(s->m->tenant), V_ID(s->m->id), V_INT(s->count)));
}

enum err campaign_count(struct ctx *c, text id, struct answer *out)
{
    struct campaign m;
    struct counting s = { .m = &m };
    struct subject_id last = { { 0 } };
    bool more = true;
    TRY(campaign_own(c, id, &m));
    while (more)
        TRY(count_some(c, &m, &last, &s.count, &more));
    out->body = arena_print(c->arena, "{\"recipients\":%lld}", (long long)s.count);
    TRY_PTR(out->body.p);
    struct write w = { .run = run_counted, .arg = &s, .event = event_of(c, NULL, TEXT("campaign.counted")) };
    w.event.purpose = m.purpose;
    w.event.count = s.count;
    return write_do(c, &w, out);
}

/* ---- Before it goes. ---- */

static void put_length(struct json_out *w, const struct sms_length *l)
{
    json_pair_int(w, TEXT("segments"), l->segments);
    json_pair_int(w, TEXT("letters"), l->units);
    json_pair(w, TEXT("alphabet"), l->ucs2 ? TEXT("ucs2") : TEXT("gsm7"));
    json_pair(w, TEXT("beyond"), l->beyond);
}

enum err campaign_preview(struct ctx *c, text id, text language, struct answer *out)
{
    struct campaign m;
    struct campaign_words words;
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    TRY(campaign_own(c, id, &m));
    TRY(words_to(c, &m, language, &words));
    json_open(&w, '{');
    json_pair(&w, TEXT("subject"), words.subject);
    json_pair(&w, TEXT("text"), words.plain);
    json_pair(&w, TEXT("html"), words.html);
    if (campaign_by_text(&m))
        put_length(&w, &words.length);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

static enum err run_test(struct db *db, struct write *w) { return mail_run_put_quietly(db, w->arg); }

/* One of the caller's tests of a day: each is paid for, and holds a thread until the gateway answers. */
static enum err count_test(struct ctx *c)
{
    text who = c->actor.has_self ? id_print(c->arena, c->actor.self)
                                 : arena_print(c->arena, "token %.*s", T(c->actor.token));
    TRY(arena_whole(c->arena));
    return c->dry ? OK : budget_take(c, BUDGET_campaign_tests, who);
}

struct trying {
    const struct campaign *m;
    struct digest number;
};

static enum err run_try(struct db *db, struct write *w)
{
    const struct trying *t = w->arg;
    return campaign_sms_run_allowed(db, t->m, &t->number);
}

/* To the number of who is signed in, else to the controller's, unless it stopped that purpose. On record before it
 * goes; nothing of it is kept for a repeated request, since the gateway may not have taken it. */
static enum err test_by_text(struct ctx *c, const struct campaign *m, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct campaign_words words;
    struct trying try = { .m = m };
    text to, language = c->language;
    int category;
    if (c->actor.has_self) {
        TRY(person_open(c, id_print(c->arena, c->actor.self), false, &p));
        TRY(mail_language(c, &p, &language));
        TRY(campaign_sms_to(c, m, &p, &to, &category, &try.number));
    } else if (c->policy->controller.phone.n)
        TRY(campaign_sms_number(c, c->policy->controller.phone, &to));
    else
        return say(c->arena, ERR_MISSING,
                   "the policy names no phone of the controller: staff can send it to their own");
    try.number = campaign_sms_digest(c, to);
    TRY(words_to(c, m, language, &words));
    TRY(count_test(c));
    struct write w = { .run = run_try,
                       .arg = &try,
                       .event = event_of(c, c->actor.has_self ? &p : NULL, TEXT("campaign.tested")) };
    w.event.purpose = m->purpose;
    out->body = TEXT("{\"state\":\"sent\"}");
    TRY(write_do(c, &w, NULL));
    return c->dry ? OK : texts_hand(c, to, words.plain, id_print(c->arena, id_make(c->now)));
}

/* To oneself and to nobody else: the address of who is signed in, else the controller's. */
enum err campaign_test(struct ctx *c, text id, struct answer *out)
{
    struct campaign m;
    struct campaign_words words;
    struct mail_put put;
    PERSON_AUTO p = { 0 };
    text to = c->policy->controller.email, language = c->language;
    TRY(campaign_own(c, id, &m));
    if (campaign_by_hand(&m))
        return say(c->arena, ERR_CONFLICT, "a campaign by telephone or by post has no email to try");
    if (campaign_by_text(&m))
        return test_by_text(c, &m, out);
    if (c->actor.has_self) {
        int category;
        TRY(person_open(c, id_print(c->arena, c->actor.self), false, &p));
        TRY(mail_address(c, &p, &to, &category));
        TRY(mail_language(c, &p, &language));
    }
    TRY(words_to(c, &m, language, &words));
    struct letter letter = { .name = TEXT("campaign"),
                             .language = language,
                             .subject = words.subject,
                             .text = words.plain,
                             .html = words.html };
    TRY(mail_make_said(c, c->actor.has_self ? &p : NULL, to, &letter, &put));
    TRY(count_test(c));
    put.event.act = TEXT("campaign.tested");
    out->body = TEXT("{\"state\":\"sent\"}");
    struct write w = { .run = run_test, .arg = &put, .event = put.event };
    return write_do(c, &w, out);
}

/* ---- Steering. ---- */

struct steering {
    struct ctx *c;
    const struct campaign *m;
    text state, actor, kept;
    msec starts, next, due;
    int64_t pace;
};

static enum err run_steer(struct db *db, struct write *w)
{
    const struct steering *s = w->arg;
    int64_t changed;
    TRY(db_run(db, SQL_CAMPAIGN_STEER, &changed,
               ARGS(V_TEXT(s->m->tenant), V_ID(s->m->id), V_TEXT(s->m->state), V_TEXT(s->state),
                    s->starts ? V_INT(s->starts) : V_NULL, s->next ? V_INT(s->next) : V_NULL, V_INT(s->pace),
                    V_TEXT(s->actor), s->due ? V_INT(s->due) : V_NULL, V_TEXT(s->kept))));
    return changed ? OK : say(db_arena(db), ERR_CONFLICT, "somebody else started, paused or stopped it meanwhile");
}

static enum err wrong_state(struct ctx *c, const struct campaign *m, text what)
{
    return say(c->arena, ERR_CONFLICT, "\"%.*s\" is not for a campaign in the state \"%.*s\"", T(value_shown(what)),
               T(m->state));
}

/* In the name of who starts it, with the reason that they gave. */
static enum err begin(struct steering *s, const struct json *in)
{
    struct ctx *c = s->c;
    const struct json *measure = json_get(s->m->body, TEXT("measure"));
    text at = json_text(in, TEXT("at"));
    if (s->m->recipients < 0)
        return say(c->arena, ERR_CONFLICT, "count the recipients before you start it");
    s->starts = c->now;
    if (at.n && (!value_moment(c, at, false, &s->starts) || s->starts > c->now + 366 * DAY))
        return say(c->arena, ERR_VALUE, "\"at\" is a time within a year (RFC 3339)");
    if (s->starts < c->now)
        s->starts = c->now;
    s->state = TEXT("running");
    s->next = s->starts;
    s->actor = c->actor.name;
    return seal_body(c, s->m->body, measure && measure->truth, &s->kept);
}

static enum err take_pace(struct steering *s, const struct json *in)
{
    const struct json *pace = json_get(in, TEXT("pace"));
    bool none = !pace || pace->kind == J_NULL || (pace->kind == J_TEXT && !text_trim(pace->value).n);
    if (none)
        return OK;
    bool good = pace->kind == J_TEXT ? text_int(text_trim(pace->value), &s->pace) : json_int(pace, &s->pace);
    if (!good || s->pace < 0 || s->pace > PACE_MOST)
        return say(s->c->arena, ERR_VALUE, "\"pace\" is emails an hour, at most %d; 0: as fast as it goes", PACE_MOST);
    return OK;
}

static enum err take_steer(struct steering *s, const struct json *in)
{
    text what = json_text(in, TEXT("do")), state = s->m->state;
    bool runs = text_eq(state, TEXT("running")), paused = text_eq(state, TEXT("paused")),
         draft = text_eq(state, TEXT("draft"));
    TRY(take_pace(s, in));
    if (text_eq(what, TEXT("start")))
        return draft ? begin(s, in) : wrong_state(s->c, s->m, what);
    if (text_eq(what, TEXT("pause"))) {
        s->state = TEXT("paused");
        return runs ? OK : wrong_state(s->c, s->m, what);
    }
    if (text_eq(what, TEXT("resume"))) {
        s->state = TEXT("running");
        s->next = s->m->starts > s->c->now ? s->m->starts : s->c->now;
        return paused ? OK : wrong_state(s->c, s->m, what);
    }
    if (!text_eq(what, TEXT("stop")))
        return say(s->c->arena, ERR_VALUE, "\"do\" is one of start, pause, resume, stop");
    s->state = TEXT("stopped");
    s->due = s->c->now + 2 * CAMPAIGN_KEPT;
    return runs || paused || draft ? OK : wrong_state(s->c, s->m, what);
}

enum err campaign_steer(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    struct campaign m;
    TRY(campaign_own(c, id, &m));
    struct steering s = { .c = c, .m = &m, .actor = m.actor, .kept = m.kept, .pace = m.pace };
    TRY(take_steer(&s, in));
    if (campaign_by_text(&m) && text_eq(s.state, TEXT("running")))
        TRY(texts_need(c));
    if (campaign_by_hand(&m))
        s.next = 0; /* nothing of it leaves by itself */
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\",\"state\":\"%.*s\"}", T(id), T(s.state));
    TRY_PTR(out->body.p);
    struct write w = { .run = run_steer, .arg = &s, .event = event_of(c, NULL, TEXT("campaign.steered")) };
    w.event.purpose = m.purpose;
    return write_do(c, &w, out);
}

/* ---- Of whom it is not known. ---- */

struct doubt {
    struct campaign m;
    text id;
};

static enum err may_see(struct ctx *c, struct look_list *l)
{
    struct doubt *d = l->arg;
    TRY(campaign_own(c, d->id, &d->m));
    l->purpose = d->m.purpose;
    return OK;
}

static enum err show_uncertain(struct ctx *c, struct look_list *l, struct json_out *w)
{
    const struct doubt *d = l->arg;
    struct subject_id last = { { 0 } };
    int64_t rows = 0;
    bool more = false;
    text place = TEXT("");
    if (l->asked->after.n && !id_parse(l->asked->after, &last))
        return paging_unknown(c);
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_LETTER_UNCERTAIN,
                ARGS(V_TEXT(d->m.tenant), V_ID(d->m.id), V_ID(last), V_INT(l->asked->limit + 1)));
    json_name(w, TEXT("uncertain"));
    json_open(w, '[');
    while (paging_row(l->asked, &q, &rows, &more)) {
        TRY(look_saw_row(c, l, &q, COL(CAMPAIGN_LETTER_UNCERTAIN, subject)));
        place = id_column(c->arena, &q, COL(CAMPAIGN_LETTER_UNCERTAIN, subject));
        json_open(w, '{');
        json_pair(w, TEXT("subject"), place);
        json_pair(w, TEXT("at"), time_print(c->arena, query_get(&q, CAMPAIGN_LETTER_UNCERTAIN, at)));
        json_close(w, '}');
        l->count++;
    }
    TRY(q.status);
    json_close(w, ']');
    return paging_end(c, more, place, w, &l->out);
}

enum err campaign_uncertain(struct ctx *c, text id, const struct paging *asked, struct answer *out)
{
    struct doubt d = { .id = id };
    struct look_list l = { .act = TEXT("subject.list"),
                           .each = TEXT("campaign.listed"),
                           .may = may_see,
                           .show = show_uncertain,
                           .asked = asked,
                           .arg = &d };
    return look_at_people(c, &l, out);
}

/* ---- What is over, and what a person is told. ---- */

static enum err run_over(struct db *db, struct write *w)
{
    const msec *now = w->arg;
    TRY(db_run(db, SQL_CAMPAIGN_OVER, NULL, ARGS(V_INT(*now))));
    TRY(db_run(db, SQL_CAMPAIGN_LINK_OVER, NULL, ARGS(V_INT(*now))));
    TRY(db_run(db, SQL_CAMPAIGN_BACK_OVER, NULL, ARGS(V_INT(*now))));
    return db_run(db, SQL_CAMPAIGN_LETTER_OVER, NULL, ARGS(V_INT(*now)));
}

static enum err end_over(struct ctx *c)
{
    return feature_end_over(c, SQL_CAMPAIGN_IS_OVER, run_over, TEXT("campaign.over"));
}

static text state_word(int64_t state)
{
    static const text words[] = { TEXT_INIT("leaving"), TEXT_INIT("sent"),      TEXT_INIT("again"),
                                  TEXT_INIT("failed"),  TEXT_INIT("uncertain"), TEXT_INIT("handed") };
    return state >= 0 && state < 6 ? words[state] : TEXT("");
}

static enum err put_letters(struct ctx *c, const struct person *p, struct json_out *w)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_LETTER_OF, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
    json_open(w, '[');
    while (query_next(&q)) {
        struct why kept = c->arena->why;
        struct campaign m;
        text id = id_column(c->arena, &q, COL(CAMPAIGN_LETTER_OF, campaign));
        bool there = campaign_find(c, id, &m) == OK;
        json_open(w, '{');
        json_pair(w, TEXT("campaign"), there ? json_text(m.body, TEXT("name")) : id);
        json_pair(w, TEXT("purpose"), there ? m.purpose : (text){ NULL, 0 });
        json_pair(w, TEXT("at"), time_print(c->arena, query_get(&q, CAMPAIGN_LETTER_OF, at)));
        json_pair(w, TEXT("state"), state_word(query_get(&q, CAMPAIGN_LETTER_OF, state)));
        json_close(w, '}');
        c->arena->why = kept;
    }
    json_close(w, ']');
    return q.status;
}

const struct feature campaign_feature = { .name = TEXT_INIT("campaign"),
                                          .member = TEXT_INIT("campaigns"),
                                          .put = put_letters,
                                          .tick = end_over,
                                          .leaves = campaign_leaves,
                                          .left = campaign_left,
                                          .came = campaign_came };

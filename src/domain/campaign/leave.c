/* Letters that leave: the next person of a campaign that runs, decided and marked in one write, and what became of
 * each. */
#include "domain/campaign/inside.h"
#include "base/log.h"
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/look.h"
#include "domain/core/write.h"
#include "domain/mail/mail.h"
#include "domain/mail/outbox.h"
#include "domain/person/person.h"

enum { WALK = 256, LEFT_MOST = 100, NEXT_MOST = 100 };
static const msec waits[] = { MINUTE, 10 * MINUTE, 1 * HOUR, 6 * HOUR };
static const msec wait_away = 5 * MINUTE; /* longer than a sender rests: what is answered so alone holds up no other */

/* What goes to the sender, and what comes back with its fate. */
struct leaving {
    struct outbox_letter letter;
    bool measured;
    int64_t tries;
    struct digest number; /* of a text message: that of where it goes */
};

/* ---- What a crash left: nobody knows whether it went, so it goes no second time. ---- */

struct marking {
    struct subject_id campaign, subject;
    text tenant, code;
    enum letter_state state;
    msec now, next;
    bool measured, away;
};

static enum err run_mark(struct db *db, struct write *w)
{
    const struct marking *m = w->arg;
    const struct val tenant = V_TEXT(m->tenant), campaign = V_ID(m->campaign);
    int64_t changed;
    TRY(db_run(db, SQL_CAMPAIGN_LETTER_MARK, &changed,
               ARGS(tenant, V_ID(m->subject), campaign, V_INT(m->state), V_INT(m->now),
                    m->code.n ? V_TEXT(m->code) : V_NULL, m->next ? V_INT(m->next) : V_NULL, V_INT(m->away))));
    if (!changed)
        return OK; /* its person was erased meanwhile, and the row with them */
    return db_run(db, SQL_CAMPAIGN_TALLY, NULL,
                  ARGS(tenant, campaign, V_INT(m->state == SENT), V_INT(m->state == FAILED),
                       V_INT(m->state == UNCERTAIN), V_INT(m->measured && m->state == SENT)));
}

static text act_of(enum letter_state state)
{
    return state == SENT        ? TEXT("campaign.sent")
           : state == UNCERTAIN ? TEXT("campaign.uncertain")
                                : TEXT("campaign.failed");
}

/* The entry is about the person while they are there. */
static enum err event_of_mark(struct ctx *in, const struct marking *m, struct event *out)
{
    PERSON_AUTO p = { 0 };
    enum err found = person_open_anyway(in, id_print(in->arena, m->subject), &p);
    if (found != OK && found != ERR_NOT_FOUND)
        return found;
    *out = event_of(in, found == OK ? &p : NULL, act_of(m->state));
    if (m->state != SENT)
        out->outcome = OUTCOME_FAILED;
    return OK;
}

static enum err write_mark(struct ctx *c, const struct marking *m)
{
    struct ctx in = *c;
    struct marking copy = *m;
    struct write w = { .run = run_mark, .arg = &copy };
    in.tenant = m->tenant;
    TRY(event_of_mark(&in, m, &w.event));
    in.decisions = NULL; /* it went or not, whatever is decided about its person since */
    return write_do(&in, &w, NULL);
}

static enum err list_left(struct ctx *c, text channel, struct marking *out, unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_LETTER_LEFT, ARGS(V_INT(LEFT_MOST), V_TEXT(channel)));
    for (*count = 0; *count < LEFT_MOST && query_next(&q);) {
        struct marking *m = &out[(*count)++];
        *m = (struct marking){ .state = UNCERTAIN, .now = c->now, .code = TEXT("crash") };
        m->tenant = arena_copy(c->arena, query_get(&q, CAMPAIGN_LETTER_LEFT, tenant));
        memcpy(&m->subject, query_get(&q, CAMPAIGN_LETTER_LEFT, subject).p, SUBJECT_ID);
        memcpy(&m->campaign, query_get(&q, CAMPAIGN_LETTER_LEFT, campaign).p, SUBJECT_ID);
    }
    return q.status;
}

/* Each channel has one sender, and it says what became of a letter when it asks for the next: what else still leaves
 * was left by a process that ended. */
static enum err settle_left(struct ctx *c, text channel, const struct letter_left *before)
{
    struct marking *left = NEW_ARRAY(c->arena, struct marking, LEFT_MOST);
    unsigned count;
    TRY_PTR(left);
    TRY(list_left(c, channel, left, &count));
    for (unsigned i = 0; i < count; i++)
        if (!before || memcmp(&left[i].subject, &before->letter->subject, SUBJECT_ID) != 0 ||
            memcmp(&left[i].campaign, &before->letter->id, SUBJECT_ID) != 0)
            TRY(write_mark(c, &left[i]));
    return OK;
}

/* ---- Whose turn it is. ---- */

struct next_one {
    text tenant;
    struct subject_id id;
};

static enum err load_next(struct ctx *c, text channel, struct next_one *all, unsigned *count)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_NEXT, ARGS(V_INT(c->now), V_INT(NEXT_MOST), V_TEXT(channel)));
    for (*count = 0; *count < NEXT_MOST && query_next(&q); ++*count) {
        all[*count].tenant = arena_copy(c->arena, query_get(&q, CAMPAIGN_NEXT, tenant));
        memcpy(&all[*count].id, query_get(&q, CAMPAIGN_NEXT, id).p, SUBJECT_ID);
    }
    return q.status;
}

/* One whose row was altered sends nothing, and holds up no other: it is told when it is the only one. */
static enum err running(struct ctx *c, text channel, struct campaign *out, bool *any)
{
    enum err status = OK;
    struct why kept = c->arena->why;
    struct next_one *all = NEW_ARRAY(c->arena, struct next_one, NEXT_MOST);
    unsigned count;
    TRY_PTR(all);
    TRY(load_next(c, channel, all, &count));
    *any = false;
    for (unsigned i = 0; i < count && !*any; i++) {
        struct ctx in = *c;
        in.tenant = all[i].tenant;
        status = campaign_find(&in, id_print(c->arena, all[i].id), out);
        *any = status == OK;
        if (status != OK && status != ERR_INTEGRITY)
            return status;
    }
    if (*any)
        c->arena->why = kept;
    return *any ? OK : status;
}

static enum err again(struct ctx *c, const struct campaign *m, struct campaign_turn *t)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_LETTER_AGAIN, ARGS(V_TEXT(m->tenant), V_ID(m->id), V_INT(c->now)));
    if (query_next(&q)) {
        memcpy(&t->id, query_get(&q, CAMPAIGN_LETTER_AGAIN, subject).p, SUBJECT_ID);
        t->tries = query_get(&q, CAMPAIGN_LETTER_AGAIN, tries);
        t->found = true;
        t->again = true;
    }
    return q.status;
}

/* The next people behind the one that was reached, whoever they are. */
static enum err walk(struct ctx *c, const struct campaign *m, struct subject_id *out, unsigned *count)
{
    static const struct subject_id first;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, campaign_people(c, m),
                ARGS(V_TEXT(m->tenant), V_TEXT(m->purpose), V_TEXT(m->channel),
                     m->has_reached ? V_ID(m->reached) : V_ID(first), V_INT(*count)));
    unsigned n = 0;
    while (n < *count && query_next(&q))
        memcpy(&out[n++], query_get(&q, CAMPAIGN_PEOPLE, subject).p, SUBJECT_ID);
    *count = n;
    return q.status;
}

static enum err had_it(struct ctx *c, const struct campaign *m, struct subject_id id, bool *had)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_LETTER_HAS, ARGS(V_TEXT(m->tenant), V_ID(id), V_ID(m->id)));
    *had = query_next(&q);
    return q.status;
}

/* People looked at ahead are kept from one letter to the next: each is asked about again when their turn comes. */
enum err campaign_next_person(struct ctx *c, struct campaign *m, struct campaign_turn *t)
{
    unsigned count = 1;
    for (unsigned looked = 0; looked < WALK && !t->found; looked++) {
        bool allowed = false, had = false;
        count = 1;
        TRY(walk(c, m, &t->id, &count));
        if (!count) {
            t->over = true;
            return OK;
        }
        TRY(person_would_send(c, t->id, m->purpose, m->channel, &allowed));
        if (allowed)
            TRY(had_it(c, m, t->id, &had));
        m->reached = t->id;
        m->has_reached = true;
        t->found = allowed && !had;
        t->skipped += !allowed;
    }
    return OK;
}

/* ---- What the campaign itself becomes. ---- */

struct progress {
    const struct campaign *m;
    int64_t skipped;
    msec next, due; /* due: of one that ends */
    text state, code;
};

static enum err run_progress(struct db *db, struct write *w)
{
    const struct progress *s = w->arg;
    const struct val tenant = V_TEXT(s->m->tenant), id = V_ID(s->m->id);
    if (s->state.n)
        return db_run(db, SQL_CAMPAIGN_HALT, NULL,
                      ARGS(tenant, id, V_TEXT(s->state), s->due ? V_INT(s->due) : V_NULL, V_INT(s->skipped),
                           s->code.n ? V_TEXT(s->code) : V_NULL));
    return db_run(
        db, SQL_CAMPAIGN_REACHED, NULL,
        ARGS(tenant, id, s->m->has_reached ? V_ID(s->m->reached) : V_NULL, V_INT(s->next), V_INT(s->skipped)));
}

static enum err write_progress(struct ctx *c, struct progress *s)
{
    struct write w = { .run = run_progress, .arg = s, .event = event_of(c, NULL, TEXT("campaign.steered")) };
    w.event.purpose = s->m->purpose;
    w.event.tenant = s->m->tenant;
    c->decisions = NULL; /* of people passed over: nothing is done about them */
    return write_do(c, &w, NULL);
}

/* Nobody is left: done, unless some letters are to be tried again. */
static enum err finish(struct ctx *c, const struct campaign *m, int64_t skipped)
{
    struct progress s = { .m = m, .skipped = skipped, .state = TEXT("done"), .due = c->now + 2 * CAMPAIGN_KEPT };
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_CAMPAIGN_LETTER_SOON, ARGS(V_TEXT(m->tenant), V_ID(m->id)));
        if (query_next(&q)) {
            s.next = query_get(&q, CAMPAIGN_LETTER_SOON, next_at);
            s.state = TEXT("");
        }
        TRY(q.status);
    }
    return write_progress(c, &s);
}

static enum err halt(struct ctx *c, const struct campaign *m, text code)
{
    struct progress s = { .m = m, .state = TEXT("paused"), .code = code };
    LOG(LOG_WARN, "campaign.paused", LOG_TEXT("code", code));
    return write_progress(c, &s);
}

/* ---- The letter, and the write that marks it. ---- */

struct departure {
    struct ctx *c;
    const struct campaign *m;
    const struct campaign_turn *turn;
    msec next;
    const struct digest *number; /* of a text message; NULL: of an email */
    struct marking *before;      /* of the letter before, may be NULL; and its entry: */
    struct event told;
};

static enum err run_before(struct db *db, const struct departure *d)
{
    struct write mark = { .arg = d->before };
    if (!d->before)
        return OK;
    TRY(run_mark(db, &mark));
    return journal_add(db, &d->told, NULL);
}

static enum err run_depart(struct db *db, struct write *w)
{
    struct departure *d = w->arg;
    const struct campaign *m = d->m;
    const struct val tenant = V_TEXT(m->tenant), id = V_ID(m->id);
    int64_t changed;
    TRY(db_run(db, SQL_CAMPAIGN_REACHED, &changed,
               ARGS(tenant, id, m->has_reached ? V_ID(m->reached) : V_NULL, V_INT(d->next), V_INT(d->turn->skipped))));
    if (!changed)
        return say(db_arena(db), ERR_CONFLICT, "the campaign was paused or stopped");
    TRY(db_run(db, SQL_CAMPAIGN_LETTER_ADD, &changed,
               ARGS(tenant, V_ID(d->turn->id), id, V_INT(d->c->now), V_INT(d->c->now + CAMPAIGN_KEPT),
                    d->number ? V_BYTES(TEXT_BYTES(*d->number)) : V_NULL)));
    return changed ? run_before(db, d) : say(db_arena(db), ERR_NOT_FOUND, "this person is gone, or had it");
}

/* Letters an hour, evenly. */
static msec next_time(const struct ctx *c, const struct campaign *m)
{
    if (!m->pace)
        return c->now;
    msec step = HOUR / m->pace;
    return (m->next + step < c->now - step ? c->now : m->next) + step;
}

static enum err words_of(struct ctx *c, const struct campaign *m, const struct person *p, struct leaving *out)
{
    struct campaign_words w = { 0 };
    int category;
    text token = campaign_stop_token(c, p->id, m->purpose, m->channel);
    const struct json *measure = json_get(m->body, TEXT("measure"));
    const struct purpose *of = measure && measure->truth ? campaign_measuring(c, &category) : NULL;
    TRY(mail_language(c, p, &w.language));
    w.stop = mail_link(c, arena_print(c->arena, "/unsubscribe/%.*s?lang=%.*s", T(token), T(w.language)));
    w.stop_to = campaign_stop_address(c, token);
    if (of)
        TRY(campaign_measures(c, p, &out->measured));
    if (out->measured) {
        text own = campaign_letter_token(c, m->id, p->id),
             quiet = campaign_stop_token(c, p->id, of->name, of->channel_count ? of->channels[0] : TEXT(""));
        w.go = mail_link(c, arena_print(c->arena, "/go/%.*s", T(own)));
        w.pixel = mail_link(c, arena_print(c->arena, "/pixel/%.*s", T(own)));
        w.quiet = mail_link(c, arena_print(c->arena, "/unsubscribe/%.*s?lang=%.*s", T(quiet), T(w.language)));
    } else if (of)
        w.go = mail_link(c, arena_print(c->arena, "/go/%.*s", T(id_print(c->arena, m->id))));
    TRY(campaign_render(c, m, &w));
    struct outbox_letter *l = &out->letter;
    l->unsubscribe = mail_link(c, arena_print(c->arena, "/unsubscribe/%.*s", T(token)));
    l->unsubscribe_to = w.stop_to;
    l->subject_line = w.subject;
    l->text = w.plain;
    l->html = w.html;
    l->language = w.language;
    return arena_whole(c->arena);
}

/* What stands before the @ of its Message-ID: the same at every try, and nobody's to guess. */
text campaign_message_name(struct ctx *c, struct subject_id campaign, struct subject_id id)
{
    struct digest name;
    BUF_AUTO b = buf_make(64);
    text own = campaign_letter_token(c, campaign, id);
    digest_identifier(store_index_key(ctx_store(c)), c->tenant, TEXT("campaign.message"), own, &name);
    buf_hex(&b, text_upto(TEXT_BYTES(name), 16));
    return buf_made(c->arena, &b);
}

static enum err email_to(struct ctx *c, const struct person *p, text *to, int *category)
{
    bool comes_back;
    TRY(mail_address(c, p, to, category));
    if (!to->n)
        return say(c->arena, ERR_MISSING, "no e-mail address of the person is held");
    TRY(campaign_comes_back(c, p->id, *to, &comes_back));
    return comes_back ? say(c->arena, ERR_MISSING, "emails to this address came back for good") : OK;
}

static enum err letter_for(struct ctx *c, const struct campaign *m, const struct person *p, struct leaving *out)
{
    struct outbox_letter *l = &out->letter;
    int category = -1;
    struct bits set = { { 0 } };
    TRY(campaign_by_text(m) ? campaign_sms_to(c, m, p, &l->to, &category, &out->number)
                            : email_to(c, p, &l->to, &category));
    bits_add(&set, (unsigned)category);
    TRY(person_allow_by(c, p, m->purpose, &set, ACT_SEND, m->channel));
    TRY(words_of(c, m, p, out));
    l->name = campaign_message_name(c, m->id, p->id);
    l->id = m->id;
    l->subject = p->id;
    l->has_subject = true;
    l->tenant = m->tenant;
    l->letter = TEXT("campaign");
    l->purpose = m->purpose;
    l->from_name = letter_site(c);
    l->reply_to = c->policy->controller.email;
    l->created = c->now;
    return OK;
}

/* What became of the letter before goes into the commit of the next: one a letter instead of two. A crash before it
 * leaves one more of whom it is not known. */
static enum err mark_before(struct ctx *c, const struct letter_left *before, struct marking *room, struct departure *d)
{
    if (!before || before->fate != LETTER_SENT)
        return OK;
    struct ctx in = *c;
    const struct leaving *l = (const struct leaving *)(const void *)before->letter;
    *room = (struct marking){ .campaign = l->letter.id,
                              .subject = l->letter.subject,
                              .tenant = l->letter.tenant,
                              .state = SENT,
                              .now = c->now,
                              .measured = l->measured };
    in.tenant = room->tenant;
    in.actor = actor_server();
    in.actor.name = TEXT("garant");
    d->before = room;
    return event_of_mark(&in, room, &d->told);
}

static enum err depart(struct ctx *c, const struct campaign *m, const struct campaign_turn *t,
                       struct letter_left *before, struct leaving *out)
{
    PERSON_AUTO p = { 0 };
    struct marking room;
    struct departure d = { .c = c, .m = m, .turn = t, .next = next_time(c, m) };
    TRY(mark_before(c, before, &room, &d));
    TRY(person_open(c, id_print(c->arena, t->id), false, &p));
    TRY(letter_for(c, m, &p, out));
    out->tries = t->tries;
    d.number = campaign_by_text(m) ? &out->number : NULL;
    struct write w = { .run = run_depart, .arg = &d, .event = event_of(c, &p, TEXT("campaign.leaving")) };
    w.event.purpose = m->purpose;
    w.event.clause = c->policy->purposes[policy_purpose(c->policy, m->purpose)].clause.path;
    w.event.count = 1;
    enum err status = write_do(c, &w, NULL);
    if (status == OK && d.before)
        before->told = true;
    return status;
}

bool campaign_about_person(enum err e)
{
    return e == ERR_NOT_FOUND || e == ERR_CONSENT || e == ERR_PURPOSE || e == ERR_MISSING || e == ERR_ERASED ||
           e == ERR_CRYPT || e == ERR_VALUE;
}

struct dropping {
    const struct campaign *m;
    const struct campaign_turn *t;
    msec next;
};

/* Passed over: behind them, and what was to be tried again is not. */
static enum err run_pass(struct db *db, struct write *w)
{
    const struct dropping *d = w->arg;
    const struct val tenant = V_TEXT(d->m->tenant), id = V_ID(d->m->id);
    TRY(db_run(db, SQL_CAMPAIGN_LETTER_DROP, NULL, ARGS(tenant, V_ID(d->t->id), id)));
    return db_run(
        db, SQL_CAMPAIGN_REACHED, NULL,
        ARGS(tenant, id, d->m->has_reached ? V_ID(d->m->reached) : V_NULL, V_INT(d->next), V_INT(d->t->skipped + 1)));
}

static enum err pass_over(struct ctx *c, const struct campaign *m, const struct campaign_turn *t)
{
    struct dropping d = { m, t, c->now };
    struct write w = { .run = run_pass, .arg = &d, .event = event_of(c, NULL, TEXT("campaign.steered")) };
    w.event.purpose = m->purpose;
    c->decisions = NULL;
    return write_do(c, &w, NULL);
}

/* ---- Who sends: the role or program that started it, while the policy still lets it. ---- */

static enum err act_as_author(struct ctx *c, const struct campaign *m, bool *may)
{
    int index = policy_actor(c->policy, m->actor);
    const struct purpose *p = NULL;
    *may = false;
    c->tenant = m->tenant;
    int at = policy_purpose(c->policy, m->purpose);
    if (index < 0 || at < 0 || (unsigned)at >= c->policy->purpose_count)
        return OK;
    p = &c->policy->purposes[at];
    c->actor = (struct actor){
        .kind = c->policy->actors[index].kind, .index = index, .name = c->policy->actors[index].name, .agreement = true
    }; /* asked for when it was started */
    TRY(look_reason(c, json_text(m->body, TEXT("reason"))));
    *may = campaign_would(c, p, ACT_SEND);
    return OK;
}

/* Nothing leaves that it could go with, and a campaign that ends has told of all its letters. */
static enum err say_before(const struct ctx *server, struct letter_left *before)
{
    struct ctx c = *server;
    if (!before || before->told)
        return OK;
    TRY(campaign_left(&c, before->letter, before->fate, before->code));
    before->told = true;
    return OK;
}

enum err campaign_leaves(struct ctx *c, text channel, struct letter_left *before, struct outbox_letter **out)
{
    struct campaign m;
    struct campaign_turn t = { .over = false };
    struct leaving *l = NEW(c->arena, struct leaving);
    bool any, may;
    *out = NULL;
    TRY_PTR(l);
    TRY(settle_left(c, channel, before));
    TRY(running(c, channel, &m, &any));
    if (!any)
        return OK;
    const struct ctx server = *c;
    TRY(act_as_author(c, &m, &may));
    if (may)
        TRY(again(c, &m, &t));
    if (may && !t.found)
        TRY(campaign_next_person(c, &m, &t));
    if (!t.found)
        TRY(say_before(&server, before));
    if (!may)
        return halt(c, &m, TEXT("refused"));
    if (t.over)
        return finish(c, &m, t.skipped);
    if (!t.found) {
        struct progress s = { .m = &m, .skipped = t.skipped, .next = c->now };
        return write_progress(c, &s);
    }
    enum err status = depart(c, &m, &t, before, l);
    if (status == ERR_CONFLICT)
        return OK;
    if (campaign_about_person(status))
        return pass_over(c, &m, &t);
    if (status == OK)
        *out = &l->letter;
    return status;
}

/* While the mail server is away no try is counted: that says nothing of the letter. */
static enum letter_state state_after(const struct leaving *l, enum letter_fate fate)
{
    if (fate == LETTER_SENT)
        return SENT;
    if (fate == LETTER_UNKNOWN)
        return UNCERTAIN;
    bool later = fate == LETTER_AWAY || (fate == LETTER_AGAIN && l->tries + 1 < TRIES_MOST);
    return later ? AGAIN : FAILED;
}

enum err campaign_left(struct ctx *c, const struct outbox_letter *letter, enum letter_fate fate, text code)
{
    const struct leaving *l = (const struct leaving *)(const void *)letter;
    struct marking m = { .campaign = letter->id, .subject = letter->subject, .tenant = letter->tenant, .code = code };
    m.now = c->now;
    m.measured = l->measured;
    m.away = fate == LETTER_AWAY;
    m.state = state_after(l, fate);
    if (m.state == AGAIN)
        m.next = c->now + (m.away ? wait_away : waits[l->tries >= TRIES_MOST - 1 ? 0 : l->tries]);
    if (m.state == SENT)
        m.code = TEXT("");
    return write_mark(c, &m);
}

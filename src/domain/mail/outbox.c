/* The outbox: what is due, what became of it, and what is told of it. */
#include "domain/mail/outbox.h"
#include "domain/person/person.h"
#include "base/log.h"
#include "domain/person/change.h"
#include "domain/mail/contact.h"
#include "domain/core/instance.h"
#include "domain/mail/letter.h"
#include "domain/mail/mail_seal.h"
#include "domain/core/value.h"
#include "domain/core/write.h"

enum { AGAIN = 3 };
static const msec keep_sent = 7 * DAY, keep_failed = 30 * DAY;

/* Waits between tries: about three days in all. */
static const msec waits[] = { MINUTE,   5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR,
                              6 * HOUR, 6 * HOUR,   6 * HOUR,    6 * HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR };
static const msec waits_longest = 6 * HOUR;
enum { TRIES_MAX = sizeof waits / sizeof *waits + 1 };

bool outbox_is_address(text s)
{
    ARENA_AUTO a = arena_make(1 << 16);
    return value_is_email(&a, s);
}

void outbox_sender(struct app *app, text from)
{
    if (from.n)
        (void)text_cstr(from, app->mail.from, sizeof app->mail.from); /* a longer one is no address */
    app->mail.sender = from.n > 0;
}

/* ---- What is due. ---- */

struct queued {
    struct outbox_letter letter;
    sealed message;
    struct queued *next;
};

static enum err list_due(struct ctx *c, unsigned most, struct queued **out)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_MAIL_DUE, ARGS(V_INT(c->now), V_INT(most), V_INT(c->now + waits_longest)));
    while (query_next(&q)) {
        struct queued *row = NEW(c->arena, struct queued);
        TRY_PTR(row);
        struct outbox_letter *l = &row->letter;
        text id = query_get(&q, MAIL_DUE, id), subject = query_get(&q, MAIL_DUE, subject);
        if (id.n != sizeof l->id || (subject.p && subject.n != sizeof l->subject))
            return say(c->arena, ERR_INTEGRITY, "an email has an id of %zu bytes", id.n);
        memcpy(&l->id, id.p, sizeof l->id);
        if ((l->has_subject = subject.p != NULL))
            memcpy(&l->subject, subject.p, sizeof l->subject);
        l->tenant = arena_copy(c->arena, query_get(&q, MAIL_DUE, tenant));
        l->letter = arena_copy(c->arena, query_get(&q, MAIL_DUE, letter));
        l->purpose = arena_copy(c->arena, query_get(&q, MAIL_DUE, purpose));
        row->message.bytes = arena_copy(c->arena, query_get(&q, MAIL_DUE, message).bytes);
        l->created = query_get(&q, MAIL_DUE, created);
        l->tries = query_get(&q, MAIL_DUE, tries);
        *out = row;
        out = &row->next;
    }
    return q.status;
}

static enum err open_letter(struct ctx *c, const struct queued *row, struct outbox_letter *l)
{
    KEY_AUTO key;
    KEY_AUTO own = { { 0 } };
    const struct json *v;
    text clear;
    if (l->has_subject)
        TRY(store_key(ctx_store(c), c->arena, l->tenant, l->subject, 0, &own));
    mail_key(l->has_subject ? &own : store_index_key(ctx_store(c)), &key);
    struct place place = mail_place(l->tenant, l->subject, l->letter, l->id);
    TRY(seal_open(c->arena, &key, &place, row->message, &clear));
    TRY(json_parse(c->arena, clear, &v));
    l->to = json_text(v, TEXT("to"));
    l->subject_line = json_text(v, TEXT("subject"));
    l->text = json_text(v, TEXT("text"));
    l->html = json_text(v, TEXT("html"));
    l->language = json_text(v, TEXT("language"));
    l->noted = json_get(v, TEXT("noted"));
    text title = node_said(node_at(c->policy->root, TEXT("policy.title")), l->language);
    l->from_name = title.n ? title : c->policy->controller.legal_name;
    text reply_to = json_text(v, TEXT("reply_to")), token = json_text(v, TEXT("token"));
    l->reply_to = reply_to.n ? reply_to : c->policy->controller.email;
    l->in_reply_to = json_text(v, TEXT("in_reply_to"));
    l->name = id_print(c->arena, l->id);
    if (token.n)
        l->name = arena_print(c->arena, "%.*s.%.*s", T(l->name), T(token));
    return l->name.p ? OK : ERR_MEMORY;
}

enum err outbox_due(struct ctx *c, unsigned most, struct outbox_letter **out)
{
    struct queued *rows = NULL;
    *out = NULL;
    TRY(list_due(c, most, &rows));
    for (; rows; rows = rows->next) {
        enum err status = open_letter(c, rows, &rows->letter);
        if (status == OK) {
            *out = &rows->letter;
            out = &rows->letter.next;
        } else if (status == ERR_ERASED || status == ERR_CRYPT || status == ERR_JSON) {
            TRY(outbox_failed(c, &rows->letter, true, status == ERR_ERASED ? TEXT("person-gone") : TEXT("sealed")));
        } else
            return status;
    }
    return OK;
}

bool outbox_waits(struct ctx *c, const struct outbox_letter *l)
{
    READ_AUTO db = NULL;
    if (store_read(ctx_store(c), c->arena, &db) != OK)
        return false;
    QUERY_AUTO q;
    query_start(&q, db, SQL_MAIL_WAITS, ARGS(V_TEXT(l->tenant), V_ID(l->id), V_INT(l->tries)));
    return query_next(&q);
}

/* ---- What became of it. ---- */

enum fate { FATE_SENT, FATE_AGAIN, FATE_GIVEN_UP };
struct marking {
    const struct outbox_letter *letter;
    msec now, next;
    enum fate fate;
    text code;
    struct event informed;
};

/* What Article 14 owes was told: the duty is done when the letter is out, not when it was asked for. */
static enum err run_informed(struct db *db, const struct marking *m)
{
    const struct outbox_letter *l = m->letter;
    int64_t done;
    TRY(db_run(db, SQL_DUTY_INFORMED, &done,
               ARGS(V_TEXT(l->tenant), V_ID(l->subject), V_INT(m->now), V_INT(l->created))));
    return done ? journal_add(db, &m->informed, NULL) : OK;
}

static enum err run_mark(struct db *db, void *arg)
{
    const struct marking *m = arg;
    const struct outbox_letter *l = m->letter;
    int64_t changed = 1;
    if (m->fate == FATE_AGAIN)
        return db_run(db, SQL_MAIL_AGAIN, NULL, ARGS(V_TEXT(l->tenant), V_ID(l->id), V_INT(m->next), V_TEXT(m->code)));
    /* What leads to no person is not shown to anybody either: it goes at once. */
    if (!l->has_subject)
        return db_run(db, SQL_MAIL_END, NULL, ARGS(V_TEXT(l->tenant), V_ID(l->id)));
    if (m->fate == FATE_SENT)
        TRY(db_run(db, SQL_MAIL_SENT, &changed,
                   ARGS(V_TEXT(l->tenant), V_ID(l->id), V_INT(m->now), V_INT(m->now + keep_sent))));
    else
        TRY(db_run(db, SQL_MAIL_GIVE_UP, &changed,
                   ARGS(V_TEXT(l->tenant), V_ID(l->id), V_INT(m->now), V_INT(m->now + keep_failed), V_TEXT(m->code))));
    if (changed && m->informed.act.n)
        TRY(run_informed(db, m));
    /* Its person was erased meanwhile, and the row with them: there is nothing to note any more. */
    return changed ? OK : say(db_arena(db), ERR_NOT_FOUND, "the email is no longer there");
}

static enum err run_write(struct db *db, struct write *w) { return run_mark(db, w->arg); }

static struct event letter_event(const struct ctx *c, const struct outbox_letter *l, const struct person *p,
                                 enum fate fate)
{
    struct event e = event_of(c, p, fate == FATE_SENT ? TEXT("mail.sent") : TEXT("mail.failed"));
    e.tenant = l->tenant;
    e.purpose = l->purpose;
    if (fate != FATE_SENT)
        e.outcome = OUTCOME_FAILED;
    return e;
}

static enum err mark(struct ctx *c, struct marking *m, struct person *p)
{
    struct write w = { .run = run_write,
                       .arg = m,
                       .truncate = !m->letter->has_subject && m->fate != FATE_AGAIN,
                       .event = letter_event(c, m->letter, p, m->fate) };
    return write_do(c, &w, NULL);
}

/* With the contact that the log keeps, in one commit. */
static enum err mark_and_log(struct ctx *c, struct marking *m, struct person *p)
{
    struct change ch;
    bool kept = false;
    const struct contact_said said = { TEXT("email"), m->letter->subject_line, c->now, m->letter->noted };
    struct why before = c->arena->why;
    enum err status = contact_prepare(c, p, &said, &ch, &kept);
    if (status == ERR_MISSING && !said.noted) { /* the log wants what only a member of staff can say */
        c->arena->why = before;
        return mark(c, m, p);
    }
    if (status != OK)
        LOG(LOG_WARN, "contact.not-logged", LOG_TEXT("code", err_row(status)->slug),
            LOG_TEXT("why", text_of(c->arena->why.detail)));
    if (status != OK || !kept)
        return mark(c, m, p);
    struct event event = letter_event(c, m->letter, p, FATE_SENT);
    event.categories = c->policy->categories[ch.records[0].category].name;
    event.count = 1;
    ch.also = run_mark;
    ch.also_arg = m;
    return change_write(c, &ch, event, NULL);
}

/* The letter's person, when it has one who is still there. */
static enum err person_of(struct ctx *c, const struct outbox_letter *l, struct person *p, bool *there)
{
    *there = false;
    if (!l->has_subject)
        return OK;
    enum err status = person_open_anyway(c, id_print(c->arena, l->subject), p);
    *there = status == OK;
    return status == ERR_NOT_FOUND ? OK : status;
}

enum err outbox_sent(struct ctx *c, const struct outbox_letter *l)
{
    PERSON_AUTO p = { 0 };
    struct ctx in = *c;
    struct marking m = { .letter = l, .now = c->now, .fate = FATE_SENT };
    bool there;
    in.tenant = l->tenant;
    TRY(person_of(&in, l, &p, &there));
    if (there && letter_informs(l->letter)) {
        m.informed = event_of(&in, &p, TEXT("duty.done"));
        m.informed.purpose = TEXT("done");
        m.informed.tenant = l->tenant;
    }
    enum err status = ERR_CONFLICT;
    for (int again = 0; status == ERR_CONFLICT && again < AGAIN; again++)
        status = there ? mark_and_log(&in, &m, &p) : mark(&in, &m, NULL);
    if (status == OK || status == ERR_NOT_FOUND)
        c->app->mail.sent++;
    return status == ERR_NOT_FOUND ? OK : status;
}

enum err outbox_failed(struct ctx *c, const struct outbox_letter *l, bool for_good, text code)
{
    PERSON_AUTO p = { 0 };
    struct ctx in = *c;
    bool there, over = for_good || l->tries + 1 >= TRIES_MAX;
    struct marking m = { .letter = l, .now = c->now, .fate = over ? FATE_GIVEN_UP : FATE_AGAIN, .code = code };
    if (!over)
        m.next = c->now + waits[l->tries];
    in.tenant = l->tenant;
    TRY(person_of(&in, l, &p, &there));
    enum err status = mark(&in, &m, there ? &p : NULL);
    if (over && (status == OK || status == ERR_NOT_FOUND))
        c->app->mail.failed++;
    return status == ERR_NOT_FOUND ? OK : status;
}

/* The desk: gathered from every register, put in order, and given as a list or as a calendar. */
#include "domain/desk/desk.h"
#include "base/log.h"
#include "domain/board/board.h"
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/desk/figures.h"
#include "domain/person/account.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"
#include <stdlib.h>

enum { ITEMS = 1000, ANSWER_MAX = 1 << 20 };
static const msec week = 7 * DAY, now_is = 2 * DAY;

/* ---- Rows of kinds.def. ---- */
enum kind {
#define DESK(name, ...) DESK_##name,
#include "domain/desk/kinds.def"
    KINDS
};
static const struct {
    text name, path, en, fr;
} kinds[] = {
#define DESK(name, path, en, fr) { TEXT_INIT(#name), TEXT_INIT(path), TEXT_INIT(en), TEXT_INIT(fr) },
#include "domain/desk/kinds.def"
};

/* In the order in which they are shown. */
enum urgency { LATE, NOW, WEEK, OPEN };
static const text severities[] = { TEXT_INIT("late"), TEXT_INIT("now"), TEXT_INIT("week"), TEXT_INIT("open") };

struct item {
    enum kind kind;
    enum urgency severity;
    struct subject_id id, subject;
    bool has_id, has_subject;
    msec due;                             /* 0: none */
    text version, recipient, title, note; /* title: in place of the kind's */
    int64_t count;                        /* of people; 0: it is one */
};
struct desk {
    struct ctx *c;
    struct item *items;
    unsigned count;
    int64_t counts[KINDS];
    bool whom; /* whoever it is about is led to */
};

static enum urgency severity_of(msec now, msec due)
{
    if (!due)
        return OPEN;
    return due <= now ? LATE : due <= now + now_is ? NOW : WEEK;
}

static struct item *add(struct desk *d, enum kind kind, msec due)
{
    struct item *one = &d->items[d->count];
    d->count += d->count < ITEMS; /* the last place is for what is beyond all that is ever shown; it is counted */
    *one = (struct item){ .kind = kind, .due = due, .severity = severity_of(d->c->now, due) };
    return one;
}

/* ---- Gathered. ---- */

static enum err gather_rows(struct desk *d, struct db *db, enum kind kind, enum sql sql)
{
    QUERY_AUTO q;
    query_start(&q, db, sql, ARGS(V_TEXT(d->c->tenant), V_INT(d->c->now + week), V_INT(DESK_SHOWN)));
    for (int64_t n = 0; query_next(&q); n++) {
        struct item *one = add(d, kind, query_int(&q, COL(DESK_DUTIES, due)));
        bool about = kind == DESK_duty || kind == DESK_hold;
        text id = query_bytes(&q, COL(DESK_DUTIES, id));
        text subject = about ? query_bytes(&q, COL(DESK_DUTIES, subject)) : TEXT("");
        one->has_id = id.n == sizeof one->id;
        if (one->has_id)
            memcpy(&one->id, id.p, sizeof one->id);
        one->has_subject = subject.n == sizeof one->subject;
        if (one->has_subject)
            memcpy(&one->subject, subject.p, sizeof one->subject);
        if (kind == DESK_telling)
            one->recipient = arena_copy(d->c->arena, query_get(&q, DESK_TELLINGS, about));
        d->counts[kind] = n + 1;
    }
    return q.status;
}

static enum err count_rows(struct desk *d, struct db *db, enum kind kind, enum sql sql)
{
    if (d->counts[kind] < DESK_SHOWN)
        return OK;
    QUERY_AUTO q;
    query_start(&q, db, sql, ARGS(V_TEXT(d->c->tenant), V_INT(d->c->now + week)));
    if (query_next(&q))
        d->counts[kind] = query_int(&q, COL(DESK_COUNT_DUTIES, count));
    return q.status;
}

static enum err gather_versions(struct desk *d, struct db *db)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_DESK_VERSIONS, ARGS(V_INT(d->c->now + week)));
    while (query_next(&q)) {
        struct item *one = add(d, DESK_version, query_get(&q, DESK_VERSIONS, due));
        one->version = arena_copy(d->c->arena, query_get(&q, DESK_VERSIONS, hash));
        d->counts[DESK_version]++;
    }
    return q.status;
}

static enum err awaited_of(struct desk *d, struct db *db, text role, int64_t *count)
{
    QUERY_AUTO q;
    query_start(&q, db, SQL_DESK_AWAITED,
                ARGS(V_TEXT(d->c->tenant), V_TEXT(text_of(d->c->policy->hash)), V_TEXT(role)));
    if (query_next(&q))
        *count += query_get(&q, DESK_AWAITED, count);
    return q.status;
}

static enum err gather_awaited(struct desk *d, struct db *db)
{
    const struct node *named = node_at(d->c->policy->root, TEXT("changes.acknowledged_by"));
    int64_t count = 0;
    if (node_has(named, TEXT("everyone")))
        TRY(awaited_of(d, db, TEXT("everyone"), &count));
    else
        NODE_EACH(role, named)
            TRY(awaited_of(d, db, role->value, &count));
    if (count)
        add(d, DESK_acknowledgement, 0)->count = count;
    d->counts[DESK_acknowledgement] = count;
    return OK;
}

/* What the probes know already: broken stands first, at risk behind what has a date. Breaches and requests that are
 * late stand here themselves. */
static enum err gather_board(struct desk *d)
{
    struct board_view *v = NEW(d->c->arena, struct board_view);
    TRY_PTR(v);
    TRY(board_look(d->c, 0, v));
    for (unsigned i = 0; i < PROBES; i++) {
        const struct board_probe *p = &v->probes[i];
        bool own = i == PROBE_breaches || i == PROBE_register || i == PROBE_duties;
        if (!p->applies || own || (p->state != PROMISE_BROKEN && !(p->state == PROMISE_RISK && p->soon)))
            continue;
        const struct probe_row *row = probe_row((enum probe)i);
        struct item *one = add(d, DESK_promise, 0);
        one->severity = p->state == PROMISE_BROKEN ? LATE : OPEN;
        one->title = doc_in(d->c, row->risk.en, row->risk.fr);
        if (p->state == PROMISE_BROKEN)
            one->title = arena_print(d->c->arena, "%.*s%.*s%.*s (%lld)", T(doc_in(d->c, row->title.en, row->title.fr)),
                                     T(doc_in(d->c, TEXT(": "), TEXT(" : "))),
                                     T(doc_in(d->c, row->bad.en, row->bad.fr)), (long long)p->bad);
        d->counts[DESK_promise]++;
    }
    return OK;
}

static int by_urgency(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    if (a->severity != b->severity)
        return a->severity < b->severity ? -1 : 1;
    if (a->due != b->due)
        return a->due < b->due ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return memcmp(&a->id, &b->id, sizeof a->id);
}

static enum err gather_tables(struct desk *d)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(d->c), d->c->arena, &db));
    TRY(gather_rows(d, db, DESK_breach, SQL_DESK_BREACHES));
    TRY(gather_rows(d, db, DESK_sign, SQL_DESK_SIGNS));
    TRY(gather_rows(d, db, DESK_authority, SQL_DESK_AUTHORITIES));
    TRY(gather_rows(d, db, DESK_request, SQL_DESK_REQUESTS));
    TRY(gather_rows(d, db, DESK_duty, SQL_DESK_DUTIES));
    TRY(gather_rows(d, db, DESK_telling, SQL_DESK_TELLINGS));
    TRY(gather_rows(d, db, DESK_hold, SQL_DESK_HOLDS));
    TRY(count_rows(d, db, DESK_request, SQL_DESK_COUNT_REQUESTS));
    TRY(count_rows(d, db, DESK_duty, SQL_DESK_COUNT_DUTIES));
    TRY(count_rows(d, db, DESK_telling, SQL_DESK_COUNT_TELLINGS));
    TRY(count_rows(d, db, DESK_hold, SQL_DESK_COUNT_HOLDS));
    TRY(gather_versions(d, db));
    return gather_awaited(d, db);
}

static enum err gather(struct ctx *c, struct desk *d)
{
    const struct actor_class *class = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    *d = (struct desk){ .c = c, .whom = !class || !class->reason };
    d->items = NEW_ARRAY(c->arena, struct item, ITEMS + 1);
    TRY_PTR(d->items);
    TRY(gather_tables(d));
    TRY(gather_board(d));
    qsort(d->items, d->count, sizeof *d->items, by_urgency);
    return arena_whole(c->arena);
}

static enum err may(struct ctx *c)
{
    if (person_sees_team(c)) {
        say(c->arena, ERR_FORBIDDEN, "the desk is for who answers everybody, not a team alone");
        return write_refusal(c, NULL, TEXT(""), TEXT(""));
    }
    return person_allow_act(c, NULL, ACT_EXPORT);
}

/* ---- Shown. ---- */

static text with(struct arena *a, text path, const char *mark, text value)
{
    ptrdiff_t at = text_find(path, text_of(mark));
    if (at < 0)
        return path;
    return arena_print(a, "%.*s%.*s%.*s", T(text_upto(path, (size_t)at)), T(value),
                       T(text_from(path, (size_t)at + text_of(mark).n)));
}

/* A role that must say why it looks is led to the list of people, where it says so. */
static text path_of(const struct desk *d, const struct item *one)
{
    struct arena *a = d->c->arena;
    text path = kinds[one->kind].path;
    if (one->kind == DESK_duty || one->kind == DESK_hold)
        return one->has_subject && d->whom ? with(a, path, "SUBJECT", id_print(a, one->subject))
                                           : TEXT("/staff/people");
    if (one->kind == DESK_telling)
        return with(a, path, "RECIPIENT", one->recipient);
    if (one->kind == DESK_version)
        return with(a, path, "VERSION", one->version);
    return with(a, path, "ID", id_print(a, one->id));
}

static text title_of(const struct desk *d, const struct item *one)
{
    return one->title.n ? one->title : doc_in(d->c, kinds[one->kind].en, kinds[one->kind].fr);
}

static text reference_of(const struct desk *d, const struct item *one)
{
    text id = id_print(d->c->arena, one->id);
    return one->has_id && id.n > 6 ? text_from(id, id.n - 6) : (text){ NULL, 0 };
}

static int64_t days_left(const struct ctx *c, msec due)
{
    return date_days(value_day(c, due - 1)) - date_days(value_day(c, c->now));
}

static void put_item(const struct desk *d, const struct item *one, struct json_out *w)
{
    json_open(w, '{');
    json_pair(w, TEXT("kind"), kinds[one->kind].name);
    json_pair(w, TEXT("title"), title_of(d, one));
    json_pair(w, TEXT("reference"), reference_of(d, one));
    json_pair(w, TEXT("path"), path_of(d, one));
    json_pair(w, TEXT("due"), one->due ? time_print(d->c->arena, one->due) : (text){ NULL, 0 });
    json_name(w, TEXT("days_left"));
    if (one->due)
        json_put_int(w, days_left(d->c, one->due));
    else
        json_put_null(w);
    json_pair(w, TEXT("severity"), severities[one->severity]);
    if (one->count)
        json_pair_int(w, TEXT("count"), one->count);
    json_close(w, '}');
}

static void put_counts(const struct desk *d, struct json_out *w)
{
    json_name(w, TEXT("counts"));
    json_open(w, '[');
    for (unsigned i = 0; i < KINDS; i++) {
        if (!d->counts[i])
            continue;
        json_open(w, '{');
        json_pair(w, TEXT("kind"), kinds[i].name);
        json_pair(w, TEXT("title"), doc_in(d->c, kinds[i].en, kinds[i].fr));
        json_pair_int(w, TEXT("count"), d->counts[i]);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* ---- The address of the calendar. ---- */

enum { PROOF = 16 };

/* Of whom, in which tenant, under which password: a new password ends the addresses of before. */
static void prove(const struct ctx *c, text tenant, struct subject_id id, msec password_at, char out[PROOF * 2 + 1])
{
    struct digest d;
    text said = arena_print(c->arena, "%.*s.%lld", T(id_print(c->arena, id)), (long long)password_at);
    BUF_AUTO b = buf_make(PROOF * 2 + 1);
    digest_identifier(store_index_key(ctx_store(c)), tenant, TEXT("desk.calendar"), said, &d);
    buf_hex(&b, (text){ (const char *)d.b, PROOF });
    text hex = buf_made(c->arena, &b);
    text_cstr(hex, out, PROOF * 2 + 1);
}

static enum err feed_of(struct ctx *c, text *out)
{
    struct account account;
    char proof[PROOF * 2 + 1];
    *out = (text){ NULL, 0 };
    if (!c->actor.has_self)
        return OK;
    TRY(account_load(c, c->actor.self, &account));
    prove(c, c->tenant, c->actor.self, account.password_at, proof);
    *out = arena_print(c->arena, "/desk/%.*s%s.ics", T(id_print(c->arena, c->actor.self)), proof);
    return out->p ? OK : ERR_MEMORY;
}

static enum err put_desk(struct ctx *c, struct desk *d, struct look_list *l, struct json_out *w)
{
    unsigned shown = d->count < DESK_SHOWN ? d->count : DESK_SHOWN;
    int64_t all = 0;
    text feed;
    TRY(feed_of(c, &feed));
    json_name(w, TEXT("items"));
    json_open(w, '[');
    for (unsigned i = 0; i < shown; i++) {
        put_item(d, &d->items[i], w);
        if (d->items[i].has_subject && d->whom)
            TRY(look_saw(c, l, d->items[i].subject));
    }
    json_close(w, ']');
    put_counts(d, w);
    TRY(desk_put_figures(c, w));
    for (unsigned i = 0; i < KINDS; i++)
        all += d->counts[i];
    json_pair_bool(w, TEXT("more"), all > d->counts[DESK_acknowledgement] + shown);
    json_pair_bool(w, TEXT("calm"), d->count == 0);
    json_pair(w, TEXT("feed"), feed);
    return OK;
}

static enum err may_list(struct ctx *c, struct look_list *l)
{
    (void)l;
    return may(c);
}

static enum err show_list(struct ctx *c, struct look_list *l, struct json_out *w)
{
    l->count = 0;
    return put_desk(c, l->arg, l, w);
}

static bool leads_to_people(const struct desk *d)
{
    for (unsigned i = 0; i < d->count && i < DESK_SHOWN; i++)
        if (d->items[i].has_subject && d->whom)
            return true;
    return false;
}

enum err desk_show(struct ctx *c, struct answer *out)
{
    struct desk d;
    struct look_list l = {
        .act = TEXT("desk.seen"), .each = TEXT("desk.listed"), .may = may_list, .show = show_list, .arg = &d
    };
    TRY(may(c));
    TRY(gather(c, &d));
    if (leads_to_people(&d))
        return look_at_people(c, &l, out);
    BUF_AUTO b = buf_make(ANSWER_MAX);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    TRY(put_desk(c, &d, &l, &w));
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- The calendar. ---- */

/* RFC 5545, 3.1: lines of at most 75 bytes, folded between characters. */
static void line(struct buf *b, text s)
{
    size_t room = 75;
    while (s.n > room) {
        size_t end = room;
        while (end > 1 && ((unsigned char)s.p[end] & 0xC0) == 0x80)
            end--;
        buf_add(b, text_upto(s, end));
        buf_add(b, TEXT("\r\n "));
        s = text_from(s, end);
        room = 74;
    }
    buf_add(b, s);
    buf_add(b, TEXT("\r\n"));
}

static text stamp(struct arena *a, msec at)
{
    char t[TIME_TEXT + 1];
    time_text(at, t);
    return arena_print(a, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", t, t + 5, t + 8, t + 11, t + 14, t + 17);
}

static text escaped(struct arena *a, text s)
{
    BUF_AUTO b = buf_make(1 << 12);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ',' || s.p[i] == ';' || s.p[i] == '\\')
            buf_char(&b, '\\');
        buf_char(&b, s.p[i]);
    }
    return buf_made(a, &b);
}

/* What leads to a person leads to the desk here: a calendar is kept elsewhere. */
static void put_event(const struct desk *d, const struct item *one, struct buf *b)
{
    struct arena *a = d->c->arena;
    bool about = one->kind == DESK_duty || one->kind == DESK_hold;
    text path = about ? TEXT("/staff/desk") : path_of(d, one), reference = reference_of(d, one);
    msec due = one->due ? one->due : d->c->now;
    line(b, TEXT("BEGIN:VEVENT"));
    line(b, arena_print(a, "UID:%.*s-%.*s@garant", T(kinds[one->kind].name),
                        T(one->has_id ? id_print(a, one->id) : one->version)));
    line(b, arena_print(a, "DTSTAMP:%.*s", T(stamp(a, d->c->now))));
    line(b, arena_print(a, "DTSTART:%.*s", T(stamp(a, due))));
    line(b,
         arena_print(a, "SUMMARY:%.*s%s%.*s", T(escaped(a, title_of(d, one))), reference.n ? " · " : "", T(reference)));
    if (d->c->app->public_url[0])
        line(b, arena_print(a, "URL:%s%.*s", d->c->app->public_url, T(path)));
    line(b, TEXT("END:VEVENT"));
}

enum err desk_calendar(struct ctx *c, struct answer *out)
{
    struct desk d;
    BUF_AUTO b = buf_make(ANSWER_MAX);
    TRY(may(c));
    TRY(gather(c, &d));
    line(&b, TEXT("BEGIN:VCALENDAR"));
    line(&b, TEXT("VERSION:2.0"));
    line(&b, TEXT("PRODID:-//Garant//Desk//EN"));
    line(&b, TEXT("X-PUBLISHED-TTL:PT1H"));
    for (unsigned i = 0; i < d.count && i < DESK_SHOWN; i++)
        if (d.items[i].due)
            put_event(&d, &d.items[i], &b);
    line(&b, TEXT("END:VCALENDAR"));
    out->media_type = TEXT("text/calendar; charset=utf-8");
    TRY(arena_whole(c->arena));
    return buf_take(c->arena, &b, &out->body);
}

static enum err nobody(struct ctx *c) { return say(c->arena, ERR_NOT_FOUND, "there is no such calendar"); }

/* Whose it is, as they stand today: the tenant that proves it, an open account, and its role. */
static enum err act_as_owner(struct ctx *c, struct subject_id id, text proof)
{
    struct account account;
    char good[PROOF * 2 + 1];
    for (unsigned i = 0; i < c->policy->tenant_count; i++) {
        PERSON_AUTO p = { 0 };
        c->tenant = c->policy->tenants[i];
        struct why kept = c->arena->why;
        enum err found = person_open(c, id_print(c->arena, id), false, &p);
        if (found == ERR_NOT_FOUND) {
            c->arena->why = kept;
            continue;
        }
        TRY(found);
        TRY(account_load(c, id, &account));
        prove(c, c->tenant, id, account.password_at, good);
        int role = account.role.n ? policy_actor(c->policy, account.role) : -1;
        if (!text_eq(text_of(good), proof) || !text_eq(account.state, ACCOUNT_OPEN) || role < 0)
            return nobody(c);
        c->actor = (struct actor){ .kind = c->policy->actors[role].kind,
                                   .index = role,
                                   .name = c->policy->actors[role].name,
                                   .agreement = account.agreement != 0,
                                   .has_self = true,
                                   .self = id };
        return OK;
    }
    return nobody(c);
}

enum err desk_feed(struct ctx *c, text token, struct answer *out)
{
    struct subject_id id;
    bool whole = text_ends(token, TEXT(".ics")) && token.n == ID_TEXT + PROOF * 2 + 4;
    if (!whole || !id_parse(text_upto(token, ID_TEXT), &id))
        return nobody(c);
    c->actor = actor_server(); /* finds whom it is about; what is shown is decided for them */
    TRY(act_as_owner(c, id, text_upto(text_from(token, ID_TEXT), PROOF * 2)));
    if (desk_calendar(c, out) == OK)
        return OK;
    return c->arena->why.code == ERR_FORBIDDEN || c->arena->why.code == ERR_PURPOSE ? nobody(c) : c->arena->why.code;
}

/* Staff decide on what was sent in and on what others reported; whoever it concerns is told why, in the same commit. */
#include "domain/publication/shown.h"
#include "domain/core/actor.h"
#include "domain/core/budget.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/core/written.h"
#include "domain/mail/mail.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"
#include "domain/person/reach.h"
#include "policy/due.h"

enum { REASON_MOST = 4000 };

/* ---- Who may. ---- */

/* Whoever works for the purpose of the publication; whether its consent is in force is asked only to publish. */
static enum err may_decide(struct ctx *c, const struct person *p, const struct shown *s, bool publish)
{
    struct bits set = { { 0 } }, given = { { 0 } };
    int category = policy_category(c->policy, s->category), purpose = policy_purpose(c->policy, s->purpose);
    if (category < 0 || purpose < 0)
        return shown_none(c);
    bits_add(&set, (unsigned)category);
    bits_add(&given, (unsigned)purpose);
    return publish ? person_allow(c, p, s->purpose, &set, ACT_WRITE)
                   : person_allow_some(c, NULL, &given, s->purpose, &set, ACT_WRITE);
}

/* ---- What waits. ---- */

struct waiting {
    const struct category *cat;
    struct subject_id after;
};

static enum err may_list(struct ctx *c, struct look_list *l)
{
    const struct waiting *of = l->arg;
    struct bits set = { { 0 } }, given = { { 0 } };
    bits_add(&set, (unsigned)(of->cat - c->policy->categories));
    bits_add(&given, (unsigned)of->cat->public_for);
    return person_allow_some(c, NULL, &given, l->purpose, &set, ACT_READ);
}

/* Who sees their team alone sees what their team sent in. */
static enum err in_team(struct ctx *c, struct subject_id id, bool *is)
{
    *is = !person_sees_team(c);
    return *is || !c->actor.has_self ? OK : team_has(c, c->actor.self, id, is);
}

/* Who withdrew since is left out. */
static enum err put_waiting(struct ctx *c, struct look_list *l, struct subject_id id, struct json_out *w)
{
    PERSON_AUTO p = { 0 };
    struct shown s;
    const struct json *fields;
    bool live, reached;
    TRY(shown_find(c, id_print(c->arena, id), &s));
    TRY(in_team(c, s.subject, &reached));
    if (!reached)
        return OK;
    TRY(shown_open(c, &s, s.at, &p, &fields, &live));
    if (!live)
        return OK;
    TRY(look_saw(c, l, p.id));
    json_open(w, '{');
    shown_put(c, &s, fields, w);
    json_pair(w, TEXT("subject"), id_print(c->arena, s.subject));
    json_pair(w, TEXT("attachment"), s.has_file ? id_print(c->arena, s.file) : (text){ NULL, 0 });
    json_close(w, '}');
    return OK;
}

static enum err load_waiting(struct ctx *c, const struct look_list *l, struct subject_id *ids, int64_t *count,
                             bool *more)
{
    const struct waiting *of = l->arg;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_PUBLICATION_WAITING,
                ARGS(V_TEXT(c->tenant), V_TEXT(of->cat->name), V_ID(of->after), V_INT(l->asked->limit + 1)));
    for (*count = 0; paging_row(l->asked, &q, count, more);)
        memcpy(&ids[*count - 1], query_get(&q, PUBLICATION_WAITING, id).p, sizeof *ids);
    return q.status;
}

static enum err show_waiting(struct ctx *c, struct look_list *l, struct json_out *w)
{
    bool more;
    struct subject_id *ids = NEW_ARRAY(c->arena, struct subject_id, (size_t)l->asked->limit + 1);
    TRY_PTR(ids);
    TRY(load_waiting(c, l, ids, &l->count, &more));
    json_name(w, TEXT("waiting"));
    json_open(w, '[');
    for (int64_t i = 0; i < l->count; i++)
        TRY(put_waiting(c, l, ids[i], w));
    json_close(w, ']');
    return paging_end(c, more, more ? id_print(c->arena, ids[l->count - 1]) : TEXT(""), w, &l->out);
}

enum err publication_waiting(struct ctx *c, text category, const struct paging *asked, struct answer *out)
{
    struct waiting of = { .after = { { 0 } } };
    TRY(publication_category(c, category, &of.cat));
    struct look_list l = { .act = TEXT("subject.list"),
                           .each = TEXT("read"),
                           .purpose = c->policy->purposes[of.cat->public_for].name,
                           .may = may_list,
                           .show = show_waiting,
                           .asked = asked,
                           .arg = &of };
    if (asked->after.n && !id_parse(asked->after, &of.after))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}

/* ---- A decision. ---- */

struct deciding {
    struct ctx *c;
    struct shown s;
    int64_t state, from, other; /* from, other: the states it is decided in */
    text reason, kept;
    struct mail_put letter, answer;
    bool has_letter, has_answer;
    struct subject_id report;
    bool reported;
    msec due;
    text decision;
};

static enum err run_decide(struct db *db, struct write *w)
{
    const struct deciding *d = w->arg;
    int64_t changed = 1;
    if (d->reported) {
        TRY(db_run(db, SQL_REPORT_DECIDE, &changed,
                   ARGS(V_TEXT(d->c->tenant), V_ID(d->report), V_TEXT(d->decision), V_INT(d->due))));
        if (!changed)
            return say(db_arena(db), ERR_CONFLICT, "this report is answered already");
    }
    if (d->state >= 0)
        TRY(db_run(db, SQL_PUBLICATION_SET, &changed,
                   ARGS(V_TEXT(d->c->tenant), V_ID(d->s.subject), V_ID(d->s.id), V_INT(d->state), V_INT(d->from),
                        V_INT(d->c->now), d->kept.n ? V_TEXT(d->kept) : V_NULL, V_INT(d->other))));
    if (!changed && !d->reported)
        return say(db_arena(db), ERR_CONFLICT, "this was decided already, or taken down by its person");
    if (d->has_letter)
        TRY(mail_run_put(db, &d->letter));
    return d->has_answer ? mail_run_put(db, &d->answer) : OK;
}

static enum err take_reason(struct ctx *c, const struct json *in, bool needed, struct deciding *d)
{
    d->reason = text_trim(json_text(in, TEXT("reason")));
    if (needed && !d->reason.n) {
        say(c->arena, ERR_MISSING, "\"reason\" says why: the person is told it");
        snprintf(c->arena->why.field, sizeof c->arena->why.field, "reason");
        return ERR_MISSING;
    }
    if (d->reason.n > REASON_MOST)
        return say(c->arena, ERR_VALUE, "a reason has at most %d bytes", REASON_MOST);
    TRY(value_no_card(c, TEXT("reason"), d->reason));
    return written_seal(ctx_store(c), c->arena, c->tenant, TEXT("publication"), d->reason, &d->kept);
}

/* To its person, where they have an address: what, and why. */
static enum err make_letter(struct ctx *c, const struct person *p, const char *letter, struct deciding *d)
{
    int index = policy_category(c->policy, d->s.category), at;
    struct ctx in = *c;
    text to;
    TRY(mail_address(c, p, &to, &at));
    d->has_letter = to.n && c->app->public_url[0];
    if (!d->has_letter)
        return OK;
    TRY(mail_language(c, p, &in.language));
    text title = index >= 0 ? doc_category(&in, &c->policy->categories[index]) : d->s.category;
    const struct pair_text pairs[] = { { TEXT("what"), arena_print(c->arena, "%.*s, %.*s", T(title),
                                                                   T(doc_day(&in, time_print(c->arena, d->s.at)))) },
                                       { TEXT("reason"), d->reason } };
    return mail_make(c, p, to, text_of(letter), &(struct letter_values){ pairs, 2 }, &d->letter);
}

static enum err write_decision(struct ctx *c, const struct person *p, struct deciding *d, const char *act,
                               struct answer *out)
{
    struct write w = { .run = run_decide, .arg = d, .urgent = d->state == DOWN, .event = event_of(c, p, text_of(act)) };
    w.event.purpose = d->s.purpose;
    w.event.categories = d->s.category;
    w.event.count = 1;
    out->body = arena_print(c->arena, "{\"id\":\"%.*s\",\"decision\":\"%.*s\"}", T(id_print(c->arena, d->s.id)),
                            T(d->decision));
    TRY_PTR(out->body.p);
    return write_do(c, &w, out);
}

enum err publication_decide(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    static const struct {
        text word;
        int64_t to, from;
        const char *act, *letter;
    } ways[] = { { TEXT_INIT("publish"), PUBLISHED, WAITING, "publication.shown", NULL },
                 { TEXT_INIT("refuse"), REFUSED, WAITING, "publication.refused", "publication_refused" },
                 { TEXT_INIT("take_down"), DOWN, PUBLISHED, "publication.down", "publication_down" } };
    PERSON_AUTO p = { 0 };
    struct deciding d = { .c = c, .decision = json_text(in, TEXT("decision")) };
    size_t i = 0;
    while (i < 3 && !text_eq(ways[i].word, d.decision))
        i++;
    if (i == 3)
        return say(c->arena, ERR_VALUE, "\"decision\" is publish, refuse or take_down");
    TRY(shown_find(c, id, &d.s));
    TRY(person_open(c, id_print(c->arena, d.s.subject), false, &p));
    TRY(may_decide(c, &p, &d.s, !ways[i].letter));
    TRY(take_reason(c, in, ways[i].letter != NULL, &d));
    d.state = ways[i].to;
    d.from = ways[i].from;
    d.other = ways[i].from;
    if (ways[i].letter)
        TRY(make_letter(c, &p, ways[i].letter, &d));
    return write_decision(c, &p, &d, ways[i].act, out);
}

/* ---- Reports. ---- */

struct reporting {
    struct ctx *c;
    struct subject_id id;
    struct shown s;
    text body;
};

static enum err run_report(struct db *db, struct write *w)
{
    const struct reporting *r = w->arg;
    return db_run(
        db, SQL_REPORT_ADD, NULL,
        ARGS(V_TEXT(r->c->tenant), V_ID(r->id), V_ID(r->s.subject), V_ID(r->s.id), V_TEXT(r->body), V_INT(r->c->now)));
}

static enum err body_of(struct ctx *c, const struct json *in, text *out)
{
    text reason = text_trim(json_text(in, TEXT("reason"))), email = text_trim(json_text(in, TEXT("email")));
    const struct json *faith = json_get(in, TEXT("good_faith"));
    bool believes = faith && (faith->truth || text_eq(json_text(in, TEXT("good_faith")), TEXT("on")));
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    text clear;
    if (!reason.n || !believes) {
        say(c->arena, ERR_MISSING,
            "a report says why (\"reason\"), and that it is made in good faith (\"good_faith\")");
        snprintf(c->arena->why.field, sizeof c->arena->why.field, "%s", reason.n ? "good_faith" : "reason");
        return ERR_MISSING;
    }
    if (reason.n > REASON_MOST)
        return say(c->arena, ERR_VALUE, "a reason has at most %d bytes", REASON_MOST);
    if (email.n && !value_is_email(c->arena, email)) {
        say(c->arena, ERR_VALUE, "\"email\" is an address like name@example.org");
        snprintf(c->arena->why.field, sizeof c->arena->why.field, "email");
        return ERR_VALUE;
    }
    TRY(value_no_card_in(c, TEXT("the report"), in));
    json_open(&w, '{');
    json_pair(&w, TEXT("reason"), reason);
    json_pair(&w, TEXT("email"), email.n ? email : (text){ NULL, 0 });
    json_pair(&w, TEXT("language"), c->language);
    json_close(&w, '}');
    TRY(buf_take(c->arena, &b, &clear));
    return written_seal(ctx_store(c), c->arena, c->tenant, TEXT("publication_report"), clear, out);
}

enum err publication_report(struct ctx *c, text name, text id, const struct json *in, struct answer *out)
{
    struct reporting r = { .c = c, .id = id_make(c->now) };
    struct answer seen = { 0 };
    TRY(publication_get(c, name, id, &seen)); /* what nobody sees is not reported */
    TRY(shown_find(c, id, &r.s));
    TRY(body_of(c, in, &r.body));
    TRY(budget_take(c, BUDGET_reports_sent, c->address));
    struct write w = { .run = run_report, .arg = &r, .event = event_of(c, NULL, TEXT("publication.reported")) };
    w.event.categories = r.s.category;
    out->body = TEXT("{\"state\":\"received\"}");
    return write_do(c, &w, out);
}

/* Opened for who decides on it: the reporter is nobody's person, the publication is found by its own look. */
static enum err open_report(struct ctx *c, text kept, const struct json **out)
{
    text clear;
    TRY(written_open(ctx_store(c), c->arena, c->tenant, TEXT("publication_report"), kept, &clear));
    return json_parse(c->arena, clear, out);
}

struct report_row {
    struct subject_id id, publication, subject;
    text body;
    msec at;
};

/* Whoever decides on publications sees reports on those of their purposes, and of their team where they see that. */
static const struct actor_class *deciders(const struct ctx *c)
{
    const struct actor_class *class = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    return class && !class->closed && (class->acts >> ACT_WRITE & 1) ? class : NULL;
}

static enum err may_list_reports(struct ctx *c, struct look_list *l)
{
    (void)c;
    l->count = 0;
    return OK; /* the route asks for the act; whose purposes are others is shown none */
}

static enum err load_reports(struct ctx *c, const struct look_list *l, struct report_row *rows, int64_t *count,
                             bool *more)
{
    const struct subject_id *after = l->arg;
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_REPORT_LIST,
                ARGS(V_TEXT(c->tenant), V_ID(*after), V_INT(l->asked->limit + 1), V_INT(person_sees_team(c)),
                     V_ID(c->actor.self)));
    for (*count = 0; paging_row(l->asked, &q, count, more);) {
        struct report_row *r = &rows[*count - 1];
        memcpy(&r->id, query_get(&q, REPORT_LIST, id).p, sizeof r->id);
        memcpy(&r->publication, query_get(&q, REPORT_LIST, publication).p, sizeof r->publication);
        memcpy(&r->subject, query_get(&q, REPORT_LIST, subject).p, sizeof r->subject);
        r->body = arena_copy(c->arena, query_get(&q, REPORT_LIST, body));
        r->at = query_get(&q, REPORT_LIST, at);
    }
    return q.status;
}

static enum err put_report(struct ctx *c, struct look_list *l, const struct report_row *r, struct json_out *w)
{
    struct shown s;
    const struct json *said;
    const struct actor_class *class = deciders(c);
    TRY(shown_find(c, id_print(c->arena, r->publication), &s));
    int purpose = policy_purpose(c->policy, s.purpose);
    if (purpose < 0 || !class || !bits_has(&class->purposes, (unsigned)purpose))
        return OK;
    TRY(look_saw(c, l, r->subject));
    TRY(open_report(c, r->body, &said));
    json_open(w, '{');
    json_pair(w, TEXT("id"), id_print(c->arena, r->id));
    json_pair(w, TEXT("publication"), id_print(c->arena, r->publication));
    json_pair(w, TEXT("category"), s.category);
    json_pair(w, TEXT("address"),
              arena_print(c->arena, "/publications/%.*s/%.*s", T(s.category), T(id_print(c->arena, r->publication))));
    json_pair(w, TEXT("at"), time_print(c->arena, r->at));
    json_pair(w, TEXT("reason"), json_text(said, TEXT("reason")));
    json_pair(w, TEXT("email"), json_text(said, TEXT("email")));
    json_close(w, '}');
    return OK;
}

static enum err show_reports(struct ctx *c, struct look_list *l, struct json_out *w)
{
    bool more = false;
    struct report_row *rows = NEW_ARRAY(c->arena, struct report_row, (size_t)l->asked->limit + 1);
    TRY_PTR(rows);
    TRY(load_reports(c, l, rows, &l->count, &more));
    json_name(w, TEXT("reports"));
    json_open(w, '[');
    for (int64_t i = 0; i < l->count; i++)
        TRY(put_report(c, l, &rows[i], w));
    json_close(w, ']');
    return paging_end(c, more, more ? id_print(c->arena, rows[l->count - 1].id) : TEXT(""), w, &l->out);
}

enum err publication_reports(struct ctx *c, const struct paging *asked, struct answer *out)
{
    struct subject_id after = { { 0 } };
    struct look_list l = { .act = TEXT("report.list"),
                           .each = TEXT("report.listed"),
                           .may = may_list_reports,
                           .show = show_reports,
                           .asked = asked,
                           .arg = &after };
    if (asked->after.n && !id_parse(asked->after, &after))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}

static enum err load_report(struct ctx *c, text id, struct subject_id *report, text *publication,
                            const struct json **said)
{
    struct subject_id of;
    text body;
    if (!id_parse(id, report))
        return say(c->arena, ERR_NOT_FOUND, "there is no such report to be answered");
    {
        READ_AUTO db = NULL;
        TRY(store_read(ctx_store(c), c->arena, &db));
        QUERY_AUTO q;
        query_start(&q, db, SQL_REPORT_GET, ARGS(V_TEXT(c->tenant), V_ID(*report)));
        if (!query_next(&q))
            return q.status == OK ? say(c->arena, ERR_NOT_FOUND, "there is no such report to be answered") : q.status;
        memcpy(&of, query_get(&q, REPORT_GET, publication).p, sizeof of);
        body = arena_copy(c->arena, query_get(&q, REPORT_GET, body));
        TRY(q.status);
    }
    *publication = id_print(c->arena, of);
    return open_report(c, body, said);
}

/* To who reported it, where they gave an address. */
static enum err make_answer(struct ctx *c, const struct json *said, bool down, struct deciding *d)
{
    text to = json_text(said, TEXT("email")), language = json_text(said, TEXT("language"));
    struct ctx in = *c;
    in.language = language;
    d->has_answer = to.n && c->app->public_url[0];
    if (!d->has_answer)
        return OK;
    const struct pair_text pairs[] = {
        { TEXT("link"), mail_link(c, arena_print(c->arena, "/publications/%.*s/%.*s", T(d->s.category),
                                                 T(id_print(c->arena, d->s.id)))) },
        { TEXT("what"), down ? doc_in(&in, TEXT("We took it down."), TEXT("Nous l'avons retiré."))
                                 : doc_in(&in, TEXT("We leave it public."), TEXT("Nous le laissons public.")) },
        { TEXT("reason"), d->reason }
    };
    return mail_make_in(c, NULL, language, to, TEXT("report_answered"), &(struct letter_values){ pairs, 3 },
                        &d->answer);
}

enum err publication_answer(struct ctx *c, text report, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct deciding d = { .c = c, .decision = json_text(in, TEXT("decision")), .reported = true, .state = -1 };
    const struct json *said;
    text publication;
    bool down = text_eq(d.decision, TEXT("take_down"));
    if (!down && !text_eq(d.decision, TEXT("keep")))
        return say(c->arena, ERR_VALUE, "\"decision\" is keep or take_down");
    TRY(load_report(c, report, &d.report, &publication, &said));
    TRY(shown_find(c, publication, &d.s));
    TRY(person_open_anyway(c, id_print(c->arena, d.s.subject), &p)); /* who reported is owed an answer all the same */
    TRY(may_decide(c, &p, &d.s, false));
    TRY(take_reason(c, in, true, &d));
    if (down) {
        d.state = DOWN;
        d.from = PUBLISHED;
        d.other = PUBLISHED;
    }
    const struct retention *kept = policy_retention(c->policy, TEXT("requests"));
    d.due = kept ? retention_own_due(kept, c->now) : c->now;
    if (p.state == PERSON_ACTIVE)
        TRY(make_letter(c, &p, down ? "publication_down" : "publication_kept", &d));
    TRY(make_answer(c, said, down, &d));
    return write_decision(c, &p, &d, down ? "publication.down" : "publication.answered", out);
}

/* Recipients are told: one duty after the other, by webhook or by letter, again until there is an answer. */
#include "domain/recipient/told.h"
#include "base/log.h"
#include "domain/core/asker.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/core/write.h"
#include "domain/mail/mail.h"
#include "domain/person/owed.h"
#include "domain/recipient/told_inside.h"

enum { BODY_MAX = 1 << 20 };
static const msec again_first = MINUTE;

void told_open(struct app *app, const struct asker *by) { app->told = by; }

/* ---- The row. ---- */

enum err told_load(struct ctx *c, struct subject_id id, struct told *out)
{
    READ_AUTO db = NULL;
    *out = (struct told){ .id = id };
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOLD_GET, ARGS(V_TEXT(c->tenant), V_ID(id)));
    if (!query_next(&q))
        return q.status == OK ? say(c->arena, ERR_NOT_FOUND, "nothing waits for an answer there") : q.status;
    out->kind = arena_copy(c->arena, query_get(&q, TOLD_GET, kind));
    out->recipient = arena_copy(c->arena, query_get(&q, TOLD_GET, about));
    out->references = arena_copy(c->arena, query_get(&q, TOLD_GET, note));
    out->categories = arena_copy(c->arena, query_get(&q, TOLD_GET, categories));
    out->at = query_get(&q, TOLD_GET, at);
    out->due = query_get(&q, TOLD_GET, due);
    out->tries = query_get(&q, TOLD_GET, tries);
    TRY(q.status);
    return arena_whole(c->arena);
}

struct event told_event(struct ctx *c, text recipient, text act)
{
    struct event event = event_of(c, NULL, act);
    int index = policy_actor(c->policy, recipient);
    if (index >= 0)
        event.clause = c->policy->actors[index].clause.path;
    return event;
}

/* ---- Words. ---- */

static const struct {
    text kind, word, en, fr;
} said[] = {
    { TEXT_INIT("tell"), TEXT_INIT("erasure"),
      TEXT_INIT("We have erased this data. Erase it too, unless a law obliges you to keep it."),
      TEXT_INIT("Nous avons effacé ces données. Effacez-les aussi, sauf si une loi vous oblige à les garder.") },
    { TEXT_INIT("tell_part"), TEXT_INIT("partial_erasure"),
      TEXT_INIT("We have erased part of this data. Erase it too, unless a law obliges you to keep it."),
      TEXT_INIT(
          "Nous avons effacé une partie de ces données. Effacez-la aussi, sauf si une loi vous oblige à la garder.") },
    { TEXT_INIT("tell_correction"), TEXT_INIT("correction"),
      TEXT_INIT("We have corrected this data. Ask us for it again, and replace what you hold."),
      TEXT_INIT("Nous avons rectifié ces données. Demandez-les de nouveau, et remplacez les vôtres.") },
    { TEXT_INIT("tell_restriction"), TEXT_INIT("restriction"),
      TEXT_INIT("This data may only be stored for now. Do not use it until we tell you more."),
      TEXT_INIT(
          "Ces données ne peuvent plus qu'être conservées. Ne les utilisez pas avant d'autres nouvelles de notre part.") },
    { TEXT_INIT("tell_release"), TEXT_INIT("release"),
      TEXT_INIT("We told you to store this data only. That restriction has ended: you may use it again as agreed."),
      TEXT_INIT("Nous vous avions demandé de seulement conserver ces données. Cette limitation a pris fin : vous pouvez de nouveau les "
                "utiliser comme convenu.") },
};

text told_kind_word(text kind)
{
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (text_eq(said[i].kind, kind))
            return said[i].word;
    return kind;
}

text told_said(const struct ctx *c, text kind)
{
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (text_eq(said[i].kind, kind))
            return doc_in(c, said[i].en, said[i].fr);
    return kind;
}

/* ---- What is written. ---- */

struct going {
    const struct ctx *c;
    struct told t;
    int64_t tries; /* before this one */
    msec next, sent;
    text way, why;
    const struct mail_put *letter;
    bool begins, went;
    struct told_answer answer; /* that the webhook gave at once; outcome empty: none */
};

static enum err changed_meanwhile(struct db *db)
{
    return say(db_arena(db), ERR_PRECONDITION, "the recipient answered meanwhile, or is being told already");
}

static enum err run_going(struct db *db, struct write *w)
{
    const struct going *g = w->arg;
    struct val tenant = V_TEXT(g->c->tenant), id = V_ID(g->t.id);
    int64_t changed = 1;
    if (g->begins)
        TRY(db_run(db, SQL_TOLD_TRY, &changed, ARGS(tenant, id, V_INT(g->tries), V_INT(g->next))));
    if (!changed)
        return changed_meanwhile(db);
    if (g->went)
        TRY(db_run(db, SQL_TOLD_WENT, &changed,
                   ARGS(tenant, id, V_INT(g->tries + 1), g->sent ? V_INT(g->sent) : V_NULL, V_TEXT(g->way),
                        g->why.n ? V_TEXT(g->why) : V_NULL, V_INT(g->next))));
    if (!changed)
        return changed_meanwhile(db);
    if (g->letter)
        TRY(mail_run_put(db, g->letter));
    return g->answer.outcome.n ? told_run_answer(db, g->c, &g->t, &g->answer) : OK;
}

static enum err put(struct ctx *c, struct going *g, text act)
{
    struct write w = { .run = run_going, .arg = g, .event = told_event(c, g->t.recipient, act) };
    w.event.purpose = told_kind_word(g->t.kind);
    return write_do(c, &w, NULL);
}

static msec backoff(int64_t tries)
{
    msec pause = again_first;
    for (int64_t i = 1; i < tries && pause < DAY; i++)
        pause *= 2;
    return pause < DAY ? pause : DAY;
}

static enum err failed(struct ctx *c, struct going *g, text why, msec wait)
{
    msec pause = backoff(g->tries + 1);
    g->went = true;
    g->why = why;
    g->next = c->now + (wait > pause ? wait : pause);
    LOG(LOG_WARN, "told.failed", LOG_TEXT("recipient", g->t.recipient), LOG_TEXT("why", why),
        LOG_INT("tries", g->tries + 1));
    return put(c, g, TEXT("told.failed"));
}

/* Of the machine or the store: nothing can be made now, whoever it is for. */
static bool is_general(enum err e)
{
    switch ((int)e) {
    case ERR_STORAGE:
    case ERR_UNKNOWN:
    case ERR_FULL:
    case ERR_MEMORY:
    case ERR_BUSY:
    case ERR_ASIDE:
    case ERR_LOCKED:
        return true;
    default:
        return false;
    }
}

/* ---- By webhook. ---- */

/* The ids of disclosures, which the recipient was given with the data: no value of anybody stands here. */
void told_put_list(struct json_out *w, text name, text list)
{
    json_name(w, name);
    json_open(w, '[');
    while (list.n)
        json_put_text(w, text_cut(&list, ','));
    json_close(w, ']');
}

text told_titles(struct ctx *c, text categories)
{
    BUF_AUTO b = buf_make(1 << 16);
    while (categories.n) {
        text name = text_cut(&categories, ',');
        int index = policy_category(c->policy, name);
        text title = index < 0 ? name : doc_category(c, &c->policy->categories[index]);
        buf_print(&b, "%s%.*s", b.n ? ", " : "", T(title));
    }
    return buf_made(c->arena, &b);
}

static enum err body_of(struct ctx *c, const struct told *t, text *out)
{
    BUF_AUTO b = buf_make(BODY_MAX);
    struct json_out w = json_out(&b);
    text link;
    TRY(told_link(c, t->id, &link));
    json_open(&w, '{');
    json_pair(&w, TEXT("id"), id_print(c->arena, t->id));
    json_pair(&w, TEXT("type"), told_kind_word(t->kind));
    json_pair(&w, TEXT("recipient"), t->recipient);
    json_pair(&w, TEXT("controller"), ctx_controller(c).legal_name);
    told_put_list(&w, TEXT("references"), t->references);
    told_put_list(&w, TEXT("categories"), t->categories);
    json_pair(&w, TEXT("since"), time_print(c->arena, t->at));
    json_pair(&w, TEXT("due"), time_print(c->arena, t->due));
    json_pair(&w, TEXT("answer"), link);
    json_close(&w, '}');
    TRY(arena_whole(c->arena));
    return buf_take(c->arena, &b, out);
}

static enum err ask(struct ctx *c, const struct told *t, const struct node *row, const struct json **out)
{
    BUF_AUTO b = buf_make(2 * BODY_MAX + (1 << 16));
    struct json_out w = json_out(&b);
    text body, asked, answer;
    if (!c->app->told)
        return say(c->arena, ERR_BUSY, "only the running server tells recipients");
    TRY(body_of(c, t, &body));
    json_open(&w, '{');
    json_pair(&w, TEXT("url"), node_text(row, TEXT("url")));
    json_pair(&w, TEXT("secret"), node_text(row, TEXT("secret")));
    json_pair(&w, TEXT("ca_file"), node_text(row, TEXT("ca")));
    json_pair(&w, TEXT("id"), id_print(c->arena, t->id));
    json_pair_int(&w, TEXT("at"), c->now);
    json_pair(&w, TEXT("body"), body);
    json_close(&w, '}');
    TRY(buf_lend(c->arena, &b, &asked));
    TRY(c->app->told->ask(c->app->told->self, c->arena, asked, &answer));
    return json_parse(c->arena, answer, out);
}

/* Whatever its application answers besides a 2xx is no answer: people there have yet to say. */
static void take_answer(struct ctx *c, text body, struct told_answer *out)
{
    const struct json *in;
    struct why kept = c->arena->why;
    if (body.n && json_parse(c->arena, body, &in) == OK && told_take(c, in, TEXT("webhook"), out) != OK)
        *out = (struct told_answer){ .via = TEXT("webhook") };
    c->arena->why = kept;
}

static enum err by_webhook(struct ctx *c, const struct recipient_settings *s, struct going *g, const struct node *row)
{
    const struct json *answer = NULL;
    int64_t wait = 0;
    struct going begins = *g;
    begins.begins = true;
    begins.next = c->now + backoff(g->tries + 1);
    TRY(put(c, &begins, TEXT("told.begun")));
    /* In memory of its own: what cannot be built spoils no write. */
    ARENA_AUTO own = arena_make(c->arena->limit);
    struct ctx apart = *c;
    apart.arena = &own;
    enum err e = ask(&apart, &g->t, row, &answer);
    if (is_general(e)) { /* of the house's own: the next try is on record */
        c->arena->why = own.why;
        return e;
    }
    text code = e == OK ? json_text(answer, TEXT("code")) : TEXT("message");
    if (e == ERR_CONFIG)
        code = TEXT("settings");
    if (!text_eq(code, TEXT("ok"))) {
        json_int(json_get(answer, TEXT("retry_after")), &wait);
        return failed(c, g, code, wait * SECOND);
    }
    take_answer(c, json_text(answer, TEXT("body")), &g->answer);
    g->went = true;
    g->sent = c->now;
    g->next = c->now + s->again;
    return put(c, g, g->answer.outcome.n ? TEXT("told.answered") : TEXT("told.sent"));
}

/* ---- By letter. ---- */

static enum err listed(struct ctx *c, text references, text *out)
{
    BUF_AUTO b = buf_make(BODY_MAX);
    while (references.n) {
        text one = text_cut(&references, ',');
        buf_print(&b, "%s%.*s", b.n ? ", " : "", T(one));
    }
    return buf_take(c->arena, &b, out);
}

static text what_of(struct ctx *c, const struct told *t)
{
    text said_so = told_said(c, t->kind), titles = told_titles(c, t->categories);
    if (!titles.n)
        return said_so;
    return arena_print(c->arena, "%.*s %.*s%.*s.", T(said_so), T(doc_in(c, TEXT("Concerned: "), TEXT("Concernées : "))),
                       T(titles));
}

static enum err make_letter(struct ctx *c, const struct told *t, const struct node *row, struct mail_put *out)
{
    text link, references, language = node_text(row, TEXT("language"));
    c->language = text_eq(language, TEXT("fr")) || text_eq(language, TEXT("en")) ? language : c->language;
    TRY(told_link(c, t->id, &link));
    TRY(listed(c, t->references, &references));
    const struct pair_text v[] = {
        { TEXT("recipient"), doc_recipient(c, policy_actor(c->policy, t->recipient)) },
        { TEXT("what"), what_of(c, t) },
        { TEXT("references"), references },
        { TEXT("link"), link },
    };
    const struct letter_values values = { v, sizeof v / sizeof *v };
    return mail_make_in(c, NULL, c->language, node_text(row, TEXT("to")), TEXT("recipient_told"), &values, out);
}

static enum err by_letter(struct ctx *c, const struct recipient_settings *s, struct going *g, const struct node *row)
{
    struct mail_put *letter = NEW(c->arena, struct mail_put);
    TRY_PTR(letter);
    /* In memory of its own: what cannot be built spoils no write. */
    ARENA_AUTO own = arena_make(c->arena->limit);
    struct ctx apart = *c;
    apart.arena = &own;
    enum err e = make_letter(&apart, &g->t, row, letter);
    g->begins = true;
    if (is_general(e))
        return e;
    if (e != OK) /* of this letter alone: it is tried again, after the others */
        return failed(c, g, TEXT("letter"), 0);
    g->went = true;
    g->letter = letter;
    g->sent = c->now;
    g->next = c->now + s->again;
    return put(c, g, TEXT("told.sent"));
}

/* ---- The work. ---- */

static enum err give_up(struct ctx *c, struct going *g)
{
    g->tries--; /* none is begun: the row stays at the last */
    g->went = true;
    g->why = TEXT("silent");
    g->next = TOLD_NEVER;
    LOG(LOG_WARN, "told.silent", LOG_TEXT("recipient", g->t.recipient));
    return put(c, g, TEXT("told.failed"));
}

static enum err tell(struct ctx *c, const struct recipient_settings *s, const struct node *row, struct subject_id id)
{
    enum recipient_way way = recipient_way(s, row->key);
    struct going g = { .c = c, .way = recipient_way_word(way) };
    enum err e = told_load(c, id, &g.t);
    if (e == ERR_NOT_FOUND) /* answered meanwhile */
        return OK;
    TRY(e);
    g.tries = g.t.tries;
    if (g.tries && c->now >= g.t.at + s->give_up)
        e = give_up(c, &g);
    else
        e = way == TOLD_BY_WEBHOOK ? by_webhook(c, s, &g, row) : by_letter(c, s, &g, row);
    return e == ERR_PRECONDITION ? OK : e;
}

static enum err find_due(struct ctx *c, text recipient, struct place_due *behind, struct subject_id *id, bool *found)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_TOLD_NEXT, ARGS(V_TEXT(recipient), V_INT(c->now), V_INT(behind->at), V_BYTES(behind->id)));
    *found = query_next(&q);
    if (!*found)
        return q.status;
    c->tenant = arena_copy(c->arena, query_get(&q, TOLD_NEXT, tenant));
    behind->at = query_get(&q, TOLD_NEXT, at);
    behind->id = arena_copy(c->arena, query_get(&q, TOLD_NEXT, id));
    TRY(arena_whole(c->arena));
    if (behind->id.n != sizeof *id)
        return say(c->arena, ERR_INTEGRITY, "a duty has an id of %zu bytes", behind->id.n);
    memcpy(id, behind->id.p, sizeof *id);
    return OK;
}

enum { PASSED_OVER = 32 }; /* of one recipient, in a round */

/* The first of the recipient's that can be told, so that nobody's backlog holds up another's. What cannot be told now
 * for its own reason holds up none: the next round goes on behind it. */
static enum err tell_first(struct ctx *c, struct told_round *r, const struct recipient_settings *s,
                           const struct node *row, bool *more)
{
    struct place_due from, behind;
    TRY(told_behind(r, c->arena, row->key, c->now, &from));
    behind = from;
    for (unsigned i = 0; i < PASSED_OVER; i++) {
        ARENA_AUTO own = arena_make(c->arena->limit);
        struct ctx in = *c;
        struct subject_id id = { { 0 } };
        bool found = false;
        in.arena = &own;
        enum err e = find_due(&in, row->key, &behind, &id, &found);
        behind.id = arena_copy(c->arena, behind.id);
        if (e == OK && !found && !i)
            told_all_seen(r, row->key, &from);
        *more |= found;
        if (e == OK && found)
            e = tell(&in, s, row, id);
        if (e == OK)
            return OK;
        c->arena->why = own.why;
        if (!found || is_general(e) || !behind.id.p)
            return e;
        TRY(told_pass(r, c->arena, row->key, c->now, &behind, e));
    }
    return OK;
}

enum err told_work(struct ctx *c, struct told_round *r, bool *more)
{
    struct recipient_settings s;
    enum err status = OK;
    *more = false;
    if (!store_leads(ctx_store(c)))
        return OK;
    TRY(recipient_settings(c, &s));
    if (s.findings.first)
        return say(c->arena, ERR_CONFIG, "%.*s", T(recipient_settings_fault(c, &s)));
    NODE_EACH(row, s.rows) {
        if (recipient_way(&s, row->key) == TOLD_BY_STAFF)
            continue;
        enum err e = tell_first(c, r, &s, row, more);
        if (is_general(e))
            return e;
        if (status == OK)
            status = e;
    }
    return status;
}

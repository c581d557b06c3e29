/* Campaigns that staff carry out, by telephone and by post: each person is handed to them once, in a write that asks
 * again, and what became of it is noted. */
#include "domain/campaign/inside.h"
#include "domain/core/actor.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/paging.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/mail/contact.h"
#include "domain/mail/mail.h"
#include "domain/person/change.h"
#include "domain/person/holding.h"
#include "domain/person/look_at.h"
#include "domain/person/person.h"

enum { MOST = 200, USUAL = 50 };
static const text phone = TEXT_INIT("phone"), post = TEXT_INIT("post");

static enum err find_hand(struct ctx *c, text id, struct campaign *m)
{
    TRY(campaign_own(c, id, m));
    return campaign_by_hand(m)
               ? OK
               : say(c->arena, ERR_CONFLICT, "this campaign is no list for staff: its messages leave by themselves");
}

static const struct purpose *purpose_of(const struct ctx *c, const struct campaign *m)
{
    return &c->policy->purposes[policy_purpose(c->policy, m->purpose)]; /* it is one: campaign_own() has asked */
}

/* ---- Where a person is reached, and by which name: of the purpose's categories alone. ---- */

static enum err newest(struct ctx *c, const struct person *p, unsigned category, const struct json **fields)
{
    struct record *rows;
    unsigned count;
    TRY(record_load(c, p, (int)category, false, &rows, &count));
    *fields = count ? rows[count - 1].fields : NULL;
    return OK;
}

static text value_of(const struct json *fields, text name)
{
    const struct json *v = json_get(fields, name);
    return v && v->first && v->first->value.p ? text_trim(v->first->value) : TEXT("");
}

static const struct field *phone_field(const struct category *cat)
{
    for (unsigned f = 0; f < cat->field_count; f++)
        if (cat->fields[f].type == FIELD_PHONE)
            return &cat->fields[f];
    return NULL;
}

/* The lines of a postal address: the field "address", and what stands beside it. */
static text address_of(struct ctx *c, const struct json *fields)
{
    static const text town[] = { TEXT_INIT("town"), TEXT_INIT("city") };
    text street = value_of(fields, TEXT("address")), code = value_of(fields, TEXT("postcode")), where = TEXT("");
    text country = value_of(fields, TEXT("country"));
    BUF_AUTO b = buf_make(1 << 16);
    for (size_t i = 0; i < sizeof town / sizeof *town && !where.n; i++)
        where = value_of(fields, town[i]);
    if (!street.n)
        return TEXT("");
    buf_add(&b, street);
    if (code.n || where.n)
        buf_print(&b, "\n%.*s%s%.*s", T(code), code.n && where.n ? " " : "", T(where));
    if (country.n)
        buf_print(&b, "\n%.*s", T(country));
    return buf_made(c->arena, &b);
}

enum err campaign_reach_of(struct ctx *c, const struct campaign *m, const struct person *p, text *to, int *category)
{
    const struct purpose *of = purpose_of(c, m);
    *to = TEXT("");
    for (unsigned i = 0; i < c->policy->category_count && !to->n; i++) {
        const struct category *cat = &c->policy->categories[i];
        bool by_phone = !text_eq(m->channel, post);
        const struct field *f = by_phone ? phone_field(cat) : NULL;
        const struct json *fields;
        bool has = by_phone ? f != NULL : policy_field(cat, TEXT("address")) >= 0;
        if (!has || cat->transient || !bits_has(&of->categories, i))
            continue;
        TRY(newest(c, p, i, &fields));
        *to = f ? value_of(fields, f->name) : address_of(c, fields);
        *category = (int)i;
    }
    return OK;
}

static bool may_read(const struct ctx *c, const struct campaign *m, unsigned category)
{
    const struct bits all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    struct ask ask = actor_ask(c, policy_purpose(c->policy, m->purpose), (int)category, ACT_READ);
    ask.consents = &all;
    return policy_decide(c->policy, &ask).verdict == ALLOWED;
}

/* Empty where the role reads no category with a name for that purpose. */
static enum err name_of(struct ctx *c, const struct campaign *m, const struct person *p, text *out)
{
    const struct purpose *of = purpose_of(c, m);
    *out = TEXT("");
    for (unsigned i = 0; i < c->policy->category_count && !out->n; i++) {
        const struct category *cat = &c->policy->categories[i];
        const struct json *fields;
        bool has = policy_field(cat, TEXT("last_name")) >= 0 || policy_field(cat, TEXT("name")) >= 0;
        if (!has || cat->many || cat->transient || !bits_has(&of->categories, i) || !may_read(c, m, i))
            continue;
        TRY(newest(c, p, i, &fields));
        text first = value_of(fields, TEXT("first_name")), last = value_of(fields, TEXT("last_name"));
        text whole = arena_print(c->arena, "%.*s%s%.*s", T(first), first.n && last.n ? " " : "", T(last));
        *out = whole.n ? whole : value_of(fields, TEXT("name"));
    }
    return OK;
}

/* ---- Handing out. ---- */

struct handing {
    struct ctx *c;
    struct campaign m;
    struct subject_id id;
    int64_t taken, left_out, unsaved; /* unsaved: passed over since the last person who was handed out */
    bool over;
};

static enum err run_hand(struct db *db, struct write *w)
{
    const struct handing *h = w->arg;
    const struct val tenant = V_TEXT(h->m.tenant), id = V_ID(h->m.id);
    int64_t changed;
    TRY(db_run(db, SQL_CAMPAIGN_REACHED, &changed, ARGS(tenant, id, V_ID(h->m.reached), V_NULL, V_INT(h->unsaved))));
    if (!changed)
        return say(db_arena(db), ERR_CONFLICT, "the campaign was paused or stopped");
    TRY(db_run(db, SQL_CAMPAIGN_HAND, &changed,
               ARGS(tenant, V_ID(h->id), id, V_INT(h->c->now), V_INT(h->c->now + CAMPAIGN_KEPT))));
    return changed ? OK : say(db_arena(db), ERR_NOT_FOUND, "this person is gone, or had it");
}

/* Decided here, and again inside the write: who refused, objected, is restricted, closed or erased by then is not
 * handed out. */
static enum err hand_one(struct ctx *c, struct handing *h)
{
    PERSON_AUTO p = { 0 };
    int category = -1;
    text to;
    struct bits set = { { 0 } };
    TRY(person_open(c, id_print(c->arena, h->id), false, &p));
    TRY(campaign_reach_of(c, &h->m, &p, &to, &category));
    if (!to.n)
        return say(c->arena, ERR_MISSING, "no telephone number, or no postal address, of the person is held");
    bits_add(&set, (unsigned)category);
    TRY(person_allow_by(c, &p, h->m.purpose, &set, ACT_SEND, h->m.channel));
    h->c = c;
    struct write w = { .run = run_hand, .arg = h, .event = event_of(c, &p, TEXT("campaign.handed")) };
    w.event.purpose = h->m.purpose;
    w.event.clause = purpose_of(c, &h->m)->clause.path;
    w.event.count = 1;
    return write_do(c, &w, NULL);
}

static enum err run_over(struct db *db, struct write *w)
{
    const struct handing *h = w->arg;
    return db_run(db, SQL_CAMPAIGN_HALT, NULL,
                  ARGS(V_TEXT(h->m.tenant), V_ID(h->m.id), V_TEXT(TEXT("done")), V_INT(h->c->now + 2 * CAMPAIGN_KEPT),
                       V_INT(h->unsaved), V_NULL));
}

static enum err all_handed(struct ctx *c, struct handing *h)
{
    h->c = c;
    h->over = true;
    struct write w = { .run = run_over, .arg = h, .event = event_of(c, NULL, TEXT("campaign.steered")) };
    w.event.purpose = h->m.purpose;
    return write_do(c, &w, NULL);
}

/* With memory of its own, however many are passed over. */
static enum err hand_next(struct ctx *c, struct handing *h)
{
    ARENA_AUTO a = arena_make(64 << 20);
    struct ctx in = *c;
    struct campaign_turn t = { .over = false };
    in.arena = &a;
    in.decisions = NULL;
    enum err status = campaign_next_person(&in, &h->m, &t);
    in.decisions = NULL; /* of people passed over: nothing is done about them */
    h->unsaved += t.skipped;
    h->left_out += t.skipped;
    if (status == OK && t.over)
        status = all_handed(&in, h);
    else if (status == OK && t.found) {
        h->id = t.id;
        status = hand_one(&in, h);
        bool passed = campaign_about_person(status);
        h->taken += status == OK;
        h->left_out += passed;
        h->unsaved = status == OK ? 0 : h->unsaved + passed;
        status = passed ? OK : status;
    }
    if (status != OK)
        c->arena->why = a.why;
    return status;
}

enum err campaign_hand_out(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    struct handing h = { .over = false };
    const struct json *said = json_get(in, TEXT("most"));
    int64_t most = USUAL;
    TRY(find_hand(c, id, &h.m));
    bool typed = said && said->kind == J_TEXT, empty = !said || said->kind == J_NULL || (typed && !said->value.n);
    bool good = empty || (typed ? text_int(text_trim(said->value), &most) : json_int(said, &most));
    if (!good || most < 1 || most > MOST)
        return say(c->arena, ERR_VALUE, "\"most\" is how many people, from 1 to %d", MOST);
    if (!text_eq(h.m.state, TEXT("running")) || h.m.starts > c->now)
        return say(c->arena, ERR_CONFLICT, "people are handed out while the campaign runs: start it first");
    enum err status = OK;
    while (status == OK && h.taken < most && !h.over)
        status = hand_next(c, &h);
    if (status != OK && !h.taken)
        return status;
    out->body = arena_print(c->arena, "{\"taken\":%lld,\"left_out\":%lld,\"over\":%s}", (long long)h.taken,
                            (long long)h.left_out, h.over ? "true" : "false");
    TRY_PTR(out->body.p);
    return OK;
}

/* ---- The list: whom to call, or to write to. ---- */

struct handed {
    struct subject_id id;
    msec at;
    int64_t tries;
};
struct listing {
    text id;
    struct campaign m;
    struct subject_id after;
};

static enum err may_list(struct ctx *c, struct look_list *l)
{
    struct listing *s = l->arg;
    struct bits shown = { { 0 } };
    TRY(find_hand(c, s->id, &s->m));
    for (unsigned i = 0; i < c->policy->category_count; i++)
        if (bits_has(&purpose_of(c, &s->m)->categories, i) && may_read(c, &s->m, i))
            bits_add(&shown, i);
    l->purpose = s->m.purpose;
    l->categories = event_categories(c, &shown);
    return OK;
}

static enum err load_page(struct ctx *c, const struct listing *s, struct handed *all, int64_t limit, int64_t *count,
                          bool *more)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_CAMPAIGN_HANDED,
                ARGS(V_TEXT(s->m.tenant), V_ID(s->m.id), V_ID(s->after), V_INT(limit + 1)));
    *more = false;
    for (*count = 0; query_next(&q);) {
        *more = *count == limit;
        if (*more)
            break;
        struct handed *one = &all[(*count)++];
        memcpy(&one->id, query_get(&q, CAMPAIGN_HANDED, subject).p, SUBJECT_ID);
        one->at = query_get(&q, CAMPAIGN_HANDED, at);
        one->tries = query_get(&q, CAMPAIGN_HANDED, tries);
    }
    return q.status;
}

static enum err put_letter(struct ctx *c, const struct campaign *m, const struct person *p, struct json_out *w)
{
    struct campaign_words words = { 0 };
    text token = campaign_stop_token(c, p->id, m->purpose, m->channel);
    TRY(mail_language(c, p, &words.language));
    words.stop = mail_link(c, arena_print(c->arena, "/unsubscribe/%.*s?lang=%.*s", T(token), T(words.language)));
    words.stop_to = campaign_stop_address(c, token);
    TRY(campaign_render(c, m, &words));
    json_pair(w, TEXT("language"), words.language);
    json_pair(w, TEXT("line"), words.subject);
    json_pair(w, TEXT("text"), words.plain);
    return OK;
}

/* Who lets it no longer is not on the list: a letter that was not printed yet is not, a call is not made. */
static enum err put_handed(struct ctx *c, struct look_list *l, const struct handed *one, struct json_out *w)
{
    const struct listing *s = l->arg;
    PERSON_AUTO p = { 0 };
    struct why kept = c->arena->why;
    bool allowed = false;
    int category = -1;
    text to, name;
    TRY(person_would_send(c, one->id, s->m.purpose, s->m.channel, &allowed));
    enum err status = allowed ? person_open(c, id_print(c->arena, one->id), false, &p) : ERR_NOT_FOUND;
    if (status == ERR_NOT_FOUND) {
        c->arena->why = kept;
        return OK;
    }
    TRY(status);
    TRY(campaign_reach_of(c, &s->m, &p, &to, &category));
    if (!to.n || !may_read(c, &s->m, (unsigned)category))
        return OK;
    TRY(name_of(c, &s->m, &p, &name));
    TRY(look_read(c, l, p.id));
    json_open(w, '{');
    json_pair(w, TEXT("subject"), id_print(c->arena, p.id));
    json_pair(w, TEXT("name"), name);
    json_pair(w, s->m.channel, to);
    json_pair(w, TEXT("at"), time_print(c->arena, one->at));
    json_pair_int(w, TEXT("tries"), one->tries);
    TRY(put_letter(c, &s->m, &p, w));
    json_close(w, '}');
    l->count++;
    return OK;
}

static enum err show_handed(struct ctx *c, struct look_list *l, struct json_out *w)
{
    const struct listing *s = l->arg;
    struct handed *all = NEW_ARRAY(c->arena, struct handed, (size_t)l->asked->limit + 1);
    int64_t count;
    bool more;
    TRY_PTR(all);
    TRY(load_page(c, s, all, l->asked->limit, &count, &more));
    json_name(w, TEXT("people"));
    json_open(w, '[');
    for (int64_t i = 0; i < count; i++)
        TRY(put_handed(c, l, &all[i], w));
    json_close(w, ']');
    return paging_end(c, more, more ? id_print(c->arena, all[count - 1].id) : TEXT(""), w, &l->out);
}

enum err campaign_handed(struct ctx *c, text id, const struct paging *asked, struct answer *out)
{
    struct listing s = { .id = id };
    struct look_list l = { .act = TEXT("subject.list"),
                           .each = TEXT("read"),
                           .may = may_list,
                           .show = show_handed,
                           .asked = asked,
                           .arg = &s };
    if (asked->after.n && !id_parse(asked->after, &s.after))
        return paging_unknown(c);
    return look_at_people(c, &l, out);
}

/* ---- What became of it. ---- */

struct noting {
    const struct campaign *m;
    struct subject_id id;
    enum letter_state state; /* HANDED: it stays on the list */
    text code;
    msec at; /* 0: as it was handed out */
};

static enum err run_noted(struct db *db, void *arg)
{
    const struct noting *n = arg;
    const struct val tenant = V_TEXT(n->m->tenant), id = V_ID(n->m->id);
    int64_t changed;
    TRY(db_run(db, SQL_CAMPAIGN_HAND_MARK, &changed,
               ARGS(tenant, V_ID(n->id), id, V_INT(n->state), n->code.n ? V_TEXT(n->code) : V_NULL,
                    n->at ? V_INT(n->at) : V_NULL)));
    if (!changed)
        return say(db_arena(db), ERR_CONFLICT, "this person is not on the list, or it was noted already");
    return db_run(db, SQL_CAMPAIGN_TALLY, NULL,
                  ARGS(tenant, id, V_INT(n->state == SENT), V_INT(n->state == FAILED), V_INT(0), V_INT(0)));
}

static enum err take_result(struct ctx *c, text said, struct noting *n)
{
    static const struct {
        text said, code;
        enum letter_state state;
    } results[] = { { TEXT_INIT("reached"), TEXT_INIT(""), SENT },
                    { TEXT_INIT("stop"), TEXT_INIT("stop"), SENT },
                    { TEXT_INIT("wrong"), TEXT_INIT("wrong_number"), FAILED },
                    { TEXT_INIT("no_answer"), TEXT_INIT("no_answer"), HANDED } };
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (text_eq(results[i].said, said)) {
            n->state = results[i].state;
            n->code = results[i].code;
            return OK;
        }
    say(c->arena, ERR_VALUE, "\"result\" is one of reached, no_answer, wrong, stop");
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "result");
    return ERR_VALUE;
}

/* They said that they want no more of it: withdrawn in the commit that notes the call (GDPR 7(3)). */
static enum err add_withdrawal(struct ctx *c, const struct campaign *m, const struct person *p, struct change *ch)
{
    BUF_AUTO b = buf_make(1 << 12);
    struct json_out w = json_out(&b);
    const struct json *row;
    json_open(&w, '{');
    json_pair(&w, TEXT("purpose"), m->purpose);
    json_pair(&w, TEXT("channel"), m->channel);
    json_pair(&w, TEXT("decision"), TEXT("withdrawn"));
    json_pair(&w, TEXT("method"), TEXT("telephone"));
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &row));
    TRY(change_consents(c, ch, row));
    TRY(person_may_record(c, p, m->purpose, true));
    ch->urgent = true;
    return OK;
}

/* The call as a contact, where the policy keeps such a log and it may be kept of this person. */
static enum err begin_noted(struct ctx *c, const struct campaign *m, struct person *p, const struct json *in,
                            struct change *ch)
{
    int log = policy_stream(c->policy, TEXT("contacts"));
    const struct contact_said said = { phone, json_text(m->body, TEXT("name")), c->now, json_get(in, TEXT("fields")) };
    bool kept = false;
    if (log >= 0)
        TRY(person_would_observe(c, p, (unsigned)log, &kept));
    if (kept) {
        TRY(person_may_observe(c, p, (unsigned)log));
        TRY(contact_prepare(c, p, &said, ch, &kept));
    }
    return kept ? OK : change_begin(c, p, 0, ch);
}

enum err campaign_note(struct ctx *c, text id, const struct json *in, struct answer *out)
{
    PERSON_AUTO p = { 0 };
    struct campaign m;
    struct change ch;
    struct noting n = { .m = &m };
    TRY(find_hand(c, id, &m));
    if (!text_eq(m.channel, phone))
        return say(c->arena, ERR_CONFLICT, "calls are noted of a campaign by telephone");
    TRY(take_result(c, json_text(in, TEXT("result")), &n));
    TRY(person_open(c, json_text(in, TEXT("subject")), false, &p));
    n.id = p.id;
    TRY(begin_noted(c, &m, &p, in, &ch));
    bool stop = text_eq(n.code, TEXT("stop"));
    if (stop)
        TRY(add_withdrawal(c, &m, &p, &ch));
    ch.also = run_noted;
    ch.also_arg = &n;
    out->body = arena_print(c->arena, "{\"result\":\"%.*s\"}", T(json_text(in, TEXT("result"))));
    TRY_PTR(out->body.p);
    struct event event = event_of(c, &p, stop ? TEXT("consent.withdrawn") : TEXT("campaign.called"));
    event.purpose = m.purpose;
    event.count = 1;
    return change_write(c, &ch, event, out);
}

/* ---- Letters that were posted. ---- */

static enum err run_posted(struct db *db, struct write *w) { return run_noted(db, w->arg); }

/* Decided again in the write that marks it: who stopped it since it was printed is named, so that it is taken out. */
static enum err post_one(struct ctx *c, const struct campaign *m, struct subject_id id)
{
    PERSON_AUTO p = { 0 };
    struct noting n = { .m = m, .id = id, .state = SENT, .at = c->now };
    TRY(person_open(c, id_print(c->arena, id), false, &p));
    TRY(person_allow_by(c, &p, m->purpose, NULL, ACT_SEND, m->channel));
    struct write w = { .run = run_posted, .arg = &n, .event = event_of(c, &p, TEXT("campaign.posted")) };
    w.event.purpose = m->purpose;
    w.event.count = 1;
    return write_do(c, &w, NULL);
}

static enum err keep_back(struct ctx *c, const struct campaign *m, struct subject_id id)
{
    struct noting n = { .m = m, .id = id, .state = FAILED, .code = TEXT("stopped") };
    struct write w = { .run = run_posted, .arg = &n, .event = event_of(c, NULL, TEXT("campaign.failed")) };
    w.event.purpose = m->purpose;
    w.event.outcome = OUTCOME_FAILED;
    return write_do(c, &w, NULL);
}

static enum err post_page(struct ctx *c, struct listing *s, int64_t *sent, struct json_out *w, bool *more)
{
    struct handed *all = NEW_ARRAY(c->arena, struct handed, MOST + 1);
    int64_t count;
    TRY_PTR(all);
    TRY(load_page(c, s, all, MOST, &count, more));
    for (int64_t i = 0; i < count; i++) {
        struct ctx in = *c;
        in.decisions = NULL;
        s->after = all[i].id;
        enum err status = post_one(&in, &s->m, all[i].id);
        *sent += status == OK;
        if (status == OK || status == ERR_CONFLICT) /* by somebody else meanwhile */
            continue;
        if (!campaign_about_person(status))
            return status;
        json_put_text(w, id_print(c->arena, all[i].id));
        in.decisions = NULL;
        status = keep_back(&in, &s->m, all[i].id);
        if (status != OK && status != ERR_CONFLICT) /* erased: its row went with them */
            return status;
    }
    return OK;
}

enum err campaign_posted(struct ctx *c, text id, struct answer *out)
{
    struct listing s = { .id = id };
    int64_t sent = 0;
    bool more = true;
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    TRY(find_hand(c, id, &s.m));
    if (!text_eq(s.m.channel, post))
        return say(c->arena, ERR_CONFLICT, "letters are posted of a campaign by post");
    json_open(&w, '{');
    json_name(&w, TEXT("out"));
    json_open(&w, '[');
    while (more)
        TRY(post_page(c, &s, &sent, &w, &more));
    json_close(&w, ']');
    json_pair_int(&w, TEXT("sent"), sent);
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* Campaigns for staff: written, counted, tried, started, paused, stopped, called and posted; the same for programs. */
#include "base/file/csv.h"
#include "domain/campaign/campaign.h"
#include "domain/core/named.h"
#include "domain/core/paging.h"
#include "domain/mail/contact.h"
#include "domain/mail/texts.h"
#include "front/door/front.h"
#include "front/door/go.h"
#include "front/door/word.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"
#include "paper/letters_pdf.h"

enum { LETTERS_MOST = 200 };
#define ID         q->params[0]
#define SENT(name) json_text(q->json, TEXT(name))

/* One page of the list, so that what is made at once is bounded. */
static enum err letters(struct ctx *c, text id, const struct paging *paging, struct answer *out)
{
    struct answer answer = { 0 };
    struct paging some = *paging;
    const struct json *list;
    some.limit = some.limit < LETTERS_MOST ? some.limit : LETTERS_MOST;
    TRY(campaign_handed(c, id, &some, &answer));
    TRY(json_parse(c->arena, answer.body, &list));
    if (!json_get(json_get(list, TEXT("people"))->first, TEXT("post")) && json_get(list, TEXT("people"))->count)
        return say(c->arena, ERR_CONFLICT, "only a campaign by post has letters to print");
    return letters_pdf(c, list, id, out);
}

HANDLER(campaign_make, campaign_make(c, q->json, &answer))
PAGED(campaign_list, campaign_list(c, &paging, &answer))
HANDLER(campaign_get, campaign_show(c, ID, &answer))
HANDLER(campaign_count, campaign_count(c, ID, &answer))
HANDLER(campaign_preview, campaign_preview(c, ID, request_query(q, TEXT("language")), &answer))
HANDLER(campaign_test, campaign_test(c, ID, &answer))
HANDLER(campaign_steer, campaign_steer(c, ID, q->json, &answer))
HANDLER(campaign_take, campaign_hand_out(c, ID, q->json, &answer))
PAGED(campaign_people, campaign_handed(c, ID, &paging, &answer))
HANDLER(campaign_note, campaign_note(c, ID, q->json, &answer))
HANDLER(campaign_stops, campaign_sms_noted(c, ID, q->json, &answer))
HANDLER(campaign_posted, campaign_posted(c, ID, &answer))
PAGED(campaign_letters, letters(c, ID, &paging, &answer))
PAGED(campaign_uncertain, campaign_uncertain(c, ID, &paging, &answer))

/* ---- The list, and a new one. ---- */

static const struct actor_class *class_of(const struct ctx *c)
{
    return c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
}

static bool writes_for(const struct ctx *c, unsigned purpose)
{
    const struct purpose *p = &c->policy->purposes[purpose];
    const struct actor_class *class = class_of(c);
    return class && p->basis == BASIS_CONSENT && !p->never && bits_has(&class->purposes, purpose) &&
           (class->acts >> ACT_SEND & 1);
}

static bool goes_by(const struct ctx *c, text channel)
{
    if (text_eq(channel, TEXT("sms")))
        return texts_ready(c);
    return text_eq(channel, TEXT("email")) || text_eq(channel, TEXT("phone")) || text_eq(channel, TEXT("post"));
}

/* A purpose and a channel of it, as one choice: "news.phone". */
static void put_choice(struct page *p, const struct purpose *one, text channel)
{
    text value = arena_print(p->c->arena, "%.*s.%.*s", T(one->name), T(channel));
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("purpose"), value);
    json_pair(&p->w, TEXT("says"), doc_purpose(p->c, one));
    json_pair(&p->w, TEXT("channel"), channel);
    json_pair_bool(&p->w, TEXT("chosen"), text_eq(value, json_text(p->q->json, TEXT("purpose"))));
    json_close(&p->w, '}');
}

static void put_purposes(struct page *p)
{
    struct ctx *c = p->c;
    bool any = false;
    json_name(&p->w, TEXT("purposes"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < c->policy->purpose_count; i++) {
        const struct purpose *one = &c->policy->purposes[i];
        if (!writes_for(c, i))
            continue;
        for (unsigned k = 0; k < one->channel_count; k++)
            if (goes_by(c, one->channels[k])) {
                any = true;
                put_choice(p, one, one->channels[k]);
            }
    }
    json_close(&p->w, ']');
    json_pair_bool(&p->w, TEXT("may_write"), any);
}

static text language_word(struct ctx *c, text code)
{
    bool french = text_eq(code, TEXT("fr"));
    return french ? doc_in(c, TEXT("French"), TEXT("français")) : doc_in(c, TEXT("English"), TEXT("anglais"));
}

static void put_texts(struct page *p)
{
    struct ctx *c = p->c;
    json_name(&p->w, TEXT("texts"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < c->policy->language_count; i++) {
        text code = c->policy->languages[i];
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("code"), code);
        json_pair(&p->w, TEXT("language"), language_word(c, code));
        json_pair(&p->w, TEXT("subject"), json_text(p->q->json, arena_print(c->arena, "subject.%.*s", T(code))));
        json_pair(&p->w, TEXT("text"), json_text(p->q->json, arena_print(c->arena, "text.%.*s", T(code))));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static enum err put_campaigns(struct page *p)
{
    struct answer answer = { 0 };
    struct paging paging;
    const struct json *list;
    text after = request_query(p->q, TEXT("after"));
    TRY(paging_parse(p->c, after.p ? after : TEXT(""), TEXT("100"), &paging));
    TRY(campaign_list(p->c, &paging, &answer));
    TRY(json_parse(p->c->arena, answer.body, &list));
    json_name(&p->w, TEXT("campaigns"));
    json_put(&p->w, json_get(list, TEXT("campaigns")));
    json_pair(&p->w, TEXT("next"), json_text(list, TEXT("next")));
    return OK;
}

static enum err list_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o)
{
    static const text kept[] = { TEXT_INIT("reason"), TEXT_INIT("name") };
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_campaigns"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    put_purposes(&p);
    put_texts(&p);
    json_pair_bool(&p.w, TEXT("measures"), campaign_measurable(c));
    json_pair_bool(&p.w, TEXT("measure"), json_text(q->json, TEXT("measure")).n > 0);
    TRY(put_campaigns(&p));
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_campaigns(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return list_page(c, q, r, &fine);
}

/* Line breaks as forms send them, CR LF, become those of texts. */
static text unix_lines(struct ctx *c, text s)
{
    BUF_AUTO b = buf_make(1 << 20);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '\r')
            buf_char(&b, s.p[i]);
    return buf_made(c->arena, &b);
}

static void put_said(struct ctx *c, const struct request *q, struct json_out *w, const char *name)
{
    json_name(w, text_of(name));
    json_open(w, '{');
    for (unsigned i = 0; i < c->policy->language_count; i++) {
        text code = c->policy->languages[i];
        text sent = json_text(q->json, arena_print(c->arena, "%s.%.*s", name, T(code)));
        json_pair(w, code, sent.p ? unix_lines(c, sent) : sent);
    }
    json_close(w, '}');
}

static enum err make(struct ctx *c, const struct request *q, text *id)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    struct answer answer = { 0 };
    const struct json *in;
    text channel = SENT("purpose"), purpose = text_cut(&channel, '.');
    json_open(&w, '{');
    json_pair(&w, TEXT("name"), SENT("name"));
    json_pair(&w, TEXT("purpose"), purpose);
    if (channel.n)
        json_pair(&w, TEXT("channel"), channel);
    put_said(c, q, &w, "subject");
    put_said(c, q, &w, "text");
    json_pair_bool(&w, TEXT("measure"), SENT("measure").n > 0);
    json_close(&w, '}');
    TRY(staff_reason(c, q));
    TRY(json_parse_buf(c->arena, &b, &in));
    TRY(campaign_make(c, in, &answer));
    *id = answer.id;
    return OK;
}

enum err api_staff_campaigns_new(struct ctx *c, const struct request *q, struct reply *r)
{
    text id = { NULL, 0 };
    struct staff_outcome o = staff_outcome(c, make(c, q, &id));
    if (o.status == OK)
        return page_go(c, r, arena_print(c->arena, "/staff/campaigns/%.*s", T(id)), TEXT("campaign_made"));
    return staff_again(o.status) ? list_page(c, q, r, &o) : o.status;
}

/* ---- One of them. ---- */

/* What the page shows besides: lists that were asked for. */
struct staff_view {
    const struct json *doubts, *people, *out;
};

/* Of a text message: in how many parts it goes. */
static void put_length(struct page *p, const struct json *letter)
{
    if (!json_get(letter, TEXT("segments")))
        return;
    json_name(&p->w, TEXT("length"));
    json_open(&p->w, '{');
    page_copy(p, letter, TEXT("segments"));
    page_copy(p, letter, TEXT("letters"));
    page_copy(p, letter, TEXT("beyond"));
    json_close(&p->w, '}');
}

static enum err put_letters(struct page *p)
{
    struct ctx *c = p->c;
    json_name(&p->w, TEXT("letters"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < c->policy->language_count; i++) {
        struct answer answer = { 0 };
        const struct json *letter;
        text code = c->policy->languages[i];
        TRY(campaign_preview(c, p->q->params[0], code, &answer));
        TRY(json_parse(c->arena, answer.body, &letter));
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("code"), code);
        json_pair(&p->w, TEXT("language"), language_word(c, code));
        json_pair(&p->w, TEXT("subject"), json_text(letter, TEXT("subject")));
        json_pair(&p->w, TEXT("text"), json_text(letter, TEXT("text")));
        put_length(p, letter);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    return OK;
}

static bool is_state(const struct json *m, text state) { return text_eq(json_text(m, TEXT("state")), state); }

static void put_facts(struct page *p, const struct json *m)
{
    static const text copied[] = { TEXT_INIT("id"),         TEXT_INIT("name"),    TEXT_INIT("state"),
                                   TEXT_INIT("at"),         TEXT_INIT("starts"),  TEXT_INIT("sent"),
                                   TEXT_INIT("skipped"),    TEXT_INIT("failed"),  TEXT_INIT("uncertain"),
                                   TEXT_INIT("recipients"), TEXT_INIT("measure"), TEXT_INIT("opened"),
                                   TEXT_INIT("pace") };
    struct json_out *w = &p->w;
    int purpose = policy_purpose(p->c->policy, json_text(m, TEXT("purpose")));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        page_copy(p, m, copied[i]);
    json_pair(w, TEXT("says"), purpose >= 0 ? doc_purpose(p->c, &p->c->policy->purposes[purpose]) : TEXT(""));
    json_pair_bool(w, TEXT("counted"), json_get(m, TEXT("recipients"))->kind != J_NULL);
    json_pair_bool(w, TEXT("opened_shown"), json_get(m, TEXT("opened"))->kind != J_NULL);
    bool draft = is_state(m, TEXT("draft")), paused = is_state(m, TEXT("paused")),
         running = is_state(m, TEXT("running")) || is_state(m, TEXT("scheduled"));
    json_pair_bool(w, TEXT("draft"), draft);
    json_pair_bool(w, TEXT("paused"), paused);
    json_pair_bool(w, TEXT("running"), running);
    json_pair_bool(w, TEXT("open"), draft || paused || running);
    json_pair(w, TEXT("at_sent"), json_text(p->q->json, TEXT("at")));
    json_name(w, TEXT("links"));
    json_open(w, '[');
    JSON_EACH(one, json_get(m, TEXT("links"))) {
        json_open(w, '{');
        page_copy(p, one, TEXT("link"));
        page_copy(p, one, TEXT("followed"));
        json_pair_bool(w, TEXT("shown"), json_get(one, TEXT("followed"))->kind != J_NULL);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* ---- By telephone and by post: who was handed out. ---- */

/* What the log of contacts asks of a call besides its time, channel and subject. */
static const struct category *log_of(const struct ctx *c)
{
    int log = policy_stream(c->policy, TEXT("contacts"));
    return log >= 0 ? &c->policy->categories[log] : NULL;
}

static void put_noted_fields(struct page *p)
{
    const struct category *log = log_of(p->c);
    json_name(&p->w, TEXT("fields"));
    json_open(&p->w, '[');
    for (unsigned i = 0; log && i < log->field_count; i++)
        if (contact_says(&log->fields[i]))
            form_field(p, log, &log->fields[i], p->q->json);
    json_close(&p->w, ']');
}

static void put_people(struct page *p, const struct json *list)
{
    json_name(&p->w, TEXT("handed"));
    if (!list) {
        json_put_null(&p->w);
        return;
    }
    json_open(&p->w, '{');
    json_name(&p->w, TEXT("people"));
    json_put(&p->w, json_get(list, TEXT("people")));
    json_pair(&p->w, TEXT("next"), json_text(list, TEXT("next")));
    json_pair(&p->w, TEXT("after"), json_text(p->q->json, TEXT("after")));
    put_noted_fields(p);
    json_close(&p->w, '}');
}

static void put_hand(struct page *p, const struct json *m, const struct staff_view *v)
{
    text channel = json_text(m, TEXT("channel"));
    bool call = text_eq(channel, TEXT("phone")), print = text_eq(channel, TEXT("post"));
    bool by_text = text_eq(channel, TEXT("sms"));
    json_pair_bool(&p->w, TEXT("by_hand"), call || print);
    json_pair_bool(&p->w, TEXT("by_text"), by_text);
    json_pair_bool(&p->w, TEXT("has_test"), !call && !print);
    json_pair_bool(&p->w, TEXT("call"), call);
    json_pair_bool(&p->w, TEXT("print"), print);
    json_pair_bool(&p->w, TEXT("takes"), (call || print) && is_state(m, TEXT("running")));
    json_name(&p->w, TEXT("out"));
    if (v->out) {
        json_open(&p->w, '{');
        json_name(&p->w, TEXT("list"));
        json_put(&p->w, v->out);
        json_close(&p->w, '}');
    } else
        json_put_null(&p->w);
    put_people(p, v->people);
}

static void put_doubts(struct page *p, const struct json *list)
{
    json_name(&p->w, TEXT("doubts"));
    if (!list) {
        json_put_null(&p->w);
        return;
    }
    json_open(&p->w, '{');
    json_name(&p->w, TEXT("list"));
    json_put(&p->w, json_get(list, TEXT("uncertain")));
    json_pair(&p->w, TEXT("next"), json_text(list, TEXT("next")));
    json_close(&p->w, '}');
}

static enum err one_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                         const struct staff_view *v)
{
    static const text kept[] = { TEXT_INIT("reason") };
    struct answer answer = { 0 };
    const struct json *m;
    PAGE_AUTO p = { 0 };
    TRY(campaign_show(c, ID, &answer));
    TRY(json_parse(c->arena, answer.body, &m));
    TRY(staff_open(c, q, TEXT("staff_campaign"), &p));
    staff_problem(&p, o);
    page_keep(&p, kept, 1);
    json_pair(&p.w, TEXT("id"), ID);
    json_name(&p.w, TEXT("campaign"));
    json_open(&p.w, '{');
    put_facts(&p, m);
    TRY(put_letters(&p));
    json_close(&p.w, '}');
    put_hand(&p, m, v);
    put_doubts(&p, v->doubts);
    json_pair_bool(&p.w, TEXT("doubtful"), !v->doubts && !text_eq(json_get(m, TEXT("uncertain"))->value, TEXT("0")));
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_campaign(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    const struct staff_view plain = { 0 };
    return one_page(c, q, r, &fine, &plain);
}

static enum err people_of(struct ctx *c, const struct request *q, const struct json **list)
{
    struct answer answer = { 0 };
    struct paging paging;
    text after = SENT("after");
    TRY(paging_parse(c, after.p ? after : TEXT(""), TEXT("200"), &paging));
    TRY(campaign_handed(c, ID, &paging, &answer));
    return json_parse(c->arena, answer.body, list);
}

static enum err note_call(struct ctx *c, const struct request *q)
{
    const struct category *log = log_of(c);
    struct answer answer = { 0 };
    const struct json *in;
    BUF_AUTO b = buf_make(1 << 18);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    json_pair(&w, TEXT("subject"), SENT("subject"));
    json_pair(&w, TEXT("result"), SENT("result"));
    json_name(&w, TEXT("fields"));
    json_open(&w, '{');
    for (unsigned i = 0; log && i < log->field_count; i++)
        if (contact_says(&log->fields[i]))
            form_value(c, &w, log, &log->fields[i], q->json);
    json_close(&w, '}');
    json_close(&w, '}');
    TRY(json_parse_buf(c->arena, &b, &in));
    return campaign_note(c, ID, in, &answer);
}

static enum err posted(struct ctx *c, const struct request *q, struct staff_view *v)
{
    struct answer answer = { 0 };
    const struct json *said;
    TRY(campaign_posted(c, ID, &answer));
    TRY(json_parse(c->arena, answer.body, &said));
    v->out = json_get(said, TEXT("out"));
    v->out = v->out->count ? v->out : NULL;
    return OK;
}

/* The list is shown again after each call: who noted one calls the next. */
static enum err hand(struct ctx *c, const struct request *q, text what, struct staff_view *v)
{
    struct answer answer = { 0 };
    if (text_eq(what, TEXT("posted")))
        return posted(c, q, v);
    if (text_eq(what, TEXT("take")))
        TRY(campaign_hand_out(c, ID, q->json, &answer));
    if (text_eq(what, TEXT("note")))
        TRY(note_call(c, q));
    return people_of(c, q, &v->people);
}

static enum err doubts_of(struct ctx *c, const struct request *q, const struct json **list)
{
    struct answer answer = { 0 };
    struct paging paging;
    text after = SENT("after");
    TRY(paging_parse(c, after.p ? after : TEXT(""), TEXT("100"), &paging));
    TRY(campaign_uncertain(c, ID, &paging, &answer));
    return json_parse(c->arena, answer.body, list);
}

static bool is_hand(text what)
{
    return text_eq(what, TEXT("take")) || text_eq(what, TEXT("people")) || text_eq(what, TEXT("note")) ||
           text_eq(what, TEXT("posted"));
}

static enum err act(struct ctx *c, const struct request *q, struct staff_view *v)
{
    struct answer answer = { 0 };
    text what = SENT("do");
    TRY(staff_reason(c, q));
    if (text_eq(what, TEXT("count")))
        return campaign_count(c, ID, &answer);
    if (text_eq(what, TEXT("test")))
        return campaign_test(c, ID, &answer);
    if (text_eq(what, TEXT("uncertain")))
        return doubts_of(c, q, &v->doubts);
    if (text_eq(what, TEXT("stopped")))
        return campaign_sms_noted(c, ID, q->json, &answer);
    if (is_hand(what))
        return hand(c, q, what, v);
    const struct json *in;
    TRY(form_dated(c, q->json, &in));
    return campaign_steer(c, ID, in, &answer);
}

enum err api_staff_campaign_act(struct ctx *c, const struct request *q, struct reply *r)
{
    struct staff_view v = { 0 };
    struct staff_outcome o = staff_outcome(c, act(c, q, &v));
    if (o.status == OK && !v.doubts && !v.people && !v.out)
        return page_go(c, r, arena_print(c->arena, "/staff/campaigns/%.*s", T(ID)),
                       text_eq(SENT("do"), TEXT("test")) ? TEXT("campaign_tested") : TEXT("campaign_done"));
    return o.status == OK || staff_again(o.status) ? one_page(c, q, r, &o, &v) : o.status;
}

/* ---- Letters to print, and their addresses as a table. ---- */

static enum err listed(struct ctx *c, const struct request *q, const struct json **list)
{
    TRY(staff_reason(c, q));
    return people_of(c, q, list);
}

static void put_lines(struct page *p, text name, text s)
{
    json_name(&p->w, name);
    json_open(&p->w, '[');
    while (s.p)
        json_put_text(&p->w, text_cut(&s, '\n'));
    json_close(&p->w, ']');
}

enum err api_staff_campaign_print(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *list = NULL;
    const struct staff_view plain = { 0 };
    PAGE_AUTO p = { 0 };
    struct staff_outcome o = staff_outcome(c, listed(c, q, &list));
    if (o.status != OK)
        return staff_again(o.status) ? one_page(c, q, r, &o, &plain) : o.status;
    TRY(staff_open(c, q, TEXT("staff_campaign_print"), &p));
    json_pair(&p.w, TEXT("id"), ID);
    json_name(&p.w, TEXT("letters"));
    json_open(&p.w, '[');
    JSON_EACH(one, json_get(list, TEXT("people"))) {
        json_open(&p.w, '{');
        page_copy(&p, one, TEXT("language"));
        page_copy(&p, one, TEXT("name"));
        page_copy(&p, one, TEXT("line"));
        page_copy(&p, one, TEXT("text"));
        put_lines(&p, TEXT("lines"), json_text(one, TEXT("post")));
        json_close(&p.w, '}');
    }
    json_close(&p.w, ']');
    json_pair(&p.w, TEXT("next"), json_text(list, TEXT("next")));
    json_pair(&p.w, TEXT("reason"), SENT("reason"));
    return page_show(&p, r, 200);
}

/* As a file: of the page of the list that was shown. */
enum err api_staff_campaign_pdf(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct json *list = NULL;
    const struct staff_view plain = { 0 };
    struct answer answer = { 0 };
    struct staff_outcome o = staff_outcome(c, listed(c, q, &list));
    if (o.status == OK)
        o = staff_outcome(c, letters_pdf(c, list, ID, &answer));
    if (o.status != OK)
        return staff_again(o.status) ? one_page(c, q, r, &o, &plain) : o.status;
    answer.next = (text){ NULL, 0 }; /* a page has its own link to it */
    return reply_answer(c, q, r, &answer);
}

/* All of them, page by page, each with memory of its own. */
static enum err put_csv_page(struct ctx *c, text id, struct buf *b, text *after)
{
    ARENA_AUTO a = arena_make(64 << 20);
    struct ctx in = *c;
    struct answer answer = { 0 };
    struct paging paging;
    const struct json *list = NULL;
    in.arena = &a;
    in.decisions = NULL;
    enum err e = paging_parse(&in, *after, TEXT("200"), &paging);
    if (e == OK)
        e = campaign_handed(&in, id, &paging, &answer);
    if (e == OK)
        e = json_parse(&a, answer.body, &list);
    JSON_EACH(one, json_get(list, TEXT("people"))) {
        text phone = json_text(one, TEXT("phone"));
        csv_put(b, json_text(one, TEXT("name")));
        buf_char(b, ',');
        csv_put(b, phone.n ? phone : json_text(one, TEXT("post")));
        buf_add(b, TEXT("\r\n"));
    }
    *after = arena_copy(c->arena, json_text(list, TEXT("next")));
    if (e != OK)
        c->arena->why = a.why;
    return e;
}

static enum err put_csv(struct ctx *c, const struct request *q, struct buf *b)
{
    text after = TEXT("");
    TRY(staff_reason(c, q));
    buf_add(b, CSV_MARK);
    csv_put(b, word_find(TEXT("campaign.person"), c->language));
    buf_char(b, ',');
    csv_put(b, word_find(TEXT("campaign.address"), c->language));
    buf_add(b, TEXT("\r\n"));
    do
        TRY(put_csv_page(c, ID, b, &after));
    while (after.n);
    return OK;
}

enum err api_staff_campaign_csv(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_view plain = { 0 };
    struct answer answer = { .media_type = TEXT("text/csv; charset=utf-8") };
    BUF_AUTO b = buf_make(64 << 20);
    struct staff_outcome o = staff_outcome(c, put_csv(c, q, &b));
    if (o.status != OK)
        return staff_again(o.status) ? one_page(c, q, r, &o, &plain) : o.status;
    TRY(buf_take(c->arena, &b, &answer.body));
    answer.file_name = arena_print(c->arena, "%.*s.csv", T(ID));
    return reply_answer(c, q, r, &answer);
}

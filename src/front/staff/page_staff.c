/* Staff pages: what one's role may do, who has an account, and people found by an identifier. */
#include "domain/choice/choice.h"
#include "domain/core/named.h"
#include "domain/core/actor.h"
#include "front/door/go.h"
#include "domain/core/paging.h"
#include "domain/core/look.h"
#include "domain/entry/opening.h"
#include "domain/entry/roster.h"
#include "domain/account/session.h"
#include "domain/person/subject.h"
#include "domain/usage/capacity.h"
#include "front/page/page_person.h"
#include "front/door/word.h"
#include "front/staff/staff.h"

/* ---- What the pages share. ---- */

static const struct actor_class *class_of(const struct ctx *c)
{
    return c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
}

static text in_words(const struct ctx *c, text en, text fr, text name)
{
    text said = doc_in(c, en, fr);
    return said.n ? said : name;
}

text staff_role(const struct ctx *c, text name)
{
    int index = name.n ? policy_actor(c->policy, name) : -1;
    const struct actor_class *class = index >= 0 ? &c->policy->actors[index] : NULL;
    return class ? in_words(c, class->title_en, class->title_fr, name) : TEXT("");
}

text staff_who(const struct ctx *c, text name)
{
    text title = staff_role(c, name);
    bool person = text_eq(name, TEXT("person"));
    text word = word_find(person ? TEXT("staff.the_person") : arena_print(c->arena, "who.%.*s", T(name)), c->language);
    return word.p ? word
         : title.n ? title : name;
}

void staff_acts(struct page *p, const struct json *from, text list)
{
    json_name(&p->w, list);
    json_open(&p->w, '[');
    JSON_EACH(one, json_get(from, list)) {
        json_open(&p->w, '{');
        JSON_EACH(member, one) {
            json_name(&p->w, member->key);
            if (text_eq(member->key, TEXT("actor")) && member->kind == J_TEXT)
                json_put_text(&p->w, staff_who(p->c, member->value));
            else
                json_put(&p->w, member);
        }
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

enum err staff_open(struct ctx *c, const struct request *q, text name, struct page *p)
{
    const struct actor_class *class = class_of(c);
    if (!class)
        return say(c->arena, ERR_FORBIDDEN, "the policy no longer has this role");
    TRY(page_open(c, q, name, TEXT("staff"), p));
    json_pair(&p->w, TEXT("role"), in_words(c, class->title_en, class->title_fr, class->name));
    json_pair_bool(&p->w, TEXT("team"), class->sees_team);
    json_pair_bool(&p->w, TEXT("reason_needed"), class->reason);
    json_pair_bool(&p->w, TEXT("writes"), class->acts >> ACT_WRITE & 1);
    json_pair_bool(&p->w, TEXT("sends"), class->acts >> ACT_SEND & 1);
    return OK;
}

void staff_which(struct page *p, text chosen)
{
    static const text all[] = { TEXT_INIT("open"), TEXT_INIT("closed") };
    json_name(&p->w, TEXT("tabs"));
    json_open(&p->w, '[');
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("which"), all[i]);
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(all[i], chosen.n ? chosen : all[0]));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_pair(&p->w, TEXT("which_now"), chosen.n ? chosen : all[0]);
}

void staff_purposes(struct page *p, enum act act, int category, text chosen)
{
    const struct policy *policy = p->c->policy;
    const struct actor_class *class = class_of(p->c);
    json_name(&p->w, TEXT("purposes"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->purpose_count; i++) {
        const struct purpose *one = &policy->purposes[i];
        bool uses = category < 0 || bits_has(&one->categories, (unsigned)category);
        if (!bits_has(&class->purposes, i) || !(class->acts >> act & 1) || !uses || (act == ACT_SEND && one->marketing))
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("purpose"), one->name);
        json_pair(&p->w, TEXT("says"), doc_purpose(p->c, one));
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(chosen, one->name));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

bool staff_needs_reason(const struct ctx *c)
{
    return c->actor.index >= 0 && c->policy->actors[c->actor.index].reason;
}

enum err staff_reason(struct ctx *c, const struct request *q)
{
    return look_reason(c, json_text(q->json, TEXT("reason")));
}

bool staff_again(enum err e)
{
    return e != ERR_NOT_FOUND && e != ERR_UNAUTHORISED && e != ERR_MEMORY && e != ERR_STORAGE && e != ERR_FULL &&
           e != ERR_INTERNAL;
}

struct staff_outcome staff_outcome(const struct ctx *c, enum err status)
{
    struct staff_outcome out = { .status = status };
    if (status != OK)
        out.why = c->arena->why;
    return out;
}

void staff_problem(struct page *p, const struct staff_outcome *o) { page_problem(p, o->status == OK ? NULL : &o->why); }
int staff_status(const struct staff_outcome *o) { return o->status == OK ? 200 : err_row(o->status)->http; }

void staff_person(struct page *p, const struct json *account, text tab)
{
    text id = p->q->params[0], name = json_text(account, TEXT("name"));
    const struct actor_class *class = class_of(p->c);
    bool carries = class && class->reason && p->c->actor.reason.n;
    size_t end = id.n < 6 ? 0 : id.n - 6;
    json_pair(&p->w, TEXT("id"), id);
    json_pair(&p->w, TEXT("short"), text_from(id, end));
    json_pair(&p->w, TEXT("called"), name.n ? name : TEXT(""));
    json_pair_bool(&p->w, TEXT("carries"), carries);
    json_pair_bool(&p->w, arena_print(p->c->arena, "tab_%.*s", T(tab)), true);
}

enum err staff_account(struct ctx *c, const struct request *q, text purpose, const struct json **out, bool *nobody)
{
    struct answer answer = { 0 };
    const struct actor_class *class = class_of(c);
    *out = NULL;
    *nobody = false;
    if (class && class->reason && !c->actor.reason.n)
        return OK;
    enum err status = account_get(c, q->params[0], purpose, true, &answer);
    *nobody = status == ERR_NOT_FOUND;
    if (status == ERR_NOT_FOUND)
        return OK;
    TRY(status);
    return json_parse(c->arena, answer.body, out);
}

text staff_path(struct ctx *c, const struct request *q, const char *after)
{
    return arena_print(c->arena, "/staff/people/%.*s%s", T(q->params[0]), after);
}

/* ---- The first page: also for whom it tells that their role is closed, or that they have none. ---- */

static void put_reach(struct page *p, const struct actor_class *class)
{
    const struct policy *policy = p->c->policy;
    json_name(&p->w, TEXT("reach"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->purpose_count; i++) {
        if (!bits_has(&class->purposes, i))
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("says"), doc_purpose(p->c, &policy->purposes[i]));
        json_name(&p->w, TEXT("data"));
        json_open(&p->w, '[');
        for (unsigned k = 0; k < policy->category_count; k++)
            if (bits_has(&policy->purposes[i].categories, k) && bits_has(&class->categories, k))
                json_put_text(&p->w, doc_category(p->c, &policy->categories[k]));
        json_close(&p->w, ']');
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

/* Registrations that wait for the word of a role that may give it; answers to forms that the role reads. */
static enum err put_waiting(struct page *p, const struct actor_class *class)
{
    int64_t waiting = 0;
    if (class && class->acts >> ACT_WRITE & 1)
        TRY(account_waiting(p->c, &waiting));
    json_pair_int(&p->w, TEXT("waiting"), waiting);
    int64_t recent = 0;
    if (class)
        TRY(choice_recent(p->c, class, &recent));
    json_pair_int(&p->w, TEXT("recent"), recent);
    return OK;
}

/* Limits of the servers that are near, for who works on that. */
static enum err put_alarms(struct page *p, const struct actor_class *class)
{
    struct answer answer = { 0 };
    const struct json *told = NULL;
    if (class) {
        TRY(capacity_alarms(p->c, class, &answer));
        TRY(json_parse(p->c->arena, answer.body, &told));
    }
    json_name(&p->w, TEXT("alarms"));
    if (told)
        json_put(&p->w, json_get(told, TEXT("alarms")));
    else
        json_put_null(&p->w);
    return OK;
}

enum err api_staff_page(struct ctx *c, const struct request *q, struct reply *r)
{
    PAGE_AUTO p = { 0 };
    text closed = c->session->closed;
    int index = c->session->role.n ? policy_actor(c->policy, c->session->role) : -1;
    const struct actor_class *class = index >= 0 ? &c->policy->actors[index] : NULL;
    TRY(page_open(c, q, TEXT("staff"), class && !closed.n ? TEXT("staff") : TEXT(""), &p));
    page_problem(&p, NULL);
    json_pair_bool(&p.w, TEXT("none"), !class);
    json_pair_bool(&p.w, TEXT("no_agreement"), class && text_eq(closed, TEXT("agreement")));
    json_pair_bool(&p.w, TEXT("no_factor"), class && text_eq(closed, TEXT("factor")));
    json_pair_bool(&p.w, TEXT("opened"), class && !closed.n);
    json_pair(&p.w, TEXT("role"), class ? in_words(c, class->title_en, class->title_fr, class->name) : TEXT(""));
    json_pair_bool(&p.w, TEXT("team"), class && class->sees_team);
    json_pair_bool(&p.w, TEXT("reason_needed"), class && class->reason);
    TRY(put_alarms(&p, class && !closed.n ? class : NULL));
    TRY(put_waiting(&p, class && !closed.n ? class : NULL));
    if (class)
        put_reach(&p, class);
    return page_show(&p, r, class && !closed.n ? 200 : 403);
}

/* ---- Finding somebody. ---- */

static void put_identifiers(struct page *p, text chosen)
{
    const struct policy *policy = p->c->policy;
    json_name(&p->w, TEXT("identifiers"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < policy->category_count; i++)
        for (unsigned k = 0; k < policy->categories[i].field_count; k++) {
            const struct category *cat = &policy->categories[i];
            if (!cat->fields[k].identifier)
                continue;
            text name = arena_print(p->c->arena, "%.*s.%.*s", T(cat->name), T(cat->fields[k].name));
            json_open(&p->w, '{');
            json_pair(&p->w, TEXT("field"), name);
            json_pair(&p->w, TEXT("says"), doc_field(p->c, cat, cat->fields[k].name));
            json_pair_bool(&p->w, TEXT("chosen"), text_eq(chosen, name));
            json_close(&p->w, '}');
        }
    json_close(&p->w, ']');
}

/* Accounts by state, in pages; `list` NULL: the role must say why first. */
static void put_accounts(struct page *p, const struct json *list, text state)
{
    static const text states[] = { TEXT_INIT(""), TEXT_INIT("invited"), TEXT_INIT("awaiting"), TEXT_INIT("open"),
                                   TEXT_INIT("refused") };
    json_pair_bool(&p->w, TEXT("listed"), list != NULL);
    json_name(&p->w, TEXT("states"));
    json_open(&p->w, '[');
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("code"), states[i]);
        json_pair(&p->w, TEXT("word"), states[i].n ? states[i] : TEXT("all"));
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(state, states[i]));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_pair(&p->w, TEXT("state_now"), state);
    json_name(&p->w, TEXT("accounts"));
    json_open(&p->w, '[');
    JSON_EACH(one, json_get(list, TEXT("accounts"))) {
        json_open(&p->w, '{');
        page_copy(p, one, TEXT("id"));
        page_copy(p, one, TEXT("state"));
        page_copy(p, one, TEXT("opened"));
        page_copy(p, one, TEXT("last_visit"));
        page_copy(p, one, TEXT("confusable"));
        text id = json_text(one, TEXT("id")), name = json_text(one, TEXT("name"));
        json_pair(&p->w, TEXT("called"), name.n ? name : TEXT(""));
        json_pair(&p->w, TEXT("short"), text_from(id, id.n < 6 ? 0 : id.n - 6));
        json_pair_bool(&p->w, TEXT("awaiting"), text_eq(json_text(one, TEXT("state")), TEXT("awaiting")));
        json_pair(&p->w, TEXT("has_role"), staff_role(p->c, json_text(one, TEXT("role"))));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    const struct json *rows = json_get(list, TEXT("accounts"));
    json_pair_bool(&p->w, TEXT("some"), rows && rows->count);
    page_copy(p, list, TEXT("next"));
}

struct asked {
    text state, after;
};

static enum err people_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                            const struct asked *asked, bool nobody)
{
    static const text kept[] = { TEXT_INIT("reason") };
    const struct actor_class *class = class_of(c);
    struct answer answer = { 0 };
    const struct json *list = NULL;
    if (class && (!class->reason || (asked && c->actor.reason.n))) {
        const struct paging paging = { .after = asked ? asked->after : TEXT(""), .limit = ACCOUNTS_PAGE };
        TRY(account_list(c, asked ? asked->state : TEXT(""), TEXT(""), TEXT(""), true, &paging, &answer));
        TRY(json_parse(c->arena, answer.body, &list));
    }
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_people"), &p));
    staff_problem(&p, o);
    json_pair_bool(&p.w, TEXT("nobody"), nobody);
    page_keep(&p, kept, 1);
    put_identifiers(&p, json_text(q->json, TEXT("field")));
    staff_purposes(&p, ACT_READ, -1, json_text(q->json, TEXT("purpose")));
    put_accounts(&p, list, asked ? asked->state : TEXT(""));
    return page_show(&p, r, nobody ? 404 : staff_status(o));
}

enum err api_staff_people(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    text state = request_query(q, TEXT("state")), after = request_query(q, TEXT("after"));
    const struct asked asked = { state.p ? state : TEXT(""), after.p ? after : TEXT("") };
    return people_page(c, q, r, &fine, &asked, false);
}

enum err api_staff_people_look(struct ctx *c, const struct request *q, struct reply *r)
{
    struct staff_outcome o = staff_outcome(c, staff_reason(c, q));
    text state = json_text(q->json, TEXT("state")), after = json_text(q->json, TEXT("after"));
    const struct asked asked = { state.p ? state : TEXT(""), after.p ? after : TEXT("") };
    return people_page(c, q, r, &o, &asked, false);
}

static enum err find(struct ctx *c, const struct request *q, text *id)
{
    BUF_AUTO b = buf_make(1 << 16);
    struct json_out w = json_out(&b);
    struct answer answer = { 0 };
    const struct json *in, *found;
    json_open(&w, '{');
    json_name(&w, TEXT("identifier"));
    json_open(&w, '{');
    json_pair(&w, json_text(q->json, TEXT("field")), text_trim(json_text(q->json, TEXT("value"))));
    json_close(&w, '}');
    json_pair(&w, TEXT("purpose"), json_text(q->json, TEXT("purpose")));
    json_close(&w, '}');
    TRY(staff_reason(c, q));
    TRY(json_parse_buf(c->arena, &b, &in));
    TRY(subject_lookup(c, in, &answer));
    TRY(json_parse(c->arena, answer.body, &found));
    *id = json_text(found, TEXT("id"));
    return OK;
}

/* The person's page takes the form as it is, its purpose and its reason with it (RFC 9110, 15.4.8). */
static enum err to_person(struct ctx *c, struct reply *r, text id)
{
    text path = arena_print(c->arena, "/staff/people/%.*s", T(id));
    TRY_PTR(path.p);
    reply_bytes(r, 307, (text){ NULL, 0 }, TEXT(""));
    return reply_header(c->arena, r, TEXT("Location"), path);
}

enum err api_staff_find(struct ctx *c, const struct request *q, struct reply *r)
{
    text id;
    struct staff_outcome o = staff_outcome(c, find(c, q, &id)), fine = { 0 };
    if (o.status == OK)
        return to_person(c, r, id);
    if (o.status == ERR_NOT_FOUND)
        return people_page(c, q, r, &fine, NULL, true);
    return staff_again(o.status) ? people_page(c, q, r, &o, NULL, false) : o.status;
}

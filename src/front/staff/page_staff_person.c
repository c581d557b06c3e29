/* Staff pages of one person: the account and what is done about it, and data looked at for a purpose and, where the
 * role must, with a reason. */
#include "domain/core/named.h"
#include "front/door/go.h"
#include "domain/core/look.h"
#include "domain/entry/closing.h"
#include "domain/entry/opening.h"
#include "domain/entry/roster.h"
#include "domain/person/subject.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

/* ---- What was looked at. ---- */

/* What no template can show (an object) is shown as its JSON. */
static void put_plain(struct page *p, const struct json *v)
{
    if (v->kind != J_OBJECT) {
        json_put(&p->w, v);
        return;
    }
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_put(&w, v);
    json_put_text_of(&p->w, &b);
}

static void put_record(struct page *p, const struct category *cat, text at, const struct json *fields)
{
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("at"), at);
    json_name(&p->w, TEXT("values"));
    json_open(&p->w, '[');
    JSON_EACH(v, fields) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("says"), doc_field(p->c, cat, v->key));
        json_name(&p->w, TEXT("value"));
        put_plain(p, v);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_close(&p->w, '}');
}

static void put_card(struct page *p, const struct json *data)
{
    int index = policy_category(p->c->policy, data->key);
    const struct category *cat = &p->c->policy->categories[index];
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("category"), data->key);
    json_pair(&p->w, TEXT("says"), doc_category(p->c, cat));
    json_name(&p->w, TEXT("records"));
    json_open(&p->w, '[');
    if (data->kind == J_OBJECT)
        put_record(p, cat, TEXT(""), data);
    else
        JSON_EACH(one, data)
            put_record(p, cat, json_text(one, TEXT("at")), json_get(one, TEXT("fields")));
    json_close(&p->w, ']');
    json_close(&p->w, '}');
}

/* `answer` of subject_read; NULL: nothing was looked at. */
static enum err put_looked(struct page *p, const struct answer *answer, text purpose)
{
    const struct json *read = NULL;
    int index = policy_purpose(p->c->policy, purpose);
    if (answer)
        TRY(json_parse(p->c->arena, answer->body, &read));
    json_pair(&p->w, TEXT("looked"), answer ? doc_purpose(p->c, &p->c->policy->purposes[index]) : TEXT(""));
    json_name(&p->w, TEXT("cards"));
    json_open(&p->w, '[');
    JSON_EACH(data, json_get(read, TEXT("data")))
        if (data->count)
            put_card(p, data);
    json_close(&p->w, ']');
    return OK;
}

/* ---- The account. ---- */

static void put_confusable(struct page *p, const struct json *names)
{
    json_name(&p->w, TEXT("confusable"));
    json_open(&p->w, '[');
    JSON_EACH(name, names) {
        text field = name->value, category = text_cut(&field, '.');
        int index = policy_category(p->c->policy, category);
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("title"),
                  index < 0 ? name->value : doc_field(p->c, &p->c->policy->categories[index], field));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

/* {"account"} of account_get; NULL: nobody asked yet, or there is none. */
static void put_account(struct page *p, const struct json *got)
{
    static const text members[] = { TEXT_INIT("state"),     TEXT_INIT("opened"),        TEXT_INIT("last_visit"),
                                    TEXT_INIT("agreement"), TEXT_INIT("second_factor"), TEXT_INIT("sessions") };
    const struct json *a = json_get(got, TEXT("account"));
    text state = json_text(a, TEXT("state")), role = json_text(a, TEXT("role"));
    int index = role.n ? policy_actor(p->c->policy, role) : -1;
    json_name(&p->w, TEXT("account"));
    if (!a) {
        json_put_null(&p->w);
        return;
    }
    json_open(&p->w, '{');
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        page_copy(p, a, members[i]);
    json_pair(&p->w, TEXT("has_role"), staff_role(p->c, role));
    page_copy(p, got, TEXT("source_title"));
    page_copy(p, got, TEXT("supplied_by"));
    put_confusable(p, json_get(got, TEXT("confusable")));
    json_pair(&p->w, TEXT("opener"), staff_role(p->c, json_text(a, TEXT("opened_by"))));
    json_pair_bool(&p->w, TEXT("invited"), text_eq(state, TEXT("invited")));
    json_pair_bool(&p->w, TEXT("awaiting"), text_eq(state, TEXT("awaiting")));
    json_pair_bool(&p->w, TEXT("unsigned"),
                   index >= 0 && p->c->policy->actors[index].confidentiality && !json_text(a, TEXT("agreement")).n);
    json_close(&p->w, '}');
}

struct found {
    const struct json *account;
    bool nobody;
};

/* The account, unless the role must say why first and has not. Who has no account may still be a person whose data are
 * looked at. */
static enum err load_account(struct ctx *c, const struct request *q, text purpose, struct found *out)
{
    struct answer answer = { 0 };
    const struct actor_class *class = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    *out = (struct found){ 0 };
    if (class && class->reason && !c->actor.reason.n)
        return OK;
    enum err status = account_get(c, q->params[0], purpose, &answer);
    out->nobody = status == ERR_NOT_FOUND;
    if (status == ERR_NOT_FOUND)
        return OK;
    TRY(status);
    return json_parse(c->arena, answer.body, &out->account);
}

static enum err person_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                            const struct answer *looked)
{
    static const text kept[] = { TEXT_INIT("reason"), TEXT_INIT("date"), TEXT_INIT("reference") };
    text purpose = json_text(q->json, TEXT("purpose"));
    struct found found;
    TRY(load_account(c, q, looked ? purpose : TEXT(""), &found));
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_person"), &p));
    staff_problem(&p, o);
    json_pair(&p.w, TEXT("id"), q->params[0]);
    json_pair_bool(&p.w, TEXT("tab_person"), true);
    json_pair_bool(&p.w, TEXT("nobody"), found.nobody && !looked);
    put_account(&p, found.account);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    staff_purposes(&p, ACT_READ, -1, purpose);
    TRY(put_looked(&p, looked, purpose));
    return page_show(&p, r, found.nobody && !looked && o->status == OK ? 404 : staff_status(o));
}

enum err api_staff_person(struct ctx *c, const struct request *q, struct reply *r)
{
    const struct staff_outcome fine = { 0 };
    return person_page(c, q, r, &fine, NULL);
}

enum err api_staff_look(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    text purpose = json_text(q->json, TEXT("purpose"));
    enum err status = staff_reason(c, q);
    if (status == OK)
        status = subject_read(c, q->params[0], purpose, (text){ NULL, 0 }, &answer);
    struct staff_outcome o = staff_outcome(c, status);
    if (status != OK && !staff_again(status))
        return status;
    return person_page(c, q, r, &o, status == OK ? &answer : NULL);
}

/* ---- What is done about it. ---- */

static enum err after_act(struct ctx *c, const struct request *q, struct reply *r, enum err status, text path,
                          text done)
{
    struct staff_outcome o = staff_outcome(c, status);
    if (status == OK)
        return page_go(c, r, path, done);
    return staff_again(status) ? person_page(c, q, r, &o, NULL) : status;
}

enum err api_staff_invite(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    enum err status = staff_reason(c, q);
    if (status == OK)
        status = account_invite(c, q->params[0], &answer);
    return after_act(c, q, r, status, staff_path(c, q, ""), TEXT("invited"));
}

enum err api_staff_close(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    enum err status = staff_reason(c, q);
    if (status == OK)
        status = account_close(c, q->params[0], &answer);
    return after_act(c, q, r, status, TEXT("/staff/people"), TEXT("account_closed"));
}

/* A registration that awaits approval. */
enum err api_staff_decide(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    bool approve = text_eq(json_text(q->json, TEXT("decision")), TEXT("approve"));
    enum err status = staff_reason(c, q);
    if (status == OK)
        status = registration_decide(c, q->params[0], approve, &answer);
    return after_act(c, q, r, status, TEXT("/staff/people?state=awaiting"),
                     approve ? TEXT("approved") : TEXT("refused"));
}

enum err api_staff_agreement(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    enum err status = staff_reason(c, q);
    if (status == OK)
        status = account_agreement(c, q->params[0], q->json, &answer);
    return after_act(c, q, r, status, staff_path(c, q, ""), TEXT("agreement"));
}

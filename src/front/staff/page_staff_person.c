/* Staff pages of one person: the account and what is done about it, and data looked at for a purpose and, where the
 * role must, with a reason. */
#include "domain/core/named.h"
#include "front/door/go.h"
#include "domain/core/look.h"
#include "domain/core/normal.h"
#include "domain/entry/closing.h"
#include "domain/entry/opening.h"
#include "domain/entry/roster.h"
#include "domain/person/subject.h"
#include "front/door/word.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

/* ---- What was looked at. ---- */

static void put_record(struct page *p, const struct category *cat, text at, const struct json *fields)
{
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("at"), at);
    json_name(&p->w, TEXT("values"));
    json_open(&p->w, '[');
    JSON_EACH(v, fields) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("says"), doc_field(p->c, cat, v->key));
        page_value(p, cat, v);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_close(&p->w, '}');
}

/* The form that corrects a category, for a role that may: what was typed stands in it when it could not be done. */
static void put_correcting(struct page *p, const struct category *cat, const struct json *data, bool failed)
{
    const struct actor_class *class = &p->c->policy->actors[p->c->actor.index];
    bool single = data->kind == J_OBJECT && !cat->many && !cat->transient && (class->acts >> ACT_WRITE & 1);
    bool again = failed && text_eq(json_text(p->q->json, TEXT("category")), cat->name);
    json_pair_bool(&p->w, TEXT("correcting"), again);
    json_pair_bool(&p->w, TEXT("corrects"), single);
    json_name(&p->w, TEXT("fields"));
    json_open(&p->w, '[');
    if (single)
        form_fields(p, cat, FORM_NO_IDENTIFIERS, data, again ? p->q->json : NULL);
    json_close(&p->w, ']');
    json_name(&p->w, TEXT("sources"));
    json_open(&p->w, '[');
    for (unsigned i = 0; single && i < p->c->policy->source_count; i++) {
        text name = p->c->policy->sources[i].name;
        if (!(cat->sources >> i & 1))
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("source"), name);
        json_pair(&p->w, TEXT("says"),
                  i ? doc_source(p->c, name) : word_find(TEXT("staff.the_person"), p->c->language));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static void put_card(struct page *p, const struct json *data, bool failed)
{
    int index = policy_category(p->c->policy, data->key);
    const struct category *cat = &p->c->policy->categories[index];
    json_open(&p->w, '{');
    json_pair(&p->w, TEXT("category"), data->key);
    json_pair(&p->w, TEXT("says"), doc_category(p->c, cat));
    put_correcting(p, cat, data, failed);
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
static enum err put_looked(struct page *p, const struct answer *answer, text purpose, bool failed)
{
    const struct json *read = NULL;
    int index = policy_purpose(p->c->policy, purpose);
    if (answer)
        TRY(json_parse(p->c->arena, answer->body, &read));
    page_copy(p, read, TEXT("version"));
    json_pair(&p->w, TEXT("looked"), answer ? doc_purpose(p->c, &p->c->policy->purposes[index]) : TEXT(""));
    json_name(&p->w, TEXT("cards"));
    json_open(&p->w, '[');
    JSON_EACH(data, json_get(read, TEXT("data")))
        if (data->count)
            put_card(p, data, failed);
    json_close(&p->w, ']');
    return OK;
}

/* What is wrong in the form that corrects, all of it; before the problem is told. */
static enum err find_faults(struct page *p, const struct staff_outcome *o, const struct answer *answer)
{
    const struct json *read;
    int index = policy_category(p->c->policy, json_text(p->q->json, TEXT("category")));
    if (o->status == OK || !answer || index < 0)
        return OK;
    TRY(json_parse(p->c->arena, answer->body, &read));
    const struct category *cat = &p->c->policy->categories[index];
    form_faults(p, cat, FORM_NO_IDENTIFIERS, json_get(json_get(read, TEXT("data")), cat->name), p->q->json);
    return OK;
}

static void put_choices(struct page *p, const struct purpose *of)
{
    for (unsigned i = 0; i < of->channel_count || !i; i++) {
        text channel = of->channel_count ? of->channels[i] : TEXT("");
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("choice"),
                  arena_print(p->c->arena, "%.*s%s%.*s", T(of->name), channel.n ? " " : "", T(channel)));
        json_pair(&p->w, TEXT("says"), doc_purpose(p->c, of));
        json_pair(&p->w, TEXT("channel"), channel);
        json_close(&p->w, '}');
    }
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
    if (text_eq(json_text(got, TEXT("source")), TEXT("person")))
        page_word(p, TEXT("source_title"), TEXT("staff.the_person"));
    else
        page_copy(p, got, TEXT("source_title"));
    page_copy(p, got, TEXT("supplied_by"));
    put_confusable(p, json_get(got, TEXT("confusable")));
    text opener = json_text(a, TEXT("opened_by"));
    json_pair(&p->w, TEXT("opener"), opener.n ? staff_who(p->c, opener) : opener);
    json_pair_bool(&p->w, TEXT("invited"), text_eq(state, TEXT("invited")));
    json_pair_bool(&p->w, TEXT("awaiting"), text_eq(state, TEXT("awaiting")));
    json_pair_bool(&p->w, TEXT("unsigned"),
                   index >= 0 && p->c->policy->actors[index].confidentiality && !json_text(a, TEXT("agreement")).n);
    json_close(&p->w, '}');
}

static void put_ways(struct page *p)
{
    static const text ways[] = { TEXT_INIT("telephone"), TEXT_INIT("paper"), TEXT_INIT("email"), TEXT_INIT("post"),
                                 TEXT_INIT("in_person") };
    text sent = json_text(p->q->json, TEXT("method"));
    json_name(&p->w, TEXT("ways"));
    json_open(&p->w, '[');
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("way"), ways[i]);
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(ways[i], sent));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

/* What the role may do for the person besides looking, once it has looked. */
static void put_acts(struct page *p, bool looked)
{
    const struct actor_class *class = &p->c->policy->actors[p->c->actor.index];
    bool some = false;
    json_pair_bool(&p->w, TEXT("exports"), looked && class->rights >> ACT_EXPORT & 1);
    json_pair_bool(&p->w, TEXT("erases"), looked && class->rights >> ACT_ERASE & 1);
    json_name(&p->w, TEXT("choices"));
    json_open(&p->w, '[');
    for (unsigned i = 0; looked && (class->acts >> ACT_CONSENT & 1) && i < p->c->policy->purpose_count; i++) {
        const struct purpose *one = &p->c->policy->purposes[i];
        if (one->basis != BASIS_CONSENT || !bits_has(&class->purposes, i))
            continue;
        some = true;
        put_choices(p, one);
    }
    json_close(&p->w, ']');
    put_ways(p);
    json_pair_bool(&p->w, TEXT("chooses"), some);
    json_pair_bool(&p->w, TEXT("answers"), looked && class->rights >> ACT_EXPORT & 1);
}

enum err staff_show_person(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                           const struct answer *looked, text said)
{
    static const text kept[] = { TEXT_INIT("reason"), TEXT_INIT("date"), TEXT_INIT("reference") };
    text purpose = json_text(q->json, TEXT("purpose"));
    const struct json *account;
    bool nobody;
    TRY(staff_account(c, q, looked ? purpose : TEXT(""), &account, &nobody));
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_person"), &p));
    TRY(find_faults(&p, o, looked));
    staff_problem(&p, o);
    bool refused = err_row(o->status)->http == 403; /* who may not see this person for that is told no name either */
    staff_person(&p, refused ? NULL : account, TEXT("person"));
    json_pair_bool(&p.w, TEXT("nobody"), nobody && !looked);
    page_text(&p, TEXT("said"), said.n ? word_find(said, c->language) : TEXT(""));
    put_account(&p, account);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    json_pair(&p.w, TEXT("purpose_now"), looked ? purpose : TEXT(""));
    staff_purposes(&p, ACT_READ, -1, purpose);
    TRY(put_looked(&p, looked, purpose, o->status != OK));
    put_acts(&p, looked != NULL);
    return page_show(&p, r, nobody && !looked && o->status == OK ? 404 : staff_status(o));
}

static enum err person_page(struct ctx *c, const struct request *q, struct reply *r, const struct staff_outcome *o,
                            const struct answer *looked)
{
    return staff_show_person(c, q, r, o, looked, TEXT(""));
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
    bool account_alone = !purpose.n && c->actor.reason.n;
    if (status == OK && !account_alone)
        status = subject_read(c, q->params[0], purpose, (text){ NULL, 0 }, &answer);
    struct staff_outcome o = staff_outcome(c, status);
    if (status != OK && !staff_again(status))
        return status;
    return person_page(c, q, r, &o, status == OK && !account_alone ? &answer : NULL);
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
    const struct json *in = NULL;
    enum err status = staff_reason(c, q);
    if (status == OK)
        status = form_dated(c, q->json, &in);
    if (status == OK)
        status = account_agreement(c, q->params[0], in, &answer);
    return after_act(c, q, r, status, staff_path(c, q, ""), TEXT("agreement"));
}

/* Staff pages of one person: folders granted and taken back with their history, and the log of letters and calls. */
#include "domain/mail/contact.h"
#include "domain/core/look.h"
#include "domain/core/named.h"
#include "domain/core/normal.h"
#include "front/door/go.h"
#include "domain/folder/folder.h"
#include "front/page/page_person.h"
#include "front/staff/staff.h"

/* ---- Bodies of the domain's functions, made from forms. ---- */

/* The filled members of `names` as a JSON object; lines end as in a text file. */
static enum err body_of(struct ctx *c, const struct request *q, const text *names, size_t count,
                        const struct json **out)
{
    const struct json *dated;
    TRY(form_dated(c, q->json, &dated));
    BUF_AUTO b = buf_make(1 << 20), plain = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    for (size_t i = 0; i < count; i++) {
        text sent = text_trim(json_text(dated, names[i]));
        if (!sent.n)
            continue;
        buf_clear(&plain);
        for (size_t k = 0; k < sent.n; k++)
            if (sent.p[k] != '\r')
                buf_char(&plain, sent.p[k]);
        json_name(&w, names[i]);
        json_put_text_of(&w, &plain);
    }
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

/* ---- Folders. ---- */

static void put_kinds(struct page *p, text chosen)
{
    json_name(&p->w, TEXT("kinds"));
    json_open(&p->w, '[');
    bool some = false;
    NODE_EACH(n, node_get(p->c->policy->root, TEXT("folders"))) {
        const struct node *title = node_get(n, TEXT("title"));
        if (!node_has(node_get(n, TEXT("granted_by")), p->c->actor.name))
            continue;
        some = true;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("folder"), n->key);
        json_pair(&p->w, TEXT("says"), title ? node_said(title, p->c->language) : n->key);
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(chosen, n->key));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    json_pair_bool(&p->w, TEXT("grants"), some);
}

static void put_history(struct page *p, const struct json *history)
{
    static const text members[] = { TEXT_INIT("act"), TEXT_INIT("at"), TEXT_INIT("by"), TEXT_INIT("why") };
    json_name(&p->w, TEXT("history"));
    json_open(&p->w, '[');
    JSON_EACH(one, history) {
        json_open(&p->w, '{');
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            page_copy(p, one, members[i]);
        page_until(p, one);
        json_pair(&p->w, TEXT("actor"), staff_who(p->c, json_text(one, TEXT("actor"))));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static void put_folders(struct page *p, const struct json *list)
{
    static const text members[] = { TEXT_INIT("folder"), TEXT_INIT("title"), TEXT_INIT("name"), TEXT_INIT("allowed") };
    json_name(&p->w, TEXT("folders"));
    json_open(&p->w, '[');
    JSON_EACH(one, json_get(list, TEXT("folders"))) {
        json_open(&p->w, '{');
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            page_copy(p, one, members[i]);
        page_until(p, one);
        put_history(p, json_get(one, TEXT("history")));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

/* `look`: the list is asked for now, under the reason that was given; else the page asks for one. */
static enum err folders_page(struct ctx *c, const struct request *q, struct reply *r, struct staff_outcome *o,
                             bool look)
{
    static const text kept[] = { TEXT_INIT("reason"), TEXT_INIT("name"), TEXT_INIT("why"), TEXT_INIT("until") };
    const struct actor_class *class = c->actor.index >= 0 ? &c->policy->actors[c->actor.index] : NULL;
    struct answer answer = { 0 };
    const struct json *list = NULL, *account;
    bool nobody;
    PAGE_AUTO p = { 0 };
    TRY(staff_open(c, q, TEXT("staff_folders"), &p));
    look &= !class || !class->reason || c->actor.reason.n;
    if (look) {
        TRY(folder_list(c, q->params[0], &answer));
        TRY(json_parse(c->arena, answer.body, &list));
    }
    staff_problem(&p, o);
    TRY(staff_account(c, q, TEXT(""), &account, &nobody));
    staff_person(&p, account, TEXT("folders"));
    json_pair_bool(&p.w, TEXT("shown"), look);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    put_folders(&p, list);
    put_kinds(&p, json_text(q->json, TEXT("folder")));
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_folders(struct ctx *c, const struct request *q, struct reply *r)
{
    struct staff_outcome fine = { 0 };
    return folders_page(c, q, r, &fine, true);
}

enum err api_staff_folders_look(struct ctx *c, const struct request *q, struct reply *r)
{
    struct staff_outcome o = staff_outcome(c, staff_reason(c, q));
    return folders_page(c, q, r, &o, o.status == OK);
}

/* After an act on a form of the page: back to the page, or the form again. */
static enum err after_folder(struct ctx *c, const struct request *q, struct reply *r, enum err status, text done)
{
    struct staff_outcome o = staff_outcome(c, status);
    if (status == OK)
        return page_go(c, r, staff_path(c, q, "/folders"), done);
    return staff_again(status) ? folders_page(c, q, r, &o, true) : status;
}

enum err api_staff_folder_grant(struct ctx *c, const struct request *q, struct reply *r)
{
    static const text names[] = { TEXT_INIT("folder"), TEXT_INIT("name"), TEXT_INIT("why"), TEXT_INIT("until") };
    struct answer answer = { 0 };
    const struct json *in;
    TRY(body_of(c, q, names, sizeof names / sizeof *names, &in));
    /* Why access is given or taken is why it is done. */
    enum err status = look_reason(c, json_text(in, TEXT("why")));
    if (status == OK)
        status = folder_grant(c, q->params[0], in, &answer);
    return after_folder(c, q, r, status, TEXT("folder_granted"));
}

enum err api_staff_folder_revoke(struct ctx *c, const struct request *q, struct reply *r)
{
    static const text names[] = { TEXT_INIT("folder"), TEXT_INIT("name"), TEXT_INIT("why") };
    struct answer answer = { 0 };
    const struct json *in;
    TRY(body_of(c, q, names, sizeof names / sizeof *names, &in));
    /* Why access is given or taken is why it is done. */
    enum err status = look_reason(c, json_text(in, TEXT("why")));
    if (status == OK)
        status = folder_revoke(c, q->params[0], in, &answer);
    return after_folder(c, q, r, status, TEXT("folder_revoked"));
}

/* ---- Letters and calls. ---- */

/* What else the policy declares of a contact, its motive for example: for the forms, and what was typed in them. */
static void put_noted(struct page *p, int log)
{
    const struct category *cat = log >= 0 ? &p->c->policy->categories[log] : NULL;
    json_name(&p->w, TEXT("noted"));
    json_open(&p->w, '[');
    for (unsigned i = 0; cat && i < cat->field_count; i++)
        if (contact_says(&cat->fields[i]))
            form_field(p, cat, &cat->fields[i], p->q->json);
    json_close(&p->w, ']');
}

static enum err with_noted(struct ctx *c, const struct request *q, const struct json *typed, const struct json **out)
{
    int log = policy_stream(c->policy, TEXT("contacts"));
    const struct category *cat = log >= 0 ? &c->policy->categories[log] : NULL;
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    JSON_EACH(v, typed) {
        json_name(&w, v->key);
        json_put(&w, v);
    }
    if (cat) {
        json_name(&w, TEXT("fields"));
        json_open(&w, '{');
        for (unsigned i = 0; i < cat->field_count; i++)
            if (contact_says(&cat->fields[i]))
                form_value(c, &w, cat, &cat->fields[i], q->json);
        json_close(&w, '}');
    }
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

/* What a contact was about, in the words of the form. */
static void put_about(struct page *p, const struct json *fields)
{
    int log = policy_stream(p->c->policy, TEXT("contacts"));
    const struct category *cat = log >= 0 ? &p->c->policy->categories[log] : NULL;
    json_name(&p->w, TEXT("about"));
    json_open(&p->w, '[');
    for (unsigned i = 0; cat && i < cat->field_count; i++) {
        const struct field *f = &cat->fields[i];
        const struct json *v = json_get(fields, f->name);
        if (!contact_says(f) || !v || !v->value.n)
            continue;
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("title"), doc_field(p->c, cat, f->name));
        json_pair(&p->w, TEXT("value"), doc_value(p->c, f, v));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static text choice_words(const struct ctx *c, text field, text choice)
{
    int log = policy_stream(c->policy, TEXT("contacts"));
    int index = log < 0 ? -1 : policy_field(&c->policy->categories[log], field);
    return doc_choice(c, index < 0 ? NULL : &c->policy->categories[log].fields[index], choice);
}

/* Each choice of the log with its number: pressed, the page shows those alone. False when there is none. */
static bool put_only(struct page *p, const struct json *counts, text chosen)
{
    bool some = false;
    json_name(&p->w, TEXT("only"));
    json_open(&p->w, '[');
    JSON_EACH(field, counts)
        JSON_EACH(choice, field) {
            text where = arena_print(p->c->arena, "%.*s:%.*s", T(field->key), T(choice->key));
            if (text_eq(field->key, TEXT("channel")) || text_eq(choice->value, TEXT("0")))
                continue;
            some = true;
            json_open(&p->w, '{');
            json_pair(&p->w, TEXT("where"), where);
            page_text(p, TEXT("says"), choice_words(p->c, field->key, choice->key));
            json_pair(&p->w, TEXT("number"), choice->value);
            json_pair_bool(&p->w, TEXT("chosen"), text_eq(where, chosen));
            json_close(&p->w, '}');
        }
    json_close(&p->w, ']');
    return some;
}

/* The log holds what the policy declares of it; what is not there is shown empty. */
static void put_contacts(struct page *p, const struct json *list)
{
    static const text fields[] = { TEXT_INIT("channel"), TEXT_INIT("subject") };
    json_name(&p->w, TEXT("contacts"));
    json_open(&p->w, '[');
    JSON_EACH(one, json_get(list, TEXT("contacts"))) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("at"), json_text(one, TEXT("at")));
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
            text value = json_text(json_get(one, TEXT("fields")), fields[i]);
            json_pair(&p->w, fields[i], value.p ? value : TEXT(""));
        }
        put_about(p, json_get(one, TEXT("fields")));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
    page_copy(p, list, TEXT("letters"));
}

static enum err contacts_page(struct ctx *c, const struct request *q, struct reply *r, struct staff_outcome *o,
                              const struct answer *answer)
{
    static const text kept[] = { TEXT_INIT("reason"), TEXT_INIT("subject"), TEXT_INIT("text"), TEXT_INIT("at") };
    const struct json *list = NULL, *account;
    bool nobody;
    int log = policy_stream(c->policy, TEXT("contacts"));
    PAGE_AUTO p = { 0 };
    if (answer)
        TRY(json_parse(c->arena, answer->body, &list));
    TRY(staff_open(c, q, TEXT("staff_contacts"), &p));
    staff_problem(&p, o);
    TRY(staff_account(c, q, TEXT(""), &account, &nobody));
    staff_person(&p, account, TEXT("contacts"));
    json_pair_bool(&p.w, TEXT("shown"), answer != NULL);
    json_pair_bool(&p.w, TEXT("log_kept"), log >= 0);
    page_keep(&p, kept, sizeof kept / sizeof *kept);
    put_contacts(&p, list);
    put_noted(&p, log);
    bool some = put_only(&p, json_get(list, TEXT("counts")), json_text(q->json, TEXT("where")));
    json_pair_bool(&p.w, TEXT("some_only"), some);
    json_pair(&p.w, TEXT("looked_for"), json_text(q->json, TEXT("purpose")));
    json_name(&p.w, TEXT("reading"));
    json_open(&p.w, '{');
    staff_purposes(&p, ACT_READ, log, json_text(q->json, TEXT("purpose")));
    json_close(&p.w, '}');
    json_name(&p.w, TEXT("sending"));
    json_open(&p.w, '{');
    staff_purposes(&p, ACT_SEND, log, json_text(q->json, TEXT("purpose")));
    json_close(&p.w, '}');
    return page_show(&p, r, staff_status(o));
}

enum err api_staff_contacts(struct ctx *c, const struct request *q, struct reply *r)
{
    struct staff_outcome fine = { 0 };
    return contacts_page(c, q, r, &fine, NULL);
}

enum err api_staff_contacts_look(struct ctx *c, const struct request *q, struct reply *r)
{
    struct answer answer = { 0 };
    enum err status = staff_reason(c, q);
    text purpose = json_text(q->json, TEXT("purpose"));
    bool reason_alone = !purpose.n && c->actor.reason.n; /* of a tab */
    if (status == OK && !reason_alone)
        status = contact_list(c, q->params[0], purpose, json_text(q->json, TEXT("where")), &answer);
    struct staff_outcome o = staff_outcome(c, status);
    if (status != OK && !staff_again(status))
        return status;
    return contacts_page(c, q, r, &o, status == OK && !reason_alone ? &answer : NULL);
}

static enum err after_contact(struct ctx *c, const struct request *q, struct reply *r, enum err status, text done)
{
    struct staff_outcome o = staff_outcome(c, status);
    if (status == OK)
        return page_go(c, r, staff_path(c, q, "/contacts"), done);
    return staff_again(status) ? contacts_page(c, q, r, &o, NULL) : status;
}

enum err api_staff_call(struct ctx *c, const struct request *q, struct reply *r)
{
    static const text names[] = { TEXT_INIT("purpose"), TEXT_INIT("subject"), TEXT_INIT("at") };
    struct answer answer = { 0 };
    const struct json *in;
    TRY(body_of(c, q, names, sizeof names / sizeof *names, &in));
    TRY(with_noted(c, q, in, &in));
    enum err status = staff_reason(c, q);
    if (status == OK)
        status = contact_call(c, q->params[0], in, &answer);
    return after_contact(c, q, r, status, TEXT("call_noted"));
}

enum err api_staff_message(struct ctx *c, const struct request *q, struct reply *r)
{
    static const text names[] = { TEXT_INIT("purpose"), TEXT_INIT("subject"), TEXT_INIT("text") };
    struct answer answer = { 0 };
    const struct json *in;
    TRY(body_of(c, q, names, sizeof names / sizeof *names, &in));
    TRY(with_noted(c, q, in, &in));
    enum err status = staff_reason(c, q);
    if (status == OK)
        status = contact_send(c, q->params[0], in, &answer);
    return after_contact(c, q, r, status, TEXT("message_queued"));
}

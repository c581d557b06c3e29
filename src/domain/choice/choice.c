/* Submissions of forms: sent, proven by a letter's link, joined to their person, and over. */
#include "domain/choice/choice.h"
#include "domain/core/budget.h"
#include "domain/core/id.h"
#include "domain/core/instance.h"
#include "domain/core/named.h"
#include "domain/account/throttle.h"
#include "domain/choice/joining.h"
#include "domain/core/normal.h"
#include "domain/core/value.h"
#include "domain/core/write.h"
#include "domain/mail/mail.h"
#include "domain/person/account.h"
#include "domain/person/making.h"

enum { BODY_MAX = 1 << 20, BOXES_MAX = 64 };

/* ---- What was sent, as it is kept until it is proven: {"data", "consents", "language", "policy"}. ---- */

static const struct point_field *field_of(const struct point *p, text category, text field)
{
    for (unsigned i = 0; i < p->field_count; i++)
        if (text_eq(p->fields[i].category->name, category) && text_eq(p->fields[i].field->name, field))
            return &p->fields[i];
    return NULL;
}

/* Nothing but the fields that the form asks for (GDPR 5(1)(c)). */
static enum err check_fields(struct ctx *c, const struct point *p, const struct json *data)
{
    if (!data || data->kind != J_OBJECT)
        return say(c->arena, ERR_USAGE, "the body is {\"data\": {category: {field: value}}, \"boxes\": […]}");
    JSON_EACH(category, data) {
        if (category->kind != J_OBJECT)
            return say_clause(c->arena, ERR_VALUE, p->clause, "a category is an object of its fields");
        JSON_EACH(v, category)
            if (!field_of(p, category->key, v->key))
                return say_clause(c->arena, ERR_UNDECLARED, p->clause, "this form does not ask for \"%.*s.%.*s\"",
                                  T(value_shown(category->key)), T(value_shown(v->key)));
    }
    return OK;
}

/* A required time that the form does not ask for is the one at which it was sent. */
static void put_times(struct ctx *c, const struct point *p, const struct category *cat, struct json_out *w)
{
    for (unsigned f = 0; f < cat->field_count; f++) {
        const struct field *field = &cat->fields[f];
        if (field->type == FIELD_TIME && field->required && !field_of(p, cat->name, field->name))
            json_pair(w, field->name, time_print(c->arena, c->now));
    }
}

static void put_data(struct ctx *c, const struct point *p, const struct json *data, struct json_out *w)
{
    json_name(w, TEXT("data"));
    json_open(w, '{');
    JSON_EACH(category, data) {
        json_name(w, category->key);
        json_open(w, '{');
        JSON_EACH(v, category)
            if (v->kind != J_NULL) {
                json_name(w, v->key);
                json_put(w, v);
            }
        put_times(c, p, &c->policy->categories[policy_category(c->policy, category->key)], w);
        json_close(w, '}');
    }
    json_close(w, '}');
}

static bool is_ticked(const struct json *boxes, text name)
{
    JSON_EACH(one, boxes)
        if (one->kind == J_TEXT && text_eq(one->value, name))
            return true;
    return false;
}

static enum err check_boxes(struct ctx *c, const struct point *p, const struct json *boxes)
{
    struct point_box box;
    if (boxes && (boxes->kind != J_ARRAY || boxes->count > BOXES_MAX))
        return say(c->arena, ERR_VALUE, "\"boxes\" is a list of at most %d names", BOXES_MAX);
    JSON_EACH(one, boxes) {
        bool known = false;
        for (unsigned i = 0; one->kind == J_TEXT && !known && point_box(c, p, i, &box); i++)
            known = text_eq(point_box_name(c, &box), one->value);
        if (!known)
            return say_clause(c->arena, ERR_UNDECLARED, p->clause, "this form has no box \"%.*s\"",
                              T(value_shown(one->kind == J_TEXT ? one->value : TEXT(""))));
    }
    return OK;
}

/* Every box is a decision: ticked is given, left unticked is refused (GDPR 4(11), 7(1)). */
static void put_consents(struct ctx *c, const struct point *p, const struct json *boxes, struct json_out *w)
{
    struct point_box box;
    text evidence = arena_print(c->arena, "form %.*s, %.*s, %.*s", T(p->name), T(c->language),
                                T(time_print(c->arena, c->now)));
    json_name(w, TEXT("consents"));
    json_open(w, '[');
    for (unsigned i = 0; point_box(c, p, i, &box); i++) {
        json_open(w, '{');
        json_pair(w, TEXT("purpose"), box.purpose->name);
        if (box.channel.n)
            json_pair(w, TEXT("channel"), box.channel);
        json_pair(w, TEXT("decision"), is_ticked(boxes, point_box_name(c, &box)) ? TEXT("given") : TEXT("refused"));
        json_pair(w, TEXT("method"), TEXT("tick"));
        json_pair(w, TEXT("wording"), point_box_wording(c, &box));
        json_pair(w, TEXT("evidence"), evidence);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static enum err body_of(struct ctx *c, const struct point *p, const struct json *in, text *out)
{
    BUF_AUTO b = buf_make(BODY_MAX);
    struct json_out w = json_out(&b);
    text parent;
    TRY(check_fields(c, p, json_get(in, TEXT("data"))));
    TRY(check_boxes(c, p, json_get(in, TEXT("boxes"))));
    TRY(parent_take(c, p, in, &parent));
    json_open(&w, '{');
    put_data(c, p, json_get(in, TEXT("data")), &w);
    put_consents(c, p, json_get(in, TEXT("boxes")), &w);
    json_pair(&w, TEXT("language"), c->language);
    json_pair(&w, TEXT("policy"), c->policy->version);
    if (parent.n) {
        json_name(&w, TEXT("minor"));
        json_open(&w, '{');
        json_pair(&w, TEXT("parent"), parent);
        json_close(&w, '}');
    }
    json_close(&w, '}');
    return buf_take(c->arena, &b, out);
}

/* ---- Whether it could be kept at all: the same checks as when it will be, of somebody new. ---- */

static enum err missing(struct ctx *c, const struct point_field *f)
{
    say_clause(c->arena, ERR_MISSING, &f->field->clause, "\"%.*s\" is needed", T(f->field->name));
    snprintf(c->arena->why.field, sizeof c->arena->why.field, "%.*s.%.*s", T(f->category->name), T(f->field->name));
    return ERR_MISSING;
}

static enum err check_required(struct ctx *c, const struct point *p, const struct json *data)
{
    for (unsigned i = 0; i < p->field_count; i++) {
        const struct point_field *f = &p->fields[i];
        const struct json *v = json_get(json_get(data, f->category->name), f->field->name);
        if (point_needs(p, i) && (!v || v->kind == J_NULL || (v->kind == J_TEXT && !text_trim(v->value).n)))
            return missing(c, f);
    }
    return OK;
}

static enum err check_values(struct ctx *c, const struct json *some, const struct json *all)
{
    JSON_EACH(category, some) {
        const struct json *fields = category;
        TRY(value_take_category(c, &c->policy->categories[policy_category(c->policy, category->key)], &fields, all));
    }
    return OK;
}

static bool is_given(const struct json *consents, text purpose)
{
    JSON_EACH(one, consents)
        if (text_eq(json_text(one, TEXT("purpose")), purpose) &&
            text_eq(json_text(one, TEXT("decision")), TEXT("given")))
            return true;
    return false;
}

enum err joining_serves(struct ctx *c, const struct point *p, const struct json *data, const struct json *consents)
{
    JSON_EACH(category, data) {
        unsigned index = (unsigned)policy_category(c->policy, category->key);
        bool served = false;
        for (unsigned i = 0; !served && i < c->policy->purpose_count; i++) {
            const struct purpose *of = &c->policy->purposes[i];
            served = point_serves(p, of->name) && bits_has(&of->categories, index) &&
                     (of->basis != BASIS_CONSENT || is_given(consents, of->name));
        }
        if (!served)
            return say_clause(c->arena, ERR_CONSENT, p->clause,
                              "this form serves nothing without one of its choices: tick at least one");
    }
    return OK;
}

static enum err check_body(struct ctx *c, const struct point *p, text body)
{
    const struct json *kept;
    TRY(json_parse(c->arena, body, &kept));
    const struct json *data = json_get(kept, TEXT("data"));
    TRY(check_required(c, p, data));
    TRY(joining_serves(c, p, data, json_get(kept, TEXT("consents"))));
    if (p->email < 0)
        return write_refused(c, NULL, check_values(c, data, data));
    PERSON_AUTO somebody = { 0 };
    struct change ch;
    struct event event;
    const struct json *single, *many;
    TRY(joining_split(c, data, &single, &many));
    TRY(write_refused(c, NULL, check_values(c, many, data)));
    const struct making m = {
        .data = single, .consents = json_get(kept, TEXT("consents")), .source = TEXT("person"), .settled = true
    };
    return person_make(c, &m, &somebody, &ch, &event);
}

/* ---- Sending. ---- */

struct sending {
    struct ctx *c;
    const struct point *point;
    struct subject_id id;
    struct digest digest;
    sealed body;
    msec expires, due;
    struct mail_put letter;
    const struct attempt *letters;
};

static enum err run_sending(struct db *db, struct write *w)
{
    const struct sending *s = w->arg;
    bool named = s->point->email >= 0;
    TRY(db_run(db, SQL_SUBMISSION_ADD, NULL,
               ARGS(V_TEXT(s->c->tenant), V_ID(s->id), V_TEXT(s->point->name),
                    named ? V_BYTES(TEXT_BYTES(s->digest)) : V_NULL, V_SEALED(s->body), V_INT(s->c->now),
                    named ? V_INT(s->expires) : V_NULL, s->due ? V_INT(s->due) : V_NULL)));
    if (!named)
        return OK;
    TRY(throttle_run_failed(db, s->c, s->letters));
    return mail_run_put(db, &s->letter);
}

static enum err make_letter(struct ctx *c, const struct sending *s, text to, text secret, struct mail_put *out)
{
    text link = mail_link(c, arena_print(c->arena, "/confirm-form?token=%.*s&lang=%.*s", T(secret), T(c->language)));
    const struct pair_text pairs[] = { { TEXT("what"), point_title(c, s->point) },
                                       { TEXT("link"), link },
                                       { TEXT("until"), time_print(c->arena, s->expires) } };
    const struct letter_values values = { pairs, sizeof pairs / sizeof *pairs };
    return mail_make_in(c, NULL, c->language, to, TEXT("form_confirm"), &values, out);
}

static text address_in(const struct point *p, const struct json *in)
{
    const struct point_field *f = &p->fields[p->email];
    return json_text(json_get(json_get(in, TEXT("data")), f->category->name), f->field->name);
}

static enum err send_now(struct ctx *c, const struct point *p, const struct json *in, text body,
                         const struct attempt *letters)
{
    struct sending s = { .c = c, .point = p, .id = id_make(c->now), .letters = letters, .expires = ticket_until(c) };
    s.due = point_due(c, p);
    if (p->email >= 0 && point_all_consent(c, p))
        s.due = s.expires; /* nothing but consents: what nobody confirms goes */
    TRY(joining_seal(c, NULL, p->name, s.id, body, &s.body));
    if (p->email >= 0) {
        static const struct field address = { .type = FIELD_EMAIL };
        text secret = secret_make(c, TEXT("submission"), &s.digest);
        TRY(make_letter(c, &s, normal_kept(c, &address, address_in(p, in)), secret, &s.letter));
    }
    struct write w = { .run = run_sending, .arg = &s, .event = event_of(c, NULL, TEXT("form.received")) };
    return write_do(c, &w, NULL);
}

/* Nobody's mailbox is filled by strangers (throttle_letter): beyond that, sending is answered all the same. */
static enum err send_to_address(struct ctx *c, const struct point *p, const struct json *in, text body)
{
    static const struct field address = { .type = FIELD_EMAIL };
    struct attempt letters = { .digest = throttle_digest(c, TEXT("submission"),
                                                         normal_lookup(c, &address, address_in(p, in))) };
    enum err status = throttle_letter(c, &letters);
    if (status == OK) {
        status = send_now(c, p, in, body, &letters);
        throttle_leave(c, &letters);
    }
    return status == ERR_TOO_MANY ? OK : status;
}

/* By network address and form, and by form alone. */
static enum err take_budgets(struct ctx *c, const struct point *p)
{
    text by = arena_print(c->arena, "%.*s %.*s", T(p->name), T(c->address));
    TRY_PTR(by.p);
    TRY(budget_take(c, BUDGET_forms_sent, by));
    return budget_take(c, BUDGET_form_answers, p->name);
}

enum err choice_submit(struct ctx *c, text form, const struct json *in, bool trusted, struct answer *out)
{
    struct point p;
    text body;
    TRY(point_find(c, form, &p));
    TRY(point_open(c, &p));
    c->actor = (struct actor){ .kind = ACTOR_PERSON, .index = PERSON, .name = c->policy->actors[PERSON].name };
    out->body = p.email >= 0 ? TEXT("{\"state\":\"confirm\"}") : TEXT("{\"state\":\"received\"}");
    if (json_text(in, TEXT("website")).n)
        return OK;
    if (!trusted && !point_stamped(c, &p, json_text(in, TEXT("stamp"))))
        return say(c->arena, ERR_VALUE, "this form was not given out here within a day: open it again, and send it");
    TRY(take_budgets(c, &p));
    TRY(write_refused(c, NULL, body_of(c, &p, in, &body)));
    TRY(check_body(c, &p, body));
    return p.email >= 0 ? send_to_address(c, &p, in, body) : send_now(c, &p, in, body, NULL);
}

/* ---- What forms say of themselves. ---- */

static text type_word(enum field_type type)
{
    static const text words[] = {
#define X(name, word) TEXT_INIT(word),
        FIELD_TYPES(X)
#undef X
    };
    return words[type];
}

enum err choice_form(struct ctx *c, text form, struct answer *out)
{
    struct point p;
    BUF_AUTO b = buf_make(BODY_MAX);
    struct json_out w = json_out(&b);
    TRY(point_find(c, form, &p));
    json_open(&w, '{');
    point_put(c, &p, &w);
    json_name(&w, TEXT("fields"));
    json_open(&w, '[');
    for (unsigned i = 0; i < p.field_count; i++) {
        const struct point_field *f = &p.fields[i];
        json_open(&w, '{');
        json_pair(&w, TEXT("field"), arena_print(c->arena, "%.*s.%.*s", T(f->category->name), T(f->field->name)));
        json_pair(&w, TEXT("title"), doc_field(c, f->category, f->field->name));
        json_pair(&w, TEXT("type"), type_word(f->field->type));
        json_pair_bool(&w, TEXT("required"), f->field->required);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

enum err choice_forms(struct ctx *c, struct answer *out)
{
    struct point p;
    BUF_AUTO b = buf_make(BODY_MAX);
    struct json_out w = json_out(&b);
    struct why kept = c->arena->why;
    json_open(&w, '{');
    json_name(&w, TEXT("forms"));
    json_open(&w, '[');
    for (unsigned i = 0; point_at(c, i, &p); i++) {
        json_open(&w, '{');
        json_pair(&w, TEXT("form"), p.name);
        json_pair(&w, TEXT("title"), point_title(c, &p));
        json_pair_bool(&w, TEXT("open"), point_open(c, &p) == OK);
        json_close(&w, '}');
    }
    c->arena->why = kept;
    json_close(&w, ']');
    json_close(&w, '}');
    return buf_take(c->arena, &b, &out->body);
}

/* ---- What is over. ---- */

static enum err run_over(struct db *db, struct write *w)
{
    const msec *now = w->arg;
    TRY(db_run(db, SQL_SUBMISSION_EXPIRED, NULL, ARGS(V_INT(*now), V_INT(*now + LINK_REMEMBERED))));
    return db_run(db, SQL_SUBMISSION_OVER, NULL, ARGS(V_INT(*now)));
}

static enum err end_over(struct ctx *c)
{
    enum err ended = over_tick(c);
    TRY(feature_end_over(c, SQL_SUBMISSION_IS_OVER, run_over, TEXT("form.over")));
    return ended;
}

/* ---- The access answer. ---- */

static enum err put_submissions(struct ctx *c, const struct person *p, struct json_out *w)
{
    READ_AUTO db = NULL;
    TRY(store_read(ctx_store(c), c->arena, &db));
    QUERY_AUTO q;
    query_start(&q, db, SQL_SUBMISSION_OF, ARGS(V_TEXT(c->tenant), V_ID(p->id)));
    json_open(w, '[');
    while (query_next(&q)) {
        struct why kept = c->arena->why;
        struct point point;
        text form = arena_copy(c->arena, query_get(&q, SUBMISSION_OF, form));
        json_open(w, '{');
        json_pair(w, TEXT("form"), form);
        bool found = point_find(c, form, &point) == OK;
        json_pair(w, TEXT("title"), found ? point_title(c, &point) : form);
        msec at = query_get(&q, SUBMISSION_OF, at), ends = found ? point_ends(&point, at) : 0;
        json_pair(w, TEXT("at"), time_print(c->arena, at));
        msec waits = query_get(&q, SUBMISSION_OF, waits);
        ends = waits ? waits : ends;
        json_pair(w, TEXT("until"), ends ? time_print(c->arena, ends) : (text){ NULL, 0 });
        json_pair_bool(w, TEXT("waits"), waits);
        json_close(w, '}');
        c->arena->why = kept;
    }
    json_close(w, ']');
    return q.status;
}

const struct feature choice_feature = {
    .name = TEXT_INIT("choice"), .member = TEXT_INIT("submissions"), .put = put_submissions, .tick = end_over
};

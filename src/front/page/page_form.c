/* Forms of a category's fields: inputs after the policy's types, and what was typed made values of these types again.
 */
#include "domain/core/named.h"
#include "domain/core/normal.h"
#include "domain/entry/address.h"
#include "domain/entry/asked.h"
#include "domain/core/value.h"
#include "front/door/word.h"
#include "front/page/page_person.h"

enum { LONG_TEXT = 300 };

/* The input that suits a type; where a browser can help it does, the domain checks. fill: autocomplete (WCAG 1.3.5). */
static const struct {
    enum field_type type;
    text input, mode, hint, fill;
} inputs[] = {
    { FIELD_EMAIL, TEXT_INIT("email"), TEXT_INIT("email"), TEXT_INIT(""), TEXT_INIT("email") },
    { FIELD_PHONE, TEXT_INIT("tel"), TEXT_INIT("tel"), TEXT_INIT(""), TEXT_INIT("tel") },
    { FIELD_DATE, TEXT_INIT("text"), TEXT_INIT("text"), TEXT_INIT("form.hint.date"), TEXT_INIT("off") },
    { FIELD_TIME, TEXT_INIT("text"), TEXT_INIT("text"), TEXT_INIT("form.hint.time"), TEXT_INIT("off") },
    { FIELD_INTEGER, TEXT_INIT("text"), TEXT_INIT("numeric"), TEXT_INIT(""), TEXT_INIT("off") },
    { FIELD_NUMBER, TEXT_INIT("text"), TEXT_INIT("decimal"), TEXT_INIT(""), TEXT_INIT("off") },
    { FIELD_URL, TEXT_INIT("url"), TEXT_INIT("url"), TEXT_INIT("form.hint.url"), TEXT_INIT("url") },
    { FIELD_COUNTRY, TEXT_INIT("text"), TEXT_INIT("text"), TEXT_INIT("form.hint.country"), TEXT_INIT("country") },
    /* An empty colour input is sent as #000000 (HTML, 4.10.5.1.14): what was never set would become black. */
    { FIELD_COLOUR, TEXT_INIT("text"), TEXT_INIT("text"), TEXT_INIT("form.hint.colour"), TEXT_INIT("off") },
};
static const struct {
    text name, fill;
} known_names[] = {
    { TEXT_INIT("first_name"), TEXT_INIT("given-name") },
    { TEXT_INIT("last_name"), TEXT_INIT("family-name") },
    { TEXT_INIT("name"), TEXT_INIT("name") },
    { TEXT_INIT("company"), TEXT_INIT("organization") },
    { TEXT_INIT("address"), TEXT_INIT("street-address") },
    { TEXT_INIT("screen_name"), TEXT_INIT("nickname") },
    { TEXT_INIT("display_name"), TEXT_INIT("nickname") },
    { TEXT_INIT("login"), TEXT_INIT("username") },
};

static bool in_form(const struct policy *p, const struct category *cat, const struct field *f, enum form_scope scope)
{
    if (f->type == FIELD_CARD || f->type == FIELD_JSON)
        return false;
    switch (scope) {
    case FORM_REQUIRED:
        return asked_field(p, cat, f) || asked_perhaps(p, cat, f);
    case FORM_NO_IDENTIFIERS:
        return !identifier_guarded(p, cat, f);
    case FORM_ALL:
    case FORM_OPENING:
        break;
    }
    return true;
}

static text input_name(struct arena *a, const struct category *cat, const struct field *f)
{
    return arena_print(a, "%.*s.%.*s", T(cat->name), T(f->name));
}

static void put_kind(struct page *p, const struct field *f)
{
    text input = TEXT("text"), mode = TEXT("text"), hint = TEXT(""), fill = TEXT("off");
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (inputs[i].type == f->type) {
            input = inputs[i].input;
            mode = inputs[i].mode;
            hint = inputs[i].hint;
            fill = inputs[i].fill;
        }
    for (size_t i = 0; i < sizeof known_names / sizeof *known_names; i++)
        if (text_eq(known_names[i].name, f->name))
            fill = known_names[i].fill;
    json_pair(&p->w, TEXT("input"), input);
    json_pair(&p->w, TEXT("mode"), mode);
    json_pair(&p->w, TEXT("fill"), fill);
    if (hint.n)
        page_word(p, TEXT("hint"), hint);
    else
        json_pair(&p->w, TEXT("hint"), TEXT(""));
}

/* A day as people write it, in both languages. */
static text day_shown(struct arena *a, text value)
{
    struct date d;
    return date_parse(value, &d) ? arena_print(a, "%02d/%02d/%04d", d.day, d.month, d.year) : value;
}

/* A moment by the controller's clocks: "31/12/2026 14:05", and what is finer where there is any. */
static text moment_shown(struct ctx *c, text value)
{
    msec t;
    if (!time_parse(value, &t))
        return value;
    msec local = t + value_offset(c, t) * 60000LL;
    struct date d = date_of(local);
    int ms = (int)(local - date_start(d)), seconds = ms / 1000 % 60, parts = ms % 1000;
    text clock = arena_print(c->arena, "%02d/%02d/%04d %02d:%02d", d.day, d.month, d.year, ms / 3600000, ms / 60000 % 60);
    if (parts)
        return arena_print(c->arena, "%.*s:%02d.%03d", T(clock), seconds, parts);
    return seconds ? arena_print(c->arena, "%.*s:%02d", T(clock), seconds) : clock;
}

/* What is kept in the form for programs, as people write it. */
static text people_write(struct ctx *c, const struct field *f, text value)
{
    if (f->type == FIELD_COUNTRY)
        return doc_country(c, value);
    return f->type == FIELD_DATE ? day_shown(c->arena, value)
         : f->type == FIELD_TIME ? moment_shown(c, value) : value;
}

/* What stands in the input: what was sent, else what is held, else the policy's default. */
static text shown_value(const struct field *f, text name, const struct json *values, const struct json *sent)
{
    const struct json *typed = json_get(sent, name), *held = json_get(values, f->name);
    if (sent)
        return typed && typed->kind == J_TEXT ? typed->value : TEXT("");
    if (held && held->kind == J_BOOL)
        return held->truth ? TEXT("true") : TEXT("false");
    return held && held->value.p ? held->value : values || !f->default_value.p ? TEXT("") : f->default_value;
}

static void put_choices(struct page *p, const struct field *f, text value)
{
    json_name(&p->w, TEXT("choices"));
    json_open(&p->w, '[');
    for (unsigned i = 0; i < f->choice_count; i++) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("choice"), f->choices[i]);
        page_text(p, TEXT("says"), doc_choice(p->c, f, f->choices[i]));
        json_pair_bool(&p->w, TEXT("chosen"), text_eq(f->choices[i], value));
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

static text when_words(const struct ctx *c, const struct field *of, text value)
{
    bool boolean = of && of->type == FIELD_BOOLEAN;
    return boolean ? word_find(text_eq(value, TEXT("true")) ? TEXT("yes") : TEXT("no"), c->language) : doc_choice(c, of, value);
}

static void put_condition(struct page *p, const struct category *cat, const struct field *f)
{
    text field = f->when_field, head = text_cut(&field, '.');
    int index = field.p ? policy_category(p->c->policy, head) : -1;
    const struct category *of = index >= 0 ? &p->c->policy->categories[index] : cat;
    text name = field.p ? field : head;
    int at = policy_field(of, name);
    json_pair(&p->w, TEXT("when"), f->when_field.n ? doc_field(p->c, of, name) : TEXT(""));
    json_pair(&p->w, TEXT("when_value"), when_words(p->c, at < 0 ? NULL : &of->fields[at], f->when_value));
}

static bool is_needed(const struct policy *p, const struct category *cat, const struct field *f, enum form_scope scope)
{
    bool opens = scope == FORM_REQUIRED || scope == FORM_OPENING;
    return opens ? asked_field(p, cat, f) : f->required && !f->when_field.n;
}

static void put_field(struct page *p, const struct category *cat, const struct field *f, enum form_scope scope,
                      const struct json *values, const struct json *sent)
{
    bool needed = is_needed(p->c->policy, cat, f, scope);
    struct json_out *w = &p->w;
    text name = input_name(p->c->arena, cat, f), value = shown_value(f, name, values, sent);
    if (!sent)
        value = people_write(p->c, f, value);
    json_open(w, '{');
    json_pair(w, TEXT("id"), name);
    json_pair(w, TEXT("title"), doc_field(p->c, cat, f->name));
    json_pair(w, TEXT("value"), value);
    put_kind(p, f);
    json_pair_bool(w, TEXT("required"), needed && f->type != FIELD_BOOLEAN);
    page_text(p, TEXT("wrong"), fault_of(p, name));
    json_pair_bool(w, TEXT("boolean"), f->type == FIELD_BOOLEAN);
    json_pair_bool(w, TEXT("checked"), text_eq(value, TEXT("true")) || text_eq(value, TEXT("on")));
    json_pair_bool(w, TEXT("choice_of"), f->type == FIELD_CHOICE);
    json_pair_bool(w, TEXT("long"), f->type == FIELD_TEXT && f->has_max && f->max >= LONG_TEXT);
    put_choices(p, f, value);
    put_condition(p, cat, f);
    json_close(w, '}');
}

void form_field(struct page *p, const struct category *cat, const struct field *f, const struct json *sent)
{
    put_field(p, cat, f, FORM_ALL, NULL, sent);
}

void form_fields(struct page *p, const struct category *cat, enum form_scope scope, const struct json *values,
                 const struct json *sent)
{
    for (unsigned i = 0; i < cat->field_count; i++)
        if (in_form(p->c->policy, cat, &cat->fields[i], scope))
            put_field(p, cat, &cat->fields[i], scope, values, sent);
}

/* ---- Back again. ---- */

static void put_typed(struct ctx *c, struct json_out *w, const struct field *f, text typed)
{
    json_name(w, f->name);
    if (f->type == FIELD_BOOLEAN)
        json_put_bool(w, typed.n > 0);
    else if (!typed.n)
        json_put_null(w);
    else
        normal_typed(c, w, f, typed);
}

/* A value as it was typed, as the policy's type has it; NULL when it cannot be read at all. */
static const struct json *typed_value(struct ctx *c, const struct field *f, text typed)
{
    BUF_AUTO b = buf_make(1 << 17);
    struct json_out w = json_out(&b);
    const struct json *object;
    json_open(&w, '{');
    put_typed(c, &w, f, typed);
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, &object) == OK ? json_get(object, f->name) : NULL;
}

/* What was typed, in the form in which it would be kept. */
static text typed_of(struct ctx *c, const struct field *f, text sent)
{
    text kept = normal_kept(c, f, sent);
    bool read = f->type == FIELD_DATE || f->type == FIELD_TIME || f->type == FIELD_COUNTRY;
    const struct json *value = read && kept.n ? typed_value(c, f, kept) : NULL;
    return value && value->kind == J_TEXT ? value->value : kept;
}

static bool same_moment(text held, text typed)
{
    msec a, b;
    return time_parse(held, &a) && time_parse(typed, &b) && a == b;
}

static bool same(const struct field *f, const struct json *held, text typed)
{
    if (f->type == FIELD_BOOLEAN)
        return held ? held->kind == J_BOOL && held->truth == (typed.n > 0) : !typed.n;
    if (!held || !held->value.p)
        return !typed.n;
    return text_eq(held->value, typed) || (f->type == FIELD_TIME && same_moment(held->value, typed));
}

static void look_at(struct page *p, const struct category *cat, const struct field *f, enum form_scope scope,
                    const struct json *values, const struct json *sent)
{
    struct ctx *c = p->c;
    text name = input_name(c->arena, cat, f);
    text typed = typed_of(c, f, json_text(sent, name));
    bool empty = !typed.n && f->type != FIELD_BOOLEAN;
    enum err e = empty && is_needed(c->policy, cat, f, scope) ? ERR_MISSING : OK;
    if (!empty && !same(f, json_get(values, f->name), typed)) {
        const struct json *value = typed_value(c, f, typed);
        e = value ? value_take(c, cat, f, &value) : ERR_VALUE;
    }
    if (e == ERR_VALUE || e == ERR_MISSING || e == ERR_CARD_NUMBER)
        fault_add(p, name, fault_says(p, cat, f, e));
}

void form_faults(struct page *p, const struct category *cat, enum form_scope scope, const struct json *values,
                 const struct json *sent)
{
    struct why kept = p->c->arena->why;
    for (unsigned i = 0; i < cat->field_count; i++)
        if (in_form(p->c->policy, cat, &cat->fields[i], scope))
            look_at(p, cat, &cat->fields[i], scope, values, sent);
    p->c->arena->why = kept;
}

void form_value(struct ctx *c, struct json_out *w, const struct category *cat, const struct field *f,
                const struct json *sent)
{
    text typed = typed_of(c, f, json_text(sent, input_name(c->arena, cat, f)));
    if (typed.n || (f->type == FIELD_BOOLEAN && !f->when_field.n))
        put_typed(c, w, f, typed);
}

enum err form_declared(struct ctx *c, const struct json *sent)
{
    JSON_EACH(v, sent) {
        text field = v->key, category = text_cut(&field, '.'), shown = value_shown(v->key);
        int at = field.n ? policy_category(c->policy, category) : -1;
        const struct category *cat = at >= 0 ? &c->policy->categories[at] : NULL;
        if (!field.n || text_eq(category, TEXT("consent")) || (cat && policy_field(cat, field) >= 0))
            continue;
        say_clause(c->arena, ERR_UNDECLARED, cat ? &cat->clause : &c->policy->categories_clause,
                   "the policy has no field \"%.*s\"", T(shown));
        text_cstr(shown, c->arena->why.field, sizeof c->arena->why.field);
        return ERR_UNDECLARED;
    }
    return OK;
}

text form_stray(struct ctx *c, const struct category *cat, enum form_scope scope, const struct json *values,
                const struct json *sent)
{
    JSON_EACH(v, sent) {
        text field = v->key, category = text_cut(&field, '.');
        int f = field.n && text_eq(category, cat->name) ? policy_field(cat, field) : -1;
        if (!field.n || (f >= 0 && in_form(c->policy, cat, &cat->fields[f], scope)))
            continue; /* no field of a category, or one of this form */
        const struct json *held = f < 0 ? NULL : json_get(values, field);
        if (!held || v->kind != J_TEXT || !same(&cat->fields[f], held, typed_of(c, &cat->fields[f], v->value)))
            return v->key;
    }
    return TEXT("");
}

unsigned form_values(struct ctx *c, struct json_out *w, const struct category *cat, enum form_scope scope,
                     const struct json *values, const struct json *sent)
{
    unsigned count = 0;
    for (unsigned i = 0; i < cat->field_count; i++) {
        const struct field *f = &cat->fields[i];
        if (!in_form(c->policy, cat, f, scope))
            continue;
        text typed = typed_of(c, f, json_text(sent, input_name(c->arena, cat, f)));
        if (same(f, json_get(values, f->name), typed))
            continue;
        put_typed(c, w, f, typed);
        count++;
    }
    return count;
}

/* Members of forms of staff that are days or moments. */
static const text dated[] = { TEXT_INIT("received"), TEXT_INIT("known"),  TEXT_INIT("from"), TEXT_INIT("until"),
                              TEXT_INIT("secret_until"), TEXT_INIT("signed"), TEXT_INIT("at"),   TEXT_INIT("date") };

static bool is_dated(text name)
{
    for (size_t i = 0; i < sizeof dated / sizeof *dated; i++)
        if (text_eq(dated[i], name))
            return true;
    return false;
}

bool form_undated(struct ctx *c, text name, const struct json *sent)
{
    msec t;
    text typed = text_trim(json_text(sent, name));
    return is_dated(name) && !(typed.n && time_parse(normal_moment(c, typed), &t));
}

enum err form_dated(struct ctx *c, const struct json *sent, const struct json **out)
{
    BUF_AUTO b = buf_make(1 << 20);
    struct json_out w = json_out(&b);
    json_open(&w, '{');
    JSON_EACH(v, sent) {
        json_name(&w, v->key);
        if (v->kind == J_TEXT && is_dated(v->key))
            json_put_text(&w, normal_moment(c, text_trim(v->value)));
        else
            json_put(&w, v);
    }
    json_close(&w, '}');
    return json_parse_buf(c->arena, &b, out);
}

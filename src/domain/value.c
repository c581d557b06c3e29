/* Values against the policy: a function a type, conditions between fields, and the guard against card numbers. */
#include "domain/value.h"
#include "base/card.h"
#include <arpa/inet.h>

enum { TEXT_MAX = 4096, URL_MAX = 2048, JSON_MAX = 64 << 10 };

static enum err bad(struct ctx *c, const struct category *cat, const struct field *f, const char *expected)
{
    return say_clause(c->arena, ERR_VALUE, &f->clause, "%.*s.%.*s must be %s", T(cat->name), T(f->name), expected);
}

static size_t characters(text s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((uint8_t)s.p[i] & 0xC0) != 0x80;
    return n;
}

static bool all_in(text s, const char *set)
{
    for (size_t i = 0; i < s.n; i++)
        if (text_index(text_of(set), s.p[i]) < 0)
            return false;
    return true;
}

static bool has_control(text s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((uint8_t)s.p[i] < 0x20 && s.p[i] != '\n' && s.p[i] != '\t') || s.p[i] == 0x7F)
            return true;
    return false;
}

/* The addr-spec that people have (RFC 5321 lengths); quoted local parts and literals are refused on purpose. */
bool value_is_email(text s)
{
    ptrdiff_t at = text_index(s, '@');
    text domain = at > 0 ? text_from(s, (size_t)at + 1) : TEXT("");
    bool shape = at > 0 && at <= 64 && s.n <= 254 && text_index(domain, '@') < 0 && text_index(domain, '.') > 0 &&
                 !text_ends(domain, TEXT(".")) && text_find(domain, TEXT("..")) < 0;
    for (size_t i = 0; shape && i < s.n; i++)
        shape = (uint8_t)s.p[i] > ' ' && s.p[i] != 0x7F && text_index(TEXT("<>()[]\\,;:\""), s.p[i]) < 0;
    return shape;
}

static bool is_phone(text s)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.n; i++)
        digits += s.p[i] >= '0' && s.p[i] <= '9';
    return digits >= 6 && digits <= 15 && all_in(s, "+0123456789 .-()/") && text_index(text_from(s, 1), '+') < 0;
}

static bool is_colour(text s) { return s.n == 7 && s.p[0] == '#' && all_in(text_from(s, 1), "0123456789abcdefABCDEF"); }

static bool is_country(text s) { return s.n == 2 && all_in(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"); }

static bool is_url(text s)
{
    return s.n <= URL_MAX && (text_starts(s, TEXT("https://")) || text_starts(s, TEXT("http://"))) && text_index(s, ' ') < 0;
}

static bool is_ip(text s)
{
    char name[INET6_ADDRSTRLEN];
    struct in6_addr out;
    return text_cstr(s, name, sizeof name) && (inet_pton(AF_INET, name, &out) == 1 || inet_pton(AF_INET6, name, &out) == 1);
}

/* ISO 13616: the first four characters moved behind, letters as numbers, modulo 97 is 1. Blanks are allowed between. */
static bool is_iban(text s)
{
    char packed[34];
    size_t n = 0;
    unsigned rest = 0;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ') {
            if (n == sizeof packed)
                return false;
            packed[n++] = s.p[i];
        }
    for (size_t i = 0; n >= 15 && i < n; i++) {
        char ch = packed[(i + 4) % n];
        if (ch >= '0' && ch <= '9')
            rest = (rest * 10 + (unsigned)(ch - '0')) % 97;
        else if (ch >= 'A' && ch <= 'Z')
            rest = (rest * 100 + (unsigned)(ch - 'A' + 10)) % 97;
        else
            return false;
    }
    return rest == 1;
}

static bool is_date(text s)
{
    struct date d;
    return date_parse(s, &d);
}

static bool is_time(text s)
{
    msec t;
    return time_parse(s, &t);
}

enum err value_no_card(struct ctx *c, text where, text s)
{
    if (!card_find(s, NULL))
        return OK;
    return say_clause(c->arena, ERR_CARD_NUMBER, policy_clause(c->policy, TEXT("security.card_numbers")),
                      "%.*s holds what is a payment card number; keep the payment's reference instead", T(where));
}

static enum err no_card_inside(struct ctx *c, text where, const struct json *v)
{
    if (v->kind == J_TEXT || v->kind == J_NUMBER)
        TRY(value_no_card(c, where, v->value));
    JSON_EACH(child, v) {
        TRY(value_no_card(c, where, child->key));
        TRY(no_card_inside(c, where, child));
    }
    return OK;
}

static enum err check_number(struct ctx *c, const struct category *cat, const struct field *f, const struct json *v)
{
    int64_t n;
    if (v->kind != J_NUMBER)
        return bad(c, cat, f, "a number");
    if (!json_int(v, &n))
        return f->type == FIELD_INTEGER ? bad(c, cat, f, "an integer") : OK;
    if ((f->has_min && n < f->min) || (f->has_max && n > f->max))
        return say_clause(c->arena, ERR_VALUE, &f->clause, "%.*s.%.*s must be between %lld and %lld", T(cat->name), T(f->name),
                          (long long)(f->has_min ? f->min : INT64_MIN), (long long)(f->has_max ? f->max : INT64_MAX));
    return OK;
}

static enum err check_choice(struct ctx *c, const struct category *cat, const struct field *f, text s)
{
    for (unsigned i = 0; i < f->choice_count; i++)
        if (text_eq(f->choices[i], s))
            return OK;
    return bad(c, cat, f, "one of the choices that the policy lists");
}

static enum err check_text(struct ctx *c, const struct category *cat, const struct field *f, text s)
{
    size_t n = characters(s), max = f->has_max ? (size_t)f->max : TEXT_MAX;
    if (has_control(s))
        return bad(c, cat, f, "without control characters");
    if ((f->has_min && n < (size_t)f->min) || n > max)
        return say_clause(c->arena, ERR_VALUE, &f->clause, "%.*s.%.*s must have %lld to %zu characters", T(cat->name), T(f->name),
                          f->has_min ? (long long)f->min : 0LL, max);
    switch (f->type) {
    case FIELD_EMAIL: return value_is_email(s) ? OK : bad(c, cat, f, "an e-mail address");
    case FIELD_PHONE: return is_phone(s) ? OK : bad(c, cat, f, "a telephone number of 6 to 15 digits");
    case FIELD_DATE: return is_date(s) ? OK : bad(c, cat, f, "a date, YYYY-MM-DD");
    case FIELD_TIME: return is_time(s) ? OK : bad(c, cat, f, "a time as in RFC 3339");
    case FIELD_COLOUR: return is_colour(s) ? OK : bad(c, cat, f, "a colour, #rrggbb");
    case FIELD_COUNTRY: return is_country(s) ? OK : bad(c, cat, f, "a country, two capital letters of ISO 3166");
    case FIELD_URL: return is_url(s) ? OK : bad(c, cat, f, "an http or https address");
    case FIELD_IP: return is_ip(s) ? OK : bad(c, cat, f, "an IP address");
    case FIELD_IBAN: return is_iban(s) ? OK : bad(c, cat, f, "an IBAN whose check digits hold");
    case FIELD_CHOICE: return check_choice(c, cat, f, s);
    case FIELD_CARD: return card_find(s, NULL) ? OK : bad(c, cat, f, "a payment card number");
    case FIELD_TEXT:
    case FIELD_INTEGER:
    case FIELD_NUMBER:
    case FIELD_BOOLEAN:
    case FIELD_JSON: break;
    }
    return OK;
}

/* `min` and `max` count the characters of the JSON as it is stored, without blanks between: what was sent may be longer or shorter. */
static enum err check_json(struct ctx *c, const struct category *cat, const struct field *f, const struct json *v)
{
    size_t max = f->has_max && f->max < JSON_MAX ? (size_t)f->max : JSON_MAX;
    BUF_AUTO b = buf_make(4 * max);
    struct json_out w = json_out(&b);
    text stored;
    json_put(&w, v);
    enum err e = buf_lend(c->arena, &b, &stored);
    if (e != OK && e != ERR_TOO_LARGE)
        return e;
    size_t n = characters(stored);
    if (e == OK && n <= max && (!f->has_min || n >= (size_t)f->min))
        return OK;
    return say_clause(c->arena, ERR_VALUE, &f->clause, "%.*s.%.*s must have %lld to %zu characters as JSON", T(cat->name), T(f->name),
                      f->has_min ? (long long)f->min : 0LL, max);
}

enum err value_check(struct ctx *c, const struct category *cat, const struct field *f, const struct json *v)
{
    text where = arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(f->name));
    TRY_PTR(where.p);
    /* Card fields exist in transient categories only: the policy's own check sees to it. An IBAN, date or address
     * has its own strict form and cannot be a card number. */
    bool guarded = f->type == FIELD_TEXT || f->type == FIELD_JSON || f->type == FIELD_URL || f->type == FIELD_INTEGER ||
                   f->type == FIELD_NUMBER || f->type == FIELD_EMAIL || f->type == FIELD_PHONE;
    if (guarded)
        TRY(no_card_inside(c, where, v));
    switch (f->type) {
    case FIELD_BOOLEAN: return v->kind == J_BOOL ? OK : bad(c, cat, f, "true or false");
    case FIELD_INTEGER:
    case FIELD_NUMBER: return check_number(c, cat, f, v);
    case FIELD_JSON: return check_json(c, cat, f, v);
    case FIELD_TEXT:
    case FIELD_EMAIL:
    case FIELD_PHONE:
    case FIELD_DATE:
    case FIELD_TIME:
    case FIELD_COLOUR:
    case FIELD_COUNTRY:
    case FIELD_URL:
    case FIELD_IP:
    case FIELD_CHOICE:
    case FIELD_IBAN:
    case FIELD_CARD: break;
    }
    return v->kind == J_TEXT ? check_text(c, cat, f, v->value) : bad(c, cat, f, "a text");
}

text value_normal(struct arena *a, const struct field *f, text value)
{
    text s = arena_copy(a, text_trim(value));
    char *p = (char *)s.p;
    size_t n = 0;
    for (size_t i = 0; p && i < s.n; i++) {
        char ch = p[i];
        if (f->type == FIELD_PHONE && !((ch >= '0' && ch <= '9') || ch == '+'))
            continue;
        p[n++] = f->type == FIELD_EMAIL && ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch;
    }
    return (text){ p, n };
}

/* Whether the condition of `f` holds: the value may be a text, a word such as true, or a number. */
static bool condition_holds(const struct field *f, const struct json *fields, const struct json *other)
{
    text name = f->when_field, category = { NULL, 0 };
    if (!name.n)
        return true;
    if (text_index(name, '.') > 0)
        category = text_cut(&name, '.');
    const struct json *v = json_get(category.p ? json_get(other, category) : fields, name);
    if (!v)
        return false;
    if (v->kind == J_BOOL)
        return text_eq(f->when_value, v->truth ? TEXT("true") : TEXT("false"));
    return (v->kind == J_TEXT || v->kind == J_NUMBER) && text_eq(f->when_value, v->value);
}

/* A name that somebody sent may itself be personal: only what looks like a name of a policy is said again. */
text value_shown(text name)
{
    bool plain = name.n <= 64 && !card_find(name, NULL);
    for (size_t i = 0; plain && i < name.n; i++)
        plain = (name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '_' || name.p[i] == '.' || (name.p[i] >= '0' && name.p[i] <= '9');
    return plain ? name : TEXT("(not a name)");
}

static enum err undeclared(struct ctx *c, const struct category *cat, text name)
{
    text near = { NULL, 0 };
    for (unsigned i = 0; i < cat->field_count && !near.p; i++)
        if (text_distance(cat->fields[i].name, name, 2) <= 2)
            near = cat->fields[i].name;
    text shown = value_shown(name);
    return near.p ? say_clause(c->arena, ERR_UNDECLARED, &cat->clause, "category \"%.*s\" has no field \"%.*s\"; did you mean \"%.*s\"?",
                               T(cat->name), T(shown), T(near))
                  : say_clause(c->arena, ERR_UNDECLARED, &cat->clause, "category \"%.*s\" has no field \"%.*s\"", T(cat->name), T(shown));
}

static enum err check_presence(struct ctx *c, const struct category *cat, const struct field *f, const struct json *v, bool holds)
{
    bool given = v && v->kind != J_NULL;
    if (given && !holds)
        return say_clause(c->arena, ERR_UNDECLARED, &f->clause, "%.*s.%.*s is held only when %.*s is \"%.*s\"", T(cat->name), T(f->name),
                          T(f->when_field), T(f->when_value));
    if (!given && holds && f->required)
        return say_clause(c->arena, ERR_MISSING, &f->clause, "%.*s.%.*s is required%s", T(cat->name), T(f->name),
                          f->when_field.n ? " in this case" : "");
    return OK;
}

/* Marks which field a fault is about, for forms and programs. */
static enum err about(struct ctx *c, const struct category *cat, text name, enum err status)
{
    if (status != OK)
        text_cstr(arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(value_shown(name))), c->arena->why.field, sizeof c->arena->why.field);
    return status;
}

enum err value_check_category(struct ctx *c, const struct category *cat, const struct json *fields, const struct json *other)
{
    if (!fields || fields->kind != J_OBJECT)
        return say_clause(c->arena, ERR_VALUE, &cat->clause, "category \"%.*s\" must be an object of its fields", T(cat->name));
    JSON_EACH(v, fields)
        if (policy_field(cat, v->key) < 0)
            return about(c, cat, v->key, undeclared(c, cat, v->key));
    for (unsigned i = 0; i < cat->field_count; i++) {
        const struct field *f = &cat->fields[i];
        const struct json *v = json_get(fields, f->name);
        TRY(about(c, cat, f->name, check_presence(c, cat, f, v, condition_holds(f, fields, other))));
        if (v && v->kind != J_NULL)
            TRY(about(c, cat, f->name, value_check(c, cat, f, v)));
    }
    return OK;
}

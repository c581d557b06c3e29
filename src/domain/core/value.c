/* Values against the policy: a function a type, conditions between fields, and the guard against card numbers. */
#include "domain/core/value.h"
#include "base/calendar.h"
#include "base/card.h"
#include "base/iban.h"
#include "base/telephone.h"
#include "base/unicode.h"
#include "domain/core/normal.h"
#include "policy/schema.h"
#include <arpa/inet.h>

enum { TEXT_MAX = 4096, CARD_DIGITS = 14, JSON_MAX = 64 << 10 };

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

/* ---- Days where the controller is. ---- */

static const struct calendar *calendar_of(const struct policy *p)
{
    const struct calendar *out = NULL;
    ARENA_AUTO scratch = arena_make(4096); /* a country that is not known is no error here */
    if (!p || calendar_parse(&scratch, p->controller.country, &out) == OK)
        return out;
    return calendar_clock(p->controller.country);
}

struct date value_policy_day(const struct policy *p, msec t)
{
    const struct calendar *calendar = calendar_of(p);
    return calendar ? calendar_date(calendar, t) : date_of(t);
}

msec value_policy_start(const struct policy *p, struct date d)
{
    const struct calendar *calendar = calendar_of(p);
    return calendar ? calendar_start(calendar, d) : date_start(d);
}

struct date value_day(const struct ctx *c, msec t) { return value_policy_day(c->policy, t); }
msec value_day_start(const struct ctx *c, struct date d) { return value_policy_start(c->policy, d); }

int value_offset(const struct ctx *c, msec t)
{
    const struct calendar *calendar = calendar_of(c->policy);
    return calendar ? calendar_offset(calendar, t) : 0;
}

bool value_moment(const struct ctx *c, text s, bool whole, msec *out)
{
    struct date d;
    if (!date_parse(s, &d))
        return time_parse(s, out);
    if (!date_valid(d))
        return false;
    *out = value_day_start(c, whole ? date_of_days(date_days(d) + 1) : d);
    return true;
}

/* C0 and C1 but line breaks and tabs: RFC 8264, 7.2 (controls). */
static bool has_control(text s)
{
    for (size_t i = 0; i < s.n;) {
        uint32_t ch = unicode_next(s, &i);
        if ((ch < 0x20 && ch != '\n' && ch != '\t') || (ch >= 0x7F && ch < 0xA0))
            return true;
    }
    return false;
}

bool value_is_email(struct arena *a, text s) { return normal_is_email(a, s); }

static bool is_phone(const struct ctx *c, text s)
{
    struct telephone t;
    return telephone_read(s, c->policy->controller.country, &t);
}

static bool is_colour(text s) { return s.n == 7 && s.p[0] == '#' && all_in(text_from(s, 1), "0123456789abcdefABCDEF"); }

static bool is_ip(text s)
{
    char name[INET6_ADDRSTRLEN];
    struct in6_addr out;
    return text_cstr(s, name, sizeof name) &&
           (inet_pton(AF_INET, name, &out) == 1 || inet_pton(AF_INET6, name, &out) == 1);
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

enum err value_card(struct ctx *c, text where)
{
    return say_clause(c->arena, ERR_CARD_NUMBER, policy_clause(c->policy, TEXT("security.card_numbers")),
                      "%.*s holds what is a payment card number; keep the payment's reference instead", T(where));
}

bool value_is_line(text s, size_t max)
{
    bool plain = s.n <= max && text_utf8(s);
    for (size_t i = 0; plain && i < s.n; i++)
        plain = (uint8_t)s.p[i] >= 0x20 && s.p[i] != 0x7F;
    return plain;
}

enum err value_no_card(struct ctx *c, text where, text s)
{
    bool found;
    TRY(card_look(c->arena, s, &found));
    return found ? value_card(c, where) : OK;
}

enum err value_no_card_in(struct ctx *c, text where, const struct json *v)
{
    bool found, alone = v->kind == J_TEXT || v->kind == J_NUMBER; /* its name is the policy's, and hides nothing */
    TRY(alone ? card_look(c->arena, v->value, &found) : card_look_json(c->arena, v, NULL, &found));
    return found ? value_card(c, where) : OK;
}

static enum err check_bounds(struct ctx *c, const struct category *cat, const struct field *f)
{
    if (f->has_min && f->has_max)
        return say_clause(c->arena, ERR_VALUE, &f->clause, "%.*s.%.*s must be between %lld and %lld", T(cat->name),
                          T(f->name), (long long)f->min, (long long)f->max);
    return say_clause(c->arena, ERR_VALUE, &f->clause, "%.*s.%.*s must be %lld or %s", T(cat->name), T(f->name),
                      (long long)(f->has_min ? f->min : f->max), f->has_min ? "more" : "less");
}

/* Whole numbers are compared as such, so that none beyond 2^53 passes for its neighbour. */
static enum err check_number(struct ctx *c, const struct category *cat, const struct field *f, const struct json *v)
{
    int64_t n = 0;
    char literal[64];
    bool whole = json_int(v, &n);
    if (v->kind != J_NUMBER || !text_cstr(v->value, literal, sizeof literal))
        return bad(c, cat, f, f->type == FIELD_INTEGER ? "an integer" : "a number");
    if (!whole && f->type == FIELD_INTEGER)
        return bad(c, cat, f, "an integer");
    double x = whole ? 0 : strtod(literal, NULL);
    bool below = f->has_min && (whole ? n < f->min : x < (double)f->min),
         above = f->has_max && (whole ? n > f->max : x > (double)f->max);
    return below || above ? check_bounds(c, cat, f) : OK;
}

static enum err check_choice(struct ctx *c, const struct category *cat, const struct field *f, text s)
{
    for (unsigned i = 0; i < f->choice_count; i++)
        if (text_eq(f->choices[i], s))
            return OK;
    return bad(c, cat, f, "one of the choices that the policy lists");
}

const struct country *value_country_meant(struct ctx *c, text s)
{
    static const struct {
        text said, code;
    } habits[] = {
#define HABIT(said, code) { TEXT_INIT(said), TEXT_INIT(#code) },
#include "domain/core/habits.def"
#undef HABIT
    };
    text bare = unicode_bare(c->arena, s);
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
        if (text_eq(habits[i].said, bare))
            return country_of(habits[i].code);
    const struct country *one;
    for (unsigned i = 0; (one = country_at(i)); i++)
        if (text_eq(unicode_bare(c->arena, one->en), bare) || text_eq(unicode_bare(c->arena, one->fr), bare))
            return one;
    return NULL;
}

static enum err check_country(struct ctx *c, const struct category *cat, const struct field *f, text s)
{
    if (country_of(s))
        return OK;
    const struct country *meant = value_country_meant(c, s);
    return !meant ? bad(c, cat, f, "a country, two letters of ISO 3166-1")
                  : say_clause(c->arena, ERR_VALUE, &f->clause,
                               "%.*s.%.*s must be a country, two letters of ISO 3166-1: did you mean %.*s?",
                               T(cat->name), T(f->name), T(meant->code));
}

static enum err check_text(struct ctx *c, const struct category *cat, const struct field *f, text s)
{
    size_t n = characters(s), max = f->has_max ? (size_t)f->max : TEXT_MAX;
    if (has_control(s))
        return bad(c, cat, f, "without control characters");
    if ((f->has_min && n < (size_t)f->min) || n > max)
        return say_clause(c->arena, ERR_VALUE, &f->clause, "%.*s.%.*s must have %lld to %zu characters", T(cat->name),
                          T(f->name), f->has_min ? (long long)f->min : 0LL, max);
    switch (f->type) {
    case FIELD_EMAIL:
        return value_is_email(c->arena, s) ? OK : bad(c, cat, f, "an e-mail address");
    case FIELD_PHONE:
        return is_phone(c, s) ? OK : bad(c, cat, f, "a telephone number of 6 to 15 digits");
    case FIELD_DATE:
        return is_date(s) ? OK : bad(c, cat, f, "a date that there is, YYYY-MM-DD");
    case FIELD_TIME:
        return is_time(s) ? OK : bad(c, cat, f, "a time as in RFC 3339, such as 2026-11-22T09:30:00Z");
    case FIELD_COLOUR:
        return is_colour(s) ? OK : bad(c, cat, f, "a colour, #rrggbb");
    case FIELD_COUNTRY:
        return check_country(c, cat, f, s);
    case FIELD_URL:
        return normal_is_url(c->arena, s) ? OK : bad(c, cat, f, "an http or https address");
    case FIELD_IP:
        return is_ip(s) ? OK : bad(c, cat, f, "an IP address");
    case FIELD_IBAN:
        return iban_good(s) ? OK : bad(c, cat, f, "an IBAN: a country, its check digits and its length (ISO 13616)");
    case FIELD_CHOICE:
        return check_choice(c, cat, f, s);
    case FIELD_CARD:
        return card_find(s, NULL) ? OK : bad(c, cat, f, "a payment card number");
    case FIELD_TEXT:
    case FIELD_INTEGER:
    case FIELD_NUMBER:
    case FIELD_BOOLEAN:
    case FIELD_JSON:
        break;
    }
    return OK;
}

/* `min` and `max` count the characters of the JSON as it is stored, without blanks between: what was sent may be longer
 * or shorter. */
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
    return say_clause(c->arena, ERR_VALUE, &f->clause, "%.*s.%.*s must have %lld to %zu characters as JSON",
                      T(cat->name), T(f->name), f->has_min ? (long long)f->min : 0LL, max);
}

/* Thirteen digits in a field of telephones are one, with or without its "+": no card of that length has been given out
 * for decades. */
static bool is_short_telephone(const struct ctx *c, const struct field *f, const struct json *v)
{
    struct telephone t;
    return f->type == FIELD_PHONE && v->kind == J_TEXT && telephone_read(v->value, c->policy->controller.country, &t) &&
           text_of(t.digits).n < CARD_DIGITS;
}

/* A card number in the groups of an IPv6 address that nobody has: outside what is given out to hosts (RFC 4291, 2.4;
 * 2000::/4, fc00::/7, fe80::/10, addresses of IPv4 within), or of documentation (RFC 3849). Groups stand in full. */
static bool is_card_address(struct ctx *c, text s)
{
    enum { GROUPS = 8 };
    char name[INET6_ADDRSTRLEN];
    struct in6_addr a;
    if (!text_cstr(s, name, sizeof name) || inet_pton(AF_INET6, name, &a) != 1)
        return false;
    const uint8_t *b = a.s6_addr;
    bool documents = b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0D && b[3] == 0xB8;
    if ((b[0] >> 4 == 2 && !documents) || b[0] >= 0xFC || IN6_IS_ADDR_V4MAPPED(&a))
        return false;
    BUF_AUTO groups = buf_make(GROUPS * 5 + 1);
    unsigned first = 0, last = GROUPS;
    while (first < GROUPS && !b[2 * first] && !b[2 * first + 1])
        first++;
    while (last && !b[2 * last - 2] && !b[2 * last - 1])
        last--;
    for (unsigned i = first; i < last; i++)
        buf_print(&groups, "%02x%02x:", b[2 * i], b[2 * i + 1]);
    return card_find(buf_made(c->arena, &groups), NULL);
}

/* Card fields exist in transient categories only: the policy's own check sees to it. An IBAN, date or address has its
 * own strict form and cannot be a card number. */
static bool guarded(const struct field *f)
{
    return f->type == FIELD_TEXT || f->type == FIELD_JSON || f->type == FIELD_URL || f->type == FIELD_INTEGER ||
           f->type == FIELD_NUMBER || f->type == FIELD_EMAIL || f->type == FIELD_PHONE;
}

static enum err check_value(struct ctx *c, const struct category *cat, const struct field *f, const struct json *v)
{
    text where = arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(f->name));
    TRY_PTR(where.p);
    if (guarded(f) && !is_short_telephone(c, f, v))
        TRY(value_no_card_in(c, where, v));
    if (f->type == FIELD_IP && v->kind == J_TEXT && is_card_address(c, v->value))
        return value_card(c, where);
    switch (f->type) {
    case FIELD_BOOLEAN:
        return v->kind == J_BOOL ? OK : bad(c, cat, f, "true or false");
    case FIELD_INTEGER:
    case FIELD_NUMBER:
        return check_number(c, cat, f, v);
    case FIELD_JSON:
        return check_json(c, cat, f, v);
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
    case FIELD_CARD:
        break;
    }
    return v->kind == J_TEXT ? check_text(c, cat, f, v->value) : bad(c, cat, f, "a text");
}

enum err value_take(struct ctx *c, const struct category *cat, const struct field *f, const struct json **v)
{
    struct json *kept = *v ? NEW(c->arena, struct json) : NULL;
    if (!kept)
        return *v ? ERR_MEMORY : bad(c, cat, f, "given");
    *kept = **v;
    if (kept->kind == J_TEXT)
        kept->value = normal_kept(c, f, kept->value);
    *v = kept;
    return check_value(c, cat, f, kept);
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
        plain = (name.p[i] >= 'a' && name.p[i] <= 'z') || name.p[i] == '_' || name.p[i] == '.' ||
                (name.p[i] >= '0' && name.p[i] <= '9');
    return plain ? name : TEXT("(not a name)");
}

static enum err undeclared(struct ctx *c, const struct category *cat, text name)
{
    text near = { NULL, 0 };
    for (unsigned i = 0; i < cat->field_count && !near.p; i++)
        if (text_distance(cat->fields[i].name, name, 2) <= 2)
            near = cat->fields[i].name;
    text shown = value_shown(name);
    return near.p ? say_clause(c->arena, ERR_UNDECLARED, &cat->clause,
                               "category \"%.*s\" has no field \"%.*s\"; did you mean \"%.*s\"?", T(cat->name),
                               T(shown), T(near))
                  : say_clause(c->arena, ERR_UNDECLARED, &cat->clause, "category \"%.*s\" has no field \"%.*s\"",
                               T(cat->name), T(shown));
}

enum presence { FITS, UNCALLED, LACKING };

static enum presence presence_of(const struct field *f, const struct json *v, bool holds)
{
    bool given = v && v->kind != J_NULL && !(v->kind == J_TEXT && f->required && unicode_is_blank(v->value));
    return given && !holds ? UNCALLED : !given && holds && f->required ? LACKING : FITS;
}

static enum err check_presence(struct ctx *c, const struct category *cat, const struct field *f, const struct json *v,
                               bool holds)
{
    enum presence presence = presence_of(f, v, holds);
    if (presence == UNCALLED)
        return say_clause(c->arena, ERR_UNDECLARED, &f->clause, "%.*s.%.*s is held only when %.*s is \"%.*s\"",
                          T(cat->name), T(f->name), T(f->when_field), T(f->when_value));
    if (presence == LACKING)
        return say_clause(c->arena, ERR_MISSING, &f->clause, "%.*s.%.*s is required%s", T(cat->name), T(f->name),
                          f->when_field.n ? " in this case" : "");
    return OK;
}

/* Marks which field a fault is about, for forms and programs. */
static enum err about(struct ctx *c, const struct category *cat, text name, enum err status)
{
    if (status != OK)
        text_cstr(arena_print(c->arena, "%.*s.%.*s", T(cat->name), T(value_shown(name))), c->arena->why.field,
                  sizeof c->arena->why.field);
    return status;
}

/* One field's part of a number that may be split: a field that cannot hold a part of one stands between. */
static void put_part(struct buf *b, const struct field *f, const struct json *v)
{
    bool plain = v->kind == J_TEXT || v->kind == J_NUMBER, part = guarded(f) && f->type != FIELD_PHONE;
    buf_add(b, part && plain ? v->value : v->kind == J_NULL ? TEXT("") : TEXT("other"));
    buf_char(b, CARD_BETWEEN);
}

/* What stands in fields beside each other may be one number, split: beside each other as they came, and as the policy
 * has them. */
static enum err no_card_split(struct ctx *c, const struct category *cat, const struct json *fields)
{
    BUF_AUTO b = buf_make(BUF_DEFAULT_LIMIT);
    text all;
    JSON_EACH(v, fields) {
        int index = policy_field(cat, v->key);
        if (index >= 0)
            put_part(&b, &cat->fields[index], v);
    }
    buf_add(&b, TEXT("order"));
    for (unsigned i = 0; i < cat->field_count; i++) {
        const struct json *v = json_get(fields, cat->fields[i].name);
        if (v)
            put_part(&b, &cat->fields[i], v);
    }
    TRY(buf_lend(c->arena, &b, &all));
    return value_no_card(c, cat->name, all);
}

/* Its index; the number of all for one that is none of the policy's (the form of a folder). */
static unsigned category_index(const struct ctx *c, const struct category *cat)
{
    unsigned i = 0;
    while (i < c->policy->category_count && cat != &c->policy->categories[i])
        i++;
    return i;
}

/* A tenant holds no more than the policy lists for it, whatever the category itself may have: the fields it may. */
static enum err check_tenant(struct ctx *c, const struct category *cat, const struct json *fields, uint64_t *may)
{
    const struct tenant *t = policy_tenant(c->policy, c->tenant);
    unsigned category = t ? category_index(c, cat) : c->policy->category_count;
    *may = UINT64_MAX;
    if (category == c->policy->category_count)
        return OK;
    *may = t->fields[category];
    if (!policy_tenant_holds(t, (int)category))
        return say_clause(c->arena, ERR_UNDECLARED, &t->held_clause, "tenant \"%.*s\" does not hold category \"%.*s\"",
                          T(t->name), T(cat->name));
    JSON_EACH(v, fields)
        if (!(*may >> policy_field(cat, v->key) & 1))
            return about(c, cat, v->key,
                         say_clause(c->arena, ERR_UNDECLARED, &t->held_clause,
                                    "tenant \"%.*s\" does not hold %.*s.%.*s", T(t->name), T(cat->name),
                                    T(value_shown(v->key))));
    return OK;
}

enum err value_take_category(struct ctx *c, const struct category *cat, const struct json **in,
                             const struct json *other)
{
    if (!*in || (*in)->kind != J_OBJECT)
        return say_clause(c->arena, ERR_VALUE, &cat->clause, "category \"%.*s\" must be an object of its fields",
                          T(cat->name));
    const struct json *fields = *in = normal_fields(c, cat, *in);
    TRY_PTR(fields);
    JSON_EACH(v, fields)
        if (policy_field(cat, v->key) < 0)
            return about(c, cat, v->key, undeclared(c, cat, v->key));
    uint64_t may;
    TRY(check_tenant(c, cat, fields, &may));
    for (unsigned i = 0; i < cat->field_count; i++) {
        const struct field *f = &cat->fields[i];
        const struct json *v = json_get(fields, f->name);
        if (!(may >> i & 1))
            continue;
        TRY(about(c, cat, f->name, check_presence(c, cat, f, v, condition_holds(f, fields, other))));
        if (v && v->kind != J_NULL)
            TRY(about(c, cat, f->name, check_value(c, cat, f, v)));
    }
    return no_card_split(c, cat, fields);
}

bool value_looks_away(const struct field *f) { return text_index(f->when_field, '.') > 0; }

enum err value_still_fits(struct ctx *c, const struct category *cat, const struct json *before,
                          const struct json *other_before, const struct json *after, const struct json *other)
{
    for (unsigned i = 0; i < cat->field_count; i++) {
        const struct field *f = &cat->fields[i];
        const struct json *v = json_get(after, f->name), *old = json_get(before, f->name);
        if (!value_looks_away(f) || presence_of(f, v, condition_holds(f, after, other)) ==
                                        presence_of(f, old, condition_holds(f, before, other_before)))
            continue;
        TRY(about(c, cat, f->name, check_presence(c, cat, f, v, condition_holds(f, after, other))));
    }
    return OK;
}

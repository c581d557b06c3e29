/* What is wrong in a form, all of it at once: each field with what to do about it, in words of the page. */
#include "domain/core/named.h"
#include "domain/core/value.h"
#include "front/door/word.h"
#include "front/page/page_person.h"

/* What to do about a value that its field does not take. */
static const struct {
    enum field_type type;
    text word;
} says_of[] = {
    { FIELD_EMAIL, TEXT_INIT("fault.email") },     { FIELD_PHONE, TEXT_INIT("fault.phone") },
    { FIELD_DATE, TEXT_INIT("fault.date") },       { FIELD_TIME, TEXT_INIT("fault.time") },
    { FIELD_URL, TEXT_INIT("fault.url") },         { FIELD_IP, TEXT_INIT("fault.ip") },
    { FIELD_COUNTRY, TEXT_INIT("fault.country") }, { FIELD_COLOUR, TEXT_INIT("fault.colour") },
    { FIELD_IBAN, TEXT_INIT("fault.iban") },       { FIELD_CHOICE, TEXT_INIT("fault.choice") },
    { FIELD_NUMBER, TEXT_INIT("fault.number") },   { FIELD_INTEGER, TEXT_INIT("fault.integer") },
};

static text word(const struct ctx *c, text key) { return word_find(key, c->language); }

static text bounds_of(const struct ctx *c, const struct field *f)
{
    bool both = f->has_min && f->has_max;
    text key = both ? TEXT("fault.between") : f->has_max ? TEXT("fault.most") : TEXT("fault.least");
    text said = word(c, key);
    if (both)
        return arena_print(c->arena, "%.*s %lld %.*s %lld", T(said), (long long)f->min, T(word(c, TEXT("fault.and"))),
                           (long long)f->max);
    return arena_print(c->arena, "%.*s %lld", T(said), (long long)(f->has_max ? f->max : f->min));
}

static text says(const struct ctx *c, const struct field *f)
{
    bool counted = f->type == FIELD_INTEGER || f->type == FIELD_NUMBER;
    if (counted && (f->has_min || f->has_max))
        return bounds_of(c, f);
    for (size_t i = 0; i < sizeof says_of / sizeof *says_of; i++)
        if (says_of[i].type == f->type)
            return word(c, says_of[i].word);
    if (f->type == FIELD_TEXT && f->has_max)
        return arena_print(c->arena, "%.*s %lld %.*s", T(word(c, TEXT("fault.most"))), (long long)f->max,
                           T(word(c, TEXT("fault.characters"))));
    return word(c, TEXT("fault.other"));
}

text fault_says(struct page *p, const struct category *cat, const struct field *f, enum err code)
{
    const struct ctx *c = p->c;
    text title = doc_field(c, cat, f->name);
    if (code == ERR_MISSING)
        return arena_print(c->arena, "%.*s%.*s%.*s", T(title), T(word(c, TEXT("colon"))),
                           T(word(c, TEXT("fault.missing"))));
    text what = code == ERR_VALUE ? says(c, f) : page_reason(p, code);
    return arena_print(c->arena, "%.*s%.*s%.*s", T(title), T(word(c, TEXT("colon"))), T(what));
}

void fault_add(struct page *p, text field, text said)
{
    for (struct fault *one = p->faults; one; one = one->next)
        if (text_eq(one->field, field))
            return;
    struct fault **end = &p->faults;
    while (*end)
        end = &(*end)->next;
    *end = NEW(p->c->arena, struct fault);
    if (*end)
        **end = (struct fault){ .field = field, .says = said };
}

text fault_of(const struct page *p, text field)
{
    for (const struct fault *one = p->faults; one; one = one->next)
        if (text_eq(one->field, field))
            return one->says;
    return TEXT("");
}

/* What the policy does not declare has no input to go to. */
static bool is_input(const struct policy *p, text field)
{
    text name = field;
    text category = text_cut(&name, '.');
    int index = policy_category(p, category);
    return !name.n || (index >= 0 && policy_field(&p->categories[index], name) >= 0);
}

void fault_put_all(struct page *p)
{
    json_name(&p->w, TEXT("faults"));
    json_open(&p->w, '[');
    for (const struct fault *one = p->faults; one; one = one->next) {
        json_open(&p->w, '{');
        json_pair(&p->w, TEXT("field"), one->field);
        json_pair_bool(&p->w, TEXT("shown"), is_input(p->c->policy, one->field));
        page_text(p, TEXT("says"), one->says);
        json_close(&p->w, '}');
    }
    json_close(&p->w, ']');
}

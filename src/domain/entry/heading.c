/* Which field of the policy a column of somebody's table stands for. */
#include "domain/entry/heading.h"
#include "base/unicode.h"

static const struct {
    text meaning, heading;
} headings[] = {
#define HEADING(meaning, heading) { TEXT_INIT(meaning), TEXT_INIT(heading) },
#include "domain/entry/headings.def"
#undef HEADING
};

static bool is_word(text name)
{
    static const text words[] = { TEXT_INIT("supplied_by"), TEXT_INIT("supplier"), TEXT_INIT("language"),
                                  TEXT_INIT("manager"),     TEXT_INIT("role"),     TEXT_INIT("password_hash") };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_eq(words[i], name))
            return true;
    return false;
}

bool heading_named(const struct policy *p, text name, struct column *out)
{
    text field = name, category = text_cut(&field, '.');
    int index = policy_category(p, category), f = index < 0 ? -1 : policy_field(&p->categories[index], field);
    *out = (struct column){ .name = name, .category = category, .field = field, .how = "named" };
    if (is_word(name))
        return true;
    if (text_eq(category, TEXT("folder")) && node_get(node_get(p->root, TEXT("folders")), field)) {
        out->folder = field;
        return true;
    }
    out->type = f < 0 ? NULL : &p->categories[index].fields[f];
    if (f < 0)
        *out = (struct column){ .how = "left" };
    return f >= 0;
}

static text meaning_of(text bare)
{
    for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
        if (text_eq(headings[i].heading, bare))
            return headings[i].meaning;
    return (text){ NULL, 0 };
}

/* "User name [userPrincipalName] Required", as Microsoft Entra's own forms have it: what stands in the brackets. */
static text without_frame(text heading)
{
    ptrdiff_t open = text_index(heading, '['), close = text_index(heading, ']');
    text inner = close > open + 1 ? text_upto(text_from(heading, (size_t)open + 1), (size_t)(close - open) - 1)
                                  : heading;
    return open < 0 ? heading : inner;
}

text heading_meaning(struct arena *a, text heading) { return meaning_of(unicode_bare(a, heading)); }

/* ---- How well a field fits a heading: the lowest that any reaches decides. ---- */

enum fit { FIT_NAME, FIT_MEANING, FIT_TYPE, FIT_CLOSE, FIT_NONE };

static bool means_type(text meaning, enum field_type type)
{
    switch (type) {
    case FIELD_EMAIL:
        return text_eq(meaning, TEXT("email"));
    case FIELD_PHONE:
        return text_eq(meaning, TEXT("phone")) || text_eq(meaning, TEXT("mobile"));
    case FIELD_COUNTRY:
        return text_eq(meaning, TEXT("country"));
    case FIELD_URL:
        return text_eq(meaning, TEXT("website"));
    case FIELD_TEXT:
    case FIELD_INTEGER:
    case FIELD_NUMBER:
    case FIELD_BOOLEAN:
    case FIELD_DATE:
    case FIELD_TIME:
    case FIELD_COLOUR:
    case FIELD_IP:
    case FIELD_CHOICE:
    case FIELD_IBAN:
    case FIELD_CARD:
    case FIELD_JSON:
        break;
    }
    return false;
}

static enum fit fit_of(struct arena *a, const struct category *cat, const struct field *f, text bare, text meaning)
{
    text name = unicode_bare(a, f->name), whole = unicode_bare(a, arena_print(a, "%.*s%.*s", T(cat->name), T(f->name)));
    text own = meaning_of(name);
    if (text_eq(name, bare) || text_eq(whole, bare))
        return FIT_NAME;
    if (meaning.n && (text_eq(own, meaning) || (!own.n && text_eq(meaning_of(whole), meaning))))
        return FIT_MEANING;
    if (meaning.n && means_type(meaning, f->type))
        return FIT_TYPE;
    /* "Nom" may be all of a name, or not. */
    bool part = text_eq(own, TEXT("name")) && text_eq(meaning, TEXT("last_name"));
    bool close = part || (bare.n >= 5 && (text_distance(name, bare, 2) <= 2 || text_distance(whole, bare, 2) <= 2));
    return close ? FIT_CLOSE : FIT_NONE;
}

struct near heading_near(struct arena *a, const struct policy *p, text heading)
{
    text bare = unicode_bare(a, without_frame(heading)), meaning = meaning_of(bare);
    enum fit best = is_word(meaning) ? FIT_MEANING : FIT_NONE;
    struct near out = { .names = { meaning }, .count = best == FIT_MEANING };
    for (unsigned i = 0; i < p->category_count && bare.n; i++)
        for (unsigned k = 0; k < p->categories[i].field_count && !p->categories[i].transient; k++) {
            const struct category *cat = &p->categories[i];
            enum fit fit = fit_of(a, cat, &cat->fields[k], bare, meaning);
            if (fit > best || fit == FIT_NONE)
                continue;
            out.count = fit < best ? 0 : out.count;
            best = fit;
            if (out.count < HEADINGS_NEAR)
                out.names[out.count] = arena_print(a, "%.*s.%.*s", T(cat->name), T(cat->fields[k].name));
            out.count++;
        }
    out.sure = out.count == 1 && best != FIT_CLOSE;
    return out;
}
